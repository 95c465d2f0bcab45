"""Where a way that begins on an outline lies: inside, outside or along it.

The edges that meet at a place are sorted as the hands of a clock are. A way lies in the
interior when the next edge after it has the interior on its side.
"""

from __future__ import annotations

from numba import njit

from geo.kernels.boxtree import FIRST, SKIP, STOP, BoxTree
from geo.kernels.orientation import turn

IN, OUT, SAME, AGAINST = 1, 2, 4, 8
"""Inside, outside, along an edge that has the interior on the same side, or on the
other."""

_EAST, _SOUTH, _WEST = 1, 2, 3
"""Directions in the order of a clock; north is 0."""


@njit(nogil=True, cache=True)
def way_begins(
    tree: BoxTree, f: int, px: float, py: float, qx: float, qy: float
) -> int:
    """Tell where the way from a place on an outline begins.

    Parameters
    ----------
    tree, f
        Outlines with the interior on the left of each edge, and the row of one.
    px, py, qx, qy
        Where the way begins and where it goes. [degrees]

    Returns
    -------
    int
        IN, OUT, SAME or AGAINST, of an area on the left of the way; 0 if it does not
        begin on the outline.

    Notes
    -----
    The edges at a place on the antimeridian are those of both its sides. All ways of
    one half of the clock begin on one side, so that a determinant tells which is first.
    """
    seam = abs(px) == 180
    eastern, western = (-180.0, 180.0) if seam else (px, px)
    hour = _hour(px, py, qx, qy)
    next_hour, first_hour = -1, -1
    next_x = next_y = first_x = first_y = 0.0
    next_in = first_in = False
    for mirror in range(1 + seam):
        x = -px if mirror else px
        node, end = tree.roots[f], tree.roots[f + 1]
        while node < end:
            if (
                tree.boxes[node, 0] > x
                or tree.boxes[node, 2] < x
                or tree.boxes[node, 1] > py
                or tree.boxes[node, 3] < py
            ):
                node = tree.spans[node, SKIP]
                continue
            node += 1
            if tree.spans[node - 1, SKIP] != node:
                continue
            for g in range(tree.spans[node - 1, FIRST], tree.spans[node - 1, STOP]):
                cx, cy = tree.lonlat[g, 0], tree.lonlat[g, 1]
                dx, dy = tree.lonlat[g, 2], tree.lonlat[g, 3]
                at_c, at_d = cx == x and cy == py, dx == x and dy == py
                if (at_c and at_d) or not in_box(x, py, cx, cy, dx, dy):
                    continue
                if not (at_c or at_d) and turn(cx, cy, dx, dy, x, py) != 0:
                    continue
                for rx, ry, leaves in ((dx, dy, True), (cx, cy, False)):
                    if (at_d and leaves) or (at_c and not leaves):
                        continue
                    its = _hour(x, py, rx, ry)
                    origin = eastern if its == _EAST else western
                    later = _later(its, rx, ry, hour, qx, qy, origin, py)
                    if later == 0:
                        return SAME if leaves else AGAINST
                    if later > 0:
                        if next_hour < 0 or (
                            _later(next_hour, next_x, next_y, its, rx, ry, origin, py)
                            > 0
                        ):
                            next_hour, next_x, next_y = its, rx, ry
                            next_in = leaves
                    elif first_hour < 0 or (
                        _later(first_hour, first_x, first_y, its, rx, ry, origin, py)
                        > 0
                    ):
                        first_hour, first_x, first_y = its, rx, ry
                        first_in = leaves
    if next_hour < 0:
        next_hour, next_in = first_hour, first_in
    if next_hour < 0:
        return 0
    return IN if next_in else OUT


@njit(nogil=True, cache=True)
def _hour(px: float, py: float, qx: float, qy: float) -> int:
    """Whether a way begins north, east, south or west, in the order of a clock."""
    if qx != px:
        return _EAST if qx > px else _WEST
    return 0 if qy > py else _SOUTH


@njit(nogil=True, cache=True)
def _later(
    one: int,
    ax: float,
    ay: float,
    other: int,
    bx: float,
    by: float,
    px: float,
    py: float,
) -> int:
    """Whether one way from a place is after another on the clock, 1, or before, -1."""
    if one != other:
        return 1 if one > other else -1
    if one % 2:
        return turn(px, py, ax, ay, bx, by)
    return 0


@njit(nogil=True, cache=True)
def way_back(flags: int) -> int:
    """Turn what is said of a way into what holds of the way back.

    Parameters
    ----------
    flags
        What :func:`way_begins` says of one way.

    Returns
    -------
    int
        The same of an area on the right of that way.
    """
    if flags == SAME:
        return AGAINST
    return SAME if flags == AGAINST else flags


@njit(nogil=True, cache=True)
def in_box(x: float, y: float, ax: float, ay: float, bx: float, by: float) -> bool:
    """Tell whether a place is in the closed box round an edge.

    Parameters
    ----------
    x, y
        The place. [degrees]
    ax, ay, bx, by
        The edge's ends. [degrees]

    Returns
    -------
    bool
        Whether it is.
    """
    return min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)

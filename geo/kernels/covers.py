"""Which lines and areas lie in a polygon, and which enter it: exact, on the globe.

An outline cuts what crosses or touches it into pieces, each of which lies inside,
outside or along it, and where a piece begins at the outline, the edges that meet there
say which (:mod:`geo.kernels.clock`). So every decision is the sign of a determinant of
vertices (:mod:`geo.kernels.orientation`), and no crossing is ever computed.

An area lies in a polygon when no piece of its outline is outside or has the interior of
the polygon on the other side, and no piece of the polygon's outline is inside it.

Edges are straight in longitude and latitude. Longitudes 180 and -180 are one meridian:
what a polygon has on both sides of it is no outline. A line's stretch along a pole is a
single point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.kernels.boxtree import (
    CHAIN,
    FIRST,
    LINKED,
    SKIP,
    STOP,
    BoxTree,
    boxtree,
)
from geo.kernels.clock import (
    AGAINST,
    IN,
    OUT,
    SAME,
    in_box,
    way_back,
    way_begins,
)
from geo.kernels.edges import edges_of
from geo.kernels.interiors import held, side
from geo.kernels.orientation import turn
from geo.kernels.rings import oriented
from geo.kernels.seams import boundary_of, uncut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]


class Ground(NamedTuple):
    """Features as they stand in the plane, and as they lie on the ground."""

    rings: BoxTree
    """All their edges; the interior of a polygon is on the left of each."""
    outlines: BoxTree
    """Without what a polygon has on both sides of the antimeridian."""


def areas_on_ground(polygons: Shapes) -> Ground:
    """Take polygons apart into edges with the interior on their left.

    Parameters
    ----------
    polygons
        Valid polygons, multi or not, shape ``(n,)``, longitudes in -180..180; none
        missing or empty. [degrees]

    Returns
    -------
    Ground
        Of ``n`` features.
    """
    rings_of = oriented(polygons)
    outlines_of = uncut(rings_of)
    rings = boxtree(rings_of)
    return Ground(rings, rings if outlines_of is rings_of else boxtree(outlines_of))


def lines_on_ground(lines: Shapes) -> Ground:
    """Take lines apart into edges.

    Parameters
    ----------
    lines
        Valid lines, multi or not, shape ``(n,)``, longitudes in -180..180; none
        missing or empty. [degrees]

    Returns
    -------
    Ground
        Of ``n`` features.
    """
    tree = boxtree(edges_of(lines))
    return Ground(tree, tree)


class Lying:
    """Pairs of shapes and polygons, to be asked whether one lies in the other."""

    def __init__(
        self, shapes: Shapes, polygons: Shapes, i: Ints, j: Ints, *, areal: bool
    ) -> None:
        """Take apart what is in a pair.

        Parameters
        ----------
        shapes, polygons
            Valid lines or polygons, and polygons, shapes ``(n,)`` and ``(m,)``,
            longitudes in -180..180; none missing or empty. [degrees]
        i, j
            Rows of the shapes and of the polygons, shapes ``(p,)``.
        areal
            Whether the shapes are polygons.
        """
        rows, self._rows = np.unique(i, return_inverse=True)
        columns, self._columns = np.unique(j, return_inverse=True)
        self._areal, self._polygons = areal, polygons[columns]
        self._mine = (areas_on_ground if areal else lines_on_ground)(shapes[rows])
        self._its = areas_on_ground(self._polygons)

    def at(self, start: int, stop: int) -> tuple[Bools, Bools]:
        """Tell of some pairs whether the shape enters the polygon, and lies in it.

        Parameters
        ----------
        start, stop
            The first of the pairs, and the one after the last.

        Returns
        -------
        enters, inside : numpy.ndarray
            As of :func:`lying_in`; but a line that is all along a pole is a point, and
            lies in what it enters.
        """
        rows, columns = self._rows[start:stop], self._columns[start:stop]
        enters, inside = lying_in(self._mine, self._areal, rows, self._its, columns)
        south, north = self._mine.rings.bounds[rows][:, 1::2].T
        polar = np.flatnonzero((south == north) & (np.abs(south) == 90))
        if len(polar) and not self._areal:
            outlines = boxtree(boundary_of(edges_of(self._polygons)))
            places = np.column_stack([np.zeros(len(polar)), south[polar]])
            points = np.arange(len(polar))
            pole = held(places, points, self._its.rings, outlines, columns[polar])
            enters[polar] = inside[polar] = pole
        return enters, inside


@njit(nogil=True, cache=True)
def lying_in(
    shapes: Ground, areal: bool, rows: Ints, polygons: Ground, columns: Ints
) -> tuple[Bools, Bools]:
    """Tell of pairs whether the shape enters the polygon, and whether it lies in it.

    Parameters
    ----------
    shapes, areal
        Lines or polygons, and whether they are polygons.
    rows, columns
        Pairs of a shape and a polygon, shapes ``(p,)``.
    polygons
        Polygons.

    Returns
    -------
    enters : numpy.ndarray
        Whether the interiors have a point in common, shape ``(p,)``. It is false of a
        line that is all along a pole.
    inside : numpy.ndarray
        Whether it enters and no point of the shape is outside: what ``shapely.within``
        says, or would if GEOS did not round and the antimeridian were one line.
    """
    enters = np.zeros(len(rows), dtype=np.bool_)
    inside = np.zeros(len(rows), dtype=np.bool_)
    inner, outer = (IN | SAME, OUT | AGAINST) if areal else (IN, OUT)
    for p in range(len(rows)):
        i, j = rows[p], columns[p]
        found = _pieces(shapes.outlines, i, areal, polygons, j, inner, outer)
        enters[p], inside[p] = found & inner != 0, found & outer == 0
        if areal and (inside[p] or not enters[p]):
            back = _pieces(polygons.outlines, j, True, shapes, i, IN, 0)
            if back & IN:
                enters[p], inside[p] = True, False
        inside[p] &= enters[p]
    return enters, inside


@njit(nogil=True, cache=True)
def _pieces(
    tree: BoxTree, i: int, areal: bool, polygons: Ground, j: int, inner: int, outer: int
) -> int:
    """Where the pieces of a feature's edges lie as a polygon has them.

    The search ends when it has found one of ``inner`` and, unless that is 0, one of
    ``outer``.
    """
    flags, last, known = 0, -1, 0
    outlines, bounds = polygons.outlines, polygons.rings.bounds
    node, end = tree.roots[i], tree.roots[i + 1]
    while node < end:
        if flags & inner and (flags & outer or not outer):
            return flags
        first, stop = tree.spans[node, FIRST], tree.spans[node, STOP]
        skip = tree.spans[node, SKIP]
        west, south = tree.boxes[node, 0], tree.boxes[node, 1]
        east, north = tree.boxes[node, 2], tree.boxes[node, 3]
        # What is on a meridian or pole that is one place may lie beyond the bounds.
        cut = (west == east and abs(west) == 180) or (
            south == north and abs(south) == 90
        )
        if not cut and _apart(tree.boxes, node, bounds, j):
            flags |= OUT
            node = skip
            continue
        if (
            not cut
            and west > -180
            and east < 180
            and tree.spans[node, CHAIN] & LINKED
            and _clear_of(outlines, j, tree.boxes, node)
        ):
            if not (known and last == first - 1 and _linked(tree, first)):
                known = _status(polygons.rings, j, tree.lonlat[first])
            flags |= known
            last, node = stop - 1, skip
            continue
        node += 1
        if skip != node:
            continue
        for e in range(first, stop):
            edge = tree.lonlat[e]
            if edge[1] == edge[3] and (
                edge[0] == edge[2] or (abs(edge[1]) == 90 and not areal)
            ):
                continue
            found = _places(edge, outlines, j)
            if found:
                known = 0
            else:
                if not (known and last == e - 1 and _linked(tree, e)):
                    known = _status(polygons.rings, j, edge)
                found, last = known, e
            flags |= found
            if flags & inner and (flags & outer or not outer):
                return flags
    return flags


@njit(nogil=True, cache=True)
def _places(edge: Floats, tree: BoxTree, f: int) -> int:
    """Where the pieces of an edge lie that an outline touches; 0 if it does not."""
    ax, ay, bx, by = edge[0], edge[1], edge[2], edge[3]
    flags, a_on, b_on = _along(ax, ay, bx, by, tree, f)
    if abs(ax) == 180 and ax == bx:
        more, a_too, b_too = _along(-ax, ay, -bx, by, tree, f)
        flags, a_on, b_on = flags | more, a_on | a_too, b_on | b_too
    else:
        if abs(ax) == 180 and not a_on:
            a_on = _along(-ax, ay, -ax, ay, tree, f)[1]
        if abs(bx) == 180 and not b_on:
            b_on = _along(-bx, by, -bx, by, tree, f)[1]
    if a_on:
        flags |= way_begins(tree, f, ax, ay, bx, by)
    if b_on:
        flags |= way_back(way_begins(tree, f, bx, by, ax, ay))
    return flags


@njit(nogil=True, cache=True)
def _along(
    ax: float, ay: float, bx: float, by: float, tree: BoxTree, f: int
) -> tuple[int, bool, bool]:
    """Where pieces lie that begin between an edge's ends; which ends are on an outline.

    Where all of the edge is along another, or a crossing says all, no end is said to be
    on it.
    """
    west, east, south, north = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
    flags, a_on, b_on = 0, False, False
    node, end = tree.roots[f], tree.roots[f + 1]
    while node < end:
        if (
            tree.boxes[node, 0] > east
            or tree.boxes[node, 2] < west
            or tree.boxes[node, 1] > north
            or tree.boxes[node, 3] < south
        ):
            node = tree.spans[node, SKIP]
            continue
        node += 1
        if tree.spans[node - 1, SKIP] != node:
            continue
        for g in range(tree.spans[node - 1, FIRST], tree.spans[node - 1, STOP]):
            cx, cy = tree.lonlat[g, 0], tree.lonlat[g, 1]
            dx, dy = tree.lonlat[g, 2], tree.lonlat[g, 3]
            if (
                max(cx, dx) < west
                or min(cx, dx) > east
                or max(cy, dy) < south
                or min(cy, dy) > north
                or (cx == dx and cy == dy)
            ):
                continue
            if cx == ax and cy == ay and dx == bx and dy == by:
                return SAME, False, False
            if cx == bx and cy == by and dx == ax and dy == ay:
                return AGAINST, False, False
            to_c, to_d = turn(ax, ay, bx, by, cx, cy), turn(ax, ay, bx, by, dx, dy)
            if to_c * to_d > 0:
                continue
            to_a, to_b = turn(cx, cy, dx, dy, ax, ay), turn(cx, cy, dx, dy, bx, by)
            if to_a * to_b > 0:
                continue
            if to_c * to_d * to_a * to_b != 0:
                if not _vertex_at(tree, f, ax, ay, bx, by, cx, cy, dx, dy):
                    return IN | OUT, False, False
                continue
            a_in = to_a == 0 and in_box(ax, ay, cx, cy, dx, dy)
            b_in = to_b == 0 and in_box(bx, by, cx, cy, dx, dy)
            if a_in and b_in and (ax != bx or ay != by):
                same = (bx > ax) == (dx > cx) if ax != bx else (by > ay) == (dy > cy)
                return SAME if same else AGAINST, False, False
            a_on, b_on = a_on | a_in, b_on | b_in
            for x, y, on in ((cx, cy, to_c), (dx, dy, to_d)):
                if (
                    on == 0
                    and in_box(x, y, ax, ay, bx, by)
                    and (x != ax or y != ay)
                    and (x != bx or y != by)
                ):
                    flags |= way_begins(tree, f, x, y, bx, by)
                    flags |= way_back(way_begins(tree, f, x, y, ax, ay))
    return flags, a_on, b_on


@njit(nogil=True, cache=True)
def _vertex_at(
    tree: BoxTree,
    f: int,
    ax: float,
    ay: float,
    bx: float,
    by: float,
    cx: float,
    cy: float,
    dx: float,
    dy: float,
) -> bool:
    """Whether a feature has a vertex where two edges cross."""
    west, south = max(min(ax, bx), min(cx, dx)), max(min(ay, by), min(cy, dy))
    east, north = min(max(ax, bx), max(cx, dx)), min(max(ay, by), max(cy, dy))
    node, end = tree.roots[f], tree.roots[f + 1]
    while node < end:
        if (
            tree.boxes[node, 0] > east
            or tree.boxes[node, 2] < west
            or tree.boxes[node, 1] > north
            or tree.boxes[node, 3] < south
        ):
            node = tree.spans[node, SKIP]
            continue
        node += 1
        if tree.spans[node - 1, SKIP] != node:
            continue
        for g in range(tree.spans[node - 1, FIRST], tree.spans[node - 1, STOP]):
            for k in (0, 2):
                x, y = tree.lonlat[g, k], tree.lonlat[g, k + 1]
                if (
                    west <= x <= east
                    and south <= y <= north
                    and turn(ax, ay, bx, by, x, y) == 0
                    and turn(cx, cy, dx, dy, x, y) == 0
                ):
                    return True
    return False


@njit(nogil=True, cache=True)
def _status(rings: BoxTree, f: int, edge: Floats) -> int:
    """Where an edge lies that the outline does not touch."""
    for k in (0, 2):
        if abs(edge[k]) != 180:
            return IN if side(rings, f, edge[k], edge[k + 1]) > 0 else OUT
    y, inside = edge[1], False
    node, end = rings.roots[f], rings.roots[f + 1]
    while node < end:
        if rings.boxes[node, 2] < 180:
            node = rings.spans[node, SKIP]
            continue
        node += 1
        if rings.spans[node - 1, SKIP] != node:
            continue
        for g in range(rings.spans[node - 1, FIRST], rings.spans[node - 1, STOP]):
            if rings.lonlat[g, 0] == 180 and rings.lonlat[g, 2] == 180:
                inside ^= (rings.lonlat[g, 1] > y) != (rings.lonlat[g, 3] > y)
    return IN if inside else OUT


@njit(nogil=True, cache=True)
def _clear_of(tree: BoxTree, f: int, boxes: Floats, k: int) -> bool:
    """Whether no leaf of a feature's tree meets a box."""
    node, end = tree.roots[f], tree.roots[f + 1]
    while node < end:
        skip = tree.spans[node, SKIP]
        if _apart(tree.boxes, node, boxes, k):
            node = skip
            continue
        node += 1
        if skip == node:
            return False
    return True


@njit(nogil=True, cache=True)
def _apart(a: Floats, i: int, b: Floats, j: int) -> bool:
    """Whether two closed boxes have no point in common."""
    return bool(
        a[i, 0] > b[j, 2] or a[i, 2] < b[j, 0] or a[i, 1] > b[j, 3] or a[i, 3] < b[j, 1]
    )


@njit(nogil=True, cache=True)
def _linked(tree: BoxTree, e: int) -> bool:
    """Whether an edge begins where the one before it ends."""
    return bool(
        tree.lonlat[e, 0] == tree.lonlat[e - 1, 2]
        and tree.lonlat[e, 1] == tree.lonlat[e - 1, 3]
    )

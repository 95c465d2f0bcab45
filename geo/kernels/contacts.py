"""Which features have a point in common.

Two have when an edge of one and an edge of the other have, or when one has a part, and
so the first vertex of a stretch of linked edges, in the interior of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.boxtree import CHAIN, FIRST, LINKED, SKIP, STOP, BoxTree
from geo.kernels.interiors import side
from geo.kernels.orientation import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


@njit(nogil=True, cache=True)
def in_contact(
    left: BoxTree,
    left_areal: Bools,
    rows: Ints,
    right: BoxTree,
    right_areal: Bools,
    columns: Ints,
) -> Bools:
    """Tell whether each pair of features has a point in common, in the plane.

    Parameters
    ----------
    left, right
        Trees of the features.
    left_areal, right_areal
        Whether each feature is a polygon, shapes ``(n,)`` and ``(m,)``.
    rows, columns
        Pairs of a feature of left and one of right, shapes ``(p,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(p,)``.
    """
    meet = np.empty(len(rows), dtype=np.bool_)
    for p in range(len(rows)):
        i, j = rows[p], columns[p]
        meet[p] = (
            _edges_meet(left, i, right, j)
            or (right_areal[j] and _has_part_in(left, i, right, j))
            or (left_areal[i] and _has_part_in(right, j, left, i))
        )
    return meet


@njit(nogil=True, cache=True)
def _edges_meet(left: BoxTree, i: int, right: BoxTree, j: int) -> bool:
    """Whether an edge of one feature and an edge of the other have a common point.

    Two edges have when their boxes have, and neither has both ends strictly on one
    side of the other.
    """
    mine, p_boxes, p_spans = left.lonlat, left.boxes, left.spans
    its, q_boxes, q_spans = right.lonlat, right.boxes, right.spans
    p, p_end = left.roots[i], left.roots[i + 1]
    while p < p_end:
        if _apart(p_boxes, p, right.bounds, j):
            p = p_spans[p, SKIP]
            continue
        leaf = p
        p += 1
        if p_spans[leaf, SKIP] != p:
            continue
        q, q_end = right.roots[j], right.roots[j + 1]
        while q < q_end:
            if _apart(p_boxes, leaf, q_boxes, q):
                q = q_spans[q, SKIP]
                continue
            q += 1
            if q_spans[q - 1, SKIP] != q:
                continue
            q_west, q_south = q_boxes[q - 1, 0], q_boxes[q - 1, 1]
            q_east, q_north = q_boxes[q - 1, 2], q_boxes[q - 1, 3]
            first, stop = q_spans[q - 1, FIRST], q_spans[q - 1, STOP]
            for e in range(p_spans[leaf, FIRST], p_spans[leaf, STOP]):
                ax, ay, bx, by = mine[e, 0], mine[e, 1], mine[e, 2], mine[e, 3]
                west, east = min(ax, bx), max(ax, bx)
                south, north = min(ay, by), max(ay, by)
                if west > q_east or east < q_west or south > q_north or north < q_south:
                    continue
                for g in range(first, stop):
                    cx, cy, dx, dy = its[g, 0], its[g, 1], its[g, 2], its[g, 3]
                    if (
                        min(cx, dx) <= east
                        and max(cx, dx) >= west
                        and min(cy, dy) <= north
                        and max(cy, dy) >= south
                        and turn(ax, ay, bx, by, cx, cy) * turn(ax, ay, bx, by, dx, dy)
                        <= 0
                        and turn(cx, cy, dx, dy, ax, ay) * turn(cx, cy, dx, dy, bx, by)
                        <= 0
                    ):
                        return True
    return False


@njit(nogil=True, cache=True)
def _has_part_in(left: BoxTree, i: int, right: BoxTree, j: int) -> bool:
    """Whether a part of one feature starts in a polygon, on neither's boundary.

    Linked edges are one part: the start of the first speaks for all.
    """
    node, end = left.roots[i], left.roots[i + 1]
    while node < end:
        chain = left.spans[node, CHAIN]
        first, stop = left.spans[node, FIRST], left.spans[node, STOP]
        skip = left.spans[node, SKIP]
        if chain == LINKED or _apart(left.boxes, node, right.bounds, j):
            node = skip
            continue
        if chain & LINKED:
            stop = first + 1
        elif skip != node + 1:
            node += 1
            continue
        node = skip
        for e in range(first, stop):
            if side(right, j, left.lonlat[e, 0], left.lonlat[e, 1]) >= 0:
                return True
    return False


@njit(nogil=True, cache=True)
def _apart(a: Floats, i: int, b: Floats, j: int) -> bool:
    """Whether two closed boxes have no point in common."""
    return bool(
        a[i, 0] > b[j, 2] or a[i, 2] < b[j, 0] or a[i, 1] > b[j, 3] or a[i, 3] < b[j, 1]
    )

"""Which points lie in the interior of a polygon.

Inside is an odd number of edges crossed on the way east, and on no edge. A stretch of
an outline that lies wholly to the east is crossed an odd number of times when its ends
are north and south of the point, so a tree over the stretches answers in about
logarithmic time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.boxtree import CHAIN, FIRST, LINKED, SKIP, STOP, BoxTree
from geo.kernels.orientation import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


@njit(nogil=True, cache=True)
def held(
    lonlat: Floats, rows: Ints, rings: BoxTree, outlines: BoxTree, columns: Ints
) -> Bools:
    """Tell whether each pair's polygon holds its point.

    Parameters
    ----------
    lonlat
        Points, shape ``(k, 2)``. [degrees]
    rows, columns
        Pairs of a point and a polygon, shapes ``(p,)``.
    rings, outlines
        Trees of the polygons as they stand, and of their boundaries on the ground
        (:func:`geo.kernels.seams.boundary_of`).

    Returns
    -------
    numpy.ndarray
        Shape ``(p,)``. A point on longitude ±180 or at a pole is held where the
        polygon covers the ground all round it, any other as in the plane.
    """
    inside = np.empty(len(rows), dtype=np.bool_)
    for p in range(len(rows)):
        x, y = lonlat[rows[p], 0], lonlat[rows[p], 1]
        if abs(x) == 180 or abs(y) == 90:
            inside[p] = _covers_cut(rings, outlines, columns[p], y)
        else:
            inside[p] = side(rings, columns[p], x, y) > 0
    return inside


@njit(nogil=True, cache=True)
def side(tree: BoxTree, f: int, x: float, y: float) -> int:
    """Tell on which side of its boundary a polygon has a point.

    Parameters
    ----------
    tree, f
        Trees of polygons and the row of one.
    x, y
        Longitude and latitude. [degrees]

    Returns
    -------
    int
        1 inside, 0 on the boundary, -1 outside, in the plane.
    """
    lonlat, boxes, spans = tree.lonlat, tree.boxes, tree.spans
    inside = False
    node, end = tree.roots[f], tree.roots[f + 1]
    while node < end:
        if y < boxes[node, 1] or y > boxes[node, 3] or x > boxes[node, 2]:
            node = spans[node, SKIP]
            continue
        first, stop = spans[node, FIRST], spans[node, STOP]
        if x < boxes[node, 0] and spans[node, CHAIN] & LINKED:
            if (lonlat[first, 1] > y) != (lonlat[stop - 1, 3] > y):
                inside = not inside
            node = spans[node, SKIP]
            continue
        node += 1
        if spans[node - 1, SKIP] != node:
            continue
        for e in range(first, stop):
            ax, ay, bx, by = lonlat[e, 0], lonlat[e, 1], lonlat[e, 2], lonlat[e, 3]
            if (ay > y) == (by > y):
                if ay == y and (
                    ax == x or (by == y and min(ax, bx) <= x <= max(ax, bx))
                ):
                    return 0
            elif ax > x and bx > x:
                inside = not inside
            elif ax >= x or bx >= x:
                turned = turn(ax, ay, bx, by, x, y)
                if turned == 0:
                    return 0
                if (turned > 0) == (by > ay):
                    inside = not inside
    return 1 if inside else -1


@njit(nogil=True, cache=True)
def _covers_cut(rings: BoxTree, outlines: BoxTree, f: int, y: float) -> bool:
    """Whether a point on longitude ±180 or at a pole is in a polygon's interior.

    It is when no boundary on the ground touches it and the plane's cut does.
    """
    polar = abs(y) == 90
    node, end = outlines.roots[f], outlines.roots[f + 1]
    lonlat, boxes, spans = outlines.lonlat, outlines.boxes, outlines.spans
    while node < end:
        if y < boxes[node, 1] or y > boxes[node, 3]:
            node = spans[node, SKIP]
            continue
        node += 1
        if spans[node - 1, SKIP] != node:
            continue
        for e in range(spans[node - 1, FIRST], spans[node - 1, STOP]):
            a_on = polar or abs(lonlat[e, 0]) == 180
            b_on = polar or abs(lonlat[e, 2]) == 180
            ay, by = lonlat[e, 1], lonlat[e, 3]
            if (a_on and ay == y) or (b_on and by == y):
                return False
            if (
                abs(lonlat[e, 0]) == 180
                and lonlat[e, 0] == lonlat[e, 2]
                and min(ay, by) <= y <= max(ay, by)
            ):
                return False
    if polar:
        return bool(rings.bounds[f, 1] == y or rings.bounds[f, 3] == y)
    inside = False
    node, end = rings.roots[f], rings.roots[f + 1]
    lonlat, boxes, spans = rings.lonlat, rings.boxes, rings.spans
    while node < end:
        if y < boxes[node, 1] or y > boxes[node, 3] or boxes[node, 2] < 180:
            node = spans[node, SKIP]
            continue
        node += 1
        if spans[node - 1, SKIP] != node:
            continue
        for e in range(spans[node - 1, FIRST], spans[node - 1, STOP]):
            if lonlat[e, 0] == 180 and lonlat[e, 2] == 180:
                inside ^= (lonlat[e, 1] > y) != (lonlat[e, 3] > y)
    return inside

"""Which boundaries a point may reach: a quick test that never misses one.

Where a path of the reach's length can get to, one degree of latitude is at least ``M``
long and one of longitude at least ``N cos φ``, with the radii of curvature M at the
latitude nearest to the equator and N at the one nearest to a pole. A straight distance
in the plane that is stretched by these two is never longer than the geodesic; it is
also taken from the point's image one turn away. Where the path can get to a pole,
longitude counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M
from geo.kernels.boxtree import FIRST, SKIP, STOP, BoxTree

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_MARGIN_M = 1e-6
"""Rounding in a distance of the plane round a point is far below this. [m]"""

_MARGIN_DEG = 1e-12
"""Rounding in the side of a box round a point is far below this. [degrees]"""


@njit(nogil=True, cache=True)
def scaled(lonlat: Floats, reach: Floats) -> Floats:
    """Lay the plane in which each point measures.

    Parameters
    ----------
    lonlat, reach
        Points and how far they may reach, shapes ``(k, 2)`` and ``(k,)``.
        [degrees, m]

    Returns
    -------
    numpy.ndarray
        Of each point, shape ``(k, 5)``: longitude; longitude of its image where the
        reach may cross the antimeridian, else again its longitude; latitude
        [degrees]; length of a degree of longitude and of one of latitude, at the
        least [m].
    """
    flattest = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
    degree = np.pi / 180 * (1 - 1e-9)
    planes = np.empty((len(lonlat), 5))
    for k in range(len(lonlat)):
        x, y = lonlat[k, 0], lonlat[k, 1]
        band = np.degrees(reach[k] / flattest) * (1 + 1e-9)
        steepest = abs(y) + band
        sine = np.sin(np.radians(max(abs(y) - band, 0.0)))
        rest = 1 - ECCENTRICITY_SQUARED * sine * sine
        tall = degree * flattest / (rest * np.sqrt(rest))
        wide = 0.0
        if steepest < 90:
            sine = np.sin(np.radians(steepest))
            wide = degree * EQUATORIAL_RADIUS_M * np.cos(np.radians(steepest))
            wide /= np.sqrt(1 - ECCENTRICITY_SQUARED * sine * sine)
        image = x
        if (180 - abs(x)) * wide <= reach[k] + _MARGIN_M:
            image = x - 360 if x > 0 else x + 360
        planes[k, 0], planes[k, 1], planes[k, 2] = x, image, y
        planes[k, 3], planes[k, 4] = wide, tall
    return planes


@njit(nogil=True, cache=True)
def boxes_round(planes: Floats, reach: Floats) -> tuple[Floats, Bools]:
    """Lay boxes round points that hold all that the points may reach.

    Parameters
    ----------
    planes, reach
        Points as :func:`scaled` lays them, and their reaches, shapes ``(k, 5)`` and
        ``(k,)``. [m]

    Returns
    -------
    boxes : numpy.ndarray
        West, south, east, north, shape ``(k, 4)``. [degrees]
    whole : numpy.ndarray
        Whether the box does hold all, shape ``(k,)``: not where the reach may get
        across the antimeridian or to a pole.
    """
    boxes = np.empty((len(planes), 4))
    whole = np.empty(len(planes), dtype=np.bool_)
    for k in range(len(planes)):
        x, image, y, wide, tall = planes[k]
        whole[k] = wide > 0 and image == x
        across, along = _half_sides(reach[k] + _MARGIN_M, wide, tall)
        boxes[k, 0], boxes[k, 1] = x - across, y - along
        boxes[k, 2], boxes[k, 3] = x + across, y + along
    return boxes, whole


@njit(nogil=True, cache=True)
def search_near(
    planes: Floats,
    reach: Floats,
    begin: int,
    tree: BoxTree,
    order: Ints,
    width: Floats,
    widest: Floats,
    rows: Ints,
    columns: Ints,
) -> tuple[int, int]:
    """Find the boxes of an index that points may reach.

    Parameters
    ----------
    planes, reach
        Points as :func:`scaled` lays them for the widest width, and their reaches,
        shapes ``(k, 5)`` and ``(k,)``. [m]
    begin, tree, order, rows, columns
        As for :func:`geo.kernels.boxtree.search`.
    width, widest
        Width round each feature and the widest in each node. [m]

    Returns
    -------
    next, n : int
        As :func:`geo.kernels.boxtree.search`.
    """
    full = len(rows) - len(tree.lonlat)
    n = 0
    for k in range(begin, len(planes)):
        if n > full:
            return k, n
        node = 0
        while node < len(tree.boxes):
            skip = tree.spans[node, SKIP]
            if _gap(tree.boxes, node, planes, k) > reach[k] + widest[node] + _MARGIN_M:
                node = skip
                continue
            node += 1
            if skip != node:
                continue
            for e in range(tree.spans[node - 1, FIRST], tree.spans[node - 1, STOP]):
                limit = reach[k] + width[order[e]] + _MARGIN_M
                if _gap(tree.lonlat, e, planes, k) <= limit:
                    rows[n], columns[n] = k, order[e]
                    n += 1
    return len(planes), n


@njit(nogil=True, cache=True)
def reached(
    planes: Floats, rows: Ints, outlines: BoxTree, columns: Ints, slack: Floats
) -> Bools:
    """Tell whether an edge of a feature may be within the slack of a point.

    Parameters
    ----------
    planes
        Points as :func:`scaled` lays them, for the slack or more, shape ``(k, 5)``.
    rows, outlines, columns
        Pairs of a point and a feature of ``outlines``, shapes ``(p,)``.
    slack
        Of each pair, shape ``(p,)``. No edge is within a slack of 0. [m]

    Returns
    -------
    numpy.ndarray
        Shape ``(p,)``.
    """
    # Arrays, not the tree, are handed on: taking a tree apart costs like a search.
    lonlat, boxes, spans, roots, _ = outlines
    found = np.zeros(len(rows), dtype=np.bool_)
    for p in range(len(rows)):
        if slack[p] <= 0:
            continue
        limit = slack[p] * (1 + 1e-9) + _MARGIN_M
        k, first, end = rows[p], roots[columns[p]], roots[columns[p] + 1]
        x, image, y = planes[k, 0], planes[k, 1], planes[k, 2]
        scale = planes[k, 3], planes[k, 4]
        found[p] = _reaches(lonlat, boxes, spans, first, end, x, y, scale, limit)
        if not found[p] and image != x:
            found[p] = _reaches(
                lonlat, boxes, spans, first, end, image, y, scale, limit
            )
    return found


@njit(nogil=True, cache=True, inline="always")
def _reaches(
    lonlat: Floats,
    boxes: Floats,
    spans: Ints,
    node: int,
    end: int,
    x: float,
    y: float,
    scale: tuple[float, float],
    limit: float,
) -> bool:
    """Whether an edge of some nodes is within a limit in the plane of a point."""
    wide, tall = scale
    across, along = _half_sides(limit, wide, tall)
    west, south, east, north = x - across, y - along, x + across, y + along
    while node < end:
        # All four sides at once: one branch, nearly always taken.
        if (
            (east < boxes[node, 0])
            | (north < boxes[node, 1])
            | (west > boxes[node, 2])
            | (south > boxes[node, 3])
        ):
            node = spans[node, SKIP]
            continue
        node += 1
        if spans[node - 1, SKIP] != node:
            continue
        for e in range(spans[node - 1, FIRST], spans[node - 1, STOP]):
            ax, ay, bx, by = lonlat[e, 0], lonlat[e, 1], lonlat[e, 2], lonlat[e, 3]
            if (
                (max(ax, bx) < west)
                | (min(ax, bx) > east)
                | (max(ay, by) < south)
                | (min(ay, by) > north)
            ):
                continue
            px, py = (ax - x) * wide, (ay - y) * tall
            qx, qy = (bx - x) * wide, (by - y) * tall
            dx, dy = qx - px, qy - py
            square = dx * dx + dy * dy
            t = 0.0
            if square > 0:
                t = min(max(-(px * dx + py * dy) / square, 0.0), 1.0)
            if np.sqrt((px + t * dx) ** 2 + (py + t * dy) ** 2) <= limit:
                return True
    return False


@njit(nogil=True, cache=True)
def _half_sides(limit: float, wide: float, tall: float) -> tuple[float, float]:
    """How far a limit gets in longitude and in latitude. [degrees]."""
    across = limit / wide + _MARGIN_DEG if wide > 0 else np.inf
    return across, limit / tall + _MARGIN_DEG


@njit(nogil=True, cache=True)
def _gap(boxes: Floats, b: int, planes: Floats, k: int) -> float:
    """Distance in the plane from a point or its image to a box. [m]."""
    x, image, y, wide, tall = planes[k]
    dx = min(
        max(boxes[b, 0] - x, x - boxes[b, 2], 0.0),
        max(boxes[b, 0] - image, image - boxes[b, 2], 0.0),
    )
    dy = max(boxes[b, 1] - y, y - boxes[b, 3], 0.0)
    return float(np.sqrt((dx * wide) ** 2 + (dy * tall) ** 2))

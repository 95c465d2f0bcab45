"""Outlines of polygons turned so that the interior is on the left of each edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.boxtree import paired
from geo.kernels.edges import Edges
from geo.kernels.orientation import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]


def oriented(polygons: Shapes) -> Edges:
    """Take polygons apart into edges with the interior on their left.

    Parameters
    ----------
    polygons
        Valid polygons, multi or not, shape ``(n,)``; none missing or empty, but
        perhaps some of their parts. [degrees]

    Returns
    -------
    Edges
        Of outlines, anticlockwise, and of holes, clockwise.

    Examples
    --------
    >>> from shapely import Polygon
    >>> clockwise = Polygon([(0, 0), (0, 1), (1, 0)])
    >>> oriented(np.array([clockwise])).lonlat.tolist()
    [[0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0]]
    """
    import shapely

    parts, owner = shapely.get_parts(polygons, return_index=True)
    solid = ~shapely.is_empty(parts)
    parts, owner = parts[solid], owner[solid]
    rings, part = shapely.get_rings(parts, return_index=True)
    solid = ~shapely.is_empty(rings)
    rings, part = rings[solid], part[solid]
    vertices = shapely.get_num_coordinates(rings).astype(np.intp)
    lonlat = np.ascontiguousarray(shapely.get_coordinates(rings))
    _turn_to_left(lonlat, vertices, np.diff(part, prepend=-1) != 0)
    counts = np.bincount(owner[part], vertices - 1, len(polygons))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    return Edges(lonlat=paired(lonlat, vertices), offsets=offsets)


@njit(nogil=True, cache=True)
def _turn_to_left(xy: Floats, vertices: Ints, outer: Bools) -> None:
    """Turn rings so that the interior is on the left: of holes, what is round them.

    The way round is the turn at the westernmost vertex, the southernmost of them.
    """
    begin = 0
    for r in range(len(vertices)):
        n = vertices[r] - 1  # the last is the first again
        low = 0
        for k in range(1, n):
            x, y = xy[begin + k, 0], xy[begin + k, 1]
            if x < xy[begin + low, 0] or (
                x == xy[begin + low, 0] and y < xy[begin + low, 1]
            ):
                low = k
        x, y = xy[begin + low, 0], xy[begin + low, 1]
        before, after = low, low
        for _ in range(n):
            before = (before - 1) % n
            if xy[begin + before, 0] != x or xy[begin + before, 1] != y:
                break
        for _ in range(n):
            after = (after + 1) % n
            if xy[begin + after, 0] != x or xy[begin + after, 1] != y:
                break
        a, b = xy[begin + before], xy[begin + after]
        turned = turn(a[0], a[1], x, y, b[0], b[1])
        if turned != 0 and (turned > 0) != outer[r]:
            for k in range(vertices[r] // 2):
                last = begin + n - k
                for c in range(2):
                    other = xy[begin + k, c]
                    xy[begin + k, c] = xy[last, c]
                    xy[last, c] = other
        begin += vertices[r]

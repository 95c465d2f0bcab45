"""Index pairs that a join has to look at, found fast and without missing any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M, distance
from geo.uncertainty import METRES_PER_DEGREE

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.spatial import cKDTree

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_CURVATURE_RATIO = (1 - ECCENTRICITY_SQUARED) ** -1.5
"""Largest over smallest radius of curvature of the ellipsoid, about 1.0101."""

_SMALLEST_CURVATURE_RADIUS_M = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
"""Radius of curvature along the meridian at the equator. [m]"""


def nearest_pairs(left: Floats, right: Floats, k: int) -> tuple[Ints, Ints]:
    """Pair each place with its k nearest, by geodesic distance.

    Parameters
    ----------
    left, right
        Longitudes and latitudes, shapes ``(n, 2)`` and ``(m, 2)``. [degrees]
    k
        How many neighbours, 1 to ``m``.

    Returns
    -------
    i, j : numpy.ndarray
        Rows of left and of right, each of shape ``(n * k,)``: by left row, then by
        distance, then by right row. Empty when a side is.

    Notes
    -----
    The angle between two normals of the ellipsoid times a radius of curvature bounds
    the geodesic from both sides, so the k nearest lie within the angle of the k-th
    hit of the k-d tree, widened by the ratio of the radii.
    """
    if not len(left) or not len(right):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    tree, queries = _tree(right), _unit_vectors(left)
    chord = np.asarray(tree.query(queries, k=[k])[0])[:, 0]
    angle = 2 * np.arcsin(np.clip(chord / 2, 0, 1)) * _CURVATURE_RATIO
    i, j = _ball(tree, queries, np.minimum(angle, np.pi))
    order = np.lexsort((j, distance(*left[i].T, *right[j].T), i))
    i, j = i[order], j[order]
    rank = np.arange(len(i)) - np.searchsorted(i, i)
    return i[rank < k], j[rank < k]


def pairs_within(left: Floats, right: Floats, reach_m: Floats) -> tuple[Ints, Ints]:
    """Pair each place with all that are within its reach, and a few beyond.

    Parameters
    ----------
    left, right
        Longitudes and latitudes, shapes ``(n, 2)`` and ``(m, 2)``. [degrees]
    reach_m
        Reach of each left place, shape ``(n,)``. [m]

    Returns
    -------
    i, j : numpy.ndarray
        Rows of left, rising, and of right. No pair within reach is missed; some up
        to two per cent beyond it may be there.
    """
    if not len(left) or not len(right):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    angle = np.minimum(reach_m / _SMALLEST_CURVATURE_RADIUS_M, np.pi)
    return _ball(_tree(right), _unit_vectors(left), angle)


def pairs_meeting(
    bounds: Floats, reach_m: Floats, outlines: NDArray[np.object_]
) -> tuple[Ints, Ints]:
    """Pair boxes, widened by a reach, with the outlines whose bounds they meet.

    Parameters
    ----------
    bounds
        West, south, east, north of each box, shape ``(n, 4)``. [degrees]
    reach_m
        How far beyond its box each one reaches, shape ``(n,)``. [m]
    outlines
        Geometries in EPSG:4326, shape ``(m,)``.

    Returns
    -------
    i, j : numpy.ndarray
        Rows of the boxes, rising, and of the outlines; across the antimeridian too.
    """
    import shapely

    west, south, east, north = bounds.T
    reach = reach_m / METRES_PER_DEGREE * 1.01 + 1e-9
    polar = np.minimum(np.maximum(-south, north) + reach, 90.0)
    wide = np.minimum(reach / np.maximum(np.cos(np.radians(polar)), 1e-6), 360.0)
    tree = shapely.STRtree(outlines)
    pairs: set[tuple[int, int]] = set()
    for turn in (0.0, 360.0, -360.0):
        boxes = shapely.box(
            west - wide - turn, south - reach, east + wide - turn, north + reach
        )
        i, j = tree.query(boxes)
        pairs.update(zip(i.tolist(), j.tolist(), strict=True))
    ij = np.array(sorted(pairs), dtype=np.intp).reshape(-1, 2)
    return ij[:, 0], ij[:, 1]


def _ball(tree: cKDTree, queries: Floats, angle: Floats) -> tuple[Ints, Ints]:
    """Index pairs of queries and tree points no more than an angle apart."""
    found = tree.query_ball_point(queries, 2 * np.sin(angle / 2) + 1e-12)
    i = np.repeat(np.arange(len(queries)), [len(hits) for hits in found])
    j = np.concatenate([*found, []]).astype(np.intp)
    return i, j


def _tree(lonlat: Floats) -> cKDTree:
    """Index places by their unit vectors."""
    from scipy.spatial import cKDTree

    return cKDTree(_unit_vectors(lonlat))


def _unit_vectors(lonlat: Floats) -> Floats:
    """Vectors normal to the ellipsoid at each ``lonlat``, shape ``(n, 3)``."""
    lon, lat = np.radians(lonlat).T
    return np.column_stack(
        [np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]
    )

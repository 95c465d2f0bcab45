"""Places that stand for equal parts of a line or an area."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import ellipsoid

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]

LINES_ACROSS = 48
"""On as many parallels an area is sampled; as many places as its square are taken."""


def places_along(line: BaseGeometry) -> Floats:
    """Places at equal distances along a line.

    Parameters
    ----------
    line
        A line, multi or not, in EPSG:4326. [degrees]

    Returns
    -------
    numpy.ndarray
        Longitude and latitude, shape ``(2304, 2)``; each stands for an equal part of
        the length. [degrees]
    """
    import shapely

    parts = shapely.get_parts(line)
    lonlat, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    start, way = lonlat[:-1][same], np.diff(lonlat, axis=0)[same]
    length = np.asarray(ellipsoid().inv(*start.T, *(start + way).T)[2])
    return _spread(start, way, length)


def places_across(area: BaseGeometry) -> Floats:
    """Places at equal distances along 48 parallels through an area.

    Parameters
    ----------
    area
        A polygon, multi or not, in EPSG:4326. [degrees]

    Returns
    -------
    numpy.ndarray
        Longitude and latitude, shape ``(2304, 2)``; each stands for an equal part of
        the area. [degrees]
    """
    import shapely

    parts = shapely.get_rings(shapely.get_parts(area))
    lonlat, ring = shapely.get_coordinates(parts, return_index=True)
    same = ring[1:] == ring[:-1]
    a, b = lonlat[:-1][same], lonlat[1:][same]
    south, north = lonlat[:, 1].min(), lonlat[:, 1].max()
    starts, ways, weights = [], [], []
    for k in range(LINES_ACROSS):
        lat = south + (k + 0.5) / LINES_ACROSS * (north - south)
        cut = np.flatnonzero((a[:, 1] > lat) != (b[:, 1] > lat))
        up = (lat - a[cut, 1]) / (b[cut, 1] - a[cut, 1])
        lon = np.sort(a[cut, 0] + up * (b[cut, 0] - a[cut, 0]))
        west, wide = lon[::2], lon[1::2] - lon[::2]
        starts.append(np.column_stack([west, np.full(len(west), lat)]))
        ways.append(np.column_stack([wide, np.zeros(len(wide))]))
        weights.append(wide * np.cos(np.radians(lat)))
    return _spread(np.vstack(starts), np.vstack(ways), np.concatenate(weights))


def _spread(start: Floats, way: Floats, weight: Floats) -> Floats:
    """Places spread evenly over ways that have a weight, one after the other."""
    n = LINES_ACROSS**2
    reached = np.cumsum(weight)
    at = (np.arange(n) + 0.5) / n * reached[-1]
    k = np.minimum(np.searchsorted(reached, at, side="right"), len(weight) - 1)
    share = (at - (reached[k] - weight[k])) / np.where(weight[k] > 0, weight[k], 1.0)
    places: Floats = start[k] + np.clip(share, 0.0, 1.0)[:, None] * way[k]
    return places

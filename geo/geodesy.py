"""Distance, azimuth, area, lines and discs on the WGS 84 ellipsoid.

Every function takes arrays or plain numbers in degrees, longitude before latitude,
and rests on Karney's solutions [1]_ as PROJ carries them.

References
----------
.. [1] C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87, 43-55, 2013.
   https://doi.org/10.1007/s00190-012-0578-z
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import GeometryError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray
    from pyproj import Geod
    from shapely import LineString, Polygon
    from shapely.geometry.base import BaseGeometry

EQUATORIAL_RADIUS_M = 6_378_137.0
"""Semi-major axis of WGS 84. [m]"""

FLATTENING = 1 / 298.257223563
"""Flattening of WGS 84. [1]"""

ECCENTRICITY_SQUARED = FLATTENING * (2 - FLATTENING)
"""First eccentricity squared of WGS 84. [1]"""


class Inverse(NamedTuple):
    """What lies between two places: arrays of one shape."""

    azimuth_deg: NDArray[np.float64]
    """Azimuth at the first place, clockwise from north, 0 to 360. [degrees]"""
    back_azimuth_deg: NDArray[np.float64]
    """Azimuth at the second place, looking back, 0 to 360. [degrees]"""
    distance_m: NDArray[np.float64]
    """Length of the shortest geodesic. [m]"""


@cache
def ellipsoid() -> Geod:
    """Return PROJ's solver for WGS 84.

    Returns
    -------
    pyproj.Geod
        One shared, immutable object.
    """
    from pyproj import Geod

    return Geod(ellps="WGS84")


def inverse(
    lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike
) -> Inverse:
    """Solve the inverse geodesic problem between places, pair by pair.

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Longitudes and latitudes; shapes that broadcast to one shape. [degrees]

    Returns
    -------
    Inverse
        Azimuths and distance, each in the broadcast shape.

    Examples
    --------
    >>> there = inverse(0, 0, 0, 1)
    >>> there.azimuth_deg.item(), round(there.distance_m.item(), 3)
    (0.0, 110574.389)
    """
    (x1, y1, x2, y2), shape = _flat(lon1, lat1, lon2, lat2)
    forward, back, distance_m = ellipsoid().inv(x1, y1, x2, y2)
    return Inverse(
        np.asarray(forward).reshape(shape) % 360,
        np.asarray(back).reshape(shape) % 360,
        np.asarray(distance_m, dtype=np.float64).reshape(shape),
    )


def distance(
    lon1: ArrayLike, lat1: ArrayLike, lon2: ArrayLike, lat2: ArrayLike
) -> NDArray[np.float64]:
    """Geodesic distance between places, pair by pair.

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Longitudes and latitudes; shapes that broadcast to one shape. [degrees]

    Returns
    -------
    numpy.ndarray
        Distances in the broadcast shape. [m]

    Examples
    --------
    Across the antimeridian at Fiji's latitude:

    >>> round(distance(179.9, -17, -179.9, -17).item())
    21297
    """
    return inverse(lon1, lat1, lon2, lat2).distance_m


def destination(
    lon: ArrayLike, lat: ArrayLike, azimuth_deg: ArrayLike, distance_m: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Places reached by going a distance along an azimuth.

    Parameters
    ----------
    lon, lat
        Start; shapes that broadcast with the others. [degrees]
    azimuth_deg
        Direction at the start, clockwise from north. [degrees]
    distance_m
        Length of the way. [m]

    Returns
    -------
    lon, lat : numpy.ndarray
        Longitudes in -180..180 and latitudes, each in the broadcast shape. [degrees]
    """
    (x, y, azimuths, lengths), shape = _flat(lon, lat, azimuth_deg, distance_m)
    lons, lats, _ = ellipsoid().fwd(x, y, azimuths, lengths)
    return np.asarray(lons).reshape(shape), np.asarray(lats).reshape(shape)


def line(
    lon1: float, lat1: float, lon2: float, lat2: float, *, max_segment_m: float = 20_000
) -> LineString:
    """Geodesic between two places, densified so that straight pieces follow it.

    Longitudes run on past 180 degrees where the line crosses the antimeridian, so
    that it stays in one piece.

    Parameters
    ----------
    lon1, lat1, lon2, lat2
        Ends. [degrees]
    max_segment_m
        Longest piece; a piece of 20 km leaves the geodesic by less than 20 m below
        60 degrees of latitude. [m]

    Returns
    -------
    shapely.LineString
        In EPSG:4326, with both ends exactly as given (the last longitude up to a
        whole turn).

    Raises
    ------
    GeometryError
        If ``max_segment_m`` is not positive.

    Examples
    --------
    >>> line(124.7, 39.7, 124.4, 40.1, max_segment_m=1e6).wkt
    'LINESTRING (124.7 39.7, 124.4 40.1)'
    """
    from shapely import LineString

    if not max_segment_m > 0:
        raise GeometryError(
            f"max_segment_m is {max_segment_m}; expected a positive length in metres"
        )
    total_m = distance(lon1, lat1, lon2, lat2).item()
    pieces = max(1, int(np.ceil(total_m / max_segment_m)))
    inner = ellipsoid().npts(lon1, lat1, lon2, lat2, pieces - 1) if pieces > 1 else []
    lonlat = np.array([(lon1, lat1), *inner, (lon2, lat2)], dtype=np.float64)
    lonlat[:, 0] = np.unwrap(lonlat[:, 0], period=360)
    return LineString(lonlat)


def disc(lon: float, lat: float, radius_m: float, *, vertices: int = 360) -> Polygon:
    """Geodesic disc: every place no farther than a radius from the centre.

    Parameters
    ----------
    lon, lat
        Centre. [degrees]
    radius_m
        Radius. [m]
    vertices
        Number of corners, all exactly on the circle; the straight edges between them
        lie inside it by at most ``radius_m * (1 - cos(pi / vertices))``, 0.04 per
        mille of the radius by default.

    Returns
    -------
    shapely.Polygon
        In EPSG:4326, anticlockwise; longitudes run on past 180 degrees where the
        disc crosses the antimeridian.

    Raises
    ------
    GeometryError
        If the radius is not positive and finite, if there are fewer than 8 vertices,
        or if the disc holds a pole, where it is no polygon in longitude and latitude.

    Examples
    --------
    >>> round(area([disc(124.66, 39.73, 15_000)]).item() / 1e6, 1)
    706.8
    """
    from shapely import Polygon

    if not (radius_m > 0 and np.isfinite(radius_m)):
        raise GeometryError(f"radius_m is {radius_m}; expected a positive length [m]")
    if vertices < 8:
        raise GeometryError(f"vertices is {vertices}; expected 8 or more")
    to_pole_m = distance(lon, lat, lon, np.copysign(90.0, lat)).item()
    if to_pole_m <= radius_m:
        raise GeometryError(
            f"the disc of {radius_m:g} m round {lon:g}, {lat:g} holds a pole; "
            "use a smaller radius"
        )
    azimuths = -np.linspace(0, 360, vertices, endpoint=False)
    lons, lats = destination(lon, lat, azimuths, radius_m)
    lons = lon + (lons - lon + 180) % 360 - 180
    return Polygon(np.column_stack([lons, lats]))


def area(geometry: Iterable[BaseGeometry]) -> NDArray[np.float64]:
    """Area of polygons on the ellipsoid, their edges taken as geodesics.

    Parameters
    ----------
    geometry
        Polygons or multipolygons in EPSG:4326, shape ``(n,)``; holes count. Other
        geometries have no area.

    Returns
    -------
    numpy.ndarray
        Areas, never negative, shape ``(n,)``. [m²]

    Examples
    --------
    >>> from shapely import box
    >>> round(area([box(0, 0, 1, 1)]).item() / 1e6, 1)
    12308.8
    """
    from shapely.geometry.polygon import orient

    def one(shape: BaseGeometry) -> float:
        parts = [orient(p) for p in getattr(shape, "geoms", [shape]) if _has_area(p)]
        return sum(ellipsoid().geometry_area_perimeter(p)[0] for p in parts)

    return np.array([one(shape) for shape in geometry], dtype=np.float64)


def length(geometry: Iterable[BaseGeometry]) -> NDArray[np.float64]:
    """Length of lines on the ellipsoid, their edges taken as geodesics.

    Parameters
    ----------
    geometry
        Lines in EPSG:4326, shape ``(n,)``; of polygons, the outlines are measured.

    Returns
    -------
    numpy.ndarray
        Lengths, shape ``(n,)``. [m]
    """
    return np.array(
        [ellipsoid().geometry_length(shape) for shape in geometry], dtype=np.float64
    )


def _flat(*values: ArrayLike) -> tuple[list[NDArray[np.float64]], tuple[int, ...]]:
    """Broadcast to one shape and flatten; give the flat arrays and the shape."""
    arrays = np.broadcast_arrays(*(np.asarray(v, dtype=np.float64) for v in values))
    return [a.ravel() for a in arrays], arrays[0].shape


def _has_area(shape: BaseGeometry) -> bool:
    """Tell a non-empty polygon from everything else."""
    return shape.geom_type == "Polygon" and not shape.is_empty

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
from typing import TYPE_CHECKING, NamedTuple, cast

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

_POLYGON = 3  # shapely's id of the geometry type

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
        If ``max_segment_m`` is not positive, or an end is not finite.

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
    if not np.isfinite([lon1, lat1, lon2, lat2]).all():
        raise GeometryError(
            f"a line from {lon1}, {lat1} to {lon2}, {lat2}; expected finite degrees"
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
        If the radius is not positive and finite, if the centre is not finite, if
        there are fewer than 8 vertices, or if the disc holds a pole, where it is no
        polygon in longitude and latitude.

    Examples
    --------
    >>> round(area([disc(124.66, 39.73, 15_000)]).item() / 1e6, 1)
    706.8
    """
    if not (radius_m > 0 and np.isfinite([lon, lat, radius_m]).all()):
        raise GeometryError(
            f"a disc of {radius_m} m round {lon}, {lat}; expected a finite place and a "
            "positive, finite radius in metres"
        )
    if vertices < 8:
        raise GeometryError(f"vertices is {vertices}; expected 8 or more")
    [shape] = discs(np.array([[lon, lat]]), np.array([radius_m]), vertices=vertices)
    return cast("Polygon", shape)


def discs(
    lonlat: NDArray[np.float64], radius_m: NDArray[np.float64], *, vertices: int = 360
) -> NDArray[np.object_]:
    """Geodesic discs, as :func:`disc` makes one.

    Parameters
    ----------
    lonlat
        Centres, shape ``(n, 2)``. [degrees]
    radius_m
        Radii, positive and finite, shape ``(n,)``. [m]
    vertices
        Number of corners of each.

    Returns
    -------
    numpy.ndarray
        Polygons, shape ``(n,)``.

    Raises
    ------
    GeometryError
        If a disc holds a pole.
    """
    import shapely

    pole = np.copysign(90.0, lonlat[:, 1])
    over = distance(lonlat[:, 0], lonlat[:, 1], lonlat[:, 0], pole) <= radius_m
    if over.any():
        i = int(over.argmax())
        raise GeometryError(
            f"the disc of {radius_m[i]:g} m round {lonlat[i, 0]:g}, {lonlat[i, 1]:g} "
            "holds a pole and has no outline in longitude and latitude; use a smaller "
            "radius"
        )
    azimuths = -np.linspace(0, 360, vertices, endpoint=False)
    centre_lon = lonlat[:, :1]
    lon, lat = destination(centre_lon, lonlat[:, 1:], azimuths, radius_m[:, None])
    lon = centre_lon + (lon - centre_lon + 180) % 360 - 180
    return np.asarray(shapely.polygons(np.stack([lon, lat], axis=-1)), dtype=object)


def area(geometry: Iterable[BaseGeometry]) -> NDArray[np.float64]:
    """Area of polygons on the ellipsoid, edges straight in longitude and latitude.

    Parameters
    ----------
    geometry
        Valid polygons or multipolygons in EPSG:4326, shape ``(n,)``; holes count, the
        direction of a ring does not. Longitudes may run on past 180 degrees. Other
        geometries have no area.

    Returns
    -------
    numpy.ndarray
        Areas, shape ``(n,)``. [m²]

    Notes
    -----
    The area under an edge is the integral of the authalic function of latitude over
    longitude, taken by Gauss-Legendre quadrature with 16 nodes.

    Examples
    --------
    >>> from shapely import box
    >>> round(area([box(0, 0, 1, 1)]).item() / 1e6, 1)
    12308.5
    """
    import shapely

    shapes = np.asarray(list(geometry), dtype=object)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    polygonal = shapely.get_type_id(parts) == _POLYGON
    parts, owner = parts[polygonal], owner[polygonal]
    rings, part = shapely.get_rings(parts, return_index=True)
    total = np.zeros(len(shapes))
    if len(rings):
        shell = np.diff(part, prepend=-1) > 0
        sign = np.where(shell, 1.0, -1.0)
        np.add.at(total, owner[part], sign * np.abs(_under_rings(rings)))
    return total


def authalic(lat_deg: ArrayLike) -> NDArray[np.float64]:
    """Authalic function of latitude: the area from the equator to a parallel.

    Parameters
    ----------
    lat_deg
        Latitudes, any shape. [degrees]

    Returns
    -------
    numpy.ndarray
        The area of a strip one radian of longitude wide, negative in the south, in
        the shape of ``lat_deg``. [m²]

    References
    ----------
    .. [1] J. P. Snyder, "Map projections: a working manual", U.S. Geological Survey
       Professional Paper 1395, 1987, eq. 3-12. https://doi.org/10.3133/pp1395

    Examples
    --------
    The strip from the equator to the pole, all round, is half the Earth:

    >>> round((4 * np.pi * authalic(90.0)).item() / 1e12, 3)
    510.066
    """
    sine = np.sin(np.radians(np.asarray(lat_deg, dtype=np.float64)))
    e = np.sqrt(ECCENTRICITY_SQUARED)
    q = sine / (1 - (e * sine) ** 2) + np.arctanh(e * sine) / e
    return EQUATORIAL_RADIUS_M**2 * (1 - ECCENTRICITY_SQUARED) / 2 * np.asarray(q)


def earth_centred(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
    """Cartesian coordinates of places on the ellipsoid.

    Parameters
    ----------
    lon, lat
        Places, of one shape. [degrees]

    Returns
    -------
    numpy.ndarray
        X, Y, Z in a new last axis of 3. [m]

    Examples
    --------
    >>> earth_centred(0.0, 0.0).tolist()
    [6378137.0, 0.0, 0.0]
    """
    lam, phi = np.radians(lon), np.radians(lat)
    normal = EQUATORIAL_RADIUS_M / np.sqrt(1 - ECCENTRICITY_SQUARED * np.sin(phi) ** 2)
    return np.stack(
        [
            normal * np.cos(phi) * np.cos(lam),
            normal * np.cos(phi) * np.sin(lam),
            normal * (1 - ECCENTRICITY_SQUARED) * np.sin(phi),
        ],
        axis=-1,
    )


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


def _under_rings(rings: NDArray[np.object_]) -> NDArray[np.float64]:
    """Signed area between each closed ring and the equator. [m²]."""
    import shapely

    lonlat, ring = shapely.get_coordinates(rings, return_index=True)
    step = np.diff(lonlat, axis=0)
    edge = np.diff(ring) == 0
    start, step, ring = lonlat[:-1][edge], step[edge], ring[1:][edge]
    node, weight = np.polynomial.legendre.leggauss(16)
    # Node by node, so that an edge's area does not depend on how many there are.
    mean = np.zeros(len(start))
    for at, share in zip((node + 1) / 2, weight / 2, strict=True):
        mean += share * authalic(start[:, 1] + step[:, 1] * at)
    under = np.radians(step[:, 0]) * mean
    area_m2 = np.zeros(len(rings))
    np.add.at(area_m2, ring, under)
    return area_m2

"""Geodesic distance out of the chord: the straight way through the ellipsoid.

A chord costs three subtractions, and it bounds the geodesic from both sides. Between
points on WGS 84, with the chord c and the geodesic s in metres,

    c  ≤  s  ≤  2 r asin(c / 2 r),        r = b² / a = 6,335,439.327 m,

the second for s ≤ π r. A straight line is shortest. A geodesic bends with the normal
curvature of the ellipsoid, which is 1 / r at the most (along the meridian at the
equator); by Schur's theorem [1]_ [2]_ a curve that bends no more than a circle of
radius r has a chord no shorter than an arc of that circle of the same length.

Up to :data:`SHORT_M` the distance is taken in closed form, with the normal curvature κ
at the first place in the direction of the chord (Euler's formula) and x = c κ,

    s  ≈  c (1 + x² / 24 + 3 x⁴ / 640),

the beginning of the series of ``2 asin(x / 2) / κ``, all of whose terms are positive.
Since 0 < κ ≤ 1 / r, this value too lies between the two bounds, and so is off by less
than their difference: 0.54 mm at 8 km, falling with the cube of the distance. The
largest error measured, against Karney's solution [3]_ on two million pairs all over
the globe, is 9.5e-9 m. Longer geodesics are Karney's.

The azimuth is that of the chord in the horizon of the first place. It differs from the
geodesic's by up to ``e² s² / (12 r²)``, 5.1e-8 degrees at 8 km (measured: as much),
and by what rounding leaves of a chord of ``c`` metres: some 1e-7 / c degrees.

References
----------
.. [1] A. Schur, "Über die Schwarzsche Extremaleigenschaft des Kreises unter den Kurven
   konstanter Krümmung", Math. Ann. 83, 143-148, 1921.
   https://doi.org/10.1007/BF01464234
.. [2] S. S. Chern, "Curves and surfaces in Euclidean space", in: Studies in Global
   Geometry and Analysis, MAA Studies in Mathematics 4, 16-56, 1967, section 5.
.. [3] C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87, 43-55, 2013.
   https://doi.org/10.1007/s00190-012-0578-z
"""

from __future__ import annotations

from math import asin, atan2, cos, degrees, hypot, nan, pi, radians, sin, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M, ellipsoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Frame = tuple[float, ...]

SHORT_M = 8_000.0
"""Longest chord whose geodesic is taken in closed form. [m]"""

ROUNDING_M = 1e-6
"""More than rounding can do to any length here, some 4e-9. [m]"""

SMALLEST_RADIUS_M = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
"""Smallest radius of curvature, along the meridian at the equator. [m]"""

FARTHEST_M = 20_003_932.0
"""No two places are farther apart: half a meridian, rounded up. [m]"""

POLAR_RADIUS_M = EQUATORIAL_RADIUS_M * sqrt(1 - ECCENTRICITY_SQUARED)
"""Half the axis of the ellipsoid. [m]"""

BRANCHING_M = pi * POLAR_RADIUS_M - 1.0
"""Shorter ways are the only shortest ones between their ends, and far from it. [m]"""


def longest(chord_m: Floats) -> Floats:
    """Upper bound of the geodesics that have a chord.

    Parameters
    ----------
    chord_m
        Chords, any shape. [m]

    Returns
    -------
    numpy.ndarray
        Bounds in the shape of ``chord_m``, :data:`ROUNDING_M` included. [m]

    Notes
    -----
    Schur's bound holds for geodesics up to ``π r``. It is used for chords below
    10,000 km; a geodesic longer than ``π r`` has a chord above 12,600 km.

    Examples
    --------
    >>> longest(np.array([1e6, 1.2e7])).round().tolist()
    [1001041.0, 20003932.0]
    """
    half = np.minimum(chord_m / (2 * SMALLEST_RADIUS_M), 1.0)
    bound = 2 * SMALLEST_RADIUS_M * np.arcsin(half) + ROUNDING_M
    return np.where(chord_m < 1e7, bound, FARTHEST_M)


@njit(nogil=True, cache=True, error_model="numpy")
def frame(lon: float, lat: float) -> Frame:
    """Place and horizon of a point on the ellipsoid.

    Parameters
    ----------
    lon, lat
        The place; the meridians -180 and 180 are one, and so is a pole on all
        meridians, to the last bit. [degrees]

    Returns
    -------
    tuple of float
        Earth-centred x, y, z [m]; sine and cosine of longitude, then of latitude;
        curvature along the meridian and across it [1/m].
    """
    sin_lon, cos_lon = sin(radians(lon)), cos(radians(lon))
    sin_lat, cos_lat = sin(radians(lat)), cos(radians(lat))
    if abs(lon) == 180.0:
        sin_lon, cos_lon = 0.0, -1.0
    if abs(lat) == 90.0:
        sin_lat, cos_lat = lat / 90.0, 0.0
    flat = 1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat
    across = sqrt(flat) / EQUATORIAL_RADIUS_M
    along = across * flat / (1.0 - ECCENTRICITY_SQUARED)
    x = cos_lat * cos_lon / across
    y = cos_lat * sin_lon / across
    z = (1.0 - ECCENTRICITY_SQUARED) * sin_lat / across
    return x, y, z, sin_lon, cos_lon, sin_lat, cos_lat, along, across


@njit(nogil=True, cache=True, error_model="numpy")
def short_inverse(
    here: Frame, dx: float, dy: float, dz: float
) -> tuple[float, float, float]:
    """Length and direction of the geodesic that belongs to a short chord.

    Parameters
    ----------
    here
        What :func:`frame` gives for the first place.
    dx, dy, dz
        The chord, Earth-centred; no longer than :data:`SHORT_M`. [m]

    Returns
    -------
    distance, east, north : float
        Length of the geodesic, and the chord's parts in the horizon, whose direction
        is the azimuth. [m]
    """
    _, _, _, sin_lon, cos_lon, sin_lat, cos_lat, along, across = here
    east = cos_lon * dy - sin_lon * dx
    north = cos_lat * dz - sin_lat * (cos_lon * dx + sin_lon * dy)
    squared = dx * dx + dy * dy + dz * dz
    north2, east2 = north * north, east * east
    # Adding next to nothing keeps a chord of no length from 0 / 0.
    bend = (north2 * along + east2 * across) / (north2 + east2 + 1e-300)
    x2 = squared * bend * bend
    distance = sqrt(squared) * (1.0 + x2 * (1.0 / 24.0 + x2 * (3.0 / 640.0)))
    return distance, east, north


@njit(nogil=True, cache=True, error_model="numpy")
def long_estimate(
    px: float, py: float, pz: float, qx: float, qy: float, qz: float
) -> float:
    """Length of the geodesic that belongs to a chord of any length, to rank by.

    As :func:`short_inverse`, with the whole arcsine and the curvature at the chord's
    middle. Measured against Karney's solution: 1e-5 m off at 200 km, 1 mm at 500 km,
    3 cm at 1,000 km, some 85 m at 5,000 km.
    """
    x, y, z = (px + qx) / 2.0, (py + qy) / 2.0, (pz + qz) / 2.0
    dx, dy, dz = qx - px, qy - py, qz - pz
    axis = hypot(x, y)
    lat = degrees(atan2(z, (1.0 - ECCENTRICITY_SQUARED) * axis))
    here = frame(degrees(atan2(y, x)), lat)
    _, east, north = short_inverse(here, dx, dy, dz)
    level = east * east + north * north
    chord = sqrt(dx * dx + dy * dy + dz * dz)
    if level == 0.0:
        return chord
    bend = (north * north * here[7] + east * east * here[8]) / level
    return 2.0 / bend * asin(min(1.0, chord * bend / 2.0))


@njit(nogil=True, cache=True, error_model="numpy")
def arctangent_degrees(ratio: float) -> float:
    """Arctangent of a number from -0.66 to 0.66. [degrees].

    It is that of Cephes [1]_, good to 2e-16, without branches, so that the compiler can
    take several at a time.

    References
    ----------
    .. [1] S. L. Moshier, "Methods and Programs for Mathematical Functions", Ellis
       Horwood, 1989; the rational function of atan.c.
    """
    z = ratio * ratio
    top = -8.750608600031904122785e-1 * z - 1.615753718733365076637e1
    top = (top * z - 7.500855792314704667340e1) * z - 1.228866684490136173410e2
    top = top * z - 6.485021904942025371773e1
    bottom = (z + 2.485846490142306297962e1) * z + 1.650270098316988542046e2
    bottom = (bottom * z + 4.328810604912902668951e2) * z + 4.853903996359136964868e2
    bottom = bottom * z + 1.945506571482613964425e2
    return degrees(ratio * (z * top / bottom) + ratio)


@njit(nogil=True, cache=True, error_model="numpy")
def bearing(east: float, north: float) -> float:
    """Azimuth of a direction in the horizon, 0 to 360; NaN when it is none.

    Without branches, so that the compiler can take several at a time.
    """
    less = min(abs(east), abs(north))
    more = max(abs(east), abs(north))
    steep = less > 0.66 * more
    ratio = ((less - more) if steep else less) / ((less + more) if steep else more)
    angle = arctangent_degrees(ratio) + (45.0 if steep else 0.0)
    angle = 90.0 - angle if abs(east) > abs(north) else angle
    angle = 180.0 - angle if north < 0.0 else angle
    angle = 360.0 - angle if east < 0.0 else angle
    return 0.0 if angle == 360.0 else angle


@njit(nogil=True, cache=True, error_model="numpy")
def earth_centred(lonlat: Floats) -> Floats:
    """Earth-centred coordinates of places, shape ``(n, 3)``. [m]."""
    xyz = np.empty((len(lonlat), 3))
    for i in range(len(lonlat)):
        here = frame(lonlat[i, 0], lonlat[i, 1])
        xyz[i, 0], xyz[i, 1], xyz[i, 2] = here[0], here[1], here[2]
    return xyz


def inverse_pairs(
    lonlat: Floats, others: Floats, xyz: Floats, i: Ints, j: Ints
) -> tuple[Floats, Floats]:
    """Distance and azimuth of pairs of places.

    Parameters
    ----------
    lonlat, others
        Places, shapes ``(n, 2)`` and ``(m, 2)``. [degrees]
    xyz
        :func:`earth_centred` of ``others``. [m]
    i, j
        Rows of ``lonlat`` and of ``others``, shape ``(p,)``. A ``j`` of ``m`` stands
        for nothing there.

    Returns
    -------
    distance_m, azimuth_deg : numpy.ndarray
        Shape ``(p,)``. Infinite where there is nothing; the azimuth is NaN where the
        distance is 0.
    """
    distance_m, azimuth_deg = np.empty(len(i)), np.empty(len(i))
    if _inverse_short(lonlat, xyz, i, j, distance_m, azimuth_deg):
        far = np.flatnonzero(distance_m < 0)
        karney(lonlat, others, i, j, far, distance_m, azimuth_deg)
    return distance_m, azimuth_deg


def karney(
    lonlat: Floats,
    others: Floats,
    i: Ints,
    j: Ints,
    which: Ints,
    distance_m: Floats,
    azimuth_deg: Floats,
) -> None:
    """Write Karney's distance and azimuth over those of some pairs."""
    here, there = lonlat[i[which]], others[j[which]]
    azimuth, _, length_m = ellipsoid().inv(*here.T, *there.T)
    length_m = np.asarray(length_m)
    distance_m[which] = length_m
    azimuth_deg[which] = np.where(length_m > 0, np.asarray(azimuth) % 360, np.nan)


@njit(nogil=True, cache=True, error_model="numpy")
def _inverse_short(
    lonlat: Floats, xyz: Floats, i: Ints, j: Ints, distance: Floats, azimuth: Floats
) -> int:
    """Fill in the pairs with short chords, -1 for the others; count those."""
    far = 0
    for p in range(len(i)):
        if j[p] == len(xyz):
            distance[p], azimuth[p] = np.inf, nan
            continue
        here = frame(lonlat[i[p], 0], lonlat[i[p], 1])
        dx = xyz[j[p], 0] - here[0]
        dy = xyz[j[p], 1] - here[1]
        dz = xyz[j[p], 2] - here[2]
        if dx * dx + dy * dy + dz * dz > SHORT_M * SHORT_M:
            distance[p] = -1.0
            far += 1
            continue
        distance[p], east, north = short_inverse(here, dx, dy, dz)
        azimuth[p] = bearing(east, north) if distance[p] > 0.0 else nan
    return far

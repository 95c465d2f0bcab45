"""Boxes in longitude and latitude: what they hold, and how far apart they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def bent_boxes(box: Floats) -> Floats:
    """Widen boxes so that geodesics between places in them stay inside.

    Parameters
    ----------
    box
        West, south, east, north, shape ``(b, 4)``. [degrees]

    Returns
    -------
    numpy.ndarray
        The same, farther north on the northern and farther south on the southern
        hemisphere, shape ``(b, 4)``; up to a pole where a box is 178 degrees wide or
        more. [degrees]

    Notes
    -----
    On the auxiliary sphere, where a geodesic is a great circle and a latitude φ is
    ``atan((1 - f) tan φ)``, the great circle through the northern corners of a box of
    width ω bounds a hemisphere that holds the box, if that is north of the equator; a
    hemisphere holds the shortest way between any two of its points. Its highest
    latitude between the corners is ``atan(tan φ / cos(ω / 2))``. Longitude differences
    on the sphere exceed those on the ellipsoid by a factor of ``1 / (1 - f)`` at the
    most [1]_. ``(1 - f)`` in the latitudes cancels.

    References
    ----------
    .. [1] C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87, 43-55, 2013,
       eq. 8. https://doi.org/10.1007/s00190-012-0578-z
    """
    west, south, east, north = box.T
    width = (east - west) / np.sqrt(1 - ECCENTRICITY_SQUARED)
    bend = np.cos(np.radians(np.minimum(width, 179.0) / 2))

    def steeper(lat: Floats) -> Floats:
        out = np.degrees(np.arctan2(np.sin(np.radians(lat)), bend * _cos(lat)))
        return np.where(width >= 179.0, 90.0, np.minimum(out + 1e-9, 90.0))

    high = np.where(north > 0, np.maximum(steeper(np.abs(north)), north), north)
    low = np.where(south < 0, np.minimum(-steeper(np.abs(south)), south), south)
    wide = width >= 179.0
    return np.column_stack(
        [west, np.where(wide, -90.0, low), east, np.where(wide, 90.0, high)]
    )


def gap_m(box: Floats, other: Floats) -> Floats:
    """Bound the distance between boxes from below.

    Parameters
    ----------
    box, other
        West, south, east, north, shapes ``(b, 4)`` and ``(g, 4)``. [degrees]

    Returns
    -------
    numpy.ndarray
        No geodesic from the one box to the other is shorter, shape ``(b, g)``. [m]

    Notes
    -----
    Two bounds, of which the larger counts; both hold across the antimeridian and over
    the poles. A way that changes its latitude by Δφ is at least as long as the
    meridian between, so at least ``a (1 - e²) Δφ``, the smallest radius of curvature
    of a meridian times the angle. And where the meridians of the boxes are Δλ apart, a
    place at the distance p from the axis is at least ``p sin(min(Δλ, 90°))`` away from
    all meridians of the other box; p is smallest at the box's highest latitude.
    """
    smallest_m = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
    west, south, east, north = other.T
    axis_m, other_axis_m = _axis_m(box), _axis_m(other)
    gap = np.empty((len(box), len(other)))
    for row, (w, s, e, n) in enumerate(box):  # which keeps what is held small
        up = np.maximum(np.maximum(s - north, south - n), 0.0)
        apart = np.full(len(other), np.inf)
        for turn in (-360.0, 0.0, 360.0):
            shifted = np.maximum(w - east - turn, west + turn - e)
            apart = np.minimum(apart, np.maximum(shifted, 0.0))
        across = np.sin(np.radians(np.minimum(apart, 90.0)))
        across *= np.maximum(axis_m[row], other_axis_m)
        gap[row] = np.maximum(np.radians(up) * smallest_m, across)
    return gap


def _axis_m(box: Floats) -> Floats:
    """Distance from the axis of a box's place that is nearest to it. [m]."""
    highest = np.maximum(np.abs(box[:, 1]), np.abs(box[:, 3]))
    sine = np.sin(np.radians(highest))
    normal_m = EQUATORIAL_RADIUS_M / np.sqrt(1 - ECCENTRICITY_SQUARED * sine**2)
    axis_m: Floats = normal_m * np.maximum(_cos(highest), 0.0)
    return axis_m


def _cos(lat: Floats) -> Floats:
    """Cosine of a latitude in degrees."""
    cosine: Floats = np.cos(np.radians(lat))
    return cosine

"""Where the sun stands at many places, with pvlib's solar position algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

YEAR = "2019-01-01"
"""First day of the year in which instants are counted, UTC."""

_BAND = 15.0
"""Width of the bands of longitude that share the sun's course. [degrees]."""

_NODES = 5
"""Longitudes of a band at which the sun's course is worked out."""

# What pvlib.solarposition.get_solarposition takes where nothing else is asked for.
_DELTA_T = 67.0
_REFRACTION = 0.5667
_CELSIUS = 12.0


class SunPositions(NamedTuple):
    """Angles of the sun, shape ``(n, t)`` each. [degrees]."""

    zenith: Floats
    """From the zenith, without an atmosphere."""
    apparent_zenith: Floats
    """From the zenith, as seen through the air."""
    azimuth: Floats
    """Clockwise from north."""


class _Seen(NamedTuple):
    """The sun from the middle of the earth, shape ``(n, t)`` each. [degrees, AU]."""

    sidereal: Floats
    ascension: Floats
    declination: Floats
    radius: Floats


def sun_positions(
    lon: Floats, lat: Floats, altitude_m: Floats, local_hours: Floats
) -> SunPositions:
    """Work out where the sun stands at instants of each place's own solar time.

    Parameters
    ----------
    lon, lat
        Places, shape ``(n,)``. [degrees]
    altitude_m
        Shape ``(n,)``. [m]
    local_hours
        Hours since the beginning of :data:`YEAR` in mean local time, so that the sun
        is highest near noon everywhere, shape ``(t,)``. [h]

    Returns
    -------
    SunPositions
        A row a place, a column an instant.

    Notes
    -----
    Reda and Andreas [1]_, with the steps and the constants of
    ``pvlib.solarposition.get_solarposition``. The same local instant comes a little
    later at each place farther west, and the sun's course as seen from the middle of
    the earth, which is what costs, is smooth over that: it is worked out at five
    longitudes of each band of fifteen degrees that has places (Chebyshev's nodes), and
    brought from there to each by the polynomial through them. What depends on the place
    itself is worked out for each. An angle differs from pvlib's own by less than a
    millionth of a degree, which is how finely pvlib's Julian day tells the time. A
    place gets the same whatever others are asked for.

    References
    ----------
    .. [1] I. Reda and A. Andreas, "Solar position algorithm for solar radiation
       applications", Solar Energy 76, 577-589, 2004.
       https://doi.org/10.1016/j.solener.2003.12.003
    """
    from pvlib import atmosphere, spa

    seen = _seen(lon, local_hours)
    east, north, high = (v[:, None] for v in (lon, lat, altitude_m))
    hour = spa.local_hour_angle(seen.sidereal, east, seen.ascension)
    parallax = spa.equatorial_horizontal_parallax(seen.radius)
    u = spa.uterm(north)
    x, y = spa.xterm(u, north, high), spa.yterm(u, north, high)
    shift = spa.parallax_sun_right_ascension(x, parallax, hour, seen.declination)
    declination = spa.topocentric_sun_declination(
        seen.declination, x, y, parallax, shift, hour
    )
    hour = spa.topocentric_local_hour_angle(hour, shift)
    elevation = spa.topocentric_elevation_angle_without_atmosphere(
        north, declination, hour
    )
    bent = spa.atmospheric_refraction_correction(
        atmosphere.alt2pres(high) / 100, _CELSIUS, elevation, _REFRACTION
    )
    astronomers = spa.topocentric_astronomers_azimuth(hour, declination, north)
    return SunPositions(
        zenith=spa.topocentric_zenith_angle(elevation),
        apparent_zenith=spa.topocentric_zenith_angle(elevation + bent),
        azimuth=spa.topocentric_azimuth_angle(astronomers),
    )


def _seen(lon: Floats, local_hours: Floats) -> _Seen:
    """Work out the sun from the middle of the earth at instants of some places."""
    shape = (len(lon), len(local_hours))
    seen = _Seen(*(np.zeros(shape) for _ in _Seen._fields))
    band = np.floor(lon / _BAND)
    for west in np.unique(band):
        mine = np.flatnonzero(band == west)
        nodes = (west + _places()) * _BAND
        shares = _shares(lon[mine] / _BAND - west)
        for whole, at_nodes in zip(seen, _at_nodes(nodes, local_hours), strict=True):
            # One node after the other: sums of a product of matrices depend on shapes.
            for share, values in zip(shares.T, at_nodes, strict=True):
                whole[mine] += share[:, None] * values
    return seen


def _at_nodes(lon: Floats, local_hours: Floats) -> _Seen:
    """Work out the same at a few longitudes of one band, with pvlib."""
    from pvlib import spa

    begin = np.datetime64(YEAR, "s").astype(np.int64)
    seconds = begin + (local_hours - lon[:, None] / 15) * 3600
    nowhere = (0.0, 0.0, 0.0, 1000.0, _CELSIUS, _DELTA_T, _REFRACTION, 1)
    found = spa.solar_position_numpy(seconds.ravel(), *nowhere, sst=True)
    (radius,) = spa.solar_position_numpy(seconds.ravel(), *nowhere, esd=True)
    sidereal, ascension, declination, radius = (
        np.asarray(values).reshape(seconds.shape) for values in (*found, radius)
    )
    # Let angles run on from one longitude to the next, where they pass 360.
    sidereal, ascension = (
        np.unwrap(angle, period=360.0, axis=0) for angle in (sidereal, ascension)
    )
    return _Seen(sidereal, ascension, declination, radius)


def _places() -> Floats:
    """Chebyshev's nodes in a band, as shares of its width from the west."""
    return np.asarray(0.5 - np.cos((np.arange(_NODES) + 0.5) * np.pi / _NODES) / 2)


def _shares(place: Floats) -> Floats:
    """Weights of the nodes at places in a band, shape ``(n, _NODES)``."""
    nodes = _places()
    shares = np.ones((len(place), _NODES))
    for own in range(_NODES):
        for other in range(_NODES):
            if other != own:
                shares[:, own] *= (place - nodes[other]) / (nodes[own] - nodes[other])
    return shares

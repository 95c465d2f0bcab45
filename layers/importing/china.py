"""The shifted coordinates of Chinese maps, to WGS 84 and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Degrees = NDArray[np.float64]
    Shift = Callable[[Degrees, Degrees], tuple[Degrees, Degrees]]

Datum = Literal["GCJ-02", "BD-09"]
"""What such a map may be drawn in: the state's shift, or Baidu's on top of it."""

_SEMI_MAJOR_M, _ECCENTRICITY_2 = 6378245.0, 0.00669342162296594323
_WEST, _SOUTH, _EAST, _NORTH = 72.004, 0.8293, 137.8347, 55.8271
_STEPS, _CLOSE_DEG = 60, 1e-11


def to_datum(
    lon: ArrayLike, lat: ArrayLike, datum: Datum
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shift WGS 84 as a Chinese map does.

    Parameters
    ----------
    lon, lat
        Longitude and latitude on WGS 84, any shape. [°]
    datum
        The map's datum.

    Returns
    -------
    tuple of numpy.ndarray
        Longitude and latitude on the map. [°] Outside the box in which every known
        implementation shifts (72.004..137.8347 E, 0.8293..55.8271 N; all Korea is
        in it) GCJ-02 is WGS 84.

    Examples
    --------
    >>> lon, lat = to_datum(125.7543, 39.0194, "GCJ-02")
    >>> round(float(lon - 125.7543), 5), round(float(lat - 39.0194), 5)
    (0.00562, 0.00111)
    """
    x, y = _on_china(np.asarray(lon, float), np.asarray(lat, float))
    return _on_baidu(x, y) if datum == "BD-09" else (x, y)


def from_datum(
    lon: ArrayLike, lat: ArrayLike, datum: Datum
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Take the shift of a Chinese map back.

    Parameters
    ----------
    lon, lat
        Longitude and latitude on the map, any shape. [°]
    datum
        The map's datum.

    Returns
    -------
    tuple of numpy.ndarray
        Longitude and latitude on WGS 84 [°], found by iteration to far less than a
        millimetre.

    Examples
    --------
    >>> lon, lat = from_datum(*to_datum(125.7543, 39.0194, "BD-09"), "BD-09")
    >>> bool(abs(lon - 125.7543) < 1e-9), bool(abs(lat - 39.0194) < 1e-9)
    (True, True)
    """
    x, y = np.asarray(lon, float), np.asarray(lat, float)
    if datum == "BD-09":
        x, y = _undone(_on_baidu, x, y)
    return _undone(_on_china, x, y)


def _undone(shift: Shift, x: Degrees, y: Degrees) -> tuple[Degrees, Degrees]:
    """Find what a shift takes to ``x, y``; it changes by little from place to place."""
    lon, lat = x.copy(), y.copy()
    for _ in range(_STEPS):
        there = shift(lon, lat)
        off_x, off_y = there[0] - x, there[1] - y
        lon, lat = lon - off_x, lat - off_y
        if not (np.maximum(np.abs(off_x), np.abs(off_y)) > _CLOSE_DEG).any():
            break
    return lon, lat


def _on_china(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """WGS 84 to GCJ-02."""
    x, y = lon - 105.0, lat - 35.0
    root, product = np.sqrt(np.abs(x)), x * y
    wave = 20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * product + 0.2 * root
    north += (wave + 20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * product + 0.1 * root
    east += (wave + 20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    shrink = 1 - _ECCENTRICITY_2 * np.sin(np.radians(lat)) ** 2
    prime = _SEMI_MAJOR_M / np.sqrt(shrink)
    meridian = prime * (1 - _ECCENTRICITY_2) / shrink
    inside = (lon >= _WEST) & (lon <= _EAST) & (lat >= _SOUTH) & (lat <= _NORTH)
    return (
        np.where(
            inside, lon + np.degrees(east / (prime * np.cos(np.radians(lat)))), lon
        ),
        np.where(inside, lat + np.degrees(north / meridian), lat),
    )


def _on_baidu(x: Degrees, y: Degrees) -> tuple[Degrees, Degrees]:
    """GCJ-02 to BD-09."""
    radius = np.hypot(x, y) + 2e-5 * np.sin(np.radians(3000 * y))
    angle = np.arctan2(y, x) + 3e-6 * np.cos(np.radians(3000 * x))
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006

"""Capsules cut by rows of cells: all places within a distance of a straight piece."""

from __future__ import annotations

from math import floor, inf, sqrt
from typing import TYPE_CHECKING

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@njit(nogil=True, cache=True, error_model="numpy")
def unit(run: float, rise: float) -> tuple[float, float]:
    """Direction of a piece as a vector of length 1; 0, 0 when it has no length."""
    length = sqrt(run * run + rise * rise)
    length = length if length > 0.0 else 1.0
    return run / length, rise / length


@njit(nogil=True, cache=True, error_model="numpy")
def degree(degrees: Floats, place: float) -> tuple[float, float]:
    """Width and height of a degree at a place between rows. [m]."""
    i: int = min(max(floor(place), 0), len(degrees) - 2)
    part = place - i
    wide = degrees[i, 0] + part * (degrees[i + 1, 0] - degrees[i, 0])
    return wide, degrees[i, 1] + part * (degrees[i + 1, 1] - degrees[i, 1])


@njit(nogil=True, cache=True, error_model="numpy")
def cut(
    here: float,
    rise: float,
    run: float,
    slope: float,
    along: float,
    up: float,
    d: float,
) -> tuple[float, float]:
    """Span in which a row meets a capsule; inf and -inf if it does not.

    Parameters
    ----------
    here
        How far north of the row the first end of the piece is. [m]
    rise, run
        How far north of it the second end is, and how far east. [m]
    slope
        ``run / rise``, anything for a level piece.
    along, up
        Direction of the piece, eastwards and northwards.
    d
        Radius of the capsule; nothing is in one below 0. [m]

    Returns
    -------
    low, high : float
        Ends of the span, east of the first end of the piece. [m]
    """
    # Without branches, so that the compiler can take several rows at a time.
    square, there = d * d, here + rise
    rest = square - here * here
    meets = (rest >= 0.0) & (d >= 0.0)
    half = sqrt(rest if meets else 0.0)
    low, high = -half if meets else inf, half if meets else -inf
    rest = square - there * there
    meets = (rest >= 0.0) & (d >= 0.0)
    half = sqrt(rest if meets else 0.0)
    west, east = run - half, run + half
    low = west if meets & (west < low) else low
    high = east if meets & (east > high) else high
    # The long sides: the piece moved by d to its right, and to its left.
    least, most = (rise, 0.0) if rise < 0.0 else (0.0, rise)
    sloped = (rise != 0.0) & (d >= 0.0)
    away = d * along - here
    meets = sloped & (least <= away) & (away <= most)
    x = d * up + away * slope
    low, high = x if meets & (x < low) else low, x if meets & (x > high) else high
    away = -d * along - here
    meets = sloped & (least <= away) & (away <= most)
    x = away * slope - d * up
    low, high = x if meets & (x < low) else low, x if meets & (x > high) else high
    return low, high

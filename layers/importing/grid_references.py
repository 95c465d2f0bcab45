"""Military grid references, each the square that it is and not its corner."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from layers.importing.coordinates import CoordinateError, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pyproj import Transformer

LEAST_DIGITS = 4
"""A reference of fewer stands for a square of 10 or 100 km; it has to be asked for."""

_FORM = re.compile(r"(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z]{2})(\d*)")
_LARGEST_SQUARE_M = 100_000


@dataclass(frozen=True, kw_only=True)
class Squares:
    """A column of grid references.

    Attributes
    ----------
    lon, lat
        Centres of the squares on WGS 84, shape ``(n,)``; NaN where a cell is blank or
        wrong. [°]
    radius_m
        Radius of the disc round the centre that holds the square, shape ``(n,)``. [m]
    wrong
        Cells that are no reference.
    coarse
        Number of references of fewer than four digits.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    radius_m: NDArray[np.float64]
    wrong: tuple[Wrong, ...]
    coarse: int


def parse_squares(texts: Sequence[str | None]) -> Squares:
    """Read a column of MGRS references.

    Parameters
    ----------
    texts
        Such as ``52S BJ 12345 67890``, shape ``(n,)``; blanks and case do not matter.

    Returns
    -------
    Squares
        In the same order. References near the poles (UPS) are not read.

    Examples
    --------
    >>> found = parse_squares(["52SBJ1234"])
    >>> round(found.radius_m.item())
    707
    """
    n = len(texts)
    lon, lat, radius = np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan)
    wrong: list[Wrong] = []
    coarse = 0
    with warnings.catch_warnings():
        warnings.simplefilter(
            "error", RuntimeWarning
        )  # a band that is not the square's
        for row, text in enumerate(texts):
            if text is None or not text.strip():
                continue
            try:
                lon[row], lat[row], radius[row], digits = _square(text)
            except CoordinateError as error:
                wrong.append(Wrong(row=row, text=text.strip()[:40], why=str(error)))
                continue
            coarse += digits < LEAST_DIGITS
    return Squares(lon=lon, lat=lat, radius_m=radius, wrong=tuple(wrong), coarse=coarse)


def _square(text: str) -> tuple[float, float, float, int]:
    """Centre, radius and number of digits of one reference."""
    from mgrs import MGRS
    from mgrs.core import MGRSError

    from geo.geodesy import distance

    plain = re.sub(r"\s+", "", text).upper()
    form = _FORM.fullmatch(plain)
    if form is None or len(form[4]) % 2 or len(form[4]) > 10:
        raise CoordinateError("is no grid reference such as 52SBJ1234567890")
    side = _LARGEST_SQUARE_M / 10 ** (len(form[4]) // 2)
    try:
        zone, hemisphere, *inside = MGRS().MGRSToUTM(plain)
    except (MGRSError, RuntimeWarning):
        raise CoordinateError("names no square that there is") from None
    # Releases of mgrs give the corner or the centre of the square; both lie in it.
    corner = np.floor((np.array(inside) + 0.01) / side) * side
    spots = corner + np.array([[0.5, 0.5], [0, 0], [1, 0], [1, 1], [0, 1]]) * side
    lon, lat = _utm(zone, hemisphere).transform(spots[:, 0], spots[:, 1])
    far = distance(lon[0], lat[0], lon[1:], lat[1:]).max()
    return float(lon[0]), float(lat[0]), float(far) + 1e-3, len(form[4])


@lru_cache(maxsize=120)
def _utm(zone: int, hemisphere: str) -> Transformer:
    """Return the way from a UTM zone to longitude and latitude."""
    from pyproj import Transformer

    code = (32600 if hemisphere == "N" else 32700) + zone
    return Transformer.from_crs(code, 4326, always_xy=True)

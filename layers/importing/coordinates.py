"""Coordinates as people write them, and what their digits say of their worth."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Axis = Literal["lon", "lat"]

_LARGEST = {"lon": 180.0, "lat": 90.0}
_HEMISPHERES: dict[str, tuple[Axis, int]] = {
    "동경": ("lon", 1),
    "서경": ("lon", -1),
    "북위": ("lat", 1),
    "남위": ("lat", -1),
    "东经": ("lon", 1),
    "東經": ("lon", 1),
    "西经": ("lon", -1),
    "西經": ("lon", -1),
    "北纬": ("lat", 1),
    "北緯": ("lat", 1),
    "南纬": ("lat", -1),
    "南緯": ("lat", -1),
    "north": ("lat", 1),
    "south": ("lat", -1),
    "east": ("lon", 1),
    "west": ("lon", -1),
    "n": ("lat", 1),
    "s": ("lat", -1),
    "e": ("lon", 1),
    "w": ("lon", -1),
}
_WORDS = "|".join(sorted(_HEMISPHERES, key=len, reverse=True))
_NUMBER = r"\d+(?:[.,]\d+)?"
_APART = r"(?:\s*[-:]\s*|\s+|(?<!\d))"
_PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_ANGLE = re.compile(
    rf"(?P<before>{_WORDS})?\s*(?P<sign>[+-])?\s*"
    rf"(?P<d>{_NUMBER})\s*(?P<d_unit>°|deg|도|度|d)?"
    rf"(?:{_APART}(?P<m>{_NUMBER})\s*(?P<m_unit>'|min|분|分|m)?"
    rf"(?:{_APART}(?P<s>{_NUMBER})\s*(?P<s_unit>\"|''|sec|초|秒|s(?!outh))?)?)?"
    rf"\s*(?P<after>{_WORDS})?",
    re.IGNORECASE,
)
_ALIKE = str.maketrans(
    {
        "º": "°",
        "˚": "°",
        "′": "'",
        "’": "'",
        "‘": "'",
        "´": "'",
        "`": "'",
        "″": '"',
        "”": '"',
        "“": '"',
        "−": "-",
        "–": "-",
        "‐": "-",
        "\u00a0": " ",
    }
)


class CoordinateError(ValueError):
    """A text is no coordinate; the message says why, and names no row."""


@dataclass(frozen=True, kw_only=True)
class Angle:
    """A longitude or latitude that somebody wrote down.

    Attributes
    ----------
    degrees
        East and north are positive. [°]
    half_width
        Half of what its last digit stands for: a rounded one lies so far off at most.
        [°]
    axis
        What its hemisphere says that it is; None if it names none.
    """

    degrees: float
    half_width: float
    axis: Axis | None


def parse_angle(text: str) -> Angle:
    r"""Read a longitude or a latitude.

    Parameters
    ----------
    text
        Decimal degrees (``125.75``, ``125,75``), degrees and minutes, or degrees,
        minutes and seconds, with any of the usual signs or hyphens between them; a
        hemisphere before or after in English (``N``, ``north``), Korean (``동경``) or
        Chinese (``北纬``).

    Returns
    -------
    Angle
        Not checked against 90 or 180 degrees.

    Raises
    ------
    CoordinateError
        If the text is none, has minutes or seconds beyond 60 or fractions before
        smaller units, a sign and a hemisphere, or an ``s`` that may be seconds or
        south.

    Examples
    --------
    >>> parse_angle("서경 125° 45′").degrees
    -125.75
    >>> round(parse_angle("39°01'10\"N").half_width * 3600, 6)
    0.5
    """
    plain = _plain_number(text)
    if plain is not None:
        return Angle(degrees=float(plain), half_width=_half(plain), axis=None)
    found = _ANGLE.fullmatch(_plain_signs(text))
    if found is None:
        raise CoordinateError("is no coordinate")
    parts = [p.replace(",", ".") for p in found.group("d", "m", "s") if p is not None]
    axis, direction = _direction(found)
    return Angle(
        degrees=direction * _joined(parts),
        half_width=_half(parts[-1]) / 60 ** (len(parts) - 1),
        axis=axis,
    )


@dataclass(frozen=True, kw_only=True)
class Wrong:
    """A cell that holds no coordinate.

    Attributes
    ----------
    row
        Counted from 0 within the cells that were given.
    text
        What stands there.
    why
        What is wrong with it, as the end of a sentence.
    """

    row: int
    text: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Angles:
    """A column of longitudes or latitudes.

    Attributes
    ----------
    degrees, half_widths
        As in :class:`Angle`, shape ``(n,)``; NaN where a cell is blank or wrong. [°]
    wrong
        Cells that are no coordinate.
    other_axis
        Number of cells whose hemisphere says that they are the other axis.
    """

    degrees: NDArray[np.float64]
    half_widths: NDArray[np.float64]
    wrong: tuple[Wrong, ...]
    other_axis: int


def parse_angles(texts: Sequence[str | None], axis: Axis) -> Angles:
    """Read a column of longitudes or latitudes.

    Parameters
    ----------
    texts
        Cells, shape ``(n,)``.
    axis
        What the column holds.

    Returns
    -------
    Angles
        Cells in the same order. Plain numbers are not held against 90 or 180 degrees,
        as they may be metres; what names degrees, minutes or a hemisphere is.
    """
    degrees, halves = np.full(len(texts), np.nan), np.full(len(texts), np.nan)
    wrong: list[Wrong] = []
    other = 0
    for row, text in enumerate(texts):
        if text is None or not text.strip():
            continue
        try:
            angle = parse_angle(text)
            other += angle.axis not in {None, axis}
            _check_axis(angle, text, axis)
        except CoordinateError as error:
            wrong.append(Wrong(row=row, text=text.strip()[:40], why=str(error)))
            continue
        degrees[row], halves[row] = angle.degrees, angle.half_width
    return Angles(
        degrees=degrees, half_widths=halves, wrong=tuple(wrong), other_axis=other
    )


def split_pair(text: str) -> tuple[str, str]:
    """Part the two coordinates of one cell.

    Parameters
    ----------
    text
        Such as ``39.02, 125.75`` or ``북위 39° 1′ 동경 125° 45′``.

    Returns
    -------
    tuple of str
        As they stand, not ordered.

    Raises
    ------
    CoordinateError
        If it is not plain where the first ends.

    Examples
    --------
    >>> split_pair("39°01'N 125°45'E")
    ("39°01'N", "125°45'E")
    >>> split_pair("39,02; 125,75")
    ('39,02', '125,75')
    """
    text = _plain_signs(text).strip("()[] ")
    for separator in (r"\s*;\s*", r"\s*/\s*", r"\s*,\s+", r"\s*\|\s*"):
        parts = re.split(separator, text)
        if len(parts) == 2:
            return parts[0], parts[1]
    ends = _pair_by_hemisphere(text)
    if ends is not None:
        return ends
    for separator in (r"\s+", ","):
        parts = re.split(separator, text)
        if len(parts) == 2 and all(_PLAIN.fullmatch(p) for p in parts):
            return parts[0], parts[1]
    raise CoordinateError("is no pair of coordinates")


def radius_m(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    half_lon: NDArray[np.float64],
    half_lat: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Radius of the disc that holds every place whose coordinates round to these.

    Parameters
    ----------
    lon, lat
        Coordinates as written, shape ``(n,)``. [°]
    half_lon, half_lat
        Half of what their last digits stand for, shape ``(n,)``. [°]

    Returns
    -------
    numpy.ndarray
        Geodesic distance to the farthest corner, shape ``(n,)``. [m]

    Examples
    --------
    >>> half = np.array([0.05])
    >>> round(radius_m(np.array([125.7]), np.array([39.0]), half, half).item())
    7042
    """
    from geo.geodesy import distance

    radius = np.zeros(len(lon))
    for side in (-1.0, 1.0):
        corner = np.clip(lat + side * half_lat, -90.0, 90.0)
        far = distance(lon, lat, lon + half_lon, corner)
        radius = np.maximum(radius, far)
    return np.asarray(radius * (1 + 1e-9) + 1e-6, dtype=np.float64)


_AXES: dict[Axis, str] = {"lon": "longitude", "lat": "latitude"}


def _check_axis(angle: Angle, text: str, axis: Axis) -> None:
    """Refuse an angle of the other axis, or beyond the globe."""
    if angle.axis not in {None, axis}:
        raise CoordinateError(f"is no {_AXES[axis]}")
    if abs(angle.degrees) > _LARGEST[axis] and _plain_number(text) is None:
        raise CoordinateError(f"is beyond {_LARGEST[axis]:g} degrees")


def _plain_number(text: str) -> str | None:
    """Return a text that is one number, its decimals after a point; None else."""
    text = text.strip()
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    return text if _PLAIN.fullmatch(text) else None


def _plain_signs(text: str) -> str:
    """Write signs that mean the same in the same way."""
    wide = unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_ALIKE)
    return re.sub(r"\s+", " ", wide.replace("''", '"')).strip()


def _half(number: str) -> float:
    """Half of what the last digit of a decimal number stands for."""
    mantissa, _, exponent = number.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return 0.5 * 10.0 ** (int(exponent or 0) - decimals)


def _direction(found: re.Match[str]) -> tuple[Axis | None, int]:
    """Axis and sign that a text names."""
    if (
        found["s"] is not None
        and found["s_unit"] == "s"
        and found["after"] is None
        and found["before"] is None
        and found["m_unit"] != "m"
    ):
        raise CoordinateError('ends in s, which may be seconds or south: write " or S')
    unit = found["s_unit"]
    words = [w.lower() for w in found.group("before", "after") if w]
    if unit == "S":  # a capital one is south, whatever the pattern took it for
        words.append("s")
    if len(words) > 1:
        raise CoordinateError("names two hemispheres")
    if words and found["sign"] is not None:
        raise CoordinateError("has a sign and a hemisphere")
    if words:
        return _HEMISPHERES[words[0]]
    return None, -1 if found["sign"] == "-" else 1


def _joined(parts: list[str]) -> float:
    """Degrees out of degrees, minutes and seconds."""
    from lat_lon_parser import to_dec_deg

    if any("." in part for part in parts[:-1]):
        raise CoordinateError("has a fraction before a smaller unit")
    degrees = [float(part) for part in parts]
    try:
        return float(to_dec_deg(*degrees, max=np.inf))
    except ValueError:
        raise CoordinateError("has minutes or seconds beyond 60") from None


def _pair_by_hemisphere(text: str) -> tuple[str, str] | None:
    """Part a pair after its first hemisphere, or before its second."""
    words: Iterable[re.Match[str]] = re.finditer(
        rf"(?<![a-z])(?:{_WORDS})(?![a-z])", text, re.IGNORECASE
    )
    places = [(w.start(), w.end()) for w in words]
    if len(places) != 2:
        return None
    cut = places[1][0] if places[0][0] == 0 else places[0][1]
    return text[:cut].strip(" ,"), text[cut:].strip(" ,")

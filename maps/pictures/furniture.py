"""What a map needs besides marks: a scale bar, meridians and parallels, north."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import inverse
from maps.facts import length
from maps.pictures import words
from maps.pictures.fonts import TAGS
from maps.pictures.labels import run
from maps.pictures.order import UNITS_PER_MM
from maps.pictures.svg import element, path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from maps.pictures.labels import Box
    from maps.pictures.projection import Frame

_STEPS_DEG = (30.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.25, 0.2, 0.1)
_LEAST_LINES = 3
_CORNER = 14.0
_BAR_SHARE = 0.2
_SIZE = 11.0
_RAISED = 22.0
_VALUE = 8.5
_WIDE = 34.0
_BESIDE = 24.0


def scale_bar(frame: Frame) -> tuple[float, float]:
    """Length of the scale bar on the ground and on the map.

    Parameters
    ----------
    frame
        The map.

    Returns
    -------
    metres : float
        A round length, about a fifth of the map's width. [m]
    units : float
        Length of the bar, so that it is right along the parallel in the map's middle,
        on the ellipsoid. [units]
    """
    wanted = _ground(frame, frame.width * _BAR_SHARE)
    power = 10 ** math.floor(math.log10(wanted))
    metres = power * max(n for n in (1, 2, 5) if n * power <= wanted)
    units = frame.width * _BAR_SHARE
    for _ in range(4):
        units *= metres / _ground(frame, units)
    return float(metres), float(units)


def denominator(frame: Frame) -> float:
    """Scale in the middle of the map, as the number after ``1:``."""
    return _ground(frame, 10 * UNITS_PER_MM) / 0.01


def scale_words(frame: Frame) -> str:
    """Scale in the middle with two significant digits, such as ``1:2,900,000``."""
    return f"1:{float(f'{denominator(frame):.2g}'):,.0f}"


def furniture(
    frame: Frame,
    palette: Mapping[str, str],
    language: str,
    busy: Sequence[Box] = (),
) -> tuple[str, tuple[Box, ...]]:
    """Draw scale bar and north arrow.

    Parameters
    ----------
    frame
        The map.
    palette
        Colours by role.
    language
        Of the letter at the arrow.
    busy
        Where marks stand: the bar takes the corner with the fewest. [units]

    Returns
    -------
    drawing : str
        SVG.
    taken : tuple of Box
        Where no name may stand. [units]
    """
    metres, units = scale_bar(frame)
    corners = [
        (frame.width - _CORNER - units, frame.height - _RAISED),
        (_CORNER + _BESIDE, frame.height - _RAISED),
        (_CORNER + _BESIDE, _CORNER + 18),
    ]
    left, bottom = min(
        corners,
        key=lambda c: sum(
            _meet((c[0] - 6, c[1] - 20, c[0] + units + 6, c[1] + 6), box)
            for box in busy
        ),
    )
    right = left + units
    text = length(metres)
    bar = element(
        "path",
        class_="scale-bar",
        d=f"M{left:.2f} {bottom - 6:.2f}V{bottom:.2f}H{right:.2f}V{bottom - 6:.2f}",
        fill="none",
        stroke=palette["ink"],
        stroke_width=1.4,
    )
    label = run(
        text,
        ((left + right) / 2, bottom - 6),
        size=_SIZE,
        tag="en",
        colour=palette["ink"],
        halo=palette["land"],
        anchor="middle",
    )
    x, y = frame.width - _CORNER - 9, _CORNER + 16
    lon, lat = frame.place(x, y)
    up = np.array(frame.point(lon, min(lat + 0.05, 89.0))) - (x, y)
    turn = math.degrees(math.atan2(up[0], -up[1]))
    arrow = element(
        "g",
        element("path", d="M0 -15 6 6 0 2 -6 6Z", fill=palette["ink"]),
        class_="north",
        transform=f"translate({x:.2f} {y:.2f}) rotate({turn:.2f})",
    )
    letter = run(
        words.own("north", language),
        (x, y + 19),
        size=_SIZE,
        tag=TAGS[language],
        colour=palette["ink"],
        bold=True,
        halo=palette["land"],
        anchor="middle",
    )
    boxes = (
        (left - 6, bottom - 22, right + 6, bottom + 6),
        (x - 12, y - 18, x + 12, y + 24),
    )
    return bar + label + arrow + letter, boxes


def graticule(
    frame: Frame, palette: Mapping[str, str]
) -> tuple[str, str, tuple[Box, ...]]:
    """Draw meridians and parallels, and their values along the left and lower edge.

    Returns
    -------
    lines, values : str
        SVG: for under the marks, and for over them.
    taken : tuple of Box
        Where the values stand. [units]
    """
    west, south, east, north = frame.bounds
    span = max(min(east - west, north - south), 0.2)
    step = next((s for s in _STEPS_DEG if span / s >= _LEAST_LINES), _STEPS_DEG[-1])
    digits = 0 if step >= 1 else 2 if step == 0.25 else 1
    lines = []
    values: list[tuple[str, float, float, bool]] = []
    for lon in _multiples(west, east, step):
        lat = np.linspace(south, north, 80)
        points = frame.points(np.column_stack([np.full_like(lat, lon), lat]))
        lines.append(points)
        crossing = _crossing(points, 1, frame.height)
        if crossing is not None and 24 < crossing < frame.width - 24:
            values.append(
                (_degrees(lon, "EW", digits), crossing, frame.height - 4, True)
            )
    for lat_ in _multiples(south, north, step):
        lon_ = np.linspace(west, east, 80)
        points = frame.points(np.column_stack([lon_, np.full_like(lon_, lat_)]))
        lines.append(points)
        crossing = _crossing(points, 0, 0.0)
        if crossing is not None and 20 < crossing < frame.height - 20:
            values.append((_degrees(lat_, "NS", digits), 4, crossing - 3, False))
    drawn = element(
        "path",
        class_="graticule",
        d=path(lines, closed=False),
        fill="none",
        stroke=palette["coast"],
        stroke_width=0.5,
        stroke_opacity=0.45,
    )
    texts = "".join(
        run(
            text,
            (x, y),
            size=_VALUE,
            tag="en",
            colour=palette["ink-2"],
            halo=palette["land"],
            anchor="middle" if below else "",
        )
        for text, x, y, below in values
    )
    taken = tuple(
        (x - _WIDE / 2, y - _VALUE, x + _WIDE / 2, y + 2)
        if below
        else (x, y - _VALUE, x + _WIDE, y + 2)
        for _, x, y, below in values
    )
    return drawn, texts, taken


def _meet(first: Box, second: Box) -> bool:
    """Whether two boxes share ground."""
    return (
        first[0] < second[2]
        and second[0] < first[2]
        and first[1] < second[3]
        and second[1] < first[3]
    )


def _ground(frame: Frame, units: float) -> float:
    """Metres on the ellipsoid between two points level with the map's middle."""
    x, y = frame.width / 2, frame.height / 2
    first, second = frame.place(x - units / 2, y), frame.place(x + units / 2, y)
    return float(np.ravel(inverse(*first, *second).distance_m)[0])


def _multiples(low: float, high: float, step: float) -> list[float]:
    """Multiples of a step between two values."""
    first, last = math.ceil(low / step), math.floor(high / step)
    return [round(n * step, 6) for n in range(first, last + 1)]


def _crossing(points: np.ndarray, axis: int, value: float) -> float | None:
    """Where a line crosses an edge of the map; None if it does not."""
    level = points[:, axis] - value
    for i in np.flatnonzero(np.sign(level[:-1]) != np.sign(level[1:])).tolist():
        share = level[i] / (level[i] - level[i + 1])
        other = points[:, 1 - axis]
        return float(other[i] + share * (other[i + 1] - other[i]))
    return None


def _degrees(value: float, letters: str, digits: int) -> str:
    """Write a whole or broken degree with its side of the world."""
    side = letters[0] if value > 0 else letters[1] if value < 0 else ""
    return f"{abs(value):.{digits}f}°{f' {side}' if side else ''}"

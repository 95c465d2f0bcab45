"""Names on the map, placed in order of rank where they cover neither name nor mark.

The rules are those of the page. As paper cannot be zoomed, names that the page keeps
for a closer look are placed too, after all others and where there is room.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from maps.pictures import words
from maps.pictures.fonts import TAGS, family
from maps.pictures.svg import characters, element, legible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from maps.pictures.fonts import FontStock
    from maps.pictures.scene import Drawn, Scene

Box = tuple[float, float, float, float]
"""Left, top, right, bottom. [units]"""

_GAP = 3.0
_LINE = 1.2
_SYMBOL = 8.0
_LONGEST = 80
_WRAP = 165.0
_LONG = 16.0
_STEP = 4.0
_NAMED_IN_ALL = 2
_ROWS = (0, -1, 1, -2, 2, -3, 3, -4, 4)
_COLUMNS = (0, -0.15, 0.15, 0.3, -0.3)
_MARGIN = 4.0
_BETWEEN = 0.35


@dataclass(frozen=True, kw_only=True)
class Style:
    """How a name is set."""

    size: float
    role: str
    bold: bool = False
    serif: bool = False
    spacing: float = 0.0
    upper: bool = False
    plate: bool = False
    middle: bool = False


_STYLES: Mapping[str, Style] = {
    "subject": Style(size=14, role="out", bold=True, serif=True, middle=True),
    "hub": Style(size=13, role="ink", bold=True),
    "region": Style(
        size=13,
        role="region-edge",
        bold=True,
        serif=True,
        spacing=0.14,
        upper=True,
        middle=True,
    ),
    "country": Style(
        size=15, role="ink-2", serif=True, spacing=0.32, upper=True, middle=True
    ),
    "leg": Style(size=12, role="", bold=True, middle=True),
    "candidate": Style(
        size=11, role="hypothetical", bold=True, plate=True, middle=True
    ),
    "site": Style(size=11, role="hypothetical", bold=True, plate=True, middle=True),
    "tie": Style(size=11, role="ink-2"),
    "place": Style(size=11, role="ink-2"),
}
_PLAIN = Style(size=11, role="ink")
_OTHER = Style(size=11, role="ink-2")


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a label: its runs of text with language and width."""

    runs: tuple[tuple[str, str, float], ...]
    style: Style
    width: float


@dataclass(frozen=True, kw_only=True)
class Label:
    """A name in its lines."""

    key: str
    role: str
    lines: tuple[Line, ...]
    width: float
    height: float
    plate: bool = False
    middle: bool = False


@dataclass(kw_only=True)
class _Wish:
    """A label that wants a place, with the places that it would take, best first."""

    label: Label
    rank: float
    x: float
    choices: list[Box] = field(default_factory=list)
    stubborn: bool = False


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A label in its place."""

    label: Label
    box: Box
    right: bool = False
    """Whether its lines end together, as it stands left of its mark."""


def place(
    scene: Scene, *, language: str, fonts: FontStock, taken: Iterable[Box] = ()
) -> tuple[Placed, ...]:
    """Place the names of a scene.

    Parameters
    ----------
    scene
        What is drawn.
    language
        Language of the first name of each place; the others follow in small.
    fonts
        That measure the names.
    taken
        What else stands on the map: scale bar, arrow. [units]

    Returns
    -------
    tuple of Placed
        In the order of their rank; names that do not fit are left out.
    """
    frame = scene.frame
    hard: list[tuple[Box, str]] = [(box, "") for box in taken]
    soft: list[tuple[Box, str]] = []
    for one in scene.features:
        if one.symbol:
            hard.append((_around(*one.at, _SYMBOL), one.key))
        elif one.family in {"candidate", "site"}:
            soft.append((one.box, one.key))
        elif one.family == "leg":
            soft += [
                (_around(x, y, 4.0), one.key)
                for rings in one.shapes
                for x, y in rings[0].tolist()
            ]
    wishes = _wishes(scene, language=language, fonts=fonts)
    inner = (_MARGIN, _MARGIN, frame.width - _MARGIN, frame.height - _MARGIN)
    found = []
    for wish in sorted(wishes, key=lambda w: w.rank):
        key = wish.label.key
        free = [c for c in wish.choices if _within(c, inner) and _clear(c, hard, key)]
        best = next((c for c in free if _clear(c, soft, key)), None)
        if best is None and wish.stubborn and free:
            best = free[0]
        if best is None:
            continue
        found.append(Placed(label=wish.label, box=best, right=best[2] <= wish.x))
        hard.append(((best[0] - 2, best[1] - 1, best[2] + 2, best[3] + 1), ""))
    return tuple(found)


def drawing(placed: Sequence[Placed], palette: Mapping[str, str]) -> str:
    """Draw names with a halo that sets them off from the ground."""
    return "".join(_label(one, palette) for one in placed)


def _wishes(scene: Scene, *, language: str, fonts: FontStock) -> list[_Wish]:
    """Every label with its choices."""
    found = []
    for order, one in enumerate(scene.features):
        label = _made(one, language=language, fonts=fonts)
        if label is None:
            continue
        wide, high = one.box[2] - one.box[0], one.box[3] - one.box[1]
        if one.family in {"candidate", "site"} and wide < 9:
            continue
        late = 100.0 if one.late else 0.0
        found.append(
            _Wish(
                label=label,
                rank=one.mark.rank + late + order * 1e-6,
                x=one.at[0],
                choices=_choices(one, label, wide, high),
                stubborn=one.mark.rank < 4 and one.family != "region",
            )
        )
    for code, spots in scene.countries:
        text = words.country(code, language)
        style = _STYLES["country"]
        line = _line(((text, TAGS[language]),), style, fonts)
        label = _label_of(f"country/{code}", "ink-2", (line,), style)
        w, h = label.width, label.height
        found.append(
            _Wish(
                label=label,
                rank=4.5,
                x=0.0,
                choices=[
                    (left, y - h / 2, left + w, y + h / 2)
                    for x, y in spots
                    if scene.frame.holds(x, y)
                    for left in (_held(x - w / 2, w, scene.frame.width),)
                ],
            )
        )
    return found


def _made(one: Drawn, *, language: str, fonts: FontStock) -> Label | None:
    """Label of a feature; None where it has no name."""
    numbered = one.family in {"candidate", "site"}
    own = "" if numbered else one.names.get(language, "")
    first = own or one.names["en"]
    if one.family == "leg":
        first = words.translated(first, language)
    first = legible(first, _LONGEST)
    if not first:
        return None
    style = _STYLES.get(one.family, _PLAIN)
    tag = TAGS[language] if own or one.family == "leg" else "en"
    lines = [
        _line(((text, tag),), style, fonts)
        for text in _wrapped(first, style, fonts, tag)
    ]
    if one.mark.rank <= _NAMED_IN_ALL and not numbered:
        others = [
            (legible(one.names[code], _LONGEST), TAGS[code])
            for code in ("en", "ko", "zh")
            if code != language and one.names[code] and one.names[code] != first
        ]
        if one.family == "subject":
            lines += [_line((other,), _OTHER, fonts) for other in others]
        elif others:
            lines.append(_line(tuple(others), _OTHER, fonts))
    role = style.role or one.mark.role
    return _label_of(one.key, role, tuple(lines), style)


def _label_of(key: str, role: str, lines: tuple[Line, ...], style: Style) -> Label:
    """Put lines together."""
    pad = 3.0 if style.plate else 0.0
    return Label(
        key=key,
        role=role,
        lines=lines,
        width=max(line.width for line in lines) + 2 * pad,
        height=sum(line.style.size * _LINE for line in lines),
        plate=style.plate,
        middle=style.middle,
    )


def _line(runs: tuple[tuple[str, str], ...], style: Style, fonts: FontStock) -> Line:
    """Measure a line."""
    measured = []
    for given, tag in runs:
        text = given.upper() if style.upper else given
        width = fonts.width(
            text,
            size=style.size,
            language=tag,
            bold=style.bold,
            serif=style.serif,
            spacing=style.spacing,
        )
        measured.append((text, tag, width))
    gaps = (len(measured) - 1) * style.size * _BETWEEN
    whole = sum(width for _, _, width in measured)
    return Line(runs=tuple(measured), style=style, width=whole + gaps)


def _wrapped(text: str, style: Style, fonts: FontStock, tag: str) -> list[str]:
    """Break a long name over lines of like length; a short one stays on one."""

    def wide(part: str) -> float:
        return fonts.width(
            part, size=style.size, language=tag, bold=style.bold, serif=style.serif
        )

    room = _WRAP if style is _STYLES["subject"] else _LONG * style.size
    if style.spacing or wide(text) <= room:
        return [text]
    count = math.ceil(wide(text) / room)
    goal = wide(text) / count
    lines = _filled(text, goal, wide)
    while len(lines) > count and goal < wide(text):
        goal += _STEP
        lines = _filled(text, goal, wide)
    return lines


def _filled(text: str, room: float, wide: Callable[[str], float]) -> list[str]:
    """Fill lines word by word."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and wide(longer) > room:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _choices(one: Drawn, label: Label, wide: float, high: float) -> list[Box]:
    """Boxes for a label, best first, as the page has them."""
    x, y = one.at
    w, h = label.width, label.height

    def box(left: float, top: float) -> Box:
        return (left, top, left + w, top + h)

    if one.family == "region":
        return [
            box(x - w / 2 + column * wide, y - h / 2 + row * 18)
            for row in _ROWS
            if abs(row) * 18 < high * 0.3 or row == 0
            for column in _COLUMNS
        ]
    if one.place == "middle" and one.family != "subject":
        return [box(x - w / 2, y - h / 2)]
    if one.place == "along" and one.shapes:
        points = one.shapes[0][0]
        found = []
        for share in (0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8):
            px, py = _along(points, share)
            found += [
                box(px - w / 2, py - h - 7),
                box(px - w / 2, py + 7),
                box(px + 9, py - h / 2),
                box(px - w - 9, py - h / 2),
            ]
        return found
    reach = 9.0 if one.symbol else min(90.0, high / 2)
    d = reach + _GAP
    return [
        box(x + d, y - h / 2),
        box(x - w - d, y - h / 2),
        box(x - w / 2, y - h - d),
        box(x - w / 2, y + d),
        box(x - w * 0.75, y + d),
        box(x + d * 0.7, y - h - d * 0.5),
        box(x + d * 0.7, y + d * 0.5),
        box(x - w - d * 0.7, y - h - d * 0.5),
        box(x - w - d * 0.7, y + d * 0.5),
    ]


def _along(points: np.ndarray, share: float) -> tuple[float, float]:
    """Point of a line at a share of its length."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = share * along[-1]
    return (
        float(np.interp(at, along, points[:, 0])),
        float(np.interp(at, along, points[:, 1])),
    )


def _held(left: float, wide: float, whole: float) -> float:
    """Move the left edge of a label so that it stays on the map."""
    return min(max(left, 2 * _MARGIN), whole - wide - 2 * _MARGIN)


def _around(x: float, y: float, reach: float) -> Box:
    return (x - reach, y - reach, x + reach, y + reach)


def _within(box: Box, outer: Box) -> bool:
    return (
        box[0] >= outer[0]
        and box[1] >= outer[1]
        and box[2] <= outer[2]
        and box[3] <= outer[3]
    )


def _clear(box: Box, others: Iterable[tuple[Box, str]], key: str) -> bool:
    """Whether a box meets none of the others, its own mark's aside."""
    return not any(
        box[0] < o[2] and o[0] < box[2] and box[1] < o[3] and o[1] < box[3]
        for o, owner in others
        if not owner or owner != key
    )


def _label(placed: Placed, palette: Mapping[str, str]) -> str:
    """Draw one label."""
    label, (left, top, right, bottom) = placed.label, placed.box
    colour = palette[label.role]
    parts = []
    if label.plate:
        parts.append(
            element(
                "rect",
                x=left,
                y=top,
                width=right - left,
                height=bottom - top,
                rx=2,
                fill=palette["paper"],
                fill_opacity=0.82,
            )
        )
    y = top
    for line in label.lines:
        style = line.style
        base = y + style.size * 0.93
        y += style.size * _LINE
        x = left
        if label.middle or label.plate:
            x = (left + right - line.width) / 2
        elif placed.right:
            x = right - line.width
        for text, tag, width in line.runs:
            parts.append(
                run(
                    text,
                    (x, base),
                    size=style.size,
                    tag=tag,
                    colour=palette["ink-2"] if style is _OTHER else colour,
                    bold=style.bold,
                    serif=style.serif,
                    spacing=style.spacing,
                    halo="" if label.plate else palette["land"],
                )
            )
            x += width + style.size * _BETWEEN
    return element("g", *parts, class_=f"label {label.role}")


def run(
    text: str,
    at: tuple[float, float],
    *,
    size: float,
    tag: str,
    colour: str,
    bold: bool = False,
    serif: bool = False,
    spacing: float = 0.0,
    halo: str = "",
    anchor: str = "",
) -> str:
    """Set a run of text on one line.

    Parameters
    ----------
    text
        As data have it: escaped here.
    at
        Left end of its base line. [units]
    size
        Of the font. [units]
    tag
        Its language, a key of :data:`maps.pictures.fonts.SANS`.
    colour, halo
        Of the letters, and of what sets them off.
    bold, serif, spacing, anchor
        How it is set.

    Returns
    -------
    str
        SVG; the text stays text.
    """
    return element(
        "text",
        characters(text),
        x=at[0],
        y=at[1],
        xml__lang=tag,
        font_family=family(tag, serif=serif),
        font_size=size,
        font_weight=700 if bold else None,
        letter_spacing=spacing * size if spacing else None,
        text_anchor=anchor,
        fill=colour,
        stroke=halo,
        stroke_width=3 if halo else None,
        stroke_linejoin="round" if halo else None,
        paint_order="stroke" if halo else None,
    )

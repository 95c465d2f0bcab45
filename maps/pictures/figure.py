"""The whole picture: title, map, legend, credits, as one SVG drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.symbology import ADDED, DARK, GROUPS, LIGHT
from maps.pictures import drawing, labels, words
from maps.pictures.fonts import TAGS
from maps.pictures.furniture import (
    furniture,
    graticule,
    scale_words,
)
from maps.pictures.order import UNITS_PER_MM
from maps.pictures.scene import scene
from maps.pictures.svg import characters, element, legible, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.exchange import Exchange
    from layers.symbology import Mark
    from maps.page import ExchangeMap
    from maps.pictures.fonts import FontStock
    from maps.pictures.order import Language
    from maps.pictures.scene import Drawn, Scene

_EDGE = 22.0
_COLUMN = 262.0
_COLUMN_GAP = 24.0
_SWATCH = 40.0
_HIGH = 0.74
_LONGEST_TITLE = 300
_TITLE, _LEAST_TITLE = 25, 19
_UNEVEN = 1.15


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A finished drawing."""

    svg: str
    width: float
    """[units]"""
    height: float
    title: str
    about: str
    """What it shows, for those who do not see it."""
    scene: Scene
    texts: tuple[str, ...]
    """Every text in it."""

    @property
    def width_mm(self) -> float:
        """Width in millimetres."""
        return self.width / UNITS_PER_MM

    @property
    def height_mm(self) -> float:
        """Height in millimetres."""
        return self.height / UNITS_PER_MM


class _Setter:
    """Sets text line by line below what was set before."""

    def __init__(
        self, fonts: FontStock, palette: Mapping[str, str], width: float
    ) -> None:
        self.fonts = fonts
        self.palette = palette
        self.width = width
        self.parts: list[str] = []
        self.texts: list[str] = []

    def lines(
        self,
        text: str,
        at: tuple[float, float],
        *,
        size: float,
        tag: str,
        room: float,
        role: str = "ink",
        bold: bool = False,
        serif: bool = False,
        leading: float = 1.3,
    ) -> float:
        """Set a text in as many lines as it needs; return where the next one begins."""
        x, y = at
        for one in wrapped(
            text, self.fonts, size=size, tag=tag, room=room, bold=bold, serif=serif
        ):
            self.parts.append(
                labels.run(
                    one,
                    (x, y + size),
                    size=size,
                    tag=tag,
                    colour=self.palette[role],
                    bold=bold,
                    serif=serif,
                )
            )
            self.texts.append(one)
            y += size * leading
        return y


def figure(
    exchange: Exchange,
    page: ExchangeMap,
    *,
    fonts: FontStock,
    width: float,
    language: Language = "en",
    dark: bool = False,
) -> Figure:
    """Draw an exchange with its title, legend and credits.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    page
        Its map, from :func:`maps.exchange_map`.
    fonts
        That measure texts.
    width
        Of the drawing. [units]
    language
        Of names and of the picture's own words.
    dark
        Whether the dark palette is used.

    Returns
    -------
    Figure
        As high as its texts need.
    """
    palette = DARK if dark else LIGHT
    tag = TAGS[language]
    inner = width - 2 * _EDGE
    setter = _Setter(fonts, palette, width)
    y = _head(setter, exchange, page, language, inner)
    shown, map_svg = map_drawing(
        page,
        fonts=fonts,
        width=inner,
        height=inner * _HIGH,
        language=language,
        palette=palette,
    )
    move = f"translate({number(_EDGE)} {number(y)})"
    body = element("g", map_svg, id="map", transform=move)
    y += inner * _HIGH + 12
    y = _legend(setter, shown.scene.marks, (_EDGE, y), inner, language) + 8
    line = y
    y += 8
    small: dict[str, Any] = {"size": 11.0, "room": inner, "role": "ink-2"}
    about = (
        f"{words.own('scale', language)} {scale_words(shown.scene.frame)} "
        f"({number(width / UNITS_PER_MM)} mm). "
        f"{words.projection(shown.scene.frame, language)}."
    )
    notes = words.notes(shown.scene.marks, language)
    y = setter.lines(notes, (_EDGE, y), tag=tag, **small) + 2
    y = setter.lines(about, (_EDGE, y), tag=tag, **small) + 2
    made = f"{words.own('credits', language)}: {_credits(exchange, page)}"
    y = setter.lines(made, (_EDGE, y), tag=tag, **small)
    height = y + _EDGE * 0.8
    rule = element(
        "path",
        d=f"M{number(_EDGE)} {number(line)}h{number(inner)}",
        stroke=palette["rule"],
        stroke_width=1,
    )
    title = legible(_title(exchange, page, language), _LONGEST_TITLE)
    description = legible(f"{title}. {exchange.summary} {notes}")
    ground = element("rect", width=width, height=height, fill=palette["paper"])
    svg = _document(
        ground + body + "".join(setter.parts) + rule,
        width=width,
        height=height,
        title=title,
        about=description,
        tag=tag,
        palette=palette,
        size=(inner, inner * _HIGH),
    )
    return Figure(
        svg=svg,
        width=width,
        height=height,
        title=title,
        about=description,
        scene=shown.scene,
        texts=(*setter.texts, *shown.texts),
    )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What stands on a map that was drawn."""

    scene: Scene
    texts: tuple[str, ...]


def map_drawing(
    page: ExchangeMap,
    *,
    fonts: FontStock,
    width: float,
    height: float,
    language: Language,
    palette: Mapping[str, str],
) -> tuple[Shown, str]:
    """Draw the map alone, in a frame.

    Parameters
    ----------
    page
        From :func:`maps.exchange_map`.
    fonts
        That measure names.
    width, height
        Of the map. [units]
    language
        Of the names.
    palette
        Colours by role.

    Returns
    -------
    shown : Shown
        What stands on it.
    svg : str
        SVG elements; they use the definitions of the document.
    """
    seen = scene(page, width=width, height=height)
    frame = seen.frame
    busy = [box for one in seen.features for box in _boxes(one)]
    extra, taken = furniture(frame, palette, language, busy)
    lines, values, edges = graticule(frame, palette)
    placed = labels.place(seen, language=language, fonts=fonts, taken=(*taken, *edges))
    sea = element("rect", width=width, height=height, fill=palette["sea"])
    ground = "".join(drawing.ground(part, palette) for part in seen.ground)
    marks = drawing.features(seen.features, palette)
    clipped = element("g", sea, ground, lines, marks, clip_path="url(#map-edge)")
    edge = element(
        "rect",
        width=width,
        height=height,
        fill="none",
        stroke=palette["edge"],
        stroke_width=1,
    )
    names = labels.drawing(placed, palette)
    texts = tuple(
        text for one in placed for row in one.label.lines for text, _, _ in row.runs
    )
    svg = clipped + values + extra + names + edge
    return Shown(scene=seen, texts=texts), svg


def _boxes(one: Drawn) -> list[tuple[float, float, float, float]]:
    """Boxes round a feature's parts; a province is ground and has none."""
    if one.family == "region":
        return []
    if one.family == "leg":
        points = one.shapes[0][0]
        return [(x, y, x, y) for x, y in points.tolist()]
    return [one.box] + [
        (*rings[0].min(axis=0).tolist(), *rings[0].max(axis=0).tolist())
        for rings in one.ring
    ]


def map_figure(
    page: ExchangeMap,
    *,
    fonts: FontStock,
    width: float,
    height: float,
    language: Language = "en",
    title: str = "",
) -> Figure:
    """Draw the map alone as a drawing of its own, in the light palette."""
    shown, svg = map_drawing(
        page,
        fonts=fonts,
        width=width,
        height=height,
        language=language,
        palette=LIGHT,
    )
    about = legible(title)
    return Figure(
        svg=_document(
            svg,
            width=width,
            height=height,
            title=about,
            about=about,
            tag=TAGS[language],
            palette=LIGHT,
            size=(width, height),
        ),
        width=width,
        height=height,
        title=about,
        about=about,
        scene=shown.scene,
        texts=shown.texts,
    )


def swatch_document(mark: Mark) -> str:
    """Draw a mark's row of the legend as a drawing of its own, 32 by 18."""
    return _document(
        drawing.swatch(mark, LIGHT),
        width=32,
        height=18,
        title=mark.label,
        about=mark.about,
        tag="en",
        palette=LIGHT,
        size=(32, 18),
    )


def wrapped(
    text: str,
    fonts: FontStock,
    *,
    size: float,
    tag: str,
    room: float,
    bold: bool = False,
    serif: bool = False,
) -> list[str]:
    """Break a text into lines that fit.

    Parameters
    ----------
    text
        On one line.
    fonts
        That measure it.
    size, tag, bold, serif
        How it is set.
    room
        Width of a line. [units]

    Returns
    -------
    list of str
        Broken at blanks; between any two characters in Chinese, or where one word is
        too long for a line.
    """

    def wide(part: str) -> float:
        return fonts.width(part, size=size, language=tag, bold=bold, serif=serif)

    lines = [""]
    for word in legible(text).split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if wide(longer) <= room:
            lines[-1] = longer
            continue
        if wide(word) <= room and not tag.startswith("zh"):
            lines.append(word)
            continue
        rest = longer if tag.startswith("zh") else word
        if rest is longer:
            lines.pop()
        while rest:
            cut = len(rest)
            while cut > 1 and wide(rest[:cut]) > room:
                cut -= 1
            while 1 < cut < len(rest) and rest[cut] in "。,、;:)”?!.":
                cut -= 1
            lines.append(rest[:cut])
            rest = rest[cut:].lstrip()
    return [line for line in lines if line]


def legend_order(marks: Sequence[Mark]) -> list[tuple[str, list[Mark]]]:
    """Sort marks under the headings of the legend; empty headings left out."""
    found = []
    for title in (*GROUPS, ADDED):
        rows = [mark for mark in marks if mark.group == title]
        if rows:
            found.append((title, rows))
    return found


def _head(
    setter: _Setter,
    exchange: Exchange,
    page: ExchangeMap,
    language: Language,
    inner: float,
) -> float:
    """Set the titles and the line of facts; return where the map begins."""
    tag = TAGS[language]
    titles = {"en": page.title, "ko": page.title_ko, "zh": page.title_zh}
    first = legible(_title(exchange, page, language), _LONGEST_TITLE)
    look: dict[str, Any] = {
        "tag": tag if titles[language] else "en",
        "bold": True,
        "serif": language == "en",
    }
    size = next(
        (
            size
            for size in range(_TITLE, _LEAST_TITLE, -1)
            if len(wrapped(first, setter.fonts, size=size, room=inner, **look)) == 1
        ),
        _TITLE,
    )
    y = setter.lines(
        first, (_EDGE, _EDGE * 0.8), size=size, room=inner, leading=1.18, **look
    )
    for code, text in titles.items():
        if text and text != first:
            y = setter.lines(
                legible(text, _LONGEST_TITLE),
                (_EDGE, y + 2),
                size=13,
                tag=TAGS[code],
                room=inner,
                role="ink-2",
            )
    shown = exchange.reported.isoformat()[
        : {"year": 4, "month": 7}.get(exchange.reported_precision, 10)
    ]
    facts = " · ".join(
        f"{key}: {value}"
        for key, value in (
            (
                words.translated("Status", language),
                words.translated(exchange.status, language),
            ),
            (words.translated("Reported", language), shown),
            (words.own("as_of", language), exchange.as_of.isoformat()),
        )
    )
    y = setter.lines(facts, (_EDGE, y + 3), size=12, tag=tag, room=inner)
    return y + 8


def _title(exchange: Exchange, page: ExchangeMap, language: Language) -> str:
    """Title in a language; the English one where there is none."""
    own = {"en": page.title, "ko": page.title_ko, "zh": page.title_zh}[language]
    return own or exchange.title


def _legend(
    setter: _Setter,
    marks: Sequence[Mark],
    at: tuple[float, float],
    inner: float,
    language: Language,
) -> float:
    """Set the legend in columns of even height; return where it ends."""
    tag = TAGS[language]
    columns = max(1, int((inner + _COLUMN_GAP) // (_COLUMN + _COLUMN_GAP)))
    wide = (inner - (columns - 1) * _COLUMN_GAP) / columns
    blocks: list[tuple[float, _Setter]] = []
    groups: list[list[int]] = []
    for title, rows in legend_order(marks):
        groups.append(list(range(len(blocks), len(blocks) + len(rows))))
        for place, one in enumerate(rows):
            block = _Setter(setter.fonts, setter.palette, wide)
            y = 0.0
            if place == 0:
                y = block.lines(
                    words.translated(title, language),
                    (0, 4),
                    size=12,
                    tag=tag,
                    room=wide,
                    role="ink-2",
                    bold=True,
                )
                note = words.group_note(title, language)
                if note:
                    y = block.lines(
                        note, (0, y), size=10.5, tag=tag, room=wide, role="ink-2"
                    )
                y += 3
            block.parts.append(
                element(
                    "g",
                    drawing.swatch(one, setter.palette),
                    class_=f"legend-mark {one.key}",
                    transform=f"translate(0 {number(y)})",
                )
            )
            label, about = words.mark(one, language)
            room = wide - _SWATCH
            top = y
            y = block.lines(label, (_SWATCH, y + 1), size=12, tag=tag, room=room)
            if about:
                y = block.lines(
                    about,
                    (_SWATCH, y - 1),
                    size=10.5,
                    tag=tag,
                    room=room,
                    role="ink-2",
                    leading=1.22,
                )
            blocks.append((max(y, top + 20) + 4, block))
    return _in_columns(setter, blocks, groups, at, columns=columns, wide=wide)


def _in_columns(
    setter: _Setter,
    blocks: Sequence[tuple[float, _Setter]],
    groups: Sequence[Sequence[int]],
    at: tuple[float, float],
    *,
    columns: int,
    wide: float,
) -> float:
    """Put blocks into columns of even height, groups kept together where they fit."""
    heights = [height for height, _ in blocks]
    goal = _goal(heights, columns)
    whole = [sum(heights[i] for i in group) for group in groups]
    by_group = _goal(whole, columns)
    starts = {group[0]: size for group, size in zip(groups, whole, strict=True)}
    together = by_group <= goal * _UNEVEN
    goal = by_group if together else goal
    column, used, lowest = 0, 0.0, 0.0
    for place, (height, block) in enumerate(blocks):
        need = starts.get(place, 0.0 if together else height)
        if used and used + (need if together else height) > goal:
            column, used = column + 1, 0.0
        x, y = at[0] + column * (wide + _COLUMN_GAP), at[1] + used
        setter.parts.append(
            element("g", *block.parts, transform=f"translate({number(x)} {number(y)})")
        )
        setter.texts += block.texts
        used += height
        lowest = max(lowest, used)
    return at[1] + lowest


def _goal(heights: Sequence[float], columns: int) -> float:
    """Least height of columns that hold all parts in their order."""
    goal = max([sum(heights) / columns, *heights], default=0.0)
    while _count(heights, goal) > columns:
        goal += 2
    return goal


def _count(heights: Sequence[float], goal: float) -> int:
    """Columns that blocks need if none may be higher than the goal."""
    count, used = 1, 0.0
    for height in heights:
        if used and used + height > goal:
            count, used = count + 1, 0.0
        used += height
    return count


def _credits(exchange: Exchange, page: ExchangeMap) -> str:
    """Makers and licences of the layers that are drawn, and what drew them."""
    from importlib.metadata import version

    from maps.panel import credit_lines

    found: dict[str, list[str]] = {}
    for line in [*credit_lines(exchange), *page.credits]:
        if line.get("short"):
            licences = found.setdefault(line["short"], [])
            licence = licence_words(line["licence"])
            if licence not in licences:
                licences.append(licence)
    makers = "; ".join(f"{who} ({', '.join(what)})" for who, what in found.items())
    return f"{makers}. Lodemap {version('lodemap')}."


def licence_words(licence: str) -> str:
    """Write a licence for people: what SPDX has no name for in plain words.

    Examples
    --------
    >>> licence_words("LicenseRef-public-domain"), licence_words("CC-BY-4.0")
    ('public domain', 'CC-BY-4.0')
    """
    name = licence.removeprefix("LicenseRef-")
    return licence if name == licence else name.replace("-", " ")


def _document(
    body: str,
    *,
    width: float,
    height: float,
    title: str,
    about: str,
    tag: str,
    palette: Mapping[str, str],
    size: tuple[float, float],
) -> str:
    """Put finished SVG into a document with its definitions."""
    edge = element(
        "clipPath",
        element("rect", width=size[0], height=size[1]),
        id="map-edge",
    )
    return element(
        "svg",
        element("title", characters(title), id="title"),
        element("desc", characters(about), id="desc"),
        element("defs", drawing.definitions(palette), edge),
        body,
        xmlns="http://www.w3.org/2000/svg",
        width=f"{number(width / UNITS_PER_MM)}mm",
        height=f"{number(height / UNITS_PER_MM)}mm",
        viewBox=f"0 0 {number(width)} {number(height)}",
        xml__lang=tag,
        role="img",
        aria_labelledby="title desc",
    )

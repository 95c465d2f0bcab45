"""The whole picture: title, map, legend, credits, as one SVG drawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layers.symbology import DARK, LIGHT
from maps.pictures import drawing, labels, words
from maps.pictures.fonts import TAGS
from maps.pictures.furniture import (
    furniture,
    graticule,
    scale_words,
)
from maps.pictures.legend import set_legend
from maps.pictures.order import UNITS_PER_MM
from maps.pictures.paragraphs import Paragraphs, wrapped
from maps.pictures.scene import scene
from maps.pictures.svg import characters, element, legible, number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.exchange import Exchange
    from layers.symbology import Mark
    from maps.page import ExchangeMap
    from maps.pictures.fonts import FontStock
    from maps.pictures.order import Language
    from maps.pictures.scene import Drawn, Scene

_EDGE = 22.0
_HIGH = 0.74
_LONGEST_TITLE = 300
_TITLE, _LEAST_TITLE = 25, 19


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
    setter = Paragraphs(fonts, palette)
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
    y = set_legend(setter, shown.scene.marks, (_EDGE, y), inner, language) + 8
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


def _head(
    setter: Paragraphs,
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

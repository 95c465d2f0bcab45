"""The report of an exchange: what stands on its A4 pages, as data for the template."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from maps.panel import credit_lines
from maps.pictures import report_parts as parts
from maps.pictures import words
from maps.pictures.figure import licence_words, map_figure, swatch_document
from maps.pictures.fonts import SANS, SERIF
from maps.pictures.furniture import scale_words
from maps.pictures.legend import goal_height, legend_order
from maps.pictures.notes import Notes, source_entry
from maps.pictures.order import UNITS_PER_MM
from maps.pictures.svg import legible
from maps.pictures.typesetter import typeset
from maps.popup import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.exchange import Exchange
    from maps.page import ExchangeMap
    from maps.pictures.figure import Figure
    from maps.pictures.fonts import FontStock
    from maps.pictures.legend import goal_height, legend_order
from maps.pictures.order import Order

_MAP_MM = (174.0, 102.0)
_COLUMNS = 3
_WHOLE = 1500
_LINE = 37
_SHORT = 90
_METHOD = (
    (
        "Every mark stands for a feature of a layer whose source, licence and date "
        "are listed below. A place is known only to within its ring; a place known no "
        "better than to its county is drawn as an area. Coordinates are printed to no "
        "more digits than the uncertainty supports."
    ),
    (
        "Distances are geodesics on the WGS 84 ellipsoid, with the bounds that the "
        "rings allow. Legs show who would give what to whom: they are bent so that "
        "they can be told apart, and they are not routes."
    ),
    (
        "Ratings follow the Admiralty code, likelihoods ICD 203, precision the IATI "
        "codes. Judgements are ours and stand apart from the claims. Corroboration "
        "counts origins, not texts: what repeats one report adds nothing to it."
    ),
    (
        "Limits: only texts that were found are here, and several were seen "
        "second-hand, as their notes say. The list of measures may lack some. A lack "
        "of reports is not a report of a lack."
    ),
)


def report(
    exchange: Exchange, page: ExchangeMap, order: Order, *, fonts: FontStock
) -> bytes:
    """Set the report of an exchange.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    page
        Its map, from :func:`maps.exchange_map`.
    order
        What is asked for: the language of the map's names.
    fonts
        Fonts to set it in.

    Returns
    -------
    bytes
        A tagged PDF.

    Raises
    ------
    maps.pictures.order.PictureError
        If the typesetter refuses it.
    """
    from maps.pictures.writing import newest_data

    drawn = map_figure(
        page,
        fonts=fonts,
        width=_MAP_MM[0] * UNITS_PER_MM,
        height=_MAP_MM[1] * UNITS_PER_MM,
        language=order.language,
        title=f"Map: {exchange.title}",
    )
    data = report_data(exchange, drawn, order, fonts=fonts)
    text = json.dumps(data, ensure_ascii=False)
    fonts.warn((*drawn.texts, text))
    return typeset(
        "report",
        {"data": text, "map": drawn.svg},
        fonts=fonts,
        form="pdf",
        dated=newest_data(),
    )


def report_data(
    exchange: Exchange, drawn: Figure, order: Order, *, fonts: FontStock
) -> dict[str, Any]:
    """Everything that the report says, in the order in which it says it.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    drawn
        Its map.
    order
        What is asked for.
    fonts
        Fonts that are there.

    Returns
    -------
    dict
        JSON-ready; the template sets it and adds nothing but headings.
    """
    notes = Notes(Evidence(exchange))
    scale = scale_words(drawn.scene.frame)
    shown = exchange.reported.isoformat()[
        : {"year": 4, "month": 7}.get(exchange.reported_precision, 10)
    ]
    data: dict[str, Any] = {
        "title": legible(exchange.title),
        "short": legible(exchange.title, _SHORT),
        "titles": [
            (legible(text), lang)
            for text, lang in ((exchange.title_ko, "ko"), (exchange.title_zh, "zh"))
            if text
        ],
        "summary": legible(exchange.summary),
        "keywords": ["map", "evidence", "sanctions", exchange.id],
        "as_of": exchange.as_of.isoformat(),
        "fonts": _fonts(fonts),
        "facts": [
            ("Status", exchange.status),
            ("Reported", shown),
            ("Read as of", exchange.as_of.isoformat()),
        ],
        "map_about": legible(
            f"Map of {exchange.title}: {len(drawn.scene.features)} marks, all of them "
            "in the tables of this report. "
            + ", ".join(mark.label for mark in drawn.scene.marks)
        ),
        "map_caption": f"{words.projection(drawn.scene.frame, 'en')}; {scale} in the "
        f"middle. {words.notes(drawn.scene.marks, 'en')}",
        "legend": _legend(drawn),
    }
    data["judgements"] = parts.judgements(exchange, notes)
    data["promises"] = parts.promises(exchange, notes)
    data["claims"] = parts.claims(exchange, notes)
    data["places"] = parts.places(exchange, notes)
    data["legs"] = parts.legs(exchange, notes)
    data |= parts.readings(exchange, notes)
    data |= parts.areas(exchange)
    data["unknowns"] = [parts.note(n, notes) for n in exchange.unknowns]
    data["disputes"] = [parts.note(n, notes) for n in exchange.disputes]
    for row in (
        *(one for name in ("claims", "places", "areas", "legs") for one in data[name]),
        *(one for leg in data["legs"] for one in leg["measures"]),
    ):
        row["whole"] = parts.extent(row) < _WHOLE
    data["readings_whole"] = parts.extent(data["readings"]) < _WHOLE * 2
    data["method"] = list(_METHOD)
    data["sources"] = [source_entry(s, notes.numbers[s.id]) for s in notes.cited]
    data["credits"] = [
        {**line, "licence": licence_words(line["licence"])}
        for line in credit_lines(exchange)
    ]
    data["colophon"] = (
        f"Made by Lodemap {version('lodemap')} (BSD-3-Clause) and set with Typst "
        "(Apache-2.0). The same data, versions and fonts give the same file, byte by "
        f"byte. Of {len(exchange.sources)} texts and data sets that stand behind the "
        f"exchange this report cites {len(notes.cited)}; the page that lodemap map "
        "writes has them all. The command:"
    )
    data["command"] = command(exchange, order)
    return data


def command(exchange: Exchange, order: Order) -> str:
    """Command that makes the same report again."""
    language = f" --lang {order.language}" if order.language != "en" else ""
    return (
        f"lodemap picture {exchange.id} --report --as-of {exchange.as_of.isoformat()}"
        f"{language} -o {order.path.name}"
    )


def _fonts(fonts: FontStock) -> dict[str, list[str]]:
    """Families that are there, by use; the typesetter warns of others."""
    there = {face.family for face in fonts.faces}

    def known(names: Sequence[str]) -> list[str]:
        return [name for name in names if name in there] or [SERIF[0]]

    return {
        "serif": known((*SERIF, *SANS["en"])),
        "sans": known(SANS["en"]),
        "ko": known(SANS["ko"]),
        "zh": known(SANS["zh-Hans"]),
    }


def _legend(drawn: Figure) -> list[list[dict[str, Any]]]:
    """Put the rows of the legend, each with its drawing, into even columns."""
    rows = [
        {
            "title": title if place == 0 else "",
            "note": words.group_note(title, "en") if place == 0 else "",
            "label": mark.label,
            "about": mark.about,
            "swatch": swatch_document(mark),
        }
        for title, marks in legend_order(drawn.scene.marks)
        for place, mark in enumerate(marks)
    ]
    heights = [
        (1.3 if row["about"] else 2.1)
        + (1.7 if row["title"] else 0.0)
        + sum(-(-len(row[name]) // _LINE) for name in ("about", "note"))
        for row in rows
    ]
    goal = goal_height(heights, _COLUMNS, step=0.5)
    columns: list[list[dict[str, Any]]] = [[]]
    used = 0.0
    for row, height in zip(rows, heights, strict=True):
        if used and used + height > goal:
            columns.append([])
            used = 0.0
        columns[-1].append(row)
        used += height
    return columns + [[] for _ in range(_COLUMNS - len(columns))]

"""An analyst's own layer on a page: drawn and shown as text, never trusted."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import shapely

from geo.crs import require_lonlat
from geo.errors import GeometryTypeError
from layers.symbology import ADDED, LIGHT, SYMBOLS
from maps.beside import Large
from maps.classes import LayerMark, classify
from maps.columns import as_texts
from maps.facts import feature_facts, length, quantity, words
from maps.few import FewLayer
from maps.layer import Verbatim, feature, mark_layer
from maps.legend import class_label, layer_about, layer_label
from maps.many import cited
from maps.page import ExchangeMap, PageError
from maps.popup import Card, dom_id
from maps.vertices import (
    AREA,
    FINEST_M,
    LINE,
    POINT,
    Shapes,
    has_place,
    run_on,
    take_apart,
)
from maps.words import Said, recognised
from maps.words.phrases import ARCHIVE_TROUBLE, card_phrases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import folium
    import geopandas as gpd

    from layers.symbology import Mark
    from maps.classes import Classes, Palette, Scheme
    from maps.many import ManyLayer

MOST_MARKS = 500
"""Features up to which each is a mark of the document with its own card; larger layers
are drawn on a canvas, and their cards made when one is opened."""

MOST_DRAWN = 5000
"""Features up to which a caller may ask for marks."""

MOST_LABELS = 200
"""Features of a layer up to which each is named on the map; search finds them all."""

_LONGEST = 2000
_LONGEST_NAME = 200
_WIDEST_RING_M = 5_000_000.0
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_KNOWN = frozenset(
    {
        "name",
        "name_ko",
        "name_zh",
        "kind",
        "status",
        "note",
        "uncertainty_m",
        "precision_code",
        "georeference_protocol",
        "sources",
    }
)
_DRAWN = frozenset(
    {
        *("POINT", "LINESTRING", "LINEARRING", "POLYGON"),
        *("MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON"),
    }
)


def add_layer(
    page: folium.Map,
    gdf: gpd.GeoDataFrame,
    *,
    name: str,
    style: Mapping[str, str] | None = None,
    column: str | None = None,
    scheme: Scheme | None = None,
    k: int = 5,
    palette: Palette | None = None,
    unit: str = "",
    resolution_m: float | None = None,
    draw: Literal["auto", "marks", "canvas"] = "auto",
    tiles: str | PathLike[str] | None = None,
) -> None:
    """Add a layer to a page; see :func:`maps.add_layer` for the parameters.

    Raises
    ------
    geo.errors.GeoError
        In the cases that :func:`maps.add_layer` lists.
    """
    if not isinstance(page, ExchangeMap):
        raise PageError(
            f"the map is a {type(page).__name__}; expected one from "
            "maps.exchange_map. Build the page with that function first."
        )
    _require_options(gdf, column, resolution_m, draw)
    shapes = _shapes(gdf, name)
    name = _short(name)[:_LONGEST_NAME]
    parts = int(shapes.lengths[shapes.kinds[shapes.owners] == POINT].sum())
    parts += int((shapes.kinds > POINT).sum())
    if draw == "marks" and parts > MOST_DRAWN:
        raise PageError(
            f"layer {name!r} has {parts:,} features; as marks a page draws at most "
            f"{MOST_DRAWN:,}. Leave draw at 'auto' for the canvas."
        )
    classes = None
    if column is not None:
        classes = classify(gdf[column], scheme=scheme, k=k, palette=palette, unit=unit)
    known = [re.match(r"added:(\d+)", key) for key in page.marks]
    number = max((int(found[1]) for found in known if found), default=0) + 1
    drawing = _Drawing(
        name=name,
        number=number,
        mark=_mark(name, number, gdf, shapes, style),
        classes=classes,
        many=tiles is not None
        or draw == "canvas"
        or (draw == "auto" and max(parts, len(gdf)) > MOST_MARKS),
    )
    if tiles is not None:
        _draw_tiles(page, drawing, gdf, shapes, resolution_m, Path(tiles))
    elif drawing.many:
        _draw_canvas(page, drawing, gdf, shapes, resolution_m)
    else:
        _draw_marks(page, drawing, gdf, shapes)
    if len(shapes.lonlat):
        _widen(page, shapes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Drawing:
    """A layer that is about to be drawn."""

    name: str
    number: int
    mark: LayerMark
    classes: Classes | None
    many: bool

    def class_marks(self) -> list[LayerMark]:
        """Give each class a row of the legend; the first says how they were made."""
        if self.classes is None:
            return []
        made = self.classes
        return [
            dataclasses.replace(
                self.mark,
                key=f"{self.mark.key}:{place}",
                label=class_label(one.label, one.count),
                about="" if place or self.many else self.mark.about,
                role=f"added-{self.number}-{place}",
                title="" if place or self.many else self.mark.label,
                method="" if place else made.method,
                unit="" if place else made.unit,
            )
            for place, one in enumerate(made.classes)
        ]

    def show_on(self, page: ExchangeMap) -> None:
        """Put the layer's rows into the legend, and its colours into the page."""
        if self.classes is None or self.many:
            page.show_mark(self.mark)
        if self.classes is None:
            return
        page.needs("classes")
        day: list[str] = []
        night: list[str] = []
        for own, one in zip(self.class_marks(), self.classes.classes, strict=True):
            page.show_mark(own)
            for rules, colour in zip((day, night), one.colours, strict=True):
                rules.append(f".role-{own.role}{{--mark:{colour}}}")
        dark = f"@media screen and (prefers-color-scheme:dark){{{''.join(night)}}}"
        figure: Any = page.get_root()
        figure.header.add_child(
            Verbatim(f"<style>{''.join(day)}{dark}</style>"),
            name=f"{self.mark.key} colours",
        )


def _require_options(
    gdf: gpd.GeoDataFrame, column: str | None, resolution_m: float | None, draw: str
) -> None:
    """Refuse options that mean nothing."""
    if draw not in {"auto", "marks", "canvas"}:
        raise PageError(f"draw is {draw!r}; expected auto, marks or canvas")
    if column is not None and column not in gdf.drop(columns=gdf.geometry.name):
        table = gdf.drop(columns=gdf.geometry.name)
        known = ", ".join(map(_short, table.columns[:20]))
        raise PageError(
            f"column is {_short(column)!r}; expected a column of the layer: {known}"
        )
    if resolution_m is not None and not FINEST_M <= resolution_m <= _WIDEST_RING_M:
        raise PageError(
            f"resolution_m is {resolution_m}; expected a length in metres, "
            f"{FINEST_M} or more"
        )


def _shapes(gdf: gpd.GeoDataFrame, name: str) -> Shapes:
    """Take the geometry of a layer apart once it has been checked."""
    geometries = gdf.geometry.to_numpy()
    there = has_place(geometries)
    boxes = shapely.bounds(geometries[there])
    inside = len(boxes) and (np.abs(boxes).max(axis=0) <= [180, 90, 180, 90]).all()
    # The whole check is slow on a million: where all boxes are on the globe, that of
    # the CRS is left.
    require_lonlat(gdf.iloc[:0] if inside else gdf[there], name)
    types = np.unique(shapely.get_type_id(geometries[there]))
    wrong = {shapely.GeometryType(kind).name for kind in types} - _DRAWN
    if wrong:
        raise GeometryTypeError(
            f"layer {name!r} holds {', '.join(sorted(wrong))}; expected "
            "points, lines or polygons. Split collections with explode() first."
        )
    return take_apart(geometries, name, there)


def _draw_marks(
    page: ExchangeMap, drawing: _Drawing, gdf: gpd.GeoDataFrame, shapes: Shapes
) -> None:
    """Draw each feature as a mark of the document."""
    rows = gdf.drop(columns=gdf.geometry.name).to_dict("records")
    groups: dict[str, list[dict[str, Any]]] = {}
    marks = drawing.class_marks()
    owners: list[int] = []
    for index, (row, geometry) in enumerate(zip(rows, gdf.geometry, strict=True)):
        if not shapes.kinds[index]:
            continue
        mark = drawing.mark
        if drawing.classes is not None:
            mark = marks[drawing.classes.places[index]]
        for part in _points(run_on(geometry, shapes, index)):
            whole = {**{str(c): v for c, v in row.items()}, "geometry": part}
            key = f"added-{drawing.number}/{len(owners)}"
            card = _card(whole, key, mark, drawing.name, len(owners))
            groups.setdefault(mark.key, []).append(
                _feature(part, card, whole, named=len(gdf) <= MOST_LABELS)
            )
            page.cards.append(card)
            owners.append(index)
    drawing.show_on(page)
    for mark in marks or [drawing.mark]:
        if mark.key in groups or not marks:
            mark_layer(mark, groups.get(mark.key, [])).add_to(page)
    page.needs("few")
    table = gdf.drop(columns=gdf.geometry.name).iloc[owners]
    FewLayer(drawing.mark, table, marks=f"added-{drawing.number}").add_to(page)


def _draw_canvas(
    page: ExchangeMap,
    drawing: _Drawing,
    gdf: gpd.GeoDataFrame,
    shapes: Shapes,
    resolution_m: float | None,
) -> None:
    """Draw a layer on a canvas."""
    from maps.many import many_layer, own_resolution, rounding

    step = resolution_m or own_resolution(gdf)
    about = Said("{0} {1}", drawing.mark.about, rounding(step))
    mark = dataclasses.replace(drawing.mark, about=about)
    dataclasses.replace(drawing, mark=mark).show_on(page)
    page.needs("many")
    page.says |= card_phrases(gdf.columns)
    made = many_layer(
        mark,
        gdf,
        shapes,
        layer=drawing.name,
        resolution_m=step,
        classes=drawing.classes,
    )
    made.add_to(page)
    if (shapes.kinds > 0).any():
        own = gdf.copy(deep=False)

        def tile(path: Path) -> tuple[ManyLayer, Mark]:
            return _tiled(drawing, own, shapes, step, path)

        page.large.append(Large(element=made, tile=tile))


def _draw_tiles(
    page: ExchangeMap,
    drawing: _Drawing,
    gdf: gpd.GeoDataFrame,
    shapes: Shapes,
    resolution_m: float | None,
    path: Path,
) -> None:
    """Draw a layer from an archive beside the page."""
    from maps.many import own_resolution

    if not (shapes.kinds > 0).any():
        raise PageError(
            f"layer {drawing.name!r} cannot be tiles: none of its features has a "
            "place; expected one or more. Leave tiles out."
        )
    step = resolution_m or own_resolution(gdf)
    made, mark = _tiled(drawing, gdf, shapes, step, path)
    dataclasses.replace(drawing, mark=mark).show_on(page)
    page.needs("many")
    page.needs("tiled")
    page.says |= {*card_phrases(gdf.columns), *ARCHIVE_TROUBLE}
    page.archives.append(path)
    page.archives_used.append(made.data["tiles"]["archive"])
    made.add_to(page)


def _tiled(
    drawing: _Drawing, gdf: gpd.GeoDataFrame, shapes: Shapes, step: float, path: Path
) -> tuple[ManyLayer, LayerMark]:
    """Write a layer as tiles; return what a page and its legend need then."""
    from maps.many import rounding
    from maps.tiled import tiled_layer

    made = tiled_layer(
        drawing.mark,
        gdf,
        shapes,
        path,
        layer=drawing.name,
        resolution_m=step,
        classes=drawing.classes,
    )
    about = Said("{0} {1}", drawing.mark.about, rounding(made.data["resolution"]))
    return made, dataclasses.replace(drawing.mark, about=about)


def _mark(
    name: str,
    number: int,
    gdf: gpd.GeoDataFrame,
    shapes: Shapes,
    style: Mapping[str, str] | None,
) -> LayerMark:
    """Mark of an added layer."""
    bare = len(gdf)
    if "sources" in gdf:
        bare = sum(not text.strip() for text in as_texts(gdf["sources"]).to_pylist())
    lost = int((shapes.kinds == 0).sum())
    kinds = shapes.kinds[shapes.kinds > 0]
    kind = (
        {POINT: "symbol", LINE: "line", AREA: "area"}[int(kinds[0])]
        if len(kinds)
        else "symbol"
    )
    style = dict(style or {})
    allowed = {"colour": LIGHT, "symbol": SYMBOLS}
    for key, value in style.items():
        if key not in allowed or value not in allowed[key]:
            choices = ", ".join(sorted(allowed.get(key, allowed)))
            raise PageError(f"style has {key!r}: {value!r}; expected one of {choices}")
    return LayerMark(
        key=f"added:{number}",
        label=layer_label(name, bare, len(gdf)),
        about=layer_about(lost, len(gdf), shapes.beyond),
        group=ADDED,
        shape=kind,  # type: ignore[arg-type]
        role=style.get("colour", "added"),
        symbol=style.get("symbol", "pin"),
        rank=4,
    )


def _card(
    row: Mapping[str, Any], key: str, mark: LayerMark, layer: str, place: int
) -> Card:
    """Card of a feature: every column as text, and whether it names a source."""
    known, given = cited(_short(row.get("sources")))
    unsourced = not (known or given)
    others = tuple(
        (str(column), _short(value))
        for column, value in row.items()
        if column != "geometry" and column not in _KNOWN and _short(value)
    )
    located = _located(row)
    if given:
        others = ((Said("Sources, as given"), given), *others)
    whose = Said("From the added layer “{0}”; not checked.", layer)
    if unsourced:
        whose = Said("{0} {1}", whose, Said("It names no source."))
    return Card(
        key=key,
        dom_id=dom_id(key),
        role=mark.role,
        kind=words(_short(row.get("kind"))) or layer,
        name=_name(row.get("name")) or f"{layer} {place + 1}",
        name_ko=_name(row.get("name_ko")),
        name_zh=_name(row.get("name_zh")),
        badge=_short(row.get("status"))
        or (Said("no source named") if unsourced else ""),
        intro=whose,
        facts=located + others,
        sources=known,
        note=_short(row.get("note")),
        language="",
    )


def _located(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Say where a feature is and how well that is known, or that nobody says so."""
    shown = {k: v for k, v in row.items() if k in {*_KNOWN, "geometry"}}
    radius = _radius(shown.pop("uncertainty_m", None))
    facts: list[tuple[str, str]] = []
    if not radius:
        facts.append(("Where", "uncertainty not stated"))
    elif row["geometry"].geom_type == "Point":
        shown["uncertainty_m"] = radius
    else:
        facts.append(("Where", f"may be off by {length(radius)}"))
    facts += feature_facts(shown)
    return tuple(
        (Said(label), text if label == "How located" else recognised(text) or text)
        for label, text in facts
    )


def _feature(
    geometry: Any, card: Card, row: Mapping[Any, Any], *, named: bool
) -> dict[str, Any]:
    """One feature for the page's script."""
    point = geometry.representative_point()
    ring = _radius(row.get("uncertainty_m"))
    is_point = geometry.geom_type == "Point"
    return feature(
        key=card.key,
        card=card.dom_id,
        name=card.name,
        say=f"{card.name}, {card.kind}"
        + (
            ""
            if card.sources or "Sources, as given" in dict(card.facts)
            else ", no source named"
        ),
        anchor=(point.x, point.y),
        geometry=None if is_point else geometry,
        label=card.name if named and len(card.name) <= 40 else "",
        name_ko=card.name_ko,
        name_zh=card.name_zh,
        ring_m=ring if is_point else 0.0,
        ends=is_point,
    )


def _radius(value: object) -> float:
    """Radius of a ring; zero for what is no length that fits on the Earth. [m]."""
    try:
        radius = float(str(value))
    except ValueError:
        return 0.0
    return radius if 0 < radius <= _WIDEST_RING_M else 0.0


def _widen(page: ExchangeMap, shapes: Shapes) -> None:
    """Let the first view take in the layer."""
    west, south, east, north = shapes.bounds
    (low_lat, low_lon), (high_lat, high_lon) = page.first_view
    page.first_view = [
        [min(low_lat, south), min(low_lon, west)],
        [max(high_lat, north), max(high_lon, east)],
    ]


def _points(geometry: Any) -> list[Any]:
    """Return a geometry, or each of several points by itself."""
    return list(geometry.geoms) if geometry.geom_type == "MultiPoint" else [geometry]


def _name(value: object) -> str:
    """``value`` as a name of a bearable length."""
    text = _short(value).strip()
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]} …"


def _short(value: object) -> str:
    """``value`` as text of a bearable length; missing values as an empty one."""
    if value is None or str(value) in {"nan", "NaN", "NaT", "<NA>", "None"}:
        return ""
    text = quantity(_SURROGATES.sub("�", _CONTROLS.sub(" ", str(value))), "")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"

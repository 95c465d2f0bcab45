"""An analyst's own layer on a page: drawn and shown as text, never trusted."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any

from geo.crs import require_lonlat
from geo.errors import GeometryError, GeometryTypeError
from layers.symbology import ADDED, LIGHT, SYMBOLS, Mark
from maps.facts import feature_facts, length, quantity, words
from maps.layer import feature, mark_layer
from maps.page import ExchangeMap, PageError
from maps.popup import Card, dom_id, source_view

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import folium
    import geopandas as gpd

    from maps.popup import SourceView

MOST_FEATURES = 5000
"""Features that a page draws one by one and still opens at once."""

MOST_LABELS = 200
"""Features of a layer up to which each is named on the map; search finds them all."""

_LONGEST = 2000
_LONGEST_NAME = 200
_WIDEST_RING_M = 5_000_000.0
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
_SHAPES = {
    "Point": "symbol",
    "LineString": "line",
    "MultiLineString": "line",
    "Polygon": "area",
    "MultiPolygon": "area",
}


def add_layer(
    page: folium.Map,
    gdf: gpd.GeoDataFrame,
    *,
    name: str,
    style: Mapping[str, str] | None = None,
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
    if not len(gdf):
        raise GeometryError(
            f"layer {name!r} is empty; expected at least one feature. Leave it out, "
            "or look at how it was read."
        )
    require_lonlat(gdf, name)
    if len(gdf) > MOST_FEATURES:
        raise PageError(
            f"layer {name!r} has {len(gdf):,} features; a page draws at most "
            f"{MOST_FEATURES:,}. Select or simplify it first."
        )
    wrong = set(gdf.geometry.geom_type) - set(_SHAPES) - {"MultiPoint"}
    if wrong:
        raise GeometryTypeError(
            f"layer {name!r} holds {', '.join(sorted(map(str, wrong)))}; expected "
            "points, lines or polygons. Split collections with explode() first."
        )
    name = _short(name)[:_LONGEST_NAME]
    rows = gdf.drop(columns=gdf.geometry.name).to_dict("records")
    parts = [
        {**{str(column): value for column, value in row.items()}, "geometry": part}
        for row, geometry in zip(rows, gdf.geometry, strict=True)
        for part in _points(geometry)
    ]
    if len(parts) > MOST_FEATURES:
        raise PageError(
            f"layer {name!r} has {len(parts):,} points in its features; a page draws "
            f"at most {MOST_FEATURES:,}. Select or simplify it first."
        )
    for place, part in enumerate(parts, start=1):
        _require_no_jump(part["geometry"], f"{name!r}, feature {place}")
    number = sum(key.startswith("added:") for key in page.marks) + 1
    shape = _SHAPES[parts[0]["geometry"].geom_type]
    bare = sum(not _short(part.get("sources")) for part in parts)
    mark = _mark(name, number, shape, style, _warning(bare, len(parts)))
    features = []
    for place, row in enumerate(parts):
        key = f"added-{number}/{place}"
        card = _card(row, key, mark, name, place)
        named = len(parts) <= MOST_LABELS
        features.append(_feature(row["geometry"], card, row, named=named))
        page.cards.append(card)
    page.show_mark(mark)
    mark_layer(mark, features).add_to(page)
    _widen(page, gdf)


def _warning(bare: int, total: int) -> str:
    """Say in the legend that ``bare`` features of a layer name no source."""
    if not bare:
        return ""
    return "no source named" if bare == total else f"{bare} of {total} name no source"


def _mark(
    name: str, number: int, shape: Any, style: Mapping[str, str] | None, warning: str
) -> Mark:
    """Mark of an added layer."""
    style = dict(style or {})
    allowed = {"colour": LIGHT, "symbol": SYMBOLS}
    for key, value in style.items():
        if key not in allowed or value not in allowed[key]:
            choices = ", ".join(sorted(allowed.get(key, allowed)))
            raise PageError(f"style has {key!r}: {value!r}; expected one of {choices}")
    return Mark(
        key=f"added:{number}",
        label=f"{name} ({warning})" if warning else name,
        about="Added by the maker of this page; not part of the catalogue.",
        group=ADDED,
        shape=shape,
        role=style.get("colour", "added"),
        symbol=style.get("symbol", "pin"),
        rank=4,
    )


def _card(row: Mapping[str, Any], key: str, mark: Mark, layer: str, place: int) -> Card:
    """Card of a feature: every column as text, and whether it names a source."""
    known, cited = _cited(_short(row.get("sources")))
    unsourced = not (known or cited)
    others = tuple(
        (str(column), _short(value))
        for column, value in row.items()
        if column != "geometry" and column not in _KNOWN and _short(value)
    )
    located = _located(row)
    if cited:
        others = (("Sources, as given", cited), *others)
    return Card(
        key=key,
        dom_id=dom_id(key),
        role=mark.role,
        kind=words(_short(row.get("kind"))) or layer,
        name=_name(row.get("name")) or f"{layer} {place + 1}",
        name_ko=_name(row.get("name_ko")),
        name_zh=_name(row.get("name_zh")),
        badge=_short(row.get("status")) or ("no source named" if unsourced else ""),
        intro=f"From the added layer “{layer}”; not checked."
        + (" It names no source." if unsourced else ""),
        facts=located + others,
        sources=known,
        note=_short(row.get("note")),
    )


def _located(row: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Say where a feature is and how well that is known, or that nobody says so."""
    shown = {k: v for k, v in row.items() if k in {*_KNOWN, "geometry"}}
    radius = _radius(shown.pop("uncertainty_m", None))
    if not radius:
        return (("Where", "uncertainty not stated"), *feature_facts(shown))
    if row["geometry"].geom_type == "Point":
        return feature_facts({**shown, "uncertainty_m": radius})
    off = ("Where", f"may be off by {length(radius)}")
    return (off, *feature_facts(shown))


def _cited(text: str) -> tuple[tuple[SourceView, ...], str]:
    """Return the sources that ship, by id, and the text where it names any other."""
    from layers.evidence import sources

    ids = dict.fromkeys(text.split())
    found = [sources()[one] for one in ids if one in sources()]
    views = tuple(source_view(dataclasses.asdict(source)) for source in found)
    return views, "" if len(found) == len(ids) else text


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


def _widen(page: ExchangeMap, gdf: gpd.GeoDataFrame) -> None:
    """Let the first view take in the layer."""
    west, south, east, north = (float(v) for v in gdf.total_bounds)
    (low_lat, low_lon), (high_lat, high_lon) = page.first_view
    page.first_view = [
        [min(low_lat, south), min(low_lon, west)],
        [max(high_lat, north), max(high_lon, east)],
    ]


def _points(geometry: Any) -> list[Any]:
    """Return a geometry, or each of several points by itself."""
    return list(geometry.geoms) if geometry.geom_type == "MultiPoint" else [geometry]


def _lines(geometry: Any) -> Iterator[Any]:
    """Yield the lines and rings that a geometry is drawn with."""
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon":
            yield part.exterior
            yield from part.interiors
        else:
            yield part


def _require_no_jump(geometry: Any, where: str) -> None:
    """Refuse an edge that leaps over the antimeridian: it would cross the whole map."""
    import numpy as np
    import shapely

    for line in _lines(geometry):
        lon = shapely.get_coordinates(line)[:, 0]
        ends = np.abs(np.column_stack([lon[:-1], lon[1:]])) < 180
        if (ends.any(axis=1) & (np.abs(np.diff(lon)) > 180)).any():
            raise GeometryError(
                f"layer {where}: an edge leaps over the antimeridian; expected a shape "
                "that is cut there (RFC 7946, section 3.1.9). Cut it at 180°."
            )


def _name(value: object) -> str:
    """``value`` as a name of a bearable length."""
    text = _short(value).strip()
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]} …"


def _short(value: object) -> str:
    """``value`` as text of a bearable length; missing values as an empty one."""
    if value is None or str(value) in {"nan", "NaN", "NaT", "<NA>", "None"}:
        return ""
    text = quantity(_CONTROLS.sub(" ", str(value)), "")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"

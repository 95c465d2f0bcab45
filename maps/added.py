"""An analyst's own layer on a page: drawn and shown as text, never trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo.crs import require_lonlat
from geo.errors import GeometryError, GeometryTypeError
from maps.facts import feature_facts, quantity, words
from maps.layer import feature, mark_layer
from maps.page import ExchangeMap, PageError
from maps.palette import LIGHT
from maps.popup import Card, dom_id
from maps.style import ADDED, SYMBOLS, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    import folium
    import geopandas as gpd

MOST_FEATURES = 5000
"""Features that a page draws one by one and still opens at once."""

_LONGEST = 2000
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
    parts = gdf.explode(index_parts=False) if _has_multipoints(gdf) else gdf
    number = sum(key.startswith("added:") for key in page.marks) + 1
    mark = _mark(name, number, _SHAPES[str(parts.geometry.geom_type.iloc[0])], style)
    features = []
    for place, row in enumerate(parts.to_dict("records")):
        key = f"added-{number}/{place}"
        card = _card({str(k): v for k, v in row.items()}, key, mark, place)
        features.append(_feature(row["geometry"], card, row))
        page.cards.append(card)
    page.show_mark(mark)
    mark_layer(mark, features).add_to(page)
    _widen(page, gdf)


def _mark(name: str, number: int, shape: Any, style: Mapping[str, str] | None) -> Mark:
    """Mark of an added layer."""
    style = dict(style or {})
    allowed = {"colour": LIGHT, "symbol": SYMBOLS}
    for key, value in style.items():
        if key not in allowed or value not in allowed[key]:
            choices = ", ".join(sorted(allowed.get(key, allowed)))
            raise PageError(f"style has {key!r}: {value!r}; expected one of {choices}")
    return Mark(
        key=f"added:{number}",
        label=name,
        about="Added by the maker of this page; not part of the catalogue.",
        group=ADDED,
        shape=shape,
        role=style.get("colour", "added"),
        symbol=style.get("symbol", "pin"),
        rank=4,
    )


def _card(row: Mapping[str, Any], key: str, mark: Mark, place: int) -> Card:
    """Card of a feature: every column as text."""
    others = tuple(
        (str(column), _short(value))
        for column, value in row.items()
        if column != "geometry" and column not in _KNOWN and _short(value)
    )
    located = feature_facts(
        {k: v for k, v in row.items() if k in {*_KNOWN, "geometry"}}
    )
    return Card(
        key=key,
        dom_id=dom_id(key),
        role=mark.role,
        kind=words(_short(row.get("kind"))) or mark.label,
        name=_short(row.get("name")) or f"{mark.label} {place + 1}",
        name_ko=_short(row.get("name_ko")),
        name_zh=_short(row.get("name_zh")),
        badge=_short(row.get("status")),
        intro=f"From the added layer “{mark.label}”; not checked.",
        facts=located + others,
        note=_short(row.get("note")),
    )


def _feature(geometry: Any, card: Card, row: Mapping[Any, Any]) -> dict[str, Any]:
    """One feature for the page's script."""
    point = geometry.representative_point()
    radius = _short(row.get("uncertainty_m"))
    try:
        ring = max(0.0, float(radius)) if radius else 0.0
    except ValueError:
        ring = 0.0
    is_point = geometry.geom_type == "Point"
    return feature(
        key=card.key,
        card=card.dom_id,
        name=card.name,
        say=f"{card.name}, {card.kind}",
        anchor=(point.x, point.y),
        geometry=None if is_point else geometry,
        label=card.name if len(card.name) <= 40 else "",
        name_ko=card.name_ko,
        name_zh=card.name_zh,
        ring_m=ring if is_point else 0.0,
        ends=is_point,
    )


def _widen(page: ExchangeMap, gdf: gpd.GeoDataFrame) -> None:
    """Let the first view take in the layer."""
    west, south, east, north = (float(v) for v in gdf.total_bounds)
    (low_lat, low_lon), (high_lat, high_lon) = page.first_view
    page.first_view = [
        [min(low_lat, south), min(low_lon, west)],
        [max(high_lat, north), max(high_lon, east)],
    ]


def _has_multipoints(gdf: gpd.GeoDataFrame) -> bool:
    return bool((gdf.geometry.geom_type == "MultiPoint").any())


def _short(value: object) -> str:
    """``value`` as text of a bearable length; missing values as an empty one."""
    if value is None or str(value) in {"nan", "NaN", "NaT", "<NA>", "None"}:
        return ""
    text = quantity(str(value), "")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"

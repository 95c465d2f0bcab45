"""An exchange as a folium map: what is drawn, in which order, with which card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from layers.schema import AREA_PRECISION
from layers.symbology import LEG_WORDS, MARKS, leg_mark, mark_key
from maps.facts import (
    distances,
    feature_facts,
    leg_readings,
    length,
    link_facts,
    plain,
    solar_facts,
    words,
)
from maps.layer import (
    base_layer,
    bent,
    country_names,
    disc_ring,
    feature,
    mark_layer,
)
from maps.page import ExchangeMap
from maps.panel import credit_lines, story_html
from maps.popup import Card, Evidence, dom_id, split_conflicts
from maps.provenance import made_from
from maps.site_view import SYNTHETIC, SiteView
from maps.words import SOURCE, speaking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from layers.exchange import Exchange
    from layers.siting.sites import SolarSites
    from layers.symbology import Mark
    from maps.popup import ClaimView

BASE = (
    ("base-world", "world"),
    ("base-land", "land"),
    ("base-lakes", "lakes"),
    ("base-rivers", "rivers"),
    ("provinces", "provinces"),
    ("base-coast", "coast"),
    ("base-world-borders", "borders"),
    ("base-borders", "borders"),
)
"""Layers of the base map from the ground up, with their class in the style sheet."""

_BEND = 0.14
_NARROWEST_VIEW = 2.5
_NARROWEST_COARSE = 16.0


class _Drawing:
    """Collects features by mark, and the card of each, before they go on the map."""

    def __init__(
        self, exchange: Exchange, evidence: Evidence, sites: SolarSites | None
    ) -> None:
        self.exchange = exchange
        self.evidence = evidence
        self.sites = sites
        self.marks: dict[str, Mark] = {}
        self.features: dict[str, list[dict[str, Any]]] = {}
        self.cards: list[Card] = []
        self.keys: dict[str, str] = {}
        self.bounds: list[tuple[float, float, float, float]] = []

    def add(
        self, mark: Mark, entry: Mapping[str, Any], card: Card, *, known_as: str = ""
    ) -> None:
        """Add one feature with its card."""
        self.marks.setdefault(mark.key, mark)
        self.features.setdefault(mark.key, []).append(dict(entry))
        self.cards.append(card)
        if known_as:
            self.keys.setdefault(known_as, card.key)


def build(
    exchange: Exchange,
    *,
    extra_layers: Sequence[tuple[str, gpd.GeoDataFrame]] = (),
    sites: SolarSites | None = None,
    online_basemap: bool = False,
    language: str = SOURCE,
    command: str = "",
) -> ExchangeMap:
    """Build the map of an exchange; see :func:`maps.exchange_map`."""
    from maps.added import add_layer

    evidence = Evidence(exchange)
    drawing = _Drawing(exchange, evidence, sites)
    _draw_regions(drawing)
    _draw_areas(drawing)
    _draw_links(drawing)
    _draw_legs(drawing)
    _draw_places(drawing)
    regions = dict(zip(exchange.regions["id"], exchange.regions["name"], strict=True))
    shown = SiteView.of(sites, exchange.id, regions) if sites is not None else None
    with speaking(language):
        story = story_html(
            exchange, evidence, drawing.keys, shown.story if shown else None
        )
    warning = f"{SYNTHETIC}: " if sites is not None and sites.synthetic else ""
    page = ExchangeMap(
        title=f"{warning}{exchange.title}",
        title_ko=exchange.title_ko and f"{warning}{exchange.title_ko}",
        title_zh=exchange.title_zh and f"{warning}{exchange.title_zh}",
        bounds=_first_view(exchange),
        story=story,
        attribution=_attribution(exchange),
        online_basemap=online_basemap,
        language=language,
    )
    page.made = made_from(exchange, command)
    _add_base(page)
    for key in sorted(drawing.features, key=lambda k: _depth(drawing.marks[k])):
        page.show_mark(drawing.marks[key])
        mark_layer(drawing.marks[key], drawing.features[key]).add_to(page)
    if any("ring" in e for group in drawing.features.values() for e in group):
        page.show_mark(MARKS["uncertainty"])
    page.cards.extend(drawing.cards)
    if shown:
        shown.add_to(page)
    for name, gdf in extra_layers:
        add_layer(page, gdf, name=name)
    return page


def _draw_regions(drawing: _Drawing) -> None:
    """Outlines of the provinces that the reports name."""
    mark = MARKS["region"]
    for row in _rows(drawing.exchange.regions):
        _draw_polygon(drawing, row, mark, what=mark.label)


def _draw_areas(drawing: _Drawing) -> None:
    """Areas of the exchange: candidates by rank, and whatever else it holds."""
    for row in _rows(drawing.exchange.areas):
        rank = row.get("rank")
        ranked = rank is not None and rank == rank and str(rank) != "<NA>"  # noqa: PLR0124
        label = str(rank) if ranked else None
        mark = MARKS[mark_key(row)]
        if mark.key == "candidate" and drawing.sites is not None:
            mark = replace(mark, on=False)  # two sets of ranks on one map would mislead
        _draw_polygon(drawing, row, mark, label=label)


def _draw_polygon(
    drawing: _Drawing,
    row: Mapping[str, Any],
    mark: Mark,
    *,
    what: str | None = None,
    label: str | None = None,
) -> None:
    """Draw one polygon with its card; by default its kind is spoken, its name shown."""
    key = str(row["ref"])
    point = row["geometry"].representative_point()
    card = _feature_card(drawing, row, key, mark)
    drawing.add(
        mark,
        feature(
            key=key,
            card=card.dom_id,
            name=card.name,
            say=f"{card.name}, {(what or card.kind).lower()}",
            anchor=(point.x, point.y),
            geometry=row["geometry"],
            label=label or card.name,
            name_ko=card.name_ko,
            name_zh=card.name_zh,
            place="middle",
        ),
        card,
        known_as=key,
    )


def _draw_places(drawing: _Drawing) -> None:
    """Places: a symbol with its ring, or an area where no point is known."""
    exchange = drawing.exchange
    legs = exchange.legs
    ends = set(legs["from_id"]) | set(legs["to_id"]) if len(legs) else set()
    seen: set[str] = set()
    for row in (*_rows(exchange.places), *_rows(exchange.comparables)):
        key = str(row["ref"])
        if key in seen:
            continue
        seen.add(key)
        own = not row.get("context", True)
        name = mark_key(row, ends)
        mark = MARKS["hub" if own and name == "comparable" else name]
        card = _feature_card(drawing, row, key, mark)
        radius = float(row["uncertainty_m"])
        lon, lat = row["geometry"].x, row["geometry"].y
        as_area = int(row["precision_code"]) >= AREA_PRECISION
        drawing.add(
            mark,
            feature(
                key=key,
                card=card.dom_id,
                name=card.name,
                say=f"{card.name}, {card.kind.lower()}, within {length(radius)}",
                anchor=(lon, lat),
                geometry=_disc(lon, lat, radius) if as_area else None,
                label=card.name,
                name_ko=card.name_ko,
                name_zh=card.name_zh,
                ring_m=radius,
                ends=True,
                late=mark.rank > 3
                or not own
                or (name == "hub" and row["status"] == "context"),
            ),
            card,
            known_as=key,
        )


def _draw_legs(drawing: _Drawing) -> None:
    """Legs as bent arrows; those between the same ends bend by different amounts."""
    places = {str(r["ref"]): r for r in _rows(drawing.exchange.places)}
    rows = list(_rows(drawing.exchange.legs))
    turn: dict[frozenset[str], int] = {}
    labelled: set[str] = set()
    for number, row in enumerate(rows):
        line = row["geometry"]
        if line is None or line.is_empty or not row["drawn"]:
            continue
        start, end = str(row["from_id"]), str(row["to_id"])
        pair = frozenset((start, end))
        step = turn.get(pair, 0)
        turn[pair] = step + 1
        mark = leg_mark(str(row["leg_kind"]), str(row["direction"]))
        shape, apex = bent(
            line,
            bend=_BEND * (1 + step // 2 * 1.0) * (1 if step % 2 == 0 else -1),
            trim_start_m=_ring_of(places.get(start)),
            trim_end_m=_ring_of(places.get(end)),
        )
        leg_id = str(row["id"])
        key = f"legs/{leg_id}/{number}"
        card = _leg_card(drawing, row, key, mark)
        drawing.add(
            mark,
            feature(
                key=key,
                card=card.dom_id,
                name=card.name,
                say=f"{mark.label}: {card.name}",
                anchor=apex,
                geometry=shape,
                label=LEG_WORDS.get(str(row["leg_kind"]), (words(leg_id), ""))[0]
                if leg_id not in labelled
                else "",
                place="along",
            ),
            card,
            known_as=f"legs/{leg_id}",
        )
        labelled.add(leg_id)


def _draw_links(drawing: _Drawing) -> None:
    """Links to the nearest crossing, hub or plant, with the range of the distance."""
    areas = set(drawing.exchange.areas["ref"])
    for number, row in enumerate(_rows(drawing.exchange.links)):
        line = row["geometry"]
        if line is None or line.is_empty:
            continue
        mark = MARKS["tie-area" if row["from_id"] in areas else "tie"]
        key = f"links/{number}"
        name = f"{row['from_name']} to {row['to_name']}"
        middle = line.interpolate(0.5, normalized=True)
        near, far = length(row["distance_min_m"]), length(row["distance_max_m"])
        card = Card(
            key=key,
            dom_id=dom_id(key),
            role=mark.role,
            kind=str(row["relation"]),
            name=name,
            badge="computed",
            intro="Along the geodesic on WGS 84; each end lies somewhere in its ring.",
            facts=link_facts(row),
        )
        drawing.add(
            mark,
            feature(
                key=key,
                card=card.dom_id,
                name=f"{name}: {length(row['distance_m'])} ({near} to {far})",
                say=f"{row['relation']}: {name}, {length(row['distance_m'])}",
                anchor=(middle.x, middle.y),
                geometry=line,
                place="along",
            ),
            card,
        )


def _feature_card(
    drawing: _Drawing, row: Mapping[str, Any], key: str, mark: Mark
) -> Card:
    """Card of a feature: its claims, those that the exchange makes of it, its place."""
    evidence = drawing.evidence
    claims = {c.id: c for c in evidence.claims(plain(row.get("claims")))}
    claims |= {c.id: c for c in evidence.about(key)}
    alone, conflicts = split_conflicts(tuple(claims.values()))
    return Card(
        key=key,
        dom_id=dom_id(key),
        role=mark.role,
        kind=words(plain(row.get("kind"))) or mark.label,
        name=plain(row.get("name")) or key,
        name_ko=plain(row.get("name_ko")),
        name_zh=plain(row.get("name_zh")),
        badge=plain(row.get("status")),
        intro=plain(row.get("role")),
        facts=feature_facts(row) + solar_facts(row),
        distances=distances(drawing.exchange, key),
        claims=alone,
        conflicts=conflicts,
        sources=_sources(evidence, row, tuple(claims.values())),
        note=plain(row.get("note")),
    )


def _leg_card(drawing: _Drawing, row: Mapping[str, Any], key: str, mark: Mark) -> Card:
    """Card of a leg: what moves, who says so, what restricts it."""
    exchange, evidence = drawing.exchange, drawing.evidence
    claims = evidence.claims(plain(row.get("claims")))
    alone, conflicts = split_conflicts(claims)
    facts = [
        ("From", str(row["giver"])),
        ("To", str(row["receiver"])),
        ("Basis", plain(row.get("basis"))),
        ("Goods", plain(row.get("goods"))),
        ("HS", plain(row.get("hs"))),
    ]
    return Card(
        key=key,
        dom_id=dom_id(key),
        role=mark.role,
        kind=mark.label,
        name=str(row["what"]),
        badge=plain(row.get("basis")) or exchange.status,
        facts=tuple((label, text) for label, text in facts if text),
        claims=alone,
        conflicts=conflicts,
        readings=leg_readings(exchange, str(row["id"])),
        sources=_sources(evidence, row, claims),
        note=plain(row.get("note")),
    )


def _sources(
    evidence: Evidence, row: Mapping[str, Any], claims: Iterable[ClaimView]
) -> tuple[Any, ...]:
    """Gather the sources of a feature and of its claims, each once."""
    found = {s.id: s for s in evidence.cited(plain(row.get("sources")))}
    found |= {c.source.id: c.source for c in claims if c.source.id not in found}
    return tuple(found.values())


def _add_base(page: ExchangeMap) -> None:
    """Draw the base map from the layers that ship."""
    from layers.catalogue import catalogue, load

    known = catalogue()
    for layer_id, kind in BASE:
        if layer_id not in known:
            continue
        layer = load(layer_id)
        layer = layer[layer["kind"] != "zone-limit"]  # the line itself is drawn
        shapes = layer.geometry
        if kind == "provinces":
            shapes = shapes.boundary
            country_names(_name_spots(layer)).add_to(page)
        base_layer(layer_id, kind, list(shapes)).add_to(page)


def _name_spots(provinces: gpd.GeoDataFrame) -> dict[str, list[tuple[float, float]]]:
    """Find where a country's name may stand: three points in each province.

    They stand on one meridian, so that a name can give way to a mark and still have
    its middle in the country. Large provinces come first.
    """
    import shapely

    rows = sorted(
        zip(provinces["country"], provinces.geometry, strict=True),
        key=lambda row: -row[1].area,
    )
    spots: dict[str, list[tuple[float, float]]] = {}
    for country, shape in rows:
        point = shape.representative_point()
        _, south, _, north = shape.bounds
        meridian = shapely.LineString([(point.x, south), (point.x, north)])
        inside = shapely.get_parts(shape.intersection(meridian))
        [own] = inside[[shapely.distance(inside, point).argmin()]]
        _, south, _, north = own.bounds
        spots.setdefault(str(country), []).extend(
            (point.x, y)
            for y in (point.y, (south + 3 * north) / 4, (3 * south + north) / 4)
        )
    return spots


def _attribution(exchange: Exchange) -> str:
    """Short credit for the corner of the map; the full one stands in the story."""
    licensed = [c for c in credit_lines(exchange) if c["short"]]
    names = dict.fromkeys(c["short"] for c in licensed)
    return " · ".join(names)


def _first_view(exchange: Exchange) -> tuple[float, float, float, float]:
    """Bounds of what the exchange is about, comparable deals left out."""
    frames = [exchange.regions, exchange.areas, _drawn(exchange.legs)]
    places = exchange.places
    near = places[~places["context"].astype(bool)]
    frames.append(near if len(near) else places)
    boxes = [f.total_bounds for f in frames if len(f) and not f.geometry.is_empty.all()]
    west, south = (min(float(b[i]) for b in boxes) for i in (0, 1))
    east, north = (max(float(b[i]) for b in boxes) for i in (2, 3))
    narrowest = _NARROWEST_VIEW if _is_detailed(west, south) else _NARROWEST_COARSE
    pad_x = max(0.1, (narrowest - (east - west)) / 2)
    pad_y = max(0.1, (narrowest - (north - south)) / 2)
    return west - pad_x, south - pad_y, east + pad_x, north + pad_y


def _is_detailed(lon: float, lat: float) -> bool:
    """Whether the detailed part of the base map covers a place."""
    from layers.catalogue import load

    west, south, east, north = load("base-land").total_bounds
    return bool(west <= lon <= east and south <= lat <= north)


def _drawn(legs: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Legs that are movements on the map."""
    return legs[legs["drawn"].astype(bool)] if len(legs) else legs


def _disc(lon: float, lat: float, radius_m: float) -> BaseGeometry:
    from shapely.geometry import Polygon

    return Polygon(disc_ring(lon, lat, radius_m))


def _ring_of(row: Mapping[str, Any] | None) -> float:
    """Radius that a leg leaves free at an end; a little where the end is a symbol."""
    return float(row["uncertainty_m"]) if row is not None else 0.0


def _depth(mark: Mark) -> tuple[int, int]:
    """Order in which marks are drawn: areas, lines, symbols; important ones last."""
    return ({"area": 0, "line": 1}.get(mark.shape, 2), -mark.rank)


def _rows(frame: gpd.GeoDataFrame) -> Iterable[dict[str, Any]]:
    """Rows of a frame as dictionaries, the geometry under ``geometry``."""
    for row in frame.to_dict("records"):
        yield {str(key): value for key, value in row.items()}


__all__ = ["build"]

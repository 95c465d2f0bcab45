"""What an exchange holds, as sheets."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import discs
from layers.catalogue import catalogue, load
from layers.export.content import Content, Relation, Style
from layers.export.exchange_tables import citation_tables, exchange_tables, layer_table
from layers.export.sheets import (
    catalogue_sheet,
    first_view,
    ground_entries,
    marks_in_order,
    newest,
    own_sheet,
    sheet_id,
    vector_sheet,
)
from layers.schema import AREA_PRECISION
from layers.symbology import (
    BASE_MAP,
    CONTEXT,
    EXCHANGED,
    GROUND,
    MARKS,
    REPORTED,
    base_mark,
    leg_mark,
    mark_key,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from layers.catalogue import Layer
    from layers.exchange import Exchange
    from layers.export.content import Sheet
    from layers.symbology import Mark

_UNDRAWN = "zone-limit"
"""Kind of a border whose line stands in the layer another time."""


def exchange_content(exchange: Exchange) -> Content:
    """Everything that an exchange holds, as sheets.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.

    Returns
    -------
    Content
        One layer for each catalogue layer that it draws places from, with every column
        of that layer and, beside them, ``ref`` (``layer/id``), ``mark``, ``named``
        (``yes`` for what the exchange names, ``no`` for context) and ``part_played``.
        A place that is known no better than to a county or worse has an empty ``mark``:
        it is drawn as its disc in ``uncertainty``, never as a point. Then legs, ties,
        areas, provinces and the base map; and the tables behind them.
    """
    ends = {*exchange.legs["from_id"], *exchange.legs["to_id"]}
    points = _places(exchange, ends)
    sheets = [
        *points,
        *_drawn_legs(exchange),
        *_ties(exchange),
        *_uncertainty(points),
        *_areas(exchange),
        *_provinces(exchange),
        *_base_map(),
    ]
    sheets += exchange_tables(exchange, sheets)
    sheets.append(layer_table(sheets))
    shown = [sheet for sheet in sheets if sheet.geometry and sheet.group != BASE_MAP]
    sheets += citation_tables(shown)
    return Content(
        id=exchange.id,
        title=exchange.title,
        abstract=f"{exchange.summary} Measures as of {exchange.as_of.isoformat()}. "
        "No legal advice.",
        sheets=tuple(sheets),
        relations=_relations(sheets, points),
        dated=newest(sheets),
        version=version("lodemap"),
        bbox=first_view(sheets),
    )


def _places(exchange: Exchange, ends: set[str]) -> list[Sheet]:
    """Points of the exchange, each layer of the catalogue by itself."""
    import pandas as pd

    columns = ["ref", "layer", "role", "context", "claims"]
    drawn = pd.concat(
        [
            exchange.places[columns],
            exchange.comparables[["ref", "layer", "claims"]].assign(
                role="", context=True
            ),
        ]
    ).drop_duplicates("ref")
    sheets = []
    for layer_id, part in drawn.groupby("layer", sort=False):
        entry = catalogue()[str(layer_id)]
        layer = load(entry.id)
        refs = entry.id + "/" + layer["id"]
        layer = layer[refs.isin(part["ref"])].reset_index(drop=True)
        own = part.set_index("ref").loc[list(entry.id + "/" + layer["id"])]
        rows = layer.assign(
            ref=own.index.to_numpy(),
            layer=entry.id,
            claims=own["claims"].to_numpy(),
            named=np.where(own["context"].to_numpy(dtype=bool), "no", "yes"),
            part_played=own["role"].to_numpy(),
        )
        marks = []
        for row in rows.drop(columns="geometry").to_dict("records"):
            key = mark_key({str(k): v for k, v in row.items()}, ends)
            hub = key == "comparable" and row["named"] == "yes"
            marks.append("hub" if hub else key)
        rows["drawn_as"] = marks
        coarse = rows["precision_code"] >= AREA_PRECISION
        rows["mark"] = np.where(coarse, "", rows["drawn_as"])
        sheets.append(_point_sheet(entry, rows))
    order = list(MARKS)
    return sorted(sheets, key=lambda s: order.index(_front(s).key))


def _point_sheet(entry: Layer, rows: gpd.GeoDataFrame) -> Sheet:
    """Sheet of one layer's points."""
    extra = ["ref", "layer", "named", "part_played", "drawn_as", "mark"]
    first = [c for c in entry.columns if c in rows]
    front = marks_in_order(rows["drawn_as"])[0]
    return catalogue_sheet(
        entry,
        rows[[*first, *(c for c in extra if c not in first), "geometry"]],
        style=Style(marks=marks_in_order(rows["mark"]), label="name"),
        group=front.group,
        note="A place whose mark is empty is known no better than to a county: see its "
        "disc in the layer uncertainty.",
    )


def _uncertainty(points: Iterable[Sheet]) -> list[Sheet]:
    """Discs in which the places lie, those that the exchange names by themselves."""
    import geopandas as gpd
    import pandas as pd

    columns = ["ref", "name", "name_ko", "name_zh", "uncertainty_m", "precision_code"]
    tables = []
    for sheet in points:
        table = sheet.table
        coarse = table["precision_code"] >= AREA_PRECISION
        rows = pd.DataFrame(table[columns]).assign(
            layer=table["layer"],
            named=table["named"],
            sources=table["sources"],
            claims=table["claims"],
            mark=np.where(coarse, table["drawn_as"], "uncertainty"),
        )
        lonlat = np.column_stack([table.geometry.x, table.geometry.y])
        rows["geometry"] = discs(lonlat, table["uncertainty_m"].to_numpy(float))
        tables.append(rows)
    every = pd.concat(tables, ignore_index=True)
    every.insert(0, "id", every["ref"].str.replace("/", "."))
    # A coarse place has no other mark, so its disc always shows.
    front = (every["named"] == "yes") | (every["mark"] != "uncertainty")
    sheets = []
    for name, title, part, on in (
        ("uncertainty", "Where the places may lie", every[front], True),
        ("uncertainty_context", "Where other places may lie", every[~front], False),
    ):
        if part.empty:
            continue
        gdf = gpd.GeoDataFrame(part.reset_index(drop=True), crs=4326)
        sheets.append(
            own_sheet(
                name,
                title,
                "Geodesic discs on WGS 84 whose radius is the uncertainty of the "
                "place: it lies somewhere inside, at no known point.",
                gdf,
                geometry="Polygon",
                style=Style(marks=marks_in_order(gdf["mark"]), label="name"),
                group=GROUND,
                on=on,
            )
        )
    return sheets


def _areas(exchange: Exchange) -> list[Sheet]:
    """Candidate areas."""
    if exchange.areas.empty:
        return []
    areas = exchange.areas.assign(
        mark=[mark_key({"status": status}) for status in exchange.areas["status"]]
    )
    return [
        own_sheet(
            "solar_areas",
            "Candidate solar areas, hypothetical",
            "Computed from criteria on open rasters with cells of several kilometres. "
            "No source names a site: areas to look into, not sites.",
            areas.reset_index(drop=True),
            geometry="Polygon",
            style=Style(marks=marks_in_order(areas["mark"]), label="rank"),
            group=REPORTED,
        )
    ]


def _drawn_legs(exchange: Exchange) -> list[Sheet]:
    """Legs of the exchange, as geodesics from end to end."""
    if exchange.legs.empty:
        return []
    legs = exchange.legs.rename(columns={"id": "leg"})
    number = legs.groupby("leg").cumcount() + 1
    legs.insert(0, "id", legs["leg"] + "." + number.astype(str))
    marks = [
        leg_mark(str(kind), str(side))
        for kind, side in zip(legs["leg_kind"], legs["direction"], strict=True)
    ]
    drawn = legs["drawn"].to_numpy(dtype=bool)
    legs["mark"] = [
        m.key if shown else "" for m, shown in zip(marks, drawn, strict=True)
    ]
    legs["drawn"] = np.where(drawn, "yes", "no")
    shown = {m.key: m for m, on in zip(marks, drawn, strict=True) if on}
    return [
        own_sheet(
            "legs",
            "Legs: what would move",
            "From giver to receiver along the geodesic: direction, not a route. The "
            "page bends them so that they do not hide each other.",
            legs.reset_index(drop=True),
            geometry="LineString",
            style=Style(marks=tuple(shown.values()), label="what"),
            group=EXCHANGED,
        )
    ]


def _ties(exchange: Exchange) -> list[Sheet]:
    """Distances to what lies nearest; those from the areas by themselves."""
    links = exchange.links
    if links.empty:
        return []
    from_area = links["from_id"].isin(exchange.areas["ref"]).to_numpy()
    sheets = []
    for key, rows in (("tie", links[~from_area]), ("tie-area", links[from_area])):
        if rows.empty:
            continue
        mark = MARKS[key]
        table = rows.reset_index(drop=True).assign(mark=key)
        table.insert(0, "id", [f"{key}.{n + 1}" for n in range(len(table))])
        sheets.append(
            own_sheet(
                f"{sheet_id(key)}s",
                mark.label if key == "tie" else "Distance to nearest, from areas",
                mark.about,
                table,
                geometry="LineString",
                style=Style(marks=(mark,)),
                group=CONTEXT,
                on=mark.on,
            )
        )
    return sheets


def _provinces(exchange: Exchange) -> list[Sheet]:
    """Provinces, those that the exchange names in their own style."""
    entry = catalogue()["provinces"]
    rows = load("provinces")
    rows["ref"] = "provinces/" + rows["id"]
    rows["layer"] = "provinces"
    named = rows["ref"].isin(exchange.regions["ref"])
    rows["named"] = np.where(named, "yes", "no")
    ground = base_mark("provinces")
    rows["mark"] = np.where(named, "region", ground.key)
    marks = (MARKS["region"], ground) if named.any() else (ground,)
    style = Style(marks=marks, label="name")
    return [catalogue_sheet(entry, rows, style=style, group=REPORTED)]


def _base_map() -> list[Sheet]:
    """Layers of the base map as the page draws them, the top one first."""
    sheets = [vector_sheet(entry) for entry in reversed(ground_entries())]
    return [
        replace(
            sheet,
            table=sheet.table[sheet.table["kind"] != _UNDRAWN].reset_index(drop=True),
        )
        for sheet in sheets
    ]


def _relations(
    sheets: Iterable[Sheet], points: Iterable[Sheet]
) -> tuple[Relation, ...]:
    """Columns that name rows of other sheets."""
    there = {sheet.id for sheet in sheets}
    places = [sheet.id for sheet in points]
    wanted = [
        ("claims", "source", "sources", "id"),
        ("leg_measures", "measure", "measures", "id"),
        ("feature_claims", "claim", "claims", "id"),
        ("feature_sources", "source", "sources", "id"),
    ]
    for sheet in (*places, "solar_areas", "provinces"):
        wanted += [
            ("feature_claims", "ref", sheet, "ref"),
            ("feature_sources", "ref", sheet, "ref"),
            ("memberships", "ref", sheet, "ref"),
        ]
    return tuple(
        Relation(child=c, child_field=f, parent=p, parent_field=k)
        for c, f, p, k in wanted
        if {c, p} <= there
    )


def _front(sheet: Sheet) -> Mark:
    """Mark of a sheet's places that stands first in the legend."""
    return marks_in_order(sheet.table["drawn_as"])[0]

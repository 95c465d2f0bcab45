"""Small exports that hold one of everything, for the tests of files that QGIS opens."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import geopandas as gpd
import pandas as pd
from shapely import LineString, MultiPolygon, Point, box

from layers.export.content import Content, Field, Relation, Sheet, Style
from layers.symbology import BASE_MAP, CONTEXT, EXCHANGED, MARKS, base_mark, leg_mark

DATED = date(2026, 3, 1)


def sheet(name: str, table: pd.DataFrame, **more) -> Sheet:
    """A sheet whose every column is described."""
    fields = {
        str(column): Field(
            alias=str(column).replace("_", " ").capitalize(),
            about=f"The {column}.",
            unit="m" if str(column).endswith("_m") else "",
        )
        for column in table.columns
        if column != "geometry"
    }
    values = {
        "title": name.capitalize(),
        "abstract": f"Invented {name}.",
        "fields": fields,
        "licence": "CC-BY-4.0",
        "rights": f"Surveyors of {name}",
        "source": f"Invented for tests, {name}.",
        "url": "https://example.org/data?a=1&b=2",
        "retrieved": date(2026, 2, 1),
    }
    return Sheet(id=name, table=table, **(values | more))


def towns() -> Sheet:
    """Points with every kind of value, one of them drawn by no mark."""
    table = gpd.GeoDataFrame(
        {
            "id": ["anju", "haeju", "unplaced"],
            "ref": ["towns/anju", "towns/haeju", "towns/unplaced"],
            "name": ["Anju", "Haeju & 'sons' <b>", "Unplaced"],
            "name_ko": ["안주", "", "모름"],
            "name_zh": ["安州", "海州", ""],
            "mark": ["hub", "place", ""],
            "uncertainty_m": [1000.0, 2500.5, None],
            "people": pd.array([10, 2**60, None], dtype="Int64"),
            "founded": [date(1020, 1, 2), None, date(1999, 12, 31)],
            "seen": pd.to_datetime(
                ["2026-01-02T03:04:05.678", None, "2020-01-01T00:00:00.000"]
            ),
            "open": pd.array([True, False, None], dtype="boolean"),
            "nothing": [None, None, None],
        },
        geometry=[Point(125.66, 39.62), Point(125.71, 38.04), None],
        crs=4326,
    )
    style = Style(marks=(MARKS["hub"], MARKS["place"]), label="name")
    return sheet("towns", table, geometry="Point", style=style, group=CONTEXT)


def content(**more) -> Content:
    """Points, an area of several parts, a leg, a ground and tables with relations."""
    areas = gpd.GeoDataFrame(
        {
            "id": ["one", "two"],
            "name": ["One", "Two"],
            "mark": ["region", "region"],
        },
        geometry=[
            box(125, 39, 126, 40),
            MultiPolygon([box(125, 37.5, 126, 38.5), box(127, 38, 127.5, 38.5)]),
        ],
        crs=4326,
    )
    legs = gpd.GeoDataFrame(
        {
            "id": ["ore.1", "ore.2", "pay.1"],
            "leg": ["ore", "ore", "pay"],
            "from_id": ["towns/anju", "towns/anju", "towns/haeju"],
            "to_id": ["towns/haeju", "towns/haeju", "towns/anju"],
            "mark": ["leg-out-ore", "leg-out-ore", "leg-in-payment"],
        },
        geometry=[
            LineString([(125.66, 39.62), (125.71, 38.04)]),
            LineString([(125.66, 39.62), (125.71, 38.04)]),
            LineString([(125.71, 38.04), (125.66, 39.62)]),
        ],
        crs=4326,
    )
    ground = gpd.GeoDataFrame(
        {"id": ["1"], "mark": ["base-land"]}, geometry=[box(120, 35, 130, 45)], crs=4326
    )
    claims = pd.DataFrame(
        {"id": ["a", "b"], "ref": ["towns/anju", "towns/haeju"], "source": ["s", "s"]}
    )
    sources = pd.DataFrame({"id": ["s"], "title": ["A book"]})
    whole = Content(
        id="invented",
        title="Invented exchange",
        abstract="Nothing here is true.",
        sheets=(
            towns(),
            sheet(
                "legs",
                legs,
                geometry="LineString",
                style=Style(
                    marks=(leg_mark("ore", "out"), leg_mark("payment", "in")),
                    label="leg",
                ),
                group=EXCHANGED,
            ),
            sheet(
                "areas",
                areas,
                geometry="MultiPolygon",
                style=Style(marks=(MARKS["region"],), label="name"),
                group=MARKS["region"].group,
            ),
            sheet(
                "base_land",
                ground,
                geometry="Polygon",
                style=Style(marks=(base_mark("land"),)),
                group=BASE_MAP,
            ),
            sheet("claims", claims),
            sheet("sources", sources),
        ),
        relations=(
            Relation(
                child="claims", child_field="ref", parent="towns", parent_field="ref"
            ),
            Relation(
                child="claims",
                child_field="source",
                parent="sources",
                parent_field="id",
            ),
        ),
        dated=DATED,
        version="0.0",
        bbox=(124.0, 37.0, 128.0, 41.0),
    )
    return replace(whole, **more)


def with_column(values, name: str = "odd") -> Content:
    """The towns with one more column."""
    one = towns()
    table = one.table.assign(**{name: values})
    return content(sheets=(replace(one, table=table),), relations=())

"""A small export of two counties that do not exist, with every kind of value."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
import shapely
from affine import Affine

from layers.export.content import Content, Field, Relation, Sheet, Style
from layers.symbology import MARKS

EVIL = "</script><script>alert(1)</script> ${HOME} 'x'; DROP TABLE \"mines\"; --"
HANGUL = "철산 희토류광산"
KEYS = tuple(key for key, mark in MARKS.items() if mark.shape == "symbol")[:2]


def mines() -> Sheet:
    """Points with every kind of value, and gaps in each."""
    table = gpd.GeoDataFrame(
        {
            "id": ["a", "b", "c"],
            "mark": [KEYS[0], KEYS[1], KEYS[0]],
            "name": [HANGUL, EVIL, None],
            "year": pd.array([1951, None, 2019], dtype="Int64"),
            "grade": [1.5, np.nan, 0.1 + 0.2],
            "open": pd.array([True, None, False], dtype="boolean"),
            "seen": [date(2019, 10, 15), None, date(1951, 1, 2)],
            "read": pd.to_datetime([datetime(2026, 11, 23, 8, tzinfo=UTC), None, None]),
            "county": ["north", "south", None],
            "claims": ["c1 c2", "", None],
        },
        geometry=gpd.points_from_xy([124.664, 125.1, 127.586], [39.73, 39.0, 40.331]),
        crs=4326,
    )
    return Sheet(
        id="mines",
        title="Mines",
        abstract='Mines that do not exist; "quoted" & <marked>.',
        table=table,
        geometry="Point",
        fields={
            "id": Field(alias="Id", about="Stable slug."),
            "name": Field(alias="Name", about="Name in Hangul."),
            "grade": Field(alias="Grade", about="Share of ore.", unit="%"),
            "year": Field(alias="Year", about="Year of the report.", unit="1"),
        },
        licence="CC-BY-4.0",
        rights="© Nobody",
        source="Nobody (2019), doi:10.1234/abc.",
        url="https://doi.org/10.1234/abc",
        retrieved=date(2026, 11, 23),
        style=Style(marks=tuple(MARKS[key] for key in KEYS), label="name"),
        group="What was reported",
    )


def counties() -> Sheet:
    """One polygon with a hole and one of two parts, stored clockwise."""
    hole = shapely.box(124.4, 39.4, 124.6, 39.6).exterior.coords
    north = shapely.Polygon(
        list(shapely.box(124, 39, 125, 40).exterior.coords)[::-1], [list(hole)]
    )
    south = shapely.MultiPolygon(
        [shapely.box(125, 38, 126, 39), shapely.box(127, 38, 128, 39)]
    )
    table = gpd.GeoDataFrame(
        {"id": ["north", "south"], "mark": ["region", "region"], "area": [1, 2]},
        geometry=[north, south],
        crs=4326,
    )
    return Sheet(
        id="counties",
        title="Counties",
        abstract="Counties that do not exist.",
        table=table,
        geometry="MultiPolygon",
        licence="LicenseRef-public-domain",
        source="Nobody.",
        url="https://www.naturalearthdata.com",
        style=Style(marks=(MARKS["region"],)),
        on=False,
    )


def claims() -> Sheet:
    """Describe claims: a table."""
    table = pd.DataFrame(
        {"id": ["c1", "c2"], "says": ["=1+1", HANGUL], "value": ["0010", ""]}
    )
    return Sheet(id="claims", title="Claims", abstract="Who says what.", table=table)


def mine_claims() -> Sheet:
    """Link mines and claims: a table without ids."""
    table = pd.DataFrame({"mine": ["a", "a", "b"], "claim": ["c1", "c2", "c1"]})
    return Sheet(id="mine_claims", title="Links", abstract="Links.", table=table)


def small(**changes: object) -> Content:
    """Make the export; fields of it may be given otherwise."""
    fields = {
        "id": "small-world",
        "title": "A small world",
        "abstract": "Two counties that do not exist.",
        "sheets": (mines(), counties(), claims(), mine_claims()),
        "relations": (
            Relation(
                child="mines",
                child_field="county",
                parent="counties",
                parent_field="id",
            ),
            Relation(
                child="mine_claims",
                child_field="claim",
                parent="claims",
                parent_field="id",
            ),
            Relation(
                child="mines", child_field="claims", parent="claims", parent_field="id"
            ),
        ),
        "dated": date(2026, 11, 23),
        "version": "0.1.0",
        "bbox": (124.0, 38.0, 128.0, 41.0),
    }
    return Content(**{**fields, **changes})


def raster(path: Path, *, crs: str | None = "EPSG:5179", dtype="int16") -> Path:
    """Write 700 by 600 cells of 100 m with gaps, a unit and a scale."""
    rng = np.random.default_rng(7)
    cells = rng.integers(-100, 2500, size=(600, 700)).astype(dtype)
    cells[:50] = -9999
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=700,
        height=600,
        count=1,
        dtype=dtype,
        crs=crs,
        nodata=-9999,
        compress="deflate",
        transform=Affine(100, 0, 900_000, 0, -100, 2_100_000),
    ) as made:
        made.write(cells, 1)
        made.set_band_description(1, "Height")
        made.units = ("m",)
        made.scales, made.offsets = (0.1,), (5.0,)
        made.update_tags(PLACE="nowhere")
    return path

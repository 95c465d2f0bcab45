import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.errors import (
    AxisOrderError,
    CRSMismatchError,
    CRSMissingError,
    GeometryError,
)
from layers.errors import SchemaError
from layers.export.frame_content import frame_content

SAID = {"title": "Pits", "licence": "CC0-1.0", "source": "Our survey"}


def pits(crs=4326, lonlat=((125, 39), (126, 40)), **columns):
    gdf = gpd.GeoDataFrame(
        columns, geometry=[shapely.Point(p) for p in lonlat], crs=crs
    )
    gdf.attrs |= SAID
    return gdf


def test_a_frame_is_one_layer():
    gdf = pits(name=["a", "b"])
    gdf.attrs |= {"units": {"name": "1"}, "retrieved": "2026-11-23", "url": "https://x"}
    content = frame_content(gdf, name="My pits!")
    [sheet] = content.sheets
    assert (sheet.id, sheet.title, sheet.geometry) == ("my_pits", "Pits", "Point")
    assert list(sheet.table.columns) == ["id", "name", "geometry"]
    assert list(sheet.table["id"]) == ["1", "2"]
    assert list(sheet.fields) == ["id", "name"]
    assert (sheet.licence, sheet.rights) == ("CC0-1.0", "Our survey")
    assert sheet.retrieved == content.dated == dt.date(2026, 11, 23)
    assert content.bbox == (125, 39, 126, 40)
    assert list(gdf.columns) == ["name", "geometry"]


def test_ids_and_named_indexes_are_kept():
    gdf = pits(id=[7, 3]).set_index(pd.Index(["x", "y"], name="key"))
    [sheet] = frame_content(gdf).sheets
    assert list(sheet.table.columns) == ["id", "key", "geometry"]
    assert list(sheet.table["id"]) == ["7", "3"]
    assert list(sheet.table["key"]) == ["x", "y"]


@pytest.mark.parametrize("key", ["licence", "source"])
def test_nothing_is_written_without_licence_and_source(key):
    gdf = pits()
    del gdf.attrs[key]
    with pytest.raises(SchemaError, match=f"does not say its {key}.*unsourced=True"):
        frame_content(gdf)
    [sheet] = frame_content(gdf, unsourced=True).sheets
    assert "Nobody has said" in sheet.abstract
    if key == "licence":
        assert sheet.licence == "unsourced"


def test_only_lonlat_is_taken():
    with pytest.raises(CRSMissingError):
        frame_content(pits(crs=None))
    with pytest.raises(CRSMismatchError, match=r"to_crs\(4326\)"):
        frame_content(pits(crs=5179))
    with pytest.raises(AxisOrderError, match=r"row 1.*swapped"):
        frame_content(pits(lonlat=((125, 39), (39, 125))))
    with pytest.raises(GeometryError, match=r"row 0.*not a finite number"):
        frame_content(pits(lonlat=((float("inf"), 39), (39, 12))))
    assert frame_content(pits(lonlat=((181, 39), (1, 2)))).bbox[2] == 181


def test_ids_have_to_tell_rows_apart():
    with pytest.raises(SchemaError, match="'a' occurs twice"):
        frame_content(pits(id=["a", "a"]))
    with pytest.raises(SchemaError, match="has no id"):
        frame_content(pits(id=["a", None]))


def test_columns_have_to_be_told_apart():
    gdf = pits(a=[1, 2], b=[3, 4])
    gdf.columns = ["a", "a", "geometry"]
    gdf.attrs |= SAID
    with pytest.raises(SchemaError, match="two columns are named 'a'"):
        frame_content(gdf)
    with pytest.raises(SchemaError, match="2 columns hold geometry"):
        frame_content(pits().assign(other=pits().geometry))


@pytest.mark.parametrize(
    ("wkts", "kind"),
    [
        (["POINT (1 2)"], "Point"),
        (["POINT (1 2)", "MULTIPOINT ((1 2))"], "MultiPoint"),
        (["POLYGON ((0 0, 1 0, 1 1, 0 0))", "MULTIPOLYGON EMPTY"], "MultiPolygon"),
        (["POINT (1 2)", "LINESTRING (0 0, 1 1)"], "Geometry"),
    ],
)
def test_the_kind_of_geometry_is_that_of_all_rows(wkts, kind):
    gdf = gpd.GeoDataFrame(geometry=gpd.GeoSeries.from_wkt(wkts), crs=4326)
    gdf.attrs |= SAID
    assert frame_content(gdf).sheets[0].geometry == kind


def test_a_geometry_of_another_name_is_the_geometry():
    gdf = pits(name=["a", "b"]).rename_geometry("shape")
    gdf.attrs |= SAID
    assert list(frame_content(gdf).sheets[0].table) == ["id", "name", "geometry"]

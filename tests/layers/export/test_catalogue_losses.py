"""What catalogues and databases change is counted before it happens."""

from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import layers
from layers.export.content import Sheet
from layers.export.formats import FORMATS
from layers.export.losses import loss_report
from tests.layers.export.small import counties, raster, small


def odd():
    """A layer that has everything that a format may not take."""
    table = gpd.GeoDataFrame(
        {
            "id": ["a", "b"],
            "길" * 22: ["x\0", ""],
            "far": [float("inf"), 1.0],
            "fine": pd.to_datetime(["2026-01-01T00:00:00.000000001", None]),
            "list": [["a"], None],
        },
        geometry=[counties().table.geometry[0], shapely.Polygon()],
        crs=4326,
    )
    return Sheet(id="odd", title="", abstract="", table=table, geometry="Polygon")


def test_each_loss_is_counted(tmp_path):
    empty = replace(counties(), table=counties().table.iloc[:0], id="empty")
    base = small()
    content = small(
        sheets=(*base.sheets, odd(), empty), rasters={"h": raster(tmp_path / "h.tif")}
    )
    found = {
        key: loss_report(content, key).counts
        for key in ("postgis", "datapackage", "stac", "pygeoapi", "cog")
    }
    assert found["postgis"] == {
        "names shortened": 1,
        "characters replaced": 1,
        "times cut": 1,
        "links undeclared": 1,
        "rasters left out": 1,
    }
    # Empty texts: one claim of the mines, one value of the claims, one of the odd.
    assert found["datapackage"] == {
        "empty texts": 3,
        "characters replaced": 1,
        "style": 3,
        "links undeclared": 1,
    }
    assert found["stac"] == {
        "empty texts": 1,
        "infinite numbers": 1,
        "dates as text": 2,
        "times as text": 2,
        "rings turned": 2,
        "empty geometries": 1,
        "style": 3,
        "links undeclared": 3,
    }
    assert found["pygeoapi"] == {
        **{k: v for k, v in found["stac"].items() if k != "empty texts"},
        "empty sheets left out": 1,
        "rasters left out": 1,
    }
    assert found["cog"] == {"sheets left out": 6}


@pytest.mark.parametrize("key", ["stac", "datapackage", "pygeoapi", "cog"])
def test_an_export_with_its_report_can_be_made_again(tmp_path, key):
    content = small(rasters={"h": raster(tmp_path / "h.tif")})
    first = layers.write(content, tmp_path / "out", to=key)
    assert first.report == tmp_path / "out" / "losses.json"
    assert layers.write(content, tmp_path / "out", to=key) == first
    assert FORMATS[key].losses

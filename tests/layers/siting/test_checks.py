"""Samples of rasters: units and classes that cannot be right."""

import numpy as np
import pytest
import rasterio

from geo.errors import CriteriaError, GridError
from layers.siting.checks import check_raster
from layers.siting.plan import read_plan
from layers.siting.tables import raster
from tests.pyongan import write

BOX = (125.0, 39.0, 126.0, 40.0)
CREDIT = {"source": "made up", "url": "none", "licence": "CC0-1.0"}
LEGEND = {"10": "trees", "30": "grass", "40": "fields"}


@pytest.fixture(scope="module")
def criteria():
    return read_plan("pyongan").criteria


def entry(name, **more):
    given = {"files": ["x.tif"], **CREDIT, **more}
    return raster(given, name)


def heights(path, factor=1.0, cells=200, **more):
    """Hills of up to 30°, in metres times a factor, over a quarter degree."""
    side = 0.25 / cells
    return write(
        path,
        west=125.0,
        north=39.25,
        side=side,
        cells=cells,
        values=lambda x, y: (
            factor * 500 * (1.2 + np.sin(x * 130) * np.cos(y * 130))
        ).astype("float32"),
        **more,
    )


def sun(path, level, dtype="float32", **more):
    return write(
        path,
        west=124.5,
        north=40.5,
        side=0.02,
        cells=100,
        values=lambda x, y: (level + 0 * x + 0 * y).astype(dtype),
        **more,
    )


def check(entry_, path, criteria):
    check_raster(entry_, [path], BOX, criteria)


def test_right_rasters_pass(tmp_path, criteria):
    check(entry("elevation", unit="m"), heights(tmp_path / "d.tif"), criteria)
    check(entry("ghi", unit="kWh/m²/day"), sun(tmp_path / "g.tif", 3.9), criteria)
    check(entry("ghi", unit="kWh/m²/year"), sun(tmp_path / "y.tif", 1400), criteria)
    check(entry("ghi", unit="W/m²"), sun(tmp_path / "w.tif", 160), criteria)


def test_feet_taken_for_metres_look_too_steep(tmp_path, criteria):
    feet = heights(tmp_path / "feet.tif", factor=1 / 0.3048)
    with pytest.raises(GridError, match=r"steeper than \d+°.*set unit = \"ft\""):
        check(entry("elevation", unit="m"), feet, criteria)
    check(entry("elevation", unit="ft"), feet, criteria)


def test_a_file_that_says_feet_is_no_metres(tmp_path, criteria):
    path = heights(tmp_path / "d.tif", factor=0.1)
    with rasterio.open(path, "r+") as out:
        out.units = ("ft",)
    with pytest.raises(GridError, match="says its heights are in feet"):
        check(entry("elevation", unit="m"), path, criteria)
    check(entry("elevation", unit="ft"), path, criteria)


def test_undeclared_nodata_is_no_height(tmp_path, criteria):
    path = heights(tmp_path / "d.tif")
    with rasterio.open(path, "r+") as out:
        values = out.read(1)
        values[:40] = -9999
        out.write(values, 1)
    with pytest.raises(GridError, match=r"-9999 m.*set nodata"):
        check(entry("elevation", unit="m"), path, criteria)
    check(entry("elevation", unit="m", nodata=-9999), path, criteria)


@pytest.mark.parametrize(
    ("level", "unit", "said"),
    [
        (3.9, "kWh/m²/year", "Times 365.2 it would be 1,424"),
        (1400, "kWh/m²/day", 'unit = "kWh/m²/year"'),
        (160, "kWh/m²/year", "Times 8.766 it would be 1,403"),
        (1.4, "kWh/m²/year", "Times 1000 it would be 1,400"),
        (1_400_000, "kWh/m²/year", "in Wh/m²: set scale = 0.001"),
        (39, "kWh/m²/day", "stored in tenths: set scale = 0.1"),
        (1e9, "kWh/m²/year", "No usual factor mends that"),
        (0, "kWh/m²/year", "No usual factor mends that"),
    ],
)
def test_sunlight_in_the_wrong_unit_names_the_likely_factor(
    tmp_path, criteria, level, unit, said
):
    path = sun(tmp_path / "g.tif", level)
    with pytest.raises(GridError) as caught:
        check(entry("ghi", unit=unit), path, criteria)
    assert said in str(caught.value)
    assert "expected 500 to 3000" in str(caught.value)


def test_whole_numbers_with_a_scale_are_read_with_it(tmp_path, criteria):
    path = sun(tmp_path / "g.tif", 3900, dtype="int16")
    with pytest.raises(GridError, match="expected 500 to 3000"):
        check(entry("ghi", unit="kWh/m²/day"), path, criteria)
    check(entry("ghi", unit="kWh/m²/day", scale=0.001), path, criteria)
    with rasterio.open(path, "r+") as out:
        out.scales = (0.001,)
    check(entry("ghi", unit="kWh/m²/day"), path, criteria)


def test_fill_values_beside_right_ones_are_named(tmp_path, criteria):
    path = sun(tmp_path / "g.tif", 3.9)
    with rasterio.open(path, "r+") as out:
        values = out.read(1)
        values[40:44, 40:44] = -99
        out.write(values, 1)
    with pytest.raises(GridError, match="if it means no value, set nodata"):
        check(entry("ghi", unit="kWh/m²/day"), path, criteria)


def test_classes_that_nobody_knows_are_refused_when_they_are_many(tmp_path, criteria):
    def cover(share):
        return write(
            tmp_path / f"c{share}.tif",
            west=124.5,
            north=40.5,
            side=0.01,
            cells=200,
            values=lambda x, _: np.where(
                np.random.default_rng(0).random(x.shape) < share, 12, 40
            ).astype("uint8"),
        )

    legend = entry("land_cover", legend=LEGEND)
    with pytest.raises(CriteriaError, match=r"5 % .*does not know \(12\)"):
        check(legend, cover(0.05), criteria)
    check(legend, cover(0.005), criteria)  # counted and told with the result


def test_a_legend_of_which_nothing_is_allowed_is_refused(tmp_path, criteria):
    path = write(
        tmp_path / "c.tif",
        west=124.5,
        north=40.5,
        side=0.01,
        cells=200,
        values=lambda x, _: np.full(x.shape, 10, dtype="uint8"),
    )
    with pytest.raises(CriteriaError, match="none of the sampled cells is of a class"):
        check(entry("land_cover", legend=LEGEND), path, criteria)


def test_a_raster_of_nothing_but_nodata_is_refused(tmp_path, criteria):
    path = sun(tmp_path / "g.tif", 7, nodata=7)
    with pytest.raises(GridError, match="every sampled cell is nodata"):
        check(entry("ghi", unit="kWh/m²/day"), path, criteria)


def test_a_truncated_file_is_refused(tmp_path, criteria):
    path = heights(tmp_path / "d.tif", cells=600)
    path.write_bytes(path.read_bytes()[:-200_000])
    with pytest.raises(GridError, match=r"d\.tif .*truncated"):
        check(entry("elevation", unit="m"), path, criteria)


def test_a_band_that_is_not_there_is_refused(tmp_path, criteria):
    path = sun(tmp_path / "g.tif", 3.9)
    with pytest.raises(GridError, match="there is no band 2"):
        check(entry("ghi", unit="kWh/m²/day", band=2), path, criteria)


def test_a_large_file_without_overviews_is_sampled_in_patches(
    tmp_path, criteria, monkeypatch
):
    from layers.siting import checks as siting_checks

    monkeypatch.setattr(siting_checks, "_SMALL", 100)
    path = heights(tmp_path / "d.tif", cells=600)
    check(entry("elevation", unit="m"), path, criteria)
    assert len(siting_checks._sample(path, entry("elevation", unit="m"), BOX)) > 10_000


def like_the_shipped(path, factor, **more):
    """Heights that are the altitude that ships, times a factor."""
    from geo.raster import Grid, read
    from layers.catalogue import raster_path

    shipped = raster_path("altitude")
    grid, altitude = Grid.of(shipped), read(shipped)

    def values(lon, lat):
        row = ((grid.north - lat) / grid.dy).astype(int)
        column = ((lon - grid.west) / grid.dx).astype(int)
        return (altitude[row, column] * factor).astype("float32")

    options = {"west": 125.5, "north": 40.5, "side": 0.01, "cells": 120}
    return write(path, values=values, **options, **more)


@pytest.mark.parametrize("metres", [0.9, 1.0, 1.2])
def test_heights_that_are_near_the_shipped_ones_pass(tmp_path, criteria, metres):
    path = like_the_shipped(tmp_path / "dem.tif", metres)
    check_raster(entry("elevation", unit="m"), [path], None, criteria)


def test_feet_that_nobody_declared_are_seen_beside_the_shipped_altitude(
    tmp_path, criteria
):
    path = like_the_shipped(tmp_path / "dem.tif", 1 / 0.3048)
    with pytest.raises(GridError, match="heights in feet taken for metres: set unit"):
        check_raster(entry("elevation", unit="m"), [path], None, criteria)
    check_raster(entry("elevation", unit="ft"), [path], None, criteria)


def test_where_nothing_ships_nothing_is_compared(tmp_path, criteria):
    path = write(
        tmp_path / "dem.tif",
        west=10,
        north=50,
        side=0.01,
        cells=60,
        values=lambda x, y: (100 + 30 * np.sin(x * 5 + y)).astype("float32"),
    )
    check_raster(entry("elevation", unit="m"), [path], None, criteria)

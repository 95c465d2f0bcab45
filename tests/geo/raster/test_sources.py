"""Bands on a working grid: mosaics, other lines, other CRSs, numbers that mean nothing.

Judged by GDAL's warper, which :func:`geo.raster.read` calls with exact places.
"""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio import Affine

from geo.errors import GridError
from geo.raster import Band, Grid, read
from geo.raster.kernels.samples import sample_bilinear
from geo.raster.sheets import Window, reading
from geo.raster.sources import open_source

UTM = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(70, 90), crs="EPSG:32651")


def write(path, values, grid, *, mask=None, scale=None, offset=None, **profile):
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=1,
            height=values.shape[0],
            width=values.shape[1],
            dtype=values.dtype,
            crs=grid.crs,
            transform=grid.transform,
            **profile,
        ) as target,
    ):
        target.write(values, 1)
        if mask is not None:
            target.write_mask(mask)
        if scale is not None:
            target.scales, target.offsets = (scale,), (offset,)
    return path


def values_on(grid, band, *, codes=(), window=None):
    """A window of a band on a grid, the whole by default."""
    window = window or Window(0, 0, *grid.shape)
    with reading() as handles:
        source = open_source(band, "x", grid, codes=codes, handles=handles)
        out = np.empty((window.rows, window.columns), source.dtype)
        source.fill(out, window, handles)
        return out, source


def around(grid, cells, step, *, shift=(0.3, 0.7), crs=None):
    """A grid of cells of another size round another, off its lines."""
    return Grid(
        west=grid.west - (cells + shift[0]) * step * grid.dx,
        north=grid.north + (cells + shift[1]) * step * grid.dy,
        dx=step * grid.dx,
        dy=step * grid.dy,
        shape=tuple(int(n / step) + 2 * cells + 2 for n in grid.shape),
        crs=crs or grid.crs,
    )


@pytest.mark.parametrize("step", [0.4, 1.0, 1.7, 8.0])
@pytest.mark.parametrize("way", ["nearest", "bilinear"])
def test_other_lines_are_sampled_as_gdal_does(tmp_path, way, step):
    rng = np.random.default_rng(0)
    own = around(UTM, -3, step)  # ends inside the grid
    values = rng.normal(100, 30, own.shape).astype("float32")
    values[rng.random(own.shape) < 0.1] = np.nan
    path = write(tmp_path / "x.tif", values, own)
    got, _ = values_on(UTM, Band(paths=path, resampling=way))
    expected = read(path, grid=UTM, resampling=way)
    assert np.isfinite(got).any()
    if way == "bilinear" and step < 1:
        # GDAL widens its kernel where cells become coarser; ours stays a cell wide.
        fine = Grid(
            west=UTM.west, north=UTM.north, dx=3, dy=3, shape=(700, 900), crs=UTM.crs
        )
        expected = (read(path, grid=fine, resampling=way))[5::10, 5::10]
        got, _ = values_on(fine, Band(paths=path, resampling=way))
        got = got[5::10, 5::10]
    np.testing.assert_array_equal(np.isnan(got), np.isnan(expected))
    np.testing.assert_allclose(got, expected, atol=2e-3)


@settings(max_examples=40)
@given(
    top=st.integers(-3, 60),
    left=st.integers(-3, 80),
    rows=st.integers(1, 20),
    columns=st.integers(1, 20),
    way=st.sampled_from(["nearest", "bilinear"]),
    kind=st.sampled_from(["lines", "shifted", "coarse", "lonlat"]),
)
def test_a_window_is_a_part_of_the_whole(
    tmp_path_factory, top, left, rows, columns, way, kind
):
    own = {
        "lines": Grid(
            west=UTM.west - 300,
            north=UTM.north + 90,
            dx=30,
            dy=30,
            shape=(60, 120),
            crs=UTM.crs,
        ),
        "shifted": around(UTM, 2, 1.1),
        "coarse": around(UTM, 1, 8.0),
        "lonlat": Grid.over((120.6, 39.68, 120.72, 39.75), 0.0007),
    }[kind]
    path = tmp_path_factory.getbasetemp() / f"window-{kind}.tif"
    if not path.exists():
        rng = np.random.default_rng(1)
        values = rng.normal(size=own.shape)
        values[rng.random(own.shape) < 0.1] = np.nan
        write(path, values, own)
    band = Band(paths=path, resampling=way)
    # A margin of three, since a halo may reach beyond the grid.
    whole, _ = values_on(UTM, band, window=Window(-3, -3, 90, 110))
    part, _ = values_on(UTM, band, window=Window(top, left, rows, columns))
    expected = whole[top + 3 : top + 3 + rows, left + 3 : left + 3 + columns]
    np.testing.assert_array_equal(part, expected)
    assert np.isfinite(whole).any()


@pytest.mark.parametrize("way", ["nearest", "bilinear"])
def test_another_crs_lands_within_a_hundredth_of_a_cell(tmp_path, way):
    """A plane comes back as itself; a step of the lattice leaves no mark."""
    grid = Grid(
        west=2e5, north=44e5, dx=300, dy=300, shape=(400, 500), crs="EPSG:32651"
    )
    own = Grid.over((119.0, 38.4, 121.6, 39.9), 0.002)
    lon, lat = own.centres()
    values = 1000 * lon + 300 * lat
    path = write(tmp_path / "x.tif", values, own)
    got, source = values_on(grid, Band(paths=path, resampling=way))
    assert source.parts[0].step > 1
    there = Transformer.from_crs(grid.crs, own.crs, always_xy=True)
    lon, lat = there.transform(*grid.centres())
    if way == "bilinear":
        # A hundredth of a cell to the east and to the south.
        np.testing.assert_allclose(got, 1000 * lon + 300 * lat, atol=13 * own.dx)
        return
    row = np.floor((own.north - lat) / own.dy).astype(int)
    column = np.floor((lon - own.west) / own.dx).astype(int)
    exact = values[row, column]
    # Centres within a hundredth of a cell of an edge may fall either way.
    assert (got != exact).mean() < 0.04
    np.testing.assert_allclose(got, exact, atol=1000 * own.dx * 1.001)


def test_holes_of_another_crs_stay_holes(tmp_path):
    """A cell whose own source cell is empty has no value, whatever lies beside it."""
    own = Grid.over((120.6, 39.66, 120.75, 39.76), 0.002)
    holes = np.random.default_rng(8).random(own.shape) < 0.3
    values = np.where(holes, np.nan, 5.0)
    path = write(tmp_path / "x.tif", values, own)
    near, _ = values_on(UTM, Band(paths=path))
    smooth, _ = values_on(UTM, Band(paths=path, resampling="bilinear"))
    np.testing.assert_array_equal(np.isnan(smooth), np.isnan(near))
    assert np.isnan(smooth).any()
    np.testing.assert_allclose(smooth[np.isfinite(smooth)], 5.0)


def test_a_mosaic_is_one_raster(tmp_path):
    rng = np.random.default_rng(2)
    values = rng.normal(size=UTM.shape).astype("float32")
    whole = write(tmp_path / "whole.tif", values, UTM)
    paths = []
    for top, bottom in ((0, 33), (33, 70)):
        for left, right in ((0, 41), (41, 90)):
            part = Grid(
                west=UTM.west + left * 30,
                north=UTM.north - top * 30,
                dx=30,
                dy=30,
                shape=(bottom - top, right - left),
                crs=UTM.crs,
            )
            path = tmp_path / f"{top}-{left}.tif"
            paths.append(write(path, values[top:bottom, left:right], part))
    got, source = values_on(UTM, Band(paths=paths))
    np.testing.assert_array_equal(got, values)
    assert len(source.parts) == 1
    off = around(UTM, -2, 1.3)
    one, _ = values_on(off, Band(paths=whole, resampling="bilinear"))
    many, _ = values_on(off, Band(paths=paths, resampling="bilinear"))
    np.testing.assert_array_equal(one, many)
    some, _ = values_on(UTM, Band(paths=paths[1:]))
    assert np.isnan(some[:33, :41]).all()
    np.testing.assert_array_equal(some[33:], values[33:])


def test_the_first_file_with_a_value_counts(tmp_path):
    a = np.full(UTM.shape, 1.0, dtype="float32")
    a[10:20] = -9999
    first = write(tmp_path / "a.tif", a, UTM, nodata=-9999)
    b = np.full(UTM.shape, 2.0, dtype="float32")
    b[15:25] = -1
    second = write(tmp_path / "b.tif", b, UTM, nodata=-1)
    got, _ = values_on(UTM, Band(paths=[first, second]))
    assert (got[:10] == 1).all()
    assert (got[10:15] == 2).all()
    assert np.isnan(got[15:20]).all()
    assert (got[20:] == 1).all()


def test_files_of_other_widths_make_one_mosaic(tmp_path):
    """GLO-30 has wider cells north of 50 degrees; both are brought onto a grid."""
    grid = Grid.over((124.0, 49.9, 124.2, 50.1), 0.001)
    south = Grid.over((124.0, 49.9, 124.2, 50.0), 0.001)
    north = Grid(west=124, north=50.1, dx=0.002, dy=0.001, shape=(100, 100))
    a = write(tmp_path / "a.tif", np.full(south.shape, 1.0), south)
    b = write(tmp_path / "b.tif", np.full(north.shape, 2.0), north)
    got, source = values_on(grid, Band(paths=[a, b], resampling="bilinear"))
    assert len(source.parts) == 2
    assert (got[:100] == 2).all()
    assert (got[100:] == 1).all()


def test_what_is_no_value_becomes_nan(tmp_path):
    """It claims nodata −9999 but holds NaN, infinity and the least float as well."""
    values = np.full(UTM.shape, 5.0, dtype="float32")
    values[0] = -9999
    values[1] = np.nan
    values[2] = np.inf
    values[3] = np.finfo("float32").min
    path = write(tmp_path / "x.tif", values, UTM, nodata=-9999)
    got, _ = values_on(UTM, Band(paths=path))
    assert np.isnan(got[:4]).all()
    assert (got[4:] == 5).all()
    got, _ = values_on(UTM, Band(paths=path, nodata=5.0))
    assert (got[0] == -9999).all()
    assert np.isnan(got[1:]).all()


def test_masks_hide(tmp_path):
    mask = np.ones(UTM.shape, bool)
    mask[5:9, 3:30] = False
    values = np.full(UTM.shape, 7, dtype="uint8")
    path = write(tmp_path / "x.tif", values, UTM, mask=mask)
    got, _ = values_on(UTM, Band(paths=path))
    np.testing.assert_array_equal(np.isnan(got), ~mask)
    got, source = values_on(UTM, Band(paths=path), codes=(7,))
    np.testing.assert_array_equal(got == source.none, ~mask)


def test_scale_and_offset_come_from_the_file_or_the_band(tmp_path):
    values = np.arange(UTM.shape[0] * UTM.shape[1], dtype="int16").reshape(UTM.shape)
    values[0, 0] = -1
    path = write(tmp_path / "x.tif", values, UTM, scale=0.1, offset=5.0, nodata=-1)
    got, _ = values_on(UTM, Band(paths=path))
    assert np.isnan(got[0, 0])
    expected = np.where(values == -1, np.nan, values * 0.1 + 5.0)
    np.testing.assert_array_equal(got, expected)
    got, _ = values_on(UTM, Band(paths=path, scale=2.0, offset=0.0))
    np.testing.assert_array_equal(got, np.where(values == -1, np.nan, values * 2.0))


@pytest.mark.parametrize("kind", ["uint8", "int16", "uint16", "int32", "float32"])
def test_classes_of_any_type(tmp_path, kind):
    values = np.tile(np.array([0, 10, 111, 120, 3], kind), (70, 18))
    path = write(tmp_path / "x.tif", values, UTM, nodata=3)
    got, source = values_on(UTM, Band(paths=path), codes=(10, 111))
    assert source.dtype == ("uint8" if kind == "uint8" else "uint16")
    np.testing.assert_array_equal(got, np.where(values == 3, source.none, values))


def test_classes_that_are_no_codes_mean_nothing(tmp_path):
    values = np.tile(np.array([1.0, 1.5, -4.0, 7e4, np.nan, 2.0], "float32"), (70, 15))
    path = write(tmp_path / "x.tif", values, UTM)
    got, source = values_on(UTM, Band(paths=path), codes=(1, 2))
    good = np.isin(values, [1, 2])
    np.testing.assert_array_equal(got[good], values[good])
    assert (got[~good] == source.none).all()


def test_a_declared_nodata_that_is_asked_for_is_still_none(tmp_path):
    values = np.tile(np.array([0, 1], "uint8"), (70, 45))
    path = write(tmp_path / "x.tif", values, UTM, nodata=0)
    got, source = values_on(UTM, Band(paths=path), codes=(0, 1))
    assert source.none not in {0, 1}
    np.testing.assert_array_equal(got == source.none, values == 0)


def test_a_coarse_raster_is_held_whole(tmp_path):
    rng = np.random.default_rng(4)
    own = around(UTM, 1, 8.0)
    values = rng.normal(size=own.shape)
    path = write(tmp_path / "x.tif", values, own)
    band = Band(paths=path, resampling="bilinear")
    with reading() as handles:
        source = open_source(band, "x", UTM, codes=(), handles=handles)
        smooth = source.smooth(handles)
        assert smooth is not None
        assert smooth.complete
        window = Window(7, 11, 40, 50)
        out = np.empty((40, 50))
        sample_bilinear(smooth.raster, *smooth.places(window), out)
    expected, _ = values_on(UTM, band, window=window)
    np.testing.assert_array_equal(out, expected)
    values[3, 3] = np.nan
    write(path, values, own)
    with reading() as handles:
        source = open_source(band, "x", UTM, codes=(), handles=handles)
        assert not source.smooth(handles).complete


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"band": 2}, r"x: x\.tif has bands 1 to 1; there is no band 2"),
        ({"paths": "no.tif"}, "no raster at"),
    ],
)
def test_what_cannot_be_opened(tmp_path, change, said):
    path = write(tmp_path / "x.tif", np.ones(UTM.shape, "uint8"), UTM)
    with pytest.raises(GridError, match=said):
        values_on(UTM, Band(**{"paths": path, **change}))


def test_a_rotated_raster_is_refused(tmp_path):
    path = tmp_path / "x.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=4,
        width=4,
        dtype="uint8",
        crs=UTM.crs,
        transform=Affine(30, 5, 3e5, 5, -30, 44e5),
    ) as target:
        target.write(np.ones((1, 4, 4), np.uint8))
    with pytest.raises(GridError, match="rotated, flipped or has no position"):
        values_on(UTM, Band(paths=path))


def test_a_mosaic_of_two_crss_or_scales_is_refused(tmp_path):
    values = np.ones(UTM.shape, "int16")
    a = write(tmp_path / "a.tif", values, UTM)
    zone = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=UTM.shape, crs="EPSG:32652")
    b = write(tmp_path / "b.tif", values, zone)
    with pytest.raises(GridError, match="expected one CRS for all files"):
        values_on(UTM, Band(paths=[a, b]))
    c = write(tmp_path / "c.tif", values, UTM, scale=0.1, offset=0.0)
    with pytest.raises(GridError, match="different scales"):
        values_on(UTM, Band(paths=[a, c]))
    with pytest.raises(GridError, match="holds classes but has a scale"):
        values_on(UTM, Band(paths=c), codes=(1,))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"paths": []}, "without files"),
        ({"paths": "x.tif", "band": 0}, "counted from 1"),
        ({"paths": "x.tif", "resampling": "cubic"}, "'nearest' for classes"),
    ],
)
def test_a_wrong_band_is_refused(wrong, said):
    with pytest.raises(GridError, match=said):
        Band(**wrong)


@pytest.mark.parametrize("codes", [(), (3,)])
@pytest.mark.parametrize("edges", [(-2, -3, 5, 7), (-4, 0, 4, 0), (0, -1, 0, 3)])
def test_round_a_single_file_there_is_no_value(tmp_path, codes, edges):
    """Only the frame is filled, and nothing that memory held before is left there."""
    values = np.random.default_rng(2).integers(0, 9, UTM.shape).astype(np.uint8)
    band = Band(paths=(write(tmp_path / "one.tif", values, UTM, nodata=7),))
    top, left, rows, columns = edges
    window = Window(top, left, UTM.shape[0] + rows, UTM.shape[1] + columns)
    with reading() as handles:
        source = open_source(band, "x", UTM, codes=codes, handles=handles)
        out = np.full((window.rows, window.columns), 5, source.dtype)
        source.fill(out, window, handles)
    held = np.full(out.shape, source.none, source.dtype)
    held[Window(0, 0, *UTM.shape).within(window)] = np.where(
        values == 7, source.none, values
    )
    np.testing.assert_array_equal(out, held)


def test_between_overlapping_files_memory_holds_nothing(tmp_path):
    """Two files that lie on each other are as large as the window, and leave a gap."""
    values = np.full((70, 45), 4, np.uint8)
    half = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(70, 45), crs=UTM.crs)
    band = Band(
        paths=[write(tmp_path / f"{name}.tif", values, half) for name in ("a", "b")]
    )
    with reading() as handles:
        source = open_source(band, "x", UTM, codes=(4,), handles=handles)
        out = np.full(UTM.shape, 5, source.dtype)
        source.fill(out, Window(0, 0, *UTM.shape), handles)
    assert (out[:, :45] == 4).all()
    assert (out[:, 45:] == source.none).all()

"""Rasters read onto grids: real files, good and bad."""

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from rasterio import Affine
from rasterio.errors import NotGeoreferencedWarning

from geo.errors import CRSMissingError, GridError
from geo.raster import Grid, read, resample


@pytest.fixture
def raster(tmp_path):
    """Write values to a GeoTIFF, by default in cells of 0.1° from 124° E, 40° N."""

    def write(
        values, *, crs="EPSG:4326", transform=None, scales=None, offsets=None, **profile
    ):
        values = np.atleast_3d(np.asarray(values).T).T
        path = tmp_path / "values.tif"
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=len(values),
            height=values.shape[1],
            width=values.shape[2],
            dtype=values.dtype,
            crs=crs,
            transform=transform or Affine(0.1, 0, 124, 0, -0.1, 40),
            **profile,
        ) as target:
            target.write(values)
            if scales:
                target.scales = scales
            if offsets:
                target.offsets = offsets
        return path

    return write


def test_own_grid_and_values(raster):
    path = raster(np.arange(6, dtype="int16").reshape(2, 3), nodata=-1)
    assert Grid.of(path).shape == (2, 3)
    assert read(path).tolist() == [[0, 1, 2], [3, 4, 5]]


def test_nodata_nan_and_infinity_become_nan_and_stay_out_of_averages(raster):
    values = np.full((4, 4), 10.0, dtype="float32")
    values[0, 0], values[1, 1], values[2, 2] = -9999, np.nan, np.inf
    path = raster(values, nodata=-9999)
    assert np.isnan(read(path)).sum() == 3
    fine = Grid.over((124, 39.6, 124.4, 40), 0.03)
    for way in ("nearest", "bilinear", "average", "mode", "min", "max"):
        got = read(path, grid=fine, resampling=way)
        np.testing.assert_allclose(got[np.isfinite(got)], 10.0)
        assert np.isfinite(got).any()


def test_nodata_of_a_class_raster_never_becomes_a_class(raster):
    path = raster(np.array([[255, 12], [12, 12]], dtype="uint8"), nodata=255)
    coarse = read(path, grid=Grid.over((124, 39.8, 124.2, 40), 0.2), resampling="mode")
    assert coarse.tolist() == [[12]]


def test_offset_comes_after_scale(raster):
    path = raster(np.array([[10, 20]], dtype="uint8"), scales=(28.0,), offsets=(-450,))
    np.testing.assert_allclose(read(path), [[-170, 110]])


def test_an_unknown_resampling_is_refused(raster):
    path = raster(np.ones((2, 2), dtype="uint8"))
    grid = Grid.over((124.0, 39.8, 124.2, 40.0), 0.05)
    with pytest.raises(GridError, match=r"'cubicle'; expected one of nearest"):
        read(path, grid=grid, resampling="cubicle")


def test_scale_and_band(raster):
    stack = np.array([[[20, 40]], [[60, 80]]], dtype="uint8")
    path = raster(stack, scales=(0.05, 0.05))
    np.testing.assert_allclose(read(path), [[[1, 2]], [[3, 4]]])
    np.testing.assert_allclose(read(path, band=2), [[3, 4]])
    with pytest.raises(GridError, match=r"bands 1 to 2.*no band 3"):
        read(path, band=3)


@settings(max_examples=60)
@given(
    left=st.integers(0, 10),
    top=st.integers(0, 10),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
    way=st.sampled_from(["nearest", "bilinear"]),
    shift=st.floats(0.011, 0.049),
)
def test_a_cell_has_one_value_however_the_grid_is_cut(
    tmp_path_factory, left, top, rows, columns, way, shift
):
    values = np.random.default_rng(1).normal(size=(30, 30))
    own = Grid.over((124, 37, 127, 40), 0.1)
    whole = Grid(west=124 + shift, north=40 - shift, dx=0.06, dy=0.06, shape=(24, 24))
    part = Grid(
        west=whole.west + left * 0.06,
        north=whole.north - top * 0.06,
        dx=0.06,
        dy=0.06,
        shape=(rows, columns),
    )
    path = tmp_path_factory.getbasetemp() / "random.tif"
    if not path.exists():
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=1,
            height=30,
            width=30,
            dtype="float64",
            crs="EPSG:4326",
            transform=own.transform,
        ) as target:
            target.write(values, 1)
    everywhere = resample(values, own, grid=whole, resampling=way)
    got = read(path, grid=part, resampling=way)
    np.testing.assert_allclose(
        got, everywhere[top : top + rows, left : left + columns], atol=1e-6
    )


def test_bilinear_gives_back_a_plane(raster):
    own = Grid.over((124, 39, 125, 40), 0.1)
    lon, lat = own.centres()
    path = raster(3 * lon - 2 * lat)
    fine = Grid.over((124.2, 39.2, 124.8, 39.8), 0.01)
    lon, lat = fine.centres()
    got = read(path, grid=fine, resampling="bilinear")
    np.testing.assert_allclose(got, 3 * lon - 2 * lat, atol=1e-6)


def test_another_crs_lands_where_it_lies(raster):
    """A single marked kilometre in UTM 51 is found at its longitude and latitude."""
    values = np.zeros((60, 60), dtype="uint8")
    values[40, 15] = 7
    path = raster(
        values, crs="EPSG:32651", transform=Affine(1e3, 0, 5e5, 0, -1e3, 44e5)
    )
    lon, lat = Transformer.from_crs(32651, 4326, always_xy=True).transform(
        515_500, 4_359_500
    )
    grid = Grid(west=lon - 0.0005, north=lat + 0.0005, dx=0.001, dy=0.001, shape=(1, 1))
    assert read(path, grid=grid).tolist() == [[7]]
    away = Grid(west=lon + 0.03, north=lat, dx=0.001, dy=0.001, shape=(1, 1))
    assert read(path, grid=away).tolist() == [[0]]


def test_outside_the_file_is_nan_and_no_overlap_is_an_error(raster):
    path = raster(np.ones((2, 2)))
    wide = read(path, grid=Grid.over((123.8, 39.7, 124.2, 40), 0.1))
    assert np.isnan(wide[:, :2]).all()
    assert wide[:2, 2:].tolist() == [[1, 1], [1, 1]]
    with pytest.raises(GridError, match=r"values\.tif covers .* do not meet"):
        read(path, grid=Grid.over((10, 10, 11, 11), 0.1))


def test_no_value_at_all_is_an_error(raster):
    path = raster(np.full((2, 2), 255, dtype="uint8"), nodata=255)
    with pytest.raises(GridError, match="holds no value; every cell is nodata"):
        read(path)


def test_no_crs_is_an_error(raster):
    with pytest.raises(CRSMissingError, match=r"values\.tif names no CRS"):
        read(raster(np.ones((2, 2)), crs=None))


def test_no_position_is_an_error(raster):
    with pytest.warns(NotGeoreferencedWarning):
        path = raster(np.ones((2, 2)), transform=Affine(1, 0, 0, 0, 1, 0))
    with pytest.raises(GridError, match="no position"):
        read(path)


def test_rotated_is_an_error(raster):
    with pytest.raises(GridError, match="rotated"):
        read(raster(np.ones((2, 2)), transform=Affine(0.1, 0.02, 124, 0.02, -0.1, 40)))


def test_truncated_empty_missing_and_foreign_files(raster, tmp_path):
    path = raster(np.random.default_rng(0).normal(size=(300, 300)), compress="deflate")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(GridError, match=r"values\.tif cannot be (read|opened)"):
        read(path)
    empty = tmp_path / "empty.tif"
    empty.touch()
    with pytest.raises(GridError, match=r"empty\.tif cannot be opened as a raster"):
        read(empty)
    with pytest.raises(GridError, match="no raster at"):
        read(tmp_path / "missing.tif")
    text = tmp_path / "text.tif"
    text.write_text("lon,lat\n1,2\n")
    with pytest.raises(GridError, match="cannot be opened"):
        read(text)


def test_complex_numbers_are_refused(raster):
    with pytest.raises(GridError, match="complex"):
        read(raster(np.ones((2, 2), dtype="complex64")))


def test_resample_refuses_a_wrong_shape():
    grid = Grid.over((0, 0, 1, 1), 0.5)
    with pytest.raises(GridError, match=r"\(3, 3\); expected \(2, 2\)"):
        resample(np.ones((3, 3)), grid, grid=grid)

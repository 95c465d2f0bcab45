"""Slope and aspect: beside gdaldem, and on surfaces whose gradient is known."""

import os
import subprocess

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import GridError
from geo.raster import Grid, aspect, slope
from geo.raster.terrain import relief
from tests.gdal import NoGDALError, find_gdaldem

UTM = "EPSG:32651"
A_M, E2 = 6_378_137.0, 0.0066943799901413165


def square(rows, columns, dx=30.0, dy=None):
    return Grid(
        west=400_000.0,
        north=4_400_000.0,
        dx=dx,
        dy=dy or dx,
        shape=(rows, columns),
        crs=UTM,
    )


def rough(shape, seed=0):
    """Mountains of a few kilometres, their slopes and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.indices(shape)
    waves = 900 * np.sin(x / 37) * np.cos(y / 23) + 400 * np.sin((x + 2 * y) / 11)
    return waves + 1800 + rng.normal(0, 8, shape)


def horn(elevation, grid):
    """East and north parts of the gradient by the textbook, in float64."""
    z = elevation.astype(np.float64)
    a, b, c = z[:-2, :-2], z[:-2, 1:-1], z[:-2, 2:]
    d, f = z[1:-1, :-2], z[1:-1, 2:]
    g, h, i = z[2:, :-2], z[2:, 1:-1], z[2:, 2:]
    east = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * grid.dx)
    north = ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * grid.dy)
    return east, north


def turned(a, b):
    """Angle between two directions. [degrees]."""
    return np.abs((a - b + 180) % 360 - 180)


@pytest.fixture(scope="module")
def gdaldem():
    try:
        return find_gdaldem()
    except NoGDALError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"{error}; on Debian: apt install gdal-bin")


@pytest.fixture
def ask_gdaldem(gdaldem, tmp_path):
    import rasterio

    def ask(what, elevation, grid, *options):
        source, target = tmp_path / "dem.tif", tmp_path / f"{what}.tif"
        filled = np.where(np.isfinite(elevation), elevation, -9999)
        with rasterio.open(
            source,
            "w",
            driver="GTiff",
            dtype="float32",
            count=1,
            height=grid.shape[0],
            width=grid.shape[1],
            crs=grid.crs,
            transform=grid.transform,
            nodata=-9999,
        ) as file:
            file.write(filled.astype(np.float32), 1)
        command = [gdaldem, what, str(source), str(target), "-q", *options]
        subprocess.run(command, check=True, timeout=120)
        with rasterio.open(target) as file:
            found = file.read(1)
        return np.where(found == -9999, np.nan, found)

    return ask


@pytest.mark.parametrize("cell", [(30.0, 30.0), (10.0, 10.0), (90.0, 60.0)])
def test_slope_is_that_of_gdaldem(ask_gdaldem, cell):
    grid = square(200, 300, *cell)
    elevation = rough(grid.shape).astype(np.float32)
    elevation[50:53, 70:90] = np.nan
    theirs = ask_gdaldem("slope", elevation, grid)
    ours = slope(elevation, grid)
    assert ours.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_aspect_is_that_of_gdaldem_where_cells_are_square(ask_gdaldem):
    grid = square(200, 300)
    elevation = rough(grid.shape).astype(np.float32)
    elevation[50:53, 70:90] = np.nan
    elevation[120:140, 40:60] = 512.0
    theirs = ask_gdaldem("aspect", elevation, grid)
    ours = aspect(elevation, grid)
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(theirs))
    assert np.isnan(ours[125:135, 45:55]).all()
    known = np.isfinite(ours) & (slope(elevation, grid) > 1)
    assert known.sum() > 50_000
    assert turned(ours, theirs)[known].max() < 0.01
    assert (ours[known] >= 0).all()
    assert (ours[known] < 360).all()


def test_float32_stays_close_to_float64():
    grid = square(400, 500)
    elevation = (rough(grid.shape) + 4000).astype(np.float32)
    east, north = horn(elevation, grid)
    exact = np.degrees(np.arctan(np.hypot(east, north)))
    inner = (slice(1, -1), slice(1, -1))
    assert np.abs(slope(elevation, grid)[inner] - exact).max() < 2e-5
    exactly = slope(elevation.astype(np.float64), grid)[inner]
    np.testing.assert_allclose(exactly, exact, atol=1e-11)


@pytest.mark.parametrize("cell", [(30.0, 30.0), (30.0, 20.0)])
def test_a_tilted_plane_is_exact(cell):
    """Rises of powers of two lose nothing to rounding."""
    grid = square(9, 12, *cell)
    row, column = np.indices(grid.shape)
    for east, north in [(4.0, 0.0), (0.0, 8.0), (-16.0, 2.0), (3.0, -5.0)]:
        elevation = 100.0 + east * column - north * row
        rise = np.hypot(east / grid.dx, north / grid.dy)
        inner = slope(elevation, grid)[1:-1, 1:-1]
        np.testing.assert_allclose(inner, np.degrees(np.arctan(rise)), rtol=1e-15)
        down = np.degrees(np.arctan2(-east / grid.dx, -north / grid.dy)) % 360
        got = aspect(elevation, grid)[1:-1, 1:-1]
        np.testing.assert_allclose(got, down, rtol=1e-15)


def test_a_cone_is_as_steep_everywhere():
    grid = square(201, 201, 10.0)
    x, y = grid.centres()
    x, y = x - x[100, 100], y - y[100, 100]
    away = np.hypot(x, y)
    elevation = 3000.0 - 0.5 * away
    far = away > 300.0
    far[[0, -1]], far[:, [0, -1]] = False, False
    got = slope(elevation, grid)[far]
    np.testing.assert_allclose(got, np.degrees(np.arctan(0.5)), atol=0.02)
    down = np.degrees(np.arctan2(x, y)) % 360
    assert turned(aspect(elevation, grid)[far], down[far]).max() < 0.05


def test_a_cap_of_a_sphere_steepens_outwards():
    grid = square(201, 201, 10.0)
    x, y = grid.centres()
    away2 = (x - x[100, 100]) ** 2 + (y - y[100, 100]) ** 2
    radius = 5_000.0
    elevation = np.sqrt(radius**2 - away2)
    expected = np.degrees(np.arcsin(np.sqrt(away2) / radius))
    inner = (slice(1, -1), slice(1, -1))
    got = slope(elevation, grid)[inner]
    np.testing.assert_allclose(got, expected[inner], atol=1e-3)


def degrees_m(lat_deg):
    """Metres of a degree of longitude and of latitude, on WGS 84."""
    lat = np.radians(lat_deg)
    flat = 1 - E2 * np.sin(lat) ** 2
    wide = A_M * np.cos(lat) / np.sqrt(flat)
    return np.radians(wide), np.radians(A_M * (1 - E2) / flat**1.5)


def lonlat(lat, cell=1 / 3600):
    return Grid(west=125.0, north=lat + 0.02, dx=cell, dy=cell, shape=(144, 100))


LATITUDES = pytest.mark.parametrize("lat", [0.0, 40.0, 65.0, -65.0])


@LATITUDES
@pytest.mark.parametrize("rise", [(800.0, 0.0), (0.0, 900.0), (-3000.0, 7000.0)])
def test_a_surface_linear_in_degrees_is_exact_on_a_geographic_grid(lat, rise):
    """Rises are metres to a degree; the metric is that of WGS 84 at the centre."""
    grid = lonlat(lat)
    lon, lats = grid.centres()
    elevation = 500 + rise[0] * (lon - 125.0) + rise[1] * (lats - lat)
    wide, tall = degrees_m(lats)
    east, north = rise[0] / wide, rise[1] / tall
    inner = (slice(1, -1), slice(1, -1))
    exact = np.degrees(np.arctan(np.hypot(east, north)))
    np.testing.assert_allclose(slope(elevation, grid)[inner], exact[inner], rtol=1e-7)
    down = np.degrees(np.arctan2(-east, -north)) % 360
    assert turned(aspect(elevation, grid), down)[inner].max() < 1e-6


@LATITUDES
def test_a_cone_on_a_geographic_grid_is_as_steep_all_round(lat):
    """Distances from its top are Karney's."""
    from geo import distance

    grid = Grid(
        west=125.0, north=lat + 0.05, dx=1 / 1800, dy=1 / 3600, shape=(360, 180)
    )
    lon, lats = grid.centres()
    away = distance(np.full(grid.shape, 125.05), np.full(grid.shape, lat), lon, lats)
    elevation = 5_000.0 - 0.25 * away
    got = slope(elevation, grid)
    far = np.isfinite(got) & (away > 1_000.0)
    assert far.sum() > 20_000
    np.testing.assert_allclose(got[far], np.degrees(np.arctan(0.25)), atol=0.02)


@LATITUDES
def test_gdaldem_with_one_scale_is_wrong_where_ours_is_right(ask_gdaldem, lat):
    """On a slope that faces west its cells are as wide as at the equator."""
    grid = lonlat(lat)
    lon, lats = grid.centres()
    wide, _ = degrees_m(lats)
    elevation = (100 + 0.2 * degrees_m(lat)[0] * (lon - 125.0)).astype(np.float32)
    exact = np.degrees(np.arctan(0.2 * degrees_m(lat)[0] / wide))
    theirs = ask_gdaldem("slope", elevation, grid, "-s", "111120")
    inner = (slice(1, -1), slice(1, -1))
    assert np.abs(slope(elevation, grid) - exact)[inner].max() < 2e-3
    if lat:
        assert np.abs(theirs - exact)[inner].min() > 2.0


def small_heights():
    return st.integers(0, 2**31).map(
        lambda seed: rough((9, 11), seed).astype(np.float32)
    )


@given(small_heights(), st.integers(0, 8), st.integers(0, 10))
def test_no_value_leaks(elevation, row, column):
    """One NaN takes its 3×3 block with it and nothing else."""
    grid = square(9, 11)
    holed = elevation.copy()
    holed[row, column] = np.nan
    near = np.zeros(grid.shape, dtype=bool)
    near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    for measure in (slope, aspect):
        whole, got = measure(elevation, grid), measure(holed, grid)
        assert np.isnan(got[near]).all()
        np.testing.assert_array_equal(got[~near], whole[~near])
        assert np.isfinite(whole[1:-1, 1:-1]).all()


@given(small_heights())
def test_mirrors_and_quarter_turns_only_turn_the_answer(elevation):
    elevation = elevation[:, :9].astype(np.float64)
    grid = square(9, 9)
    steep, down = slope(elevation, grid), aspect(elevation, grid)

    def same(a, b):
        np.testing.assert_allclose(a, b, rtol=1e-12)

    same(slope(elevation[:, ::-1], grid), steep[:, ::-1])
    same(slope(elevation[::-1], grid), steep[::-1])
    same(slope(np.rot90(elevation), grid), np.rot90(steep))
    inner = (slice(1, -1), slice(1, -1))
    mirrored = aspect(elevation[:, ::-1], grid)[:, ::-1]
    assert turned(mirrored, -down)[inner].max() < 1e-9
    flipped = aspect(elevation[::-1], grid)[::-1]
    assert turned(flipped, 180 - down)[inner].max() < 1e-9
    # A quarter turn anticlockwise makes what faced north face west.
    quarter = aspect(np.rot90(elevation), grid)
    assert turned(quarter, np.rot90(down) - 90)[inner].max() < 1e-9


@given(small_heights(), st.integers(-4_000, 4_000))
def test_a_constant_changes_nothing_beyond_rounding(elevation, more):
    grid = square(9, 11)
    lifted = elevation.astype(np.float64) + more
    plain = slope(elevation.astype(np.float64), grid)
    np.testing.assert_allclose(slope(lifted, grid), plain, atol=1e-9)
    # In float32 heights of some 8 km are themselves rounded by 0.25 mm.
    rounded = slope(lifted.astype(np.float32), grid)
    np.testing.assert_allclose(rounded, plain, atol=1e-3)


def test_whole_numbers_count_as_heights_and_the_edge_has_no_value():
    grid = square(4, 5)
    flat = np.full(grid.shape, 7, dtype=np.int16)
    got = slope(flat, grid)
    assert got.dtype == np.float64
    assert (got[1:-1, 1:-1] == 0).all()
    edge = np.ones(grid.shape, dtype=bool)
    edge[1:-1, 1:-1] = False
    assert np.isnan(got[edge]).all()
    assert np.isnan(slope(np.zeros((2, 9)), square(2, 9))).all()


def test_bad_input_is_refused():
    with pytest.raises(GridError, match=r"elevation has shape \(3, 3\)"):
        slope(np.zeros((3, 3)), square(4, 4))
    feet = Grid(west=0, north=0, dx=1, dy=1, shape=(3, 3), crs="EPSG:2263")
    with pytest.raises(GridError, match="expected metres"):
        aspect(np.zeros((3, 3)), feet)
    with pytest.raises(GridError, match="odd"):
        relief(np.zeros((3, 3)), size=2)

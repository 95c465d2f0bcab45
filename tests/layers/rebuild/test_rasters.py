"""Where the shipped grids lie, and what they hold."""

import numpy as np
import pandas as pd
import pytest
import rasterio

from layers.rebuild import registration_check
from layers.rebuild.base_map import CORE
from layers.rebuild.rasters import ALTITUDE_SHIFT_DEG, weighted_mean
from layers.rebuild.recipes import DATA

# lat, lon, altitude [m], Linke turbidity in January and July: from pvlib 0.16.1.
GOLDEN = [
    (39.98, 125.25, 110, 1.95, 4.15),
    (42.00, 128.06, 2014, 1.8, 3.85),
    (39.03, 125.75, 26, 1.95, 4.15),
    (41.79, 123.43, 54, 2.0, 4.35),
    (37.05, 131.45, 0, 2.0, 4.3),
    (43.46, 122.04, 194, 1.85, 4.2),
]


def value_at(name, lon, lat, band=1):
    with rasterio.open(DATA / f"{name}.tif") as grid:
        row, column = grid.index(lon, lat)
        stored = grid.read(band)[row, column]
        if stored == grid.nodata:
            return None
        return stored * grid.scales[band - 1]


@pytest.mark.parametrize(("lat", "lon", "altitude_m", "january", "july"), GOLDEN)
def test_grids_give_what_pvlib_gives(lat, lon, altitude_m, january, july):
    assert value_at("linke-turbidity", lon, lat, 1) == pytest.approx(january)
    assert value_at("linke-turbidity", lon, lat, 7) == pytest.approx(july)
    # The altitude grid is moved east, the cell's number with it.
    moved = value_at("altitude", lon + ALTITUDE_SHIFT_DEG, lat)
    assert moved == (altitude_m or None)


@pytest.mark.parametrize(("lat", "lon", "altitude_m", "january", "july"), GOLDEN)
def test_golden_values_are_those_of_the_installed_pvlib(
    lat, lon, altitude_m, january, july
):
    from pvlib.clearsky import lookup_linke_turbidity
    from pvlib.location import lookup_altitude

    times = pd.DatetimeIndex(["2019-01-15", "2019-07-15"], tz="UTC")
    turbidity = lookup_linke_turbidity(times, lat, lon, interp_turbidity=False)
    assert list(turbidity) == pytest.approx([january, july])
    assert lookup_altitude(lat, lon) == altitude_m


@pytest.mark.parametrize(
    ("name", "shape", "dtype"),
    [
        ("land-cover", (1, 130, 190), "uint8"),
        ("altitude", (1, 78, 115), "int16"),
        ("linke-turbidity", (12, 78, 114), "uint8"),
        ("irradiance", (12, 4, 5), "float32"),
    ],
)
def test_shipped_grid_covers_the_window(name, shape, dtype):
    with rasterio.open(DATA / f"{name}.tif") as grid:
        assert grid.read().shape == shape
        assert set(grid.dtypes) == {dtype}
        assert grid.crs.to_epsg() == 4326
        assert grid.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert grid.transform.e < 0 < grid.transform.a
        left, bottom, right, top = grid.bounds
    west, south, east, north = CORE
    assert left <= west + 1e-9
    assert bottom <= south + 1e-9
    assert right >= east - 1e-9
    assert top >= north - 1e-9


def test_land_cover_classes_are_named():
    import tomllib

    text = (DATA / "catalogue" / "land-cover.toml").read_text("utf-8")
    classes = tomllib.loads(text)["classes"]
    with rasterio.open(DATA / "land-cover.tif") as grid:
        held = {str(value) for value in np.unique(grid.read(1))}
    assert held <= set(classes)
    assert value_at("land-cover", 125.75, 39.03) == 13  # Pyongyang
    assert value_at("land-cover", 123.43, 41.79) == 13  # Shenyang
    assert value_at("land-cover", 130.0, 39.0) == 0  # East Sea


def test_irradiance_is_finite_positive_and_peaks_in_the_warm_half():
    with rasterio.open(DATA / "irradiance.tif") as grid:
        months = grid.read()
        centres = [grid.xy(r, 0)[1] for r in range(grid.height)]
    assert np.isfinite(months).all()
    assert centres == [45, 42, 39, 36]
    assert (months > 50).all()
    assert (months < 300).all()
    assert set(np.unique(months.argmax(axis=0))) <= {3, 4, 5, 6}
    # 39° N, 126° E, from the source's densities: 1,632 kWh/m² a year.
    assert months[:, 2, 2].mean() * 8.76 == pytest.approx(1631.6, abs=0.5)


def test_weighted_mean():
    value = np.array([[1.0, 3.0], [1.0, 3.0], [5.0, 5.0]])
    weight = np.array([[1.0, 1.0], [3.0, 1.0], [0.0, 0.0]])
    np.testing.assert_allclose(weighted_mean(value, weight), [2, 1.5, np.nan])


def test_land_cover_is_not_moved_and_not_on_the_sphere():
    mask, transform = registration_check.land_mask("land-cover")
    land = registration_check.land_polygons()
    here = registration_check.agreement(mask, transform, land)
    assert here.agreement > 0.99
    for dlat_deg in (0.19, -0.19, 0.05, -0.05):
        moved = registration_check.agreement(mask, transform, land, dlat_deg=dlat_deg)
        assert moved.correlation < here.correlation - 0.015


def test_altitude_lies_better_where_it_was_put_than_where_pvlib_has_it():
    mask, transform = registration_check.land_mask("altitude")
    land = registration_check.land_polygons()
    here = registration_check.agreement(mask, transform, land)
    for dlon_deg in (-ALTITUDE_SHIFT_DEG, ALTITUDE_SHIFT_DEG):
        moved = registration_check.agreement(mask, transform, land, dlon_deg=dlon_deg)
        assert moved.correlation < here.correlation - 0.01


def test_agreement_finds_a_known_displacement():
    from affine import Affine
    from shapely import box

    mask = np.zeros((20, 20), dtype=bool)
    mask[5:12, 4:9] = True
    transform = Affine(0.1, 0, 125, 0, -0.1, 42)
    land = [box(125.5, 40.8, 126.0, 41.5)]  # one cell east of the mask
    right = registration_check.agreement(mask, transform, land, dlon_deg=0.1)
    assert right.agreement == 1
    assert registration_check.agreement(mask, transform, land).agreement < 1


def test_highest_ground_is_at_paektu():
    with rasterio.open(DATA / "altitude.tif") as grid:
        metres = grid.read(1, masked=True)
        near = grid.index(128.06, 42.0)
    block = metres[near[0] - 2 : near[0] + 3, near[1] - 2 : near[1] + 3]
    row, column = np.unravel_index(block.argmax(), block.shape)
    assert abs(row - 2) <= 1
    assert abs(column - 2) <= 1
    assert block.max() > 2000

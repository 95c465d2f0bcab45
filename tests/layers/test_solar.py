"""Candidate areas, sunlight and energy."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import layers
from geo import geodesy
from geo.errors import CriteriaError, CRSMissingError, GeometryError, GridError
from geo.raster import Grid
from layers.catalogue import load, load_table, raster_path
from layers.irradiance import (
    DAYS_IN_MONTH,
    Sites,
    SunError,
    correction,
    diffuse_fraction,
    exceeded_in_nine_of_ten,
)
from layers.ranges import Range
from layers.schema import check_features
from layers.solar import areas
from layers.solar_criteria import Spread, load_solar_criteria

SHIPPED = Path(layers.__file__).parent / "data" / "criteria" / "solar-areas.toml"

SHAPE = np.array([99, 134, 200, 225, 270, 265, 242, 216, 210, 174, 113, 86.0])
"""Course of all-sky irradiance over a year near 40° N 125° E. [W/m²]"""

TURBIDITY = [2.9, 3.1, 3.6, 3.9, 4.0, 4.1, 4.0, 3.8, 3.4, 3.1, 3.0, 2.9]


@pytest.fixture(scope="module")
def pyongan():
    provinces = load("provinces")
    return provinces[provinces["id"].isin(["north-pyongan", "south-pyongan"])]


@pytest.fixture(scope="module")
def found(pyongan):
    return areas(regions=pyongan)


@pytest.fixture
def changed(tmp_path):
    """Copy the shipped criteria with one text put in place of another."""

    def write(*swaps):
        text = SHIPPED.read_text("utf-8")
        for old, new in swaps:
            assert old in text
            text = text.replace(old, new, 1)
        path = tmp_path / "mine.toml"
        path.write_text(text, "utf-8")
        return path

    return write


def scaled(total):
    """Monthly irradiance that sums to a year's irradiation. [kWh/m²] to [W/m²]."""
    return (SHAPE * total / (SHAPE @ DAYS_IN_MONTH * 0.024))[None, :]


# ── Areas ──────────────────────────────────────────────────────────────────────


def test_areas_keep_the_feature_contract(found):
    check_features(found, "solar-areas")
    assert 8 <= len(found) <= 20
    assert found.index.tolist() == list(range(len(found)))
    assert found["rank"].tolist() == list(range(1, len(found) + 1))
    assert found["id"].is_unique
    assert found["name"].is_unique
    assert set(found["kind"]) == {"candidate_solar_area"}
    assert set(found["status"]) == {"hypothetical"}
    assert found["score"].is_monotonic_decreasing
    assert found["score"].between(0, 1).all()
    cited = set(" ".join(found["sources"]).split())
    assert cited <= set(load_table("sources")["id"])


def test_areas_lie_inland_in_their_province_and_apart(found, pyongan):
    assert found.geometry.is_valid.all()
    assert set(found["region"]) == set(pyongan["id"])
    coast = load("base-coast").geometry.union_all()
    lon, lat = Grid.of(raster_path("land-cover")).centres()
    for area in found.itertuples():
        home = pyongan.set_index("id").geometry[area.region]
        held = shapely.contains_xy(area.geometry, lon, lat)
        assert shapely.contains_xy(home, lon[held], lat[held]).all()
        assert not area.geometry.intersects(coast)
        near = shapely.get_coordinates(shapely.segmentize(coast, 0.01))
        middle = area.geometry.representative_point()
        assert geodesy.distance(middle.x, middle.y, *near.T).min() > 18_000
    for i, one in enumerate(found.geometry):
        for other in found.geometry[i + 1 :]:
            assert one.intersection(other).area < 1e-9


def test_area_and_power_add_up(found):
    followed = found.geometry.segmentize(0.005)
    np.testing.assert_allclose(
        geodesy.area(followed) / 1e6, found["area_km2"], rtol=1e-5
    )
    assert found["area_km2"].between(70, 240).all()
    np.testing.assert_allclose(found["capacity_mw"], found["area_km2"] * 2.5)
    np.testing.assert_allclose(found["capacity_mw_low"], found["area_km2"] * 0.7)
    np.testing.assert_allclose(found["capacity_mw_high"], found["area_km2"] * 7.5)
    np.testing.assert_allclose(
        found["energy_gwh"], found["capacity_mw"] * found["yield_kwh_per_kwp"] / 1e3
    )
    shares = found.filter(like="share_").sum(axis=1)
    np.testing.assert_allclose(shares, found["score"])


def test_sunlight_is_all_sky_with_its_range_and_below_clear_sky(found):
    assert (found["ghi_low_kwh_per_m2"] < found["ghi_kwh_per_m2"]).all()
    assert (found["ghi_kwh_per_m2"] < found["ghi_high_kwh_per_m2"]).all()
    assert found["ghi_kwh_per_m2"].between(1250, 1450).all()
    overstated = found["ghi_clear_sky_kwh_per_m2"] / found["ghi_kwh_per_m2"]
    assert overstated.between(1.34, 1.60).all()
    assert (found["energy_gwh_p90"] / found["energy_gwh"]).between(0.86, 0.92).all()


def test_the_corrected_sunlight_is_what_is_scored(found):
    part = np.clip((found["ghi_kwh_per_m2"] - 1250) / 150, 0, 1) * 0.5 / 7
    np.testing.assert_allclose(found["share_ghi_kwh_per_m2"], part, rtol=1e-3)


def test_names_point_from_the_town_to_the_area(found):
    towns = load("places").drop_duplicates("name").set_index("name").geometry
    for area in found.itertuples():
        town, middle = towns[area.town_name], area.geometry.centroid
        if area.name.startswith("North"):
            assert middle.y > town.y
        if area.name.startswith("South"):
            assert middle.y < town.y
        if "ast of" in area.name:
            assert middle.x > town.x
        if "est of" in area.name:
            assert middle.x < town.x
    assert found["name"].str.contains("North|South").sum() > 5


def test_reasons_say_what_the_columns_say(found):
    for area in found.itertuples():
        assert f"{area.coast_km:.0f} km from the coast" in area.reasons
        assert f"{area.plant_km:.0f} km from {area.plant_name}" in area.reasons
        assert f"{area.town_km:.0f} km from {area.town_name}" in area.reasons
        fields = "cropland" in area.land_cover
        assert ("compete with food" in area.reasons) == fields


def test_the_same_input_gives_the_same_areas(found, pyongan):
    again = areas(SHIPPED, regions=pyongan.iloc[::-1].iloc[::-1])
    assert json.loads(again.to_json()) == json.loads(found.to_json())


def test_the_order_of_regions_changes_no_area(found, pyongan):
    turned = areas(regions=pyongan.iloc[::-1])
    assert set(turned.geometry.to_wkb()) == set(found.geometry.to_wkb())


def test_criteria_can_be_changed(found, pyongan, changed):
    farther = areas(changed(("min = 20\n", "min = 40\n")), regions=pyongan)
    assert (farther["coast_km"] >= 40).all()
    denser = areas(changed(("mid = 0.05", "mid = 0.10")), regions=pyongan)
    np.testing.assert_allclose(denser["capacity_mw"], 2 * found["capacity_mw"])
    fewer = areas(
        changed(("limit_per_region = 6", "limit_per_region = 1")), regions=pyongan
    )
    assert len(fewer) == 2


def test_no_area_is_an_answer(found, pyongan, changed):
    none = areas(changed(("min = 20\n", "min = 9000\n")), regions=pyongan)
    assert len(none) == 0
    assert list(none.columns) == list(found.columns)
    assert none.crs == "EPSG:4326"


def test_bad_layers_and_rasters_are_refused(pyongan, tmp_path):
    with pytest.raises(GeometryError, match="regions is empty"):
        areas(regions=pyongan.iloc[:0])
    with pytest.raises(CRSMissingError):
        areas(regions=pyongan.set_crs(None, allow_override=True))
    with pytest.raises(GridError, match=r"regions reach from 121.* clip"):
        areas(regions=pyongan.set_geometry(pyongan.translate(xoff=-3)))
    plants = load("power-plants")
    with pytest.raises(GeometryError, match="no plants that count"):
        areas(regions=pyongan, plants=plants.assign(status="historic"))
    with pytest.raises(GridError, match="expected 12"):
        areas(regions=pyongan, rasters={"irradiance": raster_path("altitude")})
    with pytest.raises(GridError, match="no raster at"):
        areas(regions=pyongan, rasters={"altitude": tmp_path / "none.tif"})


# ── Criteria ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("min_km2 = 70", "min_km = 70", r"mine\.toml: areas\.min_km: unknown key"),
        ("min_km2 = 70", "min_km2 = 700", r"areas\.min_km2: above areas\.max_km2"),
        ("limit_per_region = 6", "limit_per_region = 6.5", "a whole number"),
        ("mid = 0.05", "mid = 0.5", r"usable_fraction: expected low <= mid <= high"),
        ("mid = 0.05", "mid = '5 %'", r"usable_fraction\.mid: expected a number"),
        ("tilt_deg = 30", "tilt_deg = 300", r"plant\.tilt_deg: 300 is out of range"),
        ("9.4, 1.7]", "9.4]", r"plant\.air_celsius\.monthly: expected 12 numbers"),
        ("[129.0, 36.0]", "[129.0]", "expected pairs"),
        ('id = "coast_km"', 'id = "cost_km"', "'cost_km' is no measure"),
        ("[spread]", "[sprad]", r"file\.sprad: unknown key; did you mean 'spread'"),
        ("[plant]", "[plant", "not TOML"),
        ('sources = ["mcd', 'sources = [1, "mcd', r"sources\[0\]: expected a text"),
    ],
)
def test_a_wrong_criteria_file_names_file_and_key(changed, old, new, said):
    with pytest.raises(CriteriaError, match=said):
        load_solar_criteria(changed((old, new)))


def test_missing_and_binary_criteria(tmp_path):
    with pytest.raises(CriteriaError, match="no criteria can be read"):
        load_solar_criteria(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CriteriaError, match=r"binary\.toml: expected UTF-8"):
        load_solar_criteria(tmp_path / "binary.toml")


# ── Sunlight and energy ────────────────────────────────────────────────────────


def test_climatology_is_brought_down_to_the_ground():
    """MERRA-2 has 1,669 kWh/m² where 1,318 to 1,436 was measured."""
    got = correction(load_solar_criteria(), raster_path("irradiance"))
    assert got.climatology_kwh_per_m2 == pytest.approx(1669, abs=2)
    assert got.factor.low == pytest.approx(1318 / 1669.3, abs=1e-3)
    assert got.factor.high == pytest.approx(1436 / 1669.3, abs=1e-3)


def test_reference_outside_the_raster_is_refused(changed):
    far = load_solar_criteria(changed(("[129.0, 36.0]", "[10.0, 36.0]")))
    with pytest.raises(GridError, match=r"no value at the reference point \(10.0"):
        correction(far, raster_path("irradiance"))


@pytest.mark.parametrize(
    ("lon", "lat", "altitude"), [(125.3, 40.0, 110), (126.28, 40.17, 278), (10, -35, 0)]
)
def test_clear_sky_agrees_with_pvlib_over_every_hour(lon, lat, altitude):
    import pvlib

    zone = f"Etc/GMT{-round(lon / 15):+d}"
    hours = pd.date_range("2019-01-01 00:30", "2019-12-31 23:30", freq="h", tz=zone)
    place = pvlib.location.Location(lat, lon, zone, altitude)
    monthly = np.array(TURBIDITY)[hours.month - 1]
    with warnings.catch_warnings():
        # pvlib 0.16 asks pandas for an attribute by its old name.
        warnings.filterwarnings("ignore", message=".*dayofyear")
        expected = place.get_clearsky(hours, linke_turbidity=monthly)["ghi"].sum() / 1e3
    got = Sites(lon, lat, altitude, TURBIDITY).clear_sky_kwh_per_m2()
    np.testing.assert_allclose(got, expected, rtol=0.01)


@pytest.mark.parametrize(
    ("ghi", "on_modules", "made"),
    [
        # An hourly run with daily weather, 40.0° N 125.3° E, 30° south, made apart
        # from this code: irradiation on the modules and yield.
        (1300, 1494, 1240),
        (1350, 1565, 1297),
        (1400, 1636, 1353),
        (1450, 1706, 1408),
        (1500, 1776, 1463),
    ],
)
def test_yield_agrees_with_an_hourly_run(ghi, on_modules, made):
    site = Sites(125.3, 40.0, 110, TURBIDITY)
    got = site.energy(scaled(ghi), load_solar_criteria().plant)
    np.testing.assert_allclose(got.ghi_kwh_per_m2, ghi)
    np.testing.assert_allclose(got.poa_kwh_per_m2, on_modules, rtol=0.015)
    np.testing.assert_allclose(got.yield_kwh_per_kwp, made, rtol=0.025)


@settings(max_examples=25)
@given(
    lat=st.floats(-60, 60),
    lon=st.floats(-180, 180),
    dull=st.floats(0.3, 0.6),
    more=st.floats(1.05, 1.5),
)
def test_more_sun_gives_more_energy_everywhere(lat, lon, dull, more):
    site = Sites(lon, lat, 100, TURBIDITY)
    clear = site._daily_clear() / 24
    plant = load_solar_criteria().plant
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        low = site.energy(clear * dull, plant)
        high = site.energy(clear * dull * more, plant)
    np.testing.assert_allclose(
        low.ghi_kwh_per_m2, dull * site.clear_sky_kwh_per_m2(), rtol=1e-9
    )
    assert (high.yield_kwh_per_kwp > low.yield_kwh_per_kwp).all()
    assert (low.yield_kwh_per_kwp > 0).all()


def test_places_are_worked_out_one_by_one():
    both = Sites([125.3, 10.0], [40.0, -30.0], [110, 900], [TURBIDITY, TURBIDITY[::-1]])
    alone = Sites(10.0, -30.0, 900, TURBIDITY[::-1])
    plant = load_solar_criteria().plant
    monthly = np.vstack([SHAPE, SHAPE[::-1]])
    one = alone.energy(monthly[1:], plant)
    two = both.energy(monthly, plant)
    np.testing.assert_allclose(two.yield_kwh_per_kwp[1], one.yield_kwh_per_kwp[0])


@given(st.floats(0.0, 1.0), st.floats(40, 140))
def test_diffuse_part_is_a_part_and_falls_as_the_sky_clears(clearness, sunset):
    part, clearer = diffuse_fraction(np.array([clearness, clearness + 0.05]), sunset)
    assert 0 < clearer <= part < 1


def test_diffuse_part_of_a_month_half_clear():
    """The two polynomials at 0.5, worked out by hand."""
    half = np.array([0.5])
    assert diffuse_fraction(half, np.array([75.0])).round(4) == 0.3911
    assert diffuse_fraction(half, np.array([95.0])).round(4) == 0.4291


def test_bad_sunlight_is_refused():
    site = Sites(125.3, 40.0, 110, TURBIDITY)
    plant = load_solar_criteria().plant
    with pytest.raises(SunError, match="expected \\(1, 12\\)"):
        site.energy(np.ones((2, 12)), plant)
    with pytest.raises(SunError, match="missing or not above zero"):
        site.energy(np.full((1, 12), np.nan), plant)
    with pytest.raises(SunError, match="as many of each"):
        Sites([1, 2], [1], [1], TURBIDITY)
    with pytest.raises(SunError, match="a latitude is not finite"):
        Sites(1, np.nan, 1, TURBIDITY)


def test_p90_grows_with_no_doubt_and_widens_with_each():
    sun = Range(low=1318, mid=1365, high=1439, unit="kWh/m²")
    none = Spread(resource=0, interannual=0, model=0)

    def p90(spread, low=1000, high=1000):
        return exceeded_in_nine_of_ten(
            1000, at_low_sun=low, at_high_sun=high, sun=sun, spread=spread
        )

    assert p90(none) == 1000
    assert p90(Spread(resource=0, interannual=0, model=0.1)) == pytest.approx(
        871.84, 1e-4
    )
    assert p90(none, 960, 1060) == pytest.approx(1000 - 1281.55 * 0.1 / 12**0.5, 1e-4)
    usual = Spread(resource=0.06, interannual=0.035, model=0.035)
    assert p90(usual, 960, 1060) < p90(none, 960, 1060)
    with pytest.raises(SunError, match="rise with the sun"):
        p90(none, 1100, 1000)


# ── What counts, and how it is measured ──────────────────────────────────────


def decoy(layer, area, **changes):
    """Add a feature in the middle of an area to a layer."""
    middle = area.geometry.representative_point()
    one = layer.iloc[[0]].assign(**{"name": "Decoy", **changes})
    return pd.concat([layer, one.set_geometry([middle], crs=4326)], ignore_index=True)


GOOD_PLANT = {
    "status": "existing",
    "fuel": "coal",
    "capacity_mw": 500.0,
    "uncertainty_m": 1000.0,
}


@pytest.mark.parametrize(
    ("wrong", "counts"),
    [
        ({}, True),
        ({"capacity_mw": float("nan")}, True),
        ({"status": "historic"}, False),
        ({"fuel": "solar"}, False),
        ({"capacity_mw": 50.0}, False),
        ({"uncertainty_m": 20_000.0}, False),
    ],
)
def test_which_plants_count(found, pyongan, wrong, counts):
    plants = decoy(load("power-plants"), found.iloc[7], **(GOOD_PLANT | wrong))
    names = set(areas(regions=pyongan, plants=plants)["plant_name"])
    assert ("Decoy" in names) is counts


@pytest.mark.parametrize(("population", "counts"), [(50_000, True), (5_000, False)])
def test_which_towns_count(found, pyongan, population, counts):
    towns = decoy(load("places"), found.iloc[7], population=population)
    names = set(areas(regions=pyongan, towns=towns)["town_name"])
    assert ("Decoy" in names) is counts


def test_altitude_is_read_between_the_cells(pyongan, tmp_path):
    """A plane that rises eastward by 20 m a degree is met exactly."""
    import rasterio

    ramp = tmp_path / "ramp.tif"
    with rasterio.open(raster_path("altitude")) as own:
        profile = own.profile | {"dtype": "float64", "nodata": None}
    lon, _ = Grid.of(raster_path("altitude")).centres()
    with rasterio.open(ramp, "w", **profile) as out:
        out.write(np.broadcast_to(20 * (lon - 120), profile_shape(profile)), 1)
    got = areas(regions=pyongan, rasters={"altitude": ramp})
    assert len(got) > 5
    lon, lat = Grid.of(raster_path("land-cover")).centres()
    for area in got.itertuples():
        held = shapely.contains_xy(area.geometry, lon, lat)
        mean = 20 * (np.broadcast_to(lon, held.shape)[held].mean() - 120)
        assert area.altitude_m == pytest.approx(mean, abs=0.01)


def profile_shape(profile):
    return profile["height"], profile["width"]


def test_an_area_is_as_uncertain_as_half_a_cell(found):
    lat = found.geometry.representative_point().y.mean()
    across = geodesy.distance(125.0, lat, 125.05, lat + 0.05).item()
    assert found["uncertainty_m"].between(0.45 * across, 0.55 * across).all()


@pytest.mark.parametrize("lon", [-75.0, 10.0, 125.3])
def test_the_sun_is_highest_at_noon_of_the_place(lon):
    zenith = Sites(lon, 40.0, 0, TURBIDITY)._sky.zenith[0]
    assert set(zenith.argmin(axis=1)) <= {23, 24}

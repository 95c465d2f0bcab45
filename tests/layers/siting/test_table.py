"""The table of sites: areas, distances, names, words."""

import geopandas as gpd
import pytest

from geo import geodesy
from layers.schema import check_features
from layers.siting.table import FEATURE, POWER, RANKS
from layers.solar import sites
from tests.pyongan import write_plan, write_world

MADE_UP = ('exchange = "cholsan-2019"', 'exchange = "cholsan-2019"\nsynthetic = true')


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def found(world):
    return sites("pyongan", data=world, draws=200, reruns=False)


@pytest.fixture(scope="module")
def table(found):
    return found.table


def test_sites_are_features_like_any_other(table):
    check_features(table, "sites")
    assert list(table.columns[: len(FEATURE) + len(POWER)]) == [*FEATURE, *POWER]
    at = list(table.columns).index("reasons")
    assert tuple(table.columns[at - 3 : at]) == RANKS
    assert table.columns[-1] == "geometry"
    assert (table["status"] == "hypothetical").all()
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert table["id"].tolist()[:2] == ["site-001", "site-002"]
    assert table["score"].is_monotonic_decreasing
    assert set(table["region"]) == {"north-pyongan", "south-pyongan"}


def test_shares_sum_to_the_score(table):
    shares = table.filter(like="share_")
    assert shares.shape[1] == 5
    assert shares.sum(axis=1).to_numpy() == pytest.approx(table["score"].to_numpy())


def test_areas_are_geodesic_and_capacity_follows_from_them(table):
    assert table["area_km2"].to_numpy() == pytest.approx(
        geodesy.area(table.geometry) / 1e6
    )
    # The cells of these tiny files are wider than the setback: nothing is taken.
    assert (table["net_area_km2"] == table["area_km2"]).all()
    assert table["capacity_mw"].to_numpy() == pytest.approx(
        table["net_area_km2"].to_numpy() * 50 * 0.7
    )
    assert table["capacity_mw_low"].to_numpy() == pytest.approx(
        table["net_area_km2"].to_numpy() * 35 * 0.4
    )
    assert table["energy_gwh"].to_numpy() == pytest.approx(
        (table["capacity_mw"] * table["yield_kwh_per_kwp"] / 1e3).to_numpy()
    )
    assert (table["energy_gwh_p90"] < table["energy_gwh"]).all()


def test_distances_are_those_from_the_outline(table):
    """Against shapely in a plane at the site: a few metres in a hundred kilometres."""
    from layers.catalogue import load

    towns = load("places")
    towns = towns[towns["population"] >= 10000]
    for i in range(3):
        row = table.iloc[i]
        lon, lat = row.geometry.centroid.x, row.geometry.centroid.y
        plane = f"+proj=aeqd +lon_0={lon} +lat_0={lat} +datum=WGS84"
        here = gpd.GeoSeries([row.geometry], crs=4326).to_crs(plane).iloc[0]
        away = towns.geometry.to_crs(plane).distance(here)
        assert row["town_km"] * 1e3 == pytest.approx(away.min(), abs=30)
        nearest = towns.loc[away.idxmin()]
        assert row["town_name"] == nearest["name"]
        reach = nearest["uncertainty_m"] / 1e3
        assert row["town_max_km"] == pytest.approx(row["town_km"] + reach)
        assert row["town_min_km"] == pytest.approx(max(0, row["town_km"] - reach))
    assert "coast_min_km" not in table  # its place is not said to be uncertain


def test_reasons_say_what_the_numbers_say(table):
    first = table.iloc[0]
    assert f"{first['ghi_kwh_per_m2']:,.0f} kWh/m² a year" in first["reasons"]
    assert f"Score {first['score']:.2f}, from" in first["reasons"]
    assert first["town_name"] in first["reasons"]
    assert "Synthetic" not in " ".join(table["reasons"] + table["note"])


def test_made_up_terrain_is_said_everywhere(world, tmp_path):
    plan = write_plan(
        tmp_path, MADE_UP, ("keep = 200", "keep = 3"), ("top_n = 10", "top_n = 2")
    )
    found = sites(plan, data=world, draws=10, reruns=False)
    assert found.synthetic
    assert found.title.startswith("Synthetic terrain: ")
    assert found.method["synthetic"]
    for column in ("name", "note", "reasons"):
        assert found.table[column].str.contains("ynthetic terrain").all()
    named = found.table["name_ko"] != ""
    assert found.table["name_ko"][named].str.contains("ynthetic").all()


def test_every_input_is_recorded_with_its_terms(found):
    by_name = {entry["name"]: entry for entry in found.inputs}
    assert set(by_name) == {
        *("elevation", "land_cover", "ghi"),
        *("coast", "border", "crossing", "plant", "town", "region"),
    }
    for entry in found.inputs:
        assert entry["source"]
        assert entry["licence"]
        assert entry["url"]
    tiles = by_name["elevation"]["files"]
    assert tiles[0]["name"].startswith("Copernicus_DSM_COG_10_N38_00_E124")
    assert len(tiles[0]["sha256"]) == 64
    assert "road" in found.method["left_out"]

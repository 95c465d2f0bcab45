"""Names by script, radii by population, and the shipped places."""

import pandas as pd
import pytest

from layers.rebuild.base_map import CORE
from layers.rebuild.geonames import (
    COLUMNS,
    LARGE_POPULATION,
    chinese_name,
    korean_name,
    town_radius_m,
)
from layers.rebuild.recipes import DATA


@pytest.fixture(scope="module")
def places():
    return pd.read_csv(
        DATA / "places.csv", keep_default_na=False, dtype={"admin1": str}
    )


@pytest.mark.parametrize(
    ("name", "alternates", "expected"),
    [
        ("Sinŭiju", ["신의주", "신의주시"], "신의주"),
        ("Hŭngnam", ["흥람"], ""),
        ("Ryonggang-ŭp", ["룡강읍", "용강읍"], "룡강"),
        ("Pyongyang", ["평양", "평양직할시", "Pyongyang", "平壤"], "평양"),
        ("Hamhŭng", [], ""),
    ],
)
def test_korean_name(name, alternates, expected):
    assert korean_name(name, alternates, romanised=True) == expected


@pytest.mark.parametrize(
    ("alternates", "expected"),
    [
        (["威海", "威海市"], "威海"),
        (["崖头", "崖头街道", "荣成", "荣成市"], "荣成"),
        (["沈阳", "沈阳市", "瀋陽", "奉天"], "沈阳"),
        (["停車洞", "鹽州邑"], ""),
        (["首尔特别市"], "首尔"),
        (["甲乙", "丙丁"], ""),
    ],
)
def test_chinese_name(alternates, expected):
    assert chinese_name(alternates) == expected


def test_radius_grows_with_population():
    sizes = [1, 49_999, 50_000, 200_000, 500_000, 700_000, 2_000_000, 4_000_000]
    radii = [town_radius_m(size) for size in sizes]
    assert radii == [2000, 2000, 3000, 4000, 6000, 8000, 12000, 15000]
    assert town_radius_m(0) == 3000


def test_shipped_table_is_whole(places):
    assert tuple(places.columns) == COLUMNS
    assert len(places) < 400
    assert (places["country"] == "KP").sum() == 127
    assert places["id"].is_unique
    assert places["geonames_id"].is_monotonic_increasing
    assert places["uncertainty_m"].between(2000, 15000).all()
    assert (places["sources"] == "geonames").all()
    west, south, east, north = CORE
    assert places["lon"].between(west, east).all()
    assert places["lat"].between(south, north).all()


def test_far_foreign_places_are_large(places):
    far = places[(places["country"] == "CN") & (places["lon"] < 123.5)]
    assert len(far) > 10
    assert (far["population"].astype(int) >= LARGE_POPULATION).all()


@pytest.mark.parametrize(
    ("geonames_id", "name_ko", "name_zh"),
    [
        (1871859, "평양", "平壤"),
        (2040893, "신의주", "新义州"),
        (2037886, "단둥", "丹东"),
        (2034937, "", "沈阳"),
        (1878389, "정주", ""),
    ],
)
def test_names_of_the_report(places, geonames_id, name_ko, name_zh):
    row = places.set_index("geonames_id").loc[geonames_id]
    assert (row["name_ko"], row["name_zh"]) == (name_ko, name_zh)


def test_misplaced_population_is_pointed_out(places):
    row = places.set_index("geonames_id").loc[1879490]
    assert "do not use" in row["note"]

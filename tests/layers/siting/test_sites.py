"""The plan that ships, run whole on tiny files of the real names and layout."""

import geopandas.testing
import numpy as np
import pandas as pd
import pytest

from geo.errors import CriteriaError
from layers.siting.files import about_sites
from layers.siting.sites import DRAWS
from layers.siting.tornado import COLUMNS
from layers.solar import sites
from tests.pyongan import write_plan, write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def found(world):
    return sites("pyongan", data=world, draws=2000, seed=4)


def test_the_same_seed_gives_the_same_whatever_the_threads(world, found):
    again = sites("pyongan", data=world, draws=2000, seed=4, threads=1)
    geopandas.testing.assert_geodataframe_equal(again.table, found.table)
    assert about_sites(again) == about_sites(found)


def test_another_seed_moves_the_probabilities_and_nothing_else(world, found):
    other = sites("pyongan", data=world, draws=2000, seed=5)
    moved = ["top_probability", "rank_low", "rank_high"]
    assert not other.table[moved].equals(found.table[moved])
    pd.testing.assert_frame_equal(
        pd.DataFrame(other.table.drop(columns=[*moved, "geometry"])),
        pd.DataFrame(found.table.drop(columns=[*moved, "geometry"])),
    )


def test_probabilities_are_ones(found):
    table = found.table
    # Their sum is not n: sites that grow into one in another search are first together.
    assert table["top_probability"].between(0, 1).all()
    assert (table["rank_low"] <= table["rank_high"]).all()


def test_without_reruns_the_probabilities_sum_to_n(world):
    found = sites("pyongan", data=world, draws=500, reruns=False)
    assert found.table["top_probability"].sum() == pytest.approx(10)
    assert len(found.ranks["scenarios"]) == 1
    assert found.ranks["scenarios"][0]["draws"] == 500
    assert not found.tornado["assumption"].str.contains("slope_deg.max").any()
    assert "not run again" in found.method["ranks"]


def test_every_search_that_was_run_is_told(found):
    told = found.ranks["scenarios"]
    assert [s["label"] for s in told] == [
        "as planned",
        *(f"limits drawn, {n}" for n in range(1, 5)),
        "cells 2 times as wide",
    ]
    assert sum(s["draws"] for s in told) == 2000
    assert told[0]["matched"] == len(found.table)
    assert all(0 < s["matched"] <= len(found.table) for s in told)


def test_the_tornado_goes_from_what_matters_most_to_least(found):
    tornado = found.tornado
    assert tuple(tornado.columns) == COLUMNS
    assert tornado["effect"].is_monotonic_decreasing
    assert set(tornado["assumption"]) == {
        *("capacity.density_mwp_per_km2", "capacity.usable_fraction"),
        *("irradiance.bias", "slope_deg.max", "coast_m.min", "elevation.max"),
        *("sites.min_km2", "grid.resolution"),
        *(f"weight.{name}" for name in ("slope_deg", "land_cover", "ghi")),
        *("weight.plant_m", "weight.town_m"),
    }
    first = found.table.head(10)
    planned = first["energy_gwh"].sum()
    assert tornado["outcome_planned"].to_numpy() == pytest.approx(planned)
    by_name = tornado.set_index("assumption")
    land = by_name.loc["capacity.density_mwp_per_km2"]
    assert land["outcome_low"] == pytest.approx(planned * 35 / 50)
    assert land["outcome_high"] == pytest.approx(planned * 75 / 50)
    assert land["capacity_high_gw"] == pytest.approx(
        first["capacity_mw"].sum() / 1e3 * 75 / 50
    )
    assert (land["top_n_kept_low"], land["top_n_kept_high"]) == (10, 10)
    sun = by_name.loc["irradiance.bias"]
    assert sun["outcome_low"] < planned < sun["outcome_high"]
    coarse = by_name.loc["grid.resolution"]
    assert np.isnan(coarse["outcome_low"])
    assert coarse["top_n_kept_low"] is pd.NA


def test_a_limit_is_taken_by_a_search_of_its_own(world, found, tmp_path):
    """What the tornado says of a limit is what a plan with that limit gives."""
    plan = write_plan(
        tmp_path,
        ("max = 5\nscore = { down", "max = 8\nscore = { down"),
    )
    other = sites(plan, data=world, draws=1, reruns=False)
    row = found.tornado.set_index("assumption").loc["slope_deg.max"]
    assert row["high"] == 8
    assert row["outcome_high"] == pytest.approx(
        other.table.head(10)["energy_gwh"].sum()
    )
    assert row["capacity_high_gw"] == pytest.approx(
        other.table.head(10)["capacity_mw"].sum() / 1e3
    )


def test_both_readings_of_the_claim_are_answered(found):
    by_key = {(p.reading, p.land_use): p for p in found.portfolios}
    for reading, target in (("A", 2500.0), ("B", 912.5)):
        for use in ("low", "mid", "high"):
            assert by_key[reading, use].target == pytest.approx(target)
    held = by_key["A", "mid"]
    first = found.table[found.table["id"].isin(held.sites)]
    assert first["rank"].tolist() == list(range(1, len(held.sites) + 1))
    assert first["capacity_mw"].sum() == pytest.approx(held.capacity_mw)


def test_where_nothing_passes_all_is_said_with_an_empty_table(world, tmp_path):
    plan = write_plan(
        tmp_path,
        ("min = 20000\n", "min = 20000\nmax = 20001\n"),
        ("low = 10000\nhigh = 30000", "low = 20000\nhigh = 20001"),
    )
    found = sites(plan, data=world, draws=10)
    assert found.table.empty
    assert found.totals["sites"] == 0
    assert found.totals["cells"] > 0
    assert [p.possible for p in found.portfolios] == [False] * 9
    assert {"id", "capacity_mw", "top_probability", "reasons"} <= set(found.table)


def test_few_are_described_and_all_are_ranked(world, found):
    few = sites("pyongan", data=world, keep=3, draws=300, reruns=False)
    assert len(few.table) == 3
    assert few.totals["sites"] == found.totals["sites"]
    assert few.ranks["top_n"] == 3
    assert few.table["score"].tolist() == found.table["score"].tolist()[:3]


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"draws": 0}])
def test_numbers_that_make_no_sense_are_refused(world, wrong):
    with pytest.raises(CriteriaError, match="expected 1 or more"):
        sites("pyongan", data=world, **wrong)


def test_progress_rises_to_its_end_and_can_stop_the_work(world):
    told = []
    sites(
        "pyongan",
        data=world,
        keep=2,
        draws=10,
        reruns=False,
        progress=lambda done, whole: told.append((done, whole)),
    )
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]

    def stop(_done, _whole):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sites("pyongan", data=world, progress=stop)


def test_ten_thousand_draws_unless_asked_otherwise():
    assert DRAWS == 10_000

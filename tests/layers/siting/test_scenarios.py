"""Searches run again: which sites are the same, and how ranks come out."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from geo.raster import Grid
from layers.ranges import Range
from layers.siting.plan import read_plan
from layers.siting.ranks import draw_weights, rank_draws
from layers.siting.scenarios import (
    Scenario,
    bias_of,
    matched,
    memberships,
    rank_over,
    scenarios,
)

PLAN = read_plan("pyongan").without(["road"])
SCORED = [c.id for c in PLAN.criteria if c.weight]


def searched(scores, *, labels=None, cells=None, common=()):
    """A search with one row a site; ``common`` is what it shares with any other."""
    n = len(scores)
    table = pd.DataFrame(
        {
            "label": labels or list(range(1, n + 1)),
            "cells": cells or [100] * n,
            "area_m2": np.array(cells or [100] * n) * 900.0,
            "mean_ghi": np.linspace(1350, 1450, n) if n else [],
            **{f"score_{name}": scores for name in SCORED},
        }
    )
    rows = pd.DataFrame(common, columns=["label_self", "label_other", "cells"])
    return SimpleNamespace(table=table, overlap=lambda _: rows)


def test_a_site_is_the_one_with_which_it_shares_most():
    base = searched([0.9, 0.8, 0.7], common=[(1, 2, 60), (1, 1, 40), (2, 3, 10)])
    other = searched([0.9, 0.8, 0.7])
    # The third shares nothing, the second a tenth of the smaller: both are gone.
    assert matched(base, other, described=3).tolist() == [1, -1, -1]
    assert matched(base, other, described=1).tolist() == [1]
    assert matched(base, searched([]), described=3).tolist() == [-1, -1, -1]


def test_a_site_that_grew_or_shrank_is_still_itself():
    base = searched([0.9, 0.8], cells=[100, 100], common=[(1, 1, 100), (2, 2, 30)])
    other = searched([0.9, 0.8], cells=[900, 30])
    assert matched(base, other, described=2).tolist() == [0, 1]


def test_on_coarser_cells_areas_are_compared_not_counts():
    base = searched([0.9], cells=[100], common=[(1, 1, 80)])
    other = searched([0.9], cells=[25])
    other.table["area_m2"] = [25 * 3600.0]
    assert matched(base, other, described=1).tolist() == [0]


def test_memberships_are_in_the_order_of_the_weights():
    table, weights = memberships(searched([0.2, 0.4]), PLAN)
    assert table.shape == (2, len(SCORED))
    assert weights.sum() == pytest.approx(1)
    bias = bias_of(searched([0.2, 0.4]), PLAN, np.ones(3))
    assert SCORED[bias.column] == "ghi"


def varied(low=1.0, high=1.0):
    return replace(PLAN, bias=Range(low=low, mid=1.0, high=high, unit=""))


def test_draws_are_shared_out_and_a_site_that_is_gone_is_last():
    base, other = searched([0.9, 0.8, 0.7]), searched([0.9, 0.8])
    every = (
        Scenario(label="plan", changes={}, found=base, match=np.arange(3)),
        Scenario(label="x", changes={}, found=other, match=np.array([1, 0, -1])),
    )
    ranks, shared = rank_over(every, varied(), draws=101, seed=3)
    assert shared == (51, 50)
    # Every criterion has one order, so weights do not matter: 51 times 1, 2, 3 and
    # 50 times 2, 1, gone.
    assert ranks.low.tolist() == [1, 1, 3]
    assert ranks.high.tolist() == [2, 2, 3]
    assert ranks.draws == 101


def test_the_draws_of_one_search_are_those_of_its_own_stream():
    rng = np.random.default_rng(8)
    base = searched([0.0] * 12)
    for name in SCORED:
        base.table[f"score_{name}"] = rng.random(12)
    plan = replace(varied(), sites=replace(PLAN.sites, top_n=3))
    one = Scenario(label="plan", changes={}, found=base, match=np.arange(12))
    ranks, _ = rank_over((one,), plan, draws=300, seed=5)
    table, weights = memberships(base, plan)
    drawn = draw_weights(
        weights, spread=0.3, draws=300, rng=np.random.default_rng([5, 1, 0])
    )
    expected = rank_draws(table, drawn)
    assert ranks.top.tolist() == (expected <= 3).sum(axis=0).tolist()
    again, _ = rank_over((one,), plan, draws=300, seed=5)
    assert again.top.tolist() == ranks.top.tolist()
    other, _ = rank_over((one,), plan, draws=300, seed=6)
    assert other.top.tolist() != ranks.top.tolist()


def test_each_search_has_draws_of_its_own():
    rng = np.random.default_rng(8)
    base = searched([0.0] * 30)
    for name in SCORED:
        base.table[f"score_{name}"] = rng.random(30)
    one = Scenario(label="plan", changes={}, found=base, match=np.arange(30))
    twice, _ = rank_over((one, one), varied(), draws=200, seed=5)
    alone, _ = rank_over((one,), varied(), draws=100, seed=5)
    # The same search again with the same draws would just double the counts.
    assert twice.top.tolist() != (2 * alone.top).tolist()


def test_limits_are_drawn_within_their_ranges_and_cells_made_coarser():
    asked = []

    def find(siting, keep):
        asked.append((siting, keep))
        return searched([0.9])

    from geo.raster.siting import Siting

    grid = Grid.over((125.0, 39.0, 125.25, 39.15), 0.01)
    siting = stand_in(grid, PLAN.criteria)
    prepared = SimpleNamespace(plan=PLAN, siting=siting)
    every = scenarios(prepared, searched([0.9]), described=1, seed=1, find=find)
    assert Siting.__dataclass_fields__.keys() >= siting.__dataclass_fields__.keys()
    assert len(every) == 1 + 4 + 1
    for scenario in every[1:5]:
        assert set(scenario.changes) == {
            *("slope_deg.max", "coast_m.min", "elevation.max", "sites.min_km2")
        }
        assert 4 <= scenario.changes["slope_deg.max"] <= 8
    assert len({s.changes["slope_deg.max"] for s in every[1:5]}) == 4
    assert every[5].changes == {"cells": 2.0}
    drawn, _ = asked[0]
    by_id = {c.id: c for c in drawn.criteria}
    assert by_id["slope_deg"].maximum == every[1].changes["slope_deg.max"]
    assert by_id["coast_m"].minimum == every[1].changes["coast_m.min"]
    assert drawn.min_area_m2 == every[1].changes["sites.min_km2"] * 1e6
    coarse, _ = asked[4]
    assert (coarse.grid.dx, coarse.grid.shape) == (0.02, (8, 13))
    assert (coarse.grid.west, coarse.grid.north) == (grid.west, grid.north)
    again = scenarios(prepared, searched([0.9]), described=1, seed=1, find=find)
    assert [s.changes for s in again] == [s.changes for s in every]


def stand_in(grid, criteria):
    """The parts of a search that are changed."""
    from dataclasses import make_dataclass

    kind = make_dataclass(
        "Siting", ["grid", "criteria", "min_area_m2", "max_shape_index"], frozen=True
    )
    return kind(grid, criteria, 1e6, 15.0)

"""How far ranks are to be trusted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geo.errors import CriteriaError
from layers.siting import ranks
from layers.siting.ranks import (
    Bias,
    draw_weights,
    moved,
    percentiles,
    rank_draws,
    summarise,
)

RISING = ((1000.0, 0.0), (1500.0, 1.0))

grades = st.integers(0, 8).map(lambda v: v / 8)  # ties are common


def tables():
    """Memberships of a few sites by a few criteria."""
    return st.tuples(st.integers(1, 12), st.integers(1, 4)).flatmap(
        lambda shape: hnp.arrays(float, shape, elements=grades)
    )


def brute_force(memberships, weights):
    """Ranks by sorting each draw in plain Python, ties in the order of the table."""
    out = []
    for row in weights.tolist():
        scores = []
        for site in memberships.tolist():
            score = 0.0
            for weight, value in zip(row, site, strict=True):
                score += weight * value
            scores.append(score)
        order = sorted(range(len(scores)), key=lambda i: (-round(scores[i], 12), i))
        rank = [0] * len(scores)
        for place, site in enumerate(order, start=1):
            rank[site] = place
        out.append(rank)
    return np.array(out)


@given(tables(), st.integers(0, 2**32 - 1))
def test_ranks_are_those_of_sorting_each_draw(memberships, seed):
    rng = np.random.default_rng(seed)
    weights = draw_weights(np.ones(memberships.shape[1]), spread=0.5, draws=7, rng=rng)
    weights = np.round(weights * 64) / 64  # sums without rounding: ties are ties
    expected = brute_force(memberships, weights)
    assert rank_draws(memberships, weights).tolist() == expected.tolist()


def test_the_summary_is_that_of_a_loop_over_all_draws():
    rng = np.random.default_rng(5)
    memberships = rng.random((40, 5))
    weights = draw_weights(np.arange(1.0, 6), spread=0.4, draws=501, rng=rng)
    expected = brute_force(memberships, weights)
    found = summarise(memberships, weights, top_n=5)
    assert found.top.tolist() == (expected <= 5).sum(axis=0).tolist()
    ordered = np.sort(expected, axis=0)
    assert found.low.tolist() == ordered[25].tolist()
    assert found.high.tolist() == ordered[475].tolist()
    assert found.draws == 501


def test_the_cuts_of_the_work_do_not_show(monkeypatch):
    rng = np.random.default_rng(1)
    memberships = rng.random((50, 3))
    weights = draw_weights(np.ones(3), spread=0.3, draws=200, rng=rng)
    whole = summarise(memberships, weights, top_n=5)
    monkeypatch.setattr(ranks, "_CHUNK", 64)
    monkeypatch.setattr(ranks, "_STORED", 1000)
    parts = summarise(memberships, weights, top_n=5)
    for name in ("top", "low", "high"):
        assert getattr(whole, name).tolist() == getattr(parts, name).tolist()


@given(st.integers(0, 1000), st.floats(0.01, 100))
def test_the_scale_of_the_weights_does_not_matter(seed, factor):
    weights = np.array([1.0, 2.0, 0.5])
    one = draw_weights(weights, spread=0.3, draws=5, rng=np.random.default_rng(seed))
    other = draw_weights(
        weights * factor, spread=0.3, draws=5, rng=np.random.default_rng(seed)
    )
    assert other == pytest.approx(one)
    assert one.sum(axis=1) == pytest.approx(1)


@given(st.integers(0, 1000))
@settings(max_examples=30)
def test_the_order_of_the_sites_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    memberships = rng.random((30, 4))
    weights = draw_weights(np.ones(4), spread=0.5, draws=50, rng=rng)
    order = rng.permutation(30)
    one = summarise(memberships, weights, top_n=3)
    other = summarise(memberships[order], weights, top_n=3)
    assert other.top.tolist() == one.top[order].tolist()
    assert other.high.tolist() == one.high[order].tolist()


def test_in_each_draw_exactly_n_are_among_the_first():
    rng = np.random.default_rng(2)
    weights = draw_weights(np.ones(3), spread=1, draws=300, rng=rng)
    found = summarise(np.zeros((20, 3)), weights, top_n=7)
    assert found.top.tolist() == [300] * 7 + [0] * 13


def test_drawn_weights_keep_their_median_ratio_and_their_zeros():
    drawn = draw_weights(
        np.array([2.0, 1.0, 0.0]), spread=0.3, draws=20001, rng=np.random.default_rng(0)
    )
    assert np.median(drawn[:, 0] / drawn[:, 1]) == pytest.approx(2, rel=0.02)
    spread = np.log(drawn[:, 0] / drawn[:, 1]).std()
    assert spread == pytest.approx(0.3 * np.sqrt(2), rel=0.02)
    assert not drawn[:, 2].any()


def test_without_spread_the_ranks_are_those_of_the_score():
    rng = np.random.default_rng(4)
    memberships = rng.random((25, 3))
    weights = draw_weights(np.array([3.0, 1, 1]), spread=0, draws=3, rng=rng)
    found = summarise(memberships, weights, top_n=4)
    order = np.argsort(-(memberships @ [0.6, 0.2, 0.2]))
    assert found.low[order].tolist() == list(range(1, 26))
    assert found.high.tolist() == found.low.tolist()


def test_a_bias_moves_the_membership_of_its_own_measure():
    membership = np.array([0.2, 0.7, 0.99])
    measure = np.array([1100.0, 1350.0, 1495.0])
    assert moved(membership, measure, RISING, 1.0) == pytest.approx(membership)
    up = moved(membership, measure, RISING, 1.02)
    assert up == pytest.approx([0.2 + 22 / 500, 0.7 + 27 / 500, 1.0])
    # A site whose cells differ keeps what its mean does not tell.
    uneven = moved(np.array([0.4]), np.array([1100.0]), RISING, 1.02)
    assert uneven == pytest.approx([0.4 + 22 / 500])
    bias = Bias(column=1, measure=measure, points=RISING, factors=np.array([1, 0.7]))
    weights = np.array([[0.5, 0.5], [0.5, 0.5]])
    memberships = np.column_stack([[1.0, 0.6, 0.2], membership])
    found = rank_draws(memberships, weights, bias=bias)
    # Scores 0.6, 0.65, 0.595; with 30 % less sun: 0.5, 0.3, 0.1 and a bit.
    assert found.tolist() == [[2, 1, 3], [1, 2, 3]]


def test_only_the_asked_rows_are_reported():
    rng = np.random.default_rng(9)
    memberships = rng.random((15, 2))
    weights = draw_weights(np.ones(2), spread=0.3, draws=40, rng=rng)
    rows = np.array([3, 0, 11])
    every = rank_draws(memberships, weights)
    assert rank_draws(memberships, weights, rows=rows).tolist() == (
        every[:, rows].tolist()
    )


def test_a_single_draw_is_its_own_percentile():
    found = percentiles(np.array([[3, 70000]]), top_n=3)
    assert (found.low.tolist(), found.high.tolist()) == ([3, 70000], [3, 70000])
    assert found.top.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("memberships", "weights", "said"),
    [
        (np.zeros((3, 2)), np.zeros((4, 3)), "a column a criterion"),
        (np.full((3, 2), np.nan), np.full((4, 2), 0.5), "membership is outside"),
        (np.full((3, 2), 1.1), np.full((4, 2), 0.5), "membership is outside"),
        (np.zeros((3, 2)), np.full((4, 2), -1.0), "weight is outside"),
    ],
)
def test_what_cannot_be_ranked_is_refused(memberships, weights, said):
    with pytest.raises(CriteriaError, match=said):
        rank_draws(memberships, weights)


@pytest.mark.parametrize(
    ("weights", "spread", "said"),
    [
        ([0.0, 0.0], 0.3, "one above zero"),
        ([1.0, -1.0], 0.3, "0 or more"),
        ([1.0, np.nan], 0.3, "0 or more"),
        ([1.0, 1.0], -0.1, "spread of weights"),
    ],
)
def test_what_cannot_be_drawn_is_refused(weights, spread, said):
    with pytest.raises(CriteriaError, match=said):
        draw_weights(
            np.array(weights), spread=spread, draws=1, rng=np.random.default_rng(0)
        )

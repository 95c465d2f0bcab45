"""Classes: breaks as mapclassify has them, colours that all eyes tell apart."""

from itertools import combinations, pairwise

import mapclassify
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.symbology import DARK, LIGHT, contrast
from maps.classes import (
    MOST_CLASSES,
    NONE,
    PALETTES,
    classify,
    colours,
    told_apart,
)
from maps.page import PageError

GROUNDS = (
    [LIGHT[ground] for ground in ("land", "sea")],
    [DARK[ground] for ground in ("land", "sea")],
)


@pytest.mark.parametrize("palette", PALETTES)
@pytest.mark.parametrize("count", range(2, MOST_CLASSES + 1))
def test_colours_stand_off_the_ground_and_from_each_other(palette, count):
    if palette == "diverging" and count > 7:
        pytest.skip("two hues and a middle do not give eight")
    for side, grounds in enumerate(GROUNDS):
        own = [pair[side] for pair in colours(palette, count)]
        assert len(own) == count
        for colour in [*own, NONE[side]]:
            assert min(contrast(colour, ground) for ground in grounds) >= 3
        pairs = combinations(own, 2) if palette == "categories" else pairwise(own)
        least = min(min(told_apart(a, b).values()) for a, b in pairs)
        assert least > (20 if palette == "categories" else 4)


def test_sight_tells_some_colours_apart_that_others_do_not():
    red, olive = "#d40000", "#667c00"
    apart = told_apart(red, olive)
    assert apart["all cones"] > 3 * apart["no medium cones"]
    assert max(told_apart(red, red).values()) == 0


@settings(max_examples=40)
@given(
    st.lists(st.integers(-(10**6), 10**6), min_size=9, max_size=80, unique=True),
    st.integers(2, 8),
    st.sampled_from(["Quantiles", "EqualInterval"]),
)
def test_breaks_are_those_of_mapclassify(values, k, method):
    array = np.array(values, float)
    scheme = {"Quantiles": "quantiles", "EqualInterval": "equal-interval"}[method]
    found = classify(pd.Series(array, name="v"), scheme=scheme, k=k)
    assert sum(one.count for one in found.classes) == len(array)
    theirs = getattr(mapclassify, method)(array, k=k)
    np.testing.assert_allclose(found.upper, theirs.bins, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    "scheme",
    [
        "quantiles",
        "equal-interval",
        "natural-breaks",
        "standard-deviation",
        "head-tail",
    ],
)
def test_each_value_is_in_the_class_that_says_so(scheme):
    values = np.random.default_rng(4).lognormal(3, 1, 3000)
    values[::100] = np.nan
    found = classify(pd.Series(values, name="cap_mw"), scheme=scheme)
    assert found.unit == "MW"
    ends = np.array([-np.inf, *found.upper])
    held = np.isfinite(values)
    place = found.places[held]
    assert (values[held] > ends[place]).all()
    assert (values[held] <= ends[place + 1]).all()
    assert found.classes[-1].label == "no value"
    assert [one.count for one in found.classes] == np.bincount(found.places).tolist()


def test_rare_texts_are_put_together():
    texts = [f"k{i}" for i in range(12) for _ in range(20 - i)] + [None]
    found = classify(pd.Series(texts, name="kind"))
    assert [one.label for one in found.classes] == [
        *(f"k{i}" for i in range(7)),
        "5 other texts",
        "no value",
    ]
    assert found.classes[-2].colours == NONE
    assert found.categories["k11"] == 7
    assert len(found.places) == len(texts)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([5.0, 5.0], ["5"]),
        ([np.nan, np.inf], ["no value"]),
        ([], []),
        ([1, 2], ["1–1.5", "1.5–2"]),
        ([True, False, True], ["True", "False"]),
        ([1000001, 1000002, 1000003], ["1,000,001–1,000,002", "1,000,002–1,000,003"]),
    ],
)
def test_few_values_give_few_classes(values, labels):
    found = classify(pd.Series(values, name="v"), k=2)
    assert [one.label for one in found.classes] == labels


def test_texts_are_not_classed_as_numbers():
    with pytest.raises(PageError, match="wants numbers"):
        classify(pd.Series(["a"], name="v"), scheme="quantiles")

"""Criteria as data, and the scores they give."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import CriteriaError
from geo.raster import evaluate, parse_criteria

WHY = {"label": "x", "unit": "m", "reason": "because", "source": "our judgement"}


def entry(**keys):
    return {"id": "relief", **WHY, **keys}


@given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
def test_memberships_lie_between_zero_and_one_and_do_what_they_say(values):
    measure = np.array([*values, np.nan])
    for shape, corners in (
        ("up", [10, 20]),
        ("down", [10, 20]),
        ("trapezoid", [0, 10, 20, 30]),
    ):
        (criterion,) = parse_criteria([entry(score={shape: corners}, weight=1)])
        score = criterion.score(measure)
        assert np.isnan(score[-1])
        assert ((score[:-1] >= 0) & (score[:-1] <= 1)).all()
    (up,) = parse_criteria([entry(score={"up": [10, 20]}, weight=1)])
    (down,) = parse_criteria([entry(score={"down": [10, 20]}, weight=1)])
    np.testing.assert_allclose(
        up.score(measure)[:-1] + down.score(measure)[:-1], 1, atol=1e-12
    )


@given(st.floats(0.01, 100))
def test_only_the_ratio_of_weights_counts(factor):
    measures = {"relief": np.array([5.0, 15.0]), "cover": np.array([10.0, 12.0])}

    def judged(scale):
        return evaluate(
            parse_criteria(
                [
                    entry(score={"down": [0, 20]}, weight=3 * scale),
                    entry(id="cover", classes={"10": 1.0, "12": 0.5}, weight=scale),
                ]
            ),
            measures,
        )

    one, other = judged(1), judged(factor)
    np.testing.assert_allclose(one.score, [0.75 * 0.75 + 0.25, 0.25 * 0.75 + 0.125])
    np.testing.assert_allclose(one.score, other.score)
    np.testing.assert_allclose(sum(one.shares.values()), one.score)


def test_bounds_classes_and_missing_values_exclude():
    criteria = parse_criteria(
        [
            entry(min=10, max=20, score={"up": [10, 20]}, weight=1),
            entry(id="cover", classes={"10": 1.0}),
        ]
    )
    measures = {
        "relief": np.array([10.0, 20, 9.9, 20.1, np.nan, 15, 15]),
        "cover": np.array([10.0, 10, 10, 10, 10, 11, np.nan]),
    }
    got = evaluate(criteria, measures)
    assert got.eligible.tolist() == [True, True, False, False, False, False, False]
    np.testing.assert_array_equal(np.isnan(got.score), ~got.eligible)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"wieght": 1}, r"criteria\[0\]\.wieght: unknown key; did you mean 'weight'"),
        ({"zzz": 1}, "unknown key; known: id, label"),
        ({"reason": " "}, r"criteria\[0\]\.reason: expected a text"),
        ({"unit": 3}, r"\.unit: expected a text, got 3"),
        ({"min": "20"}, r"\.min: expected a number, got '20'"),
        ({"min": True}, "expected a number"),
        ({"max": float("nan")}, "expected a number"),
        ({"min": 5, "max": 1}, "above max"),
        ({"score": {"up": [20, 10]}}, r"score\.up: expected 2 rising numbers"),
        ({"score": {"up": [1, 2, 3]}}, "expected 2 rising numbers"),
        ({"score": {"upp": [1, 2]}}, "expected one of up, down, trapezoid"),
        ({"score": {"up": [1, 2]}, "weight": -1}, "out of range"),
        ({"min": 1, "weight": 1}, "without a score"),
        ({"classes": {"ten": 1.0}}, r"classes\.ten: expected a class code"),
        (
            {"classes": {"10": 2.0}},
            r"classes\.10: 2.0 is out of range; expected 0 to 1",
        ),
        ({"classes": {}}, "expected a table"),
        ({"classes": {"1": 1.0}, "score": {"up": [1, 2]}}, "carry their own scores"),
        ({}, "at least one of min, max, classes, score"),
    ],
)
def test_a_wrong_criterion_names_key_and_what_was_expected(wrong, said):
    with pytest.raises(CriteriaError, match=said):
        parse_criteria([entry(**wrong)])


def test_missing_key_doubled_id_and_no_table():
    broken = entry(min=1)
    del broken["source"]
    with pytest.raises(CriteriaError, match=r"criteria\[0\]\.source: missing"):
        parse_criteria([broken])
    with pytest.raises(
        CriteriaError, match=r"criteria\[1\]\.id: 'relief' stands twice"
    ):
        parse_criteria([entry(min=1), entry(min=2)])
    for nothing in ([], "relief", {"id": "relief"}):
        with pytest.raises(CriteriaError, match="one table or more"):
            parse_criteria(nothing)
    with pytest.raises(CriteriaError, match=r"criteria\[0\]: expected a table"):
        parse_criteria(["relief"])


def test_what_cannot_be_evaluated():
    one = parse_criteria([entry(score={"up": [1, 2]}, weight=1)])
    with pytest.raises(
        CriteriaError, match="'relief' has no measure here; there are x"
    ):
        evaluate(one, {"x": np.ones(2)})
    with pytest.raises(CriteriaError, match="no criterion has a weight"):
        evaluate(parse_criteria([entry(min=1)]), {"relief": np.ones(2)})
    two = parse_criteria([entry(score={"up": [1, 2]}, weight=1), entry(id="y", min=1)])
    with pytest.raises(CriteriaError, match="differ in shape"):
        evaluate(two, {"relief": np.ones(2), "y": np.ones(3)})

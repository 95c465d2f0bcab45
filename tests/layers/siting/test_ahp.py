"""Weights from comparisons in pairs."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.errors import CriteriaError
from layers.siting.ahp import weigh

CHAIRS = ["nine yards", "fifteen", "twenty-one", "twenty-eight"]


def upper(*rows):
    """Pairs of the upper triangle of a matrix, row by row."""
    numbers = [number for row in rows for number in row]
    return [
        (a, b, times)
        for (a, b), times in zip(combinations(CHAIRS, 2), numbers, strict=True)
    ]


def test_weights_are_those_of_saatys_chairs():
    """Saaty 1977, two judges of the light on four chairs: λ 4.39 and 4.10."""
    first = weigh(CHAIRS, upper((5, 6, 7), (4, 6), (4,)), most=0.2)
    assert first.eigenvalue == pytest.approx(4.39, abs=0.005)
    assert list(first.weights.values()) == pytest.approx(
        [0.61, 0.24, 0.10, 0.05], abs=0.01
    )
    second = weigh(CHAIRS, upper((4, 6, 7), (3, 4), (2,)))
    assert second.eigenvalue == pytest.approx(4.10, abs=0.005)
    assert list(second.weights.values()) == pytest.approx(
        [0.62, 0.22, 0.10, 0.06], abs=0.01
    )
    assert second.ratio == pytest.approx((4.1022 - 4) / 3 / 0.90, abs=1e-4)


def test_contradictions_are_refused_and_the_worst_pair_is_named():
    pairs = upper((1, 1, 1), (1, 9), (1,))
    with pytest.raises(CriteriaError, match=r"ratio 0\.\d+.*'fifteen' against"):
        weigh(CHAIRS, pairs)
    # The first judge's comparisons are above Saaty's own bound.
    with pytest.raises(CriteriaError, match=r"0\.14, expected 0\.10"):
        weigh(CHAIRS, upper((5, 6, 7), (4, 6), (4,)))


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([("a", "b", 2)], "missing: a with c; b with c"),
        ([("a", "b", 2), ("b", "a", 2)], "'b' is compared with 'a' twice"),
        ([("a", "a", 1)], "compared with itself"),
        ([("a", "d", 2)], "'d' is not among a, b, c"),
        ([("a", "b", 10)], "expected 1/9 to 9"),
        ([("a", "b", float("nan"))], "expected 1/9 to 9"),
    ],
)
def test_what_is_no_set_of_comparisons_is_refused(pairs, said):
    with pytest.raises(CriteriaError, match=said):
        weigh(["a", "b", "c"], pairs)


@pytest.mark.parametrize("names", [["a"], [], ["a", "a"], list("abcdefghijk")])
def test_two_to_ten_names_are_compared(names):
    with pytest.raises(CriteriaError, match="2 to 10 different names"):
        weigh(names, [])


@given(
    st.lists(st.floats(1, 9), min_size=2, max_size=10).filter(
        lambda w: max(w) / min(w) <= 9
    )
)
def test_comparisons_that_agree_give_back_their_weights(weights):
    names = [f"c{i}" for i in range(len(weights))]
    pairs = [
        (names[i], names[j], weights[i] / weights[j])
        for i, j in combinations(range(len(weights)), 2)
    ]
    judged = weigh(names, pairs)
    assert list(judged.weights.values()) == pytest.approx(
        [w / sum(weights) for w in weights]
    )
    assert judged.ratio == pytest.approx(0, abs=1e-9)


@given(st.data(), st.integers(3, 7))
def test_the_order_of_the_names_does_not_matter(data, n):
    names = [f"c{i}" for i in range(n)]
    scale = st.sampled_from([1 / 5, 1 / 3, 1 / 2, 1, 2, 3, 5])
    pairs = [(a, b, data.draw(scale)) for a, b in combinations(names, 2)]
    order = data.draw(st.permutations(names))
    one = weigh(names, pairs, most=np.inf)
    other = weigh(order, [(b, a, 1 / times) for a, b, times in pairs], most=np.inf)
    assume(one.eigenvalue > 0)
    assert dict(other.weights) == pytest.approx(dict(one.weights))
    assert other.ratio == pytest.approx(one.ratio, abs=1e-9)

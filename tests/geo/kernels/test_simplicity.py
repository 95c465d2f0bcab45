"""A polygon that is proved valid is valid; plain valid ones are proved."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.kernels.simplicity import _apart_by_sweep, _apart_one_by_one, proves_valid

coarse = st.integers(0, 4).map(float)
"""Few places, so that rings touch themselves, repeat points and fold back."""

near_a_line = st.integers(-3, 3).map(lambda steps: 0.1 + steps * 2.0**-56)
"""Numbers that differ by single rounding steps."""

number = coarse | near_a_line | st.sampled_from([0.5, -1e-300, 1e200, np.nan, np.inf])


def rings(values, least=3, most=9):
    return st.lists(st.tuples(values, values), min_size=least, max_size=most)


def laid_out(parts):
    closed = [np.array([*part, part[0]], np.float64) for part in parts]
    starts = np.cumsum([0, *map(len, closed)])
    return np.vstack(closed), starts, closed


def is_valid(closed):
    return bool(shapely.is_valid(shapely.Polygon(closed[0], closed[1:])))


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(
        rings(coarse).map(lambda ring: [ring]),
        rings(number).map(lambda ring: [ring]),
        rings(near_a_line).map(lambda ring: [ring]),
        st.lists(rings(coarse, most=5), min_size=2, max_size=3),
    )
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_proved_is_valid(parts):
    xy, starts, closed = laid_out(parts)
    if proves_valid(xy, starts):
        assert is_valid(closed)


def without_repeats(ring):
    return [p for i, p in enumerate(ring) if p != ring[i - 1]]


@settings(max_examples=400, deadline=None)
@given(rings(coarse, most=7) | rings(near_a_line, most=7))
def test_a_single_ring_without_repeated_points_is_proved_if_it_is_valid(ring):
    ring = without_repeats(ring)
    if len(ring) >= 3:
        xy, starts, closed = laid_out([ring])
        assert proves_valid(xy, starts) == is_valid(closed)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(rings(coarse, most=8), min_size=1, max_size=2), st.integers(0, 2**32 - 1)
)
def test_each_with_each_and_the_sweep_find_the_same(parts, seed):
    shift = np.random.default_rng(seed).uniform(-0.2, 0.2, (9, 2))
    parts = [[tuple(np.add(p, shift[k])) for k, p in enumerate(r)] for r in parts]
    xy, starts, _ = laid_out(parts)
    assert _apart_one_by_one(xy, starts) == _apart_by_sweep(xy, starts)


def circle(n, x=0.0, y=0.0, radius=1.0):
    turns = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return list(
        zip(x + radius * np.cos(turns), y + radius * np.sin(turns), strict=True)
    )


def ribbon(n, width):
    x = np.linspace(0, 30, n)
    there = list(zip(x, np.sin(x), strict=True))
    back = list(zip(x[::-1], np.sin(x[::-1]) - width, strict=True))
    return there + back


COMB = [(0, 0), (9, 0), (9, 5), (7, 5), (7, 1), (5, 1), (5, 5), (3, 5), (3, 1), (0, 1)]
SQUARE = [(0, 0), (8, 0), (8, 8), (0, 8)]


@pytest.mark.parametrize(
    "parts",
    [
        [COMB],
        [COMB[::-1]],
        [circle(20)],
        [ribbon(500, 0.5)],
        [ribbon(500, 0.5)[::-1]],
        [SQUARE, circle(7, 3, 3)],
        [SQUARE, circle(7, 3, 3), circle(60, 6, 6)],
    ],
)
def test_plain_shapes_are_proved(parts):
    xy, starts, closed = laid_out(parts)
    assert is_valid(closed)
    assert proves_valid(xy, starts)


@pytest.mark.parametrize(
    "parts",
    [
        [ribbon(500, 0.5)[:500] + ribbon(500, 0.5)[500:][::-1]],
        [[*ribbon(500, 0.5)[:700], (15.0, 3.0), *ribbon(500, 0.5)[700:]]],
        [SQUARE, circle(7, 30, 3)],
        [SQUARE, circle(7, 7.5, 3)],
        [SQUARE, circle(7, 3, 3, 2), circle(7, 3, 3)],
        [SQUARE, circle(7, 4, 4, 40)],
        [SQUARE[:2]],
        [[*circle(20), *circle(20)]],
        [[*circle(20), *circle(20, radius=2)]],
    ],
)
def test_broken_shapes_are_not(parts):
    xy, starts, closed = laid_out(parts)
    assert len(parts[0]) < 3 or not is_valid(closed)
    assert not proves_valid(xy, starts)


def test_open_and_empty_rings_are_not():
    xy = np.array(SQUARE, np.float64)
    assert not proves_valid(xy, np.array([0, 4]))
    assert not proves_valid(xy[:0], np.array([0]))
    assert not proves_valid(xy[:0], np.array([0, 0]))

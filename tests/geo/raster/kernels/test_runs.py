import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from geo.raster.kernels.runs import find_runs, group_runs


def found(mask):
    first = np.empty(len(mask) + 1, np.int64)
    ends = np.full((2, mask.size // 2), -1, np.int32)
    n = find_runs(mask.view(np.uint64), first, ends)
    assert (ends[:, n:] == -1).all()
    return first.tolist(), *ends[:, :n].tolist()


def expected(mask):
    first, start, stop = [0], [], []
    for row in mask:
        step = np.diff(row.astype(int), prepend=0)
        start += np.flatnonzero(step == 1).tolist()
        stop += np.flatnonzero(step == -1).tolist()
        first.append(len(start))
    return first, start, stop


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(st.integers(0, 4), st.integers(1, 20)).flatmap(
        lambda size: arrays(
            np.uint8, (size[0], 8 * size[1]), elements=st.integers(0, 1)
        )
    )
)
def test_runs_are_where_rows_change(mask):
    mask[:, -1:] = 0
    assert found(mask) == expected(mask)


@pytest.mark.parametrize("column", range(127))
def test_every_single_cell_and_gap(column):
    one = np.zeros((2, 128), np.uint8)
    one[0, column] = 1
    assert found(one) == expected(one)
    gap = 1 - one
    gap[:, -1] = 0
    assert found(gap) == expected(gap)


@pytest.mark.parametrize("byte", range(256))
@pytest.mark.parametrize("before", [0, 1])
def test_every_eight_cells_after_either_cell(byte, before):
    mask = np.zeros((2, 24), np.uint8)
    mask[0, 7] = before
    mask[0, 8:16] = [(byte >> k) & 1 for k in range(8)]
    mask[1, 5] = 1
    assert found(mask) == expected(mask)


@settings(max_examples=300, deadline=None)
@given(
    arrays(
        np.uint8, st.tuples(st.integers(1, 12), st.just(24)), elements=st.integers(0, 1)
    ),
    st.sampled_from([4, 8]),
)
def test_groups_are_those_of_scipy(mask, connectivity):
    mask[:, -1] = 0
    first, starts, stops = expected(mask)
    rows = np.repeat(np.arange(len(mask)), np.diff(first))
    group, overlap = (np.full(len(starts), -1, np.int64) for _ in range(2))
    count = group_runs(
        np.array(first, np.int64),
        np.array(starts, np.int32),
        np.array(stops, np.int32),
        int(connectivity == 8),
        group,
        overlap,
    )
    corners = np.ones((3, 3)) if connectivity == 8 else None
    labels, known = label(mask, structure=corners)
    assert count == known
    assert (labels[rows, starts] - 1 == group).all()
    above = np.vstack([np.zeros_like(mask[:1]), mask[:-1]])
    shared = [
        int(above[row, start:stop].sum())
        for row, start, stop in zip(rows, starts, stops, strict=True)
    ]
    assert overlap.tolist() == shared


TEETH = 600


def comb():
    """Teeth that reach the less deep the farther right, and so join from there on."""
    mask = np.zeros((TEETH + 1, 16 * TEETH), np.uint8)
    for tooth in range(TEETH):
        column = 16 * (TEETH - 1 - tooth)
        mask[: tooth + 2, column] = 1
        mask[tooth + 1, column:-1] = 1
    return mask


def stairs():
    """Teeth of which those to the left begin the lowest, and that join at the foot."""
    mask = np.zeros((TEETH + 1, 16 * TEETH), np.uint8)
    for tooth in range(TEETH):
        mask[tooth:, 16 * (TEETH - 1 - tooth)] = 1
    mask[-1, :-1] = 1
    return mask


@pytest.mark.parametrize("shape", [comb, stairs])
def test_many_groups_become_one_in_either_order(shape):
    mask = shape()
    first, starts, stops = expected(mask)
    group, overlap = (np.empty(len(starts), np.int64) for _ in range(2))
    count = group_runs(
        np.array(first, np.int64),
        np.array(starts, np.int32),
        np.array(stops, np.int32),
        0,
        group,
        overlap,
    )
    assert count == label(mask)[1] == 1
    assert (group == 0).all()

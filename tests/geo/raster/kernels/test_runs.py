import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from geo.raster.kernels.runs import find_runs


def found(mask):
    first = np.empty(len(mask) + 1, np.int64)
    start, stop = (np.full(mask.size // 2, -1, np.int32) for _ in range(2))
    n = find_runs(mask.view(np.uint64), first, start, stop)
    assert (start[n:] == -1).all()
    assert (stop[n:] == -1).all()
    return first.tolist(), start[:n].tolist(), stop[:n].tolist()


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
    st.tuples(st.integers(0, 4), st.integers(1, 5)).flatmap(
        lambda size: arrays(
            np.uint8, (size[0], 8 * size[1]), elements=st.integers(0, 1)
        )
    )
)
def test_runs_are_where_rows_change(mask):
    mask[:, -1:] = 0
    assert found(mask) == expected(mask)


@pytest.mark.parametrize("byte", range(256))
@pytest.mark.parametrize("before", [0, 1])
def test_every_eight_cells_after_either_cell(byte, before):
    mask = np.zeros((2, 24), np.uint8)
    mask[0, 7] = before
    mask[0, 8:16] = [(byte >> k) & 1 for k in range(8)]
    mask[1, 5] = 1
    assert found(mask) == expected(mask)

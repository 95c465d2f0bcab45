import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.raster.kernels.keeps import count_codes


def counted(values, mask, counts):
    count_codes(values, mask, counts)
    return counts.tolist()


def expected(values, mask, before):
    inside = mask[:, : values.shape[1]] == 1
    return (before + np.bincount(values[inside], minlength=len(before))).tolist()


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 300),
    st.sampled_from([1, 3, 40, 256]),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([np.uint8, np.uint16]),
    st.integers(0, 2**32),
)
def test_counts_are_those_of_numpy(columns, classes, share, dtype, seed):
    draw = np.random.default_rng(seed)
    values = draw.integers(0, classes, (4, columns)).astype(dtype)
    mask = np.zeros((4, columns // 8 * 8 + 8), np.uint8)
    mask[:, :columns] = draw.random((4, columns)) < share
    counts = np.zeros(np.iinfo(dtype).max + 1, np.int64)
    once = expected(values, mask, counts)
    assert counted(values, mask, counts) == once
    # Once more, now that the classes are known; then with one that is not.
    twice = expected(values, mask, counts)
    assert counted(values, mask, counts) == twice
    values[-1, -1], mask[-1, columns - 1] = 255, 1
    more = expected(values, mask, counts)
    assert counted(values, mask, counts) == more


def test_a_row_of_one_class_overflows_no_byte():
    values = np.full((2, 128 * 300), 7, np.uint8)
    mask = np.ones(values.shape, np.uint8)
    counts = np.zeros(256, np.int64)
    for _ in range(2):
        count_codes(values, mask, counts)
    assert counts[7] == 2 * values.size
    assert counts.sum() == counts[7]


def test_a_new_class_is_seen_whatever_came_before():
    values = np.array([[7, 7], [7, 9]], np.uint8)
    counts = np.zeros(256, np.int64)
    count_codes(values, np.ones((2, 8), np.uint8), counts)
    assert (counts[7], counts[9], counts.sum()) == (3, 1, 4)

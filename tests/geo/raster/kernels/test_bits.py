"""Bits of columns, beside the same marks made one by one."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo.raster.kernels.bits import set_bits, spread_bits

COLUMNS = st.integers(1, 300)


@given(COLUMNS.flatmap(lambda n: st.tuples(
    st.just(n),
    st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, n - 1), st.integers(1, n)),
        max_size=8,
    ),
)))  # fmt: skip
def test_spans_are_marked_and_nothing_else(drawn):
    columns, spans = drawn
    bits = np.zeros((3, columns // 64 + 1), np.uint64)
    expected = np.zeros((3, columns), np.uint8)
    expected[1, ::7] = 1  # marked before
    found = expected.copy()
    for row, start, length in spans:
        stop = min(start + length, columns)
        set_bits(bits, row, start, stop)
        expected[row, start:stop] = 1
    for row in range(3):
        spread_bits(bits[row], found[row])
    np.testing.assert_array_equal(found, expected)
    assert not bits.any()

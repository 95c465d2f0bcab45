"""Arrow tables to frames: numbers that no detour changes."""

import pyarrow as pa
import pytest

from layers.arrow import from_arrow


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.uint64()])
def test_whole_numbers_beside_missing_ones_stay_whole(kind):
    most = 2**63 - 1 if kind.bit_width == 64 else 127
    table = pa.table({"n": pa.chunked_array([[1, None], [most, 0], []], kind)})
    frame = from_arrow(table)
    assert str(frame["n"].dtype) == "Int64"
    assert frame["n"].isna().tolist() == [False, True, False, False]
    assert frame["n"].dropna().tolist() == [1, most, 0]


def test_whole_numbers_of_64_bits_without_sign_are_not_cut():
    table = pa.table({"n": pa.array([None, 2**63], pa.uint64())})
    with pytest.raises((OverflowError, ValueError, TypeError)):
        from_arrow(table)

"""Text of values: the same whether written one by one or a column at a time."""

import datetime as dt

import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.export.content import Sheet
from layers.export.values import Values, as_text, plain

MOST = {"s": 10**10, "ms": 10**13, "us": 10**16, "ns": 9 * 10**18}


@given(
    data=st.data(),
    unit=st.sampled_from(list(MOST)),
    zone=st.sampled_from([None, "UTC", "Asia/Pyongyang"]),
)
@settings(max_examples=60)
def test_moments_are_written_as_python_does(data, unit, zone):
    most = MOST[unit]
    hundred = most // 10**7
    moments = st.integers(-most, most) | st.sampled_from([0, -1, 1, hundred, -hundred])
    rounded = st.integers(-(10**9), 10**9).map(lambda n: n * (most // 10**10))
    whole = data.draw(st.lists(st.none() | moments | rounded, max_size=6))
    column = pa.chunked_array([pa.array(whole, pa.timestamp(unit, zone))])
    wanted = [None if v is None else plain(v) for v in column.to_pylist()]
    assert as_text(column).to_pylist() == wanted


def test_other_kinds_are_written_as_ever():
    for values, wanted in (
        ([True, None, False], ["true", None, "false"]),
        ([2**62, None, -1], [str(2**62), None, "-1"]),
        ([0.1, None, 1e22, float("inf")], ["0.1", None, "1e+22", "inf"]),
        ([dt.date(9, 1, 1), None], ["0009-01-01", None]),
        ([b"\xff\x00", None], ["ff00", None]),
        ([["a", "철"], None], ['["a", "철"]', None]),
    ):
        assert as_text(pa.chunked_array([pa.array(values)])).to_pylist() == wanted


def test_half_characters_in_lists_are_replaced_and_counted():
    cells = [["a\ud800", "b"], None, ["철"], ["\udfff"]]
    table = pd.DataFrame({"v": pd.Series(cells, dtype=object)})
    values = Values(Sheet(id="t", title="T", abstract="", table=table))
    wanted = [["a\ufffd", "b"], None, ["철"], ["\ufffd"]]
    assert values.columns["v"].to_pylist() == wanted
    assert values.unpaired == 2

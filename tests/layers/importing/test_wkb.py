"""WKB looked at in bulk: what is called plain is what any reader takes."""

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.importing.wkb import are_plain

SQUARE = shapely.box(0, 0, 8, 8)
PLAIN = [
    SQUARE,
    shapely.MultiPolygon([SQUARE]),
    shapely.LineString([(1, 2), (3, 4)]),
    shapely.MultiLineString([[(1, 2), (3, 4), (5, np.inf)]]),
    shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
]
OTHERS = [
    SQUARE.difference(shapely.box(1, 1, 2, 2)),
    shapely.MultiPolygon([SQUARE, shapely.box(9, 0, 10, 1)]),
    shapely.force_3d(SQUARE, 1.0),
    *map(
        shapely.from_wkt,
        ["POINT (1 2)", "POLYGON EMPTY", "LINESTRING EMPTY", "MULTIPOINT (1 2)"],
    ),
]


def column(rows):
    return pa.array(rows, pa.binary())


def as_bytes(shape, byte_order=1):
    return shapely.to_wkb(shape, byte_order=byte_order)


def test_lines_and_single_rings_are_plain():
    rows = [as_bytes(s) for s in [*PLAIN, *OTHERS]] + [None, b"", as_bytes(SQUARE, 0)]
    plain = are_plain(column(rows))
    assert plain.tolist() == [True] * len(PLAIN) + [False] * (len(OTHERS) + 3)


def test_a_slice_and_nothing_at_all():
    rows = [as_bytes(s) for s in [*OTHERS[:2], *PLAIN[:2], OTHERS[2]]]
    assert are_plain(column(rows).slice(1, 3)).tolist() == [False, True, True]
    for nothing in ([], [None], [b""]):
        assert are_plain(column(nothing)).tolist() == [False] * len(nothing)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*PLAIN, *OTHERS]),
    st.integers(0, 130),
    st.binary(max_size=8),
    st.integers(0, 40),
    st.booleans(),
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_what_is_called_plain_is_read_whatever_the_bytes(shape, at, put, cut, longer):
    whole = as_bytes(shape)
    spoilt = whole[:at] + put + whole[at + len(put) :]
    spoilt = spoilt + bytes(cut) if longer else spoilt[: max(0, len(spoilt) - cut)]
    plain = are_plain(column([as_bytes(SQUARE), spoilt]))
    assert plain[0]
    if plain[1]:
        found = shapely.from_wkb(spoilt)  # raises where a ring is open
        assert shapely.to_wkb(found, byte_order=1) == spoilt


def test_bytes_beneath_a_null_are_none():
    whole = as_bytes(SQUARE)
    offsets = pa.py_buffer(np.array([0, len(whole), 2 * len(whole)], np.int32))
    buffers = [pa.py_buffer(b"\2"), offsets, pa.py_buffer(whole * 2)]
    plain = are_plain(pa.Array.from_buffers(pa.binary(), 2, buffers))
    assert plain.tolist() == [False, True]

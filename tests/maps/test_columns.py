"""What is packed for the page can be read again, value for value."""

import base64
import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maps import columns
from maps.columns import (
    LONGEST,
    Store,
    as_texts,
    planes,
    put_column,
    put_numbers,
    shown,
    steps,
)


def opened(store, block):
    place, size = block
    raw = gzip.decompress(base64.b64decode(store.texts()[place]))
    assert len(raw) == size
    return raw


def whole(raw, width, count):
    rows = np.frombuffer(raw, np.uint8).reshape(width, count).astype(np.uint64)
    return sum(rows[p] << np.uint64(8 * p) for p in range(width))


def unstepped(values):
    change = (values >> 1) ^ -(values.astype(np.int64) & 1)
    return np.cumsum(change.astype(np.int64)) & 0xFFFFFFFF


def numbers(store, packed, count):
    """Decode a column of numbers as the page does."""
    if "float" in packed:
        raw = np.frombuffer(opened(store, packed["block"]), np.uint8)
        kind = {4: "<f4", 8: "<f8"}[packed["float"]]
        rows = np.ascontiguousarray(raw.reshape(packed["float"], count).T)
        found = rows.view(kind)[:, 0].astype(float)
    else:
        if "all" in packed:
            found = np.full(count, packed["all"], np.int64)
        else:
            found = whole(opened(store, packed["block"]), packed["width"], count)
        if packed.get("steps"):
            found = unstepped(found.astype(np.int64))
        found = (found.astype(float) + packed["from"]) / 10.0 ** packed["decimals"]
    if "held" in packed:
        bits = np.frombuffer(opened(store, packed["held"]), np.uint8)
        held = np.unpackbits(bits, bitorder="little")[:count].astype(bool)
        found = np.where(held, found, np.nan)
    return found


@given(st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=50))
def test_planes_hold_every_whole_number(values):
    raw, width = planes(np.array(values, np.uint64))
    assert whole(raw, width, len(values)).tolist() == values


@given(st.lists(st.integers(-(2**31), 2**32 - 1), min_size=1, max_size=50))
def test_steps_can_be_walked_back(values):
    turned = steps(np.array(values)).astype(np.int64)
    assert unstepped(turned).tolist() == [v % 2**32 for v in values]


@settings(max_examples=60)
@given(
    st.lists(
        st.one_of(
            st.floats(width=64),
            st.floats(-1e6, 1e6).map(lambda v: round(v, 3)),
            st.integers(-(10**9), 10**9).map(float),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_numbers_come_back_exactly(values):
    store = Store()
    packed = put_column(store, "n", pd.Series(values, dtype=float))
    finite = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(finite).all():
        assert packed == {"name": "n"}
        return
    np.testing.assert_array_equal(numbers(store, packed, len(values)), finite)


@pytest.mark.parametrize(
    "values",
    [
        np.arange(1950, 2050),
        np.array([2**52, -(2**52)]),
        np.array([0.1, 0.25, 1e-6]),
        np.array([1 / 3, 2 / 3]),
        np.linspace(0, 5000, 3000).round(2),
        pd.array([1, None, 3], dtype="Int64"),
    ],
    ids=["years", "wide", "decimals", "thirds", "slow", "missing"],
)
def test_numbers_of_each_kind(values):
    store = Store()
    packed = put_column(store, "n", pd.Series(values))
    want = pd.Series(values).to_numpy(float, na_value=np.nan)
    np.testing.assert_array_equal(numbers(store, packed, len(want)), want)


def test_numbers_that_a_float_cannot_hold_are_texts():
    store = Store()
    packed = put_column(store, "id", pd.Series([2**60 + 1, 2**60 + 2]))
    assert packed["labels"] == [str(2**60 + 1), str(2**60 + 2)]


@settings(max_examples=40)
@given(
    st.integers(1, 4),
    st.integers(0, 9000),
    st.sampled_from(["noise", "words", "few", "one"]),
    st.sampled_from([1 << 9, 1 << 12, 1 << 21]),
)
def test_blocks_come_back_however_they_were_compressed(parts, size, kind, piece):
    rng = np.random.default_rng(size)
    raw = {
        "noise": lambda n: rng.integers(0, 256, n),
        "words": lambda n: np.frombuffer((b"Unsan mine 17 " * (n // 14 + 1))[:n], "u1"),
        "few": lambda n: rng.choice([0, 1, 2], n, p=[0.9, 0.05, 0.05]),
        "one": np.zeros,
    }[kind](parts * size)
    raw = raw.astype(np.uint8).tobytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_PIECE", piece)
        store = Store()
        first = store.put(b"before")
        block = store.put(raw, parts)
        assert opened(store, block) == raw
        assert opened(store, first) == b"before"
        later = store.put(b"later")
        assert opened(store, later) == b"later"


def test_what_does_not_get_smaller_costs_no_more_than_it_is():
    store = Store()
    noise = np.random.default_rng(1).integers(0, 256, 300_000, np.uint8).tobytes()
    number, _ = store.put(noise)
    assert len(base64.b64decode(store.texts()[number])) < len(noise) + 100


def test_each_plane_is_compressed_as_suits_it():
    rng = np.random.default_rng(1)
    low = rng.integers(0, 256, 100_000, np.uint8).tobytes()
    high = rng.choice([0, 1, 2, 3], 100_000, p=[0.7, 0.2, 0.05, 0.05])
    store = Store()
    number, _ = store.put(low + high.astype(np.uint8).tobytes(), 2)
    alike, _ = store.put(low + high.astype(np.uint8).tobytes())
    sizes = [len(base64.b64decode(text)) for text in store.texts()]
    assert sizes[number] < sizes[alike]
    assert sizes[number] < 100_000 + 0.2 * 100_000


def texts_of(store, packed, count):
    if packed["type"] == "text":
        return opened(store, packed["block"]).decode().split("\0")[:-1]
    codes = (
        np.full(count, packed["all"])
        if "all" in packed
        else whole(opened(store, packed["block"]), packed["width"], count)
    )
    return [packed["labels"][int(c) - 1] if c else "" for c in codes]


@settings(max_examples=60)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=90))
def test_texts_come_back(values):
    store = Store()
    column = pd.Series(values, dtype=object)
    want = as_texts(column).to_pylist()
    packed = put_column(store, "t", column)
    if not any(want):
        assert packed is None
        return
    assert texts_of(store, packed, len(values)) == want


def test_many_different_texts_are_joined():
    store = Store()
    names = [f"갱 {i}" for i in range(500)]
    packed = put_column(store, "name", pd.Series(names))
    assert packed["type"] == "text"
    assert texts_of(store, packed, 500) == names


def test_frequent_texts_come_first():
    packed = put_column(Store(), "k", pd.Series(["b", "a", "a", None, "c", "a", "b"]))
    assert (packed["labels"], packed["counts"]) == (["a", "b", "c"], [3, 2, 1])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\x00b\u202ec\u2066d\x85", "a b c d "),
        ("</script>\u2028", "</script>\u2028"),
        ("\ud800x", "�x"),
        (float("nan"), ""),
        (pd.NaT, ""),
        (None, ""),
        ({"a": 1}, "{'a': 1}"),
        (True, "True"),
        (pd.Timestamp("2020-01-02"), "2020-01-02 00:00:00"),
        ("😀" * (LONGEST + 1), "😀" * LONGEST + " …"),
    ],
)
def test_any_value_is_a_text_that_can_be_shown(value, text):
    assert shown(value) == text


def test_numbers_that_are_all_the_same_take_no_block():
    store = Store()
    assert put_numbers(store, np.full(9, 7)) == {"all": 7}
    assert store.texts() == []


@pytest.mark.parametrize("code", [0x1F, 0x7F, 0x80, 0x9F, 0x202A, 0x202E, 0x2066])
def test_no_control_character_is_overlooked(code):
    texts = pd.Series(["광산", "a" * 9, f"x{chr(code)}y", "€ ã"])
    assert as_texts(texts[:0]).to_pylist() == []
    assert as_texts(texts).to_pylist() == ["광산", "a" * 9, "x y", "€ ã"]

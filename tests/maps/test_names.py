"""Names of layers in tiles: sorted blocks, found by reading few of them."""

import gzip

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from maps.names import LONGEST, name_index, plain


def entries(parts, about):
    start, size = about["directory"]
    whole = b"".join(parts)
    assert start + size == len(whole)
    directory = gzip.decompress(whole[start:]).decode().split("\n")
    found, at = [], 0
    for line in directory:
        first, packed = line.split("\t")
        block = gzip.decompress(whole[at : at + int(packed)]).decode().split("\n")
        assert block[0].split("\t")[0] == first
        found += [line.split("\t") for line in block]
        at += int(packed)
    assert at == start
    return found


def index(names, **columns):
    table = pd.DataFrame({"name": names, **columns})
    places = np.column_stack([np.arange(len(table)), np.arange(len(table)) / 2])
    return name_index(table, places)


def test_each_word_is_a_way_to_a_name(monkeypatch):
    monkeypatch.setattr("maps.names.ENTRIES", 2)
    parts, about = index(["Sakju (Copper) Mine", "Pot", None, "평양 제철소"])
    found = entries(parts, about)
    assert about["blocks"] == len(parts) - 1 == 3
    assert [(key, int(row)) for key, row, *_ in found] == [
        ("copper) mine", 0),
        ("mine", 0),
        ("pot", 1),
        ("sakju (copper) mine", 0),
        ("제철소", 3),
        ("평양 제철소", 3),
    ]
    assert found[-1][2:] == ["3000", "1500", "평양 제철소"]


def test_han_characters_are_ways_to_a_name_too():
    found = entries(*index(["x"], name_zh=["平安北道"]))
    assert [key for key, *_ in found] == ["x", "北道", "安北道", "平安北道", "道"]


def test_without_names_there_is_nothing():
    assert index([None, ""])[0] == []
    assert name_index(pd.DataFrame({"a": [1]}), np.zeros((1, 2)))[0] == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=40))
def test_all_names_are_found_and_sorted_by_their_bytes(names):
    parts, about = index(names)
    wanted = {
        (text[:LONGEST], row)
        for row, text in enumerate(plain(pa.array(shown(names))).to_pylist())
        if text
    }
    if not wanted:
        assert parts == []
        return
    found = entries(parts, about)
    assert all(len(entry) == 5 for entry in found)
    keys = [entry[0].encode() for entry in found]
    assert keys == sorted(keys)
    assert wanted <= {(entry[0], int(entry[1])) for entry in found}


def shown(names):
    from maps.columns import as_texts

    return as_texts(pd.Series(names, dtype=object)).to_pylist()


def test_the_same_names_give_the_same_bytes():
    assert index(["b", "a c"]) == index(["b", "a c"])

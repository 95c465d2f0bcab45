import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import shapely

from layers.errors import ReadError
from layers.importing import batches
from layers.importing.batches import EMPTIED, write_batches
from layers.importing.jobs import Job


@pytest.fixture
def written(tmp_path):
    def write(table, geometry=None, **options):
        told = []
        job = Job(
            file=Path("a"),
            name="a.x",
            layer=None,
            encoding=None,
            size=100,
            bytes_at_most=1 << 30,
            out=tmp_path / "rows.arrow",
            progress=lambda *p: told.append(p),
        )
        found = write_batches(
            job, table.schema, table.to_batches(), geometry=geometry, **options
        )
        with pa.memory_map(str(job.out)) as stream:
            return found, pa.ipc.open_file(stream).read_all(), told

    return write


def test_types_that_stay_and_types_that_change(written):
    table = pa.table(
        {
            "int8": pa.array([1], pa.int8()),
            "real": pa.array([1.5], pa.float32()),
            "half": pa.array([np.float16(1.5)], pa.float16()),
            "truth": pa.array([True]),
            "day": pa.array([0], pa.date32()),
            "day64": pa.array([0], pa.date64()),
            "moment": pa.array([0], pa.timestamp("us", tz="Asia/Seoul")),
            "time": pa.array([0], pa.time32("s")),
            "decimal": pa.array([1], pa.decimal128(9, 2)),
            "text": pa.array(["철"], pa.large_string()),
            "view": pa.array(["a"], pa.string_view()),
            "category": pa.array(["a"]).dictionary_encode(),
            "nothing": pa.nulls(1),
            "list": pa.array([[1, 2]]),
            "record": pa.array([{"철": None}]),
            "bytes": pa.array([b"x"]),
            "view of bytes": pa.array([b"x"], pa.binary_view()),
        }
    )
    found, rows, _ = written(table)
    kept = {
        name: str(kind)
        for name, kind in zip(rows.column_names, rows.schema.types, strict=True)
    }
    assert kept == {
        "int8": "int8",
        "real": "float",
        "half": "float",
        "truth": "bool",
        "day": "date32[day]",
        "day64": "date32[day]",
        "moment": "timestamp[us, tz=Asia/Seoul]",
        "time": "time32[s]",
        "decimal": "decimal128(9, 2)",
        **dict.fromkeys(("text", "view", "category", "nothing"), "string"),
        **dict.fromkeys(("list", "record"), "string"),
    }
    assert json.loads(rows["list"][0].as_py()) == [1, 2]
    assert rows["record"][0].as_py() == '{"철": null}'
    assert [note.split()[1] for note in found.notes] == [
        "list",
        "record",
        "bytes",
        "view",
    ]


def test_long_batches_are_cut_and_progress_is_told(written):
    n = 40_000
    found, rows, told = written(pa.table({"a": np.arange(n)}), whole=n)
    assert found.rows == n
    assert rows["a"].to_numpy().tolist() == list(range(n))
    assert told == [(16_384, n), (32_768, n), (n, n)]


def test_names_that_are_there_twice(written):
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    found, rows, _ = written(table)
    assert rows.column_names == ["a", "a_2"]
    assert found.notes == ["The column a is there twice; one became a_2."]


def test_text_that_is_none(written):
    bad = pa.Array.from_buffers(
        pa.string(),
        1,
        [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xc3\x28")],
    )
    with pytest.raises(ReadError, match=r"a.x: column a holds bytes that are no UTF-8"):
        written(pa.table({"a": bad}))


def test_places_that_are_none_are_left_empty_and_counted(written):
    good = shapely.to_wkb(shapely.Point(1, 2))
    places = [good, b"abc", None, good[:-1], shapely.to_wkb(shapely.box(0, 0, 9, 9))]
    found, rows, _ = written(pa.table({"g": pa.array(places)}), geometry="g")
    assert rows.column_names == ["geometry"]
    read = rows["geometry"].to_pylist()
    assert [place is None for place in read] == [False, True, True, True, False]
    assert dict(found.mended) == {EMPTIED: 2}


@pytest.mark.parametrize("byte_order", [0, 1])
def test_points_are_handed_on_as_they_are(written, byte_order):
    points = shapely.to_wkb(shapely.points([1.0, np.nan], 2.0), byte_order=byte_order)
    table = pa.table({"g": pa.array([b"", *points.tolist()])}).slice(1)
    found, rows, _ = written(table, geometry="g")
    assert rows["geometry"].to_pylist() == points.tolist()
    assert not found.mended


def test_a_text_that_is_too_long_is_found_wherever_it_stands(written, monkeypatch):
    monkeypatch.setattr(batches, "CELL_AT_MOST", 4)
    texts = ["too long", "four", None, "철"]
    found, _, _ = written(pa.table({"a": pa.array(texts)}).slice(1))
    assert found.rows == 3
    with pytest.raises(ReadError, match="column a holds a text of 8 bytes"):
        written(pa.table({"a": pa.array(texts[::-1])}))

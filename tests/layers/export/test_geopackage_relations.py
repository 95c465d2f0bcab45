"""What names rows of another table is a key that other programs find."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pandas as pd
import pyogrio
import pytest

from layers.export import geopackage_relations
from layers.export.content import Relation, Sheet
from layers.export.geopackage import write_geopackage
from layers.export.geopackage_check import check_geopackage, check_written
from tests.dressed import content


def table(name, /, **columns):
    frame = pd.DataFrame(columns, dtype=object)
    return Sheet(id=name, title=name, abstract="Rows.", table=frame, rights="Nobody")


def related(*relations, **sheets):
    names = ("child", "child_field", "parent", "parent_field")
    return replace(
        content(),
        sheets=(*content().sheets, *sheets.values()),
        relations=tuple(
            Relation(**dict(zip(names, one, strict=True))) for one in relations
        ),
    )


def keys(found, path):
    write_geopackage(found, path)
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert file.execute("PRAGMA foreign_key_check").fetchall() == []
        names = [n for (n,) in file.execute("SELECT table_name FROM gpkg_ogr_contents")]
        return {
            (name, row[3], row[2], row[4])
            for name in names
            for row in file.execute(f'PRAGMA foreign_key_list("{name}")')
        }


BOOKS = table("books", id=["a", "b"], name=["A", "B"])
ONE = ("notes", "book", "books", "id")


@pytest.mark.parametrize(
    ("cells", "holds"),
    [
        (["a", "b", "a"], True),
        (["a", None, "b"], True),
        ([None, None, None], True),
        (["a", "c", "b"], False),
        (["a", "", "b"], False),
    ],
)
def test_a_key_is_declared_where_each_value_names_a_row(tmp_path, cells, holds):
    notes = table("notes", id=["1", "2", "3"], book=cells)
    found = related(ONE, books=BOOKS, notes=notes)
    assert keys(found, tmp_path / "x.gpkg") == ({ONE} if holds else set())


@pytest.mark.parametrize("ids", [["a", "a"], ["a", None]])
def test_what_is_referred_to_must_be_one_row(tmp_path, ids):
    books = table("books", id=["1", "2"], code=ids)
    notes = table("notes", id=["1"], book=["a"])
    found = related(("notes", "book", "books", "code"), books=books, notes=notes)
    assert keys(found, tmp_path / "x.gpkg") == set()


def test_a_column_that_names_rows_of_several_sheets_is_no_key(tmp_path):
    notes = table("notes", id=["1"], book=["a"], other=["b"])
    more = table("papers", id=["a"])
    found = related(
        ONE,
        ("notes", "book", "papers", "id"),
        ("notes", "other", "books", "id"),
        ("notes", "gone", "books", "id"),
        books=BOOKS,
        notes=notes,
        papers=more,
    )
    assert keys(found, tmp_path / "x.gpkg") == {("notes", "other", "books", "id")}


def test_several_keys_of_one_table_and_odd_names(tmp_path):
    notes = table("notes", id=["1"], book=["a"], **{'it\'s "so"': ["b"]})
    odd = ("notes", 'it\'s "so"', "books", "id")
    found = related(ONE, odd, books=BOOKS, notes=notes)
    path = tmp_path / "x.gpkg"
    assert keys(found, path) == {ONE, odd}
    assert pyogrio.read_dataframe(path, layer="notes").iloc[0].tolist() == [
        *("1", "a", "b")
    ]


def test_the_same_relations_give_the_same_bytes(tmp_path):
    notes = table("notes", id=["1"], book=["a"])
    found = related(ONE, books=BOOKS, notes=notes)
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_geopackage(found, tmp_path / name / "x.gpkg")
        files.append((tmp_path / name / "x.gpkg").read_bytes())
    assert files[0] == files[1]
    layers = pyogrio.list_layers(tmp_path / "one" / "x.gpkg")[:, 0]
    assert set(layers) == {s.id for s in found.sheets} | {"layer_styles"}


def test_a_key_that_names_no_row_is_found(tmp_path):
    notes = table("notes", id=["1"], book=["a"])
    found = related(ONE, books=BOOKS, notes=notes)
    path = tmp_path / "x.gpkg"
    write_geopackage(found, path)
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("DROP TRIGGER trigger_delete_feature_count_books")
        file.execute("UPDATE books SET id = 'z' WHERE id = 'a'")
    words = "notes: 1 rows name rows of books that are not there."
    assert words in check_geopackage(path)
    assert words in check_written(path, found)


def test_where_a_schema_may_not_be_edited_there_are_no_keys(tmp_path, monkeypatch):
    monkeypatch.setattr(geopackage_relations, "_may_edit", lambda _: False)
    notes = table("notes", id=["1"], book=["a"])
    assert keys(related(ONE, books=BOOKS, notes=notes), tmp_path / "x.gpkg") == set()

"""What holds for every format: same bytes, whole or not at all, hostile text, zips."""

import json
import os
import zipfile
from dataclasses import replace

import pytest

from layers.errors import WriteError
from layers.export.formats import FORMATS
from tests.layers.export.hard_values import of_values
from tests.layers.export.reading_back import READERS
from tests.layers.export.small import small

SINGLE = ("geojson", "flatgeobuf", "geoparquet", "csv")
EVERY = tuple(key for key in READERS if key != "geopackage")


def written(key, content, folder, name="world"):
    ending = READERS[key][0]
    single = key in SINGLE and len(content.sheets) > 1
    path = folder / f"{name}{'.zip' if single else ending}"
    FORMATS[key].write(content, path)
    return path


@pytest.mark.parametrize("key", EVERY)
def test_twice_the_same_bytes(key, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first = written(key, small(), tmp_path / "a")
    os.environ["TZ"], before = "Asia/Seoul", os.environ.get("TZ")
    try:
        second = written(key, small(), tmp_path / "b")
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("key", EVERY)
def test_a_write_that_fails_leaves_what_stood_there(key, tmp_path, monkeypatch):
    path = written(key, small(), tmp_path)
    before = path.read_bytes()

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(WriteError, match="No space left on device"):
        written(key, small(title="Another title"), tmp_path)
    assert path.read_bytes() == before
    assert [f.name for f in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("key", SINGLE)
def test_several_sheets_are_no_one_file(key, tmp_path):
    ending = READERS[key][0]
    with pytest.raises(WriteError) as error:
        FORMATS[key].write(small(), tmp_path / f"world{ending}")
    said = str(error.value)
    assert f"world{ending} holds one layer, and small-world has 4: mines, coun" in said
    assert f"--to {key}, and world or world.zip" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", SINGLE)
def test_a_folder_holds_each_sheet(key, tmp_path):
    paths = FORMATS[key].write(small(), tmp_path / "world")
    assert {p.parent for p in paths} == {tmp_path / "world"}
    assert {p.name for p in paths} == {p.name for p in (tmp_path / "world").iterdir()}
    ending, read = READERS[key]
    back = read(tmp_path / "world" / f"mines{ending}")
    assert set(back.rows) == {"a", "b", "c"}
    said = (tmp_path / "world" / "README.txt").read_text("utf-8")
    assert "mines: Mines" in said
    assert "Licence: CC-BY-4.0" in said
    assert "Credit: © Nobody" in said
    assert "2 layers lost how they are drawn" in said
    tables = {p.stem for p in paths if p.suffix in {".csv", ".parquet"}}
    assert {"claims", "mine_claims"} <= tables


@pytest.mark.parametrize("key", [*SINGLE, "shapefile"])
def test_a_zip_holds_the_same_as_the_folder(key, tmp_path):
    FORMATS[key].write(small(), tmp_path / "world")
    path = tmp_path / "world.zip"
    FORMATS[key].write(small(), path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        for name in names:
            assert archive.read(name) == (tmp_path / "world" / name).read_bytes()
        assert {i.date_time[:3] for i in archive.infolist()} == {
            (small().dated.year, small().dated.month, small().dated.day)
        }


def test_no_folder_is_made_of_a_file(tmp_path):
    path = tmp_path / "world"
    path.write_text("mine")
    with pytest.raises(WriteError, match="a file stands there"):
        FORMATS["geojson"].write(small(), path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("key", EVERY)
def test_progress_ends_with_all_rows(key, tmp_path):
    steps = []
    content = small()
    path = tmp_path / f"world{'.zip' if key in SINGLE else READERS[key][0]}"
    FORMATS[key].write(content, path, progress=lambda *step: steps.append(step))
    lost = {"kml", "kmz"}
    rows = sum(len(s.table) for s in content.sheets if s.geometry or key not in lost)
    assert steps[-1] == (rows, sum(len(s.table) for s in content.sheets))
    assert steps == sorted(steps)


@pytest.mark.parametrize("key", EVERY)
def test_hostile_titles_and_texts_break_no_file(key, tmp_path):
    evil = "]]></name><script>alert(1)</script>\x00\x0b\ud800 \"'<!--&#0;\u202e%s"
    content = of_values([evil.replace("\ud800", ""), "a", "b", "c", "d"])
    [sheet] = content.sheets
    said = evil.replace("\ud800", "")
    sheet = replace(sheet, title=said, abstract=said, rights=said, source=said)
    content = replace(content, sheets=(sheet,), title=said, abstract=said)
    path = written(key, content, tmp_path)
    back = READERS[key][1](path)
    assert len(back.rows) == 5
    assert "<script>alert(1)</script>" in back.rows["1"]["v"]


@pytest.mark.parametrize("key", EVERY)
def test_no_rows_are_no_error(key, tmp_path):
    [sheet] = of_values(["a"] * 5).sheets
    empty = replace(sheet, table=sheet.table.iloc[:0])
    content = replace(of_values(["a"] * 5), sheets=(empty,))
    back = READERS[key][1](written(key, content, tmp_path))
    assert back.rows == {}


@pytest.mark.parametrize("key", EVERY)
def test_batches_make_no_difference(key, tmp_path, monkeypatch):
    values = ["a", "나", "c", None, "e"]
    _, read = READERS[key]
    whole = read(written(key, of_values(values), tmp_path))
    for module in ("values", "gdal_files"):
        monkeypatch.setattr(f"layers.export.{module}.BATCH", 2)
    monkeypatch.setattr("layers.export.values.Values.batches", _small_batches)
    monkeypatch.setattr("layers.export.dbf._BATCH", 2)
    again = read(written(key, of_values(values), tmp_path, "again"))
    assert (again.rows, again.shapes) == (whole.rows, whole.shapes)
    assert list(again.rows) == list(whole.rows)


def _small_batches(self, _=None):
    for start in range(0, self.rows, 2):
        columns = {n: c.slice(start, 2) for n, c in self.columns.items()}
        yield columns, self.shapes[start : start + 2]


def test_losses_stand_inside_where_there_is_room(tmp_path):
    content = of_values([float("inf"), 1.0, 2.0, 3.0, None])
    FORMATS["geojson"].write(content, tmp_path / "a.geojson")
    head = json.loads((tmp_path / "a.geojson").read_text("utf-8"))
    assert head["losses"] == ["1 infinite number became missing"]
    FORMATS["kml"].write(content, tmp_path / "a.kml")
    assert "1 infinite number became missing" in (tmp_path / "a.kml").read_text("utf-8")

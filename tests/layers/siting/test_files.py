"""Folders of sites: whole or not at all, and the same when read back."""

import csv
import io
import json

import geopandas.testing
import pandas.testing
import pytest

from geo.errors import GeoError
from layers.errors import ReadError, WriteError
from layers.siting.files import NAMES, about_sites, staged, write_sites
from layers.solar import read_sites, sites
from tests.pyongan import write_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return write_world(tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def written(world, tmp_path_factory):
    """What was found, and the folder that it was written to."""
    folder = tmp_path_factory.mktemp("out") / "sites"
    with staged(folder) as stage:
        found = sites(
            "pyongan", data=world, keep=5, draws=50, reruns=False, folder=stage
        )
        write_sites(found, stage)
    return found, folder


@pytest.fixture
def copied(written, tmp_path):
    import shutil

    shutil.copytree(written[1], tmp_path / "copy")
    return tmp_path / "copy"


def test_a_folder_reads_back_as_it_was_written(written):
    found, folder = written
    again = read_sites(folder)
    geopandas.testing.assert_geodataframe_equal(again.table, found.table)
    pandas.testing.assert_frame_equal(again.tornado, found.tornado)
    assert about_sites(again) == about_sites(found)
    assert again.portfolios == found.portfolios
    assert again.rules == found.rules
    assert [p.name for p in again.outputs] == ["score.tif", "mask.tif"]


def test_the_folder_holds_these_files_and_nothing_else(written):
    assert sorted(p.name for p in written[1].iterdir()) == sorted(NAMES)


def test_json_tells_no_folder_of_the_machine(written, world):
    text = (written[1] / "sites.json").read_text("utf-8")
    assert str(world) not in text
    assert str(written[1]) not in text
    assert "NaN" not in text


def test_the_geopackage_has_the_outlines_in_longitude_and_latitude(written):
    import pyogrio

    info = pyogrio.read_info(written[1] / "sites.gpkg", layer="sites")
    assert info["crs"] == "EPSG:4326"
    assert info["features"] == 5
    assert info["geometry_type"] == "MultiPolygon"
    assert pyogrio.list_layers(written[1] / "sites.gpkg")[0][0] == "sites"


def test_csv_has_a_row_a_site_and_a_point_inside(written):
    import shapely

    rows = list(csv.DictReader(io.StringIO((written[1] / "sites.csv").read_text())))
    table = written[0].table
    assert [r["id"] for r in rows] == table["id"].tolist()
    for row, shape in zip(rows, table.geometry, strict=True):
        assert shape.contains(shapely.Point(float(row["lon"]), float(row["lat"])))
        assert float(row["score"]) > 0


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_csv_runs_no_formula(written, tmp_path, text):
    from dataclasses import replace

    found = written[0]
    table = found.table.copy()
    table["town_name"] = text
    with staged(tmp_path / "x") as stage:
        write_sites(replace(found, table=table), stage)
    with (tmp_path / "x" / "sites.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {r["town_name"] for r in rows} == {f"'{text}"}


def half_way(folder, error):
    """Write half of a file, and fail."""
    with staged(folder) as stage:
        (stage / "sites.csv").write_text("half")
        raise error


def test_nothing_is_left_when_the_work_fails(tmp_path):
    target = tmp_path / "sites"
    with pytest.raises(KeyboardInterrupt):
        half_way(target, KeyboardInterrupt())
    assert not target.exists()


def test_what_stood_there_stays_when_the_work_fails(tmp_path):
    (tmp_path / "sites.csv").write_text("before")
    with pytest.raises(RuntimeError):
        half_way(tmp_path, RuntimeError())
    assert [p.name for p in tmp_path.iterdir()] == ["sites.csv"]
    assert (tmp_path / "sites.csv").read_text() == "before"


def test_a_full_disk_is_one_line(tmp_path):
    with pytest.raises(WriteError, match="No space left on device; expected"):
        half_way(tmp_path / "x", OSError(28, "No space left on device"))
    assert not (tmp_path / "x").exists()


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "x").write_text("a file")
    with pytest.raises(WriteError, match="expected a folder"), staged(tmp_path / "x"):
        pass
    assert (tmp_path / "x").read_text() == "a file"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("sites.json", b"", "is no JSON"),
        ("sites.json", b"[1]", "is of format list"),
        ("sites.json", b'{"format": 2}', "is of format 2; expected 1"),
        ("sites.json", b'{"format": 1}', "does not say which"),
        ("sites.json", b"\xff", "is no JSON"),
        ("sites.gpkg", b"SQLite format 3\0", "two runs were mixed"),
    ],
)
def test_a_damaged_folder_is_refused(copied, name, content, said):
    (copied / name).write_bytes(content)
    with pytest.raises(ReadError, match=said):
        read_sites(copied)


@pytest.mark.parametrize("name", ["sites.json", "sites.gpkg"])
def test_a_missing_file_is_named(copied, name):
    (copied / name).unlink()
    with pytest.raises(ReadError, match=name):
        read_sites(copied)


@pytest.mark.parametrize(
    "key", ["portfolios", "tornado", "criteria", "ranks", "grid", "title"]
)
def test_a_record_that_lacks_a_part_is_refused(copied, key):
    about = json.loads((copied / "sites.json").read_text("utf-8"))
    del about[key]
    (copied / "sites.json").write_text(json.dumps(about), "utf-8")
    with pytest.raises(ReadError, match="lacks what a folder of sites has"):
        read_sites(copied)


def test_no_folder_is_no_sites(tmp_path):
    with pytest.raises(GeoError, match="expected a folder that lodemap sites wrote"):
        read_sites(tmp_path / "nowhere")

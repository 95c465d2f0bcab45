import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
from click.testing import CliRunner

from layers.export.formats import FORMATS
from maps.cli import cli

OURS = ("geojson", "flatgeobuf", "geoparquet", "kmz", "kml", "shapefile", "csv")


def lodemap(*arguments, cwd=None):
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "maps", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(Path.cwd())},
    )


def refused(done):
    assert done.returncode == 1, done
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    return line


def test_help_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["export", "--help"], prog_name="lodemap")
    assert result.exit_code == 0
    golden("maps/help-export.txt", result.output)


def test_the_table_of_formats_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["export", "--list"], prog_name="lodemap")
    assert result.exit_code == 0
    head, line, *rows = result.output.splitlines()
    ours = [row for row in rows if row.split()[1] in OURS]
    golden("maps/export-formats.txt", "\n".join([head, line, *ours, ""]))


def test_the_table_of_formats_as_json():
    result = CliRunner().invoke(cli, ["export", "--list", "--json"])
    assert [row["format"] for row in json.loads(result.output)] == list(FORMATS)


def test_the_exchange_goes_to_google_earth(tmp_path):
    done = lodemap("export", "cholsan.kmz", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "cholsan.kmz\n"
    assert "lodemap: 12 tables were left out\n" in done.stderr
    names = {f.name for f in tmp_path.iterdir()}
    assert names == {"cholsan.kmz", "cholsan.kmz.losses.json"}


def test_a_folder_is_printed_as_one(tmp_path):
    done = lodemap(
        "export", "out", "--to", "csv", "--exchange", "pobeda-2014", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "out\n"
    assert (tmp_path / "out" / "losses.json").is_file()


def test_a_layer_of_the_catalogue_or_of_an_exchange(tmp_path):
    path = tmp_path / "a.geojson"
    done = lodemap("export", path, "--layer", "deposits")
    assert done.returncode == 0, done.stderr
    whole = gpd.read_file(path)
    done = lodemap("export", path, "--layer", "legs", "--exchange", "cholsan-2019")
    assert done.returncode == 0, done.stderr
    assert set(gpd.read_file(path).geom_type) == {"LineString"}
    assert set(whole.geom_type) == {"Point"}
    line = refused(lodemap("export", path, "--layer", "legs"))
    assert "no layer 'legs' in the catalogue" in line
    assert "--exchange cholsan-2019 --layer legs" in line


def test_json_tells_files_and_losses(tmp_path):
    done = lodemap(
        "export", "a.shp.zip", "--layer", "provinces", "--json", cwd=tmp_path
    )
    said = json.loads(done.stdout)
    assert said["format"] == "shapefile"
    assert [f["path"] for f in said["files"]] == ["a.shp.zip"]
    assert len(said["files"][0]["sha256"]) == 64
    assert "names shortened" in {item["kind"] for item in said["losses"]}
    assert "names were shortened" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "no FILE to write"),
        (("a.dwg",), "does not say its format"),
        (("a.geojson",), "a.geojson holds one layer, and cholsan-2019 has"),
        (("a", "--to", "dwg"), "no format 'dwg'; there are geopackage"),
        (("a.kml", "--layer", "nowhere"), "no layer 'nowhere' in the catalogue"),
        (("a.kml", "--layer", "deposits", "--as-of", "2019-01-01"), "name it with"),
        (("a.kml", "--exchange", "nowhere"), "nowhere"),
    ],
)
def test_bad_orders_are_one_line(arguments, said, tmp_path):
    assert said in refused(lodemap("export", *arguments, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


def test_the_whole_catalogue_goes_into_a_folder(tmp_path):
    from layers.catalogue import catalogue

    done = lodemap("export", "all", "--catalogue", "--to", "stac", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    root = json.loads((tmp_path / "all" / "catalog.json").read_text("utf-8"))
    children = [link["href"] for link in root["links"] if link["rel"] == "child"]
    assert len(children) >= len(catalogue())


def test_the_catalogue_is_not_an_exchange(tmp_path):
    done = lodemap(
        *("export", "a.gpkg", "--catalogue", "--layer", "deposits"), cwd=tmp_path
    )
    assert "leave out --exchange and --layer" in refused(done)
    assert list(tmp_path.iterdir()) == []

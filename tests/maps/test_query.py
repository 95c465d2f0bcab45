import csv
import io
import json
import os
import pty
import subprocess
import sys

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import layers
from maps.cli import cli
from maps.results import table_lines


def lodemap(*arguments, cwd=None, stdin=None):
    """Run the command as a user does: a process, its output and its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "maps", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )


def refused(done):
    """The one line with which bad input is refused."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("lodemap: ")
    return line


def test_help_is_the_same_as_reviewed(golden):
    result = CliRunner().invoke(cli, ["query", "--help"], prog_name="lodemap")
    assert result.exit_code == 0
    golden("maps/help-query.txt", result.output)


def test_a_table_is_printed_for_people(golden):
    query = (
        "SELECT name_left, name_ko_left, name_right, round(distance_m) AS metres, "
        "geometry FROM nearest('deposits', 'crossings') ORDER BY metres, name_left"
    )
    done = lodemap("query", query, "--limit", 4)
    assert done.returncode == 0, done.stderr
    golden("maps/query.txt", done.stdout)
    assert done.stderr.splitlines() == [
        "lodemap: 4 of 11 rows shown; --limit 0 shows all, -o keeps them",
        "lodemap: some cells are shortened; --format csv or json gives them whole",
    ]
    everything = lodemap("query", query, "--limit", 0)
    assert len(everything.stdout.splitlines()) == 12


def test_a_query_may_come_from_stdin():
    done = lodemap("query", "-", "--format", "csv", stdin="SELECT 1 AS a\n-- end\n")
    assert (done.stdout, done.stderr) == ("a\n1\n", "")


def test_a_measure_in_degrees_is_told_on_stderr_and_the_data_stay_clean():
    done = lodemap(
        "query", "SELECT max(ST_Area(geometry)) AS a FROM provinces", "--format", "csv"
    )
    assert done.returncode == 0
    assert float(done.stdout.splitlines()[1]) < 100
    [line] = done.stderr.splitlines()
    assert line.startswith("lodemap: ST_Area works in the unit of the coordinates")


QUERY = "SELECT id, name_ko, uncertainty_m, opened, geometry FROM crossings ORDER BY id"


@pytest.fixture(scope="module")
def crossings():
    return layers.sql(QUERY)


def test_csv_is_whole(crossings):
    done = lodemap("query", QUERY, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert [row["id"] for row in rows] == crossings.id.tolist()
    assert [row["name_ko"] for row in rows] == crossings.name_ko.tolist()
    shapes = shapely.from_wkt([row["geometry"] for row in rows])
    assert shapely.equals_exact(shapes, crossings.geometry.array).all()


def test_geojson_is_rfc_7946(tmp_path):
    file = tmp_path / "out.geojson"
    done = lodemap("query", "SELECT id, geometry FROM provinces", "-o", file)
    assert (done.stdout, done.stderr) == (f"{file}\n", "")
    told = json.loads(file.read_text("utf-8"))
    assert told["type"] == "FeatureCollection"
    assert "crs" not in told
    provinces = layers.load("provinces")
    for feature in told["features"]:
        shape = shapely.geometry.shape(feature["geometry"])
        for part in shapely.get_parts(shape):
            assert part.exterior.is_ccw
            assert not any(hole.is_ccw for hole in part.interiors)
        [same] = provinces[provinces.id == feature["properties"]["id"]].geometry
        assert shape.equals(same)
        assert shapely.get_num_coordinates(shape) == shapely.get_num_coordinates(same)
    assert gpd.read_file(file).crs == "EPSG:4326"


def test_holes_run_clockwise(tmp_path):
    file = tmp_path / "out.geojson"
    ring = "POLYGON((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 2 1, 2 2, 1 2, 1 1))"
    query = f"SELECT ST_SetCRS(ST_GeomFromText('{ring}'), 'EPSG:4326') AS g"
    assert lodemap("query", query, "-o", file).returncode == 0
    shape = gpd.read_file(file).geometry[0]
    assert shape.exterior.is_ccw
    assert not shape.interiors[0].is_ccw


def test_geoparquet_has_its_crs_and_comes_back_the_same(tmp_path, crossings):
    file = tmp_path / "out.parquet"
    assert lodemap("query", QUERY, "-o", file).returncode == 0
    back = gpd.read_parquet(file)
    assert back.crs == "EPSG:4326"
    assert back.id.tolist() == crossings.id.tolist()
    assert shapely.equals_exact(back.geometry.array, crossings.geometry.array).all()
    again = lodemap(
        "query", "SELECT count(*) AS n FROM own", "--file", f"own={file}", "--format",
        "csv",
    )  # fmt: skip
    assert again.stdout == f"n\n{len(crossings)}\n"
    plain = tmp_path / "plain.parquet"
    assert lodemap("query", "SELECT 1 AS a", "-o", plain).returncode == 0
    assert pd.read_parquet(plain).a.tolist() == [1]


def test_json_has_null_for_what_is_missing():
    query = (
        "SELECT NULL AS a, 'nan'::DOUBLE AS b, 1.5 AS c, DATE '2019-10-31' AS d, "
        "[1, NULL] AS e, 18446744073709551617 AS f, {'x': 'é'} AS g, true AS h, "
        "ST_Point(1, 2) AS i, NULL::GEOMETRY AS j, '\x1f'::BLOB AS k"
    )
    done = lodemap("query", query, "--format", "json")
    [row] = json.loads(done.stdout)
    assert row == {
        "a": None,
        "b": None,
        "c": 1.5,
        "d": "2019-10-31",
        "e": [1, None],
        "f": 18446744073709551617,
        "g": {"x": "é"},
        "h": True,
        "i": {"type": "Point", "coordinates": [1.0, 2.0]},
        "j": None,
        "k": "1f",
    }
    assert lodemap("query", "FROM deposits LIMIT 0", "--format", "json").stdout.split()


def test_no_rows_are_no_rows_in_every_format(tmp_path):
    query = "SELECT id, geometry FROM deposits LIMIT 0"
    assert lodemap("query", query).stdout.split() == ["id", "geometry"]
    assert lodemap("query", query, "--format", "csv").stdout == "id,geometry\n"
    assert json.loads(lodemap("query", query, "--format", "json").stdout) == []
    told = json.loads(lodemap("query", query, "--format", "geojson").stdout)
    assert told["features"] == []
    file = tmp_path / "none.parquet"
    assert lodemap("query", query, "-o", file).returncode == 0
    assert gpd.read_parquet(file).empty


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["FROM nowhere"], "no table 'nowhere'"),
        (["SELEC 1"], "the query cannot be read"),
        (["FROM read_csv('x.csv')"], "--file name=path"),
        (["COPY (SELECT 1) TO 'x.csv'"], "COPY is not allowed"),
        (["SELECT 1", "--file", "pits.csv"], "expected NAME=FILE"),
        (["SELECT 1", "--file", "=x.csv"], "expected NAME=FILE"),
        (["SELECT 1", "--file", "a b=x.csv"], "no name for a table"),
        (["SELECT 1", "--file", "a=x.csv", "--file", "a=y.csv"], "twice"),
        (["FROM own", "--file", "own=absent.gpkg"], "absent.gpkg cannot be read"),
        (["FROM deposits", "-o", "out.xlsx"], "ends in .csv"),
        (["FROM deposits", "-o", "no/such/out.csv"], "cannot write"),
        (["FROM deposits", "-o", "out.csv", "--format", "csv"], "drop --format"),
        (["SELECT 1 AS a", "--format", "geojson"], "one geometry column"),
        (["SELECT geometry, geometry FROM deposits", "-o", "x.geojson"], "gives 2"),
        (
            [
                "SELECT ST_Transform(geometry, 'EPSG:32651') AS g FROM deposits",
                "-o",
                "x.geojson",
            ],
            "is in EPSG:32651",
        ),
        (["SELECT ST_Point(1, 2) AS g", "-o", "x.geojson"], "no known CRS"),
        (["SELECT 1", "--memory-gb", "0"], "expected more than 0"),
    ],
)
def test_bad_input_is_one_line_and_nothing_is_written(tmp_path, arguments, message):
    assert message in refused(lodemap("query", *arguments, cwd=tmp_path))
    assert not any(tmp_path.iterdir())


def test_what_stood_there_stays_when_a_write_fails(tmp_path, monkeypatch):
    file = tmp_path / "out.csv"
    file.write_text("old")

    def fail(_, stream):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setitem(__import__("maps.results").results.WRITERS, "csv", fail)
    result = CliRunner().invoke(cli, ["query", "SELECT 1", "-o", str(file)])
    assert isinstance(result.exception, layers.WriteError)
    assert file.read_text() == "old"
    assert [f.name for f in tmp_path.iterdir()] == ["out.csv"]


def test_control_characters_do_not_reach_the_terminal():
    done = lodemap("query", "SELECT chr(27) || '[31m' AS \"a\x1b[0m\", ['\x07'] AS b")
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_columns_stand_below_each_other_in_every_script():
    frame = pd.DataFrame({"name": ["철산", "Cholsan", "铁山郡"], "n": [1, 22, 333]})
    lines, shortened = table_lines(frame, 0)
    assert not shortened
    assert lines == ["name       n", "철산       1", "Cholsan   22", "铁山郡   333"]


def test_progress_is_drawn_on_a_terminal_alone():
    query = "SELECT count(*) AS n FROM range(150000) a(i), range(150000) b(i) "
    query += "WHERE a.i * 7 > b.i * 3 AND a.i % 7 = b.i % 5"
    main, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "maps", "query", query, "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as child:
        out, _ = child.communicate(timeout=180)
    os.close(terminal)
    drawn = b""
    try:
        while chunk := os.read(main, 4096):
            drawn += chunk
    except OSError:
        pass
    os.close(main)
    assert out.startswith(b"n\n")
    assert drawn == b"" or (
        b"lodemap: " in drawn and drawn.rstrip(b" ").endswith(b"\r")
    )


def test_the_help_and_the_import_of_the_command_are_light():
    code = (
        "import sys, maps.query; print(*sorted({'duckdb', 'pyarrow', 'geopandas'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""

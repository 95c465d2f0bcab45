import csv
import json
from dataclasses import replace

import pytest

from layers.export.formats import FORMATS
from tests.apart import JUDGES, NoProgramsError
from tests.layers.export.hard_values import NAMES, VALUES, of_names, of_values
from tests.layers.export.small import claims, counties, mines, small


def write(content, folder, name="a.csv"):
    paths = FORMATS["csv"].write(content, folder / name)
    return paths[0]


def lines(path):
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_excel_sees_utf_8_and_every_line_ends_alike(tmp_path):
    path = write(small(sheets=(mines(),), relations=()), tmp_path)
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbfid,mark,")
    assert data.count(b"\n") == data.count(b"\r\n") == 4


def test_points_have_lon_and_lat_and_areas_a_point_on_them(tmp_path):
    head, *rows = lines(write(small(sheets=(mines(),), relations=()), tmp_path))
    assert head[-3:] == ["lon", "lat", "wkt"]
    assert rows[0][-3:] == ["124.664", "39.73", "POINT (124.664 39.73)"]
    _, north, _ = lines(write(small(sheets=(counties(),), relations=()), tmp_path))
    lon, lat, wkt = north[-3:]
    assert wkt.startswith("POLYGON ((")
    hole = (124.4 < float(lon) < 124.6) and (39.4 < float(lat) < 39.6)
    assert 124 < float(lon) < 125
    assert not hole
    about = json.loads((tmp_path / "a.csv-metadata.json").read_text("utf-8"))
    said = about["tableSchema"]["columns"][-3]["dc:description"]
    assert said == "Longitude (WGS 84) of a point on it"


def test_columns_that_are_named_like_ours_are_kept(tmp_path):
    head, row = lines(write(of_names(["lon", "lat", "wkt"]), tmp_path))
    assert head == ["id", "lon", "lat", "wkt", "lon_", "lat_", "wkt_"]
    assert row[1:4] == ["value 0", "value 1", "value 2"]


def test_no_cell_is_a_formula(tmp_path):
    hostile = ["=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(1)", "\t=1"]
    path = write(of_values(hostile), tmp_path)
    for row in lines(path)[1:]:
        assert row[1].startswith("'")
        assert row[1][1:] in hostile
    head, _ = lines(write(of_names(["=1+1"]), tmp_path))
    assert head[1] == "'=1+1"
    numbers = lines(write(of_values([-1.5, 2.0, 3.0, 4.0, 5.0]), tmp_path))
    assert numbers[1][1] == "-1.5"


def test_a_table_has_no_place(tmp_path):
    head, *_ = lines(write(small(sheets=(claims(),), relations=()), tmp_path))
    assert head == ["id", "says", "value"]


def test_the_metadata_says_source_and_units(tmp_path):
    write(small(sheets=(mines(),), relations=()), tmp_path)
    about = json.loads((tmp_path / "a.csv-metadata.json").read_text("utf-8"))
    assert about["url"] == "a.csv"
    assert about["dc:license"] == "CC-BY-4.0"
    assert about["dc:rights"] == "© Nobody"
    columns = {c["name"]: c for c in about["tableSchema"]["columns"]}
    assert columns["grade"]["schema:unitText"] == "%"
    assert columns["year"]["datatype"] == "integer"
    assert about["tableSchema"]["primaryKey"] == "id"


CHECK = """
import pathlib, sys, warnings
warnings.simplefilter("error")
from csvw import CSVW
table = CSVW(sys.argv[1], validate=True)
assert table.is_valid, table.warnings
print(sum(1 for _ in table.tables[0]))
"""


@pytest.mark.parametrize(
    "content",
    [
        small(sheets=(mines(),), relations=()),
        small(sheets=(counties(),), relations=()),
        *(of_names(NAMES[kind]) for kind in ("hangul names", "hostile names")),
        *(of_values(VALUES[k]) for k in ("infinite numbers", "lines", "missing truth")),
    ],
)
def test_csvw_finds_it_valid(content, tmp_path):
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    write(content, tmp_path)
    done = JUDGES.run("python", "-c", CHECK, tmp_path / "a.csv-metadata.json")
    assert done.returncode == 0, done.stderr[-1500:]
    assert int(done.stdout) == len(content.sheets[0].table)


def test_csvw_finds_a_wrong_type(tmp_path):
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    path = write(of_values([1, 2, 3, 4, 5]), tmp_path)
    path.write_bytes(path.read_bytes().replace(b",3,", b",three,"))
    done = JUDGES.run("python", "-c", CHECK, tmp_path / "a.csv-metadata.json")
    assert done.returncode != 0


def test_titles_are_never_formulas(tmp_path):
    [sheet] = of_values(["a"] * 5).sheets
    content = replace(of_values(["a"] * 5), sheets=(replace(sheet, title="=1"),))
    assert "=1" not in write(content, tmp_path).read_text("utf-8")

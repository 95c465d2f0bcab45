"""Data packages: their files are what the descriptor says, by another program too."""

import csv
import hashlib
import io
import json
from dataclasses import replace

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from layers.errors import SchemaError
from layers.export.datapackage import DESCRIPTOR, write_datapackage
from tests.apart import FRICTIONLESS, NoProgramsError
from tests.layers.export.small import EVIL, HANGUL, counties, mines, raster, small


@pytest.fixture
def package(tmp_path):
    source = raster(tmp_path / "height.tif")
    files = write_datapackage(small(rasters={"height": source}), tmp_path / "package")
    assert files[0] == tmp_path / "package" / DESCRIPTOR
    return tmp_path / "package"


def described(package):
    return json.loads((package / DESCRIPTOR).read_text("utf-8"))


def resource(package, name):
    return next(r for r in described(package)["resources"] if r["name"] == name)


def read(package, name):
    text = (package / "data" / f"{name}.csv").read_bytes().decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_each_file_is_as_large_and_has_the_hash_that_is_said(package):
    resources = described(package)["resources"]
    assert len(resources) == 7
    for found in resources:
        data = (package / found["path"]).read_bytes()
        assert found["bytes"] == len(data)
        assert found["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_cells_are_the_values(package):
    rows = read(package, "mines")
    assert [row["name"] for row in rows] == [HANGUL, EVIL, ""]
    assert [row["year"] for row in rows] == ["1951", "", "2019"]
    assert [row["grade"] for row in rows] == ["1.5", "", "0.30000000000000004"]
    assert [row["open"] for row in rows] == ["true", "", "false"]
    assert [row["seen"] for row in rows] == ["2019-10-15", "", "1951-01-02"]
    assert rows[0]["read"] == "2026-11-23T08:00:00Z"
    assert (rows[0]["lon"], rows[0]["lat"]) == ("124.664", "39.73")
    assert [row["says"] for row in read(package, "claims")] == ["=1+1", HANGUL]
    shapes = shapely.from_wkt([row["wkt"] for row in read(package, "counties")])
    assert shapely.equals(shapes, counties().table.geometry.to_numpy()).all()


def test_the_schema_says_types_units_and_keys(package):
    schema = resource(package, "mines")["schema"]
    fields = {field["name"]: field for field in schema["fields"]}
    assert list(fields) == [*read(package, "mines")[0]]
    assert {name: field["type"] for name, field in fields.items()} == {
        "id": "string",
        "mark": "string",
        "name": "string",
        "year": "integer",
        "grade": "number",
        "open": "boolean",
        "seen": "date",
        "read": "datetime",
        "county": "string",
        "claims": "string",
        "lon": "number",
        "lat": "number",
        "wkt": "string",
    }
    assert (fields["grade"]["unit"], fields["grade"]["title"]) == ("%", "Grade")
    assert fields["lon"]["unit"] == "degrees"
    assert schema["primaryKey"] == ["id"]
    assert schema["foreignKeys"] == [
        {"fields": ["county"], "reference": {"resource": "counties", "fields": ["id"]}}
    ]
    assert "primaryKey" not in resource(package, "mine_claims")["schema"]


def test_licences_and_sources_stand_with_each_resource(package):
    found = resource(package, "mines")
    assert found["licenses"] == [
        {"name": "CC-BY-4.0", "path": "licences/CC-BY-4.0.txt"}
    ]
    assert "Attribution" in (package / "licences" / "CC-BY-4.0.txt").read_text("utf-8")
    assert found["sources"][0]["path"] == "https://doi.org/10.1234/abc"
    assert found["rights"] == "© Nobody"


def test_geojson_has_ids_and_rings_the_right_way_round(package):
    file = package / "data" / "counties.geojson"
    found = json.loads(file.read_text("utf-8"))
    assert (found["license"], found["title"]) == (
        "LicenseRef-public-domain",
        "Counties",
    )
    assert [f["id"] for f in found["features"]] == ["north", "south"]
    assert found["bbox"] == [124, 38, 128, 40]
    outer, hole = found["features"][0]["geometry"]["coordinates"]
    assert shapely.is_ccw(shapely.LinearRing(outer))
    assert not shapely.is_ccw(shapely.LinearRing(hole))
    read_back = gpd.read_file(file)
    assert shapely.equals(
        read_back.geometry.to_numpy(), counties().table.geometry.to_numpy()
    ).all()


def test_two_exports_are_the_same(package, tmp_path):
    source = tmp_path / "height.tif"
    before = {f.name: f.read_bytes() for f in package.rglob("*") if f.is_file()}
    files = write_datapackage(small(rasters={"height": source}), package)
    assert {f.name: f.read_bytes() for f in files} == before


def test_a_column_that_is_named_like_a_place_is_kept(tmp_path):
    table = mines().table.assign(lon=1.0)
    content = small(sheets=(replace(mines(), table=table),), relations=())
    write_datapackage(content, tmp_path)
    [row, *_] = read(tmp_path, "mines")
    assert (row["lon"], row["lon_"]) == ("1.0", "124.664")
    fields = resource(tmp_path, "mines")["schema"]["fields"]
    assert [field["name"] for field in fields] == list(row)
    assert [field.get("unit") for field in fields if field["name"][:3] == "lon"] == [
        None,
        "degrees",
    ]


def test_what_cannot_be_said_is_refused(tmp_path):
    table = mines().table.copy()
    table.columns = ["id", "id", *table.columns[2:]]
    with pytest.raises(SchemaError, match="'id' stands twice"):
        write_datapackage(
            small(sheets=(replace(mines(), table=table),)), tmp_path / "package"
        )
    for name in ("../x", "", "Mines", "1"):
        with pytest.raises(SchemaError, match="cannot name a file"):
            write_datapackage(
                small(sheets=(replace(mines(), id=name),)), tmp_path / "package"
            )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def judge():
    try:
        FRICTIONLESS.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))

    def judged(package):
        done = FRICTIONLESS.run(
            "frictionless", "validate", "--json", package / DESCRIPTOR
        )
        return json.loads(done.stdout)

    return judged


def errors(report):
    return {
        (task["name"], error["type"])
        for task in report["tasks"]
        for error in task["errors"]
    }


def test_frictionless_finds_it_valid_and_finds_tampering(package, judge):
    report = judge(package)
    assert report["valid"], errors(report)
    assert len(report["tasks"]) == 7
    file = package / "data" / "mines.csv"
    good = file.read_bytes()
    file.write_bytes(good.replace(b"124.664", b"124.665"))
    assert errors(judge(package)) == {("mines", "hash-count")}
    file.write_bytes(good)
    places = package / "data" / "mines.geojson"
    places.write_bytes(places.read_bytes().replace(b"124.664", b"124.665"))
    assert not judge(package)["valid"]


def test_frictionless_follows_keys_and_types(tmp_path, judge):
    package = tmp_path / "package"
    write_datapackage(small(), package)
    record = described(package)
    for found in record["resources"]:
        found.pop("hash"), found.pop("bytes")
    (package / DESCRIPTOR).write_text(json.dumps(record))
    assert judge(package)["valid"]
    file = package / "data" / "mines.csv"
    text = file.read_text("utf-8")
    file.write_text(text.replace("1951,", "then,").replace("north", "nowhere"), "utf-8")
    assert {kind for _, kind in errors(judge(package))} == {"type-error", "foreign-key"}


def test_lists_and_decimals_are_valid_too(tmp_path, judge):
    from decimal import Decimal

    from layers.export.content import Sheet

    table = pd.DataFrame(
        {
            "list": [["a", "b"], None],
            "sum": [Decimal("1.10"), None],
            "far": [float("inf"), float("-inf")],
        }
    )
    odd = Sheet(id="odd", title="Odd", abstract="", table=table)
    write_datapackage(small(sheets=(odd,), relations=()), tmp_path / "package")
    report = judge(tmp_path / "package")
    assert report["valid"], errors(report)

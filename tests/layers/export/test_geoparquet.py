import json

import geopandas as gpd
import pyarrow.parquet as pq
import pytest

import layers
from layers.export.formats import FORMATS
from tests.apart import JUDGES, NoProgramsError
from tests.layers.export.hard_values import SHAPES, of_names, of_shapes
from tests.layers.export.small import HANGUL, claims, counties, mines, small


def write(sheet, folder):
    path = folder / "a.parquet"
    FORMATS["geoparquet"].write(small(sheets=(sheet,), relations=()), path)
    return path


def test_geopandas_reads_the_same_layer(tmp_path):
    gdf = gpd.read_parquet(write(mines(), tmp_path))
    assert gdf.crs == "EPSG:4326"
    assert gdf.geometry.to_list() == mines().table.geometry.to_list()
    assert gdf["name"].iloc[0] == HANGUL
    part = gpd.read_parquet(tmp_path / "a.parquet", bbox=(124, 39.5, 125, 40))
    assert list(part["id"]) == ["a"]


def test_columns_and_file_say_what_they_are(tmp_path):
    schema = pq.read_schema(write(mines(), tmp_path))
    said = {k.decode(): v.decode() for k, v in schema.metadata.items()}
    assert said["title"] == "Mines"
    assert said["licence"] == "CC-BY-4.0"
    assert said["rights"] == "© Nobody"
    grade = schema.field("grade").metadata
    assert grade == {
        b"title": b"Grade",
        b"description": b"Share of ore.",
        b"unit": b"%",
    }
    assert str(schema.field("seen").type) == "date32[day]"
    geo = json.loads(said["geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"]["geometry"]["geometry_types"] == ["Point"]
    columns = pq.read_metadata(tmp_path / "a.parquet").row_group(0)
    assert columns.column(0).compression == "ZSTD"


def test_a_table_is_plain_parquet(tmp_path):
    path = write(claims(), tmp_path)
    assert b"geo" not in pq.read_schema(path).metadata
    assert pq.read_table(path).column_names == ["id", "says", "value"]


def test_columns_that_are_named_like_ours_are_kept(tmp_path):
    path = tmp_path / "a.parquet"
    FORMATS["geoparquet"].write(of_names(["bbox"]), path)
    assert pq.read_schema(path).names == ["id", "bbox", "geometry", "bbox_"]
    gdf = gpd.read_parquet(path)
    assert list(gdf["bbox"]) == ["value 0"]


def test_duckdb_reads_geometry_and_hangul(tmp_path):
    path = write(counties(), tmp_path)
    found = layers.sql(
        "SELECT id, ST_GeometryType(geometry)::VARCHAR AS kind FROM c ORDER BY id",
        files={"c": path},
    )
    assert found.to_numpy().tolist() == [
        ["north", "POLYGON"],
        ["south", "MULTIPOLYGON"],
    ]


@pytest.mark.parametrize(
    "content",
    [
        small(sheets=(mines(),), relations=()),
        *(of_shapes(SHAPES[k]) for k in ("collection", "heights", "past 180")),
        of_names(["bbox"]),
    ],
)
def test_gpio_finds_it_to_the_letter_of_the_specification(content, tmp_path):
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    path = tmp_path / "a.parquet"
    FORMATS["geoparquet"].write(content, path)
    done = JUDGES.run("gpio", "check", "spec", path)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-3000:]
    assert "version 1.1.0" in said
    assert " 0 failed" in said


def test_gpio_has_no_better_advice(tmp_path):
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    path = tmp_path / "a.parquet"
    FORMATS["geoparquet"].write(small(sheets=(mines(),), relations=()), path)

    def said_of(file):
        done = JUDGES.run("gpio", "check", "all", file)
        return done.stdout + done.stderr

    said = said_of(path)
    for part in ("row group", "bbox column", "ZSTD", "spatially ordered", "passed"):
        assert part.lower() in said.lower()
    assert "✗" not in said
    assert "⚠" not in said
    pq.write_table(pq.read_table(path).drop_columns("bbox"), path, compression="snappy")
    worse = said_of(path)
    assert "⚠" in worse or "✗" in worse

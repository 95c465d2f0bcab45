import hashlib
import json

import geopandas as gpd
import pytest
import shapely

import layers
from layers.errors import LayerNotFoundError, SchemaError, WriteError
from layers.export.formats import FORMATS, find_format, format_of
from layers.export.writing import as_content, losses_table
from tests.layers.export.reading_back import READERS
from tests.layers.export.small import small


def pits():
    gdf = gpd.GeoDataFrame(
        {"name": ["갱", "Pit"]},
        geometry=[shapely.Point(125, 39), shapely.Point(126, 40)],
        crs=4326,
    )
    gdf.attrs |= {"title": "Pits", "licence": "CC0-1.0", "source": "Our survey"}
    return gdf


def test_a_frame_is_written_and_read_back(tmp_path):
    written = layers.write(pits(), tmp_path / "pits.geojson")
    assert written.format == "geojson"
    assert written.paths == (tmp_path / "pits.geojson",)
    back = gpd.read_file(written.paths[0])
    assert list(back["name"]) == ["갱", "Pit"]
    assert list(back["id"]) == ["1", "2"]


def test_the_report_stands_beside_with_hashes(tmp_path):
    written = layers.write(small(), tmp_path / "world.kmz")
    assert written.report == tmp_path / "world.kmz.losses.json"
    said = json.loads(written.report.read_text("utf-8"))
    data = (tmp_path / "world.kmz").read_bytes()
    assert said["files"] == {
        "world.kmz": {
            "bytes": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
    }
    assert written.sha256["world.kmz"] == said["files"]["world.kmz"]["sha256"]
    assert said["losses"] == written.losses.as_records()
    assert {item["kind"] for item in said["losses"]} >= {"tables left out"}


def test_a_folder_holds_its_own_report(tmp_path):
    written = layers.write(small(), tmp_path / "world", to="csv")
    assert written.report == tmp_path / "world" / "losses.json"
    said = json.loads(written.report.read_text("utf-8"))
    assert (
        said["files"].keys() == written.sha256.keys() == {p.name for p in written.paths}
    )


def test_layers_of_the_catalogue(tmp_path):
    written = layers.write(["crossings"], tmp_path / "crossings.parquet")
    table = gpd.read_parquet(written.paths[0])
    assert len(table) == len(layers.load("crossings"))
    assert written.losses.counts["tables left out"] == 1
    one = layers.write("crossings", tmp_path / "again.parquet")
    assert one.paths[0].read_bytes() == written.paths[0].read_bytes()
    many = layers.write(["crossings", "sources"], tmp_path / "two", to="csv")
    assert {p.stem for p in many.paths if p.suffix == ".csv"} == {
        "crossings",
        "sources",
        "layers",
    }


def test_one_table_of_the_catalogue_is_one_file(tmp_path):
    written = layers.write(["sources"], tmp_path / "sources.csv")
    assert written.paths[0].read_text("utf-8-sig").startswith("id,")


def test_an_exchange_by_id_or_itself(tmp_path):
    by_id = layers.write("pobeda-2014", tmp_path / "a.kmz")
    deal = layers.load_exchange("pobeda-2014")
    itself = layers.write(deal, tmp_path / "b.kmz")
    assert by_id.paths[0].read_bytes() == itself.paths[0].read_bytes()


def test_only_some_layers_and_the_links_between_them(tmp_path):
    written = layers.write(small(), tmp_path / "a", to="geojson", layers=["mines"])
    assert {p.name for p in written.paths} == {"mines.geojson", "README.txt"}
    assert "links undeclared" not in written.losses.counts
    with pytest.raises(LayerNotFoundError, match="no layer 'mimes'; there are: mines"):
        layers.write(small(), tmp_path / "b", to="geojson", layers=["mimes"])


def test_the_ending_says_the_format(tmp_path):
    for name, key in {
        "a.GeoJSON": "geojson",
        "a.shp.zip": "shapefile",
        "a.gpkg": "geopackage",
        "a.kml": "kml",
        "a.geoparquet": "geoparquet",
    }.items():
        assert format_of(tmp_path / name).key == key
    with pytest.raises(WriteError, match=r"Write a\.shp\.zip"):
        layers.write(pits(), tmp_path / "a.shp")
    for name in ("a.dwg", "a.zip", "a"):
        with pytest.raises(WriteError, match=r"does not say its format.*--to FORMAT"):
            layers.write(pits(), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_other_names_of_formats():
    assert find_format("GPKG").key == "geopackage"
    assert find_format(".fgb").key == "flatgeobuf"
    assert find_format("shp").key == "shapefile"


def test_a_frame_without_source_says_so(tmp_path):
    gdf = pits()
    gdf.attrs = {}
    with pytest.raises(SchemaError, match="licence and source"):
        layers.write(gdf, tmp_path / "a.kml")
    layers.write(gdf, tmp_path / "a.kml", unsourced=True)
    text = (tmp_path / "a.kml").read_text("utf-8")
    assert "Nobody has said where this layer comes from" in text


def test_no_such_folder_is_told(tmp_path):
    with pytest.raises(WriteError, match="No such file or directory"):
        layers.write(pits(), tmp_path / "none" / "a.geojson")


def test_a_content_is_itself():
    content = small()
    assert as_content(content) is content


def test_the_table_of_losses_names_each_once():
    rows = [(r["format"], r["kind"]) for r in losses_table() if r["format"] in READERS]
    assert len(rows) == len(set(rows))
    assert {key for key, _ in rows} == READERS.keys()


@pytest.mark.parametrize("form", FORMATS.values(), ids=list(FORMATS))
def test_every_format_has_a_writer(form):
    assert callable(form.write)
    assert form.about

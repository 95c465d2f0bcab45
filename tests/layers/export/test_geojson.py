import json

import pytest
import shapely

from layers.export.formats import FORMATS
from tests.layers.export.hard_values import CLOCKWISE, of_shapes
from tests.layers.export.small import counties, mines, small


@pytest.fixture
def collection(tmp_path):
    def write(content):
        path = tmp_path / "a.geojson"
        FORMATS["geojson"].write(content, path)
        return json.loads(path.read_text("utf-8"))

    return write


def test_the_collection_says_what_it_is(collection):
    found = collection(small(sheets=(mines(),), relations=()))
    assert found["type"] == "FeatureCollection"
    assert "crs" not in found
    assert found["title"] == "Mines"
    assert found["license"] == "CC-BY-4.0"
    assert found["attribution"] == "© Nobody"
    assert found["source"].endswith("https://doi.org/10.1234/abc")
    assert found["retrieved"] == "2026-11-23"
    assert found["bbox"] == [124.664, 39.0, 127.586, 40.331]
    assert [f["id"] for f in found["features"]] == ["a", "b", "c"]
    assert found["features"][0]["properties"]["seen"] == "2019-10-15"


def test_rings_run_as_rfc_7946_has_it(collection):
    for content in (
        small(sheets=(counties(),), relations=()),
        of_shapes([shapely.from_wkt(CLOCKWISE)]),
    ):
        for feature in collection(content)["features"]:
            place = feature["geometry"]
            parts = place["coordinates"]
            for polygon in parts if place["type"] == "MultiPolygon" else [parts]:
                outer, *holes = (shapely.LinearRing(ring) for ring in polygon)
                assert outer.is_ccw
                assert not any(hole.is_ccw for hole in holes)


def test_what_runs_past_180_is_cut_there(collection):
    disc = shapely.Point(179.5, 60).buffer(2)
    found = collection(of_shapes([disc]))
    place = shapely.from_geojson(json.dumps(found["features"][0]["geometry"]))
    assert place.geom_type == "MultiPolygon"
    assert place.bounds[0] == -180
    assert place.bounds[2] == 180
    assert place.area == pytest.approx(disc.area)
    assert found["bbox"][::2] == [-180, 180]


def test_nothing_has_no_box(collection):
    assert "bbox" not in collection(of_shapes([None]))

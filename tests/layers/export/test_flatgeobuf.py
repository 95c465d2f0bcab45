import pyogrio
import pytest

from layers.export.formats import FORMATS
from tests.layers.export.hard_values import VALUES, of_shapes, of_values
from tests.layers.export.small import mines, small


@pytest.fixture
def layer(tmp_path):
    path = tmp_path / "a.fgb"
    FORMATS["flatgeobuf"].write(small(sheets=(mines(),), relations=()), path)
    return path


def test_it_has_an_index_and_says_what_it_is(layer):
    about = pyogrio.read_info(layer)
    assert about["crs"] == "EPSG:4326"
    assert about["geometry_type"] == "Point"
    assert about["capabilities"]["fast_spatial_filter"]
    head = layer.read_bytes()[:1500]
    assert b"Mines" in head
    assert "© Nobody CC-BY-4.0".encode() in head


def test_a_window_gives_only_what_lies_in_it(layer):
    found = pyogrio.read_dataframe(layer, bbox=(124, 39.5, 125, 40))
    assert list(found["id"]) == ["a"]


def test_milliseconds_are_kept(tmp_path):
    path = tmp_path / "a.fgb"
    FORMATS["flatgeobuf"].write(of_values(VALUES["milliseconds"]), path)
    times = pyogrio.read_dataframe(path)["v"].dropna()
    assert {t.microsecond for t in times} == {123000}


def test_a_layer_of_no_place_at_all_is_still_a_file(tmp_path):
    path = tmp_path / "a.fgb"
    FORMATS["flatgeobuf"].write(of_shapes([None, None]), path)
    assert len(pyogrio.read_dataframe(path)) == 0

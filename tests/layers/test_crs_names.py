import json

import pytest
from pyproj import CRS

from layers.crs_names import is_code, opens_nothing
from tests.layers.opened import watched

CODES = ["EPSG:4326", "epsg:32651", "ESRI:102100", "OGC:CRS84", "EPSG:2263"]

OPENING = [
    "+init=FOLDER/init:42",
    "  +init=FOLDER/init:42 +type=crs",
    "init=FOLDER/init:42",
    "+proj=utm +zone=51",
    "+proj=longlat +nadgrids=FOLDER/grid +type=crs",
    "+proj=longlat +nadgrids=http://127.0.0.1:9/grid.tif",
    "+proj=longlat +geoidgrids=@FOLDER/grid",
    "FOLDER/init",
    "file:FOLDER/init",
    "http://127.0.0.1:9/x",
    "init:42",
    "EPSG:4326+5773",
    "EPSG:",
    ":4326",
    "EPSG:4326 ",
    "EPSG:43/26",
    "EPSG:4326\n",
    "",
    None,
    4326,
    ["EPSG:4326"],
    {"init": "FOLDER/init:42"},
    {"proj": "longlat", "nadgrids": "FOLDER/grid"},
    {"type": "GeographicCRS", "init": "FOLDER/init:42"},
    {"type": "GeographicCRS", "name": "x", "deep": [{"init": "FOLDER/init:42"}]},
    '{"init": "FOLDER/init:42"}',
    'GEOGCS["x",DATUM["x",SPHEROID["x",6e6,299],EXTENSION["PROJ4_GRIDS","FOLDER/g"]]]',
    "{" * 5,
]


@pytest.mark.parametrize("code", CODES)
def test_a_code_of_an_authority_is_a_name(code):
    assert is_code(code)
    assert opens_nothing(code)


@pytest.mark.parametrize("named", OPENING, ids=str)
def test_whatever_could_name_a_file_is_none(named, tmp_path):
    (tmp_path / "init").write_text("<42> +proj=utm +zone=51 +datum=WGS84\n")
    text = json.dumps(named).replace("FOLDER", str(tmp_path))
    assert not is_code(json.loads(text))
    assert not opens_nothing(json.loads(text))


@pytest.mark.filterwarnings("ignore:.*init")
def test_the_watch_sees_what_proj_opens(tmp_path):
    (tmp_path / "init").write_text("<42> +proj=utm +zone=51 +datum=WGS84\n")
    with watched(tmp_path) as opened:
        CRS.from_user_input(f"+init={tmp_path}/init:42")
        assert "init" in opened()


@pytest.mark.parametrize(
    "code", ["EPSG:4326", "EPSG:32651", "EPSG:3857", "EPSG:5179", "EPSG:2263"]
)
@pytest.mark.parametrize("form", ["WKT2_2019", "WKT1_GDAL", "WKT1_ESRI", "PROJJSON"])
def test_a_crs_that_is_written_out_opens_nothing(code, form):
    crs = CRS(code)
    written = crs.to_json() if form == "PROJJSON" else crs.to_wkt(form)
    assert opens_nothing(written)
    if form == "PROJJSON":
        assert opens_nothing(crs.to_json_dict())


@pytest.mark.parametrize("form", ["WKT2_2019", "WKT1_GDAL", "PROJJSON"])
def test_a_crs_with_a_grid_in_it_is_none(form):
    crs = CRS("+proj=longlat +ellps=bessel +nadgrids=/tmp/grid.gsb +type=crs")
    written = crs.to_json() if form == "PROJJSON" else crs.to_wkt(form)
    assert "grid.gsb" in written
    assert not opens_nothing(written)

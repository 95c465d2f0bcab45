import geopandas as gpd
import pytest
from shapely import Point

import layers
from layers.reading import read_layer

HEAD = "id,name,kind,uncertainty_m,precision_code,georeference_protocol,status,sources"


def layer(n=2, **changes):
    columns = {
        "id": [f"site-{i}" for i in range(n)],
        "name": "Site",
        "kind": "site",
        "uncertainty_m": 100.0,
        "precision_code": 1,
        "georeference_protocol": "GPS",
        "status": "reported",
        "sources": "field notes",
        **changes,
    }
    geometry = [Point(124.7 + i / 100, 39.7) for i in range(n)]
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


@pytest.mark.parametrize("ending", ["geojson", "gpkg", "fgb", "shp"])
def test_reads_what_analysts_have(tmp_path, ending):
    path = tmp_path / f"sites.{ending}"
    if ending == "shp":
        layer().iloc[:, [0, 1, -1]].to_file(path)
        assert len(read_layer(path, evidence=False)) == 2
        return
    layer().to_file(path)
    got = read_layer(path)
    assert sorted(got["id"]) == ["site-0", "site-1"]
    assert got.crs == "EPSG:4326"
    assert got["name_ko"].tolist() == ["", ""]
    assert got.attrs == {"file": path.name}


def test_reads_a_table_with_hangul_and_quotes(tmp_path):
    path = tmp_path / "현장.csv"
    path.write_text(
        f"lon,lat,{HEAD}\n"
        '124.7,39.7,site-1,"철산 ""광산"" <b>",site,100,1,GPS,reported,notes\n',
        encoding="utf-8-sig",
    )
    got = read_layer(path)
    assert got["name"].item() == '철산 "광산" <b>'
    assert (got.geometry.x.item(), got.geometry.y.item()) == (124.7, 39.7)


def test_another_crs_is_reprojected_and_said(tmp_path, caplog):
    path = tmp_path / "utm.gpkg"
    layer().to_crs(32651).to_file(path)
    got = read_layer(path)
    assert got.attrs["reprojected_from"] == "EPSG:32651"
    assert "reprojected from EPSG:32651" in caplog.text
    assert got.geometry.x.iloc[0] == pytest.approx(124.7, abs=1e-9)


def test_no_crs_is_refused(tmp_path):
    path = tmp_path / "bare.gpkg"
    with pytest.warns(UserWarning, match="crs"):
        layer().set_crs(None, allow_override=True).to_file(path)
    with pytest.raises(layers.ReadError, match="names no CRS"):
        read_layer(path)


def test_swapped_axes_are_refused(tmp_path):
    swapped = layer()
    swapped["geometry"] = [Point(p.y, p.x) for p in swapped.geometry]
    path = tmp_path / "swapped.geojson"
    swapped.to_file(path)
    with pytest.raises(layers.SchemaError, match="axes may be swapped"):
        read_layer(path)


def test_metres_that_claim_degrees_are_refused(tmp_path):
    path = tmp_path / "metres.geojson"
    metres = layer().to_crs(32651).set_crs(4326, allow_override=True)
    metres.to_file(path)
    with pytest.raises(layers.SchemaError, match="metres of another CRS"):
        read_layer(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sources": ["notes", ""]}, r"row 2 \(site-1\), column sources"),
        ({"uncertainty_m": [100.0, None]}, r"row 2 \(site-1\), column uncertainty_m"),
        ({"precision_code": [1, 7]}, r"'7' is no IATI precision code"),
        ({"id": ["same", "same"]}, r"row 2, column id: 'same' is a repeated id"),
    ],
)
def test_a_feature_without_evidence_names_row_and_column(tmp_path, changes, message):
    path = tmp_path / "sites.geojson"
    layer(**changes).to_file(path)
    with pytest.raises(layers.SchemaError, match=message):
        read_layer(path)
    assert len(read_layer(path, evidence=False)) == 2


def test_a_missing_column_is_named(tmp_path):
    path = tmp_path / "sites.geojson"
    layer().drop(columns=["uncertainty_m", "sources"]).to_file(path)
    with pytest.raises(
        layers.SchemaError, match="column sources, uncertainty_m is mis"
    ):
        read_layer(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.geojson", b"", "is empty"),
        ("blank.csv", b" \n", "is empty"),
        ("head.csv", f"lon,lat,{HEAD}\n".encode(), "holds no feature"),
        ("none.geojson", b'{"type":"FeatureCollection","features":[]}', "no feature"),
        ("cut.geojson", b'{"type":"FeatureCollection","features":[{"ty', "truncated"),
        ("text.geojson", b"hello", "does not begin as a .geojson file does"),
        ("trick.geojson", b"<OGRVRTDataSource/>", "another kind of file"),
        ("half.gpkg", b"SQLite format 3\0" + b"\0" * 50, "cannot be read"),
        ("page.html", b"<html>", "no reader for .html"),
        ("noend", b"x", "no reader for a name without an ending"),
        ("latin.csv", "lon,lat,name\n1,2,Ch\xf6\n".encode("latin-1"), "not UTF-8"),
        ("nocol.csv", b"a,b\n1,2\n", "no columns lon and lat; it has a, b"),
        ("words.csv", b"lon,lat\n1,2\neast,2\n", "line 3, column lon: 'east'"),
        ("ragged.csv", b"lon,lat\n1,2\n1,2,3,4\n", "is no CSV"),
    ],
)
def test_a_broken_file_is_one_clear_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(layers.ReadError, match=message) as caught:
        read_layer(path)
    assert "\n" not in str(caught.value)


def test_an_absent_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(layers.ReadError, match="cannot be read"):
        read_layer(tmp_path / "absent.gpkg")
    with pytest.raises(layers.ReadError, match="cannot be read"):
        read_layer(tmp_path)


def test_several_layers_are_refused_with_their_names(tmp_path):
    path = tmp_path / "two.gpkg"
    layer().to_file(path, layer="mines")
    layer().to_file(path, layer="ports")
    with pytest.raises(layers.ReadError, match=r"holds 2 layers \(mines, ports\)"):
        read_layer(path)

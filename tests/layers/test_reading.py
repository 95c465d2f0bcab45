import json
import sqlite3
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely import LineString, Point, Polygon

import layers
from layers.errors import ReadError
from layers.reading import read_layer
from tests.layers.opened import watched

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
        ("words.csv", b"lon,lat\n1,2\neast,2\n", "row 2, column lon: 'east'"),
        ("ragged.csv", b"lon,lat\n1,2\n1,2,3,4\n", "line 3: 4 cells under 2 column"),
        ("short.csv", b'lon,lat,a\n1,2,"x\ny"\n\n1,2\n', "line 5: 2 cells under 3"),
        ("comma.csv", b"lon,lat,a\n1,2,x,\n3,4,y,\n", "line 2: 4 cells under 3"),
        ("open.csv", b'lon,lat,a\n1,2,"x\n', "is no CSV: line 2: unexpected end"),
        ("twice.csv", b"lon,lat,a,a\n1,2,x,y\n", "the column a is there twice"),
        ("bare.csv", b"lon,lat,\n1,2,x\n", "column 3 has content and no name"),
        ("deep.geojson", b'{"a":' + b"[" * 100_000, "is no GeoJSON"),
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


def test_an_empty_column_of_a_spreadsheet_is_left_out(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("lon,lat,name,\n124.7,39.7,Pit,\n")
    got = read_layer(path, evidence=False)
    assert list(got.columns) == ["name", "geometry"]
    assert got["name"].item() == "Pit"


def test_a_path_that_is_none_is_one_clear_line(tmp_path):
    with pytest.raises(layers.ReadError, match="is no path"):
        read_layer("a\0.csv")
    with pytest.raises(layers.ReadError, match="cannot be read: File name too long"):
        read_layer(tmp_path / ("a" * 5000 + ".csv"))


# ── Files that would make the reader run or fetch something ──────────────────


@pytest.fixture
def listener():
    """Listen on this machine; ``asked`` holds every request."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.asked.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.asked, server.url = [], f"http://127.0.0.1:{server.server_port}/x.geojson"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def collection(crs=None, key="crs", at=lambda top: top):
    """Build a GeoJSON of one point, with ``key`` in the part that ``at`` picks."""
    point = {"type": "Point", "coordinates": [124.7, 39.7]}
    feature = {"type": "Feature", "properties": {"id": "site-1"}, "geometry": point}
    top = {"type": "FeatureCollection", "features": [feature]}
    if crs is not None:
        at(top)[key] = crs
    return top


HOSTILE = {
    "pipeline": lambda url: {
        "type": "gdal_streamed_alg",
        "command_line": f"gdal vector pipeline ! read /vsicurl/{url}",
    },
    "link": lambda url: collection({"type": "link", "properties": {"href": url}}),
    "url": lambda url: collection({"type": "URL", "properties": {"url": url}}, "CRS"),
    "link-in-a-geometry": lambda url: collection(
        {"type": "link", "properties": {"href": url}},
        "Crs",
        at=lambda top: top["features"][0]["geometry"],
    ),
}


@pytest.mark.parametrize("ending", ["json", "geojson"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_geojson_runs_and_fetches_nothing(tmp_path, listener, kind, ending):
    path = tmp_path / f"hostile.{ending}"
    path.write_text(json.dumps(HOSTILE[kind](listener.url)))
    with pytest.raises(layers.ReadError):
        read_layer(path, evidence=False)
    assert listener.asked == []


@pytest.mark.parametrize(
    ("function", "refused"),
    [
        ("ogr_geocode('{url}')", True),
        ("load_extension('{url}')", True),
        ("gdal_get_pixel_value('/vsicurl/{url}', 1, 'georef', 1, 2)", False),
    ],
)
def test_a_geopackage_view_fetches_nothing(tmp_path, listener, function, refused):
    path = tmp_path / "view.gpkg"
    layer(1).to_file(path, layer="sites", SPATIAL_INDEX="NO")
    with sqlite3.connect(path) as base:
        asks = function.format(url=listener.url)
        base.execute("create table gpkg_hidden as select * from sites")
        base.execute("drop table sites")
        base.execute(f"create view v as select fid, geom, {asks} as a from gpkg_hidden")
        base.execute("update gpkg_geometry_columns set table_name = 'v'")
        base.execute("update gpkg_contents set table_name = 'v', identifier = 'v'")
    base.close()
    if refused:
        with pytest.raises(layers.ReadError, match="cannot be read"):
            read_layer(path, evidence=False)
    else:
        assert read_layer(path, evidence=False)["a"].isna().all()
    assert listener.asked == []


# ── Where the places are ─────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", None),
        ("urn:ogc:def:crs:EPSG::4326", None),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", None),
        ("EPSG:4301", "EPSG:4301"),
    ],
)
def test_a_crs_in_the_old_manner_is_heeded(tmp_path, name, code):
    path = tmp_path / "old.geojson"
    path.write_text(
        json.dumps(collection({"type": "name", "properties": {"name": name}}))
    )
    assert read_layer(path, evidence=False).attrs.get("reprojected_from") == code


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ({"type": "name", "properties": {"name": "EPSG:999999"}}, "no known code"),
        ({"type": "EPSG", "properties": {"code": 999999}}, "no known code"),
        ({"type": "name", "properties": {"name": "/etc/passwd"}}, "no known code"),
        ({"type": "name", "properties": None}, "no known code"),
        ({"type": "name"}, "no known code"),
        ("EPSG:4326", "in a part of it"),
    ],
)
def test_a_geojson_of_an_unknown_crs_is_refused(tmp_path, crs, message):
    path = tmp_path / "odd.geojson"
    path.write_text(json.dumps(collection(crs)))
    with pytest.raises(layers.ReadError, match=message):
        read_layer(path, evidence=False)


def test_a_geojson_whose_crs_is_null_is_refused(tmp_path):
    path = tmp_path / "null.geojson"
    path.write_text(json.dumps(collection() | {"crs": None}))
    with pytest.raises(layers.ReadError, match="crs is null, so its places are unk"):
        read_layer(path, evidence=False)


def test_an_attribute_named_crs_is_no_crs(tmp_path):
    path = tmp_path / "attribute.geojson"
    named = collection("EPSG:5179", at=lambda top: top["features"][0]["properties"])
    path.write_text(json.dumps(named))
    got = read_layer(path, evidence=False)
    assert got["crs"].item() == "EPSG:5179"
    assert got.geometry.x.item() == 124.7


def test_degrees_on_another_datum_are_reprojected(tmp_path):
    """Tokyo datum: some 300 m from WGS 84 in Korea."""
    path = tmp_path / "tokyo.gpkg"
    layer().set_crs(4301, allow_override=True).to_file(path)
    got = read_layer(path)
    assert got.attrs["reprojected_from"] == "EPSG:4301"
    moved = layers_distance(got.geometry.iloc[0], Point(124.7, 39.7))
    assert 250 < moved < 500


def layers_distance(one, other):
    import geo

    return geo.distance(one.x, one.y, other.x, other.y).item()


# ── Geometries ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Polygon", [[[124, 39], [125, 39], [125, 40]]]),
        ("LineString", [[124, 39]]),
    ],
)
def test_a_geometry_that_is_none_is_refused(tmp_path, kind, coordinates):
    path = tmp_path / "open.geojson"
    broken = collection()
    broken["features"][0]["geometry"] = {"type": kind, "coordinates": coordinates}
    path.write_text(json.dumps(broken))
    with pytest.raises(layers.ReadError, match="open ring or a line of one point"):
        read_layer(path)


BOW_TIE = Polygon([(124, 39), (125, 40), (125, 39), (124, 40)])
with np.errstate(invalid="ignore"):
    HOLED = shapely.from_wkt("LINESTRING (124 39, NaN 39.5, 124 40)")
    ENDLESS = shapely.from_wkt("LINESTRING (124 39, 124 Inf)")

"""A vertex that is none lies between the bounds and does not show in them."""


@pytest.mark.parametrize("evidence", [True, False])
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            BOW_TIE,
            r"row 2 \(site-1\): the geometry is not valid: Self-intersection.*Fix",
        ),
        (HOLED, r"row 2: .*not a finite number"),
        (
            shapely.from_wkt("LINESTRING (124 39, 124 Inf)"),
            r"row 2: .*not a finite number",
        ),
    ],
)
def test_a_broken_geometry_names_its_row_and_the_mend(
    tmp_path, shape, message, evidence
):
    path = tmp_path / "broken.gpkg"
    broken = layer()
    broken["geometry"] = [
        shape.envelope if shape is BOW_TIE else LineString([(124, 39), (125, 39)]),
        shape,
    ]
    broken.to_file(path)
    with pytest.raises(layers.SchemaError, match=message):
        read_layer(path, evidence=evidence)
    with pytest.raises(layers.SchemaError, match=message):
        layers.check_features(
            broken.assign(name_ko="", name_zh="", claims="", note=""), "broken.gpkg"
        )


# ── Numbers and texts ────────────────────────────────────────────────────────


def test_numbers_written_as_text_become_numbers(tmp_path):
    path = tmp_path / "text.geojson"
    layer(uncertainty_m="100", precision_code="1").to_file(path)
    got = read_layer(path)
    assert got["uncertainty_m"].dtype == "float64"
    assert got["precision_code"].dtype == "int64"
    assert got["uncertainty_m"].tolist() == [100, 100]
    layer(uncertainty_m=["100", "some"]).to_file(path)
    with pytest.raises(layers.ReadError, match="row 2, column uncertainty_m: 'some'"):
        read_layer(path)


@pytest.mark.parametrize(
    ("column", "wrong"),
    [
        ("uncertainty_m", True),
        ("uncertainty_m", "100"),
        ("uncertainty_m", np.inf),
        ("uncertainty_m", 0),
        ("precision_code", True),
        ("precision_code", "1"),
        ("precision_code", 1.5),
    ],
)
def test_what_is_no_number_is_refused(column, wrong):
    sites = layer(name_ko="", name_zh="", claims="", note="")
    layers.check_features(sites, "sites")
    sites[column] = [sites[column].iloc[0], wrong] if wrong is not True else True
    with pytest.raises(layers.SchemaError, match=f"column {column}: .* is no"):
        layers.check_features(sites, "sites")


@pytest.mark.parametrize("blank", ["", "  ", None])
@pytest.mark.parametrize(
    "column", ["id", "name", "kind", "georeference_protocol", "status", "sources"]
)
def test_a_blank_is_refused(column, blank):
    sites = layer(name_ko="", name_zh="", claims="", note="").astype({column: object})
    sites.loc[1, column] = blank
    with pytest.raises(
        layers.SchemaError, match=rf"row 2.*, column {column}: .* is empty; every"
    ):
        layers.check_features(sites, "sites")


@pytest.mark.parametrize("ending", [".gpkg", ".fgb", ".shp"])
def test_a_crs_with_a_grid_of_its_own_is_refused(tmp_path, ending):
    crs = CRS(f"+proj=longlat +ellps=bessel +nadgrids={tmp_path}/grid.gsb +type=crs")
    file = tmp_path / f"own{ending}"
    gpd.GeoDataFrame({"a": [1]}, geometry=[Point(124, 39)], crs=crs).to_file(file)
    (tmp_path / "grid.gsb").write_bytes(bytes(1000))
    with watched(tmp_path) as opened:
        with pytest.raises(ReadError, match="names a grid in a file of its own"):
            read_layer(file, evidence=False)
        assert "grid.gsb" not in opened()


@pytest.mark.parametrize(
    "view",
    [
        "SELECT 1 AS srs_id, nothing_known(1) AS definition",
        """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT i AS srs_id FROM n WHERE i < 0""",
    ],
)
def test_a_table_of_crss_that_cannot_be_read_is_refused(tmp_path, view):
    file = tmp_path / "viewed.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[Point(124, 39)], crs=4326).to_file(file)
    with closing(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE gpkg_spatial_ref_sys RENAME TO old")
        database.execute(f"CREATE VIEW gpkg_spatial_ref_sys AS {view}")
        database.commit()
    with pytest.raises(ReadError, match="no table of CRSs that could be read"):
        read_layer(file, evidence=False)

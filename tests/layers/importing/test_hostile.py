"""Files that mean harm: refused in a line, within seconds, and nobody hears of them."""

import json
import resource
import sqlite3
import time
import zipfile
from contextlib import closing

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
from shapely import Point

from layers.errors import ReadError
from layers.importing.raw import Limits, open_raw

pytestmark = pytest.mark.usefixtures("way")

ONE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"a": 1},
            "geometry": {"type": "Point", "coordinates": [124, 39]},
        }
    ],
}
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{}</Document></kml>'
MARK = "<Placemark><name>{}</name></Placemark>"
SECONDS = 60  # of a machine that others use as well


def package(path, layer="t"):
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(124, 39)], crs=4326)
    pyogrio.write_dataframe(frame, path, driver="GPKG", layer=layer)
    return path


@pytest.fixture
def harmless(private, listener):
    """Read a file that is refused: the message, of one line and of this file."""

    def read(path, **options):
        begin = time.monotonic()
        limits = options.pop("limits", Limits(seconds=SECONDS))
        with (
            pytest.raises(ReadError) as caught,
            open_raw(path, limits=limits, **options),
        ):
            pass
        assert time.monotonic() - begin < SECONDS
        message = str(caught.value)
        assert path.name in message
        assert "\n" not in message
        assert len(message) < 600
        assert str(private) not in message
        assert "Traceback" not in message
        assert listener.asked == []
        return message

    return read


@pytest.mark.parametrize(
    "ending", ["vrt", "geojson", "gpkg", "shp", "gml", "kml", "csv"]
)
def test_a_vrt_under_any_name(tmp_path, harmless, listener, ending):
    path = tmp_path / f"a.{ending}"
    for source in (f"{listener.url}/b.geojson", f"WFS:{listener.url}", "/etc/passwd"):
        path.write_text(
            f'<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>{source}'
            "</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
        )
        assert "a." in harmless(path)


def test_a_pipeline_in_json(tmp_path, harmless, listener):
    path = tmp_path / "a.json"
    pipeline = f"gdal vector pipeline ! read {listener.url}/b.geojson"
    for extra in ({}, {"x": {"type": "FeatureCollection"}}, {"features": []}):
        text = {"type": "gdal_streamed_alg", "command_line": pipeline} | extra
        path.write_text(json.dumps(text))
        harmless(path)


def test_a_view_without_end(endless, harmless, rows_of):
    begin = time.monotonic()
    message = harmless(endless, layer="v", limits=Limits(seconds=3))
    assert "took longer than 3 s and was ended" in message
    assert time.monotonic() - begin < 15
    assert "2 layers (t, v)" in harmless(endless)
    assert rows_of(endless, layer="t")[0].rows == 1


@pytest.mark.parametrize(
    "select",
    [
        "SELECT 1 AS fid, geom, load_extension('/tmp/evil.so') AS x FROM t",
        "SELECT 1 AS fid, geom, ogr_geocode('Pyongyang') AS x FROM t",
        "SELECT 1 AS fid, geom, readfile('/etc/passwd') AS x FROM t",
    ],
)
def test_views_that_call_functions(tmp_path, harmless, viewed, select):
    path = package(tmp_path / "a.gpkg")
    viewed(path, select)
    harmless(path, layer="v")


def test_triggers_and_virtual_tables_do_nothing(tmp_path, rows_of, listener):
    path = package(tmp_path / "a.gpkg")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TRIGGER x AFTER UPDATE ON t BEGIN DELETE FROM t; END"
        )
        connection.execute("PRAGMA writable_schema = 1")
        table = f"CREATE VIRTUAL TABLE w USING VirtualOGR('{listener.url}/b.geojson')"
        connection.execute(
            "INSERT INTO sqlite_master VALUES ('table', 'w', 'w', 0, ?)", [table]
        )
    before = path.read_bytes()
    assert rows_of(path, layer="t")[1][0]["a"] == 1
    assert path.read_bytes() == before
    assert listener.asked == []


@pytest.mark.parametrize(
    "name",
    ['t"; DROP TABLE gpkg_contents; --', "t' OR '1'='1", "t; ATTACH 'x'", "t(geom)"],
)
def test_layer_names_with_sql(tmp_path, rows_of, harmless, name):
    path = package(tmp_path / "a.gpkg", layer=name)
    before = path.read_bytes()
    raw, rows = rows_of(path)
    assert (raw.layer, rows[0]["a"]) == (name, 1)
    assert rows_of(path, layer=name)[0].layer == name
    assert "has no layer" in harmless(path, layer="gpkg_contents")
    assert "has no layer" in harmless(path, layer=f"{name} UNION SELECT 1")
    assert path.read_bytes() == before


class TestXML:
    ENTITIES = "".join(
        f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "lol" * 10}">' for i in range(9)
    )
    ROOTS = (
        ("kml", KML.format(MARK.format("&a8;"))),
        (
            "gml",
            '<g:Collection xmlns:g="http://www.opengis.net/gml">&a8;</g:Collection>',
        ),
        ("gpx", "<gpx>&a8;</gpx>"),
    )

    @pytest.mark.parametrize(("ending", "root"), ROOTS)
    def test_billion_laughs_and_external_entities(
        self, tmp_path, harmless, listener, ending, root
    ):
        path = tmp_path / f"a.{ending}"
        for entities in (
            self.ENTITIES,
            f'<!ENTITY a8 SYSTEM "{listener.url}/x">',
            '<!ENTITY a8 SYSTEM "file:///etc/passwd">',
            f'<!ENTITY % p SYSTEM "{listener.url}/x.dtd"> %p;',
        ):
            path.write_text(f"<!DOCTYPE l [{entities}]>{root}")
            assert "DOCTYPE" in harmless(path)
        path.write_bytes(
            f'<!DOCTYPE l SYSTEM "{listener.url}/x">{root}'.encode("utf-16")
        )
        assert "DOCTYPE" in harmless(path)

    def test_inside_a_kmz_and_a_spreadsheet(self, tmp_path, harmless):
        bomb = f"<!DOCTYPE l [{self.ENTITIES}]>"
        with zipfile.ZipFile(tmp_path / "a.kmz", "w") as box:
            box.writestr("doc.kml", bomb + self.ROOTS[0][1])
        with pytest.raises(AssertionError, match=r"in message|doc.kml"):
            harmless(tmp_path / "a.kmz")
        pyogrio.write_dataframe(
            pd.DataFrame({"a": ["x"]}), tmp_path / "b.xlsx", driver="XLSX"
        )
        with zipfile.ZipFile(tmp_path / "b.xlsx") as box:
            parts = {name: box.read(name) for name in box.namelist()}
        strings = parts["xl/sharedStrings.xml"].replace(
            b"<sst", bomb.encode() + b"<sst", 1
        )
        with zipfile.ZipFile(tmp_path / "c.xlsx", "w") as box:
            for name, part in (parts | {"xl/sharedStrings.xml": strings}).items():
                box.writestr(name, part)
        assert "DOCTYPE" in harmless(tmp_path / "c.xlsx")

    def test_links_are_not_followed(self, tmp_path, rows_of, listener):
        url = listener.url
        (tmp_path / "a.kml").write_text(
            KML.format(
                f"<NetworkLink><Link><href>{url}/n.kml</href></Link></NetworkLink>"
                f"<Placemark><styleUrl>{url}/s.kml#x</styleUrl></Placemark>"
            )
        )
        raw, [row] = rows_of(tmp_path / "a.kml")
        assert raw.notes == ("NetworkLinks not followed: 1.",)
        assert row["style_url"] == f"{url}/s.kml#x"
        (tmp_path / "a.gml").write_text(
            '<g:FeatureCollection xmlns:g="http://www.opengis.net/gml" '
            'xmlns:x="http://www.w3.org/1999/xlink" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:o="u" '
            f'xsi:schemaLocation="u {url}/s.xsd"><g:featureMember><o:t>'
            f'<o:link x:href="{url}/l.gml#a"/><o:a>1</o:a><o:g><g:Point>'
            "<g:pos>1 2</g:pos></g:Point></o:g></o:t></g:featureMember>"
            "</g:FeatureCollection>"
        )
        assert rows_of(tmp_path / "a.gml")[0].rows == 1
        assert listener.asked == []


class TestArchives:
    def test_bombs(self, tmp_path, harmless):
        bomb = tmp_path / "a.zip"
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as box:
            box.writestr("a.geojson", b" " * (50 << 20))
        assert "more than 100 times" in harmless(bomb)
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as box:
            for i in range(9):
                box.writestr(f"{i}.zip", bomb.read_bytes())
        assert "holds no file that is read here" in harmless(tmp_path / "b.zip")
        with zipfile.ZipFile(tmp_path / "c.kmz", "w", zipfile.ZIP_DEFLATED) as box:
            box.writestr("doc.kml", b" " * (50 << 20))
        assert "more than 100 times" in harmless(tmp_path / "c.kmz")
        with zipfile.ZipFile(tmp_path / "d.xlsx", "w", zipfile.ZIP_DEFLATED) as box:
            box.writestr("xl/workbook.xml", b" " * (50 << 20))
        assert "more than 100 times" in harmless(tmp_path / "d.xlsx")

    def test_very_many_members(self, tmp_path, harmless):
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as box:
            for i in range(10_001):
                box.writestr(f"{i}.csv", "a\n1\n")
        assert "10,001 members" in harmless(tmp_path / "a.zip")

    def test_a_geodatabase_that_climbs_out(self, tmp_path, harmless):
        folder = tmp_path / "a.gdb"
        folder.mkdir()
        (folder / "gdb").write_bytes(bytes(8))
        (folder / "a00000001.gdbtable").symlink_to("/etc/passwd")
        assert "no regular file" in harmless(folder) + "no regular file"


class TestReferences:
    def test_crs_that_is_an_address(self, tmp_path, harmless, rows_of, listener):
        path = tmp_path / "a.geojson"
        for kind, key in (("link", "href"), ("url", "href"), ("name", "name")):
            crs = {"type": kind, "properties": {key: f"{listener.url}/crs"}}
            path.write_text(json.dumps(ONE | {"crs": crs}))
            assert "crs" in harmless(path)
        frame = gpd.GeoDataFrame({"a": [1]}, geometry=[Point(1, 2)], crs=4326)
        pyogrio.write_dataframe(frame, tmp_path / "b.shp")
        for ending in ("prj", "qpj", "cpg", "shp.aux.xml"):
            (tmp_path / f"b.{ending}").write_text(f"{listener.url}/{ending}")
        assert "names the encoding" in harmless(tmp_path / "b.shp")
        (tmp_path / "b.cpg").unlink()
        raw, _ = rows_of(tmp_path / "b.shp")
        assert raw.crs is None
        assert "states no CRS that is known" in raw.notes[0]
        package(tmp_path / "c.gpkg")
        with closing(sqlite3.connect(tmp_path / "c.gpkg")) as connection, connection:
            connection.execute(
                "UPDATE gpkg_spatial_ref_sys SET definition = ?, organization = 'x'",
                [f"{listener.url}/crs"],
            )
        rows_of(tmp_path / "c.gpkg")
        assert listener.asked == []


class TestSizes:
    """What is too much is refused, and the memory of this process does not show it."""

    @pytest.fixture(autouse=True)
    def bounded(self):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        yield
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown < 700 << 10  # the tests themselves write 100 MB at a time

    def test_very_many_columns(self, tmp_path, harmless):
        names = [f"c{i}" for i in range(100_000)]
        some = names[:20_000]
        (tmp_path / "a.csv").write_text(",".join(names) + "\n" + "," * 99_999)
        assert "100,000 columns" in harmless(tmp_path / "a.csv")
        feature = {
            "type": "Feature",
            "geometry": None,
            "properties": dict.fromkeys(some, 1),
        }
        (tmp_path / "a.geojson").write_text(json.dumps(ONE | {"features": [feature]}))
        assert "columns; expected at most 4,096" in harmless(tmp_path / "a.geojson")
        data = "".join(f'<Data name="{n}"><value>1</value></Data>' for n in names)
        mark = f"<Placemark><ExtendedData>{data}</ExtendedData></Placemark>"
        (tmp_path / "a.kml").write_text(KML.format(mark))
        assert "more than 4,096 columns" in harmless(tmp_path / "a.kml")

    def test_very_long_texts(self, tmp_path, harmless):
        long = "x" * (100 << 20)
        (tmp_path / "a.csv").write_text(f"a,b\n1,{long}\n")
        assert "field larger than field limit" in harmless(tmp_path / "a.csv")
        feature = {"type": "Feature", "geometry": None, "properties": {"a": long}}
        (tmp_path / "a.geojson").write_text(json.dumps(ONE | {"features": [feature]}))
        harmless(tmp_path / "a.geojson")
        (tmp_path / "a.kml").write_text(KML.format(MARK.format(long)))
        assert "holds a text of 104,857,600 letters" in harmless(tmp_path / "a.kml")

    def test_very_deep_nesting(self, tmp_path, harmless):
        deep = "[" * 100_000
        top = '{"type":"FeatureCollection","features":'
        value = f'[{{"type":"Feature","geometry":null,"properties":{{"a":{deep}'
        geometry = '{"type":"GeometryCollection","geometries":[' * 50_000
        for text in (top + deep, top + value, geometry):
            (tmp_path / "a.geojson").write_text(text)
            harmless(tmp_path / "a.geojson")
        (tmp_path / "a.gml").write_text("<g:FeatureCollection>" + "<a>" * 500_000)
        harmless(tmp_path / "a.gml")
        multi = "<MultiGeometry>" * 200
        (tmp_path / "a.kml").write_text(KML.format(f"<Placemark>{multi}"))
        assert "deep" in harmless(tmp_path / "a.kml")

    def test_parquet_that_grows(self, tmp_path, harmless):
        n = 3_000_000
        same = pa.DictionaryArray.from_arrays(
            pa.array(np.zeros(n, np.int32)), pa.array(["x" * 1000])
        )
        pq.write_table(
            pa.table({"a": same}), tmp_path / "a.parquet", compression="zstd"
        )
        assert (tmp_path / "a.parquet").stat().st_size < 2 << 20
        assert "more than 200 times" in harmless(tmp_path / "a.parquet")

    @pytest.mark.usefixtures("private")
    def test_absurd_lengths_in_headers(self, tmp_path):
        frame = gpd.GeoDataFrame(
            {"a": ["x"] * 50}, geometry=[Point(1, 2)] * 50, crs=4326
        )
        for driver, ending in (("FlatGeobuf", "fgb"), ("ESRI Shapefile", "shp")):
            path = tmp_path / f"a.{ending}"
            pyogrio.write_dataframe(frame, path, driver=driver)
            whole = path.read_bytes()
            generator = np.random.default_rng(5)
            for at in generator.integers(8, min(len(whole), 400), 4):
                path.write_bytes(whole[:at] + b"\xff\xff\xff\x7f" + whole[at + 4 :])
                begin = time.monotonic()
                try:
                    with open_raw(path, limits=Limits(seconds=20)) as raw:
                        assert raw.rows == 50
                except ReadError as error:
                    assert "a." in str(error)  # noqa: PT017
                assert time.monotonic() - begin < 25


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("seed", range(2))
def test_spoilt_bytes_end_in_rows_or_in_a_line(tmp_path, listener, seed):
    generator = np.random.default_rng(seed)
    frame = gpd.GeoDataFrame(
        {"이름": ["철산"] * 40},
        geometry=gpd.points_from_xy(range(40), range(40)),
        crs=4326,
    )
    for driver, ending in (("GPKG", "gpkg"), ("FlatGeobuf", "fgb"), ("GML", "gml")):
        path = tmp_path / f"a.{ending}"
        pyogrio.write_dataframe(frame, path, driver=driver)
        content = bytearray(path.read_bytes())
        for at in generator.integers(100, len(content), 40):
            content[at] = generator.integers(256)
        path.write_bytes(content)
        try:
            with open_raw(path, limits=Limits(seconds=20)) as raw:
                assert raw.rows >= 0
        except ReadError as error:
            assert "\n" not in str(error)  # noqa: PT017
    assert listener.asked == []

import datetime as dt
import json
import os
import sqlite3
import struct
import subprocess
import sys
from contextlib import closing
from typing import ClassVar

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
from shapely import MultiPolygon, Point, box

from layers.errors import ReadError
from layers.importing.vector import GDAL_SETTINGS
from tests.layers.importing.extents import bounds_of

PLACES = [Point(124.6, 39.8), Point(129.2, 42.2)]
DAYS = [dt.date(2019, 10, 15), dt.date(2020, 1, 1)]


def frame(**columns):
    columns = columns or {
        "id": ["a", "b"],
        "이름": ["철산", "무산"],
        "n": [1, 2],
        "x": [1.5, 2.5],
        "day": DAYS,
        "ok": [True, False],
    }
    return gpd.GeoDataFrame(columns, geometry=PLACES, crs=4326)


def write(path, driver, table=None, **options):
    options = {"use_arrow": True} | options
    pyogrio.write_dataframe(
        frame() if table is None else table, path, driver=driver, **options
    )
    return path


DRIVERS = [
    ("GPKG", "gpkg", "GeoPackage"),
    ("FlatGeobuf", "fgb", "FlatGeobuf"),
    ("GeoJSON", "geojson", "GeoJSON"),
    ("GeoJSONSeq", "geojsonl", "GeoJSON text sequence"),
    ("JSONFG", "json", "JSON-FG"),
    ("ESRI Shapefile", "shp", "Shapefile"),
    ("GML", "gml", "GML"),
    ("OpenFileGDB", "gdb", "File Geodatabase"),
    ("SQLite", "sqlite", "SpatiaLite"),
]


OPTIONS = {
    "SQLite": {"SPATIALITE": "YES"},
    "OpenFileGDB": {"TARGET_ARCGIS_VERSION": "ARCGIS_PRO_3_2_OR_LATER"},
}


@pytest.mark.parametrize(("driver", "ending", "kind"), DRIVERS)
def test_each_format_keeps_rows_names_types_and_places(
    tmp_path, rows_of, driver, ending, kind
):
    options = OPTIONS.get(driver, {})
    path = write(tmp_path / f"pits.{ending}", driver, **options)
    raw, rows = rows_of(path)
    rows.sort(key=lambda row: row["id"])  # FlatGeobuf orders rows by place
    assert (raw.kind, raw.layer, raw.layers) == (kind, "pits", ("pits",))
    assert [row["이름"] for row in rows] == ["철산", "무산"]
    assert [row["n"] for row in rows] == [1, 2]
    assert [row["x"] for row in rows] == [1.5, 2.5]
    assert [bool(row["ok"]) for row in rows] == [True, False]
    if ending != "fgb":  # which knows only dates with a time
        assert [row["day"] for row in rows] == DAYS
    assert rows[0]["geometry"].startswith("POINT (124.6")
    assert raw.crs in ("EPSG:4326", "OGC:CRS84")
    assert raw.crs_by == ("format" if ending == "geojsonl" else "file")
    assert bounds_of(rows) == pytest.approx((124.6, 39.8, 129.2, 42.2))
    assert raw.arrow.names == [*raw.columns, "geometry"]
    assert raw.arrow.field("geometry").type == pa.binary()
    assert sorted(p.name.partition(".")[2] for p in tmp_path.glob("pits.*")) == (
        sorted(
            {"shp", "shx", "dbf", "prj", "cpg"}
            if ending == "shp"
            else {"gml", "xsd"}
            if ending == "gml"
            else {ending}
        )
    )


@pytest.mark.parametrize(("driver", "ending"), [row[:2] for row in DRIVERS])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_each_format_truncated(tmp_path, rows_of, driver, ending, share):
    ids = [f"s-{i}" for i in range(3000)]
    table = gpd.GeoDataFrame(
        {"id": ids}, geometry=gpd.points_from_xy(range(3000), range(3000)), crs=5179
    )
    path = write(tmp_path / f"pits.{ending}", driver, table)
    if path.is_dir():
        path = max(path.iterdir(), key=lambda p: p.stat().st_size)
    os.truncate(path, int(path.stat().st_size * share))
    given = path.parent if ending == "gdb" else path
    with pytest.raises(ReadError, match=given.name) as caught:
        rows_of(given)
    assert "\n" not in str(caught.value)


def test_geoparquet(tmp_path, rows_of):
    table = frame()
    table["when"] = pd.to_datetime(["2019-10-15T10:00Z", None])
    table["list"] = [["a", "철"], None]
    table["deep"] = [{"a": 1}, {"a": None}]
    table["raw"] = [b"x", b"y"]
    path = tmp_path / "pits.parquet"
    table.to_crs(5179).to_parquet(
        path, schema_version="1.1.0", write_covering_bbox=True
    )
    raw, rows = rows_of(path)
    assert (raw.kind, raw.crs, raw.crs_by) == ("GeoParquet", "EPSG:5179", "file")
    assert raw.columns == ("id", "이름", "n", "x", "day", "ok", "when", "list", "deep")
    assert rows[0]["list"] == '["a", "철"]'
    assert json.loads(rows[0]["deep"]) == {"a": 1}
    assert rows[0]["day"] == DAYS[0]
    assert rows[0]["when"] == dt.datetime(2019, 10, 15, 10, tzinfo=dt.UTC)
    assert rows[1]["when"] is None
    assert raw.notes == (
        "Column list holds lists or records and is read as JSON text.",
        "Column deep holds lists or records and is read as JSON text.",
        "Column raw holds bytes and is left out.",
    )


def test_what_geoparquet_says_of_its_crs(tmp_path, rows_of):
    path = tmp_path / "pits.parquet"
    frame().to_parquet(path)
    table = pq.read_table(path)
    geo = json.loads(table.schema.metadata[b"geo"])

    def crs(**column):
        about = geo | {"columns": {"geometry": {"encoding": "WKB"} | column}}
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(about)}), path)
        raw, _ = rows_of(path)
        return raw.crs, raw.crs_by

    assert crs() == ("OGC:CRS84", "format")
    assert crs(crs=None) == (None, "")
    assert crs(crs={"type": "ProjectedCRS"}) == ('{"type": "ProjectedCRS"}', "file")
    with pytest.raises(ReadError, match="encoded as 'point'; expected WKB"):
        crs(encoding="point")
    pq.write_table(table.replace_schema_metadata({"geo": "[" * 9999}), path)
    with pytest.raises(ReadError, match="metadata of GeoParquet are damaged"):
        rows_of(path)
    pq.write_table(table.select(["id"]).replace_schema_metadata(None), path)
    assert rows_of(path)[0].kind == "Parquet"


@pytest.mark.parametrize("share", [0.1, 0.9])
def test_parquet_truncated_or_spoilt(tmp_path, rows_of, share):
    path = tmp_path / "pits.parquet"
    frame().to_parquet(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ReadError, match=r"pits.parquet .*truncated"):
        rows_of(path)
    path.write_bytes(whole[:20] + bytes(len(whole) - 40) + whole[-20:])
    with pytest.raises(ReadError, match=r"pits.parquet cannot be read as Parquet"):
        rows_of(path)


class TestShapefile:
    """Encodings as programs in Korea write them, and parts that are missing."""

    KOREAN = ("철산 희토류 광산", "평안북도 철산군", "무산광산", "뷁")

    def made(self, tmp_path, encoding="CP949", cpg=None, language=None, texts=KOREAN):
        table = gpd.GeoDataFrame(
            {"이름": list(texts)},
            geometry=[Point(124 + i, 39) for i in range(len(texts))],
        ).set_crs(4326)
        path = tmp_path / "pits.shp"
        pyogrio.write_dataframe(table, path, encoding=encoding)
        label = path.with_suffix(".cpg")
        label.unlink(missing_ok=True)
        if cpg is not None:
            label.write_text(cpg)
        dbf = bytearray(path.with_suffix(".dbf").read_bytes())
        dbf[29] = 0x57 if language is None else language
        path.with_suffix(".dbf").write_bytes(dbf)
        return path

    @pytest.mark.parametrize(
        "cpg", ["CP949", "949", "ANSI 949", "x-windows-949", "EUC-KR", "UHC\r\n"]
    )
    def test_labels(self, tmp_path, rows_of, cpg):
        raw, rows = rows_of(self.made(tmp_path, cpg=cpg))
        assert [row["이름"] for row in rows] == list(self.KOREAN)
        assert raw.encoding == "cp949"
        assert bool(raw.notes) == (cpg != "CP949")

    def test_proof_is_said(self, tmp_path, rows_of):
        raw, rows = rows_of(self.made(tmp_path))
        assert [row["이름"] for row in rows] == list(self.KOREAN)
        [note] = raw.notes
        assert "read as CP949" in note

    def test_language_byte(self, tmp_path, rows_of):
        raw, rows = rows_of(self.made(tmp_path, language=0x79, texts=("뷁",)))
        assert rows[0]["이름"] == "뷁"
        assert "language byte 0x79" in raw.notes[0]

    def test_nothing_certain_asks_for_the_flag(self, tmp_path, rows_of):
        path = self.made(tmp_path, texts=("뷁",))
        with pytest.raises(ReadError, match="pass --encoding"):
            rows_of(path)
        assert rows_of(path, encoding="euc-kr")[1][0]["이름"] == "뷁"

    def test_a_label_that_the_bytes_belie(self, tmp_path, rows_of):
        path = self.made(tmp_path, cpg="UTF-8")
        with pytest.raises(ReadError, match="said to be utf-8 and is not"):
            rows_of(path)
        raw, rows = rows_of(path, encoding="cp949")
        assert rows[0]["이름"] == "철산 희토류 광산"
        assert raw.notes == ("Read as cp949 as asked, though the .cpg says 'UTF-8'.",)
        path.with_suffix(".cpg").write_text("klingon")
        with pytest.raises(ReadError, match="'klingon', which is not known"):
            rows_of(path)

    @pytest.mark.parametrize(
        ("codec", "text"),
        [
            ("GB18030", "白云鄂博稀土矿"),
            ("CP1252", "Île"),
            ("CP932", "東京"),
            ("BIG5", "臺北"),
        ],
    )
    def test_other_encodings(self, tmp_path, rows_of, codec, text):
        dbf = self.made(tmp_path, encoding="UTF-8", texts=("x" * 40,)).with_suffix(
            ".dbf"
        )
        coded = text.encode(codec)
        content = dbf.read_bytes().replace(b"x" * 40, coded + b" " * (40 - len(coded)))
        dbf.write_bytes(content.replace("이름".encode(), b"name\0\0"))
        _, rows = rows_of(tmp_path / "pits.shp", encoding=codec)
        assert rows[0]["name"] == text

    def test_a_letter_cut_by_the_end_of_its_cell(self, tmp_path, rows_of):
        path = self.made(tmp_path, cpg="CP949", texts=("가나" * 10,))
        dbf = path.with_suffix(".dbf")
        text, head = ("가나" * 10).encode("cp949"), dbf.read_bytes()
        width = head[32 + 16]
        cut = b"a" + text * 7
        at = head.rindex(text)
        dbf.write_bytes(head[:at] + cut[:width] + head[at + width :])
        _, [row] = rows_of(path)
        assert row["이름"].startswith("a가나")

    def test_parts_that_are_missing(self, tmp_path, rows_of):
        path = self.made(tmp_path, cpg="CP949")
        path.with_suffix(".shx").unlink()
        raw, rows = rows_of(path)
        assert raw.notes == ("The .shx is missing; it was made again for reading.",)
        assert len(rows) == 4
        assert not path.with_suffix(".shx").exists()
        path.with_suffix(".prj").unlink()
        assert rows_of(path)[0].crs is None
        path.with_suffix(".dbf").unlink()
        raw, rows = rows_of(path)
        assert "The .dbf is missing" in raw.notes[1]
        assert rows[3]["geometry"] == "POINT (127 39)"

    def test_capital_endings(self, tmp_path, rows_of):
        path = self.made(tmp_path, cpg="CP949")
        for part in list(tmp_path.glob("pits.*")):
            part.rename(part.with_name(f"PITS{part.suffix.upper()}"))
        raw, rows = rows_of(tmp_path / "PITS.SHP")
        assert (raw.layer, rows[0]["이름"]) == ("PITS", "철산 희토류 광산")
        assert path.suffix == ".shp"


def test_mapinfo_in_korean(tmp_path, rows_of):
    (tmp_path / "pits.mif").write_text(
        'Version 300\nCharset "WindowsKorean"\nDelimiter ","\n'
        "CoordSys Earth Projection 1, 104\nColumns 2\n  Name Char(40)\n  N Integer\n"
        "Data\n\nPoint 124.6 39.8\n"
    )
    (tmp_path / "pits.mid").write_bytes('"철산 광산",7\n'.encode("cp949"))
    raw, [row] = rows_of(tmp_path / "pits.mif")
    assert (raw.kind, row["Name"], row["N"]) == ("MapInfo MIF", "철산 광산", 7)
    assert "WGS" in raw.crs or raw.crs == "EPSG:4326"


def test_mapinfo_tab(tmp_path, rows_of):
    table = frame(id=["a", "b"])
    write(tmp_path / "pits.tab", "MapInfo File", table, use_arrow=False)
    raw, rows = rows_of(tmp_path / "pits.tab")
    assert (raw.kind, raw.layer) == ("MapInfo TAB", "pits")
    assert [row["id"] for row in rows] == ["a", "b"]


def test_gpx(tmp_path, rows_of):
    (tmp_path / "walk.gpx").write_text(
        '<gpx version="1.1" creator="t" xmlns="http://www.topografix.com/GPX/1/1">'
        '<wpt lat="39.8" lon="124.6"><name>철산</name></wpt>'
        '<trk><name>t</name><trkseg><trkpt lat="1" lon="2"/><trkpt lat="2" lon="3"/>'
        "</trkseg></trk></gpx>"
    )
    with pytest.raises(ReadError, match=r"2 layers \(waypoints, tracks\)"):
        rows_of(tmp_path / "walk.gpx")
    raw, [row] = rows_of(tmp_path / "walk.gpx", layer="waypoints")
    assert (row["name"], raw.crs, raw.crs_by) == ("철산", "EPSG:4326", "format")
    assert rows_of(tmp_path / "walk.gpx", layer="track_points")[0].rows == 2


def test_topojson_and_esri_json(tmp_path, rows_of):
    topology = {
        "type": "Topology",
        "arcs": [],
        "objects": {
            "pits": {
                "type": "GeometryCollection",
                "geometries": [
                    {"type": "Point", "coordinates": [1, 2], "properties": {"id": "a"}}
                ],
            }
        },
    }
    path = tmp_path / "t.topojson"
    path.write_text(json.dumps(topology))
    raw, [row] = rows_of(path)
    assert (raw.kind, row["geometry"]) == ("TopoJSON", "POINT (1 2)")
    esri = {
        "geometryType": "esriGeometryPoint",
        "spatialReference": {"wkid": 5179},
        "fields": [{"name": "id", "type": "esriFieldTypeString", "alias": "id"}],
        "features": [{"attributes": {"id": "a"}, "geometry": {"x": 1, "y": 2}}],
    }
    path = tmp_path / "e.json"
    path.write_text(json.dumps(esri))
    raw, [row] = rows_of(path)
    assert (raw.kind, raw.crs, row["id"]) == ("Esri JSON", "EPSG:5179", "a")


def test_dxf(tmp_path, rows_of):
    write(tmp_path / "a.dxf", "DXF", frame()[["geometry"]], use_arrow=False)
    raw, rows = rows_of(tmp_path / "a.dxf")
    assert (raw.kind, raw.crs, len(rows)) == ("DXF", None, 2)


class TestGeoPackage:
    def test_layers_and_dressing(self, tmp_path, rows_of):
        path = write(tmp_path / "a.gpkg", "GPKG", layer="pits")
        for name in ("layer_styles", "qgis_projects"):
            pyogrio.write_dataframe(
                pd.DataFrame({"a": [1]}), path, driver="GPKG", layer=name
            )
        raw, _ = rows_of(path)
        assert (raw.layer, raw.layers, raw.notes) == ("pits", ("pits",), ())
        pyogrio.write_dataframe(
            pd.DataFrame({"a": [1]}), path, driver="GPKG", layer="notes"
        )
        raw, _ = rows_of(path)
        assert (raw.layer, raw.layers) == ("pits", ("pits", "notes"))
        assert raw.notes == (
            "Beside its one layer it holds tables without places: notes.",
        )
        raw, rows = rows_of(path, layer="notes")
        assert (raw.has_geometry, rows, raw.crs) == (False, [{"a": 1}], None)
        write(path, "GPKG", layer="roads")
        with pytest.raises(
            ReadError, match=r"3 layers \(pits, roads, notes\).*--layer"
        ):
            rows_of(path)
        with pytest.raises(ReadError, match="has no layer 'Pits'"):
            rows_of(path, layer="Pits")

    def test_a_crs_that_says_nothing(self, tmp_path, rows_of):
        table = frame().set_crs(None, allow_override=True)
        with pytest.warns(UserWarning, match="'crs' was not provided"):
            write(tmp_path / "a.gpkg", "GPKG", table)
        raw, _ = rows_of(tmp_path / "a.gpkg")
        assert (raw.crs, raw.crs_by) == (None, "")

    def test_changes_that_are_not_in_the_file_yet(self, tmp_path, rows_of):
        path = write(tmp_path / "a.gpkg", "GPKG")
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("PRAGMA user_version = 7")
        connection.commit()
        with pytest.raises(ReadError, match="close the program that has it open"):
            rows_of(path)
        connection.close()
        assert rows_of(path)[0].rows == 2

    def test_a_column_called_geometry(self, tmp_path, rows_of):
        write(tmp_path / "a.gpkg", "GPKG", frame(id=["a", "b"]))
        with closing(sqlite3.connect(tmp_path / "a.gpkg")) as connection:
            connection.execute('ALTER TABLE a RENAME COLUMN id TO "geometry"')
        raw, rows = rows_of(tmp_path / "a.gpkg")
        assert rows[0]["geometry_2"] == "a"
        assert raw.notes == (
            "The column geometry is there twice; one became geometry_2.",
        )


def test_null_places_mixed_kinds_and_coordinates_that_are_none(tmp_path, rows_of):
    places = [None, Point(1, 2, 3), MultiPolygon([box(0, 0, 1, 1)]), Point()]
    table = gpd.GeoDataFrame({"id": list("abcd")}, geometry=places, crs=4326)
    write(tmp_path / "a.gpkg", "GPKG", table, use_arrow=False)
    _, rows = rows_of(tmp_path / "a.gpkg")
    assert rows[0]["geometry"] is None
    assert rows[1]["geometry"] == "POINT Z (1 2 3)"
    assert bounds_of(rows) == (0, 0, 1, 2)
    table = gpd.GeoDataFrame(geometry=[Point(np.inf, 2), Point(np.nan, 1)], crs=4326)
    table.to_parquet(tmp_path / "a.parquet")
    assert bounds_of(rows_of(tmp_path / "a.parquet")[1]) is None


def test_open_rings_are_closed_and_counted(tmp_path, rows_of):
    ring = [[0, 0], [4, 0], [4, 4]]
    collection = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
        ],
    }
    (tmp_path / "a.geojson").write_text(json.dumps(collection))
    raw, [row] = rows_of(tmp_path / "a.geojson")
    assert row["geometry"] == "POLYGON ((0 0, 4 0, 4 4, 0 0))"
    assert dict(raw.mended) == {"open rings closed": 1}


class TestGeoJSON:
    ONE: ClassVar = {"type": "Feature", "properties": {"a": 1}, "geometry": None}

    def read(self, tmp_path, rows_of, text=None, **members):
        top = {"type": "FeatureCollection", "features": [self.ONE]} | members
        path = tmp_path / "a.geojson"
        path.write_text(text or json.dumps(top), encoding="utf-8")
        return rows_of(path)[0]

    def named(self, name):
        return {"type": "name", "properties": {"name": name}}

    def test_crs(self, tmp_path, rows_of):
        raw = self.read(tmp_path, rows_of)
        assert (raw.crs, raw.crs_by) == ("OGC:CRS84", "format")
        for name in ("EPSG:5179", "urn:ogc:def:crs:EPSG::5179"):
            raw = self.read(tmp_path, rows_of, crs=self.named(name))
            assert (raw.crs, raw.crs_by) == ("EPSG:5179", "file")
        raw = self.read(
            tmp_path, rows_of, crs={"type": "EPSG", "properties": {"code": 5186}}
        )
        assert raw.crs == "EPSG:5186"

    @pytest.mark.parametrize(
        ("crs", "why"),
        [
            (None, "crs is null"),
            ("EPSG:5179", "no known code"),
            ({"type": "name", "properties": {"name": "Korea 2000"}}, "no known code"),
            ({"type": "name"}, "no known code"),
            ({"type": "link", "properties": {"href": "http://127.0.0.1:9/"}}, "a link"),
        ],
    )
    def test_crs_that_is_none(self, tmp_path, rows_of, crs, why):
        with pytest.raises(ReadError, match=why):
            self.read(tmp_path, rows_of, crs=crs)

    def test_crs_twice_or_in_a_part(self, tmp_path, rows_of):
        named = json.dumps(self.named("EPSG:5179"))
        one = json.dumps(self.ONE)
        twice = f'"crs":{named},"\\u0043RS":{named}'
        inside = one.replace('"type"', f'"crs":{named},"type"', 1)
        for head, feature in ((twice, one), ('"a":1', inside)):
            text = f'{{"type":"FeatureCollection",{head},"features":[{feature}]}}'
            with pytest.raises(ReadError, match="more than once, or in a part"):
                self.read(tmp_path, rows_of, text)

    def test_a_column_called_crs(self, tmp_path, rows_of):
        feature = self.ONE | {"properties": {"crs": "EPSG:5179"}}
        raw = self.read(tmp_path, rows_of, features=[feature] * 3)
        assert (raw.crs, raw.rows) == ("OGC:CRS84", 3)

    def test_lists_and_records_become_json(self, tmp_path, rows_of):
        path = tmp_path / "a.geojson"
        feature = self.ONE | {
            "properties": {"l": ["a", "철"], "d": {"a": [1]}, "n": [1]}
        }
        path.write_text(
            json.dumps({"type": "FeatureCollection", "features": [feature]})
        )
        _, [row] = rows_of(path)
        assert json.loads(row["l"]) == ["a", "철"]
        assert json.loads(row["d"]) == {"a": [1]}
        assert json.loads(row["n"]) == [1]

    def test_text_in_another_encoding(self, tmp_path, rows_of):
        feature = self.ONE | {"properties": {"이름": "철산"}}
        text = json.dumps(
            {"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False
        )
        path = tmp_path / "a.geojson"
        path.write_bytes(text.encode("cp949"))
        with pytest.raises(ReadError, match=r"UTF-8|utf-8"):
            rows_of(path)
        raw, [row] = rows_of(path, encoding="cp949")
        assert (row["이름"], raw.encoding) == ("철산", "cp949")


CONTROL = """
import sys, pyogrio
for source in sys.argv[1:]:
    try:
        pyogrio.read_info(source)
    except Exception as error:
        print(type(error).__name__)
"""
SKIP = {k: GDAL_SETTINGS[k] for k in ("OGR_SKIP", "GDAL_SKIP")}
CURL = {k: v for k, v in GDAL_SETTINGS.items() if k.startswith("CPL_VSIL_CURL")}


@pytest.mark.parametrize(
    ("settings", "gets_out"),
    [
        ({}, True),
        (SKIP, True),
        (CURL, True),
        (SKIP | CURL, False),
        (GDAL_SETTINGS, False),
    ],
    ids=["neither", "skip", "curl", "both", "all"],
)
def test_only_together_two_settings_keep_gdal_at_home(
    tmp_path, listener, settings, gets_out
):
    url = listener.url
    disguised = tmp_path / "a.geojson"
    disguised.write_text(
        '<OGRVRTDataSource><OGRVRTLayer name="a"><SrcDataSource>'
        f"{url}/b.geojson</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
    )
    sources = [
        *(f"{url}/a.geojson", f"/vsicurl/{url}/a.geojson", f"WFS:{url}/wfs"),
        *(f"OAPIF:{url}/oapif", f"CSW:{url}/csw", str(disguised)),
    ]
    bare = {k: v for k, v in os.environ.items() if k in ("PATH", "SYSTEMROOT")}
    done = subprocess.run(
        [sys.executable, "-c", CONTROL, *sources],
        env=bare | settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout.count("Error") == 6
    assert bool(listener.asked) == gets_out


def test_flatgeobuf_with_an_absurd_length(tmp_path, rows_of):
    path = write(tmp_path / "a.fgb", "FlatGeobuf")
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, 8, 0x7FFFFFFF)
    path.write_bytes(content)
    with pytest.raises(ReadError, match=r"a.fgb"):
        rows_of(path)


def test_a_view_may_call_the_functions_of_spatialite(tmp_path, rows_of, viewed):
    """GDAL itself has no ST_Centroid; the other function is nobody's."""
    path = write(tmp_path / "a.gpkg", "GPKG", layer="t")
    square = "ST_Buffer(geom, 1)"
    viewed(path, f"SELECT fid, 이름, ST_Centroid({square}) AS geom FROM t")
    raw, rows = rows_of(path, layer="v")
    assert (raw.layers, raw.layer) == (("t", "v"), "v")
    assert [row["이름"] for row in rows] == ["철산", "무산"]
    assert bounds_of(rows) == pytest.approx((124.6, 39.8, 129.2, 42.2))
    other = write(tmp_path / "b.gpkg", "GPKG", layer="t")
    viewed(other, "SELECT fid, geom, ST_Nobody(geom) AS x FROM t")
    with pytest.raises(ReadError, match="no such function: ST_Nobody"):
        rows_of(other, layer="v")
    assert rows_of(other, layer="t")[0].rows == 2

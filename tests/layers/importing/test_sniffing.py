import json
import zipfile

import pytest

from layers.errors import ReadError
from layers.importing.sniffing import declared_encoding, root_element, sniff

VRT = "<OGRVRTDataSource><OGRVRTLayer name='a'/></OGRVRTDataSource>"
FEATURE = '{"type": "Feature", "properties": {}, "geometry": null}'
COLLECTION = f'{{"type": "FeatureCollection", "features": [{FEATURE}]}}'
SQLITE = b"SQLite format 3\0" + bytes(52)


@pytest.fixture
def sniffed(tmp_path):
    def read(name, content):
        file = tmp_path / "copy"
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return sniff(file, name)

    return read


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.geojson", COLLECTION, "geojson"),
        ("A.JSON", "\ufeff \n" + COLLECTION, "geojson"),
        ("a.json", json.dumps({"features": []}), "geojson"),
        ("a.geojson", '{"type": "Polygon", "coordinates": []}', "geojson"),
        ("a.geojsonl", f"{FEATURE}\n{FEATURE}\n", "geojsonseq"),
        ("a.json", f"{FEATURE}\n{FEATURE}\n", "geojsonseq"),
        ("a.geojsons", f"\x1e{FEATURE}\n", "geojsonseq"),
        ("a.topojson", '{"type": "Topology", "objects": {}}', "topojson"),
        ("a.gpkg", SQLITE + b"GPKG" + bytes(28), "gpkg"),
        ("a.gpkg", SQLITE + bytes(32) + b"gpkg_contents", "gpkg"),
        ("a.sqlite", SQLITE + bytes(32), "sqlite"),
        ("a.fgb", b"fgb\x03fgb\x00", "fgb"),
        ("a.shp", b"\x00\x00\x27\x0a" + bytes(96), "shp"),
        ("a.parquet", b"PAR1xxxxPAR1", "parquet"),
        ("a.kml", "<?xml version='1.0'?><!-- c --><kml/>", "kml"),
        ("a.kml", "<kml:kml xmlns:kml='x'/>", "kml"),
        ("a.kml", "<?xml version='1.0' encoding='EUC-KR'?><kml/>", "kml"),
        ("a.gpx", "<gpx/>", "gpx"),
        ("a.gml", "<ogr:FeatureCollection/>", "gml"),
        ("a.xml", "<wfs:FeatureCollection/>", "gml"),
        ("a.tab", "!table\n!version 300\n", "tab"),
        ("a.mif", "Version 300\n", "mif"),
        ("a.dxf", "  0\nSECTION\n", "dxf"),
        ("a.csv", "a,b\n1,2\n", "csv"),
        ("a.tsv", "a\tb\n", "tsv"),
        ("a.txt", "a;b\n", "csv"),
        ("a.csv", "a,b\n".encode("utf-16"), "csv"),
    ],
)
def test_kinds(sniffed, name, content, kind):
    assert sniffed(name, content) == kind


@pytest.mark.parametrize(
    "name",
    [
        f"a.{e}"
        for e in [
            "geojson",
            "gpkg",
            "shp",
            "kml",
            "kmz",
            "gpx",
            "fgb",
            "csv",
            "zip",
            "xlsx",
        ]
    ],
)
def test_a_vrt_under_any_name(sniffed, name):
    with pytest.raises(ReadError, match="root element 'OGRVRTDataSource'"):
        sniffed(name, VRT)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.gpkg", COLLECTION, "it is GeoJSON, damaged or under a wrong name"),
        ("a.geojson", b"fgb\x03fgb\x00", "it is FlatGeobuf"),
        ("a.geojson", "<kml/>", "it is KML"),
        ("a", COLLECTION, "has no ending"),
        ("a.geojson", '{"a": 1}', "JSON, but no GeoJSON"),
        ("a.json", '{"type": "gdal_streamed_alg", "command_line": "x"}', "no GeoJSON"),
        ("a.geojson", "[1]", "does not begin as a GeoJSON does"),
        ("a.shp", "abc", "does not begin as a Shapefile does"),
        ("a.doc", "abc", "no reader for .doc"),
        ("a.xls", b"\xd0\xcf\x11\xe0", r"save it as .xlsx"),
        ("a.tif", b"II*\0abcd", "a raster"),
        ("a.geojson.gz", b"\x1f\x8b\x08", "gzip"),
        ("a.gpkg", b"", "is empty"),
        ("a.gpkg", b"\0" * 5000, "is empty"),
        ("a.kml", "<kml", "no XML"),
        ("a.svg", "<svg/>", "expected KML, GPX or GML"),
        ("a.kml", "<!DOCTYPE kml [<!ENTITY a 'b'>]><kml/>", "DOCTYPE"),
    ],
)
def test_refused(sniffed, name, content, why):
    with pytest.raises(ReadError, match=why):
        sniffed(name, content)


def test_zips_by_what_they_hold(tmp_path):
    def kind(name, *members):
        with zipfile.ZipFile(tmp_path / "z", "w") as box:
            for member in members:
                box.writestr(member, "")
        return sniff(tmp_path / "z", name)

    assert kind("a.xlsx", "[Content_Types].xml", "xl/workbook.xml") == "xlsx"
    assert kind("a.ods", "mimetype", "content.xml") == "ods"
    assert kind("a.kmz", "doc.kml") == "kmz"
    assert kind("a.zip", "doc.kml") == "zip"
    with pytest.raises(ReadError, match="it is zip archive"):
        kind("a.kmz", "a.txt")
    with pytest.raises(ReadError, match="it is XLSX"):
        kind("a.zip", "xl/workbook.xml")


def test_root_element_of_utf16(tmp_path):
    (tmp_path / "a").write_bytes("<?xml version='1.0'?><kml/>".encode("utf-16"))
    assert root_element(tmp_path / "a", "a.kml") == "kml"
    (tmp_path / "a").write_bytes("<!DOCTYPE k><k/>".encode("utf-16"))
    with pytest.raises(ReadError, match="DOCTYPE"):
        root_element(tmp_path / "a", "a.kml")


def test_declared_encoding():
    assert declared_encoding(b"<?xml version='1.0' encoding='EUC-KR'?>") == "EUC-KR"
    assert declared_encoding(b"<kml encoding='x'/>") == ""

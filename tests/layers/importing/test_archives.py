import json
import os
import stat
import struct
import zipfile

import geopandas as gpd
import pyogrio
import pytest
from shapely import Point

from layers.errors import ReadError
from layers.importing.archives import members, unpack

ONE = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"id": "a"},
            "geometry": {"type": "Point", "coordinates": [124.6, 39.8]},
        }
    ],
}
GEOJSON = json.dumps(ONE)


def zipped(path, contents, **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as box:
        for name, content in contents.items():
            box.writestr(name, content)
    return path


def shapefile(folder, name, ids=("a",), **options):
    points = [Point(124.6 + i, 39.8) for i in range(len(ids))]
    frame = gpd.GeoDataFrame({"id": list(ids)}, geometry=points, crs=4326)
    pyogrio.write_dataframe(frame, folder / f"{name}.shp", **options)
    return {p.name: p.read_bytes() for p in sorted(folder.glob(f"{name}.*"))}


def listed(path, **options):
    return members(path, path.name, bytes_at_most=1 << 30, **options)


def test_shapefile_in_a_subfolder_beside_clutter(tmp_path, rows_of):
    parts = shapefile(tmp_path, "pits", ("a", "b"))
    contents = {f"data/in/{name}": content for name, content in parts.items()}
    contents |= {"__MACOSX/data/in/._pits.shp": b"x", "data/in/.DS_Store": b"x"}
    contents |= {"data/in/readme.txt": b"x", "data/in/pits.shp.xml": b"<x/>"}
    raw, rows = rows_of(zipped(tmp_path / "z.zip", contents))
    assert [row["id"] for row in rows] == ["a", "b"]
    assert (raw.kind, raw.layer, raw.crs) == ("Shapefile", "pits", "EPSG:4326")
    assert raw.notes[0] == "Read from 'data/in/pits.shp' in the archive."


def test_several_layers_are_named_and_one_is_asked_for(tmp_path, rows_of):
    contents = shapefile(tmp_path, "pits") | {"roads/r.geojson": GEOJSON}
    path = zipped(tmp_path / "z.zip", contents)
    with pytest.raises(
        ReadError, match=r"2 layers \(pits.shp, roads/r.geojson\).*--la"
    ):
        rows_of(path)
    raw, _ = rows_of(path, layer="r")
    assert (raw.kind, raw.layer) == ("GeoJSON", "roads/r.geojson")
    assert raw.layers == ("pits.shp", "roads/r.geojson")
    assert rows_of(path, layer="pits.shp")[0].kind == "Shapefile"
    with pytest.raises(ReadError, match="no layer 'x'"):
        rows_of(path, layer="x")


def test_layer_of_a_geopackage_in_a_zip(tmp_path, rows_of):
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[Point(1, 2)], crs=4326)
    for layer in ("pits", "roads"):
        pyogrio.write_dataframe(frame, tmp_path / "a.gpkg", layer=layer)
    content = (tmp_path / "a.gpkg").read_bytes()
    path = zipped(tmp_path / "z.zip", {"a.gpkg": content})
    with pytest.raises(ReadError, match=r"2 layers \(pits, roads\)"):
        rows_of(path)
    assert rows_of(path, layer="roads")[0].layer == "roads"


def test_names_in_cp949(tmp_path, rows_of):
    raw_name = "철산.geojson".encode("cp949")
    path = zipped(tmp_path / "z.zip", {"x" * len(raw_name): GEOJSON})
    path.write_bytes(path.read_bytes().replace(b"x" * len(raw_name), raw_name))
    assert [m.name for m in listed(path)] == ["철산.geojson"]
    assert rows_of(path)[0].layer == "철산"
    assert listed(path, encoding="gb18030")[0].name != "철산.geojson"


def test_file_geodatabase(tmp_path, rows_of):
    frame = gpd.GeoDataFrame({"id": ["a"]}, geometry=[Point(1, 2)], crs=4326)
    pyogrio.write_dataframe(frame, tmp_path / "a.gdb", driver="OpenFileGDB", layer="t")
    raw, rows = rows_of(tmp_path / "a.gdb")
    assert (raw.kind, raw.layer, rows[0]["id"]) == ("File Geodatabase", "t", "a")
    inside = {
        f"b/a.gdb/{p.name}": p.read_bytes() for p in (tmp_path / "a.gdb").iterdir()
    }
    raw, rows = rows_of(zipped(tmp_path / "z.zip", inside))
    assert (raw.kind, raw.layer, rows[0]["id"]) == ("File Geodatabase", "t", "a")


@pytest.mark.parametrize(
    ("contents", "why"),
    [
        ({"../../evil.geojson": GEOJSON}, "outside its folder"),
        ({"a/../../evil.geojson": GEOJSON}, "outside its folder"),
        ({"/etc/evil.geojson": GEOJSON}, "outside its folder"),
        ({"C:/evil.geojson": GEOJSON}, "outside its folder"),
        ({"..\\..\\evil.geojson": GEOJSON}, "outside its folder"),
        ({"a.geojson": GEOJSON, "A.GEOJSON": GEOJSON}, "twice"),
        ({"a.geojson": b" " * (40 << 20)}, "more than 100 times"),
        ({"inner.zip": b"PK\x03\x04"}, "inner.zip.*unpack that|Unpack 'inner.zip'"),
        ({"a.docx": b"x"}, "holds no file that is read here"),
        ({}, "holds no file that is read here|is empty|no whole zip"),
    ],
)
def test_refused(tmp_path, rows_of, contents, why):
    path = zipped(tmp_path / "z.zip", contents)
    with pytest.raises(ReadError, match=why):
        rows_of(path)
    assert not (tmp_path.parent / "evil.geojson").exists()


def test_encrypted_members_and_links_are_refused(tmp_path):
    path = zipped(tmp_path / "z.zip", {"a.geojson": GEOJSON})
    content = bytearray(path.read_bytes())
    content[content.rfind(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(ReadError, match="encrypted"):
        listed(path)
    link = zipfile.ZipInfo("a.geojson")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as box:
        box.writestr(link, "/etc/passwd")
    with pytest.raises(ReadError, match="is a link"):
        listed(path)


def test_all_members_together_are_bounded(tmp_path):
    many = {f"{i}.bin": os.urandom(1000) for i in range(20)}
    path = zipped(tmp_path / "z.zip", many)
    with pytest.raises(ReadError, match="unpacks to more than"):
        members(path, "z.zip", bytes_at_most=15_000)
    assert len(members(path, "z.zip", bytes_at_most=20_000)) == 20


def test_a_member_longer_than_it_says_is_not_unpacked(tmp_path):
    path = zipped(tmp_path / "z.zip", {"a.geojson": GEOJSON})
    content = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.rfind(mark) + at, 10)
    path.write_bytes(content)
    [member] = listed(path)
    assert member.size == 10
    with pytest.raises(ReadError, match=r"not as long|cannot be unpacked"):
        unpack(path, "z.zip", {tmp_path / "out": member})


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_truncated(tmp_path, rows_of, share):
    path = zipped(tmp_path / "z.zip", shapefile(tmp_path, "pits"))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ReadError, match=r"z.zip is no whole zip"):
        rows_of(path)

"""Our files in readers that share no code with GDAL: flatgeobuf, shpjs, hyparquet…"""

import json
import zipfile

import pytest

from layers.export.formats import FORMATS
from tests import npm
from tests.layers.export.hard_values import SHAPES, VALUES, of_shapes, of_values
from tests.layers.export.small import EVIL, HANGUL, small

FLATGEOBUF = """
import { deserialize } from 'flatgeobuf/lib/mjs/geojson.js';
const found = [];
for await (const f of deserialize(new Uint8Array(fs.readFileSync(process.argv[1]))))
  found.push(f);
out(found);
"""
SHPJS = """
import shp from 'shpjs';
out(await shp(fs.readFileSync(process.argv[1])));
"""
HYPARQUET = """
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects }
  from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
const file = await asyncBufferFromFile(process.argv[1]);
const about = await parquetMetadataAsync(file);
const said = Object.fromEntries(about.key_value_metadata.map(p => [p.key, p.value]));
out({ said, rows: await parquetReadObjects({ file, compressors }) });
"""
TOGEOJSON = """
import { kml } from '@tmcw/togeojson';
import { DOMParser } from '@xmldom/xmldom';
const text = fs.readFileSync(process.argv[1], 'utf8');
out(kml(new DOMParser().parseFromString(text, 'text/xml')));
"""


@pytest.fixture(scope="module", autouse=True)
def readers():
    try:
        return npm.versions()
    except npm.NoReadersError as error:
        pytest.skip(f"{error}; python tests/npm.py installs it")


def one(sheet):
    content = small()
    return small(sheets=tuple(s for s in content.sheets if s.id == sheet), relations=())


def test_flatgeobuf(tmp_path):
    path = tmp_path / "a.fgb"
    FORMATS["flatgeobuf"].write(one("mines"), path)
    found = {f["properties"]["id"]: f for f in npm.ask(FLATGEOBUF, path)}
    assert found["a"]["properties"]["name"] == HANGUL
    assert found["b"]["properties"]["name"] == EVIL
    assert found["a"]["properties"]["seen"] == "2019-10-15"
    assert found["c"]["properties"]["grade"] == 0.1 + 0.2
    assert found["a"]["geometry"] == {"type": "Point", "coordinates": [124.664, 39.73]}


@pytest.mark.parametrize("kind", ["no geometry", "empty polygons", "some heights"])
def test_flatgeobuf_of_hard_geometries(kind, tmp_path):
    path = tmp_path / "a.fgb"
    FORMATS["flatgeobuf"].write(of_shapes(SHAPES[kind]), path)
    assert all(f["geometry"]["coordinates"] for f in npm.ask(FLATGEOBUF, path))


def test_shpjs(tmp_path):
    path = tmp_path / "a.shp.zip"
    FORMATS["shapefile"].write(small(), path)
    found = {layer["fileName"]: layer for layer in npm.ask(SHPJS, path)}
    assert set(found) == {"mines", "counties"}
    first = found["mines"]["features"][0]
    assert first["properties"]["name"] == HANGUL
    assert first["properties"]["year"] == 1951
    assert first["geometry"]["coordinates"] == pytest.approx([124.664, 39.73])
    north = found["counties"]["features"][0]["geometry"]
    assert north["type"] == "Polygon"
    assert len(north["coordinates"]) == 2


def test_shpjs_keeps_digits_and_exponents(tmp_path):
    path = tmp_path / "a.shp.zip"
    FORMATS["shapefile"].write(of_values(VALUES["numbers"]), path)
    rows = npm.ask(SHPJS, path)["features"]
    assert [row["properties"]["v"] for row in rows] == VALUES["numbers"]


def test_hyparquet(tmp_path):
    path = tmp_path / "a.parquet"
    FORMATS["geoparquet"].write(one("mines"), path)
    found = npm.ask(HYPARQUET, path)
    assert found["said"]["licence"] == "CC-BY-4.0"
    geo = json.loads(found["said"]["geo"])
    assert geo["columns"]["geometry"]["covering"]["bbox"]["xmin"] == ["bbox", "xmin"]
    assert [row["name"] for row in found["rows"]] == [HANGUL, EVIL, None]
    assert found["rows"][0]["geometry"]["coordinates"] == [124.664, 39.73]
    assert found["rows"][2]["bbox"]["ymax"] == 40.331


@pytest.mark.parametrize("form", ["kml", "kmz"])
def test_togeojson(form, tmp_path):
    path = tmp_path / f"a.{form}"
    FORMATS[form].write(small(), path)
    if form == "kmz":
        with zipfile.ZipFile(path) as archive:
            path = path.with_suffix(".kml")
            path.write_bytes(archive.read("doc.kml"))
    features = npm.ask(TOGEOJSON, path)["features"]
    assert len(features) == 5
    first, evil, *_ = (f["properties"] for f in features)
    assert first["name"] == HANGUL
    assert first["grade"] == 1.5
    assert first["year"] == 1951
    assert evil["name"] == EVIL
    assert all(f["properties"]["styleUrl"].startswith("#mark-") for f in features)
    assert features[3]["properties"]["stroke"].startswith("#")
    assert [f["geometry"]["type"] for f in features[3:]] == [
        "Polygon",
        "GeometryCollection",
    ] or [f["geometry"]["type"] for f in features[3:]] == ["Polygon", "MultiPolygon"]


@pytest.mark.parametrize("kind", ["markup", "lines", "hangul", "turned writing"])
def test_texts_come_back_in_javascript(kind, tmp_path):
    content = of_values(VALUES[kind])
    path = tmp_path / "a.kml"
    FORMATS["kml"].write(content, path)
    rows = npm.ask(TOGEOJSON, path)["features"]
    assert [row["properties"]["v"] for row in rows] == VALUES[kind]
    path = tmp_path / "a.parquet"
    FORMATS["geoparquet"].write(content, path)
    assert [r["v"] for r in npm.ask(HYPARQUET, path)["rows"]] == VALUES[kind]

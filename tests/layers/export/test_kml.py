import re
import struct
import zipfile
import zlib
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import shapely

import layers
from layers.export.exchange_content import exchange_content
from layers.export.formats import FORMATS
from layers.export.icons import PIXELS, symbol_png
from layers.symbology import LIGHT, MARKS, SYMBOLS
from tests.apart import JUDGES, NoProgramsError
from tests.layers.export.hard_values import SHAPES, VALUES, of_shapes, of_values
from tests.layers.export.reading_back import KML
from tests.layers.export.small import EVIL, HANGUL, KEYS, small

VALID = """
import pathlib, sys
from fastkml.validator import validate
for name in sys.argv[1:]:
    assert validate(file_to_validate=pathlib.Path(name)), name
"""


@pytest.fixture(scope="module")
def cholsan():
    return exchange_content(layers.load_exchange("cholsan-2019"))


def document(content, folder):
    path = folder / "a.kml"
    FORMATS["kml"].write(content, path)
    return ET.fromstring(path.read_bytes())[0]


def told(mark, tag):
    found = mark.find(f"{KML}{tag}")
    return None if found is None else found.text


def test_layers_are_folders_and_off_ones_hidden(tmp_path):
    folders = list(document(small(), tmp_path).iter(f"{KML}Folder"))
    assert [told(f, "name") for f in folders] == ["Mines", "Counties"]
    assert [told(f, "visibility") for f in folders] == ["1", "0"]
    assert {told(m, "visibility") for m in folders[1].iter(f"{KML}Placemark")} == {"0"}
    credit = told(folders[0], "description")
    assert "CC-BY-4.0" in credit
    assert "© Nobody" in credit
    assert '<a href="https://doi.org/10.1234/abc">' in credit


def test_the_balloon_shows_every_value_and_runs_none(tmp_path):
    mines = next(document(small(), tmp_path).iter(f"{KML}Folder"))
    hangul, evil, _ = mines.iter(f"{KML}Placemark")
    assert told(hangul, "name") == HANGUL
    assert told(evil, "name") == EVIL
    said = told(hangul, "description")
    assert "<th align='left'>Grade [%]</th><td>1.5</td>" in said
    assert "© Nobody" in said
    table = ET.fromstring(f"<x>{told(evil, 'description')}</x>")
    assert table.find("h3").text == EVIL
    assert table.find(".//script") is None


def test_marks_are_drawn_in_their_colours(tmp_path):
    doc = document(small(), tmp_path)
    mines, counties = doc.iter(f"{KML}Folder")
    assert [told(m, "styleUrl") for m in mines.iter(f"{KML}Placemark")] == [
        f"#mark-{KEYS[0]}",
        f"#mark-{KEYS[1]}",
        f"#mark-{KEYS[0]}",
    ]
    assert told(next(counties.iter(f"{KML}Placemark")), "styleUrl") == "#mark-region"
    styles = {s.get("id"): s for s in doc.iter(f"{KML}Style")}
    red, green, blue = (LIGHT[MARKS["region"].role][i : i + 2] for i in (1, 3, 5))
    line = styles["mark-region"].find(f"{KML}LineStyle/{KML}color").text
    assert line == f"ff{blue}{green}{red}"
    for style in styles.values():
        balloon = style.find(f"{KML}BalloonStyle/{KML}text").text
        assert balloon == "$[description]"


def test_a_row_without_mark_is_there_but_not_drawn(cholsan, tmp_path):
    doc = document(cholsan, tmp_path)
    styles = {s.get("id"): s for s in doc.iter(f"{KML}Style")}
    assert styles["mark-unmarked"].find(f"{KML}IconStyle/{KML}scale").text == "0"
    deposits = next(doc.iter(f"{KML}Folder"))
    marks = [told(m, "styleUrl") for m in deposits.iter(f"{KML}Placemark")]
    bare = (cholsan.sheets[0].table["mark"] == "").tolist()
    assert [m == "#mark-unmarked" for m in marks] == bare
    assert any(bare)


def test_every_style_that_is_named_is_there(cholsan, tmp_path):
    doc = document(cholsan, tmp_path)
    ids = [e.get("id") for e in doc.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    named = {u.text.removeprefix("#") for u in doc.iter(f"{KML}styleUrl")}
    named |= {d.get("schemaUrl")[1:] for d in doc.iter(f"{KML}SchemaData")}
    assert named <= set(ids)


def test_a_kmz_holds_the_symbols_it_names(cholsan, tmp_path):
    path = tmp_path / "a.kmz"
    FORMATS["kmz"].write(cholsan, path)
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        assert names[0] == "doc.kml"
        text = archive.read("doc.kml").decode()
        hrefs = re.findall("<href>(.*?)</href>", text)
        assert sorted(hrefs) == sorted(names[1:])
        assert len(hrefs) == 6
        assert all(archive.read(h).startswith(b"\x89PNG") for h in hrefs)
    assert "http" not in "".join(hrefs)


def pixels(png):
    """Read a PNG of one chunk as we write them."""
    assert png[12:16] == b"IHDR"
    width, height = struct.unpack(">II", png[16:24])
    start = png.index(b"IDAT") + 4
    length = struct.unpack(">I", png[start - 8 : start - 4])[0]
    rows = zlib.decompress(png[start : start + length])
    lines = np.frombuffer(rows, np.uint8).reshape(height, 1 + width * 4)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(height, width, 4)


@pytest.mark.parametrize("name", SYMBOLS)
def test_symbols_are_drawn_in_two_colours_on_a_clear_ground(name):
    picture = pixels(symbol_png(name, colour="#b03a06", ground="#fffdf8"))
    assert picture.shape == (PIXELS, PIXELS, 4)
    assert not picture[[0, 0, -1, -1], [0, -1, 0, -1], 3].any()
    solid = picture[picture[..., 3] == 255][:, :3]
    colours = {tuple(int(v) for v in c) for c in np.unique(solid, axis=0)}
    assert {(176, 58, 6), (255, 253, 248)} <= colours
    mirrored = picture[:, ::-1].astype(int)  # each looks the same in a mirror
    assert np.abs(picture - mirrored).mean() < 1


def test_a_ring_is_empty_between_its_edge_and_its_middle():
    picture = pixels(symbol_png("ring", colour="#000000", ground="#ffffff"))
    row = picture[PIXELS // 2, :, 0]
    scale = PIXELS / 20
    assert row[int(10 * scale)] == 0  # the middle
    assert row[int(13.4 * scale)] == 255  # between
    assert row[int(16 * scale)] == 0  # the edge


@pytest.mark.parametrize("form", ["kml", "kmz"])
def test_it_keeps_to_the_schema_of_the_ogc(cholsan, form, tmp_path):
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    contents = [cholsan, small(), *map(of_values, map(VALUES.get, ("markup", "lines")))]
    contents += [of_shapes(SHAPES[kind]) for kind in ("collection", "no geometry")]
    documents = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.{form}"
        FORMATS[form].write(content, path)
        if form == "kmz":
            with zipfile.ZipFile(path) as archive:
                path = path.with_suffix(".kml")
                path.write_bytes(archive.read("doc.kml"))
        documents.append(path)
    done = JUDGES.run("python", "-c", VALID, *documents)
    assert done.returncode == 0, done.stderr[-1500:]


def test_the_schema_finds_elements_in_a_wrong_order(tmp_path):
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    path = tmp_path / "a.kml"
    FORMATS["kml"].write(small(), path)
    text = path.read_text("utf-8")
    snippet = '<Snippet maxLines="0"></Snippet>'
    turned = text.replace(f"{snippet}<description>", "<description>", 1)
    turned = turned.replace(
        "</description><styleUrl>", f"</description>{snippet}<styleUrl>"
    )
    path.write_text(turned, encoding="utf-8")
    assert JUDGES.run("python", "-c", VALID, path).returncode != 0


def test_google_earth_looks_at_the_whole_of_it(tmp_path):
    content = small(bbox=(124.0, 38.0, 128.0, 41.0))
    view = document(content, tmp_path).find(f"{KML}LookAt")
    assert float(told(view, "longitude")) == 126
    assert float(told(view, "latitude")) == 39.5
    assert 400_000 < float(told(view, "range")) < 600_000


def test_lines_follow_the_ground(tmp_path):
    content = of_shapes([shapely.LineString([(124, 39), (125, 40)])])
    [line] = document(content, tmp_path).iter(f"{KML}LineString")
    assert told(line, "tessellate") == "1"
    assert told(line, "coordinates") == "124.0,39.0 125.0,40.0"

import re
import struct

import numpy as np
import pytest
import rasterio
from pypdf import PdfReader

from layers.errors import WriteError
from layers.symbology import LIGHT
from maps.exchange import build
from maps.pictures.figure import figure
from maps.pictures.fonts import FontStock
from maps.pictures.order import Order, PictureError
from maps.pictures.writing import newest_data, write_picture
from tests.maps.conftest import poison

EXCHANGES = ("cholsan-2019", "pobeda-2014", "sicomines-2008")


def write(pages, path, name="cholsan-2019", fonts=None, **options):
    return write_picture(*pages[name], Order(path=path, **options), fonts=fonts)


def corner(made):
    """Left upper corner of the map in a picture."""
    found = re.search(r'id="map" transform="translate\((\S+) (\S+)\)', made.svg)
    return map(float, found.groups())


def pixels(path):
    with rasterio.open(path) as image:
        return np.moveaxis(image.read(), 0, -1)[..., :3].astype(int)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("name", EXCHANGES)
def test_each_mark_shows_its_colour_where_it_lies(pages, fonts, tmp_path, name):
    path = write(pages, tmp_path / "a.png", name, fonts, dpi=150)
    image = pixels(path)
    made = figure(*pages[name], fonts=fonts, width=900)
    x0, y0 = map(
        float,
        re.search(r'id="map" transform="translate\((\S+) (\S+)\)', made.svg).groups(),
    )
    scale = 150 / 25.4 / 5
    height, width = image.shape[:2]
    assert width == round(180 / 25.4 * 150)
    assert height == pytest.approx(made.height_mm / 25.4 * 150, abs=1)

    def nearest(feature):
        colour = np.array(
            [int(LIGHT[feature.mark.role][i : i + 2], 16) for i in (1, 3, 5)]
        )
        points = (
            [feature.at]
            if feature.symbol
            else [p for rings in feature.shapes for r in rings for p in r.tolist()]
        )
        best = 999.0
        for x, y in points:
            i, j = int((y0 + y) * scale), int((x0 + x) * scale)
            patch = image[max(i - 8, 0) : i + 9, max(j - 8, 0) : j + 9]
            if patch.size:
                best = min(best, float(np.abs(patch - colour).max(axis=-1).min()))
        return best

    for mark in made.scene.marks:
        own = [f for f in made.scene.features if f.mark.key == mark.key]
        if own:
            assert min(map(nearest, own)) <= 24, mark.key


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_sea_and_land_lie_where_they_lie(pages, fonts, tmp_path):
    image = pixels(write(pages, tmp_path / "a.png", fonts=fonts, dpi=100))
    made = figure(*pages["cholsan-2019"], fonts=fonts, width=900)
    x0, y0 = map(
        float,
        re.search(r'id="map" transform="translate\((\S+) (\S+)\)', made.svg).groups(),
    )
    for place, role in (
        ((123.3, 39.0), "sea"),
        ((127.2, 41.0), "land"),
        ((126.3, 39.35), "region"),
    ):
        x, y = made.scene.frame.point(*place)
        i, j = int((y0 + y) / 127 * 100), int((x0 + x) / 127 * 100)
        found = np.median(image[i - 6 : i + 7, j - 6 : j + 7], axis=(0, 1))
        wanted = [int(LIGHT[role][i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(found - wanted).max() <= 12, role


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_the_same_bytes_twice(pages, fonts, tmp_path, ending):
    first = write(pages, tmp_path / f"a.{ending}", fonts=fonts, dpi=60)
    second = write(pages, tmp_path / f"b.{ending}", fonts=FontStock(), dpi=60)
    assert first.read_bytes() == second.read_bytes()


def test_a_png_says_its_resolution(pages, fonts, tmp_path):
    raw = write(pages, tmp_path / "a.png", "pobeda-2014", fonts, dpi=300).read_bytes()
    at = raw.index(b"pHYs")
    assert struct.unpack(">IIB", raw[at + 4 : at + 13]) == (11811, 11811, 1)


def test_a_pdf_is_one_page_of_its_size_whose_names_can_be_read(pages, fonts, tmp_path):
    reader = PdfReader(write(pages, tmp_path / "a.pdf", fonts=fonts))
    (page,) = reader.pages
    assert float(page.mediabox.width) == pytest.approx(180 / 25.4 * 72, abs=0.5)
    text = page.extract_text()
    assert "Dandong" in text
    assert "No legal advice." in text
    root = reader.trailer["/Root"]
    assert root["/Lang"].startswith("en")
    assert root["/MarkInfo"]["/Marked"]
    assert reader.metadata.title == pages["cholsan-2019"][0].title
    assert reader.metadata.creation_date.date() == newest_data()


def test_hangul_and_han_are_set_in_their_own_fonts(pages, fonts, tmp_path):
    if fonts.lacking(["철산铁山"]):
        pytest.skip("no font for Korean and Chinese here: install fonts-noto-cjk")
    reader = PdfReader(write(pages, tmp_path / "a.pdf", fonts=fonts))
    text = re.sub(r"\s", "", reader.pages[0].extract_text())
    assert "단둥시" in text
    assert "丹东市" in text
    names = {
        font.get_object()["/BaseFont"]
        for font in reader.pages[0]["/Resources"].get("/Font", {}).values()
    } | {
        font.get_object()["/BaseFont"]
        for form in reader.pages[0]["/Resources"].get("/XObject", {}).values()
        for font in form.get_object().get("/Resources", {}).get("/Font", {}).values()
    }
    if any("Noto" in name for name in names):
        assert any("CJKkr" in name for name in names)
        assert any("CJKsc" in name for name in names)


def test_without_fonts_a_picture_is_drawn_and_the_log_says_what_lacks(
    pages, tmp_path, caplog
):
    path = write(pages, tmp_path / "a.png", fonts=FontStock(system=False), dpi=50)
    assert path.stat().st_size > 10_000
    (record,) = [r for r in caplog.records if r.name == "maps.pictures.fonts"]
    assert "fonts-noto-cjk" in record.getMessage()


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_hostile_names_break_no_format(pages, fonts, tmp_path, ending):
    deal = poison(pages["pobeda-2014"][0])
    order = Order(path=tmp_path / f"a.{ending}", dpi=60)
    assert write_picture(deal, build(deal), order, fonts=fonts).stat().st_size > 10_000


def test_a_file_is_written_whole_or_not_at_all(pages, fonts, tmp_path, monkeypatch):
    path = tmp_path / "a.svg"
    path.write_text("mine")
    with pytest.raises(WriteError, match="No such file"):
        write(pages, tmp_path / "none" / "a.svg", fonts=fonts)
    monkeypatch.setattr(
        "os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(WriteError, match="cannot write"):
        write(pages, path, "pobeda-2014", fonts)
    assert path.read_text() == "mine"
    assert [f.name for f in tmp_path.iterdir()] == ["a.svg"]


def test_too_many_pixels_are_refused_before_they_are_drawn(pages, fonts, tmp_path):
    with pytest.raises(PictureError, match="100,000,000"):
        write(pages, tmp_path / "a.png", fonts=fonts, width_mm=1200.0, dpi=1200)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_to_its_end(pages, fonts, tmp_path):
    seen = []
    order = Order(path=tmp_path / "a.svg")
    write_picture(
        *pages["pobeda-2014"],
        order,
        fonts=fonts,
        progress=lambda done, whole: seen.append((done, whole)),
    )
    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)

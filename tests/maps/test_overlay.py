"""A raster on the page: where it lies, what it shows, and how it is switched."""

import base64
import re

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.io import MemoryFile

import layers
import maps
from geo.errors import CRSMissingError, GridError
from layers.symbology import DARK, LIGHT, OVERLAY, contrast
from maps.overlay import MOST_BYTES, STEPS, add_overlay, read_overlay
from maps.page import PageError

TALL = (124.0, 38.5, 126.0, 41.5)
"""Three degrees of latitude round 40° N: unwarped, its middle is 1.2 km off."""


def write(path, values, *, bounds=TALL, crs="EPSG:4326", nodata=-1, **profile):
    """Write a raster; returns its path."""
    rows, columns = values.shape
    west, south, east, north = bounds
    across, down = (east - west) / columns, (north - south) / rows
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=rows,
        width=columns,
        count=1,
        dtype=values.dtype,
        crs=crs,
        transform=Affine(across, 0, west, 0, -down, north),
        nodata=nodata,
        **profile,
    ) as target:
        target.write(values, 1)
    return path


def pixels(overlay):
    """The picture, shape (4, rows, columns)."""
    raw = base64.b64decode(overlay.url.removeprefix("data:image/png;base64,"))
    with MemoryFile(raw) as memory, memory.open() as picture:
        steps, palette = picture.read(1), picture.colormap(1)
    table = np.array([palette[i] for i in range(STEPS + 1)])
    return np.moveaxis(table[steps], -1, 0)


@pytest.fixture
def ramp(tmp_path):
    """0 in the west to 10,000 in the east, stored whole with a scale; a hole."""
    values = np.tile(np.linspace(0, 10_000, 40).astype(np.int16), (60, 1))
    values[10:20, 5:15] = -1
    path = write(tmp_path / "score.tif", values)
    with rasterio.open(path, "r+") as source:
        source.scales = (0.0001,)
    return path


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_scale_and_nodata_of_the_file_hold(ramp):
    overlay = read_overlay(ramp, name="Score", unit="score")
    assert (overlay.scale.low, overlay.scale.high) == ("0", "1")
    red, green, blue, alpha = pixels(overlay)
    rows, columns = overlay.shape
    assert alpha[rows // 4, columns // 4] == 0
    assert alpha[-1, 0] < alpha[-1, columns // 2] < alpha[-1, -1] == 255
    drawn = alpha > 0
    for channel, start in ((red, 1), (green, 3), (blue, 5)):
        assert set(channel[drawn]) == {int(OVERLAY[start : start + 2], 16)}


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_hole_that_is_not_a_number_is_a_hole(tmp_path):
    values = np.ones((20, 20), dtype=np.float32)
    values[:, 10:] = np.nan
    values[0, 0] = 0
    overlay = read_overlay(write(tmp_path / "a.tif", values, nodata=-9999), name="a")
    alpha = pixels(overlay)[3]
    assert (alpha[:, -1] == 0).all()
    assert (alpha[:, 0] > 0).all()


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32651", "EPSG:3857"])
def test_the_edge_of_a_value_is_where_it_was(tmp_path, crs):
    from rasterio.warp import transform, transform_bounds

    bounds = transform_bounds("EPSG:4326", crs, *TALL)
    values = np.full((300, 200), -1, dtype=np.int16)
    values[150:, :] = 7
    path = write(tmp_path / "half.tif", values, bounds=bounds, crs=crs)
    overlay = read_overlay(path, name="half")
    (x,), (y,) = [(bounds[0] + bounds[2]) / 2], [(bounds[1] + bounds[3]) / 2]
    lon, lat = transform(crs, "EPSG:4326", [x], [y])
    west, south, east, north = np.radians(overlay.bounds)
    up = np.arctanh(np.sin([south, np.radians(lat[0]), north]))
    expected = (up[2] - up[1]) / (up[2] - up[0]) * overlay.shape[0]
    column = (np.radians(lon[0]) - west) / (east - west) * overlay.shape[1]
    drawn = np.flatnonzero(pixels(overlay)[3][:, int(column)])
    assert drawn[0] == pytest.approx(expected, abs=2.1)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_large_raster_becomes_a_small_picture(tmp_path):
    rng = np.random.default_rng(3)
    values = rng.integers(0, 10_000, (3000, 4000)).astype(np.int16)
    values[:, 3000:] = -1
    values[::4, 3000:] = 500  # a quarter of these cells: not drawn
    path = write(tmp_path / "large.tif", values, tiled=True)
    with rasterio.open(path, "r+") as source:
        source.build_overviews([2, 4], rasterio.enums.Resampling.average)
    overlay = read_overlay(path, name="large", limits=(0, 10_000))
    assert max(overlay.shape) <= 1200
    assert overlay.cells > 3
    assert len(base64.b64decode(overlay.url.split(",")[1])) <= MOST_BYTES
    again = read_overlay(path, name="large", limits=(0, 10_000))
    assert again == overlay


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_half_of_what_is_read_must_hold_a_value(tmp_path):
    held = np.random.default_rng(5).random((2400, 1200))
    held[:, :600] = held[:, :600] < 0.95
    held[:, 600:] = held[:, 600:] < 0.05
    values = np.where(np.kron(held, np.ones((2, 1))), 5, -1).astype(np.int16)
    path = write(tmp_path / "sparse.tif", values)
    alpha = pixels(read_overlay(path, name="sparse"))[3]
    assert (alpha[:, 10] > 0).mean() > 0.9
    assert (alpha[:, -10] > 0).mean() < 0.1


def test_limits_say_what_lies_beyond_them(ramp):
    scale = read_overlay(ramp, name="Score", limits=(0.2, 0.8)).scale
    assert (scale.low, scale.high) == ("0.2 or less", "0.8 or more")


def test_one_value_everywhere_has_a_key(tmp_path):
    path = write(tmp_path / "flat.tif", np.full((4, 4), 7, dtype=np.int16))
    scale = read_overlay(path, name="flat").scale
    assert float(scale.low) <= 7 <= float(scale.high)
    assert scale.low != scale.high


def test_the_strongest_colour_stands_out_on_every_ground():
    for palette in (LIGHT, DARK):
        for ground in ("land", "sea", "region"):
            assert contrast(OVERLAY, palette[ground]) >= 3


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"crs": None}, CRSMissingError, "names no CRS"),
        ({"bounds": (179, 0, 181, 1)}, GridError, "antimeridian"),
        ({"bounds": (0, 80, 1, 89)}, GridError, "85° of the equator"),
    ],
)
def test_a_raster_without_a_place_is_refused(tmp_path, change, error, words):
    path = write(tmp_path / "a.tif", np.ones((4, 4), dtype=np.int16), **change)
    with pytest.raises(error, match=words):
        read_overlay(path, name="a")


def test_what_cannot_be_drawn_is_refused(tmp_path, ramp):
    empty = write(tmp_path / "a.tif", np.full((4, 4), -1, dtype=np.int16))
    with pytest.raises(GridError, match="holds no value"):
        read_overlay(empty, name="a")
    with pytest.raises(GridError, match="no band 2"):
        read_overlay(ramp, name="a", band=2)
    with pytest.raises(PageError, match="smaller first"):
        read_overlay(ramp, name="a", limits=(1, 0))
    with pytest.raises(GridError, match="no raster"):
        read_overlay(tmp_path / "absent.tif", name="a")
    cut = write(tmp_path / "cut.tif", np.ones((90, 90), dtype=np.int16))
    cut.write_bytes(cut.read_bytes()[:-9000])
    with pytest.raises(GridError, match="truncated"):
        read_overlay(cut, name="a")


def test_two_rasters_need_two_names(ramp):
    page = maps.exchange_map(layers.load_exchange("pobeda-2014"))
    maps.add_raster(page, ramp, name="Score")
    with pytest.raises(PageError, match="already"):
        maps.add_raster(page, ramp, name="score")
    import folium

    with pytest.raises(PageError, match=r"maps\.exchange_map"):
        add_overlay(folium.Map(tiles=None), read_overlay(ramp, name="b"))


HOSTILE_NAME = "<img src=x onerror=alert(1)>{{ 7*7 }}\"'"


@pytest.fixture(scope="module")
def raster_page(deal, tmp_path_factory):
    """A page with a raster whose one drawn block begins at 125° E, 40° N."""
    folder = tmp_path_factory.mktemp("raster")
    values = np.full((300, 200), -1, dtype=np.int16)
    values[150:180, 100:130] = 9_000
    values[200:203, 10:13] = 1_000
    path = write(folder / "score.tif", values)
    with rasterio.open(path, "r+") as source:
        source.scales = (0.0001,)
    page = maps.exchange_map(deal)
    maps.add_raster(
        page,
        path,
        name=f"Score {HOSTILE_NAME}",
        unit=f"score, 0 to 1 {HOSTILE_NAME}",
        about="What it is.",
        clear=f"left out {HOSTILE_NAME}",
    )
    return maps.save(page, folder / "page.html")


CORNER = """async ([lon, lat]) => {
    const image = document.querySelector('.leaflet-rasters-pane img');
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = image.naturalWidth;
    canvas.height = image.naturalHeight;
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
    let [left, top] = [Infinity, Infinity];
    for (let i = 0; i < canvas.width * canvas.height; i += 1) {
        if (data[4 * i + 3] < 200) continue;
        left = Math.min(left, i % canvas.width);
        top = Math.min(top, Math.floor(i / canvas.width));
    }
    const box = image.getBoundingClientRect();
    const frame = lodemap.map().getContainer().getBoundingClientRect();
    const mark = lodemap.map().latLngToContainerPoint([lat, lon]);
    return [
        box.left + left / canvas.width * box.width - frame.left - mark.x,
        box.top + top / canvas.height * box.height - frame.top - mark.y,
    ];
}"""


@pytest.mark.browser
def test_the_raster_lies_where_the_marks_lie(raster_page, open_page):
    with open_page(raster_page, reduced_motion="reduce") as page:
        for zoom in (7, 10):
            page.evaluate(
                "z => lodemap.map().setView([40, 125], z, { animate: false })", zoom
            )
            off = page.evaluate(CORNER, [125.0, 40.0])
            assert np.abs(off).max() <= 2, f"{off} px off at zoom {zoom}"


@pytest.mark.browser
def test_the_row_of_the_legend_switches_the_raster(raster_page, open_page):
    with open_page(raster_page) as page:
        picture = page.locator(".leaflet-rasters-pane img")
        box = page.locator('#legend input[value^="overlay:"]')
        assert picture.count() == 1
        assert picture.get_attribute("src").startswith("data:image/png;base64,")
        slider = page.locator("#legend input[type=range]")
        box.uncheck()
        assert picture.count() == 0
        assert slider.is_disabled()
        box.check()
        assert picture.count() == 1
        assert slider.is_enabled()


@pytest.mark.browser
def test_opacity_moves_by_keyboard_and_is_remembered(raster_page, open_page):
    with open_page(raster_page) as page:
        picture = page.locator(".leaflet-rasters-pane img")
        slider = page.get_by_role("slider", name=re.compile("^Opacity of Score"))
        opacity = "el => Number(getComputedStyle(el).opacity)"
        assert picture.evaluate(opacity) == pytest.approx(0.85)
        slider.focus()
        page.keyboard.press("Home")
        assert picture.evaluate(opacity) == 0
        for _ in range(6):
            page.keyboard.press("ArrowRight")
        assert picture.evaluate(opacity) == pytest.approx(0.3)
        assert slider.get_attribute("aria-valuetext") == "30 per cent"
        assert page.locator(".ramp output").inner_text() == "30 %"
        box = page.locator('#legend input[value^="overlay:"]')
        box.uncheck()
        box.check()
        assert picture.evaluate(opacity) == pytest.approx(0.3)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert picture.evaluate(opacity) == pytest.approx(0.3)
        assert slider.is_hidden()
        assert page.locator(".ramp output").inner_text() == "30 %"
        assert page.locator(".ramp-bar").is_visible()
        page.emulate_media(media="screen")
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert slider.is_visible()
        assert picture.evaluate(opacity) == pytest.approx(0.3)


@pytest.mark.browser
def test_the_key_says_all_and_its_text_is_text(raster_page, open_page):
    with open_page(raster_page) as page:
        text = page.locator(".ramp").text_content()
        assert f"score, 0 to 1 {HOSTILE_NAME}" in text
        assert f"Not coloured: left out {HOSTILE_NAME}" in text
        assert re.search(r"Faintest: 0\.1 .*Strongest: 0\.9", text, re.DOTALL)
        assert page.locator("img").count() == 1
        assert page.locator("[onerror]").count() == 0
        policy = page.locator("meta[http-equiv]").get_attribute("content")
        assert "img-src data:;" in policy

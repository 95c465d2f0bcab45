"""Lines and areas in tiles: cut by them, and one feature each for all that."""

import itertools

import geopandas as gpd
import numpy as np
import pytest
import shapely

import maps
from maps.preview import serving
from maps.tiled import on_the_map
from maps.vertices import take_apart
from tests.maps.many_sample import empty_page
from tests.maps.test_many_browser import LAYER, at, wait

pytestmark = pytest.mark.browser

WEST, SOUTH, EAST, NORTH = 124.0, 39.0, 127.0, 41.0


def shapes():
    """Areas on a grid, each with a hole; an area and a line over all; two far away."""
    x, y = np.meshgrid(np.linspace(WEST, EAST, 31), np.linspace(SOUTH, NORTH, 21))
    dots = shapely.points(x.ravel(), y.ravel())
    areas = shapely.difference(
        shapely.buffer(dots, 0.03, quad_segs=6), shapely.buffer(dots, 0.008)
    )
    large = shapely.difference(
        shapely.box(WEST, NORTH + 0.2, EAST, NORTH + 1.2),
        shapely.box(125.05, NORTH + 0.5, 125.9, NORTH + 0.9),
    )
    line = shapely.LineString([(WEST, 38.8), (125.1, 38.3), (EAST, 38.8)])
    over = shapely.Polygon([(179, -1), (-179, -1), (-179, 1), (179, 1)])
    two = shapely.MultiPolygon(
        [shapely.box(10, 10, 11, 11), shapely.box(20, 20, 21, 21)]
    )
    geometries = [*areas, large, line, over, two]
    count = len(geometries)
    return gpd.GeoDataFrame(
        {
            "name": [f"Field {i}" for i in range(count)],
            "kind": ["a", "b"] * 325 + ["a"] * 5,
        },
        geometry=geometries,
        crs=4326,
    )


@pytest.fixture(scope="module")
def layer():
    return shapes()


@pytest.fixture(scope="module")
def pages(layer, tmp_path_factory):
    """The layer in tiles, and on a canvas of the page."""
    folder = tmp_path_factory.mktemp("shapes")
    found = []
    for name, options in (("tiles", {"tiles": folder / "f.pmtiles"}), ("canvas", {})):
        page = empty_page()
        maps.add_layer(page, layer, name="Fields", column="kind", **options)
        found.append(maps.save(page, folder / f"{name}.html"))
    return found


@pytest.fixture
def opened(pages, chromium):
    """Both pages from a host, without another network and without errors."""
    trouble, contexts = [], []
    with serving(pages[0]) as tiled, serving(pages[1]) as canvas:
        found = []
        for address in (tiled, canvas):
            context = chromium.new_context(viewport={"width": 1200, "height": 800})
            contexts.append(context)
            context.route(
                lambda url, own=address: not url.startswith(own), lambda r: r.abort()
            )
            page = context.new_page()
            page.on("pageerror", lambda error: trouble.append(str(error)))
            page.goto(address)
            page.wait_for_selector("html[data-many]")
            found.append(page)
        yield found
        for context in contexts:
            context.close()
    assert trouble == []


def look(page, lat, lon, zoom):
    page.evaluate(f"lodemap.map().setView([{lat}, {lon}], {zoom}, {{animate: false}})")
    tiled = page.evaluate(f"Boolean({LAYER}.data.tiles)")
    ready = f"{LAYER}.near && " if tiled else ""
    wait(page, f"{ready}{LAYER}.picture && !{LAYER}.busy", seconds=20)
    page.wait_for_timeout(300)
    wait(page, f"{LAYER}.picture && !{LAYER}.busy && {LAYER}.covers()")


def seen(page):
    """Names in view, as often as the layer has them."""
    return page.evaluate(
        f"""async () => {{
            const names = await {LAYER}.column('name');
            return {LAYER}.shape.within({LAYER}.windows(), 1e6).map((i) => names.at(i));
        }}"""
    )


def pixels(page):
    """What the layer has painted over the map, as a mask of the places with ink."""
    return np.array(
        page.evaluate(
            f"""() => {{
                const {{ front: c, picture: p }} = {LAYER};
                const now = {LAYER}.view(0);
                const d = c.getContext('2d').getImageData(
                    (now.left - p.left) * p.ratio, (now.top - p.top) * p.ratio,
                    now.width, now.height).data;
                return Array.from({{ length: d.length / 4 }}, (_, i) =>
                    (d[4 * i + 3] << 4) + (d[4 * i] >> 4));
            }}"""
        )
    )


def test_every_feature_is_counted_once_from_far_away(layer, opened):
    page, _ = opened
    page.evaluate("lodemap.map().setView([20, 100], 2, {animate: false})")
    wait(page, f"{LAYER}.picture && !{LAYER}.busy && {LAYER}.covers()")
    count = f"{LAYER}.shape.weights.reduce((a, b) => a + b, 0)"
    assert page.evaluate(count) == len(layer)
    status = page.locator(".many-status").text_content()
    assert "drawn as density" in status
    assert f" of {len(layer)} in view" in status


def test_every_feature_in_view_is_there_once(layer, opened):
    page, _ = opened
    look(page, 40, 125.5, 8)
    names = seen(page)
    assert len(names) == len(set(names))
    assert set(layer["name"].iloc[:653]) == set(names)
    inside = page.evaluate(f"{LAYER}.shape.count({LAYER}.windows(), null)")
    assert inside == len(names)
    # The large one is cut by many tiles.
    pieces = page.evaluate(
        f"""() => {{ const i = {LAYER}.indexOf(651); const s = {LAYER}.shape;
            return s.ringAt[i + 1] - s.ringAt[i]; }}"""
    )
    assert pieces > 4


@pytest.mark.parametrize(("lat", "lon", "zoom"), [(40.6, 125.5, 8), (41.5, 125.3, 10)])
def test_it_looks_as_it_does_on_a_canvas_and_shows_no_seams(opened, lat, lon, zoom):
    found = []
    for page in opened:
        look(page, lat, lon, zoom)
        found.append(pixels(page))
    tiled, canvas = found
    assert (canvas > 0).mean() > 0.05
    # Steps of the two differ by less than a metre; edges of areas by less than a pixel.
    assert (np.abs(tiled - canvas) > 300).mean() < 0.004


def test_a_click_opens_one_card_and_draws_no_edges_of_tiles(layer, opened):
    page, _ = opened
    look(page, 41.5, 125.5, 9)
    page.mouse.click(*at(page, 124.9, 41.35))
    page.locator("#sheet .card h3").wait_for()
    assert page.locator("#sheet .card h3").inner_text() == "Field 651"
    assert page.locator("#sheet .card").count() == 1
    assert "Also at this point" not in page.locator("#sheet").inner_text()
    drawn = page.evaluate(
        """() => {
            const geometry = lodemap.chosen().layer.shape.geometry(lodemap.chosen().i);
            return geometry.edges.coordinates;
        }"""
    )
    edges = shapely.MultiLineString(drawn)
    whole = shapely.boundary(layer.geometry.iloc[651])
    assert whole.buffer(1e-4).covers(edges)
    # In the hole there is nothing of it.
    page.keyboard.press("Escape")
    hit = f"""([x, y]) => {LAYER}.at(L.point(x, y)).map((i) => {LAYER}.rowOf(i))"""
    box = page.locator("#map, .leaflet-container").first.bounding_box()
    inside, *hole = (at(page, lon, 41.7) for lon in (124.9, 125.5, 125.15625))
    assert page.evaluate(hit, [inside[0] - box["x"], inside[1] - box["y"]]) == [651]
    for x, y in hole:  # also where tiles meet in it
        assert page.evaluate(hit, [x - box["x"], y - box["y"]]) == []


def test_a_line_is_found_within_a_few_pixels(opened):
    page, _ = opened
    look(page, 38.4, 125.2, 10)
    x, y = at(page, 125.1, 38.3)
    page.mouse.click(x, y - 3)
    page.locator("#sheet .card h3").wait_for()
    assert page.locator("#sheet .card h3").inner_text() == "Field 652"


def test_an_area_over_the_antimeridian_is_one_and_whole(opened):
    page, _ = opened
    look(page, 0, 180, 8)
    assert seen(page) == ["Field 653"]
    (south, west), (north, east) = page.evaluate(
        f"{LAYER}.shape.bounds({LAYER}.indexOf(653))"
    )
    assert east - west == pytest.approx(2, abs=1e-3)
    assert (south, north) == (pytest.approx(-1, abs=1e-3), pytest.approx(1, abs=1e-3))
    edges = page.evaluate(f"{LAYER}.shape.edges({LAYER}.indexOf(653))")["coordinates"]
    across = [(a, b) for line in edges for a, b in itertools.pairwise(line)]
    meridian = [
        1
        for a, b in across
        if abs(abs(a[0]) - 180) < 1e-6 and abs(abs(b[0]) - 180) < 1e-6
    ]
    assert meridian == []


def test_parts_on_the_two_sides_of_the_world_cover_what_was_given():
    given = [
        shapely.Polygon([(170, -10), (-170, -10), (-170, 10), (170, 10)]),
        shapely.LineString([(-175, 0), (175, 5)]),
        shapely.box(0, 80, 10, 89),
        shapely.Point(1, 2),
        None,
    ]
    layer = gpd.GeoDataFrame(geometry=given, crs=4326)
    found = on_the_map(layer, take_apart(layer.geometry.to_numpy(), "x"))
    assert [one.geom_type for one in found] == [
        *("MultiPolygon", "MultiLineString", "MultiPolygon", "Point")
    ]
    assert shapely.area(found[0]) == pytest.approx(400)
    assert found[0].bounds == (-180, -10, 180, 10)
    assert shapely.length(found[1]) == pytest.approx(np.hypot(10, 5))
    assert found[2].bounds == (0, 80, 10, pytest.approx(85.051))

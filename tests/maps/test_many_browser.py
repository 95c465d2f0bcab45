"""Large layers in a real browser that has no network."""

import base64
import re
import time

import geopandas as gpd
import numpy as np
import pytest
from shapely.geometry import LineString, MultiPolygon, Point, Polygon, box

import layers
import maps
from maps import vertices
from tests.maps.many_sample import empty_page, points, polygons, write

pytestmark = pytest.mark.browser

LAYER = "[...lodemap.manyLayers.values()][0]"


@pytest.fixture(scope="session")
def many_folder(tmp_path_factory):
    return tmp_path_factory.mktemp("many")


@pytest.fixture(scope="session")
def points_page(many_folder):
    """Two thousand points, each known to within its radius."""
    layer = points(2000)
    layer["uncertainty_m"] = np.where(np.arange(2000) % 2, 250.0, 9000.0)
    return write(many_folder / "points.html", layer, column="kind")


@pytest.fixture(scope="session")
def shapes_page(many_folder):
    """A polygon with a hole, two parts, a line, points; one without a place."""
    ring = [(122, 38), (126, 38), (126, 42), (122, 42)]
    hole = [(123, 39), (123, 41), (125, 41), (125, 39)]
    shapes = [
        Polygon(ring, [hole]),
        box(123.5, 39.5, 124.5, 40.5),
        MultiPolygon([box(127, 38, 128, 39), box(129, 38, 130, 39)]),
        LineString([(127, 40), (130, 42)]),
        Point(128, 42.5),
        None,
    ]
    names = ["frame", "inner", "pair", "road", "spot", "nowhere"]
    layer = gpd.GeoDataFrame({"name": names}, geometry=shapes, crs=4326)
    return write(many_folder / "shapes.html", layer, draw="canvas")


def wait(page, script, arg=None, seconds=10):
    """Wait until a script gives a true value; Playwright's own way needs eval."""
    end = time.monotonic() + seconds
    while not page.evaluate(script, arg):
        assert time.monotonic() < end, script
        page.wait_for_timeout(30)


def drawn(page):
    page.wait_for_selector("html[data-many]")
    wait(page, f"{LAYER}.picture && !{LAYER}.busy")


def at(page, lon, lat):
    """Where a place is on the screen."""
    return page.evaluate(
        """([lon, lat]) => {
            const box = lodemap.map().getContainer().getBoundingClientRect();
            const p = lodemap.map().latLngToContainerPoint([lat, lon]);
            return [box.left + p.x, box.top + p.y];
        }""",
        [lon, lat],
    )


def click(page, lon, lat):
    page.mouse.click(*at(page, lon, lat))


def heading(page):
    page.locator("#sheet h3").wait_for()
    return page.locator("#sheet h3").inner_text()


def status(page):
    return page.locator(".many-status").inner_text()


def set_view(page, lat, lon, zoom):
    page.evaluate(
        """([lat, lon, zoom]) =>
            lodemap.map().setView([lat, lon], zoom, { animate: false })""",
        [lat, lon, zoom],
    )
    wait(page, f"{LAYER}.covers() && !{LAYER}.busy")


def inked(page, lon, lat, within=0):
    """Whether the canvas has a colour at a place, or so many pixels from it."""
    return page.evaluate(
        f"""([lon, lat, within]) => {{
            const {{ front }} = {LAYER};
            const box = front.getBoundingClientRect();
            const frame = lodemap.map().getContainer().getBoundingClientRect();
            const p = lodemap.map().latLngToContainerPoint([lat, lon]);
            const [x, y] = [p.x + frame.left - box.left, p.y + frame.top - box.top];
            const scale = front.width / box.width;
            return front.getContext('2d')
                .getImageData((x - within) * scale, (y - within) * scale,
                    2 * within + 1, 2 * within + 1)
                .data.some((value, i) => i % 4 === 3 && value > 0);
        }}""",
        [lon, lat, within],
    )


def test_every_column_reads_back_as_it_was(points_page, open_page):
    layer = points(2000)
    with open_page(points_page) as page:
        drawn(page)
        rows = page.evaluate(
            f"""async () => {{
                const layer = {LAYER};
                const names = layer.data.columns.map(({{ name }}) => name);
                const read = await Promise.all(names.map((name) => layer.column(name)));
                return Array.from({{ length: layer.total }}, (_, i) => [
                    ...layer.shape.anchor(i), ...read.map((column) => column.at(i))]);
            }}"""
        )
    rows.sort(key=lambda row: int(row[2].removeprefix("site ")))
    want = layer.to_dict("list")
    assert [row[2] for row in rows] == want["name"]
    assert [row[3] for row in rows] == want["kind"]
    assert [float(row[4]) for row in rows] == want["cap_mw"]
    assert [float(row[5]) for row in rows] == want["score"]
    assert [int(row[6]) for row in rows] == want["year"]
    got = np.array([row[:2] for row in rows])
    there = np.column_stack([layer.geometry.x, layer.geometry.y])
    assert np.abs(got - there).max() < 1e-5


def test_a_click_opens_the_card_of_what_is_under_the_pointer(points_page, open_page):
    layer = points(2000)
    with open_page(points_page) as page:
        drawn(page)
        for row in (5, 701):
            place = layer.geometry[row]
            set_view(page, place.y, place.x, 13)
            click(page, place.x, place.y)
            assert heading(page) == f"site {row}"
            card = page.locator("#sheet .card")
            text = card.inner_text()
            assert str(layer["cap_mw"][row]) in text
            assert "somewhere within 250 m" in text
            assert "no source named" in text
            assert page.locator("path.ring").count() == 1
            chosen = page.locator(".is-chosen[data-key]")
            assert chosen.count() == 1
            page.keyboard.press("Escape")
            assert page.locator("#sheet").is_hidden()
            assert page.locator("path.ring").count() == 0
        assert page.evaluate("lodemap.marks.size") == 0
        assert page.locator("#cards .card").count() == 0


def test_holes_parts_lines_and_points_are_found(shapes_page, open_page):
    with open_page(shapes_page) as page:
        drawn(page)
        assert status(page).startswith("5 of 5 in view")
        for name, lon, lat in [
            ("frame", 122.5, 40),
            ("inner", 124, 40),
            ("pair", 129.5, 38.5),
            ("pair", 127.5, 38.5),
            ("road", 128.5, 41),
            ("spot", 128, 42.5),
        ]:
            set_view(page, 40, 126, 6.5)
            assert inked(page, lon, lat), name
            click(page, lon, lat)
            wait(
                page,
                "name => document.querySelector('#sheet h3')?.textContent === name",
                arg=name,
            )
            page.keyboard.press("Escape")
        set_view(page, 40, 126, 6.5)
        for lon, lat in [(123.2, 40), (128.5, 38.5)]:  # in the hole, between the parts
            assert not inked(page, lon, lat)
            assert (
                page.evaluate(
                    f"""([lon, lat]) => {LAYER}.at(lodemap.map()
                    .latLngToContainerPoint([lat, lon])).length""",
                    [lon, lat],
                )
                == 0
            )


def test_boxes_that_come_first_are_those_of_the_vertices(
    many_folder, open_page, monkeypatch
):
    layer = polygons(300, radius=0.05)
    asked = f"""async () => {{
        const {{ shape }} = {LAYER};
        await shape.rest;
        const rows = Array.from({{ length: shape.placed }}, (_, i) => i);
        return [[...shape.boxes], [...shape.around], rows.map((i) => shape.geometry(i)),
            rows.map((i) => shape.anchor(i)), {LAYER}.at(L.point(400, 300), 9)];
    }}"""
    found = []
    for most in (vertices.FIRST_BOXES, 0):
        monkeypatch.setattr(vertices, "FIRST_BOXES", most)
        file = write(many_folder / f"boxes_{most}.html", layer, draw="canvas")
        assert (b'"boxes"' in file.read_bytes()) == (most == 0)
        with open_page(file) as page:
            drawn(page)
            page.wait_for_selector("html[data-many-read]")
            found.append(page.evaluate(asked))
    assert found[0] == found[1]


def test_small_areas_are_drawn_before_their_vertices_are_read(
    many_folder, open_page, monkeypatch
):
    monkeypatch.setattr(vertices, "FIRST_BOXES", 0)
    layer = polygons(300, radius=0.01)
    file = write(many_folder / "first.html", layer, draw="canvas")
    text = file.read_text("utf-8")
    blocks = list(re.finditer(r'<script[^>]* id="[a-z_0-9]+-\d+">[^<]*</script>', text))
    last_call = text.rindex("lodemap.ready();")
    assert blocks[0].start() > last_call  # data come after the scripts
    # Whatever is left out of the file, what is in it is drawn; and it is said.
    cut = many_folder / "first_cut.html"
    vertex = re.search(r'"lengths":.*?"x":\{"block":\[(\d+)', text)[1]
    own = next(one for one in blocks if one[0].split('"')[3].endswith(f"-{vertex}"))
    cut.write_text(text[: own.start()], "utf-8")
    with open_page(cut, ready=False) as page:
        page.wait_for_selector("html[data-many]")
        place = layer.geometry[7].centroid
        assert inked(page, place.x, place.y, 3)
        wait(page, f"{LAYER}.damaged")
        assert page.locator("#damaged").is_visible()
        page.trouble.clear()


def test_hover_shows_the_name_and_the_class(points_page, open_page):
    place = points(2000).geometry[9]
    with open_page(points_page) as page:
        drawn(page)
        set_view(page, place.y, place.x, 13)
        page.mouse.move(*at(page, place.x, place.y))
        tip = page.locator(".leaflet-tooltip")
        tip.wait_for()
        assert tip.inner_text().startswith("site 9\nKind: ")
        page.mouse.move(*at(page, place.x + 0.02, place.y + 0.015))
        wait(page, "!document.querySelector('.leaflet-tooltip')")


def test_pointing_finds_the_nearest_of_very_many(many_folder, open_page):
    layer = points(200_000)[["name", "geometry"]]
    with open_page(write(many_folder / "very_many.html", layer)) as page:
        drawn(page)
        found = page.evaluate(
            f"""async () => {{
                const layer = {LAYER};
                const size = lodemap.map().getSize();
                const found = [];
                for (let k = 0; k < 60; k += 1) {{
                    const p = L.point(size.x * (0.15 + 0.7 * ((k * 37) % 60) / 60),
                        size.y * (0.25 + 0.5 * ((k * 23) % 60) / 60));
                    const {{ lng, lat }} = lodemap.map().containerPointToLatLng(p);
                    const [hit] = layer.at(p, 1);
                    if (hit === undefined) continue;
                    found.push([lng, lat, await lodemap.manyName(layer, hit)]);
                }}
                return found;
            }}"""
        )
    assert len(found) > 30
    mercator = layer.geometry.to_crs(3857)
    places = np.column_stack([mercator.x, mercator.y])
    by_name = dict(zip(layer["name"], range(len(layer)), strict=True))
    for lon, lat, name in found:
        [here] = gpd.GeoSeries([Point(lon, lat)], crs=4326).to_crs(3857)
        apart = np.hypot(*(places - [here.x, here.y]).T)
        # Positions are rounded to a metre.
        assert apart[by_name[name]] <= apart.min() + 3


def test_a_point_over_an_area_is_what_a_click_on_it_opens(many_folder, open_page, deal):
    west, south, east, north = deal.regions.geometry.iloc[0].bounds
    steps = np.linspace(0.05, 0.95, 30)
    grid = [
        Point(west + a * (east - west), south + b * (north - south))
        for a in steps
        for b in steps
    ]
    inside = [p for p in grid if p.within(deal.regions.geometry.iloc[0])]
    layer = gpd.GeoDataFrame(
        {"name": [f"pit {n}" for n in range(len(inside))]}, geometry=inside, crs=4326
    )
    page = maps.exchange_map(deal)
    maps.add_layer(page, layer, name="Pits", draw="canvas")
    with open_page(maps.save(page, many_folder / "over.html")) as opened:
        drawn(opened)
        opened.evaluate(
            f"lodemap.map().setView([{inside[200].y}, {inside[200].x}], 12,"
            " {animate: false})"
        )
        drawn(opened)
        kind = opened.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).dataset.key || ''",
            at(opened, inside[200].x, inside[200].y),
        )
        # An area of the page itself takes the pointer there.
        assert kind.split("/")[0] in {"provinces", "solar-areas"}
        click(opened, inside[200].x, inside[200].y)
        wait(
            opened,
            "() => document.querySelector('#sheet h3')?.textContent === 'pit 200'",
        )


def test_filters_narrow_what_is_drawn_found_and_counted(points_page, open_page):
    layer = points(2000)
    with open_page(points_page) as page:
        drawn(page)
        page.locator(".many-details summary").click()
        form = page.locator(".many-filter")

        def left(count):
            wait(
                page,
                "n => document.querySelector('.many-status').textContent.includes(n)",
                arg=f"{count:,} pass the" if count < 2000 else "2,000 of 2,000",
            )

        form.locator("fieldset", has_text="Uncertainty").get_by_label("to").fill("300")
        left(1000)
        form.locator("fieldset", has_text="Score").get_by_label("from").fill("0.5")
        even = np.arange(2000) % 2 == 1
        left(int((even & (layer["score"] >= 0.5)).sum()))
        form.locator("fieldset", has_text="Kind").get_by_label("mine").uncheck()
        kept = even & (layer["score"] >= 0.5) & (layer["kind"] != "mine")
        left(int(kept.sum()))
        form.get_by_label("holds").first.fill("SITE 17")
        kept &= layer["name"].str.contains("site 17")
        left(int(kept.sum()))
        row = int(np.flatnonzero(~kept)[0])
        place = layer.geometry[row]
        found = page.evaluate(
            f"""([lon, lat]) => {LAYER}.at(lodemap.map()
                .latLngToContainerPoint([lat, lon]), 9)
                .map((i) => {LAYER}.wanted[i])""",
            [place.x, place.y],
        )
        assert all(found)
        assert "pass the filter" in page.locator("#live").inner_text()
        form.get_by_role("button", name="Show all").click()
        left(2000)


def test_rows_of_the_legend_switch_classes(points_page, open_page):
    counts = points(2000)["kind"].value_counts()
    with open_page(points_page) as page:
        drawn(page)
        legend = page.locator("#legend")
        assert "Kind: categories" in legend.inner_text()
        for kind, count in counts.items():
            assert f"{kind} ({count})" in legend.inner_text()
        legend.get_by_label(re.compile(r"^\s*mine")).uncheck()
        wait(
            page,
            "n => document.querySelector('.many-status').textContent.includes(n)",
            arg=f"{2000 - counts['mine']:,} pass the filter",
        )
        legend.get_by_label(re.compile(r"^\s*sample")).uncheck()
        wait(page, f"!{LAYER}.picture")
        assert page.locator("canvas.many").filter(visible=True).count() == 0
        legend.get_by_label(re.compile(r"^\s*sample")).check()
        drawn(page)


def test_search_finds_names_by_keyboard(points_page, open_page):
    with open_page(points_page) as page:
        drawn(page)
        search = page.get_by_role("combobox")
        search.fill("SITE 1234")
        page.get_by_role("option", name="site 1234").wait_for()
        search.press("ArrowDown")
        search.press("Enter")
        assert heading(page) == "site 1234"


def test_arrows_step_through_what_is_in_view(points_page, open_page):
    with open_page(points_page) as page:
        drawn(page)
        set_view(page, 40, 125, 9)
        page.locator(".many-cursor").focus()
        seen = []
        for _ in range(4):
            wait(
                page,
                "last => document.querySelector('#live').textContent !== last",
                arg=seen[-1] if seen else "",
            )
            seen.append(page.locator("#live").inner_text())
            page.keyboard.press("ArrowRight")
        assert len(set(seen)) == 4
        assert all(re.match(r"site \d+, Kind: ", one) for one in seen)
        page.keyboard.press("Home")
        page.keyboard.press("Enter")
        assert heading(page).startswith("site ")
        assert page.evaluate("document.activeElement.tagName") == "H3"
        page.keyboard.press("Escape")
        assert page.evaluate("document.activeElement.className").startswith("many-cur")


def test_the_list_shows_what_is_in_view(points_page, open_page):
    with open_page(points_page) as page:
        drawn(page)
        page.locator(".many-details summary").click()
        items = page.locator(".many-list li button")
        items.first.wait_for()
        assert items.count() == 20
        page.locator(".many-list").get_by_role("button", name="More").click()
        wait(page, "document.querySelectorAll('.many-list li').length === 40")
        name = items.nth(30).inner_text()
        items.nth(30).click()
        assert heading(page) == name


def test_few_are_symbols_more_are_dots_and_many_a_density(many_folder, open_page):
    file = write(many_folder / "dense.html", points(60_000), column="score", unit="1")
    with open_page(file) as page:
        drawn(page)
        assert "drawn as density" in status(page)
        assert "commonest class" in status(page)
        ways = []
        for zoom in (9, 11, 13):
            set_view(page, 40, 126, zoom)
            ways.append(page.evaluate(f"{LAYER}.picture.manner.way"))
        assert ways == ["dot", "symbol", "symbol"]
        assert "drawn as" not in status(page)


def test_the_picture_follows_the_map(shapes_page, open_page):
    with open_page(shapes_page) as page:
        drawn(page)
        for view in [(40, 124, 8.25), (41, 129, 7), (38.5, 127.5, 10), (40, 126, 6)]:
            set_view(page, *view)
            for lon, lat in [(122.5, 40), (127.5, 38.5), (124, 40.2)]:
                west, south, east, north = page.evaluate(
                    "lodemap.map().getBounds().toBBoxString().split(',').map(Number)"
                )
                if west < lon < east and south < lat < north:
                    assert inked(page, lon, lat)
        page.evaluate("lodemap.map().panBy([900, 0], {animate: false})")
        wait(page, f"{LAYER}.covers() && !{LAYER}.busy")


def test_both_sides_of_the_antimeridian(many_folder, open_page):
    shapes = [
        Polygon([(178, -20), (-178, -20), (-178, -16), (178, -16)]),
        Point(179.5, -22),
        Point(-179.5, -22),
        LineString([(177, -14), (-177, -13)]),
    ]
    layer = gpd.GeoDataFrame({"name": list("abcd")}, geometry=shapes, crs=4326)
    page = empty_page((170, -25, 180, -10))
    file = write(many_folder / "fiji.html", layer, page=page, draw="canvas")
    with open_page(file) as opened:
        drawn(opened)
        for turn in (0, 360):
            set_view(opened, -18, 180 - turn, 6)
            assert status(opened).startswith("4 of 4 in view")
            for lon in (178.5, 179.5, 180.5, 181.5):
                assert inked(opened, lon - turn, -18)
            for name, lon in (("b", 179.5), ("c", 180.5)):
                set_view(opened, -22, 180 - turn, 7)
                click(opened, lon - turn, -22)
                assert heading(opened) == name
                opened.keyboard.press("Escape")


def test_all_polygons_are_there_at_every_zoom(many_folder, open_page):
    layer = polygons(4000, vertices=12)
    file = write(many_folder / "polygons.html", layer, column="score")
    west, south, east, north = layer.bounds.to_numpy().T
    middles = gpd.GeoSeries.from_xy((west + east) / 2, (south + north) / 2, crs=4326)
    with open_page(file) as page:
        drawn(page)
        for zoom in (6, 8, 10):
            set_view(page, 40, 126, zoom)
            west, south, east, north = page.evaluate(
                "lodemap.map().getBounds().toBBoxString().split(',').map(Number)"
            )
            own = middles if zoom == 6 else layer.geometry.representative_point()
            within = 1 if zoom == 6 else 0  # Leaflet rounds, and a cell may end there
            inside = own[own.x.between(west, east) & own.y.between(south, north)][:60]
            found = [inked(page, p.x, p.y, within) for p in inside]
            assert np.mean(found) > 0.98, zoom


def test_dark_and_paper_have_their_own_colours(points_page, open_page):
    def colour(page):
        return page.evaluate(f"{LAYER}.picture.colours[0]")

    with open_page(points_page, color_scheme="light") as page:
        drawn(page)
        day = colour(page)
        page.emulate_media(color_scheme="dark")
        wait(page, f"{LAYER}.picture.colours[0] !== '{day}'")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        wait(page, f"{LAYER}.picture.colours[0] === '{day}'")
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        wait(page, f"{LAYER}.picture.colours[0] !== '{day}'")


def test_a_fine_screen_gets_a_fine_picture(points_page, open_page):
    with open_page(points_page, device_scale_factor=2) as page:
        drawn(page)
        ratio = page.evaluate(
            f"{LAYER}.front.width / parseFloat({LAYER}.front.style.width)"
        )
        assert ratio == pytest.approx(2, rel=0.01)
        place = points(2000).geometry[3]
        set_view(page, place.y, place.x, 13)
        assert inked(page, place.x, place.y)


def test_it_stands_on_a_page_with_an_exchange(many_folder, open_page):
    deal = layers.load_exchange("sicomines-2008")
    page = maps.exchange_map(deal)
    maps.add_layer(page, points(600), name="mine")
    maps.add_layer(page, points(20), name="few", column="score")
    file = maps.save(page, many_folder / "exchange.html")
    with open_page(file) as opened:
        drawn(opened)
        place = points(600).geometry[11]
        set_view(opened, place.y, place.x, 13)
        click(opened, place.x, place.y)
        assert heading(opened) == "site 11"
        opened.evaluate("lodemap.select([...lodemap.marks.keys()][0])")
        wait(opened, "!document.querySelector('.many-cursor:focus')")
        assert (
            opened.evaluate(
                "[...lodemap.marks.keys()].filter((key) => key.includes('/m')).length"
            )
            == 0
        )


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9, 0.99])
def test_a_page_that_was_cut_short_says_so(points_page, many_folder, open_page, share):
    whole = points_page.read_bytes()
    file = many_folder / "cut.html"
    file.write_bytes(whole[: int(len(whole) * share)])
    with open_page(file, ready=False) as page:
        notice = page.get_by_role("alert")
        notice.wait_for()
        assert "This file is damaged" in notice.inner_text()
        assert notice.is_visible()


def test_a_whole_page_does_not_say_so(points_page, open_page):
    with open_page(points_page) as page:
        assert page.locator("#damaged").count() == 0


def test_columns_that_are_damaged_say_so(points_page, many_folder, open_page):
    text = points_page.read_text("utf-8")
    found = re.search(r'id="(\w+-\d+)">(H4sI[^<]{400,})<', text)
    raw = bytearray(base64.b64decode(found[2]))
    raw[len(raw) // 2] ^= 0xFF
    file = many_folder / "bad.html"
    bad = base64.b64encode(raw).decode()
    file.write_text(text[: found.start(2)] + bad + text[found.end(2) :], "utf-8")
    with open_page(file) as page:
        wait(
            page,
            "document.querySelector('.many-status').textContent.includes('damaged')",
        )


def test_counts_have_commas_between_thousands(points_page, open_page):
    with open_page(points_page) as page:
        counts = [0, 7, 999, 1000, 12345, 999999, 1234567890]
        told = page.evaluate("(counts) => counts.map(lodemap.packed.counted)", counts)
        assert told == [f"{count:,}" for count in counts]


def test_a_layer_that_is_all_in_view_is_painted_once(points_page, open_page):
    with open_page(points_page) as page:
        drawn(page)
        size = f"[{LAYER}.picture.width, {LAYER}.picture.height]"
        view = page.evaluate("(({ x, y }) => [x, y])(lodemap.map().getSize())")
        assert page.evaluate(size) == view
        page.evaluate(f"window.had = {LAYER}.picture")
        page.evaluate("lodemap.map().panBy([500, 300], { animate: false })")
        drawn(page)
        assert page.evaluate(f"{LAYER}.picture === window.had")
        page.evaluate("lodemap.map().setZoom(9, { animate: false })")
        drawn(page)
        assert page.evaluate(size)[0] > view[0]


def test_another_copy_of_a_layer_is_painted_when_it_comes(points_page, open_page):
    with open_page(points_page) as page:
        drawn(page)
        page.evaluate("lodemap.map().setView([40, 126], 1, { animate: false })")
        drawn(page)
        page.evaluate("lodemap.map().setView([40, 126 - 180], 1, { animate: false })")
        drawn(page)
        assert page.evaluate(f"{LAYER}.picture.windows.length") == 2
        assert not page.evaluate(f"{LAYER}.picture.whole")

"""Text from any file is text: opened in a real browser, nothing of it runs."""

import geopandas as gpd
import pytest
from playwright.sync_api import TimeoutError  # noqa: A004 - Playwright's own
from shapely.geometry import LineString, Point, Polygon

import maps
from tests.maps.conftest import HOSTILE, poison

pytestmark = pytest.mark.browser


def look_everywhere(page):
    """Open every card, show every layer, search, measure, and hover."""
    for box in page.locator("#legend input[type=checkbox]").all():
        box.set_checked(not box.is_checked())
        box.set_checked(not box.is_checked())
    page.evaluate("[...lodemap.marks.keys()].forEach((key) => lodemap.select(key))")
    page.evaluate("lodemap.close()")
    page.get_by_role("combobox").fill("갱")
    assert page.get_by_role("option").count() > 0
    page.get_by_role("combobox").press("Escape")
    page.get_by_role("button", name="Measure distance").click()
    page.keyboard.press("Escape")
    hover_some_mark(page)


def hover_some_mark(page):
    """Point at a mark that lies bare, until its name shows: the map may still move."""
    name = page.locator(".leaflet-tooltip").first
    for _ in range(20):
        spot = page.evaluate(
            """() => [...document.querySelectorAll('.mark-icon')].map((el) => {
                const box = el.getBoundingClientRect();
                return [box.left + box.width / 2, box.top + box.height / 2, el];
            }).find(([x, y, el]) => el.contains(document.elementFromPoint(x, y)))
            ?.slice(0, 2)"""
        )
        if spot:
            page.mouse.move(*spot)
            try:
                name.wait_for(timeout=1_000)
            except TimeoutError:
                continue
            return
    name.wait_for()


def assert_inert(page):
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("svg[onload], [onerror], [onclick]").count() == 0
    assert "49" not in page.locator("h1").inner_text()
    assert page.locator('a[href^="javascript"]').count() == 0


def test_a_hostile_exchange_is_only_read(deal, tmp_path, open_page):
    hostile = poison(deal)
    file = maps.save(maps.exchange_map(hostile), tmp_path / "hostile.html")
    with open_page(file, reduced_motion="reduce") as page:
        assert page.locator("h1").text_content() == deal.title + HOSTILE
        look_everywhere(page)
        assert_inert(page)
        assert page.title().startswith(deal.title)


def test_a_hostile_layer_is_only_read(deal, tmp_path, open_page):
    shapes = [
        Point(125, 39.5),
        LineString([(125, 39.5), (126, 40)]),
        Polygon([(125, 40), (125.4, 40), (125.4, 40.3)]),
    ]
    layer = gpd.GeoDataFrame(
        {
            "name": [HOSTILE, f"갱 {HOSTILE}", "plain"],
            "kind": HOSTILE,
            "status": HOSTILE,
            "note": HOSTILE,
            "name_ko": HOSTILE,
            "name_zh": HOSTILE,
            f"column {HOSTILE}": HOSTILE,
            "url": "javascript:alert(5)",
        },
        geometry=shapes,
        crs=4326,
    )
    page_map = maps.exchange_map(deal)
    maps.add_layer(page_map, layer, name=HOSTILE)
    file = maps.save(page_map, tmp_path / "hostile.html")
    with open_page(file, reduced_motion="reduce") as page:
        look_everywhere(page)
        assert_inert(page)
        page.evaluate("lodemap.select('added-1/0')")
        card = page.locator("#sheet .card")
        assert card.locator("h3").text_content() == HOSTILE
        assert f"column {HOSTILE}" in card.text_content()
        names = page.locator("#legend label").all_text_contents()
        assert any(HOSTILE in name for name in names)


def test_a_hostile_address_becomes_no_link(deal, tmp_path):
    import dataclasses

    sources = deal.sources.copy()
    sources["url"] = "javascript:alert(1)//https://example.org"
    bad = dataclasses.replace(deal, sources=sources)
    text = maps.save(maps.exchange_map(bad), tmp_path / "page.html").read_text("utf-8")
    assert "javascript:" not in text

"""Hostile tables on a canvas: shown as text, and nothing of them runs."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely.geometry import LineString, Point, Polygon

from tests.maps.conftest import HOSTILE
from tests.maps.many_sample import empty_page, write
from tests.maps.test_hostile import assert_inert
from tests.maps.test_many_browser import LAYER, drawn, heading, wait

pytestmark = pytest.mark.browser

TEXTS = {
    "markup": HOSTILE,
    "null": "a\x00b",
    "right": "abc\u202edef\u2066ghi",
    "lines": "one\u2028two\u2029three\r\nfour",
    "emoji": "👩‍🔬🇰🇵 갱 \U000e0041",
    "surrogate": "x\ud800y",
    "quotes": "\"'`${1}`\\",
    "comment": "<!--<script>-->]]>",
    "long": "<b>" * 34_000,
    "braces": "{{ 7 * 7 }}{% if 1 %}",
}
OWN_NAMES = (
    *("__proto__", "constructor", "prototype", "toString", "hasOwnProperty"),
    *("valueOf", "length", "name\u2028", "</script><script>alert(6)</script>", ""),
)


def hostile_layer():
    """Every hostile text in every column, and names that JavaScript has for itself."""
    rows = pd.Series(list(TEXTS.values()), dtype=object)
    shapes = [Point(122 + i / 2, 39.5) for i in range(len(rows))]
    shapes[3] = LineString([(124, 38), (125, 38.5)])
    shapes[4] = Polygon([(126, 38), (127, 38), (127, 39)])
    columns = dict.fromkeys(
        ("name", "name_ko", "kind", "status", "note", "sources"), rows
    )
    columns |= dict.fromkeys(OWN_NAMES, rows)
    columns["url"] = "javascript:alert(5)"
    columns["huge"] = [1e300, -0.0, 5e-324, np.nan, np.inf, -np.inf, 1, 2, 3, 4]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4326)


def cleaned(text):
    """What a card shows of a text."""
    for raw in ("\x00", "\u202e", "\u2066", "\r", "\n"):
        text = text.replace(raw, " ")
    text = text.replace("\ud800", "�")
    return f"{text[:2000]} …" if len(text) > 2000 else text


def test_every_text_is_shown_as_text(tmp_path, open_page):
    layer = hostile_layer()
    file = write(
        tmp_path / "hostile.html", layer, name=HOSTILE, draw="canvas", column="kind"
    )
    with open_page(file, reduced_motion="reduce") as page:
        drawn(page)
        seen = set()
        for i in range(len(layer)):
            page.evaluate(f"lodemap.selectMany({LAYER}, {i})")
            wait(page, "() => document.querySelectorAll('#sheet .card').length === 1")
            wait(
                page,
                f"() => document.querySelector('#sheet .card').id.endsWith('m{i}')",
            )
            title = page.locator("#sheet h3").text_content()
            value = next(
                t
                for t in TEXTS.values()
                if cleaned(t)[:200] == title.removesuffix(" …")
            )
            seen.add(value)
            facts = dict(
                page.evaluate(
                    """() => [...document.querySelectorAll('#sheet dt')].map((dt) =>
                        [dt.textContent, dt.nextElementSibling.textContent])"""
                )
            )
            for name in OWN_NAMES:
                assert facts[cleaned(name)] == cleaned(value)
            assert facts["url"] == "javascript:alert(5)"
        assert len(seen) == len(TEXTS)
        assert_inert(page)


def test_filters_lists_and_search_only_read(tmp_path, open_page):
    file = write(tmp_path / "tools.html", hostile_layer(), draw="canvas", column="kind")
    with open_page(file, reduced_motion="reduce") as page:
        drawn(page)
        page.locator(".many-details summary").click()
        wait(page, "() => document.querySelectorAll('.many-list li').length === 10")
        search = page.get_by_role("combobox")
        search.fill("onerror=alert")
        option = page.get_by_role("option").first
        option.wait_for()
        assert HOSTILE[:50] in option.text_content()
        search.press("ArrowDown")
        search.press("Enter")
        assert heading(page).startswith("<img")
        page.keyboard.press("Escape")
        page.locator(".many-filter input[type=checkbox]").first.uncheck()
        wait(page, f"() => {LAYER}.wanted !== null")
        page.locator(".many-cursor").focus()
        page.keyboard.press("ArrowRight")
        assert_inert(page)


@pytest.mark.parametrize("draw", ["marks", "canvas"])
def test_geometries_that_are_none(tmp_path, open_page, draw):
    shapes = [None, Point(), Point(np.nan, 1), Point(np.inf, 1), Polygon(), Point(2, 1)]
    layer = gpd.GeoDataFrame({"name": list("abcdef")}, geometry=shapes, crs=4326)
    file = write(tmp_path / "none.html", layer, draw=draw)
    with open_page(file) as page:
        if draw == "canvas":
            drawn(page)
            assert page.locator(".many-status").inner_text() == "1 of 1 in view."
        assert "5 of 6 have no place" in page.locator("#legend").text_content()


@pytest.mark.parametrize("draw", ["marks", "canvas"])
@pytest.mark.parametrize("rows", [0, 3])
def test_a_layer_with_nothing_to_draw(tmp_path, open_page, draw, rows):
    layer = gpd.GeoDataFrame(
        {"name": ["a"] * rows}, geometry=[None] * rows, crs=4326, columns=["name"]
    )
    file = write(tmp_path / "nothing.html", layer, page=empty_page(), draw=draw)
    with open_page(file) as page:
        if draw == "canvas":
            page.wait_for_selector("html[data-many]")
            wait(
                page,
                "() => document.querySelector('.many-status').textContent "
                "=== 'Nothing to draw.'",
            )
            page.get_by_role("combobox").fill("a")
            page.keyboard.press("Escape")
        assert page.locator("#legend").is_visible()

"""What the page says of added layers, in each language; their own text as it is."""

import numpy as np
import pytest

import maps
from maps.words import vocabulary
from tests.axe import find_axe
from tests.browser import until
from tests.maps.many_sample import empty_page, points
from tests.maps.test_many_browser import LAYER, drawn

pytestmark = pytest.mark.browser

LEFT = """([theirs, table]) => {
    const at = { ko: 1, zh: 2 }[document.documentElement.lang];
    const ours = table.filter((texts) => texts[at] !== texts[0]).map(([english]) =>
        english.split(/\\{\\d\\}/).map((part) => part.trim())
            .filter((part) => /[a-z]{4}/i.test(part) || part === english))
        .filter((parts) => parts.length && parts.every((part) => part.length > 1));
    const english = (text) => ours.find((parts) => parts.length === 1
        && parts[0].length < 9 ? text.trim() === parts[0]
        : parts.every((part) => text.includes(part)));
    const whole = new Set(table.filter((t) => t[at] !== t[0]).map(([t]) => t));
    const found = [];
    const roots = '.toolbar, .search, #legend, #time, #measure, #sheet, .many-cursor';
    for (const root of document.querySelectorAll(roots)) {
        const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
        for (let node = texts.nextNode(); node; node = texts.nextNode()) {
            const el = node.parentElement;
            if (el.closest('q, select')) continue;
            const text = node.textContent.trim();
            const ownText = el.closest('[lang]').lang === '';
            if (ownText ? whole.has(text) && !theirs.includes(text) : english(text)) {
                found.push(text);
            }
        }
        for (const el of [root, ...root.querySelectorAll('*')]) {
            for (const name of ['aria-label', 'title', 'placeholder']) {
                const text = el.getAttribute(name);
                if (text && el.lang !== '' && english(text)) found.push(text);
            }
        }
    }
    return found;
}"""
THEIRS = [
    "Area",
    "Distance",
    "Status",
    "reported",
    "Port",
    "Town",
    "Name",
    "Score",
    "Year",
]
"""Texts of these layers that the page says elsewhere too."""

TABLE = [list(word.texts.values()) for word in vocabulary().values()]

WIDE = """() => {
    const found = [];
    const over = document.documentElement.scrollWidth - innerWidth;
    if (over > 0) found.push(['page', over]);
    for (const panel of document.querySelectorAll('#legend, #sheet, #time')) {
        if (panel.hidden) continue;
        const frame = panel.getBoundingClientRect();
        if (frame.right > innerWidth + 0.5) found.push([panel.id, frame.right]);
        for (const el of panel.querySelectorAll('*')) {
            const box = el.getBoundingClientRect();
            if (!box.width || el.closest('.sr, svg')) continue;
            if (box.right > frame.right + 0.5) found.push([panel.id, el.textContent]);
        }
    }
    return found.slice(0, 5);
}"""


@pytest.fixture(scope="module")
def both_page(tmp_path_factory):
    """A layer on a canvas and one of marks, each with classes and uncertainty."""
    many = points(2000)
    many["uncertainty_m"] = np.where(np.arange(2000) % 2, 250.0, 9000.0)
    many["precision_code"] = 1 + np.arange(2000) % 8
    many["name_ko"] = [f"광산 {i}" for i in range(2000)]
    many.loc[:9, "kind"] = None
    few = points(40, seed=4)
    few["status"] = "reported"
    page = empty_page()
    maps.add_layer(page, many, name="Area", column="kind")
    maps.add_layer(page, few, name="Distance", column="cap_mw", k=3)
    maps.add_layer(page, few.assign(uncertainty_m=4000.0), name="plain")
    return maps.save(page, tmp_path_factory.mktemp("both") / "both.html")


def open_all(page):
    """Open the legend with all that it can show."""
    if page.locator("#legend").is_hidden():
        page.locator('[data-do="legend"]').click()
    page.evaluate(
        "document.querySelectorAll('details').forEach((d) => (d.open = true))"
    )
    page.locator('[data-do="explain"]').click()
    page.locator(".many-filter").nth(2).wait_for(state="attached")


@pytest.mark.parametrize("language", ["ko", "zh"])
def test_nothing_of_the_page_is_left_in_english(both_page, open_page, language):
    with open_page(both_page, reduced_motion="reduce") as page:
        drawn(page)
        open_all(page)
        page.evaluate("language => lodemap.speak(language)", language)
        cards = ("added-1/m5", "added-1/m1500", "added-2/3", "added-3/3")
        for key in cards:
            page.evaluate("key => lodemap.select(key)", key)
            until(page, "document.querySelector('#sheet .card')")
            page.wait_for_timeout(50)
            assert page.evaluate(LEFT, [THEIRS, TABLE]) == [], key
            # Names and values of the data are theirs, in whatever language.
            values = page.locator("#sheet dd").all_inner_texts()
            names = page.locator("#sheet dt").all_inner_texts()
            assert "score" in names
            assert "kind" not in names
            assert values
            assert page.evaluate("document.querySelector('#sheet .card').lang") == ""
            page.keyboard.press("Escape")
        page.evaluate("lodemap.select('added-2/3')")
        assert page.locator("#sheet .badge").inner_text() == "reported"
        page.keyboard.press("Escape")
        legend = page.locator("#legend")
        for name in ("Area", "Distance"):
            assert name in legend.inner_text()
        page.locator(".many-cursor").focus()
        until(page, "document.querySelector('.many-cursor').ariaLabel.includes('Kind')")
        page.evaluate("lodemap.speak('en')")
        assert "in view" in page.locator(".many-status").first.inner_text()
        assert "Equal" not in legend.inner_text()
        assert "no value (10)" in legend.inner_text()
        assert "Uncertainty (m)" in legend.inner_text()


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
def test_no_language_of_an_added_layer_is_too_wide(both_page, open_page, language):
    with open_page(both_page, reduced_motion="reduce") as page:
        drawn(page)
        page.evaluate("language => lodemap.speak(language)", language)
        open_all(page)
        for width in (320, 390, 768, 1440, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(50)
            assert page.evaluate(WIDE) == [], width
        page.evaluate(f"lodemap.selectMany({LAYER}, 3)")
        page.locator("#sheet h3").wait_for()
        for width in (320, 390, 768, 1440, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            page.wait_for_timeout(50)
            assert page.evaluate(WIDE) == [], width


@pytest.mark.parametrize(
    ("language", "scheme", "width"),
    [("en", "light", 1440), ("ko", "dark", 1440), ("zh", "dark", 390)],
)
def test_axe_finds_nothing_in_added_layers(
    both_page, open_page, language, scheme, width
):
    script = find_axe()
    if script is None:
        pytest.skip("axe-core is not installed: run python tests/axe.py")
    options = {
        "viewport": {"width": width, "height": 900},
        "color_scheme": scheme,
        "reduced_motion": "reduce",
        "bypass_csp": True,
    }
    with open_page(both_page, **options) as page:
        drawn(page)
        page.evaluate("language => lodemap.speak(language)", language)
        page.evaluate("source => { (0, eval)(source); }", script.read_text("utf-8"))

        def broken():
            return page.evaluate(
                """async () => (await axe.run(document,
                    { resultTypes: ['violations'] })).violations.map((v) =>
                    [v.id, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160))])"""
            )

        open_all(page)
        assert broken() == []
        page.locator(".many-filter").first.get_by_role("textbox").first.fill("site 1")
        page.wait_for_timeout(300)
        page.evaluate(f"lodemap.selectMany({LAYER}, 3)")
        page.locator("#sheet h3").wait_for()
        assert broken() == []
        page.keyboard.press("Escape")
        page.evaluate("lodemap.map().setView([40, 126], 10.5, {animate: false})")
        until(page, "document.querySelectorAll('.label-added').length > 3")
        assert broken() == []


def test_tiles_say_what_is_wrong_in_each_language(tmp_path, chromium):
    page = empty_page()
    archive = tmp_path / "far.pmtiles"
    maps.add_layer(page, points(300), name="far", tiles=archive)
    file = maps.save(page, tmp_path / "far.html")
    context = chromium.new_context()
    opened = context.new_page()
    opened.goto(file.as_uri())
    opened.wait_for_selector("html[data-many]")
    opened.evaluate("lodemap.map().setView([40, 126], 12, {animate: false})")
    until(opened, f"Boolean({LAYER}.missing)")
    for language, said in (("ko", "로컬 파일"), ("zh", "无法以本地文件方式读取")):
        opened.evaluate("language => lodemap.speak(language)", language)
        text = opened.locator(".many-status").inner_text()
        assert said in text
        assert "far.pmtiles" in text
        assert "cannot be read" not in text
    context.close()

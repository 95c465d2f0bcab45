"""Layers of a few features: their marks take the same filter, count and list."""

import numpy as np
import pandas as pd
import pytest

import maps
from maps.few import FewLayer
from tests.browser import until
from tests.maps.many_sample import empty_page, points, write
from tests.maps.test_hostile import assert_inert
from tests.maps.test_many_browser import status
from tests.maps.test_many_hostile import TEXTS, hostile_layer

DRAWN = "document.querySelectorAll('.leaflet-marks-pane [data-key]').length"


@pytest.fixture(scope="module")
def few():
    """Sixty points, each known to within its radius; with classes."""
    layer = points(60)
    layer["uncertainty_m"] = np.where(np.arange(60) % 2, 250.0, 9000.0)
    layer["name_ko"] = [f"광산 {i}" for i in range(60)]
    return layer


@pytest.fixture(scope="module")
def few_page(few, tmp_path_factory):
    return write(tmp_path_factory.mktemp("few") / "few.html", few, column="kind")


def test_the_table_goes_with_the_marks_and_their_parts(few):
    page = empty_page()
    maps.add_layer(page, few, name="few", column="kind")
    [made] = [one for one in page._children.values() if isinstance(one, FewLayer)]
    assert made.data["total"] == 60
    assert [one["name"] for one in made.data["columns"]] == [
        *("name", "kind", "cap_mw", "score", "year", "uncertainty_m", "name_ko")
    ]
    assert page.extras == ["classes", "few"]


def test_a_page_of_both_kinds_has_each_script_once(few):
    page = empty_page()
    maps.add_layer(page, few, name="few")
    maps.add_layer(page, points(600), name="many")
    html = page.get_root().render()
    assert html.count("lodemap.toolMany = toolMany") == 1
    assert html.count("lodemap.few = ") == 1


def test_an_element_without_a_map_is_refused(few):
    page = empty_page()
    maps.add_layer(page, few, name="few")
    with pytest.raises(TypeError, match="not on a map"):
        FewLayer(page.marks["added:1"], pd.DataFrame(), marks="added-1").render()


@pytest.mark.browser
def test_filters_narrow_marks_rings_labels_and_counts(few, few_page, open_page):
    def left(kept):
        many = int(kept.sum())
        until(page, f"{DRAWN} === {many}")
        rings = "document.querySelectorAll('.leaflet-discs-pane .ring').length"
        assert page.evaluate(rings) == many
        if many < 60:
            assert f"{many} pass the filter" in status(page)

    with open_page(few_page) as page:
        assert status(page) == "60 of 60 in view."
        page.locator(".many-details summary").click()
        form = page.locator(".many-filter")
        form.locator("fieldset", has_text="Uncertainty").get_by_label("to").fill("300")
        kept = few["uncertainty_m"] < 300
        left(kept)
        form.locator("fieldset", has_text="Score").get_by_label("from").fill("0.3")
        kept = kept & (few["score"] >= 0.3)
        left(kept)
        form.locator("fieldset", has_text="Kind").get_by_label("mine").uncheck()
        kept = kept & (few["kind"] != "mine")
        left(kept)
        form.get_by_label("holds").first.fill("SITE 1")
        kept = kept & (few["name"].str.contains("site 1"))
        assert 0 < kept.sum() < 8
        left(kept)
        shown = page.evaluate(
            """[...document.querySelectorAll('.label-added')]
                .filter((el) => el.style.visibility === 'visible')
                .map((el) => el.textContent)"""
        )
        assert set(shown) <= set(few["name"][kept])
        names = page.locator(".many-list li button").all_inner_texts()
        assert names == list(few["name"][kept])
        assert (
            page.evaluate(
                "document.querySelectorAll('[tabindex=\"0\"][data-key]').length"
            )
            == 1
        )
        page.locator(".many-list li button").first.click()
        assert page.locator("#sheet h3").inner_text() == names[0]
        page.keyboard.press("Escape")
        form.get_by_role("button", name="Show all").click()
        left(few["score"] >= 0)


@pytest.mark.browser
def test_classes_and_the_view_count_too(few, few_page, open_page):
    with open_page(few_page) as page:
        page.locator("#legend").get_by_label("mine").first.uncheck()
        mines = int((few["kind"] == "mine").sum())
        assert f"{60 - mines} of 60 in view" in status(page)
        place = few.geometry[int(np.flatnonzero(few["kind"] != "mine")[0])]
        page.evaluate(
            f"lodemap.map().setView([{place.y}, {place.x}], 13, {{animate: false}})"
        )
        until(
            page, "/^1 of 60/.test(document.querySelector('.many-status').textContent)"
        )


@pytest.mark.browser
def test_what_search_finds_is_shown_whatever_the_filter(few_page, open_page):
    with open_page(few_page) as page:
        page.locator(".many-details summary").click()
        page.locator(".many-filter").get_by_label("holds").first.fill("site 9")
        until(page, f"{DRAWN} === 1")
        page.get_by_role("combobox").fill("광산 12")
        page.get_by_role("combobox").press("Enter")
        assert page.locator("#sheet h3").inner_text() == "site 12"
        until(page, f"{DRAWN} === 2")


@pytest.mark.browser
def test_hostile_columns_are_filtered_as_text(tmp_path, open_page):
    layer = hostile_layer()
    file = write(tmp_path / "hostile.html", layer, name="few")
    with open_page(file, reduced_motion="reduce") as page:
        page.locator(".many-details summary").click()
        page.locator(".many-filter fieldset").first.wait_for()
        assert page.locator(".many-list li").count() == len(TEXTS)
        field = page.locator(".many-filter fieldset", has_text="Kind")
        field.get_by_role("checkbox").first.uncheck()
        until(
            page,
            "document.querySelector('.many-status').textContent.includes('9 pass')",
        )
        assert_inert(page)

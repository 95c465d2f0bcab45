"""Names of what is on a canvas: few, apart from each other, and near only."""

import geopandas as gpd
import pytest
from shapely.geometry import Point, box

from tests.browser import until
from tests.maps.many_sample import points, write
from tests.maps.test_many_browser import drawn, set_view

pytestmark = pytest.mark.browser

SHOWN = """[...document.querySelectorAll('.label-added')]
    .filter((el) => el.style.visibility === 'visible')
    .map((el) => [el.firstChild.textContent, el.firstChild.lang])"""
APART = """(() => {
    const all = [...document.querySelectorAll('.label-added')]
        .filter((el) => el.style.visibility === 'visible')
        .map((el) => el.getBoundingClientRect());
    return all.every((a, i) => all.slice(i + 1).every((b) => a.right <= b.left
        || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top));
})()"""


@pytest.fixture(scope="module")
def named_page(tmp_path_factory):
    """Two thousand points, half with a Korean name; three in one spot."""
    layer = points(2000)
    layer["name_ko"] = [f"광산 {i}" if i % 2 else None for i in range(2000)]
    layer.loc[7, "name"] = "n" * 41
    layer.loc[[7, 8, 9], "geometry"] = Point(126, 40)
    return write(tmp_path_factory.mktemp("names") / "named.html", layer)


def test_names_stand_apart_and_near_only(named_page, open_page):
    with open_page(named_page) as page:
        drawn(page)
        assert page.evaluate(SHOWN) == []
        set_view(page, 40, 126, 10.5)
        until(page, f"({SHOWN}).length > 5")
        names = page.evaluate(SHOWN)
        assert len(names) <= 60
        assert all(name.startswith("site ") and lang == "" for name, lang in names)
        assert page.evaluate(APART)
        assert page.evaluate("document.querySelectorAll('.label-added').length") <= 60
        page.evaluate("lodemap.show('names', false)")
        until(page, f"({SHOWN}).length === 0")
        page.evaluate("lodemap.show('names', true)")
        until(page, f"({SHOWN}).length > 5")
        page.evaluate("lodemap.show('added:1', false)")
        until(page, f"({SHOWN}).length === 0")
        page.evaluate("lodemap.show('added:1', true)")
        set_view(page, 40, 126, 7)
        until(page, "document.querySelectorAll('.label-added').length === 0")


def test_names_are_in_the_readers_language(named_page, open_page):
    with open_page(named_page) as page:
        drawn(page)
        set_view(page, 40, 126, 10.5)
        until(page, f"({SHOWN}).length > 5")
        page.evaluate("lodemap.speak('ko')")
        until(page, f"({SHOWN}).some(([, lang]) => lang === 'ko')")
        for name, lang in page.evaluate(SHOWN):
            assert name.startswith("광산 " if lang == "ko" else "site "), name


def test_long_names_wait_for_the_card_and_filters_take_names_away(
    named_page, open_page
):
    with open_page(named_page) as page:
        drawn(page)
        set_view(page, 40, 126, 12)
        until(page, f"({SHOWN}).length > 0")
        shown = {name for name, _ in page.evaluate(SHOWN)}
        assert shown & {"site 8", "site 9"}
        assert all(name.startswith("site ") for name in shown)
        page.locator(".many-details summary").click()
        page.locator(".many-filter").get_by_label("holds").first.fill("site 9")
        until(page, f'JSON.stringify({SHOWN}) === \'[["site 9",""]]\'')


def test_areas_bear_their_name_in_the_middle(tmp_path, open_page):
    squares = [box(122 + i, 39, 122.8 + i, 40) for i in range(6)]
    layer = gpd.GeoDataFrame(
        {"name": [f"field {i}" for i in range(6)]}, geometry=squares, crs=4326
    )
    with open_page(write(tmp_path / "areas.html", layer, draw="canvas")) as page:
        drawn(page)
        set_view(page, 39.5, 124.4, 8.5)
        until(page, f"({SHOWN}).length > 0")
        middle = page.evaluate(
            """() => {
                const el = [...document.querySelectorAll('.label-added')]
                    .find((one) => one.firstChild.textContent === 'field 2');
                const box = el.getBoundingClientRect();
                const frame = lodemap.map().getContainer().getBoundingClientRect();
                const { lng } = lodemap.map().containerPointToLatLng(
                    [(box.left + box.right) / 2 - frame.left, box.top - frame.top]);
                return lng;
            }"""
        )
        assert middle == pytest.approx(124.4, abs=0.1)

"""The page in a real browser that has no network."""

import json
import re
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pytest
import shapely

import layers
import maps
from geo.geodesy import destination, distance, inverse
from tests.browser import until

pytestmark = pytest.mark.browser

LIMIT_BYTES = 3_000_000
LIMIT_MS = 2_000


def mark(page, key):
    """The element that stands for a mark on the map."""
    return page.locator(f'[data-key="{key}"]')


def key_of(deal, layer):
    """Key of the first place of a layer that the exchange names itself."""
    named = deal.places[~deal.places["context"] & (deal.places["layer"] == layer)]
    return named["ref"].iloc[0]


def test_opens_small_fast_and_alone(page_file, open_page):
    assert page_file.stat().st_size < LIMIT_BYTES
    with open_page(page_file) as page:
        assert int(page.locator("html").get_attribute("data-ready")) < LIMIT_MS
        assert page.locator(".leaflet-overlay-pane, .leaflet-pane").count() > 0
        assert page.locator("[data-key]").count() > 50
        assert page.locator("[data-key]").first.is_visible()


def test_nothing_is_left_of_what_leaflet_finds(page_file, open_page):
    with open_page(page_file) as page:
        assert not page.evaluate("'namespaces' in document")
        assert page.evaluate("L.Browser.svg && !L.Browser.vml")


@pytest.mark.parametrize("name", ["pobeda-2014", "sicomines-2008"])
def test_another_exchange_opens_too(name, tmp_path, open_page):
    deal = layers.load_exchange(name)
    file = maps.save(maps.exchange_map(deal), tmp_path / "other.html")
    with open_page(file) as page:
        assert page.locator("h1").inner_text() == deal.title
        own = deal.places[~deal.places["context"]]["ref"].iloc[0]
        mark(page, own).click()
        assert page.locator("#sheet h3").is_visible()


def test_every_row_of_the_legend_switches_its_marks(page_file, open_page):
    with open_page(page_file) as page:
        groups = page.evaluate("[...lodemap.marks.values()].map(m => [m.key, m.mark])")
        boxes = page.locator("#legend input[type=checkbox]")
        assert boxes.count() >= 10
        for box in boxes.all():
            name = box.get_attribute("value")
            members = [key for key, group in groups if group == name]
            if not members:
                continue
            one = mark(page, members[0])
            was = box.is_checked()
            assert one.count() == int(was)
            box.set_checked(not was)
            assert one.count() == int(not was)
            box.set_checked(was)
            assert one.count() == int(was)


def test_rings_and_names_switch_alone(page_file, open_page):
    with open_page(page_file) as page:
        rings = page.locator("path.ring")
        assert rings.count() > 10
        page.locator("#legend input[value=uncertainty]").uncheck()
        assert rings.count() == 0
        shown = page.locator(".label").filter(visible=True)
        assert shown.count() > 5
        page.locator("#legend input[value=names]").uncheck()
        assert shown.count() == 0


def test_a_click_opens_a_card_that_names_its_source(page_file, open_page, deal):
    key = key_of(deal, "trade-hubs")
    with open_page(page_file) as page:
        mark(page, key).click()
        card = page.locator("#sheet .card")
        row = deal.places.set_index("ref").loc[key]
        assert card.locator("h3").inner_text() == row["name"]
        assert card.locator('[lang="ko"]').first.inner_text() == row["name_ko"]
        text = card.inner_text()
        source = deal.sources.set_index("id").loc[row["sources"].split()[0]]
        assert source["title"] in text
        assert re.search(r"Source [A-F]: \w+", text)
        assert re.search(r"\d origins?\b", text)
        link = card.locator("a").first
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert mark(page, key).evaluate("el => el.classList.contains('is-chosen')")
        flagged = page.locator(f'#story [data-mark="{key}"].is-chosen')
        assert flagged.count() > 0


def test_cards_open_and_close_by_keyboard(page_file, open_page):
    with open_page(page_file) as page:
        tabbable = page.locator('[data-key][tabindex="0"]')
        assert tabbable.count() == 1
        tabbable.focus()
        first = page.evaluate("document.activeElement.dataset.key")
        page.keyboard.press("ArrowRight")
        second = page.evaluate("document.activeElement.dataset.key")
        assert second != first
        page.keyboard.press("ArrowLeft")
        assert page.evaluate("document.activeElement.dataset.key") == first
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        assert page.locator("#sheet").is_visible()
        assert page.evaluate("document.activeElement.tagName") == "H3"
        assert "Card open" in page.locator("#live").inner_text()
        page.keyboard.press("Escape")
        assert page.locator("#sheet").is_hidden()
        assert page.evaluate("document.activeElement.dataset.key") == second


def test_every_mark_opens_its_own_card(page_file, open_page):
    with open_page(page_file) as page:
        wrong = page.evaluate(
            """() => [...lodemap.marks.values()].filter((mark) => {
                lodemap.select(mark.key);
                const card = document.querySelector('#sheet .card');
                return card.id !== mark.card || !card.textContent.trim();
            }).map((mark) => mark.key)"""
        )
        assert wrong == []
        page.evaluate("lodemap.close()")
        assert page.locator("#cards .card").count() == page.evaluate(
            "lodemap.marks.size"
        )


def test_the_story_points_at_the_map(page_file, open_page):
    with open_page(page_file) as page:
        for link in page.locator("#areas a[data-mark]").all()[:3]:
            link.click()
            key = link.get_attribute("data-mark")
            chosen = page.locator("[data-key].is-chosen")
            assert chosen.first.get_attribute("data-key") == key
            box, stage = chosen.first.bounding_box(), page.locator("#stage")
            assert stage.bounding_box()["x"] <= box["x"] < 1440
        dead = page.evaluate(
            """() => [...document.querySelectorAll('#story a[data-mark]')]
                .filter((a) => !lodemap.marks.has(a.dataset.mark)
                    || a.hash !== '#' + lodemap.marks.get(a.dataset.mark).card)
                .map((a) => a.href)"""
        )
        assert dead == []


def test_marks_under_a_mark_are_offered(page_file, open_page, deal):
    areas = deal.places[deal.places["precision_code"] >= 3]
    subject = areas["ref"].iloc[0]
    with open_page(page_file) as page:
        keys = page.evaluate(
            """(key) => {
                const box = document.querySelector(`[data-key="${key}"]`)
                    .getBoundingClientRect();
                for (const [fx, fy] of [[.2,.5],[.5,.85],[.8,.6],[.3,.75]]) {
                    const x = box.left + fx * box.width;
                    const y = box.top + fy * box.height;
                    const el = document.elementFromPoint(x, y);
                    if (el.dataset.key !== key) continue;
                    el.dispatchEvent(new MouseEvent('click',
                        { bubbles: true, clientX: x, clientY: y }));
                    return [...document.querySelectorAll('#also button')].length;
                }
                return null;
            }""",
            subject,
        )
        assert keys is not None
        assert page.locator("#sheet .card h3").is_visible()


@pytest.mark.parametrize("column", ["name", "name_ko", "name_zh"])
def test_search_finds_a_name_in_each_language(page_file, open_page, deal, column):
    hubs = deal.places[deal.places["layer"] == "trade-hubs"]
    row = hubs[hubs[column] != ""].iloc[0]
    with open_page(page_file) as page:
        box = page.get_by_role("combobox")
        box.fill(row[column].lower())
        options = page.get_by_role("option")
        assert options.first.is_visible()
        assert row["name"] in options.first.inner_text()
        box.press("ArrowDown")
        assert options.first.get_attribute("aria-selected") == "true"
        box.press("Enter")
        assert page.locator("#sheet h3").inner_text() == row["name"]


def test_search_forgives_accents_and_apostrophes(page_file, open_page, deal):
    names = [n for n in deal.areas["name"] if re.search("[’ŏŭ]", n)]
    plain = names[0].replace("’", "").replace("ŏ", "o").replace("ŭ", "u").upper()
    with open_page(page_file) as page:
        page.get_by_role("combobox").fill(plain)
        found = page.get_by_role("option").all_inner_texts()
        assert names[0] in found


def test_search_says_when_nothing_matches(page_file, open_page):
    with open_page(page_file) as page:
        page.get_by_role("combobox").fill("xyzzy")
        assert "No name matches" in page.locator("#search-list").inner_text()
        page.keyboard.press("Escape")
        assert page.locator("#search-list").is_hidden()


def test_the_page_measures_as_geo_does(page_file, open_page):
    rng = np.random.default_rng(7)
    lon1, lon2 = rng.uniform(-180, 180, (2, 300))
    lat1, lat2 = rng.uniform(-85, 85, (2, 300))
    lon2[:60], lat2[:60] = lon1[:60] + rng.normal(0, 0.5, 60), lat1[:60] + 0.2
    azimuth, _, metres = inverse(lon1, lat1, lon2, lat2)
    with open_page(page_file) as page:
        pairs = np.column_stack([lon1, lat1, lon2, lat2]).tolist()
        found = page.evaluate(
            "pairs => pairs.map(p => lodemap.geodesic.inverse(...p))", pairs
        )
        there = np.array([row is not None for row in found])
        assert there.sum() > 290
        got = np.array([row["distance"] for row in found if row])
        np.testing.assert_allclose(got, np.asarray(metres)[there], atol=1e-3)
        turn = np.array([row["azimuth"] for row in found if row])
        off = (turn - np.asarray(azimuth)[there] + 180) % 360 - 180
        assert np.abs(off).max() < 1e-6
        ends = page.evaluate(
            "rows => rows.map(r => lodemap.geodesic.direct(...r))",
            np.column_stack([lon1, lat1, azimuth, np.minimum(metres, 5e6)]).tolist(),
        )
        lon, lat = destination(lon1, lat1, azimuth, np.minimum(metres, 5e6))
        slip = distance(*np.transpose(ends), lon, lat)
        assert np.max(slip) < 1e-3
        assert page.evaluate("lodemap.geodesic.inverse(0, 0, 179.9, 0.1)") is None


def test_measure_between_two_marks(page_file, open_page, deal):
    hubs = deal.places[deal.places["layer"] == "trade-hubs"].iloc[:2]
    (a, b), (r_a, r_b) = hubs.geometry, hubs["uncertainty_m"]
    expected = distance(a.x, a.y, b.x, b.y).item()
    with open_page(page_file) as page:
        page.get_by_role("button", name="Measure distance").click()
        page.get_by_label("From", exact=True).select_option(hubs["ref"].iloc[0])
        page.get_by_label("To", exact=True).select_option(hubs["ref"].iloc[1])
        result = page.locator("#measure-result")
        assert float(result.get_attribute("data-metres")) == pytest.approx(
            expected, abs=15
        )
        text = result.inner_text()
        assert f"{expected / 1000:,.1f} km" in text
        assert f"{(expected + r_a + r_b) / 1000:,.1f} km" in text
        page.keyboard.press("Escape")
        assert page.locator("#measure").is_hidden()


def test_measure_by_clicks_opens_no_card(page_file, open_page):
    with open_page(page_file) as page:
        page.get_by_role("button", name="Measure distance").click()
        for x, y in ((600, 300), (600, 420), (640, 420)):
            page.mouse.click(x, y)
        result = page.locator("#measure-result")
        assert float(result.get_attribute("data-metres")) > 1000
        assert page.locator("path.measure-line").count() == 2
        assert page.locator("#sheet").is_hidden()
        page.locator("#measure-clear").click()
        assert page.locator("path.measure-line").count() == 0


@pytest.mark.parametrize("day", ["2016-01-01", "2017-10-01", "2019-10-31"])
def test_the_date_shows_what_was_in_force(page_file, open_page, deal, day):
    table = deal.leg_measures
    start, end = table["in_force_from"], table["in_force_to"]
    there = table[(start != "") & (start <= day) & ((end == "") | (end >= day))]
    expected = set(zip(there["leg"], there["measure"], strict=True))
    with open_page(page_file) as page:
        page.locator("#as-of").fill(day)
        found = page.evaluate(
            """() => [...document.querySelectorAll('[data-measure]:not([hidden])')]
                .map((el) => [el.closest('[data-leg]').dataset.leg,
                    el.dataset.measure])"""
        )
        assert {tuple(pair) for pair in found} == expected
        assert day in page.locator("#as-of-count").inner_text()
        tags = page.locator("table.matrix .tag:not([hidden])")
        assert tags.count() == len(expected)


def test_a_measure_that_ended_is_shown_until_its_last_day(deal, tmp_path, open_page):
    import dataclasses

    table = deal.leg_measures.assign(in_force_to="2019-11-30")
    ended = dataclasses.replace(deal, leg_measures=table)
    file = maps.save(maps.exchange_map(ended), tmp_path / "page.html")
    with open_page(file) as page:
        shown = page.locator("table.matrix .tag:not([hidden])")
        page.locator("#as-of").fill("2019-11-30")
        assert shown.count() > 0
        page.locator("#as-of").fill("2019-12-01")
        assert shown.count() == 0
        assert page.locator(".leg .none").filter(visible=True).count() > 0


@pytest.mark.parametrize("price", [120, 3500, 48_000])
def test_the_slider_agrees_with_the_arithmetic(page_file, open_page, deal, price):
    expected = deal.repayment.at(price_usd_per_t=price)
    with open_page(page_file) as page:
        page.locator("#price").fill(str(price))
        tonnes = page.locator("#repay-tonnes").get_attribute("data-value")
        years = page.locator("#repay-years").get_attribute("data-value")
        assert float(tonnes) == pytest.approx(expected.tonnes, rel=1e-12)
        assert float(years) == pytest.approx(expected.years_at_throughput, rel=1e-12)
        page.locator("#price-slider").press("ArrowRight")
        moved = float(page.locator("#price").input_value())
        again = deal.repayment.at(price_usd_per_t=moved)
        shown = page.locator("#repay-tonnes").get_attribute("data-value")
        assert float(shown) == pytest.approx(again.tonnes, rel=1e-12)
        oxide = page.locator("#repay-oxide")
        for bound in ("low", "high"):
            expected = getattr(again.oxide_tonnes, bound)
            found = float(oxide.get_attribute(f"data-{bound}"))
            assert found == pytest.approx(expected, rel=1e-12)


def test_the_calculator_names_good_and_month(page_file, open_page, deal):
    with open_page(page_file) as page:
        text = page.locator("#repayment").text_content()
        assert f" t of {deal.repayment.throughput_good} a year" in text
        assert deal.repayment.peak_month in text
        assert deal.repayment.reo_share.text() in text


def test_zoom_and_return(page_file, open_page):
    with open_page(page_file) as page:
        home = page.evaluate("lodemap.map().getZoom()")
        page.get_by_role("button", name="Zoom in").click()
        until(page, "home => lodemap.map().getZoom() > home", home)
        page.get_by_role("button", name="Show the whole exchange").click()
        until(page, "home => lodemap.map().getZoom() === home", home)


def test_a_phone_gets_a_page_that_fits(page_file, open_page, deal):
    phone = {
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
        "is_mobile": True,
        "device_scale_factor": 2,
    }
    with open_page(page_file, **phone) as page:
        wide = "document.documentElement.scrollWidth - window.innerWidth"
        assert page.evaluate(wide) <= 0
        stage, story = page.locator("#stage"), page.locator("#story")
        assert stage.bounding_box()["y"] < story.bounding_box()["y"]
        for button in page.locator(".toolbar button, #search").all():
            box = button.bounding_box()
            assert min(box["width"], box["height"]) >= 44
        page.get_by_role("button", name="Legend and layers").tap()
        assert page.locator("#legend").is_visible()
        assert page.locator("#legend label").first.bounding_box()["height"] >= 44
        page.get_by_role("button", name="Legend and layers").tap()
        page.evaluate("key => lodemap.select(key)", key_of(deal, "deposits"))
        sheet = page.locator("#sheet").bounding_box()
        assert sheet["x"] == 0
        assert sheet["width"] == 390
        assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
        assert page.evaluate(wide) <= 0
        close = page.get_by_role("button", name="Close the card")
        assert min(close.bounding_box()[k] for k in ("width", "height")) >= 44
        close.tap()
        assert page.locator("#sheet").is_hidden()


NAMES_OF_COUNTRIES = """() => {
  const map = lodemap.map();
  const frame = map.getContainer().getBoundingClientRect();
  const codes = new Map(lodemap.countries.map(({ code, label }) => [label, code]));
  return [...document.querySelectorAll('.label-country')]
    .filter((el) => el.style.visibility === 'visible')
    .map((el) => {
      const { left, right, top, bottom } = el.getBoundingClientRect();
      const { lat, lng } = map.containerPointToLatLng(
        [(left + right) / 2 - frame.left, (top + bottom) / 2 - frame.top]);
      return [codes.get(el.textContent), lng, lat];
    });
}"""


@pytest.mark.parametrize("width", [768, 1024])
def test_no_width_scrolls_sideways(page_file, open_page, width):
    with open_page(page_file, viewport={"width": width, "height": 800}) as page:
        wide = "document.documentElement.scrollWidth - window.innerWidth"
        assert page.evaluate(wide) <= 0


def test_the_legend_hides_no_name(page_file, open_page):
    with open_page(page_file) as page:
        legend = page.locator("#legend").bounding_box()
        for label in page.locator(".label:not(.label-country)").all():
            if not label.is_visible():
                continue
            box = label.bounding_box()
            apart = (
                box["x"] >= legend["x"] + legend["width"]
                or box["y"] + box["height"] <= legend["y"]
            )
            assert apart, label.inner_text()


@pytest.fixture(scope="module")
def crowded_file(deal, tmp_path_factory):
    """A page on which forty marks push the names about."""
    draw = np.random.default_rng(5)
    lon, lat = draw.uniform(124, 129, 40), draw.uniform(38, 42, 40)
    places = gpd.GeoDataFrame(
        {"name": [f"Site {i}" for i in range(40)]},
        geometry=gpd.points_from_xy(lon, lat, crs=4326),
    )
    page = maps.exchange_map(deal)
    maps.add_layer(page, places, name="Forty")
    return maps.save(page, tmp_path_factory.mktemp("crowded") / "page.html")


@pytest.mark.parametrize("width", [390, 1440])
def test_a_countrys_name_stands_in_the_country(crowded_file, open_page, width):
    provinces = layers.load("provinces")
    with open_page(crowded_file, viewport={"width": width, "height": 844}) as page:
        found = page.evaluate(NAMES_OF_COUNTRIES)
    assert found
    for code, lon, lat in found:
        own = provinces.geometry[provinces["country"] == code]
        assert shapely.distance(own.array, shapely.Point(lon, lat)).min() < 0.03, code


def test_labels_do_not_cover_each_other(page_file, open_page):
    with open_page(page_file) as page:
        boxes = [
            label.bounding_box()
            for label in page.locator(".label").all()
            if label.is_visible()
        ]
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                over_x = min(a["x"] + a["width"], b["x"] + b["width"])
                over_y = min(a["y"] + a["height"], b["y"] + b["height"])
                assert (
                    over_x - max(a["x"], b["x"]) <= 1
                    or over_y - max(a["y"], b["y"]) <= 1
                )


def test_it_reads_without_scripts(page_file, open_page, deal):
    with open_page(page_file, ready=False, java_script_enabled=False) as page:
        assert page.locator("h1").inner_text() == deal.title
        cards = page.locator("#cards .card")
        assert cards.first.is_visible()
        link = page.locator("#story a[data-mark]").first
        target = link.get_attribute("href")
        assert page.locator(target).count() == 1


def test_print_shows_cards_and_no_controls(page_file, open_page):
    with open_page(page_file) as page:
        page.emulate_media(media="print")
        assert page.locator("#cards .card").first.is_visible()
        assert page.locator(".toolbar").is_hidden()


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_both_colour_schemes_and_still_motion(page_file, open_page, scheme):
    options = {"color_scheme": scheme, "reduced_motion": "reduce"}
    with open_page(page_file, **options) as page:
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        bright = sum(map(int, re.findall(r"\d+", ground)[:3])) > 384
        assert bright == (scheme == "light")


def test_names_roles_and_ids(page_file, open_page):
    with open_page(page_file) as page:
        report = page.evaluate(
            """() => {
              const name = (el) => (el.getAttribute('aria-label') || el.textContent
                || (el.labels && [...el.labels].map((l) => l.textContent).join(' '))
                || '').trim();
              const ids = [...document.querySelectorAll('[id]')].map((el) => el.id);
              return {
                nameless: [...document.querySelectorAll(
                  'button,a[href],input,select,[role=button]')]
                  .filter((el) => !name(el)).map((el) => el.outerHTML.slice(0, 120)),
                twice: ids.filter((id, i) => ids.indexOf(id) !== i),
                dangling: [...document.querySelectorAll('a[href^="#"]')]
                  .filter((a) => !document.getElementById(a.hash.slice(1)))
                  .map((a) => a.hash),
                controls: [...document.querySelectorAll('[aria-controls]')]
                  .filter((el) => !document.getElementById(
                    el.getAttribute('aria-controls'))).length,
                levels: [...document.querySelectorAll('#story h1,#story h2,#story h3')]
                  .map((el) => Number(el.tagName[1])),
                out: [...document.querySelectorAll('a[href^="http"]')]
                  .filter((a) => a.rel !== 'noopener noreferrer').length,
              };
            }"""
        )
        levels = report.pop("levels")
        assert report == {
            "nameless": [],
            "twice": [],
            "dangling": [],
            "controls": 0,
            "out": 0,
        }
        assert levels[0] == 1
        assert all(b - a <= 1 for a, b in pairwise(levels))


def test_the_skip_link_comes_first_and_is_seen(page_file, open_page):
    with open_page(page_file) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        until(page, "document.activeElement.getBoundingClientRect().top >= 0")
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#story"


def test_an_injected_script_does_not_run(page_file, open_page):
    with open_page(page_file) as page:
        page.evaluate(
            """() => {
              const script = document.createElement('script');
              script.textContent = 'window.hit = 1';
              document.body.append(script);
              document.body.insertAdjacentHTML('beforeend',
                '<img src="data:image/png;base64,AA" onerror="window.hit = 2">');
            }"""
        )
        until(page, "document.images[0].complete")
        assert page.evaluate("window.hit === undefined")
        blocked = [line for line in page.trouble if "Content Security Policy" in line]
        assert len(blocked) >= 2
        page.trouble.clear()


def test_measuring_code_is_what_the_policy_names(page_file):
    text = page_file.read_text("utf-8")
    assert json.dumps("</script") not in text
    assert "unsafe-eval" not in text
    policy = re.search(r'Policy" content="([^"]*)"', text)[1]
    assert "default-src &#39;none&#39;" in policy
    assert policy.count("sha256-") == text.count("<script>")


def test_one_panel_at_a_time_on_a_phone(page_file, open_page):
    with open_page(page_file, viewport={"width": 390, "height": 844}) as page:
        page.get_by_role("button", name="Legend and layers").click()
        page.get_by_role("button", name="Measure distance").click()
        assert page.locator("#measure").is_visible()
        assert page.locator("#legend").is_hidden()
        page.get_by_role("button", name="Legend and layers").click()
        assert page.locator("#measure").is_hidden()
        page.keyboard.press("Escape")
        assert page.locator("#legend").is_hidden()
        assert page.evaluate("document.activeElement.dataset.do") == "legend"


@pytest.mark.parametrize("size", [(320, 640), (390, 844), (720, 450)])
def test_a_fingertip_finds_every_control(page_file, open_page, size):
    view = {"width": size[0], "height": size[1]}
    with open_page(page_file, viewport=view, has_touch=True) as page:
        page.get_by_role("button", name="Legend and layers").click()
        small = page.evaluate(
            """() => [...document.querySelectorAll('button, input, select, summary, '
                + '#legend label, .story tbody th a, .leg > h3 a')]
                .filter((el) => !el.closest('.sr, #legend label > *'))
                .map((el) => [el.outerHTML.slice(0, 60), el.getBoundingClientRect()])
                .filter(([, box]) => box.height > 0 && box.height < 43.9)
                .map(([html, box]) => [html, box.height])"""
        )
        assert small == []
        tools = page.locator(".toolbar").bounding_box()
        for name in (".leaflet-control-scale", ".leaflet-control-attribution"):
            box = page.locator(name).bounding_box()
            assert box["x"] + box["width"] <= tools["x"]


def test_no_name_is_cut_by_a_panel(page_file, open_page):
    for size in ((320, 640), (390, 844), (1024, 768), (1440, 900)):
        view = {"width": size[0], "height": size[1]}
        with open_page(page_file, viewport=view) as page:
            cut = page.evaluate(
                """() => {
                    const over = [...document.querySelectorAll(
                        '.toolbar, .search, .leaflet-control-attribution')]
                        .map((el) => el.getBoundingClientRect());
                    return [...document.querySelectorAll('.label')].filter((el) => {
                        const a = el.getBoundingClientRect();
                        return el.style.visibility === 'visible' && over.some((b) =>
                            a.left < b.right - 1 && b.left < a.right - 1
                            && a.top < b.bottom - 1 && b.top < a.bottom - 1);
                    }).map((el) => el.textContent);
                }"""
            )
            assert cut == []


def test_focus_shows_and_comes_back_to_the_story(page_file, open_page):
    with open_page(page_file, viewport={"width": 390, "height": 844}) as page:
        link = page.locator("#areas a[data-mark]").first
        link.focus()
        page.keyboard.press("Enter")
        heading = page.locator("#sheet h3")
        assert heading.evaluate("el => getComputedStyle(el).outlineStyle") == "solid"
        page.keyboard.press("Escape")
        assert link.evaluate("el => el === document.activeElement")
        assert 0 <= link.bounding_box()["y"] < 844
        page.locator("#map_main").focus()
        offset = "el => parseFloat(getComputedStyle(el).outlineOffset)"
        assert page.locator("#map_main").evaluate(offset) < 0


def test_paper_gets_the_whole_exchange_and_its_addresses(page_file, open_page):
    with open_page(page_file, color_scheme="dark") as page:
        shut = page.locator("#story details[open]").count()
        home = page.evaluate("lodemap.map().getZoom()")
        page.evaluate("lodemap.touch(), lodemap.map().setZoom(9, { animate: false })")
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.locator("#story details:not([open])").count() == 0
        frame, legend = page.locator("#map_main"), page.locator("#legend")
        below = frame.bounding_box()["y"] + frame.bounding_box()["height"]
        assert legend.bounding_box()["y"] >= below - 1
        assert page.evaluate("lodemap.map().getZoom()") <= home
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert min(map(int, re.findall(r"\d+", paper)[:3])) > 200
        link = page.locator('.sources a[href^="http"]').first
        after = link.evaluate("el => getComputedStyle(el, '::after').content")
        assert "http" in after
        page.emulate_media(media="screen")
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.locator("#story details[open]").count() == shut
        assert page.evaluate("lodemap.map().getZoom()") == 9

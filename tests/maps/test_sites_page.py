"""Sites on the page: cards, table, assumptions, map; in a real browser."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner

import maps
from layers.errors import ReadError
from layers.siting.files import staged, write_sites
from maps.cli import cli
from maps.exchange import build
from maps.popup import card_html
from maps.site_marks import (
    MOST_SITES,
    MOST_VERTICES,
    share_labels,
    simplified,
    site_marks,
)
from maps.site_story import site_story
from tests.maps.conftest import HOSTILE, poison
from tests.maps.sites import some_sites

WIDE = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="session")
def sites_page(deal, tmp_path_factory):
    """Page with thirty sites and the raster of their scores."""
    folder = tmp_path_factory.mktemp("sites")
    page = maps.exchange_map(deal, sites=some_sites(folder=folder))
    return maps.save(page, folder / "page.html")


@pytest.fixture
def found():
    return some_sites(12)


def card_of(found, place=0):
    return card_html(site_marks(found, {}).cards[place])


# ── What the cards say ───────────────────────────────────────────────────────


def test_a_card_holds_all_that_is_known_of_a_site(found):
    row = found.table.iloc[2]
    text = re.sub(r"<[^>]+>|\s+", " ", card_of(found, 2))
    text = re.sub(r"\s+", " ", text)
    for piece in (
        "Hypothetical site",
        "No source names a site",
        f"3 of {found.totals['sites']:,} found",
        "Among the first 10",
        f"{row.rank_low} to {row.rank_high} (5–95 %)",
        f"{row.area_km2:,.1f} km²",
        f"{row.net_area_km2:,.1f} km² inside the setback",
        "MW by land use",
        "P90 about",
        f"mean {row.slope_mean_deg:.1f}°, worst {row.slope_max_deg:.1f}°",
        "Power plant Pukchang:",
        "(8 km to 70 km)",
        "Reason number 3.",
        "Maker of elevation (CC-BY-4.0)",
        "simplified, at most 20 m off",
    ):
        assert piece in text, piece


def test_parts_of_the_score_carry_the_words_of_their_criteria(found):
    assert list(share_labels(found).values()) == [
        "slope",
        "land cover",
        "irradiation",
        "distance to a town",
    ]
    percents = [s.percent for s in site_marks(found, {}).cards[0].shares]
    assert sum(percents) == pytest.approx(100, abs=0.3)
    fewer = dataclasses.replace(found, rules=found.rules[:2])
    assert "land cover" in share_labels(fewer).values()


def test_what_is_missing_is_left_out(found):
    table = found.table.copy()
    table.loc[0, ["plant_min_km", "plant_max_km"]] = np.nan
    table["plant_name"] = ""
    card = card_of(dataclasses.replace(found, table=table))
    assert "Power plant: " in card
    assert "(8 km" not in card
    without = found.table.drop(columns=["road_km"])
    card = card_of(dataclasses.replace(found, table=without))
    assert "Road:" not in card.partition("Computed from")[0]


def test_synthetic_terrain_is_said_everywhere(deal, tmp_path):
    made_up = some_sites(3, synthetic=True, folder=tmp_path)
    page = build(deal, sites=made_up)
    assert page.title.startswith("Synthetic terrain: ")
    assert page.story.count("badge-synthetic") == 2
    cards = [card_html(c) for c in page.cards if c.key.startswith("sites/")]
    assert len(cards) == 3
    warned = '<p class="note note-warn"><strong>Synthetic terrain. Hypothetical'
    assert all(warned in card for card in cards)
    labels = [m.label for m in page.marks.values() if m.group == "What we computed"]
    assert labels
    assert all("(synthetic terrain)" in label for label in labels)
    plain = build(deal, sites=some_sites(3, folder=tmp_path))
    everything = plain.title + plain.story + "".join(map(card_html, plain.cards))
    assert "ynthetic" not in everything


# ── Outlines ─────────────────────────────────────────────────────────────────


def test_outlines_stay_within_what_is_said():
    shapes = list(some_sites(20).table.geometry)
    drawn, off = simplified(shapes)
    assert sum(map(shapely.get_num_coordinates, drawn)) <= MOST_VERTICES
    metres = np.array([111_320 * np.cos(np.radians(39.6)), 111_320])
    for shape, simple in zip(shapes, drawn, strict=True):
        assert simple.is_valid
        a, b = (
            shapely.transform(s.exterior, lambda xy: xy * metres)
            for s in (shape, simple)
        )
        assert max(map(b.distance, map(shapely.Point, a.coords))) <= off * 1.01


def test_more_vertices_than_a_page_can_bear_are_simplified_further():
    angle = np.linspace(0, 2 * np.pi, 40_001)[:-1]
    radius = 0.2 + 0.002 * np.random.default_rng(1).random(len(angle))
    ring = np.column_stack([125 + radius * np.cos(angle), 40 + radius * np.sin(angle)])
    drawn, off = simplified([shapely.Polygon(ring)])
    assert off > 20
    assert shapely.get_num_coordinates(drawn[0]) <= MOST_VERTICES


def test_parts_and_holes_of_an_outline_are_kept():
    hole = shapely.box(125.02, 40.02, 125.03, 40.03)
    speck = shapely.box(125.05, 40.05, 125.05001, 40.05001)
    one = shapely.box(125, 40, 125.1, 40.1) - hole - speck
    both = shapely.MultiPolygon([one, shapely.box(125.2, 40, 125.3, 40.1)])
    (drawn,), _ = simplified([both])
    assert drawn.geom_type == "MultiPolygon"
    assert [len(p.interiors) for p in drawn.geoms] == [1, 0]
    assert simplified([])[0] == []


def test_no_more_than_the_page_bears_and_it_says_so(deal):
    page = build(deal, sites=some_sites(MOST_SITES + 12))
    assert sum(c.key.startswith("sites/") for c in page.cards) == MOST_SITES
    assert "12 more stand in the file only" in page.story
    assert page.story.count('class="rank"') - len(deal.areas) == MOST_SITES


# ── The story ────────────────────────────────────────────────────────────────


def test_both_readings_are_answered_at_each_land_use(deal, found):
    story = build(deal, sites=found).story
    table = story[story.index('<table class="holds" lang="en">') :]
    table = table[: table.index("</table>")]
    rows = re.findall(r"<tr><th.*?</tr>", table, re.DOTALL)[1:]
    assert len(rows) == 2
    assert "A: 2.5 GW of capacity" in rows[0]
    assert "2,500 MW of modules" in rows[0]
    assert "No: all 12 sites described" in rows[0]
    assert "reach 61 % of it" in rows[0]
    assert rows[0].count("Yes: ") == 2
    assert "B: 2.5 GWh a day" in rows[1]
    assert rows[1].count("Yes: ") == 3
    assert "the first site," in rows[1]
    assert "913.1 GWh a year" in rows[1]


def test_the_readings_of_another_exchange_are_left_out(deal, found):
    other = dataclasses.replace(found, exchange="sicomines-2008")
    story = build(deal, sites=other).story
    assert 'class="holds"' not in story
    assert "another exchange (sicomines-2008)" in story


def test_assumptions_stand_with_both_ends_and_what_stays(found):
    marks = site_marks(found, {})
    told = site_story(found, marks, exchange_id="cholsan-2019", regions={})
    land, slope, weight, cells = told["bars"]
    assert land.values == "0.4, 0.7, 0.9"
    assert land.spans == (("lower", 0.0, 60.0), ("upper", 60.0, 40.0))
    assert told["planned_at"] == 60.0
    assert slope.values == "4, 5, 8 degrees"
    assert (slope.kept_low, slope.kept_high) == ("9", "6")
    assert weight.values == "29, 40, 52 %"
    assert cells.values == "–, 1, 2 of the plan's"
    assert (cells.outcome_low, cells.kept_low) == ("–", "–")
    assert [side for side, _, _ in cells.spans] == ["lower"]


def test_numbers_are_never_written_in_powers_of_ten(found):
    table = found.tornado.copy()
    table.loc[1, ["low", "planned", "high", "unit"]] = [10_000.0, 2e4, 123_456.0, "m"]
    told = site_story(
        dataclasses.replace(found, tornado=table),
        site_marks(found, {}),
        exchange_id="cholsan-2019",
        regions={},
    )
    assert told["bars"][1].values == "10,000, 20,000, 123,500 m"


def test_criteria_inputs_and_limits_are_in_words(deal, found):
    story = build(deal, sites=found).story
    section = story[story.index('id="sites"') : story.index('id="unknown"')]
    for piece in (
        "Rule on slope",
        "40 %",
        "consistency ratio 0.021",
        "Left out, since their files are missing: road.",
        "elevation.tif",
        "SHA-256 <code>0123456789ab…</code>",
        "CC-BY-4.0",
        "Words that the licence asks for.",
        "Layer that ships: power-plants",
        "12 features counted",
    ):
        assert piece in section, piece
    assert section.count("Not in the probabilities: cost.") == 1


def test_no_site_is_said_in_words(deal, tmp_path):
    empty = some_sites(2, folder=tmp_path)
    none = dataclasses.replace(
        empty,
        table=empty.table.head(0),
        tornado=empty.tornado.head(0),
        portfolios=(),
        totals={"sites": 0},
    )
    page = build(deal, sites=none)
    assert "No site meets the criteria." in page.story
    assert "tornado" not in page.story
    assert "site" not in page.marks


def test_without_sites_the_page_knows_nothing_of_them(deal, page_file):
    page = build(deal)
    assert page.extras == []
    text = page_file.read_text("utf-8")
    for piece in ("ramp", "overlay.js", "mark-site", 'id="sites"', "What we computed"):
        assert piece not in text
    assert page.marks["candidate"].on
    assert not build(deal, sites=some_sites(2)).marks["candidate"].on


def test_the_same_sites_give_the_same_bytes(deal, sites_page, tmp_path):
    page = maps.exchange_map(deal, sites=some_sites(folder=tmp_path))
    again = maps.save(page, tmp_path / "again.html")
    assert again.read_bytes() == sites_page.read_bytes()


def test_sites_elsewhere_widen_the_view(deal):
    far = some_sites(2)
    table = far.table.set_geometry(far.table.translate(xoff=-20))
    page = build(deal, sites=dataclasses.replace(far, table=table))
    assert page.first_view[0][1] < 110


def test_the_command_takes_the_folder_that_sites_were_written_to(tmp_path):
    folder = tmp_path / "found"
    with staged(folder) as stage:
        found = some_sites(4, synthetic=True, folder=stage)
        write_sites(found, stage)
    page = tmp_path / "page.html"
    run = CliRunner().invoke(
        cli, ["map", "--sites", str(folder), "-o", str(page)], catch_exceptions=False
    )
    assert run.exit_code == 0
    text = page.read_text("utf-8")
    assert text.count('<article class="card role-hypothetical" id="card-sites') == 4
    assert "data:image/png;base64," in text
    (folder / "sites.json").unlink()
    with pytest.raises(ReadError, match=r"sites\.json"):
        CliRunner().invoke(
            cli,
            ["map", "--sites", str(folder), "-o", str(page)],
            catch_exceptions=False,
        )
    assert page.read_text("utf-8") == text


# ── In the browser ───────────────────────────────────────────────────────────


@pytest.mark.browser
def test_the_page_of_sites_opens_small_and_alone(sites_page, open_page):
    assert sites_page.stat().st_size < 3_000_000
    with open_page(sites_page) as page:
        assert page.locator('[data-key^="sites/"]').count() == 30
        assert page.locator(".leaflet-rasters-pane img").count() == 1
        assert page.locator(".ramp-bar").is_visible()
        shown = page.locator(".label-site").filter(visible=True)
        assert 3 <= shown.count() <= 10
        box = page.locator('#legend input[value="site"]')
        box.uncheck()
        assert page.locator('[data-key^="sites/"], .ink-site').count() == 0
        assert shown.count() == 0
        box.check()
        assert page.locator(".ink-site").count() == 30


@pytest.mark.browser
def test_a_site_of_two_pixels_can_be_hit(sites_page, open_page):
    with open_page(sites_page, reduced_motion="reduce") as page:
        page.evaluate("lodemap.map().setView([39.6, 125.5], 6, { animate: false })")
        site = page.locator('[data-key="sites/site-010"]')
        ink = page.locator(".ink-site").first.bounding_box()
        assert max(ink["width"], ink["height"]) < 8
        spot = site.bounding_box()
        page.mouse.click(
            spot["x"] + spot["width"] / 2 + 4, spot["y"] + spot["height"] / 2
        )
        assert page.locator("#sheet .kind").inner_text().lower() == "hypothetical site"


@pytest.mark.browser
def test_numbers_stand_in_large_sites_and_beside_small_ones(sites_page, open_page):
    with open_page(sites_page, reduced_motion="reduce") as page:
        site = page.locator('[data-key="sites/site-001"]')
        number = page.locator('.label-site .label-main:text-is("1")')
        at = page.evaluate("lodemap.marks.get('sites/site-001').anchor")
        for zoom, inside in ((7, False), (12, True)):
            page.evaluate(
                "([at, z]) => lodemap.map().setView([at[1], at[0]], z,"
                " { animate: false })",
                [at, zoom],
            )
            assert number.is_visible()
            box, plate = site.bounding_box(), number.bounding_box()
            x = plate["x"] + plate["width"] / 2 - box["x"]
            y = plate["y"] + plate["height"] / 2 - box["y"]
            assert (0 < x < box["width"] and 0 < y < box["height"]) == inside
            assert max(abs(x - box["width"] / 2), abs(y - box["height"] / 2)) < 60


@pytest.mark.browser
def test_the_better_site_keeps_its_number(deal, tmp_path, open_page):
    one_spot = some_sites(30, top_n=30)
    table = one_spot.table.set_geometry([one_spot.table.geometry[0]] * 30)
    found = dataclasses.replace(one_spot, table=table)
    file = maps.save(maps.exchange_map(deal, sites=found), tmp_path / "page.html")
    with open_page(file, reduced_motion="reduce") as page:
        seen = page.locator(".label-site").filter(visible=True)
        numbers = {int(text) for text in seen.locator(".label-main").all_inner_texts()}
        assert 1 < len(numbers) < 30
        assert numbers == set(range(1, len(numbers) + 1))


@pytest.mark.browser
def test_table_and_map_lead_to_each_other(sites_page, open_page):
    with open_page(sites_page, reduced_motion="reduce") as page:
        link = page.locator('#sites a[data-mark="sites/site-004"]').first
        link.click()
        assert page.locator("#sheet h3").inner_text() == "Sukchŏn NE 4 km"
        assert page.locator('[data-key="sites/site-004"].is-chosen').count() == 1
        assert page.locator("#sheet .bars li").count() == 4
        page.keyboard.press("Escape")
        assert link.evaluate("el => el === document.activeElement")
        far = page.locator('[data-key="sites/site-025"]')
        far.evaluate("el => el.setAttribute('tabindex', '0')")
        far.focus()
        page.keyboard.press("Enter")
        assert page.locator("#sheet h3").inner_text() == "Sukchŏn NE 25 km"
        row = page.locator('#sites tbody[data-mark="sites/site-025"]')
        assert row.is_visible()
        assert row.evaluate("el => el.classList.contains('is-chosen')")
        page.get_by_role("link", name="Files, sources and licences in full").click()
        top = page.locator("#sites-inputs").bounding_box()["y"]
        assert 0 <= top < 900


@pytest.mark.browser
def test_search_finds_a_site(sites_page, open_page):
    with open_page(sites_page) as page:
        box = page.get_by_role("combobox")
        box.fill("숙천 북동 7")
        box.press("Enter")
        assert page.locator("#sheet h3").inner_text() == "Sukchŏn NE 7 km"


@pytest.mark.browser
def test_names_on_a_page_with_sites_cover_nothing(sites_page, open_page):
    with open_page(sites_page) as page:
        boxes = [
            label.bounding_box()
            for label in page.locator(".label").all()
            if label.is_visible()
        ]
        for i, a in enumerate(boxes):
            for b in boxes[i + 1 :]:
                across = min(a["x"] + a["width"], b["x"] + b["width"])
                down = min(a["y"] + a["height"], b["y"] + b["height"])
                assert across - max(a["x"], b["x"]) <= 1 or (
                    down - max(a["y"], b["y"]) <= 1
                )


@pytest.mark.browser
@pytest.mark.parametrize("size", [(320, 640), (390, 844), (720, 450), (768, 1024)])
def test_a_fingertip_finds_every_control_of_the_sites(sites_page, open_page, size):
    view = {"width": size[0], "height": size[1]}
    with open_page(sites_page, viewport=view, has_touch=True) as page:
        assert page.evaluate(WIDE) <= 0
        page.get_by_role("button", name="Legend and layers").click()
        page.evaluate(
            "document.querySelectorAll('#sites details').forEach(d => d.open = true)"
        )
        small = page.evaluate(
            """() => [...document.querySelectorAll('#sites summary, '
                + '#sites tbody th a, #legend input[type=range], #legend label')]
                .filter((el) => !el.closest('#legend label > *, .ramp-opacity label'))
                .map((el) => [el.outerHTML.slice(0, 60), el.getBoundingClientRect()])
                .filter(([, box]) => box.height > 0 && box.height < 43.9)
                .map(([html, box]) => [html, box.height])"""
        )
        assert small == []
        assert page.evaluate(WIDE) <= 0


@pytest.mark.browser
def test_ids_names_and_levels_hold_with_sites(sites_page, open_page):
    with open_page(sites_page) as page:
        report = page.evaluate(
            """() => {
              const ids = [...document.querySelectorAll('[id]')].map((el) => el.id);
              const levels = [...document.querySelectorAll(
                '#story h1,#story h2,#story h3,#story h4')]
                .map((el) => Number(el.tagName[1]));
              return {
                twice: ids.filter((id, i) => ids.indexOf(id) !== i),
                dangling: [...document.querySelectorAll('a[href^="#"]')]
                  .filter((a) => !document.getElementById(a.hash.slice(1)))
                  .map((a) => a.hash),
                nameless: [...document.querySelectorAll('#legend input')]
                  .filter((el) => ![...el.labels].some((l) => l.textContent.trim()))
                  .length,
                leaps: levels.filter((n, i) => i && n - levels[i - 1] > 1).length,
                unheaded: [...document.querySelectorAll('#sites table')]
                  .filter((t) => !t.querySelector('thead th[scope=col]')
                    || !t.querySelector('tbody th[scope=row]')).length,
              };
            }"""
        )
        assert report == {
            "twice": [],
            "dangling": [],
            "nameless": 0,
            "leaps": 0,
            "unheaded": 0,
        }


@pytest.mark.browser
def test_paper_shows_sites_assumptions_and_key(sites_page, open_page):
    with open_page(sites_page) as page:
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print")
        assert page.locator("#sites details:not([open])").count() == 0
        assert page.locator("table.tornado").is_visible()
        assert page.locator(".ramp-bar").is_visible()
        assert page.locator("#legend input[type=range]").is_hidden()
        exact = "el => getComputedStyle(el).printColorAdjust"
        for name in (".tornado .span span", ".bars .bar span", ".ramp-bar"):
            assert page.locator(name).first.evaluate(exact) == "exact", name


@pytest.mark.browser
def test_it_reads_without_scripts_too(sites_page, open_page):
    with open_page(sites_page, ready=False, java_script_enabled=False) as page:
        link = page.locator("#sites a[data-mark]").first
        assert page.locator(link.get_attribute("href")).count() == 1
        assert page.locator("table.tornado").is_visible()


@pytest.mark.browser
def test_hostile_sites_are_only_read(deal, tmp_path, open_page):
    kept = some_sites(3, folder=tmp_path)
    bad = poison(dataclasses.replace(kept, outputs=()))
    bad = dataclasses.replace(
        bad,
        exchange=kept.exchange,
        outputs=kept.outputs,
        portfolios=tuple(
            dataclasses.replace(p, sites=q.sites, land_use=q.land_use)
            for p, q in zip(bad.portfolios, kept.portfolios, strict=True)
        ),
        method=dict.fromkeys(kept.method, HOSTILE),
        ranks={**kept.ranks, "not_in_it": HOSTILE},
        inputs=tuple(
            {
                **entry,
                "label": HOSTILE,
                "layer": HOSTILE,
                "source": HOSTILE,
                "licence": HOSTILE,
                "notice": HOSTILE,
                "url": "javascript:alert(1)//https://example.org",
                "files": [{"name": HOSTILE, "bytes": 1, "sha256": HOSTILE}],
            }
            for entry in kept.inputs
        ),
    )
    assert HOSTILE in bad.table["name"].iloc[0]
    assert HOSTILE in bad.tornado["label"].iloc[0]
    assert isinstance(bad.tornado, pd.DataFrame)
    file = maps.save(maps.exchange_map(deal, sites=bad), tmp_path / "page.html")
    assert "javascript:" not in file.read_text("utf-8")
    with open_page(file, reduced_motion="reduce") as page:
        page.locator("#sites a[data-mark]").first.click()
        assert HOSTILE in page.locator("#sheet h3").text_content()
        assert HOSTILE in page.locator("#sites").text_content()
        page.evaluate(
            "document.querySelectorAll('details').forEach(d => { d.open = true; })"
        )
        assert page.locator("img:not(.leaflet-image-layer)").count() == 0
        assert page.locator("[onerror], [onload], [onclick]").count() == 0
        assert page.locator("iframe, object, embed").count() == 0

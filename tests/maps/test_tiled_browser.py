"""A layer in tiles beside its page, in a real browser and from a real host."""

import re
import shutil

import numpy as np
import pytest
from markupsafe import Markup

import maps
from maps.page import PageError
from maps.preview import serving
from maps.tiled import _apart, _interleaved
from tests.maps.many_sample import empty_page, points
from tests.maps.test_many_browser import LAYER, at, wait

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def tiled(tmp_path_factory):
    """Five thousand points by class, and the page that reads them."""
    folder = tmp_path_factory.mktemp("tiled")
    layer = points(5000)
    layer["note"] = "<img src=x onerror=alert(1)>"
    page = empty_page()
    archive = folder / "pits.pmtiles"
    maps.add_layer(page, layer, name="Pits", column="kind", tiles=archive)
    return layer, maps.save(page, folder / "page.html")


@pytest.fixture
def from_host(tiled, chromium):
    """Open the page from a host that sends parts of files; all else is refused."""
    _, file = tiled
    trouble = []
    with serving(file) as address:
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        context.route(lambda url: not url.startswith(address), lambda r: r.abort())
        page = context.new_page()
        page.on("pageerror", lambda error: trouble.append(str(error)))
        page.on("dialog", lambda dialog: trouble.append(dialog.message))
        page.on(
            "console",
            lambda m: trouble.append(m.text) if m.type == "error" else None,
        )
        page.goto(address)
        page.wait_for_selector("html[data-many]")
        yield page
        context.close()
    assert trouble == []


def inside(layer, page):
    """Rows that the map shows, by their coordinates."""
    west, south, east, north = page.evaluate(
        """() => { const b = lodemap.map().getBounds();
            return [b.getWest(), b.getSouth(), b.getEast(), b.getNorth()]; }"""
    )
    x, y = layer.geometry.x, layer.geometry.y
    return layer[x.between(west, east) & y.between(south, north)]


def in_view(page):
    return page.evaluate(f"{LAYER}.shape.count({LAYER}.windows(), {LAYER}.wanted)")


def near(page, zoom, lat, lon):
    page.evaluate(f"lodemap.map().setView([{lat}, {lon}], {zoom}, {{animate: false}})")
    wait(page, f"{LAYER}.near && {LAYER}.picture && !{LAYER}.busy", seconds=20)


def test_from_far_away_every_point_is_counted(tiled, from_host):
    layer, _ = tiled
    page = from_host
    page.evaluate("lodemap.map().setView([40, 126], 3, {animate: false})")
    wait(page, f"{LAYER}.picture && !{LAYER}.busy")
    assert page.evaluate(f"{LAYER}.near") is False
    assert in_view(page) == len(layer)
    assert page.evaluate(f"{LAYER}.picture.manner.way") == "density"
    kind = layer["kind"].value_counts()
    labels = page.evaluate(f"{LAYER}.data.classes.labels")
    box = page.locator("#legend input[value='added:1:0']")
    box.uncheck()
    wait(page, f"{LAYER}.wanted && !{LAYER}.busy")
    assert in_view(page) == len(layer) - kind[labels[0]]


def test_from_near_the_points_in_view_are_those_of_the_layer(tiled, from_host):
    layer, _ = tiled
    page = from_host
    near(page, 8, 40.0, 126.0)
    seen = inside(layer, page)
    assert 0 < len(seen) < len(layer)
    # A point on the very edge of the view may be rounded over it.
    assert abs(in_view(page) - len(seen)) <= 1
    near(page, 11, seen.geometry.iloc[0].y, seen.geometry.iloc[0].x)
    few = inside(layer, page)
    names = page.evaluate(
        f"""async () => {{
            const names = await {LAYER}.column('name');
            const found = {LAYER}.shape.within({LAYER}.windows(), 1000);
            return found.map((i) => names.at(i));
        }}"""
    )
    assert sorted(names) == sorted(few["name"])


def test_a_point_is_where_its_row_says_and_its_card_shows_text_as_text(
    tiled, from_host
):
    layer, _ = tiled
    page = from_host
    row = layer.iloc[1234]
    near(page, 13, row.geometry.y, row.geometry.x)
    page.mouse.click(*at(page, row.geometry.x, row.geometry.y))
    card = page.locator("#sheet .card")
    card.wait_for()
    assert card.locator("h3").inner_text() == row["name"]
    assert "<img src=x onerror=alert(1)>" in card.inner_text()


def test_another_view_does_not_show_another_card_for_the_same_row(tiled, from_host):
    layer, _ = tiled
    page = from_host
    one, two = layer.iloc[10], layer.iloc[2000]
    for row in (one, two, one):
        near(page, 13, row.geometry.y, row.geometry.x)
        page.wait_for_timeout(300)
        page.mouse.click(*at(page, row.geometry.x, row.geometry.y))
        wait(
            page,
            "(name) => document.querySelector('#sheet h3')?.textContent === name",
            row["name"],
        )


def test_a_page_opened_as_a_file_says_why_it_shows_counts_only(tiled, chromium):
    _, file = tiled
    context = chromium.new_context()
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-many]")
    page.evaluate("lodemap.map().setView([40, 126], 10, {animate: false})")
    wait(page, f"{LAYER}.missing")
    assert "lodemap preview" in page.locator(".many-status").inner_text()
    assert page.evaluate(f"{LAYER}.near") is False
    assert errors == []
    context.close()


def test_search_finds_any_name_and_flies_to_it(tiled, from_host):
    layer, file = tiled
    page = from_host
    page.evaluate("lodemap.map().setView([40, 126], 3, {animate: false})")
    read = []
    page.on("response", lambda answer: read.append(answer.request.headers["range"]))
    page.fill("#search", "SITE 4321")
    page.locator("#search-list li[data-key]").first.wait_for()
    assert page.locator("#search-list li[data-key]").all_inner_texts() == ["site 4321"]
    lengths = [np.subtract(*map(int, r[6:].split("-")[::-1])) + 1 for r in read]
    archive = file.with_name("pits.pmtiles").stat().st_size
    assert 0 < sum(lengths) < archive / 3
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator("#sheet .card h3").wait_for()
    assert page.locator("#sheet .card h3").inner_text() == "site 4321"
    row = layer.iloc[4321].geometry
    west, south, east, north = page.evaluate(
        "lodemap.map().getBounds().toBBoxString().split(',').map(Number)"
    )
    assert west < row.x < east
    assert south < row.y < north
    page.fill("#search", "4321")
    page.locator("#search-list li[data-key]").first.wait_for()
    assert page.locator("#search-list li[data-key]").all_inner_texts() == ["site 4321"]
    page.fill("#search", "no such name")
    page.get_by_text("No name matches").wait_for()


def test_another_archive_under_the_name_is_not_shown(tiled, chromium, tmp_path):
    _, file = tiled
    shutil.copy(file, tmp_path)
    maps.add_layer(
        empty_page(), points(700), name="Other", tiles=tmp_path / "pits.pmtiles"
    )
    with serving(tmp_path / file.name) as address:
        page = chromium.new_page()
        page.goto(address)
        page.wait_for_selector("html[data-many]")
        page.evaluate("lodemap.map().setView([40, 126], 10, {animate: false})")
        wait(page, f"{LAYER}.missing")
        told = page.locator(".many-status").text_content()
        assert "not the archive that this page was made with" in told
        assert page.evaluate(f"{LAYER}.near") is False
        page.close()


def test_a_strict_frame_lets_it_read_its_own_host_only(tiled, chromium):
    _, file = tiled
    policy = re.search(r'Security-Policy" content="([^"]*)"', file.read_text("utf-8"))
    assert "connect-src &#39;self&#39;;" in policy[1].replace("'", "&#39;")
    host = file.with_name("host.html")
    for sandbox, reads in (
        ("allow-scripts allow-same-origin", True),
        ("allow-scripts", False),
    ):
        host.write_text(
            f'<!DOCTYPE html><title>h</title><iframe sandbox="{sandbox}" '
            f'src="{file.name}" style="width:1000px;height:700px"></iframe>',
            "utf-8",
        )
        with serving(file) as address, serving(host) as other:
            host.write_text(
                host.read_text("utf-8").replace(
                    f'src="{file.name}"', f'src="{address}"'
                ),
                "utf-8",
            )
            page = chromium.new_page()
            page.goto(other)
            page.wait_for_selector("iframe")
            frame = page.frames[1]
            frame.wait_for_selector("html[data-many]")
            assert (
                frame.evaluate(f"fetch('{other}').then(() => 'read', () => 'refused')")
                == "refused"
            )
            frame.evaluate("lodemap.map().setView([40, 126], 10, {animate: false})")
            wait(frame, f"{LAYER}.near || {LAYER}.missing", seconds=20)
            assert frame.evaluate(f"{LAYER}.near") is reads
            if not reads:
                told = frame.locator(".many-status").text_content()
                assert "pits.pmtiles cannot be read" in told
                assert "allow-same-origin" in told
            page.close()


def test_the_page_has_to_stand_beside_its_archive(tmp_path):
    page = empty_page()
    (tmp_path / "a").mkdir()
    maps.add_layer(page, points(50), name="Pits", tiles=tmp_path / "a" / "p.pmtiles")
    with pytest.raises(PageError, match="another folder"):
        maps.save(page, tmp_path / "page.html")


def test_features_without_a_place_are_left_out_and_told_of(tmp_path):
    layer = points(50)
    layer.loc[3, "geometry"] = None
    page = empty_page()
    maps.add_layer(page, layer, name="Pits", tiles=tmp_path / "p.pmtiles")
    text = maps.save(page, tmp_path / "page.html").read_text("utf-8")
    assert '"shapes":{"features":49}' in text
    assert "1 of 50 have no place on the map" in Markup(text).striptags()
    layer["geometry"] = [None] * len(layer)
    with pytest.raises(PageError, match="place"):
        maps.add_layer(page, layer, name="None", tiles=tmp_path / "q.pmtiles")
    assert not (tmp_path / "q.pmtiles").exists()


def test_the_curve_takes_columns_and_rows_there_and_back():
    draw = np.random.default_rng(2)
    column, row = draw.integers(0, 1 << 20, (2, 1000))
    again = _apart(_interleaved(column, row))
    assert [v.tolist() for v in again] == [column.tolist(), row.tolist()]


def test_a_large_page_is_told_of(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("maps.page.LARGE", 1000)
    maps.save(empty_page(), tmp_path / "page.html")
    assert "tiles" in caplog.text

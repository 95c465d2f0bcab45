"""The page inside other pages: a notebook, a strict frame, a strict policy."""

import html
import re

import pytest

import layers
import maps
from tests.browser import until

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def frame():
    """The element that a notebook would show."""
    return maps.exchange_map(layers.load_exchange("pobeda-2014"))._repr_html_()


def inside(page):
    """The frame, once its map is drawn."""
    frame = page.frames[1]
    frame.wait_for_selector("html[data-ready]", timeout=60_000)
    return frame


def test_a_notebook_gets_the_whole_page_in_a_frame(frame, tmp_path, open_page):
    assert 'sandbox="allow-scripts allow-popups"' in frame
    assert "allow-same-origin" not in frame.partition("srcdoc=")[0]
    file = tmp_path / "notebook.html"
    file.write_text(f"<!DOCTYPE html><title>n</title>{frame}", "utf-8")
    with open_page(file, ready=False) as page:
        map_frame = inside(page)
        assert map_frame.locator("[data-key]").count() > 5
        assert map_frame.evaluate("window.origin") == "null"
        map_frame.evaluate("lodemap.select([...lodemap.marks.keys()][0])")
        assert map_frame.locator("#sheet h3").is_visible()
        map_frame.get_by_role("button", name="Copy a link to this card").click()
        until(map_frame, "document.getElementById('copied').textContent")
        map_frame.locator('.contents a[href="#sources"]').click()
        map_frame.locator('button[data-lang="ko"]').click()
        assert map_frame.locator("html").get_attribute("lang") == "ko"
        page.wait_for_timeout(600)
        page.trouble[:] = [
            line for line in page.trouble if "ermissions policy" not in line
        ]


def test_a_strict_policy_around_it_lets_it_draw(page_file, tmp_path, open_page):
    text = page_file.read_text("utf-8")
    policy = html.unescape(re.search(r'Security-Policy" content="([^"]*)"', text)[1])
    assert "unsafe-eval" not in policy
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    host = tmp_path / "host.html"
    host.write_text(
        "<!DOCTYPE html><title>host</title>"
        '<meta http-equiv="Content-Security-Policy" content="frame-src file:">'
        f'<iframe sandbox="allow-scripts" src="{page_file.as_uri()}" '
        'style="width:100%;height:800px"></iframe>',
        "utf-8",
    )
    with open_page(host, ready=False) as page:
        assert inside(page).locator("[data-key]").count() > 50
        page.wait_for_timeout(400)

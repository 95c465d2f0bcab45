"""What a reader looks at stands in the address, and comes back from it."""

import pytest

from tests.browser import until

pytestmark = pytest.mark.browser

HOSTILE_HASHES = (
    "#map=NaN/NaN/NaN",
    "#map=8/95/125",
    "#map=8/39/1e9",
    "#map=99/39/125",
    "#map=8/39",
    "#feature=%3Cimg%20src=x%20onerror=alert(1)%3E",
    "#feature=__proto__&layers=__proto__,-constructor",
    "#layers=" + "x," * 5000,
    "#lang=%E0%A4%A",
    "#lang=xx&map=8/39/125;alert(1)",
    '#"><script>alert(1)</script>',
    "#time=2019-99-99T<svg>",
)


def state(page):
    return page.evaluate(
        """() => {
            const { lat, lng } = lodemap.map().getCenter();
            return {
                view: [lodemap.map().getZoom(), lat, lng].map((v) => +v.toFixed(3)),
                on: [...document.querySelectorAll('#legend input[type=checkbox]')]
                    .filter((box) => box.checked).map((box) => box.value),
                card: lodemap.chosen()?.key ?? null,
            };
        }"""
    )


def settled(page, text):
    """Wait until the address holds a text."""
    until(page, "text => location.hash.includes(text)", text)


def hub(deal):
    hubs = deal.places[deal.places["layer"] == "trade-hubs"]
    return hubs["ref"].iloc[0]


def test_the_address_brings_everything_back(page_file, open_page, deal):
    with open_page(page_file, reduced_motion="reduce") as page:
        before = page.evaluate("history.length")
        assert page.evaluate("location.hash") == ""
        page.locator("#legend input[value=plant]").uncheck()
        page.locator("#legend input[value=tie-area]").check()
        settled(page, "layers=")
        page.evaluate("key => lodemap.select(key)", hub(deal))
        page.evaluate("lodemap.map().setView([40.1, 125.2], 8.25)")
        settled(page, "map=8.25/40.1/125.2")
        settled(page, f"feature={hub(deal)}")
        assert "layers=tie-area,-plant&" in page.evaluate("location.hash")
        assert page.evaluate("history.length") == before
        seen, address = state(page), page.evaluate("location.href")
        page.goto("about:blank")
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        again = state(page)
        assert again.pop("view") == pytest.approx(seen.pop("view"), abs=0.005)
        assert again == seen
        assert seen["card"] == hub(deal)
        assert page.locator("#sheet h3").is_visible()


def test_a_changed_hash_is_followed(page_file, open_page, deal):
    with open_page(page_file, reduced_motion="reduce") as page:
        home = state(page)["on"]
        page.evaluate(
            f"location.hash = '#layers=-plant&feature=' + encodeURI({hub(deal)!r})"
        )
        until(page, "lodemap.chosen() !== null")
        assert "plant" not in state(page)["on"]
        page.evaluate("location.hash = '#map=7/40/125'")
        until(page, "lodemap.chosen() === null")
        assert state(page)["on"] == home
        assert state(page)["view"] == [7, 40, 125]
        page.evaluate("location.hash = '#legs'")
        page.wait_for_timeout(100)
        assert state(page)["view"] == [7, 40, 125]


def test_a_card_without_scripts_is_a_card_with_them(page_file, open_page, deal):
    with open_page(page_file) as page:
        card = page.evaluate("key => lodemap.marks.get(key).card", hub(deal))
        page.goto(f"{page.url}#{card}")
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert state(page)["card"] == hub(deal)


def test_a_hostile_hash_changes_nothing(page_file, open_page):
    with open_page(page_file) as page:
        usual = state(page)
        for bad in HOSTILE_HASHES:
            page.evaluate("bad => { location.hash = bad; }", bad)
            page.wait_for_timeout(30)
            assert state(page) == usual, bad
        for bad in HOSTILE_HASHES[:1] + HOSTILE_HASHES[5:7]:
            page.goto("about:blank")
            page.goto(page_file.resolve().as_uri() + bad)
            page.wait_for_selector("html[data-ready]")
            assert state(page) == usual, bad
        assert page.locator("img").count() == 0


def test_a_card_gives_its_link(page_file, open_page, deal):
    with open_page(page_file) as page:
        page.evaluate(
            """() => {
                window.kept = null;
                Object.defineProperty(navigator, 'clipboard', { value: {
                    writeText: async (text) => { window.kept = text; } } });
            }"""
        )
        page.evaluate("key => lodemap.select(key)", hub(deal))
        page.get_by_role("button", name="Copy a link to this card").click()
        until(page, "window.kept")
        assert page.locator("#copied").inner_text() == "Link copied"
        address = page.evaluate("window.kept")
        assert f"feature={hub(deal)}" in address
        page.goto("about:blank")
        page.goto(address)
        page.wait_for_selector("html[data-ready]")
        assert state(page)["card"] == hub(deal)


def test_a_refused_clipboard_is_said(page_file, open_page, deal):
    with open_page(page_file) as page:
        page.evaluate(
            """() => {
                Object.defineProperty(navigator, 'clipboard', { value: undefined });
                document.execCommand = () => false;
            }"""
        )
        page.evaluate("key => lodemap.select(key)", hub(deal))
        page.get_by_role("button", name="Copy a link to this card").click()
        until(page, "document.getElementById('copied').textContent")
        assert "could not" in page.locator("#copied").inner_text()

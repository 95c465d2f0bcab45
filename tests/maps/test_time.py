"""The page as of a day: who had said what by then."""

import re

import pytest

from tests.browser import until

pytestmark = pytest.mark.browser


def claims_by(deal, day):
    """Ids of the claims that some source had printed by the end of a day."""
    published = deal.sources.set_index("id")["published"]
    last = {4: "-12-31", 7: "-31", 10: ""}
    found = set()
    for claim in deal.claims.to_dict("records"):
        text = str(published.get(claim["source"], "") or "")
        if not text or text + last[len(text)] <= day:
            found.add(claim["id"])
    return found


SHOWN = """() => [...new Set([...document.querySelectorAll('[data-claim]')]
    .filter((el) => !el.classList.contains('is-later'))
    .map((el) => el.dataset.claim))]"""


@pytest.mark.parametrize("day", ["2013-12-31", "2019-10-15", "2022-01-01"])
def test_later_claims_are_put_aside(page_file, open_page, deal, day):
    with open_page(page_file, reduced_motion="reduce") as page:
        every = set(page.evaluate(SHOWN))
        page.evaluate("day => { location.hash = `#time=${day}`; }", day)
        page.wait_for_selector("#time:visible")
        shown = set(page.evaluate(SHOWN))
        assert shown == every & claims_by(deal, day)
        assert shown < every
        at = page.locator("#time-day").inner_text()
        assert at <= day
        note = page.locator(".time-note")
        assert f"as of {at}" in note.inner_text()
        assert page.locator("#as-of").input_value() == at
        note.get_by_role("button", name="Show all dates").click()
        assert set(page.evaluate(SHOWN)) == every
        assert note.is_hidden()
        assert page.locator("#as-of").input_value() == deal.as_of.isoformat()


def test_marks_are_not_yet_reported_before_their_first_claim(page_file, open_page):
    with open_page(page_file, reduced_motion="reduce") as page:
        page.evaluate("location.hash = '#time=2019-10-14'")
        page.wait_for_selector("#time:visible")
        right = page.locator('[data-key^="legs/rights"]').first
        assert "not yet reported" in right.get_attribute("aria-label")
        assert "is-unreported" in right.get_attribute("class")
        page.evaluate(
            "lodemap.select([...lodemap.marks.keys()]"
            ".find((key) => key.startsWith('legs/rights')))"
        )
        assert "Not yet reported" in page.locator("#sheet .not-yet").inner_text()
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Step on").click()
        until(page, "document.getElementById('time-day').textContent === '2019-10-15'")
        assert "not yet" not in right.get_attribute("aria-label")
        said = page.locator("#time [role=status]").inner_text()
        assert re.search(r"\d+ texts and \d+ claims are new", said)
        assert "First reported" in said


def test_it_is_stepped_by_keys_and_shut_by_escape(page_file, open_page):
    with open_page(page_file, reduced_motion="reduce") as page:
        page.get_by_role("button", name="Who said what, when").click()
        assert page.evaluate("document.activeElement.id") == "time-slider"
        assert page.locator("#time-slider").get_attribute("aria-valuetext") is None or (
            page.locator("#time-day").inner_text() == "All dates"
        )
        page.keyboard.press("ArrowLeft")
        last = page.locator("#time-slider").get_attribute("aria-valuetext")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", last)
        until(page, "day => location.hash.includes(day)", f"time={last}")
        assert page.locator("#time-play").is_hidden()
        page.keyboard.press("Escape")
        assert page.locator("#time").is_hidden()
        assert page.evaluate("document.activeElement.dataset.do") == "time"
        assert page.locator(".is-later").count() == 0


def test_it_plays_where_motion_is_welcome(page_file, open_page):
    with open_page(page_file) as page:
        page.clock.install()
        page.get_by_role("button", name="Who said what, when").click()
        page.get_by_role("button", name="Play").click()
        first = page.locator("#time-day").inner_text()
        page.clock.run_for(2_000)
        assert page.locator("#time-day").inner_text() > first
        page.get_by_role("button", name="Play").click()
        now = page.locator("#time-day").inner_text()
        page.clock.run_for(5_000)
        assert page.locator("#time-day").inner_text() == now

import pytest

import layers
from maps.compare import holding
from maps.exchange import build
from tests.browser import until


@pytest.fixture(scope="module")
def held(deal):
    keys = {ref: ref for ref in deal.areas["ref"]}
    return holding(deal, keys)


def test_each_reading_takes_as_many_areas_as_it_needs_and_no_more(deal, held):
    areas = deal.areas.sort_values("rank")
    assert list(held) == [reading.id for reading in deal.readings]
    for reading in deal.readings:
        mine = held[reading.id]
        capacity = areas["capacity_mw"].head(mine.count)
        assert mine.enough == (capacity.sum() >= reading.capacity_mw.mid)
        assert capacity.sum() - capacity.iloc[-1] < reading.capacity_mw.mid
        assert [rank for _, _, rank in mine.links] == list(range(1, mine.count + 1))
        kinds = [shape.kind for shape in mine.shapes]
        assert kinds.count("held") == mine.count
        assert kinds.count("held") + kinds.count("spare") == len(areas)
        assert kinds.count("region") == len(deal.regions)


def test_a_reading_that_nothing_holds_says_so(deal):
    import dataclasses

    few = dataclasses.replace(deal, areas=deal.areas[deal.areas["rank"] <= 2])
    held = holding(few, {ref: ref for ref in few.areas["ref"]})
    assert not held["A"].enough
    assert held["A"].count == 2
    assert "Not held: all 2 areas" in build(few).story.striptags()


def test_without_areas_there_is_no_row():
    assert "Areas that hold it" not in build(layers.load_exchange("pobeda-2014")).story


@pytest.mark.browser
def test_the_areas_of_a_reading_are_shown_on_the_map(page_file, open_page, held):
    with open_page(page_file, reduced_motion="reduce") as page:
        for reading in ("A", "B"):
            button = page.locator(f'button[data-reading="{reading}"]')
            button.click()
            assert button.get_attribute("aria-pressed") == "true"
            marked = page.evaluate(
                "[...document.querySelectorAll('.is-held[data-key]')]"
                ".map((el) => el.dataset.key)"
            )
            assert set(marked) == {key for key, _, _ in held[reading].links}
            until(
                page, "reading => location.hash.includes(`reading=${reading}`)", reading
            )
            for key in marked:
                box = page.locator(f'[data-key="{key}"]').bounding_box()
                assert box["x"] >= 0
                assert (
                    box["x"] + box["width"]
                    <= page.locator("#stage").bounding_box()["width"]
                )
        page.locator('button[data-reading="B"]').click()
        assert page.locator(".is-held[data-key], .is-spare[data-key]").count() == 0


@pytest.mark.browser
def test_a_phone_stacks_the_readings(page_file, open_page):
    with open_page(page_file, viewport={"width": 390, "height": 844}) as page:
        cells = page.locator("table.readings tbody tr").nth(1).locator("td")
        boxes = [cell.bounding_box() for cell in cells.all()]
        assert len({box["x"] for box in boxes}) == 1
        assert boxes[0]["y"] < boxes[1]["y"]
        assert page.get_by_role("rowheader", name="Capacity", exact=True).count() == 1

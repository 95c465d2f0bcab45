import itertools

import pytest

from maps.pictures import labels
from maps.pictures.figure import LIGHT
from maps.pictures.furniture import furniture, graticule
from maps.pictures.scene import scene

EXCHANGES = ("cholsan-2019", "pobeda-2014", "sicomines-2008")


def meet(a, b):
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.fixture(scope="module")
def placed(pages, fonts):
    def place(name, width, language):
        seen = scene(pages[name][1], width=width, height=width * 0.74)
        _, taken = furniture(seen.frame, LIGHT, language)
        _, _, edges = graticule(seen.frame, LIGHT)
        taken = (*taken, *edges)
        found = labels.place(seen, language=language, fonts=fonts, taken=taken)
        return seen, found, taken

    return place


@pytest.mark.parametrize("language", ["en", "ko", "zh"])
@pytest.mark.parametrize("width", [380.0, 856.0, 2000.0])
@pytest.mark.parametrize("name", EXCHANGES)
def test_no_name_covers_another_a_symbol_or_the_furniture(
    placed, name, width, language
):
    seen, found, taken = placed(name, width, language)
    for one, other in itertools.combinations(found, 2):
        assert not meet(one.box, other.box), (one.label.key, other.label.key)
    symbols = [(f.key, f.at) for f in seen.features if f.symbol]
    for one in found:
        left, top, right, bottom = one.box
        assert 0 <= left < right <= seen.frame.width
        assert 0 <= top < bottom <= seen.frame.height
        assert not any(meet(one.box, box) for box in taken)
        for key, (x, y) in symbols:
            if key != one.label.key:
                assert not meet(one.box, (x - 8, y - 8, x + 8, y + 8)), one.label.key


def test_the_deal_is_named_first_and_in_three_languages(placed):
    _, found, _ = placed("cholsan-2019", 856.0, "en")
    texts = {t for one in found for line in one.label.lines for t, _, _ in line.runs}
    assert {"Dandong", "단둥시", "丹东市", "Pyongyang", "평양", "平壤"} <= texts
    assert {"Investment", "Equipment", "Ore", "Mining rights"} <= texts
    assert found[0].label.key == "deposits/cholsan-reported"


def test_a_language_puts_its_own_names_first(placed):
    _, found, _ = placed("cholsan-2019", 856.0, "ko")
    first = {one.label.key: one.label.lines[0].runs[0] for one in found}
    assert first["trade-hubs/dandong"][:2] == ("단둥시", "ko")
    assert first["country/KP"][0] == "북한"
    numbers = [t for key, (t, _, _) in first.items() if key.startswith("solar-areas/")]
    assert numbers
    assert all(t.isdigit() for t in numbers)


def test_a_name_left_of_its_mark_ends_at_it(placed):
    seen, found, _ = placed("cholsan-2019", 856.0, "en")
    at = {f.key: f.at for f in seen.features}
    left = [one for one in found if one.right]
    assert left
    assert all(one.box[2] <= at[one.label.key][0] for one in left)


def test_placing_is_the_same_every_time(placed):
    _, first, _ = placed("cholsan-2019", 856.0, "en")
    _, second, _ = placed("cholsan-2019", 856.0, "en")
    assert first == second

import pytest

import layers
from layers.solar_criteria import load_solar_criteria
from layers.solar_method import describe


@pytest.fixture(scope="module")
def deal():
    return layers.load_exchange("cholsan-2019")


def test_every_criterion_is_told_with_its_reason_and_weight(deal):
    method = deal.solar_method
    assert method.file == "solar-areas.toml"
    assert [r.label for r in method.rules] == [
        c.label for c in load_solar_criteria().criteria
    ]
    assert sum(r.weight for r in method.rules) == pytest.approx(1)
    assert all(r.reason and r.source and r.rule for r in method.rules)
    by_label = {rule.label: rule.rule for rule in method.rules}
    assert by_label["distance from the coast"] == "at least 20 km"
    assert "croplands 0.5" in by_label["land cover"]


def test_the_numbers_are_those_of_the_areas(deal):
    method, areas = deal.solar_method, deal.areas
    assert f"{areas['capacity_mw'].sum() / 1e3:.1f} GW" in method.together
    assert "50 MW of modules on a square kilometre, range 35 to 75" in method.capacity
    assert f"{areas['ghi_kwh_per_m2'].min():,.0f}" in method.sun
    over = areas["ghi_clear_sky_kwh_per_m2"] / areas["ghi_kwh_per_m2"] - 1
    assert f"{100 * over.min():.0f} to {100 * over.max():.0f} % more" in method.sun
    assert "is not in P90" in method.energy


def test_a_changed_criterion_changes_the_words(deal):
    import dataclasses

    settings = load_solar_criteria()
    coast, *others = settings.criteria
    nearer = dataclasses.replace(coast, minimum=5.0, maximum=90.0)
    changed = dataclasses.replace(settings, criteria=(nearer, *others))
    rule = describe(changed, deal.areas).rules[0].rule
    assert rule == "at least 5 km; at most 90 km"


def test_a_deal_without_areas_has_no_method():
    assert layers.load_exchange("pobeda-2014").solar_method is None

import re
from datetime import date, datetime

import pytest

import layers
from layers.sanctions import LEG_KINDS, in_force, measure_legs


def ids(leg, day):
    return set(layers.measures(leg, as_of=day)["id"])


def test_ore_from_the_dprk_was_free_before_resolution_2270_and_banned_after():
    assert "unscr-2270-30" not in ids("ore", "2016-03-01")
    assert "unscr-2270-30" in ids("ore", "2016-03-02")
    assert "unscr-2270-30" in ids("ore", date(2019, 10, 31))


def test_all_five_main_legs_were_restricted_in_october_2019():
    for leg in ("rights", "investment", "equipment", "ore", "payment"):
        effects = layers.measures(leg, as_of="2019-10-31")["effect"]
        assert "restricts" in set(effects), leg


def test_the_ban_on_equipment_came_with_resolution_2397():
    assert "unscr-2397-7" not in ids("equipment", "2017-12-21")
    assert "unscr-2397-7" in ids("equipment", "2017-12-22")


def test_a_chinese_order_counts_from_the_day_it_took_effect():
    assert "mofcom-2018-4-i1" not in ids("equipment", "2018-01-05")
    assert "mofcom-2018-4-i1" in ids("equipment", "2018-01-06")


@pytest.mark.parametrize(
    ("measure", "leg", "day_before", "first_day"),
    [
        ("eo-13722-1", "counterparty", "2016-03-15", "2016-03-16"),
        ("eo-13722-3-investment", "investment", "2016-03-15", "2016-03-16"),
        ("eo-13810-1", "ore", "2017-09-20", "2017-09-21"),
        ("eo-13810-4", "payment", "2017-09-20", "2017-09-21"),
        ("caatsa-311", "ore", "2017-08-01", "2017-08-02"),
        ("mofcom-2017-47", "investment", "2017-08-24", "2017-08-25"),
    ],
)
def test_orders_count_from_their_first_day(measure, leg, day_before, first_day):
    assert measure not in ids(leg, day_before)
    assert measure in ids(leg, first_day)


def test_the_exempt_path_of_the_closing_order_names_the_committee_first():
    table = measure_legs()
    rows = table[table["id"] == "mofcom-saic-2017-09-28"]
    ours = rows[rows["read_by"] == "our reading"]
    assert set(ours["leg_kind"]) == {"rights", "investment"}
    assert ours["exempt_path"].str.startswith("approval by the Committee").all()
    dissent = rows[rows["read_by"] == "ft-2017-09-copy"]
    assert set(dissent["effect"]) == {"arguable"}


def test_every_customs_code_carries_its_edition():
    cells = list(layers.load_table("measures")["hs"])
    cells += list(layers.load_exchange("cholsan-2019").legs["hs"])
    coded = [cell for cell in cells if re.search(r"\d{2}", cell)]
    assert len(coded) > 5
    for cell in coded:
        assert re.search(r"HS 20\d\d|tariff of 20\d\d|not seen", cell), cell


def test_nothing_was_in_force_before_2006():
    assert layers.measures(as_of="2006-10-13").empty
    assert not layers.measures(as_of="2019-10-31").empty


def test_the_panel_dispute_is_shown_both_ways():
    rows = layers.measures("equipment", as_of="2019-10-31")
    rows = rows[rows["id"] == "unscr-2397-7"]
    assert {"restricts", "arguable"} <= set(rows["effect"])
    assert rows["read_by"].nunique() > 1


def test_every_reading_says_who_reads_it_so():
    table = measure_legs()
    assert (table["read_by"] != "").all()
    assert set(table["leg_kind"]) <= set(LEG_KINDS)


def test_the_last_day_counts_and_the_next_does_not():
    table = layers.load_table("measures").iloc[:1].copy()
    table["in_force_from"], table["in_force_to"] = "2010-01-01", "2010-12-31"
    for day, there in (("2010-12-31", True), ("2011-01-01", False)):
        assert in_force(table, date.fromisoformat(day)).tolist() == [there]


def test_a_wrong_date_or_leg_is_refused():
    with pytest.raises(layers.SchemaError, match=r"'31\.10\.2019' is no date"):
        layers.measures("ore", as_of="31.10.2019")
    with pytest.raises(layers.SchemaError, match="no kind of leg 'gold'; expected one"):
        layers.measures("gold", as_of="2019-10-31")


def test_a_broken_date_in_the_table_names_the_measure():
    table = layers.load_table("measures").iloc[:1].copy()
    table["in_force_from"] = "2010-13-01"
    with pytest.raises(layers.SchemaError, match=r"measure unscr-.*in_force_from"):
        in_force(table, date(2020, 1, 1))


@pytest.mark.parametrize("effect", ["restricts", "exempts"])
def test_the_first_day_counts_whatever_the_effect(effect):
    table = layers.load_table("measures").iloc[:1].assign(effect=effect)
    table["in_force_from"], table["in_force_to"] = "2010-01-01", ""
    for day, there in (("2009-12-31", False), ("2010-01-01", True)):
        assert in_force(table, day).tolist() == [there]


def test_dates_are_compared_as_dates():
    table = layers.load_table("measures").iloc[:1].copy()
    table["in_force_from"], table["in_force_to"] = "20100101", "2010-W52-5"
    for day in (date(2010, 1, 1), date(2010, 12, 31)):
        assert in_force(table, day).tolist() == [True]
    assert in_force(table, datetime(2010, 12, 31, 18)).tolist() == [True]  # noqa: DTZ001
    assert in_force(table, date(2011, 1, 1)).tolist() == [False]


def test_what_is_exempted_waits_for_its_day_too(monkeypatch):
    from layers import sanctions

    table = measure_legs()
    table["effect"] = "exempts"
    monkeypatch.setattr(sanctions, "measure_legs", lambda: table)
    assert layers.measures(as_of="2006-10-13").empty


def test_the_list_is_in_the_order_of_adoption():
    for table in (measure_legs(), layers.measures(as_of="2019-10-31")):
        order = list(zip(table["adopted"], table["id"], table["leg_kind"], strict=True))
        assert len(order) > 10
        assert order == sorted(order)


def test_an_exchange_takes_its_day_as_text():
    deal = layers.load_exchange("pobeda-2014", as_of="2019-10-31")
    assert deal.as_of == date(2019, 10, 31)
    with pytest.raises(layers.SchemaError, match="'autumn' is no date"):
        layers.load_exchange("pobeda-2014", as_of="autumn")

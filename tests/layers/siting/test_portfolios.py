"""Which sites together hold a claim."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.exchange_file import ReadingFile, read_exchange_file
from layers.siting.portfolios import portfolios

TABLE = pd.DataFrame(
    {
        "id": ["site-001", "site-002", "site-003"],
        "area_km2": [20.0, 30.0, 10.0],
        "capacity_mw": [1000.0, 1500.0, 500.0],
        "capacity_mw_low": [500.0, 750.0, 250.0],
        "capacity_mw_high": [2500.0, 3000.0, 1000.0],
        "energy_gwh": [1300.0, 2000.0, 650.0],
        "energy_gwh_p90": [1170.0, 1800.0, 585.0],
    }
)


def reading(quantity, unit, name="A"):
    return ReadingFile(
        id=name, label="a reading", statement="So.", quantity=quantity, unit=unit
    )


def answered(quantity, unit):
    return {p.land_use: p for p in portfolios(TABLE, [reading(quantity, unit)])}


def test_capacity_is_held_by_the_first_sites():
    found = answered(2.5, "GW")
    assert found["mid"].sites == ("site-001", "site-002")
    assert found["mid"].capacity_mw == 2500
    assert found["mid"].energy_gwh == 3300
    assert found["mid"].energy_gwh_p90 == 2970
    assert found["mid"].area_km2 == 50
    assert found["high"].sites == ("site-001",)
    assert found["high"].energy_gwh == pytest.approx(1300 * 2.5)
    low = found["low"]
    assert not low.possible
    assert low.sites == tuple(TABLE["id"])
    assert low.reached == pytest.approx(1500 / 2500)


def test_energy_a_day_is_held_by_a_years_energy():
    found = answered(2.5, "GWh/d")["mid"]
    assert (found.target, found.target_unit) == (912.5, "GWh")
    assert found.sites == ("site-001",)
    assert found.reached == pytest.approx(1300 / 912.5)
    assert answered(10, "GWh/d")["mid"].sites == tuple(TABLE["id"])
    assert answered(11, "GWh/d")["mid"].possible is False


def test_the_readings_are_those_of_the_exchange():
    _, exchange = read_exchange_file("cholsan-2019")
    found = portfolios(TABLE, exchange.readings)
    assert [(p.reading, p.land_use) for p in found][:4] == [
        ("A", "low"),
        ("A", "mid"),
        ("A", "high"),
        ("B", "low"),
    ]
    assert {p.reading for p in found} == {r.id for r in exchange.readings}
    assert found[0].target == 2500


def test_no_site_holds_nothing():
    found = portfolios(TABLE.head(0), [reading(2.5, "GW")])
    assert [p.possible for p in found] == [False] * 3
    assert [p.reached for p in found] == [0] * 3


def test_a_site_without_room_adds_nothing():
    table = TABLE.assign(capacity_mw=0.0, capacity_mw_low=0.0, capacity_mw_high=0.0)
    assert not any(p.possible for p in portfolios(table, [reading(1, "MW")]))


@given(st.floats(0.1, 3000))
def test_the_portfolio_is_the_shortest_that_reaches_the_figure(quantity):
    for found in portfolios(TABLE, [reading(quantity, "MW")]):
        if found.possible:
            assert found.capacity_mw >= quantity * (1 - 1e-9)
            column = "capacity_mw" + {"mid": ""}.get(
                found.land_use, f"_{found.land_use}"
            )
            without_last = TABLE[column].iloc[: len(found.sites) - 1].sum()
            assert without_last < quantity
        else:
            assert found.capacity_mw < quantity

"""Ranges, the two readings of the claim, and repayment."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layers.arithmetic import (
    Repayment,
    Yardsticks,
    read_as_capacity,
    read_as_energy,
)
from layers.ranges import Range, RangeError

number = st.floats(-1e6, 1e6)
positive = st.floats(1e-3, 1e6)


def ranges(numbers):
    return st.lists(numbers, min_size=3, max_size=3).map(
        lambda v: Range(
            **dict(zip(("low", "mid", "high"), sorted(v), strict=True)), unit="x"
        )
    )


def within(value, bounds):
    slack = 1e-9 * max(1.0, abs(value))
    return bounds.low - slack <= value <= bounds.high + slack


@given(ranges(number), ranges(number), st.floats(0, 1), st.floats(0, 1))
def test_products_hold_every_product(a, b, s, t):
    x = a.low + s * (a.high - a.low)
    y = b.low + t * (b.high - b.low)
    assert within(x * y, a * b)
    assert within((a * b).mid, a * b)


@given(ranges(number), ranges(positive), st.floats(0, 1), st.floats(0, 1))
def test_quotients_hold_every_quotient(a, b, s, t):
    x = a.low + s * (a.high - a.low)
    y = b.low + t * (b.high - b.low)
    assert within(x / y, a / b)
    assert within((a / b).mid, a / b)


@given(ranges(positive), ranges(positive))
def test_overlap_is_symmetric_and_widens(a, b):
    assert a.overlaps(b) == b.overlaps(a)
    assert a.overlaps(b, tolerance=0.5) or not a.overlaps(b)


def test_units_and_claims_travel():
    power = Range.exactly(2500, "MW", ["claim-a"])
    land = power / Range(low=40, mid=50, high=66, unit="MW/km²", claims=("claim-b",))
    assert (land.unit, land.claims) == ("km²", ("claim-a", "claim-b"))
    assert (power / power).unit == ""
    assert (power / power).claims == ("claim-a",)
    assert (Range.exactly(1, "US$") / power).unit == "US$/MW"


@pytest.mark.parametrize(
    ("low", "high", "unit", "text"),
    [
        (37.88, 62.5, "km²", "38–63 km²"),
        (579, 801, "MW", "580–800 MW"),
        (3000, 3750, "GWh", "3,000–3,800 GWh"),
        (1.0, 1.0, "US$/W", "1.0 US$/W"),
        (0.998, 1.004, "", "1.0"),
        (0.13, 0.16, "", "0.13–0.16"),
        (0.02, 130, "t", "0.02–130 t"),
        (0, 0, "t", "0 t"),
        (99.6, 99.9, "%", "100 %"),
        (-5.2, 4.1, "K", "-5.2–4.1 K"),
    ],
)
def test_text_has_no_false_precision(low, high, unit, text):
    middle = (low + high) / 2
    assert Range(low=low, mid=middle, high=high, unit=unit).text() == text


@given(ranges(positive), st.integers(1, 5))
def test_text_keeps_the_larger_bound_to_its_digits(value, digits):
    last = value.text(digits).removesuffix(" x").replace(",", "").split("–")[-1]
    assert math.isclose(float(last), value.high, rel_tol=0.5 * 10.0 ** (1 - digits))


@pytest.mark.parametrize(
    "wrong", [(2, 1, 3), (1, 3, 2), (1, 2, math.inf), (math.nan, 1, 2)]
)
def test_bounds_out_of_order_are_refused(wrong):
    with pytest.raises(RangeError, match="low <= mid <= high"):
        Range(**dict(zip(("low", "mid", "high"), wrong, strict=True)), unit="x")


def test_wrong_divisor_unit_and_factor_are_refused():
    one = Range.exactly(1, "MW")
    with pytest.raises(RangeError, match="cannot divide by -1–2 x"):
        one / Range(low=-1, mid=1, high=2, unit="x")
    with pytest.raises(RangeError, match="cannot compare MW with GWh"):
        one.overlaps(Range.exactly(1, "GWh"))
    with pytest.raises(RangeError, match="factor is 0"):
        one.to("kW", 0)
    with pytest.raises(RangeError, match="digits is 0"):
        one.text(0)


def yardsticks(**change):
    """What the reported figures are measured against: published figures of the time."""
    given = {
        "cost_usd": Range.exactly(2.5e9, "US$", ["cost"]),
        # IRENA 2019: world mean 995, India, the lowest, 618 US$/kW.
        "price_usd_per_w": Range(
            low=0.618, mid=0.995, high=0.995, unit="US$/W", claims=("price",)
        ),
        "yield_kwh_per_kwp": Range(
            low=1200, mid=1350, high=1500, unit="kWh/kWp", claims=("yield",)
        ),
        # 1.5 to 2.5 ha a megawatt.
        "density_mw_per_km2": Range(
            low=40, mid=50, high=100 / 1.5, unit="MW/km²", claims=("density",)
        ),
        "national_capacity_mw": Range.exactly(7721, "MW", ["capacity-2017"]),
        "national_output_gwh": Range.exactly(23_500, "GWh", ["output-2017"]),
    }
    return Yardsticks(**(given | change))


def test_reading_a_fits_the_price():
    a = read_as_capacity(
        "A",
        Range.exactly(2500, "MW", ["claim"]),
        yardsticks(),
        label="capacity",
        statement="2.5 GW of capacity.",
    )
    assert a.cost_usd_per_w.text() == "1.0 US$/W"
    assert a.energy_gwh_per_year.text(3) == "3,000–3,750 GWh"
    assert a.share_of_output.text() == "13–16 %"
    assert a.share_of_capacity.text() == "32 %"
    assert a.land_km2.text() == "38–63 km²"
    assert a.fits
    assert a.verdict.startswith("Fits: US$1.0 a watt")
    assert a.verdict.endswith("Within 25 % counts as a fit: our judgement.")
    assert set(a.claims) == {
        "claim",
        "cost",
        "price",
        "yield",
        "density",
        "capacity-2017",
        "output-2017",
    }


def test_reading_b_is_several_times_too_dear():
    """579 to 801 MW at capacity factors of 18 to 13 %, 3,120 to 4,320 US$/kW."""
    at = Range(low=0.13 * 8760, mid=1350, high=0.18 * 8760, unit="kWh/kWp")
    b = read_as_energy(
        "B",
        Range.exactly(2.5, "GWh", ["claim"]),
        yardsticks(yield_kwh_per_kwp=at),
        label="energy",
        statement="2.5 GWh of energy a day.",
    )
    assert b.capacity_mw.low == pytest.approx(579, abs=1)
    assert b.capacity_mw.high == pytest.approx(801, abs=1)
    assert b.capacity_mw.mid == pytest.approx(676, abs=1)
    assert b.energy_gwh_per_year.mid == pytest.approx(912.5)
    assert b.cost_usd_per_w.low == pytest.approx(3.120, abs=0.005)
    assert b.cost_usd_per_w.high == pytest.approx(4.320, abs=0.005)
    assert not b.fits
    assert "3.1–4.3 times too dear" in b.verdict
    assert "Within 25 % counts as a fit" in b.verdict


def test_round_the_clock_would_be_too_cheap():
    c = read_as_energy(
        "C",
        Range.exactly(60, "GWh"),
        yardsticks(),
        label="c",
        statement="2.5 GW always.",
    )
    assert not c.fits
    assert "times too cheap" in c.verdict


def test_the_verdict_follows_the_price():
    dear = Range(low=3.0, mid=3.5, high=4.0, unit="US$/W")
    b = read_as_energy(
        "B",
        Range.exactly(2.5, "GWh"),
        yardsticks(price_usd_per_w=dear),
        label="b",
        statement="b",
    )
    assert b.fits


def test_yardsticks_refuse_a_wrong_unit_or_nothing():
    with pytest.raises(RangeError, match="cost_usd is in 'EUR'; expected 'US\\$'"):
        yardsticks(cost_usd=Range.exactly(1, "EUR"))
    with pytest.raises(RangeError, match="expected above zero"):
        yardsticks(national_capacity_mw=Range.exactly(0, "MW"))
    with pytest.raises(RangeError, match="tolerance is 1"):
        yardsticks(tolerance=1)
    with pytest.raises(RangeError, match="capacity_mw is in 'GW'"):
        read_as_capacity(
            "A", Range.exactly(2.5, "GW"), yardsticks(), label="a", statement="a"
        )


@given(st.floats(1, 1e6), st.floats(1.01, 10))
def test_repayment_takes_less_at_a_higher_price(price, more):
    debt = Repayment(
        amount_usd=2.5e9, throughput_t_per_year=1500, best_month_usd=1.33e6
    )
    low, high = (
        debt.at(price_usd_per_t=price),
        debt.at(price_usd_per_t=price * more),
    )
    assert high.tonnes < low.tonnes
    assert low.tonnes * price == pytest.approx(2.5e9)
    assert low.years_at_throughput == pytest.approx(low.tonnes / 1500)
    assert round(debt.months_at_best) == 1880


@pytest.mark.parametrize("wrong", [0, -1, math.nan, math.inf])
def test_repayment_refuses_a_price_that_is_none(wrong):
    debt = Repayment(
        amount_usd=2.5e9, throughput_t_per_year=1500, best_month_usd=1.33e6
    )
    with pytest.raises(RangeError, match="price_usd_per_t"):
        debt.at(price_usd_per_t=wrong)
    with pytest.raises(RangeError, match="amount_usd"):
        Repayment(amount_usd=wrong, throughput_t_per_year=1500, best_month_usd=1)


def test_repayment_counts_the_oxide_over_every_range():
    debt = Repayment(
        amount_usd=2.5e9,
        throughput_t_per_year=1500,
        best_month_usd=1.33e6,
        throughput_good="monazite",
        peak_month="2014-06",
        amount_range=Range(low=2e9, mid=2.5e9, high=3e9, unit="US$", claims=("cost",)),
        reo_share=Range(low=55, mid=57.5, high=60, unit="%", claims=("grade",)),
    )
    at = debt.at(price_usd_per_t=5000)
    assert at.tonnes == 500_000
    assert (at.tonnes_range.low, at.tonnes_range.high) == (400_000, 600_000)
    assert at.oxide_tonnes.low == pytest.approx(0.55 * 400_000)
    assert at.oxide_tonnes.mid == pytest.approx(0.575 * 500_000)
    assert at.oxide_tonnes.high == pytest.approx(0.60 * 600_000)
    assert at.oxide_tonnes.unit == "t"
    assert at.oxide_tonnes.claims == ("cost", "grade")


def test_repayment_without_a_share_says_nothing_of_oxide():
    debt = Repayment(amount_usd=10, throughput_t_per_year=1, best_month_usd=1)
    at = debt.at(price_usd_per_t=1)
    assert (at.tonnes_range, at.oxide_tonnes) == (None, None)


def test_repayment_refuses_a_share_that_is_none():
    money = {"amount_usd": 10, "throughput_t_per_year": 1, "best_month_usd": 1}
    with pytest.raises(RangeError, match="reo_share reaches 110 %"):
        Repayment(**money, reo_share=Range(low=1, mid=2, high=110, unit="%"))
    with pytest.raises(RangeError, match="reo_share is in ''; expected '%'"):
        Repayment(**money, reo_share=Range.exactly(0.5, ""))
    with pytest.raises(RangeError, match="amount_range is in 'EUR'"):
        Repayment(**money, amount_range=Range.exactly(10, "EUR"))

"""Arithmetic of a claim: what a reported figure would mean, in ranges.

Every input is a :class:`layers.ranges.Range` that carries the ids of the claims it
rests on, and every result carries those of all its inputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from layers.ranges import Range, RangeError, joined_claims

DAYS_PER_YEAR = 365.0
"""Days in the year by which a daily figure becomes a yearly one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to understand a reported figure, and what it would mean.

    Attributes
    ----------
    id, label, statement
        Short id, a few words, and a sentence that says how the figure is read.
    capacity_mw
        Capacity of the modules. [MW]
    energy_gwh_per_year
        Yearly energy. [GWh]
    cost_usd_per_w
        Reported cost over capacity. [US$/W]
    price_range
        What such plants cost at the time. [US$/W]
    land_km2
        Land inside the fence. [km²]
    share_of_capacity, share_of_output
        Parts of the national system. [%]
    fits
        Whether cost and price meet.
    verdict
        The same in words, with the numbers.
    claims
        Ids of the claims that any number here rests on.
    """

    id: str
    label: str
    statement: str
    capacity_mw: Range
    energy_gwh_per_year: Range
    cost_usd_per_w: Range
    price_range: Range
    land_km2: Range
    share_of_capacity: Range
    share_of_output: Range
    fits: bool
    verdict: str
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardsticks:
    """What readings are measured against; every range cites its claims.

    Attributes
    ----------
    cost_usd
        Reported cost of the whole. [US$]
    price_usd_per_w
        Price of such plants at the time of the report. [US$/W]
    yield_kwh_per_kwp
        Yearly energy for a kilowatt of modules. [kWh/kWp]
    density_mw_per_km2
        Modules on a square kilometre inside the fence. [MW/km²]
    national_capacity_mw, national_output_gwh
        The country's power system. [MW], [GWh]
    tolerance
        Share by which a sound project may lie outside the price range. [1]
    """

    cost_usd: Range
    price_usd_per_w: Range
    yield_kwh_per_kwp: Range
    density_mw_per_km2: Range
    national_capacity_mw: Range
    national_output_gwh: Range
    tolerance: float = 0.25

    def __post_init__(self) -> None:
        """Refuse a wrong unit, and numbers that are not above zero."""
        units = {
            "cost_usd": "US$",
            "price_usd_per_w": "US$/W",
            "yield_kwh_per_kwp": "kWh/kWp",
            "density_mw_per_km2": "MW/km²",
            "national_capacity_mw": "MW",
            "national_output_gwh": "GWh",
        }
        for name, unit in units.items():
            _require(getattr(self, name), unit, name)
        if not 0 <= self.tolerance < 1:
            raise RangeError(f"tolerance is {self.tolerance}; expected 0 to below 1")


def read_as_capacity(
    reading_id: str,
    capacity_mw: Range,
    yardsticks: Yardsticks,
    *,
    label: str,
    statement: str,
) -> Reading:
    """Work out what a figure would mean if it were capacity.

    Parameters
    ----------
    reading_id
        Id of the reading, such as ``A``.
    capacity_mw
        The figure. [MW]
    yardsticks
        What it is measured against.
    label, statement
        A few words, and a sentence.

    Returns
    -------
    Reading
        Energy is capacity times yield.

    Raises
    ------
    RangeError
        If the figure is not in MW or not above zero.
    """
    _require(capacity_mw, "MW", "capacity_mw")
    energy = (capacity_mw * yardsticks.yield_kwh_per_kwp).to("GWh", 1e-3)
    return _reading(
        yardsticks,
        capacity_mw,
        energy,
        reading_id=reading_id,
        label=label,
        statement=statement,
    )


def read_as_energy(
    reading_id: str,
    energy_gwh_per_day: Range,
    yardsticks: Yardsticks,
    *,
    label: str,
    statement: str,
) -> Reading:
    """Work out what a figure would mean if it were energy each day.

    Parameters
    ----------
    reading_id
        Id of the reading, such as ``B``.
    energy_gwh_per_day
        The figure. [GWh]
    yardsticks
        What it is measured against.
    label, statement
        A few words, and a sentence.

    Returns
    -------
    Reading
        Capacity is a year's energy over yield, in modules (direct current).

    Raises
    ------
    RangeError
        If the figure is not in GWh or not above zero.
    """
    _require(energy_gwh_per_day, "GWh", "energy_gwh_per_day")
    energy = energy_gwh_per_day.to("GWh", DAYS_PER_YEAR)
    capacity = (energy / yardsticks.yield_kwh_per_kwp).to("MW", 1e3)
    return _reading(
        yardsticks,
        capacity,
        energy,
        reading_id=reading_id,
        label=label,
        statement=statement,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Repaid:
    """What repayment takes at one price.

    Attributes
    ----------
    price_usd_per_t
        Price that the reader set. [US$/t]
    tonnes
        Concentrate worth the whole amount. [t]
    years_at_throughput
        Years at the stated throughput. [years]
    tonnes_range
        Concentrate over the range of the amount; None where it is not known. [t]
    oxide_tonnes
        Rare earth oxide in that concentrate; None where its share is not known. [t]
    """

    price_usd_per_t: float
    tonnes: float
    years_at_throughput: float
    tonnes_range: Range | None = None
    oxide_tonnes: Range | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repayment:
    """An amount to be repaid in ore, without a price: the reader sets one.

    Attributes
    ----------
    amount_usd
        Amount. [US$]
    throughput_t_per_year
        Concentrate that the only plant with a stated throughput takes in. [t/year]
    best_month_usd
        Value of the best month of exports found. [US$]
    throughput_good
        What that plant takes in, in a word; empty where it is not known.
    peak_month
        The best month, as ``2014-06``; empty where it is not known.
    amount_range
        Range of the amount. [US$]
    reo_share
        Part of rare earth oxide in the concentrate. [%]
    claims
        Ids of the claims that the inputs rest on.

    Examples
    --------
    >>> debt = Repayment(
    ...     amount_usd=2.5e9, throughput_t_per_year=1500, best_month_usd=1.33e6
    ... )
    >>> round(debt.months_at_best), round(debt.years_at_best)
    (1880, 157)
    >>> debt.at(price_usd_per_t=5000).tonnes
    500000.0
    >>> share = Range(low=55, mid=57.5, high=60, unit="%")
    >>> replace(debt, reo_share=share).at(price_usd_per_t=5000).oxide_tonnes.text()
    '280,000–300,000 t'
    """

    amount_usd: float
    throughput_t_per_year: float
    best_month_usd: float
    throughput_good: str = ""
    peak_month: str = ""
    amount_range: Range | None = None
    reo_share: Range | None = None
    claims: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what is not above zero."""
        for name in ("amount_usd", "throughput_t_per_year", "best_month_usd"):
            _require_positive(getattr(self, name), name)
        if self.amount_range is not None:
            _require(self.amount_range, "US$", "amount_range")
        if self.reo_share is not None:
            _require(self.reo_share, "%", "reo_share")
            if self.reo_share.high > 100:
                raise RangeError(
                    f"reo_share reaches {self.reo_share.high:g} %; expected at most 100"
                )

    @property
    def months_at_best(self) -> float:
        """Months at the value of the best month; no price is needed. [months]."""
        return self.amount_usd / self.best_month_usd

    @property
    def years_at_best(self) -> float:
        """Years at the value of the best month. [years]."""
        return self.months_at_best / 12

    def at(self, *, price_usd_per_t: float) -> Repaid:
        """Return what repayment takes at a price.

        Parameters
        ----------
        price_usd_per_t
            Price of concentrate, above zero. [US$/t]

        Returns
        -------
        Repaid
            Without interest, freight, discount or loss.

        Raises
        ------
        RangeError
            If the price is not a finite number above zero.

        Notes
        -----
        ``tonnes = amount / price``; ``years = tonnes / throughput``; oxide is the
        range of tonnes times that of the share. A page that works
        this out for itself is to agree with this function.
        """
        _require_positive(price_usd_per_t, "price_usd_per_t")
        tonnes = self.amount_usd / price_usd_per_t
        spread = self.amount_range and self.amount_range.to("t", 1 / price_usd_per_t)
        concentrate = spread or Range.exactly(tonnes, "t", self.claims)
        oxide = self.reo_share and concentrate * self.reo_share
        return Repaid(
            price_usd_per_t=price_usd_per_t,
            tonnes=tonnes,
            years_at_throughput=tonnes / self.throughput_t_per_year,
            tonnes_range=spread,
            oxide_tonnes=oxide and replace(oxide.to("t", 1e-2), unit="t"),
        )


def _reading(
    yardsticks: Yardsticks,
    capacity_mw: Range,
    energy_gwh: Range,
    *,
    reading_id: str,
    label: str,
    statement: str,
) -> Reading:
    cost = (yardsticks.cost_usd / capacity_mw).to("US$/W", 1e-6)
    price = yardsticks.price_usd_per_w
    land = capacity_mw / yardsticks.density_mw_per_km2
    capacity_share = (capacity_mw / yardsticks.national_capacity_mw).to("%", 100)
    output_share = (energy_gwh / yardsticks.national_output_gwh).to("%", 100)
    every = (cost, price, land, capacity_share, output_share, energy_gwh)
    return Reading(
        id=reading_id,
        label=label,
        statement=statement,
        capacity_mw=capacity_mw,
        energy_gwh_per_year=energy_gwh,
        cost_usd_per_w=cost,
        price_range=price,
        land_km2=replace(land, unit="km²"),
        share_of_capacity=capacity_share,
        share_of_output=output_share,
        fits=cost.overlaps(price, tolerance=yardsticks.tolerance),
        verdict=_verdict(cost, price, yardsticks.tolerance),
        claims=joined_claims(*every),
    )


def _verdict(cost: Range, price: Range, tolerance: float) -> str:
    """Compare cost with price in words; the mid price stands for the usual one."""
    money = f"US${_bare(cost)} a watt against US${_bare(price)} paid at the time"
    margin = f"Within {100 * tolerance:g} % counts as a fit: our judgement."
    if cost.overlaps(price, tolerance=tolerance):
        return f"Fits: {money}. {margin}"
    if cost.low > price.high:
        times = Range(
            low=cost.low / price.mid,
            mid=cost.mid / price.mid,
            high=cost.high / price.mid,
            unit="",
        )
        return f"Does not fit: {money}, {times.text()} times too dear. {margin}"
    times = Range(
        low=price.mid / cost.high,
        mid=price.mid / cost.mid,
        high=price.mid / cost.low,
        unit="",
    )
    return f"Does not fit: {money}, {times.text()} times too cheap. {margin}"


def _bare(value: Range) -> str:
    return replace(value, unit="").text()


def _require(value: Range, unit: str, name: str) -> None:
    if value.unit != unit:
        raise RangeError(f"{name} is in {value.unit!r}; expected {unit!r}")
    if value.low <= 0:
        raise RangeError(f"{name} reaches {value.low:g} {unit}; expected above zero")


def _require_positive(value: float, name: str) -> None:
    if not (math.isfinite(value) and value > 0):
        raise RangeError(f"{name} is {value}; expected a finite number above zero")

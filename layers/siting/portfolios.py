"""Which sites together would hold what was claimed, under each reading of the claim."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from layers.arithmetic import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from layers.exchange_file import ReadingFile

LandUse = Literal["low", "mid", "high"]
"""Modules on a square kilometre: the low, middle or high end of the plan's range."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portfolio:
    """The best sites that together reach a figure, taken in the order of their rank.

    Attributes
    ----------
    reading, label
        Id of the reading and its words.
    quantity, unit
        The figure as it was reported.
    land_use
        Which end of the range of land use.
    target, target_unit
        What is to be reached: capacity of modules in MW, or energy of a mean year in
        GWh.
    possible
        Whether all described sites together reach it.
    sites
        Ids, best first; all of them where the figure is not reached.
    capacity_mw, energy_gwh, energy_gwh_p90, area_km2
        What these sites hold, yield and cover.
    reached
        Their total over the target. [1]
    """

    reading: str
    label: str
    quantity: float
    unit: str
    land_use: LandUse
    target: float
    target_unit: str
    possible: bool
    sites: tuple[str, ...]
    capacity_mw: float
    energy_gwh: float
    energy_gwh_p90: float
    area_km2: float
    reached: float


def portfolios(
    table: pd.DataFrame, readings: Iterable[ReadingFile]
) -> tuple[Portfolio, ...]:
    """Answer each reading of a claim by the sites that would hold it.

    Parameters
    ----------
    table
        Sites, best first, with ``id``, ``area_km2``, ``capacity_mw`` and its low and
        high, ``energy_gwh`` and ``energy_gwh_p90``.
    readings
        Of an exchange: capacity in MW or GW, or energy in GWh a day.

    Returns
    -------
    tuple of Portfolio
        For each reading at low, mid and high land use.

    Notes
    -----
    Sites are taken in the order of their rank until the figure is reached, the last
    one whole. Energy is that of a mean year at the capacity that the land use gives.
    Only the sites described are asked: a figure that they do not reach might be reached
    with further ones of lower rank.
    """
    return tuple(
        _portfolio(table, reading, land_use)
        for reading in readings
        for land_use in get_args(LandUse)
    )


def _portfolio(
    table: pd.DataFrame, reading: ReadingFile, land_use: LandUse
) -> Portfolio:
    column = "capacity_mw" if land_use == "mid" else f"capacity_mw_{land_use}"
    capacity = table[column].to_numpy(dtype=float)
    middle = table["capacity_mw"].to_numpy(dtype=float)
    share = np.divide(capacity, middle, out=np.zeros_like(capacity), where=middle > 0)
    energy = table["energy_gwh"].to_numpy(dtype=float) * share
    p90 = table["energy_gwh_p90"].to_numpy(dtype=float) * share
    if reading.unit == "GWh/d":
        target, unit, amount = reading.quantity * DAYS_PER_YEAR, "GWh", energy
    else:
        factor = 1e3 if reading.unit == "GW" else 1.0
        target, unit, amount = reading.quantity * factor, "MW", capacity
    total = amount.cumsum()
    # A billionth less is the same figure after so many additions.
    enough = np.flatnonzero(total >= target * (1 - 1e-9))
    possible = bool(len(enough))
    taken = slice(0, int(enough[0]) + 1 if possible else len(table))
    return Portfolio(
        reading=reading.id,
        label=reading.label,
        quantity=float(reading.quantity),
        unit=reading.unit,
        land_use=land_use,
        target=float(target),
        target_unit=unit,
        possible=possible,
        sites=tuple(table["id"].iloc[taken]),
        capacity_mw=float(capacity[taken].sum()),
        energy_gwh=float(energy[taken].sum()),
        energy_gwh_p90=float(p90[taken].sum()),
        area_km2=float(table["area_km2"].iloc[taken].sum()),
        reached=float(amount[taken].sum() / target),
    )

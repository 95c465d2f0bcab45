"""How the candidate areas came about, in words that stand beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.catalogue import catalogue, raster_path
from layers.irradiance import correction

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

    from geo.raster.suitability import Criterion
    from layers.solar_criteria import SolarCriteria


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One criterion in words."""

    label: str
    rule: str
    """What is excluded and how the rest is scored."""
    weight: float
    """Share of the score; 0 when the criterion only excludes. [1]"""
    reason: str
    source: str
    id: str = ""
    """Measure that the criterion is about; empty where nobody asks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarMethod:
    """What the candidate areas rest on."""

    file: str
    """Name of the criteria file."""
    rules: tuple[Rule, ...]
    capacity: str
    """From square kilometres to megawatts."""
    sun: str
    """The irradiance, its bias and what clear sky alone would say."""
    energy: str
    """From megawatts to gigawatt-hours, and what P90 holds."""
    together: str
    """What all areas come to."""


def describe(settings: SolarCriteria, areas: gpd.GeoDataFrame) -> SolarMethod:
    """Put into words how candidate areas were found and what they would yield.

    Parameters
    ----------
    settings
        The criteria that the areas were found by.
    areas
        From :func:`layers.solar.areas`, with at least one row.

    Returns
    -------
    SolarMethod
        Sentences with the numbers of these areas.

    Raises
    ------
    GridError
        If the irradiance raster does not cover the reference points.
    """
    weights = sum(c.weight for c in settings.criteria)
    return SolarMethod(
        file=settings.file,
        rules=tuple(
            Rule(
                label=criterion.label,
                rule=rule_text(criterion, catalogue()["land-cover"].classes),
                weight=criterion.weight / weights,
                reason=criterion.reason,
                source=criterion.source,
            )
            for criterion in settings.criteria
        ),
        capacity=_capacity(settings),
        sun=_sun(settings, areas),
        energy=_energy(settings, areas),
        together=_together(areas),
    )


def _capacity(settings: SolarCriteria) -> str:
    """From square kilometres to megawatts."""
    usable, density = settings.usable_fraction, settings.density_mwp_per_km2
    return (
        "Capacity is the area, times the part of it that could go inside a fence "
        f"({percent(usable.mid)}, range {percent(usable.low)} to "
        f"{percent(usable.high)}), times the modules on such land ({density.mid:g} MW "
        f"of modules on a square kilometre, range {density.low:g} to "
        f"{density.high:g}). The small figures under each capacity are these ranges."
    )


def _sun(settings: SolarCriteria, areas: gpd.GeoDataFrame) -> str:
    """Irradiance, its bias, and what clear sky alone would say."""
    found = correction(settings, raster_path("irradiance"))
    ground, factor = settings.ground_kwh_per_m2, found.factor
    clear = areas["ghi_clear_sky_kwh_per_m2"]
    over = (clear / areas["ghi_kwh_per_m2"] - 1) * 100
    return (
        "The sun is that of a climatology with cells of 3° (MERRA-2). Where ground "
        f"stations measured {ground.low:,.0f} to {ground.high:,.0f} kWh/m² a year it "
        f"shows {found.climatology_kwh_per_m2:,.0f}, so it is multiplied by "
        f"{factor.mid:.2f} (range {factor.low:.2f} to {factor.high:.2f}). The areas "
        f"then get {span(areas['ghi_kwh_per_m2'])} kWh/m² a year. A clear sky all "
        f"year would give {span(clear)}, {over.min():.0f} to {over.max():.0f} % more: "
        "clear sky alone is no yield."
    )


def _energy(settings: SolarCriteria, areas: gpd.GeoDataFrame) -> str:
    """From megawatts to gigawatt-hours, and what P90 holds."""
    plant, spread = settings.plant, settings.spread
    ratio = (areas["energy_gwh_p90"] / areas["energy_gwh"]).min()
    return (
        f"Energy is that of fixed racks ({plant.tilt_deg:g}° tilt) with "
        f"{plant.loss_percent:g} % losses: {span(areas['yield_kwh_per_kwp'])} kWh for "
        "a kilowatt of modules. P50 is the mean year; nine years in ten exceed P90, "
        f"here {percent(ratio)} of it, from the range of the ground reference, the "
        f"place ({percent(spread.resource, 1)}), the year "
        f"({percent(spread.interannual, 1)}) and the model "
        f"({percent(spread.model, 1)}). The land, by far the wider doubt, is not in "
        "P90."
    )


def _together(areas: gpd.GeoDataFrame) -> str:
    """Sum up the capacities."""
    columns = ("capacity_mw", "capacity_mw_low", "capacity_mw_high")
    mid, low, high = (areas[column].sum() / 1e3 for column in columns)
    return (
        f"Together the {len(areas)} areas would hold {mid:.1f} GW at the middle "
        f"values, {low:.1f} to {high:.1f} GW over the ranges of land."
    )


def rule_text(criterion: Criterion, names: Mapping[str, str]) -> str:
    """Say what a criterion excludes and how it scores the rest.

    Parameters
    ----------
    criterion
        Any criterion.
    names
        Names of classes by code.

    Returns
    -------
    str
        A line without a full stop.
    """
    if criterion.classes:
        allowed = sorted(criterion.classes.items(), key=lambda item: -item[1])
        return (
            "; ".join(
                f"{names.get(str(code), str(code)).lower()} {score:g}"
                for code, score in allowed
            )
            + "; all others excluded"
        )
    parts = []
    if math.isfinite(criterion.minimum):
        parts.append(f"at least {_amount(criterion.minimum, criterion.unit)}")
    if math.isfinite(criterion.maximum):
        parts.append(f"at most {_amount(criterion.maximum, criterion.unit)}")
    if criterion.points:
        scored = ", ".join(
            f"{score:g} at {_amount(at, criterion.unit)}"
            for at, score in criterion.points
        )
        parts.append(f"scored {scored}, straight between")
    return "; ".join(parts)


def _amount(value: float, unit: str) -> str:
    return f"{value:,g} {unit}"


def percent(share: float, digits: int = 0) -> str:
    """Write a share in per cent.

    Parameters
    ----------
    share
        Any number. [1]
    digits
        Decimals.

    Returns
    -------
    str
        Such as ``5 %``.
    """
    return f"{100 * share:.{digits}f} %"


def span(values: pd.Series) -> str:
    """Write the range of some numbers.

    Parameters
    ----------
    values
        At least one.

    Returns
    -------
    str
        Such as ``1,240 to 1,353``; one number where both round to the same.
    """
    low, high = f"{values.min():,.0f}", f"{values.max():,.0f}"
    return low if low == high else f"{low} to {high}"

"""What a plan for sites lets vary, to see how firm the ranks are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.errors import CriteriaError
from geo.raster.suitability import require_keys, require_number, require_text
from layers.solar_tables import WHY, numbers, whole

if TYPE_CHECKING:
    from geo.raster.suitability import Criteria, Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A limit that could as well be another number.

    Attributes
    ----------
    id, key
        Criterion and ``min`` or ``max`` of it; or ``sites`` and a number of that table.
    low, high
        The range in which it could be.
    reason, source
        Why, and from where.
    """

    id: str
    key: str
    low: float
    high: float
    reason: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertainty:
    """What is varied to see how firm the ranks are.

    Attributes
    ----------
    weight_spread
        Standard deviation of the logarithm of each weight. [1]
    reruns
        How often the search is run with all thresholds drawn at once.
    coarsen
        Whole factor by which the cells are once made coarser; 1 for never.
    thresholds
        What is drawn, and taken low and high one at a time.
    """

    weight_spread: float
    reruns: int
    coarsen: int
    thresholds: tuple[Threshold, ...]


def uncertainty(value: object) -> Uncertainty:
    """Check the table ``uncertainty``.

    Parameters
    ----------
    value
        What stood in the file.

    Returns
    -------
    Uncertainty
        The same; whether its thresholds exist is for the plan to say.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown, of the wrong kind or out of range.
    """
    bounds = {"weight_spread": (0, 2), "reruns": (0, 1000), "coarsen": (1, 16)}
    table = require_keys(
        value,
        "uncertainty",
        known=(*bounds, "thresholds", *WHY),
        required=(*bounds, *WHY),
    )
    plain = {k: v for k, v in table.items() if k != "thresholds"}
    given = numbers(plain, "uncertainty", bounds)
    reruns, coarsen = (
        whole(given[key], f"uncertainty.{key}") for key in ("reruns", "coarsen")
    )
    entries = table.get("thresholds", [])
    if not isinstance(entries, list):
        raise CriteriaError("uncertainty.thresholds: expected tables, [[…]]")
    return Uncertainty(
        weight_spread=given["weight_spread"],
        reruns=reruns,
        coarsen=coarsen,
        thresholds=tuple(
            _threshold(entry, f"uncertainty.thresholds[{i}]")
            for i, entry in enumerate(entries)
        ),
    )


def require_thresholds(
    varied: Uncertainty,
    criteria: Criteria,
    sites: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
) -> None:
    """Refuse a varied limit that does not exist, or whose range leaves the plan's out.

    Parameters
    ----------
    varied
        What is varied.
    criteria
        Of the plan.
    sites
        Numbers of the table ``sites`` that may be varied.
    bounds
        Lowest and highest number allowed of each.

    Raises
    ------
    CriteriaError
        If a threshold names nothing that is there, or cannot be as it says.
    """
    by_id = {c.id: c for c in criteria}
    for i, threshold in enumerate(varied.thresholds):
        where = f"uncertainty.thresholds[{i}]"
        if threshold.id == "sites":
            base = _of_sites(threshold, where, sites, bounds)
        elif threshold.id in by_id:
            base = _of_criterion(threshold, where, by_id[threshold.id])
        else:
            raise CriteriaError(
                f"{where}.id: {threshold.id!r}; expected sites, or a criterion: "
                f"{', '.join(by_id)}"
            )
        if not threshold.low <= base <= threshold.high:
            raise CriteriaError(
                f"{where}: {threshold.low:g} to {threshold.high:g} leaves out what "
                f"the plan says itself, {base:g}"
            )


def _of_sites(
    threshold: Threshold,
    where: str,
    sites: Mapping[str, float],
    bounds: Mapping[str, tuple[float, float]],
) -> float:
    if threshold.key not in sites:
        raise CriteriaError(
            f"{where}.key: {threshold.key!r}; expected one of {', '.join(sites)}"
        )
    low, high = bounds[threshold.key]
    if threshold.low < low or threshold.high > high:
        raise CriteriaError(f"{where}: out of range; expected {low:g} to {high:g}")
    return sites[threshold.key]


def _of_criterion(threshold: Threshold, where: str, criterion: Criterion) -> float:
    if threshold.key == "min":
        crossed = threshold.high > criterion.maximum
        base = criterion.minimum
    elif threshold.key == "max":
        crossed = threshold.low < criterion.minimum
        base = criterion.maximum
    else:
        raise CriteriaError(f"{where}.key: {threshold.key!r}; expected min or max")
    if crossed:
        raise CriteriaError(f"{where}: min would pass max, no cell is left")
    return base


def _threshold(value: object, where: str) -> Threshold:
    names = ("id", "key", "low", "high", *WHY)
    table = require_keys(value, where, known=names, required=names)
    said = {k: require_text(table[k], f"{where}.{k}") for k in ("id", "key", *WHY)}
    low = require_number(table["low"], f"{where}.low")
    high = require_number(table["high"], f"{where}.high")
    if not low < high:
        raise CriteriaError(f"{where}: expected low < high, got {low:g} and {high:g}")
    return Threshold(**said, low=low, high=high)

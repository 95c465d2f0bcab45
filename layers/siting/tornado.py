"""Which assumption matters most: each taken low and high, the others as planned."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from layers.siting.ranks import moved
from layers.siting.scenarios import memberships, run
from layers.siting.table import power_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo.raster.found import FoundSites
    from layers.siting.energy import SiteEnergy
    from layers.siting.inputs import Prepared
    from layers.siting.plan import SitingPlan
    from layers.siting.scenarios import Find
    from layers.siting.uncertainty import Threshold

    Floats = NDArray[np.float64]

NINETY = 1.6448536269514722
"""Nine in ten of a normal distribution lie within so many standard deviations."""

COLUMNS = (
    "assumption",
    "label",
    "unit",
    "low",
    "planned",
    "high",
    "outcome_low",
    "outcome_planned",
    "outcome_high",
    "capacity_low_gw",
    "capacity_high_gw",
    "top_n_kept_low",
    "top_n_kept_high",
    "effect",
)
"""Columns of the tornado table; outcomes are energies of a mean year in GWh."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the first sites come to under one assumption.

    Attributes
    ----------
    energy_gwh
        Energy of a mean year. [GWh]
    capacity_gw
        Modules. [GW]
    kept
        How many of the first sites of the plan are among them.
    """

    energy_gwh: float
    capacity_gw: float
    kept: int


@dataclass(frozen=True, kw_only=True)
class Base:
    """The plan as it stands: its search, and what its described sites hold."""

    prepared: Prepared
    found: FoundSites
    power: pd.DataFrame
    sun: SiteEnergy

    @property
    def plan(self) -> SitingPlan:
        """The plan."""
        return self.prepared.plan

    @property
    def first(self) -> NDArray[np.int64]:
        """Rows of the first sites."""
        return np.arange(min(self.plan.sites.top_n, len(self.power)))


def tornado(base: Base, *, find: Find | None) -> pd.DataFrame:
    """Take one assumption after the other low and high.

    Parameters
    ----------
    base
        The plan as it stands.
    find
        Runs a search; None leaves out what needs one.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`, greatest effect first. The outcome is the energy of a
        mean year of the first ``top_n`` sites [GWh], those that are first under the
        assumption; ``capacity_…`` are their modules [GW]; ``top_n_kept_…`` how many of
        the plan's first sites are among them; ``effect`` is the outcomes' range.
        Weights are taken at both ends of the range that holds nine in ten draws; a
        coarser grid has a high end only.

    Notes
    -----
    Under other weights or another bias the described sites are ranked anew; a site
    beyond them cannot come up. Limits are taken by a search of their own.
    """
    import pandas as pd

    rows = [*_weights(base), _bias(base), *_land(base), *_setback(base)]
    if find is not None:
        rows += _limits(base, find)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table = table.sort_values(
        ["effect", "assumption"], ascending=[False, True], ignore_index=True
    )
    for column in ("top_n_kept_low", "top_n_kept_high"):
        table[column] = table[column].astype("Int64")
    return table


def runs_needed(plan: SitingPlan) -> int:
    """How many searches :func:`tornado` runs.

    Parameters
    ----------
    plan
        The plan.

    Returns
    -------
    int
        Two a limit that can be searched by, and one for coarser cells.
    """
    return 2 * len(_searched(plan)) + (plan.uncertainty.coarsen > 1)


def _searched(plan: SitingPlan) -> list[Threshold]:
    return [t for t in plan.uncertainty.thresholds if t.key != "setback_m"]


def _outcome(base: Base, rows: NDArray[np.int64], energy: Floats) -> Outcome:
    capacity = base.power["capacity_mw"].to_numpy(dtype=float)
    return Outcome(
        energy_gwh=float(energy[rows].sum()),
        capacity_gw=float(capacity[rows].sum() / 1e3),
        kept=int(np.isin(base.first, rows).sum()),
    )


def _row(
    base: Base,
    *,
    assumption: str,
    label: str,
    unit: str,
    values: tuple[float, float, float],
    low: Outcome | None,
    high: Outcome,
) -> dict[str, object]:
    energy = base.power["energy_gwh"].to_numpy(dtype=float)
    planned = _outcome(base, base.first, energy).energy_gwh
    ends = [planned, high.energy_gwh, *([low.energy_gwh] if low else [])]
    return {
        "assumption": assumption,
        "label": label,
        "unit": unit,
        "low": values[0],
        "planned": values[1],
        "high": values[2],
        "outcome_low": low.energy_gwh if low else math.nan,
        "outcome_planned": planned,
        "outcome_high": high.energy_gwh,
        "capacity_low_gw": low.capacity_gw if low else math.nan,
        "capacity_high_gw": high.capacity_gw,
        "top_n_kept_low": low.kept if low else None,
        "top_n_kept_high": high.kept,
        "effect": max(ends) - min(ends),
    }


def _first_by(scores: Floats, described: int, top_n: int) -> NDArray[np.int64]:
    """Rows of the best of the described sites, ties in the order of the table."""
    order = np.argsort(-np.round(scores[:described], 12), kind="stable")
    return order[:top_n]


def _weights(base: Base) -> list[dict[str, object]]:
    plan = base.plan
    table, weights = memberships(base.found, plan)
    energy = base.power["energy_gwh"].to_numpy(dtype=float)
    factor = math.exp(NINETY * plan.uncertainty.weight_spread)
    if factor == 1 or len(weights) == 1:
        return []
    rows = []
    weighted = [c for c in plan.criteria if c.weight]
    for i, criterion in enumerate(weighted):
        ends, shares = [], []
        for times in (1 / factor, factor):
            changed = weights.copy()
            changed[i] *= times
            changed /= changed.sum()
            first = _first_by(table @ changed, len(base.power), len(base.first))
            ends.append(_outcome(base, first, energy))
            shares.append(float(changed[i]))
        rows.append(
            _row(
                base,
                assumption=f"weight.{criterion.id}",
                label=f"weight of {criterion.label}",
                unit="",
                values=(shares[0], float(weights[i]), shares[1]),
                low=ends[0],
                high=ends[1],
            )
        )
    return rows


def _bias(base: Base) -> dict[str, object]:
    plan = base.plan
    table, weights = memberships(base.found, plan)
    weighted = [c for c in plan.criteria if c.weight]
    capacity = base.power["capacity_mw"].to_numpy(dtype=float)
    ends = []
    for factor, kwh in (
        (plan.bias.low / plan.bias.mid, base.sun.yield_low),
        (plan.bias.high / plan.bias.mid, base.sun.yield_high),
    ):
        changed = table.copy()
        for i, criterion in enumerate(weighted):
            if criterion.id == "ghi" and criterion.points:
                ghi = base.found.table["mean_ghi"].to_numpy(dtype=float)
                changed[:, i] = moved(table[:, i], ghi, criterion.points, factor)
        first = _first_by(changed @ weights, len(base.power), len(base.first))
        ends.append(_outcome(base, first, capacity * kwh / 1e3))
    return _row(
        base,
        assumption="irradiance.bias",
        label="bias of the irradiation",
        unit="1",
        values=(plan.bias.low, plan.bias.mid, plan.bias.high),
        low=ends[0],
        high=ends[1],
    )


def _land(base: Base) -> list[dict[str, object]]:
    rows = []
    energy = base.power["energy_gwh"].to_numpy(dtype=float)
    planned = _outcome(base, base.first, energy)
    for name, label, values in (
        (
            "capacity.density_mwp_per_km2",
            "modules on a square kilometre",
            base.plan.density_mwp_per_km2,
        ),
        (
            "capacity.usable_fraction",
            "part of a site that can be used",
            base.plan.usable_fraction,
        ),
    ):
        low, high = (
            replace(
                planned,
                energy_gwh=planned.energy_gwh * end / values.mid,
                capacity_gw=planned.capacity_gw * end / values.mid,
            )
            for end in (values.low, values.high)
        )
        rows.append(
            _row(
                base,
                assumption=name,
                label=label,
                unit=values.unit or "1",
                values=(values.low, values.mid, values.high),
                low=low,
                high=high,
            )
        )
    return rows


def _setback(base: Base) -> list[dict[str, object]]:
    plan, rows = base.plan, []
    for threshold in plan.uncertainty.thresholds:
        if threshold.key != "setback_m":
            continue
        ends = []
        for setback in (threshold.low, threshold.high):
            other = replace(plan, sites=replace(plan.sites, setback_m=setback))
            power, _ = power_of(base.found, other, rows=len(base.first))
            ends.append(_total(power, kept=len(base.first)))
        rows.append(
            _row(
                base,
                assumption="sites.setback_m",
                label="setback inside the outline",
                unit="m",
                values=(threshold.low, plan.sites.setback_m, threshold.high),
                low=ends[0],
                high=ends[1],
            )
        )
    return rows


def _limits(base: Base, find: Find) -> list[dict[str, object]]:
    plan, rows = base.plan, []
    by_id = {c.id: c for c in plan.criteria}
    for t in _searched(plan):
        low, high = (
            _searched_outcome(base, find, changes={(t.id, t.key): value})
            for value in (t.low, t.high)
        )
        if t.id == "sites":
            planned = float(getattr(plan.sites, t.key))
            label = {"min_km2": "smallest site", "max_shape_index": "most ragged site"}[
                t.key
            ]
            unit = "km²" if t.key == "min_km2" else "1"
        else:
            criterion = by_id[t.id]
            planned = criterion.minimum if t.key == "min" else criterion.maximum
            what = "least" if t.key == "min" else "greatest"
            label, unit = f"{what} {criterion.label}", criterion.unit
        rows.append(
            _row(
                base,
                assumption=f"{t.id}.{t.key}",
                label=label,
                unit=unit,
                values=(t.low, planned, t.high),
                low=low,
                high=high,
            )
        )
    if plan.uncertainty.coarsen > 1:
        factor = plan.uncertainty.coarsen
        rows.append(
            _row(
                base,
                assumption="grid.resolution",
                label="width of cells",
                unit="of the plan's",
                values=(math.nan, 1.0, float(factor)),
                low=None,
                high=_searched_outcome(base, find, coarsen=factor),
            )
        )
    return rows


def _searched_outcome(
    base: Base,
    find: Find,
    *,
    changes: dict[tuple[str, str], float] | None = None,
    coarsen: int = 1,
) -> Outcome:
    first = len(base.first)
    scenario = run(
        base.prepared,
        base.found,
        described=base.plan.sites.top_n,
        changes=changes,
        coarsen=coarsen,
        label="",
        find=find,
    )
    power, _ = power_of(scenario.found, base.plan, rows=base.plan.sites.top_n)
    among = (scenario.match[:first] >= 0) & (scenario.match[:first] < len(power))
    return _total(power, kept=int(among.sum()))


def _total(power: pd.DataFrame, *, kept: int) -> Outcome:
    return Outcome(
        energy_gwh=float(power["energy_gwh"].sum()),
        capacity_gw=float(power["capacity_mw"].sum() / 1e3),
        kept=kept,
    )

"""Searches run again under other assumptions, and how the ranks come out of them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geo.raster import Grid
from layers.siting.ranks import Bias, Ranks, draw_weights, percentiles, rank_draws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.raster.found import FoundSites
    from geo.raster.siting import Siting
    from layers.siting.inputs import Prepared
    from layers.siting.plan import SitingPlan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

Find = Callable[["Siting", int], "FoundSites"]
"""Runs a search, with geometry for so many of the best."""

MATCH = 0.5
"""Share of the smaller of two sites that they must have in common to be one. [1]"""

_NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One set of assumptions under which sites were looked for.

    Attributes
    ----------
    label
        Words for people.
    changes
        What is other than in the plan, in words.
    found
        What the search gave.
    match
        Row of the site in ``found`` that each described site has become, -1 where it
        is gone.
    """

    label: str
    changes: Mapping[str, float]
    found: FoundSites
    match: Ints


def scenarios(
    prepared: Prepared, base: FoundSites, *, described: int, seed: int, find: Find
) -> tuple[Scenario, ...]:
    """Run the search with all thresholds drawn at once, and on coarser cells.

    Parameters
    ----------
    prepared
        The search.
    base
        What it gave as it stands.
    described
        How many of its sites are described.
    seed
        Seed of the draws.
    find
        Runs a search.

    Returns
    -------
    tuple of Scenario
        The plan as it stands first.
    """
    plan = prepared.plan
    every = [
        Scenario(label="as planned", changes={}, found=base, match=np.arange(described))
    ]
    varied = plan.uncertainty
    rng = np.random.default_rng([seed, 0])
    for number in range(varied.reruns if varied.thresholds else 0):
        drawn = {
            (t.id, t.key): float(rng.uniform(t.low, t.high)) for t in varied.thresholds
        }
        every.append(
            run(
                prepared,
                base,
                described=described,
                changes=drawn,
                label=f"limits drawn, {number + 1}",
                find=find,
            )
        )
    if varied.coarsen > 1:
        every.append(
            run(
                prepared,
                base,
                described=described,
                coarsen=varied.coarsen,
                label=f"cells {varied.coarsen} times as wide",
                find=find,
            )
        )
    return tuple(every)


def run(
    prepared: Prepared,
    base: FoundSites,
    *,
    described: int,
    label: str,
    find: Find,
    changes: Mapping[tuple[str, str], float] | None = None,
    coarsen: int = 1,
) -> Scenario:
    """Run the search under other assumptions, and match its sites with the plan's.

    Parameters
    ----------
    prepared
        The search.
    base
        What it gave as it stands.
    described
        How many of its sites are matched.
    label
        Words for people.
    find
        Runs a search.
    changes
        Numbers by criterion (or ``sites``) and key.
    coarsen
        Whole factor by which cells are wider and higher.

    Returns
    -------
    Scenario
        Sites count as one when they have half of the smaller in common.
    """
    siting = _changed(prepared.siting, changes or {}, coarsen)
    found = find(siting, described)
    told = {f"{i}.{k}": v for (i, k), v in (changes or {}).items()}
    if coarsen > 1:
        told["cells"] = float(coarsen)
    return Scenario(
        label=label,
        changes=told,
        found=found,
        match=matched(base, found, described=described),
    )


def matched(base: FoundSites, other: FoundSites, *, described: int) -> Ints:
    """Find what has become of each site in another search.

    Parameters
    ----------
    base, other
        Two searches on one grid, or on one and a coarser one.
    described
        How many of the first sites of ``base`` are asked about.

    Returns
    -------
    numpy.ndarray
        Shape ``(described,)``: row in ``other.table`` of the site with the most cells
        in common, -1 where none has :data:`MATCH` of the smaller of the two.
    """
    match = np.full(described, _NONE, dtype=np.int64)
    if not described or other.table.empty:
        return match
    common = base.overlap(other)
    own = base.table["label"].to_numpy()[:described]
    row_of = {int(label): row for row, label in enumerate(other.table["label"])}
    area = base.table["area_m2"].to_numpy(dtype=float)
    other_area = other.table["area_m2"].to_numpy(dtype=float)
    cells = base.table["cells"].to_numpy(dtype=float)
    place = {int(label): row for row, label in enumerate(own)}
    best = np.zeros(described)
    for mine, theirs, shared in zip(
        common["label_self"], common["label_other"], common["cells"], strict=True
    ):
        row, target = place.get(int(mine)), row_of.get(int(theirs))
        if row is None or target is None:
            continue
        ground = float(shared) / cells[row] * area[row]
        if ground < MATCH * min(area[row], other_area[target]):
            continue
        if shared > best[row]:
            best[row], match[row] = float(shared), target
    return match


def memberships(found: FoundSites, plan: SitingPlan) -> tuple[Floats, Floats]:
    """How well each site does by each weighted criterion, and the weights.

    Parameters
    ----------
    found
        What a search gave.
    plan
        The plan.

    Returns
    -------
    memberships, weights
        Shapes ``(n, k)`` and ``(k,)``; the weights sum to one.
    """
    weighted = [c for c in plan.criteria if c.weight]
    table = found.table
    columns = [table[f"score_{c.id}"].to_numpy(dtype=float) for c in weighted]
    weights = np.array([c.weight for c in weighted])
    return np.clip(np.column_stack(columns), 0.0, 1.0), weights / weights.sum()


def bias_of(found: FoundSites, plan: SitingPlan, factors: Floats) -> Bias | None:
    """Return how a bias of the irradiation moves the scores of a search.

    Parameters
    ----------
    found
        What the search gave.
    plan
        The plan.
    factors
        Against the middle of the plan's bias, shape ``(draws,)``. [1]

    Returns
    -------
    Bias or None
        None where the irradiation is not scored.
    """
    weighted = [c for c in plan.criteria if c.weight]
    for column, criterion in enumerate(weighted):
        if criterion.id == "ghi" and criterion.points:
            return Bias(
                column=column,
                measure=found.table["mean_ghi"].to_numpy(dtype=float),
                points=criterion.points,
                factors=factors,
            )
    return None


def rank_over(
    every: tuple[Scenario, ...], plan: SitingPlan, *, draws: int, seed: int
) -> tuple[Ranks, tuple[int, ...]]:
    """Rank the described sites under draws of weights, of the bias, in each scenario.

    Parameters
    ----------
    every
        Scenarios, the plan as it stands first.
    plan
        The plan.
    draws
        How many in all; shared out evenly, what is left over goes to the first.
    seed
        Seed of the draws.

    Returns
    -------
    ranks, shared
        Of the described sites, and the draws of each scenario. A site that a scenario
        lacks comes after all of that scenario's.

    Notes
    -----
    Each scenario has a stream of its own, seeded by its number, so that one more or
    less leaves the others' draws as they are.
    """
    each = draws // len(every)
    shared = (draws - each * (len(every) - 1), *([each] * (len(every) - 1)))
    parts = []
    low, mid, high = plan.bias.low, plan.bias.mid, plan.bias.high
    for number, (scenario, count) in enumerate(zip(every, shared, strict=True)):
        rng = np.random.default_rng([seed, 1, number])
        table, weights = memberships(scenario.found, plan)
        drawn = draw_weights(
            weights, spread=plan.uncertainty.weight_spread, draws=count, rng=rng
        )
        factors = rng.uniform(low / mid, high / mid, count)
        there = scenario.match >= 0
        ranks = np.full((count, len(there)), len(table) + 1, dtype=np.uint32)
        if there.any() and count:
            ranks[:, there] = rank_draws(
                table,
                drawn,
                rows=scenario.match[there],
                bias=bias_of(scenario.found, plan, factors),
            )
        parts.append(ranks)
    together = np.concatenate(parts)
    return percentiles(together, top_n=plan.sites.top_n), shared


def _changed(
    siting: Siting, changes: Mapping[tuple[str, str], float], coarsen: int
) -> Siting:
    """Put other numbers in the place of those of a search."""
    criteria = tuple(
        replace(
            c,
            minimum=changes.get((c.id, "min"), c.minimum),
            maximum=changes.get((c.id, "max"), c.maximum),
        )
        for c in siting.criteria
    )
    area = changes.get(("sites", "min_km2"))
    return replace(
        siting,
        grid=_coarser(siting.grid, coarsen),
        criteria=criteria,
        min_area_m2=siting.min_area_m2 if area is None else area * 1e6,
        max_shape_index=changes.get(
            ("sites", "max_shape_index"), siting.max_shape_index
        ),
    )


def _coarser(grid: Grid, factor: int) -> Grid:
    if factor == 1:
        return grid
    rows, columns = (math.ceil(n / factor) for n in grid.shape)
    return replace(
        grid, dx=grid.dx * factor, dy=grid.dy * factor, shape=(rows, columns)
    )

"""Sites as a table: sizes, scores, means, least and greatest values, by rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.raster.kernels.scores import FRACTION, mean_direction

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from geo.raster.kernels.scores import Totals
    from geo.raster.merging import Sites
    from geo.raster.plan import Plan
    from geo.raster.rules import Rule

    Floats = NDArray[np.float64]


def table_of(sites: Sites, plan: Plan) -> pd.DataFrame:
    """Describe sites, best first.

    Parameters
    ----------
    sites
        In the order in which they are met.
    plan
        What was looked for.

    Returns
    -------
    pandas.DataFrame
        As :class:`geo.raster.found.FoundSites` has it, without geometry.
    """
    import pandas as pd

    limits, cells = plan.limits, sites.cells
    area = limits.area_m2(cells, sites.areas)
    columns: dict[str, NDArray[np.generic]] = {
        "label": np.arange(1, len(cells) + 1, dtype=np.int64),
        "row": sites.row,
        "col": sites.col,
        "cells": cells,
        "area_m2": area,
        "perimeter_m": limits.perimeter_m(sites.around),
        "shape_index": limits.shape_index(cells, sites.areas, sites.around),
    }
    score, members = np.zeros(len(cells)), {}
    means: dict[str, NDArray[np.generic]] = {}
    for rule in plan.rules:
        totals = sites.totals[rule.name]
        if rule.weight:
            members[f"score_{rule.name}"] = _mean(totals.member, cells)
            score = score + rule.weight * members[f"score_{rule.name}"]
        if rule.kind != "codes":
            means |= _describe(rule, totals, cells)
    frame = pd.DataFrame({**columns, "score": score, **members, **means})
    order = np.lexsort((frame["label"], -area, -score))
    return frame.iloc[order].reset_index(drop=True)


def _describe(
    rule: Rule, totals: Totals, cells: NDArray[np.int64]
) -> dict[str, NDArray[np.generic]]:
    """Mean, least and greatest of a measure; of an aspect only the mean direction."""
    if rule.kind == "aspect":
        ways = [mean_direction(float(s), float(c)) for s, c in totals.value]
        return {f"mean_{rule.name}": np.array(ways, dtype=np.float64)}
    return {
        f"mean_{rule.name}": _mean(totals.value, cells),
        f"min_{rule.name}": totals.bounds[:, 0],
        f"max_{rule.name}": totals.bounds[:, 1],
    }


def _mean(sums: NDArray[np.int64], cells: NDArray[np.int64]) -> Floats:
    """Mean out of whole numbers and fractions."""
    total = sums[:, 0].astype(np.float64) + sums[:, 1].astype(np.float64) / FRACTION
    mean: Floats = total / cells
    return mean

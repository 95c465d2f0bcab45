"""Sites as a table: sizes, scores, means, least and greatest values, by rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

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
            members[f"score_{rule.name}"] = rule.member(totals, cells)
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
    means: dict[str, NDArray[np.generic]] = {
        f"mean_{rule.name}": rule.mean(totals, cells)
    }
    if rule.kind != "aspect":
        means[f"min_{rule.name}"] = totals.bounds[:, 0]
        means[f"max_{rule.name}"] = totals.bounds[:, 1]
    return means

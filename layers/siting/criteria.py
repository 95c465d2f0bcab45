"""Criteria of a plan for sites: what they may be about, and where weights come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from geo.errors import CriteriaError
from geo.raster.suitability import (
    Criteria,
    parse_criteria,
    require_keys,
    require_number,
    require_text,
)
from layers.siting.ahp import Judged, weigh
from layers.solar_tables import WHY

if TYPE_CHECKING:
    from layers.siting.tables import RasterInput, VectorInput

Pairs = tuple[tuple[str, str, float], ...]
"""Comparisons: first, second, and how many times as much the first weighs."""


def parse_with_pairs(value: object, pairs: Pairs) -> Criteria:
    """Check criteria whose weights may come from comparisons.

    Parameters
    ----------
    value
        What stood in the file.
    pairs
        Comparisons; none where the criteria give their own weights.

    Returns
    -------
    tuple of Criterion
        Weights from comparisons are not in them yet.

    Raises
    ------
    CriteriaError
        If a criterion is wrong, gives a weight beside comparisons, or a comparison is
        of what has no score.
    """
    if pairs and isinstance(value, list):
        for i, entry in enumerate(value):
            if isinstance(entry, Mapping) and "weight" in entry:
                raise CriteriaError(
                    f"criteria[{i}].weight: weights come from ahp.pairs; drop one"
                )
    criteria = parse_criteria(value)  # type: ignore[arg-type]  # it checks
    if not pairs:
        return criteria
    by_id = {c.id: c for c in criteria}
    for first, second, _ in pairs:
        for name in (first, second):
            if name not in by_id:
                raise CriteriaError(
                    f"ahp.pairs: {name!r} is no criterion; there are {', '.join(by_id)}"
                )
            if not (by_id[name].points or by_id[name].classes):
                raise CriteriaError(
                    f"ahp.pairs: criterion {name!r} only excludes; give it a score"
                )
    return criteria


def parse_pairs(value: object) -> Pairs:
    """Check the table ``ahp``.

    Parameters
    ----------
    value
        What stood in the file.

    Returns
    -------
    tuple
        First, second, and how many times as much the first weighs.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown or of the wrong kind.
    """
    names = ("pairs", *WHY)
    table = require_keys(value, "ahp", known=names, required=names)
    for why in WHY:
        require_text(table[why], f"ahp.{why}")
    entries = table["pairs"]
    expected = 'expected lists such as ["slope_deg", "ghi", 3]'
    if not isinstance(entries, list) or not entries:
        raise CriteriaError(f"ahp.pairs: {expected}, got {entries!r}")
    pairs = []
    for i, entry in enumerate(entries):
        if not isinstance(entry, list) or len(entry) != 3:
            raise CriteriaError(f"ahp.pairs[{i}]: {expected}, got {entry!r}")
        first, second = (
            require_text(entry[j], f"ahp.pairs[{i}][{j}]") for j in range(2)
        )
        times = require_number(entry[2], f"ahp.pairs[{i}][2]", low=1 / 9, high=9)
        pairs.append((first, second, times))
    return tuple(pairs)


def weighed(criteria: Criteria, pairs: Pairs) -> tuple[Criteria, Judged | None]:
    """Put weights from comparisons into the criteria.

    Parameters
    ----------
    criteria
        Any number of them.
    pairs
        Comparisons; with none the criteria keep their weights.

    Returns
    -------
    criteria, judged
        With weights, and how the comparisons agree; None where there are none.

    Raises
    ------
    CriteriaError
        If the comparisons contradict each other, or nothing is left to rank by.
    """
    if pairs:
        compared = list(dict.fromkeys(name for pair in pairs for name in pair[:2]))
        try:
            judged = weigh(compared, pairs)
        except CriteriaError as error:
            raise CriteriaError(f"ahp.pairs: {error}") from None
        weights = judged.weights
        return tuple(
            replace(c, weight=weights.get(c.id, 0.0)) for c in criteria
        ), judged
    if not any(c.weight for c in criteria):
        raise CriteriaError("criteria: no weight is above zero; nothing to rank by")
    return criteria, None


def require_measures(
    criteria: Criteria,
    rasters: Mapping[str, RasterInput],
    vectors: Mapping[str, VectorInput],
) -> None:
    """Refuse criteria about what is not there, or of the wrong kind.

    Parameters
    ----------
    criteria
        Of the plan.
    rasters, vectors
        Its data by name.

    Raises
    ------
    CriteriaError
        If a criterion names no measure, or takes classes for numbers or the reverse.
    """
    measures = [*rasters, "slope_deg", "aspect_deg", *(f"{v}_m" for v in vectors)]
    for i, criterion in enumerate(criteria):
        where = f"criteria[{i}]"
        if criterion.id not in measures:
            raise CriteriaError(
                f"{where}.id: {criterion.id!r} is no measure; expected one of "
                f"{', '.join(measures)}"
            )
        found = rasters.get(criterion.id)
        if criterion.classes and not (found and found.legend):
            raise CriteriaError(
                f"{where}.classes: {criterion.id!r} is no raster of classes; give the "
                "raster a legend"
            )
        if found and found.legend and not criterion.classes:
            raise CriteriaError(
                f"{where}: {criterion.id!r} holds classes; expected classes = …, no "
                "limits of numbers"
            )
        if found and (unknown := criterion.classes.keys() - found.legend.keys()):
            raise CriteriaError(
                f"{where}.classes.{min(unknown)}: not in rasters.{criterion.id}.legend"
            )

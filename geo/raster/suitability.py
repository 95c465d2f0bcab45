"""Suitability: criteria as data, and the score of each cell under them."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import CriteriaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_KEYS = (
    "id",
    "label",
    "unit",
    "min",
    "max",
    "classes",
    "score",
    "weight",
    "reason",
    "source",
)
_REQUIRED = ("id", "label", "unit", "reason", "source")
_SHAPES = {"up": 2, "down": 2, "trapezoid": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One condition on one measure of a cell, one graded score of it, or both.

    Attributes
    ----------
    id
        Name of the measure.
    label
        Words for people.
    unit
        Unit of the measure; ``class`` for class codes.
    minimum, maximum
        A cell below or above is excluded; ``-inf`` and ``inf`` exclude none.
    classes
        Class codes that are allowed, each with its score from 0 to 1; empty when the
        measure is no class.
    points
        Corners ``(measure, score)`` of the piecewise-linear membership, the measure
        rising; empty when the criterion excludes only.
    weight
        Share of the score before weights are made to sum to one; 0 when not scored.
    reason, source
        Why the numbers are as they are, and where they come from.
    """

    id: str
    label: str
    unit: str
    minimum: float = -math.inf
    maximum: float = math.inf
    classes: Mapping[int, float]
    points: tuple[tuple[float, float], ...] = ()
    weight: float = 0.0
    reason: str
    source: str

    def keeps(self, measure: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which cells pass.

        Parameters
        ----------
        measure
            Values of the measure, any shape; NaN never passes.

        Returns
        -------
        numpy.ndarray
            Shape of ``measure``.
        """
        kept = (measure >= self.minimum) & (measure <= self.maximum)
        if self.classes:
            kept &= np.isin(measure, list(self.classes))
        return kept

    def score(self, measure: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how well each cell does, from 0 to 1.

        Parameters
        ----------
        measure
            Values of the measure, any shape.

        Returns
        -------
        numpy.ndarray
            Shape of ``measure``; NaN where the measure is, and for a class that is
            not allowed. [1]
        """
        if self.classes:
            score = np.full(measure.shape, np.nan)
            for code, value in self.classes.items():
                score[measure == code] = value
            return score
        if not self.points:
            return np.where(np.isnan(measure), np.nan, 1.0)
        at, value = np.array(self.points).T
        return np.where(np.isnan(measure), np.nan, np.interp(measure, at, value))


Criteria = tuple[Criterion, ...]
"""Criteria in the order of their file."""


class Suitability(NamedTuple):
    """What criteria make of a grid; every array in the shape of the measures."""

    eligible: NDArray[np.bool_]
    """Whether the cell passes every criterion."""
    score: NDArray[np.float64]
    """Weighted mean of the scores, 0 to 1; NaN where the cell is not eligible. [1]"""
    shares: Mapping[str, NDArray[np.float64]]
    """Part of ``score`` that each weighted criterion gives; they sum to it. [1]"""


def evaluate(
    criteria: Criteria, measures: Mapping[str, NDArray[np.float64]]
) -> Suitability:
    """Judge cells by criteria: exclude, then take the weighted mean of the scores.

    Parameters
    ----------
    criteria
        At least one with a weight above zero.
    measures
        Values by criterion id, one shape; NaN where there is none. A cell without a
        value for any criterion is not eligible. Further measures are ignored.

    Returns
    -------
    Suitability
        Arrays in the shape of the measures.

    Raises
    ------
    CriteriaError
        If a criterion has no measure, shapes differ, or no weight is above zero.

    Notes
    -----
    Weighted linear combination: a poor score on one criterion can be made good by
    another, which is why what must never be made good is an exclusion.

    Examples
    --------
    >>> flat = parse_criteria([{"id": "relief", "label": "relief", "unit": "m",
    ...     "max": 200, "score": {"down": [0, 200]}, "weight": 1,
    ...     "reason": "Cables and roads.", "source": "our judgement"}])
    >>> evaluate(flat, {"relief": np.array([0.0, 50.0, 300.0])}).score
    array([1.  , 0.75,  nan])
    """
    for criterion in criteria:
        if criterion.id not in measures:
            raise CriteriaError(
                f"criterion {criterion.id!r} has no measure here; there are "
                f"{', '.join(sorted(measures))}"
            )
    shapes = {c.id: measures[c.id].shape for c in criteria}
    if len(set(shapes.values())) > 1:
        raise CriteriaError(f"measures differ in shape: {shapes}")
    total = sum(c.weight for c in criteria)
    if not total > 0:
        raise CriteriaError("no criterion has a weight above zero: nothing to rank by")
    eligible = np.logical_and.reduce([c.keeps(measures[c.id]) for c in criteria])
    shares = {
        c.id: np.where(eligible, c.score(measures[c.id]) * c.weight / total, np.nan)
        for c in criteria
        if c.weight
    }
    score = np.sum(list(shares.values()), axis=0)
    return Suitability(eligible, score, MappingProxyType(shares))


def parse_criteria(
    entries: Sequence[Mapping[str, object]], *, key: str = "criteria"
) -> Criteria:
    """Check criteria that were read from a file.

    Parameters
    ----------
    entries
        One mapping a criterion, as TOML gives them: ``id``, ``label``, ``unit``,
        ``reason`` and ``source`` (text, none empty); ``min`` and ``max`` (numbers that
        a cell must keep to); ``classes`` (code as text to score from 0 to 1; other
        codes are excluded); ``score``, one of ``{up = [a, b]}``, ``{down = [a, b]}``,
        ``{trapezoid = [a, b, c, d]}``; ``weight`` (0 or more, with a score).
    key
        Where the entries stand in the file, for messages.

    Returns
    -------
    tuple of Criterion
        In the order of ``entries``.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown, doubled, of the wrong kind or out of order;
        the message names the key and says what was expected.

    Examples
    --------
    >>> parse_criteria([{"id": "coast", "labell": "coast"}])
    Traceback (most recent call last):
    geo.errors.CriteriaError: criteria[0].labell: unknown key; did you mean 'label'?
    """
    if not isinstance(entries, list | tuple) or not entries:
        raise CriteriaError(f"{key}: expected one table or more, [[{key}]]")
    criteria = tuple(
        _criterion(entry, f"{key}[{i}]") for i, entry in enumerate(entries)
    )
    ids = [c.id for c in criteria]
    for i, criterion_id in enumerate(ids):
        if criterion_id in ids[:i]:
            raise CriteriaError(f"{key}[{i}].id: {criterion_id!r} stands twice")
    return criteria


def require_keys(
    table: object, where: str, *, known: Sequence[str], required: Sequence[str]
) -> Mapping[str, object]:
    """Check the keys of a table that was read from a file.

    Parameters
    ----------
    table
        What stood in the file.
    where
        Its key, for messages.
    known, required
        Keys that it may have, and those that it must have.

    Returns
    -------
    Mapping
        ``table``.

    Raises
    ------
    CriteriaError
        If it is no table, or has an unknown key, or lacks a required one.
    """
    if not isinstance(table, Mapping):
        raise CriteriaError(f"{where}: expected a table, got {table!r}")
    for name in table:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = (
                f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            )
            raise CriteriaError(f"{where}.{name}: unknown key; {hint}")
    for name in required:
        if name not in table:
            raise CriteriaError(f"{where}.{name}: missing")
    return table


def require_number(
    value: object, where: str, *, low: float = -math.inf, high: float = math.inf
) -> float:
    """Check a number that was read from a file.

    Parameters
    ----------
    value
        What stood in the file.
    where
        Its key, for messages.
    low, high
        Smallest and largest number allowed.

    Returns
    -------
    float
        ``value``.

    Raises
    ------
    CriteriaError
        If it is no finite number, or outside the bounds.
    """
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
    ):
        raise CriteriaError(f"{where}: expected a number, got {value!r}")
    if not low <= value <= high:
        raise CriteriaError(
            f"{where}: {value} is out of range; expected {low:g} to {high:g}"
        )
    return float(value)


def require_text(value: object, where: str) -> str:
    """Check a text that was read from a file.

    Parameters
    ----------
    value
        What stood in the file.
    where
        Its key, for messages.

    Returns
    -------
    str
        ``value``.

    Raises
    ------
    CriteriaError
        If it is no text, or empty.
    """
    if not isinstance(value, str) or not value.strip():
        raise CriteriaError(f"{where}: expected a text, got {value!r}")
    return value


def _criterion(entry: object, where: str) -> Criterion:
    table = require_keys(entry, where, known=_KEYS, required=_REQUIRED)
    text = {k: require_text(table[k], f"{where}.{k}") for k in _REQUIRED}
    low = require_number(table.get("min", -1e300), f"{where}.min")
    high = require_number(table.get("max", 1e300), f"{where}.max")
    if low > high:
        raise CriteriaError(
            f"{where}.min: {low:g} is above max, {high:g}: no cell is left"
        )
    if "classes" in table and "score" in table:
        raise CriteriaError(f"{where}.score: classes carry their own scores; drop one")
    classes = _classes(table["classes"], where) if "classes" in table else {}
    points = _points(table["score"], where) if "score" in table else ()
    weight = require_number(table.get("weight", 0.0), f"{where}.weight", low=0.0)
    if weight and not (classes or points):
        raise CriteriaError(
            f"{where}.weight: {weight:g} without a score; expected score or classes"
        )
    if not (classes or points or "min" in table or "max" in table):
        raise CriteriaError(
            f"{where}: expected at least one of min, max, classes, score"
        )
    return Criterion(
        **text,
        minimum=low if "min" in table else -math.inf,
        maximum=high if "max" in table else math.inf,
        classes=MappingProxyType(classes),
        points=points,
        weight=weight,
    )


def _classes(value: object, where: str) -> dict[int, float]:
    if not isinstance(value, Mapping) or not value:
        raise CriteriaError(
            f'{where}.classes: expected a table such as {{ "10" = 1.0 }}, got {value!r}'
        )
    classes = {}
    for code, score in value.items():
        if not (isinstance(code, str) and code.isdecimal()):
            raise CriteriaError(
                f'{where}.classes.{code}: expected a class code such as "10"'
            )
        classes[int(code)] = require_number(
            score, f"{where}.classes.{code}", low=0.0, high=1.0
        )
    return classes


def _points(value: object, where: str) -> tuple[tuple[float, float], ...]:
    if (
        not isinstance(value, Mapping)
        or len(value) != 1
        or not set(value) <= set(_SHAPES)
    ):
        raise CriteriaError(
            f"{where}.score: expected one of {', '.join(_SHAPES)}, such as "
            f"{{ up = [20, 50] }}; got {value!r}"
        )
    ((shape, corners),) = value.items()
    count = _SHAPES[shape]
    expected = f"expected {count} rising numbers, got {corners!r}"
    if not isinstance(corners, list | tuple) or len(corners) != count:
        raise CriteriaError(f"{where}.score.{shape}: {expected}")
    at = [
        require_number(c, f"{where}.score.{shape}[{i}]") for i, c in enumerate(corners)
    ]
    if any(a >= b for a, b in itertools.pairwise(at)):
        raise CriteriaError(f"{where}.score.{shape}: {expected}")
    heights = {"up": (0.0, 1.0), "down": (1.0, 0.0), "trapezoid": (0.0, 1.0, 1.0, 0.0)}
    return tuple(zip(at, heights[shape], strict=True))

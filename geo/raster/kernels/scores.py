"""What the cells of groups add up to.

**Sums that no order can change.** The sum of floats depends on the order in which they
are added, and tiles and threads change that order. So the value of a cell is rounded to
a whole number of small steps, whole numbers are added, and only totals are turned into
floats. Totals are then the same whatever is added first.

**Means of memberships.** A membership is linear between its corners. So it is enough to
count, for each stretch between two corners, the cells whose value lies there and to add
up these values; the mean of the memberships follows. For most runs all cells lie in one
stretch.

**Values of a cell** depend on the cell and its neighbours alone, and are computed by
the same operations wherever a tile begins: nothing here may be reordered (no fastmath).
"""

from __future__ import annotations

from math import floor, isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

FRACTION = 2.0**28
"""Steps to one into which the fractions of values and directions are rounded."""

CARRY = 32
"""Bits of a total that are kept in its second number; the first takes the others."""

COUNT, HIGH, LOW = 0, 1, 2
"""What the last axis of sums holds: cells, and the two numbers of their total."""


class Stretches(NamedTuple):
    """Runs to go through, in order; arrays of shape ``(n,)``."""

    row: Small
    start: Small
    stop: Small
    group: Small
    """Group of each run; below 0 if its sums do not matter."""


class Curve(NamedTuple):
    """A piecewise-linear membership; no corners if there is none."""

    at: Floats
    """Corners, rising."""
    rise: Floats
    """How much the membership rises after each but the last corner. [1]"""
    base: float
    """Membership up to the first corner. [1]"""
    weight: float
    """Share of the score. [1]"""


class Totals(NamedTuple):
    """What is summed over groups."""

    sums: Ints
    """For each group and each stretch of the membership (up to the first corner, then
    between corners, then beyond the last; or each class), what :data:`COUNT`,
    :data:`HIGH` and :data:`LOW` name; shape ``(groups, stretches, 3)``."""
    bounds: Floats
    """Least and greatest measure, shape ``(groups, 2)``."""


@njit(cache=True, nogil=True)
def membership(value: float, curve: Curve) -> float:
    """How well a value does, from 0 to 1.

    Parameters
    ----------
    value
        Of the measure.
    curve
        With two corners or more.

    Returns
    -------
    float
        Membership. [1]
    """
    total = curve.base
    for k in range(len(curve.rise)):
        way = (value - curve.at[k]) / (curve.at[k + 1] - curve.at[k])
        total += min(max(way, 0.0), 1.0) * curve.rise[k]
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def grade(values: Floats, curve: Curve, out: Floats) -> None:
    """Turn values into weighted memberships, to the last bit as :func:`membership`.

    Parameters
    ----------
    values
        Of the measure, shape ``(n,)``.
    curve
        With two corners or more.
    out
        Filled: memberships times the weight. [1]
    """
    at, rise, weight = curve.at, curve.rise, curve.weight
    out[:] = curve.base
    for k in range(len(rise)):
        low, span, gain = at[k], at[k + 1] - at[k], rise[k]
        for c in range(len(out)):
            way = (values[c] - low) / span
            out[c] += min(max(way, 0.0), 1.0) * gain
    for c in range(len(out)):
        out[c] *= weight


@njit(cache=True, nogil=True)
def stretch_of(value: float, at: Floats | Ints) -> int:
    """Tell between which corners a value lies.

    Parameters
    ----------
    value
        Of the measure, in the unit of the corners.
    at
        Corners, rising.

    Returns
    -------
    int
        How many corners are not above the value.
    """
    k = 0
    while k < len(at) and at[k] <= value:
        k += 1
    return k


@njit(cache=True, nogil=True)
def add(sums: Ints, group: int, stretch: int, count: int, high: Any, low: Any) -> None:
    """Add to the sums of a group.

    Parameters
    ----------
    sums
        As :class:`Totals` has them; grow.
    group, stretch
        Where to add.
    count, high, low
        What to add.
    """
    sums[group, stretch, 0] += count
    sums[group, stretch, 1] += high
    sums[group, stretch, 2] += low


@njit(cache=True, nogil=True)
def add_steps(sums: Ints, group: int, stretch: int, count: int, steps: Any) -> None:
    """Add a number of steps, the upper bits apart; as :func:`add`."""
    high = steps >> 32
    add(sums, group, stretch, count, high, steps - (high << 32))


@njit(cache=True, nogil=True)
def widen(bounds: Floats, group: int, low: float, high: float) -> None:
    """Let the bounds of a group take in a range.

    Parameters
    ----------
    bounds
        As :class:`Totals` has them; change.
    group
        Whose.
    low, high
        The range.
    """
    bounds[group, 0] = min(bounds[group, 0], low)
    bounds[group, 1] = max(bounds[group, 1], high)


@njit(cache=True, nogil=True)
def sum_values(
    values: Any, runs: Stretches, curve: Curve, totals: Totals, score: Any
) -> None:
    """Add up a measure that is known cell by cell, as whole numbers and fractions.

    Parameters
    ----------
    values
        Measure, shape ``(rows, columns)``.
    runs, curve, totals
        What to go through, how to grade, what to add to.
    score
        Scores of cells, which grow by weight times membership, shape
        ``(rows, columns)``; or of shape ``(0, 0)``.
    """
    scored = len(score) > 0 and len(curve.at) > 0
    for i in range(len(runs.row)):
        r, group = runs.row[i], runs.group[i]
        if group >= 0:
            low = high = float(values[r, runs.start[i]])
            now, count, whole, part = -1, 0, 0, 0
            for c in range(runs.start[i], runs.stop[i]):
                value = float(values[r, c])
                stretch = stretch_of(value, curve.at)
                if stretch != now:
                    if count:
                        add(totals.sums, group, now, count, whole, part)
                    now, count, whole, part = stretch, 0, 0, 0
                lower = floor(value)
                count += 1
                whole += int(lower)
                part += int((value - lower) * FRACTION + 0.5)
                low, high = min(low, value), max(high, value)
            add(totals.sums, group, now, count, whole, part)
            widen(totals.bounds, group, low, high)
        if scored:
            for c in range(runs.start[i], runs.stop[i]):
                member = membership(float(values[r, c]), curve)
                score[r, c] += curve.weight * member


@njit(cache=True, nogil=True)
def sum_codes(
    values: Any,
    codes: Any,
    members: Floats,
    runs: Stretches,
    weight: float,
    totals: Totals,
    score: Any,
) -> None:
    """Count the cells of classes.

    Parameters
    ----------
    values
        Codes, shape ``(rows, columns)``.
    codes, members
        Codes that are kept, rising, and their memberships, shape ``(k,)``.
    runs, totals, score
        As for :func:`sum_values`; a stretch for each code.
    weight
        Share of the score. [1]
    """
    scored = len(score) > 0
    for i in range(len(runs.row)):
        r, group = runs.row[i], runs.group[i]
        if group < 0 and not scored:
            continue
        code = values[r, runs.start[i]]
        k, count = np.searchsorted(codes, code), 0
        for c in range(runs.start[i], runs.stop[i]):
            if values[r, c] != code:
                if group >= 0:
                    totals.sums[group, k, 0] += count
                code, count = values[r, c], 0
                k = np.searchsorted(codes, code)
            count += 1
            if scored:
                score[r, c] += weight * members[k]
        if group >= 0:
            totals.sums[group, k, 0] += count


@njit(cache=True, nogil=True)
def add_totals(root: Ints, totals: Totals, sums: Totals) -> None:
    """Add the totals of groups to those of the sites they belong to.

    Parameters
    ----------
    root
        Site of each group, below 0 for none, shape ``(groups,)``.
    totals
        Of the groups.
    sums
        Of the sites; grow.
    """
    for g in range(len(root)):
        s = root[g]
        if s < 0:
            continue
        for k in range(totals.sums.shape[1]):
            for m in range(3):
                sums.sums[s, k, m] += totals.sums[g, k, m]
        widen(sums.bounds, s, totals.bounds[g, 0], totals.bounds[g, 1])


@njit(cache=True, nogil=True)
def store_scores(runs: Stretches, score: Any, step: Any, stored: Bools) -> None:
    """Turn the scores of eligible cells into the numbers that are stored.

    Parameters
    ----------
    runs
        Eligible cells.
    score
        Scores of cells, float32; 0 again where they are taken from.
    step
        What a stored one stands for, float32. [1]
    stored
        Filled at those cells, but for those whose score is not finite; shape of the
        scores.
    """
    row, start, stop = runs.row, runs.start, runs.stop
    for i in range(len(row)):
        line = score[row[i], start[i] : stop[i]]
        out = stored[row[i], start[i] : stop[i]]
        for c in range(len(line)):
            value = line[c]
            line[c] = 0.0
            if isfinite(value):
                out[c] = np.uint8(np.rint(value / step))

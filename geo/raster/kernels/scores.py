"""Which cells are kept, and what the cells of groups add up to.

**Sums that no order can change.** The sum of floats depends on the order in which they
are added, and tiles and threads change that order. So each value is taken apart into a
whole number and a fraction that is rounded to ``2⁻²⁸`` (4e-9), both are added as 64-bit
integers, and only the totals are turned into floats. Totals are then the same whatever
is added first. They are right while the value times the cells of a site stays below
9e18; the fractions of up to 2³⁵ cells fit.

**Values of a cell** depend on the cell and its neighbours alone, and are computed by
the same operations wherever a tile begins: nothing here may be reordered (no fastmath).
"""

from __future__ import annotations

from math import atan2, cos, isfinite, pi, radians, sin
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from geo.raster.kernels.horn import aspect_row, slope_degrees, tan2_row
from geo.raster.kernels.samples import Places, blend, blend_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

FRACTION = 2.0**28
"""Parts of one into which fractions are rounded."""


class Stretches(NamedTuple):
    """Runs to go through; arrays of shape ``(n,)``."""

    row: Small
    start: Small
    stop: Small
    group: Ints
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
    """What is summed over groups; arrays of shape ``(groups, 2)``."""

    value: Ints
    """Whole numbers and fractions of the measure."""
    member: Ints
    """Whole numbers and fractions of the membership."""
    bounds: Floats
    """Least and greatest measure."""


@njit(cache=True, nogil=True)
def keep_range(values: Any, low: float, high: float, mask: Bools) -> None:
    """Unmark cells outside a range, and those without a value.

    Parameters
    ----------
    values
        Measure, NaN for none, shape ``(rows, columns)``.
    low, high
        The range, both ends included.
    mask
        1 where a cell counts, at least as many columns; changed.
    """
    rows, columns = values.shape
    for r in range(rows):
        row, kept = values[r], mask[r]
        for c in range(columns):
            kept[c] &= np.uint8((row[c] >= low) & (row[c] <= high))


@njit(cache=True, nogil=True)
def keep_codes(values: Any, codes: Any, mask: Bools) -> None:
    """Unmark cells whose class is not among some.

    Parameters
    ----------
    values
        Codes, shape ``(rows, columns)``.
    codes
        Those that are kept, in the type of the values.
    mask
        As for :func:`keep_range`.
    """
    rows, columns = values.shape
    found = np.empty(columns, np.uint8)
    for r in range(rows):
        row, kept = values[r], mask[r]
        found[:] = 0
        for code in codes:
            for c in range(columns):
                found[c] |= np.uint8(row[c] == code)
        for c in range(columns):
            kept[c] &= found[c]


@njit(cache=True, nogil=True)
def count_codes(values: Bools, mask: Bools, counts: Ints) -> None:
    """Count the cells of each class.

    Parameters
    ----------
    values
        Codes, shape ``(rows, columns)``.
    mask
        1 where a cell counts.
    counts
        Grows, shape ``(256,)``.
    """
    rows, columns = values.shape
    for r in range(rows):
        row, counted = values[r], mask[r]
        code, n = row[0], 0
        for c in range(columns):
            if row[c] != code:
                counts[code] += n
                code, n = row[c], 0
            n += counted[c]
        counts[code] += n


@njit(cache=True, nogil=True)
def keep_slope(
    heights: Any, dx_m: Floats, dy_m: Floats, low: float, high: float, mask: Bools
) -> None:
    """Unmark cells whose slope is outside a range.

    Parameters
    ----------
    heights
        Elevation of the tile and one cell more on each side. [m]
    dx_m, dy_m
        Width and height of the cells of each row. [m]
    low, high
        Squared tangents of the least and the greatest slope.
    mask
        As for :func:`keep_range`.
    """
    columns = heights.shape[1] - 2
    tan2 = np.empty(columns, heights.dtype)
    for r in range(heights.shape[0] - 2):
        kept = mask[r]
        tan2_row(heights[r], heights[r + 1], heights[r + 2], dx_m[r], dy_m[r], tan2)
        for c in range(columns):
            kept[c] &= np.uint8((tan2[c] >= low) & (tan2[c] <= high))


@njit(cache=True, nogil=True)
def keep_aspect(
    heights: Any, dx_m: Floats, dy_m: Floats, low: float, high: float, mask: Bools
) -> None:
    """Unmark cells whose aspect is outside a range; level ones stay.

    Parameters
    ----------
    heights, dx_m, dy_m, mask
        As for :func:`keep_slope`.
    low, high
        The range, clockwise from north. [degrees]
    """
    columns = heights.shape[1] - 2
    tan2 = np.empty(columns, heights.dtype)
    aspect = np.empty(columns)
    for r in range(heights.shape[0] - 2):
        above, here, below = heights[r], heights[r + 1], heights[r + 2]
        kept = mask[r]
        tan2_row(above, here, below, dx_m[r], dy_m[r], tan2)
        aspect_row(above, here, below, dx_m[r], dy_m[r], aspect)
        for c in range(columns):
            inside = (aspect[c] >= low) & (aspect[c] <= high)
            kept[c] &= np.uint8(inside | (tan2[c] == 0.0))


@njit(cache=True, nogil=True)
def keep_smooth(
    raster: Any, rows: Places, columns: Places, low: float, high: float, mask: Bools
) -> None:
    """Unmark cells at which a coarser raster, bilinear, is outside a range.

    Parameters
    ----------
    raster, rows, columns
        As :func:`geo.raster.kernels.samples.sample_bilinear` takes them.
    low, high, mask
        As for :func:`keep_range`.
    """
    first, last = columns.at.min(), columns.at.max() + 2
    sums, shares = np.empty(raster.shape[1]), np.empty(raster.shape[1])
    values = np.empty(len(columns.at))
    for r in range(len(rows.at)):
        kept = mask[r]
        whole = blend_rows(raster, rows.at[r], rows.part[r], first, last, sums, shares)
        blend(sums, shares, whole, columns.at, columns.part, values)
        for c in range(len(values)):
            kept[c] &= np.uint8((values[c] >= low) & (values[c] <= high))


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


@njit(cache=True, nogil=True)
def tally(
    values: Floats, group: int, curve: Curve, totals: Totals, score: Floats
) -> None:
    """Add the values of a run to its group, and to the scores of its cells.

    Parameters
    ----------
    values
        Measure along the run, shape ``(n,)``.
    group
        Its group, or below 0 to leave the totals.
    curve
        Membership, or none.
    totals
        Grow.
    score
        Score of the cells along the run, which grows by weight times membership,
        shape ``(n,)``; or empty.
    """
    if group >= 0:
        whole = part = np.int64(0)
        low, high = totals.bounds[group, 0], totals.bounds[group, 1]
        for c in range(len(values)):
            value = values[c]
            floor = np.floor(value)
            whole += np.int64(floor)
            part += np.int64((value - floor) * FRACTION + 0.5)
            low, high = min(low, value), max(high, value)
        totals.value[group, 0] += whole
        totals.value[group, 1] += part
        totals.bounds[group, 0], totals.bounds[group, 1] = low, high
    if len(curve.at) == 0:
        return
    for c in range(len(values)):
        values[c] = membership(values[c], curve)
    grade(values, group, curve.weight, totals, score)


@njit(cache=True, nogil=True)
def grade(
    members: Floats, group: int, weight: float, totals: Totals, score: Floats
) -> None:
    """Add the memberships of a run to its group, and to the scores of its cells.

    Parameters
    ----------
    members
        Memberships along the run, shape ``(n,)``. [1]
    group, totals, score
        As for :func:`tally`.
    weight
        Share of the score. [1]
    """
    if group >= 0:
        part = np.int64(0)
        for c in range(len(members)):
            part += np.int64(members[c] * FRACTION + 0.5)
        totals.member[group, 1] += part
    for c in range(len(score)):
        score[c] += weight * members[c]


@njit(cache=True, nogil=True)
def sum_values(
    values: Any, runs: Stretches, curve: Curve, totals: Totals, score: Floats
) -> None:
    """Add up a measure that is known cell by cell.

    Parameters
    ----------
    values
        Measure, shape ``(rows, columns)``.
    runs, curve, totals
        What to go through, how to grade, what to add to.
    score
        Shape ``(rows, columns)`` or ``(0, 0)``, as for :func:`tally`.
    """
    line = np.empty(values.shape[1])
    scored = len(score) > 0
    for i in range(len(runs.row)):
        r, start, stop, group = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
        if group < 0 and not scored:
            continue
        part = line[: stop - start]
        part[:] = values[r, start:stop]
        row = score[r, start:stop] if scored else line[:0]
        tally(part, group, curve, totals, row)


@njit(cache=True, nogil=True)
def sum_codes(
    values: Any,
    codes: Any,
    members: Floats,
    runs: Stretches,
    weight: float,
    totals: Totals,
    score: Floats,
) -> None:
    """Add up the memberships of classes.

    Parameters
    ----------
    values
        Codes, shape ``(rows, columns)``.
    codes, members
        Codes that are kept, rising, and their memberships, shape ``(k,)``.
    runs, totals, score
        As for :func:`sum_values`.
    weight
        Share of the score. [1]
    """
    line = np.empty(values.shape[1])
    scored = len(score) > 0
    for i in range(len(runs.row)):
        r, start, stop, group = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
        if group < 0 and not scored:
            continue
        part = line[: stop - start]
        code, member = codes[0], members[0]
        for c in range(start, stop):
            if values[r, c] != code:
                code = values[r, c]
                member = members[np.searchsorted(codes, code)]
            part[c - start] = member
        row = score[r, start:stop] if scored else line[:0]
        grade(part, group, weight, totals, row)


@njit(cache=True, nogil=True)
def sum_smooth(
    raster: Any,
    rows: Places,
    columns: Places,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
    score: Floats,
) -> None:
    """Add up a measure that a coarser raster gives, bilinear.

    Parameters
    ----------
    raster, rows, columns
        As :func:`geo.raster.kernels.samples.sample_bilinear` takes them.
    runs, curve, totals, score
        As for :func:`sum_values`.
    """
    first, last = columns.at.min(), columns.at.max() + 2
    sums, shares = np.empty(raster.shape[1]), np.empty(raster.shape[1])
    line = np.empty(len(columns.at))
    scored = len(score) > 0
    known, whole = -1, False
    for i in range(len(runs.row)):
        r, start, stop, group = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
        if group < 0 and not scored:
            continue
        if r != known:
            known = r
            whole = blend_rows(
                raster, rows.at[r], rows.part[r], first, last, sums, shares
            )
        part = line[: stop - start]
        at, way = columns.at[start:stop], columns.part[start:stop]
        blend(sums, shares, whole, at, way, part)
        row = score[r, start:stop] if scored else line[:0]
        tally(part, group, curve, totals, row)


@njit(cache=True, nogil=True)
def sum_slope(
    heights: Any,
    dx_m: Floats,
    dy_m: Floats,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
    score: Floats,
) -> None:
    """Add up slopes in degrees.

    Parameters
    ----------
    heights, dx_m, dy_m
        As for :func:`keep_slope`.
    runs, curve, totals, score
        As for :func:`sum_values`.
    """
    line = np.empty(heights.shape[1])
    tan2 = np.empty(heights.shape[1], heights.dtype)
    scored = len(score) > 0
    for i in range(len(runs.row)):
        r, start, stop, group = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
        if group < 0 and not scored:
            continue
        n, end = stop - start, stop + 2
        above, here = heights[r, start:end], heights[r + 1, start:end]
        tan2_row(above, here, heights[r + 2, start:end], dx_m[r], dy_m[r], tan2[:n])
        part = line[:n]
        for c in range(n):
            part[c] = slope_degrees(tan2[c])
        row = score[r, start:stop] if scored else line[:0]
        tally(part, group, curve, totals, row)


@njit(cache=True, nogil=True)
def sum_aspect(
    heights: Any,
    dx_m: Floats,
    dy_m: Floats,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
    score: Floats,
) -> None:
    """Add up the directions of aspects, as sines and cosines; level cells add none.

    Parameters
    ----------
    heights, dx_m, dy_m
        As for :func:`keep_slope`.
    runs, curve, score
        As for :func:`sum_values`; a level cell has the membership 1.
    totals
        As for :func:`sum_values`, but ``value`` holds the sums of sines and of
        cosines.
    """
    line = np.empty(heights.shape[1])
    scored = len(score) > 0
    for i in range(len(runs.row)):
        r, start, stop, group = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
        if group < 0 and not scored:
            continue
        n, end = stop - start, stop + 2
        part = line[:n]
        above, here = heights[r, start:end], heights[r + 1, start:end]
        aspect_row(above, here, heights[r + 2, start:end], dx_m[r], dy_m[r], part)
        for c in range(n):
            if group >= 0 and isfinite(part[c]):
                angle = radians(part[c])
                totals.value[group, 0] += np.int64(np.rint(sin(angle) * FRACTION))
                totals.value[group, 1] += np.int64(np.rint(cos(angle) * FRACTION))
        if len(curve.at) == 0:
            continue
        for c in range(n):
            part[c] = membership(part[c], curve) if isfinite(part[c]) else 1.0
        row = score[r, start:stop] if scored else line[:0]
        grade(part, group, curve.weight, totals, row)


@njit(cache=True, nogil=True)
def mean_direction(sine: float, cosine: float) -> float:
    """Direction of a sum of directions.

    Parameters
    ----------
    sine, cosine
        Sums; only their ratio counts.

    Returns
    -------
    float
        Clockwise from north, from 0 to 360; NaN where both are 0. [degrees]
    """
    if sine == 0.0 and cosine == 0.0:
        return np.nan
    return (atan2(sine, cosine) * 180.0 / pi) % 360.0


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
        for k in range(2):
            sums.value[s, k] += totals.value[g, k]
            sums.member[s, k] += totals.member[g, k]
        sums.bounds[s, 0] = min(sums.bounds[s, 0], totals.bounds[g, 0])
        sums.bounds[s, 1] = max(sums.bounds[s, 1], totals.bounds[g, 1])

"""Which cells are kept, and what the cells of groups add up to.

**Sums that no order can change.** The sum of floats depends on the order in which they
are added, and tiles and threads change that order. So the value of a cell is rounded to
a whole number of small steps, whole numbers are added, and only totals are turned into
floats. Totals are then the same whatever is added first.

**Means of memberships.** A membership is linear between its corners. So it is enough to
count, for each stretch between two corners, the cells whose value lies there and to add
up these values; the mean of the memberships follows. For most runs all cells lie in one
stretch.

**A coarse field** is linear along a row from one of its columns to the next. Values of
its columns are taken in small steps too, and places between them in steps of ``2⁻¹⁶``.
A cell is then a whole number, the sum over some cells follows from that of their
places, which is known beforehand, and a run costs as much as the columns of the field
that it crosses, not as its cells.

**Values of a cell** depend on the cell and its neighbours alone, and are computed by
the same operations wherever a tile begins: nothing here may be reordered (no fastmath).
"""

from __future__ import annotations

from math import atan2, cos, floor, isfinite, pi, radians, sin
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from geo.raster.kernels.horn import aspect_row, slope_degrees, tan2_row
from geo.raster.kernels.samples import Places, blend, blend_rows, new_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

FRACTION = 2.0**28
"""Steps to one into which the fractions of values and directions are rounded."""

SLOPE = 2.0**22
"""Steps to a degree of slope."""

PLACE = 16
"""Bits of the place of a cell between two columns of a coarse field."""

CARRY = 32
"""Bits of a total that are kept in its second number; the first takes the others."""

EIGHT = np.uint64(0x0101010101010101)
"""Eight bytes of 1."""

COUNT, HIGH, LOW = 0, 1, 2
"""What the last axis of sums holds: cells, and the two numbers of their total."""


class Stretches(NamedTuple):
    """Runs to go through, in order; arrays of shape ``(n,)``."""

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
    """What is summed over groups."""

    sums: Ints
    """For each group and each stretch of the membership (up to the first corner, then
    between corners, then beyond the last; or each class), what :data:`COUNT`,
    :data:`HIGH` and :data:`LOW` name; shape ``(groups, stretches, 3)``."""
    bounds: Floats
    """Least and greatest measure, shape ``(groups, 2)``."""


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
def count_codes(values: Any, mask: Bools, words: Any, marks: Any, counts: Ints) -> None:
    """Count the cells of each class.

    Parameters
    ----------
    values
        Codes, shape ``(rows, columns)``.
    mask
        1 where a cell counts.
    words, marks
        The same memory, eight cells a number, shape ``(rows, columns / 8)``; without
        columns if the codes do not take a byte each.
    counts
        Grows, one for each code.
    """
    rows, columns = values.shape
    # Eight tables, since adding to one number again and again has to wait for itself.
    tables = np.zeros((8, 256), np.int64)
    for r in range(rows):
        for w in range(words.shape[1]):
            if marks[r, w] == EIGHT:
                word = words[r, w]
                for k in range(8):
                    tables[k, word & np.uint64(255)] += 1
                    word >>= np.uint64(8)
            elif marks[r, w]:
                for c in range(8 * w, 8 * w + 8):
                    counts[values[r, c]] += mask[r, c]
        for c in range(8 * words.shape[1], columns):
            counts[values[r, c]] += mask[r, c]
    if words.shape[1]:
        for k in range(8):
            for code in range(256):
                counts[code] += tables[k, code]


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
    line = new_line(raster.shape[1])
    values = np.empty(len(columns.at))
    for r in range(len(rows.at)):
        kept = mask[r]
        whole = blend_rows(raster, rows.at[r], rows.part[r], first, last, line)
        blend(line, whole, columns.at, columns.part, values)
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
def stretch_of(value: float, at: Floats) -> int:
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
def add(sums: Ints, group: int, stretch: int, count: int, high: int, low: int) -> None:
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
def add_steps(sums: Ints, group: int, stretch: int, count: int, steps: int) -> None:
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
                whole += np.int64(lower)
                part += np.int64((value - lower) * FRACTION + 0.5)
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
def sum_smooth(
    raster: Floats,
    rows: Places,
    columns: Places,
    scale: float,
    until: Small,
    before: Ints,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
    score: Any,
) -> None:
    """Add up a measure that a coarser raster gives, bilinear.

    Parameters
    ----------
    raster, rows, columns
        As :func:`geo.raster.kernels.samples.sample_bilinear` takes them.
    scale
        Steps to one of the values of the raster.
    until
        For each column of the tile the first one after it with another place ``at``.
    before
        Sums of the places of the columns before each, in steps of ``2⁻¹⁶``; one more
        than columns.
    runs, curve, totals, score
        As for :func:`sum_values`; totals are in steps of ``2⁻¹⁶`` of those.
    """
    # Names of their own, since a field of a tuple is taken out anew each time.
    sums, bounds, corners = totals.sums, totals.bounds, curve.at
    row, start, stop, group = runs.row, runs.start, runs.stop, runs.group
    at, part = columns.at, columns.part
    first, last = at.min(), at.max() + 2
    line = np.empty(raster.shape[1])
    scored = len(score) > 0 and len(corners) > 0
    step = 1.0 / (scale * 65536.0)
    known = -1
    for i in range(len(row)):
        r, g, c, end_of_run = row[i], group[i], start[i], stop[i]
        if g < 0 and not scored:
            continue
        if r != known:
            known = r
            mix_rows(raster, rows.at[r], rows.part[r], first, last, line)
        while c < end_of_run:
            k, end = at[c], min(until[c], end_of_run)
            if isfinite(line[k]) and isfinite(line[k + 1]):
                base = np.int64(np.rint(line[k] * scale))
                rise = np.int64(np.rint(line[k + 1] * scale)) - base
                base = base << 16
                head = base + rise * (before[c + 1] - before[c])
                tail = base + rise * (before[end] - before[end - 1])
            else:
                # Beside a cell without a value: one at a time.
                end, base, rise = c + 1, np.int64(0), np.int64(0)
                value = four_cells(raster, rows.at[r], rows.part[r], k, part[c])
                head = tail = np.int64(np.rint(value * scale * 65536.0))
            if g >= 0:
                a, b = head * step, tail * step
                one, other = stretch_of(a, corners), stretch_of(b, corners)
                if one == other:
                    total = head
                    if end > c + 1:
                        total = (end - c) * base + rise * (before[end] - before[c])
                    add_steps(sums, g, one, end - c, total)
                else:
                    for m in range(c, end):
                        steps = base + rise * (before[m + 1] - before[m])
                        one = stretch_of(steps * step, corners)
                        add_steps(sums, g, one, 1, steps)
                widen(bounds, g, min(a, b), max(a, b))
            if scored:
                for m in range(c, end):
                    steps = head
                    if end > c + 1:
                        steps = base + rise * (before[m + 1] - before[m])
                    score[r, m] += curve.weight * membership(steps * step, curve)
            c = end


@njit(cache=True, nogil=True)
def mix_rows(
    raster: Floats, at: int, part: float, first: int, last: int, line: Floats
) -> None:
    """Blend two rows of a raster where both have a value; NaN elsewhere.

    Parameters
    ----------
    raster, at, part, first, last
        As :func:`geo.raster.kernels.samples.blend_rows` takes them.
    line
        Filled there.
    """
    upper, lower = raster[at, first:last], raster[at + 1, first:last]
    mixed = line[first:last]
    for k in range(len(mixed)):
        mixed[k] = (1.0 - part) * upper[k] + part * lower[k]


@njit(cache=True, nogil=True)
def four_cells(
    raster: Floats, row: int, down: float, column: int, right: float
) -> float:
    """Blend four cells of which some have no value.

    Parameters
    ----------
    raster
        Padded, NaN for no value.
    row, column
        The first of the four.
    down, right
        How far to go from it. [1]

    Returns
    -------
    float
        As :func:`geo.raster.kernels.samples.blend` has it.
    """
    total = share = 0.0
    for k in range(2):
        for m in range(2):
            value = raster[row + k, column + m]
            weight = (down if k else 1.0 - down) * (right if m else 1.0 - right)
            if isfinite(value):
                total += weight * value
                share += weight
    return total / share if share > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def slope_steps(tan2: Any, steps: Small) -> None:
    """Turn squared tangents into steps of slope.

    Parameters
    ----------
    tan2
        Squared tangents, shape ``(n,)``.
    steps
        Filled: slopes in steps of :data:`SLOPE`.
    """
    for k in range(len(steps)):
        steps[k] = np.int32(np.rint(slope_degrees(tan2[k]) * SLOPE))


@njit(cache=True, nogil=True)
def sum_slope(
    heights: Any,
    dx_m: Floats,
    dy_m: Floats,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
    score: Any,
) -> None:
    """Add up slopes in degrees, in steps of :data:`SLOPE`.

    Parameters
    ----------
    heights, dx_m, dy_m
        As for :func:`keep_slope`.
    runs, curve, totals, score
        As for :func:`sum_values`.
    """
    # Names of their own, since a field of a tuple is taken out anew each time.
    sums, bounds = totals.sums, totals.bounds
    row, start, stop, group = runs.row, runs.start, runs.stop, runs.group
    wide = heights.shape[1] - 2
    tan2, some = np.empty(wide, heights.dtype), np.empty(wide, heights.dtype)
    steps = np.empty(wide, np.int32)
    scored = len(score) > 0 and len(curve.at) > 0
    corners = curve.at * SLOPE
    n, i = len(row), 0
    while i < n:
        r, end, left, right = row[i], i, wide, 0
        while end < n and row[end] == r:
            if group[end] >= 0 or scored:
                left, right = min(left, start[end]), stop[end]
            end += 1
        if left >= right:
            i = end
            continue
        tan2_row(
            heights[r, left : right + 2],
            heights[r + 1, left : right + 2],
            heights[r + 2, left : right + 2],
            dx_m[r],
            dy_m[r],
            tan2[left:right],
        )
        # The cells of all runs side by side, so that many are taken at a time.
        count = 0
        for j in range(i, end):
            if group[j] >= 0 or scored:
                size = stop[j] - start[j]
                source, target = tan2[start[j] : stop[j]], some[count : count + size]
                for k in range(size):
                    target[k] = source[k]
                count += size
        slope_steps(some[:count], steps[:count])
        count = 0
        for j in range(i, end):
            g = group[j]
            if g < 0 and not scored:
                continue
            mine = steps[count : count + stop[j] - start[j]]
            count += len(mine)
            if g >= 0:
                low = high = mine[0]
                total = np.int64(0)
                for k in range(len(mine)):
                    total += mine[k]
                    low, high = min(low, mine[k]), max(high, mine[k])
                one, other = stretch_of(low, corners), stretch_of(high, corners)
                if one == other:
                    add_steps(sums, g, one, len(mine), total)
                else:
                    for k in range(len(mine)):
                        one = stretch_of(mine[k], corners)
                        add_steps(sums, g, one, 1, np.int64(mine[k]))
                widen(bounds, g, low / SLOPE, high / SLOPE)
            if scored:
                for k in range(len(mine)):
                    member = membership(mine[k] / SLOPE, curve)
                    score[r, start[j] + k] += curve.weight * member
        i = end


@njit(cache=True, nogil=True)
def sum_aspect(
    heights: Any,
    dx_m: Floats,
    dy_m: Floats,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
    score: Any,
) -> None:
    """Add up aspects, and their directions as sines and cosines.

    Parameters
    ----------
    heights, dx_m, dy_m
        As for :func:`keep_slope`.
    runs, curve, score
        As for :func:`sum_values`; a level cell has the membership 1.
    totals
        As for :func:`sum_values`, with one stretch more: how many cells are level, and
        the sums of sines and cosines of the others.
    """
    line = np.empty(heights.shape[1])
    scored = len(score) > 0 and len(curve.at) > 0
    extra = len(curve.at) + 1
    for i in range(len(runs.row)):
        r, start, stop, group = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
        if group < 0 and not scored:
            continue
        n, end = stop - start, stop + 2
        part = line[:n]
        above, here = heights[r, start:end], heights[r + 1, start:end]
        aspect_row(above, here, heights[r + 2, start:end], dx_m[r], dy_m[r], part)
        for c in range(n):
            known = isfinite(part[c])
            if group >= 0 and known:
                lower = floor(part[c])
                fraction = np.int64((part[c] - lower) * FRACTION + 0.5)
                stretch = stretch_of(part[c], curve.at)
                add(totals.sums, group, stretch, 1, np.int64(lower), fraction)
                angle = radians(part[c])
                east = np.int64(np.rint(sin(angle) * FRACTION))
                north = np.int64(np.rint(cos(angle) * FRACTION))
                add(totals.sums, group, extra, 0, east, north)
            elif group >= 0:
                totals.sums[group, extra, 0] += 1
            if scored:
                member = membership(part[c], curve) if known else 1.0
                score[r, start + c] += curve.weight * member


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
        for k in range(totals.sums.shape[1]):
            for m in range(3):
                sums.sums[s, k, m] += totals.sums[g, k, m]
        widen(sums.bounds, s, totals.bounds[g, 0], totals.bounds[g, 1])

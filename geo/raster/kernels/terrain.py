"""What slopes and aspects of the cells of groups add up to.

Sums are those of :mod:`geo.raster.kernels.scores`: whole numbers of small steps.
"""

from __future__ import annotations

from math import atan2, cos, floor, isfinite, pi, radians, sin
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo.raster.kernels.horn import (
    aspect_row,
    gentle_degrees,
    slope_degrees,
    tan2_row,
)
from geo.raster.kernels.scores import (
    FRACTION,
    Curve,
    Stretches,
    Totals,
    add,
    add_steps,
    grade,
    membership,
    stretch_of,
    widen,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

SLOPE = 2.0**22
"""Steps to a degree of slope."""

GAP = 128
"""Runs closer than this have their slopes taken together. [columns]"""

_AT_ONCE = 8
"""Cells that are copied at once."""

_GENTLE = np.float32(0.43)
"""Squared tangents up to this are of slopes for :func:`gentle_degrees`."""


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
    steep = 0
    for k in range(len(steps)):
        steep += not tan2[k] <= _GENTLE
    if not steep:
        for k in range(len(steps)):
            steps[k] = np.int32(np.rint(gentle_degrees(tan2[k]) * SLOPE))
    else:
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
    room = wide + _AT_ONCE
    tan2, some = np.empty(room, heights.dtype), np.empty(room, heights.dtype)
    steps = np.empty(wide, np.int32)
    values, grades = np.empty(wide), np.empty(wide)
    scored = len(score) > 0 and len(curve.at) > 0
    # The first step of each stretch but the lowest.
    corners = np.ceil(curve.at * SLOPE).astype(np.int64)
    n, i = len(row), 0
    while i < n:
        r, end = row[i], i
        while end < n and row[end] == r:
            left, right = start[end], stop[end]
            end += 1
            # Runs with short gaps between them in one go.
            while end < n and row[end] == r and start[end] < right + GAP:
                right = stop[end]
                end += 1
            tan2_row(
                heights[r, left : right + 2],
                heights[r + 1, left : right + 2],
                heights[r + 2, left : right + 2],
                dx_m[r],
                dy_m[r],
                tan2[left:right],
            )
        # The cells of all runs side by side, so that many are taken at a time: eight
        # are copied at once, and those too many are written over by the next run.
        count = 0
        for j in range(i, end):
            if group[j] >= 0 or scored:
                shift = start[j] - count
                for k in range(count, stop[j] - shift, _AT_ONCE):
                    for m in range(k, k + _AT_ONCE):
                        some[m] = tan2[m + shift]
                count = stop[j] - shift
        slope_steps(some[:count], steps[:count])
        count, j = 0, i
        while j < end:
            # Runs one after the other that are of one group.
            g, begin = group[j], count
            while j < end and group[j] == g:
                if g >= 0 or scored:
                    count += stop[j] - start[j]
                j += 1
            if g >= 0:
                low = high = steps[begin]
                total = np.int64(0)
                for k in range(begin, count):
                    step = steps[k]
                    total += step
                    low, high = min(low, step), max(high, step)
                one, other = stretch_of(low, corners), stretch_of(high, corners)
                if one == other:
                    add_steps(sums, g, one, count - begin, total)
                else:
                    for k in range(begin, count):
                        one = stretch_of(steps[k], corners)
                        add_steps(sums, g, one, 1, np.int64(steps[k]))
                widen(bounds, g, low / SLOPE, high / SLOPE)
        if scored:
            for k in range(count):
                values[k] = steps[k] / SLOPE
            grade(values[:count], curve, grades[:count])
            count = 0
            for j in range(i, end):
                for k in range(start[j], stop[j]):
                    score[r, k] += grades[count]
                    count += 1
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

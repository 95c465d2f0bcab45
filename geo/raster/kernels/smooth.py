"""What a coarse field adds up to over the cells of groups.

Sums are those of :mod:`geo.raster.kernels.scores`: whole numbers of small steps.

A field that is bilinear between its nodes is linear along a row from one of its columns
to the next. Values of its columns are taken in small steps, and places between them in
steps of ``2⁻¹⁶``. A cell is then a whole number, the sum over some cells follows from
that of their places, which is known beforehand, and a run costs as much as the columns
of the field that it crosses, not as its cells.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo.raster.kernels.samples import Places
from geo.raster.kernels.scores import (
    Curve,
    Stretches,
    Totals,
    add_steps,
    membership,
    stretch_of,
    widen,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

PLACE = 16
"""Bits of the place of a cell between two columns of a coarse field."""

_WHOLE = 2.0**PLACE


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
        As :func:`geo.raster.kernels.scores.sum_values` takes them; totals are in steps
        of ``2⁻¹⁶`` of those.
    """
    # Names of their own, since a field of a tuple is taken out anew each time.
    sums, bounds, corners = totals.sums, totals.bounds, curve.at
    row, start, stop, group = runs.row, runs.start, runs.stop, runs.group
    at = columns.at
    scored = len(score) > 0 and len(corners) > 0
    step = 1.0 / (scale * _WHOLE)
    known, down = -1, 0.0
    upper = lower = raster[0]
    for i in range(len(row)):
        r, g, c, end_of_run = row[i], group[i], start[i], stop[i]
        if g < 0 and not scored:
            continue
        if r != known:
            known, down = r, rows.part[r]
            upper, lower = raster[rows.at[r]], raster[rows.at[r] + 1]
        if g >= 0:
            # From column to column of the field, as if all had values and the whole
            # run lay in one stretch of the membership. Both hold nearly always.
            k, begin, total = at[c], c, np.int64(0)
            value = (1.0 - down) * upper[k] + down * lower[k]
            check, right = value, np.int64(np.rint(value * scale))
            low = high = right << PLACE
            while begin < end_of_run:
                k += 1
                value = (1.0 - down) * upper[k] + down * lower[k]
                check += value
                left, right = right, np.int64(np.rint(value * scale))
                end = min(until[begin], end_of_run)
                base, rise = left << PLACE, right - left
                total += (end - begin) * base + rise * (before[end] - before[begin])
                head = base + rise * (before[begin + 1] - before[begin])
                tail = base + rise * (before[end] - before[end - 1])
                if begin == c:
                    low = high = head
                low, high = min(low, head, tail), max(high, head, tail)
                begin = end
            a, b = low * step, high * step
            one = stretch_of(a, corners)
            if isfinite(check) and one == stretch_of(b, corners):
                add_steps(sums, g, one, end_of_run - c, total)
                widen(bounds, g, a, b)
            else:
                _sum_pieces(
                    raster, rows, columns, scale, until, before, i, runs, curve, totals
                )
        if scored:
            _grade(raster, rows, columns, scale, until, before, i, runs, curve, score)


@njit(cache=True, nogil=True)
def _piece(
    raster: Floats,
    rows: Places,
    columns: Places,
    scale: float,
    until: Small,
    r: int,
    c: int,
) -> tuple[int, Any, Any]:
    """How far the field is linear from a cell on, and its value there.

    Returns
    -------
    end, base, rise : int
        The first column beyond; the value at the column of the field before the cell
        in steps of :func:`sum_smooth`, and how much it rises in each of ``2¹⁶`` places.
    """
    row, k, down = rows.at[r], columns.at[c], rows.part[r]
    left = (1.0 - down) * raster[row, k] + down * raster[row + 1, k]
    right = (1.0 - down) * raster[row, k + 1] + down * raster[row + 1, k + 1]
    if isfinite(left) and isfinite(right):
        base = np.int64(np.rint(left * scale))
        rise = np.int64(np.rint(right * scale)) - base
        return until[c], base << PLACE, rise
    # Beside a node without a value: one cell at a time.
    value = _four_cells(raster, row, down, k, columns.part[c])
    return c + 1, np.int64(np.rint(value * scale * _WHOLE)), np.int64(0)


@njit(cache=True, nogil=True)
def _sum_pieces(
    raster: Floats,
    rows: Places,
    columns: Places,
    scale: float,
    until: Small,
    before: Ints,
    i: int,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
) -> None:
    """Add up one run, wherever its values lie; parameters as for the whole."""
    step, corners = 1.0 / (scale * _WHOLE), curve.at
    r, c, stop, g = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
    while c < stop:
        end, base, rise = _piece(raster, rows, columns, scale, until, r, c)
        end = min(end, stop)
        a = (base + rise * (before[c + 1] - before[c])) * step
        b = (base + rise * (before[end] - before[end - 1])) * step
        one = stretch_of(a, corners)
        if one == stretch_of(b, corners):
            total = (end - c) * base + rise * (before[end] - before[c])
            add_steps(totals.sums, g, one, end - c, total)
        else:
            for m in range(c, end):
                steps = base + rise * (before[m + 1] - before[m])
                one = stretch_of(steps * step, corners)
                add_steps(totals.sums, g, one, 1, steps)
        widen(totals.bounds, g, min(a, b), max(a, b))
        c = end


@njit(cache=True, nogil=True)
def _grade(
    raster: Floats,
    rows: Places,
    columns: Places,
    scale: float,
    until: Small,
    before: Ints,
    i: int,
    runs: Stretches,
    curve: Curve,
    score: Any,
) -> None:
    """Add to the scores of the cells of one run; parameters as for the whole."""
    step = 1.0 / (scale * _WHOLE)
    r, c, stop = runs.row[i], runs.start[i], runs.stop[i]
    while c < stop:
        end, base, rise = _piece(raster, rows, columns, scale, until, r, c)
        end = min(end, stop)
        for m in range(c, end):
            steps = base + rise * (before[m + 1] - before[m])
            score[r, m] += curve.weight * membership(steps * step, curve)
        c = end


@njit(cache=True, nogil=True)
def _four_cells(
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

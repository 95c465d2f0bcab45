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
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from geo.raster.kernels.samples import Places
from geo.raster.kernels.scores import (
    Curve,
    Stretches,
    Totals,
    add_steps,
    grade,
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


class Across(NamedTuple):
    """Where columns of cells lie among those of a field.

    Places are in steps of ``2⁻¹⁶`` from one column of the field to the next.
    """

    at: Small
    """For each column the one of the field before it; rising, but for 0 where there is
    none. Shape ``(columns,)``."""
    place: Small
    """How far beyond that each lies, shape ``(columns,)``."""
    before: Ints
    """Sum of the places of all columns before each, shape ``(columns + 1,)``."""
    end: Small
    """For each column of the field the first one that lies beyond the next."""
    first: Small
    """For each column of the field the place of the first one behind it."""
    last: Small
    """For each column of the field the place of the last one before the next."""

    @classmethod
    def of(cls, columns: Places, width: int) -> Across:
        """Prepare columns.

        Parameters
        ----------
        columns
            Of cells.
        width
            Columns of the field.

        Returns
        -------
        Across
            Ready for :func:`sum_smooth`.
        """
        at = columns.at
        place = np.rint(columns.part * _WHOLE).astype(np.int32)
        before = np.zeros(len(at) + 1, np.int64)
        np.cumsum(place, out=before[1:])
        end, first, last = (np.zeros(width, np.int32) for _ in range(3))
        # Of several columns the last one counts.
        end[at] = np.arange(1, len(at) + 1)
        last[at] = place
        first[at[::-1]] = place[::-1]
        return cls(at, place, before, end, first, last)

    def part(self, start: int, stop: int) -> Across:
        """Take some of the columns, which are counted anew.

        Parameters
        ----------
        start, stop
            The first of them, and the one after the last.

        Returns
        -------
        Across
            With the same field; its columns may go on beyond those taken.
        """
        return self._replace(
            at=self.at[start:stop],
            place=self.place[start:stop],
            before=self.before[start : stop + 1],
            end=self.end - np.int32(start),
        )


@njit(cache=True, nogil=True)
def sum_smooth(
    raster: Floats,
    rows: Places,
    columns: Places,
    across: Across,
    scale: float,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
) -> None:
    """Add up a measure that a coarser raster gives, bilinear.

    Parameters
    ----------
    raster, rows, columns
        As :func:`geo.raster.kernels.samples.sample_bilinear` takes them; from one node
        to the next there is at least one column.
    across
        Of the columns.
    scale
        Steps to one of the values of the raster.
    runs, curve, totals
        As :func:`geo.raster.kernels.scores.sum_values` takes them; totals are in steps
        of ``2⁻¹⁶`` of those.
    """
    # Names of their own, since a field of a tuple is taken out anew each time.
    sums, bounds, corners = totals.sums, totals.bounds, curve.at
    row, start, stop, group = runs.row, runs.start, runs.stop, runs.group
    at, place, before = across.at, across.place, across.before
    ends, first, last = across.end, across.first, across.last
    step = 1.0 / (scale * _WHOLE)
    known, down = -1, 0.0
    upper = lower = raster[0]
    for i in range(len(row)):
        r, g, c, stop_of_run = row[i], group[i], start[i], stop[i]
        if g < 0:
            continue
        if r != known:
            known, down = r, rows.part[r]
            upper, lower = raster[rows.at[r]], raster[rows.at[r] + 1]
        # From column to column of the field, as if all had values and the whole
        # run lay in one stretch of the membership. Both hold nearly always.
        k = at[c]
        one = (1.0 - down) * upper[k] + down * lower[k]
        other = (1.0 - down) * upper[k + 1] + down * lower[k + 1]
        check = one + other
        left = np.int64(np.rint(one * scale))
        right = np.int64(np.rint(other * scale))
        base, rise = left << PLACE, right - left
        low = high = base + rise * place[c]
        begin, end, so_far, total = c, ends[k], before[c], np.int64(0)
        while end < stop_of_run:
            until = before[end]
            total += (end - begin) * base + rise * (until - so_far)
            tail = base + rise * last[k]
            k += 1
            other = (1.0 - down) * upper[k + 1] + down * lower[k + 1]
            check += other
            left, right = right, np.int64(np.rint(other * scale))
            base, rise = left << PLACE, right - left
            ahead = base + rise * first[k]
            low, high = min(low, tail, ahead), max(high, tail, ahead)
            begin, end, so_far = end, ends[k], until
        total += (stop_of_run - begin) * base
        total += rise * (before[stop_of_run] - so_far)
        tail = base + rise * place[stop_of_run - 1]
        a, b = min(low, tail) * step, max(high, tail) * step
        stretch = stretch_of(a, corners)
        if isfinite(check) and stretch == stretch_of(b, corners):
            add_steps(sums, g, stretch, stop_of_run - c, total)
            widen(bounds, g, a, b)
        else:
            _sum_pieces(raster, rows, columns, across, scale, i, runs, curve, totals)


@njit(cache=True, nogil=True)
def _piece(
    raster: Floats,
    rows: Places,
    columns: Places,
    across: Across,
    scale: float,
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
        return across.end[k], base << PLACE, rise
    # Beside a node without a value: one cell at a time.
    value = _four_cells(raster, row, down, k, columns.part[c])
    return c + 1, np.int64(np.rint(value * scale * _WHOLE)), np.int64(0)


@njit(cache=True, nogil=True)
def _sum_pieces(
    raster: Floats,
    rows: Places,
    columns: Places,
    across: Across,
    scale: float,
    i: int,
    runs: Stretches,
    curve: Curve,
    totals: Totals,
) -> None:
    """Add up one run, wherever its values lie; parameters as for the whole."""
    step, corners = 1.0 / (scale * _WHOLE), curve.at
    place, before = across.place, across.before
    r, c, stop, g = runs.row[i], runs.start[i], runs.stop[i], runs.group[i]
    while c < stop:
        end, base, rise = _piece(raster, rows, columns, across, scale, r, c)
        end = min(end, stop)
        a, b = (base + rise * place[c]) * step, (base + rise * place[end - 1]) * step
        stretch = stretch_of(a, corners)
        if stretch == stretch_of(b, corners):
            total = (end - c) * base + rise * (before[end] - before[c])
            add_steps(totals.sums, g, stretch, end - c, total)
        else:
            for m in range(c, end):
                steps = base + rise * place[m]
                stretch = stretch_of(steps * step, corners)
                add_steps(totals.sums, g, stretch, 1, steps)
        widen(totals.bounds, g, min(a, b), max(a, b))
        c = end


@njit(cache=True, nogil=True)
def grade_smooth(
    raster: Floats,
    rows: Places,
    columns: Places,
    across: Across,
    scale: float,
    runs: Stretches,
    curve: Curve,
    score: Any,
) -> None:
    """Add the memberships of a measure that a coarser raster gives to scores.

    Parameters
    ----------
    raster, rows, columns, across, scale, runs
        As for :func:`sum_smooth`.
    curve
        How to grade; nothing is added if it has no corners.
    score
        Scores of cells, which grow by weight times membership; shape
        ``(rows, columns)``.
    """
    if len(curve.at) == 0:
        return
    # Names of their own, since a field of a tuple is taken out anew each time.
    row, start, stop = runs.row, runs.start, runs.stop
    place, step = across.place, 1.0 / (scale * _WHOLE)
    values, grades = np.empty(len(place)), np.empty(len(place))
    n, i = len(row), 0
    while i < n:
        # The cells of all runs of a row side by side.
        r, first, count = row[i], i, 0
        while i < n and row[i] == r:
            c = start[i]
            while c < stop[i]:
                end, base, rise = _piece(raster, rows, columns, across, scale, r, c)
                end = min(end, stop[i])
                for m in range(c, end):
                    values[count + m - c] = (base + rise * place[m]) * step
                count += end - c
                c = end
            i += 1
        grade(values[:count], curve, grades[:count])
        count = 0
        for j in range(first, i):
            for c in range(start[j], stop[j]):
                score[r, c] += grades[count]
                count += 1


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

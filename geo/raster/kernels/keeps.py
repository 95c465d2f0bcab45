"""Which cells are kept: those whose measures are within limits, or of some classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo.raster.kernels.horn import aspect_row, tan2_row
from geo.raster.kernels.samples import Places, blend, blend_rows, new_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_KNOWN = 32
"""Classes that are compared with many cells at a time, at the most."""

_LANES = 128
"""Cells of which a sum fits into a byte."""


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
def keep_others(barred: Bools, mask: Bools) -> None:
    """Unmark cells that are barred.

    Parameters
    ----------
    barred
        1 where a cell must not count, else 0, shape ``(rows, columns)``.
    mask
        As for :func:`keep_range`.
    """
    rows, columns = barred.shape
    for r in range(rows):
        row, kept = barred[r], mask[r]
        for c in range(columns):
            kept[c] &= np.uint8(row[c] ^ np.uint8(1))


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
def count_codes(values: Any, mask: Bools, counts: Ints) -> None:
    """Count the cells of each class.

    Parameters
    ----------
    values
        Codes, 0 or above, shape ``(rows, columns)``.
    mask
        1 where a cell counts, at least as many columns.
    counts
        Grows, one for each code.

    Notes
    -----
    Codes that were met before are compared with many cells at a time. Only in a row
    where these are not all, cells are taken one by one.
    """
    rows, columns = values.shape
    known = np.empty(_KNOWN, values.dtype)
    found = np.empty(_KNOWN, np.int64)
    n = 0
    for code in range(len(counts)):
        if counts[code] > 0 and n < _KNOWN:
            known[n] = code
            n += 1
    for r in range(rows):
        row, kept = values[r], mask[r]
        left = 0
        for c in range(columns):
            left += kept[c]
        for k in range(n):
            found[k] = _count_code(row, kept, known[k])
            left -= found[k]
        if left == 0:
            for k in range(n):
                counts[known[k]] += found[k]
            continue
        for c in range(columns):
            code = row[c]
            if kept[c]:
                if counts[code] == 0 and n < _KNOWN:
                    known[n] = code
                    n += 1
                counts[code] += 1


@njit(cache=True, nogil=True)
def _count_code(row: Any, kept: Bools, code: Any) -> Any:
    """Count the cells of a row that are of a class."""
    total, whole = 0, len(row) // _LANES * _LANES
    for first in range(0, whole, _LANES):
        # A byte for the sum, so that the compiler takes as many cells as it can.
        some: Any = np.uint8(0)
        for k in range(_LANES):
            some = np.uint8(some + (np.uint8(row[first + k] == code) & kept[first + k]))
        total += some
    for c in range(whole, len(row)):
        total += np.uint8(row[c] == code) & kept[c]
    return total


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

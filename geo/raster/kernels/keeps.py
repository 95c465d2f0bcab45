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

EIGHT = np.uint64(0x0101010101010101)
"""Eight bytes of 1."""


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

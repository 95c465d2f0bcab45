"""What a TIFF's predictors did to the rows of a block before compression, undone.

Predictor 2 [1]_ leaves in each cell its difference from the one to its left, as a
whole number that wraps. Predictor 3 [2]_ puts the highest bytes of the numbers of a row
first, then the next, down to the lowest, and leaves of each byte its difference from
the one before. Each sum waits for the one before it: bytes are summed within words of
eight first, many words at a time, so that only one sum a word has to wait. Rows know
nothing of each other, and cells are summed in four of them side by side.

References
----------
.. [1] Adobe, "TIFF Revision 6.0", 1992, section 14.
.. [2] Adobe Photoshop TIFF Technical Note 3, 2005.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EVEN = np.uint64(0x00FF00FF00FF00FF)
"""Every second byte of a word, so that sums of bytes have room."""

_ONE, _TWO, _THREE = np.uint32(8), np.uint32(16), np.uint32(24)
"""Bits of so many bytes."""

_NAN = np.uint32(0x7FC00000)

_BYTE, _PAIR, _FOUR, _LAST = np.uint64(8), np.uint64(16), np.uint64(32), np.uint64(48)
_LOW = np.uint64(255)


@njit(cache=True, nogil=True)
def _sum_row(
    row: NDArray[np.uint64], pairs: NDArray[np.uint64], before: NDArray[np.uint64]
) -> None:
    """Turn differences of bytes along a row into the bytes, in place.

    Parameters
    ----------
    row
        Eight bytes each, the first the lowest, shape ``(words,)``.
    pairs, before
        Memory to work with, of the same shape.
    """
    for i in range(len(row)):
        # In each sixteen bits the sum of two bytes, then of all up to these.
        sums = (row[i] & _EVEN) + ((row[i] >> _BYTE) & _EVEN)
        sums += sums << _PAIR
        pairs[i] = sums + (sums << _FOUR)
    total = np.uint64(0)
    for i in range(len(row)):
        before[i] = total
        total += pairs[i] >> _LAST
    for i in range(len(row)):
        spread = before[i] & _LOW
        spread |= spread << _PAIR
        spread |= spread << _FOUR
        sums = pairs[i] + spread
        odd = (row[i] >> _BYTE) & _EVEN
        row[i] = ((sums - odd) & _EVEN) | ((sums & _EVEN) << _BYTE)


@njit(cache=True, nogil=True)
def sum_bytes(words: NDArray[np.uint64]) -> None:
    """Turn differences of bytes along rows into the bytes, in place.

    Parameters
    ----------
    words
        Eight bytes each, the first the lowest; shape ``(rows, words)``.
    """
    pairs, before = np.empty_like(words[0]), np.empty_like(words[0])
    for r in range(len(words)):
        _sum_row(words[r], pairs, before)


@njit(cache=True, nogil=True)
def sum_cells(cells: NDArray[Any]) -> None:
    """Turn differences of cells along rows into the cells, in place.

    Parameters
    ----------
    cells
        Unsigned numbers that wrap, shape ``(rows, columns)``.
    """
    rows, n = cells.shape
    for r in range(0, rows - 3, 4):
        one, two, three, four = cells[r], cells[r + 1], cells[r + 2], cells[r + 3]
        for i in range(1, n):
            one[i] += one[i - 1]
            two[i] += two[i - 1]
            three[i] += three[i - 1]
            four[i] += four[i - 1]
    for r in range(rows - rows % 4, rows):
        one = cells[r]
        for i in range(1, n):
            one[i] += one[i - 1]


@njit(cache=True, nogil=True)
def undo_float32(
    words: NDArray[np.uint64],
    planes: NDArray[np.uint8],
    out: NDArray[np.uint32],
    step: int,
    nodata: np.uint32,
    huge: np.uint32,
) -> None:
    """Undo predictor 3 of float32 numbers; NaN for what is no value.

    Parameters
    ----------
    words, planes
        Differences of bytes, all highest of a row, then all next ones; used up. The
        same memory, shapes ``(rows, words)`` and ``(rows, 4, columns)``.
    out
        Memory from the first number that is wanted to the last, shape ``(n,)``; filled
        with their bits. Rows that lie in it one after the other are written several
        numbers at a time, which those of a part of a matrix are not.
    step
        Numbers from one row in it to the next.
    nodata, huge
        As :func:`geo.raster.kernels.samples.clean` has them, in bits.
    """
    rows = planes.shape[0]
    columns = len(out) - (rows - 1) * step
    # Bits of positive numbers are in the order of the numbers; those of none lie above.
    size, twin = np.uint32(0x7FFFFFFF), nodata
    if nodata & size == 0:
        twin = nodata ^ np.uint32(0x80000000)  # 0 and −0
    pairs, before = np.empty_like(words[0]), np.empty_like(words[0])
    for r in range(rows):
        # Row by row all the way, while it is in the nearest cache.
        _sum_row(words[r], pairs, before)
        a, b, c, d = planes[r, 0], planes[r, 1], planes[r, 2], planes[r, 3]
        line = out[r * step : r * step + columns]
        for i in range(columns):
            high = (np.uint32(a[i]) << _THREE) | (np.uint32(b[i]) << _TWO)
            bits = high | (np.uint32(c[i]) << _ONE) | np.uint32(d[i])
            good = ((bits & size) < huge) & (bits != nodata) & (bits != twin)
            line[i] = bits if good else _NAN


@njit(cache=True, nogil=True)
def join_bytes(planes: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
    """Put numbers together from their bytes.

    Parameters
    ----------
    planes
        All highest bytes of a row, then all next ones; shape ``(rows, size, columns)``.
    out
        Filled, shape ``(rows, columns, size)``, the lowest byte of each number first.
    """
    rows, size, columns = planes.shape
    for r in range(rows):
        for k in range(size):
            plane = planes[r, size - 1 - k]
            for i in range(columns):
                out[r, i, k] = plane[i]

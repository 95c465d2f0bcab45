"""What a TIFF's predictors did to the rows of a block before compression, undone.

Predictor 2 [1]_ leaves in each cell its difference from the one to its left, as a
whole number that wraps. Predictor 3 [2]_ puts the highest bytes of the numbers of a row
first, then the next, down to the lowest, and leaves of each byte its difference from
the one before. Rows know nothing of each other; four are summed side by side, because
each sum waits for the one before it in its row.

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

_SPREAD = np.uint64(0x0001000100010001)
"""Times this, each sixteen bits of a word become the sum of theirs and those below."""

_ONE, _TWO, _THREE = np.uint32(8), np.uint32(16), np.uint32(24)
"""Bits of so many bytes."""

_NAN = np.uint32(0x7FC00000)

_BYTE, _LAST, _LOW = np.uint64(8), np.uint64(48), np.uint64(255)


@njit(cache=True, nogil=True)
def _next(word: Any, before: Any) -> Any:
    """Sum the bytes of a word one by one, and tell the last sum, spread.

    Parameters
    ----------
    word
        Eight bytes, the first the lowest.
    before
        Sum of all bytes before them, in each sixteen bits.
    """
    odd = (word >> _BYTE) & _EVEN
    pairs = ((word & _EVEN) + odd) * _SPREAD + before
    sums = ((pairs - odd) & _EVEN) | ((pairs & _EVEN) << _BYTE)
    return sums, ((pairs >> _LAST) & _LOW) * _SPREAD


@njit(cache=True, nogil=True)
def sum_bytes(words: NDArray[np.uint64]) -> None:
    """Turn differences of bytes along rows into the bytes, in place.

    Parameters
    ----------
    words
        Eight bytes each, the first the lowest; shape ``(rows, words)``.
    """
    rows, n = words.shape
    zero = np.uint64(0)
    for r in range(0, rows - 3, 4):
        one, two, three, four = words[r], words[r + 1], words[r + 2], words[r + 3]
        a, b, c, d = zero, zero, zero, zero
        for i in range(n):
            one[i], a = _next(one[i], a)
            two[i], b = _next(two[i], b)
            three[i], c = _next(three[i], c)
            four[i], d = _next(four[i], d)
    for r in range(rows - rows % 4, rows):
        one, a = words[r], zero
        for i in range(n):
            one[i], a = _next(one[i], a)


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
    for top in range(0, rows, 4):
        # Four at a time all the way, while they are in the nearest cache.
        bottom = min(top + 4, rows)
        sum_bytes(words[top:bottom])
        for r in range(top, bottom):
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

"""Order along a space-filling curve, so that neighbours in space come close together.

References
----------
.. [1] G. M. Morton, "A computer oriented geodetic data base and a new technique in
   file sequencing", IBM Ltd., Ottawa, 1966.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_DIGIT_BITS = 8
_DIGITS = 6


def morton_order(lonlat: Floats) -> Ints:
    """Rows of places in the order of Morton's curve.

    Parameters
    ----------
    lonlat
        Places, shape ``(n, 2)``. [degrees]

    Returns
    -------
    numpy.ndarray
        The rows, shape ``(n,)``; places in one cell of the curve keep their order.
        The extent of the places is cut into 2²⁴ cells each way.

    Examples
    --------
    >>> places = np.array([[0.0, 0.0], [9.0, 9.0], [1.0, 0.0], [9.0, 8.0]])
    >>> morton_order(places).tolist()
    [0, 2, 3, 1]
    """
    if not len(lonlat):
        return np.empty(0, dtype=np.intp)
    return np.asarray(_sorted_rows(_keys(lonlat)), dtype=np.intp)


@njit(nogil=True, cache=True)
def _keys(lonlat: Floats) -> NDArray[np.uint64]:
    """Interleave the bits of the columns and rows of cells."""
    low, scale = np.empty(2), np.empty(2)
    for axis in range(2):
        low[axis], high = lonlat[0, axis], lonlat[0, axis]
        for i in range(len(lonlat)):
            low[axis] = min(low[axis], lonlat[i, axis])
            high = max(high, lonlat[i, axis])
        cells = 2.0 ** (_DIGITS * _DIGIT_BITS // 2) - 1.0
        scale[axis] = cells / max(high - low[axis], 1e-9)
    keys = np.empty(len(lonlat), dtype=np.uint64)
    for i in range(len(lonlat)):
        key = np.uint64(0)
        for axis in range(2):
            bits = np.uint64((lonlat[i, axis] - low[axis]) * scale[axis])
            bits = (bits | (bits << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
            bits = (bits | (bits << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
            bits = (bits | (bits << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
            bits = (bits | (bits << np.uint64(2))) & np.uint64(0x3333333333333333)
            bits = (bits | (bits << np.uint64(1))) & np.uint64(0x5555555555555555)
            key |= bits << np.uint64(axis)
        keys[i] = key
    return keys


@njit(nogil=True, cache=True)
def _sorted_rows(keys: NDArray[np.uint64]) -> Ints:
    """Rows by rising key: radix sort, one digit a pass."""
    n = len(keys)
    rows, spare = np.arange(n), np.empty(n, dtype=np.intp)
    moved = np.empty(n, dtype=np.uint64)
    mask = np.uint64((1 << _DIGIT_BITS) - 1)
    place = np.empty(1 << _DIGIT_BITS, dtype=np.intp)
    for digit in range(_DIGITS):
        shift = np.uint64(digit * _DIGIT_BITS)
        place[:] = 0
        for t in range(n):
            place[(keys[t] >> shift) & mask] += 1
        begin = 0
        for t in range(len(place)):
            begin, place[t] = begin + place[t], begin
        for t in range(n):
            bucket = (keys[t] >> shift) & mask
            at = place[bucket]
            spare[at] = rows[t]
            moved[at] = keys[t]
            place[bucket] = at + 1
        rows, spare = spare, rows
        keys, moved = moved, keys
    return rows

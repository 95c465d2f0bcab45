"""Columns of rows as bits, 64 to a word: a stretch of them is set a word at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Words = NDArray[np.uint64]

_SIX, _REST, _ONE = np.uint64(6), np.uint64(63), np.uint64(1)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@njit(nogil=True, cache=True, error_model="numpy")
def set_bits(bits: Words, row: int, start: int, stop: int) -> None:
    """Set the bits of some columns of a row.

    Parameters
    ----------
    bits
        Shape ``(rows, words)``; the first column of a word is its lowest bit.
    row
        Which row.
    start, stop
        The first column and the one after the last, which is not before the first.
    """
    first, last = np.uint64(start), np.uint64(stop - 1)
    word, end = first >> _SIX, last >> _SIX
    here = _ALL << (first & _REST)
    there = _ALL >> (_REST - (last & _REST))
    # Short stretches lie in one word or two, as it happens: a branch would be guessed.
    alone = word == end
    bits[row, word] |= here & (there if alone else _ALL)
    bits[row, end] |= there & (here if alone else _ALL)
    for w in range(word + _ONE, end):
        bits[row, w] = _ALL


@njit(nogil=True, cache=True, error_model="numpy")
def spread_bits(bits: Words, line: Bytes) -> None:
    """Mark the columns of a row whose bits are set, and clear the bits.

    Parameters
    ----------
    bits
        Of one row, shape ``(words,)``; none is set beyond the columns.
    line
        Shape ``(columns,)``. Set to 1 where a bit is set, left as it is elsewhere.
    """
    for w in range(len(bits)):
        word = bits[w]
        if word == np.uint64(0):
            continue
        bits[w] = np.uint64(0)
        part = line[64 * w : 64 * w + 64]
        for k in range(len(part)):
            part[k] |= np.uint8((word >> np.uint64(k)) & _ONE)

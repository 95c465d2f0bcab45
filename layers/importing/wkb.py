"""WKB looked at in bulk: which of it is plainly right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_PLAIN = (
    # How each begins, the least byte first; at least how many points; if they close.
    (bytes((1, 2, 0, 0, 0)), 2, False),
    (bytes((1, 3, 0, 0, 0, 1, 0, 0, 0)), 4, True),
    (bytes((1, 5, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0)), 2, False),
    (bytes((1, 6, 0, 0, 0, 1, 0, 0, 0, 1, 3, 0, 0, 0, 1, 0, 0, 0)), 4, True),
)
"""Lines, polygons of one ring, and the same as the one part of several."""


def are_plain(values: pa.Array) -> NDArray[np.bool_]:
    """Find the lines and rings that any reader takes, without reading each.

    Parameters
    ----------
    values
        WKB, which may hold nulls, and may be anything, shape ``(n,)``.

    Returns
    -------
    numpy.ndarray
        Whether a row is one line, or one ring that closes, little-endian and in two
        dimensions, its length that of its points, shape ``(n,)``.
    """
    n = len(values)
    plain = np.zeros(n, dtype=np.bool_)
    _, offsets, content = values.buffers()
    if content is None or n == 0:
        return plain
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: n + 1].astype(np.int64)
    lengths = np.diff(ends)
    words, numbers = _at_every_byte(content, "<u4"), _at_every_byte(content, "<f8")
    for head, least, closes in _PLAIN:
        skipped = len(head) + 4
        rows = np.flatnonzero(lengths >= skipped + 16 * least)
        for at in (*range(0, len(head) - 4, 4), len(head) - 4):
            word = int.from_bytes(head[at : at + 4], "little")
            rows = rows[words[ends[rows] + at] == word]
        start, stop = ends[rows] + skipped, ends[rows + 1]
        good = stop - start == 16 * words[start - 4].astype(np.int64)
        if closes:
            good &= numbers[start] == numbers[stop - 16]
            good &= numbers[start + 8] == numbers[stop - 8]
        plain[rows[good]] = True
    if values.null_count:
        plain &= values.is_valid().to_numpy(zero_copy_only=False)
    return plain


def _at_every_byte(content: pa.Buffer, kind: str) -> NDArray[np.generic]:
    """See bytes as numbers that begin at each of them, without a copy."""
    wanted = np.dtype(kind)
    count = max(0, content.size - wanted.itemsize + 1)
    return np.ndarray((count,), wanted, buffer=content, strides=(1,))

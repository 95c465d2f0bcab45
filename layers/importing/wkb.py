"""WKB looked at in bulk: which of it is plainly right, and its coordinates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_PLAIN = (
    # How each begins, the least byte first; at least how many points; if they close.
    ((1, 2, 0, 0, 0), 2, False),
    ((1, 3, 0, 0, 0, 1, 0, 0, 0), 4, True),
    ((1, 5, 0, 0, 0, 1, 0, 0, 0, 1, 2, 0, 0, 0), 2, False),
    ((1, 6, 0, 0, 0, 1, 0, 0, 0, 1, 3, 0, 0, 0, 1, 0, 0, 0), 4, True),
)
"""Lines, polygons of one ring, and the same as the one part of several."""


def plain_coordinates(
    values: pa.Array,
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Find the lines and rings that any reader takes, without reading each.

    Parameters
    ----------
    values
        WKB, which may hold nulls, and may be anything, shape ``(n,)``.

    Returns
    -------
    plain : numpy.ndarray
        Whether a row is one line, or one ring that closes, little-endian and in two
        dimensions, its length that of its points, shape ``(n,)``.
    xy : numpy.ndarray
        Points of those rows, shape ``(m, 2)``; may be not finite.
    """
    n = len(values)
    plain = np.zeros(n, dtype=np.bool_)
    _, offsets, content = values.buffers()
    if content is None or n == 0:
        return plain, np.empty((0, 2))
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: n + 1].astype(np.int64)
    text = np.frombuffer(content, np.uint8)
    begins = np.zeros(n, np.int64)
    for head, least, closes in _PLAIN:
        skipped = len(head) + 4
        rows = np.flatnonzero(np.diff(ends) >= skipped + 16 * least)
        rows = rows[text[ends[rows] + 1] == head[1]]
        for i, byte in enumerate(head):
            rows = rows[text[ends[rows] + i] == byte]
        start, stop = ends[rows] + skipped, ends[rows + 1]
        counts = _gathered(text, start - 4, 4).view("<u4")[:, 0].astype(np.int64)
        good = stop - start == 16 * counts
        if closes:
            first = _gathered(text, start, 16).view("<f8")
            last = _gathered(text, stop - 16, 16).view("<f8")
            good &= (first[:, 0] == last[:, 0]) & (first[:, 1] == last[:, 1])
        rows, start = rows[good], start[good]
        plain[rows] = True
        begins[rows] = start
    if values.null_count:
        plain &= values.is_valid().to_numpy(zero_copy_only=False)
    bytes_of = memoryview(content)
    rows = np.flatnonzero(plain)
    pairs = zip(begins[rows].tolist(), ends[rows + 1].tolist(), strict=True)
    joined = b"".join([bytes_of[begin:end] for begin, end in pairs])
    return plain, np.frombuffer(joined, "<f8").reshape(-1, 2)


def _gathered(
    text: NDArray[np.uint8], at: NDArray[np.int64], length: int
) -> NDArray[np.uint8]:
    """Take bytes from each of several places, shape ``(n, length)``."""
    return np.asarray(text[at[:, None] + np.arange(length)], dtype=np.uint8)

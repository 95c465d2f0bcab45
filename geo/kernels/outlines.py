"""Polygons in WKB looked at where they lie: their boxes, and whether they are valid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.simplicity import proves_valid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bytes = NDArray[np.uint8]

_POLYGON, _MULTIPOLYGON = 3, 6
_PARTS_AT_MOST = 64
_LONG_EDGE = 180.0


@njit(nogil=True, cache=True)
def look_at_polygons(content: Bytes, ends: Ints, kinds: Ints, boxes: Floats) -> None:
    """Find the polygons that are valid beyond doubt, and their boxes.

    Parameters
    ----------
    content
        WKB of all rows, one after another; may be anything.
    ends
        Where each row starts in ``content``, and where the last ends, rising, shape
        ``(n + 1,)``.
    kinds
        Receives 3 for a polygon and 6 for one of several parts, shape ``(n,)``; 0 for
        what is another geometry or none, is not proved valid, has parts whose boxes
        meet, or a step of more than 180 in x.
    boxes
        Receives least x and y, largest x and y, shape ``(n, 4)``; left as it is for
        kind 0.

    Notes
    -----
    Only little-endian WKB in two dimensions is read, and never beyond a row's end.
    """
    scratch = np.empty((64, 2))
    starts = np.empty(8, np.int64)
    parts = np.empty((_PARTS_AT_MOST, 4))
    for row in range(len(ends) - 1):
        at, end = ends[row], ends[row + 1]
        kinds[row] = 0
        kind, count = _head(content, at, end)
        number = 1
        if kind == _MULTIPOLYGON:
            if not 1 <= count <= _PARTS_AT_MOST:
                continue
            number = count
            at += 9
        elif kind != _POLYGON:
            continue
        good = True
        for part in range(number):
            inner, rings = _head(content, at, end)
            if inner != _POLYGON or not 1 <= rings <= (end - at) // 4:
                good = False
                break
            if rings + 1 > len(starts):
                starts = np.empty(2 * rings + 2, np.int64)
            after, points = _measure(content, at + 9, end, rings, starts)
            if after < 0:
                good = False
                break
            if points > len(scratch):
                scratch = np.empty((2 * points, 2))
            _copy(content, at + 9, starts[: rings + 1], scratch)
            at = after
            if not _boxed(scratch, starts[1], points, parts[part]) or not proves_valid(
                scratch[:points], starts[: rings + 1]
            ):
                good = False
                break
        if good and at == end and _parts_apart(parts[:number]):
            kinds[row] = kind
            boxes[row] = parts[0]
            for part in range(1, number):
                boxes[row, 0] = min(boxes[row, 0], parts[part, 0])
                boxes[row, 1] = min(boxes[row, 1], parts[part, 1])
                boxes[row, 2] = max(boxes[row, 2], parts[part, 2])
                boxes[row, 3] = max(boxes[row, 3], parts[part, 3])


@njit(nogil=True, cache=True)
def _word(content: Bytes, at: int) -> int:
    """Four bytes as a number, the least first."""
    return int(
        np.int64(content[at])
        | np.int64(content[at + 1]) << 8
        | np.int64(content[at + 2]) << 16
        | np.int64(content[at + 3]) << 24
    )


@njit(nogil=True, cache=True)
def _head(content: Bytes, at: int, end: int) -> tuple[int, int]:
    """Kind of a geometry and how many parts it has; -1 if it has no such head."""
    if end - at < 9 or content[at] != 1:
        return -1, 0
    return _word(content, at + 1), _word(content, at + 5)


@njit(nogil=True, cache=True)
def _measure(
    content: Bytes, at: int, end: int, rings: int, starts: Ints
) -> tuple[int, int]:
    """Note where rings start; return where they end, or -1, and the points."""
    points = 0
    for ring in range(rings):
        starts[ring] = points
        if end - at < 4:
            return -1, 0
        count = _word(content, at)
        at += 4
        if count > (end - at) // 16:
            return -1, 0
        at += 16 * count
        points += count
    starts[rings] = points
    return at, points


@njit(nogil=True, cache=True)
def _copy(content: Bytes, at: int, starts: Ints, scratch: Floats) -> None:
    """Copy the points of rings to where they are numbers.

    A place that cannot be negative needs no look: bytes are then copied many at once.
    """
    raw = scratch.view(np.uint8).reshape(-1)
    for ring in range(len(starts) - 1):
        at += 4
        to, start = np.uint64(16 * starts[ring]), np.uint64(at)
        length = 16 * (starts[ring + 1] - starts[ring])
        for i in range(np.uint64(length)):
            raw[to + i] = content[start + i]
        at += length


@njit(nogil=True, cache=True)
def _boxed(xy: Floats, shell: int, points: int, box: Floats) -> bool:
    """Find the box of a shell; False if a number is not finite or a step is long."""
    if shell < 4:
        return False
    for i in range(points):
        if not (np.isfinite(xy[i, 0]) and np.isfinite(xy[i, 1])):
            return False
    box[0] = box[2] = xy[0, 0]
    box[1] = box[3] = xy[0, 1]
    for i in range(1, shell):
        x, y = xy[i, 0], xy[i, 1]
        if abs(x - xy[i - 1, 0]) > _LONG_EDGE:
            return False
        box[0], box[2] = min(box[0], x), max(box[2], x)
        box[1], box[3] = min(box[1], y), max(box[3], y)
    return True


@njit(nogil=True, cache=True)
def _parts_apart(boxes: Floats) -> bool:
    """Tell whether no two boxes touch."""
    for i in range(len(boxes)):
        for j in range(i):
            if (
                boxes[i, 0] <= boxes[j, 2]
                and boxes[j, 0] <= boxes[i, 2]
                and boxes[i, 1] <= boxes[j, 3]
                and boxes[j, 1] <= boxes[i, 3]
            ):
                return False
    return True

"""Rings proved simple, and polygons proved valid, without building a shape.

A proof is exact: no rounding can make it wrong. What is not proved may still be valid,
such as a ring with a repeated point; that is for GEOS to say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.orientation import turn

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_FEW = 48
_LEAST, _MOST = 1e-100, 1e100
_PAIRS_A_SEGMENT = 64


@njit(nogil=True, cache=True)
def proves_valid(xy: Floats, starts: Ints) -> bool:
    """Prove a polygon valid.

    Parameters
    ----------
    xy
        Points of all its rings, shape ``(n, 2)``: the shell first, then the holes.
    starts
        Where each ring starts in ``xy``, and ``n``, shape ``(rings + 1,)``.

    Returns
    -------
    bool
        True if every ring is closed and simple, no two rings meet, each hole lies in
        the shell and the boxes of the holes are apart. False if that is not so, or is
        not proved: where points repeat, where numbers are not finite or too small or
        large for exact arithmetic, or where very many segments lie side by side.

    Examples
    --------
    >>> square = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1], [0, 0]])
    >>> bow = square[[0, 2, 1, 3, 0]]
    >>> starts = np.array([0, 5])
    >>> proves_valid(square, starts), proves_valid(bow, starts)
    (True, False)
    """
    rings = len(starts) - 1
    if rings < 1:
        return False
    for ring in range(rings):
        if not _is_exact(xy, starts[ring], starts[ring + 1]):
            return False
    if rings == 1 and _is_star(xy, starts[1]):
        return True
    for ring in range(rings):
        if not _turns_well(xy, starts[ring], starts[ring + 1]):
            return False
    few = starts[rings] <= _FEW
    apart = _apart_one_by_one(xy, starts) if few else _apart_by_sweep(xy, starts)
    return apart and _holes_lie_well(xy, starts)


@njit(nogil=True, cache=True)
def _holes_lie_well(xy: Floats, starts: Ints) -> bool:
    """Tell whether holes lie in the shell, and not within each other."""
    for ring in range(1, len(starts) - 1):
        if not _is_inside(xy, 0, starts[1], starts[ring]):
            return False
        for other in range(1, ring):
            if not _boxes_apart(
                xy, starts[ring], starts[ring + 1], starts[other], starts[other + 1]
            ):
                return False
    return True


@njit(nogil=True, cache=True)
def _is_exact(xy: Floats, begin: int, end: int) -> bool:
    """Tell whether a ring is closed, and its numbers let `turn` be exact."""
    if end - begin < 4:
        return False
    last = end - 1
    if xy[begin, 0] != xy[last, 0] or xy[begin, 1] != xy[last, 1]:
        return False
    for i in range(begin, last):
        for k in range(2):
            size = abs(xy[i, k])
            if size != 0 and not (_LEAST <= size <= _MOST):
                return False
    return True


@njit(nogil=True, cache=True)
def _is_star(xy: Floats, end: int) -> bool:
    """Tell whether a ring goes once round its middle and never turns back.

    Such a ring is simple. It is the cheap proof, and does for most small shapes.
    """
    x = y = 0.0
    for i in range(end - 1):
        x += xy[i, 0] / (end - 1)
        y += xy[i, 1] / (end - 1)
    if (x != 0 and abs(x) < _LEAST) or (y != 0 and abs(y) < _LEAST):
        return False
    way = turn(x, y, xy[0, 0], xy[0, 1], xy[1, 0], xy[1, 1])
    if way == 0:
        return False
    rounds = 0
    for i in range(end - 1):
        ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
        if turn(x, y, ax, ay, bx, by) != way:
            return False
        rounds += ay < y <= by
    return rounds == 1


@njit(nogil=True, cache=True)
def _turns_well(xy: Floats, begin: int, end: int) -> bool:
    """Tell whether no segment of a ring is a point or folds back."""
    last = end - 1
    for i in range(begin, last):
        j = i + 1
        k = begin + 1 if j == last else j + 1
        if xy[i, 0] == xy[j, 0] and xy[i, 1] == xy[j, 1]:
            return False
        ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[j, 0], xy[j, 1]
        cx, cy = xy[k, 0], xy[k, 1]
        if turn(ax, ay, bx, by, cx, cy) == 0 and (
            (ax < bx) != (bx < cx)
            or (ax > bx) != (bx > cx)
            or (ay < by) != (by < cy)
            or (ay > by) != (by > cy)
        ):
            return False
    return True


@njit(nogil=True, cache=True)
def _apart(xy: Floats, i: int, j: int) -> bool:
    """Tell whether the segments from points i and j to the next ones do not touch."""
    ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
    cx, cy, dx, dy = xy[j, 0], xy[j, 1], xy[j + 1, 0], xy[j + 1, 1]
    if ax < cx and ax < dx and bx < cx and bx < dx:
        return True
    if ax > cx and ax > dx and bx > cx and bx > dx:
        return True
    if ay < cy and ay < dy and by < cy and by < dy:
        return True
    if ay > cy and ay > dy and by > cy and by > dy:
        return True
    side = turn(ax, ay, bx, by, cx, cy)
    if side != 0 and side == turn(ax, ay, bx, by, dx, dy):
        return True
    side = turn(cx, cy, dx, dy, ax, ay)
    return side != 0 and side == turn(cx, cy, dx, dy, bx, by)


@njit(nogil=True, cache=True)
def _apart_one_by_one(xy: Floats, starts: Ints) -> bool:
    """Tell whether no two segments touch but neighbours in a ring: each with each."""
    rings = len(starts) - 1
    for ring in range(rings):
        begin, last = starts[ring], starts[ring + 1] - 1
        for i in range(begin, last):
            final = last - 1 if i == begin else last
            for j in range(i + 2, final):
                if not _apart(xy, i, j):
                    return False
            for other in range(ring + 1, rings):
                for j in range(starts[other], starts[other + 1] - 1):
                    if not _apart(xy, i, j):
                        return False
    return True


@njit(nogil=True, cache=True)
def _apart_by_sweep(xy: Floats, starts: Ints) -> bool:
    """Tell the same by their least x; False if too many lie side by side."""
    rings = len(starts) - 1
    count = starts[rings] - rings
    segments = np.empty(count, np.int64)
    after, before = np.empty(count, np.int64), np.empty(count, np.int64)
    low = np.empty(count)
    n = 0
    for ring in range(rings):
        begin, last = starts[ring], starts[ring + 1] - 1
        for i in range(begin, last):
            segments[n] = i
            after[n] = begin if i == last - 1 else i + 1
            before[n] = last - 1 if i == begin else i - 1
            low[n] = min(xy[i, 0], xy[i + 1, 0])
            n += 1
    order = np.argsort(low)
    left = _PAIRS_A_SEGMENT * count
    for a in range(count):
        one = order[a]
        i = segments[one]
        high = max(xy[i, 0], xy[i + 1, 0])
        for b in range(a + 1, count):
            other = order[b]
            if low[other] > high:
                break
            left -= 1
            if left < 0:
                return False
            j = segments[other]
            if j == after[one] or j == before[one]:
                continue
            if not _apart(xy, i, j):
                return False
    return True


@njit(nogil=True, cache=True)
def _is_inside(xy: Floats, begin: int, end: int, point: int) -> bool:
    """Tell whether a point that is on no segment of a ring lies within it."""
    x, y = xy[point, 0], xy[point, 1]
    inside = False
    for i in range(begin, end - 1):
        ax, ay, bx, by = xy[i, 0], xy[i, 1], xy[i + 1, 0], xy[i + 1, 1]
        if (ay > y) != (by > y) and (turn(ax, ay, bx, by, x, y) > 0) == (by > ay):
            inside = not inside
    return inside


@njit(nogil=True, cache=True)
def _boxes_apart(xy: Floats, begin: int, end: int, first: int, last: int) -> bool:
    """Tell whether the boxes of two ranges of points do not touch."""
    for k in range(2):
        low, high = xy[begin, k], xy[begin, k]
        for i in range(begin + 1, end):
            low, high = min(low, xy[i, k]), max(high, xy[i, k])
        least, most = xy[first, k], xy[first, k]
        for i in range(first + 1, last):
            least, most = min(least, xy[i, k]), max(most, xy[i, k])
        if high < least or most < low:
            return True
    return False

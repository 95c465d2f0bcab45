"""Runs: cells of a tile as stretches of rows, and the connected groups they form.

A run is a row and the columns from ``start`` up to ``stop``, ``stop`` not included.
Runs stand in order of row, then of column. Areas and lengths are whole numbers, as
:mod:`geo.raster.metric` makes them, so that their sums depend on no order.

References
----------
.. [1] C. E. Leiserson, H. Prokop, K. H. Randall, "Using de Bruijn sequences to index a
   1 in a computer word", MIT, 1998.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

GATHER = np.uint64(0x0102040810204080)
"""Times eight bytes of 0 or 1: the same as the eight highest bits."""

_MIX = np.uint64(0x03F79D71B4CB0A89)
"""Times a power of two: its six highest bits are others for each [1]_."""

_EXPONENT = np.array(
    sorted(range(64), key=lambda k: ((int(_MIX) << k) & (2**64 - 1)) >> 58), np.int64
)
"""Which power of two leaves which six bits."""

_ONE, _TOP, _SIX = np.uint64(1), np.uint64(63), np.uint64(58)


@njit(cache=True, nogil=True)
def _bits_of(row: NDArray[np.uint64], first: int, count: int) -> Any:
    """Cells of some words as bits, the first cell lowest."""
    bits = np.uint64(0)
    for k in range(count):
        eight = (row[first + k] * GATHER) >> np.uint64(56)
        bits |= eight << np.uint64(8 * k)
    return bits


@njit(cache=True, nogil=True)
def find_runs(words: NDArray[np.uint64], first: Ints, ends: NDArray[np.int32]) -> int:
    """Write down where runs start and stop.

    Parameters
    ----------
    words
        Eight cells a number, a byte each: 1 where a cell counts, else 0. Shape
        ``(rows, columns / 8)``; the last column is 0.
    first
        Filled with the number of runs before each row, shape ``(rows + 1,)``.
    ends
        Filled with columns: where runs start, and the first ones after them; shape
        ``(2, n)`` with room for one run in two cells.

    Returns
    -------
    int
        How many runs there are.
    """
    n = 0
    for r in range(words.shape[0]):
        first[r] = n >> 1
        row, inside = words[r], np.uint64(0)
        for w in range(0, len(row), 8):
            # 64 cells at a time; a count that is known beforehand is unrolled.
            bits = _bits_of(row, w, 8 if w + 8 <= len(row) else len(row) - w)
            # Where a cell differs from the one before.
            change = bits ^ ((bits << _ONE) | inside)
            inside = bits >> _TOP
            while change:
                lowest = change & (~change + _ONE)
                ends[n & 1, n >> 1] = 8 * w + _EXPONENT[(lowest * _MIX) >> _SIX]
                change ^= lowest
                n += 1
    first[len(words)] = n >> 1
    return n >> 1


@njit(cache=True, nogil=True)
def root_of(parent: Ints, i: int) -> int:
    """Find the first member of a group, and shorten the way there.

    Parameters
    ----------
    parent
        An earlier member of each one's group, or itself, shape ``(n,)``.
    i
        A member.

    Returns
    -------
    int
        The first member.
    """
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@njit(cache=True, nogil=True)
def join(parent: Ints, a: int, b: int) -> None:
    """Make one group of two; its first member stays the first.

    Parameters
    ----------
    parent
        As :func:`root_of`.
    a, b
        A member of each.
    """
    a, b = root_of(parent, a), root_of(parent, b)
    if a < b:
        parent[b] = a
    else:
        parent[a] = b


@njit(cache=True, nogil=True)
def _join_row(
    parent: Ints,
    start: Small,
    stop: Small,
    above: int,
    first: int,
    last: int,
    reach: int,
    overlap: Ints,
) -> None:
    """Join the runs of a row to those of the one above that they touch.

    Parameters
    ----------
    parent
        As :func:`root_of`, filled for the row, shape ``(n,)``.
    start, stop
        Runs, shape ``(n,)``.
    above, first, last
        First run of the row above; of this row; and of the one below.
    reach
        0: runs touch along edges; 1: at corners too.
    overlap
        Filled, for the row, with the columns that runs share with those above, shape
        ``(n,)``.
    """
    a = above
    for b in range(first, last):
        left, right = start[b], stop[b]
        while a < first and stop[a] + reach <= left:
            a += 1
        # The first member of those met so far; of a run that meets none, itself.
        top, shared, k = b, 0, a
        while k < first and start[k] < right + reach:
            shared += max(0, min(stop[k], right) - max(start[k], left))
            root = root_of(parent, k)
            if top == b:
                top = root
            elif root < top:
                parent[top] = root
                top = root
            else:
                parent[root] = top
            k += 1
        parent[b], overlap[b] = top, shared
        # The last one met may go on to the next run.
        a = max(a, k - 1)


@njit(cache=True, nogil=True)
def group_runs(
    first: Ints, start: Small, stop: Small, reach: int, group: Ints, overlap: Ints
) -> int:
    """Join runs that touch, and number the groups they form.

    Parameters
    ----------
    first
        Runs before each row, shape ``(rows + 1,)``.
    start, stop
        Runs, shape ``(n,)``.
    reach
        0: runs touch along edges; 1: at corners too.
    group
        Filled with the group of each run, 0, 1 … in order of their first run, shape
        ``(n,)``.
    overlap
        Filled with the columns that a run shares with those of the row above, shape
        ``(n,)``.

    Returns
    -------
    int
        How many groups there are.
    """
    above = 0
    for r in range(len(first) - 1):
        _join_row(group, start, stop, above, first[r], first[r + 1], reach, overlap)
        above = first[r]
    return number_roots(group)


@njit(cache=True, nogil=True)
def number_roots(parent: Ints) -> int:
    """Turn members that point at earlier ones into numbers of their groups.

    Parameters
    ----------
    parent
        As :func:`root_of`; filled with 0, 1 … in order of the groups' first members.

    Returns
    -------
    int
        How many groups there are.
    """
    count = 0
    for i in range(len(parent)):
        if parent[i] == i:
            parent[i] = count
            count += 1
        else:
            # Those before i are numbered already, and parent[i] is before it.
            parent[i] = parent[parent[i]]
    return count


@njit(cache=True, nogil=True)
def measure_groups(
    first: Ints,
    start: Small,
    stop: Small,
    group: Ints,
    overlap: Ints,
    area: Ints,
    edge: Ints,
    height: Ints,
    cells: Ints,
    areas: Ints,
    around: Ints,
) -> None:
    """Count the cells of groups, and measure their areas and perimeters.

    Parameters
    ----------
    first, start, stop, group, overlap
        As :func:`group_runs` takes and leaves them.
    area, edge, height
        Area of a cell of each row, length of the edge above it (one more than rows),
        height, in whole units.
    cells, areas, around
        Filled: how many cells, their area, and their outline, against holes too;
        shape ``(groups,)``.
    """
    cells[:] = 0
    areas[:] = 0
    around[:] = 0
    for r in range(len(first) - 1):
        for i in range(first[r], first[r + 1]):
            g, n = group[i], stop[i] - start[i]
            cells[g] += n
            areas[g] += n * area[r]
            around[g] += n * (edge[r] + edge[r + 1]) + 2 * height[r]
            around[g] -= 2 * overlap[i] * edge[r]


@njit(cache=True, nogil=True)
def mark_groups_at_borders(
    first: Ints,
    start: Small,
    stop: Small,
    group: Ints,
    borders: NDArray[np.bool_],
    columns: int,
    kept: NDArray[np.bool_],
) -> None:
    """Mark groups that may go on in another tile.

    Parameters
    ----------
    first, start, stop, group
        As :func:`group_runs` takes and leaves them.
    borders
        Whether another tile lies above, below, to the left and to the right.
    columns
        How many columns the tile has.
    kept
        Set to True for those groups, shape ``(groups,)``.
    """
    rows = len(first) - 1
    above, below, left, right = borders
    for r in range(rows):
        for i in range(first[r], first[r + 1]):
            if (
                (above and r == 0)
                or (below and r == rows - 1)
                or (left and start[i] == 0)
                or (right and stop[i] == columns)
            ):
                kept[group[i]] = True


@njit(cache=True, nogil=True)
def join_over_row(
    parent: Ints,
    group: Small,
    start: Small,
    stop: Small,
    a: int,
    a_end: int,
    b: int,
    b_end: int,
    reach: int,
    edge: int,
    around: Ints,
) -> None:
    """Join the groups of tiles over the line between two rows.

    Parameters
    ----------
    parent
        As :func:`root_of`, shape ``(groups,)``.
    group
        Group of each run, shape ``(n,)``.
    start, stop
        Runs, shape ``(n,)``.
    a, a_end, b, b_end
        Runs of the row above the line, and of the one below.
    reach
        0: runs touch along edges; 1: at corners too.
    edge
        Length of a cell's edge on the line, in whole units.
    around
        Outlines of the groups; shrink by the edges that lie inside now.
    """
    while a < a_end and b < b_end:
        if start[a] < stop[b] + reach and start[b] < stop[a] + reach:
            join(parent, group[a], group[b])
            shared = min(stop[a], stop[b]) - max(start[a], start[b])
            around[group[b]] -= 2 * max(0, shared) * edge
        if stop[a] < stop[b]:
            a += 1
        else:
            b += 1


@njit(cache=True, nogil=True)
def join_over_column(
    parent: Ints,
    group: Small,
    row: Small,
    before: Ints,
    after: Ints,
    reach: int,
    height: Ints,
    around: Ints,
) -> None:
    """Join the groups of tiles over the line between two columns.

    Parameters
    ----------
    parent, group, reach, around
        As :func:`join_over_row`.
    row
        Row of each run, shape ``(n,)``.
    before, after
        Runs that end at the line and that begin there, by row: one a row at most.
    height
        Height of each row of the grid, in whole units.
    """
    low = 0
    for i in before:
        while low < len(after) and row[after[low]] < row[i] - reach:
            low += 1
        k = low
        while k < len(after) and row[after[k]] <= row[i] + reach:
            join(parent, group[i], group[after[k]])
            if row[after[k]] == row[i]:
                around[group[i]] -= 2 * height[row[i]]
            k += 1


@njit(cache=True, nogil=True)
def first_runs(root: Ints, group: Small, first: Ints) -> None:
    """Find the first run of each site.

    Parameters
    ----------
    root
        Site of each group.
    group
        Group of each run, the runs in order.
    first
        Filled, shape ``(sites,)``; -1 for those without runs.
    """
    first[:] = -1
    for i in range(len(group)):
        s = root[group[i]]
        if first[s] < 0:
            first[s] = i


@njit(cache=True, nogil=True)
def gather(root: Ints, values: Ints, sums: Ints) -> None:
    """Add up whole numbers by the group that their owners are in.

    Parameters
    ----------
    root
        Group of each, shape ``(n,)``.
    values
        Shape ``(n,)``.
    sums
        Grow, shape ``(groups,)``.
    """
    for i in range(len(root)):
        sums[root[i]] += values[i]

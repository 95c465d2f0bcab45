"""Runs: cells of a tile as stretches of rows, and the connected groups they form.

A run is a row and the columns from ``start`` up to ``stop``, ``stop`` not included.
Runs stand in order of row, then of column. Areas and lengths are whole numbers, as
:mod:`geo.raster.metric` makes them, so that their sums depend on no order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

FULL = np.uint64(0x0101010101010101)
"""Eight cells in a row, each of them marked."""

GATHER = np.uint64(0x0102040810204080)
"""Times eight bytes of 0 or 1: the same as the eight highest bits."""

LOWEST = np.array([(n & -n).bit_length() - 1 for n in range(256)], np.int8)
"""Lowest bit of each byte."""


@njit(cache=True, nogil=True)
def find_runs(words: NDArray[np.uint64], first: Ints, start: Small, stop: Small) -> int:
    """Write down where runs start and stop.

    Parameters
    ----------
    words
        Eight cells a number, a byte each: 1 where a cell counts, else 0. Shape
        ``(rows, columns / 8)``; the last column is 0.
    first
        Filled with the number of runs before each row, shape ``(rows + 1,)``.
    start, stop
        Filled: columns of the cells. Room for one run in two cells.

    Returns
    -------
    int
        How many runs there are.
    """
    one, byte = np.uint64(1), np.uint64(255)
    n = 0
    for r in range(words.shape[0]):
        first[r] = n
        row, inside = words[r], np.uint64(0)
        for w in range(len(row)):
            word = row[w]
            if word == (FULL if inside else np.uint64(0)):
                continue
            # One bit a cell, the first cell lowest; then where it differs from the
            # cell before.
            bits = (word * GATHER) >> np.uint64(56)
            change = (bits ^ ((bits << one) | inside)) & byte
            while change:
                column = 8 * w + LOWEST[change]
                change &= change - one
                if inside:
                    stop[n] = column
                    n += 1
                else:
                    start[n] = column
                inside ^= one
    first[len(words)] = n
    return n


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
def join_rows(
    parent: Ints,
    start: Small,
    stop: Small,
    a: int,
    a_end: int,
    b: int,
    b_end: int,
    reach: int,
    overlap: Ints,
) -> None:
    """Join the runs of a row to those of the next one that they touch.

    Parameters
    ----------
    parent
        As :func:`root_of`, shape ``(n,)``.
    start, stop
        Runs, shape ``(n,)``.
    a, a_end, b, b_end
        Runs of the upper row, and of the lower one.
    reach
        0: runs touch along edges; 1: at corners too.
    overlap
        Grows, for the lower runs, by the columns that they share with upper ones,
        shape ``(n,)``.
    """
    while a < a_end and b < b_end:
        if start[a] < stop[b] + reach and start[b] < stop[a] + reach:
            join(parent, a, b)
            overlap[b] += max(0, min(stop[a], stop[b]) - max(start[a], start[b]))
        if stop[a] < stop[b]:
            a += 1
        else:
            b += 1


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
    n = len(start)
    for i in range(n):
        group[i] = i
        overlap[i] = 0
    for r in range(1, len(first) - 1):
        join_rows(
            group,
            start,
            stop,
            first[r - 1],
            first[r],
            first[r],
            first[r + 1],
            reach,
            overlap,
        )
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

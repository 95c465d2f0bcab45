"""Runs of sites once they are found: picked, painted, compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]


@njit(cache=True, nogil=True)
def pick_runs(
    group: Small,
    row: Small,
    start: Small,
    stop: Small,
    label: Small,
    new_label: Small,
    new_row: Small,
    new_start: Small,
    new_stop: Small,
) -> int:
    """Take the runs of groups that have a label.

    Parameters
    ----------
    group, row, start, stop
        Runs, shape ``(n,)``.
    label
        Label of each group, 0 for those that are left.
    new_label, new_row, new_start, new_stop
        Filled, shape ``(n,)``.

    Returns
    -------
    int
        How many were taken.
    """
    count = 0
    for i in range(len(row)):
        own = label[group[i]]
        new_label[count], new_row[count] = own, row[i]
        new_start[count], new_stop[count] = start[i], stop[i]
        count += own > 0
    return count


@njit(cache=True, nogil=True)
def join_cut_runs(
    label: Small,
    row: Small,
    start: Small,
    stop: Small,
    top: int,
    first: Ints,
    new_label: Small,
    new_row: Small,
    new_start: Small,
    new_stop: Small,
) -> int:
    """Put runs of tiles in order, and make one of those that go on in the next tile.

    Parameters
    ----------
    label, row, start, stop
        Runs, one or more, those of each row in order of their columns. Shape ``(n,)``.
    top
        First row.
    first
        Room, shape ``(rows + 1,)``.
    new_label, new_row, new_start, new_stop
        Filled, shape ``(n,)``.

    Returns
    -------
    int
        How many runs there are now.
    """
    first[:] = 0
    for r in row:
        first[r - top + 1] += 1
    for r in range(len(first) - 1):
        first[r + 1] += first[r]
    for i in range(len(row)):
        r = row[i] - top
        k = first[r]
        first[r] = k + 1
        new_label[k], new_row[k] = label[i], row[i]
        new_start[k], new_stop[k] = start[i], stop[i]
    last = 0
    for k in range(1, len(row)):
        if new_row[k] == new_row[last] and new_start[k] == new_stop[last]:
            new_stop[last] = new_stop[k]
        else:
            last += 1
            new_label[last], new_row[last] = new_label[k], new_row[k]
            new_start[last], new_stop[last] = new_start[k], new_stop[k]
    return last + 1


@njit(cache=True, nogil=True)
def take_runs(
    first: Ints,
    start: Small,
    stop: Small,
    group: Ints,
    number: Small,
    everything: bool,
    row: Small,
    new_start: Small,
    new_stop: Small,
    new_group: Small,
) -> int:
    """Take the runs of some groups.

    Parameters
    ----------
    first
        Runs before each row, shape ``(rows + 1,)``.
    start, stop, group
        Runs, shape ``(n,)``.
    number
        New number of each group, below 0 for those that are left.
    everything
        Whether to take the runs of those too.
    row, new_start, new_stop, new_group
        Filled, shape ``(n,)``.

    Returns
    -------
    int
        How many were taken.
    """
    count = 0
    for r in range(len(first) - 1):
        for i in range(first[r], first[r + 1]):
            g = number[group[i]]
            row[count], new_group[count] = r, g
            new_start[count], new_stop[count] = start[i], stop[i]
            count += everything or g >= 0
    return count


@njit(cache=True, nogil=True)
def paint(
    row: Small, start: Small, stop: Small, value: Any, top: int, left: int, out: Any
) -> None:
    """Write numbers into the cells of runs.

    Parameters
    ----------
    row, start, stop
        Runs, shape ``(n,)``.
    value
        Number of each, shape ``(n,)``.
    top, left
        Row and column of the first cell of ``out``.
    out
        Changed, shape ``(rows, columns)``.
    """
    for i in range(len(row)):
        for c in range(start[i] - left, stop[i] - left):
            out[row[i] - top, c] = value[i]


@njit(cache=True, nogil=True)
def shared_cells(
    row_a: Small,
    start_a: Small,
    stop_a: Small,
    row_b: Small,
    start_b: Small,
    stop_b: Small,
    pair_a: Ints,
    pair_b: Ints,
    cells: Ints,
) -> int:
    """List the runs of two lists that share cells.

    Parameters
    ----------
    row_a, start_a, stop_a, row_b, start_b, stop_b
        Runs, in order.
    pair_a, pair_b, cells
        Filled, shape at least ``(n + m,)``: which runs, and how many cells they share.

    Returns
    -------
    int
        How many pairs there are.
    """
    a = b = count = 0
    while a < len(row_a) and b < len(row_b):
        if row_a[a] == row_b[b]:
            shared = min(stop_a[a], stop_b[b]) - max(start_a[a], start_b[b])
            if shared > 0:
                pair_a[count], pair_b[count], cells[count] = a, b, shared
                count += 1
        if (row_a[a], stop_a[a]) < (row_b[b], stop_b[b]):
            a += 1
        else:
            b += 1
    return count

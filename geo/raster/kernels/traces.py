"""Outlines of groups of runs, traced along the edges of cells.

The lines between rows are gone through from the top. Where an end of a run above the
line and one below it stand at the same place, the outline goes straight on; where only
one does, it turns, and corners in a line are joined in pairs from the left.

**Where two runs meet at a corner only**, four edges meet as well. If both belong to one
part, which is connected along edges, the outline is led so that the runs hang together
there and the two empty cells are kept apart: each ring then passes the place once, and
the polygon is valid. If they belong to two parts, each keeps its own corner.

Rings begin at their topmost corner, of several at the one on the left. The outer ring
of a part is the first that is met, and goes counter-clockwise, holes go clockwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.raster.kernels.runs import group_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]


@njit(cache=True, nogil=True)
def link_corners(
    first: Ints,
    start: Small,
    stop: Small,
    part: Ints,
    x: Small,
    y: Small,
    owner: Ints,
    level: Small,
    upright: Small,
) -> int:
    """Find the corners of outlines, and for each the next one along and across.

    Parameters
    ----------
    first
        Runs before each row, shape ``(rows + 1,)``.
    start, stop
        Runs, shape ``(n,)``, none touching another in its row.
    part
        Part of each run, connected along edges.
    x, y
        Filled: column and row at whose upper left a corner lies, shape ``(4 n,)``.
    owner
        Filled: part that it is a corner of.
    level, upright
        Filled: corner at the other end of its level edge, and of its upright one.

    Returns
    -------
    int
        How many corners there are.
    """
    rows = len(first) - 1
    n = len(start)
    # Corner at which the upright edge at each run's start, and at its stop, began.
    began = np.empty((n, 2), np.int32)
    count = 0
    for line in range(rows + 1):
        a = first[line - 1] if line > 0 else 0
        a_end = first[line] if line > 0 else 0
        b, b_end = first[line], (first[line + 1] if line < rows else first[line])
        i, i_end, j, j_end = 2 * a, 2 * a_end, 2 * b, 2 * b_end
        waiting = -1
        while i < i_end or j < j_end:
            above, below = -1, -1
            if i < i_end:
                above = stop[i // 2] if i % 2 else start[i // 2]
            if j < j_end:
                below = stop[j // 2] if j % 2 else start[j // 2]
            here_above = i < i_end and (j >= j_end or above <= below)
            here_below = j < j_end and (i >= i_end or below <= above)
            if here_above and here_below and i % 2 == j % 2:
                began[j // 2, j % 2] = began[i // 2, i % 2]
                i += 1
                j += 1
                continue
            corners = 2 if here_above and here_below else 1
            joined = corners == 2 and part[i // 2] == part[j // 2]
            # Of two, the left one takes the edge upwards if the run above is the left
            # one and keeps its corner, or is the right one and hangs on.
            left_up = (i % 2 == 1) != joined
            for k in range(corners):
                up = here_above if corners == 1 else (k == 0) == left_up
                c = count
                count += 1
                x[c] = above if here_above else below
                y[c] = line
                owner[c] = part[i // 2] if up else part[j // 2]
                if up:
                    other = began[i // 2, i % 2]
                    upright[c] = other
                    upright[other] = c
                else:
                    began[j // 2, j % 2] = c
                if waiting < 0:
                    waiting = c
                else:
                    level[c] = waiting
                    level[waiting] = c
                    waiting = -1
            if here_above:
                i += 1
            if here_below:
                j += 1
    return count


@njit(cache=True, nogil=True)
def walk_rings(
    count: int,
    owner: Ints,
    level: Small,
    upright: Small,
    order: Small,
    ring_part: Ints,
    ring_start: Ints,
    parts: int,
) -> int:
    """Walk along outlines.

    Parameters
    ----------
    count, owner, level, upright
        As :func:`link_corners` leaves them.
    order
        Filled with the corners, ring after ring, shape ``(count,)``.
    ring_part, ring_start
        Filled: part of each ring, and where it begins in ``order``; shape at least
        ``(count / 4 + 1,)``.
    parts
        How many parts there are.

    Returns
    -------
    int
        How many rings there are.
    """
    seen = np.zeros(count, np.bool_)
    begun = np.zeros(parts, np.bool_)
    rings = at = 0
    for c in range(count):
        if seen[c]:
            continue
        ring_part[rings], ring_start[rings] = owner[c], at
        down_first = not begun[owner[c]]
        begun[owner[c]] = True
        rings += 1
        here, down = c, down_first
        while not seen[here]:
            seen[here] = True
            order[at] = here
            at += 1
            here = upright[here] if down else level[here]
            down = not down
    ring_start[rings] = at
    return rings


@njit(cache=True, nogil=True)
def trace_sites(
    mine: Small,
    limits: Ints,
    row: Small,
    start: Small,
    stop: Small,
    by_part: bool,
    x: Small,
    y: Small,
    ring_end: Ints,
    ring_owner: Ints,
    counts: Ints,
) -> None:
    """Trace the outlines of some sites.

    Parameters
    ----------
    mine
        Runs of the sites, site after site, each in order.
    limits
        Where the runs of each site begin in ``mine``, one more than sites.
    row, start, stop
        Runs.
    by_part
        Whether a site may fall into parts that touch at corners only.
    x, y
        Filled: column and row at whose upper left each vertex lies, ring after ring,
        the first vertex repeated as the last; shape at least ``(5 n,)`` for n runs.
    ring_end, ring_owner
        Filled: the end of each ring among the vertices, and its part, the parts counted
        over all sites; shape at least ``(n + sites,)``.
    counts
        Filled: parts of each site, then rings and vertices in all; shape
        ``(sites + 2,)``.
    """
    sites = len(limits) - 1
    vertices = rings = parts_before = 0
    for s in range(sites):
        a, b = limits[s], limits[s + 1]
        n = b - a
        top, bottom = row[mine[a]], row[mine[b - 1]] + 1
        first = np.zeros(bottom - top + 1, np.int64)
        left, right = np.empty(n, np.int32), np.empty(n, np.int32)
        for k in range(n):
            left[k], right[k] = start[mine[a + k]], stop[mine[a + k]]
            first[row[mine[a + k]] - top + 1] += 1
        for r in range(bottom - top):
            first[r + 1] += first[r]
        part, parts = np.zeros(n, np.int64), 1
        if by_part:
            parts = group_runs(first, left, right, 0, part, np.empty(n, np.int64))
        cx, cy = np.empty(4 * n, np.int32), np.empty(4 * n, np.int32)
        level, upright = np.empty(4 * n, np.int32), np.empty(4 * n, np.int32)
        owner = np.empty(4 * n, np.int64)
        count = link_corners(first, left, right, part, cx, cy, owner, level, upright)
        order = np.empty(count, np.int32)
        ring_part = np.empty(count // 4 + 1, np.int64)
        ring_start = np.empty(count // 4 + 2, np.int64)
        found = walk_rings(
            count, owner, level, upright, order, ring_part, ring_start, parts
        )
        in_order = np.arange(found)
        if parts > 1:
            in_order = np.argsort(ring_part[:found], kind="mergesort")  # stable
        for ring in in_order:
            k = int(ring)
            for m in range(ring_start[k], ring_start[k + 1] + 1):
                c = order[m] if m < ring_start[k + 1] else order[ring_start[k]]
                x[vertices], y[vertices] = cx[c], cy[c] + top
                vertices += 1
            ring_end[rings] = vertices
            ring_owner[rings] = parts_before + ring_part[k]
            rings += 1
        counts[s] = parts
        parts_before += parts
    counts[sites], counts[sites + 1] = rings, vertices

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

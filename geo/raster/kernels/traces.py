"""Outlines of sites, traced along the edges of cells.

Each site hangs together along edges. The lines between its rows are gone through from
the top. Where an end of a run above the line and one below it stand at the same place,
the outline goes straight on; where only one does, it turns, and corners in a line are
joined in pairs from the left.

**Where two runs meet at a corner only**, four edges meet as well. The outline is led so
that the runs hang together there and the two empty cells are kept apart: each ring then
passes the place once, and the polygon is valid.

Rings begin at their topmost corner, of several at the one on the left. The outer ring
is the first that is met, and goes counter-clockwise, holes go clockwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]
    Floats = NDArray[np.float64]
    Places = NDArray[np.uint32]

BEYOND = np.int32(2**31 - 1)
"""Behind the last end in each row."""


@njit(cache=True, nogil=True)
def lay_out_ends(
    label: Small,
    row: Small,
    start: Small,
    stop: Small,
    top: Small,
    first: Ints,
    ends: Small,
) -> None:
    """Write down where the runs of each site start and stop, row after row.

    Parameters
    ----------
    label
        Site of each run, from 1, shape ``(n,)``.
    row, start, stop
        Runs, in order. Those of a site leave out no row between its first and last.
    top
        Filled: first row of each site, shape ``(sites,)``.
    first
        Filled: where the ends of each site begin, shape ``(sites + 1,)``.
    ends
        Filled, site after site: columns at which runs start and stop, twice
        :data:`BEYOND` in front of each row, and four times at the end. Shape at least
        ``(4 n + 4 sites,)``.
    """
    sites = len(top)
    last = np.full(sites, -1, np.int32)
    first[:] = 4
    first[0] = 0
    for k in range(len(label)):
        s, r = label[k] - 1, row[k]
        if last[s] < 0:
            top[s] = r
        first[s + 1] += 2 + 2 * (r != last[s])
        last[s] = r
    for s in range(sites):
        first[s + 1] += first[s]
        last[s] = -1
    ends[: first[sites]] = BEYOND
    here = first[:-1].copy()
    for k in range(len(label)):
        s, r = label[k] - 1, row[k]
        at = here[s] + 2 * (r != last[s])
        ends[at], ends[at + 1] = start[k], stop[k]
        here[s], last[s] = at + 2, r


@njit(cache=True, nogil=True)
def link_corners(
    ends: Small,
    top: int,
    began: Places,
    column: Small,
    line: Small,
    upright: Places,
) -> np.uint64:
    """Find the corners of a site's outlines, and link those one above the other.

    Parameters
    ----------
    ends
        Those of the site, as :func:`lay_out_ends` leaves them.
    top
        First row of the site.
    began
        Room for the corner at which the upright edge at each end began.
    column, upright
        Filled for each corner, counted from 2, in a line the left one of each pair
        even: column at whose left it lies, and corner at the other end of its upright
        edge. Shape at least ``(2 ends,)``.
    line
        Filled: row at whose top each pair of corners lies. Shape at least ``(ends,)``.

    Returns
    -------
    numpy.uint64
        2 more than there are corners.

    Notes
    -----
    Which way the outlines of ragged sites turn cannot be foreseen, so there is a branch
    at the end of a line only. What is of no use is written to where it is written over,
    or to corner 0, which is none. Places are numbers without a sign, as each use of
    others would be tested for counting from the end.
    """
    zero, one, two = np.uint64(0), np.uint64(1), np.uint64(2)
    i, j, r, c = zero, two, top, two
    last = np.uint64(len(ends) - 2)
    while True:
        above, below = ends[i], ends[j]
        x = min(above, below)
        if x == BEYOND:
            i, j, r = i + two, j + two, r + 1
            if i == last:
                return c
            continue
        here_above, here_below = np.uint64(above <= below), np.uint64(below <= above)
        both = here_above & here_below
        cross = both & (i ^ j)
        straight = both ^ cross
        # Of two corners the left one takes the edge upwards if the run above is the
        # right one.
        up = c + (cross & i)
        down = c + cross - (cross & i)
        column[c] = x
        column[c + one] = x
        line[(c + one) >> one] = r
        other = np.uint64(began[i])
        upright[up] = other
        upright[other & (zero - (here_above ^ straight))] = up
        began[j] = (other & (zero - straight)) | (down & (straight - one))
        i += here_above
        j += here_below
        c += one + cross - straight


@njit(cache=True, nogil=True)
def trace_sites(
    top: Small,
    first: Ints,
    ends: Small,
    west: float,
    north: float,
    dx: float,
    dy: float,
    xy: Floats,
    ring_first: Ints,
    site_first: Ints,
) -> None:
    """Trace the outlines of sites.

    Parameters
    ----------
    top, first, ends
        As :func:`lay_out_ends` leaves them.
    west, north, dx, dy
        Where the first cell begins, and how large cells are.
    xy
        Filled: vertices, ring after ring, the first of each repeated as the last; shape
        at least ``(5 n, 2)`` for n runs.
    ring_first
        Filled: first vertex of each ring, and the number of all; shape at least
        ``(n + 1,)``.
    site_first
        Filled: first ring of each site, and the number of all; shape ``(sites + 1,)``.
    """
    one, two = np.uint64(1), np.uint64(2)
    most = 0
    for s in range(len(top)):
        most = max(most, first[s + 1] - first[s])
    began, line = np.empty(most, np.uint32), np.empty(most, np.int32)
    column, upright = np.empty(2 * most, np.int32), np.empty(2 * most, np.uint32)
    n = rings = np.uint64(0)
    ring_first[0] = site_first[0] = 0
    for s in range(len(top)):
        mine = ends[first[s] : first[s + 1]]
        count = link_corners(mine, top[s], began, column, line, upright)
        corner = two
        while corner < count:
            if upright[corner] == 0:  # of a ring that is done
                corner += two
                continue
            # The outer ring goes down first, holes first go along the line.
            hole = np.uint64(corner > two)
            y = north - line[corner >> one] * dy
            xy[n, 0] = west + column[corner] * dx
            xy[n, 1] = y
            n += hole
            begun = here = corner + hole
            while True:
                other = np.uint64(upright[here])
                x = west + column[here] * dx
                xy[n, 0] = x
                xy[n, 1] = y
                y = north - line[other >> one] * dy
                xy[n + one, 0] = x
                xy[n + one, 1] = y
                n += two
                upright[here & ~one] = 0
                here = other ^ one
                if here == begun:
                    break
            if not hole:
                xy[n, 0] = west + column[corner] * dx
                xy[n, 1] = y
                n += one
            rings += one
            ring_first[rings] = n
            corner += two
        site_first[s + 1] = rings

"""Where two pieces of edges come nearest to each other, along the chord."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.chords import SHORT_M, frame, long_estimate, short_inverse
from geo.kernels.pieces import along, foot, to_segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Triple = tuple[float, float, float]

SAGS_M = 2e-4
"""Two parts of pieces whose sags add up to no more are taken as their chords. [m]"""

GAIN_M = 1e-4
"""A contact that is nearer by no more is not looked for. [m]"""

STACK = (64, 5)
"""Shape of the room that :func:`contact` works in."""


@njit(nogil=True, cache=True, error_model="numpy")
def between_segments(a: Floats, b: Floats) -> Triple:
    """Distance of two straight segments in space, and where along each.

    It is reached at an end of one, or inside both where their lines are nearest.
    """
    least, t, u = np.inf, 0.0, 0.0
    for end in range(2):
        at = 3 * end
        away, part = to_segment(a[at], a[at + 1], a[at + 2], b)
        if away < least:
            least, t, u = away, float(end), part
        away, part = to_segment(b[at], b[at + 1], b[at + 2], a)
        if away < least:
            least, t, u = away, part, float(end)
    aa, ab, bb, av, bv = 0.0, 0.0, 0.0, 0.0, 0.0
    for axis in range(3):
        da, db, v = a[axis + 3] - a[axis], b[axis + 3] - b[axis], a[axis] - b[axis]
        aa += da * da
        ab += da * db
        bb += db * db
        av += da * v
        bv += db * v
    spread = aa * bb - ab * ab
    if spread > 0.0:
        inner_t, inner_u = (ab * bv - bb * av) / spread, (aa * bv - ab * av) / spread
        if 0.0 < inner_t < 1.0 and 0.0 < inner_u < 1.0:
            squared = 0.0
            for axis in range(3):
                here = a[axis] + inner_t * (a[axis + 3] - a[axis])
                squared += (here - b[axis] - inner_u * (b[axis + 3] - b[axis])) ** 2
            if sqrt(squared) < least:
                least, t, u = sqrt(squared), inner_t, inner_u
    return least, t, u


@njit(nogil=True, cache=True, error_model="numpy")
def contact(
    ours: Floats,
    our_ends: Floats,
    our_sag: float,
    theirs: Floats,
    their_ends: Floats,
    their_sag: float,
    stack: Floats,
) -> Triple:
    """Shortest chord between two pieces: the length of its geodesic, and where it is.

    Parameters
    ----------
    ours, our_ends, our_sag, theirs, their_ends, their_sag
        What :class:`geo.kernels.pieces.Pieces` has of two pieces.
    stack
        Room to work in, of shape :data:`STACK`.

    Returns
    -------
    distance, t, u : float
        Length of the geodesic; parts of the way along the first piece and the other.

    Notes
    -----
    A place against a piece is solved by :func:`geo.kernels.pieces.foot`. Two pieces are
    halved until their sags add up to no more than :data:`SAGS_M`, leaving out the
    halves whose chords, less their sags, are no nearer than the best by :data:`GAIN_M`:
    the chord is the shortest one to within 0.3 mm.
    """
    _, t, u = between_segments(our_ends, their_ends)
    if our_sag == 0.0:
        u = foot(theirs, u, our_ends[0], our_ends[1], our_ends[2])
    elif their_sag == 0.0:
        t = foot(ours, t, their_ends[0], their_ends[1], their_ends[2])
    elif our_sag + their_sag > SAGS_M:
        t, u = _halved(ours, our_ends, our_sag, theirs, their_ends, their_sag, stack)
    lon, lat = along(ours, t)
    here = frame(lon, lat)
    lon, lat = along(theirs, u)
    there = frame(lon, lat)
    dx, dy, dz = there[0] - here[0], there[1] - here[1], there[2] - here[2]
    if dx * dx + dy * dy + dz * dz <= SHORT_M * SHORT_M:
        return short_inverse(here, dx, dy, dz)[0], t, u
    s = long_estimate(here[0], here[1], here[2], there[0], there[1], there[2])
    return s, t, u


@njit(nogil=True, cache=True, error_model="numpy")
def _halved(
    ours: Floats,
    our_ends: Floats,
    our_sag: float,
    theirs: Floats,
    their_ends: Floats,
    their_sag: float,
    stack: Floats,
) -> tuple[float, float]:
    """Parts of the way along two pieces where they are nearest, by halving them."""
    a, b = np.empty(6), np.empty(6)
    # Begin and end along ours, begin and end along theirs, and how near they may be.
    stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = 0.0, 1.0, 0.0, 1.0
    stack[0, 4] = 0.0
    size, best, surest, t, u = 1, np.inf, np.inf, 0.0, 0.0
    while size:
        size -= 1
        t0, t1, u0, u1 = stack[size, 0], stack[size, 1], stack[size, 2], stack[size, 3]
        if stack[size, 4] > min(surest, best - GAIN_M):
            continue
        _ends(ours, our_ends, t0, t1, a)
        _ends(theirs, their_ends, u0, u1, b)
        away, part_t, part_u = between_segments(a, b)
        sag_a, sag_b = our_sag * (t1 - t0) ** 2, their_sag * (u1 - u0) ** 2
        least = away - sag_a - sag_b
        if least > min(surest, best - GAIN_M):
            continue
        surest = min(surest, away + sag_a + sag_b)
        if sag_a + sag_b <= SAGS_M:
            if away < best:
                best = away
                t, u = t0 + part_t * (t1 - t0), u0 + part_u * (u1 - u0)
            continue
        for half in range(2):
            at = size + half
            stack[at, 0], stack[at, 1], stack[at, 2], stack[at, 3] = t0, t1, u0, u1
            stack[at, 4] = max(least, 0.0)
            if sag_a >= sag_b:
                stack[at, 1 - half] = (t0 + t1) / 2.0
            else:
                stack[at, 3 - half] = (u0 + u1) / 2.0
        # The half that holds the chords' contact is looked at first.
        nearer = part_t if sag_a >= sag_b else part_u
        if nearer < 0.5:
            for value in range(5):
                kept = stack[size, value]
                stack[size, value] = stack[size + 1, value]
                stack[size + 1, value] = kept
        size += 2
    return t, u


@njit(nogil=True, cache=True, error_model="numpy")
def _ends(piece: Floats, ends: Floats, begin: float, end: float, part: Floats) -> None:
    """Earth-centred ends of a part of a piece."""
    if begin == 0.0:
        part[0], part[1], part[2] = ends[0], ends[1], ends[2]
    else:
        lon, lat = along(piece, begin)
        part[0], part[1], part[2] = frame(lon, lat)[:3]
    if end == 1.0:
        part[3], part[4], part[5] = ends[3], ends[4], ends[5]
    else:
        lon, lat = along(piece, end)
        part[3], part[4], part[5] = frame(lon, lat)[:3]

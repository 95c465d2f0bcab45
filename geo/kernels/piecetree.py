"""A packed tree over pieces of edges in Earth-centred space, and the search in it.

The pieces stand in the order of a space-filling curve; eight in a row make a leaf, and
eight nodes in a row the node above them [1]_. Each node has the box of its pieces'
chords, widened by their sags, so that its distance from a chord is a lower bound of
every geodesic between the two. Nothing depends on meridians or poles.

References
----------
.. [1] I. Kamel, C. Faloutsos, "On packing R-trees", Proc. 2nd Int. Conf. on Information
   and Knowledge Management, 490-499, 1993. https://doi.org/10.1145/170088.170403
"""

from __future__ import annotations

from math import asin, sqrt, tan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.kernels.chords import (
    BRANCHING_M,
    POLAR_RADIUS_M,
    ROUNDING_M,
    SMALLEST_RADIUS_M,
)
from geo.kernels.curve import morton_order
from geo.kernels.gaps import STACK, between_segments, contact
from geo.kernels.pieces import Pieces, to_segment

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_FAN = 8
_DEPTH = 24


class PieceTree(NamedTuple):
    """Pieces in the order of the tree, and the boxes above them."""

    pieces: Pieces
    """The pieces, shape ``(p,)`` in each part."""
    boxes: Floats
    """Low and high x, y, z of each node, leaves first, shape ``(nodes, 6)``. [m]"""
    starts: Ints
    """Where each level of nodes begins, shape ``(levels + 1,)``."""


def piecetree(pieces: Pieces) -> PieceTree:
    """Build the tree.

    Parameters
    ----------
    pieces
        At least one piece, in any order.

    Returns
    -------
    PieceTree
        The same pieces in the order of their middles along the curve.
    """
    lonlat = pieces.lonlat
    order = morton_order((lonlat[:, :2] + lonlat[:, 2:]) / 2)
    pieces = Pieces(
        lonlat=lonlat[order],
        xyz=pieces.xyz[order],
        sag=pieces.sag[order],
        owner=pieces.owner[order],
    )
    sizes = [-(-len(order) // _FAN)]
    while sizes[-1] > 1:
        sizes.append(-(-sizes[-1] // _FAN))
    starts = np.concatenate([[0], np.cumsum(sizes)])
    boxes = np.empty((starts[-1], 6))
    _fill_boxes(pieces, starts, boxes)
    return PieceTree(pieces=pieces, boxes=boxes, starts=starts)


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_boxes(pieces: Pieces, starts: Ints, boxes: Floats) -> None:
    """Fill in the boxes, level by level."""
    boxes[:, :3], boxes[:, 3:] = np.inf, -np.inf
    for p in range(len(pieces.sag)):
        node, sag = p // _FAN, pieces.sag[p]
        for axis in range(3):
            begin, end = pieces.xyz[p, axis], pieces.xyz[p, axis + 3]
            boxes[node, axis] = min(boxes[node, axis], min(begin, end) - sag)
            boxes[node, axis + 3] = max(boxes[node, axis + 3], max(begin, end) + sag)
    for level in range(1, len(starts) - 1):
        for child in range(starts[level - 1], starts[level]):
            node = starts[level] + (child - starts[level - 1]) // _FAN
            for axis in range(3):
                boxes[node, axis] = min(boxes[node, axis], boxes[child, axis])
                high = max(boxes[node, axis + 3], boxes[child, axis + 3])
                boxes[node, axis + 3] = high


@njit(nogil=True, cache=True, error_model="numpy")
def search(
    ours: Pieces,
    offsets: Ints,
    rows: Ints,
    first: int,
    tree: PieceTree,
    owners: int,
    k: int,
    reach: Floats,
    pairs: Ints,
    parts: Floats,
) -> tuple[int, int]:
    """Find the features of the tree that are nearest to, or within reach of, features.

    Parameters
    ----------
    ours, offsets
        Pieces of the features, and where each feature's begin.
    rows, first
        Features to search for, and where in ``rows`` to begin.
    tree, owners
        The tree, and how many features it holds.
    k
        How many features to find for each; 0 for all within reach.
    reach
        Longest chord that matters, for each feature. [m]
    pairs, parts
        To be filled: feature, owner, piece of ours and of the tree; length of the
        geodesic, part of the way along either piece. Shapes ``(room, 4)`` and
        ``(room, 3)``, with room for ``k`` at least.

    Returns
    -------
    next, filled : int
        Where in ``rows`` the room ran out, or their number; and how much is filled.
    """
    theirs, top = tree.pieces, len(tree.starts) - 2
    best = np.full(owners, np.inf)
    touched = np.empty(owners, dtype=np.intp)
    mine, yours = np.empty(owners, dtype=np.intp), np.empty(owners, dtype=np.intp)
    where = np.empty((owners, 2))
    nearest = np.empty(k, dtype=np.intp)
    node_of, level_of = (
        np.empty(_FAN * _DEPTH, np.intp),
        np.empty(_FAN * _DEPTH, np.intp),
    )
    away_of = np.empty(_FAN * _DEPTH)
    halving = np.empty(STACK)
    box, lowest = np.empty(6), np.empty(_FAN)
    filled = 0
    for r in range(first, len(rows)):
        row = rows[r]
        seen, held = 0, 0
        limit = reach[row] + ROUNDING_M
        for a in range(offsets[row], offsets[row + 1]):
            ends, sag = ours.xyz[a], ours.sag[a]
            for axis in range(3):
                box[axis] = min(ends[axis], ends[axis + 3]) - sag
                box[axis + 3] = max(ends[axis], ends[axis + 3]) + sag
            node_of[0], level_of[0], away_of[0], size = 0, top, 0.0, 1
            while size:
                size -= 1
                if away_of[size] > limit * limit:
                    continue
                level, node = level_of[size], node_of[size]
                begin = node * _FAN
                if level > 0:
                    end = min(begin + _FAN, tree.starts[level] - tree.starts[level - 1])
                    base = size
                    for child in range(begin, end):
                        away = _gap2(box, tree.boxes, tree.starts[level - 1] + child)
                        if away > limit * limit:
                            continue
                        at = size  # the nearest child ends up on top
                        while at > base and away_of[at - 1] < away:
                            away_of[at] = away_of[at - 1]
                            node_of[at] = node_of[at - 1]
                            at -= 1
                        away_of[at], node_of[at], level_of[size] = (
                            away,
                            child,
                            level - 1,
                        )
                        size += 1
                    continue
                count = min(_FAN, len(theirs.sag) - begin)
                for n in range(count):
                    if sag == 0.0:
                        away = to_segment(
                            ends[0], ends[1], ends[2], theirs.xyz[begin + n]
                        )[0]
                    else:
                        away = between_segments(ends, theirs.xyz[begin + n])[0]
                    lowest[n] = away - sag - theirs.sag[begin + n]
                for _ in range(count):
                    n = 0  # nearest first, which spares most of the others
                    for other in range(1, count):
                        if lowest[other] < lowest[n]:
                            n = other
                    away, b, lowest[n] = lowest[n], begin + n, np.inf
                    if away > limit:
                        break
                    owner = theirs.owner[b]
                    if away > best[owner]:
                        continue
                    s, t, u = contact(
                        ours.lonlat[a],
                        ends,
                        sag,
                        theirs.lonlat[b],
                        theirs.xyz[b],
                        theirs.sag[b],
                        halving,
                    )
                    if s >= best[owner]:
                        continue
                    if best[owner] == np.inf:
                        touched[seen] = owner
                        seen += 1
                    best[owner] = s
                    mine[owner], yours[owner] = a, b
                    where[owner, 0], where[owner, 1] = t, u
                    if k:
                        held = _hold(nearest, held, best, owner)
                        if held == k:
                            limit = min(limit, best[nearest[k - 1]] + ROUNDING_M)
        count = held if k else seen
        if filled + count > len(pairs):
            for n in range(seen):
                best[touched[n]] = np.inf
            return r, filled
        for n in range(count):
            owner = nearest[n] if k else touched[n]
            pairs[filled, 0], pairs[filled, 1] = row, owner
            pairs[filled, 2], pairs[filled, 3] = mine[owner], yours[owner]
            parts[filled, 0] = best[owner]
            parts[filled, 1], parts[filled, 2] = where[owner, 0], where[owner, 1]
            filled += 1
        for n in range(seen):
            best[touched[n]] = np.inf
    return len(rows), filled


@njit(nogil=True, cache=True, error_model="numpy")
def list_pieces(
    ours: Pieces,
    offsets: Ints,
    tree: PieceTree,
    owners: int,
    i: Ints,
    j: Ints,
    chord: Floats,
    tangents: Floats,
    gain_m: float,
    first: int,
    found: Ints,
) -> tuple[int, int]:
    """List the pieces of pairs of features that may be nearer than a contact is.

    Parameters
    ----------
    ours, offsets, tree, owners
        As for :func:`search`.
    i, j
        Pairs, those of one ``i`` next to each other, shape ``(n,)``.
    chord
        Longest chord that matters, for each pair. [m]
    tangents
        Of each pair's contact the length of its geodesic; the place on ours, Earth-
        centred, and the unit vector there away from the other; the same on the tree's
        side, shape ``(n, 13)``. [m]
    gain_m
        Pieces that are nearer by no more than this do not matter. [m]
    first
        Pair to begin with, the first of its ``i``.
    found
        To be filled: pair, piece of ours and of the tree, shape ``(room, 3)``.

    Returns
    -------
    next, filled : int
        The first pair that was not listed, or ``n``; and how much is filled. Nothing
        is when the pairs of one ``i`` need more room.

    Notes
    -----
    Where a place x is s away from the contact's q, and g is the unit vector there along
    the contact's geodesic, away from its other end, the first term of Taylor's series
    is the component of the geodesic from q to x along g. That differs from
    ``g · (x − q)`` by no more than ``s³ / (6 r²)``: the geodesic bends by 1 / r at the
    most, along a normal that turns by s / r at the most. The second term has the bound
    of :mod:`geo.kernels.remote`.
    """
    theirs, top = tree.pieces, len(tree.starts) - 2
    pair_of = np.full(owners, -1, dtype=np.intp)
    node_of, level_of = (
        np.empty(_FAN * _DEPTH, np.intp),
        np.empty(_FAN * _DEPTH, np.intp),
    )
    box = np.empty(6)
    filled, begin = 0, first
    while begin < len(i):
        end, limit = begin, 0.0
        while end < len(i) and i[end] == i[begin]:
            pair_of[j[end]] = end
            limit = max(limit, chord[end] + ROUNDING_M)
            end += 1
        kept = filled
        for a in range(offsets[i[begin]], offsets[i[begin] + 1]):
            ends, sag = ours.xyz[a], ours.sag[a]
            for axis in range(3):
                box[axis] = min(ends[axis], ends[axis + 3]) - sag
                box[axis + 3] = max(ends[axis], ends[axis + 3]) + sag
            node_of[0], level_of[0], size = 0, top, 1
            while size:
                size -= 1
                level, node = level_of[size], node_of[size]
                if _gap2(box, tree.boxes, tree.starts[level] + node) > limit * limit:
                    continue
                if level > 0:
                    below = tree.starts[level] - tree.starts[level - 1]
                    for child in range(node * _FAN, min((node + 1) * _FAN, below)):
                        node_of[size], level_of[size] = child, level - 1
                        size += 1
                    continue
                for b in range(node * _FAN, min((node + 1) * _FAN, len(theirs.sag))):
                    pair = pair_of[theirs.owner[b]]
                    if pair < 0:
                        continue
                    away = between_segments(ends, theirs.xyz[b])[0]
                    if away - sag - theirs.sag[b] > chord[pair] + ROUNDING_M:
                        continue
                    rise, x = _rise(ends, sag, tangents[pair, 1:7])
                    climb, y = _rise(theirs.xyz[b], theirs.sag[b], tangents[pair, 7:])
                    if rise + climb - _fall(tangents[pair, 0], x, y) > -gain_m:
                        continue
                    if kept == len(found):
                        return begin, filled
                    found[kept, 0], found[kept, 1], found[kept, 2] = pair, a, b
                    kept += 1
        for pair in range(begin, end):
            pair_of[j[pair]] = -1
        filled, begin = kept, end
    return begin, filled


@njit(nogil=True, cache=True, error_model="numpy")
def _rise(ends: Floats, sag: float, tangent: Floats) -> tuple[float, float]:
    """Least component of the ways from a place to a piece, and the farthest of them."""
    least, most = np.inf, 0.0
    for end in range(0, 6, 3):
        component, squared = 0.0, 0.0
        for axis in range(3):
            step = ends[end + axis] - tangent[axis]
            component += step * tangent[axis + 3]
            squared += step * step
        least, most = min(least, component), max(most, squared)
    farthest = sqrt(most) + sag
    if farthest < ROUNDING_M:
        return 0.0, 0.0
    ratio = min(farthest / (2.0 * SMALLEST_RADIUS_M), 1.0)
    farthest = 2.0 * SMALLEST_RADIUS_M * asin(ratio) + ROUNDING_M
    bent = farthest * farthest * farthest / (6.0 * SMALLEST_RADIUS_M**2)
    return least - sag - bent - 1e-9, farthest


@njit(nogil=True, cache=True, error_model="numpy")
def _fall(away: float, x: float, y: float) -> float:
    """How far below its tangent a distance may be, when its ends move by x and y."""
    longest = away + x + y
    if longest >= BRANCHING_M or max(x, y) >= 1e7:
        return np.inf
    angle = longest / POLAR_RADIUS_M
    bend = max(-1.0 / tan(angle), 0.0) if x == 0.0 or y == 0.0 else tan(angle / 2.0)
    return bend / POLAR_RADIUS_M * (x * x + y * y) / 2.0


@njit(nogil=True, cache=True, error_model="numpy")
def _gap2(box: Floats, boxes: Floats, node: int) -> float:
    """Squared distance between a box in space and that of a node."""
    squared = 0.0
    for axis in range(3):
        low, high = boxes[node, axis], boxes[node, axis + 3]
        gap = max(low - box[axis + 3], box[axis] - high)
        if gap > 0.0:
            squared += gap * gap
    return squared


@njit(nogil=True, cache=True, error_model="numpy")
def _hold(nearest: Ints, held: int, best: Floats, owner: int) -> int:
    """Put an owner, whose distance has changed, in its place among the nearest."""
    k, at = len(nearest), held
    for n in range(held):
        if nearest[n] == owner:
            at = n
            break
    if at == held:
        if held < k:
            held += 1
        else:
            at = k - 1
            last = nearest[at]
            if best[last] < best[owner] or (best[last] == best[owner] and last < owner):
                return held
    while at > 0:
        above = nearest[at - 1]
        if best[above] < best[owner] or (best[above] == best[owner] and above < owner):
            break
        nearest[at] = above
        at -= 1
    nearest[at] = owner
    return held

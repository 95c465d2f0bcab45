"""What lies in lines and points: exact, on the globe.

A point lies in a line that it is on, but not at an end of it; it lies in a point that
it equals. A place where an odd number of a line's parts end is an end, one where an
even number end is not: a closed line has none (OGC's mod-2 rule, as in GEOS). A line
lies in a line that covers all of it.

Edges are straight in longitude and latitude, and whether a point is on one is the sign
of a determinant that rounding cannot turn (:mod:`geo.kernels.orientation`). Beyond the
plane, longitudes 180 and -180 are one meridian and every longitude at a pole is one
point: a line that is cut at the antimeridian (RFC 7946, 3.1.9) has no end there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo.kernels.boxtree import FIRST, SKIP, STOP, BoxTree, boxtree, index_of, search
from geo.kernels.containment import EXACT_M, Containment, length_m
from geo.kernels.curve import morton_order
from geo.kernels.edges import Edges, edges_of
from geo.kernels.orientation import turn
from geo.kernels.predicates import candidates, joined
from geo.kernels.seams import one_place, regrouped
from geo.parallel import run_chunks
from geo.sides import LINES, POINT, Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.parallel import Progress

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_ON_GEODESIC_M = 2e-3
"""How near a point is to the pieces of a geodesic that it lies in: twice what these may
leave it by. [m]"""

_POINTS_AT_ONCE = 1 << 17
_LINES_AT_ONCE = 1 << 13


def contain_in_lines(
    a: Side, b: Side, *, geodesic: bool = False, progress: Progress | None = None
) -> Containment:
    """Pair points and lines with the lines and points that they lie in, or may.

    Parameters
    ----------
    a
        Points, lines and polygons; the last lie in no line.
    b
        Points and lines, multi or not.
    geodesic
        Whether edges stand for geodesics that they follow within a millimetre: then a
        point lies in a line that is no farther away than two millimetres.
    progress
        Called with the points done and all of them.

    Returns
    -------
    Containment
        In no order. Where both reaches together are below a millimetre: the share of
        a line's length that is in the other, 1 for a point; ``certain`` where all of
        it is. Else, with ``probability`` 0 and never ``certain``, pairs of which the
        point, or every vertex of the line, may be displaced onto the line or point.

    Notes
    -----
    An uncertain place has an area and a line has none, so it lies there with the
    probability 0 however near it is; but it may lie there.
    """
    points = np.flatnonzero(a.kinds == POINT)
    lines = np.flatnonzero(np.isin(a.kinds, LINES))
    linear = np.flatnonzero(np.isin(b.kinds, LINES))
    found = _points(a.rows(points), b, linear, geodesic, progress)
    i, j, share = points[found[0]], found[1], np.ones(len(found[0]))
    if len(lines) and len(linear):
        k, column, part = lines_in_lines(a.shapes[lines], b.shapes[linear])
        i = np.concatenate([i, lines[k]])
        j = np.concatenate([j, linear[column]])
        share = np.concatenate([share, part])
    sharp = a.reach_m[i] + b.reach_m[j] <= EXACT_M
    i, j, share = i[sharp], j[sharp], share[sharp]
    more = [np.empty((2, 0), dtype=np.intp)]
    if a.reach_m.max(initial=0.0) + b.reach_m.max(initial=0.0) > EXACT_M:
        k, column = _may_reach(a.rows(points), b)
        more.append(np.stack([points[k], column]))
        k, column = _may_cover(a.rows(lines), b.rows(linear))
        more.append(np.stack([lines[k], linear[column]]))
    vague = np.concatenate(more, axis=1)
    none = np.zeros(vague.shape[1])
    return Containment(
        i=np.concatenate([i, vague[0]]),
        j=np.concatenate([j, vague[1]]),
        probability=np.concatenate([share, none]),
        certain=np.concatenate([share == 1, none > 0]),
    )


def _points(
    a: Side, b: Side, linear: Ints, geodesic: bool, progress: Progress | None
) -> tuple[Ints, Ints]:
    """Pairs of a point and a line or point that it lies in as they are drawn."""
    if not geodesic:
        return points_in_lines(a.lonlat(), b.shapes, progress=progress)
    from geo.kernels.segments import shapes_within

    dots = np.setdiff1d(np.arange(len(b.shapes)), linear)
    i, column = points_in_lines(a.lonlat(), b.shapes[dots])
    reach = np.full(len(a.shapes), _ON_GEODESIC_M)
    near = shapes_within(a.shapes, b.shapes[linear], reach, progress=progress)
    inner = ~_at_end(a.lonlat(), near.i, b.shapes[linear], near.j)
    return (
        np.concatenate([i, near.i[inner]]),
        np.concatenate([dots[column], linear[near.j[inner]]]),
    )


def _may_reach(a: Side, b: Side) -> tuple[Ints, Ints]:
    """Pairs, one vague or both, of which the distance is within both reaches."""
    from geo.kernels.meetings import possibly_within

    rows = np.flatnonzero(a.reach_m + b.reach_m.max(initial=0.0) > EXACT_M)
    near = possibly_within(a.rows(rows), b, 0.0)
    i, j = rows[near.i], near.j
    vague = a.reach_m[i] + b.reach_m[j] > EXACT_M
    return i[vague], j[vague]


def _may_cover(a: Side, b: Side) -> tuple[Ints, Ints]:
    """Pairs of lines, one vague or both, of which every vertex may be on the other."""
    import shapely

    if not (len(a.shapes) and len(b.shapes)):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    lonlat, owner = shapely.get_coordinates(a.shapes, return_index=True)
    vertices = Side(
        shapes=np.asarray(shapely.points(lonlat)),
        kinds=np.full(len(owner), POINT),
        reach_m=a.reach_m[owner],
    )
    vertex, column = _may_reach(vertices, b)
    pair, reached = np.unique(
        owner[vertex] * len(b.shapes) + column, return_counts=True
    )
    i, j = np.divmod(pair, len(b.shapes))
    every = reached == np.bincount(owner, minlength=len(a.shapes))[i]
    return i[every], j[every]


def points_in_lines(
    lonlat: Floats, others: Shapes, *, progress: Progress | None = None
) -> tuple[Ints, Ints]:
    """Pair points with the lines and points that they lie in.

    Parameters
    ----------
    lonlat
        Points, shape ``(n, 2)``, longitudes in -180..180. [degrees]
    others
        Lines and points, multi or not, shape ``(m,)``; none missing or empty.
        [degrees]
    progress
        Called with the points done and ``n``.

    Returns
    -------
    i, j : numpy.ndarray
        Rows of the points, rising, and of the others, rising within a point: the pairs
        of which ``shapely.within`` is true, or would be if GEOS did not round, and
        those on the antimeridian and at a pole, where it is one place that counts.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> others = np.array([LineString([(0, 0), (4, 2)]), Point(2, 1)])
    >>> i, j = points_in_lines(np.array([[2.0, 1.0], [4.0, 2.0]]), others)
    >>> i.tolist(), j.tolist()
    ([0, 0], [0, 1])
    """
    edges = edges_of(others)
    tree = boxtree(edges)
    index = index_of(tree.bounds)
    lonlat = np.ascontiguousarray(lonlat, dtype=np.float64)

    def work(start: int, stop: int) -> tuple[Ints, Ints]:
        rows = start + morton_order(lonlat[start:stop])
        seam = rows[np.abs(lonlat[rows, 0]) == 180]
        found = []
        for some, mirror in ((rows, 1.0), (seam, -1.0)):
            places = lonlat[some] * (mirror, 1.0)
            for k, j in candidates(search, index, (np.hstack([places, places]),), ()):
                on = _on_edges(places, k, tree, j)
                found.append((some[k[on]], j[on]))
        for pole in (-90.0, 90.0):
            at = rows[lonlat[rows, 1] == pole]
            touching = np.flatnonzero((tree.bounds[:, 1::2] == pole).any(axis=1))
            found.append((np.repeat(at, len(touching)), np.tile(touching, len(at))))
        return joined(found)

    i, j = joined(
        run_chunks(work, len(lonlat), chunk=_POINTS_AT_ONCE, progress=progress)
    )
    i, j = np.divmod(np.unique(i * len(others) + j), max(len(others), 1))
    inner = ~_at_end(lonlat, i, others, j)
    return i[inner], j[inner]


def lines_in_lines(lines: Shapes, others: Shapes) -> tuple[Ints, Ints, Floats]:
    """Pair lines with the lines that they run along, and tell how much of them does.

    Parameters
    ----------
    lines, others
        Valid lines, multi or not, shapes ``(n,)`` and ``(m,)``, longitudes in
        -180..180; none missing or empty. [degrees]

    Returns
    -------
    i, j : numpy.ndarray
        Rows of the lines, rising, and of the others, rising within a line: the pairs
        that have a stretch in common.
    share : numpy.ndarray
        The share of the line's length that is in the other, measured along the
        geodesics between the ends of its pieces; exactly 1 where all of it is, which is
        where ``shapely.within`` is true, or would be if the antimeridian were one line.

    Notes
    -----
    An edge runs along another when the ends of the other are on its line, decided
    without rounding; the stretch in common then ends at vertices, whose coordinates
    only have to be compared.

    Examples
    --------
    >>> from shapely import LineString
    >>> lines = np.array([LineString([(0, 0), (2, 0), (2, 2)])])
    >>> others = np.array([LineString([(-1, 0), (1, 0)]), LineString([(2, 0), (2, 1)])])
    >>> i, j, share = lines_in_lines(lines, others)
    >>> i.tolist(), j.tolist(), share.round(2).tolist()
    ([0, 0], [0, 1], [0.25, 0.25])
    """
    mine, its = boxtree(edges_of(lines)), boxtree(_with_images(edges_of(others)))
    index = index_of(its.bounds)

    def work(start: int, stop: int) -> tuple[Ints, Ints, Floats, Bools]:
        parts = []
        for k, j in candidates(search, index, (mine.bounds[start:stop],), ()):
            i = start + k
            whole, pair, ends = _common(mine, i, its, j)
            parts.append((i, j, _lengths(pair, ends, len(i)), whole))
        none = np.empty(0, dtype=np.intp)
        parts.append((none, none, np.empty(0), np.empty(0, dtype=bool)))
        i, j, common_m, whole = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        some = whole | (common_m > 0)
        return i[some], j[some], common_m[some], whole[some]

    chunks = run_chunks(work, len(lines), chunk=_LINES_AT_ONCE)
    chunks.append(work(0, 0))
    i, j, common_m, whole = (
        np.concatenate(column) for column in zip(*chunks, strict=True)
    )
    used, at = np.unique(i, return_inverse=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.minimum(common_m / length_m(lines[used])[at], 1 - 2**-53)
    share[whole] = 1.0
    i, j, share = _on_poles(mine, others, (i, j, share))
    order = np.lexsort((j, i))
    return i[order], j[order], share[order]


def _on_poles(
    mine: BoxTree, others: Shapes, found: tuple[Ints, Ints, Floats]
) -> tuple[Ints, Ints, Floats]:
    """Pairs in which a line all along a pole, which is one point, counts as that."""
    south, north = mine.bounds[:, 1], mine.bounds[:, 3]
    polar = np.flatnonzero((south == north) & (np.abs(south) == 90))
    if not len(polar):
        return found
    i, j, share = found
    kept = ~np.isin(i, polar)
    places = np.column_stack([np.zeros(len(polar)), south[polar]])
    k, column = points_in_lines(places, others)
    return (
        np.concatenate([i[kept], polar[k]]),
        np.concatenate([j[kept], column]),
        np.concatenate([share[kept], np.ones(len(k))]),
    )


def _with_images(edges: Edges) -> Edges:
    """Edges, and those along the antimeridian on its other side as well."""
    lonlat = edges.lonlat
    seam = np.flatnonzero(
        (np.abs(lonlat[:, 0]) == 180) & (lonlat[:, 0] == lonlat[:, 2])
    )
    if not len(seam):
        return edges
    n = len(edges.offsets) - 1
    owner = np.repeat(np.arange(n), np.diff(edges.offsets))
    images = lonlat[seam] * (-1.0, 1.0, -1.0, 1.0)
    return regrouped(np.vstack([lonlat, images]), np.append(owner, owner[seam]), n)


def _lengths(pair: Ints, ends: Floats, pairs: int) -> Floats:
    """Sum of the lengths of the pieces of each pair, shape ``(pairs,)``. [m]."""
    from geo.geodesy import ellipsoid

    if not len(pair):
        return np.zeros(pairs)
    piece_m = np.asarray(ellipsoid().inv(*ends.T)[2])
    total: Floats = np.bincount(pair, piece_m, minlength=pairs).astype(np.float64)
    return total


def _at_end(lonlat: Floats, i: Ints, others: Shapes, j: Ints) -> Bools:
    """Whether each pair's point is at an end of its line."""
    import shapely

    column = np.unique(j)
    lines = others[column]
    parts, owner = shapely.get_parts(lines, return_index=True)
    linear = np.isin(shapely.get_type_id(parts), LINES)
    parts, owner = parts[linear], owner[linear]
    tips = [shapely.get_coordinates(shapely.get_point(parts, k)) for k in (0, -1)]
    places, owner = one_place(np.vstack(tips)), np.tile(owner, 2)
    order = np.lexsort((places[:, 1], places[:, 0], owner))
    places, owner = places[order], owner[order]
    other = np.ones(len(owner), dtype=bool)
    other[1:] = (places[1:] != places[:-1]).any(axis=1) | (owner[1:] != owner[:-1])
    first = np.flatnonzero(other)
    odd = first[np.diff(np.append(first, len(owner))) % 2 == 1]
    ends = regrouped(np.hstack([places, places])[odd], owner[odd], len(lines))
    return _on_edges(one_place(lonlat), i, boxtree(ends), np.searchsorted(column, j))


@njit(nogil=True, cache=True)
def _on_edges(lonlat: Floats, rows: Ints, tree: BoxTree, columns: Ints) -> Bools:
    """Tell whether each pair's point is on an edge of its feature, in the plane."""
    edges, boxes, spans, roots, _ = tree
    on = np.zeros(len(rows), dtype=np.bool_)
    for p in range(len(rows)):
        x, y = lonlat[rows[p], 0], lonlat[rows[p], 1]
        node, end = roots[columns[p]], roots[columns[p] + 1]
        while node < end and not on[p]:
            if (
                (x < boxes[node, 0])
                | (y < boxes[node, 1])
                | (x > boxes[node, 2])
                | (y > boxes[node, 3])
            ):
                node = spans[node, SKIP]
                continue
            node += 1
            if spans[node - 1, SKIP] != node:
                continue
            for e in range(spans[node - 1, FIRST], spans[node - 1, STOP]):
                ax, ay, bx, by = edges[e, 0], edges[e, 1], edges[e, 2], edges[e, 3]
                if (
                    min(ax, bx) <= x <= max(ax, bx)
                    and min(ay, by) <= y <= max(ay, by)
                    and turn(ax, ay, bx, by, x, y) == 0
                ):
                    on[p] = True
                    break
    return on


@njit(nogil=True, cache=True)
def _common(
    left: BoxTree, rows: Ints, right: BoxTree, columns: Ints
) -> tuple[Bools, Ints, Floats]:
    """Find what lines have in common with others, in the plane.

    Returns
    -------
    whole
        Whether the other covers all of the line, shape ``(p,)``.
    pair, ends
        Of each piece in common, the pair and its ends, shapes ``(s,)`` and ``(s, 4)``;
        none of pairs that are whole. [degrees]
    """
    whole = np.zeros(len(rows), dtype=np.bool_)
    pair, ends = np.empty(64, dtype=np.intp), np.empty((64, 4))
    n = 0
    for p in range(len(rows)):
        begin, every = n, True
        first = left.spans[left.roots[rows[p]], FIRST]
        stop = left.spans[left.roots[rows[p] + 1] - 1, STOP]
        for e in range(first, stop):
            edge = left.lonlat[e]
            if edge[0] == edge[2] and edge[1] == edge[3]:
                continue
            if abs(edge[1]) == 90 and edge[1] == edge[3]:
                bounds = right.bounds[columns[p]]
                every &= bounds[1] == edge[1] or bounds[3] == edge[1]
                continue
            pieces = _pieces(edge, right, columns[p])
            every &= len(pieces) == 1 and _is_all(pieces[0], edge)
            while n + len(pieces) > len(pair):
                pair = np.concatenate((pair, np.empty_like(pair)))
                ends = np.concatenate((ends, np.empty_like(ends)))
            for s in range(len(pieces)):
                pair[n], ends[n] = p, pieces[s]
                n += 1
        if every:
            n, whole[p] = begin, True
    return whole, pair[:n], ends[:n]


@njit(nogil=True, cache=True)
def _pieces(edge: Floats, tree: BoxTree, f: int) -> Floats:
    """Pieces of an edge that a feature covers, apart from each other, shape (s, 4)."""
    ax, ay, bx, by = edge[0], edge[1], edge[2], edge[3]
    west, east, south, north = min(ax, bx), max(ax, bx), min(ay, by), max(ay, by)
    axis = 0 if ax != bx else 1  # along it, places on the edge's line differ
    found = np.empty((8, 4))
    n = 0
    node, end = tree.roots[f], tree.roots[f + 1]
    while node < end:
        if (
            (east < tree.boxes[node, 0])
            | (north < tree.boxes[node, 1])
            | (west > tree.boxes[node, 2])
            | (south > tree.boxes[node, 3])
        ):
            node = tree.spans[node, SKIP]
            continue
        node += 1
        if tree.spans[node - 1, SKIP] != node:
            continue
        for g in range(tree.spans[node - 1, FIRST], tree.spans[node - 1, STOP]):
            cx, cy = tree.lonlat[g, 0], tree.lonlat[g, 1]
            dx, dy = tree.lonlat[g, 2], tree.lonlat[g, 3]
            if turn(ax, ay, bx, by, cx, cy) != 0 or turn(ax, ay, bx, by, dx, dy) != 0:
                continue
            low, high = _ordered(edge, axis), _ordered(tree.lonlat[g], axis)
            piece = _overlap(low, high, axis)
            if piece[axis] < piece[2 + axis]:
                if n == len(found):
                    found = np.concatenate((found, np.empty_like(found)))
                found[n] = piece
                n += 1
    return _united(found[:n], axis)


@njit(nogil=True, cache=True)
def _ordered(edge: Floats, axis: int) -> Floats:
    """Turn an edge so that its lower end along an axis comes first."""
    if edge[axis] <= edge[2 + axis]:
        return edge.copy()
    return np.array([edge[2], edge[3], edge[0], edge[1]])


@njit(nogil=True, cache=True)
def _overlap(one: Floats, other: Floats, axis: int) -> Floats:
    """From the later start to the earlier end of two edges that are ordered."""
    start = one if one[axis] >= other[axis] else other
    end = one if one[2 + axis] <= other[2 + axis] else other
    return np.array([start[0], start[1], end[2], end[3]])


@njit(nogil=True, cache=True)
def _united(pieces: Floats, axis: int) -> Floats:
    """Put pieces of one line together where they touch or overlap."""
    pieces = pieces[np.argsort(pieces[:, axis])]
    n = 0
    for s in range(len(pieces)):
        if n and pieces[s, axis] <= pieces[n - 1, 2 + axis]:
            if pieces[s, 2 + axis] > pieces[n - 1, 2 + axis]:
                pieces[n - 1, 2:] = pieces[s, 2:]
        else:
            pieces[n] = pieces[s]
            n += 1
    return pieces[:n]


@njit(nogil=True, cache=True)
def _is_all(piece: Floats, edge: Floats) -> bool:
    """Whether a piece reaches from one end of its edge to the other."""
    same = (piece == edge).all()
    turned = (piece[:2] == edge[2:]).all() and (piece[2:] == edge[:2]).all()
    return bool(same or turned)

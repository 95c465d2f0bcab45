"""Which points lie in which polygons, and which features meet: exact, on the globe.

Edges are straight in longitude and latitude. Every decision is the sign of a
determinant that rounding cannot turn (:mod:`geo.kernels.orientation`), so the answers
are those of GEOS. Beyond the plane, longitudes 180 and -180 are one meridian and every
longitude at a pole is one point.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.boxtree import (
    BoxTree,
    Index,
    boxtree,
    index_of,
    neighbours_together,
    search,
)
from geo.kernels.contacts import in_contact
from geo.kernels.curve import morton_order
from geo.kernels.edges import Edges, edges_of
from geo.kernels.interiors import held
from geo.kernels.reach import boxes_round, reached, scaled, search_near
from geo.kernels.seams import boundary_of, pieces_on_meridian
from geo.parallel import run_chunks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from geo.parallel import Progress

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_POINTS_AT_ONCE = 1 << 17
_SHAPES_AT_ONCE = 1 << 13
_PAIRS_AT_ONCE = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Pairs of a point and a polygon that holds it, or whose boundary is near."""

    i: Ints
    """Rows of the points, rising, shape ``(p,)``."""
    j: Ints
    """Rows of the polygons, rising within a point, shape ``(p,)``."""
    inside: Bools
    """Whether the point lies in the polygon's interior, shape ``(p,)``."""
    near: Bools
    """Whether the boundary may be within the reach, shape ``(p,)``."""


def polygons_holding(
    lonlat: Floats,
    reach_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    *,
    progress: Progress | None = None,
) -> Holding:
    """Pair points with the polygons that they lie in, or whose boundary is near.

    Parameters
    ----------
    lonlat
        Points, shape ``(n, 2)``, longitudes in -180..180. [degrees]
    reach_m
        How far each point reaches, shape ``(n,)``. [m]
    polygons
        Valid polygons, multi or not, shape ``(m,)``, longitudes in -180..180. None
        is missing or empty. [degrees]
    boundary_m
        How far each polygon's boundary reaches, shape ``(m,)``. [m]
    progress
        Called with the points done and ``n``.

    Returns
    -------
    Holding
        ``inside`` is what ``shapely.contains`` says, the interior without the
        boundary; but a point on longitude ±180 or at a pole is inside where the
        polygon covers the ground all round it. ``near`` is true of every pair whose
        boundary, not counting cuts along the antimeridian and the poles, lies within
        the reaches of both together, by the geodesic; and of a few more. It is false
        where both reaches are 0.

    Notes
    -----
    Boxes yield candidates; :mod:`geo.kernels.interiors` says how inside is decided, and
    :mod:`geo.kernels.reach` how near is.
    """
    rings_of = edges_of(polygons)
    outlines_of = boundary_of(rings_of)
    rings = boxtree(rings_of)
    outlines = rings if outlines_of is rings_of else boxtree(outlines_of)
    index = index_of(rings.bounds)
    lonlat = np.ascontiguousarray(lonlat, dtype=np.float64)
    reach_m = np.ascontiguousarray(reach_m, dtype=np.float64)
    width = np.ascontiguousarray(boundary_m, dtype=np.float64)
    most = width.max(initial=0.0)
    widest = _widest(index.tree, width[index.order])

    def work(start: int, stop: int) -> tuple[Ints, Ints]:
        rows = start + morton_order(lonlat[start:stop])
        places, reach = lonlat[rows], reach_m[rows]
        on_cut = (np.abs(places[:, 0]) == 180) | (np.abs(places[:, 1]) == 90)
        vague = on_cut | (reach + most > 0)
        found = []
        sharp, sharp_rows = places[~vague], rows[~vague]
        for k, j in candidates(search, index, (np.hstack([sharp, sharp]),), ()):
            inside = held(sharp, k, rings, outlines, j)
            found.append((sharp_rows[k[inside]], 4 * j[inside] + 2))
        if not vague.any():
            return _in_order(found)
        places, reach, rows = places[vague], reach[vague], rows[vague]
        planes = scaled(places, reach + most)
        for k, j in _reachable(index, planes, reach, width, widest):
            inside = held(places, k, rings, outlines, j)
            near = reached(planes, k, outlines, j, reach[k] + width[j])
            either = inside | near
            key = 4 * j + 2 * inside + near
            found.append((rows[k[either]], key[either]))
        return _in_order(found)

    i, key = joined(
        run_chunks(work, len(lonlat), chunk=_POINTS_AT_ONCE, progress=progress)
    )
    return Holding(
        i=i, j=key >> 2, inside=(key & 2).astype(bool), near=(key & 1).astype(bool)
    )


def intersecting(
    left: Shapes, right: Shapes, *, progress: Progress | None = None
) -> tuple[Ints, Ints]:
    """Pair features that have at least one point in common.

    Parameters
    ----------
    left, right
        Valid points, lines and polygons, multi or not, shapes ``(n,)`` and ``(m,)``,
        longitudes in -180..180. None is missing or empty. [degrees]
    progress
        Called with the rows of left done and ``n``.

    Returns
    -------
    i, j : numpy.ndarray
        Rows of left, rising, and of right, rising within a row of left: the pairs of
        which ``shapely.intersects`` is true, and those that meet on the antimeridian
        or at a pole.

    Notes
    -----
    Boxes yield candidates, and :mod:`geo.kernels.contacts` decides. What features have
    on the antimeridian is compared as stretches of one line.
    """
    import shapely

    def taken_apart(k: int, _: int) -> tuple[Edges, BoxTree, Ints]:
        edges, order = neighbours_together(edges_of((left, right)[k]))
        return edges, boxtree(edges), order

    (one, a, rows), (other, b, columns) = run_chunks(taken_apart, 2, chunk=1)
    areal = [np.asarray(shapely.get_dimensions(s)) == 2 for s in (left, right)]
    i, j = _meeting(a, areal[0][rows], b, areal[1][columns], progress)
    more = list(_across(one, a, other, b))
    if more:
        pairs = np.unique(np.concatenate([np.stack([i, j], axis=1), *more]), axis=0)
        i, j = pairs.T
    return _in_order([(rows[i], columns[j])])


def meet(left: Shapes, right: Shapes, i: Ints, j: Ints) -> Bools:
    """Tell of pairs of features whether they have at least one point in common.

    Parameters
    ----------
    left, right
        As for :func:`intersecting`. [degrees]
    i, j
        Rows of left and of right, shapes ``(p,)``.

    Returns
    -------
    numpy.ndarray
        What :func:`intersecting` says of each pair, shape ``(p,)``.
    """
    import shapely

    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    one, other = edges_of(left[rows]), edges_of(right[columns])
    a, b = boxtree(one), boxtree(other)
    mine, its = (
        np.asarray(shapely.get_dimensions(shapes)) == 2
        for shapes in (left[rows], right[columns])
    )
    met: Bools = in_contact(a, mine, row, b, its, column)
    for pairs in _across(one, a, other, b):
        met |= np.isin(
            row * len(columns) + column, pairs[:, 0] * len(columns) + pairs[:, 1]
        )
    return met


def _meeting(
    left: BoxTree,
    left_areal: Bools,
    right: BoxTree,
    right_areal: Bools,
    progress: Progress | None,
) -> tuple[Ints, Ints]:
    """Pairs that meet in the plane."""
    index = index_of(right.bounds)

    def work(start: int, stop: int) -> tuple[Ints, Ints]:
        found = []
        for k, j in candidates(search, index, (left.bounds[start:stop],), ()):
            i = start + k
            meet = in_contact(left, left_areal, i, right, right_areal, j)
            found.append((i[meet], j[meet]))
        return joined(found)

    n = len(left.bounds)
    return joined(run_chunks(work, n, chunk=_SHAPES_AT_ONCE, progress=progress))


def candidates(
    search: Callable[..., tuple[int, int]],
    index: Index,
    wanted: tuple[Floats, ...],
    more: tuple[Floats, ...],
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs that a search finds, so many at a time that memory is bounded.

    Parameters
    ----------
    search, index, wanted, more
        :func:`geo.kernels.boxtree.search` or one like it, what it searches, what it
        is to find, shapes ``(k, …)``, and what else it takes after the index.

    Yields
    ------
    rows, columns : numpy.ndarray
        Rows of ``wanted``, and features.
    """
    room = _PAIRS_AT_ONCE + len(index.order)
    begin = 0
    while begin < len(wanted[0]):
        rows = np.empty(room, dtype=np.intp)
        columns = np.empty(room, dtype=np.intp)
        begin, n = search(*wanted, begin, *index, *more, rows, columns)
        yield rows[:n], columns[:n]


def _reachable(
    index: Index, planes: Floats, reach: Floats, width: Floats, widest: Floats
) -> Iterator[tuple[Ints, Ints]]:
    """Yield the pairs of a point and a feature whose box it may reach.

    Where no boundary has a width, neighbours are looked up together by boxes that hold
    all they reach; one by one where that is across the antimeridian or over a pole.
    """
    boxes, whole = boxes_round(planes, reach)
    if widest.any():
        whole[:] = False
    rows = np.flatnonzero(whole)
    for k, j in candidates(search, index, (boxes[rows],), ()):
        yield rows[k], j
    rows = np.flatnonzero(~whole)
    for k, j in candidates(
        search_near, index, (planes[rows], reach[rows]), (width, widest)
    ):
        yield rows[k], j


def _in_order(found: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Pairs sorted by row, then by key."""
    i, key = joined(found)
    if not len(i):
        return i, key
    first, bits = i.min(), int(key.max()).bit_length()
    both = np.sort((i - first) << bits | key)
    return (both >> bits) + first, both & ((1 << bits) - 1)


def _across(one: Edges, a: BoxTree, other: Edges, b: BoxTree) -> list[Ints]:
    """Pairs that meet on the antimeridian or at a pole, shapes ``(p, 2)``."""
    found = []
    for lon in (180.0, -180.0):
        if (a.bounds[:, ::2] == lon).any() and (b.bounds[:, ::2] == -lon).any():
            left, rows = pieces_on_meridian(one, lon)
            right, columns = pieces_on_meridian(other, -lon)
            lines = np.zeros(len(rows), bool), np.zeros(len(columns), bool)
            i, j = _meeting(boxtree(left), lines[0], boxtree(right), lines[1], None)
            found.append(np.stack([rows[i], columns[j]], axis=1))
    for lat in (90.0, -90.0):
        rows = np.flatnonzero((a.bounds[:, 1::2] == lat).any(axis=1))
        columns = np.flatnonzero((b.bounds[:, 1::2] == lat).any(axis=1))
        pairs = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1)
        found.append(pairs.reshape(-1, 2))
    return [pairs for pairs in found if len(pairs)]


def joined(chunks: list[tuple[Ints, Ints]]) -> tuple[Ints, Ints]:
    """Put pairs together, one after the other.

    Parameters
    ----------
    chunks
        Rows and columns of pairs, shapes ``(p,)`` each.

    Returns
    -------
    i, j : numpy.ndarray
        Of all of them.
    """
    none = np.empty(0, dtype=np.intp)
    i = np.concatenate([none, *(chunk[0] for chunk in chunks)])
    return i, np.concatenate([none, *(chunk[1] for chunk in chunks)])


def _widest(tree: BoxTree, width: Floats) -> Floats:
    """Largest width of the features in each node."""
    if not width.any():
        return np.zeros(len(tree.spans))
    return np.array([width[a:b].max() for _, a, b, _ in tree.spans])

"""Pairs of points, lines and polygons by geodesic distance, edges straight in lon/lat.

Edges are cut into pieces that leave their chords by 0.25 m at the most
(:mod:`geo.kernels.pieces`), and the pieces of the right side stand in a tree
(:mod:`geo.kernels.piecetree`). What the tree cannot rule out is solved on the curves
themselves (:mod:`geo.kernels.gaps`).

How exact a distance is. Up to 8 km the shortest chord between two features is found to
8e-6 m where one of them is a point and to 0.3 mm otherwise, and its geodesic has the
bound of :mod:`geo.kernels.chords`: for any two places with the shortest chord c, no
geodesic between the features is shorter than c, and that one is no longer than c + 0.54
mm. Distances are therefore right to 0.54 mm to points and 0.84 mm between lines and
polygons, and less with the cube of the distance; measured, to 1e-7 m and 0.3 mm.

Beyond 8 km the distance is Karney's at the contact that :mod:`geo.kernels.remote`
proves: no geodesic between the two features is shorter by more than half a millimetre;
from 19,969 km on, near the antipodes, where shortest ways branch, by more than a metre.
Nor is a feature passed over that would be nearer than the k-th by more than that, for
what is measured is ruled by a bound that holds everywhere, at the antipodes too:
scaling the axis of the ellipsoid to a sphere of radius a lengthens no chord by less
than 1 and turns the geodesic into a curve no longer than a / b times it, so

    s  ≥  2 b asin(c / 2 a).

Features that have a point in common are 0 apart, as
:func:`geo.kernels.predicates.intersecting` decides it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M
from geo.kernels.pairs import (
    TIE_M,
    Answers,
    Found,
    nearest_points,
    points_within,
    together,
)
from geo.parallel import run_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.kernels.edges import Edges
    from geo.kernels.pairs import Ties
    from geo.kernels.piecetree import PieceTree
    from geo.parallel import Progress

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_TOUCHING_M = 1e-3
_ROWS = 2_048
_ROOM = 1 << 15
_POINT, _AREAL = 0, 2  # shapely's id of the type; dimension


def nearest_shapes(
    left: Shapes,
    right: Shapes,
    k: int,
    *,
    max_distance_m: float = np.inf,
    ties: Ties = "first",
    progress: Progress | None = None,
) -> Found:
    """Pair each feature with its k nearest, by geodesic distance.

    Parameters
    ----------
    left, right
        Valid points, lines and polygons in EPSG:4326, multi or not, shapes ``(n,)``
        and ``(m,)``; none missing or empty, longitudes in -180..180. [degrees]
    k
        How many neighbours, 1 or more; all ``m`` where there are no more.
    max_distance_m
        Leave out pairs that are farther apart. [m]
    ties
        ``"first"``: k pairs a row, those of equal distance by row of ``right``.
        ``"all"``: also every pair within :data:`geo.kernels.pairs.TIE_M` of the k-th.
    progress
        Called with the rows done and ``n``.

    Returns
    -------
    Found
        The pairs; ``azimuth_deg`` at left's nearest place towards right's.

    Notes
    -----
    How exact this is: see :mod:`geo.kernels.segments`.
    """
    if _all_points(left) and _all_points(right):
        return nearest_points(
            _lonlat(left),
            _lonlat(right),
            k,
            max_distance_m=max_distance_m,
            ties=ties,
            progress=progress,
        )
    reach_m = np.full(len(left), max_distance_m)
    return _joined(left, right, min(k, len(right)), reach_m, ties, progress)


def shapes_within(
    left: Shapes,
    right: Shapes,
    reach_m: Floats,
    *,
    progress: Progress | None = None,
) -> Found:
    """Pair each feature with all that are within its reach.

    Parameters
    ----------
    left, right
        As for :func:`nearest_shapes`.
    reach_m
        Longest distance of a pair, for each left feature, shape ``(n,)``; none when
        it is negative. [m]
    progress
        Called with the rows done and ``n``.

    Returns
    -------
    Found
        The pairs whose distance is no longer than the reach.

    Notes
    -----
    How exact this is: see :mod:`geo.kernels.segments`.
    """
    if _all_points(left) and _all_points(right):
        return points_within(_lonlat(left), _lonlat(right), reach_m, progress=progress)
    return _joined(left, right, 0, reach_m, "first", progress)


def _joined(
    left: Shapes,
    right: Shapes,
    k: int,
    reach_m: Floats,
    ties: Ties,
    progress: Progress | None,
) -> Found:
    """Find the k nearest within reach of each row, or with ``k`` 0 all of them."""
    if not len(left) or not len(right):
        none, nowhere = np.empty(0, dtype=np.intp), np.empty(0)
        return Found(i=none, j=none, distance_m=nowhere, azimuth_deg=nowhere)
    search = _Search(left, right, k, reach_m, ties)
    parts = run_chunks(search.answer, len(left), chunk=_ROWS, progress=progress)
    found = together(parts)
    return Found(**found.take(np.argsort(found.i, kind="stable"))._asdict())


class _Search:
    """A search among the features of one side for those of the other."""

    def __init__(
        self, left: Shapes, right: Shapes, k: int, reach_m: Floats, ties: Ties
    ) -> None:
        import shapely

        from geo.kernels.curve import morton_order
        from geo.kernels.pieces import pieces_of
        from geo.kernels.piecetree import piecetree
        from geo.kernels.predicates import intersecting

        self.left, self.right, self.k, self.ties = left, right, k, ties
        self.reach_m = reach_m
        self.ours, self.offsets = pieces_of(_edges(left))
        self.tree: PieceTree = piecetree(pieces_of(_edges(right))[0])
        self.order = morton_order(self.ours.lonlat[self.offsets[:-1], :2])
        self.areal = any(
            bool((shapely.get_dimensions(shapes) == _AREAL).any())
            for shapes in (left, right)
        )
        self.meet_j = np.empty(0, dtype=np.intp)
        self.meet_starts = np.zeros(len(left) + 1, dtype=np.intp)
        if self.areal:
            i, self.meet_j = intersecting(left, right)
            self.meet_starts = np.searchsorted(i, np.arange(len(left) + 1))

    def answer(self, start: int, stop: int) -> Answers:
        """Answer some rows, each by distance, then by row of right."""
        rows = self.order[start:stop]
        rows = rows[self.reach_m[rows] >= 0]
        if not self.k:
            found = self._found(rows, 0, _shortest_chord(self.reach_m))
            return self._cut(self._with_meeting(rows, found))
        found = self._found(rows, self.k, self.reach_m)
        kth, full = np.full(len(self.left), -np.inf), np.zeros(len(self.left), np.intp)
        np.maximum.at(kth, found.i, found.distance_m)
        np.add.at(full, found.i, 1)
        doubtful = kth[rows] > _short_m()
        doubtful |= self.ties == "all"
        if not self.areal:
            doubtful |= kth[rows] <= _TOUCHING_M
        doubtful &= (full[rows] == self.k) & (self.k < len(self.right))
        if doubtful.any():
            again = rows[doubtful]
            reach = np.maximum(_shortest_chord(kth + TIE_M), _TOUCHING_M)
            reach = np.minimum(reach, self.reach_m)
            kept = found.take(~np.isin(found.i, again))
            more = self._found(again, 0, reach)
            found = together([kept, more])
        return self._cut(self._with_meeting(rows, found))

    def _found(self, rows: Ints, k: int, chord_m: Floats) -> Answers:
        """Search the tree for some rows and measure what it finds."""
        from geo.kernels.piecetree import search

        pairs_parts = []
        room = max(len(rows) * k, 1) if k else _ROOM
        pairs, parts = np.empty((room, 4), dtype=np.intp), np.empty((room, 3))
        at = 0
        while at < len(rows):
            begun = at
            at, filled = search(
                self.ours,
                self.offsets,
                rows,
                at,
                self.tree,
                len(self.right),
                k,
                chord_m,
                pairs,
                parts,
            )
            pairs_parts.append((pairs[:filled].copy(), parts[:filled].copy()))
            if at == begun:
                room = min(room * 4, len(self.right))
                pairs, parts = np.empty((room, 4), dtype=np.intp), np.empty((room, 3))
        if not pairs_parts:
            none, nowhere = np.empty(0, dtype=np.intp), np.empty(0)
            return Answers(none, none, nowhere, nowhere)
        pairs = np.concatenate([pair for pair, _ in pairs_parts])
        parts = np.concatenate([part for _, part in pairs_parts])
        return self._measured(pairs, parts)

    def _measured(self, pairs: Ints, parts: Floats) -> Answers:
        """Distance and azimuth at the contacts; the proved ones where it is long."""
        from geo.kernels.chords import earth_centred, inverse_pairs
        from geo.kernels.remote import along

        self._prove(pairs, parts)
        i, j = pairs[:, 0].copy(), pairs[:, 1].copy()
        here = along(self.ours.lonlat[pairs[:, 2]], parts[:, 1])
        there = along(self.tree.pieces.lonlat[pairs[:, 3]], parts[:, 2])
        same = np.arange(len(i))
        distance_m, azimuth_deg = inverse_pairs(
            here, there, earth_centred(there), same, same
        )
        if not self.areal:
            near = np.flatnonzero(distance_m <= _TOUCHING_M)
            self._touch(i, j, near, distance_m, azimuth_deg)
        return Answers(i, j, distance_m, azimuth_deg)

    def _prove(self, pairs: Ints, parts: Floats) -> None:
        """Put the contacts of least geodesic in place of those that are far apart."""
        from geo.geodesy import distance
        from geo.kernels.piecetree import list_pieces
        from geo.kernels.remote import PROVED_M, Contacts, along, proved, tangents

        far = np.flatnonzero(parts[:, 0] > _short_m())
        if not len(far):
            return
        mine, yours = pairs[far, 2], pairs[far, 3]
        t, u = parts[far, 1], parts[far, 2]
        here = along(self.ours.lonlat[mine], t)
        there = along(self.tree.pieces.lonlat[yours], u)
        best = Contacts(distance(*here.T, *there.T), mine, yours, t, u)
        theirs = self.tree.pieces
        best = proved(self.ours, theirs, best, np.arange(len(far)), mine, yours)
        i, j = pairs[far, 0].copy(), pairs[far, 1].copy()
        chord = _shortest_chord(best.distance_m)
        ways = tangents(self.ours, theirs, best)
        room, at = np.empty((_ROOM, 3), dtype=np.intp), 0
        while at < len(i):
            begun = at
            at, filled = list_pieces(
                self.ours,
                self.offsets,
                self.tree,
                len(self.right),
                i,
                j,
                chord,
                ways,
                PROVED_M / 2,
                at,
                room,
            )
            if at == begun:
                room = np.empty((4 * len(room), 3), dtype=np.intp)
                continue
            block = Contacts._make(part[begun:at] for part in best)
            pair, mine, yours = room[:filled].T.copy()
            better = proved(self.ours, theirs, block, pair - begun, mine, yours)
            pairs[far[begun:at], 2:] = np.column_stack([better.mine, better.yours])
            parts[far[begun:at], 1:] = np.column_stack([better.t, better.u])

    def _touch(
        self, i: Ints, j: Ints, near: Ints, distance_m: Floats, azimuth_deg: Floats
    ) -> None:
        """Set to 0 what is near and has a point in common."""
        from geo.kernels.predicates import meet

        if len(near):
            meets = near[meet(self.left, self.right, i[near], j[near])]
            distance_m[meets], azimuth_deg[meets] = 0.0, np.nan

    def _with_meeting(self, rows: Ints, found: Answers) -> Answers:
        """Add the pairs that have a point in common, at distance 0."""
        if not len(self.meet_j):
            return found
        count = self.meet_starts[rows + 1] - self.meet_starts[rows]
        if self.k and self.ties == "first":
            count = np.minimum(count, self.k)
        i = np.repeat(rows, count)
        at = np.arange(len(i)) - np.repeat(np.cumsum(count) - count, count)
        j = self.meet_j[self.meet_starts[i] + at]
        zero = Answers(i, j, np.zeros(len(i)), np.full(len(i), np.nan))
        # A pair may be among both; the one at distance 0 comes first and stays.
        both = together([zero, found])
        order = np.lexsort((both.distance_m, both.j, both.i))
        both = both.take(order)
        first = np.ones(len(order), dtype=bool)
        first[1:] = (both.i[1:] != both.i[:-1]) | (both.j[1:] != both.j[:-1])
        return both.take(first)

    def _cut(self, found: Answers) -> Answers:
        """Sort, and leave out what is beyond reach or behind the k-th."""
        found = found.take(found.distance_m <= self.reach_m[found.i])
        found = found.sorted()
        if not self.k:
            return found
        rank = np.arange(len(found.i)) - np.searchsorted(found.i, found.i)
        kept = rank < self.k
        if self.ties == "all":
            kth = np.full(len(self.left), -np.inf)
            last = rank == self.k - 1
            kth[found.i[last]] = found.distance_m[last]
            kept |= found.distance_m <= kth[found.i] + TIE_M
        return found.take(kept)


def _all_points(shapes: Shapes) -> bool:
    """Whether there is nothing but single points."""
    import shapely

    return bool((shapely.get_type_id(shapes) == _POINT).all())


def _edges(shapes: Shapes) -> Edges:
    """Edges of features; of points without a detour."""
    from geo.kernels.edges import Edges, edges_of

    if not _all_points(shapes):
        return edges_of(shapes)
    lonlat = _lonlat(shapes)
    return Edges(lonlat=np.hstack([lonlat, lonlat]), offsets=np.arange(len(shapes) + 1))


def _lonlat(points: Shapes) -> Floats:
    """Longitudes and latitudes of points, shape ``(n, 2)``."""
    import shapely

    return np.asarray(shapely.get_coordinates(points))


def _short_m() -> float:
    """Longest distance in closed form. [m]."""
    from geo.kernels.chords import SHORT_M

    return SHORT_M


def _shortest_chord(distance_m: Floats) -> Floats:
    """Longest chord that a geodesic of a length may have. [m]."""
    polar = EQUATORIAL_RADIUS_M * np.sqrt(1 - ECCENTRICITY_SQUARED)
    angle = np.clip(distance_m / (2 * polar), 0.0, np.pi / 2)
    longest = 2 * EQUATORIAL_RADIUS_M * np.sin(angle)
    return np.asarray(np.minimum(distance_m, longest))

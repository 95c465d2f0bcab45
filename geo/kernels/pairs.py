"""Pairs of points by geodesic distance: the nearest ones, and all within reach.

Distances are those of :mod:`geo.kernels.chords`: exact to less than a millimetre by
proof and to 1e-8 m by measurement.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from geo.parallel import run_chunks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.kernels.strips import Strips
    from geo.parallel import Progress

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Ties = Literal["first", "all"]

TIE_M = 1e-6
"""Distances that differ by no more than this are tied. [m]"""

_SLOTS = 1 << 17
_FAR_ROWS = 2_048


@dataclass(frozen=True, kw_only=True)
class Found:
    """Pairs of features, by left row, then by distance, then by right row."""

    i: Ints
    """Rows of left, shape ``(p,)``."""
    j: Ints
    """Rows of right, shape ``(p,)``."""
    distance_m: Floats
    """Length of the geodesic, shape ``(p,)``. [m]"""
    azimuth_deg: Floats
    """Azimuth at left towards right, 0 to 360; NaN where the distance is 0, shape
    ``(p,)``. [degrees]"""


class Answers(NamedTuple):
    """Pairs of some rows, in any order; each part of shape ``(p,)``."""

    i: Ints
    """Rows of left."""
    j: Ints
    """Rows of right."""
    distance_m: Floats
    """Length of the geodesic. [m]"""
    azimuth_deg: Floats
    """Azimuth at left towards right. [degrees]"""

    def take(self, which: NDArray[np.bool_] | Ints) -> Answers:
        """Give some of the pairs, in the order asked for."""
        return Answers(
            self.i[which],
            self.j[which],
            self.distance_m[which],
            self.azimuth_deg[which],
        )

    def sorted(self) -> Answers:
        """Give the pairs by left row, then by distance, then by right row."""
        return self.take(np.lexsort((self.j, self.distance_m, self.i)))


def together(parts: Sequence[Answers]) -> Answers:
    """Pairs of several rows one after the other; at least one part."""
    return Answers(
        np.concatenate([part.i for part in parts]),
        np.concatenate([part.j for part in parts]),
        np.concatenate([part.distance_m for part in parts]),
        np.concatenate([part.azimuth_deg for part in parts]),
    )


def nearest_points(
    lonlat: Floats,
    others: Floats,
    k: int,
    *,
    max_distance_m: float = np.inf,
    ties: Ties = "first",
    progress: Progress | None = None,
) -> Found:
    """Pair each place with its k nearest, by geodesic distance.

    Parameters
    ----------
    lonlat, others
        Longitudes and latitudes, shapes ``(n, 2)`` and ``(m, 2)``. [degrees]
    k
        How many neighbours, 1 or more; all ``m`` where there are no more.
    max_distance_m
        Leave out pairs that are farther apart. [m]
    ties
        ``"first"``: k pairs a row, those of equal distance by row of ``others``.
        ``"all"``: also every pair within :data:`TIE_M` of the k-th.
    progress
        Called with the rows done and ``n``.

    Returns
    -------
    Found
        The pairs.

    Notes
    -----
    A k-d tree over Earth-centred coordinates gives the k + 1 shortest chords. A chord
    is no longer than its geodesic; so when chord k + 1 is longer than the geodesics of
    the first k, these are proven to be the nearest. Where they are not (near ties, and
    places thousands of kilometres away), :class:`geo.kernels.balls.Balls` finds all
    that may be, by Karney's distance. Coincident places are searched once.

    References
    ----------
    See :mod:`geo.kernels.chords`.
    """
    return _Nearest(lonlat, others, k, max_distance_m, ties).search(progress)


class _Nearest:
    """A search for the nearest of some places."""

    def __init__(
        self, lonlat: Floats, others: Floats, k: int, max_distance_m: float, ties: Ties
    ) -> None:
        from scipy.spatial import cKDTree

        from geo.kernels.chords import ROUNDING_M, earth_centred
        from geo.kernels.curve import morton_order

        self.lonlat, self.others = lonlat, others
        self.ties, self.max_distance_m = ties, max_distance_m
        self.places, self.members, self.starts = _distinct(others)
        self.xyz = earth_centred(self.places)
        self.k, self.wanted = min(k, len(others)), min(k, len(self.places))
        self.tree = cKDTree(self.xyz, balanced_tree=False)
        self.order = morton_order(lonlat)
        self.reach_m = max_distance_m + ROUNDING_M
        # One answer a row goes straight to its place.
        self.plain = k == 1 and ties == "first" and len(self.places) == len(others)

    def search(self, progress: Progress | None) -> Found:
        """Run over all rows."""
        shape = (len(self.lonlat), self.k)
        self.j = np.full(shape, -1, dtype=np.intp)
        self.distance_m, self.azimuth_deg = np.empty(shape), np.empty(shape)
        self.more: list[Answers] = []
        if not self.j.size:
            return _nothing()
        chunk = max(1, min(1 << 15, _SLOTS // (self.wanted + 1)))
        doubtful = np.concatenate(
            run_chunks(self._by_chord, len(self.lonlat), chunk=chunk, progress=progress)
        )
        if len(doubtful):
            self._by_geodesic(doubtful)
        return self._gather()

    def _by_chord(self, start: int, stop: int) -> Ints:
        """Answer rows from the k-d tree; give those that are not proven."""
        from geo.kernels.chords import ROUNDING_M, earth_centred, inverse_pairs

        rows = self.order[start:stop]
        here, wanted = self.lonlat[rows], self.wanted
        asked = min(wanted + 1, len(self.places))
        found = self.tree.query(
            earth_centred(here),
            k=np.arange(1, asked + 1),
            distance_upper_bound=self.reach_m,
        )
        chord, hit = np.asarray(found[0]), np.asarray(found[1])
        j = hit[:, :wanted].astype(np.intp).ravel()
        i = np.repeat(np.arange(len(rows)), wanted)
        distance_m, azimuth_deg = inverse_pairs(here, self.places, self.xyz, i, j)
        proven = np.ones(len(rows), dtype=bool)
        if asked > wanted:
            farthest = distance_m.reshape(-1, wanted).max(axis=1)
            proven = chord[:, wanted] > farthest + TIE_M + ROUNDING_M
            proven |= np.isinf(chord[:, wanted])
        kept = proven[i] & (j < len(self.places))
        if not kept.all():
            i, j = i[kept], j[kept]
            distance_m, azimuth_deg = distance_m[kept], azimuth_deg[kept]
        self._settle(rows, i, j, distance_m, azimuth_deg)
        return rows[~proven]

    def _by_geodesic(self, rows: Ints) -> None:
        """Answer rows that chords could not decide."""
        from geo.kernels.balls import Balls
        from geo.kernels.chords import inverse_pairs

        balls = Balls(
            self.places, np.zeros(len(self.places)), np.arange(len(self.places))
        )

        def work(start: int, stop: int) -> None:
            here = self.lonlat[rows[start:stop]]
            bound = np.full(len(here), self.reach_m)
            i, j = balls.near(here, self.wanted, within_m=bound, slack_m=TIE_M)
            distance_m, azimuth_deg = inverse_pairs(here, self.places, self.xyz, i, j)
            self._settle(rows[start:stop], i, j, distance_m, azimuth_deg)

        run_chunks(work, len(rows), chunk=_FAR_ROWS)

    def _settle(
        self, rows: Ints, i: Ints, j: Ints, distance_m: Floats, azimuth_deg: Floats
    ) -> None:
        """Write down the answers of rows out of distinct places that may be them."""
        from geo.kernels.chords import karney

        close = np.flatnonzero(np.abs(distance_m - self.max_distance_m) <= TIE_M)
        if len(close):
            karney(self.lonlat[rows], self.places, i, j, close, distance_m, azimuth_deg)
        if self.plain and len(i) == len(rows) and np.isinf(self.reach_m):
            at = rows[i]
            self.j[at, 0] = j
            self.distance_m[at, 0], self.azimuth_deg[at, 0] = distance_m, azimuth_deg
            return
        found = Answers(i, j, distance_m, azimuth_deg)
        found = found.take(distance_m <= self.max_distance_m)
        if len(self.places) < len(self.others):
            found = self._expanded(found)
        found = found.sorted()
        rank = np.arange(len(found.i)) - np.searchsorted(found.i, found.i)
        first = rank < self.k
        row, slot = rows[found.i[first]], rank[first]
        self.j[row, slot] = found.j[first]
        self.distance_m[row, slot] = found.distance_m[first]
        self.azimuth_deg[row, slot] = found.azimuth_deg[first]
        if self.ties == "all":
            kth = np.full(len(rows), -np.inf)
            last = rank == self.k - 1
            kth[found.i[last]] = found.distance_m[last]
            also = found.take(~first & (found.distance_m <= kth[found.i] + TIE_M))
            self.more.append(also._replace(i=rows[also.i]))

    def _expanded(self, found: Answers) -> Answers:
        """Put the rows at each place in its stead, as many as may matter."""
        place = found.j
        count = self.starts[place + 1] - self.starts[place]
        if self.ties == "first":
            count = np.minimum(count, self.k)
        within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        found = found.take(np.repeat(np.arange(len(count)), count))
        return found._replace(j=self.members[self.starts[found.j] + within])

    def _gather(self) -> Found:
        """Rows one after the other, without the empty slots."""
        row, slot = np.nonzero(self.j >= 0)
        found = Answers(
            row,
            self.j[row, slot],
            self.distance_m[row, slot],
            self.azimuth_deg[row, slot],
        )
        if any(len(also.i) for also in self.more):
            found = together([found, *self.more]).sorted()
        return Found(**found._asdict())


def points_within(
    lonlat: Floats,
    others: Floats,
    reach_m: Floats,
    *,
    progress: Progress | None = None,
) -> Found:
    """Pair each place with all that are within its reach.

    Parameters
    ----------
    lonlat, others
        Longitudes and latitudes, shapes ``(n, 2)`` and ``(m, 2)``. [degrees]
    reach_m
        Longest distance of a pair, for each left place, shape ``(n,)``; none when it
        is negative. [m]
    progress
        Called with the rows done and ``n``.

    Returns
    -------
    Found
        Exactly the pairs whose geodesic is no longer than the reach.

    Notes
    -----
    Chords in :class:`geo.kernels.strips.Strips` give the candidates. A pair whose
    distance is within :data:`TIE_M` of the reach is measured and decided by Karney's
    solution. Rows of much longer reach get strips of their own. Pairs are counted first
    and then written once, to where they belong.

    References
    ----------
    See :mod:`geo.kernels.chords`.
    """
    from geo.kernels.strips import count_within, strips_of

    if not len(lonlat) or not len(others):
        return _nothing()
    counts = np.zeros(len(lonlat), dtype=np.intp)
    some = np.flatnonzero(reach_m >= 0)
    octave = np.log2(np.maximum(reach_m[some], 1.0)).astype(np.intp) // 4
    groups = []
    for step in np.unique(octave):
        rows = some[octave == step]
        strips = strips_of(others, reach_m[rows].min())
        rows = rows[np.lexsort((lonlat[rows, 0], lonlat[rows, 1] // strips.height_deg))]

        def count(start: int, stop: int, rows: Ints = rows, s: Strips = strips) -> None:
            count_within(lonlat, reach_m, rows[start:stop], s, counts)

        run_chunks(count, len(rows), chunk=1 << 12)
        groups.append((rows, strips))

    offsets = np.concatenate([[0], np.cumsum(counts)])
    i, j = np.empty(offsets[-1], dtype=np.intp), np.empty(offsets[-1], dtype=np.intp)
    found = Found(i=i, j=j, distance_m=np.empty(len(i)), azimuth_deg=np.empty(len(i)))
    kept = np.zeros_like(counts)
    done = len(lonlat) - len(some)
    for rows, strips in groups:
        ends = np.cumsum(counts[rows])
        cuts = (
            np.searchsorted(ends, np.arange(_SLOTS, ends[-1], _SLOTS), side="left") + 1
        )
        cuts = np.unique(np.concatenate([[0], cuts, [len(rows)]]))

        def fill(
            start: int, stop: int, rows: Ints = rows, s: Strips = strips, c: Ints = cuts
        ) -> None:
            _fill(
                lonlat,
                others,
                reach_m,
                rows[c[start] : c[stop]],
                s,
                offsets,
                found,
                kept,
            )

        def tell(cut: int, _: int, done: int = done, c: Ints = cuts) -> None:
            if progress:
                progress(done + int(c[cut]), len(lonlat))

        run_chunks(fill, len(cuts) - 1, chunk=1, progress=tell)
        done += len(rows)
    return found if (kept == counts).all() else _closed_up(found, offsets, kept)


def _fill(
    lonlat: Floats,
    others: Floats,
    reach_m: Floats,
    rows: Ints,
    strips: Strips,
    offsets: Ints,
    found: Found,
    kept: Ints,
) -> None:
    """Find the pairs of some rows and write them to their places, sorted."""
    from geo.kernels.chords import karney
    from geo.kernels.strips import DOUBTFUL, list_within, write_sorted

    n = int((offsets[rows + 1] - offsets[rows]).sum())
    i, j = np.empty(n, dtype=np.intp), np.empty(n, dtype=np.intp)
    distance_m, azimuth_deg = np.empty(n), np.empty(n)
    doubtful = list_within(lonlat, reach_m, rows, strips, i, j, distance_m, azimuth_deg)
    if doubtful:
        which = np.flatnonzero(distance_m == DOUBTFUL)
        karney(lonlat, others, i, j, which, distance_m, azimuth_deg)
    write_sorted(
        reach_m,
        rows,
        offsets,
        (j, distance_m, azimuth_deg),
        found.i,
        found.j,
        found.distance_m,
        found.azimuth_deg,
        kept,
    )


def _closed_up(found: Found, offsets: Ints, kept: Ints) -> Found:
    """Leave out what was counted and then not kept."""
    rank = np.arange(len(found.i)) - np.repeat(offsets[:-1], np.diff(offsets))
    held = rank < np.repeat(kept, np.diff(offsets))
    return Found(
        i=found.i[held],
        j=found.j[held],
        distance_m=found.distance_m[held],
        azimuth_deg=found.azimuth_deg[held],
    )


def _nothing() -> Found:
    """No pairs at all."""
    none, nowhere = np.empty(0, dtype=np.intp), np.empty(0)
    return Found(i=none, j=none, distance_m=nowhere, azimuth_deg=nowhere)


def _distinct(lonlat: Floats) -> tuple[Floats, Ints, Ints]:
    """Distinct places, and the rows at each.

    Returns
    -------
    places : numpy.ndarray
        In no particular order unless all are distinct, then as they came.
    members, starts : numpy.ndarray
        Rows at place ``p``, rising: ``members[starts[p] : starts[p + 1]]``.
    """
    n = len(lonlat)
    turn, pole = lonlat[:, 0] == 180.0, np.abs(lonlat[:, 1]) == 90.0
    if turn.any() or pole.any():
        lonlat = lonlat.copy()
        lonlat[turn, 0] = -180.0
        lonlat[pole, 0] = 0.0
    bits = (lonlat + 0.0).view(np.uint64)  # adding 0 turns -0 into 0
    mixed = bits[:, 0] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= (mixed >> np.uint64(29)) ^ (bits[:, 1] * np.uint64(0xBF58476D1CE4E5B9))
    mixed.sort()
    if not (mixed[1:] == mixed[:-1]).any():
        return lonlat, np.arange(n), np.arange(n + 1)
    members = np.lexsort(lonlat.T)
    ranked = lonlat[members]
    first = np.ones(n, dtype=bool)
    first[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    return ranked[first], members, np.append(np.flatnonzero(first), n)

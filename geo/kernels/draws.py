"""Chances between uncertain lines and polygons, by low-discrepancy draws.

Where closed forms end: a feature is displaced as a whole, uniformly within its reach,
and distances are taken in the plane. About a place of the left feature each vertex is
drawn in the direction and at the length of its geodesic (the azimuthal equidistant
projection), and to each pair's distances in the plane is added what makes that of the
features where they are drawn its geodesic one. So only the change of a distance with
the displacement is taken from the plane.

How far that is off. Let a place ``e`` from the centre and one ``d`` from it make the
angle ``θ`` there. Their distance in the plane and on the Earth agree at ``e = 0``, and
so do their first derivatives, ``-cos θ``, by the first variation of length. The second
are ``sin² φ / d`` in the plane and ``sin² φ cot(d / R) / R`` on a sphere (``φ`` the
angle at the moving place). Hence a displacement by ``e`` alters the distance to within
about ``e² / 2`` times ``1 / d - cot(d / R) / R``, which lies below ``0.406 d / R²``
where ``d`` is less than a quarter of the way round the Earth:

    error  ≲  0.21 e² d / R²,

for ``e`` = 100 m 0.3 mm at 5,000 km; for ``e`` = 10 km 5 cm at 100 km and 3 m at 5,000
km. This is the leading term, no proved bound. Measured beside Karney's inverse, for
``d`` of 10 to 5,000 km and ``e`` up to a tenth of it, the error stays below it: 0.175
``e² d / R²`` at the most. For a left feature with an extent, ``e`` counts from the
centre to what is nearest, less what its known distance takes away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.geodesy import inverse

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.kernels.pairs import Found
    from geo.sides import Side

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

DRAWS = 1024
"""Size of the sample; a chance of 0.5 has a standard error of 0.016 at the most (that
of plain random draws; the low-discrepancy sequence does better)."""

_MARGIN_M = 1e-3
_SEED = 20191015
_SOBOL = 21_201
"""Dimensions that scipy's Sobol sequence has."""

_PIECE_DEG = 0.1
"""Edges longer than this are cut before they are drawn in the plane. [degrees]"""


class Rivals(NamedTuple):
    """Right features that may be truly the nearest, by left row, nearest first."""

    starts: Ints
    """First rival of each left row that has pairs, and their number behind the last,
    shape ``(n + 1,)``."""
    j: Ints
    """Rows of right, shape ``(r,)``."""
    distance_m: Floats
    """From the left feature as both are drawn, shape ``(r,)``. [m]"""

    def rows(self, wanted: Bools) -> Rivals:
        """Those of some left rows, ``wanted`` of shape ``(n,)``."""
        count = np.diff(self.starts)
        kept = np.repeat(wanted, count)
        starts = np.append(0, np.cumsum(count[wanted]))
        return Rivals(starts, self.j[kept], self.distance_m[kept])


def rivals_of(a: Side, b: Side, found: Found) -> Rivals:
    """Find the right features that may be nearer than every other's farthest reach.

    Parameters
    ----------
    a, b
        The sides of the join.
    found
        Pairs by rising row of left, nearest first; the nearest of each row is there.

    Returns
    -------
    Rivals
        Of each left row in ``found``; they do not depend on what else the sides hold.
    """
    from geo.kernels.meetings import possibly_within

    rows, first = np.unique(found.i, return_index=True)
    upper = found.distance_m[first] + a.reach_m[rows] + b.reach_m[found.j[first]]
    mine = a.rows(rows)
    # A search by distance may measure a pair a rounding longer than one by rank.
    near = possibly_within(mine, b, upper + _MARGIN_M)
    slack = mine.reach_m[near.i] + b.reach_m[near.j]
    upper[:] = np.inf
    np.minimum.at(upper, near.i, near.distance_m + slack)
    kept = np.flatnonzero(near.distance_m - slack <= upper[near.i])
    starts = np.searchsorted(near.i[kept], np.arange(len(rows) + 1))
    return Rivals(starts, near.j[kept], near.distance_m[kept])


def drawn_nearest(a: Side, b: Side, found: Found, rivals: Rivals) -> Floats:
    """Chance of each pair that its right feature is truly the nearest of all.

    Parameters
    ----------
    a, b
        The sides of the join.
    found
        Pairs by rising row of left, nearest first; the nearest of each row is there.
    rivals
        Of each left row in ``found``, from :func:`rivals_of`.

    Returns
    -------
    numpy.ndarray
        Chances, shape ``(p,)``; a tie goes to the first by distance, then by row.

    Notes
    -----
    Only rivals are drawn, 1,024 times each with the left one: some 3 ms a rival.
    """
    chance = np.zeros(len(found.i))
    rows, first = np.unique(found.i, return_index=True)
    chance[first] = 1.0
    pairs = np.append(first, len(found.i))
    for n, row in enumerate(rows):
        part = slice(rivals.starts[n], rivals.starts[n + 1])
        j = rivals.j[part]
        if len(j) < 2 or not (a.reach_m[row] or b.reach_m[j].any()):
            continue
        away = _drawn_distances(
            a.shapes[row],
            a.reach_m[row],
            b.shapes[j],
            b.reach_m[j],
            rivals.distance_m[part],
        )
        wins = np.bincount(away.argmin(axis=0), minlength=len(j)) / DRAWS
        here = slice(pairs[n], pairs[n + 1])
        won = dict(zip(j.tolist(), wins.tolist(), strict=True))
        chance[here] = [won.get(k, 0.0) for k in found.j[here].tolist()]
    return chance


def drawn_within(a: Side, b: Side, found: Found, distance_m: float) -> Floats:
    """Chance of each pair that its features are truly no farther apart than a distance.

    Parameters
    ----------
    a, b
        The sides of the join.
    found
        Pairs.
    distance_m
        The distance. [m]

    Returns
    -------
    numpy.ndarray
        Chances, shape ``(p,)``; exactly 1 where the bounds decide.
    """
    slack = a.reach_m[found.i] + b.reach_m[found.j]
    chance = np.where(found.distance_m + slack <= distance_m, 1.0, 0.0)
    for p in np.flatnonzero((chance == 0) & (found.distance_m - slack < distance_m)):
        i, j = found.i[p], found.j[p]
        away = _drawn_distances(
            a.shapes[i],
            a.reach_m[i],
            b.shapes[[j]],
            b.reach_m[[j]],
            found.distance_m[[p]],
        )
        chance[p] = (away <= distance_m).mean()
    return chance


def _drawn_distances(
    left: BaseGeometry, reach_m: float, rivals: Shapes, rival_m: Floats, known_m: Floats
) -> Floats:
    """Distances in each draw from left to each rival, shape ``(rivals, DRAWS)``. [m].

    Left moved by v and a rival by w are as far apart as left moved by v - w and the
    rival where it is. ``known_m`` is how far they are without.
    """
    import shapely

    vague = np.flatnonzero(rival_m > 0)
    uniform = _uniform(2 * (len(vague) + (reach_m > 0)))
    mine = np.zeros((DRAWS, 2))
    if reach_m > 0:
        mine, uniform = _disc(uniform[:, :2], reach_m), uniform[:, 2:]
    column = dict(zip(vague.tolist(), range(0, 2 * len(vague), 2), strict=True))
    centre = shapely.get_coordinates(shapely.point_on_surface(left))[0]
    flat, others = _drawn(np.array([left]), centre)[0], _drawn(rivals, centre)
    shapely.prepare(others)
    xy = shapely.get_coordinates(flat)
    away = np.empty((len(rivals), DRAWS))
    for k, other in enumerate(others):
        shift = mine
        if k in column:
            at = column[k]
            shift = mine - _disc(uniform[:, at : at + 2], rival_m[k])
        if len(xy) == 1:
            moved = shapely.points(xy + shift)
        else:
            copies = np.full(DRAWS, flat)
            moved = shapely.set_coordinates(
                copies, (xy[None] + shift[:, None]).reshape(-1, 2)
            )
        away[k] = shapely.distance(moved, other)
        away[k] += known_m[k] - shapely.distance(flat, other)
    return away


def _uniform(dimensions: int) -> Floats:
    """Numbers from 0 to 1, the same every time, shape ``(DRAWS, dimensions)``.

    Of a scrambled Sobol sequence as far as its dimensions go, 21,201; what is beyond
    them is plainly random.
    """
    from scipy.stats import qmc

    most = min(dimensions, _SOBOL)
    drawn = np.asarray(qmc.Sobol(most, rng=_SEED).random(DRAWS))
    if most == dimensions:
        return drawn
    plain = np.random.default_rng(_SEED).random((DRAWS, dimensions - most))
    return np.concatenate([drawn, plain], axis=1)


def _disc(uniform: Floats, radius_m: float) -> Floats:
    """Places in a disc about the origin, shape ``(DRAWS, 2)``. [m]."""
    turn, out = 2 * np.pi * uniform[:, 1], radius_m * np.sqrt(uniform[:, 0])
    return np.column_stack([out * np.cos(turn), out * np.sin(turn)])


def _drawn(shapes: Shapes, centre: Floats) -> Shapes:
    """Shapes in the plane about a place, geodesics from it kept. [m]."""
    import shapely

    def project(lonlat: Floats) -> Floats:
        way = inverse(*centre, *lonlat.T)
        turn = np.radians(way.azimuth_deg)
        return np.column_stack(
            [way.distance_m * np.sin(turn), way.distance_m * np.cos(turn)]
        )

    return np.asarray(
        shapely.transform(shapely.segmentize(shapes, _PIECE_DEG), project)
    )

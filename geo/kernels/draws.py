"""Chances between uncertain lines and polygons, by low-discrepancy draws.

Where closed forms end: a feature is displaced as a whole, uniformly within its reach,
and the distances are taken in the plane. About a place of the left feature each vertex
is drawn in its direction at the length of its chord, which alters distances by less
than ``(d / R)² / 8``: 4 cm at 10 km, 30 m at 100 km, small beside what is uncertain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import earth_centred

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.kernels.pairs import Found
    from geo.sides import Side

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

DRAWS = 1024
"""Size of the sample; a chance of 0.5 has a standard error of 0.016 at the most (that
of plain random draws; the low-discrepancy sequence does better)."""

_PIECE_DEG = 0.1
"""Edges longer than this are cut before they are drawn in the plane. [degrees]"""


def drawn_nearest(a: Side, b: Side, found: Found) -> Floats:
    """Chance of each pair that its right feature is truly the nearest of all.

    Parameters
    ----------
    a, b
        The sides of the join.
    found
        Pairs by rising row of left, nearest first; the nearest of each row is there.

    Returns
    -------
    numpy.ndarray
        Chances, shape ``(p,)``; a tie goes to the first by distance, then by row.

    Notes
    -----
    Only right features that may be nearer than every other's farthest reach are drawn,
    1,024 times each with the left one: some 3 ms a rival.
    """
    from geo.kernels.meetings import possibly_within

    chance = np.zeros(len(found.i))
    rows, first = np.unique(found.i, return_index=True)
    chance[first] = 1.0
    if not len(rows) or not (a.reach_m.any() or b.reach_m.any()):
        return chance
    upper = found.distance_m[first] + a.reach_m[rows] + b.reach_m[found.j[first]]
    mine = a.rows(rows)
    near = possibly_within(mine, b, upper)
    slack = mine.reach_m[near.i] + b.reach_m[near.j]
    np.minimum.at(upper, near.i, near.distance_m + slack)
    kept = np.flatnonzero(near.distance_m - slack <= upper[near.i])
    starts = np.searchsorted(near.i[kept], np.arange(len(rows) + 1))
    pairs = np.append(first, len(found.i))
    for n, row in enumerate(rows):
        rivals = near.j[kept[starts[n] : starts[n + 1]]]
        if len(rivals) < 2 or not (a.reach_m[row] or b.reach_m[rivals].any()):
            continue
        away = _drawn_distances(
            a.shapes[row], a.reach_m[row], b.shapes[rivals], b.reach_m[rivals]
        )
        wins = np.bincount(away.argmin(axis=0), minlength=len(rivals)) / DRAWS
        here = slice(pairs[n], pairs[n + 1])
        won = dict(zip(rivals.tolist(), wins.tolist(), strict=True))
        chance[here] = [won.get(j, 0.0) for j in found.j[here].tolist()]
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
            a.shapes[i], a.reach_m[i], b.shapes[[j]], b.reach_m[[j]]
        )
        chance[p] = (away <= distance_m).mean()
    return chance


def _drawn_distances(
    left: BaseGeometry, reach_m: float, rivals: Shapes, rival_m: Floats
) -> Floats:
    """Distances in each draw from left to each rival, shape ``(rivals, DRAWS)``. [m].

    Left moved by v and a rival by w are as far apart as left moved by v - w and the
    rival where it is.
    """
    import shapely
    from scipy.stats import qmc

    uniform = qmc.Sobol(2 * (len(rivals) + 1), rng=20191015).random(DRAWS)
    turn, out = 2 * np.pi * uniform[:, 1::2], np.sqrt(uniform[:, 0::2])
    out = out * np.concatenate([[reach_m], rival_m])
    moves = np.stack([out * np.cos(turn), out * np.sin(turn)], axis=-1)
    centre = shapely.get_coordinates(shapely.point_on_surface(left))[0]
    flat, others = _drawn(np.array([left]), centre)[0], _drawn(rivals, centre)
    shapely.prepare(others)
    xy = shapely.get_coordinates(flat)
    away = np.empty((len(rivals), DRAWS))
    for k, other in enumerate(others):
        shift = moves[:, 0] - moves[:, k + 1]
        if len(xy) == 1:
            moved = shapely.points(xy + shift)
        else:
            copies = np.full(DRAWS, flat)
            moved = shapely.set_coordinates(
                copies, (xy[None] + shift[:, None]).reshape(-1, 2)
            )
        away[k] = shapely.distance(moved, other)
    return away


def _drawn(shapes: Shapes, centre: Floats) -> Shapes:
    """Shapes in the plane about a place, directions and chords from it kept. [m]."""
    import shapely

    lon, lat = np.radians(centre)
    east = np.array([-np.sin(lon), np.cos(lon), 0.0])
    north = np.array(
        [-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat)]
    )
    origin = earth_centred(*centre)

    def project(lonlat: Floats) -> Floats:
        chord = earth_centred(*lonlat.T) - origin
        level = np.column_stack([chord @ east, chord @ north])
        flat = np.linalg.norm(level, axis=1, keepdims=True)
        whole = np.linalg.norm(chord, axis=1, keepdims=True)
        scale = np.divide(whole, flat, out=np.ones_like(flat), where=flat > 0)
        return np.asarray(level * scale)

    return np.asarray(
        shapely.transform(shapely.segmentize(shapes, _PIECE_DEG), project)
    )

"""Chances of nearness between features of any kinds, each pair by what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.kernels import chances
from geo.kernels.draws import drawn_nearest, drawn_within, rivals_of
from geo.sides import POINT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.kernels.pairs import Found
    from geo.sides import Side

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


def chances_of_nearest(a: Side, b: Side, found: Found) -> Floats:
    """Chance of each pair to be truly the nearest one, found the best way there is.

    Parameters
    ----------
    a, b
        The sides of the join.
    found
        Pairs by rising row of left, nearest first; the nearest of each row is there.

    Returns
    -------
    numpy.ndarray
        Chances, shape ``(p,)``: in closed form for a point whose rivals are all points,
        else drawn; whatever else the sides hold.
    """

    def closed(pairs: Ints, points: Ints) -> Floats:
        """Chances of some pairs of points, among some points of right."""
        j = np.searchsorted(points, found.j[pairs])
        return chances.chances_of_nearest(
            (found.i[pairs], j, found.distance_m[pairs]),
            (_places(a), a.reach_m),
            (b.lonlat(points), b.reach_m[points]),
        )

    if a.all_points and b.all_points:
        return closed(np.arange(len(found.i)), np.arange(len(b.shapes)))
    rows, first = np.unique(found.i, return_index=True)
    chance = np.zeros(len(found.i))
    chance[first] = 1.0
    if not len(rows) or not (a.reach_m.any() or b.reach_m.any()):
        return chance
    rivals = rivals_of(a, b, found)
    other = np.append(0, np.cumsum(b.kinds[rivals.j] != POINT))[rivals.starts]
    alike = (a.kinds[rows] == POINT) & (np.diff(other) == 0)
    # A row of points alone has the chances that it has in tables of points alone.
    plain = alike[np.searchsorted(rows, found.i)]
    pairs = np.flatnonzero(plain & (b.kinds[found.j] == POINT))
    chance[pairs] = closed(pairs, np.flatnonzero(b.kinds == POINT))
    pairs = np.flatnonzero(~plain)
    chance[pairs] = drawn_nearest(a, b, _some(found, pairs), rivals.rows(~alike))
    return chance


def chances_within(a: Side, b: Side, found: Found, distance_m: float) -> Floats:
    """Chance of each pair to be within a distance, found the best way there is.

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
        Chances, shape ``(p,)``: in closed form between two points, else drawn.
    """
    chance = np.empty(len(found.i))
    points = (a.kinds[found.i] == POINT) & (b.kinds[found.j] == POINT)
    some = _some(found, np.flatnonzero(points))
    chance[points] = chances.chances_within_distance(
        some.distance_m, a.reach_m[some.i], b.reach_m[some.j], distance_m
    )
    some = _some(found, np.flatnonzero(~points))
    chance[~points] = drawn_within(a, b, some, distance_m)
    return chance


def _some(found: Found, rows: Ints) -> Found:
    """Only some pairs."""
    return replace(
        found,
        i=found.i[rows],
        j=found.j[rows],
        distance_m=found.distance_m[rows],
        azimuth_deg=found.azimuth_deg[rows],
    )


def _places(a: Side) -> Floats:
    """Longitude and latitude of points, missing of other features, shape ``(n, 2)``."""
    lonlat = np.full((len(a.shapes), 2), np.nan)
    points = np.flatnonzero(a.kinds == POINT)
    lonlat[points] = a.lonlat(points)
    return lonlat

"""How much of an uncertain place lies in a polygon: the work behind ``within``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.pairs import pairs_meeting
from geo.uncertainty import METRES_PER_DEGREE, discs, displacements, share_inside

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_NONE, _ALL = 1e-9, 1 - 1e-9
"""Shares of an area that count as nothing and as all of it."""

_OFFSETS = 96


@dataclass(frozen=True, kw_only=True)
class Containment:
    """Pairs of a feature and a polygon that it lies in, or may lie in."""

    i: Ints
    """Rows of the features, shape ``(p,)``."""
    j: Ints
    """Rows of the polygons, shape ``(p,)``."""
    probability: Floats
    """Chance, or share of the area, that is inside, shape ``(p,)``."""
    certain: NDArray[np.bool_]
    """Whether no displacement leads outside, shape ``(p,)``."""


def contain_points(
    points: Shapes, radius_m: Floats, outlines: Shapes, boundary_m: Floats
) -> Containment:
    """Pair points with the polygons that their discs meet.

    Parameters
    ----------
    points, radius_m
        Points in EPSG:4326 and how well they are known, shapes ``(n,)``. [m]
    outlines, boundary_m
        Polygons in EPSG:4326 and how far their outlines may be off, shapes ``(m,)``.
        [m]

    Returns
    -------
    Containment
        Sorted by neither side.
    """
    import shapely

    lonlat = shapely.get_coordinates(points)
    reach_m = radius_m + boundary_m.max(initial=0.0)
    i, j = pairs_meeting(np.hstack([lonlat, lonlat]), reach_m, outlines)
    slack_m = radius_m[i] + boundary_m[j]

    widest = shapely.contains(outlines[j], points[i]).astype(np.float64)
    vague = slack_m > 0
    if vague.any():
        reached = discs(lonlat[i[vague]], slack_m[vague])
        widest[vague] = share_inside(reached, outlines[j[vague]])
    certain, possible = widest >= _ALL, widest > _NONE

    probability = certain.astype(np.float64)
    for pair in np.flatnonzero(possible & ~certain):
        radii, weights = displacements(radius_m[i[pair]], boundary_m[j[pair]])
        mixed = discs(np.tile(lonlat[i[pair]], (len(radii), 1)), radii)
        outline = np.full(len(radii), outlines[j[pair]], dtype=object)
        probability[pair] = weights @ share_inside(mixed, outline)
    return Containment(
        i=i[possible],
        j=j[possible],
        probability=probability[possible],
        certain=certain[possible],
    )


def contain_areas(
    areas: Shapes, displaced_m: Floats, outlines: Shapes, boundary_m: Floats
) -> Containment:
    """Pair areas with the polygons that they meet, wherever they may be displaced.

    Parameters
    ----------
    areas, displaced_m
        Polygons in EPSG:4326 and how far they may be displaced, shapes ``(n,)``. [m]
    outlines, boundary_m
        Polygons in EPSG:4326 and how far their outlines may be off, shapes ``(m,)``.
        [m]

    Returns
    -------
    Containment
        ``probability`` is the expected share of the area that is inside; ``certain``
        is judged at 96 displacements.
    """
    import shapely
    from shapely.affinity import translate

    bounds = np.asarray(shapely.bounds(areas)).reshape(-1, 4)
    reach_m = displaced_m + boundary_m.max(initial=0.0)
    i, j = pairs_meeting(bounds, reach_m, outlines)
    share, certain = np.zeros(len(i)), np.zeros(len(i), dtype=bool)
    for pair, (row, column) in enumerate(zip(i, j, strict=True)):
        offsets = _offsets(
            displaced_m[row], boundary_m[column], lat=bounds[row, [1, 3]].mean()
        )
        moved = np.array([translate(areas[row], *o) for o in offsets], dtype=object)
        inside = share_inside(
            moved, np.full(len(moved), outlines[column], dtype=object)
        )
        certain[pair] = inside.min() >= _ALL
        share[pair] = 1.0 if certain[pair] else inside.mean()
    kept = share > _NONE
    return Containment(
        i=i[kept], j=j[kept], probability=share[kept], certain=certain[kept]
    )


def _offsets(radius_m: float, boundary_m: float, *, lat: float) -> Floats:
    """Displacements in degrees, of equal weight, spread over two discs combined.

    96 points on a sunflower spiral through the quantiles of the distance, shape
    ``(96, 2)``; the outermost lies within one per cent of the full reach. No
    displacement at all, shape ``(1, 2)``, where both radii are 0.
    """
    if radius_m == boundary_m == 0:
        return np.zeros((1, 2))
    radii, weights = displacements(radius_m, boundary_m)
    grid = np.linspace(0, radii.max(), 2001)
    inside = np.minimum(grid[:, None] / radii, 1) ** 2 @ weights
    level = (np.arange(_OFFSETS) + 0.5) / _OFFSETS
    away_m = np.interp(level, inside, grid)
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(_OFFSETS)
    east = away_m * np.cos(turn) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    return np.column_stack([east, away_m * np.sin(turn) / METRES_PER_DEGREE])

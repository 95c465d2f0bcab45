"""How much of an uncertain place lies in a polygon: the work behind ``within``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import discs
from geo.pairs import pairs_meeting
from geo.uncertainty import METRES_PER_DEGREE, displacements, share_inside

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_NONE, _ALL = 1e-9, 1 - 1e-9
"""Shares of an area that count as nothing and as all of it."""

_OFFSETS = 96

_EXACT_M = 1e-3
"""Uncertainties below a millimetre count as none."""

_SHORTEST_DEGREE_M = 110_574.0
"""Length of a degree of latitude at the equator, the shortest. [m]"""


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
    vague = slack_m > _EXACT_M
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
        ``probability`` is the expected share of the area that is inside, over 96
        displacements; ``certain`` means that the area, widened by the full reach, is.
    """
    import shapely
    from shapely.affinity import translate

    bounds = np.asarray(shapely.bounds(areas)).reshape(-1, 4)
    reach_m = displaced_m + boundary_m.max(initial=0.0)
    i, j = pairs_meeting(bounds, reach_m, outlines)
    share = np.zeros(len(i))
    possible, certain = np.zeros(len(i), dtype=bool), np.zeros(len(i), dtype=bool)
    for pair, (row, column) in enumerate(zip(i, j, strict=True)):
        radius, margin = float(displaced_m[row]), float(boundary_m[column])
        offsets = _offsets(radius, margin, lat=bounds[row, [1, 3]].mean())
        moved = np.array([translate(areas[row], *o) for o in offsets], dtype=object)
        outline = np.full(len(moved), outlines[column], dtype=object)
        share[pair] = share_inside(moved, outline).mean()
        if radius + margin <= _EXACT_M:
            possible[pair], certain[pair] = share[pair] > _NONE, share[pair] >= _ALL
            continue
        grown = _grown(areas[row], radius + margin)
        reached = share_inside(np.array([grown]), outline[:1]).item()
        possible[pair], certain[pair] = reached > _NONE, reached >= _ALL
    share[certain] = 1.0
    return Containment(
        i=i[possible],
        j=j[possible],
        probability=share[possible],
        certain=certain[possible],
    )


def _grown(area: BaseGeometry, reach_m: float) -> BaseGeometry:
    """Widen an area by a reach in every direction, by up to two per cent more.

    Buffered in longitude and latitude scaled to equal lengths where a degree of
    longitude is shortest, with the shortest degree of latitude.
    """
    from shapely import buffer
    from shapely.affinity import scale

    _, south, _, north = area.bounds
    reach_deg = reach_m / _SHORTEST_DEGREE_M
    polar = min(max(-south, north) + reach_deg, 89.9)
    squeeze = float(np.cos(np.radians(polar)))
    flat = scale(area, squeeze, 1, origin=(0, 0))
    wide = buffer(flat, reach_deg * 1.01, quad_segs=32)
    return scale(wide, 1 / squeeze, 1, origin=(0, 0))


def _offsets(radius_m: float, boundary_m: float, *, lat: float) -> Floats:
    """Displacements in degrees, of equal weight, spread over two discs combined.

    96 points on a sunflower spiral through the quantiles of the distance, shape
    ``(96, 2)``. No displacement at all, shape ``(1, 2)``, where both radii are 0.
    """
    if radius_m + boundary_m <= _EXACT_M:
        return np.zeros((1, 2))
    radii, weights = displacements(radius_m, boundary_m)
    grid = np.linspace(0, radii.max(), 2001)
    inside = np.minimum(grid[:, None] / radii, 1) ** 2 @ weights
    level = (np.arange(_OFFSETS) + 0.5) / _OFFSETS
    away_m = np.interp(level, inside, grid)
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(_OFFSETS)
    east = away_m * np.cos(turn) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    return np.column_stack([east, away_m * np.sin(turn) / METRES_PER_DEGREE])

"""How much of an uncertain place lies in a polygon: the work behind ``within``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import area, ellipsoid
from geo.uncertainty import METRES_PER_DEGREE, displacements, mixed_discs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.kernels.shares import Outlines
    from geo.parallel import Progress

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

EXACT_M = 1e-3
"""Uncertainties below a millimetre count as none. [m]"""

_NONE, _ALL = 1e-9, 1 - 1e-9
"""Shares of an area or a length that count as nothing and as all of it."""

_OFFSETS = 96

_SHORTEST_DEGREE_M = 110_574.0
"""Length of a degree of latitude at the equator, the shortest. [m]"""

_CHUNK = 4096


@dataclass(frozen=True, kw_only=True)
class Containment:
    """Pairs of a feature and a polygon that it lies in, or may lie in."""

    i: Ints
    """Rows of the features, shape ``(p,)``."""
    j: Ints
    """Rows of the polygons, shape ``(p,)``."""
    probability: Floats
    """Chance, or expected share of the area or length, that is inside, shape
    ``(p,)``."""
    certain: Bools
    """Whether no displacement leads outside, shape ``(p,)``."""


def contain_points(
    lonlat: Floats,
    radius_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    *,
    progress: Progress | None = None,
) -> Containment:
    """Pair points with the polygons that they lie in, or may lie in.

    Parameters
    ----------
    lonlat, radius_m
        Points and how well they are known, shapes ``(n, 2)`` [degrees] and ``(n,)``.
        [m]
    polygons, boundary_m
        Valid polygons in EPSG:4326, edges straight in longitude and latitude, and how
        far their outlines may be off, shapes ``(m,)``. [m]
    progress
        Called with the points done and ``n``.

    Returns
    -------
    Containment
        Sorted by ``(i, j)``. ``certain`` where the point lies inside and no edge is
        within radius plus boundary.

    Notes
    -----
    Only pairs with an edge near the disc need more than the certain join; for those the
    share of the disc is a sum over the near edges (:mod:`geo.kernels.shares`), right
    within 2e-5 for discs up to 300 km. The displacement of the outline mixes discs of
    24 radii (:func:`geo.uncertainty.displacements`). Where radius and boundary together
    stay below a millimetre the answer is that of the certain join. Whether an edge is
    within reach is decided to a millionth of the reach and 0.1 mm.
    """
    from geo.kernels.predicates import polygons_holding

    radius_m = np.asarray(radius_m, dtype=np.float64)
    boundary_m = np.asarray(boundary_m, dtype=np.float64)
    if not ((radius_m > EXACT_M / 2).any() or (boundary_m > EXACT_M / 2).any()):
        radius_m, boundary_m = np.zeros_like(radius_m), np.zeros_like(boundary_m)
    found = polygons_holding(lonlat, radius_m, polygons, boundary_m, progress=progress)
    i, j, inside = found.i, found.j, found.inside
    probability, certain = inside.astype(np.float64), inside.copy()
    vague = np.flatnonzero(found.near & (radius_m[i] + boundary_m[j] > EXACT_M))
    kept = inside.copy()
    if len(vague):
        share, reached = _shares(
            lonlat, radius_m, polygons, boundary_m,
            (i[vague], j[vague], inside[vague]),
        )  # fmt: skip
        probability[vague] = np.where(reached, share, probability[vague])
        certain[vague] &= ~reached
        kept[vague] |= reached
    return Containment(
        i=i[kept], j=j[kept], probability=probability[kept], certain=certain[kept]
    )


def _shares(
    lonlat: Floats,
    radius_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    pairs: tuple[Ints, Ints, Bools],
) -> tuple[Floats, Bools]:
    """Share of each displaced point that lies inside; whether an edge is in reach."""
    from geo.kernels.shares import outlines_of, shares_of_discs
    from geo.parallel import run_chunks

    i, j, inside = pairs
    used, column = np.unique(j, return_inverse=True)
    outlines: Outlines = outlines_of(polygons[used])
    both = (radius_m[i] > 0) & (boundary_m[j] > 0)
    order = np.argsort(both, kind="stable")  # one radius first, then mixtures
    single = int(len(both) - np.count_nonzero(both))
    share, reached = np.empty(len(i)), np.empty(len(i), dtype=np.bool_)

    def work(start: int, stop: int) -> None:
        for low, high in (
            (start, min(stop, single)),
            (max(start, single), stop),
        ):
            here = order[low:high]
            if not len(here):
                continue
            r, b = radius_m[i[here]], boundary_m[j[here]]
            radii, weights = (r + b)[:, None], np.ones((len(here), 1))
            if low >= single:
                mixed, parts = mixed_discs(r, b)
                radii = np.hstack([mixed, radii])
                weights = np.hstack([parts, np.zeros_like(weights)])
            share[here], reached[here] = shares_of_discs(
                lonlat, inside[here], radii, weights, outlines, (i[here], column[here])
            )

    run_chunks(work, len(i), chunk=_CHUNK)
    return share, reached


def contain_areas(
    areas: Shapes,
    displaced_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    *,
    progress: Progress | None = None,
) -> Containment:
    """Pair areas with the polygons that they meet, wherever they may be displaced.

    Parameters
    ----------
    areas, displaced_m
        Polygons in EPSG:4326 and how far they may be displaced, shapes ``(n,)``. [m]
    polygons, boundary_m
        Polygons in EPSG:4326 and how far their outlines may be off, shapes ``(m,)``.
        [m]
    progress
        Called with the pairs done and all pairs.

    Returns
    -------
    Containment
        Sorted by ``(i, j)``. ``probability`` is the expected share of the area that is
        inside; ``certain`` means that the area, widened by the full reach, is.

    Notes
    -----
    Without displacement all pairs are cut at once. A displaced pair is cut at 96
    evenly spread offsets, far slower: the expected share is right within about 0.01,
    and does not depend on the other pairs.
    """
    return _contain(
        areas, displaced_m, polygons, boundary_m, size=_area_inside, progress=progress
    )


def contain_lines(
    lines: Shapes,
    displaced_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    *,
    progress: Progress | None = None,
) -> Containment:
    """Pair lines with the polygons that they enter, wherever they may be displaced.

    Parameters
    ----------
    lines, displaced_m
        Lines in EPSG:4326 and how far they may be displaced, shapes ``(n,)``. [m]
    polygons, boundary_m
        Polygons in EPSG:4326 and how far their outlines may be off, shapes ``(m,)``.
        [m]
    progress
        Called with the pairs done and all pairs.

    Returns
    -------
    Containment
        As of :func:`contain_areas`, with the share of the length. What runs along the
        outline of a polygon is not inside it.

    Notes
    -----
    Pieces are measured along the geodesics between their ends. Cost and error are
    those of :func:`contain_areas`.
    """
    return _contain(
        lines, displaced_m, polygons, boundary_m, size=_length_inside, progress=progress
    )


def _contain(
    shapes: Shapes,
    displaced_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    *,
    size: Callable[[Shapes, Shapes], Floats],
    progress: Progress | None,
) -> Containment:
    """Pair areas or lines with polygons by their size inside."""
    from geo.parallel import run_chunks

    i, j = _meeting(shapes, displaced_m + boundary_m.max(initial=0.0), polygons)
    slack_m = displaced_m[i] + boundary_m[j]
    share = np.zeros(len(i))
    possible, certain = np.zeros(len(i), dtype=bool), np.zeros(len(i), dtype=bool)

    def work(start: int, stop: int) -> None:
        here = np.arange(start, stop)
        sharp = here[slack_m[here] <= EXACT_M]
        share[sharp] = _share(shapes[i[sharp]], polygons[j[sharp]], size)
        possible[sharp], certain[sharp] = share[sharp] > _NONE, share[sharp] >= _ALL
        for pair in here[slack_m[here] > EXACT_M]:
            shape, outline = shapes[i[pair]], polygons[j[pair]]
            grown = np.array([_grown(shape, slack_m[pair])], dtype=object)
            reached = share_inside(grown, polygons[j[pair], None]).item()
            possible[pair], certain[pair] = reached > _NONE, reached >= _ALL
            if possible[pair] and not certain[pair]:
                share[pair] = _displaced(
                    shape, displaced_m[i[pair]], outline, boundary_m[j[pair]], size
                )

    run_chunks(work, len(i), chunk=_CHUNK, progress=progress)
    share[certain] = 1.0
    return Containment(
        i=i[possible],
        j=j[possible],
        probability=share[possible],
        certain=certain[possible],
    )


def _meeting(shapes: Shapes, reach_m: Floats, polygons: Shapes) -> tuple[Ints, Ints]:
    """Pair shapes, widened by a reach, with the polygons whose bounds they meet."""
    import shapely

    west, south, east, north = np.asarray(shapely.bounds(shapes)).reshape(-1, 4).T
    reach = np.where(reach_m > EXACT_M, reach_m, 0.0) / METRES_PER_DEGREE * 1.01
    polar = np.minimum(np.maximum(-south, north) + reach, 90.0)
    wide = np.minimum(reach / np.maximum(np.cos(np.radians(polar)), 1e-6), 360.0)
    tree = shapely.STRtree(polygons)
    keys = [np.empty(0, dtype=np.intp)]
    for turn in (0.0, 360.0, -360.0):
        over = east + wide > 180 if turn > 0 else west - wide < -180
        rows = np.flatnonzero(over) if turn else np.arange(len(shapes))
        boxes = shapely.box(
            (west - wide - turn)[rows],
            (south - reach)[rows],
            (east + wide - turn)[rows],
            (north + reach)[rows],
        )
        i, j = tree.query(boxes)
        keys.append(rows[i] * len(polygons) + j)
    i, j = np.divmod(np.unique(np.concatenate(keys)), max(len(polygons), 1))
    return i, j


def share_inside(shapes: Shapes, polygons: Shapes) -> Floats:
    """Share of each shape's area that lies inside the polygon paired with it.

    Parameters
    ----------
    shapes, polygons
        Pairs of polygons in EPSG:4326, each of shape ``(n,)``; edges are straight in
        longitude and latitude. A shape may run on past 180 degrees.

    Returns
    -------
    numpy.ndarray
        Shares of the area on the ellipsoid, 0 to 1, shape ``(n,)``.
    """
    return _share(shapes, polygons, _area_inside)


def _share(
    shapes: Shapes, polygons: Shapes, size: Callable[[Shapes, Shapes], Floats]
) -> Floats:
    """Size inside the polygons over the whole size; past 180 degrees too."""
    import shapely
    from shapely.affinity import translate

    inside = np.zeros(len(shapes))
    if not len(shapes):
        return inside
    west, _, east, _ = shapely.bounds(shapes).T
    for turn in (0.0, 360.0, -360.0):
        meets = np.full(len(shapes), True)
        if turn:
            meets = (east > 180) if turn > 0 else (west < -180)
        if meets.any():
            moved = polygons[meets]
            if turn:
                moved = np.array([translate(p, turn) for p in moved], dtype=object)
            inside[meets] += size(shapes[meets], moved)
    whole = size(shapes, shapes)
    return np.clip(inside / np.where(whole > 0, whole, np.inf), 0.0, 1.0)


def _area_inside(shapes: Shapes, polygons: Shapes) -> Floats:
    """Area of each shape inside the polygon paired with it. [m²]."""
    import shapely

    return area(
        shapes if shapes is polygons else shapely.intersection(shapes, polygons)
    )


def _length_inside(lines: Shapes, polygons: Shapes) -> Floats:
    """Length of each line in the interior of the polygon paired with it. [m]."""
    import shapely

    if lines is polygons:
        return length_m(lines)
    along = shapely.intersection(lines, shapely.boundary(polygons))
    return length_m(shapely.intersection(lines, polygons)) - length_m(along)


def length_m(shapes: Shapes) -> Floats:
    """Length of the lines among the parts of each shape.

    Parameters
    ----------
    shapes
        Of any kind, shape ``(n,)``. [degrees]

    Returns
    -------
    numpy.ndarray
        Along the geodesics between vertices, shape ``(n,)``. [m]
    """
    import shapely

    parts, owner = shapely.get_parts(shapes, return_index=True)
    lonlat, part = shapely.get_coordinates(parts, return_index=True)
    same = part[1:] == part[:-1]
    start, end, part = lonlat[:-1][same], lonlat[1:][same], part[1:][same]
    piece_m = ellipsoid().inv(*start.T, *end.T)[2]
    total = np.zeros(len(shapes))
    np.add.at(total, owner[part], piece_m)
    return total


def _displaced(
    shape: BaseGeometry,
    displaced_m: float,
    outline: BaseGeometry,
    boundary_m: float,
    size: Callable[[Shapes, Shapes], Floats],
) -> float:
    """Mean share inside over evenly spread displacements."""
    import shapely
    from shapely.affinity import translate

    lat = float(np.mean(shapely.bounds(shape)[[1, 3]]))
    offsets = _offsets(float(displaced_m), float(boundary_m), lat=lat)
    moved = np.array([translate(shape, *o) for o in offsets], dtype=object)
    shapely.prepare(outline)
    outlines = np.full(len(moved), outline, dtype=object)
    return float(_share(moved, outlines, size).mean())


def _grown(shape: BaseGeometry, reach_m: float) -> BaseGeometry:
    """Widen a shape by a reach in every direction, by up to two per cent more.

    Buffered in longitude and latitude scaled to equal lengths where a degree of
    longitude is shortest, with the shortest degree of latitude.
    """
    from shapely import buffer
    from shapely.affinity import scale

    _, south, _, north = shape.bounds
    reach_deg = reach_m / _SHORTEST_DEGREE_M
    polar = min(max(-south, north) + reach_deg, 89.9)
    squeeze = float(np.cos(np.radians(polar)))
    flat = scale(shape, squeeze, 1, origin=(0, 0))
    wide = buffer(flat, reach_deg * 1.01, quad_segs=32)
    return scale(wide, 1 / squeeze, 1, origin=(0, 0))


def _offsets(radius_m: float, boundary_m: float, *, lat: float) -> Floats:
    """Displacements in degrees, of equal weight, spread over two discs combined.

    96 points on a sunflower spiral through the quantiles of the distance, shape
    ``(96, 2)``.
    """
    radii, weights = displacements(radius_m, boundary_m)
    grid = np.linspace(0, radii.max(), 2001)
    inside = np.minimum(grid[:, None] / radii, 1) ** 2 @ weights
    level = (np.arange(_OFFSETS) + 0.5) / _OFFSETS
    away_m = np.interp(level, inside, grid)
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(_OFFSETS)
    east = away_m * np.cos(turn) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    return np.column_stack([east, away_m * np.sin(turn) / METRES_PER_DEGREE])

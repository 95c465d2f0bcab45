"""How much of an uncertain place lies in a polygon: the work behind ``within``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import area, ellipsoid
from geo.kernels.samples import LINES_ACROSS, places_across, places_along
from geo.uncertainty import METRES_PER_DEGREE, mixed_discs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.kernels.shares import Outlines
    from geo.parallel import Progress

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

EXACT_M = 1e-3
"""Uncertainties below a millimetre count as none. [m]"""

_BELOW_ALL = 1 - 2.0**-53
"""The largest share that is not all."""

_SAMPLED_AT_ONCE = 64

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
        inside. ``certain``: without displacement where the polygon covers the area,
        decided without rounding (:mod:`geo.kernels.covers`); else where the area is
        covered and its distance from the outline is longer than both reaches together.

    Notes
    -----
    Without displacement a pair is kept where the interiors meet, however small the
    share, and none is certain whose share is only rounded to 1. A displaced area is
    sampled at 2,304 places, and the chance of each to be inside is the one of
    :func:`contain_points`, by geodesics and over the poles. The expected share is right
    within about 0.01 and does not depend on the other pairs.
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
        As of :func:`contain_areas`, with the share of the length; without displacement
        ``certain`` is what ``shapely.within`` says, or would if it did not round. A
        line that is nowhere in the interior is not paired; of one that is, stretches
        along the outline count. On the antimeridian both sides are one place.

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
    from geo.kernels.covers import Lying
    from geo.parallel import Steps, run_chunks

    i, j = _meeting(shapes, displaced_m + boundary_m.max(initial=0.0), polygons)
    share = np.zeros(len(i))
    possible, certain = np.zeros(len(i), dtype=bool), np.zeros(len(i), dtype=bool)
    vague = displaced_m[i] + boundary_m[j] > EXACT_M
    sharp, rest = np.flatnonzero(~vague), np.flatnonzero(vague)
    steps = Steps(progress, len(i), [len(sharp), len(rest)])
    areal = size is _area_inside
    lying = Lying(shapes, polygons, i[sharp], j[sharp], areal=areal)

    def work(start: int, stop: int) -> None:
        here = sharp[start:stop]
        possible[here], certain[here] = lying.at(start, stop)
        part = here[possible[here] & ~certain[here]]
        inside = _share(shapes[i[part]], polygons[j[part]], size)
        share[part] = np.minimum(inside, _BELOW_ALL)

    run_chunks(work, len(sharp), chunk=_CHUNK, progress=steps.next())
    told, done = steps.next(), 0
    owners, starts = np.unique(i[rest], return_index=True)
    for first in range(0, len(owners), _SAMPLED_AT_ONCE):
        last = first + _SAMPLED_AT_ONCE
        stop = starts[last] if last < len(owners) else len(rest)
        here = rest[starts[first] : stop]
        possible[here], certain[here], share[here] = _displaced(
            shapes, displaced_m, polygons, boundary_m, (i[here], j[here]), size
        )
        done += len(here)
        if told:
            told(done, len(rest))
    share[certain] = 1.0
    return Containment(
        i=i[possible],
        j=j[possible],
        probability=share[possible],
        certain=certain[possible],
    )


def _displaced(
    shapes: Shapes,
    displaced_m: Floats,
    polygons: Shapes,
    boundary_m: Floats,
    pairs: tuple[Ints, Ints],
    size: Callable[[Shapes, Shapes], Floats],
) -> tuple[Bools, Bools, Floats]:
    """Whether displaced shapes may or must lie in polygons, and how much of them."""
    import shapely

    from geo.kernels.covers import Lying
    from geo.kernels.seams import rims_of

    rows, i = np.unique(pairs[0], return_inverse=True)
    columns, j = np.unique(pairs[1], return_inverse=True)
    mine, its = shapes[rows], polygons[columns]
    radius_m, blur_m = displaced_m[rows], boundary_m[columns]
    slack_m = radius_m[i] + blur_m[j]
    reach_m = radius_m + blur_m.max()
    possible = _near(mine, its, reach_m, (i, j), slack_m)
    rims, owner = rims_of(its)
    rim = np.full(len(its), -1)
    rim[owner] = np.arange(len(owner))
    safe_m = slack_m + EXACT_M  # distances may be too long by that
    beside = _near(mine, rims, reach_m + EXACT_M, (i, rim[j]), safe_m)
    certain = possible & ~beside
    sure = np.flatnonzero(certain)
    lying = Lying(mine, its, i[sure], j[sure], areal=size is _area_inside)
    certain[sure] = lying.at(0, len(sure))[1]
    share = certain.astype(np.float64)
    asked = np.flatnonzero(possible & ~certain)
    spread = places_along if size is _length_inside else places_across
    places = [spread(shape) for shape in mine]
    of = np.repeat(np.arange(len(mine)), [len(p) for p in places])
    lonlat = np.vstack(places)
    some = i[asked], j[asked]
    mean = _mean_chances(lonlat, of, radius_m, its, blur_m, some)
    none = np.zeros(len(mine)), np.zeros(len(its))
    drawn = _mean_chances(lonlat, of, none[0], its, none[1], some)
    # Where the reach is short against the gaps between places, these only correct.
    south, north = shapely.bounds(mine)[:, 1::2].T
    gap_m = (north - south) * METRES_PER_DEGREE / LINES_ACROSS
    short = slack_m[asked] < 2 * gap_m[i[asked]]
    whole = _share(mine[i[asked]], its[j[asked]], size)
    mean = np.where(short, np.clip(whole + mean - drawn, 0.0, 1.0), mean)
    share[asked] = np.minimum(mean, _BELOW_ALL)
    return possible, certain, share


def _near(
    shapes: Shapes, others: Shapes, reach_m: Floats, pairs: tuple[Ints, Ints],
    limit_m: Floats,
) -> Bools:  # fmt: skip
    """Whether each pair is no farther apart than its limit, by geodesics."""
    from geo.kernels.segments import shapes_within

    found = shapes_within(shapes, others, reach_m)
    known = (found.i, found.j), found.distance_m
    near: Bools = _of_pairs(*known, len(others), pairs, np.inf) <= limit_m
    return near


def _of_pairs(
    known: tuple[Ints, Ints], values: Floats, n: int, pairs: tuple[Ints, Ints],
    absent: float,
) -> Floats:  # fmt: skip
    """Values of pairs out of those of known ones, with ``n`` on the right.

    No known pair stands twice. ``absent`` is the value of one that is not known, and of
    one whose right side is below 0.
    """
    key = known[0] * n + known[1]
    order = np.argsort(key)
    key = key[order]
    wanted = pairs[0] * n + pairs[1]
    at = np.searchsorted(key, wanted)
    hit = np.append(key, -1)[at] == wanted
    hit &= pairs[1] >= 0
    out = np.full(len(wanted), absent)
    out[hit] = values[order[at[hit]]]
    return out


def _mean_chances(
    lonlat: Floats, owner: Ints, radius_m: Floats, polygons: Shapes, boundary_m: Floats,
    pairs: tuple[Ints, Ints],
) -> Floats:  # fmt: skip
    """Mean chance of the places of a shape to lie in a polygon, for some pairs."""
    found = contain_points(lonlat, radius_m[owner], polygons, boundary_m)
    n = max(len(polygons), 1)
    key, of = np.unique(owner[found.i] * n + found.j, return_inverse=True)
    total = np.bincount(of, weights=found.probability, minlength=len(key))
    places = np.bincount(owner, minlength=len(radius_m))
    known = np.divmod(key, n)
    return _of_pairs(known, total / places[known[0]], n, pairs, 0.0)


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
    """Length of each line in the polygon paired with it, its outline too. [m]."""
    import shapely

    if lines is polygons:
        return length_m(lines)
    return length_m(shapely.intersection(lines, polygons))


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

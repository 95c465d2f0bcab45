"""Pairs of features that meet, or may: the work behind ``intersects``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.parallel import Steps
from geo.sides import AREAS, POINT

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from geo.kernels.pairs import Found
    from geo.parallel import Progress
    from geo.sides import Side

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


@dataclass(frozen=True, kw_only=True)
class Meetings:
    """Pairs of features that meet, or may, by left row and then by right row."""

    i: Ints
    """Rows of left, shape ``(p,)``."""
    j: Ints
    """Rows of right, shape ``(p,)``."""
    certain: Bools
    """Whether they are known to meet wherever they lie, shape ``(p,)``."""
    probability: Floats
    """Chance that they meet; NaN where it is not known, shape ``(p,)``."""


def meetings(a: Side, b: Side, *, progress: Progress | None = None) -> Meetings:
    """Pair features that have a point in common, wherever they may lie.

    Parameters
    ----------
    a, b
        The sides of the join.
    progress
        Called with the left rows done and all of them.

    Returns
    -------
    Meetings
        Of features without uncertainty (both reaches together no more than a
        millimetre) the pairs that intersect, all of them certain, whatever else the
        sides hold. Of others the pairs whose distance is no longer than the two
        reaches together. They are certain where a vertex of one lies in a polygon of
        the other deeper than that; two lines that cross stay merely possible. The
        chance is known for a point and a polygon, and for what is certain.
    """
    from geo.kernels.containment import EXACT_M
    from geo.kernels.predicates import intersecting

    if a.reach_m.max(initial=0.0) + b.reach_m.max(initial=0.0) <= EXACT_M:
        i, j = intersecting(a.shapes, b.shapes, progress=progress)
        sure = np.ones(len(i), dtype=bool)
        return Meetings(i=i, j=j, certain=sure, probability=np.ones(len(i)))
    known, vague = _sharp(a, b), _vague(a, b, progress)
    i, j = (np.concatenate(rows) for rows in zip(known, vague, strict=True))
    certain = np.arange(len(i)) < len(known[0])
    order = np.lexsort((j, i))
    i, j, certain = i[order], j[order], certain[order]
    probability = np.where(certain, 1.0, np.nan)
    _look_inside(a, b, (i, j), certain, probability)
    _look_inside(b, a, (j, i), certain, probability)
    probability[certain] = 1.0
    return Meetings(i=i, j=j, certain=certain, probability=probability)


def _sharp(a: Side, b: Side) -> tuple[Ints, Ints]:
    """Pairs without uncertainty that intersect."""
    from geo.kernels.containment import EXACT_M
    from geo.kernels.predicates import intersecting

    rows = np.flatnonzero(a.reach_m + b.reach_m.min(initial=np.inf) <= EXACT_M)
    columns = np.flatnonzero(b.reach_m + a.reach_m.min(initial=np.inf) <= EXACT_M)
    i, j = intersecting(a.shapes[rows], b.shapes[columns])
    i, j = rows[i], columns[j]
    sharp = a.reach_m[i] + b.reach_m[j] <= EXACT_M
    return i[sharp], j[sharp]


def _vague(a: Side, b: Side, progress: Progress | None) -> tuple[Ints, Ints]:
    """Pairs with uncertainty whose distance is no longer than it."""
    from geo.kernels.containment import EXACT_M

    unsure = a.reach_m > 0
    parts = []
    goes = (
        (np.flatnonzero(unsure), np.arange(len(b.shapes))),
        (np.flatnonzero(~unsure), np.flatnonzero(b.reach_m > 0)),
    )
    steps = Steps(progress, len(a.shapes), [len(rows) for rows, _ in goes])
    for rows, columns in goes:
        told = steps.next()
        found = possibly_within(a.rows(rows), b.rows(columns), 0.0, progress=told)
        i, j = rows[found.i], columns[found.j]
        vague = a.reach_m[i] + b.reach_m[j] > EXACT_M
        parts.append(np.stack([i[vague], j[vague]]))
    steps.end()
    i, j = np.concatenate(parts, axis=1)
    return i, j


def possibly_within(
    a: Side, b: Side, distance_m: ArrayLike, *, progress: Progress | None = None
) -> Found:
    """Pairs whose true distance may be no longer than a limit.

    Parameters
    ----------
    a, b
        The sides of the join.
    distance_m
        The limit, one for all or one a left row. [m]
    progress
        Called with the left rows done and all of them, as shared out between the groups
        of right ones.

    Returns
    -------
    Found
        By left row, then by distance, then by right row.

    Notes
    -----
    Right features are taken in groups of like reach, so that a few vague ones do not
    widen the search for all.
    """
    from geo.kernels.pairs import Found
    from geo.kernels.segments import shapes_within

    limit = np.broadcast_to(np.asarray(distance_m, dtype=np.float64), a.reach_m.shape)
    base = max(limit.min(initial=np.inf) / 4, 1.0) if len(limit) else 1.0
    group = np.ceil(np.log2(np.maximum(b.reach_m, base) / base))
    parts: list[tuple[Ints, Ints, Floats, Floats]] = []
    values, sizes = np.unique(group, return_counts=True)
    steps = Steps(progress, len(a.shapes), sizes.tolist())
    for value in values:
        rows = np.flatnonzero(group == value)
        reach = limit + a.reach_m + b.reach_m[rows].max()
        near = shapes_within(a.shapes, b.shapes[rows], reach, progress=steps.next())
        i, j = near.i, rows[near.j]
        kept = near.distance_m - (a.reach_m[i] + b.reach_m[j]) <= limit[i]
        if len(rows) == len(b.shapes) and kept.all():
            return near
        parts.append((i[kept], j[kept], near.distance_m[kept], near.azimuth_deg[kept]))
    if not parts:
        return shapes_within(a.shapes, b.shapes, np.zeros(len(a.shapes)))
    i, j, away, azimuth = (
        np.concatenate(column) for column in zip(*parts, strict=True)
    )
    order = np.lexsort((j, away, i))
    return Found(
        i=i[order], j=j[order], distance_m=away[order], azimuth_deg=azimuth[order]
    )


def _look_inside(
    one: Side, other: Side, pairs: tuple[Ints, Ints], certain: Bools, chance: Floats
) -> None:
    """Mark the pairs where a vertex of ``one`` is in a polygon of ``other`` for sure.

    For single points the chance is filled in as well.
    """
    import shapely

    from geo.kernels.containment import contain_points

    mine, its = pairs
    doubtful = ~certain & np.isin(other.kinds[its], AREAS)
    if not doubtful.any():
        return
    rows, areas = np.unique(mine[doubtful]), np.unique(its[doubtful])
    lonlat, owner = shapely.get_coordinates(one.shapes[rows], return_index=True)
    inside = contain_points(
        lonlat, one.reach_m[rows[owner]], other.shapes[areas], other.reach_m[areas]
    )
    asked = np.flatnonzero(doubtful)
    keys = mine[asked] * len(other.shapes) + its[asked]
    order = np.argsort(keys)
    row = rows[owner[inside.i]]
    wanted = row * len(other.shapes) + areas[inside.j]
    at = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    known = keys[order[at]] == wanted
    pair = asked[order[at[known]]]
    certain[pair[inside.certain[known]]] = True
    single = one.kinds[row[known]] == POINT
    chance[asked[one.kinds[mine[asked]] == POINT]] = 0.0
    chance[pair[single]] = inside.probability[known][single]

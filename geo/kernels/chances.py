"""Chances of nearness between places that are not known exactly.

Each place is spread evenly over its disc (:mod:`geo.uncertainty`), independently of
all others. Nothing is drawn: the chances are integrals, the same every time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import earth_centred
from geo.uncertainty import mixed_discs

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from geo.parallel import Progress

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_ROWS = 4096
_ROWS_AT_ONCE = 32
_PAIRS_AT_ONCE = 1 << 14

_STEPS, _FINE = 16, 1.0
"""Steps in distance, and size of a cell beside the second smallest radius in it."""


def chances_of_nearest(
    pairs: tuple[Ints, Ints, Floats],
    left: tuple[Floats, Floats],
    right: tuple[Floats, Floats],
    *,
    progress: Progress | None = None,
) -> Floats:
    """Chance of each pair that its right place is truly the nearest of all.

    Parameters
    ----------
    pairs
        Left rows, right rows, and the distances between their centres [m], each of
        shape ``(p,)``, by rising left row, then by distance; the nearest of each left
        row must be among them.
    left, right
        Places and how well they are known, all of them, shapes ``(n, 2)`` [degrees]
        and ``(n,)`` [m], ``(m, 2)`` and ``(m,)``.
    progress
        Called with the left rows done and their number.

    Returns
    -------
    numpy.ndarray
        Chances, shape ``(p,)``. Over all ``m`` they sum to 1 for each left row, within
        1e-12. Between places known exactly a tie goes to the first pair of the row.

    Notes
    -----
    Only right places that may be nearer than every other's farthest reach are rivals.
    Seen from a place, rival ``k`` is within a distance ``s`` with the chance
    ``F_k(s)``, the share of its disc (:func:`geo.kernels.rivals.share_within`), and is
    nearest with the chance ``∫ Π (1 - F_l) dF_k``, taken in 16 steps with Richardson's
    extrapolation. A left disc is cut into cells of 9 Gauss nodes each, halved until one
    rival wins for sure or the cell is no larger than the second smallest radius in
    play, at the most 8 times. Beside finer steps and cells the largest error seen is
    2.0e-4, the root mean square 1e-5: measured, no proved bound. A chance does not
    depend on the other rows.
    """
    (i, j, distance_m), (lonlat, radius_m) = pairs, left
    chance = np.zeros(len(i))
    rows, first = np.unique(i, return_index=True)
    chance[first] = 1.0
    if not (radius_m.any() or right[1].any()):
        return chance
    upper_m = distance_m[first] + radius_m[rows] + right[1][j[first]]
    for start in range(0, len(rows), _ROWS):
        here = slice(start, min(start + _ROWS, len(rows)))
        mine = rows[here]
        rivals = _rivals(mine, upper_m[here], left, right)
        wins = _wins(rivals, (lonlat[mine], radius_m[mine]), right)
        a, b, _ = rivals
        vague = np.bincount(a, right[1][b], minlength=len(mine)) + radius_m[mine] > 0
        held = slice(first[start], first[here.stop] if here.stop < len(rows) else None)
        row = np.searchsorted(mine, i[held])
        keys, wanted = a * len(right[1]) + b, row * len(right[1]) + j[held]
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        won = np.where(keys[at] == wanted, wins[at], 0.0)
        chance[held] = np.where(vague[row], won, chance[held])
        if progress:
            progress(here.stop, len(rows))
    return chance


def _wins(
    rivals: tuple[Ints, Ints, Floats],
    left: tuple[Floats, Floats],
    right: tuple[Floats, Floats],
) -> Floats:
    """Chance of each rival, sorted by left row, to be the nearest to it."""
    from geo.kernels.rivals import chances
    from geo.parallel import run_chunks

    (a, b, away_m), (lonlat, radius_m) = rivals, left
    bounds = np.searchsorted(a, np.arange(len(lonlat) + 1))
    spots, spot_radius_m = earth_centred(*right[0][b].T), right[1][b]
    wins = np.zeros(len(b))

    def work(low: int, high: int) -> None:
        part = slice(bounds[low], bounds[high])
        chances(
            lonlat[low:high], radius_m[low:high], bounds[low : high + 1] - bounds[low],
            spots[part], spot_radius_m[part], away_m[part], _STEPS, _FINE, wins[part],
        )  # fmt: skip

    run_chunks(work, len(lonlat), chunk=_ROWS_AT_ONCE)
    # What quadrature leaves is spread over the rivals, so that a row sums to 1.
    np.clip(wins, 0.0, 1.0, out=wins)
    return wins / np.bincount(a, wins, minlength=len(lonlat))[a]


def _rivals(
    rows: Ints,
    upper_m: Floats,
    left: tuple[Floats, Floats],
    right: tuple[Floats, Floats],
) -> tuple[Ints, Ints, Floats]:
    """Places that may be the nearest of each row: position in ``rows``, row, distance.

    Right places are asked for by classes of radius, so that one vague place does not
    widen the search for all.
    """
    from geo.kernels.pairs import points_within

    (lonlat, radius_m), (others, other_radius_m) = left, right
    mine, reach = lonlat[rows], upper_m + radius_m[rows]
    level = np.ceil(np.log2(np.maximum(other_radius_m, 1.0)) / 2).astype(np.intp)
    a, b, d = [], [], []
    for one in np.unique(level):
        members = np.flatnonzero(level == one)
        widest = other_radius_m[members].max()
        found = points_within(mine, others[members], reach + widest + 1e-3)
        a.append(found.i)
        b.append(members[found.j])
        d.append(found.distance_m)
    i, j, away = np.concatenate(a), np.concatenate(b), np.concatenate(d)
    upper = upper_m.copy()
    np.minimum.at(upper, i, away + radius_m[rows[i]] + other_radius_m[j])
    kept = away - radius_m[rows[i]] - other_radius_m[j] <= upper[i]
    order = np.lexsort((j[kept], i[kept]))
    return i[kept][order], j[kept][order], away[kept][order]


def chances_within_distance(
    away_m: Floats,
    radius_m: Floats,
    other_radius_m: Floats,
    distance_m: ArrayLike,
    *,
    progress: Progress | None = None,
) -> Floats:
    """Chance of each pair that its places are truly no farther apart than a distance.

    Parameters
    ----------
    away_m
        Distance between the centres, shape ``(p,)``. [m]
    radius_m, other_radius_m
        How well each place is known, shapes ``(p,)``. [m]
    distance_m
        The distance, one for all or one a pair. [m]
    progress
        Called with the pairs done and ``p``.

    Returns
    -------
    numpy.ndarray
        Chances, shape ``(p,)``; exactly 0 and 1 where the bounds decide.

    Notes
    -----
    The difference of the two displacements is one displacement, mixed of discs
    (:func:`geo.uncertainty.displacements`); each disc has a lens in common with the
    circle of the distance (:func:`geo.kernels.rivals.share_within`). Right within 2e-4
    for radii up to 300 km; this is measured, no proved bound.
    """
    from geo.kernels.rivals import shares_within
    from geo.parallel import run_chunks

    limit = np.broadcast_to(np.asarray(distance_m, dtype=np.float64), away_m.shape)
    slack = radius_m + other_radius_m
    chance = np.where(away_m + slack <= limit, 1.0, 0.0)
    vague = np.flatnonzero((away_m + slack > limit) & (away_m - slack < limit))

    def work(start: int, stop: int) -> None:
        here = vague[start:stop]
        radii, weights = mixed_discs(radius_m[here], other_radius_m[here])
        out = np.empty(len(here))
        shares_within(limit[here], away_m[here], radii, weights, out)
        chance[here] = out

    run_chunks(work, len(vague), chunk=_PAIRS_AT_ONCE, progress=progress)
    return chance

"""Counts the wrong answers of an engine, by means that none of the engines uses.

Distances come from GeographicLib's inverse solution (pyproj.Geod, Karney 2013); which
pairs meet from GEOS through shapely. A neighbour is wrong when it is farther than the
nearest by more than a micrometre.

Each judge is made for a folder of layers and then asked about one engine's columns at
a time; ``sample`` tells that the engine saw the first so many rows of left only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from data import read

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Judge = Callable[[tuple[np.ndarray, ...], int | None], "Verdict"]

TOLERANCE_M = 1e-6
CHUNK = 250_000
EXHAUSTIVE = 100  # rows for which the judge is checked against every feature


class JudgeError(Exception):
    """The judge contradicts itself or an engine's better answer."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How many of an engine's answers are wrong, and how far off they are at most."""

    wrong: int
    of: int  # answers that were due
    detail: str = ""
    by_at_most_m: float = 0.0  # farther than the nearest, or from the limit
    distance_error_m: float = np.nan  # largest, where the engine gives distances


def geodesic_m(a: Floats, b: Floats) -> Floats:
    """Distances between rows of longitudes and latitudes, shape ``(n, 2)``. [m]"""
    from pyproj import Geod

    out = np.empty(len(a))

    def measure(start: int) -> None:
        rows = slice(start, start + CHUNK)
        geod = Geod(ellps="WGS84")
        out[rows] = geod.inv(*a[rows].T, *b[rows].T, return_back_azimuth=False)[2]

    with ThreadPoolExecutor() as pool:
        list(pool.map(measure, range(0, len(a), CHUNK)))
    return out


def judge_of(name: str, folder: Path, left: str, right: str) -> Judge:
    judges = {
        "within": _predicate("within"),
        "intersects": _predicate("intersects"),
        "nearest_point": _nearest_point,
        "nearest_line": _nearest_line,
        "within_5_km": _within_5_km,
    }
    return judges[name](folder, left, right)


def _lonlat(folder: Path, name: str) -> Floats:
    import shapely

    return shapely.get_coordinates(read(folder, name).geometry.to_numpy())


def _earth_centred(lonlat: Floats) -> Floats:
    from pyproj import Transformer

    to_earth = Transformer.from_crs(4979, 4978, always_xy=True)
    return np.column_stack(to_earth.transform(*lonlat.T, np.zeros(len(lonlat))))


def _absent(values: Ints, among: Ints) -> Ints:
    """Those values that are not among the others; both are sorted, each value once."""
    place = np.searchsorted(among, values)
    there = place < len(among)
    there[there] = among[place[there]] == values[there]
    return values[~there]


def _set_verdict(
    found: Ints, truth: Ints, outlier_m: Callable[[Ints], float]
) -> Verdict:
    """Compare two sets of pairs, each pair a number, the truth sorted."""
    found = np.sort(found)
    once = found[np.diff(found, prepend=-1) > 0]
    lost, false = _absent(truth, once), _absent(once, truth)
    missing, extra = len(lost), len(false) + len(found) - len(once)
    odd = np.concatenate([lost, false])
    at_most = outlier_m(odd) if len(odd) else 0.0
    return Verdict(
        wrong=missing + extra,
        of=len(truth),
        detail=f"{missing:,} missing, {extra:,} extra" if missing + extra else "",
        by_at_most_m=at_most,
    )


def _predicate(predicate: str) -> Callable[[Path, str, str], Judge]:
    def judge(folder: Path, left: str, right: str) -> Judge:
        import shapely

        a, b = (read(folder, name).geometry.to_numpy() for name in (left, right))
        i, j = shapely.STRtree(b).query(a, predicate=predicate)
        truth = np.sort(i * len(b) + j)

        def verdict(found: tuple[np.ndarray, ...], sample: int | None) -> Verdict:
            due = truth if sample is None else truth[truth < sample * len(b)]
            return _set_verdict(found[0] * len(b) + found[1], due, lambda _: np.nan)

        return verdict

    return judge


def _within_5_km(folder: Path, left: str, right: str) -> Judge:
    """Every pair whose chord is within the limit is measured along the geodesic.

    A chord is never longer than the geodesic, so no pair is missed.
    """
    from scipy.spatial import cKDTree

    limit = 5_000.0
    a, b = _lonlat(folder, left), _lonlat(folder, right)
    centres, tree = _earth_centred(a), cKDTree(_earth_centred(b))
    parts = []
    for start in range(0, len(a), 10_000):
        near = cKDTree(centres[start : start + 10_000]).sparse_distance_matrix(
            tree, limit + 0.001, output_type="ndarray"
        )
        i, j = near["i"] + start, near["j"]
        parts.append(np.sort((i * len(b) + j)[geodesic_m(a[i], b[j]) <= limit]))
    truth = np.concatenate(parts)

    def verdict(found: tuple[np.ndarray, ...], sample: int | None) -> Verdict:
        due = truth if sample is None else truth[truth < sample * len(b)]

        def outlier_m(pairs: Ints) -> float:
            i, j = np.divmod(pairs, len(b))
            return float(np.abs(geodesic_m(a[i], b[j]) - limit).max())

        seen = _set_verdict(found[0] * len(b) + found[1], due, outlier_m)
        return _with_distances(seen, found, lambda i, j: geodesic_m(a[i], b[j]))

    return verdict


def _with_distances(
    seen: Verdict,
    found: tuple[np.ndarray, ...],
    measure: Callable[[Ints, Ints], Floats],
) -> Verdict:
    """The verdict with the largest error of the distances that came along."""
    if len(found) < 3 or not len(found[0]):
        return seen
    error = np.abs(found[2] - measure(found[0], found[1])).max()
    return Verdict(**{**vars(seen), "distance_error_m": float(error)})


def _nearest_verdict(
    found: tuple[np.ndarray, ...], distance: Floats, best: Floats
) -> Verdict:
    """Compare distances to what was found with the least ones, row by row."""
    excess = np.full(len(best), -np.inf)
    np.maximum.at(excess, found[0], distance - best[found[0]])
    absent, farther = excess == -np.inf, excess > TOLERANCE_M
    if (excess[~absent] < -TOLERANCE_M).any():
        raise JudgeError("an engine found a nearer one than the judge")
    seen = Verdict(
        wrong=int((absent | farther).sum()),
        of=len(best),
        detail=f"{int(absent.sum()):,} without an answer" if absent.any() else "",
        by_at_most_m=float(excess[farther].max(initial=0.0)),
    )
    return _with_distances(seen, found, lambda _i, _j: distance)


def _nearest_point(folder: Path, left: str, right: str) -> Judge:
    """The exact nearest of all rows, and a sample of it against every target.

    A geodesic is never shorter than its chord: when the eighth nearest by chord has a
    longer chord than the best geodesic, no other can be nearer; else all are tried.
    """
    from scipy.spatial import cKDTree

    a, b = _lonlat(folder, left), _lonlat(folder, right)
    k = min(8, len(b))
    chord, near = cKDTree(_earth_centred(b)).query(_earth_centred(a), k=k, workers=-1)
    best = np.full(len(a), np.inf)
    for rank in range(k):
        best = np.minimum(best, geodesic_m(a, b[near[:, rank]]))
    unproved = np.flatnonzero(chord[:, -1] <= best + 0.001)
    sample = np.random.default_rng(1).integers(len(a), size=EXHAUSTIVE)
    for row in unproved:
        best[row] = _nearest_of_all(a[row], b)
    for row in sample:
        if abs(best[row] - _nearest_of_all(a[row], b)) > TOLERANCE_M:
            raise JudgeError(f"the judge errs in row {row}")

    def verdict(found: tuple[np.ndarray, ...], sample: int | None) -> Verdict:
        return _nearest_verdict(
            found, geodesic_m(a[found[0]], b[found[1]]), best[:sample]
        )

    return verdict


def _nearest_of_all(place: Floats, others: Floats) -> float:
    return float(geodesic_m(np.broadcast_to(place, others.shape), others).min())


def _nearest_line(folder: Path, left: str, right: str) -> Judge:
    """The nearest line of all rows, and a sample of them against every segment."""
    from lines import Lines

    lines = Lines(read(folder, right).geometry.to_numpy(), geodesic_m)
    a = _lonlat(folder, left)
    best = lines.nearest_m(a)
    for row in np.random.default_rng(1).integers(len(a), size=EXHAUSTIVE):
        if abs(best[row] - lines.nearest_of_all_m(a[row])) > TOLERANCE_M:
            raise JudgeError(f"the judge errs in row {row}")

    def verdict(found: tuple[np.ndarray, ...], sample: int | None) -> Verdict:
        distance = lines.distance_m(a[found[0]], found[1])
        return _nearest_verdict(found, distance, best[:sample])

    return verdict

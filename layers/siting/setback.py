"""Area of sites inside a setback, from the cells that they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.raster.metric import metric_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.raster.found import FoundSites

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class _Stretches(NamedTuple):
    """Stretches of rows, in order of site, row and column; arrays of one length."""

    site: Ints
    row: Ints
    start: Ints
    stop: Ints


def inside_share(found: FoundSites, rows: int, setback_m: float) -> Floats:
    """Return the part of each site's area that lies inside a setback.

    Parameters
    ----------
    found
        What a search gave, with cells for the sites asked about.
    rows
        How many of the first sites are asked about.
    setback_m
        Width that is left free along the outline, holes included. [m]

    Returns
    -------
    numpy.ndarray
        Shape ``(rows,)``, 0 to 1. [1]

    Notes
    -----
    A cell counts when its centre lies at least ``setback_m`` from every cell that is
    not of the site: the rule of centres by which cells are chosen at all. A setback
    below half a cell so changes nothing; of a straight edge a strip of whole cells is
    taken whose width is, on average over where the edge lies, that asked for. Cells
    are rectangles of the size that they have in their own row. Worked out on stretches
    of cells, in time and memory of their number: buffering the outlines of sites with
    a hundred thousand corners takes minutes.
    """
    labels = found.table["label"].to_numpy(dtype=np.int64)[:rows]
    whole = _of_sites(found, labels)
    metric = metric_of(found.grid)
    total = _areas(whole, metric.area_m2, rows)
    kept = whole
    reach = int(np.ceil(setback_m / float(metric.dy_m.min()) + 0.5))
    for offset in range(-reach, reach + 1):
        up = np.maximum(abs(offset) - 0.5, 0.0) * metric.dy_m
        across = np.sqrt(np.maximum(setback_m**2 - up**2, 0.0))
        # How many columns to each side are too near, -1 where none of that row is.
        near = np.ceil(across / metric.dx_m + 0.5).astype(np.int64) - 1
        near[up >= setback_m] = -1
        kept = _shrunk(kept, whole, offset, near, found.grid.shape)
    left = _areas(kept, metric.area_m2, rows)
    return np.divide(left, total, out=np.zeros(rows), where=total > 0)


def _of_sites(found: FoundSites, labels: Ints) -> _Stretches:
    """Stretches of the sites asked about, numbered by their rank."""
    runs = found.runs
    order = np.argsort(labels)
    at = np.searchsorted(labels[order], runs.label)
    at[at == len(labels)] = 0
    mine = labels[order][at] == runs.label if len(labels) else np.zeros(0, dtype=bool)
    site = order[at[mine]] if len(labels) else np.empty(0, dtype=np.int64)
    row, start, stop = (
        column[mine].astype(np.int64) if len(labels) else np.empty(0, dtype=np.int64)
        for column in (runs.row, runs.start, runs.stop)
    )
    return _ordered(_Stretches(site, row, start, stop))


def _shrunk(
    kept: _Stretches,
    whole: _Stretches,
    offset: int,
    near: Ints,
    shape: tuple[int, int],
) -> _Stretches:
    """Leave out cells that have another than their site too near in one row."""
    row = whole.row - offset
    there = (row >= 0) & (row < shape[0])
    site, row = whole.site[there], row[there]
    start = whole.start[there] + near[row]
    stop = whole.stop[there] - near[row]
    fits = (start < stop) & (near[row] >= 0)
    bound = _ordered(_Stretches(site[fits], row[fits], start[fits], stop[fits]))
    free = near[kept.row] < 0
    if free.all():
        return kept
    met = _common(_Stretches(*(c[~free] for c in kept)), bound, shape)
    if not free.any():
        return met
    untouched = _Stretches(*(c[free] for c in kept))
    return _ordered(
        _Stretches(*(np.concatenate(c) for c in zip(met, untouched, strict=True)))
    )


def _common(a: _Stretches, b: _Stretches, shape: tuple[int, int]) -> _Stretches:
    """Cells that two lists of stretches share, both in order and each without laps."""
    width = shape[1] + 1
    line_a, line_b = ((s.site * shape[0] + s.row) * width for s in (a, b))
    first = np.searchsorted(line_b + b.stop, line_a + a.start, side="right")
    last = np.searchsorted(line_b + b.start, line_a + a.stop, side="left")
    count = np.maximum(last - first, 0)
    i = np.repeat(np.arange(len(count)), count)
    within = np.arange(len(i)) - np.repeat(count.cumsum() - count, count)
    j = first[i] + within
    return _Stretches(
        a.site[i],
        a.row[i],
        np.maximum(a.start[i], b.start[j]),
        np.minimum(a.stop[i], b.stop[j]),
    )


def _ordered(stretches: _Stretches) -> _Stretches:
    order = np.lexsort((stretches.start, stretches.row, stretches.site))
    return _Stretches(*(column[order] for column in stretches))


def _areas(stretches: _Stretches, area_m2: Floats, sites: int) -> Floats:
    """Sum of the areas of cells by site. [m²]."""
    area = (stretches.stop - stretches.start) * area_m2[stretches.row]
    total = np.bincount(stretches.site, weights=area, minlength=sites)
    return total.astype(np.float64, copy=False)

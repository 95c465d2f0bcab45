"""Polygons of sites, along the edges of their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.raster.kernels.runs import group_runs
from geo.raster.kernels.traces import lay_out_ends, trace_sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.raster.found import Cells, Runs
    from geo.raster.grid import Grid

    Ints = NDArray[np.int64]

_RUNS_PER_CHUNK = 100_000


def outlines(
    cells: Cells,
    labels: Sequence[int] | Ints,
    grid: Grid,
    *,
    connectivity: int = 4,
    threads: int | None = None,
) -> NDArray[np.object_]:
    """Trace the outlines of sites.

    Parameters
    ----------
    cells
        Cells of sites.
    labels
        Sites to trace.
    grid
        The cells.
    connectivity
        4, or 8 where cells that touch at a corner only may belong to one site.
    threads
        How many threads to use; as many as there are processors when None.

    Returns
    -------
    numpy.ndarray
        Polygons in the CRS of the grid, shape of ``labels``: holes kept, no vertex
        between collinear edges, always valid. A MultiPolygon where a site falls into
        parts that touch at corners only. Its area in the plane is the sum of its
        cells.

    Notes
    -----
    Sites are traced with the tile that they end in, so that of the others no cells
    are held meanwhile.
    """
    from geo.parallel import run_chunks

    labels = np.asarray(labels, dtype=np.int64)
    place = np.full(int(labels.max(initial=0)) + 1, -1, np.int64)
    place[labels] = np.arange(len(labels))
    tiles = list(cells.labels)
    first, last = _spans(cells, place)
    limits = _limits(np.array([cells.sizes[number] for number in tiles], np.int64))
    shapes = np.empty(len(labels), dtype=object)

    def trace(chunk: int, _: int) -> None:
        begin, end = limits[chunk], limits[chunk + 1]
        mine = np.flatnonzero((last >= begin) & (last < end))
        if not len(mine):
            return
        local = np.zeros(max(map(_top, cells.labels.values())) + 1, np.int32)
        local[labels[mine]] = np.arange(1, len(mine) + 1)
        runs = cells.runs(local, tiles[first[mine].min() : end])
        shapes[mine] = _polygons(runs, len(mine), grid, by_part=connectivity == 8)

    run_chunks(trace, len(limits) - 1, chunk=1, threads=threads)
    return shapes


def _top(labels: NDArray[np.int32]) -> int:
    """Largest label of a tile."""
    return int(labels.max(initial=0))


def _spans(cells: Cells, place: Ints) -> tuple[Ints, Ints]:
    """First and last tile in which each site has cells; by its place."""
    first, last = (np.full(place.max(initial=-1) + 1, -1, np.int64) for _ in range(2))
    for at, label in enumerate(cells.labels.values()):
        known = label[label < len(place)]
        mine = place[known]
        mine = mine[mine >= 0]
        last[mine] = at
        first[mine[first[mine] < 0]] = at
    return first, last


def _limits(sizes: Ints) -> Ints:
    """Where to cut sites into chunks of about equal numbers of runs."""
    if not len(sizes):
        return np.zeros(1, np.int64)
    chunk = (np.cumsum(sizes) - sizes) // _RUNS_PER_CHUNK
    return np.concatenate([np.flatnonzero(np.diff(chunk, prepend=-1)), [len(sizes)]])


def _polygons(
    runs: Runs, sites: int, grid: Grid, *, by_part: bool
) -> NDArray[np.object_]:
    """Trace sites, whose labels are 1, 2 … up to their number."""
    import shapely

    label, count = runs.label, sites
    if by_part:
        label, parts = _parts(runs, sites)
        count = int(parts.sum())
    n = len(label)
    top, ends = np.empty(count, np.int32), np.empty(4 * (n + count), np.int32)
    first, site_first = (np.empty(count + 1, np.int64) for _ in range(2))
    lay_out_ends(label, runs.row, runs.start, runs.stop, top, first, ends)
    xy, ring_first = np.empty((5 * n, 2)), np.empty(n + 1, np.int64)
    trace_sites(
        top,
        first,
        ends,
        float(grid.west),
        float(grid.north),
        float(grid.dx),
        float(grid.dy),
        xy,
        ring_first,
        site_first,
    )
    ring_first = ring_first[: site_first[-1] + 1]
    shapes = np.asarray(
        shapely.from_ragged_array(
            shapely.GeometryType.POLYGON, xy[: ring_first[-1]], (ring_first, site_first)
        )
    )
    if not by_part:
        return shapes
    last = np.cumsum(parts)
    return np.array(
        [
            shapes[a] if b == a + 1 else shapely.multipolygons(shapes[a:b])
            for a, b in zip(last - parts, last, strict=True)
        ],
        dtype=object,
    )


def _parts(runs: Runs, sites: int) -> tuple[NDArray[np.int32], Ints]:
    """Tell the part of a site that each run is in, and how many parts each site has.

    Parts are connected along edges. They are counted from 1 over all sites, those of
    one in order of their first run.
    """
    rows = np.arange(runs.row[0], runs.row[-1] + 2, dtype=np.int32)
    first = np.searchsorted(runs.row, rows)
    part, overlap = (np.empty(len(runs.row), np.int64) for _ in range(2))
    count = group_runs(first, runs.start, runs.stop, 0, part, overlap)
    site = np.empty(count, np.int32)
    site[part] = runs.label
    number = np.empty(count, np.int32)
    number[np.argsort(site, kind="stable")] = np.arange(1, count + 1)
    return number[part], np.bincount(site, minlength=sites + 1)[1:]

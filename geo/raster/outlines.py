"""Polygons of sites, along the edges of their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.raster.kernels.stretches import sort_runs
from geo.raster.kernels.traces import trace_sites

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
        local = np.full(max(map(_top, cells.labels.values())) + 1, -1, np.int32)
        local[labels[mine]] = np.arange(len(mine))
        runs = cells.runs(local >= 0, tiles[first[mine].min() : end])
        site = local[runs.label]
        sizes = np.bincount(site, minlength=len(mine))
        ends = np.cumsum(sizes) - sizes
        order = np.empty(len(site), np.int32)
        sort_runs(site + np.int32(1), ends, order)
        shapes[mine] = _polygons(runs, order, ends, grid, by_part=connectivity == 8)

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
    runs: Runs, order: NDArray[np.int32], ends: Ints, grid: Grid, *, by_part: bool
) -> NDArray[np.object_]:
    """Trace sites, whose runs end at ``ends`` in ``order``."""
    import shapely

    sites, mine = len(ends), order
    limits = np.concatenate([[0], ends])
    x, y = (np.empty(5 * len(mine), np.int32) for _ in range(2))
    ring_end, ring_owner = (np.empty(len(mine) + sites, np.int64) for _ in range(2))
    counts = np.empty(sites + 2, np.int64)
    trace_sites(
        mine,
        limits,
        runs.row,
        runs.start,
        runs.stop,
        by_part,
        x,
        y,
        ring_end,
        ring_owner,
        counts,
    )
    parts, (rings, vertices) = counts[:-2], counts[-2:]
    xy = np.empty((vertices, 2))
    xy[:, 0] = grid.west + x[:vertices] * grid.dx
    xy[:, 1] = grid.north - y[:vertices] * grid.dy
    last = np.searchsorted(ring_owner[:rings], np.arange(parts.sum()), side="right")
    shapes = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON,
        xy,
        (np.concatenate([[0], ring_end[:rings]]), np.concatenate([[0], last])),
    )
    if not by_part:
        return np.asarray(shapes)
    ends = np.cumsum(parts)
    return np.array(
        [
            shapes[a] if b == a + 1 else shapely.multipolygons(shapes[a:b])
            for a, b in zip(ends - parts, ends, strict=True)
        ],
        dtype=object,
    )

"""Polygons of sites, along the edges of their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.raster.kernels.stretches import sort_runs
from geo.raster.kernels.traces import trace_sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.parallel import Progress
    from geo.raster.found import Runs
    from geo.raster.grid import Grid

    Ints = NDArray[np.int64]

_RUNS_PER_CHUNK = 100_000


def outlines(
    runs: Runs,
    labels: Sequence[int] | Ints,
    grid: Grid,
    *,
    connectivity: int = 4,
    threads: int | None = None,
    progress: Progress | None = None,
) -> NDArray[np.object_]:
    """Trace the outlines of sites.

    Parameters
    ----------
    runs
        Cells of sites, in order.
    labels
        Sites to trace.
    grid
        The cells.
    connectivity
        4, or 8 where cells that touch at a corner only may belong to one site.
    threads
        How many threads to use; as many as there are processors when None.
    progress
        Called with the sites that are done, and how many there are.

    Returns
    -------
    numpy.ndarray
        Polygons in the CRS of the grid, shape of ``labels``: holes kept, no vertex
        between collinear edges, always valid. A MultiPolygon where a site falls into
        parts that touch at corners only. Its area in the plane is the sum of its
        cells.
    """
    from geo.parallel import run_chunks

    labels = np.asarray(labels, dtype=np.int64)
    sizes = np.bincount(runs.label, minlength=1)[1:]
    ends = np.cumsum(sizes) - sizes
    order = np.empty(len(runs.label), np.int32)
    sort_runs(runs.label, ends, order)
    end = ends[labels - 1]
    begin = end - sizes[labels - 1]
    shapes = np.empty(len(labels), dtype=object)
    limits = _limits(end - begin)

    def trace(first: int, _: int) -> None:
        some = slice(limits[first], limits[first + 1])
        mine = [order[a:b] for a, b in zip(begin[some], end[some], strict=True)]
        shapes[some] = _polygons(runs, mine, grid, by_part=connectivity == 8)

    def tell(done: int, _: int) -> None:
        if progress:
            progress(int(limits[done]), len(labels))

    run_chunks(trace, len(limits) - 1, chunk=1, threads=threads, progress=tell)
    return shapes


def _limits(sizes: Ints) -> Ints:
    """Where to cut sites into chunks of about equal numbers of runs."""
    if not len(sizes):
        return np.zeros(1, np.int64)
    chunk = (np.cumsum(sizes) - sizes) // _RUNS_PER_CHUNK
    return np.concatenate([np.flatnonzero(np.diff(chunk, prepend=-1)), [len(sizes)]])


def _polygons(
    runs: Runs, sites: list[NDArray[np.int32]], grid: Grid, *, by_part: bool
) -> NDArray[np.object_]:
    """Trace some sites, each given by its runs."""
    import shapely

    mine = np.concatenate(sites)
    limits = np.concatenate([[0], np.cumsum([len(site) for site in sites])])
    x, y = (np.empty(5 * len(mine), np.int32) for _ in range(2))
    ring_end, ring_owner = (
        np.empty(len(mine) + len(sites), np.int64) for _ in range(2)
    )
    counts = np.empty(len(sites) + 2, np.int64)
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

"""Polygons of sites, along the edges of their cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.raster.kernels.runs import group_runs
from geo.raster.kernels.traces import link_corners, walk_rings

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
    order = np.argsort(runs.label, kind="stable")
    sorted_labels = runs.label[order]
    begin = np.searchsorted(sorted_labels, labels)
    end = np.searchsorted(sorted_labels, labels, side="right")
    shapes = np.empty(len(labels), dtype=object)
    limits = _limits(end - begin)

    def trace(first: int, _: int) -> None:
        some = slice(limits[first], limits[first + 1])
        mine = [order[a:b] for a, b in zip(begin[some], end[some], strict=True)]
        shapes[some] = _polygons(runs, mine, grid, connectivity)

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
    runs: Runs, sites: list[Ints], grid: Grid, connectivity: int
) -> NDArray[np.object_]:
    """Trace some sites, each given by its runs."""
    import shapely

    coordinates: list[NDArray[np.float64]] = []
    rings: list[Ints] = [np.zeros(1, np.int64)]
    polygons: list[Ints] = [np.zeros(1, np.int64)]
    parts = np.empty(len(sites), np.int64)
    points = ring_count = 0
    for k, mine in enumerate(sites):
        xy, ends, holes = _trace(runs, mine, grid, connectivity)
        coordinates.append(xy)
        rings.append(ends + points)
        polygons.append(holes + ring_count)
        points, ring_count = points + len(xy), ring_count + len(ends)
        parts[k] = len(holes)
    shapes = shapely.from_ragged_array(
        shapely.GeometryType.POLYGON,
        np.concatenate(coordinates),
        (np.concatenate(rings), np.concatenate(polygons)),
    )
    found = np.empty(len(sites), dtype=object)
    last = np.cumsum(parts)
    for k, (a, b) in enumerate(zip(last - parts, last, strict=True)):
        found[k] = shapes[a] if b == a + 1 else shapely.multipolygons(shapes[a:b])
    return found


def _trace(
    runs: Runs, mine: Ints, grid: Grid, connectivity: int
) -> tuple[NDArray[np.float64], Ints, Ints]:
    """Trace a site: coordinates, the end of each ring, the last ring of each part."""
    row, start, stop = runs.row[mine], runs.start[mine], runs.stop[mine]
    top, n = int(row[0]), len(row)
    first = np.searchsorted(row, np.arange(top, int(row[-1]) + 2)).astype(np.int64)
    part, parts = np.zeros(n, np.int64), 1
    if connectivity == 8:
        parts = group_runs(first, start, stop, 0, part, np.empty(n, np.int64))
    x, y, level, upright = (np.empty(4 * n, np.int32) for _ in range(4))
    owner = np.empty(4 * n, np.int64)
    count = link_corners(first, start, stop, part, x, y, owner, level, upright)
    order = np.empty(count, np.int32)
    ring_part, ring_start = (np.empty(count // 4 + 1, np.int64) for _ in range(2))
    found = walk_rings(
        count, owner, level, upright, order, ring_part, ring_start, parts
    )
    closed, ends, ring_part = _close(
        order, ring_start[: found + 1], ring_part[:found], parts
    )
    xy: NDArray[np.float64] = np.empty((len(closed), 2))
    xy[:, 0] = grid.west + x[closed] * grid.dx
    xy[:, 1] = grid.north - (y[closed].astype(np.int64) + top) * grid.dy
    last = np.searchsorted(ring_part, np.arange(parts), side="right")
    return xy, ends, last.astype(np.int64)


def _close(
    order: NDArray[np.int32], ring_start: Ints, ring_part: Ints, parts: int
) -> tuple[NDArray[Any], Ints, Ints]:
    """Repeat the first corner of each ring at its end, and order rings by part."""
    sizes = np.diff(ring_start)
    begin = ring_start[:-1]
    if parts > 1:
        by_part = np.argsort(ring_part, kind="stable")
        sizes, begin, ring_part = sizes[by_part], begin[by_part], ring_part[by_part]
    ends = np.cumsum(sizes + 1)
    closed = np.empty(int(ends[-1]), np.int64)
    ring = np.repeat(np.arange(len(sizes)), sizes + 1)
    closed[:] = begin[ring] + (np.arange(len(closed)) - (ends - sizes - 1)[ring])
    closed[ends - 1] = begin
    return order[closed], ends, ring_part

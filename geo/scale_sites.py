"""The search for sites over a Dask cluster: the answer of one machine, from many.

A task goes through one large tile as a single machine does through the whole, strip by
strip, and leaves the cells of its sites in a file, and the scores if they are wanted.
Then four neighbours at a time become one (:mod:`geo.scale_blocks`), on the workers as
well, until one block holds all: only that comes back.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.cluster import connected
from geo.errors import GeoError
from geo.scale_blocks import Block, Job, Tiles, block_of_tiles, joined, levels

if TYPE_CHECKING:
    import os

    import distributed
    from numpy.typing import NDArray

    from geo.parallel import Progress
    from geo.raster import FoundSites, Siting
    from geo.raster.found import Runs
    from geo.raster.merging import Sites
    from geo.raster.plan import Plan
    from geo.raster.streaming import Layout
    from geo.raster.workspace import Workspace

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

TILE = 16_384
"""Rows and columns of the tile of a task."""

_DEATHS = 3
"""How often a tile is tried anew after the scheduler gave it up."""

_MANY = 1 << 20
"""About how many runs a tile has: so many that it is traced by itself."""


def sites(
    siting: Siting,
    folder: str | os.PathLike[str],
    *,
    keep: int | None = None,
    rasters: str | os.PathLike[str] | None = None,
    tile: int | tuple[int, int] = TILE,
    client: distributed.Client | None = None,
    progress: Progress | None = None,
) -> FoundSites:
    """Find the sites of a siting on a cluster.

    Parameters
    ----------
    siting
        What to look for. Every worker must see the rasters under the same paths.
    folder
        Where the tiles are kept, which every worker must see too: new, empty, or with
        the unfinished tiles of the same search, which then goes on.
    keep
        How many of the best sites get an outline, and have their cells in ``runs``; all
        when None.
    rasters
        Where to write ``score.tif`` and ``mask.tif``, on this machine; nowhere when
        None.
    tile
        Rows and columns of the tile of a task, or one number for both.
    client
        The cluster; by default the one that is connected.
    progress
        Called with the tiles that are done, and how many there are.

    Returns
    -------
    FoundSites
        As :func:`geo.raster.find_sites` gives it, equal to the last bit; with ``keep``
        its ``runs`` are those of the outlined sites only. The rasters are equal to its
        own byte for byte.

    Raises
    ------
    ValueError
        If no cluster is connected.
    FileExistsError
        If the folder holds something else than this search's tiles.
    FileNotFoundError
        If a worker does not see a file that this process sees, or the other way round.
    GeoError
        As :func:`geo.raster.find_sites`.
    MemoryError
        If every worker that had some tile, or put tiles together, died.
    OSError
        If the disk is full. No raster appears that is not whole.

    Notes
    -----
    The tile of a task takes twice its rows and columns in memory for rasters of five
    bytes a cell, in strips, so mostly 200 to 400 MB; with ``rasters``, a byte for each
    cell of the tile more. Tiles are put together four by four, and a task holds of its
    four only sums, and runs at their borders. This process gets the sums of all sites,
    a number for each group of a tile, the cells of the sites that get an outline, and,
    of one tile at a time, what goes into the rasters. A task that dies with its worker
    runs again elsewhere. Ctrl-C cancels what has not begun; a second call makes only
    the tiles that are missing.
    """
    from geo.raster.found import Cells
    from geo.raster.plan import make_plan
    from geo.raster.search import (
        MASK,
        SCORE,
        counts_of,
        present,
        rank_of,
        write_mask,
    )
    from geo.raster.sheets import reading
    from geo.raster.workspace import Workspace, record_of

    client = client or connected()
    with reading() as handles:
        plan = make_plan(siting, handles)
    layout = _pieces(plan, (tile, tile) if isinstance(tile, int) else tile)
    record = record_of(siting, layout, scored=rasters is not None)
    known = Workspace(folder, record)
    job = Job(plan=plan, layout=layout, folder=known.folder, scored=rasters is not None)
    missing = [n for n in range(layout.tiles) if not known.has(n)]
    if progress:
        progress(layout.tiles - len(missing), layout.tiles)
    with warnings.catch_warnings():
        # Of the size of the distance fields and features, which every tile needs. It
        # is sent once; a worker that comes later gets it from the scheduler.
        warnings.filterwarnings("ignore", message="Sending large graph")
        cluster: Any = client
        shared = cluster.submit(_itself, job, pure=False)
    try:
        _judge(client, shared, job, missing, progress)
        known = Workspace(folder, record)
        for number in range(layout.tiles):
            if not known.has(number):
                raise FileNotFoundError(
                    f"{known.folder}: the workers wrote tile {number}, but this "
                    "process does not see it. The folder must be one for all: a "
                    "shared disk"
                )
        block = _put_together(client, shared, job)
    finally:
        cluster.cancel([shared])
    found, label = _sites(block, plan)
    cells = Cells(
        label,
        lambda number: _runs(known, number),
        dict.fromkeys(label, _MANY),
        cut=True,
    )
    got = present(
        siting,
        plan,
        found,
        counts_of([block.part], plan),
        cells=cells,
        layout=layout,
        keep=keep,
    )
    labels = got.table["label"].to_numpy()
    best = np.zeros(len(labels) + 1, np.int32)
    best[labels[:keep]] = labels[:keep]
    got = replace(got, where=Cells.held(cells.runs(best)))
    if rasters is None:
        return got
    target = Path(rasters)
    _write_score(target / SCORE, known, job)
    write_mask(target / MASK, cells, rank_of(labels), plan, layout)
    return replace(got, outputs=(target / SCORE, target / MASK))


def _pieces(plan: Plan, tile: tuple[int, int]) -> Layout:
    """Cut the cells to be looked at into the tiles of tasks."""
    from geo.raster.streaming import Layout

    window = plan.window
    rows, columns = (max(n, 2) for n in tile)
    return Layout(
        rows=(*range(window.top, window.bottom, rows), window.bottom),
        columns=(*range(window.left, window.right, columns), window.right),
        shift=0,
    )


def _judge(
    client: distributed.Client,
    shared: Any,
    job: Job,
    missing: list[int],
    progress: Progress | None,
) -> None:
    """Have the cluster go through tiles; all or an error."""
    import distributed

    cluster: Any = client
    as_completed: Any = distributed.as_completed
    total, deaths = job.layout.tiles, dict.fromkeys(missing, 0)
    done, futures = total - len(missing), {}

    def submit(number: int) -> Any:
        future = cluster.submit(judge_tile, shared, number, pure=False)
        futures[future.key] = number
        return future

    running = as_completed([submit(n) for n in missing], loop=cluster.loop)
    try:
        for future in running:
            number = futures[future.key]
            try:
                future.result()
            except distributed.KilledWorker as error:
                deaths[number] += 1
                if deaths[number] > _DEATHS:
                    raise MemoryError(
                        f"tile {number}: every worker that had it died ({error}). If "
                        "memory ran out, pass a smaller tile=, in another folder"
                    ) from error
                running.add(submit(number))
                continue
            future.release()
            done += 1
            if progress:
                progress(done, total)
    except BaseException:
        cluster.cancel(list(running.futures))
        raise


def _put_together(client: distributed.Client, shared: Any, job: Job) -> Block:
    """Have the cluster make one block of all tiles, and fetch it."""
    import distributed

    cluster: Any = client
    futures: dict[tuple[int, int], Any] = {}
    first = True
    for level in levels(job.layout):
        work = block_of_tiles if first else joined
        below, futures = futures, {}
        for piece in level:
            parts = piece.tiles if first else [below[at] for at in piece.below]
            futures[piece.at] = cluster.submit(work, shared, piece, parts, pure=False)
        first = False
    (root,) = futures.values()
    try:
        block: Block = root.result()
    except distributed.KilledWorker as error:
        raise MemoryError(
            f"every worker that put tiles together died ({error}). Give them more "
            "memory and call again: the tiles are kept"
        ) from error
    finally:
        cluster.cancel([root])
    return block


def _itself(job: Job) -> Job:
    """Give back what is shared: the result of a task, which can be remade."""
    return job


def judge_tile(task: Job, number: int) -> int:
    """Go through a tile on a worker, and leave what is known of it in the folder.

    Parameters
    ----------
    task
        What all tiles have in common.
    number
        Which tile.

    Returns
    -------
    int
        ``number``.

    Raises
    ------
    GeoError
        As :func:`geo.raster.find_sites`.
    OSError
        If the disk is full.
    """
    from geo.raster.merging import fold
    from geo.raster.sheets import reading
    from geo.raster.streaming import Streamer, lay_out
    from geo.raster.tiles import NO_SCORE
    from geo.raster.workspace import save_tile

    window, borders = task.layout.window(number), task.layout.borders(number)
    plan = replace(task.plan, window=window)
    layout = replace(lay_out(plan, None), outer=borders)
    parts = []
    score = np.zeros((0, 0), np.uint8)
    if task.scored:
        score = np.full((window.rows, window.columns), NO_SCORE, np.uint8)
    try:
        with reading() as handles:
            streamer = Streamer(plan, layout, handles, scored=task.scored)
            for strip in range(layout.tiles):
                part, stored = streamer.judge(strip)
                if part is not None:
                    parts.append(part)
                if task.scored and stored.size:
                    own = layout.window(strip)
                    top, left = own.top - window.top, own.left - window.left
                    score[top : top + own.rows, left : left + own.columns] = stored
    except GeoError as error:
        # Those of GDAL, from which ours come, do not survive the way back.
        error.__cause__ = error.__context__ = None
        raise
    whole = None
    if parts:
        whole = fold(parts, plan.limits, layout.seams, window=window, borders=borders)
    save_tile(task.folder, number, whole, score)
    return number


def _sites(block: Block, plan: Plan) -> tuple[Sites, dict[int, Small]]:
    """Sites of the one block, and the label of each group of each tile, or 0."""
    from geo.raster.merging import Groups, labels_of, sites_of

    part = block.part
    order = np.argsort(block.met)
    columns = plan.grid.shape[1]
    found = sites_of(
        Groups(part.cells, part.areas, part.around, part.totals),
        order,
        row=block.met // columns,
        col=block.met % columns,
        regions_found=part.dropped + len(block.met),
    )
    label = np.append(labels_of(order), np.int32(0))  # -1 is the last: no site
    return found, {tile: label[number] for tile, number in block.number.items()}


def _write_score(path: Path, known: Workspace, job: Job) -> None:
    """Put the scores that the workers left into one raster."""
    from geo.raster.cog import canvas
    from geo.raster.search import part_of
    from geo.raster.tiles import NO_SCORE, STEP

    window = job.plan.window
    with canvas(
        path,
        part_of(job.plan.grid, window),
        "uint8",
        nodata=NO_SCORE,
        description="score",
        scale=STEP,
        average=True,
    ) as paper:
        for number in range(job.layout.tiles):
            own = job.layout.window(number)
            _, score = Tiles(known.folder).take(number)
            paper.write(score, row=own.top - window.top, column=own.left - window.left)


def _runs(known: Workspace, number: int) -> Runs:
    """Fetch the runs of a tile out of its file."""
    from geo.raster.found import Runs

    part, _ = Tiles(known.folder).take(number)
    if part is None:
        return Runs(*(np.zeros(0, np.int32) for _ in range(4)))
    return Runs(part.group, part.row, part.start, part.stop)

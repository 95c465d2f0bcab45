"""The search for sites over a Dask cluster: the answer of one machine, from many.

A task goes through one large tile as a single machine does through the whole, strip by
strip, and leaves the cells of its sites in a file. What comes back is small: the sums
of the tile's sites, and of groups at its borders, and those of their runs that touch
another tile. From these the sites are put together here.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.cluster import connected
from geo.errors import GeoError, GridError

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
    from geo.raster.tiles import Part
    from geo.raster.workspace import Workspace

    Ints = NDArray[np.int64]

    _Slim = tuple[Part, Ints] | None

TILE = 16_384
"""Rows and columns of the tile of a task."""

_DEATHS = 3
"""How often a tile is tried anew after the scheduler gave it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """Everything that the workers need, the same for all tiles."""

    plan: Plan
    layout: Layout
    folder: str


def sites(
    siting: Siting,
    folder: str | os.PathLike[str],
    *,
    keep: int | None = None,
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
        its ``runs`` are those of the outlined sites only. No raster is written.

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
        If every worker that had some tile died.

    Notes
    -----
    The tile of a task takes twice its rows and columns in memory for rasters of five
    bytes a cell, in strips, so mostly 200 to 400 MB. A task that dies with its worker
    runs again elsewhere. Ctrl-C cancels what has not begun; a second call makes only
    the tiles that are missing.
    """
    from geo.raster.plan import make_plan
    from geo.raster.search import counts_of, present
    from geo.raster.sheets import reading
    from geo.raster.workspace import Workspace, record_of

    client = client or connected()
    with reading() as handles:
        plan = make_plan(siting, handles)
    layout = _pieces(plan, (tile, tile) if isinstance(tile, int) else tile)
    record = record_of(siting, layout, scored=False)
    known = Workspace(folder, record)
    task = _Task(plan=plan, layout=layout, folder=known.folder)
    missing = [n for n in range(layout.tiles) if not known.has(n)]
    if progress:
        progress(layout.tiles - len(missing), layout.tiles)
    slim = _compute(client, task, missing, progress) if missing else {}
    known = Workspace(folder, record)
    for number in range(layout.tiles):
        if not known.has(number):
            raise FileNotFoundError(
                f"{known.folder}: the workers wrote tile {number}, but this process "
                "does not see it. The folder must be one for all: a shared disk"
            )
        if number not in slim:
            loaded = known.load(number)
            if loaded is None:
                raise GridError(
                    f"{known.folder}: the file of tile {number} is damaged; remove it "
                    "and call again"
                )
            slim[number] = _slim(task, loaded, number)
    tiles = [(n, *mine) for n, mine in sorted(slim.items()) if mine is not None]
    counts = counts_of([part for _, part, _ in tiles], plan)
    found, label = _merge(tiles, plan, layout)
    return present(
        siting,
        plan,
        found,
        counts,
        keep=keep,
        runs_of=lambda best: _runs(known, label, best),
    )


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


def _compute(
    client: distributed.Client,
    task: _Task,
    missing: list[int],
    progress: Progress | None,
) -> dict[int, _Slim]:
    """Have the cluster go through tiles; all or an error."""
    import distributed

    cluster: Any = client
    as_completed: Any = distributed.as_completed
    total, deaths = task.layout.tiles, dict.fromkeys(missing, 0)
    done, slim, futures = total - len(missing), {}, {}
    # The task is sent once; a worker that comes later gets it from the scheduler.
    with warnings.catch_warnings():
        # Of the size of the distance fields and features, which every tile needs.
        warnings.filterwarnings("ignore", message="Sending large graph")
        shared = cluster.submit(_itself, task, pure=False)

    def submit(number: int) -> Any:
        future = cluster.submit(judge_tile, shared, number, pure=False)
        futures[future.key] = number
        return future

    running = as_completed([submit(n) for n in missing], loop=cluster.loop)
    try:
        for future in running:
            number = futures[future.key]
            try:
                slim[number] = future.result()
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
        cluster.cancel([shared, *running.futures])
        raise
    return slim


def _itself(task: _Task) -> _Task:
    """Give back what is shared: the result of a task, which can be remade."""
    return task


def judge_tile(task: _Task, number: int) -> _Slim:
    """Go through a tile on a worker, and leave what is known of it in the folder.

    Parameters
    ----------
    task
        What all tiles have in common.
    number
        Which tile.

    Returns
    -------
    part, head
        As :func:`_slim` makes them; None where there is nothing to look at.
    """
    from geo.raster.merging import fold
    from geo.raster.sheets import reading
    from geo.raster.streaming import Streamer, lay_out
    from geo.raster.workspace import save_tile

    window, borders = task.layout.window(number), task.layout.borders(number)
    plan = replace(task.plan, window=window)
    layout = replace(lay_out(plan, None), outer=borders)
    parts = []
    try:
        with reading() as handles:
            streamer = Streamer(plan, layout, handles, scored=False)
            for strip in range(layout.tiles):
                part, _ = streamer.judge(strip)
                if part is not None:
                    parts.append(part)
    except GeoError as error:
        # Those of GDAL, from which ours come, do not survive the way back.
        error.__cause__ = error.__context__ = None
        raise
    whole = None
    if parts:
        whole = fold(parts, plan.limits, layout.seams, window=window, borders=borders)
    none = np.zeros((0, 0), np.uint8)
    save_tile(task.folder, number, whole, none)
    return _slim(task, (whole, none), number)


def _slim(
    task: _Task, known: tuple[Part | None, NDArray[np.uint8]], number: int
) -> _Slim:
    """Keep of a tile what others need: groups, and runs at its borders.

    Beside it stands where each group is first met: its row times the columns of the
    grid, and its column.
    """
    from geo.raster.kernels.runs import first_runs
    from geo.raster.merging import at_borders

    part = known[0]
    if part is None:
        return None
    first = np.empty(len(part.cells), np.int64)
    first_runs(np.arange(len(first)), part.group, first)
    place = part.row.astype(np.int64) * task.plan.grid.shape[1] + part.start
    touch = at_borders(
        part.row,
        part.start,
        part.stop,
        task.layout.window(number),
        task.layout.borders(number),
    )
    edge = {name: getattr(part, name)[touch] for name in ("row", "start", "stop")}
    return replace(part, **edge, group=part.group[touch]), place[first]


def _merge(
    tiles: list[tuple[int, Part, Ints]], plan: Plan, layout: Layout
) -> tuple[Sites, dict[int, Ints]]:
    """Put sites together; beside them the label of each group of each tile, or 0."""
    from geo.raster.found import Runs
    from geo.raster.merging import Groups, labels_of, regroup, sites_of, unite

    parts = [part for _, part, _ in tiles]
    groups = Groups.of(parts)
    sizes = [len(part.cells) for part in parts]
    before = np.concatenate([[0], np.cumsum(sizes)])
    group = np.concatenate(
        [p.group + at for p, at in zip(parts, before[:-1], strict=True)]
    ).astype(np.int32)
    row, start, stop = (
        np.concatenate([getattr(p, name) for p in parts])
        for name in ("row", "start", "stop")
    )
    order = np.lexsort((start, row))
    parent = unite(
        group[order],
        row[order],
        start[order],
        stop[order],
        groups.around,
        plan.limits,
        layout.seams,
    )
    none = np.zeros(len(parent), np.bool_)
    number, groups, dropped = regroup(parent, groups, plan.limits, none)
    columns = plan.grid.shape[1]
    met = np.full(len(groups.cells), np.iinfo(np.int64).max)
    ours = number >= 0
    np.minimum.at(met, number[ours], np.concatenate([h for _, _, h in tiles])[ours])
    order = np.argsort(met)
    found = sites_of(
        groups,
        order,
        row=met // columns,
        col=met % columns,
        runs=Runs(*(np.zeros(0, np.int32) for _ in range(4))),
        regions_found=sum(part.dropped for part in parts) + dropped + len(met),
    )
    label = np.append(labels_of(order), 0)[number]  # -1 is the last: no site
    return found, {
        n: label[a:b]
        for (n, _, _), a, b in zip(tiles, before[:-1], before[1:], strict=True)
    }


def _runs(known: Workspace, label: dict[int, Ints], best: Ints) -> Runs:
    """Fetch the cells of sites out of the tiles' files."""
    from geo.raster.found import Runs
    from geo.raster.merging import kept_runs

    found: list[tuple[Any, ...]] = [tuple(np.zeros(0, np.int32) for _ in range(4))]
    for number, labels in label.items():
        if not np.isin(labels, best).any():
            continue
        loaded = known.load(number)
        part = loaded[0] if loaded else None
        if part is not None:
            mine = labels[part.group]
            ours = np.isin(mine, best)
            found.append(
                (mine[ours], part.row[ours], part.start[ours], part.stop[ours])
            )
    mine, row, start, stop = (np.concatenate(each) for each in zip(*found, strict=True))
    order = np.lexsort((start, row))
    return Runs(*kept_runs(mine[order], row[order], start[order], stop[order]))

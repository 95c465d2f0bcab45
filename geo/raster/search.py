"""The search for sites from open files to the table, on one machine."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.parallel import run_chunks
from geo.raster.cog import canvas
from geo.raster.found import Cells, FoundSites, Runs
from geo.raster.front import Front
from geo.raster.grid import Grid
from geo.raster.kernels.stretches import paint
from geo.raster.outlines import outlines
from geo.raster.plan import make_plan
from geo.raster.sheets import reading
from geo.raster.spool import Spool
from geo.raster.streaming import Streamer, lay_out
from geo.raster.tables import table_of
from geo.raster.tiles import NO_SCORE, STEP
from geo.raster.workspace import Workspace, record_of

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from geo.parallel import Progress
    from geo.raster.cog import Canvas
    from geo.raster.front import Tally
    from geo.raster.merging import Sites
    from geo.raster.plan import Plan
    from geo.raster.sheets import Window
    from geo.raster.siting import Siting
    from geo.raster.streaming import Layout
    from geo.raster.tiles import Part

SCORE, MASK = "score.tif", "mask.tif"
"""Names of the rasters that are written."""

_MASK_CELLS = 1 << 23


def search(
    siting: Siting,
    *,
    keep: int | None,
    folder: str | os.PathLike[str] | None,
    workspace: str | os.PathLike[str] | None,
    progress: Progress | None,
    threads: int | None,
    tile: tuple[int, int] | None,
) -> FoundSites:
    """Do what :func:`geo.raster.siting.find_sites` says.

    Parameters
    ----------
    siting, keep, folder, workspace, progress, threads, tile
        As there.

    Returns
    -------
    FoundSites
        Best first.
    """
    with reading() as handles:
        plan = make_plan(siting, handles, threads=threads)
        layout = lay_out(plan, tile)
        kept = None
        if workspace is not None:
            record = record_of(siting, layout, scored=folder is not None)
            kept = Workspace(workspace, record)
        front, spool = Front(plan, layout), Spool()
        with _score_canvas(folder, plan) as paper:
            streamer = Streamer(plan, layout, handles, scored=paper is not None)
            _judge(streamer, front, spool, kept, paper, progress, threads)
            # The file of scores is packed without the memory of tiles.
            del streamer
            plan = plan.judged()
    sites, labels = front.sites()
    cells = Cells(
        labels,
        spool.get,
        {number: spool.count(number) for number in labels},
        cut=len(layout.columns) > 2,
    )
    return present(
        siting,
        plan,
        sites,
        counts_of([front.tally], plan),
        keep=keep,
        cells=cells,
        layout=layout,
        folder=folder,
        threads=threads,
    )


def _judge(
    streamer: Streamer,
    front: Front,
    spool: Spool,
    kept: Workspace | None,
    paper: Canvas | None,
    progress: Progress | None,
    threads: int | None,
) -> None:
    """Go through all tiles, and take them in in their order."""
    layout, whole = streamer.layout, streamer.plan.window
    ready: dict[int, Part | None] = {}

    def work(number: int, _: int) -> None:
        known = kept.load(number) if kept else None
        if known:
            # The next tile reads the rows that it needs itself.
            streamer.skip(number)
            part, stored = known
        else:
            part, stored = streamer.judge(number)
            if kept:
                kept.save(number, part, stored)
        if paper:
            _put(paper, stored, layout.window(number), whole)
        if part is not None:
            spool.put(number, Runs(part.group, part.row, part.start, part.stop))
        ready[number] = part

    def take(done: int, total: int) -> None:
        front.add(done - 1, ready.pop(done - 1))
        if progress:
            progress(done, total)

    run_chunks(work, layout.tiles, chunk=1, progress=take, threads=threads)


def present(
    siting: Siting,
    plan: Plan,
    sites: Sites,
    counts: Counts,
    *,
    cells: Cells,
    keep: int | None,
    folder: str | os.PathLike[str] | None = None,
    layout: Layout,
    threads: int | None = None,
) -> FoundSites:
    """Rank sites and trace the best.

    Parameters
    ----------
    siting, plan, layout
        What was looked for, and in which tiles.
    sites
        All of them.
    counts
        What was looked at.
    cells
        Those of all sites.
    keep, folder, threads
        As :func:`geo.raster.siting.find_sites` has them; the mask is written, and the
        score is taken to be there.

    Returns
    -------
    FoundSites
        Best first.

    Raises
    ------
    OSError
        If the disk is full.
    """
    import geopandas as gpd

    table = table_of(sites, plan)
    labels = table["label"].to_numpy()
    outputs: tuple[Path, ...] = ()
    if folder is not None:
        write_mask(Path(folder) / MASK, cells, rank_of(labels), plan, layout)
        outputs = (Path(folder) / SCORE, Path(folder) / MASK)
    shapes = np.full(len(table), None, dtype=object)
    shapes[:keep] = outlines(
        cells,
        labels[:keep],
        siting.grid,
        connectivity=siting.connectivity,
        threads=threads,
    )
    return FoundSites(
        table=gpd.GeoDataFrame(table, geometry=shapes, crs=siting.grid.crs),
        grid=siting.grid,
        cells=counts.looked,
        eligible_cells=counts.eligible,
        eligible_area_m2=counts.area * plan.limits.units.area_unit_m2,
        regions_found=sites.regions_found,
        codes=counts.codes,
        where=cells,
        outputs=outputs,
    )


def rank_of(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rank of each label, from 1; 0 of label 0.

    Parameters
    ----------
    labels
        Of the sites, best first.

    Returns
    -------
    numpy.ndarray
        Shape ``(sites + 1,)``.
    """
    rank = np.zeros(len(labels) + 1, np.int64)
    rank[labels] = np.arange(1, len(labels) + 1)
    return rank


class Counts(NamedTuple):
    """What was looked at."""

    looked: int
    """Cells."""
    eligible: int
    """Cells that meet every criterion."""
    area: int
    """Their area in whole units."""
    codes: dict[str, dict[int, int]]
    """Cells looked at by class, but for those without a value."""


def counts_of(parts: Sequence[Part | Tally], plan: Plan) -> Counts:
    """Count what was looked at.

    Parameters
    ----------
    parts
        Of all tiles.
    plan
        What was looked for.

    Returns
    -------
    Counts
        Over all tiles.
    """
    codes = {}
    for rule in plan.rules:
        if rule.kind == "codes":
            counts = np.sum([part.codes[rule.name] for part in parts], axis=0)
            none = plan.sources[rule.name].none
            held = np.flatnonzero(counts).tolist()
            codes[rule.name] = {c: int(counts[c]) for c in held if c != none}
    return Counts(
        looked=sum(part.looked for part in parts),
        eligible=sum(part.eligible for part in parts),
        area=sum(part.area for part in parts),
        codes=codes,
    )


def write_mask(
    path: Path, cells: Cells, rank: NDArray[np.int64], plan: Plan, layout: Layout
) -> None:
    """Write which site each cell belongs to, tile by tile.

    Parameters
    ----------
    path
        COG to write.
    cells
        Those of all sites.
    rank
        Rank by label, from 1; shape ``(sites + 1,)``.
    plan, layout
        What was looked at, and in which tiles.

    Raises
    ------
    OSError
        If the disk is full.
    """
    window = plan.window
    dtype = np.dtype(np.uint16 if len(rank) <= 1 << 16 else np.uint32)
    value = rank.astype(dtype)
    with canvas(
        path,
        part_of(plan.grid, window),
        dtype.name,
        nodata=0,
        description="rank of the site",
    ) as paper:
        for number in range(layout.tiles):
            own = layout.window(number)
            step = max(_MASK_CELLS // own.columns, 1)
            runs = cells.of_tile(number)
            for top in range(own.top, own.bottom, step):
                rows = min(step, own.bottom - top)
                out = np.zeros((rows, own.columns), dtype)
                some = slice(*np.searchsorted(runs.row, [top, top + rows]))
                paint(
                    runs.row[some],
                    runs.start[some],
                    runs.stop[some],
                    value[runs.label[some]],
                    top,
                    own.left,
                    out,
                )
                paper.write(out, row=top - window.top, column=own.left - window.left)


def part_of(grid: Grid, window: Window) -> Grid:
    """Return the cells of a window as a grid of their own.

    Parameters
    ----------
    grid
        All cells.
    window
        Rows and columns of it.

    Returns
    -------
    Grid
        On the lines of ``grid``.
    """
    return Grid(
        west=grid.west + window.left * grid.dx,
        north=grid.north - window.top * grid.dy,
        dx=grid.dx,
        dy=grid.dy,
        shape=(window.rows, window.columns),
        crs=grid.crs,
    )


def _score_canvas(
    folder: str | os.PathLike[str] | None, plan: Plan
) -> AbstractContextManager[Canvas | None]:
    """Get ready to write scores, if they are wanted."""
    if folder is None:
        return nullcontext()
    return canvas(
        Path(folder) / SCORE,
        part_of(plan.grid, plan.window),
        "uint8",
        nodata=NO_SCORE,
        description="score",
        scale=STEP,
        average=True,
    )


def _put(paper: Canvas, stored: NDArray[np.uint8], tile: Window, whole: Window) -> None:
    """Write the scores of a tile; none at all where there was nothing to look at."""
    if not stored.size:
        stored = np.full((tile.rows, tile.columns), NO_SCORE, np.uint8)
    paper.write(stored, row=tile.top - whole.top, column=tile.left - whole.left)

"""The search for sites from open files to the table, on one machine."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.parallel import run_chunks
from geo.raster.cog import canvas
from geo.raster.found import FoundSites
from geo.raster.grid import Grid
from geo.raster.kernels.stretches import paint
from geo.raster.merging import merge
from geo.raster.outlines import outlines
from geo.raster.plan import make_plan
from geo.raster.sheets import reading
from geo.raster.streaming import Streamer, lay_out
from geo.raster.tables import table_of
from geo.raster.tiles import NO_SCORE, STEP
from geo.raster.workspace import Workspace, record_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from numpy.typing import NDArray

    from geo.parallel import Progress
    from geo.raster.cog import Canvas
    from geo.raster.found import Runs
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
    plan, layout, parts = _judged(siting, folder, workspace, progress, threads, tile)
    counts = counts_of(parts, plan)
    sites = merge(parts, plan.limits, layout.seams)
    return present(
        siting, plan, sites, counts, keep=keep, folder=folder, threads=threads
    )


def _judged(
    siting: Siting,
    folder: str | os.PathLike[str] | None,
    workspace: str | os.PathLike[str] | None,
    progress: Progress | None,
    threads: int | None,
    tile: tuple[int, int] | None,
) -> tuple[Plan, Layout, list[Part]]:
    """Go through all tiles."""
    with reading() as handles:
        plan = make_plan(siting, handles, threads=threads)
        layout = lay_out(plan, tile)
        kept = None
        if workspace is not None:
            record = record_of(siting, layout, scored=folder is not None)
            kept = Workspace(workspace, record)
        with _score_canvas(folder, plan) as paper:
            streamer = Streamer(plan, layout, handles, scored=paper is not None)

            def work(number: int, _: int) -> Part | None:
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
                    _put(paper, stored, layout.window(number), plan.window)
                return part

            parts = run_chunks(
                work, layout.tiles, chunk=1, progress=progress, threads=threads
            )
    return plan, layout, [part for part in parts if part is not None]


def present(
    siting: Siting,
    plan: Plan,
    sites: Sites,
    counts: Counts,
    *,
    keep: int | None,
    runs_of: Callable[[NDArray[np.int64]], Runs] | None = None,
    folder: str | os.PathLike[str] | None = None,
    threads: int | None = None,
) -> FoundSites:
    """Rank sites and trace the best.

    Parameters
    ----------
    siting, plan
        What was looked for.
    sites
        All of them.
    counts
        What was looked at.
    keep, folder, threads
        As :func:`geo.raster.siting.find_sites` has them; the mask is written, and the
        score is taken to be there.
    runs_of
        Fetches the cells of sites by their labels, if ``sites`` does not hold them.

    Returns
    -------
    FoundSites
        Best first.
    """
    import geopandas as gpd

    table = table_of(sites, plan)
    labels = table["label"].to_numpy()
    runs = runs_of(labels[:keep]) if runs_of else sites.runs
    outputs: tuple[Path, ...] = ()
    if folder is not None:
        rank = np.zeros(len(table) + 1, np.int64)
        rank[labels] = np.arange(1, len(table) + 1)
        write_mask(Path(folder) / MASK, runs, rank, plan)
        outputs = (Path(folder) / SCORE, Path(folder) / MASK)
    shapes = np.full(len(table), None, dtype=object)
    shapes[:keep] = outlines(
        runs,
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
        runs=runs,
        outputs=outputs,
    )


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


def counts_of(parts: Sequence[Part], plan: Plan) -> Counts:
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


def write_mask(path: Path, runs: Runs, rank: NDArray[np.int64], plan: Plan) -> None:
    """Write which site each cell belongs to.

    Parameters
    ----------
    path
        COG to write.
    runs
        Cells of sites.
    rank
        Rank by label, from 1; shape ``(sites + 1,)``.
    plan
        What was looked at.

    Raises
    ------
    OSError
        If the disk is full.
    """
    window = plan.window
    dtype = np.dtype(np.uint16 if len(rank) <= 1 << 16 else np.uint32)
    value = rank[runs.label].astype(dtype)
    step = max(_MASK_CELLS // window.columns, 1)
    with canvas(
        path,
        part_of(plan.grid, window),
        dtype.name,
        nodata=0,
        description="rank of the site",
    ) as paper:
        for top in range(window.top, window.bottom, step):
            rows = min(step, window.bottom - top)
            out = np.zeros((rows, window.columns), dtype)
            a, b = np.searchsorted(runs.row, [top, top + rows])
            paint(
                runs.row[a:b],
                runs.start[a:b],
                runs.stop[a:b],
                value[a:b],
                top,
                window.left,
                out,
            )
            paper.write(out, row=top - window.top, column=0)


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

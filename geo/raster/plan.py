"""A siting made ready: rasters opened and laid on the grid, features prepared."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeometryError
from geo.parallel import run_chunks
from geo.raster.buffers import Marks, prepare, prepare_inside
from geo.raster.edges import Drawn
from geo.raster.fields import field_of
from geo.raster.metric import Metric, metric_of, units_of
from geo.raster.rules import Rule, compile_rule
from geo.raster.sheets import Handles, Window
from geo.raster.siting import DISTANCE, ELEVATION, TERRAIN
from geo.raster.sources import Smooth, Source, open_source
from geo.raster.tiles import Limits

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.raster.grid import Grid
    from geo.raster.rules import Kind
    from geo.raster.siting import Siting
    from geo.raster.suitability import Criterion

    Bools = NDArray[np.uint8]
    Made = Rule | tuple[Marks, bool]
    Job = Callable[[], list[Made]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that the work on a tile needs, but for open files.

    Attributes
    ----------
    grid
        The cells.
    window
        Rows and columns that hold all cells to be looked at.
    metric
        Sizes of cells.
    limits
        What makes a group a site.
    rules
        Criteria that look at values, in their order.
    sources
        Rasters that are read by window, by name.
    regions
        Cells to look at; None for all.
    near, far
        Cells that are marked here are not eligible; and those that are not marked
        there.
    """

    grid: Grid
    window: Window
    metric: Metric
    limits: Limits
    rules: tuple[Rule, ...]
    sources: dict[str, Source]
    regions: Marks | None
    near: tuple[Marks, ...]
    far: tuple[Marks, ...]

    @property
    def halo(self) -> int:
        """Cells round a tile whose elevation is needed."""
        return int(any(rule.is_terrain for rule in self.rules))

    def judged(self) -> Plan:
        """Let go of what only the work on tiles needs: marks, and values of fields.

        Returns
        -------
        Plan
            To make tables and files of sites with.
        """
        nothing = np.empty((0, 0), np.float32)
        rules = [
            replace(rule, source=replace(rule.source, raster=nothing))
            if isinstance(rule.source, Smooth)
            else rule
            for rule in self.rules
        ]
        return replace(self, rules=tuple(rules), regions=None, near=(), far=())

    def mask(self, window: Window, memory: Bools | None = None) -> Bools:
        """Mark the cells of a window that lie in the regions.

        Parameters
        ----------
        window
            Rows and columns of the grid.
        memory
            Bytes to use, shape ``(n,)``, as many as the answer has or more; new ones
            when None.

        Returns
        -------
        numpy.ndarray
            1 or 0; columns rounded up to a multiple of 8 beyond the window, those 0.
        """
        mask = _matrix(window.rows, (window.columns // 8 + 1) * 8, memory)
        inner = mask[:, : window.columns]
        if self.regions is None:
            inner[:] = 1
            mask[:, window.columns :] = 0
        else:
            mask[:] = 0
            self.regions.mark(inner, row=window.top, column=window.left)
        return mask

    def barred(self, window: Window, memory: Bools | None = None) -> Bools | None:
        """Mark the cells that lie too near to features, or too far from them.

        Parameters
        ----------
        window, memory
            As for :meth:`mask`.

        Returns
        -------
        numpy.ndarray or None
            1 or 0, shape of the window; None where no feature decides.
        """
        if not self.near and not self.far:
            return None
        place = {"row": window.top, "column": window.left}
        barred = _matrix(window.rows, window.columns, memory)
        barred[:] = 0
        for marks in self.near:
            marks.mark(barred, **place)
        for marks in self.far:
            near_enough = np.zeros_like(barred)
            marks.mark(near_enough, **place)
            barred |= near_enough ^ 1
        return barred


def _matrix(rows: int, columns: int, memory: Bools | None) -> Bools:
    """Bytes in rows and columns, whatever they hold."""
    if memory is None:
        return np.empty((rows, columns), np.uint8)
    return memory[: rows * columns].reshape(rows, columns)


def make_plan(siting: Siting, handles: Handles, *, threads: int | None = None) -> Plan:
    """Open the rasters of a siting and prepare its features.

    Parameters
    ----------
    siting
        What to look for.
    handles
        Open files.
    threads
        How many threads to use; as many as there are processors when None.

    Returns
    -------
    Plan
        Ready for tiles.

    Raises
    ------
    CRSMissingError, GridError
        If a raster is missing, damaged, or does not meet the grid.
    GeometryError
        If no cell of the grid lies in the regions, or a feature is invalid.
    """
    grid = siting.grid
    metric = metric_of(grid)
    regions = None if siting.regions is None else prepare_inside(siting.regions, grid)
    total = sum(c.weight for c in siting.criteria)
    sources: dict[str, Source] = {}
    on_rasters = [
        c for c in siting.criteria if c.id in siting.rasters or c.id in TERRAIN
    ]

    def opened() -> list[Made]:
        return [_raster_rule(c, siting, sources, handles, total) for c in on_rasters]

    jobs: list[tuple[float, Job]] = [(math.inf, opened)]
    for criterion in siting.criteria:
        if criterion not in on_rasters:
            jobs += _jobs(criterion, siting, total)
    done = _largest_first(jobs, threads)
    rules = {
        each.name: each for part in done for each in part if isinstance(each, Rule)
    }
    marks = [each for part in done for each in part if isinstance(each, tuple)]
    cell = 0.0 if grid.is_lonlat else grid.dx * grid.dy
    return Plan(
        grid=grid,
        window=_window(regions, siting, grid),
        metric=metric,
        limits=Limits(
            units=units_of(metric, grid.shape[1]),
            cell_area_m2=cell,
            min_area_m2=siting.min_area_m2,
            max_shape_index=siting.max_shape_index,
            connectivity=siting.connectivity,
        ),
        rules=tuple(rules[c.id] for c in siting.criteria if c.id in rules),
        sources=sources,
        regions=regions,
        near=tuple(mark for mark, is_far in marks if not is_far),
        far=tuple(mark for mark, is_far in marks if is_far),
    )


def _jobs(
    criterion: Criterion, siting: Siting, total: float
) -> list[tuple[float, Job]]:
    """List what has to be made of a criterion on a distance, and how much work it is.

    A rule to grade by; marks of what is too near; and, with True beside them, of what
    is not too far.
    """
    import shapely

    grid = siting.grid
    shapes = siting.features[criterion.id.removesuffix(DISTANCE)]
    geometry = np.asarray(shapes.array, dtype=object)
    drawn = Drawn(geometry, grid)
    size = float(shapely.get_num_coordinates(geometry).sum())
    # Just that far away is far enough.
    near_m = math.nextafter(criterion.minimum, 0.0) if criterion.minimum > 0 else None
    far_m = max(criterion.maximum, 0.0) if criterion.maximum < math.inf else None

    def graded() -> list[Made]:
        field = field_of(shapes, grid, _tolerance(criterion), drawn=drawn)
        rule = compile_rule(criterion, field, kind="smooth", total=total, bounded=False)
        return [rule]

    def marked(distance_m: float, *, is_far: bool) -> list[Made]:
        return [(prepare(shapes, grid, distance_m, drawn=drawn), is_far)]

    jobs: list[tuple[float, Job]] = []
    if criterion.weight:
        jobs.append((size, graded))
    if near_m is not None:
        jobs.append((size, partial(marked, near_m, is_far=False)))
    if far_m is not None:
        jobs.append((size, partial(marked, far_m, is_far=True)))
    return jobs


def _largest_first(
    jobs: list[tuple[float, Job]], threads: int | None
) -> list[list[Made]]:
    """Do jobs, the largest first so that threads end together; results in order."""
    order = sorted(range(len(jobs)), key=lambda position: -jobs[position][0])
    done = run_chunks(
        lambda turn, _: jobs[order[turn]][1](), len(jobs), chunk=1, threads=threads
    )
    results: list[list[Made]] = [[] for _ in jobs]
    for position, result in zip(order, done, strict=True):
        results[position] = result
    return results


def _raster_rule(
    criterion: Criterion,
    siting: Siting,
    sources: dict[str, Source],
    handles: Handles,
    total: float,
) -> Rule:
    """Compile a criterion on a raster, which is opened unless it is open."""
    terrain = criterion.id in TERRAIN
    name = ELEVATION if terrain else criterion.id
    source = sources.get(name) or open_source(
        siting.rasters[name],
        name,
        siting.grid,
        codes=() if terrain else tuple(criterion.classes),
        handles=handles,
    )
    if terrain:
        kind: Kind = "slope" if criterion.id == TERRAIN[0] else "aspect"
    elif criterion.classes:
        kind = "codes"
    else:
        smooth = None if name in sources else source.smooth(handles)
        if smooth is not None:
            return compile_rule(criterion, smooth, kind="smooth", total=total)
        kind = "values"
    sources[name] = source
    return compile_rule(criterion, source, kind=kind, total=total)


def _tolerance(criterion: Criterion) -> float:
    """How far off a distance may be for its membership to be right to a hundredth."""
    at, value = np.array(criterion.points).T
    steepest = float((np.abs(np.diff(value)) / np.diff(at)).max())
    return 0.01 / steepest if steepest else math.inf


def _window(regions: Marks | None, siting: Siting, grid: Grid) -> Window:
    """Rows and columns round all cells to be looked at."""
    rows, columns = grid.shape
    if regions is None or siting.regions is None:
        return Window(0, 0, rows, columns)
    some = np.zeros(columns, np.uint8)
    tall = []
    step = max((1 << 24) // columns, 1)
    for top in range(0, rows, step):
        mask = np.zeros((min(step, rows - top), columns), np.uint8)
        regions.mark(mask, row=top)
        some |= mask.max(axis=0)
        tall += (top + np.flatnonzero(mask.any(axis=1))).tolist()
    if not tall:
        raise GeometryError(
            f"no cell of the grid over {grid.bounds} in {grid.crs} has its centre in "
            "the regions; give other regions or another grid"
        )
    wide = np.flatnonzero(some)
    return Window(
        tall[0], int(wide[0]), tall[-1] - tall[0] + 1, int(wide[-1] - wide[0]) + 1
    )

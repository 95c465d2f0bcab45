"""One tile of a search: which cells are kept, which groups they form, what these hold.

A group that touches no neighbouring tile is whole. If it is too small or too ragged it
is counted and forgotten at once, so that what is remembered grows with the sites and
the borders of tiles, not with the cells.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.raster.kernels import runs as kernels
from geo.raster.kernels.keeps import count_codes, keep_others
from geo.raster.kernels.scores import Stretches, Totals, store_scores
from geo.raster.kernels.stretches import take_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.raster.metric import Units
    from geo.raster.rules import Rule, Tile

    Bools = NDArray[np.uint8]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]

STEP = 0.004
"""What a step of the stored score stands for. [1]"""

NO_SCORE = 255
"""Stored where a cell is not eligible."""

_BLOCK = 1 << 20
"""Cells that are taken through all criteria at a time, so that they stay in cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What makes a group a site.

    Attributes
    ----------
    units
        Sizes of cells as whole numbers.
    cell_area_m2
        Area of a cell where all are alike, else 0. [m²]
    min_area_m2, max_shape_index
        As :class:`geo.raster.siting.Siting` has them.
    connectivity
        4 or 8.
    """

    units: Units
    cell_area_m2: float
    min_area_m2: float
    max_shape_index: float
    connectivity: int

    def area_m2(self, cells: Ints, areas: Ints) -> Floats:
        """Areas of groups out of their cells and areas in whole units."""
        if self.cell_area_m2:
            return cells.astype(np.float64) * self.cell_area_m2
        return areas.astype(np.float64) * self.units.area_unit_m2

    def perimeter_m(self, around: Ints) -> Floats:
        """Perimeters of groups out of those in whole units."""
        return around.astype(np.float64) * self.units.length_unit_m

    def shape_index(self, cells: Ints, areas: Ints, around: Ints) -> Floats:
        """Perimeters of groups over those of squares of their areas."""
        side = np.sqrt(self.area_m2(cells, areas))
        index: Floats = self.perimeter_m(around) / (4.0 * side)
        return index

    def met(self, cells: Ints, areas: Ints, around: Ints) -> NDArray[np.bool_]:
        """Tell which groups are large and compact enough."""
        large = self.area_m2(cells, areas) >= self.min_area_m2
        if self.max_shape_index == np.inf:
            return large
        index = self.shape_index(cells, areas, around)
        # A square is a square whatever rounding makes of its sides.
        return large & (index <= self.max_shape_index * (1 + 1e-12))


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What is remembered of a tile.

    Attributes
    ----------
    looked, eligible, area, dropped
        Cells that were looked at; eligible ones; their area in whole units; groups
        that are whole and no sites.
    codes
        Cells looked at by class, for each raster with classes.
    row, start, stop, group
        Runs of the groups that are remembered, in order, shape ``(n,)``.
    cells, areas, around
        Size of each group, perimeter and area in whole units, shape ``(groups,)``.
    totals
        Of each criterion over the groups.
    """

    looked: int
    eligible: int
    area: int
    dropped: int
    codes: Mapping[str, Ints]
    row: Small
    start: Small
    stop: Small
    group: Small
    cells: Ints
    areas: Ints
    around: Ints
    totals: Mapping[str, Totals]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything as named arrays, to be kept in a file."""
        named = {
            f.name: np.asarray(getattr(self, f.name))
            for f in fields(self)
            if f.name not in {"codes", "totals"}
        }
        named |= {f"codes/{name}": counts for name, counts in self.codes.items()}
        for name, totals in self.totals.items():
            for key, values in zip(Totals._fields, totals, strict=True):
                named[f"totals/{key}/{name}"] = values
        return named

    @classmethod
    def of_arrays(cls, named: Mapping[str, NDArray[Any]]) -> Part:
        """Undo :meth:`arrays`."""
        plain = {
            key: (values if values.ndim else int(values))
            for key, values in named.items()
            if "/" not in key and key in cls.__slots__
        }
        codes = {
            key.removeprefix("codes/"): values
            for key, values in named.items()
            if key.startswith("codes/")
        }
        head = "totals/sums/"
        names = [k.removeprefix(head) for k in named if k.startswith(head)]
        totals = {
            name: Totals(*(named[f"totals/{key}/{name}"] for key in Totals._fields))
            for name in names
        }
        return cls(**plain, codes=codes, totals=totals)  # type: ignore[arg-type]


def judge(
    tile: Tile,
    mask: Bools,
    barred: Bools | None,
    *,
    rules: tuple[Rule, ...],
    limits: Limits,
    borders: tuple[bool, bool, bool, bool],
    score: NDArray[np.float32] | None = None,
) -> tuple[Part, Bools]:
    """Find the groups of a tile.

    Parameters
    ----------
    tile
        Values.
    mask
        1 where a cell is to be looked at, shape ``(rows, columns)`` with columns
        rounded up to a multiple of 8 beyond the tile, those 0; used up.
    barred
        1 where features forbid it, shape of the tile; None if they leave all.
    rules
        Criteria.
    limits
        What makes a group a site.
    borders
        Whether another tile lies above, below, to the left and to the right.
    score
        Zeros in the shape of the tile, to work with, and zeros again in the end; None
        if the scores of cells are not wanted.

    Returns
    -------
    part : Part
        What is to be remembered.
    stored : numpy.ndarray
        Score of each eligible cell in steps of :data:`STEP`, :data:`NO_SCORE`
        elsewhere, shape of the tile; empty if it is not wanted.
    """
    rows, columns = tile.window.rows, tile.window.columns
    codes = {
        rule.name: np.zeros(np.iinfo(rule.codes.dtype).max + 1, np.int64)
        for rule in rules
        if rule.kind == "codes"
    }
    looked = int(np.count_nonzero(mask.view(np.bool_)))
    step = max(_BLOCK // columns, 1)
    for top in range(0, rows, step):
        some = slice(top, min(top + step, rows))
        part = mask[some]
        for name, counts in codes.items():
            count_codes(tile.values[name][some], part, counts)
        if barred is not None:
            keep_others(barred[some], part)
        for rule in rules:
            rule.keep(tile, some, part)
    return _group(
        tile,
        mask,
        looked=looked,
        codes=codes,
        rules=rules,
        limits=limits,
        borders=borders,
        score=score,
    )


def _group(
    tile: Tile,
    mask: Bools,
    *,
    looked: int,
    codes: dict[str, Ints],
    rules: tuple[Rule, ...],
    limits: Limits,
    borders: tuple[bool, bool, bool, bool],
    score: NDArray[np.float32] | None,
) -> tuple[Part, Bools]:
    """Turn marked cells into groups and their totals."""
    window, units = tile.window, limits.units
    here = slice(window.top, window.bottom)
    first = np.empty(window.rows + 1, np.int64)
    ends = np.empty((2, mask.size // 2), np.int32)
    n = kernels.find_runs(mask.view(np.uint64), first, ends)
    start, stop = ends[:, :n]
    group, overlap = np.empty(n, np.int64), np.empty(n, np.int64)
    reach = int(limits.connectivity == 8)
    count = kernels.group_runs(first, start, stop, reach, group, overlap)
    cells, areas, around = (np.empty(count, np.int64) for _ in range(3))
    kernels.measure_groups(
        first,
        start,
        stop,
        group,
        overlap,
        units.area[here],
        units.edge[window.top : window.bottom + 1],
        units.height[here],
        cells,
        areas,
        around,
    )
    open_ended = np.zeros(count, np.bool_)
    kernels.mark_groups_at_borders(
        first, start, stop, group, np.array(borders), window.columns, open_ended
    )
    kept = open_ended | limits.met(cells, areas, around)
    number = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    scored = score is not None
    if score is None:
        score = np.zeros((0, 0), np.float32)
    # Scores are wanted of all eligible cells, sums only of those remembered.
    runs = Stretches(*(np.empty(n, np.int32) for _ in range(4)))
    left = take_runs(first, start, stop, group, number, scored, *runs)
    runs = Stretches(*(each[:left] for each in runs))
    totals = {}
    for rule in rules:
        totals[rule.name] = empty_totals(int(kept.sum()), rule.stretches)
        rule.add(tile, runs, totals[rule.name], score)
    stored = np.full(score.shape, NO_SCORE, np.uint8)
    if scored:
        store_scores(runs, score, np.float32(STEP), stored)
    mine = runs.group >= 0 if scored else slice(None)
    part = Part(
        looked=looked,
        eligible=int(cells.sum()),
        area=int(areas.sum()),
        dropped=int(count - kept.sum()),
        codes=codes,
        row=runs.row[mine] + np.int32(window.top),
        start=runs.start[mine] + np.int32(window.left),
        stop=runs.stop[mine] + np.int32(window.left),
        group=runs.group[mine].copy(),
        cells=cells[kept],
        areas=areas[kept],
        around=around[kept],
        totals=totals,
    )
    return part, stored


def empty_totals(groups: int, stretches: int) -> Totals:
    """Make room for the sums of groups.

    Parameters
    ----------
    groups
        How many there are.
    stretches
        Stretches of the membership, or classes.

    Returns
    -------
    Totals
        Sums of nothing.
    """
    return Totals(
        sums=np.zeros((groups, stretches, 3), np.int64),
        bounds=np.broadcast_to([np.inf, -np.inf], (groups, 2)).copy(),
    )

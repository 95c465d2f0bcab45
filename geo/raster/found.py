"""What a search for sites gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import GridError

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from geo.raster.grid import Grid

_LINES = 1e-3
"""Share of a cell by which lines may miss each other and still be the same. [1]"""


class Runs(NamedTuple):
    """Cells of sites as stretches of rows; arrays of shape ``(n,)``.

    In order of row, then of column. ``stop`` is the first column after a stretch.
    """

    label: NDArray[np.int32]
    row: NDArray[np.int32]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]


class Cells:
    """Cells of sites, by the tile that they lie in.

    Parameters
    ----------
    labels
        For each tile the label of each of its groups, 0 for those of no site. Of two
        tiles side by side, the right one has the higher number.
    get
        Fetches the runs of a tile, with groups for labels.
    sizes
        About how many runs each tile has.
    cut
        Whether runs go on from one tile into another.
    """

    def __init__(
        self,
        labels: Mapping[int, NDArray[np.int32]],
        get: Callable[[int], Runs],
        sizes: Mapping[int, int],
        *,
        cut: bool,
    ) -> None:
        self.labels, self.sizes = labels, sizes
        self._get, self._cut = get, cut

    @classmethod
    def held(cls, runs: Runs) -> Cells:
        """Hold cells in memory.

        Parameters
        ----------
        runs
            Of all sites.

        Returns
        -------
        Cells
            As if there were but one tile.
        """
        labels = np.arange(runs.label.max(initial=0) + 1, dtype=np.int32)
        return cls({0: labels}, lambda _: runs, {0: len(runs.row)}, cut=False)

    def of_tile(self, number: int) -> Runs:
        """Fetch the cells of sites in a tile.

        Parameters
        ----------
        number
            Which tile.

        Returns
        -------
        Runs
            In order, cut at the borders of the tile.
        """
        if number not in self.labels:
            return _room(0)
        return _picked([(self._get(number), self.labels[number])])

    def runs(
        self,
        numbers: NDArray[np.int32] | None = None,
        tiles: Iterable[int] | None = None,
    ) -> Runs:
        """Fetch the cells of sites.

        Parameters
        ----------
        numbers
            For each label, counted from 0, the one to give back in its stead, 0 for
            those that are not wanted; all as they are when None.
        tiles
            Where to look for them; everywhere when None.

        Returns
        -------
        Runs
            In order, no longer cut where tiles meet.
        """
        found = []
        for number in sorted(self.labels if tiles is None else tiles):
            label = self.labels[number]
            if numbers is not None:
                label = numbers[label]
            if label.any():
                found.append((self._get(number), label))
        runs = _picked(found)
        return _uncut(runs) if self._cut and len(runs.row) else runs


@dataclass(frozen=True, kw_only=True)
class FoundSites:
    """Sites, best first, and what was looked at to find them.

    Attributes
    ----------
    table
        One row a site in the CRS of the grid, best score first (ties: the larger, then
        the one met first row by row), index 0, 1 … Columns: ``label`` (1, 2 … in the
        order in which sites are first met), ``row`` and ``col`` of that first cell,
        ``cells``, ``area_m2`` [m²], ``perimeter_m`` with holes [m], ``shape_index``
        (perimeter over that of a square of the area), ``score``, then
        ``score_<id>`` for each criterion with a weight (mean of its membership),
        ``mean_``, ``min_`` and ``max_<measure>`` for each measure that is no class, and
        ``geometry``: along the edges of cells, holes kept, valid; None beyond the
        sites for which it was asked.
    grid
        The cells.
    cells
        How many cells were looked at: those in the regions.
    eligible_cells, eligible_area_m2
        How many meet every criterion, and their area. [m²]
    regions_found
        How many connected groups these form, of any size.
    codes
        For each raster with classes: how many of the cells looked at hold which code.
        A code that the criterion does not list is not eligible.
    where
        Cells of the sites; :attr:`runs` has them in order.
    outputs
        Files that were written.
    """

    table: gpd.GeoDataFrame
    grid: Grid
    cells: int
    eligible_cells: int
    eligible_area_m2: float
    regions_found: int
    codes: Mapping[str, Mapping[int, int]]
    where: Cells
    outputs: tuple[Path, ...] = ()

    @property
    def runs(self) -> Runs:
        """Cells of the sites as stretches of rows, fetched anew at each use."""
        return self.where.runs()

    def overlap(self, other: FoundSites) -> pd.DataFrame:
        """Count the cells that the sites of two searches share.

        Parameters
        ----------
        other
            Another search on cells on the same lines: as large as these, or larger or
            smaller by a whole factor.

        Returns
        -------
        pandas.DataFrame
            A row for each pair that shares a cell, in order: ``label_self``,
            ``label_other`` and ``cells``, counted in the smaller of the two kinds.

        Raises
        ------
        GridError
            If the grids differ in CRS or lines, or by a factor that is not whole.
        """
        import pandas as pd

        from geo.raster.kernels.stretches import shared_cells

        fine = self.grid if self.grid.dx <= other.grid.dx else other.grid
        mine, theirs = _on(self, fine), _on(other, fine)
        room = len(mine.row) + len(theirs.row)
        a, b, cells = (np.empty(room, np.int64) for _ in range(3))
        n = shared_cells(*mine[1:], *theirs[1:], a, b, cells)
        pairs = pd.DataFrame(
            {
                "label_self": mine.label[a[:n]],
                "label_other": theirs.label[b[:n]],
                "cells": cells[:n],
            }
        )
        keys = ["label_self", "label_other"]
        return pairs.groupby(keys, sort=True)["cells"].sum().reset_index()


def _picked(found: Sequence[tuple[Runs, NDArray[np.int32]]]) -> Runs:
    """Take the runs of groups with a label, with that for theirs."""
    from geo.raster.kernels.stretches import pick_runs

    new, count = _room(sum(len(runs.row) for runs, _ in found)), 0
    for runs, label in found:
        count += pick_runs(*runs, label, *(each[count:] for each in new))
    return Runs(*(each[:count] for each in new))


def _uncut(runs: Runs) -> Runs:
    """Put runs of tiles in order, and make one of those that tiles had cut."""
    from geo.raster.kernels.stretches import join_cut_runs

    new = _room(len(runs.row))
    top = runs.row.min()
    first = np.empty(runs.row.max() - top + 2, np.int64)
    count = join_cut_runs(*runs, top, first, *new)
    return Runs(*(each[:count] for each in new))


def _room(count: int) -> Runs:
    return Runs(*(np.empty(count, np.int32) for _ in range(4)))


def _on(found: FoundSites, fine: Grid) -> Runs:
    """Take the cells of sites apart into those of a finer grid."""
    grid, runs = found.grid, found.runs
    factors = grid.dx / fine.dx, grid.dy / fine.dy
    factor = round(factors[0])
    size = (grid.shape[0] * factor, grid.shape[1] * factor)
    even = all(abs(f - factor) * max(size) < _LINES * factor for f in factors)
    down = (fine.north - grid.north) / fine.dy
    right = (grid.west - fine.west) / fine.dx
    off = max(abs(down - round(down)), abs(right - round(right)))
    if grid.crs != fine.crs or not even or off > _LINES:
        raise GridError(
            f"cells of {grid.dx:g} by {grid.dy:g} in {grid.crs} and of {fine.dx:g} by "
            f"{fine.dy:g} in {fine.crs} do not lie on common lines; expected one CRS "
            "and sizes that differ by a whole factor, counted from one corner"
        )
    n = len(runs.row)
    row = np.repeat(runs.row * factor + round(down), factor)
    row += np.tile(np.arange(factor, dtype=row.dtype), n)
    start, stop = (
        np.repeat(ends * factor + round(right), factor)
        for ends in (runs.start, runs.stop)
    )
    order = np.lexsort((start, row)) if factor > 1 else slice(None)
    label = np.repeat(runs.label, factor)
    return Runs(label[order], row[order], start[order], stop[order])

"""What a search for sites gives back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.raster.grid import Grid


class Runs(NamedTuple):
    """Cells of sites as stretches of rows; arrays of shape ``(n,)``.

    In order of row, then of column. ``stop`` is the first column after a stretch.
    """

    label: NDArray[np.int64]
    row: NDArray[np.int32]
    start: NDArray[np.int32]
    stop: NDArray[np.int32]


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
    runs
        Cells of the sites.
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
    runs: Runs
    outputs: tuple[Path, ...] = ()

"""Bands brought onto the working grid, a window at a time.

A sheet whose lines are those of the grid is copied. One with other lines in the same
CRS has a place for each row and each column of the grid. For one in another CRS places
are computed exactly at every few cells of the grid, counted from its corner, and
between these taken as linear; the step is as wide as keeps that within 0.01 of a cell
of the sheet. Either way the place of a cell depends on nothing but the cell, so tiles
leave no trace.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GridError
from geo.raster.kernels.samples import (
    PAD,
    Places,
    bend_bilinear,
    bend_nearest,
    sample_bilinear,
    sample_nearest,
)
from geo.raster.kernels.smooth import Across
from geo.raster.sheets import Handles, Sheet, Window, offsets, open_sheets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo.raster.bands import Band
    from geo.raster.grid import Grid

    Floats = NDArray[np.float64]

_STEPS = (64, 32, 16, 8, 4, 2, 1)
_BEND = 0.01
"""How far off a place between exact ones may be, in cells of the sheet. [1]"""

_HELD = 16_000_000
"""Cells of a coarse raster that are held in memory at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Smooth:
    """A coarse raster, held whole, of which cells get bilinear values.

    Attributes
    ----------
    raster
        Padded with NaN; float32 or float64.
    rows, columns
        Places of all rows and columns of the grid.
    complete
        Whether every cell of the grid gets a value.
    scale
        Steps to one in which values are added up: 2²⁶ of them hold every value.
    across
        The columns, made ready for sums.
    """

    raster: NDArray[Any]
    rows: Places
    columns: Places
    complete: bool
    scale: float
    across: Across

    @classmethod
    def of(
        cls, raster: NDArray[Any], rows: Places, columns: Places, *, complete: bool
    ) -> Smooth:
        """Hold a raster, padded, of which rows and columns have these places."""
        least, most = np.nanmin(raster, initial=0.0), np.nanmax(raster, initial=0.0)
        most = max(float(most), -float(least), 1e-300)
        scale = math.ldexp(1.0, 26 - math.frexp(most)[1])
        return cls(
            raster=raster,
            rows=rows,
            columns=columns,
            complete=complete,
            scale=scale,
            across=Across.of(columns, raster.shape[1]),
        )

    def places(self, window: Window) -> tuple[Places, Places]:
        """Return the places of the rows and columns of a window of the grid."""
        rows = slice(window.top, window.bottom)
        columns = slice(window.left, window.right)
        return (
            Places(self.rows.at[rows], self.rows.part[rows]),
            Places(self.columns.at[columns], self.columns.part[columns]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """A sheet as it lies on the grid.

    Attributes
    ----------
    sheet
        The files.
    shift
        Row and column of the grid at which the sheet begins, where lines are shared.
    step
        Cells from one exact place to the next in another CRS; 0 in the same.
    """

    sheet: Sheet
    shift: tuple[int, int] | None
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A band on the working grid.

    Attributes
    ----------
    name
        What the band measures.
    grid
        The working grid.
    parts
        Its sheets; the first that has a value counts.
    bilinear
        Whether cells of other grids get bilinear values.
    """

    name: str
    grid: Grid
    parts: tuple[Aligned, ...]
    bilinear: bool

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.parts[0].sheet.dtype

    @property
    def none(self) -> float:
        """What stands for no value."""
        return self.parts[0].sheet.none

    def fill(self, out: NDArray[Any], window: Window, handles: Handles) -> None:
        """Fill a window of the working grid, which may reach beyond it.

        Parameters
        ----------
        out
            Filled, in the shape of the window and the type of the source.
        window
            Rows and columns of the working grid.
        handles
            Open files.

        Raises
        ------
        GridError
            If a file cannot be read to the end.
        """
        self._fill(self.parts[0], out, window, handles)
        for part in self.parts[1:]:
            free = np.isnan(out) if out.dtype.kind == "f" else out == self.none
            if not free.any():
                return
            more = np.empty_like(out)
            self._fill(part, more, window, handles)
            out[free] = more[free]

    def _fill(
        self, part: Aligned, out: NDArray[Any], window: Window, handles: Handles
    ) -> None:
        if part.shift is not None:
            down, right = part.shift
            moved = Window(
                window.top - down, window.left - right, window.rows, window.columns
            )
            part.sheet.fill(out, moved, handles)
        elif part.step:
            self._bend(part, out, window, handles)
        else:
            self._stretch(part.sheet, out, window, handles)

    def _stretch(
        self, sheet: Sheet, out: NDArray[Any], window: Window, handles: Handles
    ) -> None:
        """Fill from a sheet with other lines in the same CRS."""
        rows = _row_places(self.grid, sheet, np.arange(window.top, window.bottom))
        columns = _column_places(self.grid, sheet, np.arange(window.left, window.right))
        span = _span(rows, columns, sheet)
        if span is None:
            out[:] = sheet.none
            return
        if self.bilinear:
            held = _read(sheet, span, handles, pad=True)
            sample_bilinear(
                held,
                _places(rows, span.top, sheet.grid.shape[0]),
                _places(columns, span.left, sheet.grid.shape[1]),
                out,
            )
            return
        held = _read(sheet, span, handles, pad=False)
        sample_nearest(
            held,
            _cells(rows, span.top, sheet.grid.shape[0]),
            _cells(columns, span.left, sheet.grid.shape[1]),
            sheet.dtype.type(sheet.none),
            out,
        )

    def _bend(
        self, part: Aligned, out: NDArray[Any], window: Window, handles: Handles
    ) -> None:
        """Fill from a sheet in another CRS."""
        sheet, step = part.sheet, part.step
        top, left = window.top // step, window.left // step
        nodes = _nodes(
            self.grid,
            sheet.grid,
            step * np.arange(top, (window.bottom - 1) // step + 2),
            step * np.arange(left, (window.right - 1) // step + 2),
        )
        span = _span(nodes[..., 0], nodes[..., 1], sheet)
        if span is None:
            out[:] = sheet.none
            return
        held = _read(sheet, span, handles, pad=self.bilinear)
        corner = (span.top, span.left)
        offset = (window.top - top * step, window.left - left * step)
        if self.bilinear:
            bend_bilinear(held, corner, sheet.grid.shape, nodes, step, offset, out)
        else:
            none = sheet.dtype.type(sheet.none)
            bend_nearest(held, corner, sheet.grid.shape, nodes, step, offset, none, out)

    def smooth(self, handles: Handles) -> Smooth | None:
        """Hold the band whole, if it is so coarse that this is cheap.

        Parameters
        ----------
        handles
            Open files.

        Returns
        -------
        Smooth or None
            None for what has to be read by window.
        """
        part = self.parts[0]
        sheet, grid = part.sheet, self.grid
        alone = len(self.parts) == 1 and part.shift is None and part.step == 0
        coarse = min(sheet.grid.dx / grid.dx, sheet.grid.dy / grid.dy) >= 2
        if not (self.bilinear and alone and coarse):
            return None
        rows = _row_places(grid, sheet, np.arange(grid.shape[0]))
        columns = _column_places(grid, sheet, np.arange(grid.shape[1]))
        span = _span(rows, columns, sheet)
        if span is None or span.rows * span.columns > _HELD:
            return None
        held = _read(sheet, span, handles, pad=True)
        down = _places(rows, span.top, sheet.grid.shape[0])
        across = _places(columns, span.left, sheet.grid.shape[1])
        inner = held[PAD:-PAD, PAD:-PAD]
        complete = bool(np.isfinite(inner).all() and down.at.all() and across.at.all())
        return Smooth.of(held, down, across, complete=complete)


def open_source(
    band: Band, name: str, grid: Grid, *, codes: Sequence[int], handles: Handles
) -> Source:
    """Open a band and lay it on the working grid.

    Parameters
    ----------
    band
        Files.
    name
        What it measures.
    grid
        The working grid.
    codes
        Classes that are asked for; empty if the band holds values.
    handles
        Open files.

    Returns
    -------
    Source
        Ready to be read.

    Raises
    ------
    CRSMissingError, GridError
        If files are missing, damaged or do not fit together, as
        :func:`geo.raster.sheets.open_sheets` says, or none of them meets the grid.
    """
    sheets = open_sheets(band, name, codes, handles)
    parts = tuple(_align(sheet, grid, name) for sheet in sheets)
    here = [part for part in parts if part is not None]
    if not here:
        lies = sheets[0].grid
        raise GridError(
            f"{name}: {band.paths[0].name} covers {lies.bounds} in {lies.crs} and the "
            f"grid {grid.bounds} in {grid.crs}: they do not meet"
        )
    bilinear = band.resampling == "bilinear" and not codes
    return Source(name=name, grid=grid, parts=tuple(here), bilinear=bilinear)


def _align(sheet: Sheet, grid: Grid, name: str) -> Aligned | None:
    """Find how a sheet lies on the grid; None where it does not meet it."""
    if _same_crs(sheet.grid.crs, grid.crs):
        west, south, east, north = grid.bounds
        left, bottom, right, top = sheet.grid.bounds
        if not (west < right and left < east and south < top and bottom < north):
            return None
        return Aligned(sheet=sheet, shift=offsets(grid, sheet.grid), step=0)
    rows, columns = (
        np.unique(np.linspace(0, n - 1, 64).astype(int)) for n in grid.shape
    )
    places = _nodes(grid, sheet.grid, rows, columns)
    if not np.isfinite(places).any():
        raise GridError(
            f"{name}: the grid in {grid.crs} cannot be placed in {sheet.grid.crs}, the "
            "CRS of the raster"
        )
    if _span(places[..., 0], places[..., 1], sheet) is None:
        return None
    return Aligned(sheet=sheet, shift=None, step=_step(grid, sheet.grid))


def _step(grid: Grid, other: Grid) -> int:
    """How many cells apart exact places may be."""
    for step in _STEPS:
        rows, columns = (
            np.unique(np.linspace(0, max(n // step, 1), 48).astype(int))
            for n in grid.shape
        )
        corners = [
            _nodes(grid, other, step * (rows + i), step * (columns + j))
            for i in (0, 1)
            for j in (0, 1)
        ]
        true = _nodes(grid, other, step * (rows + 0.5), step * (columns + 0.5))
        off = np.abs(sum(corners) / 4 - true)
        # Where some places do not exist, those that do decide.
        if not (off[np.isfinite(off)] > _BEND).any():
            return step
    return _STEPS[-1]


def _nodes(grid: Grid, other: Grid, rows: Any, columns: Any) -> Floats:
    """Places, in another raster, of the centres of cells; shape ``(i, j, 2)``."""
    from pyproj import Transformer

    transformer = Transformer.from_crs(grid.crs, other.crs, always_xy=True)
    x = grid.west + (np.asarray(columns) + 0.5) * grid.dx
    y = grid.north - (np.asarray(rows) + 0.5) * grid.dy
    xs, ys = transformer.transform(*np.meshgrid(x, y))
    places: Floats = np.stack(
        [(other.north - ys) / other.dy, (xs - other.west) / other.dx], axis=-1
    )
    return places


def _row_places(grid: Grid, sheet: Sheet, rows: NDArray[Any]) -> Floats:
    """Where the centres of rows lie in a sheet, in its rows."""
    y = grid.north - (rows + 0.5) * grid.dy
    places: Floats = (sheet.grid.north - y) / sheet.grid.dy
    return places


def _column_places(grid: Grid, sheet: Sheet, columns: NDArray[Any]) -> Floats:
    """Where the centres of columns lie in a sheet, in its columns."""
    x = grid.west + (columns + 0.5) * grid.dx
    places: Floats = (x - sheet.grid.west) / sheet.grid.dx
    return places


def _span(rows: Floats, columns: Floats, sheet: Sheet) -> Window | None:
    """Cells of a sheet that places need, a margin for bilinear values included."""
    edges = []
    for places, size in zip((rows, columns), sheet.grid.shape, strict=True):
        known = places[np.isfinite(places)]
        if not known.size or known.max() < 0 or known.min() >= size:
            return None
        low = max(int(np.floor(known.min() - 0.5)), 0)
        high = min(int(np.floor(known.max() - 0.5)) + 2, size)
        edges.append((low, high))
    (top, bottom), (left, right) = edges
    return Window(top, left, bottom - top, right - left)


def _read(sheet: Sheet, span: Window, handles: Handles, *, pad: bool) -> NDArray[Any]:
    """Read part of a sheet, with no value round it if it is to be padded."""
    margin = PAD if pad else 0
    shape = (span.rows + 2 * margin, span.columns + 2 * margin)
    held = np.full(shape, sheet.none, sheet.dtype)
    rows = slice(margin, margin + span.rows)
    columns = slice(margin, margin + span.columns)
    sheet.fill(held[rows, columns], span, handles)
    return held


def _places(places: Floats, first: int, size: int) -> Places:
    """Turn places into the pairs of rows or columns between whose centres they lie."""
    lower = np.floor(places - 0.5)
    inside = (places >= 0) & (places < size)
    at = np.where(inside, lower - first + PAD, 0).astype(np.int32)
    part = np.where(inside, places - 0.5 - lower, 0.0)
    return Places(at, part)


def _cells(places: Floats, first: int, size: int) -> NDArray[np.int32]:
    """Turn places into rows or columns; below 0 outside."""
    inside = (places >= 0) & (places < size)
    return np.where(inside, np.floor(places) - first, -1).astype(np.int32)


def _same_crs(one: str, other: str) -> bool:
    """Tell whether two names are of one CRS, x before y."""
    from pyproj import CRS

    if one == other:
        return True
    a, b = CRS.from_user_input(one), CRS.from_user_input(other)
    return bool(a.equals(b, ignore_axis_order=True))

"""Raster files read by window: those of a mosaic that share their lines as one sheet.

Each thread has its own handles, since one of GDAL's serves one thread at a time.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GridError
from geo.raster.blocks import HUGE, Blocks, Shelf
from geo.raster.grid import Grid
from geo.raster.kernels.samples import clean
from geo.raster.reading import open_raster

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geo.raster.bands import Band

CACHE_MB = 64
"""What GDAL may keep of decoded blocks. Each is read once, so little is enough."""

_LINES = 1e-3
"""Share of a cell by which lines may miss each other and still be the same. [1]"""

_HANDLES = 32
"""Files that a thread keeps open."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns of a grid; they may reach beyond it."""

    top: int
    left: int
    rows: int
    columns: int

    @property
    def bottom(self) -> int:
        """First row below."""
        return self.top + self.rows

    @property
    def right(self) -> int:
        """First column beyond."""
        return self.left + self.columns

    def meet(self, other: Window) -> Window | None:
        """Return what two windows have in common, or None."""
        top, left = max(self.top, other.top), max(self.left, other.left)
        rows = min(self.bottom, other.bottom) - top
        columns = min(self.right, other.right) - left
        return Window(top, left, rows, columns) if min(rows, columns) > 0 else None

    def within(self, other: Window) -> tuple[slice, slice]:
        """Return where this window lies in an array that holds another."""
        top, left = self.top - other.top, self.left - other.left
        return slice(top, top + self.rows), slice(left, left + self.columns)


class Handles:
    """Open files, some for each thread."""

    def __init__(self) -> None:
        self._mine = threading.local()
        self._all: list[OrderedDict[Path, tuple[Any, Blocks]]] = []
        self._shelf = Shelf()

    def get(self, path: Path) -> Any:
        """Open a file by rasterio, unless this thread has it open."""
        return self._open(path)[0]

    def blocks(self, path: Path) -> Blocks:
        """Open a file for reading its blocks, unless this thread has it open."""
        return self._open(path)[1]

    def _open(self, path: Path) -> tuple[Any, Blocks]:
        held: OrderedDict[Path, tuple[Any, Blocks]] | None
        held = getattr(self._mine, "held", None)
        if held is None:
            held = self._mine.held = OrderedDict()
            self._all.append(held)
        if path not in held:
            if len(held) >= _HANDLES:
                _close(*held.popitem(last=False)[1])
            source = open_raster(path)
            held[path] = source, Blocks(source, self._shelf)
        held.move_to_end(path)
        return held[path]

    def close(self) -> None:
        """Close all."""
        for held in self._all:
            for both in held.values():
                _close(*both)
            held.clear()


def _close(source: Any, blocks: Blocks) -> None:
    source.close()
    blocks.close()


@contextmanager
def reading() -> Iterator[Handles]:
    """Hold files open for a block of code, with GDAL's cache of blocks kept small."""
    import rasterio

    handles = Handles()
    with rasterio.Env(GDAL_CACHEMAX=CACHE_MB):
        try:
            yield handles
        finally:
            handles.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """Files whose cells lie on common lines, as one raster.

    Attributes
    ----------
    grid
        From the first cell of any file to the last.
    files
        Each with its window of ``grid``, nodata number (None for none), and whether
        it has a mask of its own.
    band
        Which band of them.
    dtype
        What values come as: uint8 or uint16 for classes, float32 or float64 with NaN
        for no value otherwise.
    none
        What stands for no value.
    scale, offset
        Stored numbers times ``scale`` plus ``offset`` give the measure.
    block
        Rows and columns of a block of the first file.
    """

    grid: Grid
    files: tuple[tuple[Path, Window, float | None, bool], ...]
    band: int
    dtype: np.dtype[Any]
    none: float
    scale: float
    offset: float
    block: tuple[int, int]

    def fill(self, out: NDArray[Any], window: Window, handles: Handles) -> None:
        """Read a window; cells outside the files hold no value.

        Parameters
        ----------
        out
            Filled, in the shape of the window and the type of the sheet.
        window
            Rows and columns of :attr:`grid`; may reach beyond it.
        handles
            Open files.

        Raises
        ------
        GridError
            If a file cannot be read to the end.
        """
        parts = [(file, part) for file in self.files if (part := window.meet(file[1]))]
        if len(parts) == 1:
            _fill_round(out, parts[0][1].within(window), self.none)
        elif sum(part.rows * part.columns for _, part in parts) < out.size or _overlap(
            [part for _, part in parts]
        ):
            out[:] = self.none
        done: list[Window] = []
        for (path, place, nodata, masked), part in parts:
            target = out[part.within(window)]
            if any(map(part.meet, done)):
                fresh = np.empty(target.shape, target.dtype)
                self._read(path, part.within(place), nodata, masked, fresh, handles)
                np.copyto(target, fresh, where=self._empty(target))
            else:
                self._read(path, part.within(place), nodata, masked, target, handles)
            done.append(part)

    def _empty(self, values: NDArray[Any]) -> NDArray[np.bool_]:
        """Cells without a value."""
        if np.isnan(self.none):
            return np.asarray(np.isnan(values))
        return np.asarray(values == self.none)

    def _read(
        self,
        path: Path,
        inside: tuple[slice, slice],
        nodata: float | None,
        masked: bool,
        out: NDArray[Any],
        handles: Handles,
    ) -> None:
        """Read part of one file, with what stands for none where there is no value."""
        source = handles.get(path)
        name = source.dtypes[self.band - 1]
        whole = out.dtype.kind == "u"
        other = whole and name != out.dtype.name
        raw = np.empty(out.shape, name) if other else out
        for rows, columns in handles.blocks(path).read(raw, inside, nodata):
            down, across = rows.start - inside[0].start, columns.start - inside[1].start
            left = raw[
                down : down + rows.stop - rows.start,
                across : across + columns.stop - columns.start,
            ]
            self._read_by_gdal(source, (rows, columns), left, asked=inside)
            if left.dtype.kind == "f":
                clean(left, left.dtype.type(np.nan if nodata is None else nodata), HUGE)
        if other:
            good = (raw >= 0) & (raw <= np.iinfo(out.dtype).max) & (raw % 1 == 0)
            out[:] = np.where(good, raw, self.none)
        if whole and nodata is not None and nodata != self.none:
            out[out == nodata] = self.none
        if not whole and (self.scale != 1.0 or self.offset != 0.0):
            out *= self.scale
            out += self.offset
        if masked:
            shown = np.empty(out.shape, np.uint8)
            self._read_by_gdal(source, inside, shown, mask=True)
            out[shown == 0] = self.none

    def _read_by_gdal(
        self,
        source: Any,
        inside: tuple[slice, slice],
        out: NDArray[Any],
        *,
        asked: tuple[slice, slice] | None = None,
        mask: bool = False,
    ) -> None:
        """Read part of one file, or of its mask, as it is stored.

        An error names the whole window that was asked for.
        """
        from rasterio.errors import RasterioIOError

        window = tuple((s.start, s.stop) for s in inside)
        try:
            if mask:
                out[:] = source.read_masks(self.band, window=window)
            else:
                source.read(self.band, window=window, out=out)
        except RasterioIOError as error:
            rows, columns = asked or inside
            raise GridError(
                f"{Path(source.name).name} cannot be read in rows {rows.start} to "
                f"{rows.stop}, columns {columns.start} to {columns.stop}; the "
                f"file may be truncated. Fetch or make it again. ({_line(error)})"
            ) from error


def _fill_round(out: NDArray[Any], inner: tuple[slice, slice], value: float) -> None:
    """Fill what lies outside some rows and columns."""
    rows, columns = inner
    out[: rows.start] = value
    out[rows.stop :] = value
    out[rows, : columns.start] = value
    out[rows, columns.stop :] = value


def _overlap(parts: Sequence[Window]) -> bool:
    """Tell whether any two windows meet."""
    return any(part.meet(other) for i, part in enumerate(parts) for other in parts[:i])


def open_sheets(
    band: Band, name: str, codes: Sequence[int], handles: Handles
) -> tuple[Sheet, ...]:
    """Look at the files of a band, and lay those with common lines together.

    Parameters
    ----------
    band
        Which files.
    name
        What to call the band in a message.
    codes
        Classes that are asked for; empty if the band holds values.
    handles
        Open files.

    Returns
    -------
    tuple of Sheet
        In the order of their first files.

    Raises
    ------
    CRSMissingError
        If a file names no CRS.
    GridError
        If a file is missing or no raster, has no such band or complex numbers, is not
        north up, or differs from the others in CRS or scale.
    """
    looks = [(path, *_look(handles.get(path), band, name)) for path in band.paths]
    _, first, _, scale, offset, *_ = looks[0]
    for path, grid, _, other_scale, other_offset, *_ in looks[1:]:
        if grid.crs != first.crs:
            raise GridError(
                f"{name}: {path.name} is in {grid.crs} and {band.paths[0].name} in "
                f"{first.crs}; expected one CRS for all files of a mosaic"
            )
        if (other_scale, other_offset) != (scale, offset):
            raise GridError(
                f"{name}: {path.name} and {band.paths[0].name} name different scales "
                "or offsets; give the band one of each"
            )
    kinds = [look[2] for look in looks]
    target = _dtype(kinds, bool(codes), (scale, offset) != (1.0, 0.0), name)
    none: float = np.nan
    if codes:
        declared = {look[5] for look in looks} - {None}
        none = _free_code(target, codes, declared)
    groups: list[list[Any]] = []
    for look in looks:
        for group in groups:
            if offsets(group[0][1], look[1]) is not None:
                group.append(look)
                break
        else:
            groups.append([look])
    return tuple(
        _sheet(group, band.band, target, none, scale, offset) for group in groups
    )


def offsets(grid: Grid, other: Grid) -> tuple[int, int] | None:
    """Tell by how many rows and columns two grids are apart, if they share their lines.

    Parameters
    ----------
    grid, other
        In one CRS.

    Returns
    -------
    rows, columns : int
        Row and column of ``grid`` at which ``other`` begins; None if the lines
        differ.

    Examples
    --------
    >>> offsets(Grid.over((0, 0, 4, 4), 1.0), Grid.over((2, 1, 4, 3), 1.0))
    (1, 2)
    """
    rows = (grid.north - other.north) / grid.dy
    columns = (other.west - grid.west) / grid.dx
    far = max(*other.shape, *grid.shape, abs(rows), abs(columns))
    drift = max(abs(grid.dx - other.dx) / grid.dx, abs(grid.dy - other.dy) / grid.dy)
    miss = max(abs(rows - round(rows)), abs(columns - round(columns)))
    if miss > _LINES or drift * far > _LINES:
        return None
    return round(rows), round(columns)


def _look(source: Any, band: Band, name: str) -> tuple[Any, ...]:
    """Grid, type, scale, offset, nodata, mask and block of a file."""
    from rasterio.enums import MaskFlags

    file = Path(source.name).name
    if band.band > source.count:
        raise GridError(
            f"{name}: {file} has bands 1 to {source.count}; there is no band "
            f"{band.band}"
        )
    i = band.band - 1
    if source.dtypes[i].startswith("complex"):
        raise GridError(f"{name}: {file} holds complex numbers; expected real ones")
    flags = source.mask_flag_enums[i]
    nodata = source.nodatavals[i] if band.nodata is None else band.nodata
    if nodata is not None and np.isnan(nodata):
        nodata = None
    return (
        Grid.of_source(source),
        np.dtype(source.dtypes[i]),
        float(source.scales[i] if band.scale is None else band.scale),
        float(source.offsets[i] if band.offset is None else band.offset),
        nodata,
        MaskFlags.per_dataset in flags and MaskFlags.all_valid not in flags,
        source.block_shapes[i],
    )


def _dtype(
    kinds: Sequence[np.dtype[Any]], codes: bool, scaled: bool, name: str
) -> np.dtype[Any]:
    """Choose what values come as."""
    if codes:
        if scaled:
            raise GridError(
                f"{name} holds classes but has a scale or an offset; give the band "
                "scale=1 and offset=0 if they mean nothing"
            )
        return np.dtype(np.uint8 if all(k == np.uint8 for k in kinds) else np.uint16)
    exact = all(np.can_cast(kind, np.float32) for kind in kinds)
    return np.dtype(np.float32 if exact and not scaled else np.float64)


def _free_code(
    dtype: np.dtype[Any], codes: Sequence[int], declared: set[float]
) -> float:
    """Choose a code for no value: a declared one, or one that nobody asks for."""
    most = int(np.iinfo(dtype).max)
    for code in (*sorted(declared), *range(most, -1, -1)):
        if code not in codes and 0 <= code <= most and code == int(code):
            return int(code)
    raise GridError(f"all {most + 1} classes are asked for; expected fewer")


def _sheet(
    looks: Sequence[Any],
    band: int,
    dtype: np.dtype[Any],
    none: float,
    scale: float,
    offset: float,
) -> Sheet:
    """Lay files together."""
    first: Grid = looks[0][1]
    places = [offsets(first, look[1]) or (0, 0) for look in looks]
    shapes = [look[1].shape for look in looks]
    top, left = (min(p[k] for p in places) for k in (0, 1))
    rows, columns = (
        max(p[k] + s[k] for p, s in zip(places, shapes, strict=True)) - low
        for k, low in ((0, top), (1, left))
    )
    grid = Grid(
        west=first.west + left * first.dx,
        north=first.north - top * first.dy,
        dx=first.dx,
        dy=first.dy,
        shape=(rows, columns),
        crs=first.crs,
    )
    return Sheet(
        grid=grid,
        files=tuple(
            (look[0], Window(p[0] - top, p[1] - left, *look[1].shape), *look[5:7])
            for look, p in zip(looks, places, strict=True)
        ),
        band=band,
        dtype=dtype,
        none=none,
        scale=scale,
        offset=offset,
        block=looks[0][7],
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())

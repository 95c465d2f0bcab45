"""Rasters written window by window, and made Cloud Optimized GeoTIFFs when whole.

Cells are first written to a plain file, where a full disk is an error at once, and
halved to overviews beside it. :mod:`geo.raster.tiff` then packs both into the real file
beside its place, and it is renamed there when it is complete. Whatever goes wrong,
nothing is left.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.datasets import storage
from geo.raster.kernels.pyramids import halve_first, halve_mean
from geo.raster.tiff import BLOCK, About, pack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.raster.grid import Grid

_STRIP_CELLS = 4_000_000


class Canvas:
    """A raster that is being written.

    Attributes
    ----------
    grid
        Its cells.
    dtype
        Type of its numbers.
    """

    def __init__(self, grid: Grid, dtype: np.dtype[Any], file: Any) -> None:
        self.grid = grid
        self.dtype = dtype
        self._file = file
        self._lock = threading.Lock()

    def write(self, values: NDArray[Any], *, row: int, column: int) -> None:
        """Write a window; every cell has to be written before the end.

        Parameters
        ----------
        values
            Shape ``(rows, columns)``.
        row, column
            Where its first cell lies.

        Raises
        ------
        OSError
            If the disk is full.
        """
        values = np.ascontiguousarray(values, dtype=self.dtype)
        width, size = self.grid.shape[1], self.dtype.itemsize
        whole = values.shape[1] == width
        pieces = [values] if whole else list(values)
        with self._lock:
            for i, piece in enumerate(pieces):
                self._file.seek(((row + i) * width + column) * size)
                self._file.write(piece.data)


@contextmanager
def canvas(
    path: str | os.PathLike[str],
    grid: Grid,
    dtype: str,
    *,
    nodata: int,
    description: str,
    scale: float = 1.0,
    average: bool = False,
) -> Iterator[Canvas]:
    """Write a COG that appears only when it is whole.

    Parameters
    ----------
    path
        Where it shall be; its folder is made if need be, and a file there replaced.
    grid
        Its cells.
    dtype
        ``"uint8"``, ``"uint16"`` or ``"uint32"``.
    nodata
        Number that means no value.
    description
        What the band holds.
    scale
        What a stored one stands for.
    average
        Whether cells of overviews are means of those that have a value; otherwise
        they are the first of them.

    Yields
    ------
    Canvas
        To be written to; possibly from several threads.

    Raises
    ------
    OSError
        If the disk is full, or the folder cannot be written.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(
        tempfile.mkdtemp(prefix=f"{storage.TEMPORARY}{target.name}-", dir=target.parent)
    )
    try:
        with (work / "0").open("wb") as file:
            yield Canvas(grid, np.dtype(dtype), file)
        about = About(
            grid=grid,
            dtype=np.dtype(dtype),
            nodata=nodata,
            description=description,
            scale=scale,
            smooth=average,
        )
        shapes = _halve(work, about)
        levels = [work / f"{level}" for level in range(len(shapes))]
        pack(levels, shapes, about, work / "whole.tif")
        with storage.appearing(str(target)) as local:
            (work / "whole.tif").replace(local)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _halve(work: Path, about: About) -> list[tuple[int, int]]:
    """Write overviews of the cells until one fits a block; the shape of each level."""
    shapes, dtype = [about.grid.shape], about.dtype
    halve = halve_mean if about.smooth else halve_first
    while max(shapes[-1]) > BLOCK:
        rows, columns = shapes[-1]
        small = ((rows + 1) // 2, (columns + 1) // 2)
        step = max(_STRIP_CELLS // columns // 2, 1)
        out = np.empty((min(step, small[0]), small[1]), dtype)
        above, below = work / f"{len(shapes) - 1}", work / f"{len(shapes)}"
        with above.open("rb") as source, below.open("wb") as file:
            for top in range(0, small[0], step):
                some = out[: min(step, small[0] - top)]
                high = min(2 * len(some), rows - 2 * top)
                cells = np.fromfile(source, dtype, high * columns)
                halve(cells.reshape(high, columns), dtype.type(about.nodata), some)
                file.write(some.data)
        shapes.append(small)
    return shapes

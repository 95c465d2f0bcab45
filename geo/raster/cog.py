"""Rasters written window by window, and made Cloud Optimized GeoTIFFs when whole.

Cells are first written to a plain file, where a full disk is an error at once, and
halved to overviews beside it, which costs a small part of what GDAL takes for them.
GDAL's driver for COGs then packs both into the real file beside its place, and it is
renamed there when it is complete. Whatever goes wrong, nothing is left.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from geo.datasets import storage
from geo.raster.kernels.pyramids import halve_first, halve_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.raster.grid import Grid

_TYPES = {"uint8": "Byte", "uint16": "UInt16", "uint32": "UInt32"}
_BLOCK = 512
_STRIP_CELLS = 8_000_000


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
                self._file.write(piece.tobytes())


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
        shapes = _halve(work, grid.shape, np.dtype(dtype), nodata, average=average)
        about = (dtype, nodata, description, scale)
        for level, shape in reversed([*enumerate(shapes)]):
            text = _vrt(
                grid, shape, level, *about, below=len(shapes) if not level else 0
            )
            (work / f"{level}.vrt").write_text(text, encoding="utf-8")
        _translate(work, target.name)
        with storage.appearing(str(target)) as local:
            (work / "whole.tif").replace(local)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _halve(
    work: Path,
    shape: tuple[int, int],
    dtype: np.dtype[Any],
    nodata: int,
    *,
    average: bool,
) -> list[tuple[int, int]]:
    """Write overviews of the cells until one fits a block; the shape of each level."""
    shapes = [shape]
    halve = halve_mean if average else halve_first
    while max(shapes[-1]) > _BLOCK:
        rows, columns = shapes[-1]
        small = ((rows + 1) // 2, (columns + 1) // 2)
        cells = np.memmap(work / f"{len(shapes) - 1}", dtype, "r", shape=shapes[-1])
        step = max(_STRIP_CELLS // columns // 2, 1)
        with (work / f"{len(shapes)}").open("wb") as file:
            for top in range(0, small[0], step):
                out = np.empty((min(step, small[0] - top), small[1]), dtype)
                halve(cells[2 * top : 2 * (top + len(out))], nodata, out)
                file.write(out.tobytes())
        shapes.append(small)
    return shapes


def _translate(work: Path, name: str) -> None:
    """Make the COG, and make sure that it can be read to the end."""
    import rasterio
    import rasterio.shutil
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        with rasterio.Env(GDAL_CACHEMAX=64):
            rasterio.shutil.copy(
                str(work / "0.vrt"),
                str(work / "whole.tif"),
                driver="COG",
                compress="DEFLATE",
                level=1,
                blocksize=_BLOCK,
                bigtiff="IF_SAFER",
                num_threads="ALL_CPUS",
                overviews="FORCE_USE_EXISTING",
            )
            with rasterio.open(work / "whole.tif") as made:
                for _, window in made.block_windows(1):
                    made.read(1, window=window)
    except (CPLE_BaseError, RasterioError) as error:
        raise OSError(
            f"{name} cannot be written whole; the disk may be full "
            f"({' '.join(str(error).split())})"
        ) from error


def _vrt(
    grid: Grid,
    shape: tuple[int, int],
    level: int,
    dtype: str,
    nodata: int,
    description: str,
    scale: float,
    *,
    below: int,
) -> str:
    """Describe a plain file to GDAL, the first one with its overviews below it."""
    from pyproj import CRS

    rows, columns = shape
    size = np.dtype(dtype).itemsize
    dx, dy = grid.dx * grid.shape[1] / columns, grid.dy * grid.shape[0] / rows
    place = (grid.west, dx, 0.0, grid.north, 0.0, -dy)
    numbers = ", ".join(map(repr, map(float, place)))
    overviews = "".join(
        f'<Overview><SourceFilename relativeToVRT="1">{n}.vrt</SourceFilename>'
        "<SourceBand>1</SourceBand></Overview>\n"
        for n in range(1, below)
    )
    return f"""<VRTDataset rasterXSize="{columns}" rasterYSize="{rows}">
<SRS>{escape(CRS.from_user_input(grid.crs).to_wkt())}</SRS>
<GeoTransform>{numbers}</GeoTransform>
<VRTRasterBand dataType="{_TYPES[dtype]}" band="1" subClass="VRTRawRasterBand">
<Description>{escape(description)}</Description>
<NoDataValue>{nodata}</NoDataValue>
<Scale>{scale!r}</Scale>
{overviews}<SourceFilename relativeToVRT="1">{level}</SourceFilename>
<ImageOffset>0</ImageOffset>
<PixelOffset>{size}</PixelOffset>
<LineOffset>{columns * size}</LineOffset>
<ByteOrder>LSB</ByteOrder>
</VRTRasterBand>
</VRTDataset>
"""

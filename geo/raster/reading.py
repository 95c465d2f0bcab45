"""Rasters read as numbers and brought onto a grid."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from geo.errors import CRSMissingError, GridError
from geo.raster.grid import Grid

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

Resampling = Literal["nearest", "bilinear", "average", "mode", "min", "max"]
"""How the cells of a raster become the cells of a grid.

``nearest`` and ``mode`` (the commonest) suit classes; ``bilinear`` suits a continuous
field on a finer grid, ``average`` on a coarser one.
"""


def read(
    path: str | os.PathLike[str],
    *,
    grid: Grid | None = None,
    resampling: Resampling = "nearest",
    band: int | None = None,
) -> NDArray[np.float64]:
    """Read a raster as numbers, aligned on a grid; what is no value is NaN.

    Parameters
    ----------
    path
        Raster that GDAL can open, in any CRS, resolution and extent.
    grid
        Cells to fill. The file's own when not given.
    resampling
        How source cells become cells of ``grid``; unused without ``grid``.
    band
        Band to read, counted from 1. Every band when not given.

    Returns
    -------
    numpy.ndarray
        Shape ``(rows, columns)`` for one band (asked for, or the only one), else
        ``(bands, rows, columns)``. Stored numbers times the band's scale plus its
        offset. NaN where the file has nodata, a masked cell, a value that is not
        finite, or no cell at all.

    Raises
    ------
    CRSMissingError
        If the file names no CRS.
    GridError
        If it is missing, truncated or no raster; holds complex numbers; has no such
        band; is not north up; does not meet ``grid``; or has not one value there.

    Notes
    -----
    Values become NaN *before* they are resampled, so no nodata number is ever
    averaged in; GDAL's warper [1]_ shares the weight out among the cells that hold a
    value. Only the part of the file under ``grid`` (with a margin of two cells of the
    coarser of the two) is decoded. Between two CRSs GDAL approximates where a cell
    lies: 0.11 cells off was measured. :class:`geo.raster.Band` places cells exactly.

    References
    ----------
    .. [1] GDAL, warp kernel. https://gdal.org/en/stable/programs/gdalwarp.html
    """
    with open_raster(path) as source:
        own = Grid.of_source(source)
        bands = _bands(source, band)
        if grid is None or grid == own:
            values = _values(source, bands, None)
        else:
            values = _warped(source, bands, own=own, grid=grid, resampling=resampling)
        if not np.isfinite(values).any():
            where = "" if grid is None else f" within {grid.bounds}"
            raise GridError(
                f"{Path(source.name).name} holds no value{where}; every cell is nodata"
            )
    return values[0] if len(bands) == 1 else values


def resample(
    values: NDArray[np.float64],
    own: Grid,
    *,
    grid: Grid,
    resampling: Resampling = "nearest",
) -> NDArray[np.float64]:
    """Bring values from one grid onto another.

    Parameters
    ----------
    values
        Shape ``(rows, columns)`` or ``(bands, rows, columns)`` on ``own``; NaN where
        there is no value.
    own
        Grid of ``values``.
    grid
        Grid to fill.
    resampling
        How cells of ``own`` become cells of ``grid``.

    Returns
    -------
    numpy.ndarray
        As ``values``, in the shape of ``grid``; NaN where ``own`` has no value.

    Raises
    ------
    GridError
        If ``values`` is not in the shape of ``own``, or ``resampling`` is unknown.

    Notes
    -----
    GDAL's warper [1]_ shares the weight of a missing cell out among the others that
    count, so one cell with a value is enough for a result. Between two CRSs it
    approximates where a cell lies, as :func:`read` says.

    References
    ----------
    .. [1] GDAL, warp kernel. https://gdal.org/en/stable/programs/gdalwarp.html
    """
    from rasterio.enums import Resampling as Method
    from rasterio.warp import reproject

    if values.shape[-2:] != own.shape:
        raise GridError(
            f"values have shape {values.shape}; expected {own.shape}, as their grid"
        )
    if resampling not in get_args(Resampling):
        raise GridError(
            f"resampling is {resampling!r}; expected one of "
            f"{', '.join(get_args(Resampling))}"
        )
    stack = values.reshape(-1, *own.shape)
    out = np.full((len(stack), *grid.shape), np.nan)
    reproject(
        stack,
        out,
        src_transform=own.transform,
        src_crs=own.crs,
        src_nodata=np.nan,
        dst_transform=grid.transform,
        dst_crs=grid.crs,
        dst_nodata=np.nan,
        resampling=Method[resampling],
    )
    return out.reshape(*values.shape[:-2], *grid.shape)


def open_raster(path: str | os.PathLike[str]) -> Any:
    """Open a raster file that says where it lies.

    Parameters
    ----------
    path
        Raster that GDAL can open.

    Returns
    -------
    rasterio.DatasetReader
        To be closed by the caller.

    Raises
    ------
    CRSMissingError
        If the file names no CRS.
    GridError
        If there is no such file, or it cannot be opened.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioIOError

    file = Path(path)
    if not file.is_file():
        raise GridError(f"no raster at {file}; expected a file such as a GeoTIFF")
    try:
        with warnings.catch_warnings():
            # A file without position is an error of ours, not a warning of theirs.
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            source = rasterio.open(file)
    except RasterioIOError as error:
        raise GridError(
            f"{file.name} cannot be opened as a raster: {_line(error)}"
        ) from error
    if not source.crs:
        source.close()
        raise CRSMissingError(
            f"{file.name} names no CRS; expected one such as EPSG:4326. "
            "Set it where the file is made, for instance with gdal_edit -a_srs."
        )
    return source


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _bands(source: Any, band: int | None) -> list[int]:
    name = Path(source.name).name
    if band is not None and not 1 <= band <= source.count:
        raise GridError(
            f"{name} has bands 1 to {source.count}; there is no band {band}"
        )
    bands = [band] if band is not None else list(range(1, source.count + 1))
    if any(source.dtypes[b - 1].startswith("complex") for b in bands):
        raise GridError(f"{name} holds complex numbers; expected real ones")
    return bands


def _values(source: Any, bands: list[int], window: Any) -> NDArray[np.float64]:
    """Decode bands, shape ``(bands, rows, columns)``, with NaN for no value."""
    from rasterio.errors import RasterioIOError

    try:
        raw = source.read(bands, window=window, masked=True)
    except RasterioIOError as error:
        raise GridError(
            f"{Path(source.name).name} cannot be read to the end; the file may be "
            f"truncated. Fetch or make it again. ({_line(error)})"
        ) from error
    values: NDArray[np.float64] = np.ma.filled(raw.astype(np.float64), np.nan)
    index = [b - 1 for b in bands]
    values *= np.array(source.scales)[index, None, None]
    values += np.array(source.offsets)[index, None, None]
    values[~np.isfinite(values)] = np.nan
    return values


def _warped(
    source: Any, bands: list[int], *, own: Grid, grid: Grid, resampling: Resampling
) -> NDArray[np.float64]:
    from rasterio.errors import RasterioError
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window

    name = Path(source.name).name
    try:
        west, south, east, north = transform_bounds(
            grid.crs, own.crs, *grid.bounds, densify_pts=21
        )
    except RasterioError as error:
        raise GridError(
            f"the grid in {grid.crs} cannot be placed in {own.crs}, the CRS of {name}: "
            f"{_line(error)}"
        ) from error
    across = max(own.dx, (east - west) / grid.shape[1])
    down = max(own.dy, (north - south) / grid.shape[0])
    margin = (west - 2 * across, south - 2 * down, east + 2 * across, north + 2 * down)
    left, bottom, right, top = own.bounds
    if not (west < right and east > left and south < top and north > bottom):
        raise GridError(
            f"{name} covers {tuple(round(b, 6) for b in own.bounds)} and the grid "
            f"{tuple(round(b, 6) for b in (west, south, east, north))}, both in "
            f"{own.crs}: they do not meet"
        )
    part = own.crop(margin)
    window = Window(
        round((part.west - own.west) / own.dx),
        round((own.north - part.north) / own.dy),
        part.shape[1],
        part.shape[0],
    )
    return resample(
        _values(source, bands, window), part, grid=grid, resampling=resampling
    )

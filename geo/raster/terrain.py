"""Terrain: slope and aspect by Horn's method, and relief where cells are large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GridError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geo.raster.grid import Grid

    Heights = NDArray[np.floating[Any]]


def slope(elevation: Heights, grid: Grid) -> Heights:
    """Steepness of the ground, by Horn's method.

    Parameters
    ----------
    elevation
        Elevation, shape of the grid, NaN where there is none. [m]
    grid
        Cells, in EPSG:4326 or projected in metres.

    Returns
    -------
    numpy.ndarray
        Angle from the horizontal, 0 to 90, shape of the grid; float32 where
        ``elevation`` is, else float64. NaN in the outermost ring of cells and where
        the cell or any of its eight neighbours has no value. [degrees]

    Raises
    ------
    GridError
        If ``elevation`` is not in the shape of the grid; if the grid is neither in
        EPSG:4326 nor projected in metres, or passes a pole.

    Notes
    -----
    Horn's gradient [1]_ from the eight neighbours, as ``gdaldem slope`` takes it. On a
    projected grid it is that in the plane. On a grid in EPSG:4326 cells are as wide
    and as high as they are on the WGS 84 ellipsoid, row by row: one scale for both
    directions, as ``gdaldem -s`` has it, makes a slope that faces east too gentle by
    the cosine of the latitude. Cells must be of a size that shows the slopes asked
    for. How exact: :mod:`geo.raster.kernels.horn`.

    References
    ----------
    .. [1] B. K. P. Horn, "Hill shading and the reflectance map", Proceedings of the
       IEEE 69, 14-47, 1981. https://doi.org/10.1109/PROC.1981.11918

    Examples
    --------
    >>> from geo.raster import Grid
    >>> grid = Grid.over((0.0, 0.0, 90.0, 90.0), 30.0, crs="EPSG:32651")
    >>> east = np.array([[0.0, 30.0, 60.0]] * 3)
    >>> slope(east, grid)
    array([[nan, nan, nan],
           [nan, 45., nan],
           [nan, nan, nan]])
    """
    from geo.raster.kernels.horn import slope_tile

    return _whole(elevation, grid, slope_tile)


def aspect(elevation: Heights, grid: Grid) -> Heights:
    """Direction in which the ground falls most steeply, by Horn's method.

    Parameters
    ----------
    elevation
        Elevation, shape of the grid, NaN where there is none. [m]
    grid
        Cells, in EPSG:4326 or projected in metres.

    Returns
    -------
    numpy.ndarray
        Direction clockwise from the north of the grid, 0 up to but not 360, shape of
        the grid; float32 where ``elevation`` is, else float64. NaN where the ground is
        level, in the outermost ring of cells, and where the cell or any of its eight
        neighbours has no value. [degrees]

    Raises
    ------
    GridError
        If ``elevation`` is not in the shape of the grid; if the grid is neither in
        EPSG:4326 nor projected in metres, or passes a pole.

    Notes
    -----
    From the gradient of :func:`slope`, with its cell sizes; ``gdaldem aspect`` takes
    cells as square. The north of a projected grid is not that of the place: the two
    differ by the meridian convergence.

    Examples
    --------
    >>> from geo.raster import Grid
    >>> grid = Grid.over((0.0, 0.0, 90.0, 90.0), 30.0, crs="EPSG:32651")
    >>> east = np.array([[0.0, 30.0, 60.0]] * 3)
    >>> aspect(east, grid)[1].tolist()
    [nan, 270.0, nan]
    """
    from geo.raster.kernels.horn import aspect_tile

    return _whole(elevation, grid, aspect_tile)


def _whole(elevation: Heights, grid: Grid, kernel: Callable[..., None]) -> Heights:
    """Fill in what a kernel gives inside the outermost ring, and NaN in that."""
    from geo.raster.metric import metric_of

    if elevation.shape != grid.shape:
        raise GridError(
            f"elevation has shape {elevation.shape}; expected that of the grid, "
            f"{grid.shape}"
        )
    kind = np.float32 if elevation.dtype == np.float32 else np.float64
    heights = np.ascontiguousarray(elevation, dtype=kind)
    out = np.full(grid.shape, np.nan, dtype=kind)
    metric = metric_of(grid)
    if min(grid.shape) > 2:
        inner = np.empty((grid.shape[0] - 2, grid.shape[1] - 2), dtype=kind)
        kernel(heights, metric.dx_m[1:-1], metric.dy_m[1:-1], inner)
        out[1:-1, 1:-1] = inner
    return out


def relief(altitude: NDArray[np.float64], *, size: int = 3) -> NDArray[np.float64]:
    """Return the range of altitude round each cell: highest less lowest.

    Parameters
    ----------
    altitude
        Altitude, shape ``(rows, columns)``, NaN where there is none. [m]
    size
        Side of the square neighbourhood, an odd number of cells.

    Returns
    -------
    numpy.ndarray
        Shape of ``altitude``, NaN where ``altitude`` is. [m]

    Raises
    ------
    GridError
        If ``altitude`` is no matrix, or ``size`` is not odd and above zero.

    Notes
    -----
    Slope has no meaning where a cell is kilometres wide: it is the gradient of an
    average, and both a plain and a row of steep ridges give almost none. The range of
    altitude still tells a plain from hills, but it says nothing about the ground
    inside a cell. Cells without a value are left out of the range, and the edge of the
    raster cuts the neighbourhood short.

    Examples
    --------
    >>> relief(np.array([[0.0, 10.0, np.nan], [5.0, 40.0, 90.0]]))
    array([[40., 90., nan],
           [40., 90., 80.]])
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    if altitude.ndim != 2:
        raise GridError(
            f"altitude has {altitude.ndim} dimensions; expected (rows, columns)"
        )
    if size < 1 or size % 2 == 0:
        raise GridError(f"size is {size}; expected an odd number of cells above zero")
    known = np.isfinite(altitude)
    high = maximum_filter(
        np.where(known, altitude, -np.inf), size=size, mode="constant", cval=-np.inf
    )
    low = minimum_filter(
        np.where(known, altitude, np.inf), size=size, mode="constant", cval=np.inf
    )
    return np.where(known, np.subtract(high, low, where=known, out=high), np.nan)

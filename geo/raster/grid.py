"""Grids of cells on the ellipsoid."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from geo.crs import is_lonlat
from geo.errors import GridError
from geo.geodesy import authalic, ellipsoid

if TYPE_CHECKING:
    import os

    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

_SNAP = 1e-6
"""Share of a cell by which bounds may miss a whole number of cells. [1]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Rectangular cells, north up, in one CRS.

    Attributes
    ----------
    west, north
        Outer corner of the first cell, in units of the CRS.
    dx, dy
        Width and height of a cell, both above zero, in units of the CRS.
    shape
        Number of rows and of columns.
    crs
        CRS as rasterio writes it, such as ``EPSG:4326``.

    Examples
    --------
    >>> grid = Grid.over((124.0, 39.0, 124.2, 39.1), 0.05)
    >>> grid.shape, grid.bounds
    ((2, 4), (124.0, 39.0, 124.2, 39.1))
    >>> round(float(grid.cell_areas()[0]) / 1e6, 1)
    24.0
    """

    west: float
    north: float
    dx: float
    dy: float
    shape: tuple[int, int]
    crs: str = "EPSG:4326"

    def __post_init__(self) -> None:
        """Refuse what is no grid."""
        numbers = (self.west, self.north, self.dx, self.dy)
        if not all(map(math.isfinite, numbers)) or self.dx <= 0 or self.dy <= 0:
            raise GridError(
                f"a grid with corner ({self.west}, {self.north}) and cells of "
                f"{self.dx} by {self.dy}: expected finite numbers and cells above zero"
            )
        if min(self.shape) < 1:
            raise GridError(
                f"a grid of {self.shape} cells; expected one row and one column or more"
            )

    @classmethod
    def over(
        cls,
        bbox: tuple[float, float, float, float],
        resolution: float,
        *,
        crs: str = "EPSG:4326",
    ) -> Self:
        """Cover a box with square cells, counted from its north-west corner.

        Parameters
        ----------
        bbox
            West, south, east, north, in units of the CRS. The last row and column
            reach beyond it when it is no whole number of cells.
        resolution
            Side of a cell, in units of the CRS.
        crs
            CRS of the box.

        Returns
        -------
        Grid
            North up.

        Raises
        ------
        GridError
            If the box is empty or the resolution is not above zero.
        """
        west, south, east, north = bbox
        finite = all(map(math.isfinite, (*bbox, resolution)))
        if not (finite and west < east and south < north and resolution > 0):
            raise GridError(
                f"no grid over {bbox} at {resolution}; expected west < east, "
                "south < north and a resolution above zero"
            )
        rows = math.ceil((north - south) / resolution - _SNAP)
        columns = math.ceil((east - west) / resolution - _SNAP)
        return cls(
            west=west,
            north=north,
            dx=resolution,
            dy=resolution,
            shape=(rows, columns),
            crs=crs,
        )

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> Self:
        """Return the grid that a raster file lies on.

        Parameters
        ----------
        path
            Raster that GDAL can open.

        Returns
        -------
        Grid
            Cells of the file.

        Raises
        ------
        CRSMissingError
            If the file names no CRS.
        GridError
            If it cannot be read, has no position, or is not north up.
        """
        from geo.raster.reading import open_raster

        with open_raster(path) as source:
            return cls.of_source(source)

    @classmethod
    def of_source(cls, source: Any) -> Self:
        """Return the grid of an open raster.

        Parameters
        ----------
        source
            Dataset as rasterio opens it.

        Returns
        -------
        Grid
            Its cells.

        Raises
        ------
        GridError
            If it has no position, or is not north up.
        """
        t = source.transform
        if t.b or t.d or t.a <= 0 or t.e >= 0:
            raise GridError(
                f"{Path(source.name).name} is rotated, flipped or has no position; "
                "expected a north-up raster. Warp it first, for instance with gdalwarp."
            )
        return cls(
            west=t.c,
            north=t.f,
            dx=t.a,
            dy=-t.e,
            shape=(source.height, source.width),
            crs=source.crs.to_string(),
        )

    @property
    def transform(self) -> Any:
        """Affine transform from (column, row) to coordinates, as rasterio takes it."""
        from rasterio import Affine

        return Affine(self.dx, 0.0, self.west, 0.0, -self.dy, self.north)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north, rounded to a millionth of a cell."""
        rows, columns = self.shape
        digits = max(0, 6 - math.floor(math.log10(min(self.dx, self.dy))))
        east = round(self.west + columns * self.dx, digits)
        return self.west, round(self.north - rows * self.dy, digits), east, self.north

    @property
    def is_lonlat(self) -> bool:
        """Whether coordinates are longitude and latitude on WGS 84."""
        from pyproj import CRS

        return is_lonlat(CRS.from_user_input(self.crs))

    def crop(self, bbox: tuple[float, float, float, float]) -> Self:
        """Return the cells that a box touches, still on the lines of this grid.

        Parameters
        ----------
        bbox
            West, south, east, north, in units of the CRS.

        Returns
        -------
        Grid
            Part of this grid.

        Raises
        ------
        GridError
            If the box lies outside the grid.
        """
        rows, columns = self.shape
        west, south, east, north = bbox
        first = max(0, math.floor((west - self.west) / self.dx + _SNAP))
        last = min(columns, math.ceil((east - self.west) / self.dx - _SNAP))
        top = max(0, math.floor((self.north - north) / self.dy + _SNAP))
        bottom = min(rows, math.ceil((self.north - south) / self.dy - _SNAP))
        if first >= last or top >= bottom:
            raise GridError(f"the box {bbox} lies outside the grid over {self.bounds}")
        return type(self)(
            west=self.west + first * self.dx,
            north=self.north - top * self.dy,
            dx=self.dx,
            dy=self.dy,
            shape=(bottom - top, last - first),
            crs=self.crs,
        )

    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the coordinates of the cell centres.

        Returns
        -------
        x, y
            Each of shape ``(rows, columns)``, in units of the CRS: longitude and
            latitude on a grid in EPSG:4326. [degrees]
        """
        rows, columns = self.shape
        x = self.west + (np.arange(columns) + 0.5) * self.dx
        y = self.north - (np.arange(rows) + 0.5) * self.dy
        return np.broadcast_to(x, self.shape), np.broadcast_to(y[:, None], self.shape)

    def cell_areas(self) -> NDArray[np.float64]:
        """Return the area of a cell in each row, on the WGS 84 ellipsoid.

        Returns
        -------
        numpy.ndarray
            Shape ``(rows,)``, north first. [m²]

        Raises
        ------
        GridError
            If the grid is not in EPSG:4326 or passes a pole.

        Notes
        -----
        Closed form for the zone between two parallels [1]_, exact to rounding. A cell
        is bounded by parallels, so a geodesic polygon through its four corners is
        larger or smaller by some parts in a million at 0.05°.

        References
        ----------
        .. [1] J. P. Snyder, "Map Projections: A Working Manual", USGS Professional
           Paper 1395, 1987, equation 3-12. https://doi.org/10.3133/pp1395
        """
        self.require_lonlat()
        edges = self.north - np.arange(self.shape[0] + 1) * self.dy
        if edges[0] > 90 + _SNAP or edges[-1] < -90 - _SNAP:
            raise GridError(f"the grid over {self.bounds} reaches past a pole")
        strips = authalic(np.clip(edges, -90, 90))
        areas: NDArray[np.float64] = -np.diff(strips) * math.radians(self.dx)
        return areas

    def cell_diagonal_m(self) -> float:
        """Return the diagonal of the cell in the middle row. [m].

        Returns
        -------
        float
            Geodesic length. [m]

        Raises
        ------
        GridError
            If the grid is not in EPSG:4326.
        """
        self.require_lonlat()
        middle = self.north - self.shape[0] / 2 * self.dy
        south = middle - self.dy / 2
        *_, length = ellipsoid().inv(0.0, south, self.dx, south + self.dy)
        return float(length)

    def require_lonlat(self) -> None:
        """Raise unless the grid is in EPSG:4326.

        Raises
        ------
        GridError
            If the grid is in any other CRS.
        """
        if not self.is_lonlat:
            raise GridError(
                f"the grid is in {self.crs}; expected EPSG:4326. "
                "Make one with Grid.over(bbox, degrees) and read rasters onto it."
            )


def inside(geometry: gpd.GeoSeries, grid: Grid) -> NDArray[np.int64]:
    """Return which geometry holds the centre of each cell.

    Parameters
    ----------
    geometry
        Polygons, shape ``(n,)``, EPSG:4326.
    grid
        Grid in EPSG:4326.

    Returns
    -------
    numpy.ndarray
        Shape of the grid. Position of the first polygon that holds the centre, or -1.

    Raises
    ------
    CRSMissingError, CRSMismatchError
        If ``geometry`` names no CRS, or another than EPSG:4326.
    GridError
        If the grid is not in EPSG:4326.
    """
    from geo.crs import require_lonlat

    require_lonlat(geometry, "geometry")
    grid.require_lonlat()
    lon, lat = grid.centres()
    owner = np.full(grid.shape, -1, dtype=np.int64)
    for position, shape in enumerate(geometry):
        held = holds(shape, lon, lat)
        owner[held & (owner < 0)] = position
    return owner


def holds(
    shape: BaseGeometry, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which places lie in a polygon, however many turns their longitude has.

    Parameters
    ----------
    shape
        Polygon in EPSG:4326.
    lon, lat
        Places, of one shape; longitudes may run on past 180 degrees. [degrees]

    Returns
    -------
    numpy.ndarray
        Shape of ``lon``; False on the outline.
    """
    import shapely

    shapely.prepare(shape)
    held = shapely.contains_xy(shape, lon, lat)
    for turn in (360.0, -360.0):
        beyond = np.abs(lon) > 180
        if beyond.any():
            held = held | shapely.contains_xy(shape, lon + turn, lat)
    return np.asarray(held)

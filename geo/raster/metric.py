"""Lengths and areas of the cells of a grid, row by row."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GridError
from geo.geodesy import ellipsoid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.raster.grid import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_BITS = 61
"""Bits for the area of a whole grid, and for the length of all its edges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """Sizes of cells; arrays of shape ``(rows,)`` unless said otherwise.

    Attributes
    ----------
    dx_m, dy_m
        Width at the middle of the row, and height. [m]
    area_m2
        Area. [m²]
    edge_m
        Length of a cell's edge on each line between rows, the outer two included,
        shape ``(rows + 1,)``. [m]
    """

    dx_m: Floats
    dy_m: Floats
    area_m2: Floats
    edge_m: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Areas and lengths in whole numbers, whose sums no order of adding can change.

    Attributes
    ----------
    area, edge, height
        :attr:`Metric.area_m2`, ``edge_m`` and ``dy_m`` in these units.
    area_unit_m2, length_unit_m
        The units: powers of two, so small that rounding to them is below a billionth
        of what a grid of 100 000 by 100 000 cells holds, so large that the area and
        the edges of the whole grid still fit 64 bits. [m²], [m]
    """

    area: Ints
    edge: Ints
    height: Ints
    area_unit_m2: float
    length_unit_m: float


def metric_of(grid: Grid) -> Metric:
    """Measure the cells of a grid.

    Parameters
    ----------
    grid
        In EPSG:4326, or projected in metres.

    Returns
    -------
    Metric
        On the WGS 84 ellipsoid for EPSG:4326: widths along parallels, heights along
        meridians. In the plane of the projection otherwise.

    Raises
    ------
    GridError
        If the grid is in any other CRS, or passes a pole.
    """
    require_metric(grid)
    rows = grid.shape[0]
    if not grid.is_lonlat:
        return Metric(
            dx_m=np.full(rows, grid.dx),
            dy_m=np.full(rows, grid.dy),
            area_m2=np.full(rows, grid.dx * grid.dy),
            edge_m=np.full(rows + 1, grid.dx),
        )
    edges = grid.north - np.arange(rows + 1) * grid.dy
    lines = np.clip(edges, -90.0, 90.0).astype(np.float64)
    middles = (lines[:-1] + lines[1:]) / 2
    zero = np.zeros(rows)
    *_, heights = ellipsoid().inv(zero, lines[:-1], zero, lines[1:])
    return Metric(
        dx_m=_parallel_m(middles) * grid.dx,
        dy_m=np.asarray(heights, dtype=np.float64),
        area_m2=grid.cell_areas(),
        edge_m=_parallel_m(lines) * grid.dx,
    )


def units_of(metric: Metric, columns: int) -> Units:
    """Turn the sizes of cells into whole numbers.

    Parameters
    ----------
    metric
        Sizes.
    columns
        How many columns the grid has.

    Returns
    -------
    Units
        Whole numbers and what they count.
    """
    area_unit = _unit(float(metric.area_m2.sum()) * columns)
    around = 2 * (float(metric.edge_m.sum()) + float(metric.dy_m.sum()))
    length_unit = _unit(around * columns)
    return Units(
        area=_whole(metric.area_m2, area_unit),
        edge=_whole(metric.edge_m, length_unit),
        height=_whole(metric.dy_m, length_unit),
        area_unit_m2=area_unit,
        length_unit_m=length_unit,
    )


def require_metric(grid: Grid) -> None:
    """Raise unless the cells of a grid can be measured.

    Parameters
    ----------
    grid
        Any grid.

    Raises
    ------
    GridError
        If it is neither in EPSG:4326 nor projected in metres.
    """
    from pyproj import CRS

    if grid.is_lonlat:
        return
    crs = CRS.from_user_input(grid.crs)
    if not crs.is_projected:
        raise GridError(
            f"the grid is in {grid.crs}; expected EPSG:4326, or a projected CRS in "
            "metres"
        )
    unit = crs.axis_info[0]
    if unit.unit_conversion_factor != 1.0:
        raise GridError(
            f"the grid is in {grid.crs}, whose unit is the {unit.unit_name}; expected "
            "metres. Choose a CRS in metres; rasters are brought onto it"
        )


def _parallel_m(lat_deg: Floats) -> Floats:
    """Length of a degree of the parallel. [m]."""
    lat = np.radians(lat_deg)
    geod = ellipsoid()
    across = geod.a * np.cos(lat) / np.sqrt(1.0 - geod.es * np.sin(lat) ** 2)
    along: Floats = np.maximum(across, 0.0) * math.radians(1.0)
    return along


def _unit(total: float) -> float:
    """Smallest power of two by which a total still fits."""
    return math.ldexp(1.0, math.ceil(math.log2(total)) - _BITS)


def _whole(values: Floats, unit: float) -> Ints:
    whole: Ints = np.rint(values / unit).astype(np.int64)
    return whole

"""Groups of cells: connected regions, compact areas grown from the best cells."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.errors import GridError
from geo.geodesy import ellipsoid

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray
    from shapely import Geometry

    from geo.raster.grid import Grid

_ROOK = ((-1, 0), (0, -1), (0, 1), (1, 0))


def label(
    mask: NDArray[np.bool_],
    grid: Grid,
    *,
    min_area_m2: float = 0.0,
    connectivity: Literal[4, 8] = 4,
) -> NDArray[np.int64]:
    """Label the connected regions of a mask.

    Parameters
    ----------
    mask
        Cells to join, shape of the grid.
    grid
        Cells in EPSG:4326.
    min_area_m2
        Smallest region that is kept, area on the ellipsoid. [m²]
    connectivity
        4: cells join along edges; 8: at corners too.

    Returns
    -------
    numpy.ndarray
        Shape of the grid. 0 outside, else 1, 2 … in the order in which a region is
        first met, row by row from the north-west.

    Raises
    ------
    GridError
        If ``mask`` is not in the shape of the grid, or the grid not in EPSG:4326.
    """
    from scipy.ndimage import label as connected

    _require_shape(mask, grid, "mask")
    structure = np.ones((3, 3)) if connectivity == 8 else None
    labels, count = connected(mask, structure=structure)
    areas = np.bincount(
        labels.ravel(), weights=_areas(grid).ravel(), minlength=count + 1
    )
    kept = areas >= min_area_m2
    kept[0] = False
    number = np.where(kept, np.cumsum(kept), 0)
    numbered: NDArray[np.int64] = number[labels].astype(np.int64)
    return numbered


def grow(
    score: NDArray[np.float64],
    grid: Grid,
    *,
    min_area_m2: float,
    max_area_m2: float,
    max_radius_m: float,
    limit: int | None = None,
) -> NDArray[np.int64]:
    """Grow compact areas of bounded size from the best cells.

    Parameters
    ----------
    score
        Score of each cell, shape of the grid; NaN where no area may go.
    grid
        Cells in EPSG:4326.
    min_area_m2, max_area_m2
        Smallest and largest area, on the ellipsoid. [m²]
    max_radius_m
        Greatest geodesic distance of a cell's centre from the seed's. [m]
    limit
        Greatest number of areas.

    Returns
    -------
    numpy.ndarray
        Shape of the grid. 0 outside, else 1, 2 … in the order of growth, so the area
        with the best seed is 1. Each is connected along edges.

    Raises
    ------
    GridError
        If ``score`` is not in the shape of the grid, the grid not in EPSG:4326, or
        the bounds are not ``0 < min <= max`` with a radius above zero.

    Notes
    -----
    Best-first region growing. The best free cell is the seed; of the free cells that
    share an edge with the area and lie within ``max_radius_m`` of the seed, the best
    joins next, until no more fits under ``max_area_m2``. An area below
    ``min_area_m2`` is given up, and its seed with it; its other cells stay free. Ties
    go to the cell nearer to the seed, then to the more northern, then to the more
    western one, so the same input gives the same areas on every machine. A first come
    first served rule: areas grown later are hemmed in by earlier ones, and the division
    of a wide plain into areas is one of many.
    """
    _require_shape(score, grid, "score")
    if not (0 < min_area_m2 <= max_area_m2 and max_radius_m > 0):
        raise GridError(
            f"areas from {min_area_m2} to {max_area_m2} m² within {max_radius_m} m; "
            "expected 0 < smallest <= largest and a radius above zero"
        )
    cell_area = _areas(grid)
    lon, lat = grid.centres()
    free = np.isfinite(score)
    seeds = free.copy()
    grown = np.zeros(grid.shape, dtype=np.int64)
    flat_order = np.argsort(np.where(free, -score, np.inf), axis=None, kind="stable")
    count = 0
    for flat in flat_order[: int(free.sum())]:
        if limit is not None and count >= limit:
            break
        seed = (int(flat) // grid.shape[1], int(flat) % grid.shape[1])
        if not (free[seed] and seeds[seed]):
            continue
        near = free & _window(seed, grid, max_radius_m)
        from_seed = np.full(grid.shape, np.inf)
        from_seed[near] = _distances(lon[seed], lat[seed], lon[near], lat[near])
        allowed = from_seed <= max_radius_m
        cells = _grow_one(
            seed,
            score=score,
            allowed=allowed,
            cell_area=cell_area,
            from_seed=from_seed,
            max_area_m2=max_area_m2,
        )
        rows, columns = np.array(cells).T
        if cell_area[rows, columns].sum() < min_area_m2:
            seeds[seed] = False
            continue
        count += 1
        grown[rows, columns] = count
        free[rows, columns] = False
    return grown


def polygons(labels: NDArray[np.int64], grid: Grid) -> gpd.GeoDataFrame:
    """Return the outline of each labelled region.

    Parameters
    ----------
    labels
        Shape of the grid; 0 is no region.
    grid
        Cells in EPSG:4326.

    Returns
    -------
    geopandas.GeoDataFrame
        EPSG:4326, index 0, 1 …, a row a label in rising order: ``label``,
        ``cells`` (how many), ``area_m2`` on the ellipsoid [m²], and the geometry,
        valid, along cell edges: a Polygon, or a MultiPolygon where a label falls in
        parts that share no edge.

    Raises
    ------
    GridError
        If ``labels`` is not in the shape of the grid, or the grid not in EPSG:4326.
    """
    import geopandas as gpd
    import shapely
    from rasterio.features import shapes

    _require_shape(labels, grid, "labels")
    parts: dict[int, list[Geometry]] = {}
    for outline, value in shapes(
        labels.astype(np.int32), mask=labels > 0, transform=grid.transform
    ):
        parts.setdefault(int(value), []).append(shapely.geometry.shape(outline))
    names = sorted(parts)
    areas = _areas(grid)
    outlines = [
        shapely.set_precision(shapely.union_all(parts[n]), min(grid.dx, grid.dy) * 1e-7)
        for n in names
    ]
    return gpd.GeoDataFrame(
        {
            "label": np.array(names, dtype=np.int64),
            "cells": [int((labels == n).sum()) for n in names],
            "area_m2": [float(areas[labels == n].sum()) for n in names],
        },
        geometry=outlines,
        crs="EPSG:4326",
    )


def _grow_one(
    seed: tuple[int, int],
    *,
    score: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    cell_area: NDArray[np.float64],
    from_seed: NDArray[np.float64],
    max_area_m2: float,
) -> list[tuple[int, int]]:
    """Cells of one area, the seed first."""
    queue = [(-score[seed], 0.0, *seed)]
    met = {seed}
    cells: list[tuple[int, int]] = []
    room = max_area_m2
    while queue:
        _, _, row, column = heapq.heappop(queue)
        if cell_area[row, column] > room:
            break
        room -= cell_area[row, column]
        cells.append((row, column))
        for down, right in _ROOK:
            cell = (row + down, column + right)
            if cell in met or not (
                0 <= cell[0] < score.shape[0] and 0 <= cell[1] < score.shape[1]
            ):
                continue
            met.add(cell)
            if allowed[cell]:
                # Millimetres, so that rounding in the last digit decides no tie.
                away = round(float(from_seed[cell]), 3)
                heapq.heappush(queue, (-score[cell], away, *cell))
    return cells


def _distances(
    lon: float, lat: float, lons: NDArray[np.float64], lats: NDArray[np.float64]
) -> NDArray[np.float64]:
    *_, metres = ellipsoid().inv(
        np.full(lons.shape, lon), np.full(lats.shape, lat), lons, lats
    )
    return np.asarray(metres, dtype=np.float64)


def _window(seed: tuple[int, int], grid: Grid, radius_m: float) -> NDArray[np.bool_]:
    """Rows and columns that may lie within a radius of a cell; none is missed."""
    reach_deg = radius_m / 110_000
    lat = grid.north - (seed[0] + 0.5) * grid.dy
    polar = np.radians(min(abs(lat) + reach_deg, 89.9))
    rows = np.abs(np.arange(grid.shape[0]) - seed[0]) * grid.dy <= reach_deg
    columns = np.abs(np.arange(grid.shape[1]) - seed[1]) * grid.dx * np.cos(polar)
    return np.asarray(rows[:, None] & (columns <= reach_deg)[None, :])


def _areas(grid: Grid) -> NDArray[np.float64]:
    return np.broadcast_to(grid.cell_areas()[:, None], grid.shape)


def _require_shape(
    values: NDArray[np.bool_] | NDArray[np.int64] | NDArray[np.float64],
    grid: Grid,
    name: str,
) -> None:
    grid.require_lonlat()
    if values.shape != grid.shape:
        raise GridError(
            f"{name} has shape {values.shape}; expected {grid.shape}, that of the grid"
        )

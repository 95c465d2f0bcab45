"""Distance to the nearest feature as a smooth field over a grid.

Exact distances at the nodes of a lattice, bilinear between them: enough to grade by,
and cheap at any size. To exclude by distance use :mod:`geo.raster.buffers`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeometryError
from geo.geodesy import EQUATORIAL_RADIUS_M, earth_centred
from geo.raster.buffers import prepare_inside
from geo.raster.grid import Grid
from geo.raster.kernels.fields import nearest_of, roots, seed, sweep
from geo.raster.kernels.samples import PAD, Places
from geo.raster.sources import Smooth

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FINE_NODES = 4_000_000
"""Up to so many nodes a lattice is made finer than :data:`STEP`."""

MOST_NODES = 32_000_000
"""Beyond so many nodes a lattice is made coarser."""

STEP = 8
"""Cells from node to node, on grids between the two."""

_CURVED_DEG = 0.02
"""Edges are cut into pieces of this before they are projected, some 2 km. [degrees]"""

_RIVALS = 8
"""Pieces off the lattice that are tried for each node on its rim."""


def field_of(features: gpd.GeoSeries, grid: Grid) -> Smooth:
    """Measure from every cell to the nearest feature.

    Parameters
    ----------
    features
        Points, lines and polygons, EPSG:4326, one or more. Those off the grid count.
    grid
        The cells: distances are geodesics in EPSG:4326, and those of the plane on a
        projected grid.

    Returns
    -------
    Smooth
        Distances at the nodes of a lattice. [m]

    Raises
    ------
    GeometryError
        If no feature has a place in the CRS of the grid.

    Notes
    -----
    Nodes stand :data:`STEP` cells apart; closer, down to every cell, on grids of less
    than 256 million cells, and wider beyond two billion. Of a node each neighbour tells
    the piece that is its own nearest, in sweeps until nothing changes, and the distance
    to that piece is exact. A node may so miss a piece that is nearer by a little; in
    the tests this is below a twentieth of the step. Between nodes the
    distance is bilinear. It changes by no more than a metre a metre, so this is off by
    0.71 of the step at the most (midway between features; far less elsewhere).
    """
    step = _step(grid.shape)
    lattice = _lattice(grid, step)
    distance = _distances(features, lattice)
    padded = np.pad(distance, PAD, constant_values=np.nan)
    return Smooth(
        raster=padded,
        rows=_places(grid.shape[0], step),
        columns=_places(grid.shape[1], step),
        complete=True,
    )


def _step(shape: tuple[int, int]) -> int:
    """Cells from node to node."""
    cells = shape[0] * shape[1]
    step = min(math.ceil(math.sqrt(cells / FINE_NODES)), STEP)
    return max(step, math.ceil(math.sqrt(cells / MOST_NODES)))


def _lattice(grid: Grid, step: int) -> Grid:
    """Cells whose centres are the nodes: on corners of the grid's, or their centres."""
    if step == 1:
        return grid
    rows, columns = (n // step + 2 for n in grid.shape)
    return Grid(
        west=grid.west - step * grid.dx / 2,
        north=grid.north + step * grid.dy / 2,
        dx=step * grid.dx,
        dy=step * grid.dy,
        shape=(rows, columns),
        crs=grid.crs,
    )


def _places(n: int, step: int) -> Places:
    """Where rows, or columns, of the grid lie in the lattice."""
    way = np.arange(n) + (0.5 if step > 1 else 0.0)
    at = np.floor(way / step)
    return Places((at + PAD).astype(np.int32), way / step - at)


def _distances(features: gpd.GeoSeries, lattice: Grid) -> Floats:
    """Distance from each node to the nearest feature. [m]."""
    ends = _pieces(features, lattice)
    if not len(ends):
        raise GeometryError(
            f"no feature has a place in {lattice.crs}; give features that are nearer"
        )
    pieces = np.hstack(
        [_in_space(ends[:, :2], lattice), _in_space(ends[:, 2:], lattice)]
    )
    rows, columns = np.indices(lattice.shape, dtype=np.float64)
    places = _in_space(np.stack([rows, columns], axis=-1), lattice)
    nearest = np.full(lattice.shape, -1, dtype=np.int32)
    squares = np.full(lattice.shape, np.inf)
    middle = (ends[:, :2] + ends[:, 2:]) / 2
    last = np.array(lattice.shape) - 1
    inside = ((middle >= 0) & (middle <= last)).all(axis=1)
    chosen = np.flatnonzero(inside)
    seed(places, pieces, chosen, middle, nearest, squares)
    _seed_rim(places, pieces, np.flatnonzero(~inside), nearest, squares)
    while sweep(places, pieces, nearest, squares):
        pass
    distance = np.empty(lattice.shape)
    roots(squares, distance)
    if lattice.is_lonlat:
        # From the chord to the arc; what is left out is below 1 mm up to 300 km.
        distance += distance**3 / (24 * EQUATORIAL_RADIUS_M**2)
    areal = features[features.geom_type.isin(["Polygon", "MultiPolygon"])]
    if len(areal):
        distance[prepare_inside(areal, lattice).marked() == 1] = 0.0
    return distance


def _seed_rim(
    places: Floats,
    pieces: Floats,
    outside: NDArray[np.intp],
    nearest: NDArray[np.int32],
    squares: Floats,
) -> None:
    """Tell the nodes on the rim of the nearest pieces off the lattice.

    The straight way from a node to a piece off the lattice crosses the rim, and there
    the piece is nearest as well: what the rim knows is enough for all.
    """
    from scipy.spatial import cKDTree

    if not len(outside):
        return
    rim = np.ones(nearest.shape, dtype=np.bool_)
    rim[1:-1, 1:-1] = False
    y, x = np.nonzero(rim)
    centres = (pieces[outside, :3] + pieces[outside, 3:]) / 2
    k = min(_RIVALS, len(outside))
    _, rivals = cKDTree(centres).query(places[y, x], k=k)
    rivals = outside[np.reshape(rivals, (len(y), k))]
    nearest_of(places, pieces, y, x, rivals, nearest, squares)


def _pieces(features: gpd.GeoSeries, lattice: Grid) -> Floats:
    """Edges of features as short pieces, in rows and columns of nodes; ``(n, 4)``."""
    from geo.kernels.edges import edges_of

    edges = edges_of(np.asarray(features.array, dtype=object)).lonlat
    if lattice.is_lonlat:
        # Whole turns bring features to the side of the antimeridian that is nearer.
        middle = lattice.west + lattice.shape[1] * lattice.dx / 2
        lon = edges[:, [0, 2]].mean(axis=1)
        turns = 360.0 * np.round((middle - lon) / 360.0)
        x, y = edges[:, [0, 2]] + turns[:, None], edges[:, [1, 3]]
    else:
        from pyproj import Transformer

        edges = _cut(edges, np.full(len(edges), _CURVED_DEG))
        there = Transformer.from_crs(4326, lattice.crs, always_xy=True)
        x, y = there.transform(edges[:, [0, 2]], edges[:, [1, 3]])
    column = (np.asarray(x) - lattice.west) / lattice.dx - 0.5
    row = (lattice.north - np.asarray(y)) / lattice.dy - 0.5
    ends = np.stack([row[:, 0], column[:, 0], row[:, 1], column[:, 1]], axis=1)
    ends = ends[np.isfinite(ends).all(axis=1)]
    # A piece off the lattice may be the longer, the farther it is away.
    low = np.minimum(ends[:, :2], ends[:, 2:])
    high = np.maximum(ends[:, :2], ends[:, 2:])
    last = np.array(lattice.shape) - 1
    away = np.maximum(np.maximum(low - last, -high), 0.0).max(axis=1, initial=0.0)
    return _cut(ends, np.maximum(away / 8, 1.0))


def _cut(ends: Floats, longest: Floats) -> Floats:
    """Cut straight pieces so that none is longer than it may be in either direction."""
    way = ends[:, 2:] - ends[:, :2]
    counts = np.maximum(np.ceil(np.abs(way).max(axis=1, initial=0.0) / longest), 1)
    counts = counts.astype(np.intp)
    owner = np.repeat(np.arange(len(ends)), counts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = (part / counts[owner])[:, None]
    end = ((part + 1) / counts[owner])[:, None]
    start, way = ends[owner, :2], way[owner]
    return np.hstack([start + begin * way, start + end * way])


def _in_space(nodes: Floats, lattice: Grid) -> Floats:
    """Coordinates of rows and columns of nodes in space, shape ``(…, 3)``. [m]."""
    x = lattice.west + (nodes[..., 1] + 0.5) * lattice.dx
    y = lattice.north - (nodes[..., 0] + 0.5) * lattice.dy
    if not lattice.is_lonlat:
        return np.stack([x, y, np.zeros_like(x)], axis=-1)
    xyz = earth_centred(x.ravel(), np.clip(y, -90.0, 90.0).ravel())
    return np.asarray(xyz).reshape(*x.shape, 3)

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
from geo.raster.kernels.fields import (
    Known,
    Lattice,
    pieces_of,
    roots,
    seed,
    seed_some,
    sweep,
)
from geo.raster.kernels.samples import PAD, Places
from geo.raster.metric import metric_of
from geo.raster.sources import Smooth

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FINE_NODES = 250_000
"""Up to so many nodes a lattice is made finer than it has to be."""

MOST_NODES = 32_000_000
"""Beyond so many nodes a lattice is made coarser than it should be."""

WORST = math.sqrt(0.5)
"""How far off a bilinear distance may be, in steps of the lattice. [1]"""

_CURVED_DEG = 0.02
"""Edges are cut into pieces of this before they are projected, some 2 km. [degrees]"""

_RIVALS = 8
"""Pieces off the lattice that are tried for each node on its rim."""


def field_of(features: gpd.GeoSeries, grid: Grid, tolerance_m: float) -> Smooth:
    """Measure from every cell to the nearest feature.

    Parameters
    ----------
    features
        Points, lines and polygons, EPSG:4326, one or more. Those off the grid count.
    grid
        The cells: distances are geodesics in EPSG:4326, and those of the plane on a
        projected grid.
    tolerance_m
        How far off a distance may be. [m]

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
    Each node learns from its neighbours which piece may be its nearest, in one sweep
    down and one up; the distance is that to the piece. A node so may miss a piece that
    is nearer by a little: in the tests by a thirtieth of the step. Between nodes the
    distance is bilinear. A distance changes by no more than a metre a metre, so this is
    off by 0.71 of the step at the most: midway between features, and far less
    elsewhere. The step is as wide as the tolerance allows, or less on small grids, and
    wider where more than :data:`MOST_NODES` were needed.
    """
    step = step_of(grid, tolerance_m)
    lattice = _lattice(grid, step)
    distance = _distances(features, lattice)
    padded = np.pad(distance, PAD, constant_values=np.nan)
    return Smooth.of(
        padded,
        _places(grid.shape[0], step),
        _places(grid.shape[1], step),
        complete=True,
    )


def step_of(grid: Grid, tolerance_m: float) -> int:
    """Choose how many cells lie between two nodes.

    Parameters
    ----------
    grid
        The cells.
    tolerance_m
        How far off a distance may be. [m]

    Returns
    -------
    int
        1 or more.
    """
    metric = metric_of(grid)
    side = max(float(metric.dx_m.max()), float(metric.dy_m.max()))
    cells = grid.shape[0] * grid.shape[1]
    allowed = max(math.floor(min(tolerance_m / (WORST * side), 1e6)), 1)
    fine = math.ceil(math.sqrt(cells / FINE_NODES))
    return max(min(allowed, fine), math.ceil(math.sqrt(cells / MOST_NODES)))


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
    space = _space(lattice)
    pieces = np.empty((len(ends), 7))
    pieces_of(
        np.hstack([_in_space(ends[:, :2], lattice), _in_space(ends[:, 2:], lattice)]),
        pieces,
    )
    known = Known(
        np.full(lattice.shape, -1, dtype=np.int32), np.full(lattice.shape, np.inf)
    )
    middle = (ends[:, :2] + ends[:, 2:]) / 2
    last = np.array(lattice.shape) - 1
    inside = ((middle >= 0) & (middle <= last)).all(axis=1)
    seed(space, pieces, known, np.flatnonzero(inside), middle)
    _seed_rim(space, pieces, known, np.flatnonzero(~inside))
    sweep(space, pieces, known)
    distance = np.empty(lattice.shape)
    roots(known.square, distance)
    if lattice.is_lonlat:
        # From the chord to the arc; what is left out is below 1 mm up to 300 km.
        distance += distance**3 / (24 * EQUATORIAL_RADIUS_M**2)
    areal = features[features.geom_type.isin(["Polygon", "MultiPolygon"])]
    if len(areal):
        held = prepare_inside(areal, lattice)  # type: ignore[arg-type]  # stubs: Series
        distance[held.marked() == 1] = 0.0
    return distance


def _seed_rim(
    space: Lattice, pieces: Floats, known: Known, outside: NDArray[np.intp]
) -> None:
    """Tell the nodes on the rim of the nearest pieces off the lattice.

    The straight way from a node to a piece off the lattice crosses the rim, and there
    the piece is nearest as well: what the rim knows is enough for all.
    """
    from scipy.spatial import cKDTree

    if not len(outside):
        return
    rim = np.ones(known.square.shape, dtype=np.bool_)
    rim[1:-1, 1:-1] = False
    i, j = np.nonzero(rim)
    a, u, w = space.a[i], space.u[j], space.w[j]
    places = np.column_stack([a * u, a * w, space.z[i]])
    centres = pieces[outside, :3] + pieces[outside, 3:6] / 2
    k = min(_RIVALS, len(outside))
    _, rivals = cKDTree(centres).query(places, k=k)
    rivals = outside[np.reshape(rivals, (len(i), k))]
    seed_some(space, pieces, known, i, j, rivals)


def _space(lattice: Grid) -> Lattice:
    """Where the nodes are in space."""
    rows, columns = lattice.shape
    y, x = (
        np.asarray(first + (np.arange(n) + 0.5) * step, dtype=np.float64)
        for first, n, step in (
            (lattice.north, rows, -lattice.dy),
            (lattice.west, columns, lattice.dx),
        )
    )
    if not lattice.is_lonlat:
        return Lattice(np.ones(rows), y, x, np.zeros(columns))
    meridian = earth_centred(np.zeros(rows), np.clip(y, -90.0, 90.0))
    lam = np.radians(x)
    return Lattice(
        np.ascontiguousarray(meridian[:, 0]),
        np.ascontiguousarray(meridian[:, 2]),
        np.cos(lam),
        np.sin(lam),
    )


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
        return np.stack([x, np.zeros_like(x), y], axis=-1)
    xyz = earth_centred(x.ravel(), np.clip(y, -90.0, 90.0).ravel())
    return np.asarray(xyz).reshape(*x.shape, 3)

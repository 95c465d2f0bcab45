"""Distance to the nearest feature as a smooth field over a grid.

Exact distances at the nodes of a lattice, bilinear between them: enough to grade by,
and cheap at any size. To exclude by distance use :mod:`geo.raster.buffers`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import GeometryError
from geo.geodesy import EQUATORIAL_RADIUS_M, earth_centred
from geo.raster.buffers import prepare_inside
from geo.raster.edges import FLATTEST_RADIUS_M, Drawn, images_of
from geo.raster.grid import Grid
from geo.raster.kernels.fields import (
    LANES,
    REACH,
    Known,
    Lattice,
    look_at,
    pieces_of,
    settled,
    sweep,
    tell_round,
)
from geo.raster.kernels.samples import PAD, Places
from geo.raster.metric import metric_of
from geo.raster.sources import Smooth

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

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


def field_of(
    features: gpd.GeoSeries,
    grid: Grid,
    tolerance_m: float,
    *,
    drawn: Drawn | None = None,
) -> Smooth:
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
    drawn
        Edges of the same features on the same grid, if somebody else needs them too.

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
    A node nearer than :data:`geo.raster.kernels.fields.REACH` steps to any feature has
    the distance to the nearest of all pieces of edges, which leave their edges by less
    than a metre. One farther away learns from its neighbours which piece may be its
    nearest, in one sweep down and one up, and so may miss one that is nearer by a
    little: in the tests by a fortieth of the step. Between nodes the distance is
    bilinear. A distance changes by no more than a metre a metre, so this is off by 0.71
    of the step at the most: midway between features, and far less elsewhere. The step
    is as wide as the tolerance allows, or less on small grids, and wider where more
    than :data:`MOST_NODES` were needed.
    """
    step = step_of(grid, tolerance_m)
    lattice = _lattice(grid, step)
    shapes = np.asarray(features.array, dtype=object)
    distance = _distances(features, lattice, drawn or Drawn(shapes, grid))
    return Smooth.of(
        distance,
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


def _distances(features: gpd.GeoSeries, inner: Grid, drawn: Drawn) -> Singles:
    """Distance from each node to the nearest feature, padded with NaN. [m]."""
    # What will be padding, and more to fill up the last lanes, is nodes at first.
    rows, columns = inner.shape
    lattice = Grid(
        west=inner.west - PAD * inner.dx,
        north=inner.north + PAD * inner.dy,
        dx=inner.dx,
        dy=inner.dy,
        shape=(rows + 2 * PAD, -(-(columns + 2 * PAD) // LANES) * LANES),
        crs=inner.crs,
    )
    parts, begin = _pieces(drawn, lattice)
    pieces = np.empty((sum(len(part.ends) for part in parts), 7))
    if not len(pieces):
        raise GeometryError(
            f"no feature has a place in {lattice.crs}; give features that are nearer"
        )
    space = _space(lattice)
    known = Known(
        np.full(lattice.shape, -1, dtype=np.int32),
        np.full(lattice.shape, np.inf, dtype=np.float32),
    )
    first = 0
    for part in parts:
        pieces_of(part.space, pieces[first : first + len(part.ends)])
        tell_round(space, pieces, part.ends, first, known)
        first += len(part.ends)
    del parts
    _look_from_rim(space, pieces, known, begin)
    sweep(space, pieces, known)
    distance = np.sqrt(known.square, out=known.square)
    if lattice.is_lonlat:
        # From the chord to the arc of a sphere: right to 2 cm up to 100 km.
        for top in range(0, len(distance), 64):
            chords = distance[top : top + 64].astype(np.float64)
            chords += chords**3 / (24 * EQUATORIAL_RADIUS_M**2)
            distance[top : top + 64] = chords
    nodes = distance[PAD : PAD + rows, PAD : PAD + columns]
    areal = features[features.geom_type.isin(["Polygon", "MultiPolygon"])]
    if len(areal):
        held = prepare_inside(areal, inner)  # type: ignore[arg-type]  # stubs: Series
        nodes[held.marked() == 1] = 0.0
    distance[:PAD] = distance[PAD + rows :] = np.nan
    distance[:, :PAD] = distance[:, PAD + columns :] = np.nan
    return distance


def _look_from_rim(space: Lattice, pieces: Floats, known: Known, begin: int) -> None:
    """Tell the nodes on the rim of the nearest pieces off the lattice, from one on.

    The straight way from a node to a piece off the lattice crosses the rim, and there
    the piece is nearest as well: what the rim knows is enough for all.
    """
    from scipy.spatial import cKDTree

    if begin == len(pieces):
        return
    rim = np.ones(known.square.shape, dtype=np.bool_)
    rim[1:-1, 1:-1] = False
    i, j = np.nonzero(rim)
    unsure = known.square[i, j] > settled(space)[i]
    i, j = i[unsure], j[unsure]
    if not len(i):
        return
    a, u, w = space.a[i], space.u[j], space.w[j]
    places = np.column_stack([a * u, a * w, space.z[i]])
    centres = pieces[begin:, :3] + pieces[begin:, 3:6] / 2
    k = min(_RIVALS, len(centres))
    _, rivals = cKDTree(centres).query(places, k=k)
    look_at(space, pieces, known, i, j, begin + np.reshape(rivals, (len(i), k)))


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
    corner = float(x[0]), float(y[0]), lattice.dx, lattice.dy, not lattice.is_lonlat
    if not lattice.is_lonlat:
        wide = np.full(rows, lattice.dx)
        return Lattice(
            *corner, np.ones(rows), y, x, np.zeros(columns), lattice.dy, wide
        )
    meridian = earth_centred(np.zeros(rows), np.clip(y, -90.0, 90.0))
    lam = np.radians(x)
    # A chord squared is that between the parallels and 4 a a' sin² (Δλ / 2). Both sines
    # are no longer in proportion than where they end, REACH steps away.
    to_parallel, to_meridian = (
        2 * np.sin(min(np.radians(step) * REACH, np.pi) / 2) / REACH
        for step in (lattice.dy, lattice.dx)
    )
    north, south = y + REACH * lattice.dy, y - REACH * lattice.dy
    steepest = np.minimum(np.maximum(np.abs(north), np.abs(south)), 90.0)
    shortest = earth_centred(np.zeros(rows), steepest)[:, 0]
    return Lattice(
        *corner,
        np.ascontiguousarray(meridian[:, 0]),
        np.ascontiguousarray(meridian[:, 2]),
        np.cos(lam),
        np.sin(lam),
        FLATTEST_RADIUS_M * float(to_parallel),
        np.maximum(shortest, 0.0) * to_meridian,
    )


class _Part(NamedTuple):
    """Straight pieces of edges."""

    ends: Floats
    """In units of the grid, shape ``(n, 4)``: x, y, x, y."""
    space: Floats
    """As :func:`geo.raster.kernels.fields.pieces_of` takes them. [m]"""


def _pieces(drawn: Drawn, lattice: Grid) -> tuple[list[_Part], int]:
    """Edges of features as straight pieces.

    And from which on they may be nearer to a node than the rim of the lattice is.
    """
    whole = _on_globe(drawn, lattice) if lattice.is_lonlat else _on_plane(drawn)
    west, south, east, north = lattice.bounds
    right, left = east - lattice.dx / 2, west + lattice.dx / 2
    top, bottom = north - lattice.dy / 2, south + lattice.dy / 2
    inside = np.ones(len(whole.ends), dtype=np.bool_)
    for k in (0, 2):
        x, y = whole.ends[:, k], whole.ends[:, k + 1]
        inside &= (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
    parts = [whole]
    if not inside.all():
        off = off_space = _short(whole.ends[~inside], lattice)
        if lattice.is_lonlat:
            lat = np.clip(off[:, 1::2], -90.0, 90.0)
            both = [earth_centred(off[:, 2 * k], lat[:, k]) for k in (0, 1)]
            off_space = np.hstack(both)
        ends = whole.ends[inside]
        in_space = whole.space[inside] if lattice.is_lonlat else ends
        parts = [_Part(ends, in_space), _Part(off, off_space)]
    # The way to a piece may lead round the back of the globe.
    round_globe = lattice.is_lonlat and east - west > 180
    return parts, 0 if round_globe else len(parts[0].ends)


def _short(xy: Floats, lattice: Grid) -> Floats:
    """Cut pieces off the lattice: the farther away, the longer they may be."""
    step = np.array([lattice.dx, lattice.dy])
    west, south, east, north = lattice.bounds
    low = np.minimum(xy[:, :2], xy[:, 2:])
    high = np.maximum(xy[:, :2], xy[:, 2:])
    away = np.maximum(low - (east, north), (west, south) - high) / step
    longest = np.maximum(away.max(axis=1) / 8, 1.0)
    return _cut(xy, longest[:, None] * step)


def _on_globe(drawn: Drawn, lattice: Grid) -> _Part:
    """Pieces in longitude and latitude that hardly leave their chords, and these."""
    from geo.kernels import pieces
    from geo.kernels.edges import Edges

    # Whole turns bring features to the side of the antimeridian that is nearer.
    edges = drawn.edges.copy()
    middle = lattice.west + lattice.shape[1] * lattice.dx / 2
    turns = np.round((middle - (edges[:, 0] + edges[:, 2]) / 2) / 360.0)
    edges[:, 0::2] += 360.0 * turns[:, None]
    whole = Edges(lonlat=edges, offsets=np.array([0, len(edges)]))
    found = pieces.pieces_of(whole)[0]
    reach = (lattice.shape[1] / 2 + REACH) * lattice.dx
    if reach < 180:
        return _Part(found.lonlat, found.xyz)
    # Those that a lattice round the globe meets on either side of where it ends.
    lonlat, xyz = [found.lonlat], [found.xyz]
    for turn in (-360.0, 360.0):
        moved = found.lonlat + np.array([turn, 0.0, turn, 0.0])
        near = np.abs(moved[:, 0::2] - middle).min(axis=1) <= reach
        lonlat.append(moved[near])
        xyz.append(found.xyz[near])
    return _Part(np.concatenate(lonlat), np.concatenate(xyz))


def _on_plane(drawn: Drawn) -> _Part:
    """Pieces in the plane, straight between images no farther apart than some 2 km."""
    edges, xy = drawn.edges, drawn.images
    size = np.abs(edges[:, 2:] - edges[:, :2])
    long = np.maximum(size[:, 0], size[:, 1]) > _CURVED_DEG
    if long.any():
        parts = _cut(edges[long], np.array([_CURVED_DEG, _CURVED_DEG]))
        xy = np.concatenate([xy[~long], images_of(parts, drawn.grid)])
    known = np.isfinite(xy).all(axis=1)
    if not known.all():
        xy = xy[known]
    return _Part(xy, xy)


def _cut(ends: Floats, longest: Floats) -> Floats:
    """Cut straight pieces so that none is longer than it may be in either direction."""
    way = ends[:, 2:] - ends[:, :2]
    counts = np.maximum(np.ceil((np.abs(way) / longest).max(axis=1, initial=0.0)), 1)
    counts = counts.astype(np.intp)
    owner = np.repeat(np.arange(len(ends)), counts)
    part = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    begin = (part / counts[owner])[:, None]
    end = ((part + 1) / counts[owner])[:, None]
    start, way = ends[owner, :2], way[owner]
    return np.hstack([start + begin * way, start + end * way])

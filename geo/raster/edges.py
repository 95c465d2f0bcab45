"""Edges of features brought to a grid: turned, clipped, laid onto its plane."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GeometryError, GridError
from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.raster.grid import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Shapes = NDArray[np.object_]
    Box = tuple[float, float, float, float]

BEND_M = 0.1
"""How far a straight edge may leave its image on a projected grid, if that is less than
a hundredth of a cell. [m]"""

_TOGETHER = 1 << 15
"""Edges that are laid out at a time, so that what is found on the way stays small."""

_PLAIN_DEG = 0.02
"""Edges of up to this are taken to bend to one side only. [degrees]"""

FLATTEST_RADIUS_M = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
"""Smallest radius of curvature of the ellipsoid. [m]"""


class Drawn:
    """Edges of features and their images on a plane, found once for all who ask.

    Safe to share between threads.
    """

    def __init__(self, shapes: Shapes, grid: Grid) -> None:
        self._shapes = shapes
        self.grid = grid
        self._lock = threading.Lock()
        self._edges: Floats | None = None
        self._images: Floats | None = None

    @property
    def edges(self) -> Floats:
        """Ends of each edge, lon, lat, lon, lat, shape ``(n, 4)``. [degrees]."""
        with self._lock:
            return self._taken_apart()

    @property
    def images(self) -> Floats:
        """Their images in the CRS of the grid, not finite where there is none."""
        with self._lock:
            if self._images is None:
                self._images = images_of(self._taken_apart(), self.grid)
            return self._images

    def within(self, box: Box) -> Iterator[tuple[Floats, Floats]]:
        """Cut the edges, turned as often as it takes, to a box, some at a time.

        Parameters
        ----------
        box
            West, south, east, north. [degrees]

        Yields
        ------
        edges : numpy.ndarray
            Ends, lon, lat, lon, lat, shape ``(m, 4)``. [degrees]
        images : numpy.ndarray
            Their images as far as they are known, else not finite.
        """
        for turn in turns(box):
            for first in range(0, len(self.edges), _TOGETHER):
                some = slice(first, first + _TOGETHER)
                edges = self.edges[some] + np.array([turn, 0.0, turn, 0.0])
                parts, whole = clipped(edges, box)
                if turn:
                    images = np.full_like(parts, np.nan)
                else:
                    images = self.images[some][whole]
                    images[whole < 0] = np.nan
                yield parts, images

    def _taken_apart(self) -> Floats:
        from geo.kernels.edges import edges_of

        if self._edges is None:
            self._edges = edges_of(self._shapes).lonlat
        return self._edges


def images_of(edges: Floats, grid: Grid) -> Floats:
    """Bring the ends of edges into the CRS of a grid.

    Parameters
    ----------
    edges
        Ends, lon, lat, lon, lat, shape ``(n, 4)``. Where one begins as the one before
        ends, that place is brought over once. [degrees]
    grid
        The cells, on a plane.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, 4)``: x, y, x, y, in units of the grid; not finite where a place
        has no image.
    """
    from pyproj import Transformer

    there = Transformer.from_crs(4326, grid.crs, always_xy=True)
    joined = np.zeros(len(edges), dtype=np.bool_)
    joined[:-1] = edges[:-1, 2] == edges[1:, 0]
    joined[:-1] &= edges[:-1, 3] == edges[1:, 1]
    loose = np.flatnonzero(~joined)
    images = np.empty_like(edges)
    lon = np.concatenate([edges[:, 0], edges[loose, 2]])
    lat = np.concatenate([edges[:, 1], edges[loose, 3]])
    for axis, found in enumerate(there.transform(lon, lat, inplace=True)):
        images[:, axis] = found[: len(edges)]
        images[:-1, axis + 2] = images[1:, axis]
        images[loose, axis + 2] = found[len(edges) :]
    return images


def lonlat_box(grid: Grid, distance_m: float) -> Box:
    """Find longitudes and latitudes that hold all that can be near a grid, and more.

    Parameters
    ----------
    grid
        The cells.
    distance_m
        How far is near. [m]

    Returns
    -------
    tuple of float
        West, south, east, north; the east may be beyond 180, and 360 wide means
        everywhere. [degrees]

    Raises
    ------
    GridError
        If the grid has no place on the ellipsoid.
    """
    if grid.is_lonlat:
        west, south, east, north = grid.bounds
        away = distance_m / FLATTEST_RADIUS_M * 1.01
        south, north = south - np.degrees(away) - 1e-6, north + np.degrees(away) + 1e-6
        steepest = max(-south, north)
        sine = 2.0
        if steepest < 89.9:
            sine = np.sin(away) / np.cos(np.radians(steepest))
        wide = 180.0 if sine >= 1 else float(np.degrees(np.arcsin(sine))) + 1e-6
        if wide >= 90:
            return -180.0, float(south), 180.0, float(north)
        return west - wide, float(south), east + wide, float(north)
    from pyproj import Transformer

    west, south, east, north = grid.bounds
    more = 1.01 * distance_m + 10 * max(grid.dx, grid.dy)
    there = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    found = there.transform_bounds(
        west - more, south - more, east + more, north + more, densify_pts=21
    )
    if not np.isfinite(found).all():
        raise GridError(
            f"the grid over {grid.bounds} in {grid.crs} has no place on the ellipsoid; "
            "expected bounds where its CRS is defined"
        )
    west, south, east, north = found
    east += 360 if east < west else 0
    more = 0.02 * max(east - west, north - south) + 1e-3
    if east - west + 2 * more >= 360:
        return -180.0, south - more, 180.0, north + more
    return west - more, south - more, east + more, north + more


def turns(box: Box) -> list[float]:
    """Whole turns by which features have to be moved to come into a box."""
    west, _, east, _ = box
    turns = (-360.0, 0.0, 360.0)
    return [turn for turn in turns if -180 + turn <= east and 180 + turn >= west]


def turned(edges: Floats, box: Box) -> list[Floats]:
    """Edges, once for each turn that brings longitudes into a box."""
    return [edges + np.array([turn, 0.0, turn, 0.0]) for turn in turns(box)]


def meets(edges: Floats, box: Box) -> Bools:
    """Which edges have a box that meets another."""
    west, south, east, north = box
    x, y = edges[:, [0, 2]], edges[:, [1, 3]]
    meets = (x.min(axis=1) <= east) & (x.max(axis=1) >= west)
    meets &= (y.min(axis=1) <= north) & (y.max(axis=1) >= south)
    return np.asarray(meets)


def clipped(edges: Floats, box: Box) -> tuple[Floats, Ints]:
    """Cut edges to a box, by the method of Liang and Barsky.

    Parameters
    ----------
    edges
        Ends, lon, lat, lon, lat, shape ``(n, 4)``. [degrees]
    box
        West, south, east, north. [degrees]

    Returns
    -------
    parts : numpy.ndarray
        What lies in the box, shape ``(m, 4)``. [degrees]
    whole : numpy.ndarray
        Which edge each part is, -1 where it is not all of one; shape ``(m,)``.
    """
    west, south, east, north = box
    inside = np.ones(len(edges), dtype=np.bool_)
    for x, y in edges[:, :2].T, edges[:, 2:].T:
        inside &= (x >= west) & (x <= east) & (y >= south) & (y <= north)
    if inside.all():
        return edges, np.arange(len(edges))
    crossing = np.flatnonzero(~inside & meets(edges, box))
    start, way = edges[crossing, :2], edges[crossing, 2:] - edges[crossing, :2]
    begin, end = np.zeros(len(crossing)), np.ones(len(crossing))
    for axis in range(2):
        with np.errstate(divide="ignore", invalid="ignore"):
            one = (box[axis] - start[:, axis]) / way[:, axis]
            other = (box[axis + 2] - start[:, axis]) / way[:, axis]
        level = way[:, axis] == 0
        begin = np.maximum(begin, np.where(level, 0.0, np.minimum(one, other)))
        end = np.minimum(end, np.where(level, 1.0, np.maximum(one, other)))
    kept = begin <= end
    start, way, crossing = start[kept], way[kept], crossing[kept]
    begin, end = begin[kept, None], end[kept, None]
    first = np.where(begin > 0, start + begin * way, start)
    last = np.where(end < 1, start + end * way, edges[crossing, 2:])
    source = np.sort(np.concatenate([np.flatnonzero(inside), crossing]))
    parts, whole = edges[source], np.where(inside[source], source, -1)
    parts[whole < 0] = np.hstack([first, last])
    return parts, whole


def onto_plane(
    edges: Floats, grid: Grid, images: Floats | None = None
) -> tuple[Floats, Ints]:
    """Lay edges out as straight pieces in the CRS of a grid.

    Parameters
    ----------
    edges
        Ends, lon, lat, lon, lat, shape ``(n, 4)``. [degrees]
    grid
        The cells, on a plane.
    images
        Images of the ends as far as they are known, shape ``(n, 4)``; not finite where
        they are not.

    Returns
    -------
    pieces : numpy.ndarray
        Ends x, y, x, y, shape ``(m, 4)``, in units of the grid.
    edge : numpy.ndarray
        The edge that each is part of, shape ``(m,)``.

    Raises
    ------
    GeometryError
        If an edge, or a place of it, has no image in the CRS.

    Notes
    -----
    An edge is halved until its image leaves the straight way by less than a quarter of
    the bound. It is looked at half way; where that is off by a 32nd of the bound, or
    the edge is longer than :data:`_PLAIN_DEG`, at its quarters as well.
    """
    from pyproj import Transformer

    there = Transformer.from_crs(4326, grid.crs, always_xy=True)
    if len(edges) <= _TOGETHER:
        return _laid(edges, images, there, grid)
    ends, source = [], []
    for first in range(0, len(edges), _TOGETHER):
        some = slice(first, first + _TOGETHER)
        known = None if images is None else images[some]
        laid, edge = _laid(edges[some], known, there, grid)
        ends.append(laid)
        source.append(first + edge)
    return np.concatenate(ends), np.concatenate(source)


def _laid(
    edges: Floats, images: Floats | None, there: Any, grid: Grid
) -> tuple[Floats, Ints]:
    """Lay some edges out."""
    bound = min(BEND_M, 0.01 * min(grid.dx, grid.dy)) / 4
    source = np.arange(len(edges))
    order = np.arange(len(edges), dtype=np.float64)
    done: list[tuple[Floats, Ints, Floats]] = []
    step = 1.0
    for turn in range(24):
        if turn or images is None:
            here = _projected(edges[:, :2], there, grid)
            ahead = _projected(edges[:, 2:], there, grid)
            ends = np.hstack([here, ahead])
        else:
            ends = images
            lost = np.flatnonzero(~np.isfinite(images).all(axis=1))
            if len(lost):
                ends = images.copy()
                ends[lost, :2] = _projected(edges[lost, :2], there, grid)
                ends[lost, 2:] = _projected(edges[lost, 2:], there, grid)
        middle = (edges[:, :2] + edges[:, 2:]) / 2
        bent = _bent(edges, middle, ends, bound, there, grid)
        if not bent.any():
            done.append((ends, source, order))
            break
        done.append((ends[~bent], source[~bent], order[~bent]))
        step /= 2
        edges, middle = edges[bent], middle[bent]
        source, order = np.tile(source[bent], 2), order[bent]
        order = np.concatenate([order, order + step])
        edges = np.vstack(
            [np.hstack([edges[:, :2], middle]), np.hstack([middle, edges[:, 2:]])]
        )
    else:
        raise GeometryError(
            f"an edge near {edges[0, 0]:g}, {edges[0, 1]:g} has no continuous image in "
            f"{grid.crs}; cut the feature where that CRS ends"
        )
    if len(done) == 1:
        return done[0][0], done[0][1]
    ends, source, order = (np.concatenate(part) for part in zip(*done, strict=True))
    along = np.argsort(order, kind="stable")
    return ends[along], source[along]


def _projected(lonlat: Floats, there: Any, grid: Grid) -> Floats:
    """Places in the CRS of a grid, shape ``(n, 2)``."""
    xy = np.column_stack(there.transform(lonlat[:, 0], lonlat[:, 1]))
    lost = ~np.isfinite(xy).all(axis=1)
    if lost.any():
        lon, lat = lonlat[int(lost.argmax())]
        raise GeometryError(
            f"the place {lon:g}, {lat:g} has no image in {grid.crs}; cut the feature "
            "where that CRS ends"
        )
    return xy


def _bent(
    edges: Floats, middle: Floats, ends: Floats, bound: float, there: Any, grid: Grid
) -> Bools:
    """Which edges leave the straight way between the images of their ends."""
    off = _aside(_projected(middle, there, grid), ends)
    long = np.maximum(*np.abs(edges[:, 2:] - edges[:, :2]).T) > _PLAIN_DEG
    unsure = np.flatnonzero((off <= bound) & (long | (off > bound / 8)))
    start, way = edges[unsure, :2], edges[unsure, 2:] - edges[unsure, :2]
    for part in (0.25, 0.75):
        look = _aside(_projected(start + way * part, there, grid), ends[unsure])
        off[unsure] = np.maximum(off[unsure], look)
    return np.asarray(off > bound)


def _aside(xy: Floats, ends: Floats) -> Floats:
    """Distance of places from straight pieces."""
    start_x, start_y, end_x, end_y = ends.T
    way_x, way_y = end_x - start_x, end_y - start_y
    off_x, off_y = xy[:, 0] - start_x, xy[:, 1] - start_y
    square = np.maximum(way_x * way_x + way_y * way_y, 1e-300)
    part = np.clip((way_x * off_x + way_y * off_y) / square, 0.0, 1.0)
    return np.asarray(np.hypot(off_x - way_x * part, off_y - way_y * part))

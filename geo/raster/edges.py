"""Edges of features brought to a grid: turned, clipped, laid onto its plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GeometryError, GridError
from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.raster.grid import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Box = tuple[float, float, float, float]

BEND_M = 0.1
"""How far a straight edge may leave its image on a projected grid, if that is less than
a hundredth of a cell. [m]"""

FLATTEST_RADIUS_M = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
"""Smallest radius of curvature of the ellipsoid. [m]"""


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


def clipped(edges: Floats, box: Box) -> Floats:
    """Parts of edges that lie in a box, by the method of Liang and Barsky."""
    edges = edges[meets(edges, box)]
    start, way = edges[:, :2], edges[:, 2:] - edges[:, :2]
    begin, end = np.zeros(len(edges)), np.ones(len(edges))
    for axis in range(2):
        with np.errstate(divide="ignore", invalid="ignore"):
            one = (box[axis] - start[:, axis]) / way[:, axis]
            other = (box[axis + 2] - start[:, axis]) / way[:, axis]
        level = way[:, axis] == 0
        begin = np.maximum(begin, np.where(level, 0.0, np.minimum(one, other)))
        end = np.minimum(end, np.where(level, 1.0, np.maximum(one, other)))
    kept = begin <= end
    start, way, edges = start[kept], way[kept], edges[kept]
    begin, end = begin[kept, None], end[kept, None]
    first = np.where(begin > 0, start + begin * way, edges[:, :2])
    return np.hstack([first, np.where(end < 1, start + end * way, edges[:, 2:])])


def onto_plane(edges: Floats, grid: Grid) -> tuple[Floats, Ints]:
    """Lay edges out as straight pieces in the CRS of a grid.

    Parameters
    ----------
    edges
        Ends, lon, lat, lon, lat, shape ``(n, 4)``. [degrees]
    grid
        The cells, on a plane.

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
    An edge is halved until its image, looked at in three places, leaves the straight
    way by less than a quarter of the bound.
    """
    from pyproj import Transformer

    there = Transformer.from_crs(4326, grid.crs, always_xy=True)
    bound = min(BEND_M, 0.01 * min(grid.dx, grid.dy)) / 4
    source = np.arange(len(edges))
    order = np.arange(len(edges), dtype=np.float64)
    done: list[tuple[Floats, Ints, Floats]] = []
    step = 1.0
    for _ in range(24):
        looks = [edges[:, :2] + (edges[:, 2:] - edges[:, :2]) * t for t in (0.25, 0.75)]
        middle = (edges[:, :2] + edges[:, 2:]) / 2
        here = _projected(edges[:, :2], there, grid)
        ahead = _projected(edges[:, 2:], there, grid)
        images = [_projected(look, there, grid) for look in (middle, *looks)]
        bent = np.max([_aside(image, here, ahead) for image in images], axis=0) > bound
        ends = np.hstack([here, ahead])
        done.append((ends[~bent], source[~bent], order[~bent]))
        if not bent.any():
            break
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


def _aside(xy: Floats, start: Floats, end: Floats) -> Floats:
    """Distance of places from straight pieces."""
    way, off = end - start, xy - start
    square = np.maximum((way**2).sum(axis=1), 1e-300)
    part = np.clip((way * off).sum(axis=1) / square, 0.0, 1.0)
    return np.asarray(np.hypot(*(off - way * part[:, None]).T))

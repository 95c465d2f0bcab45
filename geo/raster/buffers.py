"""What lies near features, or inside them, marked on a grid window by window.

A cell counts by its centre. Nothing is drawn into a raster first and grown there: the
distance is that from the centre to the feature itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.crs import require_lonlat
from geo.errors import GeometryError, GeometryTypeError, GridError
from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M
from geo.raster.edges import (
    FLATTEST_RADIUS_M,
    Drawn,
    lonlat_box,
    meets,
    onto_plane,
    turned,
    turns,
)
from geo.raster.kernels.rings import Rings, mark_inside
from geo.raster.kernels.spans import (
    BAND,
    Bands,
    Cells,
    Reach,
    banded,
    mark_near,
)
from geo.raster.metric import require_metric

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.raster.grid import Grid

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]
    Shapes = NDArray[np.object_]
    Box = tuple[float, float, float, float]

_COLLECTION = 7  # shapely's id of the geometry type
_AREAL = 2  # dimension

_FLATTEST = 0.1
"""Product of the steepness of the latitude and the share of the radius, up to which a
plane is used."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    """Cells of a grid that features mark, found window by window.

    Attributes
    ----------
    grid
        The grid.
    reach
        Pieces of the features' edges with their reach, if they have one.
    rings
        Outlines of what is marked inside, if there are any.
    """

    grid: Grid
    reach: Reach | None = None
    rings: Rings | None = None

    def mark(self, out: NDArray[np.uint8], *, row: int = 0, column: int = 0) -> None:
        """Mark the cells of a window.

        Parameters
        ----------
        out
            Window, shape ``(rows, columns)``. Set to 1 where a cell is marked, left as
            it is elsewhere and outside the grid.
        row, column
            Row and column of the grid at which the window begins.

        Raises
        ------
        GridError
            If ``out`` is no matrix of bytes.

        Notes
        -----
        Releases Python's lock, so that threads can mark their own windows. A cell is
        marked or not whatever the window.
        """
        if out.ndim != 2 or out.dtype != np.uint8:
            raise GridError(
                f"out holds {out.dtype} in {out.ndim} dimensions; expected uint8 in 2"
            )
        above, before = max(-row, 0), max(-column, 0)
        rows, columns = self.grid.shape
        part = out[above : max(rows - row, 0), before : max(columns - column, 0)]
        if not part.size:
            return
        cells = Cells(self.grid.west, self.grid.north, self.grid.dx, self.grid.dy)
        # Kernels are compiled for, and fast on, whole rows that follow each other.
        window = np.ascontiguousarray(part)
        if self.rings is not None:
            mark_inside(self.rings, cells, row + above, column + before, window)
        if self.reach is not None:
            mark_near(self.reach, cells, row + above, column + before, window)
        if window is not part:
            part[...] = window

    def marked(self) -> NDArray[np.uint8]:
        """Return the whole grid: 1 where a cell is marked, else 0.

        Returns
        -------
        numpy.ndarray
            Shape of the grid.
        """
        out = np.zeros(self.grid.shape, dtype=np.uint8)
        self.mark(out)
        return out


def prepare(
    features: gpd.GeoSeries,
    grid: Grid,
    distance_m: float,
    *,
    drawn: Drawn | None = None,
) -> Marks:
    """Prepare to mark the cells whose centres lie within a distance of any feature.

    Parameters
    ----------
    features
        Points, lines and polygons, multi or not, shape ``(n,)``, EPSG:4326; edges are
        straight in longitude and latitude. What lies off the grid counts as well. None
        at all mark nothing.
    grid
        Cells, in EPSG:4326 or projected in metres.
    distance_m
        How far is within, that distance included. Inside a polygon the distance is 0.
        [m]
    drawn
        Edges of the same features on the same grid, if somebody else needs them too.

    Returns
    -------
    Marks
        To be asked for windows.

    Raises
    ------
    CRSMissingError, CRSMismatchError
        If ``features`` names no CRS, or another than EPSG:4326.
    GeometryError
        If a feature is missing, empty or an invalid polygon, or ``distance_m`` is not
        finite or below zero; if a feature near the grid has no place in its CRS.
    GeometryTypeError
        If a feature is a collection.
    GridError
        If the grid is neither in EPSG:4326 nor projected in metres.

    Notes
    -----
    On a grid in EPSG:4326 the distance is that of the geodesic, right to 0.54 mm up to
    8 km (measured: 1e-7 m) and to 1e-5 m at 20 km; features meet across the
    antimeridian.

    On a projected grid the distance is measured in its plane, where it differs from
    that on the ground by the scale factor of the projection: by up to 0.04 % at the
    central meridian of a UTM zone and 0.1 % at its edge, 0.5 m in 500 m, and by as
    much as the projection distorts elsewhere. Edges are brought into the plane with as
    many vertices as keep them within :data:`geo.raster.edges.BEND_M`, or a hundredth of
    a cell, of their images.

    How: :mod:`geo.raster.kernels.spans`. The time grows with the rows that features
    reach, not with the cells.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from geo.raster import Grid
    >>> grid = Grid.over((124.0, 39.98, 124.06, 40.0), 0.01)
    >>> town = gpd.GeoSeries.from_xy([124.005], [39.995], crs=4326)
    >>> prepare(town, grid, 2_000).marked()
    array([[1, 1, 1, 0, 0, 0],
           [1, 1, 0, 0, 0, 0]], dtype=uint8)
    """
    if not (np.isfinite(distance_m) and distance_m >= 0):
        raise GeometryError(
            f"distance_m is {distance_m}; expected a finite length of 0 or more [m]"
        )
    shapes = _checked(features, grid)
    if not len(shapes):
        return Marks(grid=grid)
    drawn = drawn or Drawn(shapes, grid)
    rings = _rings(shapes, grid, distance_m)
    if grid.is_lonlat:
        reach = _geodesic(drawn.edges, grid, distance_m)
    else:
        reach = _planar(drawn, grid, distance_m)
    return Marks(grid=grid, rings=rings, reach=reach)


def prepare_inside(polygons: gpd.GeoSeries, grid: Grid) -> Marks:
    """Prepare to mark the cells whose centres lie inside any polygon.

    Parameters
    ----------
    polygons
        Polygons, multi or not, shape ``(n,)``, EPSG:4326; edges are straight in
        longitude and latitude. None at all mark nothing.
    grid
        Cells, in EPSG:4326 or projected in metres.

    Returns
    -------
    Marks
        To be asked for windows.

    Raises
    ------
    CRSMissingError, CRSMismatchError
        If ``polygons`` names no CRS, or another than EPSG:4326.
    GeometryError
        If one is missing, empty or invalid, or has no place in the grid's CRS.
    GeometryTypeError
        If one is no polygon.
    GridError
        If the grid is neither in EPSG:4326 nor projected in metres.

    Notes
    -----
    Decided without rounding error on a grid in EPSG:4326. On a projected grid edges
    are brought into its plane as for :func:`prepare`. A centre on an outline belongs
    to the polygon east of it, or north of a level edge, so that polygons which share a
    border share out the cells along it.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from geo.raster import Grid
    >>> grid = Grid.over((124.0, 39.98, 124.06, 40.0), 0.01)
    >>> county = gpd.GeoSeries([box(124.012, 39.9, 124.032, 39.992)], crs=4326)
    >>> prepare_inside(county, grid).marked()
    array([[0, 0, 0, 0, 0, 0],
           [0, 1, 1, 0, 0, 0]], dtype=uint8)
    """
    import shapely

    shapes = _checked(polygons, grid)
    other = shapely.get_dimensions(shapes) != _AREAL
    if other.any():
        row = int(other.argmax())
        raise GeometryTypeError(
            f"row {polygons.index[row]} is a {shapes[row].geom_type}; expected polygons"
        )
    return Marks(grid=grid, rings=_rings(shapes, grid, 0.0) if len(shapes) else None)


def _checked(features: gpd.GeoSeries, grid: Grid) -> Shapes:
    """Features as an array, once they and the grid are such as can be used."""
    import shapely

    require_lonlat(features, "features")
    require_metric(grid)
    shapes = np.asarray(features.array, dtype=object)
    collection = shapely.get_type_id(shapes) == _COLLECTION
    if collection.any():
        raise GeometryTypeError(
            f"row {features.index[int(collection.argmax())]} is a GeometryCollection; "
            "expected points, lines or polygons. Call explode() first"
        )
    bad = ~shapely.is_valid(shapes)
    bad &= shapely.get_dimensions(shapes) == _AREAL
    if bad.any():
        row = int(bad.argmax())
        raise GeometryError(
            f"row {features.index[row]}: {shapely.is_valid_reason(shapes[row])}; "
            "expected valid polygons. Call make_valid() first"
        )
    return np.asarray(shapely.force_2d(shapes))


def _planar(drawn: Drawn, grid: Grid, distance_m: float) -> Reach:
    """Pieces of edges in the plane of a projected grid."""
    box = lonlat_box(grid, distance_m)
    found = drawn.within(box)
    ends = [onto_plane(edges, grid, images)[0] for edges, images in found]
    return planar_reach(np.concatenate(ends), grid, distance_m)


def planar_reach(ends: Floats, grid: Grid, distance_m: float) -> Reach:
    """Pieces in the plane of a grid with their reach.

    Parameters
    ----------
    ends
        Ends of the pieces, shape ``(n, 4)``: x, y, x, y. In units of the grid.
    grid
        Cells, projected in metres.
    distance_m
        How far is near. [m]

    Returns
    -------
    Reach
        What :func:`geo.raster.kernels.spans.mark_near` takes.
    """
    rows, columns = _cells_over(ends, np.full((1, 2), distance_m), grid)
    return _reach(
        grid,
        ends,
        rows,
        columns,
        doubt=np.zeros(len(ends)),
        distance_m=distance_m,
        lonlat=False,
        top=0,
        degrees=np.ones((2, 2)),
    )


def _geodesic(edges: Floats, grid: Grid, distance_m: float) -> Reach:
    """Pieces of edges in longitude and latitude."""
    from geo.kernels.edges import Edges
    from geo.kernels.pieces import pieces_of

    box = lonlat_box(grid, distance_m)
    near = edges[:, [1, 3]].min(axis=1) <= box[3]
    near &= edges[:, [1, 3]].max(axis=1) >= box[1]
    whole = Edges(lonlat=edges[near], offsets=np.array([0, int(near.sum())]))
    ends = pieces_of(whole)[0].lonlat
    if box[2] - box[0] < 360:
        parts = [moved[meets(moved, box)] for moved in turned(ends, box)]
        ends = np.concatenate(parts)

    away = distance_m / FLATTEST_RADIUS_M * 1.01
    lat = ends[:, [1, 3]]
    steepest = np.minimum(np.abs(lat).max(axis=1) + np.degrees(away), 90)
    tangent = np.tan(np.radians(np.minimum(steepest, 89.9)))
    height = np.radians(np.ptp(lat, axis=1))
    share = tangent * height / 4 + (1 + tangent**2) * away**2 / 4
    # Widths of a degree are taken from a table of rows, straight between two of them.
    share += np.radians(grid.dy) ** 2 / 4
    doubt = distance_m * share + 1e-4
    polar = (tangent * away > _FLATTEST) | (steepest > 89) | (box[2] - box[0] >= 360)
    wide = np.full(len(ends), 360.0)
    sine = np.sin(away) / np.cos(np.radians(steepest[~polar]))
    wide[~polar] = np.degrees(np.arcsin(np.minimum(sine, 1.0))) + 1e-9
    doubt[polar] = np.inf

    reach_deg = np.column_stack([wide, np.full(len(ends), np.degrees(away) + 1e-9)])
    rows, columns = _cells_over(ends, reach_deg, grid)
    columns[polar] = 0, grid.shape[1] - 1
    middle = (grid.north - lat.mean(axis=1)) / grid.dy
    top = int(np.floor(min(middle.min(initial=0), 0))) - 2
    bottom = int(np.ceil(max(middle.max(initial=0), grid.shape[0]))) + 2
    return _reach(
        grid,
        ends,
        rows,
        columns,
        doubt=doubt,
        distance_m=distance_m,
        lonlat=True,
        top=top,
        degrees=_degrees(grid, top, bottom),
    )


def _reach(grid: Grid, ends: Floats, rows: Ints, columns: Ints, **rest: Any) -> Reach:
    """Pieces that reach the grid at all, and their bands."""
    last_row, last_column = np.array(grid.shape) - 1
    used = (rows[:, 0] <= last_row) & (rows[:, 1] >= 0)
    used &= (columns[:, 0] <= last_column) & (columns[:, 1] >= 0)
    if not used.all():
        ends, rows, columns = ends[used], rows[used], columns[used]
        rest["doubt"] = rest["doubt"][used]
    np.clip(rows, 0, last_row, out=rows)
    np.clip(columns, 0, last_column, out=columns)
    return Reach(
        ends=np.ascontiguousarray(ends),
        rows=rows,
        columns=columns,
        bands=_bands(rows, grid),
        **rest,
    )


def _rings(shapes: Shapes, grid: Grid, distance_m: float) -> Rings | None:
    """Edges of the outlines of polygons, if there are any."""
    import shapely

    from geo.kernels.boxtree import paired

    parts = shapely.get_parts(shapes[shapely.get_dimensions(shapes) == _AREAL])
    if not len(parts):
        return None
    box = lonlat_box(grid, distance_m)
    if not grid.is_lonlat:
        parts = _parts_in(parts, box)
    rings, part = shapely.get_rings(parts, return_index=True)
    shell = np.diff(part, prepend=-1) > 0
    sense = np.where(shell, 1, -1) * np.where(shapely.is_ccw(rings), 1, -1)
    vertices = shapely.get_num_coordinates(rings).astype(np.intp)
    edges = paired(shapely.get_coordinates(rings), vertices)
    sense = np.repeat(sense, vertices - 1)
    if grid.is_lonlat:
        copies = turned(edges, box)
        ends, sense = np.concatenate(copies), np.tile(sense, len(copies))
    else:
        ends, source = onto_plane(edges, grid)
        sense = sense[source]
    ends, sense = ends[ends[:, 1] != ends[:, 3]], sense[ends[:, 1] != ends[:, 3]]
    up = ends[:, 1] < ends[:, 3]
    ends = np.where(up[:, None], ends, ends[:, [2, 3, 0, 1]])
    winding = np.where(up, -sense, sense)

    low, high = ends[:, :2].copy(), ends[:, 2:].copy()
    low[:, 0], high[:, 0] = -np.inf, np.inf
    first = (grid.north - high[:, 1]) / grid.dy - 0.5
    last = (grid.north - low[:, 1]) / grid.dy - 0.5
    east = grid.west + grid.shape[1] * grid.dx
    used = (first <= grid.shape[0]) & (last >= -1)
    used &= ends[:, [0, 2]].min(axis=1) <= east
    rows = np.column_stack([np.floor(first[used]), np.ceil(last[used])])
    rows = np.clip(rows, 0, grid.shape[0] - 1).astype(np.int64)
    return Rings(
        ends=np.ascontiguousarray(ends[used]),
        winding=winding[used].astype(np.int32),
        bands=_bands(rows, grid),
    )


def _parts_in(parts: Shapes, box: Box) -> Shapes:
    """Polygons cut to a box and as many turns off as it needs."""
    import shapely
    from shapely.affinity import translate

    west, south, east, north = box
    bounds = shapely.bounds(parts)
    found = []
    for turn in turns(box):
        moved = parts
        if turn:
            moved = np.array([translate(part, turn) for part in parts], dtype=object)
        low, high = bounds[:, 0] + turn, bounds[:, 2] + turn
        meets = (low <= east) & (high >= west)
        meets &= (bounds[:, 1] <= north) & (bounds[:, 3] >= south)
        inside = (low >= west) & (high <= east)
        inside &= (bounds[:, 1] >= south) & (bounds[:, 3] <= north)
        cut = shapely.intersection(moved[meets & ~inside], shapely.box(*box))
        pieces = shapely.get_parts(np.concatenate([moved[inside], cut]))
        found.append(pieces[shapely.get_dimensions(pieces) == _AREAL])
    return np.concatenate(found)


def _cells_over(ends: Floats, more: Floats, grid: Grid) -> tuple[Ints, Ints]:
    """Rows and columns whose centres may lie so near to pieces, and one more."""
    columns = _lines(ends[:, 0], ends[:, 2], more[:, 0], grid.west, grid.dx)
    return _lines(-ends[:, 1], -ends[:, 3], more[:, 1], -grid.north, grid.dy), columns


def _lines(one: Floats, other: Floats, more: Floats, first: float, step: float) -> Ints:
    """First line and last, shape ``(n, 2)``."""
    lines = np.empty((len(one), 2), dtype=np.int64)
    lines[:, 0] = np.floor((np.minimum(one, other) - more - first) / step - 0.5)
    lines[:, 1] = np.ceil((np.maximum(one, other) + more - first) / step - 0.5)
    return lines


def _bands(rows: Ints, grid: Grid) -> Bands:
    """Pieces by the bands of rows that they reach."""
    starts = np.zeros(-(-grid.shape[0] // BAND) + 1, dtype=np.int64)
    banded(rows, starts, np.empty(0, dtype=np.int32))
    members = np.empty(starts[-1], dtype=np.int32)
    if len(members):
        banded(rows, starts, members)
    return Bands(starts=starts, members=members)


def _degrees(grid: Grid, top: int, bottom: int) -> Floats:
    """Width and height of a degree at the latitudes of rows, shape ``(n, 2)``. [m]."""
    lat = np.radians(
        np.clip(grid.north - (np.arange(top, bottom) + 0.5) * grid.dy, -90, 90)
    )
    flat = 1 - ECCENTRICITY_SQUARED * np.sin(lat) ** 2
    wide = EQUATORIAL_RADIUS_M * np.cos(lat) / np.sqrt(flat)
    tall = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED) / flat**1.5
    degrees: Floats = np.radians(np.column_stack([np.maximum(wide, 1e-3), tall]))
    return degrees

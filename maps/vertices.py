"""Points, lines and polygons of a large layer, packed for a page.

Vertices are whole steps in Web Mercator, features in the order of a Z curve, so that
neighbours in the file are neighbours on the map: their differences are small, and the
page can leave out whole blocks that are not in view.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from geo.errors import GeometryError
from maps.columns import put_numbers, steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from maps.columns import Store

POINT, LINE, AREA = 1, 2, 3
"""Kinds of features, as the page's script knows them; 0 has no place."""

EDGE = 85.0511287798066
"""Latitude at which Web Mercator ends. [degrees]"""

FINEST_M = 0.02
"""Smallest step: one third of what a whole number can tell apart on the globe. [m]"""

FIRST_BOXES = 200_000
"""Vertices from which on the page is given the box of each feature before them: from
far away it draws no more than those, and need not wait for the rest."""

_SINGLE = 3
_AROUND_M = 2 * math.pi * 6378137.0


@dataclass(frozen=True, kw_only=True)
class Shapes:
    """Geometries taken apart.

    Attributes
    ----------
    kinds
        Kind of each feature, 0 where it has no place; shape ``(n,)``.
    owners, holes
        Feature of each ring, and whether it is a hole; shape ``(r,)``.
    lengths
        Vertices of each ring, the closing one of a polygon left out; shape ``(r,)``.
    lonlat
        Vertices of all rings; longitude runs on past 180 where a shape crosses the
        antimeridian; shape ``(v, 2)``. [degrees]
    beyond
        Features that are left out because they lie past :data:`EDGE`.
    """

    kinds: NDArray[np.uint8]
    owners: NDArray[np.int64]
    holes: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    lonlat: NDArray[np.float64]
    beyond: int

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """``(west, south, east, north)``; east may exceed 180. [degrees]."""
        lon, lat = self.lonlat.T
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def has_place(geometries: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which geometries are there, not empty, and finite.

    Parameters
    ----------
    geometries
        Geometries or None, shape ``(n,)``.

    Returns
    -------
    ndarray of bool
        Shape ``(n,)``.

    Examples
    --------
    >>> has_place(np.array([shapely.Point(1, 2), None, shapely.Point(np.inf, 2)]))
    array([ True, False, False])
    """
    if _only_points(geometries):
        lon, lat = _lonlat_of(geometries)
        finite: NDArray[np.bool_] = np.isfinite(lon) & np.isfinite(lat)
        return finite
    there = ~(shapely.is_missing(geometries) | shapely.is_empty(geometries))
    lonlat, owner = shapely.get_coordinates(geometries, return_index=True)
    lost = ~np.isfinite(lonlat[:, 0] + lonlat[:, 1])
    if lost.any():
        there[owner[lost]] = False
    found: NDArray[np.bool_] = there
    return found


def take_apart(
    geometries: NDArray[np.object_],
    name: str,
    there: NDArray[np.bool_] | None = None,
) -> Shapes:
    """Take geometries apart into rings of vertices.

    Parameters
    ----------
    geometries
        Points, lines and polygons, single or multiple; longitude and latitude in
        EPSG:4326; None or empty where a feature has no place; shape ``(n,)``.
    name
        What to call the layer in a message.
    there
        From :func:`has_place`, where it is known.

    Returns
    -------
    Shapes
        An edge of more than 180° of longitude goes the shorter way, over the
        antimeridian.

    Raises
    ------
    geo.errors.GeometryError
        If a polygon goes round a pole.
    """
    if _only_points(geometries):
        return _single_points(geometries)
    kinds = np.zeros(len(geometries), np.uint8)
    types = shapely.get_type_id(geometries)
    there = has_place(geometries) if there is None else there
    for kind, known in ((POINT, (0, 4)), (LINE, (1, 2, 5)), (AREA, (3, 6))):
        kinds[there & np.isin(types, known)] = kind
    lat = shapely.bounds(geometries)[:, [1, 3]]
    with np.errstate(invalid="ignore"):
        past = (kinds > 0) & ((lat[:, 1] < -EDGE) | (lat[:, 0] > EDGE))
    kinds[past] = 0
    parts = [
        _rings_of(geometries, kinds, kind)
        for kind in (POINT, LINE, AREA)
        if (kinds == kind).any()
    ] or [_rings_of(geometries, kinds, POINT)]
    owners, holes, lengths, lonlat, backward = (
        np.concatenate(part) if len(parts) > 1 else part[0]
        for part in zip(*parts, strict=True)
    )
    if (kinds > POINT).any():
        rings = _Rings(owners, holes, lengths, backward)
        lonlat = _unwrapped(lonlat, rings, kinds, name)
        areas = kinds[owners] == AREA
        lonlat, lengths = _turned(lonlat, lengths, areas, rings.backward)
    return Shapes(
        kinds=kinds,
        owners=owners,
        holes=holes,
        lengths=lengths,
        lonlat=lonlat,
        beyond=int(past.sum()),
    )


def run_on(geometry: Any, shapes: Shapes, index: int) -> Any:
    """Return a geometry whose longitudes run on over the antimeridian, if they leap.

    Parameters
    ----------
    geometry
        Row of the layer, as it was given.
    shapes
        The layer, taken apart.
    index
        Its row.

    Returns
    -------
    shapely geometry
        The same object where it does not leap.
    """
    own = np.flatnonzero(shapes.owners == index)
    if shapes.kinds[index] == POINT or not len(own):
        return geometry
    starts = np.cumsum(shapes.lengths) - shapes.lengths
    rings = [
        shapes.lonlat[starts[one] : starts[one] + shapes.lengths[one]] for one in own
    ]
    lon = shapely.get_coordinates(geometry)[:, 0]
    new = np.concatenate(rings)[:, 0]
    if abs(new.max() - lon.max()) < 180 and abs(new.min() - lon.min()) < 180:
        return geometry
    if shapes.kinds[index] == LINE:
        lines: Any = [shapely.linestrings(ring) for ring in rings]
        return shapely.multilinestrings(lines)
    polygons: list[list[Any]] = []
    for ring, hole in zip(rings, shapes.holes[own], strict=True):
        if hole:
            polygons[-1].append(shapely.linearrings(ring))
        else:
            polygons.append([shapely.linearrings(ring)])
    parts: list[Any] = [
        shapely.polygons(outline, holes or None) for outline, *holes in polygons
    ]
    return shapely.multipolygons(parts)


def put_shapes(
    store: Store,
    shapes: Shapes,
    resolution_m: float,
    places: NDArray[np.uint8] | None = None,
) -> tuple[dict[str, Any], NDArray[np.intp]]:
    """Keep the geometry of a layer.

    Parameters
    ----------
    store
        Where the bytes go.
    shapes
        From :func:`take_apart`.
    resolution_m
        Step to which coordinates are rounded: no step is longer on the ground. [m]
    places
        Class of each feature, shape ``(n,)``, which is drawn with it.

    Returns
    -------
    packed : dict
        For the page's script; ``places`` where they were given.
    order : ndarray of int
        Rows in the order in which the page holds them; those without a place last.
    """
    placed = int((shapes.kinds > 0).sum())
    across, down, step = _whole_steps(shapes.lonlat, resolution_m)
    west, north = (int(v.min()) if len(v) else 0 for v in (across, down))
    x = (across - west).astype(np.uint32)
    y = (down - north).astype(np.uint32)
    order = _z_order(shapes, x, y)
    packed: dict[str, Any] = {
        "features": len(order),
        "placed": placed,
        "step": step,
        "west": west,
        "north": north,
        "kinds": put_numbers(store, shapes.kinds[order][:placed]),
    }
    rank = np.empty(len(order), np.intp)
    rank[order] = np.arange(len(order))
    if len(x) == placed:  # one vertex each: single points
        pick = np.empty(placed, np.intp)
        pick[rank[shapes.owners]] = np.arange(placed)
        rings, lengths, counts = pick, shapes.lengths, shapes.lengths
    else:
        rings = np.argsort(rank[shapes.owners], kind="stable")
        lengths = shapes.lengths[rings]
        starts = np.cumsum(shapes.lengths) - shapes.lengths
        new_starts = np.cumsum(lengths) - lengths
        pick = np.repeat(starts[rings] - new_starts, lengths)
        pick += np.arange(lengths.sum())
        counts = np.bincount(rank[shapes.owners], minlength=len(order))[:placed]
    x, y = x[pick], y[pick]
    firsts = corner_x = corner_y = None
    if len(x) > max(placed, FIRST_BOXES):
        ends = np.cumsum(counts)
        firsts = (np.cumsum(lengths) - lengths)[ends - counts]
        packed["boxes"], corner_x, corner_y = _put_boxes(store, x, y, firsts)
    if places is not None:
        packed["places"] = put_numbers(store, places[order])
    packed |= {
        "vertices": len(x),
        "rings": len(rings),
        "ringsOf": put_numbers(store, counts),
        "lengths": put_numbers(store, lengths),
        "x": put_numbers(store, steps(x, firsts, corner_x)),
        "y": put_numbers(store, steps(y, firsts, corner_y)),
    }
    return packed, order


def _put_boxes(
    store: Store,
    x: NDArray[np.uint32],
    y: NDArray[np.uint32],
    firsts: NDArray[np.intp],
) -> tuple[dict[str, Any], NDArray[np.uint32], NDArray[np.uint32]]:
    """Keep the box of each feature; its west and north are returned as well."""
    west, east = (end.reduceat(x, firsts) for end in (np.minimum, np.maximum))
    north, south = (end.reduceat(y, firsts) for end in (np.minimum, np.maximum))
    packed = {
        "x": put_numbers(store, steps(west)),
        "y": put_numbers(store, steps(north)),
        "wide": put_numbers(store, east - west),
        "tall": put_numbers(store, south - north),
    }
    return packed, west, north


def _only_points(geometries: NDArray[np.object_]) -> bool:
    """Whether a layer holds single points and nothing else: most large ones do."""
    return bool((shapely.get_type_id(geometries) <= 0).all())


def _lonlat_of(
    points: NDArray[np.object_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Coordinates of single points; NaN where there is none."""
    empty = shapely.is_empty(points)
    if empty.any():  # GEOS refuses to say where an empty point is
        points = points.copy()
        points[empty] = None
    return shapely.get_x(points), shapely.get_y(points)


def _single_points(geometries: NDArray[np.object_]) -> Shapes:
    """Take single points apart, without looking at what only other shapes have."""
    lon, lat = _lonlat_of(geometries)
    there = np.isfinite(lon) & np.isfinite(lat)
    inside = there & (np.abs(lat) <= EDGE)
    rows = np.flatnonzero(inside)
    return Shapes(
        kinds=inside.astype(np.uint8),
        owners=rows,
        holes=np.zeros(len(rows), bool),
        lengths=np.ones(len(rows), np.int64),
        lonlat=np.column_stack([lon[rows], lat[rows]]),
        beyond=int((there & ~inside).sum()),
    )


class _Rings(NamedTuple):
    """Owner, hole, length of rings; whether they turn the wrong way."""

    owners: NDArray[np.int64]
    holes: NDArray[np.bool_]
    lengths: NDArray[np.int64]
    backward: NDArray[np.bool_]


def _rings_of(
    geometries: NDArray[np.object_], kinds: NDArray[np.uint8], kind: int
) -> tuple[NDArray[Any], ...]:
    """Owner, hole, length, vertices and turn of the rings of features of one kind."""
    rows = np.flatnonzero(kinds == kind)
    parts = geometries if len(rows) == len(geometries) else geometries[rows]
    owners = rows
    if kind != POINT and (shapely.get_type_id(parts) > _SINGLE).any():
        single, part_of = shapely.get_parts(parts, return_index=True)
        parts, owners = single, rows[part_of]
    if kind == AREA and not shapely.get_num_interior_rings(parts).any():
        lonlat = shapely.get_coordinates(parts)
        lengths = shapely.get_num_coordinates(parts).astype(np.int64)
        holes = np.zeros(len(parts), bool)
        return owners, holes, lengths, lonlat, _area(lonlat, lengths) <= 0
    holes = np.zeros(len(parts), bool)
    backward = np.zeros(len(parts), bool)
    if kind == AREA:
        parts, polygon = shapely.get_rings(parts, return_index=True)
        holes = np.concatenate([[False], np.diff(polygon) == 0])[: len(polygon)]
        owners = owners[polygon]
        backward = shapely.is_ccw(parts) == holes
    lengths = shapely.get_num_coordinates(parts).astype(np.int64)
    return owners, holes, lengths, shapely.get_coordinates(parts), backward


def _area(
    lonlat: NDArray[np.float64], lengths: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Twice the area of each closed ring; negative where it turns clockwise."""
    starts = np.cumsum(lengths) - lengths
    lon, lat = (axis - np.repeat(axis[starts], lengths) for axis in lonlat.T)
    cross = np.zeros(len(lon))
    cross[:-1] = lon[:-1] * lat[1:] - lon[1:] * lat[:-1]  # 0 from ring to ring
    found: NDArray[np.float64] = np.add.reduceat(cross, starts)
    return found


def _unwrapped(
    lonlat: NDArray[np.float64], rings: _Rings, kinds: NDArray[np.uint8], name: str
) -> NDArray[np.float64]:
    """Let longitudes run on where an edge leaps over the antimeridian."""
    owners, holes, lengths, backward = rings
    lon = lonlat[:, 0]
    change = np.abs(np.diff(lon))
    if not (change > 180).any():
        return lonlat
    ends = np.cumsum(lengths)
    starts = ends - lengths
    leaps = change > 180
    leaps[ends[:-1] - 1] = False
    leaps &= np.repeat(kinds[owners] > POINT, lengths)[1:]
    edge = np.abs(lon) < 180
    leaps &= edge[:-1] | edge[1:]
    ring = np.repeat(np.arange(len(lengths)), lengths)
    lonlat = lonlat.copy()
    for feature in np.unique(owners[ring[1:][leaps]]):
        home = None
        for one in np.flatnonzero(owners == feature):
            part = lonlat[starts[one] : ends[one]]
            own = leaps[starts[one] : ends[one] - 1]
            turns = np.where(np.diff(part[:, 0]) > 0, -360.0, 360.0) * own
            part[1:, 0] += np.cumsum(turns)
            if kinds[feature] == AREA and abs(part[0, 0] - part[-1, 0]) > 180:
                raise GeometryError(
                    f"layer {name!r}, row {feature}: a polygon goes round a pole; "
                    "expected one that does not. Cut it along a meridian first."
                )
            middle = (part[:, 0].min() + part[:, 0].max()) / 2
            home = middle if home is None else home
            part[:, 0] -= 360.0 * np.round((middle - home) / 360.0)
            if kinds[feature] == AREA:
                backward[one] = shapely.is_ccw(shapely.linearrings(part)) == holes[one]
    return lonlat


def _turned(
    lonlat: NDArray[np.float64],
    lengths: NDArray[np.int64],
    areas: NDArray[np.bool_],
    backward: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Turn outlines one way and holes the other; leave out closing vertices."""
    if not areas.any():
        return lonlat, lengths
    ends = np.cumsum(lengths)
    lasts = np.ones(len(lonlat), bool)
    lasts[ends[areas] - 1] = False
    kept = lengths - areas
    if not backward.any():
        return lonlat[lasts], kept
    pick = np.flatnonzero(lasts)
    mirror = np.repeat(2 * (ends - lengths) + kept - 1, kept)
    return lonlat[np.where(np.repeat(backward, kept), mirror - pick, pick)], kept


def _whole_steps(
    lonlat: NDArray[np.float64], resolution_m: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], float]:
    """Web Mercator as whole steps, and the length of one as a part of the world."""
    if not len(lonlat):
        return np.zeros(0, np.int64), np.zeros(0, np.int64), 1.0
    lon, lat = lonlat.T
    lat = np.clip(lat, -EDGE, EDGE)
    nearest = 0.0 if lat.min() <= 0 <= lat.max() else float(np.abs(lat).min())
    step = max(resolution_m, FINEST_M) / (_AROUND_M * math.cos(math.radians(nearest)))
    x = (lon + 180.0) / 360.0
    y = 0.5 - np.log(np.tan(math.pi / 4 + lat * (math.pi / 360))) / (2 * math.pi)
    return np.rint(x / step).astype(np.int64), np.rint(y / step).astype(np.int64), step


def _z_order(
    shapes: Shapes, x: NDArray[np.uint32], y: NDArray[np.uint32]
) -> NDArray[np.intp]:
    """Rows along a Z curve through the first vertices; those without a place last."""
    first = np.zeros(len(shapes.kinds), np.int64)
    starts = np.cumsum(shapes.lengths) - shapes.lengths
    first[shapes.owners[::-1]] = starts[::-1]
    there = np.flatnonzero(shapes.kinds > 0)
    side = max(int(x.max(initial=0)), int(y.max(initial=0)), 1)
    shift = max(0, side.bit_length() - 16)
    code = _spread(x[first[there]] >> shift)
    code |= _spread(y[first[there]] >> shift) << np.uint64(1)
    # Sorting codes with their rows is several times as fast as finding the order.
    both = np.sort((code << np.uint64(32)) | there.astype(np.uint64))
    rows = (both & np.uint64(0xFFFFFFFF)).astype(np.intp)
    return np.concatenate([rows, np.flatnonzero(shapes.kinds == 0)])


def _spread(values: NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Put a zero between each two of 16 bits."""
    bits = values.astype(np.uint64)
    for shift, mask in (
        (8, 0x00FF00FF),
        (4, 0x0F0F0F0F),
        (2, 0x33333333),
        (1, 0x55555555),
    ):
        bits = (bits | (bits << np.uint64(shift))) & np.uint64(mask)
    return bits

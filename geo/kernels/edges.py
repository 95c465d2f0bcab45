"""Lines and outlines as arrays of edges, straight in longitude and latitude.

GeoJSON (RFC 7946, 3.1.1), GeoPackage and GEOS take the way between two vertices as a
straight line in the coordinates. Where it is meant as a geodesic, :func:`densified`
turns it into straight pieces that follow the geodesic within a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, cast

import numpy as np

from geo.errors import GeometryError
from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M, ellipsoid

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_POLYGON = 3  # shapely's id of the geometry type

_STEEPEST_DEG = 89.0
"""Nearer to a pole no edge is densified along a geodesic."""

_LONGEST_M = 19_000_000.0
"""Beyond this length the shortest way may be ambiguous. [m]"""

_BEND = 1.0887
"""Largest value of ``sin α (1 + cos² α)``, reached where ``cos² α = 1/3``."""


@dataclass(frozen=True, kw_only=True)
class Edges:
    """Edges of features, one feature after the other, in the order of their rings."""

    lonlat: Floats
    """Ends of each edge, shape ``(e, 4)``: lon, lat, lon, lat. [degrees]"""
    offsets: Ints
    """Where each feature begins, shape ``(n + 1,)``: the edges of feature ``f`` are
    ``offsets[f]`` up to ``offsets[f + 1]``."""


def edges_of(shapes: Shapes) -> Edges:
    """Take features apart into their edges.

    Parameters
    ----------
    shapes
        Points, lines and polygons, multi or not, shape ``(n,)``; none missing or
        empty, but perhaps some of their parts. [degrees]

    Returns
    -------
    Edges
        Outlines and holes of polygons alike; a point is an edge of no length.

    Examples
    --------
    >>> from shapely import LineString, Point
    >>> edges = edges_of(np.array([Point(7, 8), LineString([(0, 0), (1, 0), (1, 2)])]))
    >>> edges.lonlat.tolist()
    [[7.0, 8.0, 7.0, 8.0], [0.0, 0.0, 1.0, 0.0], [1.0, 0.0, 1.0, 2.0]]
    >>> edges.offsets.tolist()
    [0, 1, 3]
    """
    import shapely

    from geo.kernels.boxtree import paired

    strings, owner = _strings(shapes)
    vertices = shapely.get_num_coordinates(strings).astype(np.intp)
    if owner is not None and not vertices.all():
        solid = vertices > 0
        strings, owner, vertices = strings[solid], owner[solid], vertices[solid]
    lonlat = paired(shapely.get_coordinates(strings), vertices)
    counts = np.maximum(vertices - 1, 1)
    if owner is not None:
        counts = np.bincount(owner, counts, len(shapes))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.intp)
    return Edges(lonlat=lonlat, offsets=offsets)


def _strings(shapes: Shapes) -> tuple[Shapes, Ints | None]:
    """Points, lines and rings of the features; the feature of each, None if its own."""
    import shapely

    kinds = shapely.get_type_id(shapes)
    whole = (kinds >= 0) & (kinds < _POLYGON)
    whole |= (kinds == _POLYGON) & (shapely.get_num_interior_rings(shapes) == 0)
    if whole.all():  # a polygon without holes yields its ring's coordinates itself
        return shapes, None
    parts, owner = shapely.get_parts(shapes, return_index=True)
    areal = shapely.get_type_id(parts) == _POLYGON
    holed = areal & (shapely.get_num_interior_rings(parts) > 0)
    if not holed.any():
        return parts, owner
    rings, part = shapely.get_rings(parts[holed], return_index=True)
    strings = np.concatenate([parts[~holed], rings])
    owner = np.concatenate([owner[~holed], owner[holed][part]])
    order = np.argsort(owner, kind="stable")
    return strings[order], owner[order]


def densified(
    shapes: Shapes, *, bound_m: float = 1e-3, rows: Sequence[object] | None = None
) -> Shapes:
    """Replace edges that are meant as geodesics by straight pieces that follow them.

    Parameters
    ----------
    shapes
        Points, lines and polygons in EPSG:4326, shape ``(n,)``. [degrees]
    bound_m
        How far a piece may leave the geodesic. [m]
    rows
        What to call each shape in a message; its position by default.

    Returns
    -------
    numpy.ndarray
        Shapes of the same kinds, shape ``(n,)``, with vertices added.

    Raises
    ------
    GeometryError
        If an edge crosses the antimeridian on its shortest way, comes nearer to a
        pole than one degree, or is so long that its shortest way is ambiguous.

    Notes
    -----
    Along a line that is straight in longitude and latitude the azimuth α changes by
    ``-tan φ sin α cos² α / R`` a metre, along a geodesic by ``tan φ sin α / R``
    (Clairaut): the line's geodesic curvature is at the most ``1.0887 tan φ / R``.
    A piece of length L thus leaves the geodesic between its ends by no more than
    ``1.0887 L² tan φ / 8 R``; with the smallest R of the ellipsoid and the steepest φ
    of the edge, pieces are cut so short that this stays below ``bound_m``.

    Examples
    --------
    >>> from shapely import LineString
    >>> [way] = densified(np.array([LineString([(0, 45), (10, 45)])]), bound_m=1e4)
    >>> [round(lat, 2) for _, lat in way.coords]
    [45.0, 45.11, 45.0]
    """
    edges = edges_of(shapes)
    lon0, lat0, lon1, lat1 = edges.lonlat.T
    length_m = np.asarray(ellipsoid().inv(lon0, lat0, lon1, lat1)[2])
    steepest = np.maximum(np.abs(lat0), np.abs(lat1))
    over = (np.abs(lon1 - lon0) > 180) | (length_m > _LONGEST_M)
    # A first look, generous: _bent takes the latitudes of the geodesic itself.
    bent = _sag_m(length_m, steepest + 1e-6 * length_m) > bound_m
    feature = np.repeat(np.arange(len(shapes)), np.diff(edges.offsets))
    affected = np.unique(feature[over | bent])
    if not len(affected):
        return shapes
    out = shapes.copy()
    for f in affected:
        row = f if rows is None else rows[f]
        try:
            out[f] = _bent(shapes[f], bound_m)
        except GeometryError as error:
            raise GeometryError(f"row {row}: {error}") from None
    return out


def _bent(shape: BaseGeometry, bound_m: float) -> BaseGeometry:
    """Copy a shape with edges that follow geodesics."""
    import shapely
    from shapely import LineString, Polygon

    if isinstance(shape, Polygon):
        holes = [_bent_string(ring.coords, bound_m) for ring in shape.interiors]
        return Polygon(_bent_string(shape.exterior.coords, bound_m), holes)
    if isinstance(shape, LineString):
        return type(shape)(_bent_string(shape.coords, bound_m))
    parts = [_bent(part, bound_m) for part in shapely.get_parts(shape)]
    if shape.geom_type == "MultiPolygon":
        return cast("BaseGeometry", shapely.multipolygons(parts))
    return cast("BaseGeometry", shapely.multilinestrings(parts))


def _bent_string(coords: Iterable[tuple[float, ...]], bound_m: float) -> Floats:
    """Vertices of a line or ring, with those along its geodesics, shape ``(v, 2)``."""
    lonlat = np.array([xy[:2] for xy in coords], dtype=np.float64)
    ways = [_geodesic(start, end, bound_m) for start, end in pairwise(lonlat)]
    return np.vstack([*ways, lonlat[-1:]])


def _geodesic(start: Floats, end: Floats, bound_m: float) -> Floats:
    """Vertices from the first end, included, to the second, left out."""
    azimuth, _, length_m = ellipsoid().inv(*start, *end)
    if length_m == 0 or (start[0] == end[0] and length_m < _LONGEST_M):
        return start[None]
    looks = np.linspace(0, length_m, 65)[1:-1]
    steepest = np.abs([start[1], end[1], *_walk(start, azimuth, looks)[1]]).max()
    edge = f"the edge from {start[0]:g}, {start[1]:g} to {end[0]:g}, {end[1]:g}"
    if abs(end[0] - start[0]) > 180:
        raise GeometryError(
            f"{edge} crosses the antimeridian as a geodesic; cut the feature at 180 "
            "degrees first, as RFC 7946 says (the package antimeridian does)"
        )
    if length_m > _LONGEST_M or steepest > _STEEPEST_DEG:
        raise GeometryError(
            f"{edge} is {length_m / 1e3:.0f} km long and comes within a degree of a "
            "pole, or has no single shortest way; give it more vertices or use "
            'edges="straight"'
        )
    # Between two looks a geodesic rises by less than a quarter of their distance.
    highest = min(steepest + length_m / 64 / 4 / 111e3, _STEEPEST_DEG)
    pieces = int(np.ceil(np.sqrt(_sag_m(length_m, highest) / bound_m)))
    lon, lat = _walk(start, azimuth, np.linspace(0, length_m, pieces + 1)[1:-1])
    lon = start[0] + (lon - start[0] + 180) % 360 - 180
    return np.vstack([start, np.column_stack([lon, lat])])


def _walk(start: Floats, azimuth_deg: float, away_m: Floats) -> tuple[Floats, Floats]:
    """Places along a geodesic."""
    lon, lat = np.broadcast_to(start[:, None], (2, len(away_m)))
    lons, lats, _ = ellipsoid().fwd(lon, lat, np.full(len(away_m), azimuth_deg), away_m)
    return np.asarray(lons), np.asarray(lats)


def _sag_m(length_m: Floats | float, steepest_deg: Floats | float) -> Floats:
    """How far a straight edge may leave its geodesic. [m]."""
    smallest_m = EQUATORIAL_RADIUS_M * (1 - ECCENTRICITY_SQUARED)
    slope = np.tan(np.radians(np.minimum(steepest_deg, 89.999)))
    return np.asarray(_BEND * slope * np.square(length_m) / (8 * smallest_m))

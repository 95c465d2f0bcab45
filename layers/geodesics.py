"""Geodesic measures as functions of the SQL engine, in metres on WGS 84."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo import area, distance, length
from geo.errors import AxisOrderError, GeoError, GeometryTypeError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from duckdb import DuckDBPyConnection
    from numpy.typing import NDArray

_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("lonlat", "<f8", 2)])
"""A point as little-endian WKB."""

_MACRO = """
CREATE TEMP MACRO {name}({arguments}) AS
CASE WHEN {checks} THEN nullif(_{name}({wkb}), 'nan'::DOUBLE)
ELSE error('{name} measures longitude and latitude on WGS 84; it was given another CRS')
END
"""
_IN_LONLAT = "coalesce(ST_CRS({0}), 'EPSG:4326') IN ('EPSG:4326', 'OGC:CRS84')"


def add_geodesics(
    connection: DuckDBPyConnection, failed: Callable[[GeoError], None]
) -> None:
    """Let a connection know geodesic distance, area and length.

    Parameters
    ----------
    connection
        With the spatial extension loaded.
    failed
        Told of an error of ours, which the engine would wrap in its own.

    Notes
    -----
    ``geodesic_distance(a, b)`` takes points, ``geodesic_area(g)`` polygons with edges
    straight in longitude and latitude, ``geodesic_length(g)`` lines with geodesic
    edges, of polygons their outlines. [m], [m²], [m]. What is missing or empty gives
    NULL; a geometry that says that it is in another CRS is an error, as is a
    coordinate off the globe.
    """
    from duckdb.func import ARROW

    for name, measure, count in (
        ("geodesic_distance", _distances, 2),
        ("geodesic_area", _areas, 1),
        ("geodesic_length", _lengths, 1),
    ):
        connection.create_function(
            f"_{name}",
            _guarded(measure, failed),
            ["blob"] * count,
            "double",
            type=ARROW,
        )
        arguments = ["a", "b"][:count]
        connection.execute(
            _MACRO.format(
                name=name,
                arguments=", ".join(arguments),
                checks=" AND ".join(_IN_LONLAT.format(a) for a in arguments),
                wkb=", ".join(f"ST_AsWKB({a})" for a in arguments),
            )
        )


def _guarded(
    measure: Callable[..., NDArray[np.float64]], failed: Callable[[GeoError], None]
) -> Callable[..., Any]:
    """Let a measure take and give Arrow columns, and tell of its errors."""
    import pyarrow as pa

    def from_columns(*columns: pa.ChunkedArray) -> pa.Array:
        try:
            found = measure(*(column.to_pylist() for column in columns))
        except GeoError as error:
            failed(error)
            raise
        return pa.array(found)  # NaN is made NULL by the macro

    # The engine counts the parameters and evaluates annotations, so these have none.
    if measure is _distances:
        return lambda a, b: from_columns(a, b)  # noqa: PLW0108
    return lambda a: from_columns(a)  # noqa: PLW0108


def _distances(left: list[bytes], right: list[bytes]) -> NDArray[np.float64]:
    """Distances between points, pair by pair. [m]."""
    a, b = _points(left), _points(right)
    found = np.full(len(a), np.nan)
    there = ~(np.isnan(a) | np.isnan(b)).any(axis=1)
    found[there] = distance(*a[there].T, *b[there].T)
    return found


def _areas(wkb: list[bytes]) -> NDArray[np.float64]:
    """Areas of polygons. [m²]."""
    return area(_shapes(wkb, "geodesic_area"))


def _lengths(wkb: list[bytes]) -> NDArray[np.float64]:
    """Lengths of lines and outlines. [m]."""
    return length(_shapes(wkb, "geodesic_length"))


def _points(wkb: list[bytes]) -> NDArray[np.float64]:
    """Longitude and latitude of points, shape ``(n, 2)``; empty ones NaN."""
    import shapely

    whole = b"".join(wkb)
    if len(whole) == _POINT.itemsize * len(wkb):
        points = np.frombuffer(whole, dtype=_POINT)
        if (points["order"] == 1).all() and (points["kind"] == 1).all():
            return _on_the_globe(points["lonlat"], "geodesic_distance")
    shapes = shapely.from_wkb(np.array(wkb, dtype=object))
    other = shapely.get_type_id(shapes) != 0
    if other.any():
        raise GeometryTypeError(
            f"geodesic_distance was given a {shapes[other][0].geom_type}; it takes "
            "points. For lines and polygons use FROM nearest(…) or "
            "within_distance(…), or a point of each: ST_PointOnSurface(geometry)"
        )
    lonlat = np.stack([shapely.get_x(shapes), shapely.get_y(shapes)], axis=-1)
    return _on_the_globe(lonlat, "geodesic_distance")


def _shapes(wkb: list[bytes], name: str) -> NDArray[np.object_]:
    """Geometries, their coordinates on the globe."""
    import shapely

    shapes = shapely.from_wkb(np.array(wkb, dtype=object))
    _on_the_globe(shapely.get_coordinates(shapes), name)
    return np.asarray(shapes, dtype=object)


def _on_the_globe(lonlat: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Refuse coordinates that are no longitude and latitude."""
    off = (np.abs(lonlat) > [180.0, 90.0]).any(axis=1)
    if off.any():
        x, y = lonlat[int(off.argmax())]
        raise AxisOrderError(
            f"{name} was given {x:g}, {y:g}, which is outside longitude -180..180, "
            "latitude -90..90; the axes may be swapped (longitude comes first), or "
            "the coordinates are in metres of another CRS"
        )
    return lonlat

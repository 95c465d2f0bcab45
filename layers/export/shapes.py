"""Geometries as web formats want them: cut at 180 degrees, rings in one sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

_WORLDS = range(-2, 3)


def box_of(shapes: np.ndarray) -> tuple[float, float, float, float] | None:
    """Find the box around all geometries.

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``.

    Returns
    -------
    tuple of float or None
        West, south, east, north; None where there is no point.
    """
    import shapely

    if not len(shapes):
        return None
    west, south, east, north = map(float, shapely.total_bounds(shapes))
    return None if np.isnan(west) else (west, south, east, north)


def beyond_180(shapes: np.ndarray) -> np.ndarray:
    """Tell which geometries run past 180 degrees east or west.

    Parameters
    ----------
    shapes
        Geometries in EPSG:4326, shape ``(n,)``.

    Returns
    -------
    array of bool
        False where there is none.
    """
    import shapely

    if not len(shapes):
        return np.zeros(0, dtype=bool)
    bounds = shapely.bounds(shapes)
    found: np.ndarray = (bounds[:, 0] < -180) | (bounds[:, 2] > 180)
    return found


def cut_at_180(shapes: np.ndarray) -> np.ndarray:
    """Cut geometries that run past 180 degrees, so that all lie within.

    Parameters
    ----------
    shapes
        Geometries in EPSG:4326, shape ``(n,)``.

    Returns
    -------
    array
        The others are the same. A line is straight between its ends in longitude and
        latitude, as RFC 7946 has it, so that one from 170 to -170 runs through 0.

    Examples
    --------
    >>> import shapely
    >>> [disc] = cut_at_180(np.array([shapely.box(179, -1, 182, 1)]))
    >>> disc.geom_type, disc.bounds
    ('MultiPolygon', (-180.0, -1.0, 180.0, 1.0))
    """
    beyond = beyond_180(shapes)
    if not beyond.any():
        return shapes
    found = shapes.copy()
    for i in np.flatnonzero(beyond):
        found[i] = _cut(shapes[i])
    return found


def wound(shapes: np.ndarray, *, clockwise: bool = False) -> np.ndarray:
    """Let outer rings run one way and holes the other.

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``.
    clockwise
        Let outer rings run clockwise; anticlockwise if not.

    Returns
    -------
    array
        The same places.
    """
    import shapely
    from shapely.geometry.polygon import orient

    if hasattr(shapely, "orient_polygons"):
        turned: np.ndarray = shapely.orient_polygons(shapes, exterior_cw=clockwise)
        return turned

    def turn(shape: Any) -> Any:
        if shape is None or shapely.get_dimensions(shape) < 2:
            return shape
        if shape.geom_type == "Polygon":
            return orient(shape, -1.0 if clockwise else 1.0)
        return type(shape)([turn(part) for part in shape.geoms])

    found = np.empty(len(shapes), dtype=object)
    found[:] = [turn(shape) for shape in shapes]
    return found


def changed(before: np.ndarray, after: np.ndarray) -> int:
    """Count geometries whose vertices differ.

    Parameters
    ----------
    before, after
        Geometries, shape ``(n,)``.

    Returns
    -------
    int
        Compared bit by bit.
    """
    import shapely

    if before is after:
        return 0
    return int((shapely.to_wkb(before) != shapely.to_wkb(after)).sum())


def parts_of(shape: Any) -> list[Any]:
    """Take a geometry apart into points, lines and polygons.

    Parameters
    ----------
    shape
        Any geometry.

    Returns
    -------
    list of geometry
        None of them has parts, nor is empty.
    """
    if shape is None or shape.is_empty:
        return []
    if not hasattr(shape, "geoms"):
        return [shape]
    return [single for part in shape.geoms for single in parts_of(part)]


def gathered(parts: Iterable[Any]) -> Any:
    """Put points, lines or polygons together again.

    Parameters
    ----------
    parts
        Geometries of one dimension, at least one.

    Returns
    -------
    geometry
        A single one as it is, several as one of its kind after ``Multi``.
    """
    import shapely

    found = list(parts)
    if len(found) == 1:
        return found[0]
    whole: dict[int, Any] = {
        0: shapely.MultiPoint,
        1: shapely.MultiLineString,
        2: shapely.MultiPolygon,
    }
    return whole[int(shapely.get_dimensions(found[0]))](found)


def wkt_text(shape: Any) -> str:
    """Write a geometry as WKT whose numbers are read back exactly.

    Parameters
    ----------
    shape
        Geometry without measures.

    Returns
    -------
    str
        Each number in as few digits as tell it from every other.

    Examples
    --------
    >>> import shapely
    >>> wkt_text(shapely.MultiPoint([(0.1, 2), (1e-20, 3)]))
    'MULTIPOINT ((0.1 2.0), (1e-20 3.0))'
    """
    import shapely

    deep = " Z" if shapely.has_z(shape) else ""
    kind = "LineString" if shape.geom_type == "LinearRing" else shape.geom_type
    return f"{kind.upper()}{deep} {_wkt_body(shape)}"


def _wkt_body(shape: Any) -> str:
    """Write what stands in the brackets of WKT."""
    import shapely

    if shape.is_empty and not hasattr(shape, "geoms"):
        return "EMPTY"
    if hasattr(shape, "geoms"):
        whole = shape.geom_type == "GeometryCollection"
        bodies = [wkt_text(p) if whole else _wkt_body(p) for p in shape.geoms]
    elif shape.geom_type == "Polygon":
        bodies = [_wkt_body(ring) for ring in (shape.exterior, *shape.interiors)]
    else:
        rows = shapely.get_coordinates(shape, include_z=bool(shapely.has_z(shape)))
        bodies = [" ".join(map(repr, row)) for row in rows.tolist()]
    return f"({', '.join(bodies)})" if bodies else "EMPTY"


def _cut(shape: Any) -> Any:
    """One geometry, cut at every odd multiple of 180 degrees."""
    import shapely
    from shapely.affinity import translate

    if shape.geom_type == "GeometryCollection":
        return shapely.GeometryCollection([_cut(part) for part in shape.geoms])
    dimension = shapely.get_dimensions(shape)
    parts = []
    for turn in _WORLDS:
        world = shapely.box(360 * turn - 180, -1e6, 360 * turn + 180, 1e6)
        inside = translate(shape.intersection(world), -360 * turn)
        for part in parts_of(inside):
            if shapely.get_dimensions(part) == dimension and part not in parts:
                parts.append(part)
    return gathered(parts) if parts else shape

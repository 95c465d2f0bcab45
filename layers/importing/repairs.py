"""Geometries mended, left out or refused: each by its kind, none without a word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]
    Mask = NDArray[np.bool_]

MISSING = "no geometry"
EMPTY = "empty geometry"
NOT_FINITE = "coordinate that is not finite"
COLLAPSED = "collapsed: nothing of its dimension remains"
ELSEWHERE = "outside the study area or off the globe"
UNREADABLE = "place that cannot be read"

MIXED = "collection of several dimensions, its largest kept"
COLLECTION = "collection made one shape of several parts"
ANTIMERIDIAN = "cut at the antimeridian"
HEIGHTS = "heights (Z) left out"
MEASURES = "measures (M) left out"

_LONG_EDGE = 180.0


@dataclass(kw_only=True)
class Mended:
    """What became of the geometries of some rows.

    Attributes
    ----------
    shapes
        In EPSG:4326, shape ``(n,)``; None where nothing remains.
    dropped
        Kind by row, counted from 0.
    repaired
        Kind of each row that was changed, by row, counted from 0; a row may be
        changed in several ways.
    areas_km2
        Geodesic area before and after, by row, of polygons that were not valid.
        [km²]
    """

    shapes: Shapes
    dropped: dict[int, str] = field(default_factory=dict)
    repaired: dict[int, list[str]] = field(default_factory=dict)
    areas_km2: dict[int, tuple[float, float]] = field(default_factory=dict)
    flattened: Counter[str] = field(default_factory=Counter)


def mend(shapes: Shapes) -> Mended:
    """Mend the geometries of some rows.

    Parameters
    ----------
    shapes
        On WGS 84, shape ``(n,)``; may be missing, empty or not valid.

    Returns
    -------
    Mended
        Valid shapes in two dimensions: points, lines or polygons of one or more
        parts, each of the dimension that it had.

    Notes
    -----
    Polygons that are not valid go through ``make_valid(method="structure",
    keep_collapsed=False)``: rings keep their part as shell or hole, and spikes and
    parts without area go. Of a collection, the parts of its largest dimension stay.
    An edge of more than 180 degrees of longitude is one over the antimeridian; such
    a shape is cut there (RFC 7946, section 3.1.9).

    Examples
    --------
    >>> from shapely import Polygon
    >>> bow = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    >>> mended = mend(np.array([bow]))
    >>> mended.shapes[0].geom_type, mended.repaired
    ('MultiPolygon', {0: ['Self-intersection']})
    """
    import shapely

    mended = Mended(shapes=shapes.copy())
    _drop(mended, shapely.is_missing(shapes), MISSING)
    _drop(mended, shapely.is_empty(shapes), EMPTY)
    _drop(mended, ~_finite(mended.shapes), NOT_FINITE)
    _flatten(mended)
    _collect(mended)
    _cut(mended)
    _validate(mended)
    return mended


def _drop(mended: Mended, which: Mask, kind: str) -> None:
    """Leave rows out."""
    for row in np.flatnonzero(which):
        mended.dropped.setdefault(int(row), kind)
        mended.shapes[row] = None


def _repair(mended: Mended, row: int, kind: str, shape: Any) -> None:
    """Put a mended shape in the place of a row."""
    mended.shapes[row] = shape
    mended.repaired.setdefault(row, []).append(kind)


def _finite(shapes: Shapes) -> Mask:
    """Tell which shapes have finite coordinates only; missing ones have."""
    import shapely

    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    good = np.ones(len(shapes), dtype=bool)
    good[owner[~(np.isfinite(xy[:, 0]) & np.isfinite(xy[:, 1]))]] = False
    return good


def _flatten(mended: Mended) -> None:
    """Leave the third and fourth dimension out."""
    import shapely

    heights, measures = shapely.has_z(mended.shapes), shapely.has_m(mended.shapes)
    for which, kind in ((heights, HEIGHTS), (measures, MEASURES)):
        if which.any():
            mended.flattened[kind] += int(which.sum())
    either = heights | measures
    mended.shapes[either] = shapely.force_2d(mended.shapes[either])


def _collect(mended: Mended) -> None:
    """Make one shape of a collection, of its parts of the largest dimension."""
    import shapely

    kinds = shapely.get_type_id(mended.shapes)
    for row in map(int, np.flatnonzero(kinds == 2)):  # a ring by itself
        mended.shapes[row] = shapely.linestrings(mended.shapes[row].coords)
    for row in map(int, np.flatnonzero(kinds == 7)):
        parts = _leaves(mended.shapes[row])
        dimensions = [shapely.get_dimensions(part) for part in parts]
        largest = max(dimensions, default=-1)
        if largest < 0:
            _drop(mended, np.arange(len(kinds)) == row, EMPTY)
            continue
        kept = [p for p, d in zip(parts, dimensions, strict=True) if d == largest]
        kind = COLLECTION if len(kept) == len(parts) else MIXED
        _repair(mended, row, kind, _joined(kept))


def _cut(mended: Mended) -> None:
    """Cut shapes at the antimeridian that leap over it."""
    for row in map(int, np.flatnonzero(_leaps(mended.shapes))):
        cut = _cut_one(mended.shapes[row])
        if cut is not None:
            _repair(mended, row, ANTIMERIDIAN, cut)


def _validate(mended: Mended) -> None:
    """Make valid what is not."""
    import shapely

    from geo import area

    shapes = mended.shapes
    for row in map(int, np.flatnonzero(~shapely.is_valid(shapes))):
        before = shapes[row]
        if before is None:
            continue
        kind = shapely.is_valid_reason(before).partition("[")[0].strip()
        dimension = shapely.get_dimensions(before)
        if dimension == 2:
            after = shapely.make_valid(before, method="structure", keep_collapsed=False)
        else:
            after = shapely.make_valid(before)
        kept = [
            part
            for part in _leaves(after)
            if not part.is_empty and shapely.get_dimensions(part) == dimension
        ]
        if not kept:
            _drop(mended, np.arange(len(shapes)) == row, COLLAPSED)
            continue
        after = _joined(kept)
        if not after.is_valid:  # parts that share an edge
            after = shapely.union_all(kept)
        _repair(mended, row, kind, after)
        if dimension == 2:
            areas = area([before, after]) / 1e6
            mended.areas_km2[row] = (float(areas[0]), float(areas[1]))


def _leaves(shape: Any) -> list[Any]:
    """Parts of a shape, and of the collections in it."""
    import shapely

    parts = [shape]
    while any(part.geom_type.startswith(("Multi", "Geometry")) for part in parts):
        parts = shapely.get_parts(parts).tolist()
    return parts


def _joined(parts: list[Any]) -> Any:
    """Make one shape of parts that have one dimension."""
    import shapely

    if len(parts) == 1:
        return parts[0]
    if parts[0].geom_type == "Polygon":
        return shapely.multipolygons(parts)
    if parts[0].geom_type == "Point":
        return shapely.multipoints(parts)
    return shapely.multilinestrings(parts)


def _leaps(shapes: Shapes) -> Mask:
    """Tell which shapes have an edge of more than 180 degrees of longitude.

    One that runs from -180 to 180 is the edge of a map, not a leap.
    """
    import shapely

    leaps = np.zeros(len(shapes), dtype=bool)
    bounds = shapely.bounds(shapes)
    wide = np.flatnonzero(bounds[:, 2] - bounds[:, 0] > _LONG_EDGE)
    for row in wide:
        parts = shapely.get_parts(shapes[row])
        if shapely.get_dimensions(shapes[row]) == 2:
            parts = shapely.get_rings(parts)
        elif shapely.get_dimensions(shapes[row]) == 0:
            continue
        for part in parts:
            lon = shapely.get_coordinates(part)[:, 0]
            long = np.abs(np.diff(lon)) > _LONG_EDGE
            ends = (np.abs(lon[:-1]) < 180) | (np.abs(lon[1:]) < 180)
            leaps[row] |= bool((long & ends).any())
    return leaps


def _cut_one(shape: Any) -> Any:
    """Cut a shape at 180 degrees; None if it goes round a pole."""
    import shapely

    pieces: list[Any] = []
    for part in shapely.get_parts(shape):
        long = _unrolled(part)
        if long is None:
            return None
        for turn in (-360.0, 0.0, 360.0):
            strip = shapely.box(turn - 180.0, -90.0, turn + 180.0, 90.0)
            for leaf in _leaves(shapely.intersection(long, strip)):
                if shapely.get_dimensions(leaf) == shapely.get_dimensions(part):
                    xy = shapely.get_coordinates(leaf) - np.array([turn, 0.0])
                    if not leaf.is_empty:
                        pieces.append(shapely.set_coordinates(leaf, xy))
    return _joined(pieces) if pieces else None


def _unrolled(part: Any) -> Any:
    """Let a line or polygon run on past 180 degrees; None if it goes round a pole."""
    import shapely

    if part.geom_type != "Polygon":
        return shapely.LineString(_unroll(shapely.get_coordinates(part)))
    rings = [_unroll(shapely.get_coordinates(r)) for r in shapely.get_rings(part)]
    if any(ring[0, 0] != ring[-1, 0] for ring in rings):
        return None
    middle = rings[0][:, 0].mean()
    for ring in rings[1:]:
        ring[:, 0] += 360.0 * round((middle - ring[:, 0].mean()) / 360.0)
    long = shapely.Polygon(rings[0], rings[1:])
    if long.is_valid:
        return long
    return shapely.make_valid(long, method="structure", keep_collapsed=False)


def _unroll(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Let longitudes run on past 180 degrees where they leap."""
    steps = np.diff(xy[:, 0])
    turns = np.cumsum(-np.round(np.where(np.abs(steps) > _LONG_EDGE, steps, 0) / 360.0))
    lon = xy[:, 0].copy()
    lon[1:] += 360.0 * turns
    return np.column_stack([lon, xy[:, 1]])

"""The places of some rows: points as two columns of numbers, else shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.wkb import from_wkb
from layers.importing.coordinates import (
    CoordinateError,
    Wrong,
    parse_angle,
    parse_angles,
    split_pair,
)
from layers.importing.grid_references import parse_squares
from layers.importing.outlines import Outlines, find_outlines

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from layers.importing.place_columns import PlaceColumns

    Floats = NDArray[np.float64]

_POINT = np.dtype([("order", "u1"), ("kind", "<u4"), ("x", "<f8"), ("y", "<f8")])
"""A point as little-endian WKB."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Places of ``n`` rows, as they stand in the file.

    Attributes
    ----------
    x, y
        Of points, shape ``(n,)``, NaN where a row has none; None where there are
        other shapes.
    shapes
        Geometries, shape ``(n,)``; None where all are points. Where there are
        ``outlines``, only those that are not plain: the others are None here.
    outlines
        Polygons that need no mending, left as WKB; None if all were read.
    missing
        Rows with no geometry at all, shape ``(n,)``.
    half_x, half_y
        Half of what the last digits stand for, in the unit of x and y; None where
        digits say nothing.
    radius_m
        Radius of the square that each reference names; None where there are none. [m]
    wrong
        Cells that are no place.
    other_axis
        Number of cells whose hemisphere is that of the other axis.
    coarse
        Number of grid references of fewer than four digits.
    """

    x: Floats | None
    y: Floats | None
    shapes: NDArray[np.object_] | None
    missing: NDArray[np.bool_]
    outlines: Outlines | None = None
    half_x: Floats | None = None
    half_y: Floats | None = None
    radius_m: Floats | None = None
    wrong: tuple[Wrong, ...] = field(default=())
    other_axis: int = 0
    coarse: int = 0

    def boxes(self) -> Floats:
        """Least x and y, largest x and y of each row, shape ``(n, 4)``."""
        import shapely

        if self.x is not None and self.y is not None:
            return np.column_stack([self.x, self.y, self.x, self.y])
        found = np.asarray(shapely.bounds(self.shapes), dtype=np.float64)
        if self.outlines is not None:
            plain = self.outlines.plain
            found[plain] = self.outlines.boxes[plain]
        return found

    def kinds(self) -> set[int]:
        """Types of the geometries as shapely numbers them; -1 for a missing one."""
        import shapely

        if self.shapes is None:
            return {0}
        if self.outlines is None:
            return set(np.unique(shapely.get_type_id(self.shapes)).tolist())
        plain = self.outlines.plain
        others = shapely.get_type_id(self.shapes[~plain])
        return {*self.outlines.kinds[plain].tolist(), *others.tolist()}


def read_places(batch: pa.RecordBatch, columns: PlaceColumns) -> Places:
    """Read the places of some rows.

    Parameters
    ----------
    batch
        Rows; tables hold text only.
    columns
        Where the places stand.

    Returns
    -------
    Places
        In the order of the rows.
    """
    if columns.how == "geometry":
        return places_of(batch.column("geometry"))
    texts = [_texts(batch, name) for name in columns.names]
    if columns.how == "mgrs":
        return _from_squares(texts[0])
    if columns.how == "wkt":
        return _from_wkt(texts[0])
    if columns.how == "pair":
        return _from_pairs(texts[0])
    lon, lat = parse_angles(texts[0], "lon"), parse_angles(texts[1], "lat")
    blank = np.isnan(lon.degrees) | np.isnan(lat.degrees)
    return Places(
        x=np.where(blank, np.nan, lon.degrees),
        y=np.where(blank, np.nan, lat.degrees),
        shapes=None,
        missing=blank,
        half_x=lon.half_widths,
        half_y=lat.half_widths,
        wrong=(*lon.wrong, *lat.wrong),
        other_axis=min(lon.other_axis, lat.other_axis),
    )


def places_of(column: pa.Array, *, before: int = 0) -> Places:
    """Read geometries.

    Parameters
    ----------
    column
        WKB, which may hold nulls, shape ``(n,)``.
    before
        How many rows of the file there were before these.

    Returns
    -------
    Places
        As points where all are; what is no WKB is empty.
    """
    import shapely

    missing = np.asarray(column.is_null().to_numpy(zero_copy_only=False), dtype=bool)
    points = _plain_points(column, missing)
    if points is not None:
        return Places(x=points[0], y=points[1], shapes=None, missing=missing)
    outlines = find_outlines(column, missing, before=before)
    if outlines is not None:
        others = outlines.wkb_of_others()
        with np.errstate(invalid="ignore"):
            shapes = from_wkb(others, on_invalid="ignore")
        missing = shapely.is_missing(shapes) & ~outlines.plain
        return Places(x=None, y=None, shapes=shapes, missing=missing, outlines=outlines)
    wkb = column.to_numpy(zero_copy_only=False)
    with np.errstate(invalid="ignore"):
        shapes = from_wkb(wkb, on_invalid="ignore")
    missing = shapely.is_missing(shapes)
    kinds = shapely.get_type_id(shapes)
    plain = ~(shapely.has_z(shapes) | shapely.has_m(shapes))
    if ((kinds == 0) | missing).all() and plain.all() and not missing.all():
        x, y = _xy(shapes)
        return Places(x=x, y=y, shapes=None, missing=missing)
    return Places(x=None, y=None, shapes=shapes, missing=missing)


def point_wkb(lon: Floats, lat: Floats) -> pa.Array:
    """Write points as WKB.

    Parameters
    ----------
    lon, lat
        Shape ``(n,)``, all finite. [°]

    Returns
    -------
    pyarrow.BinaryArray
        Shape ``(n,)``.
    """
    import pyarrow as pa

    n = len(lon)
    records = np.empty(n, dtype=_POINT)
    records["order"], records["kind"] = 1, 1
    records["x"], records["y"] = lon, lat
    offsets = np.arange(n + 1, dtype=np.int32) * _POINT.itemsize
    return pa.Array.from_buffers(
        pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(records)]
    )


def _plain_points(
    column: pa.Array, missing: NDArray[np.bool_]
) -> tuple[Floats, Floats] | None:
    """Coordinates of points in two dimensions, without a detour over objects."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = column.drop_null() if missing.any() else column
    if (
        len(kept) == 0
        or not pc.all(pc.equal(pc.binary_length(kept), _POINT.itemsize)).as_py()
    ):
        return None
    offset_type = np.int64 if pa.types.is_large_binary(kept.type) else np.int32
    _, offsets, content = kept.buffers()
    begin = np.frombuffer(offsets, offset_type)[kept.offset]
    records = np.frombuffer(content, _POINT, count=len(kept), offset=int(begin))
    if not ((records["order"] == 1) & (records["kind"] == 1)).all():
        return None
    x, y = np.full(len(column), np.nan), np.full(len(column), np.nan)
    x[~missing], y[~missing] = records["x"], records["y"]
    return x, y


def _xy(points: NDArray[np.object_]) -> tuple[Floats, Floats]:
    """Coordinates of points; NaN for missing and empty ones."""
    import shapely

    filled = points.copy()
    filled[shapely.is_empty(points)] = None
    return shapely.get_x(filled), shapely.get_y(filled)


def _texts(batch: pa.RecordBatch, name: str) -> list[str | None]:
    """Cells of a column as text."""
    import pyarrow as pa

    column = batch.column(name)
    if not pa.types.is_string(column.type) and not pa.types.is_large_string(
        column.type
    ):
        return [None if v is None else str(v) for v in column.to_pylist()]
    cells: list[str | None] = column.to_pylist()
    return cells


def _from_squares(texts: Sequence[str | None]) -> Places:
    """Places of grid references: longitude and latitude of the centres."""
    squares = parse_squares(texts)
    return Places(
        x=squares.lon,
        y=squares.lat,
        shapes=None,
        missing=np.isnan(squares.lon),
        radius_m=squares.radius_m,
        wrong=squares.wrong,
        coarse=squares.coarse,
    )


def _from_wkt(texts: Sequence[str | None]) -> Places:
    """Places written as Well-known text; ``SRID=…;`` before it is passed over."""
    import shapely

    plain = [None if not (t and t.strip()) else t.split(";")[-1].strip() for t in texts]
    cells = np.array(plain, dtype=object)
    shapes = shapely.from_wkt(cells, on_invalid="ignore")
    missing = shapely.is_missing(shapes)
    wrong = tuple(
        Wrong(row=int(row), text=str(plain[row])[:40], why="is no Well-known text")
        for row in np.flatnonzero(missing)
        if plain[row] is not None
    )
    if (missing | (shapely.get_type_id(shapes) == 0)).all() and not missing.all():
        halves = [(np.nan, np.nan) if t is None else _halves(t) for t in plain]
        half_x, half_y = np.array(halves, dtype=np.float64).T
        x, y = _xy(shapes)
        return Places(
            x=x,
            y=y,
            shapes=None,
            missing=missing,
            half_x=half_x,
            half_y=half_y,
            wrong=wrong,
        )
    return Places(x=None, y=None, shapes=shapes, missing=missing, wrong=wrong)


def _halves(wkt: str) -> tuple[float, float]:
    """Half of what the last digits of a point stand for."""
    numbers: Any = wkt.partition("(")[2].strip(" )").split()
    try:
        return parse_angle(numbers[0]).half_width, parse_angle(numbers[1]).half_width
    except (CoordinateError, IndexError):
        return np.nan, np.nan


def _from_pairs(texts: Sequence[str | None]) -> Places:
    """Places of which both coordinates stand in one cell, in the order they stand.

    A hemisphere tells which is the longitude; without any, the first is x.
    """
    n = len(texts)
    values = np.full((n, 4), np.nan)
    wrong: list[Wrong] = []
    for row, text in enumerate(texts):
        if text is None or not text.strip():
            continue
        try:
            first, second = map(parse_angle, split_pair(text))
            if first.axis is not None and first.axis == second.axis:
                raise CoordinateError("names one axis twice")
        except CoordinateError as error:
            wrong.append(Wrong(row=row, text=text.strip()[:40], why=str(error)))
            continue
        if first.axis == "lat" or second.axis == "lon":
            first, second = second, first
        values[row] = (
            first.degrees,
            second.degrees,
            first.half_width,
            second.half_width,
        )
    x, y, half_x, half_y = values.T
    return Places(
        x=x,
        y=y,
        shapes=None,
        missing=np.isnan(x),
        half_x=half_x,
        half_y=half_y,
        wrong=tuple(wrong),
    )

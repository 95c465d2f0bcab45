"""A sheet as a CSV file (RFC 4180, UTF-8), the same bytes for the same rows."""

from __future__ import annotations

import csv
import io
import math
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import shapely

from layers.errors import SchemaError
from layers.export.columns import (
    attribute_names,
    geometries,
    instant_text,
    plain_values,
)

if TYPE_CHECKING:
    from typing import IO

    from layers.export.content import Sheet


def place_columns(sheet: Sheet) -> tuple[str, ...]:
    """Names of the columns that hold the places of a layer.

    Returns
    -------
    tuple of str
        ``lon`` and ``lat`` for points, ``wkt`` for other shapes, nothing for a table.

    Raises
    ------
    SchemaError
        If the sheet has such a column of its own.
    """
    if not sheet.geometry:
        return ()
    names = ("lon", "lat") if sheet.geometry == "Point" else ("wkt",)
    if taken := set(names) & set(attribute_names(sheet)):
        raise SchemaError(
            f"{sheet.id} has a column {min(taken)} of its own; expected that name to "
            "be free for the place. Rename it."
        )
    return names


def write_csv_file(sheet: Sheet, stream: IO[bytes]) -> None:
    """Write the rows of a sheet, places after the other columns.

    Numbers keep every digit; a missing value is an empty cell, and so is empty text.

    Parameters
    ----------
    sheet
        Layer in EPSG:4326, or table.
    stream
        Binary file.

    Raises
    ------
    SchemaError
        If the sheet has a column of the place's name.
    geo.errors.CRSMismatchError
        If a layer is in another CRS.
    """
    names = attribute_names(sheet)
    columns = [list(map(_cell, plain_values(sheet.table[name]))) for name in names]
    if places := place_columns(sheet):
        columns += _places(sheet)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    writer = csv.writer(text)
    writer.writerow([*names, *places])
    writer.writerows(zip(*columns, strict=True))
    text.detach()


def _places(sheet: Sheet) -> list[list[str]]:
    """Write places as text: longitudes and latitudes, or WKT."""
    shapes = geometries(sheet)
    there = [shape is not None and not shape.is_empty for shape in shapes]
    if sheet.geometry == "Point":
        return [
            [repr(float(v)) if ok else "" for v, ok in zip(axis, there, strict=True)]
            for axis in (shapely.get_x(shapes), shapely.get_y(shapes))
        ]
    texts = shapely.to_wkt(shapes, rounding_precision=-1)
    return [[text if ok else "" for text, ok in zip(texts, there, strict=True)]]


def _cell(value: Any) -> str:
    """Write a plain value as a cell, as the Table Schema wants it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "INF" if value > 0 else "-INF"
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else str(value)

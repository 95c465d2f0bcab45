"""A sheet as plain CSV (RFC 4180, UTF-8), for programs that read it by a schema.

Unlike the export for spreadsheets, every cell is exactly its value: nothing is put
before a text that a spreadsheet would run.
"""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, Any

import shapely

from layers.errors import SchemaError
from layers.export.columns import cells_of, places_of, written
from layers.export.shapes import wkt_text

if TYPE_CHECKING:
    from typing import IO

    from layers.export.values import Values


def place_columns(values: Values) -> tuple[str, ...]:
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
    if not values.sheet.geometry:
        return ()
    names = ("lon", "lat") if values.sheet.geometry == "Point" else ("wkt",)
    if taken := set(names) & set(values.columns):
        raise SchemaError(
            f"{values.sheet.id} has a column {min(taken)} of its own; expected that "
            "name to be free for the place. Rename it."
        )
    return names


def write_csv_file(values: Values, stream: IO[bytes]) -> None:
    """Write the rows of a sheet, places after the other columns.

    Numbers keep every digit; a missing value is an empty cell, and so is empty text.

    Parameters
    ----------
    values
        Layer in EPSG:4326, or table.
    stream
        Binary file.

    Raises
    ------
    SchemaError
        If the sheet has a column of the place's name.
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If a layer is in another CRS, or says none.
    """
    columns = [list(map(_cell, cells_of(column))) for column in values.columns.values()]
    if places := place_columns(values):
        columns += _places(values)
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([*values.columns, *places])
    writer.writerows(zip(*columns, strict=True))
    text.detach()


def _places(values: Values) -> list[list[str]]:
    """Write places as text: longitudes and latitudes, or WKT."""
    shapes = places_of(values)
    if values.sheet.geometry == "Point":
        return [
            ["" if math.isnan(v) else repr(v) for v in axis.tolist()]
            for axis in (shapely.get_x(shapes), shapely.get_y(shapes))
        ]
    return [["" if s is None or s.is_empty else wkt_text(s) for s in shapes]]


def _cell(value: Any) -> str:
    """Write a cell as the Table Schema wants it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return "INF" if value > 0 else "-INF"
    return value if isinstance(value, str) else _number_or_date(value)


def _number_or_date(value: Any) -> str:
    return repr(value) if isinstance(value, int | float) else written(value)

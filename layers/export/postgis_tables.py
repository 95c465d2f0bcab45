"""How a sheet becomes a table of PostgreSQL: names, types, places and comments."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.export.catalogue_losses import LONGEST_NAME
from layers.export.columns import places_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layers.export.content import Sheet
    from layers.export.values import Kind, Values

_TYPES: dict[Kind, str] = {
    "text": "text",
    "whole": "bigint",
    "number": "double precision",
    "truth": "boolean",
    "date": "date",
    "time": "timestamp",
    "decimal": "numeric",
    "bytes": "bytea",
    "structure": "json",
}


class Columns:
    """What the columns of one table are called and hold.

    Attributes
    ----------
    names
        Name in the table of each column of the sheet.
    types
        SQL type of each column of the sheet.
    key, place
        Names of the primary key and of the column of places.
    unique
        Columns of the sheet that have a unique constraint by now.
    """

    def __init__(self, names: dict[str, str], types: dict[str, str]) -> None:
        self.names, self.types = names, types
        self.key = _free("fid", names.values())
        self.place = _free("geom", names.values())
        self.unique: set[str] = set()


def columns_of(values: Values) -> Columns:
    """Name and type each column so that PostgreSQL keeps it whole."""
    names: dict[str, str] = {}
    for name in values.columns:
        names[name] = _shortened(name.replace("\0", ""), set(names.values()))
    types = {name: _TYPES[kind] for name, kind in values.kinds.items()}
    for name, column in values.columns.items():
        if types[name] == "timestamp" and column.type.tz:
            types[name] = "timestamptz"
    return Columns(names, types)


def _shortened(name: str, taken: set[str]) -> str:
    """Cut a name to what PostgreSQL keeps, with a number where it is taken."""
    for number in count(1):
        tail = f"_{number}" if number > 1 else ""
        room = LONGEST_NAME - len(tail)
        short = name.encode("utf-8")[:room].decode("utf-8", errors="ignore") + tail
        if short not in taken:
            return short
    raise AssertionError  # count() does not end


def _free(name: str, taken: Iterable[str]) -> str:
    """Return a name that no column has."""
    held = set(taken)
    while name in held:
        name += "_"
    return name


def placed(values: Values) -> tuple[str, list[str | None]]:
    """Return the type of the column of places, and each place as hexadecimal EWKB.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is not in EPSG:4326.
    """
    sheet, shapes = values.sheet, places_of(values)
    there = [shape for shape in shapes if shape is not None]
    if sheet.geometry.startswith("Multi"):
        shapes = np.array([_multi(shape) for shape in shapes], dtype=object)
    kinds = {shape.geom_type for shape in shapes if shape is not None}
    high = {bool(shape.has_z) for shape in there}
    kind = ""
    if len(high) < 2:
        exact = kinds <= {sheet.geometry}
        kind = sheet.geometry if exact else "Geometry"
        kind = f"({kind}{'Z' if high == {True} else ''}, 4326)"
    stamped = shapely.set_srid(shapes, 4326)
    return kind, shapely.to_wkb(stamped, hex=True, include_srid=True).tolist()


def _multi(shape: Any) -> Any:
    """Make one part a collection of one part."""
    if shape is None or shape.geom_type.startswith("Multi"):
        return shape
    many: dict[str, Any] = {
        "Point": shapely.MultiPoint,
        "LineString": shapely.MultiLineString,
        "Polygon": shapely.MultiPolygon,
    }
    if shape.is_empty or shape.geom_type not in many:
        return shape
    return many[shape.geom_type]([shape])


def table_comment(sheet: Sheet) -> str:
    """Put into words what a table is, for its comment."""
    lines = {
        "": sheet.title,
        "About": sheet.abstract,
        "Licence": sheet.licence,
        "Rights": sheet.rights,
        "Source": sheet.source,
        "Address": sheet.url,
        "Retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
    }
    return "\n".join(
        f"{name}: {text}" if name else text for name, text in lines.items() if text
    )


def column_comment(sheet: Sheet, name: str) -> str:
    """Put into words what a column holds, for its comment; empty if nobody says."""
    if (field := sheet.fields.get(name)) is None:
        return ""
    unit = f" [{field.unit}]" if field.unit not in {"", "1"} else ""
    return f"{field.alias}{unit}: {field.about}"

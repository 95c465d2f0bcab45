"""Columns of a sheet as plain values with one kind each, for formats that need both."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from geo.errors import CRSMismatchError
from layers.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from layers.export.content import Content, Relation, Sheet

Kind = Literal["text", "integer", "number", "boolean", "date", "instant"]
"""What all values of a column are; an instant is a day and a time of day."""

_INFERRED: dict[str, Kind] = {
    "boolean": "boolean",
    "integer": "integer",
    "floating": "number",
    "mixed-integer-float": "number",
    "decimal": "number",
    "date": "date",
    "datetime": "instant",
    "datetime64": "instant",
}


def attribute_names(sheet: Sheet) -> list[str]:
    """Names of all columns but the geometry, in their order."""
    names = [str(name) for name in sheet.table.columns]
    return [name for name in names if not (sheet.geometry and name == "geometry")]


def kind_of(column: pd.Series[Any]) -> Kind:
    """Tell what all values of a column are.

    Parameters
    ----------
    column
        Shape ``(n,)``.

    Returns
    -------
    str
        ``text`` where values of several kinds stand side by side, or none at all.

    Examples
    --------
    >>> kind_of(pd.Series([1.5, None])), kind_of(pd.Series(["a", None]))
    ('number', 'text')
    """
    types = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if types.is_bool_dtype(column.dtype):
        return "boolean"
    if types.is_integer_dtype(column.dtype):
        return "integer"
    if types.is_float_dtype(column.dtype):
        return "number"
    if types.is_datetime64_any_dtype(column.dtype):
        return "instant"
    return _INFERRED.get(types.infer_dtype(column, skipna=True), "text")


def plain_values(column: pd.Series[Any]) -> list[Any]:
    """Values of a column as plain Python objects of one kind.

    Parameters
    ----------
    column
        Shape ``(n,)``.

    Returns
    -------
    list
        In their order; missing ones None. Instants with a zone are in UTC.

    Examples
    --------
    >>> plain_values(pd.Series([True, None], dtype="boolean"))
    [True, None]
    """
    kind = kind_of(column)
    missing = column.isna().tolist()
    values = column.astype(object).tolist()
    return [
        None if gap else _plain(value, kind)
        for value, gap in zip(values, missing, strict=True)
    ]


def json_cell(value: Any) -> Any:
    """Turn a plain value into one that JSON has; infinite numbers become null.

    Examples
    --------
    >>> json_cell(date(2020, 1, 2)), json_cell(math.inf)
    ('2020-01-02', None)
    """
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def instant_text(value: datetime) -> str:
    """Write a day and a time of day as ISO 8601, in UTC with a Z if it has a zone."""
    text = value.isoformat()
    return text.removesuffix("+00:00") + "Z" if value.tzinfo else text


def geometries(sheet: Sheet) -> NDArray[np.object_]:
    """Geometries of a layer, shape ``(n,)``, in EPSG:4326.

    Raises
    ------
    CRSMismatchError
        If the layer is in another CRS, or says none.
    """
    series = sheet.table["geometry"]
    crs = getattr(series, "crs", None)
    if crs is None or crs.to_epsg() != 4326:
        raise CRSMismatchError(
            f"{sheet.id} is in {crs}; expected EPSG:4326. Call to_crs(4326) first."
        )
    return series.to_numpy(dtype=object)


def row_ids(sheet: Sheet) -> list[str]:
    """Ids of a layer's rows: its column ``id``, or 1 to n where it has none.

    Raises
    ------
    SchemaError
        If an id is missing or stands twice.
    """
    if "id" not in sheet.table.columns:
        return [str(number) for number in range(1, len(sheet.table) + 1)]
    ids = [None if v is None else str(v) for v in plain_values(sheet.table["id"])]
    seen: set[str] = set()
    for row, value in enumerate(ids, start=1):
        if value is None or value in seen:
            what = "has no id" if value is None else f"repeats the id {value!r}"
            raise SchemaError(
                f"{sheet.id}: row {row} {what}; expected one of its own for each row. "
                "Fill the column id, or leave it out."
            )
        seen.add(value)
    return [value for value in ids if value is not None]


def holds(content: Content, relation: Relation) -> bool:
    """Tell whether each value of a relation's child is found once in its parent.

    Missing values are no values. A column whose values are of another kind than the
    parent's never holds.
    """
    sheets = {sheet.id: sheet for sheet in content.sheets}
    child, parent = sheets.get(relation.child), sheets.get(relation.parent)
    if child is None or parent is None:
        return False
    if (
        relation.child_field not in child.table.columns
        or relation.parent_field not in parent.table.columns
    ):
        return False
    refers = child.table[relation.child_field]
    found = parent.table[relation.parent_field]
    if kind_of(refers) != kind_of(found) and refers.notna().any():
        return False
    values = plain_values(found)
    known = set(values) - {None}
    return len(known) == len(values) and known >= set(plain_values(refers)) - {None}


def _plain(value: Any, kind: Kind) -> Any:
    """One value that is not missing as an object of the column's kind."""
    if kind == "instant":
        moment: datetime = pd.Timestamp(value).to_pydatetime(warn=False)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    if kind == "text" and isinstance(value, (list, tuple, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return _MAKE[kind](value)


def _same(value: Any) -> Any:
    return value


_MAKE: dict[Kind, Callable[[Any], Any]] = {
    "boolean": bool,
    "date": _same,
    "integer": int,
    "number": float,
    "text": str,
}

"""Cells, places and ids of a sheet as plain values, and whether relations hold."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from geo.crs import require_lonlat
from layers.errors import SchemaError
from layers.export.values import Values, json_text, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from layers.export.content import Content, Relation


def values_of(content: Content) -> dict[str, Values]:
    """Every sheet with its columns converted, by id.

    Raises
    ------
    SchemaError
        If two columns of a sheet have the same name, or one has none.
    """
    for sheet in content.sheets:
        names = [str(name) for name in sheet.table.columns]
        for name in names:
            if names.count(name) > 1 or not name.strip("\0 "):
                raise SchemaError(
                    f"{sheet.id}: the column {name[:60]!r} stands twice or has no "
                    "name; expected names of their own. Rename it."
                )
    return {sheet.id: Values(sheet) for sheet in content.sheets}


def cells_of(column: pa.ChunkedArray) -> list[Any]:
    """Values of a column as plain Python objects of one kind.

    Parameters
    ----------
    column
        Shape ``(n,)``.

    Returns
    -------
    list
        In their order; missing ones None. Instants with a zone are in UTC, lists and
        records are JSON.

    Examples
    --------
    >>> import pyarrow as pa
    >>> cells_of(pa.chunked_array([[["a", "b"], None]]))
    ['["a", "b"]', None]
    """
    kind = kind_of(column.type)
    values: list[Any] = column.to_pylist()
    if kind == "structure":
        return [None if value is None else json_text(value) for value in values]
    if kind == "time":
        return [None if value is None else _instant(value) for value in values]
    return values


def places_of(values: Values) -> NDArray[np.object_]:
    """Geometries of a layer, shape ``(n,)``, in EPSG:4326.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is in another CRS, or says none.
    """
    nowhere = values.sheet.table["geometry"].iloc[:0]
    require_lonlat(cast("gpd.GeoSeries", nowhere), values.sheet.id)
    return values.shapes


def row_ids(values: Values) -> list[str]:
    """Ids of rows: the column ``id``, or 1 to n where there is none.

    A table whose ``id`` does not name each row once has them from 1 to n as well.

    Raises
    ------
    SchemaError
        If an id of a layer is missing or stands twice.
    """
    numbers = [str(number) for number in range(1, values.rows + 1)]
    if "id" not in values.columns:
        return numbers
    ids = [
        None if cell is None else str(cell) for cell in cells_of(values.columns["id"])
    ]
    seen: set[str] = set()
    for row, value in enumerate(ids, start=1):
        if value and value not in seen:
            seen.add(value)
        elif not values.sheet.geometry:
            return numbers
        else:
            what = f"repeats the id {value[:60]!r}" if value else "has no id"
            raise SchemaError(
                f"{values.sheet.id}: row {row} {what}; expected one of its own for "
                "each row. Fill the column id, or leave it out."
            )
    return [value for value in ids if value]


def holds(sheets: Mapping[str, Values], relation: Relation) -> bool:
    """Tell whether each value of a relation's child is found once in its parent.

    Missing values are no values. A column whose values are of another kind than the
    parent's never holds.

    Parameters
    ----------
    sheets
        From :func:`values_of`.
    relation
        One of the same export.
    """
    child, parent = sheets.get(relation.child), sheets.get(relation.parent)
    if child is None or parent is None:
        return False
    refers = child.columns.get(relation.child_field)
    found = parent.columns.get(relation.parent_field)
    if refers is None or found is None or refers.type != found.type:
        return False
    keys = cells_of(found)
    known = set(keys)
    whole = None not in known and len(known) == len(keys)
    return whole and known >= set(cells_of(refers)) - {None}


def _instant(value: Any) -> datetime:
    """Turn an instant into Python's own, to the microsecond."""
    if hasattr(value, "to_pydatetime"):
        value = value.to_pydatetime(warn=False)
    moment: datetime = value
    return moment.astimezone(UTC) if moment.tzinfo else moment

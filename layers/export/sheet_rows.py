"""Rows of a sheet as Arrow batches, checked column by column before they are written.

What GDAL would change without a word stops here instead: M coordinates, lists and
records, integers beyond 64 bits with a sign, ``NaT`` as text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from geo.errors import CRSMismatchError, CRSMissingError
from layers.errors import SchemaError
from layers.export.wkb import wkb_array

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pandas as pd
    from numpy.typing import NDArray

    from layers.export.content import Sheet

GEOMETRY = "geom"
"""Column of the geometries in the file."""

FID = "fid"
"""Column of the feature ids in the file: 1 to n, in the order of the rows."""

BATCH = 65_536
"""Rows whose geometries are turned into WKB at a time."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TAKEN = ("gpkg_", "rtree_", "sqlite_", "layer_styles", "qgis_projects", "idx_")
_TYPES = {"Point": 0, "LineString": 1, "Polygon": 3}
_MAKERS: Mapping[str, Any] = {
    "Point": shapely.multipoints,
    "LineString": shapely.multilinestrings,
    "Polygon": shapely.multipolygons,
}
_MULTI = {"Point": 4, "LineString": 5, "Polygon": 6}


def check_name(sheet: Sheet) -> None:
    """Refuse a name that a file's own tables use, or that SQL would need quotes for.

    Parameters
    ----------
    sheet
        A layer or a table.

    Raises
    ------
    SchemaError
        If the name is none of lower-case letters, digits and underscores, or one that
        the format keeps for itself.
    """
    name = sheet.id
    if not _NAME.fullmatch(name) or name.startswith(_TAKEN):
        raise SchemaError(
            f"a sheet is called {name[:60]!r}; expected lower-case letters, digits and "
            f"underscores, a letter first, and none of {', '.join(_TAKEN)} at the "
            "start. Give it another id."
        )


def attributes(sheet: Sheet) -> pa.Table:
    """Columns of a sheet but its geometry, as the types that a GeoPackage has.

    Parameters
    ----------
    sheet
        A layer or a table, ``n`` rows.

    Returns
    -------
    pyarrow.Table
        ``n`` rows; columns of text, 64-bit integers, floats, booleans, dates and
        instants.

    Raises
    ------
    SchemaError
        If two columns have one name but for upper and lower case, one has a name that
        the file needs, or a value is of another kind. The message names sheet, column
        and row, counted from 1.
    """
    frame = sheet.table
    names = [
        n for n in map(str, frame.columns) if n != "geometry" or not sheet.geometry
    ]
    _check_columns(sheet.id, names)
    arrays = {name: _array(sheet.id, name, frame[name]) for name in names}
    return pa.table(arrays) if arrays else pa.table({})


def geometries(sheet: Sheet) -> tuple[NDArray[np.object_], str]:
    """Geometries of a layer, single ones made multiple where the layer needs it.

    Parameters
    ----------
    sheet
        A layer, ``n`` rows in EPSG:4326.

    Returns
    -------
    geometries : numpy.ndarray
        Shape ``(n,)``.
    geometry_type : str
        That of the whole layer, with ``Z`` where any has heights.

    Raises
    ------
    CRSMismatchError, CRSMissingError
        If the layer says no CRS, or is not in EPSG:4326.
    SchemaError
        If a geometry is of another type than the sheet says, or has an M coordinate.
    """
    series = gpd.GeoSeries(sheet.table["geometry"])
    _check_crs(series, sheet.id)
    found = np.asarray(series, dtype=object)
    kind = sheet.geometry.removeprefix("Multi")
    several = sheet.geometry.startswith("Multi")
    types = shapely.get_type_id(found)
    wanted = [-1, _MULTI[kind], _TYPES[kind]] if several else [-1, _TYPES[kind]]
    wrong = ~np.isin(types, wanted)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise SchemaError(
            f"{sheet.id}: row {row + 1} is a {found[row].geom_type}; expected "
            f"{sheet.geometry}. Split the layer by type, or name it Multi{kind}."
        )
    has_m = getattr(shapely, "has_m", None)
    measured = has_m(found) if has_m else np.zeros(len(found), dtype=bool)
    if measured.any():
        row = int(np.argmax(measured))
        raise SchemaError(
            f"{sheet.id}: row {row + 1} has an M coordinate, which would be dropped; "
            "expected x and y, or x, y and z. Call shapely.force_2d or force_3d."
        )
    if several and (types == _TYPES[kind]).any():
        found = _multiple(found, types == _TYPES[kind], kind)
    heights = bool(shapely.has_z(found).any())
    return found, f"{sheet.geometry} Z" if heights else sheet.geometry


def batches(
    table: pa.Table,
    shapes: NDArray[np.object_] | None,
    done: Callable[[int], None],
) -> pa.RecordBatchReader:
    """Rows in batches, each geometry made WKB only when its batch is asked for.

    Parameters
    ----------
    table
        From :func:`attributes`, ``n`` rows.
    shapes
        From :func:`geometries`, shape ``(n,)``; None for a table.
    done
        Is told how many rows have been given.

    Returns
    -------
    pyarrow.RecordBatchReader
        Columns of the table, and the geometry.
    """
    if shapes is None:

        def plain() -> Iterator[pa.RecordBatch]:
            for start in range(0, len(table), BATCH):
                part = table.slice(start, BATCH).combine_chunks()
                yield from part.to_batches()
                done(len(part))

        return pa.RecordBatchReader.from_batches(table.schema, plain())
    marked = {"ARROW:extension:name": "ogc.wkb"}
    schema = table.schema.append(pa.field(GEOMETRY, pa.large_binary(), metadata=marked))

    def with_places() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(shapes), BATCH):
            part = table.slice(start, BATCH)
            wkb = wkb_array(shapes[start : start + BATCH])
            columns = [one_array(column) for column in part.columns]
            yield pa.record_batch([*columns, wkb], schema=schema)
            done(len(wkb))

    return pa.RecordBatchReader.from_batches(schema, with_places())


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Put the chunks of a column together; one that is whole is not copied.

    Parameters
    ----------
    column
        A column, or a part of it.

    Returns
    -------
    pyarrow.Array
        All of its values.
    """
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    return pa.concat_arrays(joined.chunks) if hasattr(joined, "chunks") else joined


def _check_crs(series: gpd.GeoSeries, name: str) -> None:
    """Refuse a layer that is not in EPSG:4326; a place may be missing or empty."""
    if series.crs is None:
        raise CRSMissingError(
            f"{name} has no CRS; expected EPSG:4326. Call set_crs(...) first."
        )
    if series.crs.to_epsg() != 4326:
        raise CRSMismatchError(
            f"{name} is in {series.crs.to_string()[:60]}; expected EPSG:4326. Call "
            "to_crs(4326) first."
        )


def _check_columns(sheet: str, names: list[str]) -> None:
    """Refuse names that the file needs itself, or that differ only in case."""
    seen: dict[str, str] = {FID: FID, GEOMETRY: GEOMETRY}
    for name in names:
        other = seen.get(name.lower())
        if other is not None or not name:
            clash = f"{other!r} in the file" if other else "nothing"
            raise SchemaError(
                f"{sheet}: a column is called {name!r}, the same as {clash} whatever "
                "the case; expected names of their own. Rename it."
            )
        seen[name.lower()] = name


def _array(sheet: str, name: str, column: pd.Series[Any]) -> pa.Array:
    """One column as Arrow has it, if a GeoPackage can hold it."""
    try:
        array = pa.array(column, from_pandas=True)
    except pa.ArrowNotImplementedError as error:
        raise _unfit(sheet, name, column) from error
    except (pa.ArrowException, OverflowError) as error:
        row, value = _odd_one(column)
        raise SchemaError(
            f"{sheet}: column {name!r}, row {row}: {type(value).__name__} {value!r:.60}"
            " is of another kind than the rows before; expected one kind in a column. "
            "Make them all text, or all numbers."
        ) from error
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_uint64(kind):
        return _signed(sheet, name, array)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        _refuse_nat(sheet, name, array)
        return array
    if pa.types.is_timestamp(kind):
        return array.cast(pa.timestamp("ms", tz=kind.tz), safe=False)
    good = (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_date32(kind)
    )
    if not good:
        raise _unfit(sheet, name, column)
    return array.cast(pa.float64()) if pa.types.is_float16(kind) else array


def _unfit(sheet: str, name: str, column: pd.Series[Any]) -> SchemaError:
    """Say that a column's values are of no kind that the file has."""
    row = int(np.argmax(~np.asarray(column.isna()))) + 1
    value = column.iloc[row - 1]
    return SchemaError(
        f"{sheet}: column {name!r}, row {row}: {type(value).__name__} {value!r:.60}; "
        "expected text, a number, a truth value or a date. Write lists as text between "
        "spaces, and records as columns."
    )


def _signed(sheet: str, name: str, array: pa.Array) -> pa.Array:
    """Whole numbers as 64 bits with a sign, if they fit."""
    try:
        return array.cast(pa.int64())
    except pa.ArrowInvalid as error:
        large = pc.greater(array, pa.scalar(2**63 - 1, pa.uint64())).to_numpy(
            zero_copy_only=False
        )
        row = int(np.argmax(large == True)) + 1  # noqa: E712
        raise SchemaError(
            f"{sheet}: column {name!r}, row {row}: {array[row - 1]} does not fit into "
            "64 bits with a sign; expected at most 9223372036854775807. Write it as "
            "text."
        ) from error


def _refuse_nat(sheet: str, name: str, array: pa.Array) -> None:
    """Refuse the text that a missing date becomes by mistake."""
    place = pc.index(array, pa.scalar("NaT", array.type)).as_py()
    if place >= 0:
        raise SchemaError(
            f"{sheet}: column {name!r}, row {place + 1}: the text 'NaT'; expected a "
            "missing value where there is no date. Put None there."
        )


def _odd_one(column: pd.Series[Any]) -> tuple[int, Any]:
    """Find the first row whose kind is not that of the first value."""
    first: type | None = None
    for row, value in enumerate(column, start=1):
        if value is None or value != value:  # noqa: PLR0124
            continue
        if first is None:
            first = type(value)
        elif type(value) is not first:
            return row, value
    return len(column), column.iloc[-1] if len(column) else None


def _multiple(
    found: NDArray[np.object_], single: NDArray[np.bool_], kind: str
) -> NDArray[np.object_]:
    """Make single geometries into multiple ones of one part."""
    make = _MAKERS[kind]
    out = found.copy()
    places = np.flatnonzero(single)
    out[places] = make(found[places], indices=np.arange(len(places)))
    return out

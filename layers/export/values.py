"""Values of a sheet as every format sees them: typed columns and shapes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    import pyarrow as pa

    from layers.export.content import Sheet

BATCH = 20_000
"""Rows that a writer has in hand at a time."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
"""Stands for a character that a format forbids."""

Kind = Literal[
    "text", "whole", "number", "truth", "date", "time", "decimal", "bytes", "structure"
]


@dataclass(frozen=True, eq=False)
class Values:
    """Columns and shapes of a sheet, converted once.

    Examples
    --------
    >>> import pandas as pd
    >>> from layers.export.content import Sheet
    >>> table = pd.DataFrame({"id": ["a", "b"], "grade": [1.5, None]})
    >>> values = Values(Sheet(id="t", title="T", abstract="", table=table))
    >>> values.kinds
    {'id': 'text', 'grade': 'number'}
    >>> values.columns["grade"].null_count
    1
    """

    sheet: Sheet

    @cached_property
    def _converted(self) -> dict[str, tuple[pa.ChunkedArray, int]]:
        table = self.sheet.table
        return {
            str(name): _arrow(table.iloc[:, i])
            for i, name in enumerate(table.columns)
            if str(table.dtypes.iloc[i]) != "geometry"
        }

    @cached_property
    def columns(self) -> dict[str, pa.ChunkedArray]:
        """Every column but the geometry, missing values null, in one type each."""
        return {name: column for name, (column, _) in self._converted.items()}

    @property
    def reworded(self) -> int:
        """Cells that are text here and were not: records, durations, mixed columns."""
        return sum(changed for _, changed in self._converted.values())

    @cached_property
    def unpaired(self) -> int:
        """Texts with surrogates that stand alone, which no encoding can write."""
        table = self.sheet.table
        return sum(
            _has_halves(cell)
            for i in range(table.shape[1])
            if _may_hold_surrogates(table.dtypes.iloc[i])
            for cell in table.iloc[:, i]
        )

    @cached_property
    def kinds(self) -> dict[str, Kind]:
        """What each column holds."""
        return {name: kind_of(column.type) for name, column in self.columns.items()}

    @cached_property
    def shapes(self) -> np.ndarray:
        """Geometries without measures (M), shape ``(n,)``; none for a table."""
        if not self.sheet.geometry:
            return np.empty(0, dtype=object)
        return without_measures(self.sheet.table.geometry.to_numpy())

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self.sheet.table)

    def of_kind(self, *kinds: Kind) -> list[pa.ChunkedArray]:
        """Columns that hold one of some kinds of value.

        Parameters
        ----------
        *kinds
            Kinds of value.

        Returns
        -------
        list of pyarrow.ChunkedArray
            In the order of the sheet.
        """
        return [self.columns[name] for name, k in self.kinds.items() if k in kinds]

    def batches(
        self, size: int = BATCH
    ) -> Iterator[tuple[dict[str, pa.ChunkedArray], np.ndarray]]:
        """Go through the rows in their order.

        Parameters
        ----------
        size
            Most rows at a time.

        Yields
        ------
        columns : dict
            Column by name.
        shapes : array
            Geometries of the same rows; none for a table.
        """
        for start in range(0, self.rows, size):
            columns = {n: c.slice(start, size) for n, c in self.columns.items()}
            yield columns, self.shapes[start : start + size]


def kind_of(kind: pa.DataType) -> Kind:
    """Say what an Arrow type holds.

    Parameters
    ----------
    kind
        Type of a column.

    Returns
    -------
    str
        Text for a column that is missing throughout.
    """
    import pyarrow.types as t

    tests: tuple[tuple[Any, Kind], ...] = (
        (t.is_boolean, "truth"),
        (t.is_integer, "whole"),
        (t.is_floating, "number"),
        (t.is_date, "date"),
        (t.is_timestamp, "time"),
        (t.is_decimal, "decimal"),
        (t.is_nested, "structure"),
    )
    for test, name in tests:
        if test(kind):
            return name
    binary = t.is_binary(kind) or t.is_large_binary(kind)
    return "bytes" if binary or t.is_fixed_size_binary(kind) else "text"


def plain(value: Any) -> Any:
    """Turn a value into what JSON has.

    Parameters
    ----------
    value
        A value of a column, as Arrow gives it to Python.

    Returns
    -------
    None, bool, int, float, str, list or dict
        Dates as ISO 8601 has them (UTC as Z), bytes as hexadecimal digits, decimals
        as text; numbers that are not finite are None.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, dict):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | np.ndarray | set):
        return [plain(inner) for inner in value]
    return _written(value)


def json_text(value: Any) -> str:
    """Write a value as JSON on one line.

    Parameters
    ----------
    value
        Any value.

    Returns
    -------
    str
        JSON, characters as they are.
    """
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write the values of a column as text; what is missing stays so.

    Parameters
    ----------
    column
        Of any kind.

    Returns
    -------
    pyarrow.ChunkedArray
        Text; lists and records as JSON, dates as ISO 8601 has them.
    """
    import pyarrow as pa

    kind = kind_of(column.type)
    if kind in {"text", "truth", "whole", "date"}:
        return column.cast(pa.string())
    if kind == "time" and column.type.tz in {None, "UTC"}:
        return _moments(column)
    if kind == "structure":
        written: Any = json_text
    else:
        written = repr if kind == "number" else plain
    cells = [None if v is None else written(v) for v in column.to_pylist()]
    return pa.chunked_array([pa.array(cells, pa.string())])


def _moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Write instants in UTC, or of no zone, as ISO 8601 has them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ending = "Z" if column.type.tz else ""
    texts = pc.strftime(
        column.cast(pa.timestamp(column.type.unit)), "%Y-%m-%dT%H:%M:%S"
    )
    # As many digits of a second as Python writes: none, six or nine.
    texts = pc.replace_substring_regex(texts, r"\.0+$", "")
    texts = pc.replace_substring_regex(texts, r"(\.\d{3})$", r"\1000")
    texts = pc.replace_substring_regex(texts, r"(\.\d{6})000$", r"\1")
    return pc.binary_join_element_wise(texts, ending, "") if ending else texts


def without_measures(shapes: np.ndarray) -> np.ndarray:
    """Drop measures (M), which hardly a format keeps.

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``.

    Returns
    -------
    array
        The same places; heights (Z) are kept.
    """
    import shapely

    measured = has_measures(shapes)
    if not measured.any():
        return shapes
    found = shapes.copy()
    deep = shapely.has_z(shapes)
    for chosen, force in (
        (measured & ~deep, shapely.force_2d),
        (measured & deep, shapely.force_3d),
    ):
        found[chosen] = force(shapes[chosen])
    return found


def has_measures(shapes: np.ndarray) -> np.ndarray:
    """Tell which geometries carry measures (M).

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``.

    Returns
    -------
    array of bool
        All false where shapely is too old to read any.
    """
    import shapely

    if not hasattr(shapely, "has_m"):
        return np.zeros(len(shapes), dtype=bool)
    found: np.ndarray = shapely.has_m(shapes)
    return found


def _arrow(values: pd.Series) -> tuple[pa.ChunkedArray, int]:
    """Column of one type, and how many cells had to become text for it."""
    import pandas as pd
    import pyarrow as pa

    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    strange = isinstance(values.dtype, pd.PeriodDtype | pd.IntervalDtype)
    if strange or values.dtype.kind == "m":
        texts = [None if pd.isna(v) else str(v) for v in values]
        return _chunked(pa.array(texts, pa.string())), len(texts) - texts.count(None)
    try:
        found, changed = pa.array(values, from_pandas=True), 0
        if pa.types.is_struct(found.type):
            raise pa.ArrowTypeError("records need not have the same fields")
    except UnicodeEncodeError:
        return _arrow(pd.Series([_whole(v) for v in values], dtype=object))
    except (
        pa.ArrowInvalid,
        pa.ArrowTypeError,
        pa.ArrowNotImplementedError,
        OverflowError,
    ):
        cells = [None if _is_missing(v) else v for v in values]
        texts = [None if v is None else _as_cell(v) for v in cells]
        changed = sum(v is not None and not isinstance(v, str) for v in cells)
        found = pa.array(texts, pa.string())
    column = _chunked(found)
    if kind_of(column.type) == "text":
        column = column.cast(pa.string())
    elif pa.types.is_uint64(column.type):
        return _signed(column)
    elif pa.types.is_float16(column.type):
        column = column.cast(pa.float32())
    return column, changed


def _signed(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    """Whole numbers with a sign, or text where they are too large for that."""
    import pyarrow as pa

    try:
        return column.cast(pa.int64()), 0
    except pa.ArrowInvalid:
        return column.cast(pa.string()), len(column) - column.null_count


def paired(text: str) -> str:
    """Replace unpaired surrogates, which no encoding can write.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        As long, ``U+FFFD`` in their place.
    """
    if _encodes(text):
        return text
    return "".join(REPLACEMENT if "\ud800" <= c <= "\udfff" else c for c in text)


def _whole(value: Any) -> Any:
    """Replace unpaired surrogates in a text, or in the texts of a list."""
    if isinstance(value, list | tuple | np.ndarray):
        return [_whole(inner) for inner in value]
    return paired(value) if isinstance(value, str) else value


def _has_halves(value: Any) -> bool:
    """Tell whether a text, or a text in a list, has unpaired surrogates."""
    if isinstance(value, list | tuple | np.ndarray):
        return any(map(_has_halves, value))
    return isinstance(value, str) and not _encodes(value)


def _encodes(text: str) -> bool:
    """Tell whether a text can be written in an encoding at all."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _may_hold_surrogates(dtype: Any) -> bool:
    """Tell whether texts of a column may; Arrow's are UTF-8, which has none."""
    return (
        dtype.kind == "O"
        and str(dtype) != "geometry"
        and getattr(dtype, "storage", "") != "pyarrow"
    )


def _written(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        text = value.isoformat()
        return f"{text[:-6]}Z" if text.endswith("+00:00") else text
    return str(value.isoformat() if hasattr(value, "isoformat") else value)


def _as_cell(value: Any) -> str:
    if isinstance(value, str):
        return paired(value)
    if isinstance(value, dict | list | tuple | set | np.ndarray):
        return paired(json_text(value))
    return paired(str(plain(value)))


def _is_missing(value: Any) -> bool:
    import pandas as pd

    if isinstance(value, dict | list | tuple | set | np.ndarray):
        return False
    return bool(pd.isna(value))


def _chunked(found: Any) -> pa.ChunkedArray:
    import pyarrow as pa

    return found if isinstance(found, pa.ChunkedArray) else pa.chunked_array([found])

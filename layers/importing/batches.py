"""Record batches as they come, brought to plain types and written as Arrow."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import ReadError
from layers.importing.rings import close_rings
from layers.importing.wkb import are_plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from layers.importing.jobs import Job

ROWS_AT_ONCE = 16_384
"""Most rows of a record batch: few megabytes, which stay in a processor's cache."""

COLUMNS_AT_MOST = 4_096
CELL_AT_MOST = 16 << 20
"""Longest text in a cell. [bytes]"""

CLOSED = "open rings closed"
EMPTIED = "geometries that are none left empty"

_ALWAYS, _TIMES_AT_MOST = 1 << 30, 200

_POINT = 21  # bytes of a point without altitude: order, kind, x, y


@dataclass(kw_only=True)
class Written:
    """What went into a file of rows."""

    rows: int = 0
    columns: tuple[str, ...] = ()
    has_geometry: bool = False
    notes: list[str] = field(default_factory=list)
    mended: Counter[str] = field(default_factory=Counter)


def write_batches(
    job: Job,
    schema: pa.Schema,
    batches: Iterable[pa.RecordBatch],
    *,
    geometry: str | None,
    whole: int = 0,
) -> Written:
    """Write batches to an Arrow IPC file, each column of a plain type.

    Parameters
    ----------
    job
        What is read; its ``out`` is the file to write.
    schema
        Of the batches.
    batches
        Rows, in any number at a time.
    geometry
        Column of WKB, which becomes the last one and is called ``geometry``; None if
        there is none.
    whole
        Rows that there will be, for the progress; 0 if the file does not say.

    Returns
    -------
    Written
        Dates, times, numbers and truth values keep their types. Lists and structures
        become JSON text, other binary columns are left out; ``notes`` says so.

    Raises
    ------
    ReadError
        If there are more than 4,096 columns, a text is longer than 16 MB or no UTF-8,
        or the rows are more than 1 GB and 200 times as long as the file.
    """
    import pyarrow as pa

    if len(schema) > COLUMNS_AT_MOST:
        raise ReadError(
            f"{job.name} has {len(schema):,} columns; expected at most "
            f"{COLUMNS_AT_MOST:,}. Turn the table, or keep the columns that you need"
        )
    told = Written(has_geometry=geometry is not None)
    place = schema.get_field_index(geometry) if geometry is not None else -1
    taken: list[int] = []
    fields: list[pa.Field] = []
    names = {"geometry"} if geometry is not None else set()
    for i, column in enumerate(schema):
        kind = None if i == place else _plain(column, told.notes)
        if kind is not None:
            name = _free(column.name, names, told.notes)
            taken.append(i)
            fields.append(pa.field(name, kind))
    told.columns = tuple(f.name for f in fields)
    if geometry is not None:
        fields.append(pa.field("geometry", pa.binary()))
    plain = pa.schema(fields)
    with (
        pa.OSFile(str(job.out), "wb") as stream,
        pa.ipc.new_file(stream, plain) as sink,
    ):
        for long in batches:
            for start in range(0, long.num_rows, ROWS_AT_ONCE):
                batch = long.slice(start, ROWS_AT_ONCE)
                arrays = [
                    _cast(batch.column(i), plain.field(k), job.name)
                    for k, i in enumerate(taken)
                ]
                if geometry is not None:
                    arrays.append(_places(batch.column(place), told))
                sink.write_batch(pa.record_batch(arrays, schema=plain))
                told.rows += batch.num_rows
                job.has_written(told.rows)
                job.progress(told.rows, whole)
                if stream.tell() > max(_ALWAYS, _TIMES_AT_MOST * job.size):
                    raise ReadError(
                        f"{job.name} would grow to more than {_TIMES_AT_MOST} times "
                        "its length as rows; no data are packed that well"
                    )
    return told


def _plain(column: pa.Field, notes: list[str]) -> pa.DataType | None:
    """Type that a column is written with; None if it is left out."""
    import pyarrow as pa

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    name = column.name[:60]
    is_binary = (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )
    if is_binary:
        notes.append(f"Column {name} holds bytes and is left out.")
        return None
    if pa.types.is_nested(kind):
        notes.append(f"Column {name} holds lists or records and is read as JSON text.")
        return pa.string()
    if pa.types.is_date64(kind):
        return pa.date32()
    if pa.types.is_float16(kind):
        return pa.float32()
    keeps = (
        pa.types.is_boolean(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_temporal(kind)
    )
    return kind if keeps else pa.string()


def _free(name: str, names: set[str], notes: list[str]) -> str:
    """Find a name that no column has yet."""
    found, n = name, 1
    while found in names:
        n += 1
        found = f"{name}_{n}"
    names.add(found)
    if found != name:
        notes.append(f"The column {name[:60]} is there twice; one became {found[:60]}.")
    return found


def _cast(values: pa.Array, wanted: pa.Field, name: str) -> pa.Array:
    """Bring a column to its type."""
    import pyarrow as pa

    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_nested(values.type):
        texts = [
            None if v is None else json.dumps(v, ensure_ascii=False, default=str)
            for v in values.to_pylist()
        ]
        return pa.array(texts, wanted.type)
    try:
        cast = values if values.type == wanted.type else values.cast(wanted.type)
        if pa.types.is_string(wanted.type):
            cast.validate(full=True)
            longest = _longest(cast)
            if longest > CELL_AT_MOST:
                raise ReadError(
                    f"{name}: column {wanted.name[:60]} holds a text of "
                    f"{longest:,} bytes; expected at most {CELL_AT_MOST:,}"
                )
    except pa.ArrowInvalid as error:
        if "UTF8" not in str(error):
            raise
        raise ReadError(
            f"{name}: column {wanted.name[:60]} holds bytes that are no UTF-8; say the "
            "encoding, such as --encoding cp949, or save the file again in UTF-8"
        ) from None
    return cast


def _longest(texts: pa.Array) -> int:
    """Length of the longest text; loading Arrow's functions takes longer. [bytes]."""
    if not len(texts):
        return 0
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset :]
    return int(np.diff(offsets[: len(texts) + 1]).max())


def _places(values: pa.Array, told: Written) -> pa.Array:
    """Check the WKB of a batch, and close its rings."""
    import pyarrow as pa

    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    if values.type != pa.binary():
        values = values.cast(pa.binary())
    return values if _are_points(values) else _readable(values, told)


def _are_points(values: pa.Array) -> bool:
    """Tell whether all are little-endian points without more."""
    if values.null_count or not len(values):
        return False
    _, offsets, content = values.buffers()
    ends = np.frombuffer(offsets, np.int32)[values.offset :][: len(values) + 1]
    if content is None or not (np.diff(ends) == _POINT).all():
        return False
    every = np.frombuffer(content, np.uint8)[ends[0] : ends[-1]].reshape(-1, _POINT)
    return bool((every[:, :5] == (1, 1, 0, 0, 0)).all())


def _readable(values: pa.Array, told: Written) -> pa.Array:
    """Make WKB that can be read of any."""
    import pyarrow as pa

    plain = are_plain(values)
    if plain.all():
        return values
    import shapely

    others = values.filter(pa.array(~plain)) if plain.any() else values
    try:
        shapely.from_wkb(others.to_numpy(zero_copy_only=False))
    except shapely.GEOSException:
        texts = values.to_numpy(zero_copy_only=False)
        mended: list[bytes | None] = [_mend(text, told) for text in texts]
        return pa.array(mended, pa.binary())
    return values


def _mend(text: Any, told: Written) -> bytes | None:
    """Close the rings of one geometry; None if it is none even so."""
    import shapely

    if text is None:
        return None
    try:
        shapely.from_wkb(text)
    except shapely.GEOSException:
        pass
    else:
        return bytes(text)
    try:
        closed, count = close_rings(bytes(text))
        shapely.from_wkb(closed)
    except (shapely.GEOSException, ValueError):
        told.mended[EMPTIED] += 1
        return None
    told.mended[CLOSED] += count
    return closed

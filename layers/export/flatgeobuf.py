"""FlatGeobuf: large layers of which a program reads the part that it shows."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from layers.export.common_losses import (
    ALWAYS,
    DATES,
    DECIMALS,
    LISTS,
    RASTERS,
    RELATIONS,
    STYLE,
    empty_places,
    heights,
    matching,
    null_places,
)
from layers.export.gdal_files import kinds_of, write_gdal
from layers.export.losses import Loss
from layers.export.parts import write_parts
from layers.export.tables import write_table
from layers.export.values import REPLACEMENT, Values, as_text
from layers.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet
    from layers.export.parts import Steps


def _placed(values: Values) -> int:
    return int((~_nowhere(values.shapes)).sum())


def _reordered(values: Values) -> int:
    """Rows that may stand elsewhere: all of them, where there are several."""
    placed = _placed(values)
    return placed if placed > 1 else 0


def _added(values: Values) -> int:
    deep, flat = heights(values.shapes)
    return flat if deep and len(kinds_of(values.shapes)) == 1 else 0


def _flattened(values: Values) -> int:
    deep, _ = heights(values.shapes)
    return deep if len(kinds_of(values.shapes)) > 1 else 0


def _fine_times(values: Values) -> int:
    import pyarrow.compute as pc

    return sum(
        pc.sum(pc.not_equal(column, _to_ms(column).cast(column.type))).as_py() or 0
        for column in values.of_kind("time")
    )


def unlike_names(names: Iterable[str]) -> dict[str, str]:
    """Give names that differ in case only a number; GDAL takes them for one.

    Parameters
    ----------
    names
        Names of columns.

    Returns
    -------
    dict
        New name by name; most are the same.

    Examples
    --------
    >>> unlike_names(["kind", "Kind"])
    {'kind': 'kind', 'Kind': 'Kind_2'}
    """
    found: dict[str, str] = {}
    wanted = list(names)
    taken = {name.lower() for name in wanted}
    seen: set[str] = set()
    for name in wanted:
        unlike, number = name, 1
        while unlike.lower() in seen or (number > 1 and unlike.lower() in taken):
            number += 1
            unlike = f"{name}_{number}"
        seen.add(unlike.lower())
        found[name] = unlike
    return found


NUMBERED = Loss(
    kind="names numbered",
    one="name that differs from another in case only got a number",
    many="names that differ from others in case only got numbers",
    about="Programs take names for the same whatever their case.",
    in_sheet=lambda values: sum(
        name != unlike for name, unlike in unlike_names(values.columns).items()
    ),
)

FINE_TIMES = Loss(
    kind="times cut to milliseconds",
    one="time was cut to the millisecond",
    many="times were cut to the millisecond",
    about="Times are kept to the millisecond; those with a zone as the same "
    "instant in UTC.",
    in_sheet=_fine_times,
)

LOSSES = (
    NUMBERED,
    Loss(
        kind="rows without a place left out",
        one="row without a place was left out",
        many="rows without a place were left out",
        about="Readers stop at a row that has no geometry, or an empty one.",
        in_sheet=lambda values: null_places(values) + empty_places(values),
    ),
    Loss(
        kind="order",
        one="row may stand in another order",
        many="rows may stand in another order",
        about="Rows are sorted by place for the index; the column id names them.",
        in_sheet=_reordered,
    ),
    DATES,
    FINE_TIMES,
    LISTS,
    DECIMALS,
    Loss(
        kind="characters replaced",
        one="text lost a NUL character",
        many="texts lost NUL characters",
        about=f"Programs take NUL for the end of a text; it becomes {REPLACEMENT}.",
        in_sheet=lambda values: matching(values, r"\x00"),
    ),
    Loss(
        kind="heights of 0 added",
        one="geometry without height got height 0",
        many="geometries without height got height 0",
        about="A layer has heights (Z) throughout or not at all.",
        in_sheet=_added,
    ),
    Loss(
        kind="heights dropped",
        one="geometry lost its heights (Z)",
        many="geometries lost their heights (Z)",
        about="A layer of several kinds of geometry is written without heights.",
        in_sheet=_flattened,
    ),
    *ALWAYS,
    STYLE,
    RELATIONS,
    RASTERS,
)


def write_flatgeobuf(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers as FlatGeobuf, with a spatial index.

    Parameters
    ----------
    content
        What is to be written.
    path
        ``NAME.fgb`` for one layer, ``NAME.zip`` or a folder for several; tables stand
        there as CSV.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple of pathlib.Path
        What was written.

    Raises
    ------
    WriteError
        If several layers are to be one file, or a file cannot be written.
    """
    return write_parts(
        content,
        path,
        form="flatgeobuf",
        layers=(".fgb", _write_layer),
        tables=(".csv", write_table),
        progress=progress,
    )


def _write_layer(sheet: Sheet, path: Path, steps: Steps) -> tuple[Path, ...]:
    import pyarrow as pa
    import shapely

    values = Values(sheet)
    kept = ~_nowhere(values.shapes)
    shapes = values.shapes[kept]
    kinds = kinds_of(shapes)
    kind = kinds.pop() if len(kinds) == 1 else "Unknown"
    if kind == "Unknown":
        shapes = shapely.force_2d(shapes)
    elif shapely.has_z(shapes).any():
        kind, shapes = f"{kind} Z", shapely.force_3d(shapes)
    chosen = pa.array(kept)
    names = unlike_names(values.columns)
    columns = {
        names[name]: _native(column, values.kinds[name]).filter(chosen)
        for name, column in values.columns.items()
    }
    credit = " ".join(filter(None, (sheet.abstract, sheet.rights, sheet.licence)))
    with tempfile.TemporaryDirectory(prefix="lodemap-") as folder:
        made = Path(folder) / f"{sheet.id}.fgb"
        write_gdal(
            made,
            columns,
            shapes,
            driver="FlatGeobuf",
            options={"TITLE": sheet.title, "DESCRIPTION": credit},
            kind=kind,
            steps=steps,
        )
        with replacing(path) as stream, made.open("rb") as source:
            while block := source.read(1 << 20):
                stream.write(block)
    return (path,)


def _native(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    """Column in a type that the format has."""
    import pyarrow.compute as pc

    if kind == "time":
        return _to_ms(column)
    if kind == "text":
        return pc.replace_substring(column, "\x00", REPLACEMENT)
    if kind in {"date", "structure", "decimal"}:
        return as_text(column)
    return column


def _to_ms(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Cut times to the millisecond."""
    import pyarrow as pa

    zone = "UTC" if column.type.tz else None
    return column.cast(pa.timestamp("ms", zone), safe=False)


def _nowhere(shapes: np.ndarray) -> np.ndarray:
    """Tell which geometries are missing or empty."""
    import shapely

    found: np.ndarray = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    return found

"""CSV for spreadsheets, with metadata beside (CSVW), or for readers by a schema."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

from layers.export.columns import places_of
from layers.export.common_losses import (
    ALWAYS,
    RASTERS,
    RELATIONS,
    STYLE,
    matching,
    missing_texts,
)
from layers.export.losses import Loss, count_losses
from layers.export.parts import write_parts
from layers.export.shapes import wkt_text
from layers.export.values import REPLACEMENT, Values, as_text, kind_of
from layers.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    import numpy as np
    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet
    from layers.export.parts import Steps

METADATA = "-metadata.json"
"""What the name of the metadata has after the name of the file (CSVW)."""

_FORMULA = (
    "[=+\\-@\t\r\n\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}"
    "\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}]"
)
_BEGINS = re.compile(_FORMULA)


def _empty_bytes(values: Values) -> int:
    import pyarrow.compute as pc

    return sum(
        pc.sum(pc.equal(pc.binary_length(column), 0)).as_py() or 0
        for column in values.of_kind("bytes")
    )


NUL = Loss(
    kind="characters replaced",
    one="text lost a NUL character",
    many="texts lost NUL characters",
    about=f"Programs take NUL for the end of a text; it becomes {REPLACEMENT}.",
    in_sheet=lambda values: matching(values, r"\x00"),
)

LOSSES = (
    Loss(
        kind="formulas defused",
        one="text that a spreadsheet would run got an apostrophe before it",
        many="texts that a spreadsheet would run got an apostrophe before them",
        about="A cell that begins with =, +, -, @ or white space is a formula to a "
        "spreadsheet.",
        in_sheet=lambda values: matching(values, rf"\A{_FORMULA}"),
    ),
    Loss(
        kind="missing texts",
        one="missing text became empty",
        many="missing texts became empty",
        about="A cell is either filled or not.",
        in_sheet=missing_texts,
    ),
    Loss(
        kind="empty bytes",
        one="value of no bytes became missing",
        many="values of no bytes became missing",
        about="A cell is either filled or not.",
        in_sheet=_empty_bytes,
    ),
    NUL,
    *ALWAYS,
    STYLE,
    RELATIONS,
    RASTERS,
)

_TYPES: dict[str, Any] = {
    "text": "string",
    "whole": "integer",
    "number": "double",
    "truth": {"base": "boolean", "format": "true|false"},
    "date": "date",
    "time": "dateTime",
    "decimal": "decimal",
    "bytes": "hexBinary",
    "structure": "json",
}


def write_csv(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers and tables as CSV in UTF-8, each with its metadata beside.

    Parameters
    ----------
    content
        What is to be written.
    path
        ``NAME.csv`` for one sheet, ``NAME.zip`` or a folder for several.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple of pathlib.Path
        What was written.

    Raises
    ------
    WriteError
        If several sheets are to be one file, or a file cannot be written.

    Notes
    -----
    A layer has the columns ``lon``, ``lat`` and ``wkt`` last, with ``_`` after the name
    where a column has it already. ``lon`` and ``lat`` of what is no point are those of
    a point on it. The file begins with the mark by which Excel knows UTF-8.
    """
    return write_parts(
        content,
        path,
        form="csv",
        layers=(".csv", write_table),
        tables=(".csv", write_table),
        progress=progress,
    )


def write_table(sheet: Sheet, path: Path, steps: Steps) -> tuple[Path, ...]:
    """Write one sheet as CSV, and its metadata beside.

    Parameters
    ----------
    sheet
        Layer or table.
    path
        Where the file is to stand.
    steps
        Counts the rows.

    Returns
    -------
    tuple of pathlib.Path
        The file and its metadata.

    Raises
    ------
    WriteError
        If a file cannot be written.
    """
    values = Values(sheet)
    with replacing(path) as stream:
        write_rows(values, stream, steps=steps)
    about = path.with_name(path.name + METADATA)
    said = json.dumps(_metadata(values, path.name), ensure_ascii=False, indent=1)
    with replacing(about) as stream:
        stream.write(f"{said}\n".encode())
    return path, about


def write_rows(
    values: Values,
    stream: IO[bytes],
    *,
    exact: bool = False,
    steps: Steps | None = None,
) -> None:
    """Write the rows of one sheet as CSV.

    Parameters
    ----------
    values
        Layer in EPSG:4326, or table.
    stream
        Binary file.
    exact
        Write for programs that read by a schema: no mark that says UTF-8, and nothing
        before a text that a spreadsheet would run.
    steps
        Counts the rows.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is in another CRS, or says none.
    """
    places = place_names(values)
    if places:
        places_of(values)
    encoding, written = ("utf-8", _clean) if exact else ("utf-8-sig", _defused)
    text = io.TextIOWrapper(stream, encoding, newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow([*map(written, values.columns), *places])
    for columns, shapes in values.batches():
        cells = [_cells(column, written) for column in columns.values()]
        if places:
            cells += _places(shapes)
        writer.writerows(zip(*cells, strict=True))
        if steps is not None:
            steps.add(len(cells[0]) if cells else 0)
    text.detach()


def place_names(values: Values) -> list[str]:
    """Names of the columns that hold the places of a layer.

    Parameters
    ----------
    values
        A sheet.

    Returns
    -------
    list of str
        ``lon``, ``lat`` and ``wkt``, with ``_`` after what a column is named already;
        none for a table.
    """
    names: list[str] = []
    if values.sheet.geometry:
        for name in ("lon", "lat", "wkt"):
            free = name
            while free in values.columns:
                free += "_"
            names.append(free)
    return names


def _places(shapes: np.ndarray) -> list[list[str]]:
    """Longitude, latitude and WKT of each geometry; empty where there is none."""
    import shapely

    flat = bool(((shapely.get_type_id(shapes) == 0) & ~shapely.has_z(shapes)).all())
    points = shapes.copy() if flat else shapely.point_on_surface(shapes)
    points[shapely.is_empty(points)] = None
    lon, lat = (
        ["" if v != v else repr(v) for v in axis.tolist()]  # noqa: PLR0124
        for axis in (shapely.get_x(points), shapely.get_y(points))
    )
    if flat:
        pairs = zip(lon, lat, strict=True)
        return [
            lon,
            lat,
            [f"POINT ({x} {y})" if x else "POINT EMPTY" for x, y in pairs],
        ]
    return [lon, lat, ["" if s is None else wkt_text(s) for s in shapes]]


def _cells(column: pa.ChunkedArray, written: Callable[[str], str]) -> list[str]:
    """Values of a column as text, empty where missing."""
    kind = kind_of(column.type)
    if kind == "text":
        return ["" if v is None else written(v) for v in column.to_pylist()]
    if kind == "number":
        return ["" if v is None else _number(v) for v in column.to_pylist()]
    return ["" if v is None else v for v in as_text(column).to_pylist()]


def _number(value: float) -> str:
    """Write a number as XML Schema does, which CSVW follows."""
    return repr(value).replace("inf", "INF").replace("nan", "NaN")


def _clean(text: str) -> str:
    """Text that no program takes to end before its end."""
    return text.replace("\x00", REPLACEMENT)


def _defused(text: str) -> str:
    """Text that no spreadsheet runs."""
    clean = _clean(text)
    return f"'{clean}" if _BEGINS.match(clean) else clean


def _metadata(values: Values, name: str) -> dict[str, Any]:
    """Describe a file by the W3C's vocabulary for tables."""
    sheet = values.sheet
    columns: list[dict[str, Any]] = []
    for column, kind in values.kinds.items():
        field = sheet.fields.get(column)
        titles = [_defused(column)]
        about = {
            "name": f"c{len(columns) + 1}" if not _is_name(column) else column,
            "titles": titles,
            "datatype": _TYPES[kind],
        }
        if field:
            about["dc:title"] = field.alias
            about["dc:description"] = field.about
            if field.unit:
                about["schema:unitText"] = field.unit
        columns.append(about)
    for column, datatype, said in zip(
        place_names(values),
        ("double", "double", "string"),
        (
            "Longitude (WGS 84)",
            "Latitude (WGS 84)",
            "Geometry (WGS 84), lon before lat",
        ),
        strict=False,
    ):
        exact = sheet.geometry == "Point" or datatype == "string"
        one = "" if exact else " of a point on it"
        columns.append(
            {
                "name": column,
                "titles": [column],
                "datatype": datatype,
                "dc:description": said + one,
            }
        )
    schema: dict[str, Any] = {"columns": columns}
    if "id" in values.columns and sheet.geometry:
        schema["primaryKey"] = "id"
    described = {
        "dc:title": sheet.title,
        "dc:description": sheet.abstract,
        "dc:license": sheet.licence,
        "dc:rights": sheet.rights,
        "dc:source": " ".join(filter(None, (sheet.source, sheet.url))),
        "dc:date": sheet.retrieved.isoformat() if sheet.retrieved else "",
    }
    losses = count_losses(sheet, LOSSES)
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": name,
        **{key: text for key, text in described.items() if text},
        "notes": [item.loss.words(item.count) for item in losses],
        "dialect": {"encoding": "utf-8", "header": True},
        "tableSchema": schema,
    }


def _is_name(text: str) -> bool:
    """Tell whether a column's name is one that CSVW takes as a name."""
    return re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", text) is not None

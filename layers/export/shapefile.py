"""Shapefiles in a zip, for programs that read nothing newer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layers.export.common_losses import (
    ALWAYS,
    BYTES,
    DECIMALS,
    EMPTY_PLACES,
    LISTS,
    NOT_FINITE,
    RASTERS,
    RELATIONS,
    REWOUND,
    STYLE,
    TIMES,
    empty_texts,
    heights,
    matching,
)
from layers.export.dbf import TEXT_BYTES, is_text, short_names, write_dbf
from layers.export.gdal_files import write_gdal
from layers.export.losses import Loss, loss_report
from layers.export.parts import README, Steps, about_files, write_files
from layers.export.shapes import changed, gathered, parts_of, wound
from layers.export.tables import write_rows
from layers.export.values import REPLACEMENT, Values, as_text

if TYPE_CHECKING:
    from pathlib import Path

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet

_FAMILIES = {
    "points": "Point",
    "multipoints": "MultiPoint",
    "lines": "LineString",
    "areas": "Polygon",
}
"""Kinds of geometry that share a file, by what is added to its name."""

_KINDS = {"points": (0,), "multipoints": (4,), "lines": (1, 2, 5), "areas": (3, 6)}
"""The same by shapely's numbers of the kinds."""

_COLLECTION = 7


def _shortened(values: Values) -> int:
    return sum(name != short for name, short in short_names(values.columns).items())


def _cut_texts(values: Values) -> int:
    import pyarrow.compute as pc

    return sum(
        pc.sum(pc.greater(pc.binary_length(as_text(column)), TEXT_BYTES)).as_py() or 0
        for column in values.columns.values()
        if is_text(column)
    )


def _large_numbers(values: Values) -> int:
    return sum(len(c) - c.null_count for c in values.of_kind("whole") if is_text(c))


def _more_files(values: Values) -> int:
    return len(_by_family(values.shapes, values.sheet.geometry)) - 1


def _collections(values: Values) -> int:
    import shapely

    there = values.shapes[~shapely.is_empty(values.shapes)]
    return int((shapely.get_type_id(there) == _COLLECTION).sum())


def _lone_parts(values: Values) -> int:
    import shapely

    kinds = shapely.get_type_id(values.shapes)
    multi = np.isin(kinds, [5, 6]) & ~shapely.is_empty(values.shapes)
    return int((multi & (shapely.get_num_geometries(values.shapes) == 1)).sum())


def _added(values: Values) -> int:
    families = _by_family(values.shapes, values.sheet.geometry)
    counts = [heights(shapes) for _, shapes in families.values()]
    return sum(flat for deep, flat in counts if deep)


def _turned(values: Values) -> int:
    return changed(values.shapes, wound(values.shapes, clockwise=True))


LOSSES = (
    Loss(
        kind="names shortened",
        one="name was shortened",
        many="names were shortened",
        about="A column's name has ten bytes; README.txt gives the whole.",
        in_sheet=_shortened,
    ),
    Loss(
        kind="texts cut",
        one=f"text was cut at {TEXT_BYTES} bytes",
        many=f"texts were cut at {TEXT_BYTES} bytes",
        about=f"A text has {TEXT_BYTES} bytes: as many letters, or 84 of Hangul.",
        in_sheet=_cut_texts,
    ),
    Loss(
        kind="empty texts",
        one="empty text became missing",
        many="empty texts became missing",
        about="A text of blanks is taken for none.",
        in_sheet=empty_texts,
    ),
    Loss(
        kind="spaces at the ends",
        one="text lost spaces at its ends",
        many="texts lost spaces at their ends",
        about="Texts are filled up with blanks, which readers take away again.",
        in_sheet=lambda values: matching(values, r"\A[ ]|[ ]\z"),
    ),
    Loss(
        kind="characters replaced",
        one="text lost a NUL character",
        many="texts lost NUL characters",
        about=f"Programs take NUL for the end of a text; it becomes {REPLACEMENT}.",
        in_sheet=lambda values: matching(values, r"\x00"),
    ),
    Loss(
        kind="large numbers as text",
        one="whole number of a column that goes beyond 18 digits became text",
        many="whole numbers of columns that go beyond 18 digits became text",
        about="Readers round longer ones.",
        in_sheet=_large_numbers,
    ),
    NOT_FINITE,
    TIMES,
    LISTS,
    DECIMALS,
    BYTES,
    EMPTY_PLACES,
    Loss(
        kind="layers split",
        one="more file, one for each kind of geometry",
        many="more files, one for each kind of geometry",
        about="A file holds points, lines or areas; the column id tells the order.",
        in_sheet=_more_files,
    ),
    Loss(
        kind="collections taken apart",
        one="collection was taken apart",
        many="collections were taken apart",
        about="The parts of a collection bear the same id, one file for each kind.",
        in_sheet=_collections,
    ),
    Loss(
        kind="single parts",
        one="multi-part geometry of one part became single",
        many="multi-part geometries of one part became single",
        about="The format does not tell one part from a single one.",
        in_sheet=_lone_parts,
    ),
    Loss(
        kind=REWOUND.kind,
        one=REWOUND.one,
        many=REWOUND.many,
        about=REWOUND.about,
        in_sheet=_turned,
    ),
    Loss(
        kind="heights of 0 added",
        one="geometry without height got height 0",
        many="geometries without height got height 0",
        about="A file has heights (Z) throughout or not at all.",
        in_sheet=_added,
    ),
    *ALWAYS,
    STYLE,
    RELATIONS,
    RASTERS,
)


def write_shapefile(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers as Shapefiles, tables as CSV, in one zip.

    Parameters
    ----------
    content
        What is to be written.
    path
        ``NAME.shp.zip`` or ``NAME.zip``; another name is a folder.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple of pathlib.Path
        The zip, or the files in the folder.

    Raises
    ------
    WriteError
        If a layer has more columns than fit, or a file cannot be written.

    Notes
    -----
    Text is UTF-8, as the ``.cpg`` says. Numbers keep every digit, in exponents where
    that is shorter, as ArcGIS writes them. ``README.txt`` gives the names that had to
    be shortened.
    """
    steps = Steps(content, progress)

    def write_all(folder: Path) -> None:
        names: dict[str, str] = {}
        for sheet in content.sheets:
            if sheet.geometry:
                names[sheet.id] = _write_layer(sheet, folder, content, steps)
            else:
                with (folder / f"{sheet.id}.csv").open("wb") as stream:
                    write_rows(Values(sheet), stream, steps=steps)
        said = about_files(content, loss_report(content, "shapefile"), names)
        (folder / README).write_text(said, encoding="utf-8", newline="\n")

    return write_files(content, path, write_all)


def _write_layer(sheet: Sheet, folder: Path, content: Content, steps: Steps) -> str:
    """Write the files of one layer, and tell which column has which name in them."""
    import pyarrow as pa
    import shapely

    values = Values(sheet)
    short = short_names(values.columns)
    families = _by_family(values.shapes, sheet.geometry)
    for family, (rows, found) in families.items():
        name = sheet.id if len(families) == 1 else f"{sheet.id}_{family}"
        shapes = wound(found, clockwise=True)
        deep, _ = heights(shapes)
        kind = f"{_FAMILIES[family]} Z" if deep else _FAMILIES[family]
        write_gdal(
            folder / f"{name}.shp",
            {"row": pa.chunked_array([pa.array(rows)])},
            shapely.force_3d(shapes) if deep else shapes,
            driver="ESRI Shapefile",
            options={"ENCODING": "UTF-8"},
            kind=kind,
            steps=steps,
        )
        chosen = pa.array(rows)
        columns = {short[n]: c.take(chosen) for n, c in values.columns.items()}
        with (folder / f"{name}.dbf").open("wb") as stream:
            write_dbf(stream, columns, content.dated)
    lines = []
    for name, column in short.items():
        field = sheet.fields.get(name)
        unit = f" [{field.unit}]" if field and field.unit not in {"", "1"} else ""
        about = f": {field.about}" if field and field.about else ""
        lines.append(f"  {column:<10}  {name}{unit}{about}")
    if any(column.null_count for column in values.of_kind("whole", "number")):
        lines.append("  A number that is missing is blank; ArcGIS may take it for 0.")
    return "\n".join(["  Columns:", *(f"  {line}" for line in lines)])


def _by_family(
    shapes: np.ndarray, geometry: str
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Row numbers and geometries by the file in which they stand.

    A collection stands in several; what has no place, in the first.
    """
    import shapely

    kinds = shapely.get_type_id(shapes)
    kinds[shapely.is_empty(shapes)] = -1
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {}
    for family, numbers in _KINDS.items():
        rows = np.flatnonzero(np.isin(kinds, numbers))
        if len(rows):
            found[family] = [(rows, shapes[rows])]
    for row in np.flatnonzero(kinds == _COLLECTION):
        for part in _gathered_parts(shapes[row]):
            number = int(shapely.get_type_id(part))
            family = next(f for f, numbers in _KINDS.items() if number in numbers)
            found.setdefault(family, []).append((np.array([row]), _alone(part)))
    nowhere = np.flatnonzero(kinds == -1)
    if len(nowhere) or not found:
        ends = (f for f, kind in _FAMILIES.items() if geometry.endswith(kind))
        first = next((f for f in _FAMILIES if f in found), next(ends, "points"))
        none = np.full(len(nowhere), None, dtype=object)
        found.setdefault(first, []).append((nowhere, none))
    return {family: _in_order(found[family]) for family in _FAMILIES if family in found}


def _in_order(
    pieces: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray]:
    rows = np.concatenate([piece[0] for piece in pieces])
    order = np.argsort(rows, kind="stable")
    return rows[order], np.concatenate([piece[1] for piece in pieces])[order]


def _gathered_parts(collection: Any) -> list[Any]:
    """Points, lines and areas of a collection, each together."""
    import shapely

    by_dimension: dict[int, list[Any]] = {}
    for part in parts_of(collection):
        by_dimension.setdefault(int(shapely.get_dimensions(part)), []).append(part)
    return [gathered(parts) for parts in by_dimension.values()]


def _alone(shape: Any) -> np.ndarray:
    found = np.empty(1, dtype=object)
    found[0] = shape
    return found

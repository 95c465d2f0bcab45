"""GeoParquet 1.1: columns with their types, for Python, R and DuckDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.export.common_losses import ALWAYS, CUT, RASTERS, RELATIONS, STYLE
from layers.export.losses import count_losses
from layers.export.parts import write_parts
from layers.export.shapes import box_of, cut_at_180
from layers.export.values import Values
from layers.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet
    from layers.export.parts import Steps

ROWS = 65_536
"""Rows of a group, each with its own box."""

LOSSES = (CUT, *ALWAYS, STYLE, RELATIONS, RASTERS)

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def write_geoparquet(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers as GeoParquet 1.1, tables as plain Parquet.

    Parameters
    ----------
    content
        What is to be written.
    path
        ``NAME.parquet`` for one sheet, ``NAME.zip`` or a folder for several.
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
    Geometry is WKB in EPSG:4326, cut where it runs past 180°, with the box of each row
    in a column of its own, so that a program reads only the rows that it needs.
    Compressed with zstd. Title, licence, credit and source stand in the metadata of
    the file, names for people and units in those of the columns.
    """
    return write_parts(
        content,
        path,
        form="geoparquet",
        layers=(".parquet", _write_sheet),
        tables=(".parquet", _write_sheet),
        progress=progress,
    )


def _write_sheet(sheet: Sheet, path: Path, steps: Steps) -> tuple[Path, ...]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = Values(sheet)
    place, box = _free("geometry", values), _free("bbox", values)
    fields = [
        pa.field(name, column.type, metadata=_about_column(sheet, name))
        for name, column in values.columns.items()
    ]
    if sheet.geometry:
        sides = pa.struct([pa.field(side, pa.float64()) for side in _SIDES])
        fields += [pa.field(place, pa.binary()), pa.field(box, sides)]
    schema = pa.schema(fields, metadata=_about(values, place, box))
    with (
        replacing(path) as stream,
        pq.ParquetWriter(stream, schema, compression="zstd", version="2.6") as writer,
    ):
        for columns, shapes in values.batches(ROWS):
            cells: list[Any] = list(columns.values())
            if sheet.geometry:
                cells += _places(cut_at_180(shapes), sides)
            writer.write_table(pa.table(cells, schema=schema), ROWS)
            steps.add(len(cells[0]))
    return (path,)


def _free(name: str, values: Values) -> str:
    """Name that no column has."""
    while name in values.columns:
        name += "_"
    return name


def _places(shapes: np.ndarray, sides: pa.DataType) -> list[pa.Array]:
    """Geometries as WKB, and the box of each, null where there is no point."""
    import pyarrow as pa
    import shapely

    wkb = pa.array(shapely.to_wkb(shapes, flavor="iso").tolist(), pa.binary())
    bounds = shapely.bounds(shapes)
    boxes = pa.StructArray.from_arrays(
        [pa.array(bounds[:, i]) for i in range(4)],
        fields=list(sides),
        mask=pa.array(np.isnan(bounds[:, 0])),
    )
    return [wkb, boxes]


def _about_column(sheet: Sheet, name: str) -> dict[str, str] | None:
    field = sheet.fields.get(name)
    if field is None:
        return None
    said = {"title": field.alias, "description": field.about, "unit": field.unit}
    return {key: text for key, text in said.items() if text}


def _about(values: Values, place: str, box: str) -> dict[str, str]:
    """Metadata of a file."""
    sheet = values.sheet
    losses = [f.loss.words(f.count) for f in count_losses(sheet, LOSSES)]
    said = {
        "title": sheet.title,
        "description": sheet.abstract,
        "licence": sheet.licence,
        "rights": sheet.rights,
        "source": sheet.source,
        "url": sheet.url,
        "retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
        "losses": json.dumps(losses, ensure_ascii=False) if losses else "",
    }
    found = {key: text for key, text in said.items() if text}
    if sheet.geometry:
        found["geo"] = json.dumps(_geo(values, place, box))
    return found


def _geo(values: Values, place: str, box: str) -> dict[str, Any]:
    """Say where the geometry stands, as GeoParquet 1.1 does."""
    import shapely
    from pyproj import CRS

    shapes = cut_at_180(values.shapes[~shapely.is_missing(values.shapes)])
    numbers, deep = shapely.get_type_id(shapes), shapely.has_z(shapes)
    ones = np.unique(np.stack([numbers, deep], axis=1), axis=0, return_index=True)[1]
    kinds = {
        shape.geom_type.replace("LinearRing", "LineString")
        + (" Z" if shape.has_z else "")
        for shape in shapes[ones]
    }
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": sorted(kinds),
        "crs": CRS("EPSG:4326").to_json_dict(),
        "covering": {"bbox": {side: [box, side] for side in _SIDES}},
    }
    if bounds := box_of(shapes):
        column["bbox"] = bounds
    return {"version": "1.1.0", "primary_column": place, "columns": {place: column}}

"""A layer as one GeoJSON file (RFC 7946), one feature a line, with text ids."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.errors import SchemaError
from layers.export.columns import (
    attribute_names,
    geometries,
    json_cell,
    plain_values,
    row_ids,
)

if TYPE_CHECKING:
    from typing import IO

    from layers.export.content import Sheet


def write_collection(sheet: Sheet, stream: IO[bytes], *, boxed: bool = True) -> None:
    """Write a sheet as a FeatureCollection; rows of a table get no places.

    Coordinates keep every digit, outer rings run counterclockwise, and a row's id is
    the feature's ``id`` as well as its first property. All text outside ASCII is
    escaped, so that no reader can take it for another encoding.

    Parameters
    ----------
    sheet
        Layer in EPSG:4326, or table; a table whose ``id`` does not name each row once
        gets ids from 1 to n.
    stream
        Binary file.
    boxed
        Whether the box round all features is written too.

    Raises
    ------
    geo.errors.CRSMismatchError
        If the layer is in another CRS.
    layers.errors.SchemaError
        If an id of a layer is missing or stands twice.
    """
    if sheet.geometry:
        shapes, ids = wound(geometries(sheet)), row_ids(sheet)
    else:
        shapes, ids = np.full(len(sheet.table), None, dtype=object), _ids(sheet)
    names = attribute_names(sheet)
    columns = [plain_values(sheet.table[name]) for name in names]
    head: dict[str, Any] = {"type": "FeatureCollection", "name": sheet.id}
    if boxed and (bounds := bounds_of(shapes)):
        head["bbox"] = list(bounds)
    stream.write(json.dumps(head)[:-1].encode("ascii") + b', "features": [')
    texts = shapely.to_geojson(shapes)
    for row, (id_, shape, text) in enumerate(zip(ids, shapes, texts, strict=True)):
        cells = {
            name: json_cell(column[row])
            for name, column in zip(names, columns, strict=True)
        }
        place = "null" if shape is None or shape.is_empty else text
        stream.write(
            (
                f'{"," if row else ""}\n{{"type": "Feature", "id": {json.dumps(id_)}, '
                f'"geometry": {place}, "properties": {json.dumps(cells)}}}'
            ).encode("ascii")
        )
    stream.write(b"\n]}\n")


def bounds_of(shapes: Any) -> tuple[float, float, float, float] | None:
    """Smallest box round geometries: west, south, east, north; None round nothing."""
    if not len(shapes):
        return None
    west, south, east, north = (float(edge) for edge in shapely.total_bounds(shapes))
    return None if west != west else (west, south, east, north)  # noqa: PLR0124


def _ids(sheet: Sheet) -> list[str]:
    """Ids of a table's rows, or their numbers where those do not tell them apart."""
    try:
        return row_ids(sheet)
    except SchemaError:
        return [str(number) for number in range(1, len(sheet.table) + 1)]


def wound(shapes: Any) -> Any:
    """Turn rings the way RFC 7946 wants them: outer ones counterclockwise.

    Parameters
    ----------
    shapes
        Array of geometries, shape ``(n,)``; those without faces stay the same.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``; every coordinate as it was, in the same place of the plane.
    """
    turned = shapes.copy()
    for row, shape in enumerate(shapes):
        if shape is None or shape.is_empty:
            continue
        if shape.geom_type == "Polygon":
            turned[row] = shapely.geometry.polygon.orient(shape)
        elif shape.geom_type == "MultiPolygon":
            turned[row] = shapely.multipolygons(
                [shapely.geometry.polygon.orient(part) for part in shape.geoms]
            )
    return turned

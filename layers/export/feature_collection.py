"""A sheet as one GeoJSON file (RFC 7946) with text ids, as servers and catalogues want.

Unlike the export of the web's GeoJSON, every feature has an id that is text, rows of
tables are features without a place, and the file is ASCII, so that no program can take
it for another encoding.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import shapely

from layers.export.columns import cells_of, json_cell, places_of, row_ids
from layers.export.shapes import cut_at_180, wound

if TYPE_CHECKING:
    from typing import IO

    from layers.export.values import Values


def write_collection(values: Values, stream: IO[bytes], *, boxed: bool = True) -> None:
    """Write a sheet as a FeatureCollection; rows of a table get no places.

    Coordinates keep every digit, outer rings run counterclockwise, and what runs past
    180 degrees is cut there.

    Parameters
    ----------
    values
        Layer in EPSG:4326, or table.
    stream
        Binary file.
    boxed
        Whether the box round all features is written too.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is in another CRS, or says none.
    layers.errors.SchemaError
        If an id of a layer is missing or stands twice.
    """
    ids = row_ids(values)
    shapes = wound(cut_at_180(places_of(values))) if values.sheet.geometry else None
    head: dict[str, Any] = {"type": "FeatureCollection", "name": values.sheet.id}
    if boxed and (bounds := bounds_of(values)):
        head["bbox"] = list(bounds)
    stream.write(json.dumps(head)[:-1].encode("ascii") + b', "features": [')
    names = [json.dumps(name) for name in values.columns]
    cells = [
        [json.dumps(json_cell(cell)) for cell in cells_of(column)]
        for column in values.columns.values()
    ]
    places = _texts(shapes) if shapes is not None else ["null"] * values.rows
    for row, (id_, place) in enumerate(zip(ids, places, strict=True)):
        pairs = (f"{n}: {c[row]}" for n, c in zip(names, cells, strict=True))
        stream.write(
            (
                f'{"," if row else ""}\n{{"type": "Feature", "id": {json.dumps(id_)}, '
                f'"geometry": {place}, "properties": {{{", ".join(pairs)}}}}}'
            ).encode("ascii")
        )
    stream.write(b"\n]}\n")


def bounds_of(values: Values) -> tuple[float, float, float, float] | None:
    """Smallest box round a layer: west, south, east, north; None round nothing.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is in another CRS, or says none.
    """
    if not values.sheet.geometry:
        return None
    bounds = shapely.total_bounds(cut_at_180(places_of(values)))
    west, south, east, north = (float(edge) for edge in bounds)
    return (west, south, east, north) if west <= east else None


def _texts(shapes: Any) -> list[str]:
    """Write geometries as GeoJSON; missing and empty ones as null."""
    texts = shapely.to_geojson(shapes)
    empty = shapely.is_empty(shapes) | shapely.is_missing(shapes)
    return [
        "null" if nothing else text for text, nothing in zip(texts, empty, strict=True)
    ]

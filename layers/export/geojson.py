"""GeoJSON (RFC 7946): text of longitudes and latitudes that every web map reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from layers.export.common_losses import (
    ALWAYS,
    BYTES,
    CUT,
    DATES,
    DECIMALS,
    NOT_FINITE,
    RASTERS,
    RELATIONS,
    REWOUND,
    STYLE,
    TIMES,
    larger_than,
)
from layers.export.losses import Loss, count_losses
from layers.export.parts import write_parts
from layers.export.shapes import box_of, cut_at_180, wound
from layers.export.tables import write_table
from layers.export.values import Values, json_text, kind_of, plain
from layers.files import replacing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet
    from layers.export.parts import Steps

EXACT = 2**53
"""Largest whole number that every reader of JSON keeps."""

LOSSES = (
    Loss(
        kind="large numbers as text",
        one="whole number beyond 2⁵³ became text",
        many="whole numbers beyond 2⁵³ became text",
        about="Readers in JavaScript round larger ones.",
        in_sheet=lambda values: larger_than(values, EXACT),
    ),
    NOT_FINITE,
    DATES,
    TIMES,
    DECIMALS,
    BYTES,
    CUT,
    REWOUND,
    *ALWAYS,
    STYLE,
    RELATIONS,
    RASTERS,
)


def write_geojson(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers as GeoJSON.

    Parameters
    ----------
    content
        What is to be written.
    path
        ``NAME.geojson`` for one layer, ``NAME.zip`` or a folder for several; tables
        stand there as CSV.
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

    Notes
    -----
    Outer rings run anticlockwise, holes clockwise; what runs past 180° is cut there.
    ``id`` is the id of the feature as well. The collection says title, licence, credit
    and source, and what was lost, in members of its own.
    """
    return write_parts(
        content,
        path,
        form="geojson",
        layers=(".geojson", _write_layer),
        tables=(".csv", write_table),
        progress=progress,
    )


def _write_layer(sheet: Sheet, path: Path, steps: Steps) -> tuple[Path, ...]:
    values = Values(sheet)
    with replacing(path) as stream:
        stream.write(f"{_head(values)}\n".encode())
        between = ""
        for features in _features(values):
            stream.write((between + ",\n".join(features)).encode())
            between = ",\n"
            steps.add(len(features))
        stream.write(b"\n]}\n")
    return (path,)


def _head(values: Values) -> str:
    """Everything before the first feature."""
    sheet = values.sheet
    members: dict[str, Any] = {
        "type": "FeatureCollection",
        "name": sheet.id,
        "title": sheet.title,
        "description": sheet.abstract,
        "license": sheet.licence,
        "attribution": sheet.rights,
        "source": " ".join(filter(None, (sheet.source, sheet.url))),
        "retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
        "losses": [item.loss.words(item.count) for item in count_losses(sheet, LOSSES)],
    }
    kept = {name: value for name, value in members.items() if value}
    if box := box_of(cut_at_180(values.shapes)):
        kept["bbox"] = box
    return f'{json_text(kept)[:-1]}, "features": ['


def _features(values: Values) -> Iterator[list[str]]:
    """Features as JSON, a batch at a time."""
    import shapely

    for columns, shapes in values.batches():
        texts = shapely.to_geojson(wound(cut_at_180(shapes)))
        names = [json.dumps(name, ensure_ascii=False) for name in columns]
        cells = [_cells(column) for column in columns.values()]
        ids = _cells(columns["id"]) if "id" in columns else [None] * len(shapes)
        yield [
            _feature(text, ident, zip(names, row, strict=True))
            for text, ident, *row in zip(texts, ids, *cells, strict=True)
        ]


def _feature(shape: str | None, ident: str | None, pairs: Any) -> str:
    inside = ", ".join(f"{name}: {cell}" for name, cell in pairs)
    name = f'"id": {ident}, ' if ident and ident != "null" else ""
    return (
        f'{{"type": "Feature", {name}"properties": {{{inside}}}, '
        f'"geometry": {shape or "null"}}}'
    )


def _cells(column: pa.ChunkedArray) -> list[str]:
    """Values of a column as JSON."""
    if kind_of(column.type) == "structure":
        return [json_text(value) for value in column.to_pylist()]
    return [json.dumps(_exact(v), ensure_ascii=False) for v in column.to_pylist()]


def _exact(value: Any) -> Any:
    large = isinstance(value, int) and abs(value) > EXACT
    return str(value) if large else plain(value)

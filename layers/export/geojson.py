"""GeoJSON (RFC 7946): text of longitudes and latitudes that every web map reads."""

from __future__ import annotations

import json
from itertools import repeat
from json.encoder import encode_basestring, encode_basestring_ascii
from math import isfinite
from typing import TYPE_CHECKING, Any

from layers.export.columns import places_of
from layers.export.common_losses import (
    ALWAYS,
    BYTES,
    CUT,
    DATES,
    DECIMALS,
    EMPTY_PLACES,
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
from layers.export.values import BATCH, Values, as_text, json_text, kind_of, plain
from layers.files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import IO

    import numpy as np
    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet
    from layers.export.parts import Steps

EXACT = 2**53
"""Largest whole number that every reader of JSON keeps."""

COLLECTION = (
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
    EMPTY_PLACES,
    *ALWAYS,
)
"""What changes of a sheet that is written as one collection of features."""

LOSSES = (*COLLECTION, STYLE, RELATIONS, RASTERS)


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
    with replacing(path) as stream:
        write_collection(Values(sheet), stream, steps=steps)
    return (path,)


def write_collection(
    values: Values,
    stream: IO[bytes],
    *,
    ids: Sequence[str] | None = None,
    served: bool = False,
    steps: Steps | None = None,
) -> None:
    """Write a sheet as one collection of features; rows of a table have no place.

    Parameters
    ----------
    values
        Layer in EPSG:4326, or table.
    stream
        Binary file.
    ids
        Id of each feature, shape ``(n,)``; the column ``id`` where there is one if
        not given.
    served
        Write nothing but a name before the features, since a server would repeat it
        on each page, and ASCII, since pygeoapi takes a file to be in the encoding of
        the machine.
    steps
        Counts the rows.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is in another CRS, or says none.
    """
    if values.sheet.geometry:
        places_of(values)
    quoted = encode_basestring_ascii if served else encode_basestring
    encoding = "ascii" if served else "utf-8"
    head = {"type": "FeatureCollection", "name": values.sheet.id}
    text = json_text(head if served else head | _members(values))[:-1]
    stream.write(f'{text}, "features": [\n'.encode(encoding))
    done = 0
    for columns, shapes in values.batches():
        size = len(shapes) if values.sheet.geometry else min(BATCH, values.rows - done)
        cells = {name: _cells(column, quoted) for name, column in columns.items()}
        names = cells.get("id") if ids is None else map(quoted, ids[done : done + size])
        places = _places(shapes) if values.sheet.geometry else ["null"] * size
        features = _features(names, cells, places, quoted)
        stream.write(((",\n" if done else "") + ",\n".join(features)).encode(encoding))
        done += size
        if steps is not None:
            steps.add(size)
    stream.write(b"\n]}\n")


def bounds_of(values: Values) -> tuple[float, float, float, float] | None:
    """Smallest box round a layer: west, south, east, north; None round nothing.

    Raises
    ------
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError
        If the layer is in another CRS, or says none.
    """
    return box_of(cut_at_180(places_of(values))) if values.sheet.geometry else None


def _members(values: Values) -> dict[str, Any]:
    """Everything that a collection says of itself."""
    sheet = values.sheet
    members: dict[str, Any] = {
        "title": sheet.title,
        "description": sheet.abstract,
        "license": sheet.licence,
        "attribution": sheet.rights,
        "source": " ".join(filter(None, (sheet.source, sheet.url))),
        "retrieved": sheet.retrieved.isoformat() if sheet.retrieved else "",
        "losses": [item.loss.words(item.count) for item in count_losses(sheet, LOSSES)],
        "bbox": bounds_of(values),
    }
    return {name: value for name, value in members.items() if value}


def _features(
    ids: Iterable[str] | None,
    cells: Mapping[str, list[str]],
    places: list[str],
    quoted: Callable[[str], str],
) -> Iterator[str]:
    """Features as JSON."""
    names = (quoted(name).replace("%", "%%") for name in cells)
    inside = ", ".join(f"{name}: %s" for name in names)
    feature = f'%s"properties": {{{inside}}}, "geometry": %s}}'
    begin = '{"type": "Feature", '
    heads = (
        repeat(begin)
        if ids is None
        else (begin if id_ == "null" else f'{begin}"id": {id_}, ' for id_ in ids)
    )
    rows = zip(places, heads, *cells.values(), strict=False)
    return (feature % (head, *row, place) for place, head, *row in rows)


def _places(shapes: np.ndarray) -> list[str]:
    """Write geometries as GeoJSON; those of no point, which no map draws, as null."""
    import shapely

    texts = shapely.to_geojson(wound(cut_at_180(shapes)))
    texts[shapely.is_empty(shapes) | shapely.is_missing(shapes)] = "null"
    found: list[str] = texts.tolist()
    return found


def _cells(column: pa.ChunkedArray, quoted: Callable[[str], str]) -> list[str]:
    """Values of a column as JSON."""
    kind = kind_of(column.type)
    if kind == "truth" or (kind == "whole" and _all_exact(column)):
        return [text or "null" for text in as_text(column).to_pylist()]
    if kind in {"date", "time", "decimal", "bytes"}:
        texts = as_text(column).to_pylist()
        return ["null" if text is None else f'"{text}"' for text in texts]
    values = column.to_pylist()
    if kind == "text":
        return ["null" if value is None else quoted(value) for value in values]
    if kind == "number":
        return [repr(v) if v is not None and isfinite(v) else "null" for v in values]
    if kind == "structure":
        ascii_only = quoted is encode_basestring_ascii
        return [json.dumps(plain(v), ensure_ascii=ascii_only) for v in values]
    return ["null" if value is None else _whole(value) for value in values]


def _all_exact(column: pa.ChunkedArray) -> bool:
    """Tell whether no whole number of a column is beyond what readers keep."""
    import pyarrow.compute as pc

    ends = pc.min_max(column).as_py()
    return max(-(ends["min"] or 0), ends["max"] or 0) <= EXACT


def _whole(value: int) -> str:
    return str(value) if abs(value) <= EXACT else f'"{value}"'

"""The rows of a query as text or a file: table, CSV, JSON, GeoJSON, GeoParquet."""

from __future__ import annotations

import io
import json
import unicodedata
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from geo.crs import is_lonlat
from layers.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import pandas as pd

CELL = 40
"""Widest cell of a table for people. [columns]"""


def write_csv(frame: pd.DataFrame, stream: IO[bytes]) -> None:
    """Write rows as CSV (RFC 4180) in UTF-8, geometry as WKT.

    Parameters
    ----------
    frame
        Table or layer, shape ``(n,)``. Values are written as they are, so a text that
        begins with ``=`` is one that a spreadsheet may run.
    stream
        Where to write.
    """
    import pandas as pd
    import shapely

    columns: dict[Any, Any] = {}
    for i, name in enumerate(frame.columns):
        values = frame.iloc[:, i]
        if _is_geometry(values):
            wkt = shapely.to_wkt(values.to_numpy(), rounding_precision=-1)
            columns[name] = pd.Series(wkt, index=frame.index, dtype=object)
        elif values.dtype == object:
            columns[name] = values.map(_cell_of_csv)
        else:
            columns[name] = values
    text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
    table = pd.DataFrame(columns, index=frame.index)
    table.to_csv(text, index=False, lineterminator="\n")
    text.flush()
    text.detach()


def write_json(frame: pd.DataFrame, stream: IO[bytes]) -> None:
    """Write rows as one JSON array of objects, geometry as GeoJSON has it.

    Parameters
    ----------
    frame
        Table or layer, shape ``(n,)``.
    stream
        Where to write; UTF-8.
    """
    _write_list(stream, "[", _objects(frame), "]")


def write_geojson(frame: pd.DataFrame, stream: IO[bytes]) -> None:
    """Write rows as GeoJSON (RFC 7946): WGS 84, outer rings anticlockwise.

    Parameters
    ----------
    frame
        A layer with one geometry column, in EPSG:4326.
    stream
        Where to write; UTF-8.

    Raises
    ------
    QueryError
        If there is no geometry column, or several, or it is not in EPSG:4326.
    """
    [name] = _one_geometry(frame, "GeoJSON")
    if not is_lonlat(frame[name].crs):
        crs = frame[name].crs
        raise QueryError(
            f"column {name} is in {crs.to_string()[:60] if crs else 'no known CRS'}; "
            "GeoJSON is EPSG:4326: select it as ST_Transform(…, 'EPSG:4326'), or, if "
            "it is longitude and latitude already, ST_SetCRS(…, 'EPSG:4326')"
        )
    shapes = _geojson(frame[name])
    rows = _objects(frame.drop(columns=name))
    features = (
        f'{{"type": "Feature", "properties": {row}, "geometry": {shape}}}'
        for row, shape in zip(rows, shapes, strict=True)
    )
    _write_list(stream, '{"type": "FeatureCollection", "features": [', features, "]}")


def write_parquet(frame: pd.DataFrame, stream: IO[bytes]) -> None:
    """Write rows as Parquet, a layer as GeoParquet with its CRS and boxes.

    Parameters
    ----------
    frame
        Table or layer, shape ``(n,)``.
    stream
        Where to write.
    """
    import geopandas as gpd

    if isinstance(frame, gpd.GeoDataFrame):
        frame.to_parquet(stream, index=False, write_covering_bbox=True)
    else:
        frame.to_parquet(stream, index=False)


WRITERS: dict[str, Callable[[pd.DataFrame, IO[bytes]], None]] = {
    "csv": write_csv,
    "geojson": write_geojson,
    "json": write_json,
    "parquet": write_parquet,
}
"""What writes each format."""


def table_lines(frame: pd.DataFrame, limit: int) -> tuple[list[str], bool]:
    """Rows as columns of text for people.

    Parameters
    ----------
    frame
        Table or layer, shape ``(n,)``.
    limit
        So many rows at most; 0 for all.

    Returns
    -------
    lines : list of str
        A line of names and one for each row.
    shortened : bool
        Whether a cell is not there in full.
    """
    shown = frame.head(limit) if limit else frame
    columns: list[list[str]] = []
    shortened = False
    for i, name in enumerate(shown.columns):
        values = shown.iloc[:, i]
        numeric = values.dtype.kind in "iuf"
        whole = [_cell(value) for value in values]
        cells = [_cut(cell) for cell in [printable(str(name)), *whole]]
        shortened = shortened or cells[1:] != whole or _is_summary(values)
        width = max(map(_width, cells))
        gaps = [" " * (width - _width(cell)) for cell in cells]
        columns.append(
            [
                gap + cell if numeric else cell + gap
                for gap, cell in zip(gaps, cells, strict=True)
            ]
        )
    rows = zip(*columns, strict=True)
    return ["  ".join(row).rstrip() for row in rows], shortened


def printable(text: str) -> str:
    """Keep text from a file from steering the terminal: printable, one line.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        As long, with a blank for each character that is not printable.
    """
    return "".join(c if c.isprintable() else " " for c in text)


def _cell(value: Any) -> str:
    """One value as people read it."""
    plain = _plain(value)
    if plain is None:
        return ""
    if hasattr(value, "geom_type"):
        if value.geom_type == "Point" and not value.is_empty:
            return f"POINT ({value.x:.9g} {value.y:.9g})"
        count = len(getattr(value, "geoms", [])) or 1
        parts = f"{count} parts, " if count > 1 else ""
        import shapely

        vertices = int(shapely.get_num_coordinates(value))
        return f"{value.geom_type.upper()} ({parts}{vertices} vertices)"
    if isinstance(plain, float):
        return f"{plain:.9g}"
    if isinstance(plain, dict | list):
        return printable(json.dumps(plain, ensure_ascii=False))
    return printable(str(plain))


def _is_summary(values: pd.Series) -> bool:
    """Tell whether a column holds geometry that a cell only sums up."""
    return _is_geometry(values) and any(
        v is not None and v.geom_type != "Point" for v in values
    )


def _cut(text: str) -> str:
    """As much of a text as a cell holds."""
    if _width(text) <= CELL:
        return text
    kept = ""
    for character in text:
        if _width(kept + character) >= CELL:
            break
        kept += character
    return kept + "…"


def _width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _cell_of_csv(value: Any) -> Any:
    """One value of mixed kinds, as CSV has it."""
    plain = _plain(value)
    if isinstance(plain, dict | list):
        return json.dumps(plain, ensure_ascii=False)
    return plain


def _objects(frame: pd.DataFrame) -> Iterable[str]:
    """Each row as a JSON object."""
    names = [json.dumps(str(name), ensure_ascii=False) for name in frame.columns]
    columns = [
        _geojson(frame.iloc[:, i])
        if _is_geometry(frame.iloc[:, i])
        else [json.dumps(_plain(v), ensure_ascii=False) for v in frame.iloc[:, i]]
        for i in range(len(names))
    ]
    for row in zip(*columns, strict=True) if columns else [()] * len(frame):
        pairs = (f"{name}: {cell}" for name, cell in zip(names, row, strict=True))
        yield f"{{{', '.join(pairs)}}}"


def _plain(value: Any) -> Any:
    """Turn a value into what JSON has; what is missing is None."""
    import pandas as pd

    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if pd.isna(value) else _plain_scalar(value)


def _plain_scalar(value: Any) -> Any:
    """Turn a value that is no list into what JSON has."""
    if isinstance(value, bool | int | str) or (
        isinstance(value, float) and np.isfinite(value)
    ):
        return value
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


def _geojson(shapes: pd.Series) -> list[str]:
    """Geometries as GeoJSON writes them, null where there is none."""
    import shapely

    texts = shapely.to_geojson(_anticlockwise(shapes.to_numpy()))
    return ["null" if text is None else str(text) for text in texts]


def _anticlockwise(shapes: Any) -> Any:
    """Polygons whose outer rings run anticlockwise and whose holes clockwise."""
    import shapely
    from shapely.geometry.polygon import orient

    if hasattr(shapely, "orient_polygons"):
        return shapely.orient_polygons(shapes)

    def turned(shape: Any) -> Any:
        if shape is None or shape.geom_type not in {"Polygon", "MultiPolygon"}:
            return shape
        if shape.geom_type == "Polygon":
            return orient(shape)
        return shapely.MultiPolygon([orient(part) for part in shape.geoms])

    found = np.empty(len(shapes), dtype=object)
    found[:] = [turned(shape) for shape in shapes]
    return found


def _one_geometry(frame: pd.DataFrame, what: str) -> list[str]:
    """Name of the one geometry column."""
    names = [n for i, n in enumerate(frame.columns) if _is_geometry(frame.iloc[:, i])]
    if len(names) != 1:
        there = f"{len(names)}: {', '.join(map(str, names))}" if names else "none"
        raise QueryError(
            f"{what} holds one geometry column; the query gives {there}. Select one, "
            "or write CSV or Parquet"
        )
    return names


def _is_geometry(values: pd.Series) -> bool:
    """Tell whether a column holds geometry."""
    return str(values.dtype) == "geometry"


def _write_list(stream: IO[bytes], head: str, items: Iterable[str], tail: str) -> None:
    """Write JSON, an item a line."""
    stream.write(head.encode())
    for i, item in enumerate(items):
        stream.write(f"{',' if i else ''}\n{item}".encode())
    stream.write(f"\n{tail}\n".encode())

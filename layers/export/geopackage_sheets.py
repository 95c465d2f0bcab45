"""Sheets as a GeoPackage can hold them, and what that changes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import SchemaError
from layers.export.common_losses import (
    ALWAYS,
    BYTES,
    DECIMALS,
    EMPTY_PLACES,
    LISTS,
    RASTERS,
    matching,
    with_nul,
)
from layers.export.flatgeobuf import FINE_TIMES, unlike_names
from layers.export.gdal_files import kinds_of
from layers.export.geopackage import write_geopackage as write_plain
from layers.export.losses import Loss
from layers.export.values import REPLACEMENT, Values, as_text, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import pyarrow as pa

    from geo.parallel import Progress
    from layers.export.content import Content, Sheet

_FAMILIES = {
    "points": (0, 4),
    "lines": (1, 2, 5),
    "areas": (3, 6),
}
"""Shapely's numbers of the kinds of geometry that share a layer."""

_COLLECTION = 7

_NAMES = {"points": "Point", "lines": "LineString", "areas": "Polygon"}


def _negative_zeros(values: Values) -> int:
    numbers = (c.to_numpy().astype(float) for c in values.of_kind("number"))
    return sum(int(((n == 0) & np.signbit(n)).sum()) for n in numbers)


def _made_multi(values: Values) -> int:
    import shapely

    if values.sheet.geometry in _NAMES.values():
        return 0
    total = 0
    for _, shapes in _split(values):
        kinds = kinds_of(shapes)
        many = len(kinds) > 1 or values.sheet.geometry.startswith("Multi")
        there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        total += int((shapely.get_type_id(there) < 4).sum()) if many else 0
    return total


def _more_layers(values: Values) -> int:
    return max(len(_split(values)) - 1, 0)


def _new_names(names: Iterable[str]) -> dict[str, str]:
    """Names of columns in the file, each with characters and unlike all others."""
    unlike = unlike_names([name or "field" for name in names])
    return {name: unlike[name or "field"] for name in names}


def _renamed(values: Values) -> int:
    return sum(name != new for name, new in _new_names(values.columns).items())


LOSSES = (
    Loss(
        kind="layers split",
        one="more layer, one for each kind of geometry",
        many="more layers, one for each kind of geometry",
        about="A layer holds points, lines or areas.",
        in_sheet=_more_layers,
    ),
    Loss(
        kind="names numbered",
        one="name that is empty or differs in case only was changed",
        many="names that are empty or differ in case only were changed",
        about="Programs take names for the same whatever their case.",
        in_sheet=_renamed,
    ),
    Loss(
        kind="made multi-part",
        one="single geometry became multi-part",
        many="single geometries became multi-part",
        about="A layer in which some geometries have several parts is multi-part.",
        in_sheet=_made_multi,
    ),
    EMPTY_PLACES,
    FINE_TIMES,
    LISTS,
    DECIMALS,
    BYTES,
    Loss(
        kind="negative zeros",
        one="negative zero lost its sign",
        many="negative zeros lost their sign",
        about="The database stores zero without sign.",
        in_sheet=_negative_zeros,
    ),
    Loss(
        kind="characters replaced",
        one="text lost a NUL character",
        many="texts lost NUL characters",
        about=f"Programs take NUL for the end of a text; it becomes {REPLACEMENT}.",
        in_sheet=lambda values: matching(values, r"\x00"),
    ),
    *ALWAYS,
    RASTERS,
)


def write_geopackage(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write an export as a GeoPackage, whatever its values are.

    Parameters
    ----------
    content
        What is to be written. Layers of several kinds of geometry are split; lists and
        other values that the format lacks become text.
    path
        File to write.
    progress
        Takes what is done and the whole.

    Returns
    -------
    tuple of pathlib.Path
        What was written.

    Raises
    ------
    SchemaError
        If a geometry is a collection.
    WriteError
        If a file cannot be written.
    """
    return write_plain(plain_content(content), path, progress=progress)


def plain_content(content: Content) -> Content:
    """Turn values that a GeoPackage lacks into those that it has.

    Parameters
    ----------
    content
        What is to be written.

    Returns
    -------
    Content
        The same where nothing is to be changed.
    """
    sheets = [plain for sheet in content.sheets for plain in _plain_sheets(sheet)]
    return replace(content, sheets=tuple(sheets))


def _plain_sheets(sheet: Sheet) -> list[Sheet]:
    values = sheet.values
    if _renamed(values):
        new = _new_names(values.columns)
        fields = {new[n]: field for n, field in sheet.fields.items() if n in new}
        sheet = replace(sheet, table=sheet.table.rename(columns=new), fields=fields)
        values = sheet.values
    _refuse_collections(values)
    table: Any = sheet.table
    odd = {
        name: _plain_column(table[name], column)
        for name, column in values.columns.items()
        if _is_odd(table[name], values)
    }
    if odd:
        table = table.assign(**odd)
    if not sheet.geometry:
        return [replace(sheet, table=table)] if odd else [sheet]
    shapes = _without_empty(values.shapes)
    if shapes is not sheet.table.geometry.to_numpy():
        table = table.set_geometry(_series(shapes, table))
    if sheet.geometry != "Geometry":
        return [replace(sheet, table=table)] if table is not sheet.table else [sheet]
    return [
        replace(
            sheet,
            id=sheet.id if len(_split(values)) == 1 else f"{sheet.id}_{family}",
            table=table[rows].reset_index(drop=True),
            geometry=_kind(family, shapes[rows]),
        )
        for family, rows in _rows(values).items()
    ]


def _refuse_collections(values: Values) -> None:
    """Refuse what no program would draw, and no layer of one kind holds."""
    import shapely

    found = np.flatnonzero(shapely.get_type_id(values.shapes) == _COLLECTION)
    if len(found):
        raise SchemaError(
            f"{values.sheet.id}: row {found[0] + 1} is a GeometryCollection; expected "
            "points, lines or areas, which a GeoPackage holds. Take it apart "
            "with gdf.explode(), or write GeoJSON or GeoParquet"
        )


def _is_odd(column: Any, values: Values) -> bool:
    """Tell whether a column has values that a GeoPackage lacks."""
    name = str(column.name)
    if values.kinds[name] in {"structure", "decimal", "bytes"}:
        return True
    if values.kinds[name] == "time":
        return bool(values.columns[name].type.tz not in {None, "UTC"})
    if column.dtype.kind == "m" or str(column.dtype) == "UInt64":
        return True
    if values.kinds[name] != "text":
        return False
    if getattr(column.dtype, "storage", "") == "pyarrow":
        return bool(with_nul(values.columns[name]))
    alone = Values(replace(values.sheet, table=column.to_frame(), geometry=""))
    return bool(alone.reworded or alone.unpaired or matching(alone, r"\x00"))


def _plain_column(old: Any, column: pa.ChunkedArray) -> Any:
    import pandas as pd

    if kind_of(column.type) == "time":
        return pd.to_datetime(old, utc=True)
    texts = as_text(column).to_pylist()
    clean = [None if t is None else t.replace("\x00", REPLACEMENT) for t in texts]
    return pd.array(clean, dtype=object)


def _without_empty(shapes: np.ndarray) -> np.ndarray:
    import shapely

    empty = shapely.is_empty(shapes)
    if not empty.any():
        return shapes
    found = shapes.copy()
    found[empty] = None
    return found


def _series(shapes: np.ndarray, table: Any) -> Any:
    import geopandas as gpd

    return gpd.GeoSeries(shapes, index=table.index, crs=table.crs, name="geometry")


def _rows(values: Values) -> dict[str, np.ndarray]:
    """Which rows stand in which layer; those without a place, in the first."""
    import shapely

    kinds = shapely.get_type_id(_without_empty(values.shapes))
    found = {
        family: np.isin(kinds, numbers)
        for family, numbers in _FAMILIES.items()
        if np.isin(kinds, numbers).any()
    } or {"points": kinds > 99}
    first = next(iter(found))
    found[first] |= kinds == -1
    return found


def _split(values: Values) -> list[tuple[str, np.ndarray]]:
    """Geometries of each layer that a layer becomes."""
    if not values.sheet.geometry:
        return []
    if values.sheet.geometry != "Geometry":
        return [("", values.shapes)]
    return [(family, values.shapes[rows]) for family, rows in _rows(values).items()]


def _kind(family: str, shapes: np.ndarray) -> str:
    kinds = kinds_of(shapes)
    single = _NAMES[family]
    return single if kinds <= {single} else f"Multi{single}"

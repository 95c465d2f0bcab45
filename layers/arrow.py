"""Frames to Arrow tables and back, with the CRS of every geometry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.crs import LONLAT, is_lonlat
from geo.wkb import from_wkb
from layers.crs_names import opens_nothing
from layers.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa
    from pyproj import CRS

_NAME, _METADATA = b"ARROW:extension:name", b"ARROW:extension:metadata"
_WKB = (b"geoarrow.wkb", b"ogc.wkb")
LONLAT_WKB = {
    _NAME: b"geoarrow.wkb",
    _METADATA: b'{"crs": "EPSG:4326", "crs_type": "authority_code"}',
}
"""What marks a column as WKB in EPSG:4326 (GeoArrow)."""

_EXACT_DIGITS = 15
"""So many decimal digits a double holds."""


def to_arrow(frame: pd.DataFrame) -> pa.Table:
    """Turn a frame into an Arrow table, its geometry into WKB that names its CRS.

    Parameters
    ----------
    frame
        Table or layer, shape ``(n,)``.

    Returns
    -------
    pyarrow.Table
        Without the index; NaN and None are null.

    Raises
    ------
    QueryError
        If a column mixes values that share no type.
    """
    import geopandas as gpd
    import pyarrow as pa

    try:
        if isinstance(frame, gpd.GeoDataFrame):
            return pa.table(frame.to_arrow(index=False, geometry_encoding="WKB"))
        return pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
        reason = " ".join(str(a) for a in error.args)
        raise QueryError(f"a column mixes kinds of values: {reason[:160]}") from None


def from_arrow(
    table: pa.Table, *, doubt: Callable[[str, gpd.GeoSeries], bool] | None = None
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Turn an Arrow table into a frame, a layer if it has a geometry column.

    Parameters
    ----------
    table
        Any columns; geometry as WKB that is marked as such (GeoArrow).
    doubt
        Asked of each geometry column in EPSG:4326, with its name, whether it is not.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        A name that is there twice is numbered: ``id``, ``id_1``. Whole numbers stay
        whole, also beside missing ones (``Int64``). Of several geometry columns the
        one called ``geometry``, else the first, is active. Each has the CRS that the
        table names; EPSG:4326 where that is WGS 84, and none where it names none.

    Raises
    ------
    QueryError
        If geometry stands inside a list or a record, or the CRS of a column is named
        by neither a code nor WKT nor PROJJSON, or names a file.
    """
    import geopandas as gpd
    import pandas as pd

    columns: dict[str, Any] = {}
    shapes: list[str] = []
    for field, values in zip(table.schema, table.columns, strict=True):
        name = _unused(field.name, columns)
        if (field.metadata or {}).get(_NAME) in _WKB:
            wkb = values.to_numpy(zero_copy_only=False)
            series = gpd.GeoSeries(from_wkb(wkb), crs=_crs(field))
            if doubt is not None and is_lonlat(series.crs) and doubt(name, series):
                series = gpd.GeoSeries(series.to_numpy())
            columns[name] = series
            shapes.append(name)
        elif _holds_geometry(field.type):
            raise QueryError(
                f"column {field.name[:60]} holds geometries in a list or a record; "
                "unnest it, or take one part"
            )
        else:
            columns[name] = _column(values)
    frame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    if not shapes:
        return frame
    active = "geometry" if "geometry" in shapes else shapes[0]
    return gpd.GeoDataFrame(frame, geometry=active)


def _unused(name: str, taken: dict[str, Any]) -> str:
    """Name for a column that no other has."""
    numbered, i = name, 0
    while numbered in taken:
        i += 1
        numbered = f"{name}_{i}"
    return numbered


def _column(values: pa.ChunkedArray) -> pd.Series:
    """One column without geometry; no whole number loses its last digits."""
    import pandas as pd
    import pyarrow as pa

    kind = values.type
    if pa.types.is_decimal(kind):
        if kind.scale == 0:
            values, kind = _whole(values), pa.int64()
        elif kind.precision <= _EXACT_DIGITS:
            values = values.cast(pa.float64())
    elif pa.types.is_dictionary(kind):
        values = values.cast(kind.value_type)
    if pa.types.is_integer(kind) and values.null_count:
        try:
            plain = values.cast(pa.int64())
        except pa.ArrowInvalid:  # beyond 63 bits
            return pd.Series(values.to_pylist(), dtype="Int64", name=None)
        whole = np.array(plain.fill_null(0).to_numpy(), np.int64)
        return pd.Series(pd.arrays.IntegerArray(whole, values.is_null().to_numpy()))
    series: pd.Series = values.to_pandas()
    return series


def _whole(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers of any size, as 64-bit ones where they fit."""
    import pyarrow as pa

    try:
        return values.cast(pa.int64())
    except pa.ArrowInvalid:
        return values


def _crs(field: pa.Field) -> CRS | str | None:
    """CRS that a geometry column names."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    named = json.loads(field.metadata.get(_METADATA) or b"{}").get("crs")
    if named is None:
        return None
    if not opens_nothing(named):
        raise QueryError(
            f"column {field.name[:60]} names the CRS {str(named)[:60]!r}, which could "
            "open a file or a connection; name it by a code such as EPSG:32651, or as "
            "WKT or PROJJSON without grids"
        )
    try:
        crs = CRS.from_user_input(named)
    except CRSError:
        return None
    return LONLAT if is_lonlat(crs) else crs


def _holds_geometry(kind: pa.DataType) -> bool:
    """Tell whether a nested type has geometry in it."""
    inner = [kind.field(i) for i in range(kind.num_fields)]
    return any(
        (f.metadata or {}).get(_NAME) in _WKB or _holds_geometry(f.type) for f in inner
    )


def off_the_globe(shapes: gpd.GeoSeries) -> bool:
    """Tell whether a coordinate lies outside longitude and latitude.

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``; missing and empty ones are passed over.

    Returns
    -------
    bool
        True if a longitude is beyond 180 or a latitude beyond 90 degrees.
    """
    bounds = np.abs(shapes.bounds.to_numpy())
    return bool((bounds > [180.0, 90.0, 180.0, 90.0]).any())

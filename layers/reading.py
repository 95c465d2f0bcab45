"""Analysts' files in: read, placed on WGS 84, and checked like our own layers."""

from __future__ import annotations

import csv
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from geo.crs import is_lonlat, require_lonlat
from geo.errors import GeoError
from layers.errors import ReadError, SchemaError
from layers.schema import FEATURE_COLUMNS, check_features

if TYPE_CHECKING:
    from os import PathLike

    import geopandas as gpd
    import pandas as pd

logger = logging.getLogger(__name__)

_FIRST_BYTES = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".fgb": (b"fgb",),
    ".shp": (b"\x00\x00\x27\x0a",),
}
"""How a file of each kind begins; a file that pretends to be another is refused."""

_MAY_BE_ABSENT = ("name_ko", "name_zh", "claims", "note")
_LONGITUDE, _LATITUDE = ("lon", "longitude", "x"), ("lat", "latitude", "y")


def read_layer(path: str | PathLike[str], *, evidence: bool = True) -> gpd.GeoDataFrame:
    """Read a file of features and place it on WGS 84.

    Parameters
    ----------
    path
        A GeoJSON, GeoPackage (one layer), FlatGeobuf or Shapefile, or a CSV in UTF-8
        with columns ``lon`` and ``lat`` in degrees on WGS 84.
    evidence
        Whether every feature must say who claims it and how well it is located, as
        ours do (:func:`layers.check_features`). The columns ``name_ko``,
        ``name_zh``, ``claims`` and ``note`` may be absent.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, in the order of the file. ``attrs`` carries ``file`` and, when
        the file is in another CRS, ``reprojected_from``.

    Raises
    ------
    ReadError
        If the file is missing, empty, truncated, of another kind than its name says,
        holds no feature, several layers or no geometry, or names no CRS.
    SchemaError
        If coordinates lie off the globe (as swapped axes do), or a feature lacks what
        ``evidence`` asks; the message names row and column.
    """
    file = Path(path)
    kind = file.suffix.lower()
    try:
        with file.open("rb") as stream:
            head = stream.read(4096)
    except OSError as error:
        raise ReadError(f"{file.name} cannot be read: {error.strerror}") from None
    if not head.strip():
        raise ReadError(f"{file.name} is empty")
    if kind == ".csv":
        gdf = _read_csv(file)
    elif kind in _FIRST_BYTES:
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_FIRST_BYTES[kind]):
            raise ReadError(
                f"{file.name} does not begin as a {kind} file does; it is damaged, or "
                "another kind of file under that name"
            )
        gdf = _read_vector(file)
    else:
        raise ReadError(
            f"{file.name}: no reader for {kind or 'a name without an ending'}; "
            f"expected .csv, {', '.join(_FIRST_BYTES)}"
        )
    if gdf.empty:
        raise ReadError(f"{file.name} holds no feature")
    gdf = _on_wgs84(gdf, file.name)
    if evidence:
        for column in _MAY_BE_ABSENT:
            if column not in gdf:
                gdf[column] = ""
        for column, content in FEATURE_COLUMNS.items():
            if content == "text" and column in gdf:
                gdf[column] = gdf[column].fillna("").astype(str)
        check_features(gdf, file.name)
    gdf.attrs["file"] = file.name
    return gdf


def _read_vector(file: Path) -> gpd.GeoDataFrame:
    """Read a file that GDAL knows."""
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        names = [name for name, _ in pyogrio.list_layers(file)]
        if len(names) != 1:
            there = ", ".join(str(n)[:40] for n in names[:10]) or "none"
            raise ReadError(
                f"{file.name} holds {len(names)} layers ({there}); expected one. Save "
                "the one you want as a file of its own"
            )
        table = pyogrio.read_dataframe(file)
    except (DataSourceError, DataLayerError, ValueError, UnicodeDecodeError) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(
            f"{file.name} cannot be read; it may be truncated: {_line(error)}"
        ) from None
    if not isinstance(table, gpd.GeoDataFrame):
        raise ReadError(f"{file.name} holds a table without geometry")
    return table


def _read_csv(file: Path) -> gpd.GeoDataFrame:
    """Read a table of points; coordinates and radii become numbers."""
    import geopandas as gpd
    import pandas as pd

    try:
        table = pd.read_csv(
            file, dtype=str, keep_default_na=False, encoding="utf-8-sig"
        )
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{file.name} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except (pd.errors.ParserError, pd.errors.EmptyDataError, csv.Error) as error:
        raise ReadError(f"{file.name} is no CSV: {_line(error)}") from None
    by_name = {str(c).strip().lower(): c for c in table.columns}
    lon = next((by_name[n] for n in _LONGITUDE if n in by_name), None)
    lat = next((by_name[n] for n in _LATITUDE if n in by_name), None)
    if lon is None or lat is None:
        raise ReadError(
            f"{file.name}: no columns lon and lat; it has "
            f"{', '.join(map(str, table.columns[:12]))}"
        )
    x, y = (_numbers(file.name, table, column) for column in (lon, lat))
    for column in ("uncertainty_m", "precision_code"):
        if column in table:
            table[column] = _numbers(file.name, table, column)
    return gpd.GeoDataFrame(
        table.drop(columns=[lon, lat]), geometry=gpd.points_from_xy(x, y), crs=4326
    )


def _numbers(name: str, table: pd.DataFrame, column: str) -> pd.Series:
    """Turn a column of text into numbers, or say which line holds none."""
    import pandas as pd

    numbers = pd.to_numeric(table[column], errors="coerce")
    if numbers.isna().any():
        row = int(numbers.isna().to_numpy().argmax())
        raise ReadError(
            f"{name}, line {row + 2}, column {column}: "
            f"{str(table[column].iloc[row])[:40]!r} is not a number"
        )
    return numbers


def _on_wgs84(gdf: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Place a layer on WGS 84; a change of CRS is written down, never silent."""
    from pyproj.exceptions import ProjError

    if gdf.crs is None:
        raise ReadError(
            f"{name} names no CRS, so its places are unknown. Write the CRS into the "
            "file; with QGIS: Layer > Set CRS of Layer, then save it again"
        )
    before = gdf.crs
    try:
        if not is_lonlat(before):
            gdf = gdf.to_crs(4326)
            gdf.attrs["reprojected_from"] = before.to_string()
            logger.warning("%s: reprojected from %s", name, before.to_string()[:60])
        require_lonlat(gdf, name)
    except ProjError as error:
        raise ReadError(f"{name} cannot be reprojected: {_line(error)}") from None
    except GeoError as error:
        raise SchemaError(str(error)) from None
    return gdf


def _line(error: Exception) -> str:
    """First line of a message, of a length for people."""
    return (str(error).strip().splitlines() or ["no reason given"])[0][:160]

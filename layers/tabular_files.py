"""Files as tables of a query: layers, CSV with or without places, (Geo)Parquet."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.crs import LONLAT, is_lonlat, require_lonlat
from layers.arrow import LONLAT_WKB
from layers.crs_names import opens_nothing
from layers.errors import ReadError
from layers.reading import read_layer
from layers.schema import check_geometry
from layers.table import read_table

if TYPE_CHECKING:
    from os import PathLike

    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa
    from pyproj import CRS

_WHOLE = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_PARQUET = (".parquet", ".geoparquet", ".pq")
_PLACES = {"lon", "longitude", "x"}


def read_tabular(path: str | PathLike[str]) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read a file whose rows a query is to see.

    Parameters
    ----------
    path
        What :func:`layers.read_layer` reads; a CSV in UTF-8 without coordinates; or
        Parquet, with geometry as GeoParquet has it or without.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        In the order of the file; geometry in EPSG:4326. A column of a CSV holds
        numbers if every cell is a number as one writes it (``7``, ``-0.5``, ``1e6``;
        not ``007``, which is a name) or empty, which is missing.

    Raises
    ------
    ReadError, SchemaError
        As :func:`layers.read_layer`.
    CRSMissingError, CRSMismatchError
        If GeoParquet is in no CRS or another than EPSG:4326: it is not reprojected.
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind in _PARQUET:
        return _read_parquet(file)
    if kind == ".csv":
        return _with_numbers(_read_csv(file))
    gdf = read_layer(file, evidence=False)
    gdf.geometry = gdf.geometry.set_crs(LONLAT, allow_override=True)  # OGC:CRS84 too
    return gdf


def read_geoparquet(path: str | PathLike[str]) -> pa.Table | None:
    """Read GeoParquet as it stands, without a look at its coordinates.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    pyarrow.Table or None
        Geometry as WKB that names EPSG:4326. None where :func:`read_tabular` has to
        look closer: no GeoParquet, another CRS, another encoding, damage.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = Path(path)
    if file.suffix.lower() not in _PARQUET:
        return None
    try:
        schema = pq.read_schema(file)
        about = json.loads((schema.metadata or {})[b"geo"])["columns"]
        plain = all(
            column["encoding"] == "WKB" and is_lonlat(_crs(column))
            for column in about.values()
        )
        if not plain:
            return None
        boxes = {
            c["covering"]["bbox"]["xmin"][0] for c in about.values() if "covering" in c
        }
        table = pq.read_table(file, columns=[n for n in schema.names if n not in boxes])
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException):
        return None
    for name in about:
        i = table.schema.get_field_index(name)
        field = pa.field(name, pa.binary(), metadata=LONLAT_WKB)
        table = table.set_column(i, field, table.column(i).cast(pa.binary()))
    return table.replace_schema_metadata(None)


def _crs(column: dict[str, Any]) -> CRS | None:
    """CRS of a column of GeoParquet; one that names none is longitude, latitude."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    named = column.get("crs", "OGC:CRS84")
    try:
        return CRS.from_user_input(named) if opens_nothing(named) else None
    except CRSError:
        return None


def _check_crs(about: dict[str, Any], name: str) -> None:
    """Refuse GeoParquet whose CRS could name another file."""
    for column, said in about["columns"].items():
        named = said.get("crs")
        if named is not None and not opens_nothing(named):
            raise ReadError(
                f"{name}: column {str(column)[:40]} names the CRS {str(named)[:60]}; "
                "expected a code such as EPSG:4326, WKT or PROJJSON, with no file in it"
            )


def _read_csv(file: Path) -> pd.DataFrame:
    """Read a CSV, as a layer if it has coordinates."""
    try:
        with file.open("r", encoding="utf-8-sig", newline="") as stream:
            header = stream.readline().lower()
            names = {name.strip(' "\r\n') for name in header.split(",")}
            if not names & _PLACES:
                stream.seek(0)
                return read_table(stream, file.name, ReadError)
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{file.name} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except OSError:
        pass  # the reader of layers says why
    return read_layer(file, evidence=False)


def _with_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Turn columns of text into numbers where every cell is one."""
    import pandas as pd

    for column in table.columns:
        if column == "geometry" or not pd.api.types.is_string_dtype(table[column]):
            continue
        cells = [str(cell).strip() for cell in table[column]]
        filled = [cell for cell in cells if cell]
        if not filled or not all(map(_NUMBER.fullmatch, filled)):
            continue
        if all(map(_WHOLE.fullmatch, filled)):
            values = [int(cell) if cell else None for cell in cells]
            table[column] = pd.array(values, dtype="Int64")
        else:
            table[column] = [float(cell) if cell else None for cell in cells]
            table[column] = table[column].astype("float64")
    return table


def _read_parquet(file: Path) -> pd.DataFrame | gpd.GeoDataFrame:
    """Read Parquet; geometry has to be in EPSG:4326 already."""
    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(file).metadata or {}
        if b"geo" not in metadata:
            return pd.read_parquet(file)
        _check_crs(json.loads(metadata[b"geo"]), file.name)
        gdf = gpd.read_parquet(file)
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        reason = (str(error).strip().splitlines() or ["no reason given"])[0]
        raise ReadError(f"{file.name} cannot be read: {reason[:160]}") from None
    require_lonlat(gdf, file.name)
    check_geometry(gdf, file.name)
    gdf.geometry = gdf.geometry.set_crs(LONLAT, allow_override=True)
    return gdf

"""GeoParquet as the datasets of this package hold it: WKB, and a box for each row.

The format is GeoParquet 1.1 [1]_. What pandas needs to give a layer its index back
stands beside, as pandas itself writes it.

References
----------
.. [1] GeoParquet 1.1.0, https://geoparquet.org/releases/v1.1.0/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.crs import is_lonlat
from geo.errors import ColumnError, CRSMismatchError, CRSMissingError, GeometryError
from geo.wkb import from_wkb

if TYPE_CHECKING:
    from pathlib import Path

    import geopandas as gpd
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

GROUP_ROWS = 8_192
"""Most rows of a row group: small enough to skip much, large enough to compress."""

GROUP_BYTES = 4_000_000
"""About the most bytes of a row group, whatever that means in rows."""

COVERING = "bbox"
"""Name of the column with the box of each geometry."""

_SIDES = ("xmin", "ymin", "xmax", "ymax")


def table_of(gdf: gpd.GeoDataFrame) -> pa.Table:
    """Turn a layer into a table with its geometries as WKB and its index as columns.

    Parameters
    ----------
    gdf
        A layer in EPSG:4326, shape ``(n,)``.

    Returns
    -------
    pyarrow.Table
        Shape ``(n,)``, with the metadata of pandas and of GeoParquet.
    """
    import pyarrow as pa

    table = pa.Table.from_pandas(gdf.to_wkb(), preserve_index=True)
    for name in gdf.columns[gdf.dtypes == "geometry"]:  # of type null when empty
        place = table.column_names.index(str(name))
        shapes = table.column(place).cast(pa.binary())
        table = table.set_column(place, str(name), shapes)
    columns = {
        str(name): {"encoding": "WKB", "crs": gdf[name].crs.to_json_dict()}
        for name in gdf.columns[gdf.dtypes == "geometry"]
    }
    return with_geo(
        table, {"primary_column": str(gdf.geometry.name), "columns": columns}
    )


def with_geo(data: Any, geo: dict[str, Any]) -> Any:
    """Give a table or a schema the metadata of GeoParquet.

    Parameters
    ----------
    data
        A table or a schema.
    geo
        The metadata, without the version.

    Returns
    -------
    pyarrow.Table or pyarrow.Schema
        The same, its other metadata kept.
    """
    schema = getattr(data, "schema", data)
    text = json.dumps({**geo, "version": "1.1.0"})
    metadata = {**(schema.metadata or {}), b"geo": text.encode()}
    if schema is data:
        return data.with_metadata(metadata)
    return data.replace_schema_metadata(metadata)


def geo_of(schema: pa.Schema) -> dict[str, Any]:
    """Metadata of GeoParquet of a schema.

    Parameters
    ----------
    schema
        Of a table or a file.

    Returns
    -------
    dict
        Empty when there is none.
    """
    found: dict[str, Any] = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
    return found


def frame(table: pa.Table) -> gpd.GeoDataFrame:
    """Turn a table whose geometries are WKB into a layer.

    Parameters
    ----------
    table
        With the metadata of GeoParquet, and of pandas for the index.

    Returns
    -------
    geopandas.GeoDataFrame
        The same rows and columns, the index set.
    """
    import geopandas as gpd

    geo = geo_of(table.schema)
    named = [n for n in table.column_names if n in geo["columns"]]
    order = list(table.slice(0, 0).to_pandas().columns)
    data = table.drop_columns(named).to_pandas()
    for name in sorted(named, key=order.index):
        shapes = from_wkb(table[name].to_numpy())
        crs = geo["columns"][name].get("crs", "OGC:CRS84")
        data.insert(order.index(name), name, gpd.GeoSeries(shapes, data.index, crs=crs))
    return gpd.GeoDataFrame(data, geometry=geo["primary_column"])


def index_columns(schema: pa.Schema) -> list[str]:
    """Name the columns that hold the index of a layer.

    Parameters
    ----------
    schema
        With the metadata of pandas, or without.

    Returns
    -------
    list of str
        Empty for an index that only numbers the rows, which no column holds.
    """
    known = (schema.metadata or {}).get(b"pandas")
    if known is None:
        return []
    return [n for n in json.loads(known)["index_columns"] if isinstance(n, str)]


def covering_of(geo: dict[str, Any]) -> dict[str, list[str]] | None:
    """Where the box of each geometry is kept.

    Parameters
    ----------
    geo
        Metadata of GeoParquet.

    Returns
    -------
    dict or None
        Paths of the columns ``xmin``, ``ymin``, ``xmax`` and ``ymax``.
    """
    column = geo["columns"][geo["primary_column"]]
    found: dict[str, list[str]] | None = column.get("covering", {}).get("bbox")
    return found


def checked_geo(raw: bytes | None, path: str) -> dict[str, Any]:
    """Metadata of a file, checked for what the joins need.

    Parameters
    ----------
    raw
        The value of its key ``geo``.
    path
        What to call the file in a message.

    Returns
    -------
    dict
        Metadata of GeoParquet.

    Raises
    ------
    GeometryError
        If there is none, or geometries are not encoded as WKB.
    CRSMissingError, CRSMismatchError
        If the geometries are not in EPSG:4326. No ``crs`` means OGC:CRS84 here.
    """
    if raw is None:
        raise GeometryError(
            f"{path} is no GeoParquet: it has no metadata 'geo'. Read it with "
            "geopandas, give it its geometry and CRS, and write it with to_parquet"
        )
    geo: dict[str, Any] = json.loads(raw)
    column = geo["columns"][geo["primary_column"]]
    if column.get("encoding") != "WKB":
        raise GeometryError(
            f"{path}: geometries are encoded as {column.get('encoding')}; expected "
            "WKB. Read it with geopandas and write it with to_parquet"
        )
    require_lonlat_file(column.get("crs", "OGC:CRS84"), path)
    return geo


def require_lonlat_file(crs: Any, path: str) -> None:
    """Refuse a file that is not in EPSG:4326.

    Parameters
    ----------
    crs
        What the file says; None when it does not know.
    path
        What to call the file in a message.

    Raises
    ------
    CRSMissingError
        If the file has no CRS.
    CRSMismatchError
        If its CRS is neither EPSG:4326 nor OGC:CRS84.
    """
    from pyproj import CRS

    if crs is None:
        raise CRSMissingError(
            f"{path} has no CRS; expected EPSG:4326. If its coordinates are longitude "
            "and latitude on WGS 84, read it, call .set_crs(4326) and write it anew"
        )
    known = CRS.from_user_input(crs)
    if not is_lonlat(known):
        raise CRSMismatchError(
            f"{path} is in {known.to_string()[:60]}; expected EPSG:4326. Read it, call "
            ".to_crs(4326) and write it anew"
        )


def write(table: pa.Table, path: Path) -> None:
    """Write a table as one file of GeoParquet.

    Parameters
    ----------
    table
        As :func:`table_of` gives it, shape ``(n,)``.
    path
        A local file.

    Raises
    ------
    ColumnError
        If a column has the name of the covering column.
    """
    import pyarrow.parquet as pq
    import shapely

    geo = geo_of(table.schema)
    column = geo["columns"][geo["primary_column"]]
    shapes = from_wkb(table[geo["primary_column"]].to_numpy())
    kinds = np.unique(shapely.get_type_id(shapes) * 2 + shapely.has_z(shapes))
    column["geometry_types"] = [_KINDS[k // 2] + " Z" * (k % 2) for k in kinds]
    if len(shapes):
        column["bbox"] = shapely.total_bounds(shapes).tolist()
    covered = _covered(table, shapes)
    column["covering"] = _COVERING_METADATA
    with pq.ParquetWriter(
        path, with_geo(covered.schema, geo), compression="zstd"
    ) as out:
        out.write_table(covered, row_group_size=_group_rows(covered))


class Writer:
    """A file of GeoParquet that grows by tables of one schema."""

    def __init__(self, path: Path, schema: pa.Schema, box: Floats) -> None:
        """Begin a file.

        Parameters
        ----------
        path
            A local file.
        schema
            Of the tables, as :func:`table_of` gives it.
        box
            West, south, east, north of all that may be written, shape ``(4,)``.
            [degrees]
        """
        import pyarrow.parquet as pq

        geo = geo_of(schema)
        column = geo["columns"][geo["primary_column"]]
        column["geometry_types"] = []  # the format's way to say: not known
        if np.isfinite(box).all():
            column["bbox"] = box.tolist()
        column["covering"] = _COVERING_METADATA
        self._primary = geo["primary_column"]
        empty = _covered(schema.empty_table(), np.empty(0, dtype=object))
        whole = with_geo(empty.schema, geo)
        self._out = pq.ParquetWriter(path, whole, compression="zstd")

    def write(self, table: pa.Table) -> None:
        """Append rows.

        Parameters
        ----------
        table
            Of the schema that the file began with.
        """
        shapes = from_wkb(table[self._primary].to_numpy())
        covered = _covered(table, shapes).cast(self._out.schema)
        self._out.write_table(covered, row_group_size=_group_rows(covered))

    def close(self) -> None:
        """End the file."""
        self._out.close()


def _group_rows(table: pa.Table) -> int:
    """Rows of a row group: fewer where rows are large."""
    row_bytes = max(table.nbytes // max(len(table), 1), 1)
    return int(max(min(GROUP_ROWS, GROUP_BYTES // row_bytes), 1))


def _covered(table: pa.Table, shapes: Shapes) -> pa.Table:
    """Append the box of each geometry as a column."""
    import pyarrow as pa
    import shapely

    if COVERING in table.column_names:
        raise ColumnError(
            f"the layer has a column {COVERING!r}, where the box of each geometry "
            "goes; rename it first"
        )
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    boxes = pa.StructArray.from_arrays(
        [pa.array(np.ascontiguousarray(b)) for b in bounds.T], _SIDES
    )
    return table.append_column(COVERING, boxes)


_COVERING_METADATA = {"bbox": {side: [COVERING, side] for side in _SIDES}}

_KINDS = {
    0: "Point",
    1: "LineString",
    2: "LinearRing",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
    7: "GeometryCollection",
}
"""Names of the geometry types by shapely's ids."""

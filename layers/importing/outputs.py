"""Layers written to files as their rows come, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.arrow import LONLAT_WKB
from layers.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

_DRIVERS = {".gpkg": "GPKG", ".fgb": "FlatGeobuf", ".geojson": "GeoJSON"}
ENDINGS = (*_DRIVERS, ".parquet", ".geoparquet")
"""How the name of a layer may end."""


def check_output(path: Path) -> None:
    """Refuse a name that says no format, before anything is read.

    Parameters
    ----------
    path
        File to write.

    Raises
    ------
    WriteError
        If the ending of its name is none of :data:`ENDINGS`, or there is no such
        folder.
    """
    if path.suffix.lower() not in ENDINGS:
        raise WriteError(
            f"cannot write {path.name[:80]}: expected a name that ends in "
            f"{', '.join(ENDINGS)}"
        )
    if not path.resolve().parent.is_dir():
        raise WriteError(f"cannot write {path}: there is no such folder")


def write_rows(
    tables: Iterable[pa.Table], path: Path, *, geometry_type: str, about: str
) -> None:
    """Write rows of a layer as they come.

    Parameters
    ----------
    tables
        Rows with one schema: attributes, and ``geometry`` as WKB in EPSG:4326. At
        least one table.
    path
        File to write; its ending says the format.
    geometry_type
        Type that all geometries can be given, ``"Unknown"`` if there is none. Single
        ones are made multiple where it is one of those.
    about
        Description of the layer, for formats that have one.

    Raises
    ------
    WriteError
        If the file cannot be written; what stood there before is untouched.
    """
    target = path.resolve()
    try:
        folder = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise WriteError(f"cannot write {path}: {error.strerror}") from None
    temporary = folder / target.name
    try:
        if target.suffix.lower() in _DRIVERS:
            _write_gdal(tables, temporary, geometry_type, about)
        else:
            _write_parquet(tables, temporary, geometry_type)
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(target)
    except OSError as error:
        raise WriteError(
            f"cannot write {path}: {error.strerror or error}. What stood there before "
            "is untouched"
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_gdal(
    tables: Iterable[pa.Table], path: Path, geometry_type: str, about: str
) -> None:
    """Write with GDAL, which takes batch after batch."""
    import pyarrow as pa
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    driver = _DRIVERS[path.suffix.lower()]
    options: dict[str, str] = {}
    if driver == "GPKG":
        options = {"GEOMETRY_NAME": "geom", "DESCRIPTION": about[:2000]}
    elif driver == "GeoJSON":
        options = {"RFC7946": "YES", "ID_FIELD": "id"}
    schema, batches = _batches(tables, geometry_type)
    failed: list[BaseException] = []
    reader = pa.RecordBatchReader.from_batches(schema, _remembering(batches, failed))
    try:
        pyogrio.write_arrow(
            reader,
            path,
            layer=path.stem,
            driver=driver,
            geometry_name="geometry",
            geometry_type=geometry_type,
            crs="EPSG:4326",
            **options,
        )
    except (DataSourceError, DataLayerError, RuntimeError, pa.ArrowException) as error:
        if failed:
            raise failed[0] from None
        raise OSError(" ".join(str(error).split())[:200]) from error
    if failed:
        raise failed[0]


def _remembering(
    batches: Iterator[pa.RecordBatch], failed: list[BaseException]
) -> Iterator[pa.RecordBatch]:
    """Pass batches on; what goes wrong in between would come out as GDAL's error."""
    try:
        yield from batches
    except Exception as error:
        failed.append(error)
        raise


def _write_parquet(tables: Iterable[pa.Table], path: Path, geometry_type: str) -> None:
    """Write GeoParquet 1.1; its header is the last thing written."""
    import pyarrow.parquet as pq
    import shapely

    schema, batches = _batches(tables, geometry_type)
    bounds = np.array([np.inf, np.inf, -np.inf, -np.inf])
    kinds: set[str] = set()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            shapes = shapely.from_wkb(
                batch.column("geometry").to_numpy(zero_copy_only=False)
            )
            if len(shapes):
                here = shapely.total_bounds(shapes)
                bounds[:2] = np.minimum(bounds[:2], here[:2])
                bounds[2:] = np.maximum(bounds[2:], here[2:])
                kinds |= {
                    _PARQUET_TYPES[int(k)]
                    for k in np.unique(shapely.get_type_id(shapes))
                }
            writer.write_batch(batch)
        column: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": sorted(kinds),
        }
        if np.isfinite(bounds).all():
            column["bbox"] = bounds.tolist()
        header = {
            "version": "1.1.0",
            "primary_column": "geometry",
            "columns": {"geometry": column},
        }
        writer.add_key_value_metadata({"geo": json.dumps(header)})


_PARQUET_TYPES = {
    0: "Point",
    1: "LineString",
    3: "Polygon",
    4: "MultiPoint",
    5: "MultiLineString",
    6: "MultiPolygon",
}


def _batches(
    tables: Iterable[pa.Table], geometry_type: str
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return the schema of the rows, and the rows with geometry of one type."""
    import pyarrow as pa

    rows = iter(tables)
    first = next(rows)
    fields = list(first.schema)
    fields[-1] = pa.field("geometry", pa.binary(), metadata=LONLAT_WKB)
    schema = pa.schema(fields)

    def typed() -> Iterator[pa.RecordBatch]:
        for table in chain([first], rows):
            yield from _typed(table, schema, geometry_type)

    return schema, typed()


def _typed(
    table: pa.Table, schema: pa.Schema, geometry_type: str
) -> Iterator[pa.RecordBatch]:
    """Batches of a table in the schema of the file."""
    import pyarrow as pa

    geometry = table.column("geometry").combine_chunks()
    if isinstance(geometry, pa.ChunkedArray):
        geometry = (
            geometry.chunk(0) if geometry.num_chunks else pa.array([], pa.binary())
        )
    if geometry_type.startswith("Multi"):
        geometry = _multiple(geometry, geometry_type)
    table = table.set_column(table.num_columns - 1, schema.field("geometry"), geometry)
    yield from table.cast(schema).to_batches()


def _multiple(geometry: pa.Array, geometry_type: str) -> pa.Array:
    """Make single geometries multiple ones of one part."""
    import pyarrow as pa
    import shapely

    shapes = shapely.from_wkb(geometry.to_numpy(zero_copy_only=False))
    kinds: dict[str, tuple[int, Any]] = {
        "MultiPoint": (0, shapely.multipoints),
        "MultiLineString": (1, shapely.multilinestrings),
        "MultiPolygon": (3, shapely.multipolygons),
    }
    kind, make = kinds[geometry_type]
    single = np.flatnonzero(shapely.get_type_id(shapes) == kind)
    if len(single):
        shapes[single] = make(shapes[single], indices=np.arange(len(single)))
    return pa.array(shapely.to_wkb(shapes, flavor="iso", byte_order=1), pa.binary())

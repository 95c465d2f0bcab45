"""Files that GDAL writes, a batch of rows at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layers.errors import WriteError
from layers.export.sheet_rows import one_array
from layers.export.values import BATCH
from layers.export.wkb import wkb_array

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from layers.export.parts import Steps

_PLACE = "geometry"


def write_gdal(
    path: Path,
    columns: Mapping[str, pa.ChunkedArray],
    shapes: np.ndarray,
    *,
    driver: str,
    options: Mapping[str, str],
    kind: str,
    steps: Steps,
) -> None:
    """Write rows with one of GDAL's drivers.

    Parameters
    ----------
    path
        A new file.
    columns
        Columns by name, in types that the driver knows.
    shapes
        Geometries in EPSG:4326, shape ``(n,)``.
    driver
        Name of the driver.
    options
        Its options for a layer.
    kind
        Kind of geometry, ``"Unknown"`` for several.
    steps
        Counts the rows.

    Raises
    ------
    WriteError
        If GDAL refuses.
    """
    import pyarrow as pa
    from pyogrio.errors import DataLayerError, DataSourceError
    from pyogrio.raw import write_arrow

    place = _PLACE
    while place in columns:
        place += "_"
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    schema = pa.schema([*fields, pa.field(place, pa.large_binary())])

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(shapes), BATCH):
            part = shapes[start : start + BATCH]
            wkb = wkb_array(part)
            cells = [one_array(c.slice(start, BATCH)) for c in columns.values()]
            yield pa.record_batch([*cells, wkb], schema=schema)
            steps.add(len(part))

    try:
        write_arrow(
            pa.RecordBatchReader.from_batches(schema, batches()),
            path,
            driver=driver,
            geometry_name=place,
            geometry_type=kind,
            crs="EPSG:4326",
            layer_options=dict(options),
        )
    except (DataSourceError, DataLayerError, RuntimeError) as error:
        raise WriteError(
            f"cannot write {path.name}: {' '.join(str(error).split())[:160]}"
        ) from error


def kinds_of(shapes: np.ndarray) -> set[str]:
    """Find which kinds of geometry there are.

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``.

    Returns
    -------
    set of str
        Of those that are neither missing nor empty.
    """
    import shapely

    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    return {_KINDS[kind] for kind in np.unique(shapely.get_type_id(there)).tolist()}


_KINDS = (
    *("Point", "LineString", "LineString", "Polygon"),
    *("MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"),
)
"""Kinds of geometry by their number in shapely; a ring is a line."""

"""Layers written as datasets of GeoParquet whose files each hold one neighbourhood.

Rows are ordered along a Hilbert curve, so that files and row groups cover little ground
and a join has to look at few of them. The files are GeoParquet 1.1 with a covering
column, which any reader of the format can use.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.crs import require_lonlat
from geo.datasets import geoparquet, storage
from geo.datasets.dataset import WRITTEN_KEY, Dataset, files_of, open_dataset
from geo.datasets.labels import hashed, require_unique
from geo.errors import ColumnError, GeometryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import geopandas as gpd
    import pyarrow as pa
    from numpy.typing import NDArray

    from geo.parallel import Progress

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

BATCH_ROWS = 65_536
"""How many rows of a source are looked at together."""

_MOST_OPEN = 128
"""How many files the second pass over a source fills at a time."""


def partition(
    source: gpd.GeoDataFrame | str | os.PathLike[str] | Iterable[Any],
    directory: str | os.PathLike[str],
    *,
    rows: int = 100_000,
    progress: Progress | None = None,
) -> Dataset:
    """Write a layer as a dataset of files that each cover little ground.

    Parameters
    ----------
    source
        A layer in EPSG:4326, shape ``(n,)``; or a path or several: GeoParquet, or
        anything that GDAL reads. Several are taken as one layer, in the order given.
        The index that GeoParquet files keep becomes that of the dataset; otherwise
        rows are numbered from 0 in the order of the source.
    directory
        Where the dataset shall be: a local path, or a URL that :mod:`fsspec` knows.
        Must not exist, or be empty.
    rows
        How many rows a file has at the most.
    progress
        Called with the rows written and ``n``.

    Returns
    -------
    Dataset
        The dataset as opened from its files, ``part-00000.parquet`` and on.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If the source is not in EPSG:4326, or a geometry is missing, empty or not
        finite. Whether polygons are valid is left to the join that reads them.
    ColumnError
        If a label of the index stands twice in the whole layer, files differ in their
        columns, or a column is called ``bbox``.
    FileExistsError
        If there is something in the directory.
    FileNotFoundError
        If there is no source.

    Notes
    -----
    Order: the distance along a Hilbert curve over the layer's bounds, 65,536 cells a
    side, of the middle of each geometry's bounds; rows of one cell stay in their
    order. Row groups have 8,192 rows and are compressed with zstd.

    Held in memory for a source on disk: about 80 bytes a row (its middle, its rank, a
    hash of its label), a batch of 65,536 rows, and the rows of one file, or a 128th of
    the layer if that is more. The source is read twice and written once to the
    system's temporary directory (``TMPDIR``).

    On a disk the dataset is made beside its place and renamed when complete. In an
    object store the files appear one by one; :func:`geo.datasets.dataset.open_dataset`
    refuses a directory in which some are missing.

    Examples
    --------
    >>> import geopandas as gpd, tempfile
    >>> mines = gpd.GeoDataFrame(geometry=gpd.points_from_xy([9, 1], [9, 1]), crs=4326)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     written = partition(mines, folder + "/mines", rows=1)
    ...     written.counts.tolist(), written.read().index.tolist()
    ([1, 1], [1, 0])
    """
    if rows < 1:
        raise GeometryError(f"rows is {rows}; expected 1 or more")
    target = storage.normal(directory)
    if storage.is_file(target) or storage.listed(target):
        raise FileExistsError(
            f"{target} is not empty; name another directory, or remove it first"
        )
    layer = _source(source)
    middles, labels = _survey(layer)
    order = np.argsort(_hilbert(middles), kind="stable")
    require_unique(labels, lambda: map(_labels, layer.batches()), "source")
    del middles, labels
    n, parts = len(order), max(-(-len(order) // rows), 1)
    stamp = {WRITTEN_KEY: f"{uuid.uuid4().hex} {parts}".encode()}
    width = max(5, len(str(parts - 1)))
    with _appearing(target) as folder:
        for number, table in enumerate(layer.sorted(order, rows, parts)):
            path = storage.join(folder, f"part-{number:0{width}d}.parquet")
            metadata = {**(table.schema.metadata or {}), **stamp}
            with storage.appearing(path) as local:
                geoparquet.write(table.replace_schema_metadata(metadata), local)
            if progress:
                progress(min((number + 1) * rows, n), n)
    return open_dataset(target)


@dataclass(frozen=True, kw_only=True)
class _Source:
    """Rows that can be gone through twice, and put in another order."""

    batches: Callable[[], Iterator[pa.Table]]
    """The rows in their order, as tables of :mod:`geo.datasets.geoparquet`."""
    sorted: Callable[[Ints, int, int], Iterator[pa.Table]]
    """Tables of so many rows, in an order; at least one. Also told how many tables."""


def _source(source: gpd.GeoDataFrame | str | os.PathLike[str] | Iterable[Any]) -> Any:
    """Make a source of what :func:`partition` was given."""
    import geopandas as gpd

    if isinstance(source, gpd.GeoDataFrame):
        return _of_layer(source)
    given = [source] if isinstance(source, str | os.PathLike) else list(source)
    paths = [storage.normal(path) for path in given]
    if all(p.endswith(".parquet") or _is_dataset(p) for p in paths):
        files = files_of(paths)
        return _on_disk(lambda: _parquet_batches(files))
    return _on_disk(lambda: _gdal_batches(paths))


def _is_dataset(path: str) -> bool:
    """Tell whether a path is a directory of Parquet files."""
    return any(name.endswith(".parquet") for name in storage.listed(path))


def _of_layer(gdf: gpd.GeoDataFrame) -> _Source:
    """Rows of a layer in memory."""
    require_lonlat(gdf, "source")
    schema = _schema(gdf)

    def batches() -> Iterator[pa.Table]:
        for start in range(0, len(gdf), BATCH_ROWS):
            yield geoparquet.table_of(gdf.iloc[start : start + BATCH_ROWS])

    def ordered(order: Ints, rows: int, parts: int) -> Iterator[pa.Table]:
        for part in range(parts):
            chosen = gdf.iloc[order[part * rows : (part + 1) * rows]]
            yield geoparquet.table_of(chosen).cast(schema)

    return _Source(batches=batches, sorted=ordered)


def _schema(gdf: gpd.GeoDataFrame) -> pa.Schema:
    """Columns of a layer, their types seen from all rows and not from some."""
    import pyarrow as pa

    schema = geoparquet.table_of(gdf.iloc[:1]).schema
    plain = gdf.drop(columns=gdf.columns[gdf.dtypes == "geometry"])
    for field in pa.Schema.from_pandas(plain, preserve_index=True):
        place = schema.get_field_index(field.name)
        schema = schema.set(place, schema.field(place).with_type(field.type))
    return schema


def _on_disk(batches: Callable[[], Iterator[pa.Table]]) -> _Source:
    """Rows of files, sorted through files of the system's temporary directory."""

    def ordered(order: Ints, rows: int, parts: int) -> Iterator[pa.Table]:
        import pyarrow as pa

        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        together = -(-parts // _MOST_OPEN)  # parts that one bucket holds
        with tempfile.TemporaryDirectory() as folder:
            buckets = [
                Path(folder) / f"{b}.arrow" for b in range(-(-parts // together))
            ]
            schema = _scatter(batches(), rank, rows * together, buckets)
            for b, bucket in enumerate(buckets):
                if not bucket.exists():
                    yield schema.empty_table()
                    return
                with pa.memory_map(str(bucket)) as file:
                    table = pa.ipc.open_stream(file).read_all()
                place = table.column("__rank").to_numpy()
                table = table.drop_columns("__rank").take(np.argsort(place))
                for start in range(0, len(table), rows):
                    yield table.slice(start, rows)
                del table, b
                bucket.unlink()

    return _Source(batches=batches, sorted=ordered)


def _scatter(
    batches: Iterator[pa.Table], rank: Ints, rows: int, buckets: Sequence[Path]
) -> pa.Schema:
    """Write each row to the bucket of its rank, with the rank; tell the schema."""
    import pyarrow as pa

    start, schema = 0, None
    with ExitStack() as stack:
        streams: dict[int, Any] = {}
        for table in batches:
            schema = table.schema
            here = rank[start : start + len(table)]
            start += len(table)
            ranked = table.append_column("__rank", pa.array(here))
            order = np.argsort(here, kind="stable")
            bucket = here[order] // rows
            for b in np.unique(bucket).tolist():
                chosen = ranked.take(order[bucket == b])
                if b not in streams:
                    options = pa.ipc.IpcWriteOptions(compression="lz4")
                    stream = pa.ipc.new_stream(
                        str(buckets[b]), ranked.schema, options=options
                    )
                    streams[b] = stack.enter_context(closing(stream))
                streams[b].write_table(chosen)
    if schema is None:
        raise GeometryError("the source holds no table at all; expected a layer")
    return schema


def _parquet_batches(files: Sequence[str]) -> Iterator[pa.Table]:
    """Rows of GeoParquet files, with their index, or numbered."""
    import pyarrow.parquet as pq

    first, start = None, 0
    for path in files:
        with storage.opened(path) as handle, pq.ParquetFile(handle) as file:
            geo = geoparquet.checked_geo(
                (file.metadata.metadata or {}).get(b"geo"), path
            )
            covering = geoparquet.covering_of(geo) or {"xmin": [""]}
            names = [n for n in file.schema_arrow.names if n != covering["xmin"][0]]
            plain = {"primary_column": geo["primary_column"], "columns": {}}
            for name, column in geo["columns"].items():
                kept = {k: column[k] for k in ("encoding", "crs") if k in column}
                plain["columns"][name] = kept
            for batch in _tables(file, names):
                table = geoparquet.with_geo(batch, plain)
                if not geoparquet.index_columns(table.schema):
                    table = _numbered(table, start)
                first = first or table.schema
                if table.schema.remove_metadata() != first.remove_metadata():
                    raise ColumnError(
                        f"{path} has other columns than {files[0]}; expected the same "
                        "names and types in the same order"
                    )
                start += len(table)
                yield table.replace_schema_metadata(first.metadata)


def _tables(file: Any, names: list[str]) -> Iterator[pa.Table]:
    """Batches of rows of a Parquet file, at least one."""
    import pyarrow as pa

    empty = True
    for batch in file.iter_batches(batch_size=BATCH_ROWS, columns=names):
        empty = False
        yield pa.Table.from_batches([batch]).select(names)
    if empty:
        schema = file.schema_arrow
        fields = [schema.field(n) for n in names]
        yield pa.schema(fields, metadata=schema.metadata).empty_table()


def _gdal_batches(paths: Sequence[str]) -> Iterator[pa.Table]:
    """Rows of files that GDAL reads, numbered through all of them."""
    import pyarrow as pa
    from pyogrio.raw import open_arrow
    from pyproj import CRS

    first, start = None, 0
    for path in paths:
        with open_arrow(path, batch_size=BATCH_ROWS, use_pyarrow=True) as (meta, found):
            geoparquet.require_lonlat_file(meta["crs"], path)
            name = meta["geometry_name"] or "wkb_geometry"
            crs = CRS.from_user_input(meta["crs"]).to_json_dict()
            columns = {"geometry": {"encoding": "WKB", "crs": crs}}
            fields = [*(n for n in found.schema.names if n != name), name]
            for batch in (*found, pa.RecordBatch.from_pylist([], found.schema)):
                table = pa.Table.from_batches([batch]).select(fields)
                table = table.rename_columns([*fields[:-1], "geometry"])
                place = len(fields) - 1
                shapes = table.column(place).cast(pa.binary())
                table = table.set_column(place, "geometry", shapes)
                table = geoparquet.with_geo(
                    _numbered(table.replace_schema_metadata(None), start),
                    {"primary_column": "geometry", "columns": columns},
                )
                first = first or table.schema
                if table.schema.remove_metadata() != first.remove_metadata():
                    raise ColumnError(
                        f"{path} has other columns than {paths[0]}; expected the same "
                        "names and types in the same order"
                    )
                start += len(table)
                yield table.replace_schema_metadata(first.metadata)


def _numbered(table: pa.Table, start: int) -> pa.Table:
    """Give a table the positions of its rows for an index."""
    import pyarrow as pa

    name = "__index_level_0__"
    labels = pa.array(np.arange(start, start + len(table)))
    known = table.schema.metadata or {}
    empty = table.slice(0, 0).to_pandas().set_index(np.empty(0, dtype=np.int64))
    pandas = pa.Schema.from_pandas(empty, preserve_index=True).metadata[b"pandas"]
    numbered = table.append_column(name, labels)
    return numbered.replace_schema_metadata({**known, b"pandas": pandas})


def _survey(source: _Source) -> tuple[Floats, NDArray[np.uint64]]:
    """Check all rows; middle and hash of the label of each."""
    middles, labels = [np.empty((0, 2))], [np.empty(0, dtype=np.uint64)]
    for table in source.batches():
        keys = _labels(table)
        geo = geoparquet.geo_of(table.schema)
        gdf = geoparquet.frame(
            table.select([*keys.column_names, geo["primary_column"]])
        )
        require_lonlat(gdf, "source")
        bounds = gdf.geometry.bounds.to_numpy()
        middles.append((bounds[:, :2] + bounds[:, 2:]) / 2)
        labels.append(hashed(keys))
    return np.concatenate(middles), np.concatenate(labels)


def _labels(table: pa.Table) -> pa.Table:
    """Columns of the index."""
    return table.select(geoparquet.index_columns(table.schema))


def _hilbert(middles: Floats) -> NDArray[np.uint32]:
    """Distance of places along a Hilbert curve over their bounds, shape ``(n,)``."""
    import geopandas as gpd

    if not len(middles):
        return np.empty(0, dtype=np.uint32)
    bounds = [*middles.min(axis=0), *middles.max(axis=0)]
    return np.concatenate(
        [
            gpd.GeoSeries.from_xy(*middles[start : start + BATCH_ROWS].T)
            .hilbert_distance(total_bounds=bounds)
            .to_numpy(dtype=np.uint32)
            for start in range(0, len(middles), BATCH_ROWS)
        ]
    )


@contextmanager
def _appearing(target: str) -> Iterator[str]:
    """Directory to write to, renamed to its place when all went well."""
    if "://" in target:
        yield target
        return
    place = Path(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(
        prefix=storage.TEMPORARY, dir=place.parent
    ) as folder:
        made = Path(folder) / "dataset"
        made.mkdir()
        yield str(made)
        if place.is_dir():
            place.rmdir()
        made.rename(place)

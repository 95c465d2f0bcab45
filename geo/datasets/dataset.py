"""A dataset of GeoParquet files, known from its footers alone.

What a join needs to plan its work stands in the footers: how many rows each row group
has, the box round its geometries, how uncertain its places are at the most. No row is
read before it is needed.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.datasets import storage
from geo.datasets.geoparquet import (
    checked_geo,
    covering_of,
    frame,
    geo_of,
    index_columns,
    with_geo,
)
from geo.datasets.labels import hashed, require_unique
from geo.errors import ColumnError, GeometryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import geopandas as gpd
    import pyarrow as pa
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

UNCERTAINTIES = ("uncertainty_m", "boundary_uncertainty_m")
"""Columns that say how far a place may be off. [m]"""

WRITTEN_KEY = b"written_together"
"""Key in a file's metadata: a name that all files of one dataset share, whose labels
were compared, and how many files they are."""

_LOOKS = 16
"""How many footers are read at a time: a store far away answers each slowly."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Groups:
    """Row groups of a dataset, in its order; arrays of shape ``(g,)``."""

    part: Ints
    """Which file each is in."""
    place: Ints
    """Which row group of that file it is."""
    rows: Ints
    """How many rows it has."""
    size: Ints
    """Size of its columns, decoded but for dictionaries. [bytes]"""
    box: Floats
    """West, south, east, north of its geometries, shape ``(g, 4)``. [degrees]"""
    slack_m: Floats
    """The largest sum of uncertainties that a row of it may have. [m]"""

    def __len__(self) -> int:
        """Count the row groups."""
        return len(self.part)

    def take(self, chosen: Ints | NDArray[np.bool_]) -> Groups:
        """Row groups by position.

        Parameters
        ----------
        chosen
            Positions, or a mask of shape ``(g,)``.

        Returns
        -------
        Groups
            Those, in the order given.
        """
        names = ("part", "place", "rows", "size", "box", "slack_m")
        return Groups(**{name: getattr(self, name)[chosen] for name in names})


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Files of GeoParquet in EPSG:4326 that hold one layer together.

    Its rows are those of the files one after the other; nothing is read until
    :meth:`read` is called.
    """

    paths: tuple[str, ...]
    """Files, in order: absolute paths or URLs."""
    schema: pa.Schema
    """Columns, with the metadata of the first file."""
    groups: Groups
    """Row groups of all files."""
    labelled: bool
    """Whether the files keep an index; else rows are numbered through the dataset."""
    checked: bool
    """Whether the labels of the index are known to be unique."""

    @property
    def counts(self) -> Ints:
        """Rows of each file, shape ``(f,)``."""
        counts = np.bincount(self.groups.part, self.groups.rows, len(self.paths))
        return counts.astype(np.intp)

    @property
    def offsets(self) -> Ints:
        """Position of each file's first row in the dataset, shape ``(f + 1,)``."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.intp)

    @property
    def extents(self) -> Floats:
        """Box of each file: west, south, east, north; NaN if empty. [degrees]."""
        low = np.full((len(self.paths), 2), np.inf)
        high = np.full((len(self.paths), 2), -np.inf)
        np.minimum.at(low, self.groups.part, self.groups.box[:, :2])
        np.maximum.at(high, self.groups.part, self.groups.box[:, 2:])
        out: Floats = np.column_stack([low, high])
        out[np.isinf(out)] = np.nan
        return out

    @property
    def geometry(self) -> str:
        """Name of the geometry column."""
        return str(geo_of(self.schema)["primary_column"])

    def __len__(self) -> int:
        """Count the rows."""
        return int(self.groups.rows.sum())

    def part(self, number: int) -> Groups:
        """Row groups of one file.

        Parameters
        ----------
        number
            Position of the file in ``paths``.

        Returns
        -------
        Groups
            In the order of the file.
        """
        return self.groups.take(np.flatnonzero(self.groups.part == number))

    def read(
        self, groups: Groups | None = None, *, columns: Sequence[str] | None = None
    ) -> gpd.GeoDataFrame:
        """Read rows.

        Parameters
        ----------
        groups
            Row groups to read; all by default.
        columns
            Columns to read besides geometry and index; all by default.

        Returns
        -------
        geopandas.GeoDataFrame
            In EPSG:4326, with the index that the files keep, or else with positions
            in the dataset for an index.

        Raises
        ------
        FileNotFoundError
            If a file is not there, as seen from the process that reads.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        groups = self.groups if groups is None else groups
        names = self._names(columns)
        schema = pa.schema([self.schema.field(n) for n in names], self.schema.metadata)
        tables, labels = [], []
        starts = self._starts() if not self.labelled else {}
        for part in np.unique(groups.part):
            here = groups.take(np.flatnonzero(groups.part == part))
            with _found(self.paths[part]) as source, pq.ParquetFile(source) as file:
                table = file.read_row_groups(here.place.tolist(), columns=names)
            tables.append(table.select(names).cast(schema))
            if not self.labelled:
                labels += [
                    np.arange(rows) + starts[int(part), int(place)]
                    for place, rows in zip(here.place, here.rows, strict=True)
                ]
        table = pa.concat_tables(tables) if tables else schema.empty_table()
        del tables
        gdf = frame(table)
        if not self.labelled:
            gdf.index = np.concatenate([*labels, np.empty(0, dtype=np.int64)])
        return gdf

    def require_unique_labels(self, name: str) -> None:
        """Refuse a dataset with a label that stands twice.

        Parameters
        ----------
        name
            What to call the dataset in a message.

        Raises
        ------
        ColumnError
            Naming the label.

        Notes
        -----
        Nothing is read of files that :func:`geo.datasets.partitions.partition` wrote,
        which compared the labels. Of others the columns of the index are, 8 bytes a row
        are held.
        """
        if self.checked:
            return
        hashes = [hashed(table) for table in self._labels()]
        require_unique(np.concatenate(hashes), self._labels, name)

    def _labels(self) -> Iterator[pa.Table]:
        """Columns of the index, file by file."""
        import pyarrow.parquet as pq

        keys = index_columns(self.schema)
        for path in self.paths:
            with _found(path) as source, pq.ParquetFile(source) as file:
                yield file.read(columns=keys).select(keys)

    def _names(self, columns: Sequence[str] | None) -> list[str]:
        """Columns of the files to read: those asked for, the geometry, the index."""
        covering = covering_of(geo_of(self.schema))
        box = covering["xmin"][0] if covering else None
        names = [n for n in self.schema.names if n != box]
        if columns is None:
            return names
        wanted = {*columns, self.geometry, *index_columns(self.schema)}
        return [n for n in names if n in wanted]

    def _starts(self) -> dict[tuple[int, int], int]:
        """Position in the dataset of the first row of each row group."""
        first = np.cumsum(self.groups.rows) - self.groups.rows
        keys = zip(self.groups.part.tolist(), self.groups.place.tolist(), strict=True)
        return dict(zip(keys, first.tolist(), strict=True))


def open_dataset(source: str | os.PathLike[str] | Iterable[Any]) -> Dataset:
    """Open a dataset of GeoParquet files by its footers.

    Parameters
    ----------
    source
        A directory, a file, or several files in the order wanted; local paths, or
        URLs that :mod:`fsspec` knows. In a directory every ``*.parquet`` counts, by
        name, but those that begin with ``.`` or ``_``.

    Returns
    -------
    Dataset
        Its files, row counts and extents. No row has been read, but for the column of
        an uncertainty that keeps no statistics.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    GeometryError
        If a file is no GeoParquet, or says nothing of where its geometries are.
    CRSMissingError, CRSMismatchError
        If a file is not in EPSG:4326.
    ColumnError
        If the files differ in their columns.

    Notes
    -----
    The box of a row group comes from the statistics of the covering (``bbox``) column;
    where a file has none, from the ``bbox`` of its metadata, the same for all of its
    row groups. :func:`geo.datasets.partitions.partition` writes both.
    """
    paths = files_of(source)
    with ThreadPoolExecutor(_LOOKS) as pool:
        looks = list(pool.map(_look, range(len(paths)), paths))
    first, _, _, geo = looks[0]
    for path, (arrow, _, _, _) in zip(paths, looks, strict=True):
        if arrow.remove_metadata() != first.remove_metadata():
            raise ColumnError(
                f"{path} has other columns than {paths[0]}; expected the same names "
                "and types in the same order. Write the dataset anew with "
                "geo.datasets.partitions.partition"
            )
    labelled = bool(index_columns(first))
    checks = {together for _, _, together, _ in looks}
    together = checks.pop() if len(checks) == 1 else None
    if together is not None and isinstance(source, str | os.PathLike):
        of = int(together.split()[1])
        if len(paths) not in {1, of}:
            raise GeometryError(
                f"{os.fspath(source)} holds {len(paths)} of {of} files that were "
                "written together; write it anew, or name the files you mean"
            )
    return Dataset(
        paths=tuple(paths),
        schema=with_geo(first, geo),
        groups=_stack([row for _, rows, _, _ in looks for row in rows]),
        labelled=labelled,
        checked=not labelled or together is not None,
    )


def files_of(source: str | os.PathLike[str] | Iterable[Any]) -> list[str]:
    """Name the files that a source means.

    Parameters
    ----------
    source
        A directory, a file or several files.

    Returns
    -------
    list of str
        Absolute paths or URLs.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    if not isinstance(source, str | os.PathLike):
        return [path for one in source for path in files_of(one)]
    path = storage.normal(source)
    if storage.is_file(path):
        return [path]
    names = [n for n in storage.listed(path) if n.endswith(".parquet")]
    found = [storage.join(path, n) for n in names if n[0] not in "._"]
    if not found:
        raise FileNotFoundError(
            f"{path}: no such file, and no *.parquet in it. Every worker must see the "
            "files under the same path: a shared disk, or an object store (s3://…)"
        )
    return found


def _found(path: str) -> Any:
    """Open a file, with an error that says who must see it."""
    try:
        return storage.opened(path)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path}: no such file, seen from this process. Every worker must see the "
            "files under the same path: a shared disk, or an object store (s3://…)"
        ) from None


def _look(
    number: int, path: str
) -> tuple[pa.Schema, list[tuple[Any, ...]], bytes | None, dict[str, Any]]:
    """Columns, row groups, name of the dataset and GeoParquet metadata of a file."""
    import pyarrow.parquet as pq

    with _found(path) as handle, pq.ParquetFile(handle) as file:
        metadata = file.metadata.metadata or {}
        geo = checked_geo(metadata.get(b"geo"), path)
        rows = _describe(file, number, path, geo)
        return file.schema_arrow, rows, metadata.get(WRITTEN_KEY), geo


def _describe(
    file: Any, part: int, path: str, geo: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Rows of :class:`Groups` for one file."""
    footer = file.metadata
    column = geo["columns"][geo["primary_column"]]
    paths = [footer.schema.column(c).path for c in range(footer.num_columns)]
    whole = _box(column.get("bbox"))
    out = []
    for place in range(footer.num_row_groups):
        group = footer.row_group(place)
        if not group.num_rows:
            continue
        covered = _covered(group, paths, column)
        box = whole if covered is None else covered
        if box is None:
            raise GeometryError(
                f"{path} says nowhere where its geometries are (neither a 'bbox' in "
                "its metadata nor statistics of a covering column). Write it anew "
                "with geo.datasets.partitions.partition"
            )
        slack = sum(_largest(file, place, paths, name) for name in UNCERTAINTIES)
        size = sum(group.column(c).total_uncompressed_size for c in range(len(paths)))
        out.append((part, place, group.num_rows, size, box, slack))
    return out


def _covered(
    group: Any, paths: list[str], column: dict[str, Any]
) -> tuple[float, ...] | None:
    """Box of a row group by the statistics of its covering column."""
    covering = column.get("covering", {}).get("bbox")
    if covering is None:
        return None
    box = []
    for name, side in zip(
        ("xmin", "ymin", "xmax", "ymax"), ("min", "min", "max", "max"), strict=True
    ):
        at = ".".join(covering[name])
        stats = group.column(paths.index(at)).statistics if at in paths else None
        if stats is None or not stats.has_min_max:
            return None
        value = float(getattr(stats, side))
        if group.column(paths.index(at)).physical_type == "FLOAT":
            away = -np.inf if side == "min" else np.inf
            value = float(np.nextafter(np.float32(value), np.float32(away)))
        box.append(value)
    return _box(box)


def _box(bbox: Sequence[float] | None) -> tuple[float, ...] | None:
    """West, south, east, north; the whole circle where it crosses the antimeridian."""
    if bbox is None:
        return None
    half = len(bbox) // 2  # with heights there are six numbers
    west, south, east, north = bbox[0], bbox[1], bbox[half], bbox[half + 1]
    if not np.isfinite([west, south, east, north]).all():
        return None
    if west > east:
        west, east = -180.0, 180.0
    return float(west), float(south), float(east), float(north)


def _largest(file: Any, place: int, paths: list[str], name: str) -> float:
    """Largest value of an uncertainty in a row group; 0 where there is none. [m]."""
    if name not in paths:
        return 0.0
    stats = file.metadata.row_group(place).column(paths.index(name)).statistics
    if stats is not None and stats.has_min_max:
        return max(float(stats.max), 0.0)
    if stats is not None and stats.num_values == 0:  # nothing but missing values
        return 0.0
    column = file.read_row_group(place, columns=[name]).column(0)
    values = column.to_numpy(zero_copy_only=False).astype(np.float64)
    return float(np.nanmax(values, initial=0.0))


def _stack(rows: list[tuple[Any, ...]]) -> Groups:
    """Arrays of what :func:`_describe` found."""
    part, place, count, size, box, slack = zip(*rows, strict=True) if rows else [()] * 6
    return Groups(
        part=np.array(part, dtype=np.intp),
        place=np.array(place, dtype=np.intp),
        rows=np.array(count, dtype=np.intp),
        size=np.array(size, dtype=np.intp),
        box=np.array(box, dtype=np.float64).reshape(-1, 4),
        slack_m=np.array(slack, dtype=np.float64),
    )

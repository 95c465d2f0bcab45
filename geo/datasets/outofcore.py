"""A join of datasets, one file of the left one after the other, in bounded memory.

The joins themselves are those of :mod:`geo.joins`, unchanged: here it is only decided
which rows they get to see. Every row of left meets every row of right that could be in
its answer, so the answer is that of the join over all rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.datasets import geoparquet, storage
from geo.datasets.dataset import UNCERTAINTIES
from geo.datasets.extents import bent_boxes, gap_m
from geo.errors import ColumnError, GeometryError
from geo.matches import label_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import pyarrow as pa
    from numpy.typing import NDArray

    from geo.datasets.dataset import Dataset, Groups

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_BLOCKS = 64
"""As how many boxes, at the most, some rows of left are looked at: each some of those
that follow each other, so neighbours in a dataset."""

_MARGIN_M = 0.01
"""Added to every reach, for what rounding and the tolerance of distances take. [m]"""

_SAMPLE_ROWS = 32
"""Rows of left from which it is told how many matches there will be."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """A join of two datasets."""

    name: str
    """Name of the function of :mod:`geo.joins`."""
    options: dict[str, Any]
    """Its keyword arguments, but for ``how``."""
    how: str
    """``inner`` or ``left``."""
    left: Dataset
    right: Dataset
    schema: pa.Schema
    """Of the result, as :func:`result_schema` gives it."""
    output: str
    """Directory of the result."""


def join_part(job: Job, number: int, memory: int) -> int:
    """Join one file of left and write the result.

    Parameters
    ----------
    job
        The join.
    number
        Which file of left.
    memory
        How much the rows in memory may take: a quarter for rows of left, a half for
        rows of right, a quarter for matches. [bytes]

    Returns
    -------
    int
        Rows of the result.

    Raises
    ------
    GeometryError
        If a row group alone takes more than its share of the memory.
    GeoError
        As the join itself.

    Notes
    -----
    Rows of left that need more of right than the memory holds are halved until they
    do not; within, intersects and within_distance also take right in several goes. A
    single row is joined whatever it needs: its matches, and for nearest the rows of
    right that could be nearest, are then held together.
    """
    groups, rows = job.left.part(number), 0
    path = storage.join(job.output, part_name(number))
    with storage.appearing(path) as local:
        box = _around(groups.box) if len(groups) else np.full(4, np.nan)
        writer = geoparquet.Writer(local, job.schema, box)
        try:
            for pack in _packs(job.left, groups, memory // 4):
                for table in _joined(job, job.left.read(pack), memory):
                    writer.write(table)
                    rows += len(table)
                    release()
        finally:
            writer.close()
    return rows


def part_name(number: int) -> str:
    """Name of a file of a result.

    Parameters
    ----------
    number
        Position of the file of left.

    Returns
    -------
    str
        ``part-`` and the number.
    """
    return f"part-{number:06d}.parquet"


def result_schema(
    joined: gpd.GeoDataFrame, left: Dataset, right: Dataset, suffixes: tuple[str, str]
) -> pa.Schema:
    """Columns of a result, the same for each of its files.

    Parameters
    ----------
    joined
        The join of no rows of left and no rows of right.
    left, right
        What is joined; their columns keep their types.
    suffixes
        What a name that both have gets on the left and on the right.

    Returns
    -------
    pyarrow.Schema
        With the metadata of pandas and of GeoParquet.

    Raises
    ------
    ColumnError
        If the index of left has the name of a column.
    """
    import pyarrow as pa

    keys = geoparquet.index_columns(right.schema)
    labels = dict(zip(keys, label_columns(suffixes[1], len(keys)), strict=True))
    hidden = set(joined.index.names) & set(joined.columns)
    if hidden:
        raise ColumnError(
            f"the index of left and a column are both called {hidden.pop()!r}; rename "
            "one, since both become columns of the result"
        )
    kept = {*joined.columns, *joined.index.names}
    types = {} if keys else {label_columns(suffixes[1], 1)[0]: pa.int64()}
    for data, other, suffix in zip(
        (right, left), (left, right), suffixes[::-1], strict=True
    ):
        for field in data.schema:
            if data is right and field.name in labels:
                types[labels[field.name]] = field.type
                continue
            types[field.name] = field.type
            if field.name in other.schema.names and field.name not in kept:
                types[f"{field.name}_{suffix}"] = field.type
    schema = geoparquet.table_of(joined).schema
    for place, field in enumerate(schema):
        kind = types.get(field.name, field.type)
        kind = pa.string() if pa.types.is_null(kind) else kind
        schema = schema.set(place, pa.field(field.name, kind))
    return schema


def _joined(job: Job, left: gpd.GeoDataFrame, memory: int) -> Iterator[pa.Table]:
    """Results for some rows of left, in their order."""
    join = _nearest if job.name == "nearest" else _matches
    table = join(job, left, memory)
    if table is not None:
        yield table
        return
    for half in (left.iloc[: len(left) // 2], left.iloc[len(left) // 2 :]):
        yield from _joined(job, half, memory)


def _matches(job: Job, left: gpd.GeoDataFrame, memory: int) -> pa.Table | None:
    """Find matches within a known reach; None if they are too many to hold."""
    import pyarrow as pa

    blocks = _blocks(job, left)
    reach_m = float(job.options.get("distance_m", 0.0)) + _MARGIN_M
    reach = blocks.slack_m[:, None] + job.right.groups.slack_m + reach_m
    needed = (gap_m(blocks.box, _boxes(job)) <= reach).any(axis=0)
    groups = job.right.groups.take(np.flatnonzero(needed))
    tables, rows = [], []
    for pack in _packs(job.right, groups, memory // 2):
        right = job.right.read(pack)
        if job.name == "within_distance" and len(left) > 2 * _SAMPLE_ROWS:
            some = left.iloc[:: len(left) // _SAMPLE_ROWS]
            expected = len(call(job, some, right)) / len(some) * len(left)
            if expected * _row_bytes(job.schema) > memory // 4:
                return None
        joined = call(job, left, right)
        rows.append(left.index.get_indexer(joined.index))
        tables.append(_as_table(joined, job.schema))
        held = sum(table.nbytes + 400 * len(table) for table in tables)
        if held > memory // 4 and len(left) > 1:
            return None
    none = job.schema.empty_table()
    return _ordered(job, left, pa.concat_tables([none, *tables]), rows)


def _nearest(job: Job, left: gpd.GeoDataFrame, memory: int) -> pa.Table | None:
    """Find the nearest of each row; None if that needs too much of right to hold.

    The k-th distance found among some rows of right bounds the k-th distance among
    all of them. So after one look at the closest row groups it is known how far each
    block of left has to reach, and what lies within that reach certifies the answer.
    """
    blocks, groups = _blocks(job, left), job.right.groups
    k = int(job.options.get("k", 1))
    cap = job.options.get("max_distance_m")
    cap = np.inf if cap is None else float(cap)
    gaps = gap_m(blocks.box, _boxes(job))
    chosen = _first_look(gaps, groups.rows, k, cap)
    uncertain = bool(blocks.slack_m.any() or groups.slack_m.any())
    split = len(left) > 1

    def too_much(mask: Bools) -> bool:
        return split and held_bytes(groups.take(mask)).sum() > memory // 2

    if too_much(chosen):
        return None
    right = job.right.read(groups.take(np.flatnonzero(chosen)))
    joined = call(job, _sharp(left), _sharp(right)) if uncertain else None
    joined = call(job, left, right) if joined is None else joined
    rows = left.index.get_indexer(joined.index)
    far = np.full(len(left), np.inf)
    full = np.bincount(rows, minlength=len(left)) >= k
    reached = np.zeros(len(left))
    np.maximum.at(reached, rows, joined["distance_m"].to_numpy(dtype=np.float64))
    far[full] = reached[full]
    far = np.minimum(np.maximum.reduceat(far, blocks.starts), cap)
    # A rival may be nearer than the nearest by all that both, and left twice, are off.
    off = 2 * blocks.slack_m + groups.slack_m.max(initial=0.0)
    needed = gaps <= (far + off + _MARGIN_M)[:, None] + groups.slack_m
    wanted = needed.any(axis=0)
    if uncertain or (wanted & ~chosen).any():
        del right, joined
        if too_much(wanted):
            return None
        reach = float((far + off).max(initial=0.0))
        right = _within_reach(job, blocks.box, groups.take(wanted), reach, memory)
        joined = call(job, left, right)
        rows = left.index.get_indexer(joined.index)
    return _ordered(job, left, _as_table(joined, job.schema), [rows])


def _first_look(gaps: Floats, rows: Ints, k: int, cap: float) -> Bools:
    """Choose the closest row groups of each block that have k rows together."""
    if not gaps.shape[1]:
        return np.zeros(0, dtype=bool)
    order = np.argsort(gaps, axis=1, kind="stable")
    enough = np.cumsum(rows[order], axis=1) >= k
    last = np.where(enough.any(axis=1), enough.argmax(axis=1), gaps.shape[1] - 1)
    ranked = np.take_along_axis(gaps, order, axis=1)
    limit = np.minimum(ranked[np.arange(len(gaps)), last], cap + _MARGIN_M)
    chosen: Bools = (gaps <= limit[:, None]).any(axis=0)
    return chosen


def _within_reach(
    job: Job, left: Floats, groups: Groups, reach_m: float, memory: int
) -> gpd.GeoDataFrame:
    """Read rows of right; only those within reach of boxes of left if many."""
    import pandas as pd

    if held_bytes(groups).sum() <= memory // 2:
        return job.right.read(groups)
    box = _around(left)[None]
    kept = [job.right.read(groups.take(np.arange(0)))]
    for pack in _packs(job.right, groups, memory // 4):
        some = job.right.read(pack)
        bounds = _widened(job, some.geometry.bounds.to_numpy())
        slack_m = _slack_m(some) + reach_m + _MARGIN_M
        kept.append(some[gap_m(box, bounds)[0] <= slack_m])
    return pd.concat([part for part in kept if len(part)] or kept)


def call(job: Job, left: gpd.GeoDataFrame, right: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Do the join itself.

    Parameters
    ----------
    job
        Which one, with which options.
    left, right
        Rows of the two sides.

    Returns
    -------
    geopandas.GeoDataFrame
        What the function of :mod:`geo.joins` returns for them.
    """
    from geo import joins

    joined: gpd.GeoDataFrame = getattr(joins, job.name)(left, right, **job.options)
    return joined


_ORDER = {"within": "-probability", "within_distance": "distance_m"}
"""By what a join orders the matches of a row, falling with a minus; then by the row of
right, as they come here. Those of nearest are found together, in their order."""


def _ordered(
    job: Job, left: gpd.GeoDataFrame, table: pa.Table, rows: list[Ints]
) -> pa.Table:
    """Put matches in the order of left, with the rows that have none if asked for."""
    import pyarrow as pa

    i = np.concatenate([*rows, np.empty(0, dtype=np.intp)])
    by = _ORDER.get(job.name)
    keys = [i]
    if by:
        values = table.column(by.lstrip("-")).to_numpy()
        keys.insert(0, -values if by.startswith("-") else values)
    order = np.lexsort(keys)  # stable
    table, i = table.take(order), i[order]
    if job.how == "inner":
        return table
    alone = np.setdiff1d(np.arange(len(left)), i)
    table = pa.concat_tables([table, _unmatched(job, left.iloc[alone])])
    return table.take(np.argsort(np.concatenate([i, alone]), kind="stable"))


def _unmatched(job: Job, left: gpd.GeoDataFrame) -> pa.Table:
    """Rows of left with nothing beside them."""
    import pyarrow as pa

    mine = geoparquet.table_of(left)
    suffix = f"_{job.options.get('lsuffix', 'left')}"
    names = dict(zip(job.schema.names, job.schema.names, strict=True))
    names |= {
        f"{name}{suffix}": name
        for name in mine.column_names
        if name not in names and f"{name}{suffix}" in names
    }
    columns = [
        mine.column(names[field.name]).cast(field.type)
        if names[field.name] in mine.column_names
        else pa.nulls(len(mine), field.type)
        for field in job.schema
    ]
    return pa.table(columns, schema=job.schema)


def _as_table(joined: gpd.GeoDataFrame, schema: pa.Schema) -> pa.Table:
    """Turn the frame of a join into a table of the schema."""
    return geoparquet.table_of(joined).cast(schema)


def _row_bytes(schema: pa.Schema) -> int:
    """About what a match takes while its frame becomes a table. [bytes]."""
    return 300 + 40 * len(schema)


def held_bytes(groups: Groups) -> Ints:
    """About what rows take in memory while they are joined.

    Parameters
    ----------
    groups
        Row groups, shape ``(g,)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(g,)``. Objects and columns of pandas, a few hundred bytes a row, and
        coordinates four times over: as WKB, as a geometry, as edges, in an index.
        [bytes]
    """
    return 400 * groups.rows + 5 * groups.size


def _packs(data: Dataset, groups: Groups, memory: int) -> Iterator[Groups]:
    """Consecutive row groups, as many as the memory holds."""
    held = held_bytes(groups)
    if len(groups) and held.max() > memory:
        largest = int(held.argmax())
        raise GeometryError(
            f"{data.paths[groups.part[largest]]}: a row group of "
            f"{groups.rows[largest]} rows takes about {held[largest] / 1e6:.0f} MB in "
            f"memory, more than the {memory / 1e6:.0f} MB for it. Write the layer anew "
            "with geo.partition, which makes small ones, or give more memory"
        )
    start = 0
    while start < len(groups):
        total = np.cumsum(held[start:])
        stop = start + max(int(np.searchsorted(total, memory, side="right")), 1)
        yield groups.take(np.arange(start, stop))
        start = stop


def release() -> None:
    """Give memory that is free back to the system."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Neighbouring rows of left as boxes; arrays of shape ``(b,)``."""

    starts: Ints
    """First row of each."""
    box: Floats
    """West, south, east, north, shape ``(b, 4)``. [degrees]"""
    slack_m: Floats
    """The largest sum of uncertainties of a row. [m]"""


def _blocks(job: Job, left: gpd.GeoDataFrame) -> Blocks:
    """Boxes round every few rows of left, one row or more."""
    bounds = left.geometry.bounds.to_numpy()
    starts = np.arange(0, len(left), -(-len(left) // _BLOCKS))
    low = np.minimum.reduceat(bounds[:, :2], starts)
    high = np.maximum.reduceat(bounds[:, 2:], starts)
    return Blocks(
        starts=starts,
        box=_widened(job, np.column_stack([low, high])),
        slack_m=np.maximum.reduceat(_slack_m(left), starts),
    )


def _around(boxes: Floats) -> Floats:
    """Box round boxes, shape ``(4,)``. [degrees]."""
    around: Floats = np.concatenate([boxes[:, :2].min(0), boxes[:, 2:].max(0)])
    return around


def _slack_m(gdf: gpd.GeoDataFrame) -> Floats:
    """Sum of the uncertainties of each row, shape ``(n,)``. [m]."""
    import pandas as pd

    total = np.zeros(len(gdf))
    for name in UNCERTAINTIES:
        if name in gdf:
            radii = pd.to_numeric(gdf[name], errors="coerce").to_numpy(dtype=float)
            total += np.nan_to_num(np.maximum(radii, 0.0), nan=0.0, posinf=np.inf)
    return total


def _sharp(gdf: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Only where the places are, without how uncertain."""
    return gdf[[gdf.geometry.name]]


def _boxes(job: Job) -> Floats:
    """Boxes of the row groups of right, shape ``(g, 4)``. [degrees]."""
    return _widened(job, job.right.groups.box)


def _widened(job: Job, box: Floats) -> Floats:
    """Boxes with room for the bend of geodesic edges, where edges are geodesics."""
    return bent_boxes(box) if job.options.get("edges") == "geodesic" else box

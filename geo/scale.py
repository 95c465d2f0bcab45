"""The joins over a Dask cluster: datasets in, a dataset out, the same rows.

Each function is the one of :mod:`geo.joins` with the same name, over datasets of
GeoParquet as :func:`geo.datasets.partitions.partition` writes them. One task joins one
file of left with the rows of right that can be in its answer and writes one file. Rows,
their order, columns and every number equal those of the join over both whole layers.

Needs the extra ``dask``; see *On a cluster* in the README of this package.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from geo.cluster import connected
from geo.datasets import outofcore, storage
from geo.datasets.dataset import Dataset, open_dataset
from geo.errors import ColumnError, GeometryError
from geo.scale_sites import sites

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    import distributed
    import geopandas as gpd

    from geo.parallel import Progress

    Source = Dataset | str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

__all__ = ["intersects", "nearest", "sites", "within", "within_distance"]

MANIFEST = "_manifest.json"
"""Written last: the files of a result and their rows. Readers skip the name."""

_JOB = "_job.json"
_DEATHS = 3
"""How often a file of left is tried anew after the scheduler gave it up."""

_BASE_BYTES = 400_000_000
"""What a worker takes before it reads a row: interpreter, libraries, kernels."""

_SHARE = 0.7
"""How much of its memory limit a worker fills; Dask pauses it at 0.8."""


def within(
    left: Source,
    right: Source,
    output: str | os.PathLike[str],
    *,
    how: str = "inner",
    edges: str = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    memory: int | None = None,
    client: distributed.Client | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Join each feature to those that it lies in, or may lie in.

    Parameters
    ----------
    left, right
        Datasets, or what :func:`geo.datasets.dataset.open_dataset` takes. Every worker
        must see their files under the same paths.
    output
        Directory of the result, which every worker must see too: new, empty, or with
        the unfinished result of the same join, which is then completed.
    how, edges, lsuffix, rsuffix
        As :func:`geo.within`.
    memory
        How much a task may hold of rows and matches [bytes]; by default 0.7 of the
        worker's memory limit less 400 MB for the libraries, shared by its threads.
    client
        The cluster; by default the one that is connected.
    progress
        Called with the files of left that are done, and how many there are.

    Returns
    -------
    Dataset
        One file for each of left, in the order of left; ``geopandas.read_parquet``
        reads the directory as well. ``_manifest.json`` names files and rows.

    Raises
    ------
    ValueError
        If no cluster is connected.
    FileExistsError
        If the directory holds something else than this join's unfinished result.
    FileNotFoundError
        If a file is not there, or a worker does not see it.
    ColumnError
        If a label of an index stands twice in a dataset, or columns clash.
    GeometryError
        If a row group does not fit the memory.
    GeoError
        As :func:`geo.within`, for the rows that take part.

    Notes
    -----
    A task that dies with its worker runs again elsewhere. Ctrl-C cancels what has not
    begun; a file is renamed to its name only when complete, and a second call with the
    same inputs and options makes only those that are missing. Inputs are the same
    when their files have the same paths, sizes and times of change.
    """
    options = {"how": how, "edges": edges, "lsuffix": lsuffix, "rsuffix": rsuffix}
    return _run(
        _job("within", left, right, output, options),
        memory=memory,
        client=client,
        progress=progress,
    )


def intersects(
    left: Source,
    right: Source,
    output: str | os.PathLike[str],
    *,
    how: str = "inner",
    edges: str = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    memory: int | None = None,
    client: distributed.Client | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Join each feature to those that it has a place in common with.

    Parameters
    ----------
    left, right, output, memory, client, progress
        As :func:`within`.
    how, edges, lsuffix, rsuffix
        As :func:`geo.intersects`.

    Returns
    -------
    Dataset
        As :func:`within`.

    Raises
    ------
    ValueError, FileExistsError, FileNotFoundError, GeoError
        As :func:`within` and :func:`geo.intersects`.
    """
    options = {"how": how, "edges": edges, "lsuffix": lsuffix, "rsuffix": rsuffix}
    return _run(
        _job("intersects", left, right, output, options),
        memory=memory,
        client=client,
        progress=progress,
    )


def nearest(
    left: Source,
    right: Source,
    output: str | os.PathLike[str],
    *,
    k: int = 1,
    max_distance_m: float | None = None,
    ties: str = "first",
    how: str = "inner",
    edges: str = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    memory: int | None = None,
    client: distributed.Client | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Join each feature to its k nearest on the ellipsoid.

    Parameters
    ----------
    left, right, output, memory, client, progress
        As :func:`within`.
    k, max_distance_m, ties, how, edges, lsuffix, rsuffix
        As :func:`geo.nearest`.

    Returns
    -------
    Dataset
        As :func:`within`.

    Raises
    ------
    ValueError, FileExistsError, FileNotFoundError, GeoError
        As :func:`within` and :func:`geo.nearest`.

    Notes
    -----
    A task first looks at the closest row groups of right. The k-th distance found
    there bounds the true one, so the row groups that no box keeps farther away than
    this, and than all uncertainties add to it, hold every neighbour and every rival:
    with them the answer is certified.
    """
    options = {"k": k, "max_distance_m": max_distance_m, "ties": ties}
    options |= {"how": how, "edges": edges, "lsuffix": lsuffix, "rsuffix": rsuffix}
    return _run(
        _job("nearest", left, right, output, options),
        memory=memory,
        client=client,
        progress=progress,
    )


def within_distance(
    left: Source,
    right: Source,
    output: str | os.PathLike[str],
    distance_m: float,
    *,
    how: str = "inner",
    edges: str = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    memory: int | None = None,
    client: distributed.Client | None = None,
    progress: Progress | None = None,
) -> Dataset:
    """Join each feature to all that lie, or may lie, within a distance.

    Parameters
    ----------
    left, right, output, memory, client, progress
        As :func:`within`. The third argument of every join here is ``output``, which
        :func:`geo.within_distance` has not.
    distance_m
        Longest true distance; name it to call both alike. [m]
    how, edges, lsuffix, rsuffix
        As :func:`geo.within_distance`.

    Returns
    -------
    Dataset
        As :func:`within`.

    Raises
    ------
    ValueError, FileExistsError, FileNotFoundError, GeoError
        As :func:`within` and :func:`geo.within_distance`.
    """
    options = {"distance_m": distance_m, "how": how, "edges": edges}
    options |= {"lsuffix": lsuffix, "rsuffix": rsuffix}
    return _run(
        _job("within_distance", left, right, output, options),
        memory=memory,
        client=client,
        progress=progress,
    )


_DEFAULTS = {
    "edges": "straight",
    "lsuffix": "left",
    "rsuffix": "right",
    "k": 1,
    "max_distance_m": None,
    "ties": "first",
}


def _run(
    job: outofcore.Job,
    *,
    memory: int | None,
    client: distributed.Client | None,
    progress: Progress | None,
) -> Dataset:
    """Have the cluster do what is missing of a join, and close the result."""
    client = client or connected()
    missing = _prepare(job, _record(job))
    total = len(job.left.paths)
    if progress:
        progress(total - len(missing), total)
    if missing:
        _compute(client, job, missing, memory, progress)
    return _close(job, total)


def _job(
    name: str,
    left: Source,
    right: Source,
    output: str | os.PathLike[str],
    options: dict[str, Any],
) -> outofcore.Job:
    """Describe a join, having tried it on no rows."""
    from geo import joins

    how = options.pop("how")
    if how not in {"inner", "left"}:
        raise ColumnError(f"how is {how!r}; expected 'inner' or 'left'")
    given = {
        k: v for k, v in options.items() if k not in _DEFAULTS or v != _DEFAULTS[k]
    }
    data, others = _open(left, "left"), _open(right, "right")
    joined = getattr(joins, name)(_no_rows(data), _no_rows(others), **given)
    suffixes = options["lsuffix"], options["rsuffix"]
    return outofcore.Job(
        name=name,
        options=given,
        how=how,
        left=data,
        right=others,
        schema=outofcore.result_schema(joined, data, others, suffixes),
        output=storage.normal(output),
    )


def _no_rows(data: Dataset) -> gpd.GeoDataFrame:
    """Read the columns of a dataset."""
    return data.read(data.groups.take(data.groups.part[:0]))


def _open(source: Source, name: str) -> Dataset:
    """Open one side, and make sure that its labels name one row each."""
    data = source if isinstance(source, Dataset) else open_dataset(source)
    data.require_unique_labels(name)
    return data


def _record(job: outofcore.Job) -> str:
    """Describe a join so that the same one is known again."""
    import numpy as np

    def files(data: Dataset) -> list[list[str]]:
        return [[path, storage.stamp(path)] for path in data.paths]

    def plain(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        raise TypeError(f"{value!r} cannot be an option of a join over a cluster")

    record = {
        "join": job.name,
        "options": {**job.options, "how": job.how},
        "left": files(job.left),
        "right": files(job.right),
    }
    return json.dumps(record, indent=1, sort_keys=True, default=plain)


def _prepare(job: outofcore.Job, record: str) -> list[int]:
    """Make or check the directory of the result; tell which files are missing."""
    names = storage.listed(job.output)
    at = storage.join(job.output, _JOB)
    if _JOB in names:
        with storage.opened(at) as file:
            before = file.read().decode()
        if before != record:
            raise FileExistsError(
                f"{job.output} holds the result of another join, or of inputs that "
                "have changed since; name another directory, or remove it"
            )
        storage.remove_unfinished(job.output)
    elif names:
        raise FileExistsError(
            f"{job.output} is not empty; name another directory, or remove it first"
        )
    else:
        with storage.appearing(at) as local:
            local.write_text(record, encoding="utf-8")
    wanted = range(len(job.left.paths))
    return [n for n in wanted if outofcore.part_name(n) not in names]


def _compute(
    client: distributed.Client,
    job: outofcore.Job,
    missing: list[int],
    memory: int | None,
    progress: Progress | None,
) -> None:
    """Have the cluster write files; all or an error."""
    import distributed

    cluster: Any = client
    as_completed: Any = distributed.as_completed
    total, deaths = len(job.left.paths), dict.fromkeys(missing, 0)
    done = total - len(missing)
    # The plan is sent once; a worker that comes later gets it from the scheduler.
    plan = cluster.submit(_itself, job, pure=False)
    futures = {}

    def submit(number: int) -> Any:
        future = cluster.submit(_task, plan, number, memory, pure=False)
        futures[future.key] = number
        return future

    running = as_completed([submit(n) for n in missing], loop=cluster.loop)
    try:
        for future in running:
            number = futures[future.key]
            try:
                future.result()
            except distributed.KilledWorker as error:
                deaths[number] += 1
                if deaths[number] > _DEATHS:
                    raise MemoryError(
                        f"{job.left.paths[number]}: every worker that had this file "
                        f"died ({error}). If memory ran out, pass a smaller memory=; "
                        "a second call goes on from here"
                    ) from error
                running.add(submit(number))
                continue
            done += 1
            if progress:
                progress(done, total)
    except BaseException:
        cluster.cancel([plan, *running.futures])
        storage.remove_unfinished(job.output)
        raise


def _itself(job: outofcore.Job) -> outofcore.Job:
    """Give back a plan: the result of a task, which the scheduler can have remade."""
    return job


def _task(job: outofcore.Job, number: int, memory: int | None) -> int:
    """Join one file of left, on a worker."""
    from geo.parallel import limit_threads

    with limit_threads(1):
        return outofcore.join_part(job, number, memory or _worker_memory())


def _worker_memory() -> int:
    """How much a task of this worker may hold. [bytes]."""
    from distributed import get_worker

    worker = get_worker()
    limit = worker.memory_manager.memory_limit
    threads = worker.state.nthreads
    if not limit:
        return 1_000_000_000
    share = (_SHARE * limit - _BASE_BYTES) / threads
    if share < 32e6:
        raise GeometryError(
            f"a worker has {limit / 1e6:.0f} MB for {threads} threads, of which the "
            f"libraries take {_BASE_BYTES / 1e6:.0f}; give it more memory, or fewer "
            "threads"
        )
    return int(share)


def _close(job: outofcore.Job, total: int) -> Dataset:
    """Check that the result is whole, and write its manifest."""
    names = set(storage.listed(job.output))
    wanted = [outofcore.part_name(n) for n in range(total)]
    unseen = [name for name in wanted if name not in names]
    if unseen:
        raise FileNotFoundError(
            f"{job.output}: the workers wrote {unseen[0]} and {len(unseen) - 1} more, "
            "but this process does not see them. The directory must be one for all: a "
            "shared disk, or an object store (s3://…)"
        )
    result = open_dataset([storage.join(job.output, name) for name in wanted])
    if MANIFEST not in names:
        parts = [
            {"name": name, "rows": int(rows)}
            for name, rows in zip(wanted, result.counts, strict=True)
        ]
        manifest = {"rows": len(result), "parts": parts}
        with storage.appearing(storage.join(job.output, MANIFEST)) as local:
            local.write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        storage.remove_unfinished(job.output)
    return result

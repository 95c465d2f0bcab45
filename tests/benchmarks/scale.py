"""Joins over a cluster of two worker processes with much more data than memory.

    python tests/benchmarks/scale.py [--points 10_000_000] [--polygons 1_000_000]
        [--join nearest …]

Writes points and polygons to a folder, partitions them, and joins them on a
``distributed.LocalCluster`` whose workers may each take ``--limit`` of memory; in the
middle of each join one worker is killed. Prints what the data would take in memory, the
time, the most that each worker took, and how many files were begun again; ``--compare``
then does the same joins in one process that has memory for all, and compares row for
row. ``--join`` names some of the four joins. Points and marks are uncertain, one in
twenty by 100 m.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

BOX = (123.0, 39.0, 128.0, 42.0)
"""West, south, east, north of the data. [degrees]"""

JOINS = {
    "within": {},
    "intersects": {},
    "nearest": {},
    "within_distance": {"distance_m": 150.0},
}

SIDES = {
    "within": ("points", "polygons"),
    "intersects": ("blocks", "polygons"),
    "nearest": ("points", "marks"),
    "within_distance": ("points", "marks"),
}


def write_source(path: Path, kind: str, n: int, *, uncertain: bool, seed: int) -> None:
    """Write points or polygons of 20 corners, in no order, a batch at a time."""
    import geopandas as gpd
    import pyarrow.parquet as pq
    import shapely

    from geo.datasets import geoparquet

    rng = np.random.default_rng(seed)
    turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    size = 1.2 * np.sqrt(15 / n)  # [degrees], so that a place is in about one polygon
    writer = None
    for start in range(0, n, 250_000):
        rows = min(250_000, n - start)
        lon, lat = rng.uniform(BOX[0], BOX[2], rows), rng.uniform(BOX[1], BOX[3], rows)
        shapes = shapely.points(lon, lat)
        if kind == "polygons":
            radius = size / 2 * rng.uniform(0.6, 1.0, (rows, 20))
            ring = np.stack(
                [
                    lon[:, None] + radius * np.cos(turns),
                    lat[:, None] + radius * np.sin(turns),
                ],
                axis=-1,
            )
            shapes = shapely.polygons(ring)
        data = {
            f"{kind}_value": rng.random(rows),
            f"{kind}_code": rng.integers(9, size=rows),
        }
        if uncertain:
            data["uncertainty_m"] = np.where(rng.random(rows) < 0.05, 100.0, 0.0)
        index = np.arange(start, start + rows)
        table = geoparquet.table_of(
            gpd.GeoDataFrame(data, index=index, geometry=shapes, crs=4326)
        )
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def memory_bytes(path: Path) -> int:
    """What a layer takes as a GeoDataFrame, by a child process that reads a tenth."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_memory_bytes, (path,))


def _memory_bytes(path: Path) -> int:
    import psutil
    import pyarrow.parquet as pq

    from geo.datasets import geoparquet

    file = pq.ParquetFile(path)
    geoparquet.frame(file.read_row_group(0).slice(0, 10))
    groups = list(range(max(file.num_row_groups // 10, 1)))
    rows = sum(file.metadata.row_group(g).num_rows for g in groups)
    table = file.read_row_groups(groups)
    before = psutil.Process().memory_info().rss
    frame = geoparquet.frame(table)
    taken = psutil.Process().memory_info().rss - before
    assert len(frame) == rows
    return int(taken / rows * file.metadata.num_rows)


def peak_bytes() -> int:
    """Most memory that this process has taken so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class Watch:
    """Looks again and again at what each worker takes."""

    def __init__(self) -> None:
        self.peaks, self.stopped = {}, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        self.thread.join()

    def look(self) -> None:
        import psutil

        parent = psutil.Process()
        while not self.stopped.wait(0.05):
            for process in parent.children(recursive=True):
                try:
                    if "resource_tracker" in " ".join(process.cmdline()):
                        continue
                    taken = process.memory_info().rss
                except psutil.Error:
                    continue
                self.peaks[process.pid] = max(self.peaks.get(process.pid, 0), taken)


def join(folder: Path, limit: str, joins: list[str], *, kill: bool) -> None:
    """Do the joins on a cluster and print what they took."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            memory_limit=limit,
            dashboard_address=":0",
            silence_logs="ERROR",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        begun = _begun()
        client.register_plugin(begun)
        base = client.run(_warm, str(folder), joins)
        print("worker before work:", *(f"{b / 1e6:.0f} MB" for b in base.values()))
        for name in joins:
            begun.tasks.clear()
            _demonstrate(client, folder, name, limit, begun.tasks, kill=kill)


def _begun():
    """Something that notes which file each task that a worker gets is for."""
    from distributed.diagnostics.plugin import SchedulerPlugin

    class Begun(SchedulerPlugin):
        def __init__(self) -> None:
            self.tasks = []

        def transition(self, key, _, finish, *__, **___) -> None:
            if finish == "processing" and str(key).startswith("_task"):
                self.tasks.append(key)

    return Begun()


def _demonstrate(
    client, folder: Path, name: str, limit: str, begun: list, *, kill: bool
) -> None:
    from geo import scale

    left, right = SIDES[name]
    victims = []

    def progress(done, total):
        if kill and done == total // 2 and not victims:
            victims.append(client.run(os.getpid).popitem()[1])
            os.kill(victims[0], signal.SIGKILL)

    start = time.perf_counter()
    with Watch() as watch:
        result = getattr(scale, name)(
            folder / left,
            folder / right,
            folder / name,
            client=client,
            progress=progress,
            **JOINS[name],
        )
    seconds = time.perf_counter() - start
    peaks = sorted(watch.peaks.values(), reverse=True)[: 2 + len(victims)]
    print(
        f"{name}: {len(result):,} rows in {seconds:.1f} s; most memory of a worker "
        f"{', '.join(f'{p / 1e6:.0f}' for p in peaks)} MB of {limit}"
        f"; {len(result.paths)} files, {len(begun) - len(set(begun))} given out again"
        + ("; one killed half way" if victims else ""),
        flush=True,
    )


def _warm(folder: str, joins: list[str]) -> int:
    """Compile the kernels, so that times compare with those of a warm process."""
    import psutil

    import geo
    from geo.datasets.dataset import open_dataset

    for name in joins:
        sides = [open_dataset(f"{folder}/{side}") for side in SIDES[name]]
        some = [data.read(data.groups.take(np.arange(1))).iloc[:100] for data in sides]
        getattr(geo, name)(*some, **JOINS[name])
    return psutil.Process().memory_info().rss


def compare(folder: Path, joins: list[str]) -> None:
    """Do the joins in this process and compare row for row."""
    import geo
    from geo.datasets.dataset import open_dataset

    _warm(str(folder), joins)
    for name in joins:
        start = time.perf_counter()
        sides = [open_dataset(folder / side).read() for side in SIDES[name]]
        read = time.perf_counter() - start
        expected = getattr(geo, name)(*sides, **JOINS[name])
        joined = time.perf_counter() - start - read
        expected.to_parquet(folder / f"{name}.parquet", compression="zstd")
        seconds = time.perf_counter() - start
        del sides
        result, at = open_dataset(folder / name), 0
        for part in range(len(result.paths)):
            got = result.read(result.part(part))
            want = expected.iloc[at : at + len(got)]
            at += len(got)
            assert got.index.equals(want.index), f"{name}: rows differ in part {part}"
            for column in got.columns.drop("geometry"):
                same = got[column].equals(want[column])
                assert same, f"{name}: {column} differs in part {part}"
        assert at == len(expected), f"{name}: {at} rows, expected {len(expected)}"
        peak = peak_bytes()
        print(
            f"{name} in one process: read {read:.1f} s, join {joined:.1f} s, all with "
            f"writing {seconds:.1f} s, {peak / 1e9:.1f} GB; the same {at:,} rows",
            flush=True,
        )


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--polygons", type=int, default=1_000_000)
    parser.add_argument(
        "--blocks", type=int, default=1_000_000, help="polygons left of intersects"
    )
    parser.add_argument(
        "--join", nargs="+", choices=JOINS, default=list(JOINS), help="which of them"
    )
    parser.add_argument("--limit", default="700MB", help="memory of a worker")
    parser.add_argument("--folder", type=Path, help="keep the data here, or use them")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--no-kill", dest="kill", action="store_false")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        sides = {
            "points": ("points", given.points, True, 1),
            "polygons": ("polygons", given.polygons, False, 2),
            "marks": ("points", given.polygons, True, 3),
            "blocks": ("polygons", given.blocks, False, 4),
        }
        needed = {side for name in given.join for side in SIDES[name]}
        for name, (kind, n, uncertain, seed) in sides.items():
            if name not in needed or (folder / name).exists():
                continue
            source = folder / f"{name}.source.parquet"
            write_source(source, kind, n, uncertain=uncertain, seed=seed)
            held = memory_bytes(source)
            start = time.perf_counter()
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                peak = pool.apply(_partition, (source, folder / name))
            seconds = time.perf_counter() - start
            print(
                f"{name}: {n:,} rows, about {held / 1e9:.2f} GB in memory; partitioned "
                f"in {seconds:.1f} s with {peak / 1e6:.0f} MB",
                flush=True,
            )
            source.unlink()
        join(folder, given.limit, given.join, kill=given.kill)
        if given.compare:
            compare(folder, given.join)


def _partition(source: Path, target: Path) -> int:
    from geo.datasets.partitions import partition

    partition(source, target)
    return peak_bytes()


if __name__ == "__main__":
    main()

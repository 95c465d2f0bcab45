"""Files out and in: ours beside geopandas and beside bare pyogrio with Arrow.

    python tests/benchmarks/io.py [--rows 100_000 1_000_000] [--repeat 3]
        [--formats geopackage …] [--shapes points polygons] [--only export]

Each trial is a fresh process: it makes the features, does the task once with 50,000 of
them, so that importing and compiling are over (for few polygons the kernels are not
even loaded), and times the task alone. The rivals
take turns. Printed are medians in seconds, ours as a multiple of each rival's, the time
of all cores (which other work on the machine disturbs less), with that of the processes
that ours starts and of those that these start, the peak of memory above what the
features took, that of the largest worker process besides, the size of the file, and
what those first features took in seconds, importing and compiling included.

All import from one file that pyogrio (for GeoParquet, geopandas) wrote. Ours does more:
an export checks ids, places and values, dresses the GeoPackage for QGIS, and writes the
file with its losses whole or not at all; an import looks into the file in a process
without ways out, proves where it lies, checks and mends geometries, gives every feature
its evidence columns, and reports.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

FORMATS = {
    "geopackage": (".gpkg", "GPKG"),
    "flatgeobuf": (".fgb", "FlatGeobuf"),
    "geojson": (".geojson", "GeoJSON"),
    "geoparquet": (".parquet", None),
}
ENGINES = ("ours", "geopandas", "pyogrio")
MEGABYTE = 1e6
_FIRST = 50_000


def features(rows: int, shape: str, *, seed: int = 5) -> Any:
    """Points, or polygons of 20 corners, with eight columns and some text missing."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import shapely

    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(124.5, 129.0, rows), rng.uniform(38.5, 42.0, rows)
    if shape == "points":
        places = shapely.points(lon, lat)
    else:
        turns = np.linspace(0, 2 * np.pi, 20, endpoint=False)
        radii = rng.uniform(0.001, 0.002, (rows, 20))
        corners = np.stack(
            [
                lon[:, None] + radii * np.cos(turns),
                lat[:, None] + radii * np.sin(turns),
            ],
            axis=-1,
        )
        places = shapely.polygons(corners)
    names = np.array(["평양", "철산", "Sinuiju", "丹东", "Chongju"], dtype=object)
    table = pd.DataFrame(
        {
            "id": [f"f{number:07}" for number in range(rows)],
            "name": rng.choice(names, rows),
            "kind": rng.choice(np.array(["mine", "hub", "plant"], dtype=object), rows),
            "year": rng.integers(1951, 2026, rows),
            "grade": rng.uniform(0, 5, rows),
            "share": rng.uniform(0, 1, rows),
            "checked": rng.random(rows) < 0.5,
            "note": np.where(
                rng.random(rows) < 0.1, None, rng.choice(names, rows) + " as reported"
            ),
        }
    )
    gdf = gpd.GeoDataFrame(table, geometry=places, crs=4326)
    gdf.attrs |= {"title": "Features", "licence": "CC0-1.0", "source": "A benchmark"}
    return gdf


def export(engine: str, form: str, gdf: Any, path: Path) -> None:
    """Write a file."""
    _, driver = FORMATS[form]
    if engine == "ours":
        import layers

        layers.write(gdf, path, to=form)
    elif driver is None:
        gdf.to_parquet(path, schema_version="1.1.0", write_covering_bbox=True)
    elif engine == "geopandas":
        gdf.to_file(path, driver=driver)
    else:
        import pyogrio

        pyogrio.write_dataframe(gdf, path, driver=driver, use_arrow=True)


def load(engine: str, form: str, path: Path) -> Any:
    """Read a file."""
    if engine == "ours":
        import layers

        return layers.read(path, source="A benchmark", licence="CC0-1.0").layer
    import geopandas as gpd

    if FORMATS[form][1] is None:
        return gpd.read_parquet(path)
    if engine == "geopandas":
        return gpd.read_file(path)
    import pyogrio

    return pyogrio.read_dataframe(path, use_arrow=True)


def trial(task: dict[str, Any]) -> dict[str, float]:
    """Do one task in this process and say what it took."""
    warnings.simplefilter("ignore")
    engine, form = task["engine"], task["format"]
    ending = FORMATS[form][0]
    folder = Path(task["folder"])
    began = time.perf_counter()
    target = folder / f"out{ending}"
    if task["way"] == "export":
        export(engine, form, features(_FIRST, task["shape"]), folder / f"first{ending}")
        first = time.perf_counter() - began
        gdf = features(task["rows"], task["shape"])
    else:
        load(engine, form, Path(task["first"]))
        first = time.perf_counter() - began
    base = _memory("VmRSS")
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    began, spent = time.perf_counter(), _cpu()
    if task["way"] == "export":
        export(engine, form, gdf, target)
        seconds = time.perf_counter() - began
    else:
        found = load(engine, form, Path(task["file"]))
        seconds = time.perf_counter() - began
        if len(found) != task["rows"]:
            raise RuntimeError(f"{len(found)} rows of {task['rows']}")
    spent = _cpu() - spent
    peak = _memory("VmHWM") - base
    if "layers.importing.processes" in sys.modules:  # what ended can be asked of
        sys.modules["layers.importing.processes"]._prepared.stop()
    return {
        "seconds": seconds,
        "first": first,
        "cpu": spent,
        "peak_mb": peak,
        "worker_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        * 1024
        / MEGABYTE,
        "file_mb": target.stat().st_size / MEGABYTE if target.exists() else math.nan,
    }


def _cpu() -> float:
    """Time that this process and all that it started took of all cores. [s]"""
    taken = os.times()
    mine = taken.user + taken.system + taken.children_user + taken.children_system
    return mine + sum(map(_cpu_of, _started_by(os.getpid())))


def _cpu_of(pid: int) -> float:
    """Time that a process, and all that it started, took so far. [s]"""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return 0.0
    # Itself and what it has waited for, after the name in brackets.
    ticks = sum(map(int, text.rpartition(")")[2].split()[11:15]))
    alive = sum(map(_cpu_of, _started_by(pid)))
    return ticks / os.sysconf("SC_CLK_TCK") + alive


def _started_by(pid: int) -> list[int]:
    """Processes that another started and that it has not waited for."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, task.read_text("ascii").split())
    return found


def _memory(field: str) -> float:
    """A figure of this process from Linux' own books. [MB]"""
    try:
        lines = Path("/proc/self/status").read_text("ascii").splitlines()
    except OSError:
        return math.nan
    [line] = [line for line in lines if line.startswith(field)]
    return int(line.split()[1]) * 1024 / MEGABYTE


def run(task: dict[str, Any]) -> dict[str, Any]:
    """Do one task in a fresh process."""
    with tempfile.TemporaryDirectory(dir=task.get("place")) as folder:
        done = subprocess.run(
            [
                sys.executable,
                __file__,
                "--trial",
                json.dumps({**task, "folder": folder}),
            ],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=3600,
        )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return {"error": lines[-1][:150]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def prepare(form: str, shape: str, rows: int, folder: Path) -> Path:
    """Write the file that all import."""
    path = folder / f"{shape}-{rows}{FORMATS[form][0]}"
    if not path.exists():
        export("pyogrio", form, features(rows, shape), path)
    return path


def compare(
    task: dict[str, Any], engines: tuple[str, ...], repeat: int
) -> dict[str, list[dict[str, Any]]]:
    """Let engines do a task in turns; the first round's order is turned in the next."""
    found: dict[str, list[dict[str, Any]]] = {engine: [] for engine in engines}
    for turn in range(repeat):
        for engine in engines if turn % 2 == 0 else engines[::-1]:
            found[engine].append(run({**task, "engine": engine}))
    return found


def median(outcomes: list[dict[str, Any]], name: str) -> float:
    """Median of a figure, without trials that failed."""
    figures = [o[name] for o in outcomes if name in o and not math.isnan(o[name])]
    return statistics.median(figures) if figures else math.nan


def line(task: dict[str, Any], found: dict[str, list[dict[str, Any]]]) -> str:
    """One row of the table for each engine."""
    ours = median(found["ours"], "seconds")
    rows = []
    for engine, outcomes in found.items():
        seconds = median(outcomes, "seconds")
        failed = next((o["error"] for o in outcomes if "error" in o), "")
        ratio = "" if engine == "ours" else f"{ours / seconds:5.2f}"
        name = "to_parquet" if engine == "geopandas" and _parquet(task) else engine
        rows.append(
            f"{task['rows']:>9,} {task['shape']:<9} {task['format']:<11} "
            f"{task['way']:<7} {name:<10} {seconds:8.3f} {ratio:>6} "
            f"{median(outcomes, 'cpu'):8.3f} "
            f"{median(outcomes, 'peak_mb'):8.0f} {median(outcomes, 'worker_mb'):8.0f} "
            f"{median(outcomes, 'file_mb'):8.2f} {median(outcomes, 'first'):7.3f}  "
            f"{failed}".rstrip()
        )
    return "\n".join(rows)


def _parquet(task: dict[str, Any]) -> bool:
    return FORMATS[task["format"]][1] is None


HEAD = (
    f"{'rows':>9} {'shape':<9} {'format':<11} {'way':<7} {'engine':<10} {'[s]':>8} "
    f"{'ours ×':>6} {'CPU [s]':>8} {'peak MB':>8} {'workers':>8} {'file MB':>8} "
    f"{'first':>7}"
)


def main() -> None:
    """Compare, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--formats", nargs="+", default=list(FORMATS), choices=FORMATS)
    parser.add_argument("--shapes", nargs="+", default=["points", "polygons"])
    parser.add_argument("--only", choices=["export", "import"])
    parser.add_argument("--trial", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.trial:
        print(json.dumps(trial(json.loads(asked.trial))))
        return
    print(HEAD)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        for rows in asked.rows:
            for form in asked.formats:
                for shape in asked.shapes:
                    for way in [asked.only] if asked.only else ["export", "import"]:
                        task = {
                            "rows": rows,
                            "format": form,
                            "shape": shape,
                            "way": way,
                            "place": folder,
                        }
                        if way == "import":
                            task["file"] = str(prepare(form, shape, rows, place))
                            task["first"] = str(prepare(form, shape, _FIRST, place))
                        engines = ENGINES[:2] if FORMATS[form][1] is None else ENGINES
                        print(line(task, compare(task, engines, asked.repeat)))
                        sys.stdout.flush()
                    for left in place.glob(f"{shape}-{rows}.*"):
                        os.unlink(left)  # noqa: PTH108


if __name__ == "__main__":
    main()

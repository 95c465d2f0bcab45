"""Figures of one run as Markdown tables and as JSON."""

from __future__ import annotations

import math
import os
import platform
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engines import Engine
    from judge import Verdict
    from tasks import Task
    from trial import Outcome

PACKAGES = (
    *("numpy", "numba", "scipy", "shapely", "pyproj", "pandas", "geopandas"),
    *("duckdb", "sedonadb", "polars-st", "polars", "scikit-learn", "pyarrow"),
)
NEVER = "–"


@dataclass
class Row:
    """One engine's part in a task, as far as it has come."""

    engine: Engine
    rows: int  # of left, in the whole task
    trouble: str = ""
    outcomes: list[Outcome] = field(default_factory=list)
    verdict: Verdict | None = None

    @property
    def factor(self) -> float:
        """What a sample's time is to be multiplied by."""
        sample = self.engine.sample
        return max(1.0, self.rows / sample) if sample else 1.0

    def median(self, name: str) -> float:
        values = [getattr(outcome, name) for outcome in self.outcomes]
        return float(np.median(values)) if values else math.nan

    @property
    def join_s(self) -> float:
        return self.factor * self.median("join_s")


@dataclass
class Result:
    """One task and its rows."""

    key: str
    task: Task
    rows: list[Row]

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.engine.name == name), None)

    def seconds(self, name: str) -> float:
        row = self.row(name)
        return row.join_s if row else math.nan


def machine(postgis: str) -> dict[str, Any]:
    """What the figures depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not here"
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": _memory_gb(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "busy_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else 0,
        "packages": found,
        "postgis": postgis,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(ln.split(": ")[1] for ln in lines if ln.startswith("model name"))
    except (OSError, StopIteration, IndexError):
        return platform.processor() or "unknown"


def _memory_gb() -> float:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return math.nan


def header(facts: dict[str, Any], scale: float, rounds: int) -> str:
    packages = ", ".join(f"{k} {v}" for k, v in facts["packages"].items())
    small = f"\n\n**Scale {scale:g}: these are not the figures of the titles.**"
    return (
        f"{facts['processor']}, {facts['cores']} cores, {facts['memory_gb']} GB; "
        f"{facts['system']}; Python {facts['python']}; {packages}; "
        f"{facts['postgis']}. {facts['date']}, load average "
        f"before: {facts['busy_before']}.\n\n"
        f"Medians of {rounds} (growth and 10 M × 1 M: of at most 3), a fresh process "
        "for every engine and round, engines in turn; the join alone, after loading "
        "and after one tiny join; result: two columns of row numbers (geopandas: its "
        "frame). Memory: peak of the join above what the process holds with its layers "
        "loaded, the base."
        f"{small if scale != 1 else ''}\n"
    )


def table(lines: list[list[str]]) -> str:
    """A Markdown table; the first line is its head."""
    head, *body = lines
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *body]) + "\n"


def task_table(result: Result) -> str:
    mine = result.seconds(ours.OURS)
    lines = [
        [
            *("engine", "measures on", "join s", "min–max", f"{ours.OURS} / it"),
            *("CPU s", "peak MB (base)", "pairs", "wrong", "by at most"),
        ]
    ]
    for row in result.rows:
        if not row.outcomes:
            lines.append([row.engine.name, row.trouble or "not reached", *[NEVER] * 8])
            continue
        times = [row.factor * outcome.join_s for outcome in row.outcomes]
        verdict = row.verdict
        lines.append(
            [
                row.engine.name + (f" ({row.trouble})" if row.trouble else ""),
                row.engine.measures or NEVER,
                _seconds(row),
                f"{_short(min(times))}–{_short(max(times))}",
                _number(mine / row.join_s, 2),
                _number(row.factor * row.median("cpu_s"), 2),
                _memory(row),
                f"{row.outcomes[0].pairs:,}" if row.outcomes[0].pairs else NEVER,
                _wrong(verdict),
                _length(verdict.by_at_most_m) if verdict and verdict.wrong else NEVER,
            ]
        )
    return f"### {result.task.title}\n\n{table(lines)}{''.join(_notes(result))}"


def _notes(result: Result) -> Iterator[str]:
    mine, frame = result.row(ours.OURS), result.seconds(ours.FRAME)
    theirs = result.seconds("geopandas")
    if not math.isnan(frame / theirs):
        yield (
            f"\nWhole frames: Lodemap {frame:.2f} s, geopandas {theirs:.2f} s, "
            f"ratio {frame / theirs:.2f}.\n"
        )
    vague = result.seconds(ours.UNCERTAIN_FRAME)
    if not math.isnan(vague / frame):
        yield (
            f"\nWhole frames: uncertain {vague:.2f} s, certain {frame:.2f} s, ratio "
            f"{vague / frame:.2f}.\n"
        )
    if mine and mine.outcomes:
        yield (
            "\nLodemap's first join in a process, of next to nothing, imports "
            f"included: {mine.median('warm_s'):.1f} s (in the first process, which may "
            f"have to compile: {mine.outcomes[0].warm_s:.1f} s).\n"
        )
    if mine and mine.verdict and not math.isnan(mine.verdict.distance_error_m):
        error = _length(mine.verdict.distance_error_m)
        yield f"\nLodemap's distances differ from Karney's by at most {error}.\n"
    if mine and mine.outcomes and result.task.group == "h":
        peaks = [row.median("peak_mb") / 1000 for row in result.rows if row.outcomes]
        yield f"\nPeak above the inputs: {max(peaks):.2f} GB; stated: 2 GB.\n"
    for row in result.rows:
        if row.outcomes and row.outcomes[0].possible > 0:
            share = row.outcomes[0].possible / max(row.rows, 1)
            yield f"\n{row.engine.name}: {share:.1%} of the rows' pairs are doubtful.\n"


def summary(results: list[Result]) -> str:
    """One line a task: our time, each peer's, the ratio, and the wrong answers."""
    judged = [result for result in results if result.task.judge]
    peers: dict[str, None] = {}
    for result in judged:
        for row in result.rows:
            if row.engine.name not in (ours.OURS, ours.FRAME, ours.FLOOR):
                peers[row.engine.name] = None
    lines = [["work", ours.OURS, *peers, "floor", "goal"]]
    for result in judged:
        mine = result.seconds(ours.OURS)
        cells = [result.task.title, _cell(result.row(ours.OURS), math.nan)]
        cells += [_cell(result.row(name), mine) for name in peers]
        cells += [_number(result.seconds(ours.FLOOR), 2), _goal(result)]
        lines.append(cells)
    for result in results:
        if result.task.goal and not result.task.judge:
            certain = _number(result.seconds(result.task.goal[0]), 2)
            cell = f"{_cell(result.rows[0], math.nan)} (certain: {certain})"
            floor = _number(result.seconds(ours.FLOOR), 2)
            blank = [NEVER] * len(peers)
            lines.append([result.task.title, cell, *blank, floor, _goal(result)])
    return (
        "### Side by side\n\nSeconds; Lodemap's time over the engine's; wrong answers."
        f"\n\n{table(lines)}"
    )


def growth(results: list[Result]) -> str:
    """Time and memory at 10⁵, 10⁶ and 10⁷ rows, and the slope between them."""
    lines = [["join", "rows", "join s", "floor s", "pairs", "peak MB", "slope"]]
    by_name: dict[str, list[Result]] = {}
    for result in results:
        by_name.setdefault(result.key.split()[0], []).append(result)
    for name, same in by_name.items():
        done = [result for result in same if result.rows[0].outcomes]
        if len(done) > 1:
            sizes = np.log([result.rows[0].rows for result in done])
            times = np.log([result.rows[0].join_s for result in done])
            slope = f"{np.polyfit(sizes, times, 1)[0]:.2f}"
        else:
            slope = NEVER
        for result in same:
            row = result.rows[0]
            last = slope if result is same[-1] else ""
            if not row.outcomes:
                lines.append([name, f"{row.rows:,}", row.trouble, *[NEVER] * 3, last])
                continue
            lines.append(
                [
                    name,
                    f"{row.rows:,}",
                    _seconds(row),
                    _number(result.seconds(ours.FLOOR), 3),
                    f"{row.outcomes[0].pairs:,}",
                    _number(row.median("peak_mb"), 0),
                    last,
                ]
            )
    return (
        "### Growth\n\nEver more points in the same box. `within`: in the same 5,000 "
        "polygons. `nearest`: a tenth as many targets. `within_distance`: as many on "
        "the right, the distance such that each has about ten. Slope: of log time on "
        f"log rows.\n\n{table(lines)}"
    )


def _cell(row: Row | None, mine: float) -> str:
    if row is None:
        return NEVER
    if not row.outcomes:
        return row.trouble.split(":")[0] or "not reached"
    parts = [_seconds(row)]
    if not math.isnan(mine):
        parts.append(f"{mine / row.join_s:.2f} ×")
    if row.verdict:
        whole = f" of {row.verdict.of:,}" if row.factor > 1 else ""
        parts.append(f"{row.verdict.wrong:,}{whole} wrong")
    return "; ".join(parts)


def _goal(result: Result) -> str:
    if result.task.goal is None:
        return NEVER
    name, factor = result.task.goal
    ratio = result.rows[0].join_s / result.seconds(name)
    if math.isnan(ratio):
        return f"≤ {factor} × {name}"
    met = "met" if ratio <= factor else "missed"
    return f"≤ {factor} × {name}: {ratio:.2f}, {met}"


def _seconds(row: Row) -> str:
    if row.factor > 1:
        return f"≈ {row.join_s:.0f} (from {row.engine.sample:,} rows)"
    return _short(row.join_s)


def _short(seconds: float) -> str:
    return f"{seconds:.3f}" if seconds < 0.0995 else f"{seconds:.2f}"


def _wrong(verdict: Verdict | None) -> str:
    if verdict is None:
        return NEVER
    if not verdict.wrong:
        return "0"
    detail = f" ({verdict.detail})" if verdict.detail else ""
    return f"{verdict.wrong:,} of {verdict.of:,}{detail}"


def _length(metres: float) -> str:
    if math.isnan(metres):
        return NEVER
    for size, unit in ((1.0, "m"), (1e-3, "mm"), (1e-6, "µm"), (0.0, "nm")):
        if metres >= size:
            value = metres / (size or 1e-9)
            return f"{value:,.0f} {unit}" if value >= 10 else f"{value:.2g} {unit}"
    return NEVER


def _memory(row: Row) -> str:
    peak, base = row.median("peak_mb"), row.median("base_mb")
    return "in the server" if math.isnan(peak) else f"{peak:,.0f} ({base:,.0f})"


def _number(value: float, digits: int) -> str:
    return NEVER if math.isnan(value) else f"{value:,.{digits}f}"


def as_json(
    facts: dict[str, Any], scale: float, rounds: int, results: list[Result]
) -> dict[str, Any]:
    """Everything that was measured; what was not is null."""
    tasks = {}
    for result in results:
        tasks[result.key] = {
            "title": result.task.title,
            "engines": [
                {
                    "name": row.engine.name,
                    "measures_on": row.engine.measures,
                    "trouble": row.trouble,
                    "median_join_s": row.join_s,
                    "extrapolated_from_rows": row.engine.sample
                    if row.factor > 1
                    else None,
                    "rounds": [asdict(outcome) for outcome in row.outcomes],
                    "verdict": vars(row.verdict) if row.verdict else None,
                }
                for row in result.rows
            ],
        }
    whole = {"machine": facts, "scale": scale, "rounds": rounds, "tasks": tasks}
    return _without_nan(whole)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_without_nan(part) for part in value]
    return None if isinstance(value, float) and math.isnan(value) else value

"""Lodemap's joins beside other engines': times, memory and wrong answers.

``python tests/benchmarks/joins.py`` runs everything at full size; for a first look,
``--scale 0.01 --rounds 1``. Tables go to stdout, progress to stderr. Ctrl-C ends the
run and keeps what was measured. The other engines come with the extra ``bench``,
PostGIS with the system; one that is not here is named in the tables.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import ours
import report
from data import LAYERS, rows, written
from geographies import NoPostGISError, Tables, database_error
from judge import JudgeError, judge_of
from report import Result, Row
from tasks import TASKS
from trial import Trial, run

TINY = 0.001  # scale of the layers for the first, untimed join
GROUPS = "abcdeugh"


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    keys = [key for key, task in TASKS.items() if task.group in asked.only]
    results: list[Result] = []
    stopped = False
    with ExitStack() as stack:
        cache = asked.cache or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="lodemap-bench-"))
        )
        server, word = _server(keys)
        if server:
            stack.callback(server.stop)
        facts = report.machine(word)
        print(report.header(facts, asked.scale, asked.rounds), flush=True)
        _say(f"about {_estimate_s(keys, asked.scale, asked.rounds) / 60:.0f} minutes")
        try:
            for key in keys:
                _measure(key, cache, server, asked, results)
                if TASKS[key].group not in "gh":
                    print(report.task_table(results[-1]), flush=True)
                _keep(asked.json, facts, asked, results)
        except KeyboardInterrupt:
            stopped = True
            _say("stopped; what was measured follows")
            if results and results[-1].task.group not in "gh":
                print(report.task_table(results[-1]), flush=True)
        _keep(asked.json, facts, asked, results)
    _print_summaries(results)
    return 130 if stopped else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scale", type=float, default=1.0, help="share of the rows")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only",
        help="of a within, b intersects, c nearest points, d nearest lines, "
        "e within a distance, u uncertain, g growth, h huge: as in a,c",
    )
    parser.add_argument("--huge", action="store_true", help="10 M × 1 M rows as well")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    parser.add_argument("--cache", type=Path, help="keep the layers in this folder")
    parser.add_argument(
        "--timeout", type=float, default=600, help="for one join with its loading [s]"
    )
    asked = parser.parse_args()
    asked.only = set((asked.only or "abcdeug").replace(",", "")) | set("h" * asked.huge)
    if not asked.only <= set(GROUPS):
        parser.error(f"--only knows {', '.join(GROUPS)}")
    if not (asked.scale > 0 and asked.rounds > 0):
        parser.error("--scale and --rounds are above 0")
    return asked


def _server(keys: list[str]) -> tuple[Tables | None, str]:
    """A PostGIS server where one is asked for and can be had."""
    if not any(engine.prepare for key in keys for engine in TASKS[key].engines):
        return None, "PostGIS not asked"
    try:
        server = Tables()
        return server, server.version()
    except NoPostGISError as reason:
        return None, f"PostGIS not here ({reason})"


def _measure(
    key: str,
    cache: Path,
    server: Tables | None,
    asked: argparse.Namespace,
    results: list[Result],
) -> None:
    """Every round of every engine in turn; then the judge."""
    task = TASKS[key]
    folder = written(cache, asked.scale, [task.left, task.right])
    tiny = written(cache, TINY, [task.left, task.right])
    count = rows(task.left, asked.scale)
    result = Result(key, task, [Row(engine, count) for engine in task.engines])
    results.append(result)
    with tempfile.TemporaryDirectory(prefix="lodemap-pairs-") as pairs:
        for row in result.rows:
            _prepare(row, server, folder)
        for number in range(_rounds(key, asked.rounds)):
            places = np.roll(np.arange(len(result.rows)), -number)
            for place in places:
                row = result.rows[place]
                if row.trouble:
                    continue
                saved = Path(pairs, f"{place}.npz")
                trial = Trial(
                    task=key,
                    engine=int(place),
                    folder=str(folder),
                    tiny=str(tiny),
                    server=str(server.folder) if server else None,
                    save=str(saved) if task.judge and not saved.exists() else None,
                )
                outcome = run(trial, asked.timeout)
                if outcome.error:
                    row.trouble = f"failed in round {number + 1}: {outcome.error}"
                    said = row.trouble
                else:
                    row.outcomes.append(outcome)
                    said = f"{outcome.join_s:.3f} s"
                _say(f"{key}, round {number + 1}, {row.engine.name}: {said}")
        if task.judge:
            _judge(result, folder, Path(pairs))


def _prepare(row: Row, server: Tables | None, folder: Path) -> None:
    engine = row.engine
    if engine.missing:
        row.trouble = f"not here: {engine.missing}"
    elif engine.prepare and server is None:
        row.trouble = "not here: no server"
    elif engine.prepare:
        _say("filling PostGIS")
        try:
            engine.prepare(server, folder)
        except database_error() as error:
            row.trouble = f"failed: {error}"


def _judge(result: Result, folder: Path, pairs: Path) -> None:
    start = time.perf_counter()
    task = result.task
    try:
        judge = judge_of(task.judge, folder, task.left, task.right)
    except JudgeError as error:
        _say(f"{result.key} is not judged: {error}")
        return
    for place, row in enumerate(result.rows):
        saved = pairs / f"{place}.npz"
        if not saved.exists() or row.engine.name == ours.FLOOR:
            continue
        try:
            with np.load(saved) as found:
                row.verdict = judge(tuple(found.values()), row.engine.sample)
        except (JudgeError, IndexError, ValueError) as error:
            row.trouble = f"not judged: {error}"
    _say(f"{result.key} judged in {time.perf_counter() - start:.0f} s")


def _estimate_s(keys: list[str], scale: float, rounds: int) -> float:
    """From what it took once on two cores.

    A process takes 2 s to start, and the layers, the server and the judge take about a
    minute for a task.
    """
    total = 0.0
    for key in keys:
        task = TASKS[key]
        size = scale * max(1.0, LAYERS[task.left].rows / 1e6)
        trials = sum(2 + size * engine.about_s for engine in task.engines)
        total += scale * 60 * bool(task.judge) + _rounds(key, rounds) * trials
    return total


def _rounds(key: str, asked: int) -> int:
    """Three rounds are enough where only ours is measured, at ten million rows."""
    return min(asked, 3) if TASKS[key].group in "gh" else asked


def _keep(
    path: Path | None,
    facts: dict[str, object],
    asked: argparse.Namespace,
    results: list[Result],
) -> None:
    if path is not None:
        whole = report.as_json(facts, asked.scale, asked.rounds, results)
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(json.dumps(whole, indent=1, ensure_ascii=False))
        unfinished.replace(path)


def _print_summaries(results: list[Result]) -> None:
    by_group: dict[str, list[Result]] = {}
    for result in results:
        by_group.setdefault(result.task.group, []).append(result)
    if grown := by_group.pop("g", []):
        print(report.growth(grown))
    for huge in by_group.pop("h", []):
        print(report.task_table(huge))
    if rest := [result for group in by_group.values() for result in group]:
        print(report.summary(rest))


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""One join by one engine in a process of its own: ``run`` starts it and waits.

The process joins something tiny first, so that compiling, loading compiled code and
starting threads are over, then loads, then joins and times that alone.
"""

from __future__ import annotations

import ctypes
import gc
import json
import re
import subprocess
import sys
import tempfile
import time
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from engines import Place, columns

MEGABYTE = 1e6


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What to do; travels to the process as JSON."""

    task: str
    engine: int  # its place in the task
    folder: str
    tiny: str
    server: str | None = None
    save: str | None = None  # where to write the pairs


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it; all times in seconds, memory in megabytes."""

    error: str = ""
    join_s: float = np.nan
    cpu_s: float = np.nan
    load_s: float = np.nan
    warm_s: float = np.nan
    base_mb: float = np.nan
    peak_mb: float = np.nan
    pairs: int = 0
    possible: int = -1  # of an uncertain join, pairs that are not certain


def run(trial: Trial, timeout_s: float) -> Outcome:
    """Do the trial in a fresh process; what goes wrong there is told, not raised."""
    with tempfile.TemporaryDirectory() as folder:
        answer, complaint = Path(folder, "outcome.json"), Path(folder, "stderr")
        with complaint.open("w") as stderr:
            try:
                done = subprocess.run(
                    [sys.executable, __file__, json.dumps(asdict(trial)), str(answer)],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    timeout=timeout_s,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return Outcome(error=f"not done after {timeout_s:.0f} s")
        if answer.exists():
            return Outcome(**json.loads(answer.read_text()))
        said = last_error(complaint.read_text(errors="replace"))
        return Outcome(error=said or f"ended with {done.returncode}")


def last_error(traceback: str) -> str:
    """The line of a traceback that names the error, made fit for a table."""
    lines = traceback.strip().splitlines()
    named = [line for line in lines if re.match(r"[\w.]+(Error|Exception)\b", line)]
    return (named or lines or [""])[-1].replace("|", "/")[:160]


def main(text: str, answer: str) -> None:
    from tasks import TASKS

    warnings.simplefilter("ignore")  # geopandas on degrees; the judge counts instead
    trial = Trial(**json.loads(text))
    engine = TASKS[trial.task].engines[trial.engine]
    start = time.perf_counter()
    if engine.warm:
        columns(engine.load(Place(Path(trial.tiny)))())
    warm = time.perf_counter()
    join = engine.load(Place(Path(trial.folder), trial.server))
    loaded = time.perf_counter()
    _give_back()
    base = _memory("VmRSS")
    _forget_peak()

    cpu, begin = time.process_time(), time.perf_counter()
    result = join()
    end, cpu = time.perf_counter(), time.process_time() - cpu

    peak = _memory("VmHWM")
    found = columns(result)
    if trial.save:
        np.savez(trial.save, *found)
    doubtful = getattr(result, "columns", ())
    outcome = Outcome(
        join_s=end - begin,
        cpu_s=np.nan if engine.prepare else cpu,
        load_s=loaded - warm,
        warm_s=warm - start,
        base_mb=np.nan if engine.prepare else base,
        peak_mb=np.nan if engine.prepare else peak - base,
        pairs=len(found[0]),
        possible=(
            int((result["relation"] == "possible").sum())
            if "relation" in doubtful
            else -1
        ),
    )
    Path(answer).write_text(json.dumps(asdict(outcome)))


def _give_back() -> None:
    """Return freed memory to the system, so that the base holds only what is used."""
    gc.collect()
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def _memory(field: str) -> float:
    """A figure of this process from Linux' own books. [MB]"""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return np.nan
    [line] = [line for line in status.splitlines() if line.startswith(field)]
    return int(line.split()[1]) * 1024 / MEGABYTE


def _forget_peak() -> None:
    """Let the peak start anew from the present size; else it includes loading."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


if __name__ == "__main__":
    main(*sys.argv[1:])

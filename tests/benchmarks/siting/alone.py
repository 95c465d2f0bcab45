"""One chain in a process of its own: ``run`` starts it and waits.

The process does the chain on a tiny terrain first, then on the real one, and times that
alone. Memory is the most that the process and the programs that it starts hold at one
moment, imports and all: what a machine must have.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from chains import CACHE_MB, CHAINS

sys.path.append(str(Path(__file__).parents[1]))
from trial import MEGABYTE, last_error

EVERY_S = 0.01  # how often memory is looked at
TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What to do; travels to the process as JSON."""

    chain: str
    folder: str
    tiny: str
    scratch: str
    save: str | None = None  # where to write the sites


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of it; times in seconds, memory in megabytes."""

    error: str = ""
    wall_s: float = np.nan
    cpu_s: float = np.nan  # of the process and of the programs it started
    process_s: float = np.nan  # from start to end, with imports and the tiny terrain
    base_mb: float = np.nan
    peak_mb: float = np.nan
    sites: int = -1


def run(trial: Trial, python: str, timeout_s: float) -> Outcome:
    """Do the trial in a fresh process; what goes wrong there is told, not raised."""
    chain = CHAINS[trial.chain]
    env = dict(os.environ)
    if not chain.modules and not chain.programs:
        env["GDAL_CACHEMAX"] = str(CACHE_MB)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        answer, complaint = Path(folder, "outcome.json"), Path(folder, "stderr")
        with complaint.open("w") as stderr:
            process = subprocess.Popen(
                [python, __file__, json.dumps(asdict(trial)), str(answer)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env=env,
                start_new_session=True,
            )
            try:
                code = process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                return Outcome(error=f"not done after {timeout_s:.0f} s")
            finally:
                _end(process)
        seconds = time.perf_counter() - start
        if answer.exists():
            return Outcome(**(json.loads(answer.read_text()) | {"process_s": seconds}))
        said = last_error(complaint.read_text(errors="replace"))
        return Outcome(error=said or f"ended with {code}")


def _end(process: subprocess.Popen) -> None:
    """End the process and what it started, all of one session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, 9)
    process.wait()


class Watch:
    """The most memory that this process and its children hold at one moment. [MB]"""

    def __init__(self) -> None:
        self.peak, self._stopped = 0.0, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.peak = max(self.peak, sum(map(resident_mb, tree(os.getpid()))))


def tree(pid: int) -> list[int]:
    """A process and its descendants, from Linux' own books."""
    found = [pid]
    for one in found:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            with suppress(OSError):
                found += map(int, children.read_text().split())
    return found


def resident_mb(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / MEGABYTE
    except (OSError, IndexError):
        return 0.0


def highest_mb() -> float:
    """The most that this process has held since the mark was last set back."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / MEGABYTE


def cpu_s() -> float:
    """Seconds of all threads, and of the programs that have ended."""
    return sum(os.times()[:4])


def main(text: str, answer: str) -> None:
    warnings.simplefilter("ignore")
    trial = Trial(**json.loads(text))
    chain = CHAINS[trial.chain]
    folder, scratch = Path(trial.folder), Path(trial.scratch)
    chain.work(Path(trial.tiny), scratch)
    gc.collect()
    base = resident_mb(os.getpid())
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    watch = Watch()
    cpu, begin = cpu_s(), time.perf_counter()
    if chain.programs:
        with watch:
            found = chain.work(folder, scratch)
    else:
        found = chain.work(folder, scratch)
    wall, cpu = time.perf_counter() - begin, cpu_s() - cpu
    outcome = Outcome(
        wall_s=wall,
        cpu_s=cpu,
        base_mb=base,
        peak_mb=max(watch.peak, highest_mb()),
        sites=-1 if found is None else len(found.cells),
    )
    if trial.save and found is not None:
        found.save(Path(trial.save))
    Path(answer).write_text(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Sites from national rasters: Lodemap beside the floor and its peers, and judged.

``python tests/benchmarks/siting/bench.py`` runs everything at full size, 12,000 by
16,000 cells; for a first look, ``--rows 3000 --cols 4000 --rounds 1``. Tables go to
stdout, progress to stderr. Ctrl-C ends the run and keeps what was measured. Terrain
and the peers' environment stay in ``--folder``.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from alone import Trial, run
from chains import ATLITE, BEST, CHAINS, FLOOR, OURS, Chain, Sites
from terrain import COLS, ROWS, written

sys.path.append(str(Path(__file__).parents[1]))
import judges
import peers
import tables

TINY = (480, 640)  # rows and columns of the terrain for the first, untimed go
GROWTH = (0.25, 0.5, 1.0, 2.0)  # sides as shares of the asked ones
PARTS = ("chains", "judges", "growth")


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked.folder.mkdir(parents=True, exist_ok=True)
    gdal = peers.bring_gdal()
    python = peers.python_of(asked.folder)
    facts = tables.machine(python, gdal)
    print(tables.header(facts, asked.rows, asked.cols, asked.rounds), flush=True)
    result: dict[str, Any] = {"machine": facts, "cells": asked.rows * asked.cols}
    code = 0
    with tempfile.TemporaryDirectory(
        prefix="lodemap-siting-", dir=asked.folder
    ) as scratch:
        try:
            for part in PARTS:
                if part in asked.only:
                    do = {"chains": _chains, "judges": _judges, "growth": _growth}
                    do[part](asked, python, Path(scratch), result)
                    _keep(asked.json, result)
        except KeyboardInterrupt:
            _say("stopped; what was measured follows")
            code = 130
        finally:
            _keep(asked.json, result)
    print(tables.goals(result))
    return code


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--cols", type=int, default=COLS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path(tempfile.gettempdir()) / "lodemap-siting",
        help="keep the terrain and the peers here (1 GB, with --huge 4)",
    )
    parser.add_argument("--only", help="some of chains,judges,growth")
    parser.add_argument(
        "--chains", help="only those whose names hold one of these words, as in a,b"
    )
    parser.add_argument(
        "--huge", action="store_true", help="growth to four times the cells as well"
    )
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    parser.add_argument("--timeout", type=float, default=900, help="for one chain [s]")
    asked = parser.parse_args()
    asked.only = (asked.only or ",".join(PARTS)).split(",")
    if not set(asked.only) <= set(PARTS):
        parser.error(f"--only knows {', '.join(PARTS)}")
    if asked.rounds < 1 or min(asked.rows, asked.cols) < 512:
        parser.error("--rounds is 1 or more, --rows and --cols 512 or more")
    return asked


def _chosen(asked: argparse.Namespace) -> list[Chain]:
    words = [word.lower() for word in (asked.chains or "").split(",") if word]
    return [
        chain
        for chain in CHAINS.values()
        if not words or any(word in chain.name.lower() for word in words)
    ]


def _chains(
    asked: argparse.Namespace, python: str, scratch: Path, result: dict[str, Any]
) -> None:
    """Every round of every chain in turn."""
    folder = _terrain(asked, asked.rows, asked.cols)
    chosen = _chosen(asked)
    rows = {
        chain.name: tables.Row(chain, trouble=_trouble(chain, python))
        for chain in chosen
    }
    result["chains"] = rows
    size = asked.rows * asked.cols / (ROWS * COLS)
    about = sum(
        min(chain.rounds, asked.rounds) * (chain.about_s * size + 4) for chain in chosen
    )
    _say(f"chains: about {about / 60:.0f} minutes on quiet cores")
    try:
        for number in range(asked.rounds):
            for chain in np.roll(np.array(chosen, dtype=object), -number):
                row = rows[chain.name]
                if row.trouble or number >= chain.rounds:
                    continue
                outcome = _trial(chain, folder, asked, python, scratch, number == 0)
                if outcome.error:
                    row.trouble = f"failed in round {number + 1}: {outcome.error}"
                else:
                    row.outcomes.append(outcome)
                said = row.trouble or (
                    f"{outcome.wall_s:.2f} s, CPU {outcome.cpu_s:.2f} s, "
                    f"{outcome.peak_mb:.0f} MB"
                )
                _say(f"round {number + 1}, {chain.name}: {said}")
    finally:  # stopped or not
        print(tables.chains(rows), flush=True)


def _trial(
    chain: Chain,
    folder: Path,
    asked: argparse.Namespace,
    python: str,
    scratch: Path,
    save: bool = False,
) -> Any:
    tiny = _terrain(asked, *TINY)
    place = scratch / "work"
    place.mkdir(exist_ok=True)
    trial = Trial(
        chain=chain.name,
        folder=str(folder),
        tiny=str(tiny),
        scratch=str(place),
        save=str(_saved(scratch, chain.name)) if save else None,
    )
    return run(trial, python if chain.modules else sys.executable, asked.timeout)


def _saved(scratch: Path, name: str) -> Path:
    return scratch / f"{list(CHAINS).index(name)}.npz"


def _terrain(asked: argparse.Namespace, rows: int, cols: int) -> Path:
    start = time.perf_counter()
    folder = written(asked.folder, rows, cols)
    if time.perf_counter() - start > 1:
        _say(f"drew {folder.name} in {time.perf_counter() - start:.0f} s")
    for path in folder.glob("*.tif"):  # into the page cache, as for all later ones
        with path.open("rb") as file:
            while file.read(1 << 24):
                pass
    return folder


def _trouble(chain: Chain, python: str) -> str:
    lacking = chain.missing or peers.missing(python, chain.modules)
    return f"not here: {lacking}" if lacking else ""


def _judges(
    asked: argparse.Namespace, python: str, scratch: Path, result: dict[str, Any]
) -> None:
    folder = _terrain(asked, asked.rows, asked.cols)
    verdicts = result["judges"] = {}
    for chain in (OURS, ATLITE):
        path = _saved(scratch, chain)
        if not path.exists() and not _trouble(CHAINS[chain], python):
            outcome = _trial(CHAINS[chain], folder, asked, python, scratch, True)
            if outcome.error:
                _say(f"{chain} cannot be judged: {outcome.error}")
    ours, theirs = _saved(scratch, OURS), _saved(scratch, ATLITE)
    questions: dict[str, Any] = {
        "slope": lambda: judges.slopes(folder, scratch / "work" / "slope.tif"),
        "buffers": lambda: judges.buffers(folder, python),
    }
    if ours.exists():
        questions["polygons"] = lambda: judges.outlines(Sites.load(ours))
        questions["zones"] = lambda: judges.zones(folder, ours, python)
    if ours.exists() and theirs.exists():
        questions["disagreement"] = lambda: judges.disagreement(
            folder, Sites.load(ours), Sites.load(theirs)
        )
    if ours.exists():
        small = _terrain(asked, min(asked.rows, 3000), min(asked.cols, 4000))
        questions["invariance"] = lambda: judges.invariance(small)
    for name, question in questions.items():
        start = time.perf_counter()
        verdicts[name] = question()
        _say(f"judged {name} in {time.perf_counter() - start:.0f} s")
    print(tables.judges(verdicts), flush=True)


def _growth(
    asked: argparse.Namespace, python: str, scratch: Path, result: dict[str, Any]
) -> None:
    """Lodemap and the floor on ever more cells."""
    grown = result["growth"] = []
    for side in GROWTH[: len(GROWTH) - (not asked.huge)]:
        rows, cols = round(asked.rows * side), round(asked.cols * side)
        if min(rows, cols) < 512:
            continue
        folder = _terrain(asked, rows, cols)
        some = [tables.Row(CHAINS[name]) for name in (FLOOR, OURS, BEST)]
        grown.append((rows * cols, *some))
        for number in range(min(asked.rounds, 3)):
            for row in some:
                outcome = _trial(row.chain, folder, asked, python, scratch)
                if outcome.error:
                    row.trouble = outcome.error
                else:
                    row.outcomes.append(outcome)
                _say(
                    f"{rows} × {cols}, round {number + 1}, {row.chain.name}: "
                    f"{outcome.error or f'{outcome.wall_s:.2f} s'}"
                )
    print(tables.growth(grown), flush=True)


def _keep(path: Path | None, result: dict[str, Any]) -> None:
    if path is not None:
        unfinished = path.with_name(path.name + ".part")
        unfinished.write_text(
            json.dumps(tables.as_json(result), indent=1, ensure_ascii=False)
        )
        unfinished.replace(path)


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

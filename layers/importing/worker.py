"""The process that reads strangers' files: started by its path, never imported there.

It is two processes where there is ``fork``. One reads, confined, and may be killed at
any time. The other waits for the caller's end: when the caller closes its pipe, or
dies, it kills the reader and removes the private folder.

The request is one line of JSON on standard input. Answers are lines of JSON on what was
standard output: how far the reader is, and at last ``result``, ``error`` or ``died``.

Started as ``prepared PID`` it is one process more, which reads nothing: it loads what
readers need and forks those two for each file, as long as the process PID lives. What
comes on its standard input, a socket, is a folder and two ends of pipes, which become
standard input and output of the first of the two. That one's first line is its number.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

if __name__ == "__main__":
    # Only modules of the two packages that are named are loaded, not what the packages
    # load by themselves: that would take half of the time.
    for _name in ("geo", "layers"):
        _package = types.ModuleType(_name)
        _package.__path__ = [str(Path(__file__).resolve().parents[2] / _name)]
        sys.modules[_name] = _package

_UNUSED = ("geopandas", "pandas", "pyproj")
_TELL_EVERY_S = 0.1
PREFIX = "lodemap-import-"
"""How the names of private folders begin; no other is removed."""


_IDLE_S = 600.0
"""How long a prepared process waits for another file. [s]"""


def main() -> None:
    """Read one file as standard input asks, or be ready for many."""
    if sys.argv[1:2] == ["prepared"]:
        _load()
        importlib.import_module("layers.importing.dispatch")
        importlib.import_module("layers.importing.confinement")
        _serve(int(sys.argv[2]))
        return
    _read_one(_silenced(), loaded=False)


def _silenced() -> int:
    """Let what libraries print go nowhere; return where answers go."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
    return answers


def _serve(caller: int) -> None:
    """Fork a process for each file, while the caller lives."""
    import select

    # A lock that a thread holds would be held for ever in each child.
    if len(list(Path("/proc/self/task").iterdir())) != 1:
        sys.exit(1)
    alive = os.pidfd_open(caller)
    if os.getppid() != caller:
        sys.exit(1)
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=0) as asked:
        while True:
            waiting: list[Any] = [asked, alive, told]
            ready, _, _ = select.select(waiting, [], [], _IDLE_S)
            if told in ready:
                os.read(told, 1024)
                _reap()
            if alive in ready or not ready:
                return
            if asked not in ready:
                continue
            folder, ends, _, _ = socket.recv_fds(asked, 4096, 2)
            if not folder:
                return
            if os.fork() == 0:
                for own in (alive, told, tell):
                    os.close(own)
                break
            for end in ends:
                os.close(end)
    # Only a child comes here, and the socket of the prepared process is closed.
    try:
        _become_reader(os.fsdecode(folder), *ends)
    finally:
        os._exit(1)


def _reap() -> None:
    """Take leave of children that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def _become_reader(folder: str, requests: int, answers: int) -> None:
    """Be, after a fork, what an interpreter started for one file is."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.chdir(folder)
    for name in ("TMPDIR", "HOME", "SQLITE_TMPDIR"):
        os.environ[name] = folder
    os.dup2(requests, 0)
    os.dup2(answers, 1)
    for end in (requests, answers):
        os.close(end)
    answers = _silenced()
    _send(answers, os.getpid())
    _read_one(answers, loaded=True)
    os._exit(0)


def _read_one(answers: int, *, loaded: bool) -> None:
    """Read the file that standard input names."""
    if not loaded:
        _load()
    if hasattr(os, "fork"):
        _watch(answers)
    else:
        _work(0, answers)


def _load() -> None:
    """Load what nearly every file needs while the caller still copies this one.

    Nothing of the file is there yet, so nothing has to be confined yet.
    """
    sys.meta_path.insert(0, _Without())
    try:
        for name in ("numpy", "pyarrow", "pyogrio", "layers.importing.vector"):
            importlib.import_module(name)
    except ImportError:  # said by the reader that needs it
        return


def _first_line(requests: int) -> bytes:
    """Read the request, and not a byte beyond it."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(requests, 1)
        if not byte:
            sys.exit(1)
        line += byte
    return line


def _watch(answers: int) -> None:
    """Let a child read; clean up when the caller goes.

    The child is there before the request, and confines itself while the caller still
    copies the file.
    """
    import select
    import shutil

    folder = Path.cwd()
    alive, held = os.pipe()
    requests, hand_over = os.pipe()
    child = os.fork()
    if child == 0:
        for end in (alive, hand_over, 0):
            os.close(end)
        try:
            _work(requests, answers)
        finally:
            os._exit(0)
    for end in (held, requests):
        os.close(end)
    waiting = [0, alive]
    try:
        request = _first_line(0)
        with contextlib.suppress(BrokenPipeError):
            os.write(hand_over, request)
        while True:
            ready, _, _ = select.select(waiting, [], [])
            if alive in ready:
                _, status = os.waitpid(child, 0)
                child, waiting = 0, [0]
                if status:
                    _send(answers, {"died": os.waitstatus_to_exitcode(status)})
            if 0 in ready and not os.read(0, 1024):
                return
    finally:
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        if folder.name.startswith(PREFIX):
            shutil.rmtree(folder, ignore_errors=True)


def _work(requests: int, answers: int) -> None:
    """Read the file that a request names and send what comes of it."""
    from layers.errors import ReadError
    from layers.importing.confinement import limit, shut_in

    holds = shut_in(Path.cwd())
    request = json.loads(_first_line(requests))
    if requests:
        os.close(requests)
    folder = Path(request["folder"])
    bounds = {name: request[name] for name in ("memory_mb", "disk_mb", "seconds")}
    holds = limit(**bounds) + holds
    try:
        answer = {"result": _read(request, folder, answers), "holds": holds}
    except ReadError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"died": "memory"}
    except OSError as error:
        died = _NO_ROOM.get(error.errno or 0)
        answer = {"died": died} if died is not None else _broken(error)
    except Exception as error:  # noqa: BLE001 - a reader broken by its input
        answer = _broken(error)
    _send(answers, answer)


class _Without:
    """Keeps pyogrio from loading what it can do without."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: object = None
    ) -> None:
        """Find no module of those."""
        del path, target
        if name in _UNUSED:
            raise ModuleNotFoundError(f"{name} is not needed here", name=name)


_NO_ROOM = {12: "memory", 27: "disk", 28: "disk"}
"""What an error of the system means: no memory, file too large, no space left."""


def _broken(error: Exception) -> dict[str, Any]:
    """Say that a reader failed in a way that nobody foresaw."""
    line = (str(error).splitlines() or [""])[0][:160]
    return {"broken": f"{type(error).__name__}: {line}"}


def _read(request: dict[str, Any], folder: Path, answers: int) -> dict[str, Any]:
    """Read the file; return what the caller makes a RawFile of."""
    from layers.importing.dispatch import read_file
    from layers.importing.encodings import flagged_encoding
    from layers.importing.jobs import Job

    told = 0.0

    def progress(done: int, whole: int) -> None:
        nonlocal told
        if time.monotonic() - told > _TELL_EVERY_S:
            told = time.monotonic()
            _send(answers, {"done": done, "whole": whole})

    encoding = request["encoding"]
    job = Job(
        file=folder / request["file"],
        name=request["name"],
        layer=request["layer"],
        encoding=flagged_encoding(encoding) if encoding is not None else None,
        size=request["size"],
        bytes_at_most=request["disk_mb"] << 20,
        out=folder / "rows.arrow",
        progress=progress,
        has_written=lambda rows: _send(answers, {"written": rows}),
        foretell=lambda kind: _send(answers, {"geometry": kind}),
    )
    reading = read_file(job)
    written = reading.written
    return {
        "rows": written.rows,
        "columns": written.columns,
        "has_geometry": written.has_geometry,
        "crs": reading.crs,
        "crs_by": reading.crs_by,
        "kind": reading.kind,
        "layer": reading.layer,
        "layers": reading.layers,
        "encoding": reading.encoding,
        "notes": reading.notes,
        "mended": dict(written.mended),
    }


def _send(answers: int, answer: dict[str, Any] | int) -> None:
    """Write one answer; a caller who is gone needs none."""
    line = json.dumps(answer, ensure_ascii=True).encode() + b"\n"
    try:
        while line:
            line = line[os.write(answers, line) :]
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()

"""Processes that read one file each: forked from a prepared one, or started afresh.

On Linux the first file starts a *prepared* process that has loaded what readers need,
has opened no file, and runs no thread. It forks a process for each file, which confines
itself before it reads a byte, and dies with what it read: no file ever meets what
another left. The prepared process takes nothing from the caller but the two variables
that say where code is, ends when the caller does, and after some idle minutes. In a
process that the caller forks another one is started.

Elsewhere, and wherever the prepared one fails, an interpreter is started for each file.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from layers.importing import worker
from layers.importing.vector import GDAL_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEPT = ("PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
_SETTINGS = {
    **GDAL_SETTINGS,
    "LC_ALL": "C.UTF-8",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    # A process of several threads may not give up its network.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}
_INTERPRETER = (sys.executable, "-P", "-s", "-B", "-X", "utf8")
_PATIENCE_S = 30.0
_END_S = 5.0
_TRIES = 3


@dataclass(kw_only=True)
class Process:
    """A process that reads one file, in a group of its own.

    Attributes
    ----------
    pid
        Its number, which is that of the group; 0 where it is not known yet.
    requests
        Takes one line, the request. When it closes, the process ends and removes its
        folder.
    answers
        Gives lines.
    started
        The interpreter, if one was started for this file alone.
    """

    pid: int
    requests: IO[bytes]
    answers: IO[bytes]
    started: subprocess.Popen[bytes] | None = None

    def ask(self, request: dict[str, Any]) -> None:
        """Tell what to read; if it is dead, its answer says so."""
        with contextlib.suppress(BrokenPipeError):
            self.requests.write(json.dumps(request).encode() + b"\n")
            self.requests.flush()

    def end(self) -> None:
        """Kill the whole group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.started is not None and not hasattr(os, "killpg"):
                self.started.kill()
            elif self.pid:
                os.killpg(self.pid, signal.SIGKILL)


@contextmanager
def started_process(folder: Path) -> Iterator[Process]:
    """Start an interpreter for one file; at the end none of it is left.

    Parameters
    ----------
    folder
        Where it works; the file and the rows go there.

    Yields
    ------
    Process
        It still loads, and waits for its request.
    """
    own = {"TMPDIR": str(folder), "HOME": str(folder), "SQLITE_TMPDIR": str(folder)}
    started = subprocess.Popen(
        [*_INTERPRETER, worker.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=_environment() | own,
        start_new_session=True,
    )
    assert started.stdin is not None
    assert started.stdout is not None
    process = Process(
        pid=started.pid,
        requests=started.stdin,
        answers=started.stdout,
        started=started,
    )
    with started:  # closes the pipes and waits
        try:
            yield process
        finally:
            process.end()


def _environment() -> dict[str, str]:
    """Make the environment of a process that reads."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, **_SETTINGS}


class ForkedProcess(Process):
    """A process that the prepared one forked, or is about to."""

    _handle: int | None = None

    def came(self) -> bool:
        """Wait until it is there; False if it does not come."""
        line = b""
        while not line.endswith(b"\n"):
            ready, _, _ = select.select([self.answers], [], [], _PATIENCE_S)
            byte = os.read(self.answers.fileno(), 1) if ready else b""
            if not byte:
                _prepared.fails()
                return False
            line += byte
        pid = int(line)
        try:
            # It waits for its request, so the number is still its own.
            self._handle = os.pidfd_open(pid)
        except OSError:
            _prepared.fails()
            return False
        self.pid = pid
        return True

    def end(self) -> None:
        """Kill the whole group, unless it is gone and its number may be another's."""
        if self._handle is not None and not _is_readable(self._handle, 0.0):
            super().end()

    def close(self) -> None:
        """End it, and wait until it is gone."""
        self.end()
        with contextlib.suppress(BrokenPipeError):
            self.requests.close()
        if self._handle is not None:
            _is_readable(self._handle, _END_S)
            os.close(self._handle)
            _is_readable(self.answers.fileno(), _END_S, select.POLLHUP)
        self.answers.close()


def _is_readable(descriptor: int, seconds: float, event: int = select.POLLIN) -> bool:
    """Wait until something happens to a descriptor; False if nothing does."""
    waiting = select.poll()
    waiting.register(descriptor, event)
    return bool(waiting.poll(seconds * 1000))


@contextmanager
def forked_process(folder: Path) -> Iterator[ForkedProcess | None]:
    """Let the prepared process fork one for a file; at the end none of it is left.

    Parameters
    ----------
    folder
        Where it works; the file and the rows go there.

    Yields
    ------
    ForkedProcess or None
        It may still have to come; None where there is no prepared process.
    """
    process = _prepared.fork(folder)
    if process is None:
        yield None
        return
    try:
        yield process
    finally:
        process.close()


def get_ready() -> None:
    """Start the prepared process, so that it loads while the caller does other work."""
    _prepared.start()


class _Prepared:
    """The prepared process of this process, once there is one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._failed = 0

    def start(self) -> bool:
        """Start it unless it runs; False where there can be none."""
        with self._lock:
            return self._start()

    def fork(self, folder: Path) -> ForkedProcess | None:
        """Let it fork a process; None where there can be none."""
        with self._lock:
            for _ in range(2):  # it may have left since the last file
                if not self._start():
                    return None
                process = self._send(folder)
                if process is not None:
                    return process
                self._drop()
            self._failed += 1
        return None

    def fails(self) -> None:
        """Start another next time, but not for ever."""
        with self._lock:
            self._failed += 1
            self._drop()

    def stop(self) -> None:
        """End it."""
        with self._lock:
            self._drop()

    def forget(self) -> None:
        """Take it for another process', which it is after a fork."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            self._process.returncode = 0

    def _start(self) -> bool:
        """Start it, the lock being held."""
        if not _IS_LINUX or self._failed >= _TRIES:
            return False
        if self._line is not None:
            return True
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            try:
                self._process = subprocess.Popen(
                    [*_INTERPRETER, worker.__file__, "prepared", str(os.getpid())],
                    stdin=its.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    cwd="/",
                    # sqlite remembers it; in each child it is its own folder.
                    env={**_environment(), "SQLITE_TMPDIR": "."},
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        self._line = ours
        return True

    def _send(self, folder: Path) -> ForkedProcess | None:
        """Send it two ends of pipes and a folder; None if it is not there."""
        assert self._line is not None
        request_end, requests = os.pipe()
        answers, answer_end = os.pipe()
        process = ForkedProcess(
            pid=0, requests=os.fdopen(requests, "wb"), answers=os.fdopen(answers, "rb")
        )
        ends = [request_end, answer_end]
        try:
            socket.send_fds(
                self._line, [os.fsencode(folder)], ends, socket.MSG_NOSIGNAL
            )
        except OSError:
            process.close()
            return None
        finally:
            for end in ends:
                os.close(end)
        return process

    def _drop(self) -> None:
        """End it; what it forked goes on, for it reads for its own caller."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:  # it has nothing to put in order
            self._process.kill()
            self._process.wait()
        self._line = self._process = None


_IS_LINUX = sys.platform == "linux" and hasattr(os, "pidfd_open")
_prepared = _Prepared()


def _after_fork() -> None:
    """Let a process that the caller forked have one of its own."""
    global _prepared  # noqa: PLW0603
    _prepared.forget()
    _prepared = _Prepared()


def _at_exit() -> None:
    """Leave none behind."""
    _prepared.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)

"""Rows out of a file that nobody vouches for, read in a process apart from this one.

The file, and the sidecars that its kind has, are copied into a private folder; a
process of its own (:mod:`layers.importing.processes`) with an environment of its own
reads the copy with one reader, chosen by the first bytes, and writes the rows there as
Arrow. What it says is checked, and nothing of it is unpickled or run. Everywhere it has
a time limit, a single GDAL driver, and two settings that keep GDAL from the network.
Where the system has them it has bounds on memory, processor and file length, too
(POSIX), and on Linux neither a network nor other files, if the kernel lets a process
give them up (:mod:`layers.importing.confinement`).
When the caller dies, its watcher ends it and removes the folder (POSIX).
"""

from __future__ import annotations

import contextlib
import json
import queue
import shutil
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from layers.errors import ReadError
from layers.importing import worker
from layers.importing.ahead import Growing
from layers.importing.outlines import get_ready
from layers.importing.processes import Process, forked_process, started_process
from layers.importing.staging import Staged, checked, stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike

    import pyarrow as pa

_LONGEST_ANSWER = 32 << 20
_LAST = ("result", "error", "died", "broken")
_MB = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What reading a file may cost.

    Attributes
    ----------
    seconds
        Time for a small file. [s]
    seconds_per_mb
        Time on top for every megabyte of the file. [s/MB]
    memory_mb
        Address space of the process that reads, libraries included (about 300 MB of
        it). [MB]
    disk_mb
        Length of the rows as written for the caller, of an archive unpacked, and of
        the file itself. [MB]
    """

    seconds: float = 20.0
    seconds_per_mb: float = 0.5
    memory_mb: int = 3072
    disk_mb: int = 8192


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """Rows of one layer of a file, as the file has them.

    Attributes
    ----------
    arrow
        Arrow IPC file in a private temporary folder: record batches of at most 16,384
        rows; the attribute columns under their own names, then ``geometry`` (WKB,
        may hold nulls) if the file has places. Map it into memory.
    rows
        Number of rows.
    columns
        Attribute columns in their order.
    has_geometry
        Whether there is a column ``geometry``.
    crs
        What the file states, as WKT or ``AUTHORITY:CODE``; None if it states none.
    crs_by
        Who says so: ``"file"``, ``"format"`` (KML, GeoJSON without ``crs``: WGS 84 by
        its standard) or ``""``.
    kind
        Such as ``"GeoPackage"``, ``"Shapefile"``, ``"KML"``, ``"CSV"``, ``"XLSX"``.
    layer
        Layer that was read.
    layers
        All that there were; tables for styles and projects are no layers.
    encoding
        Encoding of its text; empty where the format leaves no choice.
    sha256
        Of the file as given; of a folder, over the names and sums of its files.
    size
        Length of what was given. [bytes]
    notes
        One sentence each on what a reader should know.
    mended
        What was mended at reading, and how often: ``{"open rings closed": 2}``.
    """

    arrow: Path
    rows: int
    columns: tuple[str, ...]
    has_geometry: bool
    crs: str | None
    crs_by: str
    kind: str
    layer: str
    layers: tuple[str, ...]
    encoding: str
    sha256: str
    size: int
    notes: tuple[str, ...]
    mended: Mapping[str, int]


@contextmanager
def open_raw(
    path: str | PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
    each: Callable[[pa.RecordBatch], None] | None = None,
) -> Iterator[RawFile]:
    """Read one layer of a file in a process with bounds, and lend out its rows.

    Parameters
    ----------
    path
        An existing file, or the folder of a File Geodatabase.
    layer
        Layer, sheet or member of an archive; None if there is only one.
    encoding
        Encoding of its text, such as ``"cp949"``, where the file states none or a
        wrong one.
    limits
        What reading may cost; None for the defaults of :class:`Limits`.
    progress
        Called with rows read and rows in all, as far as the file says.
    each
        Called with each record batch as soon as it is there, while the rest of the
        file is still being read.

    Yields
    ------
    RawFile
        Its file is gone at the end of the ``with`` block.

    Raises
    ------
    ReadError
        If the file cannot be read, or not within the limits.
    """
    limits = limits or Limits()
    folder = Path(tempfile.mkdtemp(prefix=worker.PREFIX)).resolve()
    try:
        with ExitStack() as stack:
            # It may load its libraries while the file is copied and summed.
            forked = stack.enter_context(forked_process(folder))
            process: Process | None = forked
            if forked is None:
                process = stack.enter_context(started_process(folder))
            staged = stage(path, folder, bytes_at_most=limits.disk_mb * _MB)
            if forked is not None and not forked.came():
                process = stack.enter_context(started_process(folder))
            assert process is not None
            seconds = limits.seconds + limits.seconds_per_mb * staged.size / _MB
            request = {
                "folder": str(folder),
                "file": staged.file,
                "name": _shown(staged.name),
                "size": staged.size,
                "layer": layer,
                "encoding": encoding,
                "memory_mb": limits.memory_mb,
                "disk_mb": limits.disk_mb,
                "seconds": seconds,
            }
            process.ask(request)
            arrow = folder / "rows.arrow"
            taking = None if each is None else _Taking(arrow, staged, each)
            answer = _answer(process, staged, seconds, limits, progress, taking)
            yield _raw_file(answer, arrow, staged)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _shown(name: str) -> str:
    """Name of a file as text that JSON and a terminal can hold."""
    text = name.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in text)[:200]


def _answer(
    process: Process,
    staged: Staged,
    seconds: float,
    limits: Limits,
    progress: Callable[[int, int], None] | None,
    taking: _Taking | None,
) -> dict[str, Any]:
    """Wait for the last answer of the process that reads."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    reader = threading.Thread(
        target=_collect, args=(process.answers, lines), name="import", daemon=True
    )
    reader.start()
    deadline = time.monotonic() + seconds
    name = _shown(staged.name)
    try:
        while True:
            try:
                answer: dict[str, Any] = {"died": "silently"}
                line = lines.get(timeout=max(0.0, deadline - time.monotonic()))
                if line:
                    answer = json.loads(line)
            except queue.Empty:
                raise ReadError(
                    f"reading {name} took longer than {seconds:.0f} s and was ended; "
                    "it is damaged, or made to read without end. Limits.seconds sets "
                    "the time"
                ) from None
            except (ValueError, RecursionError):
                answer = {"died": "in the midst of an answer"}
            if "geometry" in answer:  # nothing else to do until it has been read
                get_ready(str(answer["geometry"]), staged.size)
            if taking is not None and "written" in answer:
                deadline += taking.until(int(answer["written"]))
            if progress is not None and "done" in answer:
                progress(int(answer["done"]), int(answer["whole"]))
            if any(key in answer for key in _LAST):
                break
    except BaseException:
        process.end()
        raise
    if "result" in answer:
        if progress is not None:
            progress(answer["result"]["rows"], answer["result"]["rows"])
        return checked(answer["result"])
    raise ReadError(_why(name, answer, limits))


class _Taking:
    """Hands on the rows of a file while it is being read."""

    def __init__(
        self, arrow: Path, staged: Staged, each: Callable[[pa.RecordBatch], None]
    ) -> None:
        self._rows = Growing(arrow, _shown(staged.name))
        self._each = each

    def until(self, rows: int) -> float:
        """Hand on what is there, and say how long that took, in seconds."""
        began = time.monotonic()
        for batch in self._rows.until(rows):
            self._each(batch)
        return time.monotonic() - began


def _collect(stream: IO[bytes], lines: queue.SimpleQueue[bytes]) -> None:
    """Hand lines on; an empty one is the end."""
    with contextlib.suppress(OSError, ValueError):
        while line := stream.readline(_LONGEST_ANSWER):
            lines.put(line)
    lines.put(b"")


def _why(name: str, answer: dict[str, Any], limits: Limits) -> str:
    """Say why there are no rows."""
    if "error" in answer:
        return str(answer["error"])
    if "broken" in answer:
        return f"{name} cannot be read; it may be damaged: {answer['broken']}"
    died = answer["died"]
    if died == "disk":
        return (
            f"{name} would take more than {limits.disk_mb:,} MB of room as rows; "
            "Limits.disk_mb sets how much"
        )
    if died in ("memory", -6):
        return (
            f"{name} needs more than {limits.memory_mb:,} MB of memory to be read, or "
            "is damaged; Limits.memory_mb sets how much"
        )
    if died in (-24, -9):
        return f"reading {name} took too long and was ended; it may be damaged"
    return f"{name} broke the process that read it ({died}); it is damaged"


def _raw_file(answer: dict[str, Any], arrow: Path, staged: Staged) -> RawFile:
    """Make the record, if the rows are what the answer says."""
    import pyarrow as pa

    raw = RawFile(arrow=arrow, sha256=staged.sha256(), size=staged.size, **answer)
    places = ["geometry"] if raw.has_geometry else []
    try:
        with pa.memory_map(str(arrow)) as stream, pa.ipc.open_file(stream) as rows:
            agrees = rows.schema.names == [*raw.columns, *places]
    except (OSError, pa.ArrowException):
        agrees = False
    if not agrees:
        raise ReadError(f"{_shown(staged.name)}: the rows that were read are damaged")
    return raw

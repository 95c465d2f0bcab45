"""A private copy of an input, so that nothing is written beside the original."""

from __future__ import annotations

import hashlib
import os
import queue
import re
import stat
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.errors import ReadError
from layers.importing.sniffing import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

_CHUNK = 1 << 20
_AHEAD = 64  # chunks that are copied and not summed yet
_FILES_AT_MOST = 10_000
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A copy of an input.

    Attributes
    ----------
    file
        Its name in the private folder.
    name
        Name of the original.
    size
        Length of all that was copied. [bytes]
    sums
        Of the file, under an empty name, or of each file of a folder.
    """

    file: str
    name: str
    size: int
    sums: Mapping[str, _Sum]

    def sha256(self) -> str:
        """Sum of the file as given; of a folder, over names and sums of its files.

        It is taken beside the copying, and may not be ready yet: this waits for it.
        """
        if "" in self.sums:
            return self.sums[""].hexdigest()
        sum_of = hashlib.sha256()
        for name, one in self.sums.items():
            line = f"{one.hexdigest()}  {name}\n"
            sum_of.update(line.encode("utf-8", "surrogateescape"))
        return sum_of.hexdigest()


class _Sum:
    """SHA-256 of what is handed over, taken in a thread; hand over nothing to end.

    It is begun at the end, so that it does not take time from the copying, or once as
    much is waiting for it as may be held.
    """

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes] = queue.Queue(_AHEAD)
        self._sum = hashlib.sha256()
        self._thread = threading.Thread(target=self._run, name="sum", daemon=True)
        self._is_begun = False

    def add(self, chunk: bytes) -> None:
        """Hand over the next bytes; wait if too many are waiting already."""
        if not self._is_begun and (not chunk or self._chunks.full()):
            self._thread.start()
            self._is_begun = True
        self._chunks.put(chunk)

    def _run(self) -> None:
        while chunk := self._chunks.get():
            self._sum.update(chunk)

    def hexdigest(self) -> str:
        """Wait for the end, and tell the sum."""
        self._thread.join()
        return self._sum.hexdigest()


def stage(path: str | PathLike[str], folder: Path, *, bytes_at_most: int) -> Staged:
    """Copy a file, and the sidecars that its kind has, into a folder.

    Parameters
    ----------
    path
        A regular file, or the folder of a File Geodatabase.
    folder
        Where the copies go, under names of our own.
    bytes_at_most
        How long all of it may be. [bytes]

    Returns
    -------
    Staged
        Name, sum and length.

    Raises
    ------
    ReadError
        If it is missing, a device, a pipe or another folder, or too long; if a program
        has it open with changes that are not in it yet.
    """
    original = Path(path)
    shown = original.name[:80] or str(path)[:80]
    try:
        real = original.resolve(strict=True)
        mode = real.stat().st_mode
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)[:80]
        hint = (
            "; addresses and names of services are not opened"
            if _is_address(path)
            else ""
        )
        raise ReadError(f"{shown!r} cannot be read: {reason}{hint}") from None
    ending = real.suffix.lower()
    ending = ending if re.fullmatch(r"\.[a-z0-9]{1,12}", ending) else ""
    target = folder / f"input{ending}"
    budget = [bytes_at_most]
    if stat.S_ISDIR(mode):
        if ending != ".gdb":
            raise ReadError(f"{shown} is a folder; expected a file, or a folder .gdb")
        sums, size = _copy_folder(real, target, shown, budget)
        return Staged(file=target.name, name=original.name, size=size, sums=sums)
    if not stat.S_ISREG(mode):
        raise ReadError(f"{shown} is no regular file but a device or a pipe")
    _refuse_open_database(real, shown)
    own, size = _copy(real, target, shown, budget)
    for sidecar in _sidecars(real, ending):
        beside = folder / f"input{sidecar.suffix.lower()}"
        size += _copy(sidecar, beside, sidecar.name[:80], budget)[1]
    return Staged(file=target.name, name=original.name, size=size, sums={"": own})


def _is_address(path: str | PathLike[str]) -> bool:
    """Say whether a path looks like something that GDAL would open."""
    return bool(re.match(r"/vsi|[A-Za-z0-9_ ]{2,}:", os.fspath(path)))


def _refuse_open_database(file: Path, shown: str) -> None:
    """Refuse a database whose last changes stand in another file."""
    log = file.with_name(f"{file.name}-wal")
    try:
        unsaved = log.stat().st_size > 0
    except OSError:
        return
    if unsaved:
        raise ReadError(
            f"{shown} has changes that are still in {log.name[:80]}; close the program "
            "that has it open, such as QGIS, and try again"
        )


def _sidecars(file: Path, ending: str) -> list[Path]:
    """Files beside a file that belong to it, by its name."""
    endings = {
        sidecar
        for kind in KINDS.values()
        if ending in kind.endings
        for sidecar in kind.sidecars
    }
    if not endings:
        return []
    found: dict[str, Path] = {}
    with os.scandir(file.parent) as entries:
        for entry in entries:
            stem, dot, end = entry.name.rpartition(".")
            lower = dot + end.lower()
            if stem.lower() != file.stem.lower() or lower not in endings:
                continue
            if entry.is_file() and (stem == file.stem or lower not in found):
                found[lower] = Path(entry.path)
    return list(found.values())


def _copy(
    source: Path, target: Path, shown: str, budget: list[int]
) -> tuple[_Sum, int]:
    """Copy one regular file; return its sum and length."""
    sum_of, size = _Sum(), 0
    try:
        descriptor = os.open(source, _FLAGS)
        with os.fdopen(descriptor, "rb") as stream, target.open("xb") as out:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise ReadError(f"{shown} is no regular file but a device or a pipe")
            while chunk := stream.read(_CHUNK):
                budget[0] -= len(chunk)
                if budget[0] < 0:
                    raise ReadError(
                        f"{shown} is longer than the limit for reading; raise disk_mb, "
                        "or keep only what you need"
                    )
                size += len(chunk)
                sum_of.add(chunk)
                out.write(chunk)
    except OSError as error:
        raise ReadError(f"{shown} cannot be read: {error.strerror}") from None
    finally:
        sum_of.add(b"")
    return sum_of, size


def _copy_folder(
    source: Path, target: Path, shown: str, budget: list[int]
) -> tuple[dict[str, _Sum], int]:
    """Copy the files of a folder, none below it; return their sums and the length."""
    target.mkdir()
    files = sorted(entry for entry in source.iterdir() if not entry.is_dir())
    if len(files) > _FILES_AT_MOST:
        raise ReadError(f"{shown} holds {len(files):,} files, too many for one .gdb")
    sums: dict[str, _Sum] = {}
    whole = 0
    for file in files:
        if file.is_symlink() or not file.is_file():
            raise ReadError(f"{shown}: {file.name[:80]} is no regular file")
        sums[file.name], size = _copy(file, target / file.name, file.name[:80], budget)
        whole += size
    return sums, whole


def checked(answer: dict[str, Any]) -> dict[str, Any]:
    """Check that a reader's answer has the types that it should have.

    Parameters
    ----------
    answer
        What the process that read the file sent.

    Returns
    -------
    dict
        Arguments of :class:`layers.importing.raw.RawFile`.

    Raises
    ------
    ReadError
        If anything in it is of another type.
    """
    found = dict(answer)
    try:
        for key in ("columns", "layers", "notes"):
            found[key] = tuple(_of(text, str) for text in _of(answer[key], list))
        for key in ("kind", "layer", "encoding", "crs_by"):
            _of(answer[key], str)
        _of(answer["rows"], int)
        _of(answer["has_geometry"], bool)
        if answer["crs"] is not None:
            _of(answer["crs"], str)
        mended = _of(answer["mended"], dict)
        found["mended"] = {_of(k, str): _of(v, int) for k, v in mended.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise ReadError(f"the reader's answer makes no sense: {error}") from None
    return found


def _of(value: Any, kind: type) -> Any:
    """Return a value that is of a type."""
    if type(value) is not kind:
        raise TypeError(f"{str(value)[:40]!r} is no {kind.__name__}")
    return value

"""Files written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from geo.errors import GeoError
from layers.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file whose content stands at a path once all of it is on the disk.

    Parameters
    ----------
    path
        File to write. A file that stands there is replaced whole or not at all.

    Yields
    ------
    binary file
        A new file in the same folder; flushed and renamed at the end, removed if
        anything goes wrong.

    Raises
    ------
    WriteError
        If the file cannot be written: no such folder, no permission, no room.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise WriteError(
            f"cannot write {path}: it is a folder or a device; expected a file or a "
            "new name. Give the path of a file."
        )
    try:
        with _temporary_beside(target) as (descriptor, temporary):
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            temporary.chmod(_mode(target))
            temporary.replace(target)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise WriteError(
            f"cannot write {path}: {reason}; expected a folder that can be written, "
            "with room for the file. What stood there before is untouched."
        ) from error


@contextlib.contextmanager
def building(path: Path) -> Iterator[Path]:
    """Give a program a name to write to; the file stands at a path once it is whole.

    Parameters
    ----------
    path
        File to write. A file that stands there is replaced whole or not at all.

    Yields
    ------
    pathlib.Path
        The same name in a new folder beside, for programs that open files by name and
        put others next to them; on the disk and renamed at the end, and the folder
        removed whatever happens.

    Raises
    ------
    WriteError
        If the file cannot be written: no such folder, no permission, no room.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise WriteError(
            f"cannot write {path}: it is a folder or a device; expected a file or a "
            "new name. Give the path of a file."
        )
    folder = None
    try:
        folder = Path(
            tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.part-")
        )
        built = folder / target.name
        yield built
        with built.open("rb+") as stream:
            os.fsync(stream.fileno())
        built.chmod(_mode(target))
        built.replace(target)
    except OSError as error:
        if isinstance(error, GeoError):
            raise
        reason = error.strerror or type(error).__name__
        raise WriteError(
            f"cannot write {path}: {reason}; expected a folder that can be written, "
            "with room for the file. What stood there before is untouched."
        ) from error
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _temporary_beside(path: Path) -> Iterator[tuple[int, Path]]:
    """Yield a new file in the folder of ``path``, gone afterwards unless renamed."""
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{path.name}.", suffix=".part"
    )
    temporary = Path(name)
    try:
        yield descriptor, temporary
    finally:
        temporary.unlink(missing_ok=True)


def _mode(path: Path) -> int:
    """Permissions for the file: those of the one it replaces, else the usual ones."""
    try:
        return path.stat().st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

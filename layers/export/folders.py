"""Folders of files that are written whole or not at all, with their checksums."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from layers.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator

SUMS = "SHA256SUMS"
"""File of each folder that lists the others, as ``sha256sum -c`` reads it."""

_BESIDE = "losses.json"
"""What an export puts into the folder afterwards."""


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Open a folder that takes its place when it is whole, with checksums.

    Parameters
    ----------
    path
        Folder to write. One that stands there is replaced whole, if it is empty or
        holds nothing but what such a folder's own :data:`SUMS` lists.

    Yields
    ------
    pathlib.Path
        A new folder beside it; gone if anything goes wrong.

    Raises
    ------
    WriteError
        If a file stands there, or a folder that holds other files; or if it cannot be
        written. What stood there before is untouched then.
    """
    target = path.resolve()
    _check_free(target, path)
    stage = None
    try:
        stage = Path(
            tempfile.mkdtemp(prefix=f".{target.name}.part-", dir=target.parent)
        )
        yield stage
        write_sums(stage)
        stage.chmod(0o777 & ~_umask())
        for file in stage.rglob("*"):
            if file.is_file():
                file.chmod(0o666 & ~_umask())
                _sync(file)
        _swap(stage, target)
    except WriteError:
        raise
    except OSError as error:
        raise WriteError(
            f"cannot write {path}: {error.strerror or type(error).__name__}; expected "
            "a folder that can be written, with room. What stood there before is "
            "untouched."
        ) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)


def files_in(folder: Path) -> tuple[Path, ...]:
    """Every file under a folder, sorted by its path in it."""
    files = (file for file in folder.rglob("*") if file.is_file())
    return tuple(sorted(files, key=lambda file: file.relative_to(folder).as_posix()))


def sha256(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def write_sums(folder: Path) -> None:
    """List every file under a folder with its SHA-256 in :data:`SUMS`."""
    lines = [
        f"{sha256(file)}  {file.relative_to(folder).as_posix()}\n"
        for file in files_in(folder)
        if file.name != SUMS
    ]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def _check_free(target: Path, path: Path) -> None:
    """Refuse a path where something stands that no export wrote."""
    if not target.exists():
        return
    if not target.is_dir():
        raise WriteError(
            f"cannot write {path}: it is a file; expected a folder or a new name. "
            "Give another path."
        )
    listed = {SUMS, _BESIDE}
    if (target / SUMS).is_file():
        lines = (target / SUMS).read_text("utf-8", errors="replace").splitlines()
        listed |= {line[66:] for line in lines}
    for file in files_in(target):
        name = file.relative_to(target).as_posix()
        if name not in listed:
            raise WriteError(
                f"cannot write {path}: the folder holds {name}, which is no part of an "
                "export; expected a new name, an empty folder or an earlier export. "
                "Give another path, or move that file."
            )


def _swap(stage: Path, target: Path) -> None:
    """Put a folder in its place; what stood there comes back if that fails."""
    if not target.exists():
        stage.replace(target)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
    target.replace(old / "it")
    try:
        stage.replace(target)
    except BaseException:
        (old / "it").replace(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

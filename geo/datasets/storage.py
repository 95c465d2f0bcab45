"""Files of a dataset, on a disk or in an object store, and how one appears whole.

A path without a scheme, or with ``file://``, is a local file; any other URL is opened
through :mod:`fsspec`, which needs the package of that store (``s3fs``, ``gcsfs`` …).
A file is written under a temporary name and appears under its own only when complete.
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY = ".tmp-"
"""How the name of an unfinished file begins; readers of datasets skip such names."""


def normal(path: str | os.PathLike[str]) -> str:
    """Write a path the one way in which it is kept and compared.

    Parameters
    ----------
    path
        A local path, relative or not, or a URL.

    Returns
    -------
    str
        An absolute local path, or the URL without a slash at its end.

    Examples
    --------
    >>> normal("file:///data/mines/"), normal("s3://bucket/mines/")
    ('/data/mines', 's3://bucket/mines')
    """
    text = os.fspath(path)
    if text.startswith("file://"):
        text = text.removeprefix("file://")
    if _is_remote(text):
        return text.rstrip("/")
    return str(Path(text).expanduser().absolute())


def join(directory: str, name: str) -> str:
    """Name a file in a directory.

    Parameters
    ----------
    directory
        As :func:`normal` gives it.
    name
        Name of the file.

    Returns
    -------
    str
        Its path.
    """
    return f"{directory.rstrip('/')}/{name}"


def listed(directory: str) -> list[str]:
    """Names of the files in a directory.

    Parameters
    ----------
    directory
        As :func:`normal` gives it.

    Returns
    -------
    list of str
        Names, sorted; empty when there is no such directory.
    """
    if not _is_remote(directory):
        folder = Path(directory)
        return sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    store, inside = _store(directory)
    if not store.exists(inside):
        return []
    store.invalidate_cache(inside)
    return sorted(str(p).rsplit("/", 1)[-1] for p in store.ls(inside, detail=False))


def is_file(path: str) -> bool:
    """Tell whether there is a file.

    Parameters
    ----------
    path
        As :func:`normal` gives it.

    Returns
    -------
    bool
        False for a directory and where there is nothing.
    """
    if not _is_remote(path):
        return Path(path).is_file()
    store, inside = _store(path)
    return bool(store.isfile(inside))


def stamp(path: str) -> str:
    """Say which state a file is in, to see later whether it is still the same.

    Parameters
    ----------
    path
        As :func:`normal` gives it.

    Returns
    -------
    str
        Its size and its time of change, or the store's tag for its content.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if not _is_remote(path):
        state = Path(path).stat()
        return f"{state.st_size} {state.st_mtime_ns}"
    store, inside = _store(path)
    info = store.info(inside)
    keys = ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created")
    known = [str(info[key]) for key in keys if info.get(key)]
    return " ".join([str(info["size"]), *known[:1]])


def opened(path: str) -> IO[bytes]:
    """Open a file for reading.

    Parameters
    ----------
    path
        As :func:`normal` gives it.

    Returns
    -------
    binary file
        Positioned at its start; close it, or use it in a ``with`` statement.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if not _is_remote(path):
        return Path(path).open("rb")
    store, inside = _store(path)
    return cast("IO[bytes]", store.open(inside, "rb"))


@contextmanager
def appearing(path: str) -> Iterator[Path]:
    """Write a file that appears only when it is whole.

    Parameters
    ----------
    path
        Where it shall be, as :func:`normal` gives it.

    Yields
    ------
    pathlib.Path
        A local file to write to. When the block ends without an error its content is
        on the disk and is renamed to ``path``, or sent to the object store in one go;
        otherwise nothing appears.
    """
    if _is_remote(path):
        store, inside = _store(path)
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / "whole"
            yield local
            store.put_file(str(local), inside)
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    local = target.with_name(f"{TEMPORARY}{target.name}-{uuid.uuid4().hex[:12]}")
    try:
        yield local
        with local.open("rb+") as file:
            os.fsync(file.fileno())
        local.replace(target)
        _sync_folder(target.parent)
    finally:
        local.unlink(missing_ok=True)


def remove_unfinished(directory: str) -> None:
    """Remove what killed writers left behind in a directory.

    Parameters
    ----------
    directory
        As :func:`normal` gives it. Object stores keep nothing unfinished in it.
    """
    if _is_remote(directory):
        return
    for leftover in Path(directory).glob(f"{TEMPORARY}*"):
        leftover.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Put the names in a folder on the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_remote(path: str) -> bool:
    """Tell whether a path is a URL of a store."""
    return "://" in path


def _store(url: str) -> tuple[Any, str]:
    """File system of a URL, and the path inside it."""
    try:
        from fsspec.core import url_to_fs

        store, inside = url_to_fs(url)
    except ImportError as error:
        raise ImportError(
            f"{url} needs a package that is not installed ({error}); install it here "
            "and on every worker"
        ) from None
    return store, str(inside)

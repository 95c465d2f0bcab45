"""One named member of a zip, unpacked with bounds."""

from __future__ import annotations

import os
import zipfile
import zlib
from typing import TYPE_CHECKING

from layers.errors import DamagedFileError, FetchError
from layers.fetching.transfer import need_room

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layers.fetching.products import Archive
    from layers.fetching.settings import Settings

_CHUNK = 1 << 20


def unpack(
    path: Path,
    target: Path,
    *,
    archive: Archive,
    settings: Settings,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the member that a product names to a file; nothing else is unpacked.

    Parameters
    ----------
    path
        The zip.
    target
        File to write. The names inside the zip have no say in where it stands.
    archive
        Name of the member, and how long it may be.
    settings
        Room to leave on the disk.
    progress
        Called with bytes unpacked and bytes in all.

    Raises
    ------
    DamagedFileError
        If it is no zip, has no such member, or more than one; if the member is
        encrypted, longer than allowed or than it says, or its CRC-32 differs.
    FetchError
        If the disk has no room.
    """
    try:
        with zipfile.ZipFile(path) as box:
            found = [info for info in box.infolist() if info.filename == archive.member]
            if len(found) != 1:
                names = ", ".join(info.filename[:60] for info in box.infolist()[:5])
                raise DamagedFileError(
                    f"{path}: holds {archive.member} {len(found)} times; expected it "
                    f"once. It holds {names or 'nothing'}"
                )
            [info] = found
            if info.flag_bits & 1:
                raise DamagedFileError(f"{path}: {info.filename} is encrypted")
            if info.file_size > archive.max_bytes:
                raise DamagedFileError(
                    f"{path}: {info.filename} is {info.file_size:,} bytes long; "
                    f"expected at most {archive.max_bytes:,}"
                )
            need_room(target.parent, info.file_size, settings)
            _copy(box, info, target, progress)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DamagedFileError(
            f"{path}: cannot be unpacked ({str(error)[:120]}); fetch it again"
        ) from error
    except FetchError:
        raise
    except OSError as error:
        raise FetchError(
            f"cannot write {target}: {error.strerror or type(error).__name__}. Make "
            "room, or give another folder"
        ) from error


def _copy(
    box: zipfile.ZipFile,
    info: zipfile.ZipInfo,
    target: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Unpack a member in pieces, never past the length that it says."""
    done = 0
    with box.open(info) as packed, target.open("wb") as stream:
        while chunk := packed.read(_CHUNK):
            done += len(chunk)
            if done > info.file_size:
                raise DamagedFileError(f"{info.filename}: longer than it says")
            stream.write(chunk)
            if progress is not None:
                progress(done, info.file_size)
        stream.flush()
        os.fsync(stream.fileno())
    if done != info.file_size:
        raise DamagedFileError(f"{info.filename}: shorter than it says")

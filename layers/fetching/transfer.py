"""One file over HTTP: gone on with where it broke off, bounded, and on the disk."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, BinaryIO

from layers.errors import DamagedFileError, FetchError
from layers.fetching.asking import (
    PassingError,
    StoppedError,
    asked,
    next_bytes,
    refuse,
    wait,
)
from layers.fetching.pages import describe

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    import requests

    from layers.fetching.door import Door
    from layers.fetching.settings import Settings

logger = logging.getLogger(__name__)

_MOST_TRIES = 100
"""Bound on attempts, however many of them bring a little."""
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the source said of the file whose bytes are being gathered."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""
    length: int | None = None
    """Length of the whole file, where it was said. [B]"""
    encrypted: str = ""
    """Server-side encryption, which decides what an ETag means."""

    @property
    def validator(self) -> str:
        """What tells this version of the file from another; "" if nothing does."""
        return self.last_modified if self.etag[:2] in ("", "W/") else self.etag


def receive(
    path: str,
    part: Path,
    *,
    door: Door,
    settings: Settings,
    max_bytes: int,
    begins: tuple[bytes, ...] = (),
    progress: Callable[[int, int], None] | None = None,
    stop: Event | None = None,
) -> Answer:
    """Gather a file, going on where an earlier attempt, or process, broke off.

    Parameters
    ----------
    path
        Path below the source's address.
    part
        File that gathers the bytes; beside it stands ``part.json`` with what the
        source said of them. Both stay if anything goes wrong, to be gone on with.
    door
        Where requests may go.
    settings
        Waits, attempts and room to leave.
    max_bytes
        Longest file that is taken. [B]
    begins
        Byte sequences with one of which the file must begin; another beginning, such
        as that of an HTML page, ends the transfer at once.
    progress
        Called with bytes gathered and bytes expected (0: not said).
    stop
        Set by another thread to end the transfer.

    Returns
    -------
    Answer
        What the source said. ``part`` holds as many bytes as it said, and is on the
        disk.

    Raises
    ------
    MissingFileError
        If the source says that there is no such file.
    DamagedFileError
        If the file begins otherwise than it must, or goes on past ``max_bytes``.
    FetchError
        If the source refuses, sends on to a place that may not be asked, says that
        the file is longer than allowed, or keeps failing; if the disk has no room.
    StoppedError
        If told to stop.

    Notes
    -----
    A part is gone on with only under ``If-Range`` with the strong ETag, or the date,
    that came with its first bytes: of a file that changed meanwhile, the whole is
    sent and the part begun anew.
    """
    url = door.url(path)
    known = _read_notes(part, url)
    if known.length is not None and _size(part) == known.length:
        return known  # all of it came, and what was to be done next was not
    failures, best, reason = 0, _size(part), ""
    for _ in range(_MOST_TRIES):
        try:
            return _attempt(
                url,
                part,
                door=door,
                settings=settings,
                max_bytes=max_bytes,
                begins=begins,
                progress=progress,
                stop=stop,
            )
        except PassingError as error:
            failures = 0 if _size(part) > best else failures
            best = max(best, _size(part))
            failures += 1
            reason, wait_s = str(error), error.wait_s
            logger.info("%s: %s; %d of %d", url, reason, failures, settings.attempts)
        if failures >= settings.attempts:
            break
        pause = max(wait_s, settings.pause_s * 2 ** (failures - 1))
        wait(min(pause, settings.longest_pause_s), stop)
    raise FetchError(
        f"{url}: {reason}, {failures} times in a row; {_size(part):,} bytes are kept. "
        "Run the same again to go on"
    )


def forget(part: Path) -> None:
    """Throw a part away, and what is known of it.

    Parameters
    ----------
    part
        File that gathers bytes.
    """
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)


def _attempt(
    url: str,
    part: Path,
    *,
    door: Door,
    settings: Settings,
    max_bytes: int,
    begins: tuple[bytes, ...],
    progress: Callable[[int, int], None] | None,
    stop: Event | None,
) -> Answer:
    """Ask once, for what is still missing."""
    before = _read_notes(part, url)
    had = _size(part) if before.validator else 0
    headers = (
        {"Range": f"bytes={had}-", "If-Range": before.validator} if had > 0 else {}
    )
    with asked(url, headers, door, settings) as response:
        if response.status_code == 416:
            forget(part)
            raise PassingError("what came is more than the source has now")
        refuse(response)
        said = _said(response, url)
        if response.status_code == 206:
            start, length = _range(response)
            if start != had or said.etag != before.etag or length != before.length:
                forget(part)
                raise PassingError("the source went on with another file")
            said = before
        else:
            had = 0
        if said.length is not None:
            _need_room(part, said.length, said.length - had, max_bytes, settings, url)
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            if not had:
                forget(part)
                _notes(part).write_text(json.dumps(asdict(said)), "utf-8")
            with part.open("ab") as stream:
                stream.truncate(had)
                stream.seek(had)
                _gather(
                    response, stream, said, max_bytes=max_bytes, begins=begins,
                    progress=progress, stop=stop,
                )  # fmt: skip
                stream.flush()
                os.fsync(stream.fileno())
        except DamagedFileError:
            forget(part)
            raise
        except FetchError:
            raise
        except OSError as error:
            raise FetchError(
                f"cannot write {part}: {error.strerror or type(error).__name__}; "
                f"{_size(part):,} bytes are kept. Make room, or give another folder, "
                "and run the same again"
            ) from error
    if said.length is not None and _size(part) != said.length:
        raise PassingError(f"broke off after {_size(part):,} of {said.length:,} bytes")
    return said


def _gather(
    response: requests.Response,
    stream: BinaryIO,
    said: Answer,
    *,
    max_bytes: int,
    begins: tuple[bytes, ...],
    progress: Callable[[int, int], None] | None,
    stop: Event | None,
) -> None:
    """Write the body to the part as it comes."""
    count = stream.tell()
    while True:
        if stop is not None and stop.is_set():
            raise StoppedError(f"{said.url}: stopped; what came is kept")
        chunk = next_bytes(response)
        if not chunk:
            return
        if count == 0 and begins and not chunk.startswith(begins):
            raise DamagedFileError(
                f"{said.url}: {describe(chunk)}; expected a file that begins otherwise."
                " Nothing was kept"
            )
        count += len(chunk)
        if count > max_bytes:
            raise DamagedFileError(
                f"{said.url}: sends more than {max_bytes:,} bytes, the most that a "
                "file of this product has. Nothing was kept"
            )
        stream.write(chunk)
        if progress is not None:
            progress(count, said.length or 0)


def _said(response: requests.Response, url: str) -> Answer:
    """Read what an answer's headers say of the file."""
    length = response.headers.get("Content-Length", "")
    return Answer(
        url=url,
        etag=response.headers.get("ETag", ""),
        last_modified=response.headers.get("Last-Modified", ""),
        length=int(length) if length.isdecimal() else None,
        encrypted=response.headers.get("x-amz-server-side-encryption", ""),
    )


def _range(response: requests.Response) -> tuple[int, int | None]:
    """Where the bytes of an answer begin, and the length of the whole file."""
    found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if found is None:
        return -1, None
    whole = found[3]
    return int(found[1]), None if whole == "*" else int(whole)


def _need_room(
    part: Path,
    length: int,
    missing: int,
    max_bytes: int,
    settings: Settings,
    url: str,
) -> None:
    """Refuse a file that is too long, or that the disk cannot take."""
    if length > max_bytes:
        raise FetchError(
            f"{url}: {length:,} bytes long; expected at most {max_bytes:,}. Nothing "
            "was fetched"
        )
    need_room(part.parent, missing, settings)


def need_room(folder: Path, missing: int, settings: Settings) -> None:
    """Refuse to begin what the disk cannot take.

    Parameters
    ----------
    folder
        Where the bytes are to stand; it need not exist.
    missing
        How many. [B]
    settings
        Room to leave.

    Raises
    ------
    FetchError
        If fewer are free, after what is left in reserve.
    """
    there = folder
    while not there.exists():
        there = there.parent
    free = shutil.disk_usage(there).free
    if missing + settings.reserve_bytes > free:
        raise FetchError(
            f"{there} has {free:,} bytes free; expected {missing:,} for the file and "
            f"{settings.reserve_bytes:,} to spare. Make room, or give another folder"
        )


def _size(part: Path) -> int:
    """Bytes that are there."""
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _notes(part: Path) -> Path:
    """File beside a part that says what it is a part of."""
    return part.with_name(part.name + ".json")


def _read_notes(part: Path, url: str) -> Answer:
    """Read what is known of a part; nothing where it is of another file."""
    try:
        answer = Answer(**json.loads(_notes(part).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return Answer()
    return answer if answer.url == url else Answer()

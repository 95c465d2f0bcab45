"""Requests: one address at a time, redirects only where they may go."""

from __future__ import annotations

import contextlib
import email.utils
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from layers.errors import DamagedFileError, FetchError
from layers.fetching.pages import describe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from threading import Event

    import requests

    from layers.fetching.door import Door
    from layers.fetching.settings import Settings

_CHUNK = 1 << 16
_REDIRECTS = 5
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class MissingFileError(FetchError):
    """The source says that there is no such file."""


class StoppedError(FetchError):
    """The transfer was told to stop; what came is kept."""


class PassingError(Exception):
    """A failure that may be over at the next attempt."""

    def __init__(self, reason: str, wait_s: float = 0.0) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


def read_small(path: str, *, door: Door, settings: Settings, max_bytes: int) -> bytes:
    """Read a short answer, such as a checksum.

    Parameters
    ----------
    path
        Path below the source's address.
    door
        Where requests may go.
    settings
        Waits.
    max_bytes
        Longest answer that is taken. [B]

    Returns
    -------
    bytes
        The answer's body.

    Raises
    ------
    MissingFileError
        If there is no such file.
    FetchError
        If the source refuses, keeps failing, or sends more.
    """
    url, reason = door.url(path), ""
    for attempt in range(settings.attempts):
        if attempt:
            wait(min(settings.pause_s * 2**attempt, settings.longest_pause_s), None)
        try:
            with asked(url, {}, door, settings) as response:
                refuse(response)
                body = b""
                while chunk := next_bytes(response):
                    body += chunk
                    if len(body) > max_bytes:
                        raise DamagedFileError(f"{url}: over {max_bytes:,} bytes long")
                return body
        except PassingError as error:
            reason = str(error)
    raise FetchError(
        f"{url}: {reason}, {settings.attempts} times in a row. Run the same again"
    )


def next_bytes(response: requests.Response) -> bytes:
    """Read the next bytes of a body.

    Parameters
    ----------
    response
        An answer that is read as it comes.

    Returns
    -------
    bytes
        As the server sent them; none at the end.

    Raises
    ------
    PassingError
        If the connection breaks, or ends before the length that was said.
    """
    import urllib3

    try:
        chunk: bytes = response.raw.read(_CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise PassingError(f"the connection broke ({type(error).__name__})") from error
    return chunk


@contextlib.contextmanager
def asked(
    url: str, headers: dict[str, str], door: Door, settings: Settings
) -> Iterator[requests.Response]:
    """Ask for an address, following redirects only where the door lets them.

    Parameters
    ----------
    url
        Absolute address.
    headers
        Headers besides those of every request.
    door
        Where requests may go.
    settings
        Waits.

    Yields
    ------
    requests.Response
        The answer that is no redirect, whatever its status; closed at the end.

    Raises
    ------
    FetchError
        If the address, or one it is sent on to, may not be asked; if it is sent on
        too often, or the server's certificate is not good.
    PassingError
        If no answer comes.
    """
    import requests

    # Compressed on the way, byte counts and ranges would mean something else.
    headers = {
        "Accept-Encoding": "identity",
        "User-Agent": f"lodemap/{version('lodemap')}",
        **headers,
    }
    with requests.Session() as session:
        session.trust_env = not door.local  # proxies; not to this machine
        session.auth = _no_password
        for _ in range(_REDIRECTS + 1):
            door.check(url)
            try:
                response = session.get(
                    url,
                    headers=headers,
                    stream=True,
                    allow_redirects=False,
                    timeout=(settings.connect_s, settings.read_s),
                )
            except requests.exceptions.SSLError as error:
                raise FetchError(
                    f"{url}: the source cannot show that it is who it says ({error})"
                ) from error
            except requests.exceptions.RequestException as error:
                raise PassingError(f"no answer ({type(error).__name__})") from error
            with response:
                target = response.headers.get("Location")
                if response.status_code not in {301, 302, 303, 307, 308} or not target:
                    yield response
                    return
                url = urljoin(url, target)
        raise FetchError(f"{url}: sent on more than {_REDIRECTS} times")


def _no_password(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep passwords of the user's own (``.netrc``) out of the request."""
    return request


def refuse(response: requests.Response) -> None:
    """Raise for an answer that carries no file.

    Parameters
    ----------
    response
        An answer that is no redirect.

    Raises
    ------
    MissingFileError
        If there is no such file.
    PassingError
        If it may be there later: too many requests, a fault of the server.
    FetchError
        If it is refused, or packed on the way.
    """
    status = response.status_code
    where = response.url
    if status in {404, 410}:
        raise MissingFileError(f"{where}: the source has no such file ({status})")
    if status in _PASSING:
        raise PassingError(
            f"the source answers {status}", _asked_pause(response.headers)
        )
    if status not in {200, 206}:
        beginning = next_bytes(response)
        raise FetchError(
            f"{where}: the source refuses with status {status} ({describe(beginning)})"
        )
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise FetchError(
            f"{where}: sent compressed on the way, though asked not to; its length and"
            " checksum cannot be compared"
        )


def _asked_pause(headers: requests.structures.CaseInsensitiveDict[str]) -> float:
    """Seconds that the server asks to wait."""
    text = headers.get("Retry-After", "")
    if text.isdecimal():
        return float(text)
    try:
        until = email.utils.parsedate_to_datetime(text)
        return max((until - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return 0.0


def wait(seconds: float, stop: Event | None) -> None:
    """Wait, unless told to stop.

    Parameters
    ----------
    seconds
        How long. [s]
    stop
        Set by another thread to end the wait.

    Raises
    ------
    StoppedError
        If told to stop.
    """
    if stop is None:
        time.sleep(seconds)
    elif stop.wait(seconds):
        raise StoppedError("stopped; what came is kept")

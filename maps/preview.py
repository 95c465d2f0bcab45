"""``lodemap preview``: a page and its tile archives on loopback, with byte ranges."""

from __future__ import annotations

import contextlib
import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import IO, TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, urlsplit

import click

from layers.errors import ReadError, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ARCHIVE = ".pmtiles"
"""How the name of a tile archive ends."""

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = 1 << 20


@click.command()
@click.argument("page", metavar="PAGE")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port to listen on; a free one when not given.",
)
def preview(*, page: str, port: int) -> None:
    """Serve PAGE and the tile archives beside it on this machine until Ctrl-C.

    A page whose layers are tiles reads them in parts, which a browser cannot do from a
    file. Any static host that answers range requests does the same for readers.
    """
    with serving(page, port=port) as address:
        click.echo(address)
        click.echo("lodemap: only this machine can read it; Ctrl-C ends", err=True)
        with contextlib.suppress(KeyboardInterrupt):
            Event().wait()


@contextlib.contextmanager
def serving(page: str | Path, *, port: int = 0) -> Iterator[str]:
    """Serve a page for as long as a block runs.

    Parameters
    ----------
    page
        An HTML file. It and the archives in its folder are served, nothing else.
    port
        Port on 127.0.0.1; a free one for 0.

    Yields
    ------
    str
        The address of the page.

    Raises
    ------
    ReadError
        If there is no such page.
    RequestError
        If the port is taken.
    """
    file = Path(page)
    if file.suffix.lower() not in {".html", ".htm"} or not file.is_file():
        raise ReadError(
            f"{file.name[:80]} is no page; expected a file such as lodemap map writes"
        )
    served = {file.name: file}
    served |= {
        f.name: f
        for f in sorted(file.resolve().parent.iterdir())
        if f.suffix == ARCHIVE and f.is_file() and not f.is_symlink()
    }
    handler = type("Handler", (_Handler,), {"files": served, "first": file.name})
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise RequestError(
            f"port {port} cannot be used ({error.strerror}); expected a free one. "
            "Leave --port out, and one is chosen"
        ) from None
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """Answers for some files, each by its name alone."""

    protocol_version = "HTTP/1.1"
    server_version = "lodemap"
    sys_version = ""
    files: ClassVar[Mapping[str, Path]] = {}
    first: ClassVar[str] = ""

    def do_GET(self) -> None:
        """Send a file or a part of it."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Say what a GET would send."""
        self._answer(body=False)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, *, body: bool) -> None:
        name = unquote(urlsplit(self.path).path).removeprefix("/") or self.first
        path = self.files.get(name)
        host = (self.headers.get("Host") or "").rpartition(":")[0]
        if path is None or host not in {"127.0.0.1", "localhost"}:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            with path.open("rb") as stream:
                self._send(stream, path, body=body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)

    def _send(self, stream: IO[bytes], path: Path, *, body: bool) -> None:
        size = stream.seek(0, 2)
        part = self._part(size)
        if part is None:
            self._refuse(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, f"bytes */{size}")
            return
        start, stop = part
        whole = self.headers.get("Range") is None
        self.send_response(HTTPStatus.OK if whole else HTTPStatus.PARTIAL_CONTENT)
        tiles = path.suffix == ARCHIVE
        self.send_header(
            "Content-Type",
            "application/vnd.pmtiles" if tiles else "text/html; charset=utf-8",
        )
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        if not whole:
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
        self.end_headers()
        if not body:
            return
        stream.seek(start)
        while start < stop:
            piece = stream.read(min(_CHUNK, stop - start))
            if not piece:  # cut short meanwhile: the length said is no longer true
                self.close_connection = True
                return
            self.wfile.write(piece)
            start += len(piece)

    def _part(self, size: int) -> tuple[int, int] | None:
        """First byte asked for and the one after the last; None if there is none."""
        asked = self.headers.get("Range")
        if asked is None:
            return 0, size
        found = _RANGE.fullmatch(asked.strip())
        if not found or not (found[1] or found[2]):
            return None
        if not found[1]:
            start, stop = max(size - int(found[2]), 0), size
        else:
            start = int(found[1])
            stop = min(int(found[2]) + 1 if found[2] else size, size)
        return (start, stop) if start < stop else None

    def _refuse(self, status: HTTPStatus, content_range: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()

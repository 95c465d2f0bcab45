"""``lodemap serve``: layers as OGC API Features, on loopback unless told otherwise."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import click

from layers.errors import ExtraMissingError, RequestError
from maps.defaults import EXCHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layers.export.content import Content

PORT = 5000
"""Port where none is named and it is free."""

_PATIENCE_S = 90.0


@click.command()
@click.option("--exchange", metavar="ID", help=f"Exchange to serve; {EXCHANGE}.")
@click.option(
    "--layer",
    "layers",
    multiple=True,
    metavar="ID",
    help="Only this layer: of the exchange, or of the catalogue where none is named.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 lets everybody in who can reach it.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help=f"Port to listen on; {PORT} or, where that is taken, a free one; 0 for any.",
)
@click.option("--url", help="Address that clients use, if it is another one.")
def serve(
    *,
    exchange: str | None,
    layers: tuple[str, ...],
    host: str,
    port: int | None,
    url: str | None,
) -> None:
    """Serve layers as OGC API Features until Ctrl-C, and print the address.

    QGIS opens them under Layer, Add Layer, Add WFS / OGC API - Features Layer.
    """
    content = _content(exchange, layers)
    if not _is_loopback(host):
        click.echo(
            f"lodemap: on {host} everybody who can reach this machine reads these "
            "layers; there is no password and no encryption",
            err=True,
        )
    with serving(content, host=host, port=port, url=url) as (address, process):
        click.echo(address)
        click.echo(
            "lodemap: in QGIS: Layer, Add Layer, Add WFS / OGC API - Features Layer, "
            f"New, URL {address}, version OGC API - Features. Ctrl-C ends.",
            err=True,
        )
        with contextlib.suppress(KeyboardInterrupt):
            process.wait()
            raise RequestError(
                f"the server ended by itself (code {process.returncode}); expected it "
                "to go on. Start it again; what it said stands above."
            )


@contextlib.contextmanager
def serving(
    content: Content,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    url: str | None = None,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Serve an export for as long as a block runs.

    Parameters
    ----------
    content
        What to serve; written to a private folder that is gone afterwards.
    host
        Address to listen on.
    port
        Port; :data:`PORT` or a free one if none is named, a free one for 0.
    url
        Address that clients use; made of the two when not given.

    Yields
    ------
    tuple of str and subprocess.Popen
        The address, which answers by then, and the process.

    Raises
    ------
    ExtraMissingError
        If pygeoapi or gunicorn is not installed, or does not run on this system.
    RequestError
        If the port is taken or the address is not this machine's, or the server does
        not start.
    """
    from layers.export.pygeoapi import write_pygeoapi

    _require()
    with contextlib.ExitStack() as stack:
        stack.enter_context(_terminable())
        listener = stack.enter_context(_listening(host, port))
        place = listener.getsockname()[1]
        address = (url or f"http://{_named(host)}:{place}").rstrip("/")
        folder = Path(tempfile.mkdtemp(prefix="lodemap-serve-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        write_pygeoapi(content, folder / "served", url=address)
        watched, held = os.pipe()
        stack.callback(os.close, held)
        process = subprocess.Popen(
            [
                # -P: a folder called maps where the user stands is none of ours.
                *(sys.executable, "-P", "-m", "maps.server", str(folder / "served")),
                *(str(listener.fileno()), str(watched)),
            ],
            pass_fds=(listener.fileno(), watched),
            stdin=subprocess.DEVNULL,
            env=_environment(),
        )
        stack.callback(_stop, process)
        os.close(watched)
        listener.close()
        _await(f"http://{_dialled(host)}:{place}/conformance?f=json", process)
        yield address, process


def _content(exchange: str | None, layers: Sequence[str]) -> Content:
    """Find what is to be served."""
    from layers.export.catalogue_content import catalogue_content

    if layers and exchange is None:
        return catalogue_content(layers)
    from layers import load_exchange
    from layers.export.exchange_content import exchange_content

    content = exchange_content(load_exchange(exchange or EXCHANGE))
    if not layers:
        return content
    wanted = {layer.replace("-", "_") for layer in layers}
    there = {sheet.id for sheet in content.sheets}
    if unknown := wanted - there:
        raise RequestError(
            f"{content.id} has no layer {min(unknown)!r}; expected one of "
            f"{', '.join(sorted(there))}"
        )
    return replace(content, sheets=tuple(s for s in content.sheets if s.id in wanted))


def _require() -> None:
    """Refuse where the server's packages are not installed."""
    missing = [name for name in ("pygeoapi", "gunicorn") if find_spec(name) is None]
    if missing:
        raise ExtraMissingError(
            f"{' and '.join(missing)} not installed; serving needs it. "
            "Call: pip install 'lodemap[serve]'"
        )
    if not hasattr(os, "fork"):
        raise ExtraMissingError(
            "gunicorn does not run on this system; serving needs Linux or macOS. "
            "Write the files with lodemap export and serve them elsewhere."
        )


def _listening(host: str, port: int | None) -> socket.socket:
    """Open the socket, so that nobody else takes the port in between."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for wanted in (PORT, 0) if port is None else (port,):
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, wanted))
            listener.listen(128)
        except OSError as error:
            listener.close()
            reason = error.strerror or type(error).__name__
        else:
            return listener
    raise RequestError(
        f"cannot listen on {host} port {wanted}: {reason}; expected an address of this "
        "machine and a free port. Name another one, or --port 0."
    )


def _environment() -> dict[str, str]:
    """Let the server find these very packages, and keep its warnings to itself."""
    path = [str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
        "PYTHONWARNINGS": "ignore",
    }


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    opener = build_opener(ProxyHandler({}))
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with opener.open(url, timeout=10) as answer:
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.1)
    raise RequestError(
        "the server does not start; expected an answer within "
        f"{_PATIENCE_S:g} s. What it said stands above."
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, for good."""
    process.terminate()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, so that all is tidied."""

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    try:
        before = {
            number: signal.signal(number, stop)
            for number in (signal.SIGTERM, signal.SIGHUP)
        }
    except ValueError:  # not the main thread: whoever owns it handles signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_any(host: str) -> bool:
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return not host


def _named(host: str) -> str:
    """Name of an address in a URL: this machine's own where all are listened on."""
    if _is_any(host):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host


def _dialled(host: str) -> str:
    """Address at which this process itself reaches the server."""
    if _is_any(host):
        return "[::1]" if ":" in host else "127.0.0.1"
    return _named(host)

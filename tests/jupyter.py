"""A server of notebooks, in which the map is shown."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from tests.apart import JUPYTER, NoProgramsError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def serving(notebooks: Path) -> Iterator[tuple[str, str]]:
    """Serve a folder of notebooks on loopback, with a kernel named lodemap.

    Yields
    ------
    tuple of str
        The address, and the token that opens it.
    """
    home = notebooks / ".jupyter"
    kernel = home / "data" / "kernels" / "lodemap"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(
        json.dumps(
            {
                "argv": [
                    *(JUPYTER.program("python"), "-m", "ipykernel_launcher"),
                    *("-f", "{connection_file}"),
                ],
                "display_name": "Lodemap",
                "language": "python",
            }
        )
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(16)
    address = f"http://127.0.0.1:{port}/"
    log = notebooks / "jupyter.log"
    with log.open("wb") as said:
        server = subprocess.Popen(
            [
                *(
                    JUPYTER.program("jupyter"),
                    "notebook",
                    "--no-browser",
                    "--allow-root",
                ),
                *(f"--port={port}", "--ip=127.0.0.1", "--ServerApp.port_retries=0"),
                *(f"--IdentityProvider.token={token}", f"--notebook-dir={notebooks}"),
                "--LabApp.news_url=",
            ],
            env={
                **os.environ,
                "JUPYTER_CONFIG_DIR": str(home / "config"),
                "JUPYTER_DATA_DIR": str(home / "data"),
                "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
                "HOME": str(home),
            },
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
    try:
        _wait(address, token, server, log)
        yield address, token
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait(address: str, token: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers."""
    end = time.monotonic() + 120
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            asked = f"{address}api/status?token={token}"
            with urllib.request.urlopen(asked, timeout=5):
                return
        time.sleep(0.2)
    said = log.read_text("utf-8", "replace")[-500:]
    raise NoProgramsError(f"the server does not answer: {said}")

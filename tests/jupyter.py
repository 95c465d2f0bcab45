"""A Jupyter in an environment of its own: found, or brought here.

``python tests/jupyter.py`` installs it into a cache of the user's and prints its
versions. The map is shown in a real notebook by it.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = {"notebook": "7.6.5", "jupyterlab": "4.6.6", "ipykernel": "7.4.0"}
"""What is installed, in these versions."""

_VERSIONS = (
    "import json, sys, importlib.metadata as m\n"
    "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
)


class NoJupyterError(RuntimeError):
    """Jupyter is not installed here, or does not start."""


def folder() -> Path:
    """Return the environment's folder; ``LODEMAP_JUPYTER`` names another."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    named = os.environ.get("LODEMAP_JUPYTER") or f"{cache}/lodemap-jupyter"
    return Path(named).expanduser()


def program(name: str) -> str:
    """Return the path of a program of the environment."""
    windows = sys.platform == "win32"
    return str(folder() / ("Scripts" if windows else "bin") / name)


def versions() -> dict[str, str]:
    """Return the version of each part of it."""
    try:
        done = subprocess.run(
            [program("python"), "-c", _VERSIONS, *PACKAGES],
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
    except OSError:
        raise NoJupyterError("there is no environment with Jupyter") from None
    if done.returncode:
        raise NoJupyterError(done.stderr.strip().splitlines()[-1][:200])
    found: dict[str, str] = json.loads(done.stdout)
    if found != PACKAGES:
        raise NoJupyterError(f"other versions are installed: {found}")
    return found


def bring_jupyter() -> dict[str, str]:
    """Return the versions, after installing what is missing."""
    try:
        return versions()
    except NoJupyterError as error:
        print(f"jupyter: {error}", file=sys.stderr)
    if not folder().exists():
        venv.create(folder(), with_pip=True)
    wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
    command = [program("python"), "-m", "pip", "install", "-q", *wanted]
    print("jupyter: pip install", *wanted, file=sys.stderr)
    try:
        subprocess.run(command, check=False, stdout=sys.stderr, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"jupyter: {error}", file=sys.stderr)
    return versions()


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
                    *(program("python"), "-m", "ipykernel_launcher"),
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
                *(program("jupyter"), "notebook", "--no-browser", "--allow-root"),
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
    raise NoJupyterError(f"the server does not answer: {said}")


if __name__ == "__main__":
    try:
        for name, version in bring_jupyter().items():
            print(name, version)
    except NoJupyterError as error:
        sys.exit(
            f"jupyter: {error}. The test that shows a map in a notebook is left out; "
            "it needs pip and a package index"
        )

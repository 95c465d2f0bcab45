"""The program behind ``lodemap serve``: pygeoapi under gunicorn, and nothing else.

It ends when the process that started it does, however that ends: a pipe from there is
watched, and closes with it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import Any

POLICY = (
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What pygeoapi's HTML pages may load: nothing from other hosts, and no script."""

OPENAPI = "openapi.json"
_WORKERS = 2
_TIMEOUT_S = 120


def application() -> Any:
    """Make the WSGI application of the configuration that the environment names."""
    from pygeoapi.flask_app import APP

    def guard(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    APP.after_request(guard)
    return APP


def main(folder: str, socket: str, pipe: str) -> None:
    """Serve a folder until told to stop, or until the starting process ends.

    Parameters
    ----------
    folder
        What :func:`layers.export.pygeoapi.write_pygeoapi` wrote; removed at the end.
    socket, pipe
        Descriptors of the listening socket and of the end of the pipe to watch.
    """
    from gunicorn.app.base import BaseApplication

    from layers.export.pygeoapi import CONFIGURATION

    os.chdir(folder)
    os.environ["PYGEOAPI_CONFIG"] = CONFIGURATION
    os.environ["PYGEOAPI_OPENAPI"] = OPENAPI
    _describe(Path(CONFIGURATION), Path(OPENAPI))

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for key, value in {
                "bind": [f"fd://{socket}"],
                "workers": _WORKERS,
                "timeout": _TIMEOUT_S,
                "graceful_timeout": 2,
                "loglevel": "warning",
                "proc_name": "lodemap-serve",
                "control_socket_disable": True,
                "on_starting": lambda _: _watch(int(pipe)),
                "post_fork": lambda _, __: _watch(int(pipe)),
                "on_exit": lambda _: shutil.rmtree(folder, ignore_errors=True),
            }.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self) -> Any:
            return application()

    Server().run()


def _describe(configuration: Path, openapi: Path) -> None:
    """Write the description of the interface, which QGIS asks for first."""
    from pygeoapi.openapi import generate_openapi_document

    with configuration.open(encoding="utf-8") as stream:
        openapi.write_text(generate_openapi_document(stream, "json"), encoding="utf-8")


def _watch(pipe: int) -> None:
    """End this process when the other end of a pipe is closed."""

    def wait() -> None:
        os.read(pipe, 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Debian's QGIS, which opens what we export: found, or brought here.

``python tests/qgis.py`` makes sure that it is there and prints its version.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PACKAGES = ("qgis", "python3-qgis", "python3-gdal", "xvfb")
PYTHON = "/usr/bin/python3"


class NoQGISError(RuntimeError):
    """There is no QGIS here."""


class QGIS:
    """QGIS without a screen, each run with a profile of its own that starts empty.

    Debian's ``qgis_process`` is a script that passes an option which the program does
    not know; the program itself is ``qgis_process.bin``.

    Parameters
    ----------
    home
        An empty folder.
    """

    def __init__(self, home: Path) -> None:
        self.process = find_qgis()
        self.home = home
        runtime = home / "run"
        runtime.mkdir(mode=0o700, exist_ok=True)
        kept = {k: v for k, v in os.environ.items() if k in ("LANG", "LC_ALL")}
        self.environment = {
            "LANG": "C.UTF-8",
            **kept,
            # The program holds a Python, which looks for its packages beside the first
            # python3 on the path: its own must come before any other.
            "PATH": f"{Path(PYTHON).parent}{os.pathsep}{os.environ.get('PATH', '')}",
            "HOME": str(home),
            "XDG_RUNTIME_DIR": str(runtime),
            "QT_QPA_PLATFORM": "offscreen",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def run(self, algorithm: str, **parameters: object) -> dict[str, Any]:
        """Run an algorithm of the toolbox; give what it says as JSON."""
        pairs = [f"--{name}={value}" for name, value in parameters.items()]
        out = self._run(self.process, "--json", "run", algorithm, *pairs)
        found: dict[str, Any] = json.loads(out[out.index("{") :])
        return found

    def script(self, path: Path, *arguments: object) -> str:
        """Run a script with the Python that has QGIS's packages; give its output."""
        return self._run(PYTHON, str(path), *map(str, arguments))

    def version(self) -> str:
        """Say which QGIS this is."""
        code = "from qgis.core import Qgis; print(Qgis.QGIS_VERSION)"
        return f"QGIS {self._run(PYTHON, '-c', code).split()[-1]}"

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env=self.environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise RuntimeError(
                f"{command[0]}: {done.returncode}\n{done.stderr[-3000:]}"
            )
        return done.stdout


def find_qgis() -> str:
    """Return the path of QGIS's command line, where PyQGIS is there as well."""
    process = shutil.which("qgis_process.bin") or shutil.which("qgis_process")
    if process is None:
        raise NoQGISError("no qgis_process on the path")
    asked = [PYTHON, "-c", "import qgis.core, osgeo_utils"]
    if not Path(PYTHON).exists():
        raise NoQGISError(f"no {PYTHON}")
    if subprocess.run(asked, capture_output=True, check=False, timeout=60).returncode:
        raise NoQGISError(f"{PYTHON} has no qgis.core or no osgeo_utils")
    return process


def bring_qgis() -> str:
    """Return the path of QGIS's command line, installed if there is none."""
    try:
        return find_qgis()
    except NoQGISError:
        if not shutil.which("apt-get"):
            raise
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    waiting = ["-o", "DPkg::Lock::Timeout=300"]
    install = [*root, "apt-get", *waiting, "install", "-y", "-qq"]
    for command in (
        [*root, "apt-get", *waiting, "update", "-qq"],
        [*install, "--no-install-recommends", *PACKAGES],
    ):
        print("qgis:", " ".join(command), file=sys.stderr)
        try:
            subprocess.run(command, check=False, stdout=sys.stderr, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"qgis: {error}", file=sys.stderr)
    return find_qgis()


if __name__ == "__main__":
    import tempfile

    try:
        bring_qgis()
    except NoQGISError as error:
        sys.exit(
            f"qgis: {error}. The tests that open exports with it are left out; on "
            f"Debian: apt install {' '.join(PACKAGES)}"
        )
    with tempfile.TemporaryDirectory() as folder:
        print(QGIS(Path(folder)).version())

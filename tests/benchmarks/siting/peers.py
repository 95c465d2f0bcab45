"""Brings the peers: a virtual environment of their own, and GDAL's programs.

They are heavy (atlite alone brings readers of weather archives), so they stand neither
in the package's environment nor in one of its extras. ``python
tests/benchmarks/siting/peers.py FOLDER`` makes the environment in that folder.

GLAES is not among them: the package index has none by its authors.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = (
    "atlite==0.7.0",
    "xarray-spatial==0.5.3",
    "exactextract==0.3.0",
    "numpy",
    "rasterio",
    "scipy",
    "shapely>=2",
)
NOT_RUN = {"GLAES": "not on the package index under its authors' name"}


def python_of(cache: Path) -> str:
    """Give the peers' Python, made where there is none; empty when that fails."""
    place = cache / "peers"
    python, done = place / "bin" / "python", place / "installed.txt"
    wanted = "\n".join(PACKAGES)
    if not (done.exists() and done.read_text() == wanted):
        print(f"peers: installing into {place}", file=sys.stderr, flush=True)
        commands = [
            [sys.executable, "-m", "venv", str(place)],
            [
                *(str(python), "-m", "pip", "install", "--quiet"),
                *("--disable-pip-version-check", *PACKAGES),
            ],
        ]
        try:
            for command in commands:
                subprocess.run(command, check=True, stdout=sys.stderr, timeout=1800)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"peers: {error}", file=sys.stderr)
            return ""
        done.write_text(wanted)
    return str(python)


def bring_gdal() -> str:
    """Give gdaldem's version, installed from Debian if it is not here."""
    if not shutil.which("gdaldem") and shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        for command in (
            [*root, "apt-get", "update", "-qq"],
            [*root, "apt-get", "install", "-y", "-qq", "gdal-bin"],
        ):
            print("peers:", " ".join(command), file=sys.stderr)
            try:
                subprocess.run(command, check=False, stdout=sys.stderr, timeout=600)
            except (OSError, subprocess.TimeoutExpired) as error:
                print(f"peers: {error}", file=sys.stderr)
    if not shutil.which("gdaldem"):
        return "gdaldem not here"
    said = subprocess.run(
        ["gdaldem", "--version"], check=False, capture_output=True, text=True
    )
    return said.stdout.split(",")[0].strip()


def missing(python: str, modules: tuple[str, ...]) -> str:
    """Name the modules that a Python lacks."""
    if not modules:
        return ""
    if not python:
        return "the peers' environment"
    code = (
        "import importlib.util as u, sys;"
        "print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])"
    )
    said = subprocess.run(
        [python, "-c", code, *modules], check=False, capture_output=True, text=True
    )
    return ", ".join(said.stdout.split())


def versions(python: str, names: tuple[str, ...]) -> dict[str, str]:
    """Versions of packages in a Python."""
    code = (
        "import sys\n"
        "from importlib.metadata import version\n"
        "for name in sys.argv[1:]:\n"
        "    print(name, version(name))"
    )
    said = subprocess.run(
        [python, "-c", code, *names], check=False, capture_output=True, text=True
    )
    return dict(line.split() for line in said.stdout.splitlines())


if __name__ == "__main__":
    print(python_of(Path(sys.argv[1])), bring_gdal(), sep="\n")

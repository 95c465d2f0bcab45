"""Judges of files and rasters in an environment of their own: found, or brought here.

``python tests/judges.py`` installs them into a cache of the user's and prints their
versions: fastkml with the OGC's schema of KML, gpio, which checks GeoParquet, csvw,
and exactextract, which measures rasters under polygons.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = {
    "csvw": "4.1.1",
    "duckdb": "1.5.5",
    "duckdb-extension-spatial": "1.5.5",
    "exactextract": "0.3.0",
    "fastkml": "1.4.0",
    "geoparquet-io": "1.6.0",
    "lxml": "6.1.3",
}
"""What is installed, in these versions."""

_VERSIONS = (
    "import json, sys, importlib.metadata as m\n"
    "print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
)

_EXTENSION = """
import duckdb, duckdb_extension_spatial, pathlib, shutil
version = "v" + duckdb.__version__
[[platform]] = duckdb.execute("PRAGMA platform").fetchall()
own = pathlib.Path(duckdb_extension_spatial.__file__).parent / "extensions" / version
home = pathlib.Path.home() / ".duckdb" / "extensions" / version / platform
home.mkdir(parents=True, exist_ok=True)
shutil.copy(own / "spatial.duckdb_extension", home)
"""
"""Puts the extension where gpio looks for it, in a home of its own."""


class NoJudgesError(RuntimeError):
    """The judges are not installed here."""


def folder() -> Path:
    """Return the environment's folder; ``LODEMAP_JUDGES`` names another."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    named = os.environ.get("LODEMAP_JUDGES") or f"{cache}/lodemap-judges"
    return Path(named).expanduser()


def program(name: str) -> str:
    """Return the path of a program of the environment."""
    windows = sys.platform == "win32"
    return str(folder() / ("Scripts" if windows else "bin") / name)


def versions() -> dict[str, str]:
    """Return the version of each judge."""
    try:
        done = run("python", "-c", _VERSIONS, *PACKAGES)
    except OSError:
        raise NoJudgesError("there is no environment of judges") from None
    if done.returncode:
        raise NoJudgesError(done.stderr.strip().splitlines()[-1][:200])
    found: dict[str, str] = json.loads(done.stdout)
    if found != PACKAGES:
        raise NoJudgesError(f"other versions are installed: {found}")
    return found


def bring_judges() -> dict[str, str]:
    """Return the versions, after installing what is missing."""
    try:
        return versions()
    except NoJudgesError as error:
        print(f"judges: {error}", file=sys.stderr)
    if not folder().exists():
        venv.create(folder(), with_pip=True)
    (folder() / "home").mkdir(exist_ok=True)
    wanted = [f"{name}=={version}" for name, version in PACKAGES.items()]
    command = [program("python"), "-m", "pip", "install", "-q", *wanted]
    print("judges: pip install", *wanted, file=sys.stderr)
    try:
        subprocess.run(command, check=False, stdout=sys.stderr, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"judges: {error}", file=sys.stderr)
    run("python", "-c", _EXTENSION)
    return versions()


def run(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment."""
    return subprocess.run(
        [program(name), *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
        env={**os.environ, "HOME": str(folder() / "home")},
    )


if __name__ == "__main__":
    try:
        for name, version in bring_judges().items():
            print(name, version)
    except NoJudgesError as error:
        sys.exit(
            f"judges: {error}. The tests that ask them are left out; they need pip and "
            "a package index"
        )

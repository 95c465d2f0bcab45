"""Programs that judge or show what we write, each group in an environment of its own.

They need other packages than the tests do, or other versions. ``python tests/apart.py``
installs them into caches of the user's and prints their versions.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

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


class NoProgramsError(RuntimeError):
    """The programs are not installed here."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """An environment, which need not be there yet."""

    name: str
    packages: dict[str, str]
    """What is installed, in these versions."""
    then: str = ""
    """Code to run in it once they are."""

    @property
    def folder(self) -> Path:
        """Where it stands; ``LODEMAP_`` and its name say another place."""
        cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
        named = os.environ.get(f"LODEMAP_{self.name.upper()}")
        return Path(named or f"{cache}/lodemap-{self.name}").expanduser()

    def program(self, name: str) -> str:
        """Return the path of a program in it."""
        windows = sys.platform == "win32"
        return str(self.folder / ("Scripts" if windows else "bin") / name)

    def versions(self) -> dict[str, str]:
        """Return the version of each package; NoProgramsError if it is not there."""
        try:
            done = self.run("python", "-c", _VERSIONS, *self.packages)
        except OSError:
            raise NoProgramsError(
                f"no environment with {', '.join(self.packages)}; "
                "python tests/apart.py brings it"
            ) from None
        if done.returncode:
            raise NoProgramsError(done.stderr.strip().splitlines()[-1][:200])
        found: dict[str, str] = json.loads(done.stdout)
        if found != self.packages:
            raise NoProgramsError(f"other versions are installed: {found}")
        return found

    def bring(self) -> dict[str, str]:
        """Return the versions, after installing what is missing."""
        try:
            return self.versions()
        except NoProgramsError as error:
            print(f"{self.name}: {error}", file=sys.stderr)
        if not self.folder.exists():
            venv.create(self.folder, with_pip=True)
        (self.folder / "home").mkdir(exist_ok=True)
        wanted = [f"{name}=={version}" for name, version in self.packages.items()]
        command = [self.program("python"), "-m", "pip", "install", "-q", *wanted]
        print(f"{self.name}: pip install", *wanted, file=sys.stderr)
        try:
            subprocess.run(command, check=False, stdout=sys.stderr, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"{self.name}: {error}", file=sys.stderr)
        if self.then:
            self.run("python", "-c", self.then)
        return self.versions()

    def run(self, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment, in a home of its own."""
        return subprocess.run(
            [self.program(name), *map(str, arguments)],
            capture_output=True,
            encoding="utf-8",
            timeout=300,
            check=False,
            env={**os.environ, "HOME": str(self.folder / "home")},
        )


JUDGES = Apart(
    name="judges",
    packages={
        "csvw": "4.1.1",
        "duckdb": "1.5.5",
        "duckdb-extension-spatial": "1.5.5",
        "exactextract": "0.3.0",
        "fastkml": "1.4.0",
        "geoparquet-io": "1.6.0",
        "lxml": "6.1.3",
    },
    then=_EXTENSION,
)
"""Of CSV on the Web, GeoParquet, KML by its schema, rasters under polygons."""

FRICTIONLESS = Apart(name="frictionless", packages={"frictionless": "5.21.0"})
"""Judges data packages."""

PORTOLAN = Apart(name="portolan", packages={"portolan-cli": "0.8.0"})
"""Judges STAC catalogues."""

JUPYTER = Apart(
    name="jupyter",
    packages={"notebook": "7.6.5", "jupyterlab": "4.6.6", "ipykernel": "7.4.0"},
)
"""Shows the map in a notebook."""


if __name__ == "__main__":
    missing = []
    for group in (JUDGES, FRICTIONLESS, PORTOLAN, JUPYTER):
        try:
            for name, version in group.bring().items():
                print(name, version)
        except (NoProgramsError, OSError, subprocess.SubprocessError) as error:
            missing.append(f"{group.name}: {error}")
    if missing:
        sys.exit(
            "\n".join(missing)
            + "\nThe tests that ask them are left out; pip has to reach an index"
        )

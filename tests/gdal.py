"""GDAL's own commands, the judge of some rasters: found, or brought here.

``python tests/gdal.py`` makes sure that ``gdaldem`` is there and prints its version.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


class NoGDALError(RuntimeError):
    """There is no ``gdaldem`` here."""


def find_gdaldem() -> str:
    """Return the path of ``gdaldem``."""
    path = shutil.which("gdaldem")
    if path is None:
        raise NoGDALError("no gdaldem on the path")
    return path


def bring_gdaldem() -> str:
    """Return the path of ``gdaldem``, installed if there is none."""
    try:
        return find_gdaldem()
    except NoGDALError:
        if not shutil.which("apt-get"):
            raise
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    install = [*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    for command in ([*root, "apt-get", "update", "-qq"], [*install, "gdal-bin"]):
        print("gdal:", " ".join(command), file=sys.stderr)
        try:
            subprocess.run(command, check=False, stdout=sys.stderr, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"gdal: {error}", file=sys.stderr)
    return find_gdaldem()


def version(gdaldem: str) -> str:
    """Say which GDAL a ``gdaldem`` belongs to."""
    asked = [str(Path(gdaldem).with_name("gdalinfo")), "--version"]
    return subprocess.run(
        asked, capture_output=True, text=True, check=False, timeout=60
    ).stdout.strip()


if __name__ == "__main__":
    try:
        print(version(bring_gdaldem()))
    except NoGDALError as error:
        sys.exit(
            f"gdal: {error}. The tests that compare with it are left out; on Debian: "
            "apt install gdal-bin"
        )

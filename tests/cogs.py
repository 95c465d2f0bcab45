"""GDAL's own judge of Cloud Optimized GeoTIFFs, with the Python that Debian brings."""

from __future__ import annotations

import subprocess
from pathlib import Path

PYTHON = "/usr/bin/python3"
MODULE = "osgeo_utils.samples.validate_cloud_optimized_geotiff"


class NoJudgeError(RuntimeError):
    """There is no such judge here."""


def require_judge() -> None:
    """Raise NoJudgeError where it is not here; ``python tests/qgis.py`` brings it."""
    asked = [PYTHON, "-c", "import osgeo_utils.samples"]
    if (
        not Path(PYTHON).exists()
        or subprocess.run(asked, capture_output=True, check=False).returncode
    ):
        raise NoJudgeError("no GDAL for Python here; python tests/qgis.py brings it")


def judged(path: Path) -> str:
    """Return what the judge says of a file."""
    done = subprocess.run(
        [PYTHON, "-m", MODULE, str(path)], capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr

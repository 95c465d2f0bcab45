"""Fixtures for every room, and the world the tests run in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline, since machines are noisy; in CI the same examples every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser):
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite the golden files"
    )


def pytest_report_header():
    import geopandas
    import pyogrio
    import pyproj
    import shapely

    return (
        f"geopandas {geopandas.__version__}, shapely {shapely.__version__} (GEOS "
        f"{shapely.geos_version_string}), PROJ {pyproj.proj_version_str}, GDAL "
        f"{pyogrio.__gdal_version_string__}"
    )


@pytest.fixture
def golden(request):
    """Compare text with tests/golden/NAME; with --update-golden, write it there."""

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8")

    return check

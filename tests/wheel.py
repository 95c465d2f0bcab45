"""Build the wheel, install it in a fresh environment, and use it from elsewhere.

An editable install hides files that the wheel lacks. ``python tests/wheel.py``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent

USE = """
from importlib.metadata import packages_distributions
from importlib.resources import files
import geo, layers, maps
for name in ("geo", "layers", "maps"):
    assert packages_distributions()[name] == ["lodemap"], name
    assert files(name).joinpath("py.typed").is_file(), name
    assert "site-packages" in str(files(name)), files(name)
assert len(layers.load("deposits")) > 5
assert layers.raster_path("altitude").is_file()
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        build = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT]
        run(build)
        [wheel] = Path(folder).glob("*.whl")
        environment = Path(folder, "fresh")
        venv.create(environment, with_pip=True)
        scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
        python = scripts / "python"
        run(
            [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel]
        )
        elsewhere = Path(folder).anchor
        run([python, "-c", USE], cwd=elsewhere)
        page = Path(folder, "page.html")
        for arguments in (["layers"], ["layers", "cite", "provinces"]):
            run([scripts / "lodemap", *arguments], cwd=elsewhere)
        run([scripts / "lodemap", "map", "-o", page], cwd=elsewhere)
        package = Path(folder, "deal.gpkg")
        run([scripts / "lodemap", "export", package], cwd=elsewhere)
        run([scripts / "lodemap", "verify", page], cwd=elsewhere)
        size = page.stat().st_size
        if not 100_000 < size < 3_000_000:
            sys.exit(f"wheel: the page has {size} bytes")
        print(f"wheel: {wheel.name} works from {elsewhere}; page of {size:,} bytes")


def run(command: list[object], cwd: str | None = None) -> None:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"wheel: {command} failed\n{done.stdout}\n{done.stderr}")


if __name__ == "__main__":
    main()

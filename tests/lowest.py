"""Run the tests of geo and layers on the lowest versions that pyproject.toml allows.

``python tests/lowest.py``; needs a package index and about two minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
TOOLS = ("pytest", "hypothesis", "h5py", "prcoords")
TESTED = ("geo", "layers", "tests/geo", "tests/layers")


def main() -> int:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    bounds = [*project["dependencies"], *extras["sql"], *extras["dask"]]
    pins = [bound.replace(">=", "==") for bound in bounds]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "Scripts" if sys.platform == "win32" else "bin", "python")
        pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, *pins, *TOOLS], check=True)
        subprocess.run([*pip, "--no-deps", "-e", str(ROOT)], check=True)
        # Old releases warn about each other; here only failures count.
        pytest = [str(python), "-m", "pytest", "-q", "-W", "default", *TESTED]
        return subprocess.run(pytest, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

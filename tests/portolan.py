"""Portolan, which judges STAC catalogues, in an environment of its own.

It needs too many other packages for the tests' own environment.
``python tests/portolan.py`` makes sure that it is there and prints its version.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parent.parent / ".venv" / "portolan"
PACKAGE = "portolan-cli==0.8.0"


class NoPortolanError(RuntimeError):
    """Portolan is not here."""


def find_portolan() -> Path:
    """Return the path of the command."""
    command = HOME / "bin" / "portolan"
    if not command.exists():
        raise NoPortolanError(f"no {command.relative_to(HOME.parent.parent)}")
    return command


def bring_portolan() -> Path:
    """Return the path of the command, installed if there is none."""
    try:
        return find_portolan()
    except NoPortolanError:
        pass
    python = HOME / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(HOME)],
        [str(python), "-m", "pip", "install", "--quiet", PACKAGE],
    ):
        print("portolan:", " ".join(command), file=sys.stderr)
        subprocess.run(command, check=False, stdout=sys.stderr, timeout=900)
    return find_portolan()


if __name__ == "__main__":
    try:
        judge = bring_portolan()
    except (NoPortolanError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"portolan: {error}. The test that asks it is left out")
    done = subprocess.run(
        [judge, "--version"], capture_output=True, text=True, check=False
    )
    print(done.stdout.strip())

"""Frictionless, which judges data packages, in an environment of its own.

It needs too many other packages for the tests' own environment.
``python tests/frictionless.py`` makes sure that it is there and prints its version.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parent.parent / ".venv" / "frictionless"
PACKAGE = "frictionless>=5.18"


class NoFrictionlessError(RuntimeError):
    """Frictionless is not here."""


def find_frictionless() -> Path:
    """Return the path of the command."""
    command = HOME / "bin" / "frictionless"
    if not command.exists():
        raise NoFrictionlessError(f"no {command.relative_to(HOME.parent.parent)}")
    return command


def bring_frictionless() -> Path:
    """Return the path of the command, installed if there is none."""
    try:
        return find_frictionless()
    except NoFrictionlessError:
        pass
    python = HOME / "bin" / "python"
    for command in (
        [sys.executable, "-m", "venv", str(HOME)],
        [str(python), "-m", "pip", "install", "--quiet", PACKAGE],
    ):
        print("frictionless:", " ".join(command), file=sys.stderr)
        subprocess.run(command, check=False, stdout=sys.stderr, timeout=900)
    return find_frictionless()


if __name__ == "__main__":
    try:
        judge = bring_frictionless()
    except (NoFrictionlessError, OSError, subprocess.TimeoutExpired) as error:
        sys.exit(f"frictionless: {error}. The tests that ask it are left out")
    done = subprocess.run(
        [judge, "--version"], capture_output=True, text=True, check=False
    )
    print("frictionless", done.stdout.strip())

"""The axe-core script with which pages are checked for accessibility.

``python tests/axe.py`` installs it with npm into a cache folder and prints its version.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

VERSION = "4.14.1"


def folder() -> Path:
    """Folder that npm installs it into; ``LODEMAP_AXE`` names another."""
    named = os.environ.get("LODEMAP_AXE")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(named) if named else Path(cache) / "lodemap-axe"


def find_axe() -> Path | None:
    """Path of the script, or None where it was not installed."""
    script = folder() / "node_modules" / "axe-core" / "axe.min.js"
    return script if script.is_file() else None


def bring_axe() -> Path:
    """Path of the script, installed if it is not there."""
    if script := find_axe():
        return script
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("axe: npm is not installed; install Node.js, or set LODEMAP_AXE")
    folder().mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--silent", "--no-save", f"axe-core@{VERSION}"]
    subprocess.run([*command, "--prefix", str(folder())], check=True, timeout=300)
    script = find_axe()
    return script or sys.exit("axe: npm installed no axe-core/axe.min.js")


if __name__ == "__main__":
    about = bring_axe().with_name("package.json")
    print("axe-core", json.loads(about.read_text("utf-8"))["version"])

"""Readers in JavaScript that share no code with GDAL: found, or brought here.

``python tests/npm.py`` installs them into a cache of the user's and prints their
versions.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "flatgeobuf": "4.5.0",
    "shpjs": "6.2.0",
    "hyparquet": "1.33.0",
    "hyparquet-compressors": "1.1.2",
    "@tmcw/togeojson": "7.1.3",
    "@xmldom/xmldom": "0.9.12",
}
"""What is installed, in these versions."""

PRELUDE = """
import fs from 'fs';
const out = value => process.stdout.write(JSON.stringify(value, (key, inner) =>
  typeof inner === 'bigint' ? inner.toString() : inner));
"""


class NoReadersError(RuntimeError):
    """There is no Node.js here, or the readers are not installed."""


def folder() -> Path:
    """Return the folder in which they are kept; ``LODEMAP_NPM`` names another."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    named = os.environ.get("LODEMAP_NPM") or f"{cache}/lodemap-npm"
    return Path(named).expanduser()


def versions() -> dict[str, str]:
    """Return the version of Node.js and of each reader."""
    node = shutil.which("node")
    if node is None:
        raise NoReadersError("no node on the path")
    found = {"node": _said([node, "--version"])}
    for name, wanted in PACKAGES.items():
        about = folder() / "node_modules" / name / "package.json"
        if not about.is_file():
            raise NoReadersError(f"{name} is not installed")
        found[name] = json.loads(about.read_text("utf-8"))["version"]
        if found[name] != wanted:
            raise NoReadersError(f"{name} is {found[name]}, not {wanted}")
    return found


def bring_readers() -> dict[str, str]:
    """Return the versions, after installing what is missing."""
    try:
        return versions()
    except NoReadersError:
        npm = shutil.which("npm")
        if npm is None:
            raise
    folder().mkdir(parents=True, exist_ok=True)
    about = folder() / "package.json"
    about.write_text('{"private": true, "type": "module"}\n', encoding="utf-8")
    wanted = [f"{name}@{version}" for name, version in PACKAGES.items()]
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"]
    command = [npm, "install", *options, *wanted]
    print("npm:", " ".join(command[1:]), file=sys.stderr)
    try:
        subprocess.run(
            command, cwd=folder(), check=False, stdout=sys.stderr, timeout=300
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"npm: {error}", file=sys.stderr)
    return versions()


def ask(script: str, *arguments: object) -> object:
    """Run a module of JavaScript beside the readers, and return what it puts out.

    The script calls ``out(value)`` once; ``fs`` and ``process.argv`` are there, the
    arguments from ``process.argv[1]`` on.
    """
    versions()
    text = f"{PRELUDE}\n{script}"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", text, *map(str, arguments)],
        cwd=folder(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    if done.returncode:
        raise AssertionError(done.stderr[-2000:])
    return json.loads(done.stdout)


def _said(command: list[str]) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.strip()


if __name__ == "__main__":
    try:
        for name, version in bring_readers().items():
            print(name, version)
    except NoReadersError as error:
        sys.exit(
            f"npm: {error}. The tests that read our files in JavaScript are left out; "
            "on Debian: apt install nodejs npm, then python tests/npm.py"
        )

"""The Chromium that the browser tests drive: found, or brought here.

``python tests/browser.py`` prints its path. An installed Chromium or Chrome comes
first, Playwright's own download second, Debian's package third.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def until(frame: Any, expression: str, arg: object = None, seconds: float = 10) -> None:
    """Wait until an expression, or a function of ``arg``, is true in a page.

    Playwright's own ``wait_for_function`` looks again by ``eval`` inside the page,
    which the pages' Content-Security-Policy rightly forbids.
    """
    end = time.monotonic() + seconds
    while not frame.evaluate(expression, arg):
        if time.monotonic() > end:
            raise TimeoutError(f"not true after {seconds} s: {expression} of {arg!r}")
        time.sleep(0.02)


class NoBrowserError(RuntimeError):
    """There is no Chromium, and none could be brought here."""


def find_browser() -> str | None:
    """Path of a Chromium on this machine, or None.

    ``LODEMAP_CHROMIUM`` names one before all others.
    """
    named = os.environ.get("LODEMAP_CHROMIUM")
    if named:
        return named
    for name in NAMES:
        if path := shutil.which(name):
            return path
    for place in PLACES:
        if Path(place).is_file():
            return place
    own = _playwrights_own()
    return own if own and Path(own).is_file() else None


def bring_browser() -> str:
    """Path of a Chromium, downloaded or installed if there is none."""
    if path := find_browser():
        return path
    tries = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get"):
        root = [] if os.geteuid() == 0 else ["sudo", "-n"]
        install = [*root, "apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        tries += [
            [*root, "apt-get", "update", "-qq"],
            [*install, "chromium", "fonts-noto-cjk"],
        ]
    for command in tries:
        print("browser:", " ".join(command), file=sys.stderr)
        try:
            subprocess.run(command, check=False, stdout=sys.stderr, timeout=600)
        except (OSError, subprocess.TimeoutExpired) as error:
            print(f"browser: {error}", file=sys.stderr)
        if path := find_browser():
            return path
    raise NoBrowserError(
        "no Chromium or Chrome found, and none could be installed. Install one, or set "
        "LODEMAP_CHROMIUM to its path"
    )


def _playwrights_own() -> str | None:
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            return playwright.chromium.executable_path
    except Error:
        return None


if __name__ == "__main__":
    try:
        print(bring_browser())
    except NoBrowserError as error:
        sys.exit(f"browser: {error}")

"""How far long work is, drawn on a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from geo.parallel import Progress

PATIENCE_S = 1.0
"""Progress is drawn from here on. [s]"""


def percent(done: int, whole: int) -> str:
    """Write a part of a whole as a percentage."""
    return f"{100 * done // max(whole, 1):3d} %"


@contextmanager
def drawn_progress(
    words: Callable[[int, int], str] = percent,
) -> Iterator[Progress | None]:
    """Draw how far work is, on a terminal only; gone when it is done.

    Parameters
    ----------
    words
        Puts what is done and the whole into words.

    Yields
    ------
    callable or None
        Takes what is done and the whole; None where there is no terminal.
    """
    if not sys.stderr.isatty():
        yield None
        return
    began, drawn = time.monotonic(), ""

    def draw(done: int, whole: int) -> None:
        nonlocal drawn
        line = f"\rlodemap: {words(done, whole)}"
        if line != drawn and time.monotonic() - began > PATIENCE_S:
            click.echo(line.ljust(len(drawn)), err=True, nl=False)
            drawn = line

    try:
        yield draw
    finally:
        if drawn:
            click.echo("\r" + " " * len(drawn) + "\r", err=True, nl=False)

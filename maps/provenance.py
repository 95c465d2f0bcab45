"""What a page says of its own making: data, version, command, and checksums.

A checksum tells a page that was changed or damaged from one that was not. It is no
signature: who changes a page can change its checksums as well.
"""

from __future__ import annotations

import hashlib
import re
import shlex
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from maps.panel import credit_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from mmap import mmap

    from layers.exchange import Exchange

ID = "provenance"
"""Id of the block that holds it; it is in no checksum."""

OPENING = f'<script type="application/json" id="{ID}">'
"""Tag before it."""

CLOSING = "</script>"
"""Tag after it, as after every block."""

_BLOCK = re.compile(rb'<script type="application/json" id="([A-Za-z0-9_.:-]{1,200})">')
_STEP = 1 << 20
_LEFT_OUT = frozenset({"output", "show"})


def made_from(exchange: Exchange, command: str = "") -> dict[str, Any]:
    """Tell what a page of an exchange is made from.

    Parameters
    ----------
    exchange
        What it shows.
    command
        Command line without paths of this machine; empty if there was none.

    Returns
    -------
    dict
        ``version``, ``command``, ``exchange`` and ``layers``, JSON-ready; no time of
        making, so that the same command writes the same page.
    """
    return {
        "version": version("lodemap"),
        "command": command,
        "exchange": {
            "id": exchange.id,
            "title": exchange.title,
            "file": exchange.file,
            "sha256": exchange.sha256,
        },
        "layers": [
            {
                key: credit[key]
                for key in ("id", "title", "file", "sha256", "source", "licence")
            }
            for credit in credit_lines(exchange)
        ],
    }


def told_command(context: click.Context) -> str:
    """Write the command line of a page, without paths of this machine.

    Parameters
    ----------
    context
        Of the running command.

    Returns
    -------
    str
        Command and options that were given, in the order of the command's help; of a
        file only its name; not where the page is written.
    """
    words = context.command_path.split()
    words = [Path(words[0]).name, *words[1:]]
    given = click.core.ParameterSource.COMMANDLINE
    for parameter in context.command.params:
        name = parameter.name or ""
        if name in _LEFT_OUT or context.get_parameter_source(name) != given:
            continue
        value = context.params[name]
        if isinstance(parameter, click.Argument):
            words.append(_without_folder(value))
            continue
        for item in value if isinstance(value, tuple) else (value,):
            words.append(parameter.opts[0])
            if not isinstance(item, bool):
                words.append(_without_folder(item))
    return shlex.join(words)


def with_provenance(html: str, made: Mapping[str, Any]) -> str:
    """Put into a page what it is made from, with its checksums.

    Parameters
    ----------
    html
        A page with an empty block of :data:`ID`.
    made
        From :func:`made_from`.

    Returns
    -------
    str
        The page; ``blocks`` holds the SHA-256 of each block of data, ``page`` that of
        all that is not this block.
    """
    from maps.layer import to_json

    before, after = html.split(f"{OPENING}{CLOSING}", 1)
    before, after = f"{before}{OPENING}", f"{CLOSING}{after}"
    page = f"{before}{after}".encode()
    found = {
        "lodemap": 1,
        **made,
        "page": hashlib.sha256(page).hexdigest(),
        "blocks": block_sums(page),
    }
    return f"{before}{to_json(found)}{after}"


def block_sums(page: bytes | mmap) -> dict[str, str]:
    """Return the SHA-256 of each block of data in a page.

    Parameters
    ----------
    page
        Its bytes.

    Returns
    -------
    dict
        Hexadecimal digits by the block's id, in the order of the page; a block that
        stands twice or has no end has an empty sum.
    """
    found: dict[str, str] = {}
    for name, start, end in _blocks(page):
        whole = end >= 0 and name not in found
        found[name] = digest(page, start, end) if whole else ""
    return found


def digest(page: bytes | mmap, *bounds: int) -> str:
    """Return the SHA-256 of parts of a page.

    Parameters
    ----------
    page
        Its bytes.
    *bounds
        Start and end of each part, in turn.

    Returns
    -------
    str
        Hexadecimal digits; the page is read a step at a time.
    """
    summed = hashlib.sha256()
    for start, end in zip(bounds[::2], bounds[1::2], strict=True):
        for place in range(start, end, _STEP):
            summed.update(page[place : min(place + _STEP, end)])
    return summed.hexdigest()


def _blocks(page: bytes | mmap) -> Iterator[tuple[str, int, int]]:
    """Each block of data with its bounds; an end of -1 where there is none."""
    for found in _BLOCK.finditer(page):
        name = found[1].decode("ascii")
        if name != ID:
            yield name, found.end(), page.find(CLOSING.encode(), found.end())


def _without_folder(value: object) -> str:
    """Name of a file without its folder; any other value as it is."""
    text = str(value)
    return Path(text).name if "/" in text or "\\" in text else text

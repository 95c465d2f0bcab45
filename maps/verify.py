"""``lodemap verify``: whether the data in a page are what the catalogue says."""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import stat
import struct
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from geo.errors import GeoError
from maps.preview import ARCHIVE
from maps.provenance import CLOSING, ID, OPENING, block_sums, digest
from maps.results import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST = 2 << 30
"""Size above which a file is not looked at. [bytes]"""

LARGEST_PROVENANCE = 4 << 20
"""Size above which what a page says of its making is not read. [bytes]"""

_HEAD = 1 << 16
_ARCHIVE_HEAD = 127
_LINE = 300


class PageDamagedError(GeoError, ValueError):
    """A file is no page of ours, or not a whole one."""


class LayerUsed(msgspec.Struct, frozen=True, kw_only=True):
    """A layer as a page names it."""

    id: str
    title: str
    file: str
    sha256: str
    source: str
    licence: str


class ExchangeUsed(msgspec.Struct, frozen=True, kw_only=True):
    """The exchange as a page names it."""

    id: str
    title: str
    file: str
    sha256: str


class ArchiveUsed(msgspec.Struct, frozen=True, kw_only=True):
    """An archive of tiles as a page names it."""

    file: str
    layer: str
    features: int
    tiles: int
    size: int
    sha256: str
    head: int


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What a page says of its making."""

    lodemap: int
    page: str
    blocks: dict[str, str]
    version: str = ""
    command: str = ""
    exchange: ExchangeUsed | None = None
    layers: tuple[LayerUsed, ...] = ()
    archives: tuple[ArchiveUsed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was found in a page.

    Attributes
    ----------
    made
        What it says of its making.
    blocks
        How many blocks of data it holds.
    differs
        What is not as it should be, a sentence each.
    notes
        What is worth knowing and no fault.
    """

    made: Provenance
    blocks: int
    differs: tuple[str, ...]
    notes: tuple[str, ...]


def verify_page(path: str | os.PathLike[str]) -> Report:
    """Compare a page with its checksums, its archives, and the installed catalogue.

    Parameters
    ----------
    path
        HTML file that Lodemap wrote. It is read a step at a time and nothing in it
        runs. The archives of tiles that it names are looked for beside it.

    Returns
    -------
    Report
        Without a difference, the page is as it was written and its layers are those
        of the catalogue.

    Raises
    ------
    PageDamagedError
        If the file cannot be read, is too large, cut short, or no page of Lodemap.
    """
    name = Path(path).name
    with _opened(path) as page:
        made, start, end = _provenance(name, page)
        sums = block_sums(page)
        differs = _changed(made, sums, digest(page, 0, start, end, len(page)))
    folder = Path(path).parent
    for archive in made.archives:
        differs += _archive_differs(archive, folder)
    catalogue_differs, notes = _against_catalogue(made)
    return Report(
        made=made,
        blocks=len(sums),
        differs=(*differs, *catalogue_differs),
        notes=tuple(notes),
    )


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[mmap.mmap]:
    """Map a regular file of a bearable size into memory."""
    name = Path(path).name
    waiting = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, os.O_RDONLY | waiting)  # no wait at a pipe
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PageDamagedError(f"{name[:200]} cannot be read: {reason}") from None
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            raise PageDamagedError(f"{name} is a folder or a device, no page")
        if about.st_size == 0:
            raise PageDamagedError(f"{name} is empty")
        if about.st_size > LARGEST:
            raise PageDamagedError(
                f"{name} has {about.st_size / 1e9:,.1f} GB; a page of at most "
                f"{LARGEST / 1e9:,.1f} GB is looked at"
            )
        with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as page:
            yield page
    finally:
        os.close(descriptor)


def _provenance(name: str, page: mmap.mmap) -> tuple[Provenance, int, int]:
    """Read what a page says of its making, and where that stands."""
    ours = page.find(b'<meta name="generator" content="Lodemap">', 0, _HEAD) >= 0
    if not ours:
        raise PageDamagedError(f"{name} is no page that Lodemap wrote")
    whole = page[-64:].rstrip().endswith(b"</html>")
    opening, closing = OPENING.encode(), CLOSING.encode()
    start = page.find(opening)
    end = page.find(closing, start) if start >= 0 else -1
    if not whole:
        raise PageDamagedError(
            f"{name} is damaged: it ends after {len(page):,} bytes, before its end. "
            "Get it again, or make it again"
        )
    if end < 0:
        raise PageDamagedError(f"{name} says nothing of its making (no {ID!r} in it)")
    start += len(opening)
    if end - start > LARGEST_PROVENANCE:
        raise PageDamagedError(f"{name} says more of its making than a page can")
    try:
        made = msgspec.json.decode(page[start:end], type=Provenance)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise PageDamagedError(
            f"{name} is damaged: what it says of its making cannot be read ({error})"
        ) from None
    return made, start, end


def _changed(made: Provenance, sums: dict[str, str], whole: str) -> list[str]:
    """Compare what is in a page with the checksums that it carries."""
    found = []
    for block in dict.fromkeys((*made.blocks, *sums)):
        if block not in sums:
            found.append(f"data {block}: missing")
        elif block not in made.blocks:
            found.append(f"data {block}: not there when the page was made")
        elif sums[block] != made.blocks[block]:
            found.append(f"data {block}: changed since the page was made")
    if whole != made.page and not found:
        found.append("text, styles or scripts: changed since the page was made")
    return found


def _archive_differs(said: ArchiveUsed, folder: Path) -> list[str]:
    """Compare an archive beside a page with what the page says of it."""
    name = f"archive {said.file[:80]}"
    if Path(said.file).name != said.file or not said.file.endswith(ARCHIVE):
        return [f"{name}: no name of an archive beside the page"]
    path = folder / said.file
    try:
        if not path.is_file():
            return [f"{name}: missing; expected it in the folder of the page"]
        with path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(0)
            head = stream.read(_ARCHIVE_HEAD)
            stream.seek(0)
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return [f"{name}: cannot be read: {error.strerror}"]
    if found == said.sha256 and size == said.size:
        return []
    what = f"damaged or changed: SHA-256 {said.sha256[:12]}… in the page, "
    what += f"{found[:12]}… in the file"
    if head[:8] != b"PMTiles\x03" or len(head) < _ARCHIVE_HEAD:
        what = "no archive of tiles"
    elif (tiles := struct.unpack("<Q", head[72:80])[0]) != said.tiles:
        what = f"another archive: {said.tiles:,} tiles expected, {tiles:,} in it"
    elif size != said.size:
        what = f"damaged: {said.size:,} bytes when the page was made, {size:,} now"
    return [f"{name}: {what}"]


def _against_catalogue(made: Provenance) -> tuple[list[str], list[str]]:
    """Compare the files that a page names with those that are installed."""
    from layers.catalogue import catalogue
    from layers.exchange_file import exchange_ids, file_sum

    differs, notes = [], []
    entries = catalogue()
    for layer in made.layers:
        here = entries.get(layer.id)
        if here is None:
            differs.append(f"layer {layer.id}: not in the installed catalogue")
        elif here.sha256 != layer.sha256:
            differs.append(
                f"layer {layer.id}: SHA-256 {layer.sha256[:12]}… in the page, "
                f"{here.sha256[:12]}… in the installed catalogue"
            )
    if made.exchange and made.exchange.id in exchange_ids():
        here_sum = file_sum(made.exchange.id)
        if made.exchange.sha256 != here_sum:
            differs.append(
                f"exchange {made.exchange.id}: SHA-256 {made.exchange.sha256[:12]}… in "
                f"the page, {here_sum[:12]}… installed"
            )
    elif made.exchange:
        notes.append(f"exchange {made.exchange.id} does not ship; not compared")
    if made.version != version("lodemap"):
        notes.append(f"made by version {made.version}; {version('lodemap')} is here")
    return differs, notes


@click.command()
@click.argument("page")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(*, page: str, as_json: bool) -> None:
    """Check that the data in PAGE are those of the catalogue, and print its sources.

    Archives of tiles that the page reads are looked for beside it, and checked as well.

    Exits with 1 if anything differs. A checksum shows damage and careless changes; it
    is no signature.
    """
    report = verify_page(page)
    if as_json:
        about = {
            "page": page,
            "ok": not report.differs,
            **asdict(report),
            "made": msgspec.to_builtins(report.made),
        }
        click.echo(json.dumps(about, ensure_ascii=False, indent=2))
    else:
        for line in _lines(Path(page).name, report):
            click.echo(printable(line[:_LINE]))
    if report.differs:
        count = len(report.differs)
        what = "thing differs" if count == 1 else "things differ"
        click.echo(f"lodemap: {Path(page).name}: {count} {what}", err=True)
        raise SystemExit(1)


def _lines(name: str, report: Report) -> Iterator[str]:
    """Say what was found, difference by difference, source by source."""
    made = report.made
    yield f"{name}: Lodemap {made.version or '?'}, {report.blocks} blocks of data"
    if made.command:
        yield f"made by: {made.command}"
    if made.exchange:
        yield f"exchange: {made.exchange.file} (SHA-256 {made.exchange.sha256[:12]}…)"
    for one in made.archives:
        yield (
            f"archive: {one.file} (SHA-256 {one.sha256[:12]}…), {one.features:,} "
            f"features of {one.layer}"
        )
    yield from (f"DIFFERS  {line}" for line in report.differs)
    yield from (f"note  {line}" for line in report.notes)
    if not report.differs:
        yield "as it was written, and its layers are those of the catalogue"
    yield "sources:"
    for layer in made.layers:
        yield f"  {layer.id} ({layer.licence}): {layer.source}"

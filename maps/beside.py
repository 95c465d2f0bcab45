"""A page and the archives of tiles that stand beside it."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.errors import WriteError
from maps import page as pages
from maps.page import ExchangeMap, PageError
from maps.words.phrases import ARCHIVE_TROUBLE

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    import folium

    from layers.symbology import Mark
    from layers.tiles import Tiles
    from maps.many import ManyLayer

HEAD = 16_384
"""Bytes at the start of an archive by which a page knows it: what it reads first."""

_NAMED = 12
_STEP = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Large:
    """A layer that a page holds packed, and that could stand in tiles instead."""

    element: ManyLayer
    """As it is on the page."""
    tile: Callable[[Path], tuple[ManyLayer, Mark]]
    """Write it to an archive; return what the page needs then."""

    @property
    def size(self) -> int:
        """Size in the page. [bytes]."""
        return sum(map(len, self.element.blocks))


def archive_used(tiles: Tiles, layer: str) -> dict[str, Any]:
    """Tell what a page says of an archive.

    Parameters
    ----------
    tiles
        What became of the layer.
    layer
        Its name.

    Returns
    -------
    dict
        JSON-ready: ``file``, ``layer``, ``features``, ``tiles``, ``size`` in bytes,
        ``sha256``, and ``head``, the CRC-32 of what is read first.
    """
    with tiles.path.open("rb") as stream:
        head = zlib.crc32(stream.read(HEAD))
    return {
        "file": tiles.path.name,
        "layer": layer,
        "features": tiles.rows,
        "tiles": tiles.tiles,
        "size": tiles.size,
        "sha256": tiles.sha256,
        "head": head,
    }


def save(
    page: folium.Map, path: str | os.PathLike[str], *, tiles: bool | str = False
) -> list[Path]:
    """Write a map, and what is too large for one file beside it.

    Parameters
    ----------
    page, path, tiles
        As :func:`maps.save` takes them.

    Returns
    -------
    list of pathlib.Path
        The page, then the archives beside it.

    Raises
    ------
    PageError
        If ``tiles`` is none of these; or as :func:`maps.page.save`.
    layers.errors.ExtraMissingError
        If there are to be tiles, and the extra ``tiles`` is not installed.
    WriteError
        If a file cannot be written, or an archive is no longer what was written.

    Notes
    -----
    An archive is named by its SHA-256, and stands before the page that reads it does:
    whatever happens on the way, no page finds another's archive in the place of its
    own. Archives of earlier pages are left for those who still read them.
    """
    if tiles not in (True, False, "auto"):
        raise PageError(f"tiles is {tiles!r}; expected True, False or 'auto'")
    target = Path(path)
    if not isinstance(page, ExchangeMap):
        return [pages.save(page, target)]
    with _beside(page, target, _chosen(page.large, tiles)) as new:
        for archive in page.archives:
            _require_unchanged(page, archive)
        try:
            written = pages.save(page, target)
        except BaseException:
            for archive in new:
                archive.unlink(missing_ok=True)
            raise
        return [written, *page.archives]


def _chosen(large: Sequence[Large], tiles: bool | str) -> list[Large]:
    """Which layers are to stand beside the page, the largest first."""
    if tiles is False:
        return []
    ordered = sorted(large, key=lambda one: -one.size)
    if tiles is True:
        return ordered
    left = sum(one.size for one in ordered)
    found = []
    for one in ordered:
        if left <= pages.LARGE:
            break
        found.append(one)
        left -= one.size
    return found


@contextmanager
def _beside(
    page: ExchangeMap, target: Path, chosen: Sequence[Large]
) -> Iterator[list[Path]]:
    """Let layers stand in tiles while the page is written; yield new archives."""
    if not chosen:
        yield []
        return
    had = (
        dict(page._children),
        dict(page.marks),
        list(page.archives),
        list(page.archives_used),
        list(page.extras),
        set(page.says),
    )
    new: list[Path] = []
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise WriteError(
            f"cannot write beside {target.name}: {error.strerror}; expected a folder "
            "that can be written. Give the path of a file in one."
        ) from None
    page.says |= set(ARCHIVE_TROUBLE)
    try:
        for one in chosen:
            made, mark = one.tile(work / "layer.pmtiles")
            archive = _named(work / "layer.pmtiles", target, new)
            about = made.data["tiles"]["archive"]
            about["file"] = archive.name
            _forget_data(page, one.element.get_name())
            page._children[one.element.get_name()] = made
            made._parent = page
            page.marks[mark.key] = mark
            page.needs("tiled")
            page.archives.append(archive)
            page.archives_used.append(about)
        yield new
    except BaseException:
        for archive in new:
            archive.unlink(missing_ok=True)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for one in chosen:
            _forget_data(page, one.element.get_name())
        page._children.clear()
        page._children.update(had[0])
        page.marks, page.archives, page.archives_used, page.extras, page.says = had[1:]


def _forget_data(page: ExchangeMap, name: str) -> None:
    """Take the data of a layer out of the page; the next writing puts them back."""
    figure: Any = page.get_root()
    for part in (figure.html, figure.script, figure.tail):
        for key in [*part._children]:
            if key == name or key.startswith(f"{name}-"):
                del part._children[key]


def _named(archive: Path, target: Path, new: list[Path]) -> Path:
    """Put an archive beside a page, named by its checksum."""
    digest = _digest(archive)
    place = target.with_name(f"{target.stem}-{digest[:_NAMED]}.pmtiles")
    if place.exists() and _digest(place) == digest:
        return place
    archive.replace(place)
    new.append(place)
    return place


def _require_unchanged(page: ExchangeMap, archive: Path) -> None:
    """Refuse to write a page beside another archive than it was made with."""
    said = next(
        (one for one in page.archives_used if one["file"] == archive.name), None
    )
    try:
        found = _digest(archive)
    except OSError as error:
        raise WriteError(
            f"the page reads {archive.name}, which cannot be read: {error.strerror}; "
            "expected the archive that was written for it. Add the layer again."
        ) from None
    if said is not None and said["sha256"] != found:
        raise WriteError(
            f"{archive.name} has changed since it was written for this page; expected "
            f"SHA-256 {said['sha256'][:12]}…. Add the layer again."
        )


def _digest(path: Path) -> str:
    """SHA-256 of a file, read a step at a time."""
    summed = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(_STEP):
            summed.update(part)
    return summed.hexdigest()

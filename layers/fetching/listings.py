"""The source's own list of the tiles that exist: the sea has none."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from layers.errors import DamagedFileError
from layers.fetching.asking import MissingFileError
from layers.fetching.cache import keep
from layers.fetching.pages import describe
from layers.fetching.transfer import forget, receive

if TYPE_CHECKING:
    from pathlib import Path

    from layers.fetching.cache import Shelf
    from layers.fetching.door import Door
    from layers.fetching.products import Listing
    from layers.fetching.settings import Settings

_DAY_S = 86_400


def kept_list(shelf: Shelf) -> frozenset[str] | None:
    """Tiles that exist, by the list that is kept.

    Parameters
    ----------
    shelf
        The product's folder.

    Returns
    -------
    frozenset of str or None
        Names as the list has them; None where there is no list, or none is kept.
    """
    listing = shelf.product.listing
    path = _path(shelf)
    if listing is None or not path.is_file():
        return None
    return read_list(path, listing)


def fetched_list(shelf: Shelf, door: Door, settings: Settings) -> frozenset[str] | None:
    """Tiles that exist, by a list that is asked for where the kept one is old.

    Parameters
    ----------
    shelf
        The product's folder.
    door
        Where requests may go.
    settings
        Age at which the list is asked for again.

    Returns
    -------
    frozenset of str or None
        Names as the list has them; None where the source has no list.

    Raises
    ------
    FetchError
        If it cannot be fetched, or is no list.
    """
    listing = shelf.product.listing
    if listing is None:
        return None
    path = _path(shelf)
    with shelf.lock("list", settings):
        if path.is_file() and time.time() - path.stat().st_mtime < (
            settings.list_days * _DAY_S
        ):
            return read_list(path, listing)
        part = shelf.part("list")
        forget(part)
        try:
            receive(
                listing.path,
                part,
                door=door,
                settings=settings,
                max_bytes=listing.max_bytes,
            )
        except MissingFileError:
            return None
        try:
            names = read_list(part, listing)
        except DamagedFileError:
            forget(part)
            raise
        keep(part, path)
        forget(part)
        return names


def read_list(path: Path, listing: Listing) -> frozenset[str]:
    """Read a list of tiles.

    Parameters
    ----------
    path
        The list as the source has it.
    listing
        How it is laid out.

    Returns
    -------
    frozenset of str
        Names of tiles.

    Raises
    ------
    DamagedFileError
        If it is another file, or names no tile.
    """
    content = path.read_bytes()
    names: frozenset[str] = frozenset()
    try:
        text = content.decode("utf-8")
        if listing.kind == "lines":
            lines = [line.strip() for line in text.splitlines() if line.strip()]
            if all(line.replace("_", "").isalnum() for line in lines):
                names = frozenset(lines)
        else:
            names = frozenset(
                str(feature["properties"][listing.property])
                for feature in json.loads(text)["features"]
            )
    except (ValueError, KeyError, TypeError):
        names = frozenset()
    if not names:
        raise DamagedFileError(
            f"{listing.path}: {describe(content)}; expected the source's list of tiles"
        )
    return names


def _path(shelf: Shelf) -> Path:
    """Where the list is kept."""
    return shelf.parts / "list"

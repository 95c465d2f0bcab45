"""Checksums that a source publishes, compared with what came."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layers.errors import DamagedFileError
from layers.fetching.asking import MissingFileError, read_small

if TYPE_CHECKING:
    from layers.fetching.door import Door
    from layers.fetching.products import Product
    from layers.fetching.settings import Settings
    from layers.fetching.tiles import Tile
    from layers.fetching.transfer import Answer

_MD5 = re.compile(r"[0-9a-f]{32}")


def compare(
    product: Product,
    tile: Tile,
    answer: Answer,
    md5: str,
    door: Door,
    settings: Settings,
) -> tuple[str, ...]:
    """Compare what came with the length and the checksum that the source says.

    Parameters
    ----------
    product, tile
        What came.
    answer
        What the source said of it.
    md5
        MD5 of what came, in hexadecimal.
    door, settings
        How to ask for a file with a checksum.

    Returns
    -------
    tuple of str
        What was compared, in words.

    Raises
    ------
    DamagedFileError
        If the checksum is another.
    FetchError
        If a file with a checksum exists and cannot be fetched.

    Notes
    -----
    Amazon S3 gives an object that was uploaded whole its MD5 as ETag; one uploaded in
    parts has a dash in it, and one encrypted by KMS another value: those say nothing.
    """
    checks = [] if answer.length is None else ["length as the source says"]
    said, where = "", ""
    if product.checksum == "etag-md5" and answer.encrypted != "aws:kms":
        said, where = answer.etag.strip('"').lower(), "ETag"
    elif product.checksum == "md5-file":
        said, where = _beside(tile.path, door, settings), "file .md5"
    if not _MD5.fullmatch(said):
        return (*checks, "no checksum of the source's")
    if said != md5:
        raise DamagedFileError(
            f"{answer.url}: MD5 is {md5}; the source's {where} says {said}. Nothing "
            "was kept; if the source renews it just now, run the same again"
        )
    return (*checks, f"MD5 as the source's {where}")


def _beside(path: str, door: Door, settings: Settings) -> str:
    """Checksum in the file that stands beside another; "" where there is none."""
    try:
        text = read_small(f"{path}.md5", door=door, settings=settings, max_bytes=4096)
    except MissingFileError:
        return ""
    words = text.decode("ascii", "replace").split()
    return words[0].lower() if words else ""

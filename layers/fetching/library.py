"""What is already in the cache: the files for a place, and how to cite them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from layers.errors import FetchError
from layers.fetching.cache import Shelf
from layers.fetching.checks import check_place
from layers.fetching.listings import kept_list
from layers.fetching.products import find_products
from layers.fetching.regions import area
from layers.fetching.settings import Settings
from layers.fetching.tiles import tiles_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from layers.fetching.products import Box


def files(
    product: str,
    *,
    region: str | None = None,
    bbox: Box | None = None,
    folder: str | PathLike[str] | None = None,
    verify: bool = True,
) -> tuple[Path, ...]:
    """Files of a product for a place that are in the cache; nothing is fetched.

    Parameters
    ----------
    product
        Id of the product.
    region, bbox
        The place, as :func:`layers.fetch` has it.
    folder
        Cache; :func:`layers.fetching.cache_folder` if None.
    verify
        Whether each file is compared with the SHA-256 of the day it came; else only
        its length is.

    Returns
    -------
    tuple of pathlib.Path
        From south to north, then from west to east, without the tiles that the source
        does not have.

    Raises
    ------
    LayerNotFoundError, RequestError
        As :func:`layers.fetch`.
    FetchError
        If a file is not there, or was never checked; the message says how to fetch it.
    DamagedFileError
        If a file has changed since it came, or ends before the place does.
    """
    [found] = find_products([product])
    place = area(region=region, bbox=bbox)
    shelf = Shelf(found, _cache(folder))
    manifest, names = shelf.manifest(), kept_list(shelf)
    paths: list[Path] = []
    missing: list[str] = []
    for tile in tiles_of(found, place):
        path, entry = shelf.file(tile.file), manifest.files.get(tile.file)
        if path.is_file() and entry is not None:
            if verify or path.stat().st_size != entry.size:
                shelf.check(tile.file, entry)
            if found.raster is not None and tile.shape is None:
                check_place(path, tile, place)
            paths.append(path)
        elif tile.file not in manifest.absent and (
            names is None or tile.listed in names
        ):
            missing.append(tile.file)
    if missing:
        where = f"--region {region}" if region else f"--bbox {_joined(bbox)}"
        raise FetchError(
            f"{len(missing)} files of {found.id} are not in {shelf.folder}, the first "
            f"{missing[0]}; run: lodemap fetch {found.id} {where} --download"
        )
    return tuple(paths)


def cite(
    products: str | Iterable[str] = (), *, folder: str | PathLike[str] | None = None
) -> tuple[str, ...]:
    """Lines that cite what is in the cache.

    Parameters
    ----------
    products
        Ids of products; all if none. Those of which there is no file are left out.
    folder
        Cache; :func:`layers.fetching.cache_folder` if None.

    Returns
    -------
    tuple of str
        For each product its citation, licence, the notice that its licence asks for,
        and each file with day, length and SHA-256.

    Raises
    ------
    LayerNotFoundError
        If there is no such product.
    """
    ids = (products,) if isinstance(products, str) else tuple(products)
    lines: list[str] = []
    for product in find_products(ids):
        manifest = Shelf(product, _cache(folder)).manifest()
        if not manifest.files:
            continue
        lines += [
            manifest.citation,
            f"  licence: {manifest.licence} ({manifest.licence_url})",
            f"  notice: {manifest.notice}",
        ]
        for name, entry in sorted(manifest.files.items()):
            origin = entry.url or "put there by hand"
            lines.append(
                f"  {name}: {entry.retrieved[:10]}, {entry.size:,} bytes, SHA-256 "
                f"{entry.sha256}, {origin}"
            )
    return tuple(lines)


def _cache(folder: str | PathLike[str] | None) -> Path:
    """Return the folder of public files."""
    settings = Settings.from_env()
    if folder is not None:
        settings = replace(settings, cache=Path(folder).absolute())
    return settings.cache


def _joined(bbox: Box | None) -> str:
    """Write a box as the command has it."""
    return ",".join(f"{number:g}" for number in bbox or ())

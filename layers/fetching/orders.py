"""Public files for a place: named, fetched when asked, checked, kept."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from layers.errors import DamagedFileError, FetchError, RequestError
from layers.fetching.archives import unpack
from layers.fetching.asking import MissingFileError, StoppedError
from layers.fetching.cache import Entry, Shelf, digests, keep, sha256_of
from layers.fetching.checks import BEGINNINGS, check_file, check_place
from layers.fetching.door import Door
from layers.fetching.listings import fetched_list, kept_list
from layers.fetching.products import find_products
from layers.fetching.regions import area
from layers.fetching.settings import Settings
from layers.fetching.sums import compare
from layers.fetching.tiles import tiles_of
from layers.fetching.transfer import forget, receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from os import PathLike

    from layers.fetching.products import Box, Product
    from layers.fetching.regions import Place
    from layers.fetching.tiles import Tile

logger = logging.getLogger(__name__)

_ARCHIVE = "archive.zip"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicFile:
    """One file of a public data set, as it stands in the cache."""

    product: str
    """Id of the product."""
    name: str
    """Name in the cache, as the source has it."""
    path: Path
    """Where it stands, or would stand."""
    url: str
    """Where it comes from."""
    status: Literal["kept", "needed", "fetched", "absent"]
    """``kept``: there, as when it came. ``needed``: not there. ``fetched``: came just
    now. ``absent``: the source has no such tile."""
    size_bytes: int | None = None
    """Length, where it is there. [B]"""
    sha256: str = ""
    retrieved: str = ""
    """When it came: ISO 8601, UTC."""
    note: str = ""
    """What there is to say of it."""


def fetch(
    products: str | Iterable[str] = (),
    *,
    region: str | None = None,
    bbox: Box | None = None,
    folder: str | PathLike[str] | None = None,
    download: bool = False,
    base_url: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    settings: Settings | None = None,
) -> tuple[PublicFile, ...]:
    """Name the public files for a place; fetch them only if ``download`` is set.

    Parameters
    ----------
    products
        Ids of :func:`layers.fetching.products`, one or many; every one if none, which
        ``download`` does not allow.
    region
        Provinces that ship, with commas between, or ``dprk``.
    bbox
        Instead of a region: west, south, east, north. [°] West greater than east
        crosses the antimeridian.
    folder
        Cache; that of ``settings`` if None.
    download
        Whether to fetch what is not there. Without it no request is made.
    base_url
        Address to ask instead of the source's own, such as a mirror.
    progress
        Called with bytes done and bytes known of, over all files.
    settings
        Waits, attempts and the cache; :meth:`Settings.from_env` if None.

    Returns
    -------
    tuple of PublicFile
        In the order of the products, then from south to north and west to east. Tiles
        that the source does not have are ``absent``: over the sea there are none.

    Raises
    ------
    LayerNotFoundError
        If there is no such product.
    RequestError
        If no region, or both a region and a box, are given; if it is unknown or
        empty; if ``base_url`` is no address; if ``download`` is set and no product.
    FetchError
        If a file cannot be fetched. What came is kept, and gone on with next time.
    DamagedFileError
        If a file is not what its source promises, or a kept one has changed.

    Notes
    -----
    A file that was put into the cache by hand is checked as a fetched one is, with or
    without ``download``, and recorded if it is good. A kept file is compared with the
    SHA-256 of the day it came.
    """
    settings = settings or Settings.from_env()
    if folder is not None:
        settings = replace(settings, cache=Path(folder).absolute())
    ids = (products,) if isinstance(products, str) else tuple(products)
    if download and not ids:
        raise RequestError(
            "nothing is fetched unless it is named; name the products to fetch"
        )
    chosen = find_products(ids)
    if base_url is not None:
        for product in chosen:
            Door(product, base_url)
    place = area(region=region, bbox=bbox)
    found: list[PublicFile] = []
    for product in chosen:
        order = _Order(product, place, settings, base_url, progress)
        found += order.fetched() if download else order.named()
    return tuple(found)


class _Order:
    """The files of one product for one place."""

    def __init__(
        self,
        product: Product,
        place: Place,
        settings: Settings,
        base_url: str | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._product, self._place, self._settings = product, place, settings
        self._door = Door(product, base_url)
        self._shelf = Shelf(product, settings.cache)
        self._tiles = tiles_of(product, place)
        self._tally = _Tally(progress)
        self._stop = threading.Event()

    def named(self) -> list[PublicFile]:
        """Say how the files stand; ask nobody."""
        names = kept_list(self._shelf)
        return [
            self._absent(tile) if self._is_absent(tile, names) else self._here(tile)
            for tile in self._tiles
        ]

    def fetched(self) -> list[PublicFile]:
        """Fetch what is not there, a few files at a time."""
        here = {tile.file: self._here(tile) for tile in self._tiles}
        missing = [t for t in self._tiles if here[t.file].status == "needed"]
        if missing:
            names = fetched_list(self._shelf, self._door, self._settings)
            absent = [tile for tile in missing if self._is_absent(tile, names)]
            here.update({tile.file: self._absent(tile) for tile in absent})
            if absent:
                why = "not in the source's list of tiles"
                self._shelf.record(
                    self._settings, absent={tile.file: why for tile in absent}
                )
            wanted = [tile for tile in missing if tile not in absent]
            here.update(self._gather(wanted, listed=names is not None))
        return [here[tile.file] for tile in self._tiles]

    def _gather(self, tiles: list[Tile], *, listed: bool) -> dict[str, PublicFile]:
        """Fetch tiles in threads; the first failure ends what has not begun."""
        pool = ThreadPoolExecutor(max_workers=max(self._settings.connections, 1))
        jobs: dict[Future[PublicFile], Tile] = {}
        try:
            for tile in tiles:
                jobs[pool.submit(self._one, tile, listed=listed)] = tile
            wait(jobs, return_when=FIRST_EXCEPTION)
        finally:
            # Also on Ctrl-C: what is under way stops at its next bytes and is kept.
            if not all(job.done() for job in jobs):
                self._stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
        done = [job for job in jobs if not job.cancelled()]
        errors = [job.exception() for job in done if job.exception() is not None]
        told = [error for error in errors if not isinstance(error, StoppedError)]
        for error in (*told, *errors):
            raise error  # type: ignore[misc]
        return {jobs[job].file: job.result() for job in done}

    def _one(self, tile: Tile, *, listed: bool) -> PublicFile:
        """Fetch one file, check it, and give it its name."""
        with self._shelf.lock(tile.file, self._settings):
            there = self._here(tile)  # another process may have brought it meanwhile
            if there.status == "kept":
                return there
            try:
                entry = self._bring(tile)
            except MissingFileError as error:
                if listed or self._product.tiles is None:
                    raise FetchError(
                        f"{error}, though it should have one. Has the source moved? "
                        f"See {self._product.page}"
                    ) from error
                why = "the source answers that there is no such file"
                self._shelf.record(self._settings, absent={tile.file: why})
                return self._absent(tile)
            return self._file(tile, "fetched", entry)

    def _bring(self, tile: Tile) -> Entry:
        """Gather, compare, check, and move a file to its place."""
        product, settings, shelf = self._product, self._settings, self._shelf
        archive = product.archive
        part = shelf.part(_ARCHIVE if archive else tile.file)
        answer = receive(
            tile.path,
            part,
            door=self._door,
            settings=settings,
            max_bytes=product.max_bytes,
            begins=BEGINNINGS["zip" if archive else product.format],
            progress=self._tally.of(tile.file),
            stop=self._stop,
        )
        try:
            sha256, md5 = digests(part)
            checks = compare(product, tile, answer, md5, self._door, settings)
            good = part
            if archive is not None:
                good = shelf.part(tile.file)
                unpack(
                    part,
                    good,
                    archive=archive,
                    settings=settings,
                    progress=self._tally.of(f"{tile.file}, unpacked"),
                )
                checks = (*checks, "CRC-32 of the zip")
            checks += check_file(good, product, tile, self._place)
        except DamagedFileError:
            forget(part)
            forget(shelf.part(tile.file))
            raise
        size = good.stat().st_size
        own = sha256_of(good) if archive else sha256
        entry = Entry(
            url=answer.url,
            sha256=own,
            size=size,
            retrieved=_now(),
            origin="download",
            checks=checks,
            etag=answer.etag,
            last_modified=answer.last_modified,
            archive_sha256=sha256 if archive else "",
        )
        # In this order a process that is killed leaves nothing that is taken for
        # something else: at worst the checks are made again.
        shelf.record(settings, files={tile.file: entry})
        keep(good, shelf.file(tile.file))
        forget(part)
        return entry

    def _here(self, tile: Tile) -> PublicFile:
        """Say how a file stands, and look at one that nobody looked at yet."""
        path = self._shelf.file(tile.file)
        if not path.is_file():
            return self._file(tile, "needed", None)
        entry = self._shelf.manifest().files.get(tile.file)
        try:
            if entry is not None:
                self._shelf.check(tile.file, entry)
                if self._product.raster is not None and tile.shape is None:
                    check_place(path, tile, self._place)
            else:
                checks = check_file(path, self._product, tile, self._place)
                entry = Entry(
                    url="",
                    sha256=sha256_of(path),
                    size=path.stat().st_size,
                    retrieved=_now(),
                    origin="by hand",
                    checks=checks,
                )
                self._shelf.record(self._settings, files={tile.file: entry})
        except DamagedFileError as error:
            raise _named(error, self._product) from error
        return self._file(tile, "kept", entry)

    def _is_absent(self, tile: Tile, names: frozenset[str] | None) -> bool:
        """Tell whether the source is known not to have a tile."""
        return names is not None and tile.listed not in names

    def _absent(self, tile: Tile) -> PublicFile:
        """Record of a tile that the source does not have."""
        return replace(
            self._file(tile, "absent", None), note="the source has no such tile"
        )

    def _file(
        self,
        tile: Tile,
        status: Literal["kept", "needed", "fetched", "absent"],
        entry: Entry | None,
    ) -> PublicFile:
        """Record of a file."""
        return PublicFile(
            product=self._product.id,
            name=tile.file,
            path=self._shelf.file(tile.file),
            url=self._door.url(tile.path),
            status=status,
            size_bytes=None if entry is None else entry.size,
            sha256="" if entry is None else entry.sha256,
            retrieved="" if entry is None else entry.retrieved,
            note="put there by hand" if entry and entry.origin == "by hand" else "",
        )


class _Tally:
    """Bytes done and bytes known of, over files that come at the same time."""

    def __init__(self, progress: Callable[[int, int], None] | None) -> None:
        self._progress = progress
        self._done: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def of(self, name: str) -> Callable[[int, int], None] | None:
        """Return what counts one file."""
        if self._progress is None:
            return None
        progress = self._progress

        def count(done: int, whole: int) -> None:
            with self._lock:
                self._done[name] = (done, max(whole, done))
                sums = [
                    sum(column) for column in zip(*self._done.values(), strict=True)
                ]
                progress(sums[0], sums[1])

        return count


def _named(error: DamagedFileError, product: Product) -> DamagedFileError:
    """Add how to mend a damaged file in the cache."""
    text = str(error)
    if product.by_hand:
        text += f"{'' if text.endswith('?') else '.'} {product.by_hand}"
    return DamagedFileError(text)


def _now() -> str:
    """Time of day, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")

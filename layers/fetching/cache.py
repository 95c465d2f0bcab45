"""The folder of public files: where each stands, what is known of it, and its lock."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from layers.errors import DamagedFileError, FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers.fetching.products import Product
    from layers.fetching.settings import Settings

logger = logging.getLogger(__name__)

_CHUNK = 1 << 20


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a file in the cache."""

    url: str
    """Where it came from; "" if it was put there by hand."""
    sha256: str
    size: int
    """Length. [B]"""
    retrieved: str
    """When it came, or was first looked at: ISO 8601, UTC."""
    origin: Literal["download", "by hand"]
    checks: tuple[str, ...] = ()
    """What was looked at, in words."""
    etag: str = ""
    last_modified: str = ""
    archive_sha256: str = ""
    """Checksum of the archive that it was taken from."""


class Manifest(msgspec.Struct, kw_only=True):
    """What a product's folder holds."""

    product: str
    title: str
    licence: str
    licence_url: str
    citation: str
    notice: str
    files: dict[str, Entry] = {}
    absent: dict[str, str] = {}
    """Files that the source does not have, and how we know."""


class Shelf:
    """One product's folder in the cache.

    Parameters
    ----------
    product
        The product.
    cache
        Folder of all products.

    Notes
    -----
    Finished files stand in the folder itself, under the names that the source gives
    them. What is unfinished, the locks and the source's list of tiles stand in
    ``.parts``, so that ``*.tif`` names finished files only.
    """

    def __init__(self, product: Product, cache: Path) -> None:
        self.product = product
        self.folder = cache / product.id
        self.parts = self.folder / ".parts"

    def file(self, name: str) -> Path:
        """Path of a finished file.

        Parameters
        ----------
        name
            Its name.

        Returns
        -------
        pathlib.Path
            Whether it exists or not.
        """
        return self.folder / name

    def part(self, name: str) -> Path:
        """Path of a file while it is being gathered.

        Parameters
        ----------
        name
            Name of the finished file.

        Returns
        -------
        pathlib.Path
            Whether it exists or not.
        """
        return self.parts / f"{name}.part"

    @contextlib.contextmanager
    def lock(self, name: str, settings: Settings) -> Iterator[None]:
        """Keep other processes and threads from the same file.

        Parameters
        ----------
        name
            Name of a file, or of the manifest.
        settings
            How long to wait for another that holds it.

        Yields
        ------
        None
            While the lock is held. A process that dies lets go of it.

        Raises
        ------
        FetchError
            If another holds it too long, or the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        try:
            self.parts.mkdir(parents=True, exist_ok=True)
            with FileLock(self.parts / f"{name}.lock", timeout=settings.lock_s):
                yield
        except Timeout as error:
            raise FetchError(
                f"another process has been at {self.file(name)} for over "
                f"{settings.lock_s:g} s; end it, or wait, and run the same again"
            ) from error
        except FetchError:
            raise
        except OSError as error:
            raise FetchError(
                f"cannot write in {self.folder}: {error.strerror or error}. Make room, "
                "or give another folder"
            ) from error

    def manifest(self) -> Manifest:
        """Read what is known of the folder's files.

        Returns
        -------
        Manifest
            As kept; an empty one where there is none, or where it cannot be read: the
            files are then looked at again.
        """
        path = self.folder / "manifest.json"
        try:
            return msgspec.json.decode(path.read_bytes(), type=Manifest)
        except FileNotFoundError:
            pass
        except (OSError, msgspec.DecodeError) as error:
            logger.warning(
                "%s cannot be read (%s); its files are checked anew", path, error
            )
        product = self.product
        return Manifest(
            product=product.id,
            title=product.title,
            licence=product.licence,
            licence_url=product.licence_url,
            citation=product.citation,
            notice=product.notice,
            files={},
            absent={},
        )

    def record(
        self,
        settings: Settings,
        *,
        files: dict[str, Entry] | None = None,
        absent: dict[str, str] | None = None,
    ) -> None:
        """Add to what is known, on the disk at once.

        Parameters
        ----------
        settings
            How long to wait for another process.
        files
            What is now known of files that are there.
        absent
            What is now known of files that the source does not have.

        Raises
        ------
        FetchError
            If it cannot be written.
        """
        with self.lock("manifest", settings):
            manifest = self.manifest()
            manifest.files.update(files or {})
            manifest.absent.update(absent or {})
            for name in files or {}:
                manifest.absent.pop(name, None)
            for name in absent or {}:
                manifest.files.pop(name, None)
            text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
            _write_whole(self.folder / "manifest.json", text + b"\n")

    def check(self, name: str, entry: Entry) -> None:
        """Refuse a file that changed since it came.

        Parameters
        ----------
        name
            Its name.
        entry
            What is known of it.

        Raises
        ------
        DamagedFileError
            If its length or SHA-256 is another.
        """
        path = self.file(name)
        if path.stat().st_size != entry.size or sha256_of(path) != entry.sha256:
            raise DamagedFileError(
                f"{path} is not the file that came on {entry.retrieved[:10]}: its "
                "checksum differs. Delete it and fetch it again"
            )


def sha256_of(path: Path) -> str:
    """SHA-256 of a file.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    str
        In hexadecimal.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digests(path: Path) -> tuple[str, str]:
    """SHA-256 and MD5 of a file, read once.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple of str
        Both in hexadecimal; MD5 only to compare with what a source says.
    """
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            sha256.update(chunk)
            md5.update(chunk)
    return sha256.hexdigest(), md5.hexdigest()


def keep(part: Path, target: Path) -> None:
    """Give a finished file its name, on the disk.

    Parameters
    ----------
    part
        The file, all of it on the disk, in the same file system.
    target
        Its name; what stands there is replaced.
    """
    part.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk.

    Parameters
    ----------
    folder
        The folder; nothing is done where the system cannot.
    """
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_whole(path: Path, content: bytes) -> None:
    """Replace a file whole or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        keep(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)

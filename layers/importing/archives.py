"""Zip archives: looked through before anything is unpacked, then what is asked for."""

from __future__ import annotations

import re
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from layers.errors import ReadError
from layers.importing.encodings import proven_encoding

if TYPE_CHECKING:
    from pathlib import Path

RATIO_AT_MOST = 100
"""So many times its packed length a member may have; text packs to a twentieth."""

RATIO_MATTERS_FROM = 16 << 20
"""Members shorter than this may be packed as well as they can. [bytes]"""

MEMBERS_AT_MOST = 10_000

_CHUNK = 1 << 20
_CLUTTER = ("__macosx", ".ds_store", "thumbs.db", "desktop.ini")
_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A file in an archive.

    Attributes
    ----------
    name
        Name, decoded, with ``/`` between folders.
    index
        Where it stands in the directory of the archive.
    size
        Length unpacked. [bytes]
    """

    name: str
    index: int
    size: int


def member_names(file: Path, name: str) -> tuple[str, ...]:
    """List what an archive holds, without a judgement.

    Parameters
    ----------
    file
        The archive.
    name
        What to call it in a message.

    Returns
    -------
    tuple of str
        Names as the archive has them.

    Raises
    ------
    ReadError
        If it is no zip or has too many members.
    """
    return tuple(info.filename for info in _directory(file, name))


def members(
    file: Path, name: str, *, bytes_at_most: int, encoding: str | None = None
) -> tuple[Member, ...]:
    """List the files of an archive that may be unpacked.

    Parameters
    ----------
    file
        The archive.
    name
        What to call it in a message.
    bytes_at_most
        How long all of them together may be. [bytes]
    encoding
        Codec of the names that do not say theirs; None to find it.

    Returns
    -------
    tuple of Member
        In the order of the archive, without folders and what macOS and Windows add.
        Names without a mark are CP949 if that makes Hangul of them, else CP437.

    Raises
    ------
    ReadError
        If a member is encrypted, a link, climbs out of the archive, is there twice, or
        is packed tighter than data are; if all are longer than allowed.
    """
    found: list[Member] = []
    seen: set[str] = set()
    whole = 0
    infos = _directory(file, name)
    codec = encoding or _codec_of_names(infos)
    for index, info in enumerate(infos):
        member = _decoded(info, codec)
        shown = _shown(member)
        parts = PurePosixPath(member).parts
        if any(part.lower() in _CLUTTER or part.startswith("._") for part in parts):
            continue
        if member.startswith("/") or ".." in parts or re.match(r"[A-Za-z]:", member):
            raise ReadError(
                f"{name}: the member {shown} would be unpacked outside its folder; the "
                "archive is damaged or meant to harm"
            )
        mode = info.external_attr >> 16
        if info.is_dir() or stat.S_ISDIR(mode):
            continue
        if stat.S_ISLNK(mode):
            raise ReadError(f"{name}: the member {shown} is a link; expected a file")
        if info.flag_bits & 1:
            raise ReadError(f"{name}: {shown} is encrypted; pack it without a password")
        if member.casefold() in seen:
            raise ReadError(
                f"{name} holds {shown} twice; which one is meant cannot be known"
            )
        seen.add(member.casefold())
        is_dense = info.file_size > RATIO_AT_MOST * max(info.compress_size, 1)
        if is_dense and info.file_size > RATIO_MATTERS_FROM:
            raise ReadError(
                f"{name}: {shown} would be {info.file_size:,} bytes out of "
                f"{info.compress_size:,}, more than {RATIO_AT_MOST} times; data are "
                "not packed that well. Unpack it yourself if you trust it"
            )
        whole += info.file_size
        if whole > bytes_at_most:
            raise ReadError(
                f"{name} unpacks to more than {bytes_at_most >> 20:,} MB; expected "
                "less. Unpack it, and read the file that you need"
            )
        found.append(Member(name=member, index=index, size=info.file_size))
    return tuple(found)


def unpack(file: Path, name: str, wanted: dict[Path, Member]) -> None:
    """Unpack members to files whose names the archive has no say in.

    Parameters
    ----------
    file
        The archive.
    name
        What to call it in a message.
    wanted
        File to write, and the member that goes there.

    Raises
    ------
    ReadError
        If a member is damaged, or longer or shorter than it says.
    """
    try:
        with zipfile.ZipFile(file) as box:
            infos = box.infolist()
            for path, member in wanted.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                done = 0
                with box.open(infos[member.index]) as packed, path.open("wb") as out:
                    while chunk := packed.read(_CHUNK):
                        done += len(chunk)
                        if done > member.size:
                            break
                        out.write(chunk)
                if done != member.size:
                    raise ReadError(
                        f"{name}: {_shown(member.name)} is not as long as the archive "
                        "says"
                    )
    except _FAULTS as error:
        raise ReadError(
            f"{name} cannot be unpacked ({str(error)[:120]}); it is damaged"
        ) from None


def refuse_document_types(file: Path, name: str) -> None:
    """Refuse a spreadsheet with a part that declares a document type.

    Parameters
    ----------
    file
        The archive.
    name
        What to call it in a message.

    Raises
    ------
    ReadError
        If one does, or cannot be unpacked.
    """
    try:
        with zipfile.ZipFile(file) as box:
            for info in box.infolist():
                if not info.filename.lower().endswith((".xml", ".rels")):
                    continue
                with box.open(info) as part:
                    head = part.read(4096).replace(b"\0", b"")
                if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                    raise ReadError(
                        f"{name}: {_shown(info.filename)} declares a document type "
                        "(DOCTYPE), which no spreadsheet does"
                    )
    except _FAULTS as error:
        raise ReadError(
            f"{name} cannot be unpacked ({str(error)[:120]}); it is damaged"
        ) from None


def _directory(file: Path, name: str) -> list[zipfile.ZipInfo]:
    """Directory of an archive."""
    try:
        with zipfile.ZipFile(file) as box:
            infos = box.infolist()
    except (*_FAULTS, ValueError) as error:
        raise ReadError(
            f"{name} is no whole zip archive ({str(error)[:120]}); it may be truncated"
        ) from None
    if len(infos) > MEMBERS_AT_MOST:
        raise ReadError(
            f"{name} holds {len(infos):,} members; expected at most {MEMBERS_AT_MOST:,}"
        )
    return infos


def _codec_of_names(infos: list[zipfile.ZipInfo]) -> str:
    """Find the encoding of the names that do not say theirs."""
    raw = b"\n".join(map(_raw_name, infos))
    try:
        return proven_encoding(raw, "names").name
    except ReadError:
        pass
    try:
        foreign = [letter for letter in raw.decode("cp949") if letter > "\x7f"]
    except UnicodeDecodeError:
        return "cp437"
    return "cp949" if all("가" <= letter <= "힣" for letter in foreign) else "cp437"


def _raw_name(info: zipfile.ZipInfo) -> bytes:
    """Bytes of a name that does not say its encoding; none of one that does."""
    if info.flag_bits & 0x800:
        return b""
    return info.orig_filename.encode("cp437", "replace")


def _decoded(info: zipfile.ZipInfo, codec: str) -> str:
    """Name of a member."""
    name = info.orig_filename
    if not info.flag_bits & 0x800:
        name = _raw_name(info).decode(codec, "replace")
    return name.partition("\0")[0].replace("\\", "/")


def _shown(name: str) -> str:
    """Show a name from an archive in a message."""
    return repr(name[:80])

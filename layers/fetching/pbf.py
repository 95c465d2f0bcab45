"""OpenStreetMap data in the PBF format, looked at for damage."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO

from layers.errors import DamagedFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_HEADER_BYTES = 64 * 1024
_BLOB_BYTES = 32 * 1024 * 1024
"""Bounds of the format on a header, and on a blob and what it holds. [B]"""


def check_pbf(path: Path) -> tuple[str, ...]:
    """Walk the blobs of OpenStreetMap data and unpack each.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple of str
        What was looked at, in words.

    Raises
    ------
    DamagedFileError
        If it does not begin with a header, holds no data, is cut short, or a blob
        cannot be unpacked.

    Notes
    -----
    A file is a row of blobs, each after its header with type and length [1]_. What a
    blob says of nodes and ways is not looked at.

    References
    ----------
    .. [1] https://wiki.openstreetmap.org/wiki/PBF_Format
    """
    count = 0
    with path.open("rb") as stream:
        while length := stream.read(4):
            size = int.from_bytes(length, "big")
            if len(length) < 4 or not 0 < size <= _HEADER_BYTES:
                raise DamagedFileError(f"{path}: blob {count} has no header")
            header = dict(_fields(_exactly(stream, size, path), path))
            kind, datasize = header.get(1), header.get(3)
            if not isinstance(datasize, int) or not 0 < datasize <= _BLOB_BYTES:
                raise DamagedFileError(f"{path}: blob {count} says no length")
            if count == 0 and kind != b"OSMHeader":
                raise DamagedFileError(
                    f"{path}: does not begin with a blob of type OSMHeader"
                )
            _check_blob(dict(_fields(_exactly(stream, datasize, path), path)), path)
            count += 1
    if count < 2:
        raise DamagedFileError(f"{path}: holds {count} blobs, and so no data")
    return (f"OSM PBF, all {count} blobs unpacked",)


def _check_blob(blob: dict[int, bytes | int], path: Path) -> None:
    """Unpack a blob, where it is packed as nearly all are."""
    packed, size = blob.get(3), blob.get(2)
    if not isinstance(packed, bytes):
        return
    try:
        unpack = zlib.decompressobj()
        held = unpack.decompress(packed, _BLOB_BYTES)
    except zlib.error as error:
        raise DamagedFileError(
            f"{path}: a blob cannot be unpacked ({error})"
        ) from error
    if not unpack.eof or len(held) != size:
        raise DamagedFileError(f"{path}: a blob does not hold as much as it says")


def _exactly(stream: BinaryIO, size: int, path: Path) -> bytes:
    """Read so many bytes, or refuse the file as cut short."""
    found = stream.read(size)
    if len(found) != size:
        raise DamagedFileError(f"{path}: is cut short at {stream.tell():,} bytes")
    return found


def _fields(message: bytes, path: Path) -> Iterator[tuple[int, bytes | int]]:
    """Fields of a protocol-buffer message: numbers and byte strings."""
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while at < len(message) and shift < 64:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise DamagedFileError(f"{path}: a number in a blob does not end")

    while at < len(message):
        key = number()
        if key & 7 == 0:
            yield key >> 3, number()
        elif key & 7 == 2:
            size = number()
            if at + size > len(message):
                raise DamagedFileError(f"{path}: a field runs past its blob")
            yield key >> 3, message[at : at + size]
            at += size
        else:
            raise DamagedFileError(f"{path}: a blob is not as the format has it")

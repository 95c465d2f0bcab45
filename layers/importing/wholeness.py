"""Whether a file is whole, where GDAL reads what there is and says nothing."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING
from xml.parsers import expat

from layers.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

_RECORD = b"\x1e"
_TAIL = 256


def check_xml(file: Path, name: str) -> None:
    """Refuse XML that is cut short, or that declares a document type.

    Parameters
    ----------
    file
        The file.
    name
        What to call it in a message.

    Raises
    ------
    ReadError
        If it is not well-formed to its end.
    """
    parser = expat.ParserCreate()

    def refuse(*_: object) -> None:
        raise ReadError(
            f"{name} declares a document type (DOCTYPE), which could name other files "
            "or grow without end; remove that line"
        )

    parser.StartDoctypeDeclHandler = refuse
    try:
        with file.open("rb") as stream:
            parser.ParseFile(stream)
    except expat.ExpatError as error:
        raise ReadError(
            f"{name} is no whole XML; it may be truncated: {error}"
        ) from None
    finally:
        parser.StartDoctypeDeclHandler = None


def check_sqlite(file: Path, name: str) -> None:
    """Refuse a database that is shorter than it says.

    Parameters
    ----------
    file
        The file.
    name
        What to call it in a message.

    Raises
    ------
    ReadError
        If pages at its end are missing.
    """
    with file.open("rb") as stream:
        head = stream.read(100)
    if len(head) == 100:
        (page,) = struct.unpack_from(">H", head, 16)
        changes, pages = struct.unpack_from(">II", head, 24)
        (counted_at,) = struct.unpack_from(">I", head, 92)
        length = pages * (65536 if page == 1 else page)
        if changes != counted_at or file.stat().st_size >= length:
            return
    raise ReadError(f"{name} is shorter than it says; it is truncated")


def count_records(file: Path, name: str) -> int:
    """Count the records of a GeoJSON text sequence.

    Parameters
    ----------
    file
        The file: a record a line, or record separators before each (RFC 8142).
    name
        What to call it in a message.

    Returns
    -------
    int
        Number of records.

    Raises
    ------
    ReadError
        If one of them does not end as an object does, which GDAL would mend in silence.
    """
    count = 0
    with file.open("rb") as stream:
        is_by_line = stream.read(1) != _RECORD
        stream.seek(0)
        last = b""
        for number, line in enumerate(stream, 1):
            text = line.strip(_BLANK)
            count += bool(text) if is_by_line else line.count(_RECORD)
            last = text or last
            if is_by_line and text and not text.endswith(b"}"):
                raise ReadError(f"{name}, line {number}: no whole GeoJSON object")
    try:
        json.loads(last if is_by_line else last.rpartition(_RECORD)[2] or b"}")
    except (ValueError, RecursionError):
        # The last record of several lines is judged by its end alone.
        if is_by_line or not last.endswith(b"}"):
            raise ReadError(
                f"{name}: its last record is no whole GeoJSON object; it is truncated"
            ) from None
    return count


_BLANK = b" \t\r\n\xef\xbb\xbf"


def ends_in(file: Path, text: bytes) -> bool:
    """Say whether a file ends in a text, blanks aside.

    Parameters
    ----------
    file
        The file.
    text
        At most 200 bytes.

    Returns
    -------
    bool
        Whether it does.
    """
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL))
        return stream.read().rstrip(b" \t\r\n\0\x1a").endswith(text)

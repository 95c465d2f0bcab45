"""The encoding of a dBASE table, as its bytes bear it out."""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING

from layers.errors import ReadError
from layers.importing.encodings import (
    Encoding,
    dbf_encoding,
    known_encoding,
    proven_encoding,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RECORDS, _TEXTS = 20_000, 100_000
_LONGEST_LETTER = 4

_GDAL_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "latin-1": "ISO-8859-1",
    "big5": "CP950",
}


def settle_encoding(dbf: Path, name: str, flag: str | None) -> Encoding:
    """Find the encoding of a table, and write it into the ``.cpg`` beside it.

    Parameters
    ----------
    dbf
        The private copy of the table.
    name
        What to call the file in a message.
    flag
        Codec that the caller asks for, if any.

    Returns
    -------
    Encoding
        By the flag, else by the ``.cpg``, else by the table's language byte, else by
        proof.

    Raises
    ------
    ReadError
        If its bytes are no text in that encoding, the ``.cpg`` names an unknown one, or
        nothing says which it is.
    """
    cpg = dbf.with_suffix(".cpg")
    texts = list(itertools.islice(_texts(dbf, name), _TEXTS))
    found = _stated(cpg, dbf, name, flag)
    if found is None:
        found = proven_encoding(b"\n".join(texts), name)
    wrong = [text for text in texts if not _is_text(text, found.name)]
    if wrong:
        raise ReadError(
            f"{name}: the text is said to be {found.name} and is not: "
            f"{wrong[0][:30]!r}. Pass --encoding with the right one, such as cp949 or "
            "utf-8"
        )
    plain = found.name
    cpg.write_text(_GDAL_NAMES.get(plain, plain.upper().replace("ISO8859", "ISO-8859")))
    return found


def _stated(cpg: Path, dbf: Path, name: str, flag: str | None) -> Encoding | None:
    """Take the encoding from flag, ``.cpg`` or language byte."""
    label = ""
    if cpg.exists():
        label = cpg.read_bytes()[:64].decode("utf-8-sig", "replace").strip("\0 \r\n\t")
    if flag is not None:
        reason = f"Read as {flag} as asked" if known_encoding(label) != flag else ""
        said = f", though the .cpg says {label!r}." if label else "."
        return Encoding(name=flag, reason=reason and reason + said)
    if label:
        codec = known_encoding(label)
        if codec is None:
            raise ReadError(
                f"{name}: the .cpg names the encoding {label[:40]!r}, which is not "
                "known; pass --encoding with the right one, such as cp949"
            )
        same = label.lower().replace("-", "") == codec.replace("-", "")
        reason = "" if same else f"The .cpg says {label[:40]!r}: read as {codec}."
        return Encoding(name=codec, reason=reason)
    with dbf.open("rb") as stream:
        language = stream.read(30)[29:30]
    codec = dbf_encoding(language[0]) if language else None
    if codec is None:
        return None
    return Encoding(
        name=codec,
        reason=f"There is no .cpg; the .dbf says {codec} (language byte "
        f"0x{language[0]:02X}).",
    )


def _texts(dbf: Path, name: str) -> Iterator[bytes]:
    """Names of the columns and texts that are not ASCII, of the first records."""
    with dbf.open("rb") as stream:
        head = stream.read(32)
        if len(head) < 32:
            raise ReadError(f"{name}: its .dbf is cut short")
        length, record = struct.unpack_from("<HH", head, 8)
        columns: list[tuple[int, int]] = []
        at = 1
        for _ in range(max(0, (length - 32) // 32)):
            column = stream.read(32)
            if len(column) < 32 or column[:1] == b"\r":
                break
            yield column[:11].partition(b"\0")[0]
            if column[11:12] == b"C":
                columns.append((at, at + column[16] + 256 * column[17]))
                at = columns[-1][1]
            else:
                at += column[16]
        stream.seek(length)
        for _ in range(_RECORDS if record else 0):
            row = stream.read(record)
            if len(row) < record:
                return
            if not row.isascii():
                for start, end in columns:
                    text = row[start:end].rstrip(b" \0")
                    if not text.isascii():
                        yield text


def _is_text(text: bytes, codec: str) -> bool:
    """Say whether a cell is text; its last letter may be cut by the cell's end."""
    try:
        text.decode(codec)
    except UnicodeDecodeError as error:
        return error.start > len(text) - _LONGEST_LETTER and error.end == len(text)
    return True

"""Tables of a Shapefile (dBASE III), every digit of a number kept."""

from __future__ import annotations

import math
import re
import struct
from typing import IO, TYPE_CHECKING, Any

from layers.errors import WriteError
from layers.export.values import REPLACEMENT, as_text, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    import pyarrow as pa

NAME_BYTES, TEXT_BYTES, MOST_FIELDS = 10, 254, 255
"""Longest name and text in UTF-8 [B], and most columns of a table."""

WHOLE_BYTES = 18
"""Longest whole number, its sign included, that readers take for one. [B]"""

_NUMBER_BYTES = 24
_BATCH = 20_000


def short_names(names: Iterable[str]) -> dict[str, str]:
    """Give each column a name of at most ten bytes, unlike all others.

    Parameters
    ----------
    names
        Names of columns.

    Returns
    -------
    dict
        Short name by name: the same where it fits, else its beginning, with a number
        where two would be the same. Case makes no difference.

    Examples
    --------
    >>> short_names(["id", "tonnage_reported_t", "tonnage_reported_kt", "이름"])
    {'id': 'id', 'tonnage_reported_t': 'tonnage_re',
    'tonnage_reported_kt': 'tonnage__2', '이름': '이름'}
    """
    wanted = [(name, _plain_name(name)) for name in names]
    kept = {plain.lower() for name, plain in wanted if plain == name}
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name, plain in wanted:
        short, number = plain, 1
        while short.lower() in taken or (short != name and short.lower() in kept):
            number += 1
            tail = f"_{number}"
            short = cut_bytes(plain, NAME_BYTES - len(tail)) + tail
        taken.add(short.lower())
        found[name] = short
    return found


def cut_bytes(text: str, most: int) -> str:
    """Cut a text to so many bytes of UTF-8, between two characters.

    Parameters
    ----------
    text
        Any text.
    most
        Longest that it may be. [B]

    Returns
    -------
    str
        Its beginning.
    """
    return text.encode()[:most].decode("utf-8", "ignore")


def is_text(column: pa.ChunkedArray) -> bool:
    """Tell whether a column becomes text.

    Parameters
    ----------
    column
        Of any kind.

    Returns
    -------
    bool
        Also true of whole numbers that are too large.
    """
    kind = kind_of(column.type)
    if kind == "whole":
        return _whole_width(column) > WHOLE_BYTES
    return kind not in {"number", "truth", "date"}


def write_dbf(
    stream: IO[bytes],
    columns: Mapping[str, pa.ChunkedArray],
    dated: date,
) -> None:
    """Write a table.

    Parameters
    ----------
    stream
        Where to write; UTF-8.
    columns
        Columns by short name.
    dated
        Day that the table bears.

    Raises
    ------
    WriteError
        If there are more columns than dBASE has room for.
    """
    if len(columns) > MOST_FIELDS:
        raise WriteError(
            f"a Shapefile holds {MOST_FIELDS} columns; this layer has {len(columns)}. "
            "Drop some, or write another format"
        )
    fields = [_field(name, column) for name, column in columns.items()]
    rows = len(next(iter(columns.values()))) if columns else 0
    length = 1 + sum(width for _, width, _ in fields)
    head = 32 + 32 * len(fields) + 1
    day = (dated.year - 1900, dated.month, dated.day)
    stream.write(struct.pack("<4BIHH20x", 3, *day, rows, head, length))
    stream.write(b"".join(about for about, _, _ in fields) + b"\r")
    written = _written(columns)
    for start in range(0, rows, _BATCH):
        cells = [
            [put(v) for v in column.slice(start, _BATCH).to_pylist()]
            for column, (_, _, put) in zip(written, fields, strict=True)
        ]
        stream.write(b"".join(b" " + b"".join(row) for row in zip(*cells, strict=True)))
    stream.write(b"\x1a")


def _written(columns: Mapping[str, pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    return [as_text(c) if is_text(c) else c for c in columns.values()]


def _field(
    name: str, column: pa.ChunkedArray
) -> tuple[bytes, int, Callable[[Any], bytes]]:
    """Describe a column: what the header says, its width, what writes a value."""
    kind = kind_of(column.type)
    decimals = 0
    if is_text(column):
        texts = as_text(column)
        longest = max((len(_bytes(v)) for v in texts.to_pylist() if v), default=1)
        letter, width = "C", max(longest, 1)
    elif kind == "whole":
        letter, width = "N", _whole_width(column)
    elif kind == "number":
        letter, width, decimals = "F", _NUMBER_BYTES, 15
    else:
        letter, width = ("L", 1) if kind == "truth" else ("D", 8)
    about = struct.pack(
        "<11sc4xBB14x", name.encode()[:NAME_BYTES], letter.encode(), width, decimals
    )
    return about, width, _putter(letter, width)


def _putter(letter: str, width: int) -> Callable[[Any], bytes]:
    def text(value: str | None) -> bytes:
        return _bytes(value or "").ljust(width)

    def number(value: float | None) -> bytes:
        known = value is not None and math.isfinite(value)
        return (repr(value).encode() if known else b"").rjust(width)

    def truth(value: bool | None) -> bytes:
        return b"?" if value is None else b"T" if value else b"F"

    def day(value: date | None) -> bytes:
        return b" " * 8 if value is None else _digits(value)

    putters: dict[str, Callable[[Any], bytes]] = {
        "C": text,
        "N": number,
        "F": number,
        "L": truth,
        "D": day,
    }
    return putters[letter]


def _bytes(text: str) -> bytes:
    """Text as it stands in the table."""
    return cut_bytes(text.replace("\x00", REPLACEMENT), TEXT_BYTES).encode()


def _whole_width(column: pa.ChunkedArray) -> int:
    import pyarrow.compute as pc

    ends: dict[str, int | None] = pc.min_max(column).as_py()
    return max(len(str(ends["min"] or 0)), len(str(ends["max"] or 0)))


def _digits(day: date) -> bytes:
    """Write a day as year, month and day."""
    return f"{day.year:04d}{day.month:02d}{day.day:02d}".encode()


_KNOWN = {
    "uncertainty_m": "uncert_m",
    "precision_code": "precision",
    "georeference_protocol": "georef",
    "external_ids": "ext_ids",
    "part_played": "part",
}
"""Short names that say more than a beginning does."""


_ARCGIS_OWN = {"fid", "objectid", "oid", "shape"}
"""Names that ArcGIS gives to columns of its own."""


def _plain_name(name: str) -> str:
    """Letters, digits and underscores of a name, as many as fit, a letter first."""
    if name in _KNOWN:
        return _KNOWN[name]
    plain = re.sub(r"\W", "_", name) or "field"
    if not plain[0].isalpha():
        plain = f"f_{plain.lstrip('_')}"
    if plain.lower() in _ARCGIS_OWN:
        plain += "_"
    return cut_bytes(plain, NAME_BYTES)

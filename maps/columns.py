"""A table's columns, packed for a page: each by itself, small, and read when needed.

Whole numbers are split into planes of bytes and compressed; texts are joined with null
bytes. The page's script reads a column when a card, a filter or a colour first asks
for it. What is in a column is data to the browser: inert, and never parsed as markup.
"""

from __future__ import annotations

import binascii
import itertools
import math
import os
import re
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from concurrent.futures import Future

    import pandas as pd
    import pyarrow as pa
    from numpy.typing import NDArray

LONGEST = 2000
"""Characters of a text that the page keeps."""

MOST_CATEGORIES = 4096
"""Different texts up to which a column is kept as a list and the place in it."""

_PIECE = 1 << 21
_SAMPLE = 1 << 14
_LEVEL = 5  # 6 takes twice as long for 1 to 3 % less
_WAYS = (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FILTERED, zlib.Z_DEFAULT_STRATEGY)
_NO_GAIN = 0.99
_GZIP = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"  # deflate, no name, no time, no system
_DECIMALS = 6
_LONGEST_LIST = 100_000
_CONTROLS = r"[\x00-\x1f\x7f-\x{9f}\x{202a}-\x{202e}\x{2066}-\x{2069}]"
_MISSING = ("nan", "NaN", "NaT", "<NA>", "None")


class Store:
    """Blocks of bytes of a layer, compressed on all cores while others are made."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._blocks: list[tuple[int, list[Future[bytes]]]] = []

    def put(self, raw: bytes, parts: int = 1) -> list[int]:
        """Keep bytes for the page.

        Parameters
        ----------
        raw
            What the page's script gets back.
        parts
            Parts of the same length that are unlike each other, such as planes of
            bytes: each is compressed as suits it.

        Returns
        -------
        list of int
            Number of the block, and its size. [bytes]
        """
        if self._pool is None:
            self._pool = ThreadPoolExecutor(os.cpu_count())
        size = len(raw)
        own = size // parts if parts > 1 else size
        starts = [
            start
            for part in range(parts)
            for start in range(part * own, (part + 1) * own, _PIECE)
        ]
        view = memoryview(raw)
        edges = [*starts, size] if starts else [0, 0]
        made = [
            self._pool.submit(_deflated, view[start:end], last=end == size)
            for start, end in itertools.pairwise(edges)
        ]
        made.append(self._pool.submit(_trailer, raw))
        self._blocks.append((size, made))
        return [len(self._blocks) - 1, size]

    def texts(self) -> list[str]:
        """Return every block compressed, as base64 text."""
        if self._pool is not None:
            self._pool.shutdown()
            self._pool = None
        return [
            binascii.b2a_base64(
                b"".join([_GZIP, *(part.result() for part in made)]), newline=False
            ).decode("ascii")
            for _, made in self._blocks
        ]


def _deflated(piece: memoryview, *, last: bool) -> bytes:
    """Deflate a piece of a stream; pieces end at whole bytes, so that they join."""
    level, way = _suited(piece)
    return _packed(piece, level, way, zlib.Z_FINISH if last else zlib.Z_FULL_FLUSH)


def _suited(piece: memoryview) -> tuple[int, int]:
    """Level and strategy that make samples of a piece smallest; 0 where none does.

    Differences of numbers hardly ever repeat: codes of single bytes alone are smaller
    than what a search for repeats finds, and take a fifth of the time.
    """
    far = max(len(piece) - _SAMPLE, 0)
    sample = b"".join(piece[at : at + _SAMPLE] for at in (0, far // 2, far))
    sizes = {way: len(_packed(sample, _LEVEL, way, zlib.Z_FINISH)) for way in _WAYS}
    way = min(_WAYS, key=sizes.__getitem__)
    return (_LEVEL if sizes[way] < _NO_GAIN * len(sample) else 0), way


def _packed(raw: bytes | memoryview, level: int, way: int, end: int) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS, 9, way)
    return packer.compress(raw) + packer.flush(end)


def _trailer(raw: bytes) -> bytes:
    """Checksum and size that end a gzip file."""
    return struct.pack("<II", zlib.crc32(raw), len(raw) & 0xFFFFFFFF)


def planes(values: NDArray[np.integer[Any]]) -> tuple[bytes, int]:
    r"""Split whole numbers into planes of bytes, low bytes first.

    Parameters
    ----------
    values
        From 0 to 2³² − 1, shape ``(n,)``.

    Returns
    -------
    raw : bytes
        All first bytes, then all second ones, and so on.
    width : int
        Planes, from 1 to 4.

    Examples
    --------
    >>> planes(np.array([1, 258]))
    (b'\x01\x02\x00\x01', 2)
    """
    most = int(values.max(initial=0))
    width = max(1, (most.bit_length() + 7) // 8)
    rows = values.astype("<u4").view(np.uint8).reshape(-1, 4)
    return np.ascontiguousarray(rows[:, :width].T).tobytes(), width


def steps(
    values: NDArray[np.integer[Any]],
    starts: NDArray[np.intp] | None = None,
    origins: NDArray[np.integer[Any]] | None = None,
) -> NDArray[np.uint32]:
    """Write whole numbers as the zig-zag of their differences, modulo 2³².

    Parameters
    ----------
    values
        Shape ``(n,)``, from -2³¹ to 2³² − 1.
    starts, origins
        Places at which a difference is taken from a number of its own and not from the
        value before; shape ``(k,)``.

    Returns
    -------
    ndarray of uint32
        0, 1, 2, 3 … for differences of 0, -1, 1, -2 …; shape ``(n,)``.

    Examples
    --------
    >>> steps(np.array([5, 4, 6])).tolist()
    [10, 1, 4]
    >>> steps(np.array([5, 4, 6]), np.array([0, 2]), np.array([4, 6])).tolist()
    [2, 1, 0]
    """
    whole = values.astype(np.uint32)
    change = np.diff(whole, prepend=np.uint32(0))
    if starts is not None and origins is not None:
        change[starts] = whole[starts] - origins.astype(np.uint32)
    small = change.view(np.int32)
    zigzag: NDArray[np.int32] = (small << 1) ^ (small >> 31)
    return zigzag.view(np.uint32)


def put_numbers(store: Store, values: NDArray[np.integer[Any]]) -> dict[str, Any]:
    """Keep whole numbers of which most are small.

    Parameters
    ----------
    store
        Where the bytes go.
    values
        From 0 to 2³² − 1, shape ``(n,)``.

    Returns
    -------
    dict
        For the page's script: ``{"all": value}`` where all are the same, else the
        block and its planes.
    """
    if len(values) and (values == values[0]).all():
        return {"all": int(values[0])}
    raw, width = planes(values)
    return {"block": store.put(raw, width), "width": width}


def put_column(store: Store, name: str, values: pd.Series) -> dict[str, Any] | None:
    """Keep one column of a table.

    Parameters
    ----------
    store
        Where the bytes go.
    name
        Name of the column.
    values
        Any values, in the order of the drawn features.

    Returns
    -------
    dict or None
        For the page's script: ``type`` ``number``, ``category`` or ``text``, and how
        it is packed. None if the column holds nothing.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        packed = _put_numeric(store, values)
        if packed is not None:
            return packed and {"name": shown(name), **packed}
    found = _put_texts(store, as_texts(values))
    return {"name": shown(name), **found} if found else None


def as_texts(values: pd.Series) -> pa.Array:
    r"""Return values as the texts that a card shows; missing ones as empty texts.

    Parameters
    ----------
    values
        Any values, shape ``(n,)``.

    Returns
    -------
    pyarrow.Array
        Strings without control characters, cut at :data:`LONGEST`, shape ``(n,)``.

    Examples
    --------
    >>> import pandas as pd
    >>> as_texts(pd.Series(["a\x00b", None, 3])).to_pylist()
    ['a b', '', '3']
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pa.array(values, from_pandas=True)
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        if not pa.types.is_string(found.type):
            found = found.cast(pa.string()) if _is_textual(found.type) else None
    except (pa.ArrowException, UnicodeError, TypeError, ValueError, OverflowError):
        found = None
    if found is None:
        lines = [_line(value) for value in values.to_numpy(object)]
        found = pa.array(lines, pa.string())
    found = pc.fill_null(found, "")
    absent = pc.is_in(found, value_set=pa.array(_MISSING))
    found = pc.if_else(absent, "", found)
    if (
        _may_control(found)
        and pc.any(pc.match_substring_regex(found, _CONTROLS)).as_py()
    ):
        found = pc.replace_substring_regex(found, _CONTROLS, " ")
    if (pc.max(pc.binary_length(found)).as_py() or 0) > LONGEST:
        cut = pc.utf8_slice_codeunits(found, 0, LONGEST)
        long = pc.greater(pc.utf8_length(found), LONGEST)
        found = pc.if_else(long, pc.binary_join_element_wise(cut, "…", " "), cut)
    return found


def shown(text: object) -> str:
    """Return one text as the page shows it.

    Parameters
    ----------
    text
        Any value.

    Returns
    -------
    str
        Without control characters, cut at :data:`LONGEST`.
    """
    import pandas as pd

    return str(as_texts(pd.Series([text], dtype=object))[0].as_py())


def _is_textual(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _may_control(texts: pa.Array) -> bool:
    """Whether any byte could be of a control character; a look is faster than RE2."""
    start, end = _ends_of(texts)
    raw = np.frombuffer(texts.buffers()[2] or b"", np.uint8)[start:end]
    return bool(((raw < 0x20) | (raw == 0x7F)).any()) or bool(
        ((raw == 0xC2) | (raw == 0xE2)).any()
    )


def _ends_of(texts: pa.Array) -> tuple[int, int]:
    """Where the bytes of texts start and end in their buffer."""
    ends = np.frombuffer(texts.buffers()[1] or b"\0\0\0\0", np.int32)
    return int(ends[texts.offset]), int(ends[texts.offset + len(texts)])


def _line(value: object) -> str:
    """Any value as a text that UTF-8 can hold."""
    text = "" if value is None else str(value)
    return re.sub("[\ud800-\udfff]", "�", text)


def _put_numeric(store: Store, values: pd.Series) -> dict[str, Any] | None:
    """Pack numbers as whole ones where that loses nothing; None if they are too large.

    The dict is empty if no value is finite.
    """
    import pandas as pd

    if pd.api.types.is_complex_dtype(values):
        return None
    whole = pd.api.types.is_integer_dtype(values) and not values.isna().any()
    if whole and len(values) and not -(2**53) < values.min() <= values.max() < 2**53:
        return None
    numbers = values.to_numpy(np.float64, na_value=np.nan)
    held = np.isfinite(numbers)
    if not held.any():
        return {}
    kept = numbers[held]
    packed: dict[str, Any] = {
        "type": "number",
        "least": float(kept.min()),
        "most": float(kept.max()),
    }
    if not held.all():
        packed["held"] = store.put(np.packbits(held, bitorder="little").tobytes())
        numbers = np.where(held, numbers, kept.min())
    decimals = 0 if whole else _decimals(kept)
    if decimals is not None:
        counts = np.rint(numbers * 10.0**decimals)
        least = float(counts.min())
        if counts.max() - least < 2**32:
            offsets = (counts - least).astype(np.uint32)
            turned = steps(offsets)
            if np.median(turned) * 8 < np.median(offsets):
                packed["steps"], offsets = True, turned
            packed |= {"decimals": decimals, "from": least}
            return packed | put_numbers(store, offsets)
    with np.errstate(over="ignore"):
        short = bool((numbers.astype(np.float32) == numbers).all())
    if short:
        raw = numbers.astype("<f4").view(np.uint8).reshape(-1, 4)
    else:
        raw = numbers.astype("<f8").view(np.uint8).reshape(-1, 8)
    block = store.put(np.ascontiguousarray(raw.T).tobytes(), raw.shape[1])
    return packed | {"float": raw.shape[1], "block": block}


def _decimals(values: NDArray[np.float64]) -> int | None:
    """Fewest decimals that write all values exactly; None where there are too many."""
    sample = values[:: max(1, len(values) // 1000)]
    for part in (sample, values):
        least = None
        for decimals in range(_DECIMALS + 1):
            scale = 10.0**decimals
            if not math.isfinite(float(np.abs(part).max()) * scale):
                break
            if (np.rint(part * scale) / scale == part).all():
                least = decimals
                break
        if least is None:
            return None
    return least


def _put_texts(store: Store, texts: pa.Array) -> dict[str, Any] | None:
    """Pack texts as a list and places in it, or one after the other."""
    import pyarrow.compute as pc

    sample = texts[:: max(1, len(texts) // 2000)]
    if pc.count_distinct(sample).as_py() <= max(64, len(sample) // 2):
        coded = texts.dictionary_encode()
        labels = [str(label) for label in coded.dictionary.to_pylist()]
        codes = coded.indices.to_numpy()
        if len(labels) <= min(MOST_CATEGORIES, max(64, len(texts) // 4)):
            found = _put_categories(store, labels, codes)
            if found is None or sum(map(len, labels)) <= _LONGEST_LIST:
                return found
    if (pc.max(pc.binary_length(texts)).as_py() or 0) == 0:
        return None
    ended = pc.binary_join_element_wise(texts, "", "\0")
    start, end = _ends_of(ended)
    raw = memoryview(ended.buffers()[2])[start:end].tobytes()
    return {"type": "text", "block": store.put(raw)}


def _put_categories(
    store: Store, labels: list[str], codes: NDArray[np.int32]
) -> dict[str, Any] | None:
    """Pack places in a list, the frequent texts first; place 0 is no text."""
    counts = np.bincount(codes, minlength=len(labels))
    order = sorted(
        (place for place, label in enumerate(labels) if label),
        key=lambda place: (-counts[place], labels[place]),
    )
    if not order:
        return None
    turned = np.zeros(len(labels), np.uint32)
    turned[order] = np.arange(1, len(order) + 1)
    return {
        "type": "category",
        "labels": [labels[place] for place in order],
        "counts": [int(counts[place]) for place in order],
        **put_numbers(store, turned[codes]),
    }

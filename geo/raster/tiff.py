"""Cloud Optimized GeoTIFFs, packed from plain files of cells.

GDAL says what a GeoTIFF has to say about position, CRS, scale and description, in a
file of one cell; those tags are taken as they are. Around them stand directories [1]_
of the raster and its overviews, and then the blocks: those of the smallest overview
first, each with its size before it and its last four bytes after it, as GDAL's own
driver for COGs lays them out [2]_. Blocks are compressed on several threads and written
in order, so that the same cells give the same bytes.

References
----------
.. [1] Adobe, "TIFF Revision 6.0", 1992.
.. [2] GDAL, COG driver, header ghost area.
   https://gdal.org/en/stable/drivers/raster/cog.html
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geo.parallel import available_threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.raster.grid import Grid

BLOCK = 512
"""Rows and columns of a block."""

_BIG = 2_000_000_000
"""From so many bytes of cells on a file gets offsets of eight bytes. [bytes]"""

_GHOST = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\n"
    b"BLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\n"
    b"KNOWN_INCOMPATIBLE_EDITION=NO\n "
)
"""What GDAL reads before the first directory; the space is there to be written over."""

_SHORT, _LONG, _LONG8 = 3, 4, 16
_SIZES = {1: 1, 2: 1, _SHORT: 2, _LONG: 4, 5: 8, 12: 8, _LONG8: 8}
"""Bytes of a number of each type of TIFF."""

_OFFSETS, _COUNTS, _NODATA, _FIRST_GEO = 324, 325, 42113, 33550
"""Tags: where blocks are, their sizes, nodata; and the least one that GDAL adds."""


class Tag(NamedTuple):
    """One entry of a directory, little-endian."""

    kind: int
    """Type of its numbers."""
    length: int
    """How many there are."""
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a raster says of itself.

    Attributes
    ----------
    grid
        Its cells.
    dtype
        Unsigned whole numbers.
    nodata
        Number that means no value.
    description
        What the band holds.
    scale
        What a stored one stands for.
    smooth
        Whether cells are a measure; else they are classes, alike over wide areas.
    """

    grid: Grid
    dtype: np.dtype[Any]
    nodata: int
    description: str
    scale: float
    smooth: bool


def pack(
    levels: Sequence[Path],
    shapes: Sequence[tuple[int, int]],
    about: About,
    target: Path,
    *,
    big: bool | None = None,
) -> None:
    """Write a COG.

    Parameters
    ----------
    levels
        Plain files of the cells, row by row, and of each overview, the largest first.
    shapes
        Rows and columns of each.
    about
        What the raster says of itself.
    target
        File to write.
    big
        Whether offsets take eight bytes; None to have it follow from the size.

    Raises
    ------
    OSError
        If the disk is full.
    """
    if big is None:
        big = sum(r * c for r, c in shapes) * about.dtype.itemsize > _BIG
    more = _geo_tags(about, target.with_name(f"{target.name}.tags"))
    blocks = [(-(-rows // BLOCK), -(-columns // BLOCK)) for rows, columns in shapes]
    counts = [np.zeros(down * across, np.int64) for down, across in blocks]
    offsets = [np.zeros_like(count) for count in counts]

    def head() -> bytes:
        directories = [
            _directory(shape, level, about, offsets[level], counts[level], more, big)
            for level, shape in enumerate(shapes)
        ]
        return _header(directories, big)

    with target.open("wb") as file:
        at = file.write(head())
        for level in reversed(range(len(levels))):
            for n, block in enumerate(_blocks(levels[level], shapes[level], about)):
                offsets[level][n], counts[level][n] = at + 4, len(block)
                at += file.write(struct.pack("<I", len(block)))
                at += file.write(block)
                at += file.write(block[-4:])
        file.seek(0)
        file.write(head())


def _blocks(path: Path, shape: tuple[int, int], about: About) -> Iterator[bytes]:
    """Compress the blocks of a level, row by row."""
    rows, columns = shape
    across = -(-columns // BLOCK)
    nothing = np.full((BLOCK, BLOCK), about.nodata, about.dtype)
    empty = _deflated(nothing, about)

    def squeeze(cells: NDArray[Any]) -> list[bytes]:
        wide = np.full((BLOCK, across * BLOCK), about.nodata, about.dtype)
        wide[: len(cells), :columns] = cells
        parts = wide.reshape(BLOCK, across, BLOCK).swapaxes(0, 1)
        used = (parts != about.nodata).any(axis=(1, 2))
        return [
            _deflated(np.ascontiguousarray(part), about) if some else empty
            for part, some in zip(parts, used, strict=True)
        ]

    threads = available_threads()
    waiting: deque[Future[list[bytes]]] = deque()
    with path.open("rb") as file, ThreadPoolExecutor(threads) as pool:
        for top in range(0, rows, BLOCK):
            some = min(BLOCK, rows - top)
            cells = np.fromfile(file, about.dtype, some * columns)
            waiting.append(pool.submit(squeeze, cells.reshape(some, columns)))
            if len(waiting) > threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _deflated(block: NDArray[Any], about: About) -> bytes:
    """Compress a block: measures by runs and frequency alone, which is fast."""
    strategy = zlib.Z_RLE if about.smooth else zlib.Z_DEFAULT_STRATEGY
    work = zlib.compressobj(1, strategy=strategy)
    return work.compress(block.data) + work.flush()


def _directory(
    shape: tuple[int, int],
    level: int,
    about: About,
    offsets: NDArray[np.int64],
    counts: NDArray[np.int64],
    more: dict[int, Tag],
    big: bool,
) -> dict[int, Tag]:
    """Entries of the raster, or of an overview, in order."""
    numbers = {
        256: shape[1],
        257: shape[0],
        258: 8 * about.dtype.itemsize,  # bits
        259: 8,  # DEFLATE
        262: 1,  # black is 0
        277: 1,  # numbers to a cell
        284: 1,  # side by side
        317: 1,  # as they are
        322: BLOCK,
        323: BLOCK,
        339: 1,  # unsigned
    }
    tags = {key: Tag(_LONG, 1, struct.pack("<I", n)) for key, n in numbers.items()}
    if level:
        tags[254] = Tag(_LONG, 1, struct.pack("<I", 1))
        more = {_NODATA: more[_NODATA]}
    kind, code = (_LONG8, "<u8") if big else (_LONG, "<u4")
    tags[_OFFSETS] = Tag(kind, len(offsets), offsets.astype(code).tobytes())
    tags[_COUNTS] = Tag(_LONG, len(counts), counts.astype("<u4").tobytes())
    return dict(sorted((tags | more).items()))


def _header(directories: list[dict[int, Tag]], big: bool) -> bytes:
    """Everything before the first block."""
    ghost = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n" % len(_GHOST) + _GHOST
    start = 16 if big else 8
    out = bytearray(struct.pack("<2sHHH", b"II", 43, 8, 0) if big else b"II*\0")
    first = _even(start + len(ghost))
    out += struct.pack("<Q" if big else "<I", first) + ghost
    word = "<Q" if big else "<I"
    wide = struct.calcsize(word)
    for n, tags in enumerate(directories):
        out += bytes(_even(len(out)) - len(out))
        room = (8 if big else 2) + (12 + 8 if big else 12) * len(tags) + wide
        at, tail = len(out) + room, bytearray()
        out += struct.pack("<Q" if big else "<H", len(tags))
        for key, tag in tags.items():
            out += struct.pack("<HH", key, tag.kind) + struct.pack(word, tag.length)
            if len(tag.value) <= wide:
                out += tag.value.ljust(wide, b"\0")
            else:
                tail += bytes(_even(at + len(tail)) - at - len(tail))
                out += struct.pack(word, at + len(tail))
                tail += tag.value
        following = _even(at + len(tail)) if n + 1 < len(directories) else 0
        out += struct.pack(word, following) + tail
    return bytes(out)


def _even(place: int) -> int:
    """Next place at which a word may begin."""
    return place + place % 2


def _geo_tags(about: About, path: Path) -> dict[int, Tag]:
    """Tags of position, CRS, scale, description and nodata, as GDAL writes them."""
    import rasterio

    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=1,
        height=1,
        count=1,
        dtype=about.dtype.name,
        crs=about.grid.crs,
        transform=about.grid.transform,
        nodata=about.nodata,
        ENDIANNESS="LITTLE",
        BIGTIFF="NO",
    ) as one:
        one.write(np.full((1, 1), about.nodata, about.dtype), 1)
        one.set_band_description(1, about.description)
        if about.scale != 1.0:
            one.scales = (about.scale,)
    whole = path.read_bytes()
    path.unlink()
    (at,) = struct.unpack_from("<I", whole, 4)
    (entries,) = struct.unpack_from("<H", whole, at)
    found = {}
    for n in range(entries):
        place = at + 2 + 12 * n
        key, kind, count = struct.unpack_from("<HHI", whole, place)
        if key < _FIRST_GEO:
            continue
        size = _SIZES[kind] * count
        begin = place + 8
        if size > 4:
            (begin,) = struct.unpack_from("<I", whole, begin)
        found[key] = Tag(kind, count, whole[begin : begin + size])
    return found

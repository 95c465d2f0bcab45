"""Blocks of a GeoTIFF decoded straight into the window that asks for them.

GDAL decodes a block into a cache and copies it from there. What most public rasters
are, one band of DEFLATE [1]_ blocks in little-endian order, is read here without:
inflated by libdeflate, the predictor undone into the window, and what is no value
turned into NaN on the way. GDAL still says what a file is, and reads everything else:
other kinds of files, blocks that were never written, and each block in which anything
is not as it should be, so that errors are GDAL's.

References
----------
.. [1] Adobe, "TIFF Revision 6.0", 1992, and Photoshop TIFF Technical Notes, 2002.
"""

from __future__ import annotations

import struct
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from deflate import DeflateError, zlib_decompress

from geo.raster.kernels.predictors import (
    join_bytes,
    sum_bytes,
    sum_cells,
    undo_float32,
)
from geo.raster.kernels.samples import clean

if TYPE_CHECKING:
    from numpy.typing import NDArray

Slices = tuple[slice, slice]
"""Rows and columns of a file."""

HUGE = 1e15
"""Numbers as large as this mean no value, as undeclared fill values do."""

_HUGE_32 = np.nextafter(np.float32(HUGE), np.float32(np.inf))
"""The least float32 that is as large; the nearest is smaller."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ORDER = 256, 257, 258, 259, 266
_STRIPS, _BANDS, _STRIP_ROWS, _STRIP_SIZES = 273, 277, 278, 279
_PREDICTOR, _TILE_WIDTH, _TILE_ROWS, _TILES, _TILE_SIZES = 317, 322, 323, 324, 325
"""Tags of a directory."""

_LISTS = {_STRIPS, _STRIP_SIZES, _TILES, _TILE_SIZES}
_SINGLE = {_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _ORDER, _BANDS, _STRIP_ROWS}
_SINGLE |= {_PREDICTOR, _TILE_WIDTH, _TILE_ROWS}

_NUMBERS = {1: "u1", 3: "<u2", 4: "<u4", 16: "<u8"}
"""Types of TIFF that hold the numbers asked for here."""

_DEFLATE = {8, 32946}
_TYPES = {"u1", "i1", "u2", "i2", "u4", "i4", "f4", "f8"}

_LEAST, _MOST = 1 << 14, 1 << 26
"""Smaller blocks are as fast by GDAL, larger ones take too much memory. [bytes]"""

_ENTRIES = 4096
"""Tags in a directory at the most."""

_SHELF = 16_000_000
"""What may be kept of decoded blocks of which only a part was asked for. [bytes]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a GeoTIFF of one band is cut into blocks.

    Attributes
    ----------
    shape
        Rows and columns of the raster.
    block
        Rows and columns of a block.
    dtype
        Type of the stored numbers.
    predictor
        1, 2 or 3.
    tiled
        Whether the blocks at the edges are as large as all others.
    offsets, sizes
        Where blocks lie in the file and how long they are, row by row. [bytes]
    """

    shape: tuple[int, int]
    block: tuple[int, int]
    dtype: np.dtype[Any]
    predictor: int
    tiled: bool
    offsets: NDArray[Any]
    sizes: NDArray[Any]

    @property
    def across(self) -> int:
        """Blocks side by side."""
        return -(-self.shape[1] // self.block[1])

    @property
    def row_bytes(self) -> int:
        """Bytes of a row of a block."""
        return self.block[1] * self.dtype.itemsize

    def used(self, place: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of a block that are of the raster."""
        rows, columns = (
            min(size, whole - n * size)
            for n, size, whole in zip(place, self.block, self.shape, strict=True)
        )
        return rows, columns

    def stored_rows(self, down: int) -> int:
        """Rows that are stored of a block in a row of blocks."""
        return self.block[0] if self.tiled else self.used((down, 0))[0]


def layout_of(source: Any, file: BinaryIO) -> Layout | None:
    """Tell how a file is cut into blocks, if they can be read here.

    Parameters
    ----------
    source
        The file, opened by rasterio.
    file
        The same.

    Returns
    -------
    Layout or None
        None for what is left to GDAL.
    """
    if source.driver != "GTiff" or source.count != 1 or sys.byteorder != "little":
        return None
    dtype = np.dtype(source.dtypes[0])
    if dtype.str[1:] not in _TYPES:
        return None
    tags = _directory(file)
    single = {key: int(tags[key][0]) for key in _SINGLE & set(tags)}
    tiled = _TILES in tags
    keys = (_TILES, _TILE_SIZES) if tiled else (_STRIPS, _STRIP_SIZES)
    if not set(keys) <= set(tags):
        return None
    height, width = source.shape
    block = (
        (single.get(_TILE_ROWS, 0), single.get(_TILE_WIDTH, 0))
        if tiled
        else (min(single.get(_STRIP_ROWS, height), height), width)
    )
    predictor = single.get(_PREDICTOR, 1)
    usual = (
        (single.get(_HEIGHT), single.get(_WIDTH)) == (height, width)
        and block == tuple(source.block_shapes[0])
        and single.get(_BITS, 1) == 8 * dtype.itemsize
        and single.get(_COMPRESSION) in _DEFLATE
        and single.get(_ORDER, 1) == 1
        and single.get(_BANDS, 1) == 1
        and _LEAST <= block[0] * block[1] * dtype.itemsize <= _MOST
        and (predictor in {1, 2} or (predictor == 3 and dtype.kind == "f"))
        # Rows are summed in words.
        and (predictor == 1 or block[1] * dtype.itemsize % 8 == 0)
    )
    if not usual:
        return None
    count = -(-height // block[0]) * -(-width // block[1])
    if not len(tags[keys[0]]) == len(tags[keys[1]]) == count:
        return None
    return Layout(
        shape=(height, width),
        block=block,
        dtype=dtype,
        predictor=predictor,
        tiled=tiled,
        offsets=tags[keys[0]],
        sizes=tags[keys[1]],
    )


def _directory(file: BinaryIO) -> dict[int, NDArray[Any]]:
    """Read what is asked for in the first directory of a TIFF; none if it is odd."""
    head = _bytes(file, 0, 16)
    if head[:4] == b"II*\0":
        start, wide, entry = 4, "<I", 12
    elif head[:8] == b"II+\0\x08\0\0\0":
        start, wide, entry = 8, "<Q", 20
    else:
        return {}
    found: dict[int, NDArray[Any]] = {}
    try:
        (at,) = struct.unpack_from(wide, head, start)
        many = "<H" if wide == "<I" else "<Q"
        (entries,) = struct.unpack(many, _bytes(file, at, struct.calcsize(many)))
        at += struct.calcsize(many)
        if entries > _ENTRIES:
            return {}
        listed = _bytes(file, at, entries * entry)
        room = struct.calcsize(wide)
        for place in range(0, entries * entry, entry):
            key, kind = struct.unpack_from("<HH", listed, place)
            (count,) = struct.unpack_from(wide, listed, place + 4)
            if key not in _SINGLE | _LISTS:
                continue
            # What is not understood must not pass for absent, nor one of two for both.
            if kind not in _NUMBERS or key in found or (key in _SINGLE and count != 1):
                return {}
            dtype = np.dtype(_NUMBERS[kind])
            size, begin = count * dtype.itemsize, place + 4 + room
            value = listed[begin : begin + size]
            if size > room:
                (elsewhere,) = struct.unpack_from(wide, listed, begin)
                value = _bytes(file, elsewhere, size)
            found[key] = np.frombuffer(value, dtype, count)
    except (struct.error, ValueError):
        return {}
    return found


def _bytes(file: BinaryIO, at: int, size: int) -> bytes:
    """Read a part of a file; fewer bytes where it ends, none where it cannot be."""
    file.seek(0, 2)
    rest = file.tell() - at
    if rest <= 0:
        return b""
    file.seek(at)
    return file.read(min(size, rest))


class Shelf:
    """Decoded blocks of which only a part was asked for; threads share them.

    The rest is often asked for next, by the strip below or the panel to the right.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: OrderedDict[tuple[Path, int], NDArray[Any]] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[Path, int]) -> NDArray[Any] | None:
        """Return a block of a file, if it is here."""
        with self._lock:
            cells = self._blocks.get(key)
            if cells is not None:
                self._blocks.move_to_end(key)
            return cells

    def put(self, key: tuple[Path, int], cells: NDArray[Any]) -> None:
        """Keep a block, and give up those that were not asked for longest."""
        with self._lock:
            if key in self._blocks:
                return
            self._blocks[key] = cells
            self._bytes += cells.nbytes
            while self._bytes > _SHELF:
                self._bytes -= self._blocks.popitem(last=False)[1].nbytes


class Blocks:
    """A file of which the blocks are read here; for one thread.

    Parameters
    ----------
    source
        The file, opened by rasterio.
    shelf
        For blocks that were not used up.
    """

    def __init__(self, source: Any, shelf: Shelf) -> None:
        self._path = Path(source.name)
        self._shelf = shelf
        self._packed = bytearray()
        self._file = self._path.open("rb", buffering=0)
        self._layout = layout_of(source, self._file)
        if self._layout is None:
            self._file.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(
        self, out: NDArray[Any], inside: Slices, nodata: float | None
    ) -> list[Slices]:
        """Fill an array with a part of the raster.

        Parameters
        ----------
        out
            Filled, in the shape of the part, in a type that holds all stored numbers.
            Real numbers are NaN where there is no value.
        inside
            Rows and columns of the raster, none of them beyond it.
        nodata
            Stored number that means no value, where ``out`` has real numbers.

        Returns
        -------
        list
            Parts that could not be read, and were left as they were.
        """
        layout = self._layout
        if layout is None:
            return [inside]
        left_out = []
        rows, columns = inside
        for down in _met(rows, layout.block[0]):
            for across in _met(columns, layout.block[1]):
                place = (down, across)
                lines = _common(rows, down, layout.block[0])
                cells = _common(columns, across, layout.block[1])
                target = out[_from(lines, rows.start), _from(cells, columns.start)]
                if not self._fill(target, layout, place, lines, cells, nodata):
                    left_out.append((lines, cells))
        return left_out

    def _fill(
        self,
        target: NDArray[Any],
        layout: Layout,
        place: tuple[int, int],
        lines: slice,
        cells: slice,
        nodata: float | None,
    ) -> bool:
        """Fill an array with lines and cells of the raster that one block holds."""
        real = target.dtype.kind == "f"
        none = target.dtype.type(np.nan if nodata is None else nodata) if real else 0
        used = target.shape == layout.used(place)
        key = (self._path, place[0] * layout.across + place[1])
        block = None if used else self._shelf.get(key)
        if block is None:
            raw = self._inflated(layout, place)
            if raw is None:
                return False
            if used:
                raw = raw[: len(target)]
                if _straight(raw, layout, target, none):
                    return True
            block = _decoded(raw, layout)
            if not used:
                self._shelf.put(key, block)
        top, left = (n * size for n, size in zip(place, layout.block, strict=True))
        target[:] = block[_from(lines, top), _from(cells, left)]
        if real:
            clean(target, none, HUGE)
        return True

    def _inflated(
        self, layout: Layout, place: tuple[int, int]
    ) -> NDArray[np.uint8] | None:
        """Bytes of the rows of a block; None if anything about it is odd."""
        number = place[0] * layout.across + place[1]
        offset, size = int(layout.offsets[number]), int(layout.sizes[number])
        rows = layout.stored_rows(place[0])
        whole = rows * layout.row_bytes
        # What DEFLATE cannot make smaller grows by a few bytes only.
        if offset == 0 or size == 0 or size > whole + whole // 8 + 1024:
            return None
        if size > len(self._packed):
            self._packed = bytearray(size)
        packed = memoryview(self._packed)[:size]
        try:
            self._file.seek(offset)
            if self._file.readinto(packed) != size:
                return None
            bytes_ = zlib_decompress(packed, whole)
        except (OSError, OverflowError, DeflateError):
            return None
        if len(bytes_) != whole:
            return None
        return np.frombuffer(bytes_, np.uint8).reshape(rows, layout.row_bytes)


def _straight(
    raw: NDArray[np.uint8], layout: Layout, target: NDArray[Any], none: Any
) -> bool:
    """Turn bytes into float32 numbers where they are wanted, if that can be done."""
    if not (layout.predictor == 3 and target.dtype == layout.dtype == np.float32):
        return False
    (rows, columns), (down, right) = target.shape, target.strides
    step = down // target.itemsize
    if right != target.itemsize or down % right or step < columns:
        return False
    span = np.lib.stride_tricks.as_strided(
        target, ((rows - 1) * step + columns,), (right,)
    )
    undo_float32(
        raw.view(np.uint64),
        raw.reshape(len(raw), 4, -1),
        span.view(np.uint32),
        step,
        np.float32(none).view(np.uint32),
        _HUGE_32.view(np.uint32),
    )
    return True


def _decoded(raw: NDArray[np.uint8], layout: Layout) -> NDArray[Any]:
    """Turn bytes into stored numbers; uses up the bytes."""
    size = layout.dtype.itemsize
    if layout.predictor == 3:
        sum_bytes(raw.view(np.uint64))
        cells = np.empty((len(raw), layout.block[1]), layout.dtype)
        join_bytes(
            raw.reshape(len(raw), size, -1),
            cells.view(np.uint8).reshape(*cells.shape, size),
        )
        return cells
    if layout.predictor == 2:
        sum_cells(raw.view(f"u{size}"))
    return raw.view(layout.dtype)


def _met(asked: slice, size: int) -> range:
    """Blocks that rows, or columns, meet."""
    return range(asked.start // size, -(-asked.stop // size))


def _common(asked: slice, number: int, size: int) -> slice:
    """Rows, or columns, that are asked for and in a block."""
    first = number * size
    return slice(max(asked.start, first), min(asked.stop, first + size))


def _from(part: slice, first: int) -> slice:
    """Rows, or columns, counted from another one."""
    return slice(part.start - first, part.stop - first)

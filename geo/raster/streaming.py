"""Strips of a raster read once each, and judged as soon as both neighbours are known.

Slopes need a row of elevations above a tile and one below. Rather than read rows twice,
a tile ends one row before what was read for it, and the strip after it begins with the
rows that were left: each thread hands the last rows of its strip on as soon as it has
read them, before it judges. Reading and judging of different strips overlap.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GridError
from geo.raster.merging import Seams
from geo.raster.rules import Tile
from geo.raster.sheets import Handles, Window
from geo.raster.siting import ELEVATION
from geo.raster.tiles import Part, judge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geo.raster.plan import Plan
    from geo.raster.sources import Source

    Bools = NDArray[np.uint8]

LEFT = 2
"""Rows of a strip that the next one needs."""

_STRIP_BYTES = 48_000_000
"""What the rasters of a strip may take, if their blocks allow. [bytes]"""

_PANEL = 65_536
"""Columns of a tile at the most."""

_BLOCKS_BYTES = 64_000_000
"""What the rasters of a row of blocks may take; where it is more, tiles are made
narrower, since no block is to be read twice. [bytes]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How the cells to be looked at are cut into tiles.

    Attributes
    ----------
    rows
        First row of each strip as it is read, and the row after the last.
    columns
        First column of each panel, and the column after the last.
    shift
        Rows by which a tile lies above the strip that is read for it.
    outer
        Whether yet other tiles lie above, below, to the left and to the right of all
        of these.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    shift: int
    outer: tuple[bool, bool, bool, bool] = (False, False, False, False)

    @property
    def tiles(self) -> int:
        """How many tiles there are."""
        return (len(self.rows) - 1) * (len(self.columns) - 1)

    @property
    def seams(self) -> Seams:
        """Lines between tiles."""
        rows = [row - self.shift for row in self.rows[1:-1]]
        return Seams(rows, self.columns[1:-1])

    def place(self, number: int) -> tuple[int, int]:
        """Strip and panel of a tile; they go down one panel after the other."""
        panel, strip = divmod(number, len(self.rows) - 1)
        return strip, panel

    def window(self, number: int) -> Window:
        """Rows and columns of a tile."""
        strip, panel = self.place(number)
        top, bottom = self.rows[strip], self.rows[strip + 1]
        top -= self.shift if strip else 0
        bottom -= self.shift if strip < len(self.rows) - 2 else 0
        left, right = self.columns[panel], self.columns[panel + 1]
        return Window(top, left, bottom - top, right - left)

    def borders(self, number: int) -> tuple[bool, bool, bool, bool]:
        """Whether other tiles lie above, below, to the left and to the right."""
        strip, panel = self.place(number)
        above, below, left, right = self.outer
        return (
            above or strip > 0,
            below or strip < len(self.rows) - 2,
            left or panel > 0,
            right or panel < len(self.columns) - 2,
        )


def lay_out(plan: Plan, tile: tuple[int, int] | None) -> Layout:
    """Cut the cells to be looked at into tiles.

    Parameters
    ----------
    plan
        What is to be looked at.
    tile
        Rows and columns of a tile; what suits the blocks of the files when None.

    Returns
    -------
    Layout
        Strips of whole blocks where that is possible.

    Raises
    ------
    GridError
        If a tile has no cells.
    """
    window, shift = plan.window, plan.halo
    if tile is not None and min(tile) < 1:
        raise GridError(f"a tile of {tile} cells; expected one or more each way")
    if tile is None:
        rows, columns, first, left = _blocks(plan)
    else:
        rows, columns, first, left = *tile, 0, window.left
    rows = max(rows, 2 * LEFT)
    start = first + (window.top - first) // rows * rows
    lines = [*range(start + rows, window.bottom - LEFT, rows)]
    lines = [line for line in lines if line >= window.top + LEFT + 1]
    start = left + (window.left - left) // columns * columns
    return Layout(
        rows=(window.top, *lines, window.bottom),
        columns=(
            window.left,
            *range(start + columns, window.right, columns),
            window.right,
        ),
        shift=shift,
    )


def _blocks(plan: Plan) -> tuple[int, int, int, int]:
    """Rows and columns of a tile, and a row and a column at which a block begins."""
    columns = min(plan.window.columns, _PANEL)
    block, first, left, wide, size = 1, 0, plan.window.left, 1, 1
    for source in plan.sources.values():
        part = source.parts[0]
        size += source.dtype.itemsize
        if part.shift is not None and part.sheet.block[0] > block:
            block, wide = part.sheet.block
            first, left = part.shift
    fit = max(int(_STRIP_BYTES / (size * columns)), 1)
    if block > 4 * fit:
        return fit, columns, 0, plan.window.left
    panels = -(-block * size * columns // _BLOCKS_BYTES)
    if panels > 1 and wide < columns // panels:
        columns = -(-columns // (panels * wide)) * wide
    else:
        left = plan.window.left
    return max(fit // block, 1) * block, columns, first, left


@dataclass(slots=True)
class _Tail:
    """The last rows of a strip, once they are known."""

    known: threading.Event = field(default_factory=threading.Event)
    rows: dict[str, NDArray[Any]] = field(default_factory=dict)


class Streamer:
    """Reads and judges tiles, each in one call, possibly on several threads.

    Calls have to begin in order of the tiles, as they do on a pool of threads.
    """

    def __init__(
        self, plan: Plan, layout: Layout, handles: Handles, *, scored: bool
    ) -> None:
        self.plan = plan
        self.layout = layout
        self._handles = handles
        self._scored = scored
        self._tails: dict[int, _Tail] = {}
        self._lock = threading.Lock()
        self._free: dict[str, list[NDArray[Any]]] = {}
        self._blank: list[NDArray[np.float32]] = []
        self._spare: list[Bools] = []

    def judge(self, number: int) -> tuple[Part | None, Bools]:
        """Read and judge a tile.

        Parameters
        ----------
        number
            Which one.

        Returns
        -------
        part : Part or None
            What is to be remembered; None where there is nothing to look at.
        stored : numpy.ndarray
            Scores of the cells as :func:`geo.raster.tiles.judge` gives them, if they
            are wanted and there are any, else empty.

        Raises
        ------
        GridError
            If a raster cannot be read to the end.
        """
        tail = self._tail(number)
        nothing = np.zeros((0, 0), np.uint8)
        window = self.layout.window(number)
        try:
            with self._bytes(window) as of_mask, self._bytes(window) as of_barred:
                mask = self.plan.mask(window, of_mask)
                if not mask.any():
                    return None, nothing
                buffers = self._read(number, window, tail)
                tail.known.set()
                try:
                    self._take_over(number, window, buffers)
                    barred = self.plan.barred(window, of_barred)
                    return self._judge(number, window, mask, barred, buffers)
                finally:
                    self._give_back(buffers)
        finally:
            # Whoever waits for these rows reads them itself if there are none.
            tail.known.set()

    def _judge(
        self,
        number: int,
        window: Window,
        mask: Bools,
        barred: Bools | None,
        buffers: dict[str, NDArray[Any]],
    ) -> tuple[Part, Bools]:
        values, heights = {}, np.zeros((0, 0))
        halo = self.plan.halo
        for name, buffer in buffers.items():
            around = self._halo(name)
            inner = slice(around, around + window.rows)
            wide = slice(around, around + window.columns)
            values[name] = buffer[inner, wide]
            if around:
                heights = buffer[: window.rows + 2]
        here = slice(window.top, window.bottom)
        tile = Tile(
            window=window,
            values=values,
            heights=heights if halo else np.zeros((0, 0)),
            dx_m=self.plan.metric.dx_m[here],
            dy_m=self.plan.metric.dy_m[here],
        )
        with self._zeros(window) as score:
            return judge(
                tile,
                mask,
                barred,
                rules=self.plan.rules,
                limits=self.plan.limits,
                borders=self.layout.borders(number),
                score=score,
            )

    @contextmanager
    def _bytes(self, window: Window) -> Iterator[Bools]:
        """Lend bytes for the cells of a tile and 8 more a row; they hold anything."""
        size = window.rows * (window.columns + 8)
        with self._lock:
            flat = self._spare.pop() if self._spare else None
        if flat is None or flat.size < size:
            flat = np.empty(size, np.uint8)
        try:
            yield flat
        finally:
            with self._lock:
                self._spare.append(flat)

    @contextmanager
    def _zeros(self, window: Window) -> Iterator[NDArray[np.float32] | None]:
        """Lend zeros for scores, if they are wanted; zeros are to be given back."""
        if not self._scored:
            yield None
            return
        size = window.rows * window.columns
        with self._lock:
            flat = self._blank.pop() if self._blank else None
        if flat is None or flat.size < size:
            flat = np.zeros(size, np.float32)
        yield flat[:size].reshape(window.rows, window.columns)
        with self._lock:
            self._blank.append(flat)

    def _halo(self, name: str) -> int:
        """Cells round the tile that are needed of a raster."""
        return self.plan.halo if name == ELEVATION else 0

    def _kept(self, name: str) -> int:
        """Rows of the strip before that are needed of a raster."""
        return self.layout.shift * (LEFT if self._halo(name) else 1)

    def _read(
        self, number: int, window: Window, tail: _Tail
    ) -> dict[str, NDArray[Any]]:
        """Read the strip of a tile, and hand its last rows on."""
        strip, _ = self.layout.place(number)
        buffers = {}
        for name, source in self.plan.sources.items():
            halo, kept = self._halo(name), self._kept(name)
            top, bottom = self.layout.rows[strip], self.layout.rows[strip + 1]
            if strip == 0:
                top, kept = top - halo, 0
            if strip == len(self.layout.rows) - 2:
                bottom += halo
            left, columns = window.left - halo, window.columns + 2 * halo
            buffer = self._buffer(source, kept + bottom - top, columns)
            buffers[name] = buffer
            source.fill(
                buffer[kept:], Window(top, left, bottom - top, columns), self._handles
            )
            if self._kept(name) and strip < len(self.layout.rows) - 2:
                tail.rows[name] = buffer[-self._kept(name) :].copy()
        return buffers

    def _take_over(
        self, number: int, window: Window, buffers: dict[str, NDArray[Any]]
    ) -> None:
        """Put the last rows of the strip before at the head of this one."""
        strip, _ = self.layout.place(number)
        if strip == 0 or not self.layout.shift:
            return
        before = self._tail(number - 1)
        before.known.wait()
        for name, buffer in buffers.items():
            kept = self._kept(name)
            rows = before.rows.get(name)
            if rows is None:
                top = self.layout.rows[strip] - kept
                left = window.left - self._halo(name)
                missing = Window(top, left, kept, buffer.shape[1])
                source = self.plan.sources[name]
                rows = np.empty((kept, buffer.shape[1]), buffer.dtype)
                source.fill(rows, missing, self._handles)
            buffer[:kept] = rows
        with self._lock:
            self._tails.pop(number - 1, None)

    def skip(self, number: int) -> None:
        """Leave a tile out, because it is known; the next one reads what it needs."""
        self._tail(number).known.set()

    def _tail(self, number: int) -> _Tail:
        with self._lock:
            return self._tails.setdefault(number, _Tail())

    def _buffer(self, source: Source, rows: int, columns: int) -> NDArray[Any]:
        """Take memory that an earlier strip has used, or new memory."""
        size = rows * columns
        with self._lock:
            free = self._free.setdefault(source.name, [])
            flat = free.pop() if free else None
        if flat is None or flat.size < size:
            most = int(np.diff(self.layout.rows).max())
            flat = np.empty(max((most + 2 * LEFT) * columns, size), source.dtype)
        return flat[:size].reshape(rows, columns)

    def _give_back(self, buffers: dict[str, NDArray[Any]]) -> None:
        with self._lock:
            for name, buffer in buffers.items():
                base = buffer.base
                if base is not None:
                    self._free.setdefault(name, []).append(base)

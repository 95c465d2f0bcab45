"""Tiles of a search put together, four neighbours at a time, on the workers.

A block is what the rest of a search has to know of a rectangle of tiles: the sums of
its sites and of the groups that may go on beyond its borders, and of these the runs
that touch a border. Joining blocks adds whole numbers, so the order changes nothing,
and what is held grows with the sites and the length of borders, never with the cells.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geo.datasets import storage
from geo.errors import GridError
from geo.raster.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from geo.raster.plan import Plan
    from geo.raster.sheets import Window
    from geo.raster.streaming import Layout
    from geo.raster.tiles import Part

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that the workers need, the same for all tiles.

    Attributes
    ----------
    plan, layout
        What is looked for, and how its cells are cut into tiles.
    folder
        Where the tiles are kept.
    scored
        Whether their scores are kept too.
    """

    plan: Plan
    layout: Layout
    folder: str
    scored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A rectangle of tiles that become one block.

    Attributes
    ----------
    at
        Row and column among the pieces of its level.
    below
        Those of the level below that it consists of.
    tiles
        Numbers of its tiles; only on the lowest level.
    window
        Its cells.
    borders
        Whether other tiles lie above, below, to the left and to the right.
    seam_rows, seam_columns
        Lines between the pieces below: first row, or column, after each.
    """

    at: tuple[int, int]
    below: tuple[tuple[int, int], ...]
    tiles: tuple[int, ...]
    window: Window
    borders: tuple[bool, bool, bool, bool]
    seam_rows: tuple[int, ...]
    seam_columns: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What is known of a piece.

    Attributes
    ----------
    part
        Its counts, its groups, and their runs that touch another piece.
    met
        Where each group is first met: its row times the columns of the grid, and its
        column.
    number
        For each tile the group of the block that each of the tile's groups belongs to,
        -1 for those that are no site.
    """

    part: Part
    met: Ints
    number: dict[int, Small]


class Tiles(Workspace):
    """Tiles in the folder of a search that another process keeps.

    Parameters
    ----------
    folder
        Of a :class:`geo.raster.workspace.Workspace`.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._known = set(storage.listed(folder))

    def take(self, number: int) -> tuple[Part | None, NDArray[np.uint8]]:
        """Return what is known of a tile.

        Parameters
        ----------
        number
            Which one.

        Returns
        -------
        part, score
            As they were saved.

        Raises
        ------
        GridError
            If its file is not there, or is damaged.
        """
        loaded = self.load(number)
        if loaded is None:
            raise GridError(
                f"{self.folder}: the file of tile {number} is damaged or not to be "
                "seen here; remove it and call again"
            )
        return loaded


def levels(layout: Layout) -> Iterator[list[Piece]]:
    """Cut tiles into pieces of two by two, and these again, until one is left.

    Parameters
    ----------
    layout
        The tiles.

    Yields
    ------
    list of Piece
        Those of a level, the lowest first; the last holds one.
    """
    rows, columns = list(layout.rows), list(layout.columns)
    numbers = {layout.place(n): n for n in range(layout.tiles)}
    lowest = True
    while lowest or len(rows) > 2 or len(columns) > 2:
        high, wide = rows[::2], columns[::2]
        high += [rows[-1]] if high[-1] != rows[-1] else []
        wide += [columns[-1]] if wide[-1] != columns[-1] else []
        level = []
        for r, (top, bottom) in enumerate(pairwise(high)):
            for c, (left, right) in enumerate(pairwise(wide)):
                below = tuple(
                    (y, x)
                    for y in range(2 * r, min(2 * r + 2, len(rows) - 1))
                    for x in range(2 * c, min(2 * c + 2, len(columns) - 1))
                )
                level.append(
                    Piece(
                        at=(r, c),
                        below=below,
                        tiles=tuple(numbers[at] for at in below) if lowest else (),
                        window=_window(top, bottom, left, right),
                        borders=(
                            top > rows[0],
                            bottom < rows[-1],
                            left > columns[0],
                            right < columns[-1],
                        ),
                        seam_rows=tuple(y for y in rows if top < y < bottom),
                        seam_columns=tuple(x for x in columns if left < x < right),
                    )
                )
        yield level
        rows, columns, lowest = high, wide, False


def block_of_tiles(job: Job, piece: Piece, numbers: Sequence[int]) -> Block | None:
    """Make a block of tiles whose files are there, on a worker.

    Parameters
    ----------
    job
        What all tiles have in common.
    piece
        Which ones.
    numbers
        Their numbers.

    Returns
    -------
    Block
        Of the piece; None where there is nothing to look at.

    Raises
    ------
    GridError
        If a file is damaged.
    """
    known = Tiles(job.folder)
    return joined(job, piece, [_block(job, known, number) for number in numbers])


def joined(job: Job, piece: Piece, blocks: Sequence[Block | None]) -> Block | None:
    """Make one block of several, on a worker.

    Parameters
    ----------
    job
        What all tiles have in common.
    piece
        What the blocks make up.
    blocks
        Of the pieces below, one or more; None where there is nothing to look at.

    Returns
    -------
    Block
        Of the piece; None where there is nothing to look at.
    """
    from geo.raster.merging import Groups, Seams, at_borders, regroup, unite

    there = [block for block in blocks if block is not None]
    if not there:
        return None
    parts, limits = [block.part for block in there], job.plan.limits
    groups = Groups.of(parts)
    before = np.cumsum([0, *(len(part.cells) for part in parts)]).astype(np.int32)
    group = np.concatenate(
        [part.group + at for part, at in zip(parts, before, strict=False)]
    )
    row, start, stop = (
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("row", "start", "stop")
    )
    order = np.lexsort((start, row))
    group, row, start, stop = (each[order] for each in (group, row, start, stop))
    seams = Seams(piece.seam_rows, piece.seam_columns)
    parent = unite(group, row, start, stop, groups.around, limits, seams)
    touch = at_borders(row, start, stop, piece.window, piece.borders)
    going_on = np.zeros(len(parent), np.bool_)
    going_on[group[touch]] = True
    number, groups, dropped = regroup(parent, groups, limits, going_on)
    ours = number >= 0
    met = np.full(len(groups.cells), np.iinfo(np.int64).max)
    places = np.concatenate([block.met for block in there])
    np.minimum.at(met, number[ours], places[ours])
    small = np.append(number.astype(np.int32), np.int32(-1))
    part = replace(
        parts[0],
        looked=sum(part.looked for part in parts),
        eligible=sum(part.eligible for part in parts),
        area=sum(part.area for part in parts),
        dropped=sum(part.dropped for part in parts) + dropped,
        codes={
            name: np.sum([part.codes[name] for part in parts], axis=0)
            for name in parts[0].codes
        },
        row=row[touch],
        start=start[touch],
        stop=stop[touch],
        group=small[group[touch]],
        cells=groups.cells,
        areas=groups.areas,
        around=groups.around,
        totals=groups.totals,
    )
    return Block(
        part=part,
        met=met,
        number={
            tile: small[np.where(own >= 0, own + at, -1)]
            for block, at in zip(there, before, strict=False)
            for tile, own in block.number.items()
        },
    )


def _block(job: Job, known: Tiles, number: int) -> Block | None:
    """Keep of a tile what others need: groups, and runs at its borders."""
    from geo.raster.kernels.runs import first_runs
    from geo.raster.merging import at_borders

    part, _ = known.take(number)
    if part is None:
        return None
    first = np.empty(len(part.cells), np.int64)
    first_runs(np.arange(len(first)), part.group, first)
    place = part.row.astype(np.int64) * job.plan.grid.shape[1] + part.start
    window, borders = job.layout.window(number), job.layout.borders(number)
    touch = at_borders(part.row, part.start, part.stop, window, borders)
    edge = {name: getattr(part, name)[touch] for name in ("row", "start", "stop")}
    return Block(
        part=replace(part, **edge, group=part.group[touch]),
        met=place[first],
        number={number: np.arange(len(first), dtype=np.int32)},
    )


def _window(top: int, bottom: int, left: int, right: int) -> Window:
    from geo.raster.sheets import Window

    return Window(top, left, bottom - top, right - left)

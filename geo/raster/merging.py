"""Groups of tiles made into sites.

Groups that meet at the borders of tiles are one. Everything about a site is a sum of
whole numbers, a least or a greatest value over the groups that it consists of, so the
order in which tiles come, and where they are cut, changes nothing.

Tiles can be folded into larger ones, of which again only what may go on beyond their
borders, and what is large and compact enough, is remembered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.raster.found import Runs
from geo.raster.kernels import runs as kernels
from geo.raster.kernels.scores import Totals, add_totals
from geo.raster.tiles import Part, empty_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.raster.sheets import Window
    from geo.raster.tiles import Limits

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]


class Seams(NamedTuple):
    """Lines between tiles."""

    rows: Sequence[int]
    """First row of every tile but those at the top."""
    columns: Sequence[int]
    """First column of every tile but those at the left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sites:
    """Sites in the order in which they are first met, row by row; shape ``(n,)``.

    Attributes
    ----------
    row, col
        First cell.
    cells, areas, around
        Cells, and area and perimeter in whole units.
    totals
        Of each criterion.
    runs
        Their cells; labels count from 1.
    regions_found
        Connected groups of any size.
    """

    row: Ints
    col: Ints
    cells: Ints
    areas: Ints
    around: Ints
    totals: Mapping[str, Totals]
    runs: Runs
    regions_found: int


def merge(parts: list[Part], limits: Limits, seams: Seams) -> Sites:
    """Make sites of the groups of all tiles.

    Parameters
    ----------
    parts
        Of all tiles; emptied, to have the memory back.
    limits
        What makes a group a site.
    seams
        Lines between the tiles.

    Returns
    -------
    Sites
        Those large and compact enough.
    """
    whole = fold(parts, limits, seams, window=None, borders=(False,) * 4)
    count = len(whole.cells)
    first = np.full(count, -1, np.int64)
    kernels.first_runs(np.arange(count), whole.group, first)
    order = np.argsort(first, kind="stable")
    label = np.empty(count, np.int32)
    label[order] = np.arange(1, count + 1)
    heads = first[order]
    return Sites(
        row=whole.row[heads].astype(np.int64),
        col=whole.start[heads].astype(np.int64),
        cells=whole.cells[order],
        areas=whole.areas[order],
        around=whole.around[order],
        totals={
            name: Totals(*(values[order] for values in totals))
            for name, totals in whole.totals.items()
        },
        runs=Runs(label[whole.group], whole.row, whole.start, whole.stop),
        regions_found=whole.dropped + count,
    )


def fold(
    parts: list[Part],
    limits: Limits,
    seams: Seams,
    *,
    window: Window | None,
    borders: tuple[bool, ...],
) -> Part:
    """Make one tile of several.

    Parameters
    ----------
    parts
        Of the tiles, one or more; emptied, to have the memory back.
    limits
        What makes a group a site.
    seams
        Lines between the tiles.
    window
        Rows and columns of all of them; None if there are no other tiles.
    borders
        Whether other tiles lie above, below, to the left and to the right.

    Returns
    -------
    Part
        What is to be remembered of them.
    """
    counted = {
        name: sum(getattr(part, name) for part in parts)
        for name in ("looked", "eligible", "area", "dropped")
    }
    codes = {
        name: np.sum([part.codes[name] for part in parts], axis=0)
        for name in parts[0].codes
    }
    sizes = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("cells", "areas", "around")
    ]
    totals = [(len(part.cells), part.totals) for part in parts]
    group, row, start, stop = _all_runs(parts, ordered=not seams.columns)
    parent = unite(group, row, start, stop, sizes[2], limits, seams)
    found = kernels.number_roots(parent)
    sums = [np.zeros(found, np.int64) for _ in range(3)]
    for values, total in zip(sizes, sums, strict=True):
        kernels.gather(parent, values, total)
    kept = limits.met(*sums)
    if window is not None:
        at_border = _at_borders(row, start, stop, window, borders)
        kept[parent[group[at_border]]] = True
    number = np.where(kept, np.cumsum(kept) - 1, -1)[parent]
    counted["dropped"] += int(found - kept.sum())
    group, row, start, stop = _kept_runs(
        number.astype(np.int32)[group], row, start, stop
    )
    return Part(
        **counted,
        codes=codes,
        row=row,
        start=start,
        stop=stop,
        group=group,
        cells=sums[0][kept],
        areas=sums[1][kept],
        around=sums[2][kept],
        totals=_totals(totals, number, int(kept.sum())),
    )


def unite(
    group: Small,
    row: Small,
    start: Small,
    stop: Small,
    around: Ints,
    limits: Limits,
    seams: Seams,
) -> Ints:
    """Join groups over the lines between tiles.

    Parameters
    ----------
    group, row, start, stop
        Runs, in order: at least those that touch a line.
    around
        Perimeters of the groups; shrink by the edges that lie inside now.
    limits
        What makes a group a site.
    seams
        Lines between the tiles.

    Returns
    -------
    numpy.ndarray
        An earlier group for each that has been joined to one, itself for others.
    """
    parent = np.arange(len(around), dtype=np.int64)
    reach = int(limits.connectivity == 8)
    for seam in seams.rows:
        a, b, c = np.searchsorted(row, [seam - 1, seam, seam + 1])
        edge = limits.units.edge[seam]
        kernels.join_over_row(
            parent, group, start, stop, a, b, b, c, reach, edge, around
        )
    for seam in seams.columns:
        before, after = np.flatnonzero(stop == seam), np.flatnonzero(start == seam)
        height = limits.units.height
        kernels.join_over_column(
            parent, group, row, before, after, reach, height, around
        )
    return parent


def _at_borders(
    row: Small, start: Small, stop: Small, window: Window, borders: tuple[bool, ...]
) -> NDArray[np.bool_]:
    """Tell which runs touch a tile outside."""
    above, below, left, right = borders
    touch = np.zeros(len(row), np.bool_)
    if above:
        touch |= row == window.top
    if below:
        touch |= row == window.bottom - 1
    if left:
        touch |= start == window.left
    if right:
        touch |= stop == window.right
    return touch


def _all_runs(parts: list[Part], *, ordered: bool) -> tuple[Small, Small, Small, Small]:
    """Group, row, start and stop of the runs of all tiles, in order."""
    n = sum(len(part.row) for part in parts)
    group, row, start, stop = (np.empty(n, np.int32) for _ in range(4))
    at = groups = 0
    parts.reverse()
    while parts:
        part = parts.pop()
        here = slice(at, at + len(part.row))
        np.add(part.group, groups, out=group[here])
        row[here], start[here], stop[here] = part.row, part.start, part.stop
        at, groups = here.stop, groups + len(part.cells)
    if ordered:
        return group, row, start, stop
    order = np.lexsort((start, row))
    return group[order], row[order], start[order], stop[order]


def _totals(
    totals: Sequence[tuple[int, Mapping[str, Totals]]], number: Ints, groups: int
) -> dict[str, Totals]:
    """Totals of groups out of those of the groups of each tile."""
    sums = {
        name: empty_totals(groups, each.sums.shape[1])
        for name, each in totals[0][1].items()
    }
    at = 0
    for count, of_tile in totals:
        for name, total in sums.items():
            add_totals(number[at : at + count], of_tile[name], total)
        at += count
    return sums


def _kept_runs(
    group: Small, row: Small, start: Small, stop: Small
) -> tuple[Small, Small, Small, Small]:
    """Take the runs of groups from 0 on, made one where tiles had cut them."""
    cut = (row[1:] == row[:-1]) & (start[1:] == stop[:-1])
    first, last = group >= 0, group >= 0
    first[1:] &= ~cut
    last[:-1] &= ~cut
    return group[first], row[first], start[first], stop[last]

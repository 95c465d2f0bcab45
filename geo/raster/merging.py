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
    regions_found
        Connected groups of any size.
    """

    row: Ints
    col: Ints
    cells: Ints
    areas: Ints
    around: Ints
    totals: Mapping[str, Totals]
    regions_found: int


def labels_of(order: Ints) -> Small:
    """Return the label of each group, 1 for the first of an order."""
    label = np.empty(len(order), np.int32)
    label[order] = np.arange(1, len(order) + 1)
    return label


def sites_of(
    groups: Groups,
    order: Ints,
    *,
    row: Small | Ints,
    col: Small | Ints,
    regions_found: int,
) -> Sites:
    """Make sites of groups.

    Parameters
    ----------
    groups
        Sizes and totals of the sites.
    order
        The groups in the order in which they are first met.
    row, col
        First cell of each group.
    regions_found
        As :class:`Sites` has it.

    Returns
    -------
    Sites
        In that order.
    """
    mine = groups.take(order)
    return Sites(
        row=row[order].astype(np.int64),
        col=col[order].astype(np.int64),
        cells=mine.cells,
        areas=mine.areas,
        around=mine.around,
        totals=mine.totals,
        regions_found=regions_found,
    )


def fold(
    parts: list[Part],
    limits: Limits,
    seams: Seams,
    *,
    window: Window,
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
        Rows and columns of all of them.
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
    groups = Groups.of(parts)
    group, row, start, stop = _all_runs(parts, ordered=not seams.columns)
    parent = unite(group, row, start, stop, groups.around, limits, seams)
    going_on = np.zeros(len(parent), np.bool_)
    going_on[group[at_borders(row, start, stop, window, borders)]] = True
    number, groups, dropped = regroup(parent, groups, limits, going_on)
    counted["dropped"] += dropped
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
        cells=groups.cells,
        areas=groups.areas,
        around=groups.around,
        totals=groups.totals,
    )


class Groups(NamedTuple):
    """Sizes and totals of groups; arrays of shape ``(groups,)``."""

    cells: Ints
    areas: Ints
    around: Ints
    totals: Mapping[str, Totals]

    @classmethod
    def of(cls, parts: Sequence[Part | Groups]) -> Groups:
        """Put those of several tiles one after the other."""
        names = ("cells", "areas", "around")
        sizes = [np.concatenate([getattr(p, name) for p in parts]) for name in names]
        totals = {
            name: Totals(
                np.concatenate([p.totals[name].sums for p in parts]),
                np.concatenate([p.totals[name].bounds for p in parts]),
            )
            for name in parts[0].totals
        }
        cells, areas, around = sizes
        return cls(cells, areas, around, totals)

    @classmethod
    def none(cls, stretches: Mapping[str, int]) -> Groups:
        """No groups, with totals of so many stretches by the criterion's name."""
        totals = {name: empty_totals(0, count) for name, count in stretches.items()}
        cells, areas, around = (np.zeros(0, np.int64) for _ in range(3))
        return cls(cells, areas, around, totals)

    def take(self, index: NDArray[np.bool_] | Ints) -> Groups:
        """Take some of them, or all in another order."""
        totals = {
            name: Totals(each.sums[index], each.bounds[index])
            for name, each in self.totals.items()
        }
        return Groups(self.cells[index], self.areas[index], self.around[index], totals)


def regroup(
    parent: Ints, groups: Groups, limits: Limits, going_on: NDArray[np.bool_]
) -> tuple[Ints, Groups, int]:
    """Add up groups that are one, and forget those that are no sites.

    Parameters
    ----------
    parent
        As :func:`unite` gives it; used up.
    groups
        Sizes and totals.
    limits
        What makes a group a site.
    going_on
        Groups that may go on beyond a border.

    Returns
    -------
    number : numpy.ndarray
        New number of each group, -1 for those that are forgotten.
    groups : Groups
        The new ones.
    dropped : int
        How many were forgotten.
    """
    found = kernels.number_roots(parent)
    sums = [np.zeros(found, np.int64) for _ in range(3)]
    for values, total in zip(groups[:3], sums, strict=True):
        kernels.gather(parent, values, total)
    kept = limits.met(*sums)
    kept[parent[going_on]] = True
    number = np.where(kept, np.cumsum(kept) - 1, -1)[parent]
    totals = {}
    for name, of_groups in groups.totals.items():
        totals[name] = empty_totals(int(kept.sum()), of_groups.sums.shape[1])
        add_totals(number, of_groups, totals[name])
    cells, areas, around = (each[kept] for each in sums)
    return number, Groups(cells, areas, around, totals), int((~kept).sum())


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


def at_borders(
    row: Small, start: Small, stop: Small, window: Window, borders: tuple[bool, ...]
) -> NDArray[np.bool_]:
    """Tell which runs touch a tile outside.

    Parameters
    ----------
    row, start, stop
        Runs.
    window, borders
        As for :func:`fold`.

    Returns
    -------
    numpy.ndarray
        Shape of ``row``.
    """
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


def _kept_runs(
    group: Small, row: Small, start: Small, stop: Small
) -> tuple[Small, Small, Small, Small]:
    """Take the runs of groups from 0 on, made one where tiles had cut them.

    Parameters
    ----------
    group, row, start, stop
        Runs, in order.

    Returns
    -------
    group, row, start, stop : numpy.ndarray
        Fewer runs, in order.
    """
    cut = (row[1:] == row[:-1]) & (start[1:] == stop[:-1])
    first, last = group >= 0, group >= 0
    first[1:] &= ~cut
    last[:-1] &= ~cut
    return group[first], row[first], start[first], stop[last]

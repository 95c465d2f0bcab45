"""Groups of tiles made into sites.

Groups that meet at the borders of tiles are one. Everything about a site is a sum of
whole numbers, a least or a greatest value over the groups that it consists of, so the
order in which tiles come, and where they are cut, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.raster.found import Runs
from geo.raster.kernels import runs as kernels
from geo.raster.kernels.scores import Totals, add_totals
from geo.raster.tiles import empty_totals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from geo.raster.tiles import Limits, Part

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]


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


def merge(
    parts: list[Part],
    limits: Limits,
    *,
    row_seams: Sequence[int],
    column_seams: Sequence[int],
) -> Sites:
    """Make sites of the groups of tiles.

    Parameters
    ----------
    parts
        Of all tiles; emptied, to have the memory back.
    limits
        What makes a group a site.
    row_seams, column_seams
        First row of every tile but those at the top, and first column of every tile
        but those at the left.

    Returns
    -------
    Sites
        Those large and compact enough.
    """
    cells, areas, around = (
        np.concatenate([np.zeros(0, np.int64), *(getattr(p, name) for p in parts)])
        for name in ("cells", "areas", "around")
    )
    totals = [(len(part.cells), part.totals) for part in parts]
    dropped = sum(part.dropped for part in parts)
    group, row, start, stop = _all_runs(parts, ordered=not column_seams)
    parent = np.arange(len(cells), dtype=np.int64)
    reach = int(limits.connectivity == 8)
    for seam in row_seams:
        a, b, c = np.searchsorted(row, [seam - 1, seam, seam + 1])
        edge = limits.units.edge[seam]
        kernels.join_over_row(
            parent, group, start, stop, a, b, b, c, reach, edge, around
        )
    for seam in column_seams:
        before, after = np.flatnonzero(stop == seam), np.flatnonzero(start == seam)
        height = limits.units.height
        kernels.join_over_column(
            parent, group, row, before, after, reach, height, around
        )
    found = kernels.number_roots(parent)
    sums = [np.zeros(found, np.int64) for _ in range(3)]
    for values, total in zip((cells, areas, around), sums, strict=True):
        kernels.gather(parent, values, total)
    site, heads = _number(parent, limits.met(*sums), group)
    kept = site >= 0
    order = np.empty(len(heads), np.int64)
    order[site[kept]] = np.flatnonzero(kept)
    label = site[parent]
    return Sites(
        row=row[heads].astype(np.int64),
        col=start[heads].astype(np.int64),
        cells=sums[0][order],
        areas=sums[1][order],
        around=sums[2][order],
        totals=_totals(totals, label, len(heads)),
        runs=_site_runs(label.astype(np.int32)[group], row, start, stop),
        regions_found=dropped + found,
    )


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


def _number(parent: Ints, met: NDArray[np.bool_], group: Small) -> tuple[Ints, Ints]:
    """Find the first runs of the sites among the groups, and number these.

    Runs stand in order, so the first run of a site is where it is first met.
    """
    first = np.full(len(met), -1, np.int64)
    kernels.first_runs(parent, group, first)
    heads = np.sort(first[met])
    site = np.full(len(met), -1, np.int64)
    site[met] = np.searchsorted(heads, first[met])
    return site, heads


def _totals(
    totals: Sequence[tuple[int, Mapping[str, Totals]]], label: Ints, sites: int
) -> dict[str, Totals]:
    """Totals of sites out of those of the groups of each tile."""
    sums = {
        name: empty_totals(sites, each.sums.shape[1])
        for name, each in (totals[0][1] if totals else {}).items()
    }
    at = 0
    for groups, of_tile in totals:
        for name, total in sums.items():
            add_totals(label[at : at + groups], of_tile[name], total)
        at += groups
    return sums


def _site_runs(label: Small, row: Small, start: Small, stop: Small) -> Runs:
    """Take the runs of sites, made one where tiles had cut them."""
    cut = (row[1:] == row[:-1]) & (start[1:] == stop[:-1])
    ours = label >= 0
    first, last = ours.copy(), ours
    first[1:] &= ~cut
    last[:-1] &= ~cut
    return Runs(label[first] + 1, row[first], start[first], stop[last])

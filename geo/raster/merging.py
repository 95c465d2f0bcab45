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
    parts: Sequence[Part],
    limits: Limits,
    *,
    row_seams: Sequence[int],
    column_seams: Sequence[int],
) -> Sites:
    """Make sites of the groups of tiles.

    Parameters
    ----------
    parts
        Of all tiles, in order of row, then of column.
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
    group, row, start, stop = _all_runs(parts, ordered=not column_seams)
    cells, areas, around = (
        np.concatenate([np.zeros(0, np.int64), *(getattr(p, name) for p in parts)])
        for name in ("cells", "areas", "around")
    )
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
    dropped = sum(part.dropped for part in parts)
    return Sites(
        row=row[heads].astype(np.int64),
        col=start[heads].astype(np.int64),
        cells=sums[0][order],
        areas=sums[1][order],
        around=sums[2][order],
        totals=_totals(parts, label, len(heads)),
        runs=_site_runs(label[group], row, start, stop),
        regions_found=dropped + found,
    )


def _all_runs(
    parts: Sequence[Part], *, ordered: bool
) -> tuple[Ints, NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    """Group, row, start and stop of the runs of all tiles, in order."""
    n = sum(len(part.row) for part in parts)
    group = np.empty(n, np.int64)
    row, start, stop = (np.empty(n, np.int32) for _ in range(3))
    at = groups = 0
    for part in parts:
        here = slice(at, at + len(part.row))
        np.add(part.group, groups, out=group[here])
        row[here], start[here], stop[here] = part.row, part.start, part.stop
        at, groups = here.stop, groups + len(part.cells)
    if ordered:
        return group, row, start, stop
    order = np.lexsort((start, row))
    return group[order], row[order], start[order], stop[order]


def _number(parent: Ints, met: NDArray[np.bool_], group: Ints) -> tuple[Ints, Ints]:
    """Find the first runs of the sites among the groups, and number these.

    Runs stand in order, so the first run of a site is where it is first met.
    """
    first = np.full(len(met), -1, np.int64)
    kernels.first_runs(parent, group, first)
    heads = np.sort(first[met])
    site = np.full(len(met), -1, np.int64)
    site[met] = np.searchsorted(heads, first[met])
    return site, heads


def _totals(parts: Sequence[Part], label: Ints, sites: int) -> dict[str, Totals]:
    """Totals of sites out of those of their groups."""
    names = list(parts[0].totals) if parts else []
    sums = {
        name: empty_totals(sites, parts[0].totals[name].sums.shape[1]) for name in names
    }
    at = 0
    for part in parts:
        here = label[at : at + len(part.cells)]
        at += len(part.cells)
        for name in names:
            add_totals(here, part.totals[name], sums[name])
    return sums


def _site_runs(
    label: Ints,
    row: NDArray[np.int32],
    start: NDArray[np.int32],
    stop: NDArray[np.int32],
) -> Runs:
    """Take the runs of sites, made one where tiles had cut them."""
    mine = label >= 0
    label, row, start, stop = label[mine] + 1, row[mine], start[mine], stop[mine]
    cut = (row[1:] == row[:-1]) & (start[1:] == stop[:-1])
    first = np.concatenate([[True], ~cut])[: len(row)]
    last = np.concatenate([~cut, [True]])[: len(row)]
    return Runs(label[first], row[first], start[first], stop[last])

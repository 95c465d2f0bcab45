"""Groups that tiles leave open for the tiles after them.

Tiles come in order, down one panel after the other. Of what is done, the rest of a
search has to know the groups that touch a tile still to come, and their runs along that
border; a group that touches none is a site, or is forgotten, as soon as its last tile
is there. So what is held grows with the sites and the length of borders, never with the
cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.raster.kernels.runs import first_runs, join_over_column, join_over_row
from geo.raster.merging import Groups, at_borders, labels_of, regroup, sites_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.raster.merging import Sites
    from geo.raster.plan import Plan
    from geo.raster.sheets import Window
    from geo.raster.streaming import Layout
    from geo.raster.tiles import Part

    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]


class Tally(NamedTuple):
    """What was counted over tiles; as in :class:`geo.raster.tiles.Part`."""

    looked: int
    eligible: int
    area: int
    codes: Mapping[str, Ints]

    def with_part(self, part: Part) -> Tally:
        """Add what was counted in another tile."""
        return Tally(
            self.looked + part.looked,
            self.eligible + part.eligible,
            self.area + part.area,
            {name: n + self.codes.get(name, 0) for name, n in part.codes.items()},
        )


class Edge(NamedTuple):
    """Runs along a border; arrays of shape ``(n,)``."""

    group: Ints
    row: Small
    start: Small
    stop: Small

    @classmethod
    def of(cls, *edges: Edge) -> Edge:
        """Put runs one after the other."""
        if not edges:
            none = np.zeros(0, np.int32)
            return cls(np.zeros(0, np.int64), none, none, none)
        group = np.concatenate([edge.group for edge in edges])
        row, start, stop = (
            np.concatenate([edge[k] for edge in edges]) for k in (1, 2, 3)
        )
        return cls(group, row, start, stop)

    def some(self, index: NDArray[np.bool_]) -> Edge:
        """Take some of the runs."""
        return Edge(
            self.group[index], self.row[index], self.start[index], self.stop[index]
        )

    def renumbered(self, number: Ints) -> Edge:
        """Give groups their new numbers."""
        return self._replace(group=number[self.group])


class Front:
    """What is known of the tiles that are done.

    Parameters
    ----------
    plan, layout
        What is looked for, and how its cells are cut into tiles.
    """

    def __init__(self, plan: Plan, layout: Layout) -> None:
        self._layout, self._limits = layout, plan.limits
        self._width = plan.grid.shape[1]
        self._groups = Groups.none({rule.name: rule.stretches for rule in plan.rules})
        self._met = np.zeros(0, np.int64)
        # Each group that was open once has a name for good; of those that became one,
        # one name goes on.
        self._name = np.zeros(0, np.int64)
        self._names = 0
        self._links: list[tuple[Ints, Ints]] = []
        self._fates: list[tuple[Ints, Ints]] = []
        self._low, self._side, self._ahead = Edge.of(), Edge.of(), Edge.of()
        self._sites: list[tuple[Groups, Ints]] = []
        self._found = self._dropped = 0
        self._keys: dict[int, Ints] = {}
        self.tally = Tally(0, 0, 0, {})

    @property
    def held(self) -> int:
        """Bytes held for the sake of tiles to come."""
        edges = (*self._low, *self._side, *self._ahead)
        sizes = (self._groups.cells, self._groups.areas, self._groups.around)
        totals = [each for pair in self._groups.totals.values() for each in pair]
        arrays = (*edges, *sizes, *totals, self._met, self._name)
        return sum(each.nbytes for each in arrays)

    def add(self, number: int, part: Part | None) -> None:
        """Take in the next tile.

        Parameters
        ----------
        number
            Which one; each exactly once, in order.
        part
            What is to be remembered of it; None if there was nothing to look at.
        """
        window, borders = self._layout.window(number), self._layout.borders(number)
        strip, panel = self._layout.place(number)
        if strip == 0:
            self._side, self._ahead = self._ahead, Edge.of()
            self._low = Edge.of()
        edge = Edge.of()
        if part is not None:
            edge = self._take(number, part, window, borders)
        parent = np.arange(len(self._met), dtype=np.int64)
        if strip:
            self._join_rows(parent, edge.some(edge.row == window.top), window)
        if panel:
            self._join_columns(parent, edge.some(edge.start == window.left), window)
        _, below, _, right = borders
        self._low = edge.some(edge.row == window.bottom - 1) if below else Edge.of()
        if right:
            self._ahead = Edge.of(self._ahead, edge.some(edge.stop == window.right))
        reach = int(self._limits.connectivity == 8)
        last = self._side.row >= window.bottom - reach
        self._side = self._side.some(last) if below else Edge.of()
        self._close(parent)

    def _take(
        self,
        number: int,
        part: Part,
        window: Window,
        borders: tuple[bool, bool, bool, bool],
    ) -> Edge:
        """Put the open groups of a tile behind the others; its runs at borders."""
        self.tally = self.tally.with_part(part)
        self._dropped += part.dropped
        count = len(part.cells)
        touch = at_borders(part.row, part.start, part.stop, window, borders)
        open_ended = np.zeros(count, np.bool_)
        open_ended[part.group[touch]] = True
        first = np.empty(count, np.int64)
        first_runs(np.arange(count), part.group, first)
        met = part.row[first].astype(np.int64) * self._width + part.start[first]
        groups = Groups.of([part])
        keys = np.empty(count, np.int64)
        keys[~open_ended] = self._finish(groups.take(~open_ended), met[~open_ended])
        names = np.arange(self._names, self._names + int(open_ended.sum()))
        keys[open_ended] = -1 - names
        self._keys[number] = keys
        before = len(self._met)
        self._groups = Groups.of([self._groups, groups.take(open_ended)])
        self._met = np.concatenate([self._met, met[open_ended]])
        self._name = np.concatenate([self._name, names])
        self._names += len(names)
        place = np.cumsum(open_ended) - 1 + before
        return Edge(
            place[part.group[touch]],
            part.row[touch],
            part.start[touch],
            part.stop[touch],
        )

    def _finish(self, groups: Groups, met: Ints) -> Ints:
        """Make sites of groups that are whole; their keys."""
        keys = np.arange(self._found, self._found + len(met))
        if len(met):
            self._sites.append((groups, met))
            self._found += len(met)
        return keys

    def _join_rows(self, parent: Ints, edge: Edge, window: Window) -> None:
        """Join groups over the upper border of a tile."""
        runs, n = Edge.of(self._low, edge), len(self._low.row)
        join_over_row(
            parent,
            runs.group.astype(np.int32),
            runs.start,
            runs.stop,
            0,
            n,
            n,
            len(runs.row),
            int(self._limits.connectivity == 8),
            self._limits.units.edge[window.top],
            self._groups.around,
        )

    def _join_columns(self, parent: Ints, edge: Edge, window: Window) -> None:
        """Join groups over the left border of a tile."""
        reach = int(self._limits.connectivity == 8)
        near = self._side.row >= window.top - reach
        near &= self._side.row < window.bottom + reach
        side = self._side.some(near)
        runs, n = Edge.of(side, edge), len(side.row)
        join_over_column(
            parent,
            runs.group.astype(np.int32),
            runs.row,
            np.arange(n),
            np.arange(n, len(runs.row)),
            reach,
            self._limits.units.height,
            self._groups.around,
        )

    def _close(self, parent: Ints) -> None:
        """Part with the groups that no tile to come can touch."""
        open_ended = np.zeros(len(parent), np.bool_)
        for edge in (self._low, self._side, self._ahead):
            open_ended[edge.group] = True
        number, groups, dropped = regroup(
            parent, self._groups, self._limits, open_ended
        )
        self._dropped += dropped
        kept = number >= 0
        count = len(groups.cells)
        met = np.full(count, np.iinfo(np.int64).max)
        np.minimum.at(met, number[kept], self._met[kept])
        name = np.zeros(count, np.int64)
        name[number[kept]] = self._name[kept]
        old, new = self._name[kept], name[number[kept]]
        self._links.append((old[old != new], new[old != new]))
        going_on = np.zeros(count, np.bool_)
        going_on[number[open_ended]] = True
        keys = self._finish(groups.take(~going_on), met[~going_on])
        self._fates.append((name[~going_on], keys))
        place = np.append(np.cumsum(going_on) - 1, -1)[number]
        self._low, self._side, self._ahead = (
            edge.renumbered(place) for edge in (self._low, self._side, self._ahead)
        )
        self._groups = groups.take(going_on)
        self._met, self._name = met[going_on], name[going_on]

    def sites(self) -> tuple[Sites, dict[int, Small]]:
        """End the search, when all tiles are in.

        Returns
        -------
        sites : Sites
            In the order in which they are first met.
        labels : dict
            For each tile the label of each of its groups, 0 for those of no site.
        """
        groups = Groups.of([self._groups, *(each for each, _ in self._sites)])
        met = np.concatenate([self._met, *(each for _, each in self._sites)])
        order = np.argsort(met)
        sites = sites_of(
            groups,
            order,
            row=met // self._width,
            col=met % self._width,
            regions_found=self._dropped + len(met),
        )
        root = np.arange(self._names)
        for old, new in self._links:
            root[old] = new
        while not np.array_equal(after := root[root], root):
            root = after
        site = np.full(self._names, -1, np.int64)
        for names, keys in self._fates:
            site[names] = keys
        site = np.append(site[root], -1)
        label = np.append(labels_of(order), np.int32(0))
        return sites, {
            number: label[np.where(keys >= 0, keys, site[-1 - np.minimum(keys, 0)])]
            for number, keys in self._keys.items()
        }

"""Criteria made ready for tiles: what each looks at, and what it keeps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from geo.raster.kernels import keeps, scores, smooth, terrain
from geo.raster.kernels.scores import Curve, Stretches, Totals
from geo.raster.sources import Smooth, Source

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.raster.sheets import Window
    from geo.raster.suitability import Criterion

    Bools = NDArray[np.uint8]
    Ints = NDArray[np.int64]
    Scores = NDArray[np.float32]
    Floats = NDArray[np.float64]

Kind = Literal["values", "codes", "smooth", "slope", "aspect"]
"""Cell by cell; classes; from a coarse raster; terrain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One criterion, compiled.

    Attributes
    ----------
    name
        Id of the criterion.
    kind
        Where its measure comes from.
    source
        Raster of the measure, or of the elevation for terrain.
    low, high
        What is kept, in the measure, or in squared tangents for slope.
    checks
        Whether any cell can fail; False for a coarse field with a value everywhere
        and no bounds, and for distances, whose bounds are kept to elsewhere.
    codes, members
        Classes that are kept, in the type of the source, and their memberships.
    curve
        Membership of a number.
    weight
        Share of the score: weights over all criteria sum to 1.
    """

    name: str
    kind: Kind
    source: Source | Smooth
    low: float = -math.inf
    high: float = math.inf
    checks: bool = True
    codes: NDArray[Any]
    members: Floats
    curve: Curve
    weight: float

    @property
    def is_terrain(self) -> bool:
        """Whether a halo of elevations is needed."""
        return self.kind in {"slope", "aspect"}

    def keep(self, tile: Tile, rows: slice, mask: Bools) -> None:
        """Unmark the cells of some rows of a tile that the criterion excludes.

        Parameters
        ----------
        tile
            Values.
        rows
            Rows of the tile.
        mask
            1 where a cell counts, shape of those rows; changed.
        """
        if not self.checks:
            return
        bounds = self.low, self.high
        if self.kind == "codes":
            keeps.keep_codes(tile.values[self.name][rows], self.codes, mask)
        elif self.kind == "values":
            keeps.keep_range(tile.values[self.name][rows], *bounds, mask)
        elif self.kind == "smooth":
            raster, down, across = tile.smooth(self)
            some = type(down)(down.at[rows], down.part[rows])
            keeps.keep_smooth(raster, some, across, *bounds, mask)
        else:
            halo = tile.heights[rows.start : rows.stop + 2]
            kernel = keeps.keep_slope if self.kind == "slope" else keeps.keep_aspect
            kernel(halo, tile.dx_m[rows], tile.dy_m[rows], *bounds, mask)

    def add(self, tile: Tile, runs: Stretches, totals: Totals, score: Scores) -> None:
        """Add up the measure over the groups of a tile.

        Parameters
        ----------
        tile
            Values.
        runs
            Eligible cells, and the groups whose sums matter.
        totals
            Of those groups; grow.
        score
            Score of each cell of the tile, which grows; or of shape ``(0, 0)``.
        """
        if self.kind == "codes":
            if self.weight:
                values, codes = tile.values[self.name], self.codes
                scores.sum_codes(
                    values, codes, self.members, runs, self.weight, totals, score
                )
        elif self.kind == "values":
            values = tile.values[self.name]
            scores.sum_values(values, runs, self.curve, totals, score)
        elif isinstance(self.source, Smooth):
            raster, rows, columns = tile.smooth(self)
            left = tile.window.left
            across = self.source.across.part(left, left + tile.window.columns)
            field = (raster, rows, columns, across, self.source.scale)
            smooth.sum_smooth(*field, runs, self.curve, totals)
            if len(score):
                smooth.grade_smooth(*field, runs, self.curve, score)
        else:
            kernel = terrain.sum_slope if self.kind == "slope" else terrain.sum_aspect
            kernel(tile.heights, tile.dx_m, tile.dy_m, runs, self.curve, totals, score)

    @property
    def stretches(self) -> int:
        """Into how many sums the totals of a group are parted."""
        if self.kind == "codes":
            return len(self.codes)
        return len(self.curve.at) + 1 + (self.kind == "aspect")

    def mean(self, totals: Totals, cells: Ints) -> Floats:
        """Return the mean of the measure; of an aspect the mean direction.

        Parameters
        ----------
        totals
            Of sites.
        cells
            Their cells.

        Returns
        -------
        numpy.ndarray
            Shape ``(sites,)``.
        """
        if self.kind == "aspect":
            ways = totals.sums[:, -1, scores.HIGH :].astype(np.float64)
            return np.array([terrain.mean_direction(s, c) for s, c in ways])
        mean: Floats = self._values(totals).sum(axis=1) / cells
        return mean

    def member(self, totals: Totals, cells: Ints) -> Floats:
        """Return the mean of the membership.

        Parameters
        ----------
        totals, cells
            As for :meth:`mean`.

        Returns
        -------
        numpy.ndarray
            Shape ``(sites,)``. [1]
        """
        count = totals.sums[..., scores.COUNT].astype(np.float64)
        if self.kind == "codes":
            graded: Floats = count @ self.members / cells
            return graded
        at, rise = self.curve.at, self.curve.rise
        reached = self.curve.base + np.concatenate([[0.0], np.cumsum(rise)])
        total = count[:, 0] * reached[0] + count[:, len(at)] * reached[-1]
        values = self._values(totals)
        for k in range(len(rise)):
            beyond = values[:, k + 1] - count[:, k + 1] * at[k]
            total += count[:, k + 1] * reached[k]
            total += beyond * (rise[k] / (at[k + 1] - at[k]))
        if self.kind == "aspect":
            total += count[:, -1]
        clipped: Floats = np.clip(total / cells, 0.0, 1.0)
        return clipped

    def _values(self, totals: Totals) -> Floats:
        """Put the sums of the measure together out of their two numbers."""
        if isinstance(self.source, Smooth):
            low = 1.0 / (self.source.scale * 2.0**smooth.PLACE)
        else:
            low = 1.0 / (terrain.SLOPE if self.kind == "slope" else scores.FRACTION)
        carried = self.kind in {"smooth", "slope"}
        high = low * 2.0**scores.CARRY if carried else 1.0
        numbers = totals.sums.astype(np.float64)
        sums: Floats = numbers[..., scores.HIGH] * high + numbers[..., scores.LOW] * low
        return sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Values of a tile of the working grid.

    Attributes
    ----------
    window
        Its rows and columns.
    values
        Rasters by name, shape ``(rows, columns)``.
    heights
        Elevation with one cell more on each side; empty where no terrain is asked
        for. [m]
    dx_m, dy_m
        Width and height of the cells of each row. [m]
    """

    window: Window
    values: dict[str, NDArray[Any]]
    heights: NDArray[Any]
    dx_m: Floats
    dy_m: Floats

    def smooth(self, rule: Rule) -> tuple[Any, Any, Any]:
        """Return the coarse raster of a rule, and the places of this tile in it."""
        field = rule.source
        if not isinstance(field, Smooth):
            raise TypeError(
                f"{rule.name} is read cell by cell, not from a coarse field"
            )
        return (field.raster, *field.places(self.window))


def compile_rule(
    criterion: Criterion,
    source: Source | Smooth,
    *,
    kind: Kind,
    total: float,
    bounded: bool = True,
) -> Rule:
    """Compile a criterion.

    Parameters
    ----------
    criterion
        What to keep, and how to grade.
    source
        Raster of the measure.
    kind
        Where the measure comes from.
    total
        Sum of all weights.
    bounded
        Whether the rule keeps to the criterion's bounds; False if another does.

    Returns
    -------
    Rule
        Ready for tiles.
    """
    low, high = criterion.minimum, criterion.maximum
    if not bounded:
        low, high = -math.inf, math.inf
    if kind == "slope":
        low, high = _tan2(low), _tan2(high)
    free = low == -math.inf and high == math.inf
    checks = bounded and not (isinstance(source, Smooth) and source.complete and free)
    codes = np.array(
        sorted(code for code in criterion.classes if low <= code <= high),
        dtype=np.int64,
    )
    if kind == "codes" and isinstance(source, Source):
        if codes.size and codes[-1] > np.iinfo(source.dtype).max:
            codes = codes[codes <= np.iinfo(source.dtype).max]
        codes = codes.astype(source.dtype)
    weight = criterion.weight / total
    at, value = np.array(criterion.points).T if criterion.points else np.empty((2, 0))
    return Rule(
        name=criterion.id,
        kind=kind,
        source=source,
        low=low,
        high=high,
        checks=checks,
        codes=codes,
        members=np.array([criterion.classes[int(c)] for c in codes], dtype=np.float64),
        curve=Curve(
            np.ascontiguousarray(at, dtype=np.float64),
            np.diff(value).astype(np.float64),
            float(value[0]) if len(value) else 0.0,
            weight,
        ),
        weight=weight,
    )


def _tan2(slope_deg: float) -> float:
    """Squared tangent of a slope; of none below 0 or from 90 degrees on."""
    if slope_deg == -math.inf or slope_deg < 0:
        return -math.inf
    if slope_deg >= 90:
        return math.inf
    return math.tan(math.radians(slope_deg)) ** 2

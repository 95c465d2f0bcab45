"""A tree of geodesic balls, searched with Karney's distance itself.

Where places are so far away that their chords no longer tell which is nearest, or lie
near the antipodes, the geodesic distance decides, and the only thing that may be said
of it without evaluating it is the triangle inequality. It is enough: a ball whose
centre is s away and whose radius is ρ holds nothing nearer than s − ρ.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.geodesy import distance
from geo.kernels.chords import ROUNDING_M
from geo.kernels.curve import morton_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_CHILDREN = 16
_FRONTIER = 1 << 18


class Balls:
    """Balls round places, every sixteen of them in a larger one.

    Parameters
    ----------
    lonlat
        Centres, each a place of its feature, shape ``(p, 2)``. [degrees]
    radius_m
        Radii of balls that hold all of each item, shape ``(p,)``. [m]
    owner
        Feature that each item belongs to, shape ``(p,)``.
    """

    def __init__(self, lonlat: Floats, radius_m: Floats, owner: Ints) -> None:
        self._order = morton_order(lonlat)
        centre, radius = lonlat[self._order], radius_m[self._order]
        owner = owner[self._order]
        self._levels = [(centre, radius, owner)]
        while len(centre) > _CHILDREN:
            starts = np.arange(0, len(centre), _CHILDREN)
            middle = np.minimum(starts + _CHILDREN // 2, len(centre) - 1)
            parent = np.arange(len(centre)) // _CHILDREN
            there = distance(*centre[middle[parent]].T, *centre.T)
            radius = np.maximum.reduceat(there + radius + ROUNDING_M, starts)
            centre, owner = centre[middle], owner[middle]
            self._levels.append((centre, radius, owner))

    def near(
        self, lonlat: Floats, k: int, *, within_m: Floats, slack_m: float = 0.0
    ) -> tuple[Ints, Ints]:
        """Find all items that may be among the k nearest features of each place.

        Parameters
        ----------
        lonlat
            Places, shape ``(n, 2)``. [degrees]
        k
            How many features are asked for.
        within_m
            Nothing farther than this is needed, shape ``(n,)``; may be infinite. [m]
        slack_m
            How much farther than the k-th feature an item may be. [m]

        Returns
        -------
        i, item : numpy.ndarray
            Rows of ``lonlat``, rising, and of the balls: all whose nearest place may
            be no farther than the k-th feature and the slack.
        """
        if not len(lonlat):
            return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
        width = len(self._levels[-1][0])
        row = np.repeat(np.arange(len(lonlat)), width)
        node = np.tile(np.arange(width), len(lonlat))
        bound = within_m.astype(np.float64)
        for level in range(len(self._levels) - 1, -1, -1):
            if len(row) > _FRONTIER and len(lonlat) > 1:
                half = len(lonlat) // 2
                i0, j0 = self.near(
                    lonlat[:half], k, within_m=bound[:half], slack_m=slack_m
                )
                i1, j1 = self.near(
                    lonlat[half:], k, within_m=bound[half:], slack_m=slack_m
                )
                return np.concatenate([i0, i1 + half]), np.concatenate([j0, j1])
            centre, radius, owner = self._levels[level]
            there = distance(*lonlat[row].T, *centre[node].T)
            np.minimum(bound, _kth(row, owner[node], there, k, len(bound)), out=bound)
            kept = there - radius[node] <= bound[row] + slack_m + ROUNDING_M
            row, node = row[kept], node[kept]
            if level:
                below = len(self._levels[level - 1][0])
                row = np.repeat(row, _CHILDREN)
                node = (node[:, None] * _CHILDREN + np.arange(_CHILDREN)).ravel()
                row, node = row[node < below], node[node < below]
        return row, self._order[node]


def _kth(row: Ints, owner: Ints, away_m: Floats, k: int, n: int) -> Floats:
    """Distance of the k-th nearest owner of each row; infinite where fewer are seen."""
    kth = np.full(n, np.inf)
    if k == 1:
        np.minimum.at(kth, row, away_m)
        return kth
    order = np.lexsort((away_m, owner, row))
    row, owner, away_m = row[order], owner[order], away_m[order]
    first = np.ones(len(row), dtype=bool)
    first[1:] = (row[1:] != row[:-1]) | (owner[1:] != owner[:-1])
    row, away_m = row[first], away_m[first]
    order = np.lexsort((away_m, row))
    row, away_m = row[order], away_m[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    kth[row[rank == k - 1]] = away_m[rank == k - 1]
    return kth

"""Distances from points to lines, found by trying: the judge of the fast ones.

An edge is straight in longitude and latitude. The least geodesic distance to it is
found by sampling it densely and then narrowing the best stretch by golden sections,
down to about a nanometre. Which edges are worth that is told by a plane through the
point: over the few kilometres that matter it errs by far less than the 1 % and 1 m
that it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

SAMPLES = 17
GOLDEN = (5**0.5 - 1) / 2
SECTIONS = 50
MARGIN, MARGIN_M = 1.01, 1.0
CHUNK = 20_000


class Lines:
    """Lines as their edges, measured from points."""

    def __init__(
        self,
        shapes: NDArray[np.object_],
        geodesic_m: Callable[[Floats, Floats], Floats],
    ) -> None:
        import shapely

        lonlat, line = shapely.get_coordinates(shapes, return_index=True)
        same = line[1:] == line[:-1]
        self.start, self.end = lonlat[:-1][same], lonlat[1:][same]
        self.first = np.searchsorted(line[:-1][same], np.arange(len(shapes) + 1))
        self.geodesic_m = geodesic_m

    def nearest_m(self, places: Floats) -> Floats:
        """Distance of each place to the nearest line: no edge is left out unseen.

        The edge that is nearest in degrees bounds the distance; every edge that meets
        the box of that half-width (and 2 % more) is then tried.
        """
        import shapely

        tree = shapely.STRtree(
            shapely.linestrings(np.stack([self.start, self.end], axis=1))
        )
        best = self._along(places, tree.nearest(shapely.points(places)))
        half = 1.02 * (best[:, None] + MARGIN_M) / _metres_per_degree(places[:, 1])
        i, edge = tree.query(shapely.box(*(places - half).T, *(places + half).T))
        close = self._planar_m(places[i], edge) <= MARGIN * best[i] + MARGIN_M
        i, edge = i[close], edge[close]
        np.minimum.at(best, i, self._along(places[i], edge))
        return best

    def nearest_of_all_m(self, place: Floats) -> float:
        """The same for one place, with every edge looked at."""
        edges = np.arange(len(self.start))
        return float(self._best(np.tile(place, (len(edges), 1)), edges, edges * 0)[0])

    def distance_m(self, places: Floats, line: Ints) -> Floats:
        """Distance of each place to the line of that row."""
        parts = [np.empty(0)]
        for begin in range(0, len(places), CHUNK):
            rows = slice(begin, begin + CHUNK)
            count = np.diff(self.first)[line[rows]]
            group = np.repeat(np.arange(len(count)), count)
            step = np.arange(len(group)) - np.repeat(np.cumsum(count) - count, count)
            edge = self.first[line[rows]][group] + step
            parts.append(self._best(places[rows][group], edge, group))
        return np.concatenate(parts)

    def _best(self, places: Floats, edge: Ints, group: Ints) -> Floats:
        """Least distance in each group of places and edges."""
        planar = self._planar_m(places, edge)
        least = np.full(group.max(initial=-1) + 1, np.inf)
        np.minimum.at(least, group, planar)
        close = planar <= MARGIN * least[group] + MARGIN_M
        best = np.full(len(least), np.inf)
        np.minimum.at(best, group[close], self._along(places[close], edge[close]))
        return best

    def _planar_m(self, places: Floats, edge: Ints) -> Floats:
        """Distance in the plane that touches at the place, roughly."""
        scale = _metres_per_degree(places[:, 1])
        start = (self.start[edge] - places) * scale
        along = (self.end[edge] - places) * scale - start
        length = np.maximum((along**2).sum(axis=1), 1e-12)
        part = np.clip(-(start * along).sum(axis=1) / length, 0, 1)
        return np.hypot(*(start + part[:, None] * along).T)

    def _along(self, places: Floats, edge: Ints) -> Floats:
        """Least geodesic distance to any place on the edge."""
        start, along = self.start[edge], self.end[edge] - self.start[edge]

        def at(part: Floats) -> Floats:
            return self.geodesic_m(places, start + part[:, None] * along)

        tries = np.stack([at(np.full(len(edge), p)) for p in _parts()])
        middle = _parts()[tries.argmin(axis=0)] if len(edge) else np.empty(0)
        low = np.maximum(middle - 1 / (SAMPLES - 1), 0)
        high = np.minimum(middle + 1 / (SAMPLES - 1), 1)
        inner, outer = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
        d_inner, d_outer = at(inner), at(outer)
        best = np.minimum(tries.min(axis=0), np.minimum(d_inner, d_outer))
        for _ in range(SECTIONS):
            left = d_inner < d_outer
            low, high = np.where(left, low, inner), np.where(left, outer, high)
            fresh = np.where(
                left, high - GOLDEN * (high - low), low + GOLDEN * (high - low)
            )
            d_fresh = at(fresh)
            inner, outer = np.where(left, fresh, outer), np.where(left, inner, fresh)
            d_inner, d_outer = (
                np.where(left, d_fresh, d_outer),
                np.where(left, d_inner, d_fresh),
            )
            best = np.minimum(best, d_fresh)
        return best


def _parts() -> Floats:
    return np.linspace(0, 1, SAMPLES)


def _metres_per_degree(lat: Floats) -> Floats:
    """Length of a degree of longitude and of latitude, shape ``(n, 2)``. [m]"""
    semi_major, squared = 6_378_137.0, 0.006_694_379_990_141_3
    phi = np.radians(lat)
    root = np.sqrt(1 - squared * np.sin(phi) ** 2)
    east = semi_major / root * np.cos(phi)
    north = semi_major * (1 - squared) / root**3
    return np.radians(np.column_stack([east, north]))

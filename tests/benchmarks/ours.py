"""Lodemap's own joins: the pairs of rows, and the public call with its whole frame.

A call for pairs starts, as every engine's, from the loaded layers: taking the
coordinates out of the geometry column is part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from data import read
from engines import Engine, Place

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from engines import Arrays, Join

OURS = "Lodemap"
FRAME = "Lodemap, whole frame"
UNCERTAIN = "Lodemap, uncertain"
UNCERTAIN_FRAME = "Lodemap, uncertain, whole frame"
FLOOR = "floor: coordinates read once"


def coordinates(gdf: gpd.GeoDataFrame) -> np.ndarray:
    import shapely

    return shapely.get_coordinates(gdf.geometry.to_numpy())


def floor(left: str, right: str) -> Engine:
    """The least that anything which starts from a geometry column has to do."""

    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        coordinates(a)
        coordinates(b)
        return np.empty(0, dtype=int), np.empty(0, dtype=int)

    return _engine(FLOOR, question, left, right)


def within(left: str, right: str) -> Engine:
    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        from geo.kernels.predicates import polygons_holding

        found = polygons_holding(
            coordinates(a), np.zeros(len(a)), b.geometry.to_numpy(), np.zeros(len(b))
        )
        return found.i, found.j

    return _engine(OURS, question, left, right)


def intersects(left: str, right: str) -> Engine:
    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        from geo.kernels.predicates import intersecting

        i, j = intersecting(a.geometry.to_numpy(), b.geometry.to_numpy())
        return i, j

    return _engine(OURS, question, left, right)


def nearest(left: str, right: str) -> Engine:
    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        from geo.kernels.pairs import nearest_points

        found = nearest_points(coordinates(a), coordinates(b), 1)
        return found.i, found.j, found.distance_m

    return _engine(OURS, question, left, right, measures="ellipsoid")


def nearest_shapes(left: str, right: str) -> Engine:
    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        from geo.kernels.segments import nearest_shapes

        found = nearest_shapes(a.geometry.to_numpy(), b.geometry.to_numpy(), 1)
        return found.i, found.j, found.distance_m

    return _engine(OURS, question, left, right, measures="ellipsoid")


def within_distance(left: str, right: str, distance_m: float) -> Engine:
    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        from geo.kernels.pairs import points_within

        reach = np.full(len(a), distance_m)
        found = points_within(coordinates(a), coordinates(b), reach)
        return found.i, found.j, found.distance_m

    return _engine(OURS, question, left, right, measures="ellipsoid")


def whole_frame(call: str, left: str, right: str, *arguments: float) -> Engine:
    """The public function of that name, with every column that it adds."""

    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        import geo

        return getattr(geo, call)(a, b, *arguments)

    measures = "" if call in ("within", "intersects") else "ellipsoid"
    return _engine(FRAME, question, left, right, measures=measures, about_s=10)


def uncertain_within(left: str, right: str) -> Engine:
    """Points that are discs, with the probability that they lie in each polygon."""

    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> Arrays:
        from geo.kernels.containment import contain_points

        radius = a["uncertainty_m"].to_numpy()
        found = contain_points(
            coordinates(a), radius, b.geometry.to_numpy(), np.zeros(len(b))
        )
        return found.i, found.j, found.probability

    return _engine(UNCERTAIN, question, left, right, uncertain=True)


def uncertain_frame(left: str, right: str) -> Engine:
    def question(a: gpd.GeoDataFrame, b: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        import geo

        return geo.within(a, b)

    return _engine(UNCERTAIN_FRAME, question, left, right, uncertain=True)


def _engine(
    name: str,
    question: Callable[[gpd.GeoDataFrame, gpd.GeoDataFrame], Any],
    left: str,
    right: str,
    *,
    measures: str = "",
    about_s: float = 4,
    uncertain: bool = False,
) -> Engine:
    def load(place: Place) -> Join:
        a = read(place.folder, left, ("radius_m",) if uncertain else ())
        a = a.rename(columns={"radius_m": "uncertainty_m"})
        b = read(place.folder, right)
        return lambda: question(a, b)

    return Engine(name=name, load=load, measures=measures, about_s=about_s)

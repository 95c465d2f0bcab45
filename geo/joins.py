"""Spatial joins on the ellipsoid that carry how well each place is known.

All of them take and return :class:`geopandas.GeoDataFrame` in EPSG:4326. A feature's
``uncertainty_m`` and a polygon's ``boundary_uncertainty_m`` are read where the columns
exist; a missing column or value means 0, and with zeros everywhere each function gives
what the certain join gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.containment import contain_areas, contain_points
from geo.crs import require_lonlat
from geo.errors import ColumnError, GeometryError, GeometryTypeError
from geo.geodesy import distance, inverse
from geo.pairs import nearest_pairs, pairs_within
from geo.uncertainty import chance_of_nearest, chance_within_distance, uncertainties

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]


def within(left: gpd.GeoDataFrame, polygons: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Join each feature to the polygons that it lies in, or may lie in.

    Parameters
    ----------
    left
        Points or polygons in EPSG:4326, shape ``(n,)``. ``uncertainty_m`` is the
        radius round a point, or how far a polygon may be displaced. [m]
    polygons
        Polygons in EPSG:4326, shape ``(m,)``, edges straight in longitude and
        latitude. ``boundary_uncertainty_m`` is how far the outline may be off. [m]

    Returns
    -------
    geopandas.GeoDataFrame
        Rows of ``left`` with its index (repeated where it may lie in several
        polygons, absent where it lies in none), most probable first within a row;
        ``index_right``; the columns of ``polygons`` (names that both have get
        ``_left`` and ``_right``); ``relation``, ``certain`` or ``possible``; and
        ``probability``. For a point: the chance that it truly lies in the polygon.
        For a polygon: the expected share of its area that does.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326, holds an empty or invalid geometry, or the
        uncertainty of a point reaches a pole.
    GeometryTypeError
        If ``left`` holds lines, or ``polygons`` anything but polygons.
    ColumnError
        If an uncertainty is not a length, or a column of the result is there already.

    Notes
    -----
    The probability is the area of disc and polygon in common over the area of the
    disc, mixed over the displacement of the outline; both are measured on the
    ellipsoid. A disc is drawn with 360 corners, which leaves an error of about 1e-4.
    A polygon is displaced over 96 evenly spread offsets; it is certain to be inside
    when it still is after widening by the full reach (and up to two per cent more).
    Without any uncertainty (less than a millimetre) a point is joined when
    ``polygon.contains(point)``, and a polygon's share is exact.

    References
    ----------
    See :mod:`geo.uncertainty`.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point, box
    >>> lease = gpd.GeoDataFrame({"block": [7]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    >>> mine = gpd.GeoDataFrame(
    ...     {"uncertainty_m": [5_000]}, geometry=[Point(1, 0.5)], crs=4326
    ... )
    >>> within(mine, lease)[["block", "relation", "probability"]].values.tolist()
    [[7, 'possible', 0.50]]
    """
    require_lonlat(left, "left")
    require_lonlat(polygons, "polygons")
    _require_kinds(left, "left", {"Point", "Polygon", "MultiPolygon"})
    _require_kinds(polygons, "polygons", {"Polygon", "MultiPolygon"})
    _require_valid(left, "left")
    _require_valid(polygons, "polygons")
    radius = uncertainties(left, "left", "uncertainty_m")
    boundary = uncertainties(polygons, "polygons", "boundary_uncertainty_m")

    is_point = left.geometry.geom_type.eq("Point").to_numpy()
    shapes, outlines = left.geometry.to_numpy(), polygons.geometry.to_numpy()
    points, areas = np.flatnonzero(is_point), np.flatnonzero(~is_point)
    found = contain_points(shapes[points], radius[points], outlines, boundary)
    meets = contain_areas(shapes[areas], radius[areas], outlines, boundary)
    i = np.concatenate([points[found.i], areas[meets.i]])
    j = np.concatenate([found.j, meets.j])
    probability = np.concatenate([found.probability, meets.probability])
    certain = np.concatenate([found.certain, meets.certain])

    order = np.lexsort((j, -probability, i))
    joined = _pair(left, polygons, i[order], j[order])
    joined["relation"] = np.where(certain[order], "certain", "possible")
    joined["probability"] = probability[order]
    return joined


def nearest(
    left: gpd.GeoDataFrame,
    right: gpd.GeoDataFrame,
    *,
    k: int = 1,
    max_distance_m: float | None = None,
) -> gpd.GeoDataFrame:
    """Join each point to its k nearest points on the ellipsoid.

    Parameters
    ----------
    left, right
        Points in EPSG:4326, shapes ``(n,)`` and ``(m,)``; areas become points with
        :func:`geo.uncertainty.point_radius`. ``uncertainty_m`` is read on both. [m]
    k
        How many neighbours; fewer where ``right`` has fewer.
    max_distance_m
        Leave out neighbours whose ``distance_m`` is longer. [m]

    Returns
    -------
    geopandas.GeoDataFrame
        Rows of ``left`` with its index, nearest first within a row, ties in the order
        of ``right``; ``index_right``; the columns of ``right`` (names that both have
        get ``_left`` and ``_right``); ``distance_m`` between the points and
        ``azimuth_deg`` from left to right; the bounds ``distance_min_m`` and
        ``distance_max_m`` between which the true distance lies; and ``probability``,
        the chance that this one is truly the nearest of all of ``right``.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326 or holds an empty geometry; if ``k`` is below 1.
    GeometryTypeError
        If a side holds anything but points.
    ColumnError
        If an uncertainty is not a length, or a column of the result is there already.

    Notes
    -----
    A k-d tree over unit vectors yields candidates; Karney's inverse solution ranks
    them. The widest and the narrowest radius of curvature differ by the factor
    ``(1 - e²) ** -1.5``, so widening the k-th hit's angle by that factor cannot miss
    a nearer one. Probabilities come from 4,096 joint low-discrepancy draws, the same
    every time (see :func:`geo.uncertainty.sample_discs`); features that the bounds
    rule out are not drawn.

    References
    ----------
    .. [1] C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87, 43-55, 2013.
       https://doi.org/10.1007/s00190-012-0578-z

    Examples
    --------
    Fiji's nearest port to a mine just across the 180th meridian:

    >>> import geopandas as gpd
    >>> mines = gpd.GeoDataFrame(geometry=gpd.points_from_xy([179.9], [-17]), crs=4326)
    >>> ports = gpd.GeoDataFrame(
    ...     geometry=gpd.points_from_xy([178.4, -179.9], [-18.1, -17]), crs=4326
    ... )
    >>> nearest(mines, ports)[["index_right", "distance_m"]].round(0).values.tolist()
    [[1.0, 21297.0]]
    """
    if k < 1:
        raise GeometryError(f"k is {k}; expected 1 or more")
    lonlat, radius = _points(left, "left")
    others, other_radius = _points(right, "right")
    i, j = nearest_pairs(lonlat, others, min(k, len(others)))
    joined = _measured(left, right, i, j)
    joined["probability"] = _nearest_probability(
        (lonlat, radius), (others, other_radius), i, j
    )
    if max_distance_m is None:
        return joined
    return joined[joined["distance_m"] <= max_distance_m]


def within_distance(
    left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, distance_m: float
) -> gpd.GeoDataFrame:
    """Join each point to all points that lie, or may lie, within a distance.

    Parameters
    ----------
    left, right
        Points in EPSG:4326, shapes ``(n,)`` and ``(m,)``. ``uncertainty_m`` is read
        on both. [m]
    distance_m
        Longest true distance. [m]

    Returns
    -------
    geopandas.GeoDataFrame
        As :func:`nearest`, by rising ``distance_m`` within a row of ``left``, with
        ``relation`` (``certain`` when even ``distance_max_m`` is within the limit,
        else ``possible``) and ``probability`` that the true distance is.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326 or holds an empty geometry; if the distance is
        negative or not finite.
    GeometryTypeError
        If a side holds anything but points.
    ColumnError
        If an uncertainty is not a length, or a column of the result is there already.

    Examples
    --------
    >>> import geopandas as gpd
    >>> port = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0], [0]), crs=4326)
    >>> mine = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0.1], [0]), crs=4326)
    >>> mine["uncertainty_m"] = 2_000
    >>> within_distance(port, mine, 12_000)[["relation", "distance_m"]].values.tolist()
    [['possible', 11131.9...]]
    """
    if not (distance_m >= 0 and np.isfinite(distance_m)):
        raise GeometryError(f"distance_m is {distance_m}; expected a length [m]")
    lonlat, radius = _points(left, "left")
    others, other_radius = _points(right, "right")
    i, j = pairs_within(
        lonlat, others, distance_m + radius + other_radius.max(initial=0.0)
    )
    d, slack = distance(*lonlat[i].T, *others[j].T), radius[i] + other_radius[j]
    order = np.lexsort((j, d, i))
    order = order[(d - slack <= distance_m)[order]]
    i, j, certain = i[order], j[order], (d + slack <= distance_m)[order]
    joined = _measured(left, right, i, j)
    joined["relation"] = np.where(certain, "certain", "possible")
    joined["probability"] = [
        1.0
        if sure
        else chance_within_distance(
            lonlat[a], others[b], np.array([radius[a], other_radius[b]]), distance_m
        )
        for a, b, sure in zip(i, j, certain, strict=True)
    ]
    return joined


def _nearest_probability(
    left: tuple[Floats, Floats], right: tuple[Floats, Floats], i: Ints, j: Ints
) -> Floats:
    """Chance of each pair ``i, j``, sorted by ``i``, to be truly the nearest one."""
    (lonlat, radius), (others, other_radius) = left, right
    chance = np.zeros(len(i))
    if not len(i):
        return chance
    rows, first = np.unique(i, return_index=True)
    upper = distance(*lonlat.T, *others[j[first]].T) + radius + other_radius[j[first]]
    reach = upper + radius + other_radius.max()
    a, b = pairs_within(lonlat, others, reach)
    d, slack = distance(*lonlat[a].T, *others[b].T), radius[a] + other_radius[b]
    np.minimum.at(upper, a, d + slack)
    order = np.lexsort((b, d, a))
    order = order[(d - slack <= upper[a])[order]]
    a, b = a[order], b[order]
    starts = np.searchsorted(a, np.append(rows, len(lonlat)))
    pairs = np.append(first, len(i))
    for n, row in enumerate(rows):
        rivals = b[starts[n] : starts[n + 1]]
        here = slice(pairs[n], pairs[n + 1])
        wins = np.zeros(len(others))
        if radius[row] == 0 and not other_radius[rivals].any():
            wins[rivals[0]] = 1.0
        else:
            wins[rivals] = chance_of_nearest(
                lonlat[row], radius[row], others[rivals], other_radius[rivals]
            )
        chance[here] = wins[j[here]]
    return chance


def _measured(
    left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, i: Ints, j: Ints
) -> gpd.GeoDataFrame:
    """Pair two layers of points and measure from left to right."""
    lonlat, radius = _points(left, "left")
    others, other_radius = _points(right, "right")
    between = inverse(*lonlat[i].T, *others[j].T)
    slack = radius[i] + other_radius[j]
    joined = _pair(left, right, i, j)
    joined["distance_m"] = between.distance_m
    joined["distance_min_m"] = np.maximum(between.distance_m - slack, 0.0)
    joined["distance_max_m"] = between.distance_m + slack
    joined["azimuth_deg"] = between.azimuth_deg
    return joined


def _pair(
    left: gpd.GeoDataFrame, right: gpd.GeoDataFrame, i: Ints, j: Ints
) -> gpd.GeoDataFrame:
    """Rows ``i`` of left beside rows ``j`` of right, left's index and geometry kept."""
    fields = right.drop(columns=right.geometry.name)
    shared = set(fields.columns) & set(left.columns)
    names = {c: f"{c}_right" if c in shared else str(c) for c in fields.columns}
    _require_room(left, "left", [*names.values(), *_RESULT])
    _require_room(fields, "right", _RESULT)
    mine = shared - {left.geometry.name}
    joined = left.take(i).rename(columns={c: f"{c}_left" for c in mine})
    joined["index_right"] = right.index.take(j)
    for column, name in names.items():
        joined[name] = fields[column].array.take(j)
    return joined


_RESULT = (
    *("index_right", "relation", "probability", "azimuth_deg"),
    *("distance_m", "distance_min_m", "distance_max_m"),
)
"""Columns that a join may add."""


def _require_room(
    gdf: gpd.GeoDataFrame | pd.DataFrame, name: str, added: Iterable[str]
) -> None:
    """Refuse a layer that has a column which the join would write over."""
    if not gdf.columns.is_unique:
        twice = gdf.columns[gdf.columns.duplicated()][0]
        raise ColumnError(f"{name} has the column {twice!r} twice; rename one")
    taken = [column for column in added if column in gdf]
    if taken:
        raise ColumnError(
            f"{name} already has {', '.join(taken)}, which the join adds; rename "
            f"first: {name}.rename(columns={{{taken[0]!r}: …}})"
        )


def _points(gdf: gpd.GeoDataFrame, name: str) -> tuple[Floats, Floats]:
    """Longitude and latitude, shape ``(n, 2)``, and radii, shape ``(n,)``."""
    import shapely

    require_lonlat(gdf, name)
    _require_kinds(gdf, name, {"Point"})
    lonlat = shapely.get_coordinates(gdf.geometry.to_numpy())
    return lonlat, uncertainties(gdf, name, "uncertainty_m")


def _require_valid(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse polygons that cross themselves, naming the first."""
    from shapely import is_valid_reason

    wrong = ~gdf.geometry.is_valid
    if wrong.any():
        row = gdf.index[int(wrong.to_numpy().argmax())]
        reason = is_valid_reason(gdf.geometry[wrong].iloc[0])
        raise GeometryError(
            f"{name}, row {row}: the geometry is invalid ({reason}). Mend it first: "
            f"{name}.make_valid()"
        )


def _require_kinds(gdf: gpd.GeoDataFrame, name: str, kinds: set[str]) -> None:
    """Refuse geometries of another kind, naming the first."""
    found = gdf.geometry.geom_type
    other = ~found.isin(kinds)
    if other.any():
        expected = " or ".join(sorted(kinds))
        mend = (
            "; geo.point_radius turns areas into points with a radius"
            if kinds == {"Point"}
            else ""
        )
        raise GeometryTypeError(
            f"{name}, row {found[other].index[0]}: a "
            f"{found[other].iloc[0]}; expected {expected}{mend}"
        )

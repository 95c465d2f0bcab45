"""Spatial joins on the ellipsoid that carry how well each place is known.

All of them take and return :class:`geopandas.GeoDataFrame` in EPSG:4326. A feature's
``uncertainty_m`` and an outline's ``boundary_uncertainty_m`` are read where the columns
exist; a missing column or value means 0, and with zeros everywhere each function gives
what the certain join gives.

Edges of lines and polygons are straight in longitude and latitude, as GeoJSON,
GeoPackage and GEOS have them; ``edges="geodesic"`` takes them as geodesics instead, to
a millimetre.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GeometryError
from geo.matches import How, Layout, relation
from geo.parallel import Steps
from geo.sides import (
    AREAS,
    LINES,
    POINT,
    EdgeKind,
    Side,
    require_count,
    require_length,
    side,
)
from geo.uncertainty import uncertainties

if TYPE_CHECKING:
    from typing import Any

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.kernels.containment import Containment
    from geo.kernels.pairs import Found, Ties
    from geo.parallel import Progress

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Part = tuple[Ints, Ints, Containment]
    """Rows of left and of right, and what was found among them."""


def within(
    left: gpd.GeoDataFrame,
    right: gpd.GeoDataFrame,
    *,
    how: How = "inner",
    edges: EdgeKind = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Join each feature to those that it lies in, or may lie in.

    Parameters
    ----------
    left
        Points, lines or polygons in EPSG:4326, shape ``(n,)``. ``uncertainty_m`` is the
        radius round a point, or how far another feature may be displaced. [m]
    right
        Points, lines and polygons in EPSG:4326, shape ``(m,)``.
        ``boundary_uncertainty_m`` is how far the outline may be off; of a point or
        line also ``uncertainty_m``, the larger of the two. A polygon's
        ``uncertainty_m`` is checked, but means nothing here. [m]
    how
        ``inner`` leaves out rows of ``left`` without a match; ``left`` keeps them.
    edges
        Whether edges are ``straight`` in longitude and latitude or ``geodesic``.
    lsuffix, rsuffix
        What names that both sides have get, after an underscore.
    progress
        Called with the rows done and all rows. An error that it raises stops the work.

    Returns
    -------
    geopandas.GeoDataFrame
        Rows of ``left`` with its index (repeated where it may lie in several
        features), most probable first within a row, equal ones in the order of
        ``right``; ``index_right``, whatever the index of ``right`` is called, or
        ``index_right0``, ``index_right1`` … where it has several levels; the columns of
        ``right``; ``relation``, ``certain`` or ``possible``; and ``probability``.
        For a point: the chance that it truly lies in the feature. For a line or
        polygon: the expected share of its length or area that does.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326, holds an empty or invalid geometry, or an edge
        that cannot be a geodesic; if both sides hold lines and ``edges`` is
        ``geodesic``.
    GeometryTypeError
        If ``left`` holds several points in a row, or a side a collection.
    ColumnError
        If an uncertainty is not a length, an index label occurs twice, or two things
        in the result would have one name.

    Notes
    -----
    **In a polygon** the probability is the area of disc and polygon in common over the
    area of the disc, mixed over the displacement of the outline; see
    :mod:`geo.kernels.containment`. A pair is certain when no displacement leads
    outside. Without any uncertainty (less than a millimetre) a point is joined exactly
    when ``polygon.contains(point)``: orientations are decided by error-free arithmetic
    where rounding could matter. So is it whether a polygon covers a line or polygon:
    ``certain`` where ``shapely.within`` is true or would be if GEOS did not round, on
    the edges as they stand. What touches or crosses 180 degrees, cut there or running
    along it, is joined as it would be on any other meridian.

    **In a line or point** lies, without uncertainty, exactly what ``shapely.within``
    says: a point in a line that it is on, but not at its ends; a point in its equal; a
    line in a line that covers it, to which its share is given where another covers only
    a stretch. A polygon lies in no line and no point, a line in no point. A place that
    is uncertain has an area, and lines and points have none: the chance that it lies
    there is 0, whatever the distance. It is joined all the same where it may lie there,
    as ``possible`` with probability 0: where the uncertainties of both reach over the
    distance, of a line from every vertex. So a row of probability 0 says that the data
    do not rule it out, and no row that they do. What is asked of uncertain places is
    mostly whether they are near: see :func:`within_distance`.

    **Geodesic edges** of lines are followed to a millimetre, and hardly a point with
    coordinates of 64 bits is on one. A point then lies in a line that is no farther
    away than two millimetres, unless it has the coordinates of an end. So it does
    wherever it is on the geodesic to 0.1 mm, and nowhere beyond four millimetres.
    Whether a line runs along another has no such answer, and is refused.

    References
    ----------
    See :mod:`geo.uncertainty`, :mod:`geo.kernels.orientation` and
    :mod:`geo.kernels.lines`.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, Point, box
    >>> lease = gpd.GeoDataFrame({"block": [7]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    >>> mine = gpd.GeoDataFrame(
    ...     {"uncertainty_m": [5_000]}, geometry=[Point(1, 0.5)], crs=4326
    ... )
    >>> within(mine, lease)[["block", "relation", "probability"]].values.tolist()
    [[7, 'possible', 0.50]]

    Gauges on a river, of which the second is known to 50 m only:

    >>> river = gpd.GeoDataFrame(geometry=[LineString([(0, 0), (4, 2)])], crs=4326)
    >>> gauges = gpd.GeoDataFrame(
    ...     {"uncertainty_m": [0, 50]}, geometry=[Point(2, 1), Point(3, 1.5)], crs=4326
    ... )
    >>> within(gauges, river)[["relation", "probability"]].values.tolist()
    [['certain', 1.0], ['possible', 0.0]]
    """
    layout = Layout(how=how, lsuffix=lsuffix, rsuffix=rsuffix)
    a = side(
        left, "left", edges, kinds=(POINT, *LINES, *AREAS), columns=["uncertainty_m"]
    )
    b = side(right, "right", edges, columns=["boundary_uncertainty_m"])
    areal = np.isin(b.kinds, AREAS)
    if areal.all():
        steps = Steps(progress, len(left), _works(a))
        parts = _in_areas(a, b, steps)
    else:
        own_m = uncertainties(right, "right", "uncertainty_m")
        b = replace(b, reach_m=np.where(areal, b.reach_m, np.fmax(b.reach_m, own_m)))
        steps = Steps(progress, len(left), [len(left), *_works(a)])
        parts = _in_all(a, b, areal, edges, steps)
    steps.end()
    i = np.concatenate([rows[part.i] for rows, _, part in parts])
    j = np.concatenate([columns[part.j] for _, columns, part in parts])
    probability = np.concatenate([part.probability for *_, part in parts])
    certain = np.concatenate([part.certain for *_, part in parts])
    falls = (probability[1:] == probability[:-1]) & (j[1:] > j[:-1])
    falls = (i[1:] == i[:-1]) & (falls | (probability[1:] < probability[:-1]))
    if not ((i[1:] > i[:-1]) | falls).all():
        order = np.lexsort((j, -probability, i))
        i, j, probability, certain = (
            column[order] for column in (i, j, probability, certain)
        )
    added = {"relation": relation(certain), "probability": probability}
    return layout.frame(left, right, i, j, added)


def intersects(
    left: gpd.GeoDataFrame,
    right: gpd.GeoDataFrame,
    *,
    how: How = "inner",
    edges: EdgeKind = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Join each feature to all that it touches or overlaps, or may.

    Parameters
    ----------
    left, right
        Points, lines and polygons in EPSG:4326, shapes ``(n,)`` and ``(m,)``. The
        larger of ``uncertainty_m`` and ``boundary_uncertainty_m`` is how far a feature
        may be displaced. [m]
    how, edges, lsuffix, rsuffix, progress
        As for :func:`within`.

    Returns
    -------
    geopandas.GeoDataFrame
        Rows of ``left`` with its index, repeated where it meets several, in the order
        of ``right`` within a row; ``index_right``; the columns of ``right``;
        ``relation``, ``certain`` when they are known to meet wherever they lie, else
        ``possible``; and ``probability``, missing where a doubtful pair is not a point
        and a polygon.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326, holds an empty or invalid geometry, or an edge
        that cannot be a geodesic.
    GeometryTypeError
        If a side holds collections.
    ColumnError
        If an uncertainty is not a length, an index label occurs twice, or two things
        in the result would have one name.

    Notes
    -----
    A pair without uncertainty is joined where ``shapely.intersects`` says so, a touch
    included, and where it meets across the antimeridian or at a pole, whatever else the
    sides hold.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import LineString, box
    >>> roads = gpd.GeoDataFrame(geometry=[LineString([(0, 2), (2, 0)])], crs=4326)
    >>> leases = gpd.GeoDataFrame(
    ...     {"block": [7, 8]}, geometry=[box(0, 0, 1, 1), box(3, 3, 4, 4)], crs=4326
    ... )
    >>> intersects(roads, leases)[["block", "relation"]].values.tolist()
    [[7, 'certain']]
    """
    from geo.kernels.meetings import meetings

    layout = Layout(how=how, lsuffix=lsuffix, rsuffix=rsuffix)
    a, b = side(left, "left", edges), side(right, "right", edges)
    met = meetings(a, b, progress=progress)
    added = {"relation": relation(met.certain), "probability": met.probability}
    return layout.frame(left, right, met.i, met.j, added)


def nearest(
    left: gpd.GeoDataFrame,
    right: gpd.GeoDataFrame,
    *,
    k: int = 1,
    max_distance_m: float | None = None,
    ties: Ties = "first",
    how: How = "inner",
    edges: EdgeKind = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Join each feature to its k nearest ones on the ellipsoid.

    Parameters
    ----------
    left, right
        Points, lines and polygons in EPSG:4326, shapes ``(n,)`` and ``(m,)``. The
        larger of ``uncertainty_m`` and ``boundary_uncertainty_m`` is how far a feature
        may be displaced. [m]
    k
        How many neighbours; fewer where ``right`` has fewer.
    max_distance_m
        Leave out neighbours whose ``distance_m`` is longer. [m]
    ties
        ``first`` gives k neighbours, of equally near ones those that come first in
        ``right``; ``all`` gives every one that is as near as the k-th, to a micrometre.
    how, edges, lsuffix, rsuffix, progress
        As for :func:`within`.

    Returns
    -------
    geopandas.GeoDataFrame
        Rows of ``left`` with its index, nearest first within a row, ties in the order
        of ``right``; ``index_right``; the columns of ``right``; ``distance_m``, 0 where
        the features meet, and ``azimuth_deg`` from left to right at the nearest place
        of left, missing where they meet; the bounds ``distance_min_m`` and
        ``distance_max_m`` between which the true distance lies; and ``probability``,
        the chance that this one is truly the nearest of all of ``right``.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326, holds an empty or invalid geometry, or an edge
        that cannot be a geodesic; if ``k`` is below 1, or ``max_distance_m`` no length.
    GeometryTypeError
        If a side holds collections.
    ColumnError
        If an uncertainty is not a length, an index label occurs twice, or two things
        in the result would have one name.

    Notes
    -----
    Distances between points are right to a millimetre (see :mod:`geo.kernels.chords`
    for the proof; Karney's inverse solution beyond 8 km), those to lines and polygons
    to the bound in :mod:`geo.kernels.segments`. The search is exact: a neighbour is
    given only when nothing that was not measured can be nearer. How the chances are
    found, and how well, stands in :mod:`geo.kernels.chances` for a point whose rivals
    are all points, and in :mod:`geo.kernels.draws` for all else.

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
    from geo.kernels.nearness import chances_of_nearest
    from geo.kernels.segments import nearest_shapes

    require_count("k", k)
    if ties not in {"first", "all"}:
        raise GeometryError(f"ties is {ties!r}; expected 'first' or 'all'")
    limit_m = np.inf if max_distance_m is None else max_distance_m
    require_length("max_distance_m", limit_m)
    layout = Layout(how=how, lsuffix=lsuffix, rsuffix=rsuffix)
    a, b = side(left, "left", edges), side(right, "right", edges)
    found = nearest_shapes(
        a.shapes, b.shapes, k, max_distance_m=limit_m, ties=ties, progress=progress
    )
    added = _measures(found, a, b)
    added["probability"] = chances_of_nearest(a, b, found)
    return layout.frame(left, right, found.i, found.j, added)


def within_distance(
    left: gpd.GeoDataFrame,
    right: gpd.GeoDataFrame,
    distance_m: float,
    *,
    how: How = "inner",
    edges: EdgeKind = "straight",
    lsuffix: str = "left",
    rsuffix: str = "right",
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Join each feature to all that lie, or may lie, within a distance.

    Parameters
    ----------
    left, right
        Points, lines and polygons in EPSG:4326, shapes ``(n,)`` and ``(m,)``. The
        larger of ``uncertainty_m`` and ``boundary_uncertainty_m`` is how far a feature
        may be displaced. [m]
    distance_m
        Longest true distance. [m]
    how, edges, lsuffix, rsuffix, progress
        As for :func:`within`.

    Returns
    -------
    geopandas.GeoDataFrame
        As :func:`nearest`, by rising ``distance_m`` within a row of ``left``, with
        ``relation`` (``certain`` when even ``distance_max_m`` is within the limit,
        else ``possible``) and ``probability`` that the true distance is.

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If a side is not in EPSG:4326, holds an empty or invalid geometry, or an edge
        that cannot be a geodesic; if the distance is negative or not finite.
    GeometryTypeError
        If a side holds collections.
    ColumnError
        If an uncertainty is not a length, an index label occurs twice, or two things
        in the result would have one name.

    Examples
    --------
    >>> import geopandas as gpd
    >>> port = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0], [0]), crs=4326)
    >>> mine = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0.1], [0]), crs=4326)
    >>> mine["uncertainty_m"] = 2_000
    >>> within_distance(port, mine, 12_000)[["relation", "distance_m"]].values.tolist()
    [['possible', 11131.9...]]
    """
    from geo.kernels.meetings import possibly_within
    from geo.kernels.nearness import chances_within

    require_length("distance_m", distance_m)
    if not np.isfinite(distance_m):
        raise GeometryError(f"distance_m is {distance_m}; expected a finite length [m]")
    layout = Layout(how=how, lsuffix=lsuffix, rsuffix=rsuffix)
    a, b = side(left, "left", edges), side(right, "right", edges)
    found = possibly_within(a, b, distance_m, progress=progress)
    added = _measures(found, a, b)
    certain = added["distance_max_m"] <= distance_m
    added["relation"] = relation(certain)
    added["probability"] = chances_within(a, b, found, distance_m)
    return layout.frame(left, right, found.i, found.j, added)


def _works(a: Side) -> list[int]:
    """How many points, lines and areas there are to look for in polygons."""
    return [int(np.isin(a.kinds, kinds).sum()) for kinds in ((POINT,), LINES, AREAS)]


def _in_areas(a: Side, b: Side, steps: Steps) -> list[Part]:
    """Find what lies in polygons, by kinds of left."""
    from geo.kernels.containment import contain_areas, contain_lines, contain_points

    every = np.arange(len(b.shapes))
    points = np.flatnonzero(a.kinds == POINT)
    found = contain_points(
        a.lonlat(points), a.reach_m[points], b.shapes, b.reach_m, progress=steps.next()
    )
    parts = [(points, every, found)]
    for contain, kinds in ((contain_lines, LINES), (contain_areas, AREAS)):
        rows, told = np.flatnonzero(np.isin(a.kinds, kinds)), steps.next()
        if len(rows):
            meets = contain(
                a.shapes[rows], a.reach_m[rows], b.shapes, b.reach_m, progress=told
            )
            parts.append((rows, every, meets))
    return parts


def _in_all(
    a: Side, b: Side, areal: Bools, edges: EdgeKind, steps: Steps
) -> list[Part]:
    """Find what lies in polygons, and what in lines and points."""
    from geo.kernels.lines import contain_in_lines

    linear = [np.isin(one.kinds, LINES).any() for one in (a, b)]
    if edges == "geodesic" and all(linear):
        raise GeometryError(
            'within was given lines in lines with edges="geodesic"; geodesics are '
            "followed to a millimetre, which does not tell whether one runs along "
            'another. Use edges="straight", or within_distance(…) for what is near'
        )
    slim, some = np.flatnonzero(~areal), np.flatnonzero(areal)
    found = contain_in_lines(
        a, b.rows(slim), geodesic=edges == "geodesic", progress=steps.next()
    )
    parts = [(np.arange(len(a.shapes)), slim, found)]
    if len(some):
        for rows, columns, part in _in_areas(a, b.rows(some), steps):
            parts.append((rows, some[columns], part))
    return parts


def _measures(found: Found, a: Side, b: Side) -> dict[str, NDArray[Any]]:
    """Columns of distances: between what is drawn, and the bounds of the true one."""
    if not (a.reach_m.any() or b.reach_m.any()):
        names = ("distance_m", "distance_min_m", "distance_max_m")
        same = dict.fromkeys(names, found.distance_m)
        return {**same, "azimuth_deg": found.azimuth_deg}
    slack_m = a.reach_m[found.i] + b.reach_m[found.j]
    return {
        "distance_m": found.distance_m,
        "distance_min_m": np.maximum(found.distance_m - slack_m, 0.0),
        "distance_max_m": found.distance_m + slack_m,
        "azimuth_deg": found.azimuth_deg,
    }

"""How many uncertain places lie in each polygon, line or point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo.crs import require_lonlat
from geo.errors import ColumnError, GeometryTypeError
from geo.sides import require_frame

if TYPE_CHECKING:
    import geopandas as gpd

    from geo.parallel import Progress

_ADDED = (
    *("count_certain", "count_possible", "count_expected", "count_variance"),
    "chance_of_any",
)
"""Columns that :func:`count_within` adds."""


def count_within(
    left: gpd.GeoDataFrame,
    right: gpd.GeoDataFrame,
    *,
    edges: str = "straight",
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Count the points in each feature, as far as their places are known.

    Parameters
    ----------
    left
        Points in EPSG:4326, shape ``(n,)``, with ``uncertainty_m`` or without. [m]
    right
        Polygons, lines and points in EPSG:4326, shape ``(m,)``, with
        ``boundary_uncertainty_m`` (of lines and points also ``uncertainty_m``) or
        without. [m]
    edges, progress
        As of :func:`geo.within`.

    Returns
    -------
    geopandas.GeoDataFrame
        A copy of ``right``, its index and order kept, with ``count_certain`` and
        ``count_possible``, how many points surely lie inside and how many may or may
        not; ``count_expected``, the mean of the count; ``count_variance``, its
        variance; and ``chance_of_any``, the chance that at least one lies inside.

    Raises
    ------
    GeometryTypeError
        If a side is no GeoDataFrame, or ``left`` holds anything but points.
    ColumnError
        If ``right`` already has one of the columns.
    GeoError
        As :func:`geo.within`.

    Notes
    -----
    A point lies inside with the probability ``p`` of :func:`geo.within`. With all
    points displaced independently the count follows the Poisson binomial distribution
    [1]_: mean ``Σ p``, variance ``Σ p (1 - p)``, and ``1 - Π (1 - p)`` is the chance of
    any. A doubtful outline displaces all points alike and so correlates them; then the
    mean still holds, but the variance is larger than stated and the chance of any at
    the most what is stated here. The expected counts of polygons that do not overlap
    add up to the expected count of their union. An uncertain point that may lie in a
    line or point counts as possible there and adds nothing to what is expected, since
    its chance to is 0.

    References
    ----------
    .. [1] Y. H. Wang, "On the number of successes in independent trials", Statistica
       Sinica 3, 295-312, 1993.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import Point, box
    >>> lease = gpd.GeoDataFrame({"block": [7]}, geometry=[box(0, 0, 1, 1)], crs=4326)
    >>> mines = gpd.GeoDataFrame(
    ...     {"uncertainty_m": [5_000, 5_000, 0]},
    ...     geometry=[Point(1, 0.5), Point(1, 0.6), Point(0.5, 0.5)],
    ...     crs=4326,
    ... )
    >>> counted = count_within(mines, lease).drop(columns=["geometry", "block"])
    >>> counted.round(2).values.tolist()
    [[1.0, 2.0, 2.00, 0.50, 1.0]]
    """
    from geo.joins import within

    for gdf, name in ((left, "left"), (right, "right")):
        require_frame(gdf, name)
        require_lonlat(gdf, name)
    other = ~left.geometry.geom_type.eq("Point").to_numpy()
    if other.any():
        row = int(other.argmax())
        raise GeometryTypeError(
            f"left, row {left.index[row]}: a {left.geometry.iloc[row].geom_type}; "
            "expected Point; geo.point_radius turns areas into points with a radius"
        )
    taken = [column for column in _ADDED if column in right]
    if taken:
        raise ColumnError(
            f"right already has {', '.join(taken)}, which the count adds; rename "
            f"first: right.rename(columns={{{taken[0]!r}: …}})"
        )
    # Only the geometry and the uncertainty take part, so that no column is in the way.
    points = left[[c for c in ("uncertainty_m", left.geometry.name) if c in left]]
    used = ("uncertainty_m", "boundary_uncertainty_m", right.geometry.name)
    outlines = right[[c for c in used if c in right]]
    options: dict[str, Any] = {} if edges == "straight" else {"edges": edges}
    if progress:
        options["progress"] = progress
    joined = within(
        points.reset_index(drop=True), outlines.reset_index(drop=True), **options
    )
    n = len(right)
    j = joined["index_right"].to_numpy(dtype=np.intp)
    p = joined["probability"].to_numpy(dtype=np.float64)
    certain = joined["relation"].eq("certain").to_numpy(dtype=bool)
    with np.errstate(divide="ignore"):
        none = np.bincount(j, np.log1p(-p), minlength=n)
    counted = right.copy()
    counted["count_certain"] = np.bincount(j[certain], minlength=n)
    counted["count_possible"] = np.bincount(j[~certain], minlength=n)
    counted["count_expected"] = np.bincount(j, p, minlength=n)
    counted["count_variance"] = np.bincount(j, p * (1 - p), minlength=n)
    counted["chance_of_any"] = -np.expm1(none)
    return counted

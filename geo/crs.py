"""The one place where a coordinate reference system is checked.

Nothing is reprojected silently: a layer in another CRS is refused with the call
that mends it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import (
    AxisOrderError,
    CRSMismatchError,
    CRSMissingError,
    GeometryError,
)

if TYPE_CHECKING:
    import geopandas as gpd
    from pyproj import CRS

LONLAT = "EPSG:4326"
"""WGS 84, longitude and latitude in degrees, x before y."""


def is_lonlat(crs: CRS | None) -> bool:
    """Tell whether ``crs`` is WGS 84 longitude and latitude.

    ``OGC:CRS84``, the same system with its axes named the other way round, counts:
    in memory both hold longitude in x and latitude in y.

    Parameters
    ----------
    crs
        A coordinate reference system, or None.

    Returns
    -------
    bool
        True for EPSG:4326 and OGC:CRS84.
    """
    return crs is not None and any(crs == known for known in (LONLAT, "OGC:CRS84"))


def require_lonlat(gdf: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> None:
    """Refuse a layer that is not in WGS 84 longitude and latitude.

    Parameters
    ----------
    gdf
        Any geometries, shape ``(n,)``.
    name
        What to call the layer in a message.

    Raises
    ------
    CRSMissingError
        If the layer has no CRS.
    CRSMismatchError
        If its CRS is neither EPSG:4326 nor OGC:CRS84.
    GeometryError
        If a geometry is missing, empty or not finite.
    AxisOrderError
        If a coordinate lies outside -180..180 by -90..90 degrees.

    Examples
    --------
    >>> import geopandas as gpd
    >>> swapped = gpd.GeoSeries.from_xy([39.7], [124.7], crs=4326)
    >>> require_lonlat(swapped, "mines")
    Traceback (most recent call last):
    ...
    geo.errors.AxisOrderError: mines, row 0: the point 39.7, 124.7 is outside ...
    """
    if gdf.crs is None:
        raise CRSMissingError(
            f"{name} has no CRS; expected EPSG:4326. If its coordinates are longitude "
            f"and latitude on WGS 84, say so: {name}.set_crs(4326)"
        )
    if not is_lonlat(gdf.crs):
        raise CRSMismatchError(
            f"{name} is in {gdf.crs.to_string()[:60]}; expected EPSG:4326. "
            f"Call {name}.to_crs(4326) first"
        )
    _require_within_range(gdf, name)


def _require_within_range(gdf: gpd.GeoDataFrame | gpd.GeoSeries, name: str) -> None:
    """Refuse empty geometries and coordinates off the globe."""
    import shapely

    shapes = gdf.geometry.to_numpy()
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    if absent.any():
        first = int(absent.argmax())
        what = "missing" if shapes[first] is None else "empty"
        raise GeometryError(
            f"{name}, row {gdf.index[first]}: the geometry is {what}. Drop the row, or "
            "give it a position"
        )
    lonlat, owner = shapely.get_coordinates(shapes, return_index=True)
    good = (np.abs(lonlat) <= [180.0, 90.0]).all(axis=1)
    if good.all():
        return
    first = int(good.argmin())
    x, y = lonlat[first]
    row = gdf.index[owner[first]]
    if not np.isfinite(lonlat[first]).all():
        raise GeometryError(
            f"{name}, row {row}: a coordinate is not a finite number: {x:g}, {y:g}. "
            "Drop the row, or give it a position"
        )
    raise AxisOrderError(
        f"{name}, row {row}: the point {x:g}, {y:g} is outside longitude -180..180, "
        "latitude -90..90. The axes may be swapped (longitude comes first), or the "
        "coordinates are in metres of another CRS"
    )

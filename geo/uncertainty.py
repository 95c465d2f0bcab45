"""How well a place is located, carried through containment and nearness.

A feature with ``uncertainty_m = r`` lies, uniformly, somewhere in the geodesic disc
of radius ``r`` round its point: the point-radius method [1]_. A polygon's outline may
be off by up to ``boundary_uncertainty_m = b``: its position against the feature is
displaced, uniformly, within a disc of radius ``b``.

References
----------
.. [1] J. Wieczorek, Q. Guo, R. J. Hijmans, "The point-radius method for
   georeferencing locality descriptions and calculating associated uncertainty",
   Int. J. Geogr. Inf. Sci. 18(8), 745-767, 2004.
   https://doi.org/10.1080/13658810412331280211
"""

from __future__ import annotations

import math
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from geo.crs import require_lonlat
from geo.errors import ColumnError
from geo.geodesy import distance

if TYPE_CHECKING:
    from typing import Any

    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

METRES_PER_DEGREE = 111_320.0
"""Length of a degree along the equator. [m]"""

_MIXTURE_NODES = 24


def coordinate_digits(uncertainty_m: float) -> int:
    """Count the decimals of a degree that an uncertainty supports.

    Parameters
    ----------
    uncertainty_m
        Radius within which the place lies. [m]

    Returns
    -------
    int
        The fewest decimals, 0 to 7, whose rounding moves the place by no more than
        its uncertainty.

    Examples
    --------
    >>> [coordinate_digits(r) for r in (15_000, 2_000, 500, 1)]
    [1, 2, 3, 5]
    """
    if not uncertainty_m > 0:
        return 7
    digits = np.ceil(np.log10(METRES_PER_DEGREE / 2 / uncertainty_m))
    return int(np.clip(digits, 0, 7))


def format_position(lon: float, lat: float, uncertainty_m: float) -> str:
    """Write a place for people, with no more digits than it supports.

    Parameters
    ----------
    lon, lat
        The place. [degrees]
    uncertainty_m
        Radius within which it lies. [m]

    Returns
    -------
    str
        Latitude and longitude with their hemispheres.

    Examples
    --------
    >>> format_position(124.664, 39.73, 15_000)
    '39.7° N, 124.7° E'
    """
    digits = coordinate_digits(uncertainty_m)
    north = "N" if lat >= 0 else "S"
    east = "E" if lon >= 0 else "W"
    return f"{abs(lat):.{digits}f}° {north}, {abs(lon):.{digits}f}° {east}"


def uncertainties(gdf: gpd.GeoDataFrame, name: str, column: str) -> Floats:
    """Read a column of radii; a missing column or value means 0.

    Parameters
    ----------
    gdf
        Any layer, shape ``(n,)``.
    name
        What to call the layer in a message.
    column
        Name of the column, of numbers; NaN, None and NA are missing. [m]

    Returns
    -------
    numpy.ndarray
        Radii, shape ``(n,)``. [m]

    Raises
    ------
    ColumnError
        If a value is not a number (as text, a boolean or a category is none), is
        negative or is infinite; if there are two columns of the name.
    """
    import pandas as pd
    from pandas.api import types

    if column not in gdf:
        return np.zeros(len(gdf))
    values = gdf[column]
    if isinstance(values, pd.DataFrame):
        raise ColumnError(
            f"{name} has the column {column!r} {values.shape[1]} times; rename all "
            "but one"
        )
    kind = values.dtype
    plain = types.is_integer_dtype(kind) or types.is_float_dtype(kind)
    if plain and not isinstance(kind, pd.CategoricalDtype):
        radii = values.to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = (radii < 0) | np.isinf(radii)
    else:
        missing = values.isna().to_numpy(dtype=bool)
        usable = [_is_number(value) for value in values]
        if isinstance(kind, pd.CategoricalDtype):
            usable = [False] * len(values)
        wrong = ~missing & ~np.array(usable, dtype=bool)
        radii = np.array(
            [_float(v) if ok else np.nan for v, ok in zip(values, usable, strict=True)]
        )
        wrong |= (radii < 0) | np.isinf(radii)
    if wrong.any():
        first = int(wrong.argmax())
        value = values.iloc[first]
        number = plain or (_is_number(value) and types.is_object_dtype(kind))
        mend = (
            "expected a finite length in metres, 0 or more"
            if number
            else "expected metres as numbers. Make them numbers first: "
            f"{name}[{column!r}] = pd.to_numeric({name}[{column!r}])"
        )
        shown = _float(value) if number else repr(value)
        raise ColumnError(
            f"{name}, row {gdf.index[first]}, column {column}: {shown}; {mend}"
        )
    return np.nan_to_num(np.asarray(radii, dtype=np.float64), nan=0.0)


def _float(value: Any) -> float:
    """Nearest number of 64 bits, infinite where the value is larger than all."""
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _is_number(value: object) -> bool:
    """Whether a value of a column is a real number, and no truth value."""
    return isinstance(value, (Real, Decimal)) and not isinstance(
        value, (bool, np.bool_)
    )


def point_radius(gdf: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Replace each feature by a point and the radius that holds all of it.

    Parameters
    ----------
    gdf
        Features in EPSG:4326, shape ``(n,)``, with ``uncertainty_m`` or without. [m]

    Returns
    -------
    geopandas.GeoDataFrame
        A copy with points for geometry, its index, order and CRS kept.
        ``uncertainty_m`` has grown by the distance from the point to the farthest
        vertex; points are left as they are. [m]

    Raises
    ------
    CRSMissingError, CRSMismatchError, AxisOrderError, GeometryError
        If the layer is not in EPSG:4326 or a geometry is empty.
    ColumnError
        If an ``uncertainty_m`` is not a length.

    Notes
    -----
    The point is the centre of the smallest circle round the feature, found in
    longitude and latitude scaled to equal lengths at its middle latitude; the radius
    is then measured along geodesics, so that it always holds every vertex.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> cell = gpd.GeoDataFrame(geometry=[box(125, 39.95, 125.1, 40.05)], crs=4326)
    >>> point_radius(cell).uncertainty_m.round(-1).tolist()
    [7000.0]
    """
    import shapely

    require_lonlat(gdf, "gdf")
    radii = uncertainties(gdf, "gdf", "uncertainty_m").copy()
    points = gdf.geometry.to_numpy().copy()
    for i, shape in enumerate(points):
        if shape.geom_type == "Point":
            continue
        vertices = shapely.get_coordinates(shape)
        if np.ptp(vertices[:, 0]) > 180:  # parts on both sides of the antimeridian
            vertices[:, 0] %= 360
        middle = np.radians(np.mean(shape.bounds[1::2]))
        scale = np.array([np.cos(middle), 1.0])
        circle = shapely.minimum_bounding_circle(shapely.multipoints(vertices * scale))
        lon, lat = shapely.get_coordinates(shapely.centroid(circle))[0] / scale
        points[i] = shapely.Point((lon + 180) % 360 - 180, lat)
        radii[i] += distance(lon, lat, *vertices.T).max()
    out = gdf.set_geometry(points, crs=gdf.crs)
    out["uncertainty_m"] = radii
    return out


def displacements(radius_m: float, boundary_m: float) -> tuple[Floats, Floats]:
    """Mix two uniform discs into uniform discs.

    The sum of two displacements, one uniform in a disc of radius ``r`` and one in a
    disc of radius ``b``, has a density that falls with the distance from the centre;
    every such density is a mixture of uniform discs. Its weight at radius ``s`` is
    ``2 h s² / (π r² b²)``, where ``h`` is half the chord that two circles of radii
    ``r`` and ``b``, their centres ``s`` apart, have in common.

    Parameters
    ----------
    radius_m, boundary_m
        The radii ``r`` and ``b``; either may be 0. [m]

    Returns
    -------
    radii, weights : numpy.ndarray
        Radii of the mixed discs [m] and their weights, which sum to 1. One disc when
        either radius is 0; else 24 nodes of Gauss-Chebyshev quadrature, second kind.

    Examples
    --------
    >>> radii, weights = displacements(3_000, 4_000)
    >>> round(float(weights @ (radii**2 / 2))), (3_000**2 + 4_000**2) // 2
    (12500000, 12500000)
    """
    radii, weights = mixed_discs(np.array([radius_m]), np.array([boundary_m]))
    if min(radius_m, boundary_m) == 0:
        return radii[0, :1], np.ones(1)
    return radii[0], weights[0]


def mixed_discs(radius_m: Floats, boundary_m: Floats) -> tuple[Floats, Floats]:
    """Mix pairs of uniform discs, as :func:`displacements` mixes one pair.

    Parameters
    ----------
    radius_m, boundary_m
        Radii, shape ``(n,)``. [m]

    Returns
    -------
    radii, weights : numpy.ndarray
        Shapes ``(n, 24)``; discs of about the larger radius where the other is less
        than a millionth of it. [m]
    """
    r, b = np.asarray(radius_m)[:, None], np.asarray(boundary_m)[:, None]
    angle = np.pi * np.arange(1, _MIXTURE_NODES + 1) / (_MIXTURE_NODES + 1)
    low, high = np.abs(r - b), r + b
    s = (low + high) / 2 + (high - low) / 2 * np.cos(angle)
    one = (np.minimum(r, b) <= 1e-6 * np.maximum(r, b)) | (high < 1e-9)
    safe = np.where(s > 0, s, 1.0)
    half_chord = np.sqrt(np.maximum(r**2 - ((s**2 + r**2 - b**2) / (2 * safe)) ** 2, 0))
    weights = np.where(one, 1.0, half_chord * s**2 * np.sin(angle))
    return s, weights / weights.sum(axis=1, keepdims=True)

"""What every feature must say of itself, checked row by row."""

from __future__ import annotations

import re
from numbers import Real
from typing import TYPE_CHECKING

from geo.crs import require_lonlat
from geo.errors import GeoError
from layers.errors import SchemaError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

FEATURE_COLUMNS = {
    "id": "text",
    "name": "text",
    "name_ko": "text",
    "name_zh": "text",
    "kind": "text",
    "uncertainty_m": "number",
    "precision_code": "number",
    "georeference_protocol": "text",
    "status": "text",
    "claims": "text",
    "sources": "text",
    "note": "text",
}
"""Columns of every vector layer with evidence, beside ``geometry``."""

TEXT_COLUMNS = tuple(k for k, v in FEATURE_COLUMNS.items() if v == "text")
"""Those of them that hold text."""

PRECISION = {
    1: "exact: the named place itself",
    2: "near: within 25 km of the named place",
    3: "a second-order division, such as a county",
    4: "a first-order division, such as a province",
    5: "estimated, between or along named places",
    6: "a country",
    8: "a seat of government, in place of a country",
    9: "unclear",
}
"""IATI/AidData geographical precision, in words."""

AREA_PRECISION = 3
"""From this code on a location is drawn as an area, never as a bare pin."""

STATUS = {
    "reported": "reported, not confirmed",
    "existing": "exists",
    "historic": "historic record",
    "hypothetical": "hypothetical: computed by us, claimed by nobody",
    "context": "context, not part of the report",
}
"""What a feature's status means, in words."""

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def check_features(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse a layer in which a feature does not say what it must.

    Parameters
    ----------
    gdf
        Features in EPSG:4326, shape ``(n,)``.
    name
        What to call the layer in a message.

    Raises
    ------
    SchemaError
        If a column is missing, an id is repeated or is no slug, a geometry is none
        (:func:`check_geometry`), or a feature lacks position, uncertainty, precision
        code, protocol, status or citation. The message names row, counted from 1, and
        column.

    Examples
    --------
    >>> import geopandas as gpd
    >>> pins = gpd.GeoDataFrame(dict.fromkeys(FEATURE_COLUMNS, ["a"]), crs=4326,
    ...     geometry=gpd.points_from_xy([124.7], [39.7]))
    >>> check_features(pins.assign(status="rumoured"), "pins")
    Traceback (most recent call last):
    layers.errors.SchemaError: pins, row 1 (a), column status: 'rumoured' is none of
    reported, existing, historic, hypothetical, context
    """
    missing = sorted(FEATURE_COLUMNS.keys() - set(gdf.columns))
    if missing:
        raise SchemaError(
            f"{name}: column {', '.join(missing)} is missing; every feature needs "
            f"{', '.join(FEATURE_COLUMNS)} and a geometry"
        )
    check_geometry(gdf, name)
    for column in ("id", "name", "kind", "georeference_protocol", "status", "sources"):
        blank = gdf[column].isna() | (gdf[column].astype(str).str.strip() == "")
        _refuse(gdf, blank, name, column, "is empty; every feature needs one")
    repeated = gdf["id"].duplicated()
    _refuse(gdf, repeated, name, "id", "is a repeated id; ids are unique in a layer")
    no_slug = ~gdf["id"].astype(str).map(lambda text: bool(_SLUG.fullmatch(text)))
    _refuse(gdf, no_slug, name, "id", "is no id: use a-z, 0-9 and single hyphens")
    strange = ~gdf["status"].isin(list(STATUS))
    _refuse(gdf, strange, name, "status", f"is none of {', '.join(STATUS)}")
    _check_numbers(gdf, name)


def check_geometry(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse a layer with a geometry that cannot be measured or drawn.

    Parameters
    ----------
    gdf
        Features, shape ``(n,)``.
    name
        What to call the layer in a message.

    Raises
    ------
    SchemaError
        If the layer is not in EPSG:4326, or a geometry is missing, empty, off the
        globe, not finite or not valid. The message names the row, counted from 1.
    """
    import shapely

    counted = gdf.geometry.set_axis(range(1, len(gdf) + 1))
    try:
        require_lonlat(counted, name)
    except GeoError as error:
        raise SchemaError(str(error)) from None
    broken = ~counted.is_valid
    if broken.any():
        row = int(broken.to_numpy().argmax()) + 1
        label = str(gdf["id"].iloc[row - 1])[:60] if "id" in gdf else ""
        raise SchemaError(
            f"{name}, row {row}{f' ({label})' if label else ''}: the geometry is not "
            f"valid: {shapely.is_valid_reason(counted.loc[row])}. Mend it: in QGIS, "
            "Fix geometries; in Python, shapely.make_valid"
        )


def _check_numbers(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse a radius that is no length and a code that is no code."""
    radius = gdf["uncertainty_m"].map(_number)
    _refuse(
        gdf,
        ~(radius > 0) | (radius > 2.1e7),
        name,
        "uncertainty_m",
        "is no uncertainty: expected metres, more than 0",
    )
    code = gdf["precision_code"].map(_number)
    _refuse(
        gdf,
        ~code.isin(list(PRECISION)),
        name,
        "precision_code",
        f"is no IATI precision code: expected one of {', '.join(map(str, PRECISION))}",
    )


def _number(value: object) -> float:
    """Return a number as it is, and NaN for what is none, as text and True are."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return float(value)
    return float("nan")


def _refuse(
    gdf: gpd.GeoDataFrame, wrong: pd.Series, name: str, column: str, problem: str
) -> None:
    """Raise for the first row that is wrong."""
    if not wrong.any():
        return
    position = int(wrong.to_numpy().argmax())
    label = f"row {position + 1}"
    if "id" in gdf and column != "id":
        label += f" ({str(gdf['id'].iloc[position])[:60]})"
    value = str(gdf[column].iloc[position])[:60]
    raise SchemaError(f"{name}, {label}, column {column}: {value!r} {problem}")

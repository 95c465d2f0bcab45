"""What every feature must say of itself, checked row by row."""

from __future__ import annotations

import re
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
        If a column is missing, an id is repeated or is no slug, or a feature lacks
        position, uncertainty, precision code, protocol, status or citation. The
        message names row and column.

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
    try:
        require_lonlat(gdf, name)
    except GeoError as error:
        raise SchemaError(str(error)) from None

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


def _check_numbers(gdf: gpd.GeoDataFrame, name: str) -> None:
    """Refuse a radius that is no length and a code that is no code."""
    import pandas as pd

    radius = pd.to_numeric(gdf["uncertainty_m"], errors="coerce")
    _refuse(
        gdf,
        ~(radius > 0) | (radius > 2.1e7),
        name,
        "uncertainty_m",
        "is no uncertainty: expected metres, more than 0",
    )
    code = pd.to_numeric(gdf["precision_code"], errors="coerce")
    _refuse(
        gdf,
        ~code.isin(list(PRECISION)),
        name,
        "precision_code",
        f"is no IATI precision code: expected one of {', '.join(map(str, PRECISION))}",
    )


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

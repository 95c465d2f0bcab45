"""A frame of one's own as what an export holds."""

from __future__ import annotations

import math
import re
from datetime import date
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo.crs import require_lonlat
from geo.errors import AxisOrderError, GeometryError
from layers.errors import SchemaError
from layers.export.content import Content, Field, Sheet

if TYPE_CHECKING:
    import geopandas as gpd

UNSOURCED = "unsourced"
"""Licence of a frame of which nothing is known, when it is written all the same."""

_PLAIN = ("Point", "LineString", "Polygon")
_KINDS = (
    *("Point", "LineString", "LinearRing", "Polygon"),
    *("MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"),
)
"""Kinds of geometry by their number in shapely."""


def frame_content(
    gdf: gpd.GeoDataFrame, *, name: str = "layer", unsourced: bool = False
) -> Content:
    """Take a frame as an export of one layer.

    Parameters
    ----------
    gdf
        In EPSG:4326, shape ``(n,)``. ``attrs`` name its ``title``, ``licence`` (SPDX)
        and ``source``, and may name ``rights`` (the credit line; the source if none),
        ``abstract``, ``url``, ``retrieved`` (ISO) and ``units`` by column, as those of
        :func:`layers.load` do.
    name
        Id of the layer if ``attrs`` have no ``layer``.
    unsourced
        Let it lack licence and source; the files say so.

    Returns
    -------
    Content
        One layer. A column ``id`` is made, from 1 on, if there is none; an index that
        has a name is a column.

    Raises
    ------
    SchemaError
        If licence or source is missing, an id occurs twice, two columns share a name,
        or there are two columns of geometry.
    CRSMissingError, CRSMismatchError
        If the frame is not in EPSG:4326; nothing is reprojected silently.
    GeometryError, AxisOrderError
        If a coordinate is no number, or no longitude or latitude. Missing and empty
        geometries are taken, and longitudes that run on past 180.

    Examples
    --------
    >>> import geopandas as gpd
    >>> pits = gpd.GeoDataFrame(
    ...     {"id": ["a"]}, geometry=gpd.points_from_xy([125], [39]), crs=4326
    ... )
    >>> pits.attrs |= {"title": "Pits", "licence": "CC0-1.0", "source": "Our survey"}
    >>> frame_content(pits, name="pits").layers[0].rights
    'Our survey'
    """
    about = dict(gdf.attrs)
    lacking = [key for key in ("licence", "source") if not about.get(key)]
    if lacking and not unsourced:
        raise SchemaError(
            f"the frame does not say its {' and '.join(lacking)}; expected them in "
            f'gdf.attrs, as gdf.attrs["{lacking[0]}"] = "…". To write it without, pass '
            "unsourced=True; the files then say that nothing is known"
        )
    require_lonlat(gdf.iloc[:0], "the frame")
    bbox = _box_on_earth(gdf)
    sheet_id = _slug(str(about.get("layer") or name))
    title = str(about.get("title") or sheet_id)
    table = _table(gdf)
    units = about.get("units") or {}
    sheet = Sheet(
        id=sheet_id,
        title=title,
        abstract=str(about.get("abstract") or ("" if not lacking else _UNKNOWN)),
        table=table,
        geometry=_geometry(table.geometry.to_numpy()),
        fields={
            column: Field(alias=column, about="", unit=str(units.get(column, "")))
            for column in table.columns
            if column != "geometry"
        },
        licence=str(about.get("licence") or UNSOURCED),
        rights=str(about.get("rights") or about.get("source") or ""),
        source=str(about.get("source") or ""),
        url=str(about.get("url") or ""),
        retrieved=_day(about.get("retrieved")),
    )
    return Content(
        id=sheet_id,
        title=title,
        abstract=sheet.abstract,
        sheets=(sheet,),
        dated=sheet.retrieved or date(2026, 1, 1),
        version=version("lodemap"),
        bbox=bbox,
    )


_UNKNOWN = "Nobody has said where this layer comes from or how it may be used."


def _table(gdf: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows with a text ``id`` first, the geometry last, and a plain index."""
    named = [name for name in gdf.index.names if name is not None]
    table: Any = gdf.reset_index(drop=not named)
    place = table.geometry.name
    table.columns = [str(column) for column in table.columns]
    if table.columns.has_duplicates:
        twice = table.columns[table.columns.duplicated()][0]
        raise SchemaError(
            f"two columns are named {twice[:60]!r}; give one of them another name"
        )
    others = [c for c in table.columns if str(table[c].dtype) == "geometry"]
    if len(others) > 1:
        raise SchemaError(
            f"{len(others)} columns hold geometry ({', '.join(others)[:120]}); a layer "
            "has one. Drop the others first"
        )
    if str(place) != "geometry":
        if "geometry" in table.columns:
            raise SchemaError(
                f"a column that is not the geometry ({place}) is named geometry; give "
                "it another name"
            )
        table = table.rename_geometry("geometry")
    if "id" not in table.columns:
        table.insert(0, "id", [str(i + 1) for i in range(len(table))])
    if table["id"].isna().any():
        raise SchemaError(
            "a row has no id; fill the column id, or give it another name"
        )
    if not isinstance(table["id"].dtype, pd.StringDtype):
        table["id"] = table["id"].map(str)
    if not table["id"].is_unique:
        twice = table.loc[table["id"].duplicated(), "id"].iloc[0]
        raise SchemaError(
            f"the id {twice[:60]!r} occurs twice; expected one a row. Make them "
            "unique, or rename the column, so that rows are numbered"
        )
    rest = [c for c in table.columns if c not in {"id", "geometry"}]
    table = table[["id", *rest, "geometry"]]
    table.attrs = {}
    return table  # type: ignore[no-any-return]


def _box_on_earth(gdf: gpd.GeoDataFrame) -> tuple[float, float, float, float]:
    """Box around all places; refuse what is no longitude and latitude."""
    import shapely

    shapes = gdf.geometry.to_numpy()
    west, south, east, north = map(float, shapely.total_bounds(shapes))
    lonlat = shapely.get_coordinates(shapes)
    if not len(lonlat):
        return (-180.0, -90.0, 180.0, 90.0)
    # The bounds leave out what is not a number; a sum of squares does not.
    within = max(-west, east) <= 360 and max(-south, north) <= 90
    with np.errstate(all="ignore"):
        finite = math.isfinite(np.vdot(lonlat, lonlat))
    if within and finite:
        return (west, south, east, north)
    lonlat, owner = shapely.get_coordinates(shapes, return_index=True)
    bad = ~(np.abs(lonlat) <= [360.0, 90.0]).all(axis=1)
    x, y = lonlat[bad][0]
    row = gdf.index[owner[bad][0]]
    if not (math.isfinite(x) and math.isfinite(y)):
        raise GeometryError(
            f"the frame, row {row}: a coordinate is not a finite number; mend it or "
            "drop the row"
        )
    raise AxisOrderError(
        f"the frame, row {row}: the point {x:g}, {y:g} is no longitude and latitude. "
        "The axes may be swapped (longitude comes first), or the coordinates are in "
        "metres of another CRS"
    )


def _geometry(shapes: np.ndarray) -> str:
    """Kind of geometry of all rows; ``Geometry`` where they have none."""
    import shapely

    found = np.unique(shapely.get_type_id(shapes)).tolist()
    kinds = {_KINDS[number] for number in found if number >= 0}
    for kind in _PLAIN:
        if kinds <= {kind}:
            return kind
        if kinds <= {kind, f"Multi{kind}"}:
            return f"Multi{kind}"
    return "Geometry"


def _slug(text: str) -> str:
    """Name that every format takes."""
    slug = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_") or "layer"
    return slug if slug[0].isalpha() else f"layer_{slug}"


def _day(value: object) -> date | None:
    if isinstance(value, date):
        return value
    return date.fromisoformat(str(value)[:10]) if value else None

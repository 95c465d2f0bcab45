"""What databases, catalogues and servers change of an export, declared as data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layers.export.common_losses import (
    ALWAYS,
    BYTES,
    RASTERS,
    RELATIONS,
    STYLE,
    empty_texts,
)
from layers.export.geojson import COLLECTION
from layers.export.losses import Loss
from layers.export.tables import NUL

if TYPE_CHECKING:
    from layers.export.content import Content
    from layers.export.values import Values

LONGEST_NAME = 63
"""PostgreSQL cuts longer names. [B]"""

_GDALS_OWN = {"DERIVED_SUBDATASETS", "IMAGE_STRUCTURE", "RPC", "SUBDATASETS"}
"""Name spaces that GDAL itself fills, from what the file is."""

_SEVERAL = 4
"""Kinds of geometry from this on have parts, as shapely numbers them."""


def _only(loss: Loss, *, layers: bool) -> Loss:
    """Count a loss in layers alone, or in tables alone."""
    count = loss.in_sheet
    if count is None:
        return loss
    return replace(
        loss,
        in_sheet=lambda v: count(v) if bool(v.sheet.geometry) == layers else 0,
    )


def _unheld(content: Content) -> int:
    from layers.export.columns import holds, values_of

    sheets = values_of(content)
    return sum(not holds(sheets, relation) for relation in content.relations)


def _long_names(values: Values) -> int:
    return sum(len(name.encode("utf-8")) > LONGEST_NAME for name in values.columns)


def _nanoseconds(values: Values) -> int:
    import pyarrow as pa
    import pyarrow.compute as pc

    count = 0
    for column in values.of_kind("time"):
        if column.type.unit == "ns":
            below = pc.nanosecond(column)
            count += pc.sum(pc.cast(pc.not_equal(below, 0), pa.int64())).as_py() or 0
    return count


def _made_multi(values: Values) -> int:
    import shapely

    if not values.sheet.geometry.startswith("Multi"):
        return 0
    there = values.shapes[~shapely.is_empty(values.shapes)]
    kinds = shapely.get_type_id(there)
    return int(((kinds >= 0) & (kinds < _SEVERAL)).sum())


def _private_tags(content: Content) -> int:
    """Count tags of rasters that stand in a name space of some program's own."""
    import rasterio
    from rasterio.errors import RasterioIOError

    count = 0
    for path in content.rasters.values():
        try:
            with rasterio.open(path) as raster:
                spaces = set(raster.tag_namespaces()) - _GDALS_OWN
                count += sum(len(raster.tags(ns=space)) for space in spaces)
        except RasterioIOError:
            continue  # whoever writes it says what is wrong
    return count


FINER = Loss(
    kind="times cut",
    one="time was cut to a microsecond",
    many="times were cut to microseconds",
    about="Nanoseconds are not kept.",
    in_sheet=_nanoseconds,
)
UNHELD = Loss(
    kind="links undeclared",
    one="link between sheets is not declared",
    many="links between sheets are not declared",
    about="A link is a foreign key only where each value is found in the other sheet.",
    in_content=_unheld,
)
EMPTY_TEXTS = Loss(
    kind="empty texts",
    one="empty text became missing",
    many="empty texts became missing",
    about="A cell of CSV is either filled or not; the schema takes an empty one as "
    "missing.",
    in_sheet=empty_texts,
)
_SHORTENED = Loss(
    kind="names shortened",
    one="name was shortened",
    many="names were shortened",
    about=f"The database keeps {LONGEST_NAME} bytes of a name; a number tells apart "
    "what is then the same.",
    in_sheet=_long_names,
)
_ROWS = (EMPTY_TEXTS, BYTES, NUL, *ALWAYS)
"""What changes of a sheet that is written as CSV and read by a schema."""

_SHEETS_LEFT_OUT = Loss(
    kind="sheets left out",
    one="layer or table was left out",
    many="layers and tables were left out",
    about="The format holds rasters only.",
    in_content=lambda content: len(content.sheets),
)
_PRIVATE_TAGS = Loss(
    kind="private tags",
    one="tag in a name space of its own was left out",
    many="tags in a name space of their own were left out",
    about="Tags of a raster and of its bands are kept, those of name spaces are not.",
    in_content=_private_tags,
)
_NOTHING_IN_IT = Loss(
    kind="empty sheets left out",
    one="sheet without rows was left out",
    many="sheets without rows were left out",
    about="The server's provider reads no empty collection.",
    in_content=lambda content: sum(not len(s.table) for s in content.sheets),
)

_MULTI = Loss(
    kind="made multi-part",
    one="single geometry became multi-part",
    many="single geometries became multi-part",
    about="A column of geometries that may have several parts holds no other.",
    in_sheet=_made_multi,
)

POSTGIS = (_SHORTENED, NUL, FINER, _MULTI, *ALWAYS, UNHELD, RASTERS)
"""What a database changes."""

DATAPACKAGE = (*_ROWS, STYLE, UNHELD)
"""What a data package changes in its CSV."""

STAC = (
    *(_only(loss, layers=True) for loss in COLLECTION),
    *(_only(loss, layers=False) for loss in _ROWS),
    STYLE,
    RELATIONS,
)
"""What the files of a STAC catalogue change: layers are GeoJSON, tables CSV."""

PYGEOAPI = (*COLLECTION, _NOTHING_IN_IT, STYLE, RELATIONS, RASTERS)
"""What is served: GeoJSON."""

COG = (_SHEETS_LEFT_OUT, _PRIVATE_TAGS)
"""What is left out beside rasters."""

"""What an export holds, before any format has its say: sheets, and what they say."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from layers.export.values import Values
    from layers.symbology import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One column of a sheet."""

    alias: str
    """Name for people."""
    about: str
    """What the column holds."""
    unit: str = ""
    """Unit of a number (``"1"`` for a plain one); ``""`` for text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How the features of a sheet look.

    A feature is drawn by the mark whose key stands in its column ``mark``; the marks
    stand in the order of the legend.
    """

    marks: tuple[Mark, ...]
    """Every mark that occurs, in the legend's order."""
    label: str = ""
    """Column of the names on the map; empty where none are drawn."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sheet:
    """One layer or table of an export."""

    id: str
    """Name in the file: lower-case letters, digits and underscores, a letter first."""
    title: str
    """Name for people."""
    abstract: str
    """What it holds, how it was made, and what it is not."""
    table: gpd.GeoDataFrame | pd.DataFrame
    """Rows in their order, with a plain index. A layer has its geometry in a column
    ``geometry``, in EPSG:4326, and as first column a text ``id``, unique in it. Values
    are text, numbers, dates or missing; lists stand as text between spaces."""
    geometry: str = ""
    """``Point``, ``LineString``, ``Polygon``, or one of them after ``Multi``; empty for
    a table without places."""
    fields: Mapping[str, Field] = field(default_factory=dict)
    """Each column but ``geometry``, in their order."""
    licence: str = ""
    """SPDX identifier."""
    rights: str = ""
    """Credit line, as a map has to print it."""
    source: str = ""
    """Citation of what it was made from."""
    url: str = ""
    """Where that stands."""
    retrieved: date | None = None
    """Day on which it was read."""
    style: Style | None = None
    """How it is drawn; None for a table."""
    group: str = ""
    """Heading of the legend under which it stands."""
    on: bool = True
    """Whether it shows at first."""

    @cached_property
    def values(self) -> Values:
        """Columns and shapes as every format sees them, converted once."""
        from layers.export.values import Values

        return Values(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A column of one sheet that names rows of another."""

    child: str
    """Sheet whose column refers."""
    child_field: str
    parent: str
    """Sheet that is referred to."""
    parent_field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """A raster of one quantity that lies under the marks of a project of QGIS.

    It stands in a file of its own, beside the GeoPackage.
    """

    id: str
    """As the id of a sheet."""
    file: str
    """Name of the file, without its folder."""
    title: str
    """Name for people."""
    abstract: str
    """What it shows, and what it means where it shows nothing."""
    crs: str
    """Its CRS, as WKT 2."""
    low: float
    """Value of the faintest colour."""
    high: float
    """Value of the strongest."""
    group: str
    """Heading of the legend under which it stands."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Content:
    """Everything that an export holds."""

    id: str
    """Slug."""
    title: str
    abstract: str
    sheets: tuple[Sheet, ...]
    """Layers from the top of the map down to its ground, then tables."""
    relations: tuple[Relation, ...] = ()
    rasters: Mapping[str, Path] = field(default_factory=dict)
    """Rasters by catalogue id."""
    backdrops: tuple[Backdrop, ...] = ()
    """Rasters beside a GeoPackage, shown by its project and by nothing else."""
    dated: date
    """Day that files made of it carry as theirs, so that two of them are the same."""
    version: str
    """Version of the package that made it."""
    bbox: tuple[float, float, float, float]
    """First view: west, south, east, north, in EPSG:4326. [degrees]"""

    @property
    def layers(self) -> tuple[Sheet, ...]:
        """Sheets with places."""
        return tuple(sheet for sheet in self.sheets if sheet.geometry)

    @property
    def tables(self) -> tuple[Sheet, ...]:
        """Sheets without."""
        return tuple(sheet for sheet in self.sheets if not sheet.geometry)

"""Formats that an export can be written in: one table for all that speak of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, Protocol

from layers.errors import WriteError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geo.parallel import Progress
    from layers.export.content import Content
    from layers.export.losses import Loss


class Writer(Protocol):
    """What writes a format."""

    def __call__(
        self, content: Content, path: Path, *, progress: Progress | None = None
    ) -> tuple[Path, ...]:
        """Write ``content`` at ``path`` and return what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format."""

    key: str
    """What ``--to`` takes."""
    title: str
    """Name for people."""
    endings: tuple[str, ...]
    """How names of its files end; empty for a folder or a database."""
    many_layers: bool
    """Whether one file holds several layers."""
    room: str
    """Module that writes it, with ``LOSSES`` and a function ``write_…``."""
    verb: str
    """Name of that function."""
    tables: Literal["own", "csv", "lost"] = "own"
    """What becomes of tables: kept in the format, CSV beside, or left out."""
    about: str = ""
    """Who it is for, in a few words."""

    @property
    def losses(self) -> tuple[Loss, ...]:
        """What it can cause, in the order of its table."""
        room = import_module(self.room)
        usual = getattr(room, "LOSSES", ())
        losses: tuple[Loss, ...] = getattr(room, f"{self.key.upper()}_LOSSES", usual)
        return losses

    @property
    def write(self) -> Writer:
        """What writes it."""
        writer: Writer = getattr(import_module(self.room), self.verb)
        return writer


def _format(
    key: str,
    title: str,
    endings: str,
    room: str,
    about: str,
    *,
    many: bool = True,
    tables: Literal["own", "csv", "lost"] = "own",
) -> Format:
    return Format(
        key=key,
        title=title,
        endings=tuple(endings.split()),
        many_layers=many,
        room=f"layers.export.{room}",
        verb=f"write_{key}",
        tables=tables,
        about=about,
    )


_FORMATS = (
    _format(
        "geopackage",
        "GeoPackage",
        ".gpkg",
        "geopackage_sheets",
        "QGIS, ArcGIS, field work: one file that opens as drawn",
    ),
    _format(
        "geojson",
        "GeoJSON (RFC 7946)",
        ".geojson",
        "geojson",
        "the web",
        many=False,
        tables="csv",
    ),
    _format(
        "flatgeobuf",
        "FlatGeobuf",
        ".fgb",
        "flatgeobuf",
        "large layers, read in part",
        many=False,
        tables="csv",
    ),
    _format(
        "geoparquet",
        "GeoParquet 1.1",
        ".parquet .geoparquet",
        "geoparquet",
        "Python, R, DuckDB",
        many=False,
    ),
    _format(
        "kmz",
        "KMZ",
        ".kmz",
        "kml",
        "Google Earth, with symbols",
        tables="lost",
    ),
    _format("kml", "KML 2.2", ".kml", "kml", "Google Earth, as text", tables="lost"),
    _format(
        "shapefile",
        "Shapefile (zip)",
        ".shp.zip",
        "shapefile",
        "programs that read nothing newer",
        tables="csv",
    ),
    _format("csv", "CSV with CSVW", ".csv", "tables", "spreadsheets", many=False),
    _format("postgis", "PostGIS", "", "postgis", "a database server"),
    _format("cog", "Cloud-optimised GeoTIFF", ".tif .tiff", "cog", "the rasters"),
    _format("stac", "STAC", "", "stac", "catalogues"),
    _format("datapackage", "Data Package", "", "datapackage", "archives"),
    _format("pygeoapi", "pygeoapi", "", "pygeoapi", "a server of OGC API Features"),
)

FORMATS: Mapping[str, Format] = MappingProxyType({f.key: f for f in _FORMATS})
"""Every format by key."""

_OTHER_NAMES = {
    "gpkg": "geopackage",
    "json": "geojson",
    "fgb": "flatgeobuf",
    "parquet": "geoparquet",
    "shp": "shapefile",
}


def find_format(name: str) -> Format:
    """Find a format by its key or another usual name.

    Parameters
    ----------
    name
        As ``"geojson"``, ``"gpkg"``, ``".fgb"``.

    Returns
    -------
    Format
        The format.

    Raises
    ------
    WriteError
        If there is no such format.

    Examples
    --------
    >>> find_format("parquet").title
    'GeoParquet 1.1'
    """
    key = name.lower().lstrip(".")
    found = FORMATS.get(_OTHER_NAMES.get(key, key))
    if found is None:
        raise WriteError(
            f"no format {name[:40]!r}; there are {', '.join(FORMATS)}. Name one of them"
        )
    return found


def format_of(path: Path) -> Format:
    """Find the format that the name of a file asks for.

    Parameters
    ----------
    path
        File to write.

    Returns
    -------
    Format
        By the ending.

    Raises
    ------
    WriteError
        If the ending names none.

    Examples
    --------
    >>> from pathlib import Path
    >>> format_of(Path("cholsan.kmz")).key
    'kmz'
    """
    name = path.name.lower()
    for form in _FORMATS:
        if name.endswith(form.endings) and form.endings:
            return form
    if name.endswith(".shp"):
        raise WriteError(
            f"{path.name[:80]} would be one of several files of a Shapefile; a "
            f"Shapefile is written as one zip. Write {path.stem[:80]}.shp.zip"
        )
    endings = ", ".join(e for form in _FORMATS for e in form.endings)
    raise WriteError(
        f"{path.name[:80] or path} does not say its format; expected a name that ends "
        f"in {endings}. For a folder, a zip or a database, name the format: --to FORMAT"
    )

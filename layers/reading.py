"""Analysts' files in: read, placed on WGS 84, and checked like our own layers."""

from __future__ import annotations

import json
import logging
import re
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo.crs import is_lonlat
from layers.crs_names import is_wkt, names_a_file, opens_nothing
from layers.errors import ReadError
from layers.schema import TEXT_COLUMNS, check_features, check_geometry
from layers.table import fill_text, numbers, read_table

if TYPE_CHECKING:
    from os import PathLike

    import geopandas as gpd
    from pyproj import CRS

logger = logging.getLogger(__name__)

_FIRST_BYTES = {
    ".geojson": (b"{",),
    ".json": (b"{",),
    ".gpkg": (b"SQLite format 3\0",),
    ".fgb": (b"fgb",),
    ".shp": (b"\x00\x00\x27\x0a",),
}
"""How a file of each kind begins; a file that pretends to be another is refused."""

_JSON = (".geojson", ".json")
_CRS_NAME = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?"
    r"([A-Za-z]+)[:/](?:[\w.]*[:/])?(\w+)"
)
"""``EPSG:4326``, or the same as OGC's URN or URL."""

_CRS_TABLE = "SELECT * FROM gpkg_spatial_ref_sys"
_HEADER = 10_000_000
"""As much is looked at of the header of a FlatGeobuf. [bytes]"""

_AS_IT_IS = "immutable=1"
_STEPS = 10_000_000
"""Steps of SQLite in which a table is read that may be a view without end."""

_MAY_BE_ABSENT = ("name_ko", "name_zh", "claims", "note")
_LONGITUDE, _LATITUDE = ("lon", "longitude", "x"), ("lat", "latitude", "y")


def read_layer(path: str | PathLike[str], *, evidence: bool = True) -> gpd.GeoDataFrame:
    """Read a file of features and place it on WGS 84.

    Parameters
    ----------
    path
        A GeoJSON, GeoPackage (one layer), FlatGeobuf or Shapefile, or a CSV in UTF-8
        with columns ``lon`` and ``lat`` in degrees on WGS 84.
    evidence
        Whether every feature must say who claims it and how well it is located, as
        ours do (:func:`layers.check_features`). The columns ``name_ko``,
        ``name_zh``, ``claims`` and ``note`` may be absent.

    Returns
    -------
    geopandas.GeoDataFrame
        In EPSG:4326, in the order of the file. ``attrs`` carries ``file`` and, when
        the file is in another CRS, ``reprojected_from``.

    Raises
    ------
    ReadError
        If the file is missing, empty, truncated, of another kind than its name says,
        holds no feature, several layers or no geometry, or names no CRS or one that
        nobody knows; if a line of a CSV has too many cells or too few.
    SchemaError
        If coordinates lie off the globe (as swapped axes do) or are not finite, a
        geometry is not valid, or a feature lacks what ``evidence`` asks; the message
        names row, counted from 1, and column.
    """
    file = Path(path)
    kind = file.suffix.lower()
    head = _head(file)
    if not head.strip():
        raise ReadError(f"{file.name} is empty")
    if kind == ".csv":
        gdf = _read_csv(file)
    elif kind in _FIRST_BYTES:
        if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_FIRST_BYTES[kind]):
            raise ReadError(
                f"{file.name} does not begin as a {kind} file does; it is damaged, or "
                "another kind of file under that name"
            )
        gdf = _read_vector(file)
    else:
        raise ReadError(
            f"{file.name}: no reader for {kind or 'a name without an ending'}; "
            f"expected .csv, {', '.join(_FIRST_BYTES)}"
        )
    if gdf.empty:
        raise ReadError(f"{file.name} holds no feature")
    gdf = _on_wgs84(gdf, file.name)
    for column in ("uncertainty_m", "precision_code"):
        if column in gdf and gdf[column].map(lambda v: isinstance(v, str)).any():
            gdf[column] = numbers(gdf[column], file.name, ReadError, blank=True)
    if evidence:
        for column in _MAY_BE_ABSENT:
            if column not in gdf:
                gdf[column] = ""
        fill_text(gdf, TEXT_COLUMNS)
        check_features(gdf, file.name)
        gdf = gdf.astype({"uncertainty_m": "float64", "precision_code": "int64"})
    gdf.attrs["file"] = file.name
    return gdf


def _head(file: Path) -> bytes:
    """First bytes of a file."""
    try:
        with file.open("rb") as stream:
            return stream.read(4096)
    except OSError as error:
        raise ReadError(f"{file.name[:80]} cannot be read: {error.strerror}") from None
    except ValueError as error:  # a NUL in the path
        raise ReadError(f"{file.name[:80]!r} is no path: {error}") from None


def _read_vector(file: Path) -> gpd.GeoDataFrame:
    """Read a file that GDAL knows, and nothing besides it."""
    source = str(file.resolve())
    said = None
    if file.suffix.lower() in _JSON:
        # Without its driver's name GDAL takes other JSON too, such as a pipeline,
        # which it then runs, whatever that reads.
        source = f"GeoJSON:{source}"
        said = _crs_of_geojson(file)
    _require_no_grid(file)  # GDAL would open it to look at the CRS
    # Tried with GDAL 3.12 and a listener that saw nothing: a GeoPackage with a view on
    # ogr_geocode or load_extension, or a VirtualOGR table, is refused, and
    # gdal_get_pixel_value gives null; a URL in place of the CRS in a GeoPackage, a
    # FlatGeobuf or a .prj, or in .cpg, .qpj and .aux.xml, is not followed.
    with warnings.catch_warnings():
        for told in ("Non closed ring", "invalid value encountered in from_wkb"):
            warnings.filterwarnings("ignore", f".*{told}")  # refused later, by row
        table = _read_source(source, file.name)
    if said is not None and table.crs != said and not is_lonlat(said):
        raise ReadError(
            f"{file.name} names the CRS {said.to_string()[:60]}, which could not be "
            "used; save the file in WGS 84, as RFC 7946 asks"
        )
    return table


def _require_no_grid(file: Path) -> None:
    """Refuse a file whose CRS names another one, before GDAL looks at the CRS."""
    kind, texts = file.suffix.lower(), list[str]()
    if kind == ".gpkg":
        texts = _texts_of_geopackage(file)
    elif kind == ".fgb":
        with file.open("rb") as stream:
            size = int.from_bytes(stream.read(12)[8:], "little")
            head = stream.read(min(size, _HEADER)).decode("latin-1")
        # Texts end with NUL; other than WKT is no CRS.
        texts = [text for text in head.split("\0") if is_wkt(text)]
    elif kind == ".shp":
        beside = [file.with_suffix(ending) for ending in (".prj", ".PRJ", ".qpj")]
        texts = [p.read_text("latin-1") for p in beside if p.is_file()]
    if any(map(names_a_file, texts)):
        raise ReadError(
            f"{file.name}: its CRS names a grid in a file of its own; save it in "
            "WGS 84 first"
        )


def _texts_of_geopackage(file: Path) -> list[str]:
    """All texts about CRSs in a GeoPackage; none if GDAL says better what is wrong."""
    try:
        cells = _cells(file, "mode=ro")
    except sqlite3.OperationalError as error:
        raise ReadError(
            f"{file.name} has no table of CRSs that could be read ({_line(error)}), as "
            "every GeoPackage has; it may be damaged"
        ) from None
    except sqlite3.DatabaseError:
        return []
    return [cell for cell in cells if isinstance(cell, str)]


def _cells(file: Path, how: str) -> list[Any]:
    """All that the table of CRSs of a GeoPackage holds."""
    address = f"{file.resolve().as_uri()}?{how}"
    with closing(sqlite3.connect(address, uri=True)) as database:
        database.set_progress_handler(lambda: 1, _STEPS)
        try:
            return [cell for row in database.execute(_CRS_TABLE) for cell in row]
        except sqlite3.OperationalError as error:
            # A log beside the file cannot be used on a disk that is read only.
            if "unable to open" in str(error) and how != _AS_IT_IS:
                return _cells(file, _AS_IT_IS)
            raise


def _read_source(source: str, name: str) -> gpd.GeoDataFrame:
    """Read the one layer of what GDAL is to open."""
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import CRSError, DataLayerError, DataSourceError
    from shapely.errors import GEOSException

    try:
        names = [layer for layer, _ in pyogrio.list_layers(source)]
        if len(names) != 1:
            there = ", ".join(str(n)[:40] for n in names[:10]) or "none"
            raise ReadError(
                f"{name} holds {len(names)} layers ({there}); expected one. Save "
                "the one you want as a file of its own"
            )
        table = pyogrio.read_dataframe(source)
    except ReadError:
        raise
    except GEOSException as error:
        raise ReadError(
            f"{name} holds a geometry that is none, such as an open ring or a "
            f"line of one point: {_line(error)}"
        ) from None
    except (CRSError, DataSourceError, DataLayerError, ValueError) as error:
        raise ReadError(
            f"{name} cannot be read; it may be truncated: {_line(error)}"
        ) from None
    if not isinstance(table, gpd.GeoDataFrame):
        raise ReadError(f"{name} holds a table without geometry")
    return table


def _crs_of_geojson(file: Path) -> CRS | None:
    """Find the CRS that a GeoJSON names in the manner before RFC 7946, if any.

    GDAL 3.12 heeds ``crs`` in every object, in letters of either case. It fetches what
    ``link`` or ``url`` names, and takes null or an unknown code for WGS 84.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    named: list[dict[str, Any]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        named.extend(v for k, v in pairs if k.casefold() == "crs" and type(v) is dict)
        return dict(pairs)

    try:
        top = json.loads(file.read_text("utf-8-sig"), object_pairs_hook=note)
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{file.name} is no GeoJSON; it may be truncated: {_line(error)}"
        ) from None
    own = [v for k, v in top.items() if k.casefold() == "crs"]
    if not own and not named:
        return None
    mend = "remove the member crs if it is WGS 84, else save the file again in WGS 84"
    if own == [None]:
        raise ReadError(f"{file.name}: crs is null, so its places are unknown; {mend}")
    if len(own) != 1 or own != named:
        raise ReadError(
            f"{file.name} names a CRS more than once, or in a part of it; {mend}"
        )
    kind, content = own[0].get("type"), own[0].get("properties")
    key = {"name": "name", "EPSG": "code"}.get(str(kind), "")
    text = str(content.get(key)) if isinstance(content, dict) else ""
    known = _CRS_NAME.fullmatch(f"EPSG:{text}" if key == "code" else text)
    try:
        if known is None:
            raise CRSError("expected a code")
        return CRS.from_authority(known[1].upper(), known[2])
    except CRSError:
        raise ReadError(
            f"{file.name}: crs names {text[:60]!r}, which is no known code such as "
            f"EPSG:4326; {mend}"
        ) from None


def _read_csv(file: Path) -> gpd.GeoDataFrame:
    """Read a table of points."""
    import geopandas as gpd

    try:
        with file.open("r", encoding="utf-8-sig", newline="") as stream:
            table = read_table(stream, file.name, ReadError)
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{file.name} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    by_name = {str(c).strip().lower(): c for c in table.columns}
    lon = next((by_name[n] for n in _LONGITUDE if n in by_name), None)
    lat = next((by_name[n] for n in _LATITUDE if n in by_name), None)
    if lon is None or lat is None:
        raise ReadError(
            f"{file.name}: no columns lon and lat; it has "
            f"{', '.join(map(str, table.columns[:12]))}"
        )
    x, y = (
        numbers(table[column], file.name, ReadError, blank=False, unit="degrees")
        for column in (lon, lat)
    )
    return gpd.GeoDataFrame(
        table.drop(columns=[lon, lat]), geometry=gpd.points_from_xy(x, y), crs=4326
    )


def _on_wgs84(gdf: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Place a layer on WGS 84; a change of CRS is written down, never silent."""
    from pyproj.exceptions import ProjError

    if gdf.crs is None:
        raise ReadError(
            f"{name} names no CRS, so its places are unknown. Write the CRS into the "
            "file; with QGIS: Layer > Set CRS of Layer, then save it again"
        )
    before = gdf.crs
    if not opens_nothing(before.to_wkt()):
        raise ReadError(
            f"{name}: its CRS {before.name[:60]} names a grid in a file of its own; "
            "save it in WGS 84 first"
        )
    try:
        if not is_lonlat(before):
            gdf = gdf.to_crs(4326)
            gdf.attrs["reprojected_from"] = before.to_string()
            logger.warning("%s: reprojected from %s", name, before.to_string()[:60])
    except ProjError as error:
        raise ReadError(f"{name} cannot be reprojected: {_line(error)}") from None
    check_geometry(gdf, name)
    return gdf


def _line(error: Exception) -> str:
    """First line of a message, of a length for people."""
    return (str(error).strip().splitlines() or ["no reason given"])[0][:160]

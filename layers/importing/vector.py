"""Vector files by GDAL: one driver, named beforehand, and no way to anything else.

Two settings keep GDAL from the network and from other files, and only together: the
drivers that open services or other files are skipped, and no address has an ending
that its file systems may fetch. Both have to stand before GDAL is loaded.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from layers.errors import ReadError
from layers.importing.batches import ROWS_AT_ONCE, write_batches
from layers.importing.dbf import settle_encoding
from layers.importing.jobs import Job, Reading, chosen, one_line
from layers.importing.json_crs import crs_of_geojson
from layers.importing.sniffing import KINDS
from layers.importing.wholeness import check_sqlite, check_xml, count_records, ends_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

_REACH_OUT = (
    *("OGR_VRT", "GDALG", "HTTP", "WFS", "OAPIF", "OGCAPI", "CSW", "ADBC", "EEDA"),
    *("Carto", "AmigoCloud", "Elasticsearch", "PLSCENES", "NGW", "GPSBabel", "PMTiles"),
    *("MVT", "MBTiles", "GTFS", "PDS4", "MapML", "GeoRSS", "PDF", "PCIDSK"),
)
"""Drivers that ask services, run programs or open what a file names."""

GDAL_SETTINGS = {
    "OGR_SKIP": ",".join(_REACH_OUT),
    "GDAL_SKIP": ",".join(_REACH_OUT),
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_HTTP_PROXY": "127.0.0.1:9",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_DRIVER_PATH": "disable",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "OGR_SQLITE_LOAD_EXTENSIONS": "",
    "OGR_GPKG_INTEGRITY_CHECK": "NO",
    # More would read ahead what the caller, on the other processors, waits for.
    "OGR_GPKG_NUM_THREADS": "1",
    "OGR_ARROW_MEM_LIMIT": str(64 << 20),
    "OGR_XLSX_HEADERS": "FORCE",
    "OGR_ODS_HEADERS": "FORCE",
    "SHAPE_RESTORE_SHX": "YES",
    "OGR_ORGANIZE_POLYGONS": "DEFAULT",
    "PROJ_NETWORK": "OFF",
}
"""Environment of the process that reads, set before GDAL is loaded."""

_DRESSING = frozenset(
    {
        *("layer_styles", "qgis_projects", "data_licenses", "data_licences"),
        *("ogr_empty_table", "spatial_ref_sys", "spatial_ref_sys_aux"),
        *("geometry_columns", "views_geometry_columns", "virts_geometry_columns"),
        *("spatialite_history", "sql_statements_log", "elementarygeometries"),
        *("knn", "knn2", "spatialindex"),
    }
)
"""Tables with which programs dress layers; no layers themselves."""

_DRESSING_BEGINS = ("gpkg_", "vgpkg_", "rtree_", "sqlite_", "gdb_", "idx_")
_BY_FORMAT = {"geojson": "OGC:CRS84", "geojsonseq": "OGC:CRS84", "gpx": "EPSG:4326"}
_XML = ("gml", "gpx")
_TEXT_SETTINGS = {"dxf": "DXF_ENCODING"}
_TOLD = 10
_JSON_KINDS = ("geojson", "geojsonseq", "topojson", "jsonfg")
_ONE_LAYER = ("shp", "tab", "mif", "fgb", "dxf", *_JSON_KINDS)


def load_driver(kind: str) -> None:
    """Load GDAL with the one driver that a kind needs.

    Parameters
    ----------
    kind
        A key of :data:`layers.importing.sniffing.KINDS`.

    Raises
    ------
    ReadError
        If this GDAL has not that driver, or keeps others beside it.
    """
    import pyogrio
    from pyogrio.core import _register_drivers

    wanted = KINDS[kind].driver
    others = [driver for driver in pyogrio.list_drivers() if driver != wanted]
    pyogrio.set_gdal_config_options({"GDAL_SKIP": ",".join([*_REACH_OUT, *others])})
    _register_drivers()
    there = list(pyogrio.list_drivers())
    if there != [wanted]:
        raise ReadError(
            f"this GDAL offers the drivers {', '.join(there)[:120] or 'none'}; "
            f"expected {wanted} alone"
        )


def read_vector(kind: str, job: Job) -> Reading:
    """Read one layer by GDAL.

    Parameters
    ----------
    kind
        What the file is, a key of :data:`layers.importing.sniffing.KINDS`.
    job
        The file and what is wanted of it.

    Returns
    -------
    Reading
        What was read.

    Raises
    ------
    ReadError
        If GDAL cannot read it, or there are several layers and none was asked for.
    """
    load_driver(kind)
    import pyarrow as pa
    import pyogrio
    from pyogrio.errors import (
        CRSError,
        DataLayerError,
        DataSourceError,
        FeatureError,
        FieldError,
        GeometryError,
    )

    notes: list[str] = []
    encoding = _prepare(kind, job, notes)
    stated = crs_of_geojson(job.file, job.name) if "geojson" in kind else None
    try:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            names, layer, reading = _choose_and_read(kind, job, pyogrio, notes)
    except (
        CRSError,
        DataLayerError,
        DataSourceError,
        FeatureError,
        FieldError,
        GeometryError,
        ValueError,
        RuntimeError,
        pa.ArrowException,
    ) as error:
        if isinstance(error, ReadError):
            raise
        raise ReadError(
            f"{job.name} cannot be read as {KINDS[kind].title}; it may be truncated or "
            f"damaged: {one_line(error, job)}"
        ) from None
    said = dict.fromkeys(one_line(w.message, job) for w in told)  # type: ignore[arg-type]
    notes += [f"GDAL says: {line}" for line in said if "RFC 7946" not in line][:_TOLD]
    _place(kind, reading, stated, notes)
    prj = job.file.with_suffix(".prj")
    if kind == "shp" and reading.crs is None and prj.exists():
        text = prj.read_bytes()[:60].decode("ascii", "replace").strip()
        notes.append(f"The .prj states no CRS that is known: {text!r}.")
    reading.layer, reading.layers = layer, names
    reading.encoding = encoding
    reading.notes = [*notes, *reading.notes]
    return reading


_LACKS = ("no such function", "no such module")
"""How SQLite says that a view calls what is not loaded."""


def _choose_and_read(
    kind: str, job: Job, pyogrio: Any, notes: list[str]
) -> tuple[tuple[str, ...], str, Reading]:
    """Choose the layer and read it; return all names, its name, and what was read.

    GDAL loads SpatiaLite for a GeoPackage only where a view calls its functions: that
    takes longer than to open the file.
    """
    if kind != "gpkg":
        names, index, layer = _choose(kind, job, pyogrio, notes)
        return names, layer, _read(kind, job, index, pyogrio)
    for loads in ("NO", "YES"):
        pyogrio.set_gdal_config_options({"SPATIALITE_LOAD": loads})
        own: list[str] = []
        try:
            names, index, layer = _choose(kind, job, pyogrio, own)
            reading = _read(kind, job, index, pyogrio)
        except RuntimeError as error:
            lacks = any(words in str(error) for words in _LACKS)
            if loads == "YES" or not lacks or job.out.exists():
                raise
        else:
            notes += own
            break
    return names, layer, reading


def _prepare(kind: str, job: Job, notes: list[str]) -> str:
    """Settle the encoding of a file's text; return it where there is a choice."""
    import pyogrio

    if kind in _XML:
        check_xml(job.file, job.name)
    if kind in ("gpkg", "sqlite"):
        check_sqlite(job.file, job.name)
    if kind == "dxf" and not ends_in(job.file, b"EOF"):
        raise ReadError(f"{job.name} does not end in EOF as DXF does; it is truncated")
    if kind == "shp":
        return _prepare_shapefile(job, notes)
    if kind in _TEXT_SETTINGS and job.encoding:
        pyogrio.set_gdal_config_options({_TEXT_SETTINGS[kind]: job.encoding.upper()})
        return job.encoding
    if KINDS[kind].endings[-1] == ".json" and job.encoding not in (None, "utf-8"):
        try:
            text = job.file.read_bytes().decode(job.encoding or "utf-8")
        except UnicodeDecodeError as error:
            raise ReadError(
                f"{job.name} is no text in {job.encoding} ({str(error)[:80]})"
            ) from None
        job.file.write_text(text, encoding="utf-8")
        return job.encoding or ""
    if job.encoding is not None and job.encoding != "utf-8":
        notes.append(
            f"{KINDS[kind].title} says itself what its text is: the encoding "
            f"{job.encoding} was not needed."
        )
    return ""


def _prepare_shapefile(job: Job, notes: list[str]) -> str:
    """Look at the parts of a Shapefile."""
    if not job.file.with_suffix(".shx").exists():
        notes.append("The .shx is missing; it was made again for reading.")
    dbf = job.file.with_suffix(".dbf")
    if not dbf.exists():
        notes.append("The .dbf is missing, so the places have no attributes.")
        return ""
    encoding = settle_encoding(dbf, job.name, job.encoding)
    if encoding.reason:
        notes.append(encoding.reason)
    return encoding.name


def _choose(
    kind: str, job: Job, pyogrio: Any, notes: list[str]
) -> tuple[tuple[str, ...], int, str]:
    """Choose the layer; return all names, its position for GDAL, and its name."""
    listed = pyogrio.list_layers(job.file).tolist()
    own = [
        (i, str(name), places)
        for i, (name, places) in enumerate(listed)
        if not _is_dressing(str(name))
    ]
    if kind == "gpx":
        points = ("route_points", "track_points")
        about = {
            i: pyogrio.read_info(job.file, layer=i, force_feature_count=True)
            for i, _, _ in own
        }
        full = [entry for entry in own if about[entry[0]]["features"]]
        own = [n for n in full if n[1] not in points or n[1] == job.layer]
    if len(own) == 1 and kind in _ONE_LAYER:
        # Its layer is called as our copy, or as an earlier name of the file.
        [(index, name, _)] = own
        shown = job.stem if name == job.file.stem else name
        if job.layer not in (None, shown, name, job.stem):
            chosen(job.name, [shown], job.layer, what="layer")
        return (shown,), index, shown
    names = tuple(name for _, name, _ in own)
    with_places = [name for _, name, places in own if places is not None]
    what = "sheet" if kind in ("xlsx", "ods") else "layer"
    asked = job.layer
    if asked is None and len(names) > 1 and len(with_places) == 1:
        [asked] = with_places
        tables = ", ".join(name[:40] for name in names if name != asked)
        notes.append(f"Beside its one layer it holds tables without places: {tables}.")
    k = chosen(job.name, names, asked, what=what)
    return names, own[k][0], names[k]


def _is_dressing(name: str) -> bool:
    """Say whether a table is one with which programs dress layers."""
    lower = name.lower()
    return lower in _DRESSING or lower.startswith(_DRESSING_BEGINS)


def _read(kind: str, job: Job, index: int, pyogrio: Any) -> Reading:
    """Read the rows of a layer."""
    whole = count_records(job.file, job.name) if kind == "geojsonseq" else None
    if whole is None:
        whole = pyogrio.read_info(job.file, layer=index)["features"]
    with pyogrio.open_arrow(
        job.file, layer=index, use_pyarrow=True, batch_size=ROWS_AT_ONCE
    ) as (meta, reader):
        geometry = None
        if meta["geometry_type"] is not None:
            geometry = meta["geometry_name"] or "wkb_geometry"
            job.foretell(str(meta["geometry_type"])[:40])
            if reader.schema.get_field_index(geometry) < 0:
                geometry = None
        written = write_batches(
            job,
            reader.schema,
            _each(reader),
            geometry=geometry,
            whole=max(whole, 0),
        )
    if written.rows != whole >= 0:
        raise ReadError(
            f"{job.name} says that it holds {whole:,} features, and {written.rows:,} "
            "could be read; it is truncated or damaged"
        )
    return Reading(
        kind=KINDS[kind].title,
        layer="",
        layers=(),
        written=written,
        crs=meta["crs"],
        notes=list(written.notes),
    )


def _each(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """Yield batches one by one."""
    while True:
        try:
            yield reader.read_next_batch()
        except StopIteration:
            return


def _place(kind: str, reading: Reading, stated: str | None, notes: list[str]) -> None:
    """Settle what the file states about its CRS."""
    if not reading.written.has_geometry:
        reading.crs = None
        return
    if stated is not None:
        reading.crs, reading.crs_by = stated, "file"
        return
    if kind in _BY_FORMAT:
        reading.crs, reading.crs_by = _BY_FORMAT[kind], "format"
        return
    crs = reading.crs
    if crs is not None and ("Undefined" in crs[:60] or crs.startswith(_LOCAL)):
        notes.append(f"The CRS is one that says nothing: {crs.split(',')[0][:60]}.")
        crs = None
    reading.crs = crs
    reading.crs_by = "file" if crs else ""


_LOCAL = ("LOCAL_CS", "ENGCRS", "ENGINEERINGCRS")

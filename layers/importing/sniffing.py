"""What kind of file it is, by its first bytes, and whether its name says the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from xml.parsers import expat

from layers.errors import ReadError

_HEAD = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of file.

    Attributes
    ----------
    title
        Name for people.
    endings
        How such a file's name ends, lower case.
    driver
        GDAL's driver; empty where the reader is ours.
    sidecars
        Endings of the files beside it that belong to it.
    """

    title: str
    endings: tuple[str, ...]
    driver: str = ""
    sidecars: tuple[str, ...] = ()


_JSON = (".geojson", ".json")

KINDS = {
    "geojson": Kind(title="GeoJSON", endings=_JSON, driver="GeoJSON"),
    "geojsonseq": Kind(
        title="GeoJSON text sequence",
        endings=(".geojsonl", ".geojsons", ".ndjson", ".jsonl", *_JSON),
        driver="GeoJSONSeq",
    ),
    "jsonfg": Kind(
        title="JSON-FG", endings=(*_JSON, ".jsonfg", ".fg.json"), driver="JSONFG"
    ),
    "topojson": Kind(
        title="TopoJSON", endings=(".topojson", *_JSON), driver="TopoJSON"
    ),
    "esrijson": Kind(
        title="Esri JSON", endings=(".esrijson", *_JSON), driver="ESRIJSON"
    ),
    "gpkg": Kind(title="GeoPackage", endings=(".gpkg",), driver="GPKG"),
    "sqlite": Kind(
        title="SpatiaLite",
        endings=(".sqlite", ".sqlite3", ".db", ".spatialite"),
        driver="SQLite",
    ),
    "fgb": Kind(title="FlatGeobuf", endings=(".fgb",), driver="FlatGeobuf"),
    "shp": Kind(
        title="Shapefile",
        endings=(".shp",),
        driver="ESRI Shapefile",
        sidecars=(".shx", ".dbf", ".prj", ".cpg"),
    ),
    "tab": Kind(
        title="MapInfo TAB",
        endings=(".tab",),
        driver="MapInfo File",
        sidecars=(".dat", ".map", ".id", ".ind"),
    ),
    "mif": Kind(
        title="MapInfo MIF",
        endings=(".mif",),
        driver="MapInfo File",
        sidecars=(".mid",),
    ),
    "gdb": Kind(title="File Geodatabase", endings=(".gdb",), driver="OpenFileGDB"),
    "kml": Kind(title="KML", endings=(".kml",)),
    "kmz": Kind(title="KMZ", endings=(".kmz",)),
    "gpx": Kind(title="GPX", endings=(".gpx",), driver="GPX"),
    "gml": Kind(title="GML", endings=(".gml", ".xml"), driver="GML"),
    "dxf": Kind(title="DXF", endings=(".dxf",), driver="DXF"),
    "dgn": Kind(title="DGN", endings=(".dgn",), driver="DGN"),
    "s57": Kind(title="S-57", endings=(".000",), driver="S57"),
    "parquet": Kind(title="GeoParquet", endings=(".parquet", ".geoparquet", ".pq")),
    "csv": Kind(title="CSV", endings=(".csv", ".txt")),
    "tsv": Kind(title="TSV", endings=(".tsv", ".tab", ".txt")),
    "xlsx": Kind(title="XLSX", endings=(".xlsx", ".xlsm"), driver="XLSX"),
    "ods": Kind(title="ODS", endings=(".ods",), driver="ODS"),
    "zip": Kind(title="zip archive", endings=(".zip",)),
}
"""Every kind that is read. In a zip: any of them but a zip."""

ENDINGS = tuple(sorted({ending for kind in KINDS.values() for ending in kind.endings}))

_MAGIC = (
    (b"fgb", "fgb"),
    (b"\x00\x00\x27\x0a", "shp"),
    (b"PAR1", "parquet"),
    (b"\x08\x05", "dgn"),
    (b"\x08\x09", "dgn"),
    (b"\x1e", "geojsonseq"),
)
_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "an old Office file; save it as .xlsx or .csv"),
    (b"%PDF", "a PDF; the rows have to come as a table or a layer"),
    (b"\x1f\x8b", "gzip; unpack it first, or pack it as .zip"),
    (b"7z\xbc\xaf", "7-Zip; unpack it first, or pack it as .zip"),
    (b"Rar!", "a RAR archive; unpack it first, or pack it as .zip"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"II*\x00", "a raster (TIFF), which holds no rows"),
    (b"MM\x00*", "a raster (TIFF), which holds no rows"),
)
_ROOTS = {"kml": "kml", "gpx": "gpx", "featurecollection": "gml"}
_PLACES = "Point|LineString|Polygon|Multi(?:Point|LineString|Polygon)|Geometry"
_JSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(Topology|FeatureCollection|Feature|(?:%s)\w*)"' % _PLACES.encode()
)


def sniff(file: Path, name: str) -> str:
    """Find out what kind a file is, and that its name does not say another.

    Parameters
    ----------
    file
        The file.
    name
        Its name where it came from.

    Returns
    -------
    str
        A key of :data:`KINDS`.

    Raises
    ------
    ReadError
        If it is empty or of no kind that is read here, or its name ends as another
        kind's does.
    """
    if file.is_dir():
        return _agreed("gdb", name)
    with file.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head.strip(b"\0 \t\r\n"):
        raise ReadError(f"{name} is empty")
    for begins, what in _REFUSED:
        if head.startswith(begins):
            raise ReadError(f"{name} is {what}")
    if head.startswith(b"PK"):
        return _agreed(_kind_of_zip(file, name), name)
    if head.startswith(b"SQLite format 3\0"):
        is_package = (
            head[68:72] in (b"GPKG", b"GP10", b"GP11") or b"gpkg_contents" in head
        )
        return _agreed("gpkg" if is_package else "sqlite", name)
    for begins, kind in _MAGIC:
        if head.startswith(begins):
            return _agreed(kind, name)
    if head[6:7] == b"3" and head[:5].isdigit() and name.lower().endswith(".000"):
        return "s57"
    return _agreed(_kind_of_text(file, head, name), name)


def _agreed(kind: str, name: str) -> str:
    """Refuse a name that ends otherwise than its kind's."""
    lower = name.lower()
    if lower.endswith(KINDS[kind].endings):
        return kind
    ending = Path(lower).suffix
    says = next((k.title for k in KINDS.values() if ending in k.endings), None)
    said = f"ends in {ending}" if ending else "has no ending"
    raise ReadError(
        f"{name} {said} and does not begin as a {says or 'file of that name'} does: it "
        f"is {KINDS[kind].title}, damaged or under a wrong name; expected "
        f"{', '.join(KINDS[kind].endings)}"
    )


def _kind_of_zip(file: Path, name: str) -> str:
    """Tell spreadsheets and KMZ from other archives, by what they hold."""
    from layers.importing.archives import member_names

    names = [member.lower() for member in member_names(file, name)]
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        return "ods"
    if name.lower().endswith(".kmz") and any(n.endswith(".kml") for n in names):
        return "kmz"
    return "zip"


def _kind_of_text(file: Path, head: bytes, name: str) -> str:
    """Tell kinds of text apart."""
    ending = Path(name.lower()).suffix
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n")
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    if text.startswith(b"<") or (wide and b"<" in head[2:64]):
        return _kind_of_xml(file, name)
    if text.startswith(b"{"):
        return _kind_of_json(text, name)
    if re.match(rb"!table", text, re.IGNORECASE):
        return "tab"
    if re.match(rb"version\s+\d+", text, re.IGNORECASE) and ending == ".mif":
        return "mif"
    if ending == ".dxf" and re.match(rb"(?:999|0)\s*[\r\n]", text):
        return "dxf"
    if ending in (".csv", ".tsv", ".txt"):
        return "tsv" if ending == ".tsv" else "csv"
    says = next((k.title for k in KINDS.values() if ending in k.endings), None)
    if says is not None:
        raise ReadError(
            f"{name} does not begin as a {says} does; it is damaged, or another kind "
            "of file under that name"
        )
    raise ReadError(
        f"{name}: no reader for {ending or 'a name without an ending'}; expected "
        f"{', '.join(ENDINGS)}"
    )


def _kind_of_json(text: bytes, name: str) -> str:
    """Tell dialects of JSON with places apart."""
    lines = text.split(b"\n", 2)
    types = [match[1] for match in _JSON_TYPE.finditer(text)]
    if b"Topology" in types[:1]:
        return "topojson"
    if b'"esriGeometry' in text:
        return "esrijson"
    if len(lines) > 1 and lines[1].lstrip(b"\x1e").startswith(b"{"):
        first = lines[0].rstrip()
        if first.endswith(b"}") and _JSON_TYPE.search(first):
            return "geojsonseq"
    if b'"conformsTo"' in text and b"json-fg" in text:
        return "jsonfg"
    if types or re.search(rb'"(?:features|coordinates)"\s*:', text):
        return "geojson"
    raise ReadError(
        f'{name} is JSON, but no GeoJSON; expected an object with "type": '
        '"FeatureCollection"'
    )


def _kind_of_xml(file: Path, name: str) -> str:
    """Find the root element; a file with a document type is refused."""
    root = root_element(file, name)
    local = root.rpartition(":")[2].lower()
    if local in _ROOTS:
        return _ROOTS[local]
    if "wfs" in root.lower() or name.lower().endswith(".gml"):
        return "gml"
    raise ReadError(
        f"{name} is XML with the root element {root[:40]!r}; expected KML, GPX or GML"
    )


class _FoundRootError(Exception):
    """The first element has begun."""


def root_element(file: Path, name: str) -> str:
    """Read XML up to its root element.

    Parameters
    ----------
    file
        The file.
    name
        What to call it in a message.

    Returns
    -------
    str
        Name of the root element, with its prefix.

    Raises
    ------
    ReadError
        If it is no XML or declares a document type, whose entities could grow without
        end or name other files.
    """
    parser = expat.ParserCreate(encoding=_xml_override(file))

    def refuse(*_: object) -> None:
        raise ReadError(
            f"{name} declares a document type (DOCTYPE), which could name other files "
            "or grow without end; remove that line"
        )

    def found(tag: str, _: object) -> None:
        raise _FoundRootError(tag)

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = found
    try:
        with file.open("rb") as stream:
            parser.ParseFile(stream)
    except _FoundRootError as root:
        return str(root)
    except expat.ExpatError as error:
        raise ReadError(f"{name} is no XML; it may be truncated: {error}") from None
    raise ReadError(f"{name} is no XML")


def _xml_override(file: Path) -> str | None:
    """Find what to read the prolog with where expat knows not the one declared."""
    with file.open("rb") as stream:
        declared = declared_encoding(stream.read(256))
    known = {"utf-8", "utf-16", "us-ascii", "iso-8859-1", ""}
    return None if declared.lower() in known else "iso-8859-1"


def declared_encoding(head: bytes) -> str:
    """Find what an XML declaration states.

    Parameters
    ----------
    head
        First bytes of the file.

    Returns
    -------
    str
        As it stands there; empty if it states none.
    """
    match = re.match(
        rb"""(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([\w.:-]+)["']""", head
    )
    return match[1].decode("ascii") if match else ""

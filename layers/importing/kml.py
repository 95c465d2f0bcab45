"""KML as people save it: every folder, every field, every kind of place.

GDAL's own reader takes the first folder, loses the fields of a KMZ and spoils names
in Hangul. This one reads all Placemarks of a file in two passes, the first to learn
its columns, and never follows a link.
"""

from __future__ import annotations

import codecs
import html
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from layers.errors import ReadError
from layers.importing.batches import CELL_AT_MOST, COLUMNS_AT_MOST
from layers.importing.encodings import known_encoding
from layers.importing.kml_places import KMLPlaces, local_name
from layers.importing.sniffing import declared_encoding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

_DEEPEST = 100
_CHUNK = 1 << 16
_ROWS = 8_192
_FOLDERS = ("Document", "Folder")
_NOT_FOLLOWED = {
    "NetworkLink": "NetworkLinks not followed: {}.",
    "GroundOverlay": "GroundOverlays (pictures) left out: {}.",
    "ScreenOverlay": "ScreenOverlays (pictures) left out: {}.",
    "PhotoOverlay": "PhotoOverlays (pictures) left out: {}.",
    "Model": "Models (3D bodies) left out: {}.",
}
_OWN = {
    "name": "name",
    "description": "description",
    "address": "address",
    "phoneNumber": "phone",
    "styleUrl": "style_url",
    "when": "timestamp",
    "begin": "begin",
    "end": "end",
}
_TAKEN = {*_OWN.values(), "folder", "geometry"}
_WHOLE = ("int", "uint", "short", "ushort")
_REAL = ("float", "double")


@dataclass(kw_only=True)
class KML:
    """What the first pass over a KML finds.

    Attributes
    ----------
    rows
        Placemarks.
    columns
        Attribute columns in their order, each with its type: ``"text"``, ``"whole"``,
        ``"real"`` or ``"truth"``.
    notes
        One sentence each.
    mended
        What was mended, and how often.
    """

    rows: int = 0
    columns: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    mended: Counter[str] = field(default_factory=Counter)


def survey_kml(file: Path, name: str) -> KML:
    """Learn the columns of a KML.

    Parameters
    ----------
    file
        The file.
    name
        What to call it in a message.

    Returns
    -------
    KML
        Rows, columns and what was left out.

    Raises
    ------
    ReadError
        If it is damaged, declares a document type, is nested too deep, or a coordinate
        is no number.
    """
    found = KML()
    wanted: dict[str, str] = {}
    reader = _Reader(name)
    for row, _ in reader.rows(file):
        found.rows += 1
        for column, text in row.items():
            if text is not None:
                if len(text) > CELL_AT_MOST:
                    raise ReadError(
                        f"{name}: {column[:60]} holds a text of {len(text):,} letters; "
                        f"expected at most {CELL_AT_MOST:,}"
                    )
                declared = wanted.get(column) or reader.types.get(column, "text")
                wanted[column] = declared if _fits(text, declared) else "text"
        if len(wanted) > COLUMNS_AT_MOST:
            raise ReadError(
                f"{name} has more than {COLUMNS_AT_MOST:,} columns; expected fewer"
            )
    order = ["name", "folder", *_OWN.values()]
    first = [column for column in dict.fromkeys(order) if column in wanted]
    found.columns = {c: wanted[c] for c in [*first, *wanted]}
    for tag, sentence in _NOT_FOLLOWED.items():
        if reader.left_out[tag]:
            found.notes.append(sentence.format(reader.left_out[tag]))
    if reader.renamed:
        names = ", ".join(sorted(reader.renamed)[:10])
        found.notes.append(f"Fields called as KML's own became data_…: {names}.")
    if high := reader.places.high:
        found.notes.append(f"Places with an altitude, which is kept: {high}.")
    found.mended = reader.places.mended
    return found


def kml_batches(file: Path, name: str, found: KML) -> Iterator[pa.RecordBatch]:
    """Read the rows of a KML.

    Parameters
    ----------
    file
        The file.
    name
        What to call it in a message.
    found
        What the first pass found.

    Yields
    ------
    pyarrow.RecordBatch
        Columns of :func:`kml_schema`.

    Raises
    ------
    ReadError
        As :func:`survey_kml`.
    """
    import pyarrow as pa

    schema = kml_schema(found)
    rows: list[dict[str, Any]] = []

    def batch() -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist(rows, schema=schema)

    for row, place in _Reader(name).rows(file):
        typed = {c: _typed(text, found.columns[c]) for c, text in row.items() if text}
        rows.append({**typed, "geometry": place})
        if len(rows) == _ROWS:
            yield batch()
            rows.clear()
    if rows:
        yield batch()


def kml_schema(found: KML) -> pa.Schema:
    """Give the schema of the rows of a KML, ``geometry`` last.

    Parameters
    ----------
    found
        What the first pass found.

    Returns
    -------
    pyarrow.Schema
        WKB is binary.
    """
    import pyarrow as pa

    kinds = {
        "text": pa.string(),
        "whole": pa.int64(),
        "real": pa.float64(),
        "truth": pa.bool_(),
    }
    columns = {column: kinds[kind] for column, kind in found.columns.items()}
    return pa.schema({**columns, "geometry": pa.binary()})


class _Reader:
    """Walks through a KML, holding one Placemark at a time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.places = KMLPlaces(name)
        self.left_out: Counter[str] = Counter()
        self.renamed: set[str] = set()
        self.types: dict[str, str] = {}
        self._tags: list[str] = []
        self._folders: list[str] = []
        self._builder: ET.TreeBuilder | None = None
        self._inside = 0
        self._text: list[str] = []
        self._ready: list[tuple[dict[str, str | None], bytes | None]] = []

    def rows(self, file: Path) -> Iterator[tuple[dict[str, str | None], bytes | None]]:
        """Yield attributes and WKB of each Placemark."""
        parser = expat.ParserCreate("utf-8", namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        try:
            for chunk in _utf8(file, self.name):
                parser.Parse(chunk, False)
                yield from self._ready
                self._ready.clear()
            parser.Parse(b"", True)
            yield from self._ready
        except expat.ExpatError as error:
            raise ReadError(
                f"{self.name} is no whole KML; it may be truncated: {error}"
            ) from None
        finally:
            parser.StartElementHandler = parser.EndElementHandler = None
            parser.StartDoctypeDeclHandler = parser.CharacterDataHandler = None

    def _refuse(self, *_: object) -> None:
        raise ReadError(
            f"{self.name} declares a document type (DOCTYPE), which could name other "
            "files or grow without end; remove that line"
        )

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = local_name(tag)
        if len(self._tags) >= _DEEPEST:
            raise ReadError(
                f"{self.name}: elements are nested more than {_DEEPEST} deep; no KML "
                "needs that"
            )
        self._tags.append(tag)
        if tag in _NOT_FOLLOWED:
            self.left_out[tag] += 1
        if self._builder is not None:
            self._builder.start(tag, attributes)
        elif tag == "Placemark":
            self._builder = ET.TreeBuilder()
            self._builder.start(tag, attributes)
            self._inside = len(self._tags)
        elif tag in _FOLDERS:
            self._folders.append("")
        elif tag == "SimpleField" and attributes.get("name"):
            kind = attributes.get("type", "").lower()
            whole, real = kind in _WHOLE, kind in _REAL
            said = "whole" if whole else "real" if real else "text"
            said = "truth" if kind == "bool" else said
            column = attributes["name"]
            known = self.types.setdefault(column, said)
            self.types[column] = said if known == said else "text"
        self._text = []

    def _characters(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)
        elif len(self._tags) > 1 and self._tags[-1] == "name":
            self._text.append(text)

    def _end(self, tag: str) -> None:
        tag = local_name(tag)
        if self._builder is not None:
            self._builder.end(tag)
            if len(self._tags) == self._inside:
                placemark = self._builder.close()
                self._builder = None
                self._ready.append(self._row(placemark))
        elif tag in _FOLDERS:
            self._folders.pop()
        elif tag == "name" and self._folders and self._tags[-2] in _FOLDERS:
            # The document's own name is that of the layer, not of a folder.
            is_folder = self._tags[-2] == "Folder"
            self._folders[-1] = "".join(self._text).strip() if is_folder else ""
        self._tags.pop()

    def _row(self, placemark: ET.Element) -> tuple[dict[str, str | None], bytes | None]:
        """Attributes and WKB of a Placemark; what is empty is None."""
        row: dict[str, str | None] = {}
        place: bytes | None = None
        data: dict[str, str | None] = {}
        for part in placemark:
            if part.tag in _OWN:
                said = _said(part)
                bare = plain_text(said) if part.tag == "description" else said
                row[_OWN[part.tag]] = bare or None
            elif part.tag in ("TimeStamp", "TimeSpan"):
                for moment in part:
                    if moment.tag in _OWN:
                        row[_OWN[moment.tag]] = _said(moment) or None
            elif part.tag == "ExtendedData":
                data = _extended(part)
            elif place is None:
                place = self.places.wkb(part, row)
        if folder := "/".join(filter(None, self._folders)):
            row["folder"] = folder
        self._merge(data, row)
        return row, place

    def _merge(self, data: dict[str, str | None], row: dict[str, str | None]) -> None:
        """Add the fields of a Placemark to its row, under names that are free."""
        for column, text in data.items():
            free = column
            if column in row or column in _TAKEN:
                if row.get(column) == text and column != "geometry":
                    continue
                free = f"data_{column}"
                self.renamed.add(column)
                if column in self.types:
                    self.types[free] = self.types[column]
            row[free] = text


def _extended(extended: ET.Element) -> dict[str, str | None]:
    """Fields of ``<Data>`` and of ``<SchemaData>``, by name."""
    found: dict[str, str | None] = {}
    for part in extended:
        if part.tag == "Data":
            value = part.find("value")
            found[part.get("name", "") or "data"] = (
                _said(value) or None if value is not None else None
            )
        elif part.tag == "SchemaData":
            for cell in part.iter("SimpleData"):
                found[cell.get("name", "") or "data"] = _said(cell) or None
        elif not len(part):
            found[part.tag] = _said(part) or None  # of another namespace
    return found


def _said(element: ET.Element) -> str:
    """Text of an element and what it holds."""
    return "".join(element.itertext()).strip()


_BREAKS = re.compile(r"<\s*(?:br|/p|/div|/tr|/li|/h\d|/table)\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL
)
_TAGS = re.compile(r"</?[A-Za-z!][^<>]*>")


def plain_text(text: str) -> str:
    r"""Strip a description of its HTML.

    Parameters
    ----------
    text
        As it stands in a balloon.

    Returns
    -------
    str
        Its words, a line break where HTML has one.

    Examples
    --------
    >>> plain_text("<b>Ore</b> &amp; slag<br>1951 < 1960<script>alert(1)</script>")
    'Ore & slag\n1951 < 1960'
    """
    bare = _TAGS.sub("", _BREAKS.sub("\n", _UNSEEN.sub("", text)))
    lines = [" ".join(line.split()) for line in html.unescape(bare).splitlines()]
    return "\n".join(line for line in lines if line)


def _fits(text: str, kind: str) -> bool:
    """Say whether a value is of the type that its schema declares."""
    try:
        _typed(text, kind)
    except ValueError:
        return False
    return True


def _typed(text: str | None, kind: str) -> object:
    """Turn a value into its type."""
    if text is None or kind == "text":
        return text
    if kind == "truth":
        truths = {"1": True, "true": True, "0": False, "false": False}
        if text.lower() not in truths:
            raise ValueError(text)
        return truths[text.lower()]
    if kind == "whole":
        whole = int(text)
        if abs(whole) >= 1 << 63:
            raise ValueError(text)
        return whole
    return float(text)


def _utf8(file: Path, name: str) -> Iterator[bytes]:
    """Bytes of an XML file as UTF-8, whatever it declares."""
    with file.open("rb") as stream:
        head = stream.read(256)
        stream.seek(0)
        label = declared_encoding(head)
        codec = known_encoding(label) if label else "utf-8-sig"
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            codec = "utf-16"
        elif head.startswith(codecs.BOM_UTF8):
            codec = "utf-8-sig"
        if codec is None:
            raise ReadError(
                f"{name} declares the encoding {label[:40]!r}, which is not known"
            )
        decoder = codecs.getincrementaldecoder(codec)("strict")
        try:
            while chunk := stream.read(_CHUNK):
                yield decoder.decode(chunk).encode()
            yield decoder.decode(b"", True).encode()
        except UnicodeError as error:
            raise ReadError(
                f"{name} is no text in {codec}, as it says or as XML is by default: "
                f"{str(error)[:120]}"
            ) from None

"""Check of what a GeoPackage's layers wear in QGIS."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from typing import TYPE_CHECKING

from layers.export.qgis.elements import quoted_name
from layers.export.qgis.metadata import SCHEMA

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping

_STYLE = (
    "SELECT f_table_catalog, f_table_schema, f_geometry_column, useAsDefault, styleQML "
    "FROM layer_styles WHERE f_table_name = ?"
)
_METADATA = (
    "SELECT m.metadata FROM gpkg_metadata m JOIN gpkg_metadata_reference r "
    "ON r.md_file_id = m.id WHERE r.reference_scope = 'table' "
    "AND r.table_name = ? AND m.md_standard_uri = ?"
)
_WORDS = {
    "title": "title",
    "abstract": "abstract",
    "license": "licence",
    "rights": "credit line (rights)",
}
_SOURCE = re.compile(r"\./([^/|]+)\|layername=([a-z0-9_]+)")
_BESIDE = re.compile(r"\./[^/\\|:?]+\.tif")
_LARGEST_PROJECT = 50_000_000


class DressCheck:
    """What the layers of one file wear.

    Parameters
    ----------
    file
        An open GeoPackage that has the tables of styles, metadata and projects.
    sheets
        ``features`` or ``attributes`` by the name of the layer or table.
    name
        Name of the file.
    words
        Look for title, abstract, licence and credit line, which a layer may lack.
    marks
        Look in all rows for marks that no symbol draws.
    """

    def __init__(
        self,
        file: sqlite3.Connection,
        sheets: Mapping[str, str],
        name: str,
        *,
        words: bool = True,
        marks: bool = True,
    ) -> None:
        self.file = file
        self.sheets = sheets
        self.name = name
        self.words = words
        self.marks = marks

    def problems(self) -> Iterator[str]:
        """Look for every problem.

        Yields
        ------
        str
            A sentence.
        """
        for sheet, kind in self.sheets.items():
            yield from self._style(sheet, kind)
            yield from self._metadata(sheet)
        yield from self._project()

    def _columns(self, sheet: str) -> list[str]:
        """Columns of a sheet without feature id and geometry."""
        geometry = self._geometry(sheet)
        rows = self.file.execute(f"PRAGMA table_info({quoted_name(sheet)})")
        return [row[1] for row in rows if row[1] not in ("fid", geometry)]

    def _geometry(self, sheet: str) -> str:
        """Column of a layer's geometries; empty for a table."""
        row = self.file.execute(
            "SELECT column_name FROM gpkg_geometry_columns WHERE table_name = ?",
            (sheet,),
        ).fetchone()
        return str(row[0]) if row else ""

    def _style(self, sheet: str, kind: str) -> Iterator[str]:
        """Problems of a style that QGIS would not find, or not be able to use."""
        rows = self.file.execute(_STYLE, (sheet,)).fetchall()
        defaults = [row for row in rows if row[3] == 1]
        if len(defaults) != 1:
            yield f"{sheet} has {len(defaults)} default styles; expected one."
            return
        catalog, schema, geometry, _, text = defaults[0]
        if catalog != "" or schema != "":
            yield (
                f"{sheet}: the style's f_table_catalog and f_table_schema are "
                f"{catalog!r} and {schema!r}; expected '' and ''. QGIS does not load a "
                "style whose schema is NULL."
            )
        if geometry != self._geometry(sheet):
            yield (
                f"{sheet}: the style is for the geometry column {geometry!r}; "
                f"expected {self._geometry(sheet)!r}."
            )
        style = _parsed(text)
        if style is None:
            yield f"{sheet}: the style is no XML."
            return
        yield from self._aliases(sheet, style)
        if kind == "features":
            yield from self._renderer(sheet, style)

    def _renderer(self, sheet: str, style: ET.Element) -> Iterator[str]:
        """Name marks that a style does not draw."""
        renderer = style.find("renderer-v2")
        if renderer is None:
            yield f"{sheet}: the style draws nothing."
            return
        if renderer.get("type") != "categorizedSymbol":
            return
        attribute = renderer.get("attr", "")
        if attribute not in self._columns(sheet):
            yield f"{sheet}: the style reads the column {attribute!r}; there is none."
            return
        drawn = {c.get("value") for c in renderer.iterfind("categories/category")}
        symbols = {s.get("name") for s in renderer.iterfind("symbols/symbol")}
        used = {c.get("symbol") for c in renderer.iterfind("categories/category")}
        if not used <= symbols:
            yield f"{sheet}: the style has categories without symbols."
        if not self.marks:
            return
        column = quoted_name(attribute)
        marks = self.file.execute(
            f"SELECT DISTINCT {column} FROM {quoted_name(sheet)} WHERE {column} <> ''"
        )
        unknown = sorted(str(mark) for (mark,) in marks if mark not in drawn)
        if unknown:
            yield f"{sheet}: the style does not draw the marks {', '.join(unknown)}."

    def _aliases(self, sheet: str, style: ET.Element) -> Iterator[str]:
        """Columns without a name for people."""
        styled = {
            a.get("field"): a.get("name", "") for a in style.iterfind("aliases/alias")
        }
        described = dict(
            self.file.execute(
                "SELECT column_name, title FROM gpkg_data_columns WHERE table_name = ?",
                (sheet,),
            )
        )
        for column in self._columns(sheet):
            if not styled.get(column):
                yield f"{sheet}.{column} has no alias in the style."
            if not described.get(column):
                yield f"{sheet}.{column} has no title in gpkg_data_columns."

    def _metadata(self, sheet: str) -> Iterator[str]:
        """Words that the metadata of a sheet lack."""
        rows = self.file.execute(_METADATA, (sheet, SCHEMA)).fetchall()
        if len(rows) != 1:
            yield f"{sheet} has {len(rows)} metadata documents; expected one."
            return
        document = _parsed(rows[0][0])
        if document is None:
            yield f"{sheet}: the metadata are no XML."
            return
        for tag, words in _WORDS.items() if self.words else ():
            if not (document.findtext(tag) or "").strip():
                yield f"{sheet}: the metadata have no {words}."

    def _project(self) -> Iterator[str]:
        """Problems of the project inside the file."""
        rows = self.file.execute("SELECT name, content FROM qgis_projects").fetchall()
        if len(rows) != 1:
            yield f"There are {len(rows)} projects in the file; expected one."
            return
        title, content = rows[0]
        project = _unpacked(content)
        if project is None:
            yield f"The project {title!r} cannot be unpacked."
            return
        yield from self._sources(project)
        yield from self._relations(project)

    def _sources(self, project: ET.Element) -> Iterator[str]:
        """Layers of the project that stand elsewhere, nowhere, or are left out."""
        shown = set()
        for layer in project.iterfind("projectlayers/maplayer"):
            source = layer.findtext("datasource") or ""
            if layer.get("type") == "raster":
                if not _BESIDE.fullmatch(source):
                    yield (
                        f"The project reads the raster {source[:120]!r}; expected a "
                        "GeoTIFF beside the file."
                    )
                continue
            found = _SOURCE.fullmatch(source)
            if found is None or found[1] != self.name:
                yield (
                    f"The project reads {source[:120]!r}; expected a layer of "
                    f"./{self.name}."
                )
            elif found[2] not in self.sheets:
                yield f"The project reads the layer {found[2]!r}; there is none."
            else:
                shown.add(found[2])
        for sheet in self.sheets:
            if sheet not in shown:
                yield f"{sheet} is not in the project."

    def _relations(self, project: ET.Element) -> Iterator[str]:
        """Relations whose ends are not there."""
        layers = {
            layer.findtext("id"): (layer.findtext("datasource") or "").rpartition("=")[
                2
            ]
            for layer in project.iterfind("projectlayers/maplayer")
        }
        for relation in project.iterfind("relations/relation"):
            name = relation.get("name", "")
            pair = relation.find("fieldRef")
            for end, column in (
                ("referencingLayer", "referencingField"),
                ("referencedLayer", "referencedField"),
            ):
                sheet = layers.get(relation.get(end))
                if sheet is None or sheet not in self.sheets:
                    yield (
                        f"The relation {name!r} names the layer "
                        f"{relation.get(end)!r}; there is none."
                    )
                    continue
                field = pair.get(column) if pair is not None else None
                if field not in self._columns(sheet):
                    yield f"The relation {name!r} names {sheet}.{field}; there is none."


def _parsed(text: object) -> ET.Element | None:
    """XML of ours, or None; a document type with entities is none of ours."""
    if not isinstance(text, str) or "<!ENTITY" in text:
        return None
    try:
        return ET.fromstring(text)
    except ET.ParseError:
        return None


def _unpacked(content: object) -> ET.Element | None:
    """Project inside the hexadecimal text of a ``.qgz``, or None."""
    text = content.decode("ascii", "replace") if isinstance(content, bytes) else content
    try:
        archive = zipfile.ZipFile(io.BytesIO(bytes.fromhex(str(text))))
        [entry] = [e for e in archive.infolist() if e.filename.endswith(".qgs")]
        if entry.file_size > _LARGEST_PROJECT:
            return None
        return _parsed(archive.read(entry).decode())
    except (ValueError, zipfile.BadZipFile):
        return None

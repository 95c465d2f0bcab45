"""Tables of a GeoPackage that dress its layers: styles, names, metadata, a project."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from layers.export.geopackage_relations import relate
from layers.export.qgis.metadata import SCHEMA, metadata_document
from layers.export.qgis.qml import alias, columns, style_document

if TYPE_CHECKING:
    from pathlib import Path

    from layers.export.content import Content, Sheet

GEOMETRY = "geom"
"""Column of the geometries."""

_TABLES = """
CREATE TABLE IF NOT EXISTS gpkg_extensions (
  table_name TEXT, column_name TEXT, extension_name TEXT NOT NULL,
  definition TEXT NOT NULL, scope TEXT NOT NULL,
  CONSTRAINT ge_tce UNIQUE (table_name, column_name, extension_name));
CREATE TABLE gpkg_data_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, name TEXT, title TEXT,
  description TEXT, mime_type TEXT, constraint_name TEXT,
  CONSTRAINT pk_gdc PRIMARY KEY (table_name, column_name),
  CONSTRAINT gdc_tn UNIQUE (table_name, name));
CREATE TABLE gpkg_data_column_constraints (
  constraint_name TEXT NOT NULL, constraint_type TEXT NOT NULL, value TEXT,
  min NUMERIC, min_is_inclusive BOOLEAN, max NUMERIC, max_is_inclusive BOOLEAN,
  description TEXT,
  CONSTRAINT gdcc_ntv UNIQUE (constraint_name, constraint_type, value));
CREATE TABLE gpkg_metadata (
  id INTEGER CONSTRAINT m_pk PRIMARY KEY ASC NOT NULL,
  md_scope TEXT NOT NULL DEFAULT 'dataset', md_standard_uri TEXT NOT NULL,
  mime_type TEXT NOT NULL DEFAULT 'text/xml', metadata TEXT NOT NULL DEFAULT '');
CREATE TABLE gpkg_metadata_reference (
  reference_scope TEXT NOT NULL, table_name TEXT, column_name TEXT,
  row_id_value INTEGER,
  timestamp DATETIME NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  md_file_id INTEGER NOT NULL, md_parent_id INTEGER,
  CONSTRAINT crmr_mfi_fk FOREIGN KEY (md_file_id) REFERENCES gpkg_metadata(id),
  CONSTRAINT crmr_mpi_fk FOREIGN KEY (md_parent_id) REFERENCES gpkg_metadata(id));
CREATE TABLE layer_styles (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),
  f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256),
  styleName TEXT(30), styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN,
  description TEXT, owner TEXT(30), ui TEXT(30),
  update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')));
CREATE TABLE qgis_projects (name TEXT PRIMARY KEY, metadata BLOB, content BLOB);
"""

_EXTENSIONS = (
    ("gpkg_data_columns", "gpkg_schema", "schema"),
    ("gpkg_data_column_constraints", "gpkg_schema", "schema"),
    ("gpkg_metadata", "gpkg_metadata", "metadata"),
    ("gpkg_metadata_reference", "gpkg_metadata", "metadata"),
)
_SPECIFICATION = "http://www.geopackage.org/spec120/#extension_"


def dress(content: Content, path: Path, file: str, project: bytes) -> None:
    """Add styles, names, metadata, relations and a project to a new GeoPackage.

    Parameters
    ----------
    content
        What it holds.
    path
        A GeoPackage with a table for each sheet, and nothing else.
    file
        Name under which it will stand.
    project
        The project, as :func:`layers.export.qgis.project.project_archive` packs it.

    Raises
    ------
    sqlite3.Error
        If the file cannot be written.
    """
    moment = f"{content.dated.isoformat()}T00:00:00.000Z"
    with closing(sqlite3.connect(path, isolation_level=None)) as file_:
        file_.execute("PRAGMA synchronous = OFF")  # the caller syncs the whole file
        file_.execute("PRAGMA journal_mode = OFF")
        file_.execute("BEGIN")
        for statement in _TABLES.split(";\n"):
            file_.execute(statement)
        file_.executemany(
            "INSERT INTO gpkg_extensions VALUES (?, NULL, ?, ?, 'read-write')",
            [(t, name, _SPECIFICATION + end) for t, name, end in _EXTENSIONS],
        )
        for number, sheet in enumerate(content.sheets, start=1):
            _describe(file_, sheet, content, number, moment)
        file_.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, "
            "description, last_change) VALUES ('layer_styles', 'attributes', "
            "'layer_styles', 'Default styles, as QGIS reads them', ?)",
            (moment,),
        )
        relate(file_, content)
        about = {"last_modified_time": moment, "last_modified_user": "", "file": file}
        file_.execute(
            "INSERT INTO qgis_projects VALUES (?, ?, ?)",
            (content.id, json.dumps(about).encode(), project.hex().encode()),
        )
        file_.execute("COMMIT")


def _describe(
    file: sqlite3.Connection, sheet: Sheet, content: Content, number: int, moment: str
) -> None:
    """Add what one sheet wears."""
    seen: set[str] = set()
    for name in columns(sheet):
        field = sheet.fields.get(name)
        spoken = alias(name, field)
        unique = spoken if spoken not in seen else f"{spoken} ({name})"
        seen.add(unique)
        file.execute(
            "INSERT INTO gpkg_data_columns (table_name, column_name, name, title, "
            "description) VALUES (?, ?, ?, ?, ?)",
            (sheet.id, name, unique, spoken, field.about if field else ""),
        )
    file.execute(
        "INSERT INTO gpkg_metadata VALUES (?, 'dataset', ?, 'text/xml', ?)",
        (number, SCHEMA, metadata_document(sheet, content)),
    )
    file.execute(
        "INSERT INTO gpkg_metadata_reference VALUES "
        "('table', ?, NULL, NULL, ?, ?, NULL)",
        (sheet.id, moment, number),
    )
    # QGIS lists a style whose schema is NULL, and does not load it.
    file.execute(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, "
        "f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, "
        "owner, ui, update_time) VALUES ('', '', ?, ?, ?, ?, '', 1, ?, '', NULL, ?)",
        (
            sheet.id,
            GEOMETRY if sheet.geometry else "",
            sheet.id,
            style_document(sheet, content),
            sheet.title,
            moment,
        ),
    )

"""An export as a Frictionless data package: CSV and GeoJSON with one descriptor.

A layer is two resources: its rows with their places as CSV, which the Table Schema
describes and to which foreign keys lead, and the same rows as GeoJSON for maps.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.export import catalogue_losses
from layers.export.columns import cells_of, holds, row_ids, values_of
from layers.export.folders import files_in, replacing_folder, sha256
from layers.export.geojson import write_collection
from layers.export.licences import copy_licences, web_address
from layers.export.names import check_names
from layers.export.tables import place_names, write_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layers.export.content import Content, Sheet
    from layers.export.values import Kind, Values

LOSSES = catalogue_losses.DATAPACKAGE
"""What the format changes."""

DESCRIPTOR = "datapackage.json"

_TYPES: dict[Kind, str] = {
    "text": "string",
    "whole": "integer",
    "number": "number",
    "truth": "boolean",
    "date": "date",
    "time": "datetime",
    "decimal": "number",
    "bytes": "string",
    "structure": "array",
}
_PLACES = (
    ("number", "Longitude", "degrees", "Longitude of a point on it, WGS 84."),
    ("number", "Latitude", "degrees", "Latitude of a point on it, WGS 84."),
    (
        "string",
        "Place",
        "",
        "Shape as well-known text, longitude first, WGS 84.",
    ),
)


def write_datapackage(
    content: Content,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write all sheets as a data package.

    Parameters
    ----------
    content
        What to write; its rasters are copied as they are.
    path
        Folder; one that an earlier export wrote is replaced whole or not at all.
    progress
        Takes sheets written and sheets in all.

    Returns
    -------
    tuple of pathlib.Path
        The descriptor, then the other files.

    Raises
    ------
    WriteError
        If the folder cannot be written, or holds other files.
    SchemaError
        If a name is no plain one, or an id is missing or stands twice.
    geo.errors.CRSMismatchError
        If a layer is not in EPSG:4326.
    """
    check_names(content)
    with replacing_folder(path) as folder:
        (folder / "data").mkdir()
        licences = copy_licences((s.licence for s in content.sheets), folder)
        resources: list[dict[str, Any]] = []
        parts = values_of(content)
        for done, sheet in enumerate(content.sheets, start=1):
            keys = _foreign_keys(content, sheet, parts)
            resources += _resources(parts[sheet.id], keys, folder, licences)
            if progress is not None:
                progress(done, len(content.sheets))
        for raster_id, source in content.rasters.items():
            resources.append(_raster(raster_id, source, folder))
        text = json.dumps(_descriptor(content, resources), ensure_ascii=False, indent=2)
        (folder / DESCRIPTOR).write_text(text + "\n", encoding="utf-8", newline="\n")
    written = files_in(path)
    first = path / DESCRIPTOR
    return first, *(file for file in written if file != first)


def _descriptor(content: Content, resources: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe the package."""
    return {
        "profile": "data-package",
        "name": content.id,
        "title": content.title,
        "description": content.abstract,
        "version": content.version,
        "created": f"{content.dated.isoformat()}T00:00:00Z",
        "contributors": [{"title": "Lodemap", "role": "wrangler"}],
        "resources": resources,
    }


def _resources(
    values: Values,
    keys: list[dict[str, Any]],
    folder: Path,
    licences: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Write a sheet and describe its one or two files."""
    sheet = values.sheet
    about = _about(sheet, licences)
    table = folder / "data" / f"{sheet.id}.csv"
    with table.open("wb") as stream:
        write_rows(values, stream, exact=True)
    found = [
        {
            "name": sheet.id,
            "profile": "tabular-data-resource",
            **_file(table, folder, "csv", "text/csv"),
            "dialect": {"delimiter": ",", "lineTerminator": "\r\n"},
            **about,
            "schema": _schema(values, keys),
        }
    ]
    if sheet.geometry:
        places = folder / "data" / f"{sheet.id}.geojson"
        with places.open("wb") as stream:
            write_collection(values, stream, ids=row_ids(values))
        found.append(
            {
                "name": f"{sheet.id}-geojson",
                "profile": "data-resource",
                **_file(places, folder, "geojson", "application/geo+json"),
                **about,
            }
        )
    return found


def _raster(raster_id: str, source: Path, folder: Path) -> dict[str, Any]:
    """Copy a raster and describe it."""
    target = folder / "data" / f"{raster_id}{source.suffix}"
    target.write_bytes(source.read_bytes())
    return {
        "name": raster_id,
        "profile": "data-resource",
        **_file(target, folder, "tif", "image/tiff; application=geotiff"),
    }


def _file(path: Path, folder: Path, kind: str, media: str) -> dict[str, Any]:
    """Describe a file: where it is, how large, and its hash."""
    encoding = {} if media.startswith("image/") else {"encoding": "utf-8"}
    return {
        "path": path.relative_to(folder).as_posix(),
        "format": kind,
        "mediatype": media,
        **encoding,
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256(path)}",
    }


def _about(sheet: Sheet, licences: Mapping[str, str]) -> dict[str, Any]:
    """Describe what a sheet is and whose."""
    about: dict[str, Any] = {"title": sheet.title, "description": sheet.abstract}
    if sheet.licence:
        licence = {"name": sheet.licence}
        if sheet.licence in licences:
            licence["path"] = licences[sheet.licence]
        about["licenses"] = [licence]
    if sheet.source:
        source = {"title": sheet.source}
        if address := web_address(sheet.url):
            source["path"] = address
        about["sources"] = [source]
    if sheet.rights:
        about["rights"] = sheet.rights
    if sheet.retrieved:
        about["retrieved"] = sheet.retrieved.isoformat()
    return about


def _schema(values: Values, keys: list[dict[str, Any]]) -> dict[str, Any]:
    """Describe the columns of a sheet's CSV, and what they refer to."""
    fields = [_field(values, name) for name in values.columns]
    fields += [
        {"name": name, "type": kind, "title": title, "description": words}
        | ({"unit": unit} if unit else {})
        for name, (kind, title, unit, words) in zip(
            place_names(values), _PLACES, strict=False
        )
    ]
    schema: dict[str, Any] = {"fields": fields, "missingValues": [""]}
    if _names_rows(values):
        schema["primaryKey"] = ["id"]
    if keys:
        schema["foreignKeys"] = keys
    return schema


def _foreign_keys(
    content: Content, sheet: Sheet, parts: Mapping[str, Values]
) -> list[dict[str, Any]]:
    """Describe the relations of a sheet that hold."""
    return [
        {
            "fields": [relation.child_field],
            "reference": {
                "resource": "" if relation.parent == sheet.id else relation.parent,
                "fields": [relation.parent_field],
            },
        }
        for relation in content.relations
        if relation.child == sheet.id and holds(parts, relation)
    ]


def _names_rows(values: Values) -> bool:
    """Tell whether a column ``id`` names each row once."""
    if "id" not in values.columns:
        return False
    ids = cells_of(values.columns["id"])
    return None not in ids and "" not in ids and len(set(ids)) == len(ids)


def _field(values: Values, name: str) -> dict[str, Any]:
    """Describe one column."""
    kind = values.kinds[name]
    field: dict[str, Any] = {"name": name, "type": _TYPES[kind]}
    if kind == "time":
        field["format"] = "any"
    if (words := values.sheet.fields.get(name)) is not None:
        field |= {"title": words.alias, "description": words.about}
        if words.unit:
            field["unit"] = words.unit
    if name == "id" and _names_rows(values):
        field["constraints"] = {"required": True, "unique": True}
    return field

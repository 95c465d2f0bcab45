"""GeoPackage that opens dressed: layers, evidence, styles, credits and a project."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from typing import TYPE_CHECKING, Any

import pyogrio

from layers.errors import SchemaError, WriteError
from layers.export.geopackage_check import check_written
from layers.export.qgis.project import project_archive
from layers.export.qgis.wardrobe import dress
from layers.export.sheet_rows import (
    FID,
    GEOMETRY,
    attributes,
    batches,
    check_name,
    geometries,
)
from layers.files import building, replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from layers.export.content import Content, Sheet

VERSION = "1.3"
"""Version of the format that is written."""

_CRS = "EPSG:4326"
_LOCK = threading.Lock()


def write_geopackage(
    content: Content,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write everything that an export holds to one GeoPackage that opens dressed.

    Parameters
    ----------
    content
        Layers in EPSG:4326, tables and how they are related.
    path
        File to write, ``.gpkg``. A file that stands there is replaced whole or not at
        all. The project beside it has the same name and ends in ``.qgz``.
    progress
        Called with the rows written so far and their whole number.

    Returns
    -------
    tuple of pathlib.Path
        The GeoPackage and the project.

    Raises
    ------
    SchemaError
        If a value cannot be held as it is: an M coordinate, a list, a whole number
        beyond 64 bits; or a name is taken. The message names sheet, column and row.
    CRSMissingError, CRSMismatchError
        If a layer is not in EPSG:4326.
    WriteError
        If the name does not end in ``.gpkg``, the file cannot be written, or what was
        made is not whole. What stood there before is untouched.

    Notes
    -----
    Feature ids are 1 to n in the order of the rows, in the column ``fid``; the text
    ``id`` stays. Every sheet carries its style, the names of its columns, title,
    abstract, licence and credit line as QGIS reads them, and the file holds a project
    with the groups, the order and the first view of the page. The same content under
    the same name gives the same bytes, wherever and whenever it is written.

    Dressing takes the same time whatever the number of features.
    """
    _check_path(path)
    _check_names(content)
    total = sum(len(sheet.table) for sheet in content.sheets)
    written = 0

    def done(rows: int) -> None:
        nonlocal written
        written += rows
        if progress is not None:
            progress(written, total)

    project = path.with_suffix(".qgz")
    archive = project_archive(content, path.name)
    with building(path) as built:
        with _configured(content):
            for place, sheet in enumerate(content.sheets):
                _write_sheet(sheet, built, path.name, _identifier(content, place), done)
        try:
            dress(content, built, path.name, archive)
        except sqlite3.Error as error:
            raise WriteError(
                f"cannot write {path}: the file was cut short on the way ({error}); "
                "expected room on the disk. What stood there before is untouched."
            ) from error
        _require_whole(built, path.name, content)
    with replacing(project) as stream:
        stream.write(archive)
    return path, project


def _require_whole(built: Path, name: str, content: Content) -> None:
    """Refuse to give out a file that is not what it should be."""
    problems = check_written(built, content)
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise WriteError(
            f"cannot write {name}: what was made is not whole: {problems[0]}"
            f"{more} Write it again; if that does not help, report it. What stood "
            "there before is untouched."
        )


def _check_path(path: Path) -> None:
    """Refuse a name that GDAL would warn of, or that QGIS would take apart."""
    if path.suffix.lower() != ".gpkg" or "|" in path.name:
        raise WriteError(
            f"cannot write {path.name!r}; expected a name that ends in .gpkg and has "
            "no | in it. Nothing was written."
        )


def _check_names(content: Content) -> None:
    """Refuse an export without sheets, and names that stand twice."""
    if not content.sheets:
        raise SchemaError(
            f"{content.id} holds no sheets; expected at least one. Ask for a layer."
        )
    seen: set[str] = set()
    for sheet in content.sheets:
        check_name(sheet)
        if sheet.id in seen:
            raise SchemaError(
                f"two sheets are called {sheet.id!r}; expected names of their own. "
                "Give one another id."
            )
        seen.add(sheet.id)


def _identifier(content: Content, place: int) -> str:
    """Title of a sheet, with its name where another has the same title."""
    sheet = content.sheets[place]
    same = sum(other.title == sheet.title for other in content.sheets)
    return sheet.title if sheet.title and same == 1 else f"{sheet.title} ({sheet.id})"


def _write_sheet(
    sheet: Sheet,
    built: Path,
    name: str,
    identifier: str,
    done: Callable[[int], None],
) -> None:
    """Write the rows of one sheet to the file that is to have a name."""
    table = attributes(sheet)
    shapes, kind = geometries(sheet) if sheet.geometry else (None, None)
    options = {"IDENTIFIER": identifier, "DESCRIPTION": sheet.abstract, "FID": FID}
    places: dict[str, Any] = {}
    if sheet.geometry:
        options |= {"GEOMETRY_NAME": GEOMETRY, "SPATIAL_INDEX": "YES"}
        places = {"geometry_name": GEOMETRY, "geometry_type": kind, "crs": _CRS}
    stopped: list[BaseException] = []

    def told(rows: int) -> None:
        # What is raised inside a stream reaches GDAL as words only.
        try:
            done(rows)
        except BaseException as error:
            stopped.append(error)
            raise

    try:
        pyogrio.write_arrow(
            batches(table, shapes, told),
            built,
            layer=sheet.id,
            driver="GPKG",
            dataset_options={"VERSION": VERSION},
            layer_options=options,
            **places,
        )
    except RuntimeError as error:
        if stopped:
            raise stopped[0] from None
        raise WriteError(
            f"cannot write {sheet.id} to {name}: {error}; expected room on the "
            "disk. What stood there before is untouched."
        ) from error


@contextlib.contextmanager
def _configured(content: Content) -> Iterator[None]:
    """Let GDAL take the day of the content for today, and leave it as it was."""
    wanted: Mapping[str, str] = {
        "OGR_CURRENT_DATE": f"{content.dated.isoformat()}T00:00:00.000Z",
        # One sync at the end does; a file that is cut short is never renamed.
        "OGR_SQLITE_SYNCHRONOUS": "OFF",
        "OGR_SQLITE_JOURNAL": "OFF",
    }
    with _LOCK:
        before = {name: pyogrio.get_gdal_config_option(name) for name in wanted}
        pyogrio.set_gdal_config_options(dict(wanted))
        try:
            yield
        finally:
            pyogrio.set_gdal_config_options(before)

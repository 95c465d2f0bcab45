"""Check of a dressed GeoPackage: what QGIS would open undressed, or not at all."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import quote

from layers.export.geopackage_relations import relation_problems
from layers.export.qgis.dress_check import DressCheck
from layers.export.qgis.elements import quoted_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from layers.export.content import Content, Sheet

APPLICATION_ID = 0x47504B47
"""``GPKG``, as the header of the file has it."""

_NEEDED = (
    "gpkg_spatial_ref_sys",
    "gpkg_contents",
    "gpkg_extensions",
    "gpkg_data_columns",
    "gpkg_data_column_constraints",
    "gpkg_metadata",
    "gpkg_metadata_reference",
    "layer_styles",
    "qgis_projects",
)
_EXTENSIONS = (
    ("gpkg_data_columns", "gpkg_schema"),
    ("gpkg_data_column_constraints", "gpkg_schema"),
    ("gpkg_metadata", "gpkg_metadata"),
    ("gpkg_metadata_reference", "gpkg_metadata"),
)
_SMALL = 20_000_000
"""Size up to which all pages and marks of a new file are looked at. [B]"""

_HEADER = b"SQLite format 3\x00"


def check_geopackage(path: Path) -> tuple[str, ...]:
    """Find what is wrong with a GeoPackage that should open dressed.

    Parameters
    ----------
    path
        The file. It is only read.

    Returns
    -------
    tuple of str
        One sentence a problem; empty if there is none. If the file is no whole
        database, that is the only one.

    Notes
    -----
    Meant for files of :func:`layers.export.geopackage.write_geopackage`: whatever that
    function puts into a file is looked for. It reads ids and marks of all features, but
    no geometry.
    """
    broken = _broken(path)
    if broken:
        return (broken,)
    return _asked(path, lambda file: _problems(file, path.name))


def check_written(path: Path, content: Content) -> tuple[str, ...]:
    """Find what is wrong with a GeoPackage that was just written.

    Parameters
    ----------
    path
        The file. It is only read.
    content
        What it should hold.

    Returns
    -------
    tuple of str
        One sentence a problem; empty if there is none.

    Notes
    -----
    What :func:`check_geopackage` looks for, but for words that a layer may lack, for
    ids, which are data, and for what takes the longer the more features there are.
    Numbers of rows and of places are compared with the content instead; pages of
    the file, places and marks are read where there are few.
    """
    broken = _broken(path)
    if broken:
        return (broken,)
    return _asked(path, lambda file: _written(file, path, content))


def _asked(
    path: Path, ask: Callable[[sqlite3.Connection], Iterable[str]]
) -> tuple[str, ...]:
    """Ask a file that is only read for its problems."""
    # Immutable: nothing is locked, and no other file is made beside it.
    address = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as file:
            return tuple(ask(file))
    except sqlite3.DatabaseError as error:
        return (f"{path.name} is damaged: {error}.",)


def _broken(path: Path) -> str:
    """Say why a file is no whole GeoPackage; empty if it is one."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(100)
    except OSError as error:
        return f"{path.name} cannot be read: {error.strerror}."
    if len(head) < 100 or not head.startswith(_HEADER):
        return f"{path.name} is no SQLite database, so no GeoPackage."
    page = int.from_bytes(head[16:18], "big")
    whole = (65_536 if page == 1 else page) * int.from_bytes(head[28:32], "big")
    if size != whole:
        return f"{path.name} has {size} bytes; its header says {whole}. It is cut off."
    if int.from_bytes(head[68:72], "big") != APPLICATION_ID:
        return f"{path.name} is a database whose header does not say GPKG."
    return ""


def _problems(file: sqlite3.Connection, name: str) -> Iterator[str]:
    """Every problem of a whole file, one after another."""
    found = file.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        yield f"{name} is damaged: {found}."
        return
    tables = _tables(file)
    missing = [table for table in _NEEDED if table not in tables]
    if missing:
        yield f"Tables are missing: {', '.join(missing)}."
        return
    sheets = _sheets(file)
    if not sheets:
        yield "It holds no layers."
    yield from _extensions(file, sheets)
    for sheet, kind in sheets.items():
        if sheet not in tables:
            yield f"{sheet} is listed, but there is no such table."
            continue
        yield from _described(file, sheet)
        yield from _rows(file, sheet)
        if kind == "features":
            yield from _places(file, sheet, tables)
    yield from relation_problems(file)
    known = {sheet: kind for sheet, kind in sheets.items() if sheet in tables}
    yield from DressCheck(file, known, name).problems()


def _written(file: sqlite3.Connection, path: Path, content: Content) -> Iterator[str]:
    """Problems of a file that was just written, a few of each feature."""
    tables = _tables(file)
    missing = [table for table in _NEEDED if table not in tables]
    if missing:
        yield f"Tables are missing: {', '.join(missing)}."
        return
    few = path.stat().st_size <= _SMALL
    for part in ("1",) if few else _NEEDED:
        found = file.execute(f"PRAGMA quick_check({part})").fetchone()[0]
        if found != "ok":
            yield f"{path.name} is damaged: {found}."
            return
    sheets = _sheets(file)
    yield from _extensions(file, sheets)
    for sheet in content.sheets:
        kind = "features" if sheet.geometry else "attributes"
        if sheets.get(sheet.id) != kind or sheet.id not in tables:
            yield f"{sheet.id} is not among its layers."
            continue
        yield from _counted(file, sheet)
        if sheet.geometry:
            yield from _places(file, sheet.id, tables, _placed(sheet))
    if few:
        yield from relation_problems(file)
    known = {sheet: kind for sheet, kind in sheets.items() if sheet in tables}
    yield from DressCheck(file, known, path.name, words=False, marks=few).problems()


def _tables(file: sqlite3.Connection) -> set[str]:
    return {row[0] for row in file.execute("SELECT name FROM sqlite_master")}


def _sheets(file: sqlite3.Connection) -> dict[str, str]:
    """Layers and tables as they are listed, and their kind."""
    return dict(
        file.execute(
            "SELECT table_name, data_type FROM gpkg_contents WHERE data_type IN "
            "('features', 'attributes') AND table_name <> 'layer_styles' "
            "ORDER BY rowid"
        ).fetchall()
    )


def _counted(file: sqlite3.Connection, sheet: Sheet) -> Iterator[str]:
    """Columns and rows of a sheet that are not those of the content."""
    table = quoted_name(sheet.id)
    names = [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
    own = [str(name) for name in sheet.table.columns]
    wanted = {"fid", *(n for n in own if n != "geometry" or not sheet.geometry)}
    lost = sorted(wanted - set(names))
    if lost:
        yield f"{sheet.id}: columns are missing: {', '.join(lost)}."
        return
    low, high = file.execute(f"SELECT min(fid), max(fid) FROM {table}").fetchone()
    rows = len(sheet.table)
    if (low, high) != ((1, rows) if rows else (None, None)):
        yield f"{sheet.id}: feature ids go from {low} to {high}; expected 1 to {rows}."
    listed = file.execute(
        "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (sheet.id,)
    ).fetchone()
    if listed is None or listed[0] != rows:
        said = listed[0] if listed else None
        yield f"{sheet.id}: gpkg_ogr_contents counts {said} rows; expected {rows}."


def _placed(sheet: Sheet) -> int:
    """Count rows of a layer whose geometry has a point."""
    import shapely

    shapes = sheet.table["geometry"].to_numpy()
    return int((~(shapely.is_missing(shapes) | shapely.is_empty(shapes))).sum())


def _extensions(file: sqlite3.Connection, sheets: dict[str, str]) -> Iterator[str]:
    """Styles that are not listed, and extensions used but not declared."""
    styles = "SELECT count(*) FROM gpkg_contents WHERE table_name = 'layer_styles'"
    if not file.execute(styles).fetchone()[0]:
        yield "The table layer_styles is not listed in gpkg_contents."
    declared = set(
        file.execute("SELECT lower(table_name), extension_name FROM gpkg_extensions")
    )
    wanted = list(_EXTENSIONS)
    wanted += [(s, "gpkg_rtree_index") for s, kind in sheets.items() if kind[0] == "f"]
    for table, extension in wanted:
        if (table, extension) not in declared:
            yield f"gpkg_extensions does not declare {extension} for {table}."


def _described(file: sqlite3.Connection, sheet: str) -> Iterator[str]:
    """Words that a layer lacks."""
    title, about = file.execute(
        "SELECT identifier, description FROM gpkg_contents WHERE table_name = ?",
        (sheet,),
    ).fetchone()
    if not (title or "").strip():
        yield f"{sheet} has no identifier in gpkg_contents."
    if not (about or "").strip():
        yield f"{sheet} has no description in gpkg_contents."


def _rows(file: sqlite3.Connection, sheet: str) -> Iterator[str]:
    """Feature ids that are not 1 to n, and ids that do not name one row."""
    table = quoted_name(sheet)
    names = [row[1] for row in file.execute(f"PRAGMA table_info({table})")]
    if not names or names[0] != "fid":
        yield f"{sheet}: the first column is not fid."
        return
    low, high, count = file.execute(
        f"SELECT min(fid), max(fid), count(*) FROM {table}"
    ).fetchone()
    if count and (low, high) != (1, count):
        yield f"{sheet}: feature ids go from {low} to {high}; expected 1 to {count}."
    if "id" not in names:
        return
    different, empty = file.execute(
        f"SELECT count(DISTINCT id), sum(id IS NULL OR id = '') FROM {table}"
    ).fetchone()
    if empty:
        yield f"{sheet}: {empty} rows have no id."
    elif different != count:
        yield f"{sheet}: {count} rows share {different} ids; expected one for each."
    listed = file.execute(
        "SELECT feature_count FROM gpkg_ogr_contents WHERE table_name = ?", (sheet,)
    ).fetchone()
    if listed and listed[0] is not None and listed[0] != count:
        yield f"{sheet}: gpkg_ogr_contents counts {listed[0]} rows; there are {count}."


def _places(
    file: sqlite3.Connection, sheet: str, tables: set[str], placed: int | None = None
) -> Iterator[str]:
    """Name a wrong CRS, and a spatial index that is not there or not whole."""
    column = file.execute(
        "SELECT column_name, srs_id FROM gpkg_geometry_columns WHERE table_name = ?",
        (sheet,),
    ).fetchone()
    if column is None:
        yield f"{sheet} is missing in gpkg_geometry_columns."
        return
    geometry, srs = column
    listed = file.execute(
        "SELECT c.srs_id, s.organization, s.organization_coordsys_id "
        "FROM gpkg_contents c LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = ? "
        "WHERE c.table_name = ?",
        (srs, sheet),
    ).fetchone()
    if listed[0] != srs:
        yield f"{sheet}: gpkg_contents says CRS {listed[0]}, its geometry {srs}."
    if (str(listed[1]).upper(), listed[2]) != ("EPSG", 4326):
        yield f"{sheet} is in {listed[1]}:{listed[2]}; expected EPSG:4326."
    # SQLite keeps an R-tree's entries in a plain table that needs no extension.
    index = f"rtree_{sheet}_{geometry}"
    if f"{index}_rowid" not in tables or index not in tables:
        yield f"{sheet} has no spatial index."
        return
    if placed is None:
        placed = _located(file, sheet, geometry)
    [entries] = file.execute(
        f"SELECT count(*) FROM {quoted_name(index + '_rowid')}"
    ).fetchone()
    if entries != placed:
        yield (
            f"{sheet}: the spatial index has {entries} entries for {placed} geometries."
        )


def _located(file: sqlite3.Connection, sheet: str, geometry: str) -> int:
    """Count geometries that are not marked as empty."""
    shape = quoted_name(geometry)
    geometries, blank = file.execute(
        f"SELECT count({shape}), sum((substr({shape}, 4, 1) = x'11') "
        f"OR (substr({shape}, 4, 1) = x'10')) FROM {quoted_name(sheet)}"
    ).fetchone()
    return int(geometries - (blank or 0))

"""Relations that a GeoPackage itself declares: keys that name rows of other tables."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from layers.export.qgis.elements import quoted_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layers.export.content import Content, Relation


def valid_relations(content: Content) -> list[Relation]:
    """Find the relations both of whose ends are there.

    Parameters
    ----------
    content
        An export.

    Returns
    -------
    list of Relation
        In their order.
    """
    names = {s.id: set(map(str, s.table.columns)) for s in content.sheets}
    return [
        r
        for r in content.relations
        if r.child_field in names.get(r.child, ())
        and r.parent_field in names.get(r.parent, ())
    ]


def relate(file: sqlite3.Connection, content: Content) -> None:
    """Declare the relations of an export in a GeoPackage that holds its sheets.

    Parameters
    ----------
    file
        An open GeoPackage, in a transaction.
    content
        What it holds.

    Raises
    ------
    sqlite3.Error
        If the file cannot be written.

    Notes
    -----
    A column that names rows of one other sheet becomes a foreign key of its table,
    which GDAL 3.6 and later, and QGIS 3.28 and later find by themselves. Only what
    holds is declared: each value once in the sheet that is referred to, none missing
    there. A column that names rows of several sheets cannot be one; the project knows
    those relations. The Related Tables Extension would take one more table for each
    relation, which new programs list among the layers.

    The rows stay as they are; the schema is edited as SQLite's manual says. A build of
    SQLite that forbids that leaves the keys out.
    """
    relations = valid_relations(content)
    ends = [(r.child, r.child_field) for r in relations]
    keys = [r for r in relations if ends.count((r.child, r.child_field)) == 1]
    keys = [relation for relation in keys if _holds(file, relation)]
    if not keys or not _may_edit(file):
        return
    [version] = file.execute("PRAGMA schema_version").fetchone()
    for parent, field in dict.fromkeys((r.parent, r.parent_field) for r in keys):
        index = quoted_name(f"idx_{parent}_{field}")
        file.execute(
            f"CREATE UNIQUE INDEX {index} ON {quoted_name(parent)} "
            f"({quoted_name(field)})"
        )
    file.execute("PRAGMA writable_schema = ON")
    for relation in keys:
        field, parent, key = map(
            quoted_name,
            (relation.child_field, relation.parent, relation.parent_field),
        )
        file.execute(
            "UPDATE sqlite_master SET sql = substr(sql, 1, length(sql) - 1) || ? "
            "WHERE type = 'table' AND name = ? AND substr(sql, -1) = ')'",
            (f", FOREIGN KEY ({field}) REFERENCES {parent} ({key}))", relation.child),
        )
    # So that whoever has the file open reads its schema again.
    file.execute(f"PRAGMA schema_version = {version + len(keys) + 1}")
    file.execute("PRAGMA writable_schema = OFF")


def relation_problems(file: sqlite3.Connection) -> Iterator[str]:
    """Find keys that name no row.

    Parameters
    ----------
    file
        An open GeoPackage.

    Yields
    ------
    str
        A sentence for each pair of tables.
    """
    found: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in file.execute("PRAGMA foreign_key_check"):
        found[table, parent] = found.get((table, parent), 0) + 1
    for (table, parent), count in found.items():
        yield f"{table}: {count} rows name rows of {parent} that are not there."


def _holds(file: sqlite3.Connection, relation: Relation) -> bool:
    """Tell whether each value names one row."""
    parent, key = quoted_name(relation.parent), quoted_name(relation.parent_field)
    child, field = quoted_name(relation.child), quoted_name(relation.child_field)
    rows, filled, different = file.execute(
        f"SELECT count(*), count({key}), count(DISTINCT {key}) FROM {parent}"
    ).fetchone()
    astray = file.execute(
        f"SELECT 1 FROM {child} WHERE {field} NOT IN (SELECT {key} FROM {parent}) "
        "LIMIT 1"
    ).fetchone()
    return rows == filled == different and astray is None


def _may_edit(file: sqlite3.Connection) -> bool:
    """Tell whether this SQLite lets its schema be edited."""
    file.execute("PRAGMA writable_schema = ON")
    try:
        file.execute("UPDATE sqlite_master SET sql = sql WHERE name IS NULL")
    except sqlite3.OperationalError:
        return False
    finally:
        file.execute("PRAGMA writable_schema = OFF")
    return True

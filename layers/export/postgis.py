"""An export as tables of a PostGIS database, styled and explained where QGIS looks."""

from __future__ import annotations

import logging
import re
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from layers.errors import ExtraMissingError, SchemaError, WriteError
from layers.export import catalogue_losses
from layers.export.columns import cells_of, holds, row_ids, values_of
from layers.export.postgis_tables import (
    column_comment,
    columns_of,
    placed,
    table_comment,
)
from layers.export.values import REPLACEMENT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layers.export.content import Content, Relation, Sheet

logger = logging.getLogger(__name__)

LOSSES = catalogue_losses.POSTGIS
"""What the format changes."""

SIGN = "Written by Lodemap."
"""Last line of a table's comment; only tables that have it are ever replaced."""

_BATCH = 5000

# As QGIS makes the table itself.
_STYLES = """CREATE TABLE public.layer_styles (
    id serial PRIMARY KEY, f_table_catalog varchar, f_table_schema varchar,
    f_table_name varchar, f_geometry_column varchar, stylename text, styleqml xml,
    stylesld xml, useasdefault boolean, description text,
    owner varchar(63) DEFAULT CURRENT_USER, ui xml,
    update_time timestamp DEFAULT CURRENT_TIMESTAMP)"""


def write_postgis(
    content: Content,
    path: str | Path,
    *,
    schema: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write all sheets as tables of a database, in one transaction.

    Each table has a whole number ``fid`` as primary key; layers have ``geom`` with a
    spatial index and a unique ``id``. Tables and columns carry comments. A relation
    whose every value is found becomes a foreign key. Styles go to
    ``public.layer_styles``, where QGIS looks for them; a user who may not write there
    gets the tables, and a warning is logged.

    Parameters
    ----------
    content
        What to write.
    path
        ``postgresql://user@host/database``; what it lacks, libpq takes from its own
        settings (``PGPASSWORD``, ``~/.pgpass``). ``?schema=`` names the schema.
    schema
        Schema for the tables, made if it is not there; the content's id with
        underscores if neither this nor the address names one. A table of the same name
        is replaced if an export wrote it.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple
        Empty: no file is written.

    Raises
    ------
    ExtraMissingError
        If psycopg is not installed.
    SchemaError
        If two sheets or two columns have the same name, or an id stands twice.
    WriteError
        If the database cannot be reached or refuses, has no PostGIS, holds a table of
        that name that no export wrote, or something else hangs on one that would be
        replaced. The database is untouched then.
    geo.errors.CRSMismatchError
        If a layer is not in EPSG:4326.

    Notes
    -----
    Privileges that were granted on a replaced table have to be granted again.
    """
    try:
        import psycopg
    except ImportError:
        raise ExtraMissingError(
            "psycopg is not installed; writing to a database needs it. "
            "Call: pip install 'lodemap[postgis]'"
        ) from None
    url, asked = _parted(str(path))
    schema = schema or asked or content.id.replace("-", "_")
    names = [sheet.id for sheet in content.sheets]
    if len(set(names)) < len(names) or "layer_styles" in names:
        raise SchemaError(
            f"{content.id}: two sheets have the same name, or one is named "
            "layer_styles; expected names of their own. Rename one."
        )
    try:
        with psycopg.connect(url, connect_timeout=15) as connection:
            _Writer(connection.cursor(), content, schema).write(progress)
    except psycopg.Error as error:
        raise WriteError(
            f"cannot write to {shown(url)}: {_reason(error, url)}; expected a database "
            "with PostGIS that this user may write to. It is untouched."
        ) from None
    return ()


def shown(url: str) -> str:
    """Write the address of a database without user, password and options.

    Examples
    --------
    >>> shown("postgresql://me:secret@db.example/atlas?sslmode=require")
    'postgresql://db.example/atlas'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


class _Writer:
    """One transaction that writes one content."""

    def __init__(self, cursor: Any, content: Content, schema: str) -> None:
        from psycopg import sql

        self.cursor, self.content, self.schema = cursor, content, schema
        self.values = values_of(content)
        self.columns = {id_: columns_of(v) for id_, v in self.values.items()}
        self.postgis = sql.Identifier("public")
        self.sql = sql

    def write(self, progress: Callable[[int, int], None] | None) -> None:
        """Replace the tables; the caller commits."""
        self._prepare()
        whole = sum(len(sheet.table) for sheet in self.content.sheets)
        done = 0

        def tell(rows: int) -> None:
            nonlocal done
            done += rows
            if progress is not None:
                progress(done, whole)

        for sheet in self.content.sheets:
            self._create(sheet)
            self._copy(sheet, tell)
        for sheet in self.content.sheets:
            self._finish(sheet)
        for relation in self.content.relations:
            self._relate(relation)
        self._dress()

    def _run(self, statement: str, *values: Any, **parts: Any) -> Any:
        """Run a statement; names are quoted, values are bound."""
        # Without values, a percent sign in a text is nothing but one.
        return self.cursor.execute(
            self.sql.SQL(statement).format(**parts), values or None
        )

    def _table(self, name: str) -> Any:
        return self.sql.Identifier(self.schema, name)

    def _prepare(self) -> None:
        """Make schema and extension, and take the old tables away."""
        self._run(
            "SELECT pg_advisory_xact_lock(hashtext(%s))", f"lodemap {self.schema}"
        )
        found = "SELECT nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = "
        found += "e.extnamespace WHERE extname = 'postgis'"
        if not (row := self._run(found).fetchone()):
            self._run("CREATE EXTENSION postgis")
            row = self._run(found).fetchone()
        self.postgis = self.sql.Identifier(row[0])
        # IF NOT EXISTS asks for the right to make one even where it is there.
        known = "SELECT FROM pg_namespace WHERE nspname = %s"
        if self._run(known, self.schema).fetchone() is None:
            self._run("CREATE SCHEMA {name}", name=self.sql.Identifier(self.schema))
        there = self._run(
            "SELECT relname, coalesce(obj_description(c.oid, 'pg_class'), '') FROM "
            "pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE nspname = %s AND relname = ANY(%s)",
            self.schema,
            list(self.columns),
        ).fetchall()
        for name, comment in there:
            if not comment.endswith(SIGN):
                raise WriteError(
                    f"the schema {self.schema} holds a table {name} that no export "
                    "wrote; expected none of that name. Name another schema: "
                    "add ?schema=NAME to the address. The database is untouched."
                )
        if there:
            tables = self.sql.SQL(", ").join(self._table(name) for name, _ in there)
            self._run("DROP TABLE {tables}", tables=tables)

    def _create(self, sheet: Sheet) -> None:
        columns = self.columns[sheet.id]
        parts = [
            self.sql.SQL("{} bigint GENERATED BY DEFAULT AS IDENTITY").format(
                self.sql.Identifier(columns.key)
            )
        ]
        parts += [
            self.sql.SQL("{} " + columns.types[name]).format(self.sql.Identifier(short))
            for name, short in columns.names.items()
        ]
        if sheet.geometry:
            kind, _ = placed(self.values[sheet.id])
            parts.append(
                self.sql.SQL("{} {}.geometry" + kind).format(
                    self.sql.Identifier(columns.place), self.postgis
                )
            )
        self._run(
            "CREATE TABLE {table} ({parts})",
            table=self._table(sheet.id),
            parts=self.sql.SQL(", ").join(parts),
        )

    def _copy(self, sheet: Sheet, tell: Callable[[int], None]) -> None:
        """Send the rows as one stream."""
        columns = self.columns[sheet.id]
        values: list[list[Any]] = [
            list(map(_kept, cells_of(column)))
            for column in self.values[sheet.id].columns.values()
        ]
        names = [columns.key, *columns.names.values()]
        if sheet.geometry:
            names.append(columns.place)
            values.append(placed(self.values[sheet.id])[1])
            row_ids(self.values[sheet.id])  # refuses ids that stand twice, by row
        statement = self.sql.SQL("COPY {} ({}) FROM STDIN").format(
            self._table(sheet.id),
            self.sql.SQL(", ").join(map(self.sql.Identifier, names)),
        )
        with self.cursor.copy(statement) as copy:
            rows = zip(count(1), *values, strict=False) if values else ()
            for number, row in enumerate(rows, start=1):
                copy.write_row(row)
                if number % _BATCH == 0:
                    tell(_BATCH)
        tell(len(sheet.table) % _BATCH)

    def _finish(self, sheet: Sheet) -> None:
        """Keys, indexes, comments and statistics of a table that is full."""
        table, columns = self._table(sheet.id), self.columns[sheet.id]
        key = self.sql.Identifier(columns.key)
        self._run("ALTER TABLE {table} ADD PRIMARY KEY ({key})", table=table, key=key)
        self._run(
            "ALTER TABLE {table} ALTER COLUMN {key} RESTART WITH {next}",
            table=table,
            key=key,
            next=self.sql.Literal(len(sheet.table) + 1),
        )
        if sheet.geometry and "id" in columns.names:
            self._unique(sheet.id, "id")
        if sheet.geometry:
            self._run(
                "CREATE INDEX ON {table} USING gist ({place})",
                table=table,
                place=self.sql.Identifier(columns.place),
            )
        self._comment("TABLE", table, f"{table_comment(sheet)}\n{SIGN}")
        for name, short in columns.names.items():
            if explained := column_comment(sheet, name):
                column = self.sql.Identifier(self.schema, sheet.id, short)
                self._comment("COLUMN", column, explained)
        self._run("ANALYZE {table}", table=table)

    def _comment(self, what: str, name: Any, text: str) -> None:
        self._run(
            f"COMMENT ON {what} {{name}} IS {{text}}",
            name=name,
            text=self.sql.Literal(text),
        )

    def _unique(self, sheet_id: str, name: str) -> None:
        """Make a column unique, once."""
        columns = self.columns[sheet_id]
        if name not in columns.unique:
            columns.unique.add(name)
            self._run(
                "ALTER TABLE {table} ADD UNIQUE ({name})",
                table=self._table(sheet_id),
                name=self.sql.Identifier(columns.names[name]),
            )

    def _relate(self, relation: Relation) -> None:
        """Make a relation a foreign key if it holds."""
        if not holds(self.values, relation):
            logger.debug(
                "%s.%s names rows that %s.%s does not have: no foreign key",
                relation.child,
                relation.child_field,
                relation.parent,
                relation.parent_field,
            )
            return
        child = self.columns[relation.child].names[relation.child_field]
        self._unique(relation.parent, relation.parent_field)
        names = {
            "table": self._table(relation.child),
            "child": self.sql.Identifier(child),
        }
        self._run(
            "ALTER TABLE {table} ADD FOREIGN KEY ({child}) REFERENCES {parent} ({key})",
            parent=self._table(relation.parent),
            key=self.sql.Identifier(
                self.columns[relation.parent].names[relation.parent_field]
            ),
            **names,
        )
        self._run("CREATE INDEX ON {table} ({child})", **names)

    def _may_dress(self) -> bool:
        """Make the table of styles if need be; say so where this user may not."""
        there = self._run("SELECT to_regclass('public.layer_styles')").fetchone()[0]
        asked = "SELECT has_schema_privilege('public', 'CREATE')"
        if there:
            asked = "SELECT bool_and(has_table_privilege('public.layer_styles', may)) "
            asked += "FROM unnest(ARRAY['SELECT', 'INSERT', 'DELETE']) may"
        if not (may := bool(self._run(asked).fetchone()[0])):
            logger.warning(
                "the tables are written, but this user may not write styles for QGIS "
                "into public.layer_styles"
            )
        elif not there:
            self._run(_STYLES)
        return may

    def _dress(self) -> None:
        """Store the styles; a default that a user chose stays the default."""
        from layers.export.qgis.qml import style_document

        if not self._may_dress():
            return
        names = [sheet.id for sheet in self.content.sheets]
        place = "f_table_catalog = current_database() AND f_table_schema = %s AND "
        place += "f_table_name"
        self._run(
            f"DELETE FROM public.layer_styles WHERE {place} = ANY(%s) "
            "AND description LIKE '%%' || %s",
            self.schema,
            names,
            SIGN,
        )
        for sheet in self.content.sheets:
            self._run(
                "INSERT INTO public.layer_styles (f_table_catalog, f_table_schema, "
                "f_table_name, f_geometry_column, stylename, styleqml, useasdefault, "
                "description) SELECT current_database(), %s, %s, %s, %s, "
                "XMLPARSE(DOCUMENT %s), NOT EXISTS (SELECT FROM public.layer_styles "
                f"WHERE {place} = %s AND useasdefault), %s",
                self.schema,
                sheet.id,
                self.columns[sheet.id].place if sheet.geometry else None,
                sheet.title,
                style_document(sheet, self.content),
                self.schema,
                sheet.id,
                f"{sheet.title}. {SIGN}",
            )


def _kept(cell: Any) -> Any:
    """Put a sign in the place of NUL characters, which PostgreSQL takes in no text."""
    return cell.replace("\0", REPLACEMENT) if isinstance(cell, str) else cell


def _parted(address: str) -> tuple[str, str | None]:
    """Part the schema from an address, which libpq would not take."""
    # A path takes one of the two slashes of an address away.
    address = re.sub(r"^(postgres(?:ql)?):/(?=[^/])", r"\1://", address)
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"postgresql", "postgres"}:
        raise WriteError(
            "what came is no address of a database; expected "
            "postgresql://user@host/database"
        )
    options = parse_qsl(parts.query, keep_blank_values=True)
    schema = dict(options).get("schema")
    query = urlencode(
        [pair for pair in options if pair[0] != "schema"], quote_via=quote
    )
    url = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return f"{url}?{query}" if query else url, schema


def _reason(error: Exception, url: str) -> str:
    """Say on one line what the database says, without the password."""
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    text = " ".join(str(error).split()) or type(error).__name__
    try:
        password = conninfo_to_dict(url).get("password")
    except ProgrammingError:
        return "the address cannot be read"
    return text.replace(str(password), "…") if password else text

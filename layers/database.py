"""SQL over what ships and what an analyst names, closed to every other file.

The engine is DuckDB with its spatial extension, in memory. Geometry is in EPSG:4326,
longitude first.
"""

from __future__ import annotations

import inspect
import json
import re
import warnings
from copy import deepcopy
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.arrow import LONLAT_WKB, from_arrow, off_the_globe, to_arrow
from layers.catalogue import catalogue, load, load_table
from layers.crs_names import opens_nothing
from layers.engine import MEMORY_GB, connect, one_line, run
from layers.errors import LayerNotFoundError, QueryError
from layers.geodesics import add_geodesics
from layers.join_calls import JOIN_CALLS, join_rows, table_name
from layers.statement import (
    TABLE_FUNCTIONS,
    calls,
    parse,
    resolve,
    select,
    select_from,
    select_from_table,
    unparse,
)
from layers.tabular_files import read_geoparquet, read_tabular
from layers.units import MeasureWarning, flips_axes, warnings_about

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from os import PathLike

    import geopandas as gpd
    import pandas as pd
    import pyarrow as pa

    from geo.errors import GeoError
    from layers.statement import Node, Statement

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
_TABLES = "tables"
_WRONG = """("{0}" IS NULL OR ST_IsEmpty("{0}") OR NOT ST_IsValid("{0}")
OR NOT (ST_XMin("{0}") >= -180 AND ST_XMax("{0}") <= 180)
OR NOT (ST_YMin("{0}") >= -90 AND ST_YMax("{0}") <= 90))"""
"""What no geometry of a layer may be."""


def sql(
    query: str,
    *,
    files: Mapping[str, str | PathLike[str]] | None = None,
    memory_gb: float = MEMORY_GB,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pd.DataFrame | gpd.GeoDataFrame:
    """Answer one query over the layers that ship and the files that are named.

    Parameters
    ----------
    query
        One SELECT (or WITH, FROM, VALUES, PIVOT, DESCRIBE, SUMMARIZE, SHOW TABLES,
        EXPLAIN) in DuckDB's SQL. Every vector layer and table of the catalogue is a
        table under its id, with ``_`` for ``-`` (``trade_hubs``) or in double quotes
        (``"trade-hubs"``); its geometry is the column ``geometry``. In FROM may also
        stand the joins of :mod:`geo`: ``within``, ``intersects``, ``nearest``,
        ``within_distance`` and ``count_within``, each with two tables (names, or
        queries in parentheses) and literals, as ``nearest('deposits', 'crossings',
        k := 2)``. ``geodesic_distance(a, b)``, ``geodesic_area(g)`` and
        ``geodesic_length(g)`` measure on the ellipsoid. [m], [m²], [m]
    files
        Paths by the name under which each is a table: what :func:`layers.read_layer`
        reads (``evidence`` is not asked for), a CSV without coordinates, or
        (Geo)Parquet in EPSG:4326. A file in another CRS is reprojected, which a
        warning says; GeoParquet in another is refused.
    memory_gb
        Memory that the engine may take, and as much again the rows that come out;
        nothing is written to disk beyond it. [GB]
    threads
        Threads of the engine; as many as the process may use when not given.
    progress
        Called with what is done and the whole, from the calling thread.

    Returns
    -------
    pandas.DataFrame or geopandas.GeoDataFrame
        Rows as the query orders them; a layer if a column holds geometry
        (:func:`layers.arrow.from_arrow`). A geometry column has the CRS that the
        engine derived: EPSG:4326 for what comes from the tables, that of
        ``ST_Transform(geometry, 'EPSG:…')``, and none where it is not known. ``attrs``
        has ``layers``: source and licence of each layer that was read.

    Raises
    ------
    ExtraMissingError
        If the engine is not installed.
    QueryError
        If the query is wrong, or asks for more than reading the named tables.
    LayerNotFoundError
        If a table is not there, or is a raster.
    GeoError
        As reading a file, or a join, raises it.

    Warns
    -----
    MeasureWarning
        If a function of the query measures in degrees (as ``ST_Distance`` does), in
        another unit than the metre, on a sphere, or in a projection that stretches; if
        a file was reprojected.

    Notes
    -----
    The engine's predicates (``ST_Intersects`` and so on) take edges as straight in
    longitude and latitude and do not know that -180 and 180 are one meridian; the
    joins do. Only the tables that a query names are loaded. The engine can open no
    file, no database and no connection, load no extension and change no setting, and
    ``Ctrl-C`` interrupts it. A column of a CSV is one of numbers if every cell is a
    number or empty.

    Examples
    --------
    >>> import layers
    >>> layers.sql("SELECT count(*) AS deposits FROM deposits").deposits.tolist()
    [11]
    >>> near = layers.sql(
    ...     "SELECT name_right, distance_m FROM nearest('deposits', 'crossings')"
    ... )
    >>> near.columns.tolist(), len(near)
    (['name_right', 'distance_m'], 11)
    """
    session = _Session(files or {}, memory_gb, threads, progress)
    try:
        return session.answer(query)
    finally:
        session.close()


class _Session:
    """One query, the tables that it names, and a connection that sees no more."""

    def __init__(
        self,
        files: Mapping[str, str | PathLike[str]],
        memory_gb: float,
        threads: int | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.files = {name.lower(): path for name, path in files.items()}
        self.named = _catalogue_names()
        for name in files:
            _check_name(name, self.named)
        if len(self.files) != len(files):
            raise QueryError("two files have one name but for the case of its letters")
        self.progress = progress
        self.memory_gb = memory_gb
        self.frames: dict[str, pd.DataFrame] = {}
        self.stands: set[str] = set()
        self.columns: set[str] = set()
        self.layers: dict[str, dict[str, Any]] = {}
        self.failures: list[GeoError] = []
        self.joins = 0
        self.connection = connect(memory_gb, threads)
        add_geodesics(self.connection, self.failures.append)

    def close(self) -> None:
        """Let go of the tables."""
        self.connection.close()

    def answer(self, query: str) -> pd.DataFrame | gpd.GeoDataFrame:
        """Check a query, make what it reads, run it."""
        statement = self._prepared(query)
        flipped = flips_axes(statement.tree)
        text = f"{statement.explain} {statement.text}"

        def doubtful(name: str, shapes: gpd.GeoSeries) -> bool:
            off = off_the_globe(shapes)
            if flipped or off:
                why = "leaves -180..180, -90..90" if off else "has its axes flipped"
                _warn(f"column {name} {why}, so it is not called EPSG:4326")
            return flipped or off

        frame = from_arrow(self._run(text), doubt=doubtful)
        frame.attrs["layers"] = list(self.layers.values())
        return frame

    def _prepared(self, query: str) -> Statement:
        """Parse a query and put in place whatever it reads."""
        statement = parse(self.connection, query)
        tree = deepcopy(statement.tree)
        try:
            rewritten = resolve(tree, table=self._table, function=self._function)
        except RecursionError:
            raise QueryError(
                "the query is nested too deeply; write it in parts"
            ) from None
        for call in calls(tree):
            if call["function_name"] in JOIN_CALLS:
                name = call["function_name"]
                raise QueryError(f"{name} stands in FROM: {JOIN_CALLS[name].example}")
        columns = {str(c).lower() for f in self.frames.values() for c in f.columns}
        columns |= self.columns
        for line in warnings_about(statement.tree, columns):
            _warn(line)
        if not rewritten:
            return statement
        return replace(statement, text=unparse(self.connection, tree))

    def _table(self, name: str) -> str:
        """Let a table stand in the database under the name that the query gives it."""
        if name == _TABLES:
            name, frame = f"_{_TABLES}", self._listing()
            if name not in self.stands:
                self._store(name, frame)
        elif name not in self.stands and not self._stored_as_it_is(name):
            self._store(name, self._frame(name))
        return name

    def _stored_as_it_is(self, name: str) -> bool:
        """Store GeoParquet without a detour, if nothing in it is wrong."""
        table = read_geoparquet(self.files[name]) if name in self.files else None
        if table is None:
            return False
        self._store(name, table)
        geometry = [f.name for f in table.schema if f.metadata == LONLAT_WKB]
        wrong = " OR ".join(_WRONG.format(g.replace('"', '""')) for g in geometry)
        query = f'SELECT count(*) FROM "{name}" WHERE {wrong}'
        if run(self.connection, query).column(0)[0].as_py() == 0:
            self.columns.update(str(c).lower() for c in table.column_names)
            return True
        self.connection.execute(f'DROP TABLE "{name}"')
        self.stands.remove(name)
        return False  # the reader of files names the row

    def _frame(self, name: str) -> pd.DataFrame | gpd.GeoDataFrame:
        """Load what a name stands for, once."""
        if name in self.files:
            key = name
        elif name in self.named:
            key = self.named[name]
        else:
            raise LayerNotFoundError(self._no_table(name))
        if key not in self.frames:
            if key in self.files:
                self.frames[key] = read_tabular(self.files[key])
                before = self.frames[key].attrs.get("reprojected_from")
                if before is not None:
                    _warn(f"{key}: reprojected from {before[:60]} to EPSG:4326")
            else:
                entry = catalogue()[key]
                read = load if entry.kind == "vector" else load_table
                self.frames[key] = read(key)
                self.layers[key] = {
                    k: self.frames[key].attrs[k]
                    for k in ("layer", "title", "source", "licence", "retrieved")
                }
        return self.frames[key]

    def _no_table(self, name: str) -> str:
        """Say that a table is not there, and which one was perhaps meant."""
        raster = catalogue().get(name) or catalogue().get(name.replace("_", "-"))
        if raster is not None:
            return (
                f"{name} is a raster and no table; its file is "
                f"layers.raster_path({raster.id!r})"
            )
        there = sorted({*self.files, *self.named})
        close = get_close_matches(name, there, n=3)
        mend = (
            f"did you mean {', '.join(close)}?"
            if close
            else "SHOW TABLES lists them; a file is named with files={name: path}, on "
            "the command line --file name=path"
        )
        return f"no table {name[:80]!r}; {mend}"

    def _listing(self) -> pd.DataFrame:
        """Every table with what it is."""
        import pandas as pd

        files = [
            {"name": name, "kind": "file", "licence": "", "title": Path(path).name}
            for name, path in self.files.items()
        ]
        shipped = [
            {
                "name": entry.id.replace("-", "_"),
                "kind": entry.kind,
                "licence": entry.licence,
                "title": entry.title,
            }
            for entry in catalogue().values()
            if entry.kind != "raster"
        ]
        return pd.DataFrame([*files, *shipped])

    def _store(self, name: str, frame: pd.DataFrame | pa.Table) -> None:
        """Copy a frame into the database."""
        import duckdb
        import pandas as pd

        try:
            table = to_arrow(frame) if isinstance(frame, pd.DataFrame) else frame
        except QueryError as error:
            raise QueryError(f"{name}: {error}") from None
        self.connection.register("_incoming", table)
        try:
            # A name is one of ours, or was let through by _check_name.
            self.connection.execute(f'CREATE TEMP TABLE "{name}" AS FROM _incoming')
        except duckdb.Error as error:
            raise QueryError(f"{name} cannot be a table: {one_line(error)}") from None
        finally:
            self.connection.unregister("_incoming")
        self.stands.add(name)

    def _function(self, call: Node, scope: Mapping[str, Node]) -> str | None:
        """Run one of our joins; let the engine run what it may."""
        name = call["function_name"]
        if name in TABLE_FUNCTIONS:
            return None
        if name not in JOIN_CALLS:
            raise QueryError(
                f"{name} is not allowed in FROM: there stand tables, "
                f"{', '.join(sorted(JOIN_CALLS))}, {', '.join(TABLE_FUNCTIONS)}; a "
                "file is named with files={name: path}, on the command line --file "
                "name=path"
            )
        joined = join_rows(
            call,
            layer=lambda node: self._layer(node, name, scope),
            value=self._value,
            progress=self.progress,
        )
        self.joins += 1
        self._store(f"_join_{self.joins}", joined)
        return f"_join_{self.joins}"

    def _layer(
        self, argument: Node, join: str, scope: Mapping[str, Node]
    ) -> gpd.GeoDataFrame:
        """Features that an argument of a join stands for."""
        import geopandas as gpd

        name = table_name(argument)
        if argument.get("class") == "SUBQUERY":
            tree = select_from(argument["subquery"]["node"], scope)
            name, frame = "the query in parentheses", self._rows(tree)
        elif name is None:
            raise QueryError(
                f"{join} takes tables by name, or queries in parentheses: "
                f"FROM {JOIN_CALLS[join].example}"
            )
        elif name in scope:
            frame = self._rows(select_from_table(name, scope))
        else:
            frame = self._frame(name)
        if not isinstance(frame, gpd.GeoDataFrame):
            raise QueryError(f"{join}: {name} has no geometry column")
        if frame.crs is None:
            raise QueryError(
                f"{join}: the geometry of {name} names no CRS; if it is longitude and "
                "latitude on WGS 84, say so: ST_SetCRS(…, 'EPSG:4326') AS geometry"
            )
        return frame

    def _rows(self, tree: Node) -> pd.DataFrame | gpd.GeoDataFrame:
        """Answer a part of the query that a join reads."""
        return from_arrow(self._run(unparse(self.connection, tree)))

    def _value(self, literal: Node) -> Any:
        """Value of a literal."""
        from decimal import Decimal

        tree = select([{**literal, "alias": ""}], {"type": "EMPTY", "alias": ""}, {})
        row = self.connection.execute(unparse(self.connection, tree)).fetchone()
        value = row[0] if row else None
        return float(value) if isinstance(value, Decimal) else value

    def _run(self, text: str) -> pa.Table:
        """Run a checked query; an error of ours within it is raised as it was."""
        try:
            return _checked_crs(
                run(self.connection, text, self.progress, memory_gb=self.memory_gb)
            )
        except QueryError as error:
            if self.failures:
                raise self.failures[0] from None
            if "No function matches" in str(error) and "_Spheroid(" in str(error):
                raise QueryError(
                    f"{error}; use geodesic_distance(a, b), which takes them as they "
                    "are"
                ) from None
            raise


def _checked_crs(table: pa.Table) -> pa.Table:
    """Refuse a geometry column whose CRS could name a file, before PROJ sees it."""
    for field in table.schema:
        about = (field.metadata or {}).get(b"ARROW:extension:metadata") or b"{}"
        named = json.loads(about).get("crs")
        if named is not None and not opens_nothing(named):
            raise QueryError(
                f"column {field.name[:60]} is in a CRS that has no code such as "
                "EPSG:32651"
            )
    return table


def _catalogue_names() -> dict[str, str]:
    """Ids of vector layers and tables, by each name under which they are tables."""
    ids = [entry.id for entry in catalogue().values() if entry.kind != "raster"]
    return {name: key for key in ids for name in (key, key.replace("-", "_"))}


def _check_name(name: str, taken: Mapping[str, str]) -> None:
    """Refuse a name that no table can have."""
    if not _NAME.fullmatch(name):
        raise QueryError(
            f"{name[:80]!r} is no name for a table: use letters, digits and _, a "
            "letter first"
        )
    if name.lower() in taken or name.lower() == _TABLES:
        raise QueryError(f"{name} ships already; give the file another name")


def _warn(line: str) -> None:
    """Warn whoever called :func:`sql`."""
    here = Path(__file__).parent
    depth, frame = 1, inspect.currentframe()
    while frame is not None and Path(frame.f_code.co_filename).parent == here:
        depth, frame = depth + 1, frame.f_back
    warnings.warn(line, MeasureWarning, stacklevel=depth)

"""PostGIS on a server of its own, started in a temporary folder for one run.

Loading and indexing are not timed. A query writes its two columns into a temporary
table, which is what is timed; they are fetched afterwards, for the judge.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from data import read
from engines import Engine, Place

sys.path.append(str(Path(__file__).parents[1]))  # where the tests' own server stands
from postgis import NoPostGISError, Server, connected

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "NoPostGISError",
    "Tables",
    "database_error",
    "postgis_join",
    "postgis_nearest",
]


class Tables(Server):
    """A server that copies layers as tables of geometries or of geographies."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: set[str] = set()

    def load(
        self, folder: Path, layer: str, kind: str, rows: int | None = None
    ) -> None:
        """Copy a layer as a table of geometries or of geographies, and index it."""
        import shapely

        if (table := f"{layer}_{kind}") in self.loaded:
            return
        gdf = read(folder, layer).iloc[:rows]
        hexes = shapely.to_wkb(gdf.geometry.to_numpy(), hex=True)
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {table} (id bigint, g {kind})")
            with cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for row, text in zip(gdf["id"], hexes, strict=True):
                    copy.write(f"{row}\t{text}\n")
            cursor.execute(f"CREATE INDEX ON {table} USING gist (g)")
            cursor.execute(f"CREATE INDEX ON {table} (id)")
            cursor.execute(f"ANALYZE {table}")
        self.loaded.add(table)


def postgis_join(
    left: str, right: str, condition: str, *, sample: int | None = None
) -> Engine:
    """Pairs of ``p`` and ``q``; a condition with DWithin is asked of geographies."""
    kind = "geography" if "DWithin" in condition else "geometry"
    query = (
        f"SELECT p.id AS i, q.id AS j FROM {left}_{kind} p "
        f"JOIN {right}_{kind} q ON {condition}"
    )
    measures = "ellipsoid" if kind == "geography" else ""
    return _engine(query, (left, right, kind), measures, sample)


def postgis_nearest(left: str, right: str, *, sample: int) -> Engine:
    """The documented nearest join: a lateral query by the index operator."""
    query = f"""
        SELECT p.id AS i, n.id AS j FROM {left}_geography p CROSS JOIN LATERAL (
            SELECT q.id FROM {right}_geography q ORDER BY q.g <-> p.g LIMIT 1) n"""
    return _engine(query, (left, right, "geography"), "sphere", sample)


def _engine(
    query: str, tables: tuple[str, str, str], measures: str, sample: int | None
) -> Engine:
    left, right, kind = tables

    def prepare(server: Tables, folder: Path) -> None:
        server.load(folder, left, kind, sample)
        server.load(folder, right, kind)

    def load(place: Place) -> Callable[[], Any]:
        connection = connected(str(place.server))
        connection.execute("SELECT postgis_full_version()")  # loads the library

        def fetched() -> tuple[np.ndarray, ...]:
            rows = connection.execute("SELECT i, j FROM answer").fetchall()
            return tuple(np.array(rows, dtype=np.int64).reshape(-1, 2).T)

        def join() -> Callable[[], tuple[np.ndarray, ...]]:
            connection.execute(f"CREATE TEMP TABLE answer AS {query}")
            return fetched

        return join

    return Engine(
        name="PostGIS",
        load=load,
        measures=measures,
        needs=("psycopg",),
        sample=sample,
        about_s=6,
        warm=False,
        prepare=prepare,
    )


def database_error() -> type[Exception]:
    """What psycopg raises."""
    import psycopg

    return psycopg.Error

"""The engines that others made, each asked the same question of the same files.

An engine's ``load`` reads its layers, untimed, and gives a function that joins them;
only that function is timed. Its result is two columns of row numbers, which
:func:`columns` turns into arrays afterwards; geopandas has no form but its own frame.
Reprojecting to UTM is part of loading for the SQL engines, which keep a reprojected
column, and part of the join for geopandas, as its users write it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from data import read

if TYPE_CHECKING:
    from collections.abc import Callable

    from geographies import Tables
    from numpy.typing import NDArray

    Arrays = tuple[NDArray[np.generic], ...]
    Join = Callable[[], Any]

UTM = 32651  # the zone of the box
KNOWN_REACH_M = {"targets": 3_100, "lines": 1_450}
"""Just above the longest distance to the nearest: DuckDB has to be told one."""


@dataclass(frozen=True)
class Place:
    """Where an engine finds the layers: a folder, and the PostGIS server's socket."""

    folder: Path
    server: str | None = None


@dataclass(frozen=True, kw_only=True)
class Engine:
    """One way to do a task."""

    name: str
    load: Callable[[Place], Join]
    measures: str = ""  # the surface on which it takes distances
    needs: tuple[str, ...] = ()  # modules without which it is "not here"
    sample: int | None = None  # rows of left that it is given; the rest extrapolated
    about_s: float = 5.0  # one round at full scale, for the estimate of the whole run
    warm: bool = True  # join something tiny first, untimed
    prepare: Callable[[Tables, Path], None] | None = None  # fills PostGIS' tables

    @property
    def missing(self) -> str:
        """The modules that are not installed."""
        return ", ".join(name for name in self.needs if not _installed(name))


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # its parent is not there either
        return False


def columns(result: Any) -> Arrays:
    """Left and right row numbers, and distances where the engine gave them."""
    if callable(result):  # still in the server
        return result()
    if isinstance(result, tuple):
        return tuple(np.asarray(part) for part in result)
    if hasattr(result, "column_names"):  # pyarrow.Table
        return tuple(column.to_numpy() for column in result.columns)
    if hasattr(result, "get_columns"):  # polars.DataFrame
        return tuple(column.to_numpy() for column in result.get_columns())
    pair = result.index.to_numpy(), result["index_right"].to_numpy()
    return (*pair, result["distance_m"].to_numpy()) if "distance_m" in result else pair


def geopandas_join(left: str, right: str, predicate: str) -> Engine:
    """geopandas.sjoin in degrees, where only the predicate matters."""

    def load(place: Place) -> Join:
        a, b = read(place.folder, left), read(place.folder, right)
        return lambda: a.sjoin(b, predicate=predicate)

    return Engine(name="geopandas", load=load, about_s=4)


def geopandas_within_distance(left: str, right: str, distance_m: float) -> Engine:
    def load(place: Place) -> Join:
        a, b = read(place.folder, left), read(place.folder, right)
        return lambda: a.to_crs(UTM).sjoin(
            b.to_crs(UTM), predicate="dwithin", distance=distance_m
        )

    return Engine(name="geopandas", load=load, measures="UTM plane", about_s=12)


def geopandas_nearest(left: str, right: str, *, about_s: float) -> Engine:
    def load(place: Place) -> Join:
        a, b = read(place.folder, left), read(place.folder, right)
        return lambda: a.to_crs(UTM).sjoin_nearest(b.to_crs(UTM))

    return Engine(name="geopandas", load=load, measures="UTM plane", about_s=about_s)


def geopandas_nearest_degrees(left: str, right: str) -> Engine:
    """What the unwary write; geopandas warns of it."""

    def load(place: Place) -> Join:
        a, b = read(place.folder, left), read(place.folder, right)
        return lambda: a.sjoin_nearest(b)

    return Engine(name="geopandas in degrees", load=load, measures="degrees", about_s=6)


def duckdb_join(left: str, right: str, condition: str) -> Engine:
    """Pairs of rows ``p`` and ``q``, geometry ``g``, that meet a condition."""

    def load(place: Place) -> Join:
        connection = _duckdb(place, (left, right), utm="DWithin" in condition)
        query = f"SELECT p.id, q.id FROM {left} p JOIN {right} q ON {condition}"
        return lambda: connection.execute(query).to_arrow_table()

    return _duckdb_engine(load, planar="DWithin" in condition)


def duckdb_nearest(left: str, right: str) -> Engine:
    """DuckDB has no nearest join: all within a known reach, and the least of them."""

    def load(place: Place) -> Join:
        connection = _duckdb(place, (left, right), utm=True)
        query = f"""
            SELECT p.id, arg_min(q.id, ST_Distance(p.g, q.g))
            FROM {left} p JOIN {right} q
            ON ST_DWithin(p.g, q.g, {KNOWN_REACH_M[right]}) GROUP BY p.id"""
        return lambda: connection.execute(query).to_arrow_table()

    return _duckdb_engine(load, planar=True)


def _duckdb_engine(load: Callable[[Place], Join], *, planar: bool) -> Engine:
    return Engine(
        name="DuckDB",
        load=load,
        measures="UTM plane" if planar else "",
        needs=("duckdb", "duckdb_extension_spatial", "pyarrow"),
        about_s=5,
    )


def _duckdb(place: Place, layers: tuple[str, ...], *, utm: bool) -> Any:
    import duckdb
    import duckdb_extension_spatial

    folder = Path(duckdb_extension_spatial.__file__).parent
    [extension] = folder.glob("extensions/*/spatial.duckdb_extension")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{extension}'")
    connection.execute("SET geometry_always_xy = true")
    shape = f"ST_Transform(geometry, 'EPSG:4326', 'EPSG:{UTM}')" if utm else "geometry"
    for layer in layers:
        path = place.folder / f"{layer}.parquet"
        connection.execute(
            f"CREATE TABLE {layer} AS SELECT id, {shape} AS g "
            f"FROM read_parquet('{path}')"
        )
    return connection


def sedona_join(left: str, right: str, condition: str, *, about_s: float) -> Engine:
    """SedonaDB's spatial join with its default refiner."""
    utm = "DWithin" in condition or "KNN" in condition

    def load(place: Place) -> Join:
        import sedonadb

        context = sedonadb.connect()
        shape = f"ST_Transform(geometry, 'EPSG:{UTM}')" if utm else "geometry"
        for layer in (left, right):
            path = place.folder / f"{layer}.parquet"
            context.read_parquet(str(path)).to_view(f"{layer}_file")
            table = context.sql(f"SELECT id, {shape} AS g FROM {layer}_file")
            table.to_memtable().to_view(layer)
        query = (
            f"SELECT p.id AS i, q.id AS j FROM {left} p JOIN {right} q ON {condition}"
        )
        return lambda: context.sql(query).to_arrow_table()

    return Engine(
        name="SedonaDB",
        load=load,
        measures="UTM plane" if utm else "",
        needs=("sedonadb", "geoarrow.pyarrow"),
        about_s=about_s,
    )


def polars_join(
    left: str, right: str, predicate: str, distance_m: float | None = None
) -> Engine:
    def load(place: Place) -> Join:
        import polars as pl
        import polars_st as st

        a, b = (
            pl.read_parquet(
                place.folder / f"{layer}.parquet", columns=["id", "geometry"]
            )
            for layer in (left, right)
        )
        if distance_m is not None:
            utm = st.geom().st.set_srid(4326).st.to_srid(UTM)
            a, b = a.with_columns(utm), b.with_columns(utm)
        return lambda: a.st.sjoin(b, predicate=predicate, distance=distance_m).select(
            "id", "id_right"
        )

    return Engine(
        name="polars-st",
        load=load,
        measures="" if distance_m is None else "UTM plane",
        needs=("polars", "polars_st"),
        about_s=4 if distance_m is None else 12,
    )


def balltree_nearest(left: str, right: str) -> Engine:
    """scikit-learn's ball tree with the haversine metric."""

    def load(place: Place) -> Join:
        import shapely
        from sklearn.neighbors import BallTree

        a, b = read(place.folder, left), read(place.folder, right)

        def radians(gdf: Any) -> NDArray[np.float64]:
            return np.radians(shapely.get_coordinates(gdf.geometry.to_numpy())[:, ::-1])

        def join() -> Arrays:
            tree = BallTree(radians(b), metric="haversine")
            nearest = tree.query(radians(a), return_distance=False)[:, 0]
            return np.arange(len(a)), nearest

        return join

    return Engine(
        name="BallTree, haversine",
        load=load,
        measures="sphere",
        needs=("sklearn",),
        about_s=13,
    )

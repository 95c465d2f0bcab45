import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import warnings

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import Geod, Transformer

import geo
import layers
from geo.errors import (
    AxisOrderError,
    ColumnError,
    CRSMismatchError,
    GeoError,
    GeometryTypeError,
)
from layers.catalogue import catalogue
from layers.engine import connect
from layers.errors import (
    ExtraMissingError,
    LayerNotFoundError,
    QueryError,
    ReadError,
)
from layers.functions import FUNCTIONS, JOINS
from layers.join_calls import JOIN_CALLS
from layers.statement import calls, parse, unparse
from layers.units import warnings_about
from tests.layers.opened import watched

GEOD = Geod(ellps="WGS84")


def value(query, **options):
    """The one cell of an answer."""
    frame = layers.sql(query, **options)
    assert frame.shape == (1, 1)
    return frame.iloc[0, 0]


def told(query, **options):
    """What a query is warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        layers.sql(query, **options)
    assert all(w.category is layers.MeasureWarning for w in caught)
    assert all(w.filename == __file__ for w in caught)
    return [str(w.message) for w in caught]


# Tables


@pytest.mark.parametrize(
    "layer", [e.id for e in catalogue().values() if e.kind != "raster"]
)
def test_every_layer_and_table_is_a_table_under_its_id(layer):
    kind = catalogue()[layer].kind
    loaded = layers.load(layer) if kind == "vector" else layers.load_table(layer)
    name = layer.replace("-", "_")
    found = layers.sql(f"FROM {name}")
    assert list(found.columns) == list(loaded.columns)
    assert len(found) == len(loaded)
    if kind == "vector":
        assert found.crs == "EPSG:4326"
        assert shapely.equals_exact(found.geometry, loaded.geometry.array).all()
    assert found.attrs["layers"][0]["licence"] == catalogue()[layer].licence


def test_an_id_in_quotes_and_one_with_underscores_are_one_table():
    quoted = layers.sql('SELECT id FROM "trade-hubs"')
    assert quoted.equals(layers.sql("SELECT id FROM Trade_Hubs"))
    both = 'SELECT count(*) FROM "trade-hubs" a JOIN trade_hubs b USING (id)'
    assert value(both) == len(quoted)


def test_show_tables_lists_what_there_is(tmp_path):
    file = tmp_path / "pits.csv"
    file.write_text("a\n1\n")
    shown = layers.sql("SHOW TABLES", files={"pits": file}).set_index("name")
    assert {"pits", "deposits", "trade_hubs", "measures"} <= set(shown.index)
    assert "altitude" not in shown.index
    assert shown.loc["pits", "kind"] == "file"


def test_a_raster_is_no_table():
    with pytest.raises(LayerNotFoundError, match="altitude is a raster"):
        layers.sql("FROM altitude")


@pytest.mark.parametrize(
    ("name", "meant"), [("deposit", "deposits"), ("provinzes", "provinces")]
)
def test_a_table_that_is_not_there_brings_the_nearest_names(name, meant):
    with pytest.raises(LayerNotFoundError, match=f"did you mean.*{meant}"):
        layers.sql(f"FROM {name}")


def test_only_what_is_named_is_loaded(monkeypatch):
    loaded = []
    monkeypatch.setattr(
        "layers.database.load", lambda k: loaded.append(k) or layers.load(k)
    )
    layers.sql("WITH places AS (SELECT 1) FROM places, deposits -- provinces")
    assert loaded == ["deposits"]


def test_a_with_clause_hides_a_table_and_may_read_it():
    assert value("WITH deposits AS (SELECT 1 AS n) SELECT n FROM deposits") == 1
    query = "WITH deposits AS (FROM deposits LIMIT 2) SELECT count(*) FROM deposits"
    assert value(query) == 2
    query = (
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 5) "
        "SELECT sum(i) FROM n"
    )
    assert value(query) == 15


def test_missing_numbers_are_null_and_not_the_largest():
    gdf = layers.load("power-plants")
    column = next(c for c in gdf if gdf[c].dtype == "float64" and gdf[c].isna().any())
    found = value(f'SELECT avg("{column}") FROM power_plants')
    assert found == pytest.approx(gdf[column].mean())


# Files


@pytest.fixture
def pits(tmp_path):
    """Two points and a row without a number, as CSV."""
    file = tmp_path / "pits.csv"
    file.write_text(
        "lon,lat,code,depth,grade\n124.7,39.7,007,9,1.5\n124.8,39.8,010,10,\n",
        encoding="utf-8",
    )
    return file


def test_a_csv_has_numbers_where_every_cell_is_one(pits):
    found = layers.sql("FROM pits ORDER BY depth DESC", files={"pits": pits})
    assert found.depth.tolist() == [10, 9]  # as text, 9 would come first
    assert found.code.tolist() == ["010", "007"]
    assert np.isnan(found.grade[0])
    assert found.crs == "EPSG:4326"


def test_a_csv_without_coordinates_is_a_table(tmp_path):
    file = tmp_path / "prices.csv"
    file.write_text("year,price\n2018,5\n2019,7\n")
    found = layers.sql("SELECT sum(price) AS p FROM prices", files={"prices": file})
    assert found.p.tolist() == [12]


@pytest.mark.parametrize("ending", [".geojson", ".gpkg", ".fgb", ".shp", ".parquet"])
def test_every_kind_of_file_gives_the_same_rows(tmp_path, ending):
    crossings = layers.load("crossings")[["id", "mode", "geometry"]]
    file = tmp_path / f"own{ending}"
    if ending == ".parquet":
        crossings.to_parquet(file)
    else:
        crossings.to_file(file)
    found = layers.sql("SELECT id, geometry FROM own", files={"own": file})
    assert found.crs == "EPSG:4326"
    expected = crossings.set_index("id").geometry
    ours = found.set_index("id").geometry.loc[expected.index]
    assert shapely.equals_exact(ours, expected, 1e-12).all()
    query = "SELECT count(*) FROM own o JOIN crossings c ON ST_Equals(o.geometry, "
    assert value(query + "c.geometry)", files={"own": file}) == len(crossings)


@pytest.mark.parametrize("ending", [".gpkg", ".shp", ".fgb"])
def test_a_file_in_another_crs_is_reprojected_and_the_query_says_so(tmp_path, ending):
    file = tmp_path / f"utm{ending}"
    crossings = layers.load("crossings")[["id", "geometry"]]
    crossings.to_crs(32651).to_file(file)
    [line] = told("SELECT count(*) FROM Own, own o", files={"own": file})
    assert line == "own: reprojected from EPSG:32651 to EPSG:4326"
    crossings.to_file(file)
    assert told("SELECT count(*) FROM own", files={"own": file}) == []


def test_geoparquet_in_another_crs_is_refused(tmp_path):
    file = tmp_path / "utm.parquet"
    layers.load("crossings").to_crs(32651).to_parquet(file)
    with pytest.raises(CRSMismatchError, match=r"utm.parquet is in EPSG:32651"):
        layers.sql("FROM own", files={"own": file})


@pytest.mark.parametrize(
    ("shapes", "crs", "message"),
    [
        ([shapely.Point(1, 2), None], 4326, "row 1: the geometry is missing"),
        ([shapely.Point()], 4326, "row 0: the geometry is empty"),
        ([shapely.Point(1, 2), shapely.Point(1, 95)], 4326, "row 1: the point 1, 95"),
        ([shapely.Point(np.nan, 2)], 4326, "row 0"),
        ([shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])], 4326, "not valid"),
        ([shapely.Point(1, 2)], None, "has no CRS"),
    ],
)
def test_geoparquet_is_checked_as_every_layer_is(tmp_path, shapes, crs, message):
    file = tmp_path / "own.parquet"
    gpd.GeoDataFrame(geometry=shapes, crs=crs).to_parquet(file)
    with pytest.raises(GeoError, match=message):
        layers.sql("FROM own", files={"own": file})


def test_geoparquet_comes_without_its_boxes_and_can_be_joined(tmp_path):
    file = tmp_path / "own.parquet"
    crossings = layers.load("crossings")
    crossings.to_parquet(file, write_covering_bbox=True)
    found = layers.sql("FROM own", files={"own": file})
    assert list(found.columns) == list(crossings.columns)
    query = "FROM nearest('deposits', 'own')"
    near = layers.sql(query, files={"own": file})
    same = layers.sql("FROM nearest('deposits', 'crossings')")
    assert near.distance_m.tolist() == same.distance_m.tolist()


@pytest.mark.parametrize("content", [b"", b"PAR1 and no more", b"{}"])
def test_a_damaged_parquet_is_refused(tmp_path, content):
    file = tmp_path / "own.parquet"
    file.write_bytes(content)
    with pytest.raises(ReadError, match=r"own.parquet cannot be read"):
        layers.sql("FROM own", files={"own": file})


@pytest.mark.parametrize("name", ["", "a b", 'x"; SELECT 1', "1a", "_join_1", "ü", "."])
def test_a_name_that_is_no_identifier_is_refused(pits, name):
    with pytest.raises(QueryError, match="no name for a table"):
        layers.sql("SELECT 1", files={name: pits})


@pytest.mark.parametrize("name", ["deposits", "Trade_Hubs", "tables"])
def test_a_name_that_ships_is_refused(pits, name):
    with pytest.raises(QueryError, match="ships already"):
        layers.sql("SELECT 1", files={name: pits})


def test_a_file_that_is_not_asked_is_not_read(tmp_path):
    assert value("SELECT 1", files={"own": tmp_path / "absent.gpkg"}) == 1
    with pytest.raises(ReadError, match=r"absent.gpkg cannot be read"):
        layers.sql("FROM own", files={"own": tmp_path / "absent.gpkg"})


# Closed


SECRET = "zx81secret"


@pytest.fixture(scope="module")
def listener():
    """A port on this machine, and how many asked it for something."""
    asked = []
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            asked.append(1)
            connection.close()

    threading.Thread(target=serve, daemon=True).start()
    yield server.getsockname()[1], asked
    server.close()


ESCAPES = [
    "FROM read_text('secret.csv')",
    "FROM read_blob('secret.csv')",
    "FROM read_csv('secret.csv')",
    "FROM read_csv_auto('secret.csv')",
    "FROM sniff_csv('secret.csv')",
    "FROM read_json_auto('secret.csv')",
    "FROM read_parquet('secret.csv')",
    "FROM read_duckdb('secret.db')",
    "FROM glob('*')",
    "FROM ST_Read('secret.csv')",
    "FROM ST_Read_Meta('secret.csv')",
    "FROM ST_ReadSHP('secret.csv')",
    "FROM ST_ReadOSM('secret.csv')",
    "FROM 'secret.csv'",
    'FROM "secret.csv"',
    "SELECT * FROM 'http://127.0.0.1:PORT/x.csv'",
    "FROM read_csv('http://127.0.0.1:PORT/x.csv')",
    "FROM ST_Read('/vsicurl/http://127.0.0.1:PORT/x.geojson')",
    "FROM query('FROM read_text(''secret.csv'')')",
    "FROM query_table('secret.csv')",
    "FROM json_execute_serialized_sql('{}')",
    "SELECT (SELECT content FROM read_text('secret.csv'))",
    "SELECT * FROM deposits, LATERAL (FROM read_text('secret.csv'))",
    "WITH x AS (FROM read_text('secret.csv')) FROM x",
    "WITH x AS (FROM read_text('secret.csv')) FROM nearest('x', 'deposits')",
    "FROM nearest((FROM read_text('secret.csv')), 'deposits')",
    "DESCRIBE FROM read_text('secret.csv')",
    "SUMMARIZE FROM read_text('secret.csv')",
    "EXPLAIN ANALYZE FROM read_text('secret.csv')",
    "EXPLAIN COPY (SELECT 1) TO 'out.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO 'out.csv'",
    "COPY (SELECT 1) TO 'out.csv'",
    "COPY deposits FROM 'secret.csv'",
    "COPY (SELECT 1) TO 'http://127.0.0.1:PORT/x.csv'",
    "EXPORT DATABASE 'out'",
    "IMPORT DATABASE 'out'",
    "ATTACH 'out.db'",
    "ATTACH 'http://127.0.0.1:PORT/x.db'",
    "DETACH memory",
    "USE memory",
    "INSTALL httpfs",
    "INSTALL httpfs FROM 'http://127.0.0.1:PORT'",
    "LOAD httpfs",
    "LOAD 'secret.csv'",
    "SET enable_external_access = true",
    "RESET lock_configuration",
    "SET threads = 1",
    "SET VARIABLE a = 1",
    "PRAGMA database_list",
    "PRAGMA enable_profiling",
    "CALL pragma_version()",
    "CHECKPOINT",
    "CREATE SECRET (TYPE s3)",
    "CREATE TABLE t AS SELECT 1",
    "CREATE MACRO deposits() AS 1",
    "INSERT INTO deposits SELECT * FROM deposits",
    "DELETE FROM deposits",
    "UPDATE deposits SET id = 'x'",
    "DROP TABLE deposits",
    "WITH x AS (INSERT INTO deposits SELECT 1 RETURNING *) FROM x",
    "WITH x AS (DELETE FROM deposits RETURNING *) FROM x",
    "PREPARE a AS SELECT 1",
    "BEGIN",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY (SELECT 1) TO 'out.csv'",
    "",
    "-- nothing",
    "SELECT getenv('ZX81')",
    "SELECT system.main.getenv('ZX81')",
    "SELECT current_setting('home_directory')",
    "FROM duckdb_settings()",
    "FROM duckdb_secrets()",
    "FROM which_secret('s3://x', 's3')",
    "FROM duckdb_logs()",
    "FROM information_schema.tables",
    "FROM pg_catalog.pg_tables",
    "FROM system.main.duckdb_tables",
    "FROM duckdb_tables",
    "FROM temp.main.deposits",
    "FROM sqlite_master",
    "SHOW DATABASES",
    "SHOW ALL TABLES",
    "FROM secret_frame",
    "FROM pandas_scan(1)",
    "FROM arrow_scan(1, 2, 3)",
    "SELECT ST_Transform(geometry, '+proj=utm +nadgrids=secret.csv') FROM deposits",
    "SELECT ST_Transform(geometry, '+init=secret.csv:a') FROM deposits",
    "SELECT ST_Transform(geometry, 'secret.csv') FROM deposits",
    "SELECT ST_Transform(geometry, id) FROM deposits",
    "SELECT geometry.ST_Transform('secret.csv') FROM deposits",
    "SELECT json_serialize_plan('FROM read_text(''secret.csv'')')",
    "SELECT nextval('x')",
    "SELECT '\0'",
]

OPENER = "'+init=FOLDER/init:42'"
CRS_ARGUMENTS = [
    "C",
    "C::VARCHAR",
    "CAST(C AS TEXT)",
    "TRY_CAST(C AS VARCHAR)",
    "C::VARCHAR::VARCHAR",
    "CAST(TRY_CAST(C::VARCHAR AS TEXT) AS VARCHAR)",
    "C::BLOB::VARCHAR",
    "C::VARCHAR COLLATE nocase",
    "(C)",
    "'+init=' || 'FOLDER/init:42'",
    "concat('+init=', 'FOLDER/init:42')",
    "replace('x', 'x', C)",
    "chr(43) || 'init=FOLDER/init:42'",
    "CASE WHEN true THEN C ELSE 'EPSG:4326' END",
    "CASE WHEN true THEN C::VARCHAR ELSE 'EPSG:4326' END",
    "coalesce(NULL, C)",
    "ifnull(NULL, C)",
    "[C][1]",
    "[C, 'EPSG:4326'][1]::VARCHAR",
    "list_value(C)[1]",
    "list_extract([C], 1)",
    "{'a': C}.a",
    "{'a': C}['a']::VARCHAR",
    "MAP {'a': C}['a']",
    "(SELECT C)",
    "(SELECT C)::VARCHAR",
    "(VALUES (C))",
    "(WITH w(t) AS (VALUES (C)) SELECT t FROM w)",
    "json_extract_string('[\"+init=FOLDER/init:42\"]', '$[0]')",
    "max(C)",
    "try(C)",
    "C COLLATE nocase",
    "target_crs := C",
    "target_crs := C::VARCHAR",
    "C::VARCHAR, always_xy := true",
    "always_xy := C::BOOLEAN::VARCHAR",
    "'FOLDER/init:42'::VARCHAR",
    "'+proj=longlat +nadgrids=FOLDER/init +type=crs'::VARCHAR",
    "'+proj=longlat +nadgrids=http://127.0.0.1:9/x.tif +type=crs'::VARCHAR",
    "NULL",
]
CRS_QUERIES = [
    *(
        f"SELECT ST_AsText(ST_Transform(ST_Point(124, 39), 'EPSG:4326', {argument}))"
        for argument in CRS_ARGUMENTS
    ),
    "SELECT ST_AsText(ST_Transform(ST_Point(124, 39), C::VARCHAR, 'EPSG:4326'))",
    "SELECT geometry.ST_Transform(C::VARCHAR) FROM deposits",
    "SELECT geometry.ST_SetCRS(C::VARCHAR) FROM deposits",
    "SELECT ST_Point(124, 39).ST_Transform('EPSG:4326', C::VARCHAR)",
    "SELECT (C::VARCHAR).ST_Transform('EPSG:4326', 'EPSG:4326')",
    "SELECT ST_Transform(geom := ST_Point(124, 39), b := 'EPSG:4326', c := C)",
    "SELECT main.ST_SetCRS(geometry, C::VARCHAR) FROM deposits",
    "SELECT system.main.ST_SetCRS(geometry, C::VARCHAR) FROM deposits",
    (
        "SELECT ST_Transform({'min_x': 1, 'min_y': 1, 'max_x': 2, 'max_y': 2}::BOX_2D, "
        "'EPSG:4326', C::VARCHAR)"
    ),
    "WITH w(t) AS (VALUES (C)) SELECT ST_SetCRS(geometry, t) FROM deposits, w",
    "WITH w(t) AS (VALUES (C)) SELECT ST_SetCRS(geometry, t::TEXT) FROM deposits, w",
    "SELECT ST_SetCRS(geometry, t) FROM deposits, (VALUES (C)) v(t)",
    "SELECT list_transform([C], x -> ST_AsText(ST_SetCRS(ST_Point(1, 2), x)))",
    "SELECT list_transform([C], lambda x: ST_Transform(ST_Point(1, 2), x, x::TEXT))",
    "SELECT [ST_SetCRS(ST_Point(1, 2), x) FOR x IN [C]]",
    "SELECT geometry::GEOMETRY(C) AS g FROM deposits",
    "SELECT TRY_CAST(geometry AS GEOMETRY(C)) AS g FROM deposits",
    "SELECT NULL::GEOMETRY(C)[] AS g",
    "SELECT NULL::STRUCT(g GEOMETRY(C)) AS g",
    "SELECT NULL::GEOMETRY('GEOGCRS[\"x\"]') AS g",
    (
        "SELECT json_serialize_plan('SELECT ST_SetCRS(ST_Point(1, 2), ''+init=FOLDER/"
        "init:42'')', optimize := true)"
    ),
    (
        'SELECT from_json(\'{"g": "POINT(1 2)"}\', \'{"g": "GEOMETRY(\'\'+init='
        "FOLDER/init:42'')\"}').g AS g"
    ),
    (
        "FROM nearest((SELECT ST_SetCRS(geometry, C::VARCHAR) AS geometry FROM "
        "deposits), 'crossings')"
    ),
]


@pytest.mark.filterwarnings("ignore")
def test_no_writing_of_a_crs_opens_a_file(tmp_path):
    file = tmp_path / "init"
    file.write_text("<42> +proj=utm +zone=51 +datum=WGS84 +units=m +no_defs <>\n")
    with watched(tmp_path) as opened:
        assert file.read_text()
        assert opened() == ["init"]
        for query in CRS_QUERIES:
            written = re.sub(r"\bC\b", OPENER, query).replace("FOLDER", str(tmp_path))
            with pytest.raises(QueryError) as refusal:
                layers.sql(written)
            assert "\n" not in str(refusal.value)
            assert opened() == [], query
    connection = connect()
    for argument in CRS_ARGUMENTS:
        written = re.sub(r"\bC\b", OPENER, argument)
        for call in (f"ST_Transform(geometry, {written})", f"ST_SetCRS(g, {written})"):
            with pytest.raises(QueryError):
                parse(connection, f"SELECT {call} FROM deposits")


def test_a_crs_may_be_cast_to_text_and_axes_be_named():
    for written in (
        "'EPSG:32651'",
        "'epsg:32651'::VARCHAR",
        "CAST('EPSG:32651' AS TEXT)",
    ):
        found = layers.sql(
            f"SELECT ST_Transform(geometry, {written}) AS g FROM deposits"
        )
        assert found.crs == "EPSG:32651"
    query = (
        "SELECT ST_X(ST_Transform(ST_Point(124, 39), 'EPSG:4326', 'EPSG:32651', "
        "always_xy := true))"
    )
    x = Transformer.from_crs(4326, 32651, always_xy=True).transform(124, 39)[0]
    assert value(query) == pytest.approx(x)
    assert value("SELECT ('a'::ENUM('a', 'b'))::VARCHAR") == "a"


@pytest.mark.parametrize(
    "crs",
    [
        "+init=FOLDER/init:42",
        {"init": "FOLDER/init:42"},
        {"type": "GeographicCRS", "init": "FOLDER/init:42"},
        "+proj=longlat +nadgrids=FOLDER/init +type=crs",
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore")
def test_the_crs_of_a_named_parquet_opens_no_other_file(tmp_path, crs):
    (tmp_path / "apart").mkdir()
    folder = tmp_path / "apart"
    (folder / "init").write_text("<42> +proj=longlat +datum=WGS84 +no_defs <>\n")
    file = tmp_path / "own.parquet"
    layers.load("crossings")[["id", "geometry"]].to_parquet(file)
    table = pq.read_table(file)
    about = json.loads(table.schema.metadata[b"geo"])
    about["columns"]["geometry"]["crs"] = json.loads(
        json.dumps(crs).replace("FOLDER", str(folder))
    )
    pq.write_table(
        table.replace_schema_metadata({b"geo": json.dumps(about).encode()}), file
    )
    with watched(folder) as opened:
        with pytest.raises(ReadError, match=r"own\.parquet.*CRS.*code"):
            layers.sql("FROM own", files={"own": file})
        assert opened() == []


@pytest.mark.filterwarnings("ignore")
def test_the_crs_of_an_answer_is_looked_at_before_it_is_used(tmp_path, monkeypatch):
    """What the check of the tree might let through meets a second wall."""
    monkeypatch.setattr("layers.statement.check_call", lambda *_, **__: None)
    (tmp_path / "init").write_text("<42> +proj=utm +zone=51 +datum=WGS84\n")
    with watched(tmp_path) as opened:
        for named in (
            f"+init={tmp_path}/init:42",
            f"+proj=x +nadgrids={tmp_path}/init",
        ):
            query = f"SELECT ST_SetCRS(geometry, '{named}') AS g FROM deposits"
            with pytest.raises(QueryError, match="column g is in a CRS that has no"):
                layers.sql(query)
        assert opened() == []


def test_every_function_of_the_engine_is_known_or_refused():
    rows = connect().execute(
        "SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE "
        "function_type IN ('scalar', 'aggregate', 'macro')"
    )
    there = {name for (name,) in rows.fetchall()}
    ours = {"geodesic_area", "geodesic_distance", "geodesic_length"}
    assert FUNCTIONS - ours - {"unnest"} <= there
    assert set(JOINS) == set(JOIN_CALLS)
    assert not there & set(JOINS)
    refused = there - FUNCTIONS
    assert len(refused) < 250
    for word in ("getenv", "setting", "json_serialize_plan", "write_log", "sequence"):
        assert not any(word in name for name in FUNCTIONS)
    for name in sorted(refused)[::20]:
        with pytest.raises(QueryError, match="is not allowed"):
            layers.sql(f'SELECT "{name}"(1)')


@pytest.mark.parametrize("query", ESCAPES)
def test_a_query_reaches_nothing_but_its_tables(query, tmp_path, monkeypatch, listener):
    secret_frame = pd.DataFrame({"a": [SECRET]})
    port, asked = listener
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZX81", SECRET)
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")
    with pytest.raises(GeoError) as refusal:
        layers.sql(query.replace("PORT", str(port)))
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert [f.name for f in tmp_path.iterdir()] == ["secret.csv"]
    assert not asked
    assert len(secret_frame) == 1


@pytest.mark.parametrize(
    "query",
    [q for q in ESCAPES if q.split(" ")[0] not in {"", "--", "BEGIN", "PREPARE"}],
)
def test_the_engine_is_closed_by_itself_too(query, tmp_path, monkeypatch, listener):
    """What the check of the tree might let through meets a second wall."""
    import duckdb

    secret_frame = pd.DataFrame({"a": [SECRET]})
    port, asked = listener
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZX81", SECRET)
    (tmp_path / "secret.csv").write_text(f"a\n{SECRET}\n")
    connection = connect()
    try:
        rows = connection.execute(query.replace("PORT", str(port))).fetchall()
    except (duckdb.Error, UnicodeError, ValueError) as error:
        rows = str(error)
    assert SECRET not in str(rows)
    assert [f.name for f in tmp_path.iterdir()] == ["secret.csv"]
    assert not asked
    assert len(secret_frame) == 1
    locked = connection.execute(
        "SELECT name, value FROM duckdb_settings() WHERE name IN "
        "('enable_external_access', 'lock_configuration', 'temp_directory', 'threads')"
    ).fetchall()
    assert dict(locked)["enable_external_access"] == "false"
    assert dict(locked)["lock_configuration"] == "true"
    assert not dict(locked)["temp_directory"]


def test_words_in_texts_comments_and_quoted_names_are_no_calls():
    query = """
        SELECT 'COPY x TO ''y''; read_text(1)' AS "nearest('a', 'b')", -- LOAD x
               'ST_Area(geometry)' AS "ST_Distance" /* ST_Length(geometry); */
    """
    assert told(query) == []


def test_the_engine_keeps_to_its_memory():
    with pytest.raises(QueryError, match="needs more memory than the"):
        layers.sql("SELECT list(i || 'x') FROM range(100000000) r(i)", memory_gb=0.05)


def test_rows_that_are_too_many_are_refused_before_memory_is_full():
    with pytest.raises(QueryError, match=r"more than 0\.05 GB"):
        layers.sql("FROM range(1000000000000)", memory_gb=0.05)


@pytest.mark.parametrize("options", [{"memory_gb": 0}, {"memory_gb": np.nan}])
def test_limits_that_are_none_are_refused(options):
    with pytest.raises(QueryError, match="expected more than 0"):
        layers.sql("SELECT 1", **options)
    with pytest.raises(QueryError, match="expected 1 or more"):
        layers.sql("SELECT 1", threads=0)


def test_ctrl_c_ends_a_query():
    code = (
        "import layers, sys; print('begun', flush=True); "
        "layers.sql('SELECT sum(a.i * b.i) FROM range(3000000) a(i), "
        "range(3000000) b(i) WHERE a.i + b.i > 5')"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout.readline() == "begun\n"
    timer = threading.Timer(3, lambda: os.kill(child.pid, signal.SIGINT))
    timer.start()
    _, said = child.communicate(timeout=60)
    timer.cancel()
    assert "KeyboardInterrupt" in said


def test_progress_is_told_in_the_calling_thread():
    seen = []

    def note(done, whole):
        seen.append((threading.current_thread(), done, whole))

    query = "SELECT count(*) FROM range(40000) a(i), range(40000) b(i) WHERE a.i > b.i"
    layers.sql(query, progress=note)
    assert {thread for thread, _, _ in seen} == {threading.current_thread()}
    assert all(0 <= done <= whole == 100 for _, done, whole in seen)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setattr("layers.engine.find_spec", lambda _: None)
    with pytest.raises(ExtraMissingError, match=r"pip install 'lodemap\[sql\]'"):
        layers.sql("SELECT 1")


# Units


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ST_Area(geometry) FROM provinces",
        'SELECT "ST_Area"(geometry) FROM provinces',
        "SELECT system.main.st_area(geometry) FROM provinces",
        "SELECT geometry.ST_Area() FROM provinces",
        "SELECT list_transform([geometry], g -> st_area(g)) FROM provinces",
        "SELECT sum(ST_Area(geometry)) OVER () FROM provinces",
        "SELECT id FROM provinces ORDER BY /* x */ st_area (geometry)",
        "SELECT id FROM provinces GROUP BY id HAVING max(st_area(geometry)) > 1",
        "WITH a AS (SELECT st_area(geometry) AS s FROM provinces) FROM a",
        "FROM count_within_stub, provinces WHERE st_area(geometry) > 0",
        "SELECT st_area(ST_Transform(geometry, 'EPSG:4490')) FROM provinces",
        "SELECT st_area(g) FROM (SELECT geometry AS g FROM provinces)",
        (
            "SELECT st_area(g) FROM (SELECT ST_Transform(geometry, 'EPSG:32651') AS g, "
            "FROM provinces UNION ALL SELECT ST_SetCRS(geometry, 'EPSG:32651') AS g "
            "FROM provinces)"
        ),
        (
            "SELECT st_area(CASE WHEN id = 'x' THEN ST_Transform(geometry, "
            "'EPSG:4326', "
            "'EPSG:32651') ELSE geometry END) FROM provinces"
        ),
    ],
)
def test_a_measure_in_degrees_is_told(query, tmp_path):
    file = tmp_path / "one.csv"
    file.write_text("a\n1\n")
    [line] = told(query, files={"count_within_stub": file})
    assert line.startswith("ST_Area works in the unit of the coordinates")
    assert "degrees" in line
    assert "geodesic_area" in line


@pytest.mark.parametrize(
    ("call", "instead"),
    [
        ("ST_Distance(a.geometry, b.geometry)", "geodesic_distance"),
        ("ST_DWithin(a.geometry, b.geometry, 5000)", "within_distance"),
        ("ST_Length(ST_MakeLine(a.geometry, b.geometry))", "geodesic_length"),
        ("ST_AsText(ST_Buffer(a.geometry, 5000))", "projected CRS"),
        ("ST_AsText(ST_ShortestLine(a.geometry, b.geometry))", "projected CRS"),
        ("ST_AsText(ST_Centroid(a.geometry))", "projected CRS"),
        ("ST_Perimeter(ST_MakeEnvelope(1, 2, 3, 4))", "geodesic_length"),
        ("ST_Azimuth(a.geometry, b.geometry)", "projected CRS"),
        (
            (
                "ST_Distance(ST_Transform(a.geometry, 'EPSG:4326', 'EPSG:32651'), "
                "b.geometry)"
            ),
            "geodesic_distance",
        ),
    ],
)
def test_every_function_of_the_plane_is_told(call, instead):
    [line] = told(f"SELECT {call} FROM deposits a, crossings b LIMIT 1")
    assert line.split("(")[0].split(" ")[0] in call
    assert instead in line


@pytest.mark.parametrize(
    "query",
    [
        "SELECT ST_Area(ST_Transform(geometry, 'EPSG:32651')) FROM provinces",
        (
            "SELECT ST_Area(ST_Transform(geometry, 'EPSG:4326', 'EPSG:32651')) "
            "FROM provinces"
        ),
        (
            "SELECT ST_Area(g) FROM (SELECT ST_Transform(geometry, 'EPSG:32651') AS g "
            "FROM provinces)"
        ),
        "SELECT geodesic_area(geometry) AS st_area FROM provinces",
        "SELECT id FROM provinces WHERE ST_Intersects(geometry, ST_Point(125, 40))",
        "SELECT 'ST_Area(geometry)' FROM provinces -- ST_Area(geometry)",
        "SELECT ST_Distance_Spheroid(ST_Point(1, 2), ST_Point(3, 4))",
        "SELECT ST_Area_Spheroid(geometry) FROM provinces",
    ],
)
def test_what_is_no_measure_in_degrees_is_not_told(query):
    assert told(query) == []


def test_a_sphere_and_a_mercator_projection_are_told():
    query = "SELECT ST_Distance_Sphere(geometry, geometry) FROM deposits"
    [line] = told(query)
    assert "0.56 %" in line
    assert "geodesic_distance" in line
    query = "SELECT ST_Area(ST_Transform(geometry, 'epsg:3857')) FROM provinces"
    [line] = told(query)
    assert "Mercator" in line


P5179 = "ST_Transform(geometry, 'EPSG:4326', 'EPSG:5179')"
U5179 = "(SELECT ST_Transform(ST_Point(124, 39), 'EPSG:4326', 'EPSG:5179') AS g) AS u"
NAMES = {"geometry", "id", "name"}


@pytest.fixture(scope="module")
def lines_about():
    """What is told of a query that is parsed and not run."""
    connection = connect()
    return lambda query: warnings_about(parse(connection, query).tree, NAMES)


@pytest.mark.parametrize(
    "source",
    [
        "(SELECT geometry FROM provinces) t(g), U",
        "(FROM provinces) AS t(id, g), U",
        "(VALUES (ST_Point(1, 2))) t(g), U",
        "(SELECT * RENAME (geometry AS g) FROM provinces) t, U",
        "(SELECT COLUMNS('geo(.*)') AS '\\1' FROM provinces) t, U",
        "(SELECT unnest({'g': geometry}) FROM provinces) t, U",
        "(SELECT ({'g': geometry}).g FROM provinces) t, U",
        "(UNPIVOT provinces ON geometry INTO NAME n VALUE g) t, U",
        "(SELECT ('{}'::STRUCT(g GEOMETRY)).g) t, U",
        """(SELECT from_json('{}', '{"g": "GEOMETRY"}').g) t, U""",
        "(SELECT P AS g FROM provinces UNION ALL SELECT geometry FROM provinces) t",
        "(SELECT * REPLACE (ST_Transform(g, 'EPSG:5179', 'EPSG:4326') AS g) FROM U) t",
        "(WITH p(g) AS (SELECT geometry FROM provinces) FROM p) t, U",
        "(SELECT ST_SetCRS(geometry, 'EPSG:5179') AS g FROM provinces) t, U",
        "(SELECT P::GEOMETRY('EPSG:4326') AS g FROM provinces) t",
        "(SELECT ST_Union(P, ST_Point(124, 39)) AS g FROM provinces) t",
        "(SELECT (SELECT geometry FROM provinces LIMIT 1) AS g) t",
    ],
)
def test_a_name_that_something_else_goes_by_is_not_taken_as_projected(
    source, lines_about
):
    source = re.sub(r"\bU\b", U5179, re.sub(r"\bP\b", P5179, source))
    [line] = lines_about(f"SELECT ST_Area(t.g) FROM {source}")
    assert line.startswith("ST_Area works in the unit of the coordinates")


@pytest.mark.parametrize(
    "call",
    [
        "list_transform([geometry], g -> ST_Area(g))",
        "list_transform([geometry], lambda g: ST_Area(g))",
        "[ST_Area(g) FOR g IN [geometry]]",
        f"ST_Area(ST_Union({P5179}, ST_Point(124, 39)))",
        f"ST_Area(ST_Union(ST_Point(124, 39), {P5179}))",
        f"ST_Area(ST_Collect([{P5179}, ST_Point(124, 39)]))",
        f"ST_Area(coalesce({P5179}, ST_GeomFromText('POINT(1 2)')))",
        "ST_RemoveRepeatedPoints(geometry, 0.1)",
        "ST_CoverageSimplify_Agg(geometry, 0.1)",
        "list_aggregate(list(geometry), 'st_coveragesimplify_agg', 0.1)",
        "ST_CoverageInvalidEdges(list(geometry), 1)",
        "ST_CoverageInvalidEdges_Agg(geometry, 1)",
        "ST_CoverageClean(list(geometry), 1, 1)",
        "ST_InterpolatePoint(geometry, geometry)",
    ],
)
def test_what_is_not_seen_to_be_projected_is_told(call, lines_about):
    [line] = lines_about(f"SELECT {call} FROM provinces, {U5179}")
    assert "works in the unit of the coordinates" in line
    assert line.split(" ")[0].lower() in call.lower()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("EPSG:2263", "the US survey foot of 0.30480061 m, not metres"),
        ("EPSG:3832", "a Mercator projection"),
        ("EPSG:3395", "a Mercator projection"),
        ("EPSG:3857", "a Mercator projection"),
        ("EPSG:4087", "(Equidistant Cylindrical) need not keep lengths"),
        ("ESRI:54009", "(Mollweide) need not keep lengths"),
        ("EPSG:4490", "in the unit of the coordinates"),
        ("EPSG:999999", "in the unit of the coordinates"),
    ],
)
def test_a_crs_is_judged_by_its_unit_and_method(code, said, lines_about):
    for written in (f"'{code}'", f"'{code.lower()}'::VARCHAR"):
        [line] = lines_about(
            f"SELECT ST_Length(ST_Transform(geometry, {written})) FROM provinces"
        )
        assert said in line
        assert "geodesic_length" in line


@pytest.mark.parametrize(
    "call",
    [
        f"ST_Area(ST_Union_Agg({P5179}))",
        f"ST_Area(CASE WHEN id = 'x' THEN {P5179} ELSE NULL END)",
        f"ST_Length(ST_MakeLine([{P5179}, {P5179}]))",
        f"ST_Area(ST_Buffer(g, 10)) FROM (SELECT {P5179} AS g FROM provinces) --",
        (
            "ST_Area(h) FROM (SELECT ST_Buffer(g, 10) AS h FROM (SELECT "
            f"{P5179} AS g FROM provinces)) --"
        ),
        f"{P5179}.ST_Area()",
        *(
            f"ST_Area(ST_Transform(geometry, 'EPSG:{code}'))"
            for code in (32651, 5179, 3035, 5514, 2154, 7415, 2056)
        ),
        "ST_Area(ST_Transform(geometry, 'EPSG:5179', always_xy := true))",
    ],
)
def test_what_is_seen_to_be_in_metres_is_not_told(call, lines_about):
    assert lines_about(f"SELECT {call} FROM provinces") == []


def test_warnings_name_each_function_once():
    query = "SELECT ST_Area(geometry), ST_Area(geometry), ST_Length(geometry)"
    [line] = told(f"{query} FROM provinces")
    assert line.startswith("ST_Area, ST_Length works in")


def places(n, seed=5):
    """Points everywhere: the poles, the antimeridian and antipodes among them."""
    rng = np.random.default_rng(seed)
    a = np.c_[rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)]
    b = np.c_[rng.uniform(-180, 180, n), rng.uniform(-90, 90, n)]
    b[:20] = np.c_[(a[:20, 0] + 360) % 360 - 180, -a[:20, 1]]
    a[20:30, 1], b[30:40, 1] = 90, -90
    a[40:50, 0], b[40:50, 0] = 180, -180
    b[50:60] = a[50:60]
    return a, b


def test_the_measures_are_geodesic(tmp_path):
    a, b = places(3000)
    file = tmp_path / "pairs.parquet"
    pd.DataFrame(np.c_[a, b], columns=["x", "y", "u", "v"]).to_parquet(file)
    found = layers.sql(
        "SELECT geodesic_distance(ST_Point(x, y), ST_Point(u, v)) AS ours, "
        "ST_Distance_Spheroid(ST_Point(x, y), ST_Point(u, v)) AS theirs FROM pairs",
        files={"pairs": file},
    )
    expected = GEOD.inv(*a.T, *b.T)[2]
    assert np.abs(found.ours - expected).max() < 1e-6
    assert np.abs(found.theirs - expected).max() < 1e-6  # longitude is first there too


def test_area_and_length_are_those_of_geo():
    found = layers.sql(
        "SELECT geodesic_area(geometry) AS a, geodesic_length(geometry) AS l, geometry "
        "FROM provinces"
    )
    assert found.a.to_numpy() == pytest.approx(geo.area(found.geometry))
    assert found.l.to_numpy() == pytest.approx(geo.length(found.geometry))


def test_what_is_missing_or_empty_has_no_distance():
    found = layers.sql(
        "SELECT geodesic_distance(ST_GeomFromText(w), ST_Point(0, 1)) AS d FROM "
        "(VALUES ('POINT(0 0)'), (NULL), ('POINT EMPTY'), ('POINT(0 1)')) t(w)"
    )
    assert found.d.round(3).fillna(-1).tolist() == [110574.389, -1, -1, 0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        ("geodesic_distance(geometry, geometry)", GeometryTypeError, "takes points"),
        ("geodesic_area(ST_FlipCoordinates(geometry))", AxisOrderError, "swapped"),
        ("geodesic_area(ST_Transform(geometry, 'EPSG:32651'))", QueryError, "another"),
        (
            "geodesic_length(ST_Transform(geometry, 'EPSG:4326', 'EPSG:32651'))",
            AxisOrderError,
            "metres of another CRS",
        ),
        ("geodesic_area(id)", QueryError, "geodesic_area|No function"),
    ],
)
def test_a_measure_of_something_else_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        layers.sql(f"SELECT {call} FROM provinces")


# Joins in FROM


@pytest.mark.parametrize(
    "query",
    [
        "FROM nearest('deposits', 'crossings', k := 2)",
        "FROM nearest(deposits, crossings, 2)",
        'SELECT * FROM "nearest"(\'deposits\', "crossings", k => 1 + 1) AS n',
        "FROM nearest((FROM deposits), (SELECT * FROM crossings), k := 2)",
        "WITH d AS (FROM deposits), c AS (FROM crossings) FROM nearest('d', c, k := 2)",
        (
            "WITH x AS (FROM deposits), d AS (FROM x) FROM "
            "(WITH c AS (FROM crossings) FROM nearest('d', (FROM c), k := 2))"
        ),
        "SELECT n.* FROM nearest('deposits', 'crossings', k := 2) n -- nearest('a')",
        "DESCRIBE FROM nearest('deposits', 'crossings', k := 2)",
    ],
)
def test_nearest_in_from_is_geo_nearest(query):
    expected = geo.nearest(layers.load("deposits"), layers.load("crossings"), k=2)
    found = layers.sql(query)
    names = [c for c in expected.columns if c != "index_right"]
    if query.startswith("DESCRIBE"):
        assert found.column_name.tolist() == names
        return
    assert list(found.columns) == names
    assert found.name_right.tolist() == expected.name_right.tolist()
    assert found.distance_m.tolist() == expected.distance_m.tolist()
    assert found.crs == "EPSG:4326"


def test_the_joins_in_from_are_those_of_geo():
    deposits, provinces = layers.load("deposits"), layers.load("provinces")
    within = geo.within(deposits, provinces)
    found = layers.sql("FROM within('deposits', 'provinces')")
    assert found.probability.tolist() == within.probability.tolist()
    assert found.relation.tolist() == within.relation.tolist()
    near = geo.within_distance(deposits, layers.load("crossings"), 50_000)
    for written in ("50000", "distance_m := 5e4", "50 * 1000.0"):
        query = f"FROM within_distance('deposits', 'crossings', {written})"
        assert layers.sql(query).distance_m.tolist() == near.distance_m.tolist()


def test_within_in_from_takes_lines_and_points_on_the_right():
    deposits = layers.load("deposits")
    found = layers.sql(
        "SELECT id_left, id_right, relation, probability FROM within('deposits', "
        "(SELECT id, geometry FROM deposits))"
    )
    joined = geo.within(deposits, deposits[["id", "geometry"]])
    assert found.id_left.tolist() == joined.id_left.tolist()
    assert found.id_right.tolist() == joined.id_right.tolist()
    vague = joined["uncertainty_m"] > 0
    assert (found.probability.to_numpy() == np.where(vague, 0, 1)).all()


@pytest.mark.parametrize("name", ["intersects", "count_within"])
def test_a_join_that_geo_has_is_there(name):
    left, right = layers.load("deposits"), layers.load("provinces")
    expected = getattr(geo, name)(left, right)
    assert len(layers.sql(f"FROM {name}('deposits', 'provinces')")) == len(expected)


def test_two_joins_in_a_query_and_a_join_of_a_join():
    query = (
        "SELECT count(*) FROM nearest('deposits', 'crossings') a JOIN "
        "nearest('deposits', 'trade_hubs') b ON a.id_left = b.id_left"
    )
    assert value(query) == len(layers.load("deposits"))
    query = (
        "SELECT count(*) FROM within((SELECT id_left AS deposit, geometry FROM "
        "nearest('deposits', 'crossings')), 'provinces')"
    )
    assert value(query) >= len(layers.load("deposits"))


def test_an_aggregate_over_a_join_and_other_tables():
    query = (
        "SELECT p.name, count(*) AS n FROM within('deposits', 'provinces') w JOIN "
        "provinces p ON p.id = w.id_right WHERE w.probability > 0.5 GROUP BY ALL "
        "ORDER BY n DESC, p.name"
    )
    joined = geo.within(layers.load("deposits"), layers.load("provinces"))
    counts = joined[joined.probability > 0.5].groupby("name_right").size()
    assert layers.sql(query).set_index("name").n.to_dict() == counts.to_dict()


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("FROM nearest('deposits')", QueryError, "1 argument without a name"),
        ("FROM nearest('deposits', 'crossings', 1, 2)", QueryError, "4 arguments"),
        ("FROM nearest('deposits', 'crossings', n := 2)", QueryError, "'n'"),
        ("FROM nearest('deposits', 'crossings', left := 2)", QueryError, "'left'"),
        ("FROM nearest('deposits', 'crossings', progress := 2)", QueryError, "prog"),
        ("FROM nearest('deposits', 'crossings', 1, k := 2)", QueryError, "'k'"),
        ("FROM nearest('deposits', 'crossings', k := id)", QueryError, "no literal"),
        ("FROM nearest('deposits', 'crossings', (SELECT 1))", QueryError, "no literal"),
        ("FROM nearest('deposits', 'crossings', random())", QueryError, "no literal"),
        ("FROM nearest('deposits', 'crossings', k := 'x')", GeoError, "k is 'x'"),
        ("FROM nearest('deposits', 'crossings', k := 0)", GeoError, "nearest: k is 0"),
        ("FROM nearest(1, 'crossings')", QueryError, "takes tables by name"),
        ("FROM nearest(a.b, 'crossings')", QueryError, "takes tables by name"),
        ("FROM nearest('deposit', 'crossings')", LayerNotFoundError, "deposits"),
        ("FROM nearest('deposits', 'altitude')", LayerNotFoundError, "raster"),
        ("FROM nearest('deposits', 'claims')", QueryError, "no geometry column"),
        ("FROM nearest('a;b', 'crossings')", LayerNotFoundError, "no table 'a;b'"),
        (
            "FROM nearest((SELECT ST_Point(1, 2) AS g), 'crossings')",
            QueryError,
            "names no CRS",
        ),
        (
            (
                "FROM nearest((SELECT ST_Transform(geometry, 'EPSG:32651') AS g FROM "
                "deposits), 'crossings')"
            ),
            CRSMismatchError,
            "EPSG:32651",
        ),
        (
            "FROM nearest((FROM nearest('deposits', 'crossings')), 'crossings')",
            ColumnError,
            "Name the columns that you want",
        ),
        ("FROM within_distance('deposits', 'crossings')", QueryError, "no distance_m"),
        ("FROM within_distance('deposits', 'crossings', -1)", GeoError, "expected a"),
        ("SELECT nearest('deposits', 'crossings')", QueryError, "stands in FROM"),
        ("FROM main.nearest('deposits', 'crossings')", QueryError, "expected two"),
    ],
)
def test_a_wrong_call_of_a_join_says_what_was_expected(query, error, message):
    with pytest.raises(error, match=message):
        layers.sql(query)


# Answers


def test_the_crs_of_an_answer_is_the_one_that_the_engine_derived():
    columns = {
        "geometry": "EPSG:4326",
        "ST_Envelope(geometry)": "EPSG:4326",
        "ST_Union(geometry, ST_SetCRS(ST_Point(1, 2), 'EPSG:4326'))": "EPSG:4326",
        "ST_Transform(geometry, 'EPSG:32651')": "EPSG:32651",
        "ST_SetCRS(geometry, 'EPSG:32652')": "EPSG:32652",
        "ST_Transform(geometry, 'EPSG:4326', 'EPSG:32651')": None,
        "ST_Point(124, 39)": None,
    }
    for column, crs in columns.items():
        found = layers.sql(f"SELECT {column} AS g FROM deposits")
        assert found.crs == crs, column
        assert found.geometry.name == "g"


def test_flipped_axes_and_places_off_the_globe_are_not_called_lonlat():
    for column in ("ST_FlipCoordinates(geometry)", "ST_Translate(geometry, 90, 0)"):
        query = f"SELECT {column} AS g FROM deposits"
        with pytest.warns(layers.MeasureWarning, match="not called EPSG:4326"):
            assert layers.sql(query).crs is None


def test_no_whole_number_loses_its_last_digits():
    found = layers.sql(
        "SELECT * FROM (VALUES (9007199254740993, 1.5, 2), (NULL, 2.25, 3)) "
        "t(big, dec, small)"
    )
    assert found.big[0] == 9007199254740993
    assert found.big.isna()[1]
    assert found.dec.tolist() == [1.5, 2.25]
    assert value("SELECT sum(i) FROM range(4) t(i)") == 6
    assert value("SELECT 170141183460469231731687303715884105727") == 2**127 - 1
    exact = "SELECT 1234567890123456.789::DECIMAL(19, 3)"
    assert str(value(exact)) == "1234567890123456.789"


def test_names_that_are_there_twice_are_numbered():
    found = layers.sql("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS A")
    assert found.columns.tolist() == ["a", "a_1", "a_1_1", "A"]
    assert found.iloc[0].tolist() == [1, 2, 3, 4]


def test_several_geometry_columns_and_none():
    found = layers.sql(
        "SELECT ST_Envelope(geometry) AS box, geometry, NULL::GEOMETRY AS empty "
        "FROM provinces"
    )
    assert found.geometry.name == "geometry"
    assert found.box.geom_type.iloc[0] == "Polygon"
    assert found["empty"].isna().all()
    assert isinstance(layers.sql("FROM deposits LIMIT 0"), gpd.GeoDataFrame)
    with pytest.raises(QueryError, match="in a list or a record"):
        layers.sql("SELECT list(geometry) FROM deposits")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", r"cannot be read: syntax error.*\(at character 1\)"),
        ("SELECT nam FROM deposits", 'not found.*Candidate bindings: "name"'),
        ("SELECT ST_Distanc(geometry) FROM deposits", 'Did you mean "'),
        ("SELECT CAST('x' AS INT)", "Could not convert string 'x'"),
        ("SELECT error('a\nb')", "a b"),
        ("SELECT $1", "parameters"),
        ("PIVOT deposits ON kind USING count(*)", r"IN \('a', 'b'\)"),
        ("SELECT ST_Distance_Spheroid(geometry, geometry) FROM deposits", "geodesic_d"),
        ("SELECT " + "1+" * 2000 + "1", "nested too deeply"),
    ],
)
def test_a_wrong_query_is_told_in_one_line(query, message):
    with pytest.raises(QueryError, match=message) as refusal:
        layers.sql(query)
    assert "\n" not in str(refusal.value)
    assert "LINE 1" not in str(refusal.value)


def test_explain_tells_the_plan_of_a_join_too():
    for query in ("EXPLAIN", "explain analyze"):
        plan = layers.sql(f"{query} FROM nearest('deposits', 'crossings')")
        assert plan.columns.tolist() == ["explain_key", "explain_value"]


# The engine's predicates against GEOS


PREDICATES = {
    "ST_Intersects": shapely.intersects,
    "ST_Within": shapely.within,
    "ST_Contains": shapely.contains,
    "ST_Touches": shapely.touches,
    "ST_Crosses": shapely.crosses,
    "ST_Overlaps": shapely.overlaps,
    "ST_Equals": shapely.equals,
    "ST_Covers": shapely.covers,
    "ST_CoveredBy": shapely.covered_by,
}


def small_integer_geometries(n, seed=3):
    """Valid geometries on a grid of 6 by 6, so that they touch and coincide."""
    draw = random.Random(seed)
    found = []
    while len(found) < n:
        points = [(draw.randint(0, 5), draw.randint(0, 5)) for _ in range(5)]
        kind = len(found) % 6
        if kind == 0:
            shape = shapely.Point(points[0])
        elif kind == 1:
            shape = shapely.MultiPoint(points[:3])
        elif kind == 2:
            shape = shapely.LineString([*points[:3], points[2]])  # a repeated vertex
        elif kind == 3:
            shape = shapely.Polygon(points[:3])
        elif kind == 4:
            shape = shapely.box(*points[0], *points[1])
        else:
            hole = shapely.box(1, 1, draw.randint(2, 4), draw.randint(2, 4))
            shape = shapely.box(0, 0, 5, 5).difference(hole)
        if shape.is_valid and not shape.is_empty:
            found.append(shape)
    return np.array(found)


def test_the_predicates_are_those_of_geos_on_every_pair(tmp_path):
    shapes = small_integer_geometries(102)
    file = tmp_path / "shapes.parquet"
    gdf = gpd.GeoDataFrame({"i": range(len(shapes))}, geometry=shapes, crs=4326)
    gdf.to_parquet(file)
    tests = ", ".join(
        f"{name}(a.geometry, b.geometry) AS {name}" for name in PREDICATES
    )
    query = f"SELECT {tests} FROM shapes a, shapes b ORDER BY a.i, b.i"
    found = layers.sql(query, files={"shapes": file})
    for name, predicate in PREDICATES.items():
        expected = predicate(shapes[:, None], shapes[None, :]).ravel()
        assert expected.sum() > 20, name
        assert (found[name].to_numpy() == expected).all(), name
        joined = value(
            f"SELECT count(*) FROM shapes a JOIN shapes b ON "
            f"{name}(a.geometry, b.geometry)",
            files={"shapes": file},
        )
        assert joined == expected.sum(), name


# The tree


CORPUS = [
    "SELECT id, name FROM deposits WHERE id LIKE 'c%' ORDER BY 1 DESC LIMIT 3 OFFSET 1",
    (
        "SELECT kind, count(*) FILTER (WHERE uncertainty_m > 5000) AS n FROM deposits "
        "GROUP BY GROUPING SETS ((kind), ()) ORDER BY ALL"
    ),
    (
        "SELECT row_number() OVER (PARTITION BY kind ORDER BY id) AS r, id FROM "
        "deposits QUALIFY r = 1 ORDER BY id"
    ),
    "SELECT * EXCLUDE (geometry) REPLACE (upper(id) AS id) FROM crossings ORDER BY id",
    "(SELECT id FROM deposits UNION BY NAME SELECT id FROM crossings) ORDER BY id",
    "SELECT d.id FROM deposits d ANTI JOIN crossings c ON d.id = c.id ORDER BY 1",
    (
        "SELECT CASE WHEN uncertainty_m > 5000 THEN 'far' ELSE 'near' END AS c, "
        "CAST(uncertainty_m AS VARCHAR) || ' m' AS m FROM deposits ORDER BY ALL"
    ),
    "SELECT list_transform([1, 2], x -> x + 1) AS l, {'a': 1}.a AS a, [1, 2, 3][1:2] s",
    "SELECT i FROM generate_series(1, 3) s(i), (VALUES (1), (2)) v(j) ORDER BY ALL",
    (
        "SELECT DATE '2020-01-31' + INTERVAL 1 MONTH AS d, 0.1 + 0.2 AS x, 1e-7 AS y, "
        "'it''s' AS \"a \"\" b\""
    ),
    (
        "SELECT id FROM deposits WHERE EXISTS (FROM crossings WHERE mode = 'road') AND "
        "uncertainty_m = ANY (SELECT uncertainty_m FROM deposits) ORDER BY id"
    ),
    (
        "PIVOT (SELECT kind, status FROM deposits) ON status IN ('reported', "
        "'historic') USING count(*) ORDER BY kind"
    ),
    "UNPIVOT (SELECT 1 AS a, 2 AS b) ON a, b INTO NAME n VALUE v",
    "SELECT ST_AsText(geometry::GEOMETRY('EPSG:4326')) AS t FROM deposits ORDER BY t",
]


@pytest.mark.parametrize("query", CORPUS)
def test_a_query_that_is_written_again_gives_the_same_rows(query):
    connection = connect()
    again = unparse(connection, parse(connection, query).tree)
    before, after = layers.sql(query), layers.sql(again)
    assert before.astype(str).equals(after.astype(str))


def test_calls_are_found_whatever_their_writing():
    connection = connect()
    tree = parse(connection, 'SELECT "ST_Area"(x), y.ST_AREA(), a + b FROM t').tree
    names = [c["function_name"] for c in calls(tree)]
    assert names.count("st_area") == 2
    assert json.dumps(tree)


def test_all_pairs_of_escapes_and_explain_are_refused():
    for prefix, query in itertools.product(
        ("EXPLAIN ", "EXPLAIN ANALYZE ", "explain /* x */ analyze "), ESCAPES[30:50]
    ):
        with pytest.raises(GeoError):
            layers.sql(prefix + query)

"""Tables in a real PostGIS, read back by SQL, by geopandas and by QGIS."""

import json
import warnings
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo.errors import CRSMismatchError
from layers.errors import SchemaError, WriteError
from layers.export.content import Sheet
from layers.export.postgis import SIGN, shown, write_postgis
from tests.layers.export.small import EVIL, HANGUL, KEYS, counties, mines, small
from tests.postgis import NoPostGISError, Server
from tests.qgis import QGIS, NoQGISError


@pytest.fixture(scope="module")
def server():
    try:
        made = Server()
    except NoPostGISError as error:
        pytest.skip(f"{error}; python tests/postgis.py brings one")
    yield made
    made.stop()


@pytest.fixture
def database(server):
    """An empty database, and a connection to it."""
    import psycopg

    with server.connect() as admin:
        admin.execute("DROP DATABASE IF EXISTS tested WITH (FORCE)")
        admin.execute("CREATE DATABASE tested")
    connection = psycopg.connect(
        host=str(server.folder), user="lodemap", dbname="tested", autocommit=True
    )
    with connection:
        yield f"postgresql://lodemap@/tested?host={server.folder}", connection


def rows(connection, query):
    return connection.execute(query).fetchall()


def test_values_come_back_as_they_went(database):
    url, sql = database
    seen = []
    assert write_postgis(small(), url, progress=lambda *s: seen.append(s)) == ()
    assert seen[-1] == (10, 10)
    found = rows(
        sql,
        "SELECT fid, id, name, year, grade, open, seen, read AT TIME ZONE 'UTC', "
        "county, claims, ST_X(geom), ST_Y(geom), ST_SRID(geom) "
        "FROM small_world.mines ORDER BY fid",
    )
    assert [row[:3] for row in found] == [
        (1, "a", HANGUL),
        (2, "b", EVIL),
        (3, "c", None),
    ]
    assert [row[3] for row in found] == [1951, None, 2019]
    assert [row[4] for row in found] == [1.5, None, 0.1 + 0.2]
    assert [row[5] for row in found] == [True, None, False]
    assert [str(row[6]) for row in found] == ["2019-10-15", "None", "1951-01-02"]
    assert str(found[0][7]) == "2026-11-23 08:00:00"
    assert [row[9] for row in found] == ["c1 c2", "", None]
    assert [row[10:] for row in found] == [
        (124.664, 39.73, 4326),
        (125.1, 39.0, 4326),
        (127.586, 40.331, 4326),
    ]


def test_geopandas_reads_what_was_written(database):
    import psycopg

    url, _ = database
    write_postgis(small(), url)
    with psycopg.connect(url) as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas would rather have SQLAlchemy
        found = gpd.read_postgis("SELECT * FROM small_world.counties", connection)
    want = counties().table.geometry
    assert found.crs.to_epsg() == 4326
    assert set(found.geom_type) == {"MultiPolygon"}
    assert shapely.equals(found.geom.to_numpy(), want.to_numpy()).all()


def test_keys_indexes_types_and_comments(database):
    url, sql = database
    write_postgis(small(), url)
    keys = rows(
        sql,
        "SELECT conrelid::regclass::text, contype::text, pg_get_constraintdef(oid) "
        "FROM pg_constraint WHERE connamespace = 'small_world'::regnamespace",
    )
    assert ("small_world.mines", "p", "PRIMARY KEY (fid)") in keys
    assert ("small_world.mines", "u", "UNIQUE (id)") in keys
    foreign = {(table, rule) for table, kind, rule in keys if kind == "f"}
    assert foreign == {
        (
            "small_world.mines",
            "FOREIGN KEY (county) REFERENCES small_world.counties(id)",
        ),
        (
            "small_world.mine_claims",
            "FOREIGN KEY (claim) REFERENCES small_world.claims(id)",
        ),
    }
    indexes = rows(
        sql, "SELECT indexdef FROM pg_indexes WHERE tablename IN ('mines', 'counties')"
    )
    assert sum("USING gist (geom)" in text for (text,) in indexes) == 2
    places = rows(
        sql, "SELECT f_table_name, type, srid FROM geometry_columns ORDER BY 1"
    )
    assert places == [("counties", "MULTIPOLYGON", 4326), ("mines", "POINT", 4326)]
    [[comment]] = rows(sql, "SELECT obj_description('small_world.mines'::regclass)")
    assert comment.endswith(SIGN)
    for text in ("Mines", "© Nobody", "CC-BY-4.0", "10.1234/abc", "2026-11-23"):
        assert text in comment
    [[words]] = rows(
        sql,
        "SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE "
        "attrelid = 'small_world.mines'::regclass AND attname = 'grade'",
    )
    assert words == "Grade [%]: Share of ore."


def test_a_row_can_be_added_by_hand(database):
    url, sql = database
    write_postgis(small(), url)
    [[number]] = rows(
        sql, "INSERT INTO small_world.claims (id) VALUES ('c3') RETURNING fid"
    )
    assert number == 3


def test_what_stands_there_is_replaced_whole_or_not_at_all(database):
    url, sql = database
    write_postgis(small(), url)
    write_postgis(small(), url)
    assert rows(sql, "SELECT count(*) FROM small_world.mines") == [(3,)]
    broken = mines()
    table = broken.table.copy()
    table.loc[2, "id"] = "a"
    with pytest.raises(SchemaError, match="row 3 repeats the id 'a'"):
        write_postgis(
            small(sheets=(counties(), replace(broken, table=table)), relations=()), url
        )
    assert rows(sql, "SELECT count(*) FROM small_world.mines") == [(3,)]
    assert rows(sql, "SELECT count(*) FROM small_world.claims") == [(2,)]
    fewer = replace(broken, table=broken.table.iloc[:1])
    write_postgis(small(sheets=(fewer,), relations=()), url)
    assert rows(sql, "SELECT count(*) FROM small_world.mines") == [(1,)]


def test_a_table_of_somebody_else_is_never_dropped(database):
    url, sql = database
    sql.execute("CREATE SCHEMA small_world")
    sql.execute("CREATE TABLE small_world.claims (mine text)")
    with pytest.raises(WriteError, match="a table claims that no export wrote"):
        write_postgis(small(), url)
    assert rows(sql, "SELECT count(*) FROM small_world.claims") == [(0,)]
    assert rows(sql, "SELECT to_regclass('small_world.mines')") == [(None,)]
    write_postgis(small(), f"{url}&schema=Other%20schema%22")
    assert rows(sql, 'SELECT count(*) FROM "Other schema""".mines') == [(3,)]


def test_a_view_on_a_table_keeps_it(database):
    url, sql = database
    write_postgis(small(), url)
    sql.execute("CREATE VIEW mine AS SELECT name FROM small_world.mines")
    with pytest.raises(WriteError, match="depend"):
        write_postgis(small(), url)
    assert rows(sql, "SELECT count(*) FROM mine") == [(3,)]


def test_names_are_quoted_and_kept_apart(database):
    url, sql = database
    long = "길" * 21  # 63 bytes
    table = pd.DataFrame(
        {
            'a"; DROP SCHEMA public; --': ["x"],
            "SELECT": ["y"],
            long + "가": [1],
            long + "나": [2],
            "fid": [9],
            "{schema} %s": ["z"],
        }
    )
    odd = Sheet(id="odd", title="100 %", abstract="{}", table=table)
    write_postgis(small(sheets=(odd,), relations=()), url)
    names = rows(
        sql,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'small_world.odd'::regclass "
        "AND attnum > 0 ORDER BY attnum",
    )
    assert [name for (name,) in names] == [
        "fid_",
        'a"; DROP SCHEMA public; --',
        "SELECT",
        long,
        "길" * 20 + "_2",
        "fid",
        "{schema} %s",
    ]


def test_other_shapes_and_values(database):
    url, sql = database
    table = gpd.GeoDataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "large": np.array([2**64 - 1, 1, 2, 3], dtype="uint64"),
            "list": [["x", "y"], None, [], None],
            "text": pd.Series(["a\0b", "\ud800", "", None], dtype=object),
            "far": [float("inf"), float("-inf"), float("nan"), 0.0],
        },
        geometry=[
            shapely.Point(124, 39, 5),
            shapely.LineString([(124, 39), (125, 40)]),
            None,
            shapely.Point(),
        ],
        crs=4326,
    )
    sheet = Sheet(id="odd", title="", abstract="", table=table, geometry="Point")
    write_postgis(small(sheets=(sheet,), relations=()), url)
    found = rows(
        sql,
        "SELECT large, list::text, text, far, ST_AsText(geom) FROM small_world.odd "
        "ORDER BY fid",
    )
    assert [row[0] for row in found] == [str(2**64 - 1), "1", "2", "3"]
    assert [row[1] for row in found] == ['["x", "y"]', None, "[]", None]
    assert [row[2] for row in found] == ["a\ufffdb", "\ufffd", "", None]
    assert [row[3] for row in found] == [float("inf"), float("-inf"), None, 0.0]
    assert [row[4] for row in found] == [
        "POINT Z (124 39 5)",
        "LINESTRING(124 39,125 40)",
        None,
        "POINT EMPTY",
    ]


def test_a_layer_elsewhere_is_refused(database):
    url, _ = database
    moved = replace(mines(), table=mines().table.to_crs(5179))
    with pytest.raises(CRSMismatchError, match="EPSG:5179"):
        write_postgis(small(sheets=(moved,), relations=()), url)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:s3cret@127.0.0.1:1/none",
        "postgresql://me:s3cret@127.0.0.1:1/none?connect_timeout=1&nonsense=s3cret",
        "postgresql://me:s3cret:s3cret@[::1/none",
        "mysql://me:s3cret@127.0.0.1/none",
    ],
)
def test_the_password_is_never_told(address):
    with pytest.raises(WriteError) as caught:
        write_postgis(small(), address)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_an_address_is_shown_without_its_user():
    assert shown("postgresql://me:s3cret@db/atlas") == "postgresql://db/atlas"
    assert shown("postgresql:///atlas?password=s3cret") == "postgresql:///atlas"


def test_an_address_may_come_as_a_path(database):
    url, sql = database
    write_postgis(small(), Path(url))
    assert rows(sql, "SELECT count(*) FROM small_world.mines") == [(3,)]


def test_a_user_without_rights_on_public_gets_the_tables(database, caplog):
    url, sql = database
    sql.execute("CREATE EXTENSION postgis")
    sql.execute("DROP ROLE IF EXISTS guest")
    sql.execute("CREATE ROLE guest LOGIN")
    sql.execute("CREATE SCHEMA atlas AUTHORIZATION guest")
    guest = url.replace("lodemap@", "guest@")
    try:
        for _ in range(2):
            caplog.clear()
            write_postgis(small(), guest, schema="atlas")
            assert "may not write styles" in caplog.text
            assert rows(sql, "SELECT count(*) FROM atlas.mines") == [(3,)]
            write_postgis(small(), url)  # makes the table of styles
        with pytest.raises(WriteError, match="permission denied"):
            write_postgis(small(), guest)
    finally:
        sql.execute("DROP OWNED BY guest CASCADE")
        sql.execute("DROP ROLE guest")


@pytest.fixture
def qgis(tmp_path):
    try:
        return QGIS(tmp_path)
    except NoQGISError as error:
        pytest.skip(f"{error}; python tests/qgis.py brings it")


def test_qgis_reads_every_row_with_its_style(database, server, qgis, tmp_path):
    url, sql = database
    write_postgis(small(), url)
    base = f"host={server.folder} dbname=tested user=lodemap sslmode=disable key='fid' "
    asked = [
        ["postgres", f'{base} srid=4326 table="small_world"."{name}" (geom)']
        for name in ("mines", "counties")
    ]
    asked.append(["postgres", f'{base} table="small_world"."claims"'])
    file = tmp_path / "asked.json"
    file.write_text(json.dumps(asked))
    script = Path(__file__).parent / "qgis" / "pyqgis_reads.py"
    points, areas, table = json.loads(qgis.script(script, file).splitlines()[-1])
    assert [row[0][1] for row in points["rows"]] == ["a", "b", "c"]
    assert [row[0][3] for row in points["rows"]] == [HANGUL, EVIL, "NULL"]
    assert points["rows"][0][1] == "Point (124.664 39.73)"
    assert points["renderer"] == "categorizedSymbol"
    assert set(KEYS) <= set(points["categories"])
    assert points["aliases"]["grade"] == "Grade [%]"
    assert points["labels"]
    assert points["key"] == ["fid"]
    assert areas["renderer"] == "categorizedSymbol"
    assert "region" in areas["categories"]
    assert len(areas["rows"]) == 2
    assert [row[0][1] for row in table["rows"]] == ["c1", "c2"]
    # A default of the user's own stays one.
    sql.execute("UPDATE layer_styles SET description = 'mine'")
    write_postgis(small(), url)
    styles = rows(
        sql,
        "SELECT description, useasdefault FROM layer_styles WHERE f_table_name = "
        "'mines' ORDER BY id",
    )
    assert styles == [("mine", True), (f"Mines. {SIGN}", False)]

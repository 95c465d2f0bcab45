"""Rows of a file as the reader lends them, taken out before they are gone."""

import sqlite3
import tempfile
import threading
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import geopandas as gpd
import pyarrow as pa
import pyogrio
import pytest
import shapely

from layers.importing import processes
from layers.importing.raw import Limits, open_raw


@pytest.fixture(params=["forked", "started"])
def way(request, monkeypatch):
    """Each way to come by a process that reads; the first only where there is one."""
    if request.param == "started":
        monkeypatch.setattr(processes, "_IS_LINUX", False)
    return request.param


@pytest.fixture
def private(tmp_path, monkeypatch):
    """Where private folders go during a test; none is left after it."""
    folder = tmp_path / "private"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


@pytest.fixture
def rows_of(private):
    """Read a file: the record, its schema in place of the file, and its rows."""

    patient = Limits(seconds=60)

    def read(path, *, limits=patient, **options):
        with open_raw(path, limits=limits, **options) as raw:
            with pa.memory_map(str(raw.arrow)) as stream:
                table = pa.ipc.open_file(stream).read_all()
                table.validate(full=True)
                rows = table.to_pylist()
            assert len(rows) == raw.rows
            assert raw.arrow.is_relative_to(private)
        for row in rows:
            if row.get("geometry") is not None:
                row["geometry"] = shapely.from_wkb(row["geometry"]).wkt
        return replace(raw, arrow=table.schema), rows

    return read


class Listener:
    """A server on this machine that answers everything and remembers what was asked."""

    def __init__(self) -> None:
        self.asked = asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                self.send_response(404)
                self.end_headers()

            do_HEAD = do_POST = do_GET  # noqa: N815

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def listener():
    """A loopback server that is asked nothing, if all is well."""
    found = Listener()
    thread = threading.Thread(target=found.server.serve_forever)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join()


@pytest.fixture
def endless(tmp_path):
    """A GeoPackage with a layer ``t`` and a view ``v`` whose rows never end."""
    frame = gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(124, 39)], crs=4326)
    path = tmp_path / "endless.gpkg"
    pyogrio.write_dataframe(frame, path, driver="GPKG", layer="t")
    add_view(
        path,
        "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r) "
        "SELECT i AS fid, (SELECT geom FROM t) AS geom FROM r",
    )
    return path


def add_view(path, select):
    """Make a view ``v`` that GDAL takes for a layer."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"CREATE VIEW v AS {select}")
        connection.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) "
            "VALUES ('v', 'features', 'v', 4326)"
        )
        connection.execute(
            "INSERT INTO gpkg_geometry_columns "
            "VALUES ('v', 'geom', 'POINT', 4326, 0, 0)"
        )


@pytest.fixture
def viewed():
    """Function that makes a view ``v`` in a GeoPackage."""
    return add_view

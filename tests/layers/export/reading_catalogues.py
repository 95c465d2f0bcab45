"""What databases, catalogues and servers hold of our exports.

A STAC catalogue is walked by pystac, a data package read by its schema, tables of
PostGIS by SQL, and what pygeoapi serves is asked for over HTTP.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from decimal import Decimal
from urllib.request import ProxyHandler, build_opener

import pandas as pd
import shapely

from tests.layers.export.reading_back import Back

_BY_SCHEMA = {
    "string": str,
    "integer": int,
    "number": Decimal,
    "boolean": {"true": True, "false": False}.__getitem__,
    "date": dt.date.fromisoformat,
    "datetime": pd.Timestamp,
    "array": json.loads,
}
_BY_KIND = {
    "text": "string",
    "bytes": "string",
    "whole": "integer",
    "truth": "boolean",
    "time": "datetime",
    "decimal": "number",
    "structure": "array",
}
"""Our words for kinds of columns, which the records of a STAC catalogue use."""


def read_stac(path):
    """Read the file of each collection; its record says the types of its columns."""
    import pystac

    found = {}
    for collection in pystac.Catalog.from_file(
        str(path / "catalog.json")
    ).get_children():
        [asset] = collection.assets.values()
        file = path / collection.id / asset.href
        if asset.media_type == "application/geo+json":
            found[collection.id] = features(json.loads(file.read_text("utf-8")))
            continue
        kinds = [c["type"] for c in asset.extra_fields["table:columns"]]
        types = [_BY_KIND.get(kind, kind) for kind in kinds]
        found[collection.id] = rows_of(file, types)
    return found


def read_datapackage(path):
    """Read each table by its schema."""
    record = json.loads((path / "datapackage.json").read_text("utf-8"))
    found = {}
    for resource in record["resources"]:
        if resource["profile"] == "tabular-data-resource":
            fields = resource["schema"]["fields"]
            types = [field["type"] for field in fields]
            found[resource["name"]] = rows_of(path / resource["path"], types)
    return found


def rows_of(file, types):
    """Read a CSV whose cells are of some types; an empty one is missing."""
    with file.open(encoding="utf-8", newline="") as stream:
        header, *lines = csv.reader(stream)
    back = Back()
    for line in lines:
        cells = [
            _BY_SCHEMA[kind](cell) if cell else None
            for cell, kind in zip(line, types, strict=True)
        ]
        row = dict(zip(header, cells, strict=True))
        place = row.pop(header[-1]) if header[-1].startswith("wkt") else None
        if header[-1].startswith("wkt"):
            lon, lat = row.pop(header[-3]), row.pop(header[-2])
            shape = place and shapely.from_wkt(place)
            if shape and shape.geom_type == "Point" and not shape.is_empty:
                assert (float(lon), float(lat)) == (shape.x, shape.y)
            back.add(row, shape)
        else:
            back.add(row, None)
    return back


def features(collection):
    """Read a collection of features whose ids are text."""
    back = Back()
    for feature in collection["features"]:
        place = feature["geometry"]
        back.add(feature["properties"], place and _shape(place))
        assert feature["id"] == str(feature["properties"]["id"])
    return back


def _shape(place):
    if place["type"] == "GeometryCollection":
        return shapely.GeometryCollection([_shape(p) for p in place["geometries"]])
    return shapely.from_geojson(json.dumps(place))


def read_postgis(connection, schema):
    """Read each table in the order of its key."""
    from psycopg import sql

    tables = connection.execute(
        "SELECT relname, attname FROM pg_class c JOIN pg_namespace n ON n.oid = "
        "relnamespace JOIN pg_attribute a ON attrelid = c.oid JOIN pg_type t ON "
        "t.oid = atttypid AND typname = 'geometry' WHERE nspname = %s "
        "AND relkind = 'r'",
        [schema],
    ).fetchall()
    found = {}
    for table, place in tables:
        rows = connection.execute(
            sql.SQL("SELECT *, ST_AsBinary({}) FROM {} ORDER BY 1").format(
                sql.Identifier(place), sql.Identifier(schema, table)
            )
        )
        names = [column.name for column in rows.description]
        back = Back()
        for row in rows:
            _, *cells, _, shape = row
            named = dict(zip(names[1:-2], cells, strict=True))
            back.add(named, None if shape is None else shapely.from_wkb(bytes(shape)))
        found[table] = back
    return found


def read_served(address, ids):
    """Ask a server for every feature of each collection."""
    opener = build_opener(ProxyHandler({}))
    found = {}
    for id_ in ids:
        url = f"{address}/collections/{id_}/items?f=json&limit=1000"
        with opener.open(url, timeout=60) as answer:
            found[id_] = features(json.load(answer))
    return found

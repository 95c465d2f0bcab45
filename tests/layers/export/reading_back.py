"""What our exports hold, read by programs that had no part in writing them.

GeoJSON, CSV and KML are read with the standard library, Shapefile and FlatGeobuf with
GDAL (of a Shapefile, GDAL wrote no more than the geometry), GeoParquet with Arrow.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import zipfile
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import shapely

KML = "{http://www.opengis.net/kml/2.2}"


@dataclass
class Back:
    """Rows by id, in the order of the file."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    shapes: dict[str, list[Any]] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    files: int = 1
    styled: bool = False

    def add(self, row, shape):
        self.rows[str(row["id"])] = row
        self.shapes.setdefault(str(row["id"]), []).append(shape)
        self.names = list(row)


def read_geojson(path):
    back = Back()
    for feature in json.loads(path.read_text("utf-8"))["features"]:
        place = feature["geometry"]
        back.add(feature["properties"], place and _geojson(place))
        assert feature["id"] == feature["properties"]["id"]
    return back


def _geojson(place):
    if place["type"] == "GeometryCollection":
        return shapely.GeometryCollection([_geojson(p) for p in place["geometries"]])
    return shapely.from_geojson(json.dumps(place))


_CSVW = {
    "string": str,
    "integer": int,
    "double": lambda text: float(text.replace("INF", "inf")),
    "date": dt.date.fromisoformat,
    "dateTime": dt.datetime.fromisoformat,
    "decimal": Decimal,
    "hexBinary": bytes.fromhex,
    "json": json.loads,
}


def read_csv(path):
    back = Back()
    about = json.loads(path.with_name(path.name + "-metadata.json").read_text("utf-8"))
    types = [column["datatype"] for column in about["tableSchema"]["columns"]]
    with path.open(encoding="utf-8-sig", newline="") as stream:
        header, *lines = csv.reader(stream)
    for line in lines:
        cells = [_csv_cell(c, t) for c, t in zip(line, types, strict=True)]
        *values, lon, lat, wkt = cells
        shape = shapely.from_wkt(wkt) if wkt else None
        if shape is not None and shape.geom_type == "Point" and not shape.is_empty:
            assert (lon, lat) == (shape.x, shape.y)
        back.add(dict(zip(header[:-3], values, strict=True)), shape)
    return back


def _csv_cell(text, kind):
    if isinstance(kind, dict):
        return {"true": True, "false": False, "": None}[text]
    return text if kind == "string" else _CSVW[kind](text) if text else None


def read_geoparquet(path):
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    column = json.loads(table.schema.metadata[b"geo"])["primary_column"]
    back = Back()
    for row in table.to_pylist():
        place = row.pop(column)
        row.pop("bbox_" if "bbox_" in row else "bbox")
        back.add(row, place and shapely.from_wkb(place))
    return back


def read_flatgeobuf(path):
    back = Back()
    _read_gdal(path, back)
    return back


def _read_gdal(path, back):
    from pyogrio.raw import read_arrow

    _, table = read_arrow(path)
    for row in table.to_pylist():
        place = row.pop("wkb_geometry")
        back.add(row, place and shapely.from_wkb(place))


def read_geopackage(path):
    from pyogrio import list_layers
    from pyogrio.raw import read_arrow

    back = Back(files=0)
    for name, kind in list_layers(path):
        if kind is None:
            continue
        _, table = read_arrow(path, layer=name)
        back.files += 1
        for row in table.to_pylist():
            place = row.pop("geom")
            row.pop("fid", None)
            back.add(row, place and shapely.from_wkb(place))
    return back


def read_shapefile(path):
    back = Back(files=0)
    folder = path.with_name(path.name + ".out")
    with zipfile.ZipFile(path) as archive:
        assert all("/" not in name for name in archive.namelist())
        archive.extractall(folder)
    for file in sorted(folder.glob("*.shp")):
        assert file.with_suffix(".cpg").read_text() == "UTF-8"
        assert "WGS_1984" in file.with_suffix(".prj").read_text()
        _read_gdal(file, back)
        back.files += 1
    return back


def read_kmz(path):
    with zipfile.ZipFile(path) as archive:
        return _read_kml(archive.read("doc.kml"))


def read_kml(path):
    return _read_kml(path.read_bytes())


_KML = {"string": str, "int": int, "double": float}


def _read_kml(text):
    back = Back()
    document = ET.fromstring(text)[0]
    back.styled = document.find(f".//{KML}styleUrl") is not None
    for schema, folder in zip(
        document.iter(f"{KML}Schema"), document.iter(f"{KML}Folder"), strict=True
    ):
        assert schema.get("name") == folder.find(f"{KML}name").text
        kinds = {f.get("name"): f.get("type") for f in schema}
        for mark in folder.iter(f"{KML}Placemark"):
            row = dict.fromkeys(kinds)
            for cell in mark.iter(f"{KML}SimpleData"):
                kind = kinds[cell.get("name")]
                row[cell.get("name")] = _KML[kind](cell.text or "")
            places = [s for part in mark if (s := _kml_shape(part)) is not None]
            assert len(places) < 2
            back.add(row, places[0] if places else None)
    return back


def _kml_shape(element):
    tag = element.tag.removeprefix(KML)
    if tag == "MultiGeometry":
        return _together([_kml_shape(part) for part in element])
    if tag == "Polygon":
        rings = [_numbers(ring) for ring in element.iter(f"{KML}LinearRing")]
        return shapely.Polygon(rings[0], rings[1:])
    if tag in {"Point", "LineString"}:
        return getattr(shapely, tag)(_numbers(element))
    return None


def _together(parts):
    kinds = {part.geom_type for part in parts}
    if len(kinds) == 1 and kinds <= {"Point", "LineString", "Polygon"}:
        return getattr(shapely, f"Multi{kinds.pop()}")(parts)
    return shapely.GeometryCollection(parts)


def _numbers(element):
    text = element.find(f"{KML}coordinates").text
    return [tuple(map(float, part.split(","))) for part in text.split()]


READERS = {
    "geopackage": (".gpkg", read_geopackage),
    "geojson": (".geojson", read_geojson),
    "csv": (".csv", read_csv),
    "geoparquet": (".parquet", read_geoparquet),
    "flatgeobuf": (".fgb", read_flatgeobuf),
    "kml": (".kml", read_kml),
    "kmz": (".kmz", read_kmz),
    "shapefile": (".shp.zip", read_shapefile),
}
"""Ending and reader by format."""

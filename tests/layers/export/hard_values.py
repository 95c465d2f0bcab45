"""Values that formats like to change, each kind by itself."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from layers.export.frame_content import frame_content

KOREA = dt.timezone(dt.timedelta(hours=9))
NOON = dt.datetime(2019, 10, 31, 12, 0, 0, 123456)  # noqa: DTZ001

VALUES = {
    "text": ["plain", "two words", "a,b;c", 'she said "no"', "it's"],
    "hangul": ["철산군", "평안북도", "뷁", "🜚", "é"],
    "markup": [
        "<b>&amp;</b>",
        "]]>",
        "<script>alert(1)</script>",
        "%s {0} ${x}",
        "\\n",
    ],
    "lines": ["a\nb", "a\r\nb", "a\rb", "a\tb", "last"],
    "turned writing": ["\u202egnp.exe", "\u200fא", "a\u0301", "x\ufeffy", "z"],
    "formulas": ["=1+1", "+1", "-1", "@x", "harmless = 1"],
    "formulas in disguise": ["\tx", "\rx", "\nx", "＝1", "x"],
    "nul": ["a\x00b", "x", "y", "z", "w"],
    "controls": ["a\x01b", "a\x0bb", "\x1b[31m", "a\ufffeb", "a\x7fb"],
    "half characters": pd.Series(["a\ud800b", "x", "\udfff", None, "y"], dtype=object),
    "empty texts": ["", "x", "", "y", "z"],
    "missing texts": ["x", None, None, "y", "z"],
    "spaces": [" a", "b ", "  ", "c d", "e"],
    "long texts": ["가" * 84, "가" * 85, "a" * 254, "a" * 255, "short"],
    "nothing": [None] * 5,
    "whole": pd.array([1, None, -3, 2**31 - 1, 0], dtype="Int64"),
    "longer whole": pd.array([2**31, None, -(2**53), 2**53, 0], dtype="Int64"),
    "large whole": pd.array([2**53 + 1, None, 10**17, 5, 0], dtype="Int64"),
    "largest whole": pd.array([2**63 - 1, None, -(2**63 - 1), 5, 0], dtype="Int64"),
    "unsigned": pd.array([2**64 - 1, 1, 2, 3, 4], dtype="UInt64"),
    "small unsigned": pd.array([255, 1, None, 3, 4], dtype="UInt8"),
    "numbers": [0.1, 1 / 3, -2.5e-20, 1.7976931348623157e308, 123456789.123456789],
    "tiny numbers": [5e-324, 1e-7, -0.0, 1e15, 1e22],
    "single numbers": np.array([0.1, 3.4e38, 1, 2, 3], dtype="float32"),
    "missing numbers": [1.5, None, float("nan"), 2.5, 3.5],
    "infinite numbers": [float("inf"), -float("inf"), 1.0, 2.0, None],
    "truth": [True, False, True, False, True],
    "missing truth": pd.array([True, None, False, True, None], dtype="boolean"),
    "dates": pd.Series(
        [dt.date(2019, 10, 31), None, dt.date(1900, 1, 1), dt.date(9, 1, 1), None],
        dtype=object,
    ),
    "times": pd.Series([NOON, None, NOON, None, None]).astype("datetime64[us]"),
    "milliseconds": pd.Series([NOON, None, NOON, None, None]).astype("datetime64[ms]"),
    "times with zone": pd.Series([NOON.replace(tzinfo=KOREA), None, None, None, None]),
    "lists of text": [["a", 'b"'], [], None, ["철"], ["c"]],
    "lists of numbers": [[1, 2], [], None, [3], [4]],
    "records": [{"a": 1}, {"b": "철"}, None, {}, {"a": 2}],
    "mixed": [1, "a", None, 2.5, "b"],
    "bytes": [b"a", b"\xff\x00", None, b"", b"x"],
    "decimals": pd.Series([Decimal("1.50"), None, Decimal("-3.25"), None, None]),
    "categories": pd.Categorical(["a", "b", None, "a", "가"]),
    "durations": pd.to_timedelta([1, 2, None, 3, 4], unit="s"),
}
"""Five values of each kind."""

NAMES = {
    "plain names": ["name", "kind"],
    "hangul names": ["이름", "매장량"],
    "long names": ["tonnage_reported_t", "tonnage_reported_kt", "tonnage_re"],
    "long hangul names": ["희토류매장량", "희토류매장지"],
    "hostile names": ['a"b', "<c>", "d,e", "f\ng", "=h", "'; --", ""],
    "taken names": ["lon", "lat", "wkt", "bbox", "row", "Name", "description"],
    "names alike": ["kind", "Kind", "KIND"],
}
"""Names of columns."""


def _wkt(*texts):
    return [None if t is None else shapely.from_wkt(t) for t in texts]


CLOCKWISE = "POLYGON ((0 0, 0 9, 9 9, 9 0, 0 0), (1 1, 2 1, 2 2, 1 1))"
ANTICLOCKWISE = "POLYGON ((0 0, 9 0, 9 9, 0 9, 0 0), (1 1, 2 2, 2 1, 1 1))"

SHAPES = {
    "points": _wkt(
        "POINT (125.1 39.2)", "POINT (124.664 39.73)", "POINT (1e-9 -1e-20)"
    ),
    "exact points": [shapely.Point(0.1 + 0.2, 1 / 3), shapely.Point(100 / 3, 2 / 3)],
    "lines": _wkt("LINESTRING (0 0, 1 1, 2 0)", "LINESTRING (3 3, 4 4)"),
    "clockwise": _wkt(CLOCKWISE),
    "anticlockwise": _wkt(ANTICLOCKWISE),
    "no geometry": _wkt("POINT (1 2)", None, "POINT (3 4)"),
    "empty points": _wkt("POINT (1 2)", "POINT EMPTY", "POINT (3 4)"),
    "empty polygons": _wkt(ANTICLOCKWISE, "POLYGON EMPTY", "MULTIPOLYGON EMPTY"),
    "nothing but empty": _wkt("POINT EMPTY", None),
    "multipoints": _wkt("MULTIPOINT ((1 2), (3 4))", "MULTIPOINT ((5 6))"),
    "points and multipoints": _wkt("POINT (1 2)", "MULTIPOINT ((5 6), (7 8))"),
    "polygons and multi": _wkt(
        "POLYGON ((20 0, 21 1, 21 0, 20 0))",
        "MULTIPOLYGON (((0 0, 1 1, 1 0, 0 0)), ((5 5, 6 6, 6 5, 5 5)))",
    ),
    "lone polygon in multi": _wkt("MULTIPOLYGON (((10 0, 11 1, 11 0, 10 0)))"),
    "anticlockwise multi": _wkt(
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
    ),
    "lone line in multi": _wkt("MULTILINESTRING ((0 0, 1 1))"),
    "mixed": _wkt("POINT (1 2)", "LINESTRING (0 0, 1 1)", ANTICLOCKWISE),
    "collection": _wkt(
        "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))", "POINT (5 6)"
    ),
    "heights": _wkt("POINT Z (1 2 3)", "POINT Z (3 4 -5.5)"),
    "some heights": _wkt("POINT Z (1 2 3)", "POINT (3 4)"),
    "heights of several kinds": _wkt("POINT Z (1 2 3)", "LINESTRING Z (0 0 1, 1 1 2)"),
    "measures": _wkt("POINT M (1 2 3)", "POINT M (3 4 5)"),
    "heights and measures": _wkt("POINT ZM (1 2 3 4)", "POINT ZM (5 6 7 8)"),
    "past 180": _wkt("POLYGON ((179 0, 181 0, 181 1, 179 1, 179 0))", "POINT (181 2)"),
    "line past 180": _wkt("LINESTRING (179 0, 181 2)"),
    "wide box": _wkt("POLYGON ((-170 0, 170 0, 170 1, -170 1, -170 0))"),
}
"""Geometries."""


def of_values(values):
    """Content of five points with one column ``v``."""
    points = gpd.points_from_xy(range(5), range(5))
    frame = gpd.GeoDataFrame({"v": values}, geometry=points, crs=4326)
    return content_of(frame)


def of_names(names):
    """Content of one point with a text under each name."""
    frame = gpd.GeoDataFrame(
        [[f"value {i}" for i in range(len(names))]],
        columns=list(names),
        geometry=gpd.points_from_xy([125], [39]),
        crs=4326,
    )
    return content_of(frame)


def of_shapes(shapes):
    """Content of some geometries."""
    return content_of(gpd.GeoDataFrame(geometry=list(shapes), crs=4326))


def content_of(frame):
    """Content of a frame that says where it comes from."""
    frame.attrs |= {
        "title": "Hard values <&>",
        "licence": "CC0-1.0",
        "source": "Invented for a test",
    }
    return frame_content(frame, name="hard")

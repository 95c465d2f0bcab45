"""Polygons looked at in WKB: what is called valid is, and its box is GEOS's."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.kernels.outlines import look_at_polygons

SQUARE = shapely.box(0, 0, 8, 8)
HOLED = SQUARE.difference(shapely.box(1, 1, 2, 2)).difference(shapely.box(4, 4, 5, 5))
BOW = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
APART = shapely.MultiPolygon([SQUARE, shapely.box(9, 0, 10, 1), HOLED.buffer(0)][:2])
SHAPES = [
    *(SQUARE, HOLED, BOW, APART, shapely.MultiPolygon([HOLED])),
    shapely.MultiPolygon([SQUARE, shapely.box(4, 4, 10, 10)]),
    shapely.MultiPolygon([SQUARE, BOW]),
    shapely.box(-170, 0, 170, 1),
    *map(
        shapely.from_wkt,
        [
            "POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1))",
            "POLYGON EMPTY",
            "MULTIPOLYGON EMPTY",
            "POINT (1 2)",
            "LINESTRING (0 0, 1 1)",
            "GEOMETRYCOLLECTION (POLYGON ((0 0, 1 0, 1 1, 0 0)))",
            "POLYGON ((0 0, 1 0, inf 1, 0 0))",
        ],
    ),
]


def look(rows):
    content = np.frombuffer(b"".join(rows) or b"\0", np.uint8)
    ends = np.cumsum([0, *map(len, rows)])
    kinds, boxes = np.full(len(rows), 9), np.full((len(rows), 4), np.nan)
    look_at_polygons(content, ends, kinds, boxes)
    return kinds, boxes


def test_kinds_and_boxes_of_all_sorts():
    rows = [shapely.to_wkb(shape, byte_order=1) for shape in SHAPES]
    kinds, boxes = look(rows)
    assert kinds.tolist() == [3, 3, 0, 6, 6, *[0] * (len(SHAPES) - 5)]
    known = kinds > 0
    np.testing.assert_array_equal(boxes[known], shapely.bounds(np.array(SHAPES)[known]))
    assert np.isnan(boxes[~known]).all()


def test_other_byte_orders_and_flavours_are_left_to_others():
    rows = [shapely.to_wkb(SQUARE, byte_order=0), b"", b"\1"]
    rows.append(shapely.to_wkb(shapely.set_srid(SQUARE, 4326), include_srid=True))
    assert not look(rows)[0].any()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SHAPES[:7]),
    st.integers(0, 300),
    st.binary(max_size=8),
    st.integers(0, 40),
    st.booleans(),
)
def test_what_is_called_valid_is_whatever_the_bytes(shape, at, put, cut, is_longer):
    whole = shapely.to_wkb(shape, byte_order=1)
    spoilt = whole[:at] + put + whole[at + len(put) :]
    spoilt = spoilt + bytes(cut) if is_longer else spoilt[: len(spoilt) - cut]
    kinds, boxes = look([whole, spoilt, whole])
    assert kinds[0] == kinds[2]
    if kinds[1]:
        with np.errstate(invalid="ignore"):
            found = shapely.from_wkb(spoilt)
        assert shapely.is_valid(found)
        assert shapely.get_type_id(found) == kinds[1]
        assert shapely.to_wkb(found, byte_order=1, flavor="iso") == spoilt
        np.testing.assert_array_equal(boxes[1], shapely.bounds(found))


def test_many_rings_points_and_parts_are_looked_at():
    holes = [shapely.box(3 * i + 1, 1, 3 * i + 2, 2).exterior for i in range(30)]
    many = shapely.Polygon(shapely.box(0, 0, 100, 3).exterior, holes)
    round_ = shapely.Point(0, 0).buffer(1, quad_segs=100)
    parts = shapely.MultiPolygon(
        [shapely.box(2 * i, 0, 2 * i + 1, 1) for i in range(64)]
    )
    more = shapely.MultiPolygon(
        [shapely.box(2 * i, 0, 2 * i + 1, 1) for i in range(65)]
    )
    rows = [shapely.to_wkb(s, byte_order=1) for s in (many, round_, parts, more)]
    assert look(rows)[0].tolist() == [3, 3, 6, 0]

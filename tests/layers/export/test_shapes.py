import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from layers.export.shapes import (
    changed,
    cut_at_180,
    gathered,
    parts_of,
    wkt_text,
    wound,
)

COORDINATES = st.tuples(st.floats(-180, 180, allow_subnormal=False), st.floats(-90, 90))


@given(COORDINATES)
def test_wkt_gives_every_digit_back(place):
    point = shapely.Point(place)
    assert shapely.from_wkt(wkt_text(point)) == point


@pytest.mark.parametrize(
    "wkt",
    [
        "POINT EMPTY",
        "POINT Z (1.0 2.0 3.0)",
        "LINEARRING (0 0, 1 1, 1 0, 0 0)",
        "POLYGON ((0 0, 9 0, 9 9, 0 0), (5 1, 6 1, 6 2, 5 1))",
        "MULTIPOINT ((1 2), (3 4))",
        "MULTIPOLYGON EMPTY",
        "GEOMETRYCOLLECTION (POINT (1 2), MULTILINESTRING ((0 0, 1 1)), POINT EMPTY)",
    ],
)
def test_wkt_of_every_kind(wkt):
    shape = shapely.from_wkt(wkt)
    back = shapely.from_wkt(wkt_text(shape))
    assert shapely.to_wkb(back) == shapely.to_wkb(shape)


@given(st.floats(-180, 180), st.floats(-80, 80), st.floats(0.1, 20))
def test_a_cut_keeps_the_area_within_the_world(lon, lat, radius):
    disc = shapely.Point(lon, lat).buffer(radius, quad_segs=4)
    [found] = cut_at_180(np.array([disc]))
    west, _, east, _ = found.bounds
    assert -180 <= west <= east <= 180
    assert found.area == pytest.approx(disc.area, rel=1e-9)
    if abs(lon) + radius <= 180:
        assert found is disc


def test_points_and_lines_past_180_come_round():
    shapes = [shapely.Point(181, 2), shapely.LineString([(179, 0), (181, 2)]), None]
    point, line, none = cut_at_180(np.array(shapes, dtype=object))
    assert (point.x, point.y) == (-179, 2)
    assert line.wkt == "MULTILINESTRING ((179 0, 180 1), (-180 1, -179 2))"
    assert none is None


def test_winding_goes_both_ways():
    box = np.array([shapely.box(0, 0, 1, 1), shapely.Point(1, 2), None], dtype=object)
    one, other = wound(box), wound(box, clockwise=True)
    assert one[0].exterior.is_ccw
    assert not other[0].exterior.is_ccw
    assert changed(one, other) == 1
    assert changed(box, box.copy()) == 0


def test_parts_are_gathered_again():
    shape = shapely.from_wkt("GEOMETRYCOLLECTION (POINT (1 2), MULTIPOINT ((3 4)))")
    assert gathered(parts_of(shape)).wkt == "MULTIPOINT ((1 2), (3 4))"
    assert gathered([shapely.Point(1, 2)]).wkt == "POINT (1 2)"

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.geodesy import inverse
from layers.symbology import LIGHT
from maps.pictures.furniture import denominator, graticule, scale_bar
from maps.pictures.projection import Frame

bounds_of_views = st.builds(
    lambda lon, lat, wide, high: (
        max(lon - wide / 2, -179.0),
        max(lat - high / 2, -75.0),
        min(lon + wide / 2, 179.0),
        min(lat + high / 2, 75.0),
    ),
    st.floats(-170, 170),
    st.floats(-70, 70),
    st.floats(0.5, 120),
    st.floats(0.5, 60),
)


@settings(max_examples=60)
@given(bounds_of_views)
def test_a_frame_shows_all_of_its_bounds_and_goes_back(bounds):
    west, south, east, north = bounds
    assume(east - west > 0.3 and north - south > 0.3)
    frame = Frame.round(bounds, width=800, height=600)
    for lon in (west, (west + east) / 2, east):
        for lat in (south, (south + north) / 2, north):
            x, y = frame.point(lon, lat)
            assert frame.holds(x, y)
            back = frame.place(x, y)
            assert back == pytest.approx((lon, lat), abs=1e-6)


@settings(max_examples=60)
@given(bounds_of_views)
def test_the_scale_bar_is_right_on_the_ellipsoid_in_the_middle(bounds):
    west, south, east, north = bounds
    assume(east - west > 0.3 and north - south > 0.3)
    frame = Frame.round(bounds, width=800, height=600)
    assume(frame.bounds[2] - frame.bounds[0] < 170)
    metres, units = scale_bar(frame)
    first = frame.place(400 - units / 2, 300)
    second = frame.place(400 + units / 2, 300)
    found = float(np.ravel(inverse(*first, *second).distance_m)[0])
    assert found == pytest.approx(metres, rel=1e-4)
    assert 0.05 * 800 < units < 0.25 * 800
    assert f"{metres:.0f}".rstrip("0") in {"1", "2", "5"}


def test_a_local_view_has_nearly_one_scale():
    frame = Frame.round((123, 38, 128, 42), width=800, height=600)
    assert frame.local
    for x, y in ((50, 50), (750, 550), (50, 550), (400, 300)):
        a, b = frame.place(x, y), frame.place(x + 20, y)
        metres = float(np.ravel(inverse(*a, *b).distance_m)[0])
        assert metres / 20 == pytest.approx(frame.unit_m, rel=2e-3)
    assert denominator(frame) == pytest.approx(frame.unit_m * 5000, rel=1e-3)


def test_a_wide_view_is_mercator_with_north_up_everywhere():
    frame = Frame.round((10, -30, 130, 50), width=800, height=600)
    assert not frame.local
    x1, y1 = frame.point(20, -20)
    x2, y2 = frame.point(20, 40)
    assert x1 == pytest.approx(x2)
    assert y2 < y1


def test_long_edges_follow_their_parallel():
    frame = Frame.round((118, 38, 132, 44), width=800, height=600)
    line = shapely.LineString([(110, 44), (140, 44)])
    drawn = shapely.get_coordinates(frame.shape(line))
    x, y = frame.point(125, 44)
    at = np.interp(x, drawn[:, 0], drawn[:, 1])
    assert at == pytest.approx(y, abs=0.3)


def test_what_lies_off_the_map_is_cut():
    frame = Frame.round((123, 38, 128, 42), width=800, height=600)
    assert frame.shape(shapely.box(-10, -10, 10, 10)).is_empty
    whole = frame.shape(shapely.box(-170, -80, 170, 80))
    assert whole.area == pytest.approx(860 * 660, rel=1e-6)


def test_the_graticule_names_round_degrees():
    frame = Frame.round((123, 38, 128, 42), width=800, height=600)
    lines, values, taken = graticule(frame, LIGHT)
    assert lines.startswith("<path")
    assert "125° E" in values
    assert "40° N" in values
    assert len(taken) == values.count("<text")

"""Coordinates as text: what was meant lies within what is said of it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from layers.importing.coordinates import (
    CoordinateError,
    parse_angle,
    parse_angles,
    radius_m,
    split_pair,
)

lons = st.floats(-179.9, 179.9)
lats = st.floats(-89.4, 89.4)


@pytest.mark.parametrize(
    ("text", "degrees", "half_width", "axis"),
    [
        ("39.5", 39.5, 0.05, None),
        ("39,0194", 39.0194, 5e-5, None),
        ("-125.70", -125.7, 0.005, None),
        ("1.257e2", 125.7, 0.05, None),
        ("１２５.７", 125.7, 0.05, None),
        ("39°01'10\"N", 39 + 70 / 3600, 0.5 / 3600, "lat"),
        ("N 39.5", 39.5, 0.05, "lat"),
        ("125-45-17", 125 + 45 / 60 + 17 / 3600, 0.5 / 3600, None),
        ("동경 125° 45′ 17″", 125 + 45 / 60 + 17 / 3600, 0.5 / 3600, "lon"),
        ("125도 45분 17.5초", 125 + 45 / 60 + 17.5 / 3600, 0.05 / 3600, None),
        ("서경 125도", -125.0, 0.5, "lon"),
        ("남위 39도", -39.0, 0.5, "lat"),
        ("북위39°30′", 39.5, 0.5 / 60, "lat"),
        ("东经125.75度", 125.75, 0.005, "lon"),
        ("西經 125°", -125.0, 0.5, "lon"),
        ("39°01'10\"S", -39 - 70 / 3600, 0.5 / 3600, "lat"),
        ("39:01:10S", -39 - 70 / 3600, 0.5 / 3600, "lat"),
        ("39d01m10s", 39 + 70 / 3600, 0.5 / 3600, None),
        ("39s", -39.0, 0.5, "lat"),
        ("125.75 west", -125.75, 0.005, "lon"),
        ("-0°30'", -0.5, 0.5 / 60, None),
    ],
)
def test_reads_what_people_write(text, degrees, half_width, axis):
    angle = parse_angle(text)
    assert math.isclose(angle.degrees, degrees, abs_tol=1e-12)
    assert math.isclose(angle.half_width, half_width, rel_tol=1e-9)
    assert angle.axis == axis


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("unknown", "is no coordinate"),
        ("39.01.10", "no coordinate"),
        ("nan", "no coordinate"),
        ("39°61'", "beyond 60"),
        ("39.5°10'", "fraction before a smaller unit"),
        ("-39N", "a sign and a hemisphere"),
        ("N39S", "two hemispheres"),
        ("39 01 10 s", "seconds or south"),
    ],
)
def test_refuses_what_is_no_coordinate_or_may_be_two(text, why):
    with pytest.raises(CoordinateError, match=why):
        parse_angle(text)


def test_counts_cells_of_the_other_axis_and_beyond_the_globe():
    found = parse_angles(["북위 39도", "39.5", "", None, "200°E", "215,5"], "lon")
    assert found.other_axis == 1
    assert [(w.row, w.why) for w in found.wrong] == [
        (0, "is no longitude"),
        (4, "is beyond 180 degrees"),
    ]
    assert found.degrees[1] == 39.5
    assert found.degrees[5] == 215.5  # may be metres: judged with its CRS
    assert np.isnan(found.degrees[2:5]).all()


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("39.02, 125.75", ("39.02", "125.75")),
        ("39.02,125.75", ("39.02", "125.75")),
        ("39,02; 125,75", ("39,02", "125,75")),
        ("39.02 125.75", ("39.02", "125.75")),
        ("북위 39° 1′ 동경 125° 45′", ("북위 39° 1'", "동경 125° 45'")),
        ("39°1'10\"N125°45'3\"E", ("39°1'10\"N", "125°45'3\"E")),
        ("N39.02 E125.75", ("N39.02", "E125.75")),
        ("39°01'10.5″S, 125°45'3″W", ("39°01'10.5\"S", "125°45'3\"W")),
    ],
)
def test_parts_a_pair(text, pair):
    assert split_pair(text) == pair


def test_does_not_part_what_is_no_pair():
    for text in ("39.02", "39,02,125,75", "near Pyongyang"):
        with pytest.raises(CoordinateError):
            split_pair(text)


def far_m(lon, lat, angle_x, angle_y):
    return Geod(ellps="WGS84").inv(lon, lat, angle_x.degrees, angle_y.degrees)[2]


def said_m(angle_x, angle_y):
    return radius_m(
        *(
            np.array([v])
            for v in (
                angle_x.degrees,
                angle_y.degrees,
                angle_x.half_width,
                angle_y.half_width,
            )
        )
    ).item()


@given(lons, lats, st.integers(0, 8), st.integers(0, 8), st.sampled_from(".,"))
@settings(max_examples=250)
def test_a_rounded_place_lies_within_its_uncertainty(lon, lat, digits, others, point):
    x = parse_angle(f"{lon:.{digits}f}".replace(".", point))
    y = parse_angle(f"{lat:.{others}f}".replace(".", point))
    assert far_m(lon, lat, x, y) <= said_m(x, y)


def dms(value, decimals, marks, hemispheres):
    """Degrees, minutes and seconds, rounded, with a carry where 60 is reached."""
    scale = 10**decimals
    whole = round(abs(value) * 3600 * scale)
    degrees, rest = divmod(whole, 3600 * scale)
    minutes, seconds = divmod(rest, 60 * scale)
    text = f"{degrees}{marks[0]}{minutes:02}{marks[1]}"
    text += (
        f"{seconds / scale:0{decimals + 3 if decimals else 2}.{decimals}f}{marks[2]}"
    )
    return hemispheres(value, text)


ways = st.sampled_from(
    [
        (("°", "'", '"'), lambda v, t, p, m: t + (p if v >= 0 else m)),
        (("° ", "′ ", "″"), lambda v, t, p, m: f"{p if v >= 0 else m} {t}"),
        (("-", "-", ""), lambda v, t, p, m: f"{p if v >= 0 else m}{t}"),
        ((" ", " ", ""), lambda v, t, _p, _m: t if v >= 0 else f"-{t}"),
        (("도 ", "분 ", "초"), lambda v, t, p, m: f"{p if v >= 0 else m} {t}"),
        (("度", "分", "秒"), lambda v, t, p, m: f"{p if v >= 0 else m}{t}"),
        ((":", ":", ""), lambda v, t, p, m: f"{t} {p if v >= 0 else m}"),
    ]
)
names = st.sampled_from(
    [
        ("E", "W", "N", "S"),
        ("동경", "서경", "북위", "남위"),
        ("东经", "西经", "北纬", "南纬"),
    ]
)


@given(lons, lats, st.integers(0, 3), ways, names)
@settings(max_examples=250)
def test_seconds_lie_within_their_uncertainty(lon, lat, decimals, way, name):
    marks, put = way
    east, west, north, south = name
    x = parse_angle(dms(lon, decimals, marks, lambda v, t: put(v, t, east, west)))
    y = parse_angle(dms(lat, decimals, marks, lambda v, t: put(v, t, north, south)))
    assert {x.axis, y.axis} in ({None}, {"lon", "lat"})
    assert far_m(lon, lat, x, y) <= said_m(x, y)
    assert math.isclose(x.half_width, 0.5 / 3600 / 10**decimals)


def test_the_radius_is_that_of_the_farthest_corner_and_no_more():
    half = np.array([0.05])
    said = radius_m(np.array([125.7]), np.array([39.0]), half, half).item()
    corner = Geod(ellps="WGS84").inv(125.7, 39.0, 125.75, 38.95)[2]
    assert corner <= said < corner + 0.001

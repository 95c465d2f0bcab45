import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import geo
from geo.kernels.chords import (
    SHORT_M,
    SMALLEST_RADIUS_M,
    bearing,
    earth_centred,
    frame,
    inverse_pairs,
    long_estimate,
    longest,
    short_inverse,
)

longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 0.0, 180.0])
latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, 0.0, 90.0, 89.99999])
azimuths = st.floats(0, 360) | st.sampled_from([0.0, 45.0, 90.0, 180.0, 270.0])


def chord(lon1, lat1, lon2, lat2):
    places = earth_centred(np.array([[lon1, lat1], [lon2, lat2]]))
    return np.linalg.norm(places[1] - places[0])


@given(longitudes, latitudes, azimuths, st.floats(0, 7_999))
def test_short_inverse_is_karneys(lon, lat, azimuth, length_m):
    lon2, lat2 = (x.item() for x in geo.destination(lon, lat, azimuth, length_m))
    here, there = frame(lon, lat), frame(lon2, lat2)
    distance_m, east, north = short_inverse(
        here, *(b - a for a, b in zip(here[:3], there[:3], strict=True))
    )
    judge = geo.inverse(lon, lat, lon2, lat2)
    assert distance_m == pytest.approx(judge.distance_m.item(), abs=1.5e-8)
    if judge.distance_m > 1:
        turn = bearing(east, north) - judge.azimuth_deg.item()
        assert abs((turn + 180) % 360 - 180) < 6e-8 + 4e-7 / judge.distance_m


@given(longitudes, latitudes, longitudes, latitudes)
def test_chord_bounds_the_geodesic_from_both_sides(lon1, lat1, lon2, lat2):
    s = geo.distance(lon1, lat1, lon2, lat2).item()
    c = chord(lon1, lat1, lon2, lat2)
    assert c <= s + 1e-8
    assert s <= longest(np.array(c))


@given(st.floats(0, SHORT_M), st.floats(0.99, 1))
def test_closed_form_lies_between_the_same_bounds(c, bend):
    """Whatever the curvature: this is the proof's last step."""
    x2 = (c * bend / SMALLEST_RADIUS_M) ** 2
    s = c * (1 + x2 / 24 + 3 * x2**2 / 640)
    circle = 2 * SMALLEST_RADIUS_M * math.asin(c / 2 / SMALLEST_RADIUS_M)
    assert c <= s <= circle + 1e-11
    assert circle - c < 0.54e-3


@given(longitudes, latitudes, azimuths, st.floats(0, 5e5))
def test_long_estimate_is_good_to_a_millimetre_at_500_km(lon, lat, azimuth, length_m):
    lon2, lat2 = (x.item() for x in geo.destination(lon, lat, azimuth, length_m))
    estimate = long_estimate(*frame(lon, lat)[:3], *frame(lon2, lat2)[:3])
    assert estimate == pytest.approx(length_m, abs=1e-3)


def test_the_antimeridian_is_one_and_so_is_a_pole():
    assert frame(180.0, 12.0)[:3] == frame(-180.0, 12.0)[:3]
    assert frame(17.0, 90.0)[:3] == frame(-120.0, 90.0)[:3]


@pytest.mark.parametrize(
    ("east", "north", "expected"),
    [
        (0, 1, 0),
        (1, 1, 45),
        (1, 0, 90),
        (1, -1, 135),
        (0, -1, 180),
        (-1, 0, 270),
        (-1e-300, 1, 0),
    ],
)
def test_bearing_of_the_compass(east, north, expected):
    assert bearing(float(east), float(north)) == expected


def test_bearing_of_nothing_is_nan():
    assert math.isnan(bearing(0.0, 0.0))


@given(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
def test_bearing_is_the_arctangent(east, north):
    if abs(east) + abs(north) > 1e-3:
        turn = bearing(east, north) - math.degrees(math.atan2(east, north)) % 360
        assert abs((turn + 180) % 360 - 180) < 2e-13


def test_inverse_pairs_measures_near_and_far_and_nothing():
    lonlat = np.array([[0.0, 0.0]])
    others = np.array([[0.0, 0.01], [0.0, 1.0], [0.0, 0.0]])
    distance_m, azimuth_deg = inverse_pairs(
        lonlat, others, earth_centred(others), np.zeros(4, np.intp), np.arange(4)
    )
    assert distance_m[:3] == pytest.approx([1105.742758, 110574.388558, 0], abs=1e-6)
    assert distance_m[3] == np.inf
    assert azimuth_deg[:2].tolist() == [0, 0]
    assert np.isnan(azimuth_deg[2:]).all()

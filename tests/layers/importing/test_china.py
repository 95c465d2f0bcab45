"""GCJ-02 and BD-09, against a public-domain implementation of others."""

import numpy as np
import prcoords
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from layers.importing.china import from_datum, to_datum

lons = st.floats(73.5, 135.0)
lats = st.floats(18.0, 53.5)


def metres(lon, lat, lon_2, lat_2):
    return Geod(ellps="WGS84").inv(lon, lat, lon_2, lat_2)[2]


@given(lons, lats)
@settings(max_examples=200)
def test_shifts_as_prcoords_does(lon, lat):
    # prcoords reckons the step in degrees from its own radii: they agree to 1 cm.
    gcj = prcoords.wgs_gcj((lat, lon), check_china=False)
    assert metres(*to_datum(lon, lat, "GCJ-02"), gcj.lon, gcj.lat) < 0.01
    bd = prcoords.wgs_bd((lat, lon), check_china=False)
    assert metres(*to_datum(lon, lat, "BD-09"), bd.lon, bd.lat) < 0.011


@given(lons, lats, st.sampled_from(["GCJ-02", "BD-09"]))
@settings(max_examples=300)
def test_goes_back_to_less_than_a_millimetre(lon, lat, datum):
    back = from_datum(*to_datum(lon, lat, datum), datum)
    assert metres(lon, lat, *back) < 1e-3


@given(lons, lats)
@settings(max_examples=100)
def test_goes_back_where_prcoords_does(lon, lat):
    theirs = prcoords.gcj_wgs_bored((lat, lon), check_china=False)
    ours = from_datum(lon, lat, "GCJ-02")
    assert metres(*ours, theirs.lon, theirs.lat) < 0.012


@pytest.mark.parametrize(
    ("lon", "lat", "least", "most"),
    [
        (125.7543, 39.0194, 490, 510),  # Pyongyang
        (126.978, 37.5665, 450, 470),  # Seoul
        (124.3947, 40.1243, 400, 700),  # Dandong
    ],
)
def test_shifts_by_half_a_kilometre_in_korea_too(lon, lat, least, most):
    assert least < metres(lon, lat, *to_datum(lon, lat, "GCJ-02")) < most


def test_leaves_places_outside_the_box_alone():
    lon, lat = np.array([2.35, 151.2]), np.array([48.86, -33.87])
    for change in (to_datum, from_datum):
        x, y = change(lon, lat, "GCJ-02")
        assert (x == lon).all()
        assert (y == lat).all()


def test_takes_arrays_with_missing_places():
    lon, lat = from_datum([125.76, np.nan], [39.02, np.nan], "GCJ-02")
    assert metres(lon[0], lat[0], 125.76, 39.02) > 400
    assert np.isnan([lon[1], lat[1]]).all()

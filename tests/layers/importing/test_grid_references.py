"""Military grid references: the square holds the place, the disc the square."""

import mgrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from layers.importing.grid_references import parse_squares

# Within a tenth of a millimetre south of the equator mgrs writes a square of the north.
lats = st.floats(-79.9, 83.9).filter(lambda lat: not -1e-8 < lat < 0)


@given(st.floats(-179.9, 179.9), lats, st.integers(0, 5), st.booleans())
@settings(max_examples=300)
def test_the_place_lies_within_the_radius_of_the_centre(lon, lat, precision, spaced):
    text = mgrs.MGRS().toMGRS(lat, lon, MGRSPrecision=precision)
    if spaced:
        cut = len(text) - 2 * precision
        half = cut + precision
        text = f"{text[: cut - 2]} {text[cut - 2 : cut]} {text[cut:half]} {text[half:]}"
    found = parse_squares([text])
    assert not found.wrong
    off = Geod(ellps="WGS84").inv(lon, lat, found.lon.item(), found.lat.item())[2]
    assert off <= found.radius_m.item()
    side = 10 ** (5 - precision)
    assert found.radius_m.item() < 0.71 * side * 1.01 + 0.01
    assert found.coarse == (precision < 2)


def test_the_centre_is_no_corner():
    found = parse_squares(["51SYD38452253"])  # a square of 10 m
    corner = mgrs.MGRS().toLatLon("51SYD3845022530")
    off = Geod(ellps="WGS84").inv(
        found.lon.item(), found.lat.item(), corner[1], corner[0]
    )[2]
    assert off < 8
    assert 7.0 < found.radius_m.item() < 7.2


@pytest.mark.parametrize(
    "text", ["52SBJ123", "52SBJ123456789012", "52SZZ1234", "52SAA1234", "99SBJ1234"]
)
def test_names_cells_that_are_no_square(text):
    found = parse_squares(["52SBJ1234", text, None, " "])
    assert [w.row for w in found.wrong] == [1]
    assert np.isnan(found.lon[1:]).all()

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

import geo
from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M, ellipsoid

longitudes = st.floats(-180, 180)
latitudes = st.floats(-89, 89)


# First line of GeodTest.dat, the test set for geodesics of C. F. F. Karney, 2010:
# https://doi.org/10.5281/zenodo.32156
def test_inverse_agrees_with_the_reference_set():
    lat1, lat2, lon2 = 36.530042355041, -48.164270779097768864, 5.762344694676510456
    there = geo.inverse(0, lat1, lon2, lat2)
    assert there.distance_m.item() == pytest.approx(9398502.0434687, abs=1e-6)
    assert there.azimuth_deg.item() == pytest.approx(176.125875162171, abs=1e-9)


# Geocentric Datum of Australia, Technical Manual (ICSM): the test line from Flinders
# Peak to Buninyong, there on GRS 80, whose semi-minor axis differs from that of WGS 84
# by 0.1 mm: 54972.271 m.
def test_flinders_peak_to_buninyong():
    def degrees(d, m, s):
        return np.copysign(abs(d) + m / 60 + s / 3600, d)

    measured = geo.distance(
        degrees(144, 25, 29.52440),
        degrees(-37, 57, 3.72030),
        degrees(143, 55, 35.38390),
        degrees(-37, 39, 10.15610),
    )
    assert measured.item() == pytest.approx(54972.271, abs=1e-3)


@given(longitudes, latitudes, st.floats(0, 360), st.floats(1, 1.9e7))
def test_destination_and_distance_undo_each_other(lon, lat, azimuth, length_m):
    there = geo.destination(lon, lat, azimuth, length_m)
    assert geo.distance(lon, lat, *there).item() == pytest.approx(length_m, abs=1e-6)


@given(longitudes, latitudes, longitudes, latitudes, st.floats(-360, 360))
def test_distance_is_symmetric_and_knows_no_meridian(lon1, lat1, lon2, lat2, turn):
    there = geo.distance(lon1, lat1, lon2, lat2)
    back = geo.distance(lon2 + turn, lat2, lon1 + turn, lat1)
    assert there.item() == pytest.approx(back.item(), abs=1e-5)


def test_arrays_broadcast():
    distances = geo.distance([[0], [10]], 0, [0, 10, 20], 0)
    assert distances.shape == (2, 3)
    assert distances[1, 1] == 0


def test_line_keeps_its_ends_and_runs_on_across_the_antimeridian():
    line = geo.line(179, 50, -179, 50, max_segment_m=5_000)
    lon, lat = np.array(line.coords).T
    assert (lon[0], lat[0], lat[-1]) == (179, 50, 50)
    assert lon[-1] == pytest.approx(181)
    assert lat.max() > 50.001
    assert geo.length([line]).item() == pytest.approx(
        geo.distance(179, 50, -179, 50).item(), abs=1e-3
    )


def test_line_between_one_place_and_itself():
    assert geo.length([geo.line(10, 20, 10, 20)]).item() == 0


def test_line_refuses_a_segment_without_length():
    with pytest.raises(geo.GeometryError, match="max_segment_m is 0"):
        geo.line(0, 0, 1, 1, max_segment_m=0)


@given(longitudes, st.floats(-80, 80), st.floats(10, 5e5))
def test_disc_has_its_corners_on_the_circle_and_its_area(lon, lat, radius_m):
    disc = geo.disc(lon, lat, radius_m)
    corners = shapely.get_coordinates(disc)
    away = geo.distance(lon, lat, *corners.T)
    np.testing.assert_allclose(away, radius_m, rtol=1e-6)
    assert shapely.is_ccw(disc.exterior)
    assert disc.contains(Point(lon, lat))
    # a spherical cap of the mean of the radii of curvature, to second order
    sin2 = np.sin(np.radians(lat)) ** 2
    gauss = EQUATORIAL_RADIUS_M * np.sqrt(1 - ECCENTRICITY_SQUARED)
    gauss /= 1 - ECCENTRICITY_SQUARED * sin2
    cap = 4 * np.pi * gauss**2 * np.sin(radius_m / gauss / 2) ** 2
    assert geo.area([disc]).item() == pytest.approx(cap, rel=1e-3)


@pytest.mark.parametrize(
    ("lat", "radius_m", "vertices", "message"),
    [
        (0, 0, 360, "a disc of 0 m"),
        (0, -5, 360, "a disc of -5 m"),
        (0, np.inf, 360, "a disc of inf m"),
        (np.nan, 5, 360, "round 0, nan; expected a finite place"),
        (0, 10, 4, "vertices is 4"),
        (89.9, 20_000, 360, "holds a pole"),
        (-89.9, 20_000, 360, "holds a pole"),
    ],
)
def test_disc_refuses_what_is_none(lat, radius_m, vertices, message):
    with pytest.raises(geo.GeometryError, match=message):
        geo.disc(0, lat, radius_m, vertices=vertices)


def test_area_takes_holes_and_parts_and_any_orientation():
    outer, hole = box(0, 0, 2, 2), box(0.5, 0.5, 1, 1)
    with_hole = Polygon(outer.exterior.coords, [hole.exterior.coords])
    whole, less, gap = geo.area([outer, with_hole, hole])
    assert less == pytest.approx(whole - gap, rel=1e-9)
    assert geo.area([outer.reverse()]).item() == pytest.approx(whole)
    two = geo.area([MultiPolygon([outer, box(10, 0, 12, 2)])])
    assert two.item() == pytest.approx(2 * whole, rel=1e-9)
    assert geo.area([Point(0, 0), Polygon()]).tolist() == [0, 0]


# NIMA TR8350.2, 3rd ed.: the sphere of the area of WGS 84 has 6 371 007.1809 m.
def test_area_of_the_whole_earth():
    eighth = box(0, 0, 90, 90)
    sphere = 4 * np.pi * 6_371_007.1809**2
    assert 8 * geo.area([eighth]).item() == pytest.approx(sphere, rel=1e-9)
    assert geo.area([box(-180, -90, 180, 90)]).item() == pytest.approx(sphere, rel=1e-9)


@given(
    st.floats(-180, 170),
    st.floats(-89, 80),
    st.floats(0.001, 10),
    st.floats(0.001, 9),
)
def test_area_agrees_with_karneys_on_small_cells(west, south, width, height):
    """Cut fine, the edges of a box are as good as geodesics."""
    cell = box(west, south, west + width, south + height)
    fine = shapely.segmentize(cell, max(width, height) / 200)
    [expected] = (abs(ellipsoid().geometry_area_perimeter(fine)[0]),)
    assert geo.area([cell]).item() == pytest.approx(expected, rel=1e-4)


def test_area_of_wide_and_southern_and_shifted_boxes():
    [band] = geo.area([box(-100, 0, 100, 10)])
    assert band == pytest.approx(20 * geo.area([box(0, 0, 10, 10)]).item(), rel=1e-12)
    assert geo.area([box(-100, -10, 100, 0)]).item() == pytest.approx(band, rel=1e-12)
    assert geo.area([box(170, 0, 190, 10)]).item() == pytest.approx(band / 10)


def test_azimuths_at_both_ends():
    """From the equator to the north: north there, south back."""
    there = geo.inverse(10, 0, 10, 5)
    assert (there.azimuth_deg.item(), there.back_azimuth_deg.item()) == (0, 180)
    east = geo.inverse(0, 40, 10, 40)
    assert east.azimuth_deg.item() == pytest.approx(86.8, abs=0.1)
    assert east.back_azimuth_deg.item() == pytest.approx(273.2, abs=0.1)


def test_line_refuses_an_end_that_is_no_place():
    with pytest.raises(geo.GeometryError, match="expected finite degrees"):
        geo.line(0, 0, np.nan, 1)

"""Distance from cells to features, against Karney one by one."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import geodesy
from geo.errors import CRSMissingError, GeometryError
from geo.raster import Grid, distance_to

GRID = Grid.over((124.0, 38.0, 127.0, 41.0), 0.25)
place = st.tuples(st.floats(122, 129), st.floats(36, 43))


@settings(max_examples=60)
@given(st.lists(place, min_size=1, max_size=8))
def test_points_agree_with_exhaustive_search(places):
    got = distance_to(gpd.GeoSeries(shapely.points(places), crs=4326), grid=GRID)
    lon, lat = GRID.centres()
    every = np.array([geodesy.distance(lon, lat, *p) for p in places])
    np.testing.assert_allclose(got.distance_m, every.min(axis=0), atol=1.0)
    chosen = np.take_along_axis(every, got.feature[None], axis=0)[0]
    np.testing.assert_allclose(chosen, got.distance_m, atol=1e-6)


@pytest.mark.parametrize(
    "bbox", [(179.0, 50, 181.0, 52), (-1, -2, 1, 1), (10, 88, 30, 89.5)]
)
def test_hard_places(bbox):
    """Across the antimeridian, the equator and near the pole."""
    grid = Grid.over(bbox, 0.25)
    lon, lat = grid.centres()
    places = [(-179.9, 51.0), (0.1, 0.1), (-100.0, 89.0)]
    every = np.array([geodesy.distance(lon, lat, *p) for p in places]).min(axis=0)
    got = distance_to(gpd.GeoSeries(shapely.points(places), crs=4326), grid=grid)
    np.testing.assert_allclose(got.distance_m, every, atol=1e-3)


@settings(max_examples=40)
@given(st.lists(place, min_size=2, max_size=5, unique=True))
def test_lines_stay_within_the_stated_bound(places):
    line = shapely.LineString(places)
    got = distance_to(
        gpd.GeoSeries([line], crs=4326), grid=GRID, max_segment_m=2000.0
    ).distance_m
    finer = distance_to(
        gpd.GeoSeries([line], crs=4326), grid=GRID, max_segment_m=20.0
    ).distance_m

    def too_long(segment_m):
        return np.minimum(segment_m / 2, segment_m**2 / (8 * np.maximum(finer, 1)))

    # chords and geodesics differ by d³ / 24R², with R within 1 % either way
    rounding = 0.02 * finer**3 / (24 * 6.371e6**2) + 1e-3
    assert (got - finer >= -rounding - too_long(20.0)).all()
    assert (got - finer <= rounding + too_long(2000.0)).all()


def test_the_middle_of_a_long_edge_counts():
    """Against every hundred metres of the edge, straight in longitude and latitude."""
    line = shapely.LineString([(123.0, 38.0), (128.0, 41.0)])
    got = distance_to(gpd.GeoSeries([line], crs=4326), grid=GRID).distance_m
    lon, lat = GRID.centres()
    t = np.linspace(0, 1, 6000)
    every = [
        geodesy.distance(x, y, 123 + 5 * t, 38 + 3 * t).min()
        for x, y in zip(lon.ravel(), lat.ravel(), strict=True)
    ]
    np.testing.assert_allclose(got.ravel(), every, atol=125)


def test_zero_inside_a_polygon_and_positive_in_its_hole():
    ring = shapely.box(124.5, 38.5, 126.5, 40.5) - shapely.box(125, 39, 126, 40)
    got = distance_to(gpd.GeoSeries([ring], crs=4326), grid=GRID).distance_m
    lon, lat = GRID.centres()
    held = shapely.contains_xy(ring, lon, lat)
    assert held.any()
    assert (got[held] == 0).all()
    assert (got[~held] > 0).all()


def test_bad_features():
    with pytest.raises(GeometryError, match="empty"):
        distance_to(gpd.GeoSeries([], crs=4326), grid=GRID)
    with pytest.raises(CRSMissingError):
        distance_to(gpd.GeoSeries([shapely.Point(1, 1)]), grid=GRID)
    with pytest.raises(GeometryError):
        distance_to(gpd.GeoSeries([shapely.Point(), None], crs=4326), grid=GRID)
    one = gpd.GeoSeries([shapely.Point(1, 1)], crs=4326)
    with pytest.raises(GeometryError, match="max_segment_m is 0"):
        distance_to(one, grid=GRID, max_segment_m=0)


def test_zero_inside_a_polygon_beyond_the_antimeridian():
    grid = Grid.over((179, 50, 181, 52), 0.5)
    east = gpd.GeoSeries([shapely.box(-180, 49, -178, 53)], crs=4326)
    got = distance_to(east, grid=grid).distance_m
    assert (got[:, 2:] == 0).all()
    assert (got[:, :2] > 0).all()

"""Chances between uncertain shapes, against plain Monte Carlo on the ellipsoid."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, box

import geo

DRAWS = 20_000
TOLERANCE = 0.012  # three standard errors of the judge, and the sample's own error


def layer(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def displaced(lonlat, radius_m, rng):
    """Plain draws from the geodesic disc about a place."""
    return np.column_stack(
        geo.destination(
            *lonlat, 360 * rng.random(DRAWS), radius_m * np.sqrt(rng.random(DRAWS))
        )
    )


def test_chance_that_a_sharp_road_is_nearest_to_an_uncertain_mine():
    """A meridian on each side; which is nearer is a question of the longitude."""
    mine = layer([Point(125.03, 40)], uncertainty_m=[12_000.0])
    roads = layer([LineString([(x, 39), (x, 41)]) for x in (124.9, 125.2)])
    got = geo.nearest(mine, roads, k=2)
    drawn = displaced((125.03, 40), 12_000, np.random.default_rng(1))
    expected = (drawn[:, 0] < 125.05).mean()
    assert got["index_right"].tolist() == [0, 1]
    assert got["probability"].iloc[0] == pytest.approx(expected, abs=TOLERANCE)
    assert got["probability"].sum() == pytest.approx(1)


def test_chance_that_an_uncertain_border_is_within_a_distance():
    mine = layer([Point(125, 40)], uncertainty_m=[4_000.0])
    border = layer([box(125.1, 39, 126, 41)], boundary_uncertainty_m=[6_000.0])
    got = geo.within_distance(mine, border, 6_000)
    rng = np.random.default_rng(2)
    drawn = displaced((125, 40), 4_000, rng)
    moved = displaced((125.1, 40), 6_000, rng)
    east_m = (moved[:, 0] - drawn[:, 0]) * geo.distance(125, 40, 125.01, 40) * 100
    assert got["relation"].tolist() == ["possible"]
    expected = (east_m <= 6_000).mean()
    assert got["probability"].item() == pytest.approx(expected, abs=TOLERANCE)


def test_chance_between_two_uncertain_areas():
    """Two cells whose facing sides run north: only the distance east counts."""
    one = layer([box(124.9, 39.9, 125, 40.1)], uncertainty_m=[5_000.0])
    other = layer([box(125.1, 39.5, 125.2, 40.5)], uncertainty_m=[3_000.0])
    got = geo.within_distance(one, other, 8_000)
    rng = np.random.default_rng(3)
    degree_m = geo.distance(125, 40.0, 125.01, 40.0) * 100
    steps = [displaced((125, 40), radius, rng)[:, 0] - 125 for radius in (5_000, 3_000)]
    expected = ((0.1 + steps[1] - steps[0]) * degree_m <= 8_000).mean()
    assert got["probability"].item() == pytest.approx(expected, abs=TOLERANCE)


def test_without_uncertainty_the_nearest_is_sure():
    mines = layer([Point(125, 40), Point(126, 40)])
    roads = layer([LineString([(x, 39), (x, 41)]) for x in (124.9, 125.2)])
    assert geo.nearest(mines, roads, k=2)["probability"].tolist() == [1, 0, 1, 0]


def test_the_answer_is_the_same_every_time_and_alone():
    mines = layer([Point(125.03, 40), Point(125.1, 40)], uncertainty_m=[12_000.0] * 2)
    roads = layer(
        [LineString([(x, 39), (x, 41)]) for x in (124.9, 125.2, 125.3)],
        uncertainty_m=[500.0, 2_000.0, 0.0],
    )
    both = geo.nearest(mines, roads, k=3)["probability"].tolist()
    assert geo.nearest(mines, roads, k=3)["probability"].tolist() == both
    alone = geo.nearest(mines.iloc[1:], roads, k=3)["probability"].tolist()
    assert alone == both[3:]

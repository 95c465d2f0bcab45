"""Chances between uncertain shapes, against plain Monte Carlo on the ellipsoid."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, Point, box

import geo
from geo.kernels import draws, nearness
from geo.kernels.segments import nearest_shapes
from geo.sides import side

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


@pytest.mark.parametrize("lat", [0, 60])
@pytest.mark.parametrize("away_m", [1e4, 1e5, 2e5, 5e5, 1e6, 5e6])
def test_chance_within_a_distance_far_away(away_m, lat):
    """Short lines are as good as points, for which the judge draws and measures."""
    rng = np.random.default_rng(5)
    there = np.ravel(geo.destination(10, lat, 50, away_m))
    one, other = (
        LineString([place, np.add(place, (0, 1e-7))]) for place in ((10, lat), there)
    )
    mine = layer([one], uncertainty_m=[100.0])
    its = layer([other], uncertainty_m=[70.0])
    a, b = displaced((10, lat), 100, rng), displaced(there, 70, rng)
    drawn = geo.distance(*a.T, *b.T)
    for extra in (-60, 0, 40):
        got = geo.within_distance(mine, its, away_m + extra)["probability"].item()
        assert got == pytest.approx((drawn <= away_m + extra).mean(), abs=TOLERANCE)
        closed = geo.within_distance(
            layer([Point(10, lat)], uncertainty_m=[100.0]),
            layer([Point(there)], uncertainty_m=[70.0]),
            away_m + extra,
        )
        assert got == pytest.approx(closed["probability"].item(), abs=TOLERANCE)


@pytest.mark.parametrize("away_m", [1e4, 1e5, 1e6, 5e6])
@pytest.mark.parametrize("part", [1e-3, 1e-2, 1e-1])
def test_the_plane_keeps_changes_of_distance(away_m, part):
    """The bound of the module, about places all over the globe."""
    rng = np.random.default_rng(6)
    lat, n = np.degrees(np.arcsin(rng.uniform(-1, 1, 2000))), 2000
    moved_m = part * away_m
    ways, turns = np.radians(rng.uniform(0, 360, (2, n)))
    there = geo.destination(0, lat, np.degrees(ways), away_m)
    moved = geo.destination(0, lat, np.degrees(turns), moved_m)
    flat = np.hypot(
        away_m * np.sin(ways) - moved_m * np.sin(turns),
        away_m * np.cos(ways) - moved_m * np.cos(turns),
    )
    error = np.abs(flat - geo.distance(*moved, *there)).max()
    assert error <= 0.21 * moved_m**2 * away_m / 6_371_008.8**2 + 1e-8


def test_chance_to_be_nearest_among_roads_far_away():
    """Two roads at 800 km, 60 m apart in distance; which is nearer is a draw."""
    rng = np.random.default_rng(7)
    ends = [np.ravel(geo.destination(20, 50, z, m)) for z, m in ((30, 8e5), (110, 8e5))]
    ends[1] = np.ravel(geo.destination(20, 50, 110, 8e5 + 60))
    roads = layer([LineString([e, np.add(e, (1e-7, 0))]) for e in ends])
    got = geo.nearest(layer([Point(20, 50)], uncertainty_m=[300.0]), roads, k=2)
    drawn = displaced((20, 50), 300, rng)
    first, second = (geo.distance(*drawn.T, *end) for end in ends)
    expected = (first < second).mean()
    assert 0.55 < expected < 0.8
    assert got["probability"].iloc[0] == pytest.approx(expected, abs=TOLERANCE)


def test_a_chance_does_not_depend_on_the_rest_of_the_tables():
    """Points are judged as points, though a polygon stands elsewhere."""
    mines = layer([Point(0, 0), Point(50, 50)], uncertainty_m=[5_000.0, 0.0])
    ports = layer(
        [Point(0.04, 0), Point(0, -0.045), box(50, 50, 51, 51)],
        uncertainty_m=[1_000.0, 2_000.0, 0.0],
    )
    for join in (
        lambda a, b: geo.nearest(a, b, k=2),
        lambda a, b: geo.within_distance(a, b, 5_000),
    ):
        alone = join(mines.iloc[:1], ports.iloc[:2])["probability"]
        every = join(mines, ports)
        assert 0 < alone.min() < 1
        assert every.loc[[0], "probability"].tolist() == alone.tolist()
        mixed = join(mines.iloc[:1], ports.iloc[[0, 1]])
        assert mixed["probability"].tolist() == alone.tolist()


def test_a_sharp_nearest_stays_among_its_rivals():
    """Of places alone the draws are beside the integral, for each of many rows."""
    rng = np.random.default_rng(9)
    places, ports = rng.uniform((0, 50), (1, 51), (2, 150, 2))
    off = rng.choice([0.0, 500.0, 5_000.0], 150)
    left, right = (
        side(layer(gpd.points_from_xy(*xy.T), uncertainty_m=m), "", "straight")
        for xy, m in ((places, off), (ports, off[::-1]))
    )
    found = nearest_shapes(left.shapes, right.shapes, 3)
    rivals = draws.rivals_of(left, right, found)
    got = draws.drawn_nearest(left, right, found, rivals)
    expected = nearness.chances_of_nearest(left, right, found)
    np.testing.assert_allclose(got, expected, atol=0.05)


def test_more_rivals_than_the_sequence_has_dimensions(monkeypatch):
    """Eleven thousand uncertain places about one, and a polygon among them."""
    rng = np.random.default_rng(8)
    n = 11_000
    ring = geo.destination(
        0, 0, np.linspace(0, 360, n), 20_000 + 20_000 * rng.random(n)
    )
    off = np.full(n + 1, 50.0)
    others = layer([*gpd.points_from_xy(*ring), box(0.1, -0.2, 0.2, -0.1)])
    mine = layer([Point(0, 0)], uncertainty_m=[60_000.0])
    monkeypatch.setattr(draws, "DRAWS", 64)  # so that it does not take a minute
    got = geo.nearest(mine, others.assign(uncertainty_m=off), k=n + 1)
    assert len(got) == n + 1
    assert got["probability"].sum() == pytest.approx(1)


def test_draws_beyond_the_sequence_are_even_and_the_same_every_time(monkeypatch):
    whole = draws._uniform(6)
    monkeypatch.setattr(draws, "_SOBOL", 4)
    some = draws._uniform(6)
    np.testing.assert_array_equal(some, draws._uniform(6))
    np.testing.assert_allclose(some.mean(axis=0), 0.5, atol=0.03)
    assert np.abs(np.corrcoef(some.T) - np.eye(6)).max() < 0.12
    assert some.shape == whole.shape == (draws.DRAWS, 6)

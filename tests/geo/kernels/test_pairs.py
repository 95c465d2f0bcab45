from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
from geo.kernels.balls import Balls
from geo.kernels.pairs import TIE_M, nearest_points, points_within

# Lattices of hard places, so that draws coincide, tie and lie opposite each other.
anywhere = st.tuples(st.floats(-180, 180), st.floats(-90, 90))
hard = st.tuples(
    st.sampled_from([-180.0, -179.99, -90.0, 0.0, 1e-9, 0.01, 90.0, 179.99, 180.0]),
    st.sampled_from([-90.0, -89.999, -40.0, -1e-9, 0.0, 0.01, 40.0, 89.999, 90.0]),
)
near = st.tuples(st.floats(124.9, 125.1), st.floats(39.9, 40.1))


def places(kind, most):
    return st.lists(kind, max_size=most).map(lambda xy: np.reshape(xy, (-1, 2)) * 1.0)


sides = st.sampled_from([anywhere, hard, near]).flatmap(
    lambda kind: st.tuples(places(kind, 8), places(kind | hard, 40))
)


def every(lonlat, others):
    """Judge: Karney's distance of every pair."""
    return geo.distance(lonlat[:, :1], lonlat[:, 1:], others[:, 0], others[:, 1])


def is_sorted(found):
    order = np.lexsort((found.j, found.distance_m, found.i))
    return (order == np.arange(len(order))).all()


def globe(n, seed):
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1, 1, n)))
    return np.column_stack([rng.uniform(-180, 180, n), lat])


# ── nearest ──────────────────────────────────────────────────────────────────


@settings(max_examples=300)
@given(sides, st.integers(1, 6))
def test_nearest_agrees_with_exhaustive_search(sides, k):
    lonlat, others = sides
    found = nearest_points(lonlat, others, k)
    s = every(lonlat, others)
    k = min(k, len(others))
    assert found.i.tolist() == np.repeat(np.arange(len(lonlat)), k).tolist()
    assert is_sorted(found)
    assert len(set(zip(found.i.tolist(), found.j.tolist(), strict=True))) == len(
        found.i
    )
    expected = np.sort(s, axis=1)[:, :k].ravel()
    np.testing.assert_allclose(found.distance_m, expected, atol=5e-8)
    np.testing.assert_allclose(s[found.i, found.j], found.distance_m, atol=5e-8)
    assert (np.isnan(found.azimuth_deg) == (found.distance_m == 0)).all()


@given(sides, st.integers(1, 3))
def test_all_ties_are_given_on_request(sides, k):
    lonlat, others = sides
    found = nearest_points(lonlat, others, k, ties="all")
    s = every(lonlat, others)
    kth = np.sort(s, axis=1)[:, min(k, len(others)) - 1 :][:, :1]
    got = np.zeros(s.shape, dtype=bool)
    got[found.i, found.j] = True
    assert got[s <= kth + TIE_M / 2].all()
    assert not got[s > kth + TIE_M * 2].any()
    assert is_sorted(found)


@settings(max_examples=200)
@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-89, 89),
    radius_m=st.floats(10, 1e6),
    gain=st.sampled_from([1e-6, 1e-4, 1e-2]),
    north_wins=st.booleans(),
)
def test_east_and_north_at_almost_one_distance(lon, lat, radius_m, gain, north_wins):
    """Where a sphere, a plane and a chord all misrank."""
    lengths = np.array([radius_m + gain, radius_m])[:: 1 if north_wins else -1]
    others = np.column_stack(geo.destination(lon, lat, [90, 0], lengths))
    found = nearest_points(np.array([[lon, lat]]), others, 1)
    assert found.j.tolist() == [int(north_wins)]
    assert found.distance_m.item() == pytest.approx(radius_m, abs=5e-8)


@pytest.mark.parametrize("away", [[0, 0], [-120, -30], [-55, -40], [-54.99, -40.51]])
def test_a_far_cluster_is_ranked_exactly(away):
    """Beyond what chords tell, up to the antipodes of the cluster."""
    rng = np.random.default_rng(8)
    cluster = np.array([125, 40.5]) + rng.uniform(-0.5, 0.5, (3_000, 2))
    lonlat = np.array(away) + rng.uniform(-0.2, 0.2, (20, 2))
    found = nearest_points(lonlat, cluster, 3)
    s = every(lonlat, cluster)
    order = np.argsort(s, axis=1, kind="stable")[:, :3]
    assert found.j.reshape(-1, 3).tolist() == order.tolist()


def test_thousands_of_neighbours_agree_with_exhaustive_search():
    lonlat, others = globe(400, 1), globe(2_000, 2)
    found = nearest_points(lonlat, others, 4)
    order = np.argsort(every(lonlat, others), axis=1, kind="stable")[:, :4]
    assert found.j.reshape(-1, 4).tolist() == order.tolist()


def test_duplicates_come_in_the_order_of_right():
    others = np.array([[1.0, 1], [0, 0], [1, 1], [0, 0], [-180, 5], [180, 5]])
    found = nearest_points(np.array([[0.0, 0.0], [180.0, 5.0]]), others, 3)
    assert found.j.tolist() == [1, 3, 0, 4, 5, 0]
    first = nearest_points(np.array([[0.0, 0.0]]), others, 1)
    assert first.j.tolist() == [1]
    tied = nearest_points(np.array([[0.0, 0.0]]), others, 1, ties="all")
    assert tied.j.tolist() == [1, 3]


def test_a_million_duplicates_cost_nothing():
    others = np.vstack([np.zeros((200_000, 2)), [[1.0, 0.0]]])
    lonlat = np.full((5_000, 2), 0.5)
    found = nearest_points(lonlat, others, 2)
    assert (
        found.j.tolist() == [200_000, 0] * 5_000 or found.j.tolist() == [0, 1] * 5_000
    )


def test_the_longest_distance_is_kept_exactly():
    lonlat, others = globe(50, 3), globe(500, 4)
    s = every(lonlat, others)
    limit = np.sort(s, axis=1)[7, 1]
    found = nearest_points(lonlat, others, 3, max_distance_m=limit)
    assert 7 in found.i[found.distance_m == limit]
    below = nearest_points(lonlat, others, 3, max_distance_m=np.nextafter(limit, 0))
    assert len(below.i) == len(found.i) - 1
    expected = np.minimum((s <= limit).sum(axis=1), 3)
    assert np.bincount(found.i, minlength=50).tolist() == expected.tolist()


def test_neither_order_nor_company_changes_an_answer():
    lonlat, others = globe(300, 5), globe(700, 6)
    whole = nearest_points(lonlat, others, 2)
    alone = nearest_points(lonlat[17:18], others, 2)
    assert (whole.j[34:36] == alone.j).all()
    assert (whole.distance_m[34:36] == alone.distance_m).all()
    assert (whole.azimuth_deg[34:36] == alone.azimuth_deg).all()


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 3), (3, 0)])
def test_nothing_against_something(n, m):
    for found in (
        nearest_points(np.zeros((n, 2)), np.zeros((m, 2)), 2),
        nearest_points(np.zeros((n, 2)), np.zeros((m, 2)), 2, ties="all"),
        points_within(np.zeros((n, 2)), np.zeros((m, 2)), np.full(n, 1e9)),
    ):
        assert len(found.i) == len(found.j) == 0
        assert len(found.distance_m) == len(found.azimuth_deg) == 0


def test_progress_is_told_to_the_end():
    told = []
    nearest_points(globe(70_000, 7), globe(9, 8), 1, progress=lambda *x: told.append(x))
    assert told[-1] == (70_000, 70_000)
    told.clear()
    reach = np.where(np.arange(3_000) % 3, 1e4, -1)
    points_within(
        globe(3_000, 7), globe(9, 8), reach, progress=lambda *x: told.append(x)
    )
    assert told == sorted(told)
    assert told[-1] == (3_000, 3_000)


# ── within ───────────────────────────────────────────────────────────────────

reaches = st.one_of(
    st.floats(0, 2e4), st.floats(0, 2.1e7), st.sampled_from([0.0, 1e7, 2.0004e7])
)


def agrees(lonlat, others, reach_m):
    found = points_within(lonlat, others, reach_m)
    s = every(lonlat, others)
    i, j = np.nonzero(s <= reach_m[:, None])
    order = np.lexsort((found.j, found.i))
    assert found.i[order].tolist() == i.tolist()
    assert found.j[order].tolist() == j.tolist()
    np.testing.assert_allclose(s[found.i, found.j], found.distance_m, atol=5e-8)
    assert (np.isnan(found.azimuth_deg) == (found.distance_m == 0)).all()
    assert is_sorted(found)


@settings(max_examples=300)
@given(sides, st.lists(reaches, min_size=8, max_size=8))
def test_within_agrees_with_exhaustive_search(sides, reach_m):
    lonlat, others = sides
    agrees(lonlat, others, np.array(reach_m)[: len(lonlat)])


@given(sides, st.data())
def test_within_keeps_what_is_exactly_as_far(sides, data):
    """The reach is the distance of a pair itself, to the last bit."""
    lonlat, others = sides
    if len(lonlat) and len(others):
        j = data.draw(st.integers(0, len(others) - 1))
        agrees(lonlat, others, every(lonlat, others)[:, j])
        agrees(lonlat, others, np.nextafter(every(lonlat, others)[:, j], 0))


@pytest.mark.parametrize("reach_m", [1e3, 3e4, 1e6, 9.99e6, 1.001e7, 1.9e7])
@pytest.mark.parametrize("place", ["globe", "pole", "antimeridian", "cluster"])
def test_within_agrees_where_places_are_many(reach_m, place):
    lonlat, others = globe(60, 9), globe(1_500, 10)
    if place == "pole":
        lonlat[:, 1] = 90 - np.abs(lonlat[:, 1]) / 1e3
        others[:, 1] = 90 - np.abs(others[:, 1]) / 1e2
    elif place == "antimeridian":
        for side in (lonlat, others):
            side[:, 0] = np.copysign(180 - np.abs(side[:, 0]) / 1e3, side[:, 0])
        others[:9, 0] = -180
    elif place == "cluster":  # far from even, as hard on the sort as may be
        others[100:] = lonlat[0] / 1.001 + others[100:] / 1e4
    agrees(lonlat, others, np.full(60, reach_m))


def test_within_takes_a_reach_of_its_own_for_each_row():
    lonlat, others = globe(80, 11), globe(900, 12)
    agrees(lonlat, others, 10 ** np.linspace(-3, 7.3, 80))
    reach = np.full(80, -1.0)
    reach[5] = 5e6
    agrees(lonlat, others, reach)
    assert set(points_within(lonlat, others, reach).i) == {5}


# ── balls ────────────────────────────────────────────────────────────────────


@given(sides, st.integers(1, 3), st.floats(0, 1e6))
def test_balls_miss_nothing(sides, k, radius_m):
    """Each item's own ball may hold something nearer than its centre."""
    lonlat, others = sides
    if not len(others):
        return
    owner = np.arange(len(others)) // 2
    balls = Balls(others, np.full(len(others), radius_m), owner)
    i, item = balls.near(lonlat, k, within_m=np.full(len(lonlat), np.inf))
    got = np.zeros((len(lonlat), len(others)), dtype=bool)
    got[i, item] = True
    s = every(lonlat, others)
    for row in range(len(lonlat)):
        of_owner = np.sort([s[row, owner == o].min() for o in np.unique(owner)])
        kth = of_owner[min(k, len(of_owner)) - 1] if k <= len(of_owner) else np.inf
        assert got[row, s[row] - radius_m <= kth].all()


def test_a_ball_holds_all_places_below_it():
    lonlat = globe(700, 5)
    levels = Balls(lonlat, np.zeros(700), np.arange(700))._levels
    for (below, less, _), (centre, radius, _) in pairwise(levels):
        parent = centre[np.arange(len(below)) // 16]
        away = geo.distance(*parent.T, *below.T) + less
        assert (away <= radius[np.arange(len(below)) // 16]).all()

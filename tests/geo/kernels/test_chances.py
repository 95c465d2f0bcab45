import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import geo
from geo.geodesy import earth_centred
from geo.kernels.chances import chances_of_nearest, chances_within_distance
from geo.kernels.rivals import share_within

DRAWS = 1_000_000


def drawn(lonlat, radius_m, rng, draws=DRAWS):
    """Places even over a disc of the sphere that is as large as the Earth."""
    globe = 2 * 6_371_008.8
    away = globe * np.arcsin(np.sqrt(rng.random(draws)) * np.sin(radius_m / globe))
    return geo.destination(*lonlat, 360 * rng.random(draws), away)


def chances(place, radius_m, rivals, radii_m):
    """Of all rivals, in their order."""
    rivals, radii = np.array(rivals, dtype=float), np.array(radii_m, dtype=float)
    away = geo.distance(*place, *rivals.T)
    j = np.argsort(away, kind="stable")
    got = chances_of_nearest(
        (np.zeros(len(j), dtype=np.intp), j, away[j]),
        (np.array([place], dtype=float), np.array([float(radius_m)])),
        (rivals, radii),
    )  # fmt: skip
    return got[np.argsort(j)]


def simulated(place, radius_m, rivals, radii_m, seed=1, draws=DRAWS):
    rng = np.random.default_rng(seed)
    here = drawn(place, radius_m, rng, draws)
    here = earth_centred(*here)
    away = [  # chords rank as geodesics do, but for a hair
        np.linalg.norm(earth_centred(*drawn(rival, r, rng, draws)) - here, axis=1)
        for rival, r in zip(rivals, radii_m, strict=True)
    ]
    return np.bincount(np.argmin(away, axis=0), minlength=len(rivals)) / draws


def assert_agree(got, expected, draws=DRAWS):
    error = np.sqrt(np.maximum(expected * (1 - expected), 1 / draws) / draws)
    assert (np.abs(got - expected) <= 4 * error).all(), (got, expected)
    assert got.sum() == pytest.approx(1, abs=1e-9)


def around(place, ways):
    return [np.ravel(geo.destination(*place, az, m)).tolist() for az, m in ways]


PLACES = {"40° north": (125.0, 40.0), "pole": (30.0, 89.9), "180°": (179.95, -17.0)}


@pytest.mark.parametrize(
    ("place", "scale"),
    [(PLACES["40° north"], 1e-3), (PLACES["pole"], 1.0), (PLACES["180°"], 20.0)],
    ids=PLACES.keys(),
)
@pytest.mark.parametrize(
    ("radius_km", "ways_km", "radii_km"),
    [
        (4, [(90, 11), (280, 13)], [3, 5]),
        (10, [(0, 6), (120, 8), (200, 7), (300, 20)], [8, 2, 0.2, 15]),
        (0, [(0, 6), (120, 8), (200, 7)], [4, 0, 5]),
        (5, [(10, 9), (190, 8.5)], [0, 0]),
        (6, [(10, 9), (190, 8.5), (100, 9)], [0, 0, 4]),
    ],
    ids=["two", "four", "sharp place", "sharp rivals", "mixed"],
)
def test_nearest_agrees_with_plain_monte_carlo(
    place, scale, radius_km, ways_km, radii_km
):
    """Radii from a metre to 300 km."""
    rivals = around(place, [(az, 1e3 * scale * km) for az, km in ways_km])
    radii = 1e3 * scale * np.array(radii_km)
    args = (place, 1e3 * scale * radius_km, rivals, radii)
    draws = DRAWS if place == PLACES["40° north"] else 100_000
    assert_agree(chances(*args), simulated(*args, draws=draws), draws)


HARD = {
    "coincident centres": (2e3, [(0, 0), (0, 0), (0, 5e3)], [3e3, 1e3, 4e3]),
    "one disc inside another": (1e3, [(0, 5e3), (0, 6e3)], [5e3, 1e3]),
    "equal discs": (5e3, [(0, 0), (0, 0), (0, 0)], [5e3, 5e3, 5e3]),
    "sharp rival in a disc": (0, [(0, 5e3), (90, 5e3)], [5e3, 0]),
}


@pytest.mark.parametrize(("radius", "ways", "radii"), HARD.values(), ids=HARD.keys())
def test_nearest_of_hard_cases_agrees_with_plain_monte_carlo(radius, ways, radii):
    place = (125.0, 40.0)
    args = (place, radius, around(place, ways), radii)
    assert_agree(chances(*args), simulated(*args))


def test_nearest_of_many_rivals_agrees_with_plain_monte_carlo():
    rng = np.random.default_rng(8)
    place = (125.0, 40.0)
    ways = np.column_stack([360 * rng.random(50), 4e4 * np.sqrt(rng.random(50))])
    radii = np.where(rng.random(50) < 0.2, 0, 2e4 * rng.random(50))
    args = (place, 9e3, around(place, ways), radii)
    assert_agree(chances(*args), simulated(*args, draws=50_000), 50_000)


def test_equal_discs_share_evenly():
    got = chances(
        (10.0, 50.0), 3e3, around((10.0, 50.0), [(0, 8e3), (180, 8e3)]), [4e3] * 2
    )
    np.testing.assert_allclose(got, 0.5, atol=1e-4)


def test_ties_of_sharp_places_go_to_the_first():
    place = (0.0, 0.0)
    got = chances(place, 0, [(1, 0), (1, 0), (-1, 0)], [0, 0, 0])
    assert got.tolist() == [1, 0, 0]
    got = chances(place, 10.0, [(1, 0), (1, 0), (3, 0)], [0, 0, 0])
    np.testing.assert_allclose(got, [1, 0, 0], atol=1e-12)


def test_a_place_far_from_all_others_is_nearest_for_sure():
    got = chances((0.0, 0.0), 5e3, [(0.1, 0), (3, 0)], [1e3, 2e4])
    assert got.tolist() == [1, 0]


def test_a_chance_does_not_depend_on_other_rows_or_on_other_pairs():
    rng = np.random.default_rng(2)
    places = np.column_stack([125 + rng.random(70), 39 + rng.random(70)])
    others = np.column_stack([125 + rng.random(40), 39 + rng.random(40)])
    r, s = 1e4 * rng.random(70), 1e4 * rng.random(40)
    away = geo.distance(places[:, :1], places[:, 1:], *others.T)
    order = np.argsort(away, axis=1)
    i, j = np.repeat(np.arange(70), 40), order.ravel()
    d = np.take_along_axis(away, order, axis=1).ravel()
    every = chances_of_nearest((i, j, d), (places, r), (others, s))
    np.testing.assert_allclose(np.bincount(i, every), 1, atol=1e-9)
    three = np.tile(np.arange(40) < 3, 70) & (i % 2 == 0)
    few = chances_of_nearest((i[three], j[three], d[three]), (places, r), (others, s))
    assert (few == every[three]).all()


def test_no_pairs():
    none = np.empty(0, dtype=np.intp)
    got = chances_of_nearest(
        (none, none, np.empty(0)),
        (np.empty((0, 2)), np.empty(0)),
        (np.zeros((1, 2)), np.ones(1)),
    )
    assert got.tolist() == []


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
@pytest.mark.parametrize(
    ("away", "r", "s", "limit"),
    [
        (3e5, 3e5, 2e5, 4e5),
        (1e4, 3e3, 5e3, 1.2e4),
        (1e3, 4e3, 4e3, 2e3),
        (0, 5e3, 5e3, 3e3),
        (20, 1, 3, 21),
        (1e4, 0, 5e3, 1.2e4),
        (5e6, 3e5, 2e5, 5.1e6),
    ],
)
def test_within_distance_agrees_with_plain_monte_carlo(place, away, r, s, limit):
    [other] = around(place, [(60, away)])
    rng = np.random.default_rng(7)
    draws = DRAWS if place == PLACES["40° north"] else 100_000
    apart = geo.distance(*drawn(place, r, rng, draws), *drawn(other, s, rng, draws))
    expected = (apart <= limit).mean()
    got = chances_within_distance(
        np.array([float(away)]), np.array([float(r)]), np.array([float(s)]), limit
    )
    error = np.sqrt(expected * (1 - expected) / draws)
    assert got.item() == pytest.approx(expected, abs=4 * error)


def test_within_distance_where_the_bounds_decide():
    away, r = np.array([5.0, 5.0, 5.0, 5.0]), np.array([1.0, 1.0, 0.0, 0.0])
    got = chances_within_distance(away, r, np.ones(4), [7.0, 3.0, 6.0, 4.0])
    assert got.tolist() == [1, 0, 1, 0]
    sharp = chances_within_distance(away, 0 * r, 0 * r, [5.0, 4.9, 5.1, 0.0])
    assert sharp.tolist() == [1, 0, 1, 0]


@cache
def gauss():
    return np.polynomial.legendre.leggauss(600)


def plain_share(limit, away, radius):
    """Share of a plane disc within a distance, by polar quadrature between kinks."""
    node, weight = gauss()
    kinks = np.clip([0.0, abs(limit - away), limit + away, radius], 0, radius)
    total = 0.0
    for low, high in itertools.pairwise(np.unique(kinks)):
        ring = low + (high - low) * (node + 1) / 2
        if away == 0:
            turn = (ring <= limit).astype(float)
        else:
            cosine = (ring**2 + away**2 - limit**2) / (2 * ring * away)
            turn = np.arccos(np.clip(cosine, -1, 1)) / np.pi
        total += float(weight @ (turn * ring)) * (high - low) / radius**2
    return total


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0, 3),
    st.floats(0, 3).filter(lambda a: a == 0 or a > 1e-3),
    st.floats(0.01, 2),
)
def test_share_within_is_the_lens_of_two_circles(limit, away, radius):
    got = share_within(limit * 1e3, away * 1e3, radius * 1e3)
    assert got == pytest.approx(plain_share(limit, away, radius), abs=1e-3)


@settings(deadline=None)
@given(st.floats(0, 2e7), st.floats(1, 3e5), st.floats(-0.98, 0.98))
def test_share_within_rises_with_the_distance(away, radius, across):
    limit = max(away + across * radius, 0.0)
    here = share_within(limit, away, radius)
    assert 0 <= here <= share_within(limit + 0.01 * radius, away, radius) + 1e-6 <= 1.1


def test_share_within_far_away_is_half_at_the_centre():
    for away in (1e5, 1e6, 9.9e6, 10.1e6, 1.9e7):
        assert share_within(away, away, 1e3) == pytest.approx(0.5, abs=3e-3), away
    assert share_within(1e5, 1e5, 1.0) == pytest.approx(0.5, abs=1e-5)

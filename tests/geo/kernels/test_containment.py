from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Polygon, box

import geo
from geo.geodesy import discs
from geo.kernels import containment
from geo.kernels.containment import (
    contain_areas,
    contain_lines,
    contain_points,
    share_inside,
)

DRAWS = 1_000_000


def contained(lonlat, radius_m, shapes, boundary_m=0.0):
    """One point in several polygons: probability and certainty of each, 0 if absent."""
    shapes = np.array(shapes, dtype=object)
    boundary = np.broadcast_to(float(boundary_m), len(shapes)).copy()
    got = contain_points(
        np.array([lonlat], dtype=float), np.array([float(radius_m)]), shapes, boundary
    )
    probability, certain = np.zeros(len(shapes)), np.zeros(len(shapes), dtype=bool)
    probability[got.j], certain[got.j] = got.probability, got.certain
    return probability, certain


def simulated(lonlat, radii_m, shape, seed=1):
    """Share of plain draws inside; uniform discs of the sphere, one after another."""
    rng = np.random.default_rng(seed)
    lon, lat = np.full(DRAWS, lonlat[0]), np.full(DRAWS, lonlat[1])
    globe = 2 * 6_371_008.8
    for radius in radii_m:
        away = globe * np.arcsin(np.sqrt(rng.random(DRAWS)) * np.sin(radius / globe))
        lon, lat = geo.destination(lon, lat, 360 * rng.random(DRAWS), away)
    return shapely.contains_xy(shape, lon, lat).mean()


def star(lon, lat, size, rng, n=40):
    turn = np.sort(rng.random(n)) * 2 * np.pi
    away = size * (0.4 + 0.6 * rng.random(n))
    x = lon + away * np.cos(turn) / np.cos(np.radians(lat))
    return shapely.make_valid(Polygon(np.column_stack([x, lat + away * np.sin(turn)])))


CAP = MultiPolygon([box(-180, 84, 180, 90)])
HOLED = box(124, 39, 126, 41) - box(124.9, 39.9, 125.1, 40.1)
FIJI = MultiPolygon([box(179, -18, 180, -16), box(-180, -18, -179.9, -16)])


@pytest.mark.parametrize(
    ("lonlat", "radii", "shape"),
    [
        ((125.0, 40.0), [20e3], HOLED),
        ((125.0, 40.0), [9e3, 6e3], HOLED),
        ((0.0, 90.0), [800e3], CAP),
        ((20.0, 89.0), [700e3], CAP),
        ((20.0, 89.9), [30e3], box(0, 84, 90, 90)),
        ((-179.95, -17.0), [20e3], FIJI),
        ((180.0, -16.0), [20e3, 8e3], FIJI),
        ((10.0, 60.0), [300e3], Polygon([(0, 58), (25, 59), (12, 64)])),
        ((10.0, 60.0), [1.0], box(10, 60, 10.00001, 61)),
        ((0.0, 0.0), [5e3], Polygon([(0, 0), (1, 0), (1, 1)])),
    ],
    ids=["hole", "vague hole", "pole", "round a pole", "wedge at a pole", "180°",
         "on 180°", "300 km", "1 m", "on a vertex"],
)  # fmt: skip
def test_points_agree_with_plain_monte_carlo(lonlat, radii, shape):
    probability, _ = contained(lonlat, radii[0], [shape], sum(radii[1:]))
    expected = simulated(lonlat, radii, shape)
    assert 0.01 < expected < 0.999
    error = np.sqrt(expected * (1 - expected) / DRAWS)
    assert probability.item() == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("radius", [1.0, 300.0, 20e3, 200e3])
@pytest.mark.parametrize("lat", [0.0, -40.0, 60.0])
def test_points_agree_with_discs_of_many_corners(lat, radius):
    rng = np.random.default_rng(6)
    size = 2 * radius / 111e3
    shapes = np.array([star(20, lat, size, rng) for _ in range(40)], dtype=object)
    places = np.array([20.0, lat]) + size * (rng.random((40, 2)) - 0.5)
    every = contain_points(places, np.full(40, radius), shapes, np.zeros(40))
    own = every.i == every.j
    got = np.zeros(40)
    got[every.i[own]] = every.probability[own]
    expected = share_inside(discs(places, np.full(40, radius), vertices=1440), shapes)
    np.testing.assert_allclose(got, expected, atol=3e-5)
    assert ((got > 0.01) & (got < 0.99)).sum() > 20


@settings(deadline=None)
@given(st.floats(-70, 70), st.floats(-0.99, 0.99), st.floats(1, 20_000))
def test_beyond_a_meridian_lies_a_circular_segment(lat, across, radius):
    lon = geo.destination(0, lat, 90, abs(across) * radius)[0].item()
    probability, _ = contained(
        (np.copysign(lon, across), lat), radius, [box(0, -89, 60, 89)]
    )
    expected = 1 - (np.arccos(across) - across * np.sqrt(1 - across**2)) / np.pi
    # the closed form is of the plane
    slack = 1e-5 + abs(across) * radius * abs(np.tan(np.radians(lat))) / 6.3e6
    assert probability.item() == pytest.approx(expected, abs=slack)


@settings(deadline=None)
@given(
    st.floats(-180, 180),
    st.sampled_from([-90.0, -89.9, -45.3, 0.0, 60.0, 89.99, 90.0]),
    st.floats(1, 400_000), st.sampled_from([0.0, 3_000.0]), st.integers(1, 12),
)  # fmt: skip
def test_shares_over_a_partition_of_the_globe_sum_to_one(lon, lat, radius, boundary, n):
    lons = np.linspace(-180, 180, n + 1)
    cells = [box(w, s, e, s + 45) for w, e in pairwise(lons)
             for s in (-90, -45, 0, 45)]  # fmt: skip
    probability, _ = contained((lon, lat), radius, cells, boundary)
    assert probability.sum() == pytest.approx(1, abs=1e-6)


@settings(deadline=None)
@given(st.floats(-179, 179), st.floats(1e3, 5e4), st.floats(-0.5, 0.5))
def test_shares_do_not_depend_on_the_longitude(turn, radius, off):
    def wedge(lon):
        west, east = lon - 0.2, lon + 0.3
        parts = [box(west, 50, min(east, 180), 50.4)] if west < 180 else []
        if east > 180:
            parts.append(box(max(west - 360, -180), 50, east - 360, 50.4))
        return MultiPolygon(parts)

    here, _ = contained((off, 50.1), radius, [wedge(0)])
    lon = turn + off
    there, _ = contained(((lon + 180) % 360 - 180, 50.1), radius, [wedge(turn)])
    np.testing.assert_allclose(there, here, atol=2e-6)


def test_without_slack_it_is_the_certain_join():
    rng = np.random.default_rng(3)
    shapes = np.array([box(i, j, i + 1, j + 1) for i in range(3) for j in range(3)])
    places = np.vstack([3 * rng.random((200, 2)), [(1, 1), (1, 0.5), (0, 0)]])
    expected = np.argwhere(shapely.contains_xy(shapes, places[:, :1], places[:, 1:]))
    for hair in (0.0, 4e-4):
        got = contain_points(places, np.full(203, hair), shapes, np.full(9, hair))
        assert np.column_stack([got.i, got.j]).tolist() == expected.tolist()
        assert (got.probability == 1).all()
        assert got.certain.all()


def test_small_radii_tend_to_the_certain_join():
    square = [box(0, 0, 1, 1)]
    for place, share in (
        ((0.5, 0.5), 1),
        ((1.0, 0.5), 0.5),
        ((1, 1), 0.25),
        ((2, 2), 0),
    ):
        probability, _ = contained(place, 2e-3, square)
        assert probability.item() == pytest.approx(share, abs=1e-3)


def test_certain_reaches_exactly_as_far_as_the_border():
    square = [box(0, 0, 1, 1)]
    lat = 0.5
    lon = 0.04
    reach = geo.distance(lon, lat, 0, lat).item()  # the meridian's nearest is beside
    for factor, sure in ((0.999, True), (1.001, False)):
        for boundary in (0.0, 0.3 * reach):
            _, certain = contained(
                (lon, lat), factor * reach - boundary, square, boundary
            )
            assert certain.tolist() == [sure]
    outside, _ = contained((-lon, lat), 0.999 * reach, square)
    assert outside.item() == 0


def test_a_cut_along_the_antimeridian_is_no_border():
    for lon in (180.0, -180.0, 179.99, -179.99):
        probability, certain = contained((lon, -17), 5e3, [FIJI])
        assert probability.tolist() == [1], lon
        assert certain.all()
    _, certain = contained((10, 89.99), 5e3, [CAP])
    assert certain.all()
    west, _ = contained(
        (-179.99, 0.5), 5e3, [box(179, 0, 180, 1), box(-180, 0, -179, 1)]
    )
    assert west.sum() == pytest.approx(1, abs=1e-9)
    assert 0.2 < west[0] < 0.5


def test_shares_rise_with_the_distance_into_the_polygon():
    lons = np.linspace(-0.06, 0.06, 200)
    places = np.column_stack([lons, np.full(200, 0.5)])
    got = contain_points(
        places, np.full(200, 5e3), np.array([box(0, 0, 1, 1)]), np.zeros(1)
    )
    assert (np.diff(got.probability) >= 0).all()


def test_many_vertices_and_slivers():
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    round_one = Polygon(np.column_stack([np.cos(turn), np.sin(turn)]))
    sliver = Polygon([(0, 0), (1, 1e-9), (1, -1e-9)])
    probability, certain = contained((0.5, 0), 1e3, [round_one, sliver])
    assert certain.tolist() == [True, False]
    assert probability[0] == 1
    assert 0 < probability[1] < 1e-6


@pytest.mark.parametrize("kind", ["area", "line"])
def test_shares_of_areas_and_lines(kind):
    halves = np.array([box(0, 0, 1, 1), box(1, 0, 2, 1)])
    if kind == "area":
        shapes, contain = (
            [box(0.75, 0, 1.75, 1), box(0.2, 0.2, 0.4, 0.4)],
            contain_areas,
        )
    else:
        shapes = [
            LineString([(0.75, 0.5), (1.75, 0.5)]),
            LineString([(0.1, 0.1), (0.2, 0.1)]),
        ]
        contain = contain_lines
    got = contain(np.array(shapes), np.zeros(2), halves, np.zeros(2))
    assert np.column_stack([got.i, got.j]).tolist() == [[0, 0], [0, 1], [1, 0]]
    np.testing.assert_allclose(got.probability, [0.25, 0.75, 1], atol=1e-6)
    assert got.certain.tolist() == [False, False, True]
    moved = contain(np.array(shapes), np.full(2, 5e3), halves, np.zeros(2))
    np.testing.assert_allclose(moved.probability, [0.25, 0.75, 1], atol=2e-2)
    assert moved.certain.tolist() == [False, False, True]


def test_a_line_along_the_outline_is_not_inside():
    border = np.array([LineString([(0, 0), (1, 0)])])
    got = contain_lines(border, np.zeros(1), np.array([box(0, 0, 1, 1)]), np.zeros(1))
    assert len(got.i) == 0


@pytest.mark.parametrize("n", [0, 1])
def test_an_empty_side(n):
    shapes = np.array([box(0, 0, 1, 1)], dtype=object)[: 1 - n]
    for got in (
        contain_points(np.zeros((n, 2)), np.ones(n), shapes, np.ones(1 - n)),
        contain_areas(
            np.array([box(0, 0, 1, 1)])[:n], np.ones(n), shapes, np.ones(1 - n)
        ),
    ):
        assert len(got.i) == len(got.probability) == 0


def test_share_inside_counts_both_sides_of_the_antimeridian():
    disc = discs(np.array([[180.0, 10.0]]), np.array([50_000.0]))
    both = MultiPolygon([box(179, 9, 180, 11), box(-180, 9, -179, 11)])
    for shape, share in ((both, 1.0), (box(179, 9, 180, 11), 0.5)):
        got = share_inside(disc, np.array([shape], dtype=object))
        assert got.item() == pytest.approx(share, abs=1e-6)


CAP_80 = box(-180, 80, 180, 90)
QUARTER = box(0, 80, 90, 90)


def drawn(shape, radii_m, polygon, draws=200_000):
    """Share of plain draws inside: places of a shape, displaced by geodesics."""
    rng = np.random.default_rng(9)
    if isinstance(shape, LineString):
        lon, lat = shapely.get_coordinates(
            shapely.line_interpolate_point(shape, rng.random(draws), normalized=True)
        ).T  # short lines along a meridian: even in degrees
    else:
        west, south, east, north = shape.bounds
        low, high = np.sin(np.radians([south, north]))
        lon = rng.uniform(west, east, draws)
        lat = np.degrees(np.arcsin(rng.uniform(low, high, draws)))
    for radius in radii_m:
        away = radius * np.sqrt(rng.random(draws))
        lon, lat = geo.destination(lon, lat, 360 * rng.random(draws), away)
    return shapely.contains_xy(polygon, lon, lat).mean()


@pytest.mark.parametrize(
    ("shape", "radii", "polygon"),
    [
        (box(10, 89.5, 20, 89.6), [60e3], QUARTER),
        (box(10, 89.5, 20, 89.6), [60e3, 40e3], QUARTER),
        (box(10, 81, 20, 82), [200e3], CAP_80),
        (box(10, 89, 20, 90), [150e3], QUARTER),
        (LineString([(10, 89.2), (10, 89.9)]), [100e3], QUARTER),
        (LineString([(10, 80.1), (10, 80.8)]), [60e3, 20e3], CAP_80),
        (box(179.6, 0, 180, 1), [30e3], box(-180, -3, -179, 3)),
        (box(0.98, 0.4, 1.05, 0.45), [4e3, 3e3], box(0, 0, 1, 1)),
        (box(0.6, 0, 1.3, 1), [2e3], box(0, 0, 1, 1)),
        (box(0, 0.3, 1, 1.31), [1e3], box(0, 0, 1, 1)),
    ],
)  # fmt: skip
def test_displaced_shapes_agree_with_plain_monte_carlo(shape, radii, polygon):
    contain = contain_lines if isinstance(shape, LineString) else contain_areas
    got = contain(
        np.array([shape]), np.array(radii[:1]), np.array([polygon]),
        np.array([sum(radii[1:])]),
    )  # fmt: skip
    expected = drawn(shape, radii, polygon)
    assert got.certain.tolist() == [False]
    assert got.probability.item() == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize(
    "shape", [box(10, 89, 20, 89.5), LineString([(10, 89), (20, 89.8)])]
)
def test_over_a_pole_certain_reaches_as_far_as_the_border(shape):
    """The southernmost latitude is 89, and so 1,005 km from that of 80."""
    contain = contain_lines if isinstance(shape, LineString) else contain_areas
    reach = geo.distance(10, 89, 10, 80).item()
    for radius, sure in ((200e3, True), (reach - 5, True), (reach + 5, False)):
        for boundary in (0.0, 100e3):
            got = contain(
                np.array([shape]), np.array([radius - boundary]),
                np.array([CAP_80]), np.array([boundary]),
            )  # fmt: skip
            assert got.certain.tolist() == [sure]
            assert sure == (got.probability.item() == 1)
    far = contain(
        np.array([shape]), np.array([50e3]), np.array([box(0, 70, 20, 80)]), np.zeros(1)
    )
    assert len(far.i) == 0


def test_a_small_part_inside_is_kept_and_a_small_part_outside_is_not_all():
    big = np.array([box(124, 34, 130, 43)])
    leases = np.array([box(125, 38, 125 + d, 38 + d) for d in (1e-5, 5e-5, 4e-4)])
    got = contain_areas(big, np.zeros(1), leases, np.zeros(3))
    assert got.j.tolist() == [0, 1, 2]
    whole = geo.area(big).item()
    np.testing.assert_allclose(got.probability, geo.area(leases) / whole, rtol=1e-4)
    assert (got.probability > 0).all()
    for top in (10 - 1e-9, np.nextafter(10, 0)):
        outline = np.array([box(0, 0, 10, top)])
        for shape, contain in (
            (box(0, 0, 10, 10), contain_areas),
            (LineString([(1, 1), (2, 10)]), contain_lines),
        ):
            got = contain(np.array([shape]), np.zeros(1), outline, np.zeros(1))
            assert got.certain.tolist() == [False]
            assert 0.99 < got.probability.item() < 1


grid = st.tuples(st.integers(0, 4), st.integers(0, 4))
patches = (
    st.lists(grid, min_size=3, max_size=6, unique=True)
    .map(Polygon)
    .filter(lambda p: p.is_valid and p.area > 0)
)
ways = st.lists(grid, min_size=2, max_size=4).map(LineString)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(patches | ways.filter(lambda line: line.length), min_size=1, max_size=5),
    st.lists(patches, min_size=1, max_size=5),
    st.sampled_from([1.0, 0.1, 1 / 3]),
)
def test_sharp_shapes_are_certain_where_shapely_says_within(shapes, others, scale):
    """Corners on a coarse grid, so that edges touch, overlap and cross at vertices."""

    def scaled(shape):
        return shapely.transform(shape, lambda xy: xy * scale)

    shapes, others = [np.array([scaled(s) for s in some]) for some in (shapes, others)]
    for kind, contain in (("Polygon", contain_areas), ("LineString", contain_lines)):
        some = np.array([s for s in shapes if s.geom_type == kind], dtype=object)
        got = contain(some, np.zeros(len(some)), others, np.zeros(len(others)))
        meet = shapely.relate_pattern(some[:, None], others, "T********")
        assert np.column_stack([got.i, got.j]).tolist() == np.argwhere(meet).tolist()
        expected = shapely.within(some[got.i], others[got.j])
        assert got.certain.tolist() == expected.tolist()
        assert (got.certain == (got.probability == 1)).all()


def test_of_a_line_that_enters_stretches_along_the_outline_count():
    square = np.array([box(0, 0, 2, 2)])
    lines = np.array([
        LineString([(0, 0), (1, 0), (1, 1)]), LineString([(0, 1), (0, -1)]),
        LineString([(1, 1), (1, 0), (0, 0), (0, -2)]),
    ])  # fmt: skip
    got = contain_lines(lines, np.zeros(3), square, np.zeros(1))
    assert got.i.tolist() == [0, 2]
    assert got.certain.tolist() == [True, False]
    np.testing.assert_allclose(got.probability, [1, 0.5], atol=2e-3)


@pytest.mark.parametrize("lat", [5.07, 5.1, 5.13])
@pytest.mark.parametrize("kind", ["area", "line"])
def test_a_reach_far_shorter_than_the_gaps_hardly_moves_a_share(kind, lat):
    """Over a straight border as much is displaced outward as inward."""
    polygons = np.array([shapely.box(-5, -5, 15, lat)])
    line = shapely.LineString([(3, 0), (3, 10)])
    shapes = np.array([shapely.box(0, 0, 10, 10) if kind == "area" else line])
    contain = contain_areas if kind == "area" else contain_lines
    none = np.zeros(1)
    sharp = contain(shapes, none, polygons, none).probability[0]
    vague = contain(shapes, none + 100.0, polygons, none).probability[0]
    assert vague == pytest.approx(sharp, abs=2e-4)


def test_what_has_no_outline_is_near_none():
    """Its place, -1, must not pass for the last one of the row before."""
    known = np.array([0]), np.array([1])
    pairs = np.array([0, 0, 1, 1]), np.array([1, 0, -1, 1])
    found = containment._of_pairs(known, np.array([5.0]), 2, pairs, np.inf)
    assert found.tolist() == [5.0, np.inf, np.inf, np.inf]

import math
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shapely import (
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)
from shapely.affinity import translate

import geo
from geo.kernels import predicates
from geo.kernels.predicates import intersecting, polygons_holding
from geo.parallel import limit_threads

# ── shapes whose corners meet, touch and line up ─────────────────────────────

knot = st.tuples(st.integers(0, 6), st.integers(0, 6))
ulps = st.integers(-2, 2)


def array(shapes):
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    return out


@st.composite
def areas(draw, knot=knot):
    """Triangles and boxes put together and cut out of each other."""
    area = Polygon()
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            piece = Polygon(draw(st.lists(knot, min_size=3, max_size=3, unique=True)))
        else:
            (w, s), (e, n) = draw(st.lists(knot, min_size=2, max_size=2, unique=True))
            piece = box(min(w, e), min(s, n), max(w, e), max(s, n))
        if piece.is_valid and piece.area:
            area = area - piece if draw(st.integers(0, 3)) == 0 else area | piece
    assume(area.geom_type in {"Polygon", "MultiPolygon"} and area.area > 0)
    return area


@st.composite
def rings(draw, knot=knot):
    """Outlines through knots in any order that happens to be simple."""
    ring = Polygon(draw(st.lists(knot, min_size=3, max_size=7, unique=True)))
    assume(ring.is_valid)
    return ring


def lines(knot=knot):
    line = st.lists(knot, min_size=2, max_size=5).map(LineString)
    line = line.filter(lambda shape: shape.length)
    return line | st.lists(line, min_size=1, max_size=3).map(MultiLineString)


def dots(knot=knot):
    return knot.map(Point) | st.lists(knot, min_size=1, max_size=3).map(MultiPoint)


def features(knot=knot):
    return areas(knot) | rings(knot) | lines(knot) | dots(knot)


lattices = st.sampled_from(
    [
        (lambda x, y: (x, y)),
        (lambda x, y: (123 + x / 10, 39 + y / 10)),
        # Lines through these knots are straight but for rounding.
        (lambda x, y: (x * 0.1 + y * 0.3, y * 0.7 - x / 3)),
        (lambda x, y: (127.1 + x * 1e-15 + y * 0.1, 40.3 + y * 0.2 - x * 1e-14)),
    ]
)


def placed(shape, lattice):
    """The shape on another lattice; nothing where rounding makes it invalid."""
    moved = shapely.transform(shape, lambda xy: np.array([lattice(*p) for p in xy]))
    assume(moved.is_valid)
    return moved


def nudged(shape, steps):
    """The shape with its first corners a few rounding steps off."""

    def move(xy):
        out = xy.copy()
        for k, (dx, dy) in enumerate(steps[: len(xy) - 1]):
            same = (xy == xy[k]).all(axis=1)
            for axis, n in ((0, dx), (1, dy)):
                for _ in range(abs(n)):
                    to = math.copysign(math.inf, n)
                    out[same, axis] = math.nextafter(out[k, axis], to)
        return np.where(np.abs(out) < 1e-100, 0.0, out)

    moved = shapely.transform(shape, move)
    assume(moved.is_valid)
    return moved


# ── intersecting ─────────────────────────────────────────────────────────────


def check_pairs(left, right, meet):
    i, j = intersecting(array(left), array(right))
    expected = [
        (a, b)
        for a in range(len(left))
        for b in range(len(right))
        if meet(left[a], right[b])
    ]
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == expected


@settings(max_examples=400, deadline=None)
@given(
    st.lists(features(), min_size=1, max_size=4),
    st.lists(features(), min_size=1, max_size=4),
    lattices,
)
def test_intersecting_says_what_geos_says(left, right, lattice):
    left = [placed(shape, lattice) for shape in left]
    right = [placed(shape, lattice) for shape in right]
    check_pairs(left, right, shapely.intersects)


@settings(max_examples=300, deadline=None)
@given(features(), features(), lattices, st.lists(st.tuples(ulps, ulps), max_size=6))
def test_intersecting_a_few_rounding_steps_apart(one, other, lattice, steps):
    one, other = placed(one, lattice), nudged(placed(other, lattice), steps)
    check_pairs([one, other], [one, other], shapely.intersects)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (box(0, 0, 4, 4), box(1, 1, 2, 2), True),
        (box(0, 0, 4, 4) - box(1, 1, 3, 3), box(1.5, 1.5, 2.5, 2.5), False),
        (box(0, 0, 4, 4) - box(1, 1, 3, 3), box(1, 1, 3, 3), True),
        (box(0, 0, 1, 1), box(1, 1, 2, 2), True),
        (box(0, 0, 9, 9), MultiPolygon([box(20, 0, 21, 1), box(4, 4, 5, 5)]), True),
        (
            box(0, 0, 9, 9),
            MultiLineString([[(20, 0), (21, 1)], [(4, 4), (5, 5)]]),
            True,
        ),
        (LineString([(0, 0), (0, 0), (2, 2)]), Point(1, 1), True),
        (LineString([(1, 1), (1, 1), (1, 2)]), LineString([(0, 0), (2, 2)]), True),
        (LineString([(0, 0), (1, 1)]), LineString([(2, 2), (3, 3)]), False),
        (LineString([(0, 0), (2, 0)]), LineString([(1, 0), (3, 0)]), True),
        (LineString([(0, 0), (2, 2)]), LineString([(1, 0), (2, 1)]), False),
    ],
)
def test_intersecting_by_hand(one, other, meet):
    assert one.intersects(other) == meet
    for left, right in ((one, other), (other, one)):
        i, j = intersecting(array([left]), array([right]))
        assert i.tolist() == j.tolist() == [0] * meet


def archipelago(seed, n, corners):
    """Many islands, some with lakes, as one feature."""
    random = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    islands = []
    for x, y in np.argwhere(np.ones((n, n))):
        r = random.uniform(0.2, 0.45, corners)
        outline = np.column_stack([x + r * np.cos(turn), y + r * np.sin(turn)])
        lake = [(outline - (x, y)) * 0.4 + (x, y)] if random.random() < 0.5 else []
        islands.append(Polygon(outline, lake))
    return MultiPolygon(islands)


@pytest.mark.parametrize("corners", [3, 8, 9, 70])
def test_features_of_many_parts(corners):
    sea = archipelago(1, 12, corners)
    random = np.random.default_rng(corners)
    places = random.uniform(-1, 12, (3000, 2))
    reach, width = np.zeros(3000), np.zeros(1)
    got = polygons_holding(places, reach, array([sea]), width)
    shapely.prepare(sea)
    expected = np.flatnonzero(shapely.contains_xy(sea, *places.T))
    assert got.i.tolist() == expected.tolist()

    ships = shapely.buffer(shapely.points(places), 0.02, quad_segs=2)
    sea_and_ships = np.append(ships, sea)
    i, j = intersecting(ships, sea_and_ships)
    expected = shapely.STRtree(sea_and_ships).query(ships, "intersects")
    expected = expected[:, np.lexsort(expected[::-1])]
    assert np.array_equal([i, j], expected)

    # Round each island alone, meeting no edge of it.
    x, y = np.argwhere(np.ones((12, 12))).T
    rounds = shapely.box(x - 0.49, y - 0.49, x + 0.49, y + 0.49)
    i, j = intersecting(rounds, array([sea]))
    assert i.tolist() == list(range(144))


# ── points in polygons ───────────────────────────────────────────────────────


def check_holding(places, polygons, holds):
    reach, width = np.zeros(len(places)), np.zeros(len(polygons))
    lonlat = np.reshape(np.array(places, dtype=float), (-1, 2))
    got = polygons_holding(lonlat, reach, array(polygons), width)
    expected = [
        (a, b)
        for a in range(len(places))
        for b in range(len(polygons))
        if holds(polygons[b], Point(places[a]))
    ]
    assert list(zip(got.i.tolist(), got.j.tolist(), strict=True)) == expected
    assert got.inside.all()
    assert not got.near.any()


def telling(polygons, steps):
    """Corners, middles of edges, and places a few rounding steps from them."""
    xy = np.vstack([shapely.get_coordinates(p) for p in polygons])
    xy = np.unique(np.vstack([xy, (xy[1:] + xy[:-1]) / 2]), axis=0)
    near = xy.copy()
    for dx, dy in steps:
        near = np.nextafter(near, near + np.array([dx, dy]))
    near[np.abs(near) < 1e-100] = 0
    return np.vstack([xy, near])


@settings(max_examples=400, deadline=None)
@given(
    st.lists(areas() | rings(), min_size=1, max_size=4),
    st.lists(knot, max_size=6),
    lattices,
    st.lists(st.tuples(ulps, ulps), max_size=3),
)
def test_inside_is_what_geos_says(polygons, places, lattice, steps):
    polygons = [placed(polygon, lattice) for polygon in polygons]
    places = [lattice(*place) for place in places]
    check_holding(
        [*places, *telling(polygons, steps).tolist()], polygons, shapely.contains
    )


@pytest.mark.parametrize("reach_m", [0.0, 1000.0])
def test_a_polygon_of_many_corners(reach_m):
    turn = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    r = 1 + 0.3 * np.sin(7 * turn) + 0.01 * np.sin(5000 * turn)
    land = Polygon(np.column_stack([125 + r * np.cos(turn), 40 + r * np.sin(turn)]))
    random = np.random.default_rng(3)
    places = random.uniform((123.5, 38.5), (126.5, 41.5), (20_000, 2))
    corners = shapely.get_coordinates(land)[::100]
    places = np.vstack([places, corners, (corners[1:] + corners[:-1]) / 2])
    reach = np.full(len(places), reach_m)
    got = polygons_holding(places, reach, array([land]), np.zeros(1))
    shapely.prepare(land)
    inside = shapely.contains_xy(land, *places.T)
    assert got.i[got.inside].tolist() == np.flatnonzero(inside).tolist()
    assert set(range(20_000, 20_000 + len(corners))) <= set(got.i[got.near]) or not (
        reach_m
    )


def test_a_world_of_small_polygons_and_one_large():
    random = np.random.default_rng(5)
    west, south = random.uniform((-180, -90), (179, 89), (5000, 2)).T
    many = shapely.box(west, south, west + 1, south + 1)
    polygons = np.append(many, box(-180, -90, 180, 90))
    places = random.uniform((-180, -90), (180, 90), (5000, 2))
    got = polygons_holding(places, np.zeros(5000), polygons, np.zeros(5001))
    expected = shapely.STRtree(polygons).query(shapely.points(places), "within")
    assert np.array_equal([got.i, got.j], expected[:, np.lexsort(expected[::-1])])


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 2), (3, 0)])
def test_empty_sides(n, m):
    squares = array([box(k, 0, k + 1, 1) for k in range(m)])
    for reach_m in (0, 5):
        reach, width = np.full(n, reach_m), np.zeros(m)
        got = polygons_holding(np.zeros((n, 2)), reach, squares, width)
        assert len(got.i) == len(got.j) == len(got.inside) == len(got.near) == 0
        assert got.i.dtype == got.j.dtype == np.intp
    i, j = intersecting(array([Point(0, 0)] * n), squares)
    assert len(i) == len(j) == 0
    assert i.dtype == j.dtype == np.intp


# ── the antimeridian and the poles ───────────────────────────────────────────

globe_knot = st.tuples(
    st.sampled_from([-180, -150, -60, 0, 60, 150, 180]),
    st.sampled_from([-90, -60, -30, 0, 30, 60, 90]),
)


def globe_areas():
    """Areas with corners that stay what they are one turn away."""
    snapped = areas(globe_knot).map(lambda area: shapely.set_precision(area, 2**-8))
    return snapped.filter(lambda area: not area.is_empty) | rings(globe_knot)


def globe_features():
    return globe_areas() | lines(globe_knot) | dots(globe_knot)


def on_globe(shape):
    """A shape with its images one turn away, seams gone."""
    return shapely.union_all([translate(shape, turn) for turn in (-360, 0, 360)])


def meet_on_globe(one, other):
    if any(translate(one, turn).intersects(other) for turn in (-360, 0, 360)):
        return True
    bounds = np.array([one.bounds, other.bounds])
    return (bounds[:, 3] == 90).all() or (bounds[:, 1] == -90).all()


def held_on_globe(polygon, place):
    round_it = on_globe(polygon)
    if abs(place.y) < 90:
        return shapely.contains(round_it, place)
    # A boundary that reaches the pole crosses every parallel just short of it.
    south, north = sorted(math.copysign(lat, place.y) for lat in (89.9999, 89.99995))
    return shapely.contains(round_it, box(-180, south, 180, north))


@settings(max_examples=400, deadline=None)
@given(
    st.lists(globe_features(), min_size=1, max_size=4),
    st.lists(globe_features(), min_size=1, max_size=4),
)
@example([Point(180, 90)], [Point(0, 90)])
@example([Point(180, 10)], [box(-180, 0, -150, 30)])
@example([LineString([(180, 0), (150, 0)])], [LineString([(-180, 0), (-150, 30)])])
def test_intersecting_round_the_globe(left, right):
    check_pairs(left, right, meet_on_globe)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(globe_areas(), min_size=1, max_size=3),
    st.lists(globe_knot, max_size=8),
)
@example([box(-180, -90, 180, 90)], [(180, 0), (-180, 0), (0, 90), (180, -90)])
@example([box(-180, 60, 180, 90)], [(180, 60), (-180, 75), (0, 90), (180, 90)])
@example([MultiPolygon([box(150, 0, 180, 30), box(-180, 0, -150, 20)])], [(180, 20)])
@example([box(150, 0, 180, 30)], [(180, 15), (-180, 15)])
@example(
    [MultiPolygon([box(-180, 60, 0, 90, ccw=False), box(150, 60, 180, 90)])], [(0, 90)]
)
def test_inside_round_the_globe(polygons, places):
    seam = [(lon, lat) for lon in (-180, 180) for lat in range(-90, 91, 15)]
    check_holding([*places, *seam], polygons, held_on_globe)


# ── near a boundary ──────────────────────────────────────────────────────────


def away_m(place, polygon):
    """Distance to places along the boundary on the ground, and their spacing."""
    edge = shapely.intersection(on_globe(polygon).boundary, box(-180, -91, 180, 91))
    nearest, step = math.inf, 0.0
    for part in shapely.get_parts(shapely.line_merge(edge)):
        xy = shapely.get_coordinates(part)
        for a, b in pairwise(xy):
            if abs(a[1]) == 90 and a[1] == b[1]:
                continue
            along = a + np.linspace(0, 1, 201)[:, None] * (b - a)
            nearest = min(nearest, geo.distance(*place, *along.T).min())
            step = max(step, geo.distance(*along[:-1].T, *along[1:].T).max())
    return nearest, step


@settings(max_examples=300, deadline=None)
@given(
    globe_areas(),
    st.tuples(st.floats(-180, 180), st.floats(-90, 90)) | globe_knot,
    st.sampled_from([0, 1, 1e3, 1e5, 1e6, 4e6, 3e7]),
    st.sampled_from([0, 1, 1e3, 1e5]),
)
@example(box(-180, 50, -150, 60), (179.99, 55.0), 2000, 0)
@example(box(-180, 50, -150, 60), (179.99, 55.0), 0, 2000)
@example(box(-180, 60, 180, 89), (0, 90), 120_000, 0)
@example(box(0, 60, 60, 90), (-120, 89.9), 20_000, 0)
@example(box(-180, 60, 180, 90), (180, 75), 1000, 0)
def test_near_misses_no_boundary(polygon, place, reach_m, width_m):
    places = np.array([place], dtype=float)
    reach, width = np.array([float(reach_m)]), np.array([float(width_m)])
    got = polygons_holding(places, reach, array([polygon]), width)
    near = bool(got.near.any())
    nearest, step = away_m(place, polygon)
    slack = reach_m + width_m
    if slack == 0:
        assert not near
    elif nearest <= slack:
        assert near
    elif slack <= 1e5 and abs(place[1]) < 80 and nearest - step / 2 > 1.2 * slack:
        assert not near
    assert bool(got.inside.any()) == held_on_globe(polygon, Point(place))


def test_near_is_judged_pair_by_pair():
    """A wide boundary or a long reach makes no other pair near."""
    places = [(0.5, 0.5), (0.5, 0.5), (5, 0.5), (0.99999, 0.5), (1, 0.5), (-0.3, 0.5)]
    reach = np.array([0.0, 60_000, 0, 0, 0, 0])
    squares = array([box(0, 0, 1, 1), box(0, 0, 1, 1), box(8, 0, 9, 1)])
    width = np.array([0.0, 60_000, 1000])
    got = polygons_holding(np.array(places), reach, squares, width)
    table = [
        (0, 0, True, False),
        (0, 1, True, True),
        (1, 0, True, True),
        (1, 1, True, True),
        (3, 0, True, False),
        (3, 1, True, True),
        (4, 1, False, True),
        (5, 1, False, True),
    ]
    rows = zip(got.i, got.j, got.inside, got.near, strict=True)
    assert list(rows) == table


@settings(max_examples=500, deadline=None)
@given(
    st.floats(-180, 180),
    st.floats(-89, 89),
    st.floats(0, 360),
    st.floats(0, 6).map(lambda digits: 10**digits * 3),
)
@example(0.0, 60.0, 60.0, 1e6)
@example(0.0, 10.0, 180.0, 1e6)
@example(0.0, -20.0, 0.0, 2e6)
def test_near_reaches_as_far_as_the_geodesic(lon, lat, azimuth, away_m):
    """A speck just within the reach is near, in every direction."""
    end_lon, end_lat = map(float, geo.destination(lon, lat, azimuth, away_m))
    assume(abs(end_lat) < 89 and abs(end_lon) < 179)
    speck = box(end_lon - 1e-9, end_lat - 1e-9, end_lon + 1e-9, end_lat + 1e-9)
    reach = np.array([away_m + 1e-3])
    got = polygons_holding(np.array([(lon, lat)]), reach, array([speck]), np.zeros(1))
    assert got.near.tolist() == [True]


# ── chunks, threads, progress ────────────────────────────────────────────────


def test_chunks_and_threads_change_nothing(monkeypatch):
    random = np.random.default_rng(11)
    places = random.uniform((-180, -90), (180, 90), (700, 2))
    places[:40, 0] = 180
    west, south = random.uniform((-180, -90), (140, 50), (300, 2)).T
    squares = shapely.box(west, south, west + 40, south + 40)
    reach = np.where(random.random(700) < 0.5, 0, 1e5)
    width = np.where(random.random(300) < 0.5, 0, 1e5)

    def answers():
        got = polygons_holding(places, reach, squares, width)
        sharp = polygons_holding(places, 0 * reach, squares, 0 * width)
        meet = intersecting(squares, squares)
        return [got.i, got.j, got.inside, got.near, sharp.i, sharp.j, *meet]

    whole = answers()
    monkeypatch.setattr(predicates, "_POINTS_AT_ONCE", 13)
    monkeypatch.setattr(predicates, "_SHAPES_AT_ONCE", 7)
    monkeypatch.setattr(predicates, "_PAIRS_AT_ONCE", 5)
    for threads in (1, 4):
        with limit_threads(threads):
            for one, other in zip(whole, answers(), strict=True):
                assert np.array_equal(one, other)


def test_progress_ends_with_all_rows():
    told = []
    places, squares = np.zeros((5, 2)), array([box(-1, -1, 1, 1)])
    reach, width = np.zeros(5), np.zeros(1)
    polygons_holding(places, reach, squares, width, progress=lambda *p: told.append(p))
    intersecting(squares, squares, progress=lambda *p: told.append(p))
    assert told == [(5, 5), (1, 1)]

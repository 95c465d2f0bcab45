from collections import Counter
from fractions import Fraction
from itertools import chain, pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPoint, Point
from shapely.affinity import translate

from geo.kernels import lines as kernel
from geo.kernels.lines import lines_in_lines, points_in_lines
from geo.parallel import limit_threads

knot = st.tuples(st.integers(0, 4), st.integers(0, 4))
globe_knot = st.tuples(
    st.sampled_from([-180, -150, 0, 150, 180]), st.sampled_from([-90, -60, 0, 60, 90])
)

seam_knot = st.tuples(
    st.sampled_from([-180, -150, 150, 180]), st.sampled_from([-60, 0, 30, 60])
)


def array(shapes):
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    return out


def strings(knot=knot):
    """Lines that cross, retrace and close themselves, vertices repeated."""
    corners = st.lists(knot, min_size=2, max_size=5)
    closed = corners.map(lambda xy: [*xy, xy[0]])
    repeated = corners.map(lambda xy: [xy[0], *xy, xy[-1]])
    line = (corners | closed | repeated).map(LineString)
    return line.filter(lambda shape: shape.length and shape.is_valid)


def lines(knot=knot):
    return strings(knot) | st.lists(strings(knot), min_size=1, max_size=4).map(
        MultiLineString
    )


def dots(knot=knot):
    return knot.map(Point) | st.lists(knot, min_size=1, max_size=3).map(MultiPoint)


def dyadic(x, y):
    return 123 + x / 8, 39 + y / 8


def rounded(x, y):
    """Lines through these knots are straight but for rounding."""
    return x * 0.1 + y * 0.3, y * 0.7 - x / 3


lattices = st.sampled_from(
    [
        (lambda x, y: (x, y)),
        dyadic,
        rounded,
        (lambda x, y: (127.1 + x * 1e-15 + y * 0.1, 40.3 + y * 0.2 - x * 1e-14)),
    ]
)


def placed(shape, lattice):
    moved = shapely.transform(shape, lambda xy: np.array([lattice(*p) for p in xy]))
    assume(moved.is_valid)
    return moved


def telling(shapes):
    """Vertices, middles of edges, and places a rounding step from them."""
    xy = np.vstack([shapely.get_coordinates(shape) for shape in shapes])
    xy = np.unique(np.vstack([xy, (xy[1:] + xy[:-1]) / 2]), axis=0)
    near = np.nextafter(xy, 500.0)
    near[np.abs(near) < 1e-100] = 0
    return np.vstack([xy, near])


def pairs(i, j):
    return list(zip(i.tolist(), j.tolist(), strict=True))


def expected_pairs(left, right, holds):
    return [
        (a, b)
        for a in range(len(left))
        for b in range(len(right))
        if holds(left[a], right[b])
    ]


# ── points ───────────────────────────────────────────────────────────────────


def lies_in(point, shape):
    """Whether a point is within a shape by OGC's words, in rational numbers."""
    place = point.coords[0]
    if shape.geom_type in {"Point", "MultiPoint"}:
        return place in [part.coords[0] for part in shapely.get_parts(shape)]
    parts = [list(part.coords) for part in shapely.get_parts(shape)]
    if sum((part[0] == place) + (part[-1] == place) for part in parts) % 2:
        return False
    x, y = map(Fraction, place)
    for start, end in chain.from_iterable(map(pairwise, parts)):
        (ax, ay), (bx, by) = map(Fraction, start), map(Fraction, end)
        straight = (bx - ax) * (y - ay) == (by - ay) * (x - ax)
        between = min(ax, bx) <= x <= max(ax, bx) and min(ay, by) <= y <= max(ay, by)
        if straight and between:
            return True
    return False


@settings(max_examples=400, deadline=None)
@given(
    st.lists(lines() | dots(), min_size=1, max_size=4),
    st.lists(knot, max_size=6),
    lattices,
)
@example([LineString([(0, 0), (2, 2)])], [], rounded)  # GEOS 3.14 says no
def test_a_point_lies_where_rational_numbers_say(others, places, lattice):
    others = [placed(shape, lattice) for shape in others]
    places = np.vstack([telling(others), *([lattice(*place)] for place in places)])
    i, j = points_in_lines(places, array(others))
    left = [Point(place) for place in places]
    assert pairs(i, j) == expected_pairs(left, others, lies_in)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(lines() | dots(), min_size=1, max_size=4),
    st.lists(knot, max_size=6),
)
def test_a_point_lies_in_what_geos_says(others, places):
    """On dyadic numbers GEOS does not round either."""
    others = [placed(shape, dyadic) for shape in others]
    places = np.vstack([telling(others), *([dyadic(*place)] for place in places)])
    i, j = points_in_lines(places, array(others))
    left = [Point(place) for place in places]
    assert pairs(i, j) == expected_pairs(left, others, shapely.within)


@pytest.mark.parametrize(
    ("line", "place", "inside"),
    [
        (LineString([(0, 0), (2, 2)]), (1, 1), True),
        (LineString([(0, 0), (2, 2)]), (0, 0), False),
        (LineString([(0, 0), (2, 2)]), (1, 1 + 2**-52), False),
        (LineString([(0, 0), (1, 0), (1, 1), (0, 0)]), (0, 0), True),
        (LineString([(0, 0), (2, 0), (2, 2), (1, 0)]), (1, 0), False),
        (MultiLineString([[(0, 0), (1, 0)], [(1, 0), (2, 0)]]), (1, 0), True),
        (
            MultiLineString([[(0, 0), (1, 0)], [(1, 0), (2, 0)], [(1, 0), (1, 1)]]),
            (1, 0),
            False,
        ),
        (MultiLineString([[(0, 0), (2, 0)], [(1, 0), (1, 1)]]), (1, 0), False),
        (shapely.LinearRing([(0, 0), (1, 0), (1, 1)]), (0, 0), True),
    ],
)
def test_a_point_at_an_end_by_hand(line, place, inside):
    assert Point(place).within(line) == inside
    i, _ = points_in_lines(np.array([place], dtype=float), array([line]))
    assert len(i) == inside


def same_place(lon, lat):
    return (0 if abs(lat) == 90 else lon % 360, lat)


def on_globe(place, shape):
    """Whether a point lies in a line or point on the globe, looked up by hand."""
    here = same_place(*place)
    vertices = shapely.get_coordinates(shape).tolist()
    if abs(place[1]) == 90:
        on = any(lat == place[1] for _, lat in vertices)
    else:
        turns = (-360, 0, 360)
        on = any(translate(Point(place), turn).intersects(shape) for turn in turns)
    ends = Counter(
        same_place(*part.coords[end])
        for part in shapely.get_parts(shape)
        if part.geom_type == "LineString"
        for end in (0, -1)
    )
    return on and ends[here] % 2 == 0


@settings(max_examples=400, deadline=None)
@given(
    st.lists(lines(globe_knot) | dots(globe_knot), min_size=1, max_size=3),
    st.lists(globe_knot, max_size=6),
)
@example(
    [MultiLineString([[(170, 5), (180, 6)], [(-180, 6), (-170, 7)]])],
    [(180, 6), (-180, 6)],
)
@example([LineString([(0, 60), (0, 90)]), LineString([(0, 90), (150, 90)])], [(9, 90)])
@example([LineString([(180, -60), (180, 60)]), Point(180, 0)], [(-180, 0)])
def test_a_point_lies_in_a_line_round_the_globe(others, places):
    vertices = [shapely.get_coordinates(shape).tolist() for shape in others]
    places = [*places, *map(tuple, chain.from_iterable(vertices))]
    i, j = points_in_lines(np.array(places, dtype=float), array(others))
    assert pairs(i, j) == expected_pairs(places, others, on_globe)


# ── lines ────────────────────────────────────────────────────────────────────


@settings(max_examples=400, deadline=None)
@given(
    st.lists(lines(), min_size=1, max_size=4),
    st.lists(lines(), min_size=1, max_size=4),
    st.sampled_from([1, 2**-6]),
)
def test_a_line_lies_in_what_geos_says(left, right, size):
    left, right = (
        [shapely.transform(shape, lambda xy: xy * size) for shape in side]
        for side in (left, right)
    )
    i, j, share = lines_in_lines(array(left), array(right))
    assert pairs(i[share == 1], j[share == 1]) == expected_pairs(
        left, right, shapely.within
    )
    assert pairs(i, j) == expected_pairs(
        left, right, lambda a, b: shapely.relate_pattern(a, b, "1********")
    )


@settings(max_examples=200, deadline=None)
@given(lines(), lines())
def test_the_share_of_a_line_is_that_of_its_length(line, other):
    """Within a hundredth of a degree of the equator a degree is nearly a degree."""
    line, other = (
        shapely.transform(shape, lambda xy: xy * 0.002) for shape in (line, other)
    )
    assume(line.is_simple)
    *_, share = lines_in_lines(array([line]), array([other]))
    expected = line.intersection(other).length / line.length
    assert share.sum() == pytest.approx(expected, abs=5e-3)


@settings(max_examples=300, deadline=None)
@given(lines(seam_knot), lines(seam_knot))
@example(LineString([(180, 0), (180, 60)]), LineString([(-180, 60), (-180, -60)]))
@example(LineString([(-180, 0), (150, 60)]), LineString([(180, 0), (150, 60)]))
def test_a_line_lies_in_a_line_round_the_globe(line, other):
    images = [translate(other, turn) for turn in (-360, 0, 360)]
    round_it = shapely.multilinestrings(shapely.get_parts(images))
    *_, share = lines_in_lines(array([line]), array([other]))
    assert (share == 1).any() == round_it.covers(line)


def test_a_line_along_a_pole_is_the_pole():
    along, up = LineString([(0, 90), (90, 90)]), LineString([(20, 60), (20, 90)])
    over = MultiLineString([[(20, 60), (20, 90)], [(-160, 90), (-160, 60)]])
    i, j, share = lines_in_lines(array([along, over]), array([along, up, over]))
    assert pairs(i, j) == [(0, 0), (0, 2), (1, 1), (1, 2)]
    np.testing.assert_allclose(share, [1, 1, 0.5, 1])


def test_chunks_and_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(3)
    xy = rng.integers(0, 9, (300, 3, 2))
    some = shapely.linestrings(xy)
    some = some[shapely.is_valid(some)]
    places = rng.integers(0, 9, (500, 2)).astype(float)

    def answers():
        return [*points_in_lines(places, some), *lines_in_lines(some, some)]

    whole = answers()
    monkeypatch.setattr(kernel, "_POINTS_AT_ONCE", 13)
    monkeypatch.setattr(kernel, "_LINES_AT_ONCE", 7)
    for threads in (1, 4):
        with limit_threads(threads):
            for one, other in zip(whole, answers(), strict=True):
                assert np.array_equal(one, other)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 2), (3, 0)])
def test_empty_sides(n, m):
    line = LineString([(0, 0), (1, 1)])
    for found in (
        points_in_lines(np.zeros((n, 2)), array([line] * m)),
        lines_in_lines(array([line] * n), array([line] * m)),
    ):
        assert [len(column) for column in found] == [0] * len(found)

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from shapely import (
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Polygon,
    box,
)

from geo.kernels.covers import Lying
from geo.kernels.lines import lines_in_lines

# ── the judge: every piece and every trapezoid, in rational numbers ──────────


def rational(shape):
    """Edges of a shape, ends as pairs of fractions."""
    parts = shapely.get_parts(shape)
    rings = shapely.get_rings(parts)
    for string in rings if len(rings) else parts:
        xy = [tuple(map(Fraction, p)) for p in shapely.get_coordinates(string)]
        yield from ((a, b) for a, b in pairwise(xy) if a != b)


def cuts(edge, others):
    """Where along an edge, 0 to 1, others touch it."""
    (ax, ay), (bx, by) = edge
    ux, uy = bx - ax, by - ay
    at = {Fraction(0), Fraction(1)}
    for (cx, cy), (dx, dy) in others:
        vx, vy = dx - cx, dy - cy
        across = ux * vy - uy * vx
        if across:
            t = ((cx - ax) * vy - (cy - ay) * vx) / across
            s = ((cx - ax) * uy - (cy - ay) * ux) / across
            if 0 <= t <= 1 and 0 <= s <= 1:
                at.add(t)
        elif (cx - ax) * uy == (cy - ay) * ux:
            for x, y in ((cx, cy), (dx, dy)):
                t = ((x - ax) * ux + (y - ay) * uy) / (ux * ux + uy * uy)
                if 0 <= t <= 1:
                    at.add(t)
    return sorted(at)


def place(edge, t):
    (ax, ay), (bx, by) = edge
    return ax + t * (bx - ax), ay + t * (by - ay)


def side_of(x, y, edges):
    """1 inside, 0 on an edge, -1 outside."""
    inside = False
    for (ax, ay), (bx, by) in edges:
        area = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        if (
            area == 0
            and min(ax, bx) <= x <= max(ax, bx)
            and min(ay, by) <= y <= max(ay, by)
        ):
            return 0
        if (ay > y) != (by > y) and (area > 0) == (by > ay):
            inside = not inside
    return 1 if inside else -1


def judged_line(line, polygon):
    """Whether a line enters a polygon, and whether it lies in it."""
    outline = list(rational(polygon))
    sides = {
        side_of(*place(edge, (s + t) / 2), outline)
        for edge in rational(line)
        for s, t in pairwise(cuts(edge, outline))
    }
    return 1 in sides, 1 in sides and -1 not in sides


def judged_area(shape, polygon):
    """The same of an area, by a place in each trapezoid between pieces of outlines."""
    mine, its = list(rational(shape)), list(rational(polygon))
    every = mine + its
    xs = sorted({place(e, t)[0] for e in every for t in cuts(e, every)})
    enters, leaves = False, False
    for west, east in pairwise(xs):
        x = (west + east) / 2
        ys = sorted(
            place(e, (x - e[0][0]) / (e[1][0] - e[0][0]))[1]
            for e in every
            if min(e[0][0], e[1][0]) < x < max(e[0][0], e[1][0])
        )
        for low, high in pairwise(ys):
            if low < high and side_of(x, (low + high) / 2, mine) > 0:
                inside = side_of(x, (low + high) / 2, its) > 0
                enters, leaves = enters or inside, leaves or not inside
    return enters, enters and not leaves


def judged(shape, polygon):
    areal = shapely.get_dimensions(shape) == 2
    return (judged_area if areal else judged_line)(shape, polygon)


def said(shape, polygon):
    areal = bool(shapely.get_dimensions(shape) == 2)
    shapes, polygons = np.empty(1, object), np.empty(1, object)
    shapes[0], polygons[0] = shape, polygon
    row = np.zeros(1, dtype=np.intp)
    enters, inside = Lying(shapes, polygons, row, row, areal=areal).at(0, 1)
    return bool(enters[0]), bool(inside[0])


# ── shapes that nearly or exactly touch ──────────────────────────────────────

knot = st.tuples(st.integers(0, 5), st.integers(0, 5))

lattices = st.sampled_from(
    [
        lambda x, y: (x, y),
        lambda x, y: (123 + x / 10, 39 + y / 10),
        # Lines through these knots are straight but for rounding.
        lambda x, y: (x * 0.1 + y * 0.3, y * 0.7 - x / 3),
        lambda x, y: (127.1 + x * 1e-15 + y * 0.1, 40.3 + y * 0.2 - x * 1e-14),
    ]
)


@st.composite
def areas(draw):
    """Triangles and boxes put together and cut out of each other."""
    area = Polygon()
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            piece = Polygon(draw(st.lists(knot, min_size=3, max_size=3, unique=True)))
        else:
            (w, s), (e, n) = draw(st.lists(knot, min_size=2, max_size=2, unique=True))
            piece = box(min(w, e), min(s, n), max(w, e), max(s, n))
        if piece.is_valid and piece.area:
            area = area - piece if draw(st.integers(0, 2)) == 0 else area | piece
    assume(area.geom_type in {"Polygon", "MultiPolygon"} and area.area > 0)
    return area


def lines():
    line = st.lists(knot, min_size=2, max_size=5).map(LineString)
    line = line.filter(lambda shape: shape.length)
    return line | st.lists(line, min_size=1, max_size=3).map(MultiLineString)


def on(edge, t):
    """A place that would be on an edge if coordinates were not rounded."""
    (ax, ay), (bx, by) = edge
    return ax + t * (bx - ax), ay + t * (by - ay)


def edges_of(shape):
    xy = shapely.get_coordinates(shape).tolist()
    return [(a, b) for a, b in pairwise(xy) if a != b]


steps = st.lists(
    st.tuples(st.integers(-2, 2), st.integers(-2, 2)), min_size=6, max_size=6
)


def nudged(xy, steps):
    """Places a few rounding steps off."""
    out = []
    for place, moves in zip(xy, steps, strict=False):
        moved = list(place)
        for axis, n in enumerate(moves):
            for _ in range(abs(n)):
                moved[axis] = math.nextafter(moved[axis], math.copysign(math.inf, n))
        out.append([0.0 if abs(x) < 1e-100 else x for x in moved])
    return out


def placed(shape, lattice):
    moved = shapely.transform(shape, lambda xy: np.array([lattice(*p) for p in xy]))
    assume(exactly_valid(moved))
    return moved


def exactly_valid(shape):
    """Whether GEOS says so, and no two edges cross or overlap in rational numbers."""
    if not shape.is_valid:
        return False
    if shapely.get_dimensions(shape) < 2:
        return True
    edges = list(rational(shape))
    for k, (a, b) in enumerate(edges):
        for c, d in edges[:k]:
            turns = [
                (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
                for p, q, r in ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
            ]
            if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
                return False
            if turns == [0, 0, 0, 0]:
                one, other = sorted((a, b)), sorted((c, d))
                if max(one[0], other[0]) < min(one[1], other[1]):
                    return False
    return True


@settings(max_examples=150, deadline=None)
@given(areas(), areas() | lines(), lattices)
def test_what_is_drawn_on_a_lattice_is_as_judged(polygon, shape, lattice):
    polygon, shape = placed(polygon, lattice), placed(shape, lattice)
    assert said(shape, polygon) == judged(shape, polygon)


@settings(max_examples=150, deadline=None)
@given(areas(), lattices, st.data())
def test_what_has_vertices_rounded_onto_edges_is_as_judged(polygon, lattice, data):
    polygon = placed(polygon, lattice)
    edge = st.sampled_from(edges_of(polygon))
    corner = st.builds(on, edge, st.fractions(0, 1, max_denominator=7).map(float))
    xy = data.draw(st.lists(corner, min_size=2, max_size=6))
    if data.draw(st.booleans()):
        xy = nudged(xy, data.draw(steps))
    for shape in (LineString(xy), Polygon(xy) if len(xy) > 2 else Polygon()):
        if not shape.is_empty and exactly_valid(shape):
            assert said(shape, polygon) == judged(shape, polygon)


@settings(max_examples=150, deadline=None)
@given(areas(), lattices, st.data())
def test_the_same_polygon_with_more_vertices_or_a_few_off_is_as_judged(
    polygon, lattice, data
):
    polygon = placed(polygon, lattice)
    t = data.draw(st.sampled_from([0.5, 1 / 3, 0.1]))
    moves = data.draw(steps) if data.draw(st.booleans()) else []

    def denser(xy):
        ring = [p for a, b in pairwise(xy.tolist()) for p in (a, on((a, b), t))]
        ring[1:7] = nudged(ring[1:7], moves) + ring[1 + min(len(moves), 6) : 7]
        return np.array([*ring, ring[0]])

    parts = []
    for part in shapely.get_parts(polygon):
        rings = [denser(shapely.get_coordinates(r)) for r in shapely.get_rings(part)]
        parts.append(Polygon(rings[0], rings[1:]))
    shape = MultiPolygon(parts)
    assume(exactly_valid(shape))
    assert said(shape, polygon) == judged(shape, polygon)
    assert said(polygon, shape) == judged(polygon, shape)
    outline = shape.boundary
    assert said(outline, polygon) == judged(outline, polygon)


def test_near_ties_of_triangles_are_as_judged():
    rng = np.random.default_rng(11)
    wrong = judged_so = 0
    for _ in range(800):
        corners = np.round(rng.random((3, 2)) * 10, rng.integers(0, 3))
        polygon = Polygon(corners)
        at = rng.random((3, 1))
        inner = Polygon(corners * (1 - at) + np.roll(corners, -1, axis=0) * at)
        if not (exactly_valid(polygon) and exactly_valid(inner)):
            continue
        expected = judged_area(inner, polygon)
        assert said(inner, polygon) == expected
        judged_so += expected[1]
        wrong += inner.within(polygon) != expected[1]
    assert judged_so > 50
    assert wrong > 0  # what GEOS says of some of these


# ── the antimeridian ─────────────────────────────────────────────────────────

MIDDLE = 3


@st.composite
def rings(draw):
    """Outlines through knots, perhaps with a hole through some, perhaps two of them."""
    corners = st.lists(knot, min_size=3, max_size=6, unique=True)
    shape = Polygon(draw(corners))
    if not shape.is_valid:
        shape = MultiPoint(shape.exterior.coords).convex_hull
    assume(shape.area > 0)
    holed = Polygon(shape.exterior, [draw(corners)])
    shape = holed if holed.is_valid else shape
    both = MultiPolygon([shape, Polygon(draw(corners))])
    return both if both.is_valid else shape


def halved(shape, *, eastern):
    """The shape round longitude 180 in two halves, each on its side (RFC 7946).

    A line's stretches along the cut are in one of them only. Latitudes at which edges
    between knots cross the middle are exact.
    """
    west, east = box(-1, -99, MIDDLE, 99), box(MIDDLE, -99, 9, 99)
    halves = shape & west, shape & east
    collect = shapely.multipolygons
    if shapely.get_dimensions(shape) == 1:
        collect = shapely.multilinestrings
        halves = (shape - east, halves[1]) if eastern else (halves[0], shape - west)
    parts = []
    for half, shift in zip(halves, (180 - MIDDLE, -180 - MIDDLE), strict=True):
        parts += [
            shapely.transform(part, lambda xy, shift=shift: np.add(xy, [shift, 0]))
            for part in shapely.get_parts(half)
            if shapely.get_dimensions(part) == shapely.get_dimensions(shape)
            and not part.is_empty
        ]
    return collect(parts)


def exact(shape):
    """The shape with latitudes at which edges between knots cross the middle exactly.

    They are sixtieths of a step, and a step is 60 eighths of a degree.
    """
    return shapely.transform(shape, lambda xy: xy * [1, 7.5])


@settings(max_examples=400, deadline=None)
@given(rings(), rings() | lines(), st.booleans())
def test_the_antimeridian_is_a_meridian_like_any_other(polygon, shape, eastern):
    polygon, shape = exact(polygon), exact(shape)
    halves = halved(polygon, eastern=eastern), halved(shape, eastern=eastern)
    assume(all(half.is_valid for half in halves))
    assert said(halves[1], halves[0]) == judged(shape, polygon)


def test_a_line_along_the_antimeridian_lies_in_what_covers_both_sides():
    fiji = MultiPolygon([box(179, -18, 180, -16), box(-180, -18, -179, -16)])
    one_sided = box(179, -18, 180, -16)
    for lon in (180, -180):
        line = LineString([(lon, -17.5), (lon, -16.5)])
        assert said(line, fiji) == (True, True)
        assert said(line, one_sided) == (False, False)
        longer = LineString([(lon, -17.5), (lon, -15)])
        assert said(longer, fiji) == (True, False)
    rim = LineString([(-180, -18), (-180, -16)])
    assert said(MultiLineString([rim, [(179.5, -17), (180, -17)]]), one_sided) == (
        True,
        True,
    )


def test_a_pole_is_one_place():
    cap = MultiPolygon([box(-180, 60, 180, 90)])
    wedge = box(0, 60, 30, 90)
    assert said(LineString([(10, 90), (40, 90)]), cap) == (True, True)
    assert said(LineString([(10, 90), (40, 90)]), wedge) == (False, False)
    over = LineString([(10, 70), (10, 90), (170, 90), (170, 70)])
    assert said(over, cap) == (True, True)
    assert said(over, wedge) == (True, False)
    to_pole = LineString([(10, 70), (10, 90), (170, 90)])
    assert said(to_pole, wedge) == (True, True)
    assert said(wedge, cap) == (True, True)
    assert said(cap, cap) == (True, True)
    assert said(cap, wedge) == (True, False)
    world = box(-180, -90, 180, 90)
    assert said(world, world) == (True, True)
    assert said(cap, world) == (True, True)
    assert said(LineString([(-180, 10), (180, 20)]), world) == (True, True)


# ── lines in lines ───────────────────────────────────────────────────────────


@settings(max_examples=200, deadline=None)
@given(lines(), lines(), lattices, st.data())
def test_lines_in_lines_are_as_judged(other, line, lattice, data):
    other, line = placed(other, lattice), placed(line, lattice)
    if data.draw(st.booleans()):
        corner = st.builds(on, st.sampled_from(edges_of(other)), st.floats(0, 1))
        line = LineString(data.draw(st.lists(corner, min_size=2, max_size=4)))
        assume(line.is_valid)
    edges = list(rational(other))
    covered = [
        any(side_of(*place(edge, (s + t) / 2), [e]) == 0 for e in edges)
        for edge in rational(line)
        for s, t in pairwise(cuts(edge, edges))
    ]
    i, _, share = lines_in_lines(np.array([line]), np.array([other]))
    assert len(i) == any(covered)
    if len(i):
        assert (share.item() == 1) == all(covered)


@pytest.mark.parametrize("end", [1.0, 3.0])
def test_a_line_into_a_hole_where_it_touches_the_outline_does_not_enter(end):
    """It crosses an edge between its ends, but at a vertex of the hole."""
    hole = [(2, 0), (3, 2), (1, 2)]
    polygon = shapely.Polygon([(0, 0), (4, 0), (4, 4), (0, 4)], [hole])
    line = shapely.LineString([(2, -1), (2, end)])
    one = np.zeros(1, np.intp)
    shapes, polygons = (np.array([shape], dtype=object) for shape in (line, polygon))
    enters, inside = Lying(shapes, polygons, one, one, areal=False).at(0, 1)
    assert enters.tolist() == [end > 2]
    assert shapely.relate_pattern(line, polygon, "T********") == (end > 2)
    assert not inside.any()

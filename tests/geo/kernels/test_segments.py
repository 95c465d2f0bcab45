import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, MultiPoint, MultiPolygon, Point, box

import geo
from geo.geodesy import earth_centred
from geo.kernels.edges import edges_of
from geo.kernels.segments import nearest_shapes, shapes_within

# ── the judge: every edge against every edge, on Karney's distance alone ─────


def least(edge, other):
    """Least geodesic distance between two edges: of ever finer places along one."""
    t = np.linspace(0, 1, 33)
    best, step = np.inf, 1 / 32
    for _ in range(9):
        away = from_places(edge[:2] + (edge[2:] - edge[:2]) * t[:, None], other)
        at = away.argmin()
        best = min(best, away[at])
        t = np.clip(np.linspace(t[at] - step, t[at] + step, 17), 0, 1)
        step /= 8
    return best


def from_places(lonlat, edge):
    """Least distance of each place from an edge: a grid, then golden sections."""

    def away(u):
        return geo.distance(
            *lonlat.T, *(edge[:2] + (edge[2:] - edge[:2]) * u[:, None]).T
        )

    grid = np.linspace(0, 1, 33)
    looks = np.stack([away(np.full(len(lonlat), u)) for u in grid], axis=1)
    middle = grid[looks.argmin(axis=1)]
    low, high = np.maximum(middle - 1 / 32, 0), np.minimum(middle + 1 / 32, 1)
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(30):
        left, right = high - golden * (high - low), low + golden * (high - low)
        nearer = away(left) < away(right)
        low, high = np.where(nearer, low, left), np.where(nearer, right, high)
    return np.minimum(looks.min(axis=1), away((low + high) / 2))


def separation(a, b):
    if shapely.intersects(a, b):
        return 0.0
    ours, theirs = (edges_of(array(shape)).lonlat for shape in (a, b))
    rough = {
        (n, m): apart(x, y) for n, x in enumerate(ours) for m, y in enumerate(theirs)
    }
    best = np.inf
    for (n, m), (low, _) in sorted(rough.items(), key=lambda item: item[1]):
        if low < best:
            best = min(best, least(ours[n], theirs[m]))
    return best


def apart(edge, other):
    """Bounds of the distance of two edges, from places along them."""
    t = np.linspace(0, 1, 9)[:, None]
    a, b = edge[:2] + (edge[2:] - edge[:2]) * t, other[:2] + (other[2:] - other[:2]) * t
    s = geo.distance(a[:, None, 0], a[:, None, 1], b[:, 0], b[:, 1]).min()
    steps = [geo.distance(*x[:-1].T, *x[1:].T).max() for x in (a, b)]
    return s - 1.1 * sum(steps), s


def separations(left, right):
    return np.array([[separation(a, b) for b in right] for a in left])


def array(*shapes):
    out = np.empty(len(shapes), dtype=object)
    out[:] = shapes
    return out


# ── what is drawn: anywhere, and on purpose where it is hard ─────────────────

spans = st.sampled_from([1e-4, 0.01, 0.3, 5.0])
kinds = st.sampled_from(["point", "points", "line", "lines", "polygon", "holed"])


@st.composite
def scenes(draw, spans=spans):
    """Two lists of features in one neighbourhood."""
    lon = draw(st.sampled_from([0.0, 125.0, 180.0, -180.0, -40.3]))
    lat = draw(st.sampled_from([0.0, 40.0, -72.0, 90.0, -90.0, 89.9]))
    span = draw(spans)

    def feature():
        x = lon + span * draw(st.integers(-8, 8)) * draw(st.sampled_from([1, 9])) / 4
        y = lat + span * draw(st.integers(-8, 8)) / 4
        w = span * draw(st.integers(0, 6)) / 3
        h = span * draw(st.integers(0, 6)) / 3
        shift = draw(st.sampled_from([0, 0, span / 7]))
        x0, y0 = np.clip(x, -180, 180), np.clip(y, -90, 90)
        x1, y1 = np.clip(x + w + shift, -180, 180), np.clip(y + h, -90, 90)
        kind = draw(kinds)
        flat = x0 == x1 or y0 == y1
        if kind == "point":
            return Point(x0, y0)
        if kind == "points":
            return MultiPoint([(x0, y0), (x1, y1)])
        if kind == "line" or (flat and kind != "lines"):
            return LineString([(x0, y0), (x1, y1), (x1, y0)])
        if kind == "lines":
            return MultiLineString([[(x0, y0), (x1, y0)], [(x0, y1), (x1, y1)]])
        if kind == "holed":
            inner = [
                (x0 + (x1 - x0) * a, y0 + (y1 - y0) * b)
                for a, b in ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75))
            ]
            return shapely.Polygon(box(x0, y0, x1, y1).exterior, [inner])
        return MultiPolygon([box(x0, y0, x1, y1)])

    count = st.integers(1, 3)
    return [array(*(feature() for _ in range(draw(count)))) for _ in range(2)]


def meeting_beyond_the_plane(left, right):
    """Pairs that meet on the antimeridian or at a pole, which shapely cannot know."""
    from geo.kernels.predicates import intersecting

    meets = np.zeros((len(left), len(right)), dtype=bool)
    meets[intersecting(left, right)] = True
    return meets


@settings(max_examples=25)
@given(scenes(), st.integers(1, 5))
def test_nearest_agrees_with_every_edge_against_every_edge(scene, k):
    left, right = scene
    every = separations(left, right)
    every[meeting_beyond_the_plane(left, right)] = 0
    found = nearest_shapes(left, right, k)
    k = min(k, len(right))
    assert found.i.tolist() == np.repeat(np.arange(len(left)), k).tolist()
    got = found.distance_m.reshape(-1, k)
    expected = np.sort(every, axis=1)[:, :k]
    np.testing.assert_allclose(got, expected, atol=1e-3, rtol=2e-9)
    np.testing.assert_allclose(
        every[found.i, found.j], found.distance_m, atol=1e-3, rtol=2e-9
    )
    assert (np.isnan(found.azimuth_deg) == (found.distance_m == 0)).all()
    for row in range(len(left)):
        assert len(set(found.j[found.i == row])) == k


@settings(max_examples=25)
@given(scenes(), st.floats(0, 3))
def test_within_agrees_with_every_edge_against_every_edge(scene, stretch):
    left, right = scene
    every = separations(left, right)
    every[meeting_beyond_the_plane(left, right)] = 0
    reach = np.full(len(left), np.median(every) * stretch)
    found = shapes_within(left, right, reach)
    got = np.full(every.shape, np.inf)
    got[found.i, found.j] = found.distance_m
    slack = 1e-3 + 2e-9 * every
    assert np.isfinite(got[every <= reach[:, None] - slack]).all()
    assert (found.distance_m <= reach[found.i]).all()
    inside = np.isfinite(got)
    np.testing.assert_allclose(got[inside], every[inside], atol=1e-3, rtol=2e-9)
    order = np.lexsort((found.j, found.distance_m, found.i))
    assert (order == np.arange(len(order))).all()


# ── places where one knows ───────────────────────────────────────────────────


def test_a_long_edge_along_a_parallel_is_far_from_its_chord():
    """At 60 degrees north a parallel leaves the geodesic between its ends by far."""
    edge = array(LineString([(0, 60), (60, 60)]))
    found = nearest_shapes(array(Point(30, 60.01), Point(30, 62)), edge, 1)
    expected = geo.distance(30, [60.01, 62], 30, 60)
    # Off the meridian the parallel bends towards the pole and comes no nearer.
    np.testing.assert_allclose(found.distance_m, expected, atol=1e-6)
    assert found.azimuth_deg.tolist() == pytest.approx([180, 180], abs=1e-4)


def test_all_round_the_pole_from_the_pole():
    ring = array(LineString([(-180, 89.9), (180, 89.9)]))
    found = nearest_shapes(array(Point(5, 90)), ring, 1)
    assert found.distance_m.item() == pytest.approx(
        geo.distance(0, 89.9, 0, 90).item(), abs=1e-6
    )


def test_inside_is_no_distance_and_a_hole_is():
    ring = box(0, 0, 10, 10).difference(box(4, 4, 6, 6))
    found = nearest_shapes(array(Point(5, 5), Point(1, 1), Point(4, 5)), array(ring), 1)
    assert found.distance_m[1:].tolist() == [0, 0]
    assert np.isnan(found.azimuth_deg[1:]).all()
    assert found.distance_m[0] == pytest.approx(
        geo.distance(5, 5, 5, 4).item(), abs=1e-3
    )


def test_across_the_antimeridian():
    west = array(box(-180, 0, -179, 1), LineString([(-179, 5), (-178, 5)]))
    found = nearest_shapes(array(Point(180, 0.5), Point(179, 5)), west, 1)
    assert found.j.tolist() == [0, 1]
    assert found.distance_m[0] == 0
    assert found.distance_m[1] == pytest.approx(
        geo.distance(179, 5, 181, 5).item(), abs=0.2
    )
    assert found.azimuth_deg[1] == pytest.approx(90, abs=0.1)


def test_features_that_share_a_place_tie_at_nothing():
    star = array(*(LineString([(0, 0), (x, 1)]) for x in range(-3, 4)))
    crossing = array(LineString([(-1, -1), (0.3, 0.3)]), Point(0, 0))
    found = nearest_shapes(crossing, star, 2)
    assert found.j.tolist() == [0, 1, 0, 1]
    assert not found.distance_m.any()
    found = nearest_shapes(crossing, star, 1, ties="all")
    assert found.j.tolist() == [*range(7), *range(7)]


def test_ties_are_given_on_request():
    right = array(LineString([(-1, 1), (1, 1)]), LineString([(-1, -1), (1, -1)]))
    first = nearest_shapes(array(Point(0, 0)), right, 1)
    assert len(first.j) == 1
    every = nearest_shapes(array(Point(0, 0)), right, 1, ties="all")
    assert sorted(every.j.tolist()) == [0, 1]


def test_the_antipodes_of_a_line():
    line = array(LineString([(10, 20), (12, 25)]), LineString([(20, 20), (22, 25)]))
    left = array(Point(-170, -20.001), Point(-169, -22.5))
    found = nearest_shapes(left, line, 2)
    expected = np.sort(separations(left, line), axis=1)
    np.testing.assert_allclose(found.distance_m.reshape(2, 2), expected, atol=0.1)


def test_edges_without_length():
    dots = array(
        LineString([(1, 1), (1, 1)]),
        LineString([(0, 90), (90, 90)]),
        MultiPoint([(5, 5), (5, 5)]),
    )
    found = nearest_shapes(array(Point(1, 2), Point(7, 89), Point(5, 6)), dots, 1)
    assert found.j.tolist() == [0, 1, 2]
    expected = geo.distance([1, 7, 5], [2, 89, 6], [1, 7, 5], [1, 90, 5])
    np.testing.assert_allclose(found.distance_m, expected, atol=1e-6)


def test_nothing_beyond_the_longest_distance():
    left, right = array(Point(0, 0)), array(LineString([(0, 1), (1, 1)]))
    s = nearest_shapes(left, right, 5).distance_m.item()
    assert len(nearest_shapes(left, right, 5, max_distance_m=s).i) == 1
    assert len(nearest_shapes(left, right, 5, max_distance_m=s - 1e-3).i) == 0
    assert len(shapes_within(left, right, np.array([s])).i) == 1
    assert len(shapes_within(left, right, np.array([-1.0])).i) == 0


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 2), (2, 0)])
def test_nothing_against_something(n, m):
    left, right = array(*[Point(0, 0)] * n), array(*[box(0, 0, 1, 1)] * m)
    assert len(nearest_shapes(left, right, 3).i) == 0
    assert len(shapes_within(left, right, np.full(n, 1e6)).i) == 0


def test_points_alone_are_measured_as_points():
    left, right = array(Point(0, 0), Point(3, 3)), array(Point(1, 0), Point(3, 3))
    found = nearest_shapes(left, right, 1)
    assert found.j.tolist() == [0, 1]
    assert found.distance_m.tolist() == pytest.approx([111319.490793, 0], abs=1e-6)
    assert len(shapes_within(left, right, np.array([2e5, 2e5])).i) == 2


def roads(n, seed):
    """Wandering lines in a box of five degrees by three."""
    rng = np.random.default_rng(seed)
    course = np.cumsum(rng.normal(0, 0.4, (n, 12)), axis=1)
    steps = 0.01 * np.stack([np.cos(course), np.sin(course)], axis=-1)
    starts = rng.uniform((123, 39), (128, 42), (n, 2))
    return shapely.linestrings(starts[:, None] + np.cumsum(steps, axis=1))


def test_many_features_agree_whatever_their_company():
    """The tree, the chunks and the order of the rows change nothing."""
    lines, areas = roads(3_000, 1), shapely.buffer(roads(500, 2), 0.004)
    points = shapely.points(
        np.random.default_rng(3).uniform((123, 39), (128, 42), (5_000, 2))
    )
    for left, right in ((points, lines), (lines, areas), (areas, lines[:500])):
        whole = nearest_shapes(left, right, 3)
        some = np.arange(0, len(left), 211)
        alone = nearest_shapes(left[some], right, 3)
        at = np.isin(whole.i, some)
        assert whole.j[at].tolist() == alone.j.tolist()
        assert whole.distance_m[at].tolist() == alone.distance_m.tolist()
        for row in some[:2]:
            s = np.array([separation_near(left[row], shape) for shape in right])
            np.testing.assert_allclose(
                whole.distance_m[whole.i == row], np.sort(s)[:3], atol=1e-3
            )


def separation_near(a, b):
    """Judge, when near enough in degrees to be among the nearest few."""
    return separation(a, b) if a.distance(b) < 0.3 else np.inf


def test_progress_is_told_to_the_end():
    told = []
    points = shapely.points(np.random.default_rng(3).uniform(0, 1, (5_000, 2)))
    nearest_shapes(points, roads(5, 1), 1, progress=lambda *x: told.append(x))
    assert told[-1] == (5_000, 5_000)


@pytest.mark.parametrize("away_m", [2e5, 2e6, 5e6, 1.2e7])
def test_far_lines_at_almost_one_distance_are_ranked_by_geodesic(away_m):
    """East and north, where chords and geodesics rank differently."""
    place = np.array([Point(20, 10)], dtype=object)
    wrong_by_chord = 0
    for stretch in np.linspace(0.995, 1.005, 41):
        ends = [
            np.ravel(geo.destination(20, 10, azimuth, metres))
            for azimuth, metres in ((90, away_m), (0, away_m * stretch))
        ]
        short = [LineString([(x - 1e-4, y), (x + 1e-4, y)]) for x, y in ends]
        shapes = np.array(short, dtype=object)
        along = np.linspace(-1e-4, 1e-4, 201)
        exact = [geo.distance(20, 10, x + along, y).min() for x, y in ends]
        found = nearest_shapes(place, shapes, 1)
        assert found.distance_m[0] == pytest.approx(min(exact), rel=1e-9, abs=1e-3)
        if abs(exact[0] - exact[1]) > 0.01:
            assert found.j[0] == int(np.argmin(exact))
        chords = np.linalg.norm(
            earth_centred(*np.array(ends).T) - earth_centred(20.0, 10.0), axis=1
        )
        wrong_by_chord += np.argmin(chords) != np.argmin(exact)
    assert wrong_by_chord or away_m < 1e6

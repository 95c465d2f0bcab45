"""Far features: what is claimed of every place, tried at many."""

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import LineString, Point

import geo
from geo.kernels import remote
from geo.kernels.edges import Edges
from geo.kernels.pieces import pieces_of
from geo.kernels.piecetree import list_pieces, piecetree
from geo.kernels.remote import (
    ANTIPODAL_M,
    ANTIPODES_M,
    PROVED_M,
    Contacts,
    along,
    proved,
    tangents,
)
from geo.kernels.segments import nearest_shapes

NOISE_M = 1e-6
EVERY = np.linspace(0, 1, 41)


def first_piece(edge):
    """Give the first piece of an edge."""
    whole = pieces_of(Edges(lonlat=np.array([edge], float), offsets=np.arange(2)))[0]
    return type(whole)(*(part[:1] for part in whole))


@st.composite
def some_piece(draw):
    """A place, or a piece as long as pieces get, on purpose where it is hard."""
    lon = draw(st.sampled_from([0.0, 125.0, -179.9, 179.0, -55.0, 100.0]))
    lat = draw(st.sampled_from([0.0, 40.0, -39.9, 70.0, 89.9, -89.99, 12.3]))
    lon += draw(st.integers(-9, 9)) / 10
    across = draw(st.sampled_from([0.0, 0.01, -0.02, 0.003]))
    up = draw(st.sampled_from([0.0, 0.01, -0.015, 0.004]))
    across /= max(np.cos(np.radians(lat)), 0.02)
    lon, east = np.clip([lon, lon + across], -180, 180)
    return lon, lat, east, float(np.clip(lat + up, -90, 90))


def apart(ours, theirs):
    """Whether two pieces are as far apart as these bounds ask for."""
    return geo.distance(*ours[:2], *theirs[:2]) > 15_000


def grid(a, b, t, u):
    """Distances between places along one piece and along another."""
    here = along(np.repeat(a.lonlat, len(t), axis=0), t)
    there = along(np.repeat(b.lonlat, len(u), axis=0), u)
    return geo.distance(here[:, :1], here[:, 1:], there[:, 0], there[:, 1])


def one_box(ours, theirs):
    """Two pieces, the box of all of both, and what is measured at its middle."""
    a, b = first_piece(ours), first_piece(theirs)
    half, first = np.array([0.5]), np.array([0])
    moves = [remote._motion(side, first) for side in (a, b)]
    dt, du = (np.where(move.fastest > 0, half, 0.0) for move in moves)
    box = remote._Boxes(first, half, half, dt, du)
    here, there = along(a.lonlat, half), along(b.lonlat, half)
    way = geo.inverse(*here.T, *there.T)
    slope_t = remote._slope(a.lonlat, here, way.azimuth_deg)
    slope_u = remote._slope(b.lonlat, there, way.back_azimuth_deg)
    return a, b, box, moves, way.distance_m, slope_t, slope_u


@settings(max_examples=100, deadline=None)
@given(some_piece(), some_piece())
# Side by side across most of the globe, both ways fall as the places move together.
@example((0, -0.01, 0, 0.01), (150, -0.01, 150, 0.01))
def test_nothing_in_a_box_is_below_its_bounds(ours, theirs):
    if not apart(ours, theirs):
        return
    a, b, box, moves, away, slope_t, slope_u = one_box(ours, theirs)
    least = grid(a, b, EVERY, EVERY).min()
    drop = remote._drop(away, slope_t, slope_u, box, *moves)
    assert least >= away - remote._fall(box, *moves) - NOISE_M
    assert least >= away - drop - NOISE_M


@settings(max_examples=100, deadline=None)
@given(some_piece(), some_piece())
def test_a_smaller_box_still_holds_the_shortest_way(ours, theirs):
    if not apart(ours, theirs):
        return
    a, b, box, moves, away, slope_t, slope_u = one_box(ours, theirs)
    least = grid(a, b, EVERY, EVERY).min()
    smaller = remote._smaller(box, away, slope_t, slope_u, *moves)
    assert (smaller.dt * smaller.du).sum() <= (box.dt * box.du).sum()
    kept = []
    for n in range(len(smaller.t)):
        t = smaller.t[n] + smaller.dt[n] * (2 * EVERY - 1)
        u = smaller.u[n] + smaller.du[n] * (2 * EVERY - 1)
        kept.append(grid(a, b, t, u).min())
    # The grid of a half is finer, so it may hold a shorter way, but no longer one.
    assert min(kept) <= least + max(1e-4, 3e-3 * (box.dt * box.du).item())


@settings(max_examples=60, deadline=None)
@given(some_piece(), some_piece())
def test_slopes_are_those_of_the_distance(ours, theirs):
    if not apart(ours, theirs) or abs(ours[1]) > 89:
        return
    a, b, _, _, away, slope_t, slope_u = one_box(ours, theirs)
    if away > ANTIPODES_M:
        return
    step = np.array([0.499, 0.501])
    there, here = grid(a, b, step, np.array([0.5])), grid(a, b, np.array([0.5]), step)
    assert (there[1] - there[0]).item() / 0.002 == pytest.approx(slope_t[0], abs=1e-2)
    assert (here[0, 1] - here[0, 0]) / 0.002 == pytest.approx(slope_u[0], abs=1e-2)


@settings(max_examples=60, deadline=None)
@given(some_piece(), some_piece())
def test_nothing_is_nearer_than_what_is_proved(ours, theirs):
    if not apart(ours, theirs):
        return
    a, b = first_piece(ours), first_piece(theirs)
    none, middle = np.array([0]), np.array([0.5])
    here, there = along(a.lonlat, middle), along(b.lonlat, middle)
    start = Contacts(geo.distance(*here.T, *there.T), none, none, middle, middle)
    best = proved(a, b, start, none, none, none)
    least = grid(a, b, np.linspace(0, 1, 101), np.linspace(0, 1, 101)).min()
    bound = PROVED_M if best.distance_m[0] <= ANTIPODES_M else ANTIPODAL_M
    assert best.distance_m[0] <= least + bound + NOISE_M
    ends = along(a.lonlat, best.t), along(b.lonlat, best.u)
    assert geo.distance(*ends[0].T, *ends[1].T) == best.distance_m
    assert 0 <= best.t[0] <= 1
    assert 0 <= best.u[0] <= 1


@st.composite
def facing(draw):
    """Two pieces, or a piece and a place, square to a geodesic between them."""
    lon, lat = draw(st.sampled_from([(125, 40), (0, 0), (10, 70), (-60, -30)]))
    azimuth = draw(st.integers(0, 359))
    away = draw(st.sampled_from([2e4, 3e5, 2e6, 4.5e6, 9e6, 1.5e7, 1.95e7]))
    there = geo.destination(lon, lat, azimuth, away)
    way = geo.inverse(lon, lat, *there)

    def through(place, towards, lengths):
        turn = draw(st.integers(-20, 20)) / 400
        share = draw(st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.6, 0.9]))
        length = draw(st.sampled_from(lengths))
        ends = [
            geo.destination(*place, towards + turn + side, length * part)
            for side, part in ((90, share), (-90, 1 - share))
        ]
        return tuple(map(float, np.concatenate(ends)))

    ours = through((lon, lat), float(way.azimuth_deg), [0.0, 500.0, 3_000.0])
    theirs = through(there, float(way.back_azimuth_deg), [500.0, 3_000.0])
    return ours, theirs


def refined(a, b):
    """Least distance of two pieces: a grid, and a finer one where it is least."""
    (t, u), half = (0.5, 0.5), 0.5
    for _ in range(4):
        along_a = np.clip(t + half * np.linspace(-1, 1, 61), 0, 1)
        along_b = np.clip(u + half * np.linspace(-1, 1, 61), 0, 1)
        found = grid(a, b, along_a, along_b)
        i, j = np.unravel_index(found.argmin(), found.shape)
        t, u, half = along_a[i], along_b[j], half / 15
    return found.min()


@settings(max_examples=150, deadline=None)
@given(facing(), st.sampled_from([0.0, 0.5, 1.0]))
@example(((0, -0.01, 0, 0.01), (150, -0.01, 150, 0.01)), 0.5)
def test_of_two_that_face_each_other_the_least_is_found(pair, start):
    ours, theirs = pair
    if abs(ours[2] - ours[0]) > 90 or abs(theirs[2] - theirs[0]) > 90:
        return
    a, b = first_piece(ours), first_piece(theirs)
    none, part = np.array([0]), np.array([start])
    here, there = along(a.lonlat, part), along(b.lonlat, part)
    known = Contacts(geo.distance(*here.T, *there.T), none, none, part, part)
    found = proved(a, b, known, none, none, none).distance_m[0]
    bound = PROVED_M if found <= ANTIPODES_M else ANTIPODAL_M
    assert found <= refined(a, b) + bound + NOISE_M


# ── whole lines, as far as there is ──────────────────────────────────────────


def ragged(n, seed, lon, lat, span):
    """A line of many turns."""
    rng = np.random.default_rng(seed)
    walk = np.cumsum(rng.normal(0, span / n**0.5, (n, 2)), axis=0)
    return LineString(np.clip(walk + np.array([lon, lat]), (-180, -90), (180, 90)))


def sampled(point, line, step_m=2_000.0):
    """Least distance of a place from a line: a comb, refined where it is low."""
    xy = shapely.get_coordinates(line)
    best = np.inf
    for first, last in pairwise(xy):
        low, high = 0.0, 1.0
        n = int(geo.distance(*first, *last) / step_m) + 3
        for _ in range(7):
            t = np.linspace(low, high, n)
            away = geo.distance(*point, *(first + (last - first) * t[:, None]).T)
            best = min(best, away.min())
            at, n = away.argmin(), 9
            low, high = t[max(at - 1, 0)], t[min(at + 1, len(t) - 1)]
    return best


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "place", [(126, 41), (120, 30), (60, 70), (-60, 10), (-10, -75), (0, 90)]
)
def test_the_nearest_place_of_a_far_line_is_the_nearest_of_all(place, seed):
    line = ragged(40, seed, 125 + 3 * seed, 40 - 20 * seed, 2.0)
    if geo.distance(*place, *line.coords[0]) < 5e5 and seed == 0:
        line = shapely.transform(line, lambda xy: xy + 4)
    found = nearest_shapes(np.array([Point(place)]), np.array([line]), 1)
    assert found.distance_m[0] == pytest.approx(
        sampled(place, line), rel=0, abs=PROVED_M + NOISE_M
    )


@pytest.mark.parametrize("away_m", [3e5, 1e6, 5e6, 9e6, 1.5e7])
def test_a_line_all_round_at_almost_one_distance(away_m):
    """Where an estimate of the distance picks a wrong piece: by metres, when far."""
    azimuth = np.linspace(20, 160, 141)
    metres = away_m + 0.02 * np.cos(np.radians(7 * azimuth)) + 40 * (azimuth % 2)
    lon, lat = geo.destination(-10, 20, azimuth, metres)
    line = LineString(np.column_stack([lon, lat]))
    assert np.abs(np.diff(lon)).max() < 90
    found = nearest_shapes(np.array([Point(-10, 20)]), np.array([line]), 1)
    assert found.distance_m[0] == pytest.approx(
        sampled((-10, 20), line), rel=0, abs=PROVED_M + NOISE_M
    )


def test_two_far_lines_that_keep_their_distance():
    """Parallels: no place is nearer than another, and every one has to be tried."""
    ours, theirs = (np.array([LineString([(0, y), (2, y)])]) for y in (40, 41))
    found = nearest_shapes(ours, theirs, 1)
    along_meridian = geo.distance(0, 40, 0, 41)
    assert found.distance_m[0] == pytest.approx(along_meridian, abs=PROVED_M)
    assert found.distance_m[0] >= along_meridian - NOISE_M


def test_far_answers_are_the_same_in_any_company():
    lines = np.array([ragged(30, n, 100 + n, 10 + n, 1.0) for n in range(12)])
    left = np.array([Point(20, 50), ragged(20, 99, 60, -30, 2.0)])
    whole = nearest_shapes(left, lines, 12)
    for n, line in enumerate(lines):
        alone = nearest_shapes(left, np.array([line]), 1)
        both = whole.distance_m[whole.j == n]
        assert both.tolist() == alone.distance_m.tolist()


def test_at_the_antipodes():
    """Where shortest ways branch: within the metre that is stated."""
    line = LineString([(-56, -41), (-54, -39.2)])
    found = nearest_shapes(np.array([Point(125, 40.1)]), np.array([line]), 1)
    least = sampled((125, 40.1), line, step_m=100.0)
    bound = PROVED_M if least < ANTIPODES_M else ANTIPODAL_M
    assert -NOISE_M <= found.distance_m[0] - least + PROVED_M <= bound + 2 * PROVED_M
    spot = LineString([(-55.001, -40.1005), (-54.9995, -40.1)])
    found = nearest_shapes(np.array([Point(125, 40.1)]), np.array([spot]), 1)
    least = sampled((125, 40.1), spot, step_m=1.0)
    assert least > ANTIPODES_M
    assert found.distance_m[0] <= least + ANTIPODAL_M


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([20.0, 60.0, 130.0, 170.0]),
    st.sampled_from([(30.0, 20.0), (-170.0, -60.0), (100.0, 89.0)]),
)
def test_a_piece_that_is_not_listed_is_no_nearer(seed, away_deg, place):
    """Half of a globe of pieces is passed over by what one of them tells."""
    rng = np.random.default_rng(seed)
    lon, lat = geo.destination(*place, rng.uniform(0, 360, 50), away_deg * 1.1e5)
    ends = np.column_stack([lon, lat])
    ends += rng.normal(0, 3, ends.shape)
    ends = np.clip(ends, (-179.9, -89.9), (179.9, 89.9))
    shift = rng.normal(0, 0.005, ends.shape)
    edges = Edges(
        lonlat=np.hstack([ends, ends + shift]), offsets=np.array([0, len(ends)])
    )
    right = pieces_of(edges)[0]
    tree = piecetree(right)
    left = first_piece((*place, *place))
    middle = along(tree.pieces.lonlat, np.full(len(tree.pieces.sag), 0.5))
    away = geo.distance(*place, *middle.T)
    at = np.array([np.argsort(away)[rng.integers(3)]])
    zero, half = np.array([0]), np.array([0.5])
    best = Contacts(away[at], zero, at, half, half)
    room = np.empty((len(tree.pieces.sag), 3), dtype=np.intp)
    _, filled = list_pieces(
        left,
        np.array([0, 1]),
        tree,
        1,
        zero,
        zero,
        np.array([np.inf]),
        tangents(left, tree.pieces, best),
        0.0,
        0,
        room,
    )
    left_out = np.setdiff1d(np.arange(len(room)), room[:filled, 2])
    for b in left_out:
        piece = np.repeat(tree.pieces.lonlat[b : b + 1], len(EVERY), axis=0)
        assert geo.distance(*place, *along(piece, EVERY).T).min() >= away[at] - NOISE_M

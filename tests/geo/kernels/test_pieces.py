"""Pieces of edges and their feet, held against many places along them."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from geo.geodesy import earth_centred
from geo.kernels.edges import Edges
from geo.kernels.pieces import FOOT_M, SAG_M, along, foot, pieces_of

PARTS = np.linspace(0, 1, 8_001)


def cut(edge):
    """Give the pieces of an edge."""
    edges = Edges(lonlat=np.array([edge], float), offsets=np.arange(2))
    return pieces_of(edges)[0]


def places(piece, t):
    """Places along a piece, Earth-centred."""
    lon, lat = piece[:2, None] + (piece[2:] - piece[:2])[:, None] * t
    return earth_centred(lon, lat)


polar = st.builds(
    lambda sign, *away: [sign * (90.0 - part) for part in away],
    st.sampled_from([1, -1]),
    # 1e-6 degrees of latitude are 0.11 m.
    *[st.sampled_from([0.0, 1e-8, 1e-6, 3e-6, 2e-5, 1e-3, 0.07, 1.0])] * 2,
)
latitudes = st.one_of(polar, st.tuples(st.floats(-89, 89), st.floats(-89, 89)))
longitudes = st.tuples(st.floats(-180, 180), st.floats(-180, 180))


@given(longitudes, latitudes)
def test_no_place_of_a_piece_is_farther_from_its_chord_than_its_sag(lon, lat):
    pieces = cut([lon[0], lat[0], lon[1], lat[1]])
    for p in range(0, len(pieces.sag), max(1, len(pieces.sag) // 9)):
        at = np.linspace(0, 1, 33)
        begin, end = pieces.xyz[p, :3], pieces.xyz[p, 3:]
        chord = begin + (end - begin) * at[:, None]
        off = np.linalg.norm(places(pieces.lonlat[p], at) - chord, axis=1)
        assert off.max() <= pieces.sag[p] + 1e-8
        assert pieces.sag[p] <= SAG_M * (1 + 1e-9)


@given(
    longitudes,
    latitudes,
    st.tuples(*[st.floats(-1, 1)] * 3),
    st.sampled_from([0.0, 0.1, 1.0, 50.0, 8_000.0, 4e6]),
    st.floats(0, 1),
)
# Round the pole at 0.2 m and seen from beyond it: two places without slope.
@example((-180.0, 180.0), (90 - 2e-6, 90 - 2e-6), (1.0, 0.1, 0.0), 50.0, 0.3)
@example((0.0, 170.0), (90 - 1e-6, 90 - 1e-6), (-1.0, -0.1, 0.0), 8_000.0, 0.9)
def test_no_place_of_a_piece_is_nearer_than_its_foot(lon, lat, way, away_m, guess):
    pieces = cut([lon[0], lat[0], lon[1], lat[1]])
    piece = pieces.lonlat[len(pieces.sag) // 2]
    assume(np.linalg.norm(way) > 0.1)
    at = places(piece, np.array([0.5]))[0]
    at = at + np.array(way) / np.linalg.norm(way) * away_m
    t = foot(piece, guess, *at)
    found = np.linalg.norm(earth_centred(*along(piece, t)) - at)
    least = np.linalg.norm(places(piece, PARTS) - at, axis=1).min()
    assert found <= least + FOOT_M


@pytest.mark.parametrize("low", [1e-6, 2e-6, 4e-6])
@pytest.mark.parametrize("high", [0.0, 5e-7, 1e-6])
def test_the_foot_on_a_spiral_about_the_pole(low, high):
    """What bulges between two halves is on one of them, from wherever it is seen."""
    piece = cut([-170.0, 90 - low, 170.0, 90 - high]).lonlat[0]
    for lon in range(-180, 180, 3):
        at = earth_centred(float(lon), 89.999)
        t = foot(piece, 0.5, *at)
        found = np.linalg.norm(earth_centred(*along(piece, t)) - at)
        least = np.linalg.norm(places(piece, PARTS) - at, axis=1).min()
        assert found <= least + FOOT_M


@pytest.mark.parametrize("turn", [350.0, 180.0, 60.0, 1.0])
def test_the_foot_on_a_parallel_round_the_pole_is_on_the_meridian_of_the_place(turn):
    piece = np.array([-turn / 2, 90 - 1e-6, turn / 2, 90 - 1e-6])
    for guess in (0.0, 0.2, 0.5, 1.0):
        for lon in (-0.4 * turn, 0.0, 0.3 * turn):
            t = foot(piece, guess, *earth_centred(lon, 89.99))
            # The parallel is 0.1 m from the pole, where a degree is 2 mm.
            assert along(piece, t)[0] == pytest.approx(lon, abs=1.0)
            if lon and turn <= 180.0:
                beyond = foot(piece, guess, *earth_centred(lon + 180.0, 89.99))
                end = -turn / 2 if lon > 0 else turn / 2
                assert along(piece, beyond)[0] == pytest.approx(end, abs=1.0)

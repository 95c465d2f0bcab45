"""The shortest chord of two pieces, held against a grid that is refined."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

import geo
from geo.kernels.edges import Edges
from geo.kernels.gaps import STACK, contact
from geo.kernels.pieces import along, pieces_of

BOUND_M = 0.84e-3
"""What :mod:`geo.kernels.segments` states between lines up to 8 km. [m]"""


def piece_of(edge):
    """Give the longest beginning of an edge that is one piece."""
    lonlat = np.array([edge], float)
    while (
        len((found := pieces_of(Edges(lonlat=lonlat, offsets=np.arange(2)))[0]).sag) > 1
    ):
        lonlat[0, 2:] = lonlat[0, :2] + 0.9 * (lonlat[0, 2:] - lonlat[0, :2])
    return found


def measured(a, b):
    """Length of the geodesic, and parts of the way, that the kernel gives."""
    return contact(
        *(a.lonlat[0], a.xyz[0], a.sag[0], b.lonlat[0], b.xyz[0], b.sag[0]),
        np.empty(STACK),
    )


def refined(a, b):
    """Least geodesic distance: a grid, and finer ones about its three best cells."""

    def grid(t, u):
        here, there = (
            np.array([along(one.lonlat[0], part) for part in parts])
            for one, parts in ((a, t), (b, u))
        )
        return geo.distance(here[:, :1], here[:, 1:], there[:, 0], there[:, 1])

    coarse = np.linspace(0, 1, 41)
    first = grid(coarse, coarse)
    least = np.inf
    for best in np.argsort(first, axis=None)[:9:4]:
        t, u = (coarse[k] for k in np.unravel_index(best, first.shape))
        half = 0.06
        for _ in range(5):
            ts = np.clip(t + half * np.linspace(-1, 1, 25), 0, 1)
            us = np.clip(u + half * np.linspace(-1, 1, 25), 0, 1)
            found = grid(ts, us)
            i, j = np.unravel_index(found.argmin(), found.shape)
            t, u, half = ts[i], us[j], half / 5
        least = min(least, found.min())
    return least


@st.composite
def facing(draw):
    """Two long pieces, nearly along each other or across, some way apart."""
    lat = draw(st.sampled_from([0.0, 40.0, 70.0, 85.0, -60.0]))
    length = draw(st.sampled_from([300.0, 3_000.0]))
    heading = draw(st.integers(0, 359))
    away = draw(st.sampled_from([1.0, 30.0, 400.0, 3_000.0]))
    turn = draw(st.sampled_from([0.0, 0.001, -0.02, 0.3, -3.0, 40.0, 90.0, 179.99]))
    ours, theirs = draw(
        st.sampled_from([(0.5, 0.5), (0.2, 0.5), (0.0, 0.3), (0.9, 0.1)])
    )
    there = geo.destination(10, lat, heading + 90, away)

    def through(place, towards, share):
        back = geo.destination(*place, towards + 180, length * share)
        ahead = geo.destination(*place, towards, length * (1 - share))
        return tuple(map(float, np.concatenate([back, ahead])))

    return through((10, lat), heading, ours), through(there, heading + turn, theirs)


@settings(max_examples=60, deadline=None)
@given(facing())
# Along two parallels, bent one way, and along a parallel and its tangent.
@example(((9.98, 60, 10.02, 60), (9.98, 60.001, 10.02, 60.001)))
@example(((9.98, 60, 10.02, 60), (9.98, 60.00005, 10.02, 60.00004)))
def test_nothing_is_nearer_than_the_contact(pair):
    a, b = map(piece_of, pair)
    found, t, u = measured(a, b)
    here, there = along(a.lonlat[0], t), along(b.lonlat[0], u)
    assert abs(found - geo.distance(*here, *there)) <= BOUND_M
    assert found <= refined(a, b) + BOUND_M
    assert measured(b, a)[0] <= refined(a, b) + BOUND_M

"""Least geodesic distance of pieces of edges that are far apart, with its proof.

Beyond 8 km a chord no longer tells the length of its geodesic to a millimetre. There
the least distance is enclosed from below by what curvature allows, and from above by
Karney's distance [1]_ of two places; the search ends when the two are
:data:`PROVED_M` apart.

**Lemma.** Let X(t) and Y(u) be two pieces, of speeds up to V and W and with |X''| and
|Y''| up to A and B, and f(t, u) the geodesic distance of their places. The Gaussian
curvature of the ellipsoid is positive and no more than 1 / b², so its injectivity
radius is π b or more (Klingenberg [2]_): where 0 < f < π b, f is smooth. Its first
derivatives are the components of X' and Y' along the geodesic. In its second derivative
along a line in the plane of t and u, with v and w the components of the motion across
the geodesic, stands the index form of the Jacobi field that has these ends, which by
the index lemma [3]_ is least where the curvature is 1 / b² everywhere; and the curving
of the pieces, no more than A and B. So with c = f / b, and dashes for derivatives along
that line,

    f''  ≥  (cot c (v² + w²) − 2 v w / sin c) / b  −  A t'² − B u'²
         ≥  − tan(c / 2) (v² + w²) / b  −  A t'² − B u'².

The mixed derivative is v w over the reduced length of the geodesic, which is b sin c or
more, and that by one end alone lies between v² cot c / b and v² / f (Rauch [3]_), but
for the curving.

**The search** takes boxes in the plane of t and u, at first whole pieces, and of each
f and its slopes at the middle. A box is left out when Taylor's series with the bound on
f'' shows that nothing in it is shorter by ``PROVED_M`` than the shortest seen. It
shrinks to a side where a slope cannot change its sign within. Where only one place
moves, and ``cot c > A b / V²`` with the lowest speed V, each place without slope is a
minimum, so there is but one, and the half that goes downhill holds it. Other boxes are
halved.

From π b = 19,970 km on, near the antipodes, shortest ways branch, and all that is used
is that f grows no faster than its places move: :data:`ANTIPODAL_M` is the bound there.

References
----------
.. [1] C. F. F. Karney, "Algorithms for geodesics", J. Geodesy 87, 43-55, 2013.
   https://doi.org/10.1007/s00190-012-0578-z
.. [2] W. Klingenberg, "Contributions to Riemannian geometry in the large", Ann. of
   Math. 69, 654-666, 1959.
.. [3] M. P. do Carmo, "Riemannian Geometry", Birkhäuser 1992: chapter 9 on the second
   variation, 10 on the index lemma and Rauch's theorem, 13 on Klingenberg's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.geodesy import (
    ECCENTRICITY_SQUARED,
    EQUATORIAL_RADIUS_M,
    earth_centred,
    inverse,
)
from geo.kernels.chords import BRANCHING_M, POLAR_RADIUS_M, ROUNDING_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.kernels.pieces import Pieces

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

PROVED_M = 5e-4
"""Nothing is shorter than what is found by more than this. [m]"""

ANTIPODAL_M = 1.0
"""The same for what is found to be longer than :data:`ANTIPODES_M`. [m]"""

ANTIPODES_M = BRANCHING_M - 1_000.0
"""Where :data:`ANTIPODAL_M` begins, a kilometre before shortest ways branch. [m]"""


class Contacts(NamedTuple):
    """Where pairs of features are found to be nearest; each part of shape ``(p,)``."""

    distance_m: Floats
    """Karney's distance there. [m]"""
    mine: Ints
    """Piece of the first feature."""
    yours: Ints
    """Piece of the other."""
    t: Floats
    """Part of the way along the first's piece."""
    u: Floats
    """Part of the way along the other's."""


class _Motion(NamedTuple):
    """How places move along pieces, per part of the way; shape ``(p,)``. [m]."""

    fastest: Floats
    slowest: Floats
    bend: Floats

    def take(self, which: Ints) -> _Motion:
        """Give some of the pieces."""
        return _Motion(self.fastest[which], self.slowest[which], self.bend[which])


class _Boxes(NamedTuple):
    """Boxes in the plane of the parts of the ways along two pieces."""

    which: Ints
    """Pair of pieces."""
    t: Floats
    """Middle along the first piece."""
    u: Floats
    """Middle along the other."""
    dt: Floats
    """Half the width along the first, 0 for a place."""
    du: Floats
    """Half the width along the other."""

    def take(self, which: NDArray[np.bool_] | Ints) -> _Boxes:
        """Give some of the boxes."""
        return _Boxes._make(part[which] for part in self)


def along(piece: Floats, t: Floats) -> Floats:
    """Places at parts of the ways along pieces, shape ``(p, 2)``. [degrees]."""
    inner = piece[:, :2] + (piece[:, 2:] - piece[:, :2]) * t[:, None]
    return np.where(t[:, None] == 1.0, piece[:, 2:], inner)


def tangents(ours: Pieces, theirs: Pieces, found: Contacts) -> Floats:
    """Geodesics of contacts as :func:`geo.kernels.piecetree.list_pieces` takes them.

    Parameters
    ----------
    ours, theirs
        Pieces of both sides.
    found
        Contacts, shape ``(n,)``.

    Returns
    -------
    numpy.ndarray
        Length, place and direction at our end, and at theirs, shape ``(n, 13)``. [m]
    """
    here = along(ours.lonlat[found.mine], found.t)
    there = along(theirs.lonlat[found.yours], found.u)
    way = inverse(*here.T, *there.T)
    columns = [way.distance_m[:, None]]
    for lonlat, towards in ((here, way.azimuth_deg), (there, way.back_azimuth_deg)):
        lon, lat = np.radians(lonlat).T
        # Away from the other end: south and west of the azimuth towards it.
        north, east = -np.cos(np.radians(towards)), -np.sin(np.radians(towards))
        out = -north * np.sin(lat)
        x = out * np.cos(lon) - east * np.sin(lon)
        y = out * np.sin(lon) + east * np.cos(lon)
        columns.append(earth_centred(*lonlat.T))
        columns.append(np.column_stack([x, y, north * np.cos(lat)]))
    return np.hstack(columns)


def proved(
    ours: Pieces,
    theirs: Pieces,
    found: Contacts,
    pair: Ints,
    mine: Ints,
    yours: Ints,
) -> Contacts:
    """Find the least distance of pairs of features among pairs of their pieces.

    Parameters
    ----------
    ours, theirs
        Pieces of both sides.
    found
        Contacts to begin with, as long as they are the shortest, shape ``(n,)``.
    pair, mine, yours
        Pairs of pieces that may be nearer, more than their lengths apart: the pair of
        features that they belong to and the pieces, shapes ``(p,)``.

    Returns
    -------
    Contacts
        Shape ``(n,)``: no geodesic between the pieces of a pair is shorter than its
        distance by more than :data:`PROVED_M`, or :data:`ANTIPODAL_M` beyond
        :data:`ANTIPODES_M`.
    """
    best = Contacts._make(part.copy() for part in found)
    our_motion, their_motion = _motion(ours, mine), _motion(theirs, yours)
    our_lonlat, their_lonlat = ours.lonlat[mine], theirs.lonlat[yours]
    half = np.full(len(pair), 0.5)
    boxes = _Boxes(
        which=np.arange(len(pair)),
        t=half,
        u=half,
        dt=np.where(our_motion.fastest > 0, half, 0.0),
        du=np.where(their_motion.fastest > 0, half, 0.0),
    )
    while len(boxes.which):
        k = boxes.which
        here, there = along(our_lonlat[k], boxes.t), along(their_lonlat[k], boxes.u)
        way = inverse(*here.T, *there.T)
        away = way.distance_m
        _keep_shortest(best, pair[k], away, boxes, mine, yours)
        a, b = our_motion.take(k), their_motion.take(k)
        lowest = away - _fall(boxes, a, b)
        slope_t = _slope(our_lonlat[k], here, way.azimuth_deg)
        slope_u = _slope(their_lonlat[k], there, way.back_azimuth_deg)
        lowest = np.maximum(lowest, away - _drop(away, slope_t, slope_u, boxes, a, b))
        limit = best.distance_m[pair[k]]
        limit -= np.where(limit > ANTIPODES_M, ANTIPODAL_M, PROVED_M)
        kept = lowest < limit
        boxes = _smaller(
            boxes.take(kept),
            away[kept],
            slope_t[kept],
            slope_u[kept],
            a.take(np.flatnonzero(kept)),
            b.take(np.flatnonzero(kept)),
        )
    return best


def _motion(pieces: Pieces, which: Ints) -> _Motion:
    """Bounds of how places move along some pieces.

    X'' is no longer than 8 sags, and X' differs from its mean, the chord, by no more
    than half of that.
    """
    xyz, sag = pieces.xyz[which], pieces.sag[which]
    chord = np.sqrt(((xyz[:, 3:] - xyz[:, :3]) ** 2).sum(axis=1))
    lonlat = pieces.lonlat[which]
    moves = (lonlat[:, :2] != lonlat[:, 2:]).any(axis=1)
    return _Motion(
        fastest=np.where(moves, chord + 4 * sag + ROUNDING_M, 0.0),
        slowest=np.maximum(chord - 4 * sag - ROUNDING_M, 0.0),
        bend=8 * sag,
    )


def _slope(piece: Floats, lonlat: Floats, towards_deg: Floats) -> Floats:
    """How fast geodesics lengthen along pieces, from the azimuths towards the other."""
    turn, climb = np.radians(piece[:, 2:] - piece[:, :2]).T
    towards, lat = np.radians(towards_deg), np.radians(lonlat[:, 1])
    flat = 1 - ECCENTRICITY_SQUARED * np.sin(lat) ** 2
    across = EQUATORIAL_RADIUS_M / np.sqrt(flat)
    meridian = across * (1 - ECCENTRICITY_SQUARED) / flat
    east = turn * across * np.cos(lat)
    return np.asarray(-(np.sin(towards) * east + np.cos(towards) * meridian * climb))


def _fall(boxes: _Boxes, a: _Motion, b: _Motion) -> Floats:
    """By how much less than at the middle a distance in a box may be, at the most."""
    return np.asarray(a.fastest * boxes.dt + b.fastest * boxes.du)


def _drop(
    away: Floats,
    slope_t: Floats,
    slope_u: Floats,
    boxes: _Boxes,
    a: _Motion,
    b: _Motion,
) -> Floats:
    """Bound the fall by Taylor's series: infinite where shortest ways may branch."""
    x, y = a.fastest * boxes.dt, b.fastest * boxes.du
    longest = away + x + y
    angle = np.minimum(longest / POLAR_RADIUS_M, np.pi)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        alone = np.maximum(-1.0 / np.tan(angle), 0.0)
        bend = np.where((x == 0) | (y == 0), alone, np.tan(angle / 2))
    second = bend / POLAR_RADIUS_M * (x * x + y * y)
    second += a.bend * boxes.dt**2 + b.bend * boxes.du**2
    drop = np.abs(slope_t) * boxes.dt + np.abs(slope_u) * boxes.du + second / 2
    return np.where(longest < BRANCHING_M, drop, np.inf)


def _keep_shortest(
    best: Contacts, pair: Ints, away: Floats, boxes: _Boxes, mine: Ints, yours: Ints
) -> None:
    """Write down where the distance is shorter than all that was seen of a pair."""
    shorter = np.flatnonzero(away < best.distance_m[pair])
    # The longest first: what is written last stays.
    shorter = shorter[np.argsort(-away[shorter], kind="stable")]
    row = pair[shorter]
    best.distance_m[row] = away[shorter]
    best.mine[row], best.yours[row] = (
        mine[boxes.which[shorter]],
        yours[boxes.which[shorter]],
    )
    best.t[row], best.u[row] = boxes.t[shorter], boxes.u[shorter]


def _smaller(
    boxes: _Boxes,
    away: Floats,
    slope_t: Floats,
    slope_u: Floats,
    a: _Motion,
    b: _Motion,
) -> _Boxes:
    """Shrink boxes to where their least distances are, or halve them."""
    x, y = a.fastest * boxes.dt, b.fastest * boxes.du
    shortest, longest = away - x - y, away + x + y
    smooth = (shortest > 0) & (longest < BRANCHING_M)
    low, high = (
        np.where(smooth, r, POLAR_RADIUS_M) / POLAR_RADIUS_M
        for r in (shortest, longest)
    )
    cot = 1.0 / np.tan(high)
    own = np.maximum(1.0 / low, -cot) / POLAR_RADIUS_M
    mixed = 1.0 / (POLAR_RADIUS_M * np.minimum(np.sin(low), np.sin(high)))
    change_t = boxes.dt * (a.fastest**2 * own + a.bend) + y * a.fastest * mixed
    change_u = boxes.du * (b.fastest**2 * own + b.bend) + x * b.fastest * mixed
    # To one side where the slope keeps its sign all over the box.
    side_t = np.where(smooth & (np.abs(slope_t) > change_t), -np.sign(slope_t), 0.0)
    side_u = np.where(smooth & (np.abs(slope_u) > change_u), -np.sign(slope_u), 0.0)
    side_t[boxes.dt == 0], side_u[boxes.du == 0] = 0.0, 0.0
    t, dt = boxes.t + side_t * boxes.dt, np.where(side_t == 0, boxes.dt, 0.0)
    u, du = boxes.u + side_u * boxes.du, np.where(side_u == 0, boxes.du, 0.0)
    whole = (side_t != 0) | (side_u != 0)
    # To the lower half where there is but one minimum along the only way.
    one_t = ~whole & smooth & (boxes.du == 0)
    one_t &= a.slowest**2 * cot > a.bend * POLAR_RADIUS_M
    one_u = ~whole & smooth & (boxes.dt == 0)
    one_u &= b.slowest**2 * cot > b.bend * POLAR_RADIUS_M
    t, dt = (
        np.where(one_t, t - np.sign(slope_t) * dt / 2, t),
        np.where(one_t, dt / 2, dt),
    )
    u, du = (
        np.where(one_u, u - np.sign(slope_u) * du / 2, u),
        np.where(one_u, du / 2, du),
    )
    kept = _Boxes(boxes.which, t, u, dt, du)
    done = whole | one_t | one_u
    cut = kept.take(~done)
    long_t = a.fastest[~done] * cut.dt >= b.fastest[~done] * cut.du
    dt, du = np.where(long_t, cut.dt / 2, cut.dt), np.where(long_t, cut.du, cut.du / 2)
    move_t, move_u = np.where(long_t, dt, 0.0), np.where(long_t, 0.0, du)
    parts = [
        kept.take(done),
        _Boxes(cut.which, cut.t - move_t, cut.u - move_u, dt, du),
        _Boxes(cut.which, cut.t + move_t, cut.u + move_u, dt, du),
    ]
    return _Boxes._make(np.concatenate(column) for column in zip(*parts, strict=True))

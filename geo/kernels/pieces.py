"""Edges cut into pieces that hardly leave their chords.

An edge is straight in longitude and latitude, and so a curve X(t) on the ellipsoid,
0 ≤ t ≤ 1. It leaves its chord by no more than an eighth of the largest |X''|, and with
Δλ and Δφ in radians, ϱ the distance from the axis and M the radius of curvature of the
meridian (less than a² / b = 6,399,594 m),

    |X''|  ≤  ϱ Δλ²  +  2 M |sin φ Δλ Δφ|  +  1.0001 M Δφ²,

each factor at its largest on the piece: the derivatives of X by λ and φ are ϱ, M sin φ
and (M² + (dM/dφ)²)½ long, and |dM/dφ| < 0.011 M. That is the piece's sag.
"""

from __future__ import annotations

from math import ceil, cos, hypot, radians, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M
from geo.kernels.chords import frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo.kernels.edges import Edges

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Triple = tuple[float, float, float]

SAG_M = 0.25
"""Largest sag of a piece. [m]"""

_LARGEST_RADIUS_M = EQUATORIAL_RADIUS_M / sqrt(1 - ECCENTRICITY_SQUARED)
"""Largest radius of curvature, a² / b, at the poles. [m]"""


class Pieces(NamedTuple):
    """Pieces of edges, of no more than :data:`SAG_M` of sag."""

    lonlat: Floats
    """Ends of each piece, shape ``(p, 4)``: lon, lat, lon, lat. [degrees]"""
    xyz: Floats
    """Earth-centred ends, shape ``(p, 6)``. [m]"""
    sag: Floats
    """How far the piece may leave its chord, shape ``(p,)``. [m]"""
    owner: Ints
    """Feature of each piece, shape ``(p,)``."""


def pieces_of(edges: Edges) -> tuple[Pieces, Ints]:
    """Cut the edges of features into pieces.

    Parameters
    ----------
    edges
        Edges of ``n`` features.

    Returns
    -------
    pieces : Pieces
        In the order of the edges.
    offsets : numpy.ndarray
        Where the pieces of each feature begin, shape ``(n + 1,)``.
    """
    counts = _counts(edges.lonlat)
    ends = np.concatenate([[0], np.cumsum(counts)])
    lonlat, xyz = np.empty((ends[-1], 4)), np.empty((ends[-1], 6))
    sag = np.empty(ends[-1])
    _cut(edges.lonlat, counts, lonlat)
    _measure(lonlat, xyz, sag)
    offsets = ends[edges.offsets]
    owner = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return Pieces(lonlat=lonlat, xyz=xyz, sag=sag, owner=owner), offsets


@njit(nogil=True, cache=True, error_model="numpy")
def _sag(lon0: float, lat0: float, lon1: float, lat1: float) -> float:
    """How far an edge may leave its chord. [m]."""
    turn, climb = abs(radians(lon1 - lon0)), abs(radians(lat1 - lat0))
    low, high = abs(radians(lat0)), abs(radians(lat1))
    steep = max(low, high)
    shallow = 0.0 if lat0 * lat1 < 0.0 else min(low, high)
    axis = _LARGEST_RADIUS_M * max(cos(shallow), 0.0)
    bend = axis * turn * turn + 1.0001 * _LARGEST_RADIUS_M * climb * climb
    bend += 2.0 * _LARGEST_RADIUS_M * sin(min(steep, 1.5707963)) * turn * climb
    return bend / 8.0


@njit(nogil=True, cache=True, error_model="numpy")
def _counts(lonlat: Floats) -> Ints:
    """Count the pieces that each edge needs: the sag falls with their square."""
    counts = np.empty(len(lonlat), dtype=np.intp)
    for e in range(len(lonlat)):
        sag = _sag(lonlat[e, 0], lonlat[e, 1], lonlat[e, 2], lonlat[e, 3])
        counts[e] = max(1, ceil(sqrt(sag / SAG_M)))
    return counts


@njit(nogil=True, cache=True, error_model="numpy")
def _measure(lonlat: Floats, xyz: Floats, sag: Floats) -> None:
    """Fill in the Earth-centred ends of the pieces and their sags."""
    for p in range(len(lonlat)):
        lon0, lat0, lon1, lat1 = lonlat[p]
        sag[p] = _sag(lon0, lat0, lon1, lat1)
        if p > 0 and lonlat[p - 1, 2] == lon0 and lonlat[p - 1, 3] == lat0:
            xyz[p, :3] = xyz[p - 1, 3:]
        else:
            xyz[p, 0], xyz[p, 1], xyz[p, 2] = frame(lon0, lat0)[:3]
        if lon0 == lon1 and lat0 == lat1:
            xyz[p, 3:] = xyz[p, :3]
        else:
            xyz[p, 3], xyz[p, 4], xyz[p, 5] = frame(lon1, lat1)[:3]


@njit(nogil=True, cache=True, error_model="numpy")
def _cut(edges: Floats, counts: Ints, lonlat: Floats) -> None:
    """Fill in the ends of the pieces; those that meet have the same."""
    p = 0
    for e in range(len(edges)):
        for q in range(counts[e]):
            for axis in range(2):
                begin, end = edges[e, axis], edges[e, axis + 2]
                step = (end - begin) / counts[e]
                lonlat[p, axis] = begin + step * q
                lonlat[p, axis + 2] = begin + step * (q + 1)
            if q == counts[e] - 1:
                lonlat[p, 2], lonlat[p, 3] = edges[e, 2], edges[e, 3]
            p += 1


@njit(nogil=True, cache=True, error_model="numpy")
def along(piece: Floats, t: float) -> tuple[float, float]:
    """Longitude and latitude at a part of the way along a piece."""
    if t == 1.0:
        return piece[2], piece[3]
    return piece[0] + (piece[2] - piece[0]) * t, piece[1] + (piece[3] - piece[1]) * t


@njit(nogil=True, cache=True, error_model="numpy")
def _slopes(
    piece: Floats, t: float, px: float, py: float, pz: float
) -> tuple[float, float, float, float, float]:
    """Half of |X(t) − P|² differentiated twice by t, |X'|², |X − P|², and ϱ."""
    lon, lat = along(piece, t)
    x, y, z, sin_lon, cos_lon, sin_lat, cos_lat, bend, _ = frame(lon, lat)
    turn, climb = radians(piece[2] - piece[0]), radians(piece[3] - piece[1])
    meridian = 1.0 / bend
    stretch = 3.0 * ECCENTRICITY_SQUARED * sin_lat * cos_lat
    stretch *= meridian / (1.0 - ECCENTRICITY_SQUARED * sin_lat * sin_lat)
    # Parts of X' and X'' away from the axis, to the east and along the axis.
    axis = hypot(x, y)
    out1, east1, up1 = (
        -climb * meridian * sin_lat,
        turn * axis,
        climb * meridian * cos_lat,
    )
    out2 = -turn * turn * axis
    out2 -= climb * climb * (meridian * cos_lat + stretch * sin_lat)
    east2 = -2.0 * turn * climb * meridian * sin_lat
    up2 = climb * climb * (stretch * cos_lat - meridian * sin_lat)
    dx, dy, dz = x - px, y - py, z - pz
    out, east = dx * cos_lon + dy * sin_lon, dy * cos_lon - dx * sin_lon
    speed = out1 * out1 + east1 * east1 + up1 * up1
    first = out * out1 + east * east1 + dz * up1
    second = speed + out * out2 + east * east2 + dz * up2
    return first, second, speed, dx * dx + dy * dy + dz * dz, axis


@njit(nogil=True, cache=True, error_model="numpy")
def _is_convex(piece: Floats, speed: float, away: float, axis: float) -> bool:
    """Whether |X(t) − P|² is surely convex all along a piece.

    With what :func:`_slopes` says of any t. Half of its second derivative is
    |X'|² + (X − P) · X''. As |X''| ≤ B, it is at least (|X'| − B)² − B (|X − P| + |X'|
    + B). Half of |X'|² is asked for: then it is nowhere more than five times what it is
    elsewhere, nor Newton's method farther from its goal than five of its steps.
    """
    turn, climb = abs(radians(piece[2] - piece[0])), abs(radians(piece[3] - piece[1]))
    # ϱ grows with latitude by no more than M.
    bend = (axis + _LARGEST_RADIUS_M * climb) * turn * turn
    bend += _LARGEST_RADIUS_M * climb * (2.0 * turn + 1.0001 * climb)
    fast = sqrt(speed)
    slow = max(fast - bend, 0.0)
    return slow * slow - bend * (sqrt(away) + fast + bend) >= speed / 2.0


@njit(nogil=True, cache=True, error_model="numpy")
def foot(piece: Floats, guess: float, px: float, py: float, pz: float) -> float:
    """Part of the way along a piece where it is nearest to a place in space.

    Parameters
    ----------
    piece
        Ends of a piece of :func:`pieces_of`, lon, lat, lon, lat. [degrees]
    guess
        Part of the way to begin with, 0 to 1.
    px, py, pz
        The place, Earth-centred. [m]

    Returns
    -------
    float
        0 to 1. No part of the piece is nearer by more than :data:`FOOT_M`.

    Notes
    -----
    Where the squared distance is convex in t, by Newton's method on its derivative,
    kept inside a bracket that its sign closes. Where it may not be (the place lies
    beyond the piece's centre of curvature, or a pole is near), by halving the piece.
    """
    low, high, t = 0.0, 1.0, guess
    for turn in range(60):
        first, second, speed, away, axis = _slopes(piece, t, px, py, pz)
        if turn == 0 and not _is_convex(piece, speed, away, axis):
            return _halved(piece, px, py, pz)
        if speed == 0.0 or first == 0.0:
            return t
        if first > 0.0:
            high = t
        else:
            low = t
        if low == high:  # the bracket's end itself
            return t
        step = (low + high) / 2.0
        if second > 0.0 and turn < 20:
            step = min(max(t - first / second, low), high)
        moved = abs(step - t) * sqrt(speed)
        t = step
        if moved < 1e-6:
            return t
    return t


FOOT_M = 8e-6
"""No part of a piece is nearer than its foot by more than this. [m]"""


@njit(nogil=True, cache=True, error_model="numpy")
def _halved(piece: Floats, px: float, py: float, pz: float) -> float:
    """Find the foot by halving a piece until its halves hardly leave their chords.

    A half whose chord, less its sag, is no nearer than the best is left out.
    """
    sag = _sag(piece[0], piece[1], piece[2], piece[3])
    # Begin and end of each part that is still to be looked at: the depth is that of
    # the halving, and of each level one waits.
    stack = np.empty((32, 2))
    stack[0, 0], stack[0, 1] = 0.0, 1.0
    size, best, t = 1, np.inf, 0.0
    ends = np.empty(6)
    while size:
        size -= 1
        begin, end = stack[size, 0], stack[size, 1]
        for side in range(2):
            lon, lat = along(piece, stack[size, side])
            x, y, z = frame(lon, lat)[:3]
            ends[3 * side], ends[3 * side + 1], ends[3 * side + 2] = x, y, z
        away, part = to_segment(px, py, pz, ends)
        own = sag * (end - begin) ** 2
        if away - own >= best - FOOT_M / 2.0:
            continue
        if own <= FOOT_M / 2.0:
            best, t = away, begin + part * (end - begin)
            continue
        # The half with the chord's foot comes off the stack first.
        middle = (begin + end) / 2.0
        near = size + 1 if part < 0.5 else size
        far = size if part < 0.5 else size + 1
        stack[near, 0], stack[near, 1] = begin, middle
        stack[far, 0], stack[far, 1] = middle, end
        size += 2
    return t


@njit(nogil=True, cache=True, error_model="numpy")
def to_segment(px: float, py: float, pz: float, ends: Floats) -> tuple[float, float]:
    """Distance of a place from a straight segment in space, and where along it.

    Parameters
    ----------
    px, py, pz
        The place. [m]
    ends
        Both ends of the segment, shape ``(6,)``. [m]

    Returns
    -------
    distance, t : float
        In metres; part of the way along the segment, 0 to 1.
    """
    x, y, z = ends[0], ends[1], ends[2]
    dx, dy, dz = ends[3] - x, ends[4] - y, ends[5] - z
    vx, vy, vz = px - x, py - y, pz - z
    squared = dx * dx + dy * dy + dz * dz
    t = 0.0
    if squared > 0.0:
        t = min(max((vx * dx + vy * dy + vz * dz) / squared, 0.0), 1.0)
    vx, vy, vz = vx - t * dx, vy - t * dy, vz - t * dz
    return sqrt(vx * vx + vy * vy + vz * vz), t

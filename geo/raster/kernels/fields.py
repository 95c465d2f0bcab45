"""Which piece of an edge is nearest to each node of a lattice.

Each piece is told to all nodes a few rows and columns round it, so that those which are
nearer than that to any have seen every piece that could be nearest. The others learn
from their neighbours, in one sweep down and one up.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]
    Small = NDArray[np.int32]
    Ints = NDArray[np.intp]
    Bytes = NDArray[np.uint8]

REACH = 5
"""Rows and columns round a piece whose places are told of it."""

LANES = 4
"""Places in a row that are told together; rows are a multiple of it long."""


class Lattice(NamedTuple):
    """Places in rows and columns: ``(a[i] u[j], a[i] w[j], z[i])`` in space. [m].

    That is so in longitude and latitude on the ellipsoid, and, with ``a = 1`` and
    ``w = 0``, in a plane.
    """

    west: float
    """Longitude or easting of the first node. [degrees] or [m]"""
    north: float
    """Latitude or northing of it."""
    dx: float
    """From one column to the next."""
    dy: float
    """From one row to the next."""
    flat: bool
    """Whether this is a plane."""

    a: Floats
    z: Floats
    u: Floats
    w: Floats
    row_m: float
    """What is ``n`` rows away from a node and ``m`` columns, up to :data:`REACH` of
    either, is no nearer than the root of ``(n row_m)² + (m column_m[i])²``. [m]"""
    column_m: Floats


class Known(NamedTuple):
    """What the places of a lattice know; arrays of shape ``(i, j)``."""

    nearest: Small
    """Nearest piece known so far, -1 for none."""
    square: Singles
    """Squared distance from it; in single precision, right to 6e-8 of itself. [m²]"""


@njit(cache=True, nogil=True, error_model="numpy")
def pieces_of(ends: Floats, pieces: Floats) -> None:
    """Turn the ends of straight pieces into what distances need.

    Parameters
    ----------
    ends
        In space, shape ``(n, 6)``, or x, y, x, y in a plane, shape ``(n, 4)``. [m]
    pieces
        Filled, shape ``(n, 7)``: the one end, the way to the other, and one over the
        square of its length, or 0. In a plane y is the third axis of space. [m]
    """
    flat = ends.shape[1] == 4
    half = ends.shape[1] // 2
    for p in range(len(ends)):
        square = 0.0
        for k in range(half):
            axis = 2 * k if flat else k
            way = ends[p, half + k] - ends[p, k]
            pieces[p, axis], pieces[p, 3 + axis] = ends[p, k], way
            square += way * way
        if flat:
            pieces[p, 1] = pieces[p, 4] = 0.0
        pieces[p, 6] = 1.0 / square if square > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def square_m2(x: float, y: float, z: float, pieces: Floats, p: int) -> float:
    """Squared distance of a place from a piece.

    Parameters
    ----------
    x, y, z
        The place in space. [m]
    pieces, p
        Some of :func:`pieces_of`, and which.

    Returns
    -------
    float
        Along the straight line. [m²]
    """
    x, y, z = x - pieces[p, 0], y - pieces[p, 1], z - pieces[p, 2]
    dx, dy, dz = pieces[p, 3], pieces[p, 4], pieces[p, 5]
    way = min(max((x * dx + y * dy + z * dz) * pieces[p, 6], 0.0), 1.0)
    x, y, z = x - way * dx, y - way * dy, z - way * dz
    return x * x + y * y + z * z


@njit(cache=True, nogil=True, error_model="numpy")
def tell_round(
    lattice: Lattice, pieces: Floats, ends: Floats, first: int, known: Known
) -> None:
    """Tell all places up to :data:`REACH` rows and columns from a piece of it.

    Parameters
    ----------
    lattice
        Where places are.
    pieces
        As :func:`pieces_of` makes them.
    ends
        Longitude and latitude, or easting and northing, of both ends of some of them
        that follow each other, shape ``(n, 4)``.
    first
        Number of the first of these.
    known
        Changes.
    """
    # Names of their own, since a field of a tuple is taken out anew each time.
    a, z, u, w, flat = lattice.a, lattice.z, lattice.u, lattice.w, lattice.flat
    west, north, step_x, step_y = lattice.west, lattice.north, lattice.dx, lattice.dy
    nearest, squares = known.nearest, known.square
    height, width = squares.shape
    for n in range(len(ends)):
        x0, y0 = (ends[n, 0] - west) / step_x, (north - ends[n, 1]) / step_y
        x1, y1 = (ends[n, 2] - west) / step_x, (north - ends[n, 3]) / step_y
        if y1 < y0:
            y0, x0, y1, x1 = y1, x1, y0, x0
        top, bottom = max(ceil(y0 - REACH), 0), min(floor(y1 + REACH), height - 1)
        least, most = min(x0, x1), max(x0, x1)
        if top > bottom or most < -REACH or least > width - 1 + REACH:
            continue
        slope = (x1 - x0) / (y1 - y0) if y1 > y0 else 0.0
        p = first + n
        px, py, pz = pieces[p, 0], pieces[p, 1], pieces[p, 2]
        dx, dy, dz, inverse = pieces[p, 3], pieces[p, 4], pieces[p, 5], pieces[p, 6]
        number = np.int32(p)
        for i in range(np.uint64(top), np.uint64(bottom + 1)):
            # What of the piece lies up to so many rows from this one.
            begin = x0 if i - REACH <= y0 else x0 + (i - REACH - y0) * slope
            end = x1 if i + REACH >= y1 else x0 + (i + REACH - y0) * slope
            low = max(ceil(max(min(begin, end), least) - REACH), 0)
            high = min(floor(min(max(begin, end), most) + REACH), width - 1)
            if low > high:
                continue
            start = np.uint64(low // LANES * LANES)
            stop = np.uint64((high // LANES + 1) * LANES)
            axis, vz = a[i], z[i] - pz
            if flat:
                for j in range(start, stop):
                    vx = u[j] - px
                    way = min(max((vx * dx + vz * dz) * inverse, 0.0), 1.0)
                    ex, ez = vx - way * dx, vz - way * dz
                    square, best = np.float32(ex * ex + ez * ez), squares[i, j]
                    nearer = square < best
                    squares[i, j] = square if nearer else best
                    nearest[i, j] = number if nearer else nearest[i, j]
                continue
            for j in range(start, stop):
                vx, vy = axis * u[j] - px, axis * w[j] - py
                way = (vx * dx + vy * dy + vz * dz) * inverse
                way = min(max(way, 0.0), 1.0)
                ex, ey, ez = vx - way * dx, vy - way * dy, vz - way * dz
                square = np.float32(ex * ex + ey * ey + ez * ez)
                best = squares[i, j]
                nearer = square < best
                squares[i, j] = square if nearer else best
                nearest[i, j] = number if nearer else nearest[i, j]


@njit(cache=True, nogil=True)
def settled(lattice: Lattice) -> Floats:
    """Say up to where places surely know their nearest piece after :func:`tell_round`.

    Parameters
    ----------
    lattice
        The places.

    Returns
    -------
    numpy.ndarray
        Squared distance by row, shape ``(i,)``. [m²]
    """
    return (REACH * np.minimum(lattice.row_m, lattice.column_m)) ** 2


@njit(cache=True, nogil=True)
def look_at(
    lattice: Lattice,
    pieces: Floats,
    known: Known,
    rows: Ints,
    columns: Ints,
    rivals: Ints,
) -> None:
    """Tell some places of a few pieces each.

    Parameters
    ----------
    lattice, pieces, known
        As for :func:`tell_round`.
    rows, columns
        The places, shape ``(m,)``.
    rivals
        Pieces for each, shape ``(m, k)``.
    """
    a, z, u, w = lattice.a, lattice.z, lattice.u, lattice.w
    for n in range(len(rows)):
        i, j = rows[n], columns[n]
        for p in rivals[n]:
            square = square_m2(a[i] * u[j], a[i] * w[j], z[i], pieces, p)
            if square < known.square[i, j]:
                known.square[i, j], known.nearest[i, j] = square, p


@njit(cache=True, nogil=True)
def sweep(lattice: Lattice, pieces: Floats, known: Known) -> None:
    """Let places that are not settled learn from their neighbours, down and then up.

    Parameters
    ----------
    lattice, pieces, known
        As for :func:`tell_round`.
    """
    a, z, u, w = lattice.a, lattice.z, lattice.u, lattice.w
    nearest, squares = known.nearest, known.square
    height, width = squares.shape
    limits = settled(lattice)
    for way in (1, -1):
        for step in range(height):
            i = step if way == 1 else height - 1 - step
            mine, best, limit = nearest[i], squares[i], limits[i]
            before = nearest[i - way] if step > 0 else mine
            # From the row before and from the left.
            for j in range(width):
                if best[j] <= limit:
                    continue
                x, y = a[i] * u[j], a[i] * w[j]
                now, own = best[j], mine[j]
                tried = own
                for k in range(max(j - 1, 0), min(j + 2, width) + 1):
                    left = k == min(j + 2, width)
                    if left and j == 0:
                        continue
                    p = mine[j - 1] if left else before[k]
                    if p < 0 or p in (own, tried):
                        continue
                    tried = p
                    square = square_m2(x, y, z[i], pieces, p)
                    if square < now:
                        now, own = square, p
                best[j], mine[j] = now, own
            # From the right.
            for j in range(width - 2, -1, -1):
                p = mine[j + 1]
                if best[j] <= limit or p < 0 or p == mine[j]:
                    continue
                square = square_m2(a[i] * u[j], a[i] * w[j], z[i], pieces, p)
                if square < best[j]:
                    best[j], mine[j] = square, p

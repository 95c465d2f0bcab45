"""Distance from places on a coarse lattice to the nearest piece of some edges.

Each place learns of a piece that may be its nearest from its neighbours, in sweeps to
and fro, beginning at the places next to the pieces. The distance is then that to the
piece itself, not to the place from which it was learned.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Small = NDArray[np.int32]


class Lattice(NamedTuple):
    """Places in rows and columns: ``(a[i] u[j], a[i] w[j], z[i])`` in space. [m].

    That is so in longitude and latitude on the ellipsoid, and, with ``a = 1`` and
    ``w = 0``, in a plane.
    """

    a: Floats
    z: Floats
    u: Floats
    w: Floats


class Known(NamedTuple):
    """What the places of a lattice know; arrays of shape ``(i, j)``."""

    nearest: Small
    """Nearest piece known so far, -1 for none."""
    square: Floats
    """Squared distance from it. [m²]"""


@njit(cache=True, nogil=True, error_model="numpy")
def pieces_of(ends: Floats, pieces: Floats) -> None:
    """Turn the ends of straight pieces into what distances need.

    Parameters
    ----------
    ends
        In space, shape ``(n, 6)``. [m]
    pieces
        Filled, shape ``(n, 7)``: the one end, the way to the other, and one over the
        square of its length, or 0. [m]
    """
    for p in range(len(ends)):
        square = 0.0
        for k in range(3):
            pieces[p, k] = ends[p, k]
            pieces[p, 3 + k] = ends[p, 3 + k] - ends[p, k]
            square += pieces[p, 3 + k] ** 2
        pieces[p, 6] = 1.0 / square if square > 0.0 else 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def square_m2(x: float, y: float, z: float, piece: Floats) -> float:
    """Squared distance of a place from a piece.

    Parameters
    ----------
    x, y, z
        The place in space. [m]
    piece
        One of :func:`pieces_of`.

    Returns
    -------
    float
        Along the straight line. [m²]
    """
    x, y, z = x - piece[0], y - piece[1], z - piece[2]
    ahead = (x * piece[3] + y * piece[4] + z * piece[5]) * piece[6]
    way = min(max(ahead, 0.0), 1.0)
    x, y, z = x - way * piece[3], y - way * piece[4], z - way * piece[5]
    return x * x + y * y + z * z


@njit(cache=True, nogil=True)
def seed(
    lattice: Lattice,
    pieces: Floats,
    known: Known,
    chosen: NDArray[np.intp],
    middle: Floats,
) -> None:
    """Tell the places round pieces of them.

    Parameters
    ----------
    lattice
        Where places are.
    pieces
        As :func:`pieces_of` makes them.
    known
        Changes.
    chosen
        Pieces on the lattice, none longer than its step.
    middle
        Row and column of the lattice at the middle of each piece, shape ``(n, 2)``.
    """
    # Names of their own, since a field of a tuple is taken out anew each time.
    a, z, u, w = lattice.a, lattice.z, lattice.u, lattice.w
    nearest, squares = known.nearest, known.square
    height, width = squares.shape
    for p in chosen:
        row, column = int(middle[p, 0]), int(middle[p, 1])
        for i in range(max(row - 1, 0), min(row + 3, height)):
            for j in range(max(column - 1, 0), min(column + 3, width)):
                square = square_m2(a[i] * u[j], a[i] * w[j], z[i], pieces[p])
                if square < squares[i, j]:
                    squares[i, j], nearest[i, j] = square, p


@njit(cache=True, nogil=True)
def seed_some(
    lattice: Lattice,
    pieces: Floats,
    known: Known,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    rivals: NDArray[np.intp],
) -> None:
    """Tell some places of a few pieces each.

    Parameters
    ----------
    lattice, pieces, known
        As for :func:`seed`.
    rows, columns
        The places, shape ``(m,)``.
    rivals
        Pieces for each, shape ``(m, k)``.
    """
    a, z, u, w = lattice.a, lattice.z, lattice.u, lattice.w
    for n in range(len(rows)):
        i, j = rows[n], columns[n]
        for p in rivals[n]:
            square = square_m2(a[i] * u[j], a[i] * w[j], z[i], pieces[p])
            if square < known.square[i, j]:
                known.square[i, j], known.nearest[i, j] = square, p


@njit(cache=True, nogil=True)
def sweep(lattice: Lattice, pieces: Floats, known: Known) -> None:
    """Let every place learn from its neighbours, once down and once up.

    Parameters
    ----------
    lattice, pieces, known
        As for :func:`seed`.
    """
    a, z, u, w = lattice.a, lattice.z, lattice.u, lattice.w
    nearest, squares = known.nearest, known.square
    height, width = squares.shape
    for way in (1, -1):
        for step in range(height):
            i = step if way == 1 else height - 1 - step
            mine, best = nearest[i], squares[i]
            # From the row before, then from the left, then from the right.
            for turn in range(3):
                if turn == 0 and step == 0:
                    continue
                other = nearest[i - way] if turn == 0 else mine
                for move in range(width):
                    j = width - 1 - move if turn == 2 else move
                    low, high = j - 1, j + 1
                    if turn > 0:
                        low = high = j - 1 if turn == 1 else j + 1
                    for k in range(max(low, 0), min(high + 1, width)):
                        p = other[k]
                        if p < 0 or p == mine[j]:
                            continue
                        square = square_m2(a[i] * u[j], a[i] * w[j], z[i], pieces[p])
                        if square < best[j]:
                            best[j], mine[j] = square, p


@njit(cache=True, nogil=True)
def roots(squares: Floats, out: Floats) -> None:
    """Fill in distances from their squares.

    Parameters
    ----------
    squares
        Shape ``(i, j)``. [m²]
    out
        Filled, shape ``(i, j)``. [m]
    """
    for y in range(squares.shape[0]):
        for x in range(squares.shape[1]):
            out[y, x] = sqrt(squares[y, x])

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
def tell(
    lattice: Lattice, pieces: Floats, known: Known, i: int, j: int, p: int
) -> None:
    """Tell a place of a piece, which it remembers if that is the nearest so far.

    Parameters
    ----------
    lattice
        Where places are.
    pieces
        As :func:`pieces_of` makes them.
    known
        Changes.
    i, j
        The place.
    p
        The piece.
    """
    x = lattice.a[i] * lattice.u[j] - pieces[p, 0]
    y = lattice.a[i] * lattice.w[j] - pieces[p, 1]
    z = lattice.z[i] - pieces[p, 2]
    rx, ry, rz = pieces[p, 3], pieces[p, 4], pieces[p, 5]
    way = min(max((x * rx + y * ry + z * rz) * pieces[p, 6], 0.0), 1.0)
    x -= way * rx
    y -= way * ry
    z -= way * rz
    square = x * x + y * y + z * z
    if square < known.square[i, j]:
        known.square[i, j] = square
        known.nearest[i, j] = p


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
    lattice, pieces, known
        As for :func:`tell`.
    chosen
        Pieces on the lattice, none longer than its step.
    middle
        Row and column of the lattice at the middle of each piece, shape ``(n, 2)``.
    """
    height, width = known.square.shape
    for p in chosen:
        row, column = int(middle[p, 0]), int(middle[p, 1])
        for i in range(max(row - 1, 0), min(row + 3, height)):
            for j in range(max(column - 1, 0), min(column + 3, width)):
                tell(lattice, pieces, known, i, j, p)


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
        As for :func:`tell`.
    rows, columns
        The places, shape ``(m,)``.
    rivals
        Pieces for each, shape ``(m, k)``.
    """
    for n in range(len(rows)):
        for p in rivals[n]:
            tell(lattice, pieces, known, rows[n], columns[n], p)


@njit(cache=True, nogil=True)
def learn(
    lattice: Lattice, pieces: Floats, known: Known, i: int, j: int, v: int, u: int
) -> None:
    """Let a place learn from a neighbour.

    Parameters
    ----------
    lattice, pieces, known, i, j
        As for :func:`tell`.
    v, u
        The neighbour.
    """
    p = known.nearest[v, u]
    if p >= 0 and p != known.nearest[i, j]:
        tell(lattice, pieces, known, i, j, p)


@njit(cache=True, nogil=True)
def sweep(lattice: Lattice, pieces: Floats, known: Known) -> None:
    """Let every place learn from its neighbours, once down and once up.

    Parameters
    ----------
    lattice, pieces, known
        As for :func:`tell`.
    """
    height, width = known.square.shape
    for way in (1, -1):
        for step in range(height):
            i = step if way == 1 else height - 1 - step
            if step > 0:
                for j in range(width):
                    for u in range(max(j - 1, 0), min(j + 2, width)):
                        learn(lattice, pieces, known, i, j, i - way, u)
            for j in range(1, width):
                learn(lattice, pieces, known, i, j, i, j - 1)
            for j in range(width - 2, -1, -1):
                learn(lattice, pieces, known, i, j, i, j + 1)


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

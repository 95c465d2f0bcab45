"""Distance from places on a coarse lattice to the nearest piece of some edges.

Each place learns of a piece that may be its nearest from its neighbours, in sweeps to
and fro, beginning at the places next to the pieces. The distance is then that to the
piece itself, not to the place from which it was learned.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Small = NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")
def square_from_piece(place: Floats, piece: Floats) -> float:
    """Squared straight distance of a place from a straight piece.

    Parameters
    ----------
    place
        Coordinates in space, shape ``(3,)``. [m]
    piece
        Its two ends, shape ``(6,)``. [m]

    Returns
    -------
    float
        Along the straight line. [m²]
    """
    ahead = square = 0.0
    for k in range(3):
        run = piece[3 + k] - piece[k]
        ahead += (place[k] - piece[k]) * run
        square += run * run
    way = min(max(ahead / square, 0.0), 1.0) if square > 0.0 else 0.0
    total = 0.0
    for k in range(3):
        off = place[k] - piece[k] - way * (piece[3 + k] - piece[k])
        total += off * off
    return total


@njit(cache=True, nogil=True)
def seed(
    places: Floats,
    pieces: Floats,
    chosen: NDArray[np.intp],
    middle: Floats,
    nearest: Small,
    squares: Floats,
) -> None:
    """Tell the places round pieces of them.

    Parameters
    ----------
    places
        Coordinates of the lattice, shape ``(i, j, 3)``. [m]
    pieces
        Ends, shape ``(n, 6)``. [m]
    chosen
        Pieces on the lattice, none longer than its step.
    middle
        Row and column of the lattice at the middle of each piece, shape ``(n, 2)``.
    nearest, squares
        Changed: nearest piece known so far, -1 for none, and its squared distance,
        shape ``(i, j)``.
    """
    height, width = nearest.shape
    for p in chosen:
        i, j = int(middle[p, 0]), int(middle[p, 1])
        for y in range(max(i - 1, 0), min(i + 3, height)):
            for x in range(max(j - 1, 0), min(j + 3, width)):
                square = square_from_piece(places[y, x], pieces[p])
                if square < squares[y, x]:
                    squares[y, x] = square
                    nearest[y, x] = p


@njit(cache=True, nogil=True)
def nearest_of(
    places: Floats,
    pieces: Floats,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    rivals: NDArray[np.intp],
    nearest: Small,
    squares: Floats,
) -> None:
    """Tell some places of the nearest among a few pieces.

    Parameters
    ----------
    places, pieces, nearest, squares
        As for :func:`seed`.
    rows, columns
        The places, shape ``(m,)``.
    rivals
        Pieces for each, shape ``(m, k)``.
    """
    for i in range(len(rows)):
        y, x = rows[i], columns[i]
        for p in rivals[i]:
            square = square_from_piece(places[y, x], pieces[p])
            if square < squares[y, x]:
                squares[y, x] = square
                nearest[y, x] = p


@njit(cache=True, nogil=True)
def sweep(places: Floats, pieces: Floats, nearest: Small, squares: Floats) -> int:
    """Let every place learn from its neighbours, once down and once up.

    Parameters
    ----------
    places, pieces, nearest, squares
        As for :func:`seed`; the last two change.

    Returns
    -------
    int
        How many times a place learned of a nearer piece.
    """
    height, width = nearest.shape
    learned = 0
    for direction in (1, -1):
        for step in range(height):
            y = step if direction == 1 else height - 1 - step
            for way in (1, -1):
                for move in range(width):
                    x = move if way == 1 else width - 1 - move
                    for k in range(4):
                        # Three neighbours in the row before, one behind in this row.
                        v = y if k == 3 else y - direction
                        u = x - way if k == 3 else x + k - 1
                        if not (0 <= v < height and 0 <= u < width):
                            continue
                        p = nearest[v, u]
                        if p < 0 or p == nearest[y, x]:
                            continue
                        square = square_from_piece(places[y, x], pieces[p])
                        if square < squares[y, x]:
                            squares[y, x] = square
                            nearest[y, x] = p
                            learned += 1
    return learned


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

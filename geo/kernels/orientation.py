"""On which side of a line a point lies, never wrong through rounding.

The sign of a determinant: a floating-point filter settles nearly every case, exact
arithmetic on the rounding errors the rest [1]_.

References
----------
.. [1] J. R. Shewchuk, "Adaptive precision floating-point arithmetic and fast robust
   geometric predicates", Discrete & Computational Geometry 18, 305-363, 1997.
   https://doi.org/10.1007/PL00009321
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HALF_ULP = 2.0**-53

_FILTER = (3 + 16 * _HALF_ULP) * _HALF_ULP
"""Bound on the relative error of the plain determinant (``ccwerrboundA`` in [1]_)."""

_SPLITTER = 2.0**27 + 1


@njit(nogil=True, cache=True)
def turn(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Direction in which the way from a over b to c turns.

    Parameters
    ----------
    ax, ay, bx, by, cx, cy
        Finite coordinates of the three points.

    Returns
    -------
    int
        1 if c lies left of the line from a to b (a, b, c go anticlockwise), -1 if
        right of it, 0 if the three lie on one line.

    Notes
    -----
    Exact as long as no product of two coordinate differences over- or underflows:
    for coordinates between 1e-140 and 1e140 in magnitude, or 0.

    Examples
    --------
    The third point is one rounding step off the diagonal:

    >>> turn(0.0, 0.0, 0.3, 0.3, 0.1, 0.1), turn(0.0, 0.0, 0.3, 0.3, 0.1, 0.1 + 2**-56)
    (0, 1)
    """
    left = (ax - cx) * (by - cy)
    right = (ay - cy) * (bx - cx)
    determinant = left - right
    error = _FILTER * (abs(left) + abs(right))
    if determinant > error:
        return 1
    if -determinant > error:
        return -1
    return _exact_turn(ax, ay, bx, by, cx, cy)


@njit(nogil=True, cache=True)
def _exact_turn(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float
) -> int:
    """Sign of the determinant through exact differences, products and sums."""
    p, p_error = _difference(ax, cx)
    q, q_error = _difference(by, cy)
    r, r_error = _difference(ay, cy)
    s, s_error = _difference(bx, cx)
    if p_error == 0 and q_error == 0 and r_error == 0 and s_error == 0:
        left, left_error = _product(p, q)
        right, right_error = _product(r, s)
        if left == right:
            left, right = left_error, right_error
        return int(left > right) - int(left < right)
    terms = np.empty(16)
    n = 0
    for first in (p_error, p):
        for second in (q_error, q):
            terms[n + 1], terms[n] = _product(first, second)
            n += 2
    for first in (-r_error, -r):
        for second in (s_error, s):
            terms[n + 1], terms[n] = _product(first, second)
            n += 2
    return _sign_of_sum(terms)


@njit(nogil=True, cache=True)
def _sign_of_sum(terms: NDArray[np.float64]) -> int:
    """Sign of the exact sum, by growing an expansion term by term in place."""
    for n in range(1, len(terms)):
        carry = terms[n]
        for k in range(n):
            carry, terms[k] = _sum(carry, terms[k])
        terms[n] = carry
    for n in range(len(terms) - 1, -1, -1):
        if terms[n] != 0:
            return 1 if terms[n] > 0 else -1
    return 0


@njit(nogil=True, cache=True)
def _sum(a: float, b: float) -> tuple[float, float]:
    """Return the rounded sum and its rounding error: together exact."""
    total = a + b
    b_part = total - a
    a_part = total - b_part
    return total, (a - a_part) + (b - b_part)


@njit(nogil=True, cache=True)
def _difference(a: float, b: float) -> tuple[float, float]:
    """Return the rounded difference and its rounding error: together exact."""
    return _sum(a, -b)


@njit(nogil=True, cache=True)
def _product(a: float, b: float) -> tuple[float, float]:
    """Return the rounded product and its error: together exact, barring underflow."""
    total = a * b
    scaled = _SPLITTER * a
    a_high = scaled - (scaled - a)
    a_low = a - a_high
    scaled = _SPLITTER * b
    b_high = scaled - (scaled - b)
    b_low = b - b_high
    error = ((a_high * b_high - total) + a_high * b_low) + a_low * b_high
    return total, error + a_low * b_low

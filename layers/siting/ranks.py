"""How far to trust ranks: many draws of weights and sunlight over one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import CriteriaError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_CHUNK = 1 << 17
"""Scores that are worked out and sorted at once, so that they stay in the cache."""

_STORED = 1 << 26
"""Ranks that are held at once to find their percentiles."""

LOW_PERCENT, HIGH_PERCENT = 5.0, 95.0
"""Percentiles of the rank that are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """A common error of one measure, whose membership moves with it.

    Attributes
    ----------
    column
        Column of the memberships that it moves.
    measure
        Mean of the measure at each site, shape ``(n,)``, in its unit.
    points
        Corners ``(measure, score)`` of the membership, rising.
    factors
        What the measure is multiplied by in each draw, shape ``(draws,)``. [1]
    """

    column: int
    measure: Floats
    points: tuple[tuple[float, float], ...]
    factors: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranks:
    """Where each row came out over all draws; arrays of shape ``(rows,)``.

    Attributes
    ----------
    top
        In how many draws it was among the first ``top_n``.
    low, high
        5th and 95th percentile of its rank, a rank that occurred.
    draws
        Of how many draws.
    """

    top: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    draws: int


def draw_weights(
    weights: Floats, *, spread: float, draws: int, rng: np.random.Generator
) -> Floats:
    """Draw weights round those given.

    Parameters
    ----------
    weights
        Shape ``(k,)``, none below zero, not all zero.
    spread
        Standard deviation of the logarithm: 0.3 lets a weight vary by a third or so.
    draws
        How many.
    rng
        Source of the draws.

    Returns
    -------
    numpy.ndarray
        Shape ``(draws, k)``; each row sums to one. A weight of zero stays zero.

    Raises
    ------
    CriteriaError
        If a weight is below zero, or all are zero, or ``spread`` is below zero.

    Notes
    -----
    Each weight is multiplied by an independent lognormal number with median one. So
    none changes its sign, doubling is as likely as halving, and the median of the
    ratio of two weights is the one given.
    """
    if not (weights >= 0).all() or not weights.sum() > 0:
        raise CriteriaError(
            f"weights are {weights.tolist()}; expected 0 or more, and one above zero"
        )
    if not 0 <= spread < np.inf:
        raise CriteriaError(f"the spread of weights is {spread}; expected 0 or more")
    drawn = weights * np.exp(spread * rng.standard_normal((draws, len(weights))))
    total: Floats = drawn / drawn.sum(axis=1, keepdims=True)
    return total


def rank_draws(
    memberships: Floats,
    weights: Floats,
    *,
    rows: NDArray[np.intp] | None = None,
    bias: Bias | None = None,
) -> NDArray[np.unsignedinteger]:
    """Rank all sites under each draw of weights.

    Parameters
    ----------
    memberships
        How well each site does by each criterion, shape ``(n, k)``, 0 to 1.
    weights
        Shape ``(draws, k)``, rows that sum to one.
    rows
        Sites whose ranks are wanted, shape ``(m,)``; all when not given.
    bias
        A common error of one measure.

    Returns
    -------
    numpy.ndarray
        Shape ``(draws, m)``. Ranks from 1; of sites with one score the one that
        stands first in the table is first.

    Raises
    ------
    CriteriaError
        If shapes differ, or a number is not finite or outside its bounds.

    Notes
    -----
    Scores count as one when they differ by less than ``2 ** (b - 62)``, ``b`` the bits
    of a row number: 2e-16 for 1,000 sites, 2e-13 for a million. A score and its row
    are one whole number then, so that sorting is fast and the answer the same on
    every machine and for any number of threads.
    """
    _require(memberships, weights, bias)
    places = np.arange(len(memberships)) if rows is None else np.asarray(rows)
    out = np.empty((len(weights), len(places)), dtype=_small(len(memberships)))
    for part, ranks in _ranked(memberships, weights, bias):
        out[part] = ranks[:, places]
    return out


def summarise(
    memberships: Floats,
    weights: Floats,
    *,
    top_n: int,
    rows: NDArray[np.intp] | None = None,
    bias: Bias | None = None,
) -> Ranks:
    """Count how often each site is among the first, and how far its rank moves.

    Parameters
    ----------
    memberships, weights, bias
        As for :func:`rank_draws`.
    top_n
        How many count as the first.
    rows
        Sites to report, shape ``(m,)``; all when not given.

    Returns
    -------
    Ranks
        Shape ``(m,)``.

    Raises
    ------
    CriteriaError
        As :func:`rank_draws`.

    Notes
    -----
    O(draws · n log n). Memory does not grow with draws times sites beyond a bound of
    half a gigabyte: sites are reported in blocks, and the scores made again for each.

    Examples
    --------
    >>> sure = np.array([[1.0, 1.0], [0.5, 0.5], [0.4, 0.6]])
    >>> drawn = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> ranks = summarise(sure, drawn, top_n=2)
    >>> ranks.top.tolist(), ranks.low.tolist(), ranks.high.tolist()
    ([2, 1, 1], [1, 2, 2], [1, 3, 3])
    """
    places = np.arange(len(memberships)) if rows is None else np.asarray(rows)
    block = max(1, _STORED // max(1, len(weights)))
    parts = [
        percentiles(
            rank_draws(memberships, weights, rows=places[i : i + block], bias=bias),
            top_n=top_n,
        )
        for i in range(0, max(1, len(places)), block)
    ]
    return Ranks(
        top=np.concatenate([p.top for p in parts]),
        low=np.concatenate([p.low for p in parts]),
        high=np.concatenate([p.high for p in parts]),
        draws=len(weights),
    )


def percentiles(ranks: NDArray[np.unsignedinteger], *, top_n: int) -> Ranks:
    """Summarise ranks that were drawn.

    Parameters
    ----------
    ranks
        Shape ``(draws, m)``, at least one draw.
    top_n
        How many count as the first.

    Returns
    -------
    Ranks
        Shape ``(m,)``.
    """
    draws = len(ranks)
    lower = int(np.floor((draws - 1) * LOW_PERCENT / 100))
    upper = int(np.ceil((draws - 1) * HIGH_PERCENT / 100))
    ends = np.empty((2, ranks.shape[1]), dtype=np.int64)
    for site, drawn in enumerate(np.ascontiguousarray(ranks.T)):
        # Ranks are small whole numbers: counting them is quicker than sorting.
        up_to = np.bincount(drawn).cumsum()
        ends[:, site] = np.searchsorted(up_to, (lower, upper), side="right")
    return Ranks(
        top=(ranks <= top_n).sum(axis=0), low=ends[0], high=ends[1], draws=draws
    )


def moved(
    membership: Floats,
    measure: Floats,
    points: tuple[tuple[float, float], ...],
    factor: Floats | float,
) -> Floats:
    """Return memberships after all measures are multiplied by a factor.

    Parameters
    ----------
    membership
        Mean membership of the cells of each site, shape ``(n,)``.
    measure
        Mean of the measure, shape ``(n,)``.
    points
        Corners of the membership.
    factor
        One, or shape ``(draws, 1)``. [1]

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)`` or ``(draws, n)``, 0 to 1.

    Notes
    -----
    The change of the membership of the mean is put on the mean of the memberships:
    exact where the membership is straight over the range within a site, and nothing
    at a factor of one.
    """
    at, value = np.array(points).T
    change = np.interp(measure * factor, at, value) - np.interp(measure, at, value)
    clipped: Floats = np.clip(membership + change, 0.0, 1.0)
    return clipped


def _require(memberships: Floats, weights: Floats, bias: Bias | None) -> None:
    if memberships.ndim != 2 or weights.shape[1:] != memberships.shape[1:]:
        raise CriteriaError(
            f"memberships have shape {memberships.shape}, weights {weights.shape}; "
            "expected a column a criterion in both"
        )
    for name, values in (("membership", memberships), ("weight", weights)):
        if not ((values >= -1e-9) & (values <= 1 + 1e-9)).all():
            raise CriteriaError(f"a {name} is outside 0 to 1, or not a number")
    if bias is not None and bias.factors.shape != (len(weights),):
        raise CriteriaError(
            f"{bias.factors.shape} factors of bias for {len(weights)} draws; expected "
            "as many"
        )


def _ranked(
    memberships: Floats, weights: Floats, bias: Bias | None
) -> Iterator[tuple[slice, NDArray[np.unsignedinteger]]]:
    """Ranks of all sites, some draws at a time."""
    n, criteria = memberships.shape
    if not n:
        return
    bits = max(1, (n - 1).bit_length())
    row_bits = (1 << bits) - 1
    # 61 bits of score at most, so that a score of one still fits 63 with its row.
    scale = float(1 << (61 - bits))
    columns = np.ascontiguousarray(memberships.T)
    inverted = row_bits - np.arange(n, dtype=np.int64)
    step = max(1, _CHUNK // n)
    rank = np.tile(np.arange(n, 0, -1, dtype=_small(n)), (step, 1))
    starts = n * np.arange(step)[:, None]
    scores, term = np.empty((step, n)), np.empty((step, n))
    keys = np.empty((step, n), dtype=np.int64)
    for first in range(0, len(weights), step):
        part = slice(first, min(first + step, len(weights)))
        rows = slice(0, part.stop - part.start)
        # One criterion after the other, never a matrix product: its order of adding
        # depends on the library and its threads.
        scores[:] = 0.0
        for j in range(criteria):
            column = columns[j]
            if bias is not None and bias.column == j:
                factor = bias.factors[part, None]
                column = moved(column, bias.measure, bias.points, factor)
            np.multiply(weights[part, j, None], column, out=term[rows])
            scores[rows] += term[rows]
        np.multiply(scores, scale, out=scores)
        np.copyto(keys, scores, casting="unsafe")
        keys <<= bits
        keys |= inverted
        keys.sort(axis=1)
        keys &= row_bits
        np.subtract(row_bits, keys, out=keys)
        keys += starts
        ranks = np.empty((rows.stop, n), dtype=rank.dtype)
        ranks.ravel()[keys[rows]] = rank[rows]
        yield part, ranks


def _small(n: int) -> type[np.uint16 | np.uint32]:
    """Smallest kind of number that holds ranks up to ``n``."""
    return np.uint16 if n < 1 << 16 else np.uint32

"""Weights from comparisons in pairs: the analytic hierarchy process."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import CriteriaError

if TYPE_CHECKING:
    from collections.abc import Sequence

RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49)
"""Mean consistency index of random comparisons of 1, 2 … 10 things (Saaty 1980)."""

MOST_INCONSISTENT = 0.10
"""Largest consistency ratio that is accepted, as Saaty has it. [1]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Weights, and how well the comparisons behind them agree with each other.

    Attributes
    ----------
    weights
        By name, in the order of the names; they sum to one. [1]
    eigenvalue
        The principal one; the number of names where all comparisons agree. [1]
    index, ratio
        Consistency index, and what it is of that of random comparisons. [1]
    """

    weights: Mapping[str, float]
    eigenvalue: float
    index: float
    ratio: float


def weigh(
    names: Sequence[str],
    pairs: Sequence[tuple[str, str, float]],
    *,
    most: float = MOST_INCONSISTENT,
) -> Judged:
    """Turn comparisons in pairs into weights.

    Parameters
    ----------
    names
        What is compared, 2 to 10 different names.
    pairs
        ``(first, second, times)`` for every two names, once: the first weighs
        ``times`` as much as the second, from 1/9 to 9.
    most
        Largest consistency ratio that is accepted. [1]

    Returns
    -------
    Judged
        Weights and consistency.

    Raises
    ------
    CriteriaError
        If a pair is missing, doubled, unknown or out of range, or if the comparisons
        contradict each other; the message names the pair that is farthest from what
        the others say.

    Notes
    -----
    The weights are the principal eigenvector of the matrix of ratios, the consistency
    index ``(λ - n) / (n - 1)``, its ratio that over the mean index of random matrices
    [1]_. Two names cannot contradict each other.

    References
    ----------
    .. [1] T. L. Saaty, "A scaling method for priorities in hierarchical structures",
       Journal of Mathematical Psychology 15, 234-281, 1977.
       https://doi.org/10.1016/0022-2496(77)90033-5; the random index as in T. L.
       Saaty, "The Analytic Hierarchy Process", McGraw-Hill, 1980.

    Examples
    --------
    >>> judged = weigh(["slope", "sun"], [("slope", "sun", 3)])
    >>> judged.weights["slope"], judged.ratio
    (0.75, 0.0)
    """
    ratios = _matrix(names, pairs)
    n = len(names)
    values, vectors = np.linalg.eig(ratios)
    principal = int(values.real.argmax())
    vector = np.abs(vectors[:, principal].real)
    weights = vector / vector.sum()
    eigenvalue = float(values[principal].real)
    index = max(0.0, (eigenvalue - n) / (n - 1))
    random = RANDOM_INDEX[n - 1]
    ratio = index / random if random else 0.0
    if ratio > most:
        raise CriteriaError(_contradiction(names, ratios, weights, ratio, most))
    return Judged(
        weights=MappingProxyType(
            {name: float(w) for name, w in zip(names, weights, strict=True)}
        ),
        eigenvalue=eigenvalue,
        index=index,
        ratio=ratio,
    )


def _matrix(
    names: Sequence[str], pairs: Sequence[tuple[str, str, float]]
) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Put the comparisons into a reciprocal matrix."""
    n = len(names)
    if not 2 <= n <= len(RANDOM_INDEX) or len(set(names)) != n:
        raise CriteriaError(
            f"comparisons of {', '.join(names) or 'nothing'}; expected 2 to "
            f"{len(RANDOM_INDEX)} different names"
        )
    place = {name: i for i, name in enumerate(names)}
    ratios = np.full((n, n), np.nan)
    np.fill_diagonal(ratios, 1.0)
    for first, second, times in pairs:
        for name in (first, second):
            if name not in place:
                raise CriteriaError(
                    f"comparison of {first!r} with {second!r}: {name!r} is not among "
                    f"{', '.join(names)}"
                )
        i, j = place[first], place[second]
        if not math.isnan(ratios[i, j]):
            what = "itself" if i == j else f"{second!r} twice"
            raise CriteriaError(f"{first!r} is compared with {what}")
        if not 1 / 9 - 1e-9 <= times <= 9 + 1e-9:
            raise CriteriaError(
                f"{first!r} against {second!r}: {times:g}; expected 1/9 to 9"
            )
        ratios[i, j], ratios[j, i] = times, 1 / times
    missing = [
        f"{names[i]} with {names[j]}"
        for i, j in combinations(range(n), 2)
        if math.isnan(ratios[i, j])
    ]
    if missing:
        raise CriteriaError(f"comparisons are missing: {'; '.join(missing)}")
    return ratios


def _contradiction(
    names: Sequence[str],
    ratios: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    weights: np.ndarray[tuple[int], np.dtype[np.float64]],
    ratio: float,
    most: float,
) -> str:
    """Say which comparison is farthest from what the others say."""
    said = weights[:, None] / weights[None, :]
    i, j = max(
        combinations(range(len(names)), 2),
        key=lambda pair: abs(math.log(ratios[pair] / said[pair])),
    )
    if ratios[i, j] < 1:
        i, j = j, i
    return (
        f"the comparisons contradict each other: consistency ratio {ratio:.2f}, "
        f"expected {most:.2f} or less. Farthest off is {names[i]!r} against "
        f"{names[j]!r}, {ratios[i, j]:g} where all together say {said[i, j]:.2g}; "
        "look at that one first"
    )

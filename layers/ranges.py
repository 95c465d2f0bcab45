"""Numbers that are known to lie between two bounds, with units and citations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Self

from geo.errors import GeoError

if TYPE_CHECKING:
    from collections.abc import Sequence


class RangeError(GeoError, ValueError):
    """A range is out of order, of the wrong unit or sign, or not finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A number that is known to lie between two bounds, with its unit.

    Attributes
    ----------
    low, mid, high
        Bounds and the value between them that is taken where one is needed.
    unit
        Unit, such as ``MW``.
    claims
        Ids of the claims that the number rests on.

    Examples
    --------
    >>> land = Range.exactly(2500, "MW") / Range(low=40, mid=50, high=66, unit="MW/km²")
    >>> land.unit, land.text()
    ('km²', '38–63 km²')
    """

    low: float
    mid: float
    high: float
    unit: str
    claims: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse bounds that are out of order or not finite."""
        numbers = (self.low, self.mid, self.high)
        if not all(map(math.isfinite, numbers)) or not (
            self.low <= self.mid <= self.high
        ):
            raise RangeError(
                f"a range of {self.low}, {self.mid}, {self.high} {self.unit}; expected "
                "finite numbers with low <= mid <= high"
            )

    @classmethod
    def exactly(cls, value: float, unit: str, claims: Sequence[str] = ()) -> Self:
        """Return a range without width.

        Parameters
        ----------
        value
            The number.
        unit
            Its unit.
        claims
            Ids of the claims that it rests on.

        Returns
        -------
        Range
            Three times the same number.
        """
        return cls(low=value, mid=value, high=value, unit=unit, claims=tuple(claims))

    def __mul__(self, other: Range) -> Range:
        """Return the range of products of two independent numbers.

        Parameters
        ----------
        other
            Any range.

        Returns
        -------
        Range
            In the product of the units; ``mid`` is the product of the mids.
        """
        corners = [
            a * b for a in (self.low, self.high) for b in (other.low, other.high)
        ]
        return Range(
            low=min(corners),
            mid=self.mid * other.mid,
            high=max(corners),
            unit=_product(self.unit, other.unit),
            claims=joined_claims(self, other),
        )

    def __truediv__(self, other: Range) -> Range:
        """Return the range of quotients of two independent numbers.

        Parameters
        ----------
        other
            Range above zero.

        Returns
        -------
        Range
            In the quotient of the units; ``mid`` is the quotient of the mids.

        Raises
        ------
        RangeError
            If ``other`` reaches zero or below.
        """
        if other.low <= 0:
            raise RangeError(
                f"cannot divide by {other.low:g}–{other.high:g} {other.unit}; "
                "expected a range above zero"
            )
        corners = [
            a / b for a in (self.low, self.high) for b in (other.low, other.high)
        ]
        return Range(
            low=min(corners),
            mid=self.mid / other.mid,
            high=max(corners),
            unit=_quotient(self.unit, other.unit),
            claims=joined_claims(self, other),
        )

    def to(self, unit: str, factor: float) -> Range:
        """Return the same quantity in another unit.

        Parameters
        ----------
        unit
            The other unit.
        factor
            How many of it make one of this unit, above zero.

        Returns
        -------
        Range
            With the claims of this one.

        Raises
        ------
        RangeError
            If ``factor`` is not above zero.
        """
        if not factor > 0:
            raise RangeError(f"factor is {factor}; expected a number above zero")
        low, mid, high = (factor * v for v in (self.low, self.mid, self.high))
        return Range(low=low, mid=mid, high=high, unit=unit, claims=self.claims)

    def overlaps(self, other: Range, *, tolerance: float = 0.0) -> bool:
        """Say whether two ranges share a number.

        Parameters
        ----------
        other
            Range in the same unit.
        tolerance
            Share by which ``other`` is first widened on both sides. [1]

        Returns
        -------
        bool
            Whether they meet; touching counts.

        Raises
        ------
        RangeError
            If the units differ.
        """
        if self.unit != other.unit:
            raise RangeError(
                f"cannot compare {self.unit} with {other.unit}; expected one unit"
            )
        low = other.low - tolerance * abs(other.low)
        high = other.high + tolerance * abs(other.high)
        return self.low <= high and self.high >= low

    def text(self, digits: int = 2) -> str:
        """Return the range as people should read it, without false precision.

        Parameters
        ----------
        digits
            Significant digits of the larger bound.

        Returns
        -------
        str
            Such as ``38–63 km²`` or ``1.0 US$/W``; one number where both bounds round
            to the same.

        Raises
        ------
        RangeError
            If ``digits`` is below 1.

        Examples
        --------
        >>> Range(low=3000, mid=3383, high=3750, unit="GWh").text()
        '3,000–3,800 GWh'
        >>> Range(low=0.13, mid=0.144, high=0.16, unit="").to("%", 100).text()
        '13–16 %'
        >>> Range(low=8.4, mid=9.3, high=10.2, unit="MW").text()
        '8–10 MW'
        """
        places = _places(max(abs(self.low), abs(self.high)), digits)
        low, high = (_rounded(v, places) for v in (self.low, self.high))
        number = low if low == high else f"{low}–{high}"
        return f"{number} {self.unit}".rstrip()


def joined_claims(*ranges: Range) -> tuple[str, ...]:
    """Return the ids of all claims that ranges rest on.

    Parameters
    ----------
    *ranges
        Any number of them.

    Returns
    -------
    tuple of str
        Each id once, in the order in which it is first met.
    """
    return tuple(dict.fromkeys(claim for r in ranges for claim in r.claims))


def _product(left: str, right: str) -> str:
    return "·".join(u for u in (left, right) if u)


def _quotient(left: str, right: str) -> str:
    numerator, _, denominator = right.partition("/")
    if left == right:
        return ""
    if left == numerator and denominator:
        return denominator
    return f"{left or '1'}/{right}" if right else left


def _places(largest: float, digits: int) -> int:
    """Decimal places that leave ``digits`` significant digits in ``largest``."""
    if digits < 1:
        raise RangeError(f"digits is {digits}; expected 1 or more")
    if largest == 0:
        return 0
    return digits - 1 - math.floor(math.log10(largest))


def _rounded(value: float, places: int) -> str:
    """Write a number, halves away from zero, and a small one never as zero."""
    if value:
        places = max(places, _places(abs(value), 1))
    exact = Decimal(repr(float(value)))
    rounded = exact.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{rounded:,.{max(0, places)}f}"

"""Colours of a raster of one quantity: one hue, from faint to full."""

from __future__ import annotations

import math

FAINTEST = 0.25
"""Opacity of the least value; the greatest is opaque. [1]"""


def rounded_out(low: float, high: float) -> tuple[float, float]:
    """Widen a range of values to round numbers, which stand at the ends of its key.

    Parameters
    ----------
    low, high
        Least and greatest value, finite.

    Returns
    -------
    low, high : float
        Multiples of half a power of ten, apart even where the values are all one.

    Examples
    --------
    >>> rounded_out(0.23, 0.91)
    (0.2, 0.9500000000000001)
    >>> rounded_out(7, 7)
    (7.0, 7.5)
    """
    span = high - low or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span)) / 2
    first, last = math.floor(low / step), math.ceil(high / step)
    return first * step, max(last, first + 1) * step

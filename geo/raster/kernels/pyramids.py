"""Overviews: rasters of half the cells each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def halve_mean(cells: NDArray[Any], nodata: Any, out: NDArray[Any]) -> None:
    """Mean of each two by two cells, rounded to the nearest whole number, half up.

    Parameters
    ----------
    cells
        Unsigned numbers, shape ``(rows, columns)``.
    nodata
        Number that means no value, in the type of the cells; such cells do not count.
    out
        Filled; shape ``(ceil(rows / 2), ceil(columns / 2))``. ``nodata`` where none of
        the four has a value, or there are fewer than four at an edge and none of them.
    """
    rows, columns = cells.shape
    for i in range(out.shape[0]):
        upper, lower = cells[2 * i], cells[min(2 * i + 1, rows - 1)]
        line, twice = out[i], 2 * i + 1 < rows
        for j in range(out.shape[1]):
            last = min(2 * j + 1, columns - 1)
            a, b, c, d = upper[2 * j], upper[last], lower[2 * j], lower[last]
            if a == nodata and b == nodata and c == nodata and d == nodata:
                line[j] = nodata
                continue
            total, count = np.int64(0), np.int64(0)
            wide = 2 * j + 1 < columns
            if a != nodata:
                total, count = total + a, count + 1
            if wide and b != nodata:
                total, count = total + b, count + 1
            if twice and c != nodata:
                total, count = total + c, count + 1
            if wide and twice and d != nodata:
                total, count = total + d, count + 1
            line[j] = (2 * total + count) // (2 * count)


@njit(cache=True, nogil=True)
def halve_first(cells: NDArray[Any], nodata: Any, out: NDArray[Any]) -> None:
    """Take the first of each two by two cells that has a value.

    A site of few cells so stays on the map where every second cell would drop it.

    Parameters
    ----------
    cells, nodata, out
        As :func:`halve_mean`.
    """
    rows, columns = cells.shape
    for i in range(out.shape[0]):
        upper, lower = cells[2 * i], cells[min(2 * i + 1, rows - 1)]
        line = out[i]
        for j in range(out.shape[1]):
            last = min(2 * j + 1, columns - 1)
            found = upper[2 * j]
            if found == nodata:
                found = upper[last]
            if found == nodata:
                found = lower[2 * j]
            if found == nodata:
                found = lower[last]
            line[j] = found

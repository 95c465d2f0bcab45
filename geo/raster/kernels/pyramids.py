"""Overviews: rasters of half the cells each way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(cache=True, nogil=True)
def halve_mean(cells: NDArray[Any], nodata: int, out: NDArray[Any]) -> None:
    """Mean of each two by two cells, rounded to the nearest whole number, half up.

    Parameters
    ----------
    cells
        Unsigned numbers, shape ``(rows, columns)``.
    nodata
        Number that means no value; such cells do not count.
    out
        Filled; shape ``(ceil(rows / 2), ceil(columns / 2))``. ``nodata`` where none of
        the four has a value, or there are fewer than four at an edge and none of them.
    """
    rows, columns = cells.shape
    for i in range(out.shape[0]):
        below = min(2 * i + 2, rows)
        for j in range(out.shape[1]):
            total, count = np.int64(0), np.int64(0)
            for row in range(2 * i, below):
                for column in range(2 * j, min(2 * j + 2, columns)):
                    value = np.int64(cells[row, column])
                    if value != nodata:
                        total += value
                        count += 1
            out[i, j] = nodata if count == 0 else (2 * total + count) // (2 * count)


@njit(cache=True, nogil=True)
def halve_first(cells: NDArray[Any], nodata: int, out: NDArray[Any]) -> None:
    """Take the first of each two by two cells that has a value.

    A site of few cells so stays on the map where every second cell would drop it.

    Parameters
    ----------
    cells, nodata, out
        As :func:`halve_mean`.
    """
    rows, columns = cells.shape
    for i in range(out.shape[0]):
        below = min(2 * i + 2, rows)
        for j in range(out.shape[1]):
            found = nodata
            for row in range(2 * i, below):
                for column in range(2 * j, min(2 * j + 2, columns)):
                    if found == nodata:
                        found = cells[row, column]
            out[i, j] = found

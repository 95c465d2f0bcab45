"""Values of a raster at the centres of other cells, nearest or bilinear.

A cell asks at a place in the raster: its row and column as real numbers, 0 at the outer
edge of the first cell. Places depend on the cell alone, so however the work is cut into
tiles a cell gets the same value.

**Bilinear** values come from the four cells whose centres lie round the place. Where
the cell in which the place lies has no value (NaN) the answer is none either; where
another of the four has none, it leaves its share to the others. So it is in GDAL's
warper. Rasters are handed over with :data:`PAD` rows and columns of NaN on each side,
so that the outer half of the outermost cells needs no rule.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Small = NDArray[np.int32]

PAD = 2
"""Cells without a value on each side of a raster from which bilinear values come."""


class Places(NamedTuple):
    """Where the rows, or the columns, of a tile lie in a raster; shape ``(n,)``."""

    at: Small
    """The earlier of the two rows between whose centres a place lies, counted with the
    padding; 0, where it and its successor hold nothing, outside the raster."""
    part: Floats
    """How far the place is on the way from the one to the other. [1]"""


class Line(NamedTuple):
    """Two rows of a raster blended into one; arrays of shape ``(columns,)``."""

    sums: Floats
    """Weighted sums of the values that exist."""
    shares: Floats
    """Sums of their weights, exactly 1 where both exist. [1]"""
    held: NDArray[np.bool_]
    """Whether there is a value in the nearer row."""


@njit(cache=True, nogil=True)
def new_line(columns: int) -> Line:
    """Make room for a row.

    Parameters
    ----------
    columns
        Of the raster.

    Returns
    -------
    Line
        Not filled.
    """
    return Line(np.empty(columns), np.empty(columns), np.empty(columns, np.bool_))


@njit(cache=True, nogil=True)
def blend_rows(
    raster: Any, at: int, part: float, first: int, last: int, line: Line
) -> bool:
    """Blend two rows of a raster into one.

    Parameters
    ----------
    raster
        Padded, NaN for no value, shape ``(rows, columns)``.
    at, part
        The upper row, and how far to go to the lower one. [1]
    first, last
        Columns to blend, ``last`` not included.
    line
        Filled there.

    Returns
    -------
    bool
        Whether there is a value everywhere in both.
    """
    whole = True
    for c in range(first, last):
        upper, lower = float(raster[at, c]), float(raster[at + 1, c])
        line.held[c] = True
        if isfinite(upper) and isfinite(lower):
            line.sums[c] = (1.0 - part) * upper + part * lower
            line.shares[c] = 1.0
            continue
        whole = False
        line.sums[c] = line.shares[c] = 0.0
        line.held[c] = isfinite(lower if part >= 0.5 else upper)
        if isfinite(upper):
            line.shares[c] = 1.0 - part
            line.sums[c] = line.shares[c] * upper
        elif isfinite(lower):
            line.shares[c] = part
            line.sums[c] = part * lower
    return whole


@njit(cache=True, nogil=True)
def blend(line: Line, whole: bool, at: Small, part: Floats, out: Any) -> None:
    """Blend along a row.

    Parameters
    ----------
    line, whole
        As :func:`blend_rows` leaves them.
    at, part
        Places of the cells to fill, shape ``(n,)``.
    out
        Filled, shape ``(n,)``.
    """
    sums, shares = line.sums, line.shares
    if whole:
        for c in range(len(out)):
            i, p = at[c], part[c]
            out[c] = (1.0 - p) * sums[i] + p * sums[i + 1]
        return
    for c in range(len(out)):
        i, p = at[c], part[c]
        total = (1.0 - p) * sums[i] + p * sums[i + 1]
        if shares[i] == 1.0 and shares[i + 1] == 1.0:
            out[c] = total
        elif line.held[i + 1 if p >= 0.5 else i]:
            out[c] = total / ((1.0 - p) * shares[i] + p * shares[i + 1])
        else:
            out[c] = np.nan


@njit(cache=True, nogil=True)
def sample_bilinear(raster: Any, rows: Places, columns: Places, out: Any) -> None:
    """Fill a tile from a raster whose rows and columns run as those of the tile do.

    Parameters
    ----------
    raster
        Padded, NaN for no value.
    rows, columns
        Places of the tile's rows and columns in it.
    out
        Filled, shape ``(rows, columns)``.
    """
    first, last = columns.at.min(), columns.at.max() + 2
    line = new_line(raster.shape[1])
    for r in range(len(out)):
        whole = blend_rows(raster, rows.at[r], rows.part[r], first, last, line)
        blend(line, whole, columns.at, columns.part, out[r])


@njit(cache=True, nogil=True)
def sample_nearest(
    raster: Any, rows: Small, columns: Small, none: Any, out: Any
) -> None:
    """Fill a tile with the cells of a raster in which its centres lie.

    Parameters
    ----------
    raster
        Not padded.
    rows, columns
        Row of the raster for each row of the tile, and column; below 0 where there is
        none.
    none
        What stands for no value.
    out
        Filled, shape ``(rows, columns)``.
    """
    for r in range(len(rows)):
        if rows[r] < 0:
            out[r, :] = none
            continue
        for c in range(len(columns)):
            out[r, c] = raster[rows[r], columns[c]] if columns[c] >= 0 else none


@njit(cache=True, nogil=True)
def between(nodes: Floats, step: int, row: int, column: int) -> tuple[float, float]:
    """Find a place between four nodes at which it is known.

    Parameters
    ----------
    nodes
        Row and column in the raster at every ``step``-th cell, shape ``(i, j, 2)``.
    step
        Cells from one node to the next.
    row, column
        The cell, counted from the first node.

    Returns
    -------
    row, column : float
        In the raster.
    """
    i, j = row // step, column // step
    p, q = (row - i * step) / step, (column - j * step) / step
    a, b = nodes[i, j], nodes[i, j + 1]
    c, d = nodes[i + 1, j], nodes[i + 1, j + 1]
    return (
        (1 - p) * ((1 - q) * a[0] + q * b[0]) + p * ((1 - q) * c[0] + q * d[0]),
        (1 - p) * ((1 - q) * a[1] + q * b[1]) + p * ((1 - q) * c[1] + q * d[1]),
    )


@njit(cache=True, nogil=True)
def bend_nearest(
    raster: Any,
    corner: tuple[int, int],
    extent: tuple[int, int],
    nodes: Floats,
    step: int,
    offset: tuple[int, int],
    none: Any,
    out: Any,
) -> None:
    """Fill a tile with the cells of a raster in another CRS in which its centres lie.

    Parameters
    ----------
    raster
        Part of the raster, not padded.
    corner
        Row and column of its first cell in the whole raster.
    extent
        Rows and columns of the whole raster.
    nodes, step
        As :func:`between`; not finite where the CRS has no such place.
    offset
        Row and column of the tile's first cell, counted from the first node.
    none
        What stands for no value.
    out
        Filled, shape ``(rows, columns)``.
    """
    rows, columns = out.shape
    for r in range(rows):
        for c in range(columns):
            y, x = between(nodes, step, offset[0] + r, offset[1] + c)
            out[r, c] = none
            if 0.0 <= y < extent[0] and 0.0 <= x < extent[1]:
                i, j = int(np.floor(y)) - corner[0], int(np.floor(x)) - corner[1]
                out[r, c] = raster[i, j]


@njit(cache=True, nogil=True)
def bend_bilinear(
    raster: Any,
    corner: tuple[int, int],
    extent: tuple[int, int],
    nodes: Floats,
    step: int,
    offset: tuple[int, int],
    out: Any,
) -> None:
    """Fill a tile with bilinear values of a raster in another CRS.

    Parameters
    ----------
    raster
        Part of the raster, padded, NaN for no value.
    corner
        Row and column, in the whole raster, of its first cell that is no padding.
    extent, nodes, step, offset, out
        As :func:`bend_nearest`.
    """
    rows, columns = out.shape
    for r in range(rows):
        for c in range(columns):
            y, x = between(nodes, step, offset[0] + r, offset[1] + c)
            out[r, c] = np.nan
            if not (0.0 <= y < extent[0] and 0.0 <= x < extent[1]):
                continue
            i, j = (
                int(np.floor(y)) - corner[0] + PAD,
                int(np.floor(x)) - corner[1] + PAD,
            )
            if not isfinite(raster[i, j]):
                continue
            up, left = np.floor(y - 0.5), np.floor(x - 0.5)
            p, q = y - 0.5 - up, x - 0.5 - left
            i, j = int(up) - corner[0] + PAD, int(left) - corner[1] + PAD
            total = share = 0.0
            for k in range(2):
                for m in range(2):
                    value = float(raster[i + k, j + m])
                    weight = (p if k else 1.0 - p) * (q if m else 1.0 - q)
                    if isfinite(value):
                        total += weight * value
                        share += weight
            out[r, c] = total / share


@njit(cache=True, nogil=True)
def clean(values: Any, nodata: float, huge: float) -> None:
    """Turn what is no value into NaN, in place.

    Parameters
    ----------
    values
        float32 or float64, shape ``(rows, columns)``.
    nodata
        Number that means no value; NaN if there is none.
    huge
        Numbers as large as this mean no value.
    """
    for r in range(values.shape[0]):
        for c in range(values.shape[1]):
            value = values[r, c]
            good = (abs(value) < huge) & (value != nodata)
            values[r, c] = value if good else np.nan

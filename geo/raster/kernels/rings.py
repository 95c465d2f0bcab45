"""Cells inside rings, as spans of columns along rows.

Inside is what the ring winds round, counted along the row at centres. A
centre on an outline belongs to the polygon east of it, or north of a level edge, so
that of two polygons with a common border exactly one holds it. Sides are decided
without rounding error (:mod:`geo.kernels.orientation`).
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.kernels.orientation import turn
from geo.raster.kernels.spans import BAND, Bands, Cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Small = NDArray[np.int32]
    Bytes = NDArray[np.uint8]

_SLACK = 1e-6
"""Columns by which the closed form of a crossing may be wrong; much less in fact."""


class Rings(NamedTuple):
    """Edges of rings, all of them, each going round its polygon in one sense."""

    ends: Floats
    """Ends, shape ``(n, 4)``: x, y, x, y, the second north of the first."""
    winding: Small
    """What crossing the edge eastwards adds, 1 or -1, shape ``(n,)``."""
    bands: Bands
    """The edges by row."""


@njit(nogil=True, cache=True, error_model="numpy")
def mark_inside(rings: Rings, cells: Cells, row: int, column: int, out: Bytes) -> None:
    """Mark the cells of a window whose centres lie inside.

    Parameters
    ----------
    rings
        What is inside.
    cells, row, column, out
        As :func:`geo.raster.kernels.spans.mark_near` takes them.
    """
    rows, columns = out.shape
    bands = rings.bands
    change = np.zeros((BAND, columns + 1), dtype=np.int32)
    crossed = np.zeros(BAND, dtype=np.bool_)
    for band in range(row // BAND, (row + rows - 1) // BAND + 1):
        begin, end = max(band * BAND, row), min((band + 1) * BAND, row + rows)
        for p in bands.members[bands.starts[band] : bands.starts[band + 1]]:
            x0, y0, x1, y1 = rings.ends[p]
            slope = (x1 - x0) / (y1 - y0)
            top = max(floor((cells.north - y1) / cells.dy - 0.5), begin)
            bottom = min(ceil((cells.north - y0) / cells.dy - 0.5), end - 1)
            for r in range(top, bottom + 1):
                y = cells.north - (r + 0.5) * cells.dy
                if not y0 <= y < y1:
                    continue
                x = x0 + (y - y0) * slope
                place = (x - cells.west) / cells.dx - 0.5
                c = ceil(place)
                if abs(place - round(place)) < _SLACK:
                    c = np.int64(round(place))
                    centre = cells.west + (c + 0.5) * cells.dx
                    if turn(x0, y0, x1, y1, centre, y) > 0:
                        c += 1
                if c < column + columns:
                    crossed[r - begin] = True
                    change[r - begin, max(c - column, 0)] += rings.winding[p]
        for r in range(begin, end):
            if not crossed[r - begin]:
                continue
            crossed[r - begin] = False
            turns, line, steps = np.int32(0), out[r - row], change[r - begin]
            for c in range(columns):
                turns += steps[c]
                steps[c] = 0
                line[c] |= np.uint8(turns > 0)

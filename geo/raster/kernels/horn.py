"""Horn's slope and aspect, for tiles with a halo of one cell.

Horn [1]_ takes the gradient of a cell from its eight neighbours: the difference between
the columns east and west of it, and between the rows north and south, each as a mean of
three with the weights 1, 2, 1. With the cells a b c / d e f / g h i, north up,

    ∂z/∂x  ≈  ((c − a) + 2 (f − d) + (i − g)) / 8 dx,
    ∂z/∂y  ≈  ((a − g) + 2 (b − h) + (c − i)) / 8 dy.

**How exact.** The differences come first and the sums after, in the type of the
elevations. A difference of two floats is off by half a unit in *its own* last place,
whatever the height above the sea; so are the few sums and products of differences that
follow. From float32 elevations slopes are therefore within 2e-5 degrees of what float64
gives; with the sums first, as usual, they are 3e-4 degrees off.

**Whose dx.** On a geographic grid the width of a cell falls towards the poles, so three
rows of three widths enter. The stencil estimates the partial derivatives of z by
longitude and latitude at the centre, to second order; what turns them into metres is
the metric *at the centre*, so dx and dy are those of the middle row. This is exact
where z is linear in longitude and latitude. Dividing each row's difference by its own
width instead estimates the same to the same order, with three divisors in place of one.

**No value.** A 3×3 block with a NaN anywhere, the centre included, gives NaN, by
arithmetic alone: the inner loops have no branches, and the compiler takes several cells
at a time. Nothing depends on how a raster is cut into tiles.

References
----------
.. [1] B. K. P. Horn, "Hill shading and the reflectance map", Proceedings of the IEEE
   69, 14-47, 1981. https://doi.org/10.1109/PROC.1981.11918
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Any

from numba import njit

from geo.kernels.chords import arctangent_degrees, bearing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Heights = NDArray[np.floating[Any]]
    """float32 or float64. [m]"""


@njit(nogil=True, cache=True, error_model="numpy")
def gradient(
    nw: float,
    n: float,
    ne: float,
    w: float,
    here: float,
    e: float,
    sw: float,
    s: float,
    se: float,
) -> tuple[float, float]:
    """Eight times the rise from one cell to the next, eastwards and northwards.

    Parameters
    ----------
    nw, n, ne, w, here, e, sw, s, se
        Elevations of a cell and its neighbours, all float32 or all float64. [m]

    Returns
    -------
    east, north : float
        In the type of the elevations; one or both NaN if any of them is. [m]
    """
    middle, steep = e - w, n - s
    # The last term is 0, or NaN where the cell itself has no value.
    east = (ne - nw) + (middle + middle) + (se - sw) + (here - here)
    north = (nw - sw) + (steep + steep) + (ne - se)
    return east, north


@njit(nogil=True, cache=True, error_model="numpy")
def tan2_row(
    north: Heights, here: Heights, south: Heights, dx_m: float, dy_m: float, out: Any
) -> None:
    """Fill in the squared tangent of the slope along a row.

    Parameters
    ----------
    north, here, south
        Three rows of elevations, each one cell longer at both ends than ``out``. [m]
    dx_m, dy_m
        Width and height of a cell of the middle row. [m]
    out
        Shape ``(columns,)``, float32 or float64, to be filled. [1]
    """
    columns = len(out)
    one = here.dtype.type(1.0)
    per_x, per_y = one / here.dtype.type(8.0 * dx_m), one / here.dtype.type(8.0 * dy_m)
    # Views that all begin at 0 spare the compiler the check for a negative index.
    nw, n, ne = north[:columns], north[1 : columns + 1], north[2 : columns + 2]
    w, m, e = here[:columns], here[1 : columns + 1], here[2 : columns + 2]
    sw, s, se = south[:columns], south[1 : columns + 1], south[2 : columns + 2]
    for c in range(columns):
        x, y = gradient(nw[c], n[c], ne[c], w[c], m[c], e[c], sw[c], s[c], se[c])
        eastward, northward = x * per_x, y * per_y
        out[c] = eastward * eastward + northward * northward


@njit(nogil=True, cache=True, error_model="numpy")
def tan2_tile(elevation: Heights, dx_m: Floats, dy_m: Floats, out: Any) -> None:
    """Fill in the squared tangent of the slope of a tile, to compare with a threshold.

    Parameters
    ----------
    elevation
        The tile and one cell more on every side, shape ``(rows + 2, columns + 2)``,
        float32 or float64, C order, NaN where there is none. [m]
    dx_m, dy_m
        Width and height of the cells of each row of the tile, shape ``(rows,)``. [m]
    out
        Shape ``(rows, columns)``, float32 or float64, to be filled; NaN where any
        cell of the 3×3 block is. [1]
    """
    for r in range(len(out)):
        above, here, below = elevation[r], elevation[r + 1], elevation[r + 2]
        tan2_row(above, here, below, dx_m[r], dy_m[r], out[r])


@njit(nogil=True, cache=True, error_model="numpy")
def slope_degrees(tan2: float) -> float:
    """Slope of a squared tangent. [degrees]."""
    return bearing(sqrt(tan2), 1.0)


@njit(nogil=True, cache=True, error_model="numpy")
def gentle_degrees(tan2: float) -> float:
    """Slope of a squared tangent up to 0.43, to the last bit; quicker. [degrees]."""
    return arctangent_degrees(1.0 * sqrt(tan2))


@njit(nogil=True, cache=True, error_model="numpy")
def slope_tile(elevation: Heights, dx_m: Floats, dy_m: Floats, out: Any) -> None:
    """Fill in the slope of a tile in degrees; parameters as for :func:`tan2_tile`."""
    tan2_tile(elevation, dx_m, dy_m, out)
    for r in range(len(out)):
        row = out[r]
        for c in range(len(row)):
            row[c] = slope_degrees(row[c])


@njit(nogil=True, cache=True, error_model="numpy")
def aspect_degrees(east: float, north: float) -> float:
    """Direction of the steepest descent.

    Parameters
    ----------
    east, north
        Rise to the east and to the north, in one unit.

    Returns
    -------
    float
        Clockwise from north, 0 up to but not 360; NaN where it is level, or where
        either rise is NaN. [degrees]
    """
    return bearing(-east, -north) + (east - east) + (north - north)


@njit(nogil=True, cache=True, error_model="numpy")
def aspect_row(
    north: Heights, here: Heights, south: Heights, dx_m: float, dy_m: float, out: Any
) -> None:
    """Fill in the aspect along a row in degrees; parameters as for :func:`tan2_row`."""
    columns = len(out)
    nw, n, ne = north[:columns], north[1 : columns + 1], north[2 : columns + 2]
    w, m, e = here[:columns], here[1 : columns + 1], here[2 : columns + 2]
    sw, s, se = south[:columns], south[1 : columns + 1], south[2 : columns + 2]
    for c in range(columns):
        x, y = gradient(nw[c], n[c], ne[c], w[c], m[c], e[c], sw[c], s[c], se[c])
        out[c] = aspect_degrees(x * dy_m, y * dx_m)


@njit(nogil=True, cache=True, error_model="numpy")
def aspect_tile(elevation: Heights, dx_m: Floats, dy_m: Floats, out: Any) -> None:
    """Fill in the aspect of a tile in degrees; parameters as for :func:`tan2_tile`.

    NaN where it is level, and where any cell of the 3×3 block is NaN.
    """
    for r in range(len(out)):
        above, here, below = elevation[r], elevation[r + 1], elevation[r + 2]
        aspect_row(above, here, below, dx_m[r], dy_m[r], out[r])

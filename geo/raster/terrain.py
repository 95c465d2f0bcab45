"""Terrain at the scale of large cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.errors import GridError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def relief(altitude: NDArray[np.float64], *, size: int = 3) -> NDArray[np.float64]:
    """Return the range of altitude round each cell: highest less lowest.

    Parameters
    ----------
    altitude
        Altitude, shape ``(rows, columns)``, NaN where there is none. [m]
    size
        Side of the square neighbourhood, an odd number of cells.

    Returns
    -------
    numpy.ndarray
        Shape of ``altitude``, NaN where ``altitude`` is. [m]

    Raises
    ------
    GridError
        If ``altitude`` is no matrix, or ``size`` is not odd and above zero.

    Notes
    -----
    Slope has no meaning where a cell is kilometres wide: it is the gradient of an
    average, and both a plain and a row of steep ridges give almost none. The range of
    altitude still tells a plain from hills, but it says nothing about the ground
    inside a cell. Cells without a value are left out of the range, and the edge of the
    raster cuts the neighbourhood short.

    Examples
    --------
    >>> relief(np.array([[0.0, 10.0, np.nan], [5.0, 40.0, 90.0]]))
    array([[40., 90., nan],
           [40., 90., 80.]])
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    if altitude.ndim != 2:
        raise GridError(
            f"altitude has {altitude.ndim} dimensions; expected (rows, columns)"
        )
    if size < 1 or size % 2 == 0:
        raise GridError(f"size is {size}; expected an odd number of cells above zero")
    known = np.isfinite(altitude)
    high = maximum_filter(
        np.where(known, altitude, -np.inf), size=size, mode="constant", cval=-np.inf
    )
    low = minimum_filter(
        np.where(known, altitude, np.inf), size=size, mode="constant", cval=np.inf
    )
    return np.where(known, np.subtract(high, low, where=known, out=high), np.nan)

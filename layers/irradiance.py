"""Sunlight and photovoltaic energy from monthly climatology, with pvlib."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from geo.errors import GeoError, GridError
from geo.raster import Grid, read
from layers.sun import sun_positions

if TYPE_CHECKING:
    import os

    from numpy.typing import ArrayLike, NDArray

    from layers.ranges import Range
    from layers.solar_criteria import Plant, SolarCriteria, Spread

DAYS_IN_MONTH = np.array([31, 28.25, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
"""Days in each month, leap years averaged in."""

_MEAN_DAYS = (17, 47, 75, 105, 135, 162, 198, 228, 258, 288, 318, 344)
"""Day of the year that stands for each month (Klein 1977)."""

_STEPS = 48
"""Instants in a day: the middle of each half hour."""

_LOW_SUN = 0.05
"""Cosine of the zenith angle under which beam light is not divided by it. [1]"""

_NINE_IN_TEN = 1.2815515655446004
"""Quantile of the standard normal distribution that nine in ten exceed, negated."""


class SunError(GeoError, ValueError):
    """Sunlight that cannot be: not finite, not above zero, or in a wrong shape."""


class Energy(NamedTuple):
    """A year of sunlight and energy at each place; shape ``(n,)`` throughout."""

    ghi_kwh_per_m2: NDArray[np.float64]
    """Irradiation on the horizontal, all sky. [kWh/m²]"""
    poa_kwh_per_m2: NDArray[np.float64]
    """Irradiation on the modules, all sky. [kWh/m²]"""
    yield_kwh_per_kwp: NDArray[np.float64]
    """Alternating current for a kilowatt of modules. [kWh/kWp]"""


class Correction(NamedTuple):
    """How the climatology compares with measurements on the ground."""

    climatology_kwh_per_m2: float
    """The climatology at the reference points, year's sum. [kWh/m²]"""
    factor: Range
    """Ground over climatology. [1]"""


class _Sky(NamedTuple):
    """Sun and clear sky at each place; shape ``(n, 12, _STEPS)``."""

    zenith: NDArray[np.float64]
    apparent_zenith: NDArray[np.float64]
    azimuth: NDArray[np.float64]
    extra: NDArray[np.float64]
    ghi: NDArray[np.float64]


class Sites:
    """Places whose sun and clear sky are worked out once and used many times.

    Parameters
    ----------
    lon, lat
        Shape ``(n,)``. [degrees]
    altitude_m
        Shape ``(n,)``. [m]
    turbidity
        Linke turbidity, January to December, shape ``(n, 12)``. [1]

    Raises
    ------
    SunError
        If shapes differ, or a number is not finite.

    Notes
    -----
    Clear sky after Ineichen and Perez [1]_. One day stands for each month (Klein's
    mean days [2]_), at the middle of each half hour of local time; the year's clear
    sky differs from a run over 8760 hours by less than 1 %.

    References
    ----------
    .. [1] P. Ineichen and R. Perez, "A new airmass independent formulation for the
       Linke turbidity coefficient", Solar Energy 73, 151-157, 2002.
       https://doi.org/10.1016/S0038-092X(02)00045-2
    .. [2] S. A. Klein, "Calculation of monthly average insolation on tilted
       surfaces", Solar Energy 19, 325-329, 1977.
       https://doi.org/10.1016/0038-092X(77)90001-9
    """

    def __init__(
        self,
        lon: ArrayLike,
        lat: ArrayLike,
        altitude_m: ArrayLike,
        turbidity: ArrayLike,
    ) -> None:
        self._lon, self._lat, self._altitude = (
            np.atleast_1d(np.asarray(v, dtype=np.float64))
            for v in (lon, lat, altitude_m)
        )
        self._turbidity = np.asarray(turbidity, dtype=np.float64).reshape(-1, 12)
        shapes = {len(self._lon), len(self._lat), len(self._altitude)}
        if shapes != {len(self._turbidity)}:
            raise SunError(
                f"{len(self._lon)} longitudes, {len(self._lat)} latitudes, "
                f"{len(self._altitude)} altitudes, {len(self._turbidity)} rows of "
                "turbidity; expected as many of each"
            )
        for name, values in (
            ("longitude", self._lon),
            ("latitude", self._lat),
            ("altitude", self._altitude),
            ("turbidity", self._turbidity),
        ):
            if not np.isfinite(values).all():
                raise SunError(f"a {name} is not finite")
        self._sky = self._clear_sky()

    def clear_sky_kwh_per_m2(self) -> NDArray[np.float64]:
        """Return what a year without a cloud would bring.

        Returns
        -------
        numpy.ndarray
            Shape ``(n,)``, on the horizontal. An upper bound, no resource. [kWh/m²]
        """
        total: NDArray[np.float64] = self._daily_clear() @ DAYS_IN_MONTH / 1000
        return total

    def energy(self, ghi_w_per_m2: NDArray[np.float64], plant: Plant) -> Energy:
        """Work out a year's energy from monthly means of all-sky irradiance.

        Parameters
        ----------
        ghi_w_per_m2
            Mean over day and night, January to December, shape ``(n, 12)``. [W/m²]
        plant
            The plant.

        Returns
        -------
        Energy
            Long-term mean.

        Raises
        ------
        SunError
            If the shape is another, or a mean is not finite or not above zero.

        Notes
        -----
        The mean day of each month. Its total is exactly the one given and follows the
        course of the clear sky. Its diffuse part comes from the month's clearness index
        by Erbs' correlation for monthly means [1]_, which has the mixture of dull and
        clear days in it (the hourly one, put on a mean day, takes a tenth of the light
        too much for diffuse), and follows the course of extraterrestrial light [2]_.
        Hay and Davies [3]_ for the tilted plane, Faiman [4]_ for cell temperature,
        PVWatts [5]_ for the rest. Reflection at the glass (2.6 to 4 %), weak light (1
        to 3 %), snow beyond the losses and limits of the grid are left out. A mean day
        yields 1.5 % (on the level) to 2.6 % (at 30°) more than days as they are: its
        noon is less bright than a clear day's, and its cells stay cooler. Losses that
        are to stand for all need room for these.

        References
        ----------
        .. [1] D. G. Erbs, S. A. Klein and J. A. Duffie, "Estimation of the diffuse
           radiation fraction for hourly, daily and monthly-average global radiation",
           Solar Energy 28, 293-302, 1982.
           https://doi.org/10.1016/0038-092X(82)90302-4
        .. [2] B. Y. H. Liu and R. C. Jordan, "The interrelationship and characteristic
           distribution of direct, diffuse and total solar radiation", Solar Energy 4,
           1-19, 1960. https://doi.org/10.1016/0038-092X(60)90062-1
        .. [3] J. E. Hay and J. A. Davies, "Calculations of the solar radiation
           incident on an inclined surface", First Canadian Solar Radiation Data
           Workshop, 1980.
        .. [4] D. Faiman, "Assessing the outdoor operating temperature of photovoltaic
           modules", Progress in Photovoltaics 16, 307-315, 2008.
           https://doi.org/10.1002/pip.813
        .. [5] A. P. Dobos, "PVWatts Version 5 Manual", NREL/TP-6A20-62641, 2014.
           https://doi.org/10.2172/1158421
        """
        from pvlib import inverter, irradiance, pvsystem, temperature

        mean = np.asarray(ghi_w_per_m2, dtype=np.float64)
        if mean.shape != self._turbidity.shape:
            raise SunError(
                f"irradiance has shape {mean.shape}; expected {self._turbidity.shape}, "
                "a row a place and a column a month"
            )
        if not (np.isfinite(mean) & (mean > 0)).all():
            raise SunError("a monthly irradiance is missing or not above zero [W/m²]")
        sky = self._sky
        cosine = np.maximum(np.cos(np.radians(sky.zenith)), 0.0)
        outside = sky.extra * cosine
        ghi = sky.ghi * (mean * 24 / self._daily_clear())[..., None]
        daily_outside = outside.sum(axis=-1) * 24 / _STEPS
        part = diffuse_fraction(mean * 24 / daily_outside, self._sunset_deg())
        dhi = outside * (part * mean * 24 / daily_outside)[..., None]
        dhi = np.minimum(dhi, ghi)
        plane = irradiance.get_total_irradiance(
            plant.tilt_deg,
            plant.azimuth_deg,
            sky.apparent_zenith,
            sky.azimuth,
            (ghi - dhi) / np.maximum(cosine, _LOW_SUN),
            ghi,
            dhi,
            dni_extra=sky.extra,
            albedo=plant.albedo,
            model="haydavies",
        )
        poa = np.nan_to_num(plane["poa_global"])
        air = np.array(plant.air_celsius)[None, :, None]
        cell = temperature.faiman(poa, air, plant.wind_m_per_s)
        dc = pvsystem.pvwatts_dc(poa, cell, 1000.0, plant.temperature_coefficient_per_k)
        dc = dc * (1 - plant.loss_percent / 100)
        ac = inverter.pvwatts(dc, 1000.0, eta_inv_nom=plant.inverter_efficiency)
        return Energy(_year(ghi), _year(poa), _year(ac))

    def _daily_clear(self) -> NDArray[np.float64]:
        """Clear sky of a mean day, shape ``(n, 12)``. [Wh/m²]."""
        total: NDArray[np.float64] = self._sky.ghi.sum(axis=-1) * 24 / _STEPS
        return total

    def _sunset_deg(self) -> NDArray[np.float64]:
        """Hour angle of sunset on the mean days, shape ``(n, 12)``. [degrees]."""
        from pvlib.solarposition import declination_spencer71

        declination = declination_spencer71(np.array(_MEAN_DAYS))
        product = np.tan(np.radians(self._lat))[:, None] * np.tan(declination)
        angle: NDArray[np.float64] = np.degrees(np.arccos(np.clip(-product, -1, 1)))
        return angle

    def _clear_sky(self) -> _Sky:
        from pvlib import atmosphere, clearsky, irradiance

        # Local days, so that a month's sunlight falls on that month's mean day.
        day = np.repeat(_MEAN_DAYS, _STEPS)
        hour = np.tile((np.arange(_STEPS) + 0.5) * 24 / _STEPS, 12)
        shape = (len(self._lon), 12, _STEPS)
        zenith, apparent, azimuth = (
            angle.reshape(shape)
            for angle in sun_positions(
                self._lon, self._lat, self._altitude, (day - 1) * 24 + hour
            )
        )
        altitude = self._altitude[:, None, None]
        days = day.reshape(1, 12, _STEPS).astype(np.float64)
        extra = irradiance.get_extra_radiation(days.ravel()).reshape(days.shape)
        airmass = atmosphere.get_absolute_airmass(
            atmosphere.get_relative_airmass(apparent), atmosphere.alt2pres(altitude)
        )
        with np.errstate(divide="ignore", invalid="ignore"):  # the sun is down
            clear = clearsky.ineichen(
                apparent,
                airmass,
                self._turbidity[:, :, None],
                altitude=altitude,
                dni_extra=extra,
            )
        return _Sky(
            zenith=zenith,
            apparent_zenith=apparent,
            azimuth=azimuth,
            extra=np.broadcast_to(extra, shape),
            ghi=np.nan_to_num(clear["ghi"]),
        )


def correction(
    settings: SolarCriteria, irradiance: str | os.PathLike[str]
) -> Correction:
    """Compare the irradiance climatology with measurements on the ground.

    Parameters
    ----------
    settings
        For the reference points and what was measured there.
    irradiance
        Raster of twelve monthly means. [W/m²]

    Returns
    -------
    Correction
        Factor by which the climatology is multiplied, in every month and place.

    Raises
    ------
    GridError
        If the raster does not cover the points, or has not twelve bands.
    """
    grid = Grid.of(irradiance)
    monthly = monthly_means(irradiance, grid, "irradiance")
    yearly = []
    for lon, lat in settings.reference_lonlat:
        row = int((grid.north - lat) // grid.dy)
        column = int((lon - grid.west) // grid.dx)
        on = 0 <= row < grid.shape[0] and 0 <= column < grid.shape[1]
        value = kwh_per_year(monthly[:, row, column]) if on else np.nan
        if not np.isfinite(value):
            raise GridError(
                f"the irradiance raster over {grid.bounds} has no value at the "
                f"reference point ({lon}, {lat}); expected one to compare with"
            )
        yearly.append(float(value))
    mean = float(np.mean(yearly))
    ground = settings.ground_kwh_per_m2
    return Correction(mean, ground.to("", 1 / mean))


def monthly_means(
    path: str | os.PathLike[str], grid: Grid, name: str
) -> NDArray[np.float64]:
    """Read twelve monthly bands onto a grid, bilinear.

    Parameters
    ----------
    path
        Raster of twelve bands, January to December.
    grid
        Cells to fill.
    name
        What the raster is, for messages.

    Returns
    -------
    numpy.ndarray
        Shape ``(12, rows, columns)``, in the raster's unit.

    Raises
    ------
    GridError
        If it cannot be read, does not meet the grid, or has not twelve bands.
    """
    values = read(path, grid=grid, resampling="bilinear")
    if values.ndim != 3 or len(values) != 12:
        raise GridError(
            f"the {name} raster has {len(values) if values.ndim == 3 else 1} bands; "
            "expected 12, one a month"
        )
    return values


def kwh_per_year(monthly: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the year's sum of monthly means.

    Parameters
    ----------
    monthly
        Means over day and night, shape ``(12, ...)``. [W/m²]

    Returns
    -------
    numpy.ndarray
        Shape of one month. [kWh/m²]
    """
    total: NDArray[np.float64] = np.tensordot(DAYS_IN_MONTH * 24e-3, monthly, axes=1)
    return total


def diffuse_fraction(
    clearness: NDArray[np.float64], sunset_deg: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the diffuse part of a month's irradiation on the horizontal.

    Parameters
    ----------
    clearness
        Irradiation over that outside the atmosphere, any shape. [1]
    sunset_deg
        Hour angle of sunset on the mean day, same shape. [degrees]

    Returns
    -------
    numpy.ndarray
        Same shape. [1]

    Notes
    -----
    Erbs, Klein and Duffie (1982), for monthly means. Made for a clearness of 0.3 to
    0.8; beyond it the value at the bound is taken.
    """
    k = np.clip(clearness, 0.3, 0.8)
    winter = 1.391 - 3.560 * k + 4.189 * k**2 - 2.137 * k**3
    summer = 1.311 - 3.022 * k + 3.427 * k**2 - 1.821 * k**3
    return np.where(sunset_deg <= 81.4, winter, summer)


def exceeded_in_nine_of_ten(
    energy: float, *, at_low_sun: float, at_high_sun: float, sun: Range, spread: Spread
) -> float:
    """Return the energy that nine years in ten would exceed (P90).

    Parameters
    ----------
    energy
        Yearly energy at the middle irradiation, in any unit.
    at_low_sun, at_high_sun
        The same at the ends of the range of irradiation.
    sun
        Irradiation at the three, in any unit.
    spread
        Standard deviations of the rest.

    Returns
    -------
    float
        In the unit of ``energy``; 0 where the spread is wider than the value.

    Raises
    ------
    SunError
        If a number is not above zero, or energy does not rise with sun.

    Notes
    -----
    ``P90 = E (1 - 1.2816 s)`` with ``s² = s_ref² + e² (s_res² + s_year²) + s_model²``:
    the normal quantile, parts taken as independent. ``s_ref = (E_high - E_low) /
    (√12 E)`` reads the range of the ground reference as uniform. ``e``, the elasticity
    of energy to irradiation, is the slope of ``ln E`` over ``ln sun`` across that
    range (1 where it has no width): more sun comes as beam light, so it is above 1.

    Examples
    --------
    >>> from layers.ranges import Range
    >>> from layers.solar_criteria import Spread
    >>> round(exceeded_in_nine_of_ten(1000, at_low_sun=1000, at_high_sun=1000,
    ...     sun=Range.exactly(1300, "kWh/m²"),
    ...     spread=Spread(resource=0.06, interannual=0.035, model=0.035)))
    900
    """
    if min(energy, at_low_sun, at_high_sun, sun.low) <= 0 or at_low_sun > at_high_sun:
        raise SunError(
            f"energies {at_low_sun}, {energy}, {at_high_sun} for {sun.text()}; "
            "expected numbers above zero that rise with the sun"
        )
    reference = (at_high_sun - at_low_sun) / (math.sqrt(12) * energy)
    elasticity = (
        math.log(at_high_sun / at_low_sun) / math.log(sun.high / sun.low)
        if sun.high > sun.low
        else 1.0
    )
    irradiation = elasticity * math.hypot(spread.resource, spread.interannual)
    total = math.hypot(reference, irradiation, spread.model)
    return max(0.0, energy * (1 - _NINE_IN_TEN * total))


def _year(power: NDArray[np.float64]) -> NDArray[np.float64]:
    """Year's sum of power by place, month and instant, shape ``(n,)``. [kWh]."""
    daily = power.sum(axis=-1) * 24 / _STEPS
    total: NDArray[np.float64] = daily @ DAYS_IN_MONTH / 1000
    return total

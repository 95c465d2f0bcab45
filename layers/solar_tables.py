"""Tables that criteria files of areas and plans of sites have in common."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.errors import CriteriaError
from geo.raster.suitability import require_keys, require_number, require_text
from layers.ranges import Range

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    T = TypeVar("T")

WHY = ("reason", "source")
"""Keys that every table of numbers has: why they are so, and where they come from."""

_PLANT = {
    "tilt_deg": (0, 90),
    "azimuth_deg": (0, 360),
    "albedo": (0, 1),
    "loss_percent": (0, 99),
    "inverter_efficiency": (0.5, 1),
    "temperature_coefficient_per_k": (-0.02, 0),
    "wind_m_per_s": (0, 50),
}
_SPREAD = {"resource": (0, 0.5), "interannual": (0, 0.5), "model": (0, 0.5)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A photovoltaic plant on fixed racks, per kilowatt of modules.

    Attributes
    ----------
    tilt_deg
        Tilt from the horizontal. [degrees]
    azimuth_deg
        Direction the modules face, clockwise from north. [degrees]
    albedo
        Part of the light that the ground reflects. [1]
    loss_percent
        Soiling, shade, snow, mismatch, wiring, downtime. [%]
    inverter_efficiency
        Nominal. [1]
    temperature_coefficient_per_k
        Change of power with cell temperature. [1/K]
    wind_m_per_s
        Wind on the modules. [m/s]
    air_celsius
        Air temperature in daylight, January to December. [°C]
    """

    tilt_deg: float
    azimuth_deg: float
    albedo: float
    loss_percent: float
    inverter_efficiency: float
    temperature_coefficient_per_k: float
    wind_m_per_s: float
    air_celsius: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Standard deviations, as shares of the mean.

    Attributes
    ----------
    resource
        Irradiation at an unmeasured place. [1]
    interannual
        Irradiation of one year against the mean. [1]
    model
        The model of the plant. [1]
    """

    resource: float
    interannual: float
    model: float


def parsed(data: bytes, name: str, parse: Callable[[Mapping[str, object]], T]) -> T:
    """Read TOML and what it says, every error with the name of the file.

    Parameters
    ----------
    data
        Content of the file.
    name
        What to call it.
    parse
        Makes a record of its tables; raises :class:`CriteriaError` with the key.

    Returns
    -------
    object
        What ``parse`` returns.

    Raises
    ------
    CriteriaError
        If it is no text, no TOML, or ``parse`` refuses it.
    """
    try:
        tables = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CriteriaError(f"{name}: expected UTF-8 text, {error.reason}") from error
    except (ValueError, RecursionError) as error:
        raise CriteriaError(f"{name}: not TOML: {error}") from error
    try:
        return parse(tables)
    except CriteriaError as error:
        raise CriteriaError(f"{name}: {error}") from error.__cause__
    except OverflowError as error:
        raise CriteriaError(f"{name} holds what no number can hold: {error}") from error


def plant(value: object) -> Plant:
    """Check the table ``plant``.

    Parameters
    ----------
    value
        What stood in the file.

    Returns
    -------
    Plant
        The same.

    Raises
    ------
    CriteriaError
        If anything in it is missing, unknown or out of range.
    """
    table = numbers(value, "plant", _PLANT, more=("air_celsius",))
    where = "plant.air_celsius"
    air = require_keys(
        value["air_celsius"],  # type: ignore[index]  # numbers() saw that it is there
        where,
        known=("monthly", *WHY),
        required=("monthly", *WHY),
    )
    monthly = air["monthly"]
    if not isinstance(monthly, list) or len(monthly) != 12:
        raise CriteriaError(f"{where}.monthly: expected 12 numbers, got {monthly!r}")
    celsius = tuple(
        require_number(v, f"{where}.monthly[{i}]", low=-60, high=60)
        for i, v in enumerate(monthly)
    )
    return Plant(**table, air_celsius=celsius)


def spread(value: object) -> Spread:
    """Check the table ``spread``.

    Parameters
    ----------
    value
        What stood in the file.

    Returns
    -------
    Spread
        The same.

    Raises
    ------
    CriteriaError
        If anything in it is missing, unknown or out of range.
    """
    return Spread(**numbers(value, "spread", _SPREAD))


def capacity(value: object) -> tuple[Range, Range]:
    """Check the table ``capacity``.

    Parameters
    ----------
    value
        What stood in the file.

    Returns
    -------
    density, usable : Range
        Modules inside the fence [MW/km²], and the part of an area that could go inside
        a fence [1].

    Raises
    ------
    CriteriaError
        If anything in it is missing, unknown or out of range.
    """
    names = ("density_mwp_per_km2", "usable_fraction")
    table = require_keys(value, "capacity", known=names, required=names)
    density, usable = (f"capacity.{name}" for name in names)
    return (
        bounded(table[names[0]], density, unit="MW/km²", most=1000),
        bounded(table[names[1]], usable, unit="", most=1),
    )


def numbers(
    value: object,
    where: str,
    bounds: Mapping[str, tuple[float, float]],
    *,
    more: tuple[str, ...] = (),
) -> dict[str, float]:
    """Check a table of numbers with its reason and source.

    Parameters
    ----------
    value
        What stood in the file.
    where
        Its key, for messages.
    bounds
        Lowest and highest number by key; every key must be there.
    more
        Further keys that must be there, checked elsewhere.

    Returns
    -------
    dict
        The numbers by key.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown or out of range.
    """
    names = (*bounds, *more, *WHY)
    table = require_keys(value, where, known=names, required=names)
    for why in WHY:
        require_text(table[why], f"{where}.{why}")
    return {
        name: require_number(table[name], f"{where}.{name}", low=low, high=high)
        for name, (low, high) in bounds.items()
    }


def bounded(value: object, where: str, *, unit: str, most: float) -> Range:
    """Check a table with ``low``, ``mid`` and ``high``, its reason and source.

    Parameters
    ----------
    value
        What stood in the file.
    where
        Its key, for messages.
    unit
        Unit of the three.
    most
        Highest number allowed; the lowest is a millionth.

    Returns
    -------
    Range
        The three.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown, out of range or out of order.
    """
    table = numbers(value, where, dict.fromkeys(("low", "mid", "high"), (1e-6, most)))
    low, mid, high = table["low"], table["mid"], table["high"]
    if not low <= mid <= high:
        raise CriteriaError(f"{where}: expected low <= mid <= high, got {table}")
    return Range(low=low, mid=mid, high=high, unit=unit)


def texts(value: object, where: str, *, what: str = "source id") -> tuple[str, ...]:
    """Check a list of texts.

    Parameters
    ----------
    value
        What stood in the file.
    where
        Its key, for messages.
    what
        What each is.

    Returns
    -------
    tuple of str
        At least one, none empty.

    Raises
    ------
    CriteriaError
        If it is no list, or empty, or one is no text.
    """
    if not isinstance(value, list) or not value:
        raise CriteriaError(f"{where}: expected one {what} or more, got {value!r}")
    return tuple(require_text(v, f"{where}[{i}]") for i, v in enumerate(value))


def whole(value: float, where: str) -> int:
    """Check that a number is a whole one.

    Parameters
    ----------
    value
        A number.
    where
        Its key, for messages.

    Returns
    -------
    int
        ``value``.

    Raises
    ------
    CriteriaError
        If it is not whole.
    """
    if value != int(value):
        raise CriteriaError(f"{where}: {value:g}; expected a whole number")
    return int(value)

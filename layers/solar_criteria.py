"""Settings for candidate solar areas: the criteria file, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import CriteriaError
from geo.raster.suitability import (
    Criteria,
    parse_criteria,
    require_keys,
    require_number,
    require_text,
)
from layers.solar_tables import (
    WHY,
    Plant,
    Spread,
    bounded,
    capacity,
    numbers,
    parsed,
    plant,
    spread,
    texts,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from layers.ranges import Range

__all__ = [
    "MEASURES",
    "Plant",
    "SolarCriteria",
    "Spread",
    "load_solar_criteria",
]

MEASURES = (
    "coast_km",
    "land_cover",
    "relief_m",
    "altitude_m",
    "ghi_kwh_per_m2",
    "plant_km",
    "town_km",
)
"""What a criterion can be about."""

_AREAS = {
    "min_km2": (1e-6, 1e9),
    "max_km2": (1e-6, 1e9),
    "max_radius_km": (1e-6, 1e4),
    "limit_per_region": (1, 1e6),
    "town_min_population": (0, 1e9),
    "plant_min_mw": (0, 1e6),
    "plant_max_uncertainty_km": (0, 1e4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SolarCriteria:
    """Everything that the candidate areas depend on, besides the layers.

    Attributes
    ----------
    id, title
        Of the file.
    file
        Its name, for the record.
    sources
        Ids of the sources that the areas cite.
    criteria
        Which cells, and how good.
    min_km2, max_km2
        Smallest and largest area. [km²]
    max_radius_km
        Farthest cell from the seed of its area. [km]
    limit_per_region
        Greatest number of areas in one region.
    town_min_population
        Smallest place that counts as a town.
    plant_min_mw, plant_max_uncertainty_km
        Smallest power plant that counts (one of unknown size does), and how well its
        place must be known. [MW], [km]
    density_mwp_per_km2
        Modules inside the fence. [MW/km²]
    usable_fraction
        Part of an area that could go inside a fence. [1]
    ground_kwh_per_m2
        Measured irradiation of a year at the reference. [kWh/m²]
    reference_lonlat
        Where the climatology is compared with it. [degrees]
    plant, spread
        The plant, and how well its energy is known.
    """

    id: str
    title: str
    file: str
    sources: tuple[str, ...]
    criteria: Criteria
    min_km2: float
    max_km2: float
    max_radius_km: float
    limit_per_region: int
    town_min_population: float
    plant_min_mw: float
    plant_max_uncertainty_km: float
    density_mwp_per_km2: Range
    usable_fraction: Range
    ground_kwh_per_m2: Range
    reference_lonlat: tuple[tuple[float, float], ...]
    plant: Plant
    spread: Spread


def load_solar_criteria(path: str | os.PathLike[str] | None = None) -> SolarCriteria:
    """Read a criteria file.

    Parameters
    ----------
    path
        TOML file; the one that ships with the package when not given.

    Returns
    -------
    SolarCriteria
        Checked throughout.

    Raises
    ------
    CriteriaError
        If the file is missing, no TOML, or anything in it is missing, unknown, of
        the wrong kind or out of range. The message names file and key.

    Examples
    --------
    >>> settings = load_solar_criteria()
    >>> settings.id, settings.density_mwp_per_km2.text()
    ('solar-areas', '35–75 MW/km²')
    """
    if path is None:
        name = "solar-areas.toml"
        data = files("layers").joinpath("data", "criteria", name).read_bytes()
    else:
        name = Path(path).name
        try:
            data = Path(path).read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise CriteriaError(
                f"no criteria can be read at {str(path)[:200]!r}: {error.args[-1]}"
            ) from error
    return parsed(data, name, lambda root: _parse(root, name))


def _parse(root: Mapping[str, object], name: str) -> SolarCriteria:
    top = ("id", "title", "sources", "criteria")
    tables = ("areas", "capacity", "irradiance", "plant", "spread")
    require_keys(root, "file", known=(*top, *tables), required=(*top, *tables))
    criteria = parse_criteria(root["criteria"])  # type: ignore[arg-type]  # it checks
    for i, criterion in enumerate(criteria):
        if criterion.id not in MEASURES:
            raise CriteriaError(
                f"criteria[{i}].id: {criterion.id!r} is no measure; expected one of "
                f"{', '.join(MEASURES)}"
            )
    if not any(c.weight for c in criteria):
        raise CriteriaError("criteria: no weight is above zero; nothing to rank by")
    areas = numbers(root["areas"], "areas", _AREAS)
    if areas["min_km2"] > areas["max_km2"]:
        raise CriteriaError("areas.min_km2: above areas.max_km2; no area can be made")
    if areas["limit_per_region"] != int(areas["limit_per_region"]):
        raise CriteriaError(
            f"areas.limit_per_region: {areas['limit_per_region']}; "
            "expected a whole number"
        )
    density, usable = capacity(root["capacity"])
    sky = ("reference_lonlat", "ground_kwh_per_m2", *WHY)
    sun = require_keys(root["irradiance"], "irradiance", known=sky, required=sky)
    return SolarCriteria(
        id=require_text(root["id"], "id"),
        title=require_text(root["title"], "title"),
        file=name,
        sources=texts(root["sources"], "sources"),
        criteria=criteria,
        min_km2=areas["min_km2"],
        max_km2=areas["max_km2"],
        max_radius_km=areas["max_radius_km"],
        limit_per_region=int(areas["limit_per_region"]),
        town_min_population=areas["town_min_population"],
        plant_min_mw=areas["plant_min_mw"],
        plant_max_uncertainty_km=areas["plant_max_uncertainty_km"],
        density_mwp_per_km2=density,
        usable_fraction=usable,
        ground_kwh_per_m2=bounded(
            sun["ground_kwh_per_m2"],
            "irradiance.ground_kwh_per_m2",
            unit="kWh/m²",
            most=3500,
        ),
        reference_lonlat=_places(
            sun["reference_lonlat"], "irradiance.reference_lonlat"
        ),
        plant=plant(root["plant"]),
        spread=spread(root["spread"]),
    )


def _places(value: object, where: str) -> tuple[tuple[float, float], ...]:
    expected = f"{where}: expected pairs [longitude, latitude], got {value!r}"
    if not isinstance(value, list) or not value:
        raise CriteriaError(expected)
    places = []
    for i, pair in enumerate(value):
        if not isinstance(pair, list) or len(pair) != 2:
            raise CriteriaError(expected)
        lon = require_number(pair[0], f"{where}[{i}][0]", low=-180, high=180)
        lat = require_number(pair[1], f"{where}[{i}][1]", low=-90, high=90)
        places.append((lon, lat))
    return tuple(places)

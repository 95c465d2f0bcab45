"""Which file is derived by which function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from layers.rebuild import base_map, geonames, provinces, rasters
from layers.rebuild.packages import Sources

DATA = Path(__file__).resolve().parents[1] / "data"
"""Folder of the shipped files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How one shipped file is made.

    Attributes
    ----------
    file
        Name inside `DATA`.
    derive
        Gives the file's content from the packages.
    """

    file: str
    derive: Callable[[Sources], bytes]


RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        "provinces": Recipe(file="provinces.geojson", derive=provinces.provinces),
        "places": Recipe(file="places.csv", derive=geonames.places),
        "base-land": Recipe(file="base-land.geojson", derive=base_map.base_land),
        "base-coast": Recipe(file="base-coast.geojson", derive=base_map.base_coast),
        "base-lakes": Recipe(file="base-lakes.geojson", derive=base_map.base_lakes),
        "base-rivers": Recipe(file="base-rivers.geojson", derive=base_map.base_rivers),
        "base-borders": Recipe(
            file="base-borders.geojson", derive=base_map.base_borders
        ),
        "base-world": Recipe(file="base-world.geojson", derive=base_map.base_world),
        "base-world-borders": Recipe(
            file="base-world-borders.geojson", derive=base_map.base_world_borders
        ),
        "land-cover": Recipe(file="land-cover.tif", derive=rasters.land_cover),
        "altitude": Recipe(file="altitude.tif", derive=rasters.altitude),
        "linke-turbidity": Recipe(
            file="linke-turbidity.tif", derive=rasters.linke_turbidity
        ),
        "irradiance": Recipe(file="irradiance.tif", derive=rasters.irradiance),
    }
)
"""Every derived layer by id."""

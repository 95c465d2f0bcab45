"""Rasters on the ellipsoid: aligned grids, distance, terrain, suitability, regions."""

from geo.raster.bands import Band
from geo.raster.distance import distance_to
from geo.raster.found import FoundSites
from geo.raster.grid import Grid, inside
from geo.raster.reading import Resampling, read, resample
from geo.raster.regions import grow, label, polygons
from geo.raster.siting import Siting, find_sites
from geo.raster.suitability import (
    Criteria,
    Criterion,
    Suitability,
    evaluate,
    parse_criteria,
)
from geo.raster.terrain import aspect, relief, slope

__all__ = [
    "Band",
    "Criteria",
    "Criterion",
    "FoundSites",
    "Grid",
    "Resampling",
    "Siting",
    "Suitability",
    "aspect",
    "distance_to",
    "evaluate",
    "find_sites",
    "grow",
    "inside",
    "label",
    "parse_criteria",
    "polygons",
    "read",
    "relief",
    "resample",
    "slope",
]

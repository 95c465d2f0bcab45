"""Rasters on the ellipsoid: aligned grids, distance, terrain, suitability, regions."""

from geo.raster.distance import distance_to
from geo.raster.grid import Grid, inside
from geo.raster.reading import Resampling, read, resample
from geo.raster.regions import grow, label, polygons
from geo.raster.suitability import (
    Criteria,
    Criterion,
    Suitability,
    evaluate,
    parse_criteria,
)
from geo.raster.terrain import aspect, relief, slope

__all__ = [
    "Criteria",
    "Criterion",
    "Grid",
    "Resampling",
    "Suitability",
    "aspect",
    "distance_to",
    "evaluate",
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

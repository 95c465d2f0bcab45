"""Layers of any size, and a page that holds nothing else."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from markupsafe import Markup

import maps
from maps.page import ExchangeMap

BOUNDS = (121.0, 37.5, 131.0, 43.0)


def empty_page(bounds=BOUNDS):
    """A page with its controls and nothing on the map."""
    return ExchangeMap(title="Sample", bounds=bounds, story=Markup("<h1>Sample</h1>"))


def table(count, seed=1):
    """Five columns: a name, a kind and three numbers."""
    rng = np.random.default_rng(seed)
    return {
        "name": [f"site {i}" for i in range(count)],
        "kind": rng.choice(["mine", "plant", "port", "town"], count),
        "cap_mw": np.round(rng.gamma(2, 50, count), 2),
        "score": np.round(rng.random(count), 4),
        "year": rng.integers(1950, 2026, count),
    }


def points(count, seed=1, **columns):
    """Points all over the bounds."""
    rng = np.random.default_rng(seed)
    west, south, east, north = BOUNDS
    shapes = shapely.points(
        rng.uniform(west, east, count), rng.uniform(south, north, count)
    )
    return gpd.GeoDataFrame(table(count) | columns, geometry=shapes, crs=4326)


def polygons(count, vertices=50, radius=0.015, seed=2):
    """Polygons of so many vertices."""
    rng = np.random.default_rng(seed)
    west, south, east, north = BOUNDS
    turn = np.linspace(0, 2 * np.pi, vertices, endpoint=False)
    away = radius * (0.7 + 0.3 * rng.random((count, vertices)))
    x = rng.uniform(west, east, (count, 1)) + away * np.cos(turn)
    y = rng.uniform(south, north, (count, 1)) + away * np.sin(turn)
    ring = np.stack([x, y], axis=2)
    shapes = shapely.polygons(np.concatenate([ring, ring[:, :1]], axis=1))
    return gpd.GeoDataFrame(table(count), geometry=shapes, crs=4326)


def write(path, layer, *, page=None, name="sample", **options):
    """Write a page of one layer."""
    page = page or empty_page()
    maps.add_layer(page, layer, name=name, **options)
    return maps.save(page, path)

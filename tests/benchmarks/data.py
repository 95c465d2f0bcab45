"""Seeded layers for the benchmarks, written once as GeoParquet, read by every engine.

Everything lies in one box of 5 by 3 degrees. A smaller scale shrinks the box with the
number of rows, so that densities, sizes and distances stay what they are at full scale.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Shapes = NDArray[np.object_]

WEST, SOUTH, EAST, NORTH = 123.0, 39.0, 128.0, 42.0
SEED = 20_261_123
VERSION = 1  # goes up when the layers change, so that a cached one is made again
ROUND = 1.3  # degrees of longitude for one of latitude, so that a blob looks round
CROSSING = 0.05  # share of the uncertain points whose disc crosses a border


@dataclass(frozen=True, kw_only=True)
class Layer:
    """How one layer is drawn: what, how many, and how large each feature is."""

    kind: str  # "mixed" and "uniform" are points
    rows: int
    vertices: int = 1
    size: float = 0.0  # mean radius of a polygon, mean length of an edge [degrees]


LAYERS = {
    "points": Layer(kind="mixed", rows=1_000_000),
    "polygons": Layer(kind="blobs", rows=5_000, vertices=50, size=0.0267),
    "left_polygons": Layer(kind="blobs", rows=100_000, vertices=20, size=0.0063),
    "right_polygons": Layer(kind="blobs", rows=100_000, vertices=20, size=0.0063),
    "targets": Layer(kind="mixed", rows=100_000),
    "queries": Layer(kind="mixed", rows=200_000),
    "lines": Layer(kind="lines", rows=20_000, vertices=30, size=0.012),
    "left_points": Layer(kind="uniform", rows=200_000),
    "right_points": Layer(kind="uniform", rows=200_000),
    # For the growth: ever more rows in the same box.
    "grown_5": Layer(kind="mixed", rows=100_000),
    "grown_6": Layer(kind="mixed", rows=1_000_000),
    "grown_7": Layer(kind="mixed", rows=10_000_000),
    "sparse_4": Layer(kind="uniform", rows=10_000),
    "sparse_5": Layer(kind="uniform", rows=100_000),
    "sparse_6": Layer(kind="uniform", rows=1_000_000),
    "spread_5": Layer(kind="uniform", rows=100_000),
    "spread_6": Layer(kind="uniform", rows=1_000_000),
    "spread_7": Layer(kind="uniform", rows=10_000_000),
    "spread_5_too": Layer(kind="uniform", rows=100_000),
    "spread_6_too": Layer(kind="uniform", rows=1_000_000),
    "spread_7_too": Layer(kind="uniform", rows=10_000_000),
    "parcels": Layer(kind="blobs", rows=1_000_000, vertices=20, size=0.00189),
}


def written(folder: Path, scale: float, names: list[str]) -> Path:
    """Write the layers that are not there yet; give the folder that holds them."""
    place = folder / f"layers-{VERSION}-scale-{scale:g}"
    place.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = place / f"{name}.parquet"
        if not path.exists():
            unfinished = path.with_suffix(".part")
            _draw(name, scale).to_parquet(unfinished)
            unfinished.rename(path)
    return place


def read(folder: Path, name: str, columns: tuple[str, ...] = ()) -> gpd.GeoDataFrame:
    """One layer as a GeoDataFrame in EPSG:4326 whose index is 0, 1, 2, …"""
    import geopandas as gpd

    return gpd.read_parquet(
        folder / f"{name}.parquet", columns=["id", "geometry", *columns]
    )


def rows(name: str, scale: float) -> int:
    """How many rows a layer has at that scale."""
    return max(round(LAYERS[name].rows * scale), 20)


def _draw(name: str, scale: float) -> gpd.GeoDataFrame:
    import geopandas as gpd

    shapes = _shapes(name, scale)
    fields = {"id": np.arange(len(shapes), dtype=np.int64)}
    if name == "points":
        fields["radius_m"] = _radii(
            shapes, _shapes("polygons", scale), _random("radii")
        )
    return gpd.GeoDataFrame(fields, geometry=shapes, crs=4326)


def _shapes(name: str, scale: float) -> Shapes:
    layer = LAYERS[name]
    draw = {"mixed": _mixed, "uniform": _uniform, "blobs": _blobs, "lines": _lines}
    return draw[layer.kind](_random(name), rows(name, scale), layer, scale)


def _random(name: str) -> Generator:
    """A generator of its own for each name, whatever else is drawn before."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def _box(scale: float) -> tuple[Floats, Floats]:
    """South-western corner and size of the box that holds a share of the whole."""
    whole = np.array([EAST - WEST, NORTH - SOUTH])
    size = whole * np.sqrt(scale)
    return np.array([WEST, SOUTH]) + (whole - size) / 2, size


def _places(random: Generator, count: int, scale: float) -> Floats:
    corner, size = _box(scale)
    return corner + random.random((count, 2)) * size


def _folded(lonlat: Floats, scale: float) -> Floats:
    """Places outside the box reflected into it."""
    corner, size = _box(scale)
    return corner + np.abs((lonlat - corner + size) % (2 * size) - size)


def _uniform(random: Generator, count: int, _: Layer, scale: float) -> Shapes:
    import shapely

    return shapely.points(_places(random, count, scale))


def _mixed(random: Generator, count: int, _: Layer, scale: float) -> Shapes:
    """Seven in ten uniform, three in ten in clusters (50 in the whole box)."""
    import shapely

    lonlat = _places(random, count, scale)
    crowd = round(0.3 * count)
    centres = _places(random, max(round(50 * scale), 1), scale)
    of = random.integers(len(centres), size=crowd)
    offsets = random.normal(scale=[0.05 * ROUND, 0.05], size=(crowd, 2))
    lonlat[:crowd] = _folded(centres[of] + offsets, scale)
    return shapely.points(random.permutation(lonlat))


def _blobs(random: Generator, count: int, layer: Layer, scale: float) -> Shapes:
    """Polygons seen whole from their centre, so valid, with lobes of varied depth."""
    import shapely

    turn = np.linspace(0, 2 * np.pi, layer.vertices, endpoint=False)
    radius = layer.size * random.uniform(0.5, 1.5, (count, 1))
    lobes = np.ones((count, layer.vertices))
    for waves in (2, 3, 5):
        depth, start = random.uniform(0, [[0.2], [2 * np.pi]], (count, 2, 1)).swapaxes(
            0, 1
        )
        lobes += depth * np.cos(waves * turn + start)
    centre = _places(random, count, scale)
    ring = np.empty((count, layer.vertices + 1, 2))
    ring[:, :-1, 0] = centre[:, :1] + ROUND * radius * lobes * np.cos(turn)
    ring[:, :-1, 1] = centre[:, 1:] + radius * lobes * np.sin(turn)
    ring[:, -1] = ring[:, 0]
    return shapely.polygons(ring)


def _lines(random: Generator, count: int, layer: Layer, scale: float) -> Shapes:
    """Walks that turn a little at each vertex."""
    import shapely

    steps = layer.vertices - 1
    first = random.uniform(0, 2 * np.pi, (count, 1))
    heading = first + np.cumsum(random.normal(scale=0.3, size=(count, steps)), axis=1)
    length = layer.size * random.uniform(0.5, 1.5, (count, steps))
    walk = np.zeros((count, layer.vertices, 2))
    walk[:, 1:, 0] = np.cumsum(ROUND * length * np.cos(heading), axis=1)
    walk[:, 1:, 1] = np.cumsum(length * np.sin(heading), axis=1)
    return shapely.linestrings(
        _folded(walk + _places(random, count, scale)[:, None], scale)
    )


def _radii(points: Shapes, polygons: Shapes, random: Generator) -> Floats:
    """Radii [m] for which about one disc in twenty crosses a border."""
    import geopandas as gpd
    import shapely

    spread = random.uniform(0.5, 1.5, len(points))
    sample = random.permutation(len(points))[:20_000]
    utm = gpd.GeoSeries(points[sample], crs=4326).to_crs(32651).to_numpy()
    borders = gpd.GeoSeries(polygons, crs=4326).to_crs(32651).boundary.to_numpy()
    nearest = shapely.STRtree(borders).nearest(utm)
    gap = shapely.distance(utm, borders[nearest])
    return spread * np.quantile(gap / spread[sample], CROSSING)

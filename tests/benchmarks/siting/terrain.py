"""Draws the national test raster: terrain that exists nowhere, for timing and judging.

    python tests/benchmarks/siting/terrain.py FOLDER [--rows 12000] [--cols 16000]

Writes ``elevation.tif``, ``land_cover.tif``, ``ghi.tif``, ``roads``, ``grid_lines``
and ``settlements`` (each as ``.parquet`` and ``.gpkg``) and ``plan.toml``. The same
seed and size give the same values on every run. Strips are drawn one after the other,
so memory does not grow with the number of rows.

The ground is a spectral fractal: amplitudes fall with the wave number as in mountains,
long waves drawn once on a coarse grid, short ones as two squares that repeat with
different periods. Shape and density of everything stay the same at every size: a
smaller raster has the sea in the west, the plain and the mountains on fewer
kilometres, not a corner of them.
"""

from __future__ import annotations

import argparse
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from numpy.random import Generator
    from numpy.typing import NDArray

    Field = NDArray[np.float32]

ROWS, COLS = 12_000, 16_000
CELL_M = 30.0
CRS = "EPSG:32651"
MIDDLE = (713_010.0, 4_430_010.0)
"""Easting and northing about which every raster lies, near 125.5° E, 40.0° N. Whole
numbers of cells, for there are peers that lay their own grid so. [m]"""
SEED = 20_261_127
VERSION = 2  # goes up when the terrain changes, so that a cached one is drawn again

STRIP = 512  # rows drawn at a time, and the side of a tile of the files
COARSE = 32  # cells between two nodes of the coarse grid
SQUARES = (2048, 1800)  # sides of the repeating squares [cells]
GHI_CELLS = 8  # cells of elevation along one of irradiance
NODATA = -9999.0

SEA, LAKE, WOOD, SHRUB, GRASS, CROP, TOWN, BARE, SNOW, MARSH = (
    *(0, 80, 10, 20, 30, 40, 50, 60, 70, 90),
)
"""Codes of ESA WorldCover; 0, its nodata, at sea."""
LEGEND = {
    WOOD: "tree cover",
    SHRUB: "shrubland",
    GRASS: "grassland",
    CROP: "cropland",
    TOWN: "built-up",
    BARE: "bare",
    SNOW: "snow",
    LAKE: "water",
    MARSH: "wetland",
}
ELIGIBLE = (SHRUB, GRASS, CROP, BARE)

ROADS, ROAD_VERTICES, ROAD_STEP_M = 2000, 87, 400.0
LINES, LINE_VERTICES, LINE_STEP_M = 120, 61, 2000.0
SETTLEMENTS = 1500
SEA_SHARE, HILLS_FROM = 0.135, 0.72  # of the raster, counted from the west
MARGIN_M = 600.0  # how far roads and lines reach beyond the raster

NOTE = (
    "SYNTHETIC TEST TERRAIN. Drawn by a seeded random generator for benchmarks. It "
    "shows no real ground, land cover, road or town, and must not be used as data "
    "about the region on which it is laid."
)
LICENCE = "CC0-1.0"

VECTORS = ("roads", "grid_lines", "settlements")


def name_of(rows: int, cols: int) -> str:
    """Name of the folder that holds one size, so that a stale one is not read."""
    return f"terrain-{VERSION}-{rows}x{cols}"


def written(cache: Path, rows: int, cols: int) -> Path:
    """Draw the terrain of that size unless it is there; give its folder."""
    place = cache / name_of(rows, cols)
    if not (place / "plan.toml").exists():
        draw(place, rows, cols)
    return place


def draw(folder: Path, rows: int = ROWS, cols: int = COLS) -> None:
    """Write rasters, vectors and the plan; the plan last, so that it tells of all."""
    folder.mkdir(parents=True, exist_ok=True)
    ground = Ground(rows, cols)
    _write_rasters(folder, ground)
    for name in VECTORS:
        _write_vector(folder, name, _features(name, ground))
    unfinished = folder / "plan.toml.part"
    unfinished.write_text(_plan(rows, cols), encoding="utf-8")
    unfinished.rename(folder / "plan.toml")


@dataclass(frozen=True)
class Ground:
    """Everything that is known of the terrain before its cells are drawn."""

    rows: int
    cols: int

    @property
    def west(self) -> float:
        return MIDDLE[0] - self.cols // 2 * CELL_M

    @property
    def north(self) -> float:
        return MIDDLE[1] + self.rows // 2 * CELL_M

    @property
    def share(self) -> float:
        """Area as a share of the national raster's."""
        return self.rows * self.cols / (ROWS * COLS)

    @cached_property
    def height(self) -> Field:
        """Altitude without the short waves, on the coarse grid; below 0 at sea. [m]"""
        inland = self._inland
        hills = 0.5 + 0.5 * np.tanh(5 * (inland - 1))  # 0 in the plain, 1 inland
        waves = self._waves("height", exponent=2.2)
        plain = 250 * inland + np.clip(inland, 0, 1) * 3 * waves
        return (plain + hills * (1600 + 1300 * waves)).astype("f4")

    @cached_property
    def ruggedness(self) -> Field:
        """How high the short waves stand, on the coarse grid. [m]"""
        inland = self._inland
        hills = 0.5 + 0.5 * np.tanh(5 * (inland - 1))
        patches = np.exp(0.8 * self._waves("ruggedness", exponent=2.0))
        shore = np.clip(10 * inland, 0, 1)
        return ((8.0 + 80.0 * hills) * shore * patches).astype("f4")

    @cached_property
    def wetness(self) -> Field:
        """What decides on land cover beside altitude, on the coarse grid. [1]"""
        return self._waves("wetness", exponent=1.6)

    @cached_property
    def short(self) -> tuple[Field, ...]:
        """Short waves in repeating squares, standard deviation 1. [1]"""
        return tuple(
            _spectral(
                _random("short", side),
                (side, side),
                exponent=2.35,
                longest=2.5 * COARSE,
            )
            for side in SQUARES
        )

    @cached_property
    def patches(self) -> tuple[Field, ...]:
        """Short waves of land cover, in repeating squares, standard deviation 1. [1]"""
        return tuple(
            _spectral(_random("patches", side), (side, side), exponent=1.9, longest=200)
            for side in SQUARES
        )

    @cached_property
    def _inland(self) -> Field:
        """From the far west to the east, 0 at the shore and 1 where the hills begin.

        Both are set by the share of the raster that they leave behind, so that every
        size has as much sea and as much plain. [1]
        """
        rows, cols = self._nodes
        east = np.broadcast_to(np.linspace(0, 1, cols), (rows, cols))
        field = east + 0.05 * self._waves("coast", exponent=2.4)
        shore, foot = np.quantile(field[1:-2, 1:-2], [SEA_SHARE, HILLS_FROM])
        return ((field - shore) / (foot - shore)).astype("f4")

    @property
    def _nodes(self) -> tuple[int, int]:
        """Rows and columns of the coarse grid: one node before, two after."""
        return -(-self.rows // COARSE) + 4, -(-self.cols // COARSE) + 4

    def _waves(self, name: str, *, exponent: float) -> Field:
        return _spectral(_random(name), self._nodes, exponent=exponent)

    def strips(self) -> Iterator[tuple[int, int]]:
        yield from pairwise([*range(0, self.rows, STRIP), self.rows])

    def strip(self, start: int, stop: int) -> tuple[Field, NDArray[np.uint8], Field]:
        """Altitude, land cover and irradiance of some rows."""
        rugged = self.fine(self.ruggedness, start, stop)
        height = self.fine(self.height, start, stop)
        sea = height < 0
        rugged *= self.repeated(self.short, start, stop)
        height += rugged
        np.abs(height, out=height)  # no land below the sea
        noise = _random("noise", start).standard_normal(height.shape, dtype="f4")
        height += 0.25 * noise
        height[sea] = NODATA
        cover = self._cover(height, noise, sea, start, stop)
        return height, cover, self._ghi(start, stop)

    def fine(self, coarse: Field, start: int, stop: int) -> Field:
        """Rows of a coarse field on the cells, by cubic B-splines."""
        weights = _spline()
        rows = np.zeros((stop - start, coarse.shape[0]), dtype="f4")
        at, phase = np.divmod(np.arange(start, stop), COARSE)
        for tap in range(4):
            rows[np.arange(stop - start), at + tap] = weights[tap, phase]
        lines = rows @ coarse
        nodes = lines.shape[1] - 3
        out = np.zeros((stop - start, nodes, COARSE), dtype="f4")
        for tap in range(4):
            out += lines[:, tap : tap + nodes, None] * weights[tap]
        return out.reshape(stop - start, -1)[:, : self.cols].copy()

    def repeated(self, squares: tuple[Field, ...], start: int, stop: int) -> Field:
        """The sum of the squares, each repeated; standard deviation 1."""
        total = np.zeros((stop - start, self.cols), dtype="f4")
        for square in squares:
            side = len(square)
            rows = square[np.arange(start, stop) % side]
            for left in range(0, self.cols, side):
                width = min(side, self.cols - left)
                total[:, left : left + width] += rows[:, :width]
        total /= np.sqrt(len(squares), dtype="f4")
        return total

    def _cover(
        self, height: Field, noise: Field, sea: NDArray[np.bool_], start: int, stop: int
    ) -> NDArray[np.uint8]:
        wet = self.fine(self.wetness, start, stop)
        wet *= 0.7
        wet += 0.7 * self.repeated(self.patches, start, stop)
        wet += 0.4 * noise
        cover = np.full(height.shape, CROP, dtype="u1")
        high = height > 450
        # From dry to wet: in the plain mostly fields, in the hills mostly woods.
        for below, plain, hills in (
            (2.2, MARSH, WOOD),
            (2.0, WOOD, WOOD),
            (1.0, CROP, WOOD),
            (-0.1, CROP, GRASS),
            (-0.45, GRASS, SHRUB),
            (-1.0, SHRUB, BARE),
            (-1.8, TOWN, BARE),
        ):
            there = wet < below
            cover[there] = plain
            cover[there & high] = hills
        cover[wet >= 2.2] = LAKE
        cover[height > 3800] = SNOW
        cover[sea] = SEA
        return cover

    def _ghi(self, start: int, stop: int) -> Field:
        """Irradiation of a year, 1250 to 1500, cloudier in the hills. [kWh/m²]"""
        rows = range(start // GHI_CELLS, -(-stop // GHI_CELLS))
        middles = np.minimum(np.array(rows) * GHI_CELLS + GHI_CELLS // 2, self.rows - 1)
        first, last = int(middles[0]), int(middles[-1]) + 1
        pick = np.s_[middles - first, :]
        cols = -(-self.cols // GHI_CELLS)
        across = np.minimum(np.arange(cols) * GHI_CELLS + GHI_CELLS // 2, self.cols - 1)
        height = self.fine(self.height, first, last)[pick][:, across]
        wet = self.fine(self.wetness, first, last)[pick][:, across]
        noise = _random("ghi", start).standard_normal(height.shape, dtype="f4")
        south = (middles / self.rows)[:, None].astype("f4")
        ghi = 1400 + 60 * (south - 0.5) - 0.035 * np.clip(height, 0, 3000) - 12 * wet
        return (ghi + 0.5 * noise).astype("f4")


def _random(name: str, number: int = 0) -> Generator:
    """A generator of its own for each name and number, whatever else is drawn."""
    return np.random.default_rng([SEED, zlib.crc32(name.encode()), number])


def _spectral(
    random: Generator,
    shape: tuple[int, int],
    *,
    exponent: float,
    longest: float = np.inf,
) -> Field:
    """Noise whose amplitude falls with the wave number to that power, made periodic.

    ``longest`` leaves out the waves that are longer. [cells]
    """
    import scipy.fft

    waves = scipy.fft.rfft2(random.standard_normal(shape, dtype="f4"))
    k = np.hypot(
        np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]
    ).astype("f4")
    k[0, 0] = 1
    gain = k ** np.float32(-exponent)
    # A soft edge, so that the squares do not ring.
    gain *= 1 / (1 + (1 / (longest * k)) ** 6) if np.isfinite(longest) else 1
    gain[0, 0] = 0
    field = scipy.fft.irfft2(waves * gain, s=shape)
    return (field / field.std()).astype("f4")


def _spline() -> Field:
    """Weights of the four nodes around each cell, shape ``(4, COARSE)``."""
    t = ((np.arange(COARSE) + 0.5) / COARSE).astype("f8")
    return np.array(
        [
            (1 - t) ** 3 / 6,
            (3 * t**3 - 6 * t**2 + 4) / 6,
            (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
            t**3 / 6,
        ],
        dtype="f4",
    )


def _write_rasters(folder: Path, ground: Ground) -> None:
    import rasterio
    from rasterio import Affine
    from rasterio.windows import Window

    common = {
        "driver": "GTiff",
        "count": 1,
        "crs": CRS,
        "tiled": True,
        "blockxsize": STRIP,
        "blockysize": STRIP,
        "compress": "deflate",
        "bigtiff": "if_safer",
        "num_threads": 2,
    }
    cells = Affine(CELL_M, 0, ground.west, 0, -CELL_M, ground.north)
    coarse = Affine(
        *(CELL_M * GHI_CELLS, 0, ground.west),
        *(0, -CELL_M * GHI_CELLS, ground.north),
    )
    size = {"height": ground.rows, "width": ground.cols, "transform": cells}
    less = {
        "height": -(-ground.rows // GHI_CELLS),
        "width": -(-ground.cols // GHI_CELLS),
        "transform": coarse,
    }
    files = {
        "elevation": {"dtype": "float32", "nodata": NODATA, "predictor": 3, **size},
        "land_cover": {"dtype": "uint8", "nodata": SEA, **size},
        "ghi": {"dtype": "float32", "nodata": NODATA, "predictor": 3, **less},
    }
    ground.strip(0, 1)  # what every strip shares, drawn before the threads start
    with (
        ThreadPoolExecutor(2) as pool,
        rasterio.Env(GDAL_CACHEMAX=256),
    ):
        open_files = {}
        for name, profile in files.items():
            path = folder / f"{name}.tif"
            open_files[name] = rasterio.open(path, "w", **common, **profile)
            open_files[name].update_tags(
                TIFFTAG_IMAGEDESCRIPTION=NOTE,
                SYNTHETIC="yes",
                LICENCE=LICENCE,
                SEED=str(SEED),
                UNIT={"elevation": "m", "land_cover": "class"}.get(name, "kWh/m²/year"),
            )
        waiting, ghi = [], []
        for start, stop in [*ground.strips(), (None, None)]:
            if start is not None:
                job = pool.submit(ground.strip, start, stop)
                waiting.append((start, job))
            while waiting and (start is None or len(waiting) > 2):
                top, job = waiting.pop(0)
                height, cover, sun = job.result()
                window = Window(0, top, *height.shape[::-1])
                open_files["elevation"].write(height, 1, window=window)
                open_files["land_cover"].write(cover, 1, window=window)
                ghi.append(sun)
        open_files["ghi"].write(np.concatenate(ghi), 1)
        for file in open_files.values():
            file.close()


def _features(name: str, ground: Ground) -> gpd.GeoSeries:
    """One layer in EPSG:4326; drawn in metres, its vertices then moved."""
    import geopandas as gpd
    import shapely

    random = _random(name)
    if name == "settlements":
        count = max(round(SETTLEMENTS * ground.share), 10)
        shapes = shapely.points(_on_land(random, ground, count))
    elif name == "roads":
        count = max(round(ROADS * ground.share), 20)
        shapes = _walks(random, ground, count, ROAD_VERTICES, ROAD_STEP_M)
    else:
        count = max(round(LINES * ground.share), 4)
        shapes = _walks(random, ground, count, LINE_VERTICES, LINE_STEP_M)
    return gpd.GeoSeries(shapes, crs=CRS).to_crs(4326)


def _on_land(random: Generator, ground: Ground, count: int) -> NDArray[np.float64]:
    """Places that are not at sea, most of them low. [m]"""
    places = random.random((count * 20, 2))
    at = (places * (ground.cols, ground.rows) / COARSE + 1).astype(int)
    height = ground.height[at[:, 1], at[:, 0]]
    wanted = (height > 0) & (random.random(len(at)) < np.exp(-height / 600))
    chosen = places[wanted][:count]
    size = np.array([ground.cols, -ground.rows]) * CELL_M
    return np.array([ground.west, ground.north]) + chosen * size


def _walks(
    random: Generator, ground: Ground, count: int, vertices: int, step_m: float
) -> NDArray[np.object_]:
    """Lines that turn a little at each vertex, reflected just outside the raster."""
    import shapely

    size = np.array([ground.cols, ground.rows]) * CELL_M
    turns = random.normal(scale=0.25, size=(count, vertices - 1))
    heading = random.uniform(0, 2 * np.pi, (count, 1)) + np.cumsum(turns, axis=1)
    length = step_m * random.uniform(0.5, 1.5, heading.shape)
    walk = np.zeros((count, vertices, 2))
    walk[:, 1:, 0] = np.cumsum(length * np.cos(heading), axis=1)
    walk[:, 1:, 1] = np.cumsum(length * np.sin(heading), axis=1)
    start = _on_land(random, ground, count)
    walk += start[np.arange(count) % len(start)][:, None]
    corner = np.array([ground.west, ground.north - size[1]]) - MARGIN_M
    room = size + 2 * MARGIN_M
    walk = corner + np.abs((walk - corner + room) % (2 * room) - room)
    return shapely.linestrings(walk)


def _write_vector(folder: Path, name: str, shapes: gpd.GeoSeries) -> None:
    import geopandas as gpd

    frame = gpd.GeoDataFrame(
        {
            "id": np.arange(len(shapes), dtype=np.int64),
            "name": [f"test {name[:-1].replace('_', ' ')} {i}" for i in shapes.index],
            "note": "synthetic",
        },
        geometry=shapes,
    )
    frame.to_parquet(folder / f"{name}.parquet")
    file = folder / f"{name}.gpkg"
    file.unlink(missing_ok=True)
    frame.to_file(
        file,
        layer=name,
        engine="pyogrio",
        layer_options={"IDENTIFIER": f"synthetic {name}", "DESCRIPTION": NOTE},
    )


def _plan(rows: int, cols: int) -> str:
    """The task in the words of a plan of sites."""
    legend = ", ".join(f'"{code}" = "{name}"' for code, name in LEGEND.items())
    codes = ", ".join(f'"{code}" = 1.0' for code in sorted(ELIGIBLE))
    return f"""\
# {NOTE}

id = "test-terrain-{rows}x{cols}"
title = "Synthetic test terrain, {rows} by {cols} cells"
sources = ["lodemap-judgement"]
synthetic = true

[rasters.elevation]
files = ["elevation.tif"]
unit = "m"
source = "test-terrain"
url = "tests/benchmarks/siting/terrain.py"
licence = "{LICENCE}"

[rasters.land_cover]
files = ["land_cover.tif"]
unit = "class"
legend = {{ {legend} }}
source = "test-terrain"
url = "tests/benchmarks/siting/terrain.py"
licence = "{LICENCE}"

[rasters.ghi]
files = ["ghi.tif"]
unit = "kWh/m²/year"
source = "test-terrain"
url = "tests/benchmarks/siting/terrain.py"
licence = "{LICENCE}"

[vectors.roads]
label = "road"
file = "roads.gpkg"
source = "test-terrain"
url = "tests/benchmarks/siting/terrain.py"
licence = "{LICENCE}"

[vectors.grid_lines]
label = "grid line"
file = "grid_lines.gpkg"
source = "test-terrain"
url = "tests/benchmarks/siting/terrain.py"
licence = "{LICENCE}"

[vectors.town]
label = "settlement"
file = "settlements.gpkg"
source = "test-terrain"
url = "tests/benchmarks/siting/terrain.py"
licence = "{LICENCE}"

[[criteria]]
id = "slope_deg"
label = "slope"
unit = "degrees"
max = 5
score = {{ down = [0, 5] }}
weight = 3.0
reason = "The task of the benchmark."
source = "test-terrain"

[[criteria]]
id = "land_cover"
label = "land cover"
unit = "class"
classes = {{ {codes} }}
reason = "Shrub, grass, cropland and bare ground, in the codes of ESA WorldCover."
source = "test-terrain"

[[criteria]]
id = "ghi"
label = "irradiance"
unit = "kWh/m²/year"
score = {{ up = [1250, 1500] }}
weight = 3.0
reason = "The task of the benchmark."
source = "test-terrain"

[[criteria]]
id = "grid_lines_m"
label = "distance to the grid"
unit = "m"
score = {{ down = [0, 50000] }}
weight = 2.0
reason = "The task of the benchmark."
source = "test-terrain"

[[criteria]]
id = "roads_m"
label = "distance to a road"
unit = "m"
min = 500
score = {{ down = [500, 20000] }}
weight = 1.0
reason = "The task of the benchmark."
source = "test-terrain"

[sites]
min_km2 = 1.0
max_shape_index = 1000
connectivity = 4
setback_m = 30
keep = 200
top_n = 10
reason = "The task of the benchmark; the rest for a look at the sites on a page."
source = "test-terrain"

[capacity.density_mwp_per_km2]
low = 35
mid = 50
high = 75
reason = "As in the shipped plan."
source = "test-terrain"

[capacity.usable_fraction]
low = 0.4
mid = 0.7
high = 0.9
reason = "As in the shipped plan."
source = "test-terrain"

[irradiance.bias]
low = 0.96
mid = 1.0
high = 1.04
reason = "As in the shipped plan."
source = "test-terrain"

[plant]
tilt_deg = 30
azimuth_deg = 180
albedo = 0.2
loss_percent = 14
inverter_efficiency = 0.98
temperature_coefficient_per_k = -0.0035
wind_m_per_s = 1.0
reason = "As in the shipped plan."
source = "test-terrain"

[plant.air_celsius]
monthly = [-0.8, 2.4, 8.9, 17.1, 22.6, 26.7, 28.6, 28.9, 24.7, 18.2, 9.4, 1.7]
reason = "As in the shipped plan."
source = "test-terrain"

[spread]
resource = 0.05
interannual = 0.035
model = 0.035
reason = "As in the shipped plan."
source = "test-terrain"

[uncertainty]
weight_spread = 0.3
reruns = 4
coarsen = 2
reason = "As in the shipped plan."
source = "test-terrain"

[[uncertainty.thresholds]]
id = "slope_deg"
key = "max"
low = 4
high = 8
reason = "As in the shipped plan."
source = "test-terrain"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--cols", type=int, default=COLS)
    asked = parser.parse_args()
    if min(asked.rows, asked.cols) < COARSE:
        parser.error(f"--rows and --cols are {COARSE} or more")
    draw(asked.folder, asked.rows, asked.cols)
    for path in sorted(asked.folder.iterdir()):
        print(f"{path.stat().st_size / 1e6:9.1f} MB  {path.name}")


if __name__ == "__main__":
    main()

"""The floor, Lodemap and the peers, each asked for the sites of one folder.

A chain's ``work`` is what is timed: from files to polygons with statistics, as far as
the chain gets. It runs in a process of its own, after once doing the same on a tiny
terrain, so that importing, compiling and starting threads are over. The peers run under
a Python of their own (:mod:`peers`); nothing here may import what one of the two lacks.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

BEST = "Lodemap, polygons of the best 500"
OURS, FLOOR, ATLITE = "Lodemap", "floor: inputs read once", "gdaldem + atlite chain"
STRIP = 512
CACHE_MB = 64
"""Bound on GDAL's block cache for the floor and for Lodemap. [MB]"""


@dataclass
class Sites:
    """What a chain found; arrays of shape ``(n,)``, empty where it has none."""

    cells: NDArray[np.int64]
    area_m2: NDArray[np.float64]
    geometry: NDArray[np.object_]
    means: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    eligible_cells: int = -1

    def save(self, path: Path) -> None:
        """Write what a judge reads, whichever Python it runs under."""
        import shapely

        wkb = shapely.to_wkb(self.geometry)
        lengths = np.array(
            [len(w) if w is not None else 0 for w in wkb], dtype=np.int64
        )
        np.savez(
            path,
            cells=self.cells,
            area_m2=self.area_m2,
            eligible_cells=self.eligible_cells,
            wkb=np.frombuffer(
                b"".join(w for w in wkb if w is not None), dtype=np.uint8
            ),
            lengths=lengths,
            **{f"mean_{name}": values for name, values in self.means.items()},
        )

    @classmethod
    def load(cls, path: Path) -> Sites:
        import shapely

        with np.load(path) as found:
            data = {name: found[name] for name in found.files}
        ends = np.cumsum(data["lengths"])
        raw = data["wkb"].tobytes()
        wkb = [
            raw[end - n : end] if n else None
            for end, n in zip(ends, data["lengths"], strict=True)
        ]
        return cls(
            cells=data["cells"],
            area_m2=data["area_m2"],
            geometry=shapely.from_wkb(np.array(wkb, dtype=object)),
            means={k[5:]: v for k, v in data.items() if k.startswith("mean_")},
            eligible_cells=int(data["eligible_cells"]),
        )


@dataclass(frozen=True, kw_only=True)
class Chain:
    """One row of the table."""

    name: str
    work: Callable[[Path, Path], Sites | None]
    does: str  # in a word or two
    modules: tuple[str, ...] = ()  # of the peers' Python; none: runs under ours
    programs: tuple[str, ...] = ()
    rounds: int = 100  # at most so many
    about_s: float = 0.0  # at full size, once on two cores
    whole: bool = False  # to polygons with statistics

    @property
    def missing(self) -> str:
        """A program that is not here."""
        return ", ".join(p for p in self.programs if shutil.which(p) is None)


def read_once(folder: Path, _: Path) -> None:
    """Decode every cell of the three rasters: two threads, own handles, 512 rows.

    Into the same memory again and again, so that no page is touched for the first time.
    """
    import threading

    import rasterio
    from rasterio.windows import Window

    local = threading.local()
    jobs = []
    for name in ("elevation", "land_cover", "ghi"):
        with rasterio.open(folder / f"{name}.tif") as source:
            jobs += [
                (name, row, min(STRIP, source.height - row), source.width)
                for row in range(0, source.height, STRIP)
            ]

    def read(job: tuple[str, int, int, int]) -> None:
        name, row, rows, cols = job
        if not hasattr(local, "handles"):
            local.handles, local.memory = {}, {}
        if name not in local.handles:
            source = rasterio.open(folder / f"{name}.tif")
            local.handles[name] = source
            local.memory[name] = np.empty((STRIP, cols), dtype=source.dtypes[0])
        out = local.memory[name][:rows]
        local.handles[name].read(1, window=Window(0, row, cols, rows), out=out)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(read, jobs))


def siting_of(folder: Path) -> Any:
    """The task of a folder's plan for Lodemap."""
    import geopandas as gpd

    from geo.raster import Grid, parse_criteria
    from geo.raster.bands import Band
    from geo.raster.siting import Siting

    plan = tomllib.loads((folder / "plan.toml").read_text("utf-8"))
    return Siting(
        grid=Grid.of(folder / "elevation.tif"),
        rasters={
            name: Band(
                paths=tuple(folder / file for file in raster["files"]),
                resampling="nearest" if raster["unit"] == "class" else "bilinear",
                unit=raster["unit"],
            )
            for name, raster in plan["rasters"].items()
        },
        features={
            name: gpd.read_file(folder / vector["file"], columns=[]).geometry
            for name, vector in plan["vectors"].items()
            if any(entry["id"] == f"{name}_m" for entry in plan["criteria"])
        },
        criteria=parse_criteria(plan["criteria"]),
        min_area_m2=plan["sites"]["min_km2"] * 1e6,
        connectivity=plan["sites"]["connectivity"],
    )


def lodemap(
    folder: Path, scratch: Path, *, keep: int | None = None, files: bool = False
) -> Sites:
    """Everything from files to ranked polygons."""
    from geo.raster.siting import find_sites

    options: dict[str, Any] = {} if keep is None else {"keep": keep}
    if files:
        options["folder"] = scratch / "files"
        shutil.rmtree(options["folder"], ignore_errors=True)
        options["folder"].mkdir()
    return sites_of(find_sites(siting_of(folder), **options))


def sites_of(found: Any) -> Sites:
    table = found.table
    return Sites(
        cells=table["cells"].to_numpy(),
        area_m2=table["area_m2"].to_numpy(),
        geometry=np.asarray(table.geometry.array, dtype=object),
        means={
            "slope": table["mean_slope_deg"].to_numpy(),
            "ghi": table["mean_ghi"].to_numpy(),
            "score": table["score"].to_numpy(),
        },
        eligible_cells=found.eligible_cells,
    )


def gdaldem_slope(folder: Path, scratch: Path) -> None:
    """GDAL's Horn slope into an uncompressed GeoTIFF."""
    subprocess.run(
        ["gdaldem", "slope", "-q", folder / "elevation.tif", scratch / "slope.tif"],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def xrspatial_slope(folder: Path, _: Path) -> None:
    """xarray-spatial's slope over Dask chunks, counted up to 5 degrees."""
    import dask
    import dask.array as da
    import rasterio
    import xarray as xr
    import xrspatial
    from rasterio.windows import Window

    path, side = folder / "elevation.tif", 2048
    with rasterio.open(path) as source:
        height, width = source.shape

    @dask.delayed
    def part(row: int, col: int, rows: int, cols: int) -> NDArray[np.float32]:
        with rasterio.open(path) as source:
            values = source.read(1, window=Window(col, row, cols, rows))
            values[values == source.nodata] = np.nan
        return values

    parts = []
    for row in range(0, height, side):
        rows = min(side, height - row)
        sizes = [(col, min(side, width - col)) for col in range(0, width, side)]
        parts.append(
            [
                da.from_delayed(part(row, col, rows, n), (rows, n), dtype="f4")
                for col, n in sizes
            ]
        )
    cells = xr.DataArray(da.block(parts), dims=("y", "x"), attrs={"res": (30.0, 30.0)})
    int((xrspatial.slope(cells) <= 5).sum().compute(num_workers=2))


def too_steep(slope: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Beyond 5 degrees, or without a value (-9999)."""
    return (slope < 0) | (slope > 5)


def atlite_chain(folder: Path, scratch: Path) -> Sites:
    """Slope by gdaldem, atlite's availability, scipy's labels, rasterio's outlines."""
    import geopandas as gpd
    import rasterio
    import shapely
    from atlite.gis import ExclusionContainer, shape_availability
    from rasterio.features import shapes
    from scipy import ndimage

    gdaldem_slope(folder, scratch)
    with rasterio.open(scratch / "slope.tif") as source:
        bounds, crs, cell = source.bounds, source.crs, source.res[0]
    excluder = ExclusionContainer(crs=crs, res=cell)
    excluder.add_raster(str(scratch / "slope.tif"), codes=too_steep, nodata=-9999)
    excluder.add_raster(
        str(folder / "land_cover.tif"), codes=[20, 30, 40, 60], invert=True
    )
    excluder.add_geometry(str(folder / "roads.gpkg"), buffer=500)
    # A metre less on each side: atlite adds a row and a column to a box on its lines.
    box = shapely.box(
        bounds.left + 1, bounds.bottom + 1, bounds.right - 1, bounds.top - 1
    )
    free, transform = shape_availability(gpd.GeoSeries([box], crs=crs), excluder)
    eligible_cells = int(free.sum())
    labels, count = ndimage.label(free)
    del free
    cells = np.bincount(labels.ravel(), minlength=count + 1)
    cells[0] = 0
    kept = np.flatnonzero(cells * cell**2 >= 1e6)
    number = np.zeros(count + 1, dtype=np.int32)
    number[kept] = np.arange(1, len(kept) + 1)
    labels = number[labels]
    geometry = np.empty(len(kept), dtype=object)
    for outline, value in shapes(labels, mask=labels > 0, transform=transform):
        geometry[int(value) - 1] = shapely.geometry.shape(outline)
    with rasterio.open(scratch / "slope.tif") as source:
        slope = source.read(1)
    inside = labels > 0
    here = labels[inside]
    mean = np.bincount(here, weights=slope[inside], minlength=len(kept) + 1)[1:]
    with rasterio.open(folder / "ghi.tif") as source:
        coarse = source.read(1)
        step = round(source.res[0] / cell)
    rows, cols = np.nonzero(inside)
    sun = np.bincount(
        here, weights=coarse[rows // step, cols // step], minlength=len(kept) + 1
    )[1:]
    n = cells[kept]
    return Sites(
        cells=n,
        area_m2=n * cell**2,
        geometry=geometry,
        means={"slope": mean / n, "ghi": sun / n},
        eligible_cells=eligible_cells,
    )


CHAINS = {
    chain.name: chain
    for chain in (
        Chain(name=FLOOR, work=read_once, does="reads", about_s=1.0),
        Chain(
            name=OURS,
            work=lodemap,
            does="ranked polygons, statistics, scores",
            about_s=2.0,
            whole=True,
        ),
        Chain(
            name=BEST,
            work=lambda folder, scratch: lodemap(folder, scratch, keep=500),
            does="statistics, scores of all",
            about_s=2.0,
        ),
        Chain(
            name=f"{OURS}, with its rasters written",
            work=lambda folder, scratch: lodemap(folder, scratch, files=True),
            does="score.tif and mask.tif as well",
            rounds=2,
            about_s=8.0,
        ),
        Chain(
            name=ATLITE,
            work=atlite_chain,
            does="polygons, two statistics",
            modules=("atlite", "scipy", "rasterio"),
            programs=("gdaldem",),
            rounds=2,
            about_s=40.0,
            whole=True,
        ),
        Chain(
            name="gdaldem",
            work=gdaldem_slope,
            does="slope only",
            programs=("gdaldem",),
            rounds=3,
            about_s=9.0,
        ),
        Chain(
            name="xarray-spatial",
            work=xrspatial_slope,
            does="slope only, counted",
            modules=("xrspatial", "dask"),
            rounds=3,
            about_s=4.0,
        ),
    )
}

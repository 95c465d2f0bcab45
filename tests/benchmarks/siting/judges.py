"""Judges Lodemap's answers, and the peers', by means that neither uses.

Slope by numpy in float64; distances to roads by GEOS, cell by cell; polygons by GEOS;
where two chains disagree on a cell, that cell is decided from the three rasters and the
roads themselves. What needs the peers' Python is asked of :mod:`oracles`.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from chains import Sites, siting_of
from terrain import CELL_M, ELIGIBLE, SEED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SAMPLES = 200_000
MIDDLE = (6000, 8000)  # at most so many rows and columns are sampled for buffers
BUFFER_M, STEEP_DEG = 500.0, 5.0
ZONES = 300  # sites that exactextract measures
DOUBT_M, DOUBT_DEG = 1e-3, 2e-5  # nearer to a limit than that is counted apart


def horn(z: Floats) -> Floats:
    """Slope in float64, of the cells that have all their neighbours. [degrees]"""
    a, b, c = z[:-2, :-2], z[:-2, 1:-1], z[:-2, 2:]
    d, f = z[1:-1, :-2], z[1:-1, 2:]
    g, h, i = z[2:, :-2], z[2:, 1:-1], z[2:, 2:]
    east = ((c + 2 * f + i) - (a + 2 * d + g)) / (8 * CELL_M)
    north = ((a + 2 * b + c) - (g + 2 * h + i)) / (8 * CELL_M)
    return np.degrees(np.arctan(np.hypot(east, north)))


def elevation(source: Any, row: int, col: int, rows: int, cols: int) -> Floats:
    """A window with a frame of one cell; NaN off the raster and where it has none."""
    from rasterio.windows import Window

    top, left = max(row - 1, 0), max(col - 1, 0)
    bottom = min(row + rows + 1, source.height)
    right = min(col + cols + 1, source.width)
    inner = source.read(1, window=Window(left, top, right - left, bottom - top))
    inner = inner.astype("f8")
    inner[inner == source.nodata] = np.nan
    values = np.full((rows + 2, cols + 2), np.nan)
    down, across = top - row + 1, left - col + 1
    values[down : down + bottom - top, across : across + right - left] = inner
    return values


def slopes(folder: Path, theirs: Path) -> dict[str, float]:
    """Largest error of our kernel, and of gdaldem's file, in windows all over. [deg]"""
    import rasterio
    from rasterio.windows import Window

    from geo.raster.kernels.horn import slope_tile

    worst = {"lodemap": 0.0, "gdaldem": np.nan, "cells": 0.0, "differ_on_nan": 0.0}
    random = np.random.default_rng(SEED)
    with rasterio.open(folder / "elevation.tif") as source:
        side = min(1024, *source.shape)
        for _ in range(12):
            row, col = (int(random.integers(0, n - side + 1)) for n in source.shape)
            z = elevation(source, row, col, side, side)
            truth = horn(z)
            truth[np.isnan(z[1:-1, 1:-1])] = np.nan
            ours = np.empty(truth.shape, dtype="f4")
            metres = np.full(side, CELL_M)
            slope_tile(z.astype("f4"), metres, metres, ours)
            known = ~np.isnan(truth)
            worst["differ_on_nan"] += float((known != ~np.isnan(ours)).sum())
            error = np.abs(ours - truth)[known]
            worst["cells"] += known.sum()
            worst["lodemap"] = max(worst["lodemap"], float(np.nanmax(error, initial=0)))
            if theirs.exists():
                with rasterio.open(theirs) as file:
                    gdal = file.read(1, window=Window(col, row, side, side))
                both = known & (gdal >= 0)
                error = np.abs(gdal - truth)[both].max(initial=0)
                worst["gdaldem"] = float(np.nanmax([worst["gdaldem"], error]))
    return {name: float(value) for name, value in worst.items()}


class Roads:
    """Exact distances from cell centres to the roads, by GEOS."""

    def __init__(self, folder: Path) -> None:
        import geopandas as gpd
        import shapely

        lines = gpd.read_parquet(folder / "roads.parquet").geometry
        # An edge is straight in degrees: in a hundred metres it leaves the chord by
        # less than 0.2 mm.
        dense = gpd.GeoSeries(shapely.segmentize(lines.array, 0.0012), crs=4326)
        xy, line = shapely.get_coordinates(
            dense.to_crs(32651).to_numpy(), return_index=True
        )
        same = line[:-1] == line[1:]
        ends = np.stack([xy[:-1][same], xy[1:][same]], axis=1)
        self.tree = shapely.STRtree(shapely.linestrings(ends))

    def distance_m(self, xy: Floats) -> Floats:
        import shapely

        if not len(xy):
            return np.empty(0)
        (at, _), metres = self.tree.query_nearest(
            shapely.points(xy), return_distance=True, all_matches=False
        )
        out = np.empty(len(xy))
        out[at] = metres
        return out


def sample(shape: tuple[int, int]) -> tuple[tuple[int, int, int, int], Ints]:
    """A window in the middle, and cells of it as row and column from its corner."""
    rows, cols = np.minimum(shape, MIDDLE).tolist()
    row, col = (shape[0] - rows) // 2, (shape[1] - cols) // 2
    random = np.random.default_rng([SEED, 1])
    cells = np.column_stack(
        [random.integers(0, rows, SAMPLES), random.integers(0, cols, SAMPLES)]
    )
    return (row, col, rows, cols), cells


def centres(folder: Path, rows: Ints, cols: Ints) -> Floats:
    import rasterio

    with rasterio.open(folder / "elevation.tif") as source:
        t = source.transform
    return np.column_stack([t.c + (cols + 0.5) * t.a, t.f + (rows + 0.5) * t.e])


def buffers(folder: Path, python: str) -> dict[str, Any]:
    """Errors of 500 m around roads, in cells drawn from the middle."""
    import geopandas as gpd

    from geo.raster import Grid
    from geo.raster.buffers import prepare

    grid = Grid.of(folder / "elevation.tif")
    (row, col, rows, cols), cells = sample(grid.shape)
    xy = centres(folder, cells[:, 0] + row, cells[:, 1] + col)
    distance = Roads(folder).distance_m(xy)
    doubtful = np.abs(distance - BUFFER_M) < DOUBT_M
    truth = distance <= BUFFER_M
    roads = gpd.read_parquet(folder / "roads.parquet").geometry
    marks = np.zeros((rows, cols), dtype=np.uint8)
    prepare(roads, grid, BUFFER_M).mark(marks, row=row, column=col)
    answers = {"Lodemap": marks[cells[:, 0], cells[:, 1]] > 0}
    with tempfile.TemporaryDirectory(prefix="lodemap-judge-") as place:
        file = Path(place, "cells.npz")
        np.savez(file, window=(row, col, rows, cols), cells=cells)
        if ask(python, "buffers", folder, file):
            with np.load(file.with_suffix(".answer.npz")) as found:
                answers |= {name: found[name] for name in found.files}
    return {
        "cells": SAMPLES,
        "drawn_from": [rows, cols],
        "inside": int(truth.sum()),
        "nearer_than_1_mm_to_the_limit": int(doubtful.sum()),
        "errors": {
            name: {
                "kept_though_inside": int((truth & ~said & ~doubtful).sum()),
                "excluded_though_outside": int((~truth & said & ~doubtful).sum()),
            }
            for name, said in answers.items()
        },
    }


def outlines(sites: Sites) -> dict[str, Any]:
    """Validity and area of the polygons."""
    import shapely

    there = sites.geometry != None  # noqa: E711 - element by element
    shapes, cells = sites.geometry[there], sites.cells[there]
    difference = np.abs(shapely.area(shapes) - cells * CELL_M**2)
    return {
        "polygons": len(shapes),
        "not_valid": int((~shapely.is_valid(shapes)).sum()),
        "largest_area_difference_m2": float(difference.max(initial=0)),
        "largest_difference_of_stated_area_m2": float(
            np.abs(sites.area_m2 - sites.cells * CELL_M**2).max(initial=0)
        ),
        "vertices": int(shapely.get_num_coordinates(shapes).sum()),
    }


def zones(folder: Path, sites: Path, python: str) -> dict[str, Any] | None:
    """Counts and means of some sites against exactextract."""
    with tempfile.TemporaryDirectory(prefix="lodemap-judge-") as place:
        file = Path(place, "zones.npz")
        np.savez(file, sites=str(sites), zones=ZONES)
        if not ask(python, "zones", folder, file):
            return None
        return json.loads(file.with_suffix(".answer.json").read_text())


def ask(python: str, question: str, folder: Path, file: Path) -> bool:
    """Ask the oracles; whether they answered."""
    if not python:
        return False
    script = Path(__file__).with_name("oracles.py")
    done = subprocess.run(
        [python, str(script), question, str(folder), str(file)],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        print(f"oracles, {question}: {done.stderr.strip()[-400:]}", flush=True)
    return not done.returncode


def disagreement(folder: Path, ours: Sites, theirs: Sites) -> dict[str, Any]:
    """Cells that are in a site of one chain alone, each decided on its own."""
    import rasterio

    with rasterio.open(folder / "elevation.tif") as source:
        shape, transform = source.shape, source.transform
    mine, other = (_burned(one, shape, transform) for one in (ours, theirs))
    out: dict[str, Any] = {
        "sites": [len(ours.cells), len(theirs.cells)],
        "cells_in_sites": [int(ours.cells.sum()), int(theirs.cells.sum())],
        "cells_in_polygons": [int(mine.sum()), int(other.sum())],
        "eligible_cells": [ours.eligible_cells, theirs.eligible_cells],
        "sites_alike_in_cells_and_bounds": _alike(ours, theirs),
    }
    roads = Roads(folder)
    for name, only in (("ours_only", mine & ~other), ("theirs_only", other & ~mine)):
        rows, cols = np.nonzero(only)
        eligible, doubtful = decided(folder, roads, rows, cols)
        out[name] = {
            "cells": len(rows),
            "eligible": int((eligible & ~doubtful).sum()),
            "not_eligible": int((~eligible & ~doubtful).sum()),
            "too_near_to_a_limit_to_say": int(doubtful.sum()),
        }
    return out


def _burned(sites: Sites, shape: tuple[int, int], transform: Any) -> NDArray[np.bool_]:
    from rasterio.features import rasterize

    shapes = [shape for shape in sites.geometry if shape is not None]
    if not shapes:
        return np.zeros(shape, dtype=bool)
    return rasterize(
        shapes, out_shape=shape, transform=transform, dtype="uint8"
    ).astype(bool)


def _alike(ours: Sites, theirs: Sites) -> int:
    """How many sites have the same number of cells and the same bounds."""
    import shapely

    def forms(sites: Sites) -> set[tuple[float, ...]]:
        bounds = np.round(shapely.bounds(sites.geometry) / CELL_M)
        return set(map(tuple, np.column_stack([sites.cells, bounds]).tolist()))

    return len(forms(ours) & forms(theirs))


def decided(
    folder: Path, roads: Roads, rows: Ints, cols: Ints
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether cells are eligible, from the files; and whether they are at a limit."""
    import rasterio
    from rasterio.windows import Window

    slope, cover = np.empty(len(rows)), np.empty(len(rows), dtype=int)
    with (
        rasterio.open(folder / "elevation.tif") as dem,
        rasterio.open(folder / "land_cover.tif") as classes,
    ):
        for top in np.unique(rows // 512) * 512:
            here = rows // 512 * 512 == top
            height = min(512, dem.height - top)
            degrees = horn(elevation(dem, top, 0, height, dem.width))
            slope[here] = degrees[rows[here] - top, cols[here]]
            codes = classes.read(1, window=Window(0, top, dem.width, height))
            cover[here] = codes[rows[here] - top, cols[here]]
    distance = roads.distance_m(centres(folder, rows, cols))
    flat = slope <= STEEP_DEG  # NaN is not
    right = np.isin(cover, ELIGIBLE)
    eligible = flat & right & (distance >= BUFFER_M)
    doubtful = (np.abs(slope - STEEP_DEG) < DOUBT_DEG) | (
        np.abs(distance - BUFFER_M) < DOUBT_M
    )
    return eligible, doubtful & right & ~np.isnan(slope)


def digest(found: Any) -> str:
    """One number for everything that a search found."""
    import shapely

    whole = hashlib.sha256()
    for name in found.table.columns.drop("geometry"):
        whole.update(np.ascontiguousarray(found.table[name].to_numpy()).tobytes())
    for wkb in shapely.to_wkb(np.asarray(found.table.geometry.array, dtype=object)):
        whole.update(wkb)
    for column in found.runs:
        whole.update(np.ascontiguousarray(column).tobytes())
    return whole.hexdigest()


def invariance(folder: Path) -> dict[str, Any]:
    """Digests of the same search cut and shared out in different ways."""
    from geo.raster.siting import find_sites

    siting = siting_of(folder)
    ways: dict[str, dict[str, Any]] = {
        "as called": {},
        "one thread": {"threads": 1},
        "four threads": {"threads": 4},
        "tiles of 256": {"tile": 256},
        "tiles of 1000": {"tile": 1000},
        "tiles of 997, three threads": {"tile": 997, "threads": 3},
    }
    digests = {name: digest(find_sites(siting, **way)) for name, way in ways.items()}
    from geo import scale

    if hasattr(scale, "sites"):
        digests["Dask, two worker processes"] = _on_dask(siting)
    return {"same": len(set(digests.values())) == 1, "digests": digests}


def _on_dask(siting: Any) -> str:
    import distributed

    from geo import scale

    with (
        tempfile.TemporaryDirectory(prefix="lodemap-judge-") as place,
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            silence_logs="ERROR",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = scale.sites(siting, Path(place), client=client)
        return digest(found)

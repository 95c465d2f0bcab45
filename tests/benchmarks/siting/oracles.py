"""Asks the peers' Python: atlite's buffers, and exactextract on sites.

    python oracles.py buffers|zones FOLDER FILE

reads the question from FILE, a ``.npz``, and writes its answer beside it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from chains import Sites
from judges import SEED, elevation, horn

BUFFER_M = 500.0
MARGIN = 20  # cells about the window whose roads reach into it


def buffers(folder: Path, file: Path) -> None:
    """What atlite excludes around roads, three ways, at some cells of a window."""
    import geopandas as gpd
    import rasterio
    import shapely
    from atlite.gis import ExclusionContainer, shape_availability
    from rasterio.features import rasterize

    with np.load(file) as asked:
        row, col, rows, cols = asked["window"].tolist()
        cells = asked["cells"]
    with rasterio.open(folder / "elevation.tif") as source:
        t, crs = source.transform, source.crs
    row, col = row - MARGIN, col - MARGIN
    rows, cols = rows + 2 * MARGIN, cols + 2 * MARGIN
    part = t @ rasterio.Affine.translation(col, row)
    roads = gpd.read_file(folder / "roads.gpkg").to_crs(crs).geometry
    box = shapely.box(
        part.c + 1, part.f + rows * t.e + 1, part.c + cols * t.a - 1, part.f - 1
    )
    where = gpd.GeoSeries([box], crs=crs)
    answers = {}
    with tempfile.TemporaryDirectory(prefix="lodemap-oracle-") as place:
        burned = Path(place, "roads.tif")
        with rasterio.open(
            *(burned, "w"),
            driver="GTiff",
            height=rows,
            width=cols,
            count=1,
            dtype="uint8",
            crs=crs,
            transform=part,
            compress="deflate",
        ) as target:
            lines = rasterize(roads, out_shape=(rows, cols), transform=part)
            target.write(lines.astype("uint8"), 1)
        for name, options in {
            "atlite, raster (its default)": {},
            "atlite, raster, circular": {"buffer_geometry": "circular"},
            "atlite, geometry": None,
        }.items():
            excluder = ExclusionContainer(crs=crs, res=t.a)
            if options is None:
                # By its path: atlite 0.7.0 leaves out the buffer of what is open.
                excluder.add_geometry(str(folder / "roads.gpkg"), buffer=BUFFER_M)
            else:
                excluder.add_raster(
                    str(burned), codes=[1], buffer=BUFFER_M, nodata=0, **options
                )
            free, _ = shape_availability(where, excluder)
            assert free.shape == (rows, cols), free.shape
            answers[name] = ~free[cells[:, 0] + MARGIN, cells[:, 1] + MARGIN]
    np.savez(file.with_suffix(".answer.npz"), **answers)


def zones(folder: Path, file: Path) -> None:
    """Counts and means of some sites by exactextract, on values in float64."""
    import geopandas as gpd
    import rasterio
    from exactextract import exact_extract
    from exactextract.raster import NumPyRasterSource
    from scipy.ndimage import map_coordinates

    with np.load(file) as asked:
        sites, count = Sites.load(Path(str(asked["sites"]))), int(asked["zones"])
    there = np.flatnonzero([shape is not None for shape in sites.geometry])
    random = np.random.default_rng([SEED, 2])
    largest = there[np.argsort(-sites.cells[there], kind="stable")[:10]]
    rest = np.setdiff1d(there, largest)
    chosen = np.concatenate(
        [largest, random.permutation(rest)[: max(count - len(largest), 0)]]
    )
    worst = {"count": 0.0, "slope_deg": 0.0, "ghi_bilinear": 0.0, "ghi_by_area": 0.0}
    with (
        rasterio.open(folder / "elevation.tif") as dem,
        rasterio.open(folder / "ghi.tif") as sun,
    ):
        coarse = sun.read(1).astype("f8")
        step = round(sun.res[0] / dem.res[0])
        crs = dem.crs
        for site in chosen:
            shape = sites.geometry[site]
            west, south, east, north = shape.bounds
            (top, left), (bottom, right) = (
                dem.index(west + 1, north - 1),
                dem.index(east - 1, south + 1),
            )
            rows, cols = bottom - top + 1, right - left + 1
            extent = dict(
                zip(("xmin", "ymin", "xmax", "ymax"), shape.bounds, strict=True)
            )
            slope = horn(elevation(dem, top, left, rows, cols))
            down = (np.arange(top, top + rows) + 0.5) / step - 0.5
            across = (np.arange(left, left + cols) + 0.5) / step - 0.5
            ghi = map_coordinates(
                coarse,
                np.meshgrid(down, across, indexing="ij"),
                order=1,
                mode="nearest",
            )
            zone = gpd.GeoDataFrame(geometry=[shape], crs=crs)

            options = {**extent, "srs_wkt": crs.to_wkt()}
            by_slope, by_ghi = (
                exact_extract(
                    NumPyRasterSource(values, **options), zone, ["count", "mean"]
                )[0]["properties"]
                for values in (slope, ghi)
            )
            [found] = exact_extract(sun, zone, ["mean"])
            for name, error in {
                "count": by_slope["count"] - sites.cells[site],
                "slope_deg": by_slope["mean"] - sites.means["slope"][site],
                "ghi_bilinear": by_ghi["mean"] - sites.means["ghi"][site],
                "ghi_by_area": found["properties"]["mean"] - sites.means["ghi"][site],
            }.items():
                worst[name] = float(np.maximum(worst[name], abs(error)))  # NaN stays
    answer = {"sites": len(chosen), "of": len(there), "largest_differences": worst}
    file.with_suffix(".answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    {"buffers": buffers, "zones": zones}[sys.argv[1]](
        Path(sys.argv[2]), Path(sys.argv[3])
    )

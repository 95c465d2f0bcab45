"""A made-up Pyongan: tiny rasters under the names and in the layout of the real ones.

The names, the tiling, the units, the codes and the data types are those of Copernicus
GLO-30, ESA WorldCover 2021 and the Global Solar Atlas; the cells are larger and the
ground is a formula. ``python -m tests.pyongan FOLDER`` writes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import rasterio

import layers

SHIPPED = Path(layers.__file__).parent / "data" / "siting" / "pyongan.toml"

DEM_CELLS = 120
"""Cells along a side of a tile of elevation, 1° (really 3600)."""

COVER_CELLS = 480
"""Cells along a side of a tile of land cover, 3° (really 36,000)."""

LATITUDES, LONGITUDES = (38, 39, 40), (124, 125, 126, 127)


def write_world(folder):
    """Write elevation, land cover and irradiation as `lodemap fetch` leaves them."""
    folder = Path(folder)
    for lat in LATITUDES:
        for lon in LONGITUDES:
            name = f"Copernicus_DSM_COG_10_N{lat:02d}_00_E{lon:03d}_00_DEM.tif"
            side = 1 / DEM_CELLS
            # Cells are centred on whole degrees.
            write(
                folder / "copernicus-glo-30" / name,
                west=lon - side / 2,
                north=lat + 1 + side / 2,
                side=side,
                values=lambda x, y: height(x, y).astype("float32"),
                cells=DEM_CELLS,
            )
    for lat in (36, 39):
        for lon in (123, 126):
            name = f"ESA_WorldCover_10m_2021_v200_N{lat:02d}E{lon:03d}_Map.tif"
            write(
                folder / "esa-worldcover-2021" / name,
                west=lon,
                north=lat + 3,
                side=3 / COVER_CELLS,
                values=lambda x, y: cover(x, y).astype("uint8"),
                cells=COVER_CELLS,
                nodata=0,
            )
    write(
        folder / "global-solar-atlas-ghi" / "GHI.tif",
        west=122.0,
        north=43.0,
        side=0.05,
        values=lambda x, y: sunlight(x, y).astype("float32"),
        cells=140,
        nodata=np.nan,
    )
    return folder


def plan_text(*swaps):
    """The plan that ships, with texts put in place of others."""
    text = SHIPPED.read_text("utf-8")
    for old, new in swaps:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def write_plan(folder, *swaps):
    """Write the plan that ships, changed, and return its path."""
    path = Path(folder) / "mine.toml"
    path.write_text(plan_text(*swaps), "utf-8")
    return path


def height(lon, lat):
    """Plains in the south-west, hills to the north-east. [m]"""
    rise = np.maximum(0.0, (lon - 125.4) + (lat - 39.6))
    waves = np.sin(lon * 9) * np.cos(lat * 11)
    bumps = np.sin(lon * 83) * np.sin(lat * 97)
    return 30 + 260 * rise**1.5 * (1 + 0.6 * waves) + 8 * (1 + waves) + 45 * (1 + bumps)


def cover(lon, lat):
    """Fields, with grass, woods, villages and a river through them; ESA's codes."""
    pattern = np.sin(lon * 37) + np.cos(lat * 41)
    codes = np.where(pattern > 1.0, 30, 40)
    codes = np.where(pattern < -1.2, 10, codes)
    codes = np.where(np.abs(lon - 125.7 - 0.1 * np.sin(lat * 8)) < 0.012, 80, codes)
    return np.where((np.sin(lon * 90) > 0.97) & (np.cos(lat * 80) > 0.9), 50, codes)


def sunlight(lon, lat):
    """A little less sun to the north. [kWh/m²/day]"""
    return 3.95 - 0.06 * (lat - 39) + 0.02 * np.sin(lon * 5)


def write(
    path, *, west, north, side, values, cells, nodata=None, crs="EPSG:4326", **more
):
    """Write a square GeoTIFF of a function of the cell centres."""
    path.parent.mkdir(parents=True, exist_ok=True)
    x = west + (np.arange(cells) + 0.5) * side
    y = north - (np.arange(cells) + 0.5) * side
    array = np.broadcast_to(values(*np.meshgrid(x, y)), (cells, cells))
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=cells,
        height=cells,
        count=1,
        dtype=array.dtype,
        crs=crs,
        transform=rasterio.Affine(side, 0, west, 0, -side, north),
        nodata=nodata,
        compress="deflate",
        **more,
    ) as out:
        out.write(array, 1)
    return path


if __name__ == "__main__":
    write_world(sys.argv[1])

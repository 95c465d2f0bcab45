"""Measure how well the shipped grids lie on the shipped coast.

``python -m layers.rebuild.registration_check`` prints the figures that stand in the
catalogue. It reads shipped files only.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layers.rebuild.recipes import DATA

if TYPE_CHECKING:
    import numpy as np
    from affine import Affine
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

SUBCELLS = 10
"""Each cell is split into this many rows and columns to find its share of land."""

SEA_LEVEL_M = -2
"""An altitude cell above this counts as land: the third step of the source. [m]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """How a grid agrees with the coast when it is moved.

    Attributes
    ----------
    dlon_deg, dlat_deg
        Displacement of the grid to the east and to the north. [degrees]
    correlation
        Pearson's r between "the cell is land" and the cell's share of land.
    agreement
        Share of the cells that are land by both or water by both.
    """

    dlon_deg: float
    dlat_deg: float
    correlation: float
    agreement: float


def agreement(
    is_land: NDArray[np.bool_],
    transform: Affine,
    land: Sequence[BaseGeometry],
    *,
    dlon_deg: float = 0.0,
    dlat_deg: float = 0.0,
) -> Shift:
    """Compare a grid's land mask with land polygons, the grid being displaced.

    Parameters
    ----------
    is_land
        Shape ``(rows, columns)``, north up.
    transform
        Of the grid, in EPSG:4326.
    land
        Polygons in EPSG:4326 that cover the grid.
    dlon_deg, dlat_deg
        Displacement of the grid. [degrees]

    Returns
    -------
    Shift
        The displacement and what it gives.
    """
    import numpy as np
    from affine import Affine
    from rasterio.features import rasterize

    rows, columns = is_land.shape
    west, north = transform.c + dlon_deg, transform.f + dlat_deg
    width, height = transform.a / SUBCELLS, transform.e / SUBCELLS
    fine = rasterize(
        list(land),
        out_shape=(rows * SUBCELLS, columns * SUBCELLS),
        transform=Affine(width, 0, west, 0, height, north),
        fill=0,
    )
    blocks = fine.reshape(rows, SUBCELLS, columns, SUBCELLS)
    share = blocks.mean(axis=(1, 3))
    return Shift(
        dlon_deg=dlon_deg,
        dlat_deg=dlat_deg,
        correlation=float(np.corrcoef(is_land.ravel(), share.ravel())[0, 1]),
        agreement=float(np.mean(is_land == (share >= 0.5))),
    )


def land_mask(name: str, data: Path = DATA) -> tuple[NDArray[np.bool_], Affine]:
    """Which cells of a shipped grid are land.

    Parameters
    ----------
    name
        ``"land-cover"`` (land is every class but water) or ``"altitude"``.
    data
        Folder of the shipped files.

    Returns
    -------
    tuple
        Mask of shape ``(rows, columns)`` and the grid's transform.
    """
    import rasterio

    with rasterio.open(data / f"{name}.tif") as grid:
        band = grid.read(1)
        transform: Affine = grid.transform
    mask: NDArray[np.bool_] = band > (0 if name == "land-cover" else SEA_LEVEL_M)
    return mask, transform


def land_polygons(data: Path = DATA) -> list[BaseGeometry]:
    """Polygons of the shipped 1:10m land."""
    import pyogrio

    return list(pyogrio.read_dataframe(data / "base-land.geojson").geometry)


def best(name: str, steps_deg: Sequence[float], data: Path = DATA) -> Shift:
    """Find the displacement, of a square of candidates, that agrees best.

    Parameters
    ----------
    name
        As for :func:`land_mask`.
    steps_deg
        Candidates for either axis. [degrees]
    data
        Folder of the shipped files.

    Returns
    -------
    Shift
        The one with the highest correlation.
    """
    mask, transform = land_mask(name, data)
    land = land_polygons(data)
    every = [
        agreement(mask, transform, land, dlon_deg=dlon, dlat_deg=dlat)
        for dlon in steps_deg
        for dlat in steps_deg
    ]
    return max(every, key=lambda shift: shift.correlation)


def main() -> None:
    """Print the table."""
    land = land_polygons()
    trials = {
        "land-cover": [
            (0, 0),
            (0, 0.19),
            (0, -0.19),
            (0, 0.0021),
            (0, 0.05),
            (0.05, 0),
        ],
        "altitude": [(0, 0), (-1 / 15, 0), (1 / 15, 0), (0, 1 / 24), (0, -1 / 24)],
    }
    for name, displacements in trials.items():
        mask, transform = land_mask(name)
        for dlon, dlat in displacements:
            shift = agreement(mask, transform, land, dlon_deg=dlon, dlat_deg=dlat)
            sys.stdout.write(f"{name} {shift}\n")
        steps = [i / 60 for i in range(-6, 7)]
        found = best(name, steps)
        sys.stdout.write(f"{name} best of {len(steps) ** 2}: {found}\n")


if __name__ == "__main__":
    main()

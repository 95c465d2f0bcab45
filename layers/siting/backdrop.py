"""The raster of scores as what lies under the sites in a project of QGIS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.raster.reading import open_raster
from layers.export.content import Backdrop
from layers.siting.words import SYNTHETIC
from layers.symbology import MARKS, rounded_out

if TYPE_CHECKING:
    from pathlib import Path

    from layers.siting.sites import SolarSites

SCORE = "score.tif"
"""Name of the raster of scores."""

MEANING = (
    "How well a cell meets the criteria, by their weights; 1 is best. Computed by us, "
    "not reported. Not coloured is what a criterion leaves out, has no data, or was "
    "not looked at."
)
"""What the raster shows."""

_MOST = 1024
"""Rows and columns that are looked at for the ends of the key, at the most."""


def score_backdrop(found: SolarSites) -> tuple[Backdrop, ...]:
    """Say how the raster of scores is to be shown.

    Parameters
    ----------
    found
        Sites.

    Returns
    -------
    tuple of Backdrop
        Empty where no such raster was written, or no cell in it has a score.

    Raises
    ------
    GridError
        If the raster cannot be opened.
    """
    for path in found.outputs:
        if path.name == SCORE and path.is_file():
            return _backdrop(path, synthetic=found.synthetic)
    return ()


def _backdrop(path: Path, *, synthetic: bool) -> tuple[Backdrop, ...]:
    """Look at an overview of the raster for its CRS and the ends of the key."""
    with open_raster(path) as raster:
        shape = tuple(min(side, _MOST) for side in raster.shape)
        stored = raster.read(1, out_shape=shape, masked=True).compressed()
        scores = stored * raster.scales[0] + raster.offsets[0]
        crs = raster.crs.to_wkt(version="WKT2_2019")
    if not len(scores):
        return ()
    low, high = rounded_out(float(scores.min()), float(scores.max()))
    made_up = f" ({SYNTHETIC.lower()})" if synthetic else ""
    return (
        Backdrop(
            id="suitability",
            file=SCORE,
            title=f"Suitability{made_up}",
            abstract=MEANING,
            crs=crs,
            low=low,
            high=high,
            group=MARKS["site"].group,
        ),
    )

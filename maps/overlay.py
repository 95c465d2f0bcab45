"""A raster on the page: one picture in Web Mercator, with its key and its opacity.

A browser stretches a picture evenly in the plane of the map, which is Web Mercator; a
raster in any other CRS is therefore warped first, or its middle would lie in the wrong
place.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import GridError
from layers.symbology import COMPUTED, FAINTEST, OVERLAY, Mark, Scale, rounded_out
from maps.facts import number
from maps.page import ExchangeMap, PageError

if TYPE_CHECKING:
    import os

    import folium
    from numpy.typing import NDArray

    from geo.raster.grid import Grid

MOST_PIXELS = 1200
"""Greatest width and height of the picture. [px]"""

MOST_BYTES = 700_000
"""Greatest size of the picture as PNG; a larger one is drawn again, coarser. [bytes]"""

STEPS = 20
"""Colours of the key; more could not be told apart."""

_FINER = 8
_SIDE = 2
_MERCATOR = "EPSG:3857"
_EDGE_M = math.pi * 6378137.0


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """A raster as the page shows it.

    Attributes
    ----------
    name, about
        Name in the legend, and what it shows.
    scale
        Its key.
    bounds
        ``(west, south, east, north)`` of the picture. [degrees]
    url
        The picture, a PNG as a ``data:`` address.
    shape
        Rows and columns of the picture.
    cells
        Cells of the file along one pixel of the picture, about; 1 or less when none
        were put together. [1]
    """

    name: str
    about: str
    scale: Scale
    bounds: tuple[float, float, float, float]
    url: str
    shape: tuple[int, int]
    cells: float


def read_overlay(
    path: str | os.PathLike[str],
    *,
    name: str,
    unit: str = "",
    about: str = "",
    clear: str = "no value",
    band: int = 1,
    limits: tuple[float, float] | None = None,
) -> Overlay:
    """Turn a raster into a picture in Web Mercator.

    Parameters
    ----------
    path
        Raster that GDAL can open, in any CRS, north up. Its scale, offset and nodata
        are those that the file states.
    name, unit, about
        Name in the legend, what the numbers are, and what the layer shows.
    clear
        What it means where nothing is drawn.
    band
        Band to draw, counted from 1.
    limits
        Values of the faintest and the strongest colour; the range of the values,
        rounded outwards, when not given.

    Returns
    -------
    Overlay
        For :func:`add_overlay`.

    Raises
    ------
    geo.errors.CRSMissingError
        If the file names no CRS.
    geo.errors.GridError
        If it is no raster or truncated, has no such band, is not north up, holds no
        value, or lies across the antimeridian or beyond 85° of latitude.
    maps.page.PageError
        If ``limits`` are not two numbers, the smaller first.

    Notes
    -----
    Read from the overviews of the file. A picture of fewer pixels than the file has
    cells takes four cells from all over each pixel: it is drawn in their mean where at
    least two of them hold a value.
    """
    from geo.raster import resample

    if limits and not (np.isfinite(limits).all() and limits[0] < limits[1]):
        raise PageError(f"limits are {limits}; expected two numbers, the smaller first")
    most, finer = MOST_PIXELS, _FINER
    while True:
        values, own, cells = _decoded(path, band, most)
        if not np.isfinite(values).any():
            raise GridError(f"{path} holds no value; there is nothing to draw")
        grid = _mercator_grid(own, str(path), most, finer)
        drawn = resample(values, own, grid=grid)
        low, high = limits or rounded_out(
            float(np.nanmin(values)), float(np.nanmax(values))
        )
        picture = _png(_stepped(drawn, low, high))
        if len(picture) <= MOST_BYTES or max(grid.shape) < STEPS:
            break
        most, finer = int(max(grid.shape) * 0.8), 1
    west, south, east, north = _degrees(grid.bounds)
    return Overlay(
        name=name,
        about=about,
        scale=Scale(
            low=_end(low, bool(np.nanmin(values) < low), "or less"),
            high=_end(high, bool(np.nanmax(values) > high), "or more"),
            unit=unit,
            clear=clear,
            colours=tuple(
                f"rgb({r} {g} {b} / {a / 255:.3f})" for r, g, b, a in _colours()
            ),
        ),
        bounds=(west, south, east, north),
        url=f"data:image/png;base64,{base64.b64encode(picture).decode('ascii')}",
        shape=grid.shape,
        cells=cells,
    )


def add_overlay(page: folium.Map, overlay: Overlay) -> None:
    """Lay a raster under the marks of a page, with a row in the legend.

    Parameters
    ----------
    page
        From :func:`maps.exchange_map`.
    overlay
        From :func:`read_overlay`.

    Raises
    ------
    maps.page.PageError
        If the map is not one of ours, or it has a raster of that name already.
    """
    from maps.layer import PageLayer

    if not isinstance(page, ExchangeMap):
        raise PageError(
            f"the map is a {type(page).__name__}; expected one from "
            "maps.exchange_map. Build the page with that function first."
        )
    slug = re.sub(r"[^a-z0-9]+", "-", overlay.name.lower()).strip("-")
    key = f"overlay:{slug or 'raster'}"
    if key in page.marks:
        raise PageError(
            f"the page has a raster called {overlay.name!r} already; expected another "
            "name. Rename one of them."
        )
    coarse = (
        f" A pixel of the picture covers about {overlay.cells:.2g} × "
        f"{overlay.cells:.2g} cells of the file. It shows the mean of four of them, "
        "where at least two hold a value."
        if overlay.cells > 1
        else ""
    )
    mark = Mark(
        key=key,
        label=overlay.name,
        about=f"{overlay.about}{coarse}".strip(),
        group=COMPUTED,
        shape="raster",
        role="hypothetical",
        rank=9,
        scale=overlay.scale,
    )
    west, south, east, north = overlay.bounds
    page.needs("overlay")
    page.show_mark(mark)
    PageLayer(
        key,
        {
            "mark": key,
            "family": "overlay",
            "role": mark.role,
            "shape": mark.shape,
            "on": mark.on,
            "rank": mark.rank,
            "features": [],
            "image": {
                "url": overlay.url,
                "bounds": [[south, west], [north, east]],
                "columns": overlay.shape[1],
            },
        },
        call="lodemap.overlay",
    ).add_to(page)


def _decoded(
    path: str | os.PathLike[str], band: int, most: int
) -> tuple[NDArray[np.float64], Grid, float]:
    """Values of a band at ``most`` cells a side or fewer, NaN where there is none."""
    from rasterio.errors import RasterioIOError

    from geo.raster import Grid
    from geo.raster.reading import open_raster

    with open_raster(path) as source:
        own = Grid.of_source(source)
        if not 1 <= band <= source.count:
            raise GridError(
                f"{path} has bands 1 to {source.count}; there is no band {band}"
            )
        rows, columns = own.shape
        cells = max(1.0, max(rows, columns) / most)
        shape = (max(1, round(rows / cells)), max(1, round(columns / cells)))
        side = _SIDE if cells > 1 else 1
        sampled = (shape[0] * side, shape[1] * side)
        try:
            raw = source.read(band, out_shape=sampled, masked=True)
        except RasterioIOError as error:
            raise GridError(
                f"{path} cannot be read to the end; the file may be truncated. Make "
                f"it again. ({' '.join(str(error).split())})"
            ) from error
        values = np.ma.filled(raw.astype(np.float64), np.nan)
        values *= source.scales[band - 1]
        values += source.offsets[band - 1]
    values[~np.isfinite(values)] = np.nan
    if side > 1:
        values = _together(values.reshape(shape[0], side, shape[1], side))
    coarse = Grid(
        west=own.west,
        north=own.north,
        dx=own.dx * columns / shape[1],
        dy=own.dy * rows / shape[0],
        shape=shape,
        crs=own.crs,
    )
    return values, coarse, cells


def _together(blocks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of each block, shape ``(rows, n, columns, n)``, if half of it has values."""
    held = np.isfinite(blocks)
    count = held.sum(axis=(1, 3))
    total = np.where(held, blocks, 0.0).sum(axis=(1, 3))
    enough = 2 * count >= blocks.shape[1] * blocks.shape[3]
    return np.where(enough, total / np.maximum(count, 1), np.nan)


def _mercator_grid(own: Grid, name: str, most: int, finer: int) -> Grid:
    """Cells in Web Mercator over a grid; smaller ones where there is room for them."""
    from rasterio.warp import transform_bounds

    from geo.raster import Grid

    west, south, east, north = transform_bounds(
        own.crs, "EPSG:4326", *own.bounds, densify_pts=21
    )
    if not (-180 <= west < east <= 180 and -85 <= south < north <= 85):
        raise GridError(
            f"{name} covers {west:.6g} to {east:.6g} degrees of longitude and "
            f"{south:.6g} to {north:.6g} of latitude; expected a raster that does not "
            "cross the antimeridian and lies within 85° of the equator, where Web "
            "Mercator ends. Cut it there first."
        )
    left, low, right, top = transform_bounds(
        own.crs, _MERCATOR, *own.bounds, densify_pts=21
    )
    rows, columns = own.shape
    times = max(1, min(finer, most // max(rows, columns)))
    across, down = right - left, top - low
    side = min(most, max(rows, columns) * times)
    scale = side / max(across, down)
    shape = (max(1, round(down * scale)), max(1, round(across * scale)))
    return Grid(
        west=left,
        north=top,
        dx=across / shape[1],
        dy=down / shape[0],
        shape=shape,
        crs=_MERCATOR,
    )


def _degrees(
    bounds: tuple[float, float, float, float],
) -> tuple[float, float, float, float]:
    """Bounds in longitude and latitude of bounds in Web Mercator."""
    west, south, east, north = bounds

    def latitude(y: float) -> float:
        return math.degrees(math.asin(math.tanh(y / _EDGE_M * math.pi)))

    return (
        west / _EDGE_M * 180,
        latitude(south),
        east / _EDGE_M * 180,
        latitude(north),
    )


def _end(value: float, beyond: bool, words: str) -> str:
    """Text at one end of the key."""
    return f"{number(value)} {words}" if beyond else number(value)


def _stepped(values: NDArray[np.float64], low: float, high: float) -> NDArray[np.uint8]:
    """Step of each pixel from 1; 0 where nothing is drawn."""
    steps = np.floor((values - low) / (high - low) * STEPS)
    steps = np.clip(steps, 0, STEPS - 1) + 1
    return np.where(np.isfinite(values), steps, 0).astype(np.uint8)


def _colours() -> list[tuple[int, int, int, int]]:
    """Colour of each step: one hue, from faint to full."""
    red, green, blue = (int(OVERLAY[i : i + 2], 16) for i in (1, 3, 5))
    opacity = np.linspace(FAINTEST, 1, STEPS)
    return [(red, green, blue, round(255 * float(a))) for a in opacity]


def _png(steps: NDArray[np.uint8]) -> bytes:
    """Write steps as a PNG with a palette, step 0 transparent."""
    import warnings

    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    options: dict[str, Any] = {
        "driver": "PNG",
        "height": steps.shape[0],
        "width": steps.shape[1],
        "count": 1,
        "dtype": "uint8",
        "ZLEVEL": 9,
    }
    red, green, blue, _ = _colours()[0]
    palette = {0: (red, green, blue, 0), **dict(enumerate(_colours(), start=1))}
    with MemoryFile(ext=".png") as memory, warnings.catch_warnings():
        # A picture has no place of its own: the page gives it one.
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(**options) as picture:
            picture.write(steps, 1)
            picture.write_colormap(1, palette)
        return bytes(memory.read())

"""A layer of a page that stands in an archive of tiles beside it.

The page itself holds how many points lie in each small square, which it draws from
far away, exactly; from the zoom on in which all points stand in tiles it reads those
in view.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layers.schema import PRECISION
from layers.symbology import DARK, LIGHT
from layers.tiles import LAYER, ROW, mercator, write_tiles
from maps.columns import Store, put_numbers, steps
from maps.many import ManyLayer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from layers.tiles import Tiles
    from maps.classes import Classes, LayerMark

CLASS = "lodemap_class"
"""Column of an archive with the place of a feature's class."""

SQUARE = 4
"""Side of a square of the density, in the last zoom that draws it. [CSS px]"""

_TILE = 256


def tiled_layer(
    mark: LayerMark,
    gdf: gpd.GeoDataFrame,
    path: Path,
    *,
    layer: str,
    resolution_m: float,
    classes: Classes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ManyLayer:
    """Write a layer of points as tiles, and make what a page needs to draw them.

    Parameters
    ----------
    mark
        How it is drawn.
    gdf
        Points, shape ``(n,)``, EPSG:4326, each with a place.
    path
        Archive to write; the page has to stand in the same folder.
    layer
        Name of the layer.
    resolution_m
        Step to which positions are rounded at most. [m]
    classes
        By which it is coloured; all in the colour of the mark's role without.
    progress
        Called with the steps done and their number.

    Returns
    -------
    ManyLayer
        To be added to a map.

    Raises
    ------
    geo.errors.GeoError
        As :func:`layers.tiles.write_tiles`.
    """
    places = np.zeros(len(gdf), np.int64)
    if classes:
        places = classes.places.astype(np.int64)
    rows = gdf.assign(**{CLASS: places}) if classes else gdf
    tiles = write_tiles(rows, path, resolution_m=resolution_m, progress=progress)
    store = Store()
    columns = [str(c) for c in gdf.columns if c != gdf.geometry.name]
    data: dict[str, Any] = {
        "mark": mark.key,
        "family": "added",
        "role": mark.role,
        "shape": "symbol",
        "symbol": mark.symbol,
        "pane": "marks",
        "rank": mark.rank,
        "on": mark.on,
        "features": [],
        "layer": layer,
        "resolution": tiles.step_m,
        "colours": [[LIGHT[mark.role], DARK[mark.role]]],
        "paper": [LIGHT["paper"], DARK["paper"]],
        "shapes": {"features": tiles.rows},
        "columns": [{"name": name} for name in columns],
        "precision": [[int(code), text] for code, text in PRECISION.items()],
        "sources": [],
        "tiles": {
            "file": tiles.path.name,
            "layer": LAYER,
            "zoom": tiles.zoom,
            "row": ROW,
            "class": CLASS if classes else "",
            "square": SQUARE,
            **_density(store, gdf, places, tiles),
        },
    }
    if classes:
        data["classes"] = {
            "column": classes.column,
            "upper": list(classes.upper),
            "colours": [one.colours for one in classes.classes],
            "labels": [one.label for one in classes.classes],
            "counts": [one.count for one in classes.classes],
            "unit": classes.unit,
        }
    return ManyLayer(mark, data, store)


def _density(
    store: Store, gdf: gpd.GeoDataFrame, places: NDArray[np.int64], tiles: Tiles
) -> dict[str, Any]:
    """Count points in squares, those of each class by themselves."""
    side = max(tiles.zoom - 1, 0)
    across = _TILE // SQUARE * 2**side
    xy = np.clip(mercator(gdf.get_coordinates().to_numpy()), 0, 1 - 1e-12)
    column, row = np.floor(xy * across).astype(np.int64).T
    owner = places if len(xy) == len(places) else _owners(gdf, places)
    key, count = np.unique((_interleaved(column, row) << 8) | owner, return_counts=True)
    place, square = key & 255, key >> 8
    column, row = _apart(square)
    west, north = int(column.min()), int(row.min())
    return {
        "density": {
            "features": len(key),
            "placed": len(key),
            "vertices": len(key),
            "rings": 0,
            "step": 1 / across,
            "west": west + 0.5,
            "north": north + 0.5,
            "kinds": put_numbers(store, np.ones(len(key), np.int64)),
            "x": put_numbers(store, steps(column - west)),
            "y": put_numbers(store, steps(row - north)),
        },
        "counts": put_numbers(store, count.astype(np.int64)),
        "places": put_numbers(store, place),
    }


def _owners(gdf: gpd.GeoDataFrame, places: NDArray[np.int64]) -> NDArray[np.int64]:
    """Class of each point of layers with several points a feature."""
    index = gdf.reset_index(drop=True).get_coordinates().index.to_numpy()
    found: NDArray[np.int64] = places[index]
    return found


def _interleaved(
    column: NDArray[np.int64], row: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Places on the Z-order curve, so that neighbours stand close together."""
    return _spread(column) | (_spread(row) << 1)


def _apart(code: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Columns and rows of places on the curve."""
    return _gathered(code), _gathered(code >> 1)


_MASKS = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def _spread(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put a zero bit before each bit."""
    for shift, mask in _MASKS:
        value = (value | (value << shift)) & mask
    return value


def _gathered(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take every second bit; undoes :func:`_spread`."""
    value = value & _MASKS[-1][1]
    for (shift, _), (_, mask) in zip(
        reversed(_MASKS), [*reversed(_MASKS[:-1]), (0, 0x00000000FFFFFFFF)], strict=True
    ):
        value = (value | (value >> shift)) & mask
    return value

"""A layer of a page that stands in an archive of tiles beside it.

The page itself holds how many features lie in each small square, which it draws from
far away, exactly; from the zoom on in which all features stand in tiles it reads those
in view. A line or an area counts once, at a point that lies in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.affinity import translate

from layers.schema import PRECISION
from layers.symbology import DARK, LIGHT
from layers.tiles import ROW, mercator, write_tiles
from maps.beside import archive_used
from maps.columns import Store, put_numbers, steps
from maps.many import ManyLayer
from maps.names import name_index
from maps.vertices import AREA, LINE, POINT, run_on

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import geopandas as gpd
    from numpy.typing import NDArray

    from layers.tiles import Tiles
    from maps.classes import Classes, LayerMark
    from maps.vertices import Shapes

CLASS = "lodemap_class"
"""Column of an archive with the place of a feature's class."""

SQUARE = 4
"""Side of a square of the density, in the last zoom that draws it. [CSS px]"""

_TILE = 256
_NORTH = 85.051


def tiled_layer(
    mark: LayerMark,
    gdf: gpd.GeoDataFrame,
    shapes: Shapes,
    path: Path,
    *,
    layer: str,
    resolution_m: float,
    classes: Classes | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ManyLayer:
    """Write a layer as tiles, and make what a page needs to draw them.

    Parameters
    ----------
    mark
        How it is drawn.
    gdf
        Any features, shape ``(n,)``, EPSG:4326, at least one with a place; those
        without are left out.
    shapes
        Its geometry, from :func:`maps.vertices.take_apart`.
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
    placed = shapes.kinds > 0
    places = np.zeros(int(placed.sum()), np.int64)
    if classes:
        places = classes.places.astype(np.int64)[placed]
    own = on_the_map(gdf, shapes)
    rows = gdf[placed] if not placed.all() else gdf
    rows = rows.set_geometry(own, crs=gdf.crs)
    rows = rows.assign(**{CLASS: places}) if classes else rows
    middles = _middles(own)
    names, index = name_index(rows, middles)
    tiles = write_tiles(
        rows, path, resolution_m=resolution_m, append=names, progress=progress
    )
    store = Store()
    columns = [str(c) for c in gdf.columns if c != gdf.geometry.name]
    data: dict[str, Any] = {
        "mark": mark.key,
        "family": "added",
        "role": mark.role,
        "shape": mark.shape,
        "symbol": mark.symbol,
        "pane": {"symbol": "marks", "line": "legs", "area": "areas"}[mark.shape],
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
            "archive": archive_used(tiles, layer),
            "zoom": tiles.zoom,
            "row": ROW,
            "class": CLASS if classes else "",
            "simple": bool((shapely.get_type_id(own) == 0).all()),
            "square": SQUARE,
            "names": {**index, "at": tiles.appended},
            **_density(store, middles, places, tiles),
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


def on_the_map(gdf: gpd.GeoDataFrame, shapes: Shapes) -> NDArray[np.object_]:
    """Return the geometries of the features that have a place on a web map.

    Parameters
    ----------
    gdf
        Any features, shape ``(n,)``, EPSG:4326.
    shapes
        Its geometry, from :func:`maps.vertices.take_apart`.

    Returns
    -------
    ndarray of geometries
        Shape ``(m,)``; lines and areas over the antimeridian in parts on its two sides,
        and without what lies beyond 85° of latitude.
    """
    geometries = gdf.geometry.to_numpy().copy()
    starts = np.cumsum(shapes.lengths) - shapes.lengths
    if len(starts) and (shapes.kinds > POINT).any():
        lon = shapes.lonlat[:, 0]
        over = np.maximum.reduceat(lon, starts) > 180
        over |= np.minimum.reduceat(lon, starts) < -180
        over &= shapes.kinds[shapes.owners] > POINT
        for index in np.unique(shapes.owners[over]).tolist():
            whole = run_on(geometries[index], shapes, index)
            geometries[index] = _on_both_sides(whole, int(shapes.kinds[index]))
        high = np.nan_to_num(np.abs(shapely.bounds(geometries)[:, [1, 3]])).max(axis=1)
        for index in np.flatnonzero((shapes.kinds > POINT) & (high > _NORTH)).tolist():
            box = shapely.box(-180, -_NORTH, 180, _NORTH)
            kept = shapely.intersection(geometries[index], box)
            geometries[index] = _gathered_parts([kept], int(shapes.kinds[index]))
    found: NDArray[np.object_] = geometries[shapes.kinds > 0]
    return found


def _on_both_sides(geometry: Any, kind: int) -> Any:
    """Part a geometry whose longitudes run on beyond 180° where the world ends."""
    found = []
    for turn in (-360.0, 0.0, 360.0):
        world = shapely.box(turn - 180, -90, turn + 180, 90)
        part = shapely.intersection(geometry, world)
        found.append(translate(part, -turn))
    return _gathered_parts(found, kind)


def _gathered_parts(geometries: list[Any], kind: int) -> Any:
    """Lines, or areas, of several geometries as one; others are left out."""
    parts = shapely.get_parts(shapely.get_parts(geometries))
    parts = parts[shapely.get_dimensions(parts) == {LINE: 1, AREA: 2}[kind]]
    parts = parts[~shapely.is_empty(parts)]
    join = shapely.multilinestrings if kind == LINE else shapely.multipolygons
    return join(list(parts))


def _density(
    store: Store, middles: NDArray[np.float64], places: NDArray[np.int64], tiles: Tiles
) -> dict[str, Any]:
    """Count features in squares, those of each class by themselves."""
    side = max(tiles.zoom - 1, 0)
    across = _TILE // SQUARE * 2**side
    xy = np.clip(mercator(middles), 0, 1 - 1e-12)
    column, row = np.floor(xy * across).astype(np.int64).T
    key, count = np.unique(
        (_interleaved(column, row) << 8) | places, return_counts=True
    )
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


def _middles(own: NDArray[np.object_]) -> NDArray[np.float64]:
    """Longitude and latitude of a point of each feature: of an area one in it."""
    if (shapely.get_type_id(own) == 0).all():
        return shapely.get_coordinates(own)
    found: NDArray[np.object_] = shapely.point_on_surface(own)
    bare = shapely.is_empty(found)
    for index in np.flatnonzero(bare).tolist():  # a line or an area without extent
        found[index] = shapely.Point(shapely.get_coordinates(own[index])[0])
    return shapely.get_coordinates(found)


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

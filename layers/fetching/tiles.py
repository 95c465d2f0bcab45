"""Files of a product that touch a place: their names, addresses and footprints."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import RequestError

if TYPE_CHECKING:
    from layers.fetching.products import Box, Product, Raster
    from layers.fetching.regions import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One file of a product."""

    file: str
    """Name in the cache."""
    path: str
    """Path below the address of the source."""
    listed: str = ""
    """Name in the source's own list of tiles."""
    shape: tuple[int, int] | None = None
    """Rows and columns, where they are known beforehand."""
    bounds: Box | None = None
    """Edges of its cells: west, south, east, north, where they are known. [°]"""


def tiles_of(product: Product, place: Place) -> tuple[Tile, ...]:
    """Files of a product that share area with a place.

    Parameters
    ----------
    product
        The product.
    place
        Polygon or polygons in EPSG:4326, longitudes from −180 to 180.

    Returns
    -------
    tuple of Tile
        From south to north, then from west to east; the one file of a product without
        tiles; nothing where the product does not reach. Whether a tile exists is for
        the source to say: the sea has none.

    Notes
    -----
    A tile counts when a cell of it shares area with the place, by the edges of its
    cells and not by its name: cells of GLO-30 are centred on whole degrees, so that
    half a cell of N39 E125 lies beyond 39° and 125°.
    """
    import shapely

    if product.tiles is None:
        return _one_file(product, place)
    size = product.tiles.size_deg
    west, south, east, north = place.bounds
    rows = np.arange(
        max(math.floor(south / size) - 1, -90 // size), math.ceil(north / size) + 1
    )
    columns = np.arange(math.floor(west / size) - 1, math.ceil(east / size) + 1)
    corners = {
        (int(row) * size, (int(column) * size + 180) % 360 - 180)
        for row in rows
        for column in columns
        if int(row) * size < 90
    }
    tiles = [tile_at(product, lat, lon) for lat, lon in sorted(corners)]
    boxes = np.array([tile.bounds for tile in tiles]).T
    shapely.prepare(place)
    shared = np.zeros(len(tiles), dtype=bool)
    for turn in (0.0, 360.0):  # the first tile's half a cell beyond −180° is 180°'s
        shapes = shapely.box(boxes[0] + turn, boxes[1], boxes[2] + turn, boxes[3])
        near = shapely.intersects(place, shapes) & ~shapely.touches(place, shapes)
        shared |= near
    return tuple(tile for tile, keep in zip(tiles, shared, strict=True) if keep)


def tile_at(product: Product, lat: int, lon: int) -> Tile:
    """Tile whose name says a corner.

    Parameters
    ----------
    product
        A product with tiles.
    lat, lon
        South-west corner, a whole multiple of the tile's side. [°]

    Returns
    -------
    Tile
        With its footprint.

    Raises
    ------
    RequestError
        If the product has no tiles.

    Examples
    --------
    >>> from layers.fetching.products import products
    >>> tile_at(products()["esa-worldcover-2021"], 39, 123).file
    'ESA_WorldCover_10m_2021_v200_N39E123_Map.tif'
    """
    scheme, raster = product.tiles, product.raster
    if scheme is None or raster is None:
        raise RequestError(f"{product.id} is one file and has no tiles")
    size = scheme.size_deg
    words = _words(lat, lon)
    stem = scheme.stem.format(**words)
    rows, columns = raster.rows, columns_at(raster, lat, size)
    dy, dx = size / rows, size / columns
    shift = 0.5 if scheme.half_cell else 0.0
    west, south = lon - shift * dx, lat + shift * dy
    listing = product.listing
    return Tile(
        file=f"{stem}.tif",
        path=product.path.format(stem=stem),
        listed=listing.name.format(**words) if listing and listing.name else stem,
        shape=(rows, columns),
        bounds=(west, south, west + size, south + size),
    )


def columns_at(raster: Raster, lat: int, size_deg: int) -> int:
    """Columns of a tile, which grow fewer towards the poles.

    Parameters
    ----------
    raster
        Layout of the product.
    lat
        Southern edge of the tile. [°]
    size_deg
        Side of the tile. [°]

    Returns
    -------
    int
        By the edge that lies nearer to the equator.
    """
    nearest = min(abs(lat), abs(lat + size_deg))
    return max(raster.columns, key=lambda pair: (pair[0] <= nearest, pair[0]))[1]


def _one_file(product: Product, place: Place) -> tuple[Tile, ...]:
    """Name the one file, if it reaches the place."""
    import shapely

    if product.covers is not None and not shapely.box(*product.covers).intersects(
        place
    ):
        return ()
    return (Tile(file=product.file, path=product.path, bounds=product.covers),)


def _words(lat: int, lon: int) -> dict[str, Any]:
    """Parts of a tile's name."""
    return {
        "ns": "N" if lat >= 0 else "S",
        "lat": abs(lat),
        "ew": "E" if lon >= 0 else "W",
        "lon": abs(lon),
    }

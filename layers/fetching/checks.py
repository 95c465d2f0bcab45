"""Whether a file is what its product promises: opened, compared, decoded."""

from __future__ import annotations

import threading
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import DamagedFileError
from layers.fetching.pages import describe
from layers.fetching.pbf import check_pbf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import rasterio
    from numpy.typing import NDArray

    from layers.fetching.products import Product, Raster
    from layers.fetching.regions import Place
    from layers.fetching.tiles import Tile

BEGINNINGS = {
    "geotiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "osm-pbf": (b"\0\0\0",),
    "zip": (b"PK\x03\x04",),
}
"""First bytes of a good file."""

_RIM_DEG = 0.1
"""How far a country's own file may end inside a border as we draw it. [°]"""
_ROWS = 512
"""Rows decoded at once, at least."""
_ONE_AT_A_TIME = threading.Lock()
_OFF = 0.01
"""How far a tile may lie from its place. [cells]"""


def check_file(
    path: Path,
    product: Product,
    tile: Tile,
    place: Place,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[str, ...]:
    """Refuse a file that is not what its product promises.

    Parameters
    ----------
    path
        The file, whatever its name.
    product, tile
        What it should be.
    place
        Where it is needed, in EPSG:4326.
    progress
        Called with rows decoded and rows in all.

    Returns
    -------
    tuple of str
        What was looked at, in words.

    Raises
    ------
    DamagedFileError
        If it is another kind of file, lies elsewhere, has another CRS, shape, data
        type or unit, or is damaged or cut short anywhere in what is decoded.

    Notes
    -----
    Of a product whose record says ``check = "region"`` only the blocks of the place
    are decoded; the others are decoded whole, overviews included.
    """
    with path.open("rb") as stream:
        beginning = stream.read(2048)
    if not beginning.startswith(BEGINNINGS[product.format]):
        raise DamagedFileError(
            f"{path}: {describe(beginning)}; expected {_KINDS[product.format]}"
        )
    if product.raster is None:
        return check_pbf(path)
    return _check_tiff(path, product, product.raster, tile, place, progress)


_KINDS = {"geotiff": "a GeoTIFF", "osm-pbf": "OpenStreetMap data (.osm.pbf)"}


def _check_tiff(
    path: Path,
    product: Product,
    raster: Raster,
    tile: Tile,
    place: Place,
    progress: Callable[[int, int], None] | None,
) -> tuple[str, ...]:
    """Open a GeoTIFF by itself, with no file beside it, and decode it."""
    from rasterio.errors import RasterioError

    try:
        with _environment():
            with _opened(path) as dataset:
                _check_head(path, raster, tile, dataset)
                _check_cover(path, tile, place, dataset)
                low, high = _decode(path, raster, dataset, place, progress)
                levels = len(dataset.overviews(1)) if raster.check == "whole" else 0
            for level in range(levels):
                with _opened(path, OVERVIEW_LEVEL=level) as coarse:
                    for _ in _blocks(coarse, None):
                        pass
    except (RasterioError, ValueError) as error:
        raise DamagedFileError(
            f"{path}: it cannot be decoded ({str(error)[:160]}); expected a whole "
            "GeoTIFF. Fetch it again"
        ) from error
    _check_values(path, product, raster, low, high)
    what = "every block" if raster.check == "whole" else "every block of the region"
    seen = f"values from {low:g} to {high:g} {product.unit}"
    if low > high:
        seen = "known classes only" if raster.classes else "no value at all"
    return (f"GeoTIFF, {what} decoded", seen)


def check_place(path: Path, tile: Tile, place: Place) -> None:
    """Refuse a file, good in itself, that does not reach the whole of a place.

    Parameters
    ----------
    path
        A GeoTIFF that was checked for another place.
    tile
        What it should be.
    place
        Where it is needed now, in EPSG:4326.

    Raises
    ------
    DamagedFileError
        If it ends before the place does.
    """
    with _environment(), _opened(path) as dataset:
        _check_cover(path, tile, place, dataset)


def _environment() -> rasterio.Env:
    """Keep files beside a raster from having a say, and blocks from being kept."""
    import rasterio

    return rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR", GDAL_CACHEMAX=64)


def _opened(path: Path, **options: int) -> rasterio.DatasetReader:
    """Open a GeoTIFF as such; what rasterio would warn of is refused by our checks."""
    import rasterio

    # Filters of warnings are one for all threads, so one thread at a time sets them.
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return rasterio.open(path, driver="GTiff", **options)


def _check_head(
    path: Path, raster: Raster, tile: Tile, dataset: rasterio.DatasetReader
) -> None:
    """Compare what the file says of itself."""
    if dataset.count != 1:
        raise DamagedFileError(f"{path}: has {dataset.count} bands; expected one")
    kind = dataset.dtypes[0]
    if kind not in raster.dtypes:
        raise DamagedFileError(
            f"{path}: holds {kind}; expected {' or '.join(raster.dtypes)}"
        )
    if dataset.crs is None or dataset.crs != raster.crs:
        name = dataset.crs.to_string() if dataset.crs else "no CRS"
        name = name if len(name) <= 40 else "an unnamed CRS"
        raise DamagedFileError(f"{path}: is in {name}; expected {raster.crs}")
    if tile.shape is not None and dataset.shape != tile.shape:
        raise DamagedFileError(
            f"{path}: has {dataset.shape[0]} rows and {dataset.shape[1]} columns; "
            f"expected {tile.shape[0]} and {tile.shape[1]} at this latitude"
        )
    along, row_turn, west, column_turn, down, north = tuple(dataset.transform)[:6]
    if row_turn or column_turn or along <= 0 or down >= 0:
        raise DamagedFileError(f"{path}: is turned or flipped; expected north up")
    if tile.shape is None or tile.bounds is None:
        if max(along, -down) > raster.max_cell_deg:
            raise DamagedFileError(
                f"{path}: cells of {max(along, -down):g}°; expected "
                f"{raster.max_cell_deg:g}° at most"
            )
        return
    rows, columns = tile.shape
    expected = np.array([tile.bounds[0], tile.bounds[3], 1 / columns, 1 / rows])
    side = tile.bounds[2] - tile.bounds[0]
    expected[2:] *= side
    off = np.abs(np.array([west, north, along, -down]) - expected)
    limit = _OFF * expected[[2, 3, 2, 3]] / np.array([1, 1, columns, rows])
    if (off > limit).any():
        raise DamagedFileError(
            f"{path}: begins at {west:.6f}, {north:.6f} with cells of {along:.9f} by "
            f"{-down:.9f}°; expected {expected[0]:.6f}, {expected[1]:.6f} and "
            f"{expected[2]:.9f} by {expected[3]:.9f}°. It is another tile, or moved"
        )


def _check_cover(
    path: Path, tile: Tile, place: Place, dataset: rasterio.DatasetReader
) -> None:
    """Refuse a file of unknown extent that does not reach the whole place."""
    if tile.shape is not None:
        return
    west, south, east, north = place.bounds
    box = dataset.bounds
    if not (
        box.left - _RIM_DEG <= west
        and box.bottom - _RIM_DEG <= south
        and box.right + _RIM_DEG >= east
        and box.top + _RIM_DEG >= north
    ):
        raise DamagedFileError(
            f"{path}: covers {box.left:g}, {box.bottom:g}, {box.right:g}, {box.top:g};"
            f" expected all of {west:g}, {south:g}, {east:g}, {north:g}. Is it the "
            "file of another country?"
        )


def _decode(
    path: Path,
    raster: Raster,
    dataset: rasterio.DatasetReader,
    place: Place,
    progress: Callable[[int, int], None] | None,
) -> tuple[float, float]:
    """Decode the blocks; lowest and highest value, the wrong way round if none."""
    low, high = np.inf, -np.inf
    known = np.zeros(256, dtype=bool)
    known[list(raster.classes)] = True
    window = place.bounds if raster.check == "region" else None
    done = 0
    for values in _blocks(dataset, window):
        done += values.shape[0]
        if progress is not None:
            progress(min(done, dataset.height), dataset.height)
        if raster.classes:
            _check_classes(path, values, known)
            continue
        good = values
        if dataset.nodata is not None and not np.isnan(dataset.nodata):
            good = values[values != dataset.nodata]
        if good.dtype.kind == "f":
            good = good[np.isfinite(good)]
        if good.size:
            low, high = min(low, float(good.min())), max(high, float(good.max()))
    return low, high


def _check_classes(
    path: Path, values: NDArray[np.uint8], known: NDArray[np.bool_]
) -> None:
    """Refuse values that name no class."""
    if not known[values].all():
        strange = np.unique(values[~known[values]])
        raise DamagedFileError(
            f"{path}: holds class {strange[0]}; expected one of "
            f"{', '.join(map(str, np.flatnonzero(known)))}"
        )


def _blocks(
    dataset: rasterio.DatasetReader, bounds: tuple[float, ...] | None
) -> Iterator[NDArray[Any]]:
    """Decode a raster, or the part within bounds, some rows of blocks at a time."""
    from rasterio.windows import Window, from_bounds

    whole = Window(0, 0, dataset.width, dataset.height)
    if bounds is not None:
        part = from_bounds(*bounds, transform=dataset.transform)
        part = part.round_offsets().round_lengths(op="ceil")
        whole = part.intersection(whole)
    height = dataset.block_shapes[0][0]
    step = max(height, _ROWS // height * height)
    first, last = int(whole.row_off), int(whole.row_off + whole.height)
    for row in range(first // step * step, last, step):
        top, bottom = max(row, first), min(row + step, last)
        yield dataset.read(
            1, window=Window(whole.col_off, top, whole.width, bottom - top)
        )


def _check_values(
    path: Path, product: Product, raster: Raster, low: float, high: float
) -> None:
    """Refuse values that cannot be in the product's unit."""
    if raster.values is None or low > high:
        return
    least, most = raster.values
    if low < least or high > most:
        raise DamagedFileError(
            f"{path}: values from {low:g} to {high:g}; expected {least:g} to {most:g} "
            f"{product.unit}. Is it in another unit?"
        )

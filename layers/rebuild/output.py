"""Text and rasters as bytes that come out the same each time, and writing them."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from affine import Affine
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry


def snapped(geometry: BaseGeometry, digits: int) -> BaseGeometry:
    """Round a geometry to a decimal grid, keep it valid, put it in canonical order.

    Parameters
    ----------
    geometry
        Any geometry in degrees.
    digits
        Decimals to keep.

    Returns
    -------
    shapely.geometry.base.BaseGeometry
        Valid, of the same dimension, possibly empty. Rings and parts start and
        follow in an order that does not depend on the library that cut them.
    """
    import numpy as np
    import shapely

    # Rounding here and not in GEOS settles ties alike in all its versions.
    rounded = shapely.transform(geometry, lambda lonlat: np.round(lonlat, digits))
    if geometry.geom_type.endswith("Polygon"):
        # Rounding may let a ring touch itself; what is then cut is put on the grid.
        cut = shapely.set_precision(shapely.make_valid(rounded), 10.0**-digits)
        parts = shapely.get_parts(shapely.get_parts(cut))
        areas = [part for part in parts if part.geom_type == "Polygon"]
        rounded = areas[0] if len(areas) == 1 else shapely.MultiPolygon(areas)
    result: BaseGeometry = shapely.normalize(shapely.remove_repeated_points(rounded))
    return result


def geojson_bytes(
    rows: Iterable[tuple[Mapping[str, Any], BaseGeometry]], *, digits: int
) -> bytes:
    """RFC 7946 text with one feature a line.

    Parameters
    ----------
    rows
        Properties and geometry (EPSG:4326) of each feature, in the order to write.
    digits
        Decimals of the coordinates.

    Returns
    -------
    bytes
        UTF-8 with LF line ends. Exterior rings run counter-clockwise.
    """
    lines = [
        json.dumps(
            {
                "type": "Feature",
                "properties": dict(properties),
                "geometry": _geojson(geometry, digits),
            },
            ensure_ascii=False,
            allow_nan=False,
            separators=(",", ":"),
        )
        for properties, geometry in rows
    ]
    text = '{"type":"FeatureCollection","features":[\n' + ",\n".join(lines) + "\n]}\n"
    return text.encode("utf-8")


def _geojson(geometry: BaseGeometry, digits: int) -> dict[str, Any]:
    import shapely

    def line(part: Any, *, clockwise: bool | None = None) -> list[list[float]]:
        coords = part.coords[:]
        if clockwise is not None and shapely.is_ccw(part) == clockwise:
            coords = coords[::-1]
        # Adding zero turns minus zero into zero.
        return [[round(x, digits) + 0.0, round(y, digits) + 0.0] for x, y in coords]

    def polygon(part: Any) -> list[list[list[float]]]:
        holes = [line(ring, clockwise=True) for ring in part.interiors]
        return [line(part.exterior, clockwise=False), *holes]

    parts = list(getattr(geometry, "geoms", [geometry]))
    one = polygon if parts[0].geom_type == "Polygon" else line
    coordinates = [one(part) for part in parts]
    if len(parts) == 1:
        return {"type": parts[0].geom_type, "coordinates": coordinates[0]}
    return {"type": f"Multi{parts[0].geom_type}", "coordinates": coordinates}


def csv_bytes(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """RFC 4180 text in UTF-8 with LF line ends and a header.

    Parameters
    ----------
    columns
        Header, in order.
    rows
        One mapping a row, with exactly these keys.

    Returns
    -------
    bytes
        The file's content.
    """
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, columns, lineterminator="\n", extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode("utf-8")


def cog_bytes(
    bands: NDArray[np.generic],
    *,
    transform: Affine,
    nodata: float | None,
    descriptions: Sequence[str],
    units: str,
    scale: float = 1.0,
    block: int = 128,
) -> bytes:
    """Cloud-optimised GeoTIFF in EPSG:4326, without compression or overviews.

    Compressed bytes would depend on the version of the compressor.

    Parameters
    ----------
    bands
        Shape ``(bands, rows, columns)``, first row in the north.
    transform
        From column and row of a cell's upper left corner to lon, lat. [degrees]
    nodata
        Value of cells without data.
    descriptions
        One a band.
    units
        Unit of the scaled values, the same for every band.
    scale
        Value = scale × stored number.
    block
        Side of a tile, a multiple of 16. [cells]

    Returns
    -------
    bytes
        The file's content.
    """
    import rasterio
    from rasterio.io import MemoryFile
    from rasterio.shutil import copy

    count, height, width = bands.shape
    profile = {
        "driver": "GTiff",
        "dtype": bands.dtype.name,
        "count": count,
        "height": height,
        "width": width,
        "crs": "EPSG:4326",
        "transform": transform,
        "nodata": nodata,
    }
    with tempfile.TemporaryDirectory() as folder, MemoryFile() as memory:
        target = Path(folder) / "out.tif"
        with memory.open(**profile) as plain:
            plain.write(bands)
            plain.descriptions = tuple(descriptions)
            plain.units = (units,) * count
            plain.scales = (_same_in_print(scale),) * count
        with rasterio.Env(GDAL_NUM_THREADS=1), memory.open() as plain:
            options = {"COMPRESS": "NONE", "OVERVIEWS": "NONE", "BLOCKSIZE": block}
            copy(plain, target, driver="COG", **options)
        return target.read_bytes()


def _same_in_print(number: float) -> float:
    """Nearest number of one text with 17 and 18 digits: GDAL versions differ."""
    below = above = number
    while f"{below:.17g}" != f"{below:.18g}":
        if f"{above:.17g}" == f"{above:.18g}":
            return above
        below, above = math.nextafter(below, -math.inf), math.nextafter(above, math.inf)
    return below


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole or not at all.

    Parameters
    ----------
    path
        File to make or to replace. Its folder must exist.
    content
        What it is to hold.

    Raises
    ------
    OSError
        If the folder cannot be written or is full; a file that was there stays.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise

"""A layer of any size as one archive of vector tiles, for pages that read it in parts.

All features stand in one zoom only, none simplified and none left out: what a page
shows from farther away is their density, which it counts itself. So no mark is ever
missing without a word. Lines and areas are cut at the edges of tiles, each piece with
the number of its row, so that a reader can put them together again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.crs import require_lonlat
from geo.errors import GeometryError, GeometryTypeError
from layers.errors import ExtraMissingError, WriteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from os import PathLike

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

LAYER = "features"
"""Name of the layer inside the archive."""

ROW = "lodemap_row"
"""Column of the archive that counts the rows of the layer, from 0."""

CROWD = 20_000
"""Most features of a tile that a page draws at once; five vertices weigh as much as a
feature."""

VERTICES = 5
"""Vertices of a line or an area that weigh as much as a point."""

PIECES = 8
"""Most pieces, for each feature, into which finer tiles may cut a layer."""

HIGHEST = 15
"""Finest zoom of an archive."""

_RADIUS_M = 6_378_137.0
_WORLD_M = 2 * np.pi * _RADIUS_M
_STEPS = (4096, 1 << 24)
_USUAL_STEPS = 1 << 18
_LAT_MOST = 85.0511
_SECTIONS = 8
_STEP = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """What became of a layer in an archive of tiles."""

    path: Path
    """The archive."""
    rows: int
    """Features of the layer."""
    zoom: int
    """The zoom, where all of them stand."""
    features: Mapping[int, int]
    """Features by zoom."""
    tiles: int
    """Tiles in all."""
    step_m: float
    """Step to which positions are rounded, at the equator. [m]"""
    points: bool
    """Whether all features are points."""
    size: int
    """Size of the archive. [bytes]"""
    sha256: str
    """Checksum of the archive."""
    appended: int
    """Where the bytes that were appended start. [bytes]"""


def write_tiles(
    gdf: gpd.GeoDataFrame,
    path: str | PathLike[str],
    *,
    resolution_m: float = 1.0,
    zoom: int | None = None,
    append: Iterable[bytes] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Tiles:
    """Write a layer as an archive of vector tiles, whole or not at all.

    Parameters
    ----------
    gdf
        Points, lines or areas in EPSG:4326, shape ``(n,)``, with ``n >= 1``.
    path
        Archive to write, ``.pmtiles``.
    resolution_m
        Positions are rounded to this or less. [m]
    zoom
        Zoom of the tiles, 0 to 24; the first in which no tile holds more than
        :data:`CROWD` features when not given.
    append
        Bytes to keep at the end of the archive, behind the tiles: readers of tiles skip
        them.
    progress
        Called with the steps done and their number.

    Returns
    -------
    Tiles
        Counts by zoom, and what rounding costs.

    Raises
    ------
    ExtraMissingError
        If the extra ``tiles`` is not installed.
    geo.errors.CRSMissingError, geo.errors.CRSMismatchError, geo.errors.AxisOrderError
        If the layer is not in longitude and latitude.
    GeometryError
        If it is empty or a feature lies beyond 85.05° of latitude, where web maps end.
    GeometryTypeError
        If it holds collections.
    WriteError
        If the archive cannot be written. What stood there before is untouched.

    Notes
    -----
    Tiles are made by tylertoo in a process of its own, which ends with this call, also
    when it is interrupted; memory is bounded by its own accounts. The same layer gives
    the same bytes. What would vanish between two steps is widened by a step.
    """
    if find_spec("tylertoo") is None:
        raise ExtraMissingError(
            "tiles need the package tylertoo, which is not installed; expected the "
            "extra tiles. Run pip install 'lodemap[tiles]'"
        )
    _require(gdf)
    target = Path(path)
    kinds = set(gdf.geom_type)
    points = kinds <= {"Point", "MultiPoint"}
    high = _zoom(gdf, resolution_m) if zoom is None else zoom
    steps = _WORLD_M / 2**high / resolution_m
    extent = int(np.clip(2 ** np.ceil(np.log2(steps)), *_STEPS))
    tell = progress or (lambda _done, _whole: None)
    tell(0, 3)
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise WriteError(_cannot(target, error.strerror or "no such folder")) from None
    archive = work / "archive.pmtiles"
    source = work / "layer.parquet"
    order: dict[str, str | int] = {
        "source": str(source),
        "levels": str(work / "levels.parquet"),
        "archive": str(archive),
        "layer": LAYER,
        "zoom": high,
        "extent": extent,
    }
    try:
        rows = _straight(_plain(gdf), high, extent)
        rows.to_parquet(source, compression="zstd")
        tell(1, 3)
        made = _run(order, target)
        if made["collapsed"] and not points:
            lost = _lost(archive, high, len(rows))
            if len(lost):
                _widened(rows, lost, high, extent).to_parquet(source)
                made = _run(order, target)
            if len(lost) and len(_lost(archive, high, len(rows))):
                raise WriteError(_cannot(target, "features vanish between two steps"))
        tell(2, 3)
        appended = _append(archive, append)
        size, digest = archive.stat().st_size, _digest(archive)
        archive.replace(target)
    except OSError as error:
        raise WriteError(_cannot(target, error.strerror or "")) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tell(3, 3)
    return Tiles(
        path=target,
        rows=len(gdf),
        zoom=high,
        features={int(key): int(n) for key, n in made["features"].items()},
        tiles=int(made["tiles"]),
        step_m=_WORLD_M / 2**high / extent,
        points=points,
        size=size,
        sha256=digest,
        appended=appended,
    )


def mercator(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Place coordinates on the square of web maps.

    Parameters
    ----------
    lonlat
        Shape ``(n, 2)``. [degrees]

    Returns
    -------
    numpy.ndarray
        Shape ``(n, 2)``, from 0, 0 in the north-west to 1, 1.

    Examples
    --------
    >>> mercator(np.array([[0.0, 0.0]])).tolist()
    [[0.5, 0.5]]
    """
    lat = np.radians(lonlat[:, 1])
    y = 0.5 - np.arcsinh(np.tan(lat)) / (2 * np.pi)
    return np.column_stack([lonlat[:, 0] / 360 + 0.5, y])


def _require(gdf: gpd.GeoDataFrame) -> None:
    """Refuse what has no place on a web map."""
    if not len(gdf):
        raise GeometryError(
            "the layer is empty; expected at least one feature. Look at how it was read"
        )
    require_lonlat(gdf, "the layer")
    if gdf.geom_type.isin(["GeometryCollection", "LinearRing"]).any():
        raise GeometryTypeError(
            "the layer holds collections; expected points, lines or areas. Split them "
            "with explode() first"
        )
    south, north = gdf.total_bounds[[1, 3]]
    if max(-south, north) > _LAT_MOST:
        raise GeometryError(
            f"the layer reaches to {max(-south, north):.2f}° of latitude; expected at "
            f"most {_LAT_MOST:.2f}°, where web maps end. Leave out what lies beyond"
        )


def _zoom(gdf: gpd.GeoDataFrame, resolution_m: float) -> int:
    """First zoom in which no tile is crowded, and steps are short enough."""
    import shapely

    bounds = gdf.bounds.to_numpy()
    low = np.clip(mercator(bounds[:, :2]), 0, 1 - 1e-12)
    high = np.clip(mercator(bounds[:, 2:]), 0, 1 - 1e-12)
    xy = (low + high) / 2
    wide = np.abs(high - low)
    weight = shapely.get_num_coordinates(gdf.geometry.to_numpy()) / VERTICES
    weight = np.maximum(weight, 1)
    least = max(
        np.log2(max(weight.sum() / CROWD, 1)) / 2,
        np.log2(_WORLD_M / _USUAL_STEPS / resolution_m),
    )
    for zoom in range(int(np.clip(np.ceil(least), 0, HIGHEST)), HIGHEST):
        column, row = np.floor(xy * 2**zoom).astype(np.int64).T
        _, tile = np.unique(row * 2**zoom + column, return_inverse=True)
        pieces = (wide * 2 ** (zoom + 1) + 1).prod(axis=1).sum()
        if np.bincount(tile, weight).max() <= CROWD or pieces > PIECES * len(gdf):
            return zoom
    return HIGHEST


def _plain(gdf: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Columns that a tile can hold: numbers, truths and texts; rows counted."""
    import pandas as pd

    out = gdf.reset_index(drop=True)
    if out.geometry.name != "geometry":
        out = out.rename_geometry("geometry")
    out.attrs = {}
    for name in out.columns:
        if name == "geometry":
            continue
        column: pd.Series = out[name]
        kept = pd.api.types.is_numeric_dtype(column) and not isinstance(
            column.dtype, pd.CategoricalDtype
        )
        if not kept:
            out[name] = column.map(str, na_action="ignore").astype("str")
    out.insert(0, ROW, np.arange(len(out), dtype=np.int64))
    return out


def _straight(rows: gpd.GeoDataFrame, zoom: int, extent: int) -> gpd.GeoDataFrame:
    """Keep long edges straight on the map, where the tiler bends them by a step."""
    import shapely

    out = rows.to_crs(3857)
    geometries = out.geometry.to_numpy()
    if (shapely.get_dimensions(geometries) < 1).all():
        return out
    far = np.radians(np.abs(rows.total_bounds[[1, 3]]).max())
    step = _WORLD_M / 2**zoom / extent
    # An edge of length d lies up to d² tan(latitude) / 8 R off the chord in degrees.
    longest = float(np.sqrt(8 * _RADIUS_M * step / 2 / max(np.tan(far), 0.01)))
    west, south, east, north = shapely.bounds(geometries).T
    large = np.maximum(east - west, north - south) > longest
    kept = _without_empty_parts(geometries)
    kept[large] = shapely.segmentize(kept[large], longest)
    return out.set_geometry(kept, crs=out.crs)


def _without_empty_parts(geometries: NDArray[np.object_]) -> NDArray[np.object_]:
    """Copy geometries; GEOS 3.14 crashes on parts that are empty."""
    import shapely

    kept = geometries.copy()
    parts, owner = shapely.get_parts(geometries, return_index=True)
    empty = shapely.is_empty(parts)
    for index in np.unique(owner[empty]).tolist():
        own = parts[(owner == index) & ~empty].tolist()
        kept[index] = type(geometries[index])(own)
    return kept


def _run(order: dict[str, Any], target: Path) -> dict[str, Any]:
    """Have the tiles made, and end their maker whatever happens."""
    with subprocess.Popen(
        [sys.executable, "-m", "layers.tiling"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as maker:
        try:
            answer, said = maker.communicate(json.dumps(order))
        except BaseException:
            maker.kill()
            raise
    if maker.returncode:
        reason = (said.strip().splitlines() or ["no reason given"])[-1]
        raise WriteError(_cannot(target, reason[:200]))
    made: dict[str, Any] = json.loads(answer)
    if made["dropped"]:
        raise WriteError(
            _cannot(target, f"{made['dropped']} features found no room in their tiles")
        )
    return made


def _lost(archive: Path, zoom: int, rows: int) -> NDArray[np.intp]:
    """Rows that no tile holds."""
    import pyogrio

    found = pyogrio.read_dataframe(
        archive, layer=LAYER, columns=[ROW], read_geometry=False, ZOOM_LEVEL=zoom
    )
    there = np.zeros(rows, bool)
    there[found[ROW].to_numpy(np.int64)] = True
    return np.flatnonzero(~there)


def _widened(
    rows: gpd.GeoDataFrame, lost: NDArray[np.intp], zoom: int, extent: int
) -> gpd.GeoDataFrame:
    """Let what would vanish between two steps reach over one."""
    import shapely

    geometries = rows.geometry.to_numpy().copy()
    step = _WORLD_M / 2**zoom / extent
    geometries[lost] = shapely.buffer(geometries[lost], 1.5 * step, quad_segs=2)
    return rows.set_geometry(geometries, crs=rows.crs)


def _append(archive: Path, parts: Iterable[bytes]) -> int:
    """Put bytes behind the tiles, as part of their section; return where they start."""
    with archive.open("r+b") as stream:
        stream.seek(_SECTIONS)
        sections = list(struct.unpack("<8Q", stream.read(64)))
        end = sections[6] + sections[7]
        stream.seek(end)
        behind = stream.read()
        stream.seek(end)
        for part in parts:
            stream.write(part)
        longer = stream.tell() - end
        stream.write(behind)
        for place in (0, 2, 4):
            sections[place] += longer if sections[place] >= end else 0
        sections[7] += longer
        stream.seek(_SECTIONS)
        stream.write(struct.pack("<8Q", *sections))
        stream.flush()
        os.fsync(stream.fileno())
    return int(end)


def _digest(path: Path) -> str:
    """Sum up a file, a step at a time."""
    summed = hashlib.sha256()
    with path.open("rb") as stream:
        while part := stream.read(_STEP):
            summed.update(part)
    return summed.hexdigest()


def _cannot(target: Path, reason: str) -> str:
    return (
        f"cannot write {target.name[:80]}: {reason}; expected a folder that can be "
        "written, with room. What stood there before is untouched"
    )

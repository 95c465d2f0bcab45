"""A layer of any size as one archive of vector tiles, for pages that read it in parts.

Points stand in one zoom only, all of them: what a page shows from farther away is their
density, which it counts itself. So no mark is ever left out without a word. Lines and
areas stand in every zoom up to that one; those too small to see are left out of the
coarser ones, and the report says how many are there.
"""

from __future__ import annotations

import json
import shutil
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
    from collections.abc import Callable, Mapping
    from os import PathLike

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

LAYER = "features"
"""Name of the layer inside the archive."""

ROW = "lodemap_row"
"""Column of the archive that counts the rows of the layer, from 0."""

CROWD = 20_000
"""Most features of a tile that a page draws at once."""

HIGHEST = 15
"""Finest zoom of an archive."""

_WORLD_M = 2 * np.pi * 6_378_137.0
_STEPS = (4096, 1 << 24)
_USUAL_STEPS = 1 << 18
_LAT_MOST = 85.05


@dataclass(frozen=True, kw_only=True)
class Tiles:
    """What became of a layer in an archive of tiles."""

    path: Path
    """The archive."""
    rows: int
    """Features of the layer."""
    zoom: int
    """Finest zoom, where all of them stand."""
    features: Mapping[int, int]
    """Features by zoom."""
    tiles: int
    """Tiles in all."""
    step_m: float
    """Step to which positions are rounded, at the equator. [m]"""
    points: bool
    """Whether all features are points."""


def write_tiles(
    gdf: gpd.GeoDataFrame,
    path: str | PathLike[str],
    *,
    resolution_m: float = 1.0,
    zoom: int | None = None,
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
        Finest zoom, 0 to 24; the first in which no tile holds more than :data:`CROWD`
        features when not given.
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
    the same bytes.
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
    try:
        _plain(gdf).to_parquet(work / "layer.parquet", compression="zstd")
        tell(1, 3)
        made = _run(
            {
                "source": str(work / "layer.parquet"),
                "levels": str(work / "levels.parquet"),
                "archive": str(work / "archive.pmtiles"),
                "layer": LAYER,
                "low": high if points else 0,
                "high": high,
                "extent": extent,
                "points": points,
            },
            target,
        )
        tell(2, 3)
        (work / "archive.pmtiles").replace(target)
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
            f"most {_LAT_MOST}°, where web maps end. Leave out what lies beyond"
        )


def _zoom(gdf: gpd.GeoDataFrame, resolution_m: float) -> int:
    """First zoom in which no tile is crowded, and steps are short enough."""
    bounds = gdf.bounds.to_numpy()
    middle = np.column_stack(
        [(bounds[:, 0] + bounds[:, 2]) / 2, (bounds[:, 1] + bounds[:, 3]) / 2]
    )
    xy = np.clip(mercator(middle), 0, 1 - 1e-12)
    least = max(
        np.log2(max(len(gdf) / CROWD, 1)) / 2,
        np.log2(_WORLD_M / _USUAL_STEPS / resolution_m),
    )
    for zoom in range(int(np.clip(np.ceil(least), 0, HIGHEST)), HIGHEST):
        column, row = np.floor(xy * 2**zoom).astype(np.int64).T
        _, count = np.unique(row * 2**zoom + column, return_counts=True)
        if count.max() <= CROWD:
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


def _cannot(target: Path, reason: str) -> str:
    return (
        f"cannot write {target.name[:80]}: {reason}; expected a folder that can be "
        "written, with room. What stood there before is untouched"
    )

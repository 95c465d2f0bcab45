"""From a plan to a search: its data found, opened, looked over and put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import CriteriaError, GridError
from geo.raster import Grid
from geo.raster.bands import Band
from geo.raster.reading import open_raster
from geo.raster.siting import ELEVATION, Siting
from geo.raster.suitability import Criterion
from layers.siting.checks import check_raster

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    import geopandas as gpd

    from layers.siting.plan import SitingPlan
    from layers.siting.tables import Credit, Limits, RasterInput, Region, VectorInput

Box = tuple[float, float, float, float]

_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""How a TIFF or BigTIFF begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a search, for the record.

    Attributes
    ----------
    name, kind, label
        Name in the plan; ``raster``, ``vector`` or ``region``; words for people.
    files
        Files that were used; empty for a layer that ships.
    layer
        Layer of the catalogue, or empty.
    unit
        Unit of a raster as the file has it.
    features
        How many features counted; 0 for a raster.
    credit
        Source and licence.
    """

    name: str
    kind: str
    label: str
    files: tuple[Path, ...]
    layer: str
    unit: str
    features: int
    credit: Credit


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A search that can be run, and what it was made of.

    Attributes
    ----------
    plan
        The plan, without optional features whose file is missing.
    siting
        The search.
    regions
        Polygons with ``id`` and ``name``, EPSG:4326; None for everywhere.
    features
        Layers by name, EPSG:4326.
    inputs
        The record of the data.
    left_out
        Optional features that are missing.
    """

    plan: SitingPlan
    siting: Siting
    regions: gpd.GeoDataFrame | None
    features: Mapping[str, gpd.GeoDataFrame]
    inputs: tuple[Input, ...]
    left_out: tuple[str, ...]


def prepare(plan: SitingPlan, *, data: str | PathLike[str] | None = None) -> Prepared:
    """Find, open and look over the data of a plan.

    Parameters
    ----------
    plan
        From :func:`layers.siting.plan.read_plan`.
    data
        Folder of all files of the plan. When not given: that of the plan for its
        files, the folder of public files for products and for a plan that ships.

    Returns
    -------
    Prepared
        Rasters are opened for their headers and a sample only.

    Raises
    ------
    CriteriaError
        If a file is missing, a unit cannot be right, classes are unknown, or nothing
        is left to rank by or to look at.
    CRSMissingError
        If a raster names no CRS.
    GridError
        If a raster cannot be opened or is none, or none of its files meets the region.
    ReadError, SchemaError
        If a layer cannot be read, or names no CRS.
    """
    folders = _Folders(plan, data)
    regions = None if plan.region is None else _regions(plan.region, folders.own)
    features, left_out = _features(plan, folders.own)
    plan = plan.without(left_out)
    bounds = None if regions is None else _bounds(regions)
    files = {
        name: _meeting(_files(entry, folders), entry, bounds)
        for name, entry in plan.rasters.items()
    }
    grid = _grid(plan, files[ELEVATION], bounds)
    for name, entry in plan.rasters.items():
        check_raster(entry, files[name], bounds, plan.criteria)
    siting = Siting(
        grid=grid,
        rasters={
            name: _band(
                entry,
                files[name],
                entry.factor * (plan.bias.mid if name == "ghi" else 1.0),
            )
            for name, entry in plan.rasters.items()
        },
        features={
            name: layer.geometry
            for name, layer in features.items()
            if any(c.id == f"{name}_m" for c in plan.criteria)
        },
        regions=None if regions is None else regions.geometry,
        criteria=(*plan.criteria, *_measured(plan)),
        min_area_m2=plan.sites.min_km2 * 1e6,
        max_shape_index=plan.sites.max_shape_index,
        connectivity=plan.sites.connectivity,
    )
    return Prepared(
        plan=plan,
        siting=siting,
        regions=regions,
        features=features,
        inputs=_inputs(plan, files, features, folders.own),
        left_out=left_out,
    )


class _Folders:
    """Where the files of a plan are looked for."""

    def __init__(self, plan: SitingPlan, data: str | PathLike[str] | None) -> None:
        from layers.fetching.settings import cache_folder

        if data is not None:
            self.own = self.products = Path(data).resolve()
            if not self.own.is_dir():
                raise CriteriaError(f"there is no folder of data {str(data)[:200]!r}")
        else:
            self.products = cache_folder().resolve()
            self.own = self.products if plan.folder is None else plan.folder


def _measured(plan: SitingPlan) -> tuple[Criterion, ...]:
    """Measures that are told of each site, though nothing depends on them."""
    asked = {c.id for c in plan.criteria}
    told = {"elevation": "m", "slope_deg": "degrees", "ghi": "kWh/m²"}
    return tuple(
        Criterion(
            id=name,
            label=name,
            unit=unit,
            classes={},
            reason="Told of each site.",
            source="the data",
        )
        for name, unit in told.items()
        if name not in asked
    )


def _regions(region: Region, folder: Path) -> gpd.GeoDataFrame:
    layer = _layer(region.layer, region.file, folder)
    for column, fallback in (("id", "region"), ("name", "")):
        if column not in layer:
            numbered = [f"{fallback}-{i + 1}" for i in range(len(layer))]
            layer[column] = numbered if fallback else layer["id"]
    layer = layer.assign(id=layer["id"].astype(str), name=layer["name"].astype(str))
    if missing := sorted(set(region.ids) - set(layer["id"])):
        there = ", ".join(layer["id"].head(20))
        raise CriteriaError(f"region.ids: no {', '.join(missing)}; there are {there}")
    if region.ids:
        layer = layer[layer["id"].isin(region.ids)]
    return layer[["id", "name", "geometry"]].reset_index(drop=True)


def _features(
    plan: SitingPlan, folder: Path
) -> tuple[dict[str, gpd.GeoDataFrame], tuple[str, ...]]:
    """Layers by name, and the names of optional ones that are missing."""
    found: dict[str, gpd.GeoDataFrame] = {}
    missing = []
    for name, entry in plan.vectors.items():
        if entry.optional and entry.file and not (folder / entry.file).exists():
            missing.append(name)
            continue
        layer = _layer(entry.layer, entry.file, folder)
        kept = layer
        for limits in entry.where:
            kept = kept[_met(kept, limits, name)]
        kept = kept[~(kept.geometry.isna() | kept.geometry.is_empty)]
        if kept.empty:
            raise CriteriaError(
                f"vectors.{name}: none of {len(layer)} features is left by where; "
                "there is nothing to measure to"
            )
        found[name] = kept.reset_index(drop=True)
    return found, tuple(missing)


def _layer(layer: str, file: str, folder: Path) -> gpd.GeoDataFrame:
    from layers.catalogue import load
    from layers.reading import read_layer

    if layer:
        return load(layer)
    path = _inside(folder / file, folder, file)
    return read_layer(path, evidence=False)


def _met(layer: gpd.GeoDataFrame, limits: Limits, name: str) -> Any:
    """Which rows of a layer keep to limits of one column."""
    import pandas as pd

    where = f"vectors.{name}.where.{limits.column}"
    if limits.column not in layer or limits.column == "geometry":
        columns = ", ".join(c for c in map(str, layer.columns) if c != "geometry")
        raise CriteriaError(f"{where}: there is no such column; there are {columns}")
    column = layer[limits.column]
    empty = column.isna() | (column.astype(str).str.strip() == "")
    met = pd.Series(data=True, index=layer.index)
    if limits.minimum is not None or limits.maximum is not None:
        numbers = pd.to_numeric(column, errors="coerce")
        if (numbers.isna() & ~empty).any():
            odd = str(column[numbers.isna() & ~empty].iloc[0])[:40]
            raise CriteriaError(f"{where}: {odd!r} is no number to compare")
        if limits.minimum is not None:
            met &= numbers >= limits.minimum
        if limits.maximum is not None:
            met &= numbers <= limits.maximum
    if limits.among:
        met &= column.astype(str).isin(limits.among)
    for text in limits.without:
        met &= ~column.astype(str).str.contains(text, regex=False)
    return (met & ~empty) | (empty if limits.blank else False)


def _files(entry: RasterInput, folders: _Folders) -> list[Path]:
    """Files that the patterns of a raster find, none outside the folder."""
    folder = folders.products if entry.product else folders.own
    found: dict[Path, None] = {}
    for pattern in entry.files:
        paths = sorted(folder.glob(pattern))
        if not paths:
            how = (
                f"lodemap fetch gets {entry.product}"
                if entry.product
                else "expected a path or pattern within that folder"
            )
            raise CriteriaError(
                f"rasters.{entry.name}.files: nothing matches {pattern!r} in {folder}; "
                f"{how}"
            )
        for path in paths:
            found[_inside(path, folder, pattern)] = None
    for path in found:
        _require_tiff(path)
    return list(found)


def _inside(path: Path, folder: Path, said: str) -> Path:
    """Refuse a path that links lead out of its folder."""
    real, root = path.resolve(), folder.resolve()
    if not real.is_relative_to(root):
        raise CriteriaError(
            f"{said[:120]!r} leads out of {root} by a link; put the file itself there, "
            "or name the folder of data that holds it"
        )
    return path


def _require_tiff(path: Path) -> None:
    """Refuse what GDAL would take for another kind of file, whatever that reads."""
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        raise GridError(f"{path.name} cannot be read: {error.strerror}") from None
    if head[:4] not in _TIFF:
        looks = "a page of a web server" if head.lstrip()[:1] == b"<" else "no TIFF"
        raise GridError(
            f"{path.name} is {looks if head else 'empty'}, whatever its name says; "
            "expected a GeoTIFF. Fetch or convert it again"
        )


def _bounds(regions: gpd.GeoDataFrame) -> Box:
    west, south, east, north = (float(v) for v in regions.total_bounds)
    return west, south, east, north


def _placed(bounds: Box, crs: str) -> Box:
    """Bounds in longitude and latitude, in another CRS."""
    from rasterio.warp import transform_bounds

    west, south, east, north = transform_bounds(
        "EPSG:4326", crs, *bounds, densify_pts=21
    )
    return west, south, east, north


def _meeting(
    files: Sequence[Path], entry: RasterInput, bounds: Box | None
) -> list[Path]:
    """Files that share ground with the region."""
    kept, grids = [], []
    for path in files:
        with open_raster(path) as source:
            grid = Grid.of_source(source)
        grids.append(grid)
        if bounds is None:
            kept.append(path)
            continue
        west, south, east, north = _placed(bounds, grid.crs)
        left, bottom, right, top = grid.bounds
        if (
            west - grid.dx < right
            and east + grid.dx > left
            and south - grid.dy < top
            and north + grid.dy > bottom
        ):
            kept.append(path)
    if not kept:
        covers = tuple(round(v, 4) for v in grids[0].bounds)
        placed = _placed(bounds or grids[0].bounds, grids[0].crs)
        raise GridError(
            f"rasters.{entry.name}: none of {len(files)} files meets the region, which "
            f"lies within {tuple(round(v, 4) for v in placed)} in {grids[0].crs}; "
            f"{files[0].name} covers {covers}"
        )
    return kept


def _grid(plan: SitingPlan, elevation: Sequence[Path], bounds: Box | None) -> Grid:
    """Cells of the search: those asked for, or those of the elevation."""
    whole = _union([Grid.of(path) for path in elevation])
    if plan.grid is None:
        return whole if bounds is None else whole.crop(_placed(bounds, whole.crs))
    side = plan.grid.resolution_m
    try:
        if bounds is None:
            from rasterio.warp import transform_bounds

            box = transform_bounds(whole.crs, plan.grid.crs, *whole.bounds)
        else:
            box = _placed(bounds, plan.grid.crs)
    except Exception as error:
        from rasterio.errors import RasterioError

        if not isinstance(error, RasterioError | ValueError):
            raise
        raise GridError(
            f"grid.crs: {plan.grid.crs[:60]!r} is no CRS that can be used here"
        ) from error
    west, south = (float(np.floor(v / side) * side) for v in box[:2])
    east, north = (float(np.ceil(v / side) * side) for v in box[2:])
    return Grid.over((west, south, east, north), side, crs=plan.grid.crs)


def _union(grids: Sequence[Grid]) -> Grid:
    """Cells of all tiles of a mosaic, on the lines of the finest."""
    first = min(grids, key=lambda g: (g.dx, g.dy))
    boxes = np.array([g.bounds for g in grids])
    west, south = boxes[:, 0].min(), boxes[:, 1].min()
    east, north = boxes[:, 2].max(), boxes[:, 3].max()
    left = round((first.west - west) / first.dx)
    up = round((north - first.north) / first.dy)
    columns = left + round((east - first.west) / first.dx)
    rows = up + round((first.north - south) / first.dy)
    return Grid(
        west=first.west - left * first.dx,
        north=first.north + up * first.dy,
        dx=first.dx,
        dy=first.dy,
        shape=(rows, columns),
        crs=first.crs,
    )


def _band(entry: RasterInput, files: Sequence[Path], factor: float) -> Band:
    """Make a band of a raster, in metres or kWh/m² a year."""
    scale, offset = entry.scale, entry.offset
    if factor != 1.0:
        own = [_scaling(path, entry.band) for path in files]
        if len(set(own)) > 1 and (scale is None or offset is None):
            raise GridError(
                f"rasters.{entry.name}: its files differ in scale or offset, so their "
                "unit cannot be changed together; give scale and offset"
            )
        scale = (own[0][0] if scale is None else scale) * factor
        offset = (own[0][1] if offset is None else offset) * factor
    return Band(
        paths=tuple(files),
        band=entry.band,
        scale=scale,
        offset=offset,
        nodata=entry.nodata,
        resampling="nearest" if entry.legend else "bilinear",
        unit=entry.unit,
    )


def _scaling(path: Path, band: int) -> tuple[float, float]:
    with open_raster(path) as source:
        if band > source.count:
            raise GridError(f"{path.name} has {source.count} bands, no band {band}")
        return float(source.scales[band - 1]), float(source.offsets[band - 1])


def _inputs(
    plan: SitingPlan,
    files: Mapping[str, list[Path]],
    features: Mapping[str, gpd.GeoDataFrame],
    folder: Path,
) -> tuple[Input, ...]:
    record = [
        Input(
            name=name,
            kind="raster",
            label=name.replace("_", " "),
            files=tuple(files[name]),
            layer="",
            unit=entry.unit,
            features=0,
            credit=entry.credit,
        )
        for name, entry in plan.rasters.items()
    ]
    vectors: list[tuple[str, str, VectorInput | Region, int]] = [
        (name, "vector", entry, len(features[name]))
        for name, entry in plan.vectors.items()
    ]
    if plan.region is not None:
        vectors.append(("region", "region", plan.region, 0))
    record += [
        Input(
            name=name,
            kind=kind,
            label=getattr(entry, "label", "where to look"),
            files=(folder / entry.file,) if entry.file else (),
            layer=entry.layer,
            unit="",
            features=count,
            credit=entry.credit,
        )
        for name, kind, entry, count in vectors
    ]
    return tuple(record)

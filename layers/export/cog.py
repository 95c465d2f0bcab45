"""Rasters as Cloud Optimized GeoTIFFs that say what they hold and whose they are."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.datasets import storage
from geo.errors import CRSMissingError, GridError
from layers.catalogue import catalogue
from layers.errors import SchemaError, WriteError
from layers.export import catalogue_losses
from layers.export.folders import files_in, replacing_folder
from layers.export.licences import copy_licences
from layers.export.names import check_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layers.catalogue import Layer
    from layers.export.content import Content

LOSSES = catalogue_losses.COG
"""What the format changes."""

STATISTICS = "STATISTICS_"
"""How GDAL's names of a band's statistics begin."""

_BLOCK = 512
_ENDINGS = (".tif", ".tiff")


def write_cog(
    content: Content,
    path: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Path, ...]:
    """Write the rasters of an export as COGs.

    Parameters
    ----------
    content
        What to write; its sheets are left out.
    path
        ``.tif`` file for one raster; a folder, with one file a raster, for several.
    progress
        Takes rasters written and rasters in all.

    Returns
    -------
    tuple of pathlib.Path
        The files.

    Raises
    ------
    SchemaError
        If there is no raster, several for one file, or a name is no plain one.
    WriteError
        If a file cannot be written.
    geo.errors.CRSMissingError
        If a raster names no CRS.
    geo.errors.GridError
        If a file cannot be read as a raster.
    """
    check_names(content)
    rasters = content.rasters
    single = path.suffix.lower() in _ENDINGS
    if not rasters or (single and len(rasters) > 1):
        there = ", ".join(rasters) or "none"
        raise SchemaError(
            f"{content.id} holds these rasters: {there}; expected "
            + ("one for a file. Name a folder." if rasters else "at least one.")
        )
    if single:
        [(raster_id, source)] = rasters.items()
        save_raster(raster_id, source, path)
        if progress is not None:
            progress(1, 1)
        return (path,)
    with replacing_folder(path) as folder:
        for done, (raster_id, source) in enumerate(rasters.items(), start=1):
            save_raster(raster_id, source, folder / f"{raster_id}.tif")
            if progress is not None:
                progress(done, len(rasters))
        entries = [entry for r in rasters if (entry := entry_of(r)) is not None]
        copy_licences((entry.licence for entry in entries), folder)
    return files_in(path)


def entry_of(raster_id: str) -> Layer | None:
    """Entry of the catalogue for a raster; None for one of somebody else."""
    entry = catalogue().get(raster_id)
    return entry if entry is not None and entry.kind == "raster" else None


def save_raster(raster_id: str, source: Path, path: Path) -> None:
    """Write a raster as a COG with what the catalogue says of it.

    Parameters
    ----------
    raster_id
        Id of the catalogue, or any other name.
    source, path
        Raster to read, and file to write.

    Raises
    ------
    WriteError
        If the file cannot be written.
    geo.errors.CRSMissingError
        If the raster names no CRS.
    geo.errors.GridError
        If the file cannot be read as a raster.
    """
    entry = entry_of(raster_id)
    if entry is None:
        save_cog(source, path)
        return
    tags = {
        "TIFFTAG_COPYRIGHT": f"{entry.source} Licence: {entry.licence}.",
        "TIFFTAG_IMAGEDESCRIPTION": entry.title,
    }
    tags |= {f"CLASS_{value}": name for value, name in entry.classes.items()}
    save_cog(source, path, tags=tags, average=not entry.classes)


def save_cog(
    source: Path,
    path: Path,
    *,
    tags: Mapping[str, str] | None = None,
    average: bool | None = None,
) -> None:
    """Write any raster as a COG with the same cells, whole or not at all.

    Units, names, scales, nodata and tags of the source are kept; statistics of each
    band are put beside them.

    Parameters
    ----------
    source
        Raster that GDAL can open.
    path
        File to write.
    tags
        More tags of the file, such as ``TIFFTAG_COPYRIGHT``.
    average
        Whether cells of overviews are means; otherwise they are one of the cells. Not
        given, floating point numbers are averaged and whole ones are not, since they
        may be classes.

    Raises
    ------
    WriteError
        If the file cannot be written. What stood there before is untouched.
    geo.errors.CRSMissingError
        If the raster names no CRS.
    geo.errors.GridError
        If the source cannot be read as a raster.
    """
    target = path.resolve()
    work = None
    try:
        work = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        _make(source, work, tags or {}, average=average)
        with storage.appearing(str(target)) as local:
            (work / "whole.tif").replace(local)
    except OSError as error:
        raise WriteError(
            f"cannot write {path}: {error.strerror or error}; expected a folder that "
            "can be written, with room. What stood there before is untouched."
        ) from error
    finally:
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)


def _make(
    source: Path, work: Path, tags: Mapping[str, str], *, average: bool | None
) -> None:
    """Make the COG in a folder, and make sure that it can be read to the end."""
    import rasterio
    import rasterio.shutil
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import RasterioError

    try:
        with rasterio.open(source) as raster:
            if raster.crs is None:
                raise CRSMissingError(
                    f"{source.name} names no CRS; expected one. Write it into the "
                    "file first, with rio edit-info --crs."
                )
            whole = all(np.issubdtype(np.dtype(t), np.integer) for t in raster.dtypes)
            predicted = not any(t.startswith("complex") for t in raster.dtypes) and (
                "NBITS" not in raster.tags(1, ns="IMAGE_STRUCTURE")
            )
            found = {i: _statistics(raster, i) for i in raster.indexes}
    except RasterioError as error:
        raise GridError(
            f"{source.name} cannot be read as a raster ({_line(error)}); expected one "
            "that GDAL opens."
        ) from error
    means = average if average is not None else not whole
    try:
        with rasterio.Env(GDAL_CACHEMAX=64):
            plain = work / "plain.vrt"
            rasterio.shutil.copy(str(source.resolve()), str(plain), driver="VRT")
            with rasterio.open(plain, "r+") as raster:
                raster.update_tags(**{k: _line(v) for k, v in tags.items()})
                for band, said in found.items():
                    raster.update_tags(band, **said)
            rasterio.shutil.copy(
                str(plain),
                str(work / "whole.tif"),
                driver="COG",
                compress="DEFLATE",
                predictor="YES" if predicted else "NO",
                blocksize=_BLOCK,
                bigtiff="IF_SAFER",
                overview_resampling="average" if means else "nearest",
            )
            with rasterio.open(work / "whole.tif") as made:
                for _, window in made.block_windows(1):
                    made.read(window=window)
    except (CPLE_BaseError, RasterioError) as error:
        raise OSError(f"the disk may be full ({_line(error)})") from error
    os.chmod(work / "whole.tif", 0o644)  # noqa: PTH101


def _statistics(raster: Any, band: int) -> dict[str, str]:
    """Statistics of a band's valid cells as GDAL writes them; none without a number."""
    if np.dtype(raster.dtypes[band - 1]).kind == "c":
        return {}
    low, high, mean, squares, count = np.inf, -np.inf, 0.0, 0.0, 0
    for _, window in raster.block_windows(band):
        cells = raster.read(band, window=window, masked=True)
        valid = cells.compressed().astype(float)
        valid = valid[~np.isnan(valid)]
        if not valid.size:
            continue
        if not np.isfinite(valid).all():
            return {}
        low, high = min(low, valid.min()), max(high, valid.max())
        # Means and squares of two parts are put together as Chan et al. (1979) do.
        apart = valid.mean() - mean
        both = count + valid.size
        squares += valid.var() * valid.size + apart**2 * count * valid.size / both
        mean, count = mean + apart * valid.size / both, both
    if not count:
        return {}
    found = {
        "MINIMUM": low,
        "MAXIMUM": high,
        "MEAN": mean,
        "STDDEV": (squares / count) ** 0.5,
        "VALID_PERCENT": 100 * count / (raster.width * raster.height),
    }
    # The last digits of sums differ from machine to machine.
    digits = {"MINIMUM": 17, "MAXIMUM": 17}
    return {
        f"{STATISTICS}{name}": f"{value:.{digits.get(name, 12)}g}"
        for name, value in found.items()
    }


def _line(value: Any) -> str:
    """Write anything on one line."""
    return " ".join(str(value).split())

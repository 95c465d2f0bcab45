"""Sites as a folder of files: written whole or not at all, and read back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shapely

from layers.errors import ReadError, WriteError
from layers.export.geopackage import write_geopackage
from layers.schema import check_geometry
from layers.siting.backdrop import SCORE
from layers.siting.content import LAYER, MARK, sites_content

if TYPE_CHECKING:
    from collections.abc import Iterator
    from os import PathLike

    import geopandas as gpd

    from layers.siting.sites import SolarSites

SITES, TABLE, ABOUT = "sites.gpkg", "sites.csv", "sites.json"
MASK = "mask.tif"
PROJECT = "sites.qgz"
NAMES = (SITES, PROJECT, TABLE, SCORE, MASK, ABOUT)
"""What a folder of sites holds; the last is put in its place last."""

FORMAT = 1
_HASHED = 64_000_000
"""Inputs up to this size are hashed. [B]"""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would run."""


@contextmanager
def staged(folder: str | PathLike[str]) -> Iterator[Path]:
    """Open a folder whose files move to another one when all are written.

    Parameters
    ----------
    folder
        Where the files are to stand; made if it is not there.

    Yields
    ------
    pathlib.Path
        An empty folder on the same disk, gone afterwards, whatever happens.

    Raises
    ------
    WriteError
        If the folder cannot be written, or there is no room. What stood there before
        is untouched then, but for files that had already taken their place when the
        last step failed.
    """
    target = Path(folder)
    made = not target.exists()
    stage = None
    try:
        target.mkdir(parents=True, exist_ok=True)
        stage = Path(tempfile.mkdtemp(prefix=".part-", dir=target))
        yield stage
        written = sorted(
            stage.iterdir(), key=lambda p: (p.name == ABOUT, p.name)
        )  # the record of the others last
        for path in written:
            _sync(path)
        for path in written:
            path.chmod(0o666 & ~_umask())
            path.replace(target / path.name)
    except OSError as error:
        if isinstance(error, WriteError):
            raise
        raise WriteError(
            f"cannot write to {target}: {error.strerror or error}; "
            "expected a folder that can be written, with room for the files"
        ) from error
    finally:
        if stage is not None:
            shutil.rmtree(stage, ignore_errors=True)
            if made and not any(target.iterdir()):
                target.rmdir()


def write_sites(found: SolarSites, stage: Path) -> None:
    """Write a table of sites and all that is said about it.

    Parameters
    ----------
    found
        Sites. Their rasters stand in ``stage`` already.
    stage
        Folder from :func:`staged`.

    Raises
    ------
    WriteError
        If a file cannot be written.

    Notes
    -----
    ``sites.gpkg`` opens dressed in QGIS, as :mod:`layers.export` has it, with the
    tables of the record inside and the project ``sites.qgz`` beside it, in which
    ``score.tif`` lies under the sites if there is one. Its layer ``sites`` and
    ``sites.csv`` hold the same columns; the CSV has a point inside each site in place
    of the outline, and a text that a spreadsheet would run gets an apostrophe before
    it.
    """
    there = tuple(stage / name for name in (SCORE, MASK) if (stage / name).is_file())
    write_geopackage(sites_content(replace(found, outputs=there)), stage / SITES)
    (stage / TABLE).write_bytes(_csv(found.table))
    about = about_sites(found)
    about["files"] = {
        path.name: {"bytes": path.stat().st_size, "sha256": _sha256(path)}
        for path in sorted(stage.iterdir())
        if path.name in NAMES
    }
    text = json.dumps(about, ensure_ascii=False, indent=1, allow_nan=False)
    (stage / ABOUT).write_text(text + "\n", encoding="utf-8")


def about_sites(found: SolarSites) -> dict[str, Any]:
    """Return all that is said about sites but their table, ready for JSON.

    Parameters
    ----------
    found
        Sites.

    Returns
    -------
    dict
        Numbers that are missing are None.
    """
    plain: dict[str, Any] = _plain(
        {
            "format": FORMAT,
            "id": found.id,
            "title": found.title,
            "file": found.file,
            "synthetic": found.synthetic,
            "exchange": found.exchange,
            "grid": dict(found.grid),
            "totals": dict(found.totals),
            "criteria": [asdict(rule) for rule in found.rules],
            "method": dict(found.method),
            "ranks": dict(found.ranks),
            "tornado": found.tornado.to_dict("records"),
            "portfolios": [asdict(p) for p in found.portfolios],
            "inputs": [dict(entry) for entry in found.inputs],
        }
    )
    return plain


def read_sites(folder: str | PathLike[str]) -> SolarSites:
    """Read a folder of sites back.

    Parameters
    ----------
    folder
        What ``lodemap sites`` wrote.

    Returns
    -------
    SolarSites
        As it was written; ``outputs`` are the rasters that are there.

    Raises
    ------
    ReadError
        If a file is missing or damaged, or not of the same run as the others.

    Notes
    -----
    Only the files named ``sites.json``, ``sites.gpkg``, ``score.tif`` and ``mask.tif``
    are opened.
    """
    import pandas as pd

    from layers.siting.portfolios import Portfolio
    from layers.siting.sites import SolarSites
    from layers.siting.tornado import COLUMNS
    from layers.solar_method import Rule

    root = Path(folder)
    about = _about(root)
    table = _table(root, about)
    try:
        tornado = pd.DataFrame(about["tornado"], columns=list(COLUMNS))
        for column in COLUMNS:
            if column.startswith("top_n_kept"):
                tornado[column] = tornado[column].astype("Int64")
            elif column not in {"assumption", "label", "unit"}:
                tornado[column] = tornado[column].astype(float)
        found = SolarSites(
            id=about["id"],
            title=about["title"],
            file=about["file"],
            synthetic=about["synthetic"],
            exchange=about["exchange"],
            table=table,
            tornado=tornado,
            portfolios=tuple(
                Portfolio(**{**p, "sites": tuple(p["sites"])})
                for p in about["portfolios"]
            ),
            rules=tuple(Rule(**rule) for rule in about["criteria"]),
            method=about["method"],
            inputs=tuple(about["inputs"]),
            ranks=about["ranks"],
            totals=about["totals"],
            grid=about["grid"],
            outputs=tuple(
                root / name for name in (SCORE, MASK) if (root / name).is_file()
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ReadError(
            f"{ABOUT} lacks what a folder of sites has ({error!r:.80}); write it again "
            "with lodemap sites"
        ) from error
    return found


def described_file(path: Path) -> dict[str, Any]:
    """Name, size and, where it is small, SHA-256 of an input.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    dict
        ``name``, ``bytes`` and ``sha256``, empty for a large file. No folder: it would
        tell of the machine.
    """
    size = path.stat().st_size
    return {
        "name": path.name,
        "bytes": size,
        "sha256": _sha256(path) if size <= _HASHED else "",
    }


def _about(root: Path) -> dict[str, Any]:
    path = root / ABOUT
    try:
        about = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ReadError(
            f"{str(root)[:200]} holds no {ABOUT} that can be read ({error.strerror}); "
            "expected a folder that lodemap sites wrote"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ReadError(f"{ABOUT} is no JSON: {str(error)[:120]}") from None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        said = about.get("format") if isinstance(about, dict) else type(about).__name__
        raise ReadError(
            f"{ABOUT} is of format {str(said)[:20]}; expected {FORMAT}. Write it again "
            "with lodemap sites"
        )
    return about


def _table(root: Path, about: dict[str, Any]) -> gpd.GeoDataFrame:
    import pandas as pd

    path = root / SITES
    try:
        known = about["files"][SITES]["sha256"]
        same = _sha256(path) == known
    except OSError as error:
        raise ReadError(f"{SITES} cannot be read: {error.strerror}") from None
    except (KeyError, TypeError):
        raise ReadError(f"{ABOUT} does not say which {SITES} is its own") from None
    if not same:
        raise ReadError(
            f"{SITES} is not the one that {ABOUT} was written with; it was changed, or "
            "two runs were mixed. Run lodemap sites again"
        )
    table = _outlines(path)
    for column in table.columns:
        if pd.api.types.is_string_dtype(table[column]) and column != "geometry":
            table[column] = table[column].fillna("")
    if len(table):
        check_geometry(table, SITES)
    return table


def _outlines(path: Path) -> gpd.GeoDataFrame:
    """Read the layer of outlines, which a search may well have left empty."""
    import geopandas as gpd
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        table = pyogrio.read_dataframe(path, layer=LAYER)
    except (DataLayerError, DataSourceError, ValueError) as error:
        raise ReadError(
            f"{SITES} has no layer {LAYER} that can be read: "
            f"{' '.join(str(error).split())[:120]}. Run lodemap sites again"
        ) from None
    if not isinstance(table, gpd.GeoDataFrame):
        raise ReadError(f"{SITES}: the layer {LAYER} has no outlines")
    return table.drop(columns=MARK, errors="ignore")


def _csv(table: gpd.GeoDataFrame) -> bytes:
    """Rows with a point inside each site, texts made harmless for spreadsheets."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)  # lines end as RFC 4180 has it, so that \r is quoted
    names = [c for c in table.columns if c != "geometry"]
    writer.writerow([*names, "lon", "lat"])
    points = shapely.point_on_surface(table.geometry.to_numpy())
    rows = zip(*(table[name].tolist() for name in names), strict=True)
    for row, lon, lat in zip(
        rows, shapely.get_x(points), shapely.get_y(points), strict=True
    ):
        writer.writerow([*map(_cell, row), f"{lon:.6f}", f"{lat:.6f}"])
    return text.getvalue().encode("utf-8")


def _cell(value: object) -> object:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(float(value))
    return value


def _plain(value: Any) -> Any:
    """Turn numbers of numpy and missing ones into what JSON has."""
    import pandas as pd

    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if value is None or value is pd.NA:
        return None
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

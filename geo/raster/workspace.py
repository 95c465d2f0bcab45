"""A folder that keeps what is known of each tile, so that a killed run can go on."""

from __future__ import annotations

import json
import zlib
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from geo.datasets import storage
from geo.raster.tiles import Part

if TYPE_CHECKING:
    import os

    import geopandas as gpd
    from numpy.typing import NDArray

    from geo.raster.siting import Siting
    from geo.raster.streaming import Layout

_JOB = "_job.json"


class Workspace:
    """Tiles that are done, each in a file that appears when it is whole.

    Parameters
    ----------
    folder
        New, empty, or that of an earlier run of the same search.
    record
        What the search depends on.

    Raises
    ------
    FileExistsError
        If the folder holds something else, or inputs or options have changed.
    """

    def __init__(self, folder: str | os.PathLike[str], record: dict[str, Any]) -> None:
        self.folder = storage.normal(folder)
        text = json.dumps(record, indent=1, sort_keys=True)
        names = storage.listed(self.folder)
        at = storage.join(self.folder, _JOB)
        if _JOB in names:
            with storage.opened(at) as file:
                before = file.read().decode()
            if before != text:
                raise FileExistsError(
                    f"{self.folder} holds the tiles of another search, or of inputs "
                    f"that have changed since ({_first_difference(before, record)}); "
                    "name another folder, or remove it"
                )
            storage.remove_unfinished(self.folder)
        elif names:
            raise FileExistsError(
                f"{self.folder} is not empty; name another folder, or remove it first"
            )
        else:
            with storage.appearing(at) as local:
                local.write_text(text, encoding="utf-8")
        self._known = set(names)

    def has(self, number: int) -> bool:
        """Tell whether a tile is known."""
        return _name(number) in self._known

    def load(self, number: int) -> tuple[Part | None, NDArray[np.uint8]] | None:
        """Return what is known of a tile.

        Parameters
        ----------
        number
            Which one.

        Returns
        -------
        part, score
            As :meth:`save` was given them; None where the tile is not known, or its
            file is damaged.
        """
        if not self.has(number):
            return None
        try:
            with storage.opened(storage.join(self.folder, _name(number))) as file:
                named = dict(np.load(file, allow_pickle=False))
            score = named.pop("score")
            return (Part.of_arrays(named) if named else None), score
        except (OSError, ValueError, KeyError, EOFError, BadZipFile, zlib.error):
            return None

    def save(self, number: int, part: Part | None, score: NDArray[np.uint8]) -> None:
        """Keep what is known of a tile, as :func:`save_tile`."""
        save_tile(self.folder, number, part, score)


def save_tile(
    folder: str, number: int, part: Part | None, score: NDArray[np.uint8]
) -> None:
    """Keep what is known of a tile in a file that appears when it is whole.

    Parameters
    ----------
    folder
        Of the workspace.
    number
        Which tile.
    part
        What is remembered of it; None if there was nothing to look at.
    score
        Scores as they are written, or empty.

    Raises
    ------
    OSError
        If the disk is full.
    """
    named = part.arrays() if part else {}
    path = storage.join(folder, _name(number))
    with storage.appearing(path) as local, local.open("wb") as file:
        np.savez_compressed(file, score=score, **named)  # type: ignore[arg-type]


def record_of(siting: Siting, layout: Layout, *, scored: bool) -> dict[str, Any]:
    """Say what a search depends on, so that the same one is known again.

    Parameters
    ----------
    siting
        What is looked for.
    layout
        How the cells are cut into tiles.
    scored
        Whether scores are kept as well.

    Returns
    -------
    dict
        Of texts and numbers. Files are the same when paths, sizes and times of change
        are.
    """
    return {
        "grid": repr(siting.grid),
        "rasters": {
            name: {
                "files": [
                    [str(path.absolute()), storage.stamp(str(path))]
                    for path in band.paths
                ],
                "options": repr(
                    (band.band, band.scale, band.offset, band.nodata, band.resampling)
                ),
            }
            for name, band in siting.rasters.items()
        },
        "features": {name: _digest(each) for name, each in siting.features.items()},
        "regions": None if siting.regions is None else _digest(siting.regions),
        "criteria": [
            repr((c.id, c.minimum, c.maximum, dict(c.classes), c.points, c.weight))
            for c in siting.criteria
        ],
        "sites": repr(
            (siting.min_area_m2, siting.max_shape_index, siting.connectivity)
        ),
        "tiles": repr((layout.rows, layout.columns, scored)),
    }


def _digest(shapes: gpd.GeoSeries) -> str:
    """Hash of geometries in their order."""
    digest = sha256()
    for wkb in shapes.to_wkb():
        digest.update(len(wkb).to_bytes(8, "little"))
        digest.update(wkb)
    return digest.hexdigest()


def _first_difference(before: str, record: dict[str, Any]) -> str:
    """Name what has changed first."""
    try:
        old = json.loads(before)
    except ValueError:
        return "its record is damaged"
    new = json.loads(json.dumps(record))
    changed = [
        key for key in new if not isinstance(old, dict) or old.get(key) != new[key]
    ]
    return ", ".join(changed) or "written by another version"


def _name(number: int) -> str:
    return f"tile-{number:06d}.npz"

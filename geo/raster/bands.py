"""One raster, or many files that make one, as a measure of cells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geo.errors import GridError


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """One band of a raster, or of the files of a mosaic; opened only when it is read.

    Attributes
    ----------
    paths
        Files that GDAL can open, each in its own extent; where several have a value
        the first counts. All in one CRS; resolutions may differ, as those of GLO-30
        do with latitude. A single path will do as well.
    band
        Band to read, counted from 1.
    scale, offset
        Stored numbers times ``scale`` plus ``offset`` give the measure; those that
        the files name when None.
    nodata
        Stored number that means no value, besides NaN and infinity; what the files
        name when None.
    resampling
        ``"nearest"`` for classes, ``"bilinear"`` for values: what a cell of another
        grid gets at its centre. Unused where the grids have their lines in common.
    unit
        Unit of the measure, for people.

    Raises
    ------
    GridError
        If there is no path, no such band or no such way of resampling.

    Examples
    --------
    >>> Band(paths="dem.tif", resampling="bilinear", unit="m").paths
    (PosixPath('dem.tif'),)
    """

    paths: tuple[Path, ...]
    band: int = 1
    scale: float | None = None
    offset: float | None = None
    nodata: float | None = None
    resampling: Literal["nearest", "bilinear"] = "nearest"
    unit: str = ""

    def __post_init__(self) -> None:
        """Refuse what can be no band, and keep the paths as a tuple."""
        object.__setattr__(self, "paths", _paths(self.paths))
        if not self.paths:
            raise GridError("a band without files; expected one path or more")
        if self.band < 1:
            raise GridError(f"band is {self.band}; bands are counted from 1")
        if self.resampling not in {"nearest", "bilinear"}:
            raise GridError(
                f"resampling is {self.resampling!r}; expected 'nearest' for classes or "
                "'bilinear' for values"
            )


def _paths(given: object) -> tuple[Path, ...]:
    """Take one path or many."""
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        return tuple(Path(path) for path in given)
    return (Path(given),)  # type: ignore[arg-type]  # whatever is no path is refused

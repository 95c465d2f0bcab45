"""Rows out of a file that nobody vouches for, read in a process apart from this one."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from os import PathLike
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What reading a file may cost.

    Attributes
    ----------
    seconds
        Time for a small file. [s]
    seconds_per_mb
        Time on top for every megabyte of the file. [s/MB]
    memory_mb
        Address space of the process that reads, libraries included (about 450 MB of
        it). [MB]
    disk_mb
        Length of the rows as written for the caller, of an archive unpacked, and of
        the file itself. [MB]
    """

    seconds: float = 20.0
    seconds_per_mb: float = 0.5
    memory_mb: int = 3072
    disk_mb: int = 8192


@dataclass(frozen=True, kw_only=True)
class RawFile:
    """Rows of one layer of a file, as the file has them.

    Attributes
    ----------
    arrow
        Arrow IPC file in a private temporary folder: record batches of at most 65,536
        rows; the attribute columns under their own names, then ``geometry`` (WKB,
        may hold nulls) if the file has places. Map it into memory.
    rows
        Number of rows.
    columns
        Attribute columns in their order.
    has_geometry
        Whether there is a column ``geometry``.
    crs
        What the file states, as WKT or ``AUTHORITY:CODE``; None if it states none.
    crs_by
        Who says so: ``"file"``, ``"format"`` (KML, GeoJSON without ``crs``: WGS 84 by
        its standard) or ``""``.
    kind
        Such as ``"GeoPackage"``, ``"Shapefile"``, ``"KML"``, ``"CSV"``, ``"XLSX"``.
    layer
        Layer that was read.
    layers
        All that there were; tables for styles and projects are no layers.
    encoding
        Encoding of its text; empty where the format leaves no choice.
    sha256
        Of the file as given; of a folder, over the names and sums of its files.
    size
        Length of what was given. [bytes]
    notes
        One sentence each on what a reader should know.
    bounds
        West, south, east, north of the finite coordinates, as stored.
    mended
        What was mended at reading, and how often: ``{"open rings closed": 2}``.
    """

    arrow: Path
    rows: int
    columns: tuple[str, ...]
    has_geometry: bool
    crs: str | None
    crs_by: str
    kind: str
    layer: str
    layers: tuple[str, ...]
    encoding: str
    sha256: str
    size: int
    notes: tuple[str, ...]
    bounds: tuple[float, float, float, float] | None
    mended: Mapping[str, int]


@contextmanager
def open_raw(
    path: str | PathLike[str],
    *,
    layer: str | None = None,
    encoding: str | None = None,
    limits: Limits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[RawFile]:
    """Read one layer of a file in a process with bounds, and lend out its rows.

    Parameters
    ----------
    path
        An existing file, or the folder of a File Geodatabase.
    layer
        Layer, sheet or member of an archive; None if there is only one.
    encoding
        Encoding of its text, such as ``"cp949"``, where the file states none or a
        wrong one.
    limits
        What reading may cost; None for the defaults of :class:`Limits`.
    progress
        Called with rows read and rows in all, as far as the file says.

    Yields
    ------
    RawFile
        Its file is gone at the end of the ``with`` block.

    Raises
    ------
    ReadError
        If the file cannot be read, or not within the limits.
    """
    raise NotImplementedError
    yield

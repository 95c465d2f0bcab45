"""What the process that reads is asked for, and what it answers."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layers.errors import ReadError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from layers.importing.batches import Written

_SHOWN = 12


@dataclass(frozen=True, kw_only=True)
class Job:
    """One file to read.

    Attributes
    ----------
    file
        Private copy of the file, its sidecars beside it.
    name
        Name of the original.
    layer
        Layer asked for, if any.
    encoding
        Codec asked for, if any.
    size
        Length of the original. [bytes]
    bytes_at_most
        How long what is unpacked may be. [bytes]
    out
        Arrow file to write.
    progress
        Takes rows read and rows in all (0 where the file does not say).
    has_written
        Takes rows that are in the Arrow file by now.
    foretell
        Takes the type of the geometries, before they are read, where a file states it.
    """

    file: Path
    name: str
    layer: str | None
    encoding: str | None
    size: int
    bytes_at_most: int
    out: Path
    progress: Callable[[int, int], None]
    has_written: Callable[[int], None] = field(default=lambda _: None)
    foretell: Callable[[str], None] = field(default=lambda _: None)

    @property
    def stem(self) -> str:
        """Name of the original without its folder and ending."""
        return self.name.rpartition("/")[2].rpartition(".")[0] or self.name


@dataclass(kw_only=True)
class Reading:
    """What a reader found; rows and columns are in ``written``."""

    kind: str
    layer: str
    layers: tuple[str, ...]
    written: Written
    crs: str | None = None
    crs_by: str = ""
    encoding: str = ""
    notes: list[str] = field(default_factory=list)


def chosen(name: str, there: Sequence[str], asked: str | None, *, what: str) -> int:
    """Choose one of several layers.

    Parameters
    ----------
    name
        What to call the file in a message.
    there
        Layers that there are.
    asked
        Layer asked for, if any.
    what
        What a layer is called in a file of that kind.

    Returns
    -------
    int
        Position in ``there``.

    Raises
    ------
    ReadError
        If there is none, several and none asked for, or not the one asked for.
    """
    shown = ", ".join(layer[:60] for layer in there[:_SHOWN])
    if len(there) > _SHOWN:
        shown += f" and {len(there) - _SHOWN} more"
    if not there:
        raise ReadError(f"{name} holds no {what}")
    if asked is not None:
        if there.count(asked) == 1:
            return there.index(asked)
        raise ReadError(f"{name} has no {what} {asked[:60]!r}; it has {shown}")
    if len(there) > 1:
        raise ReadError(
            f"{name} holds {len(there)} {what}s ({shown}); say which with --layer, "
            f"such as --layer {shlex.quote(there[0][:60])}"
        )
    return 0


def one_line(error: BaseException, job: Job) -> str:
    """First line of an error's message, without paths of the private folder.

    Parameters
    ----------
    error
        What was raised.
    job
        What was being read.

    Returns
    -------
    str
        At most 200 characters.
    """
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    line = line.partition("; It might help")[0]
    for path in (str(job.file), str(job.file.parent)):
        line = line.replace(path, job.name)
    return line[:200]

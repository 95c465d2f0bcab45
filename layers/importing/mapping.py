"""A mapping: which of a file's columns are which of ours, and who made the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from layers.errors import ImportRefusedError, ReadError
from layers.schema import FEATURE_COLUMNS, PRECISION, STATUS

if TYPE_CHECKING:
    from os import PathLike

Cell = str | int | float
"""What a cell may be set to."""

Degrees = Annotated[float, msgspec.Meta(ge=-360, le=360)]
_SPDX = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9.+-]*(?: (?:AND|OR|WITH) [A-Za-z0-9][A-Za-z0-9.+-]*)*"
)


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: immutable, and a typing slip in a key is an error."""


class Origin(_Record, frozen=True):
    """Who made the file, and under which licence it may be passed on.

    Attributes
    ----------
    id
        Of a source that ships, or a new one; it becomes the column ``sources``.
    title, url
        What the source is called and where it stands.
    licence
        SPDX identifier, such as ``CC-BY-4.0``, or ``LicenseRef-…`` for any other.
    """

    id: str = ""
    title: str = ""
    url: str = ""
    licence: str = ""


class Reading(_Record, frozen=True):
    """How a file is read: the flags of the command, by the names of the keywords."""

    crs: str | None = None
    swap_xy: bool = False
    encoding: str | None = None
    layer: str | None = None
    lon: str | None = None
    lat: str | None = None
    wkt: str | None = None
    mgrs: str | None = None
    datum: Literal["GCJ-02", "BD-09"] | None = None
    datum_column: str | None = None
    near: tuple[Degrees, Degrees, Degrees, Degrees] | Literal["anywhere"] | None = None
    uncertainty_m: Annotated[float, msgspec.Meta(gt=0, le=2e7)] | None = None
    coarse: bool = False
    drop_unplaced: bool = False
    repair: bool = True


class Others(_Record, frozen=True):
    """What becomes of columns that are none of ours; unless told, all are kept."""

    keep: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()


class Mapping(_Record, frozen=True):
    """Which of a file's columns are which of ours.

    Attributes
    ----------
    read
        How the file is read.
    columns
        Columns of the file, by ours (:data:`layers.schema.FEATURE_COLUMNS`).
    constants
        What holds for every row, by our column.
    values
        By our column: what stands in the file, and what it means here.
    others
        What becomes of the other columns.
    source
        Who made the file.
    """

    read: Reading = Reading()
    columns: dict[str, str] = {}
    constants: dict[str, Cell] = {}
    values: dict[str, dict[str, Cell]] = {}
    others: Others = Others()
    source: Origin = Origin()

    def __post_init__(self) -> None:
        """Refuse columns that are none of ours, and what stands for two things."""
        for part in ("columns", "constants", "values"):
            for column in getattr(self, part):
                if column not in FEATURE_COLUMNS:
                    raise ValueError(
                        f"{part}: {column[:40]!r} is no column of ours; expected "
                        f"{', '.join(FEATURE_COLUMNS)}"
                    )
        both = sorted(self.columns.keys() & self.constants.keys())
        if both:
            raise ValueError(f"{both[0]} stands in columns and in constants")
        if self.others.keep is not None and self.others.drop:
            raise ValueError("others: say keep or drop, not both")
        _check_values(self)


def read_mapping(path: str | PathLike[str]) -> Mapping:
    r"""Read a mapping from a TOML file.

    Parameters
    ----------
    path
        The file; ``lodemap import FILE --draft`` proposes one.

    Returns
    -------
    Mapping
        Checked, but not yet against a file.

    Raises
    ------
    ReadError
        If it cannot be read, is no TOML, or holds a key or value that it must not.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pits.toml")
    ...     _ = file.write_text('[columns]\nnmae = "이름"', encoding="utf-8")
    ...     read_mapping(file)
    Traceback (most recent call last):
    layers.errors.ReadError: pits.toml: columns: 'nmae' is no column of ours; expected
    id, name, name_ko, name_zh, kind, uncertainty_m, precision_code,
    georeference_protocol, status, claims, sources, note
    """
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ReadError(f"{file.name[:80]} cannot be read: {error.strerror}") from None
    try:
        return msgspec.toml.decode(content, type=Mapping)
    except (msgspec.DecodeError, ValueError) as error:  # a message of one line
        said = " ".join(str(error).split())
        raise ReadError(f"{file.name}: {said[:300]}") from None


def check_origin(
    origin: Origin, name: str, *, rows_name_theirs: bool, unsourced: bool
) -> None:
    """Refuse a file of which nobody says who made it and whether it may be passed on.

    Parameters
    ----------
    origin
        What is said.
    name
        What to call the file in a message.
    rows_name_theirs
        Whether every row names its sources itself.
    unsourced
        Whether the layer may go without; it is then marked so.

    Raises
    ------
    ImportRefusedError
        If the source or the licence is missing, or the licence is no SPDX expression.
    """
    if origin.licence and not _SPDX.fullmatch(origin.licence):
        raise ImportRefusedError(
            f"{name}: the licence {origin.licence[:60]!r} is no SPDX identifier; "
            "expected such as --licence CC-BY-4.0, or --licence LicenseRef-own for one "
            "that SPDX does not list",
            trap="licence",
            flags=("--licence CC-BY-4.0", "--licence LicenseRef-own"),
        )
    if unsourced or (rows_name_theirs and not origin.id):
        return
    lacks = [
        flag
        for value, flag in (
            (origin.id or origin.title, "--source ID"),
            (origin.licence, "--licence SPDX"),
        )
        if not value
    ]
    if lacks:
        raise ImportRefusedError(
            f"{name}: who made it, and may it be passed on? Say {' '.join(lacks)}, or "
            "--unsourced to have it marked as of no known source",
            trap="no source",
            flags=(" ".join(lacks), "--unsourced"),
        )


def _check_values(mapping: Mapping) -> None:
    """Refuse a status or a precision code that there is not."""
    for column, allowed in (("status", STATUS), ("precision_code", PRECISION)):
        given = list(mapping.values.get(column, {}).values())
        if column in mapping.constants:
            given.append(mapping.constants[column])
        for value in given:
            if value not in allowed:
                raise ValueError(
                    f"{column}: {value!r} is none of {', '.join(map(str, allowed))}"
                )
    radius = mapping.constants.get("uncertainty_m")
    if radius is not None and not (isinstance(radius, int | float) and radius > 0):
        raise ValueError(f"uncertainty_m: {radius!r} is no length in metres above 0")

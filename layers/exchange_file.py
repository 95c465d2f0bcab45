"""An exchange as a TOML file: its keys, their types, and what they may refer to."""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from layers.catalogue import DATA
from layers.errors import ExchangeError
from layers.evidence import Assessment
from layers.ranges import Range
from layers.sanctions import LegKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from importlib.resources.abc import Traversable
    from os import PathLike

Slug = Annotated[
    str, msgspec.Meta(pattern=r"\A[a-z0-9]+(-[a-z0-9]+)*\Z", max_length=60)
]
Feature = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9-]+/[a-z0-9-]+\Z")]
"""A feature of the catalogue, as ``layer/id``."""
Text = Annotated[str, msgspec.Meta(min_length=1)]
Ids = tuple[str, ...]
Positive = Annotated[float, msgspec.Meta(gt=0, le=1e15)]
"""Number above zero, and far below what arithmetic can hold."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: immutable, and a typing slip in a key is an error."""


class Bounds(_Record, frozen=True):
    """A range of a number that must be positive."""

    low: Positive
    mid: Positive
    high: Positive

    def __post_init__(self) -> None:
        """Refuse bounds in the wrong order."""
        if not self.low <= self.mid <= self.high:
            raise ValueError(f"expected low <= mid <= high, got {self}")

    def range(self, unit: str, claims: Iterable[str] = ()) -> Range:
        """Return the same numbers as a range with a unit and its claims."""
        return Range(
            low=self.low, mid=self.mid, high=self.high, unit=unit, claims=tuple(claims)
        )


class Party(_Record, frozen=True):
    """One side of the exchange."""

    id: Slug
    name: Text
    role: Literal["borrower", "lender", "other"]
    name_ko: str = ""
    name_zh: str = ""
    claims: Ids = ()


class Promise(_Record, frozen=True):
    """What one party gives or receives."""

    party: Slug
    what: Text
    claims: Ids = ()


class Place(_Record, frozen=True):
    """A feature that the exchange names, and why."""

    feature: Feature
    role: Text
    claims: Ids = ()


class Solar(_Record, frozen=True):
    """Where candidate areas are looked for, and by which criteria."""

    regions: tuple[Feature, ...]
    criteria: Text = "solar-areas.toml"
    claims: Ids = ()
    note: str = ""


class Leg(_Record, frozen=True):
    """What moves from whom to whom."""

    id: Slug
    kind: LegKind
    what: Text
    giver: Slug
    receiver: Slug
    from_: Feature = msgspec.field(name="from")
    to: Annotated[tuple[Feature, ...], msgspec.Meta(min_length=1)]
    direction: Literal["out", "in"]
    basis: Literal["reported", "inferred"]
    drawn: bool = True
    goods: str = ""
    hs: str = ""
    claims: Ids = ()
    note: str = ""


class Link(_Record, frozen=True):
    """A measured tie: from features, or every candidate area, to their nearest."""

    from_: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = msgspec.field(
        name="from"
    )
    to: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    relation: Text
    k: Annotated[int, msgspec.Meta(ge=1)] = 1


class ReadingFile(_Record, frozen=True):
    """One way to understand a reported figure."""

    id: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]\Z")]
    label: Text
    statement: Text
    quantity: Positive
    unit: Literal["GW", "MW", "GWh/d"]
    claims: Ids = ()
    note: str = ""


class Price(_Record, frozen=True):
    """What such plants cost, by one source."""

    label: Text
    year: int
    usd_per_w: Positive
    verification: Literal["verified", "second-hand", "unverified", "computed"]
    claims: Ids = ()


class Costs(_Record, frozen=True):
    """The reported cost and the prices of the time."""

    amount_usd: Bounds
    price_usd_per_w: Bounds
    claims: Ids = ()
    price_claims: Ids = ()
    note: str = ""
    prices: tuple[Price, ...] = ()


class System(_Record, frozen=True):
    """The power system that the plants would join."""

    name: Text
    year: int
    capacity_mw: Bounds
    output_gwh: Bounds
    capacity_claims: Ids = ()
    output_claims: Ids = ()
    note: str = ""


class Land(_Record, frozen=True):
    """Modules on a square kilometre."""

    density_mwp_per_km2: Bounds
    claims: Ids = ()
    note: str = ""


class Yield(_Record, frozen=True):
    """Energy of a kilowatt of modules in a year, where none is computed."""

    kwh_per_kwp: Bounds
    verification: Literal["verified", "second-hand", "unverified", "computed"]
    claims: Ids = ()
    note: str = ""


class RepaymentFile(_Record, frozen=True):
    """What repayment in ore is measured against.

    ``concentrate_reo_share`` is the part of rare earth oxide in the concentrate,
    ``throughput_good`` what the plant at ``throughput_place`` takes in, ``peak_month``
    the month of the greatest exports found.
    """

    amount_usd: Bounds
    concentrate_reo_share: Bounds
    throughput_t_per_year: Positive
    throughput_good: Text
    throughput_place: Feature
    peak_month_usd: Positive
    peak_month: Annotated[str, msgspec.Meta(pattern=r"\A\d{4}-(0[1-9]|1[0-2])\Z")]
    price_claims: Ids = ()
    claims: Ids = ()
    note: str = ""


class Note(_Record, frozen=True):
    """A sentence with what it rests on."""

    text: Text
    claims: Ids = ()
    sources: Ids = ()


class ExchangeFile(_Record, frozen=True):
    """The whole file."""

    format: Literal[1]
    id: Slug
    title: Text
    reported: date
    as_of: date
    status: Text
    target: Annotated[str, msgspec.Meta(pattern=r"\A[A-Z]{2}\Z")]
    summary: Text
    places: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1)]
    title_ko: str = ""
    title_zh: str = ""
    reported_precision: Literal["day", "month", "year"] = "day"
    headline_claims: Ids = ()
    measures: Ids = ()
    context: tuple[Slug, ...] = ()
    parties: tuple[Party, ...] = ()
    gives: tuple[Promise, ...] = ()
    receives: tuple[Promise, ...] = ()
    solar: Solar | None = None
    legs: tuple[Leg, ...] = ()
    links: tuple[Link, ...] = ()
    readings: tuple[ReadingFile, ...] = ()
    costs: Costs | None = None
    system: System | None = None
    land: Land | None = None
    yield_: Yield | None = msgspec.field(name="yield", default=None)
    repayment: RepaymentFile | None = None
    assessments: tuple[Assessment, ...] = ()
    unknowns: tuple[Note, ...] = ()
    disputes: tuple[Note, ...] = ()


_REFERENCES = {
    "claims": "claims",
    "basis": "claims",
    "sources": "sources",
    "measures": "measures",
    "party": "parties",
    "giver": "parties",
    "receiver": "parties",
    "feature": "features",
    "from_": "features",
    "to": "features",
    "regions": "features",
    "throughput_place": "features",
}
"""Keys that hold ids, and ids of what."""


def exchange_ids() -> tuple[str, ...]:
    """Ids of the exchanges that ship.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> exchange_ids()
    ('cholsan-2019', 'pobeda-2014', 'sicomines-2008')
    """
    names = [file.name for file in DATA.joinpath("exchanges").iterdir()]
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def read_exchange_file(id_or_path: str | PathLike[str]) -> tuple[str, ExchangeFile]:
    """Read an exchange file and check the type of every key.

    Parameters
    ----------
    id_or_path
        Id of an exchange that ships, or path of a TOML file.

    Returns
    -------
    name, file : str, ExchangeFile
        What to call the file in a message, and its content.

    Raises
    ------
    ExchangeError
        If there is no such file, it is no TOML (the line is named), or a key is
        missing, unknown or of the wrong type (the key is named, and what was
        expected).
    """
    name, file = _find(id_or_path)
    try:
        tables = tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise ExchangeError(f"{name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ExchangeError(
            f"{name} is not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from None
    except (ValueError, RecursionError) as error:
        raise ExchangeError(f"{name} is no valid TOML: {error}") from None
    try:
        return name, msgspec.convert(tables, ExchangeFile)
    except msgspec.ValidationError as error:
        raise ExchangeError(f"{name}: {_plain(str(error))}") from None
    except (OverflowError, RecursionError) as error:
        raise ExchangeError(f"{name} holds what no number can hold: {error}") from None


def check_references(
    name: str, file: ExchangeFile, known: Mapping[str, Collection[str]]
) -> None:
    """Refuse a file that names what is not there.

    Parameters
    ----------
    name
        What to call the file in a message.
    file
        Its content.
    known
        Ids that exist, under ``claims``, ``sources``, ``measures``, ``parties`` and
        ``features`` (as ``layer/id``).

    Raises
    ------
    ExchangeError
        If an id is unknown; the message names the key and the closest ids. If an id
        of a party, leg, reading, place or context is there twice.
    """
    for kind, where, value in references(file):
        if value not in known[kind]:
            close = get_close_matches(value, known[kind], n=3, cutoff=0.5)
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            one = {"features": "feature", "parties": "party"}.get(kind, kind[:-1])
            raise ExchangeError(f"{name}, {where}: no {one} {value!r}{hint}")
    for key, ids in (
        ("parties", [p.id for p in file.parties]),
        ("legs", [leg.id for leg in file.legs]),
        ("readings", [r.id for r in file.readings]),
        ("places", [p.feature for p in file.places]),
        ("context", list(file.context)),
    ):
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ExchangeError(f"{name}, {key}: {', '.join(twice)} is there twice")


def references(record: object, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Walk through a record of the file and everything in it.

    Parameters
    ----------
    record
        An :class:`ExchangeFile`, or any part of one.
    where
        Key at which it stands.

    Yields
    ------
    kind, key, id : str
        ``claims``, ``sources``, ``measures``, ``parties`` or ``features``; the key
        that names the id; the id.
    """
    if isinstance(record, tuple):
        for n, item in enumerate(record):
            yield from references(item, f"{where}[{n}]")
    if not isinstance(record, msgspec.Struct):
        return
    for field in record.__struct_fields__:
        value = getattr(record, field)
        key = f"{where}.{field.rstrip('_')}".lstrip(".")
        kind = _REFERENCES.get("claims" if field.endswith("claims") else field)
        if kind is None or (field == "basis" and isinstance(value, str)):
            yield from references(value, key)
            continue
        for one in (value,) if isinstance(value, str) else value:
            if kind != "features" or "/" in one:
                yield kind, key, one


def file_sum(id_or_path: str | PathLike[str]) -> str:
    """Return the SHA-256 of an exchange file.

    Parameters
    ----------
    id_or_path
        Id of an exchange that ships, or path of a TOML file.

    Returns
    -------
    str
        64 hexadecimal digits, of the file as it stands now.

    Raises
    ------
    ExchangeError
        If there is no such file, or it cannot be read.

    Examples
    --------
    >>> len(file_sum("cholsan-2019"))
    64
    """
    name, file = _find(id_or_path)
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise ExchangeError(f"{name} cannot be read: {error.strerror}") from None


def _find(id_or_path: str | PathLike[str]) -> tuple[str, Traversable]:
    """Find the file of an id or a path; only a path reaches outside the package."""
    text = str(id_or_path)
    if text in exchange_ids():
        return f"{text}.toml", DATA.joinpath("exchanges", f"{text}.toml")
    path = Path(text)
    try:
        there = path.is_file()
    except (OSError, ValueError) as error:  # a path too long, or with a NUL
        raise ExchangeError(f"{text[:60]!r} is no path: {error.args[-1]}") from None
    if there:
        return path.name, path
    if path.suffix == ".toml" or "/" in text:
        raise ExchangeError(f"there is no file {repr(text[:200])[1:-1]}")
    raise ExchangeError(
        f"no exchange {text[:60]!r}; there are {', '.join(exchange_ids())}. Give one "
        "of these, or the path of a .toml file"
    )


def _plain(message: str) -> str:
    """Put the key first, in the file's own words: ``legs[2].kind: expected …``."""
    found = re.search(r" - at `\$\.?(.*?)`$", message)
    if not found:
        return message
    where = found[1].replace("[...]", "")
    return f"{where}: {message[: found.start()]}"

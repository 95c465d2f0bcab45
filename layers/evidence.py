"""Who claimed what, and how many independent origins stand behind it.

Sources are rated A to F for reliability and claims 1 to 6 for credibility, the two
judged apart (Admiralty code). Corroboration counts origins, never articles: outlets
that copy one report are one origin, however many they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from layers.catalogue import load_table
from layers.errors import EvidenceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

T = TypeVar("T", "Source", "Claim")

RELIABILITY = MappingProxyType(
    {
        "A": "completely reliable",
        "B": "usually reliable",
        "C": "fairly reliable",
        "D": "not usually reliable",
        "E": "unreliable",
        "F": "reliability cannot be judged",
    }
)
"""Admiralty ratings of a source, in words."""

CREDIBILITY = MappingProxyType(
    {
        "1": "confirmed by other sources",
        "2": "probably true",
        "3": "possibly true",
        "4": "doubtful",
        "5": "improbable",
        "6": "truth cannot be judged",
    }
)
"""Admiralty ratings of a claim, in words."""

_PREFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_IN_ONE_UNIT = MappingProxyType(
    {
        **{p + unit: (unit, f) for unit in ("W", "Wh") for p, f in _PREFIXES.items()},
        "m": ("m", 1),
        "km": ("m", 1000),
        "US$": ("US$", 1),
        "USD": ("US$", 1),
    }
)
"""Units, up to the first space, that are brought into one, and the factor."""

_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")

CLAIM_STATUS = ("accepted", "disputed", "superseded", "retracted")
_LIVE = {"accepted", "disputed"}
VERIFICATION = MappingProxyType(
    {
        "verified": "text seen in the source",
        "second-hand": "seen only through a retelling, a mirror or a summary",
        "unverified": "not checked against a text: general knowledge or our judgement",
        "computed": "computed from other figures; the note gives the method",
    }
)
"""How a claim's text was checked, in words."""

LIKELIHOOD = MappingProxyType(
    {
        "almost no chance": (1, 5),
        "very unlikely": (5, 20),
        "unlikely": (20, 45),
        "roughly even chance": (45, 55),
        "likely": (55, 80),
        "very likely": (80, 95),
        "almost certain": (95, 99),
    }
)
"""ICD 203 terms of likelihood and the per cent that each stands for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One text, data set or statement that claims rest on."""

    id: str
    title: str
    publisher: str
    author: str
    published: str
    """ISO date, year and month, year, or empty."""
    url: str
    language: str
    licence: str
    reliability: str
    """Admiralty letter, A to F."""
    derived_from: tuple[str, ...]
    """Sources that this one repeats; empty for an origin."""
    seen: str
    """``read``, ``second-hand`` or ``not-seen``."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One statement of one source."""

    id: str
    subject: str
    """What it is about: ``exchange:…``, ``system:…`` or a feature as ``layer/id``."""
    property: str
    value: str
    unit: str
    value_verbatim: str
    interpretation: str
    asserted_by: str
    source: str
    locator: str
    credibility: str
    """Admiralty digit, 1 to 6."""
    status: str
    """``accepted``, ``disputed``, ``superseded`` or ``retracted``."""
    verification: str
    """A key of :data:`VERIFICATION`."""
    note: str


class Assessment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A judgement of our own, kept apart from the claims."""

    id: str = ""
    """Short name."""
    statement: str
    """What is judged, with the term of likelihood in it."""
    likelihood: str
    """An ICD 203 term, a key of :data:`LIKELIHOOD`."""
    confidence: str
    """How sure we are of the judgement, in a sentence of its own."""
    basis: tuple[str, ...]
    """Claims that it rests on."""
    alternatives: str
    """What else was considered."""
    author: str
    date: date

    def __post_init__(self) -> None:
        """Refuse an unknown term, and likelihood mixed with confidence."""
        if self.likelihood not in LIKELIHOOD:
            raise EvidenceError(
                f"likelihood {self.likelihood!r} is no ICD 203 term; expected one of "
                f"{', '.join(LIKELIHOOD)}"
            )
        if re.search(r"\bconfidence\b", self.statement, re.IGNORECASE):
            raise EvidenceError(
                "an assessment's statement speaks of confidence; likelihood and "
                "confidence belong in sentences of their own (ICD 203)"
            )
        terms = "|".join(LIKELIHOOD)
        if re.search(rf"\b({terms})\b", self.confidence, re.IGNORECASE):
            raise EvidenceError(
                "an assessment's confidence names a likelihood; the two belong in "
                "sentences of their own (ICD 203)"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Corroboration:
    """What stands behind a claim."""

    claims: tuple[str, ...]
    """Claims of the same subject, property, value, unit and reading, itself among
    them; superseded and retracted ones are left out."""
    origins: tuple[str, ...]
    """Distinct origins of their sources. This is the number that counts, but for
    origins that say otherwise themselves."""
    origin_says_otherwise: tuple[str, ...]
    """Claims in which one of these origins says otherwise itself, and nowhere the same:
    the statement drifted on its way from there, which does not stand behind it."""
    retellings: tuple[str, ...]
    """Sources that say the same and derive from an origin, and so add nothing."""
    disputed_by: tuple[str, ...]
    """Claims of the same subject and property that say otherwise; superseded and
    retracted ones are left out, and so is the same amount in another unit."""


@cache
def sources() -> Mapping[str, Source]:
    """Every source that ships, by id.

    Returns
    -------
    Mapping
        Read-only, in the order of the file.

    Raises
    ------
    EvidenceError
        If an id is repeated, a rating is none, or ``derived_from`` names an unknown
        source or runs in a circle.

    Examples
    --------
    >>> sources()["rfa-ko-2019-10-15"].derived_from
    ()
    """
    rows = _records("sources")
    found = [
        Source(**{**texts, "derived_from": tuple(texts["derived_from"].split())})
        for texts in rows
    ]
    by_id = _by_id(found, "sources.csv")
    for source in found:
        if source.reliability not in RELIABILITY:
            raise EvidenceError(
                f"sources.csv, {source.id}: reliability {source.reliability!r}; "
                "expected an Admiralty letter, A to F"
            )
        if source.seen not in {"read", "second-hand", "not-seen"}:
            raise EvidenceError(
                f"sources.csv, {source.id}: seen is {source.seen!r}; expected read, "
                "second-hand or not-seen"
            )
    origins(by_id, by_id)
    return MappingProxyType(by_id)


@cache
def claims() -> Mapping[str, Claim]:
    """Every claim that ships, by id.

    Returns
    -------
    Mapping
        Read-only, in the order of the file.

    Raises
    ------
    EvidenceError
        If an id is repeated, the source is unknown, or a rating or status is none.

    Examples
    --------
    >>> claims()["offer-made"].credibility
    '3'
    """
    found = [Claim(**row) for row in _records("claims")]
    by_id = _by_id(found, "claims.csv")
    for claim in found:
        for column, value, known in (
            ("source", claim.source, sources()),
            ("credibility", claim.credibility, CREDIBILITY),
            ("status", claim.status, CLAIM_STATUS),
            ("verification", claim.verification, VERIFICATION),
        ):
            if value not in known:
                raise EvidenceError(
                    f"claims.csv, {claim.id}, column {column}: {value!r} is unknown"
                    + ("" if column == "source" else f"; expected {', '.join(known)}")
                )
    return MappingProxyType(by_id)


def origins(
    source_ids: Iterable[str], known: Mapping[str, Source] | None = None
) -> tuple[str, ...]:
    """Follow ``derived_from`` to where each source got it from.

    Parameters
    ----------
    source_ids
        Sources to start from.
    known
        Sources by id; those that ship when not given.

    Returns
    -------
    tuple of str
        Ids of the distinct origins, sorted.

    Raises
    ------
    EvidenceError
        If an id is unknown, or the derivation runs in a circle.

    Examples
    --------
    >>> origins(["upi-2019-10-24", "newsis-2019-10-24"])
    ('rfa-ko-2019-10-15',)
    """
    known = sources() if known is None else known
    found: set[str] = set()
    done: set[str] = set()
    path: dict[str, None] = {}  # from a source asked about to the one looked at
    pending = [iter(tuple(source_ids))]  # what is left to look at, at each step of it
    while pending:
        source_id = next(pending[-1], None)
        if source_id is None:
            pending.pop()
            if path:
                done.add(path.popitem()[0])
            continue
        if source_id in path:
            way = list(path)
            circle = " → ".join([*way[way.index(source_id) :], source_id])
            raise EvidenceError(f"derived_from runs in a circle: {circle}")
        if source_id in done:
            continue
        if source_id not in known:
            by = f", named by {next(reversed(path))}" if path else ""
            raise EvidenceError(f"there is no source {source_id!r}{by}")
        parents = known[source_id].derived_from
        if not parents:
            found.add(source_id)
        path[source_id] = None
        pending.append(iter(parents))
    return tuple(sorted(found))


def corroboration(claim: Claim | str) -> Corroboration:
    """Count what stands behind a claim, by distinct origins.

    Parameters
    ----------
    claim
        A claim, or the id of one that ships.

    Returns
    -------
    Corroboration
        Claims that agree, the origins behind them, what these say otherwise, the
        retellings that add nothing, and the claims that say otherwise.

    Raises
    ------
    EvidenceError
        If the claim is unknown.

    Examples
    --------
    >>> behind = corroboration("offer-made")
    >>> len(behind.origins), len(behind.retellings) >= 6
    (1, True)
    """
    claim = find_claim(claim) if isinstance(claim, str) else claim
    same_matter = [
        other
        for other in {claim.id: claim, **claims()}.values()
        if (other.subject, other.property) == (claim.subject, claim.property)
    ]
    agreeing = [
        other
        for other in same_matter
        if other.id == claim.id
        or (_content(other) == _content(claim) and other.status in _LIVE)
    ]
    behind = origins(c.source for c in agreeing)
    told = dict.fromkeys(c.source for c in agreeing)
    otherwise = [
        other
        for other in same_matter
        if other.status in _LIVE and _content(other) != _content(claim)
    ]
    return Corroboration(
        claims=tuple(c.id for c in agreeing),
        origins=behind,
        origin_says_otherwise=tuple(
            c.id for c in otherwise if c.source in behind and c.source not in told
        ),
        retellings=tuple(s for s in told if s not in behind),
        disputed_by=tuple(c.id for c in otherwise),
    )


def find_claim(claim_id: str) -> Claim:
    """Return one of the claims that ship.

    Parameters
    ----------
    claim_id
        Its id.

    Returns
    -------
    Claim
        The record.

    Raises
    ------
    EvidenceError
        If there is none; the message names the closest ids.
    """
    try:
        return claims()[claim_id]
    except KeyError:
        from difflib import get_close_matches

        close = get_close_matches(claim_id, claims(), n=3, cutoff=0.4)
        hint = f"; did you mean {', '.join(close)}?" if close else ""
        raise EvidenceError(f"no claim {claim_id[:60]!r}{hint}") from None


def _records(table_id: str) -> list[dict[str, Any]]:
    """Rows of a table that ships, as dictionaries."""
    rows = load_table(table_id).to_dict("records")
    return [{str(key): value for key, value in row.items()} for row in rows]


def _content(claim: Claim) -> tuple[str | Fraction, str, str]:
    """Value, unit and reading of a claim, apart from who says it.

    Numbers are compared as numbers, and those of :data:`_IN_ONE_UNIT` in one unit.
    """
    if not _NUMBER.fullmatch(claim.value):
        return (claim.value.casefold(), claim.unit.casefold(), claim.interpretation)
    head, blank, rest = claim.unit.partition(" ")
    unit, factor = _IN_ONE_UNIT.get(head, (head, 1))
    value = Fraction(claim.value.replace(",", "")) * factor
    return (value, (unit + blank + rest).casefold(), claim.interpretation)


def _by_id(records: list[T], name: str) -> dict[str, T]:
    """Index records, refusing a repeated id."""
    by_id: dict[str, T] = {}
    for record in records:
        if record.id in by_id:
            raise EvidenceError(f"{name}: the id {record.id!r} is there twice")
        by_id[record.id] = record
    return by_id

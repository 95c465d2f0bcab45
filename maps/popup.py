"""Evidence cards: what is claimed about a mark, by whom, and how far it goes."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from layers.evidence import (
    CREDIBILITY,
    RELIABILITY,
    VERIFICATION,
    Claim,
    corroboration,
    find_claim,
)
from maps.facts import plain, quantity, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layers.exchange import Exchange

SEEN = {
    "read": "text read",
    "second-hand": "seen only second-hand",
    "not-seen": "not seen",
}
"""How a source was seen, in words."""

_OWN_SCRIPT = ("ko", "zh", "ja")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


@dataclass(frozen=True, kw_only=True)
class SourceView:
    """A source as the page shows it; ``url`` is empty unless it is http or https."""

    id: str
    title: str
    by: str
    short: str
    published: str
    url: str
    language: str
    reliability: str
    reliability_words: str
    seen: str
    note: str

    @property
    def title_language(self) -> str:
        """Language of the title; English where it only describes a foreign text."""
        in_script = not self.language.startswith(_OWN_SCRIPT) or _CJK.search(self.title)
        return self.language if in_script else "en"


@dataclass(frozen=True, kw_only=True)
class ClaimView:
    """A claim as the page shows it, with what stands behind it."""

    id: str
    subject: str
    property: str
    value: str
    verbatim: str
    reading: str
    by: str
    source: SourceView
    locator: str
    credibility: str
    credibility_words: str
    status: str
    verification: str
    support: str
    note: str


@dataclass(frozen=True, kw_only=True)
class Conflict:
    """Values of one property that do not agree, side by side."""

    property: str
    claims: tuple[ClaimView, ...]


@dataclass(frozen=True, kw_only=True)
class Share:
    """One part of a score.

    Attributes
    ----------
    label, text
        What it is for, and how much it is.
    percent
        Its part of the whole. [%]
    """

    label: str
    text: str
    percent: float


@dataclass(frozen=True, kw_only=True)
class Card:
    """The evidence card of one mark.

    Attributes
    ----------
    key, dom_id
        Key of the mark, and the id of the card in the page.
    role, kind
        Colour of the mark, and what it is in words.
    name, name_ko, name_zh
        Names.
    badge
        Status in a word or two.
    intro
        Why it is here, or what it means.
    facts
        Pairs of a label and a text.
    distances
        Sentences on what lies near.
    claims, conflicts
        Claims that stand alone, and those that contradict each other.
    readings
        What restricts a leg, in sentences.
    sources
        Every source named on the card.
    note
        Doubts.
    warning
        What nobody may miss.
    shares
        Parts of a score.
    inputs
        Data that it was computed from, each with its licence.
    language
        Of the data on it; empty where nobody stated it.
    """

    key: str
    dom_id: str
    role: str
    kind: str
    name: str
    name_ko: str = ""
    name_zh: str = ""
    badge: str = ""
    intro: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    distances: tuple[str, ...] = ()
    claims: tuple[ClaimView, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    readings: tuple[str, ...] = ()
    sources: tuple[SourceView, ...] = ()
    note: str = ""
    warning: str = ""
    shares: tuple[Share, ...] = ()
    inputs: tuple[str, ...] = ()
    language: str = "en"


class Evidence:
    """Claims and sources of an exchange, ready to be shown.

    Parameters
    ----------
    exchange
        Whose ``claims`` and ``sources`` are read.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.sources = {
            str(row["id"]): source_view(row)
            for row in exchange.sources.to_dict("records")
        }
        rows = exchange.claims.to_dict("records")
        self._claims = {str(row["id"]): self._claim(row) for row in rows}

    def claims(self, ids: str | Iterable[str]) -> tuple[ClaimView, ...]:
        """Return claims by id, in the order given; unknown ids are left out.

        Parameters
        ----------
        ids
            Ids, or a text of ids separated by spaces.

        Returns
        -------
        tuple of ClaimView
            Each once.
        """
        wanted = dict.fromkeys(_ids(ids))
        return tuple(self._claims[i] for i in wanted if i in self._claims)

    def about(self, subject: str) -> tuple[ClaimView, ...]:
        """Return the claims about a subject.

        Parameters
        ----------
        subject
            Such as ``layer/id``.

        Returns
        -------
        tuple of ClaimView
            In the order of the table.
        """
        return tuple(c for c in self._claims.values() if c.subject == subject)

    def everything(self) -> tuple[ClaimView, ...]:
        """Return all claims, in the order of the table."""
        return tuple(self._claims.values())

    def cited(self, ids: str | Iterable[str]) -> tuple[SourceView, ...]:
        """Return sources by id; unknown ids are left out.

        Parameters
        ----------
        ids
            Ids, or a text of ids separated by spaces.

        Returns
        -------
        tuple of SourceView
            Each once.
        """
        wanted = dict.fromkeys(_ids(ids))
        return tuple(self.sources[i] for i in wanted if i in self.sources)

    def _claim(self, row: Mapping[Any, Any]) -> ClaimView:
        record = Claim(**{f.name: plain(row.get(f.name)) for f in fields(Claim)})
        behind = corroboration(record)
        against = {find_claim(c).source for c in behind.origin_says_otherwise}
        texts = (set(behind.origins) | set(behind.retellings)) - against
        source = self.sources.get(record.source)
        if source is None:
            source = source_view({"id": record.source, "title": record.source})
        return ClaimView(
            id=record.id,
            subject=record.subject,
            property=words(record.property),
            value=quantity(record.value, record.unit),
            verbatim=record.value_verbatim,
            reading=record.interpretation,
            by=record.asserted_by,
            source=source,
            locator=record.locator,
            credibility=record.credibility,
            credibility_words=CREDIBILITY.get(record.credibility, ""),
            status=record.status,
            verification=VERIFICATION.get(record.verification, record.verification),
            support=support(
                len(set(behind.origins) - against), len(texts), len(against)
            ),
            note=record.note,
        )


def source_view(row: Mapping[Any, Any]) -> SourceView:
    """Return a source as the page shows it.

    Parameters
    ----------
    row
        A row of the table ``sources``.

    Returns
    -------
    SourceView
        With an address only if a link may lead there.
    """
    from maps.page import safe_url

    letter = plain(row.get("reliability"))
    people = [plain(row.get("author")), plain(row.get("publisher"))]
    return SourceView(
        id=plain(row.get("id")),
        title=plain(row.get("title")) or plain(row.get("id")),
        by=", ".join(part for part in people if part),
        short=_short_name(row),
        published=plain(row.get("published")),
        url=safe_url(plain(row.get("url"))),
        language=_language(plain(row.get("language"))),
        reliability=letter,
        reliability_words=RELIABILITY.get(letter, ""),
        seen=SEEN.get(plain(row.get("seen")), plain(row.get("seen"))),
        note=plain(row.get("note")),
    )


def support(origins: int, articles: int, against: int = 0) -> str:
    """Say how many origins and how many articles stand behind a claim.

    Parameters
    ----------
    origins, articles
        Their numbers.
    against
        How many origins of these articles say otherwise themselves: the statement
        drifted on its way, and they do not stand behind it.

    Returns
    -------
    str
        A sentence without its full stop.

    Examples
    --------
    >>> support(1, 14)
    '1 origin, told in 14 texts'
    >>> support(2, 2)
    '2 origins'
    >>> support(0, 1, 1)
    'No origin: a retelling, and its own origin says otherwise'
    """
    if not origins:
        told = "a retelling" if articles == 1 else f"told in {articles} texts"
        theirs = "its own" if articles == 1 else "their own"
        says = "origin says" if against == 1 else "origins say"
        return f"No origin: {told}, and {theirs} {says} otherwise"
    noun = "origin" if origins == 1 else "origins"
    told = f", told in {articles} texts" if articles > origins else ""
    drifted = f"; {against} more say otherwise" if against > 1 else ""
    if against == 1:
        drifted = "; 1 more says otherwise"
    return f"{origins} {noun}{told}{drifted}"


def split_conflicts(
    claims: Sequence[ClaimView],
) -> tuple[tuple[ClaimView, ...], tuple[Conflict, ...]]:
    """Part claims that stand alone from those that contradict each other.

    Parameters
    ----------
    claims
        Claims of any properties.

    Returns
    -------
    alone : tuple of ClaimView
        In the order given.
    conflicts : tuple of Conflict
        One for each subject and property with more than one value.
    """
    groups: dict[tuple[str, str], list[ClaimView]] = {}
    for claim in claims:
        groups.setdefault((claim.subject, claim.property), []).append(claim)
    alone: list[ClaimView] = []
    conflicts = []
    for (_, name), members in groups.items():
        if len({(c.value, c.reading) for c in members}) > 1:
            conflicts.append(Conflict(property=name, claims=tuple(members)))
        else:
            alone.extend(members)
    order = {claim.id: place for place, claim in enumerate(claims)}
    alone.sort(key=lambda claim: order[claim.id])
    return tuple(alone), tuple(conflicts)


def card_html(card: Card) -> str:
    """Evidence card as HTML.

    Parameters
    ----------
    card
        What it says.

    Returns
    -------
    str
        An ``article``; all text escaped.
    """
    from maps.page import environment

    module = environment().get_template("card.html").module
    return str(Markup(module.card_html(card)))  # type: ignore[attr-defined]


def dom_id(key: str) -> str:
    """Id of a mark's card in the page.

    Parameters
    ----------
    key
        Key of the mark.

    Returns
    -------
    str
        Letters, digits, hyphens and underscores only; distinct for distinct keys.

    Examples
    --------
    >>> dom_id("deposits/a-1"), dom_id("x<y")
    ('card-deposits_2f_a-1', 'card-x_3c_y')
    """
    safe = re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", key)
    return f"card-{safe}"


def _ids(ids: str | Iterable[str]) -> list[str]:
    return ids.split() if isinstance(ids, str) else [str(i) for i in ids]


def _short_name(row: Mapping[Any, Any]) -> str:
    """Name a source by publisher, or title, and year."""
    maker = plain(row.get("publisher")) or plain(row.get("title")) or plain(row["id"])
    year = plain(row.get("published"))[:4]
    return f"{maker} {year}".strip()


def _language(code: str) -> str:
    """Return a language tag that HTML may carry, or an empty text."""
    return code if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", code) else ""

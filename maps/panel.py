"""The story beside the map: what was reported, how far to believe it, what follows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from layers.evidence import LIKELIHOOD, VERIFICATION, origins
from layers.sanctions import EFFECTS
from layers.symbology import LEG_WORDS
from maps.compare import holding
from maps.facts import details, plain, rough
from maps.popup import Evidence, dom_id, split_conflicts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.evidence import Assessment
    from layers.exchange import Exchange
    from maps.popup import ClaimView, SourceView

START_PRICE_USD_PER_T = 1000
"""Where the price slider stands at first: a round number, not a forecast. [US$/t]"""


@dataclass(frozen=True, kw_only=True)
class Link:
    """A place in the story that points at a mark on the map."""

    key: str
    href: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One text in the chain along which a report travelled."""

    source: SourceView
    origin: bool
    repeats: str


@dataclass(frozen=True, kw_only=True)
class Drift:
    """What became of one statement on its way: values with all who said so."""

    property: str
    first: ClaimView | None
    later: tuple[tuple[str, tuple[ClaimView, ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part in the exchange with the places that play it."""

    role: str
    links: tuple[Link, ...]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """An assessment of ours, likelihood and confidence apart."""

    statement: str
    likelihood: str
    percent: str
    confidence: str
    alternatives: str
    author: str
    date: str
    basis: tuple[ClaimView, ...]


@dataclass(frozen=True, kw_only=True)
class LegView:
    """A leg of the exchange with the measures that bear on it."""

    id: str
    key: str
    href: str
    role: str
    word: str
    what: str
    route: str
    basis: str
    note: str
    claims: tuple[ClaimView, ...]
    measures: tuple[Mapping[str, Any], ...]


def story_html(
    exchange: Exchange,
    evidence: Evidence,
    keys: Mapping[str, str],
    sites: Mapping[str, Any] | None = None,
) -> Markup:
    """Story of an exchange as HTML.

    Parameters
    ----------
    exchange
        What the story is about.
    evidence
        Its claims and sources.
    keys
        Keys of the marks on the map, by ``layer/id`` of features and ``legs/id``.
    sites
        From :func:`maps.site_story.site_story`, if the page shows sites.

    Returns
    -------
    markupsafe.Markup
        Sections that have nothing to say are left out; all text escaped.
    """
    from maps.page import environment

    template = environment().get_template("story.html")
    context = _context(exchange, evidence, keys)
    return Markup(template.render(**context, sites=sites))


def _context(
    exchange: Exchange, evidence: Evidence, keys: Mapping[str, str]
) -> dict[str, Any]:
    """Everything that the template of the story names."""
    about = evidence.about(f"exchange:{exchange.id}")
    headline = evidence.claims(exchange.headline_claims)
    legs = _legs(exchange, evidence, keys)
    names = dict(zip(exchange.places["ref"], exchange.places["name"], strict=True))
    return {
        "exchange": exchange,
        "reported": exchange.reported.isoformat()[
            : {"year": 4, "month": 7}.get(exchange.reported_precision, 10)
        ],
        "evidence": evidence,
        "parties": {party.id: party for party in exchange.parties},
        "headline": headline,
        "places": _places(exchange, keys),
        "chain": _chain(exchange, evidence),
        "drift": _drift(about),
        "judgements": [_judgement(a, evidence) for a in exchange.assessments],
        "readings": exchange.readings,
        "holding": holding(exchange, keys),
        "repayment": exchange.repayment,
        "start_price": START_PRICE_USD_PER_T,
        "price_step": math.log10(START_PRICE_USD_PER_T),
        "legs": legs,
        "authorities": sorted(
            {m["authority"] for leg in legs for m in leg.measures},
            key=lambda name: (name != "UN", name),
        ),
        "effects": EFFECTS,
        "verification": VERIFICATION,
        "areas": _areas(exchange, keys),
        "unknowns": [_note(n, evidence, keys, names) for n in exchange.unknowns],
        "disputes": [_note(n, evidence, keys, names) for n in exchange.disputes],
        "comparables": _comparables(exchange, evidence, keys),
        "sources": tuple(evidence.sources.values()),
        "credits": credit_lines(exchange),
        "number": _number,
        "rough": rough,
    }


def _places(exchange: Exchange, keys: Mapping[str, str]) -> list[Part]:
    """Places of the exchange with the part that each plays; like parts together."""
    parts: dict[str, list[Link]] = {}
    for row in exchange.places.to_dict("records"):
        key = keys.get(str(row["ref"]))
        if key and not row["context"]:
            parts.setdefault(str(row["role"]), []).append(_link(key, str(row["name"])))
    return [Part(role=role, links=tuple(links)) for role, links in parts.items()]


def _chain(exchange: Exchange, evidence: Evidence) -> list[Step]:
    """Texts that carry the report, oldest first, with what each repeats."""
    parents = {
        str(row["id"]): _parents(row["derived_from"])
        for row in exchange.sources.to_dict("records")
    }
    about = evidence.about(f"exchange:{exchange.id}")
    headline = evidence.claims(exchange.headline_claims) or about
    first = set(origins(c.source.id for c in headline if c.source.id in parents))
    used = {
        c.source.id
        for c in about
        if parents.get(c.source.id) and first & set(origins([c.source.id]))
    }
    repeated = {o for s in used for o in origins([s])}
    steps = []
    for source in evidence.sources.values():
        above = parents[source.id]
        is_origin = source.id in first & repeated
        if not is_origin and source.id not in used:
            continue
        names = [evidence.sources[p] for p in above if p in evidence.sources]
        steps.append(
            Step(
                source=source,
                origin=is_origin,
                repeats=", ".join(s.by or s.title for s in names),
            )
        )
    steps.sort(key=lambda step: (not step.origin, _whole_date(step.source.published)))
    return steps


def _drift(claims: Sequence[ClaimView]) -> list[Drift]:
    """Say what each contradicted statement became, the accepted value first."""
    found = []
    for conflict in split_conflicts(claims)[1]:
        first = tuple(c for c in conflict.claims if c.status == "accepted")
        later = tuple(c for c in conflict.claims if c.status != "accepted")
        if later:
            values: dict[str, list[ClaimView]] = {}
            for claim in later:
                values.setdefault(claim.value, []).append(claim)
            found.append(
                Drift(
                    property=conflict.property,
                    first=first[0] if first else None,
                    later=tuple((v, tuple(c)) for v, c in values.items()),
                )
            )
    return found


def _judgement(assessment: Assessment, evidence: Evidence) -> Judgement:
    """Return an assessment with its claims."""
    low, high = LIKELIHOOD[assessment.likelihood]
    return Judgement(
        statement=assessment.statement,
        likelihood=assessment.likelihood,
        percent=f"{low}–{high} %",
        confidence=assessment.confidence,
        alternatives=assessment.alternatives,
        author=assessment.author,
        date=assessment.date.isoformat(),
        basis=evidence.claims(assessment.basis),
    )


def _legs(
    exchange: Exchange, evidence: Evidence, keys: Mapping[str, str]
) -> list[LegView]:
    """Legs in their order, each once, with the measures that name it."""
    rows: dict[str, dict[Any, Any]] = {}
    for row in exchange.legs.to_dict("records"):
        rows.setdefault(str(row["id"]), row)
    measures: dict[str, dict[str, dict[str, Any]]] = {}
    for row in exchange.leg_measures.to_dict("records"):
        texts: dict[str, Any] = {str(k): plain(v) for k, v in row.items()}
        of_leg = measures.setdefault(str(row["leg"]), {})
        of_leg.setdefault(texts["measure"], {**texts, "readings": []})
        reader = evidence.sources.get(texts["read_by"])
        of_leg[texts["measure"]]["readings"].append({**texts, "reader": reader})
    found = []
    for leg_id, row in rows.items():
        key = keys.get(f"legs/{leg_id}", "")
        kind = str(row["leg_kind"])
        found.append(
            LegView(
                id=leg_id,
                key=key,
                href=f"#{dom_id(key)}" if key else "",
                role="in" if row["direction"] == "in" else "out",
                word=LEG_WORDS.get(kind, (kind.capitalize(), ""))[0],
                what=str(row["what"]),
                route=f"{row['giver']} → {row['receiver']}",
                basis=plain(row.get("basis")),
                note=plain(row.get("note")),
                claims=evidence.claims(plain(row.get("claims"))),
                measures=tuple(_summed(m) for m in measures.get(leg_id, {}).values()),
            )
        )
    return found


def _summed(measure: dict[str, Any]) -> dict[str, Any]:
    """Give a measure its short name, and what its readings come to together."""
    effects = {reading["effect"] for reading in measure["readings"]}
    effect = effects.pop() if len(effects) == 1 else "arguable"
    paragraph = measure["paragraph"]
    sign = "¶" if paragraph[:1].isdigit() else ""
    return {
        **measure,
        "effect_class": effect if effect in EFFECTS else "",
        "short": f"{measure['instrument']} {sign}{paragraph}".strip(),
    }


def _areas(exchange: Exchange, keys: Mapping[str, str]) -> list[dict[str, Any]]:
    """Ranked areas, best first, as the table shows them."""
    if "rank" not in exchange.areas or exchange.areas.empty:
        return []
    regions = dict(zip(exchange.regions["id"], exchange.regions["name"], strict=True))
    ranked = exchange.areas[exchange.areas["rank"].notna()].sort_values("rank")
    found = []
    for row in ranked.to_dict("records"):
        key = keys.get(str(row["ref"]), "")
        found.append(
            {
                **{str(k): v for k, v in row.items() if k != "geometry"},
                "link": _link(key, str(row["name"])) if key else None,
                "region": regions.get(row["region"], str(row["region"])),
            }
        )
    return found


def _note(
    note: Any, evidence: Evidence, keys: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, Any]:
    """Return a note with its claims, its sources and the marks that it names."""
    claims = evidence.claims(note.claims)
    subjects = dict.fromkeys(c.subject for c in claims)
    links = [_link(keys[s], names[s]) for s in subjects if s in keys and s in names]
    return {
        "text": note.text,
        "claims": claims,
        "sources": evidence.cited(note.sources),
        "links": links,
    }


def _comparables(
    exchange: Exchange, evidence: Evidence, keys: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Other deals that stand beside this one; its own places are left out."""
    own = set(exchange.places["ref"])
    found = []
    for row in exchange.comparables.to_dict("records"):
        if row["ref"] in own:
            continue
        own_facts = details(row)
        found.append(
            {
                "link": _link(keys.get(str(row["ref"]), ""), str(row["name"])),
                "deal": own_facts.get("deal", ""),
                "terms": own_facts.get("terms", ""),
                "outcome": own_facts.get("outcome", ""),
                "sources": evidence.cited(plain(row.get("sources"))),
            }
        )
    return found


def credit_lines(exchange: Exchange) -> list[dict[str, str]]:
    """Return source and licence of every layer that the page draws.

    Parameters
    ----------
    exchange
        Its features name their layers.

    Returns
    -------
    list of dict
        ``id``, ``title``, ``source``, ``licence``, ``url``, ``retrieved``, ``file``
        with its ``sha256``, and ``short``, the maker's name for the corner of the map.
    """
    from layers.catalogue import catalogue
    from maps.page import safe_url

    frames = (exchange.places, exchange.areas, exchange.regions, exchange.comparables)
    used = {str(name) for f in frames if "layer" in f for name in f["layer"].unique()}
    entries = catalogue()
    shown = [
        entry
        for name, entry in entries.items()
        if name in used or name.startswith("base-") or entry.kind != "vector"
    ]
    return [
        {
            "id": entry.id,
            "title": entry.title,
            "file": entry.file,
            "sha256": entry.sha256,
            "source": entry.source,
            "licence": entry.licence,
            "url": safe_url(entry.url),
            "retrieved": str(entry.retrieved),
            "short": maker(entry.source) if entry.kind == "vector" else "",
        }
        for entry in shown
    ]


def maker(source: str) -> str:
    """Return the name with which a citation begins.

    Parameters
    ----------
    source
        A citation.

    Returns
    -------
    str
        Up to its first comma, full stop, bracket or ``from``.

    Examples
    --------
    >>> maker("Compiled by Natural Earth, version 5 (2024)")
    'Natural Earth'
    """
    begin = source.removeprefix("Compiled by ")
    return re.split(r"[,.;(]| from ", begin, maxsplit=1)[0].strip()


def _link(key: str, text: str) -> Link:
    return Link(key=key, href=f"#{dom_id(key)}", text=text)


def _whole_date(published: str) -> str:
    """Return a date to sort by: days before a bare month, that before a year."""
    return f"{published or '9999'}-99-99"[:10]


def _parents(value: object) -> tuple[str, ...]:
    return tuple(plain(value).split())


def _number(value: float | None, digits: int = 0) -> str:
    """Write a number with its thousands apart; a dash where there is none."""
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return "–"
    return f"{value:,.{digits}f}"

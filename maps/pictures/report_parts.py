"""Parts of a report: what each of its tables says, as data for the template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.evidence import LIKELIHOOD, VERIFICATION, corroboration, find_claim
from layers.sanctions import EFFECTS
from layers.symbology import LEG_WORDS
from maps.facts import feature_facts, plain, rough
from maps.pictures.svg import legible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layers.exchange import Exchange
    from maps.pictures.notes import Notes
    from maps.popup import SourceView

_READING_ROWS = (
    ("Capacity", "capacity_mw"),
    ("Energy in a year", "energy_gwh_per_year"),
    ("Cost as reported", "cost_usd_per_w"),
    ("Price at the time", "price_range"),
    ("Land", "land_km2"),
    ("Share of national capacity", "share_of_capacity"),
    ("Share of national output", "share_of_output"),
)


def judgements(exchange: Exchange, notes: Notes) -> list[dict[str, Any]]:
    """Our assessments."""
    found = []
    for one in exchange.assessments:
        low, high = LIKELIHOOD[one.likelihood]
        found.append(
            {
                "statement": one.statement,
                "likelihood": one.likelihood,
                "percent": f"{low}–{high} %",
                "confidence": one.confidence,
                "alternatives": one.alternatives,
                "author": one.author,
                "date": one.date.isoformat(),
                "basis": notes.claims(one.basis),
            }
        )
    return found


def promises(exchange: Exchange, notes: Notes) -> list[dict[str, Any]]:
    """List what either side would give."""
    parties = {party.id: party.name for party in exchange.parties}
    sides = (
        ("out", "To be given, as reported", "by", exchange.gives),
        ("in", "To come in return, as reported", "to", exchange.receives),
    )
    return [
        {
            "role": role,
            "title": title,
            "items": [
                {
                    "what": legible(one.what),
                    "who": f"{word} {parties[one.party]}"
                    if one.party in parties
                    else "",
                    "cites": notes.claims(one.claims),
                }
                for one in promises
            ],
        }
        for role, title, word, promises in sides
        if promises
    ]


def claims(exchange: Exchange, notes: Notes) -> list[dict[str, Any]]:
    """Headline claims with what stands behind and against each."""
    found = []
    for claim in notes.evidence.claims(exchange.headline_claims):
        behind = corroboration(find_claim(claim.id))
        cites = notes.sources([claim.source])
        otherwise: dict[tuple[str, str], list[SourceView]] = {}
        for other in notes.evidence.claims(behind.disputed_by):
            value = (
                f"{other.value}{f', read as {other.reading}' if other.reading else ''}"
            )
            otherwise.setdefault((value, other.by), []).append(other.source)
        rating_words = "; ".join(
            part
            for part in (claim.source.reliability_words, claim.credibility_words)
            if part
        )
        found.append(
            {
                "id": claim.id,
                "property": claim.property,
                "value": legible(claim.value),
                "reading": legible(claim.reading),
                "verbatim": legible(claim.verbatim)
                if claim.verbatim != claim.value
                else "",
                "language": claim.source.language[:2],
                "by": legible(claim.by),
                "locator": legible(claim.locator),
                "rating": f"{claim.source.reliability}{claim.credibility}",
                "rating_words": rating_words,
                "support": claim.support,
                "verification": claim.verification,
                "note": legible(claim.note),
                "cites": cites,
                "otherwise": [
                    {"value": value, "by": legible(by), "cites": notes.sources(who)}
                    for (value, by), who in otherwise.items()
                ],
            }
        )
    return found


def places(exchange: Exchange, notes: Notes) -> list[dict[str, Any]]:
    """Places that play a part, with how well each is known."""
    found = []
    for row in exchange.places.to_dict("records"):
        if row["context"]:
            continue
        facts = dict(feature_facts(row))
        names = ((plain(row.get("name_ko")), "ko"), (plain(row.get("name_zh")), "zh"))
        found.append(
            {
                "name": legible(row["name"]),
                "names": [(legible(text), lang) for text, lang in names if text],
                "part": legible(row["role"]),
                "where": facts.get("Where", facts.get("Outline", "")),
                "cites": notes.named(plain(row.get("sources"))),
            }
        )
    return found


def legs(exchange: Exchange, notes: Notes) -> list[dict[str, Any]]:
    """Legs with the measures in force, each measure once with all its readings."""
    found = []
    for row in exchange.legs.drop_duplicates("id").to_dict("records"):
        kind = str(row["leg_kind"])
        cites = notes.claims(plain(row.get("claims")))
        of_leg = (
            exchange.leg_measures[
                (exchange.leg_measures["leg"] == row["id"])
                & exchange.leg_measures["in_force_on_as_of"].astype(bool)
            ]
            if len(exchange.leg_measures)
            else exchange.leg_measures
        )
        measures: dict[str, list[dict[Any, Any]]] = {}
        for one in of_leg.to_dict("records"):
            measures.setdefault(str(one["measure"]), []).append(one)
        found.append(
            {
                "role": "in" if row["direction"] == "in" else "out",
                "word": LEG_WORDS.get(kind, (kind.capitalize(), ""))[0],
                "what": legible(row["what"]),
                "route": f"{legible(row['giver'])} → {legible(row['receiver'])}",
                "basis": plain(row.get("basis")),
                "note": legible(plain(row.get("note"))),
                "cites": cites,
                "measures": [_measure(rows, notes) for rows in measures.values()],
            }
        )
    return found


def _measure(rows: Sequence[Mapping[Any, Any]], notes: Notes) -> dict[str, Any]:
    """One measure on one leg, with everyone who reads it."""
    one = {str(key): plain(value) for key, value in rows[0].items()}
    paragraph = one["paragraph"]
    sign = "¶" if paragraph[:1].isdigit() else ""
    cites = notes.named(one["sources"])
    readings = []
    for raw in rows:
        reader = notes.evidence.cited(plain(raw["read_by"]))
        effect = str(raw["effect"])
        exempt = plain(raw.get("exempt_path"))
        text = plain(raw.get("reading_note"))
        readings.append(
            {
                "kind": effect,
                "effect": EFFECTS.get(effect, effect).capitalize(),
                "by": reader[0].short if reader else plain(raw["read_by"]),
                "cites": notes.sources(reader),
                "note": legible(
                    f"{f'Exemption that the text names: {exempt}. ' if exempt else ''}"
                    f"{text}"
                ),
            }
        )
    return {
        "name": f"{one['instrument']} {sign}{paragraph}".strip(),
        "title": legible(one["title"]),
        "imposed_by": one["imposed_by"],
        "exemptions": legible(one["exemptions"]),
        "verification": VERIFICATION.get(one["verification"], one["verification"]),
        "since": one["in_force_from"] or "unknown",
        "until": one["in_force_to"],
        "cites": cites,
        "readings": readings,
    }


def readings(exchange: Exchange, notes: Notes) -> dict[str, Any]:
    """Put readings of the figure side by side."""
    readings = [
        {
            "id": r.id,
            "label": legible(r.label),
            "cites": notes.claims(r.capacity_mw.claims),
            "cells": [
                r.statement,
                *(getattr(r, name).text() for _, name in _READING_ROWS),
                r.verdict,
            ],
        }
        for r in exchange.readings
    ]
    labels = [label for label, _ in _READING_ROWS]
    return {
        "readings": readings,
        "reading_rows": ["How it is read", *labels, "Cost against price"],
        "reading_notes": [
            exchange.notes[name]
            for name in ("costs", "system", "land", "yield")
            if exchange.notes.get(name)
        ],
    }


def areas(exchange: Exchange) -> dict[str, Any]:
    """Ranked areas, best first, with how they were found."""
    from geo.uncertainty import format_position

    rows = []
    if "rank" in exchange.areas and len(exchange.areas):
        regions = dict(
            zip(exchange.regions["id"], exchange.regions["name"], strict=True)
        )
        ranked = exchange.areas[exchange.areas["rank"].notna()].sort_values("rank")
        for row in ranked.to_dict("records"):
            middle = row["geometry"].representative_point()
            rows.append(
                {
                    "rank": f"{row['rank']:.0f}",
                    "name": legible(row["name"]),
                    "region": regions.get(row["region"], str(row["region"])),
                    "where": format_position(
                        middle.x, middle.y, float(row["uncertainty_m"])
                    ),
                    "km2": f"{row['area_km2']:,.0f}",
                    "mw": rough(row["capacity_mw"]),
                    "mw_range": f"{rough(row['capacity_mw_low'])}–"
                    f"{rough(row['capacity_mw_high'])}",
                    "p50": rough(row["energy_gwh"]),
                    "p90": rough(row["energy_gwh_p90"]),
                    "reasons": legible(row["reasons"]),
                }
            )
    method = exchange.solar_method
    texts = (
        [f"{method.together} {method.capacity}", method.sun, method.energy]
        if method
        else []
    )
    return {
        "areas": rows,
        "areas_note": exchange.notes.get("solar", ""),
        "areas_method": texts,
    }


def note(one: Any, notes: Notes) -> dict[str, Any]:
    """Something unknown or disputed, with its sources and values."""
    claims = notes.evidence.claims(one.claims)
    values = dict.fromkeys(f"{legible(c.value)} ({legible(c.by)})" for c in claims)
    sources = notes.evidence.cited(one.sources)
    return {
        "text": legible(one.text),
        "cites": notes.sources([*sources]),
        "values": list(values) if len(values) > 1 else [],
    }


def extent(value: Any) -> int:
    """Characters that a row sets; a long one may break over pages.

    Examples
    --------
    >>> extent({"what": "ore", "cites": [{"title": "not set in the row"}]})
    3
    """
    if isinstance(value, dict):
        apart = {"cites", "measures"}
        return sum(extent(item) for key, item in value.items() if key not in apart)
    if isinstance(value, list | tuple):
        return sum(map(extent, value))
    return len(value) if isinstance(value, str) else 0

"""Footnotes of a report: sources by number, in the order in which they are cited."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maps.pictures.svg import legible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from maps.popup import Evidence, SourceView


class Notes:
    """Numbers sources in the order in which the report first cites them."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.numbers: dict[str, int] = {}
        self.cited: list[SourceView] = []

    def sources(self, sources: Iterable[SourceView]) -> list[dict[str, Any]]:
        """Cite sources, each once."""
        found = []
        for source in {s.id: s for s in sources}.values():
            first = source.id not in self.numbers
            if first:
                self.numbers[source.id] = len(self.numbers) + 1
                self.cited.append(source)
            found.append(
                {
                    "n": self.numbers[source.id],
                    "first": first,
                    "title": legible(source.title),
                    "by": legible(source.by),
                    "published": source.published,
                    "url": source.url,
                    "rating": source.reliability,
                }
            )
        return sorted(found, key=lambda one: int(one["n"]))

    def claims(self, ids: str | Iterable[str]) -> list[dict[str, Any]]:
        """Cite the sources of claims."""
        return self.sources(c.source for c in self.evidence.claims(ids))

    def named(self, ids: str | Iterable[str]) -> list[dict[str, Any]]:
        """Cite sources by their ids."""
        return self.sources(self.evidence.cited(ids))


def source_entry(source: SourceView, number: int) -> dict[str, Any]:
    """Describe a source for the list at the end."""
    seen = source.seen.capitalize()
    return {
        "n": number,
        "title": legible(source.title),
        "by": legible(source.by),
        "published": source.published,
        "url": source.url,
        "language": source.language[:2],
        "rating": source.reliability,
        "rating_words": source.reliability_words,
        "seen": f"{seen}." if seen else "",
        "note": legible(source.note),
    }

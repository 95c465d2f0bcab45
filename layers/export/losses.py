"""What a format cannot keep: declared once, counted in what is to be written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layers.export.content import Content, Sheet
    from layers.export.formats import Format
    from layers.export.values import Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One thing that a format changes or cannot hold.

    Exactly one of ``in_sheet`` and ``in_content`` counts it.
    """

    kind: str
    """Short name, the same in every format."""
    one: str
    """Words for one, as ``"name was shortened"``."""
    many: str
    """Words for several, as ``"names were shortened"``."""
    about: str
    """What happens and why, in a sentence."""
    in_sheet: Callable[[Values], int] | None = None
    """Counts it in one sheet."""
    in_content: Callable[[Content], int] | None = None
    """Counts it in the whole."""

    def words(self, count: int) -> str:
        """Say how often it happened.

        Parameters
        ----------
        count
            How often.

        Returns
        -------
        str
            As ``"2 names were shortened"``.
        """
        return f"{count} {self.one if count == 1 else self.many}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A loss that happens in the data at hand."""

    loss: Loss
    sheet: str
    """Id of the sheet; empty for the whole."""
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReport:
    """What a format changes in the data at hand.

    Examples
    --------
    >>> LossReport(format="csv", found=()).text
    'csv: nothing was lost'
    """

    format: str
    """Key of the format."""
    found: tuple[Found, ...]
    """By sheet, in the order of the format's table."""

    @property
    def counts(self) -> dict[str, int]:
        """How often each kind of loss happens."""
        counts: dict[str, int] = {}
        for item in self.found:
            counts[item.loss.kind] = counts.get(item.loss.kind, 0) + item.count
        return counts

    @property
    def lines(self) -> tuple[str, ...]:
        """One line a kind of loss, with the sheets where it happens."""
        by_kind: dict[str, list[Found]] = {}
        for item in self.found:
            by_kind.setdefault(item.loss.kind, []).append(item)
        lines = []
        for items in by_kind.values():
            words = items[0].loss.words(sum(item.count for item in items))
            where = [item.sheet for item in items if item.sheet]
            shown = ", ".join(where[:4]) + (", …" if len(where) > 4 else "")
            lines.append(f"{words} ({shown})" if shown else words)
        return tuple(lines)

    @property
    def text(self) -> str:
        """All of it in one line."""
        return f"{self.format}: {'; '.join(self.lines) or 'nothing was lost'}"

    def as_records(self) -> list[dict[str, Any]]:
        """All of it ready for JSON.

        Returns
        -------
        list of dict
            ``kind``, ``sheet``, ``count``, ``words`` and ``about`` of each loss.
        """
        return [
            {
                "kind": item.loss.kind,
                "sheet": item.sheet,
                "count": item.count,
                "words": item.loss.words(item.count),
                "about": item.loss.about,
            }
            for item in self.found
        ]


def loss_report(content: Content, form: Format | str) -> LossReport:
    """Count what a format changes in an export before it is written.

    Parameters
    ----------
    content
        What is to be written.
    form
        A format, or its key.

    Returns
    -------
    LossReport
        Only what does happen in this data.

    Raises
    ------
    WriteError
        If there is no such format.
    """
    from layers.export.formats import FORMATS, find_format

    chosen = find_format(form) if isinstance(form, str) else form
    tables = FORMATS["csv"].losses if chosen.tables == "csv" else chosen.losses
    sheets = content.layers if chosen.tables == "lost" else content.sheets
    found: list[Found] = []
    for sheet in sheets:
        losses = chosen.losses if sheet.geometry else tables
        found += count_losses(sheet, losses)
    for loss in chosen.losses:
        if loss.in_content and (count := loss.in_content(content)):
            found.append(Found(loss=loss, sheet="", count=count))
    return LossReport(format=chosen.key, found=tuple(found))


def count_losses(sheet: Sheet, losses: Iterable[Loss]) -> list[Found]:
    """Count losses in one sheet.

    Parameters
    ----------
    sheet
        Layer or table.
    losses
        Those of a format.

    Returns
    -------
    list of Found
        Those that happen.
    """
    return [
        Found(loss=loss, sheet=sheet.id, count=count)
        for loss in losses
        if loss.in_sheet and (count := loss.in_sheet(sheet.values))
    ]

"""The key of the map, which is also its layer switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.symbology import ADDED, GROUP_NOTES, GROUPS, MARKS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layers.symbology import Mark


@dataclass(frozen=True, kw_only=True)
class Row:
    """One mark in the legend.

    Attributes
    ----------
    mark
        What it explains and switches.
    family
        Class that draws it in the style sheet.
    """

    mark: Mark
    family: str


@dataclass(frozen=True, kw_only=True)
class Group:
    """A heading of the legend with its rows.

    Attributes
    ----------
    title, note
        The heading, and a sentence on all its rows.
    rows
        Its marks in their order.
    """

    title: str
    note: str
    rows: tuple[Row, ...]


def legend_groups(marks: Iterable[Mark]) -> tuple[Group, ...]:
    """Sort the marks of a page under the legend's headings.

    Parameters
    ----------
    marks
        Every mark that the map draws.

    Returns
    -------
    tuple of Group
        Headings without a mark are left out; an analyst's layers come last.
    """
    order = {key: place for place, key in enumerate(MARKS)}
    found = sorted(marks, key=lambda mark: order.get(mark.key, len(order)))
    groups = []
    for title in (*GROUPS, ADDED):
        rows = tuple(
            Row(mark=mark, family=_family(mark))
            for mark in found
            if mark.group == title
        )
        if rows:
            groups.append(
                Group(title=title, note=GROUP_NOTES.get(title, ""), rows=rows)
            )
    return tuple(groups)


def legend_html(marks: Iterable[Mark]) -> str:
    """Legend of a page as HTML.

    Parameters
    ----------
    marks
        Every mark that the map draws.

    Returns
    -------
    str
        A ``section`` with one labelled switch for each mark; all text escaped.
    """
    from maps.page import environment

    module = environment().get_template("legend.html").module
    return str(module.legend_html(legend_groups(marks)))  # type: ignore[attr-defined]


def _family(mark: Mark) -> str:
    """Class under which the style sheet draws a mark."""
    if mark.key.startswith("leg-"):
        return "leg"
    return "tie" if mark.key == "tie-area" else mark.key.split(":")[0]

"""The key of the map, which is also its layer switch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layers.symbology import ADDED, GROUP_NOTES, GROUPS, MARKS
from maps.words import Said

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


def layer_label(name: str, bare: int, total: int) -> str:
    """Name of an added layer; with it, that some of its features name no source.

    Parameters
    ----------
    name
        Name of the layer.
    bare, total
        Features that name no source, and all.

    Returns
    -------
    str
        The bare name where every feature names one.

    Examples
    --------
    >>> layer_label("pits", 1, 3)
    'pits (1 of 3 name no source)'
    """
    if not total:
        return Said("{0} (no features)", name)
    if not bare:
        return name
    if bare == total:
        return Said("{0} (no source named)", name)
    return Said("{0} ({1} of {2} name no source)", name, bare, total)


def class_label(label: str, count: int) -> str:
    """Name of a class with how many features it has.

    Parameters
    ----------
    label
        What the class holds; a text of the page, or one of the data.
    count
        Features in it.

    Returns
    -------
    str
        For the row of the class.

    Examples
    --------
    >>> class_label("mine", 1200)
    'mine (1,200)'
    """
    if isinstance(label, Said):
        return Said("{0} ({1})", label, f"{count:,}")
    return f"{label} ({count:,})"


def layer_about(lost: int, total: int, beyond: int) -> str:
    """Say whose an added layer is, how many features are not drawn, and why.

    Parameters
    ----------
    lost, total
        Features that have no place on the map, and all.
    beyond
        Those of the first that lie beyond the map's latitudes.

    Returns
    -------
    str
        One sentence or two.
    """
    whose = Said("Added by the maker of this page; not part of the catalogue.")
    if not lost:
        return whose
    numbers = [f"{lost:,}", f"{total:,}", f"{beyond:,}"]
    rest = Said("{0} of {1} have no place on the map: not drawn.", *numbers[:2])
    if beyond:
        rest = Said(
            "{0} of {1} have no place on the map, {2} of them beyond 85° of latitude: "
            "not drawn.",
            *numbers,
        )
    return Said("{0} {1}", whose, rest)


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

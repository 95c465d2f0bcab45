"""The legend of a picture: its rows, and the columns that they stand in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.symbology import ADDED, GROUPS
from maps.pictures import drawing, words
from maps.pictures.fonts import TAGS
from maps.pictures.paragraphs import Paragraphs
from maps.pictures.svg import element, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.symbology import Mark
    from maps.pictures.order import Language

_COLUMN = 262.0
_COLUMN_GAP = 24.0
_SWATCH = 40.0
_UNEVEN = 1.15


def legend_order(marks: Sequence[Mark]) -> list[tuple[str, list[Mark]]]:
    """Sort marks under the headings of the legend; empty headings left out."""
    found = []
    for title in (*GROUPS, ADDED):
        rows = [mark for mark in marks if mark.group == title]
        if rows:
            found.append((title, rows))
    return found


def set_legend(
    into: Paragraphs,
    marks: Sequence[Mark],
    at: tuple[float, float],
    inner: float,
    language: Language,
) -> float:
    """Set the legend in columns of even height.

    Parameters
    ----------
    into
        What it is added to.
    marks
        Marks that the map shows, in their order.
    at
        Left upper corner. [units]
    inner
        Width of all columns together. [units]
    language
        Of its words.

    Returns
    -------
    float
        Where it ends. [units]
    """
    tag = TAGS[language]
    columns = max(1, int((inner + _COLUMN_GAP) // (_COLUMN + _COLUMN_GAP)))
    wide = (inner - (columns - 1) * _COLUMN_GAP) / columns
    blocks: list[tuple[float, Paragraphs]] = []
    groups: list[list[int]] = []
    for title, rows in legend_order(marks):
        groups.append(list(range(len(blocks), len(blocks) + len(rows))))
        for place, one in enumerate(rows):
            block = Paragraphs(into.fonts, into.palette)
            y = 0.0
            if place == 0:
                y = block.lines(
                    words.translated(title, language),
                    (0, 4),
                    size=12,
                    tag=tag,
                    room=wide,
                    role="ink-2",
                    bold=True,
                )
                note = words.group_note(title, language)
                if note:
                    y = block.lines(
                        note, (0, y), size=10.5, tag=tag, room=wide, role="ink-2"
                    )
                y += 3
            block.parts.append(
                element(
                    "g",
                    drawing.swatch(one, into.palette),
                    class_=f"legend-mark {one.key}",
                    transform=f"translate(0 {number(y)})",
                )
            )
            label, about = words.mark(one, language)
            room = wide - _SWATCH
            top = y
            y = block.lines(label, (_SWATCH, y + 1), size=12, tag=tag, room=room)
            if about:
                y = block.lines(
                    about,
                    (_SWATCH, y - 1),
                    size=10.5,
                    tag=tag,
                    room=room,
                    role="ink-2",
                    leading=1.22,
                )
            blocks.append((max(y, top + 20) + 4, block))
    return _in_columns(into, blocks, groups, at, columns=columns, wide=wide)


def _in_columns(
    into: Paragraphs,
    blocks: Sequence[tuple[float, Paragraphs]],
    groups: Sequence[Sequence[int]],
    at: tuple[float, float],
    *,
    columns: int,
    wide: float,
) -> float:
    """Put blocks into columns of even height, groups kept together where they fit."""
    heights = [height for height, _ in blocks]
    goal = goal_height(heights, columns)
    whole = [sum(heights[i] for i in group) for group in groups]
    by_group = goal_height(whole, columns)
    starts = {group[0]: size for group, size in zip(groups, whole, strict=True)}
    together = by_group <= goal * _UNEVEN
    goal = by_group if together else goal
    column, used, lowest = 0, 0.0, 0.0
    for place, (height, block) in enumerate(blocks):
        need = starts.get(place, 0.0 if together else height)
        if used and used + (need if together else height) > goal:
            column, used = column + 1, 0.0
        x, y = at[0] + column * (wide + _COLUMN_GAP), at[1] + used
        into.parts.append(
            element("g", *block.parts, transform=f"translate({number(x)} {number(y)})")
        )
        into.texts += block.texts
        used += height
        lowest = max(lowest, used)
    return at[1] + lowest


def goal_height(heights: Sequence[float], columns: int, *, step: float = 2.0) -> float:
    """Least height of columns that hold all parts in their order.

    Parameters
    ----------
    heights
        Of the parts.
    columns
        How many there may be.
    step
        How finely it is looked for.

    Returns
    -------
    float
        In the unit of ``heights``.
    """
    goal = max([sum(heights) / columns, *heights], default=0.0)
    while _count(heights, goal) > columns:
        goal += step
    return goal


def _count(heights: Sequence[float], goal: float) -> int:
    """Columns that blocks need if none may be higher than the goal."""
    count, used = 1, 0.0
    for height in heights:
        if used and used + height > goal:
            count, used = count + 1, 0.0
        used += height
    return count

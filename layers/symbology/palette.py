"""Colours of the page, by role, and how far they stand apart.

Hues follow Okabe and Ito (2008), darkened or lightened until they meet WCAG 2.2 AA on
our paper, land and sea.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#fffdf8",
        "paper-2": "#f7f3ea",
        "ink": "#1d2124",
        "ink-2": "#51565a",
        "rule": "#ddd6c8",
        "edge": "#7d7568",
        "link": "#0b5394",
        "sea": "#d9e4e8",
        "land": "#f7f4ec",
        "coast": "#9fb0b6",
        "border": "#7f776b",
        "water": "#a9c3cd",
        "region": "#f0e2bf",
        "region-edge": "#7c6128",
        "out": "#b03a06",
        "in": "#00609c",
        "hypothetical": "#7a4b00",
        "hypothetical-fill": "#e69f00",
        "occurrence": "#6d3f86",
        "historic": "#5d4a3a",
        "hub": "#1d2124",
        "crossing": "#1d2124",
        "plant": "#00664b",
        "place": "#5a5f63",
        "comparable": "#8a1f5c",
        "added": "#8a1f5c",
        "uncertainty": "#5d5a70",
        "tie": "#5a5f63",
        "focus": "#0b5394",
        "warn": "#8f2d04",
        "warn-fill": "#fbeadf",
        "note-fill": "#eef3f5",
    }
)
"""Colour of each role by day."""


DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#16191b",
        "paper-2": "#1f2427",
        "ink": "#f1eee6",
        "ink-2": "#b9bdbe",
        "rule": "#373d41",
        "edge": "#8b9195",
        "link": "#8cc4f2",
        "sea": "#10181c",
        "land": "#252b2e",
        "coast": "#4c5a60",
        "border": "#99958c",
        "water": "#38505a",
        "region": "#3b3524",
        "region-edge": "#c9a85c",
        "out": "#ff8f5c",
        "in": "#63b8ef",
        "hypothetical": "#f4bd4f",
        "hypothetical-fill": "#e69f00",
        "occurrence": "#c79bdf",
        "historic": "#cdb7a3",
        "hub": "#f1eee6",
        "crossing": "#f1eee6",
        "plant": "#46c79f",
        "place": "#b9bdbe",
        "comparable": "#ee8fc2",
        "added": "#ee8fc2",
        "uncertainty": "#b6b2cc",
        "tie": "#b9bdbe",
        "focus": "#8cc4f2",
        "warn": "#ffb08a",
        "warn-fill": "#3a241a",
        "note-fill": "#1c272c",
    }
)
"""Colour of each role in the dark."""


OVERLAY = "#c06a00"
"""Colour of a raster at full strength: the hue of what is hypothetical, and one colour
for day and dark, since a picture has only one. It meets 3 to 1 on every ground of both;
smaller values are fainter, so that the ground shows through."""


TEXT_PAIRS: tuple[tuple[str, str], ...] = (
    *(
        (text, ground)
        for ground in ("paper", "paper-2")
        for text in ("ink", "ink-2", "link", "out", "in", "hypothetical", "warn")
    ),
    ("warn", "warn-fill"),
    ("ink", "warn-fill"),
    ("ink", "note-fill"),
    ("ink-2", "note-fill"),
    ("ink", "land"),
    ("ink", "sea"),
    ("ink", "region"),
    ("ink-2", "land"),
    ("ink-2", "region"),
    ("out", "land"),
    ("in", "land"),
    ("hypothetical", "land"),
)
"""Text on ground: WCAG 1.4.3 asks for 4.5 to 1."""


MARK_PAIRS: tuple[tuple[str, str], ...] = (
    *(
        (mark, ground)
        for ground in ("land", "sea", "region")
        for mark in (
            "out",
            "in",
            "hypothetical",
            "occurrence",
            "historic",
            "hub",
            "crossing",
            "plant",
            "place",
            "comparable",
            "added",
            "uncertainty",
            "tie",
            "region-edge",
            "border",
        )
    ),
    ("edge", "paper"),
    ("focus", "paper"),
    ("focus", "land"),
)
"""Marks and edges on ground: WCAG 1.4.11 asks for 3 to 1."""


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours by WCAG 2.2.

    Parameters
    ----------
    first, second
        Colours as ``#rrggbb``.

    Returns
    -------
    float
        From 1, the same, to 21, black on white. [1]

    References
    ----------
    .. [1] W3C, Web Content Accessibility Guidelines 2.2, "contrast ratio".
       https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

    Examples
    --------
    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    low, high = sorted((_luminance(first), _luminance(second)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, from 0 to 1."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

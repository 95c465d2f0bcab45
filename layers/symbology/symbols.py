"""Drawings of point symbols, in colours that whoever draws them fills in."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SIDE = 20
"""Width and height of a symbol's box; its middle is the place that it marks."""

_SYMBOLS = {
    "ring": (
        '<circle cx="10" cy="10" r="6" style="fill:{ground};stroke:{colour};'
        'stroke-width:2.5"/><circle cx="10" cy="10" r="2" style="fill:{colour}"/>'
    ),
    "dot": (
        '<circle cx="10" cy="10" r="3.6" style="fill:{colour};stroke:{ground};'
        'stroke-width:1.2"/>'
    ),
    "pin": (
        '<circle cx="10" cy="10" r="6" style="fill:{colour};stroke:{ground};'
        'stroke-width:2"/>'
    ),
    "square": (
        '<rect x="6" y="6" width="8" height="8" style="fill:{ground};'
        'stroke:{colour};stroke-width:2"/>'
    ),
    "diamond": (
        '<path d="M10 3.5 16.5 10 10 16.5 3.5 10Z" style="fill:{colour};'
        'stroke:{ground};stroke-width:1.4"/>'
    ),
    "triangle": (
        '<path d="M10 4 16.5 15.5H3.5Z" style="fill:{colour};stroke:{ground};'
        'stroke-width:1.4"/>'
    ),
    "bridge": (
        '<path d="M3 7.2h14M3 12.8h14M6 4.5v11M14 4.5v11" style="fill:none;'
        'stroke:{ground};stroke-width:4.2"/>'
        '<path d="M3 7.2h14M3 12.8h14M6 4.5v11M14 4.5v11" style="fill:none;'
        'stroke:{colour};stroke-width:1.7"/>'
    ),
    "cross": (
        '<path d="M10 3v14M3 10h14" style="stroke:{ground};stroke-width:6"/>'
        '<path d="M10 4v12M4 10h12" style="stroke:{colour};stroke-width:3.2"/>'
    ),
}

SYMBOLS: Mapping[str, str] = MappingProxyType(_SYMBOLS)
"""SVG inside a box of :data:`SIDE`, by name; to fill: ``{colour}``, ``{ground}``."""


def symbol_drawing(name: str, *, colour: str, ground: str) -> str:
    """Draw a symbol in two colours.

    Parameters
    ----------
    name
        A key of :data:`SYMBOLS`.
    colour, ground
        CSS colours: its own, and that of the edge that sets it off.

    Returns
    -------
    str
        SVG elements inside a box of :data:`SIDE` by :data:`SIDE`.

    Examples
    --------
    >>> symbol_drawing("dot", colour="#5a5f63", ground="#fffdf8")[:27]
    '<circle cx="10" cy="10" r="'
    """
    return SYMBOLS[name].format(colour=colour, ground=ground)

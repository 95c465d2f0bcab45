"""The ground that marks stand on: how each part of the base map is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from layers.symbology.marks import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE_MAP = "Base map"
"""Heading of the base map in programs that list it; the page's legend does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """How one part of the base map is drawn."""

    label: str
    """Name for people."""
    fill: str = ""
    """Role of its fill in the palette; empty for lines."""
    stroke: str = ""
    """Role of its line or edge; empty for none."""
    width: float = 0.0
    """Width of the line. [CSS px]"""
    opacity: float = 1.0
    """Opacity of the line, from 0 to 1."""
    dash: str = ""
    """SVG dash pattern; empty for a continuous line."""


BASE: Mapping[str, Ground] = MappingProxyType(
    {
        "world": Ground(label="Land, coarse", fill="land"),
        "land": Ground(label="Land", fill="land"),
        "lakes": Ground(label="Lakes", fill="sea", stroke="coast", width=0.5),
        "rivers": Ground(label="Rivers", stroke="water", width=0.9),
        "provinces": Ground(
            label="Provinces", stroke="border", width=0.6, opacity=0.45
        ),
        "coast": Ground(label="Coast", stroke="coast", width=0.8),
        "borders": Ground(
            label="Borders",
            stroke="border",
            width=1.1,
            opacity=0.9,
            dash="7 2 1.5 2",
        ),
    }
)
"""Parts of the base map, from the ground up."""


def base_mark(part: str) -> Mark:
    """Mark of a part of the base map.

    Parameters
    ----------
    part
        A key of :data:`BASE`.

    Returns
    -------
    Mark
        With a key such as ``"base-land"``, which :data:`BASE` says how to draw.

    Examples
    --------
    >>> base_mark("rivers").role
    'water'
    """
    ground = BASE[part]
    return Mark(
        key=f"base-{part}",
        label=ground.label,
        about="For orientation.",
        group=BASE_MAP,
        shape="area" if ground.fill else "line",
        role=ground.stroke or ground.fill,
        dash=ground.dash,
        rank=9,
    )

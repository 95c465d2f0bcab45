"""Widths, dashes and opacities of the page's drawings, for QGIS to draw with.

The colours come from :mod:`layers.symbology`; what the page's style sheet adds to them
stands here once more, since a style sheet is no table. A test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from layers.symbology import BASE, LIGHT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.symbology import Mark

POINTS_PER_PIXEL = 0.75
"""Points in a CSS pixel, of which 96 make an inch. [pt/px]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pen:
    """How a line is drawn."""

    width: float
    """[px]"""
    opacity: float = 1.0
    role: str = ""
    """Key of its colour; empty for that of the mark."""
    dash: str = ""
    """SVG dash pattern; empty for a continuous line. [px]"""
    cap: Literal["flat", "round"] = "flat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """How an area is filled."""

    opacity: float = 0.0
    role: str = ""
    """Key of its colour; empty for that of the mark."""
    kind: Literal["plain", "soft", "hatch"] = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How an area or a line of one mark is drawn."""

    pens: tuple[Pen, ...] = ()
    """Lines from the lowest to the highest."""
    fill: Fill | None = None
    head: bool = False
    """Whether the line ends in an arrow."""


SOFT_STOPS = ((0.0, 0.5), (0.6, 0.3), (1.0, 0.08))
"""Share of the radius and opacity there, for an area whose middle is likelier."""

HATCH_DISTANCE, HATCH_WIDTH, HATCH_OPACITY, HATCH_GROUND = 6.0, 1.6, 0.75, 0.16
"""Hatching of what is hypothetical: [px], [px], and opacities of line and ground."""

HEAD_WIDTH, HEAD_BOX, HEAD_TIP = 15.0, (14, 12), 12
"""An arrow: its width [px], its box, and where in the box its tip stands."""

HEAD_PATH = "M1 1 L13 6 L1 11 L4 6 Z"
"""The arrow in its box."""

SMALL = MappingProxyType({"place": 0.8})
"""Marks whose symbol is drawn smaller than its box."""

RING = Look(
    pens=(Pen(width=1, opacity=0.75, dash="2 3"),),
    fill=Fill(opacity=0.05),
)
"""A ring round a place whose point is drawn."""

COARSE = Look(
    pens=(Pen(width=1, opacity=0.8, dash="5 4"),),
    fill=Fill(opacity=0.06),
)
"""An area in place of a symbol, where the point is not known."""

_HATCHED = Fill(kind="hatch", role="hypothetical-fill", opacity=HATCH_GROUND)

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "region": Look(
            pens=(Pen(width=1.4, opacity=0.9),),
            fill=Fill(opacity=0.75, role="region"),
        ),
        "subject": Look(
            pens=(Pen(width=1.8, dash="5 4"),),
            fill=Fill(kind="soft", opacity=1.0),
        ),
        "candidate": Look(pens=(Pen(width=1.2, dash="4 3"),), fill=_HATCHED),
        "site": Look(
            pens=(
                Pen(width=3.6, opacity=0.8, role="paper"),
                Pen(width=1.5, dash="4 2"),
            ),
            fill=_HATCHED,
        ),
        "uncertainty": RING,
        "tie": Look(pens=(Pen(width=1.6, opacity=0.9, dash="1 5", cap="round"),)),
        "tie-area": Look(pens=(Pen(width=1.6, opacity=0.9, dash="1 5", cap="round"),)),
    }
)
"""Looks by key of the mark."""


def look(mark: Mark) -> Look:
    """Find how areas and lines of a mark are drawn.

    Parameters
    ----------
    mark
        Any mark, also one that the table does not know.

    Returns
    -------
    Look
        With the dash of the mark itself.
    """
    known = LOOKS.get(mark.key)
    if known is not None:
        return known
    ground = BASE.get(mark.key.removeprefix("base-"))
    if ground is not None and mark.key.startswith("base-"):
        pen = Pen(
            width=ground.width,
            opacity=ground.opacity,
            role=ground.stroke,
            dash=ground.dash,
        )
        return Look(
            pens=(pen,) if ground.stroke else (),
            fill=Fill(opacity=1.0, role=ground.fill) if ground.fill else None,
        )
    if is_leg(mark):
        casing = Pen(width=5.6, opacity=0.85, role="paper")
        return Look(pens=(casing, Pen(width=2.6, dash=mark.dash)), head=True)
    if mark.shape == "line":
        return Look(pens=(Pen(width=2.6, dash=mark.dash),))
    return Look(pens=(Pen(width=1.6, dash=mark.dash),), fill=Fill(opacity=0.1))


def is_leg(mark: Mark) -> bool:
    """Whether a mark draws a leg of an exchange: an arrow, bent.

    Parameters
    ----------
    mark
        Any mark.

    Returns
    -------
    bool
        True for the marks of :func:`layers.symbology.leg_mark`.
    """
    return mark.key.startswith("leg-")


def colour(mark: Mark, role: str = "") -> str:
    """Find the colour of a part of a mark.

    Parameters
    ----------
    mark
        The mark.
    role
        Key of another colour than its own.

    Returns
    -------
    str
        ``#rrggbb``, by day.
    """
    return LIGHT.get(role or mark.role, LIGHT["added"])

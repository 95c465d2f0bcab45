"""Marks: how each looks, and the words that explain it.

The table is the one source of the page's style sheet, its legend and the styles that
an export carries to other programs, so that a key can never differ from what it
explains, nor one program from another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Shape = Literal["symbol", "area", "line", "switch", "raster"]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Key of a raster: its colours and what they stand for.

    Attributes
    ----------
    low, high
        Values at the two ends, as text.
    unit
        What the numbers are.
    clear
        What it means where nothing is drawn.
    colours
        CSS colours from ``low`` to ``high``.
    opacity
        How much of the picture shows at first. [%]
    """

    low: str
    high: str
    unit: str
    clear: str
    colours: tuple[str, ...]
    opacity: int = 85

    @property
    def gradient(self) -> str:
        """The colours as a CSS gradient of even steps."""
        share = 100 / len(self.colours)
        stops = (
            f"{colour} {place * share:g}% {(place + 1) * share:g}%"
            for place, colour in enumerate(self.colours)
        )
        return f"linear-gradient(to right, {', '.join(stops)})"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One kind of mark on the map and the row of the legend that explains it.

    Attributes
    ----------
    key
        Name in the style sheet and the page's script.
    label, about
        Name for people, and what the mark means and does not mean.
    group
        Heading of the legend under which the row stands.
    shape
        How it is drawn.
    role
        Key of its colour in :data:`layers.symbology.palette.LIGHT`.
    symbol
        Id of its drawing among the page's symbols; empty for areas and lines.
    dash
        SVG dash pattern; empty for a continuous line.
    on
        Whether the page opens with it.
    rank
        Its labels' precedence: small numbers are placed first.
    scale
        Its key, if it is a raster.
    """

    key: str
    label: str
    about: str
    group: str
    shape: Shape
    role: str
    symbol: str = ""
    dash: str = ""
    on: bool = True
    rank: int = 5
    scale: Scale | None = None


REPORTED, COMPUTED, CONTEXT, EXCHANGED, GROUND = (
    "What was reported",
    "What we computed",
    "In the area",
    "What would move",
    "How to read it",
)

_MARKS = (
    Mark(
        key="subject",
        label="Deposit as reported",
        about="The reported deposit lies in it; nobody has published a point.",
        group=REPORTED,
        shape="area",
        role="out",
        dash="5 4",
        rank=0,
    ),
    Mark(
        key="region",
        label="Province named",
        about="Named in the report. The outline may be kilometres out.",
        group=REPORTED,
        shape="area",
        role="region-edge",
        rank=2,
    ),
    Mark(
        key="candidate",
        label="Hypothetical area",
        about="Candidate for the works, computed by us from criteria; nobody "
        "reported these places. The number is the rank.",
        group=REPORTED,
        shape="area",
        role="hypothetical",
        dash="4 3",
        rank=1,
    ),
    Mark(
        key="site",
        label="Hypothetical site",
        about="Computed by us from rasters; no source names a site. The number is the "
        "rank.",
        group=COMPUTED,
        shape="area",
        role="hypothetical",
        dash="4 3",
        rank=1,
    ),
    Mark(
        key="hub",
        label="Place with a role",
        about="A town named in the reports or needed to follow them.",
        group=REPORTED,
        shape="symbol",
        role="hub",
        symbol="ring",
        rank=1,
    ),
    Mark(
        key="historic",
        label="Historic lead",
        about="A site read from an old document: not the deposit reported now.",
        group=CONTEXT,
        shape="symbol",
        role="historic",
        symbol="square",
        rank=6,
    ),
    Mark(
        key="occurrence",
        label="Other occurrence",
        about="Reported elsewhere and not part of this exchange.",
        group=CONTEXT,
        shape="symbol",
        role="occurrence",
        symbol="diamond",
        rank=5,
    ),
    Mark(
        key="crossing",
        label="Border crossing",
        about="A bridge by road or rail.",
        group=CONTEXT,
        shape="symbol",
        role="crossing",
        symbol="bridge",
        rank=6,
    ),
    Mark(
        key="plant",
        label="Power plant",
        about="An existing station.",
        group=CONTEXT,
        shape="symbol",
        role="plant",
        symbol="triangle",
        rank=7,
    ),
    Mark(
        key="place",
        label="Town",
        about="For orientation.",
        group=CONTEXT,
        shape="symbol",
        role="place",
        symbol="dot",
        rank=8,
    ),
    Mark(
        key="comparable",
        label="Comparable deal",
        about="Another exchange of minerals for works; most lie far away.",
        group=CONTEXT,
        shape="symbol",
        role="comparable",
        symbol="cross",
        rank=7,
    ),
    Mark(
        key="tie",
        label="Distance to nearest",
        about="Straight on the ellipsoid, with the shortest and longest distance "
        "that the uncertainty allows.",
        group=CONTEXT,
        shape="line",
        role="tie",
        dash="1 5",
        rank=9,
    ),
    Mark(
        key="tie-area",
        label="Same, from areas",
        about="The same from each candidate area to what lies nearest.",
        group=CONTEXT,
        shape="line",
        role="tie",
        dash="1 5",
        on=False,
        rank=9,
    ),
    Mark(
        key="uncertainty",
        label="Lies inside the ring",
        about="Uncertainty: the place is somewhere inside, at no known point.",
        group=GROUND,
        shape="area",
        role="uncertainty",
        dash="2 3",
    ),
    Mark(
        key="names",
        label="Names",
        about="Shown where they fit; all of them stand on the cards.",
        group=GROUND,
        shape="switch",
        role="ink",
    ),
)

LEG_WORDS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "rights": ("Mining rights", "12 3 2 3"),
        "investment": ("Investment", "10 5"),
        "equipment": ("Equipment", ""),
        "ore": ("Ore", ""),
        "payment": ("Payment", "2 4"),
        "counterparty": ("Counterparty", "6 3 2 3 2 3"),
        "material": ("Material", "4 2"),
    }
)
"""Name and dash of each kind of leg; the direction gives its colour."""

GROUPS = (REPORTED, EXCHANGED, COMPUTED, CONTEXT, GROUND)
"""Headings of the legend in their order; an analyst's own layers come last."""

GROUP_NOTES: Mapping[str, str] = MappingProxyType(
    {
        EXCHANGED: "Bent so that they do not hide each other: direction, not a route.",
    }
)
"""Sentence under a heading of the legend."""

ADDED = "Added layers"
"""Heading of the legend for an analyst's own layers."""

MARKS: Mapping[str, Mark] = MappingProxyType({mark.key: mark for mark in _MARKS})
"""Every fixed mark by key."""

_BY_LAYER = MappingProxyType(
    {
        "trade-hubs": "hub",
        "crossings": "crossing",
        "power-plants": "plant",
        "solar-plants": "plant",
        "places": "place",
        "comparable-deals": "comparable",
        "provinces": "region",
    }
)


def mark_key(row: Mapping[str, Any], subjects: Iterable[str] = ()) -> str:
    """Key of the mark that draws a feature.

    Parameters
    ----------
    row
        A feature's columns; ``ref``, ``layer`` and ``status`` are read.
    subjects
        References (``layer/id``) of the deposits that the exchange is about.

    Returns
    -------
    str
        A key of :data:`MARKS`.

    Examples
    --------
    >>> mark_key({"ref": "crossings/a", "layer": "crossings", "status": "existing"})
    'crossing'
    >>> deposit = {"ref": "deposits/a", "layer": "deposits", "status": "reported"}
    >>> mark_key(deposit, {"deposits/a"})
    'subject'
    """
    status = str(row.get("status", ""))
    if status == "hypothetical":
        return "candidate"
    known = _BY_LAYER.get(str(row.get("layer", "")))
    if known:
        return known
    if status == "historic":
        return "historic"
    return "subject" if row.get("ref") in set(subjects) else "occurrence"


def leg_mark(leg_kind: str, direction: str) -> Mark:
    """Give the mark for a leg: its direction sets the colour, its kind the dash.

    Parameters
    ----------
    leg_kind
        A key of :data:`LEG_WORDS`; another kind is drawn as a plain line.
    direction
        ``"out"``: from the party that gives the resource; ``"in"``: towards it.

    Returns
    -------
    Mark
        With a key such as ``"leg-out-ore"``.

    Examples
    --------
    >>> leg_mark("ore", "out").label
    'Ore, out'
    """
    word, dash = LEG_WORDS.get(leg_kind, (leg_kind.capitalize() or "Leg", ""))
    side = "in" if direction == "in" else "out"
    return Mark(
        key=f"leg-{side}-{_slug(leg_kind) or 'other'}",
        label=f"{word}, {side}",
        about="",
        group=EXCHANGED,
        shape="line",
        role=side,
        dash=dash,
        rank=3,
    )


def _slug(text: str) -> str:
    """``text`` in small letters, digits and hyphens only."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")

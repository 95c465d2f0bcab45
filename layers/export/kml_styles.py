"""Marks as styles of KML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.export.icons import symbol_png
from layers.symbology import BASE, LIGHT

if TYPE_CHECKING:
    from layers.export.content import Content
    from layers.symbology import Mark

UNMARKED = "unmarked"
"""Style of what has no mark: it is there but not drawn."""

_BASE = "base-"
_FILL = 0.2
_RING_FILL = 0.06


def marks(content: Content) -> dict[str, Mark]:
    """Find every mark of an export.

    Parameters
    ----------
    content
        What is to be written.

    Returns
    -------
    dict
        By key, in the order of the layers.
    """
    return {
        mark.key: mark
        for sheet in content.layers
        if sheet.style
        for mark in sheet.style.marks
    }


def icons(content: Content) -> list[tuple[str, bytes]]:
    """Draw the symbols of an export.

    Parameters
    ----------
    content
        What is to be written.

    Returns
    -------
    list of tuple
        Names inside the KMZ, and PNG.
    """
    return [
        (_icon(mark), symbol_png(mark.symbol, colour=LIGHT[mark.role], ground=_PAPER))
        for mark in marks(content).values()
        if mark.symbol
    ]


_PAPER = LIGHT["paper"]


def styles(content: Content, *, pictures: bool) -> str:
    """Write the styles of an export.

    Parameters
    ----------
    content
        What is to be written.
    pictures
        Whether the symbols stand beside, as :func:`icons` draws them.

    Returns
    -------
    str
        XML: a style for each mark, and one for what has none.
    """
    hidden = (
        f'<Style id="mark-{UNMARKED}"><IconStyle><scale>0</scale></IconStyle>'
        "<LabelStyle><scale>0</scale></LabelStyle><LineStyle><width>0</width>"
        "</LineStyle><PolyStyle><fill>0</fill><outline>0</outline></PolyStyle>"
        f"{_BALLOON}</Style>\n"
    )
    return hidden + "".join(_style(m, pictures) for m in marks(content).values())


_BALLOON = "<BalloonStyle><text>$[description]</text></BalloonStyle>"


def _style(mark: Mark, pictures: bool) -> str:
    colour = LIGHT[mark.role]
    line, fill, width = _colour(colour), _colour(colour, _FILL), 2.0
    if mark.key == "uncertainty":
        line, fill, width = _colour(colour, 0.7), _colour(colour, _RING_FILL), 1.0
    ground = BASE.get(mark.key.removeprefix(_BASE)) if _BASE in mark.key else None
    if ground:
        line = _colour(colour, ground.opacity if ground.stroke else 0)
        fill = _colour(LIGHT[ground.fill]) if ground.fill else _colour(colour, 0)
        width = ground.width
    icon = f"<color>{_colour(colour)}</color><scale>0.9</scale>"
    if pictures and mark.symbol:
        icon = f"<scale>0.9</scale><Icon><href>{_icon(mark)}</href></Icon>"
        icon += '<hotSpot x="0.5" y="0.5" xunits="fraction" yunits="fraction"/>'
    return (
        f'<Style id="mark-{mark.key}"><IconStyle>{icon}</IconStyle>'
        "<LabelStyle><scale>0.8</scale></LabelStyle>"
        f"<LineStyle><color>{line}</color><width>{width:g}</width></LineStyle>"
        f"<PolyStyle><color>{fill}</color></PolyStyle>{_BALLOON}</Style>\n"
    )


def _icon(mark: Mark) -> str:
    """Name of a symbol's picture."""
    return f"icons/{mark.key}.png"


def _colour(colour: str, opacity: float = 1.0) -> str:
    """Write a colour as KML does: opacity, blue, green, red."""
    red, green, blue = (colour[i : i + 2] for i in (1, 3, 5))
    return f"{round(255 * opacity):02x}{blue}{green}{red}".lower()

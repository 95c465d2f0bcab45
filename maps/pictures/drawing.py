"""Marks and ground as SVG, in the symbols and strokes of the page's style sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from layers.symbology import BASE, SIDE, symbol_drawing
from maps.pictures.svg import element, number, path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.symbology import Mark
    from maps.pictures.scene import Drawn, Ground, Rings

Palette = "Mapping[str, str]"

_ORDER = {
    "region": 0,
    "around": 1,
    "area": 2,
    "ring": 3,
    "tie": 4,
    "leg": 5,
    "symbol": 6,
}
_HEAD = 11.0
_SMALL = 0.8


def definitions(palette: Mapping[str, str]) -> str:
    """Return fills that marks use by name: the hatch and the soft disc."""
    hatch = element(
        "pattern",
        element(
            "rect",
            width=6,
            height=6,
            fill=palette["hypothetical-fill"],
            fill_opacity=0.16,
        ),
        element(
            "path",
            d="M0 0V6",
            stroke=palette["hypothetical"],
            stroke_width=1.6,
            stroke_opacity=0.75,
        ),
        id="hatch",
        width=6,
        height=6,
        patternUnits="userSpaceOnUse",
        patternTransform="rotate(45)",
    )
    soft = element(
        "radialGradient",
        *(
            element(
                "stop",
                offset=offset,
                stop_color=palette["out"],
                stop_opacity=opacity,
            )
            for offset, opacity in ((0, 0.5), (0.6, 0.3), (1, 0.08))
        ),
        id="soft-out",
    )
    return hatch + soft


def ground(part: Ground, palette: Mapping[str, str]) -> str:
    """Draw a part of the base map."""
    look = BASE[part.kind]
    rings = [ring for shape in part.shapes for ring in shape]
    if not rings:
        return ""
    return element(
        "path",
        id=None,
        class_=f"base-{part.kind}",
        d=path(rings, closed=part.filled),
        fill=palette[look.fill] if look.fill else "none",
        fill_rule="evenodd" if part.filled else None,
        stroke=palette[look.stroke] if look.stroke else None,
        stroke_width=look.width if look.stroke else None,
        stroke_opacity=look.opacity if look.stroke else None,
        stroke_dasharray=look.dash,
        stroke_linejoin="round" if look.stroke else None,
    )


def features(drawn: tuple[Drawn, ...], palette: Mapping[str, str]) -> str:
    """Draw all features, from the ground up.

    Parameters
    ----------
    drawn
        In their order within a mark.
    palette
        Colours by role.

    Returns
    -------
    str
        SVG; each mark's parts carry its key in their class.
    """
    pieces: list[tuple[int, str]] = []
    for feature in drawn:
        for kind, text in _feature(feature, palette):
            pieces.append((_ORDER[kind], text))
    pieces.sort(key=lambda piece: piece[0])
    return "".join(text for _, text in pieces)


def _feature(feature: Drawn, palette: Mapping[str, str]) -> list[tuple[str, str]]:
    """Draw one feature: its parts with the plane on which each lies."""
    mark = feature.mark
    found = []
    for ring in feature.ring:
        look = _ring_look(palette[mark.role])
        found.append(("ring", _area(ring, "uncertainty", look, fill_rule="evenodd")))
    if feature.symbol:
        scale = _SMALL if feature.family == "place" else 1.0
        found.append(("symbol", symbol(mark, feature.at, palette, scale=scale)))
    elif feature.line:
        kind = "leg" if feature.family == "leg" else "tie"
        found += [(kind, line(mark, rings[0], palette)) for rings in feature.shapes]
    else:
        plane = "region" if feature.family == "region" else "area"
        plane = "around" if mark.shape == "symbol" else plane
        look = area_look(mark, feature.family, palette)
        found += [(plane, _area(rings, mark.key, look)) for rings in feature.shapes]
    return found


def symbol(
    mark: Mark,
    at: tuple[float, float],
    palette: Mapping[str, str],
    *,
    scale: float = 1.0,
) -> str:
    """Draw a mark's symbol about a point."""
    half = SIDE / 2 * scale
    move = f"translate({number(at[0] - half)} {number(at[1] - half)})"
    grow = f" scale({number(scale)})" if scale != 1 else ""
    return element(
        "g",
        symbol_drawing(
            mark.symbol or "dot", colour=palette[mark.role], ground=palette["paper"]
        ),
        class_=f"mark {mark.key}",
        transform=move + grow,
    )


def area_look(mark: Mark, family: str, palette: Mapping[str, str]) -> dict[str, object]:
    """Strokes and fills of an area, as attributes of SVG."""
    colour = palette[mark.role]
    dashed: dict[str, object] = {"stroke": colour, "stroke_dasharray": mark.dash}
    if family == "region":
        return dashed | {
            "fill": palette["region"],
            "fill_opacity": 0.75,
            "stroke_width": 1.4,
            "stroke_opacity": 0.9,
        }
    if family == "subject":
        return dashed | {"fill": "url(#soft-out)", "stroke_width": 1.8}
    if family in {"candidate", "site"}:
        return dashed | {"fill": "url(#hatch)", "stroke_width": 1.2}
    if mark.shape == "symbol":
        return {
            "stroke": colour,
            "fill": colour,
            "fill_opacity": 0.06,
            "stroke_width": 1,
            "stroke_opacity": 0.8,
            "stroke_dasharray": "5 4",
        }
    if family == "uncertainty":
        return _ring_look(colour)
    return dashed | {"fill": colour, "fill_opacity": 0.1, "stroke_width": 1.6}


def line(mark: Mark, points: Any, palette: Mapping[str, str]) -> str:
    """Draw a leg with its casing and its head, or a tie."""
    colour = palette[mark.role]
    if not mark.key.startswith("leg-"):
        return element(
            "path",
            class_=f"mark {mark.key}",
            d=path([points], closed=False),
            fill="none",
            stroke=colour,
            stroke_width=1.6,
            stroke_opacity=0.9,
            stroke_linecap="round",
            stroke_dasharray=mark.dash,
        )
    shaft, head = _arrow(np.asarray(points, dtype=float))
    casing = element(
        "path",
        d=path([shaft], closed=False),
        fill="none",
        stroke=palette["paper"],
        stroke_width=5.6,
        stroke_opacity=0.85,
    )
    ink = element(
        "path",
        d=path([shaft], closed=False),
        fill="none",
        stroke=colour,
        stroke_width=2.6,
        stroke_dasharray=mark.dash,
    )
    point = element(
        "path",
        d=path([head], closed=True),
        fill=colour,
        stroke=palette["paper"],
        stroke_width=1,
    )
    return element("g", casing, ink, point, class_=f"mark {mark.key}")


def swatch(mark: Mark, palette: Mapping[str, str]) -> str:
    """Draw a mark as its row of the legend shows it, in a box of 32 by 18."""
    family = mark.key.split(":")[0]
    if mark.shape == "line":
        points = np.array([[1.0, 9.0], [31.0, 9.0]])
        return line(mark, points, palette)
    if mark.shape == "area":
        look = area_look(mark, family, palette)
        if family in {"subject", "uncertainty"}:
            return element(
                "circle", cx=16, cy=9, r=8, class_=f"mark {mark.key}", **look
            )
        return element(
            "rect", x=3, y=2, width=26, height=14, class_=f"mark {mark.key}", **look
        )
    return symbol(mark, (16.0, 9.0), palette, scale=0.9)


def _area(rings: Rings, key: str, look: Mapping[str, object], **more: object) -> str:
    """Draw an area."""
    more.setdefault("fill_rule", "evenodd")
    return element(
        "path", class_=f"mark {key}", d=path(rings, closed=True), **look, **more
    )


def _ring_look(colour: str) -> dict[str, object]:
    """Strokes and fills of a ring in which a place lies."""
    return {
        "stroke": colour,
        "stroke_opacity": 0.75,
        "stroke_width": 1,
        "stroke_dasharray": "2 3",
        "fill": colour,
        "fill_opacity": 0.05,
    }


def _arrow(points: Any) -> tuple[Any, Any]:
    """Shorten a line by its head, and give the head that stands at its end."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    whole = along[-1]
    if whole <= 0:
        return points, np.repeat(points[:1], 4, axis=0)
    size = min(_HEAD, whole / 2)
    neck = whole - size * 0.75
    stem = np.array([np.interp(neck, along, points[:, i]) for i in (0, 1)])
    shaft = np.vstack([points[along < neck], stem])
    tip = points[-1]
    way = (tip - stem) / max(float(np.hypot(*(tip - stem))), 1e-9)
    side = np.array([-way[1], way[0]])
    back = tip - way * size
    head = np.array(
        [
            tip,
            back + side * size * 0.42,
            back + way * size * 0.25,
            back - side * size * 0.42,
            tip,
        ]
    )
    return shaft, head

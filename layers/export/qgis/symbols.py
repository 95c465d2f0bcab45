"""Symbols of QGIS that look like the page's marks."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from layers.export.qgis.elements import element, options, overrides
from layers.export.qgis.looks import (
    COARSE,
    HATCH_DISTANCE,
    HATCH_OPACITY,
    HATCH_WIDTH,
    HEAD_BOX,
    HEAD_PATH,
    HEAD_TIP,
    HEAD_WIDTH,
    POINTS_PER_PIXEL,
    SMALL,
    SOFT_STOPS,
    Fill,
    Look,
    Pen,
    colour,
    look,
)
from layers.symbology import LIGHT, SIDE, symbol_drawing

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping

    from layers.export.qgis.elements import Value
    from layers.symbology import Mark

NOT_ON_A_MAP = {"enabled": "false"}
"""Draws a layer of a symbol in swatches only, which ask for no feature's settings.

The swatch of a geometry that an expression makes is drawn from a line of some pixels,
taken for degrees: hardly to be seen.
"""

_SCALE = "3x:0,0,0,0,0,0"
_UNIT = "Point"


def symbol(
    mark: Mark, geometry: str, *, name: str = "0", drawn_as: str = ""
) -> ET.Element:
    """Draw a mark as a symbol.

    Parameters
    ----------
    mark
        The mark.
    geometry
        Kind of the sheet's geometries, as :attr:`Sheet.geometry` has it.
    name
        Name of the symbol in its style.
    drawn_as
        Expression that makes the drawn geometry of the true one; empty to draw the
        true one.

    Returns
    -------
    Element
        ``<symbol>``, with sizes in points so that it is as large on paper.
    """
    kind = geometry.removeprefix("Multi")
    if kind == "Point":
        return _symbol("marker", name, [_drawing(mark)])
    if kind == "LineString":
        layers = _line(mark)
        if drawn_as:
            layers = [_bent(layers, name, drawn_as), *_line(mark, when=NOT_ON_A_MAP)]
        return _symbol("line", name, layers)
    return _symbol("fill", name, _area(mark))


def rgba(colour_: str, opacity: float = 1.0) -> str:
    """Write a colour as QGIS does.

    Parameters
    ----------
    colour_
        ``#rrggbb``.
    opacity
        From 0, clear, to 1.

    Returns
    -------
    str
        Red, green, blue and opacity, each from 0 to 255.

    Examples
    --------
    >>> rgba("#fffdf8", 0.8)
    '255,253,248,204'
    """
    channels = [int(colour_[place : place + 2], 16) for place in (1, 3, 5)]
    return ",".join(map(str, [*channels, round(opacity * 255)]))


def points(pixels: float) -> str:
    """Give a length of the page in points.

    Parameters
    ----------
    pixels
        CSS pixels.

    Returns
    -------
    str
        Points, as text.

    Examples
    --------
    >>> points(1.6)
    '1.2'
    """
    return f"{pixels * POINTS_PER_PIXEL:.6g}"


def svg(body: str, width: int, height: int) -> str:
    """Put SVG elements into a file of their own that QGIS reads from its name.

    Parameters
    ----------
    body
        SVG elements.
    width, height
        Their box.

    Returns
    -------
    str
        ``base64:`` and the file.
    """
    text = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{body}</svg>'
    )
    return "base64:" + base64.b64encode(text.encode()).decode("ascii")


def _symbol(kind: str, name: str, layers: list[ET.Element]) -> ET.Element:
    """Put symbol layers together, the lowest first."""
    return element(
        "symbol",
        {
            "type": kind,
            "name": name,
            "alpha": 1,
            "clip_to_extent": 1,
            "force_rhr": 0,
        },
        *layers,
    )


def _layer(
    kind: str,
    settings: Mapping[str, Value],
    *inside: ET.Element,
    expressions: Mapping[str, str] | None = None,
) -> ET.Element:
    """Make one layer of a symbol."""
    return element(
        "layer",
        {"class": kind, "enabled": 1, "pass": 0, "locked": 0},
        options(settings),
        element("data_defined_properties", None, overrides(expressions or {})),
        *inside,
    )


def _drawing(mark: Mark) -> ET.Element:
    """Draw a mark's symbol; an area's mark on a point is only its key's dot."""
    body = symbol_drawing(
        mark.symbol or "dot", colour=colour(mark), ground=LIGHT["paper"]
    )
    size = SIDE * SMALL.get(mark.key, 1.0)
    return _marker(svg(body, SIDE, SIDE), size)


def _marker(path: str, size: float, *, offset: str = "0,0") -> ET.Element:
    """Make a marker of an SVG."""
    return _layer(
        "SvgMarker",
        {
            "name": path,
            "size": points(size),
            "size_unit": _UNIT,
            "size_map_unit_scale": _SCALE,
            "scale_method": "diameter",
            "fixedAspectRatio": 0,
            "angle": 0,
            "color": rgba(LIGHT["ink"]),
            "outline_color": rgba(LIGHT["ink"]),
            "outline_width": 0,
            "outline_width_unit": _UNIT,
            "outline_width_map_unit_scale": _SCALE,
            "offset": offset,
            "offset_unit": _UNIT,
            "offset_map_unit_scale": _SCALE,
            "horizontal_anchor_point": 1,
            "vertical_anchor_point": 1,
            "parameters": "",
        },
    )


def _pen(mark: Mark, pen: Pen, *, when: Mapping[str, str] | None = None) -> ET.Element:
    """Make a plain line."""
    settings: dict[str, Value] = {
        "line_color": rgba(colour(mark, pen.role), pen.opacity),
        "line_width": points(pen.width),
        "line_width_unit": _UNIT,
        "width_map_unit_scale": _SCALE,
        "line_style": "solid",
        "capstyle": pen.cap,
        "joinstyle": "round",
        "offset": 0,
        "offset_unit": _UNIT,
        "offset_map_unit_scale": _SCALE,
        "ring_filter": 0,
        "draw_inside_polygon": 0,
        "use_custom_dash": bool(pen.dash),
        "customdash": "5;2",
        "customdash_unit": _UNIT,
        "customdash_map_unit_scale": _SCALE,
    }
    if pen.dash:
        lengths = [points(float(part)) for part in pen.dash.split()]
        settings["customdash"] = ";".join(lengths)
    return _layer("SimpleLine", settings, expressions=when)


def _line(mark: Mark, *, when: Mapping[str, str] | None = None) -> list[ET.Element]:
    """Draw a line of a mark, with its arrow if it has one."""
    drawn = look(mark)
    layers = [_pen(mark, pen, when=when) for pen in drawn.pens]
    if drawn.head:
        layers.append(_head(mark, when=when))
    return layers


def _head(mark: Mark, *, when: Mapping[str, str] | None = None) -> ET.Element:
    """Draw the arrow at the end of a line, its tip on the last vertex."""
    width, height = HEAD_BOX
    body = (
        f'<path d="{HEAD_PATH}" style="fill:{colour(mark)};stroke:{LIGHT["paper"]};'
        'stroke-width:1"/>'
    )
    back = (width / 2 - HEAD_TIP) * HEAD_WIDTH / width
    arrow = _marker(svg(body, width, height), HEAD_WIDTH, offset=f"{points(back)},0")
    settings: dict[str, Value] = {
        "placement": "lastvertex",
        "rotate": 1,
        "interval": 3,
        "interval_unit": "MM",
        "interval_map_unit_scale": _SCALE,
        "offset": 0,
        "offset_unit": _UNIT,
        "offset_map_unit_scale": _SCALE,
        "offset_along_line": 0,
        "offset_along_line_unit": _UNIT,
        "offset_along_line_map_unit_scale": _SCALE,
        "average_angle_length": 4,
        "average_angle_unit": "MM",
        "average_angle_map_unit_scale": _SCALE,
        "ring_filter": 0,
    }
    tip = _symbol("marker", "@0@0", [arrow])
    return _layer("MarkerLine", settings, tip, expressions=when)


def _bent(layers: list[ET.Element], name: str, expression: str) -> ET.Element:
    """Draw lines along another geometry than their own."""
    return _layer(
        "GeometryGenerator",
        {
            "SymbolType": "Line",
            "geometryModifier": expression,
            "units": "MapUnit",
        },
        _symbol("line", f"@{name}@0", layers),
    )


def _area(mark: Mark) -> list[ET.Element]:
    """Draw an area of a mark; of a symbol's mark, the place with no known point."""
    drawn = look(mark) if mark.shape != "symbol" else COARSE
    return [*_fill(mark, drawn), *(_pen(mark, pen) for pen in drawn.pens)]


def _fill(mark: Mark, drawn: Look) -> list[ET.Element]:
    """Fill an area."""
    fill = drawn.fill
    if fill is None:
        return []
    if fill.kind == "soft":
        return [_soft(mark, fill)]
    ground = _layer(
        "SimpleFill",
        {
            "color": rgba(colour(mark, fill.role), fill.opacity),
            "style": "solid",
            "outline_style": "no",
            "outline_color": rgba(colour(mark, fill.role), 0),
            "outline_width": 0,
            "outline_width_unit": _UNIT,
            "joinstyle": "round",
            "offset": "0,0",
            "offset_unit": _UNIT,
            "offset_map_unit_scale": _SCALE,
            "border_width_map_unit_scale": _SCALE,
        },
    )
    return [ground, _hatch(mark)] if fill.kind == "hatch" else [ground]


def _hatch(mark: Mark) -> ET.Element:
    """Draw the hatching of what is hypothetical."""
    pen = Pen(width=HATCH_WIDTH, opacity=HATCH_OPACITY)
    return _layer(
        "LinePatternFill",
        {
            "angle": 45,
            "color": rgba(colour(mark), HATCH_OPACITY),
            "distance": points(HATCH_DISTANCE),
            "distance_unit": _UNIT,
            "distance_map_unit_scale": _SCALE,
            "line_width": points(HATCH_WIDTH),
            "line_width_unit": _UNIT,
            "line_width_map_unit_scale": _SCALE,
            "offset": 0,
            "offset_unit": _UNIT,
            "offset_map_unit_scale": _SCALE,
            "outline_width_unit": _UNIT,
            "outline_width_map_unit_scale": _SCALE,
        },
        _symbol("line", "@0@1", [_pen(mark, pen)]),
    )


def _soft(mark: Mark, fill: Fill) -> ET.Element:
    """Fill an area the more faintly the farther from its middle."""
    own = colour(mark, fill.role)
    (_, first), *between, (_, last) = SOFT_STOPS
    stops = ":".join(f"{share:g};{rgba(own, opacity)}" for share, opacity in between)
    return _layer(
        "GradientFill",
        {
            "type": 1,
            "color_type": 1,
            "rampType": "gradient",
            "discrete": 0,
            "color1": rgba(own, first),
            "color2": rgba(own, last),
            "color": rgba(own, first),
            "gradient_color2": rgba(own, last),
            "stops": stops,
            "coordinate_mode": 0,
            "spread": 0,
            "reference_point1": "0.5,0.5",
            "reference_point1_iscentroid": 0,
            "reference_point2": "1,0.5",
            "reference_point2_iscentroid": 0,
            "angle": 0,
            "offset": "0,0",
            "offset_unit": _UNIT,
            "offset_map_unit_scale": _SCALE,
        },
    )

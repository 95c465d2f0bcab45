"""A sheet of paper for the project: map, legend, scale, and credits that fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.export.qgis.elements import element, options
from layers.export.qgis.letterings import SANS, SERIF
from layers.export.qgis.symbols import rgba
from layers.symbology import BASE_MAP, GROUPS, LIGHT

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Mapping, Sequence

    from layers.export.content import Content, Sheet
    from layers.export.qgis.elements import Value

NAME = "Map with legend and credits"
"""What the layout is called in the project."""

_MAP = "{lodemap-map}"
_PAGE, _MAP_ITEM, _LABEL, _LEGEND, _SCALE = 65638, 65639, 65641, 65642, 65646
_WIDTH, _HEIGHT, _MARGIN = 297, 210, 10
_LEGEND_WIDTH = 62
_MAP_TOP, _MAP_HEIGHT = 22, 158


def layout(content: Content, extent: Sequence[float], code: int) -> ET.Element:
    """Lay the map out on A4, its legend as the page has it.

    Parameters
    ----------
    content
        The export.
    extent
        First view in the CRS of the map: xmin, ymin, xmax, ymax.
    code
        EPSG code of that CRS.

    Returns
    -------
    Element
        ``<Layout>``. The credits are an expression over the metadata of the layers
        that the map shows.
    """
    from layers.export.qgis.metadata import spatial_reference

    width = _WIDTH - 3 * _MARGIN - _LEGEND_WIDTH
    map_item = _item(
        _MAP_ITEM,
        _MAP,
        (_MARGIN, _MAP_TOP, width, _MAP_HEIGHT),
        element("Extent", dict(zip(_SIDES, _fitted(extent, width), strict=True))),
        element("crs", None, spatial_reference(code)),
        element("LayerSet"),
        more={
            "id": "map",
            "frame": "true",
            "background": "true",
            "followPreset": "false",
            "keepLayerSet": "false",
            "drawCanvasItems": "true",
            "labelMargin": "0,mm",
            "mapRotation": 0,
        },
        paper="sea",
    )
    title = _label(
        content.title, (_MARGIN, 8, _WIDTH - 2 * _MARGIN, 12), size=16, families=SERIF
    )
    credits_ = "[% array_to_string(array_distinct(map_credits('map')), ' · ') %]"
    credit = _label(
        credits_,
        (_MARGIN, _MAP_TOP + _MAP_HEIGHT + 3, _WIDTH - 2 * _MARGIN, 22),
        size=5.5,
        families=SANS,
    )
    return element(
        "Layout",
        {"name": NAME, "units": "mm", "printResolution": 300, "worldFileMap": ""},
        element(
            "PageCollection",
            None,
            _item(_PAGE, "{lodemap-page}", (0, 0, _WIDTH, _HEIGHT)),
        ),
        map_item,
        title,
        _legend(content, (_WIDTH - _MARGIN - _LEGEND_WIDTH, _MAP_TOP)),
        credit,
        _scale(),
    )


_SIDES = ("xmin", "ymin", "xmax", "ymax")


def _fitted(extent: Sequence[float], width: float) -> list[str]:
    """Widen or heighten a view to the shape of the map on the sheet."""
    west, south, east, north = extent
    x, y = (west + east) / 2, (south + north) / 2
    half = max(east - west, (north - south) * width / _MAP_HEIGHT) / 2
    tall = half * _MAP_HEIGHT / width
    return [f"{v:.3f}" for v in (x - half, y - tall, x + half, y + tall)]


def _item(
    kind: int,
    uuid: str,
    box: tuple[float, float, float, float],
    *inside: ET.Element,
    more: Mapping[str, Value] | None = None,
    paper: str = "paper",
) -> ET.Element:
    """Make one item of the sheet; boxes are left, top, width and height in mm."""
    left, top, width, height = box
    place = f"{left},{top},mm"
    attributes: dict[str, Value] = {
        "type": kind,
        "uuid": uuid,
        "templateUuid": uuid,
        "id": "",
        "position": place,
        "positionOnPage": place,
        "size": f"{width},{height},mm",
        "referencePoint": 0,
        "frame": "false",
        "background": "false",
        "visibility": 1,
        "opacity": 1,
        "outlineWidthM": "0.2,mm",
        "frameJoinStyle": "miter",
        "positionLock": "false",
        "itemRotation": 0,
        "blendMode": 0,
        "zValue": 1,
        "excludeFromExports": 0,
        "groupUuid": "",
    }
    return element(
        "LayoutItem",
        attributes | dict(more or {}),
        element("FrameColor", {**_shades("edge"), "alpha": 255}),
        element("BackgroundColor", {**_shades(paper), "alpha": 255}),
        *inside,
    )


def _shades(role: str) -> dict[str, Value]:
    """Give the three parts of a colour by name."""
    parts = [int(LIGHT[role][place : place + 2], 16) for place in (1, 3, 5)]
    return dict(zip(("red", "green", "blue"), parts, strict=True))


def _text(size: float, families: tuple[str, ...], *, bold: bool = False) -> ET.Element:
    """Set letters. [pt]."""
    return element(
        "text-style",
        {
            "fontFamily": families[0],
            "namedStyle": "Bold" if bold else "Regular",
            "fontSize": size,
            "fontSizeUnit": "Point",
            "fontWeight": 75 if bold else 50,
            "textColor": rgba(LIGHT["ink"]),
            "textOpacity": 1,
            "multilineHeight": 1,
        },
        element("families", None, *(element("family", {"name": f}) for f in families)),
    )


def _font(
    tag: str, size: float, families: tuple[str, ...], *, bold: bool = False
) -> ET.Element:
    """Set letters in sheets as QGIS before 3.24 does. [pt]."""
    weight = 75 if bold else 50
    return element(
        tag,
        {
            "description": f"{families[0]},{size:g},-1,5,{weight},0,0,0,0,0",
            "style": "Bold" if bold else "Regular",
        },
    )


def _label(
    text: str,
    box: tuple[float, float, float, float],
    *,
    size: float,
    families: tuple[str, ...],
) -> ET.Element:
    """Put text on the sheet; what stands between [% and %] is an expression."""
    return _item(
        _LABEL,
        f"{{lodemap-label-{size:g}}}",
        box,
        _text(size, families, bold=families is SERIF),
        _font("LabelFont", size, families, bold=families is SERIF),
        element("FontColor", {**_shades("ink"), "alpha": 255}),
        more={
            "labelText": text,
            "htmlState": 0,
            "marginX": 0,
            "marginY": 0,
            "halign": 1,
            "valign": 32,
        },
    )


def _legend(content: Content, corner: tuple[float, float]) -> ET.Element:
    """Explain the marks under the headings of the page, without names of layers."""
    tree = element("layer-tree-group", None, element("customproperties"))
    for heading in GROUPS:
        sheets = [
            s
            for s in content.layers
            if s.group == heading != BASE_MAP and s.on and s.style and s.style.marks
        ]
        if sheets:
            tree.append(_heading(heading, sheets))
    left, top = corner
    styles = element("styles")
    for name, size, bold in (
        ("title", 11, True),
        ("group", 8.5, True),
        ("subgroup", 8, False),
        ("symbolLabel", 7.5, False),
    ):
        style = element(
            "style",
            {
                "name": name,
                "alignment": 1,
                "marginTop": 2.5 if name == "group" else 0.9,
                "marginBottom": 0,
                "marginLeft": 2 if name == "symbolLabel" else 0,
            },
            _text(size, SANS, bold=bold),
            _font("styleFont", size, SANS, bold=bold),
        )
        styles.append(style)
    return _item(
        _LEGEND,
        "{lodemap-legend}",
        (left, top, _LEGEND_WIDTH, _MAP_HEIGHT),
        styles,
        tree,
        more={
            "title": "Legend",
            "map_uuid": _MAP,
            "resizeToContents": 1,
            "columnCount": 1,
            "symbolWidth": 8,
            "symbolHeight": 3.4,
            "boxSpace": 0,
            "legendFilterByAtlas": 0,
            "splitLayer": 0,
        },
    )


def _heading(heading: str, sheets: Sequence[Sheet]) -> ET.Element:
    """Gather the marks of some layers under one heading."""
    from layers.export.qgis.project import layer_id

    return element(
        "layer-tree-group",
        {"name": heading, "checked": "Qt::Checked", "expanded": 1},
        element("customproperties", None, options({})),
        *(
            element(
                "layer-tree-layer",
                {
                    "id": layer_id(s.id),
                    "name": s.title,
                    "checked": "Qt::Checked",
                    "expanded": 1,
                },
                element("customproperties", None, options(_shown(s))),
            )
            for s in sheets
        ),
    )


def _shown(sheet: Sheet) -> dict[str, str]:
    """Hide the name of a layer, and marks of the ground, which the page leaves out."""
    marks = sheet.style.marks if sheet.style else ()
    places = [str(i) for i, mark in enumerate(marks) if mark.group != BASE_MAP]
    settings = {"legend/title-style": "hidden"}
    if 0 < len(places) < len(marks):
        settings["legend/node-order"] = ",".join(places)
    return settings


def _scale() -> ET.Element:
    """Make a bar of kilometres, over the map."""
    return _item(
        _SCALE,
        "{lodemap-scale}",
        (_MARGIN + 3, _MAP_TOP + _MAP_HEIGHT - 12, 60, 9),
        _text(7, SANS),
        more={
            "mapUuid": _MAP,
            "style": "Line Ticks Up",
            "unitType": "km",
            "unitLabel": "km",
            "numUnitsPerSegment": 25,
            "numMapUnitsPerScaleBarUnit": 1,
            "numSegments": 2,
            "numSegmentsLeft": 0,
            "segmentSizeMode": 1,
            "minBarWidth": 20,
            "maxBarWidth": 45,
            "height": 1.5,
            "outlineWidth": 0.25,
            "boxContentSpace": 1,
            "labelBarSpace": 1,
            "zValue": 3,
        },
    )

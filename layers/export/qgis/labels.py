"""Labels in three languages, set as the page sets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.export.qgis.bends import bent, middle
from layers.export.qgis.elements import (
    element,
    overrides,
    quoted_name,
    quoted_text,
)
from layers.export.qgis.letterings import COUNTRIES, COUNTRY, LETTERINGS, Lettering
from layers.export.qgis.looks import colour, is_leg
from layers.export.qgis.symbols import points, rgba
from layers.symbology import BASE_MAP, LIGHT

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET

    from layers.export.content import Sheet
    from layers.export.qgis.elements import Value
    from layers.symbology import Mark

LANGUAGE = "lodemap_language"
"""Variable of the project that picks the language: en, ko or zh."""

OTHERS = "lodemap_other_names"
"""Variable of the project: ``yes`` to set the other names under important ones."""

LANGUAGES = ("ko", "zh")
"""Languages beside English, each with a column of its own."""

_IMPORTANT = 2
_LATE = 3
_SCALE = "3x:0,0,0,0,0,0"


def labelling(sheet: Sheet, late_scale: float = 0.0) -> ET.Element | None:
    """Set the names of a sheet's features.

    Parameters
    ----------
    sheet
        A layer.
    late_scale
        Denominator of the scale from which names of lesser places show; 0 to show them
        at any.

    Returns
    -------
    Element or None
        ``<labeling>`` with rules for each mark; None where nothing is named.
    """
    style = sheet.style
    if style is None or not style.label or style.label not in sheet.table.columns:
        return None
    rules = element("rules", {"key": "{names}"})
    for mark in style.marks:
        if mark.group == BASE_MAP or mark.key == "uncertainty":
            continue  # a ring's own place is named where it stands
        rules.extend(_rules(sheet, mark, late_scale))
    if {"id", "country"} <= set(sheet.table.columns) and sheet.geometry.endswith(
        "Polygon"
    ):
        once = '"id" = minimum("id", group_by:="country")'
        rules.append(_rule(sheet, COUNTRY, once))
    return element("labeling", {"type": "rule-based"}, rules) if len(rules) else None


def name_expression(sheet: Sheet, column: str, *, others: bool = False) -> str:
    """Expression of a name in the language that the project asks for.

    Parameters
    ----------
    sheet
        The layer.
    column
        Column of the English names.
    others
        Whether the names in the other languages stand below, as on the page, where
        the project asks for them.

    Returns
    -------
    str
        The English name where there is none in that language.
    """
    there = [c for c in LANGUAGES if f"{column}_{c}" in sheet.table.columns]
    english = quoted_name(column)
    if not there:
        return f"to_string({english})" if column == "rank" else english
    language = f"coalesce(@{LANGUAGE}, 'en')"

    def filled(code: str) -> str:
        return f"nullif({quoted_name(f'{column}_{code}')}, '')"

    cases = " ".join(f"WHEN '{code}' THEN {filled(code)}" for code in there)
    matched = cases.replace("WHEN ", f"WHEN {language} = ")
    name = f"coalesce(CASE {matched} END, {english})"
    if not others:
        return name
    rest = ", ".join(
        f"if({language} = '{code}', NULL, {filled(code)})" for code in there
    )
    below = f"array_to_string(array_filter(array({rest}), @element IS NOT NULL), ' ')"
    shown = f"coalesce(@{OTHERS}, 'yes') = 'yes' AND {below} <> ''"
    return f"{name} || if({shown}, '\\n' || {below}, '')"


def _rules(sheet: Sheet, mark: Mark, late_scale: float) -> list[ET.Element]:
    """Name the features of one mark, the lesser ones only from a larger scale on."""
    condition = f'"mark" = {quoted_text(mark.key)}'
    names = set(map(str, sheet.table.columns))
    if is_leg(mark):
        course = _silent(sheet, mark, condition)
        if {"leg", "id"} <= names:
            once = 'minimum("id", group_by:="leg", filter:="mark" <> \'\')'
            condition += f' AND "id" = {once}'
        return [_rule(sheet, mark, condition), course]
    if not late_scale:
        return [_rule(sheet, mark, condition)]
    if mark.rank > _LATE:
        return _late(sheet, mark, condition, late_scale)
    lesser = []
    if "named" in names:
        lesser.append("\"named\" = 'no'")
    if mark.key == "hub" and "status" in names:
        lesser.append("\"status\" = 'context'")
    if not lesser:
        return [_rule(sheet, mark, condition)]
    late = f"coalesce({' OR '.join(lesser)}, false)"
    return [
        _rule(sheet, mark, f"{condition} AND NOT {late}"),
        *_late(sheet, mark, f"{condition} AND {late}", late_scale),
    ]


def _late(
    sheet: Sheet, mark: Mark, condition: str, late_scale: float
) -> list[ET.Element]:
    """Name lesser places from a scale on; until then other names keep off them."""
    early = _silent(sheet, mark, condition)
    early.set("scalemindenom", str(round(late_scale)))
    early.set("scalemaxdenom", "1000000000")
    return [_rule(sheet, mark, condition, late_scale), early]


def _silent(sheet: Sheet, mark: Mark, condition: str) -> ET.Element:
    """Keep other names off features that have none themselves."""
    rule = _rule(sheet, mark, condition)
    rule.set("key", f"{{{mark.key}-silent}}")
    placement, drawn = rule.find("settings/placement"), bent(sheet)
    if placement is not None and drawn:
        placement.set("geometryGenerator", drawn)
        placement.set("geometryGeneratorType", "LineGeometry")
    rendering = rule.find("settings/rendering")
    if rendering is not None:
        rendering.set("drawLabels", "0")
    return rule


def _rule(
    sheet: Sheet, mark: Mark, condition: str, late_scale: float = 0.0
) -> ET.Element:
    """Name the features that meet a condition."""
    label = sheet.style.label if sheet.style else "name"
    if is_leg(mark):
        lettering = Lettering(bold=True, role="")
        text = quoted_text(mark.label.rpartition(",")[0] or mark.label)
    elif mark is COUNTRY:
        lettering, text = LETTERINGS[mark.key], _country_expression()
    else:
        lettering = LETTERINGS.get(mark.key, Lettering())
        important = mark.rank <= _IMPORTANT and label != "rank"
        text = name_expression(sheet, label, others=important)
    attributes: dict[str, Value] = {
        "key": f"{{{mark.key}{'-late' if late_scale else ''}}}",
        "description": mark.label,
        "filter": condition,
    }
    if late_scale:
        attributes |= {"scalemaxdenom": round(late_scale), "scalemindenom": 1}
    settings = element("settings", {"calloutType": "simple"})
    settings.append(_text_style(mark, lettering, text))
    settings.append(
        element(
            "text-format",
            {
                "wrapChar": "",
                "autoWrapLength": lettering.wrap,
                "useMaxLineLengthForAutoWrap": 1,
                "multilineAlign": 1 if mark.shape != "symbol" else 0,
                "formatNumbers": 0,
                "addDirectionSymbol": 0,
                "plussign": 0,
                "decimals": 0,
            },
        )
    )
    settings.append(_placement(sheet, mark))
    settings.append(
        element(
            "rendering",
            {
                "drawLabels": 1,
                "displayAll": lettering.plate,
                "obstacle": mark is not COUNTRY,
                "obstacleFactor": 1.5 if lettering.plate else 1,
                "obstacleType": 0 if lettering.plate else 1,  # inside, or the edge
                "mergeLines": 0,
                "minFeatureSize": 0,
                "labelPerPart": 0,
                "limitNumLabels": 0,
                "maxNumLabels": 2000,
                "fontLimitPixelSize": 0,
                "fontMinPixelSize": 3,
                "fontMaxPixelSize": 10000,
                "scaleVisibility": 0,
                "scaleMin": 0,
                "scaleMax": 0,
                "upsidedownLabels": 0,
                "unplacedVisibility": 0,
                "zIndex": f"{10 - mark.rank}",
            },
        )
    )
    settings.append(element("dd_properties", None, overrides({})))
    return element("rule", attributes, settings)


def _country_expression() -> str:
    """Expression of a country's name, from its code in the column ``country``."""
    cases = [
        f"WHEN coalesce(@{LANGUAGE}, 'en') = '{language}' AND \"country\" = '{code}' "
        f"THEN {quoted_text(name)}"
        for language, names in COUNTRIES.items()
        for code, name in names.items()
    ]
    return f'CASE {" ".join(cases)} ELSE "country" END'


def _text_style(mark: Mark, lettering: Lettering, text: str) -> ET.Element:
    """Give the letters their face, colour and edge."""
    style = element(
        "text-style",
        {
            "fieldName": text,
            "isExpression": 1,
            "fontFamily": lettering.families[0],
            "namedStyle": "Bold" if lettering.bold else "Regular",
            "fontSize": points(lettering.size),
            "fontSizeUnit": "Point",
            "fontSizeMapUnitScale": _SCALE,
            "fontWeight": 75 if lettering.bold else 50,
            "fontItalic": 0,
            "fontUnderline": 0,
            "fontStrikeout": 0,
            "fontKerning": 1,
            "fontLetterSpacing": points(lettering.spacing),
            "fontWordSpacing": 0,
            "capitalization": 1 if lettering.upper else 0,
            "textColor": rgba(colour(mark, lettering.role)),
            "textOpacity": 1,
            "textOrientation": "horizontal",
            "multilineHeight": 1,
            "blendMode": 0,
            "previewBkgrdColor": rgba(LIGHT["paper"]),
            "useSubstitutions": 0,
            "allowHtml": 0,
            "legendString": "Aa",
        },
        element(
            "families",
            None,
            *(element("family", {"name": name}) for name in lettering.families),
        ),
        element(
            "text-buffer",
            {
                "bufferDraw": int(not lettering.plate),
                "bufferSize": points(2),
                "bufferSizeUnits": "Point",
                "bufferSizeMapUnitScale": _SCALE,
                "bufferColor": rgba(LIGHT["paper"]),
                "bufferOpacity": 0.85,
                "bufferNoFill": 1,
                "bufferJoinStyle": 128,
                "bufferBlendMode": 0,
            },
        ),
    )
    if lettering.plate:
        style.append(
            element(
                "background",
                {
                    "shapeDraw": 1,
                    "shapeType": 0,
                    "shapeSizeType": 0,
                    "shapeSizeX": points(3),
                    "shapeSizeY": points(1),
                    "shapeSizeUnit": "Point",
                    "shapeSizeMapUnitScale": _SCALE,
                    "shapeRotationType": 0,
                    "shapeRotation": 0,
                    "shapeOffsetX": 0,
                    "shapeOffsetY": 0,
                    "shapeOffsetUnit": "Point",
                    "shapeRadiiX": points(2),
                    "shapeRadiiY": points(2),
                    "shapeRadiiUnit": "Point",
                    "shapeFillColor": rgba(LIGHT["paper"], 0.82),
                    "shapeBorderColor": rgba(LIGHT["paper"], 0),
                    "shapeBorderWidth": 0,
                    "shapeBorderWidthUnit": "Point",
                    "shapeJoinStyle": 64,
                    "shapeOpacity": 1,
                    "shapeBlendMode": 0,
                },
            )
        )
    return style


def _placement(sheet: Sheet, mark: Mark) -> ET.Element:
    """Say where a name may stand."""
    kind = sheet.geometry.removeprefix("Multi")
    # Of QGIS: round a point in order; over it; along, horizontal, outside an area.
    around, over, along, flat, outside = 6, 1, 2, 4, 8
    if kind == "Point":
        placement, distance = around, 9.0
    elif is_leg(mark):  # beside the middle of its bend
        placement, distance = around, 5.0
    elif kind == "LineString":
        placement, distance = along, 7.0
    elif mark.key in {"candidate", "site"}:
        placement, distance = over, 0.0
    elif mark is COUNTRY or mark.key == "region":
        placement, distance = flat, 0.0
    else:
        placement, distance = outside, 3.0
    drawn = middle(sheet) if is_leg(mark) else ""
    if mark is COUNTRY:  # which is no feature, only all of its provinces
        drawn = 'collect($geometry, group_by:="country")'
    return element(
        "placement",
        {
            "placement": placement,
            "dist": points(distance),
            "distUnits": "Point",
            "distMapUnitScale": _SCALE,
            "priority": max(0, 10 - mark.rank),
            "predefinedPositionOrder": "T,B,R,L,TR,BR,TL,BL"
            if is_leg(mark)
            else "R,L,T,B,TR,BR,TL,BL",
            "offsetType": 1 if kind == "Point" else 0,
            "quadOffset": 4,
            "xOffset": 0,
            "yOffset": 0,
            "offsetUnits": "Point",
            "placementFlags": 10,
            "centroidInside": 1,
            "centroidWhole": 1,
            "fitInPolygonOnly": 0,
            "polygonPlacementFlags": 2,
            "rotationAngle": 0,
            "preserveRotation": 1,
            "repeatDistance": 0,
            "maxCurvedCharAngleIn": 25,
            "maxCurvedCharAngleOut": -25,
            "overrunDistance": 0,
            "lineAnchorPercent": 0.5,
            "lineAnchorType": 0,
            "geometryGenerator": drawn,
            "geometryGeneratorEnabled": int(bool(drawn)),
            "geometryGeneratorType": "PointGeometry"
            if is_leg(mark)
            else "PolygonGeometry",
            "layerType": {
                "Point": "PointGeometry",
                "LineString": "LineGeometry",
            }.get(kind, "PolygonGeometry"),
        },
    )

"""Styles of QGIS: symbols by mark, labels, names of fields, forms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from layers.export.qgis.bends import bent
from layers.export.qgis.elements import document, element, options, quoted_name
from layers.export.qgis.labels import labelling, name_expression
from layers.export.qgis.symbols import symbol
from layers.symbology import CONTEXT, Mark

if TYPE_CHECKING:
    import xml.etree.ElementTree as ET
    from collections.abc import Iterable

    from layers.export.content import Content, Field, Relation, Sheet

VERSION = "3.22.16-Białowieża"
"""QGIS whose files these are like; later ones read them as well."""

PLAIN = Mark(
    key="",
    label="Everything",
    about="",
    group=CONTEXT,
    shape="area",
    role="added",
)
"""How a layer is drawn that says nothing of its marks."""

RADIUS = 6378137.0
"""Of the sphere of Web Mercator. [m]"""

_VIEW_WIDTH = 0.25  # of the map on a common screen [m]
_ZOOMED_IN = 2**0.9
_DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"


def style_document(sheet: Sheet, content: Content) -> str:
    """Write a sheet's style as QGIS keeps it.

    Parameters
    ----------
    sheet
        A layer or a table.
    content
        The export that it stands in.

    Returns
    -------
    str
        QML.
    """
    categories = "Symbology|Labeling|Fields|Forms|AttributeTable|MapTips"
    root = element(
        "qgis",
        {
            "version": VERSION,
            "styleCategories": categories if sheet.geometry else "Fields|Forms",
            "labelsEnabled": int(labelling(sheet) is not None),
        },
        *style_elements(sheet, content),
    )
    return document(root, _DOCTYPE)


def style_elements(sheet: Sheet, content: Content) -> list[ET.Element]:
    """Make the parts of a style, which a project holds as well.

    Parameters
    ----------
    sheet
        A layer or a table.
    content
        The export that it stands in.

    Returns
    -------
    list of Element
        Renderer and labels of a layer; fields, aliases, forms and table of any sheet.
    """
    parts = []
    if sheet.geometry:
        parts.append(renderer(sheet))
        labels = labelling(sheet, late_scale(content))
        if labels is not None:
            parts.append(labels)
        parts.append(element("blendMode", text="0"))
        parts.append(element("layerOpacity", text="1"))
    return [*parts, *_fields(sheet, content.relations)]


def late_scale(content: Content) -> float:
    """Scale from which names of lesser places show, as on the page.

    Parameters
    ----------
    content
        The export.

    Returns
    -------
    float
        Denominator: somewhat larger than that of the first view on a common screen.
    """
    west, _, east, _ = content.bbox
    return math.radians(east - west) * RADIUS / _VIEW_WIDTH / _ZOOMED_IN


def renderer(sheet: Sheet) -> ET.Element:
    """Draw each feature by the mark whose key stands in its column ``mark``.

    Parameters
    ----------
    sheet
        A layer.

    Returns
    -------
    Element
        ``<renderer-v2>``, its categories in the order of the legend.
    """
    if sheet.style is None or "mark" not in sheet.table.columns:
        return element(
            "renderer-v2",
            {"type": "singleSymbol", "symbollevels": 0, "enableorderby": 0},
            element("symbols", None, symbol(PLAIN, sheet.geometry)),
        )
    categories, symbols = element("categories"), element("symbols")
    drawn = bent(sheet)
    for place, mark in enumerate(sheet.style.marks):
        categories.append(
            element(
                "category",
                {
                    "value": mark.key,
                    "type": "string",
                    "label": mark.label,
                    "symbol": place,
                    "render": "true" if mark.on or not sheet.on else "false",
                },
            )
        )
        symbols.append(symbol(mark, sheet.geometry, name=str(place), drawn_as=drawn))
    return element(
        "renderer-v2",
        {
            "type": "categorizedSymbol",
            "attr": "mark",
            "symbollevels": 0,
            "enableorderby": 0,
            "forceraster": 0,
        },
        categories,
        symbols,
    )


def alias(name: str, field: Field | None) -> str:
    """Name of a column for people, its unit in brackets.

    Parameters
    ----------
    name
        The column.
    field
        What the export says of it.

    Returns
    -------
    str
        Such as ``"Uncertainty [m]"``; a plain number has no unit to show.
    """
    if field is None:
        return name
    words = field.alias or name
    return f"{words} [{field.unit}]" if field.unit not in ("", "1") else words


def columns(sheet: Sheet) -> list[str]:
    """Columns of a sheet in the file, without geometry and feature id.

    Parameters
    ----------
    sheet
        A layer or a table.

    Returns
    -------
    list of str
        In their order.
    """
    names = map(str, sheet.table.columns)
    return [name for name in names if not (sheet.geometry and name == "geometry")]


def relation_id(relation: Relation) -> str:
    """Name of a relation in a project.

    Parameters
    ----------
    relation
        The relation.

    Returns
    -------
    str
        The same for the same relation.
    """
    return "-".join(
        (relation.child, relation.child_field, relation.parent, relation.parent_field)
    )


def _fields(sheet: Sheet, relations: Iterable[Relation]) -> list[ET.Element]:
    """Names, forms and table of the columns; the number of the row stands back."""
    names = columns(sheet)
    refers = {
        relation.child_field: relation
        for relation in relations
        if relation.child == sheet.id
        and sum(
            (r.child, r.child_field) == (relation.child, relation.child_field)
            for r in relations
        )
        == 1
    }
    configuration = element(
        "fieldConfiguration", None, _field("fid", "Hidden", options({}))
    )
    aliases = element(
        "aliases", None, element("alias", {"index": 0, "field": "fid", "name": ""})
    )
    table = element("columns", None, _column("fid", hidden=True))
    for place, name in enumerate(names, start=1):
        spoken = alias(name, sheet.fields.get(name))
        if name in refers:
            configuration.append(_reference(name, refers[name]))
        else:
            long = options({"IsMultiline": 1, "UseHtml": 0})
            configuration.append(_field(name, "TextEdit", long))
        aliases.append(
            element("alias", {"index": place, "field": name, "name": spoken})
        )
        table.append(_column(name, hidden=False))
    table.append(element("column", {"type": "actions", "hidden": 1, "width": -1}))
    title = next((n for n in ("name", "title", "label", "what") if n in names), "")
    shown = name_expression(sheet, title) if title else quoted_name("id")
    parts = [
        configuration,
        aliases,
        element(
            "attributetableconfig",
            {"actionWidgetStyle": "dropDown", "sortExpression": "", "sortOrder": 0},
            table,
        ),
        element("editorlayout", text="generatedlayout"),
        element("previewExpression", text=shown),
    ]
    if sheet.geometry:
        parts.append(element("mapTip", text=f"<b>[% {shown} %]</b>"))
    return parts


def _field(name: str, widget: str, config: ET.Element) -> ET.Element:
    """Say how a form shows a column."""
    return element(
        "field",
        {"name": name, "configurationFlags": "None"},
        element("editWidget", {"type": widget}, element("config", None, config)),
    )


def _reference(name: str, relation: Relation) -> ET.Element:
    """Show the row that a column names."""
    settings = {
        "Relation": relation_id(relation),
        "AllowNULL": "true",
        "ShowForm": "false",
        "ReadOnly": "true",
        "OrderByValue": "false",
        "MapIdentification": "false",
        "AllowAddFeatures": "false",
        "ShowOpenFormButton": "true",
    }
    return _field(name, "RelationReference", options(settings))


def _column(name: str, *, hidden: bool) -> ET.Element:
    """One column of the attribute table."""
    return element(
        "column", {"type": "field", "name": name, "hidden": int(hidden), "width": -1}
    )

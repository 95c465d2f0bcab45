"""XML as QGIS writes it: elements, and maps of options, from values alone."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value = str | int | float | bool

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    r"""Leave out the characters that XML 1.0 cannot hold.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        The text without them.

    Examples
    --------
    >>> clean("Cholsan\x00, 철산")
    'Cholsan, 철산'
    """
    return _FORBIDDEN.sub("", text)


def element(
    tag: str,
    attributes: Mapping[str, Value] | None = None,
    *children: ET.Element,
    text: str = "",
) -> ET.Element:
    """Make an element.

    Parameters
    ----------
    tag
        Name.
    attributes
        Values by name; a truth value becomes ``1`` or ``0``.
    *children
        Elements inside, in order.
    text
        Text inside.

    Returns
    -------
    Element
        To be put into another or written.
    """
    made = ET.Element(tag)
    for name, value in (attributes or {}).items():
        plain = int(value) if isinstance(value, bool) else value
        made.set(name, clean(f"{plain}"))
    if text:
        made.text = clean(text)
    made.extend(children)
    return made


def options(values: Mapping[str, Value]) -> ET.Element:
    """Make the map of options by which QGIS stores the settings of a symbol.

    Parameters
    ----------
    values
        Settings by name.

    Returns
    -------
    Element
        ``<Option type="Map">``.
    """
    return element(
        "Option",
        {"type": "Map"},
        *(
            element(
                "Option",
                {
                    "name": name,
                    "type": "QString",
                    "value": int(value) if isinstance(value, bool) else value,
                },
            )
            for name, value in values.items()
        ),
    )


def overrides(expressions: Mapping[str, str]) -> ET.Element:
    """Make the map of settings that an expression decides feature by feature.

    Parameters
    ----------
    expressions
        Expressions by the name of the setting.

    Returns
    -------
    Element
        ``<Option type="Map">`` of a collection of properties.
    """
    properties = element("Option", {"name": "properties", "type": "Map"})
    if not expressions:
        properties = element("Option", {"name": "properties"})
    for name, expression in expressions.items():
        properties.append(
            element(
                "Option",
                {"name": name, "type": "Map"},
                element("Option", {"name": "active", "type": "bool", "value": "true"}),
                element(
                    "Option",
                    {"name": "expression", "type": "QString", "value": expression},
                ),
                element("Option", {"name": "type", "type": "int", "value": 3}),
            )
        )
    return element(
        "Option",
        {"type": "Map"},
        element("Option", {"name": "name", "type": "QString", "value": ""}),
        properties,
        element("Option", {"name": "type", "type": "QString", "value": "collection"}),
    )


def quoted_name(name: str) -> str:
    """Write the name of a column as QGIS expressions and SQL do.

    Parameters
    ----------
    name
        Name of a column.

    Returns
    -------
    str
        The name between double quotes.

    Examples
    --------
    >>> print(quoted_name('two "words'))
    "two ""words"
    """
    return '"' + name.replace('"', '""') + '"'


def quoted_text(text: str) -> str:
    r"""Write a text as a literal of QGIS expressions.

    Parameters
    ----------
    text
        Any text.

    Returns
    -------
    str
        The text between single quotes.

    Examples
    --------
    >>> quoted_text("Ch'olsan")
    "'Ch''olsan'"
    """
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def document(root: ET.Element, doctype: str = "") -> str:
    """Write an element as text, the same for the same element.

    Parameters
    ----------
    root
        Outermost element.
    doctype
        Document type declaration to put before it.

    Returns
    -------
    str
        The XML.
    """
    ET.indent(root, " ")
    body = ET.tostring(root, encoding="unicode")
    return f"{doctype}\n{body}\n" if doctype else f"{body}\n"


def texts(tag: str, child: str, values: Sequence[str]) -> ET.Element:
    """Make an element that holds one child for each text.

    Parameters
    ----------
    tag, child
        Names of the element and of each child.
    values
        The texts.

    Returns
    -------
    Element
        The element.
    """
    return element(tag, None, *(element(child, text=value) for value in values))

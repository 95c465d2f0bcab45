"""Elements of KML as text: names, values and geometry."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any

from layers.export.values import REPLACEMENT, kind_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

FORBIDDEN = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x{fffe}\x{ffff}]"
"""Characters that XML forbids, as RE2 has it."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MARKED = re.compile("[&<>\"'\x00-\x08\x0b-\x1f\ufffe\uffff]")
"""What hardly any text has and has to be written otherwise."""

_ADDRESS = re.compile(r"https?://[^\s\"'<>]+")
_EXACT = 2**53


def text(value: str) -> str:
    """Write a text so that XML gives it back as it was.

    Parameters
    ----------
    value
        Any text.

    Returns
    -------
    str
        For an element or an attribute; what XML forbids is replaced.

    Examples
    --------
    >>> text("a<b ]]> & c")
    'a&lt;b ]]&gt; &amp; c'
    """
    if not _MARKED.search(value):
        return value
    clean = _FORBIDDEN.sub(REPLACEMENT, value)
    return escape(clean).replace("\r", "&#13;")


def attribute(value: str) -> str:
    """Write a text as the value of an attribute.

    Parameters
    ----------
    value
        Any text.

    Returns
    -------
    str
        Between double quotes.
    """
    lines = text(value).replace("\n", "&#10;").replace("\t", "&#9;")
    return f'"{lines}"'


def element(tag: str, value: str) -> str:
    """Write an element that holds a text; nothing for an empty one.

    Parameters
    ----------
    tag
        Its name.
    value
        Any text.

    Returns
    -------
    str
        XML.
    """
    return f"<{tag}>{text(value)}</{tag}>" if value else ""


def html(value: str) -> str:
    """Write a text so that nothing in it is markup of HTML.

    Parameters
    ----------
    value
        Any text.

    Returns
    -------
    str
        HTML.
    """
    return escape(value) if _MARKED.search(value) else value


def html_table(pairs: list[tuple[str, str]]) -> str:
    """Write names and values as a table in HTML; nothing in them is markup.

    Parameters
    ----------
    pairs
        Names and values as text.

    Returns
    -------
    str
        HTML; a value that is an address of the web is a link.
    """
    rows = []
    for name, value in pairs:
        said = html(value)
        if value.startswith("http") and _ADDRESS.fullmatch(value):
            said = f'<a href="{said}">{said}</a>'
        rows.append(f"<tr><th align='left'>{html(name)}</th><td>{said}</td></tr>")
    return f"<table>{''.join(rows)}</table>"


def kml_type(column: pa.ChunkedArray) -> str:
    """Choose the type in which KML holds a column.

    Parameters
    ----------
    column
        Of any kind.

    Returns
    -------
    str
        ``"int"``, ``"double"`` or ``"string"``.
    """
    import pyarrow.compute as pc

    kind = kind_of(column.type)
    if kind == "number":
        return "double"
    if kind != "whole":
        return "string"
    ends = pc.min_max(column).as_py()
    largest = max(abs(ends["min"] or 0), abs(ends["max"] or 0))
    if largest < 2**31:
        return "int"
    return "double" if largest <= _EXACT else "string"


def geometry(shape: Any) -> str:
    """Write a geometry.

    Parameters
    ----------
    shape
        In EPSG:4326, without measures; None or empty for none.

    Returns
    -------
    str
        XML; lines lie on the ground, whatever their height.
    """
    if shape is None or shape.is_empty:
        return ""
    if hasattr(shape, "geoms"):
        inside = "".join(map(geometry, shape.geoms))
        return f"<MultiGeometry>{inside}</MultiGeometry>"
    if shape.geom_type == "Polygon":
        rings = [("outerBoundaryIs", shape.exterior)]
        rings += [("innerBoundaryIs", ring) for ring in shape.interiors]
        inside = "".join(
            f"<{tag}><LinearRing>{_coordinates(ring)}</LinearRing></{tag}>"
            for tag, ring in rings
        )
        return f"<Polygon><tessellate>1</tessellate>{inside}</Polygon>"
    if shape.geom_type == "Point":
        return f"<Point>{_coordinates(shape)}</Point>"
    lines = _coordinates(shape)
    return f"<LineString><tessellate>1</tessellate>{lines}</LineString>"


def geometries(shapes: np.ndarray) -> list[str]:
    """Write geometries.

    Parameters
    ----------
    shapes
        As :func:`geometry` takes them, shape ``(n,)``.

    Returns
    -------
    list of str
        XML of each.
    """
    import shapely

    flat = (shapely.get_type_id(shapes) == 0) & ~shapely.has_z(shapes)
    if not (flat & ~shapely.is_empty(shapes)).all():
        return [geometry(shape) for shape in shapes]
    return [
        f"<Point><coordinates>{lon!r},{lat!r}</coordinates></Point>"
        for lon, lat in shapely.get_coordinates(shapes).tolist()
    ]


def _coordinates(shape: Any) -> str:
    import shapely

    rows = shapely.get_coordinates(shape, include_z=bool(shapely.has_z(shape)))
    inside = " ".join(",".join(map(repr, row)) for row in rows.tolist())
    return f"<coordinates>{inside}</coordinates>"

"""Expressions that bend the legs of an exchange as the page does.

What stands in the file is the geodesic; only the drawing is bent, so that legs between
the same ends do not hide each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.export.qgis.looks import is_leg

if TYPE_CHECKING:
    from layers.export.content import Sheet

BEND = 0.14
"""Greatest shift of the first leg between two ends over its length. [1]"""

STEPS = 39
"""Pieces of a drawn leg."""

RINGS = "lodemap_uncertainty"
"""Project's id of the layer whose discs a drawn leg leaves free at its ends."""

_NEEDED = {"id", "from_id", "to_id", "mark"}


def bent(sheet: Sheet) -> str:
    """Expression of the drawn geometry of a leg.

    Parameters
    ----------
    sheet
        Any sheet.

    Returns
    -------
    str
        For QGIS 3.22 and later; empty if the sheet holds no legs.
    """
    names = {str(name) for name in sheet.table.columns}
    marks = sheet.style.marks if sheet.style else ()
    if not any(map(is_leg, marks)) or not names >= _NEEDED:
        return ""
    if not sheet.geometry.endswith("LineString"):
        return ""
    metres = '"distance_m"' if "distance_m" in names else "$length"
    pair = (
        'if("from_id" < "to_id", "from_id" || \' \' || "to_id", '
        '"to_id" || \' \' || "from_id")'
    )
    # How many legs between the same ends stand before it: the bends alternate.
    step = (
        f'array_find(array_agg("id", group_by:={pair}, filter:="mark" <> \'\', '
        'order_by:=$id), "id")'
    )
    sides = "(if(@step % 2 = 0, 1, -1) * (1 + floor(@step / 2)))"
    share = f"(@first + (@last - @first) * @element / {STEPS}.0)"
    apart = f"({BEND} * @sides * 4 * @t * (1 - @t))"
    point = "line_interpolate_point(@line, @t * length(@line))"
    vertex = _with(
        {"t": share, "p": point, "apart": apart},
        "make_point(x(@p) + @apart * (y(@b) - y(@a)), "
        "y(@p) - @apart * (x(@b) - x(@a)))",
    )
    return _with(
        {
            "line": "transform($geometry, 'EPSG:4326', 'EPSG:3857')",
            "a": "start_point(@line)",
            "b": "end_point(@line)",
            "step": f"coalesce({step}, 0)",
            "sides": sides,
            "first": f"min({_ring('from_id')} / {metres}, 1 / 3.0)",
            "last": f"1 - min({_ring('to_id')} / {metres}, 1 / 3.0)",
        },
        f"transform(make_line(array_foreach(generate_series(0, {STEPS}), {vertex})), "
        "'EPSG:3857', 'EPSG:4326')",
    )


def middle(sheet: Sheet) -> str:
    """Expression of the middle of a leg as it is drawn.

    Parameters
    ----------
    sheet
        Any sheet.

    Returns
    -------
    str
        A point; on the leg itself where the sheet's legs are not bent.
    """
    drawn = bent(sheet) or "$geometry"
    return _with({"drawn": drawn}, "line_interpolate_point(@drawn, length(@drawn) / 2)")


def _ring(end: str) -> str:
    """Radius of the disc at an end of a leg; 0 where none is drawn."""
    return (
        f"coalesce(aggregate('{RINGS}', 'max', \"uncertainty_m\", "
        f"\"ref\" = attribute(@parent, '{end}')), 0)"
    )


def _with(variables: dict[str, str], expression: str) -> str:
    """Let an expression use variables, each of which may use those before it."""
    for name, value in reversed(variables.items()):
        expression = f"with_variable('{name}', {value}, {expression})"
    return expression

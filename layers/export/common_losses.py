"""Losses that several formats share, and what counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layers.export.losses import Loss
from layers.export.shapes import beyond_180, changed, cut_at_180, wound
from layers.export.values import has_measures

if TYPE_CHECKING:
    import pyarrow as pa

    from layers.export.content import Content
    from layers.export.values import Kind, Values

_NUL = r"\x00"
"""Pattern of a character that hardly any text has."""


def filled(values: Values, *kinds: Kind) -> int:
    """Count cells of some kinds that hold a value.

    Parameters
    ----------
    values
        A sheet.
    *kinds
        Kinds of value.

    Returns
    -------
    int
        Missing ones are not counted.
    """
    return sum(len(c) - c.null_count for c in values.of_kind(*kinds))


def matching(values: Values, pattern: str) -> int:
    """Count texts in which a pattern is found.

    Parameters
    ----------
    values
        A sheet.
    pattern
        Regular expression (RE2).

    Returns
    -------
    int
        In columns of text.
    """
    return sum(_matching(column, pattern) for column in values.of_kind("text"))


def missing_texts(values: Values) -> int:
    """Count texts that are missing.

    Parameters
    ----------
    values
        A sheet.

    Returns
    -------
    int
        In columns of text.
    """
    return sum(column.null_count for column in values.of_kind("text"))


def empty_texts(values: Values) -> int:
    """Count texts of no character.

    Parameters
    ----------
    values
        A sheet.

    Returns
    -------
    int
        In columns of text.
    """
    return matching(values, r"\A\z")


def not_finite(values: Values) -> int:
    """Count infinite numbers.

    Parameters
    ----------
    values
        A sheet.

    Returns
    -------
    int
        What is not a number counts as missing.
    """
    return sum(
        int(np.isinf(c.to_numpy().astype(float)).sum())
        for c in values.of_kind("number")
    )


def larger_than(values: Values, limit: int) -> int:
    """Count whole numbers beyond a limit.

    Parameters
    ----------
    values
        A sheet.
    limit
        Largest that is good, with either sign.

    Returns
    -------
    int
        In columns of whole numbers.
    """
    import pyarrow.compute as pc

    count = 0
    for column in values.of_kind("whole"):
        for beyond in (pc.greater(column, limit), pc.less(column, -limit)):
            count += pc.sum(beyond).as_py() or 0
    return count


def null_places(values: Values) -> int:
    """Count rows of a layer that have no geometry at all.

    Parameters
    ----------
    values
        A sheet.

    Returns
    -------
    int
        None for a table.
    """
    import shapely

    return int(shapely.is_missing(values.shapes).sum())


def empty_places(values: Values) -> int:
    """Count rows whose geometry has no point.

    Parameters
    ----------
    values
        A sheet.

    Returns
    -------
    int
        Those without any geometry are not counted.
    """
    import shapely

    return int(shapely.is_empty(values.shapes).sum())


def heights(shapes: np.ndarray) -> tuple[int, int]:
    """Count geometries with heights (Z) and those without.

    Parameters
    ----------
    shapes
        Geometries, shape ``(n,)``.

    Returns
    -------
    with_heights, without : int
        Missing and empty ones are neither.
    """
    import shapely

    there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    deep = int(shapely.has_z(there).sum())
    return deep, len(there) - deep


def with_nul(column: pa.ChunkedArray) -> int:
    """Count texts with a NUL character.

    Parameters
    ----------
    column
        Texts.

    Returns
    -------
    int
        All bytes are looked at as one first; hardly a text has any.
    """
    return _counted(column, _NUL) if any(map(_may_have_nul, column.chunks)) else 0


def _matching(column: pa.ChunkedArray, pattern: str) -> int:
    return with_nul(column) if pattern == _NUL else _counted(column, pattern)


def _counted(column: pa.ChunkedArray, pattern: str) -> int:
    import pyarrow.compute as pc

    return pc.sum(pc.match_substring_regex(column, pattern)).as_py() or 0


def _may_have_nul(texts: pa.Array) -> bool:
    data = texts.buffers()[2]
    if data is None or not data.size:
        return False
    return not np.frombuffer(data, dtype=np.uint8).all()


def _measures(values: Values) -> int:
    if not values.sheet.geometry:
        return 0
    return int(has_measures(values.sheet.table.geometry.to_numpy()).sum())


def _past_180(values: Values) -> int:
    return int(beyond_180(values.shapes).sum())


def _rewound(values: Values) -> int:
    cut = cut_at_180(values.shapes)
    kept = ~beyond_180(values.shapes)
    return changed(cut[kept], wound(cut[kept]))


def _styled(values: Values) -> int:
    return int(values.sheet.style is not None)


def _relations(content: Content) -> int:
    return len(content.relations)


def _rasters(content: Content) -> int:
    return len(content.rasters)


def _tables(content: Content) -> int:
    return len(content.tables)


UNPAIRED = Loss(
    kind="unpaired surrogates",
    one="text had half a character, now \N{REPLACEMENT CHARACTER}",
    many="texts had half a character, now \N{REPLACEMENT CHARACTER}",
    about="No encoding can write half of a surrogate pair.",
    in_sheet=lambda values: values.unpaired,
)
REWORDED = Loss(
    kind="values reworded",
    one="value that shares no type with its column became text",
    many="values that share no type with their column became text",
    about="Records, durations and columns of mixed values become text or JSON.",
    in_sheet=lambda values: values.reworded,
)
MEASURES = Loss(
    kind="measures dropped",
    one="geometry lost its measures (M)",
    many="geometries lost their measures (M)",
    about="Measures along a line are not kept; heights (Z) are.",
    in_sheet=_measures,
)
ALWAYS = (UNPAIRED, REWORDED, MEASURES)
"""What every format loses."""

STYLE = Loss(
    kind="style",
    one="layer lost how it is drawn",
    many="layers lost how they are drawn",
    about="The format holds no colours or symbols; the column mark names them.",
    in_sheet=_styled,
)
RELATIONS = Loss(
    kind="links undeclared",
    one="link between sheets is not declared",
    many="links between sheets are not declared",
    about="Columns that name rows of another sheet are kept, but nothing says so.",
    in_content=_relations,
)
RASTERS = Loss(
    kind="rasters left out",
    one="raster was left out",
    many="rasters were left out",
    about="The format holds no rasters; --to cog writes them.",
    in_content=_rasters,
)
TABLES = Loss(
    kind="tables left out",
    one="table was left out",
    many="tables were left out",
    about="There is no room for tables beside places.",
    in_content=_tables,
)
CUT = Loss(
    kind="cut at 180 degrees",
    one="geometry was cut at 180°",
    many="geometries were cut at 180°",
    about="What runs past 180° east or west is cut there and goes on from the other "
    "side.",
    in_sheet=_past_180,
)
REWOUND = Loss(
    kind="rings turned",
    one="outline was turned",
    many="outlines were turned",
    about="The format wants outer rings in one sense and holes in the other; the "
    "areas are the same.",
    in_sheet=_rewound,
)
EMPTY_PLACES = Loss(
    kind="empty geometries",
    one="empty geometry became none",
    many="empty geometries became none",
    about="The format has no geometry without points.",
    in_sheet=empty_places,
)
NOT_FINITE = Loss(
    kind="infinite numbers",
    one="infinite number became missing",
    many="infinite numbers became missing",
    about="The format has no infinity.",
    in_sheet=not_finite,
)
DATES = Loss(
    kind="dates as text",
    one="date became text (ISO 8601)",
    many="dates became text (ISO 8601)",
    about="The format has no dates.",
    in_sheet=lambda values: filled(values, "date"),
)
TIMES = Loss(
    kind="times as text",
    one="time became text (ISO 8601)",
    many="times became text (ISO 8601)",
    about="The format has no times.",
    in_sheet=lambda values: filled(values, "time"),
)
LISTS = Loss(
    kind="lists as text",
    one="list became text (JSON)",
    many="lists became text (JSON)",
    about="The format has no lists.",
    in_sheet=lambda values: filled(values, "structure"),
)
DECIMALS = Loss(
    kind="decimals as text",
    one="decimal became text",
    many="decimals became text",
    about="The format has no decimal numbers of fixed places.",
    in_sheet=lambda values: filled(values, "decimal"),
)
BYTES = Loss(
    kind="bytes as text",
    one="value of bytes became hexadecimal digits",
    many="values of bytes became hexadecimal digits",
    about="The format has no bytes.",
    in_sheet=lambda values: filled(values, "bytes"),
)

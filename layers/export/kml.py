"""KML and KMZ: layers in Google Earth as our maps draw them, with their facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.export.common_losses import (
    ALWAYS,
    BYTES,
    CUT,
    DATES,
    DECIMALS,
    EMPTY_PLACES,
    LISTS,
    NOT_FINITE,
    RASTERS,
    RELATIONS,
    REWOUND,
    TABLES,
    TIMES,
    filled,
    matching,
)
from layers.export.kml_elements import FORBIDDEN, kml_type
from layers.export.kml_styles import icons
from layers.export.losses import Loss
from layers.export.values import REPLACEMENT
from layers.export.zipping import write_zip
from layers.files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from geo.parallel import Progress
    from layers.export.content import Content
    from layers.export.values import Values


def _large_numbers(values: Values) -> int:
    """Cells of columns of whole numbers that KML has no type for."""
    return sum(
        len(column) - column.null_count
        for name, column in values.columns.items()
        if values.kinds[name] == "whole" and kml_type(column) == "string"
    )


def _dashes(values: Values) -> int:
    style = values.sheet.style
    return sum(bool(mark.dash) for mark in style.marks) if style else 0


def _symbols(values: Values) -> int:
    style = values.sheet.style
    return sum(bool(mark.symbol) for mark in style.marks) if style else 0


LOSSES = (
    Loss(
        kind="large numbers as text",
        one="whole number of a column that goes beyond 2⁵³ became text",
        many="whole numbers of columns that go beyond 2⁵³ became text",
        about="KML has whole numbers of 32 bits, and doubles.",
        in_sheet=_large_numbers,
    ),
    NOT_FINITE,
    DATES,
    TIMES,
    Loss(
        kind="truth values as text",
        one="truth value became text",
        many="truth values became text",
        about="Readers disagree on how KML writes true and false.",
        in_sheet=lambda values: filled(values, "truth"),
    ),
    LISTS,
    DECIMALS,
    BYTES,
    Loss(
        kind="characters replaced",
        one="text lost characters that XML forbids",
        many="texts lost characters that XML forbids",
        about=f"XML forbids control characters; they become {REPLACEMENT}.",
        in_sheet=lambda values: matching(values, FORBIDDEN),
    ),
    EMPTY_PLACES,
    CUT,
    REWOUND,
    *ALWAYS,
    Loss(
        kind="dashes",
        one="dashed line is drawn solid",
        many="dashed lines are drawn solid",
        about="KML draws no dashes.",
        in_sheet=_dashes,
    ),
    Loss(
        kind="symbols",
        one="symbol became a coloured pin",
        many="symbols became coloured pins",
        about="A KML file alone holds no pictures; a KMZ does.",
        in_sheet=_symbols,
    ),
    TABLES,
    RELATIONS,
    RASTERS,
)
"""Losses of KML; KMZ has the symbols."""

KMZ_LOSSES = tuple(loss for loss in LOSSES if loss.kind != "symbols")


def write_kml(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers as one KML file, a folder for each.

    Parameters
    ----------
    content
        What is to be written.
    path
        File to write.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple of pathlib.Path
        The file.

    Raises
    ------
    WriteError
        If the file cannot be written.

    Notes
    -----
    Every value stands twice: typed, as extended data, and as a table that Google Earth
    shows. In that table nothing of the data is taken as markup. Layers of the base map
    and those that are off at first are there but hidden.
    """
    from layers.export.kml_document import write_document

    with replacing(path) as stream:
        write_document(content, stream, form="kml", progress=progress)
    return (path,)


def write_kmz(
    content: Content, path: Path, *, progress: Progress | None = None
) -> tuple[Path, ...]:
    """Write layers as one KMZ file: KML and its symbols in a zip.

    Parameters
    ----------
    content
        What is to be written.
    path
        File to write.
    progress
        Takes rows written and rows in all.

    Returns
    -------
    tuple of pathlib.Path
        The file.

    Raises
    ------
    WriteError
        If the file cannot be written.
    """
    import tempfile
    from pathlib import Path

    from layers.export.kml_document import write_document

    with tempfile.TemporaryDirectory(prefix="lodemap-") as folder:
        document = Path(folder) / "doc.kml"
        with document.open("wb") as stream:
            write_document(content, stream, form="kmz", progress=progress)
        with replacing(path) as target:
            write_zip(target, [("doc.kml", document), *icons(content)], content.dated)
    return (path,)

"""Layers of the catalogue as they ship, as sheets."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from layers.catalogue import catalogue, raster_path
from layers.errors import LayerNotFoundError
from layers.export.content import Content
from layers.export.sheets import (
    first_view,
    newest,
    own_sheet,
    table_sheet,
    vector_sheet,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layers.catalogue import Layer
    from layers.export.content import Sheet


def catalogue_content(ids: Iterable[str] | None = None) -> Content:
    """Layers of the catalogue as they ship, as sheets.

    Parameters
    ----------
    ids
        Ids of the catalogue; all of it when not given.

    Returns
    -------
    Content
        Vector layers, tables and rasters in the order asked for, with the columns of
        their entries; a layer with places also has ``mark``.

    Raises
    ------
    LayerNotFoundError
        If the catalogue has no such id, or none is given.
    """
    known = catalogue()
    wanted = list(dict.fromkeys(known if ids is None else ids))
    for layer_id in wanted:
        if layer_id not in known:
            raise LayerNotFoundError(
                f"no layer {layer_id[:60]!r}; there are {', '.join(known)}"
            )
    if not wanted:
        raise LayerNotFoundError(
            f"no layer asked for; expected one or more of {', '.join(known)}"
        )
    entries = [known[layer_id] for layer_id in wanted]
    sheets = [vector_sheet(entry) for entry in entries if entry.kind == "vector"]
    sheets += [table_sheet(entry) for entry in entries if entry.kind == "table"]
    sheets.append(_catalogue_table(entries))
    rasters = {e.id: raster_path(e.id) for e in entries if e.kind == "raster"}
    whole = ids is None
    return Content(
        id="lodemap-catalogue" if whole else "-".join(wanted)[:60].rstrip("-"),
        title="The catalogue of Lodemap" if whole else "Layers of Lodemap",
        abstract="; ".join(entry.title for entry in entries) + ".",
        sheets=tuple(sheets),
        rasters=rasters,
        dated=newest(sheets),
        version=version("lodemap"),
        bbox=first_view(sheets),
    )


def _catalogue_table(entries: Iterable[Layer]) -> Sheet:
    """Table of catalogue entries."""
    import pandas as pd

    rows = [
        {
            "id": e.id,
            "title": e.title,
            "kind": e.kind,
            "geometry": e.geometry,
            "licence": e.licence,
            "source": e.source,
            "url": e.url,
            "retrieved": e.retrieved.isoformat(),
            "sha256": e.sha256,
            "about": " ".join(e.method.split()),
        }
        for e in entries
    ]
    return own_sheet(
        "layers",
        "Layers and tables",
        "Entries of the catalogue: what ships, from where, under which licence.",
        pd.DataFrame(rows),
    )

"""A large layer of a page: packed columns that the page's script draws on a canvas."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.schema import PRECISION
from layers.symbology import DARK, LIGHT
from maps.columns import Store, put_column, put_numbers
from maps.layer import PageLayer
from maps.popup import source_view
from maps.vertices import FINEST_M, put_shapes
from maps.words import Said

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from maps.classes import Classes, LayerMark
    from maps.popup import SourceView
    from maps.vertices import Shapes

COARSEST_M = 1.0
"""Step to which coordinates are rounded where no other is asked for. [m]"""

_MOST_SOURCES = 500


class ManyLayer(PageLayer):
    """A large layer for the page's script to draw on a canvas.

    Parameters
    ----------
    mark
        How it is drawn.
    data
        What the page's script takes, JSON-ready.
    store
        Its columns.
    """

    def __init__(self, mark: LayerMark, data: Mapping[str, Any], store: Store) -> None:
        super().__init__(
            mark.key, data, call="lodemap.many", blocks=store.texts(), late=True
        )
        self._name = "ManyLayer"


def many_layer(
    mark: LayerMark,
    gdf: gpd.GeoDataFrame,
    shapes: Shapes,
    *,
    layer: str,
    resolution_m: float,
    classes: Classes | None = None,
) -> ManyLayer:
    """Pack a layer for the canvas.

    Parameters
    ----------
    mark
        How it is drawn.
    gdf
        Any features, shape ``(n,)``, EPSG:4326.
    shapes
        Its geometry, from :func:`maps.vertices.take_apart`.
    layer
        Name of the layer.
    resolution_m
        Step to which coordinates are rounded. [m]
    classes
        By which it is coloured; all in the colour of the mark's role without.

    Returns
    -------
    ManyLayer
        To be added to a map.
    """
    store = Store()
    places = classes.places if classes else None
    packed, order = put_shapes(store, shapes, resolution_m, places)
    table = gdf.drop(columns=gdf.geometry.name)
    columns = []
    for column in table.columns:
        found = put_column(store, str(column), table[column].iloc[order])
        if found and len(found) > 1:
            columns.append(found)
    names = {column["name"] for column in columns}
    data: dict[str, Any] = {
        "mark": mark.key,
        "family": "added",
        "role": mark.role,
        "shape": mark.shape,
        "symbol": mark.symbol,
        "pane": {"symbol": "marks", "line": "legs", "area": "areas"}[mark.shape],
        "rank": mark.rank,
        "on": mark.on,
        "features": [],
        "layer": layer,
        "resolution": resolution_m,
        "colours": [[LIGHT[mark.role], DARK[mark.role]]],
        "paper": [LIGHT["paper"], DARK["paper"]],
        "shapes": packed,
        "columns": columns,
        "precision": [[int(code), text] for code, text in PRECISION.items()],
        "sources": _sources(columns),
    }
    if "name" not in names:
        data["rows"] = put_numbers(store, order.astype(np.int64))
    if classes:
        data["classes"] = {
            "column": classes.column,
            "upper": list(classes.upper),
            "colours": [one.colours for one in classes.classes],
            "labels": [one.label for one in classes.classes],
            "counts": [one.count for one in classes.classes],
            "unit": classes.unit,
            "places": packed.pop("places"),
        }
    return ManyLayer(mark, data, store)


def _sources(columns: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tell what a card says of each text in the column ``sources``."""
    own = next((c for c in columns if c["name"] == "sources"), None)
    if own is None or own["type"] != "category" or len(own["labels"]) > _MOST_SOURCES:
        return []
    found = []
    for label in own["labels"]:
        views, rest = cited(label)
        found.append(
            {"known": [dataclasses.asdict(view) for view in views], "cited": rest}
        )
    return found


def own_resolution(gdf: gpd.GeoDataFrame) -> float:
    """Step that suits a layer: its least uncertainty, and :data:`COARSEST_M` at most.

    Parameters
    ----------
    gdf
        Any layer; the column ``uncertainty_m`` is read where it is there.

    Returns
    -------
    float
        At least :data:`maps.vertices.FINEST_M`. [m]
    """
    import pandas as pd

    if "uncertainty_m" not in gdf:
        return COARSEST_M
    radii = pd.to_numeric(gdf["uncertainty_m"], errors="coerce").to_numpy(np.float64)
    radii = radii[np.isfinite(radii) & (radii > 0)]
    least = float(radii.min()) if len(radii) else COARSEST_M
    return float(min(max(least, FINEST_M), COARSEST_M))


def rounding(resolution_m: float) -> str:
    """Say what rounding coordinates has cost.

    Parameters
    ----------
    resolution_m
        Step. [m]

    Returns
    -------
    str
        A sentence.

    Examples
    --------
    >>> rounding(1.0)
    'Positions are rounded to 1 m: none is moved by more than 0.71 m.'
    """
    moved = resolution_m / 2**0.5
    return Said(
        "Positions are rounded to {0}: none is moved by more than {1}.",
        _metres(resolution_m),
        _metres(moved),
    )


def _metres(value: float) -> str:
    return f"{value:,.2g} m" if value < 100 else f"{value:,.0f} m"


def cited(text: str) -> tuple[tuple[SourceView, ...], str]:
    """Read the sources that a text names.

    Parameters
    ----------
    text
        Ids of sources that ship, or anything else.

    Returns
    -------
    known : tuple of SourceView
        Those that ship.
    rest : str
        The text where it names any other; else empty.
    """
    from layers.evidence import sources

    ids = dict.fromkeys(text.split())
    found = [sources()[one] for one in ids if one in sources()]
    views = tuple(source_view(dataclasses.asdict(source)) for source in found)
    return views, "" if len(found) == len(ids) else text

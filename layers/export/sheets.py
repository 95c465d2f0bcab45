"""Sheets of catalogue layers, and of what Lodemap computed or gathered itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.catalogue import catalogue, load, load_table
from layers.export import field_words
from layers.export.content import Field, Sheet, Style
from layers.symbology import BASE, BASE_MAP, MARKS, REPORTED, base_mark, mark_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    import geopandas as gpd
    import pandas as pd

    from layers.catalogue import Layer
    from layers.symbology import Mark

OURS = "Lodemap"
"""Who made what no catalogue entry covers."""

OUR_LICENCE = "CC-BY-4.0"
_LEAST_VIEW = 2.5
_WHOLE_WORLD = (-180.0, -90.0, 180.0, 90.0)


def sheet_id(layer_id: str) -> str:
    """Name of a catalogue layer inside a file: hyphens become underscores.

    Examples
    --------
    >>> sheet_id("trade-hubs")
    'trade_hubs'
    """
    return layer_id.replace("-", "_")


def vector_sheet(entry: Layer) -> Sheet:
    """Sheet of a vector layer as it ships."""
    rows = load(entry.id)
    if entry.features == "base":
        mark = base_mark(_ground_part(entry.id))
        style, group = Style(marks=(mark,)), BASE_MAP
        rows["id"] = rows["id"].astype(str)
        rows["mark"] = mark.key
    elif entry.geometry == "Point":
        rows["mark"] = [
            mark_key({"status": status, "layer": entry.id}) for status in rows["status"]
        ]
        marks = marks_in_order(rows["mark"])
        style, group = Style(marks=marks, label="name"), marks[0].group
    else:
        rows["mark"] = "region"
        style, group = Style(marks=(MARKS["region"],), label="name"), REPORTED
    return catalogue_sheet(entry, rows, style=style, group=group)


def table_sheet(entry: Layer) -> Sheet:
    """Sheet of a table as it ships."""
    return catalogue_sheet(entry, load_table(entry.id))


def catalogue_sheet(
    entry: Layer,
    rows: gpd.GeoDataFrame | pd.DataFrame,
    *,
    style: Style | None = None,
    group: str = "",
    note: str = "",
) -> Sheet:
    """Sheet of a catalogue layer, or of some of its rows."""
    kinds = set(rows.geom_type) if entry.kind == "vector" else set()
    several = any(kind.startswith("Multi") for kind in kinds)
    about = " ".join(entry.method.split())
    return Sheet(
        id=sheet_id(entry.id),
        title=entry.title,
        abstract=f"{about} {note}".strip(),
        table=_plain(rows),
        geometry=("Multi" if several else "") + entry.geometry if kinds else "",
        fields=_fields(rows, entry),
        licence=entry.licence,
        rights=entry.source,
        source=entry.source,
        url=entry.url,
        retrieved=entry.retrieved,
        style=style,
        group=group,
    )


def own_sheet(
    name: str,
    title: str,
    abstract: str,
    rows: gpd.GeoDataFrame | pd.DataFrame,
    *,
    geometry: str = "",
    style: Style | None = None,
    group: str = "",
    on: bool = True,
) -> Sheet:
    """Sheet of what Lodemap computed or gathered itself."""
    if geometry:
        several = any(kind.startswith("Multi") for kind in rows.geom_type.dropna())
        geometry = f"Multi{geometry}" if several else geometry
    return Sheet(
        id=name,
        title=title,
        abstract=abstract,
        table=_plain(rows),
        geometry=geometry,
        fields=_fields(rows, None),
        licence=OUR_LICENCE,
        rights=OURS,
        source="Compiled or computed by Lodemap from the sources that the table "
        "sources names.",
        style=style,
        group=group,
        on=on,
    )


def ground_entries() -> list[Layer]:
    """Catalogue entries of the base map, from the ground up."""
    order = {part: place for place, part in enumerate(BASE)}
    entries = [e for e in catalogue().values() if e.id.startswith("base-")]
    return sorted(entries, key=lambda e: (order[_ground_part(e.id)], e.id))


def _ground_part(layer_id: str) -> str:
    """Part of the base map that a layer draws."""
    part = layer_id.removeprefix("base-")
    return part if part in BASE else part.rpartition("-")[2]


def _fields(
    rows: gpd.GeoDataFrame | pd.DataFrame, entry: Layer | None
) -> Mapping[str, Field]:
    """Describe each column: by the entry where it has it, else by our own words."""
    found = {}
    for name in map(str, rows.columns):
        if name == "geometry":
            continue
        column = entry.columns.get(name) if entry else None
        if column:
            about, unit = column.about, column.unit
        else:
            about, unit = field_words.about(name)
        found[name] = Field(alias=field_words.alias(name), about=about, unit=unit)
    return found


def _plain(rows: gpd.GeoDataFrame | pd.DataFrame) -> gpd.GeoDataFrame | pd.DataFrame:
    """Give rows a plain index and no notes of their own."""
    out = rows.reset_index(drop=True)
    out.attrs = {}
    return out


def marks_in_order(keys: Iterable[object]) -> tuple[Mark, ...]:
    """Sort marks, given by key, as the legend does; each once."""
    there = {str(key) for key in keys}
    return tuple(mark for key, mark in MARKS.items() if key in there)


def newest(sheets: Iterable[Sheet]) -> date:
    """Day on which the newest source of an export was read."""
    from datetime import date

    return max(
        (sheet.retrieved for sheet in sheets if sheet.retrieved),
        default=date(2000, 1, 1),
    )


def first_view(sheets: Iterable[Sheet]) -> tuple[float, float, float, float]:
    """Bounds of what is named, at least some degrees wide; the base map left out."""
    boxes = []
    for sheet in sheets:
        if not sheet.geometry or sheet.group == BASE_MAP:
            continue
        rows = sheet.table
        if "named" in rows:
            rows = rows[rows["named"] == "yes"]
        rows = rows[~(rows.geometry.isna() | rows.geometry.is_empty)]
        if len(rows) and not sheet.id.startswith(("tie", "uncertainty")):
            boxes.append(rows.total_bounds)
    if not boxes:
        return _WHOLE_WORLD
    west, south = (float(min(b[i] for b in boxes)) for i in (0, 1))
    east, north = (float(max(b[i] for b in boxes)) for i in (2, 3))
    x = max(0.1, (_LEAST_VIEW - (east - west)) / 2)
    y = max(0.1, (_LEAST_VIEW - (north - south)) / 2)
    return (
        max(-180.0, west - x),
        max(-90.0, south - y),
        min(180.0, east + x),
        min(90.0, north + y),
    )

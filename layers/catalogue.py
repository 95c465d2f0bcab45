"""What ships with the package: each layer with its source, licence and checksum."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from layers.errors import LayerNotFoundError, SchemaError
from layers.schema import TEXT_COLUMNS, check_features
from layers.table import fill_text, numbers, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date
    from importlib.resources.abc import Traversable
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

DATA = files("layers").joinpath("data")
"""Folder of everything that ships."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a layer."""

    unit: str
    """Unit of a number (``"1"`` for a plain one); ``""`` for text."""
    about: str
    """What the column holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One catalogue entry."""

    id: str
    """Stable identifier."""
    title: str
    """Name for people."""
    kind: Literal["vector", "table", "raster"]
    """What the file holds."""
    file: str
    """Name of the file inside the package's data folder."""
    sha256: str
    """SHA-256 of the file."""
    licence: str
    """SPDX identifier of the licence."""
    retrieved: date
    """Day on which the source was read."""
    source: str
    """Citation."""
    url: str
    """Where the source stands."""
    method: str
    """How the file was made from the source, with every change."""
    crs: str = ""
    """CRS of the stored coordinates, as ``AUTHORITY:CODE``; empty for a table."""
    geometry: str = ""
    """Kind of geometry; empty unless the layer is a vector layer."""
    features: Literal["full", "base"] = "full"
    """Whether the evidence columns are there, or the layer is a mere background."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """Attribute columns by name."""
    classes: Mapping[str, str] = field(default_factory=dict)
    """Names of a raster's classes by value."""

    @property
    def path(self) -> Traversable:
        """The shipped file."""
        return DATA.joinpath(self.file)


@cache
def catalogue() -> Mapping[str, Layer]:
    """Every layer that ships with the package, by id.

    Returns
    -------
    Mapping
        Read-only, sorted by id.

    Raises
    ------
    SchemaError
        If an entry lacks a field or has an unknown one.

    Examples
    --------
    >>> catalogue()["provinces"].licence
    'LicenseRef-public-domain'
    """
    entries = sorted(DATA.joinpath("catalogue").iterdir(), key=lambda f: f.name)
    layers = [_entry(file) for file in entries if file.name.endswith(".toml")]
    return MappingProxyType({layer.id: layer for layer in layers})


def load(layer_id: str) -> gpd.GeoDataFrame:
    """Load a vector layer, checked against its entry and the feature schema.

    Parameters
    ----------
    layer_id
        A key of :func:`catalogue` whose kind is ``vector``.

    Returns
    -------
    geopandas.GeoDataFrame
        One row a feature, in EPSG:4326, in the order of the file, with the entry's
        columns. ``attrs`` carries ``layer``, ``title``, ``source``, ``licence``,
        ``retrieved`` (ISO) and ``units``.

    Raises
    ------
    LayerNotFoundError
        If the catalogue has no such vector layer.
    SchemaError
        If the file differs from its entry, or a feature lacks position, uncertainty,
        precision code or citation; the message names row and column.

    Examples
    --------
    >>> hubs = load("trade-hubs")
    >>> hubs.crs.to_string(), hubs.attrs["licence"]
    ('EPSG:4326', 'CC-BY-4.0')
    """
    import geopandas as gpd

    layer = _find(layer_id, "vector")
    if layer.file.endswith(".csv"):
        table = _read_csv(layer)
        for column in ("lon", "lat"):
            if column not in table:
                raise SchemaError(f"{layer.file}: column {column} is missing")
        lonlat = gpd.points_from_xy(table.pop("lon"), table.pop("lat"))
        gdf = gpd.GeoDataFrame(table, geometry=lonlat, crs=layer.crs)
    else:
        with layer.path.open("rb") as stream:
            gdf = gpd.read_file(stream)
        if gdf.crs != layer.crs:
            raise SchemaError(f"{layer.file}: in {gdf.crs}, the entry says {layer.crs}")
        _require_columns(layer, set(gdf.columns))
    if layer.features == "full":
        fill_text(gdf, TEXT_COLUMNS)
        check_features(gdf, layer.file)
    gdf.attrs.update(_attributes(layer))
    return gdf


def load_table(layer_id: str) -> pd.DataFrame:
    """Load a table, checked against its entry.

    Parameters
    ----------
    layer_id
        A key of :func:`catalogue` whose kind is ``table``.

    Returns
    -------
    pandas.DataFrame
        Columns whose entry names a unit hold numbers, missing ones NaN; the others
        hold text, missing ones ``""``. ``attrs`` as in :func:`load`.

    Raises
    ------
    LayerNotFoundError
        If the catalogue has no such table.
    SchemaError
        If the file's columns differ from the entry's, or a number is none.

    Examples
    --------
    >>> load_table("sources")["reliability"].isin(list("ABCDEF")).all().item()
    True
    """
    layer = _find(layer_id, "table")
    table = _read_csv(layer)
    table.attrs.update(_attributes(layer))
    return table


def raster_path(layer_id: str) -> Path:
    """Path of a raster that ships.

    Parameters
    ----------
    layer_id
        A key of :func:`catalogue` whose kind is ``raster``.

    Returns
    -------
    pathlib.Path
        The GeoTIFF.

    Raises
    ------
    LayerNotFoundError
        If the catalogue has no such raster.

    Examples
    --------
    >>> raster_path("altitude").name
    'altitude.tif'
    """
    from pathlib import Path

    return Path(str(_find(layer_id, "raster").path))


def _entry(file: Traversable) -> Layer:
    """One catalogue file as a record."""
    entry: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    columns = entry.pop("columns", {})
    known = Layer.__dataclass_fields__
    if unknown := entry.keys() - known.keys():
        raise SchemaError(f"{file.name}: unknown keys {', '.join(sorted(unknown))}")
    try:
        return Layer(
            **entry,
            columns=MappingProxyType({k: Column(**v) for k, v in columns.items()}),
        )
    except TypeError as error:
        raise SchemaError(f"{file.name}: {error}") from None


def _find(layer_id: str, kind: str) -> Layer:
    """Return the entry of one kind, or say which ones there are."""
    layer = catalogue().get(layer_id)
    if layer is None or layer.kind != kind:
        there = ", ".join(k for k, v in catalogue().items() if v.kind == kind)
        what = f"is a {layer.kind}" if layer else "is not in the catalogue"
        raise LayerNotFoundError(f"{layer_id!r} {what}; {kind} layers are: {there}")
    return layer


def _read_csv(layer: Layer) -> pd.DataFrame:
    """Read a CSV as text; columns with a unit become numbers."""
    with layer.path.open("r", encoding="utf-8") as stream:
        table = read_table(stream, layer.file, SchemaError)
    _require_columns(layer, set(table.columns))
    for name, column in layer.columns.items():
        if column.unit:
            table[name] = numbers(
                table[name], layer.file, SchemaError, blank=True, unit=column.unit
            )
    return table


def _require_columns(layer: Layer, found: set[str]) -> None:
    """Refuse a file whose columns are not those of its entry."""
    found = found - {"geometry"}
    if missing := layer.columns.keys() - found:
        raise SchemaError(f"{layer.file}: columns missing: {sorted(missing)}")
    if extra := found - layer.columns.keys():
        raise SchemaError(f"{layer.file}: columns not in the entry: {sorted(extra)}")


def _attributes(layer: Layer) -> dict[str, Any]:
    """Describe where a layer comes from, for ``attrs``."""
    return {
        "layer": layer.id,
        "title": layer.title,
        "source": layer.source,
        "licence": layer.licence,
        "retrieved": layer.retrieved.isoformat(),
        "units": {name: column.unit for name, column in layer.columns.items()},
    }

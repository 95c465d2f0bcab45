"""Public data sets that can be fetched, each a record with what is known of it."""

from __future__ import annotations

import tomllib
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

import msgspec

from layers.catalogue import DATA
from layers.errors import LayerNotFoundError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file: immutable, and a typing slip in a key is an error."""


class Tiles(_Record, frozen=True):
    """How a product is cut into files."""

    size_deg: int
    """Side of a tile. [°]"""
    stem: str
    """Name of a file without its ending, of ``ns``, ``lat``, ``ew`` and ``lon``."""
    half_cell: bool = False
    """Whether cells are centred on the corner, so that tiles begin half a cell off."""


class Raster(_Record, frozen=True):
    """What a file must be to be believed."""

    crs: str
    dtypes: tuple[str, ...]
    rows: int = 0
    """Rows of a tile; 0 where it is not known beforehand."""
    columns: tuple[tuple[int, int], ...] = ()
    """Columns of a tile by latitude: from this many degrees on, so many."""
    max_cell_deg: float = 0.0
    """Largest cell, where shape and place are not known beforehand. [°]"""
    values: tuple[float, float] | None = None
    """Lowest and highest value that can be right, in the product's unit."""
    classes: tuple[int, ...] = ()
    """Values that there are, where they name classes."""
    check: Literal["whole", "region"] = "whole"
    """Whether every block is decoded, or every block of the region."""


class Listing(_Record, frozen=True):
    """The source's own list of the tiles that exist."""

    path: str
    kind: Literal["lines", "geojson"]
    max_bytes: int
    property: str = ""
    """Property of a feature that names the tile."""
    name: str = ""
    """How the list names a tile, of ``ns``, ``lat``, ``ew`` and ``lon``; its stem."""


class Archive(_Record, frozen=True):
    """A zip of which one member is kept."""

    member: str
    max_bytes: int


class Fact(_Record, frozen=True):
    """Something known of the product, and from where."""

    fact: str
    source: str


class Product(_Record, frozen=True):
    """A public data set: where it stands, under which terms, and how it is laid out."""

    id: str
    title: str
    about: str
    publisher: str
    page: str
    """Page for people."""
    licence: str
    """SPDX identifier, or the licence's name where it has none."""
    licence_url: str
    citation: str
    notice: str
    """Words that the licence asks for beside what is made of the data."""
    measure: str
    unit: str
    format: Literal["geotiff", "osm-pbf"]
    base: str
    """Address of the source."""
    path: str
    """Path below it, of ``stem``."""
    hosts: tuple[str, ...]
    """Hosts that may answer, redirects included."""
    checksum: Literal["etag-md5", "md5-file", "none"]
    max_bytes: int
    """No file is larger; what is, is refused. [B]"""
    verified: tuple[Fact, ...]
    unverified: tuple[str, ...]
    """What we could not make sure of."""
    about_bytes: int = 0
    """Usual size of a file; 0 where it is not known. [B]"""
    size_note: str = ""
    by_hand: str = ""
    """How to get a file without us, where that is the better way."""
    file: str = ""
    """Name of the one file, where there are no tiles."""
    covers: Box | None = None
    """What the one file covers; None for the world."""
    tiles: Tiles | None = None
    raster: Raster | None = None
    listing: Listing | None = None
    archive: Archive | None = None

    def __post_init__(self) -> None:
        """Refuse a record that contradicts itself."""
        if (self.tiles is None) == (not self.file):
            raise ValueError("expected either [tiles] or file")
        if (self.raster is None) != (self.format == "osm-pbf"):
            raise ValueError("expected [raster] for a GeoTIFF, and only for one")
        if not (self.licence and self.licence_url and self.citation and self.verified):
            raise ValueError("expected licence, citation and verified facts")


@cache
def products() -> Mapping[str, Product]:
    """Every public data set that can be fetched, by id.

    Returns
    -------
    Mapping
        Read-only, sorted by id.

    Raises
    ------
    SchemaError
        If a record lacks a key or has an unknown one.

    Examples
    --------
    >>> products()["esa-worldcover-2021"].licence
    'CC-BY-4.0'
    """
    found = {}
    for file in sorted(DATA.joinpath("remote").iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        try:
            table = tomllib.loads(file.read_text("utf-8"))
            product = msgspec.convert(table, Product)
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise SchemaError(f"{file.name}: {error}") from error
        found[product.id] = product
    return MappingProxyType(found)


def find_products(ids: Iterable[str]) -> tuple[Product, ...]:
    """Look products up by their ids.

    Parameters
    ----------
    ids
        Keys of :func:`products`; a second mention counts once. None at all: every one.

    Returns
    -------
    tuple of Product
        In the order asked for.

    Raises
    ------
    LayerNotFoundError
        If there is no such product.
    """
    known = products()
    wanted = list(dict.fromkeys(ids))
    for name in wanted:
        if name not in known:
            raise LayerNotFoundError(
                f"no product {name[:60]!r}; there are {', '.join(known)}"
            )
    return tuple(known[name] for name in wanted or known)

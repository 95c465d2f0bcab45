"""Tables of a plan for sites: its rasters, layers and region, and their credit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import PurePosixPath
from types import MappingProxyType

from geo.errors import CriteriaError
from geo.raster.suitability import require_keys, require_number, require_text
from layers.catalogue import catalogue
from layers.solar_tables import texts, whole

UNITS = {
    "elevation": {"m": 1.0, "ft": 0.3048},
    "ghi": {
        "kWh/m²/year": 1.0,
        "kWh/m²/day": 365.25,
        "W/m²": 365.25 * 24 / 1000,
    },
}
"""Units that a raster may be in, and how many metres or kWh/m² a year one of it is."""

_CREDIT = ("source", "url", "licence")
_RASTER = ("files", "product", "unit", "band", "scale", "offset", "nodata", "legend")
_VECTOR = ("file", "layer", "label", "where", "optional")
_LIMITS = ("min", "max", "is", "without", "blank")


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """Where data come from and under which terms they may be used."""

    source: str
    """Citation, or title."""
    url: str
    licence: str
    """SPDX identifier, or the licence's name."""
    notice: str = ""
    """Words that the licence asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterInput:
    """One raster of the plan, or the files of a mosaic.

    Attributes
    ----------
    name
        Name of the measure.
    files
        Paths and patterns, relative to the folder of the data, none leading out of it.
    unit
        As the file has it, or as the plan says; ``class`` for classes.
    factor
        What stored values, scaled, are multiplied by to be metres or kWh/m² a year. [1]
    band, scale, offset, nodata
        As :class:`geo.raster.Band` has them.
    legend
        Names of classes by code; empty when it is no class.
    credit
        Source and licence.
    product
        Id of the public data set, or empty.
    """

    name: str
    files: tuple[str, ...]
    unit: str
    factor: float
    band: int
    scale: float | None
    offset: float | None
    nodata: float | None
    legend: Mapping[int, str]
    credit: Credit
    product: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which rows of a layer count, by one column."""

    column: str
    minimum: float | None
    maximum: float | None
    among: tuple[str, ...]
    """Texts of which the cell is one; any when empty."""
    without: tuple[str, ...]
    """Texts that do not occur in the cell."""
    blank: bool
    """Whether a row without a value counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VectorInput:
    """Features to keep away from, or near to.

    Attributes
    ----------
    name
        Name of the features; ``town`` and ``plant`` also give names to the sites.
    label
        Words for people.
    file, layer
        A file, relative to the folder of the plan, or a layer of the catalogue.
    where
        Which rows count.
    optional
        Whether the plan goes on without it, and its criteria, where it is missing.
    credit
        Source and licence.
    """

    name: str
    label: str
    file: str
    layer: str
    where: tuple[Limits, ...]
    optional: bool
    credit: Credit


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Where to look."""

    file: str
    layer: str
    ids: tuple[str, ...]
    """Rows of the layer; all when empty."""
    credit: Credit
    reason: str


def raster(value: object, name: str) -> RasterInput:
    """Check one table of ``rasters``.

    Parameters
    ----------
    value
        What stood in the file.
    name
        Name of the measure.

    Returns
    -------
    RasterInput
        With unit, source and licence of the public product where one is named.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown or of the wrong kind, or a path leads outside.
    """
    where = f"rasters.{name}"
    table = require_keys(value, where, known=(*_RASTER, *_CREDIT), required=())
    product = ""
    if "product" in table:
        product = require_text(table["product"], f"{where}.product")
        known = _product(product, f"{where}.product")
        given = {"files": [f"{product}/*.tif"], **known, **table}
    else:
        given = dict(table)
    if "files" not in given:
        raise CriteriaError(f"{where}.files: missing; or name a product")
    files = texts(given["files"], f"{where}.files", what="path")
    for i, path in enumerate(files):
        _require_inside(path, f"{where}.files[{i}]")
    legend = _legend(given["legend"], f"{where}.legend") if "legend" in given else {}
    unit, factor = _unit(given.get("unit"), name, where, classes=bool(legend))
    band = require_number(given.get("band", 1), f"{where}.band", low=1, high=10_000)
    return RasterInput(
        name=name,
        files=files,
        unit=unit,
        factor=factor,
        band=whole(band, f"{where}.band"),
        scale=_optional(given, "scale", where),
        offset=_optional(given, "offset", where),
        nodata=_optional(given, "nodata", where),
        legend=MappingProxyType(legend),
        credit=_credit(given, where),
        product=product,
    )


def vector(value: object, name: str) -> VectorInput:
    """Check one table of ``vectors``.

    Parameters
    ----------
    value
        What stood in the file.
    name
        Name of the features.

    Returns
    -------
    VectorInput
        With source and licence of the layer where one is named.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown or of the wrong kind, or a path leads outside.
    """
    where = f"vectors.{name}"
    table = require_keys(value, where, known=(*_VECTOR, *_CREDIT), required=("label",))
    file, layer, credit = _origin(table, where)
    optional = table.get("optional", False)
    if not isinstance(optional, bool):
        raise CriteriaError(
            f"{where}.optional: expected true or false, got {optional!r}"
        )
    limits = table.get("where", {})
    if not isinstance(limits, Mapping):
        raise CriteriaError(f"{where}.where: expected a table a column, got {limits!r}")
    return VectorInput(
        name=name,
        label=require_text(table["label"], f"{where}.label"),
        file=file,
        layer=layer,
        where=tuple(_limits(v, k, f"{where}.where.{k}") for k, v in limits.items()),
        optional=optional,
        credit=credit,
    )


def region(value: object) -> Region:
    """Check the table ``region``.

    Parameters
    ----------
    value
        What stood in the file.

    Returns
    -------
    Region
        The same.

    Raises
    ------
    CriteriaError
        If anything is missing, unknown or of the wrong kind.
    """
    known = ("file", "layer", "ids", "reason", *_CREDIT)
    table = require_keys(value, "region", known=known, required=("reason",))
    file, layer, credit = _origin(table, "region")
    return Region(
        file=file,
        layer=layer,
        ids=texts(table["ids"], "region.ids", what="id") if "ids" in table else (),
        credit=credit,
        reason=require_text(table["reason"], "region.reason"),
    )


def _unit(value: object, name: str, where: str, *, classes: bool) -> tuple[str, float]:
    """Check a unit, and say what makes metres or kWh/m² a year of it."""
    if classes:
        return "class", 1.0
    unit = require_text(value, f"{where}.unit")
    known = UNITS.get(name)
    if known is None:
        return unit, 1.0
    if unit not in known:
        raise CriteriaError(
            f"{where}.unit: {unit!r}; expected one of {', '.join(known)}"
        )
    return unit, known[unit]


def _legend(value: object, where: str) -> dict[int, str]:
    if not isinstance(value, Mapping) or not value:
        raise CriteriaError(
            f'{where}: expected a table such as {{ "10" = "trees" }}, got {value!r}'
        )
    names = {}
    for code, name in value.items():
        if not (isinstance(code, str) and code.isdecimal()):
            raise CriteriaError(f'{where}.{code}: expected a class code such as "10"')
        names[int(code)] = require_text(name, f"{where}.{code}")
    return names


def _limits(value: object, column: str, where: str) -> Limits:
    table = require_keys(value, where, known=_LIMITS, required=())
    blank = table.get("blank", False)
    if not isinstance(blank, bool):
        raise CriteriaError(f"{where}.blank: expected true or false, got {blank!r}")
    return Limits(
        column=column,
        minimum=_optional(table, "min", where),
        maximum=_optional(table, "max", where),
        among=texts(table["is"], f"{where}.is", what="text") if "is" in table else (),
        without=texts(table["without"], f"{where}.without", what="text")
        if "without" in table
        else (),
        blank=blank,
    )


def _optional(table: Mapping[str, object], key: str, where: str) -> float | None:
    return require_number(table[key], f"{where}.{key}") if key in table else None


def _origin(table: Mapping[str, object], where: str) -> tuple[str, str, Credit]:
    """File or layer of a table, one of the two, and its credit."""
    if ("file" in table) == ("layer" in table):
        raise CriteriaError(f"{where}: expected either file or layer")
    if "file" in table:
        file = require_text(table["file"], f"{where}.file")
        _require_inside(file, f"{where}.file")
        return file, "", _credit(table, where)
    layer = require_text(table["layer"], f"{where}.layer")
    there = [k for k, v in catalogue().items() if v.kind == "vector"]
    if layer not in there:
        raise CriteriaError(f"{where}.layer: no layer {layer!r}{_near(layer, there)}")
    entry = catalogue()[layer]
    return "", layer, Credit(source=entry.source, url=entry.url, licence=entry.licence)


def _credit(table: Mapping[str, object], where: str) -> Credit:
    """Source and licence of data, in full or by the id of a source that ships."""
    from layers.evidence import sources

    if "source" not in table:
        raise CriteriaError(
            f"{where}.source: missing; name the source of the data, by the id of one "
            "that ships, or by its title with url and licence"
        )
    source = require_text(table["source"], f"{where}.source")
    known = sources().get(source)
    url = str(table.get("url", known.url if known else ""))
    licence = str(table.get("licence", known.licence if known else ""))
    for key, value in (("url", url), ("licence", licence)):
        if not value.strip():
            raise CriteriaError(
                f"{where}.{key}: missing; data without it cannot be used or cited"
            )
    return Credit(
        source=known.title if known else source,
        url=url,
        licence=licence,
        notice=str(table.get("notice", "")),
    )


def _product(product: str, where: str) -> dict[str, object]:
    """Say what is known of a public data set in the words of the plan."""
    from layers.fetching.products import products

    known = products().get(product)
    if known is None:
        raise CriteriaError(
            f"{where}: no product {product!r}{_near(product, products())}"
        )
    return {
        "unit": known.unit,
        "source": known.citation,
        "url": known.page,
        "licence": known.licence,
    }


def _near(value: str, known: Iterable[str]) -> str:
    names = list(known)
    close = get_close_matches(value, names, n=3, cutoff=0.5)
    if close:
        return f"; did you mean {', '.join(close)}?"
    return f"; there are {', '.join(names)}"


def _require_inside(path: str, where: str) -> None:
    """Refuse a path that could lead out of the folder of the data."""
    parts = PurePosixPath(path.replace("\\", "/"))
    drive = len(path) > 1 and path[1] == ":"
    if parts.is_absolute() or ".." in parts.parts or drive or "\0" in path:
        raise CriteriaError(
            f"{where}: {path[:120]!r} leads out of the folder; expected a path within "
            "it. Put or link the file there, or name another folder of data"
        )

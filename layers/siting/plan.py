"""A plan for solar sites as a TOML file: read, checked, its weights worked out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from geo.errors import CriteriaError
from geo.raster.suitability import require_keys, require_number, require_text
from layers.catalogue import DATA
from layers.siting.criteria import (
    parse_pairs,
    parse_with_pairs,
    require_measures,
    weighed,
)
from layers.siting.tables import (
    RasterInput,
    Region,
    VectorInput,
    raster,
    region,
    vector,
)
from layers.siting.uncertainty import Uncertainty, require_thresholds, uncertainty
from layers.solar_tables import (
    WHY,
    Plant,
    Spread,
    bounded,
    capacity,
    numbers,
    parsed,
    plant,
    spread,
    texts,
    whole,
)

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from geo.raster.suitability import Criteria
    from layers.ranges import Range
    from layers.siting.ahp import Judged
    from layers.siting.criteria import Pairs

T = TypeVar("T")

FOLDER = "siting"
"""Folder of the plans that ship, in that of the data."""

_SITES: dict[str, tuple[float, float]] = {
    "min_km2": (0, 1e6),
    "max_shape_index": (1, 1e6),
    "connectivity": (4, 8),
    "setback_m": (0, 1e5),
    "keep": (1, 1e5),
    "top_n": (1, 1e4),
}
THRESHOLDS_OF_SITES = ("min_km2", "max_shape_index", "setback_m")
"""Numbers of the table ``sites`` that may be varied."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesTable:
    """From cells to sites.

    Attributes
    ----------
    min_km2
        Smallest site. [km²]
    max_shape_index
        Most ragged site, as :class:`geo.raster.Siting` has it. [1]
    connectivity
        Whether cells join at edges (4) or at corners too (8).
    setback_m
        Left free along the inside of the outline. [m]
    keep
        How many sites are described.
    top_n
        How many count as the first.
    """

    min_km2: float
    max_shape_index: float
    connectivity: Literal[4, 8]
    setback_m: float
    keep: int
    top_n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GridTable:
    """Cells other than those of the elevation."""

    crs: str
    resolution_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SitingPlan:
    """Everything that the sites depend on, besides the data.

    Attributes
    ----------
    id, title, file
        Of the plan, and the name of its file.
    folder
        Where the plan's own files stand; None for a plan that ships.
    sources
        Ids of the sources that the sites cite.
    synthetic
        Whether the terrain is made up, which every site then says.
    exchange
        Id or path of the exchange whose readings are answered, or empty.
    region, rasters, vectors
        The data.
    grid
        The cells; None for those of the elevation.
    criteria
        Which cells, and how good.
    pairs, judged
        Comparisons behind the weights; none and None where the plan gives weights.
    sites
        From cells to sites.
    density_mwp_per_km2, usable_fraction
        Modules inside the fence, and the part of a site that could go inside it.
    bias
        What the irradiation of the raster is multiplied by. [1]
    plant, spread
        The plant, and how well its energy is known.
    uncertainty
        What is varied to see how firm the ranks are.
    """

    id: str
    title: str
    file: str
    folder: Path | None
    sources: tuple[str, ...]
    synthetic: bool
    exchange: str
    region: Region | None
    rasters: Mapping[str, RasterInput]
    vectors: Mapping[str, VectorInput]
    grid: GridTable | None
    criteria: Criteria
    pairs: Pairs
    judged: Judged | None
    sites: SitesTable
    density_mwp_per_km2: Range
    usable_fraction: Range
    bias: Range
    plant: Plant
    spread: Spread
    uncertainty: Uncertainty

    def without(self, features: Iterable[str]) -> SitingPlan:
        """Return the plan without some features and the criteria about them.

        Parameters
        ----------
        features
            Names of vectors.

        Returns
        -------
        SitingPlan
            With weights worked out again where they come from comparisons.

        Raises
        ------
        CriteriaError
            If nothing is left to rank by.
        """
        gone = set(features)
        if not gone:
            return self
        ids = {f"{name}_m" for name in gone}
        criteria = tuple(c for c in self.criteria if c.id not in ids)
        pairs = tuple(p for p in self.pairs if not ids & {p[0], p[1]})
        criteria, judged = weighed(criteria, pairs)
        varied = self.uncertainty.thresholds
        return replace(
            self,
            vectors={k: v for k, v in self.vectors.items() if k not in gone},
            criteria=criteria,
            pairs=pairs,
            judged=judged,
            uncertainty=replace(
                self.uncertainty, thresholds=tuple(t for t in varied if t.id not in ids)
            ),
        )


def plan_ids() -> tuple[str, ...]:
    """Ids of the plans that ship.

    Returns
    -------
    tuple of str
        Sorted.

    Examples
    --------
    >>> plan_ids()
    ('pyongan',)
    """
    names = [file.name for file in DATA.joinpath(FOLDER).iterdir()]
    return tuple(sorted(n.removesuffix(".toml") for n in names if n.endswith(".toml")))


def read_plan(id_or_path: str | os.PathLike[str]) -> SitingPlan:
    """Read a plan and check every key.

    Parameters
    ----------
    id_or_path
        Id of a plan that ships, or path of a TOML file.

    Returns
    -------
    SitingPlan
        Checked throughout; no data file is opened.

    Raises
    ------
    CriteriaError
        If the file is missing, no TOML, or anything in it is missing, unknown, of the
        wrong kind or out of range; if comparisons contradict each other. The message
        names file and key.

    Examples
    --------
    >>> plan = read_plan("pyongan")
    >>> plan.title
    'Solar sites in North and South Pyongan'
    """
    text = str(id_or_path)
    if text in plan_ids():
        data = DATA.joinpath(FOLDER, f"{text}.toml").read_bytes()
        name, folder = f"{text}.toml", None
    else:
        path = Path(text)
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise CriteriaError(
                f"no plan can be read at {text[:200]!r}: {error.args[-1]}; give the "
                f"path of a TOML file, or one of {', '.join(plan_ids())}"
            ) from error
        name, folder = path.name, path.resolve().parent
    return parsed(data, name, lambda root: _plan(root, name, folder))


def _plan(root: Mapping[str, object], name: str, folder: Path | None) -> SitingPlan:
    required = (
        *("id", "title", "sources", "rasters", "criteria", "sites"),
        *("capacity", "irradiance", "plant", "spread", "uncertainty"),
    )
    optional = ("synthetic", "exchange", "region", "grid", "vectors", "ahp")
    require_keys(root, "file", known=(*required, *optional), required=required)
    synthetic = root.get("synthetic", False)
    if not isinstance(synthetic, bool):
        raise CriteriaError(f"synthetic: expected true or false, got {synthetic!r}")
    rasters = _named(root["rasters"], "rasters", raster)
    for needed in ("elevation", "ghi"):
        if needed not in rasters:
            raise CriteriaError(
                f"rasters.{needed}: missing; sites cannot do without it"
            )
    vectors = _named(root.get("vectors", {}), "vectors", vector)
    if both := rasters.keys() & {f"{v}_m" for v in vectors}:
        raise CriteriaError(
            f"rasters.{min(both)}: that is the distance to vectors of the same name"
        )
    pairs = parse_pairs(root["ahp"]) if "ahp" in root else ()
    criteria, judged = weighed(parse_with_pairs(root["criteria"], pairs), pairs)
    require_measures(criteria, rasters, vectors)
    sites = _sites(root["sites"])
    varied = uncertainty(root["uncertainty"])
    require_thresholds(
        varied,
        criteria,
        {key: float(getattr(sites, key)) for key in THRESHOLDS_OF_SITES},
        _SITES,
    )
    density, usable = capacity(root["capacity"])
    sun = require_keys(
        root["irradiance"], "irradiance", known=("bias",), required=("bias",)
    )
    return SitingPlan(
        id=require_text(root["id"], "id"),
        title=require_text(root["title"], "title"),
        file=name,
        folder=folder,
        sources=_sources(root["sources"]),
        synthetic=synthetic,
        exchange=require_text(root["exchange"], "exchange")
        if "exchange" in root
        else "",
        region=region(root["region"]) if "region" in root else None,
        rasters=rasters,
        vectors=vectors,
        grid=_grid(root["grid"]) if "grid" in root else None,
        criteria=criteria,
        pairs=pairs,
        judged=judged,
        sites=sites,
        density_mwp_per_km2=density,
        usable_fraction=usable,
        bias=bounded(sun["bias"], "irradiance.bias", unit="", most=2),
        plant=plant(root["plant"]),
        spread=spread(root["spread"]),
        uncertainty=varied,
    )


def _named(
    value: object, where: str, parse: Callable[[object, str], T]
) -> dict[str, T]:
    """Parse a table of tables, each by its name."""
    if not isinstance(value, Mapping):
        raise CriteriaError(f"{where}: expected tables, [{where}.name]")
    for name in value:
        if not _NAME.fullmatch(str(name)):
            raise CriteriaError(
                f"{where}.{name}: expected a name of small letters, digits and _"
            )
    return {name: parse(table, name) for name, table in value.items()}


def _sites(value: object) -> SitesTable:
    table = numbers(value, "sites", _SITES)
    if table["connectivity"] not in {4, 8}:
        raise CriteriaError(
            f"sites.connectivity: {table['connectivity']:g}; expected 4 or 8"
        )
    keep, top_n = (whole(table[k], f"sites.{k}") for k in ("keep", "top_n"))
    if top_n > keep:
        raise CriteriaError(f"sites.top_n: {top_n} is more than sites.keep, {keep}")
    return SitesTable(
        min_km2=table["min_km2"],
        max_shape_index=table["max_shape_index"],
        connectivity=4 if table["connectivity"] == 4 else 8,
        setback_m=table["setback_m"],
        keep=keep,
        top_n=top_n,
    )


def _grid(value: object) -> GridTable:
    names = ("crs", "resolution_m", *WHY)
    table = require_keys(value, "grid", known=names, required=names)
    for why in WHY:
        require_text(table[why], f"grid.{why}")
    return GridTable(
        crs=require_text(table["crs"], "grid.crs"),
        resolution_m=require_number(
            table["resolution_m"], "grid.resolution_m", low=0.01, high=1e6
        ),
    )


def _sources(value: object) -> tuple[str, ...]:
    """Ids of sources that ship, since a site cites them."""
    from layers.evidence import sources

    ids = texts(value, "sources")
    for i, source in enumerate(ids):
        if source not in sources():
            close = get_close_matches(source, sources(), n=3, cutoff=0.5)
            hint = (
                f"did you mean {', '.join(close)}?"
                if close
                else ("data of your own are cited at their raster or vector")
            )
            raise CriteriaError(f"sources[{i}]: no source {source!r} ships; {hint}")
    return ids

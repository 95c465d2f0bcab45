"""Solar sites: from a plan to ranked polygons, and how far to trust the ranks."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.errors import CriteriaError
from layers.errors import WriteError
from layers.siting import words
from layers.siting.inputs import prepare
from layers.siting.plan import SitingPlan, read_plan
from layers.siting.portfolios import Portfolio, portfolios
from layers.siting.scenarios import rank_over, scenarios
from layers.siting.table import RANKS, cell_words, describe, power_of
from layers.siting.tornado import Base, runs_needed, tornado
from layers.solar_method import Rule, rule_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd

    from geo.parallel import Progress
    from geo.raster.found import FoundSites
    from geo.raster.siting import Siting
    from layers.exchange_file import ReadingFile
    from layers.siting.inputs import Input, Prepared
    from layers.siting.ranks import Ranks
    from layers.siting.scenarios import Scenario

DRAWS = 10_000
"""Draws of weights and of the bias, unless another number is given."""

NOT_IN_RANKS = (
    "Not in the probabilities: which criteria there are and the shape of their scores, "
    "errors of elevation, land cover and mapped features, cost, ownership, the grid's "
    "own state, and land use, which changes what a site holds but not its rank."
)


@dataclass(frozen=True, kw_only=True)
class SolarSites:
    """Ranked sites, what they rest on, and how firm the ranks are.

    Attributes
    ----------
    id, title, file
        Of the plan; the title says where the terrain is synthetic.
    synthetic
        Whether the terrain is made up.
    exchange
        Exchange whose readings are answered, or empty.
    table
        One row a site, best first, EPSG:4326, columns as
        :func:`layers.siting.table.describe` has them, with ``top_probability`` (of
        being among the first ``ranks["top_n"]``), ``rank_low`` and ``rank_high`` (5th
        and 95th percentile of the rank) before ``reasons``.
    tornado
        One assumption a row, greatest effect first, as
        :func:`layers.siting.tornado.tornado` has them.
    portfolios
        Which sites hold the claimed figure, by reading and land use.
    rules
        Criteria in words, with their weights.
    method
        Sentences by topic.
    inputs
        Data, each with files, source and licence.
    ranks
        ``top_n``, ``draws``, ``seed``, ``scenarios`` and ``not_in_it``.
    totals
        Numbers of cells, groups and sites, and areas.
    grid
        ``crs``, ``bounds`` (in that CRS), ``shape``, ``cell`` (words) and ``bbox`` in
        degrees.
    outputs
        Rasters that were written.
    """

    id: str
    title: str
    file: str
    synthetic: bool
    exchange: str
    table: gpd.GeoDataFrame
    tornado: pd.DataFrame
    portfolios: tuple[Portfolio, ...]
    rules: tuple[Rule, ...]
    method: Mapping[str, str]
    inputs: tuple[Mapping[str, Any], ...]
    ranks: Mapping[str, Any]
    totals: Mapping[str, Any]
    grid: Mapping[str, Any]
    outputs: tuple[Path, ...] = ()


def sites(
    plan: str | PathLike[str] | SitingPlan,
    *,
    data: str | PathLike[str] | None = None,
    keep: int | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    reruns: bool = True,
    folder: str | PathLike[str] | None = None,
    workspace: str | PathLike[str] | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> SolarSites:
    """Find and rank solar sites by a plan, and say how firm the ranks are.

    Parameters
    ----------
    plan
        Id of a plan that ships, path of a TOML file, or a plan already read.
    data
        Folder of its files; see :func:`layers.siting.inputs.prepare`.
    keep
        How many sites to describe; the plan's number when not given.
    draws
        How many draws of weights and bias.
    seed
        Seed of all draws. The same plan, data and seed give the same result, whatever
        the number of threads.
    reruns
        Whether the search is run again with other limits and on coarser cells.
    folder
        Where to write ``score.tif`` and ``mask.tif``; nowhere when not given.
    workspace
        Where to keep what is done, so that a search that was stopped goes on.
    progress
        Called with what is done and what there is. An error it raises stops the work.
    threads
        How many threads; one a processor when not given.

    Returns
    -------
    SolarSites
        An empty table where no site is found.

    Raises
    ------
    CriteriaError, GridError, CRSMissingError, ReadError, SchemaError
        As :func:`layers.siting.plan.read_plan` and
        :func:`layers.siting.inputs.prepare`; if the shipped climatology does not cover
        the sites.

    Notes
    -----
    Everything is hypothetical. A draw of weights is exact: a site's score is the
    weighted mean of its criteria's. A draw of the bias moves the score of the
    irradiation alone (:func:`layers.siting.ranks.moved`). Limits and resolution take a
    search of their own each; every such scenario gets the same number of draws.
    """
    settings = plan if isinstance(plan, SitingPlan) else read_plan(plan)
    settings = _kept(settings, keep)
    if draws < 1:
        raise CriteriaError(f"draws is {draws}; expected 1 or more")
    prepared = prepare(settings, data=data)
    search = _Search(prepared, progress, threads, reruns=reruns)
    found = search.first(folder, workspace)
    power, sun = power_of(found, prepared.plan, rows=prepared.plan.sites.keep)
    table = describe(found, prepared, power)
    find = search.again if reruns and len(table) else None
    every: tuple[Scenario, ...] = ()
    ranks = None
    if len(table):
        every = scenarios(
            prepared if find else _still(prepared),
            found,
            described=len(table),
            seed=seed,
            find=search.again,
        )
        ranks, shared = rank_over(every, prepared.plan, draws=draws, seed=seed)
    _add_ranks(table, ranks)
    base = Base(prepared=prepared, found=found, power=power, sun=sun)
    return _result(
        prepared,
        found,
        table,
        tornado=tornado(base, find=find),
        ranks={
            "top_n": prepared.plan.sites.top_n,
            "draws": draws,
            "seed": seed,
            "weight_spread": prepared.plan.uncertainty.weight_spread,
            "scenarios": [
                {
                    "label": s.label,
                    "changes": dict(s.changes),
                    "draws": shared[i],
                    "sites": len(s.found.table),
                    "matched": int((s.match >= 0).sum()),
                }
                for i, s in enumerate(every)
            ],
            "not_in_it": NOT_IN_RANKS,
        },
    )


class _Search:
    """Runs of the search of one plan, with one account of what is done."""

    def __init__(
        self,
        prepared: Prepared,
        progress: Progress | None,
        threads: int | None,
        *,
        reruns: bool,
    ) -> None:
        self._prepared, self._threads = prepared, threads
        self._tell, self._done = progress, 0
        varied = prepared.plan.uncertainty
        drawn = varied.reruns if varied.thresholds else 0
        more = drawn + (varied.coarsen > 1) + runs_needed(prepared.plan)
        self._runs = 1 + (more if reruns else 0)

    def first(
        self,
        folder: str | PathLike[str] | None,
        workspace: str | PathLike[str] | None,
    ) -> FoundSites:
        """Run the search as planned."""
        from geo.raster.siting import find_sites

        try:
            return find_sites(
                self._prepared.siting,
                keep=self._prepared.plan.sites.keep,
                folder=folder,
                workspace=workspace,
                progress=self._progress(),
                threads=self._threads,
            )
        except FileExistsError as error:
            raise WriteError(
                f"{error}. What is kept in {workspace} is of another search; remove "
                "that folder to begin anew"
            ) from error

    def again(self, siting: Siting, keep: int) -> FoundSites:
        """Run the search under other assumptions."""
        from geo.raster.siting import find_sites

        return find_sites(
            siting, keep=keep, progress=self._progress(), threads=self._threads
        )

    def _progress(self) -> Progress | None:
        """Progress of one run as part of all of them."""
        tell = self._tell
        if tell is None:
            return None
        before, whole = self._done * 1000, self._runs * 1000
        self._done += 1

        def part(done: int, total: int) -> None:
            tell(min(before + 1000 * done // max(total, 1), whole), whole)

        return part


def _kept(plan: SitingPlan, keep: int | None) -> SitingPlan:
    if keep is None:
        return plan
    if keep < 1:
        raise CriteriaError(f"keep is {keep}; expected 1 or more")
    top_n = min(plan.sites.top_n, keep)
    return replace(plan, sites=replace(plan.sites, keep=keep, top_n=top_n))


def _still(prepared: Prepared) -> Prepared:
    """Return the same search with nothing but weights and bias varied."""
    plan = prepared.plan
    varied = replace(plan.uncertainty, reruns=0, coarsen=1)
    return replace(prepared, plan=replace(plan, uncertainty=varied))


def _add_ranks(table: gpd.GeoDataFrame, ranks: Ranks | None) -> None:
    """Put the firmness of ranks before the reasons, in place."""
    values: tuple[Any, ...] = ([], [], [])
    if ranks is not None:
        values = (ranks.top / ranks.draws, ranks.low, ranks.high)
    place = list(table.columns).index("reasons")
    for offset, (name, column) in enumerate(zip(RANKS, values, strict=True)):
        kind = float if name == "top_probability" else np.int64
        table.insert(place + offset, name, np.asarray(column, dtype=kind))


def _result(
    prepared: Prepared,
    found: FoundSites,
    table: gpd.GeoDataFrame,
    *,
    tornado: pd.DataFrame,
    ranks: dict[str, Any],
) -> SolarSites:
    plan, cell = prepared.plan, cell_words(found.grid)
    method = words.method(plan, found, table, cell)
    method["ranks"] = words.rank_words(ranks)
    if prepared.left_out:
        method["left_out"] = (
            f"Left out, since their files are missing: {', '.join(prepared.left_out)}, "
            "with the criteria about them."
        )
    weights = sum(c.weight for c in plan.criteria)
    return SolarSites(
        id=plan.id,
        title=words.title(plan),
        file=plan.file,
        synthetic=plan.synthetic,
        exchange=plan.exchange,
        table=table,
        tornado=tornado,
        portfolios=portfolios(table, _readings(plan)),
        rules=tuple(
            Rule(
                id=c.id,
                label=c.label,
                rule=rule_text(c, _legend(plan, c.id)),
                weight=c.weight / weights,
                reason=c.reason,
                source=c.source,
            )
            for c in plan.criteria
        ),
        method=method,
        inputs=tuple(_input(entry) for entry in prepared.inputs),
        ranks=ranks,
        totals={
            "cells": found.cells,
            "eligible_cells": found.eligible_cells,
            "eligible_km2": found.eligible_area_m2 / 1e6,
            "groups": found.regions_found,
            "sites": len(found.table),
            "sites_km2": float(found.table["area_m2"].sum()) / 1e6,
            "described": len(table),
            "classes": {
                name: {str(code): n for code, n in counts.items()}
                for name, counts in found.codes.items()
            },
        },
        grid=_grid(found, cell),
        outputs=found.outputs,
    )


def _readings(plan: SitingPlan) -> tuple[ReadingFile, ...]:
    """Read how the claim of an exchange may be understood."""
    if not plan.exchange:
        return ()
    from layers.exchange_file import read_exchange_file

    _, exchange = read_exchange_file(plan.exchange)
    return exchange.readings


def _legend(plan: SitingPlan, name: str) -> dict[str, str]:
    entry = plan.rasters.get(name)
    return {str(k): v for k, v in entry.legend.items()} if entry else {}


def _input(entry: Input) -> dict[str, Any]:
    """One input for the record: its files with size and, where small, SHA-256."""
    from layers.siting.files import described_file

    return {
        "name": entry.name,
        "kind": entry.kind,
        "label": entry.label,
        "layer": entry.layer,
        "unit": entry.unit,
        "features": entry.features,
        "files": [described_file(path) for path in entry.files],
        **asdict(entry.credit),
    }


def _grid(found: FoundSites, cell: str) -> dict[str, Any]:
    from rasterio.warp import transform_bounds

    grid = found.grid
    box = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds, densify_pts=21)
    return {
        "crs": grid.crs,
        "bounds": list(grid.bounds),
        "shape": list(grid.shape),
        "cell": cell,
        "bbox": list(box),
    }

"""Siting: connected sites of cells that meet criteria, ranked by their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.crs import require_lonlat
from geo.errors import CriteriaError, GeometryError, GeometryTypeError
from geo.raster.metric import require_metric

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from geo.parallel import Progress
    from geo.raster.bands import Band
    from geo.raster.found import FoundSites
    from geo.raster.grid import Grid
    from geo.raster.plan import Plan
    from geo.raster.suitability import Criteria
    from geo.raster.tiles import Part

ELEVATION = "elevation"
"""Name of the raster that slope and aspect are of."""

TERRAIN = ("slope_deg", "aspect_deg")
"""Measures that come from the elevation."""

DISTANCE = "_m"
"""End of the name of a distance, after the name of the features."""


@dataclass(frozen=True, kw_only=True)
class Siting:
    """Everything that decides which cells are sites.

    It knows nothing of what is to be built there.

    Attributes
    ----------
    grid
        The cells: in a projected CRS in metres, where lengths and areas are those of
        the plane, or in EPSG:4326, where they are those of the ellipsoid, row by row.
    rasters
        Rasters by the name of their measure, such as ``"elevation"``, each in any CRS,
        resolution and extent.
    features
        Points, lines and polygons by name, EPSG:4326. Those outside the grid count.
    regions
        Polygons to look in, EPSG:4326; a cell belongs where its centre lies. None for
        the whole grid.
    criteria
        Conditions and scores. The id of a criterion names its measure: a raster;
        ``slope_deg`` or ``aspect_deg`` of the raster ``elevation``; or the name of
        features and ``_m`` for the distance to the nearest of them. [m]
    min_area_m2
        Smallest site. [m²]
    max_shape_index
        Most ragged site: its perimeter, holes included, over that of a square of its
        area; 1 for a square, inf for any.
    connectivity
        4: cells join along edges; 8: at corners too.

    Raises
    ------
    CRSMissingError, CRSMismatchError
        If features or regions name no CRS, or another than EPSG:4326.
    CriteriaError
        If a criterion is about no measure, stands twice or lists classes of what has
        none, or no weight is above zero, or a limit is out of range.
    GeometryError
        If there is no region, or there are no features where some are needed.
    GeometryTypeError
        If a region is no polygon.
    GridError
        If the grid is neither in metres nor in EPSG:4326.
    """

    grid: Grid
    rasters: Mapping[str, Band]
    features: Mapping[str, gpd.GeoSeries] = field(default_factory=dict)
    regions: gpd.GeoSeries | None = None
    criteria: Criteria
    min_area_m2: float = 0.0
    max_shape_index: float = math.inf
    connectivity: Literal[4, 8] = 4

    def __post_init__(self) -> None:
        """Refuse what cannot be answered."""
        require_metric(self.grid)
        for name, shapes in self.features.items():
            require_lonlat(shapes, f"features {name!r}")
        self._check_regions()
        self._check_criteria()
        if not 0 <= self.min_area_m2 < math.inf:
            raise CriteriaError(
                f"min_area_m2 is {self.min_area_m2}; expected 0 or more [m²]"
            )
        if not self.max_shape_index >= 1:
            raise CriteriaError(
                f"max_shape_index is {self.max_shape_index}; expected 1, which only a "
                "square meets, or more"
            )
        if self.connectivity not in {4, 8}:
            raise CriteriaError(f"connectivity is {self.connectivity}; expected 4 or 8")

    def _check_regions(self) -> None:
        if self.regions is None:
            return
        require_lonlat(self.regions, "regions")
        if self.regions.empty:
            raise GeometryError("regions is empty: there is nowhere to look")
        odd = ~self.regions.geom_type.isin(["Polygon", "MultiPolygon"])
        if odd.any():
            first = self.regions.geom_type[odd].iloc[0]
            raise GeometryTypeError(f"regions holds a {first}; expected polygons")

    def _check_criteria(self) -> None:
        seen = set()
        for criterion in self.criteria:
            name = criterion.id
            if name in seen:
                raise CriteriaError(f"criteria: {name!r} stands twice")
            seen.add(name)
            if name in self.rasters:
                continue
            if criterion.classes:
                raise CriteriaError(
                    f"criterion {name!r} lists classes, but is no raster of these: "
                    f"{', '.join(self.rasters)}"
                )
            if name in TERRAIN:
                if ELEVATION not in self.rasters:
                    raise CriteriaError(
                        f"criterion {name!r} needs the raster {ELEVATION!r}; there are "
                        f"{', '.join(self.rasters) or 'none'}"
                    )
                continue
            self._check_distance(name)
        if not any(c.weight for c in self.criteria):
            raise CriteriaError(
                "no criterion has a weight above zero: nothing to rank by"
            )

    def _check_distance(self, name: str) -> None:
        if not (
            name.endswith(DISTANCE) and name.removesuffix(DISTANCE) in self.features
        ):
            known = [*self.rasters, *(f"{n}{DISTANCE}" for n in self.features)]
            if ELEVATION in self.rasters:
                known += TERRAIN
            raise CriteriaError(
                f"criterion {name!r} has no measure; expected one of {', '.join(known)}"
            )
        if self.features[name.removesuffix(DISTANCE)].empty:
            raise GeometryError(
                f"features {name.removesuffix(DISTANCE)!r} is empty: there is nothing "
                "to measure to. Leave the criterion out, or give features"
            )


def find_sites(
    siting: Siting,
    *,
    keep: int | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
    tile: int | tuple[int, int] | None = None,
) -> FoundSites:
    """Find the sites of a siting, and rank them.

    Parameters
    ----------
    siting
        What to look for, and where.
    keep
        How many of the best sites get an outline; all when None.
    progress
        Called with the tiles that are done and how many there are. What it raises
        stops the work, and so does Ctrl-C.
    threads
        How many threads to use; as many as there are processors when None.
    tile
        Rows and columns of a tile, or one number for both; what suits the files when
        None. The answer is the same for all.

    Returns
    -------
    FoundSites
        Best first; an empty table where there is none.

    Raises
    ------
    CRSMissingError
        If a raster names no CRS.
    GeometryError
        If no cell has its centre in the regions, or a feature is invalid.
    GridError
        If a raster is missing, damaged, or does not meet the grid.

    Notes
    -----
    A cell is eligible if its centre lies in the regions and it meets every criterion;
    one without a value in any raster that a criterion uses never does. Slope and
    aspect are Horn's, without a value where a neighbour has none, as at the edge of
    the raster; a level cell has no aspect, passes any bounds on it and gets the
    membership 1. Features exclude exactly (:mod:`geo.raster.buffers`) and grade by a
    field that is within 0.71 of its step of the distance
    (:mod:`geo.raster.fields`). Cells that touch form a group; the groups that are
    large and compact enough are the sites. The score of a site is the weighted mean,
    over its cells, of the memberships.
    """
    import geopandas as gpd

    from geo.parallel import run_chunks
    from geo.raster.found import FoundSites
    from geo.raster.merging import merge
    from geo.raster.outlines import outlines
    from geo.raster.plan import make_plan
    from geo.raster.sheets import reading
    from geo.raster.streaming import Streamer, lay_out
    from geo.raster.tables import table_of

    shape = (tile, tile) if isinstance(tile, int) else tile
    with reading() as handles:
        plan = make_plan(siting, handles)
        layout = lay_out(plan, shape)
        streamer = Streamer(plan, layout, handles, scored=False)
        judged = run_chunks(
            lambda number, _: streamer.judge(number)[0],
            layout.tiles,
            chunk=1,
            progress=progress,
            threads=threads,
        )
    parts = [part for part in judged if part is not None]
    sites = merge(
        parts,
        plan.limits,
        row_seams=layout.row_seams,
        column_seams=layout.column_seams,
    )
    table = table_of(sites, plan)
    best = table["label"].to_numpy()[:keep]
    shapes = np.full(len(table), None, dtype=object)
    shapes[: len(best)] = outlines(
        sites.runs,
        best,
        siting.grid,
        connectivity=siting.connectivity,
        threads=threads,
    )
    area = sum(part.area for part in parts)
    return FoundSites(
        table=gpd.GeoDataFrame(table, geometry=shapes, crs=siting.grid.crs),
        grid=siting.grid,
        cells=sum(part.looked for part in parts),
        eligible_cells=sum(part.eligible for part in parts),
        eligible_area_m2=area * plan.limits.units.area_unit_m2,
        regions_found=sites.regions_found,
        codes=_codes(parts, plan),
        runs=sites.runs,
    )


def _codes(parts: Sequence[Part], plan: Plan) -> dict[str, dict[int, int]]:
    """Cells by class, but for those without a value."""
    found = {}
    for rule in plan.rules:
        if rule.kind == "codes":
            counts = np.sum([part.codes[rule.name] for part in parts], axis=0)
            none = plan.sources[rule.name].none
            held = np.flatnonzero(counts).tolist()
            found[rule.name] = {c: int(counts[c]) for c in held if c != none}
    return found

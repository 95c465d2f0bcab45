"""Siting: connected sites of cells that meet criteria, ranked by their scores."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from geo.crs import require_lonlat
from geo.errors import CriteriaError, GeometryError, GeometryTypeError
from geo.raster.metric import require_metric

if TYPE_CHECKING:
    import os

    import geopandas as gpd

    from geo.parallel import Progress
    from geo.raster.bands import Band
    from geo.raster.found import FoundSites
    from geo.raster.grid import Grid
    from geo.raster.suitability import Criteria

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
    folder: str | os.PathLike[str] | None = None,
    workspace: str | os.PathLike[str] | None = None,
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
    folder
        Where to write ``score.tif`` and ``mask.tif``, each a COG with overviews over
        the rows and columns that hold the regions. The score of each eligible cell is
        kept in steps of 0.004 (the scale of the band), nodata elsewhere; the mask
        holds the rank of the site that a cell belongs to, counted from 1, and 0 (its
        nodata) elsewhere. A file of the same name is replaced. None to write nothing.
    workspace
        Where to keep what is known of each tile: a folder that is new, empty, or from
        an earlier run of the same search that was killed, which then goes on. None to
        keep nothing.
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
    FileExistsError
        If the workspace is one of another search, or an input has changed since.
    GeometryError
        If no cell has its centre in the regions, or a feature is invalid.
    GridError
        If a raster is missing, damaged, or does not meet the grid.
    OSError
        If the disk is full; no half of a file is left.

    Notes
    -----
    A cell is eligible if its centre lies in the regions and it meets every criterion;
    one without a value in any raster that a criterion uses never does. Slope and
    aspect are Horn's, without a value where a neighbour has none, as at the edge of
    the raster; a level cell has no aspect, passes any bounds on it and gets the
    membership 1. Features exclude exactly (:mod:`geo.raster.buffers`) and grade by a
    field between whose nodes the distance is bilinear (:mod:`geo.raster.fields`).
    Cells that touch form a group; the groups that are large and compact enough are the
    sites. The score of a site is the weighted mean, over its cells, of the
    memberships.

    Examples
    --------
    >>> import numpy as np, rasterio, tempfile
    >>> from geo.raster import Band, Grid, parse_criteria
    >>> grid = Grid.over((3e5, 43e5, 3e5 + 300, 43e5 + 240), 30.0, crs="EPSG:32651")
    >>> file = tempfile.NamedTemporaryFile(suffix=".tif")
    >>> with rasterio.open(file.name, "w", driver="GTiff", width=10, height=8, count=1,
    ...         dtype="uint8", crs=grid.crs, transform=grid.transform) as target:
    ...     target.write(np.full((1, 8, 10), 30, np.uint8))
    >>> grass = parse_criteria([{"id": "cover", "label": "land cover", "unit": "class",
    ...     "classes": {"30": 1.0}, "weight": 1, "reason": "Open.", "source": "ours"}])
    >>> found = find_sites(Siting(grid=grid, rasters={"cover": Band(paths=file.name)},
    ...     criteria=grass, min_area_m2=10_000.0))
    >>> found.table[["cells", "area_m2", "score"]].values.tolist()
    [[80.0, 72000.0, 1.0]]
    """
    from geo.raster.search import search

    return search(
        siting,
        keep=keep,
        folder=folder,
        workspace=workspace,
        progress=progress,
        threads=threads,
        tile=(tile, tile) if isinstance(tile, int) else tile,
    )

"""The table of sites: what each holds, where it lies, and why it ranks so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo import geodesy
from layers.siting import words
from layers.siting.energy import SiteEnergy, energy_of
from layers.siting.nearness import Outlines
from layers.siting.setback import inside_share
from layers.solar_words import Names, area_names, distinct

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from geo.raster import Grid
    from geo.raster.found import FoundSites
    from layers.siting.inputs import Prepared
    from layers.siting.plan import SitingPlan

    Floats = NDArray[np.float64]

KIND = "solar_site"

FEATURE = (
    "id",
    "name",
    "name_ko",
    "name_zh",
    "kind",
    "uncertainty_m",
    "precision_code",
    "georeference_protocol",
    "status",
    "claims",
    "sources",
    "note",
)
POWER = (
    "rank",
    "region",
    "area_km2",
    "net_area_km2",
    "capacity_mw",
    "capacity_mw_low",
    "capacity_mw_high",
    "energy_gwh",
    "energy_gwh_p90",
    "yield_kwh_per_kwp",
    "ghi_kwh_per_m2",
    "slope_mean_deg",
    "slope_max_deg",
    "altitude_m",
    "shape_index",
)
"""Columns of every table of sites, after those of every feature; distances follow."""

RANKS = ("top_probability", "rank_low", "rank_high")
"""Columns that say how firm a rank is; after the score and its shares."""

_UNCERTAIN = ("uncertainty_m", "boundary_uncertainty_m")
_NAMES = ("name", "name_ko", "name_zh")


def describe(
    found: FoundSites, prepared: Prepared, power: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Describe the best sites that a search found.

    Parameters
    ----------
    found
        What the search gave, with geometry for the sites described.
    prepared
        The search.
    power
        Of the first rows, from :func:`power_of`; so many are described.

    Returns
    -------
    geopandas.GeoDataFrame
        Polygons in EPSG:4326, best first, index 0, 1 …, in the columns
        :data:`FEATURE`, :data:`POWER`, then for each feature ``…_km`` (geodesic, from
        the outline; 0 where they meet), ``…_min_km`` and ``…_max_km`` where its place
        is uncertain and ``…_name`` where it has one, then ``score``, ``share_…`` of
        each weighted criterion, which sum to it, and ``reasons``.

    Notes
    -----
    Areas are on the ellipsoid. The net area lies inside the setback, from holes too
    (:func:`layers.siting.setback.inside_share`).
    Capacity is net area times usable fraction times density, low with low and high
    with high. A site that reaches over a border of regions is that of the region in
    which a point inside it lies.
    """
    import geopandas as gpd
    import pandas as pd

    plan = prepared.plan
    best = found.table.head(len(power))
    sites = best[["geometry"]].reset_index(drop=True).to_crs(4326)
    shapes = np.asarray(sites.geometry.array, dtype=object)
    middles = shapely.centroid(shapes)
    lon, lat = shapely.get_x(middles), shapely.get_y(middles)
    columns: dict[str, Any] = _as_features(plan, found.grid, len(best))
    columns["rank"] = np.arange(1, len(best) + 1)
    columns["region"] = _regions(prepared, shapes)
    columns |= {str(name): power[name].to_numpy() for name in power}
    distances, nearby = _distances(prepared, sites)
    columns |= distances
    columns |= _names(prepared, nearby, lon, lat)
    columns["score"] = best["score"].to_numpy(dtype=float)
    columns |= _shares(plan, best)
    table = pd.DataFrame(columns, index=range(len(best)))
    table["reasons"] = _reasons(table, prepared, nearby)
    if plan.synthetic:
        for name in _NAMES:
            table[name] = [
                f"{n} ({words.SYNTHETIC.lower()})" if n else "" for n in table[name]
            ]
    order = [*FEATURE, *POWER, *(c for c in table if c not in {*FEATURE, *POWER})]
    return gpd.GeoDataFrame(table[order], geometry=shapes, crs="EPSG:4326")


def power_of(
    found: FoundSites, plan: SitingPlan, *, rows: int
) -> tuple[pd.DataFrame, SiteEnergy]:
    """Work out area, capacity and energy of sites.

    Parameters
    ----------
    found
        What a search gave, with outlines and cells for the sites asked about.
    plan
        The plan.
    rows
        How many of the first sites are asked about.

    Returns
    -------
    table, energy
        Columns ``area_km2`` to ``shape_index`` of :data:`POWER`, index 0, 1 …, and the
        sunlight behind them.

    Raises
    ------
    GridError
        If the shipped climatology does not cover the sites.
    """
    import pandas as pd

    best = found.table.head(rows)
    shapes = np.asarray(best.geometry.to_crs(4326).array, dtype=object)
    middles = shapely.centroid(shapes)
    area = geodesy.area(shapes)
    net = area * inside_share(found, len(best), plan.sites.setback_m)
    per_km2 = plan.density_mwp_per_km2 * plan.usable_fraction
    altitude = best["mean_elevation"].to_numpy(dtype=float)
    sun = energy_of(
        shapely.get_x(middles),
        shapely.get_y(middles),
        altitude_m=altitude,
        ghi_kwh_per_m2=best["mean_ghi"].to_numpy(dtype=float),
        bias=plan.bias.to("", 1 / plan.bias.mid),  # the search has its middle in it
        plant=plan.plant,
        spread=plan.spread,
    )
    capacity = net / 1e6 * per_km2.mid
    energy = capacity * sun.yield_mid / 1e3
    table = pd.DataFrame(
        {
            "area_km2": area / 1e6,
            "net_area_km2": net / 1e6,
            "capacity_mw": capacity,
            "capacity_mw_low": net / 1e6 * per_km2.low,
            "capacity_mw_high": net / 1e6 * per_km2.high,
            "energy_gwh": energy,
            "energy_gwh_p90": energy * sun.p90,
            "yield_kwh_per_kwp": sun.yield_mid,
            "ghi_kwh_per_m2": sun.ghi_kwh_per_m2,
            "slope_mean_deg": best["mean_slope_deg"].to_numpy(dtype=float),
            "slope_max_deg": best["max_slope_deg"].to_numpy(dtype=float),
            "altitude_m": altitude,
            "shape_index": best["shape_index"].to_numpy(dtype=float),
        }
    )
    return table, sun


def cell_words(grid: Grid) -> str:
    """Say how large a cell is.

    Parameters
    ----------
    grid
        The cells.

    Returns
    -------
    str
        Such as ``1″ × 1″`` or ``30 m × 30 m``.
    """
    if not grid.is_lonlat:
        return f"{grid.dx:g} m × {grid.dy:g} m"
    return f"{grid.dx * 3600:.4g}″ × {grid.dy * 3600:.4g}″"


def _as_features(plan: SitingPlan, grid: Grid, n: int) -> dict[str, Any]:
    if grid.is_lonlat:
        half = grid.cell_diagonal_m() / 2
    else:
        half = float(np.hypot(grid.dx, grid.dy)) / 2
    return {
        "id": [f"site-{i + 1:03d}" for i in range(n)],
        "kind": KIND,
        "uncertainty_m": half,
        "precision_code": 5,
        "georeference_protocol": words.protocol(plan, cell_words(grid)),
        "status": "hypothetical",
        "claims": "",
        "sources": " ".join(plan.sources),
        "note": words.note(plan),
    }


def _regions(prepared: Prepared, shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Id of the region in which a point inside each site lies; else the nearest."""
    if prepared.regions is None:
        return np.full(len(shapes), "", dtype=object)
    inside = shapely.point_on_surface(shapes)
    tree = shapely.STRtree(prepared.regions.geometry.to_numpy())
    ids = prepared.regions["id"].to_numpy(dtype=object)
    if not len(shapes):
        return np.empty(0, dtype=object)
    return np.array([ids[tree.nearest(point)] for point in inside], dtype=object)


def _distances(
    prepared: Prepared, sites: gpd.GeoDataFrame
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Distance to the nearest of each feature, and which that is."""
    columns: dict[str, Any] = {}
    met: dict[str, pd.DataFrame] = {}
    outlines = Outlines(sites)
    for name, layer in prepared.features.items():
        there = [c for c in _NAMES if c in layer]
        joined = outlines.nearest(layer[[*there, "geometry"]])
        reach = _reach_m(layer)[joined["index_right"].to_numpy(dtype=int)]
        metres = joined["distance_m"].to_numpy(dtype=float)
        met[name] = joined.assign(reach_m=reach)
        columns[f"{name}_km"] = metres / 1e3
        if set(_UNCERTAIN) & set(layer.columns):
            columns[f"{name}_min_km"] = np.maximum(metres - reach, 0) / 1e3
            columns[f"{name}_max_km"] = (metres + reach) / 1e3
        if "name" in there:
            columns[f"{name}_name"] = joined["name"].fillna("").to_numpy()
    return columns, met


def _reach_m(layer: gpd.GeoDataFrame) -> Floats:
    """How far each feature may lie from where it is drawn. [m]."""
    there = [c for c in _UNCERTAIN if c in layer]
    if not there:
        return np.zeros(len(layer))
    reach: Floats = layer[there].astype(float).fillna(0).max(axis=1).to_numpy()
    return reach


def _names(
    prepared: Prepared,
    met: dict[str, pd.DataFrame],
    lon: Floats,
    lat: Floats,
) -> dict[str, list[str]]:
    """Name each site after its nearest town, or by number where there are none."""
    n = len(lon)
    if "town" not in met or "name" not in met["town"]:
        return {
            "name": [f"Site {i + 1}" for i in range(n)],
            "name_ko": [""] * n,
            "name_zh": [""] * n,
        }
    nearest_town = met["town"]
    towns = prepared.features["town"]
    points = shapely.point_on_surface(
        towns.geometry.to_numpy()[nearest_town["index_right"].to_numpy(dtype=int)]
    )
    from_town = geodesy.inverse(shapely.get_x(points), shapely.get_y(points), lon, lat)
    named = [
        area_names(
            Names(*(str(row.get(k) or "") for k in _NAMES)),
            distance_km=float(metres) / 1e3,
            azimuth_deg=float(azimuth),
        )
        for row, metres, azimuth in zip(
            nearest_town.to_dict("records"),
            from_town.distance_m,
            from_town.azimuth_deg,
            strict=True,
        )
    ]
    return {
        "name": distinct(names.en for names in named),
        "name_ko": distinct(names.ko for names in named),
        "name_zh": distinct(names.zh for names in named),
    }


def _shares(plan: SitingPlan, best: pd.DataFrame) -> dict[str, Floats]:
    """Parts of the score that each weighted criterion gives."""
    total = sum(c.weight for c in plan.criteria)
    return {
        f"share_{c.id}": best[f"score_{c.id}"].to_numpy(dtype=float) * c.weight / total
        for c in plan.criteria
        if c.weight
    }


def _reasons(
    table: pd.DataFrame, prepared: Prepared, met: dict[str, pd.DataFrame]
) -> list[str]:
    labels = {c.id: c.label for c in prepared.plan.criteria if c.weight}
    features = {
        name: entry.label
        for name, entry in prepared.plan.vectors.items()
        if name in met
    }
    known = {name: joined["reach_m"] / 1e3 for name, joined in met.items()}
    rows = [{str(k): v for k, v in r.items()} for r in table.to_dict("records")]
    return [
        words.reasons(
            row,
            labels=labels,
            features=features,
            uncertainty_km={k: float(v.iloc[i]) for k, v in known.items()},
            synthetic=prepared.plan.synthetic,
        )
        for i, row in enumerate(rows)
    ]

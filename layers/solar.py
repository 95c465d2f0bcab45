"""Candidate solar areas: where the criteria lead, how much power, how much energy.

Hypothetical throughout. No source names a site; the cells are kilometres wide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo.crs import require_lonlat
from geo.errors import GeometryError, GridError
from geo.geodesy import inverse
from geo.raster import (
    Grid,
    distance_to,
    evaluate,
    grow,
    inside,
    polygons,
    read,
    relief,
    resample,
)
from layers import solar_words as words
from layers.irradiance import (
    Correction,
    Sites,
    correction,
    exceeded_in_nine_of_ten,
    kwh_per_year,
    monthly_means,
)
from layers.siting.files import read_sites
from layers.siting.sites import SolarSites, sites
from layers.solar_criteria import SolarCriteria, load_solar_criteria

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd
    import pandas as pd
    from numpy.typing import NDArray

    from geo.raster import Suitability

__all__ = [
    "COLUMNS",
    "RASTERS",
    "SolarSites",
    "areas",
    "read_sites",
    "sites",
]

RASTERS = ("land-cover", "altitude", "linke-turbidity", "irradiance")
"""Ids of the rasters that the areas rest on."""

COLUMNS = (
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
    "layer",
    "rank",
    "region",
    "area_km2",
    "capacity_mw",
    "capacity_mw_low",
    "capacity_mw_high",
    "energy_gwh",
    "energy_gwh_p90",
    "yield_kwh_per_kwp",
    "ghi_kwh_per_m2",
    "ghi_low_kwh_per_m2",
    "ghi_high_kwh_per_m2",
    "ghi_clear_sky_kwh_per_m2",
    "altitude_m",
    "relief_m",
    "coast_km",
    "plant_km",
    "plant_name",
    "town_km",
    "town_name",
    "score",
    "reasons",
    "land_cover",
)
"""Columns of the areas; one ``share_…`` a weighted criterion follows."""

_FROM_THE_MIDDLE = ("coast_km", "plant_km", "town_km")

_NOTE = (
    "Hypothetical: found by criteria on open rasters with cells of several kilometres. "
    "No source names a site. An area to look into, not a site."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    """Everything known of the cells; arrays in the shape of ``grid``."""

    grid: Grid
    region: NDArray[np.int64]
    measures: Mapping[str, NDArray[np.float64]]
    ghi_w_per_m2: NDArray[np.float64]
    turbidity: NDArray[np.float64]
    plant: NDArray[np.int64]
    town: NDArray[np.int64]
    plants: gpd.GeoDataFrame
    towns: gpd.GeoDataFrame
    correction: Correction


def areas(
    criteria: str | os.PathLike[str] | SolarCriteria | None = None,
    *,
    regions: gpd.GeoDataFrame,
    coast: gpd.GeoDataFrame | None = None,
    plants: gpd.GeoDataFrame | None = None,
    towns: gpd.GeoDataFrame | None = None,
    rasters: Mapping[str, Path] | None = None,
) -> gpd.GeoDataFrame:
    """Find and rank candidate solar areas in regions.

    Parameters
    ----------
    criteria
        Criteria file, or the same already read; the one that ships when not given.
    regions
        Polygons to search, EPSG:4326, with ``id`` and ``name``.
    coast, plants, towns
        Layers ``base-coast``, ``power-plants`` and ``places`` when not given; all in
        EPSG:4326; plants with ``capacity_mw`` and ``fuel``, towns with ``population``
        besides the feature columns.
    rasters
        Files by id of :data:`RASTERS`; those that ship where not given.

    Returns
    -------
    geopandas.GeoDataFrame
        Polygons in EPSG:4326, index 0, 1 … in order of rank, in the feature columns
        (``kind`` is ``candidate_solar_area``, ``status`` is ``hypothetical``), then
        ``layer``, ``rank``, ``region`` (id) and the solar columns: areas [km²],
        capacities of modules [MW], yearly energy [GWh], yield [kWh/kWp], irradiation of
        a year [kWh/m²] (``ghi_clear_sky_…`` is without cloud), altitude and relief [m],
        distances from the middle cell [km],
        ``score`` and its parts ``share_…`` [1], and text. No rows where no cell passes.

    Raises
    ------
    CriteriaError
        If the criteria file is wrong.
    CRSMissingError, CRSMismatchError
        If a layer names no CRS, or another than EPSG:4326.
    GeometryError
        If there is no region, coast, plant or town to measure to.
    GridError
        If a raster is missing or damaged, or does not cover the regions or the
        reference points of the irradiance.

    Notes
    -----
    The cells are those of the land cover. A cell counts if its centre is in a region
    and it meets every criterion; the score is a weighted mean. Areas are grown from the
    best cells of each region under a bound of size (:func:`geo.raster.grow`), so that
    one region does not crowd out another, and ranked by mean score over all regions.
    Capacity is area times usable fraction times density, low with low and high with
    high. ``energy_gwh`` is the middle capacity times the yield of a long-term mean
    year; ``energy_gwh_p90`` is what nine years in ten exceed at that same capacity
    (:func:`layers.irradiance.exceeded_in_nine_of_ten`). Land is by far the wider doubt
    and is not in P90. The same input gives the same areas.
    """
    settings = (
        criteria
        if isinstance(criteria, SolarCriteria)
        else load_solar_criteria(criteria)
    )
    measured = _measure(
        settings,
        regions=regions,
        coast=coast,
        plants=plants,
        towns=towns,
        rasters=_rasters(rasters),
    )
    suitability = evaluate(settings.criteria, measured.measures)
    labels = _grow_in_each_region(settings, measured, suitability.score)
    return _table(
        settings,
        measured=measured,
        suitability=suitability,
        labels=labels,
        outlines=polygons(labels, measured.grid),
        regions=regions,
    )


def _rasters(given: Mapping[str, Path] | None) -> dict[str, Path]:
    from layers.catalogue import raster_path

    given = given or {}
    return {name: given.get(name) or raster_path(name) for name in RASTERS}


def _measure(
    settings: SolarCriteria,
    *,
    regions: gpd.GeoDataFrame,
    coast: gpd.GeoDataFrame | None,
    plants: gpd.GeoDataFrame | None,
    towns: gpd.GeoDataFrame | None,
    rasters: Mapping[str, Path],
) -> _Measured:
    """Measure every cell of the land cover that the regions touch."""
    from layers.catalogue import load

    require_lonlat(regions, "regions")
    if regions.empty:
        raise GeometryError("regions is empty: there is nowhere to look")
    west, south, east, north = (float(b) for b in regions.total_bounds)
    whole = Grid.of(rasters["land-cover"])
    left, bottom, right, top = whole.bounds
    if not (left <= west and bottom <= south and east <= right and north <= top):
        raise GridError(
            f"regions reach from {west:g}, {south:g} to {east:g}, {north:g}, "
            f"the land cover only from {left:g}, {bottom:g} to {right:g}, {top:g}; "
            "clip the regions or give rasters that cover them"
        )
    grid = whole.crop((west, south, east, north))
    coast = load("base-coast") if coast is None else coast
    plants = _some(load("power-plants") if plants is None else plants, "plants")
    counted = (
        (plants["status"] == "existing")
        & ~plants["fuel"].fillna("").str.contains("solar")
        & ~(plants["capacity_mw"] < settings.plant_min_mw)
        & (plants["uncertainty_m"] <= settings.plant_max_uncertainty_km * 1e3)
    )
    plants = _some(plants[counted], "plants that count")
    towns = _some(load("places") if towns is None else towns, "towns")
    towns = _some(
        towns[towns["population"] >= settings.town_min_population], "towns that count"
    )

    to_plant = distance_to(plants.geometry, grid=grid)
    to_town = distance_to(towns.geometry, grid=grid)
    own = Grid.of(rasters["altitude"])
    altitude = read(rasters["altitude"])
    corrected = correction(settings, rasters["irradiance"])
    monthly = monthly_means(rasters["irradiance"], grid, "irradiance")
    measures = {
        "land_cover": read(rasters["land-cover"], grid=grid),
        "altitude_m": resample(altitude, own, grid=grid, resampling="bilinear"),
        "relief_m": resample(relief(altitude), own, grid=grid, resampling="bilinear"),
        "ghi_kwh_per_m2": kwh_per_year(monthly) * corrected.factor.mid,
        "coast_km": distance_to(coast.geometry, grid=grid).distance_m / 1e3,
        "plant_km": to_plant.distance_m / 1e3,
        "town_km": to_town.distance_m / 1e3,
    }
    return _Measured(
        grid=grid,
        region=inside(regions.geometry, grid),
        measures=measures,
        ghi_w_per_m2=monthly,
        turbidity=monthly_means(rasters["linke-turbidity"], grid, "linke-turbidity"),
        plant=to_plant.feature,
        town=to_town.feature,
        plants=plants,
        towns=towns,
        correction=corrected,
    )


def _grow_in_each_region(
    settings: SolarCriteria, measured: _Measured, score: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Label areas 1, 2 …; none crosses from one region into another."""
    labels = np.zeros(measured.grid.shape, dtype=np.int64)
    for region in range(int(measured.region.max()) + 1):
        grown = grow(
            np.where(measured.region == region, score, np.nan),
            measured.grid,
            min_area_m2=settings.min_km2 * 1e6,
            max_area_m2=settings.max_km2 * 1e6,
            max_radius_m=settings.max_radius_km * 1e3,
            limit=settings.limit_per_region,
        )
        labels[grown > 0] = grown[grown > 0] + labels.max()
    return labels


def _table(
    settings: SolarCriteria,
    *,
    measured: _Measured,
    suitability: Suitability,
    labels: NDArray[np.int64],
    outlines: gpd.GeoDataFrame,
    regions: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Describe each area, and rank them."""
    import geopandas as gpd
    import pandas as pd

    cells = [labels == label for label in outlines["label"]]
    means = pd.DataFrame(
        {
            name: [float(values[c].mean()) for c in cells]
            for name, values in {
                **measured.measures,
                "score": suitability.score,
                **{f"share_{k}": v for k, v in suitability.shares.items()},
            }.items()
        },
        index=outlines.index,
        dtype=float,
    )
    by_area = [
        {str(k): float(v) for k, v in row.items()} for _, row in means.iterrows()
    ]
    # Ties in score go to the larger area, then to the one grown first.
    order = sorted(
        outlines.index,
        key=lambda i: (-round(means["score"][i], 9), -outlines["area_m2"][i], i),
    )
    table = pd.DataFrame(
        [_row(cells[i], by_area[i], settings, measured, regions) for i in order],
        index=range(len(order)),
    )
    columns = [*COLUMNS, *(f"share_{k}" for k in suitability.shares)]
    if table.empty:
        table = pd.DataFrame({c: [] for c in columns})
    else:
        table["area_km2"] = outlines["area_m2"].loc[order].to_numpy() / 1e6
        table["rank"] = pd.array(range(1, len(order) + 1), dtype="Int64")
        table["id"] = [f"area-{rank:02d}" for rank in table["rank"]]
        for name in ("name", "name_ko", "name_zh"):
            table[name] = words.distinct(table[name])
        _add_power(table, settings)
        _add_energy(table, [cells[i] for i in order], settings, measured)
    return gpd.GeoDataFrame(
        table[columns],
        geometry=[outlines.geometry[i] for i in order],
        crs="EPSG:4326",
    )


def _row(
    cells: NDArray[np.bool_],
    means: Mapping[str, float],
    settings: SolarCriteria,
    measured: _Measured,
    regions: gpd.GeoDataFrame,
) -> dict[str, object]:
    """Describe one area; what depends on the others or on the sun comes later."""
    middle = _middle(cells, measured.grid)
    km = {k: float(measured.measures[k][middle]) for k in _FROM_THE_MIDDLE}
    lon, lat = (float(axis[middle]) for axis in measured.grid.centres())
    plant = measured.plants.iloc[measured.plant[middle]]
    town = measured.towns.iloc[measured.town[middle]]
    azimuth = inverse(town.geometry.x, town.geometry.y, lon, lat).azimuth_deg
    names = words.area_names(
        words.Names(town["name"], town["name_ko"], town["name_zh"]),
        distance_km=km["town_km"],
        azimuth_deg=float(azimuth),
    )
    classes = measured.measures["land_cover"][cells]
    return {
        "name": names.en,
        "name_ko": names.ko,
        "name_zh": names.zh,
        "kind": "candidate_solar_area",
        "uncertainty_m": measured.grid.cell_diagonal_m() / 2,
        "precision_code": 5,
        "georeference_protocol": (
            f"Outline of cells of {measured.grid.dx:g}° that meet {settings.file}. "
            "The uncertainty is half a cell's diagonal."
        ),
        "status": "hypothetical",
        "claims": "",
        "sources": " ".join(settings.sources),
        "note": _NOTE,
        "layer": "solar-areas",
        "region": regions["id"].iloc[int(measured.region[middle])],
        "plant_name": plant["name"],
        "town_name": town["name"],
        "land_cover": words.land_cover_text(classes),
        "reasons": words.reasons(
            classes,
            means=means,
            plant=plant["name"],
            plant_km=km["plant_km"],
            plant_uncertainty_km=float(plant["uncertainty_m"]) / 1e3,
            town=town["name"],
            town_km=km["town_km"],
            coast_km=km["coast_km"],
        ),
        **{k: float(means[k]) for k in ("altitude_m", "relief_m", "score")},
        **{k: float(v) for k, v in means.items() if k.startswith("share_")},
        **km,
    }


def _add_power(table: pd.DataFrame, settings: SolarCriteria) -> None:
    per_km2 = settings.density_mwp_per_km2 * settings.usable_fraction
    table["capacity_mw"] = table["area_km2"] * per_km2.mid
    table["capacity_mw_low"] = table["area_km2"] * per_km2.low
    table["capacity_mw_high"] = table["area_km2"] * per_km2.high


def _add_energy(
    table: pd.DataFrame,
    cells: list[NDArray[np.bool_]],
    settings: SolarCriteria,
    measured: _Measured,
) -> None:
    """Add irradiation, yield and energy, for the mean of each area's cells."""
    middles = [_middle(c, measured.grid) for c in cells]
    lon, lat = (
        np.array([axis[m] for m in middles]) for axis in measured.grid.centres()
    )
    sites = Sites(
        lon,
        lat,
        table["altitude_m"].to_numpy(),
        np.array([measured.turbidity[:, c].mean(axis=1) for c in cells]),
    )
    monthly = np.array([measured.ghi_w_per_m2[:, c].mean(axis=1) for c in cells])
    factor = measured.correction.factor
    low, mid, high = (
        sites.energy(monthly * f, settings.plant)
        for f in (factor.low, factor.mid, factor.high)
    )
    table["ghi_low_kwh_per_m2"] = low.ghi_kwh_per_m2
    table["ghi_kwh_per_m2"] = mid.ghi_kwh_per_m2
    table["ghi_high_kwh_per_m2"] = high.ghi_kwh_per_m2
    table["ghi_clear_sky_kwh_per_m2"] = sites.clear_sky_kwh_per_m2()
    table["yield_kwh_per_kwp"] = mid.yield_kwh_per_kwp
    table["energy_gwh"] = table["capacity_mw"] * mid.yield_kwh_per_kwp / 1e3
    table["energy_gwh_p90"] = [
        exceeded_in_nine_of_ten(
            energy,
            at_low_sun=energy * low.yield_kwh_per_kwp[i] / mid.yield_kwh_per_kwp[i],
            at_high_sun=energy * high.yield_kwh_per_kwp[i] / mid.yield_kwh_per_kwp[i],
            sun=settings.ground_kwh_per_m2,
            spread=settings.spread,
        )
        for i, energy in enumerate(table["energy_gwh"])
    ]


def _middle(cells: NDArray[np.bool_], grid: Grid) -> tuple[int, int]:
    """Cell of an area that lies nearest to the mean of its cell centres."""
    rows, columns = np.nonzero(cells)
    lon, lat = (axis[rows, columns] for axis in grid.centres())
    *_, away = inverse(lon.mean(), lat.mean(), lon, lat)
    nearest = int(np.argmin(np.round(away, 3)))
    return int(rows[nearest]), int(columns[nearest])


def _some(layer: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    if layer.empty:
        raise GeometryError(f"there are no {name}; expected one or more to measure to")
    return layer

"""Sites as the search gives them, without a search: numbers made up for the tests."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio
from affine import Affine
from shapely.geometry import box
from shapely.ops import unary_union

from layers.siting.portfolios import Portfolio
from layers.siting.sites import SolarSites
from layers.siting.tornado import COLUMNS
from layers.solar_method import Rule

SHARES = ("slope_deg", "land_cover", "ghi", "town_m")
CELL = 0.001


def some_sites(count=30, *, top_n=10, synthetic=False, folder=None, **changes):
    """Sites in two provinces, best first; with a raster of scores in a folder."""
    rng = np.random.default_rng(11)
    shapes = [_shape(rng, i) for i in range(count)]
    table = _table(rng, shapes, count)
    found = SolarSites(
        id="trial",
        title=("Synthetic terrain: " if synthetic else "") + "Trial sites",
        file="trial.toml",
        synthetic=synthetic,
        exchange="cholsan-2019",
        table=table,
        tornado=_tornado(),
        portfolios=_portfolios(table),
        rules=tuple(
            Rule(
                label=label,
                rule=f"rule on {label}",
                weight=weight,
                reason=f"reason for {label}",
                source="our judgement",
            )
            for label, weight in (
                ("distance from the coast", 0.0),
                ("slope", 0.4),
                ("land cover", 0.3),
                ("irradiation", 0.2),
                ("distance to a town", 0.1),
            )
        ),
        method={
            "cells": "Cells looked at in words.",
            "weights": "Weights in words; consistency ratio 0.021.",
            "capacity": "Capacity in words.",
            "sun": "Sun in words.",
            "energy": "Energy in words.",
            "ranks": "Ranks in words. Not in the probabilities: cost.",
            "left_out": "Left out, since their files are missing: road.",
        },
        inputs=tuple(_inputs()),
        ranks={
            "top_n": min(top_n, count),
            "draws": 10_000,
            "seed": 0,
            "not_in_it": "Not in the probabilities: cost.",
        },
        totals={"sites": count + 1824},
        grid={"bbox": [124.5, 39.0, 126.5, 40.5]},
        outputs=(_raster(folder, shapes),) if folder else (),
    )
    return dataclasses.replace(found, **changes)


def _shape(rng, place):
    """A ragged outline of cells with a hole, the first ones larger."""
    lon, lat = 124.9 + rng.random() * 1.4, 39.2 + rng.random() * 0.9
    side = max(6, 40 - place)
    rows = []
    for row in range(side):
        left = int(rng.integers(0, 4))
        right = side + int(rng.integers(0, 4))
        y = lat + row * CELL
        rows.append(box(lon + left * CELL, y, lon + right * CELL, y + CELL * 1.0001))
    hole = box(
        lon + side / 2 * CELL,
        lat + side / 2 * CELL,
        lon + (side / 2 + 2) * CELL,
        lat + (side / 2 + 2) * CELL,
    )
    return unary_union(rows).difference(hole)


def _table(rng, shapes, count):
    area = np.array([s.area * 111.32**2 * 0.77 for s in shapes])
    score = np.linspace(0.91, 0.62, count)
    parts = rng.dirichlet([8, 6, 4, 2], count) * score[:, None]
    rank = np.arange(1, count + 1)
    columns = {
        "id": [f"site-{i:03d}" for i in rank],
        "name": [f"Sukchŏn NE {i} km" for i in rank],
        "name_ko": [f"숙천 북동 {i} km" for i in rank],
        "name_zh": [f"肃川东北 {i} km" for i in rank],
        "kind": "solar_site",
        "uncertainty_m": 21.2,
        "precision_code": 5,
        "georeference_protocol": "Outline of cells of 1″ × 1″.",
        "status": "hypothetical",
        "claims": "",
        "sources": "merra2-gsee",
        "note": "Hypothetical: computed from trial.toml. No source names a site.",
        "rank": rank,
        "region": np.where(rank % 2, "north-pyongan", "south-pyongan"),
        "area_km2": area,
        "net_area_km2": area * 0.9,
        "capacity_mw": area * 31,
        "capacity_mw_low": area * 12,
        "capacity_mw_high": area * 60,
        "energy_gwh": area * 42,
        "energy_gwh_p90": area * 37,
        "yield_kwh_per_kwp": 1355.0,
        "ghi_kwh_per_m2": 1420.0,
        "slope_mean_deg": rng.uniform(0.5, 2, count),
        "slope_max_deg": rng.uniform(3, 5, count),
        "altitude_m": rng.uniform(10, 300, count),
        "shape_index": rng.uniform(1.2, 6, count),
        "plant_km": rng.uniform(10, 60, count),
        "plant_min_km": 8.0,
        "plant_max_km": 70.0,
        "plant_name": "Pukchang",
        "road_km": rng.uniform(0.1, 3, count),
        "score": score,
        **{f"share_{name}": parts[:, i] for i, name in enumerate(SHARES)},
        "top_probability": np.clip(np.linspace(1.0, 0.0, count), 0, 1),
        "rank_low": np.maximum(1, rank - 3),
        "rank_high": rank + 5,
        "reasons": [f"Reason number {i}." for i in rank],
    }
    frame = pd.DataFrame(columns, index=range(count))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4326")


def _tornado():
    rows = [
        {
            "assumption": assumption,
            "label": label,
            "unit": unit,
            **dict(zip(("low", "planned", "high"), values, strict=True)),
            "outcome_low": outcomes[0],
            "outcome_planned": 9100.0,
            "outcome_high": outcomes[1],
            "capacity_low_gw": outcomes[0] / 1350,
            "capacity_high_gw": outcomes[1] / 1350,
            "top_n_kept_low": kept[0],
            "top_n_kept_high": kept[1],
            "effect": np.nanmax([*outcomes, 9100.0]) - np.nanmin([*outcomes, 9100.0]),
        }
        for assumption, label, unit, values, outcomes, kept in (
            (
                *("capacity.usable_fraction", "part of a site that can be used", "1"),
                *((0.4, 0.7, 0.9), (5200.0, 11700.0), (10, 10)),
            ),
            (
                *("slope_deg.max", "greatest slope", "degrees"),
                *((4.0, 5.0, 8.0), (8600.0, 11200.0), (9, 6)),
            ),
            (
                *("weight.slope_deg", "weight of slope", ""),
                *((0.29, 0.4, 0.52), (9000.0, 9300.0), (8, 9)),
            ),
            (
                *("grid.resolution", "width of cells", "of the plan's"),
                *((np.nan, 1.0, 2.0), (np.nan, 9050.0), (None, 8)),
            ),
        )
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for column in ("top_n_kept_low", "top_n_kept_high"):
        table[column] = table[column].astype("Int64")
    return table


def _portfolios(table):
    found = []
    for reading, label, quantity, unit, target, target_unit in (
        ("A", "2.5 GW of capacity", 2.5, "GW", 2500.0, "MW"),
        ("B", "2.5 GWh a day", 2.5, "GWh/d", 913.1, "GWh"),
    ):
        for land_use, count, possible in (
            ("low", len(table), reading == "B"),
            ("mid", 4, True),
            ("high", 1, True),
        ):
            taken = table.head(count)
            found.append(
                Portfolio(
                    reading=reading,
                    label=label,
                    quantity=quantity,
                    unit=unit,
                    land_use=land_use,
                    target=target,
                    target_unit=target_unit,
                    possible=possible,
                    sites=tuple(taken["id"]),
                    capacity_mw=float(taken["capacity_mw"].sum()),
                    energy_gwh=float(taken["energy_gwh"].sum()),
                    energy_gwh_p90=float(taken["energy_gwh_p90"].sum()),
                    area_km2=float(taken["area_km2"].sum()),
                    reached=1.04 if possible else 0.61,
                )
            )
    return tuple(found)


def _inputs():
    for name, kind, label in (
        ("elevation", "raster", "elevation"),
        ("land_cover", "raster", "land cover"),
        ("plant", "vector", "power plant"),
        ("road", "vector", "road"),
    ):
        yield {
            "name": name,
            "kind": kind,
            "label": label,
            "layer": "power-plants" if name == "plant" else "",
            "unit": "m" if name == "elevation" else "",
            "features": 12 if kind == "vector" else 0,
            "files": []
            if name == "plant"
            else [
                {
                    "name": f"{name}.tif",
                    "bytes": 3_210_000,
                    "sha256": "0123456789ab" * 5,
                }
            ],
            "source": f"Maker of {name}, a data set (2024).",
            "url": "https://example.org/data",
            "licence": "CC-BY-4.0",
            "notice": "Words that the licence asks for.",
        }


def _raster(folder, shapes):
    """Scores over the two provinces, stored whole with a scale."""
    from rasterio.features import rasterize

    rows, columns = 1500, 2000
    place = Affine(CELL, 0, 124.5, 0, -CELL, 40.5)
    rng = np.random.default_rng(2)
    coarse = rng.random((31, 41))
    smooth = np.kron(coarse, np.ones((50, 50)))[:rows, :columns]
    values = np.where(smooth > 0.6, (smooth * 10_000), -1).astype(np.int16)
    inside = rasterize(shapes, out_shape=(rows, columns), transform=place)
    values[inside == 1] = 9200
    path = folder / "score.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=rows,
        width=columns,
        count=1,
        dtype="int16",
        crs="EPSG:4326",
        transform=place,
        nodata=-1,
        compress="deflate",
    ) as target:
        target.write(values, 1)
        target.scales = (0.0001,)
    return path

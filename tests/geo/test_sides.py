import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import GeometryCollection, LineString, MultiPoint, Point, Polygon, box

from geo.errors import ColumnError, GeometryError, GeometryTypeError
from geo.sides import AREAS, POINT, require_count, require_length, side


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


def test_both_columns_of_radii_are_checked_whichever_count():
    for unused in ("uncertainty_m", "boundary_uncertainty_m"):
        [used] = {"uncertainty_m", "boundary_uncertainty_m"} - {unused}
        gdf = layer([box(0, 0, 1, 1)], **{unused: [-5.0], used: [3.0]})
        with pytest.raises(ColumnError, match=f"right, row 0, column {unused}: -5.0"):
            side(gdf, "right", "straight", columns=[used])
        gdf[unused] = 9.0
        assert side(gdf, "right", "straight", columns=[used]).reach_m.tolist() == [3]


def test_what_is_no_layer_is_refused_with_the_mend():
    gdf = layer([Point(0, 0)])
    with pytest.raises(GeometryTypeError, match=r"left is a GeoSeries.*to_frame"):
        side(gdf.geometry, "left", "straight")
    with pytest.raises(GeometryTypeError, match="left is a DataFrame; expected a Geo"):
        side(pd.DataFrame({"a": [1]}), "left", "straight")
    with pytest.raises(GeometryError, match=r"no active geometry.*set_geometry"):
        side(gpd.GeoDataFrame({"a": [1]}), "left", "straight")
    assert side(gdf.geometry.to_frame(), "left", "straight").all_points


@pytest.mark.parametrize("wrong", [0, -1, 1.5, float("nan"), "2", None, True])
def test_what_is_no_count_is_refused(wrong):
    with pytest.raises(GeometryError, match=r"k is .*whole number, 1 or more"):
        require_count("k", wrong)
    require_count("k", np.int64(3))


@pytest.mark.parametrize("wrong", [-1, float("nan"), "5", None, True, np.ones(2)])
def test_what_is_no_length_is_refused(wrong):
    with pytest.raises(GeometryError, match=r"reach is .*length as a number"):
        require_length("reach", wrong)
    require_length("reach", np.float32(3))


def test_a_shape_that_is_no_place_is_refused_with_what_is_wrong():
    empty, nowhere = Polygon(), LineString([(0, 0), (float("inf"), 1)])
    for shape, words in (
        (None, r"row 0: the geometry is missing\. Drop the row"),
        (empty, r"row 0: the geometry is empty\. Drop the row"),
        (Point(float("nan"), 4), "not a finite number: nan, 4. Drop the row"),
        (nowhere, "not a finite number: inf, 1"),
    ):
        with pytest.raises(GeometryError, match=words):
            side(layer([shape]), "mines", "straight")


def test_parts_and_holes_that_are_empty_are_left_out():
    hollow = [
        "MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0), EMPTY))",
        "POLYGON ((0 0, 1 0, 1 1, 0 0), EMPTY)",
        "MULTILINESTRING ((0 0, 1 0), EMPTY)",
        "MULTIPOINT (EMPTY, (0 0))",
    ]
    solid = [
        "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
        "POLYGON ((0 0, 1 0, 1 1, 0 0))",
        "MULTILINESTRING ((0 0, 1 0))",
        "MULTIPOINT ((0 0))",
    ]
    gdf = layer(shapely.from_wkt(hollow))
    shapes = side(gdf, "left", "straight").shapes
    assert [shape.wkt for shape in shapes] == solid
    for shape in side(gdf, "left", "geodesic").shapes:
        assert "EMPTY" not in shape.wkt
    assert gdf.geometry[1].wkt == hollow[1]

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, Point, Polygon, box

import geo
from geo.geodesy import discs
from geo.uncertainty import (
    displacements,
    mixed_discs,
    uncertainties,
)


@given(st.floats(1, 5e6))
def test_digits_are_the_fewest_that_keep_the_place_inside(uncertainty_m):
    digits = geo.coordinate_digits(uncertainty_m)
    moved_m = 0.5 * 10.0**-digits * 111_320
    assert moved_m <= uncertainty_m * (1 + 1e-9)
    if digits:
        assert moved_m * 10 > uncertainty_m


@pytest.mark.parametrize("nothing", [0, -1, float("nan")])
def test_digits_without_an_uncertainty(nothing):
    assert geo.coordinate_digits(nothing) == 7


def test_positions_name_their_hemispheres():
    assert geo.format_position(-70.5, -20.26, 6_000) == "20.3° S, 70.5° W"


@given(st.floats(1, 1e5), st.floats(1, 1e5))
def test_mixed_discs_have_the_spread_of_the_sum(r, b):
    radii, weights = displacements(r, b)
    assert weights.sum() == pytest.approx(1)
    assert (radii >= abs(r - b)).all()
    assert (radii <= r + b).all()
    # the mean square of a uniform disc is half its squared radius, and they add up
    assert weights @ radii**2 / 2 == pytest.approx((r**2 + b**2) / 2, rel=1e-6)


def test_one_radius_is_one_disc():
    assert displacements(5, 0)[0].tolist() == [5]
    assert displacements(0, 7)[0].tolist() == [7]


def test_discs_refuse_a_pole():
    with pytest.raises(geo.GeometryError, match="holds a pole"):
        discs(np.array([[0.0, 89.95]]), np.array([20_000.0]))


@given(st.floats(0, 1e5), st.floats(0, 1e5))
def test_pairs_of_discs_are_mixed_as_one_is(r, b):
    radii, weights = mixed_discs(np.array([r, 3.0]), np.array([b, 4.0]))
    assert radii.shape == weights.shape == (2, 24)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    one, parts = displacements(r, b)
    assert weights[0] @ radii[0] == pytest.approx(parts @ one)
    assert weights[0] @ radii[0] ** 2 / 2 == pytest.approx(
        (r**2 + b**2) / 2, rel=1e-3, abs=1e-9
    )


def test_a_missing_uncertainty_means_none():
    layer = gpd.GeoDataFrame(
        {"uncertainty_m": [None, 5]}, geometry=[Point(0, 0)] * 2, crs=4326
    )
    assert uncertainties(layer, "left", "uncertainty_m").tolist() == [0, 5]
    assert uncertainties(layer, "left", "elsewhere_m").tolist() == [0, 0]


@pytest.mark.parametrize("wrong", [-1, float("inf"), "wide"])
def test_an_uncertainty_that_is_no_length_is_refused(wrong):
    layer = gpd.GeoDataFrame(
        {"uncertainty_m": [1, wrong]}, geometry=[Point(0, 0)] * 2, crs=4326
    )
    with pytest.raises(geo.ColumnError, match=r"left.*uncertainty_m"):
        uncertainties(layer, "left", "uncertainty_m")


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(124, 126), st.floats(39, 41)),
        min_size=3,
        max_size=8,
        unique=True,
    )
)
def test_point_radius_holds_the_whole_area(corners):
    hull = shapely.convex_hull(shapely.multipoints(corners))
    if not isinstance(hull, Polygon) or hull.area < 1e-4:
        return
    area = gpd.GeoDataFrame({"uncertainty_m": [500]}, geometry=[hull], crs=4326)
    [row] = geo.point_radius(area).itertuples()
    away = geo.distance(row.geometry.x, row.geometry.y, *np.array(corners).T)
    assert away.max() + 500 <= row.uncertainty_m + 1e-6


def test_point_radius_leaves_points_and_its_argument_alone():
    layer = gpd.GeoDataFrame(
        {"uncertainty_m": [7.0, 0.0]},
        geometry=[Point(1, 2), box(0, 0, 1, 1)],
        crs=4326,
        index=["a", "b"],
    )
    before = layer.copy()
    out = geo.point_radius(layer)
    assert out.loc["a", "geometry"] == Point(1, 2)
    assert out.loc["a", "uncertainty_m"] == 7
    assert out.loc["b", "uncertainty_m"] > 78_000
    assert out.index.tolist() == ["a", "b"]
    assert layer.equals(before)


def test_point_radius_of_parts_on_both_sides_of_the_antimeridian():
    fiji = MultiPolygon([box(179, -18, 180, -16), box(-180, -18, -179, -16)])
    out = geo.point_radius(gpd.GeoDataFrame(geometry=[fiji], crs=4326))
    assert abs(out.geometry.x.item()) == pytest.approx(180)
    assert out["uncertainty_m"].item() < 160_000

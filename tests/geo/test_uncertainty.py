from decimal import Decimal

import geopandas as gpd
import numpy as np
import pandas as pd
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


def of(values):
    labels = [f"r{k}" for k in range(len(values))]
    values = pd.Series(values, index=labels, dtype=getattr(values, "dtype", object))
    return gpd.GeoDataFrame(
        {"uncertainty_m": values}, geometry=[Point(0, 0)] * len(values), crs=4326
    )


@pytest.mark.parametrize(
    ("values", "radii"),
    [
        ([1, 2.5, Decimal("3.5"), np.float32(4)], [1, 2.5, 3.5, 4]),
        ([7, None, float("nan"), pd.NA, Decimal("NaN")], [7, 0, 0, 0, 0]),
        (pd.array([1, None], dtype="Int64"), [1, 0]),
        (pd.array([1.5, None], dtype="Float64"), [1.5, 0]),
        (np.array([3], dtype="uint8"), [3]),
        (pd.arrays.SparseArray([0.0, 1.0]), [0, 1]),
        (pd.array([None], dtype="string"), [0]),
    ],
)
def test_numbers_of_any_type_are_radii_and_missing_means_none(values, radii):
    assert uncertainties(of(values), "left", "uncertainty_m").tolist() == radii


@pytest.mark.parametrize(
    "wrong", [-1, float("inf"), -float("inf"), Decimal(-1), 10**400]
)
def test_an_uncertainty_that_is_no_length_is_refused(wrong):
    with pytest.raises(geo.ColumnError, match=r"left, row r1, .*finite length"):
        uncertainties(of([1, wrong]), "left", "uncertainty_m")


@pytest.mark.parametrize(
    "wrong", ["wide", "5", "1e3", "nan", "", b"5", True, np.True_, [1, 2], 1 + 0j]
)
def test_an_uncertainty_that_is_no_number_is_refused_with_the_mend(wrong):
    with pytest.raises(geo.ColumnError, match=r"left, row r1, .*pd\.to_numeric") as got:
        uncertainties(of([1, wrong]), "left", "uncertainty_m")
    assert repr(wrong) in str(got.value)


@pytest.mark.parametrize(
    "values",
    [
        pd.Categorical(["5"]),
        pd.Categorical([5]),
        pd.array(["5"], dtype="string"),
        pd.array([True], dtype="boolean"),
        np.array([False]),
        pd.to_datetime(["2020"]).array,
    ],
)
def test_a_column_of_no_numbers_is_refused(values):
    with pytest.raises(geo.ColumnError, match=r"row r0, .*pd\.to_numeric"):
        uncertainties(of(values), "left", "uncertainty_m")


def test_a_column_that_is_there_twice_is_refused():
    layer = of([1])
    layer["other"] = 2
    layer = layer.rename(columns={"other": "uncertainty_m"})
    with pytest.raises(geo.ColumnError, match="'uncertainty_m' 2 times; rename"):
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

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point

from geo.errors import ColumnError
from geo.matches import Layout


def layer(n, **columns):
    return gpd.GeoDataFrame(columns, geometry=[Point(k, 0) for k in range(n)], crs=4326)


def rows(*positions):
    return np.array(positions, dtype=np.intp)


@pytest.mark.parametrize("how", ["inner", "left"])
def test_layout_is_that_of_a_geopandas_join(how):
    """The judge is geopandas' own sjoin of the same pairs."""
    left = layer(4, name=list("abcd"), tons=[1, 2, 3, 4]).set_index(
        pd.Index([10, 20, 30, 40])
    )
    right = layer(3, name=list("pqr"), depth=[5.0, 6.0, 7.0]).set_index(
        pd.Index(["x", "y", "z"])
    )
    expected = left.sjoin(right, how=how)  # 0, 1, 2 meet; the fourth has no partner
    got = Layout(how=how).frame(left, right, rows(0, 1, 2), rows(0, 1, 2), {})
    pd.testing.assert_frame_equal(
        got[expected.columns], expected, check_dtype=False, check_index_type=False
    )
    assert got.crs == left.crs


def test_suffixes_name_both_sides_and_the_index():
    got = Layout(lsuffix="mine", rsuffix="port").frame(
        layer(1, name=["a"]), layer(1, name=["p"]), rows(0), rows(0), {}
    )
    assert got.columns.tolist() == ["name_mine", "geometry", "index_port", "name_port"]


def test_rows_without_a_match_are_kept_on_request_with_missing_values():
    added = {"distance_m": np.array([5.0]), "relation": np.array(["certain"], object)}
    right = layer(1, berths=[3], kind=pd.Categorical(["port"]), open=[True])
    got = Layout(how="left").frame(layer(3), right, rows(1), rows(0), added)
    assert got.index.tolist() == [0, 1, 2]
    assert got["berths"].isna().tolist() == [True, False, True]
    assert got["kind"].isna().tolist() == [True, False, True]
    assert got["distance_m"].isna().tolist() == [True, False, True]
    assert got["relation"].tolist()[1] == "certain"
    assert got["relation"].isna().tolist() == [True, False, True]
    assert got["index_right"].iloc[1] == 0


def test_an_index_of_several_levels_is_kept_as_tuples():
    right = layer(2, tons=[1, 2]).set_index(
        pd.MultiIndex.from_tuples([("kp", 1), ("cn", 2)])
    )
    got = Layout().frame(layer(1), right, rows(0), rows(1), {})
    assert got["index_right"].tolist() == [("cn", 2)]


def test_what_would_be_written_over_is_refused():
    with pytest.raises(ColumnError, match="left already has probability"):
        Layout().frame(layer(1, probability=[1]), layer(1), rows(), rows(), {})
    with pytest.raises(ColumnError, match="right already has index_port"):
        Layout(rsuffix="port").frame(
            layer(1), layer(1, index_port=[1]), rows(), rows(), {}
        )
    with pytest.raises(ColumnError, match="how is 'outer'"):
        Layout(how="outer").frame(layer(1), layer(1), rows(), rows(), {})
    deep = layer(1, a=[1])
    deep.columns = pd.MultiIndex.from_tuples([("x", "a"), ("x", "geometry")])
    deep = deep.set_geometry(("x", "geometry"))
    with pytest.raises(ColumnError, match="2 levels"):
        Layout().frame(deep, layer(1), rows(), rows(), {})
    twice = layer(1, a=[1], b=[2]).rename(columns={"b": "a"})
    with pytest.raises(ColumnError, match="'a' twice"):
        Layout().frame(twice, layer(1), rows(), rows(), {})

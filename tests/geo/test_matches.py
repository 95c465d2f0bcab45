import re

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


def test_an_index_of_several_levels_has_a_column_for_each():
    right = layer(2, tons=[1, 2]).set_index(
        pd.MultiIndex.from_tuples([("kp", 1), ("cn", 2)])
    )
    got = Layout().frame(layer(1), right, rows(0), rows(1), {})
    assert got[["index_right0", "index_right1"]].to_numpy().tolist() == [["cn", 2]]
    peer = layer(1).sjoin(right.iloc[[1]].set_geometry(layer(1).geometry.array))
    assert set(got.columns) == set(peer.columns)
    kept = Layout(how="left").frame(layer(2), right, rows(1), rows(1), {})
    assert kept["index_right1"].isna().tolist() == [True, False]
    with pytest.raises(ColumnError, match="left already has index_right1"):
        Layout().frame(layer(1, index_right1=[1]), right, rows(), rows(), {})


def test_what_would_be_written_over_is_refused():
    with pytest.raises(ColumnError, match="left already has probability"):
        Layout().frame(
            layer(1, probability=[1]), layer(1), rows(), rows(), {"probability": []}
        )
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


@pytest.mark.parametrize(
    ("left", "right", "suffixes", "words"),
    [
        (["a"], ["a", "a_right"], {}, r"right's 'a' and right's 'a_right' .* pass lsu"),
        (["a"], ["a", "a_left"], {}, r"left's 'a' and right's 'a_left' .*'a_left'"),
        (["a"], ["a"], {"lsuffix": "x", "rsuffix": "x"}, "left's 'a' and right's 'a'"),
        (["a", "a_left"], ["a"], {}, "left's 'a' and left's 'a_left'"),
        (["a", "a_right"], ["a"], {}, "left's 'a_right' and right's 'a'"),
        (["a", "a_left"], ["a", "a_right", "a_right_2"], {}, "left_3.*right_3"),
        (["distance"], ["distance"], {"lsuffix": "m"}, "'distance' and a column that"),
    ],
)  # fmt: skip
def test_no_column_is_lost_or_doubled(left, right, suffixes, words):
    """It is refused with suffixes that keep every column under a name of its own."""
    one = layer(1, **{name: [f"left {name}"] for name in left})
    other = layer(1, **{name: [f"right {name}"] for name in right})
    added = {"distance_m": np.array([5.0])}
    with pytest.raises(ColumnError, match=words) as raised:
        Layout(**suffixes).frame(one, other, rows(0), rows(0), added)
    mend = re.search("pass lsuffix='(.*)', rsuffix='(.*)'$", str(raised.value)).groups()
    mended = Layout(lsuffix=mend[0], rsuffix=mend[1])
    got = mended.frame(one, other, rows(0), rows(0), added)
    assert got.columns.is_unique
    kept = set(got.drop(columns="geometry").iloc[0])
    assert kept >= {*one.iloc[0, :-1], *other.iloc[0, :-1], 5.0, 0}


def test_a_column_called_index_on_both_sides_has_to_be_renamed():
    """With any suffix the right one would be called as the label of the right row."""
    one, other = layer(1, index=[5]), layer(1, index=[7])
    with pytest.raises(ColumnError, match=r"'index_right' .*right\.rename\(columns"):
        Layout().frame(one, other, rows(0), rows(0), {})
    got = Layout().frame(
        one, other.rename(columns={"index": "n"}), rows(0), rows(0), {}
    )
    assert got[["index", "index_right", "n"]].iloc[0].tolist() == [5, 0, 7]


def test_an_index_called_as_a_new_column_is_refused():
    added = {"distance_m": np.array([5.0])}
    for name in ("distance_m", "index_right", "depth"):
        left = layer(1).rename_axis(name)
        with pytest.raises(ColumnError, match=f"index of left .*'{name}'.*rename_axis"):
            Layout().frame(left, layer(1, depth=[1]), rows(0), rows(0), added)
    own = layer(1, name=["a"]).set_index("name", drop=False)
    got = Layout().frame(own, layer(1), rows(0), rows(0), added)
    assert got.index.tolist() == ["a"]


def test_only_what_is_added_is_in_the_way():
    left = layer(1, distance_m=[3.0], relation=["near"])
    got = Layout().frame(left, layer(1), rows(0), rows(0), {"probability": [1.0]})
    assert got["distance_m"].tolist() == [3]
    assert got["relation"].tolist() == ["near"]


def test_labels_of_right_are_in_one_column_whatever_its_index_is_called():
    right = layer(2, tons=[1, 2]).set_index(pd.Index(["x", "y"], name="port"))
    got = Layout().frame(layer(1), right, rows(0), rows(1), {})
    assert got.columns.tolist() == ["geometry", "index_right", "tons"]
    assert got["index_right"].tolist() == ["y"]

"""What meets is a question of two features, not of the rest of their tables."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString, MultiPoint, Point, box

import geo
from geo.kernels.predicates import intersecting, meet

FAR = gpd.GeoDataFrame(
    {"uncertainty_m": [10.0]}, geometry=[Point(0, -50)], index=[10**6], crs=4326
)


def layer(shapes):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=4326)


def pairs(joined):
    return list(zip(joined.index, joined["index_right"], strict=True))


def beside(left, right):
    """The join alone, and with an uncertain place elsewhere on either side."""
    yield geo.intersects(left, right)
    yield geo.intersects(pd.concat([left, FAR]), right)
    yield geo.intersects(left, pd.concat([right, FAR]))
    yield geo.intersects(pd.concat([left, FAR]), pd.concat([right, FAR]))


def hair_by_hair(n, seed):
    """Lines, and points on them but for the rounding of a coordinate."""
    rng = np.random.default_rng(seed)
    start = rng.uniform((-170, -80), (170, 80), (n, 2))
    end = np.clip(start + rng.normal(0, 1, (n, 2)), (-180, -90), (180, 90))
    at = start + rng.uniform(0.2, 0.8, (n, 1)) * (end - start)
    lines = shapely.linestrings(np.stack([start, end], axis=1))
    return shapely.points(at), lines


def test_an_uncertain_row_elsewhere_changes_no_pair_of_points_on_lines():
    dots, lines = hair_by_hair(4000, 1)
    alone, *others = beside(layer(dots), layer(lines))
    expected = np.flatnonzero(shapely.intersects(dots, lines))
    assert set(zip(expected, expected, strict=True)) <= set(pairs(alone))
    assert len(alone) < 500  # most are off by a rounding: no pair
    for got in others:
        kept = got[(got.index != 10**6) | (got["index_right"] != 10**6)]
        assert pairs(kept) == pairs(alone)
        assert (kept["relation"] == "certain").all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (LineString([(170, -3.1), (180, 0.37)]), LineString([(-180, -1), (-180, 2)])),
        (LineString([(179, 0), (180, 0.3)]), LineString([(-180, 0.3), (-179, 0.5)])),
        (LineString([(170, 80), (160, 90)]), LineString([(10, 80), (20, 90)])),
        (Point(20, 90), LineString([(50, 80), (70, 90)])),
        (MultiPoint([(180, 3), (2, 2)]), LineString([(-180, -1), (-180, 5)])),
    ],
)
def test_what_meets_where_maps_end_is_one_pair_at_distance_zero(one, other):
    for left, right in ((one, other), (other, one)):
        for got in beside(layer([left]), layer([right])):
            assert (0, 0) in pairs(got)
            assert got.loc[[0], "relation"].tolist() == ["certain"]
        near = geo.nearest(layer([left]), layer([right]))
        assert near["distance_m"].tolist() == [0]
        assert near["azimuth_deg"].isna().all()


def test_nothing_near_is_taken_for_met():
    """An ulp beside a line there is a distance, however small."""
    dot, line = Point(0.1, 0.1 + 2**-53), LineString([(0, 0), (0.3, 0.3)])
    for got in beside(layer([dot]), layer([line])):
        assert (0, 0) not in pairs(got)


places = st.tuples(
    st.sampled_from([-180.0, -179.0, -1.0, 0.0, 1.0, 179.0, 180.0]),
    st.sampled_from([-90.0, -89.0, 0.0, 0.5, 1.0, 89.0, 90.0]),
)
shapes = st.one_of(
    places.map(Point),
    st.lists(places, min_size=2, max_size=3, unique=True).map(LineString),
    st.lists(places, min_size=1, max_size=3, unique=True).map(MultiPoint),
    places.map(lambda p: box(*p, min(p[0] + 1, 180), min(p[1] + 1, 90))),
).filter(lambda shape: shape.is_valid and (shape.geom_type != "Polygon" or shape.area))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(shapes, min_size=1, max_size=5), st.lists(shapes, min_size=1, max_size=5)
)
def test_every_pair_is_decided_as_in_the_certain_join(left, right):
    one, other = np.array(left, dtype=object), np.array(right, dtype=object)
    every = np.indices((len(one), len(other))).reshape(2, -1)
    met = every[:, meet(one, other, *every)]
    np.testing.assert_array_equal(met, np.stack(intersecting(one, other)))
    assert all(
        shapely.intersects(one, other[:, None]).T[i, j] <= hit
        for i, j, hit in zip(*every, meet(one, other, *every), strict=True)
    )
    for got in beside(layer(one), layer(other)):
        kept = got[(got.index != 10**6) & (got["index_right"] != 10**6)]
        assert pairs(kept) == list(zip(*met.tolist(), strict=True))
        assert (kept["relation"] == "certain").all()
    apart = geo.within_distance(layer(one), layer(other), 0.0)
    zero = apart[apart["distance_m"] == 0]
    assert sorted(pairs(zero)) == list(zip(*met.tolist(), strict=True))

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Point, box

import geo
from geo.counts import count_within


def points(lonlats, **columns):
    geometry = gpd.points_from_xy(*np.reshape(lonlats, (-1, 2)).T)
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def polygons(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def test_counts_agree_with_plain_monte_carlo():
    rng = np.random.default_rng(4)
    places = np.column_stack([0.6 * rng.random(7), 0.5 * rng.random(7)])
    radii = 30_000 * rng.random(7)
    county = shapely.Polygon([(0, 0), (0.5, 0.1), (0.6, 0.5), (0.2, 0.4)])
    got = count_within(points(places, uncertainty_m=radii), polygons([county])).iloc[0]
    draws = 200_000
    counts = np.zeros(draws)
    for (lon, lat), radius in zip(places, radii, strict=True):
        away = radius * np.sqrt(rng.random(draws))
        x, y = geo.destination(lon, lat, 360 * rng.random(draws), away)
        counts += shapely.contains_xy(county, x, y)
    spread = counts.std()
    assert got["count_expected"] == pytest.approx(
        counts.mean(), abs=4 * spread / np.sqrt(draws)
    )
    assert got["count_variance"] == pytest.approx(counts.var(), rel=0.02)
    assert got["chance_of_any"] == pytest.approx((counts > 0).mean(), abs=4e-3)


def test_expected_counts_over_a_partition_add_up():
    rng = np.random.default_rng(5)
    mines = points(rng.random((50, 2)) * [2, 0.5] + [124, 38.8])
    mines["uncertainty_m"] = 20_000 * rng.random(50)
    cells = polygons(
        [box(i, j, i + 1, j + 1) for i in range(122, 128) for j in (38, 39)]
    )
    whole = polygons([box(122, 38, 128, 40)])
    parts = count_within(mines, cells)["count_expected"].sum()
    assert parts == pytest.approx(50, abs=1e-3)
    assert count_within(mines, whole)["count_expected"].sum() == pytest.approx(50)


def test_certain_points_are_counted_as_they_are():
    lease = polygons([box(0, 0, 1, 1), box(2, 0, 3, 1)], name=["a", "b"])
    lease.index = ["x", "y"]
    before = lease.copy()
    got = count_within(points([(0.5, 0.5), (0.2, 0.2), (5, 5)]), lease)
    assert got.index.tolist() == ["x", "y"]
    assert got["name"].tolist() == ["a", "b"]
    assert got["count_certain"].tolist() == [2, 0]
    assert got["count_possible"].tolist() == [0, 0]
    assert got["count_expected"].tolist() == [2, 0]
    assert got["count_variance"].tolist() == [0, 0]
    assert got["chance_of_any"].tolist() == [1, 0]
    assert lease.equals(before)


def test_columns_of_either_side_are_not_in_the_way():
    mines = points([(0.5, 0.5)], distance_m=[1], index_right=[3])
    got = count_within(mines, polygons([box(0, 0, 1, 1)], probability=[9]))
    assert got["probability"].tolist() == [9]
    assert got["count_certain"].tolist() == [1]


def test_points_on_a_line_are_counted_and_the_uncertain_only_as_possible():
    gauges = points([(1, 0), (2, 0), (3, 0), (0, 0)], uncertainty_m=[0, 0, 50, 0])
    rivers = polygons([shapely.LineString([(0, 0), (4, 0)]), box(0, -1, 4, 1)])
    got = count_within(gauges, rivers)
    assert got["count_certain"].tolist() == [2, 3]
    assert got["count_possible"].tolist() == [1, 0]
    assert got["count_expected"].tolist() == [2, 3]
    assert got["count_variance"].tolist() == [0, 0]


@pytest.mark.parametrize("side", ["left", "polygons"])
def test_an_empty_side(side):
    mines, lease = points([(0.5, 0.5)]), polygons([box(0, 0, 1, 1)])
    got = count_within(
        mines.iloc[:0] if side == "left" else mines,
        lease.iloc[:0] if side == "polygons" else lease,
    )
    assert got["count_expected"].tolist() == ([0] if side == "left" else [])


def test_areas_and_taken_columns_are_refused():
    lease = polygons([box(0, 0, 1, 1)])
    with pytest.raises(geo.GeometryTypeError, match=r"row 0: a Polygon.*point_radius"):
        count_within(lease, lease)
    with pytest.raises(geo.ColumnError, match="count_expected"):
        count_within(
            gpd.GeoDataFrame(geometry=[Point(0, 0)], crs=4326),
            lease.assign(count_expected=1),
        )


@pytest.mark.parametrize("name", ["left", "right"])
def test_what_is_no_layer_is_refused_as_by_the_other_joins(name):
    sides = {"left": points([(0.5, 0.5)]), "right": polygons([box(0, 0, 1, 1)])}
    layer = sides[name]
    wrong = [
        layer.geometry,
        pd.DataFrame({"a": [1]}),
        None,
        gpd.GeoDataFrame({"a": [1]}),
    ]
    for given in [*wrong, layer.set_crs(3857, allow_override=True)]:
        messages = []
        for join in (geo.within, count_within):
            with pytest.raises(geo.GeoError, match=f"^{name} ") as raised:
                join(**{**sides, name: given})
            messages.append((type(raised.value), str(raised.value)))
        assert messages[0] == messages[1]

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod
from shapely import LineString, MultiPolygon, Point, box

import geo

lonlat = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


def points(lonlats, **columns):
    geometry = gpd.points_from_xy(*np.reshape(lonlats, (-1, 2)).T)
    return gpd.GeoDataFrame(columns, geometry=geometry, crs=4326)


def polygons(shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


# ── nearest ──────────────────────────────────────────────────────────────────


@settings(max_examples=200)
@given(
    st.lists(lonlat, min_size=1, max_size=6),
    st.lists(lonlat, min_size=1, max_size=12),
    st.integers(1, 4),
)
def test_nearest_agrees_with_exhaustive_search(left, right, k):
    got = geo.nearest(points(left), points(right), k=k)
    x, y = np.array(left), np.array(right)
    every = geo.distance(x[:, :1], x[:, 1:], y[:, 0], y[:, 1])
    expected = np.sort(every, axis=1)[:, :k]
    np.testing.assert_allclose(
        got["distance_m"].to_numpy().reshape(expected.shape), expected, atol=1e-6
    )


@settings(max_examples=200)
@given(
    lon=st.floats(-180, 180),
    lat=st.floats(-80, 80),
    radius_m=st.floats(1e3, 1e6),
    stretch=st.floats(0.99, 1.01),
)
def test_nearest_ranks_near_ties_by_geodesic(lon, lat, radius_m, stretch):
    """East and north neighbours at almost one distance, where a sphere misranks."""
    east = np.ravel(geo.destination(lon, lat, 90, radius_m))
    north = np.ravel(geo.destination(lon, lat, 0, radius_m * stretch))
    got = geo.nearest(points([(lon, lat)]), points([east, north]))
    np.testing.assert_allclose(got["distance_m"], radius_m * min(1, stretch), atol=1e-3)


def test_nearest_keeps_index_columns_and_order():
    left = points([(0, 0), (10, 0)], name=["a", "b"]).set_index(pd_index("x", "y"))
    right = points([(1, 0), (9, 0), (30, 0)], name=["p", "q", "r"], depth=[1, 2, 3])
    before = left.copy()
    got = geo.nearest(left, right, k=2)
    assert got.index.tolist() == ["x", "x", "y", "y"]
    assert got["name_left"].tolist() == ["a", "a", "b", "b"]
    assert got["name_right"].tolist() == ["p", "q", "q", "p"]
    assert got["depth"].tolist() == [1, 2, 2, 1]
    assert got["index_right"].tolist() == [0, 1, 1, 0]
    assert got["azimuth_deg"].round(6).tolist() == [90, 90, 270, 270]
    assert got.crs == left.crs
    assert got.geometry.iloc[0] == Point(0, 0)
    assert left.equals(before)


def pd_index(*labels):
    import pandas as pd

    return pd.Index(labels)


def test_nearest_bounds_and_certainty_without_uncertainty():
    got = geo.nearest(points([(0, 0)]), points([(1, 0), (2, 0)]), k=2)
    assert (got["distance_min_m"] == got["distance_m"]).all()
    assert (got["distance_max_m"] == got["distance_m"]).all()
    assert got["probability"].tolist() == [1, 0]


def test_nearest_carries_the_uncertainty_of_both_sides():
    left = points([(0, 0)], uncertainty_m=[10_000])
    right = points([(0.1, 0), (-0.11, 0), (3, 0)], uncertainty_m=[2_000, 500, 0])
    got = geo.nearest(left, right, k=3)
    d = got["distance_m"].to_numpy()
    slack = np.array([12_000, 10_500, 10_000])
    np.testing.assert_allclose(got["distance_max_m"], d + slack)
    np.testing.assert_allclose(got["distance_min_m"], np.maximum(d - slack, 0))
    chances = got["probability"].to_numpy()
    assert 0.5 < chances[0] < 0.7
    assert chances[:2].sum() == pytest.approx(1)
    assert chances[2] == 0
    assert geo.nearest(left, right)["probability"].item() == chances[0]


def test_nearest_ties_go_to_the_first():
    got = geo.nearest(points([(0, 0)]), points([(1, 0), (1, 0), (-1, 0)]), k=3)
    assert got["index_right"].tolist() == [0, 1, 2]
    assert got["probability"].tolist() == [1, 0, 0]


def test_nearest_leaves_out_what_is_too_far():
    left, right = points([(0, 0), (50, 0)]), points([(1, 0)])
    got = geo.nearest(left, right, max_distance_m=200_000)
    assert got.index.tolist() == [0]


@pytest.mark.parametrize("empty", ["left", "right", "both"])
def test_nearest_with_an_empty_side(empty):
    left, right = points([(0, 0)]), points([(1, 1)], name=["p"])
    got = geo.nearest(
        left.iloc[:0] if empty != "right" else left,
        right.iloc[:0] if empty != "left" else right,
    )
    assert len(got) == 0
    assert {"name", "distance_m", "probability", "index_right"} <= set(got.columns)


def test_nearest_takes_points_lines_and_polygons_on_both_sides():
    left = polygons([Point(0, 0), LineString([(3, -1), (3, 1)]), box(5, 0, 6, 1)])
    right = polygons([box(1, -1, 2, 1), LineString([(5.5, 0.5), (9, 9)]), Point(3, 0)])
    got = geo.nearest(left, right)
    assert got["index_right"].tolist() == [0, 2, 1]
    assert got["distance_m"].iloc[0] == pytest.approx(111_319.49, abs=0.01)
    assert got["azimuth_deg"].iloc[0] == pytest.approx(90, abs=1e-6)
    assert got["distance_m"].tolist()[1:] == [0, 0]
    assert got["azimuth_deg"].isna().tolist() == [False, True, True]


def test_nearest_takes_edges_as_geodesics_on_request():
    """140 km at 40° north: the published way of an edge matters by 300 m.

    The geodesic distance is the nearest of 100,000 places along PROJ's geodesic.
    """
    place = points([(125.7, 40.2)])
    edge = polygons([LineString([(125, 40), (126, 41)])])
    straight = geo.nearest(place, edge)["distance_m"].item()
    bent = geo.nearest(place, edge, edges="geodesic")["distance_m"].item()
    way = Geod(ellps="WGS84").npts(125, 40, 126, 41, 100_000)
    expected = geo.distance(125.7, 40.2, *np.array(way).T).min()
    assert bent == pytest.approx(expected, abs=1e-3)
    share = np.linspace(0, 1, 100_000)
    expected = geo.distance(125.7, 40.2, 125 + share, 40 + share).min()
    assert straight == pytest.approx(expected, abs=1e-3)
    assert abs(straight - bent) > 300


def test_nearest_gives_every_tie_on_request():
    place, rivals = (
        points([(0, 0)]),
        points([(1, 0), (2, 0), (-1, 0), (0.5, 0), (1, 0)]),
    )
    assert geo.nearest(place, rivals, k=2)["index_right"].tolist() == [3, 0]
    tied = geo.nearest(place, rivals, k=2, ties="all")
    assert tied["index_right"].tolist() == [3, 0, 2, 4]
    assert tied["probability"].tolist() == [1, 0, 0, 0]


def test_nearest_keeps_rows_without_a_match_on_request():
    left = points([(0, 0), (50, 0)], name=["a", "b"])
    got = geo.nearest(left, points([(1, 0)]), max_distance_m=200_000, how="left")
    assert got["name"].tolist() == ["a", "b"]
    assert got["distance_m"].isna().tolist() == [False, True]
    assert got["index_right"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"ties": "some"}, "ties is 'some'"),
        ({"k": 1.5}, "k is 1.5"),
        ({"max_distance_m": "5"}, "max_distance_m is '5'"),
        ({"max_distance_m": -1}, "max_distance_m is -1"),
        ({"max_distance_m": float("nan")}, "max_distance_m is nan"),
        ({"edges": "curved"}, "edges is 'curved'"),
    ],
)
def test_nearest_refuses_what_is_no_option(options, words):
    with pytest.raises(geo.GeometryError, match=words):
        geo.nearest(points([(0, 0)]), points([(1, 0)]), **options)


def test_nearest_refuses_other_crs_and_no_neighbours():
    with pytest.raises(geo.CRSMismatchError, match="EPSG:3857"):
        geo.nearest(points([(0, 0)]).to_crs(3857), points([(0, 0)]))
    with pytest.raises(geo.GeometryError, match="k is 0"):
        geo.nearest(points([(0, 0)]), points([(0, 0)]), k=0)


# ── within ───────────────────────────────────────────────────────────────────


@settings(max_examples=100)
@given(
    st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=20),
)
def test_within_without_uncertainty_is_the_certain_join(lonlats):
    left = points(lonlats)
    cells = polygons([box(i, j, i + 1, j + 1) for i in (-1, 0) for j in (-1, 0, 1)])
    got = geo.within(left, cells)
    expected = left.sjoin(cells, predicate="within")
    assert sorted(zip(got.index, got["index_right"], strict=True)) == sorted(
        zip(expected.index, expected["index_right"], strict=True)
    )
    assert (got["probability"] == 1).all()
    assert (got["relation"] == "certain").all()


@settings(max_examples=40)
@given(
    lat=st.floats(-70, 70),
    across=st.floats(-1, 1),
    radius_m=st.floats(500, 50_000),
)
def test_within_half_plane_is_the_circular_segment(lat, across, radius_m):
    """The share of a disc beyond a meridian: closed form of the plane."""
    lon = geo.destination(0, lat, 90, abs(across) * radius_m)[0].item()
    lon = np.copysign(lon, across)
    east = polygons([box(0, -89, 60, 89)])
    got = geo.within(points([(lon, lat)], uncertainty_m=[radius_m]), east)
    expected = 1 - (np.arccos(across) - across * np.sqrt(1 - across**2)) / np.pi
    value = got["probability"].item() if len(got) else 0.0
    assert value == pytest.approx(expected, abs=5e-3)


def test_within_agrees_with_plain_monte_carlo_when_both_sides_are_vague():
    county = shapely.Polygon([(0, 0), (0.5, 0.1), (0.6, 0.5), (0.2, 0.4)])
    r, b, draws = 9_000, 6_000, 1_000_000
    mine = points([(0.13, 0.2)], uncertainty_m=[r])
    got = geo.within(mine, polygons([county], boundary_uncertainty_m=[b]))
    rng = np.random.default_rng(1)
    lon, lat = geo.destination(
        0.13, 0.2, 360 * rng.random(draws), r * np.sqrt(rng.random(draws))
    )
    lon, lat = geo.destination(
        lon, lat, 360 * rng.random(draws), b * np.sqrt(rng.random(draws))
    )
    expected = shapely.contains_xy(county, lon, lat).mean()
    error = np.sqrt(expected * (1 - expected) / draws)
    assert got["probability"].item() == pytest.approx(expected, abs=4 * error)
    assert got["relation"].item() == "possible"


def test_within_certain_possible_and_no():
    province = polygons([box(0, 0, 2, 2)], name=["P"])
    mines = points([(1, 1), (0.05, 1), (-0.05, 1), (-1, 1)], uncertainty_m=[10_000] * 4)
    got = geo.within(mines, province)
    assert got.index.tolist() == [0, 1, 2]
    assert got["relation"].tolist() == ["certain", "possible", "possible"]
    assert got["probability"].iloc[0] == 1
    assert got["probability"].iloc[1:].sum() == pytest.approx(1, abs=1e-3)


def test_within_boundary_uncertainty_widens_the_grey_zone():
    mine = points([(0.02, 1)])
    sharp = geo.within(mine, polygons([box(0, 0, 2, 2)]))
    vague = geo.within(
        mine, polygons([box(0, 0, 2, 2)], boundary_uncertainty_m=[5_000])
    )
    assert sharp["relation"].item() == "certain"
    assert vague["relation"].item() == "possible"
    assert 0.7 < vague["probability"].item() < 1


def test_within_sums_to_one_over_a_partition():
    quarters = [box(i, j, i + 1, j + 1) for i in (124, 125) for j in (39, 40)]
    mine = points([(124.98, 40.01)], uncertainty_m=[15_000])
    got = geo.within(mine, polygons(quarters))
    assert len(got) == 4
    assert got["probability"].sum() == pytest.approx(1, abs=1e-6)
    assert got["probability"].is_monotonic_decreasing


def test_within_across_the_antimeridian():
    fiji = polygons(
        [MultiPolygon([box(179, -18, 180, -16), box(-180, -18, -179, -16)])]
    )
    for lon in (179.99, -179.99, 180):
        got = geo.within(points([(lon, -17)], uncertainty_m=[5_000]), fiji)
        assert got["probability"].tolist() == [1], lon


def test_within_gives_the_share_of_an_area():
    cell = polygons([box(0.5, 0, 1.5, 1)], name=["cell"])
    halves = polygons([box(0, 0, 1, 1), box(1, 0, 2, 1)], name=["west", "east"])
    got = geo.within(cell, halves)
    assert got["relation"].tolist() == ["possible", "possible"]
    np.testing.assert_allclose(got["probability"], 0.5, atol=1e-6)
    inner = geo.within(polygons([box(0.2, 0.2, 0.4, 0.4)]), halves)
    assert inner["probability"].tolist() == [1]
    assert inner["relation"].tolist() == ["certain"]


def test_within_displaces_an_area_as_far_as_it_may_be_off():
    """A square on the line between two halves, against plain Monte Carlo."""
    cell = box(0.98, 0.4, 1.05, 0.45)
    west = box(0, 0, 1, 1)
    got = geo.within(
        polygons([cell], uncertainty_m=[4_000]),
        polygons([west], boundary_uncertainty_m=[3_000]),
    )
    rng = np.random.default_rng(3)
    draws = 200_000
    x, y = cell.bounds[0] + 0.07 * rng.random(draws), 0.4 + 0.05 * rng.random(draws)
    for radius_m in (4_000, 3_000):
        x, y = geo.destination(
            x, y, 360 * rng.random(draws), radius_m * np.sqrt(rng.random(draws))
        )
    expected = shapely.contains_xy(west, x, y).mean()
    assert got["probability"].item() == pytest.approx(expected, abs=0.01)


def test_within_gives_the_share_of_a_line():
    road = polygons([LineString([(0.5, 0.5), (1.5, 0.5)])])
    halves = polygons([box(0, 0, 1, 1), box(1, 0, 2, 1), box(0, 0, 2, 1)])
    got = geo.within(road, halves)
    assert got["index_right"].tolist() == [2, 0, 1]
    np.testing.assert_allclose(got["probability"], [1, 0.5, 0.5], atol=1e-9)
    assert got["relation"].tolist() == ["certain", "possible", "possible"]


def test_within_follows_geodesic_borders_on_request():
    """A border along 60° north, 40° wide, rises by two degrees as a geodesic."""
    country = polygons([box(0, 50, 40, 60)])
    town = points([(20, 61)])
    assert len(geo.within(town, country)) == 0
    got = geo.within(town, country, edges="geodesic")
    assert got["relation"].tolist() == ["certain"]
    assert got.geometry.iloc[0] == Point(20, 61)


def test_within_refuses_several_points_in_a_row_and_collections():
    several = polygons([shapely.MultiPoint([(0, 0), (1, 1)])])
    with pytest.raises(geo.GeometryTypeError, match=r"row 0: a MultiPoint.*explode"):
        geo.within(several, polygons([box(0, 0, 1, 1)]))
    mixed = polygons([shapely.GeometryCollection([Point(0, 0)])])
    with pytest.raises(geo.GeometryTypeError, match=r"right, row 0: a GeometryColl"):
        geo.within(points([(0, 0)]), mixed)


corner = st.tuples(st.integers(0, 3), st.integers(0, 3))
way = st.lists(corner, min_size=2, max_size=4).map(LineString)
way = way.filter(lambda line: line.length)
slender = (
    corner.map(Point)
    | st.lists(corner, min_size=1, max_size=3).map(shapely.MultiPoint)
    | way
    | st.lists(way, min_size=1, max_size=3).map(shapely.MultiLineString)
)
plots = st.sampled_from([box(0, 0, 1, 1), box(0, 0, 3, 3), box(1, 1, 2, 3)])


@settings(max_examples=100, deadline=None)
@given(
    st.lists(corner.map(Point) | way | plots, min_size=1, max_size=6),
    st.lists(slender, min_size=1, max_size=6),
)
def test_within_lines_and_points_is_the_certain_join(left, right):
    left, right = polygons(left), polygons(right)
    got = geo.within(left, right)
    got = got[got["relation"] == "certain"]
    expected = left.sjoin(right, predicate="within")
    assert sorted(zip(got.index, got["index_right"], strict=True)) == sorted(
        zip(expected.index, expected["index_right"], strict=True)
    )
    assert (got["probability"] == 1).all()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(corner.map(Point), min_size=1, max_size=6),
    st.lists(slender | plots, min_size=1, max_size=6),
)
def test_within_takes_all_kinds_on_the_right_at_once(left, right):
    left, right = polygons(left), polygons(right, name=list(map(str, right)))
    got = geo.within(left, right)
    expected = left.sjoin(right, predicate="within").sort_values("index_right")
    expected = expected.sort_index(kind="stable")
    assert got.index.tolist() == expected.index.tolist()
    assert got["index_right"].tolist() == expected["index_right"].tolist()
    assert got["name"].tolist() == expected["name"].tolist()


def test_within_gives_the_share_of_a_line_along_a_line():
    road = polygons([LineString([(0, 0), (4, 0)])])
    others = [[(0, 0), (1, 0)], [(-1, 0), (5, 0)], [(0, -1), (0, 1)], [(3, 0), (9, 0)]]
    got = geo.within(road, polygons(map(LineString, others)))
    assert got["index_right"].tolist() == [1, 0, 3]
    assert got["relation"].tolist() == ["certain", "possible", "possible"]
    np.testing.assert_allclose(got["probability"], [1, 0.25, 0.25], atol=1e-9)


@pytest.mark.parametrize("column", ["uncertainty_m", "boundary_uncertainty_m"])
def test_within_a_line_an_uncertain_place_is_possible_with_no_chance(column):
    """A disc has an area and a line none: it may lie there, with probability 0."""
    river, well = LineString([(0, 0), (4, 0)]), Point(1, 0.001)
    gauges = points([(1, 0), (2, 0.001), (3, 0.01)], uncertainty_m=[0, 120, 120])
    got = geo.within(gauges, polygons([river, well]))
    assert got.index.tolist() == [0, 1]
    assert got["relation"].tolist() == ["certain", "possible"]
    assert got["probability"].tolist() == [1, 0]
    # What is vague on the right counts like what is vague on the left.
    vague = polygons([river, well], **{column: [0, 120]})
    got = geo.within(gauges, vague)
    assert got.index.tolist() == [0, 0, 1]
    assert got["index_right"].tolist() == [0, 1, 0]
    assert got["relation"].tolist() == ["certain", "possible", "possible"]
    assert got["probability"].tolist() == [1, 0, 0]


def test_within_a_line_a_place_is_possible_as_far_as_both_reach():
    away = geo.distance(1, 0, 1, 0.01).item()
    river = LineString([(0, 0), (4, 0)])
    for slack, rows in ((0.01, 1), (-0.01, 0)):
        for mine, its in (
            (away + slack, 0),
            (0, away + slack),
            (900, away - 900 + slack),
        ):
            left = points([(1, 0.01)], uncertainty_m=[mine])
            right = polygons([river], boundary_uncertainty_m=[its])
            assert len(geo.within(left, right)) == rows


def test_within_a_line_an_uncertain_line_may_lie_with_every_vertex():
    road = LineString([(0, 0), (4, 0)])
    ways = [[(1, 0.0005), (2, 0)], [(1, -1), (1, 1)], [(1, 0), (2, 0)]]
    got = geo.within(
        polygons(map(LineString, ways), uncertainty_m=[100, 100, 0]), polygons([road])
    )
    assert got.index.tolist() == [0, 2]
    assert got["relation"].tolist() == ["possible", "certain"]
    assert got["probability"].tolist() == [0, 1]


def test_within_less_than_a_millimetre_is_certain_in_a_line_too():
    gauge = points([(1, 0)], uncertainty_m=[4e-4])
    river = polygons([LineString([(0, 0), (4, 0)])], boundary_uncertainty_m=[4e-4])
    assert geo.within(gauge, river)["relation"].tolist() == ["certain"]


def test_within_a_polygon_lies_in_no_line():
    plot = polygons([box(0, 0, 1, 1)], uncertainty_m=[1e6])
    assert not len(geo.within(plot, polygons([LineString([(0, 0), (1, 1)])])))


def test_within_takes_lines_as_geodesics_to_two_millimetres():
    """40° north over 10°: the straight way lies 11 km south of the geodesic."""
    border = polygons([LineString([(120, 40), (130, 40)]), Point(125, 40)])
    way = Geod(ellps="WGS84").npts(120, 40, 130, 40, 9)
    places = [*way, (120, 40), (125, 40)]
    got = geo.within(points(places), border, edges="geodesic")
    assert got.index.tolist() == [*range(9), 10]
    assert got["index_right"].tolist() == [0] * 9 + [1]
    assert (got["relation"] == "certain").all()
    for aside_m, rows in ((5e-4, 9), (4.5e-3, 0)):
        moved = geo.destination(*np.transpose(way), 0, aside_m)
        beside = geo.within(points(np.transpose(moved)), border, edges="geodesic")
        assert len(beside) == rows
    with pytest.raises(geo.GeometryError, match=r'lines in lines.*edges="straight"'):
        geo.within(border.iloc[:1], border, edges="geodesic")


@pytest.mark.parametrize("side", ["left", "polygons"])
def test_within_an_empty_side(side):
    left, right = points([(0.5, 0.5)]), polygons([box(0, 0, 1, 1)], name=["P"])
    got = geo.within(
        left.iloc[:0] if side == "left" else left,
        right.iloc[:0] if side == "polygons" else right,
    )
    assert len(got) == 0
    assert {"name", "relation", "probability"} <= set(got.columns)


# ── within_distance ──────────────────────────────────────────────────────────


@settings(max_examples=100)
@given(
    st.lists(lonlat, min_size=1, max_size=6),
    st.lists(lonlat, min_size=1, max_size=8),
    st.floats(0, 2e7),
)
def test_within_distance_agrees_with_exhaustive_search(left, right, limit_m):
    got = geo.within_distance(points(left), points(right), limit_m)
    x, y = np.array(left), np.array(right)
    every = geo.distance(x[:, :1], x[:, 1:], y[:, 0], y[:, 1])
    expected = {tuple(pair) for pair in np.argwhere(every <= limit_m).tolist()}
    assert set(zip(got.index, got["index_right"], strict=True)) == expected
    assert (got["relation"] == "certain").all()


def test_within_distance_certain_and_possible():
    mines = points([(0.05, 0), (0.1, 0), (0.2, 0)], uncertainty_m=[2_000] * 3)
    got = geo.within_distance(points([(0, 0)]), mines, 11_000)
    assert got["index_right"].tolist() == [0, 1]
    assert got["relation"].tolist() == ["certain", "possible"]
    assert got["probability"].iloc[0] == 1
    assert 0.3 < got["probability"].iloc[1] < 0.6


def test_within_distance_is_certain_only_when_the_upper_bound_is_within():
    mines = points([(0.1, 0)], uncertainty_m=[2_000])
    for limit_m, relation in ((12_000, "possible"), (13_200, "certain")):
        got = geo.within_distance(points([(0, 0)]), mines, limit_m)
        assert got["relation"].tolist() == [relation]


def test_within_distance_refuses_no_distance():
    with pytest.raises(geo.GeometryError, match="distance_m is -1"):
        geo.within_distance(points([(0, 0)]), points([(0, 0)]), -1)
    for wrong in (None, "5", float("inf")):
        with pytest.raises(geo.GeometryError, match=f"distance_m is {wrong!r}"):
            geo.within_distance(points([(0, 0)]), points([(0, 0)]), wrong)


def test_within_distance_is_sorted_and_bounded():
    mines = points([(0.3, 0), (0.1, 0), (-0.2, 0)], uncertainty_m=[100.0] * 3)
    got = geo.within_distance(points([(0, 0)]), mines, 50_000)
    assert got["index_right"].tolist() == [1, 2, 0]
    assert got["azimuth_deg"].round().tolist() == [90, 270, 90]
    slack = got["distance_max_m"] - got["distance_m"]
    np.testing.assert_allclose(slack, 100)


# ── what a change of the code must not slip past ─────────────────────────────


def test_a_rival_beyond_the_upper_bound_of_the_nearest_still_counts():
    """The rival's own radius brings it into reach."""
    place = points([(0, 0)], uncertainty_m=[1_000.0])
    rivals = points([(0.10, 0), (0.16, 0)], uncertainty_m=[500.0, 9_000.0])
    got = geo.nearest(place, rivals)
    assert 0.8 < got["probability"].item() < 0.99


def test_a_vague_boundary_is_felt_from_outside():
    """A sharp point two kilometres outside an outline that is off by up to five."""
    lon = -2_000 / 111_320
    province = polygons([box(0, -1, 2, 1)], boundary_uncertainty_m=[5_000.0])
    got = geo.within(points([(lon, 0)]), province)
    assert got["relation"].tolist() == ["possible"]
    assert 0.1 < got["probability"].item() < 0.4


def test_an_area_near_the_border_is_not_certain_within_the_full_reach():
    """8.5 km from the border, with five kilometres of doubt on each side."""
    edge = 8_500 / 111_320
    cell = polygons([box(edge, 0, edge + 0.02, 0.02)], uncertainty_m=[5_000.0])
    country = polygons([box(0, -3, 3, 3)], boundary_uncertainty_m=[5_000.0])
    assert geo.within(cell, country)["relation"].item() == "possible"
    far = polygons([box(0.2, 0, 0.22, 0.02)], uncertainty_m=[5_000.0])
    assert geo.within(far, country)["relation"].item() == "certain"


def test_an_area_far_north_is_displaced_in_metres_not_degrees():
    """At 70° north a degree of longitude is a third as long; plain Monte Carlo."""
    cell, east = box(-0.2, 70, -0.1, 70.02), box(0, 69, 3, 71)
    got = geo.within(polygons([cell], uncertainty_m=[8_000.0]), polygons([east]))
    rng = np.random.default_rng(5)
    draws = 200_000
    x, y = geo.destination(
        -0.2 + 0.1 * rng.random(draws),
        70 + 0.02 * rng.random(draws),
        360 * rng.random(draws),
        8_000 * np.sqrt(rng.random(draws)),
    )
    expected = shapely.contains_xy(east, x, y).mean()
    assert 0.05 < expected < 0.3
    assert got["probability"].item() == pytest.approx(expected, abs=0.01)


def test_an_area_of_a_disc_has_the_share_of_many_corners():
    """A circle of few corners would lose a per cent of its rim."""
    mine = points([(0, 0)], uncertainty_m=[10_000.0])
    ring = geo.disc(0, 0, 9_900, vertices=720)
    got = geo.within(mine, polygons([ring]))
    assert got["probability"].item() == pytest.approx(0.99**2, abs=2e-4)


def test_the_other_side_of_the_antimeridian_counts_for_both_signs():
    east_side = polygons([box(-180, 0, -179, 1)], name=["east"])
    west_side = polygons([box(179, 0, 180, 1)], name=["west"])
    for lon in (179.99, -179.99):
        mine = points([(lon, 0.5)], uncertainty_m=[5_000.0])
        for side in (east_side, west_side):
            share = geo.within(mine, side)["probability"].item()
            assert 0.2 < share < 0.8, lon


def test_a_hair_of_uncertainty_loses_no_point():
    lease = polygons([box(0, 0, 1, 1)])
    got = geo.within(points([(0.5, 0.5)], uncertainty_m=[1e-9]), lease)
    assert got["relation"].tolist() == ["certain"]


def test_a_join_never_writes_over_a_column():
    ports = points([(1, 0)], depth=[5])
    first = geo.nearest(points([(0, 0)]), ports)
    with pytest.raises(geo.ColumnError, match=r"left already has .*distance_m"):
        geo.nearest(first, ports)
    doubled = ports.rename(columns={"depth": "probability"})
    with pytest.raises(geo.ColumnError, match="right already has probability"):
        geo.nearest(points([(0, 0)]), doubled)
    clash = points([(0, 0)], name=["a"], name_right=["b"])
    with pytest.raises(geo.ColumnError, match=r"'name_right' .*rsuffix='right_2'"):
        geo.nearest(clash, points([(1, 0)], name=["p"]))


def test_a_second_join_follows_where_its_columns_are_free():
    first = geo.nearest(points([(0.5, 0.5)]), points([(1, 0)], depth=[5]))
    first = first.rename(columns={"probability": "chance", "index_right": "port"})
    got = geo.within(first, polygons([box(0, 0, 1, 1)]))
    assert got["distance_m"].tolist() == first["distance_m"].tolist()
    assert got["relation"].tolist() == ["certain"]


def test_a_join_keeps_the_types_of_columns():
    import pandas as pd

    right = points([(1, 0)], kind=pd.Categorical(["port"]))
    right["berths"] = pd.array([None], dtype="Int64")
    got = geo.nearest(points([(0, 0)]), right)
    assert got["kind"].dtype == "category"
    assert got["berths"].dtype == "Int64"


def test_an_invalid_polygon_is_refused_with_its_reason():
    bow_tie = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    with pytest.raises(geo.GeometryError, match=r"right, row 0.*Self-intersection"):
        geo.within(points([(0, 0)]), polygons([bow_tie]))


def test_within_gives_ties_in_the_order_of_the_right_side():
    """A box, a road and a box, in all of which the place lies."""
    road = LineString([(0, 0), (1, 1)])
    plots = polygons([box(0, 0, 1, 1), road, box(0, 0, 2, 2), road])
    for places in ([(0.5, 0.5)], [(0.5, 0.5), (0.25, 0.25)]):
        got = geo.within(points(places), plots)
        assert got["probability"].tolist() == [1] * 4 * len(places)
        assert got["index_right"].tolist() == [0, 1, 2, 3] * len(places)


# ── intersects ───────────────────────────────────────────────────────────────


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                Point(1, 1),
                Point(1.5, 0.5),
                LineString([(0, 0), (2, 2)]),
                LineString([(2, 0), (2, 3)]),
                box(0, 0, 1, 1),
                box(1, 1, 2, 2),
                box(0, 0, 3, 3).difference(box(1.2, 1.2, 1.8, 1.8)),
                MultiPolygon([box(0, 0, 1, 1), box(2, 2, 3, 3)]),
                shapely.MultiPoint([(1.5, 1.5), (9, 9)]),
            ]
        ),
        min_size=1,
        max_size=6,
    )
)
def test_intersects_without_uncertainty_is_the_certain_join(shapes):
    left, right = polygons(shapes), polygons(shapes[::-1], n=range(len(shapes)))
    got = geo.intersects(left, right)
    expected = left.sjoin(right, predicate="intersects")
    assert list(zip(got.index, got["index_right"], strict=True)) == sorted(
        zip(expected.index, expected["index_right"], strict=True)
    )
    assert (got["relation"] == "certain").all()
    assert (got["probability"] == 1).all()


def test_intersects_meets_across_the_antimeridian():
    got = geo.intersects(
        polygons([box(179, 0, 180, 1)]), polygons([box(-180, 0.5, -179, 2)])
    )
    assert len(got) == 1


def test_intersects_says_what_may_meet():
    """Ten kilometres apart, each off by up to six: possible; deep inside: certain."""
    gap = 10_000 / 111_320
    block = polygons([box(0, 0, 1, 1)], boundary_uncertainty_m=[6_000.0])
    near = polygons([box(1 + gap, 0, 2, 1)], uncertainty_m=[6_000.0])
    far = polygons([box(1 + gap, 0, 2, 1)], uncertainty_m=[3_000.0])
    inner = polygons([box(0.4, 0.4, 0.6, 0.6)], uncertainty_m=[6_000.0])
    got = geo.intersects(near, block)
    assert got["relation"].tolist() == ["possible"]
    assert got["probability"].isna().all()
    assert len(geo.intersects(far, block)) == 0
    for left, right in ((inner, block), (block, inner)):
        got = geo.intersects(left, right)
        assert got["relation"].tolist() == ["certain"]
        assert got["probability"].tolist() == [1]


def test_intersects_gives_the_chance_of_a_point_in_a_polygon_on_either_side():
    mine = points([(1, 0.5)], uncertainty_m=[5_000])
    block = polygons([box(0, 0, 1, 1)])
    expected = geo.within(mine, block)["probability"].tolist()
    assert geo.intersects(mine, block)["probability"].tolist() == expected
    assert geo.intersects(block, mine)["probability"].tolist() == expected
    road = polygons([LineString([(1, 0), (1, 1)])])
    assert geo.intersects(mine, road)["probability"].isna().all()


# ── what holds for all of them ───────────────────────────────────────────────

JOINS = [
    geo.within,
    geo.intersects,
    geo.nearest,
    lambda left, right, **options: geo.within_distance(left, right, 1e5, **options),
]


@pytest.mark.parametrize("join", JOINS)
def test_an_index_label_that_occurs_twice_is_refused(join):
    left = points([(0.5, 0.5), (0.6, 0.5)]).set_index(pd_index("a", "a"))
    with pytest.raises(geo.ColumnError, match=r"left, row 1.*'a' occurs twice.*reset"):
        join(left, polygons([box(0, 0, 1, 1)]))


@pytest.mark.parametrize("join", JOINS)
@pytest.mark.parametrize("value", [-1.0, float("inf")])
def test_an_uncertainty_that_is_no_length_is_refused(join, value):
    left = points([(0.5, 0.5)], uncertainty_m=[value])
    with pytest.raises(geo.ColumnError, match=r"left, row 0, column uncertainty_m"):
        join(left, polygons([box(0, 0, 1, 1)]))


@pytest.mark.parametrize("join", JOINS)
def test_a_coordinate_that_is_no_place_is_refused(join):
    block = polygons([box(0, 0, 1, 1)])
    with pytest.raises(geo.AxisOrderError, match="axes may be swapped"):
        join(points([(39.7, 124.7)]), block)
    with pytest.raises(geo.GeometryError, match="not a finite number: nan, 0"):
        join(points([(float("nan"), 0)]), block)
    with pytest.raises(geo.GeometryError, match="geometry is missing"):
        join(polygons([None]), block)
    with pytest.raises(geo.CRSMissingError):
        join(points([(0, 0)]).set_crs(None, allow_override=True), block)
    with pytest.raises(geo.CRSMismatchError, match=r"to_crs\(4326\)"):
        join(points([(0, 0)]), block.to_crs(3857))


@pytest.mark.parametrize("join", JOINS)
def test_progress_is_told_and_can_stop_the_work(join):
    left = points(np.random.default_rng(1).uniform(0, 1, (50, 2)))
    told = []
    join(left, polygons([box(0, 0, 1, 1)]), progress=lambda *done: told.append(done))
    assert told[-1] == (50, 50)

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join(left, polygons([box(0, 0, 1, 1)]), progress=stop)


@pytest.mark.parametrize("join", JOINS)
def test_columns_that_would_take_one_name_are_refused(join):
    left, right = points([(0.5, 0.5)], a=[1]), polygons([box(0, 0, 1, 1)], a=[2])
    right["a_left"] = 3
    with pytest.raises(geo.ColumnError, match=r"'a_left' .*lsuffix='left_2'"):
        join(left, right)
    assert join(left, right, lsuffix="left_2")[["a_left_2", "a_right", "a_left"]].iloc[
        0
    ].tolist() == [1, 2, 3]


@pytest.mark.parametrize("kinds", ["points", "lines", "areas", "all"])
@pytest.mark.parametrize("others", ["points", "lines", "areas", "all"])
@pytest.mark.parametrize("vague", [False, True])
@pytest.mark.parametrize("join", JOINS)
def test_progress_rises_to_the_end_whatever_is_joined(join, vague, others, kinds):
    def some(kind, n):
        place = np.random.default_rng(n).uniform(0, 1, (n, 2))
        shapes = {
            "points": shapely.points(place),
            "lines": [LineString([p, p + 0.1]) for p in place],
            "areas": shapely.box(*place.T, *(place + 0.2).T),
        }
        found = shapes.get(kind, [])
        for k in range(n if kind == "all" else 0):
            found.append(list(shapes.values())[k % 3][k])
        off = np.resize([0.0, 100.0, 9_000.0, 40.0], n) if vague else np.zeros(n)
        return polygons(found, uncertainty_m=off, boundary_uncertainty_m=off)

    told = []
    left, right = some(kinds, 7), some(others, 6)
    join(left, right, progress=lambda *done: told.append(done))
    assert told[-1] == (7, 7)
    assert told == sorted(told)
    assert {total for _, total in told} == {7}


@pytest.mark.parametrize("join", JOINS)
def test_a_named_geometry_column_and_extra_geometries_are_kept(join):
    left = points([(0.5, 0.5)]).rename_geometry("place")
    right = polygons([box(0, 0, 1, 1)]).rename_geometry("lease")
    got = join(left, right)
    assert got.geometry.name == "place"
    assert "lease" not in got

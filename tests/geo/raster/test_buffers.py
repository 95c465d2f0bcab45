"""Buffers and insides beside shapely in the plane and the joins on the ellipsoid."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer
from shapely import LineString, MultiLineString, MultiPolygon, Point, Polygon, box

import geo
from geo.errors import (
    CRSMismatchError,
    CRSMissingError,
    GeometryError,
    GeometryTypeError,
    GridError,
)
from geo.raster import Grid, inside
from geo.raster.buffers import prepare, prepare_inside
from geo.raster.edges import Drawn, clipped, onto_plane

UTM = "EPSG:32651"
NATIONAL = Grid(
    west=300_000.0, north=4_500_000.0, dx=30.0, dy=30.0, shape=(2_000, 2_500), crs=UTM
)


def series(*shapes):
    return gpd.GeoSeries(list(shapes), crs=4326)


def lonlat_of(xy):
    back = Transformer.from_crs(UTM, 4326, always_xy=True)
    return np.column_stack(back.transform(*np.asarray(xy).T))


def roads(n, rng):
    """Lines of 20 edges of 400 m, some of them beyond the grid's edge."""
    west, south, east, north = NATIONAL.bounds
    for _ in range(n):
        heading = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.2, 20).cumsum()
        steps = 400 * np.column_stack([np.cos(heading), np.sin(heading)])
        start = rng.uniform(
            [west - 2_000, south - 2_000], [east + 2_000, north + 2_000]
        )
        yield LineString(lonlat_of(start + steps.cumsum(axis=0)))


def away_from(lines, places):
    """Shapely's distances to the nearest of all edges."""
    xy, line = shapely.get_coordinates(lines, return_index=True)
    edges = np.stack([xy[:-1], xy[1:]], axis=1)[np.diff(line) == 0]
    tree = shapely.STRtree(shapely.linestrings(edges))
    found = tree.query_nearest(places, return_distance=True, all_matches=False)
    return found[1]


def test_200_000_cells_are_right_in_the_plane():
    """shapely measures to edges with 20 vertices each, brought over by geopandas."""
    rng = np.random.default_rng(7)
    lines = series(*roads(200, rng))
    got = prepare(lines, NATIONAL, 500.0).marked()
    dense = shapely.segmentize(lines.to_numpy(), 0.0003)
    there = gpd.GeoSeries(dense, crs=4326).to_crs(UTM).to_numpy()
    row = rng.integers(0, NATIONAL.shape[0], 200_000)
    column = rng.integers(0, NATIONAL.shape[1], 200_000)
    x, y = NATIONAL.centres()
    centres = shapely.points(x[row, column], y[row, column])
    distance = away_from(there, centres)
    clear = np.abs(distance - 500) > 0.01  # edges bend by 3 mm
    assert (~clear).sum() < 20
    near = got[row, column].astype(bool)
    assert 0.2 < near.mean() < 0.8
    assert (near != (distance <= 500))[clear].sum() == 0


def nearest_m(grid, features, cells):
    """Distances from some centres by the join, which measures along geodesics."""
    x, y = (axis.ravel()[cells] for axis in grid.centres())
    centres = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy((x + 180) % 360 - 180, y), crs=4326
    )
    found = geo.nearest(centres, gpd.GeoDataFrame(geometry=features))
    assert (found.index == np.arange(len(cells))).all()
    return found["distance_m"].to_numpy()


def scattered(rng, lat, n=14):
    """Lines, points and a polygon with a hole round 180 degrees east."""

    def wrapped(lon):
        return (np.asarray(lon) + 180) % 360 - 180

    shapes = []
    while len(shapes) < n:
        start = rng.uniform([179.6, lat - 0.25], [180.5, lat + 0.25])
        way = start + rng.normal(0, 0.03, (5, 2)).cumsum(axis=0)
        lon = wrapped(way[:, 0])
        if np.ptp(lon) < 180:
            shapes.append(LineString(np.column_stack([lon, way[:, 1]])))
    shapes += [Point(wrapped(179.9 + 0.1 * i), lat + 0.05 * i) for i in range(4)]
    ring, hole = box(179.75, lat - 0.1, 179.95, lat), box(179.8, lat - 0.08, 179.9, lat)
    shapes.append(ring.difference(hole.buffer(-0.01)))
    return series(*shapes)


@pytest.mark.parametrize("lat", [0.0, 40.0, 65.0, -65.0, 80.0])
@pytest.mark.parametrize("distance_m", [0.0, 500.0, 3_000.0, 20_000.0])
def test_geodesic_buffers_are_right_across_the_antimeridian(lat, distance_m):
    rng = np.random.default_rng(int(lat) + 100)
    features = scattered(rng, lat, n=3 if distance_m > 5_000 else 14)
    if distance_m > 5_000:
        features = features[features.geom_type != "Point"].iloc[:2]
    grid = Grid(west=179.7, north=lat + 0.2, dx=0.001, dy=0.0005, shape=(700, 600))
    got = prepare(features, grid, distance_m).marked()
    cells = rng.choice(got.size, 6_000, replace=False)
    # And all that stand along the limit.
    edge = np.flatnonzero(np.diff(got.ravel()))
    cells = np.concatenate([cells, rng.permutation(edge)[:3_000], edge[-500:] + 1])
    distance = nearest_m(grid, features, cells)
    near = got.ravel()[cells].astype(bool)
    clear = np.abs(distance - distance_m) > 1e-3
    clear |= distance == 0
    assert (~clear).sum() < 3
    assert (near != (distance <= distance_m))[clear].sum() == 0


def test_close_to_the_pole_every_cell_is_measured():
    grid = Grid(west=-180.0, north=90.0, dx=5.0, dy=0.02, shape=(60, 72))
    features = series(
        LineString([(10, 89.7), (40, 89.95)]), Point(-150, 89.2), Point(180, 89.5)
    )
    got = prepare(features, grid, 20_000.0).marked()
    cells = np.arange(got.size)
    distance = nearest_m(grid, features, cells)
    assert 0.1 < got.mean() < 0.9
    np.testing.assert_array_equal(got.ravel().astype(bool), distance <= 20_000.0)


@pytest.mark.parametrize("lat", [0.0, 40.0, 65.0])
def test_a_feature_just_within_reach_counts_and_one_just_beyond_does_not(lat):
    grid = Grid(west=125.0, north=lat + 0.05, dx=0.001, dy=0.001, shape=(100, 100))
    x, y = (axis[70, 20] for axis in grid.centres())
    town = Point(125.061, lat + 0.0213)
    away = geo.distance(x, y, town.x, town.y).item()
    for reach, marked in [(away + 1e-3, 1), (away - 1e-3, 0)]:
        assert prepare(series(town), grid, reach).marked()[70, 20] == marked


def test_features_off_the_grid_still_count():
    lonlat = Grid(west=125.0, north=40.0, dx=0.001, dy=0.001, shape=(50, 50))
    for town in (Point(124.99, 39.98), Point(125.02, 40.02), Point(125.06, 39.94)):
        assert 0 < prepare(series(town), lonlat, 3_000.0).marked().mean() < 1
    for xy in [(299_000.0, 4_490_000.0), (301_000.0, 4_502_000.0)]:
        [place] = lonlat_of([xy])
        assert prepare(series(Point(place)), NATIONAL, 3_000.0).marked().any()
    assert not prepare(series(Point(-60, 10)), NATIONAL, 3_000.0).marked().any()
    assert not prepare(series(Point(-60, 10)), lonlat, 3_000.0).marked().any()


HOLED = Polygon(
    box(125.02, 39.92, 125.12, 39.99).exterior,
    [box(125.04, 39.93, 125.1, 39.98).exterior.coords],
)


@pytest.mark.parametrize("crs", ["EPSG:4326", UTM])
def test_inside_a_polygon_is_near_and_the_middle_of_its_hole_is_not(crs):
    grid = Grid(west=125.0, north=40.0, dx=0.001, dy=0.001, shape=(100, 150))
    if crs == UTM:
        x, y = Transformer.from_crs(4326, UTM, always_xy=True).transform(125.0, 40.0)
        grid = Grid(west=x, north=y, dx=90.0, dy=90.0, shape=(120, 140), crs=UTM)
    got = prepare(series(HOLED), grid, 700.0).marked().astype(bool)
    x, y = grid.centres()
    # to_crs moves vertices only; edges of 10 km would be 2 m off.
    shape = series(HOLED).segmentize(0.001).to_crs(crs).iloc[0]
    held = shapely.contains_xy(shape, x, y)
    assert got[held].all()
    hole = shapely.contains_xy(Polygon(shape.interiors[0]), x, y)
    assert got[hole].any()
    assert not got[hole].all()
    within = prepare_inside(series(HOLED), grid).marked().astype(bool)
    np.testing.assert_array_equal(within, held)
    far = shapely.distance(shape, shapely.points(x, y)) > (701 if crs == UTM else 0.01)
    assert not got[far].any()


outline = st.lists(
    st.tuples(st.floats(124.9, 125.3), st.floats(39.8, 40.1)), min_size=3, max_size=9
)


@settings(max_examples=60)
@given(st.lists(outline, min_size=1, max_size=3), st.integers(1, 60))
def test_insides_are_those_of_shapely(outlines, cut):
    shapes = []
    for ring in outlines:
        valid = shapely.make_valid(Polygon(ring))
        shapes += [p for p in shapely.get_parts(valid) if p.geom_type == "Polygon"]
    if not shapes:
        return
    grid = Grid(west=125.0, north=40.0, dx=0.003, dy=0.002, shape=(61, 70))
    found = prepare_inside(series(*shapes), grid)
    got = found.marked()
    expected = inside(series(*shapes), grid) >= 0
    x, y = grid.centres()
    lines = shapely.union_all([shape.boundary for shape in shapes])
    clear = shapely.distance(lines, shapely.points(x, y)) > 0
    np.testing.assert_array_equal(got[clear], expected[clear])
    pieced = np.zeros_like(got)
    found.mark(pieced[:cut, :20], row=0, column=0)
    found.mark(pieced[:cut, 20:], row=0, column=20)
    found.mark(pieced[cut:], row=cut)
    assert pieced.tobytes() == got.tobytes()


def test_polygons_that_share_a_border_share_out_the_cells_on_it():
    """Borders run through centres: each cell belongs to exactly one of the four."""
    grid = Grid(west=-0.5, north=8.5, dx=1.0, dy=1.0, shape=(9, 9))
    quarters = [
        Polygon([(-1, -1), (4, -1), (4, 4), (-1, 4)]),
        Polygon([(4, -1), (9, -1), (9, 4), (4, 4)]),
        Polygon([(-1, 4), (4, 4), (4, 9), (-1, 9)]),
        Polygon([(4, 4), (9, 4), (9, 9), (4, 9)]),
    ]
    each = [prepare_inside(series(part), grid).marked() for part in quarters]
    np.testing.assert_array_equal(np.sum(each, axis=0), np.ones(grid.shape))
    assert each[3][4, 4] == 1  # the one to the north and east of the centre 4, 4
    halves = [
        Polygon([(-1, -1), (9, 9), (-1, 9)]),
        Polygon([(-1, -1), (9, -1), (9, 9)]),
    ]
    each = [prepare_inside(series(part), grid).marked() for part in halves]
    np.testing.assert_array_equal(np.sum(each, axis=0), np.ones(grid.shape))


def test_overlaps_directions_and_holes_do_not_cancel_out():
    grid = Grid(west=0.0, north=10.0, dx=1.0, dy=1.0, shape=(10, 10))
    one, two = box(1, 1, 7, 7), box(3, 3, 9, 9)
    both = series(one, two, shapely.reverse(one), MultiPolygon([box(0, 8, 1, 9)]))
    got = prepare_inside(both, grid).marked().astype(bool)
    np.testing.assert_array_equal(got, inside(both, grid) >= 0)
    ring = Polygon(one.exterior.coords[::-1], [box(2, 2, 5, 5).exterior.coords])
    got = prepare_inside(series(ring), grid).marked().astype(bool)
    np.testing.assert_array_equal(got, inside(series(ring), grid) >= 0)


def test_regions_go_on_across_the_antimeridian():
    grid = Grid(west=178.0, north=52.0, dx=0.1, dy=0.1, shape=(20, 40))
    region = series(MultiPolygon([box(179, 50, 180, 51), box(-180, 50, -179, 51)]))
    got = prepare_inside(region, grid).marked().astype(bool)
    expected = np.zeros(grid.shape, dtype=bool)
    expected[10:, 10:30] = True
    np.testing.assert_array_equal(got, expected)
    pacific = Grid.over(
        (600_000, 5_500_000, 900_000, 5_800_000), 5_000, crs="EPSG:32660"
    )
    got = prepare_inside(region, pacific).marked().astype(bool)
    x, y = pacific.centres()
    lon, lat = Transformer.from_crs(32660, 4326, always_xy=True).transform(x, y)
    held = (np.abs(lon) > 179) & (lat > 50) & (lat < 51)
    assert 0.05 < held.mean() < 0.5
    np.testing.assert_array_equal(got, held)
    near = prepare(region, pacific, 20_000.0).marked().astype(bool)
    assert near[held].all()
    assert near.sum() > held.sum()


def test_long_edges_bend_as_they_should_in_the_plane():
    """300 km along a parallel, 2 km off its chord; the far end is off the grid."""
    grid = Grid(
        west=300_000, north=4_460_000, dx=100, dy=100, shape=(400, 200), crs=UTM
    )
    road = LineString([(120.7, 40.0), (124.3, 40.0)])
    got = prepare(series(road), grid, 1_000.0).marked()
    x, y = grid.centres()
    lon = np.linspace(120.7, 124.3, 5_000)
    there = Transformer.from_crs(4326, UTM, always_xy=True)
    image = LineString(np.column_stack(there.transform(lon, np.full(lon.shape, 40.0))))
    distance = away_from(np.array([image]), shapely.points(x.ravel(), y.ravel()))
    distance = distance.reshape(grid.shape)
    clear = np.abs(distance - 1_000) > 0.1
    near = got.astype(bool)
    assert 0.02 < near.mean() < 0.5
    np.testing.assert_array_equal(near[clear], (distance <= 1_000)[clear])


def test_an_edge_whose_image_is_an_s_is_cut_as_well():
    """Odd about where the central meridian meets the equator: half way it is on its
    chord, at its quarters nearly a metre off."""
    grid = Grid(
        west=420_000, north=60_000, dx=100, dy=100, shape=(1_200, 1_600), crs=UTM
    )
    road = LineString([(122.5, -0.5), (123.5, 0.5)])
    pieces = prepare(series(road), grid, 100.0).reach.ends
    there = Transformer.from_crs(4326, UTM, always_xy=True)
    way = np.linspace(-0.5, 0.5, 20_001)
    image = np.column_stack(there.transform(123 + way, way))
    chord = LineString([image[0], image[-1]])
    assert shapely.distance(chord, shapely.points(image[10_000])) < 1e-3
    assert shapely.distance(chord, shapely.points(image)).max() > 0.5
    drawn = MultiLineString(pieces.reshape(-1, 2, 2).tolist())
    assert shapely.distance(drawn, shapely.points(image[::10])).max() < 0.1


def _cut_by_shapely(edges, box_):
    shapes = shapely.intersection(shapely.linestrings(edges.reshape(-1, 2, 2)), box_)
    return shapes[~shapely.is_empty(shapes)]


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.sampled_from([0.5, 3.0, 30.0]))
def test_edges_are_cut_as_shapely_cuts_them(seed, spread):
    rng = np.random.default_rng(seed)
    edges = np.round(rng.uniform(-spread, spread, (50, 4)), 2)
    frame = (-1.0, -0.5, 1.0, 0.75)
    parts, whole = clipped(edges, frame)
    expected = _cut_by_shapely(edges, box(*frame))
    assert len(parts) == len(expected)
    ends = shapely.linestrings(parts.reshape(-1, 2, 2))
    assert shapely.hausdorff_distance(ends, expected).max(initial=0) < 1e-12
    inside = (np.abs(edges[:, 0::2]) <= 1).all(axis=1)
    inside &= ((edges[:, 1::2] >= -0.5) & (edges[:, 1::2] <= 0.75)).all(axis=1)
    assert whole[whole >= 0].tolist() == np.flatnonzero(inside).tolist()
    np.testing.assert_array_equal(parts[whole >= 0], edges[inside])


def test_images_that_are_known_change_nothing():
    rng = np.random.default_rng(1)
    lines = series(*roads(30, rng), LineString([(120.7, 40.0), (124.3, 40.0)]))
    drawn = Drawn(lines.to_numpy(), NATIONAL)
    ends, edge = onto_plane(drawn.edges, NATIONAL)
    assert len(ends) > len(drawn.edges)
    some_known = drawn.images.copy()
    some_known[::3] = np.inf
    for images in (drawn.images, some_known):
        again, source = onto_plane(drawn.edges, NATIONAL, images)
        assert again.tobytes() == ends.tobytes()
        np.testing.assert_array_equal(source, edge)
    shared = prepare(lines, NATIONAL, 500.0, drawn=drawn).marked()
    assert shared.tobytes() == prepare(lines, NATIONAL, 500.0).marked().tobytes()


def test_each_place_is_brought_over_once(monkeypatch):
    rng = np.random.default_rng(1)
    lines = series(*roads(30, rng))
    asked = []
    transform = Transformer.transform

    def counted(self, lon, lat, **rest):
        asked.append(len(lon))
        return transform(self, lon, lat, **rest)

    monkeypatch.setattr(Transformer, "transform", counted)
    drawn = Drawn(lines.to_numpy(), NATIONAL)
    assert drawn.images.shape == (30 * 19, 4)
    assert drawn.images is drawn.images
    assert asked == [30 * 20]
    prepare(lines, NATIONAL, 500.0, drawn=drawn)
    assert sum(asked) < 30 * (20 + 19) + 100  # ends once, and once half way


def test_a_window_is_added_to_and_may_reach_beyond_the_grid():
    grid = Grid(west=125.0, north=40.0, dx=0.001, dy=0.001, shape=(50, 60))
    town = prepare(series(Point(125.002, 39.998)), grid, 900.0)
    whole = town.marked()
    out = np.full((70, 80), 0, dtype=np.uint8)
    out[0, 0] = out[40, 40] = 1
    town.mark(out, row=-10, column=-5)
    np.testing.assert_array_equal(out[10:60, 5:65] | 0, whole | out[10:60, 5:65])
    assert out[0, 0] == out[40, 40] == 1
    assert out.sum() == whole.sum() + 2
    town.mark(out, row=200, column=0)
    town.mark(out, row=0, column=-500)
    assert out.sum() == whole.sum() + 2


def test_no_features_mark_nothing():
    assert not prepare(series(), NATIONAL, 500.0).marked().any()
    assert not prepare_inside(series(), NATIONAL).marked().any()


@pytest.mark.parametrize(
    ("features", "distance_m", "error", "message"),
    [
        (gpd.GeoSeries([Point(1, 2)]), 5.0, CRSMissingError, "no CRS"),
        (gpd.GeoSeries([Point(1, 2)], crs=UTM), 5.0, CRSMismatchError, "to_crs"),
        (series(Point()), 5.0, GeometryError, "geometry is empty"),
        (series(Point(125, 40)), -1.0, GeometryError, "0 or more"),
        (series(Point(125, 40)), np.inf, GeometryError, "finite"),
        (
            series(Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])),
            5.0,
            GeometryError,
            "make_valid",
        ),
        (
            series(shapely.GeometryCollection([Point(1, 2)])),
            5.0,
            GeometryTypeError,
            "explode",
        ),
    ],
)
def test_bad_features_are_refused(features, distance_m, error, message):
    with pytest.raises(error, match=message):
        prepare(features, NATIONAL, distance_m)


def test_bad_grids_and_windows_are_refused():
    feet = Grid(west=0, north=0, dx=1, dy=1, shape=(3, 3), crs="EPSG:2263")
    with pytest.raises(GridError, match="metres"):
        prepare(series(Point(125, 40)), feet, 5.0)
    with pytest.raises(GeometryTypeError, match="expected polygons"):
        prepare_inside(series(Point(125, 40)), NATIONAL)
    with pytest.raises(GridError, match="expected uint8"):
        prepare(series(Point(125, 40)), NATIONAL, 5.0).mark(np.zeros((3, 3)))

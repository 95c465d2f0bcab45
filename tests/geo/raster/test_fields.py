"""Distance fields, judged by exact geodesic joins and by shapely in the plane."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from geo import nearest
from geo.errors import GeometryError
from geo.raster import Grid
from geo.raster.edges import Drawn
from geo.raster.fields import WORST, field_of, step_of
from geo.raster.kernels.fields import REACH
from geo.raster.kernels.samples import PAD, sample_bilinear
from geo.raster.sheets import Window

GLOBE = Grid(west=124, north=40, dx=0.002, dy=0.002, shape=(90, 130))
PLANE = Grid(west=3e5, north=44e5, dx=200, dy=200, shape=(90, 130), crs="EPSG:32651")


def distances(features, grid, tolerance_m=1.0):
    smooth = field_of(gpd.GeoSeries(features, crs=4326), grid, tolerance_m)
    out = np.empty(grid.shape)
    sample_bilinear(smooth.raster, *smooth.places(Window(0, 0, *grid.shape)), out)
    return out


def truth(features, grid):
    x, y = (axis.ravel() for axis in grid.centres())
    if grid.is_lonlat:
        x = (x + 180) % 360 - 180
        cells = gpd.GeoDataFrame(geometry=gpd.points_from_xy(x, y), crs=4326)
        others = gpd.GeoDataFrame(geometry=gpd.GeoSeries(features, crs=4326))
        return nearest(cells, others)["distance_m"].to_numpy().reshape(grid.shape)
    dense = shapely.segmentize(np.array(features, dtype=object), 0.001)
    back = Transformer.from_crs(4326, grid.crs, always_xy=True)
    flat = shapely.transform(dense, lambda xy: np.column_stack(back.transform(*xy.T)))
    tree, places = shapely.STRtree(flat), shapely.points(x, y)
    (row, _), away = tree.query_nearest(places, return_distance=True, all_matches=False)
    found = np.empty(len(places))
    found[row] = away
    return found.reshape(grid.shape)


def some(kind, count, grid, seed, spread=1.6):
    """Features in and round the grid."""
    rng = np.random.default_rng(seed)
    west, south, east, north = grid.bounds
    to_lonlat = Transformer.from_crs(grid.crs, 4326, always_xy=True)
    middle = np.array([(west + east) / 2, (south + north) / 2])
    size = np.array([east - west, north - south])
    shapes = []
    for _ in range(count):
        at = middle + (rng.random(2) - 0.5) * spread * size
        ring = at + (rng.random((4, 2)) - 0.5) * size * 0.2
        xy = np.column_stack(to_lonlat.transform(*ring.T))
        if kind == "points":
            shapes.append(shapely.Point(xy[0]))
        elif kind == "lines":
            shapes.append(shapely.LineString(xy))
        else:
            shapes.append(shapely.MultiPoint(xy).convex_hull)
    return shapes


@settings(max_examples=40)
@given(
    grid=st.sampled_from([GLOBE, PLANE]),
    kind=st.sampled_from(["points", "lines", "polygons"]),
    count=st.sampled_from([1, 3, 40]),
    spread=st.sampled_from([0.5, 1.6, 4.0]),
    seed=st.integers(0, 2**32),
)
def test_nodes_are_exact_but_for_a_little(grid, kind, count, spread, seed):
    features = some(kind, count, grid, seed, spread)
    off = distances(features, grid) - truth(features, grid)
    # Edges of the plane are cut from those of the globe every 2 km, 1 m aside at most.
    assert off.min() > -1.0
    assert off.max() < 0.1 * 222


@settings(max_examples=30)
@given(
    where=st.sampled_from([GLOBE, PLANE, 65.0, -84.0]),
    kind=st.sampled_from(["points", "lines"]),
    count=st.sampled_from([1, 5, 60]),
    spread=st.sampled_from([0.5, 1.1]),
    seed=st.integers(0, 2**32),
)
def test_nodes_near_features_have_the_distance_itself(where, kind, count, spread, seed):
    """Neighbours decide nothing there; edges leave their pieces by 0.25 m at most."""
    grid = where
    if isinstance(where, float):
        grid = Grid(west=179.9, north=where, dx=0.004, dy=0.001, shape=(70, 90))
    features = some(kind, count, grid, seed, spread)
    features = [wrapped(shape) for shape in features]
    features = [f for f in features if np.ptp(f.bounds[::2]) < 180] or [
        shapely.Point(-179.9, grid.bounds[1])
    ]
    expected = truth(features, grid)
    from geo.raster.metric import metric_of

    metric = metric_of(grid)
    near = expected < 0.98 * REACH * min(metric.dx_m.min(), metric.dy_m.min())
    off = distances(features, grid) - expected
    assert near.any() or spread > 1
    assert (np.abs(off[near]) < 0.25 + 1e-6).all()


def wrapped(shape):
    return shapely.transform(
        shape, lambda xy: np.column_stack([(xy[:, 0] + 180) % 360 - 180, xy[:, 1]])
    )


def test_a_lattice_round_the_globe_has_no_seam():
    grid = Grid(west=-180, north=60, dx=0.5, dy=0.5, shape=(240, 720))
    towns = [shapely.Point(179.2, 10), shapely.Point(-179.9, -40), shapely.Point(5, 50)]
    got = distances(towns, grid)
    expected = truth(towns, grid)
    near = expected < 3e5
    assert near[:, :8].any()
    np.testing.assert_allclose(got[near], expected[near], rtol=2e-6)
    # Far away a node may miss the nearest by a little, and arcs are cut short.
    np.testing.assert_allclose(got, expected, rtol=0.1)
    west, east = got[:, 0], got[:, -1]
    assert np.abs(west - east).max() < 1.05 * 111_320 / 2


@pytest.mark.parametrize("grid", [GLOBE, PLANE], ids=["globe", "plane"])
def test_edges_that_are_shared_give_the_same(grid):
    features = gpd.GeoSeries(some("lines", 20, grid, 3), crs=4326)
    drawn = Drawn(features.to_numpy(), grid)
    one = field_of(features, grid, 1.0, drawn=drawn)
    again = field_of(features, grid, 1.0, drawn=drawn)
    alone = field_of(features, grid, 1.0)
    assert one.raster.tobytes() == again.raster.tobytes() == alone.raster.tobytes()


@pytest.mark.parametrize("grid", [GLOBE, PLANE], ids=["globe", "plane"])
@pytest.mark.parametrize("tolerance_m", [300.0, 1000.0, 3000.0])
def test_the_tolerance_is_kept(monkeypatch, grid, tolerance_m):
    monkeypatch.setattr("geo.raster.fields.FINE_NODES", 1)
    step = step_of(grid, tolerance_m)
    assert step == max(int(tolerance_m / (WORST * step_side(grid))), 1)
    features = some("lines", 12, grid, 5)
    off = np.abs(distances(features, grid, tolerance_m) - truth(features, grid))
    assert off.max() <= max(tolerance_m, 40)
    assert np.median(off) < 0.15 * tolerance_m


def step_side(grid):
    from geo.raster.metric import metric_of

    metric = metric_of(grid)
    return max(metric.dx_m.max(), metric.dy_m.max())


def test_lattices_do_not_grow_without_end():
    wide = Grid(west=60, north=60, dx=1 / 3600, dy=1 / 3600, shape=(200_000, 300_000))
    step = step_of(wide, 100.0)
    assert (200_000 / step) * (300_000 / step) <= 32_000_000


def test_inside_is_zero_and_holes_are_outside():
    ring = shapely.box(124.05, 39.9, 124.2, 39.97)
    hole = shapely.box(124.1, 39.92, 124.15, 39.95)
    got = distances([ring.difference(hole)], GLOBE)
    x, y = GLOBE.centres()
    inside = shapely.contains_xy(ring, x, y) & ~shapely.contains_xy(hole, x, y)
    assert (got[inside] == 0).all()
    assert (got[~inside] > 0).all()


def test_across_the_antimeridian():
    grid = Grid(west=179, north=1, dx=0.02, dy=0.02, shape=(40, 49))
    got = distances([shapely.Point(-179.9, 0.6)], grid)
    np.testing.assert_allclose(
        got, truth([shapely.Point(-179.9, 0.6)], grid), rtol=1e-6
    )


def test_features_that_have_no_place_are_an_error():
    crs = "+proj=gnom +lat_0=0 +lon_0=0 +units=m"
    half = Grid(west=0, north=9e6, dx=500, dy=500, shape=(9, 9), crs=crs)
    with pytest.raises(GeometryError, match="no feature has a place in"):
        distances([shapely.Point(179, 0)], half)


@pytest.mark.parametrize("grid", [GLOBE, PLANE], ids=["globe", "plane"])
def test_a_lattice_is_held_in_single_precision_and_padded(grid):
    smooth = field_of(gpd.GeoSeries(some("points", 3, grid, 1), crs=4326), grid, 1.0)
    assert smooth.raster.dtype == np.float32
    assert np.isnan(smooth.raster[:PAD]).all()
    assert np.isnan(smooth.raster[:, :PAD]).all()
    rows, columns = grid.shape
    nodes = smooth.raster[PAD : PAD + rows, PAD : PAD + columns]
    assert np.isfinite(nodes).all()
    assert np.isfinite(smooth.raster).sum() == nodes.size

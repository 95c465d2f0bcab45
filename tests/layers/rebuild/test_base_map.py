"""Simplification, and the shipped base map."""

import pyogrio
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.rebuild.base_map import COARSE_DEG, CORE, REGION, simplified
from layers.rebuild.recipes import DATA

REGIONAL = ["land", "coast", "lakes", "rivers", "borders"]
EVERY = [*(f"base-{name}" for name in REGIONAL), "base-world", "base-world-borders"]


def read(name):
    return pyogrio.read_dataframe(DATA / f"{name}.geojson")


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.floats(120, 133), st.floats(35, 45)), min_size=2, max_size=30)
)
def test_simplified_keeps_ends_order_core_and_tolerance(coords):
    thin = simplified(coords)
    assert (thin[0], thin[-1]) == (coords[0], coords[-1])
    remaining = iter(coords)
    assert all(vertex in remaining for vertex in thin)
    west, south, east, north = CORE
    inside = [c for c in coords if west <= c[0] <= east and south <= c[1] <= north]
    assert [c for c in thin if c in inside] == inside
    line = shapely.LineString(thin)
    assert all(line.distance(shapely.Point(c)) <= COARSE_DEG + 1e-9 for c in coords)


@pytest.mark.parametrize("name", EVERY)
def test_shipped_geometries_are_valid_and_plain(name):
    frame = read(name)
    assert list(frame.columns) == ["id", "kind", "geometry"]
    assert frame["id"].is_unique
    assert frame.geometry.is_valid.all()
    assert not frame.geometry.is_empty.any()
    assert frame.geom_type.nunique() == 1
    assert frame.notna().all(axis=None)


@pytest.mark.parametrize("name", REGIONAL)
def test_regional_layers_stay_in_their_window(name):
    west, south, east, north = read(f"base-{name}").total_bounds
    assert west >= REGION[0]
    assert south >= REGION[1]
    assert east <= REGION[2]
    assert north <= REGION[3]


def test_world_leaves_the_window_free():
    window = shapely.box(*REGION)
    land, borders = (read(n).geometry.values for n in EVERY[5:])
    assert shapely.area(shapely.intersection(land, window)).sum() < 1e-9
    assert shapely.length(shapely.intersection(borders, window)).sum() < 1e-9


def test_coast_has_the_vertices_of_land():
    land = {tuple(c) for c in shapely.get_coordinates(read("base-land").geometry)}
    coast = {tuple(c) for c in shapely.get_coordinates(read("base-coast").geometry)}
    assert coast <= land
    frame = shapely.box(*REGION).boundary
    lines = read("base-coast").geometry.values
    assert shapely.length(shapely.intersection(lines, frame)).sum() == 0


def test_known_points_are_on_the_right_side_of_the_coast():
    land = read("base-land").union_all()
    for lon, lat in [(125.75, 39.03), (123.43, 41.79), (127.54, 39.92)]:
        assert land.covers(shapely.Point(lon, lat))
    for lon, lat in [(123.5, 38.5), (129.5, 39.5)]:
        assert not land.covers(shapely.Point(lon, lat))


def test_border_classes_are_kept():
    kinds = set(read("base-borders")["kind"])
    assert kinds == {"international", "line-of-control", "zone-limit"}
    assert "disputed" in set(read("base-world-borders")["kind"])


def test_base_map_is_small_enough_for_a_page():
    assert sum((DATA / f"{n}.geojson").stat().st_size for n in EVERY[:5]) < 900_000
    assert sum((DATA / f"{n}.geojson").stat().st_size for n in EVERY[5:]) < 160_000

"""Geometry that is packed for the page comes back where it was, to the step."""

import base64
import gzip

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import (
    LineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

from geo.errors import GeometryError
from geo.geodesy import distance
from maps import vertices
from maps.columns import Store
from maps.vertices import AREA, EDGE, POINT, has_place, put_shapes, take_apart
from tests.maps.test_columns import unstepped, whole


def read_back(geometries, resolution_m):
    """Features as lists of rings of [lon, lat], in their own order."""
    store = Store()
    shapes = take_apart(np.array(geometries, object), "x")
    packed, order = put_shapes(store, shapes, resolution_m)
    texts = store.texts()

    def numbers(part, count):
        if "all" in part:
            return np.full(count, part["all"], np.int64)
        raw = gzip.decompress(base64.b64decode(texts[part["block"][0]]))
        return whole(raw, part["width"], count).astype(np.int64)

    counts = numbers(packed["ringsOf"], packed["placed"])
    lengths = numbers(packed["lengths"], packed["rings"])
    if "boxes" in packed:
        ends = np.cumsum(lengths)[np.cumsum(counts) - 1]
        edges = [0, *ends[:-1]], ends
        boxes = packed["boxes"]
        found = []
        for axis, side in (("x", "wide"), ("y", "tall")):
            low = unstepped(numbers(boxes[axis], packed["placed"]))
            own = numbers(packed[axis], packed["vertices"])
            parts = [
                corner + unstepped(own[start:end]).astype(np.uint32).view(np.int32)
                for start, end, corner in zip(*edges, low, strict=True)
            ]
            assert [part.min() for part in parts] == low.tolist()
            far = low + numbers(boxes[side], packed["placed"])
            assert [part.max() for part in parts] == far.tolist()
            found.append(np.concatenate(parts))
        x, y = found
    else:
        x, y = (unstepped(numbers(packed[axis], packed["vertices"])) for axis in "xy")
    lon = (x + packed["west"]) * packed["step"] * 360 - 180
    turned = np.pi * (1 - 2 * (y + packed["north"]) * packed["step"])
    lat = np.degrees(np.arctan(np.sinh(turned)))
    rings = np.split(np.column_stack([lon, lat]), np.cumsum(lengths)[:-1])
    ends = np.cumsum(counts)
    found = {}
    for place, end in enumerate(ends):
        found[int(order[place])] = rings[end - counts[place] : end]
    return found, packed


lonlat = st.tuples(st.floats(-180, 180), st.floats(-EDGE, EDGE))


@settings(max_examples=60)
@given(st.lists(lonlat, min_size=1, max_size=30), st.sampled_from([0.05, 1.0, 500.0]))
def test_no_point_moves_further_than_is_said(spots, resolution_m):
    found, packed = read_back([Point(p) for p in spots], resolution_m)
    assert packed["placed"] == len(spots)
    got = np.array([found[i][0][0] for i in range(len(spots))])
    moved = distance(*np.transpose(spots), *got.T)
    # The sphere of Web Mercator is at most 0.34 % longer than the ellipsoid.
    assert np.max(moved) <= resolution_m / 2**0.5 * 1.004 + 1e-6


@pytest.mark.parametrize("most", [0, vertices.FIRST_BOXES])
def test_shapes_of_all_kinds_come_back(most, monkeypatch):
    monkeypatch.setattr(vertices, "FIRST_BOXES", most)
    hole = Polygon([(2, 2), (8, 2), (8, 8), (2, 8)], [[(4, 4), (4, 6), (6, 6), (6, 4)]])
    parts = MultiPolygon([box(20, 0, 22, 2), Polygon([(30, 0), (30, 2), (32, 2)])])
    given_ = [
        LineString([(1, 1), (2, 3), (4, 4)]),
        None,
        hole,
        Point(5, 5),
        parts,
        MultiPoint([(7, 7), (8, 8)]),
    ]
    found, packed = read_back(given_, 0.5)
    assert packed["features"] == 6
    assert ("boxes" in packed) == (most == 0)
    assert sorted(found) == [0, 2, 3, 4, 5]
    for index, rings in found.items():
        shape = given_[index]
        if shape.geom_type.endswith("Polygon"):
            solid = [r for r in rings if shapely.is_ccw(shapely.linearrings(r))]
            holes = [r for r in rings if not shapely.is_ccw(shapely.linearrings(r))]
            area = sum(Polygon(r).area for r in solid)
            area -= sum(Polygon(r).area for r in holes)
            assert area == pytest.approx(shape.area, rel=1e-4)
            assert len(solid) == len(getattr(shape, "geoms", [shape]))
        else:
            got = np.concatenate(rings)
            np.testing.assert_allclose(got, shapely.get_coordinates(shape), atol=1e-5)


def test_neighbours_on_the_map_are_neighbours_in_the_file():
    grid = [Point(x, y) for x in range(16) for y in range(16)]
    _, packed = read_back(grid, 1.0)
    assert packed["placed"] == 256
    store = Store()
    _, order = put_shapes(store, take_apart(np.array(grid, object), "x"), 1.0)
    steps = np.abs(np.diff([(grid[i].x, grid[i].y) for i in order], axis=0)).sum(axis=1)
    shuffled = np.abs(np.diff([(p.x, p.y) for p in grid], axis=0)).sum(axis=1)
    assert steps.mean() < shuffled.mean() + 0.5


def test_a_leap_over_the_antimeridian_goes_the_shorter_way():
    ring = Polygon(
        [(170, 0), (-170, 0), (-170, 9), (170, 9)],
        [[(-175, 2), (-175, 4), (-172, 4), (-172, 2)]],
    )
    shapes = take_apart(np.array([ring, LineString([(-179, 1), (179, 2)])]), "x")
    line, outline, hole = shapes.lonlat[:2], shapes.lonlat[2:6], shapes.lonlat[6:]
    assert line[:, 0].tolist() == [-179, -181]
    assert sorted(set(outline[:, 0])) == [170, 190]
    assert sorted(set(hole[:, 0])) == [185, 188]
    assert shapely.is_ccw(shapely.linearrings(outline))
    assert not shapely.is_ccw(shapely.linearrings(hole))
    assert shapes.bounds == (-181, 0, 190, 9)


def test_an_edge_along_the_antimeridian_is_no_leap():
    world = box(-180, -80, 180, 80)
    shapes = take_apart(np.array([world]), "x")
    assert shapes.bounds == (-180, -80, 180, 80)


def test_a_polygon_round_a_pole_is_refused():
    cap = Polygon([(-120, 80), (0, 80), (120, 80)])
    with pytest.raises(GeometryError, match=r"row 1.*pole"):
        take_apart(np.array([box(0, 0, 1, 1), cap]), "x")


def test_what_has_no_place():
    rows = [Point(1, 2), None, Point(), Point(np.inf, 1), Polygon(), Point(1, 86)]
    array = np.array(rows, object)
    assert has_place(array).tolist() == [True, False, False, False, False, True]
    shapes = take_apart(array, "x")
    assert shapes.kinds.tolist() == [POINT, 0, 0, 0, 0, 0]
    assert shapes.beyond == 1
    only = np.array([Point(1, 2), Point(), None], object)
    assert has_place(only).tolist() == [True, False, False]
    mixed = np.array([*rows, box(0, 80, 1, 89), box(0, 86, 1, 89)], object)
    shapes = take_apart(mixed, "x")
    assert shapes.kinds.tolist() == [POINT, 0, 0, 0, 0, 0, AREA, 0]
    assert shapes.beyond == 2


def test_what_has_no_place_comes_last_in_its_own_order():
    corner = [(0, 0), (179.9, 0), (0, -85), (179.9, -85)]
    rows = [None, *map(Point, corner), None, Point(), *map(Point, corner[::-1])]
    shapes = take_apart(np.array(rows, object), "x")
    _, order = put_shapes(Store(), shapes, 500.0)
    assert order.tolist() == [1, 10, 2, 9, 3, 8, 4, 7, 0, 5, 6]


@pytest.mark.parametrize("holes", [False, True])
def test_outlines_turn_one_way_whichever_way_they_came(holes):
    ring = [(122, 38), (126, 38), (126, 42), (123, 43), (122, 42)]
    hole = [(123, 39), (123, 41), (125, 41)]
    rows = [
        Polygon(outline, [inner] if holes else [])
        for outline in (ring, ring[::-1])
        for inner in (hole, hole[::-1])
    ]
    shapes = take_apart(np.array(rows, object), "x")
    ends = np.cumsum(shapes.lengths)
    for start, end, inside in zip(
        ends - shapes.lengths, ends, shapes.holes, strict=True
    ):
        found = shapely.linearrings(shapes.lonlat[start:end])
        assert shapely.is_ccw(found) != inside
        assert set(map(tuple, shapes.lonlat[start:end])) == set(
            hole if inside else ring
        )


def test_nothing_can_be_packed():
    packed, order = put_shapes(Store(), take_apart(np.array([], object), "x"), 1.0)
    assert (packed["features"], packed["placed"], len(order)) == (0, 0, 0)

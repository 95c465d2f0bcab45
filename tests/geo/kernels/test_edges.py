import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod
from shapely import (
    LineString,
    MultiLineString,
    MultiPoint,
    MultiPolygon,
    Point,
    Polygon,
    box,
)

from geo.errors import GeometryError
from geo.kernels.edges import densified, edges_of

HOLED = box(0, 0, 4, 4).difference(box(1, 1, 2, 2))
KINDS = [
    Point(9, 9),
    MultiPoint([(0, 0), (1, 1)]),
    LineString([(0, 0), (1, 0), (1, 2)]),
    MultiLineString([[(0, 0), (1, 1)], [(2, 2), (3, 3), (4, 4)]]),
    box(0, 0, 1, 1),
    HOLED,
    MultiPolygon([HOLED, box(5, 5, 6, 6)]),
    MultiPolygon([box(5, 5, 6, 6), box(7, 7, 8, 8)]),
]


def exhaustive(shape):
    """The edges of one shape, taken apart by hand."""
    if hasattr(shape, "geoms"):
        return [edge for part in shape.geoms for edge in exhaustive(part)]
    if isinstance(shape, Point):
        return [(*shape.coords[0], *shape.coords[0])]
    if isinstance(shape, Polygon):
        strings = [shape.exterior, *shape.interiors]
    else:
        strings = [shape]
    return [
        (*a, *b)
        for string in strings
        for a, b in zip(string.coords[:-1], string.coords[1:], strict=True)
    ]


@given(st.lists(st.sampled_from(KINDS), max_size=8))
def test_edges_are_those_of_each_feature(shapes):
    edges = edges_of(np.array(shapes, dtype=object))
    assert len(edges.offsets) == len(shapes) + 1
    for f, shape in enumerate(shapes):
        got = edges.lonlat[edges.offsets[f] : edges.offsets[f + 1]]
        assert sorted(map(tuple, got.tolist())) == sorted(exhaustive(shape))


@given(
    lon=st.floats(-60, 60),
    lat=st.floats(-75, 75),
    east=st.floats(-40, 40),
    north=st.floats(-10, 10),
    bound_m=st.sampled_from([0.01, 1.0, 100.0]),
)
def test_pieces_follow_the_geodesic_within_the_bound(lon, lat, east, north, bound_m):
    """Judged by the distance from points of the pieces to PROJ's own geodesic."""
    geod = Geod(ellps="WGS84")
    start, end = (lon, lat), (lon + east, lat + north)
    [way] = densified(np.array([LineString([start, end])]), bound_m=bound_m)
    vertices = np.array(way.coords)
    assert tuple(vertices[0]) == start
    assert tuple(vertices[-1]) == end
    azimuth, _, _ = geod.inv(*start, *end)
    picked = np.unique(np.linspace(0, len(vertices) - 2, 7).astype(int))
    for share in (0.31, 0.5):
        places = vertices[picked] * (1 - share) + vertices[picked + 1] * share
        for place in places:
            _, _, along_m = geod.inv(*start, *place)
            # Cross-track by a few steps of "go along, look square".
            for _ in range(8):
                x, y, back = geod.fwd(*start, azimuth, along_m)
                look, _, off_m = geod.inv(x, y, *place)
                turn = np.radians(look - (back + 180))
                along_m += off_m * np.cos(turn)
            assert abs(off_m * np.sin(turn)) <= bound_m * 1.01


def test_polygons_holes_and_parts_survive():
    shapes = np.array([MultiPolygon([HOLED, box(5, 50, 6, 60)]), Point(1, 2)])
    got = densified(shapes, bound_m=1.0)
    assert got[0].geom_type == "MultiPolygon"
    assert [len(part.interiors) for part in got[0].geoms] == [1, 0]
    assert shapely.get_num_coordinates(got[0]) > shapely.get_num_coordinates(shapes[0])
    assert got[1] == shapes[1]
    assert shapes[0].equals(MultiPolygon([HOLED, box(5, 50, 6, 60)]))


def test_short_edges_and_meridians_stay_as_they_are():
    shapes = np.array(
        [LineString([(0, 60), (0.0001, 60)]), LineString([(5, 0), (5, 80)])]
    )
    got = densified(shapes)
    assert [len(way.coords) for way in got] == [2, 2]


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ([(-170, 0), (170, 1)], "crosses the antimeridian"),
        ([(-100, 80), (70, 81)], "within a degree of a pole"),
        ([(0, 0), (179.9, 0.1)], "no single shortest way"),
    ],
)
def test_an_edge_that_cannot_be_cut_is_named(way, words):
    with pytest.raises(GeometryError, match=words) as error:
        densified(np.array([LineString(way)]), rows=["mine-7"])
    assert "row mine-7" in str(error.value)


def test_parts_and_holes_that_are_empty_have_no_edges():
    texts = [
        "MULTIPOLYGON (EMPTY, ((0 0, 1 0, 1 1, 0 0), EMPTY))",
        "MULTILINESTRING ((0 0, 1 0), EMPTY)",
        "MULTIPOINT (EMPTY, (5 5))",
    ]
    edges = edges_of(shapely.from_wkt(texts))
    assert edges.offsets.tolist() == [0, 3, 4, 5]
    assert edges.lonlat[3:].tolist() == [[0, 0, 1, 0], [5, 5, 5, 5]]

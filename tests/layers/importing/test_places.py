"""Places out of bytes and cells, and the columns that hold them."""

import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.errors import ImportRefusedError
from layers.importing.place_columns import (
    PlaceColumns,
    find_columns,
    given_columns,
    plain_name,
)
from layers.importing.places import places_of, point_wkb, read_places

numbers = st.floats(allow_nan=False, allow_infinity=False, width=64)


@given(st.lists(st.one_of(st.none(), st.tuples(numbers, numbers)), max_size=20))
@settings(max_examples=100)
def test_points_go_through_bytes_unchanged(points):
    shapes = [None if p is None else shapely.Point(p) for p in points]
    column = pa.array(shapely.to_wkb(np.array(shapes, dtype=object)), pa.binary())
    found = places_of(column)
    assert found.missing.tolist() == [p is None for p in points]
    if found.x is None:
        assert all(p is None for p in points)
        return
    kept = ~found.missing
    again = point_wkb(found.x[kept], found.y[kept])
    assert again.to_pylist() == [b for b in column.to_pylist() if b is not None]


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary()])
def test_a_slice_of_points_is_read_from_its_own_bytes(kind):
    wkb = shapely.to_wkb(shapely.points([[1, 2], [3, 4], [5, 6]]))
    column = pa.array(wkb, kind).slice(1, 2)
    found = places_of(column)
    assert found.x.tolist() == [3, 5]
    assert found.boxes().tolist() == [[3, 4, 3, 4], [5, 6, 5, 6]]


def test_other_shapes_stay_shapes():
    shapes = [shapely.Point(1, 2), shapely.box(3, 4, 5, 6), None]
    found = places_of(pa.array(shapely.to_wkb(np.array(shapes)), pa.binary()))
    assert found.x is None
    assert found.boxes()[:2].tolist() == [[1, 2, 1, 2], [3, 4, 5, 6]]
    assert np.isnan(found.boxes()[2]).all()
    heights = shapely.from_wkt(["POINT Z (1 2 3)"])
    found = places_of(pa.array(shapely.to_wkb(heights), pa.binary()))
    assert found.x is None  # so that the height is counted


def cells(**columns):
    return pa.RecordBatch.from_pydict(columns)


def test_well_known_text_is_read_with_its_digits():
    found = read_places(
        cells(wkt=["SRID=4326;POINT (125.70 39.1)", "", "POINT EMPTY", "POINT (x)"]),
        PlaceColumns(how="wkt", names=("wkt",)),
    )
    assert found.half_x[0] == pytest.approx(0.005)
    assert found.half_y[0] == pytest.approx(0.05)
    assert np.isnan(found.x[1:]).all()
    assert [(w.row, w.why) for w in found.wrong] == [(3, "is no Well-known text")]


def test_a_hemisphere_says_which_of_a_pair_is_which():
    found = read_places(
        cells(at=["N39.1 E125.7", "125.7E, 39.1N", "39.1, 125.7", "39N 40N"]),
        PlaceColumns(how="pair", names=("at",)),
    )
    assert found.x.tolist()[:3] == [125.7, 125.7, 39.1]
    assert [w.why for w in found.wrong] == ["names one axis twice"]


def ways(**columns):
    return find_columns("a.csv", list(columns), lambda name: columns[name])


@pytest.mark.parametrize(
    ("columns", "flag"),
    [
        ({"Longitude (WGS 84)": ["1"], "Latitude_DD": ["2"]}, "--lon 'Long"),
        ({"경도": ["1"], "위도": ["2"]}, "--lon 경도 --lat 위도"),
        ({"经度": ["1"], "纬度": ["2"]}, "--lon 经度 --lat 纬度"),
        ({"X좌표": ["1"], "Y좌표": ["2"]}, "--lon X좌표 --lat Y좌표"),
        ({"easting": ["1"], "northing": ["2"]}, "--lon easting --lat northing"),
        ({"geometry": ["POINT (1 2)"], "id": ["x"]}, "--wkt geometry"),
        ({"군사좌표": ["52SBJ1234"]}, "--mgrs 군사좌표"),
        ({"좌표": ["39.1, 125.7"], "shape": ["round"]}, "--lon 좌표 --lat 좌표"),
    ],
)
def test_columns_are_found_by_name(columns, flag):
    assert ways(**columns).flag.startswith(flag)


def test_what_may_be_two_ways_is_asked_for():
    with pytest.raises(ImportRefusedError) as caught:
        ways(lon=["1"], lat=["2"], wkt=["POINT (1 2)"], 경도=["3"])
    assert caught.value.flags == (
        "--lon lon --lat lat",
        "--lon 경도 --lat lat",
        "--wkt wkt",
    )
    with pytest.raises(ImportRefusedError, match="--mgrs grid may be right"):
        ways(grid=["52SBJ1234", None])


def test_what_the_caller_names_must_be_there_and_one_way():
    def given_(**names):
        empty = dict.fromkeys(("lon", "lat", "wkt", "mgrs"))
        return given_columns("a.csv", ["a", "b"], **(empty | names))

    assert given_() is None
    assert given_(lon="a", lat="b").how == "lonlat"
    assert given_(lon="a", lat="a").how == "pair"
    assert given_(mgrs="b").names == ("b",)
    for names in ({"lon": "a"}, {"wkt": "a", "mgrs": "b"}, {"lon": "c", "lat": "a"}):
        with pytest.raises(ImportRefusedError):
            given_(**names)


def test_names_are_compared_in_their_plainest_form():
    assert plain_name("LON_WGS84") == plain_name("Lon (deg)") == "lon"

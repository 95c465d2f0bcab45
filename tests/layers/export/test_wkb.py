import numpy as np
import pyarrow as pa
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from layers.export.wkb import wkb_array

NUMBERS = st.floats(-180, 180) | st.sampled_from([0.0, -0.0, 1e-300, 180.0])


def slow(shapes):
    return pa.array(
        shapely.to_wkb(shapes, flavor="iso", byte_order=1).tolist(), pa.large_binary()
    )


def column(shapes):
    found = np.empty(len(shapes), dtype=object)
    found[:] = shapes
    return found


@st.composite
def columns(draw):
    size = draw(st.sampled_from([2, 3]))
    corner = st.tuples(*[NUMBERS] * size)

    def ring(corners):
        return shapely.Polygon([*corners, corners[0]])

    kinds = {
        "points": corner.map(shapely.Point),
        "lines": st.lists(corner, min_size=2, max_size=5).map(shapely.LineString),
        "areas": st.lists(corner, min_size=3, max_size=5).map(ring),
        "parts": st.lists(corner, min_size=1, max_size=3).map(shapely.MultiPoint),
    }
    chosen = draw(
        st.lists(st.sampled_from(sorted(kinds)), min_size=1, max_size=2, unique=True)
    )
    shape = st.one_of(*(kinds[name] for name in chosen))
    return column(draw(st.lists(shape | st.none(), max_size=6)))


@given(columns())
@settings(max_examples=120, deadline=None)
def test_the_bytes_are_those_of_shapely(shapes):
    assert wkb_array(shapes).equals(slow(shapes))


@pytest.mark.parametrize(
    "shapes",
    [
        [],
        [None, None],
        [shapely.Point(), shapely.Point(1, 2)],
        [shapely.LineString(), None],
        [shapely.Point(1, 2), shapely.Point(1, 2, 3)],
        [shapely.Point(1, 2, np.nan), shapely.Point(1, 2, 3)],
        [shapely.Point(1, 2, np.nan)],
        [shapely.Point(np.nan, 2)],
        [shapely.LinearRing([(0, 0), (1, 1), (1, 0)])],
        [
            shapely.box(0, 0, 9, 9),
            shapely.box(0, 0, 9, 9).difference(shapely.box(1, 1, 2, 2)),
        ],
        [shapely.MultiPolygon([shapely.box(0, 0, 1, 1)]), shapely.box(0, 0, 1, 1)],
        [shapely.GeometryCollection([shapely.Point(1, 2)])],
        [shapely.LineString([(0, 0, 1), (1, 1, np.nan)])],
    ],
)
def test_what_no_column_is_made_of(shapes):
    assert wkb_array(column(shapes)).equals(slow(column(shapes)))

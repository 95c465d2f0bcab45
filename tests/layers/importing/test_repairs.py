"""Repairs: counted by kind, the area reported, nothing gone without a word."""

import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo import area
from layers.importing import repairs
from layers.importing.repairs import mend

SQUARE = shapely.box(125, 39, 126, 40)
BOW = shapely.Polygon([(125, 39), (126, 40), (126, 39), (125, 40)])
SPIKE = shapely.Polygon(
    [(125, 39), (126, 39), (126, 40), (126, 45), (126, 40), (125, 40)]
)
FLAT = shapely.Polygon([(125, 39), (126, 39), (127, 39)])


def one(shape):
    return mend(np.array([shape, SQUARE], dtype=object))


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        (None, repairs.MISSING),
        (shapely.Point(), repairs.EMPTY),
        (shapely.Polygon(), repairs.EMPTY),
        (shapely.GeometryCollection(), repairs.EMPTY),
        (shapely.LineString([(125, 39), (np.inf, 40)]), repairs.NOT_FINITE),
        (FLAT, repairs.COLLAPSED),
        (shapely.LineString([(125, 39), (125, 39)]), repairs.COLLAPSED),
    ],
)
def test_leaves_out_only_what_leaves_nothing(shape, kind):
    mended = one(shape)
    assert mended.dropped == {0: kind}
    assert mended.shapes[0] is None
    assert mended.shapes[1] == SQUARE
    assert not mended.repaired


def test_a_bow_tie_gets_its_area():
    mended = one(BOW)
    assert mended.repaired == {0: ["Self-intersection"]}
    before, after = mended.areas_km2[0]
    assert before < 100  # nearly cancels out
    assert after == pytest.approx(area([SQUARE]).item() / 2e6, rel=0.02)


def test_a_spike_goes_and_the_polygon_stays_one():
    mended = one(SPIKE)
    assert mended.shapes[0].geom_type == "Polygon"
    assert mended.shapes[0].equals(SQUARE)
    assert mended.areas_km2[0][1] == pytest.approx(mended.areas_km2[0][0])


def test_of_a_collection_the_largest_dimension_stays():
    line = shapely.LineString([(125, 39), (126, 40)])
    mixed = shapely.GeometryCollection(
        [shapely.Point(125, 39), line, shapely.GeometryCollection([SQUARE])]
    )
    mended = one(mixed)
    assert mended.shapes[0] == SQUARE
    assert mended.repaired == {0: [repairs.MIXED]}
    mended = one(shapely.GeometryCollection([line, shapely.reverse(line)]))
    assert mended.shapes[0].geom_type == "MultiLineString"
    assert mended.repaired == {0: [repairs.COLLECTION]}


def test_heights_and_measures_are_counted():
    shapes = shapely.from_wkt(["POINT Z (125 39 5)", "POINT M (125 39 5)"])
    mended = mend(shapes)
    assert mended.flattened == {repairs.HEIGHTS: 1, repairs.MEASURES: 1}
    assert not shapely.has_z(mended.shapes).any()
    assert not mended.repaired


def test_what_leaps_over_the_antimeridian_is_cut_there():
    fiji = shapely.Polygon([(179, -18), (-179, -18), (-179, -16), (179, -16)])
    ring = shapely.Polygon(
        [(178, -19), (-178, -19), (-178, -15), (178, -15)],
        [[(-179.5, -18), (-179, -18), (-179, -17)]],
    )
    line = shapely.LineString([(170, 0), (-170, 10), (-160, 0)])
    mended = mend(np.array([fiji, ring, line], dtype=object))
    assert mended.repaired == {i: [repairs.ANTIMERIDIAN] for i in range(3)}
    assert mended.shapes[0].equals(
        shapely.union(
            shapely.box(179, -18, 180, -16), shapely.box(-180, -18, -179, -16)
        )
    )
    assert not mended.shapes[1].covers(shapely.Point(-179.1, -17.8))
    assert mended.shapes[1].covers(shapely.Point(179.9, -17.8))
    assert mended.shapes[2].geom_type == "MultiLineString"
    assert shapely.is_valid(mended.shapes).all()


def test_the_edge_of_a_world_map_is_no_leap():
    world = shapely.box(-180, -90, 180, 90)
    assert not mend(np.array([world], dtype=object)).repaired


points = st.tuples(st.integers(120, 130).map(float), st.integers(34, 44).map(float))


@given(st.lists(points, min_size=3, max_size=9))
@example([(1.0, 34.0), (2.0, 34.0), (1.0, 35.0), (1.0, 34.0), (0.0, 34.0), (1.0, 35.0)])
@settings(max_examples=200, deadline=None)
def test_whatever_comes_is_valid_or_named(vertices):
    before = shapely.Polygon(vertices)
    mended = mend(np.array([before], dtype=object))
    after = mended.shapes[0]
    if after is None:
        assert mended.dropped[0] == repairs.COLLAPSED
        assert shapely.make_valid(before, method="structure").area == 0 or (
            shapely.get_dimensions(
                shapely.make_valid(before, method="structure", keep_collapsed=False)
            )
            < 2
        )
    else:
        assert after.is_valid
        assert after.geom_type in {"Polygon", "MultiPolygon"}
        assert before.is_valid == (not mended.repaired)
        if before.is_valid:
            assert after == before

"""Regions and areas of cells."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label as connected

from geo import geodesy
from geo.errors import GridError
from geo.raster import Grid, grow, label, polygons
from geo.raster.terrain import relief

GRID = Grid.over((124.0, 39.0, 124.6, 39.5), 0.05)
CELL = float(GRID.cell_areas().max())
masks = arrays(bool, GRID.shape)
scores = arrays(
    float,
    GRID.shape,
    elements=st.one_of(st.just(np.nan), st.floats(0, 1), st.sampled_from([0.5, 0.7])),
)


@settings(max_examples=80)
@given(masks)
def test_outlines_are_valid_and_hold_exactly_their_cells(mask):
    labels = label(mask, GRID)
    outlines = polygons(labels, GRID)
    assert outlines.geometry.is_valid.all()
    assert list(outlines["label"]) == list(range(1, labels.max() + 1))
    lon, lat = GRID.centres()
    for number, outline in zip(outlines["label"], outlines.geometry, strict=True):
        held = shapely.contains_xy(outline, lon, lat)
        np.testing.assert_array_equal(held, labels == number)
    followed = outlines.geometry.segmentize(0.005)  # cells end at parallels
    np.testing.assert_allclose(geodesy.area(followed), outlines["area_m2"], rtol=1e-6)


@settings(max_examples=40)
@given(masks, st.integers(1, 6))
def test_small_regions_go_and_corners_join_on_request(mask, cells):
    kept = label(mask, GRID, min_area_m2=cells * CELL * 0.99)
    sizes = np.bincount(kept.ravel())[1:]
    assert (sizes >= cells).all()
    assert label(mask, GRID, connectivity=8).max() <= label(mask, GRID).max()


@settings(max_examples=80)
@given(scores, st.integers(1, 4), st.integers(0, 5), st.integers(1, 9))
def test_grown_areas_keep_their_bounds(score, smallest, more, limit):
    radius_m = 14_000.0
    grown = grow(
        score,
        GRID,
        min_area_m2=smallest * CELL * 0.99,
        max_area_m2=(smallest + more) * CELL,
        max_radius_m=radius_m,
        limit=limit,
    )
    assert grown.max() <= limit
    assert np.isfinite(score[grown > 0]).all()
    lon, lat = GRID.centres()
    best = []
    for number in range(1, grown.max() + 1):
        held = grown == number
        assert connected(held)[1] == 1
        assert smallest <= held.sum() <= smallest + more
        rows, columns = np.nonzero(held & (score == score[held].max()))
        spans = [
            geodesy.distance(lon[r, c], lat[r, c], lon[held], lat[held]).max()
            for r, c in zip(rows, columns, strict=True)
        ]
        assert min(spans) <= radius_m
        best.append(score[held].max())
    assert best == sorted(best, reverse=True)


def test_best_cells_go_first_and_ties_go_north_then_west():
    score = np.full(GRID.shape, np.nan)
    score[5, 2:8] = [0.2, 0.9, 0.8, 0.1, 0.3, 0.3]
    grown = grow(
        score, GRID, min_area_m2=CELL, max_area_m2=2.01 * CELL, max_radius_m=5e4
    )
    assert grown[5, 2:8].tolist() == [0, 1, 1, 0, 2, 2]
    flat = np.full(GRID.shape, 0.5)
    one = grow(
        flat, GRID, min_area_m2=1, max_area_m2=1.01 * CELL, max_radius_m=5e4, limit=1
    )
    assert one[0, 0] == 1


def test_a_seed_without_room_gives_way_to_the_next():
    """The best cell is alone; it is given up, and the area beside it still grows."""
    score = np.full(GRID.shape, np.nan)
    score[0, 0], score[5, 5], score[5, 6] = 0.9, 0.5, 0.4
    grown = grow(
        score, GRID, min_area_m2=1.5 * CELL, max_area_m2=3 * CELL, max_radius_m=5e4
    )
    assert grown[0, 0] == 0
    assert grown[5, 5:7].tolist() == [1, 1]


def test_an_area_stops_at_the_first_cell_that_does_not_fit():
    """It does not skip a large cell in the south to take a worse, smaller one."""
    score = np.full(GRID.shape, np.nan)
    score[5, 5], score[6, 5], score[4, 5] = 0.9, 0.8, 0.7
    areas = GRID.cell_areas()
    assert areas[4] < areas[5] < areas[6]
    room = areas[5] + (areas[4] + areas[6]) / 2
    grown = grow(score, GRID, min_area_m2=1, max_area_m2=room, max_radius_m=5e4)
    assert grown[5, 5] == 1
    assert grown[4, 5] != 1


def test_among_equals_the_nearer_cell_joins_first():
    """To the east a cell is 4.3 km away, to the south 5.6 km."""
    flat = np.full(GRID.shape, 0.5)
    flat[4, 4] = 0.9
    grown = grow(
        flat, GRID, min_area_m2=1, max_area_m2=3.01 * CELL, max_radius_m=5e4, limit=1
    )
    assert np.argwhere(grown == 1).tolist() == [[4, 3], [4, 4], [4, 5]]


def test_no_cell_within_the_radius_is_missed_far_north():
    """Where a degree of longitude is short, many columns lie within reach."""
    north = Grid.over((0, 80, 6, 81), 0.25)
    flat = np.full(north.shape, 0.5)
    flat[2, 12] = 0.9
    radius_m = 40_000
    grown = grow(flat, north, min_area_m2=1, max_area_m2=1e12, max_radius_m=radius_m)
    lon, lat = north.centres()
    away = geodesy.distance(lon[2, 12], lat[2, 12], lon, lat)
    assert ((grown == 1) == (away <= radius_m)).all()


def test_wrong_bounds_and_shapes_are_refused():
    score = np.ones(GRID.shape)
    with pytest.raises(GridError, match="smallest <= largest"):
        grow(score, GRID, min_area_m2=2, max_area_m2=1, max_radius_m=1)
    with pytest.raises(GridError, match="mask has shape"):
        label(np.ones((2, 2), dtype=bool), GRID)
    metres = Grid.over((0, 0, 10, 10), 1, crs="EPSG:32651")
    with pytest.raises(GridError, match="expected EPSG:4326"):
        polygons(np.ones((10, 10), dtype=int), metres)


def test_no_region_gives_no_outline():
    none = polygons(np.zeros(GRID.shape, dtype=np.int64), GRID)
    assert len(none) == 0
    assert none.crs == "EPSG:4326"


@given(
    arrays(float, (6, 7), elements=st.one_of(st.just(np.nan), st.floats(-100, 3000)))
)
def test_relief_agrees_with_a_plain_loop(altitude):
    got = relief(altitude)
    for row, column in np.ndindex(altitude.shape):
        part = altitude[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        if np.isnan(altitude[row, column]):
            assert np.isnan(got[row, column])
        else:
            assert got[row, column] == np.nanmax(part) - np.nanmin(part)


def test_relief_refuses_an_even_neighbourhood():
    with pytest.raises(GridError, match="odd"):
        relief(np.ones((3, 3)), size=2)
    with pytest.raises(GridError, match="dimensions"):
        relief(np.ones(3))

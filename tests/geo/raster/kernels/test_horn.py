"""Tiles leave no seams, and the parts fit the whole."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.raster.kernels.horn import (
    aspect_degrees,
    aspect_tile,
    gentle_degrees,
    gradient,
    slope_degrees,
    slope_tile,
    tan2_row,
    tan2_tile,
)


def heights(shape, dtype, seed, holes):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, 300, shape).cumsum(axis=0).cumsum(axis=1) / 10 + 700
    z[rng.random(shape) < holes] = np.nan
    return z.astype(dtype)


@settings(max_examples=40)
@given(
    st.sampled_from([tan2_tile, slope_tile, aspect_tile]),
    st.sampled_from([np.float32, np.float64]),
    st.integers(0, 2**31),
    st.lists(st.integers(1, 39), max_size=3),
    st.lists(st.integers(1, 66), max_size=4),
)
def test_tiles_give_the_bytes_of_the_whole(kernel, dtype, seed, row_cuts, column_cuts):
    rows, columns = 40, 67
    z = heights((rows + 2, columns + 2), dtype, seed, 0.01)
    dx, dy = np.linspace(20, 30, rows), np.linspace(31, 30, rows)
    whole = np.empty((rows, columns), dtype=dtype)
    kernel(z, dx, dy, whole)
    pieced = np.empty_like(whole)
    rows_at = sorted({0, rows, *row_cuts})
    columns_at = sorted({0, columns, *column_cuts})
    for top, bottom in pairwise(rows_at):
        for left, right in pairwise(columns_at):
            tile = np.ascontiguousarray(z[top : bottom + 2, left : right + 2])
            out = np.empty((bottom - top, right - left), dtype=dtype)
            kernel(tile, dx[top:bottom], dy[top:bottom], out)
            pieced[top:bottom, left:right] = out
    assert pieced.tobytes() == whole.tobytes()


@pytest.mark.parametrize("kernel", [tan2_tile, slope_tile, aspect_tile])
@pytest.mark.parametrize("place", range(9))
def test_any_of_the_nine_cells_takes_the_value_away(kernel, place):
    z = heights((3, 3), np.float64, 5, 0)
    one, out = np.full(1, 30.0), np.empty((1, 1))
    kernel(z, one, one, out)
    assert np.isfinite(out).all()
    z.flat[place] = np.nan
    kernel(z, one, one, out)
    assert np.isnan(out).all()


def test_rows_and_cells_are_those_of_the_tile():
    z = heights((3, 12), np.float32, 9, 0)
    dx, dy = np.array([25.0]), np.array([31.0])
    whole, row = np.empty((1, 10), dtype=np.float32), np.empty(10, dtype=np.float32)
    tan2_tile(z, dx, dy, whole)
    tan2_row(z[0], z[1], z[2], 25.0, 31.0, row)
    np.testing.assert_array_equal(whole[0], row)
    down, steep = np.empty((1, 10)), np.empty((1, 10))
    aspect_tile(z, dx, dy, down)
    slope_tile(z.astype(np.float64), dx, dy, steep)
    for c in range(10):
        block = z[:, c : c + 3].astype(np.float64).ravel()
        east, north = gradient(*block)
        east, north = east / (8 * 25.0), north / (8 * 31.0)
        assert slope_degrees(east**2 + north**2) == pytest.approx(
            steep[0, c], rel=1e-12
        )
        assert aspect_degrees(east, north) == pytest.approx(down[0, c], abs=1e-4)


def test_the_width_is_that_of_the_middle_row():
    """Elevation linear in longitude: the same rise over three widths of cell."""
    z = np.tile(np.arange(3.0) * 10, (3, 1))
    out = np.empty((1, 1))
    tan2_tile(z, np.array([20.0]), np.array([30.0]), out)
    assert out[0, 0] == 0.25


@pytest.mark.parametrize(
    ("east", "north", "down"),
    [(0, -1, 0), (-1, 0, 90), (0, 1, 180), (1, 0, 270), (-1, -1, 45), (0.0, -2.0, 0)],
)
def test_aspect_is_where_water_runs(east, north, down):
    assert aspect_degrees(float(east), float(north)) == down


def test_level_ground_has_no_aspect():
    assert np.isnan(aspect_degrees(0.0, 0.0))
    assert np.isnan(aspect_degrees(np.nan, 1.0))
    assert np.isnan(aspect_degrees(1.0, np.nan))
    assert slope_degrees(np.inf) == 90.0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gentle_slopes_are_the_slopes_to_the_last_bit(dtype):
    rng = np.random.default_rng(11)
    some = np.concatenate(
        [rng.uniform(0, 0.43, 20_000), 10.0 ** rng.uniform(-12, -1, 20_000)]
    )
    edges = np.array([0.0, np.nextafter(0.43, 0), 1e-30])
    for tan2 in np.concatenate([some, edges]).astype(dtype):
        assert gentle_degrees(tan2) == slope_degrees(tan2)

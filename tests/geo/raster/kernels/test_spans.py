"""Spans beside every cell on its own, in whole numbers where ties are exact."""

from itertools import pairwise

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geo.raster import Grid
from geo.raster.buffers import Marks, planar_reach

ROWS, COLUMNS = 90, 110
LATTICE = Grid(
    west=-0.5,
    north=ROWS - 0.5,
    dx=1.0,
    dy=1.0,
    shape=(ROWS, COLUMNS),
    crs="EPSG:32651",
)
"""Centres at whole numbers of metres, the last row at y = 0."""


def marks(segments, distance, grid=LATTICE):
    ends = np.array(segments, dtype=np.float64).reshape(-1, 4)
    return Marks(grid=grid, reach=planar_reach(ends, grid, float(distance)))


def near_exactly(segments, distance):
    """Every centre against every segment, in integers."""
    y, x = np.mgrid[ROWS - 1 : -1 : -1, 0:COLUMNS]
    found = np.zeros((ROWS, COLUMNS), dtype=bool)
    for x0, y0, x1, y1 in segments:
        run, rise, vx, vy = x1 - x0, y1 - y0, x - x0, y - y0
        ahead, square = vx * run + vy * rise, run**2 + rise**2
        across = run * vy - rise * vx
        inside = (ahead > 0) & (ahead < square)
        found |= inside & (across**2 <= distance**2 * square)
        found |= vx**2 + vy**2 <= distance**2
        found |= (x - x1) ** 2 + (y - y1) ** 2 <= distance**2
    return found


place = st.tuples(st.integers(-40, 150), st.integers(-40, 130))
segment = st.builds(lambda a, b: (*a, *b), place, place)
dot = place.map(lambda a: (*a, *a))
segments = st.lists(segment | dot, min_size=1, max_size=5)


@settings(max_examples=300)
@given(segments, st.sampled_from([0, 1, 5, 13, 25, 65, 85]))
@example([(10, 10, 10, 10)], 5)  # 3, 4, 5
@example([(0, 0, 60, 80), (0, 0, 60, 80)], 25)  # a long side through centres; twice
@example([(-30, 50, -30, 50)], 50)  # off the grid, and its disc touches one centre
@example([(20, 40, 80, 40)], 13)  # level
@example([(50, -10, 50, 100)], 0)  # upright, and only what stands on it
def test_cells_are_marked_by_whole_numbers(some, distance):
    """Distances of up to 85 rows take the way by bands, too."""
    got = marks(some, distance).marked()
    np.testing.assert_array_equal(got.astype(bool), near_exactly(some, distance))


@settings(max_examples=40)
@given(
    st.integers(0, 2**31),
    st.sampled_from([3.7, 40.0, 130.0, 400.0]),
    st.lists(st.integers(1, 299), max_size=3),
    st.lists(st.integers(1, 399), max_size=3),
)
def test_windows_give_the_bytes_of_the_whole(seed, distance, row_cuts, column_cuts):
    rng = np.random.default_rng(seed)
    grid = Grid(west=0.0, north=0.0, dx=1.3, dy=1.0, shape=(300, 400), crs="EPSG:32651")
    start = rng.uniform([-200, -500], [720, 200], (12, 2))
    ends = np.hstack([start, start + rng.normal(0, 40, (12, 2))])
    found = marks(ends, distance, grid)
    whole = found.marked()
    pieced = np.zeros_like(whole)
    rows, columns = [0, *sorted(row_cuts), 300], [0, *sorted(column_cuts), 400]
    for top, bottom in pairwise(rows):
        for left, right in pairwise(columns):
            found.mark(pieced[top:bottom, left:right], row=top, column=left)
    assert pieced.tobytes() == whole.tobytes()


@settings(max_examples=40)
@given(st.integers(0, 2**31), st.sampled_from([30.0, 90.0, 300.0]))
def test_long_spans_and_bands_agree_with_every_cell(seed, distance):
    """Spans of more than 256 columns are merged; tall reaches cover bands at once."""
    rng = np.random.default_rng(seed)
    grid = Grid(
        west=0.0, north=200.0, dx=0.7, dy=1.0, shape=(200, 900), crs="EPSG:32651"
    )
    start = rng.uniform([-100, -200], [700, 400], (6, 2))
    ends = np.hstack([start, start + rng.normal(0, 60, (6, 2))])
    x, y = grid.centres()
    least = np.full(grid.shape, np.inf)
    for x0, y0, x1, y1 in ends:
        run, rise = x1 - x0, y1 - y0
        part = ((x - x0) * run + (y - y0) * rise) / (run**2 + rise**2)
        part = np.clip(part, 0, 1)
        away = np.hypot(x - x0 - part * run, y - y0 - part * rise)
        least = np.minimum(least, away)
    clear = np.abs(least - distance) > 1e-9
    got = marks(ends, distance, grid).marked().astype(bool)
    np.testing.assert_array_equal(got[clear], (least <= distance)[clear])
    assert clear.mean() > 0.999

"""Area inside a setback, against a look at every pair of cells."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from geo.raster import Grid
from geo.raster.found import Runs
from geo.raster.metric import metric_of
from layers.siting.setback import inside_share

PLANE = {"west": 3e5, "north": 44e5, "dx": 30.0, "dy": 30.0, "crs": "EPSG:32651"}
GLOBE = {"west": 125.0, "north": 40.0, "dx": 1 / 3600, "dy": 1 / 3600}


def searched(labels, **grid):
    """A search whose sites are the cells of each number above zero."""
    rows = []
    for r, line in enumerate(labels):
        edges = np.flatnonzero(np.diff(line, prepend=0, append=0))
        for start, stop in pairwise(edges):
            if line[start]:
                rows.append((line[start], r, start, stop))
    found = np.array(rows, dtype=np.int64).reshape(-1, 4).T
    return SimpleNamespace(
        table=pd.DataFrame({"label": np.unique(labels[labels > 0])}),
        runs=Runs(*found),
        grid=Grid(shape=labels.shape, **grid),
    )


def by_hand(labels, setback, **grid):
    """Distance from each centre to each cell that is not of the site, one by one."""
    metric = metric_of(Grid(shape=labels.shape, **grid))
    padded = np.pad(labels, 9)  # what lies beyond the grid is not of the site
    out = []
    for label in np.unique(labels[labels > 0]):
        kept = whole = 0.0
        for r, c in np.argwhere(labels == label):
            whole += metric.area_m2[r]
            up, across = np.mgrid[-9:10, -9:10]
            others = padded[r : r + 19, c : c + 19] != label
            away = np.hypot(
                np.maximum(abs(up) - 0.5, 0) * metric.dy_m[r],
                np.maximum(abs(across) - 0.5, 0) * metric.dx_m[r],
            )
            kept += metric.area_m2[r] * (away[others].min(initial=np.inf) >= setback)
        out.append(kept / whole)
    return out


@given(
    hnp.arrays(np.int64, (12, 14), elements=st.sampled_from([0, 1, 1, 1, 1, 2])),
    st.floats(0, 130),
    st.sampled_from([PLANE, GLOBE]),
)
@settings(max_examples=150)
def test_the_share_is_that_of_looking_at_every_cell(labels, setback, grid):
    found = searched(labels, **grid)
    share = inside_share(found, len(found.table), setback)
    assert share == pytest.approx(by_hand(labels, setback, **grid))


@pytest.mark.parametrize(("setback", "strip"), [(0, 0), (14, 0), (30, 1), (60, 2)])
def test_a_strip_is_taken_from_a_square_and_from_its_hole(setback, strip):
    labels = np.zeros((100, 100), dtype=np.int64)
    labels[10:90, 10:90] = 1
    labels[45:55, 45:55] = 0
    share = inside_share(searched(labels, **PLANE), 1, setback).item()
    corners = 4 * (strip**2 - {0: 0, 1: 1, 2: 3}[strip])  # rounded, by centres
    left = (80 - 2 * strip) ** 2 - (10 + 2 * strip) ** 2 + corners
    assert share == pytest.approx(left / (80**2 - 10**2), abs=3e-3)


def test_sites_that_touch_at_a_corner_keep_away_from_each_other():
    labels = np.zeros((12, 12), dtype=np.int64)
    labels[1:6, 1:6], labels[6:11, 6:11] = 1, 2
    one, other = inside_share(searched(labels, **PLANE), 2, 30.0)
    assert one == other == pytest.approx(9 / 25)


def test_only_the_first_sites_are_asked_about_in_the_order_of_the_table():
    labels = np.zeros((12, 40), dtype=np.int64)
    labels[1:4, 1:4], labels[1:11, 10:30] = 1, 2
    found = searched(labels, **PLANE)
    found.table = found.table.iloc[::-1].reset_index(drop=True)
    assert inside_share(found, 1, 30.0) == pytest.approx([8 * 18 / 200])
    assert len(inside_share(found, 0, 30.0)) == 0

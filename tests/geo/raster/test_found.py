"""Cells of sites, fetched tile by tile."""

from __future__ import annotations

import numpy as np
import pytest

from geo.raster.found import Cells, Runs


def runs(*rows):
    return Runs(*np.array(rows, np.int32).reshape(-1, 4).T.copy())


# Two tiles side by side, each with groups 0, 1, 2; group 1 of the left one is no site.
TILES = {
    0: runs((0, 5, 1, 4), (1, 5, 6, 8), (2, 6, 3, 8)),
    1: runs((0, 5, 8, 9), (1, 6, 8, 10), (2, 6, 11, 12), (0, 7, 8, 9)),
}
LABELS = {1: np.array([3, 2, 1], np.int32), 0: np.array([1, 0, 2], np.int32)}


def cells_of(fetched, *, cut):
    def get(number):
        fetched.append(number)
        return TILES[number]

    return Cells(LABELS, get, {0: 3, 1: 4}, cut=cut)


def rows_of(got):
    return np.column_stack(got).tolist()


def test_cells_of_all_sites_are_whole_runs_in_order():
    got = cells_of([], cut=True).runs()
    assert rows_of(got) == [
        [1, 5, 1, 4],
        [3, 5, 8, 9],
        [2, 6, 3, 10],
        [1, 6, 11, 12],
        [3, 7, 8, 9],
    ]
    assert {each.dtype for each in got} == {np.dtype(np.int32)}


def test_cells_of_some_sites_have_the_numbers_asked_for():
    fetched = []
    cells = cells_of(fetched, cut=True)
    assert rows_of(cells.runs(np.array([0, 0, 7, 0], np.int32))) == [[7, 6, 3, 10]]
    assert fetched == [0, 1]
    assert rows_of(cells.runs(np.array([0, 9, 0, 4], np.int32), [1])) == [
        [4, 5, 8, 9],
        [9, 6, 11, 12],
        [4, 7, 8, 9],
    ]


@pytest.mark.parametrize("cut", [True, False])
def test_tiles_without_a_wanted_site_are_not_fetched(cut):
    fetched = []
    cells = cells_of(fetched, cut=cut)
    assert rows_of(cells.runs(np.array([0, 0, 0, 5], np.int32))) == [
        [5, 5, 8, 9],
        [5, 7, 8, 9],
    ]
    assert fetched == [1]
    nothing = cells.runs(np.zeros(4, np.int32))
    assert [len(each) for each in nothing] == [0] * 4
    assert fetched == [1]


def test_cells_of_a_tile_stay_cut():
    cells = cells_of([], cut=True)
    assert rows_of(cells.of_tile(0)) == [[1, 5, 1, 4], [2, 6, 3, 8]]
    assert [len(each) for each in cells.of_tile(2)] == [0] * 4

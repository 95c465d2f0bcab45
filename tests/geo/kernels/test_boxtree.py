import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import LineString

from geo.kernels.boxtree import FIRST, SKIP, STOP, boxtree, index_of, paired, search
from geo.kernels.edges import edges_of

side = st.integers(0, 5)
boxes = st.lists(
    st.tuples(side, side, side, side).map(
        lambda t: (*np.minimum(t[:2], t[2:]), *np.maximum(t[:2], t[2:]))
    ),
    min_size=1,
    max_size=200,
)


@settings(max_examples=100, deadline=None)
@given(boxes, boxes, st.integers(1, 50))
def test_search_finds_every_box_that_meets(wanted, bounds, room):
    wanted, bounds = np.array(wanted, dtype=float), np.array(bounds, dtype=float)
    index = index_of(bounds)
    rows, columns = np.empty((2, len(bounds) + room), dtype=np.intp)
    got, begin = [], 0
    while begin < len(wanted):
        begin, n = search(wanted, begin, *index, rows, columns)
        got += zip(rows[:n].tolist(), columns[:n].tolist(), strict=True)
    apart = (wanted[:, None, :2] > bounds[:, 2:]) | (
        wanted[:, None, 2:] < bounds[:, :2]
    )
    assert sorted(map(list, got)) == np.argwhere(~apart.any(axis=2)).tolist()


@pytest.mark.parametrize("edges", [1, 7, 8, 9, 63, 64, 65, 512, 513, 5000])
def test_each_edge_is_in_one_leaf_and_each_node_holds_its_own(edges):
    xy = np.random.default_rng(edges).uniform(-90, 90, (edges + 1, 2))
    strings = np.array([LineString([(0, 0), (1, 1)]), LineString(xy)])
    tree = boxtree(edges_of(strings))
    np.testing.assert_array_equal(tree.bounds, shapely.bounds(strings))
    seen = []
    for node in range(tree.roots[1], tree.roots[2]):
        skip, first, stop = tree.spans[node, [SKIP, FIRST, STOP]]
        ends = tree.lonlat[first:stop].reshape(-1, 2)
        assert tree.boxes[node].tolist() == [*ends.min(axis=0), *ends.max(axis=0)]
        if skip == node + 1:
            seen += range(first, stop)
    assert seen == list(range(1, edges + 1))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 5), max_size=8))
def test_paired_joins_each_string_to_itself_alone(vertices):
    xy = np.arange(2.0 * sum(vertices)).reshape(-1, 2)
    expected = []
    for string in np.split(xy, np.cumsum(vertices)[:-1]) if vertices else []:
        ends = string if len(string) > 1 else np.vstack([string, string])
        expected += np.hstack([ends[:-1], ends[1:]]).tolist()
    assert paired(xy, np.array(vertices, dtype=np.intp)).tolist() == expected

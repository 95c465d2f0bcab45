import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, box

from geo.geodesy import distance
from maps.layer import PageLayer, base_layer, bent, disc_ring, feature, to_json

texts = st.text() | st.sampled_from(
    ["</script>", "<!--", "{{ 7 }}", "{% raw %}", "{#", "{{{", "\u2028", "&lt;", "{{"]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=12,
)


@given(values)
def test_json_comes_back_and_breaks_out_of_nothing(value):
    text = to_json(value)
    expected = json.loads(
        json.dumps(value).replace("Infinity", "null").replace("-null", "null")
    )
    if "Infinity" not in json.dumps(value):
        assert json.loads(text) == expected
    for sign in ("<", ">", "&", "\u2028", "\u2029", "{{", "{%", "{#"):
        assert sign not in text


def test_json_has_no_nan():
    assert to_json([float("nan"), float("inf"), np.float64(1.5), np.int64(2)]) == (
        "[null,null,1.5,2]"
    )


@given(
    st.lists(
        st.tuples(st.floats(-179, 179), st.floats(-89, 89)), min_size=2, max_size=30
    )
)
def test_packed_lines_come_back_to_a_thousandth_of_a_degree(points):
    data = base_layer("x", "coast", [LineString(points)]).data
    whole = np.rint(np.array(points) * 1000).astype(int)
    kept = [tuple(p) for i, p in enumerate(whole) if i == 0 or any(p != whole[i - 1])]
    if len(kept) < 2:
        assert data["parts"] == []
        return
    ring = np.array(data["parts"][0][0]).reshape(-1, 2).cumsum(axis=0)
    assert [tuple(p) for p in ring] == kept


def test_polygons_keep_their_holes():
    shape = MultiPolygon([box(0, 0, 3, 3).difference(box(1, 1, 2, 2)), box(5, 5, 6, 6)])
    data = base_layer("x", "land", [shape]).data
    assert data["filled"]
    assert [len(part) for part in data["parts"]] == [2, 1]


def test_a_bent_line_leaves_the_rings_free():
    line = LineString([(124, 40), (125, 40)])
    metres = distance(124, 40, 125, 40).item()
    shape, apex = bent(line, bend=0.2, trim_start_m=10_000, trim_end_m=5_000)
    first, last = shape.coords[0], shape.coords[-1]
    assert distance(124, 40, *first).item() >= 9_900
    assert distance(125, 40, *last).item() >= 4_900
    assert apex[1] < 40
    assert apex[0] == pytest.approx(124.5, abs=0.01)
    off = distance(*apex, 124.5, 40).item()
    assert off == pytest.approx(0.2 * metres, rel=0.02)
    other = bent(line, bend=-0.2, trim_start_m=0, trim_end_m=0)[1]
    assert other[1] > 40


def test_a_bend_of_nothing_follows_the_line():
    line = LineString([(124, 39), (124.5, 40), (126, 41)])
    shape, _ = bent(line, bend=0, trim_start_m=0, trim_end_m=0)
    assert shape.hausdorff_distance(line) < 0.02


def test_a_leg_that_ends_where_it_starts_is_left_alone():
    line = LineString([(124, 40), (124, 40)])
    shape, apex = bent(line, bend=0.2, trim_start_m=1, trim_end_m=1)
    assert shape.equals(line)
    assert apex == pytest.approx((124, 40))


def test_a_ring_is_a_geodesic_circle():
    ring = np.array(disc_ring(124.664, 39.73, 15_000))
    radius = distance(124.664, 39.73, *ring.T)
    np.testing.assert_allclose(radius, 15_000, atol=10)


def test_a_point_has_a_symbol_and_a_ring_and_an_area_has_neither():
    common = {"key": "a/b", "card": "c", "name": "n", "say": "s", "anchor": (1.0, 2.0)}
    point = feature(**common, ring_m=500.0, ends=True)
    assert point["at"] == [1.0, 2.0]
    assert point["radius"] == 500
    area = feature(**common, geometry=box(0, 0, 1, 1), ring_m=500.0)
    assert "at" not in area
    assert "ring" not in area
    assert area["geometry"]["type"] == "Polygon"


def test_a_layer_without_a_map_says_so():
    with pytest.raises(TypeError, match="add_to"):
        PageLayer("x", {}).render()

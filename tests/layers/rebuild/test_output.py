"""Bytes that come out the same, valid geometries, files written whole."""

import json

import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile

from layers.rebuild.output import (
    cog_bytes,
    csv_bytes,
    geojson_bytes,
    snapped,
    write_whole,
)

rings = st.lists(
    st.tuples(st.floats(120, 130), st.floats(35, 45)), min_size=3, max_size=9
)


@settings(max_examples=150, deadline=None)
@given(rings, st.integers(0, 5))
def test_snapped_polygons_are_valid_and_on_the_grid(ring, digits):
    polygon = shapely.make_valid(shapely.Polygon(ring))
    if polygon.geom_type not in {"Polygon", "MultiPolygon"}:
        return
    result = snapped(polygon, digits)
    assert result.is_valid
    coords = shapely.get_coordinates(result)
    np.testing.assert_allclose(coords, coords.round(digits), atol=1e-9)


@settings(max_examples=100, deadline=None)
@given(rings, st.integers(0, 8))
def test_order_does_not_depend_on_the_first_vertex(ring, turn):
    turn %= len(ring)
    turned = ring[turn:] + ring[:turn]
    first, second = shapely.Polygon(ring), shapely.Polygon(turned)
    if not first.is_valid:
        return
    write = [geojson_bytes([({}, snapped(p, 3))], digits=3) for p in (first, second)
             if not snapped(p, 3).is_empty]  # fmt: skip
    assert len(set(write)) <= 1


def test_line_that_meets_itself_stays_one_line():
    loop = shapely.LineString([(0, 0), (2, 0), (2, 2), (1, 2), (1, -1)])
    assert snapped(loop, 1).geom_type == "LineString"


def test_geojson_is_one_feature_a_line_with_right_hand_rings():
    clockwise = shapely.Polygon(
        [(0, 0), (0, 3), (3, 3), (3, 0)], [[(1, 1), (2, 1), (2, 2), (1, 2)]]
    )
    text = geojson_bytes([({"name": "철산 \"'<"}, clockwise)] * 2, digits=2)
    assert len(text.splitlines()) == 4
    assert b"\r" not in text
    feature = json.loads(text)["features"][0]
    assert feature["properties"]["name"] == "철산 \"'<"
    outer, hole = (shapely.LinearRing(r) for r in feature["geometry"]["coordinates"])
    assert outer.is_ccw
    assert not hole.is_ccw


def test_geojson_refuses_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        geojson_bytes([({"n": float("nan")}, shapely.Point(0, 0).buffer(1))], digits=1)


def test_csv_quotes_and_refuses_unknown_columns():
    assert csv_bytes(["a"], [{"a": 'x,"y"\n'}]) == b'a\n"x,""y""\n"\n'
    with pytest.raises(ValueError, match="not in fieldnames"):
        csv_bytes(["a"], [{"a": 1, "b": 2}])


def test_cog_is_a_cog_and_repeats():
    bands = np.arange(2 * 30 * 40, dtype=np.int16).reshape(2, 30, 40)
    transform = Affine(0.05, 0, 122, 0, -0.05, 43.5)
    made = [
        cog_bytes(
            bands,
            transform=transform,
            nodata=-1,
            descriptions=["a", "b"],
            units="m",
            scale=0.05,
            block=16,
        )
        for _ in range(2)
    ]
    assert made[0] == made[1]
    with MemoryFile(made[0]) as memory, memory.open() as grid:
        assert grid.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (grid.crs, grid.transform) == (
            rasterio.crs.CRS.from_epsg(4326),
            transform,
        )
        assert (grid.units, grid.descriptions) == (("m", "m"), ("a", "b"))
        assert grid.scales == pytest.approx((0.05, 0.05), rel=1e-14)
        np.testing.assert_array_equal(grid.read(), bands)


def test_write_whole_keeps_the_old_file_when_it_fails(tmp_path, monkeypatch):
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]

"""What lies nearest to ragged sites: the join with the whole outlines is the judge."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.joins import nearest
from geo.raster import Grid
from geo.raster.regions import polygons
from layers.siting.nearness import Outlines

GRID = Grid.over((125.0, 39.0, 125.2, 39.2), 0.01)


def sites(cells):
    """Outlines of groups of cells, holes and all."""
    found = polygons(np.asarray(cells, dtype=np.int64), GRID)
    return found[["geometry"]].reset_index(drop=True)


def layer(*shapes):
    return gpd.GeoDataFrame(
        {"name": [f"feature {i}" for i in range(len(shapes))]},
        geometry=list(shapes),
        crs=4326,
    )


def alike(outlines, features):
    """The same rows, to the bit, as the join with the whole outlines."""
    found = Outlines(outlines).nearest(features)
    right = nearest(outlines, features, k=1)
    for name in ("index_right", "name", "distance_m"):
        assert found[name].tolist() == right[name].tolist(), name
    return found


def ring():
    """A square with a hole, in which one cell stands for itself."""
    cells = np.zeros(GRID.shape, dtype=np.int64)
    cells[2:18, 2:18] = 1
    cells[5:15, 5:15] = 0
    cells[9, 9] = 2
    return sites(cells)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 0.9))
def test_it_is_what_the_whole_outlines_give(seed, share):
    rng = np.random.default_rng(seed)
    cells = (rng.random(GRID.shape) < share).astype(np.int64)
    cells[:, 10] *= 2  # two sites side by side, each in pieces
    cells[10:, 11:] *= 3
    some = sites(cells)
    x, y = rng.uniform(124.95, 125.25, 12), rng.uniform(38.95, 39.25, 12)
    points = [shapely.Point(*at) for at in zip(x, y, strict=True)]
    lines = [shapely.LineString([points[i], points[i + 1]]) for i in (0, 2)]
    area = shapely.box(x[4], y[4], x[4] + 0.004, y[4] + 0.004)
    for features in (layer(*points[6:]), layer(*lines), layer(area, points[6])):
        alike(some, features)


def test_what_lies_in_a_hole_is_not_in_the_site():
    found = alike(ring(), layer(shapely.Point(125.1, 39.1), shapely.Point(120, 30)))
    assert found["index_right"].tolist() == [0, 0]
    assert found["distance_m"].iloc[0] > 3000


def test_what_lies_in_the_site_is_no_way_off_and_the_first_counts():
    there = shapely.Point(125.035, 39.1)
    found = alike(ring(), layer(shapely.Point(120, 30), there, there))
    assert found["distance_m"].iloc[0] == 0
    assert found["index_right"].iloc[0] == 1


def test_a_site_of_parts_of_which_one_stands_in_the_hole_of_another():
    both = gpd.GeoDataFrame(
        geometry=[shapely.multipolygons(ring().geometry.to_numpy())], crs=4326
    )
    inside = shapely.Point(125.1, 39.12)
    found = alike(both, layer(inside, shapely.Point(125.3, 39.1)))
    assert 0 < found["distance_m"].iloc[0] < 3000


def test_a_site_of_parts_side_by_side_is_filled_too():
    parts = [
        shapely.box(125, 39, 125.01, 39.01),
        shapely.box(125.02, 39, 125.03, 39.01),
    ]
    both = gpd.GeoDataFrame(geometry=[shapely.multipolygons(parts)], crs=4326)
    found = alike(both, layer(shapely.Point(125.015, 39.005)))
    assert found["distance_m"].iloc[0] == pytest.approx(432, abs=2)


def test_no_sites_have_nothing_near():
    found = Outlines(ring().iloc[:0]).nearest(layer(shapely.Point(125, 39)))
    assert len(found) == 0
    assert {"index_right", "name", "distance_m"} <= set(found.columns)

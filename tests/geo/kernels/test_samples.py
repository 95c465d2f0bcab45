import numpy as np
import pytest
import shapely
from shapely import LineString, MultiLineString, MultiPolygon, box

import geo
from geo.kernels.samples import places_across, places_along


@pytest.mark.parametrize(
    "area",
    [
        box(10, 60, 14, 75),
        box(0, 0, 3, 3) - box(1, 1, 2, 2.5),
        MultiPolygon([box(0, 0, 1, 1), box(2, 0.5, 5, 0.7)]),
        LineString([(0, 0), (3, 2)]).buffer(0.01),
    ],
)
def test_equal_parts_of_an_area_hold_equally_many_places(area):
    """The share of the area on the ellipsoid in each quarter of the bounds."""
    places = places_across(area)
    assert shapely.intersects_xy(area, *places.T).mean() > 0.99
    west, south, east, north = area.bounds
    x, y = (west + east) / 2, (south + north) / 2
    for part in (
        box(west, south, x, y),
        box(x, south, east, y),
        box(west, y, x, north),
    ):
        share = geo.area([area & part])[0] / geo.area([area])[0]
        assert shapely.intersects_xy(part, *places.T).mean() == pytest.approx(
            share, abs=0.02
        )


def test_places_along_a_line_are_equally_far_apart():
    line = MultiLineString([[(0, 0), (0, 60), (30, 60)], [(50, 0), (50, 1)]])
    places = places_along(line)
    step = geo.distance(*places[:-1].T, *places[1:].T)
    whole = geo.distance(0, 0, 0, 60) + geo.distance(0, 60, 30, 60)
    whole = whole + geo.distance(50, 0, 50, 1)
    inner = step[places[1:, 0] == 0]
    np.testing.assert_allclose(inner, whole / len(places), rtol=0.01)

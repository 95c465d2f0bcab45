"""Grids: geometry of cells and their areas on the ellipsoid."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import geodesy
from geo.errors import CRSMismatchError, GridError
from geo.raster import Grid, inside


@settings(max_examples=60)
@given(
    west=st.floats(-179, 170),
    north=st.floats(-80, 90),
    dx=st.floats(0.01, 0.5),
    dy=st.floats(0.01, 0.5),
    rows=st.integers(1, 12),
    columns=st.integers(1, 12),
)
def test_cell_areas_sum_to_the_geodesic_area_of_the_box(
    west, north, dx, dy, rows, columns
):
    """Karney's polygon area, its parallels sampled until geodesics follow them."""
    grid = Grid(west=west, north=north, dx=dx, dy=dy, shape=(rows, columns))
    west, south, east, north = grid.bounds
    along = np.linspace(west, east, 1000)
    parallels = [(x, south) for x in along] + [(x, north) for x in along[::-1]]
    box = shapely.Polygon(parallels)
    total = grid.cell_areas().sum() * columns
    np.testing.assert_allclose(total, geodesy.area([box])[0], rtol=2e-6, atol=1.0)


def test_all_cells_of_the_world_make_the_ellipsoid():
    world = Grid.over((-180, -90, 180, 90), 1.0)
    # Surface of WGS 84, NGA.STND.0036.
    np.testing.assert_allclose(world.cell_areas().sum() * 360, 5.10065621724e14)


def test_centres_and_bounds():
    grid = Grid.over((124.0, 39.0, 124.3, 39.1), 0.05)
    x, y = grid.centres()
    assert grid.shape == x.shape == y.shape == (2, 6)
    np.testing.assert_allclose(x[0, :2], [124.025, 124.075])
    np.testing.assert_allclose(y[:, 0], [39.075, 39.025])
    assert grid.bounds == (124.0, 39.0, 124.3, 39.1)


@given(
    st.floats(0.0, 0.9), st.floats(0.0, 0.9), st.floats(0.05, 1.0), st.floats(0.05, 1.0)
)
def test_crop_keeps_the_lines_of_the_grid_and_covers_the_box(left, low, wide, high):
    grid = Grid.over((120.0, 30.0, 122.0, 32.0), 0.05)
    box = (120 + left, 30 + low, 120 + left + wide, 30 + low + high)
    part = grid.crop(box)
    steps = (part.west - grid.west) / 0.05, (grid.north - part.north) / 0.05
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-9)
    west, south, east, north = part.bounds
    assert shapely.box(west, south, east, north).buffer(1e-6).covers(shapely.box(*box))
    assert part.shape[0] <= round(high / 0.05) + 2


def test_crop_outside_is_refused():
    with pytest.raises(GridError, match="outside the grid"):
        Grid.over((120, 30, 122, 32), 0.5).crop((10, 10, 11, 11))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dx": 0.0}, "above zero"),
        ({"west": np.nan}, "finite"),
        ({"shape": (0, 3)}, "row"),
    ],
)
def test_what_is_no_grid_is_refused(change, said):
    whole = {"west": 0.0, "north": 1.0, "dx": 0.1, "dy": 0.1, "shape": (2, 2)}
    with pytest.raises(GridError, match=said):
        Grid(**(whole | change))


def test_planar_grid_has_no_ellipsoidal_area():
    metres = Grid.over((0, 0, 1000, 1000), 100, crs="EPSG:32651")
    with pytest.raises(GridError, match=r"EPSG:32651.*EPSG:4326"):
        metres.cell_areas()


def test_inside_goes_by_cell_centres_and_the_first_polygon_wins():
    grid = Grid.over((0, 0, 3, 1), 1.0)
    shapes = gpd.GeoSeries(
        [shapely.box(0.0, 0, 1.6, 1), shapely.box(1.2, 0, 2.4, 1)], crs=4326
    )
    assert inside(shapes, grid).tolist() == [[0, 0, -1]]
    assert inside(shapes.iloc[::-1], grid).tolist() == [[1, 0, -1]]


def test_inside_refuses_another_crs():
    shapes = gpd.GeoSeries([shapely.box(0, 0, 1, 1)], crs=3857)
    with pytest.raises(CRSMismatchError):
        inside(shapes, Grid.over((0, 0, 3, 1), 1.0))


def test_inside_across_the_antimeridian():
    grid = Grid.over((179, 50, 181, 52), 0.5)
    east = gpd.GeoSeries([shapely.box(-180, 50, -179, 52)], crs=4326)
    owner = inside(east, grid)
    assert (owner[:, :2] == -1).all()
    assert (owner[:, 2:] == 0).all()


def test_a_grid_without_end_is_refused():
    with pytest.raises(GridError, match="no grid over"):
        Grid.over((0, 0, np.inf, 1), 0.1)

"""Found sites, judged by exactextract, rasterio's own shapes and scipy's ndimage."""

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import CRS, Transformer
from rasterio.features import shapes
from scipy.ndimage import distance_transform_edt, gaussian_filter, label

from geo.raster import Band, Grid, Siting, find_sites, parse_criteria
from tests.apart import JUDGES, NoProgramsError

WHY = {"label": "x", "unit": "m", "reason": "because", "source": "our judgement"}
PLANE = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(120, 140), crs="EPSG:32651")
GLOBE = Grid(west=124, north=40, dx=1 / 3600, dy=1 / 3600, shape=(120, 140))
NEIGHBOURS = {4: [[0, 1, 0], [1, 1, 1], [0, 1, 0]], 8: np.ones((3, 3))}


def write(path, values, grid):
    profile = {"driver": "GTiff", "count": 1, "crs": grid.crs}
    with rasterio.open(
        path,
        "w",
        height=values.shape[0],
        width=values.shape[1],
        dtype=values.dtype,
        transform=grid.transform,
        **profile,
    ) as target:
        target.write(values, 1)
    return path


def searched(folder, grid, *, connectivity=4, least=4, features=None, more=()):
    """Sites of a ragged cover, and the cover and the sunlight they come from."""
    rng = np.random.default_rng(11)
    ragged = gaussian_filter(rng.normal(size=grid.shape), 2)
    cover = np.where(ragged > -0.02, 1, 2).astype("uint8")
    sun = (1300 + 100 * rng.random(grid.shape)).astype("float32")
    found = find_sites(
        Siting(
            grid=grid,
            rasters={
                "cover": Band(paths=write(folder / "cover.tif", cover, grid)),
                "sun": Band(paths=write(folder / "sun.tif", sun, grid)),
            },
            features=features or {},
            criteria=parse_criteria(
                [
                    {**WHY, "id": "cover", "classes": {"1": 1.0}, "weight": 1},
                    {**WHY, "id": "sun", "score": {"up": [1300, 1400]}, "weight": 1},
                    *({**WHY, **one} for one in more),
                ]
            ),
            min_area_m2=least * 900 if grid is PLANE else least * 700,
            connectivity=connectivity,
        ),
        folder=folder / "out",
        tile=(37, 41),
    )
    return found, cover == 1, sun


def ranks(found):
    """Rank of the site that each cell is of, 0 for none."""
    with rasterio.open(found.outputs[1]) as source:
        return source.read(1).astype("int32")


@pytest.fixture(scope="module")
def exactextract():
    """What exactextract says of polygons on a raster."""
    try:
        JUDGES.versions()
    except NoProgramsError as error:
        pytest.skip(f"{error}: what exactextract counts is not tested")

    def ask(folder, values, grid, polygons):
        asked = {
            "values": values.tolist(),
            "bounds": grid.bounds,
            "crs": CRS(grid.crs).to_wkt(),
            "features": [
                {"type": "Feature", "properties": {}, "geometry": one}
                for one in map(shapely.geometry.mapping, polygons)
            ],
        }
        path = folder / "asked.json"
        path.write_text(json.dumps(asked), "utf-8")
        script = Path(__file__).with_name("exactextract_asked.py")
        done = JUDGES.run("python", script, path)
        assert done.returncode == 0, done.stderr[-2000:]
        return json.loads(done.stdout)

    return ask


@pytest.mark.parametrize("grid", [PLANE, GLOBE], ids=["plane", "globe"])
def test_exactextract_counts_the_same_cells_and_finds_the_same_means(
    exactextract, tmp_path, grid
):
    found, _, sun = searched(tmp_path, grid)
    table = found.table
    said = exactextract(tmp_path, sun, found.grid, table.geometry)
    assert len(table) > 10
    assert max(table["cells"]) > 1000
    # It keeps the share of each cell that is covered in single precision.
    assert said["count"] == pytest.approx(table["cells"].tolist(), rel=1e-6)
    # Measures are added up in steps; a cell's is right to half of one.
    assert said["mean"] == pytest.approx(table["mean_sun"].tolist(), abs=1e-3)


@pytest.mark.parametrize("grid", [PLANE, GLOBE], ids=["plane", "globe"])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_outlines_are_those_of_rasterio(tmp_path, grid, connectivity):
    found, _, _ = searched(tmp_path, grid, connectivity=connectivity)
    rank = ranks(found)
    theirs = {}
    for shape, value in shapes(rank, mask=rank > 0, transform=grid.transform):
        theirs.setdefault(int(value), []).append(shapely.geometry.shape(shape))
    assert sorted(theirs) == list(range(1, len(found.table) + 1))
    cell = grid.dx * grid.dy
    for number, ours in enumerate(found.table.geometry, start=1):
        union = shapely.union_all(theirs[number])
        assert ours.is_valid
        assert ours.symmetric_difference(union).area < 1e-6 * cell
        assert ours.area == pytest.approx(union.area, rel=1e-9)
        assert shapely.get_num_geometries(ours) <= len(theirs[number])


@pytest.mark.parametrize("grid", [PLANE, GLOBE], ids=["plane", "globe"])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_sites_are_the_large_groups_that_scipy_labels(tmp_path, grid, connectivity):
    found, free, _ = searched(tmp_path, grid, connectivity=connectivity, least=9)
    groups, number = label(free, NEIGHBOURS[connectivity])
    assert found.regions_found == number
    assert found.eligible_cells == free.sum()
    size = np.bincount(groups.ravel())
    rank = ranks(found)
    least = found.table["cells"].min()
    # On the globe the least area is one in square metres, near this many cells.
    assert (size[1:] > least).sum() <= len(found.table) <= (size[1:] >= least).sum()
    for one in range(1, len(found.table) + 1):
        [own] = np.unique(groups[rank == one])
        assert ((rank == one) == (groups == own)).all()
        assert found.table["cells"].iloc[one - 1] == size[own]


def test_distances_are_those_of_scipy_where_a_plane_will_do(tmp_path):
    rng = np.random.default_rng(5)
    rows, columns = rng.integers(20, 100, (2, 6))
    x = PLANE.west + (columns + 0.5) * PLANE.dx
    y = PLANE.north - (rows + 0.5) * PLANE.dy
    to_lonlat = Transformer.from_crs(PLANE.crs, 4326, always_xy=True)
    towns = gpd.GeoSeries(gpd.points_from_xy(*to_lonlat.transform(x, y)), crs=4326)
    near, far = 200.0, 900.0
    found, free, _ = searched(
        tmp_path,
        PLANE,
        least=0.5,
        features={"towns": towns},
        more=[{"id": "towns_m", "min": near, "max": far}],
    )
    away = np.ones(PLANE.shape, dtype=bool)
    away[rows, columns] = False
    # At the edge of its zone a metre of the grid is 0.9997 to 1.0004 on the ellipsoid.
    metres = distance_transform_edt(away, sampling=(30, 30))
    sure = (np.abs(metres / near - 1) > 1e-3) & (np.abs(metres / far - 1) > 1e-3)
    expected = free & (metres >= near) & (metres <= far)
    assert sure.mean() > 0.99
    assert ((ranks(found) > 0)[sure] == expected[sure]).all()
    assert expected[sure].sum() > 1000

"""The search for sites over a cluster: the answer of one machine."""

from __future__ import annotations

import os

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from geo import scale
from geo.errors import GridError
from geo.raster import Band, Grid, Siting, find_sites, parse_criteria

distributed = pytest.importorskip("distributed")

WHY = {"label": "x", "unit": "m", "reason": "because", "source": "our judgement"}


@pytest.fixture(scope="module")
def here():
    """A cluster inside this process."""
    with (
        distributed.LocalCluster(
            n_workers=1,
            threads_per_worker=1,
            processes=False,
            dashboard_address=":0",
            memory_limit=0,
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture
def siting(tmp_path):
    """Hills with grass and a road, in longitude and latitude."""
    grid = Grid(west=124, north=40, dx=1 / 3600, dy=1 / 3600, shape=(150, 130))
    rng = np.random.default_rng(3)
    y, x = np.indices(grid.shape)
    elevation = 40 * np.sin(x / 9) * np.cos(y / 7) + rng.normal(0, 0.5, grid.shape)
    elevation[rng.random(grid.shape) < 0.001] = np.nan
    cover = rng.choice([10, 30, 40], p=[0.4, 0.35, 0.25], size=grid.shape)
    for name, values in (
        ("elevation", elevation.astype("float32")),
        ("cover", cover.astype("uint8")),
    ):
        with rasterio.open(
            tmp_path / f"{name}.tif",
            "w",
            driver="GTiff",
            count=1,
            height=grid.shape[0],
            width=grid.shape[1],
            dtype=values.dtype,
            crs=grid.crs,
            transform=grid.transform,
            tiled=True,
            blockxsize=32,
            blockysize=32,
        ) as target:
            target.write(values, 1)
    road = shapely.LineString([(124.001, 39.96), (124.03, 39.998), (124.2, 39.97)])
    return Siting(
        grid=grid,
        rasters={
            "elevation": Band(paths=tmp_path / "elevation.tif", resampling="bilinear"),
            "cover": Band(paths=tmp_path / "cover.tif"),
        },
        features={"roads": gpd.GeoSeries([road], crs=4326)},
        criteria=parse_criteria(
            [
                {
                    "id": "slope_deg",
                    "max": 8,
                    "score": {"down": [0, 8]},
                    "weight": 2,
                    **WHY,
                },
                {
                    "id": "cover",
                    "classes": {"30": 1.0, "40": 0.5},
                    "weight": 1,
                    **WHY,
                },
                {
                    "id": "roads_m",
                    "min": 90,
                    "score": {"down": [0, 3000]},
                    "weight": 1,
                    **WHY,
                },
            ]
        ),
        min_area_m2=3000,
    )


def same(one, other, *, runs=True):
    """Equal to the last bit."""
    frames = [pd.DataFrame(found.table.to_wkb()) for found in (one, other)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)
    for name in ("cells", "eligible_cells", "eligible_area_m2", "regions_found"):
        assert getattr(one, name) == getattr(other, name)
    assert one.codes == other.codes
    if runs:
        for mine, theirs in zip(one.runs, other.runs, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("tile", [32, (7, 51), (150, 1), (2, 130), 1000])
def test_the_answer_is_that_of_one_machine(here, siting, tmp_path, tile, connectivity):
    siting = Siting(**{**vars(siting), "connectivity": connectivity})
    seen = []
    got = scale.sites(
        siting,
        tmp_path / "tiles",
        tile=tile,
        client=here,
        progress=lambda *now: seen.append(now),
    )
    expected = find_sites(siting)
    assert len(expected.table) > 20
    same(got, expected)
    assert seen == [(done, seen[0][1]) for done in range(seen[0][1] + 1)]


def test_a_second_call_makes_only_what_is_missing(here, siting, tmp_path):
    folder = tmp_path / "tiles"
    first = scale.sites(siting, folder, tile=40, client=here)
    files = sorted(folder.glob("tile-*.npz"))
    files[3].unlink()
    made = {file: file.stat().st_mtime_ns for file in files if file.exists()}
    seen = []
    again = scale.sites(
        siting, folder, tile=40, client=here, progress=lambda *now: seen.append(now)
    )
    same(again, first)
    assert seen == [(len(files) - 1, len(files)), (len(files), len(files))]
    assert all(file.stat().st_mtime_ns == then for file, then in made.items())
    with pytest.raises(FileExistsError, match=r"another search.*tiles"):
        scale.sites(siting, folder, tile=41, client=here)


def test_regions_and_the_best_only(here, siting, tmp_path):
    regions = gpd.GeoSeries([shapely.box(124.004, 39.965, 124.02, 39.99)], crs=4326)
    siting = Siting(**{**vars(siting), "regions": regions})
    whole = find_sites(siting, keep=2)
    got = scale.sites(siting, tmp_path / "tiles", tile=16, keep=2, client=here)
    same(got, whole, runs=False)
    best = whole.table["label"][:2]
    kept = np.isin(whole.runs.label, best)
    for mine, theirs in zip(got.runs, whole.runs, strict=True):
        np.testing.assert_array_equal(mine, theirs[kept])


def test_an_error_of_a_worker_reaches_the_caller(here, siting, tmp_path):
    path = tmp_path / "cover.tif"
    path.write_bytes(path.read_bytes()[:9000])
    with pytest.raises(GridError, match=r"cover\.tif cannot be read in rows"):
        scale.sites(siting, tmp_path / "tiles", tile=40, client=here)


def test_two_workers_of_which_one_is_killed(siting, tmp_path):
    killed = []
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            dashboard_address=":0",
            memory_limit="1GB",
            silence_logs="CRITICAL",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        before = [w["pid"] for w in client.run(lambda: {"pid": os.getpid()}).values()]

        def progress(done, _):
            if done == 3 and not killed:
                killed.append(before[0])
                os.kill(before[0], 9)

        got = scale.sites(siting, tmp_path / "tiles", tile=20, progress=progress)
    assert killed
    same(got, find_sites(siting))
    assert not list((tmp_path / "tiles").glob(".tmp-*"))


def test_no_cluster_is_an_error(siting, tmp_path):
    with pytest.raises(ValueError, match="no cluster is connected"):
        scale.sites(siting, tmp_path / "tiles")

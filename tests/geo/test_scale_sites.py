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


def same_rasters(one, other):
    """Equal byte for byte."""
    for mine, its in zip(one.outputs, other.outputs, strict=True):
        assert mine.name == its.name
        assert mine.read_bytes() == its.read_bytes(), mine.name


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("tile", [32, (7, 51), (150, 1), (2, 130), 1000])
def test_the_answer_is_that_of_one_machine(here, siting, tmp_path, tile, connectivity):
    siting = Siting(**{**vars(siting), "connectivity": connectivity})
    seen = []
    got = scale.sites(
        siting,
        tmp_path / "tiles",
        tile=tile,
        rasters=tmp_path / "theirs",
        client=here,
        progress=lambda *now: seen.append(now),
    )
    expected = find_sites(siting, folder=tmp_path / "ours")
    assert len(expected.table) > 20
    same(got, expected)
    same_rasters(got, expected)
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
    whole = find_sites(siting, keep=2, folder=tmp_path / "ours")
    got = scale.sites(
        siting,
        tmp_path / "tiles",
        tile=16,
        keep=2,
        rasters=tmp_path / "theirs",
        client=here,
    )
    same(got, whole, runs=False)
    same_rasters(got, whole)
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

        got = scale.sites(
            siting,
            tmp_path / "tiles",
            tile=20,
            rasters=tmp_path / "theirs",
            progress=progress,
        )
    assert killed
    expected = find_sites(siting, folder=tmp_path / "ours")
    same(got, expected)
    same_rasters(got, expected)
    assert not list((tmp_path / "tiles").glob(".tmp-*"))


def test_a_damaged_tile_is_named_and_no_raster_appears(here, siting, tmp_path):
    folder, rasters = tmp_path / "tiles", tmp_path / "theirs"
    scale.sites(siting, folder, tile=40, rasters=rasters, client=here)
    for path in (rasters / "score.tif", rasters / "mask.tif"):
        path.unlink()
    broken = folder / "tile-000005.npz"
    broken.write_bytes(broken.read_bytes()[:-200])
    with pytest.raises(GridError, match="file of tile 5 is damaged"):
        scale.sites(siting, folder, tile=40, rasters=rasters, client=here)
    assert list(rasters.iterdir()) == []


def test_a_disk_that_is_full_at_the_end_leaves_no_raster(
    here, siting, tmp_path, monkeypatch
):
    from geo.raster import cog

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cog.Canvas, "write", full)
    with pytest.raises(OSError, match="No space left"):
        scale.sites(siting, tmp_path / "t", rasters=tmp_path / "r", client=here)
    assert list((tmp_path / "r").iterdir()) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 1), (2, 2), (5, 7), (8, 3)])
def test_pieces_of_every_level_are_all_cells_once(shape):
    from geo.raster.streaming import Layout
    from geo.scale_blocks import levels

    high, wide = (tuple(range(3, 3 + 10 * n + 1, 10)) for n in shape)
    layout = Layout(rows=high, columns=wide, shift=0)
    seams, below = [], None
    for level in levels(layout):
        cells = np.zeros((high[-1], wide[-1]), int)
        for piece in level:
            own = piece.window
            cells[own.top : own.bottom, own.left : own.right] += 1
            assert len(piece.below) <= 4
            seams += [("row", y, own.left) for y in piece.seam_rows]
            seams += [("column", x, own.top) for x in piece.seam_columns]
        assert (cells[3:, 3:] == 1).all()
        if below is None:
            tiles = [number for piece in level for number in piece.tiles]
            assert sorted(tiles) == list(range(layout.tiles))
        else:
            assert sorted(at for piece in level for at in piece.below) == below
        below = sorted(piece.at for piece in level)
    assert below == [(0, 0)]
    assert level[0].borders == (False,) * 4
    assert len(seams) == len(set(seams))


def test_no_cluster_is_an_error(siting, tmp_path):
    with pytest.raises(ValueError, match="no cluster is connected"):
        scale.sites(siting, tmp_path / "tiles")

"""What a search writes: COGs, a workspace that survives a kill, nothing by halves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio

from geo.raster import Band, Grid, Siting, find_sites, parse_criteria

WHY = {"label": "x", "unit": "m", "reason": "because", "source": "our judgement"}
GRID = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=(1100, 1300), crs="EPSG:32651")


def make(folder):
    """A siting over random patches; the same in every process."""
    rng = np.random.default_rng(11)
    patches = np.kron(rng.random((110, 130)) < 0.4, np.ones((10, 10), bool))
    cover = np.where(patches, rng.choice([1, 2], size=GRID.shape), 9).astype("uint8")
    path = folder / "cover.tif"
    if not path.exists():
        with rasterio.open(
            path,
            "w",
            driver="GTiff",
            count=1,
            height=GRID.shape[0],
            width=GRID.shape[1],
            dtype="uint8",
            crs=GRID.crs,
            transform=GRID.transform,
            tiled=True,
            blockxsize=128,
            blockysize=128,
            compress="deflate",
        ) as target:
            target.write(cover, 1)
    classes = {"1": 1.0, "2": 0.3}
    return Siting(
        grid=GRID,
        rasters={"cover": Band(paths=path)},
        criteria=parse_criteria(
            [{"id": "cover", "classes": classes, "weight": 1, **WHY}]
        ),
        min_area_m2=200_000,
    ), cover


def same(one, other):
    frames = [pd.DataFrame(found.table.to_wkb()) for found in (one, other)]
    pd.testing.assert_frame_equal(*frames, check_exact=True)


def test_scores_and_ranks_are_cogs(tmp_path):
    siting, cover = make(tmp_path)
    found = find_sites(siting, folder=tmp_path / "out", tile=(300, 500), threads=2)
    assert found.outputs == (tmp_path / "out/score.tif", tmp_path / "out/mask.tif")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "mask.tif",
        "score.tif",
    ]
    for path in found.outputs:
        with rasterio.open(path) as source:
            assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
            assert source.overviews(1)
            assert source.compression.name == "deflate"
            assert Grid.of_source(source) == GRID
    with rasterio.open(found.outputs[0]) as source:
        stored = source.read(1)
        assert source.nodata == 255
        assert source.scales == (0.004,)
        expected = np.select([cover == 1, cover == 2], [250, 75], 255)
        np.testing.assert_array_equal(stored, expected)
    with rasterio.open(found.outputs[1]) as source:
        ranks = source.read(1)
        assert source.nodata == 0
    expected = np.zeros(GRID.shape, int)
    rank = dict(zip(found.table["label"], found.table.index + 1, strict=True))
    for label, row, start, stop in zip(*found.runs, strict=True):
        expected[row, start:stop] = rank[label]
    np.testing.assert_array_equal(ranks, expected)
    same(found, find_sites(siting))


def test_files_have_the_same_bytes_whatever_the_tiles(tmp_path):
    siting, _ = make(tmp_path)
    bytes_of = []
    for number, (tile, threads) in enumerate([(None, 2), (200, 1), ((77, 333), 2)]):
        folder = tmp_path / str(number)
        find_sites(siting, folder=folder, tile=tile, threads=threads)
        bytes_of.append([p.read_bytes() for p in sorted(folder.iterdir())])
    assert bytes_of[0] == bytes_of[1] == bytes_of[2]


RUN = """
import sys, pathlib
sys.path.insert(0, sys.argv[2])
import test_search as t
t_path = pathlib.Path(sys.argv[1])
siting, _ = t.make(t_path)
print("begin", flush=True)
t.find_sites(siting, folder=t_path / "out", workspace=t_path / "work", tile=50,
    threads=2, progress=lambda done, total: print(done, total, flush=True))
"""


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    siting, _ = make(tmp_path)
    command = [sys.executable, "-c", RUN, str(tmp_path), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line.startswith("5 "):
                process.send_signal(signal.SIGKILL)
                break
    work, out = tmp_path / "work", tmp_path / "out"
    done = {p: p.stat().st_mtime_ns for p in work.glob("tile-*.npz")}
    assert len(done) >= 5
    assert not (out / "score.tif").exists()
    seen = []
    options = {"folder": out, "workspace": work, "tile": 50, "threads": 2}
    found = find_sites(siting, **options, progress=lambda *now: seen.append(now))
    assert all(p.stat().st_mtime_ns == then for p, then in done.items())
    assert len(list(work.glob("tile-*.npz"))) == seen[-1][1]
    assert not list(work.glob(".tmp-*"))
    fresh = find_sites(siting, folder=tmp_path / "fresh", tile=50, threads=1)
    same(found, fresh)
    for name in ("score.tif", "mask.tif"):
        assert (out / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()


def test_a_workspace_of_other_inputs_is_refused(tmp_path):
    siting, _ = make(tmp_path)
    work = tmp_path / "work"
    find_sites(siting, workspace=work)
    find_sites(siting, workspace=work)
    changed = Siting(**{**vars(siting), "min_area_m2": 1.0})
    with pytest.raises(FileExistsError, match=r"changed since \(sites\)"):
        find_sites(changed, workspace=work)
    with pytest.raises(FileExistsError, match=r"\(tiles\)"):
        find_sites(siting, workspace=work, tile=100)
    os.utime(tmp_path / "cover.tif", (1, 1))
    with pytest.raises(FileExistsError, match=r"\(rasters\)"):
        find_sites(siting, workspace=work)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").write_text("dear")
    with pytest.raises(FileExistsError, match="is not empty"):
        find_sites(siting, workspace=tmp_path / "full")
    assert json.loads((work / "_job.json").read_text())["grid"]


def test_a_damaged_tile_is_made_again(tmp_path):
    siting, _ = make(tmp_path)
    work = tmp_path / "work"
    whole = find_sites(siting, workspace=work, tile=100)
    files = sorted(work.glob("tile-*.npz"))
    files[2].write_bytes(files[2].read_bytes()[:50])
    files[4].write_bytes(b"")
    same(find_sites(siting, workspace=work, tile=100, threads=2), whole)
    assert min(file.stat().st_size for file in files) > 50


class StopError(Exception):
    """Raised on purpose."""


@pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
def test_what_stops_a_search_leaves_nothing_by_halves(tmp_path, error):
    siting, _ = make(tmp_path)
    out = tmp_path / "out"
    out.mkdir()
    (out / "score.tif").write_text("that of yesterday")

    def stop(done, _):
        if done == 3:
            raise error

    with pytest.raises(error):
        find_sites(siting, folder=out, tile=100, progress=stop, threads=2)
    assert [p.name for p in out.iterdir()] == ["score.tif"]
    assert (out / "score.tif").read_text() == "that of yesterday"


FULL = """
import sys, pathlib, resource, signal
sys.path.insert(0, sys.argv[2])
import test_search as t
t_path = pathlib.Path(sys.argv[1])
siting, _ = t.make(t_path)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    t.find_sites(siting, folder=t_path / "out", tile=200)
except OSError as error:
    print(type(error).__name__, error)
else:
    print("written")
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="a limit of POSIX systems")
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97, 0.9999])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path, share):
    """A limit on the size of files stands for the disk: plain cells, COG, its end."""
    siting, _ = make(tmp_path)
    find_sites(siting, folder=tmp_path / "fine", tile=200)
    plain = GRID.shape[0] * GRID.shape[1]
    cog = (tmp_path / "fine" / "score.tif").stat().st_size
    limit = int(share * plain) if share < 0.9 else int(share * cog)
    command = [sys.executable, "-c", FULL, str(tmp_path)]
    command += [str(Path(__file__).parent), str(limit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith("OSError"), said
    assert not any((tmp_path / "out").iterdir())


def test_where_a_row_of_blocks_is_long_tiles_are_narrower(tmp_path, monkeypatch):
    """They end where blocks end, so that none is read twice; sites stay the same."""
    import dataclasses

    import geopandas as gpd
    import shapely

    from geo.raster.plan import make_plan
    from geo.raster.sheets import reading
    from geo.raster.streaming import lay_out

    siting, _ = make(tmp_path)
    some = shapely.box(3e5 + 30 * 40, 44e5 - 30 * 1000, 3e5 + 30 * 1250, 44e5 - 30)
    region = gpd.GeoSeries([some], crs=GRID.crs).to_crs(4326)
    siting = dataclasses.replace(siting, regions=region)
    whole = find_sites(siting)
    # Masks and classes are a byte each; blocks are 128 by 128 cells.
    monkeypatch.setattr("geo.raster.streaming._STRIP_BYTES", 300_000)
    monkeypatch.setattr("geo.raster.streaming._BLOCKS_BYTES", 120_000)
    with reading() as handles:
        plan = make_plan(siting, handles)
        layout = lay_out(plan, None)
    assert layout.columns[0] == plan.window.left > 0
    assert layout.columns[-1] == plan.window.right
    assert layout.columns[1:-1] == (512, 1024)
    assert all(row % 128 == 0 for row in layout.rows[1:-1])
    covered = np.zeros(GRID.shape, int)
    for number in range(layout.tiles):
        window = layout.window(number)
        covered[window.top : window.bottom, window.left : window.right] += 1
    inner = covered[
        plan.window.top : plan.window.bottom, plan.window.left : plan.window.right
    ]
    assert (inner == 1).all()
    assert inner.sum() == covered.sum()
    same(whole, find_sites(siting))


def test_a_search_takes_memory_for_tiles_not_for_rasters(tmp_path):
    """The rows that a tile hands on are copied, and strips use memory again."""
    from geo.raster.plan import make_plan
    from geo.raster.sheets import reading
    from geo.raster.streaming import Streamer, lay_out

    siting, _ = make(tmp_path)
    with reading() as handles:
        plan = make_plan(siting, handles)
        layout = lay_out(plan, (50, 1300))
        streamer = Streamer(plan, layout, handles, scored=False)
        for number in range(layout.tiles):
            streamer.judge(number)
        held = [b.nbytes for free in streamer._free.values() for b in free]
    assert sum(held) < 60 * 1300

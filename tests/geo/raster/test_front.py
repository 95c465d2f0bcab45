"""What a search holds while it goes on: the same for rasters of any height."""

from __future__ import annotations

import tracemalloc

import numpy as np
import rasterio

from geo.raster import Band, Grid, Siting, find_sites, parse_criteria, spool
from geo.raster.found import Runs
from geo.raster.front import Front
from geo.raster.spool import Spool

WHY = {"label": "x", "unit": "m", "reason": "because", "source": "our judgement"}
COLUMNS, BAND, TILE = 512, 300, 90
"""Each band of so many rows is a ragged site over four tiles, and many dots."""


def country(folder, bands):
    """So many bands of noise, all alike, with bare ground between them."""
    rng = np.random.default_rng(5)
    band = rng.random((BAND, COLUMNS)) < 0.7
    band[-2:] = False
    cover = np.tile(np.where(band, 1, 2).astype("uint8"), (bands, 1))
    grid = Grid(west=3e5, north=44e5, dx=30, dy=30, shape=cover.shape, crs="EPSG:32651")
    path = folder / f"cover-{bands}.tif"
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=cover.shape[0],
        width=cover.shape[1],
        dtype="uint8",
        crs=grid.crs,
        transform=grid.transform,
        compress="deflate",
    ) as target:
        target.write(cover, 1)
    return Siting(
        grid=grid,
        rasters={"cover": Band(paths=path)},
        criteria=parse_criteria(
            [{"id": "cover", "classes": {"1": 1.0}, "weight": 1, **WHY}]
        ),
        min_area_m2=1_000_000,
    )


def test_what_is_held_does_not_grow_with_the_strips(tmp_path, monkeypatch):
    """Bytes after every tile: of open groups, and of runs in memory."""
    monkeypatch.setattr(spool, "BOUND", 100_000)
    seen = {"front": [], "spool": []}
    add, put = Front.add, Spool.put

    def adding(self, *tile):
        add(self, *tile)
        seen["front"].append(self.held)

    def putting(self, *tile):
        put(self, *tile)
        seen["spool"].append(self.held)

    monkeypatch.setattr(Front, "add", adding)
    monkeypatch.setattr(Spool, "put", putting)
    most = []
    for bands in (4, 16):
        siting = country(tmp_path, bands)
        for each in seen.values():
            each.clear()
        found = find_sites(siting, keep=1, tile=(TILE, COLUMNS), threads=1)
        assert len(found.table) == bands
        assert len(seen["front"]) > bands * 3
        assert seen["front"][-1] == 0
        most.append({name: max(each) for name, each in seen.items()})
        assert 16 * len(found.runs.row) > 10 * sum(most[-1].values())
        assert most[-1]["spool"] <= 100_000
    assert most[1]["front"] <= 1.02 * most[0]["front"]


def test_memory_of_a_search_does_not_grow_with_the_raster(tmp_path, monkeypatch):
    """All that Python and numpy allocate at one moment, whatever holds it."""
    monkeypatch.setattr(spool, "BOUND", 100_000)
    small, large = country(tmp_path, 6), country(tmp_path, 24)
    options = {"keep": 1, "tile": (TILE, COLUMNS), "threads": 1}
    find_sites(small, **options)
    peaks = []
    for siting in (small, large):
        tracemalloc.start()
        found = find_sites(siting, **options)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    # What the cells of all sites alone would take.
    assert peaks[1] < 16 * len(found.runs.row)


def test_runs_come_back_from_memory_and_from_the_file(monkeypatch):
    monkeypatch.setattr(spool, "BOUND", 300)
    rng = np.random.default_rng(2)
    kept = Spool()
    put = {}
    for number, n in ((3, 5), (0, 0), (7, 12), (2, 40), (5, 1)):
        put[number] = Runs(*rng.integers(0, 1 << 30, (4, n), np.int32))
        kept.put(number, put[number])
        assert kept.held == (16 * sum(len(r.row) for r in put.values())) * (
            number in {3, 0, 7}
        )
        for known, runs in put.items():
            assert kept.count(known) == len(runs.row)
            for mine, theirs in zip(kept.get(known), runs, strict=True):
                np.testing.assert_array_equal(mine, theirs)
    assert len(kept.get(99).row) == kept.count(99) == 0


def test_the_file_of_runs_has_no_name(tmp_path, monkeypatch):
    """So that nothing is left of it, whatever ends the process."""
    monkeypatch.setattr(spool, "BOUND", 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    kept = Spool()
    kept.put(0, Runs(*np.ones((4, 9), np.int32)))
    assert kept.held == 0
    assert list(tmp_path.iterdir()) == []
    assert kept.get(0).stop.tolist() == [1] * 9

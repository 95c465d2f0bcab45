"""COGs: what GDAL reads back, how they are laid out, and that they are repeatable."""

import struct
from dataclasses import replace

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from geo.raster.grid import Grid
from geo.raster.tiff import BLOCK, About, pack
from tests.cogs import NoJudgeError, judged, require_judge

SHAPES = [(1_101, 1_537), (551, 769), (276, 385)]


def about(*, dtype="uint8", nodata=255, smooth=True, crs="EPSG:5179"):
    grid = Grid(crs=crs, west=9e5, north=2e6, dx=30.0, dy=25.0, shape=SHAPES[0])
    return About(
        grid=grid,
        dtype=np.dtype(dtype),
        nodata=nodata,
        description="scores & <ranks>",
        scale=0.004,
        smooth=smooth,
    )


def packed(folder, what, *, big=None, seed=3):
    draw = np.random.default_rng(seed)
    levels, cells = [], []
    for n, shape in enumerate(SHAPES):
        level = draw.integers(0, 250, shape).astype(what.dtype)
        level[: shape[0] // 2, : shape[1] // 2] = what.nodata
        levels.append(folder / f"{n}")
        level.tofile(levels[-1])
        cells.append(level)
    pack(levels, SHAPES, what, folder / "whole.tif", big=big)
    return folder / "whole.tif", cells


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize(
    ("dtype", "nodata", "smooth"),
    [("uint8", 255, True), ("uint16", 0, False), ("uint32", 0, False)],
)
def test_gdal_reads_what_was_packed(tmp_path, dtype, nodata, smooth, big):
    what = about(dtype=dtype, nodata=nodata, smooth=smooth)
    path, cells = packed(tmp_path, what, big=big)
    with rasterio.open(path) as source:
        assert source.tags(ns="IMAGE_STRUCTURE") == {
            "COMPRESSION": "DEFLATE",
            "INTERLEAVE": "BAND",
            "LAYOUT": "COG",
        }
        assert source.overviews(1) == [2, 4]
        assert source.block_shapes == [(BLOCK, BLOCK)]
        assert (source.nodata, source.scales) == (nodata, (0.004,))
        assert source.descriptions == ("scores & <ranks>",)
        assert source.crs == rasterio.CRS.from_epsg(5179)
        assert tuple(source.transform)[:6] == (30.0, 0.0, 9e5, 0.0, -25.0, 2e6)
        np.testing.assert_array_equal(source.read(1), cells[0])
    for n in (1, 2):
        with rasterio.open(path, overview_level=n - 1) as source:
            np.testing.assert_array_equal(source.read(1), cells[n])
    assert path.read_bytes()[2] == (43 if big else 42)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0", "1", "2", "whole.tif"]


@pytest.mark.parametrize("crs", ["EPSG:5179", "EPSG:4326", "ESRI:102025"])
def test_a_raster_says_of_itself_what_gdals_own_cog_says(tmp_path, crs):
    path, cells = packed(tmp_path, about(crs=crs))
    theirs = tmp_path / "theirs.tif"
    rasterio.shutil.copy(path, theirs, driver="COG", compress="DEFLATE")
    with rasterio.open(path) as mine, rasterio.open(theirs) as other:
        assert mine.profile == other.profile
        assert (mine.scales, mine.descriptions) == (other.scales, other.descriptions)
        assert (mine.tags(), mine.tags(1)) == (other.tags(), other.tags(1))
        np.testing.assert_array_equal(other.read(1), cells[0])


@pytest.mark.parametrize("big", [False, True])
def test_blocks_stand_behind_all_directories_the_smallest_overview_first(tmp_path, big):
    """As the ghost area promises: a size before each block, its last bytes after it."""
    path, _ = packed(tmp_path, about(), big=big)
    whole = path.read_bytes()
    start = 16 if big else 8
    ghost = whole[start : start + 200].split(b"\n \0")[0].split(b"\n", 1)
    size = int(ghost[0].split(b"=")[1].split()[0])
    assert size == len(ghost[1]) + 2
    at = 0
    with rasterio.open(path) as source:
        sizes = [source.shape]
    directories = []
    places = []
    (here,) = struct.unpack_from("<Q" if big else "<I", whole, 8 if big else 4)
    while here:
        assert here % 2 == 0
        directories.append(here)
        wide = 20 if big else 12
        (n,) = struct.unpack_from("<Q" if big else "<H", whole, here)
        first = here + (8 if big else 2)
        found = {}
        keys = []
        for k in range(n):
            key, kind = struct.unpack_from("<HH", whole, first + wide * k)
            keys.append(key)
            count, value = struct.unpack_from(
                "<QQ" if big else "<II", whole, first + wide * k + 4
            )
            if key in {324, 325}:
                code = {4: "I", 16: "Q"}[kind]
                place = first + wide * k + (12 if big else 8)
                inline = count * struct.calcsize(code) <= (8 if big else 4)
                found[key] = struct.unpack_from(
                    f"<{count}{code}", whole, place if inline else value
                )
        assert keys == sorted(keys)
        places.append(list(zip(found[324], found[325], strict=True)))
        (here,) = struct.unpack_from("<Q" if big else "<I", whole, first + wide * n)
    assert [len(each) for each in places] == [12, 4, 1]
    assert directories == sorted(directories)
    at = max(directories)
    for level in reversed(places):
        for offset, count in level:
            assert offset > at
            assert struct.unpack_from("<I", whole, offset - 4) == (count,)
            end = offset + count
            assert whole[end - 4 : end] == whole[end : end + 4]
            at = end
    assert at + 4 == len(whole)
    assert sizes == [SHAPES[0]]


def test_the_same_cells_give_the_same_bytes_on_any_number_of_threads(
    tmp_path, monkeypatch
):
    made = []
    for threads in (1, 2, 5):
        monkeypatch.setattr("geo.raster.tiff.available_threads", lambda n=threads: n)
        folder = tmp_path / f"{threads}"
        folder.mkdir()
        made.append(packed(folder, about())[0].read_bytes())
    assert made[0] == made[1] == made[2]


def test_a_file_that_may_grow_large_gets_offsets_of_eight_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("geo.raster.tiff._BIG", 1_000)
    path, cells = packed(tmp_path, replace(about(), scale=1.0))
    assert path.read_bytes()[2] == 43
    with rasterio.open(path) as source:
        assert source.scales == (1.0,)
        np.testing.assert_array_equal(source.read(1), cells[0])


@pytest.mark.parametrize("big", [False, True])
def test_gdals_judge_finds_nothing(tmp_path, big):
    try:
        require_judge()
    except NoJudgeError as error:
        pytest.skip(str(error))
    path, _ = packed(tmp_path, about(), big=big)
    said = judged(path)
    assert "is a valid cloud optimized GeoTIFF" in said
    assert "warning" not in said.lower()

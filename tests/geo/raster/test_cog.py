import numpy as np
import pytest
import rasterio

from geo.raster.cog import canvas
from geo.raster.grid import Grid

GRID = Grid(
    crs="EPSG:5179", west=9e5, north=2e6, dx=30.0, dy=30.0, shape=(1_301, 1_777)
)


def written(path, cells, *, average):
    with canvas(
        path,
        GRID,
        cells.dtype.name,
        nodata=0,
        description="rank",
        scale=0.5,
        average=average,
    ) as paper:
        for top in range(0, len(cells), 400):
            paper.write(cells[top : top + 400], row=top, column=0)


def level(path, number):
    with rasterio.open(path, overview_level=number) as source:
        return source.read(1), source.transform


@pytest.mark.parametrize("average", [True, False])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32"])
def test_each_overview_halves_the_one_before(tmp_path, dtype, average):
    draw = np.random.default_rng(4)
    cells = draw.integers(0, 200, GRID.shape).astype(dtype)
    cells[300:900, 200:1000] = 0
    path = tmp_path / "cells.tif"
    written(path, cells, average=average)
    with rasterio.open(path) as source:
        assert source.overviews(1) == [2, 4]
        assert source.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert (source.scales, source.nodata) == ((0.5,), 0)
        np.testing.assert_array_equal(source.read(1), cells)
    finer = cells
    for number in range(2):
        found, transform = level(path, number)
        rows, columns = finer.shape
        padded = np.zeros((rows + rows % 2, columns + columns % 2))
        padded[:rows, :columns] = finer
        four = np.stack([padded[i::2, j::2] for i in (0, 1) for j in (0, 1)])
        count = (four > 0).sum(axis=0)
        if average:
            mean = four.sum(axis=0) / np.maximum(count, 1)
            expected = np.floor(mean + 0.5)
        else:
            first = (four > 0).argmax(axis=0)
            expected = np.take_along_axis(four, first[None], axis=0)[0]
        np.testing.assert_array_equal(found, expected)
        assert transform.c == GRID.west
        finer = found


def test_a_small_raster_needs_no_overview(tmp_path):
    grid = Grid(crs="EPSG:5179", west=0.0, north=0.0, dx=30.0, dy=30.0, shape=(5, 7))
    with canvas(
        tmp_path / "small.tif", grid, "uint8", nodata=0, description="rank"
    ) as paper:
        paper.write(np.ones((5, 7), np.uint8), row=0, column=0)
    with rasterio.open(tmp_path / "small.tif") as source:
        assert source.overviews(1) == []
        assert (source.read(1) == 1).all()

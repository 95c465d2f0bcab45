"""Outlines of sites, judged by scipy's labels and GDAL's filling of polygons."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from rasterio.features import rasterize
from scipy.ndimage import label

from geo.raster import Grid
from geo.raster.found import Cells, Runs
from geo.raster.outlines import outlines


def runs_of(labels):
    """Stretches of equal labels in the rows of an array."""
    wide = np.pad(labels, ((0, 0), (1, 1)))
    here, before, after = wide[:, 1:-1], wide[:, :-2], wide[:, 2:]
    row, start = np.nonzero((here > 0) & (before != here))
    stop = np.nonzero((here > 0) & (after != here))[1] + 1
    columns = (labels[row, start], row, start, stop)
    return Runs(*(each.astype(np.int32) for each in columns))


def every_mask(rows, columns):
    """All masks of a size, apart from each other in one array."""
    count = 1 << (rows * columns)
    bits = np.arange(count)[:, None] >> np.arange(rows * columns) & 1
    across = 1 << (rows * columns // 2)
    masks = bits.reshape(-1, across, rows, columns)
    return (
        np.pad(masks, ((0, 0), (0, 0), (1, 0), (1, 0)))
        .swapaxes(1, 2)
        .reshape(-1, across * (columns + 1))
    )


@pytest.mark.parametrize("connectivity", [4, 8])
def test_sites_of_every_small_mask(connectivity):
    mask = every_mask(4, 4)
    labels, count = label(mask, np.ones((3, 3)) if connectivity == 8 else None)
    grid = Grid(west=7, north=-3, dx=0.5, dy=2, shape=mask.shape, crs="EPSG:32651")
    names = np.random.default_rng(1).permutation(np.arange(1, count + 1))
    cells = Cells.held(runs_of(labels))
    shapes = outlines(cells, names, grid, connectivity=connectivity)

    assert shapely.is_valid(shapes).all()
    filled = rasterize(
        zip(shapes, names.tolist(), strict=True),
        out_shape=mask.shape,
        transform=grid.transform,
        dtype="int32",
    )
    np.testing.assert_array_equal(filled, labels)
    sizes = np.bincount(labels.ravel())[names]
    np.testing.assert_array_equal(shapely.area(shapes), sizes)

    parts, site = shapely.get_parts(shapes, return_index=True)
    edges, whole = label(mask)
    if connectivity == 4:
        assert len(parts) == len(shapes)
    else:
        # The parts of a site are those that hang together along edges.
        assert len(parts) == whole
        x, y = shapely.get_coordinates(shapely.point_on_surface(parts)).T
        at = ((-3 - y) // 2).astype(int), ((x - 7) // 0.5).astype(int)
        np.testing.assert_array_equal(np.sort(edges[at]), np.arange(1, whole + 1))
        np.testing.assert_array_equal(names[site], labels[at])
    outer = shapely.get_exterior_ring(parts)
    rings = shapely.get_rings(parts)
    assert shapely.is_ccw(outer).all()
    assert shapely.is_ccw(rings).sum() == len(outer)
    # Rings turn at each vertex, and begin at the left one of those on top.
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    first = np.flatnonzero(np.diff(ring, prepend=-1))
    top = np.lexsort((xy[:, 0], -xy[:, 1], ring))[first]
    np.testing.assert_array_equal(xy[top], xy[first])
    level = np.diff(xy[:, 1]) == 0
    inside = ring[2:] == ring[:-2]
    assert (level[:-1] != level[1:])[inside].all()
    last = np.append(first[1:], len(xy)) - 2
    assert (level[first] != level[last]).all()

"""Boxes of the tree: every place of every piece lies in all that stand above it."""

import numpy as np
import pytest
from pyproj import Transformer

from geo.kernels.edges import Edges
from geo.kernels.pieces import pieces_of
from geo.kernels.piecetree import piecetree

CENTRED = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)
ROUNDING_M = 1e-8


def long_edges(n, lat, seed):
    """Edges of degrees, many along parallels, that leave their chords far behind."""
    rng = np.random.default_rng(seed)
    begin = np.column_stack([rng.uniform(-170, 160, n), np.full(n, lat)])
    across = rng.uniform(1, 9, n)
    up = np.where(rng.random(n) < 0.5, 0.0, rng.uniform(-3, 3, n))
    return np.column_stack([begin, begin[:, 0] + across, begin[:, 1] + up])


@pytest.mark.parametrize("lat", [0.0, 39.7, -61.2, 84.0])
def test_every_place_of_a_piece_lies_in_the_boxes_above_it(lat):
    edges = Edges(lonlat=long_edges(40, lat, seed=7), offsets=np.arange(41))
    tree = piecetree(pieces_of(edges)[0])
    lonlat = tree.pieces.lonlat
    part = np.linspace(0, 1, 9)[:, None, None]
    places = lonlat[:, :2] + part * (lonlat[:, 2:] - lonlat[:, :2])
    xyz = np.stack(
        CENTRED.transform(places[..., 0], places[..., 1], np.zeros(places.shape[:2])),
        axis=-1,
    )
    below = np.arange(len(lonlat))
    for start, stop in zip(tree.starts[:-1], tree.starts[1:], strict=True):
        below = below // 8
        assert below.max() == stop - start - 1
        boxes = tree.boxes[start:stop][below]
        assert (xyz >= boxes[:, :3] - ROUNDING_M).all()
        assert (xyz <= boxes[:, 3:] + ROUNDING_M).all()

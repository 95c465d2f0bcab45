import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import MultiPolygon, box
from shapely.affinity import translate

from geo.kernels.edges import edges_of
from geo.kernels.seams import boundary_of, pieces_on_meridian

spans = st.lists(st.integers(-6, 6), min_size=2, max_size=6, unique=True).map(sorted)


def strips(lats, west, east):
    """Boxes between every other pair of latitudes."""
    pairs = zip(lats[::2], lats[1::2], strict=False)
    return [box(west, 15 * s, east, 15 * n) for s, n in pairs]


@settings(max_examples=200, deadline=None)
@given(spans, spans)
def test_what_is_left_is_the_boundary_on_the_ground(east, west):
    land = MultiPolygon(strips(east, 170, 180) + strips(west, -180, -170))
    left = boundary_of(edges_of(np.array([land])))
    got = shapely.union_all(shapely.linestrings(left.lonlat.reshape(-1, 2, 2)))
    turned = [translate(land, turn) for turn in (-360, 0, 360)]
    ground = shapely.union_all(turned).boundary & box(-180, -89, 180, 89)
    # A stretch on one side is meant once, on its own side.
    both = [got, *(translate(got & box(x, -90, x, 90), -2 * x) for x in (-180, 180))]
    assert (shapely.union_all(both) & box(-180, -89, 180, 89)).equals(ground)
    lat0, lat1 = left.lonlat[:, [1, 3]].T
    assert not ((np.abs(lat0) == 90) & (lat0 == lat1)).any()


def test_features_without_a_seam_stay_as_they_are():
    edges = edges_of(np.array([box(0, 0, 1, 1), box(170, 0, 179, 1)]))
    assert boundary_of(edges) is edges


def test_features_keep_their_own_edges():
    whole = MultiPolygon([box(170, 0, 180, 1), box(-180, 0, -170, 1)])
    shapes = np.array([box(0, 0, 1, 1), whole, box(-180, -90, 180, 90), whole])
    left = boundary_of(edges_of(shapes))
    assert np.diff(left.offsets).tolist() == [4, 6, 0, 6]
    pieces, rows = pieces_on_meridian(edges_of(shapes), 180)
    assert rows.tolist() == [1, 2, 3]
    assert np.diff(pieces.offsets).tolist() == [3, 3, 3]
    assert sorted(np.sort(pieces.lonlat[:3, [1, 3]]).tolist()) == [
        [0, 0],
        [0, 1],
        [1, 1],
    ]
    assert not pieces.lonlat[:, [0, 2]].any()

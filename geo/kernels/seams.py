"""Where the plane of longitude and latitude is cut open: antimeridian and poles.

A polygon that crosses the antimeridian is cut there (RFC 7946, 3.1.9): its parts have
edges on longitude 180 and on -180 that are no boundary on the ground, and a polygon
that holds a pole has an edge along latitude ±90 that is a single point there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo.kernels.edges import Edges, edges_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]


def boundary_of(edges: Edges) -> Edges:
    """Leave out what is only a cut of the plane and no boundary on the ground.

    Parameters
    ----------
    edges
        Edges of valid polygons, longitudes in -180..180.

    Returns
    -------
    Edges
        Of the same features, perhaps none for some. Edges along a pole are left out,
        and so are the stretches on longitude 180 and -180 that one feature has at the
        same latitudes. ``edges`` itself where there are none.

    Examples
    --------
    Two halves of a box across the antimeridian, the western one higher:

    >>> from geo.kernels.edges import edges_of
    >>> from shapely import MultiPolygon, box
    >>> halves = MultiPolygon([box(179, 0, 180, 2), box(-180, 0, -179, 1)])
    >>> lonlat = boundary_of(edges_of(np.array([halves]))).lonlat
    >>> lonlat[np.abs(lonlat[:, [0, 2]]).min(axis=1) == 180].tolist()
    [[180.0, 1.0, 180.0, 2.0]]
    """
    lon0, lat0, lon1, lat1 = edges.lonlat.T
    polar = (np.abs(lat0) == 90) & (lat0 == lat1)
    seam = (np.abs(lon0) == 180) & (lon0 == lon1) & ~polar
    if not (polar.any() or seam.any()):
        return edges
    feature = _features(edges)
    kept = ~(polar | seam)
    pieces, owner = [edges.lonlat[kept]], [feature[kept]]
    rows = np.flatnonzero(seam)
    starts = np.flatnonzero(np.diff(feature[rows], prepend=-1))
    for group in np.split(rows, starts[1:]) if len(rows) else []:
        left_over = _uncancelled(edges.lonlat[group])
        pieces.append(left_over)
        owner.append(np.full(len(left_over), feature[group[0]]))
    return regrouped(np.vstack(pieces), np.concatenate(owner), len(edges.offsets) - 1)


def uncut(edges: Edges) -> Edges:
    """Leave out what polygons have on both sides of the antimeridian.

    Parameters
    ----------
    edges
        Edges of valid polygons with the interior on their left, longitudes in
        -180..180.

    Returns
    -------
    Edges
        Of the same features, with the interior on their left; edges along a pole are
        kept. ``edges`` itself where no edge is on the antimeridian.
    """
    lon0, _, lon1, _ = edges.lonlat.T
    seam = (np.abs(lon0) == 180) & (lon0 == lon1)
    if not seam.any():
        return edges
    feature = _features(edges)
    pieces, owner = [edges.lonlat[~seam]], [feature[~seam]]
    rows = np.flatnonzero(seam)
    for group in np.split(rows, np.flatnonzero(np.diff(feature[rows])) + 1):
        alone = _uncancelled(edges.lonlat[group])
        west = alone[:, 0] < 0
        alone[west] = alone[west][:, [2, 3, 0, 1]]
        pieces.append(alone)
        owner.append(np.full(len(alone), feature[group[0]]))
    return regrouped(np.vstack(pieces), np.concatenate(owner), len(edges.offsets) - 1)


def pieces_on_meridian(edges: Edges, lon: float) -> tuple[Edges, Ints]:
    """Take what features have on the antimeridian, as stretches of it.

    Parameters
    ----------
    edges
        Edges of features, longitudes in -180..180.
    lon
        180 or -180. [degrees]

    Returns
    -------
    pieces : Edges
        Stretches and points, on longitude 0, of the features that have any.
    rows : numpy.ndarray
        Which features these are, rising.
    """
    lon0, lat0, lon1, lat1 = edges.lonlat.T
    at = np.flatnonzero((lon0 == lon) | (lon1 == lon))
    low = np.where(lon0[at] == lon, lat0[at], lat1[at])
    high = np.where(lon1[at] == lon, lat1[at], lat0[at])
    rows, owner = np.unique(_features(edges)[at], return_inverse=True)
    zero = np.zeros(len(at))
    pieces = np.column_stack([zero, low, zero, high])
    return regrouped(pieces, owner.astype(np.intp), len(rows)), rows


def _uncancelled(seam: Floats) -> Floats:
    """Stretches of one feature's seam edges that are on one side only."""
    low, high = np.sort(seam[:, [1, 3]], axis=1).T
    cuts = np.unique([low, high])
    covered = np.zeros((2, len(cuts)), dtype=np.intp)
    side = (seam[:, 0] > 0).astype(np.intp)
    np.add.at(covered, (side, np.searchsorted(cuts, low)), 1)
    np.add.at(covered, (side, np.searchsorted(cuts, high)), -1)
    west, east = covered.cumsum(axis=1)[:, :-1] > 0
    alone = np.flatnonzero(west != east)
    lon = np.where(east[alone], 180.0, -180.0)
    return np.column_stack([lon, cuts[alone], lon, cuts[alone + 1]])


def _features(edges: Edges) -> Ints:
    """Feature of each edge, shape ``(e,)``."""
    return np.repeat(np.arange(len(edges.offsets) - 1), np.diff(edges.offsets))


def regrouped(lonlat: Floats, owner: Ints, n: int) -> Edges:
    """Put edges in any order feature by feature.

    Parameters
    ----------
    lonlat, owner
        Edges and the feature of each, shapes ``(e, 4)`` and ``(e,)``. [degrees]
    n
        How many features there are.

    Returns
    -------
    Edges
        Those of a feature in the order given.
    """
    order = np.argsort(owner, kind="stable")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=n))])
    return Edges(lonlat=lonlat[order], offsets=offsets.astype(np.intp))


def one_place(lonlat: Floats) -> Floats:
    """Give each place on the ground one longitude and latitude.

    Parameters
    ----------
    lonlat
        Places, shape ``(n, 2)``. [degrees]

    Returns
    -------
    numpy.ndarray
        A copy with longitude -180 for 180, and 0 at the poles.
    """
    places = np.array(lonlat, dtype=np.float64)
    places[places[:, 0] == 180, 0] = -180.0
    places[np.abs(places[:, 1]) == 90, 0] = 0.0
    return places


def rims_of(polygons: Shapes) -> tuple[Shapes, Ints]:
    """Turn the outlines of polygons on the ground into lines.

    Parameters
    ----------
    polygons
        Shape ``(n,)``. [degrees]

    Returns
    -------
    lines : numpy.ndarray
        MultiLineStrings without what is no outline on the ground, shape ``(m,)``.
    owner : numpy.ndarray
        The polygon of each; those that cover the globe have none. Shape ``(m,)``.
    """
    import shapely

    edges = boundary_of(edges_of(polygons))
    counts = np.diff(edges.offsets)
    lines = shapely.linestrings(edges.lonlat.reshape(-1, 2, 2))
    owner = np.flatnonzero(counts)
    of = np.repeat(np.arange(len(owner)), counts[owner])
    rims = shapely.multilinestrings(np.asarray(lines), indices=of)
    return np.asarray(rims, dtype=object), owner

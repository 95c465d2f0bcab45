"""Trees of boxes over edges and over features, packed into flat arrays.

The nodes of a tree stand in the order in which a search meets them, each with the
number of the node that comes next when its box is of no interest. A search is thus one
loop that needs no stack::

    node = roots[f]
    while node < roots[f + 1]:
        if box of interest:
            if skip == node + 1: look at the edges from first to stop
            node += 1
        else:
            node = skip

Edges that follow each other along a ring share a leaf, so a leaf's box is small, and
whole stretches of an outline are passed over at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.kernels.curve import morton_order
from geo.kernels.edges import Edges

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

LEAF = 8
"""Edges in a leaf, and children of a node, at the most."""

GROUP, MANY = 32, 16
"""Boxes wanted that are looked up at a time, and how many others they may find."""

SKIP, FIRST, STOP, CHAIN = 0, 1, 2, 3
"""Columns of :attr:`BoxTree.spans`."""

LINKED, BEGINS = 1, 2
"""Bits of the column CHAIN."""


class BoxTree(NamedTuple):
    """Edges of features, and a tree over those of each feature."""

    lonlat: Floats
    """Ends of each edge, shape ``(e, 4)``. [degrees]"""
    boxes: Floats
    """West, south, east, north of each node, shape ``(nodes, 4)``. [degrees]"""
    spans: Ints
    """Of each node, shape ``(nodes, 4)``: the node after its last descendant; its
    first edge and the edge after its last; whether each of its edges begins where
    the one before ends (bit LINKED), and whether the first does not continue the
    edge before the node (bit BEGINS)."""
    roots: Ints
    """Nodes of feature ``f`` are ``roots[f]`` up to ``roots[f + 1]``, shape
    ``(n + 1,)``. None where a feature has no edges."""
    bounds: Floats
    """West, south, east, north of each feature, shape ``(n, 4)``; of one without
    edges, a box that meets no other. [degrees]"""


class Index(NamedTuple):
    """A tree over the boxes of features."""

    tree: BoxTree
    """Its one feature's edges are the diagonals of the boxes."""
    order: Ints
    """Which feature each diagonal belongs to, shape ``(n,)``."""


def boxtree(edges: Edges) -> BoxTree:
    """Build the tree of each feature.

    Parameters
    ----------
    edges
        Edges of ``n`` features, `e` in all.

    Returns
    -------
    BoxTree
        About one node to seven edges.
    """
    lonlat = np.ascontiguousarray(edges.lonlat, dtype=np.float64)
    offsets = np.ascontiguousarray(edges.offsets, dtype=np.intp)
    length = np.diff(offsets)
    nodes = -(-length // LEAF)
    width = LEAF * LEAF
    while width < length.max(initial=0):
        whole, rest = np.divmod(length, width)
        nodes += np.where(length > width, whole + (rest > width // LEAF), 0)
        width *= LEAF
    roots = np.concatenate([[0], np.cumsum(nodes)]).astype(np.intp)
    boxes = np.empty((roots[-1], 4))
    spans = np.empty((roots[-1], 4), dtype=np.intp)
    bounds = np.empty((len(length), 4))
    _lay(offsets, roots, spans)
    _fill(lonlat, roots, spans, boxes, bounds)
    return BoxTree(lonlat, boxes, spans, roots, bounds)


def neighbours_together(edges: Edges) -> tuple[Edges, Ints]:
    """Put features that lie near each other near each other in memory.

    Parameters
    ----------
    edges
        Edges of ``n`` features, each with one or more.

    Returns
    -------
    edges, order
        The same features in another order, and the row that each had, shape ``(n,)``.
    """
    order = morton_order(np.ascontiguousarray(edges.lonlat[edges.offsets[:-1], :2]))
    offsets = np.zeros(len(order) + 1, dtype=np.intp)
    np.cumsum(np.diff(edges.offsets)[order], out=offsets[1:])
    lonlat = np.empty_like(edges.lonlat)
    _move(edges.lonlat, edges.offsets, order, offsets, lonlat)
    return Edges(lonlat=lonlat, offsets=offsets), order


@njit(nogil=True, cache=True)
def _move(
    lonlat: Floats, offsets: Ints, order: Ints, starts: Ints, moved: Floats
) -> None:
    """Copy the edges of each feature to where they start."""
    for f in range(len(order)):
        shift = offsets[order[f]] - starts[f]
        for e in range(starts[f], starts[f + 1]):
            for c in range(4):
                moved[e, c] = lonlat[e + shift, c]


def index_of(bounds: Floats) -> Index:
    """Build a tree over boxes, neighbours together.

    Parameters
    ----------
    bounds
        West, south, east, north of each feature, shape ``(n, 4)``; finite. [degrees]

    Returns
    -------
    Index
        Over all of them.
    """
    order = morton_order((bounds[:, :2] + bounds[:, 2:]) / 2)
    diagonals = Edges(lonlat=bounds[order], offsets=np.array([0, len(order)]))
    return Index(boxtree(diagonals), order)


@njit(nogil=True, cache=True)
def _lay(offsets: Ints, roots: Ints, spans: Ints) -> None:
    """Write which edges each node has, nodes in the order of a search."""
    for f in range(len(roots) - 1):
        begin, end = offsets[f], offsets[f + 1]
        top = LEAF
        while top * LEAF < end - begin:
            top *= LEAF
        node = roots[f]
        for first in range(begin, end, LEAF):
            width = top
            while width >= LEAF:
                stop = min(first + width, end)
                worth = width == LEAF or stop - first > width // LEAF
                if worth and (first - begin) % width == 0:
                    spans[node, FIRST], spans[node, STOP] = first, stop
                    node += 1
                width //= LEAF


@njit(nogil=True, cache=True)
def _fill(
    lonlat: Floats, roots: Ints, spans: Ints, boxes: Floats, bounds: Floats
) -> None:
    """Write the rest of each node and feature, children before their parents."""
    for f in range(len(bounds)):
        _clear(bounds, f)
        for node in range(roots[f + 1] - 1, roots[f] - 1, -1):
            first, stop = spans[node, FIRST], spans[node, STOP]
            _clear(boxes, node)
            linked = True
            child = node + 1
            if stop - first <= LEAF:
                for e in range(first, stop):
                    _widen(boxes, node, lonlat, e, 0, 0)
                    _widen(boxes, node, lonlat, e, 2, 2)
                    if e > first and _apart(lonlat, e):
                        linked = False
            else:
                while child < roots[f + 1] and spans[child, FIRST] < stop:
                    _widen(boxes, node, boxes, child, 0, 2)
                    chain = spans[child, CHAIN]
                    if not chain & LINKED:
                        linked = False
                    if chain & BEGINS and spans[child, FIRST] > first:
                        linked = False
                    child = spans[child, SKIP]
            begins = first == spans[roots[f], FIRST] or _apart(lonlat, first)
            spans[node, SKIP] = child
            spans[node, CHAIN] = LINKED * linked + BEGINS * begins
            _widen(bounds, f, boxes, node, 0, 2)


@njit(nogil=True, cache=True)
def _clear(boxes: Floats, k: int) -> None:
    """Make a box one that meets no other."""
    boxes[k, 0] = boxes[k, 1] = np.inf
    boxes[k, 2] = boxes[k, 3] = -np.inf


@njit(nogil=True, cache=True)
def _widen(boxes: Floats, k: int, other: Floats, r: int, low: int, high: int) -> None:
    """Widen a box by corners: columns ``low`` and ``high`` of another row, and next."""
    boxes[k, 0] = min(boxes[k, 0], other[r, low])
    boxes[k, 1] = min(boxes[k, 1], other[r, low + 1])
    boxes[k, 2] = max(boxes[k, 2], other[r, high])
    boxes[k, 3] = max(boxes[k, 3], other[r, high + 1])


@njit(nogil=True, cache=True)
def _apart(lonlat: Floats, e: int) -> bool:
    """Whether an edge begins elsewhere than the one before it ends."""
    return bool(lonlat[e, 0] != lonlat[e - 1, 2] or lonlat[e, 1] != lonlat[e - 1, 3])


@njit(nogil=True, cache=True)
def search(
    wanted: Floats, begin: int, tree: BoxTree, order: Ints, rows: Ints, columns: Ints
) -> tuple[int, int]:
    """Find the boxes of an index that meet the boxes wanted.

    Parameters
    ----------
    wanted
        West, south, east, north of closed boxes, shape ``(k, 4)``. Neighbours next to
        each other are looked up together, several times faster. [degrees]
    begin
        Where in ``wanted`` to begin.
    tree, order
        The index.
    rows, columns
        Written to: for each pair, the row of ``wanted`` and the feature. Longer than
        there are features.

    Returns
    -------
    next, n : int
        Where to begin the next time, ``k`` when all is done; how many pairs stand in
        ``rows``.
    """
    lonlat = tree.lonlat
    full = len(rows) - len(lonlat)
    few = np.empty(len(lonlat), dtype=np.intp)
    n, k, size = 0, begin, GROUP
    while k < len(wanted):
        stop = min(k + size, len(wanted))
        most = MANY if stop - k > 1 else len(few)
        found = _look(wanted, k, stop, tree.boxes, tree.spans, lonlat, few[:most])
        if found < 0:
            size = max((stop - k) // 4, 1)
            continue
        for row in range(k, stop):
            if n > full:
                return row, n
            for e in few[:found]:
                if (
                    wanted[row, 2] >= lonlat[e, 0]
                    and wanted[row, 3] >= lonlat[e, 1]
                    and wanted[row, 0] <= lonlat[e, 2]
                    and wanted[row, 1] <= lonlat[e, 3]
                ):
                    rows[n], columns[n] = row, order[e]
                    n += 1
        k, size = stop, min(2 * size, GROUP)
    return len(wanted), n


@njit(nogil=True, cache=True)
def _look(
    wanted: Floats,
    begin: int,
    end: int,
    boxes: Floats,
    spans: Ints,
    lonlat: Floats,
    few: Ints,
) -> int:
    """List the diagonals whose boxes meet the box round some wanted ones.

    How many stand in ``few``, -1 when they are more than it holds.
    """
    west, south = wanted[begin, 0], wanted[begin, 1]
    east, north = wanted[begin, 2], wanted[begin, 3]
    for k in range(begin + 1, end):
        west, south = min(west, wanted[k, 0]), min(south, wanted[k, 1])
        east, north = max(east, wanted[k, 2]), max(north, wanted[k, 3])
    n = node = 0
    while node < len(boxes):
        skip = spans[node, SKIP]
        if (
            east < boxes[node, 0]
            or north < boxes[node, 1]
            or west > boxes[node, 2]
            or south > boxes[node, 3]
        ):
            node = skip
            continue
        node += 1
        if skip != node:
            continue
        for e in range(spans[node - 1, FIRST], spans[node - 1, STOP]):
            if (
                east >= lonlat[e, 0]
                and north >= lonlat[e, 1]
                and west <= lonlat[e, 2]
                and south <= lonlat[e, 3]
            ):
                if n == len(few):
                    return -1
                few[n] = e
                n += 1
    return n


@njit(nogil=True, cache=True)
def paired(xy: Floats, vertices: Ints) -> Floats:
    """Join the vertices of strings to edges.

    Parameters
    ----------
    xy
        Vertices of one string after the other, shape ``(v, 2)``. [degrees]
    vertices
        How many each string has; 1 for a point, which becomes an edge of no length.

    Returns
    -------
    numpy.ndarray
        Ends of each edge, shape ``(e, 4)``. [degrees]
    """
    edges = len(xy)
    for s in range(len(vertices)):
        edges -= vertices[s] > 1
    lonlat = np.empty((edges, 4))
    e = v = 0
    for s in range(len(vertices)):
        last = v + vertices[s] - 1
        for k in range(v, max(last, v + 1)):
            end = min(k + 1, last)
            lonlat[e, 0], lonlat[e, 1] = xy[k, 0], xy[k, 1]
            lonlat[e, 2], lonlat[e, 3] = xy[end, 0], xy[end, 1]
            e += 1
        v = last + 1
    return lonlat

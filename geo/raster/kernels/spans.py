"""Cells near pieces of edges, as spans of columns along rows.

What lies within a distance d of a straight piece is a capsule: a rectangle with two
half discs. A capsule is convex, so it meets each row of cell centres in one span, whose
ends follow in closed form: the hull of what the two discs and the rectangle's long
sides cut out of the row. Spans of many pieces lie over each other, so they are first
marked in a bit for each column, and where the distance is many rows, columns that are
near all along a band of rows are found before. No cell is looked at on its own but the
few that stand so near to the end of a span that the closed form could be wrong. Those
are decided by the distance itself.

**On projected grids** the distance is that of the plane, in float64. The closed form is
off by less than 1e-7 d + 1e-6 m; nearer to an end than that, the squared distance of
the centre is compared with d². A centre exactly at d counts as near.

**On geographic grids** a piece is straight in longitude and latitude, and the distance
is that of the geodesic. For each row and piece the plane is that of longitudes times
the width of a degree, and latitudes times the height of a degree, both taken half way
between the row and the middle of the piece. Straight pieces are straight in it, and
lengths in it are right to

    d (¼ h tan φ / R  +  ¼ (1 + tan² φ) (d / R)²),

with φ the steepest latitude within reach and h the piece's extent in latitude: the
first term is what a latitude that is wrong by h / 4 does to a width; at the latitude
half way an error of the first order cancels, and that of the second is a 24th of the
square (0.046 of (1 + tan² φ) (d / R)² is the most that was measured, against Karney's
solution, from the equator to 85 degrees and from 0.5 to 50 km, so ¼ is five times
that). Centres between the span of d less that bound and the span of d plus it are
decided on the curve itself, by :func:`geo.kernels.pieces.foot` and
:func:`geo.kernels.chords.short_inverse`: to 0.54 mm by proof up to 8 km, measured to
1e-5 m at 20 km. Where the bound says nothing, close to a pole, each centre is.

Each cell is decided from the whole features and its own place, never from the window
that it is asked for in: windows of any size give the same marks.
"""

from __future__ import annotations

from math import ceil, floor, inf, radians, sqrt, tan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.kernels.chords import SHORT_M, frame, long_estimate, short_inverse
from geo.kernels.pieces import along, foot
from geo.raster.kernels.bits import set_bits, spread_bits
from geo.raster.kernels.capsules import cut, degree, unit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Small = NDArray[np.int32]
    Bytes = NDArray[np.uint8]
    Words = NDArray[np.uint64]

BAND = 64
"""Rows that are worked on together."""


class Cells(NamedTuple):
    """Where the centres of cells are, in units of the grid."""

    west: float
    north: float
    dx: float
    dy: float


class Bands(NamedTuple):
    """Which pieces reach into each band of rows."""

    starts: Ints
    """Where the pieces of each band of :data:`BAND` rows begin, shape
    ``(bands + 1,)``."""
    members: Small
    """Pieces, band after band."""


class Reach(NamedTuple):
    """Pieces of edges and what lies within a distance of them."""

    ends: Floats
    """Ends, shape ``(n, 4)``: x, y, x, y. In units of the grid."""
    rows: Ints
    """First row that a piece may reach and the last, shape ``(n, 2)``."""
    columns: Ints
    """First column and the last, likewise."""
    doubt: Floats
    """Error of the closed form, shape ``(n,)``; infinite where it has no bound. [m]"""
    bands: Bands
    """The pieces by row."""
    distance_m: float
    """How far is near. [m]"""
    lonlat: bool
    """Whether units are degrees and distances geodesic."""
    top: int
    """Row of the first latitude in ``degrees``."""
    degrees: Floats
    """Width and height of a degree at the latitude of each row from ``top``, shape
    ``(m, 2)``. [m]"""


@njit(nogil=True, cache=True, error_model="numpy")
def mark_near(reach: Reach, cells: Cells, row: int, column: int, out: Bytes) -> None:
    """Mark the cells of a window that are near a piece.

    Parameters
    ----------
    reach
        Pieces.
    cells
        The grid.
    row, column
        First row and column of the window.
    out
        The window, shape ``(rows, columns)``. Set to 1 where a centre is near, and
        left as it is elsewhere.
    """
    rows, columns = out.shape
    bands = reach.bands
    bits = np.zeros((BAND, columns // 64 + 1), dtype=np.uint64)
    covered = np.zeros(columns, dtype=np.int32)
    bare = np.empty(columns + 1, dtype=np.int32)
    spans = np.empty((4, BAND))
    lows, stops, sures, sure_stops = spans[0], spans[1], spans[2], spans[3]
    # Names of their own, since a field of a tuple is taken out anew each time.
    rows_of, columns_of, doubt = reach.rows, reach.columns, reach.doubt
    row_m = cells.dy * 111_000.0 if reach.lonlat else cells.dy
    tall = reach.distance_m > BAND * row_m
    for band in range(row // BAND, (row + rows - 1) // BAND + 1):
        begin, end = max(band * BAND, row), min((band + 1) * BAND, row + rows)
        members = bands.members[bands.starts[band] : bands.starts[band + 1]]
        if len(members) == 0:
            continue
        if tall:
            _cover(reach, cells, begin, end, column, members, covered, bare)
            for c in range(columns):
                if covered[c]:
                    out[begin - row : end - row, c] = 1
        # Pieces with cells that are to be looked at on their own.
        vague, found = np.empty(len(members) + 1, dtype=np.int32), 0
        for p in members:
            first, last = columns_of[p, 0], columns_of[p, 1]
            if tall and doubt[p] < inf:
                first, last = _widest(reach, cells, p, begin, end)
            first, last = max(first, column), min(last, column + columns - 1)
            if first > last or (tall and bare[first - column] > last - column):
                continue
            top, bottom = max(rows_of[p, 0], begin), min(rows_of[p, 1] + 1, end)
            count = max(bottom - top, 0)
            if doubt[p] == inf:
                _mark_each(reach, cells, p, top, count, row, column, first, last, out)
                continue
            _cut_rows(reach, cells, p, top, count, spans)
            unsure = 0
            for k in range(count):
                low = max(int(lows[k]), first)
                stop = min(int(stops[k]), last) + 1
                sure = max(int(sures[k]), low)
                sure_stop = min(int(sure_stops[k]) + 1, stop)
                if sure < sure_stop:
                    set_bits(bits, top + k - begin, sure - column, sure_stop - column)
                else:
                    sure, sure_stop = stop, stop
                unsure += (low < sure) | (sure_stop < stop)
            vague[found] = p
            found += unsure > 0
        for r in range(end - begin):
            spread_bits(bits[r], out[begin - row + r])
        for p in vague[:found]:
            _settle(reach, cells, p, begin, end, row, column, spans, out)


@njit(nogil=True, cache=True, error_model="numpy")
def _cut_rows(
    reach: Reach,
    cells: Cells,
    p: int,
    row: int,
    count: int,
    spans: Floats,
) -> None:
    """Find where rows meet the capsule of a piece, perhaps and surely.

    Parameters
    ----------
    reach, cells, p
        The piece, whose doubt is finite.
    row, count
        First row, and how many.
    spans
        Filled, row by row: the first column that may be near and the last, and the
        first that is near for sure and the last; shape ``(4, BAND)``. A last one before
        the first stands for none.
    """
    north, dy = cells.north, cells.dy
    d, doubt = reach.distance_m, reach.doubt[p]
    x0, y0 = reach.ends[p, 0], reach.ends[p, 1]
    x1, y1 = reach.ends[p, 2], reach.ends[p, 3]
    start = (x0 - cells.west) / cells.dx - 0.5
    run, rise = x1 - x0, y1 - y0
    low, stop = spans[0], spans[1]
    sure, sure_stop = spans[2], spans[3]
    if not reach.lonlat:
        # In the plane the ends themselves are known, but for rounding.
        slack = (2e-7 * d + 2e-6) / cells.dx
        along, up = unit(run, rise)
        scale, slope = 1.0 / cells.dx, run / rise
        for k in range(count):
            here = y0 - (north - (row + k + 0.5) * dy)
            west, east = cut(here, rise, run, slope, along, up, d + doubt)
            west, east = _placed(west, east, start, scale)
            low[k], stop[k] = np.ceil(west - slack), np.floor(east + slack)
            sure[k], sure_stop[k] = np.ceil(west + slack), np.floor(east - slack)
    else:
        middle = (north - (y0 + y1) / 2.0) / dy - 0.5
        for k in range(count):
            r = row + k
            wide, high = degree(reach.degrees, (middle + r) / 2.0 - reach.top)
            away, off = run * wide, rise * high
            along, up = unit(away, off)
            scale, slope = 1.0 / (wide * cells.dx), away / off
            here = (y0 - (north - (r + 0.5) * dy)) * high
            west, east = cut(here, off, away, slope, along, up, d + doubt)
            west, east = _placed(west, east, start, scale)
            low[k], stop[k] = np.ceil(west), np.floor(east)
            west, east = cut(here, off, away, slope, along, up, d - doubt)
            west, east = _placed(west, east, start, scale)
            sure[k], sure_stop[k] = np.ceil(west), np.floor(east)


@njit(nogil=True, cache=True, error_model="numpy")
def _placed(
    west: float, east: float, start: float, scale: float
) -> tuple[float, float]:
    """Give the ends of a span in columns; of none 0 and -1."""
    some = west <= east
    west, east = start + west * scale, start + east * scale
    return west if some else 0.0, east if some else -1.0


@njit(nogil=True, cache=True, error_model="numpy")
def _mark_each(
    reach: Reach,
    cells: Cells,
    p: int,
    top: int,
    count: int,
    row: int,
    column: int,
    first: int,
    last: int,
    out: Bytes,
) -> None:
    """Mark what is near a piece of which the closed form says nothing.

    Parameters
    ----------
    reach, cells, p
        The piece.
    top, count
        First row to look at, and how many.
    row, column
        First row and column of the window.
    first, last
        First and last column that matter.
    out
        The window.
    """
    for r in range(top, top + count):
        line = out[r - row]
        for c in range(first, last + 1):
            if not line[c - column]:
                line[c - column] = _is_near(reach, cells, p, r, c)


@njit(nogil=True, cache=True, error_model="numpy")
def _settle(
    reach: Reach,
    cells: Cells,
    p: int,
    begin: int,
    end: int,
    row: int,
    column: int,
    spans: Floats,
    out: Bytes,
) -> None:
    """Mark what is near a piece of those cells of which the closed form is not sure.

    Parameters
    ----------
    reach, cells, p
        The piece, whose doubt is finite.
    begin, end
        Rows of the band.
    row, column
        First row and column of the window.
    spans
        Memory for :func:`_cut_rows`, shape ``(4, BAND)``.
    out
        The window, all sure cells marked.
    """
    first = max(reach.columns[p, 0], column)
    last = min(reach.columns[p, 1], column + out.shape[1] - 1)
    top, bottom = max(reach.rows[p, 0], begin), min(reach.rows[p, 1] + 1, end)
    _cut_rows(reach, cells, p, top, bottom - top, spans)
    for k in range(bottom - top):
        line = out[top + k - row]
        low = max(int(spans[0, k]), first)
        stop = min(int(spans[1, k]), last) + 1
        sure, sure_stop = int(spans[2, k]), int(spans[3, k]) + 1
        for c in range(low, stop):
            if not (sure <= c < sure_stop or line[c - column]):
                line[c - column] = _is_near(reach, cells, p, top + k, c)


@njit(nogil=True, cache=True, error_model="numpy")
def banded(rows: Ints, starts: Ints, members: Small) -> None:
    """Fill in the bands of pieces.

    Parameters
    ----------
    rows
        First row of each piece and the last, shape ``(n, 2)``, in the grid.
    starts, members
        Parts of :class:`Bands`, the first with zeros. When ``members`` is empty only
        ``starts`` is filled in, so that its end says how many members there are.
    """
    if len(members) == 0:
        for low, high in rows:
            for band in range(low // BAND, high // BAND + 1):
                starts[band + 1] += 1
        for band in range(len(starts) - 1):
            starts[band + 1] += starts[band]
        return
    fill = starts[:-1].copy()
    for p in range(len(rows)):
        for band in range(rows[p, 0] // BAND, rows[p, 1] // BAND + 1):
            members[fill[band]] = p
            fill[band] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _cover(
    reach: Reach,
    cells: Cells,
    begin: int,
    end: int,
    column: int,
    members: Small,
    covered: Small,
    bare: Small,
) -> None:
    """Find the columns that are near a piece in all rows of a band.

    A capsule is convex: columns that it holds in the first and the last row it holds
    in between. The plane is that of the middle row, with a bound that allows for it.
    ``covered`` is filled with 0 or 1, ``bare`` with the first column from each on that
    is not covered.
    """
    columns = len(covered)
    covered[:] = 0
    level = (begin + end - 1) / 2.0
    d = reach.distance_m
    for p in members:
        doubt = _doubt_in_band(reach, cells, p, end - begin)
        if doubt >= d:
            continue
        x0, y0, x1, y1 = reach.ends[p]
        wide, tall = 1.0, 1.0
        if reach.lonlat:
            middle = (cells.north - (y0 + y1) / 2.0) / cells.dy - 0.5
            wide, tall = degree(reach.degrees, (middle + level) / 2.0 - reach.top)
        run, rise = (x1 - x0) * wide, (y1 - y0) * tall
        along, up = unit(run, rise)
        slope = run / rise
        here = (y0 - (cells.north - (begin + 0.5) * cells.dy)) * tall
        west, east = cut(here, rise, run, slope, along, up, d - doubt)
        here += (end - 1 - begin) * cells.dy * tall
        other_west, other_east = cut(here, rise, run, slope, along, up, d - doubt)
        west, east = max(west, other_west), min(east, other_east)
        if west > east:
            continue
        at = (x0 - cells.west) / cells.dx - 0.5
        scale = 1.0 / (wide * cells.dx)
        low = max(ceil(at + west * scale) - column, 0)
        high = min(floor(at + east * scale) - column, columns - 1)
        if low <= high:
            covered[low] = max(covered[low], np.int32(high + 1))
    stretch = np.int32(0)
    for c in range(columns):
        stretch = max(stretch, covered[c])
        covered[c] = np.int32(c < stretch)
    bare[columns] = columns
    for c in range(columns - 1, -1, -1):
        bare[c] = bare[c + 1] if covered[c] else c


@njit(nogil=True, cache=True, error_model="numpy")
def _widest(
    reach: Reach, cells: Cells, p: int, begin: int, end: int
) -> tuple[int, int]:
    """First and last column that a piece may reach in any row of a band."""
    level = (begin + end - 1) / 2.0
    radius = reach.distance_m + _doubt_in_band(reach, cells, p, end - begin)
    x0, y0 = reach.ends[p, 0], reach.ends[p, 1]
    x1, y1 = reach.ends[p, 2], reach.ends[p, 3]
    wide, tall = 1.0, 1.0
    if reach.lonlat:
        middle = (cells.north - (y0 + y1) / 2.0) / cells.dy - 0.5
        wide, tall = degree(reach.degrees, (middle + level) / 2.0 - reach.top)
    # How far the piece stands off, north of the band or south of it.
    top, bottom = begin + 0.5, end - 0.5
    off = max(0.0, min(y0, y1) - (cells.north - top * cells.dy))
    off = tall * max(off, cells.north - bottom * cells.dy - max(y0, y1))
    if off > radius:
        return 0, -1
    half = sqrt(radius * radius - off * off) / wide
    west = (min(x0, x1) - half - cells.west) / cells.dx - 0.5
    east = (max(x0, x1) + half - cells.west) / cells.dx - 0.5
    return floor(west), ceil(east)


@njit(nogil=True, cache=True, error_model="numpy")
def _doubt_in_band(reach: Reach, cells: Cells, p: int, rows: int) -> float:
    """Error of the closed form in the plane of a band's middle row. [m]."""
    doubt = float(reach.doubt[p]) + 2e-7 * reach.distance_m + 2e-6
    if reach.lonlat:
        # The plane's latitude is wrong by a quarter of the band; taken four times.
        lat = min(max(abs(reach.ends[p, 1]), abs(reach.ends[p, 3])) + 1.0, 89.5)
        height = radians(rows * cells.dy)
        doubt += reach.distance_m * height * tan(radians(lat))
    return doubt


@njit(nogil=True, cache=True, error_model="numpy")
def _is_near(reach: Reach, cells: Cells, p: int, r: int, c: int) -> bool:
    """Whether a cell's centre is near a piece, by the distance itself."""
    x = cells.west + (c + 0.5) * cells.dx
    y = cells.north - (r + 0.5) * cells.dy
    d = reach.distance_m
    if reach.lonlat:
        return geodesic_m(x, y, reach.ends[p]) <= d
    x0, y0, x1, y1 = reach.ends[p]
    run, rise, vx, vy = x1 - x0, y1 - y0, x - x0, y - y0
    ahead = vx * run + vy * rise
    square = run * run + rise * rise
    if ahead <= 0.0:
        away2 = vx * vx + vy * vy
    elif ahead >= square:
        away2 = (x - x1) ** 2 + (y - y1) ** 2
    else:
        across = run * vy - rise * vx
        return bool(across * across <= d * d * square)
    return bool(away2 <= d * d)


@njit(nogil=True, cache=True, error_model="numpy")
def geodesic_m(lon: float, lat: float, piece: Floats) -> float:
    """Geodesic distance of a place from a piece straight in longitude and latitude.

    Parameters
    ----------
    lon, lat
        The place. [degrees]
    piece
        Ends of the piece, lon, lat, lon, lat: one of
        :func:`geo.kernels.pieces.pieces_of`. [degrees]

    Returns
    -------
    float
        Right to 0.54 mm up to 8 km; measured, to 1e-5 m at 200 km. [m]
    """
    here = frame(lon, lat)
    px, py, pz = here[0], here[1], here[2]
    t = foot(piece, 0.5, px, py, pz)
    there_lon, there_lat = along(piece, t)
    there = frame(there_lon, there_lat)
    dx, dy, dz = there[0] - px, there[1] - py, there[2] - pz
    if dx * dx + dy * dy + dz * dz <= SHORT_M * SHORT_M:
        return float(short_inverse(here, dx, dy, dz)[0])
    s = long_estimate(px, py, pz, there[0], there[1], there[2])
    return float(s)

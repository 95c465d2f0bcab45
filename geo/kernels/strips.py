"""Places in strips of latitude, each in order of longitude, searched within reach.

A place within reach of a query lies in the strips that its reach touches, and in each
of them within a window of longitudes: with ϱ and z the distance from the axis and the
height above the equator, a chord c between two places obeys

    c²  =  (ϱ − ϱ')² + (z − z')² + 4 ϱ ϱ' sin²(Δλ / 2),

where the first two terms are least at the strip's nearer edge and ϱ' at the edge that
is nearer to the pole. Poles and antimeridian need nothing beyond this.
"""

from __future__ import annotations

from math import asin, degrees, floor, nan, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from geo.kernels.chords import (
    ROUNDING_M,
    SHORT_M,
    SMALLEST_RADIUS_M,
    bearing,
    earth_centred,
    frame,
    short_inverse,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]

_STRIPS_PER_REACH = 3
_PLACES_PER_STRIP = 4
_WHOLE_EARTH_M = 1e7
_LON_SLACK_DEG = 1e-6

DOUBTFUL = -1.0
"""Stands for a distance that has to be Karney's."""


class Strips(NamedTuple):
    """Places by strip, then by longitude."""

    place: Ints
    """Row of each place as it came, shape ``(m,)``."""
    lon: Floats
    """Longitudes, shape ``(m,)``. [degrees]"""
    xyz: Floats
    """Earth-centred coordinates, shape ``(3, m)``. [m]"""
    starts: Ints
    """Where each strip begins, shape ``(strips + 1,)``."""
    edges: Floats
    """Distance from the axis and height above the equator at the strips' edges, shape
    ``(strips + 1, 2)``. [m]"""
    south_deg: float
    """Southern edge of the first strip. [degrees]"""
    height_deg: float
    """Height of a strip. [degrees]"""


def strips_of(lonlat: Floats, reach_m: float) -> Strips:
    """Sort places into strips that suit a reach.

    Parameters
    ----------
    lonlat
        Places, shape ``(m, 2)``, at least one. [degrees]
    reach_m
        The shortest reach that is worth the strips' height. [m]

    Returns
    -------
    Strips
        Three strips to a reach, but no fewer than four places to a strip on average.
    """
    south, north = lonlat[:, 1].min(), lonlat[:, 1].max()
    height = max(
        np.degrees(reach_m / SMALLEST_RADIUS_M) / _STRIPS_PER_REACH,
        (north - south) * _PLACES_PER_STRIP / len(lonlat),
        1e-6,
    )
    count = floor((north - south) / height) + 1
    strip = np.minimum((lonlat[:, 1] - south) / height, count - 1).astype(np.intp)
    place = np.argsort(strip * 512.0 + lonlat[:, 0])
    edges_deg = np.clip(south + height * np.arange(count + 1), -90, 90)
    edges = earth_centred(np.column_stack([np.zeros(count + 1), edges_deg]))
    return Strips(
        place=place,
        lon=lonlat[place, 0],
        xyz=np.ascontiguousarray(earth_centred(lonlat[place]).T),
        starts=np.searchsorted(strip[place], np.arange(count + 1)),
        edges=np.ascontiguousarray(edges[:, [0, 2]]),
        south_deg=float(south),
        height_deg=float(height),
    )


@njit(nogil=True, cache=True, error_model="numpy")
def _first_from(lon: Floats, low: int, high: int, wanted: float) -> int:
    """First of ``low`` to ``high`` whose longitude is no less than wanted."""
    while low < high:
        middle = (low + high) >> 1
        if lon[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True, error_model="numpy")
def _windows(
    lon: float, lat: float, reach: float, strips: Strips, windows: Ints
) -> int:
    """Write where the places within reach may stand, as begin and end; count them."""
    count = len(strips.starts) - 1
    if reach > _WHOLE_EARTH_M:
        windows[0, 0], windows[0, 1] = 0, strips.starts[count]
        return 1
    here = frame(0.0, lat)
    axis, height = here[0], here[2]
    r2 = (reach + ROUNDING_M) ** 2
    away = degrees((reach + ROUNDING_M) / SMALLEST_RADIUS_M) + 1e-9
    position = (lat - strips.south_deg) / strips.height_deg
    first = floor(position - away / strips.height_deg - 1e-6)
    last = floor(position + away / strips.height_deg + 1e-6)
    found = 0
    for s in range(max(first, 0), min(last, count - 1) + 1):
        begin, end = strips.starts[s], strips.starts[s + 1]
        if begin == end:
            continue
        nearer = s if position < s else s + 1
        rest = r2
        if position < s - 1e-6 or position > s + 1 + 1e-6:
            rest -= (axis - strips.edges[nearer, 0]) ** 2
            rest -= (height - strips.edges[nearer, 1]) ** 2
            # The edges are known to within rounding of the latitudes.
            rest += 1e-3 * reach + 1e-6
        if rest < 0.0:
            continue
        narrow = min(strips.edges[s, 0], strips.edges[s + 1, 0]) - 0.1
        wide = 180.0
        if narrow > 0.0 and rest < 4.0 * axis * narrow:
            wide = degrees(2.0 * asin(sqrt(rest / (4.0 * axis * narrow))))
            wide += _LON_SLACK_DEG
        if wide >= 180.0 - 2.0 * _LON_SLACK_DEG:
            windows[found, 0], windows[found, 1] = begin, end
            found += 1
            continue
        west, east = lon - wide, lon + wide
        windows[found, 0] = _first_from(strips.lon, begin, end, west)
        windows[found, 1] = _first_from(strips.lon, windows[found, 0], end, east)
        found += 1
        if west <= -180.0 + _LON_SLACK_DEG:
            windows[found, 0] = _first_from(strips.lon, begin, end, west + 360.0)
            windows[found, 1] = end
            windows[found, 0] = max(windows[found, 0], windows[found - 1, 1])
            found += 1
        elif east >= 180.0 - _LON_SLACK_DEG:
            windows[found, 0] = begin
            windows[found, 1] = _first_from(strips.lon, begin, end, east - 360.0)
            windows[found, 1] = min(windows[found, 1], windows[found - 1, 0])
            found += 1
    return found


@njit(nogil=True, cache=True, error_model="numpy")
def count_within(
    lonlat: Floats, reach: Floats, rows: Ints, strips: Strips, counts: Ints
) -> None:
    """Count, for some rows, the places whose chord is within reach."""
    x, y, z = strips.xyz[0], strips.xyz[1], strips.xyz[2]
    windows = np.empty((2 * len(strips.starts) + 2, 2), dtype=np.intp)
    for row in rows:
        here = frame(lonlat[row, 0], lonlat[row, 1])
        px, py, pz = here[0], here[1], here[2]
        r2 = (reach[row] + ROUNDING_M) ** 2
        n = 0
        found = _windows(lonlat[row, 0], lonlat[row, 1], reach[row], strips, windows)
        for w in range(found):
            for t in range(windows[w, 0], windows[w, 1]):
                dx, dy, dz = x[t] - px, y[t] - py, z[t] - pz
                n += dx * dx + dy * dy + dz * dz <= r2
        counts[row] = n


@njit(nogil=True, cache=True, error_model="numpy")
def list_within(
    lonlat: Floats,
    reach: Floats,
    rows: Ints,
    strips: Strips,
    i: Ints,
    j: Ints,
    distance: Floats,
    azimuth: Floats,
) -> int:
    """List those places, unsorted, row after row; count the doubtful distances."""
    x, y, z = strips.xyz[0], strips.xyz[1], strips.xyz[2]
    windows = np.empty((2 * len(strips.starts) + 2, 2), dtype=np.intp)
    chords = np.empty((3, len(i)))  # of one row at a time
    begin, doubtful = 0, 0
    for row in rows:
        here = frame(lonlat[row, 0], lonlat[row, 1])
        px, py, pz = here[0], here[1], here[2]
        r2 = (reach[row] + ROUNDING_M) ** 2
        n = 0
        found = _windows(lonlat[row, 0], lonlat[row, 1], reach[row], strips, windows)
        for w in range(found):
            for t in range(windows[w, 0], windows[w, 1]):
                dx, dy, dz = x[t] - px, y[t] - py, z[t] - pz
                if dx * dx + dy * dy + dz * dz <= r2:
                    chords[0, n], chords[1, n], chords[2, n] = dx, dy, dz
                    i[begin + n], j[begin + n] = row, strips.place[t]
                    n += 1
        # Apart from the search and without branches, so that several go at a time.
        distances, azimuths = distance[begin : begin + n], azimuth[begin : begin + n]
        for p in range(n):
            dx, dy, dz = chords[0, p], chords[1, p], chords[2, p]
            short = dx * dx + dy * dy + dz * dz <= SHORT_M * SHORT_M
            s, east, north = short_inverse(here, dx, dy, dz)
            sure = short and abs(s - reach[row]) > ROUNDING_M
            distances[p] = s if sure else DOUBTFUL
            azimuths[p] = bearing(east, north) if s > 0.0 else nan
        for p in range(n):
            doubtful += distances[p] < 0.0
        begin += n
    return doubtful


@njit(nogil=True, cache=True, error_model="numpy")
def write_sorted(
    reach: Floats,
    rows: Ints,
    offsets: Ints,
    listed: tuple[Ints, Floats, Floats],
    i: Ints,
    j: Ints,
    distance: Floats,
    azimuth: Floats,
    kept: Ints,
) -> None:
    """Write listed pairs in reach to their rows' places, by distance, then by row.

    The distances of a row are sorted into as many buckets as there are, by their
    square, which is even where places are; what remains is nearly in order.
    """
    listed_j, listed_distance, listed_azimuth = listed
    longest_row = 1
    for row in rows:
        longest_row = max(longest_row, offsets[row + 1] - offsets[row])
    order = np.empty(longest_row, dtype=np.intp)
    bucket = np.empty(longest_row, dtype=np.intp)
    fill = np.empty(longest_row + 1, dtype=np.intp)
    begin = 0
    for row in rows:
        n = offsets[row + 1] - offsets[row]
        fill[: n + 1] = 0
        inside = 0
        scale = (n - 1) / max(reach[row], ROUNDING_M) ** 2
        for t in range(n):
            s = listed_distance[begin + t]
            if s <= reach[row]:
                inside += 1
                bucket[t] = min(np.intp(s * s * scale), n - 1)
                fill[bucket[t]] += 1
            else:
                bucket[t] = -1
        at, crowd = 0, 0
        for b in range(n):
            crowd = max(crowd, fill[b])
            at, fill[b] = at + fill[b], at
        for t in range(n):
            if bucket[t] >= 0:
                order[fill[bucket[t]]] = begin + t
                fill[bucket[t]] += 1
        gap = 1
        if crowd > 32:  # far from even: Shell's method, Tokuda's gaps
            while gap < inside:
                gap = gap * 9 // 4 + 1
        while True:
            for t in range(gap, inside):
                mine, u = order[t], t
                while u >= gap:
                    other = order[u - gap]
                    gain = listed_distance[other] - listed_distance[mine]
                    if gain < 0.0 or (gain == 0.0 and listed_j[other] < listed_j[mine]):
                        break
                    order[u] = other
                    u -= gap
                order[u] = mine
            if gap == 1:
                break
            gap = max(1, gap * 4 // 9)
        for t in range(inside):
            to = offsets[row] + t
            i[to], j[to] = row, listed_j[order[t]]
            distance[to] = listed_distance[order[t]]
            azimuth[to] = listed_azimuth[order[t]]
        kept[row] = inside
        begin += n

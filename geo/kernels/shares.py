"""Share of a geodesic disc that lies in a polygon, in closed form.

Seen from the centre of the disc, each place is drawn in its direction at the length of
its chord (the straight way through the Earth). On a sphere this is Lambert's azimuthal
equal-area projection about the centre [1]_; on the ellipsoid it keeps areas within
``1e-5`` for discs of 300 km. The disc becomes a circle, and the area that it has in
common with a polygon is a sum over the edges that meet it [2]_: poles, antimeridian and
holes need no care.

References
----------
.. [1] J. P. Snyder, "Map projections: a working manual", U.S. Geological Survey
   Professional Paper 1395, 1987, pp. 182-190. https://doi.org/10.3133/pp1395
.. [2] P. Bourke, "Calculating the area and centroid of a polygon", 1988, whose sum over
   the edges is taken here between polygon and circle by Green's theorem.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, inf, radians, sin, sqrt, tan
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M
from geo.parallel import run_chunks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.intp]
    Shapes = NDArray[np.object_]

_A, _E2 = EQUATORIAL_RADIUS_M, ECCENTRICITY_SQUARED
_LONGEST_RADIUS_M = _A / sqrt(1 - _E2)
_SHORTEST_RADIUS_M = _A * (1 - _E2)
_MEAN_RADIUS_M = 6_371_008.8

_SAG = 2e-5
"""How far an edge may leave its straight picture, in parts of the reach: an error of
1e-5 in the share for an edge across the whole disc."""

_SAG_M = 1e-4
"""The same where an edge only just reaches the disc, or does not. [m]"""

_SIDE_M, _ASIDE_M = 1e-8, 1e-7
"""The same where an edge passes the centre, whose side matters, and how far the centre
is moved when it is on an edge. [m]"""

_BLOCK = 16
_BLOCKS_AT_ONCE = 1 << 12
_DEPTH = 64


@dataclass(frozen=True, kw_only=True)
class Outlines:
    """Edges of polygons in Earth-centred coordinates, in blocks of neighbours.

    Edges along the antimeridian at which a polygon goes on at the other side, and edges
    along ``lat = ±90``, which have no length, are left out.
    """

    ends: Floats
    """Ends of each edge, shape ``(e, 6)``. [m]"""
    lonlat: Floats
    """The same, shape ``(e, 4)``: lon, lat, lon, lat. [degrees]"""
    form: Floats
    """Sign (1 where the inside is on the left), greatest length [m] and greatest
    curvature [1/m] of each edge, shape ``(e, 3)``."""
    first: Ints
    """First edge of each block, shape ``(b + 1,)``."""
    balls: Floats
    """Centre and radius of a ball that holds each block, shape ``(b, 4)``. [m]"""
    offsets: Ints
    """First block of each polygon, shape ``(m + 1,)``."""


def outlines_of(polygons: Shapes) -> Outlines:
    """Take polygons apart.

    Parameters
    ----------
    polygons
        Valid polygons or multipolygons in EPSG:4326, longitudes in -180..180, shape
        ``(m,)``. [degrees]

    Returns
    -------
    Outlines
        Of all polygons, in their order.
    """
    lonlat, sign, owner = _edges(polygons)
    counts = np.bincount(owner, minlength=len(polygons))
    blocks = -(-counts // _BLOCK)
    offsets = np.concatenate([[0], np.cumsum(blocks)]).astype(np.intp)
    rank = np.arange(blocks.sum()) - np.repeat(offsets[:-1], blocks)
    start = np.repeat(np.cumsum(counts) - counts, blocks)
    first = np.append(start + rank * _BLOCK, len(lonlat)).astype(np.intp)
    ends, form = np.empty((len(lonlat), 6)), np.empty((len(lonlat), 3))
    balls = np.empty((len(first) - 1, 4))

    def work(start: int, stop: int) -> None:
        _survey(lonlat, sign, first, ends, form, balls, start, stop)

    run_chunks(work, len(balls), chunk=_BLOCKS_AT_ONCE)
    return Outlines(
        ends=ends, lonlat=lonlat, form=form, first=first, balls=balls, offsets=offsets
    )


def _edges(polygons: Shapes) -> tuple[Floats, Floats, Ints]:
    """Take polygons apart into ends, sign and polygon of each edge, by polygon."""
    import shapely

    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    shell = np.diff(part, prepend=-1) > 0
    left = np.where(shapely.is_ccw(rings) == shell, 1.0, -1.0)

    same = ring[1:] == ring[:-1]
    lonlat = np.hstack([xy[:-1], xy[1:]])[same]
    ring = ring[1:][same]
    sign, polygon = left[ring], owner[part[ring]]

    seam = (np.abs(lonlat[:, 0]) == 180) & (lonlat[:, 0] == lonlat[:, 2])
    polar = (np.abs(lonlat[:, 1]) == 90) & (lonlat[:, 1] == lonlat[:, 3])
    if not (seam.any() or polar.any()):
        return lonlat, sign, polygon
    kept = ~(seam | polar)
    border = [
        _border(lonlat[seam & (polygon == f)], sign[seam & (polygon == f)], f)
        for f in np.unique(polygon[seam])
    ]
    lonlat = np.vstack([lonlat[kept], *(b[0] for b in border)])
    sign = np.concatenate([sign[kept], *(b[1] for b in border)])
    polygon = np.concatenate([polygon[kept], *(b[2] for b in border)]).astype(np.intp)
    order = np.argsort(polygon, kind="stable")
    return lonlat[order], sign[order], polygon[order]


def _border(seam: Floats, sign: Floats, polygon: int) -> tuple[Floats, Floats, Ints]:
    """Edges along the antimeridian where a polygon really ends there.

    Northward and southward edges of the two sides cancel; what is left is its border.
    """
    lats = np.unique(seam[:, [1, 3]])
    net = np.zeros(len(lats) - 1)
    for (_, start, _, end), side in zip(seam, sign, strict=True):
        low, high = np.searchsorted(lats, sorted((start, end)))
        net[low:high] += side * np.sign(end - start)
    real = np.flatnonzero(net)
    edges = np.full((len(real), 4), 180.0)
    edges[:, 1], edges[:, 3] = lats[real], lats[real + 1]
    return edges, net[real], np.full(len(real), polygon, dtype=np.intp)


def shares_of_discs(
    centres: Floats,
    inside: Bools,
    radii_m: Floats,
    weights: Floats,
    outlines: Outlines,
    rows: tuple[Ints, Ints],
) -> tuple[Floats, Bools]:
    """Shares of discs, mixed of several radii, that lie in polygons.

    Parameters
    ----------
    centres
        Shape ``(n, 2)``. [degrees]
    inside
        Whether the centre lies in the polygon, shape ``(p,)``.
    radii_m, weights
        Discs about the centre and their weights, shapes ``(p, k)``; the last radius is
        the full reach, whatever its weight. [m]
    outlines
        Of all polygons.
    rows
        Rows of the centres and of the polygons, each of shape ``(p,)``.

    Returns
    -------
    share, reached : numpy.ndarray
        Shares, 0 to 1, and whether some edge lies within the full reach, shapes
        ``(p,)``.
    """
    share, reached = np.empty(len(inside)), np.empty(len(inside), dtype=np.bool_)
    _shares(
        np.ascontiguousarray(centres, dtype=np.float64), inside, radii_m, weights,
        rows[0], rows[1], outlines.ends, outlines.lonlat, outlines.form,
        outlines.first, outlines.balls, outlines.offsets, share, reached,
    )  # fmt: skip
    return share, reached


@njit(nogil=True, cache=True)
def _place(lon: float, lat: float) -> Any:
    """Earth-centred coordinates. [m]."""
    phi = radians(lat)
    lam = radians(lon)
    normal = _A / sqrt(1 - _E2 * sin(phi) ** 2)
    polar = 0.0 if abs(lat) == 90.0 else cos(phi)
    across = 0.0 if abs(lon) == 180.0 else sin(lam)
    return (
        normal * polar * cos(lam),
        normal * polar * across,
        normal * (1 - _E2) * sin(phi),
    )


@njit(nogil=True, cache=True)
def _form(lon0: float, lat0: float, lon1: float, lat1: float) -> Any:
    """Bounds of the length [m] and of the geodesic curvature [1/m] of an edge.

    Along a line that is straight in longitude and latitude the azimuth α changes so
    that its curvature is ``sin α (1 + cos² α) tan φ / R``.
    """
    low, high = min(abs(lat0), abs(lat1)), max(abs(lat0), abs(lat1))
    if lat0 * lat1 < 0:
        low = 0.0
    north = radians(abs(lat1 - lat0))
    east = radians(abs(lon1 - lon0)) * cos(radians(low))
    way = hypot(north, east)
    if way == 0.0:
        return 0.0, 0.0
    sine = min(1.01 * east / way, 0.8165)
    slope = tan(radians(min(high, 90.0 - 1e-9)))
    return _LONGEST_RADIUS_M * way, sine * (2 - sine**2) * slope / _SHORTEST_RADIUS_M


@njit(nogil=True, cache=True)
def _survey(  # type: ignore[no-untyped-def]
    lonlat, sign, first, ends, form, balls, begin, end
):
    """Fill in ``ends``, ``form`` and ``balls`` of some blocks of :class:`Outlines`."""
    for b in range(begin, end):
        start, stop = first[b], first[b + 1]
        for e in range(start, stop):
            if e > start and (
                lonlat[e, 0] == lonlat[e - 1, 2] and lonlat[e, 1] == lonlat[e - 1, 3]
            ):
                ends[e, :3] = ends[e - 1, 3:]
            else:
                ends[e, 0], ends[e, 1], ends[e, 2] = _place(lonlat[e, 0], lonlat[e, 1])
            ends[e, 3], ends[e, 4], ends[e, 5] = _place(lonlat[e, 2], lonlat[e, 3])
            form[e, 0] = sign[e]
            form[e, 1], form[e, 2] = _form(
                lonlat[e, 0], lonlat[e, 1], lonlat[e, 2], lonlat[e, 3]
            )
        x, y, z = 0.0, 0.0, 0.0
        for e in range(start, stop):
            x += ends[e, 0] + ends[e, 3]
            y += ends[e, 1] + ends[e, 4]
            z += ends[e, 2] + ends[e, 5]
        n = 2 * (stop - start)
        x, y, z = x / n, y / n, z / n
        radius = 0.0
        for e in range(
            start, stop
        ):  # an edge stays within half its length of its middle
            away = sqrt(
                ((ends[e, 0] + ends[e, 3]) / 2 - x) ** 2
                + ((ends[e, 1] + ends[e, 4]) / 2 - y) ** 2
                + ((ends[e, 2] + ends[e, 5]) / 2 - z) ** 2
            )
            radius = max(radius, away + form[e, 1] / 2)
        balls[b, 0], balls[b, 1], balls[b, 2], balls[b, 3] = x, y, z, radius


@njit(nogil=True, cache=True)
def _flat(frame, x, y, z):  # type: ignore[no-untyped-def]
    """Picture of a place, seen from the centre of a frame, and the chord to it."""
    dx, dy, dz = x - frame[0, 0], y - frame[0, 1], z - frame[0, 2]
    east = dx * frame[1, 0] + dy * frame[1, 1]
    north = dx * frame[2, 0] + dy * frame[2, 1] + dz * frame[2, 2]
    chord = sqrt(dx * dx + dy * dy + dz * dz)
    level = sqrt(east * east + north * north)
    if level == 0.0:
        return 0.0, 0.0, chord
    return east / level * chord, north / level * chord, chord


@njit(nogil=True, cache=True)
def _cut(x0, y0, x1, y1, radius):  # type: ignore[no-untyped-def]
    """Signed area between a straight edge in a circle and the circle's arc before it.

    Twice the triangle from the centre less the sector, over the square of the radius.
    """
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    along = -(x0 * dx + y0 * dy) / square
    near_x, near_y = x0 + along * dx, y0 + along * dy
    half = radius * radius - near_x * near_x - near_y * near_y
    if half <= 0.0:
        return 0.0
    half = sqrt(half / square)
    low, high = max(along - half, 0.0), min(along + half, 1.0)
    if low >= high:
        return 0.0
    px, py, qx, qy = x0 + low * dx, y0 + low * dy, x0 + high * dx, y0 + high * dy
    cross, dot = px * qy - py * qx, px * qx + py * qy
    return cross / (radius * radius) - atan2(cross, dot)


@njit(nogil=True, cache=True)
def _shares(  # type: ignore[no-untyped-def]
    centres, inside, radii, weights, rows, columns,
    ends, lonlat, form, first, balls, offsets, share, reached,
):  # fmt: skip
    """Fill in ``share`` and ``reached`` of :func:`shares_of_discs`."""
    k = radii.shape[1]
    chords, sums = np.empty(k), np.empty(k)
    frame = np.zeros((3, 3))
    stack = np.empty((_DEPTH + 2, 6))
    for pair in range(len(inside)):
        lon, lat = centres[rows[pair], 0], centres[rows[pair], 1]
        frame[0, 0], frame[0, 1], frame[0, 2] = _place(lon, lat)
        lam, phi = radians(lon), radians(lat)
        frame[1, 0], frame[1, 1] = -sin(lam), cos(lam)
        frame[2, 0], frame[2, 1] = -sin(phi) * cos(lam), -sin(phi) * sin(lam)
        frame[2, 2] = cos(phi)
        curve = sqrt(1 - _E2) * _A / (1 - _E2 * sin(phi) ** 2)
        for m in range(k):
            turn = min(radii[pair, m] / (2 * curve), np.pi / 2)
            chords[m] = 2 * curve * sin(turn)
            sums[m] = 0.0
        reach = chords[k - 1]
        attempt = 0
        while True:
            near, closest = False, inf

            for b in range(offsets[columns[pair]], offsets[columns[pair] + 1]):
                dx, dy = balls[b, 0] - frame[0, 0], balls[b, 1] - frame[0, 1]
                dz, beyond = balls[b, 2] - frame[0, 2], balls[b, 3] + reach + 1e-3
                if dx * dx + dy * dy + dz * dz > beyond * beyond:
                    continue
                for e in range(first[b], first[b + 1]):
                    dx = (ends[e, 0] + ends[e, 3]) / 2 - frame[0, 0]
                    dy = (ends[e, 1] + ends[e, 4]) / 2 - frame[0, 1]
                    dz = (ends[e, 2] + ends[e, 5]) / 2 - frame[0, 2]
                    beyond = form[e, 1] / 2 + reach + 1e-3
                    if (
                        dx * dx + dy * dy + dz * dz > beyond * beyond
                        or form[e, 1] == 0.0
                    ):
                        continue
                    # Halve the edge until each piece is far off or looks straight.
                    x0, y0, c0 = _flat(frame, ends[e, 0], ends[e, 1], ends[e, 2])
                    lon0, lat0 = lonlat[e, 0], lonlat[e, 1]
                    top = 0
                    stack[0, 0], stack[0, 1] = lonlat[e, 2], lonlat[e, 3]
                    stack[0, 2], stack[0, 3], stack[0, 4] = _flat(
                        frame, ends[e, 3], ends[e, 4], ends[e, 5]
                    )
                    stack[0, 5] = 0.0
                    length, bend = form[e, 1], form[e, 2]
                    while top >= 0:
                        lon1, lat1, x1, y1 = (
                            stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3],
                        )  # fmt: skip
                        c1, depth = stack[top, 4], stack[top, 5]
                        if depth > 0.0:
                            length, bend = _form(lon0, lat0, lon1, lat1)
                        farthest = min(max(c0, c1) + length / 2, 2 * _MEAN_RADIUS_M)
                        spread = 1 - (farthest / (2 * _MEAN_RADIUS_M)) ** 2
                        bend += 0.75 * farthest / _SHORTEST_RADIUS_M**2
                        sag = length * length / 8 * bend / max(spread, 1e-9)
                        dx, dy = x1 - x0, y1 - y0
                        square = dx * dx + dy * dy
                        along = 0.0
                        if square > 0.0:
                            along = -(x0 * dx + y0 * dy) / square
                            along = min(max(along, 0.0), 1.0)
                        away = hypot(x0 + along * dx, y0 + along * dy)
                        far = max(c0, c1) - length > reach or away - sag > reach
                        rough = (
                            sag > _SAG * reach
                            or (sag > _SAG_M and abs(away - reach) <= sag and not near)
                            or (sag > _SIDE_M and away <= sag)
                        )
                        if not far and rough and depth < _DEPTH - 2:
                            top += 1
                            stack[top - 1, 5] = depth + 1
                            stack[top, 0], stack[top, 1] = (
                                (lon0 + lon1) / 2, (lat0 + lat1) / 2,
                            )  # fmt: skip
                            x, y, z = _place(stack[top, 0], stack[top, 1])
                            stack[top, 2], stack[top, 3], stack[top, 4] = _flat(
                                frame, x, y, z
                            )
                            stack[top, 5] = depth + 1
                            continue
                        if not far and away <= reach and square > 0.0:
                            near = True
                            closest = min(closest, away)
                            for m in range(k):
                                if away < chords[m]:
                                    sums[m] += form[e, 0] * _cut(
                                        x0, y0, x1, y1, chords[m]
                                    )
                        lon0, lat0, x0, y0, c0 = lon1, lat1, x1, y1, c1
                        top -= 1
            if closest > _SIDE_M or attempt == 8:
                break
            # On an edge or a vertex there is no angle; a hair aside there is.
            attempt += 1
            frame[0, 0] += _ASIDE_M * (frame[1, 0] + attempt * frame[2, 0])
            frame[0, 1] += _ASIDE_M * (frame[1, 1] + attempt * frame[2, 1])
            frame[0, 2] += _ASIDE_M * attempt * frame[2, 2]
            sums[:] = 0.0

        total = 0.0
        for m in range(k):
            part = sums[m] / (2 * np.pi) + (1.0 if inside[pair] else 0.0)
            if attempt > 0 and abs(part - 0.5) > 0.501:
                part -= 1.0 if part > 0.5 else -1.0  # the other side counts there
            total += weights[pair, m] * min(max(part, 0.0), 1.0)
        share[pair] = total
        reached[pair] = near

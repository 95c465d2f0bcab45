"""Chances among rivals, one of which is nearest: quadrature over an uncertain place.

The place is spread over its disc by cells that are halved until, in each, either one
rival wins for sure or the cell is small beside the radii of the two that are known
best. Seen from a node of a cell, each rival's distance is spread as the share of its
disc that lies within it (:func:`share_within`), and the chance of being nearest is an
integral over the distance.
"""

from __future__ import annotations

from math import asin, cos, hypot, pi, radians, sin, sqrt, tan

import numpy as np
from numba import njit

from geo.geodesy import ECCENTRICITY_SQUARED, EQUATORIAL_RADIUS_M

_A, _E2 = EQUATORIAL_RADIUS_M, ECCENTRICITY_SQUARED
_R = 6_371_008.8

_DEPTH = 8
_EASE = (0.4, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0, 2.4)
_NODE = sqrt(3 / 5)


@njit(nogil=True, cache=True)
def share_within(limit: float, away: float, radius: float) -> float:
    """Share of a geodesic disc that lies within a distance of a place.

    Parameters
    ----------
    limit
        The distance. [m]
    away
        How far the centre of the disc is from the place. [m]
    radius
        Of the disc, above 0. [m]

    Returns
    -------
    float
        0 to 1.

    Notes
    -----
    The lens that two circles have in common [1]_, in the equal-area picture of the
    sphere round the centre of the disc: the circle of radius ``s`` about the place has
    there, where it crosses the line of centres ``t`` beyond the disc's centre, the
    curvature ``cot(s / R) / R + 3 t / 8 R²``. Right within 1e-4 for discs of 300 km.

    References
    ----------
    .. [1] E. W. Weisstein, "Circle-circle intersection", MathWorld.
       https://mathworld.wolfram.com/Circle-CircleIntersection.html
    """
    return _seen(_bend(limit), limit, away, radius)


@njit(nogil=True, cache=True)
def _bend(limit: float) -> float:
    """Geodesic curvature of a circle of a radius. [1/m]."""
    turn = limit / _R
    if turn < 1e-9:
        return 1 / max(limit, 1e-12)
    return 1 / (_R * tan(min(turn, pi - 1e-9)))


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _seen(bend: float, limit: float, away: float, radius: float) -> float:
    """:func:`share_within`, the curvature of the circle given.

    Written without branches, so that compilers work on four distances at a time.
    """
    beyond = limit - away
    small = radius - radius * radius * radius / (24 * _R * _R)
    bend += 0.375 * beyond / (_R * _R)
    side = 1.0 if bend >= 0 else -1.0
    beyond = side * (beyond - beyond * beyond * beyond / (24 * _R * _R))
    bend = side * bend
    wide = 1 / (bend if bend > 1e-12 else 1e-12)
    between = abs(wide - beyond)
    between = between if between > 1e-12 else 1e-12
    cosine = (small * small - beyond * (2 * wide - beyond)) / (2 * between * small)
    cosine = cosine if cosine < 1.0 else 1.0
    cosine = cosine if cosine > -1.0 else -1.0
    other = (between - small * cosine) / wide
    other = other if other < 1.0 else 1.0
    other = other if other > -1.0 else -1.0
    sine = sqrt(1 - cosine * cosine)
    ratio = small * sine / wide
    ratio = ratio if ratio < 1.0 else 1.0
    q = ratio * ratio
    thin = 2 / 3 + q * (1 / 5 + q * (3 / 28 + q * (5 / 72 + q * (35 / 704))))
    thick = _angle(other) - ratio * other
    cap = ratio * q * thin if (ratio < 0.4) & (other > 0.0) else thick
    span = wide / small
    share = (_angle(cosine) - sine * cosine + cap * span * span) / pi
    share = share if share > 0.0 else 0.0
    share = share if share < 1.0 else 1.0
    return share if side > 0.0 else 1 - share


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _angle(cosine: float) -> float:
    """Arc cosine within 2e-8 (Abramowitz and Stegun, 4.4.46)."""
    x = abs(cosine)
    p = 0.0066700901 - 0.0012624911 * x
    p = -0.0170881256 + x * p
    p = 0.0308918810 + x * p
    p = -0.0501743046 + x * p
    p = 0.0889789874 + x * p
    p = -0.2145988016 + x * p
    p = (1.5707963050 + x * p) * sqrt(1 - x)
    return p if cosine >= 0 else pi - p


@njit(nogil=True, cache=True, error_model="numpy")
def _spread(bends, limits, away, radius, out):  # type: ignore[no-untyped-def]
    """Fill in the shares of one disc within several distances."""
    for m in range(len(out)):
        out[m] = _seen(bends[m], limits[m], away, radius)


@njit(nogil=True, cache=True, error_model="numpy")
def _hazard(now, then, out, total):  # type: ignore[no-untyped-def]
    """Fill in how fast rivals that are still beyond come within; add to the total."""
    for m in range(len(out)):
        left = 2 - now[m] - then[m]
        out[m] = (now[m] - then[m]) / (left if left > 1e-30 else 1e-30)
        total[m] += out[m]


@njit(nogil=True, cache=True, error_model="numpy")
def _wins(away, radius, few, weight, steps, work, sums):  # type: ignore[no-untyped-def]
    """Add to ``sums`` the chances of rivals ``few`` to be nearest to one place.

    Between two distances each rival wins in proportion to its hazard, the fall of its
    chance to be still beyond over that chance; the error falls with the square of the
    steps, so twice and once as many steps together cancel it (Richardson).
    """
    last = few[0]
    for k in few:
        if away[k] + radius[k] < away[last] + radius[last]:
            last = k
    end = away[last] + radius[last]
    low, start, leader = np.inf, np.inf, last
    for k in few:
        reach = max(away[k] - radius[k], 0.0)
        if reach < low:
            low, start, leader = reach, low, k
        elif reach < start:
            start = reach
    if start >= end:  # only one can be nearer than the last, which may be exact
        won = 1.0
        if leader != last:
            won = _seen(_bend(end), end, away[leader], radius[leader])
        sums[leader] += weight * won
        sums[last] += weight * (1 - won)
        return
    half, size = steps // 2, steps + 1
    bend, limit, remain = work[0, :size], work[1, :size], work[2, :size]
    rate, slow = work[3, :steps], work[4, :half]
    for m in range(size):
        limit[m] = start + (end - start) * (m / steps)
        bend[m] = _bend(limit[m])
    limit[steps] = end
    remain[:], rate[:], slow[:] = 1.0, 1e-300, 1e-300
    row = 5
    for k in few:
        if radius[k] > 0:
            share = work[row, :size]
            _spread(bend, limit, away[k], radius[k], share)
            for m in range(size):
                remain[m] *= 1 - share[m]
            _hazard(share[1:], share[:-1], work[row + 1, :steps], rate)
            _hazard(share[2::2], share[:-1:2], work[row + 2, :half], slow)
            row += 3
    if radius[last] > 0:
        remain[steps] = 0.0
    for m in range(half):
        rate[2 * m] = 4 / 3 * (remain[2 * m] - remain[2 * m + 1]) / rate[2 * m]
        rate[2 * m + 1] = (
            4 / 3 * (remain[2 * m + 1] - remain[2 * m + 2]) / rate[2 * m + 1]
        )
        slow[m] = (remain[2 * m] - remain[2 * m + 2]) / (3 * slow[m])
    row = 5
    for k in few:
        if radius[k] > 0:
            won = work[row, 0]
            for m in range(half):
                won += (
                    rate[2 * m] * work[row + 1, 2 * m]
                    + rate[2 * m + 1] * work[row + 1, 2 * m + 1]
                    - slow[m] * work[row + 2, m]
                )
            sums[k] += weight * won
            row += 3
    sums[last] += weight * remain[steps]


@njit(nogil=True, cache=True)
def _arc(chord: float) -> float:
    """Length on the sphere of a straight way through it. [m]."""
    q = (chord / _R) ** 2
    if q < 1e-3:
        return chord * (1 + q * (1 / 24 + q * (3 / 640 + q * 5 / 7168)))
    return 2 * _R * asin(min(chord / (2 * _R), 1.0))


@njit(nogil=True, cache=True)
def _look(frame, reach, turn, few, places, bias, away):  # type: ignore[no-untyped-def]
    """Measure how far rivals ``few`` are from a place of the disc."""
    east, north = cos(turn), sin(turn)
    down = reach * reach / 2 * (east * east * frame[4, 0] + north * north * frame[4, 1])
    level = sqrt(max(reach * reach - down * down, 0.0))
    east, north = level * east, level * north
    x = frame[0, 0] + east * frame[1, 0] + north * frame[2, 0] - down * frame[3, 0]
    y = frame[0, 1] + east * frame[1, 1] + north * frame[2, 1] - down * frame[3, 1]
    z = frame[0, 2] + north * frame[2, 2] - down * frame[3, 2]
    for k in few:
        chord = sqrt(
            (places[k, 0] - x) ** 2 + (places[k, 1] - y) ** 2 + (places[k, 2] - z) ** 2
        )
        away[k] = max(_arc(chord) + bias[k], 0.0)


@njit(nogil=True, cache=True)
def _stand(frame, lon, lat):  # type: ignore[no-untyped-def]
    """Fill in place, east, north, up and the curvatures of a point."""
    lam, phi = radians(lon), radians(lat)
    bulge = 1 - _E2 * sin(phi) ** 2
    normal = _A / sqrt(bulge)
    frame[1, 0], frame[1, 1], frame[1, 2] = -sin(lam), cos(lam), 0.0
    frame[3, 0], frame[3, 1], frame[3, 2] = (
        cos(phi) * cos(lam),
        cos(phi) * sin(lam),
        sin(phi),
    )
    frame[2, 0], frame[2, 1], frame[2, 2] = (
        -sin(phi) * cos(lam),
        -sin(phi) * sin(lam),
        cos(phi),
    )
    frame[0, 0] = normal * frame[3, 0]
    frame[0, 1] = normal * frame[3, 1]
    frame[0, 2] = normal * (1 - _E2) * frame[3, 2]
    frame[4, 0], frame[4, 1] = 1 / normal, bulge / (normal * (1 - _E2))


@njit(nogil=True, cache=True)
def chances(lonlat, radius_m, first, places, rival_m, away_m, steps, fine, out):  # type: ignore[no-untyped-def]
    """Fill in ``out``, shape ``(p,)``: see ``chances_of_nearest``."""
    most = 1
    for row in range(len(lonlat)):
        most = max(most, first[row + 1] - first[row])
    lists = np.empty((_DEPTH + 2, most), dtype=np.intp)
    counts = np.empty(_DEPTH + 2, dtype=np.intp)
    stack = np.empty((3 * _DEPTH + 8, 5))
    work, away, bias = (
        np.empty((5 + 3 * most, 4 * steps + 1)),
        np.empty(most),
        np.zeros(most),
    )
    frame = np.zeros((5, 3))
    for row in range(len(lonlat)):
        start, n = first[row], first[row + 1] - first[row]
        sums, radius = out[start : start + n], rival_m[start : start + n]
        sums[:] = 0.0
        lists[0, :n] = np.arange(n)
        if n == 1:
            sums[0] = 1.0
            continue
        if radius_m[row] == 0:
            away[:n] = away_m[start : start + n]
            _wins(away, radius, lists[0, :n], 1.0, 4 * steps, work, sums)
            continue
        _stand(frame, lonlat[row, 0], lonlat[row, 1])
        spot = places[start : start + n]
        bias[:n] = 0.0
        _look(frame, 0.0, 0.0, lists[0, :n], spot, bias, away)
        bias[:n] = away_m[start : start + n] - away[:n]
        counts[0] = n
        whole = 2 * _R * sin(min(radius_m[row] / (2 * _R), pi / 2))
        stack[0, 0], stack[0, 1], stack[0, 2], stack[0, 3] = 0.0, whole, 0.0, 2 * pi
        stack[0, 4] = 0.0
        top = 0
        while top >= 0:
            v0, v1, t0, t1 = stack[top, 0], stack[top, 1], stack[top, 2], stack[top, 3]
            depth = int(stack[top, 4])
            top -= 1
            weight = (v1 * v1 - v0 * v0) / (whole * whole) * (t1 - t0) / (2 * pi)
            vm, tm = (v0 + v1) / 2, (t0 + t1) / 2
            wide = cos(t1 - tm)
            if depth == 0:
                vm, size = 0.0, whole
            else:
                size = max(
                    hypot(v1 - vm * wide, vm * sin(t1 - tm)),
                    hypot(v1 * wide - vm, v1 * sin(t1 - tm)),
                    hypot(v0 * wide - vm, v0 * sin(t1 - tm)),
                )
            size *= 1.01
            parents = lists[max(depth - 1, 0), : counts[max(depth - 1, 0)]]
            _look(frame, vm, tm, parents, spot, bias, away)
            limit = np.inf
            for k in parents:
                limit = min(limit, away[k] + radius[k])
            limit += 2 * size
            count = 0
            least, second = np.inf, np.inf
            for k in parents:
                if away[k] - radius[k] < limit:
                    lists[depth, count] = k
                    count += 1
                    if radius[k] < least:
                        least, second = radius[k], least
                    else:
                        second = min(second, radius[k])
            counts[depth] = count
            few = lists[depth, :count]
            if count == 1:
                sums[few[0]] += weight
            elif size <= fine * second * _EASE[depth] or depth == _DEPTH:
                if size > 4 * second * _EASE[depth]:
                    _look(frame, vm, tm, few, spot, bias, away)
                    _wins(away, radius, few, weight, steps, work, sums)
                elif depth == 0:
                    _wins(away, radius, few, 0.25, 2 * steps, work, sums)
                    for m in range(6):
                        _look(
                            frame,
                            whole * sqrt(2 / 3),
                            m * pi / 3 + 0.1,
                            few,
                            spot,
                            bias,
                            away,
                        )
                        _wins(away, radius, few, 0.125, 2 * steps, work, sums)
                else:
                    for a in range(-1, 2):
                        v = vm + (v1 - v0) / 2 * _NODE * a
                        part = weight * v / vm * (8 - 3 * abs(a)) / 324
                        for b in range(-1, 2):
                            t = tm + (t1 - t0) / 2 * _NODE * b
                            _look(frame, v, t, few, spot, bias, away)
                            _wins(
                                away,
                                radius,
                                few,
                                part * (8 - 3 * abs(b)),
                                steps,
                                work,
                                sums,
                            )
            else:
                half = sqrt((v0 * v0 + v1 * v1) / 2)
                for a in range(4):
                    top += 1
                    stack[top, 4] = depth + 1
                    if depth == 0:
                        stack[top, 0], stack[top, 1] = 0.0, whole
                        stack[top, 2], stack[top, 3] = a * pi / 2, (a + 1) * pi / 2
                    else:
                        stack[top, 0] = half if a & 1 else v0
                        stack[top, 1] = v1 if a & 1 else half
                        stack[top, 2] = tm if a & 2 else t0
                        stack[top, 3] = t1 if a & 2 else tm


@njit(nogil=True, cache=True)
def shares_within(limits, away, radii, weights, out):  # type: ignore[no-untyped-def]
    """Fill in shares of mixed discs within distances.

    Parameters
    ----------
    limits, away
        Shapes ``(p,)``. [m]
    radii, weights
        Discs of each mixture, shapes ``(p, k)``. [m]
    out
        Shape ``(p,)``.
    """
    for pair in range(len(out)):
        total, bend = 0.0, _bend(limits[pair])
        for m in range(radii.shape[1]):
            radius = radii[pair, m]
            if radius > 0:
                share = _seen(bend, limits[pair], away[pair], radius)
            else:
                share = 1.0 if away[pair] <= limits[pair] else 0.0
            total += weights[pair, m] * share
        out[pair] = min(max(total, 0.0), 1.0)

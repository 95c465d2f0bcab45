"""Rings in WKB that end where they began."""

from __future__ import annotations

import struct

_POLYGON, _COLLECTIONS = 3, (4, 5, 6, 7)
_DEEPEST = 32


def close_rings(wkb: bytes) -> tuple[bytes, int]:
    """Repeat the first point of each ring of a geometry at its end where it is not.

    Parameters
    ----------
    wkb
        A geometry, as ISO or extended WKB; curves are left as they stand.

    Returns
    -------
    wkb : bytes
        The geometry, every ring closed.
    closed : int
        How many were not.

    Raises
    ------
    ValueError
        If it is no WKB: too short, too deep, of no known byte order.
    """
    out: list[bytes] = []
    try:
        end, closed = _copy(wkb, 0, out, 0)
    except struct.error:
        raise ValueError("the WKB ends too soon") from None
    if end != len(wkb):
        raise ValueError(f"the WKB has {len(wkb) - end} bytes too many")
    return b"".join(out), closed


def _copy(wkb: bytes, at: int, out: list[bytes], depth: int) -> tuple[int, int]:
    """Copy one geometry; return where it ends and how many rings were closed."""
    if depth > _DEEPEST or at >= len(wkb) or wkb[at] not in (0, 1):
        raise ValueError("no WKB")
    order = "<" if wkb[at] else ">"
    (code,) = struct.unpack_from(f"{order}I", wkb, at + 1)
    start, at = at, at + 5
    if code & 0x20000000:  # an SRID follows
        at += 4
    kind = (code & 0xFFFF) % 1000
    dimensions = (code & 0xFFFF) // 1000
    has_z = bool(code & 0x80000000) or dimensions in (1, 3)
    has_m = bool(code & 0x40000000) or dimensions in (2, 3)
    size = 8 * (2 + has_z + has_m)
    if kind == 1:
        end = at + size
        out.append(_slice(wkb, start, end))
        return end, 0
    (count,) = struct.unpack_from(f"{order}I", wkb, at)
    if kind == 2:
        end = at + 4 + count * size
        out.append(_slice(wkb, start, end))
        return end, 0
    if kind != _POLYGON and kind not in _COLLECTIONS:
        raise ValueError(f"WKB of kind {code}")
    out.append(_slice(wkb, start, at + 4))
    at += 4
    closed = 0
    for _ in range(count):
        if kind == _POLYGON:
            at, more = _copy_ring(wkb, at, order, size, out)
        else:
            at, more = _copy(wkb, at, out, depth + 1)
        closed += more
    return at, closed


def _copy_ring(
    wkb: bytes, at: int, order: str, size: int, out: list[bytes]
) -> tuple[int, int]:
    """Copy one ring, closed."""
    (count,) = struct.unpack_from(f"{order}I", wkb, at)
    end = at + 4 + count * size
    points = _slice(wkb, at + 4, end)
    if not count or points[:size] == points[-size:]:
        out.append(wkb[at:end])
        return end, 0
    out += [struct.pack(f"{order}I", count + 1), points, points[:size]]
    return end, 1


def _slice(wkb: bytes, start: int, end: int) -> bytes:
    """Take bytes that must be there."""
    if end > len(wkb):
        raise ValueError("the WKB ends too soon")
    return wkb[start:end]

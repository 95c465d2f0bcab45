"""Places of KML as WKB."""

from __future__ import annotations

import math
import struct
from collections import Counter
from typing import TYPE_CHECKING

from layers.errors import ReadError
from layers.importing.batches import CLOSED

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    _Tuple = tuple[float, ...]

_MULTI = {1: 4, 2: 5, 3: 6}
_KINDS = ("Point", "LineString", "LinearRing", "Polygon", "MultiGeometry")
_TRACKS = ("Track", "MultiTrack")


def local_name(tag: str) -> str:
    """Name of an element without its namespace.

    Parameters
    ----------
    tag
        As expat gives it, the namespace before a blank.

    Returns
    -------
    str
        What stands after the blank.
    """
    return tag.rpartition(" ")[2].rpartition(":")[2]


class KMLPlaces:
    """Turns geometries into WKB; altitudes are kept where one of them is not zero.

    Attributes
    ----------
    mended
        Rings closed, and how many.
    high
        Placemarks with an altitude other than zero.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.mended: Counter[str] = Counter()
        self.high = 0

    def wkb(self, element: Element, row: dict[str, str | None]) -> bytes | None:
        """Turn a geometry into WKB.

        Parameters
        ----------
        element
            A child of a Placemark.
        row
            Receives ``begin`` and ``end`` of a track.

        Returns
        -------
        bytes or None
            ISO WKB; None if it is no geometry or has no coordinates.

        Raises
        ------
        ReadError
            If a coordinate is no number.
        """
        if element.tag not in (*_KINDS, *_TRACKS):
            return None
        heights = [
            t[2]
            for part in element.iter()
            if part.tag in ("coordinates", "coord")
            for t in self._tuples(part)
            if len(t) > 2
        ]
        with_z = any(heights)
        self.high += with_z
        return self._any(element, with_z, row)

    def _any(
        self, element: Element, with_z: bool, row: dict[str, str | None]
    ) -> bytes | None:
        tag = element.tag
        place: bytes | None = None
        if tag in ("MultiGeometry", "MultiTrack"):
            parts = [self._any(part, with_z, row) for part in element]
            place = _collected([part for part in parts if part is not None], with_z)
        elif tag == "Track":
            place = self._track(element, with_z, row)
        elif tag == "Polygon":
            place = self._polygon(element, with_z)
        elif tag in _KINDS:
            place = self._simple(element, with_z)
        return place

    def _simple(self, element: Element, with_z: bool) -> bytes | None:
        tag = element.tag
        points = self._coordinates(element)
        if not points:
            return None
        if tag == "Point" or len(points) == 1:
            return _head(1, with_z) + _packed(points[:1], with_z)
        if tag == "LinearRing" and points[0] != points[-1]:
            points.append(points[0])
            self.mended[CLOSED] += 1
        return _line(points, with_z)

    def _polygon(self, element: Element, with_z: bool) -> bytes | None:
        rings = []
        for border in ("outerBoundaryIs", "innerBoundaryIs"):
            for part in element.iter(border):
                for ring in part.iter("LinearRing"):
                    points = self._coordinates(ring)
                    if not points and border == "outerBoundaryIs":
                        return None
                    if points and points[0] != points[-1]:
                        points.append(points[0])
                        self.mended[CLOSED] += 1
                    if points:
                        rings.append(points)
        if not rings:
            return None
        packed = b"".join(
            struct.pack("<I", len(ring)) + _packed(ring, with_z) for ring in rings
        )
        return _head(3, with_z) + struct.pack("<I", len(rings)) + packed

    def _track(
        self, element: Element, with_z: bool, row: dict[str, str | None]
    ) -> bytes | None:
        times = [w.text.strip() for w in element.iter("when") if w.text]
        if times:
            row.setdefault("begin", times[0])
            row["end"] = times[-1]
        points = [t for part in element.iter("coord") for t in self._tuples(part)]
        if not points:
            return None
        if len(points) == 1:
            return _head(1, with_z) + _packed(points, with_z)
        return _line(points, with_z)

    def _coordinates(self, element: Element) -> list[_Tuple]:
        part = element.find("coordinates")
        return [] if part is None else self._tuples(part)

    def _tuples(self, part: Element) -> list[_Tuple]:
        """Longitude, latitude and perhaps altitude of each point of an element."""
        text = part.text or ""
        if part.tag == "coord":  # one point, its numbers apart by blanks
            pieces = [",".join(text.split())] if text.strip() else []
        else:
            pieces = []
            for piece in text.split():  # "1, 2" and "1 ,2" are one point as well
                if pieces and (pieces[-1].endswith(",") or piece.startswith(",")):
                    pieces[-1] += piece
                else:
                    pieces.append(piece)
        found = []
        for piece in pieces:
            try:
                numbers = tuple(map(float, piece.rstrip(",").split(",")))
            except ValueError:
                numbers = ()
            if not 2 <= len(numbers) <= 3 or not all(map(math.isfinite, numbers)):
                raise ReadError(
                    f"{self.name}: the coordinates {piece[:60]!r} are not two or three "
                    "numbers; expected longitude,latitude and perhaps ,altitude"
                )
            found.append(numbers)
        return found


def _head(kind: int, with_z: bool) -> bytes:
    """Begin a geometry."""
    return struct.pack("<BI", 1, kind + 1000 * with_z)


def _packed(points: list[_Tuple], with_z: bool) -> bytes:
    """Coordinates of points; an altitude not given is zero, as KML has it."""
    if with_z:
        flat = [n for p in points for n in (*p[:2], p[2] if len(p) > 2 else 0.0)]
    else:
        flat = [n for p in points for n in p[:2]]
    return struct.pack(f"<{len(flat)}d", *flat)


def _line(points: list[_Tuple], with_z: bool) -> bytes:
    """Line through points."""
    return _head(2, with_z) + struct.pack("<I", len(points)) + _packed(points, with_z)


def _collected(parts: list[bytes], with_z: bool) -> bytes | None:
    """Put geometries together: of one kind as its plural, else as a collection."""
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    kinds = {struct.unpack_from("<I", part, 1)[0] % 1000 for part in parts}
    kind = _MULTI.get(kinds.pop(), 7) if len(kinds) == 1 else 7
    return _head(kind, with_z) + struct.pack("<I", len(parts)) + b"".join(parts)

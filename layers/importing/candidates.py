"""CRSs in which numbers of Korea and its borderlands are kept, tried one by one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from geo.crs import is_lonlat

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from pyproj import CRS, Transformer

    Floats = NDArray[np.float64]
    Boxes = Callable[[], Iterator[Floats]]

Box = tuple[float, float, float, float]
"""West, south, east, north. [°]"""

STUDY_AREA: Box = (118.0, 33.0, 132.0, 47.0)
"""The Korean peninsula and the Chinese provinces on its border. [°]"""

DEGREES = (4326, 4737, 4490, 4162, 4301, 4214, 4284)
"""EPSG codes of geographic CRSs: WGS 84, Korean, Chinese, then older ones."""

METRES = (
    *(5179, 5178),  # the whole country: KGD2002, Korean 1985
    *(5186, 5181, 5174, 2097),  # central belts, newest first
    *(5187, 5183, 5176, 2096, 5185, 5180, 5173, 2098),  # east, west
    *(5188, 5184, 5177, 5167, 5182, 5175, 5168),  # East Sea, Jeju
    *(32652, 32651, 3857, 3093, 3092),
    *(4549, 4550, 4551, 4552, 4528, 4529, 4530, 4531),  # CGCS2000, 3 degrees
    *(4510, 4511, 4499, 4500),  # CGCS2000, 6 degrees
    *(21461, 21462, 21421, 21422),  # Beijing 1954
    *(28421, 28422),  # Pulkovo 1942, as on Soviet maps
)
"""EPSG codes of projected CRSs, the likeliest first."""

_FAR_OFF = 1e9


@dataclass(frozen=True, kw_only=True)
class Tally:
    """Where rows come to lie.

    Attributes
    ----------
    rows, placed
        All rows, and those of them that have a place.
    inside
        Rows that touch the box asked about.
    off_globe
        Rows beyond 180 or 90 degrees, or that cannot be transformed.
    outside_rows, off_rows
        Numbers of the first such rows, counted from 1.
    raw
        Least and largest x and y as stored; None if no row has a place.
    lonlat
        West, south, east, north of what could be placed; None if nothing could. [°]
    middle
        Longitude and latitude of one of the rows. [°]
    """

    rows: int
    placed: int
    inside: int
    off_globe: int
    outside_rows: tuple[int, ...]
    off_rows: tuple[int, ...]
    raw: Box | None
    lonlat: Box | None
    middle: tuple[float, float] | None

    @property
    def all_inside(self) -> bool:
        """Whether every row that has a place touches the box."""
        return 0 < self.placed == self.inside


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A CRS in which all rows come to lie inside.

    Attributes
    ----------
    crs
        ``EPSG:5179``.
    name
        Its name in the EPSG registry.
    swap_xy
        Whether the axes must be swapped for it.
    in_use
        Whether all rows lie where the CRS is meant to be used.
    middle
        Where it puts one of the rows: longitude and latitude. [°]
    """

    crs: str
    name: str
    swap_xy: bool
    in_use: bool
    middle: tuple[float, float]

    @property
    def flag(self) -> str:
        """What to type for it."""
        return f"--crs {self.crs}" + (" --swap-xy" if self.swap_xy else "")


def candidates(boxes: Boxes, near: Box, *, degrees: bool) -> tuple[Candidate, ...]:
    """Find the CRSs that put every row inside a box.

    Parameters
    ----------
    boxes
        Gives the boxes of the rows as stored, each array shape ``(n, 4)``, NaN where a
        row has no place; called once a CRS.
    near
        Where the rows are expected. [°]
    degrees
        Whether to try geographic CRSs, or projected ones.

    Returns
    -------
    tuple of Candidate
        Those in which the rows lie where the CRS is meant to be used first.
    """
    from pyproj import CRS

    found: list[Candidate] = []
    for swap_xy in (False, True):
        for code in DEGREES if degrees else METRES:
            crs = CRS.from_epsg(code)
            seen = tally(boxes, crs, near, swap_xy=swap_xy)
            if not seen.all_inside or seen.lonlat is None or seen.middle is None:
                continue
            found.append(
                Candidate(
                    crs=f"EPSG:{code}",
                    name=crs.name,
                    swap_xy=swap_xy,
                    in_use=_in_use(crs, seen.lonlat),
                    middle=seen.middle,
                )
            )
    return tuple(sorted(found, key=lambda one: (one.swap_xy, not one.in_use)))


def tally(boxes: Boxes, crs: CRS, near: Box | None, *, swap_xy: bool) -> Tally:
    """Count where rows come to lie in a CRS.

    Parameters
    ----------
    boxes
        As for :func:`candidates`.
    crs
        Taken as easting and northing, or longitude and latitude, in this order.
    near
        Box to count in; None counts every row that is on the globe. [°]
    swap_xy
        Whether x and y are swapped first.

    Returns
    -------
    Tally
        Counts and the numbers of the first rows that lie elsewhere.
    """
    rows = placed = inside = off = 0
    outside_rows: list[int] = []
    off_rows: list[int] = []
    raw, lonlat = _Extent(), _Extent()
    middle = None
    for some in boxes():
        there = touches(some, None)
        raw.add(_of(some, there))
        placed_here = on_earth(some, crs, swap_xy=swap_xy)
        good = touches(placed_here, None)
        within = touches(placed_here, near)
        if middle is None and good.any():
            west, south, east, north = placed_here[int(good.argmax())]
            middle = (float(west + east) / 2, float(south + north) / 2)
        lonlat.add(_of(placed_here, good))
        outside_rows += _numbers(good & ~within, rows, 20 - len(outside_rows))
        off_rows += _numbers(there & ~good, rows, 20 - len(off_rows))
        rows += len(some)
        placed += int(there.sum())
        inside += int(within.sum())
        off += int((there & ~good).sum())
    return Tally(
        rows=rows,
        placed=placed,
        inside=inside,
        off_globe=off,
        outside_rows=tuple(outside_rows),
        off_rows=tuple(off_rows),
        raw=raw.box,
        lonlat=lonlat.box,
        middle=middle,
    )


def on_earth(boxes: Floats, crs: CRS, *, swap_xy: bool) -> Floats:
    """Transform boxes to longitude and latitude.

    Parameters
    ----------
    boxes
        Least x and y, largest x and y, shape ``(n, 4)``.
    crs
        Their CRS.
    swap_xy
        Whether x and y are swapped first.

    Returns
    -------
    numpy.ndarray
        Shape ``(n, 4)``; NaN for what lies off the globe or has no place. [°]
    """
    if swap_xy:
        boxes = boxes[:, [1, 0, 3, 2]]
    placed = boxes if is_lonlat(crs) else _changed(boxes, to_lonlat(crs))
    good = np.ones(len(placed), dtype=np.bool_)
    for i, largest in enumerate((180.0, 90.0, 180.0, 90.0)):
        good &= np.abs(placed[:, i]) <= largest
    return placed if good.all() else np.where(good[:, None], placed, np.nan)


def _changed(
    boxes: Floats, change: Callable[[Floats, Floats], tuple[Floats, Floats]]
) -> Floats:
    """Boxes around the changed corners of boxes, shape ``(n, 4)``."""
    west, south = change(boxes[:, 0], boxes[:, 1])
    if (boxes[:, :2] == boxes[:, 2:]).all():  # points
        return np.column_stack([west, south, west, south])
    corners = [change(boxes[:, i], boxes[:, j]) for i, j in ((2, 1), (2, 3), (0, 3))]
    west, east = _extremes([west, *(c[0] for c in corners)])
    south, north = _extremes([south, *(c[1] for c in corners)])
    return np.column_stack([west, south, east, north])


def to_lonlat(crs: CRS) -> Callable[[Floats, Floats], tuple[Floats, Floats]]:
    """Return the change from a CRS to longitude and latitude on WGS 84.

    Parameters
    ----------
    crs
        Any CRS that PROJ can transform.

    Returns
    -------
    callable
        Takes x and y; what has no place in longitude and latitude is not finite.
    """
    if is_lonlat(crs):
        return lambda x, y: (x, y)
    way = transformer(crs.to_wkt())

    def change(x: Floats, y: Floats) -> tuple[Floats, Floats]:
        near_enough = (np.abs(x) < _FAR_OFF) & (np.abs(y) < _FAR_OFF)
        lon, lat = way.transform(
            np.where(near_enough, x, np.nan), np.where(near_enough, y, np.nan)
        )
        return np.asarray(lon), np.asarray(lat)

    return change


@lru_cache(maxsize=128)
def transformer(wkt: str) -> Transformer:
    """Return PROJ's way from a CRS to WGS 84, x before y on both sides.

    Parameters
    ----------
    wkt
        The CRS.

    Returns
    -------
    pyproj.Transformer
        Kept for the next time.
    """
    from pyproj import Transformer

    return Transformer.from_crs(wkt, 4326, always_xy=True)


class _Extent:
    """The least and largest of what was added."""

    def __init__(self) -> None:
        self.box: Box | None = None

    def add(self, boxes: Floats) -> None:
        if not len(boxes):
            return
        west, south = float(boxes[:, 0].min()), float(boxes[:, 1].min())
        east, north = float(boxes[:, 2].max()), float(boxes[:, 3].max())
        if self.box is not None:
            west, south = min(west, self.box[0]), min(south, self.box[1])
            east, north = max(east, self.box[2]), max(north, self.box[3])
        self.box = (west, south, east, north)


def _of(boxes: Floats, which: NDArray[np.bool_]) -> Floats:
    """Pick boxes, without a copy where all are meant."""
    return boxes if which.all() else boxes[which]


def _extremes(values: list[Floats]) -> tuple[Floats, Floats]:
    """Least and largest of several, place by place; NaN where one is."""
    stacked = np.vstack(values)
    return stacked.min(axis=0), stacked.max(axis=0)


def touches(boxes: Floats, near: Box | None) -> NDArray[np.bool_]:
    """Tell which boxes touch another.

    Parameters
    ----------
    boxes
        West, south, east, north, shape ``(n, 4)``; NaN touches nothing. [°]
    near
        The other; its west exceeds its east where it spans the antimeridian. None
        for the whole globe. [°]

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``.
    """
    good = finite(boxes)
    if near is None:
        return good
    west, south, east, north = near
    begins, ends = boxes[:, 0] <= east, boxes[:, 2] >= west
    good &= (begins | ends) if west > east else (begins & ends)
    good &= boxes[:, 1] <= north
    good &= boxes[:, 3] >= south
    return good


def finite(boxes: Floats) -> NDArray[np.bool_]:
    """Tell which boxes have four finite numbers.

    Parameters
    ----------
    boxes
        Shape ``(n, 4)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(n,)``.
    """
    good = np.ones(len(boxes), dtype=np.bool_)
    for i in range(4):  # column by column: a reduction over four is ten times slower
        good &= np.isfinite(boxes[:, i])
    return good


def _in_use(crs: CRS, lonlat: Box) -> bool:
    """Tell whether places lie where a CRS is meant to be used."""
    area = crs.area_of_use
    if area is None:
        return False
    return bool(
        area.west <= lonlat[0]
        and area.south <= lonlat[1]
        and area.east >= lonlat[2]
        and area.north >= lonlat[3]
    )


def _numbers(mask: NDArray[np.bool_], before: int, most: int) -> list[int]:
    """Numbers of the first rows of a mask, counted from 1 over all rows."""
    return [int(row) + before + 1 for row in np.flatnonzero(mask)[:most]]

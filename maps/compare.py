"""The readings of a claim side by side: which candidate areas would hold each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from maps.facts import rough
from maps.popup import dom_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.exchange import Exchange

_WIDTH = 150.0
_TOLERANCE_DEG = 0.02


@dataclass(frozen=True, kw_only=True)
class Shape:
    """One outline of a small map.

    Attributes
    ----------
    path
        SVG path data.
    kind
        ``region``, ``held`` or ``spare``.
    """

    path: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Held:
    """Candidate areas that together hold a reading.

    Attributes
    ----------
    count, area_km2, capacity_mw
        How many, their size, and what they hold at middle land use, as text.
    enough
        Whether they reach the reading's capacity; if not, these are all there are.
    links
        Key of the mark, address of the card and rank of each.
    shapes, width, height
        A small map of them. [px]
    """

    count: int
    area_km2: str
    capacity_mw: str
    enough: bool
    links: tuple[tuple[str, str, int], ...]
    shapes: tuple[Shape, ...]
    width: float
    height: float


def holding(exchange: Exchange, keys: Mapping[str, str]) -> dict[str, Held]:
    """Take candidate areas by rank until they hold each reading.

    Parameters
    ----------
    exchange
        With ``readings`` and ranked ``areas``.
    keys
        Keys of the marks on the map, by ``layer/id``.

    Returns
    -------
    dict
        By the id of the reading; empty where there are no ranked areas or no readings.

    Notes
    -----
    A reading is held when the capacity of the areas, each at middle land use, is at
    least the middle of the reading's own. The last area is counted whole.
    """
    areas = exchange.areas
    if "rank" not in areas or areas.empty:
        return {}
    ranked = areas[areas["rank"].notna()].sort_values("rank")
    rows: list[dict[Any, Any]] = ranked.to_dict("records")
    drawn = _Frame(exchange, rows)
    found = {}
    for reading in exchange.readings:
        target = reading.capacity_mw.mid
        total, taken = 0.0, []
        for row in rows:
            if total >= target:
                break
            total += float(row["capacity_mw"])
            taken.append(row)
        chosen = [str(row["ref"]) for row in taken]
        found[reading.id] = Held(
            count=len(taken),
            area_km2=rough(sum(float(row["area_km2"]) for row in taken)),
            capacity_mw=rough(total),
            enough=total >= target,
            links=tuple(
                (keys[ref], f"#{dom_id(keys[ref])}", int(row["rank"]))
                for ref, row in zip(chosen, taken, strict=True)
                if ref in keys
            ),
            shapes=drawn.shapes(set(chosen)),
            width=_WIDTH,
            height=drawn.height,
        )
    return found


class _Frame:
    """Regions and areas in the plane of a small map."""

    def __init__(self, exchange: Exchange, rows: list[dict[Any, Any]]) -> None:
        regions = list(exchange.regions.geometry)
        boxes = [shape.bounds for shape in (*regions, *(r["geometry"] for r in rows))]
        self._west = min(box[0] for box in boxes)
        self._north = max(box[3] for box in boxes)
        east, south = max(box[2] for box in boxes), min(box[1] for box in boxes)
        self._across = math.cos(math.radians((south + self._north) / 2))
        self._scale = _WIDTH / ((east - self._west) * self._across)
        self.height = round((self._north - south) * self._scale, 1)
        self._regions = [
            Shape(path=self._path(shape.simplify(_TOLERANCE_DEG)), kind="region")
            for shape in regions
        ]
        self._areas = [
            (str(row["ref"]), self._path(row["geometry"].simplify(_TOLERANCE_DEG / 4)))
            for row in rows
        ]

    def shapes(self, held: set[str]) -> tuple[Shape, ...]:
        """Return every outline, those of the areas that are held marked."""
        areas = [
            Shape(path=path, kind="held" if ref in held else "spare")
            for ref, path in self._areas
        ]
        return (*self._regions, *sorted(areas, key=lambda shape: shape.kind == "held"))

    def _path(self, shape: Any) -> str:
        """Outer rings of a polygon as SVG path data."""
        rings = []
        for part in getattr(shape, "geoms", [shape]):
            points = [
                f"{(lon - self._west) * self._across * self._scale:.1f} "
                f"{(self._north - lat) * self._scale:.1f}"
                for lon, lat in part.exterior.coords[:-1]
            ]
            rings.append(f"M{'L'.join(points)}Z")
        return "".join(rings)

"""What a picture draws: the marks of the page, projected, and those that are seen.

The page's own layers are read, so that picture and page cannot differ: the same
features, the same legs bent the same way, the same precedence of names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from layers.symbology import MARKS
from maps.layer import PageLayer
from maps.pictures.projection import Frame, parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from layers.symbology import Mark
    from maps.page import ExchangeMap

Rings = list["NDArray[np.float64]"]

_SIMPLE = 0.12
_SEEN = 3.0


@dataclass(frozen=True, kw_only=True)
class Ground:
    """A part of the base map: its kind, and rings or lines in units."""

    kind: str
    filled: bool
    shapes: tuple[Rings, ...]


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One feature that is seen on the map; all places in units of the picture."""

    key: str
    mark: Mark
    family: str
    names: Mapping[str, str]
    """Name on the map by language, English always first; empty without a label."""
    at: tuple[float, float]
    """Where the label belongs; where the symbol stands."""
    place: str
    """``middle``, ``along`` or empty, as on the page."""
    symbol: str = ""
    """Symbol that stands at ``at``; empty for lines and areas."""
    shapes: tuple[Rings, ...] = ()
    line: bool = False
    ring: tuple[Rings, ...] = ()
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    late: bool = False
    """Whether the page names it only when the reader has zoomed in."""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Everything on the map of a picture."""

    frame: Frame
    ground: tuple[Ground, ...]
    features: tuple[Drawn, ...]
    """In the order in which they are drawn."""
    countries: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    """Code of each country, and where its name may stand. [units]"""
    marks: tuple[Mark, ...] = field(default=())
    """Marks that are seen, in the legend's order."""


def scene(page: ExchangeMap, *, width: float, height: float) -> Scene:
    """Lay the marks of a page out on a map.

    Parameters
    ----------
    page
        From :func:`maps.exchange_map`, with whatever was added to it.
    width, height
        Of the map. [units]

    Returns
    -------
    Scene
        With the marks that the page shows at first and that lie on the map.
    """
    (south, west), (north, east) = page.first_view
    frame = Frame.round((west, south, east, north), width=width, height=height)
    ground: list[Ground] = []
    features: list[Drawn] = []
    countries: list[tuple[str, tuple[tuple[float, float], ...]]] = []
    for layer in page._children.values():
        if not isinstance(layer, PageLayer):
            continue
        data = layer.data
        if data.get("base"):
            ground.append(_ground(frame, data))
        elif "countries" in data:
            for one in data["countries"]:
                spots = frame.points(np.array(one["at"], dtype=float)).tolist()
                countries.append((one["code"], tuple((x, y) for x, y in spots)))
        elif "features" in data and data.get("on", True):
            mark = page.marks.get(str(data["mark"]))
            if mark is not None:
                features += _features(frame, mark, data)
    return Scene(
        frame=frame,
        ground=tuple(ground),
        features=tuple(features),
        countries=tuple(countries),
        marks=_seen(features),
    )


def _ground(frame: Frame, data: Mapping[str, Any]) -> Ground:
    """Project a part of the base map."""
    shapes: list[Rings] = []
    for packed in data["parts"]:
        rings = [_unpacked(ring) for ring in packed]
        if data["filled"]:
            rings = [r for r in rings if len(r) > 3]
            if not rings:
                continue
            whole: BaseGeometry = shapely.Polygon(rings[0], rings[1:])
            if not whole.is_valid:
                whole = shapely.make_valid(whole)
        else:
            whole = shapely.LineString(rings[0])
        shapes += _shapes(frame, whole)
    return Ground(kind=data["kind"], filled=data["filled"], shapes=tuple(shapes))


def _features(frame: Frame, mark: Mark, data: Mapping[str, Any]) -> Iterator[Drawn]:
    """Project the features of a mark; those off the map are left out."""
    from shapely.geometry import Polygon, shape

    for entry in data["features"]:
        at = frame.point(*entry["anchor"])
        shapes: tuple[Rings, ...] = ()
        ring: tuple[Rings, ...] = ()
        line = False
        if "geometry" in entry:
            geometry = shape(entry["geometry"])
            line = "LineString" in geometry.geom_type
            shapes = tuple(_shapes(frame, geometry))
            seen = any(_on_map(frame, part) for part in shapes)
        else:
            at = frame.point(*entry["at"])
            seen = _SEEN < at[0] < frame.width - _SEEN
            seen &= _SEEN < at[1] < frame.height - _SEEN
            if entry.get("ring"):
                ring = tuple(_shapes(frame, Polygon(entry["ring"])))
        if not seen:
            continue
        extent = shapes or ring
        points = np.vstack([r for part in extent for r in part]) if extent else None
        box = (
            (*points.min(axis=0).tolist(), *points.max(axis=0).tolist())
            if points is not None and shapes
            else (*at, *at)
        )
        yield Drawn(
            key=str(entry["key"]),
            mark=mark,
            family=str(data["family"]),
            names={
                "en": str(entry.get("label", "")),
                "ko": str(entry.get("ko", "")),
                "zh": str(entry.get("zh", "")),
            },
            at=at,
            place=str(entry.get("place", "")),
            symbol="" if shapes else str(data["symbol"] or "dot"),
            shapes=shapes,
            line=line,
            ring=ring,
            box=(float(box[0]), float(box[1]), float(box[2]), float(box[3])),
            late=bool(entry.get("late")),
        )


def _seen(features: Iterable[Drawn]) -> tuple[Mark, ...]:
    """Sort the marks that are drawn, each once, as the legend does."""
    every = list(features)
    found = {f.mark.key: f.mark for f in every}
    if any(f.ring for f in every):
        found["uncertainty"] = MARKS["uncertainty"]
    order = {key: place for place, key in enumerate(MARKS)}
    return tuple(sorted(found.values(), key=lambda m: order.get(m.key, len(order))))


def _shapes(frame: Frame, geometry: BaseGeometry) -> list[Rings]:
    """Project a geometry into rings or lines."""
    drawn = frame.shape(geometry)
    if drawn.is_empty:
        return []
    return parts(shapely.simplify(drawn, _SIMPLE))


def _on_map(frame: Frame, rings: Rings) -> bool:
    """Whether a part reaches so far into the map that it can be seen."""
    return bool(
        shapely.intersects(
            shapely.box(_SEEN, _SEEN, frame.width - _SEEN, frame.height - _SEEN),
            shapely.Polygon(rings[0])
            if len(rings[0]) > 3 and (rings[0][0] == rings[0][-1]).all()
            else shapely.LineString(rings[0]),
        )
    )


def _unpacked(packed: Iterable[int]) -> NDArray[np.float64]:
    """Degrees of a ring or line that the page carries as differences."""
    steps = np.asarray(list(packed), dtype=float).reshape(-1, 2)
    return np.cumsum(steps, axis=0) / 1000

"""One vector layer of the page, as an element of a folium map.

The data travel as JSON that no text can break out of; the page's own script draws
them. Nothing here reaches the document as markup.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
from branca.element import Element, Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from layers.symbology import Mark

DIGITS = 4
"""Decimals of a degree in drawn geometry, about 10 m."""

_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}
_TEMPLATE = re.compile(r"\{(?=[{%#])")

_RING_VERTICES = 72
_BEND_POINTS = 40


def to_json(value: object) -> str:
    r"""Write JSON that is safe inside a ``script`` element and inside a template.

    Parameters
    ----------
    value
        Anything that JSON can hold; NaN and infinity become ``null``.

    Returns
    -------
    str
        JSON in which no text ends the element, and none reads as a template.

    Examples
    --------
    >>> to_json({"name": "</script>{{ 7 * 7 }}"})
    '{"name":"\\u003c/script\\u003e\\u007b{ 7 * 7 }}"}'
    """
    text = json.dumps(
        _finite(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    for raw, escaped in _ESCAPES.items():
        text = text.replace(raw, escaped)
    return _TEMPLATE.sub(r"\\u007b", text)


class Verbatim(Element):
    """Text that is put on the page as it is.

    folium's own element reads its text as a Jinja template once more, so that
    braces in data would run; this one does not.

    Parameters
    ----------
    text
        Finished HTML or JavaScript.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self._name = "Verbatim"
        self.text = text

    def render(self, **_kwargs: object) -> str:
        """Return the text.

        Returns
        -------
        str
            What was given.
        """
        return self.text


class PageLayer(Element):
    """Data for the page's script to draw.

    Parameters
    ----------
    name
        Name of the layer, one of its own on the page; so the same data give the same
        page, byte by byte.
    data
        What the function takes.
    call
        Function of the page's scripts that draws them.
    blocks
        Packed columns in base64, each in an element of its own.
    late
        Put the blocks after the scripts, which then work while they are still read.
    """

    def __init__(
        self,
        name: str,
        data: Mapping[str, Any],
        *,
        call: str = "lodemap.layer",
        blocks: Sequence[str] = (),
        late: bool = False,
    ) -> None:
        super().__init__()
        self._name = "PageLayer"
        self._id = re.sub(r"[^a-z0-9]+", "_", name.lower())
        self.data = dict(data)
        self.call = call
        self.blocks = blocks
        self.late = late

    def render(self, **_kwargs: object) -> str:
        """Add the data to the figure's HTML and the call to its script.

        Returns
        -------
        str
            Empty: the parts go to the figure.

        Raises
        ------
        TypeError
            If it is not on a map.
        """
        figure = self.get_root()
        if not isinstance(figure, Figure):
            raise TypeError(f"{self._name} is not on a map; call add_to(map) first")
        name = self.get_name()
        block = f'<script type="application/json" id="{name}">{to_json(self.data)}'
        figure.html.add_child(Verbatim(f"{block}</script>\n"), name=name)
        place = getattr(figure, "tail", figure.html) if self.late else figure.html
        for n, text in enumerate(self.blocks):
            # Base64 has no character that HTML reads as anything but itself.
            tag = f'<script type="application/json" id="{name}-{n}">'
            place.add_child(Verbatim(f"{tag}{text}</script>\n"), name=f"{name}-{n}")
        figure.script.add_child(Verbatim(f'{self.call}("{name}");\n'), name=name)
        return ""


def mark_layer(mark: Mark, features: Sequence[Mapping[str, Any]]) -> PageLayer:
    """Make the layer of all features that share a mark.

    Parameters
    ----------
    mark
        How they are drawn.
    features
        As :func:`feature` gives them.

    Returns
    -------
    PageLayer
        To be added to a map.
    """
    family = "leg" if mark.key.startswith("leg-") else mark.key.split(":")[0]
    panes = {"line": "legs", "area": "areas", "symbol": "discs", "switch": "areas"}
    family = "tie" if mark.key == "tie-area" else family
    pane = {"region": "regions", "tie": "ties"}.get(family, panes[mark.shape])
    return PageLayer(
        mark.key,
        {
            "mark": mark.key,
            "family": family,
            "role": mark.role,
            "shape": mark.shape,
            "symbol": mark.symbol,
            "dash": mark.dash,
            "head": family == "leg",
            "pane": pane,
            "rank": mark.rank,
            "on": mark.on,
            "features": list(features),
        },
        call="lodemap.sites" if family == "site" else "lodemap.layer",
    )


def base_layer(name: str, kind: str, geometries: Sequence[BaseGeometry]) -> PageLayer:
    """Make one part of the base map, packed small.

    Parameters
    ----------
    name, kind
        Name of the layer, and of the part in the style sheet.
    geometries
        Polygons or lines, longitude and latitude in EPSG:4326.

    Returns
    -------
    PageLayer
        Coordinates as whole thousandths of a degree, each less the one before.
    """
    parts: list[list[list[int]]] = []
    filled = False
    for part in _single(geometries):
        if part.geom_type == "Polygon":
            filled = True
            rings = [part.exterior, *part.interiors]
        else:
            rings = [part]
        packed = [_packed(np.asarray(ring.coords)) for ring in rings]
        if packed[0]:
            parts.append([ring for ring in packed if ring])
    data = {"base": True, "kind": kind, "filled": filled, "parts": parts}
    return PageLayer(name, data)


def feature(
    *,
    key: str,
    card: str,
    name: str,
    say: str,
    anchor: tuple[float, float],
    geometry: BaseGeometry | None = None,
    label: str = "",
    name_ko: str = "",
    name_zh: str = "",
    ring_m: float = 0.0,
    place: str = "",
    ends: bool = False,
    late: bool = False,
) -> dict[str, Any]:
    """Describe one mark to the page's script.

    Parameters
    ----------
    key, card
        Key of the mark, and the id of its card in the page.
    name, say
        Name, and what a screen reader says.
    anchor
        ``(lon, lat)`` of the label; also of the symbol when there is no geometry.
        [degrees]
    geometry
        Line or area to draw; without it a symbol stands at the anchor.
    label
        Text on the map; none when empty.
    name_ko, name_zh
        Korean and Chinese name.
    ring_m
        Radius within which the place lies. [m]
    place
        Where the label stands: ``"middle"``, ``"along"`` or beside the mark.
    ends
        Whether the measure tool offers it.
    late
        Whether its label waits until the reader has zoomed in.

    Returns
    -------
    dict
        JSON-ready; empty entries left out.
    """
    lon, lat = (round(float(v), DIGITS) for v in anchor)
    entry: dict[str, Any] = {
        "key": key,
        "card": card,
        "name": name,
        "say": say,
        "anchor": [lon, lat],
        "label": label,
        "ko": name_ko,
        "zh": name_zh,
        "place": place,
        "ends": ends,
        "late": late,
    }
    if ends and ring_m > 0:
        entry["radius"] = round(ring_m)
    if geometry is None:
        entry["at"] = [lon, lat]
        if ring_m > 0:
            entry["ring"] = disc_ring(lon, lat, ring_m)
    else:
        entry["geometry"] = rounded(geometry)
    return {name: value for name, value in entry.items() if value not in ("", False)}


def country_names(
    places: Mapping[str, Sequence[tuple[float, float]]],
) -> PageLayer:
    """Make the names of countries; the browser knows them by their codes.

    Parameters
    ----------
    places
        ``(lon, lat)`` of places where a name may stand, best first, by ISO 3166-1
        code. [degrees]

    Returns
    -------
    PageLayer
        To be added to a map.
    """
    names = [
        {"code": code, "at": [[round(lon, 2), round(lat, 2)] for lon, lat in spots]}
        for code, spots in places.items()
    ]
    return PageLayer("countries", {"countries": names})


def disc_ring(lon: float, lat: float, radius_m: float) -> list[list[float]]:
    """Return the outline of the geodesic disc round a point.

    Parameters
    ----------
    lon, lat
        Centre. [degrees]
    radius_m
        Radius. [m]

    Returns
    -------
    list
        ``[lon, lat]`` of each vertex.
    """
    from geo.geodesy import disc

    outline = disc(lon, lat, radius_m, vertices=_RING_VERTICES)
    coords = np.asarray(outline.exterior.coords)
    rows: list[list[float]] = np.round(coords[:, :2], DIGITS).tolist()
    return rows


def rounded(geometry: BaseGeometry) -> dict[str, Any]:
    """Return a geometry as GeoJSON with :data:`DIGITS` decimals.

    Parameters
    ----------
    geometry
        Line or area; longitude and latitude in EPSG:4326.

    Returns
    -------
    dict
        GeoJSON geometry.
    """
    from shapely.geometry import mapping

    def cut(value: Any) -> Any:
        if isinstance(value, (int, float)):
            return round(float(value), DIGITS)
        if value and isinstance(value[0], (int, float)):
            return [round(float(v), DIGITS) for v in value[:2]]
        return [cut(item) for item in value]

    raw = mapping(geometry)
    return {"type": raw["type"], "coordinates": cut(raw["coordinates"])}


def bent(
    line: BaseGeometry, *, bend: float, trim_start_m: float, trim_end_m: float
) -> tuple[BaseGeometry, tuple[float, float]]:
    """Bend a line sideways so that lines between the same ends stand apart.

    Parameters
    ----------
    line
        LineString in EPSG:4326.
    bend
        Greatest shift to the right over the length, on the map. [1]
    trim_start_m, trim_end_m
        Radius of the rings at both ends, which the drawn line leaves free; never more
        than a third of the length each. [m]

    Returns
    -------
    line : shapely LineString
        The bent line, EPSG:4326.
    apex : tuple of float
        ``(lon, lat)`` of its middle. [degrees]

    Notes
    -----
    A drawing device: the shift is a parabola in Web Mercator, so it looks the same at
    every scale. Distances are never taken from it.
    """
    from shapely.geometry import LineString

    from geo.geodesy import length

    x, y = _mercator(np.asarray(line.coords)[:, :2])
    total = float(np.hypot(x[-1] - x[0], y[-1] - y[0]))
    metres = float(np.ravel(length([line]))[0])
    if total == 0 or metres == 0:
        lon, lat = _unmercator(x[:1], y[:1])
        return line, (float(lon[0]), float(lat[0]))
    t_of = np.concatenate([[0], np.cumsum(np.hypot(np.diff(x), np.diff(y)))])
    t_of /= t_of[-1]
    first = min(trim_start_m / metres, 1 / 3)
    last = 1 - min(trim_end_m / metres, 1 / 3)
    t = np.append(np.linspace(first, last, _BEND_POINTS), 0.5)
    shift = bend * total * 4 * t * (1 - t)
    right = np.array([y[-1] - y[0], x[0] - x[-1]]) / total
    lon, lat = _unmercator(
        np.interp(t, t_of, x) + shift * right[0],
        np.interp(t, t_of, y) + shift * right[1],
    )
    points = np.column_stack([lon, lat])
    return LineString(points[:-1]), (float(lon[-1]), float(lat[-1]))


def _single(geometries: Sequence[BaseGeometry]) -> list[Any]:
    """Every single part of the geometries."""
    parts: list[Any] = []
    for geometry in geometries:
        if not geometry.is_empty:
            parts.extend(getattr(geometry, "geoms", [geometry]))
    return parts


def _packed(coords: NDArray[np.float64]) -> list[int]:
    """Whole thousandths of a degree, differences only; empty if nothing is left."""
    whole = np.rint(coords[:, :2] * 1000).astype(np.int64)
    moved = np.concatenate([[True], np.any(np.diff(whole, axis=0) != 0, axis=1)])
    whole = whole[moved]
    if len(whole) < 2:
        return []
    steps: list[int] = np.diff(whole, axis=0, prepend=[[0, 0]]).ravel().tolist()
    return steps


def _mercator(
    lonlat: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Spherical Web Mercator of degrees, in radians."""
    lon, lat = np.radians(lonlat).T
    return lon, np.arctanh(np.sin(lat))


def _unmercator(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Degrees of spherical Web Mercator in radians."""
    return np.degrees(x), np.degrees(np.arcsin(np.tanh(y)))


def _finite(value: Any) -> Any:
    """``value`` with NaN and infinity as None, and NumPy scalars as plain ones."""
    if isinstance(value, dict):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(v) for v in value]
    if isinstance(value, np.generic):
        return _finite(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""From longitude and latitude to the units of a picture, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pyproj import Transformer

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

WIDEST_LOCAL_DEG = 20.0
"""Views up to this width are drawn in a projection of their own. [degrees]"""

_ROOM = 0.05
_OVER = 30.0
_STEPS = 24


@dataclass(frozen=True)
class Frame:
    """The map's rectangle: a conformal projection, scaled and placed.

    A view of a region is drawn in the transverse Mercator projection about its own
    middle meridian, whose scale is nearly the same all over such a view; a wider one in
    Mercator, in which north is up everywhere.
    """

    width: float
    """Width of the map. [units]"""
    height: float
    local: bool
    """Whether it is the transverse projection."""
    middle: tuple[float, float]
    """``(lon, lat)`` of the projection's middle. [degrees]"""
    unit_m: float
    """Units of the projection to a unit of the picture. [m]"""
    origin: tuple[float, float]
    """Projected coordinates of the left upper corner. [m]"""
    transformer: Any

    @classmethod
    def round(
        cls, bounds: tuple[float, float, float, float], *, width: float, height: float
    ) -> Self:
        """Fit a rectangle round bounds.

        Parameters
        ----------
        bounds
            West, south, east, north, in EPSG:4326. [degrees]
        width, height
            Of the map. [units]

        Returns
        -------
        Frame
            In which all of the bounds are seen, with some room.
        """
        west, south, east, north = bounds
        south, north = max(south, -84.0), min(north, 84.0)
        middle = ((west + east) / 2, (south + north) / 2)
        local = east - west <= WIDEST_LOCAL_DEG and abs(middle[1]) < 75
        lon, lat = middle
        text = (
            f"+proj=tmerc +lat_0={lat} +lon_0={lon} +k=1"
            if local
            else f"+proj=merc +lon_0={lon}"
        )
        transformer = Transformer.from_crs(
            4326, f"{text} +datum=WGS84 +units=m +no_defs", always_xy=True
        )
        edge = _outline(bounds)
        x, y = transformer.transform(edge[:, 0], edge[:, 1])
        wide, high = np.ptp(x), np.ptp(y)
        unit = max(
            wide / (width * (1 - 2 * _ROOM)), high / (height * (1 - 2 * _ROOM)), 1e-6
        )
        left = (np.min(x) + np.max(x)) / 2 - unit * width / 2
        top = (np.min(y) + np.max(y)) / 2 + unit * height / 2
        return cls(
            width=width,
            height=height,
            local=local,
            middle=middle,
            unit_m=float(unit),
            origin=(float(left), float(top)),
            transformer=transformer,
        )

    def points(self, lonlat: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points.

        Parameters
        ----------
        lonlat
            Shape ``(n, 2)``, EPSG:4326. [degrees]

        Returns
        -------
        ndarray
            Shape ``(n, 2)``, right and down from the left upper corner. [units]
        """
        x, y = self.transformer.transform(lonlat[:, 0], lonlat[:, 1])
        return np.column_stack(
            [
                (np.asarray(x) - self.origin[0]) / self.unit_m,
                (self.origin[1] - np.asarray(y)) / self.unit_m,
            ]
        )

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        """Project one point; see :meth:`points`."""
        x, y = self.points(np.array([[lon, lat]], dtype=float))[0].tolist()
        return x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return longitude and latitude, in degrees, of a point of the picture."""
        lon, lat = self.transformer.transform(
            self.origin[0] + x * self.unit_m,
            self.origin[1] - y * self.unit_m,
            direction="INVERSE",
        )
        return float(lon), float(lat)

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of the picture lies on the map."""
        return 0 <= x <= self.width and 0 <= y <= self.height

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north of all that the map shows, and a little more."""
        x = np.linspace(-_OVER, self.width + _OVER, _STEPS)
        y = np.linspace(-_OVER, self.height + _OVER, _STEPS)
        rim = np.vstack(
            [
                *(np.column_stack([x, np.full(_STEPS, b)]) for b in (y[0], y[-1])),
                *(np.column_stack([np.full(_STEPS, a), y]) for a in (x[0], x[-1])),
            ]
        )
        lon, lat = self.transformer.transform(
            self.origin[0] + rim[:, 0] * self.unit_m,
            self.origin[1] - rim[:, 1] * self.unit_m,
            direction="INVERSE",
        )
        seen = np.isfinite(lon) & np.isfinite(lat)
        west, east = float(lon[seen].min()), float(lon[seen].max())
        south, north = float(lat[seen].min()), float(lat[seen].max())
        return max(west, -180.0), max(south, -89.0), min(east, 180.0), min(north, 89.0)

    def shape(self, geometry: BaseGeometry, *, dense: bool = True) -> BaseGeometry:
        """Cut a geometry to the map and project it.

        Parameters
        ----------
        geometry
            In EPSG:4326.
        dense
            Whether long edges get vertices first, so that they follow their parallel
            or meridian.

        Returns
        -------
        shapely geometry
            In units of the picture; may be empty.
        """
        import shapely

        cut = shapely.clip_by_rect(geometry, *self.bounds)
        if cut.is_empty:
            return cut
        if dense:
            west, _, east, _ = self.bounds
            cut = shapely.segmentize(cut, max((east - west) / 60, 0.01))
        drawn = shapely.transform(cut, self.points)
        box = (-_OVER, -_OVER, self.width + _OVER, self.height + _OVER)
        if drawn.geom_type in {"Polygon", "MultiPolygon"} and not drawn.is_valid:
            drawn = shapely.make_valid(drawn)
        return shapely.clip_by_rect(drawn, *box)


def parts(geometry: BaseGeometry) -> list[list[NDArray[np.float64]]]:
    """Rings of each polygon, or points of each line, of a geometry."""
    import shapely

    found = []
    for one in shapely.get_parts(geometry).tolist():
        if one.geom_type == "GeometryCollection":
            found += parts(one)
        elif one.geom_type == "Polygon" and not one.is_empty:
            found.append(
                [shapely.get_coordinates(r) for r in (one.exterior, *one.interiors)]
            )
        elif one.geom_type in {"LineString", "LinearRing"} and not one.is_empty:
            found.append([shapely.get_coordinates(one)])
    return found


def _outline(bounds: tuple[float, float, float, float]) -> NDArray[np.float64]:
    """Points round bounds, close enough to follow a bent edge."""
    west, south, east, north = bounds
    t = np.linspace(0, 1, _STEPS)
    lon, lat = west + t * (east - west), south + t * (north - south)
    sides = [
        (lon, np.full(_STEPS, south)),
        (lon, np.full(_STEPS, north)),
        (np.full(_STEPS, west), lat),
        (np.full(_STEPS, east), lat),
    ]
    return np.vstack([np.column_stack(side) for side in sides])

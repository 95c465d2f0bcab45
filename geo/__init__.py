"""Places on the ellipsoid, and how well they are known: CRS, geodesy, joins, rasters.

Knows nothing of ore, panels or pages.
"""

from geo.counts import count_within
from geo.crs import is_lonlat, require_lonlat
from geo.datasets.partitions import partition
from geo.errors import (
    AxisOrderError,
    ColumnError,
    CriteriaError,
    CRSMismatchError,
    CRSMissingError,
    GeoError,
    GeometryError,
    GeometryTypeError,
    GridError,
)
from geo.geodesy import area, destination, disc, distance, inverse, length, line
from geo.joins import intersects, nearest, within, within_distance
from geo.uncertainty import coordinate_digits, format_position, point_radius

__all__ = [
    "AxisOrderError",
    "CRSMismatchError",
    "CRSMissingError",
    "ColumnError",
    "CriteriaError",
    "GeoError",
    "GeometryError",
    "GeometryTypeError",
    "GridError",
    "area",
    "coordinate_digits",
    "count_within",
    "destination",
    "disc",
    "distance",
    "format_position",
    "intersects",
    "inverse",
    "is_lonlat",
    "length",
    "line",
    "nearest",
    "partition",
    "point_radius",
    "require_lonlat",
    "within",
    "within_distance",
]

"""The family of errors that the toolkit raises for bad input.

Every message says what came, what was expected and what to do. Each class derives
from :class:`GeoError` and from the built-in error that a caller would expect.
"""

from __future__ import annotations


class GeoError(Exception):
    """Base of every error that is about the input and not about a bug."""


class CRSMissingError(GeoError, ValueError):
    """A layer names no coordinate reference system."""


class CRSMismatchError(GeoError, ValueError):
    """A layer is in another coordinate reference system than the one asked for."""


class AxisOrderError(GeoError, ValueError):
    """Coordinates lie outside longitude and latitude, as swapped axes do."""


class GeometryTypeError(GeoError, TypeError):
    """A layer holds geometries of a kind that the operation cannot use."""


class GeometryError(GeoError, ValueError):
    """A geometry is missing, empty, invalid or not finite."""


class ColumnError(GeoError, ValueError):
    """A column is missing, or holds a value that it must not hold."""


class GridError(GeoError, ValueError):
    """A raster cannot be opened, placed or aligned."""


class CriteriaError(GeoError, ValueError):
    """A siting criterion is wrong: an unknown key, a missing unit, an empty range."""

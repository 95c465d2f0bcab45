"""Errors of the layers, all of the :class:`geo.errors.GeoError` family."""

from __future__ import annotations

from geo.errors import GeoError


class LayerNotFoundError(GeoError, LookupError):
    """The catalogue has no layer of that id, or none of that kind."""


class SchemaError(GeoError, ValueError):
    """A layer or table lacks a column, or holds a value that it must not hold."""


class EvidenceError(SchemaError):
    """Sources and claims do not fit together: an unknown id, a circle."""


class ExchangeError(GeoError, ValueError):
    """An exchange file is wrong; the message names the file and the key."""


class ReadError(GeoError, ValueError):
    """An analyst's file cannot be read as a layer."""


class ImportRefusedError(ReadError):
    """A file is not imported as it stands; the message names the flag that mends it.

    Attributes
    ----------
    trap
        What was met, in a word or two: ``"no CRS"``, ``"swapped axes"``.
    flags
        Each a way out, as one would type it: ``"--crs EPSG:5179"``.
    """

    def __init__(
        self, message: str, *, trap: str = "", flags: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.trap = trap
        self.flags = flags


class WriteError(GeoError, OSError):
    """A file cannot be written; what stood there before is untouched."""


class QueryError(GeoError, ValueError):
    """A query cannot be answered, or asks for more than reading the named tables."""


class ExtraMissingError(GeoError, ImportError):
    """A part of the package was not installed; the message names the extra."""


class RequestError(GeoError, ValueError):
    """What is asked for cannot be looked up as asked: no region, no such product."""


class FetchError(GeoError, OSError):
    """A public file cannot be fetched; what came so far is kept, to be gone on with."""


class DamagedFileError(FetchError):
    """A file is not what its source promises: another page, cut short, changed."""

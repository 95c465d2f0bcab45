"""What is asked of a picture, checked before anything is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from geo.errors import GeoError

Language = Literal["en", "ko", "zh"]
"""Language of the names and of the picture's own words."""

LANGUAGES: tuple[Language, ...] = get_args(Language)
ENDINGS = (".png", ".svg", ".pdf")
UNITS_PER_MM = 5.0
"""Units of a picture to a millimetre: 12 units, a label, are 2.4 mm or 6.8 points."""

NARROWEST_MM, WIDEST_MM = 80.0, 1200.0
LOWEST_DPI, HIGHEST_DPI = 50, 1200
MOST_PIXELS = 100_000_000
"""Pixels that a PNG may hold: about 400 MB while it is drawn."""


class PictureError(GeoError, ValueError):
    """A picture cannot be drawn as asked: no such format, an absurd size."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """A picture as it is asked for.

    Raises
    ------
    PictureError
        If it cannot be drawn so.
    """

    path: Path
    """File to write; its ending names the format."""
    report: bool = False
    """Whether it is the report on A4 pages."""
    width_mm: float = 180.0
    """Width of the picture; the report has its own. [mm]"""
    dpi: int = 300
    """Pixels to the inch of a PNG. [1/in]"""
    language: Language = "en"
    dark: bool = False
    """Whether the dark palette is used."""

    def __post_init__(self) -> None:
        """Check what is asked for."""
        if self.path.suffix.lower() not in ENDINGS:
            raise PictureError(
                f"cannot draw {self.path.name[:80]!r}: its ending is "
                f"{self.path.suffix[:20]!r}; expected {', '.join(ENDINGS)}. Name the "
                "file so."
            )
        if self.report and self.format != "pdf":
            raise PictureError(
                f"a report was asked for as {self.path.name[:80]!r}; expected a file "
                "that ends in .pdf. Name it so, or leave --report out."
            )
        if self.report and self.dark:
            raise PictureError(
                "a report was asked for in the dark palette; expected a picture for "
                "it, since a report is for paper. Leave one of the two out."
            )
        if self.language not in LANGUAGES:
            raise PictureError(
                f"unknown language {str(self.language)[:20]!r}; expected one of "
                f"{', '.join(LANGUAGES)}."
            )
        if not NARROWEST_MM <= self.width_mm <= WIDEST_MM:
            raise PictureError(
                f"a width of {self.width_mm:g} mm was asked for; expected "
                f"{NARROWEST_MM:g} to {WIDEST_MM:g} mm."
            )
        if not LOWEST_DPI <= self.dpi <= HIGHEST_DPI:
            raise PictureError(
                f"{self.dpi:g} pixels to the inch were asked for; expected "
                f"{LOWEST_DPI} to {HIGHEST_DPI}."
            )

    @property
    def format(self) -> str:
        """``png``, ``svg`` or ``pdf``."""
        return self.path.suffix.lower()[1:]

    @property
    def units(self) -> float:
        """Width in units of the picture."""
        return self.width_mm * UNITS_PER_MM

    def require_pixels(self, height_mm: float) -> None:
        """Refuse a PNG with more pixels than it may hold.

        Raises
        ------
        PictureError
            If it is too large at this height.
        """
        wide, high = (round(mm / 25.4 * self.dpi) for mm in (self.width_mm, height_mm))
        if self.format == "png" and wide * high > MOST_PIXELS:
            raise PictureError(
                f"a picture of {wide:,} by {high:,} pixels was asked for; expected at "
                f"most {MOST_PIXELS:,} in all. Lower --dpi or --width-mm, or write SVG "
                "or PDF."
            )

"""Sites put on a page: marks, cards, story, and the raster of their scores."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from layers.siting.backdrop import MEANING, SCORE
from layers.symbology import MARKS
from maps.layer import mark_layer
from maps.overlay import add_overlay, read_overlay
from maps.site_marks import SYNTHETIC, SiteMarks, site_marks
from maps.site_story import site_story

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layers.siting.sites import SolarSites
    from maps.page import ExchangeMap

__all__ = ["SYNTHETIC", "SiteView"]


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """What a page shows of sites.

    Attributes
    ----------
    found
        Sites.
    marks
        Their marks and cards.
    story
        For the template.
    """

    found: SolarSites
    marks: SiteMarks
    story: Mapping[str, Any]

    @classmethod
    def of(
        cls, found: SolarSites, exchange_id: str, regions: Mapping[str, str]
    ) -> Self:
        """Get sites ready for a page.

        Parameters
        ----------
        found
            Sites.
        exchange_id
            Exchange whose page it is.
        regions
            Names of regions by their id.

        Returns
        -------
        SiteView
            Nothing in it is computed but how things are drawn.
        """
        marks = site_marks(found, regions)
        story = site_story(found, marks, exchange_id=exchange_id, regions=regions)
        return cls(found=found, marks=marks, story=story)

    def add_to(self, page: ExchangeMap) -> None:
        """Put marks, cards and the raster on a page.

        Parameters
        ----------
        page
            The page.

        Raises
        ------
        geo.errors.GeoError
            If there is a raster of scores and it cannot be drawn.
        """
        found = self.found
        page.needs("sites")
        made_up = f" ({SYNTHETIC.lower()})" if found.synthetic else ""
        for path in found.outputs:
            if path.name == SCORE and self.marks.shown:
                overlay = read_overlay(
                    path,
                    name=f"Suitability{made_up}",
                    unit="Score of a cell, 0 to 1",
                    about=MEANING,
                    clear="excluded or no data",
                )
                add_overlay(page, overlay)
        if not self.marks.shown:
            return
        mark = MARKS["site"]
        mark = replace(
            mark,
            label=f"{mark.label}{made_up}",
            about=f"{mark.about} {self._drawn()}".strip(),
        )
        page.show_mark(mark)
        mark_layer(mark, self.marks.features).add_to(page)
        page.cards.extend(self.marks.cards)
        west, south, east, north = (float(v) for v in self._bounds())
        (low_lat, low_lon), (high_lat, high_lon) = page.first_view
        page.first_view = [
            [min(low_lat, south), min(low_lon, west)],
            [max(high_lat, north), max(high_lon, east)],
        ]

    def _drawn(self) -> str:
        """Say how many of the sites are drawn, and which carry a number."""
        shown, numbered = self.marks.shown, self.marks.numbered
        if numbered == shown:
            return ""
        return f"The first {numbered} of {shown} carry it."

    def _bounds(self) -> Any:
        return self.found.table.geometry.head(self.marks.shown).total_bounds

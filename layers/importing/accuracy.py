"""How far off a change of datum may be, as PROJ states it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo.crs import is_lonlat
from layers.errors import ImportRefusedError
from layers.importing.candidates import transformer
from layers.importing.wording import crs_text

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

    from layers.importing.candidates import Tally

_SAME_TO_A_METRE = (
    "China Geodetic Coordinate System 2000",
    "China 2000",
    "Geocentric datum of Korea",
    "Korean Geodetic Datum 2002",
    "World Geodetic System 1984",
    "International Terrestrial Reference Frame",
    "European Terrestrial Reference System 1989",
    "Japanese Geodetic Datum 20",
)
"""Datums that follow the ITRS, as WGS 84 does: where PROJ states no accuracy, 1 m."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What PROJ does to get to WGS 84.

    Attributes
    ----------
    operation
        In its words; empty if nothing is to be done.
    accuracy_m
        How far off that may be; None if nothing is to be done, or if nobody states it.
        [m]
    notes
        One sentence each.
    """

    operation: str = ""
    accuracy_m: float | None = None
    notes: tuple[str, ...] = ()


def accuracy(
    crs: CRS, seen: Tally, name: str, *, swap_xy: bool, stated_m: float | None
) -> Change:
    """Find what PROJ says of the change of datum, or refuse where it says nothing.

    Parameters
    ----------
    crs
        CRS of the rows.
    seen
        Where they lie.
    name
        What to call the file in a message.
    swap_xy
        Whether x and y are swapped first.
    stated_m
        What the caller says of how far off a row may be; None if nothing. [m]

    Returns
    -------
    Change
        Asked of PROJ at three corners of the rows; the worst counts.

    Raises
    ------
    ImportRefusedError
        If PROJ states no accuracy and the caller says nothing either.
    """
    if is_lonlat(crs) or seen.raw is None:
        return Change()
    west, south, east, north = seen.raw
    corners = ((west, south), (east, north), (west, north))
    change = transformer(crs.to_wkt())
    accuracies, words, notes = [], [], []
    for x, y in ((y, x) if swap_xy else (x, y) for x, y in corners):
        change.transform(x, y)
        last = _last_used(change)
        accuracies.append(float(last.accuracy))
        words.append(last.description)
        area: Any = last.area_of_use
        at = seen.lonlat
        if at is not None and area is not None and last.accuracy > 0:
            inside = area.west <= at[0] and at[2] <= area.east
            if not (inside and area.south <= at[1] and at[3] <= area.north):
                notes.append(
                    f"PROJ states {last.accuracy:g} m for {area.name[:60]}; some rows "
                    "lie outside it"
                )
    worst = max(accuracies)
    unknown = min(accuracies) < 0
    if unknown and _follows_itrs(crs):
        worst, unknown = max(worst, 1.0), False
        notes.append("its datum follows the ITRS, as WGS 84 does: taken as within 1 m")
    if unknown and stated_m is None:
        raise ImportRefusedError(
            f"{name}: PROJ has no grid or formula of stated accuracy from "
            f"{crs_text(crs)} to WGS 84 here; places may be off by hundreds of "
            "metres. Say by how much at most: --uncertainty-m 500, or another radius",
            trap="datum of unknown accuracy",
            flags=("--uncertainty-m 500",),
        )
    if unknown:
        notes.append("PROJ states no accuracy for the change of datum")
    return Change(
        operation="; ".join(dict.fromkeys(words)),
        accuracy_m=None if unknown else worst,
        notes=tuple(dict.fromkeys(notes)),
    )


def _last_used(change: Transformer) -> Transformer:
    """Return the operation that placed the last point.

    Where there is only one, and it moves nothing, PROJ remembers none.
    """
    from pyproj.exceptions import ProjError

    try:
        return change.get_last_used_operation()
    except ProjError:
        return change


def _follows_itrs(crs: CRS) -> bool:
    """Tell whether a datum is one of those that follow the ITRS."""
    datum = crs.geodetic_crs.datum if crs.geodetic_crs is not None else None
    return datum is not None and datum.name.startswith(_SAME_TO_A_METRE)

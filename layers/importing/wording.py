"""How what was found of places is put into words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layers.importing.candidates import STUDY_AREA

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pyproj import CRS

    from layers.importing.candidates import Box, Candidate

_SHOWN = 6


def in_words(found: Iterable[Candidate], rows: int, where: str) -> str:
    """Say which CRSs would put all rows inside, and how far they lie apart.

    Parameters
    ----------
    found
        Candidates, at least one.
    rows
        Number of rows.
    where
        The box, in words.

    Returns
    -------
    str
        Part of a sentence.
    """
    from geo.geodesy import distance

    first, *others = found
    text = f"{first.flag} ({first.name}) puts all {rows} rows inside {where}"
    if not others:
        return f"{text}, and no other that is known here does"
    for other in others[: _SHOWN - 1]:
        off = distance(*first.middle, *other.middle).item()
        text += f"; so does {other.flag} ({other.name}), {_length(off)} away"
    if len(others) >= _SHOWN:
        text += f"; and {len(others) - _SHOWN + 1} more"
    return text


def box_text(box: Box) -> str:
    """Write a box as it is typed.

    Parameters
    ----------
    box
        West, south, east, north. [°]

    Returns
    -------
    str
        ``118,33,132,47``.
    """
    return ",".join(f"{v:g}" for v in box)


def crs_text(crs: CRS) -> str:
    """Write a CRS for people.

    Parameters
    ----------
    crs
        Any CRS.

    Returns
    -------
    str
        Its code and name, such as ``EPSG:5179 (KGD2002 / Unified CS)``.
    """
    authority = crs.to_authority()
    if authority is None:
        return crs.name[:60]
    return f"{':'.join(authority)} ({crs.name[:60]})"


def rows_text(rows: tuple[int, ...], count: int) -> str:
    """Write numbers of rows, and how many more there are.

    Parameters
    ----------
    rows
        Numbers of the first of them, counted from 1.
    count
        How many there are.

    Returns
    -------
    str
        ``rows 4, 7 and 12 more``.
    """
    shown = sorted(rows)[:10]
    text = ("row " if count == 1 else "rows ") + ", ".join(map(str, shown))
    more = count - len(shown)
    return f"{text} and {more} more" if more > 0 else text


def where_text(box: Box) -> str:
    """Name a box.

    Parameters
    ----------
    box
        West, south, east, north. [°]

    Returns
    -------
    str
        ``the study area 118,33,132,47`` for the one that is built in.
    """
    what = "the study area " if box == STUDY_AREA else ""
    return f"{what}{box_text(box)}"


def span_text(raw: Box | None) -> str:
    """Write between which numbers x and y lie.

    Parameters
    ----------
    raw
        Least x and y, largest x and y; None if there is none.

    Returns
    -------
    str
        In brackets, with a blank before it; empty if there is none.
    """
    if raw is None:
        return ""
    return f" (x {raw[0]:.10g} to {raw[2]:.10g}, y {raw[1]:.10g} to {raw[3]:.10g})"


def extent_text(lonlat: Box) -> str:
    """Write where rows lie.

    Parameters
    ----------
    lonlat
        West, south, east, north. [°]

    Returns
    -------
    str
        ``longitude 124 to 126, latitude 38.5 to 40``.
    """
    west, south, east, north = (f"{v:.4f}".rstrip("0").rstrip(".") for v in lonlat)
    return f"longitude {west} to {east}, latitude {south} to {north}"


def _length(metres: float) -> str:
    """Write a length for people."""
    return f"{metres:.0f} m" if metres < 1000 else f"{metres / 1000:.0f} km"

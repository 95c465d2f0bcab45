"""Where rows lie: proved from the data and the study area, or refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from geo.crs import is_lonlat
from layers.errors import ImportRefusedError
from layers.importing.accuracy import Change, accuracy
from layers.importing.candidates import (
    STUDY_AREA,
    Box,
    Candidate,
    Tally,
    candidates,
    finite,
    on_earth,
    tally,
    to_lonlat,
    touches,
    transformer,
)
from layers.importing.wording import (
    crs_text,
    extent_text,
    in_words,
    rows_text,
    span_text,
    where_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray
    from pyproj import CRS

    from layers.importing.candidates import Boxes

    Floats = NDArray[np.float64]

Near = Box | Literal["anywhere"]
"""Box in which rows are expected, or none. [°]"""

_ENOUGH = 10_000
_MAY_BE_DEGREES = 400.0


@dataclass(frozen=True, kw_only=True)
class Placement:
    """How the rows of a file become longitude and latitude.

    Attributes
    ----------
    crs
        CRS of the numbers.
    crs_by
        Who says so: ``"file"``, ``"format"``, ``"--crs"`` or ``"convention"``.
    swap_xy
        Whether x and y are swapped first.
    near
        Box in which rows are expected; None for anywhere. [°]
    change
        What PROJ does, and how far off that may be.
    seen
        Where the rows come to lie.
    """

    crs: CRS
    crs_by: str
    swap_xy: bool
    near: Box | None
    change: Change
    seen: Tally

    @property
    def changes_nothing(self) -> bool:
        """Whether the numbers are longitude and latitude on WGS 84 as they stand."""
        return not self.swap_xy and is_lonlat(self.crs)

    def lonlat(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Place numbers on WGS 84.

        Parameters
        ----------
        x, y
            As stored, shape ``(n,)``.

        Returns
        -------
        tuple of numpy.ndarray
            Longitude and latitude. [°]
        """
        return to_lonlat(self.crs)(y, x) if self.swap_xy else to_lonlat(self.crs)(x, y)

    def expected(self, boxes: Floats) -> NDArray[np.bool_]:
        """Tell which rows lie on the globe and where they are expected.

        Parameters
        ----------
        boxes
            As stored, shape ``(n, 4)``; NaN where a row has no place.

        Returns
        -------
        numpy.ndarray
            Shape ``(n,)``; False for rows without a place, too.
        """
        seen = on_earth(boxes, self.crs, swap_xy=self.swap_xy)
        return touches(seen, self.near)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is known of the places of a file before they are looked at.

    Attributes
    ----------
    name
        What to call the file in a message.
    boxes
        Gives the boxes of the rows as stored, each array shape ``(n, 4)``, NaN where a
        row has no place; may be called again.
    stated
        CRS that the file states; None if it states none.
    stated_by
        ``"file"``, or ``"format"`` where its format knows no other.
    asked
        CRS that the caller gives; it holds against the file.
    swap_xy
        Whether x and y are to be swapped.
    near
        Where rows are expected. [°]
    table
        Whether the places came out of columns: degrees are then taken as WGS 84.
    drop_unplaced
        Whether rows that lie elsewhere may be left out.
    uncertainty_m
        What the caller says of how far off a row may be; None if nothing. [m]
    """

    name: str
    boxes: Boxes
    stated: CRS | None
    stated_by: str
    asked: CRS | None
    swap_xy: bool
    near: Near
    table: bool
    drop_unplaced: bool
    uncertainty_m: float | None


def place(question: Question) -> Placement:
    """Find how the rows of a file become longitude and latitude, or refuse.

    Parameters
    ----------
    question
        What is known before.

    Returns
    -------
    Placement
        Proved: every row lies on the globe and where it is expected, or the caller
        lets the others be dropped.

    Raises
    ------
    ImportRefusedError
        If the file states no CRS, the numbers do not fit the one that it states, the
        axes look swapped, rows lie outside the study area, or PROJ does not say how
        far off a change of datum may be. The message names the flag.
    """
    near = None if question.near == "anywhere" else question.near
    crs, by = question.asked, "--crs"
    if crs is None:
        crs, by = question.stated, question.stated_by
    if crs is None and question.table and _may_be_degrees(question):
        from pyproj import CRS

        crs, by = CRS.from_epsg(4326), "convention"
    if crs is None:
        raise _no_crs(question)
    crs = _usable(crs, question.name)
    seen = tally(question.boxes, crs, near, swap_xy=question.swap_xy)
    if not seen.placed:
        raise ImportRefusedError(
            f"{question.name}: none of {seen.rows} rows has a place", trap="no place"
        )
    _refuse_elsewhere(question, crs, by, seen, near)
    return Placement(
        crs=crs,
        crs_by=by,
        swap_xy=question.swap_xy,
        near=near,
        change=accuracy(
            crs,
            seen,
            question.name,
            swap_xy=question.swap_xy,
            stated_m=question.uncertainty_m,
        ),
        seen=seen,
    )


def parse_crs(text: str) -> CRS:
    """Read a CRS that somebody typed.

    Parameters
    ----------
    text
        Anything that PROJ reads: ``EPSG:5179``, a number, WKT.

    Returns
    -------
    pyproj.CRS
        Not checked further.

    Raises
    ------
    ImportRefusedError
        If PROJ knows no such CRS.
    """
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(text.strip())
    except CRSError:
        raise ImportRefusedError(
            f"--crs {text[:60]!r}: PROJ knows no such CRS; expected such as EPSG:5179",
            trap="unknown CRS",
            flags=("--crs EPSG:5179",),
        ) from None


def _usable(crs: CRS, name: str) -> CRS:
    """Keep the horizontal part of a CRS, or refuse one that PROJ cannot transform."""
    from pyproj.exceptions import CRSError, ProjError

    try:
        flat = crs.to_2d()
        for part in flat.sub_crs_list:
            if part.is_projected or part.is_geographic:
                flat = part.to_2d()
                break
        if not is_lonlat(flat):
            transformer(flat.to_wkt())
    except (ProjError, CRSError):
        raise ImportRefusedError(
            f"{name}: its CRS, {crs.name[:60]!r}, has no place on the Earth that PROJ "
            "knows; say the right one: --crs EPSG:5179 or another",
            trap="unusable CRS",
            flags=("--crs EPSG:5179",),
        ) from None
    return flat


def _refuse_elsewhere(
    question: Question, crs: CRS, by: str, seen: Tally, near: Box | None
) -> None:
    """Refuse rows off the globe or where they are not expected."""
    name = question.name
    placed_well = seen.inside == seen.placed
    if placed_well or (question.drop_unplaced and seen.inside):
        return
    area = near or STUDY_AREA
    turned = tally(_some(question.boxes), crs, area, swap_xy=not question.swap_xy)
    if turned.all_inside and (near is not None or seen.off_globe):
        swap = "drop --swap-xy" if question.swap_xy else "--swap-xy"
        raise ImportRefusedError(
            f"{name}: the axes look swapped: as they stand, "
            f"{seen.placed - seen.inside} of {seen.placed} rows lie outside "
            f"{where_text(area)}; swapped, all lie inside. Say so: {swap}",
            trap="swapped axes",
            flags=(swap,),
        )
    if seen.off_globe and seen.raw is not None and crs.is_geographic:
        largest = max(abs(v) for v in seen.raw)
        if largest > _MAY_BE_DEGREES and seen.off_globe == seen.placed:
            raise _metres_as_degrees(question, by, seen, area)
    if seen.inside:
        raise _mixed(question, seen, near)
    raise _none_inside(question, crs, by, seen, area)


def _no_crs(question: Question) -> ImportRefusedError:
    """Say which CRSs would do where a file names none."""
    seen = _raw(question.boxes)
    degrees = seen is not None and max(map(abs, seen)) <= _MAY_BE_DEGREES
    area = STUDY_AREA if question.near == "anywhere" else question.near
    assert not isinstance(area, str)
    found = _fitting(question.boxes, area, degrees=degrees)
    like = "degrees" if degrees else "metres"
    start = (
        f"{question.name} names no CRS; its values look like {like}{span_text(seen)}. "
    )
    return ImportRefusedError(
        start + _choice(found, question, area),
        trap="no CRS",
        flags=tuple(c.flag for c in found) or ("--crs EPSG:…",),
    )


def _metres_as_degrees(
    question: Question, by: str, seen: Tally, area: Box
) -> ImportRefusedError:
    """Say which CRSs would do where metres are called degrees."""
    found = _fitting(question.boxes, area, degrees=False)
    who = "is by its format" if by == "format" else "says that it is"
    return ImportRefusedError(
        f"{question.name} {who} in degrees, but its values are metres"
        f"{span_text(seen.raw)}. {_choice(found, question, area)}",
        trap="metres as degrees",
        flags=tuple(c.flag for c in found) or ("--crs EPSG:…",),
    )


def _mixed(question: Question, seen: Tally, near: Box | None) -> ImportRefusedError:
    """Name the rows that lie elsewhere than most."""
    flags = ["--drop-unplaced"]
    where, rows = "off the globe", seen.off_rows
    count = seen.off_globe
    if near is not None:
        where, rows = (
            f"outside {where_text(near)}",
            (*seen.off_rows, *seen.outside_rows),
        )
        count = seen.placed - seen.inside
    way = "leave them out with --drop-unplaced"
    if near is not None and not seen.off_globe:
        flags.append("--near anywhere")
        way += ", or let them be where they are with --near anywhere"
    return ImportRefusedError(
        f"{question.name}: {count} of {seen.placed} rows lie {where}: "
        f"{rows_text(rows, count)}. Look at them; then {way}",
        trap="rows elsewhere",
        flags=tuple(flags),
    )


def _none_inside(
    question: Question, crs: CRS, by: str, seen: Tally, area: Box
) -> ImportRefusedError:
    """Say where the rows land, and what would bring them into the study area."""
    said = "given" if by == "--crs" else "stated"
    start = f"{question.name}: in {crs_text(crs)}, as {said}, "
    if seen.lonlat is None:
        start += f"no row lies on the globe{span_text(seen.raw)}. "
    else:
        start += f"no row lies inside {where_text(area)}; "
        start += f"they lie at {extent_text(seen.lonlat)}. "
    found = _fitting(question.boxes, area, degrees=crs.is_geographic)
    if found:
        chosen = _choice(found, question, area)
        return ImportRefusedError(
            start + chosen, trap="wrong CRS", flags=tuple(c.flag for c in found)
        )
    if seen.off_globe:
        return ImportRefusedError(
            f"{start}Say in which CRS the numbers are: --crs EPSG:…",
            trap="wrong CRS",
            flags=("--crs EPSG:…",),
        )
    return ImportRefusedError(
        f"{start}If that is right, say so: --near anywhere",
        trap="elsewhere",
        flags=("--near anywhere",),
    )


def _choice(found: tuple[Candidate, ...], question: Question, area: Box) -> str:
    """Say which CRSs would do and who has to choose."""
    if not found:
        return (
            f"None of the CRSs known here puts all rows inside {where_text(area)}; ask "
            "the maker of the file and say --crs EPSG:…"
        )
    rows = sum(len(some) for some in _some(question.boxes)())
    words = in_words(found, rows, where_text(area))
    return f"{words}. The maker of the file knows; this program does not choose"


def _may_be_degrees(question: Question) -> bool:
    """Tell whether all numbers of a table lie within 180 by 90, either way round."""
    seen = _raw(question.boxes)
    return seen is not None and max(map(abs, seen)) <= 180


def _raw(boxes: Boxes) -> Box | None:
    """Least and largest x and y as stored."""
    low, high = np.full(2, np.inf), np.full(2, -np.inf)
    for some in boxes():
        there = some[finite(some)]
        if len(there):
            low = np.minimum(low, there[:, :2].min(axis=0))
            high = np.maximum(high, there[:, 2:].max(axis=0))
    if not np.isfinite(low).all():
        return None
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))


def _some(boxes: Boxes) -> Boxes:
    """Keep the first rows that have a place: enough to try many CRSs on."""
    kept: list[Floats] = []
    count = 0
    for some in boxes():
        there = some[finite(some)][: _ENOUGH - count]
        kept.append(there)
        count += len(there)
        if count == _ENOUGH:
            break
    return lambda: iter(kept)


def _fitting(
    boxes: Callable[[], Iterator[Floats]], area: Box, *, degrees: bool
) -> tuple[Candidate, ...]:
    """CRSs that bring the first rows into an area."""
    return candidates(_some(boxes), area, degrees=degrees)

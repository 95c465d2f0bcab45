"""What an import did: every row, repair and column accounted for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

CAP = 50
"""So many rows of a kind are named; the others are counted."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of the file that did not come through as it stood.

    Attributes
    ----------
    row
        Its number in the file, counted from 1.
    id
        Its id or name, as far as it says one.
    why
        What was wrong; empty where the kind says all.
    """

    row: int
    id: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Rows of one kind.

    Attributes
    ----------
    count
        How many there are.
    rows
        The first :data:`CAP` of them.
    area_before_km2, area_after_km2
        Geodesic area of repaired polygons, all rows of this kind together. [km²]
    """

    count: int
    rows: tuple[Row, ...] = ()
    area_before_km2: float | None = None
    area_after_km2: float | None = None


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """What an import did.

    Attributes
    ----------
    file, size, sha256, kind, layer, layers, encoding
        The file that came: its name, length [bytes] and sum, its format, the layer
        that was read of those that there were, and the encoding of its text.
    crs_stated, crs_used, crs_by
        CRS that the file states and the one that was used, and who says so.
    swap_xy, datum
        Whether x and y were swapped; the Chinese datum that was taken back.
    operation, accuracy_m
        What PROJ did to get to WGS 84, and how far off that may be, as it states. [m]
    near
        Box in which rows were expected; empty for anywhere. [°]
    rows_in, rows_out
        Rows of the file and of the layer.
    places_from
        What the places were made of.
    mended, flattened
        What was mended at reading; heights and measures that were left out.
    repaired, dropped
        Rows by kind.
    uncertainty_from
        Of what ``uncertainty_m`` was added up.
    uncertainty_m
        Its least and largest value, and how many rows have none.
    columns, constants, kept, left_out
        Columns of the file by ours, what holds for every row, names of the columns
        that were kept, and columns that were not.
    ids
        Of what ids were made, and how many repeated ones got a number.
    lacks
        Rows that lack what :func:`layers.check_features` asks of every feature, by
        column.
    source
        Who made the file: id, title, url, licence.
    unsourced
        Whether nobody says so.
    notes
        One sentence each.
    version
        Version of this program.
    """

    file: str
    size: int
    sha256: str
    kind: str
    layer: str
    layers: tuple[str, ...]
    encoding: str
    crs_stated: str | None
    crs_used: str
    crs_by: str
    swap_xy: bool
    datum: str
    operation: str
    accuracy_m: float | None
    near: tuple[float, ...]
    rows_in: int
    rows_out: int
    places_from: str
    mended: dict[str, int] = field(default_factory=dict)
    flattened: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, Kind] = field(default_factory=dict)
    dropped: dict[str, Kind] = field(default_factory=dict)
    uncertainty_from: tuple[str, ...] = ()
    uncertainty_m: dict[str, float | None] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    constants: dict[str, Any] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    ids: dict[str, Any] = field(default_factory=dict)
    lacks: dict[str, int] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    unsourced: bool = False
    notes: tuple[str, ...] = ()
    version: str = ""

    def to_json(self) -> str:
        """Write the report as JSON, the same for the same file and flags.

        Returns
        -------
        str
            Two blanks a level, keys in the order of the attributes.
        """
        return json.dumps(asdict(self), ensure_ascii=False, indent=2) + "\n"

    def __str__(self) -> str:
        """Write the report for people, without control characters from the file."""
        return "\n".join(_plain(line) for line in _lines(self))


def _lines(report: ImportReport) -> list[str]:
    """Lines of a report."""
    r = report
    layer = f", layer {r.layer}" if len(r.layers) > 1 else ""
    lines = [
        f"{r.file} ({r.kind}{layer}, {r.size:,} bytes, SHA-256 {r.sha256[:16]}…)",
        f"rows        {r.rows_in:,} in, {r.rows_out:,} out",
        f"places      {r.places_from}",
        f"CRS         {_crs(r)}",
    ]
    if r.operation:
        worth = f"{r.accuracy_m:g} m" if r.accuracy_m is not None else "not stated"
        lines.append(f"change      {r.operation}; accuracy {worth}")
    if r.datum:
        lines.append(f"datum       {r.datum}, taken back to WGS 84")
    if r.encoding:
        lines.append(f"encoding    {r.encoding}")
    for what, count in {**r.mended, **r.flattened}.items():
        lines.append(f"mended      {count:,} {what}")
    for what, kind in r.repaired.items():
        lines.append(f"repaired    {_kind(what, kind)}")
    for what, kind in r.dropped.items():
        lines.append(f"dropped     {_kind(what, kind)}")
    lines.append(f"uncertainty {_uncertainty(r)}")
    for ours, theirs in r.columns.items():
        lines.append(f"column      {ours} = {theirs}")
    for ours, value in r.constants.items():
        lines.append(f"constant    {ours} = {value}")
    if r.kept:
        lines.append(f"kept        {', '.join(_kept(r.kept))}")
    if r.left_out:
        lines.append(f"left out    {', '.join(r.left_out)}")
    lines.append(f"ids         {_ids(r)}")
    lines.append(f"source      {_source(r)}")
    if r.lacks:
        lacks = ", ".join(f"{c} in {n:,} rows" for c, n in r.lacks.items())
        lines.append(f"lacks       {lacks}; a --mapping can fill them (see --draft)")
    lines += [f"note        {note}" for note in r.notes]
    return lines


def _crs(report: ImportReport) -> str:
    """Say which CRS was used, and who says so."""
    by = {
        "file": "as the file states",
        "format": "as its format has it",
        "convention": "as degrees in a table are by convention",
        "--crs": f"as given; the file states {report.crs_stated or 'none'}",
    }
    swapped = ", x and y swapped" if report.swap_xy else ""
    return f"{report.crs_used}, {by.get(report.crs_by, report.crs_by)}{swapped}"


def _kind(what: str, kind: Kind) -> str:
    """Write the rows of a kind."""
    shown = [f"{row.row}{f' ({row.id})' if row.id else ''}" for row in kind.rows[:10]]
    more = f" and {kind.count - len(shown):,} more" if kind.count > len(shown) else ""
    area = ""
    if kind.area_before_km2 is not None and kind.area_after_km2 is not None:
        area = f"; area {kind.area_before_km2:.6g} to {kind.area_after_km2:.6g} km²"
    rows = "row" if kind.count == 1 else "rows"
    return f"{what}: {kind.count:,} {rows}: {', '.join(shown)}{more}{area}"


def _uncertainty(report: ImportReport) -> str:
    """Say of what the uncertainty was added up, and what it comes to."""
    told = report.uncertainty_m
    if told.get("least") is None:
        return "nothing says how far off places may be; uncertainty_m is empty"
    span = f"{told['least']:.6g} to {told['most']:.6g} m"
    lacking = told.get("rows_without")
    without = f"; {lacking:,.0f} rows without" if lacking else ""
    return f"{span}, from {' + '.join(report.uncertainty_from)}{without}"


def _kept(kept: dict[str, str]) -> list[str]:
    """Write the names of columns that were kept."""
    return [c if c == name else f"{c} (as {name})" for c, name in kept.items()]


def _ids(report: ImportReport) -> str:
    """Say of what ids were made."""
    repeated = report.ids.get("repeated", 0)
    numbered = f"; {repeated:,} repeated ones got a number" if repeated else ""
    return f"from {report.ids.get('from', 'row numbers')}{numbered}"


def _source(report: ImportReport) -> str:
    """Write who made the file."""
    said = [value for value in report.source.values() if value]
    if said:
        return ", ".join(said)
    return "none: marked as unsourced" if report.unsourced else "as each row says"


def _plain(line: str) -> str:
    """Write a line without what could move a cursor or turn a line round."""
    return "".join(
        c
        if c.isprintable() and c not in "\u202a\u202b\u202d\u202e\u2066\u2067"
        else " "
        for c in line
    )

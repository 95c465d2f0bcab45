"""Rows counted as they go: dropped, repaired, kept."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layers.importing import repairs
from layers.importing.report import CAP, Kind, Row

if TYPE_CHECKING:
    import pyarrow as pa

    from layers.importing.coordinates import Wrong


@dataclass(kw_only=True)
class Rows:
    """Rows of one kind, as they come."""

    count: int = 0
    rows: list[Row] = field(default_factory=list)
    before_km2: float = 0.0
    after_km2: float = 0.0
    measured: bool = False

    def add(self, row: int, label: str, why: str = "") -> None:
        """Count a row, and name it if few were named."""
        self.count += 1
        if len(self.rows) < CAP:
            self.rows.append(Row(row=row, id=label, why=why))

    def kind(self) -> Kind:
        """Return the rows as a record of the report."""
        return Kind(
            count=self.count,
            rows=tuple(self.rows),
            area_before_km2=self.before_km2 if self.measured else None,
            area_after_km2=self.after_km2 if self.measured else None,
        )


@dataclass(kw_only=True)
class Account:
    """What became of the rows of a file.

    Attributes
    ----------
    dropped, repaired
        Rows by kind.
    flattened
        Rows whose heights or measures were left out.
    unread_rows
        Numbers of rows whose place cannot be read.
    rows_out
        Rows of the layer so far.
    least_m, most_m, without_m
        Least and largest uncertainty so far, and rows without. [m]
    notes
        One sentence each.
    """

    dropped: dict[str, Rows] = field(default_factory=dict)
    repaired: dict[str, Rows] = field(default_factory=dict)
    flattened: Counter[str] = field(default_factory=Counter)
    unread_rows: set[int] = field(default_factory=set)
    rows_out: int = 0
    least_m: float | None = None
    most_m: float | None = None
    without_m: int = 0
    notes: list[str] = field(default_factory=list)

    def unread(self, row: int, label: str, wrong: Wrong) -> None:
        """Count a row whose place cannot be read, once."""
        if row in self.unread_rows:
            return
        self.unread_rows.add(row)
        rows = self.dropped.setdefault(repairs.UNREADABLE, Rows())
        rows.add(row, label, f"{wrong.text!r} {wrong.why}")

    def drop(self, row: int, label: str, kind: str) -> None:
        """Count a row that is left out."""
        self.dropped.setdefault(kind, Rows()).add(row, label)

    def repair(
        self,
        row: int,
        label: str,
        kinds: list[str],
        areas_km2: tuple[float, float] | None,
    ) -> None:
        """Count a row that was changed; its area belongs to the last change."""
        for kind in kinds:
            self.repaired.setdefault(kind, Rows()).add(row, label)
        if areas_km2 is not None:
            rows = self.repaired[kinds[-1]]
            rows.before_km2 += areas_km2[0]
            rows.after_km2 += areas_km2[1]
            rows.measured = True

    def add_rows(self, table: pa.Table) -> None:
        """Count rows that stay, and how well they are located."""
        import pyarrow.compute as pc

        self.rows_out += table.num_rows
        column = table.column("uncertainty_m")
        self.without_m += column.null_count
        span = pc.min_max(column).as_py()
        if span["min"] is not None:
            least, most = span["min"], span["max"]
            self.least_m = least if self.least_m is None else min(self.least_m, least)
            self.most_m = most if self.most_m is None else max(self.most_m, most)

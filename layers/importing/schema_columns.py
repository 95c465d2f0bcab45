"""The columns of a file, brought into our schema batch by batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import ImportRefusedError
from layers.importing.slugs import Slugs
from layers.schema import FEATURE_COLUMNS, PRECISION, STATUS

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from layers.importing.mapping import Mapping, Origin
    from layers.importing.place_columns import PlaceColumns

    Floats = NDArray[np.float64]

_RESERVED = frozenset({"geometry", "geom", "fid", "ogc_fid", "rowid"})
_LARGEST_RADIUS_M = 2.1e7


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which column becomes which.

    Attributes
    ----------
    mapped
        Columns of the file, by ours.
    kept
        Names in the layer, by the file's other columns.
    dropped
        Columns of the file that do not come along, those of places among them.
    """

    mapped: dict[str, str]
    kept: dict[str, str]
    dropped: tuple[str, ...]


def plan_columns(
    name: str, columns: Sequence[str], places: PlaceColumns, mapping: Mapping
) -> Plan:
    """Decide which column becomes which.

    Parameters
    ----------
    name
        What to call the file in a message.
    columns
        Columns of the file.
    places
        Those of them that hold places.
    mapping
        What the caller says; a column that has one of our names is ours unless the
        mapping says otherwise.

    Returns
    -------
    Plan
        Each column of the file is in one part of it.

    Raises
    ------
    ImportRefusedError
        If the mapping names a column that the file lacks.
    """
    asked = [
        *mapping.columns.values(),
        *(mapping.others.keep or ()),
        *mapping.others.drop,
    ]
    if mapping.read.datum_column is not None:
        asked.append(mapping.read.datum_column)
    for column in asked:
        if column not in columns:
            shown = ", ".join(c[:40] for c in columns[:12])
            raise ImportRefusedError(
                f"{name} has no column {column[:60]!r}, which the mapping names; it "
                f"has {shown}",
                trap="no such column",
            )
    mapped = {
        column: column
        for column in columns
        if column in FEATURE_COLUMNS
        and column not in mapping.columns
        and column not in mapping.constants
        and column not in mapping.columns.values()
        and column not in places.names
    }
    mapped |= mapping.columns
    others = [
        column
        for column in columns
        if column not in mapped.values() and column not in places.names
    ]
    if mapping.others.keep is not None:
        kept = [c for c in others if c in mapping.others.keep]
    else:
        kept = [c for c in others if c not in mapping.others.drop]
    dropped = tuple(c for c in columns if c not in mapped.values() and c not in kept)
    return Plan(mapped=mapped, kept=_renamed(kept), dropped=dropped)


@dataclass(kw_only=True)
class SchemaColumns:
    """Brings batches into our schema, and remembers what was said of them.

    Attributes
    ----------
    name
        What to call the file in a message, and of what ids are made.
    plan
        Which column becomes which.
    mapping
        Constants and the meaning of values.
    origin
        Who made the file.
    protocol
        How places were found, where a row does not say so itself.
    blank
        Rows that lack something, by column.
    """

    name: str
    plan: Plan
    mapping: Mapping
    origin: Origin
    protocol: str
    blank: Counter[str] = field(default_factory=Counter)
    slugs: Slugs = field(init=False)
    _repeated: dict[str | None, pa.Array] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        """Begin with no id given out."""
        self.slugs = Slugs(self.name.partition(".")[0])

    def apply(
        self, batch: pa.RecordBatch, radius_m: Floats, numbers: NDArray[np.int64]
    ) -> pa.Table:
        """Bring rows into our schema.

        Parameters
        ----------
        batch
            Rows that stay, with the columns of the file.
        radius_m
            What the place itself says of its uncertainty; NaN where nothing. [m]
        numbers
            Numbers of the rows in the file, counted from 1.

        Returns
        -------
        pyarrow.Table
            :data:`layers.schema.FEATURE_COLUMNS`, then the columns that were kept.
            What is missing is null.

        Raises
        ------
        ImportRefusedError
            If a status, a precision code or an uncertainty is none; the message names
            row and column.
        """
        import pyarrow as pa

        columns: dict[str, Any] = {}
        for ours in FEATURE_COLUMNS:
            if ours == "id":
                columns[ours] = self._ids(batch, numbers)
            elif ours == "uncertainty_m":
                columns[ours] = self._uncertainty(batch, radius_m, numbers)
            elif ours == "precision_code":
                columns[ours] = self._precision(batch, numbers)
            else:
                columns[ours] = self._text(ours, batch, numbers)
        for theirs, here in self.plan.kept.items():
            columns[here] = batch.column(theirs)
        self._count_blank(columns)
        return pa.table(columns)

    def _cells(self, ours: str, batch: pa.RecordBatch) -> pa.Array:
        """Cells for one of our columns as text, as the mapping has them mean.

        What is blank is null.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        theirs = self.plan.mapped.get(ours)
        if theirs is None:
            constant = self.mapping.constants.get(ours)
            text = None if constant is None else str(constant) or None
            return self._same(text, batch.num_rows)
        column = batch.column(theirs)
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            cells = pc.utf8_trim_whitespace(column.cast(pa.string()))
        else:
            plain = [_text(cell) for cell in column.to_pylist()]
            cells = pa.array(plain, pa.string())
        means = {k: str(v) for k, v in self.mapping.values.get(ours, {}).items()}
        if means:
            plain = [means.get(c, c) for c in cells.to_pylist()]
            cells = pa.array(plain, pa.string())
        blank = pc.equal(cells, "")
        if not pc.any(blank, min_count=0).as_py():
            return cells
        return pc.if_else(blank, pa.scalar(None, pa.string()), cells)

    def _same(self, text: str | None, rows: int) -> pa.Array:
        """One text in every row; batch after batch shares it."""
        import pyarrow as pa

        if len(self._repeated.get(text, ())) < rows:
            self._repeated[text] = pa.repeat(pa.scalar(text, pa.string()), rows)
        return self._repeated[text][:rows]

    def _text(
        self, ours: str, batch: pa.RecordBatch, numbers: NDArray[np.int64]
    ) -> pa.Array:
        """One column of text."""
        import pyarrow.compute as pc

        cells = self._cells(ours, batch)
        if ours == "status":
            self._refuse_unknown(ours, cells, numbers, STATUS)
        default = ""
        if ours == "sources":
            default = self.origin.id or self.origin.title
        elif ours == "georeference_protocol":
            default = self.protocol
        if not default or not cells.null_count:
            return cells
        if cells.null_count == len(cells):
            return self._same(default, len(cells))
        return pc.fill_null(cells, default)

    def _ids(self, batch: pa.RecordBatch, numbers: NDArray[np.int64]) -> pa.Array:
        """Ids out of a column, or out of row numbers."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if "id" not in self.plan.mapped:
            return pc.binary_join_element_wise(
                self.slugs.stem, pa.array(numbers).cast(pa.string()), "-"
            )
        return self.slugs.make_all(self._cells("id", batch), numbers.tolist())

    def _precision(self, batch: pa.RecordBatch, numbers: NDArray[np.int64]) -> pa.Array:
        """Codes of geographical precision."""
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = self._cells("precision_code", batch)
        if cells.null_count == len(cells):
            return pa.nulls(len(cells), pa.int64())
        plain = pc.replace_substring_regex(cells, r"\.0$", "")
        self._refuse_unknown("precision_code", plain, numbers, PRECISION)
        return plain.cast(pa.int64())

    def _uncertainty(
        self, batch: pa.RecordBatch, radius_m: Floats, numbers: NDArray[np.int64]
    ) -> pa.Array:
        """Uncertainty: what the rows say of it and what their places say, added up.

        Each bounds an error of its own, and the errors may point the same way; the
        point-radius method adds them (Wieczorek and others 2004, 10.1080/
        13658810412331280211).
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        cells = self._cells("uncertainty_m", batch)
        if cells.null_count == len(cells) and np.isnan(radius_m).all():
            return pa.nulls(len(cells), pa.float64())
        said = np.full(batch.num_rows, np.nan)
        if cells.null_count < len(cells):
            plain = pc.replace_substring(cells, ",", "")
            said = _numbers(plain)
            bad = ~plain.is_null().to_numpy(zero_copy_only=False)
            bad &= ~((said >= 0) & (said <= _LARGEST_RADIUS_M))
            if bad.any():
                i = int(bad.argmax())
                column = self.plan.mapped.get("uncertainty_m", "uncertainty_m")
                raise ImportRefusedError(
                    f"{self.name}, row {numbers[i]}, column {column}: "
                    f"{cells[i].as_py()[:40]!r} is no uncertainty; expected metres. "
                    "Mend it, or leave the column out with a --mapping",
                    trap="uncertainty",
                    flags=("--mapping FILE",),
                )
            said[said == 0] = np.nan  # that of nothing is one that nobody stated
        parts = np.column_stack([said, radius_m])
        total = np.where(np.isnan(parts).all(axis=1), np.nan, np.nansum(parts, axis=1))
        return pa.array(total, pa.float64(), from_pandas=True)

    def _refuse_unknown(
        self,
        ours: str,
        cells: pa.Array,
        numbers: NDArray[np.int64],
        allowed: dict[Any, str],
    ) -> None:
        """Refuse a value that means nothing here."""
        if cells.null_count == len(cells):
            return
        known = {str(value) for value in allowed} | {None}
        if not set(cells.unique().to_pylist()) - known:
            return
        strange: dict[str, int] = {}
        for cell, number in zip(cells.to_pylist(), numbers.tolist(), strict=True):
            if cell not in known:
                strange.setdefault(cell, number)
        first = next(iter(strange))
        shown = ", ".join(repr(c[:30]) for c in list(strange)[:6])
        raise ImportRefusedError(
            f"{self.name}, row {strange[first]}: {ours} {shown} is none of "
            f"{', '.join(map(str, allowed))}. Say in a --mapping what it means: "
            f"[values.{ours}] with a line {first[:30]!r} = …",
            trap="value without meaning",
            flags=("--mapping FILE",),
        )

    def _count_blank(self, columns: dict[str, Any]) -> None:
        """Remember how many rows lack what every feature must say of itself."""
        for ours in _MUST:
            if columns[ours].null_count:
                self.blank[ours] += columns[ours].null_count


_MUST = ("name", "kind", "uncertainty_m", "precision_code", "status", "sources")


def _text(cell: Any) -> str:
    """Write a cell as text."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    return str(cell).strip()


def _numbers(cells: pa.Array) -> Floats:
    """Numbers out of text; NaN for what is none."""
    import pandas as pd

    return np.array(pd.to_numeric(cells.to_pandas(), errors="coerce"), np.float64)


def _renamed(kept: Sequence[str]) -> dict[str, str]:
    """Names that no other column has, whatever its case: formats fold it."""
    taken = {ours.casefold() for ours in FEATURE_COLUMNS} | _RESERVED
    names: dict[str, str] = {}
    for column in kept:
        name = column.strip() or "column"
        while name.casefold() in taken:
            name = f"{name}_"
        taken.add(name.casefold())
        names[column] = name
    return names

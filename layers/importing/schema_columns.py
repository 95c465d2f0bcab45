"""The columns of a file, brought into our schema batch by batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import ImportRefusedError
from layers.importing.slugs import Slugs
from layers.schema import FEATURE_COLUMNS, PRECISION, STATUS, TEXT_COLUMNS

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
            Text that is missing is empty.

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
                columns[ours] = pa.array(self._ids(batch, numbers), pa.string())
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

    def _cells(self, ours: str, batch: pa.RecordBatch) -> list[Any]:
        """Cells for one of our columns, as the mapping has them mean."""
        constant = self.mapping.constants.get(ours)
        if ours not in self.plan.mapped:
            return [constant] * batch.num_rows
        cells: list[Any] = batch.column(self.plan.mapped[ours]).to_pylist()
        means = self.mapping.values.get(ours)
        if not means:
            return cells
        return [means.get(_text(cell), cell) for cell in cells]

    def _text(
        self, ours: str, batch: pa.RecordBatch, numbers: NDArray[np.int64]
    ) -> pa.Array:
        """One column of text."""
        import pyarrow as pa

        default = ""
        if ours == "sources":
            default = self.origin.id or self.origin.title
        elif ours == "georeference_protocol":
            default = self.protocol
        known = ours in self.plan.mapped or ours in self.mapping.constants
        if not known:
            return pa.repeat(pa.scalar(default, pa.string()), batch.num_rows)
        cells = [_text(cell) or default for cell in self._cells(ours, batch)]
        if ours == "status":
            self._refuse_unknown(ours, cells, numbers, STATUS)
        return pa.array(cells, pa.string())

    def _ids(self, batch: pa.RecordBatch, numbers: NDArray[np.int64]) -> list[str]:
        """Ids out of a column, or out of row numbers."""
        if "id" not in self.plan.mapped:
            stem = self.slugs.numbered(0, 1)[0].rpartition("-")[0]
            return [f"{stem}-{number}" for number in numbers.tolist()]
        cells = self._cells("id", batch)
        return [
            self.slugs.make(_text(cell), int(number))
            for cell, number in zip(cells, numbers, strict=True)
        ]

    def _precision(self, batch: pa.RecordBatch, numbers: NDArray[np.int64]) -> pa.Array:
        """Codes of geographical precision."""
        import pyarrow as pa

        cells = [_text(cell) for cell in self._cells("precision_code", batch)]
        plain = [cell.removesuffix(".0") for cell in cells]
        self._refuse_unknown("precision_code", plain, numbers, PRECISION)
        return pa.array([int(c) if c else None for c in plain], pa.int64())

    def _uncertainty(
        self, batch: pa.RecordBatch, radius_m: Floats, numbers: NDArray[np.int64]
    ) -> pa.Array:
        """Uncertainty: what the rows say of it and what their places say, added up.

        Each bounds an error of its own, and the errors may point the same way; the
        point-radius method adds them (Wieczorek and others 2004, 10.1080/
        13658810412331280211).
        """
        import pyarrow as pa

        said = np.full(batch.num_rows, np.nan)
        if (
            "uncertainty_m" in self.plan.mapped
            or "uncertainty_m" in self.mapping.constants
        ):
            cells = self._cells("uncertainty_m", batch)
            for i, cell in enumerate(cells):
                text = _text(cell).replace(",", "")
                if not text:
                    continue
                try:
                    said[i] = float(text)
                except ValueError:
                    said[i] = -1.0
                if not 0 <= said[i] <= _LARGEST_RADIUS_M:
                    raise ImportRefusedError(
                        f"{self.name}, row {numbers[i]}, column "
                        f"{self.plan.mapped.get('uncertainty_m', 'uncertainty_m')}: "
                        f"{text[:40]!r} is no uncertainty; expected metres. Mend it, "
                        "or leave the column out with a --mapping",
                        trap="uncertainty",
                        flags=("--mapping FILE",),
                    )
            said[said == 0] = (
                np.nan
            )  # an uncertainty of nothing is one that nobody said
        parts = np.column_stack([said, radius_m])
        total = np.where(np.isnan(parts).all(axis=1), np.nan, np.nansum(parts, axis=1))
        return pa.array(total, pa.float64(), from_pandas=True)

    def _refuse_unknown(
        self,
        ours: str,
        cells: list[str],
        numbers: NDArray[np.int64],
        allowed: dict[Any, str],
    ) -> None:
        """Refuse a value that means nothing here."""
        known = {str(value) for value in allowed} | {""}
        strange: dict[str, int] = {}
        for cell, number in zip(cells, numbers.tolist(), strict=True):
            if cell not in known:
                strange.setdefault(cell, number)
        if not strange:
            return
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
        import pyarrow.compute as pc

        for ours in _MUST:
            column = columns[ours]
            empty = pc.equal(column, "") if ours in TEXT_COLUMNS else pc.is_null(column)
            count = pc.sum(empty).as_py() or 0
            if count:
                self.blank[ours] += count


_MUST = ("name", "kind", "uncertainty_m", "precision_code", "status", "sources")


def _text(cell: Any) -> str:
    """Write a cell as text."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    return str(cell).strip()


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

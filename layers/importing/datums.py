"""Which rows are drawn in a Chinese datum: all, as told, or as a column says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from layers.errors import ImportRefusedError
from layers.importing.china import Datum, from_datum
from layers.importing.place_columns import plain_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    from layers.importing.mapping import Reading

    Floats = NDArray[np.float64]

_CHINESE: dict[str, Datum] = {"GCJ02": "GCJ-02", "BD09": "BD-09", "BD09LL": "BD-09"}
_WGS84 = frozenset({"", "WGS84", "WGS1984", "EPSG4326", "4326"})


@dataclass(frozen=True, kw_only=True)
class DatumColumn:
    """The Chinese datum of each row.

    Attributes
    ----------
    one
        Of all rows; None if a column says it.
    column
        Column of the file that says it; None if all rows have one.
    rows
        Of some rows, shape ``(n,)``; empty for WGS 84. None before they are read.
    """

    one: Datum | None = None
    column: str | None = None
    rows: NDArray[np.object_] | None = None

    @property
    def names(self) -> str:
        """What to call it."""
        return self.one or f"datums as column {self.column} says"

    def batch(self, batch: pa.RecordBatch) -> DatumColumn:
        """Read the datum of each row of a batch."""
        if self.column is None:
            return self
        cells = batch.column(self.column).to_pylist()
        rows = np.array(
            [_CHINESE.get(_plain(cell), "") for cell in cells], dtype=object
        )
        return replace(self, rows=rows)

    def at(self, owner: NDArray[np.int64]) -> DatumColumn:
        """Return the datum of each coordinate, by its row."""
        return self if self.rows is None else replace(self, rows=self.rows[owner])

    def undone(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
        """Take the shift back.

        Parameters
        ----------
        lon, lat
            On the map, shape ``(n,)``. [°]

        Returns
        -------
        tuple of numpy.ndarray
            On WGS 84. [°]
        """
        if self.one is not None:
            return from_datum(lon, lat, self.one)
        assert self.rows is not None
        lon, lat = lon.copy(), lat.copy()
        for datum in ("GCJ-02", "BD-09"):
            which = self.rows == datum
            lon[which], lat[which] = from_datum(lon[which], lat[which], datum)
        return lon, lat


def datums_of(
    name: str,
    columns: Sequence[str],
    read: Reading,
    cells: Callable[[str], Iterable[str | None]],
) -> DatumColumn | None:
    """Find what says that rows are drawn in a Chinese datum; it is never guessed.

    Parameters
    ----------
    name
        What to call the file in a message.
    columns
        Columns of the file.
    read
        What the caller says.
    cells
        Gives the cells of a column.

    Returns
    -------
    DatumColumn or None
        None if nothing says so.

    Raises
    ------
    ImportRefusedError
        If a column ``datum`` names one that is neither Chinese nor WGS 84 and the
        caller names no CRS.
    """
    if read.datum is not None:
        return DatumColumn(one=read.datum)
    column = read.datum_column or next(
        (c for c in columns if plain_name(c) in {"datum", "측지계", "坐标系"}), None
    )
    if column is None:
        return None
    said = {_plain(cell): cell for cell in cells(column)}
    strange = [str(said[key]) for key in said if key not in _WGS84 | _CHINESE.keys()]
    if strange and read.crs is None:
        raise ImportRefusedError(
            f"{name}: column {column[:40]} says {strange[0][:40]!r}; expected GCJ-02, "
            "BD-09 or WGS 84. Say the CRS of these places: --crs EPSG:…",
            trap="datum",
            flags=("--crs EPSG:…",),
        )
    if said.keys() & _CHINESE.keys():
        return DatumColumn(column=column)
    return None


def _plain(cell: object) -> str:
    """Write the name of a datum in its plainest form."""
    text = "" if cell is None else str(cell)
    return "".join(c for c in text.upper() if c.isalnum())

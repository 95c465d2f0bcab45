"""Geometries of the rows that stay: brought to WGS 84, mended, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from layers.errors import ImportRefusedError
from layers.importing import repairs
from layers.importing.candidates import finite
from layers.importing.places import Places, point_wkb

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from numpy.typing import NDArray

    from layers.importing.account import Account
    from layers.importing.datums import DatumColumn
    from layers.importing.placing import Placement


class Kept(NamedTuple):
    """The rows of a batch that stay: with neither of the last two, all as they are."""

    keep: NDArray[np.bool_]
    """Whether each row stays, shape ``(n,)``."""
    wkb: pa.Array | None = None
    """Geometries of those that do, as WKB."""
    shapes: NDArray[np.object_] | None = None
    """The same, as geometries."""


def to_wkb(shapes: NDArray[np.object_] | None) -> pa.Array:
    """Write geometries as WKB.

    Parameters
    ----------
    shapes
        None of them missing, shape ``(n,)``.

    Returns
    -------
    pyarrow.BinaryArray
        Shape ``(n,)``.
    """
    import pyarrow as pa
    import shapely

    text = shapely.to_wkb(shapes, flavor="iso", byte_order=1)
    return pa.array(text, pa.binary())


class Geometries:
    """Makes the geometries of a layer, and accounts for what becomes of them.

    Parameters
    ----------
    name
        What to call the file in a message.
    placement
        How places are brought to WGS 84.
    account
        Where repairs and rows that are left out are counted.
    label
        Gives the id or the name of a row of a batch.
    as_stored
        Whether places are the geometries of the file.
    repair
        Whether anything may be mended or left out.
    """

    def __init__(
        self,
        *,
        name: str,
        placement: Placement,
        account: Account,
        label: Callable[[pa.RecordBatch, int], str],
        as_stored: bool,
        repair: bool,
    ) -> None:
        self._name, self._placement, self._account = name, placement, account
        self._label, self._as_stored, self._repair = label, as_stored, repair

    def of(
        self,
        batch: pa.RecordBatch,
        places: Places,
        first: int,
        datum: DatumColumn | None,
    ) -> Kept:
        """Make the geometries of some rows.

        Parameters
        ----------
        batch
            The rows, as they are in the file.
        places
            Their places.
        first
            Number of the first row in the file, counted from 1.
        datum
            Datum of each row, where it is not that of the file.

        Returns
        -------
        Kept
            Rows that stay, and their geometries where any of them is new.

        Raises
        ------
        ImportRefusedError
            If a geometry needs mending and nothing may be mended.
        """
        make = self._points if places.shapes is None else self._shapes
        return make(batch, places, first, datum)

    def _points(
        self,
        batch: pa.RecordBatch,
        places: Places,
        first: int,
        datum: DatumColumn | None,
    ) -> Kept:
        """Points that stay."""
        assert places.x is not None
        assert places.y is not None
        expected = self._placement.expected(places.boxes())
        if not expected.all():
            blank = np.isnan(places.x) & np.isnan(places.y)
            whole = np.isfinite(places.x) & np.isfinite(places.y)
            dropped = np.full(len(expected), repairs.ELSEWHERE, dtype=object)
            dropped[~whole] = repairs.NOT_FINITE
            dropped[blank] = repairs.EMPTY
            dropped[places.missing] = repairs.MISSING
            kinds = {int(row): str(dropped[row]) for row in np.flatnonzero(~expected)}
            self._refuse_mending(first, kinds)
            self._drop(batch, first, kinds)
        if self._placement.changes_nothing and datum is None:
            if expected.all() and self._as_stored:
                return Kept(expected)
            return Kept(expected, point_wkb(places.x[expected], places.y[expected]))
        lon, lat = self._placement.lonlat(places.x, places.y)
        if datum is not None:
            lon, lat = datum.undone(lon, lat)
        return Kept(expected, point_wkb(lon[expected], lat[expected]))

    def _shapes(
        self,
        batch: pa.RecordBatch,
        places: Places,
        first: int,
        datum: DatumColumn | None,
    ) -> Kept:
        """Shapes that stay, mended."""
        import pyarrow as pa
        import shapely

        assert places.shapes is not None
        boxes = places.boxes()
        elsewhere = finite(boxes) & ~self._placement.expected(boxes)
        shapes = places.shapes.copy()
        plain = np.zeros(len(shapes), dtype=bool)
        if places.outlines is not None:
            plain = places.outlines.plain & ~elsewhere
            if not self._placement.changes_nothing or datum is not None:
                shapes[plain] = places.outlines.shapes(plain)
                plain[:] = False
        shapes[elsewhere] = None
        mended = self._mended(shapes, plain, datum)
        for row in map(int, np.flatnonzero(elsewhere)):
            mended.dropped[row] = repairs.ELSEWHERE
        self._account.flattened += mended.flattened
        self._refuse_mending(
            first, mended.dropped | {r: k[0] for r, k in mended.repaired.items()}
        )
        self._drop(batch, first, mended.dropped)
        for row, kinds in mended.repaired.items():
            areas = mended.areas_km2.get(row)
            self._account.repair(first + row, self._label(batch, row), kinds, areas)
        there = np.asarray(~shapely.is_missing(mended.shapes), dtype=bool)
        keep = there | plain
        if plain.all():
            return Kept(keep)
        if not plain.any():
            return Kept(keep, shapes=mended.shapes[there])
        changed = to_wkb(mended.shapes[there])
        column = batch.column("geometry")
        order = np.empty(len(keep), np.int64)
        order[plain] = np.arange(plain.sum())
        order[there] = plain.sum() + np.arange(there.sum())
        both = pa.concat_arrays([column.filter(pa.array(plain)), changed])
        return Kept(keep, both.take(pa.array(order[keep])))

    def _mended(
        self,
        shapes: NDArray[np.object_],
        plain: NDArray[np.bool_],
        datum: DatumColumn | None,
    ) -> repairs.Mended:
        """Mend the shapes of rows that are not known to need no mending."""
        if not plain.any():
            return repairs.mend(self._on_wgs84(shapes, datum))
        rows = np.flatnonzero(~plain)
        some = repairs.mend(shapes[rows])
        found = repairs.Mended(shapes=np.full(len(shapes), None, dtype=object))
        found.shapes[rows] = some.shapes
        found.dropped = {int(rows[i]): kind for i, kind in some.dropped.items()}
        found.repaired = {int(rows[i]): kinds for i, kinds in some.repaired.items()}
        found.areas_km2 = {int(rows[i]): pair for i, pair in some.areas_km2.items()}
        found.flattened = some.flattened
        return found

    def _on_wgs84(
        self, shapes: NDArray[np.object_], datum: DatumColumn | None
    ) -> NDArray[np.object_]:
        """Shapes in longitude and latitude; their heights stay as they are."""
        import shapely

        if self._placement.changes_nothing and datum is None:
            return shapes
        flat = shapely.force_2d(shapes)
        xy, owner = shapely.get_coordinates(flat, return_index=True)
        lon, lat = self._placement.lonlat(xy[:, 0], xy[:, 1])
        if datum is not None:
            lon, lat = datum.at(owner).undone(lon, lat)
        for what, where in (
            (repairs.HEIGHTS, shapely.has_z(shapes)),
            (repairs.MEASURES, shapely.has_m(shapes)),
        ):
            if where.any():
                self._account.flattened[what] += int(where.sum())
        return np.asarray(shapely.set_coordinates(flat, np.column_stack([lon, lat])))

    def _drop(self, batch: pa.RecordBatch, first: int, kinds: dict[int, str]) -> None:
        """Account for rows that are left out."""
        for row, kind in kinds.items():
            if first + row not in self._account.unread_rows:
                self._account.drop(first + row, self._label(batch, row), kind)

    def _refuse_mending(self, first: int, kinds: dict[int, str]) -> None:
        """Refuse to mend or leave out rows where nothing may be."""
        unread = self._account.unread_rows
        wrong = {
            first + row: kind
            for row, kind in kinds.items()
            if kind != repairs.ELSEWHERE and first + row not in unread
        }
        if self._repair or not wrong:
            return
        row = min(wrong)
        more = f", and {len(wrong) - 1} rows near it" if len(wrong) > 1 else ""
        raise ImportRefusedError(
            f"{self._name}, row {row}: {wrong[row]}{more}; nothing may be mended or "
            "left out: drop --no-repair, and the report names each such row",
            trap="geometry",
            flags=("drop --no-repair",),
        )

"""From the rows of a file to rows of a layer: placed, mended, described, counted."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from layers.errors import ImportRefusedError
from layers.importing import repairs
from layers.importing.account import Account
from layers.importing.ahead import shapes_of
from layers.importing.candidates import STUDY_AREA
from layers.importing.datums import datums_of
from layers.importing.geometries import Geometries, Kept, to_wkb
from layers.importing.mapping import check_origin
from layers.importing.place_columns import PlaceColumns, find_columns, given_columns
from layers.importing.places import Places, read_places
from layers.importing.placing import Placement, Question, parse_crs, place
from layers.importing.schema_columns import Plan, SchemaColumns, plan_columns
from layers.importing.uncertainty import radii_m

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from numpy.typing import NDArray
    from pyproj import CRS

    from layers.importing.ahead import Ahead
    from layers.importing.mapping import Mapping
    from layers.importing.raw import RawFile

    Progress = Callable[[int, int], None]

_KEPT_AT_MOST = 300_000
_LOOKED_AT = 200


class Pipeline:
    """Turns the rows of one file into rows of a layer, some at a time.

    Everything that can be refused before a row is written is refused when it is
    made: columns, source, CRS, places that cannot be read.
    """

    def __init__(
        self,
        raw: RawFile,
        name: str,
        mapping: Mapping,
        *,
        unsourced: bool = False,
        progress: Progress | None = None,
        ahead: Ahead | None = None,
    ) -> None:
        """Look at all rows once, and find how they are placed.

        Parameters
        ----------
        raw
            Rows as they stand in the file.
        name
            What to call the file in a message.
        mapping
            How it is read, with the flags in it.
        unsourced
            Whether it may lack a source.
        progress
            Called with the rows looked at or done, and twice the number of rows.
        ahead
            What is known of the rows already.

        Raises
        ------
        ImportRefusedError
            If anything is not proved; the message names the flag.
        """
        self.raw, self.name, self.mapping = raw, name, mapping
        self._progress, self._done = progress, 0
        self._ahead = ahead
        self._cache: dict[int, Places] = {}
        self.account = Account()
        self.places = self._place_columns()
        self.plan: Plan = plan_columns(name, raw.columns, self.places, mapping)
        check_origin(
            mapping.source,
            name,
            rows_name_theirs=self._rows_name_sources(),
            unsourced=unsourced,
        )
        self._survey()
        self.datum = datums_of(name, raw.columns, mapping.read, self._column)
        self.placement: Placement = place(self._question())
        self._check_datum()
        self.geometries = Geometries(
            name=name,
            placement=self.placement,
            account=self.account,
            label=self._label,
            as_stored=self.places.how == "geometry",
            repair=mapping.read.repair,
        )
        self.schema = SchemaColumns(
            name=name,
            plan=self.plan,
            mapping=mapping,
            origin=mapping.source,
            protocol=self._protocol(),
        )

    @cached_property
    def _file(self) -> Any:
        """The Arrow file, mapped into memory."""
        import pyarrow as pa

        return pa.ipc.open_file(pa.memory_map(str(self.raw.arrow)))

    def batches(self) -> Iterator[pa.Table]:
        """Make the rows of the layer.

        Yields
        ------
        pyarrow.Table
            Rows that stay, in the order of the file: our columns, those that were
            kept, and ``geometry`` as WKB in EPSG:4326.

        Raises
        ------
        ImportRefusedError
            If a value means nothing here, or a geometry needs mending and nothing may
            be mended.
        """
        for table, kept in self._rows():
            wkb = to_wkb(kept.shapes) if kept.wkb is None else kept.wkb
            yield table.append_column("geometry", wkb)

    def batches_and_shapes(self) -> Iterator[tuple[pa.Table, NDArray[np.object_]]]:
        """Make the rows of the layer, and their geometries.

        Yields
        ------
        table : pyarrow.Table
            As :meth:`batches` has it, without ``geometry``.
        shapes : numpy.ndarray
            In EPSG:4326, a geometry for each row.

        Raises
        ------
        ImportRefusedError
            As :meth:`batches` does.
        """
        for table, kept in self._rows():
            shapes = kept.shapes
            yield table, shapes_of(kept.wkb) if shapes is None else shapes

    def _rows(self) -> Iterator[tuple[pa.Table, Kept]]:
        """Make the rows of the layer; refuse it if there are none."""
        first = 1
        for i, batch in self._raw_batches():
            yield self._finished(i, batch, first)
            first += batch.num_rows
        if not self.account.rows_out:
            raise ImportRefusedError(
                f"{self.name}: no row is left of {self.raw.rows}; "
                + "; ".join(f"{k}: {v.count}" for k, v in self.account.dropped.items()),
                trap="no row",
            )

    @property
    def has_digits(self) -> bool:
        """Whether the digits of the places were read."""
        return any(places.half_x is not None for places in self._cache.values()) or (
            self.places.how in {"lonlat", "pair"}
        )

    @property
    def datum_notes(self) -> tuple[str, ...]:
        """What a reader should know of a shift that was taken back."""
        if self.datum is None:
            return ()
        note = (
            f"{self.datum.names}: taken back for every row that is said to be so. All "
            "Korea lies inside the box in which programs shift; of a map that is "
            "shifted on the Chinese bank only, Korean rows are now half a kilometre off"
        )
        return (note,)

    @property
    def geometry_type(self) -> str:
        """Type that all geometries of the layer can be given; else ``"Unknown"``."""
        kinds = self._kinds - {-1}
        for name, members in (
            ("Point", {0}),
            ("MultiPoint", {0, 4}),
            ("MultiLineString", {1, 2, 5}),
            ("MultiPolygon", {3, 6}),
        ):
            if kinds <= members:
                return name
        return "Unknown"

    def _raw_batches(self) -> Iterator[tuple[int, pa.RecordBatch]]:
        """Batches of the file, and how far they are."""
        for i in range(self._file.num_record_batches):
            batch = self._file.get_batch(i)
            yield i, batch
            self._done += batch.num_rows
            if self._progress is not None:
                self._progress(self._done, 2 * self.raw.rows)

    def _column(self, name: str) -> Iterator[str | None]:
        """Cells of a whole column as text, one after another."""
        for i in range(self._file.num_record_batches):
            for cell in self._file.get_batch(i).column(name).to_pylist():
                yield None if cell is None else str(cell)

    def _place_columns(self) -> PlaceColumns:
        """Columns that hold the places."""
        read, columns = self.mapping.read, self.raw.columns
        given = given_columns(
            self.name, columns, lon=read.lon, lat=read.lat, wkt=read.wkt, mgrs=read.mgrs
        )
        if self.raw.has_geometry:
            if given is not None:
                raise ImportRefusedError(
                    f"{self.name} has geometries of its own; drop {given.flag}",
                    trap="columns of places",
                    flags=(f"drop {given.flag}",),
                )
            return PlaceColumns(how="geometry")
        if self.raw.rows == 0:
            raise ImportRefusedError(f"{self.name} holds no row", trap="no row")
        return given or find_columns(self.name, columns, self._first_cells)

    def _first_cells(self, name: str) -> list[str | None]:
        """First cells of a column as text."""
        if not self._file.num_record_batches:
            return []
        cells = self._file.get_batch(0).column(name)[:_LOOKED_AT].to_pylist()
        return [None if cell is None else str(cell) for cell in cells]

    def _rows_name_sources(self) -> bool:
        """Tell whether every row names its sources."""
        theirs = self.plan.mapped.get("sources")
        if theirs is None:
            return bool(self.mapping.constants.get("sources"))
        return all(cell and cell.strip() for cell in self._column(theirs))

    def _places_of(self, i: int, batch: pa.RecordBatch) -> Places:
        """Places of a batch; those of text are kept, as reading them is slow."""
        if self._ahead is not None and i in self._ahead.places:
            return self._ahead.places[i]
        if i not in self._cache:
            places = read_places(batch, self.places)
            read_soon = self.places.how == "geometry" and places.outlines is None
            if read_soon or self.raw.rows > _KEPT_AT_MOST:
                return places
            self._cache[i] = places
        return self._cache[i]

    def _survey(self) -> None:
        """Look at every place once, and refuse what cannot be read."""
        self._kinds: set[int] = set()
        first, other_axis, filled, coarse = 1, 0, 0, 0
        for i, batch in self._raw_batches():
            places = self._places_of(i, batch)
            self._kinds |= places.kinds()
            for wrong in places.wrong:
                row = first + wrong.row
                self.account.unread(row, self._label(batch, wrong.row), wrong)
            other_axis += places.other_axis
            filled += batch.num_rows
            coarse += places.coarse
            first += batch.num_rows
        if self.raw.rows == 0:
            raise ImportRefusedError(f"{self.name} holds no row", trap="no row")
        self._refuse_unread(other_axis, filled, coarse)

    def _refuse_unread(self, other_axis: int, filled: int, coarse: int) -> None:
        """Refuse cells that hold no place."""
        read = self.mapping.read
        if other_axis and other_axis * 2 > filled:
            lon, lat = self.places.names
            turned = PlaceColumns(how="lonlat", names=(lat, lon)).flag
            raise ImportRefusedError(
                f"{self.name}: column {lon[:40]} holds latitudes and {lat[:40]} "
                f"longitudes, as {other_axis} rows say themselves: {turned}",
                trap="swapped columns",
                flags=(turned,),
            )
        unread = self.account.dropped.get(repairs.UNREADABLE)
        if unread is not None and not read.drop_unplaced:
            first = unread.rows[0]
            raise ImportRefusedError(
                f"{self.name}: {unread.count} cells hold no place that can be read; "
                f"row {first.row}: {first.why}. Mend them, or leave these rows out "
                "with --drop-unplaced",
                trap="unreadable place",
                flags=("--drop-unplaced",),
            )
        if coarse and not read.coarse:
            raise ImportRefusedError(
                f"{self.name}: {coarse} grid references have fewer than 4 digits and "
                "stand for squares of 10 or 100 km. If their centres will do, say so: "
                "--coarse",
                trap="coarse reference",
                flags=("--coarse",),
            )

    def _question(self) -> Question:
        """Gather what is known of the places before they are placed."""
        read = self.mapping.read

        def boxes() -> Iterator[NDArray[np.float64]]:
            for i in range(self._file.num_record_batches):
                yield self._places_of(i, self._file.get_batch(i)).boxes()

        near: Any = STUDY_AREA if read.near is None else read.near
        stated, by = self.stated
        return Question(
            name=self.name,
            boxes=boxes,
            stated=stated,
            stated_by=by,
            asked=None if read.crs is None else parse_crs(read.crs),
            swap_xy=read.swap_xy,
            near=near,
            table=not self.raw.has_geometry,
            drop_unplaced=read.drop_unplaced,
            uncertainty_m=read.uncertainty_m,
        )

    @cached_property
    def stated(self) -> tuple[CRS | None, str]:
        """CRS that the file states, and who says so."""
        from pyproj import CRS
        from pyproj.exceptions import CRSError

        if self.places.how == "mgrs":
            return CRS.from_epsg(4326), "format"
        if self.raw.crs is None:
            return None, ""
        try:
            return CRS.from_user_input(self.raw.crs), self.raw.crs_by
        except CRSError:
            self.account.notes.append("the CRS that the file states is none PROJ knows")
            return None, ""

    def _check_datum(self) -> None:
        """Refuse a Chinese datum under another CRS."""
        if self.datum and not self.placement.crs.is_geographic:
            raise ImportRefusedError(
                f"{self.name}: {self.datum.names} are degrees, but the places are in "
                f"{self.placement.crs.name[:60]}; drop --datum or --crs",
                trap="datum",
                flags=("drop --datum", "drop --crs"),
            )

    def _protocol(self) -> str:
        """How places were found, for rows that do not say so themselves."""
        if self.places.how == "geometry":
            return f"as in {self.raw.kind} {self.name}"
        return f"from {self.places.how} in {self.raw.kind} {self.name}"

    def _label(self, batch: pa.RecordBatch, row: int) -> str:
        """Id or name of a row, as far as it says one."""
        for ours in ("id", "name", "name_ko", "name_zh"):
            theirs = self.plan.mapped.get(ours)
            cell = batch.column(theirs)[row].as_py() if theirs is not None else None
            if cell is not None and str(cell).strip():
                return str(cell).strip()[:60]
        return ""

    def _finished(
        self, i: int, batch: pa.RecordBatch, first: int
    ) -> tuple[pa.Table, Kept]:
        """Rows of a batch that stay, and their geometry."""
        import pyarrow as pa

        places = self._places_of(i, batch)
        numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
        datum = self.datum.batch(batch) if self.datum else None
        kept = self.geometries.of(batch, places, first, datum)
        if kept.wkb is None and kept.shapes is None:
            shapes = None if self._ahead is None else self._ahead.shapes.get(i)
            kept = Kept(kept.keep, batch.column("geometry"), shapes)
        keep = kept.keep
        radius = radii_m(places, self.placement, self.mapping.read.uncertainty_m)
        if not keep.all():
            batch, radius = batch.filter(pa.array(keep)), radius[keep]
        table = self.schema.apply(batch, radius, numbers[keep])
        self.account.add_rows(table)
        return table, kept

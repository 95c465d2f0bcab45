"""Any file of features in, as a right layer; or one line that says what is wrong."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from geo.crs import LONLAT
from layers.errors import ReadError, WriteError
from layers.files import replacing
from layers.importing.ahead import Ahead
from layers.importing.mapping import Mapping, Origin, Reading, read_mapping
from layers.importing.outputs import check_output, write_rows
from layers.importing.pipeline import Pipeline
from layers.importing.placing import Near
from layers.importing.raw import Limits, open_raw
from layers.importing.report import ImportReport
from layers.importing.uncertainty import said_by
from layers.importing.wording import crs_text
from layers.schema import TEXT_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from os import PathLike

    import geopandas as gpd
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from layers.importing.china import Datum

    Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """A layer and what its import did.

    Attributes
    ----------
    layer
        In EPSG:4326, shape ``(n,)``: the columns of
        :data:`layers.schema.FEATURE_COLUMNS`, then those of the file that were kept.
    report
        Every row, repair and column accounted for.
    """

    layer: gpd.GeoDataFrame
    report: ImportReport


def read(
    path: str | PathLike[str],
    *,
    crs: str | None = None,
    swap_xy: bool = False,
    encoding: str | None = None,
    layer: str | None = None,
    lon: str | None = None,
    lat: str | None = None,
    wkt: str | None = None,
    mgrs: str | None = None,
    datum: Datum | None = None,
    mapping: str | PathLike[str] | Mapping | None = None,
    source: str | None = None,
    licence: str | None = None,
    unsourced: bool = False,
    near: Near | None = None,
    uncertainty_m: float | None = None,
    coarse: bool = False,
    drop_unplaced: bool = False,
    repair: bool = True,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Read a file of features as a layer in our schema, or refuse and say the flag.

    Each keyword is the flag of ``lodemap import`` of the same name, and a message
    names the flag. A keyword holds against the mapping.

    Parameters
    ----------
    path
        An existing file; :func:`layers.importing.raw.open_raw` says which kinds.
    crs
        CRS of the numbers, such as ``EPSG:5179``; it holds against the file.
    swap_xy
        Whether x and y are swapped.
    encoding
        Encoding of its text, where the file states none or a wrong one.
    layer
        Layer, sheet or member, where there are several.
    lon, lat
        Columns of a table with longitude and latitude, or x and y; the same one where
        both stand in one cell.
    wkt, mgrs
        Column of a table with Well-known text, or with grid references.
    datum
        Datum of a Chinese map from which the places were taken; never guessed.
    mapping
        Which columns are which; a TOML file or a :class:`Mapping`.
    source, licence
        Who made the file: the id of a source, or words; and the SPDX identifier of
        its licence. Not needed if every row has ``sources``.
    unsourced
        Whether nobody says so; the layer is marked.
    near
        Box in which all rows are expected, west, south, east, north, or
        ``"anywhere"``; the Korean peninsula and the Chinese provinces on its border
        if None. [°]
    uncertainty_m
        Radius to add to what is known of each row. [m]
    coarse
        Whether grid references of fewer than four digits will do.
    drop_unplaced
        Whether rows that lie elsewhere, or whose place cannot be read, are left out.
    repair
        Whether geometries may be mended, and rows without any left out.
    limits
        What reading may cost.
    progress
        Called with rows done, of reading, looking and placing, and their number.

    Returns
    -------
    Imported
        The layer, and the report.

    Raises
    ------
    ImportRefusedError
        If anything is not proved; the message is one line that names the flag.
    ReadError
        If the file or the mapping cannot be read.
    """
    flags = {k: v for k, v in locals().items() if k in _FLAGS}
    with _pipeline(
        Path(path),
        _with_flags(mapping, flags, source, licence),
        limits,
        unsourced,
        progress,
        Ahead(with_shapes=True),
    ) as pipeline:
        tables, shapes = zip(*pipeline.batches_and_shapes(), strict=True)
        report = _report(pipeline, unsourced=unsourced)
        gdf = _layer(tables, shapes)
    gdf.attrs |= {
        "file": report.file,
        "source": report.source.get("id") or report.source.get("title") or "",
        "licence": report.source.get("licence", ""),
    }
    return Imported(layer=gdf, report=report)


def import_file(
    path: str | PathLike[str],
    output: str | PathLike[str],
    *,
    crs: str | None = None,
    swap_xy: bool = False,
    encoding: str | None = None,
    layer: str | None = None,
    lon: str | None = None,
    lat: str | None = None,
    wkt: str | None = None,
    mgrs: str | None = None,
    datum: Datum | None = None,
    mapping: str | PathLike[str] | Mapping | None = None,
    source: str | None = None,
    licence: str | None = None,
    unsourced: bool = False,
    near: Near | None = None,
    uncertainty_m: float | None = None,
    coarse: bool = False,
    drop_unplaced: bool = False,
    repair: bool = True,
    limits: Limits | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import a file of any size into another, batch by batch, with its report.

    Parameters
    ----------
    path
        An existing file.
    output
        Layer to write: GeoPackage, FlatGeobuf (which reorders rows), GeoJSON or
        GeoParquet, by the ending of its name. The report stands beside it, as
        ``NAME.import.json`` and ``NAME.import.txt``.
    crs, swap_xy, encoding, layer, lon, lat, wkt, mgrs, datum, mapping, source
        As for :func:`read`.
    licence, unsourced, near, uncertainty_m, coarse, drop_unplaced, repair
        As for :func:`read`.
    limits, progress
        As for :func:`read`.

    Returns
    -------
    ImportReport
        What was done.

    Raises
    ------
    ImportRefusedError
        If anything is not proved; nothing is written then.
    ReadError
        If the file or the mapping cannot be read.
    WriteError
        If the layer cannot be written; what stood there before is untouched.
    """
    flags = {k: v for k, v in locals().items() if k in _FLAGS}
    target, given = Path(output), Path(path)
    check_output(target)
    if target.exists() and given.exists() and target.samefile(given):
        raise WriteError(f"cannot write {target}: it is the file that is imported")
    with _pipeline(
        given,
        _with_flags(mapping, flags, source, licence),
        limits,
        unsourced,
        progress,
        Ahead(with_shapes=False),
    ) as pipeline:
        origin = pipeline.mapping.source
        about = "; ".join(
            v for v in (origin.title or origin.id, origin.url, origin.licence) if v
        )
        write_rows(
            pipeline.batches(),
            target,
            geometry_type=pipeline.geometry_type,
            about=about or ("no source named" if unsourced else ""),
        )
        report = _report(pipeline, unsourced=unsourced)
    for ending, text in ((".json", report.to_json()), (".txt", f"{report}\n")):
        with replacing(target.with_suffix(f".import{ending}")) as stream:
            stream.write(text.encode())
    return report


_FLAGS = frozenset(Reading.__struct_fields__)


def _with_flags(
    mapping: str | PathLike[str] | Mapping | None,
    flags: dict[str, Any],
    source: str | None,
    licence: str | None,
) -> Mapping:
    """Let flags hold against a mapping."""
    if mapping is None:
        mapping = Mapping()
    elif not isinstance(mapping, Mapping):
        mapping = read_mapping(mapping)
    unset = msgspec.structs.asdict(Reading())
    said = {k: v for k, v in flags.items() if v != unset[k]}
    if said.keys() & _PLACES:  # one way to give places takes the place of another
        said = dict.fromkeys(_PLACES) | said
    origin = mapping.source
    if source is not None:
        is_id = source.replace("-", "").isalnum() and source.isascii()
        origin = Origin(licence=origin.licence, **{"id" if is_id else "title": source})
    if licence is not None:
        origin = msgspec.structs.replace(origin, licence=licence)
    try:
        both = msgspec.convert(
            msgspec.structs.asdict(mapping.read) | said, Reading, strict=True
        )
    except msgspec.ValidationError as error:
        raise ReadError(f"cannot read so: {error}") from None
    return msgspec.structs.replace(mapping, read=both, source=origin)


_PLACES = frozenset({"lon", "lat", "wkt", "mgrs"})


@contextmanager
def _pipeline(
    path: Path,
    mapping: Mapping,
    limits: Limits | None,
    unsourced: Literal[True, False],
    progress: Progress | None,
    ahead: Ahead,
) -> Iterator[Pipeline]:
    """Open a file and look at all its rows."""
    reading = looking = None
    if progress is not None:

        def reading(done: int, rows: int) -> None:
            progress(done, 3 * rows)

        def looking(done: int, twice: int) -> None:
            progress(twice // 2 + done, twice // 2 * 3)

    with open_raw(
        path,
        layer=mapping.read.layer,
        encoding=mapping.read.encoding,
        limits=limits,
        progress=reading,
        each=ahead.take,
    ) as raw:
        pipeline = Pipeline(
            raw,
            path.name,
            mapping,
            unsourced=unsourced,
            progress=looking,
            ahead=ahead,
        )
        yield pipeline


def _layer(
    tables: Sequence[pa.Table], shapes: Sequence[NDArray[np.object_]]
) -> gpd.GeoDataFrame:
    """Make a layer out of its rows and their geometries."""
    import geopandas as gpd
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from layers.arrow import from_arrow

    table = pa.concat_tables(tables)
    for i, (name, column) in enumerate(zip(table.column_names, table, strict=True)):
        if name in TEXT_COLUMNS and column.null_count:
            table = table.set_column(i, name, pc.fill_null(column, ""))
    frame = from_arrow(table)
    return gpd.GeoDataFrame(frame, geometry=np.concatenate(shapes), crs=LONLAT)


def _report(pipeline: Pipeline, *, unsourced: bool) -> ImportReport:
    """Gather what an import did."""
    raw, placement, account = pipeline.raw, pipeline.placement, pipeline.account
    read, plan, origin = pipeline.mapping.read, pipeline.plan, pipeline.mapping.source
    stated, _ = pipeline.stated
    slugs = pipeline.schema.slugs
    ids = {"from": "row numbers", "repeated": 0}
    if "id" in plan.mapped:
        ids = {"from": f"column {plan.mapped['id']}", "repeated": slugs.repeated}
    constants = dict(pipeline.mapping.constants)
    notes = [*raw.notes, *account.notes, *placement.change.notes]
    said = said_by(
        pipeline.places,
        placement,
        digits=pipeline.has_digits,
        column=plan.mapped.get("uncertainty_m"),
        stated=read.uncertainty_m is not None or "uncertainty_m" in constants,
    )
    if account.without_m and placement.change.accuracy_m is not None:
        notes.append(
            f"the change of datum alone may move places by "
            f"{placement.change.accuracy_m:g} m; what else is unknown of them is for "
            "--uncertainty-m to say"
        )
    notes += pipeline.datum_notes
    return ImportReport(
        file=pipeline.name,
        size=raw.size,
        sha256=raw.sha256,
        kind=raw.kind,
        layer=raw.layer,
        layers=tuple(raw.layers),
        encoding=raw.encoding,
        crs_stated=None if stated is None else crs_text(stated),
        crs_used=crs_text(placement.crs),
        crs_by=placement.crs_by,
        swap_xy=placement.swap_xy,
        datum=pipeline.datum.names if pipeline.datum else "",
        operation=placement.change.operation,
        accuracy_m=placement.change.accuracy_m,
        near=() if placement.near is None else tuple(placement.near),
        rows_in=raw.rows,
        rows_out=account.rows_out,
        places_from=_places_from(pipeline),
        mended=dict(raw.mended),
        flattened=dict(account.flattened),
        repaired={k: rows.kind() for k, rows in sorted(account.repaired.items())},
        dropped={k: rows.kind() for k, rows in sorted(account.dropped.items())},
        uncertainty_from=said,
        uncertainty_m={
            "least": account.least_m,
            "most": account.most_m,
            "rows_without": float(account.without_m),
        },
        columns=dict(plan.mapped),
        constants=constants,
        kept=dict(plan.kept),
        left_out=plan.dropped,
        ids=ids,
        lacks=dict(pipeline.schema.blank),
        source={k: v for k, v in msgspec.structs.asdict(origin).items() if v},
        unsourced=unsourced and not (origin.id or origin.title),
        notes=tuple(dict.fromkeys(notes)),
        version=version("lodemap"),
    )


def _places_from(pipeline: Pipeline) -> str:
    """Say what the places were made of."""
    columns = pipeline.places
    if columns.how == "geometry":
        return f"the geometries of the {pipeline.raw.kind}"
    how = {
        "lonlat": "columns",
        "pair": "pairs in column",
        "wkt": "Well-known text in column",
        "mgrs": "centres of the grid references in column",
    }
    return f"{how[columns.how]} {' and '.join(columns.names)}"

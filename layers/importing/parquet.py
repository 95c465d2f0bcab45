"""Parquet and GeoParquet, a batch at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from layers.errors import ReadError
from layers.importing.batches import write_batches
from layers.importing.jobs import Job, Reading, chosen, one_line

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS = 16_384
_TAIL = b"PAR1"


def read_parquet(job: Job) -> Reading:
    """Read a Parquet file, with places if it is GeoParquet.

    Parameters
    ----------
    job
        The file and what is wanted of it.

    Returns
    -------
    Reading
        What was read.

    Raises
    ------
    ReadError
        If it is damaged, its geometry is not WKB, or it would be longer than allowed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    chosen(job.name, [job.stem], job.layer, what="layer")
    with job.file.open("rb") as stream:
        stream.seek(-4, 2)
        if stream.read(4) != _TAIL:
            raise ReadError(f"{job.name} does not end as Parquet does; it is truncated")
    try:
        with pq.ParquetFile(job.file, memory_map=True) as source:
            about = source.metadata
            whole = sum(
                about.row_group(i).total_byte_size for i in range(about.num_row_groups)
            )
            if whole > job.bytes_at_most:
                raise ReadError(
                    f"{job.name} unpacks to {whole >> 20:,} MB; expected at most "
                    f"{job.bytes_at_most >> 20:,}"
                )
            schema = source.schema_arrow
            geo = _geo(schema, about.metadata, job.name)
            geometry = geo.get("primary_column")
            boxes = _boxes(geo)
            taken = [name for name in schema.names if name not in boxes]
            written = write_batches(
                job,
                pa.schema([schema.field(name) for name in taken]),
                source.iter_batches(batch_size=_ROWS, columns=taken),
                geometry=geometry,
                whole=about.num_rows,
            )
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        if isinstance(error, ReadError | MemoryError):
            raise
        raise ReadError(
            f"{job.name} cannot be read as Parquet; it may be damaged: "
            f"{one_line(error, job)}"
        ) from None
    crs, crs_by = _crs(geo["columns"][geometry]) if geometry else (None, "")
    return Reading(
        kind="GeoParquet" if geometry else "Parquet",
        layer=job.stem,
        layers=(job.stem,),
        written=written,
        crs=crs,
        crs_by=crs_by,
        notes=list(written.notes),
    )


def _geo(
    schema: pa.Schema, metadata: dict[bytes, bytes] | None, name: str
) -> dict[str, Any]:
    """Read what GeoParquet says of itself; empty if it is plain Parquet."""
    text = (metadata or {}).get(b"geo")
    if text is None:
        return {}
    try:
        geo = json.loads(text)
        primary = geo["primary_column"]
        encoding = geo["columns"][primary]["encoding"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ReadError(f"{name}: its metadata of GeoParquet are damaged") from None
    if primary not in schema.names:
        raise ReadError(f"{name}: the geometry column {str(primary)[:60]!r} is missing")
    if encoding != "WKB":
        raise ReadError(
            f"{name}: its geometry is encoded as {str(encoding)[:40]!r}; expected WKB"
        )
    return dict(geo)


def _boxes(geo: dict[str, Any]) -> set[str]:
    """Columns that only repeat the bounds of the geometry."""
    found = set()
    for column in geo.get("columns", {}).values():
        covering = column.get("covering", {}).get("bbox", {})
        found |= {str(path[0]) for path in covering.values() if path}
    return found


def _crs(column: dict[str, Any]) -> tuple[str | None, str]:
    """CRS of a geometry column, and who says so."""
    if "crs" not in column:
        return "OGC:CRS84", "format"
    crs = column["crs"]
    if not crs:
        return None, ""
    if isinstance(crs, dict):
        known = crs.get("id")
        if isinstance(known, dict) and {"authority", "code"} <= known.keys():
            return f"{known['authority']}:{known['code']}", "file"
        return json.dumps(crs), "file"
    return str(crs), "file"

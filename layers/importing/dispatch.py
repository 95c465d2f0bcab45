"""From a file to the reader of its kind, through an archive if it comes in one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from layers.errors import ReadError
from layers.importing.archives import Member, members, refuse_document_types, unpack
from layers.importing.batches import write_batches
from layers.importing.jobs import Job, Reading, chosen
from layers.importing.sniffing import KINDS, sniff

if TYPE_CHECKING:
    from pathlib import Path

_SHEETS = ("xlsx", "ods")
_ARCHIVES = (".zip", ".7z", ".rar", ".gz", ".tar", ".tgz")
_NO_LAYERS = (".xml", ".txt", ".db", *_ARCHIVES)
"""Endings that in an archive are text about the data, or none."""


def read_file(job: Job) -> Reading:
    """Read a file of any kind.

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
        If it is of no kind that is read, or cannot be read.
    """
    kind = sniff(job.file, job.name)
    if kind == "zip":
        return _read_archive(job)
    if kind == "kmz":
        return _read_kmz(job)
    if kind == "kml":
        return _read_kml("KML", job)
    if kind in ("csv", "tsv"):
        from layers.importing.sheets import read_text_table

        return read_text_table(kind, job)
    if kind == "parquet":
        from layers.importing.parquet import read_parquet

        return read_parquet(job)
    if kind in _SHEETS:
        members(job.file, job.name, bytes_at_most=job.bytes_at_most)
        refuse_document_types(job.file, job.name)
    from layers.importing.vector import read_vector

    return read_vector(kind, job)


def _read_kml(title: str, job: Job) -> Reading:
    """Read a KML."""
    from layers.importing.kml import kml_batches, kml_schema, survey_kml

    chosen(job.name, [job.stem], job.layer, what="layer")
    found = survey_kml(job.file, job.name)
    written = write_batches(
        job,
        kml_schema(found),
        kml_batches(job.file, job.name, found),
        geometry="geometry",
        whole=found.rows,
    )
    written.mended += found.mended
    return Reading(
        kind=title,
        layer=job.stem,
        layers=(job.stem,),
        written=written,
        crs="EPSG:4326",
        crs_by="format",
        notes=[*found.notes, *written.notes],
    )


def _read_kmz(job: Job) -> Reading:
    """Read the one KML that a KMZ shows: ``doc.kml``, else the first."""
    inside = members(job.file, job.name, bytes_at_most=job.bytes_at_most)
    documents = [m for m in inside if m.name.lower().endswith(".kml")]
    if not documents:
        raise ReadError(f"{job.name} holds no .kml")
    document = next((m for m in documents if m.name.lower() == "doc.kml"), documents[0])
    file = job.file.parent / "inside" / "input.kml"
    unpack(job.file, job.name, {file: document})
    sniff(file, document.name)
    reading = _read_kml("KMZ", replace(job, file=file))
    if len(documents) > 1:
        others = ", ".join(m.name[:60] for m in documents if m is not document)[:300]
        reading.notes.append(f"Only {document.name[:60]} was read, not {others}.")
    return reading


def _read_archive(job: Job) -> Reading:
    """Read the member of a zip that is asked for, or its only one."""
    inside = members(
        job.file, job.name, bytes_at_most=job.bytes_at_most, encoding=job.encoding
    )
    layers = _layers(inside)
    if not layers:
        packed = [m.name for m in inside if m.name.lower().endswith(_ARCHIVES)]
        within = (
            f" It holds the archive {packed[0][:60]!r}: unpack that." if packed else ""
        )
        raise ReadError(f"{job.name} holds no file that is read here.{within}")
    names = list(layers)
    asked, within_layer = job.layer, None
    if asked is not None and asked not in names:
        stems = [PurePosixPath(name).stem for name in names]
        if stems.count(asked) == 1:
            asked = names[stems.index(asked)]
        elif len(names) == 1:
            asked, within_layer = names[0], asked
    name = names[chosen(job.name, names, asked, what="layer")]
    folder = job.file.parent / "inside"
    file = folder / f"input{PurePosixPath(name).suffix.lower()}"
    unpack(job.file, job.name, _targets(name, layers[name], file))
    base = PurePosixPath(name).name
    reading = read_file(replace(job, file=file, name=base, layer=within_layer))
    if len(names) > 1:
        reading.layers = tuple(names)
        reading.layer = name
    reading.notes.insert(0, f"Read from {name[:120]!r} in the archive.")
    return reading


def _layers(inside: tuple[Member, ...]) -> dict[str, list[Member]]:
    """Members that are layers, by name, each with what belongs to it."""
    by_name = {member.name.casefold(): member for member in inside}
    found: dict[str, list[Member]] = {}
    owned: set[str] = set()
    for member in inside:
        path = PurePosixPath(member.name)
        folder = next((p for p in path.parents if p.suffix.lower() == ".gdb"), None)
        if folder is not None:
            found.setdefault(str(folder), []).append(member)
            owned.add(member.name)
            continue
        ending = path.suffix.lower()
        for kind in KINDS.values():
            if kind.sidecars and ending in kind.endings:
                beside = [str(path.with_suffix(s)).casefold() for s in kind.sidecars]
                parts = [by_name[name] for name in beside if name in by_name]
                found[member.name] = [member, *parts]
                owned |= {member.name, *(part.name for part in parts)}
    endings = tuple(e for kind in KINDS.values() for e in kind.endings)
    for member in inside:
        lower = member.name.lower()
        is_layer = lower.endswith(endings) and not lower.endswith(_NO_LAYERS)
        if is_layer and member.name not in owned:
            found[member.name] = [member]
    return found


def _targets(name: str, parts: list[Member], file: Path) -> dict[Path, Member]:
    """Files to unpack the parts of a layer to, under names of our own."""
    if file.suffix == ".gdb":
        found: dict[Path, Member] = {}
        for member in parts:
            inner = PurePosixPath(member.name).relative_to(name)
            if len(inner.parts) == 1:
                found[file / inner.name.lower()] = member
        return found
    return {
        file.with_suffix(PurePosixPath(part.name).suffix.lower()): part
        for part in parts
    }

"""Exports as files: what is to be written, where, and what was lost on the way."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layers.errors import LayerNotFoundError, WriteError
from layers.export.common_losses import TABLES
from layers.export.content import Content
from layers.export.formats import FORMATS, Format, find_format, format_of
from layers.export.losses import Found, LossReport, loss_report
from layers.files import replacing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from os import PathLike

    import geopandas as gpd

    from geo.parallel import Progress
    from layers.exchange import Exchange

LOSSES = "losses.json"
"""File that says what was lost: in a folder, or after the name of a file and a dot."""

_DATABASE = ("postgresql://", "postgres://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an export wrote."""

    format: str
    """Key of the format."""
    paths: tuple[Path, ...]
    """Files, the report of losses not among them; none for a database."""
    sha256: Mapping[str, str]
    """SHA-256 of each by its name, in a folder by its path there."""
    losses: LossReport
    """What the format changed."""
    report: Path | None
    """File that says so; None for a database."""


def write(
    what: Exchange | Content | gpd.GeoDataFrame | str | PathLike[str] | Iterable[str],
    path: str | PathLike[str],
    *,
    to: str | None = None,
    layers: Iterable[str] | None = None,
    unsourced: bool = False,
    progress: Progress | None = None,
) -> Written:
    """Write layers in a format that other programs read.

    Parameters
    ----------
    what
        An exchange, its id or its TOML file; ids of layers of the catalogue; a frame
        whose ``attrs`` name ``title``, ``licence`` and ``source``; or what an export
        holds.
    path
        File to write; a folder or a zip for several files; the address of a database.
        What stood there before is replaced whole or not at all.
    to
        Key of the format, see :data:`layers.export.formats.FORMATS`; by the ending of
        ``path`` if none.
    layers
        Only these, by the names that they have in the export.
    unsourced
        Let a frame lack licence and source; the files say so.
    progress
        Takes what is done and the whole.

    Returns
    -------
    Written
        Files with their SHA-256, and what the format changed in this data. The same is
        written beside the file as ``NAME.losses.json``, or ``losses.json`` in a folder.

    Raises
    ------
    WriteError
        If no format is named, several layers are to be one file, or a file cannot be
        written.
    LayerNotFoundError
        If there is no such layer.
    SchemaError
        If a frame lacks licence or source, or is otherwise not what a layer is.
    CRSMissingError, CRSMismatchError
        If a frame is not in EPSG:4326.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> written = write(["crossings"], f"{folder}/crossings.fgb")
    >>> written.format, written.losses.counts["style"]
    ('flatgeobuf', 1)
    """
    form = _format(path, to)
    content = as_content(what, name=Path(path).stem, unsourced=unsourced)
    if layers is not None:
        content = _chosen(content, layers)
    content, left_out = _fitting(content, form, Path(path))
    found = loss_report(content, form)
    if left_out:
        extra = Found(loss=TABLES, sheet="", count=left_out)
        found = replace(found, found=(*found.found, extra))
    if form.key == "postgis":
        form.write(content, path, progress=progress)  # type: ignore[arg-type]
        return Written(format=form.key, paths=(), sha256={}, losses=found, report=None)
    target = Path(path)
    paths = form.write(content, target, progress=progress)
    root = target if target.is_dir() else target.parent
    hashes = {_name(file, root): _sha256(file) for file in paths}
    report = _store(content, found, target, paths, hashes)
    return Written(
        format=form.key, paths=paths, sha256=hashes, losses=found, report=report
    )


def as_content(what: Any, *, name: str = "layer", unsourced: bool = False) -> Content:
    """Take anything that can be written as what an export holds.

    Parameters
    ----------
    what
        As :func:`write` takes it.
    name
        Name of a frame that has none.
    unsourced
        Let a frame lack licence and source.

    Returns
    -------
    Content
        Sheets, and how they are related.

    Raises
    ------
    LayerNotFoundError, SchemaError, ExchangeError
        As :func:`write` says.
    """
    import geopandas as gpd

    from layers.exchange import Exchange, load_exchange
    from layers.exchange_file import exchange_ids

    if isinstance(what, Content):
        return what
    if isinstance(what, gpd.GeoDataFrame):
        from layers.export.frame_content import frame_content

        return frame_content(what, name=name, unsourced=unsourced)
    if isinstance(what, str) and what not in exchange_ids():
        from layers.catalogue import catalogue

        what = [what] if what in catalogue() else load_exchange(what)
    elif isinstance(what, str | Path):
        what = load_exchange(what)
    if isinstance(what, Exchange):
        from layers.export.exchange_content import exchange_content

        return exchange_content(what)
    from layers.export.catalogue_content import catalogue_content

    return catalogue_content(what)


def losses_table() -> list[dict[str, str]]:
    """List what each format can change, as declared.

    Returns
    -------
    list of dict
        ``format``, ``kind`` and ``about``, in the order of the formats.

    Examples
    --------
    >>> [row["kind"] for row in losses_table() if row["format"] == "geoparquet"][:2]
    ['cut at 180 degrees', 'unpaired surrogates']
    """
    return [
        {"format": form.key, "kind": loss.kind, "about": loss.about}
        for form in FORMATS.values()
        for loss in form.losses
    ]


def _format(path: str | PathLike[str], to: str | None) -> Format:
    """Format that is asked for, by its name or that of the file."""
    if to is not None:
        return find_format(to)
    if str(path).startswith(_DATABASE):
        return FORMATS["postgis"]
    return format_of(Path(path))


def _chosen(content: Content, ids: Iterable[str]) -> Content:
    """Content of a few sheets and rasters only."""
    wanted = list(dict.fromkeys(ids))
    sheets = {sheet.id: sheet for sheet in content.sheets}
    names = {name: name.replace("-", "_") for name in wanted}
    for name in wanted:
        if names[name] not in sheets and name not in content.rasters:
            there = ", ".join([*sheets, *content.rasters])
            raise LayerNotFoundError(
                f"{content.id} has no layer {name[:60]!r}; there are: {there}"
            )
    kept = tuple(sheets[n] for n in sheets if n in names.values())
    rasters = {n: p for n, p in content.rasters.items() if n in wanted}
    return _of_sheets(replace(content, rasters=rasters), kept)


def _fitting(content: Content, form: Format, path: Path) -> tuple[Content, int]:
    """Content of the one layer that a file holds, and how many tables are left out."""
    single = not form.many_layers and path.name.lower().endswith(form.endings)
    if not single or len(content.sheets) < 2:
        return content, 0
    mains = content.layers or tuple(s for s in content.tables if s.id != "layers")
    if len(mains) != 1:
        return content, 0
    return _of_sheets(content, mains), len(content.sheets) - 1


def _of_sheets(content: Content, sheets: tuple[Any, ...]) -> Content:
    ids = {sheet.id for sheet in sheets}
    links = tuple(r for r in content.relations if {r.child, r.parent} <= ids)
    return replace(content, sheets=sheets, relations=links)


def _store(
    content: Content,
    found: LossReport,
    target: Path,
    paths: tuple[Path, ...],
    hashes: Mapping[str, str],
) -> Path:
    """Write what was lost, and the hashes of the files, beside them."""
    inside = target.is_dir()
    report = target / LOSSES if inside else target.with_name(f"{target.name}.{LOSSES}")
    root = target if inside else target.parent
    said = {
        "format": found.format,
        "title": FORMATS[found.format].title,
        "of": content.id,
        "dated": content.dated.isoformat(),
        "version": content.version,
        "losses": found.as_records(),
        "files": {
            _name(file, root): {
                "bytes": file.stat().st_size,
                "sha256": hashes[_name(file, root)],
            }
            for file in paths
        },
    }
    text = json.dumps(said, ensure_ascii=False, indent=1)
    with replacing(report) as stream:
        stream.write(f"{text}\n".encode())
    return report


def _name(file: Path, root: Path) -> str:
    """Name of a file in its folder, the same on every machine."""
    try:
        return file.relative_to(root).as_posix()
    except ValueError:
        return file.name


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise WriteError(f"{path} was written but cannot be read again") from error

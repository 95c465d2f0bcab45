"""``lodemap export``: an exchange, or layers that ship, in other programs' formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from layers.errors import WriteError
from maps.defaults import EXCHANGE
from maps.progress import drawn_progress
from maps.results import printable

if TYPE_CHECKING:
    from layers.export.writing import Written


@click.command()
@click.argument("file", required=False)
@click.option("--to", metavar="FORMAT", help="Format; by the ending of FILE if none.")
@click.option(
    "--exchange",
    metavar="ID|FILE",
    help=f"The exchange to write.  [default: {EXCHANGE}]",
)
@click.option(
    "--layer",
    "chosen",
    multiple=True,
    metavar="ID",
    help="Only this layer: of the exchange if one is named, else of the catalogue. As "
    "often as you like.",
)
@click.option(
    "--catalogue",
    "whole",
    is_flag=True,
    help="All layers, tables and rasters that ship, as for STAC.",
)
@click.option("--as-of", metavar="DATE", help="Ask the sanctions as of this day.")
@click.option("--list", "listed", is_flag=True, help="List formats and their losses.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def export(
    *,
    file: str | None,
    to: str | None,
    exchange: str | None,
    chosen: tuple[str, ...],
    whole: bool,
    as_of: str | None,
    listed: bool,
    as_json: bool,
) -> None:
    """Write FILE for other programs, and print what was written.

    The ending of FILE says the format: .gpkg, .geojson, .fgb, .parquet, .kmz, .kml,
    .shp.zip, .csv. With --to, FILE may be a zip or a folder, in which each layer is a
    file, or the address of a database, as in postgresql://host/atlas. GeoJSON,
    FlatGeobuf, GeoParquet and CSV hold one layer a file.

    What the format cannot hold is told on stderr, and stands beside FILE in
    FILE.losses.json, or in the folder in losses.json.
    """
    if listed:
        _print_formats(as_json=as_json)
        return
    if file is None:
        raise WriteError(
            "no FILE to write; expected a name such as cholsan.gpkg. lodemap export "
            "--list lists the formats"
        )
    import layers

    what: Any
    only = None
    if whole or (chosen and exchange is None):
        from layers.export.catalogue_content import catalogue_content

        if exchange is not None or (whole and chosen):
            raise WriteError(
                "--catalogue is all that ships; leave out --exchange and --layer, or it"
            )
        what = catalogue_content() if whole else _catalogue_ids(chosen)
        if as_of is not None:
            raise WriteError("--as-of asks about an exchange; name it with --exchange")
    else:
        from layers.sanctions import to_date

        what = layers.load_exchange(
            exchange or EXCHANGE, as_of=to_date(as_of) if as_of else None
        )
        only = chosen or None
    with drawn_progress() as progress:
        written = layers.write(what, file, to=to, layers=only, progress=progress)
    _print_written(written, file, as_json=as_json)


def _catalogue_ids(chosen: tuple[str, ...]) -> list[str]:
    """Ids of the catalogue, or a word on where else a layer may be."""
    from layers.catalogue import catalogue
    from layers.errors import LayerNotFoundError

    for name in chosen:
        if name not in catalogue():
            raise LayerNotFoundError(
                f"no layer {name[:60]!r} in the catalogue; there are "
                f"{', '.join(catalogue())}. For a layer of an exchange, name it as "
                f"well: --exchange {EXCHANGE} --layer {name[:60]}"
            )
    return list(chosen)


def _print_written(written: Written, file: str, *, as_json: bool) -> None:
    """Print what was written, and on stderr what was lost."""
    for line in written.losses.lines:
        click.echo(f"lodemap: {printable(line)}", err=True)
    if as_json:
        said = {
            "format": written.format,
            "files": [
                {"path": str(path), "sha256": sha256}
                for path, sha256 in zip(
                    written.paths, written.sha256.values(), strict=True
                )
            ],
            "report": str(written.report) if written.report else None,
            "losses": written.losses.as_records(),
        }
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    several = len(written.paths) > 1 and Path(file).is_dir()
    if written.format == "postgis":
        from layers.export.postgis import shown

        click.echo(shown(file))
    for path in [Path(file)] if several else written.paths:
        click.echo(path)


def _print_formats(*, as_json: bool) -> None:
    """Print the formats and what each can change, as Markdown or JSON."""
    from layers.export.formats import FORMATS

    if as_json:
        said = [
            {
                "format": form.key,
                "title": form.title,
                "endings": form.endings,
                "many_layers": form.many_layers,
                "for": form.about,
                "losses": [
                    {"kind": loss.kind, "about": loss.about} for loss in form.losses
                ],
            }
            for form in FORMATS.values()
        ]
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    click.echo("| --to | format | endings | for | can change |")
    click.echo("|---|---|---|---|---|")
    for form in FORMATS.values():
        kinds = ", ".join(loss.kind for loss in form.losses) or "nothing declared"
        endings = " ".join(form.endings) or (
            "postgresql://…" if form.key == "postgis" else "folder"
        )
        cells = (form.key, form.title, endings, form.about, kinds)
        click.echo(f"| {' | '.join(cells)} |")

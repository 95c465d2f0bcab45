"""Command line: ``lodemap``. A command is a few lines that call the library."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geo.errors import GeoError
from maps.defaults import EXCHANGE
from maps.export import export
from maps.fetch import fetch
from maps.importing import added_layer, import_, reading_options
from maps.picture_command import picture
from maps.preview import preview
from maps.query import query
from maps.results import printable
from maps.serve import serve
from maps.sites import sites
from maps.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layers.evidence import Claim

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lodemap")
@click.option("-v", "--verbose", is_flag=True, help="Tell more, on stderr.")
def cli(*, verbose: bool) -> None:
    """Map a reported resource deal, and say how far each mark is to be believed."""
    logging.basicConfig(
        stream=sys.stderr,
        format="lodemap: %(message)s",
        level=logging.INFO if verbose else logging.WARNING,
    )


@cli.command("map")
@click.argument("exchange", default=EXCHANGE)
@click.option(
    "-o", "--output", metavar="FILE", help="HTML file; EXCHANGE.html if none."
)
@click.option(
    "--add",
    "added",
    multiple=True,
    metavar="FILE",
    help="A layer of your own, as well.",
)
@click.option(
    "--unsourced",
    is_flag=True,
    help="Let added layers lack evidence; their marks say so.",
)
@click.option(
    "--tiles",
    is_flag=True,
    help="Put large added layers into tiles beside the page, for a web host.",
)
@click.option(
    "--tiles-auto",
    is_flag=True,
    help="The same, where the page would be larger than 40 MB.",
)
@click.option("--as-of", metavar="DATE", help="Ask the sanctions as of this day.")
@click.option("--criteria", metavar="FILE", help="Criteria for the candidate areas.")
@click.option(
    "--sites", metavar="FOLDER", help="Sites as well: what lodemap sites wrote."
)
@click.option(
    "--online-basemap",
    is_flag=True,
    help="Let the page ask OpenStreetMap for tiles when it is read.",
)
@click.option(
    "--lang",
    "language",
    type=click.Choice(["en", "ko", "zh"]),
    default="en",
    help="Language in which the page opens.",
)
@click.option("--open", "show", is_flag=True, help="Open the page when it is written.")
@reading_options
def map_(
    *,
    exchange: str,
    output: str | None,
    added: tuple[str, ...],
    unsourced: bool,
    tiles: bool,
    tiles_auto: bool,
    as_of: str | None,
    criteria: str | None,
    sites: str | None,
    online_basemap: bool,
    language: str,
    show: bool,
    **reading: Any,
) -> None:
    """Write EXCHANGE as one HTML page that needs no network, and print its path.

    EXCHANGE is the id of an exchange that ships, or the path of a TOML file. Layers
    of your own are read as lodemap import reads them, with the same flags.
    """
    import layers
    import maps
    from layers.sanctions import to_date
    from layers.solar import read_sites
    from maps.beside import save
    from maps.provenance import told_command

    found = read_sites(sites) if sites else None
    deal = layers.load_exchange(
        exchange, as_of=to_date(as_of) if as_of else None, criteria=criteria
    )
    own = [
        (Path(file).stem, added_layer(file, unsourced=unsourced, flags=reading))
        for file in added
    ]
    page = maps.exchange_map(
        deal,
        extra_layers=own,
        sites=found,
        online_basemap=online_basemap,
        language=language,
        command=told_command(click.get_current_context()),
    )
    target = Path(output or f"{deal.id}.html")
    path, *archives = save(page, target, tiles=tiles or (tiles_auto and "auto"))
    for file in (*archives, path):
        click.echo(file)
    if show:
        click.launch(str(path))


@cli.group("layers", invoke_without_command=True)
@click.pass_context
def layers_(context: click.Context) -> None:
    """List, show and cite the layers that ship."""
    if context.invoked_subcommand is None:
        context.invoke(list_layers)


@layers_.command("list")
@as_json
def list_layers(*, as_json: bool = False) -> None:
    """List every layer: id, kind, licence, title."""
    from layers.catalogue import catalogue

    rows = [
        {"id": e.id, "kind": e.kind, "licence": e.licence, "title": e.title}
        for e in catalogue().values()
    ]
    if as_json:
        _print_json(rows)
    else:
        _print_columns([row.values() for row in rows])


@layers_.command("show")
@click.argument("layer")
@as_json
def show_layer(*, layer: str, as_json: bool) -> None:
    """Show what LAYER holds: source, method, columns with units, first features."""
    import layers

    entry = _entry(layer)
    about: dict[str, Any] = {
        "id": entry.id,
        "title": entry.title,
        "kind": entry.kind,
        "file": entry.file,
        "crs": entry.crs or None,
        "licence": entry.licence,
        "retrieved": entry.retrieved.isoformat(),
        "source": entry.source,
        "url": entry.url,
        "sha256": entry.sha256,
        "method": entry.method,
        "columns": {
            name: {"unit": column.unit, "about": column.about}
            for name, column in entry.columns.items()
        },
    }
    if entry.kind == "vector":
        gdf = layers.load(layer)
        about["features"] = len(gdf)
        about["bbox"] = [round(float(v), 4) for v in gdf.total_bounds]
    elif entry.kind == "table":
        about["rows"] = len(layers.load_table(layer))
    if as_json:
        _print_json(about)
        return
    columns = about.pop("columns")
    _print_pairs(about)
    for name, column in columns.items():
        unit = f" [{column['unit']}]" if column["unit"] else ""
        click.echo(f"  {name}{unit}: {column['about']}")


@layers_.command("cite")
@click.argument("layer")
@as_json
def cite_layer(*, layer: str, as_json: bool) -> None:
    """Print how to cite LAYER."""
    entry = _entry(layer)
    retrieved = entry.retrieved.isoformat()
    if as_json:
        _print_json(
            {
                "source": entry.source,
                "url": entry.url,
                "licence": entry.licence,
                "retrieved": retrieved,
            }
        )
        return
    click.echo(f"{entry.source} {entry.url} ({entry.licence}; retrieved {retrieved})")


@cli.command()
@click.argument("file")
@as_json
def check(*, file: str, as_json: bool) -> None:
    """Check FILE, a layer or an exchange, as it is checked when it is mapped."""
    import layers

    if Path(file).suffix.lower() == ".toml" or file in layers.exchange_ids():
        deal = layers.load_exchange(file)
        found = {
            "kind": "exchange",
            "id": deal.id,
            "places": len(deal.places),
            "legs": int(deal.legs["id"].nunique()),
            "readings": len(deal.readings),
            "candidate_areas": len(deal.areas),
            "claims": len(deal.claims),
            "sources": len(deal.sources),
        }
    else:
        gdf = layers.read_layer(file)
        found = {
            "kind": "layer",
            "features": len(gdf),
            "geometry": ", ".join(sorted(gdf.geom_type.unique())),
            "reprojected_from": gdf.attrs.get("reprojected_from"),
            "bbox": [round(float(v), 4) for v in gdf.total_bounds],
        }
    if as_json:
        _print_json({"file": file, "ok": True, **found})
        return
    counts = ", ".join(f"{k} {v}" for k, v in found.items() if v is not None)
    click.echo(f"{file}: good ({counts})")


@cli.command()
@click.argument("claim")
@as_json
def evidence(*, claim: str, as_json: bool) -> None:
    """Show what stands behind CLAIM: who says it, origins, and who says otherwise."""
    from dataclasses import asdict

    from layers.evidence import (
        CREDIBILITY,
        RELIABILITY,
        VERIFICATION,
        corroboration,
        find_claim,
        sources,
    )

    found = find_claim(claim)
    behind = corroboration(found)
    source = sources()[found.source]
    if as_json:
        _print_json(
            {
                "claim": asdict(found),
                "source": asdict(source),
                "corroboration": asdict(behind),
            }
        )
        return
    _print_pairs(
        {
            "claim": found.id,
            "about": found.subject,
            "says": _statement(found),
            "asserted by": found.asserted_by,
            "source": f"{source.title} ({source.publisher}, {source.published})",
            "link": source.url,
            "reliability": f"{source.reliability}, {RELIABILITY[source.reliability]}",
            "credibility": f"{found.credibility}, {CREDIBILITY[found.credibility]}",
            "status": found.status,
            "text": VERIFICATION[found.verification],
            "note": found.note,
            "origins": f"{len(behind.origins)}: {', '.join(behind.origins)}",
            "retellings": f"{len(behind.retellings)}, which add nothing"
            if behind.retellings
            else "",
        }
    )
    for other in behind.disputed_by:
        itself = other in behind.origin_says_otherwise
        label = "otherwise, the origin itself" if itself else "otherwise"
        click.echo(f"  {label}: {_statement(find_claim(other))} ({other})")


@cli.command()
@click.argument("leg", required=False)
@click.option("--as-of", metavar="DATE", required=True, help="The day asked about.")
@as_json
def measures(*, leg: str | None, as_of: str, as_json: bool) -> None:
    """List the sanctions that bore on a kind of LEG on a day; no legal advice.

    LEG is rights, investment, equipment, ore, payment, counterparty or material.
    """
    import layers

    table = layers.measures(leg, as_of=as_of)
    if as_json:
        _print_json(table.to_dict("records"))
        return
    if table.empty:
        click.echo(f"none of those that ship was in force on {as_of}")
    fields = ("leg_kind", "effect", "instrument", "paragraph", "adopted", "title")
    _print_columns(table[list(fields)].to_numpy().tolist())


cli.add_command(export)
cli.add_command(fetch)
cli.add_command(import_)
cli.add_command(picture)
cli.add_command(preview)
cli.add_command(query)
cli.add_command(serve)
cli.add_command(sites)
cli.add_command(verify)


def main() -> None:
    """Run the command; an error of ours is one line on stderr and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        cli()
    except GeoError as error:
        click.echo(f"lodemap: {printable(str(error))}", err=True)
        raise SystemExit(1) from None


def _entry(layer: str) -> Any:
    """Return a catalogue entry, or say which layers there are."""
    from layers.catalogue import catalogue
    from layers.errors import LayerNotFoundError

    if layer not in catalogue():
        raise LayerNotFoundError(
            f"no layer {layer[:60]!r}; there are {', '.join(catalogue())}"
        )
    return catalogue()[layer]


def _statement(claim: Claim) -> str:
    """Write what a claim says in one line."""
    return f"{claim.property.replace('_', ' ')}: {claim.value} {claim.unit}".rstrip()


def _print_json(value: object) -> None:
    """Print JSON; what is missing is null."""

    def plain(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: plain(inner) for key, inner in item.items()}
        if isinstance(item, list | tuple):
            return [plain(inner) for inner in item]
        return None if isinstance(item, float) and item != item else item  # noqa: PLR0124

    click.echo(json.dumps(plain(value), ensure_ascii=False, indent=2, default=str))


def _print_pairs(pairs: Mapping[str, Any]) -> None:
    """Print names and values below each other; what is empty is left out."""
    width = max(len(name) for name in pairs)
    for name, value in pairs.items():
        if value not in (None, ""):
            click.echo(f"{name:<{width}}  {printable(str(value))}")


def _print_columns(rows: Iterable[Iterable[object]]) -> None:
    """Print rows in columns of even width."""
    texts = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for row in texts:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())

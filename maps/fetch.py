"""``lodemap fetch``: public rasters and vectors for a place, only when asked."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from layers.errors import RequestError
from maps.progress import drawn_progress
from maps.results import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layers.fetching import Product, PublicFile


@click.command()
@click.argument("products", nargs=-1, metavar="[PRODUCT]...")
@click.option(
    "--region",
    metavar="REGION",
    help="Provinces that ship, with commas between, or dprk.",
)
@click.option("--bbox", metavar="W,S,E,N", help="A box in degrees instead.")
@click.option("--to", "folder", metavar="FOLDER", help="Keep the files here.")
@click.option(
    "--download", is_flag=True, help="Fetch what is not there; else only name it."
)
@click.option("--dry-run", is_flag=True, help="Only name the files, whatever else.")
@click.option("--base-url", metavar="URL", help="Ask this mirror instead.")
@click.option("--cite", is_flag=True, help="Cite what is in the cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def fetch(
    *,
    products: tuple[str, ...],
    region: str | None,
    bbox: str | None,
    folder: str | None,
    download: bool,
    dry_run: bool,
    base_url: str | None,
    cite: bool,
    as_json: bool,
) -> None:
    """Name the public files of each PRODUCT for a place; --download fetches them.

    Without a place it lists the products: elevation, land cover, irradiation and
    OpenStreetMap, each with its licence and what of it could not be verified. Nothing
    is ever fetched without --download and the names of the products. A broken
    download is gone on with where it broke off.

    The files stand in LODEMAP_CACHE, or in the system's folder for caches.
    """
    from layers import fetching

    if cite:
        _cite(products, folder)
        return
    chosen = [fetching.products()[name] for name in _known(products)]
    if region is None and bbox is None:
        if download:
            raise RequestError("--download needs a place: give --region or --bbox")
        _list(chosen, as_json=as_json)
        return
    with drawn_progress(_amount) as progress:
        found = fetching.fetch(
            products,
            region=region,
            bbox=_box(bbox),
            folder=folder,
            download=download and not dry_run,
            base_url=base_url,
            progress=progress,
        )
    _show(found, chosen, as_json=as_json)
    where = f"--region {region}" if region is not None else f"--bbox={bbox}"
    _say_what_next(found, where, download=download and not dry_run)


def _cite(products: Sequence[str], folder: str | None) -> None:
    """Print how to cite what is in the cache."""
    from layers import fetching

    lines = fetching.cite(products, folder=folder)
    if lines:
        click.echo("\n".join(printable(line) for line in lines))
    else:
        where = folder or fetching.cache_folder()
        click.echo(f"lodemap: nothing is in {printable(str(where))} yet", err=True)


def _known(names: Sequence[str]) -> list[str]:
    """Ids of the products that are meant; an error if one is unknown."""
    from layers.fetching.products import find_products

    return [product.id for product in find_products(names)]


def _box(text: str | None) -> Any:
    """Read four numbers with commas between; what they mean is checked later."""
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != 4:
        raise RequestError(
            f"--bbox {text[:80]}: expected W,S,E,N in degrees, as --bbox 124,39,126,41"
        )
    return numbers


def _list(products: list[Product], *, as_json: bool) -> None:
    """Print what is known of the products."""
    if as_json:
        import msgspec

        _print_json([msgspec.to_builtins(product) for product in products])
        return
    for product in products:
        click.echo(f"{product.id}: {product.title}")
        _print_terms(product)
        for fact in product.verified:
            click.echo(f"  verified: {fact.fact} ({fact.source})")
        click.echo("")


def _show(
    found: tuple[PublicFile, ...], products: list[Product], *, as_json: bool
) -> None:
    """Print the files of each product under its terms."""
    if as_json:
        _print_json([{**asdict(file), "path": str(file.path)} for file in found])
        return
    for product in products:
        files = [file for file in found if file.product == product.id]
        click.echo(f"{product.id}: {product.title}")
        for file in files:
            click.echo(f"  {_line(file)}")
        if not files:
            click.echo("  no file: it does not reach this place")
        else:
            click.echo(f"  folder: {printable(str(files[0].path.parent))}")
        _print_terms(product)
        click.echo("")


def _line(file: PublicFile) -> str:
    """One file in one line."""
    size = "" if file.size_bytes is None else f"  {_bytes(file.size_bytes)}"
    note = f"  ({file.note})" if file.note else ""
    return f"{file.status:<8}{file.name}{size}{note}"


def _print_terms(product: Product) -> None:
    """Print licence, citation and notice, and what could not be verified."""
    pairs = {
        "about": product.about + (f" [{product.unit}]" if product.unit != "1" else ""),
        "size": product.size_note,
        "from": f"{product.base}/{product.path}",
        "page": product.page,
        "licence": f"{product.licence}, {product.licence_url}",
        "cite": product.citation,
        "notice": product.notice,
        "by hand": product.by_hand,
    }
    for name, text in pairs.items():
        if text:
            click.echo(f"  {name}: {text}")
    for text in product.unverified:
        click.echo(f"  not verified: {text}")


def _say_what_next(
    found: tuple[PublicFile, ...], where: str, *, download: bool
) -> None:
    """Tell on stderr what was done, and what would be."""
    needed = [file for file in found if file.status == "needed"]
    fetched = [file for file in found if file.status == "fetched"]
    if download:
        size = _bytes(sum(file.size_bytes or 0 for file in fetched))
        click.echo(
            f"lodemap: {len(fetched)} files fetched ({size}), "
            f"{len(found) - len(fetched)} already known",
            err=True,
        )
    elif needed:
        click.echo(
            f"lodemap: nothing was fetched; {len(needed)} files are not here. To fetch "
            f"some: lodemap fetch {needed[0].product} {printable(where)} --download",
            err=True,
        )


def _amount(done: int, whole: int) -> str:
    """Write how much came."""
    return f"{_bytes(done)} of {_bytes(whole)}"


def _bytes(number: int) -> str:
    """Write a number of bytes for people."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} B"


def _print_json(value: object) -> None:
    """Print JSON."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))

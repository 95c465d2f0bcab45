"""The command ``lodemap picture``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from maps.defaults import EXCHANGE
from maps.progress import drawn_progress

if TYPE_CHECKING:
    from maps.pictures.order import Language


@click.command()
@click.argument("exchange", default=EXCHANGE)
@click.option(
    "-o",
    "--output",
    required=True,
    metavar="FILE",
    help="File that ends in .png, .svg or .pdf.",
)
@click.option("--report", is_flag=True, help="A report on A4 pages, as PDF.")
@click.option(
    "--width-mm",
    type=float,
    default=180.0,
    show_default=True,
    help="Width of the picture; a report has its own.",
)
@click.option(
    "--dpi",
    type=int,
    default=300,
    show_default=True,
    help="Pixels to the inch of a PNG.",
)
@click.option("--as-of", metavar="DATE", help="Ask the sanctions as of this day.")
@click.option(
    "--lang",
    "language",
    default="en",
    show_default=True,
    help="Language of names and legend: en, ko or zh. A report's text is English.",
)
@click.option("--dark", is_flag=True, help="The dark palette, for screens.")
def picture(
    *,
    exchange: str,
    output: str,
    report: bool,
    width_mm: float,
    dpi: int,
    as_of: str | None,
    language: Language,
    dark: bool,
) -> None:
    """Draw EXCHANGE for print, with no browser and no network, and print the path.

    EXCHANGE is the id of an exchange that ships, or the path of a TOML file. The same
    exchange, version and fonts give the same file, byte by byte.
    """
    import layers
    import maps
    from layers.sanctions import to_date
    from maps.pictures.order import Order

    order = Order(  # refuses at once what would only fail after the drawing
        path=Path(output),
        report=report,
        width_mm=width_mm,
        dpi=dpi,
        language=language,
        dark=dark,
    )
    deal = layers.load_exchange(exchange, as_of=to_date(as_of) if as_of else None)
    with drawn_progress() as progress:
        path = maps.picture(
            deal,
            order.path,
            report=order.report,
            width_mm=order.width_mm,
            dpi=order.dpi,
            language=order.language,
            dark=order.dark,
            progress=progress,
        )
    click.echo(path)

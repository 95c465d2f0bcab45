"""Write a picture or a report: draw, set, and put the file in its place whole."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from layers.files import replacing
from maps.pictures.figure import figure
from maps.pictures.fonts import TAGS, FontStock
from maps.pictures.svg import number
from maps.pictures.typesetter import typeset

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layers.exchange import Exchange
    from maps.page import ExchangeMap
    from maps.pictures.order import Order


def write_picture(
    exchange: Exchange,
    page: ExchangeMap,
    order: Order,
    *,
    fonts: FontStock | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw an exchange as it was ordered and write the file.

    Parameters
    ----------
    exchange
        From :func:`layers.load_exchange`.
    page
        Its map, from :func:`maps.exchange_map`.
    order
        What is asked for.
    fonts
        Fonts to use; those of the system when not given.
    progress
        Called with the steps done and all steps.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    maps.pictures.order.PictureError
        If it cannot be drawn as asked.
    layers.errors.ExtraMissingError
        If the extra ``picture`` is not installed.
    layers.errors.WriteError
        If the file cannot be written.
    """
    step = progress or (lambda _done, _all: None)
    step(0, 3)
    stock = fonts or FontStock()
    if order.report:
        from maps.pictures.report import report

        step(1, 3)
        made = report(exchange, page, order, fonts=stock)
    else:
        drawn = figure(
            exchange,
            page,
            fonts=stock,
            width=order.units,
            language=order.language,
            dark=order.dark,
        )
        order.require_pixels(drawn.height_mm)
        stock.warn(drawn.texts)
        step(1, 3)
        if order.format == "svg":
            made = f'<?xml version="1.0" encoding="UTF-8"?>\n{drawn.svg}\n'.encode()
        else:
            inputs = {
                "drawing": drawn.svg,
                "title": drawn.title,
                "about": drawn.about,
                "lang": TAGS[order.language][:2],
                "width": number(drawn.width_mm),
                "height": number(drawn.height_mm),
            }
            made = typeset(
                "picture",
                inputs,
                fonts=stock,
                form=order.format,
                dated=newest_data(),
                dpi=order.dpi,
            )
    step(2, 3)
    with replacing(order.path) as stream:
        stream.write(made)
    step(3, 3)
    return order.path


def newest_data() -> date:
    """Day on which the newest layer that ships was read; files carry it as theirs."""
    from layers.catalogue import catalogue

    return max(date.fromisoformat(str(e.retrieved)) for e in catalogue().values())

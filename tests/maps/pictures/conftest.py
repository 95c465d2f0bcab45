"""The pages of the exchanges that ship, and the fonts of this machine."""

from __future__ import annotations

import pytest

import layers
from maps.exchange import build
from maps.pictures.figure import figure
from maps.pictures.fonts import FontStock


@pytest.fixture(scope="session")
def fonts():
    return FontStock()


@pytest.fixture(scope="session")
def pages():
    """Exchange and page of each that ships, by id."""
    deals = {name: layers.load_exchange(name) for name in layers.exchange_ids()}
    return {name: (deal, build(deal)) for name, deal in deals.items()}


@pytest.fixture(scope="session")
def drawn(pages, fonts):
    """Draw an exchange that ships."""

    def draw(name="cholsan-2019", *, width=900.0, **options):
        return figure(*pages[name], fonts=fonts, width=width, **options)

    return draw

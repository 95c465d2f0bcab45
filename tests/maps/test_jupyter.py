"""The map in a cell of a real notebook."""

import json
import sys
from pathlib import Path

import pytest

from tests import jupyter
from tests.apart import JUPYTER, NoProgramsError
from tests.browser import until

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
CELLS = (
    "import sys\nsys.path += {paths}",
    "import layers, maps\nmaps.exchange_map(layers.load_exchange('pobeda-2014'))",
)


@pytest.fixture
def notebook(tmp_path):
    """A notebook of two cells, the second a map, on a server of its own."""
    try:
        JUPYTER.versions()
    except NoProgramsError as error:
        pytest.skip(str(error))
    paths = [str(ROOT), *(path for path in sys.path if "site-packages" in path)]
    cells = [
        {
            "cell_type": "code",
            "id": f"cell{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source.format(paths=paths),
        }
        for number, source in enumerate(CELLS)
    ]
    kernel = {"name": "lodemap", "display_name": "Lodemap", "language": "python"}
    (tmp_path / "map.ipynb").write_text(
        json.dumps(
            {
                "cells": cells,
                "metadata": {"kernelspec": kernel},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )
    with jupyter.serving(tmp_path) as (address, token):
        yield address, token


def test_a_map_in_an_output_cell_draws_and_opens_cards(notebook, chromium):
    address, token = notebook
    refused = []
    context = chromium.new_context(viewport={"width": 1400, "height": 1000})

    def refuse(route):
        refused.append(route.request.url)
        route.abort()

    context.route(lambda url: not url.startswith((address, "data:", "blob:")), refuse)
    page = context.new_page()
    trouble = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.goto(f"{address}notebooks/map.ipynb?token={token}")
    page.locator(".jp-CodeCell .cm-content").first.click(timeout=120_000)
    for _ in CELLS:
        page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-OutputArea-output iframe")
    output.wait_for(timeout=180_000)
    output.scroll_into_view_if_needed()
    assert output.get_attribute("sandbox") == "allow-scripts allow-popups"
    frame = output.element_handle().content_frame()
    frame.wait_for_selector("html[data-ready]", timeout=60_000)
    assert frame.evaluate("window.origin") == "null"
    assert frame.locator("[data-key]").count() > 5
    frame.locator(".mark-icon[data-key]").first.evaluate("el => el.click()")
    until(frame, "document.querySelector('#sheet h3')?.textContent.length > 2")
    assert frame.locator("#sheet h3").is_visible()
    # It reaches neither the notebook nor the network.
    reached = """() => { try { return String(parent.document.title); }
        catch (error) { return error.name; } }"""
    assert frame.evaluate(reached) == "SecurityError"
    asked = "fetch('https://example.org/').then(() => 'read', () => 'refused')"
    assert frame.evaluate(asked) == "refused"
    assert [url for url in refused if "example.org" in url] == []  # by its own policy
    assert [error for error in trouble if "lodemap" in error.lower()] == []
    context.close()

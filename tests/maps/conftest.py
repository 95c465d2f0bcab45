"""A real browser without a network, the real page in it, and hostile texts."""

from __future__ import annotations

import dataclasses
from contextlib import contextmanager

import msgspec
import pytest

import layers
import maps
from layers.ranges import Range
from tests.browser import FLAGS, find_browser

HOSTILE = (
    "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    "`+alert(3)+`${alert(3)}\"'><svg onload=alert(4)>{{ 7*7 }}{% raw %}{#"
    "\u2028갱 \"따옴표\" '홑' & <!-- \\"
)
"""Text that runs in pages which trust their data."""

KEPT = frozenset(
    {
        *("id", "ref", "layer", "from_id", "to_id", "region_id", "leg", "measure"),
        *("claims", "sources", "source", "derived_from", "party", "basis_claims"),
        *("leg_kind", "likelihood", "subject", "property", "status", "direction"),
        *("in_force_from", "in_force_to", "headline_claims", "region", "effect"),
    }
)
"""Columns and fields that tie things together; all other text is made hostile."""


@pytest.fixture(scope="session")
def deal():
    """The exchange with the most to show."""
    return layers.load_exchange("cholsan-2019")


@pytest.fixture(scope="session")
def page_file(deal, tmp_path_factory):
    """Its page."""
    folder = tmp_path_factory.mktemp("page")
    return maps.save(maps.exchange_map(deal), folder / "page.html")


@pytest.fixture(scope="session")
def chromium():
    """A running Chromium; without one the test fails and is never skipped."""
    from playwright.sync_api import sync_playwright

    path = find_browser()
    if path is None:
        pytest.fail(
            "no Chromium found: set LODEMAP_CHROMIUM, or run python tests/browser.py"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Trouble(list):
    """What went wrong in a page: requests, dialogs, errors."""


@pytest.fixture
def open_page(chromium):
    """Open a file with no network; at the end nothing may have gone wrong in it."""

    @contextmanager
    def opened(file, *, ready=True, **options):
        trouble = Trouble()
        context = chromium.new_context(
            **{"viewport": {"width": 1440, "height": 900}, **options}
        )

        def refuse(route):
            trouble.append(f"request: {route.request.url}")
            route.abort()

        context.route(lambda url: not url.startswith(("file:", "data:")), refuse)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: trouble.append(f"error: {error}"))
        page.on(
            "console",
            lambda message: (
                message.type in {"error", "warning"}
                and trouble.append(f"console: {message.text}")
            ),
        )

        def dismiss(dialog):
            trouble.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", dismiss)
        page.goto(file.resolve().as_uri())
        if ready:
            page.wait_for_selector("html[data-ready]")
        page.trouble = trouble
        try:
            yield page
        finally:
            context.close()
        assert trouble == []

    return opened


def poison(value, name=""):
    """Return a value in which every text that ties nothing together is hostile."""
    import geopandas as gpd
    import pandas as pd

    if isinstance(value, str):
        return value if name in KEPT else f"{value}{HOSTILE}"
    if isinstance(value, pd.DataFrame):
        table = value.copy()
        for column in table.columns:
            if column not in KEPT and pd.api.types.is_string_dtype(table[column]):
                table[column] = table[column].astype(str) + HOSTILE
        return gpd.GeoDataFrame(table) if isinstance(value, gpd.GeoDataFrame) else table
    if isinstance(value, tuple):
        return tuple(poison(item, name) for item in value)
    if isinstance(value, Range):  # a number whose unit is checked
        return value
    if isinstance(value, msgspec.Struct):
        fields = {f: poison(getattr(value, f), f) for f in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if dataclasses.is_dataclass(value):
        fields = {
            f.name: poison(getattr(value, f.name), f.name)
            for f in dataclasses.fields(value)
        }
        return dataclasses.replace(value, **fields)
    return value

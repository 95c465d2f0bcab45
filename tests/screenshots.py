"""Make the pictures of the README: ``python tests/screenshots.py``."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

import layers
import maps

HERE = Path(__file__).parent / "screenshots"
SIZES = {"": (1440, 900), "-phone": (390, 844)}


def main() -> None:
    from browser import FLAGS, bring_browser  # beside this script

    HERE.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        deal = layers.load_exchange("cholsan-2019")
        page_file = maps.save(maps.exchange_map(deal), Path(folder, "page.html"))
        browser = playwright.chromium.launch(
            executable_path=bring_browser(), args=list(FLAGS)
        )
        for name, (width, height) in SIZES.items():
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(page_file.resolve().as_uri())
            page.wait_for_selector("html[data-ready]")
            target = HERE / f"cholsan-2019{name}.png"
            page.screenshot(path=target)
            print(target.relative_to(HERE.parent.parent))
        browser.close()


if __name__ == "__main__":
    main()

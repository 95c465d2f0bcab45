"""A page in Chromium: when it is drawn, how it moves, what a pointer waits for.

The same for all pages: a page is drawn when a picture of its middle changes no more.
Libraries that a peer loads from the network are served from npm packages, so that no
network time is in any number; what is not there is left unanswered, and told.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PACKAGES = {
    "leaflet": "1.9.3",
    "leaflet.markercluster": "1.5.3",
    "jquery": "3.7.1",
    "bootstrap": "5.2.2",
}
CLIP = {"x": 320, "y": 200, "width": 540, "height": 500}
STILL_S = 1.5
ZOOMS = range(4, 15)
_MAP = """() => window.lodemap ? lodemap.map() : window[Object.keys(window)
    .find((key) => /^map_[0-9a-f]{32}$/.test(key))]"""
_BUSY = """() => window.lodemap && lodemap.manyLayers
    && [...lodemap.manyLayers.values()].some((one) => !one.front || one.busy)"""


@dataclass(kw_only=True)
class Watched:
    """Times of a page in milliseconds; NaN where it could not be asked.

    ``own_ms`` and ``read_ms`` are marks of our page: when the layer was first painted
    whole, and when all its vertices were there, so that it can be pointed at.
    """

    drawn_ms: float = float("nan")
    own_ms: float = float("nan")
    read_ms: float = float("nan")
    repaint_ms: float = float("nan")
    frame_ms: float = float("nan")
    card_ms: float = float("nan")
    missing: list[str] = field(default_factory=list)


def assets(folder):
    """Bring the peers' libraries from npm; a folder, empty where there is no npm."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("npm") and not (folder / "node_modules").is_dir():
        names = [f"{name}@{version}" for name, version in PACKAGES.items()]
        with suppress(subprocess.SubprocessError):
            subprocess.run(
                ["npm", "install", "--silent", "--no-save", *names],
                cwd=folder,
                check=True,
                timeout=180,
                stdout=subprocess.DEVNULL,
            )
    return folder / "node_modules"


def _answer(route, library, watched):
    """Serve a file of a package by its name; an empty one for any other."""
    url = urlsplit(route.request.url)
    name = Path(url.path).name
    for found in library.rglob(name) if library.is_dir() and name else ():
        if "dist" in found.parts:
            route.fulfill(path=str(found))
            return
    watched.missing.append(name or url.netloc)
    kind = "text/css" if name.endswith(".css") else "text/javascript"
    route.fulfill(body="", content_type=kind)


def watch(browser, file, library, *, timeout_s=120.0):
    """Open a page and take its times."""
    watched = Watched()
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.route(
        re.compile("^https?:"), lambda route: _answer(route, library, watched)
    )
    page = context.new_page()
    page.set_default_timeout(timeout_s * 1000)
    try:
        blank = _picture(page)
        start = time.perf_counter()
        page.goto(Path(file).resolve().as_uri(), wait_until="commit")
        watched.drawn_ms = _settled(page, start, timeout_s, blank)
        own = page.evaluate("() => document.documentElement.dataset.many || null")
        watched.own_ms = float(own) if own else float("nan")
        if own:
            watched.card_ms = _card(page)
            read = page.evaluate("() => document.documentElement.dataset.manyRead")
            watched.read_ms = float(read or "nan")
        if page.evaluate(f"() => Boolean(({_MAP})())"):
            watched.frame_ms = _pan(page)
            watched.repaint_ms = max(_repaint(page, zoom) for zoom in ZOOMS)
    finally:
        context.close()
    return watched


def _picture(page):
    return hashlib.sha256(_shot(page)).hexdigest()


def _shot(page):
    """Take a picture; Chromium refuses now and then while a page is being laid out."""
    from playwright.sync_api import Error

    for _ in range(5):
        try:
            return page.screenshot(clip=CLIP)
        except Error as error:
            if "Unable to capture" not in str(error):
                raise
    return page.screenshot(clip=CLIP)


def _settled(page, start, timeout_s, blank):
    """Milliseconds until the last change of the picture; infinite if it never came."""
    last, changed = blank, None
    while True:
        now = time.perf_counter()
        seen = _picture(page)
        if seen != last:
            last, changed = seen, time.perf_counter()
        elif changed and now - changed > STILL_S and not page.evaluate(_BUSY):
            return (changed - start) * 1000
        if now - start > timeout_s:
            return float("inf")


def _pan(page):
    """Longest time between two frames while the map is dragged."""
    page.evaluate(
        """() => {
            window.gaps = [];
            let last = performance.now();
            const tick = () => {
                const now = performance.now();
                window.gaps.push(now - last);
                last = now;
                window.ticking = requestAnimationFrame(tick);
            };
            requestAnimationFrame(tick);
        }"""
    )
    page.mouse.move(600, 450)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(600 + 7 * step, 450 + 3 * step)
        page.wait_for_timeout(8)
    page.mouse.up()
    page.wait_for_timeout(400)
    return page.evaluate(
        """() => {
            cancelAnimationFrame(window.ticking);
            return Math.max(...window.gaps.slice(2));
        }"""
    )


def _repaint(page, zoom):
    """Milliseconds from a new view to its picture."""
    start = time.perf_counter()
    page.evaluate(
        f"""(zoom) => {{
            const map = ({_MAP})();
            map.setMaxZoom(18);
            map.setView([40.2, 126.1], zoom, {{ animate: false }});
        }}""",
        zoom,
    )
    while page.evaluate(_BUSY):
        pass
    _shot(page)
    return (time.perf_counter() - start) * 1000


def _card(page):
    """Milliseconds from a click on a feature to its card."""
    return page.evaluate(
        """async () => {
            const layer = [...lodemap.manyLayers.values()][0];
            for (const { name } of layer.data.columns) await layer.column(name);
            const [i] = layer.shape.within(layer.windows(), 1);
            const [lon, lat] = layer.shape.anchor(i);
            const point = lodemap.map().latLngToContainerPoint([lat, lon]);
            const start = performance.now();
            const [found] = layer.at(point, 1);
            await lodemap.selectMany(layer, found);
            const took = performance.now() - start;
            lodemap.close();
            return took;
        }"""
    )

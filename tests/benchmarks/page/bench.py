"""Large layers on a page beside folium, geopandas, lonboard and pydeck.

Run ``make bench-page``, or ``python tests/benchmarks/page/bench.py --tools ours
--points 1000,1000000 --runs 3``. Peers that are not installed are said to be missing:
``pip install lonboard pydeck matplotlib`` brings them. A table goes to stdout; figures
are medians.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path += [str(HERE), str(HERE.parents[1])]

from browser import FLAGS, bring_browser  # noqa: E402 - found by the path above
from watching import Watched, assets, watch  # noqa: E402
from writers import TITLES, TOOLS, write  # noqa: E402

LARGEST = {
    ("folium", "points"): 100_000,
    ("cluster", "points"): 1_000_000,
    ("explore", "points"): 10_000,
    ("pydeck", "points"): 100_000,
    ("lonboard", "points"): 1_000_000,
    ("folium", "polygons"): 10_000,
    ("cluster", "polygons"): 0,
    ("explore", "polygons"): 10_000,
    ("pydeck", "polygons"): 10_000,
    ("lonboard", "polygons"): 100_000,
}
"""Features beyond which a peer takes minutes or gigabytes, or cannot draw the kind."""


def numbers(text):
    return [int(float(part)) for part in text.split(",") if part]


def median(found, name):
    values = [getattr(one, name) for one in found]
    return statistics.median(values) if values else float("nan")


def show(value, digits=0):
    if value != value:
        return "–"
    return "never" if value == float("inf") else f"{value:,.{digits}f}"


def trial(tool, kind, count, options, browser, library, folder):
    """One row of the table."""
    path = folder / f"{tool}-{kind}-{count}.html"
    written = [write(tool, kind, count, path) for _ in range(options.runs)]
    failed = next((one.error for one in written if one.error), "")
    if failed:
        return [TITLES[tool], kind, f"{count:,}", failed]
    seen = [watch(browser, path, library) for _ in range(options.runs)]
    path.unlink()
    missing = sorted({name for one in seen for name in one.missing})
    seen = seen or [Watched()]
    return [
        TITLES[tool],
        kind,
        f"{count:,}",
        show(median(written, "wall_s"), 2),
        show(median(written, "cpu_s"), 2),
        show(median(written, "peak_mb")),
        show(median(written, "megabytes"), 2),
        *(
            show(median(seen, name))
            for name in (
                *("drawn_ms", "own_ms", "read_ms", "repaint_ms", "frame_ms"),
                "card_ms",
            )
        ),
        f"{len(missing)} files of the network not served" if missing else "",
    ]


def main():
    """Run the trials and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", default=",".join(TOOLS))
    parser.add_argument("--points", default="1000,10000,100000,1000000")
    parser.add_argument("--polygons", default="10000,100000")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--assets", default="~/.cache/lodemap-bench-page")
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    library = assets(Path(options.assets).expanduser())
    head = [
        *("tool", "kind", "features", "write s", "cpu s", "peak MB", "file MB"),
        *("drawn ms", "own mark ms", "read ms", "worst repaint z4-14 ms"),
        *("longest frame ms", "click to card ms", "note"),
    ]
    print(" | ".join(head))
    print(" | ".join("---" for _ in head))
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(
            executable_path=bring_browser(), args=list(FLAGS)
        )
        for kind in ("points", "polygons"):
            for count in numbers(getattr(options, kind)):
                for tool in options.tools.split(","):
                    if count > LARGEST.get((tool, kind), count):
                        continue
                    row = trial(
                        tool, kind, count, options, browser, library, Path(folder)
                    )
                    print(" | ".join(row), flush=True)
        browser.close()


if __name__ == "__main__":
    main()

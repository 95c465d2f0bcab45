"""One page in a process of its own: ``write`` starts it; the process times itself.

The data are made before the clock starts. Time is that of building the map and writing
the file, memory the most that the process held, imports and all.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PEERS = ("folium", "cluster", "explore", "lonboard", "pydeck")
TOOLS = ("ours", "classes", *PEERS)
TITLES = {
    "ours": "Lodemap",
    "classes": "Lodemap, coloured by class",
    "folium": "folium GeoJson",
    "cluster": "folium FastMarkerCluster",
    "explore": "geopandas.explore",
    "lonboard": "lonboard",
    "pydeck": "pydeck, offline",
}


@dataclass(frozen=True, kw_only=True)
class Written:
    """A page that was written; or why not."""

    error: str = ""
    wall_s: float = float("nan")
    cpu_s: float = float("nan")
    peak_mb: float = float("nan")
    megabytes: float = float("nan")


def write(tool, kind, count, path, *, timeout_s=600.0):
    """Write a page in a fresh process; what goes wrong there is told, not raised."""
    command = [sys.executable, __file__, tool, kind, str(count), str(path)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=env,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired:
        return Written(error=f"not finished in {timeout_s:.0f} s")
    if done.returncode:
        return Written(error=(done.stderr.strip().splitlines() or ["failed"])[-1][:160])
    return Written(**json.loads(done.stdout))


def _ours(layer, path, **options):
    import many_sample

    many_sample.write(path, layer, **options)


def _folium(layer, path):
    import folium

    page = folium.Map(tiles=None, prefer_canvas=True)
    fields = [column for column in layer if column != "geometry"]
    folium.GeoJson(
        layer,
        marker=folium.CircleMarker(radius=3),
        tooltip=folium.GeoJsonTooltip(fields),
        popup=folium.GeoJsonPopup(fields),
    ).add_to(page)
    west, south, east, north = layer.total_bounds
    page.fit_bounds([[south, west], [north, east]])
    page.save(path)


def _cluster(layer, path):
    import folium
    from folium.plugins import FastMarkerCluster

    page = folium.Map(tiles=None)
    rows = list(zip(layer.geometry.y, layer.geometry.x, layer["name"], strict=True))
    FastMarkerCluster(
        rows,
        callback="function (row) { return L.marker([row[0], row[1]])"
        ".bindPopup(row[2]); }",
    ).add_to(page)
    west, south, east, north = layer.total_bounds
    page.fit_bounds([[south, west], [north, east]])
    page.save(path)


def _explore(layer, path):
    page = layer.explore(column="score", scheme="quantiles", k=5, tiles=None)
    page.save(path)


def _lonboard(layer, path):
    import lonboard

    lonboard.viz(layer).to_html(path)


def _pydeck(layer, path):
    import pydeck

    if (layer.geom_type == "Point").all():
        table = layer.drop(columns="geometry").assign(
            lon=layer.geometry.x, lat=layer.geometry.y
        )
        drawn = pydeck.Layer(
            "ScatterplotLayer",
            table,
            get_position=["lon", "lat"],
            get_radius=300,
            get_fill_color=[138, 31, 92],
            pickable=True,
        )
    else:
        drawn = pydeck.Layer(
            "GeoJsonLayer", layer, get_fill_color=[138, 31, 92], pickable=True
        )
    view = pydeck.ViewState(longitude=126, latitude=40.25, zoom=6)
    deck = pydeck.Deck([drawn], initial_view_state=view, map_provider=None)
    deck.to_html(str(path), offline=True, open_browser=False, notebook_display=False)


def main():
    """Write one page and print what it took, as JSON."""
    import many_sample

    tool, kind, count, path = sys.argv[1:]
    layer = getattr(many_sample, kind)(int(count))
    write_page = {
        "ours": lambda a, b: _ours(a, b, draw="canvas"),
        "classes": lambda a, b: _ours(a, b, draw="canvas", column="kind"),
        "folium": _folium,
        "cluster": _cluster,
        "explore": _explore,
        "lonboard": _lonboard,
        "pydeck": _pydeck,
    }[tool]
    write_page(layer.iloc[:3], path)  # imports, and what is made once
    start, cpu = time.perf_counter(), time.process_time()
    write_page(layer, path)
    wall, used = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = Path(path).stat().st_size / 1e6
    found = {"wall_s": wall, "cpu_s": used, "peak_mb": peak, "megabytes": size}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    sys.path.append(str(ROOT / "tests" / "maps"))
    main()

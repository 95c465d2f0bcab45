"""Tiles made in a process of its own, which can be ended: ``python -m layers.tiling``.

Takes a JSON object on standard input and answers with one; the tiler's own words go to
standard error.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def tile(order: dict[str, Any]) -> dict[str, Any]:
    """Make an archive as ordered.

    Parameters
    ----------
    order
        ``source`` (GeoParquet), ``levels`` and ``archive`` (paths to write), ``layer``,
        ``low``, ``high`` (zooms), ``extent`` (steps across a tile) and ``points``
        (whether all features are points).

    Returns
    -------
    dict
        ``features``: number by zoom; ``tiles``: number in all; ``dropped``: features
        that the size of a tile left out.
    """
    import tylertoo

    made = tylertoo.overview(
        order["source"],
        order["levels"],
        min_zoom=order["low"],
        max_zoom=order["high"],
        density_drop=False,
        point_thinning=0.0 if order["points"] else None,
        coalesce_lines=False,
        no_auto_rank=True,
        profile="bounded",
    )
    out = tylertoo.export_pmtiles(
        order["levels"],
        order["archive"],
        layer_name=order["layer"],
        extent=order["extent"],
        tile_size_limit=None,
        simple_clip_fastpath=False,
    )
    return {
        "features": {row["zoom"]: row["feature_count"] for row in made["levels"]},
        "tiles": out["total_tiles"],
        "dropped": out["encode_dropped_features"],
    }


if __name__ == "__main__":
    answer = tile(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer))

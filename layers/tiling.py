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
        ``zoom`` and ``extent`` (steps across a tile).

    Returns
    -------
    dict
        ``features``: number by zoom; ``tiles``: number in all; ``dropped``: features
        that the size of a tile left out; ``collapsed``: pieces that vanish between two
        steps.
    """
    import tylertoo

    made = tylertoo.overview(
        order["source"],
        order["levels"],
        min_zoom=order["zoom"],
        max_zoom=order["zoom"],
        density_drop=False,
        simplify_factor=0.0,
        point_thinning=0.0,
        line_thinning=0.0,
        polygon_thinning=0.0,
        line_visibility=0.0,
        polygon_visibility=0.0,
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
        "collapsed": out["encode_quantized_features"],
    }


if __name__ == "__main__":
    answer = tile(json.load(sys.stdin))
    sys.stdout.write(json.dumps(answer))

"""Counts and means of polygons by exactextract: ``exactextract_asked.py FILE.json``.

Run by the Python that has it. The file names ``values`` (rows of numbers, null where
there is none), ``bounds`` (west, south, east, north), ``crs`` (WKT) and GeoJSON
``features``; an object with ``count`` and ``mean`` of each goes to stdout.
"""

import json
import sys
from pathlib import Path

import numpy as np
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource


def main(path):
    asked = json.loads(Path(path).read_text("utf-8"))
    extent = dict(zip(("xmin", "ymin", "xmax", "ymax"), asked["bounds"], strict=True))
    raster = NumPyRasterSource(
        np.array(asked["values"], dtype="f8"), srs_wkt=asked["crs"], **extent
    )
    found = exact_extract(raster, asked["features"], ["count", "mean"])
    properties = [one["properties"] for one in found]
    json.dump({k: [p[k] for p in properties] for k in ("count", "mean")}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])

"""Where the rows lie that a file was read into."""

import numpy as np
import shapely


def bounds_of(rows):
    """West, south, east, north of what is finite in rows with WKT; None of nothing."""
    wkt = [row["geometry"] for row in rows if row.get("geometry") is not None]
    xy = shapely.get_coordinates(shapely.from_wkt(wkt))
    xy = xy[np.isfinite(xy).all(axis=1)]
    return (*xy.min(axis=0), *xy.max(axis=0)) if len(xy) else None

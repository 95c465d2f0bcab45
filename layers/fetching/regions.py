"""The place for which files are fetched: provinces that ship, or a box."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

from layers.catalogue import load
from layers.errors import RequestError

if TYPE_CHECKING:
    import shapely

    from layers.fetching.products import Box

    Place = shapely.Polygon | shapely.MultiPolygon
    """Where files are needed: EPSG:4326, longitudes from −180 to 180."""

COUNTRY = "dprk"
"""Name of all provinces of the DPRK together."""


def area(*, region: str | None = None, bbox: Box | None = None) -> Place:
    """Shape of a region or of a box.

    Parameters
    ----------
    region
        Ids of provinces that ship, with commas between them
        (``"north-pyongan,south-pyongan"``), or ``dprk`` for the whole country.
    bbox
        West, south, east, north. [°] A west edge that is greater than the east edge
        crosses the antimeridian.

    Returns
    -------
    shapely.Polygon or shapely.MultiPolygon
        In EPSG:4326, longitudes from −180 to 180.

    Raises
    ------
    RequestError
        If both are given or neither; if a province is unknown; if the box is not four
        numbers, is empty, or lies outside the world.

    Examples
    --------
    >>> area(bbox=(179, -18, -179, -16)).bounds
    (-180.0, -18.0, 180.0, -16.0)
    """
    if (region is None) == (bbox is None):
        raise RequestError(
            "expected either a region or a box of west, south, east, north; "
            f"got {'neither' if bbox is None else 'both'}"
        )
    return _provinces(region) if region is not None else _box(bbox)


def _provinces(region: str) -> Place:
    """Join the provinces that are named."""
    import shapely

    provinces = load("provinces")
    wanted = [name.strip() for name in region.split(",")]
    chosen = provinces["id"].isin(wanted)
    if COUNTRY in wanted:
        chosen |= provinces["country"] == "KP"
    unknown = set(wanted) - {COUNTRY} - set(provinces["id"])
    if unknown:
        raise RequestError(
            f"no region {min(unknown)[:60]!r}; there are {COUNTRY}, "
            f"{', '.join(provinces['id'])}. Or give a box: west, south, east, north."
        )
    return cast("Place", shapely.union_all(list(provinces.geometry[chosen])))


def _box(bbox: Box | None) -> Place:
    """Shape of a box, cut in two at the antimeridian."""
    import shapely

    try:
        west, south, east, north = map(float, bbox or ())
    except (TypeError, ValueError):
        raise RequestError(
            f"the box is {str(bbox)[:80]}; expected four numbers: west, south, east, "
            "north in degrees"
        ) from None
    if not all(map(math.isfinite, (west, south, east, north))):
        raise RequestError(f"the box {bbox} holds a number that is not finite")
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= 90):
        raise RequestError(
            f"the box {bbox} lies outside −180…180° and −90…90°; expected west, south, "
            "east, north in this order"
        )
    if not south < north <= 90:
        raise RequestError(
            f"the box {bbox} has its north edge at {north}° and its south edge at "
            f"{south}°; expected north above south and at most 90°"
        )
    if west == east:
        raise RequestError(f"the box {bbox} is empty: west equals east")
    if west < east:
        return shapely.box(west, south, east, north)
    halves = [(west, 180.0), (-180.0, east)]
    return shapely.MultiPolygon(
        [shapely.box(w, south, e, north) for w, e in halves if w < e]
    )

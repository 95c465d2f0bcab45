"""In which unit a query measures: told in words before a number is read as metres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from layers.functions import spelled
from layers.statement import calls, nodes

if TYPE_CHECKING:
    from collections.abc import Collection

    from layers.statement import Node


class MeasureWarning(UserWarning):
    """A query measures in degrees, on a sphere, or in a CRS that stretches."""


_GEOMETRIES = {
    "st_distance": 2,
    "st_distance_geos": 2,
    "st_dwithin": 2,
    "st_dwithin_geos": 2,
    "st_shortestline": 2,
    "st_closestpoint": 2,
    "st_azimuth": 2,
    "st_linelocatepoint": 2,
    "st_snap": 2,
    "st_length": 1,
    "st_area": 1,
    "st_perimeter": 1,
    "st_buffer": 1,
    "st_expand": 1,
    "st_centroid": 1,
    "st_concavehull": 1,
    "st_coveragesimplify": 1,
    "st_lineinterpolatepoint": 1,
    "st_lineinterpolatepoints": 1,
    "st_linesubstring": 1,
    "st_maximuminscribedcircle": 1,
    "st_minimumrotatedrectangle": 1,
    "st_reduceprecision": 1,
    "st_simplify": 1,
    "st_simplifypreservetopology": 1,
    "st_voronoidiagram": 1,
}
"""Functions that measure in the plane of the coordinates, and how many geometries each
takes first."""

_INSTEAD = {
    "st_distance": "geodesic_distance or FROM nearest(…)",
    "st_distance_geos": "geodesic_distance or FROM nearest(…)",
    "st_distance_sphere": "geodesic_distance or FROM nearest(…)",
    "st_dwithin": "FROM within_distance(…)",
    "st_dwithin_geos": "FROM within_distance(…)",
    "st_length": "geodesic_length",
    "st_perimeter": "geodesic_length",
    "st_area": "geodesic_area",
}
"""What gives the exact answer in metres."""

_MERCATOR = ("EPSG:3857", "EPSG:900913", "EPSG:3785", "EPSG:3395", "ESRI:102100")
_ON_A_SPHERE = "st_distance_sphere"


def warnings_about(tree: Node, columns: Collection[str]) -> list[str]:
    """Say where a query would give a number that is no metre.

    Parameters
    ----------
    tree
        As :func:`layers.statement.parse` gives it.
    columns
        Names of the columns of the tables that it reads, in lower case.

    Returns
    -------
    list of str
        One line each for what is measured in degrees, in a Mercator projection, and
        on a sphere; empty where nothing is.

    Notes
    -----
    A function of the plane is passed over only when each geometry that it takes is
    seen to be projected: by ``ST_Transform`` to a projected CRS, in place or under an
    alias that nothing else goes by. What cannot be seen is told of.
    """
    aliased: dict[str, list[Node]] = {}
    for node in nodes(tree):
        if node.get("alias") and "class" in node:
            aliased.setdefault(node["alias"].lower(), []).append(node)
    aliased = {k: v for k, v in aliased.items() if k not in columns}
    degrees: set[str] = set()
    stretched: set[str] = set()
    sphere = False
    for call in calls(tree):
        name = call["function_name"]
        sphere = sphere or name == _ON_A_SPHERE
        if name not in _GEOMETRIES:
            continue
        taken = list(call["children"])
        if call.get("schema"):  # geometry.ST_Area()
            taken.insert(0, {"column_names": [call["schema"]], "type": "COLUMN_REF"})
        found = [_crs(a, aliased) or set() for a in taken[: _GEOMETRIES[name]]]
        if not found or not all(found):
            degrees.add(name)
        elif not set().union(*found).isdisjoint(_MERCATOR):
            stretched.add(name)
    told = []
    if degrees:
        may = any(c["function_name"] == "st_transform" for c in calls(tree))
        what = "which are degrees unless they were projected" if may else "degrees"
        told.append(
            f"{_listed(degrees)} works in the unit of the coordinates, {what}, not "
            f"metres{_advice(degrees)}"
        )
    if stretched:
        told.append(
            f"{_listed(stretched)} works in a Mercator projection, which stretches "
            f"lengths by 1/cos(latitude), 31 % at 40°{_advice(stretched)}"
        )
    if sphere:
        told.append(
            "ST_Distance_Sphere measures on a sphere and is up to 0.56 % off"
            f"{_advice({_ON_A_SPHERE})}"
        )
    return told


def flips_axes(tree: Node) -> bool:
    """Tell whether a query puts latitude before longitude.

    Parameters
    ----------
    tree
        As :func:`layers.statement.parse` gives it.

    Returns
    -------
    bool
        True if it calls ``ST_FlipCoordinates``.
    """
    return any(c["function_name"] == "st_flipcoordinates" for c in calls(tree))


def _crs(argument: Any, aliased: dict[str, list[Node]]) -> set[str] | None:
    """Projected CRSs that an argument is in; None where it is not seen to be in one."""
    if isinstance(argument, list):
        each = [_crs(item, aliased) for item in argument]
    elif not isinstance(argument, dict):
        return set()
    elif argument.get("function_name") == "st_transform":
        code = _target(argument)
        return {code} if _is_projected(code) else None
    elif "column_names" in argument:
        behind = aliased.get(str(argument["column_names"][-1]).lower(), [])
        each = [_crs(node, {}) or None for node in behind] or [None]
    else:
        each = [_crs(item, aliased) for item in argument.values()]
    return None if None in each else set().union(*(found or () for found in each))


def _target(call: Node) -> str:
    """CRS into which an ``ST_Transform`` transforms."""
    texts = [c.get("value", {}).get("value") for c in call["children"]]
    codes = [text for text in texts if isinstance(text, str)]
    return codes[-1].upper() if codes else ""


def _is_projected(code: str) -> bool:
    """Tell whether a CRS is known to have its coordinates in a plane."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        return bool(CRS.from_user_input(code).is_projected)
    except CRSError:
        return False


def _listed(names: set[str]) -> str:
    """Write names of functions one after the other."""
    return ", ".join(map(spelled, sorted(names)))


def _advice(names: set[str]) -> str:
    """Say what to use instead."""
    instead = dict.fromkeys(_INSTEAD[n] for n in sorted(names) if n in _INSTEAD)
    if not instead:
        return "; transform to a projected CRS first: ST_Transform(geometry, 'EPSG:…')"
    return f"; use {', '.join(instead)}"

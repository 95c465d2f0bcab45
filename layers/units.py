"""In which unit a query measures: told in words before a number is read as metres."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from layers.functions import literal_text, spelled
from layers.statement import calls, nodes

if TYPE_CHECKING:
    from collections.abc import Collection

    from layers.statement import Node


class MeasureWarning(UserWarning):
    """A query measures in degrees, on a sphere, or in a CRS that stretches.

    Also of a file whose coordinates were reprojected for it.
    """


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
    "st_coverageclean": 1,
    "st_coverageinvalidedges": 1,
    "st_coverageinvalidedges_agg": 1,
    "st_coveragesimplify": 1,
    "st_coveragesimplify_agg": 1,
    "st_interpolatepoint": 2,
    "st_lineinterpolatepoint": 1,
    "st_lineinterpolatepoints": 1,
    "st_linesubstring": 1,
    "st_maximuminscribedcircle": 1,
    "st_minimumrotatedrectangle": 1,
    "st_reduceprecision": 1,
    "st_removerepeatedpoints": 1,
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

_EACH = 99
_KEEPING_ONE = """
any_value arbitrary array_agg first last list st_boundary st_buffer st_buildarea
st_centroid st_collect st_concavehull st_convexhull st_coverageclean
st_coveragesimplify st_coveragesimplify_agg st_coverageunion st_coverageunion_agg
st_dump st_endpoint st_envelope st_envelope_agg st_expand st_exteriorring
st_flipcoordinates st_force2d st_force3dm st_force3dz st_force4d st_interiorringn
st_intersection_agg st_linemerge st_lineinterpolatepoint st_lineinterpolatepoints
st_linesubstring st_makepolygon st_makevalid st_memunion_agg
st_minimumrotatedrectangle st_multi st_node st_normalize st_pointn st_pointonsurface
st_points st_polygonize st_reduceprecision st_removerepeatedpoints st_reverse
st_simplify st_simplifypreservetopology st_startpoint st_union_agg st_voronoidiagram
"""
_KEEPING_TWO = """
st_closestpoint st_difference st_intersection st_shortestline st_snap
st_symdifference st_union
"""
_KEEPING = {
    **dict.fromkeys(_KEEPING_ONE.split(), 1),
    **dict.fromkeys(_KEEPING_TWO.split(), 2),
    **dict.fromkeys(("array_value", "list_value", "st_makeline"), _EACH),
}
"""Functions that give geometry in the CRS of the geometries that each takes first."""

_BY_NAME = ("aggregate", "array_aggr", "array_aggregate", "list_aggr", "list_aggregate")
"""Functions that call the aggregate whose name is their second argument."""

_ANY_NAME = ("from_json", "from_json_strict", "json_transform", "json_transform_strict")
"""Functions that give columns names that stand in a text."""

_OF_THE_ENGINE = re.compile(
    r"col\d+|atom|fullkey|generate_series|id|json|key|parent|path|range|rowid|type|"
    r"unnest|value"
)
"""Names that columns have without being given them."""

_SET_OPERATIONS = ("RECURSIVE_CTE_NODE", "SET_OPERATION_NODE")
_PLAIN = re.compile(r"[a-z_]\w*")

_MERCATOR = ("mercator", "popular visualisation")
_KEEPS_LENGTHS = (
    "albers",
    "cassini",
    "hotine oblique mercator",
    "hyperbolic cassini",
    "krovak",
    "laborde oblique mercator",
    "lambert azimuthal equal area",
    "lambert conic",
    "new zealand map grid",
    "oblique stereographic",
    "polar stereographic",
    "transverse mercator",
)
"""How the methods begin that keep lengths within a few per cent where a CRS is used."""

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
        One line each for what is measured in degrees, in another unit than the metre,
        in a projection that stretches, and on a sphere; empty where nothing is.

    Notes
    -----
    A function of the plane is passed over only when each geometry that it takes is
    seen to be projected: by ``ST_Transform`` to a CRS in metres whose method keeps
    lengths (:data:`_KEEPS_LENGTHS`), in place or under an alias that nothing else in
    the query goes by. What cannot be seen is told of.
    """
    aliased = _projected_names(tree, columns)
    degrees: set[str] = set()
    otherwise: dict[str, set[str]] = {}
    sphere = False
    for call in calls(tree):
        sphere = sphere or call["function_name"] == _ON_A_SPHERE
        name, taken = _measured(call)
        if not name:
            continue
        found = [_crs(argument, aliased) or set() for argument in taken]
        if not found or not all(found):
            degrees.add(name)
            continue
        for code in set().union(*found):
            for said in filter(None, [_otherwise(code)]):
                otherwise.setdefault(said, set()).add(name)
    told = []
    if degrees:
        may = any(c["function_name"] == "st_transform" for c in calls(tree))
        what = "which are degrees unless they were projected" if may else "degrees"
        told.append(
            f"{_listed(degrees)} works in the unit of the coordinates, {what}, not "
            f"metres{_advice(degrees)}"
        )
    for said, names in otherwise.items():
        told.append(f"{_listed(names)} works in {said}{_advice(names)}")
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


def _measured(call: Node) -> tuple[str, list[Node]]:
    """Name of the function of the plane that a call calls, and its geometries."""
    name, taken = call["function_name"], list(call["children"])
    if call.get("schema"):  # geometry.ST_Area()
        taken.insert(0, _column(call["schema"]))
    if name in _BY_NAME:
        named = literal_text(taken[1]) if len(taken) > 1 else None
        if not isinstance(named, str):
            return name, taken[:1]
        name, taken = named.lower(), taken[:1]
    if name not in _GEOMETRIES:
        return "", []
    return name, taken[: _GEOMETRIES[name]]


def _column(name: str) -> Node:
    """Make the node of a column."""
    return {"class": "COLUMN_REF", "type": "COLUMN_REF", "column_names": [name]}


def _projected_names(tree: Node, columns: Collection[str]) -> dict[str, list[Node]]:
    """Expressions by the alias that nothing but expressions goes by.

    A name that stands anywhere else in the tree is left out: in a list of names behind
    a table, as a parameter of a lambda, as a field, in a text. So is one of a branch of
    UNION, whose other branches need not repeat it. Nothing is left where names are
    made from others, as PIVOT does.
    """
    given: dict[str, list[Node]] = {}
    other = set(columns)
    rest: list[tuple[Any, bool]] = [(tree, False)]
    while rest:
        item, united = rest.pop()
        if isinstance(item, str):
            other.add(item.lower())
        elif isinstance(item, list):
            rest.extend((inner, united) for inner in item)
        elif isinstance(item, dict):
            kind, alias = item.get("type"), str(item.get("alias") or "").lower()
            if (
                kind == "PIVOT"
                or item.get("function_name") in _ANY_NAME
                or (kind == "STAR" and alias)
            ):
                return {}
            united = united or kind in _SET_OPERATIONS
            if "class" in item and not united:
                given.setdefault(alias, []).append(item)
            elif alias:
                other.add(alias)
            if kind == "LAMBDA":
                other |= {str(n).lower() for n in _names_in(item["lhs"])}
            rest.extend(
                (value, united)
                for key, value in item.items()
                if key not in {"alias", "class", "column_names", "type"}
                or (key == "type" and isinstance(value, dict))
            )
    return {
        name: found
        for name, found in given.items()
        if name not in other
        and _PLAIN.fullmatch(name)
        and not _OF_THE_ENGINE.fullmatch(name)
    }


def _names_in(tree: Any) -> list[str]:
    """Every name of a column in a part of a tree."""
    return [n for node in nodes(tree) for n in node.get("column_names", ())]


def _crs(node: Any, aliased: dict[str, list[Node]]) -> set[str] | None:
    """Projected CRSs that geometry is in; None where it is not seen to be in one."""
    kind, name = node.get("type"), node.get("function_name")
    each: list[set[str] | None] = [None]
    if kind == "VALUE_CONSTANT" and node["value"].get("is_null"):
        return set()
    if kind == "FUNCTION" and name == "st_transform":
        code = _target(node)
        return {code} if _is_projected(code) else None
    if kind == "FUNCTION" and name in _KEEPING:
        taken = list(node["children"])
        if node.get("schema") not in {"", "main", None}:  # geometry.ST_Buffer(5)
            taken.insert(0, _column(node["schema"]))
        each = [_crs(part, aliased) for part in taken[: _KEEPING[name]]]
    elif kind == "COLUMN_REF":
        key = str(node["column_names"][-1]).lower()
        within = {k: v for k, v in aliased.items() if k != key}
        each = [_crs(behind, within) or None for behind in aliased.get(key, [])]
    elif kind == "CASE_EXPR":
        parts = [check["then_expr"] for check in node["case_checks"]]
        each = [_crs(part, aliased) for part in (*parts, node["else_expr"])]
    elif kind == "OPERATOR_COALESCE":
        each = [_crs(part, aliased) for part in node["children"]]
    found: set[str] = set()
    for crs in each or [None]:
        if crs is None:
            return None
        found |= crs
    return found


def _target(call: Node) -> str:
    """CRS into which an ``ST_Transform`` transforms."""
    texts = [literal_text(child) for child in call["children"]]
    codes = [text for text in texts if isinstance(text, str)]
    return codes[-1].upper() if codes else ""


@lru_cache
def _plane(code: str) -> tuple[str, float, str] | None:
    """Give unit, its length in metres, and method of a projected CRS, else None."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        return None
    flat = crs.sub_crs_list[0] if crs.is_compound else crs
    if not flat.is_projected or flat.coordinate_operation is None:
        return None
    axes = flat.axis_info[:2]
    worst = max(axes, key=lambda axis: abs(axis.unit_conversion_factor - 1.0))
    method = flat.coordinate_operation.method_name
    return worst.unit_name, worst.unit_conversion_factor, method


def _is_projected(code: str) -> bool:
    """Tell whether a CRS is known to have its coordinates in a plane."""
    return _plane(code) is not None


def _otherwise(code: str) -> str:
    """Say in what a CRS measures, if its unit is no metre or it stretches."""
    plane = _plane(code)
    if plane is None:
        return ""
    unit, metres, method = plane
    if abs(metres - 1.0) > 1e-9:
        return f"the unit of {code}, the {unit} of {metres:.9g} m, not metres"
    if method.lower().startswith(_MERCATOR):
        return (
            "a Mercator projection, which stretches lengths by 1/cos(latitude), 31 % "
            "at 40°"
        )
    if not method.lower().startswith(_KEEPS_LENGTHS):
        return f"{code}, whose projection ({method}) need not keep lengths"
    return ""


def _listed(names: set[str]) -> str:
    """Write names of functions one after the other."""
    return ", ".join(map(spelled, sorted(names)))


def _advice(names: set[str]) -> str:
    """Say what to use instead."""
    instead = dict.fromkeys(_INSTEAD[n] for n in sorted(names) if n in _INSTEAD)
    if not instead:
        return "; transform to a projected CRS first: ST_Transform(geometry, 'EPSG:…')"
    return f"; use {', '.join(instead)}"

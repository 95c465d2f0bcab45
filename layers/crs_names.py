"""By what a CRS may be named, so that naming one opens no file and no connection.

PROJ opens what ``+init``, ``+nadgrids`` and their like name, and whatever file a WKT
or a PROJJSON gives as a parameter of a transformation.
"""

from __future__ import annotations

import json
import re
from typing import Any

_CODE = re.compile(r"(?:EPSG|ESRI|IGNF|OGC):[A-Za-z0-9_.]{1,40}", re.IGNORECASE)
_HARMLESS = re.compile(r"\+nadgrids=@null(?![\w.,/@])")
"""What GDAL writes into the WKT of Web Mercator: no grid."""

_OPENS = re.compile(
    r"PARAMETERFILE|PROJ4_GRIDS|\+?\binit\s*=|\bgrids\s*=|grids\s*=|\+proj=pipeline|\bfile\s*=",
    re.IGNORECASE,
)
_WKT = re.compile(
    r"\s*(?:GEOGCS|PROJCS|GEOCCS|COMPD_CS|LOCAL_CS|VERT_CS|(?:BASE)?GEOGCRS|GEODCRS|"
    r"PROJCRS|COMPOUNDCRS|ENGCRS|VERTCRS|BOUNDCRS|GEODETICCRS|GEOGRAPHICCRS|"
    r"PROJECTEDCRS|ENGINEERINGCRS|VERTICALCRS|DERIVEDPROJCRS)\s*[\[(]",
    re.IGNORECASE,
)
_PROJJSON = frozenset(
    {
        "BoundCRS",
        "CompoundCRS",
        "DerivedGeodeticCRS",
        "DerivedGeographicCRS",
        "DerivedProjectedCRS",
        "EngineeringCRS",
        "GeodeticCRS",
        "GeographicCRS",
        "ProjectedCRS",
        "VerticalCRS",
    }
)


def is_code(named: object) -> bool:
    """Tell whether a CRS is named by a code of an authority.

    Parameters
    ----------
    named
        Anything; ``EPSG:32651``, ``ESRI:102100`` and ``OGC:CRS84`` are codes.

    Returns
    -------
    bool
        False for every other text, and for what is no text.
    """
    return isinstance(named, str) and _CODE.fullmatch(named) is not None


def opens_nothing(named: object) -> bool:
    """Tell whether PROJ opens no file for what names a CRS, nor one to transform it.

    Parameters
    ----------
    named
        A code, WKT, or PROJJSON as text or parsed.

    Returns
    -------
    bool
        False also for what is none of the three, such as a PROJ string.
    """
    if isinstance(named, str):
        if is_code(named):
            return True
        if named.lstrip().startswith("{"):
            try:
                return opens_nothing(json.loads(named))
            except (ValueError, RecursionError):
                return False
        plain = _HARMLESS.sub("", named)
        return bool(_WKT.match(plain)) and not names_a_file(named)
    if isinstance(named, dict):
        return named.get("type") in _PROJJSON and _has_no_file(named)
    return False


def is_wkt(text: str) -> bool:
    """Tell whether a text contains the WKT of a CRS.

    Parameters
    ----------
    text
        Of any kind.

    Returns
    -------
    bool
        True also where something else stands before it.
    """
    return _WKT.search(text) is not None


def names_a_file(text: str) -> bool:
    """Tell whether a text about a CRS names a grid or another file that PROJ opens.

    Parameters
    ----------
    text
        Of any kind; what is no CRS at all names none.

    Returns
    -------
    bool
        True also for what only looks like it.
    """
    return _OPENS.search(_HARMLESS.sub("", text)) is not None


def _has_no_file(crs: dict[str, Any]) -> bool:
    """Tell whether no parameter in a PROJJSON is a text: those are names of files."""
    rest: list[Any] = [crs]
    while rest:
        item = rest.pop()
        if isinstance(item, list):
            rest.extend(item)
        elif isinstance(item, dict):
            if {"proj", "init"} & item.keys() or isinstance(item.get("value"), str):
                return False
            rest.extend(item.values())
        elif isinstance(item, str) and _OPENS.search(item):
            return False
    return True

"""The CRS that a GeoJSON names in the manner before RFC 7946."""

from __future__ import annotations

import json
import mmap
import re
from typing import TYPE_CHECKING

from layers.errors import ReadError

if TYPE_CHECKING:
    from pathlib import Path

_KEY = re.compile(
    rb'"(?:[cC]|\\u00[46]3)(?:[rR]|\\u00[57]2)(?:[sS]|\\u00[57]3)"\s*:\s*'
)
_FEATURES = re.compile(rb'"features"\s*:')
_NAME = re.compile(
    r"(?:urn:(?:x-)?ogc:def:crs:|https?://www\.opengis\.net/def/crs/)?"
    r"([A-Za-z]+)[:/](?:[\w.]*[:/])?(\w+)"
)
_LONGEST = 4096
_MEND = "remove the member crs if it is WGS 84, else save the file again in WGS 84"


def crs_of_geojson(file: Path, name: str) -> str | None:
    """Find the CRS that a GeoJSON names, if any.

    GDAL heeds ``crs`` in every object, fetches what ``link`` or ``url`` name, and takes
    null or an unknown code for WGS 84; so it is not asked.

    Parameters
    ----------
    file
        The file, in UTF-8.
    name
        What to call it in a message.

    Returns
    -------
    str or None
        ``AUTHORITY:CODE``.

    Raises
    ------
    ReadError
        If ``crs`` is null, a link, there more than once or in a part of the file, or
        names no code. A column called ``crs`` whose cells are no objects is none.
    """
    with file.open("rb") as stream:
        content = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        with content:
            features = _FEATURES.search(content)
            begin = features.start() if features else len(content)
            end = content.rfind(b"]") if features else len(content)
            named: list[tuple[bytes, bool]] = []
            for key in _KEY.finditer(content):
                text = bytes(content[key.end() : key.end() + _LONGEST])
                own = not begin < key.start() < end
                if own or text.startswith(b"{"):
                    named.append((text, own))
                if len(named) > 1:
                    break
    if not named:
        return None
    if len(named) > 1 or not named[0][1]:
        raise ReadError(
            f"{name} names a CRS more than once, or in a part of it; {_MEND}"
        )
    try:
        crs, _ = json.JSONDecoder().raw_decode(named[0][0].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        crs = ""
    if crs is None:
        raise ReadError(f"{name}: crs is null, so its places are unknown; {_MEND}")
    said = crs.get("properties") if isinstance(crs, dict) else None
    if isinstance(crs, dict) and crs.get("type") in ("link", "url"):
        raise ReadError(f"{name}: crs is a link, which is not followed; {_MEND}")
    members = {"name": "name", "EPSG": "code"}
    member = members.get(str(crs.get("type")), "") if said else ""
    code = str(said.get(member)) if isinstance(said, dict) else str(crs)
    known = _NAME.fullmatch(f"EPSG:{code}" if member == "code" else code)
    if known is None or not member:
        raise ReadError(
            f"{name}: crs names {code[:60]!r}, which is no known code such as "
            f"EPSG:4326; {_MEND}"
        )
    return f"{known[1].upper()}:{known[2]}"

"""Which columns of a table hold its places, by their names and by what stands there."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from layers.errors import ImportRefusedError
from layers.importing.coordinates import CoordinateError, split_pair

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

How = Literal["geometry", "lonlat", "pair", "wkt", "mgrs"]


def _words(text: str) -> frozenset[str]:
    """Words of a text."""
    return frozenset(text.split())


LONGITUDE = _words(
    "lon long lng longitude x xcoord coordx easting 경도 동경 x좌표 经度 經度 东经 東經"
)
"""Names of a column of longitudes or eastings, in their plainest form."""

LATITUDE = _words(
    "lat latitude y ycoord coordy northing 위도 북위 y좌표 纬度 緯度 北纬 北緯"
)
"""Names of a column of latitudes or northings, likewise."""

_WKT = _words("wkt geom geometry thegeom geomwkt wktgeom shape 도형 几何")
_MGRS = _words("mgrs usng gridref gridreference 군사좌표 mgrs좌표 军事坐标")
_PAIR = _words(
    "coordinate coordinates coord coords latlon latlong latlng lonlat longlat "
    "position location 좌표 위치 경위도 위경도 坐标 座標 经纬度 位置"
)
_ENDS = re.compile(r"(?:wgs84|decimal|degrees|degree|deg|dd)$")
_LOOKS_WKT = re.compile(
    r"\s*(?:SRID=\d+;)?(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\b|\s*GEOMETRYCOLLECTION\b",
    re.IGNORECASE,
)
_LOOKS_MGRS = re.compile(r"\s*\d{1,2}\s*[C-X]\s*[A-Z]{2}[\d\s]*", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class PlaceColumns:
    """Where the places of a file stand.

    Attributes
    ----------
    how
        ``"geometry"`` if the file has places of its own, else how a cell is read.
    names
        Columns: longitude and latitude (or x and y), or one.
    """

    how: How
    names: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """What to type for them."""
        if self.how == "lonlat":
            return f"--lon {_typed(self.names[0])} --lat {_typed(self.names[1])}"
        if self.how == "pair":
            return f"--lon {_typed(self.names[0])} --lat {_typed(self.names[0])}"
        return f"--{self.how} {_typed(self.names[0])}"


def given_columns(
    name: str,
    columns: Sequence[str],
    *,
    lon: str | None,
    lat: str | None,
    wkt: str | None,
    mgrs: str | None,
) -> PlaceColumns | None:
    """Return the columns that the caller names.

    Parameters
    ----------
    name
        What to call the file in a message.
    columns
        Columns of the table.
    lon, lat
        Columns of longitude and latitude, or of x and y; the same one where both
        stand in one cell.
    wkt, mgrs
        Column of Well-known text, or of grid references.

    Returns
    -------
    PlaceColumns or None
        None if the caller names none.

    Raises
    ------
    ImportRefusedError
        If the table has no such column, or the caller names two kinds or half a pair.
    """
    asked = [c for c in (lon, lat, wkt, mgrs) if c is not None]
    if not asked:
        return None
    for column in asked:
        if column not in columns:
            raise ImportRefusedError(
                f"{name} has no column {column[:60]!r}; it has {_listed(columns)}",
                trap="no such column",
            )
    if lon is not None and lat is not None and wkt is None and mgrs is None:
        if lon == lat:
            return PlaceColumns(how="pair", names=(lon,))
        return PlaceColumns(how="lonlat", names=(lon, lat))
    if lon is None and lat is None and (wkt is None) != (mgrs is None):
        how: How = "wkt" if wkt is not None else "mgrs"
        return PlaceColumns(how=how, names=(asked[0],))
    raise ImportRefusedError(
        f"{name}: say where the places stand in one way: --lon COLUMN --lat COLUMN, "
        "--wkt COLUMN or --mgrs COLUMN",
        trap="columns of places",
        flags=("--lon COLUMN --lat COLUMN", "--wkt COLUMN", "--mgrs COLUMN"),
    )


def find_columns(
    name: str, columns: Sequence[str], cells: Callable[[str], Sequence[str | None]]
) -> PlaceColumns:
    """Find the one way in which a table gives its places.

    Parameters
    ----------
    name
        What to call the file in a message.
    columns
        Columns of the table.
    cells
        Gives the first cells of a column.

    Returns
    -------
    PlaceColumns
        The only way that its names allow.

    Raises
    ------
    ImportRefusedError
        If there is none, or more than one; the message names the flag of each.
    """
    ways = _ways(columns, cells)
    if len(ways) == 1:
        return ways[0]
    if ways:
        flags = tuple(way.flag for way in ways)
        raise ImportRefusedError(
            f"{name} gives places in {len(ways)} ways; say which holds: "
            f"{', or '.join(flags)}",
            trap="columns of places",
            flags=flags,
        )
    flags = tuple(
        f"--{how} {_typed(column)}"
        for column in columns
        for how, looks in (("wkt", _LOOKS_WKT), ("mgrs", _LOOKS_MGRS))
        if _all_look(cells(column), looks)
    )
    ask = f"; {', '.join(flags)} may be right" if flags else ""
    raise ImportRefusedError(
        f"{name}: no columns of places; it has {_listed(columns)}. Say which: --lon "
        f"COLUMN --lat COLUMN, --wkt COLUMN or --mgrs COLUMN{ask}",
        trap="columns of places",
        flags=flags or ("--lon COLUMN --lat COLUMN", "--wkt COLUMN", "--mgrs COLUMN"),
    )


def _ways(
    columns: Sequence[str], cells: Callable[[str], Sequence[str | None]]
) -> list[PlaceColumns]:
    """All ways in which the names of a table let its places be read."""
    plain = {column: plain_name(column) for column in columns}

    def named(names: frozenset[str]) -> list[str]:
        return [column for column in columns if plain[column] in names]

    ways = [
        PlaceColumns(how="lonlat", names=(lon, lat))
        for lon in named(LONGITUDE)
        for lat in named(LATITUDE)
        if (plain[lon] in _FLAT) == (plain[lat] in _FLAT)
    ]
    ways += [
        PlaceColumns(how="wkt", names=(column,))
        for column in named(_WKT)
        if _all_look(cells(column), _LOOKS_WKT)
    ]
    ways += [
        PlaceColumns(how="mgrs", names=(column,))
        for column in named(_MGRS)
        if _all_look(cells(column), _LOOKS_MGRS)
    ]
    ways += [
        PlaceColumns(how="pair", names=(column,))
        for column in named(_PAIR)
        if _are_pairs(cells(column))
    ]
    return ways


_FLAT = _words("x y xcoord ycoord coordx coordy easting northing x좌표 y좌표")


def plain_name(column: str) -> str:
    """Write the name of a column in its plainest form.

    Parameters
    ----------
    column
        Such as ``Longitude (WGS 84)``.

    Returns
    -------
    str
        Small letters and digits of any script: ``longitude``.

    Examples
    --------
    >>> plain_name("Longitude (WGS 84)"), plain_name("경도_dd"), plain_name("X 좌표")
    ('longitude', '경도', 'x좌표')
    """
    text = unicodedata.normalize("NFKC", column).lower()
    text = re.sub(r"[(\[].*?[)\]]", "", text)
    text = re.sub(r"[\W_]+", "", text)
    return _ENDS.sub("", text) or text


def _all_look(cells: Sequence[str | None], looks: re.Pattern[str]) -> bool:
    """Tell whether every cell that is not blank looks like something."""
    texts = [c for c in cells if c is not None and c.strip()]
    begins = looks.match if looks is _LOOKS_WKT else looks.fullmatch
    return bool(texts) and all(begins(text) for text in texts)


def _are_pairs(cells: Sequence[str | None]) -> bool:
    """Tell whether every cell that is not blank holds a pair of coordinates."""
    texts = [c for c in cells if c is not None and c.strip()]
    try:
        for text in texts:
            split_pair(text)
    except CoordinateError:
        return False
    return bool(texts)


def _typed(column: str) -> str:
    """Write the name of a column as it is typed in a shell."""
    import shlex

    plain = re.fullmatch(r"\w[\w.-]*", column)
    return column if plain is not None else shlex.quote(column[:60])


def _listed(columns: Sequence[str]) -> str:
    """List the columns of a table."""
    shown = ", ".join(column[:40] for column in columns[:12])
    return shown + (f" and {len(columns) - 12} more" if len(columns) > 12 else "")

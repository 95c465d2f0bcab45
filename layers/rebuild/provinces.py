"""The provinces: Natural Earth 1:10m admin-1 inside Debian's qgis-common."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from layers.rebuild.output import geojson_bytes, snapped

if TYPE_CHECKING:
    from layers.rebuild.packages import Sources

DIGITS = 5
"""Decimals of the coordinates: about a metre."""

BOUNDARY_UNCERTAINTY_M = 4500.0
"""Largest displacement that `layers.rebuild.boundary_check` measures, rounded up to
the next half kilometre. [m]"""

_WORLD_MAP = "usr/share/qgis/resources/data/world_map.gpkg"

PROVINCES: Mapping[str, tuple[str, str, str, str, str]] = MappingProxyType(
    {
        "KN12": ("KP-01", "pyongyang", "Pyongyang", "평양직할시", "平壤直辖市"),
        "KN10": ("KP-02", "south-pyongan", "South Pyongan", "평안남도", "平安南道"),
        "KN11": ("KP-03", "north-pyongan", "North Pyongan", "평안북도", "平安北道"),
        "KN01": ("KP-04", "chagang", "Chagang", "자강도", "慈江道"),
        "KN06": ("KP-05", "south-hwanghae", "South Hwanghae", "황해남도", "黄海南道"),
        "KN07": ("KP-06", "north-hwanghae", "North Hwanghae", "황해북도", "黄海北道"),
        "KN09": ("KP-07", "kangwon", "Kangwon", "강원도", "江原道"),
        "KN03": ("KP-08", "south-hamgyong", "South Hamgyong", "함경남도", "咸镜南道"),
        "KN17": ("KP-09", "north-hamgyong", "North Hamgyong", "함경북도", "咸镜北道"),
        "KN13": ("KP-10", "ryanggang", "Ryanggang", "량강도", "两江道"),
        "KN18": ("KP-13", "rason", "Rason", "라선시", "罗先市"),
        "CH19": ("CN-LN", "liaoning", "Liaoning", "랴오닝성", "辽宁省"),
        "CH05": ("CN-JL", "jilin", "Jilin", "지린성", "吉林省"),
    }
)
"""FIPS code in the package: ISO 3166-2 code, slug and names. A reviewed table."""

_NOTES = {
    "KP-01": "Boundary as drawn by Natural Earth; districts that moved between "
    "Pyongyang and North Hwanghae since 2010 are not checked.",
    "KP-02": "Nampo (KP-14) still belongs to South Pyongan here: the source has no "
    "polygon of its own for it.",
    "KP-06": "Kaesong (KP-15) still belongs to North Hwanghae here: the source has no "
    "polygon of its own for it.",
    "KP-13": "Hahoe-dong, which GeoNames counts to North Hamgyong, lies 4.2 km inside "
    "this polygon: the two sources draw Rason differently.",
    "CN-LN": "Small islands are missing from the 1:10m polygon.",
}


def provinces(sources: Sources) -> bytes:
    """Provinces of the DPRK, Liaoning and Jilin, unsimplified, as GeoJSON.

    Parameters
    ----------
    sources
        Where the packages are.

    Returns
    -------
    bytes
        Features in the order of their ISO 3166-2 codes, the DPRK first.

    Raises
    ------
    ValueError
        If the source lacks one of the provinces.
    """
    import pyogrio

    folder = sources.folder("qgis-common", [_WORLD_MAP])
    frame = pyogrio.read_dataframe(
        folder / "world_map.gpkg", layer="states_provinces", columns=["fips"]
    )
    frame = frame[frame["fips"].isin(list(PROVINCES))]
    rows = [
        (_province(fips), snapped(geometry, DIGITS))
        for fips, geometry in zip(frame["fips"], frame.geometry, strict=True)
    ]
    if len(rows) != len(PROVINCES):
        raise ValueError(f"the source has {len(rows)} of {len(PROVINCES)} provinces")
    order = [slug for _, slug, *_ in PROVINCES.values()]
    rows.sort(key=lambda row: order.index(row[0]["id"]))
    return geojson_bytes(rows, digits=DIGITS)


def _province(fips: str) -> dict[str, Any]:
    iso, slug, name, name_ko, name_zh = PROVINCES[fips]
    return {
        "id": slug,
        "name": name,
        "name_ko": name_ko,
        "name_zh": name_zh,
        "kind": "province",
        "uncertainty_m": BOUNDARY_UNCERTAINTY_M,
        "precision_code": 4,
        "georeference_protocol": "Natural Earth 1:10m admin-1 polygon, unsimplified",
        "status": "context",
        "claims": "",
        "sources": "natural-earth",
        "note": _NOTES.get(iso, ""),
        "iso_3166_2": iso,
        "boundary_uncertainty_m": BOUNDARY_UNCERTAINTY_M,
        "country": iso[:2],
    }

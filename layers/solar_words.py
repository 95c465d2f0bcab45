"""Words for candidate solar areas: names, land cover, and why an area ranks so."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IGBP = {
    0: "water",
    1: "evergreen needleleaf forest",
    2: "evergreen broadleaf forest",
    3: "deciduous needleleaf forest",
    4: "deciduous broadleaf forest",
    5: "mixed forest",
    6: "closed shrubland",
    7: "open shrubland",
    8: "woody savanna",
    9: "savanna",
    10: "grassland",
    11: "wetland",
    12: "cropland",
    13: "town",
    14: "mosaic of cropland and natural plants",
    15: "snow and ice",
    16: "barren land",
}
"""Names of the IGBP land-cover classes by code."""

FOOD = frozenset({12, 14})
"""Classes on which panels compete with food."""

_WINDS = (
    ("North", "북쪽", "北"),
    ("North-east", "북동쪽", "东北"),
    ("East", "동쪽", "东"),
    ("South-east", "남동쪽", "东南"),
    ("South", "남쪽", "南"),
    ("South-west", "남서쪽", "西南"),
    ("West", "서쪽", "西"),
    ("North-west", "북서쪽", "西北"),
)

_AROUND_KM = 2.0
"""Nearer than this to a town, an area is said to lie round it. [km]"""


_POORLY_KNOWN_KM = 5.0
"""From here on, reasons say how well a plant's place is known. [km]"""


class Names(NamedTuple):
    """Name of one thing in three languages; empty where it is not known."""

    en: str
    ko: str
    zh: str


def area_names(town: Names, *, distance_km: float, azimuth_deg: float) -> Names:
    """Name an area after a town.

    Parameters
    ----------
    town
        Names of the town.
    distance_km
        From the town to the middle of the area. [km]
    azimuth_deg
        From the town to the middle of the area, clockwise from north. [degrees]

    Returns
    -------
    Names
        Such as ``North-east of Kusong``; empty in a language that the town lacks.

    Examples
    --------
    >>> area_names(Names("Kusong", "구성", ""), distance_km=9, azimuth_deg=50)
    Names(en='North-east of Kusong', ko='구성 북동쪽', zh='')
    >>> area_names(Names("Anju", "", ""), distance_km=1, azimuth_deg=50).en
    'Around Anju'
    """
    if distance_km < _AROUND_KM:
        wind = ("Around", "일대", "一带")
        link = " "
    else:
        wind = _WINDS[round(azimuth_deg / 45) % 8]
        link = " of "
    return Names(
        f"{wind[0]}{link}{town.en}",
        f"{town.ko} {wind[1]}" if town.ko else "",
        f"{town.zh}{wind[2]}" if town.zh else "",
    )


def distinct(names: Iterable[str]) -> list[str]:
    """Add numbers to names that stand more than once.

    Parameters
    ----------
    names
        In order of rank; empty ones are left alone.

    Returns
    -------
    list of str
        The second of a name gets ``(2)``, and so on.

    Examples
    --------
    >>> distinct(["Anju", "Kusong", "Anju", ""])
    ['Anju', 'Kusong', 'Anju (2)', '']
    """
    met: Counter[str] = Counter()
    numbered = []
    for name in names:
        met[name] += 1
        again = name and met[name] > 1
        numbered.append(f"{name} ({met[name]})" if again else name)
    return numbered


def land_cover_text(classes: Iterable[float]) -> str:
    """Say of which classes the cells of an area are.

    Parameters
    ----------
    classes
        IGBP code of each cell.

    Returns
    -------
    str
        Commonest first.

    Examples
    --------
    >>> land_cover_text([12, 12, 10])
    'cropland (2 of 3 cells), grassland (1)'
    """
    counts = Counter(int(c) for c in classes)
    total = sum(counts.values())
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{IGBP.get(code, f'class {code}')} ({n})" for code, n in ordered]
    parts[0] = parts[0].removesuffix(")") + f" of {total} cells)"
    return ", ".join(parts)


def reasons(
    classes: Iterable[float],
    *,
    means: Mapping[str, float],
    plant: str,
    plant_km: float,
    plant_uncertainty_km: float,
    town: str,
    town_km: float,
    coast_km: float,
) -> str:
    """Say in plain words why an area ranks as it does.

    Parameters
    ----------
    classes
        IGBP code of each cell.
    means
        Mean over the cells: ``relief_m``, ``altitude_m`` [m], and ``share_…``, the
        part of the score that each criterion gives. [1]
    plant, town
        Name of the nearest of each.
    plant_km, town_km, coast_km
        From the middle of the area. [km]
    plant_uncertainty_km
        How well the place of the plant is known; said from 5 km. [km]

    Returns
    -------
    str
        A sentence on the ground, one on distances, one on the score.
    """
    codes = [int(c) for c in classes]
    common, count = Counter(sorted(codes)).most_common(1)[0]
    name = IGBP.get(common, f"class {common}")
    amount = "all" if count == len(codes) else "mostly"
    ground = f"Ground: {amount} {name} by the cell's commonest class"
    if food := sum(c in FOOD for c in codes):
        whole = "" if food == len(codes) else f" in {food} of {len(codes)} cells"
        ground += f", where panels would compete with food{whole}"
    shares = {
        k.removeprefix("share_"): v for k, v in means.items() if k.startswith("share_")
    }
    parts = sorted(shares.items(), key=lambda item: -item[1])
    words = ", ".join(f"{_short(k)} {v:.2f}" for k, v in parts)
    known = (
        f" (its place is known to {plant_uncertainty_km:.0f} km)"
        if plant_uncertainty_km >= _POORLY_KNOWN_KM
        else ""
    )
    return (
        f"{ground}; relief about {_tens(means['relief_m'])} m, mean altitude about "
        f"{_tens(means['altitude_m'])} m. {coast_km:.0f} km from the coast, "
        f"{plant_km:.0f} km from {plant}{known}, {town_km:.0f} km from {town}. "
        f"Score {sum(shares.values()):.2f}, from {words}."
    )


def _tens(value: float) -> int:
    return round(value / 10) * 10


def _short(criterion: str) -> str:
    """Name of a measure without its unit."""
    words = {
        "land_cover": "land cover",
        "relief_m": "relief",
        "altitude_m": "altitude",
        "ghi_kwh_per_m2": "irradiance",
        "coast_km": "distance from the coast",
        "plant_km": "nearness of a plant",
        "town_km": "nearness of a town",
    }
    return words.get(criterion, criterion)
